package upgrade

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// inviting is a house with a store of its own, whose interaction an agent speaks in.
type inviting struct {
	*house
	in    tandem.InteractionID
	place storetest.Place
	db    *sqlite.DB
	log   *bytes.Buffer
	may   bool
}

func newInviting(t *testing.T) *inviting {
	t.Helper()
	p := storetest.NewPlace(t)
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(p.Dir, "tandem.db"), Keys: p.Keys, Log: slog.New(slog.DiscardHandler), Now: p.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	call := storetest.NewCall(p.Clock.Now(), rand.Reader, "+8613800000000")
	c := call.Opening()
	if err := db.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	v := &inviting{in: c.Interaction.ID, place: p, db: db, log: &bytes.Buffer{}, may: true}
	v.house = newHouse(t, func(o *Options) {
		o.Store = db
		o.Log = slog.New(slog.NewTextHandler(v.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.May = func(context.Context, string, tandem.Role) bool { return v.may }
	})
	h := v.house
	h.note(func() {
		h.tasks[chat] = tandem.Task{ID: chat, Interaction: v.in, Kind: tandem.TaskChat, State: tandem.TaskAssigned, Agent: "anna", Fence: 1}
	})
	v.speaks()
	return v
}

// speaks has anna speak with the customer.
func (v *inviting) speaks() {
	v.talk(phone.Talk{Task: chat, Interaction: v.in, Agent: "anna", Parties: []phone.Party{
		{Leg: "seat", Role: tandem.RoleAgent, Name: "anna", State: phone.StateJoined}, {Leg: "page", Role: tandem.RoleCustomer, State: phone.StateJoined}}})
}

func (v *inviting) invite(role tandem.Role) RoleLink {
	v.t.Helper()
	l, err := v.Invite(v.t.Context(), "anna", v.in, role, 0)
	if err != nil {
		v.t.Fatal(err)
	}
	return l
}

// entered reports whether somebody joined.
func (v *inviting) entered(who string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.story {
		if strings.HasPrefix(s, "enter "+who) {
			return true
		}
	}
	return false
}

// A link is used once, by one person, in its role; looking at it uses nothing.
func TestRoleLink(t *testing.T) {
	v := newInviting(t)
	l := v.invite(tandem.RoleSpecialist)
	if len(l.Token) != 26 || !validToken(l.Token) || l.Expires.Sub(l.Made) != linkLife || l.Interaction != v.in || l.Task != chat {
		t.Errorf("%+v", l)
	}
	for range 3 {
		if is, err := v.Look(t.Context(), l.Token); err != nil || is.ID != l.ID || is.Role != tandem.RoleSpecialist || is.Token != "" {
			t.Fatalf("a look: %+v, %v", is, err)
		}
	}
	if _, err := v.Use(t.Context(), "ben", l.Token); err != nil {
		t.Fatal(err)
	}
	if !v.entered("ben") {
		t.Error("ben is not in")
	}
	if role, ok := v.Guest(v.in, "ben"); !ok || role != tandem.RoleSpecialist {
		t.Errorf("ben is %q, %t", role, ok)
	}
	for _, who := range []string{"anna", "cem", ""} {
		if _, ok := v.Guest(v.in, who); ok {
			t.Errorf("%q is a guest", who)
		}
	}
	for _, who := range []string{"cem", "ben"} {
		_, err := v.Use(t.Context(), who, l.Token)
		failed(t, err, tandem.CodeNotFound)
	}
	_, err := v.Look(t.Context(), l.Token)
	failed(t, err, tandem.CodeNotFound)
	links, err := v.Links(t.Context(), v.in)
	if err != nil || len(links) != 1 || links[0].UsedBy != "ben" || links[0].Used.IsZero() || links[0].Token != "" {
		t.Errorf("links: %+v, %v", links, err)
	}
	v.over(v.in, "left")
	if _, ok := v.Guest(v.in, "ben"); ok {
		t.Error("ben reads on after the talk")
	}
	v.keepsNoToken(l.Token)
}

// keepsNoToken holds that a token is in no file and no line of the log.
func (v *inviting) keepsNoToken(token string) {
	v.t.Helper()
	if strings.Contains(v.log.String(), token) {
		v.t.Error("the log has a token")
	}
	files, _ := filepath.Glob(filepath.Join(v.place.Dir, "*"))
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte(token)) {
			v.t.Errorf("%s has a token", f)
		}
	}
	if len(files) == 0 {
		v.t.Error("there are no files")
	}
}

