package sip

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"tandem"
)

var transports = []string{"udp", "tcp"}

func onEach(t *testing.T, f func(t *testing.T, transport string)) {
	for _, tr := range transports {
		t.Run(tr, func(t *testing.T) { f(t, tr) })
	}
}

func TestInboundCall(t *testing.T) {
	onEach(t, func(t *testing.T, tr string) {
		m := newMedia()
		a := &app{call: func(ctx context.Context, c *Call) tandem.Termination {
			if err := c.Ring(ctx); err != nil {
				t.Error(err)
			}
			return talk(m)(ctx, c)
		}}
		s := start(t, a, nil)
		p := newPeer(t, s, tr)
		l := p.leg("1000")
		l.sendInvite("", offerSDP)
		p.expectCode(100, "INVITE")
		ring := p.expectCode(180, "INVITE")
		ok := p.expectCode(200, "INVITE")
		if ring.toTag() == "" || ring.toTag() != ok.toTag() {
			t.Errorf("To tags %q and %q", ring.toTag(), ok.toTag())
		}
		if !strings.Contains(ok.get("Contact"), p.server) {
			t.Errorf("Contact %q", ok.get("Contact"))
		}
		if !strings.Contains(ok.body, "m=audio 5000 RTP/AVP 8 101") {
			t.Errorf("answer %q", ok.body)
		}
		l.ack(ok, "")
		l.do("BYE", "", "")
		p.expectCode(200, "BYE")
		c := a.wait(t)
		if got := c.Termination(); got.Reason != tandem.ReasonHangup || got.By != tandem.ByRemote {
			t.Errorf("ended as %v", got)
		}
		if m.last().Payload != 8 || !m.last().PCMA {
			t.Errorf("agreed %+v", m.last())
		}
	})
}

func TestAckLost(t *testing.T) {
	onEach(t, func(t *testing.T, tr string) {
		got := make(chan error, 1)
		a := &app{call: func(ctx context.Context, c *Call) tandem.Termination {
			got <- c.Answer(ctx, newMedia())
			return c.Termination()
		}}
		s := start(t, a, nil)
		p := newPeer(t, s, tr)
		l := p.leg("1000")
		l.sendInvite("", offerSDP)
		for range 4 {
			p.expectCode(200, "INVITE")
		}
		bye := p.expectRequest("BYE")
		p.respond(bye, 200, "", "", "")
		if err := <-got; !errors.Is(err, ErrAckLost) {
			t.Errorf("Answer: %v", err)
		}
		if r := a.wait(t).Termination().Reason; r != tandem.ReasonAckLost {
			t.Errorf("ended as %v", r)
		}
	})
}

func TestLateOffer(t *testing.T) {
	m := newMedia()
	a := &app{call: talk(m)}
	s := start(t, a, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.sendInvite("", "")
	ok := p.expectCode(200, "INVITE")
	if !strings.Contains(ok.body, "m=audio 5000 RTP/AVP 0 8 101") {
		t.Fatalf("offer %q", ok.body)
	}
	l.ack(ok, offerSDP)
	m.waitUp(t)
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
	a.wait(t)
	if m.last().Payload != 8 {
		t.Errorf("agreed %+v", m.last())
	}
}

func TestCancel(t *testing.T) {
	onEach(t, func(t *testing.T, tr string) {
		got := make(chan error, 1)
		a := &app{call: func(ctx context.Context, c *Call) tandem.Termination {
			if err := c.Ring(ctx); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			got <- c.Answer(context.Background(), newMedia())
			return tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted)
		}}
		s := start(t, a, nil)
		p := newPeer(t, s, tr)
		l := p.leg("1000")
		l.sendInvite("", offerSDP)
		p.expectCode(180, "INVITE")
		l.cancel()
		p.expectCode(200, "CANCEL")
		l.ack(p.expectCode(487, "INVITE"), "")
		if err := <-got; !errors.Is(err, ErrCancelled) {
			t.Errorf("Answer: %v", err)
		}
		if r := a.wait(t).Termination().Reason; r != tandem.ReasonCancelled {
			t.Errorf("ended as %v", r)
		}
	})
}

