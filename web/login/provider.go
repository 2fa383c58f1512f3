package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"tandem/store"
	"tandem/store/staff"
	"tandem/web/answer"
)

// Provider is a service outside that checks who somebody is; web/oidc speaks with one.
type Provider interface {
	ID() string   // in addresses
	Name() string // on the login page
	// Away returns the provider's address that the browser is sent to.
	Away(ctx context.Context, t Trip) (string, error)
	// Back checks what the provider says of somebody who came back with a code. issuer is
	// who says so, nil if nobody did. The errors are those below, with the reason for the log.
	Back(ctx context.Context, t Trip, code string, issuer *string) (staff.Claims, error)
}

// Trip is one login by a provider: what is drawn for it, and where it comes back to.
type Trip struct {
	Redirect, State, Nonce, Verifier string
}

var (
	// ErrUnreached: the provider does not answer.
	ErrUnreached = errors.New("the provider does not answer")
	// ErrRefused: the provider refuses, or what it says does not hold.
	ErrRefused = errors.New("the provider's answer does not let anybody in")
	// ErrNoRole: the provider knows somebody who has no role here.
	ErrNoRole = errors.New("none of the provider's roles leads to one of ours")
)

// The login page says in words what these mean; see docs/staff.md.
const (
	problemUnreached = "oidc_unreached" // the provider does not answer
	problemRefused   = "oidc_refused"   // the provider, or our check of what it says, refuses
	problemExpired   = "oidc_expired"   // begun too long ago, elsewhere, or used already
	problemNoRole    = "oidc_no_role"   // known there, without a role here
	problemTaken     = "oidc_taken"     // the name belongs to another user here
	problemDisabled  = "oidc_disabled"  // the user is disabled here
	problemStore     = "unavailable"    // our store does not write
	problemTooMany   = "too_many"
)

// toProvider sends the browser to the provider.
func (d *Door) toProvider(w http.ResponseWriter, r *http.Request) {
	p := d.provider(r)
	if p == nil {
		http.NotFound(w, r)
		return
	}
	b, state, ok := d.pending.begin(p.ID(), d.source(r))
	if !ok {
		d.back(w, r, problemTooMany)
		return
	}
	away, err := p.Away(r.Context(), d.trip(r, p, b, state))
	if err != nil {
		d.o.Log.Warn("an OIDC provider does not answer", "provider", p.ID(), "error", short(err))
		d.back(w, r, problemUnreached)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: tripCookie, Value: b.browser, Path: "/", MaxAge: int(pendingTime / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}) // Lax: it must come along from the provider
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, away, http.StatusFound)
}

func (d *Door) trip(r *http.Request, p Provider, b begun, state string) Trip {
	return Trip{Redirect: d.base(r) + "/api/v1/oidc/" + p.ID() + "/callback", State: state, Nonce: b.nonce, Verifier: b.verifier}
}

// fromProvider is where the provider sends the browser back to.
func (d *Door) fromProvider(w http.ResponseWriter, r *http.Request) {
	p := d.provider(r)
	if p == nil {
		http.NotFound(w, r)
		return
	}
	forget(w, tripCookie, http.SameSiteLaxMode)
	w.Header().Set("Cache-Control", "no-store")
	claims, err := d.returned(r, p)
	if err == nil {
		claims.Source, claims.Old = d.source(r).String(), token(r)
		var fresh string
		if fresh, _, err = d.staff.Admit(r.Context(), claims); err == nil {
			keep(w, fresh)
			http.Redirect(w, r, "/login", http.StatusSeeOther) // it leads on to where their roles work
			return
		}
	}
	problem := problemOf(err)
	d.o.Log.Warn("a login by a provider failed", "provider", p.ID(), "problem", problem, "error", short(err))
	if !errors.Is(err, staff.ErrWrong) { // that one is in the audit log already
		if err := d.staff.Failed(r.Context(), d.source(r).String(), "", "by "+p.ID()+": "+problem); err != nil {
			d.o.Log.Error("a failed login is not in the audit log", "error", err)
		}
	}
	d.back(w, r, problem)
}

