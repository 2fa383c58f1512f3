package storetest

import (
	"fmt"
	"testing"

	"tandem"
	"tandem/store"
)

func phone(number string) tandem.Identity {
	return tandem.Identity{Kind: tandem.IdentityPhone, Value: number}
}

// bound is who has a phone number; it must be somebody.
func bound(t *testing.T, st Store, number string) tandem.Binding {
	t.Helper()
	b, found, err := st.CustomerOf(t.Context(), phone(number))
	must(t, err)
	if !found {
		t.Fatalf("nobody has %s", number)
	}
	return b
}

// opened opens a call and returns its customer.
func opened(t *testing.T, st Store, c Call) tandem.CustomerID {
	t.Helper()
	opening := c.Opening()
	must(t, st.Commit(t.Context(), opening))
	return opening.Interaction.Customer
}

func testCustomers(t *testing.T, s *suite) {
	st := s.start(t)
	customer := func(c *store.Change) tandem.CustomerID {
		t.Helper()
		must(t, st.Commit(t.Context(), c))
		return c.Interaction.Customer
	}
	first := customer(s.call("+8613800138000").Opening())
	again := customer(s.call("+8613800138000").Opening())
	other := customer(s.call("+8613800138001").Opening())
	email := s.call("+8613800138000").Opening()
	email.Caller.Kind = tandem.IdentityEmail
	unlike := customer(email)
	withheld := s.call("").Opening()
	withheld.Caller = nil
	nobody := customer(withheld)
	withheld = s.call("").Opening()
	withheld.Caller = nil
	nobodyElse := customer(withheld)
	named := s.call("+9").Opening()
	named.Interaction.Customer = first
	if again != first || customer(named) != first {
		t.Error("a known caller became somebody else")
	}
	seen := map[tandem.CustomerID]bool{first: true}
	for _, c := range []tandem.CustomerID{other, unlike, nobody, nobodyElse} {
		if seen[c] || c == "" {
			t.Errorf("customer %q twice", c)
		}
		seen[c] = true
	}
	if b := bound(t, st, "+8613800138000"); b.Customer != first || b.Since.IsZero() || !b.Checked.IsZero() {
		t.Errorf("looked up: %+v", b)
	}
	if b, found, err := st.CustomerOf(t.Context(), tandem.Identity{Kind: tandem.IdentityEmail, Value: "+9"}); found || err != nil {
		t.Errorf("looked up a stranger: %+v, %v", b, err)
	}
	unknown := s.call("+9").Opening()
	unknown.Interaction.Customer = tandem.NewID[tandem.CustomerID](s.Clock.Now(), s.random)
	mustBe(t, st.Commit(t.Context(), unknown), store.ErrNotFound)
}

