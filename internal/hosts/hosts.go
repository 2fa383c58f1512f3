// Package hosts is the operator's list of hosts that http steps may reach: the checker
// of flows and the client that sends the requests read it alike. It is pure.
package hosts

import (
	"net"
	"net/url"
	"strings"
)

// Allowed reports whether the list names the host of u: by a name or address, with a
// port or without (then any port), or by "*.example.com" for every name below it.
func Allowed(list []string, u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	for _, entry := range list {
		entry = strings.ToLower(entry)
		name, port := entry, ""
		if h, p, err := net.SplitHostPort(entry); err == nil {
			name, port = h, p
		}
		if port != "" && port != portOf(u) {
			continue
		}
		if below, ok := strings.CutPrefix(name, "*."); ok && strings.HasSuffix(host, "."+below) || host == strings.Trim(name, "[]") {
			return true
		}
	}
	return false
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}
