package login

import (
	"encoding/base64"
	"encoding/json"
	"image/png"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"tandem/store/staff"
	"tandem/store/storetest"
	"tandem/web/answer"
)

// setUp sets codes up in a browser and returns their secret.
func (b *browser) setUp() (secret string, recovery []string) {
	b.t.Helper()
	r := b.do("POST", "/api/v1/me/totp", nil)
	var begun struct{ URI, QR string }
	if err := json.Unmarshal([]byte(r.body), &begun); err != nil || r.StatusCode != 200 {
		b.t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	picture, ok := strings.CutPrefix(begun.QR, "data:image/png;base64,")
	if img, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(picture))); !ok || err != nil || img.Bounds().Dx() != pictureSize {
		b.t.Errorf("the QR code: %v", err)
	}
	u, err := url.Parse(begun.URI)
	if err != nil {
		b.t.Fatal(err)
	}
	secret = u.Query().Get("secret")
	r = b.do("POST", "/api/v1/me/totp/confirm", codeBody{b.code(secret)})
	var confirmed struct{ Recovery []string }
	if err := json.Unmarshal([]byte(r.body), &confirmed); err != nil || r.StatusCode != 200 || len(confirmed.Recovery) != 10 {
		b.t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	return secret, confirmed.Recovery
}

func (b *browser) code(secret string) string {
	b.t.Helper()
	code, err := totp.GenerateCode(secret, b.s.clock.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

func TestCodes(t *testing.T) {
	s := newSite(t)
	b := s.as(t, "operator")
	secret, recovery := b.setUp()
	s.clock.Add(time.Minute)
	other := s.browser(t)
	if r := other.login("operator", good, ""); r.StatusCode != 401 || r.code() != "code_required" {
		t.Errorf("without a code: %d %s", r.StatusCode, r.body)
	}
	if r := other.login("operator", "wrong wrong wrong", "123456"); r.code() != "login_failed" {
		t.Errorf("a wrong password: %s", r.body)
	}
	code := other.code(secret)
	if r := other.login("operator", good, code); r.StatusCode != 200 || !strings.Contains(r.body, `"totp":true`) {
		t.Errorf("with a code: %d %s", r.StatusCode, r.body)
	}
	if r := s.browser(t).login("operator", good, code); r.code() != "login_failed" {
		t.Errorf("the code again: %d %s", r.StatusCode, r.body)
	}
	if r := other.do("POST", "/api/v1/me/totp", nil); r.StatusCode != 409 || r.code() != "has_totp" {
		t.Errorf("set up twice: %d %s", r.StatusCode, r.body)
	}
	if r := other.do("POST", "/api/v1/me/totp/remove", codeBody{recovery[0]}); r.StatusCode != 204 {
		t.Errorf("removed by a recovery code: %d %s", r.StatusCode, r.body)
	}
	if r := s.browser(t).login("operator", good, ""); r.StatusCode != 200 {
		t.Errorf("afterwards: %d %s", r.StatusCode, r.body)
	}
	for _, secret := range append(recovery, secret, code, good, b.cookie(), b.csrf) {
		if strings.Contains(s.log.String(), secret) {
			t.Error("the log has a secret")
		}
	}
}

func TestMustTOTP(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Codes = []staff.Role{staff.Operator} })
	b := s.as(t, "operator")
	if r := b.do("GET", "/api/v1/users", nil); r.StatusCode != 403 || r.code() != "must_totp" {
		t.Errorf("before: %d %s", r.StatusCode, r.body)
	}
	if r := b.do("GET", "/api/v1/me", nil); !strings.Contains(r.body, `"must_totp":true`) {
		t.Error(r.body)
	}
	b.setUp()
	if r := b.do("GET", "/api/v1/users", nil); r.StatusCode != 200 {
		t.Errorf("after: %d %s", r.StatusCode, r.body)
	}
	if r := s.as(t, "designer").do("GET", "/api/v1/flows", nil); r.StatusCode != 204 {
		t.Errorf("another role: %d %s", r.StatusCode, r.body)
	}
}

// TestGuessing: a name that is guessed at is slowed down; its owner, who has logged in
// from elsewhere before, is not.
func TestGuessing(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	for i := range freeByName {
		if r := b.login("nobody", "wrong wrong wrong", ""); r.StatusCode != 401 {
			t.Fatalf("try %d: %d", i, r.StatusCode)
		}
	}
	r := b.login("nobody", "wrong wrong wrong", "")
	wait, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if r.StatusCode != 429 || r.code() != "too_many" || err != nil || wait < 1 {
		t.Fatalf("%d %s %v", r.StatusCode, r.body, r.Header)
	}
	s.clock.Add(time.Duration(wait) * time.Second)
	if r := b.login("nobody", "wrong wrong wrong", ""); r.StatusCode != 401 {
		t.Errorf("after the wait: %d %s", r.StatusCode, r.body)
	}
	if r := b.login("nobody", "wrong wrong wrong", ""); r.StatusCode != 429 {
		t.Errorf("at once again: %d", r.StatusCode)
	}
	if r := b.login("designer", good, ""); r.StatusCode != 200 {
		t.Errorf("another name from there: %d %s", r.StatusCode, r.body)
	}
	// Whoever is logged in guesses no better.
	d := s.as(t, "designer")
	got := 0
	for range freeByName + 1 {
		got = d.do("POST", "/api/v1/me/password", map[string]string{"old": "wrong wrong wrong", "new": next}).StatusCode
	}
	if got != 429 {
		t.Errorf("guesses at the old password: %d", got)
	}
}

