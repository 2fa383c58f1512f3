package chat

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	_ Database = (*sqlite.DB)(nil)
	_ Journal  = (*sqlite.DB)(nil)
)

// house is a Book on a database of its own.
type house struct {
	*testing.T
	place  storetest.Place
	random *storetest.Random
	db     *sqlite.DB
	book   *Book
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, place: storetest.NewPlace(t), random: storetest.NewRandom(3)}
	var err error
	h.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: h.path(), Keys: h.place.Keys, Blobs: h.place.Blobs,
		Now: h.place.Clock.Now, Random: storetest.NewRandom(4), Flush: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.db.Close() })
	h.book, err = New(Options{Database: h.db, Journal: h.db, Blind: h.place.Keys.Blind, Now: h.place.Clock.Now, Random: h.random})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) path() string { return filepath.Join(h.place.Dir, "tandem.db") }

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// begin makes a conversation with an interaction. theirs is the other number of texts; ""
// makes a chat.
func (h *house) begin(theirs string) Conversation {
	h.Helper()
	now := h.place.Clock.Now()
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, h.random), Number: tandem.NewNumber(h.random), Entry: "chat:bank", State: tandem.Open, Started: now}
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, h.random), Interaction: in.ID, Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer, Started: now}
	c := Conversation{Channel: tandem.Chat, Entry: "chat:bank", Interaction: in.ID, Leg: leg.ID, Lang: "en"}
	if theirs != "" {
		c.Channel, c.Entry, c.Ours, c.Theirs = tandem.SMS, "sms:+861055550100", "+861055550100", theirs
		leg.Kind, leg.From, leg.To = tandem.LegSMS, theirs, c.Ours
	}
	change := &store.Change{Interaction: &in, Legs: []tandem.Leg{leg},
		Events: []tandem.Event{tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOpened, "system", tandem.Opened{Entry: c.Entry, Channel: c.Channel})}}
	change.With = func(tx store.Tx) error { return h.book.Create(tx, &c) }
	h.must(h.db.Commit(h.Context(), change))
	c.Customer = in.Customer
	h.must(h.db.Update(h.Context(), func(tx store.Tx) error { return h.book.Save(tx, &c) }))
	return c
}

// add adds one message, as a turn would.
func (h *house) add(c *Conversation, m tandem.Message) (*Entry, error) {
	m.Conversation, m.Channel, m.Seq = c.ID, c.Channel, h.book.Next(c)
	change := &store.Change{Events: []tandem.Event{tandem.NewEvent(c.Interaction, c.Leg, h.place.Clock.Now(), tandem.EventMessage, "system", m)}}
	var e *Entry
	change.With = func(tx store.Tx) (err error) {
		e, err = h.book.Add(tx, c, &m, &change.Events[0], tandem.MessageSent)
		return err
	}
	if err := h.db.Commit(h.Context(), change); err != nil {
		return nil, err
	}
	h.book.Publish(c.ID, e)
	return e, nil
}

func (h *house) say(c *Conversation, from tandem.Sender, text, client string) *Entry {
	h.Helper()
	e, err := h.add(c, tandem.Message{From: from, Text: text, Client: client})
	h.must(err)
	return e
}

func (h *house) since(id tandem.ConversationID, rev uint64) []Entry {
	h.Helper()
	all, err := h.book.Since(h.Context(), id, rev, 1000)
	h.must(err)
	return all
}

func TestConversationsAreFound(t *testing.T) {
	h := newHouse(t)
	const theirs = "+8613800138000"
	c, chat := h.begin(theirs), h.begin("")
	for name, find := range map[string]func() (Conversation, error){
		"by id":          func() (Conversation, error) { return h.book.Find(t.Context(), c.ID) },
		"by numbers":     func() (Conversation, error) { return h.book.ByPeer(t.Context(), c.Ours, theirs) },
		"by interaction": func() (Conversation, error) { return h.book.ByInteraction(t.Context(), c.Interaction, tandem.SMS) },
	} {
		got, err := find()
		if err != nil || got != c {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c)
		}
	}
	for name, find := range map[string]func() (Conversation, error){
		"unknown id":      func() (Conversation, error) { return h.book.Find(t.Context(), "nobody") },
		"another number":  func() (Conversation, error) { return h.book.ByPeer(t.Context(), c.Ours, "+8613800138001") },
		"numbers swapped": func() (Conversation, error) { return h.book.ByPeer(t.Context(), theirs, c.Ours) },
		"another channel": func() (Conversation, error) { return h.book.ByInteraction(t.Context(), c.Interaction, tandem.Chat) },
		"no interaction":  func() (Conversation, error) { return h.book.ByInteraction(t.Context(), "", tandem.SMS) },
	} {
		if _, err := find(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	again := Conversation{Channel: tandem.SMS, Entry: c.Entry, Ours: c.Ours, Theirs: theirs}
	if err := h.db.Update(t.Context(), func(tx store.Tx) error { return h.book.Create(tx, &again) }); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("the same numbers twice: %v", err)
	}
	if chat.Theirs != "" {
		t.Errorf("a chat has a number: %q", chat.Theirs)
	}
}

