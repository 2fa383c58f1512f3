package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// What another package's records look like: rows of a table that is empty otherwise.
const (
	insertRow = "INSERT INTO meta (name, value) VALUES (?, ?)"
	countRows = "SELECT count(*), coalesce(sum(value), 0) FROM meta WHERE name LIKE 'row %'"
)

func rows(t *testing.T, st Store) (count, sum int64) {
	t.Helper()
	must(t, st.View(t.Context(), func(tx store.Tx) error {
		_, err := tx.One(countRows, func(r store.Row) { count, sum = r.Int(0), r.Int(1) })
		return err
	}))
	return count, sum
}

func testWith(t *testing.T, s *suite) {
	st := s.start(t)
	ctx := t.Context()
	call := s.call("+1")
	opening := call.Opening()
	opening.With = func(tx store.Tx) error {
		if opening.Interaction.Customer == "" {
			t.Error("whose interaction it is was not known")
		}
		_, err := tx.Exec(insertRow, "row 1", opening.Events[1].Seq)
		return err
	}
	must(t, st.Commit(ctx, opening))
	if n, sum := rows(t, st); n != 1 || sum != 2 {
		t.Errorf("%d rows with %d: the event's number was not known", n, sum)
	}

	// Both or neither: the record fails, and then the change.
	wrong := errors.New("wrong")
	other := s.call("+2").Opening()
	other.With = func(tx store.Tx) error {
		if _, err := tx.Exec(insertRow, "row 2", 0); err != nil {
			t.Error(err)
		}
		return wrong
	}
	if err := st.Commit(ctx, other); err != wrong {
		t.Errorf("error is %v, want it unchanged", err)
	}
	if other.Interaction.Customer != "" {
		t.Error("a customer is left of what failed")
	}
	mustBe(t, errOf(st.Interaction(ctx, string(other.Interaction.ID))), store.ErrNotFound)
	again := call.Opening()
	again.With = func(store.Tx) error { t.Error("ran for a change done before"); return nil }
	mustBe(t, st.Commit(ctx, again), store.ErrDuplicate)
	bad := &store.Change{Events: []tandem.Event{call.Event(s.Clock.Now(), tandem.EventConsent, nil)}, Outbox: []store.Outgoing{{Kind: "sms"}}}
	bad.With = func(tx store.Tx) error { _, err := tx.Exec(insertRow, "row 3", 0); return err }
	mustBe(t, st.Commit(ctx, bad), store.ErrInvalid)
	constraint := &store.Change{With: func(tx store.Tx) error { _, err := tx.Exec(insertRow, "row 1", 0); return err }}
	if err := st.Commit(ctx, constraint); err == nil || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a broken constraint: %v", err)
	}
	if n, _ := rows(t, st); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	right(t, st, 2)
	must(t, st.Healthy())
	other.With = nil
	must(t, st.Commit(ctx, other)) // what failed has left nothing

	settled := &store.Change{Events: []tandem.Event{call.Event(s.Clock.Now(), tandem.EventConsent, nil)}}
	settled.With = func(tx store.Tx) error { _, err := tx.Exec(insertRow, "row 4", settled.Events[0].Seq); return err }
	st.Settle(settled)
	must(t, st.Flush(ctx))
	if n, sum := rows(t, st); n != 2 || sum != 2+3 {
		t.Errorf("settled: %d rows with %d", n, sum)
	}
	right(t, st, 5)
}