var errExpired = errors.New("no login was begun with this state by this browser")

func problemOf(err error) string {
	for _, p := range []struct {
		err  error
		name string
	}{
		{errExpired, problemExpired}, {ErrUnreached, problemUnreached}, {ErrNoRole, problemNoRole}, {staff.ErrTaken, problemTaken},
		{staff.ErrWrong, problemDisabled}, {store.ErrUnavailable, problemStore},
	} {
		if errors.Is(err, p.err) {
			return p.name
		}
	}
	return problemRefused
}

// returned is what the provider says of who came back.
func (d *Door) returned(r *http.Request, p Provider) (c staff.Claims, err error) {
	q := r.URL.Query()
	browser := ""
	if cookie, err := r.Cookie(tripCookie); err == nil {
		browser = cookie.Value
	}
	state := q.Get("state")
	b, ok := d.pending.take(state, browser, p.ID())
	if !ok {
		return c, errExpired
	}
	if said := q.Get("error"); said != "" {
		return c, fmt.Errorf("it says %q: %w", said, ErrRefused)
	}
	var issuer *string
	if q.Has("iss") {
		said := q.Get("iss")
		issuer = &said
	}
	return p.Back(r.Context(), d.trip(r, p, b, state), q.Get("code"), issuer)
}

func (d *Door) provider(r *http.Request) Provider {
	for _, p := range d.o.Providers {
		if p.ID() == r.PathValue("id") {
			return p
		}
	}
	return nil
}

// base is the door's address in this browser; near has checked the host.
func (d *Door) base(r *http.Request) string {
	if strings.ToLower(r.Host) != d.host && answer.Loopback(r.Host) && answer.Loopback(d.host) {
		return "http://" + strings.ToLower(r.Host)
	}
	return d.origin
}

// back leads to the login page, which says what is wrong.
func (d *Door) back(w http.ResponseWriter, r *http.Request, problem string) {
	http.Redirect(w, r, "/login?failed="+problem, http.StatusSeeOther)
}

// short is an error for the log: a provider's answer in it may be long.
func short(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if len(text) > 300 {
		text = text[:300] + "…"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

const (
	tripCookie        = "__Host-tandem-trip"
	pendingTime       = 10 * time.Minute // to log in at the provider
	maxPending        = 1000             // logins under way; more push out the oldest
	maxPendingAddress = 50               // of one address; more are refused
)

// pending are the logins that were sent to a provider and have not come back.
type pending struct {
	now func() time.Time

	mu    sync.Mutex
	begun map[string]begun // by state
}

// begun is one of them.
type begun struct {
	provider, browser, nonce, verifier string
	source                             string
	at                                 time.Time
}

func newPending(now func() time.Time) *pending {
	return &pending{now: now, begun: map[string]begun{}}
}

func (p *pending) begin(provider string, source netip.Addr) (b begun, state string, ok bool) {
	b = begun{provider: provider, browser: random(), nonce: random(), verifier: random(), source: answer.Network(source), at: p.now()}
	state = random()
	p.mu.Lock()
	defer p.mu.Unlock()
	same := 0
	for key, other := range p.begun {
		if b.at.Sub(other.at) >= pendingTime {
			delete(p.begun, key)
		} else if other.source == b.source {
			same++
		}
	}
	if same >= maxPendingAddress {
		return begun{}, "", false
	}
	if len(p.begun) >= maxPending {
		drop(p.begun, func(b begun) time.Time { return b.at })
	}
	p.begun[state] = b
	return b, state, true
}

// take gives a login back once, to the browser that began it.
func (p *pending) take(state, browser, provider string) (begun, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, ok := p.begun[state]
	if !ok || b.provider != provider || subtle.ConstantTimeCompare([]byte(b.browser), []byte(browser)) != 1 {
		return begun{}, false
	}
	delete(p.begun, state)
	return b, p.now().Sub(b.at) < pendingTime
}

// random is 256 bits that nobody guesses.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it does not fail
	return base64.RawURLEncoding.EncodeToString(b[:])
}
