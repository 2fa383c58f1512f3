package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"tandem"
	"tandem/internal/testkit"
)

// request is a case of a request that must be answered with a code.
type request struct {
	name   string
	method string
	user   string
	offer  bool
	change func(m *testkit.Message)
	want   []int
	header string // must be in the answer
}

func (r request) run(t *testing.T, s *testkit.Server, transport string) {
	p := testkit.NewPeer(t, transport, s.SIP)
	m := p.Request(r.method, r.user)
	if r.offer {
		m.With("application/sdp", testkit.SDP(testkit.NewRTP(t).Port(), 1, ""))
	}
	if r.change != nil {
		r.change(m)
	}
	p.Send(m)
	final := p.Want(soon, fmt.Sprint("answer ", r.want), func(got *testkit.Message) bool { return got.Status() >= 200 })
	ok := false
	for _, code := range r.want {
		ok = ok || final.Status() == code
	}
	if !ok {
		t.Errorf("answered with %s, want %v", final.Start, r.want)
	}
	if r.header != "" && final.Get(r.header) == "" {
		t.Errorf("%s has no %s", final.Start, r.header)
	}
	if final.Status() == 200 && final.Method() == "INVITE" {
		t.Fatal("a call was let in that should not be")
	}
}

func set(name, value string) func(*testkit.Message) {
	return func(m *testkit.Message) { m.Set(name, value) }
}

var refusals = []request{
	{name: "nobody there", method: "INVITE", user: "999", offer: true, want: []int{404}},
	{name: "nobody there, OPTIONS", method: "OPTIONS", user: "999", want: []int{200, 404}},
	{name: "options", method: "OPTIONS", user: "1000", want: []int{200}, header: "Allow"},
	{name: "method off", method: "SUBSCRIBE", user: "1000", change: set("Event", "presence"), want: []int{405, 489}, header: "Allow"},
	{name: "MESSAGE off", method: "MESSAGE", user: "1000", want: []int{405}, header: "Allow"},
	{name: "REFER off", method: "REFER", user: "1000", change: set("Refer-To", "<sip:x@192.0.2.1>"), want: []int{405, 481}},
	{name: "unknown method", method: "FROBNICATE", user: "1000", want: []int{405, 501}},
	{name: "body type", method: "INVITE", user: "1000", change: func(m *testkit.Message) { m.With("text/plain", "hello") }, want: []int{415}, header: "Accept"},
	{name: "scheme", method: "INVITE", user: "1000", offer: true, change: func(m *testkit.Message) { m.Start = "INVITE http://127.0.0.1/1000 SIP/2.0" }, want: []int{416, 400}},
	{name: "extension", method: "INVITE", user: "1000", offer: true, change: set("Require", "telepathy"), want: []int{420}, header: "Unsupported"},
	{name: "BYE of no call", method: "BYE", user: "1000", change: func(m *testkit.Message) { m.Set("To", m.Get("To")+";tag=nothing") }, want: []int{481}},
	{name: "INFO of no call", method: "INFO", user: "1000", change: func(m *testkit.Message) {
		m.Set("To", m.Get("To")+";tag=nothing").With("application/dtmf-relay", "Signal=1\r\nDuration=100\r\n")
	}, want: []int{481}},
	{name: "CANCEL of no call", method: "CANCEL", user: "1000", want: []int{481}},
	{name: "INVITE in no call", method: "INVITE", user: "1000", offer: true, change: func(m *testkit.Message) { m.Set("To", m.Get("To")+";tag=nothing") }, want: []int{481}},
	{name: "no codec", method: "INVITE", user: "1000", change: func(m *testkit.Message) {
		m.With("application/sdp", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n")
	}, want: []int{488}},
	{name: "no audio", method: "INVITE", user: "1000", change: func(m *testkit.Message) {
		m.With("application/sdp", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 4000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n")
	}, want: []int{488}},
	{name: "no SDP in SDP", method: "INVITE", user: "1000", change: func(m *testkit.Message) { m.With("application/sdp", "hello") }, want: []int{400, 488}},
	{name: "CSeq of another method", method: "INVITE", user: "1000", offer: true, change: set("CSeq", "1 OPTIONS"), want: []int{400}},
	{name: "CSeq no number", method: "OPTIONS", user: "1000", change: set("CSeq", "x OPTIONS"), want: []int{400}},
	{name: "two lengths", method: "OPTIONS", user: "1000", change: func(m *testkit.Message) { m.Add("Content-Length", "0").Add("Content-Length", "3") }, want: []int{400}},
	{name: "two Call-IDs", method: "OPTIONS", user: "1000", change: func(m *testkit.Message) { m.Add("Call-ID", "another@127.0.0.1") }, want: []int{400}},
	{name: "no Max-Forwards number", method: "OPTIONS", user: "1000", change: set("Max-Forwards", "many"), want: []int{400}},
	{name: "no Contact", method: "INVITE", user: "1000", offer: true, change: func(m *testkit.Message) { m.Del("Contact") }, want: []int{400}},
	{name: "no From tag", method: "INVITE", user: "1000", offer: true, change: func(m *testkit.Message) {
		from, _, _ := strings.Cut(m.Get("From"), ";")
		m.Set("From", from)
	}, want: []int{400}},
	{name: "version", method: "OPTIONS", user: "1000", change: func(m *testkit.Message) { m.Start = strings.Replace(m.Start, "SIP/2.0", "SIP/7.0", 1) }, want: []int{505, 400}},
}

// TestRefusals sends what must be refused, and how, over UDP and TCP.
func TestRefusals(t *testing.T) {
	s := serve(t)
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			bothTransports(t, func(t *testing.T, transport string) { r.run(t, s, transport) })
		})
	}
	for name, test := range map[string]func(*testing.T, *testkit.Server, string){
		"merged":     merged,
		"wrong CSeq": wrongCSeq,
		"digest":     challenged,
		"busy":       reofferPending,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothTransports(t, func(t *testing.T, transport string) { test(t, s, transport) })
		})
	}
	t.Cleanup(func() {
		if !s.Alive() {
			t.Error("the server is gone")
		}
	})
}

