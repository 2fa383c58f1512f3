package sip

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // RFC 8760 keeps it for old phones; off by default
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"tandem/sip/gate"
)

const (
	nonceLife    = 5 * time.Minute
	nonceTable   = 4096            // nonces whose counts are kept, in each of two generations
	guessTable   = 4096            // sources whose failures are kept
	guessesFree  = 10              // failures from one source before it must wait
	guessPenalty = time.Minute     // how long it waits
	digestBound  = 4096            // bytes of an Authorization header that are read
	digestFields = 32              // parameters of one header that are read
	nonceSize    = 8 + 8 + macSize // time, random, signature
	macSize      = sha256.Size / 2
)

// verdict is what a caller's credentials are worth.
type verdict uint8

const (
	unproven verdict = iota // none, or wrong: challenged
	stale                   // right once; the nonce is too old or used: challenged again
	proven
	lockedOut // too many wrong ones: 403
)

// challenger issues and checks digest challenges (RFC 7616, RFC 8760).
type challenger struct {
	realm  string
	users  map[string]string
	md5    bool
	now    func() time.Time
	random io.Reader
	secret [32]byte

	mu          sync.Mutex
	counts, old map[string]uint32 // newest nc of each nonce: this generation and the last
	horizon     time.Time         // nonces from before it are stale: their counts are gone
	guesses     map[netip.Addr]guess
}

type guess struct {
	failed int
	since  time.Time
}

func newChallenger(cfg Config) (*challenger, error) {
	c := &challenger{
		realm: cfg.Realm, users: cfg.Users, md5: cfg.AllowMD5, now: cfg.Now, random: cfg.Random,
		counts: make(map[string]uint32), guesses: make(map[netip.Addr]guess),
	}
	if strings.ContainsAny(c.realm, "\"\\\r\n") {
		return nil, fmt.Errorf("realm %q holds a character that cannot be sent", c.realm)
	}
	if _, err := io.ReadFull(cfg.Random, c.secret[:]); err != nil {
		return nil, fmt.Errorf("drawing the nonce key: %w", err)
	}
	return c, nil
}

// sign binds a nonce to whom it is sent: nobody else can use it, nor guess with it.
func (c *challenger) sign(b []byte, source netip.Addr) []byte {
	mac := hmac.New(sha256.New, c.secret[:])
	mac.Write(b)
	to := source.As16()
	mac.Write(to[:])
	return mac.Sum(nil)[:macSize]
}

func (c *challenger) nonce(source netip.Addr) string {
	b := make([]byte, 16, nonceSize)
	binary.BigEndian.PutUint64(b, uint64(c.now().UnixNano()))
	if _, err := io.ReadFull(c.random, b[8:16]); err != nil {
		panic(fmt.Errorf("drawing a nonce: %w", err))
	}
	return base64.RawURLEncoding.EncodeToString(append(b, c.sign(b, source)...))
}

// issued is when we made a nonce for source; false if we did not.
func (c *challenger) issued(nonce string, source netip.Addr) (time.Time, bool) {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != nonceSize || !hmac.Equal(b[16:], c.sign(b[:16], source)) {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))), true
}

// headers are the WWW-Authenticate values of a challenge, the strongest first.
func (c *challenger) headers(v verdict, source netip.Addr) []string {
	extra := ""
	if v == stale {
		extra = ", stale=true"
	}
	algorithms := []string{"SHA-256"}
	if c.md5 {
		algorithms = append(algorithms, "MD5")
	}
	nonce := c.nonce(gate.Group(source))
	for i, a := range algorithms {
		algorithms[i] = fmt.Sprintf(`Digest realm="%s", nonce="%s", algorithm=%s, qop="auth"%s`, c.realm, nonce, a, extra)
	}
	return algorithms
}

