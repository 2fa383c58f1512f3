package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"tandem"
)

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	limit := time.Now().Add(patience)
	for !f() {
		if time.Now().After(limit) {
			t.Fatal(what)
		}
		time.Sleep(time.Millisecond)
	}
}

type dialled1 struct {
	call *Call
	err  error
}

// trunkTo starts a server whose trunk "out" leads to a peer.
func trunkTo(t *testing.T, user, realm string) (*Server, *peer) {
	t.Helper()
	return trunkFor(t, &app{call: talk(newMedia())}, user, realm)
}

func trunkFor(t *testing.T, a *app, user, realm string) (*Server, *peer) {
	t.Helper()
	p := listeningPeer(t)
	s := start(t, a, func(c *Config) {
		c.Trunks = []Trunk{{
			Name: "out", Address: "sip:" + p.addr(), Sources: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
			TrustsCallerID: true, User: user, Password: "secret", Realm: realm,
		}}
	})
	return s, p.attach(s)
}

func dial(s *Server, ctx context.Context, d Dial) chan dialled1 {
	if d.Media == nil {
		d.Media = newMedia()
	}
	if d.To == "" {
		d.To, d.Trunk = "+4912345", "out"
	}
	out := make(chan dialled1, 1)
	go func() {
		c, err := s.Dial(ctx, d)
		out <- dialled1{c, err}
	}()
	return out
}

func termination(t *testing.T, err error) tandem.Termination {
	t.Helper()
	var d *DialError
	if !errors.As(err, &d) {
		t.Fatalf("error %v", err)
	}
	return d.Termination
}

func TestDial(t *testing.T) {
	s, p := trunkTo(t, "", "")
	m := newMedia()
	early := make(chan int, 4)
	out := dial(s, t.Context(), Dial{Media: m, Early: func(code int) { early <- code }})
	inv := p.expectRequest("INVITE")
	if !strings.HasPrefix(inv.first, "INVITE sip:+4912345@") || !strings.Contains(inv.body, "m=audio 5000") {
		t.Errorf("INVITE %q", inv.raw)
	}
	p.respond(inv, 180, "callee", "", "")
	if code := <-early; code != 180 {
		t.Errorf("early %d", code)
	}
	p.respond(inv, 200, "callee", "", offerSDP)
	ack := p.expectRequest("ACK")
	if tagOf(ack.get("To")) != "callee" || !strings.HasPrefix(ack.first, "ACK sip:callee@"+p.addr()) {
		t.Errorf("ACK %q", ack.raw)
	}
	r := <-out
	if r.err != nil {
		t.Fatal(r.err)
	}
	p.respond(inv, 200, "callee", "", offerSDP) // our ACK was lost
	p.expectRequest("ACK")
	p.respond(inv, 200, "fork", "", offerSDP) // somebody else took it too
	fork := p.expectRequest("ACK")
	if tagOf(fork.get("To")) != "fork" {
		t.Errorf("ACK %q", fork.raw)
	}
	bye := p.expectRequest("BYE")
	if tagOf(bye.get("To")) != "fork" {
		t.Errorf("BYE %q", bye.raw)
	}
	p.respond(bye, 200, "", "", "")
	if m.last().Payload != 8 {
		t.Errorf("agreed %+v", m.last())
	}
	done := make(chan struct{})
	go func() {
		r.call.Hangup(context.Background(), tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup))
		close(done)
	}()
	p.respond(p.expectRequest("BYE"), 200, "", "", "")
	<-done
	if s.Calls() != 0 {
		t.Errorf("%d calls left", s.Calls())
	}
}

// TestDialOverTCP reaches a trunk that wants TCP, and one that is not there.
func TestDialOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := start(t, &app{call: talk(newMedia())}, func(c *Config) {
		c.Trunks = []Trunk{{Name: "out", Address: "sip:" + l.Addr().String() + ";transport=tcp"}, {Name: "gone", Address: "sip:127.0.0.1:1;transport=tcp"}}
	})
	out := dial(s, t.Context(), Dial{})
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, tcp: true, conn: conn, inbox: make(chan message, 16)}
	t.Cleanup(p.close)
	go p.readTCP()
	inv := p.expectRequest("INVITE")
	if !strings.Contains(inv.get("Via"), "SIP/2.0/TCP") || !strings.Contains(inv.get("Contact"), "transport=tcp") {
		t.Errorf("INVITE %q", inv.raw)
	}
	p.respond(inv, 200, "callee", "", offerSDP)
	p.expectRequest("ACK")
	r := <-out
	if r.err != nil {
		t.Fatal(r.err)
	}
	done := make(chan struct{})
	go func() {
		r.call.Hangup(context.Background(), tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted))
		close(done)
	}()
	p.respond(p.expectRequest("BYE"), 200, "", "", "")
	<-done
	if got := termination(t, (<-dial(s, t.Context(), Dial{To: "1", Trunk: "gone"})).err); got.Reason != tandem.ReasonTransport {
		t.Errorf("nobody there: %v", got)
	}
}

