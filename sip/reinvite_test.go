package sip

import (
	"context"
	"strings"
	"testing"

	"tandem"
)

// heldApp answers, tells hold changes and does what it is asked on its goroutine.
func heldApp(t *testing.T, m *media, held chan bool, do chan func(*Call)) *app {
	return &app{call: func(ctx context.Context, c *Call) tandem.Termination {
		if err := c.Answer(ctx, m); err != nil {
			t.Error(err)
			return c.Termination()
		}
		m.up <- struct{}{}
		for {
			select {
			case e := <-c.Events():
				if h, ok := e.(Held); ok {
					held <- h.On
				}
			case f := <-do:
				f(c)
			case <-c.Done():
				return c.Termination()
			}
		}
	}}
}

func TestHoldAndResume(t *testing.T) {
	onEach(t, func(t *testing.T, tr string) {
		m, held := newMedia(), make(chan bool, 8)
		s := start(t, heldApp(t, m, held, nil), nil)
		p := newPeer(t, s, tr)
		l := p.leg("1000")
		l.up("", offerSDP)
		m.waitUp(t)
		for _, c := range []struct {
			body, answer string
			held         bool
		}{
			{holdSDP("sendonly"), "a=recvonly", true},
			{holdSDP("sendrecv"), "a=sendrecv", false},
			{strings.ReplaceAll(offerSDP, "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0"), "a=recvonly", true},
			{offerSDP, "a=sendrecv", false},
			{holdSDP("inactive"), "a=inactive", true},
		} {
			l.sendInvite("", c.body)
			ok := p.expectCode(200, "INVITE")
			if !strings.Contains(ok.body, c.answer) {
				t.Errorf("answer %q", ok.body)
			}
			l.ack(ok, "")
			if on := <-held; on != c.held {
				t.Errorf("%s: held %v", c.answer, on)
			}
			waitIdle(t, s)
		}
		l.do("BYE", "", "")
		p.expectCode(200, "BYE")
	})
}

// waitIdle waits until no offer/answer exchange is open in any call.
func waitIdle(t *testing.T, s *Server) {
	t.Helper()
	eventually(t, "an exchange stays open", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range s.calls {
			c.mu.Lock()
			open := c.offering != exchangeNone
			c.mu.Unlock()
			if open {
				return false
			}
		}
		return true
	})
}

func TestReinviteWithoutOffer(t *testing.T) {
	m := newMedia()
	s := start(t, heldApp(t, m, make(chan bool, 8), nil), nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	m.waitUp(t)
	l.sendInvite("", "")
	ok := p.expectCode(200, "INVITE")
	if !strings.Contains(ok.body, "m=audio 5000 RTP/AVP 8 0 101") {
		t.Fatalf("offer %q", ok.body)
	}
	l.ack(ok, strings.ReplaceAll(offerSDP, "audio 4000", "audio 4100"))
	eventually(t, "the answer in the ACK is not taken", func() bool { return m.last().Remote.Port() == 4100 })
	waitIdle(t, s)
	l.sendInvite("", strings.ReplaceAll(offerSDP, "8 0 101", "9")) // not for us: the call stays
	l.ack(p.expectCode(488, "INVITE"), "")
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
}

func TestReinviteAckLost(t *testing.T) {
	m := newMedia()
	a := heldApp(t, m, make(chan bool, 8), nil)
	s := start(t, a, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	m.waitUp(t)
	l.sendInvite("", offerSDP)
	p.expectCode(200, "INVITE")
	p.expectCode(200, "INVITE")
	p.respond(p.expectRequest("BYE"), 200, "", "", "")
	if r := a.wait(t).Termination().Reason; r != tandem.ReasonAckLost {
		t.Errorf("ended as %v", r)
	}
}

func TestOurHoldAndGlare(t *testing.T) {
	m, do := newMedia(), make(chan func(*Call))
	s := start(t, heldApp(t, m, make(chan bool, 8), do), nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	m.waitUp(t)
	result := make(chan error, 1)
	hold := func(on bool) {
		do <- func(c *Call) { go func() { result <- c.Hold(context.Background(), on) }() }
	}
	hold(true)
	re := p.expectRequest("INVITE")
	if !strings.Contains(re.body, "a=sendonly") {
		t.Errorf("offer %q", re.body)
	}
	l.sendInvite("", offerSDP) // while ours is open
	l.ack(p.expectCode(491, "INVITE"), "")
	p.respond(re, 200, "", "", holdSDP("recvonly"))
	p.expectRequest("ACK")
	if err := <-result; err != nil {
		t.Error(err)
	}
	if a := m.last(); !a.Send || a.Recv {
		t.Errorf("on hold %+v", a)
	}
	hold(false)
	re = p.expectRequest("INVITE")
	p.respond(re, 491, "", "", "")
	p.expectRequest("ACK")
	again := p.expectRequest("INVITE") // after a random wait
	if again.get("CSeq") == re.get("CSeq") || !strings.Contains(again.body, "a=sendrecv") {
		t.Errorf("second try %q", again.raw)
	}
	p.respond(again, 200, "", "", offerSDP)
	if err := <-result; err != nil {
		t.Error(err)
	}
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
}

// TestRefusedHold: a hold that the other side refuses is not in the next description.
func TestRefusedHold(t *testing.T) {
	m, do, said := newMedia(), make(chan func(*Call)), make(chan error, 1)
	s := start(t, heldApp(t, m, make(chan bool, 8), do), nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	m.waitUp(t)
	hold := func(on bool) { do <- func(c *Call) { said <- c.Hold(context.Background(), on) } }
	hold(true)
	p.respond(p.expectRequest("INVITE"), 488, "", "", "")
	if err := <-said; err == nil {
		t.Error("a refused hold is called done")
	}
	l.sendInvite("", offerSDP)
	ok := p.expectCode(200, "INVITE")
	if !strings.Contains(ok.body, "a=sendrecv") {
		t.Errorf("after it: %q", ok.body)
	}
	l.ack(ok, "")
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
}

// waitAcked waits until no call expects an ACK.
func waitAcked(t *testing.T, s *Server) {
	t.Helper()
	eventually(t, "an ACK is waited for", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range s.calls {
			c.mu.Lock()
			waits := c.pendingSeq != 0
			c.mu.Unlock()
			if waits {
				return false
			}
		}
		return true
	})
}

// TestAckOfAnotherInvite: an ACK repeated after its exchange is not the next one's.
func TestAckOfAnotherInvite(t *testing.T) {
	m := newMedia()
	s := start(t, heldApp(t, m, make(chan bool, 8), nil), nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	m.waitUp(t)
	waitAcked(t, s)
	s.mu.Lock()
	for _, c := range s.calls {
		c.acks <- c.invite // as one left by an ACK that came twice
	}
	s.mu.Unlock()
	l.sendInvite("", "")
	ok := p.expectCode(200, "INVITE")
	l.ack(ok, strings.ReplaceAll(offerSDP, "audio 4000", "audio 4100"))
	eventually(t, "the answer in the ACK is not taken", func() bool { return m.last().Remote.Port() == 4100 })
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
}
