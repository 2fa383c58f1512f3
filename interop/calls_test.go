package interop

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

const (
	loopHz  = 400 // what 1000, 1001 and 1004 play
	briefHz = 500
	askHz   = 800 // what 1003 asks with
	rightHz = 1000
	// soon bounds what should happen within a moment, on a busy machine.
	soon = 15 * time.Second
)

// TestCalls runs calls of every shape against one server.
func TestCalls(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for name, test := range map[string]func(*testing.T, *testkit.Server, string){
		"early offer":     earlyOffer,
		"late offer":      lateOffer,
		"hold, resume":    holdAndResume,
		"quick re-INVITE": quickReinvites,
		"lost ACK":        lostAck,
		"cancel":          cancelWhileRinging,
		"cancel at 200":   cancelAfterOK,
		"cancel race":     cancelRace,
		"BYE glare":       byeGlare,
		"hangs up":        serverHangsUp,
		"vanished":        callerVanishes,
		"held in peace":   heldCallerIsSilent,
		"retransmitted":   retransmittedInvite,
		"one key by two":  infoAndEventAreOneKey,
		"INFO alone":      infoAlone,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothTransports(t, func(t *testing.T, transport string) { test(t, s, transport) })
		})
	}
	t.Run("cut after INVITE", func(t *testing.T) { t.Parallel(); cutAfterInvite(t, s) })
	t.Run("stranger", func(t *testing.T) { t.Parallel(); stranger(t, s) })
	t.Cleanup(func() {
		if !s.Alive() {
			t.Fatal("the server is gone")
		}
		nothingOpen(t, s, 45*time.Second) // an ACK that never comes is given up after 32 s
		s.Verify(t)
	})
}

func earlyOffer(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	d := testkit.NewPeer(t, transport, s.SIP).Call("1000", testkit.Options{From: who})
	d.RTP.Hear(soon, time.Time{}, loopHz, time.Second)
	d.Bye()
	story := s.Ended(t, soon, who, tandem.ReasonHangup)
	if by := story.Legs[0].Termination.By; by != tandem.ByRemote {
		t.Errorf("ended by %s, want remote", by)
	}
}

func lateOffer(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	d := testkit.NewPeer(t, transport, s.SIP).Call("1000", testkit.Options{From: who, NoOffer: true})
	d.RTP.Hear(soon, time.Time{}, loopHz, time.Second)
	d.Bye()
	s.Ended(t, soon, who, tandem.ReasonHangup)
}

func holdAndResume(t *testing.T, s *testkit.Server, transport string) {
	d := testkit.NewPeer(t, transport, s.SIP).Call("1000", testkit.Options{})
	d.RTP.Hear(soon, time.Time{}, loopHz, 500*time.Millisecond)
	for _, c := range []struct{ ours, answer string }{{"sendonly", "recvonly"}, {"inactive", "inactive"}} {
		if got := d.Reinvite(c.ours).Direction; got != c.answer {
			t.Errorf("offered %s, answered %s, want %s (RFC 3264 section 6.1)", c.ours, got, c.answer)
		}
		if d.RTP.Wait(1500*time.Millisecond, time.Now().Add(500*time.Millisecond), func(ps []testkit.Packet) bool { return len(ps) > 0 }) { // what was under way may still come
			t.Errorf("RTP came while we were %s", c.ours)
		}
		if got := d.Reinvite("sendrecv").Direction; got != "sendrecv" {
			t.Errorf("resumed, answered %s", got)
		}
		d.RTP.Hear(soon+6*time.Second, time.Now(), loopHz, 500*time.Millisecond)
	}
	// A re-INVITE without an offer gets one (RFC 3261 section 14.2).
	m := d.Next("INVITE")
	d.Send(m)
	ok := d.Final(soon, m)
	if _, err := testkit.ParseMedia(ok.Body); ok.Status() != 200 || err != nil {
		t.Fatalf("re-INVITE without an offer: %s, %v", ok.Start, err)
	}
	d.OK = ok
	d.Send(d.Ack().With("application/sdp", testkit.SDP(d.RTP.Port(), 99, "")))
	d.RTP.Hear(soon+6*time.Second, time.Now(), loopHz, 500*time.Millisecond)
	d.Bye()
}

