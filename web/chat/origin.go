package chat

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"tandem/bridge/chat"
	"tandem/store"
	"tandem/web/answer"
)

// normalOrigin is an origin as browsers write it (RFC 6454, section 6.1): scheme and
// host in lower case, no standard port. ok is false for what is none, "null" among it.
func normalOrigin(s string) (origin string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.Opaque != "" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == "" || (u.Scheme == "http" && port == "80") || (u.Scheme == "https" && port == "443") {
		host = strings.TrimSuffix(strings.TrimSuffix(host, port), ":")
	}
	return u.Scheme + "://" + host, true
}

// origin reads the Origin of a request. given is false if it has none; ok is false if it
// has more than one, or none that a page can have.
func origin(r *http.Request) (origin string, given, ok bool) {
	all := r.Header.Values("Origin")
	if len(all) == 0 {
		return "", false, true
	}
	if len(all) > 1 {
		return "", true, false
	}
	origin, ok = normalOrigin(all[0])
	return origin, true, ok && origin == strings.ToLower(all[0])
}

// isOwn reports whether an origin is the server's: its public address, or the loopback
// address by which it was reached, which no page of another machine can have.
func (d *Door) isOwn(r *http.Request, origin string) bool {
	host := strings.ToLower(r.Host)
	return origin == d.own || (answer.Loopback(host) && origin == "http://"+host)
}

func lists(origins []string, origin string) bool {
	return slices.ContainsFunc(origins, func(one string) bool {
		normal, ok := normalOrigin(one)
		return ok && normal == origin
	})
}

// source is the address a request came from.
func (d *Door) source(r *http.Request) netip.Addr { return answer.Source(r, d.o.Proxies) }

// allow lets a page of an origin read the answer: this one, and with no cookie.
func allow(w http.ResponseWriter, origin string) {
	h := w.Header()
	h.Add("Vary", "Origin")
	if origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Retry-After, Content-Disposition")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
}

// preflight answers what a browser asks before a page's request (Fetch standard, CORS
// protocol). Which site it is about is not known yet, so it may be any; the request
// itself is held against its own.
func (d *Door) preflight(w http.ResponseWriter, r *http.Request) {
	from, given, ok := origin(r)
	if !given || !ok || (!d.isOwn(r, from) && !lists(d.o.Origins(), from)) {
		refuseOrigin(w)
		return
	}
	allow(w, from)
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

func refuseOrigin(w http.ResponseWriter) {
	w.Header().Add("Vary", "Origin")
	answer.Refuse(w, http.StatusForbidden, "origin", "This page is not one on which the chat may stand. Add its origin to the site's origins in the configuration.")
}

// mine lets through who shows the token of a conversation, from a page on which its
// widget may stand. A request without Origin is no other page's: the token is not sent
// by itself, as a cookie would be.
func (d *Door) mine(h func(w http.ResponseWriter, r *http.Request, c chat.Conversation)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, given, ok := origin(r)
		if given && (!ok || (!d.isOwn(r, from) && !lists(d.o.Origins(), from))) {
			refuseOrigin(w)
			return
		}
		allow(w, from) // a listed page may read what is refused to it
		w.Header().Set("Referrer-Policy", "no-referrer")
		address := d.source(r)
		token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if wait := d.limits.look(guessing, answer.Network(address)); wait > 0 {
			tooMany(w, wait)
			return
		}
		c, err := chat.Conversation{}, store.ErrNotFound
		if found {
			c, err = d.o.Book.ByToken(r.Context(), token)
		}
		if errors.Is(err, store.ErrNotFound) {
			d.limits.take(guessing, answer.Network(address))
			w.Header().Set("WWW-Authenticate", "Bearer")
			answer.Refuse(w, http.StatusUnauthorized, "token", "This needs the token of a conversation, as Authorization: Bearer.")
			return
		}
		if err != nil {
			d.failed(w, r, err)
			return
		}
		site, _ := d.o.Sites(c.Entry) // a site that is gone has no origins
		if given && !d.isOwn(r, from) && !lists(site.Origins, from) {
			w.Header().Del("Access-Control-Allow-Origin")
			refuseOrigin(w)
			return
		}
		h(w, r, c)
	})
}

// failed answers an error that is none of the customer's.
func (d *Door) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrUnavailable) {
		w.Header().Set("Retry-After", "5")
		answer.Refuse(w, http.StatusServiceUnavailable, "unavailable", "This cannot be kept now. Try again in a moment.")
		return
	}
	if r.Context().Err() == nil {
		d.o.Log.Error("a request of the chat failed", "path", r.URL.Path, "error", err)
	}
	answer.Refuse(w, http.StatusInternalServerError, "internal", "Something went wrong here. It has been noted.")
}
