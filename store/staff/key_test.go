package staff

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

func (p *place) makeKey(t *testing.T, k Key) (string, Key) {
	t.Helper()
	token, made, err := p.MakeKey(t.Context(), operator, k)
	if err != nil {
		t.Fatal(err)
	}
	return token, made
}

func TestKey(t *testing.T) {
	p := newPlace(t)
	p.add(t, "anna", Agent)
	token, made := p.makeKey(t, Key{Name: " CRM ", Scopes: []Scope{ScopeLineRead, ScopeAgent, ScopeLineRead}, Agent: "anna", By: "somebody else"})
	if !strings.HasPrefix(token, "tk_") || len(token) != 3+43 {
		t.Errorf("the token is %q", token)
	}
	if made.Name != "crm" || made.By != operator.Name || !slices.Equal(made.Scopes, []Scope{ScopeLineRead, ScopeAgent}) || !made.Expires.Equal(p.clock.Now().AddDate(1, 0, 0)) || made.ID == "" {
		t.Errorf("made %+v", made)
	}
	got, err := p.LookKey(t.Context(), token)
	if err != nil || got.ID != made.ID || got.Agent != "anna" || !got.Has(ScopeAgent) || got.Has(ScopeWebhooks) {
		t.Errorf("found %+v, %v", got, err)
	}
	if got, err := p.KeyAgain(t.Context(), made.ID); err != nil || got.Name != "crm" {
		t.Errorf("found again %+v, %v", got, err)
	}
	for _, wrong := range []string{"", "tk_", token[:len(token)-1], token + "A", "tk_" + strings.Repeat("A", 43), strings.ToUpper(token), made.ID} {
		if _, err := p.LookKey(t.Context(), wrong); !errors.Is(err, ErrNoLogin) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	entries, err := p.Entries(t.Context(), 0, 1)
	if err != nil || entries[0].Action != "key.make" || entries[0].Object != "crm" || entries[0].Detail != "line:read agent, until 2027-11-23, as anna" {
		t.Errorf("audited as %+v, %v", entries, err)
	}
	p.db.Close()
	data, err := os.ReadFile(p.path)
	if err != nil || strings.Contains(string(data), token) || strings.Contains(string(data), token[3:]) {
		t.Errorf("the token lies in the database: %v", err)
	}
}

func TestKeyIsNoMore(t *testing.T) {
	off := true
	tests := map[string]func(t *testing.T, p *place, k Key) error{
		"revoked": func(t *testing.T, p *place, k Key) error { return p.RevokeKey(t.Context(), operator, k.ID) },
		"over":    func(t *testing.T, p *place, k Key) error { p.clock.Add(365 * 24 * time.Hour); return nil },
		"user disabled": func(t *testing.T, p *place, k Key) error {
			return p.Change(t.Context(), operator, "anna", Change{Disabled: &off})
		},
		"agent no more": func(t *testing.T, p *place, k Key) error {
			return p.Change(t.Context(), operator, "anna", Change{Roles: []Role{Auditor}})
		},
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.add(t, "anna", Agent)
			token, k := p.makeKey(t, Key{Name: "k", Scopes: []Scope{ScopeAgent}, Agent: "anna"})
			if err := end(t, p, k); err != nil {
				t.Fatal(err)
			}
			if _, err := p.LookKey(t.Context(), token); !errors.Is(err, ErrNoLogin) {
				t.Errorf("the key still opens: %v", err)
			}
			if _, err := p.KeyAgain(t.Context(), k.ID); !errors.Is(err, ErrNoLogin) {
				t.Errorf("it still holds: %v", err)
			}
		})
	}
}

