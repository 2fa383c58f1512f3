package sdp

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

const head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

func local() Local { return Local{Addr: netip.MustParseAddrPort("198.51.100.1:5000"), ID: 42} }

func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		name, offer string
		answer      []string // lines the answer holds, all m= lines among them
		want        Agreed
		refused     bool
	}{
		{
			name:  "µ-law first",
			offer: head + "m=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:30\r\n",
			answer: []string{"m=audio 5000 RTP/AVP 0 96", "a=rtpmap:0 PCMU/8000", "a=rtpmap:96 telephone-event/8000", "a=fmtp:96 0-16",
				"a=ptime:20", "a=sendrecv", "c=IN IP4 198.51.100.1", "t=0 0", "o=tandem 42 1 IN IP4 198.51.100.1"},
			want: Agreed{Remote: ap("192.0.2.1:4000"), RTCP: ap("192.0.2.1:4001"), Payload: 0, Event: 96, Send: true, Recv: true, PTime: 20 * time.Millisecond},
		},
		{
			name:   "A-law by another payload type, its own address, rtcp elsewhere, timing kept",
			offer:  strings.Replace(head, "t=0 0", "t=10 20", 1) + "m=audio 4000 RTP/AVP 18 110\r\nc=IN IP4 192.0.2.7\r\na=rtpmap:110 pcma/8000/1\r\na=rtcp:4444 IN IP4 192.0.2.8\r\n",
			answer: []string{"m=audio 5000 RTP/AVP 110", "a=rtpmap:110 PCMA/8000", "t=10 20"},
			want:   Agreed{Remote: ap("192.0.2.7:4000"), RTCP: ap("192.0.2.7:4001"), PCMA: true, Payload: 110, Send: true, Recv: true, PTime: 20 * time.Millisecond},
		},
		{
			name:   "video refused in its place, the second audio too",
			offer:  head + "m=video 6000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 0\r\nm=image 4 udptl t38\r\n",
			answer: []string{"m=video 0 RTP/AVP 31", "m=audio 5000 RTP/AVP 8", "m=audio 0 RTP/AVP 0", "m=image 0 udptl t38"},
			want:   Agreed{Remote: ap("192.0.2.1:4000"), RTCP: ap("192.0.2.1:4001"), PCMA: true, Payload: 8, Send: true, Recv: true, PTime: 20 * time.Millisecond},
		},
		{
			name:   "the first audio is not for us, the second is",
			offer:  head + "m=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 0\r\n",
			answer: []string{"m=audio 0 RTP/SAVP 0", "m=audio 5000 RTP/AVP 0"},
			want:   Agreed{Remote: ap("192.0.2.1:4002"), RTCP: ap("192.0.2.1:4003"), Send: true, Recv: true, PTime: 20 * time.Millisecond},
		},
		{
			name:    "another address family than ours",
			offer:   strings.ReplaceAll(head, "c=IN IP4 192.0.2.1", "c=IN IP6 2001:db8::1") + "m=audio 4000 RTP/AVP 0\r\n",
			refused: true,
		},
		{
			name:   "hold, direction of the session",
			offer:  head + "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n",
			answer: []string{"m=audio 5000 RTP/AVP 0", "a=recvonly"},
			want:   Agreed{Remote: ap("192.0.2.1:4000"), RTCP: ap("192.0.2.1:4001"), Recv: true, PTime: 20 * time.Millisecond},
		},
		{
			name:   "hold by the null address",
			offer:  strings.ReplaceAll(head, "c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0") + "m=audio 4000 RTP/AVP 0\r\n",
			answer: []string{"m=audio 5000 RTP/AVP 0", "a=recvonly"},
			want:   Agreed{Remote: ap("0.0.0.0:4000"), RTCP: ap("0.0.0.0:4001"), Recv: true, PTime: 20 * time.Millisecond},
		},
		{
			name:   "they listen only",
			offer:  head + "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n",
			answer: []string{"m=audio 5000 RTP/AVP 0", "a=sendonly"},
			want:   Agreed{Remote: ap("192.0.2.1:4000"), RTCP: ap("192.0.2.1:4001"), Send: true, PTime: 20 * time.Millisecond},
		},
		{
			name:   "codec names twice",
			offer:  head + "m=audio 4000 RTP/AVP 0 0 8 8 0\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:8 PCMU/8000\r\n",
			answer: []string{"m=audio 5000 RTP/AVP 0"},
			want:   Agreed{Remote: ap("192.0.2.1:4000"), RTCP: ap("192.0.2.1:4001"), Send: true, Recv: true, PTime: 20 * time.Millisecond},
		},
		{name: "no stream", offer: head, refused: true},
		{name: "audio refused by its own offer", offer: head + "m=audio 0 RTP/AVP 0\r\n", refused: true},
		{name: "no codec in common", offer: head + "m=audio 4000 RTP/AVP 18 9\r\n", refused: true},
		{name: "µ-law at another clock", offer: head + "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 PCMU/16000\r\n", refused: true},
		{name: "media before any connection", offer: "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", refused: true},
		{name: "a host name", offer: strings.ReplaceAll(head, "c=IN IP4 192.0.2.1", "c=IN IP4 evil.example") + "m=audio 4000 RTP/AVP 0\r\n", refused: true},
		{name: "multicast", offer: strings.ReplaceAll(head, "c=IN IP4 192.0.2.1", "c=IN IP4 224.2.1.1/127") + "m=audio 4000 RTP/AVP 0\r\n", refused: true},
		{name: "video only", offer: head + "m=video 4000 RTP/AVP 31\r\n", refused: true},
		{name: "not SDP", offer: "hello", refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, got, err := NewNegotiator(local()).Answer([]byte(c.offer))
			if c.refused {
				if !errors.Is(err, ErrNotAcceptable) {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("agreed %+v\nwanted %+v", got, c.want)
			}
			lines := strings.Split(string(answer), "\r\n")
			var media []string
			for _, l := range lines {
				if strings.HasPrefix(l, "m=") {
					media = append(media, l)
				}
			}
			for _, w := range c.answer {
				found := false
				for _, l := range lines {
					found = found || l == w
				}
				if !found {
					t.Errorf("no line %q in\n%s", w, answer)
				}
				if strings.HasPrefix(w, "m=") {
					if len(media) == 0 || media[0] != w {
						t.Errorf("streams %q, wanted %q next", media, w)
						continue
					}
					media = media[1:]
				}
			}
			if len(media) > 0 {
				t.Errorf("streams too many: %q", media)
			}
		})
	}
}

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestOfferAndAccept(t *testing.T) {
	n := NewNegotiator(local())
	offer, err := Parse(n.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if f := strings.Join(offer.Media[0].Formats, " "); f != "0 8 101" || offer.Version != "1" {
		t.Errorf("formats %s, version %s", f, offer.Version)
	}
	answer := head + "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	got, err := n.Accept([]byte(answer))
	if err != nil || !got.PCMA || got.Event != 101 || !got.Send || !got.Recv {
		t.Fatalf("agreed %+v, %v", got, err)
	}
	again, err := Parse(n.Offer()) // what runs stays first, so the offer has changed
	if err != nil || again.Version != "2" || again.Media[0].Formats[0] != "8" {
		t.Errorf("second offer %+v, %v", again, err)
	}
	third, err := Parse(n.Offer())
	if err != nil || third.Version != "2" {
		t.Errorf("an unchanged offer has version %s, %v", third.Version, err)
	}
	for _, bad := range []string{
		head + "m=audio 0 RTP/AVP 0\r\n", head, head + "m=audio 4000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n", head + "m=audio 4000 RTP/AVP 18\r\n",
	} {
		if _, err := n.Accept([]byte(bad)); !errors.Is(err, ErrNotAcceptable) {
			t.Errorf("accepted %q: %v", bad, err)
		}
	}
}

func TestHold(t *testing.T) {
	n := NewNegotiator(local())
	offer := head + "m=video 6000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n"
	if _, _, err := n.Answer([]byte(offer)); err != nil {
		t.Fatal(err)
	}
	n.Hold(true)
	ours, err := Parse(n.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if len(ours.Media) != 2 || ours.Media[0].Port != 0 || ours.Media[1].Direction != SendOnly || ours.Version != "2" {
		t.Errorf("offer on hold %+v", ours)
	}
	got, err := n.Accept([]byte(head + "m=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\na=recvonly\r\n"))
	if err != nil || !got.Send || got.Recv {
		t.Errorf("on hold %+v, %v", got, err)
	}
	answer, got, err := n.Answer([]byte(offer)) // they speak up while we hold
	if err != nil || !strings.Contains(string(answer), "a=sendonly") || got.Recv {
		t.Errorf("answer on hold %q, %+v, %v", answer, got, err)
	}
	if _, _, err := n.Answer([]byte(head + "m=audio 4000 RTP/AVP 0\r\n")); !errors.Is(err, ErrNotAcceptable) {
		t.Errorf("an offer that lost a stream: %v", err)
	}
	if now, _ := n.Agreed(); now.Remote.Port() != 4000 {
		t.Errorf("a refused offer changed what is agreed: %+v", now)
	}
	n.Hold(false)
	if _, got, err = n.Answer([]byte(offer)); err != nil || !got.Recv {
		t.Errorf("resumed %+v, %v", got, err)
	}
}

func TestHeld(t *testing.T) {
	for body, want := range map[string]bool{
		head + "m=audio 4000 RTP/AVP 0\r\n":                                             false,
		head + "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n":                               true,
		head + "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n":                               true,
		head + "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n":                               false,
		strings.ReplaceAll(head, "192.0.2.1", "0.0.0.0") + "m=audio 4000 RTP/AVP 0\r\n": true,
		"rubbish": false,
	} {
		if got := Held([]byte(body)); got != want {
			t.Errorf("%q: %v", body, got)
		}
	}
}

// TestBounds stands at each limit and one over.
func TestBounds(t *testing.T) {
	formats := func(n int) string {
		var f []string
		for i := range n {
			f = append(f, strconv.Itoa(i))
		}
		return head + "m=audio 4000 RTP/AVP " + strings.Join(f, " ") + "\r\n"
	}
	for _, c := range []struct {
		name string
		body string
		ok   bool
	}{
		{"16 streams", head + strings.Repeat("m=audio 4000 RTP/AVP 0\r\n", MaxMedia), true},
		{"17 streams", head + strings.Repeat("m=audio 4000 RTP/AVP 0\r\n", MaxMedia+1), false},
		{"64 formats", formats(MaxCodecs), true},
		{"65 formats", formats(MaxCodecs + 1), false},
		{"32 KiB", head + "a=" + strings.Repeat("x", MaxBytes-len(head)-2), true},
		{"one more", head + "a=" + strings.Repeat("x", MaxBytes-len(head)-1), false},
	} {
		if _, err := Parse([]byte(c.body)); (err == nil) != c.ok || (err != nil && !errors.Is(err, ErrTooLarge)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, body := range []string{
		"", "v=1\r\n", "o=- 1 1 IN IP4 1.2.3.4\r\n", head + "m=audio\r\n", head + "m=audio 99999 RTP/AVP 0\r\n", head + "m=audio -1 RTP/AVP 0\r\n",
		head + "c=IN IP4\r\n", head + "junk\r\n", head + "a=x\x00y\r\n", "v=0\r\no=- 1\r\n",
	} {
		if _, err := Parse([]byte(body)); err == nil {
			t.Errorf("accepted %q", body)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=rtcp:1 IN IP6 ::1\r\n"))
	f.Add([]byte("v=0\nm=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n"))
	f.Add([]byte(head + "m=audio 65535 RTP/AVP 0 0 0\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:0 pcmu/8000\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := Parse(body)
		if err == nil {
			s.Marshal()
		}
		n := NewNegotiator(local())
		answer, agreed, err := n.Answer(body)
		if err != nil {
			return
		}
		if !agreed.Remote.Addr().IsValid() || agreed.Remote.Port() == 0 {
			t.Errorf("agreed on %+v", agreed)
		}
		back, err := Parse(answer)
		if err != nil {
			t.Fatalf("our answer does not read: %v\n%q", err, answer)
		}
		if len(back.Media) != len(s.Media) {
			t.Errorf("%d streams answered with %d", len(s.Media), len(back.Media))
		}
		if _, err := Parse(n.Offer()); err != nil {
			t.Errorf("our offer does not read: %v", err)
		}
	})
}

// TestDestinations: where a description may have media sent, by where the signalling
// comes from.
func TestDestinations(t *testing.T) {
	const six, four = "2001:db8::9", "198.51.100.1"
	for _, tc := range []struct {
		here, far, c string
		ok           bool
	}{
		{four, "192.0.2.1", "192.0.2.1", true},
		{four, "192.0.2.1", "203.0.113.5", true}, // a media server elsewhere is usual
		{four, "192.0.2.1", "10.1.2.3", true},    // behind a NAT: the packets will tell
		{four, "192.0.2.1", "0.0.0.0", true},
		{four, "192.0.2.1", "127.0.0.1", false},
		{four, "192.0.2.1", "127.8.8.8", false},
		{four, "192.0.2.1", "169.254.169.254", false},
		{four, "192.0.2.1", "2001:db8::1", false},
		{four, "127.0.0.1", "127.0.0.1", true},
		{four, "127.0.0.1", "192.0.2.1", true},
		{four, "169.254.1.1", "169.254.1.2", true},
		{six, "2001:db8::1", "2001:db8::1", true},
		{six, "2001:db8::1", "::1", false},
		{six, "2001:db8::1", "fe80::1", false},
		{six, "2001:db8::1", "::ffff:127.0.0.1", false},
		{six, "::1", "::1", true},
		{six, "2001:db8::1", "192.0.2.1", false},
		{"::ffff:198.51.100.1", "::ffff:192.0.2.1", "192.0.2.1", true},
	} {
		family := "IP4"
		if strings.Contains(tc.c, ":") {
			family = "IP6"
		}
		n := NewNegotiator(Local{Addr: netip.AddrPortFrom(netip.MustParseAddr(tc.here), 5000), Far: netip.MustParseAddr(tc.far)})
		body := strings.ReplaceAll(head, "c=IN IP4 192.0.2.1", "c=IN "+family+" "+tc.c) + "m=audio 4000 RTP/AVP 0\r\n"
		if _, _, err := n.Answer([]byte(body)); (err == nil) != tc.ok {
			t.Errorf("from %s to %s, media to %s: %v", tc.far, tc.here, tc.c, err)
		}
		n = NewNegotiator(n.local)
		n.Offer()
		if _, err := n.Accept([]byte(body)); (err == nil) != tc.ok {
			t.Errorf("the same in an answer, from %s to %s, media to %s: %v", tc.far, tc.here, tc.c, err)
		}
	}
}
