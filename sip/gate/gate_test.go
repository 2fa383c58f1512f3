package gate

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

const patience = 5 * time.Second

// msg joins lines to a message; a Content-Length fitting the body is put in place
// of the line "L".
func msg(body string, lines ...string) []byte {
	for i, l := range lines {
		if l == "L" {
			lines[i] = fmt.Sprintf("Content-Length: %d", len(body))
		}
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n" + body)
}

// options is a good request with one line changed, added or taken away.
func options(change ...string) []byte {
	lines := []string{
		"OPTIONS sip:user@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport", "Max-Forwards: 70",
		"From: <sip:a@example.org>;tag=1", "To: <sip:user@example.com>", "Call-ID: x@y", "CSeq: 8 OPTIONS", "L",
	}
	for _, c := range change {
		name, _, _ := strings.Cut(c, ":")
		found := false
		for i, l := range lines {
			if l == c || (i > 0 && strings.HasPrefix(l, name+":")) || (i == 0 && (strings.Contains(c, " SIP/") || strings.HasPrefix(c, "SIP/")) && !strings.Contains(name, "ia") && name != "v") {
				lines[i], found = strings.TrimPrefix(c, "-"), true
				break
			}
		}
		if !found {
			lines = append(lines[:len(lines)-1:len(lines)-1], c, "L")
		}
	}
	return msg("", lines...)
}

func without(name string) []byte {
	var keep []string
	for _, l := range strings.Split(strings.TrimSuffix(string(options()), "\r\n\r\n"), "\r\n") {
		if !strings.HasPrefix(l, name+":") {
			keep = append(keep, l)
		}
	}
	return msg("", keep...)
}

func TestCheck(t *testing.T) {
	long := strings.Repeat("x", 9000)
	for _, c := range []struct {
		name   string
		raw    []byte
		stream bool
		reason Reason
		code   int
	}{
		{name: "good", raw: options()},
		{name: "good on TCP", raw: options(), stream: true},
		{name: "version", raw: options("OPTIONS sip:user@example.com SIP/7.0"), reason: ReasonVersion, code: 505},
		{name: "spaces in the request line", raw: options("OPTIONS  sip:user@example.com  SIP/2.0"), reason: ReasonRequestLine, code: 400},
		{name: "space behind it", raw: options("OPTIONS sip:user@example.com SIP/2.0 "), reason: ReasonRequestLine, code: 400},
		{name: "space in the URI", raw: options("OPTIONS sip:user@example.com; lr SIP/2.0"), reason: ReasonRequestLine, code: 400},
		{name: "URI in brackets", raw: options("OPTIONS <sip:user@example.com> SIP/2.0"), reason: ReasonRequestLine, code: 400},
		{name: "headers in the URI", raw: options("OPTIONS sip:user@example.com?Route=%3Csip:x%3E SIP/2.0"), reason: ReasonRequestLine, code: 400},
		{name: "bad escape", raw: options("OPTIONS sip:us%er@example.com SIP/2.0"), reason: ReasonRequestLine, code: 400},
		{name: "unknown scheme", raw: options("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"), reason: ReasonScheme, code: 416},
		{name: "tel", raw: options("OPTIONS tel:+4912345 SIP/2.0"), reason: ReasonScheme, code: 416},
		{name: "no Via", raw: without("Via"), reason: ReasonMissing},
		{name: "no From", raw: without("From"), reason: ReasonMissing, code: 400},
		{name: "no To", raw: without("To"), reason: ReasonMissing, code: 400},
		{name: "no Call-ID", raw: without("Call-ID"), reason: ReasonMissing, code: 400},
		{name: "no CSeq", raw: without("CSeq"), reason: ReasonMissing},
		{name: "no Content-Length on UDP", raw: without("Content-Length")},
		{name: "no Content-Length on TCP", raw: without("Content-Length"), stream: true, reason: ReasonLength, code: 400},
		{name: "two lengths", raw: options("Content-Length : 0"), reason: ReasonTwice, code: 400},
		{name: "a length that lies", raw: bytes.Replace(options(), []byte("Length: 0"), []byte("Length: 9999"), 1), reason: ReasonLength, code: 400},
		{name: "a negative length", raw: bytes.Replace(options(), []byte("Length: 0"), []byte("Length: -999"), 1), reason: ReasonLength, code: 400},
		{name: "two CSeq", raw: options("cseq: 9 OPTIONS"), reason: ReasonTwice, code: 400},
		{name: "method mismatch", raw: options("CSeq: 8 INVITE"), reason: ReasonCSeq, code: 400},
		{name: "CSeq too large", raw: options("CSeq: 36893488147419103232 OPTIONS"), reason: ReasonCSeq, code: 400},
		{name: "Max-Forwards too large", raw: options("Max-Forwards: 300"), reason: ReasonValue, code: 400},
		{name: "open quote", raw: options(`To: "Mr. J. User <sip:j.user@example.com>`), reason: ReasonAddress, code: 400},
		{name: "space in an address", raw: options(`To: "Watson, Thomas" < sip:t.watson@example.org >`), reason: ReasonAddress, code: 400},
		{name: "comma in a display name", raw: options("From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"), reason: ReasonAddress, code: 400},
		{name: "no From tag", raw: options("From: <sip:a@example.org>"), reason: ReasonAddress, code: 400},
		{name: "headers outside brackets", raw: options("Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E"), reason: ReasonAddress, code: 400},
		{name: "empty parameters", raw: options("Via: SIP/2.0/UDP 192.0.2.15;;,;,,"), reason: ReasonVia, code: 400},
		{name: "empty contact parameters", raw: options(`Contact: "Joe" <sip:joe@example.org>;;;;`), reason: ReasonAddress, code: 400},
		{name: "bad date", raw: options("Date: Fri, 01 Jan 2010 16:00:00 EST"), reason: ReasonValue, code: 400},
		{name: "good date", raw: options("Date: Fri, 01 Jan 2010 16:00:00 GMT")},
		{name: "control character as white space", raw: options("Contact\x01: <sip:x@y>"), reason: ReasonHeaderLine, code: 400},
		{name: "bare CR in a value", raw: options("Subject: a\rX: b"), reason: ReasonHeaderLine, code: 400},
		{name: "bare LF in a folded value", raw: options("Subject: a\r\n b\nX: c"), reason: ReasonHeaderLine, code: 400},
		{name: "bare CR in a folded From", raw: options("From:\r\n \"a\rX: b\" <sip:a@b>;tag=1"), reason: ReasonHeaderLine, code: 400},
		{name: "NUL in a value", raw: options("Subject: a\x00b"), reason: ReasonHeaderLine, code: 400},
		{name: "line too long", raw: options("Subject: " + long), reason: ReasonHeaderLine, code: 400},
		{name: "headers do not end", raw: bytes.TrimSuffix(options(), []byte("\r\n")), reason: ReasonHeaderLine, code: 400},
		{name: "body without a type", raw: msg("hello", strings.Split(strings.TrimSuffix(string(without("Content-Length")), "\r\n\r\n"), "\r\n")...), reason: ReasonMissing, code: 400},
		{name: "ACK is never answered", raw: bytes.ReplaceAll(options("Max-Forwards: x"), []byte("OPTIONS"), []byte("ACK")), reason: ReasonValue},
		{name: "a response is never answered", raw: options("SIP/2.0 200 OK", "Max-Forwards: x"), reason: ReasonValue},
		{name: "response code too large", raw: options("SIP/2.0 4294967301 better not"), reason: ReasonNoSIP},
		{name: "response with two Vias", raw: options("SIP/2.0 200 OK", "v: SIP/2.0/UDP a;branch=x"), reason: ReasonResponse},
		{name: "not SIP", raw: []byte("GET / HTTP/1.1\r\n\r\n"), reason: ReasonNoSIP},
		{name: "rubbish", raw: []byte("\x16\x03\x01\x02"), reason: ReasonNoSIP},
		{name: "compact and odd methods", raw: []byte("!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n" +
			"v: SIP/2.0/TCP h1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\nt: \"BEL:\\\x07 NUL:\" <sip:u@example.com>\r\nf: t <sip:a@b>;tag=_token~1'+`*%!-.\r\ni: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n" +
			"CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~\r\nl: 0\r\n\r\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Check(c.raw, c.stream, Limits{})
			if v.Reason != c.reason || v.Code != c.code {
				t.Fatalf("%q, code %d (%s); wanted %q, %d\n%q", v.Reason, v.Code, v.Detail, c.reason, c.code, c.raw)
			}
			if c.code != 0 {
				a := string(v.answer(netip.MustParseAddrPort("192.0.2.77:1234")))
				if !strings.HasPrefix(a, fmt.Sprintf("SIP/2.0 %d ", c.code)) || !strings.HasSuffix(a, "\r\n\r\n") || !strings.Contains(a, "received=192.0.2.77") {
					t.Errorf("answer %q", a)
				}
				if len(a) > 3*len(c.raw) {
					t.Errorf("%d bytes answered with %d", len(c.raw), len(a))
				}
			}
		})
	}
}

// TestLimits stands at each limit and one over.
func TestLimits(t *testing.T) {
	extra := func(n int) []byte {
		var lines []string
		for i := range n {
			lines = append(lines, fmt.Sprintf("X-%d: y", i))
		}
		return options(lines...)
	}
	via := func(n int) []byte {
		return options("Via: " + strings.TrimSuffix(strings.Repeat("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx, ", n), ", "))
	}
	body := func(n int) []byte {
		raw := bytes.Replace(options("Content-Type: text/plain"), []byte("Length: 0"), fmt.Appendf(nil, "Length: %d", n), 1)
		return append(raw, bytes.Repeat([]byte("x"), n)...)
	}
	folded := options("Subject: a" + strings.Repeat("\r\n "+strings.Repeat("x", 1000), 9))
	for _, c := range []struct {
		name string
		raw  []byte
		ok   bool
	}{
		{"128 headers", extra(128 - 7), true}, {"129 headers", extra(129 - 7), false},
		{"20 Via", via(20), true}, {"21 Via", via(21), false},
		{"32 KiB", body(32 << 10), true}, {"one byte more", body(32<<10 + 1), false},
		{"a line of 8 KiB", options("Subject: " + strings.Repeat("x", 8<<10-9)), true},
		{"one more", options("Subject: " + strings.Repeat("x", 8<<10-8)), false},
		{"8 KiB by folding", folded, false},
	} {
		if v := Check(c.raw, true, Limits{}); (v.Reason == "") != c.ok {
			t.Errorf("%s: %q %s", c.name, v.Reason, v.Detail)
		}
	}
	if v := Check(make([]byte, 65536), true, Limits{}); v.Reason != ReasonTooLarge {
		t.Errorf("64 KiB: %q", v.Reason)
	}
}

// TestPlain: what is folded and oddly spaced reaches the library in plain form.
func TestPlain(t *testing.T) {
	raw := msg("v=0\r\n",
		"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0", "TO :", " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n",
		`from   : "J Rosenberg \\\""       <sip:jdrosen@example.com>`, "  ;", "  tag = 98asjd8", "MaX-fOrWaRdS: 0068",
		"Call-ID: wsinv.ndaksdj@192.0.2.1", "Content-Length   : 5", "cseq: 0009", "  INVITE", "Via  : SIP  /   2.0", " /UDP", "    192.0.2.2;branch=390skdjuw",
		"s :", "NewFangledHeader:   newfangled value", " continued newfangled value", "Content-Type: application/sdp",
		"v:  SIP  / 2.0  / TCP     spindle.example.com   ;", "  branch  =   z9hG4bK9ikj8  ,", " SIP  /    2.0   / UDP  192.168.255.111   ; branch=", " z9hG4bK30239",
		`m:"Quoted string \"\"" <sip:jdrosen@example.com> ; newparam =`, "      newvalue ;", "  secondparam ; q = 0.33")
	v := Check(raw, true, Limits{})
	if v.Reason != "" {
		t.Fatalf("%s: %s", v.Reason, v.Detail)
	}
	got := string(v.message)
	for _, want := range []string{
		"\r\nTo: <sip:vivekg@chair-dnrc.example.com>;tag=1918181833n\r\n", "<sip:jdrosen@example.com>;tag=98asjd8\r\n", "\r\nCSeq: 9 INVITE\r\n",
		"\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=390skdjuw\r\n",
		"\r\nVia: SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8, SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239\r\n", "\r\n\r\nv=0\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if again := Check([]byte(got), true, Limits{}); again.Reason != "" {
		t.Errorf("the plain form does not pass: %s", again.Detail)
	}
}

func TestRates(t *testing.T) {
	now := time.Unix(1000, 0)
	s := newSources(Limits{
		InvitesPerSecond: 2, InviteBurst: 3, RequestsPerSecond: 20, RequestBurst: 30, Sources: 4, Connections: 2, AllConnections: 3,
	})
	a := netip.MustParseAddr("192.0.2.1")
	taken := 0
	for range 10 {
		if s.request(a, true, now) {
			taken++
		}
	}
	now = now.Add(time.Second)
	for range 10 {
		if s.request(a, true, now) {
			taken++
		}
	}
	if taken != 5 {
		t.Errorf("%d let in, wanted the burst of 3 and 2 a second later", taken)
	}
	taken = 0
	for range 100 {
		if s.request(a, false, now) {
			taken++
		}
	}
	if taken != 20 {
		t.Errorf("%d requests of other kinds let in, wanted the 20 that INVITEs left", taken)
	}
	for i := range 100 { // many sources: the table stays bounded
		s.request(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), true, now)
	}
	if len(s.table) > 4 {
		t.Errorf("%d sources kept", len(s.table))
	}
	for i := range 3 {
		if _, ok := s.connect(a, now); ok != (i < 2) {
			t.Errorf("connection %d: %v", i, ok)
		}
	}
	if Group(netip.MustParseAddr("2001:db8::1")) != Group(netip.MustParseAddr("2001:db8::2:3")) {
		t.Error("one /64 counts as several")
	}
}