// TestDialByName: the trunk is a name and the socket is on all addresses; what we
// say of ourselves is the address that packets to the trunk leave by.
func TestDialByName(t *testing.T) {
	p := listeningPeer(t)
	_, port, _ := strings.Cut(p.addr(), ":")
	s := start(t, &app{call: talk(newMedia())}, func(c *Config) {
		c.Listen = []string{"udp://0.0.0.0:0"}
		c.Trunks = []Trunk{{Name: "out", Address: "sip:localhost:" + port}}
	})
	out := dial(s, t.Context(), Dial{})
	inv := p.expectRequest("INVITE")
	for _, name := range []string{"Via", "Contact"} {
		if !strings.Contains(inv.get(name), "127.0.0.1:") {
			t.Errorf("%s: %s", name, inv.get(name))
		}
	}
	p.server = "127.0.0.1" + s.Addrs()[0][strings.LastIndex(s.Addrs()[0], ":"):]
	p.respond(inv, 486, "callee", "", "")
	if got := termination(t, (<-out).err); got.Reason != tandem.ReasonBusy {
		t.Errorf("ended as %v", got)
	}
	for to, want := range map[string]string{"sip:1@192.0.2.7:5070": "192.0.2.7", "sip:1@localhost": "127.0.0.1", "nonsense": "invalid IP"} {
		if got := s.Host(t.Context(), Dial{To: to}); got.String() != want {
			t.Errorf("%s goes to %v", to, got)
		}
	}
}

func TestCalleeHangsUp(t *testing.T) {
	s, p := trunkTo(t, "", "")
	out := dial(s, t.Context(), Dial{})
	inv := p.expectRequest("INVITE")
	p.respond(inv, 200, "callee", "", offerSDP)
	p.expectRequest("ACK")
	r := <-out
	l := p.leg("x")
	l.callID, l.fromTag, l.toTag = inv.get("Call-ID"), "callee", tagOf(inv.get("From"))
	l.do("BYE", "", "")
	p.expectCode(200, "BYE")
	<-r.call.Done()
	if got := r.call.Termination(); got.Reason != tandem.ReasonHangup || got.By != tandem.ByRemote {
		t.Errorf("ended as %v", got)
	}
}

func TestDialRefused(t *testing.T) {
	s, p := trunkTo(t, "", "")
	for code, want := range map[int]tandem.Reason{
		486: tandem.ReasonBusy, 600: tandem.ReasonBusy, 603: tandem.ReasonDeclined, 404: tandem.ReasonNoEntry, 480: tandem.ReasonNoAnswer,
		488: tandem.ReasonNoMedia, 503: tandem.ReasonOverload, 302: tandem.ReasonDeclined, 407: tandem.ReasonAuth,
	} {
		out := dial(s, t.Context(), Dial{})
		inv := p.expectRequest("INVITE")
		p.respond(inv, code, "callee", "Contact: <sip:900@192.0.2.1>\r\nProxy-Authenticate: Digest realm=\"x\", nonce=\"n\"\r\n", "")
		p.expectRequest("ACK")
		if got := termination(t, (<-out).err); got.Reason != want {
			t.Errorf("%d: %v", code, got)
		}
	}
}

func TestDialRingsOut(t *testing.T) {
	s, p := trunkTo(t, "", "")
	out := dial(s, t.Context(), Dial{Ring: 30 * time.Millisecond})
	inv := p.expectRequest("INVITE")
	p.respond(inv, 180, "callee", "", "")
	cancel := p.expectRequest("CANCEL")
	if got := termination(t, (<-out).err); got.Reason != tandem.ReasonNoAnswer {
		t.Errorf("ended as %v", got)
	}
	p.respond(cancel, 200, "callee", "", "")
	p.respond(inv, 487, "callee", "", "")
	p.expectRequest("ACK")
}

// TestLate200 answers just as the CANCEL comes: acknowledged and hung up.
func TestLate200(t *testing.T) {
	s, p := trunkTo(t, "", "")
	ctx, stop := context.WithCancel(t.Context())
	out := dial(s, ctx, Dial{})
	inv := p.expectRequest("INVITE")
	p.respond(inv, 180, "callee", "", "")
	eventually(t, "no wait for the answer", func() bool { return len(p.inbox) == 0 })
	stop()
	if got := termination(t, (<-out).err); got.Reason != tandem.ReasonCancelled {
		t.Errorf("ended as %v", got)
	}
	p.respond(inv, 183, "callee", "", "") // in case the 180 was not read in time
	cancel := p.expectRequest("CANCEL")
	p.respond(cancel, 200, "callee", "", "")
	p.respond(inv, 200, "callee", "", offerSDP)
	p.expectRequest("ACK")
	p.respond(p.expectRequest("BYE"), 200, "", "", "")
}