// merged sends one request by two ways: same From tag, Call-ID and CSeq, another
// branch (RFC 3261 section 8.2.2.2).
func merged(t *testing.T, s *testkit.Server, transport string) {
	p := testkit.NewPeer(t, transport, s.SIP)
	d, _ := p.Ring("1001", testkit.Options{}, true)
	other := d.Invite.Copy()
	other.Set("Via", strings.Replace(other.Get("Via"), d.Invite.Branch(), testkit.NewBranch(), 1))
	p.Send(other)
	if final := p.Final(soon, other); final.Status() != 482 {
		t.Errorf("the second copy was answered with %s, want 482", final.Start)
	}
	if code := p.Status(soon, d.Cancel()); code != 200 {
		t.Errorf("CANCEL of the first was answered with %d", code)
	}
	if final := p.Final(soon, d.Invite); final.Status() != 487 {
		t.Errorf("the first ended with %s, want 487", final.Start)
	} else {
		p.Send(d.AckFailure(final))
	}
}

func wrongCSeq(t *testing.T, s *testkit.Server, transport string) {
	d := testkit.NewPeer(t, transport, s.SIP).Call("1000", testkit.Options{Change: func(m *testkit.Message) { m.Set("CSeq", "100 INVITE") }})
	late := d.Next("INFO").With("application/dtmf-relay", "Signal=1\r\nDuration=100\r\n")
	late.Set("CSeq", "7 INFO")
	if code := d.Status(soon, late); code != 500 {
		t.Errorf("a request with an older CSeq was answered with %d, want 500 (RFC 3261 section 12.2.2)", code)
	}
	d.Bye()
}