func TestSaveGoesForward(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	h.say(&c, tandem.SenderCustomer, "a", "1")
	seen := h.place.Clock.Now()
	c.Taken, c.Seen, c.Lang, c.Interaction = 1, seen, "zh-CN", ""
	save := func() { h.must(h.db.Update(t.Context(), func(tx store.Tx) error { return h.book.Save(tx, &c) })) }
	save()
	c.Taken, c.Seen = 0, seen.Add(-time.Hour)
	save()
	got, err := h.book.Find(t.Context(), c.ID)
	if err != nil || got.Taken != 1 || !got.Seen.Equal(seen) || got.Lang != "zh-CN" || got.Interaction != "" || got.Leg != c.Leg || got.Seq != 1 || got.Rev != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	missing := Conversation{ID: "nobody"}
	if err := h.db.Update(t.Context(), func(tx store.Tx) error { return h.book.Save(tx, &missing) }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("saving one that is not there: %v", err)
	}
}

func TestDoubledMessageIsRefused(t *testing.T) {
	h := newHouse(t)
	c, other := h.begin(""), h.begin("")
	h.say(&c, tandem.SenderCustomer, "hello", "one")
	late := c
	if _, err := h.add(&c, tandem.Message{From: tandem.SenderCustomer, Text: "hello", Client: "one"}); !errors.Is(err, store.ErrDuplicate) {
		t.Fatalf("a known id: %v", err)
	}
	h.say(&other, tandem.SenderCustomer, "hello", "one") // in another conversation it is another message
	e, found, err := h.book.ByClient(t.Context(), c.ID, "one")
	if err != nil || !found || e.Message.Text != "hello" || e.Message.Seq != 1 {
		t.Errorf("%+v, %v, %v", e, found, err)
	}
	for _, client := range []string{"", "two"} {
		if _, found, err := h.book.ByClient(t.Context(), c.ID, client); found || err != nil {
			t.Errorf("id %q is found: %v", client, err)
		}
	}
	late.Seq = 5
	if _, err := h.add(&late, tandem.Message{From: tandem.SenderFlow, Text: "six"}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a message that does not follow: %v", err)
	}
	if all := h.since(c.ID, 0); len(all) != 1 {
		t.Errorf("%d messages", len(all))
	}
}

// A change that fails leaves nothing: no row, no number taken.
func TestFailedChangeLeavesNothing(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	m := tandem.Message{Conversation: c.ID, Channel: tandem.Chat, From: tandem.SenderFlow, Text: "no", Seq: 1}
	change := &store.Change{Events: []tandem.Event{tandem.NewEvent(c.Interaction, c.Leg, h.place.Clock.Now(), tandem.EventMessage, "system", m)}}
	broken := errors.New("broken")
	change.With = func(tx store.Tx) error {
		if _, err := h.book.Add(tx, &c, &m, &change.Events[0], tandem.MessageSent); err != nil {
			return err
		}
		return broken
	}
	if err := h.db.Commit(t.Context(), change); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	c, err := h.book.Find(t.Context(), c.ID)
	if err != nil || c.Seq != 0 || c.Rev != 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	h.say(&c, tandem.SenderFlow, "yes", "")
	if all := h.since(c.ID, 0); len(all) != 1 || all[0].Message.Text != "yes" || all[0].Rev != 1 {
		t.Errorf("%+v", all)
	}
}

