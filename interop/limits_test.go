package interop

import (
	"fmt"
	"strings"
	"testing"

	"tandem/internal/testkit"
)

// The limits of the configuration's defaults.
const (
	messageBytes    = 64<<10 - 1
	headerLineBytes = 8 << 10
	headerCount     = 128
	bodyBytes       = 32 << 10
	viaCount        = 20
	mediaLines      = 16
	codecCount      = 64
)

// limit is a size that a request may have: at it the answer is fine, one over it
// is refused. make shapes the request to have size n.
type limit struct {
	name   string
	at     int
	method string
	make   func(m *testkit.Message, n int)
	stream bool // over TCP only: no datagram is that long
}

var limits = []limit{
	{"message", messageBytes, "OPTIONS", func(m *testkit.Message, n int) {
		m.With("text/plain", strings.Repeat("x", bodyBytes-100))
		for n-len(m.Bytes()) > 4000 {
			m.Add("X-Pad", strings.Repeat("y", 3000))
		}
		// What is left, less the header's own name, colon, space and line end.
		m.Add("X-Pad", strings.Repeat("y", n-len(m.Bytes())-len("X-Pad: \r\n")))
	}, true},
	{"header line", headerLineBytes, "OPTIONS", func(m *testkit.Message, n int) { m.Add("X-Pad", strings.Repeat("y", n-len("X-Pad: "))) }, false},
	{"headers", headerCount, "OPTIONS", func(m *testkit.Message, n int) {
		m.Add("Content-Length", "0")
		for i := len(m.Headers); i < n; i++ {
			m.Add("X-Pad", fmt.Sprint(i))
		}
	}, false},
	{"body", bodyBytes, "OPTIONS", func(m *testkit.Message, n int) { m.With("text/plain", strings.Repeat("x", n)) }, false},
	{"Via", viaCount, "OPTIONS", func(m *testkit.Message, n int) {
		for i := 1; i < n; i++ {
			m.Add("Via", fmt.Sprintf("SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKhop%d", 6000+i, i))
		}
	}, false},
	{"media lines", mediaLines, "INVITE", func(m *testkit.Message, n int) {
		m.With("application/sdp", testkit.SDP(4000, 1, "")+strings.Repeat("m=video 0 RTP/AVP 99\r\n", n-1))
	}, false},
	{"codecs", codecCount, "INVITE", func(m *testkit.Message, n int) {
		payloads := []string{"0"}
		for i := 1; i < n; i++ {
			payloads = append(payloads, fmt.Sprint(34+i))
		}
		m.With("application/sdp", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP "+strings.Join(payloads, " ")+"\r\n")
	}, false},
}

// TestLimits sends each size at its limit and one over.
func TestLimits(t *testing.T) {
	s := serve(t)
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			transports := []string{"tcp"}
			if !l.stream {
				transports = append(transports, "udp")
			}
			for _, transport := range transports {
				for _, over := range []int{0, 1} {
					t.Run(fmt.Sprintf("%s+%d", transport, over), func(t *testing.T) { l.run(t, s, transport, over) })
				}
			}
		})
	}
	t.Cleanup(func() {
		if !s.Alive() {
			t.Error("the server is gone")
			return
		}
		// After all this it still takes a call.
		testkit.NewPeer(t, "udp", s.SIP).Call("1000", testkit.Options{}).Bye()
	})
}

func (l limit) run(t *testing.T, s *testkit.Server, transport string, over int) {
	p := testkit.NewPeer(t, transport, s.SIP)
	var m *testkit.Message
	var d *testkit.Dialog
	if l.method == "INVITE" {
		d = p.NewInvite("1000", testkit.Options{})
		m = d.Invite
	} else {
		m = p.Request(l.method, "1000")
	}
	l.make(m, l.at+over)
	p.Send(m)
	final, ok := p.Take(soon, func(got *testkit.Message) bool { return got.Status() >= 200 })
	switch {
	case over == 0 && !ok:
		t.Errorf("%d was not answered", l.at)
	case over == 0 && final.Status() != 200:
		t.Errorf("%d was answered with %s, want 200", l.at, final.Start)
	case over == 1 && ok && final.Status() < 400:
		t.Errorf("%d was answered with %s, want a refusal", l.at+1, final.Start)
	case over == 1 && !ok && transport == "tcp" && !p.Gone(soon):
		t.Errorf("%d was neither answered nor was the connection closed", l.at+1)
	case over == 1 && !ok && transport == "udp":
		t.Errorf("%d was met with silence, want a refusal", l.at+1)
	}
	if ok && final.Status() == 200 && d != nil {
		d.Established(final)
		d.Send(d.Ack())
		d.Bye()
	}
}