// quickReinvites sends each re-INVITE on the heels of the ACK before it, as a phone
// does whose user is quick: none may be refused, since the exchange before is over.
func quickReinvites(t *testing.T, s *testkit.Server, transport string) {
	d := testkit.NewPeer(t, transport, s.SIP).Call("1000", testkit.Options{})
	for range 10 {
		d.Reinvite("sendonly")
		d.Reinvite("sendrecv")
	}
	d.RTP.Hear(soon+6*time.Second, time.Now(), loopHz, 500*time.Millisecond)
	d.Bye()
}

// lostAck checks the repeated 200 against RFC 3261 section 13.3.1.4: after T1
// (500 ms), then twice as long each time up to T2 (4 s), given up after 64 T1 with a BYE.
func lostAck(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	p := testkit.NewPeer(t, transport, s.SIP)
	d, first := p.Ring("1000", testkit.Options{From: who}, false)
	if first.Status() != 200 {
		t.Fatalf("INVITE: %s", first.Start)
	}
	d.Established(first)
	const slack = 700 * time.Millisecond // the machine is shared
	for i, want := range []float64{0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5} {
		again := p.Want(5*time.Second+slack, "repeated 200", func(m *testkit.Message) bool { return m.Status() == 200 && testkit.Answers(d.Invite)(m) })
		if off := again.At.Sub(first.At) - time.Duration(want*float64(time.Second)); off < -slack || off > slack {
			t.Errorf("200 number %d came %v after the first, want %vs", i+2, again.At.Sub(first.At), want)
		}
	}
	bye := d.WaitBye(10 * time.Second)
	if gave := bye.At.Sub(first.At); gave < 31*time.Second || gave > 34*time.Second {
		t.Errorf("given up after %v, want 32s", gave)
	}
	s.Ended(t, soon, who, tandem.ReasonAckLost)
}

func cancelWhileRinging(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	p := testkit.NewPeer(t, transport, s.SIP)
	d, ringing := p.Ring("1001", testkit.Options{From: who}, true)
	if ringing.Status() != 180 {
		t.Fatalf("INVITE: %s, want 180", ringing.Start)
	}
	if code := p.Status(soon, d.Cancel()); code != 200 {
		t.Errorf("CANCEL was answered with %d", code)
	}
	final := p.Final(soon, d.Invite)
	if final.Status() != 487 {
		t.Errorf("the INVITE ended with %s, want 487", final.Start)
	}
	p.Send(d.AckFailure(final))
	s.Ended(t, soon, who, tandem.ReasonCancelled)
}

func cancelAfterOK(t *testing.T, s *testkit.Server, transport string) {
	p := testkit.NewPeer(t, transport, s.SIP)
	d, ok := p.Ring("1000", testkit.Options{}, false)
	if ok.Status() != 200 {
		t.Fatalf("INVITE: %s", ok.Start)
	}
	// Too late: it has no effect (RFC 3261 section 9.2).
	if code := p.Status(soon, d.Cancel()); code != 200 && code != 481 {
		t.Errorf("a late CANCEL was answered with %d", code)
	}
	d.Established(ok)
	d.Send(d.Ack())
	d.RTP.Aim(d.ServerMedia())
	d.RTP.Hear(soon, time.Now(), loopHz, 500*time.Millisecond)
	d.Bye()
}

// cancelRace sends CANCEL on the heels of INVITE, each time a little later: either
// side may win, but the call must end in one way that both know.
func cancelRace(t *testing.T, s *testkit.Server, transport string) {
	p := testkit.NewPeer(t, transport, s.SIP)
	for i := range 15 {
		who := caller()
		d := p.NewInvite("1002", testkit.Options{From: who})
		p.Send(d.Invite)
		// Nothing is taken: this only lets i milliseconds pass.
		_, _ = p.Take(time.Duration(i)*time.Millisecond, func(*testkit.Message) bool { return false })
		cancel := d.Cancel()
		p.Send(cancel)
		final, ok := p.Take(soon, func(m *testkit.Message) bool {
			return m.Status() >= 200 && m.Method() == "INVITE" && m.Get("Call-ID") == d.Invite.Get("Call-ID")
		})
		if !ok {
			t.Fatalf("attempt %d: no final answer", i)
		}
		if code := p.Final(soon, cancel).Status(); code != 200 && code != 481 {
			t.Errorf("attempt %d: CANCEL was answered with %d", i, code)
		}
		if final.Status() == 200 {
			d.Established(final)
			d.Send(d.Ack())
			d.Bye()
			s.Ended(t, soon, who, tandem.ReasonHangup)
			continue
		}
		p.Send(d.AckFailure(final))
		if final.Status() == 503 {
			continue // turned away for load: no race to speak of
		}
		if final.Status() != 487 {
			t.Errorf("attempt %d: %s, want 487", i, final.Start)
		}
		s.Ended(t, soon, who, tandem.ReasonCancelled)
	}
}

