// Package login is how staff come in: it shows who is logged in, takes passwords and
// codes, sends to OIDC providers and back, and keeps everybody else out of what other
// parts of the staff door show. Those put their handlers behind Require.
//
// It starts no goroutine. It never says whether a name or a password was wrong, never
// trusts what a page says of its user, and logs no password, code, token or name typed.
package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tandem/store"
	"tandem/store/staff"
	"tandem/web/answer"
)

// cookieName's prefix makes browsers hold what is promised: from a secure origin, for
// this host alone, for every path.
const cookieName = "__Host-tandem"

// Options is what a Door is made of.
type Options struct {
	Register     *staff.Register
	URL          string         // how staff reach the door, http.staff_url
	Proxies      []netip.Prefix // whose X-Forwarded-For is believed
	Codes        []staff.Role   // roles that must log in with codes, too
	SecondPerson bool           // told to pages: publishing takes a second person
	Providers    []Provider     // OIDC
	Log          *slog.Logger
	Now          func() time.Time // time.Now if nil
}

// Door lets staff in.
type Door struct {
	o       Options
	staff   *staff.Register
	origin  string // of the pages: scheme://host
	host    string
	limits  *limiter
	pending *pending
	verdict verdict
}

// New makes a Door.
func New(o Options) (*Door, error) {
	if o.Register == nil || o.Log == nil {
		return nil, errors.New("login: Options need Register and Log")
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("login: Options need URL, http://HOST or https://HOST")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Door{o: o, staff: o.Register, origin: u.Scheme + "://" + strings.ToLower(u.Host), host: strings.ToLower(u.Host),
		limits: newLimiter(o.Now), pending: newPending(o.Now)}
	return d, nil
}

type loginKey struct{}

// From returns who makes the request that ctx belongs to. It is for handlers behind
// Require; elsewhere it is the zero User, who has no name and no role.
func From(ctx context.Context) staff.User {
	l, _ := ctx.Value(loginKey{}).(held)
	return l.User
}

// held is a login in the hand of one request.
type held struct {
	staff.Login
	from netip.Addr
}

// Record writes to the audit log what the user or key of a request does. It is durable when
// Record returns nil: do what must be accounted for only then.
func (d *Door) Record(ctx context.Context, action, object, detail string) error {
	by, err := actorOf(ctx)
	if err != nil {
		return err
	}
	return d.staff.Record(ctx, by, action, object, detail)
}

// Require lets only users with one of the roles through to h, or with any if none is
// given. User and role are looked up for every request. Those that change something
// must come from our own pages and carry the login's CSRF token.
func (d *Door) Require(h http.Handler, roles ...staff.Role) http.Handler {
	return d.own(func(w http.ResponseWriter, r *http.Request) {
		u := From(r.Context())
		switch {
		case u.MustChange:
			answer.Refuse(w, http.StatusForbidden, "must_change", "Choose a password of your own first.")
		case d.mustTOTP(u):
			answer.Refuse(w, http.StatusForbidden, "must_totp", "Set up codes first: your role asks for them.")
		case len(roles) > 0 && !u.Is(roles...):
			answer.Refuse(w, http.StatusForbidden, "forbidden", "Your role does not include this.")
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// Still reports whether the login of a request that ctx belongs to has not ended, and
// its user still has one of the roles. A handler that goes on for long asks it before
// all that it tells; asking does not make the login last longer.
func (d *Door) Still(ctx context.Context, roles ...staff.Role) bool {
	l, ok := ctx.Value(loginKey{}).(held)
	if !ok {
		return false
	}
	now, err := d.staff.Again(ctx, l.Login)
	return err == nil && (len(roles) == 0 || now.User.Is(roles...))
}

// mustTOTP reports whether a user lacks codes that a role of theirs asks for. A
// provider's users have whatever second factor the provider asks for.
func (d *Door) mustTOTP(u staff.User) bool {
	return u.Provider == "" && !u.TOTP && u.Is(d.o.Codes...)
}

// own lets everybody through who is logged in.
func (d *Door) own(h http.HandlerFunc) http.Handler {
	return d.near(func(w http.ResponseWriter, r *http.Request) {
		l, err := d.look(r)
		if err != nil {
			d.refuse(w, r, err)
			return
		}
		token := r.Header.Get("X-CSRF-Token")
		if !safe(r.Method) && subtle.ConstantTimeCompare([]byte(token), []byte(l.CSRF)) != 1 {
			answer.Refuse(w, http.StatusForbidden, "csrf", "This request carries no valid token of its page. Load the page again.")
			return
		}
		h(w, r.WithContext(context.WithValue(r.Context(), loginKey{}, l)))
	})
}

func (d *Door) look(r *http.Request) (held, error) {
	l, err := d.staff.Look(r.Context(), token(r))
	return held{l, d.source(r)}, err
}

func token(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// safe reports whether a method changes nothing (RFC 9110, section 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead
}

// near refuses what does not come from our own pages: a name for this address that is
// not ours, and requests to change something that another site's page makes.
func (d *Door) near(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.ours(w, r) {
			return
		}
		if !safe(r.Method) && !d.sameOrigin(r, strings.ToLower(r.Host)) {
			answer.Refuse(w, http.StatusForbidden, "origin", "This request was not made by a page of "+d.origin+".")
			return
		}
		h(w, r)
	})
}

// ours reports whether a request is for a name of this door; else it is answered.
func (d *Door) ours(w http.ResponseWriter, r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if host == d.host || answer.Loopback(host) {
		return true
	}
	answer.Refuse(w, http.StatusMisdirectedRequest, "host", "This door answers to "+d.origin+" only; http.staff_url says so.")
	return false
}

func (d *Door) sameOrigin(r *http.Request, host string) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return r.Header.Get("Sec-Fetch-Site") == "same-origin"
	}
	if len(origins) > 1 {
		return false
	}
	return origins[0] == d.origin || (answer.Loopback(host) && origins[0] == "http://"+host)
}

// source is the address a request came from.
func (d *Door) source(r *http.Request) netip.Addr { return answer.Source(r, d.o.Proxies) }

// refuse answers an error of the register.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var weak staff.WeakError
	switch {
	case errors.Is(err, staff.ErrNoLogin):
		answer.JSON(w, http.StatusUnauthorized, d.invitation())
	case errors.Is(err, store.ErrUnavailable): // before what it would have been: that is not in the audit log
		w.Header().Set("Retry-After", "5")
		answer.Refuse(w, http.StatusServiceUnavailable, "unavailable", "The store does not write now, so nobody can be let in and nothing changed. Try again soon.")
	case errors.Is(err, staff.ErrWrong):
		answer.Refuse(w, http.StatusUnauthorized, "login_failed", "Name, password or code is wrong.")
	case errors.Is(err, staff.ErrCodeRequired):
		answer.Refuse(w, http.StatusUnauthorized, "code_required", "Give the code of your authenticator, too.")
	case errors.Is(err, staff.ErrBusy):
		tooMany(w, time.Second)
	case errors.As(err, &weak):
		answer.Refuse(w, http.StatusUnprocessableEntity, "weak_password", weak.Error())
	case errors.Is(err, staff.ErrNotLocal):
		answer.Refuse(w, http.StatusConflict, "not_local", "This user logs in by a provider, which keeps password and codes.")
	case errors.Is(err, staff.ErrHasTOTP):
		answer.Refuse(w, http.StatusConflict, "has_totp", "Codes are set up already. Remove them first.")
	case errors.Is(err, staff.ErrTaken):
		answer.Refuse(w, http.StatusConflict, "taken", "This name is taken.")
	case errors.Is(err, staff.ErrNoUser):
		answer.Refuse(w, http.StatusNotFound, "not_found", "There is no such user.")
	default:
		if r.Context().Err() == nil {
			d.o.Log.Error("a request of the staff failed", "path", r.URL.Path, "error", err)
		}
		answer.Refuse(w, http.StatusInternalServerError, "internal", "Something went wrong here. It has been noted.")
	}
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	answer.Refuse(w, http.StatusTooManyRequests, "too_many", "Too many attempts. Wait a little.")
}

// invited is the answer to who is not logged in: how they can.
type invited struct {
	answer.Problem
	Login ways `json:"login"`
}

type ways struct {
	Local bool  `json:"local"`
	OIDC  []way `json:"oidc"`
}

type way struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (d *Door) invitation() invited {
	v := invited{answer.Problem{Code: "login", Message: "Log in first."}, ways{Local: true, OIDC: []way{}}}
	for _, p := range d.o.Providers {
		v.Login.OIDC = append(v.Login.OIDC, way{p.ID(), p.Name()})
	}
	return v
}

// keep gives the browser its token. The cookie lives as long as the browser runs; when
// the login ends is up to us.
func keep(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

func forget(w http.ResponseWriter, name string, site http.SameSite) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: site})
}