// What cannot be used is refused alike, and joins nobody.
func TestRoleLinkIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(v *inviting, l *RoleLink) error{
		"forged":       func(_ *inviting, l *RoleLink) error { l.Token = strings.Repeat("a", 26); return nil },
		"no token":     func(_ *inviting, l *RoleLink) error { l.Token = "' OR 1=1 --"; return nil },
		"another case": func(_ *inviting, l *RoleLink) error { l.Token = strings.ToUpper(l.Token); return nil },
		"expired":      func(v *inviting, _ *RoleLink) error { v.later(linkLife); return nil },
		"revoked":      func(v *inviting, l *RoleLink) error { return v.Revoke(v.t.Context(), "anna", v.in, l.ID) },
		"used": func(v *inviting, l *RoleLink) error {
			_, err := v.Use(v.t.Context(), "cem", l.Token)
			return err
		},
		"the task is another's": func(v *inviting, _ *RoleLink) error {
			v.task(func(t *tandem.Task) { t.Agent = "ben" })
			return nil
		},
		"the task is over": func(v *inviting, _ *RoleLink) error {
			v.task(func(t *tandem.Task) { t.State = tandem.TaskWrapping })
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newInviting(t)
			l := v.invite(tandem.RoleListener)
			if err := spoil(v, &l); err != nil {
				t.Fatal(err)
			}
			for _, do := range []func() error{
				func() error { _, err := v.Use(t.Context(), "ben", l.Token); return err },
				func() error { _, err := v.Look(t.Context(), l.Token); return err },
			} {
				err := do()
				failed(t, err, tandem.CodeNotFound)
				if err != nil && err.Error() != errUnusable.Error() {
					t.Errorf("it tells which: %v", err)
				}
			}
			if v.entered("ben") {
				t.Error("ben is in")
			}
		})
	}
}

// What could be done later does not spend it.
func TestRoleLinkIsKept(t *testing.T) {
	v := newInviting(t)
	l := v.invite(tandem.RoleSpecialist)
	_, err := v.Use(t.Context(), "anna", l.Token)
	failed(t, err, tandem.CodeConflict)
	v.note(func() { v.unready = tandem.Errorf(tandem.CodeConflict, "no microphone") })
	_, err = v.Use(t.Context(), "ben", l.Token)
	failed(t, err, tandem.CodeConflict)
	v.note(func() { v.unready = nil; v.may = false })
	_, err = v.Use(t.Context(), "ben", l.Token)
	failed(t, err, tandem.CodeForbidden)
	v.note(func() { v.may = true })
	v.over(v.in, "left")
	_, err = v.Use(t.Context(), "ben", l.Token)
	failed(t, err, tandem.CodeConflict)
	v.speaks()
	if _, err = v.Use(t.Context(), "ben", l.Token); err != nil || !v.entered("ben") {
		t.Errorf("at last: %v", err)
	}
}

// Two press at the same time: one is in.
func TestRoleLinkIsUsedOnce(t *testing.T) {
	v := newInviting(t)
	l := v.invite(tandem.RoleSpecialist)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = v.Use(t.Context(), fmt.Sprintf("who%d", i), l.Token) })
	}
	wg.Wait()
	in := 0
	for _, err := range errs {
		if err == nil {
			in++
		} else {
			failed(t, err, tandem.CodeNotFound)
		}
	}
	if in != 1 {
		t.Errorf("%d joined by one link", in)
	}
}