func byeGlare(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	d := testkit.NewPeer(t, transport, s.SIP).Call("1002", testkit.Options{From: who})
	theirs := d.Want(soon+2*time.Second, "BYE", testkit.Requests("BYE"))
	ours := d.Next("BYE") // sent before theirs is answered: the two cross
	d.Send(ours)
	if code := d.Final(soon, ours).Status(); code != 200 && code != 481 {
		t.Errorf("a crossing BYE was answered with %d, want 200 or 481", code)
	}
	d.Send(theirs.Reply(200, "OK", ""))
	s.Ended(t, soon, who, tandem.ReasonCompleted, tandem.ReasonHangup)
}

func serverHangsUp(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	d := testkit.NewPeer(t, transport, s.SIP).Call("1002", testkit.Options{From: who})
	bye := d.WaitBye(soon + 2*time.Second)
	if up := bye.At.Sub(d.OK.At); up < 1800*time.Millisecond || up > 4*time.Second {
		t.Errorf("hung up after %v, want about 2s", up)
	}
	heard := testkit.Transcript(testkit.Audio(d.RTP.Packets(time.Time{})), briefHz)
	if got := testkit.ToneTime(heard, briefHz); got < 1900*time.Millisecond {
		t.Errorf("heard %s, want 2 s of %d Hz", testkit.Describe(heard), briefHz)
	}
	story := s.Ended(t, soon, who, tandem.ReasonCompleted)
	if by := story.Legs[0].Termination.By; by != tandem.ByFlow {
		t.Errorf("ended by %s, want flow", by)
	}
}

func callerVanishes(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	d := testkit.NewPeer(t, transport, s.SIP).Call("1000", testkit.Options{From: who})
	d.RTP.Hear(soon, time.Time{}, loopHz, time.Second)
	d.RTP.Quiet()
	gone := time.Now()
	bye := d.WaitBye(20 * time.Second)
	if after := bye.At.Sub(gone); after < 9*time.Second || after > 13*time.Second {
		t.Errorf("noticed after %v, want 10s", after)
	}
	s.Ended(t, soon, who, tandem.ReasonMediaTimeout)
}

func heldCallerIsSilent(t *testing.T, s *testkit.Server, transport string) {
	d := testkit.NewPeer(t, transport, s.SIP).Call("1000", testkit.Options{})
	d.RTP.Hear(soon, time.Time{}, loopHz, 500*time.Millisecond)
	d.Reinvite("inactive")
	d.RTP.Quiet()
	if bye, ended := d.Take(14*time.Second, testkit.Requests("BYE")); ended {
		t.Fatalf("a caller on hold was hung up on: %s", bye.Start)
	}
	d.RTP.Aim(d.ServerMedia())
	d.Reinvite("sendrecv")
	d.RTP.Hear(soon+6*time.Second, time.Now(), loopHz, 500*time.Millisecond)
	d.Bye()
}

func retransmittedInvite(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	p := testkit.NewPeer(t, transport, s.SIP)
	d, _ := p.Ring("1001", testkit.Options{From: who}, true)
	for range 2 {
		p.Send(d.Invite)
		p.Want(soon, "provisional answer", func(m *testkit.Message) bool { return m.Status() == 180 })
	}
	p.Send(d.Cancel())
	if final := p.Final(soon, d.Invite); final.Status() == 487 {
		p.Send(d.AckFailure(final))
	}
	s.Ended(t, soon, who, tandem.ReasonCancelled)
	count := 0
	for _, i := range s.Interactions(t) {
		if strings.Contains(i.From, who) {
			count++
		}
	}
	if count != 1 {
		t.Errorf("one INVITE sent three times made %d interactions", count)
	}
}

