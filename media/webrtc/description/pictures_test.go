package description

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// pictures is an offer as browsers write it.
func pictures(slots int) string {
	var b strings.Builder
	b.WriteString("v=0\r\no=- 42 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3\r\na=extmap-allow-mixed\r\n")
	for i := range Slots + slots {
		way := "recvonly"
		if i < Slots {
			way = "sendonly"
		}
		fmt.Fprintf(&b, "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"+
			"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"+
			"a=setup:actpass\r\na=mid:%d\r\na=extmap:4 %s\r\na=extmap:9 %s\r\na=extmap:10 %s\r\na=extmap:3 urn:3gpp:video-orientation\r\na=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"+
			"a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 profile-level-id=42001f\r\n", i, extTCC, extMid, extRid, way)
		switch i {
		case Camera:
			b.WriteString("a=rid:l send\r\na=rid:h send\r\na=simulcast:send l;h\r\n")
		case Display:
			b.WriteString("a=ssrc-group:FID 77 78\r\na=ssrc:77 cname:x\r\na=ssrc:78 cname:x\r\n")
		}
	}
	return b.String()
}

// What is used of an offer of pictures is kept: VP8 alone, and nothing of a stranger's words.
func TestWhatIsKeptOfPictures(t *testing.T) {
	d, err := ParsePictures(pictures(4), 4)
	if err != nil {
		t.Fatal(err)
	}
	text := d.Write()
	if n := strings.Count(text, "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"); n != 6 {
		t.Errorf("%d sections of VP8 in %s", n, text)
	}
	for want, n := range map[string]int{"a=sendonly": 2, "a=recvonly": 4, "a=simulcast:send l;h": 1, "a=ssrc:77 cname:page": 1, "a=group:BUNDLE 0 1 2 3 4 5": 1, "a=extmap:9 " + extMid: 6} {
		if strings.Count(text, want) != n {
			t.Errorf("%q is %d times in %s", want, strings.Count(text, want), text)
		}
	}
	for _, gone := range []string{"H264", "rtx", "127.0.0.1", "orientation", ":78"} {
		if strings.Contains(text, gone) {
			t.Errorf("%s is in %s", gone, text)
		}
	}
	if !d.Simulcast() || len(d.Mids) != 6 || d.Mids[2] != "2" {
		t.Errorf("mids %v", d.Mids)
	}
	if again, err := ParsePictures(text, 4); err != nil || again.Write() != text {
		t.Errorf("what is written reads otherwise: %v", err)
	}
}

