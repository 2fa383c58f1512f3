package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Staff is how those who work here log in.
type Staff struct {
	LoginIdle time.Duration   `yaml:"login_idle"` // a login ends after so long without a request
	LoginMax  time.Duration   `yaml:"login_max"`  // and after so long in any case
	TOTP      []string        `yaml:"totp"`       // roles that must log in with codes, too
	OIDC      map[string]OIDC `yaml:"oidc"`       // by id, which is part of addresses
}

// OIDC is a provider that staff may log in by.
type OIDC struct {
	Name         string            `yaml:"name"`          // on the login page; "" = the id
	Issuer       string            `yaml:"issuer"`        // exactly as the provider writes it
	ClientID     string            `yaml:"client_id"`     //
	ClientSecret Secret            `yaml:"client_secret"` // "" = a public client
	Scopes       []string          `yaml:"scopes"`        // beside openid; [] = email and profile
	NameClaim    string            `yaml:"name_claim"`    // who the user is; "" = email
	RolesClaim   string            `yaml:"roles_claim"`   // where roles stand; "" = roles
	Roles        map[string]string `yaml:"roles"`         // from what stands there to a role here
}

// Studio is how flows are published.
type Studio struct {
	SecondPerson bool `yaml:"second_person"` // publishing takes somebody else than the author
}

// Bounds of a login's life.
const (
	minLoginIdle = time.Minute
	maxLoginMax  = 7 * 24 * time.Hour
	maxOIDCID    = 40 // characters
)

// StaffAddress is how staff reach their door: http.staff_url, or http://staff_listen.
func (h HTTP) StaffAddress() string {
	if h.StaffURL != "" {
		return strings.TrimSuffix(h.StaffURL, "/")
	}
	return "http://" + h.StaffListen
}

func (r *reader) checkStaff(c *Config) {
	r.checkStaffURL(c.HTTP.StaffURL)
	for _, p := range c.HTTP.Proxies {
		if _, err := Network(p); err != nil {
			r.wrong("http.proxies", "%q is no address or network: write 192.0.2.7 or 192.0.2.0/24", p)
		}
	}
	s := c.Staff
	if s.LoginIdle < minLoginIdle {
		r.wrong("staff.login_idle", "is under 1m, in which nobody can work")
	}
	if s.LoginMax < s.LoginIdle || s.LoginMax > maxLoginMax {
		r.wrong("staff.login_max", "goes from login_idle to 7d")
	}
	for _, role := range s.TOTP {
		r.role("staff.totp", role)
	}
	for _, id := range sortedNames(s.OIDC) {
		r.checkOIDC("staff.oidc."+id, id, s.OIDC[id])
	}
}

// checkStaffURL: browsers take the login's cookie from https, or from this machine.
func (r *reader) checkStaffURL(address string) {
	const key = "http.staff_url"
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		r.wrong(key, "%q is no address of a door: write https://HOST, without a path", address)
		return
	}
	if u.Scheme == "http" && !onThisMachine(u.Hostname()) {
		r.wrong(key, "must begin with https://: browsers send a login's cookie over plain http to this machine only; put a reverse proxy with TLS in front")
	}
}

func onThisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func (r *reader) checkOIDC(key, id string, o OIDC) {
	if len(id) > maxOIDCID || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		r.wrong(key, "is part of addresses: name it with at most %d small letters, digits and -", maxOIDCID)
	}
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || (u.Scheme != "https" && (u.Scheme != "http" || !onThisMachine(u.Hostname()))) {
		r.wrong(key+".issuer", "%q is no issuer: write the provider's https:// address exactly as its discovery has it", o.Issuer)
	}
	if o.ClientID == "" {
		r.wrong(key+".client_id", "is missing: the provider gives it when Tandem is registered there")
	}
	for _, scope := range o.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \"\\") {
			r.wrong(key+".scopes", "%q is no scope", scope)
		}
	}
	if len(o.Roles) == 0 {
		r.wrong(key+".roles", "is empty: nobody could log in; map what the provider says to roles, such as { flow-team: designer }")
	}
	for _, said := range sortedNames(o.Roles) {
		r.role(key+".roles."+said, o.Roles[said])
	}
}

func (r *reader) role(key, role string) {
	r.oneOf(key, role, "designer", "agent", "supervisor", "operator", "auditor")
}

// Network reads an address, or a network such as 192.0.2.0/24.
func Network(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap()
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(s)
}

// LocalOnly reports whether the staff's door can be reached from this machine alone.
func (h HTTP) LocalOnly() bool {
	host, _, err := net.SplitHostPort(h.StaffListen)
	return err == nil && onThisMachine(host)
}