func TestUDP(t *testing.T) {
	server, client := udpPair(t)
	var dropped []Reason
	g := New(Options{Limits: Limits{InvitesPerSecond: 0.001, InviteBurst: 1}, Dropped: func(r Reason) { dropped = append(dropped, r) }})
	gated := g.PacketConn(server)
	send := func(b []byte) {
		if _, err := client.WriteTo(b, server.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	invite := bytes.ReplaceAll(options(), []byte("OPTIONS"), []byte("INVITE"))
	send([]byte("\r\n\r\n"))
	send([]byte("rubbish"))
	send(options("CSeq: 8 INVITE"))
	send(invite)
	send(invite)
	send(append(options(), "trailing"...))
	buf := make([]byte, 32768)
	n, _, err := gated.ReadFrom(buf)
	if err != nil || !bytes.HasPrefix(buf[:n], []byte("INVITE")) {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	n, _, err = gated.ReadFrom(buf)
	if err != nil || !bytes.Equal(buf[:n], options()) {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	for _, want := range []string{"SIP/2.0 400 Bad Request: CSeq Method Mismatch\r\n", "SIP/2.0 503 Service Unavailable\r\n"} {
		_ = client.SetReadDeadline(time.Now().Add(patience))
		n, _, err := client.ReadFrom(buf)
		if err != nil || !strings.HasPrefix(string(buf[:n]), want) {
			t.Errorf("answer %q, %v", buf[:n], err)
		}
		if strings.Contains(want, "503") && !strings.Contains(string(buf[:n]), "Retry-After: 5\r\n") {
			t.Errorf("no Retry-After in %q", buf[:n])
		}
	}
	if len(dropped) != 1 || dropped[0] != ReasonNoSIP {
		t.Errorf("dropped %v", dropped)
	}
}

// TestRequestFlood: an address that asks without end is turned away at the gate,
// since the library remembers each request it answers. ACKs and answers are let in.
func TestRequestFlood(t *testing.T) {
	now := time.Unix(1000, 0)
	g := New(Options{Limits: Limits{InvitesPerSecond: 1, InviteBurst: 2}, Now: func() time.Time { return now }})
	from := netip.MustParseAddrPort("192.0.2.1:5060")
	let := func(raw []byte) (n int) {
		for range 100 {
			if forward, reply, _ := g.pass(raw, false, from); forward != nil {
				n++
			} else if !bytes.HasPrefix(reply, []byte("SIP/2.0 503 ")) {
				t.Fatalf("turned away with %q", reply)
			}
		}
		return n
	}
	for method, want := range map[string]int{"OPTIONS": 20, "BYE": 20, "ACK": 100} {
		if got := let(bytes.ReplaceAll(options(), []byte("OPTIONS"), []byte(method))); got != want {
			t.Errorf("%d of 100 %s let in, wanted %d", got, method, want)
		}
		now = now.Add(time.Minute)
	}
	if got := let(options("SIP/2.0 200 OK")); got != 100 {
		t.Errorf("%d of 100 answers let in", got)
	}
}

// TestRenewal: after many sources the reader is asked to start anew, the socket stays.
func TestRenewal(t *testing.T) {
	server, client := udpPair(t)
	gated := New(Options{}).PacketConn(server)
	var told []string
	gated.Ending = func(sources []string) { told = sources }
	if _, err := client.WriteTo(options(), server.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := gated.ReadFrom(make([]byte, 32768)); err != nil || told != nil {
		t.Fatal(err, told)
	}
	gated.turns = turnsPerLoop
	if _, _, err := gated.ReadFrom(make([]byte, 100)); !slices.Equal(told, []string{client.LocalAddr().String()}) {
		t.Errorf("whose messages may be on their way: %v, %v", told, err)
	}
	gated.Renew()
	gated.turns = turnsPerLoop
	if _, _, err := gated.ReadFrom(make([]byte, 100)); err != net.ErrClosed || !gated.Renew() || gated.Renew() {
		t.Errorf("no renewal: %v", err)
	}
	if _, err := client.WriteTo(options(), server.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := gated.ReadFrom(make([]byte, 32768)); err != nil {
		t.Error(err)
	}
}

func udpPair(t *testing.T) (server, client net.PacketConn) {
	t.Helper()
	for _, c := range []*net.PacketConn{&server, &client} {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		*c = conn
	}
	// answers go to the port of the Via unless it says rport, as options does
	return server, client
}

func tcpPair(t *testing.T, g *Gate) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = g.Listener(l).Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	_ = client.SetDeadline(time.Now().Add(patience))
	return server, client
}

func TestTCP(t *testing.T) {
	server, client := tcpPair(t, New(Options{}))
	two := append(options(), options("Call-ID: second")...)
	go func() {
		for i := range two { // byte by byte, two messages in one stream, a ping before them
			if i == 0 {
				_, _ = client.Write([]byte("\r\n\r\n"))
			}
			_, _ = client.Write(two[i : i+1])
		}
	}()
	got := make([]byte, len(two))
	if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, two) {
		t.Fatalf("%q, %v", got, err)
	}
	pong := make([]byte, 2)
	if _, err := io.ReadFull(client, pong); err != nil || string(pong) != "\r\n" {
		t.Errorf("pong %q, %v", pong, err)
	}
}

// TestSmuggling: when the end of a message is in doubt it is answered and the
// connection closed; what follows is never read as a message.
func TestSmuggling(t *testing.T) {
	for name, raw := range map[string][]byte{
		"two lengths":   options("l: 100"),
		"no length":     without("Content-Length"),
		"negative":      bytes.Replace(options(), []byte("Length: 0"), []byte("Length: -1"), 1),
		"huge":          bytes.Replace(options(), []byte("Length: 0"), []byte("Length: 99999"), 1),
		"overflowing":   bytes.Replace(options(), []byte("Length: 0"), []byte("Length: 18446744073709551617"), 1),
		"never started": []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			server, client := tcpPair(t, New(Options{}))
			if _, err := client.Write(append(raw, options("Call-ID: smuggled")...)); err != nil {
				t.Fatal(err)
			}
			if n, err := server.Read(make([]byte, 4096)); err == nil {
				t.Errorf("%d bytes passed", n)
			}
			answer, _ := io.ReadAll(client)
			if strings.Count(string(answer), "SIP/2.0 400 ") != 1 && name != "never started" {
				t.Errorf("answer %q", answer)
			}
		})
	}
}

func TestSlowConnections(t *testing.T) {
	reasons := make(chan Reason, 2)
	g := New(Options{Limits: Limits{HeaderTime: 50 * time.Millisecond, Idle: 50 * time.Millisecond}, Dropped: func(r Reason) { reasons <- r }})
	for _, begin := range []string{"", "OPTIONS sip:"} {
		server, client := tcpPair(t, g)
		if _, err := io.WriteString(client, begin); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Read(make([]byte, 100)); err != io.EOF {
			t.Errorf("%q: %v", begin, err)
		}
		if r := <-reasons; r != ReasonSlow {
			t.Errorf("%q: %s", begin, r)
		}
	}
}

func TestFirstLine(t *testing.T) {
	got := firstLine([]byte("INVITE sip:+8613812345678@x SIP/2.0\r\nSecret: x"))
	if strings.Contains(got, "138123") || strings.Contains(got, "Secret") || strings.ContainsAny(got, "\r\n") {
		t.Errorf("logged %s", got)
	}
	if got := firstLine(bytes.Repeat([]byte("y"), 500)); len(got) > 210 {
		t.Errorf("%d bytes logged", len(got))
	}
}

func BenchmarkCheck(b *testing.B) {
	raw := options()
	b.ReportAllocs()
	for b.Loop() {
		if v := Check(raw, false, Limits{}); v.Reason != "" {
			b.Fatal(v.Reason)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(options(), true)
	f.Add(options("To :\r\n <sip:x@y> ; tag = 1"), false)
	f.Add(options("SIP/2.0 200"), false)
	f.Add(options("Via: SIP / 2.0 / UDP [2001:db8::1]:5060 ;\tttl=1"), true)
	f.Fuzz(func(t *testing.T, raw []byte, stream bool) {
		v := Check(raw, stream, Limits{})
		if v.Reason != "" {
			if v.Code != 0 {
				v.answer(netip.MustParseAddrPort("[::1]:1"))
				v.replyTo(netip.MustParseAddrPort("[::1]:1"))
			}
			return
		}
		if len(v.message) == 0 {
			t.Fatal("passed and empty")
		}
		// What passes stays what it is: judged again it passes, with the same end.
		again := Check(v.message, stream, Limits{})
		if again.Reason != "" && len(v.message) <= 65535 && again.Reason != ReasonHeaderLine {
			t.Errorf("the form handed on does not pass: %s %s\n%q", again.Reason, again.Detail, v.message)
		}
		if stream {
			if size, fr := frame(v.message, Limits{}.withDefaults()); fr == frameWhole && size != len(v.message) {
				t.Errorf("two ends: %d and %d", size, len(v.message))
			}
		}
		firstLine(raw)
	})
}
