package interop

import (
	"fmt"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

// TestKeys is about keys by RFC 4733: barge-in, type-ahead, repeats and loss.
func TestKeys(t *testing.T) {
	s := serve(t, testkit.Set("entries.menus", "menus"))
	t.Run("barge-in", func(t *testing.T) { t.Parallel(); bargeIn(t, s) })
	t.Run("typed ahead", func(t *testing.T) { t.Parallel(); typedAhead(t, s) })
	t.Run("ends three times", func(t *testing.T) { t.Parallel(); endsCountOnce(t, s) })
	t.Run("same key twice", func(t *testing.T) { t.Parallel(); asksAgain(t, s) })
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("10 %% loss, seed %d", seed), func(t *testing.T) {
			t.Parallel()
			lossyKeys(t, s, testkit.Faults{Seed: seed, Loss: 0.1, Duplicate: 0.05, Reorder: 0.05})
		})
	}
	t.Run("bursts", func(t *testing.T) {
		t.Parallel()
		lossyKeys(t, s, testkit.Faults{Seed: 11, Burst: 0.01, BurstLen: 3})
	})
}

// bargeIn measures how much of a prompt still comes after a key's first packet.
func bargeIn(t *testing.T, s *testkit.Server) {
	for _, key := range []string{"1", "9"} {
		d := testkit.NewPeer(t, "udp", s.SIP).Call("1003", testkit.Options{})
		d.RTP.Hear(soon, time.Time{}, askHz, 500*time.Millisecond)
		pressed := d.RTP.Type(key)[0]
		// Long enough that all of a prompt that goes on would be heard.
		d.RTP.Wait(time.Second, pressed, func([]testkit.Packet) bool { return false })
		after := testkit.Transcript(testkit.Audio(d.RTP.Packets(pressed)), askHz)
		sounded := time.Duration(0)
		if len(after) > 0 && after[0].Hz == askHz {
			sounded = after[0].For
		}
		if sounded > 100*time.Millisecond {
			t.Errorf("after key %s the prompt went on for %v, want at most 100 ms; heard %s", key, sounded, testkit.Describe(after))
		}
		d.Bye()
	}
}

// typedAhead presses the keys of three menus during the first one's prompt.
func typedAhead(t *testing.T, s *testkit.Server) {
	who := caller()
	d := testkit.NewPeer(t, "udp", s.SIP).Call("menus", testkit.Options{From: who})
	d.RTP.Hear(soon, time.Time{}, 400, 300*time.Millisecond)
	d.RTP.Type("123")
	d.RTP.Hear(soon, time.Now(), 1000, time.Second)
	heard := testkit.Transcript(testkit.Audio(d.RTP.Packets(time.Time{})), 400, 500, 800, 1000)
	for _, hz := range []int{500, 800} {
		if got := testkit.ToneTime(heard, hz); got > 300*time.Millisecond {
			t.Errorf("the prompt at %d Hz played for %v though its key was pressed before: %s", hz, got, testkit.Describe(heard))
		}
	}
	d.WaitBye(soon)
	s.Ended(t, soon, who, tandem.ReasonCompleted)
}

// endsCountOnce sends each end packet many times over: still one key each.
func endsCountOnce(t *testing.T, s *testkit.Server) {
	d := testkit.NewPeer(t, "udp", s.SIP).Call("1003", testkit.Options{})
	d.RTP.Hear(soon, time.Time{}, askHz, 500*time.Millisecond)
	var keys []testkit.Key
	for i, digit := range []byte("1234") {
		keys = append(keys, testkit.Key{Digit: digit, Ends: 3 + 2*i})
	}
	d.RTP.Press(keys...)
	d.RTP.Hear(soon, time.Now(), rightHz, time.Second)
	d.WaitBye(soon)
}

// asksAgain proves that the code is judged: four wrong keys and the question comes
// again, then the right ones end it.
func asksAgain(t *testing.T, s *testkit.Server) {
	d := testkit.NewPeer(t, "udp", s.SIP).Call("1003", testkit.Options{})
	d.RTP.Hear(soon, time.Time{}, askHz, 500*time.Millisecond)
	d.RTP.Type("1123")
	d.RTP.Hear(soon, time.Now(), askHz, time.Second)
	d.RTP.Type("1234")
	d.RTP.Hear(soon, time.Now(), rightHz, time.Second)
	d.WaitBye(soon)
}

func lossyKeys(t *testing.T, s *testkit.Server, f testkit.Faults) {
	rtp := testkit.NewRTP(t)
	relay := testkit.NewRelay(t, rtp.Addr(), f)
	who := caller()
	d := testkit.NewPeer(t, "udp", s.SIP).Call("1003", testkit.Options{From: who, RTP: rtp, Relay: relay})
	if !rtp.Wait(soon, time.Time{}, func(ps []testkit.Packet) bool { return len(ps) > 25 }) {
		t.Fatal("nothing came through the relay")
	}
	rtp.Type("1234")
	d.WaitBye(soon + 3*time.Second)
	story := s.Ended(t, soon, who, tandem.ReasonCompleted)
	asked := 0
	for _, e := range story.Events {
		if e.Kind == tandem.EventPrompt {
			asked++
		}
	}
	if _, dropped := relay.Counts(); dropped == 0 {
		t.Error("the relay lost nothing: this proves nothing")
	}
	heard := testkit.Transcript(testkit.Audio(rtp.Packets(time.Time{})), askHz, rightHz)
	if asked > 2 || testkit.ToneTime(heard, rightHz) < time.Second {
		t.Errorf("the keys were not taken at the first asking: %d prompts, heard %s", asked, testkit.Describe(heard))
	}
}
