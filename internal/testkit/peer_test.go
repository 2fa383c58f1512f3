package testkit

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// uas starts SIPp's own answering machine and returns its address.
func uas(t *testing.T, tcp bool) (netip.AddrPort, func() error) {
	t.Helper()
	port := FreePorts(t, 1)[0]
	wait := StartSIPp(t, Scenario{File: "uas", Port: port, TCP: tcp, Timeout: 15 * time.Second})
	return Loopback(port), wait
}

func TestPeerCallsSIPp(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			server, wait := uas(t, transport == "tcp")
			var p *Peer
			if transport == "tcp" {
				ctx := t.Context()
				conn, err := dialRetry(ctx, server.String())
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
			}
			p = NewPeer(t, transport, server)
			d := p.NewInvite("service", Options{})
			for range 50 { // over UDP the first may come before SIPp listens
				p.Send(d.Invite)
				if _, ok := p.Take(200*time.Millisecond, func(m *Message) bool { return m.Status() == 180 }); ok {
					break
				}
			}
			ok := p.Final(Patience, d.Invite)
			d.Established(ok)
			p.Send(d.Ack())
			d.Bye()
			if err := wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSIPpReportsFailure(t *testing.T) {
	t.Parallel()
	Need(t, "sipp")
	// Nobody is there: SIPp must say that the call failed, and so must the driver.
	err := StartSIPp(t, Scenario{File: "uac", Server: Loopback(FreePorts(t, 1)[0]), User: "x", Timeout: 2 * time.Second})()
	if err == nil {
		t.Fatal("a call to nobody was a success")
	}
}

func TestParseMessage(t *testing.T) {
	p := NewPeer(t, "udp", Loopback(9))
	m := p.Request("INVITE", "1000").With("application/sdp", SDP(4000, 1, "sendonly"))
	got, err := ParseMessage(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got.Method() != "INVITE" || got.CSeq() != 1 || got.Tag("From") == "" || !strings.HasPrefix(got.Branch(), "z9hG4bK") {
		t.Errorf("read back as %+v", got)
	}
	media, err := ParseMedia(got.Body)
	if err != nil || media.Address != Loopback(4000) || media.Direction != "sendonly" || !slices.Equal(media.Payloads, []string{"0", "8", "101"}) {
		t.Errorf("media %+v: %v", media, err)
	}
	reply := got.Reply(486, "Busy Here", "abc")
	if reply.Status() != 486 || reply.Tag("To") != "abc" || reply.Method() != "INVITE" || !Answers(m)(reply) {
		t.Errorf("reply %+v", reply)
	}
}

func TestRTPThroughRelay(t *testing.T) {
	t.Parallel()
	far := NewRTP(t)
	near := NewRTP(t)
	relay := NewRelay(t, near.Addr(), Faults{Seed: 7, Loss: 0.1, Duplicate: 0.05, Reorder: 0.05})
	relay.To(far.Addr())
	near.Talk(Tone(400, time.Second))
	far.Talk(Tone(1000, time.Second))
	far.Aim(Loopback(relay.FarPort()))
	near.Aim(relay.Near())
	if got := len(near.Type("12345*#9")); got != 8 {
		t.Errorf("%d keys were sent", got)
	}
	seen := func(ps []Packet) bool { return Digits(ps) == "12345*#9" }
	if !far.Wait(Patience, time.Time{}, seen) {
		t.Errorf("the far end got keys %q", Digits(far.Packets(time.Time{})))
	}
	for _, r := range []*RTP{near, far} {
		hz := map[*RTP]int{near: 1000, far: 400}[r]
		if !r.Wait(Patience, time.Time{}, func(ps []Packet) bool {
			return ToneTime(Transcript(Audio(ps), 400, 1000), hz) > time.Second
		}) {
			t.Errorf("no second of %d Hz: %s", hz, Describe(Transcript(Audio(r.Packets(time.Time{})), 400, 1000)))
		}
	}
	passed, dropped := relay.Counts()
	if share := float64(dropped) / float64(passed+dropped); share < 0.03 || share > 0.25 {
		t.Errorf("%d of %d packets dropped, asked for a tenth", dropped, passed+dropped)
	}
	if from := far.Packets(time.Time{})[0].From; from != Loopback(relay.FarPort()) {
		t.Errorf("the far end hears %v, want the relay's far port %d", from, relay.FarPort())
	}
}

func TestFaultsRepeatBySeed(t *testing.T) {
	draw := func(seed uint64) (fates [200][3]bool) {
		f := newFate(Faults{Seed: seed, Loss: 0.1, Burst: 0.01, BurstLen: 5, Reorder: 0.1, Duplicate: 0.1}, 1)
		for i := range fates {
			fates[i][0], fates[i][1], fates[i][2] = f.next()
		}
		return fates
	}
	first, again, other := draw(1), draw(1), draw(2)
	if first != again {
		t.Error("one seed, two fates")
	}
	if first == other {
		t.Error("two seeds, one fate")
	}
}