// A link is taken back between its use and the moment in which who used it is in the talk: they
// are sent away.
func TestRoleLinkIsRevokedAsItIsUsed(t *testing.T) {
	v := newInviting(t)
	l := v.invite(tandem.RoleSpecialist)
	v.entering = func() {
		if err := v.Revoke(t.Context(), "anna", v.in, l.ID); err != nil {
			t.Error(err)
		}
	}
	_, err := v.Use(t.Context(), "ben", l.Token)
	failed(t, err, tandem.CodeNotFound)
	v.mu.Lock()
	defer v.mu.Unlock()
	if in := slices.Index(v.story, "enter ben specialist"); in < 0 || !slices.Contains(v.story[in:], "expel ben") {
		t.Errorf("ben stays: %q", v.story)
	}
}

// Who has left and come again by another link stays when the first is taken back.
func TestRoleLinkOfBefore(t *testing.T) {
	v := newInviting(t)
	first, second := v.invite(tandem.RoleSpecialist), v.invite(tandem.RoleSpecialist)
	if _, err := v.Use(t.Context(), "ben", first.Token); err != nil {
		t.Fatal(err)
	}
	v.speaks() // ben has left
	v.note(func() { v.now = v.now.Add(time.Second) })
	if _, err := v.Use(t.Context(), "ben", second.Token); err != nil {
		t.Fatal(err)
	}
	for _, l := range []RoleLink{first, second} {
		if err := v.Revoke(t.Context(), "anna", v.in, l.ID); err != nil {
			t.Fatal(err)
		}
		v.mu.Lock()
		gone := slices.Contains(v.story, "expel ben")
		v.mu.Unlock()
		if gone != (l.ID == second.ID) {
			t.Errorf("link %s was taken back, ben was sent away: %t", l.ID, gone)
		}
	}
}

// Only the agent who has the task makes links and takes them back; who joined by one that is
// taken back is sent away.
func TestRoleLinkIsTheAgents(t *testing.T) {
	v := newInviting(t)
	_, err := v.Invite(t.Context(), "ben", v.in, tandem.RoleSpecialist, 0)
	failed(t, err, tandem.CodeForbidden)
	for _, role := range []tandem.Role{tandem.RoleAgent, tandem.RoleCustomer, tandem.RoleWhisperer, ""} {
		_, err := v.Invite(t.Context(), "anna", v.in, role, 0)
		failed(t, err, tandem.CodeInvalid)
	}
	_, err = v.Invite(t.Context(), "anna", v.in, tandem.RoleListener, 2*time.Hour)
	failed(t, err, tandem.CodeInvalid)
	_, err = v.Invite(t.Context(), "anna", "another", tandem.RoleListener, 0)
	failed(t, err, tandem.CodeConflict)
	l := v.invite(tandem.RoleListener)
	if _, err := v.Use(t.Context(), "ben", l.Token); err != nil {
		t.Fatal(err)
	}
	failed(t, v.Revoke(t.Context(), "ben", v.in, l.ID), tandem.CodeForbidden)
	failed(t, v.Revoke(t.Context(), "anna", v.in, "no such link"), tandem.CodeNotFound)
	for range 2 { // again is no error, and does nothing
		if err := v.Revoke(t.Context(), "anna", v.in, l.ID); err != nil {
			t.Fatal(err)
		}
	}
	v.mu.Lock()
	gone := strings.Count(strings.Join(v.story, ","), "expel ben")
	v.mu.Unlock()
	if gone != 1 {
		t.Errorf("ben was sent away %d times", gone)
	}
	for range linksOpen {
		l = v.invite(tandem.RoleListener)
	}
	_, err = v.Invite(t.Context(), "anna", v.in, tandem.RoleListener, 0)
	failed(t, err, "too_fast")
	if err := v.Revoke(t.Context(), "anna", v.in, l.ID); err != nil {
		t.Fatal(err)
	}
	v.invite(tandem.RoleListener)
}
