package link

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	links "tandem/bridge/link"
	"tandem/web/answer"
)

// Bounds.
const (
	nonceLife       = time.Hour              // of a page's form
	twice           = 2 * time.Minute        // for how long a second press of the same page counts as the first: a server that was killed comes back in that time
	workBurst       = 200                    // requests of one address at once: many customers may share one
	workEach        = 100 * time.Millisecond // and then one in this time
	defaultAttempts = 60                     // wrong ones in a minute
	maxAddresses    = 10_000                 // remembered; the one longest quiet goes
)

// nonces are what a form carries to show that it is of a page of ours, about one thing,
// and not old: time, 128 random bits, and a MAC over them, the purpose and the subject.
type nonces struct {
	key []byte
	now func() time.Time
}

const (
	nonceRandom = 8 + 16 // bytes of time and random
	nonceMAC    = 16
)

func newNonces(key []byte, now func() time.Time) nonces {
	if key == nil {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // it does not fail
	}
	return nonces{key, now}
}

func (n nonces) mac(parts ...string) []byte {
	m := hmac.New(sha256.New, n.key)
	for _, part := range parts {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		m.Write(length[:])
		io.WriteString(m, part)
	}
	return m.Sum(nil)
}

func (n nonces) make(purpose, subject string) string {
	var b [nonceRandom]byte
	binary.BigEndian.PutUint64(b[:], uint64(n.now().UnixMilli()))
	_, _ = rand.Read(b[8:])
	return base64.RawURLEncoding.EncodeToString(append(b[:], n.mac(purpose, subject, string(b[:]))[:nonceMAC]...))
}

func (n nonces) ok(purpose, subject, nonce string) bool {
	if len(nonce) > 2*(nonceRandom+nonceMAC) {
		return false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != nonceRandom+nonceMAC {
		return false
	}
	if !hmac.Equal(b[nonceRandom:], n.mac(purpose, subject, string(b[:nonceRandom]))[:nonceMAC]) {
		return false
	}
	age := n.now().Sub(time.UnixMilli(int64(binary.BigEndian.Uint64(b[:8]))))
	return age > -time.Minute && age < nonceLife
}

// browser is the secret that the page with this nonce gives its browser: the same if its
// button is pressed twice, for the answer to the first press is then lost. It takes 128
// random bits from the nonce and cannot be made without our key.
func (n nonces) browser(nonce, agent string) string {
	return base64.RawURLEncoding.EncodeToString(n.mac("browser", nonce, agent)[:16])
}

// cookieName is the name of the cookie that ties a browser to a link. Its prefix makes
// browsers hold what is promised: from a secure origin, for this host alone, for every
// path. Without TLS, which is for trying things out, there is no such promise.
func (p *pages) cookieName(id string) string {
	if p.secure {
		return "__Host-l-" + id
	}
	return "l-" + id
}

func (p *pages) cookie(r *http.Request, id string) string {
	c, err := r.Cookie(p.cookieName(id))
	if err != nil {
		return ""
	}
	return c.Value
}

func (p *pages) keep(w http.ResponseWriter, l *links.Link, browser string) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(string(l.ID)), Value: browser, Path: "/", Secure: p.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		MaxAge: int((l.Expires.Sub(p.o.Now()) + time.Hour) / time.Second), // the result may be looked at for an hour
	})
}

// own reports whether a form was sent by a page of ours. The pages tell nobody where they
// are, so browsers give no origin ("null") and it is Sec-Fetch-Site that counts; browsers
// older than that show by the nonce, and the cookie that goes to no other site's forms.
func (p *pages) own(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" || strings.ToLower(origin) == p.origin {
		return true
	}
	u, err := url.Parse(origin) // reached by another name than URL's
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// limiter is a bucket for each address.
type limiter struct {
	now   func() time.Time
	burst int
	each  time.Duration // for one more

	mu  sync.Mutex
	all map[string]*bucket // by network
}

type bucket struct {
	used float64
	at   time.Time
}

func newLimiter(now func() time.Time, burst int, each time.Duration) *limiter {
	return &limiter{now: now, burst: burst, each: each, all: map[string]*bucket{}}
}

// allow reports whether an address may do n more, and counts them if so. n = 0 only asks.
func (l *limiter) allow(a netip.Addr, n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, key := l.now(), answer.Network(a)
	b := l.all[key]
	if b == nil {
		if n == 0 {
			return true
		}
		l.room()
		b = &bucket{at: now}
		l.all[key] = b
	}
	b.used = max(0, b.used-float64(now.Sub(b.at))/float64(l.each))
	b.at = now
	if b.used+float64(max(n, 1)) > float64(l.burst) {
		return false
	}
	b.used += float64(n)
	return true
}

// room forgets the address that was quiet longest, if there are too many.
func (l *limiter) room() {
	if len(l.all) < maxAddresses {
		return
	}
	oldest := ""
	for key, b := range l.all {
		if old := l.all[oldest]; old == nil || b.at.Before(old.at) {
			oldest = key
		}
	}
	delete(l.all, oldest)
}