// infoAndEventAreOneKey presses every key by RFC 4733 and INFO at once: counted
// twice, 1234 would be 1122 and the server would ask again.
func infoAndEventAreOneKey(t *testing.T, s *testkit.Server, transport string) {
	who := caller()
	d := testkit.NewPeer(t, transport, s.SIP).Call("1003", testkit.Options{From: who})
	d.RTP.Hear(soon, time.Time{}, askHz, 500*time.Millisecond)
	for _, key := range []byte("1234") {
		d.RTP.Type(string(key))
		if code := d.Info(key, 100); code != 200 {
			t.Errorf("INFO was answered with %d", code)
		}
	}
	d.RTP.Hear(soon, time.Now(), rightHz, time.Second)
	d.WaitBye(soon)
	s.Ended(t, soon, who, tandem.ReasonCompleted)
}

func infoAlone(t *testing.T, s *testkit.Server, transport string) {
	d := testkit.NewPeer(t, transport, s.SIP).Call("1003", testkit.Options{Change: func(m *testkit.Message) {
		// A phone without telephone-event.
		m.Body = []byte(strings.NewReplacer(" 0 8 101", " 0 8", "a=rtpmap:101 telephone-event/8000\r\n", "", "a=fmtp:101 0-15\r\n", "").Replace(string(m.Body)))
	}})
	d.RTP.Hear(soon, time.Time{}, askHz, 500*time.Millisecond)
	for _, key := range []byte("1234") {
		if code := d.Info(key, 100); code != 200 {
			t.Errorf("INFO was answered with %d", code)
		}
	}
	d.WaitBye(soon + 3*time.Second)
}

func cutAfterInvite(t *testing.T, s *testkit.Server) {
	for _, number := range []string{"1000", "1001"} {
		who := caller()
		p := testkit.NewPeer(t, "tcp", s.SIP)
		d, _ := p.Ring(number, testkit.Options{From: who}, true)
		t.Logf("cut after the answer to %s", d.Invite.Start)
		p.Close()
		// How it is noticed is the server's affair: a lost connection, an ACK that
		// never came, or media that never did. That it is, within the time for an ACK, is not.
		s.Ended(t, 45*time.Second, who, tandem.ReasonTransport, tandem.ReasonAckLost, tandem.ReasonMediaTimeout)
	}
	for range 5 { // cut before any answer: whatever came of it must not stay open
		p := testkit.NewPeer(t, "tcp", s.SIP)
		p.Send(p.NewInvite("1000", testkit.Options{From: caller()}).Invite)
		p.Close()
	}
	testkit.NewPeer(t, "tcp", s.SIP).Call("1000", testkit.Options{}).Bye()
}

// nothingOpen waits until no interaction of the server is open any more.
func nothingOpen(t *testing.T, s *testkit.Server, wait time.Duration) {
	t.Helper()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(wait)
	for {
		var open []string
		for _, i := range s.Interactions(t) {
			if i.Ended.IsZero() {
				open = append(open, i.From+" to "+i.Entry)
			}
		}
		if len(open) == 0 {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Errorf("after %v still open: %s", wait, strings.Join(open, ", "))
			return
		}
	}
}

// stranger sprays RTP at a call's port, keys too, from another port of the caller's
// host or from another host, before the caller's first packet or after: it must get
// nothing and change nothing.
func stranger(t *testing.T, s *testkit.Server) {
	for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
		for when, first := range map[string]bool{"first": true, "later": false} {
			t.Run(host+" "+when, func(t *testing.T) {
				t.Parallel()
				strangerSprays(t, s, testkit.NewRTPAt(t, netip.MustParseAddr(host)), first)
			})
		}
	}
}

func strangerSprays(t *testing.T, s *testkit.Server, attacker *testkit.RTP, first bool) {
	own := testkit.NewRTP(t)
	d, ok := testkit.NewPeer(t, "udp", s.SIP).Ring("1003", testkit.Options{RTP: own}, false)
	d.Established(ok)
	d.Send(d.Ack())
	target := d.ServerMedia()
	attacker.Talk(testkit.Tone(1600, time.Second))
	if !first {
		own.Aim(target)
		own.Hear(soon, time.Time{}, askHz, 500*time.Millisecond)
	}
	attacker.Aim(target)
	attacker.Type("9")
	own.Aim(target)
	own.Hear(soon, time.Time{}, askHz, 500*time.Millisecond)
	own.Type("1234")
	own.Hear(soon, time.Now(), rightHz, 500*time.Millisecond)
	d.WaitBye(soon)
	if got := attacker.Packets(time.Time{}); len(got) != 0 {
		t.Errorf("the stranger was sent %d packets", len(got))
	}
}