// Changes that share a transaction share nothing else.
func testWithNeighbours(t *testing.T, s *suite) {
	st := s.start(t)
	wrong := errors.New("wrong")
	calls := make([]Call, 8)
	for i := range calls {
		calls[i] = s.call("+1")
		must(t, st.Commit(t.Context(), calls[i].Opening()))
	}
	var group sync.WaitGroup
	const changes = 200
	for i := range changes {
		c := &store.Change{Events: []tandem.Event{calls[i%len(calls)].Event(s.Clock.Now(), tandem.EventConsent, nil)}}
		c.With = func(tx store.Tx) error {
			_, err := tx.Exec(insertRow, fmt.Sprintf("row %d", i), c.Events[0].Seq)
			switch {
			case i%5 == 0:
				return wrong
			case i%5 == 1:
				panic("boom")
			}
			return err
		}
		group.Go(func() {
			err := st.Commit(context.Background(), c)
			if i%5 == 0 && !errors.Is(err, wrong) || i%5 == 1 && err == nil || i%5 > 1 && err != nil {
				t.Errorf("change %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if n, _ := rows(t, st); n != changes*3/5 {
		t.Errorf("%d rows, want %d", n, changes*3/5)
	}
	right(t, st, 2*len(calls)+changes*3/5)
}

func testSessions(t *testing.T, s *suite) {
	st := s.start(t)
	ctx := t.Context()
	due := s.Clock.Now().Add(time.Hour)
	text := func(kind tandem.LegKind, due time.Time) Call {
		c := s.call("+1")
		opening := c.Opening()
		opening.Legs[0].Kind = kind
		opening.Session = &store.SessionRecord{Data: []byte("session"), At: s.Clock.Now(), Due: due}
		must(t, st.Commit(ctx, opening))
		return c
	}
	chat, sms, voice := text(tandem.LegChat, due), text(tandem.LegSMS, time.Time{}), text(tandem.LegSIP, due)
	closed := text(tandem.LegChat, due)
	must(t, st.Commit(ctx, closed.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted))))
	timers := func(want ...store.SessionTimer) {
		t.Helper()
		got, err := st.Sessions(ctx)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("sessions %v, %v, want %v", got, err, want)
		}
	}
	timers(store.SessionTimer{Interaction: chat.ID, Due: due}, store.SessionTimer{Interaction: sms.ID})

	// A call that was up when the program ended does not go on; a page without a leg does.
	must(t, st.Close())
	st = s.start(t)
	found, err := st.Unfinished(ctx)
	must(t, err)
	for i, want := range []struct{ call, outlives bool }{{false, true}, {false, true}, {true, false}} {
		if u := found[i]; u.Call() != want.call || u.Outlives() != want.outlives {
			t.Errorf("unfinished %d: call %t, outlives %t", i, u.Call(), u.Outlives())
		}
	}
	ended := voice.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)).Legs
	must(t, st.Commit(ctx, &store.Change{Legs: ended}))
	timers(store.SessionTimer{Interaction: chat.ID, Due: due}, store.SessionTimer{Interaction: sms.ID}, store.SessionTimer{Interaction: voice.ID, Due: due})

	// A call takes a text's session over, and the timer is gone.
	st.NoteSession(chat.ID, []byte("on a call"))
	must(t, st.Flush(ctx))
	timers(store.SessionTimer{Interaction: chat.ID}, store.SessionTimer{Interaction: sms.ID}, store.SessionTimer{Interaction: voice.ID, Due: due})

	// A change of a session alone says whose it is.
	alone := &store.Change{Session: &store.SessionRecord{Data: []byte("alone"), At: s.Clock.Now(), Due: due}}
	if err := st.Commit(ctx, alone); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a session of nobody: %v", err)
	}
	alone.Of = sms.ID
	must(t, st.Commit(ctx, alone))
	timers(store.SessionTimer{Interaction: chat.ID}, store.SessionTimer{Interaction: sms.ID, Due: due}, store.SessionTimer{Interaction: voice.ID, Due: due})
}

