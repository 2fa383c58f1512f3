package staff

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// cheap makes passwords quick to check.
var cheap = Cost{Memory: 64, Passes: 1, Lanes: 1}

// place is a register, its clock, and the database below.
type place struct {
	*Register
	clock *storetest.Still
	db    *sqlite.DB
	o     Options
	path  string
}

const good = "orange ladder tree"

var operator = Actor{Name: "operator root", Source: "command"}

func newPlace(t *testing.T) *place {
	t.Helper()
	at := storetest.NewPlace(t)
	p := &place{clock: storetest.NewStill(time.Unix(1795424400, 0).UTC()), path: filepath.Join(at.Dir, "tandem.db")}
	var err error
	p.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: p.path, Keys: at.Keys, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.db.Close() })
	p.o = Options{Database: p.db, Keys: at.Keys, Now: p.clock.Now, Cost: cheap}
	if p.Register, err = New(p.o); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) add(t *testing.T, name string, roles ...Role) {
	t.Helper()
	if _, err := p.Add(t.Context(), operator, User{Name: name, Roles: roles}, good); err != nil {
		t.Fatal(err)
	}
}

// enter logs in with the good password.
func (p *place) enter(t *testing.T, name, code string) (string, Login) {
	t.Helper()
	token, l, err := p.Enter(t.Context(), Attempt{Name: name, Password: good, Code: code, Source: "192.0.2.1"})
	if err != nil {
		t.Fatalf("%s cannot log in: %v", name, err)
	}
	return token, l
}

// exec changes the database behind the register's back.
func (p *place) exec(t *testing.T, statements ...string) {
	t.Helper()
	err := p.db.Update(t.Context(), func(tx store.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *place) actions(t *testing.T) (out []string) {
	t.Helper()
	entries, err := p.Entries(t.Context(), 0, maxEntries)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Backward(entries) {
		out = append(out, strings.TrimSpace(e.Actor+" "+e.Action+" "+e.Object+" "+e.Detail))
	}
	return out
}

func TestNamesAndRoles(t *testing.T) {
	for in, want := range map[string]string{" Ann ": "ann", "ann@Bank.example": "ann@bank.example", "": "", "an n": "", "аnn": "", "a/b": "", strings.Repeat("a", 101): ""} {
		got, err := Name(in)
		if got != want || (want == "") != (err != nil) {
			t.Errorf("Name(%q) = %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{"": "ann", " 王芳 ": "王芳", "a\nb": "", "a\u202eb": "", strings.Repeat("a", 101): ""} {
		if got, err := Display(in, "ann"); got != want || (want == "") != (err != nil) {
			t.Errorf("Display(%q) = %q, %v", in, got, err)
		}
	}
	if got, err := ParseRoles([]string{"operator", " designer", "operator"}); err != nil || joined(got) != "operator designer" {
		t.Errorf("roles %v, %v", got, err)
	}
	for _, in := range [][]string{nil, {""}, {"boss"}, {"Designer"}} {
		if got, err := ParseRoles(in); err == nil {
			t.Errorf("ParseRoles(%q) = %v", in, got)
		}
	}
	u := User{Roles: []Role{Designer}}
	if !u.Is(Operator, Designer) || u.Is(Operator) || u.Is() || (User{}).Is(Roles()...) {
		t.Error("Is")
	}
}

func TestUsersAreAddedChangedAndReset(t *testing.T) {
	p := newPlace(t)
	drawn, err := p.Add(t.Context(), operator, User{Name: "Ann", Roles: []Role{Designer}, MustChange: true}, "")
	if err != nil || len(drawn) != 23 || CheckPassword(drawn, "ann") != nil {
		t.Fatalf("drew %q, %v", drawn, err)
	}
	if _, err := p.Add(t.Context(), operator, User{Name: "ann", Roles: []Role{Agent}}, ""); !errors.Is(err, ErrTaken) {
		t.Errorf("a second ann: %v", err)
	}
	token, l, err := p.Enter(t.Context(), Attempt{Name: "ANN", Password: drawn})
	if err != nil || !l.User.MustChange || l.User.Display != "ann" {
		t.Fatalf("entered: %+v, %v", l, err)
	}
	if err := p.Change(t.Context(), operator, "ann", Change{Roles: []Role{Designer}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Look(t.Context(), token); err != nil {
		t.Errorf("a change that is none ended the login: %v", err)
	}
	yes := true
	for name, change := range map[string]Change{"roles": {Roles: []Role{Auditor}}, "disabled": {Disabled: &yes}} {
		token, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: drawn})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Change(t.Context(), operator, "ann", change); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Look(t.Context(), token); !errors.Is(err, ErrNoLogin) {
			t.Errorf("%s: the login goes on: %v", name, err)
		}
		no := false
		if err := p.Change(t.Context(), operator, "ann", Change{Disabled: &no}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Reset(t.Context(), operator, "ann", good, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: drawn}); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	if _, l := p.enter(t, "ann", ""); !l.User.MustChange || !l.User.Is(Auditor) {
		t.Errorf("after a reset: %+v", l.User)
	}
	for _, do := range []func() error{
		func() error { return p.Change(t.Context(), operator, "bob", Change{Disabled: &yes}) },
		func() error { _, err := p.Reset(t.Context(), operator, "bob", "", true); return err },
		func() error { _, err := p.User(t.Context(), "bob"); return err },
	} {
		if err := do(); !errors.Is(err, ErrNoUser) {
			t.Errorf("nobody's: %v", err)
		}
	}
	if users, err := p.Users(t.Context()); err != nil || len(users) != 1 || users[0].LastLogin.IsZero() {
		t.Errorf("users %+v, %v", users, err)
	}
}

func TestNothingSecretIsStored(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	token, l := p.enter(t, "ann", "")
	uri, err := p.BeginTOTP(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	secret := secretOf(t, uri)
	recovery, err := p.ConfirmTOTP(t.Context(), l, p.codeAt(t, secret, 0))
	if err != nil {
		t.Fatal(err)
	}
	secrets := append([]string{good, token, secret}, recovery...)
	err = p.db.View(t.Context(), func(tx store.Tx) error {
		for _, table := range []string{"staff_user", "staff_login", "staff_recovery", "staff_audit"} {
			err := tx.Each("SELECT * FROM "+table, func(row store.Row) error {
				for i := range row {
					for _, s := range secrets {
						if strings.Contains(row.Text(i), s) || strings.Contains(row.Text(i), strings.ReplaceAll(s, "-", "")) {
							t.Errorf("%s has a secret in column %d", table, i)
						}
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