// reofferPending sends a second re-INVITE while the first is not acknowledged, and
// an INFO of a type that is not read.
func reofferPending(t *testing.T, s *testkit.Server, transport string) {
	d := testkit.NewPeer(t, transport, s.SIP).Call("1000", testkit.Options{})
	if code := d.Status(soon, d.Next("INFO").With("application/x-unknown", "?")); code != 415 {
		t.Errorf("INFO of an unknown type was answered with %d, want 415", code)
	}
	if code := d.Status(soon, d.Next("OPTIONS")); code != 200 {
		t.Errorf("OPTIONS inside the call was answered with %d", code)
	}
	bad := d.Next("INVITE").With("application/sdp", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n")
	d.Send(bad)
	final := d.Final(soon, bad)
	if final.Status() != 488 {
		t.Errorf("a re-INVITE without a common codec was answered with %s, want 488", final.Start)
	}
	ack := bad.Copy()
	ack.Start = strings.Replace(bad.Start, "INVITE", "ACK", 1)
	ack.Body = nil
	ack.Del("Content-Type").Set("CSeq", fmt.Sprintf("%d ACK", bad.CSeq())).Set("To", final.Get("To"))
	d.Send(ack)
	// The call goes on as it was (RFC 3261 section 14.2).
	d.RTP.Hear(soon, time.Now(), loopHz, 500*time.Millisecond)
	d.Bye()
}

func challenged(t *testing.T, s *testkit.Server, transport string) {
	p := testkit.NewPeer(t, transport, s.SIP)
	try := func(user, password string, who string) (testkit.Arrived, *testkit.Dialog) {
		d := p.NewInvite("1004", testkit.Options{From: who})
		p.Send(d.Invite)
		first := p.Final(soon, d.Invite)
		if first.Status() != 401 || first.Get("WWW-Authenticate") == "" {
			t.Fatalf("without credentials: %s, want 401 with a challenge", first.Start)
		}
		p.Send(d.AckFailure(first))
		again := d.Invite.Copy()
		again.Set("CSeq", "2 INVITE").Set("Via", strings.Replace(again.Get("Via"), again.Branch(), testkit.NewBranch(), 1))
		challenge, err := digest.ParseChallenge(first.Get("WWW-Authenticate"))
		if err != nil {
			t.Fatal(err)
		}
		uri := strings.Fields(again.Start)[1]
		credentials, err := digest.Digest(challenge, digest.Options{Method: "INVITE", URI: uri, Username: user, Password: password, Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		again.Set("Authorization", credentials.String())
		d.Invite = again
		p.Send(again)
		return p.Final(soon, again), d
	}
	wrong, d := try("probe", "guess", caller())
	p.Send(d.AckFailure(wrong))
	nobody, d := try("nobody", "probe-pass", caller())
	p.Send(d.AckFailure(nobody))
	for what, got := range map[string]testkit.Arrived{"a wrong password": wrong, "an unknown user": nobody} {
		if got.Status() != 401 && got.Status() != 403 {
			t.Errorf("%s: %s, want 401 or 403", what, got.Start)
		}
	}
	if wrong.Start != nobody.Start {
		t.Errorf("wrong password and unknown user are told apart: %q and %q", wrong.Start, nobody.Start)
	}
	who := caller()
	right, d := try("probe", "probe-pass", who)
	if right.Status() != 200 {
		t.Fatalf("the right password: %s", right.Start)
	}
	d.Established(right)
	d.Send(d.Ack())
	d.RTP.Aim(d.ServerMedia())
	d.RTP.Hear(soon, time.Time{}, loopHz, 500*time.Millisecond)
	bye := d.Next("BYE").Set("CSeq", "3 BYE")
	if code := d.Status(soon, bye); code != 200 {
		t.Errorf("BYE: %d", code)
	}
	s.Ended(t, soon, who, tandem.ReasonHangup)
}