// TestCancelRace answers and cancels at once: whichever wins, both sides agree.
func TestCancelRace(t *testing.T) {
	a := &app{}
	result := make(chan error, 1)
	a.call = func(ctx context.Context, c *Call) tandem.Termination {
		err := c.Answer(ctx, newMedia())
		result <- err
		if err == nil {
			<-c.Done()
		}
		return c.Termination()
	}
	s := start(t, a, nil)
	p := newPeer(t, s, "udp")
	for range 40 {
		l := p.leg("1000")
		l.sendInvite("", offerSDP)
		l.cancel()
		final := p.expectFinal("INVITE")
		l.ack(final, "")
		switch final.code() {
		case 200:
			l.do("BYE", "", "")
			p.expectCode(200, "BYE")
			<-result
			a.wait(t)
		case 487:
			// the handler may not even have been asked
			select {
			case err := <-result:
				if err == nil {
					t.Fatal("487 on the wire and an answered call inside")
				}
				a.wait(t)
			case <-time.After(50 * time.Millisecond):
			}
		default:
			t.Fatalf("final answer %d", final.code())
		}
	}
}

func TestServerHangsUp(t *testing.T) {
	onEach(t, func(t *testing.T, tr string) {
		a := &app{call: func(ctx context.Context, c *Call) tandem.Termination {
			if err := c.Answer(ctx, newMedia()); err != nil {
				t.Error(err)
			}
			return tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted)
		}}
		s := start(t, a, nil)
		p := newPeer(t, s, tr)
		l := p.leg("1000")
		l.up("", offerSDP)
		bye := p.expectRequest("BYE")
		if !strings.Contains(bye.get("Reason"), "cause=16") || tagOf(bye.get("To")) != l.fromTag || tagOf(bye.get("From")) != l.toTag {
			t.Errorf("BYE %q", bye.raw)
		}
		p.respond(bye, 200, "", "", "")
		a.wait(t)
	})
}

// TestIdleConnection: a connection that nobody uses is closed; one that carries a
// call is not, or our goodbye would have no way to the caller.
func TestIdleConnection(t *testing.T) {
	leave := make(chan struct{})
	a := &app{call: func(ctx context.Context, c *Call) tandem.Termination {
		if err := c.Answer(ctx, newMedia()); err != nil {
			t.Error(err)
		}
		<-leave
		return tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted)
	}}
	s := start(t, a, func(c *Config) { c.Limits.Gate.Idle = 100 * time.Millisecond })
	p := newPeer(t, s, "tcp")
	l := p.leg("1000")
	l.up("", offerSDP)
	idle, err := net.Dial("tcp", p.server)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	_ = idle.SetDeadline(time.Now().Add(patience))
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the idle connection: %v", err)
	}
	close(leave)
	p.respond(p.expectRequest("BYE"), 200, "", "", "")
	a.wait(t)
}

// TestByeGlare crosses two BYEs: both are answered, the first cause stays.
func TestByeGlare(t *testing.T) {
	a := &app{call: func(ctx context.Context, c *Call) tandem.Termination {
		if err := c.Answer(ctx, newMedia()); err != nil {
			t.Error(err)
		}
		return tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted)
	}}
	s := start(t, a, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	bye := p.expectRequest("BYE")
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
	p.respond(bye, 200, "", "", "")
	if r := a.wait(t).Termination().Reason; r != tandem.ReasonCompleted {
		t.Errorf("ended as %v", r)
	}
}

func TestByeBeforeAck(t *testing.T) {
	a := &app{call: talk(newMedia())}
	s := start(t, a, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.sendInvite("", offerSDP)
	l.toTag = p.expectCode(200, "INVITE").toTag()
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
	if r := a.wait(t).Termination().Reason; r != tandem.ReasonHangup {
		t.Errorf("ended as %v", r)
	}
}

func TestByeOnEarlyDialog(t *testing.T) {
	a := &app{call: func(ctx context.Context, c *Call) tandem.Termination {
		_ = c.Ring(ctx)
		<-ctx.Done()
		return c.Termination()
	}}
	s := start(t, a, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.sendInvite("", offerSDP)
	l.toTag = p.expectCode(180, "INVITE").toTag()
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
	p.expectCode(487, "INVITE")
	a.wait(t)
}
