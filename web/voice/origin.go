package voice

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tandem/web/answer"
)

// normalOrigin is an origin as browsers write it (RFC 6454, section 6.1). ok is false for
// what is none, "null" among it.
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

// stands reports whether the page of a request may call: the server's own, by its public
// address or the loopback address by which it was reached, or one that is listed.
func (d *Door) stands(r *http.Request) bool {
	all := r.Header.Values("Origin")
	if len(all) != 1 {
		return false
	}
	origin, ok := normalOrigin(all[0])
	if !ok || origin != strings.ToLower(all[0]) {
		return false
	}
	host := strings.ToLower(r.Host)
	if origin == d.own || answer.Loopback(host) && origin == "http://"+host {
		return true
	}
	return slices.ContainsFunc(d.o.Origins(), func(one string) bool {
		normal, ok := normalOrigin(one)
		return ok && normal == origin
	})
}
