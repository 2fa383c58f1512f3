package description

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

const good = "v=0\r\no=- 42 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:actpass\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n" +
	"a=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:77 cname:x\r\n" +
	"a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=candidate:2 1 udp 1 abc.local 9 typ host\r\na=candidate:3 1 udp 1 198.51.100.9 77 typ relay raddr 0.0.0.0 rport 0\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=extmap:1 urn:x\r\na=x-script:<b>\r\n"

// What we use is kept, in an order of ours; all else is not passed on.
func TestWhatIsKept(t *testing.T) {
	d, err := Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	text := d.Write()
	if !strings.Contains(text, "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 111 110 126\r\n") {
		t.Errorf("codecs in %s", text)
	}
	for _, gone := range []string{"candidate", "extmap", "script", "CN", "127.0.0.1"} {
		if strings.Contains(text, gone) {
			t.Errorf("%s is in %s", gone, text)
		}
	}
	if len(d.Candidates) != 2 || d.Candidates[netip.MustParseAddrPort("198.51.100.9:77")] != "relay" {
		t.Errorf("candidates %v", d.Candidates)
	}
	if pt, ok := d.PayloadOf("telephone-event", 48000); !ok || pt != 110 {
		t.Errorf("event %d", pt)
	}
	other, err := Parse(strings.Replace(good, "o=- 42", "o=- 43", 1))
	if err != nil || other.Key() == d.Key() {
		t.Errorf("another session is the same, %v", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	for what, bad := range map[string]string{
		"no session": strings.Replace(good, "o=- 42", "o=- x", 1), "two ports": strings.Replace(good, "a=rtcp-mux", "a=rtcp-other", 1),
		"a rejected section": strings.Replace(good, "m=audio 9", "m=audio 0", 1), "a long fragment": strings.Replace(good, "abcd", strings.Repeat("a", 257), 1),
		"odd characters": strings.Replace(good, "abcdefghijklmnopqrstuv", "abcdefghijklmnopqrs;uv", 1), "a short print": strings.Replace(good, ":FF\r\n", "\r\n", 1),
	} {
		if _, err := Parse(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Our addresses take the place of those that were there.
func TestAdvertise(t *testing.T) {
	ours := "a=ice-ufrag:abcd\r\na=ice-pwd:secret\r\na=candidate:9 1 udp 1 10.0.0.9 1 typ host\r\na=end-of-candidates\r\n"
	got := Advertise(ours, []netip.Addr{netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("10.0.0.1")}, 8189, 8190)
	for _, want := range []string{"udp 2130706431 203.0.113.7 8189 typ host", "tcp 1526726655 203.0.113.7 8190 typ host tcptype passive", " 10.0.0.1 8189 "} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if strings.Contains(got, "10.0.0.9") || strings.Count(got, "end-of-candidates") != 1 {
		t.Errorf("%s", got)
	}
	if ufrag, pwd := Credentials(got); ufrag != "abcd" || pwd != "secret" {
		t.Errorf("%s %s", ufrag, pwd)
	}
}

// What is written is read back the same.
func FuzzParse(f *testing.F) {
	f.Add("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 111\r\na=rtcp-mux\r\na=mid:0\r\na=ice-ufrag:abcd\r\n" +
		"a=ice-pwd:abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n" +
		"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=ssrc:1 cname:x\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n")
	f.Fuzz(func(t *testing.T, sdp string) {
		d, err := Parse(sdp)
		if err != nil {
			return
		}
		again, err := Parse(d.Write())
		if err != nil {
			t.Fatalf("%v of %q", err, d.Write())
		}
		if again.Write() != d.Write() {
			t.Errorf("%q became %q", d.Write(), again.Write())
		}
	})
}