func testParked(t *testing.T, s *suite) {
	st := s.start(t)
	ctx := t.Context()
	kept, open, bare := s.call("+1"), s.call("+2"), s.call("+3")
	for _, c := range []Call{kept, open, bare} {
		must(t, st.Commit(ctx, c.Opening()))
	}
	until := s.Clock.Now().Add(time.Hour)
	closing := kept.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	both := *closing
	both.Park = until
	mustBe(t, st.Commit(ctx, &both), store.ErrInvalid)
	closing.EndSession, closing.Park = false, until
	closing.Session = &store.SessionRecord{Data: []byte("left here"), At: s.Clock.Now(), Due: until}
	must(t, st.Commit(ctx, closing))
	must(t, st.Commit(ctx, &store.Change{Events: []tandem.Event{open.Event(s.Clock.Now(), tandem.EventConsent, nil)},
		Session: &store.SessionRecord{Data: []byte("here"), At: s.Clock.Now()}}))

	now := s.Clock.Now()
	p, err := st.Parked(ctx, kept.Number, now)
	if err != nil || p.ID != kept.ID || p.Customer == "" || p.State != tandem.Closed || !p.Until.Equal(until) || !p.Stored.Equal(closing.Session.At) {
		t.Errorf("parked %+v, %v", p, err)
	}
	if p, err := st.Parked(ctx, open.Number, now); err != nil || p.ID != open.ID || !p.Until.IsZero() {
		t.Errorf("open %+v, %v", p, err)
	}
	mustBe(t, errOf(st.Parked(ctx, kept.Number, until)), store.ErrNotFound) // not later
	mustBe(t, errOf(st.Parked(ctx, bare.Number, now)), store.ErrNotFound)   // no session
	mustBe(t, errOf(st.Parked(ctx, s.call("+9").Number, now)), store.ErrNotFound)
	if timers, err := st.Sessions(ctx); err != nil || len(timers) != 0 {
		t.Errorf("a parked session waits for its time: %v, %v", timers, err)
	}
	if n, err := st.SweepParked(ctx); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}

	// Taken up again it is parked no more, and no sweep takes it.
	data, _, err := st.Session(ctx, kept.ID)
	if err != nil || string(data) != "left here" {
		t.Fatalf("session %q, %v", data, err)
	}
	again := *kept.Opening().Interaction
	must(t, st.Commit(ctx, &store.Change{Interaction: &again, Session: &store.SessionRecord{Data: data, At: s.Clock.Now()},
		Events: []tandem.Event{kept.Event(s.Clock.Now(), tandem.EventResumed, tandem.Moved{To: kept.Leg, Channel: tandem.Voice})}}))
	s.Clock.Add(2 * time.Hour)
	if n, err := st.SweepParked(ctx); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if p, err := st.Parked(ctx, kept.Number, s.Clock.Now()); err != nil || !p.Until.IsZero() {
		t.Errorf("taken up: %+v, %v", p, err)
	}

	// Parked again for a while, it goes in the end, and with an erased person at once.
	closing.Key, closing.Session, closing.Park = "", nil, s.Clock.Now().Add(time.Minute)
	must(t, st.Commit(ctx, closing))
	s.Clock.Add(time.Minute)
	if n, err := st.SweepParked(ctx); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	mustBe(t, errOf2(st.Session(ctx, kept.ID)), store.ErrNotFound)
	leaving := open.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	leaving.EndSession, leaving.Park = false, s.Clock.Now().Add(time.Hour)
	must(t, st.Commit(ctx, leaving))
	p, err = st.Parked(ctx, open.Number, s.Clock.Now())
	must(t, err)
	must(t, st.Erase(ctx, p.Customer, "li.wei", "asked"))
	mustBe(t, errOf(st.Parked(ctx, open.Number, s.Clock.Now())), store.ErrNotFound)
	mustBe(t, errOf2(st.Session(ctx, open.ID)), store.ErrNotFound)
}

func testEventsAt(t *testing.T, s *suite) {
	st := s.start(t)
	ctx := t.Context()
	one, two := s.call("+1"), s.call("+2")
	must(t, st.Commit(ctx, one.Opening()))
	customer := opened(t, st, two)
	const many = 1200 // more than one query reads
	for i := range many {
		st.Note(one.Event(s.Clock.Now(), tandem.EventMessage, tandem.Message{Text: fmt.Sprint(i)}))
	}
	must(t, st.Flush(ctx))
	var refs []store.EventRef
	for i := range many {
		refs = append(refs, store.EventRef{Interaction: one.ID, Seq: uint64(2 + many - i)})
	}
	refs = append(refs, store.EventRef{Interaction: two.ID, Seq: 1}, refs[0])
	got, err := st.EventsAt(ctx, refs)
	must(t, err)
	want := story(t, st, string(one.ID)).Events
	for i, e := range got[:many] {
		if e.Seq != refs[i].Seq || string(e.Data) != string(want[e.Seq-1].Data) || e.Data == nil || !e.At.Equal(want[e.Seq-1].At) {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	if len(got) != many+2 || got[many].Interaction != two.ID || got[many].Data == nil || got[many+1].Seq != refs[0].Seq {
		t.Errorf("%d events, last %+v", len(got), got[many:])
	}
	mustBe(t, errOf(st.EventsAt(ctx, []store.EventRef{{Interaction: one.ID, Seq: 9999}})), store.ErrNotFound)
	if got, err := st.EventsAt(ctx, nil); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
	l, err := st.Leg(ctx, two.Leg)
	if err != nil || l.From != "+2" || l.Interaction != two.ID || l.Kind != tandem.LegSIP {
		t.Errorf("leg %+v, %v", l, err)
	}
	mustBe(t, errOf(st.Leg(ctx, s.call("+9").Leg)), store.ErrNotFound)

	must(t, st.Erase(ctx, customer, "li.wei", "asked"))
	got, err = st.EventsAt(ctx, []store.EventRef{{Interaction: two.ID, Seq: 1}, {Interaction: one.ID, Seq: 3}})
	if err != nil || got[0].Data != nil || got[0].Kind != tandem.EventOpened || got[1].Data == nil {
		t.Errorf("after erasing: %+v, %v", got, err)
	}
	if l, err := st.Leg(ctx, two.Leg); err != nil || l.From != "" {
		t.Errorf("leg of an erased person: %+v, %v", l, err)
	}
}
