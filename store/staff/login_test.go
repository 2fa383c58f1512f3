package staff

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLoginsEnd(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	token, l := p.enter(t, "ann", "")
	if len(token) != 43 || l.CSRF == token || len(l.CSRF) != 43 {
		t.Errorf("token %d and CSRF token %d characters", len(token), len(l.CSRF))
	}
	for name, bad := range map[string]string{"": "", "another": strings.Repeat("A", 43), "long": strings.Repeat("A", 10000), "the hash": string(l.hash)} {
		if _, err := p.Look(t.Context(), bad); !errors.Is(err, ErrNoLogin) {
			t.Errorf("token %s: %v", name, err)
		}
	}
	// Used every 20 minutes it outlives the idle time, but not the longest.
	begun := p.clock.Now()
	for p.clock.Now().Sub(begun)+20*time.Minute < defaultLongest {
		p.clock.Add(20 * time.Minute)
		if now, err := p.Look(t.Context(), token); err != nil || now.Ends.After(begun.Add(defaultLongest)) {
			t.Fatalf("after %v: %+v, %v", p.clock.Now().Sub(begun), now, err)
		}
	}
	p.clock.Add(20 * time.Minute)
	if _, err := p.Look(t.Context(), token); !errors.Is(err, ErrNoLogin) {
		t.Errorf("after 12 h: %v", err)
	}
	token, _ = p.enter(t, "ann", "")
	p.clock.Add(defaultIdle)
	if _, err := p.Look(t.Context(), token); !errors.Is(err, ErrNoLogin) {
		t.Errorf("after 30 min without a request: %v", err)
	}
}

func TestLeaveAndReplace(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	first, _ := p.enter(t, "ann", "")
	second, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: good, Old: first})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Look(t.Context(), first); !errors.Is(err, ErrNoLogin) {
		t.Errorf("the login that was replaced: %v", err)
	}
	l, err := p.Look(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Leave(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Look(t.Context(), second); !errors.Is(err, ErrNoLogin) {
		t.Errorf("after logging out: %v", err)
	}
}

func TestLoginsAreBounded(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	var tokens []string
	for range maxLogins + 2 {
		token, _ := p.enter(t, "ann", "")
		tokens = append(tokens, token)
		p.clock.Add(time.Second)
	}
	for i, token := range tokens {
		if _, err := p.Look(t.Context(), token); (err == nil) != (i >= 2) {
			t.Errorf("login %d of %d: %v", i, len(tokens), err)
		}
	}
}

func TestFailuresAreWrittenWithoutWhatWasTyped(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	yes := true
	for _, a := range []Attempt{{Name: "ann", Password: "hunter2 hunter2"}, {Name: "my-secret-password", Password: "hunter2"}, {Name: "not a name!", Password: "x"}} {
		if _, _, err := p.Enter(t.Context(), a); !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", a.Name, err)
		}
	}
	if err := p.Change(t.Context(), operator, "ann", Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: good}); !errors.Is(err, ErrWrong) {
		t.Errorf("disabled: %v", err)
	}
	got := strings.Join(p.actions(t), "\n")
	want := `operator root user.add ann designer
nobody login.failed ann wrong password
nobody login.failed  unknown name
nobody login.failed  unknown name
operator root user.disable ann
nobody login.failed ann disabled`
	if got != want {
		t.Errorf("the log has\n%s\nwant\n%s", got, want)
	}
}

func TestFailuresDoNotFloodTheLog(t *testing.T) {
	p := newPlace(t)
	for range maxFailures + 7 {
		if err := p.Failed(t.Context(), "192.0.2.1", "", "unknown name"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.actions(t)); n != maxFailures {
		t.Errorf("%d entries", n)
	}
	p.clock.Add(time.Minute)
	if err := p.Failed(t.Context(), "192.0.2.1", "", "unknown name"); err != nil {
		t.Fatal(err)
	}
	all := p.actions(t)
	if last := all[len(all)-1]; last != "nobody login.failed  unknown name; 7 more before this one were not written" {
		t.Error(last)
	}
}

func TestAdmit(t *testing.T) {
	p := newPlace(t)
	p.add(t, "bob", Operator)
	c := Claims{Provider: "company", Subject: "s-1", Name: "ann@bank.example", Display: "Ann", Roles: []Role{Designer}, Source: "192.0.2.1"}
	first, l, err := p.Admit(t.Context(), c)
	if err != nil || l.User.Name != c.Name || l.User.Provider != "company" || !l.User.Is(Designer) {
		t.Fatalf("%+v, %v", l, err)
	}
	c.Name, c.Display = "renamed@bank.example", "Ann B."
	if _, l, err = p.Admit(t.Context(), c); err != nil || l.User.Name != "ann@bank.example" || l.User.Display != "Ann B." {
		t.Errorf("a new name there: %+v, %v", l.User, err)
	}
	if _, err := p.Look(t.Context(), first); err != nil {
		t.Errorf("a second login ended the first: %v", err)
	}
	c.Roles = []Role{Auditor}
	if _, l, err = p.Admit(t.Context(), c); err != nil || l.User.Is(Designer) || !l.User.Is(Auditor) {
		t.Errorf("other roles there: %+v, %v", l.User, err)
	}
	if _, err := p.Look(t.Context(), first); !errors.Is(err, ErrNoLogin) {
		t.Errorf("a login with the old roles: %v", err)
	}
	for name, taken := range map[string]Claims{
		"a local user's name":        {Provider: "company", Subject: "s-2", Name: "bob", Roles: []Role{Operator}},
		"another provider's subject": {Provider: "other", Subject: "s-1", Name: "ann@bank.example", Roles: []Role{Operator}},
	} {
		if _, _, err := p.Admit(t.Context(), taken); !errors.Is(err, ErrTaken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := p.Enter(t.Context(), Attempt{Name: "ann@bank.example", Password: ""}); !errors.Is(err, ErrWrong) {
		t.Errorf("a provider's user by an empty password: %v", err)
	}
	if _, err := p.SetPassword(t.Context(), l, "", good); !errors.Is(err, ErrNotLocal) {
		t.Errorf("a provider's user sets a password: %v", err)
	}
	if _, err := p.BeginTOTP(t.Context(), l); !errors.Is(err, ErrNotLocal) {
		t.Errorf("a provider's user sets up codes: %v", err)
	}
	if _, err := p.Reset(t.Context(), operator, "ann@bank.example", good, true); !errors.Is(err, ErrNotLocal) {
		t.Errorf("a provider's user is reset: %v", err)
	}
	yes := true
	if err := p.Change(t.Context(), operator, "ann@bank.example", Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Admit(t.Context(), c); !errors.Is(err, ErrWrong) {
		t.Errorf("disabled here: %v", err)
	}
}

func TestLang(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	token, l := p.enter(t, "ann", "")
	if err := p.SetLang(t.Context(), l, "zh-CN"); err != nil {
		t.Fatal(err)
	}
	if now, err := p.Look(t.Context(), token); err != nil || now.User.Lang != "zh-CN" {
		t.Errorf("%+v, %v", now.User, err)
	}
	if err := p.SetLang(t.Context(), l, strings.Repeat("x", maxLang+1)); err == nil {
		t.Error("a long one was taken")
	}
}
