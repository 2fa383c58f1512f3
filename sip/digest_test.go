package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

// credentials answers a challenge as a phone would.
func credentials(challenge, method, uri, user, password string, nc int) string {
	p, err := parseDigest(challenge)
	if err != nil {
		panic(err)
	}
	p["username"], p["uri"], p["cnonce"], p["qop"], p["nc"] = user, uri, "abcdef", "auth", fmt.Sprintf("%08x", nc)
	alg := algorithmOf(p["algorithm"])
	return fmt.Sprintf(`Authorization: Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=%s, qop=auth, nc=%s, cnonce="abcdef"`+"\r\n",
		user, p["realm"], p["nonce"], uri, digestResponse(alg, p, password, method), alg, p["nc"])
}

func TestDigest(t *testing.T) {
	m := newMedia()
	a := &app{call: talk(m), route: func(string) Route { return Route{Found: true, Auth: true} }}
	s := start(t, a, func(c *Config) {
		c.Users = map[string]string{"probe": "probe-pass"}
		c.AllowMD5 = true
	})
	p := newPeer(t, s, "udp")
	ask := func() (*leg, []string) {
		l := p.leg("1004")
		l.sendInvite("", offerSDP)
		no := p.expectCode(401, "INVITE")
		l.ack(no, "")
		return l, no.headers["www-authenticate"]
	}
	for i, alg := range []string{"SHA-256", "MD5"} {
		l, challenges := ask()
		if len(challenges) != 2 || !strings.Contains(challenges[i], "algorithm="+alg) {
			t.Fatalf("challenges %q", challenges)
		}
		good := credentials(challenges[i], "INVITE", l.uri, "probe", "probe-pass", 1)
		l.up(good, offerSDP)
		m.waitUp(t)
		l.do("BYE", "", "")
		p.expectCode(200, "BYE")
		if c := a.wait(t); c.User != "probe" {
			t.Errorf("user %q", c.User)
		}
		replay := p.leg("1004")
		replay.uri = l.uri
		replay.sendInvite(good, offerSDP)
		no := p.expectCode(401, "INVITE")
		if !strings.Contains(no.get("WWW-Authenticate"), "stale=true") {
			t.Errorf("a used count: %q", no.get("WWW-Authenticate"))
		}
		replay.ack(no, "")
	}
	for _, c := range [][2]string{{"probe", "wrong"}, {"nobody", "probe-pass"}} {
		l, challenges := ask()
		l.sendInvite(credentials(challenges[0], "INVITE", l.uri, c[0], c[1], 1), offerSDP)
		no := p.expectCode(401, "INVITE")
		if strings.Contains(no.get("WWW-Authenticate"), "stale") {
			t.Errorf("%v: told of stale", c)
		}
		l.ack(no, "")
	}
	for range guessesFree - 2 {
		l, challenges := ask()
		l.sendInvite(credentials(challenges[0], "INVITE", l.uri, "probe", "guess", 1), offerSDP)
		l.ack(p.expectCode(401, "INVITE"), "")
	}
	l := p.leg("1004")
	l.sendInvite("", offerSDP)
	l.ack(p.expectCode(403, "INVITE"), "")
}

// TestDigestVectors holds against RFC 7616 section 3.9.1.
func TestDigestVectors(t *testing.T) {
	p := map[string]string{
		"username": "Mufasa", "realm": "http-auth@example.org", "uri": "/dir/index.html", "qop": "auth", "nc": "00000001",
		"nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	}
	for alg, want := range map[string]string{
		"MD5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		if got := digestResponse(alg, p, "Circle of Life", "GET"); got != want {
			t.Errorf("%s: %s", alg, got)
		}
	}
}

func FuzzDigestHeader(f *testing.F) {
	f.Add(`Digest username="a\"b", realm=x, nonce="",, uri="sip:a", response=1`)
	f.Add(`Digest username="`)
	f.Add(`Digest =,=`)
	f.Fuzz(func(t *testing.T, v string) {
		p, err := parseDigest(v)
		if err != nil {
			return
		}
		if len(p) > digestFields {
			t.Errorf("%d parameters", len(p))
		}
		for name := range p {
			if name != strings.ToLower(name) {
				t.Errorf("name %q", name)
			}
		}
	})
}

// challenging makes a challenger with a clock.
func challenging(t *testing.T) (c *challenger, now *time.Time) {
	t.Helper()
	clock := time.Now()
	c, err := newChallenger(withDefaults(Config{Users: map[string]string{"u": "p"}, Now: func() time.Time { return clock }}))
	if err != nil {
		t.Fatal(err)
	}
	return c, &clock
}

// presenting calls 1004 with an answer to the challenge sent to somebody.
func presenting(t *testing.T, c *challenger, to netip.Addr, uri, password string) *gosip.Request {
	t.Helper()
	var recipient gosip.Uri
	if err := gosip.ParseUri("sip:1004@tandem.example", &recipient); err != nil {
		t.Fatal(err)
	}
	req := gosip.NewRequest(gosip.INVITE, recipient)
	line := credentials(c.headers(unproven, to)[0], "INVITE", uri, "u", password, 1)
	name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
	req.AppendHeader(gosip.NewHeader(name, value))
	return req
}

var phone, thief = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.66")

func TestWhatCredentialsProve(t *testing.T) {
	six := netip.MustParseAddr("2001:db8::1")
	for _, tc := range []struct {
		name          string
		to, from      netip.Addr
		uri, password string
		late          time.Duration
		want          verdict
	}{
		{"right", phone, phone, "sip:1004@tandem.example", "p", 0, proven},
		{"another name of the host", phone, phone, "sip:1004@192.0.2.9:5060;transport=udp", "p", 0, proven},
		{"another address of its subscriber", six, netip.MustParseAddr("2001:db8::2"), "sip:1004@tandem.example", "p", 0, proven},
		{"an old nonce", phone, phone, "sip:1004@tandem.example", "p", nonceLife + time.Second, stale},
		{"made for somebody else", phone, phone, "sip:1001@tandem.example", "p", 0, unproven},
		{"sent to somebody else", phone, thief, "sip:1004@tandem.example", "p", 0, unproven},
		{"a wrong password", phone, phone, "sip:1004@tandem.example", "q", 0, unproven},
	} {
		c, now := challenging(t)
		req := presenting(t, c, tc.to, tc.uri, tc.password)
		*now = now.Add(tc.late)
		if _, v := c.check(req, tc.from); v != tc.want {
			t.Errorf("%s: verdict %d, want %d", tc.name, v, tc.want)
		}
	}
}

// TestNobodyElseLocksAPhoneOut: datagrams with its address on them, and a nonce that
// their sender got for himself, or made up.
func TestNobodyElseLocksAPhoneOut(t *testing.T) {
	c, _ := challenging(t)
	for range 2 * guessesFree {
		c.check(presenting(t, c, thief, "sip:1004@tandem.example", "guess"), phone)
	}
	if _, v := c.check(presenting(t, c, phone, "sip:1004@tandem.example", "p"), phone); v != proven {
		t.Errorf("the phone: verdict %d", v)
	}
	for range guessesFree {
		c.check(presenting(t, c, thief, "sip:1004@tandem.example", "guess"), thief)
	}
	if _, v := c.check(presenting(t, c, thief, "sip:1004@tandem.example", "p"), thief); v != lockedOut {
		t.Errorf("who guesses: verdict %d", v)
	}
}
