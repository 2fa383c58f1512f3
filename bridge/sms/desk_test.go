package sms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ours   = "+861055550100"
	theirs = "+8613800000001"
)

// fake is a gateway that keeps what it is handed.
type fake struct {
	mu      sync.Mutex
	taken   []Message
	err     error
	before  func(id string) // runs in Send, when the id is known and not yet returned
	receive func(r *http.Request, body []byte) ([]Inbound, []Receipt, Answer, error)
}

func (f *fake) Send(_ context.Context, m Message) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return "", f.err
	}
	f.taken = append(f.taken, m)
	id := fmt.Sprintf("id-%d", len(f.taken))
	if f.before != nil {
		f.before(id)
	}
	return id, nil
}

func (f *fake) Receive(r *http.Request, body []byte) ([]Inbound, []Receipt, Answer, error) {
	return f.receive(r, body)
}

func (f *fake) sent() []Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Message{}, f.taken...)
}

// office is a desk with all around it.
type office struct {
	*Desk
	db      *sqlite.DB
	clock   *storetest.Still
	gateway *fake
	o       Options
	path    string
	keys    *store.Keyring
	log     *bytes.Buffer

	mu       sync.Mutex
	arrived  []Inbound
	marks    []Receipt
	refused  []string
	rejected []string
	stops    []Stop
	fault    error // of Arrived
}

// generous lets everything out that goes to China, but for a range.
func generous() Policy {
	return Policy{
		Allowed: func(number string) (bool, string) {
			if strings.HasPrefix(number, "+8616868") {
				return false, "its range is denied (+8616868)"
			}
			return strings.HasPrefix(number, "+86"), "texts.allow does not list it"
		},
		PerHour: 1000, PerDay: 1000, PerNumberPerHour: 100, PerNumberPerDay: 100, PerVisitorPerHour: 100, PerAddressPerHour: 100, PartsPerDay: 10_000,
	}
}

func newOffice(t testing.TB, policy Policy, change ...func(*Options)) *office {
	t.Helper()
	at := storetest.NewPlace(t)
	o := &office{clock: storetest.NewStill(time.Unix(1795424400, 0).UTC()), gateway: &fake{}, path: filepath.Join(at.Dir, "tandem.db"), keys: at.Keys, log: &bytes.Buffer{}}
	o.open(t)
	t.Cleanup(func() { o.db.Close() })
	o.o = Options{
		Name: "Harbour Bank", Gateways: map[string]Gateway{"first": o.gateway}, Numbers: []Number{{ours, "first"}, {"95588", "first"}}, Policy: policy, Database: o.db, Blind: at.Keys.Blind,
		Arrived: func(_ context.Context, in Inbound) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.fault == nil {
				o.arrived = append(o.arrived, in)
			}
			return o.fault
		},
		Marked: func(_ context.Context, _ string, r Receipt) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.marks = append(o.marks, r)
			return nil
		},
		Stopped: func(_ context.Context, s Stop) (store.Change, error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.stops = append(o.stops, s)
			return store.Change{}, nil
		},
		Refused:  func(rule string) { o.mu.Lock(); o.refused = append(o.refused, rule); o.mu.Unlock() },
		Rejected: func(rule string) { o.mu.Lock(); o.rejected = append(o.rejected, rule); o.mu.Unlock() },
		Log:      slog.New(slog.NewTextHandler(o.log, nil)), Now: o.clock.Now,
	}
	for _, c := range change {
		c(&o.o)
	}
	o.renew(t)
	return o
}

func (o *office) open(t testing.TB) {
	t.Helper()
	var err error
	o.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: o.path, Keys: o.keys, Log: slog.New(slog.DiscardHandler), Now: o.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
}

// renew makes the desk anew, as after a restart.
func (o *office) renew(t testing.TB) {
	t.Helper()
	o.o.Database = o.db
	var err error
	if o.Desk, err = New(o.o); err != nil {
		t.Fatal(err)
	}
}

func text(key, to, words string) Message {
	return Message{Key: key, From: ours, To: to, Text: words, Lang: "en"}
}

// post counts a text and puts its letter into the outbox, as flows do.
func (o *office) post(t *testing.T, m Message) error {
	t.Helper()
	return o.db.Commit(t.Context(), &store.Change{Outbox: []store.Outgoing{o.Letter(m)}, With: func(tx store.Tx) error {
		return o.Reserve(t.Context(), tx, m, m.Parts())
	}})
}