func testBinding(t *testing.T, s *suite) {
	st := s.start(t)
	ctx := t.Context()
	first, second := s.call("+1"), s.call("+2")
	a, b := opened(t, st, first), opened(t, st, second)
	checked := s.Clock.Now()
	bind := func(to tandem.CustomerID, number string) *store.Change {
		return &store.Change{Bind: &tandem.Binding{Customer: to, Identity: phone(number), Checked: checked},
			Events: []tandem.Event{second.Event(s.Clock.Now(), tandem.EventBound, tandem.Bound{Customer: b, Identity: phone(number), Method: "code"})}}
	}
	must(t, st.Commit(ctx, bind("", "+1"))) // "" = second's customer
	if got := bound(t, st, "+1"); got.Customer != b || !got.Checked.Equal(checked) || got.Since.Before(checked) {
		t.Errorf("bound: %+v", got)
	}
	if next := opened(t, st, s.call("+1")); next != b {
		t.Errorf("a call from it is of %s, want %s", next, b)
	}
	ids, err := st.Identities(ctx, b)
	if err != nil || len(ids) != 2 || ids[0].Identity != phone("+2") || ids[1].Identity != phone("+1") || ids[1].Customer != b || !ids[1].Checked.Equal(checked) {
		t.Errorf("identities %+v, %v", ids, err)
	}
	if ids, err := st.Identities(ctx, a); err != nil || len(ids) != 0 {
		t.Errorf("the one before still has %+v, %v", ids, err)
	}

	// Checked again, it is the same tie; undone once, the one before is back.
	checked = s.Clock.Now()
	must(t, st.Commit(ctx, bind(b, "+1")))
	if got := bound(t, st, "+1"); !got.Checked.Equal(checked) {
		t.Errorf("checked again: %+v", got)
	}
	undo := &store.Change{Unbind: &tandem.Identity{Kind: tandem.IdentityPhone, Value: "+1"}}
	must(t, st.Commit(ctx, undo))
	if got := bound(t, st, "+1"); got.Customer != a || !got.Checked.IsZero() {
		t.Errorf("undone: %+v", got)
	}
	must(t, st.Commit(ctx, undo))
	if _, found, err := st.CustomerOf(ctx, phone("+1")); found || err != nil {
		t.Errorf("undone twice, somebody has it: %v", err)
	}
	mustBe(t, st.Commit(ctx, undo), store.ErrNotFound)

	// A hint that was checked is a new tie: undone, it is a hint again.
	must(t, st.Commit(ctx, bind(b, "+2")))
	must(t, st.Commit(ctx, &store.Change{Unbind: &tandem.Identity{Kind: tandem.IdentityPhone, Value: "+2"}}))
	if got := bound(t, st, "+2"); got.Customer != b || !got.Checked.IsZero() {
		t.Errorf("a hint again: %+v", got)
	}

	mustBe(t, st.Commit(ctx, bind(tandem.NewID[tandem.CustomerID](s.Clock.Now(), s.random), "+2")), store.ErrNotFound)
	mustBe(t, st.Commit(ctx, &store.Change{Bind: &tandem.Binding{Identity: phone("+2")}}), store.ErrInvalid)
	must(t, st.Erase(ctx, a, "li.wei", "asked"))
	mustBe(t, st.Commit(ctx, bind(a, "+2")), store.ErrErased)
	if got := bound(t, st, "+2"); got.Customer != b {
		t.Errorf("a change that failed left %+v", got)
	}
	must(t, st.Commit(ctx, bind(b, "+1")))
	if v, err := st.Verify(ctx); err != nil || !v.OK {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// What is brought back by undoing must not be somebody who was erased meanwhile.
func testUnbindErased(t *testing.T, s *suite) {
	st := s.start(t)
	ctx := t.Context()
	a, b := opened(t, st, s.call("+1")), opened(t, st, s.call("+2"))
	must(t, st.Commit(ctx, &store.Change{Bind: &tandem.Binding{Customer: b, Identity: phone("+1"), Checked: s.Clock.Now()}}))
	must(t, st.Erase(ctx, a, "li.wei", "asked"))
	must(t, st.Commit(ctx, &store.Change{Unbind: &tandem.Identity{Kind: tandem.IdentityPhone, Value: "+1"}}))
	if got, found, err := st.CustomerOf(ctx, phone("+1")); found || err != nil {
		t.Errorf("%+v has it, %v", got, err)
	}
}

func testMerge(t *testing.T, s *suite) {
	st := s.start(t)
	ctx := t.Context()
	calls := []Call{s.call("+1"), s.call("+2"), s.call("+3")}
	a, b, c := opened(t, st, calls[0]), opened(t, st, calls[1]), opened(t, st, calls[2])
	merge := func(from, into tandem.CustomerID, undo bool) error {
		kind := tandem.EventMerged
		if undo {
			kind = tandem.EventUnmerged
		}
		return st.Commit(ctx, &store.Change{Merge: &store.Merge{From: from, Into: into, Undo: undo},
			Events: []tandem.Event{calls[0].Event(s.Clock.Now(), kind, tandem.Merged{From: from, Into: into})}})
	}
	sees := func(customer tandem.CustomerID, interactions int, who ...tandem.CustomerID) {
		t.Helper()
		list, err := st.List(ctx, store.Filter{Customer: customer})
		must(t, err)
		ids, err := st.Identities(ctx, customer)
		must(t, err)
		persons, err := st.Person(ctx, customer)
		must(t, err)
		if len(list) != interactions || len(ids) != interactions || fmt.Sprint(persons) != fmt.Sprint(who) {
			t.Errorf("%s sees %d interactions, identities %v, is %v", customer, len(list), ids, persons)
		}
	}
	must(t, merge(c, a, false))
	must(t, merge(a, b, false))
	for _, one := range []tandem.CustomerID{a, b, c} {
		sees(one, 3, b, a, c)
	}
	if next := opened(t, st, s.call("+1")); next != a { // merging is a view
		t.Errorf("a new call of +1 is of %s, want %s", next, a)
	}
	mustBe(t, merge(b, c, false), store.ErrInvalid) // they are one already
	d := opened(t, st, s.call("+4"))
	mustBe(t, merge(a, d, false), store.ErrInvalid) // into one only
	mustBe(t, merge(d, d, false), store.ErrInvalid)
	mustBe(t, merge(a, c, true), store.ErrNotFound)
	must(t, merge(a, b, true))
	sees(b, 1, b)
	if got := errOf(st.Person(ctx, c)); got != nil {
		t.Error(got)
	}
	must(t, merge(d, b, false))
	sees(d, 2, b, d)

	// Who asks to be erased is erased whole.
	must(t, st.Erase(ctx, d, "li.wei", "asked"))
	for i, want := range []bool{false, true, false} {
		if got := !story(t, st, string(calls[i].ID)).Customer.Erased.IsZero(); got != want {
			t.Errorf("call %d erased: %t", i, got)
		}
	}
	mustBe(t, merge(a, b, false), store.ErrErased)
	if v, err := st.Verify(ctx); err != nil || !v.OK {
		t.Errorf("verdict %+v, %v", v, err)
	}
}
