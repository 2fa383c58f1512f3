package sip

import (
	"context"
	"strings"
	"testing"
	"time"

	"tandem"
)

// TestAnswers sends one request each and looks at the answer.
func TestAnswers(t *testing.T) {
	a := &app{call: talk(newMedia()), route: func(to string) Route {
		switch to {
		case "full":
			return Route{Found: true, Refuse: &Refusal{Code: 503, RetryAfter: 7 * time.Second}}
		case "404":
			return Route{}
		}
		return Route{Found: true}
	}}
	s := start(t, a, nil)
	for _, c := range []struct {
		name, method, user, toTag, extra, body string
		code                                   int
		header, value                          string
	}{
		{name: "unmapped", method: "INVITE", user: "404", body: offerSDP, code: 404},
		{name: "full", method: "INVITE", user: "full", body: offerSDP, code: 503, header: "Retry-After", value: "7"},
		{name: "no SDP in it", method: "INVITE", user: "1", extra: "Content-Type: text/plain\r\n", body: "hello", code: 415, header: "Accept", value: "application/sdp"},
		{name: "encoded", method: "INVITE", user: "1", extra: "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", body: offerSDP, code: 415},
		{name: "takes no SDP", method: "INVITE", user: "1", extra: "Accept: text/nobody\r\n", body: offerSDP, code: 406},
		{name: "no codec in common", method: "INVITE", user: "1", body: strings.ReplaceAll(offerSDP, "8 0 101", "18"), code: 488},
		{name: "broken SDP", method: "INVITE", user: "1", body: "v=1\r\n", code: 488},
		{name: "audio refused", method: "INVITE", user: "1", body: strings.ReplaceAll(offerSDP, "audio 4000", "audio 0"), code: 488},
		{name: "extension required", method: "INVITE", user: "1", extra: "Require: 100rel, nothing\r\n", body: offerSDP, code: 420, header: "Unsupported", value: "100rel, nothing"},
		{name: "proxy extension required", method: "OPTIONS", user: "1", extra: "Proxy-Require: x\r\n", code: 420},
		{name: "hops used up", method: "OPTIONS", user: "hops", code: 200},
		{name: "INVITE of no dialog", method: "INVITE", user: "1", toTag: "nobody", body: offerSDP, code: 481},
		{name: "BYE of no dialog", method: "BYE", user: "1", toTag: "nobody", code: 481},
		{name: "INFO of no dialog", method: "INFO", user: "1", code: 481},
		{name: "CANCEL of nothing", method: "CANCEL", user: "1", code: 481},
		{name: "capabilities", method: "OPTIONS", user: "1", code: 200, header: "Allow", value: allow},
		{name: "message", method: "MESSAGE", user: "1", extra: "Content-Type: text/plain\r\n", body: "api status", code: 405, header: "Allow", value: allow},
		{name: "subscribe", method: "SUBSCRIBE", user: "1", code: 405},
		{name: "notify", method: "NOTIFY", user: "1", code: 405},
		{name: "publish", method: "PUBLISH", user: "1", code: 405},
		{name: "refer", method: "REFER", user: "1", extra: "Refer-To: <sip:900@example.com>\r\n", code: 405},
		{name: "update", method: "UPDATE", user: "1", code: 405},
		{name: "prack", method: "PRACK", user: "1", code: 405},
		{name: "register", method: "REGISTER", user: "1", code: 405},
		{name: "a method nobody knows", method: "!Interesting-Method", user: "1", code: 405},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, s, "udp")
			l := p.leg(c.user)
			l.toTag = c.toTag
			l.cseq = 1
			raw := l.request(c.method, l.newBranch(), 1, c.extra, c.body)
			if c.user == "hops" {
				raw = strings.Replace(raw, "Max-Forwards: 70", "Max-Forwards: 0", 1)
			}
			p.send(raw)
			m := p.expectFinal(c.method)
			if m.code() != c.code {
				t.Fatalf("answer %q", m.first)
			}
			if c.header != "" && m.get(c.header) != c.value {
				t.Errorf("%s: %q", c.header, m.get(c.header))
			}
			if !strings.Contains(m.get("Via"), "received=127.0.0.1") {
				t.Errorf("Via %q", m.get("Via"))
			}
		})
	}
	eventually(t, "calls are left", func() bool { return s.Calls() == 0 }) // an answer is seen before its call is forgotten
}