func TestDialChallenge(t *testing.T) {
	s, p := trunkTo(t, "tandem", "carrier")
	out := dial(s, t.Context(), Dial{})
	inv := p.expectRequest("INVITE")
	p.respond(inv, 407, "x", `Proxy-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"`+"\r\n"+
		`Proxy-Authenticate: Digest realm="carrier", nonce="n1", algorithm=SHA-256, qop="auth,auth-int"`+"\r\n", "")
	p.expectRequest("ACK")
	again := p.expectRequest("INVITE")
	got, err := parseDigest(again.get("Proxy-Authorization"))
	if err != nil {
		t.Fatal(err)
	}
	if got["algorithm"] != "SHA-256" || got["response"] != digestResponse("SHA-256", got, "secret", "INVITE") {
		t.Errorf("credentials %v", got)
	}
	if again.get("CSeq") != "2 INVITE" || again.get("Call-ID") != inv.get("Call-ID") {
		t.Errorf("second INVITE %q", again.raw)
	}
	p.respond(again, 200, "callee", "", offerSDP)
	if ack := p.expectRequest("ACK"); ack.get("Proxy-Authorization") == "" {
		t.Errorf("ACK %q", ack.raw)
	}
	r := <-out
	if r.err != nil {
		t.Fatal(r.err)
	}
	done := make(chan struct{})
	go func() {
		r.call.Hangup(context.Background(), tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted))
		close(done)
	}()
	p.respond(p.expectRequest("BYE"), 401, "", `WWW-Authenticate: Digest realm="carrier", nonce="n2", algorithm=MD5, qop="auth"`+"\r\n", "")
	bye := p.expectRequest("BYE")
	if bye.get("Authorization") == "" {
		t.Errorf("BYE %q", bye.raw)
	}
	p.respond(bye, 200, "", "", "")
	<-done
}

// TestDigestLeak: a realm that is not the trunk's gets no credentials.
func TestDigestLeak(t *testing.T) {
	s, p := trunkTo(t, "tandem", "carrier")
	out := dial(s, t.Context(), Dial{})
	inv := p.expectRequest("INVITE")
	p.respond(inv, 401, "x", `WWW-Authenticate: Digest realm="thief", nonce="n1", algorithm=MD5, qop="auth"`+"\r\n", "")
	p.expectRequest("ACK")
	if got := termination(t, (<-out).err); got.Reason != tandem.ReasonAuth {
		t.Errorf("ended as %v", got)
	}
	elsewhere := &Trunk{Name: "t", Address: "sip:trunk.example", User: "u", Password: "p", Realm: "thief"}
	req := s.invitation(&Call{server: s, dialog: &dialog{server: s, transport: "udp"}}, nil)
	req.SetDestination("192.0.2.66:5060")
	if err := authorise(req, challengeOf(t, `Digest realm="thief", nonce="n"`), elsewhere, s.random); err == nil {
		t.Error("credentials for a host that is not the trunk's")
	}
}

func challengeOf(t *testing.T, v string) *gosip.Response {
	t.Helper()
	res := gosip.NewResponse(401, "Unauthorized")
	res.AppendHeader(gosip.NewHeader("WWW-Authenticate", v))
	return res
}

func TestDialRefusesOddNumbers(t *testing.T) {
	s, _ := trunkTo(t, "", "")
	for _, d := range []Dial{
		{To: "1;phone-context=x", Trunk: "out"}, {To: "1\r\nX: y", Trunk: "out"}, {To: "", Trunk: "out"}, {To: "1", Trunk: "none"},
		{To: "sip:a@b;transport=tls"}, {To: "tel:123"}, {To: "sip:a@b", From: "x y"}, {To: "sip:a@b", Name: "a\"b"},
	} {
		d.Media = newMedia()
		if _, err := s.Dial(t.Context(), d); err == nil {
			t.Errorf("%+v was dialled", d)
		}
	}
}

func TestTrunkSource(t *testing.T) {
	seen := make(chan *Call, 1)
	_, p := trunkFor(t, &app{call: func(_ context.Context, c *Call) tandem.Termination {
		seen <- c
		return tandem.Terminate(tandem.ByFlow, tandem.ReasonBusy)
	}}, "", "")
	l := p.leg("1000")
	l.sendInvite("", offerSDP)
	l.ack(p.expectCode(486, "INVITE"), "")
	if c := <-seen; c.Trunk != "out" || !c.TrustedCallerID || c.From.User != "peer" || c.To.User != "1000" || !c.HasOffer {
		t.Errorf("call %+v", fmt.Sprint(c.Trunk, c.TrustedCallerID, c.From, c.To, c.HasOffer))
	}
}