func TestLimiter(t *testing.T) {
	c := storetest.NewStill(time.Unix(1795424400, 0))
	home, away := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")
	l := newLimiter(c.Now)
	fail := func(name string, from netip.Addr) time.Duration {
		done, wait := l.try(name, from)
		if wait == 0 {
			done(wrong)
		}
		return wait
	}
	done, _ := l.try("ann", home)
	done(right)
	// Strangers slow the name down more and more, up to a bound.
	longest := time.Duration(0)
	for i := range 200 {
		from := netip.AddrFrom4([4]byte{10, 0, byte(i), 1})
		if wait := fail("ann", from); wait > 0 {
			if wait < longest {
				t.Errorf("the wait shrinks from %v to %v", longest, wait)
			}
			longest = wait
			c.Add(wait)
		}
	}
	if longest != maxByName {
		t.Errorf("a name waits %v, want %v", longest, maxByName)
	}
	c.Add(maxByName)
	fail("ann", netip.MustParseAddr("10.9.9.9"))
	if done, wait := l.try("ann", home); wait > 0 {
		t.Errorf("at home she waits %v", wait)
	} else {
		done(right)
	}
	if _, wait := l.try("ann", away); wait == 0 {
		t.Error("a stranger waits no longer once she is in")
	}
	// One address that tries many names.
	longest = 0
	for i := range 200 {
		if wait := fail("name"+strconv.Itoa(i), away); wait > 0 {
			longest = max(longest, wait)
			c.Add(wait)
		}
	}
	if longest != maxBySource {
		t.Errorf("an address waits %v, want %v", longest, maxBySource)
	}
	// Who has logged in from there is not kept out by them, is slowed down by the own
	// name's failures, and does not set the others free.
	l.known["dan "+answer.Network(away)] = c.Now()
	for fail("another", away) == 0 {
	}
	if done, wait := l.try("dan", away); wait > 0 {
		t.Errorf("who has logged in from there waits %v", wait)
	} else {
		done(right)
	}
	if fail("another", away) == 0 {
		t.Error("one who logs in sets free who guesses at the same address")
	}
	for range freeByName {
		fail("dan", away)
	}
	if fail("dan", away) == 0 {
		t.Error("a name that is known there may be guessed without end")
	}
	c.Add(forgetAfter)
	if wait := fail("bob", away); wait != 0 {
		t.Errorf("after an hour it waits %v", wait)
	}
	// What was undecided does not count.
	for range 50 {
		done, wait := l.try("cleo", home)
		if wait > 0 {
			t.Fatal("what was undecided counts")
		}
		done(undecided)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	c := storetest.NewStill(time.Unix(1795424400, 0))
	l := newLimiter(c.Now)
	for i := range maxBuckets {
		done, _ := l.try(strconv.Itoa(i), netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
		if i%4 == 0 {
			done(right)
		}
		c.Add(time.Millisecond)
	}
	if len(l.buckets) > maxBuckets || len(l.known) > maxKnown {
		t.Errorf("%d buckets, %d known", len(l.buckets), len(l.known))
	}
}

func TestAuditPage(t *testing.T) {
	s := newSite(t)
	s.as(t, "designer").do("POST", "/api/v1/flows", map[string]string{})
	b := s.as(t, "auditor")
	var page struct {
		Entries  []staff.Entry
		Verified bool
	}
	r := b.do("GET", "/api/v1/audit", nil)
	if err := json.Unmarshal([]byte(r.body), &page); err != nil || !page.Verified || len(page.Entries) != 9 {
		t.Fatalf("%v, %d entries: %s", err, len(page.Entries), r.body)
	}
	if e := page.Entries[0]; e.Action != "audit.look" || e.Actor != "auditor" || e.Source != "127.0.0.1" || e.N != 9 {
		t.Errorf("the look itself: %+v", e)
	}
	if e := page.Entries[2]; e.Action != "flow.publish" || e.Actor != "designer" || e.Object != "bank" || e.Detail != "from designer" {
		t.Errorf("what another part recorded: %+v", e)
	}
	r = b.do("GET", "/api/v1/audit?before=3", nil)
	if err := json.Unmarshal([]byte(r.body), &page); err != nil || len(page.Entries) != 2 || page.Entries[0].N != 2 {
		t.Errorf("%v: %s", err, r.body)
	}
}