// Forms that browsers have besides.
func TestOtherBrowsersPictures(t *testing.T) {
	good := pictures(4)
	second := strings.Index(good, "m=video 9")
	second += strings.Index(good[second+1:], "m=video 9") + 1
	for what, text := range map[string]string{
		"sections without a port":   good[:second] + strings.ReplaceAll(good[second:], "m=video 9", "m=video 0"),
		"a session's fingerprint":   strings.Replace(strings.ReplaceAll(good, "a=fingerprint:", "a=x-fingerprint:"), "a=group", line(good, "a=fingerprint:")+"\r\na=group", 1),
		"no simulcast":              strings.NewReplacer("a=rid:l send\r\n", "a=ssrc:5 cname:x\r\n", "a=rid:h send\r\n", "", "a=simulcast:send l;h\r\n", "").Replace(good),
		"lines that end in LF":      strings.ReplaceAll(good, "\r\n", "\n"),
		"extensions with direction": strings.ReplaceAll(good, "a=extmap:9 ", "a=extmap:9/sendonly "),
	} {
		if _, err := ParsePictures(text, 4); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func line(text, prefix string) string {
	i := strings.Index(text, prefix)
	return text[i : i+strings.Index(text[i:], "\r\n")]
}

func TestPicturesThatAreRefused(t *testing.T) {
	good := pictures(4)
	last := func(from, to string) string {
		i := strings.LastIndex(good, from)
		return good[:i] + to + good[i+len(from):]
	}
	for what, bad := range map[string]string{
		"empty":                   "",
		"100 sections":            pictures(98),
		"one place more":          pictures(5),
		"one place less":          pictures(3),
		"a second camera":         last("a=recvonly", "a=sendonly"),
		"nothing to show":         strings.ReplaceAll(good, "a=sendonly", "a=inactive"),
		"it would send to a slot": last("a=recvonly", "a=sendrecv"),
		"a camera that sees":      strings.Replace(good, "a=sendonly", "a=sendrecv", 1),
		"sound":                   last("m=video", "m=audio"),
		"data":                    last("m=video 9 UDP/TLS/RTP/SAVPF 96 97 102", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"),
		"not secured":             last("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
		"SDES":                    last("UDP/TLS/RTP/SAVPF", "RTP/SAVP"),
		"another codec alone":     strings.ReplaceAll(good, "VP8", "VP9"),
		"another codec in one":    last("VP8", "H264"),
		"a static number":         strings.NewReplacer("SAVPF 96", "SAVPF 0", "rtpmap:96", "rtpmap:0").Replace(good),
		"numbers that differ":     last("a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000", "a=rtpmap:97 VP8/90000"),
		"a third layer":           strings.Replace(good, "a=rid:l send", "a=rid:l send\r\na=rid:m send", 1),
		"a layer twice":           strings.Replace(good, "a=rid:l send", "a=rid:h send", 1),
		"layers of the display":   last("a=ssrc-group", "a=rid:h send\r\na=ssrc-group"),
		"layers of a slot":        good + "a=simulcast:send l;h\r\n",
		"layers without names":    strings.ReplaceAll(good, extRid, "urn:x"),
		"another transport":       last("a=ice-ufrag:abcd", "a=ice-ufrag:efgh"),
		"another certificate":     last("a=fingerprint:sha-256 00", "a=fingerprint:sha-256 01"),
		"another part in DTLS":    last("a=setup:actpass", "a=setup:active"),
		"SHA-1":                   strings.ReplaceAll(good, "sha-256", "sha-1"),
		"two ports":               last("a=rtcp-mux\r\n", ""),
		"a name twice":            strings.Replace(good, "a=mid:1", "a=mid:0", 1),
		"no name":                 strings.Replace(good, "a=mid:1", "a=mid:<b>", 1),
		"extensions that differ":  last("a=extmap:4 ", "a=extmap:5 "),
		"extensions in one":       strings.ReplaceAll(good, "a=extmap:10 ", "a=extmap:9 "),
		"a refused first section": strings.Replace(good, "m=video 9", "m=video 0", 1),
		"one stream for both":     strings.NewReplacer("a=rid:l send\r\n", "a=ssrc:77 cname:x\r\n", "a=rid:h send\r\n", "", "a=simulcast:send l;h\r\n", "").Replace(good),
		"many lines":              good + strings.Repeat("a=x\n", maxPictureLines),
		"no session":              strings.Replace(good, "o=- 42", "o=- x", 1),
	} {
		if d, err := ParsePictures(bad, 4); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v\n%s", what, err, d.Write())
		}
	}
}

// What a page may not send is inactive in our answer, and its layers stay told.
func TestOnly(t *testing.T) {
	answer := "v=0\r\nm=video 9 X 96\r\na=recvonly\r\na=simulcast:recv l;h\r\nm=video 9 X 96\r\na=recvonly\r\nm=video 9 X 96\r\na=sendonly\r\n"
	for _, test := range []struct {
		may  []bool
		want string
	}{
		{[]bool{true, true}, answer},
		{nil, strings.ReplaceAll(answer, "recvonly", "inactive")},
		{[]bool{true}, "v=0\r\nm=video 9 X 96\r\na=recvonly\r\na=simulcast:recv l;h\r\nm=video 9 X 96\r\na=inactive\r\nm=video 9 X 96\r\na=sendonly\r\n"},
	} {
		if got := Only(answer, test.may...); got != test.want {
			t.Errorf("%v: %s", test.may, got)
		}
	}
}

func FuzzParsePictures(f *testing.F) {
	f.Add(pictures(1))
	f.Add(pictures(0))
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParsePictures(text, 1)
		if err != nil {
			return
		}
		written := d.Write()
		again, err := ParsePictures(written, 1)
		if err != nil || again.Write() != written {
			t.Errorf("what is written reads otherwise: %v\n%s", err, written)
		}
	})
}