// check judges the Authorization headers of a request. Wrong name and wrong
// password take the same path and the same time. Only a try with a nonce that was
// sent to this very source counts as one of its failures: anybody can write another's
// address on a datagram, but does not see what was sent there.
func (c *challenger) check(req *gosip.Request, source netip.Addr) (string, verdict) {
	source = gate.Group(source)
	if c.isLockedOut(source) {
		return "", lockedOut
	}
	guessed := false
	for i, h := range req.GetHeaders("Authorization") {
		if i == 4 { // more than any phone sends
			break
		}
		p, err := parseDigest(h.Value())
		if err != nil || p["realm"] != c.realm {
			continue
		}
		issued, ours := c.issued(p["nonce"], source)
		guessed = guessed || ours
		user, v := c.judge(p, req, issued)
		if ours && v != unproven {
			return user, v
		}
	}
	if guessed {
		c.failed(source)
	}
	return "", unproven
}

// judge weighs credentials as if their nonce were ours, issued then.
func (c *challenger) judge(p map[string]string, req *gosip.Request, issued time.Time) (string, verdict) {
	algorithm := algorithmOf(p["algorithm"])
	if algorithm == "" || (algorithm == "MD5" && !c.md5) || p["qop"] != "auth" || p["cnonce"] == "" || !meant(p["uri"], req) {
		return "", unproven
	}
	password, known := c.users[p["username"]]
	if !known {
		password = "no such user, and the same work is done"
	}
	want := digestResponse(algorithm, p, password, string(req.Method))
	right := subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(p["response"]))) == 1
	if !right || !known {
		return "", unproven
	}
	nc, err := strconv.ParseUint(p["nc"], 16, 32)
	if err != nil || nc == 0 {
		return "", unproven
	}
	if !c.fresh(p["nonce"], issued, uint32(nc)) {
		return "", stale
	}
	return p["username"], proven
}

// meant: the credentials were made for whom the request calls (RFC 7616 section
// 3.4.6). The host may have been rewritten on the way (RFC 3261 section 22.4), the
// user part is what we choose an entry by.
func meant(uri string, req *gosip.Request) bool {
	var u gosip.Uri
	return gosip.ParseUri(uri, &u) == nil && u.User == req.Recipient.User
}

// fresh takes each count of a nonce once, in growing order, while it lives.
func (c *challenger) fresh(nonce string, issued time.Time, nc uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(issued) > nonceLife || !issued.After(c.horizon) {
		return false
	}
	last := max(c.counts[nonce], c.old[nonce])
	if nc <= last {
		return false
	}
	if len(c.counts) >= nonceTable {
		if c.old != nil {
			c.horizon = now
		}
		c.old, c.counts = c.counts, make(map[string]uint32)
	}
	c.counts[nonce] = nc
	return true
}

func (c *challenger) isLockedOut(source netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.guesses[source]
	if ok && c.now().Sub(g.since) > guessPenalty {
		delete(c.guesses, source)
		return false
	}
	return g.failed >= guessesFree
}

func (c *challenger) failed(source netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.guesses) >= guessTable {
		clear(c.guesses) // a flood from everywhere: counting starts anew
	}
	g := c.guesses[source]
	g.failed++
	g.since = c.now()
	c.guesses[source] = g
}

// challenge answers 401, or 403 to one who guesses.
func (s *Server) challenge(req *gosip.Request, tx gosip.ServerTransaction, v verdict) {
	if v == lockedOut {
		s.refuse(req, tx, Refusal{Code: 403})
		return
	}
	res := s.response(req, 401, "")
	for _, h := range s.digest.headers(v, sourceOf(req)) {
		res.AppendHeader(gosip.NewHeader("WWW-Authenticate", h))
	}
	s.send(res, tx)
}

// sourceOf is the address a request came from.
func sourceOf(req *gosip.Request) netip.Addr {
	source, _ := netip.ParseAddrPort(req.Source())
	return source.Addr().Unmap()
}

func algorithmOf(name string) string {
	switch strings.ToUpper(name) {
	case "", "MD5":
		return "MD5"
	case "SHA-256":
		return "SHA-256"
	}
	return ""
}