func TestMark(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	h.say(&c, tandem.SenderFlow, "a", "")
	h.say(&c, tandem.SenderCustomer, "b", "")
	h.say(&c, tandem.SenderFlow, "c", "")
	mark := func(seq uint64, s tandem.MessageState, why string) {
		t.Helper()
		h.must(h.book.Mark(t.Context(), c.ID, seq, s, why))
	}
	mark(1, tandem.MessageFailed, "The number +8613800138000 is not in use.")
	if e := h.since(c.ID, 3); len(e) != 1 || e[0].State != tandem.MessageFailed || e[0].Error != "failed" || e[0].Rev != 4 {
		t.Fatalf("%+v", e)
	}
	mark(1, tandem.MessageDelivered, "") // the network was too pessimistic
	mark(1, tandem.MessageFailed, "late")
	mark(1, tandem.MessageSent, "")
	if e := h.since(c.ID, 4); len(e) != 1 || e[0].State != tandem.MessageDelivered || e[0].Error != "" || e[0].Rev != 5 {
		t.Fatalf("%+v", e)
	}
	mark(3, tandem.MessageFailed, "no_route")
	if e := h.since(c.ID, 5); len(e) != 1 || e[0].Error != "no_route" || e[0].Rev != 6 {
		t.Fatalf("%+v", e)
	}
	mark(9, tandem.MessageRead, "")
	h.must(h.book.MarkTo(t.Context(), c.ID, 3, tandem.MessageRead))
	h.must(h.book.MarkTo(t.Context(), c.ID, 3, tandem.MessageRead))
	if e := h.since(c.ID, 6); len(e) != 2 || e[0].Message.Seq != 1 || e[1].Message.Seq != 3 || e[1].State != tandem.MessageRead || e[1].Rev != 8 {
		t.Fatalf("%+v", e)
	}
	if err := h.book.Mark(t.Context(), "nobody", 1, tandem.MessageRead, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown conversation: %v", err)
	}

	h.must(h.db.Flush(t.Context()))
	story, err := h.db.Interaction(t.Context(), string(c.Interaction))
	h.must(err)
	receipts, sentence := 0, false
	for _, e := range story.Events {
		if e.Kind == tandem.EventReceipt {
			receipts++
			sentence = sentence || strings.Contains(string(e.Data), "is not in use")
		}
	}
	if receipts != 5 || !sentence {
		t.Errorf("the journal has %d receipts, the whole reason: %v", receipts, sentence)
	}
}

func TestMarkLink(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	link := tandem.NewID[tandem.LinkID](h.place.Clock.Now(), h.random)
	_, err := h.add(&c, tandem.Message{From: tandem.SenderFlow, Text: "here", Link: &tandem.MessageLink{ID: link}})
	h.must(err)
	if has, err := h.book.HasLink(t.Context(), c.ID, link); err != nil || !has {
		t.Error(has, err)
	}
	if has, err := h.book.HasLink(t.Context(), h.begin("").ID, link); err != nil || has {
		t.Error("another conversation has the link", err)
	}
	if e := h.since(c.ID, 0); e[0].Link != tandem.LinkMade {
		t.Errorf("%+v", e)
	}
	for _, s := range []tandem.LinkState{tandem.LinkOpened, tandem.LinkDone, tandem.LinkExpired, tandem.LinkOpened} {
		h.must(h.book.MarkLink(t.Context(), link, s))
	}
	if e := h.since(c.ID, 1); len(e) != 1 || e[0].Link != tandem.LinkDone || e[0].Rev != 3 {
		t.Errorf("%+v", e)
	}
}

func TestErased(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	h.say(&c, tandem.SenderCustomer, "my name is Li Lei", "one")
	h.say(&c, tandem.SenderFlow, "hello Li Lei", "")
	h.must(h.db.Erase(t.Context(), c.Customer, "operator", "asked for"))
	for i, e := range h.since(c.ID, 0) {
		from := []tandem.Sender{tandem.SenderCustomer, tandem.SenderFlow}[i]
		if !e.Erased || e.Message.Text != "" || e.Message.Client != "" || e.Message.From != from || e.Message.Seq != uint64(i+1) || e.At.IsZero() {
			t.Errorf("%+v", e)
		}
	}
	if _, found, err := h.book.ByClient(t.Context(), c.ID, "one"); !found || err != nil {
		t.Errorf("a doubled message would be taken: %v", err)
	}
	h.must(h.book.MarkTo(t.Context(), c.ID, 2, tandem.MessageRead))
}

// What people say, their numbers and their tokens must not lie in the database's files.
func TestNothingPersonalLiesOpen(t *testing.T) {
	h := newHouse(t)
	c := h.begin("+8613912345678")
	h.say(&c, tandem.SenderCustomer, "the quick brown fox", "client-id-of-mine")
	token, err := h.book.Token(t.Context(), c.ID)
	h.must(err)
	h.must(h.book.Mark(t.Context(), c.ID, 1, tandem.MessageFailed, "+8613912345678 is barred"))
	h.must(h.db.Close())
	files, err := filepath.Glob(h.path() + "*")
	h.must(err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		h.must(err)
		for _, secret := range []string{"quick brown", "13912345678", token, "client-id-of-mine", "barred"} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%q lies in %s", secret, filepath.Base(f))
			}
		}
	}
}

func TestStoreThatFails(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	h.must(h.db.Close())
	if _, err := h.book.Token(t.Context(), c.ID); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a token: %v", err)
	}
	if err := h.book.Mark(t.Context(), c.ID, 1, tandem.MessageRead, ""); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a receipt: %v", err)
	}
	if _, err := h.book.Since(context.Background(), c.ID, 0, 0); err == nil {
		t.Error("a closed database is read")
	}
}
