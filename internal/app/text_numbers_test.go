package app

import (
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store"
)

// asked is what somebody sees who gives the number of an interaction and then a wrong code.
type asked struct {
	read []string        // what they read
	took []time.Duration // each answer, in grains of time
}

// grain is that of the answers which could tell whether there is an interaction.
const grain = 600 * time.Millisecond

// gives goes through it in a new chat.
func (s *textServer) gives(t *testing.T, number string) asked {
	t.Helper()
	visitor := s.drops(t)
	visitor.Open()
	visitor.Reads("Form, link, earlier")
	visitor.Say("earlier")
	visitor.Reads("eleven digits")
	var a asked
	before := len(visitor.Messages())
	for _, entry := range []string{number, "000000"} {
		begun := time.Now()
		visitor.SaySecret(entry)
		visitor.Reads("") // whatever it is
		a.took = append(a.took, time.Since(begun))
	}
	for _, m := range visitor.Messages()[before:] {
		if m.From != "customer" {
			a.read = append(a.read, m.Text)
		}
	}
	return a
}

// TestNumberTellsNothing holds what a stranger sees who gives the number of an interaction
// that is somebody's against what they see for one that is nobody's, too old, another
// chat's, or still in a call.
func TestNumberTellsNothing(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	first := s.leaves(t, customer)
	old := s.leaves(t, "+8613800000002")
	s.expires(t, old.ID)
	up := s.dials(t, "3", "+8613800000003")
	other := s.drops(t) // of a chat, whose customer has no phone
	other.Open()
	other.Reads("Form, link, earlier")
	talk := s.latest(t, "chat:night")

	nobodys := tandem.NewNumber(s.random)
	want := s.gives(t, string(nobodys))
	for _, one := range []struct {
		what   string
		number tandem.Number
	}{
		{"somebody's", first.Number}, {"one that is too old", old.Number}, {"a chat's", talk.Interaction.Number},
		{"one in a call", s.read(t, up.id).Interaction.Number},
	} {
		s.forgetTries(t) // of this address: they are counted, and that has a test of its own
		got := s.gives(t, string(one.number))
		if !slices.Equal(got.read, want.read) {
			t.Errorf("for %s a stranger reads\n%q\nand for nobody's\n%q", one.what, got.read, want.read)
		}
		for i := range got.took {
			if over := got.took[i] % grain; got.took[i] < grain || over > grain/2 {
				t.Logf("answer %d for %s came after %v, not at a multiple of %v: is the machine busy?", i+1, one.what, got.took[i], grain)
			}
		}
	}
	up.Bye()
	if got := s.texts.Inbox(customer).Got(); len(got) != 1 {
		t.Errorf("whose number was given got %d texts, want a code", len(got))
	}
	for _, number := range s.texts.All() {
		if number != customer && number != "+8613800000003" { // who is in a call can be told, too
			t.Errorf("%s got a text", number)
		}
	}
	if n := len(payloads[tandem.CodeSent](s.latest(t, "chat:night"), tandem.EventCodeSent)); n != 0 {
		t.Error("the stranger's own record tells that a code was sent")
	}
}

// Five wrong tries within the hour are all; then not even the right code is looked at. They
// are counted by the address, whichever chat they are made in, and over a restart.
func TestFiveTries(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	left := s.leaves(t, customer)
	phone := s.texts.Inbox(customer)
	begins := func() *testkit.Chat {
		visitor := s.drops(t)
		visitor.Open()
		visitor.Reads("Form, link, earlier")
		visitor.Say("earlier")
		return visitor
	}
	gives := func(wrong int) {
		visitor := begins()
		visitor.Reads("eleven digits")
		visitor.SaySecret(string(left.Number))
		visitor.Reads("If that number is right")
		for range wrong - 1 {
			visitor.SaySecret("000000")
			visitor.Reads("That code is not right")
		}
		visitor.SaySecret("000000")
		visitor.Reads("That did not work.")
	}
	owner := begins()
	owner.Reads("eleven digits")
	owner.SaySecret(string(left.Number))
	owner.Reads("If that number is right")
	right := phone.Code()
	gives(3) // of one talk
	gives(2)
	owner.SaySecret(right)
	owner.Reads("That did not work.")
	begins().Reads("That did not work.")
	s.restart(t)
	begins().Reads("That did not work.")
	if got := len(phone.Got()); got != 3 {
		t.Errorf("%d texts for three talks", got)
	}
	s.forgetTries(t)
	again := begins()
	again.Reads("eleven digits")
	again.SaySecret(string(left.Number))
	again.Reads("If that number is right")
	for range 3 {
		right = phone.Code()
	}
	again.SaySecret(right)
	again.Reads("We go on where you were.")
	again.Reads("May we keep it?")
	s.verify(t)
}

// leaves has somebody call up, answer a question of the form, and hang up.
func (s *textServer) leaves(t *testing.T, number string) tandem.Interaction {
	t.Helper()
	call := s.dials(t, "3", number)
	call.presses("1")
	call.at("keep")
	call.Bye()
	return s.shows(t, call.id, "the end of a call", closed).Interaction
}

// expires has the time pass in which an interaction can be gone on with.
func (s *textServer) expires(t *testing.T, id tandem.InteractionID) {
	t.Helper()
	s.update(t, "UPDATE session SET parked = ? WHERE interaction = (SELECT no FROM interaction WHERE id = ?)", time.Now().Add(-time.Minute), string(id))
}

// forgetTries is an hour later.
func (s *textServer) forgetTries(t *testing.T) {
	t.Helper()
	if _, err := s.exec(t, "DELETE FROM code_try"); err != nil {
		t.Fatal(err)
	}
}

// update changes a row of the database.
func (s *textServer) update(t *testing.T, query string, args ...any) {
	t.Helper()
	if n, err := s.exec(t, query, args...); err != nil || n != 1 {
		t.Fatalf("%d rows: %v", n, err)
	}
}

func (s *textServer) exec(t *testing.T, query string, args ...any) (n int64, err error) {
	t.Helper()
	done := s.store.Update(t.Context(), func(tx store.Tx) error {
		n, err = tx.Exec(query, args...)
		return err
	})
	return n, done
}