func digestHash(algorithm, s string) string {
	if algorithm == "MD5" {
		sum := md5.Sum([]byte(s)) //nolint:gosec // see the import
		return hex.EncodeToString(sum[:])
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// digestResponse is RFC 7616 section 3.4.1; without qop the form of RFC 2069.
func digestResponse(algorithm string, p map[string]string, password, method string) string {
	a1 := digestHash(algorithm, p["username"]+":"+p["realm"]+":"+password)
	a2 := digestHash(algorithm, method+":"+p["uri"])
	if p["qop"] == "" {
		return digestHash(algorithm, a1+":"+p["nonce"]+":"+a2)
	}
	return digestHash(algorithm, strings.Join([]string{a1, p["nonce"], p["nc"], p["cnonce"], p["qop"], a2}, ":"))
}

// parseDigest reads "Digest name=value, name="quoted", …". Names are lower-cased;
// a name given twice is an error, so that no two readers see different values.
func parseDigest(v string) (map[string]string, error) {
	if len(v) > digestBound {
		return nil, errors.New("digest header too long")
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(v), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil, errors.New("not a digest header")
	}
	p := make(map[string]string, 10)
	for rest = strings.TrimLeft(rest, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
		name, tail, ok := strings.Cut(rest, "=")
		if !ok || len(p) == digestFields {
			return nil, errors.New("digest header is not a list of name=value")
		}
		name = strings.ToLower(strings.TrimSpace(name))
		tail = strings.TrimLeft(tail, " \t")
		var value string
		if strings.HasPrefix(tail, `"`) {
			if value, rest, ok = quoted(tail); !ok {
				return nil, errors.New("digest header has an open quote")
			}
		} else {
			value, rest, _ = strings.Cut(tail, ",")
			value = strings.TrimSpace(value)
		}
		if _, twice := p[name]; twice || name == "" {
			return nil, errors.New("digest header names a parameter twice or not at all")
		}
		p[name] = value
	}
	return p, nil
}

// quoted reads a quoted-string at the start of s.
func quoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// authorise puts credentials on a request after a challenge, if the challenge is
// the trunk's own: its realm, and the request goes to its host.
func authorise(req *gosip.Request, res *gosip.Response, t *Trunk, random io.Reader) error {
	ask, reply := "WWW-Authenticate", "Authorization"
	if res.StatusCode == 407 {
		ask, reply = "Proxy-Authenticate", "Proxy-Authorization"
	}
	host, _, _ := gosip.ParseAddr(req.Destination())
	if t.User == "" || !t.owns(host) {
		return errors.New("a challenge from somebody who is not the trunk is not answered")
	}
	realm := t.Realm
	if realm == "" {
		realm = t.host()
	}
	var best map[string]string
	for _, h := range res.GetHeaders(ask) {
		p, err := parseDigest(h.Value())
		if err != nil || p["realm"] != realm || algorithmOf(p["algorithm"]) == "" {
			continue
		}
		if best == nil || algorithmOf(p["algorithm"]) == "SHA-256" {
			best = p
		}
	}
	if best == nil {
		return errors.New("no challenge of the trunk's realm and a known algorithm")
	}
	var cnonce [12]byte
	if _, err := io.ReadFull(random, cnonce[:]); err != nil {
		return fmt.Errorf("drawing a cnonce: %w", err)
	}
	p := map[string]string{
		"username": t.User, "realm": realm, "nonce": best["nonce"], "uri": req.Recipient.String(),
		"cnonce": hex.EncodeToString(cnonce[:]), "nc": "00000001",
	}
	for q := range strings.SplitSeq(best["qop"], ",") {
		if strings.TrimSpace(q) == "auth" {
			p["qop"] = "auth"
		}
	}
	algorithm := algorithmOf(best["algorithm"])
	v := fmt.Sprintf(`Digest username=%q, realm=%q, nonce=%q, uri=%q, response="%s", algorithm=%s`,
		p["username"], p["realm"], p["nonce"], p["uri"], digestResponse(algorithm, p, t.Password, string(req.Method)), algorithm)
	if p["qop"] != "" {
		v += fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s"`, p["nc"], p["cnonce"])
	}
	if o := best["opaque"]; o != "" {
		v += fmt.Sprintf(", opaque=%q", o)
	}
	req.AppendHeader(gosip.NewHeader(reply, v))
	return nil
}