func TestKeyRevoked(t *testing.T) {
	p := newPlace(t)
	_, k := p.makeKey(t, Key{Name: "k", Scopes: []Scope{ScopeTickets}})
	if _, _, err := p.MakeKey(t.Context(), operator, Key{Name: "K", Scopes: []Scope{ScopeAudio}}); !errors.Is(err, ErrTaken) {
		t.Errorf("a second of the name: %v", err)
	}
	if err := p.RevokeKey(t.Context(), operator, k.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{k.ID, "none"} {
		if err := p.RevokeKey(t.Context(), operator, id); !errors.Is(err, ErrNoKey) {
			t.Errorf("revoking %s: %v", id, err)
		}
	}
	p.makeKey(t, Key{Name: "k", Scopes: []Scope{ScopeAudio}}) // the name is free again
	keys, err := p.Keys(t.Context())
	if err != nil || len(keys) != 2 || !keys[0].Revoked.IsZero() || keys[1].Revoked.IsZero() {
		t.Errorf("keys are %+v, %v", keys, err)
	}
	entries, err := p.Entries(t.Context(), 0, 2)
	if err != nil || entries[1].Action != "key.revoke" || entries[1].Object != "k" {
		t.Errorf("audited as %+v, %v", entries, err)
	}
}

func TestKeyRefused(t *testing.T) {
	p := newPlace(t)
	p.add(t, "anna", Agent)
	p.add(t, "dana", Designer)
	now := p.clock.Now()
	all := []Scope{ScopeLineRead}
	tests := map[string]struct {
		key  Key
		says string
	}{
		"no name":       {Key{Scopes: all}, "a key's name"},
		"no scope":      {Key{Name: "k"}, "at least one scope"},
		"unknown scope": {Key{Name: "k", Scopes: []Scope{"all"}}, `"all" is no scope: the scopes are agent, line:read`},
		"whose":         {Key{Name: "k", Scopes: []Scope{ScopeAgent}}, "as which agent"},
		"needless":      {Key{Name: "k", Scopes: all, Agent: "anna"}, "only with the scope agent"},
		"no agent":      {Key{Name: "k", Scopes: []Scope{ScopeAgent}, Agent: "dana"}, "is no agent"},
		"nobody":        {Key{Name: "k", Scopes: []Scope{ScopeAgent}, Agent: "zoe"}, ErrNoUser.Error()},
		"over":          {Key{Name: "k", Scopes: all, Expires: now}, "in the past"},
		"too long":      {Key{Name: "k", Scopes: all, Expires: now.AddDate(6, 0, 0)}, "five years"},
	}
	for name, test := range tests {
		if token, _, err := p.MakeKey(t.Context(), operator, test.key); err == nil || token != "" || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if keys, err := p.Keys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("something was kept: %+v, %v", keys, err)
	}
}

// TestKeyUseIsThrottled: a program that asks often writes once a minute.
func TestKeyUseIsThrottled(t *testing.T) {
	p := newPlace(t)
	token, _ := p.makeKey(t, Key{Name: "k", Scopes: []Scope{ScopeLineRead}})
	writes := &counted{Database: p.db}
	p.Register.db = writes
	p.clock.Add(time.Hour)
	for range 5 {
		if k, err := p.LookKey(t.Context(), token); err != nil || k.Used.IsZero() {
			t.Fatalf("%+v, %v", k, err)
		}
	}
	p.clock.Add(time.Minute)
	k, err := p.LookKey(t.Context(), token)
	if err != nil || writes.n != 2 {
		t.Errorf("%d writes, %v", writes.n, err)
	}
	keys, err := p.Keys(t.Context())
	if err != nil || !keys[0].Used.Equal(k.Used) || p.clock.Now().Sub(k.Used) >= time.Minute {
		t.Errorf("used at %v, %v", keys[0].Used, err)
	}
	p.clock.Add(time.Hour)
	writes.err = store.ErrUnavailable
	if _, err := p.LookKey(t.Context(), token); err != nil {
		t.Errorf("a store that cannot write shuts programs out: %v", err)
	}
}

// counted counts changes, and refuses them.
type counted struct {
	Database
	n   int
	err error
}

func (c *counted) Update(ctx context.Context, do func(tx store.Tx) error) error {
	c.n++
	if c.err != nil {
		return c.err
	}
	return c.Database.Update(ctx, do)
}
