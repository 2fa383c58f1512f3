package staff

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/store"
)

// Role is what somebody may do here. A user may have several.
type Role string

// The roles. What each may see and change is in docs/staff.md.
const (
	Designer   Role = "designer"   // writes flows
	Agent      Role = "agent"      // talks with customers
	Supervisor Role = "supervisor" // looks after agents
	Operator   Role = "operator"   // keeps the server and its users
	Auditor    Role = "auditor"    // reads everything, changes nothing
)

// Roles returns every role.
func Roles() []Role { return []Role{Designer, Agent, Supervisor, Operator, Auditor} }

// ParseRoles reads names of roles and drops doubles; at least one must be there.
func ParseRoles(names []string) ([]Role, error) {
	var out []Role
	for _, name := range names {
		role := Role(strings.TrimSpace(name))
		if !slices.Contains(Roles(), role) {
			return nil, fmt.Errorf("%q is no role: the roles are designer, agent, supervisor, operator and auditor", name)
		}
		if !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("at least one role is needed: designer, agent, supervisor, operator or auditor")
	}
	return out, nil
}

// User is one of the staff.
type User struct {
	Name       string // who it is in the audit log and in proposals; never changes
	Display    string // as pages show it
	Roles      []Role
	Lang       string // of the pages; "" = as the browser asks
	Provider   string // the OIDC provider's id; "" = a local user
	TOTP       bool   // logs in with a code, too
	MustChange bool   // the password is one that somebody else has seen
	Disabled   bool
	Created    time.Time
	LastLogin  time.Time

	no       int64
	password string
	totp     []byte
	next     []byte
	step     int64
}

// Is reports whether the user has one of the roles.
func (u User) Is(roles ...Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(u.Roles, r) })
}

// Bounds of what a user is made of.
const (
	maxName    = 100 // bytes
	maxDisplay = 100 // bytes
	maxLang    = 35  // bytes: the longest tag that BCP 47 asks everybody to take
)

// Name folds a name as it is written and checks it: Latin letters, digits and . _ - @ +,
// so that no two look the same.
func Name(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || len(s) > maxName || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._-@+") != "" {
		return "", fmt.Errorf("a user's name has 1 to %d Latin letters, digits and . _ - @ +", maxName)
	}
	return s, nil
}

// Display checks a name as pages show it; without one it is the user's name.
func Display(s, name string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return name, nil
	}
	if len(s) > maxDisplay || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\u202e' || c == '\ufffd' }) {
		return "", fmt.Errorf("the name to show has at most %d bytes of plain text", maxDisplay)
	}
	return s, nil
}

// What callers branch on.
var (
	// ErrWrong: name, password or code do not fit, or the user is disabled. Which of
	// them is in the audit log only.
	ErrWrong = errors.New("name, password or code is wrong")
	// ErrCodeRequired: name and password are right, this user has a code, too.
	ErrCodeRequired = errors.New("a code is needed, too")
	// ErrBusy: too many passwords are being checked at once; try again in a moment.
	ErrBusy = errors.New("too many passwords are being checked at once")
	// ErrNoLogin: the token belongs to no login, or to one that has ended.
	ErrNoLogin = errors.New("not logged in")
	// ErrNoUser: no user has this name.
	ErrNoUser = errors.New("there is no such user")
	// ErrTaken: a user has this name already.
	ErrTaken = errors.New("this name is taken")
	// ErrNotLocal: the user's password and code are kept by a provider.
	ErrNotLocal = errors.New("this user logs in by a provider, which keeps password and codes")
	// ErrHasTOTP: a second factor is set up and must be removed first.
	ErrHasTOTP = errors.New("codes are set up already; remove them first")
)

// WeakError says what is wrong with a new password.
type WeakError string

func (e WeakError) Error() string { return string(e) }

const userColumns = `u.no, u.name, u.display, u.roles, u.lang, u.provider, u.totp, u.must_change, u.disabled, u.created, u.last_login, u.password, u.totp_next, u.totp_step`

// userFields is how many those are.
const userFields = 14

// userRow is a row of userColumns, which come first in it.
func userRow(row store.Row) User {
	u := User{no: row.Int(0), Name: row.Text(1), Display: row.Text(2), Lang: row.Text(4), Provider: row.Text(5), MustChange: row.Bool(7),
		Disabled: row.Bool(8), Created: row.Time(9), LastLogin: row.Time(10), password: row.Text(11), totp: row.Bytes(6), next: row.Bytes(12), step: row.Int(13)}
	u.TOTP = u.totp != nil
	for name := range strings.FieldsSeq(row.Text(3)) {
		u.Roles = append(u.Roles, Role(name))
	}
	return u
}

func joined(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, " ")
}

// find reads one user; ErrNoUser if there is none.
func find(tx store.Tx, name string) (u User, err error) {
	found, err := tx.One("SELECT "+userColumns+" FROM staff_user u WHERE u.name = ?", func(row store.Row) { u = userRow(row) }, name)
	if err == nil && !found {
		err = ErrNoUser
	}
	return u, err
}