// deliver works the outbox off once; it returns what became of each letter.
func (o *office) deliver(t *testing.T) []error {
	t.Helper()
	leased, err := o.db.Lease(t.Context(), 100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var out []error
	for _, l := range leased {
		err := o.Deliver(t.Context(), l.Outgoing)
		out = append(out, err)
		switch {
		case err == nil:
			err = o.db.Delivered(t.Context(), l.Key)
		case errors.Is(err, outbox.ErrPermanent):
			err = o.db.Failed(t.Context(), l.Key, err, time.Time{})
		default:
			err = o.db.Failed(t.Context(), l.Key, err, o.clock.Now().Add(time.Second))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// states are the states that a message was marked with, in order.
func (o *office) states(key string) []tandem.MessageState {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []tandem.MessageState
	for _, r := range o.marks {
		if r.Key == key {
			out = append(out, r.State)
		}
	}
	return out
}

// furthest is the state a book of messages would have: it takes what is further only.
func (o *office) furthest(key string) tandem.MessageState {
	var state tandem.MessageState
	for _, s := range o.states(key) {
		if s.After(state) {
			state = s
		}
	}
	return state
}

// ruled says by which rule a text was refused, "" for none.
func ruled(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var r *Refused
	if !errors.As(err, &r) {
		t.Fatalf("not a refusal: %v", err)
	}
	return r.Rule
}

func TestATextGoesOut(t *testing.T) {
	o := newOffice(t, generous())
	m := text("k-1", theirs, "Your place is kept.")
	m.Visitor, m.Address = "visitor-1", "192.0.2.1"
	if err := o.post(t, m); err != nil {
		t.Fatal(err)
	}
	if errs := o.deliver(t); len(errs) != 1 || errs[0] != nil {
		t.Fatalf("delivering: %v", errs)
	}
	m.Visitor, m.Address = "", "" // those who caused it are not told to the gateway
	if got := o.gateway.sent(); len(got) != 1 || got[0].Key != m.Key || got[0].Text != m.Text || got[0].Visitor+got[0].Address != "" {
		t.Errorf("handed over: %+v", got)
	}
	if s := o.states("k-1"); len(s) != 1 || s[0] != tandem.MessageSent {
		t.Errorf("marked %v", s)
	}
}

func TestALetterThatWasTakenIsNotSentAgain(t *testing.T) {
	o := newOffice(t, generous())
	m := text("k-1", theirs, "once")
	if err := o.post(t, m); err != nil {
		t.Fatal(err)
	}
	for range 3 { // as if the outbox could not note that it was delivered
		if err := o.Deliver(t.Context(), o.Letter(m)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(o.gateway.sent()); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
}

func TestFrom(t *testing.T) {
	o := newOffice(t, generous(), func(p *Options) {
		p.Numbers = []Number{{ours, "first"}, {"+15005550006", "first"}, {"95588", "first"}, {"+85290000000", "first"}}
	})
	for in, want := range map[string]string{
		"sms:" + ours: ours, "sms:95588": "95588", "sms:+1999": "", "+8613900000000": ours, "+14155550100": "+15005550006", "+85255550100": "+85290000000",
		"+447700900000": ours, "bank": "", "": "", "+86 139 0000 0000": ours,
	} {
		if got, ok := o.From(in); got != want || ok != (want != "") {
			t.Errorf("From(%q) = %q, %t", in, got, ok)
		}
	}
}

func TestNormal(t *testing.T) {
	for in, want := range map[string]string{
		"+86 138 0000-0001": theirs, "008613800000001": theirs, " +86(138)0000.0001 ": theirs, "13800000001": "", "+0861380000": "", "+86１38": "", "+": "", "": "",
		"bank": "", "+1234": "", "+1234567890123456": "", "+86138\n0000": "", "whatsapp:+8613800000001": "", "+86+13800000": "",
	} {
		if got, ok := Normal(in); got != want || ok != (want != "") {
			t.Errorf("Normal(%q) = %q, %t", in, got, ok)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	o := newOffice(t, generous())
	for name, change := range map[string]func(*Options){
		"no database":  func(p *Options) { p.Database = nil },
		"no gateway":   func(p *Options) { p.Numbers = []Number{{ours, "other"}} },
		"served twice": func(p *Options) { p.Numbers = []Number{{ours, "first"}, {ours, "first"}} },
	} {
		p := o.o
		change(&p)
		if _, err := New(p); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
