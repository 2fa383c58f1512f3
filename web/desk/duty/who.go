package duty

import (
	"tandem/store/staff"
	"tandem/web/login"
)

// Agents are so by role or by key, and see what is theirs alone.
func Agents() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Agent}, []staff.Scope{staff.ScopeAgent}
}

// Readers see the whole line.
func Readers() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor, staff.Auditor}, []staff.Scope{staff.ScopeLineRead}
}

// Writers change it.
func Writers() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor}, []staff.Scope{staff.ScopeLineWrite}
}

// Counters see its figures, which name no customer.
func Counters() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor, staff.Operator, staff.Auditor}, []staff.Scope{staff.ScopeLineRead}
}

// Operators keep keys.
func Operators() ([]staff.Role, []staff.Scope) { return []staff.Role{staff.Operator}, nil }

// Hookers are let in where events are sent to.
func Hookers() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Operator}, []staff.Scope{staff.ScopeWebhooks}
}

// Listeners hear voicemails, if they do not have them.
func Listeners() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor}, []staff.Scope{staff.ScopeAudio}
}

// Clerks change tickets that they do not have.
func Clerks() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor}, []staff.Scope{staff.ScopeTickets}
}

// Group is who is let in, as the functions above say.
type Group func() ([]staff.Role, []staff.Scope)

// Holds reports whether a caller is one of a group.
func (g Group) Holds(c login.Caller) bool {
	roles, scopes := g()
	return c.May(roles, scopes)
}

// Overseers listen to others, and speak to them: people alone.
func Overseers() ([]staff.Role, []staff.Scope) { return []staff.Role{staff.Supervisor}, nil }

// Speakers may have a seat: people alone.
func Speakers() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Agent, staff.Supervisor}, nil
}
