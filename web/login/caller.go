package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"

	"tandem/store/staff"
	"tandem/web/answer"
)

// Caller is who makes a request of the part of the API that programs may use, too: a user
// who has logged in, or a program that has a key.
type Caller struct {
	User  staff.User // who has logged in; zero with a key
	Key   staff.Key  // zero of a user
	login held
}

// Name is who it is in the audit log.
func (c Caller) Name() string {
	if c.Key.ID != "" {
		return "key " + c.Key.ID + " (" + c.Key.Name + ")"
	}
	return c.User.Name
}

// Agent is the agent that the caller is, or acts as; "" if none.
func (c Caller) Agent() string {
	switch {
	case c.Key.ID != "" && slices.Contains(c.Key.Scopes, staff.ScopeAgent):
		return c.Key.Agent
	case c.Key.ID == "" && c.User.Is(staff.Agent):
		return c.User.Name
	}
	return ""
}

// May reports whether the caller is a user with one of the roles, or has a key with one of
// the scopes.
func (c Caller) May(roles []staff.Role, scopes []staff.Scope) bool {
	if c.Key.ID != "" {
		return slices.ContainsFunc(scopes, func(s staff.Scope) bool { return slices.Contains(c.Key.Scopes, s) })
	}
	return c.User.Is(roles...)
}

// Called is who it is to themselves: the agent that the caller is or acts as, else the
// user's name or the key's.
func (c Caller) Called() string {
	switch {
	case c.Agent() != "":
		return c.Agent()
	case c.Key.ID != "":
		return c.Key.Name
	}
	return c.User.Name
}

type callerKey struct{}

// CallerOf returns who makes the request that ctx belongs to. It is for handlers behind
// RequireCaller and Greet; elsewhere it is the zero Caller, who may do nothing.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// RequireCaller lets users through who have one of the roles, as Require does, and programs
// whose key has one of the scopes. A request with a key is judged by the key alone: it needs
// no CSRF token, since no browser sends a key by itself.
func (d *Door) RequireCaller(h http.Handler, roles []staff.Role, scopes []staff.Scope) http.Handler {
	return d.nearOrKeyed(func(w http.ResponseWriter, r *http.Request) {
		c, err := d.caller(r)
		switch {
		case err != nil:
			d.refuseCaller(w, r, err)
		case c.Key.ID == "" && !safe(r.Method) && subtle.ConstantTimeCompare([]byte(r.Header.Get("X-CSRF-Token")), []byte(c.login.CSRF)) != 1:
			answer.Refuse(w, http.StatusForbidden, "csrf", "This request carries no valid token of its page. Load the page again.")
		case c.User.MustChange:
			answer.Refuse(w, http.StatusForbidden, "must_change", "Choose a password of your own first.")
		case d.mustTOTP(c.User):
			answer.Refuse(w, http.StatusForbidden, "must_totp", "Set up codes first: your role asks for them.")
		case !c.May(roles, scopes) && c.Key.ID != "":
			answer.Refuse(w, http.StatusForbidden, "forbidden", "This key's scopes do not include this.")
		case !c.May(roles, scopes):
			answer.Refuse(w, http.StatusForbidden, "forbidden", "Your role does not include this.")
		default:
			h.ServeHTTP(w, r.WithContext(withCaller(r.Context(), c)))
		}
	})
}

// Greet lets everybody through who may be told apart later: with a login, with a key, or
// with neither, for a WebSocket whose first frame has the key. Who comes with a cookie must
// come from our own pages, although a WebSocket begins as a GET: browsers send cookies along
// from anywhere.
func (d *Door) Greet(h http.Handler) http.Handler {
	return d.nearOrKeyed(func(w http.ResponseWriter, r *http.Request) {
		_, keyed := bearer(r)
		if (!keyed && token(r) != "" || len(r.Header.Values("Origin")) > 0) && !d.sameOrigin(r, strings.ToLower(r.Host)) {
			answer.Refuse(w, http.StatusForbidden, "origin", "This request was not made by a page of "+d.origin+".")
			return
		}
		c := Caller{login: held{from: d.source(r)}}
		if keyed || token(r) != "" {
			var err error
			if c, err = d.caller(r); err != nil {
				d.refuseCaller(w, r, err)
				return
			}
		}
		h.ServeHTTP(w, r.WithContext(withCaller(r.Context(), c)))
	})
}

