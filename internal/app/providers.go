package app

import (
	"maps"
	"slices"

	"tandem/internal/config"
	"tandem/store/staff"
	"tandem/web/login"
	"tandem/web/oidc"
)

// What the configuration's empty values mean for a provider.
const (
	usualNameClaim  = "email"
	usualRolesClaim = "roles"
)

// providers are those that staff may log in by. None is asked anything yet.
func (a *App) providers() []login.Provider {
	var out []login.Provider
	for _, id := range slices.Sorted(maps.Keys(a.cfg.Staff.OIDC)) {
		out = append(out, oidc.New(a.providerOptions(id, a.cfg.Staff.OIDC[id])))
	}
	return out
}

func (a *App) providerOptions(id string, c config.OIDC) oidc.Options {
	o := oidc.Options{ID: id, Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), Scopes: c.Scopes,
		NameClaim: c.NameClaim, RolesClaim: c.RolesClaim, Roles: map[string]staff.Role{}, Now: a.now}
	if o.Name == "" {
		o.Name = id
	}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"email", "profile"}
	}
	if o.NameClaim == "" {
		o.NameClaim = usualNameClaim
	}
	if o.RolesClaim == "" {
		o.RolesClaim = usualRolesClaim
	}
	for said, role := range c.Roles {
		o.Roles[said] = staff.Role(role)
	}
	return o
}