func TestMergedRequest(t *testing.T) {
	m := newMedia()
	s := start(t, &app{call: talk(m)}, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.sendInvite("", offerSDP)
	ok := p.expectCode(200, "INVITE")
	p.send(l.request("INVITE", "z9hG4bK-another-path", l.cseq, "", offerSDP))
	p.expectCode(482, "INVITE")
	p.send(l.invite) // a copy by the same path is no new call
	l.ack(ok, "")
	m.waitUp(t)
	if s.Calls() != 1 {
		t.Errorf("%d calls", s.Calls())
	}
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
}

func TestCSeqOrder(t *testing.T) {
	m := newMedia()
	s := start(t, &app{call: talk(m)}, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.cseq = 10
	l.up("", offerSDP)
	m.waitUp(t)
	p.send(l.request("OPTIONS", l.newBranch(), 5, "", ""))
	p.expectCode(500, "OPTIONS")
	p.send(l.request("BYE", l.newBranch(), 11, "", ""))
	p.expectCode(500, "BYE")
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
}

func TestInfo(t *testing.T) {
	keys := make(chan Event, 16)
	m := newMedia()
	s := start(t, &app{call: func(ctx context.Context, c *Call) tandem.Termination {
		if err := c.Answer(ctx, m); err != nil {
			t.Error(err)
		}
		m.up <- struct{}{}
		for {
			e := <-c.Events()
			if _, over := e.(Ended); over {
				return c.Termination()
			}
			keys <- e
		}
	}}, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	m.waitUp(t)
	relay, plain := "Content-Type: application/dtmf-relay\r\n", "Content-Type: application/dtmf\r\n"
	for _, c := range []struct {
		extra, body string
		code        int
		digit       byte
	}{
		{relay, "Signal=5\r\nDuration=160\r\n", 200, '5'},
		{relay, "Signal= *\r\nDuration= 100\r\n", 200, '*'},
		{relay, "Signal=11\r\n", 200, '#'},
		{plain, "7", 200, '7'},
		{plain, "b\r\n", 200, 'B'},
		{relay, "Signal=55\r\n", 400, 0},
		{relay, "Duration=160\r\n", 400, 0},
		{"Content-Type: application/media_control+xml\r\n", "<x/>", 415, 0},
		{"Info-Package: conference\r\n" + plain, "1", 469, 0},
		{"", "", 200, 0},
	} {
		l.do("INFO", c.extra, c.body)
		if m := p.expectFinal("INFO"); m.code() != c.code {
			t.Errorf("%q: %s", c.body, m.first)
		}
		if c.digit != 0 {
			if k, ok := (<-keys).(Key); !ok || k.Digit != c.digit || k.Via != "info" {
				t.Errorf("%q: %+v", c.body, k)
			}
		}
	}
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
	if len(keys) != 0 {
		t.Errorf("a key too many: %v", <-keys)
	}
}

// TestUnreadEvents: nobody reads the events. A key too many is refused, the end is
// told all the same.
func TestUnreadEvents(t *testing.T) {
	m := newMedia()
	a := &app{call: talk(m)}
	s := start(t, a, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	m.waitUp(t)
	for i := range eventQueue + 1 {
		l.do("INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n")
		want := 200
		if i == eventQueue {
			want = 503
		}
		p.expectCode(want, "INFO")
	}
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
	c := a.wait(t)
	var last Event
	for len(c.Events()) > 0 {
		last = <-c.Events()
	}
	if e, ok := last.(Ended); !ok || e.Termination.Reason != tandem.ReasonHangup {
		t.Errorf("last event %+v", last)
	}
}

func TestHandlerPanics(t *testing.T) {
	s := start(t, &app{call: func(ctx context.Context, c *Call) tandem.Termination {
		if c.To.User == "late" {
			if err := c.Answer(ctx, newMedia()); err != nil {
				t.Error(err)
			}
		}
		panic("a fault")
	}}, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("early")
	l.sendInvite("", offerSDP)
	l.ack(p.expectCode(500, "INVITE"), "")
	l = p.leg("late")
	l.up("", offerSDP)
	p.respond(p.expectRequest("BYE"), 200, "", "", "")
	p.send(p.leg("x").request("OPTIONS", "z9hG4bK-after", 1, "", "")) // others are served
	p.expectCode(200, "OPTIONS")
}

func TestDrain(t *testing.T) {
	m := newMedia()
	s := start(t, &app{call: talk(m)}, nil)
	p := newPeer(t, s, "udp")
	l := p.leg("1000")
	l.up("", offerSDP)
	m.waitUp(t)
	s.Drain()
	other := p.leg("1000")
	other.sendInvite("", offerSDP)
	no := p.expectCode(503, "INVITE")
	if no.get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	other.ack(no, "")
	p.send(p.leg("x").request("OPTIONS", "z9hG4bK-drain", 1, "", ""))
	p.expectCode(503, "OPTIONS")
	l.do("INVITE", "", offerSDP) // in the dialog all goes on
	l.ack(p.expectCode(200, "INVITE"), "")
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
}

func TestLimits(t *testing.T) {
	m := newMedia()
	s := start(t, &app{call: talk(m)}, func(c *Config) { c.Limits.CallsPerSource = 2 })
	p := newPeer(t, s, "udp")
	for range 2 {
		p.leg("1000").up("", offerSDP)
		m.waitUp(t)
	}
	l := p.leg("1000")
	l.sendInvite("", offerSDP)
	l.ack(p.expectCode(503, "INVITE"), "")
}

// TestNoSocketOfTheLibrary: a request or an answer that comes to be sent only when
// the read loop has ended finds ours, so that sipgo opens none.
func TestNoSocketOfTheLibrary(t *testing.T) {
	s := start(t, &app{call: talk(newMedia())}, nil)
	p := newPeer(t, s, "udp")
	p.send(p.leg("x").request("OPTIONS", "z9hG4bK-socket", 1, "", ""))
	p.expectCode(200, "OPTIONS")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{p.addr(), p.server} {
		c, err := s.agentUA.TransportLayer().GetConnection("udp", addr)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
		} else if c.LocalAddr().String() != p.server {
			t.Errorf("%s is reached from %s", addr, c.LocalAddr())
		}
	}
}

func TestShutdownEndsCalls(t *testing.T) {
	m := newMedia()
	a := &app{call: talk(m)}
	s := start(t, a, nil)
	p := newPeer(t, s, "udp")
	p.leg("1000").up("", offerSDP)
	m.waitUp(t)
	closed := make(chan error, 1)
	go func() {
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		closed <- s.Close(ctx)
	}()
	p.respond(p.expectRequest("BYE"), 200, "", "", "")
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if r := a.wait(t).Termination().Reason; r != tandem.ReasonShutdown {
		t.Errorf("ended as %v", r)
	}
}

func TestConnectionLostAfterInvite(t *testing.T) {
	ringing := make(chan struct{})
	a := &app{call: func(ctx context.Context, c *Call) tandem.Termination {
		_ = c.Ring(ctx)
		close(ringing)
		<-ctx.Done()
		return c.Termination()
	}}
	s := start(t, a, nil)
	p := newPeer(t, s, "tcp")
	p.leg("1000").sendInvite("", offerSDP)
	<-ringing
	p.close()
	if r := a.wait(t).Termination().Reason; r != tandem.ReasonTransport {
		t.Errorf("ended as %v", r)
	}
}

func TestRecordRoute(t *testing.T) {
	s := start(t, &app{call: func(ctx context.Context, c *Call) tandem.Termination {
		if err := c.Answer(ctx, newMedia()); err != nil {
			t.Error(err)
		}
		return tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted)
	}}, nil)
	p, proxy := newPeer(t, s, "udp"), newPeer(t, s, "udp")
	l := p.leg("1000")
	l.contact = "<sip:far@192.0.2.99:5099>"
	ok := l.up("Record-Route: <sip:"+proxy.addr()+";lr>\r\nRecord-Route: <sip:192.0.2.7;lr>\r\n", offerSDP)
	if rr := ok.headers["record-route"]; len(rr) != 2 || !strings.Contains(rr[0], proxy.addr()) {
		t.Errorf("Record-Route %q", rr)
	}
	bye := proxy.expectRequest("BYE")
	routes := bye.headers["route"]
	if !strings.HasPrefix(bye.first, "BYE sip:far@192.0.2.99:5099 ") || len(routes) != 2 || !strings.Contains(routes[1], "192.0.2.7") {
		t.Errorf("BYE %q with routes %q", bye.first, routes)
	}
	proxy.respond(bye, 200, "", "", "")
}