// withCaller tells Record and From who it is, too.
func withCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(context.WithValue(ctx, callerKey{}, c), loginKey{}, c.login)
}

// WithKey is c's request with the key that its first frame has; staff.ErrNoLogin if it opens
// nothing. It comes back with the context that Record takes.
func (d *Door) WithKey(ctx context.Context, key string) (Caller, context.Context, error) {
	c := CallerOf(ctx)
	found, err := d.staff.LookKey(ctx, key)
	if err != nil {
		return Caller{}, ctx, err
	}
	c.User, c.Key = staff.User{}, found
	c.login.User = staff.User{}
	return c, withCaller(ctx, c), nil
}

// Again returns a caller as they are now: asking does not make a login last longer. It is
// staff.ErrNoLogin if the login has ended, the key was revoked, or nothing else is let in
// before the user has done something; other errors say nothing of the caller.
func (d *Door) Again(ctx context.Context, c Caller) (Caller, error) {
	if c.Key.ID != "" {
		key, err := d.staff.KeyAgain(ctx, c.Key.ID)
		if err != nil {
			return Caller{}, err
		}
		c.Key = key
		return c, nil
	}
	if c.User.Name == "" {
		return Caller{}, staff.ErrNoLogin
	}
	l, err := d.staff.Again(ctx, c.login.Login)
	if err == nil && (l.User.MustChange || d.mustTOTP(l.User)) {
		err = staff.ErrNoLogin
	}
	if err != nil {
		return Caller{}, err
	}
	c.User, c.login.Login = l.User, l
	return c, nil
}

// nearOrKeyed is near for who comes with a key, too: no page of another site can send one, so it
// needs no Origin; one that is there must be ours all the same.
func (d *Door) nearOrKeyed(h http.HandlerFunc) http.Handler {
	strict := d.near(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, keyed := bearer(r); !keyed || len(r.Header.Values("Origin")) > 0 {
			strict.ServeHTTP(w, r)
			return
		}
		if !d.ours(w, r) {
			return
		}
		h(w, r)
	})
}

// caller finds who makes a request: by its key if it has one, else by its cookie.
func (d *Door) caller(r *http.Request) (Caller, error) {
	if key, keyed := bearer(r); keyed {
		found, err := d.staff.LookKey(r.Context(), key)
		if err != nil {
			return Caller{}, err
		}
		return Caller{Key: found, login: held{from: d.source(r)}}, nil
	}
	l, err := d.look(r)
	if err != nil {
		return Caller{}, err
	}
	return Caller{User: l.User, login: l}, nil
}

// refuseCaller answers who could not be made out. To who sent a key it speaks of the key,
// and says the same of one that is unknown, was revoked or is too old.
func (d *Door) refuseCaller(w http.ResponseWriter, r *http.Request, err error) {
	if _, keyed := bearer(r); keyed && errors.Is(err, staff.ErrNoLogin) {
		answer.Refuse(w, http.StatusUnauthorized, "login", "This key is not taken: it is unknown, was revoked or has expired. Send Authorization: Bearer and a key that holds.")
		return
	}
	d.refuse(w, r, err)
}

// bearer is what stands in Authorization. keyed says that something does: a request with
// an Authorization that is none of ours is not let in by its cookie.
func bearer(r *http.Request) (key string, keyed bool) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", false
	}
	scheme, key, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", true
	}
	return strings.TrimSpace(key), true
}

// errNobody is Record's where there is nobody to write down.
var errNobody = errors.New("login: Record outside a request of a user")

// actorOf is who a context's request is by.
func actorOf(ctx context.Context) (staff.Actor, error) {
	l, _ := ctx.Value(loginKey{}).(held)
	if c := CallerOf(ctx); c.Key.ID != "" {
		return staff.Actor{Name: c.Name(), Source: l.from.String()}, nil
	}
	if l.User.Name == "" {
		return staff.Actor{}, errNobody
	}
	return staff.Actor{Name: l.User.Name, Source: l.from.String()}, nil
}

// Actor is who the request that ctx belongs to is by, as the audit log names them; zero if
// it is nobody.
func Actor(ctx context.Context) staff.Actor {
	a, _ := actorOf(ctx) // zero then
	return a
}
