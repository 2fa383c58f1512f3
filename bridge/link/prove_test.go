package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// wrong is a code that is not code.
func wrong(code string) string {
	if code == "123456" {
		return "654321"
	}
	return "123456"
}

func (h *house) needy(key string) Order {
	o := h.order(key)
	o.Needs, o.Assurance, o.Told = tandem.Verified, tandem.Verified, true
	return o
}

func TestCodeThatWasTold(t *testing.T) {
	h := newHouse(t, nil)
	o := h.needy("k")
	o.AssuranceUntil = h.now().Add(5 * time.Minute)
	l, _ := h.made(t, o)
	code := l.Code
	if len(code) != codeDigits {
		t.Fatalf("code %q", code)
	}
	l, err := h.Open(t.Context(), l.ID, "mine")
	if err != nil || l.Code != "" {
		t.Fatal(l.Code, err)
	}
	if q, err := h.Ask(t.Context(), l, "en", false); err != nil || q.Kind != KindTold {
		t.Errorf("%+v %v", q, err)
	}
	if _, err := h.Finish(t.Context(), l.ID, "mine", nil); !errors.Is(err, ErrUnproved) {
		t.Errorf("done without the code: %v", err)
	}
	if _, _, err := h.Prove(t.Context(), l.ID, "another", code); !errors.Is(err, ErrUnusable) {
		t.Errorf("another browser: %v", err)
	}
	for _, typed := range []string{"", "  "} { // an empty field is no attempt
		if l, ok, err := h.Prove(t.Context(), l.ID, "mine", typed); ok || err != nil || l.Attempts != 0 {
			t.Error(l.Attempts, ok, err)
		}
	}
	if l, ok, err := h.Prove(t.Context(), l.ID, "mine", wrong(code)); ok || err != nil || l.Attempts != 1 {
		t.Error(l.Attempts, ok, err)
	}
	wide := ""
	for _, r := range code { // in groups, by an input method
		wide += string('０'+r-'0') + " "
	}
	l, ok, err := h.Prove(t.Context(), l.ID, "mine", wide)
	if !ok || err != nil || !l.Proved.Equal(o.AssuranceUntil.Round(0).UTC()) {
		t.Fatalf("%t %v, holds until %s", ok, err, l.Proved)
	}
	if leg := h.page(t, l.Page); leg.Assurance != tandem.Verified || !leg.AssuranceUntil.Equal(l.Proved) {
		t.Errorf("%+v", leg)
	}
	var said tandem.Identified
	events := h.journal(t, tandem.EventIdentified)
	if len(events) != 2 || json.Unmarshal(events[1].Data, &said) != nil || said.Outcome != "passed" || events[1].Leg != l.Page {
		t.Errorf("journal: %d events, %+v", len(events), said)
	}
	// What it carried is over before the operation is.
	h.place.Clock.Add(5 * time.Minute)
	if _, err := h.Finish(t.Context(), l.ID, "mine", nil); !errors.Is(err, ErrUnproved) {
		t.Errorf("done on a level that is over: %v", err)
	}
	if _, err := h.Ask(t.Context(), l, "en", false); !errors.Is(err, ErrNoFactor) {
		t.Errorf("a code of a session whose level is over still counts: %v", err)
	}
	if _, ok, err := h.Prove(t.Context(), l.ID, "mine", code); ok || !errors.Is(err, ErrNoFactor) {
		t.Error(ok, err)
	}
	if l, err := h.Find(t.Context(), l.ID); err != nil || l.Attempts != 0 {
		t.Errorf("an answer that could not be checked counts: %d, %v", l.Attempts, err)
	}
}

// TestCodeCarriesNoMoreThanThereIs: a code told to somebody whose level is too low would
// make them what they are not.
func TestCodeCarriesNoMoreThanThereIs(t *testing.T) {
	h := newHouse(t, nil)
	for name, change := range map[string]func(*Order){
		"a lower level":      func(o *Order) { o.Assurance = tandem.Recognised },
		"a level that ended": func(o *Order) { o.AssuranceUntil = h.now() },
		"nowhere to tell it": func(o *Order) { o.Told = false },
		"nothing needed":     func(o *Order) { o.Needs = tandem.None },
	} {
		o := h.needy(name)
		change(&o)
		if l, _ := h.made(t, o); l.Code != "" || l.code != nil {
			t.Errorf("%s: there is a code", name)
		}
	}
}

func TestTooManyWrong(t *testing.T) {
	h := newHouse(t, nil)
	l, _ := h.made(t, h.needy("k"))
	code := l.Code
	if _, err := h.Open(t.Context(), l.ID, "mine"); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < MaxAttempts; n++ {
		if l, ok, err := h.Prove(t.Context(), l.ID, "mine", wrong(code)); ok || err != nil || l.Attempts != n {
			t.Fatal(l.Attempts, ok, err)
		}
	}
	if _, ok, err := h.Prove(t.Context(), l.ID, "mine", wrong(code)); ok || !errors.Is(err, ErrUnusable) {
		t.Error(ok, err)
	}
	if _, ok, err := h.Prove(t.Context(), l.ID, "mine", code); ok || !errors.Is(err, ErrUnusable) {
		t.Errorf("the right code after too many wrong ones: %t %v", ok, err)
	}
	if l, err := h.Find(t.Context(), l.ID); err != nil || l.State != tandem.LinkRevoked {
		t.Error(l.State, err)
	}
}

func TestWrongAnswersAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	l, _ := h.made(t, h.needy("k"))
	code := l.Code
	if _, err := h.Open(t.Context(), l.ID, "mine"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			typed := fmt.Sprintf("%06d", i)
			if typed == code {
				typed = "999999"
			}
			if _, ok, err := h.Prove(t.Context(), l.ID, "mine", typed); ok || err != nil && !errors.Is(err, ErrUnusable) {
				t.Error(ok, err)
			}
		})
	}
	wg.Wait()
	if n := len(h.journal(t, tandem.EventIdentified)); n != MaxAttempts {
		t.Errorf("%d answers were looked at", n)
	}
	if l, err := h.Find(t.Context(), l.ID); err != nil || l.State != tandem.LinkRevoked {
		t.Error(l.State, err)
	}
}

// TestToldAgain: the session was resumed after a crash, and tells a code again.
func TestToldAgain(t *testing.T) {
	h := newHouse(t, nil)
	o := h.needy("k")
	first, _ := h.made(t, o)
	again, made, err := h.Make(t.Context(), o, func(string, Link) (store.Change, error) { return store.Change{}, nil })
	if err != nil || made || len(again.Code) != codeDigits {
		t.Fatalf("%q %t %v", again.Code, made, err)
	}
	if _, err := h.Open(t.Context(), first.ID, "mine"); err != nil {
		t.Fatal(err)
	}
	if first.Code != again.Code {
		if _, ok, err := h.Prove(t.Context(), first.ID, "mine", first.Code); ok || err != nil {
			t.Errorf("the code from before counts: %v", err)
		}
	}
	if _, ok, err := h.Prove(t.Context(), first.ID, "mine", again.Code); !ok || err != nil {
		t.Error(ok, err)
	}
	if l, _, err := h.Make(t.Context(), o, nil); err != nil || l.Code != "" {
		t.Errorf("a code for a page that has been proved: %v", err)
	}
}

// letters is a factor that sends codes.
type letters struct {
	mu   sync.Mutex
	sent int
	err  error
}

func (f *letters) Ask(_ context.Context, l Link, lang string) (Question, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return Question{}, f.err
	}
	f.sent++
	return Question{Kind: "code", Words: "The code we texted you", State: json.RawMessage(fmt.Sprint(f.sent))}, nil
}

func (f *letters) Check(_ context.Context, l Link, q Question, typed string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return typed == "88"+string(q.State), f.err
}

func TestFactor(t *testing.T) {
	f := &letters{}
	h := newHouse(t, f)
	o := h.needy("k")
	o.Assurance = tandem.None
	l := h.opened(t, o, "mine")
	if _, _, err := h.Prove(t.Context(), l.ID, "mine", "881"); !errors.Is(err, ErrTooSoon) {
		t.Errorf("an answer before the question: %v", err)
	}
	for range 5 { // the page is looked at again and again
		if q, err := h.Ask(t.Context(), l, "en", false); err != nil || q.Words != "The code we texted you" || f.sent != 1 {
			t.Fatalf("%+v %v, %d sent", q, err, f.sent)
		}
	}
	if _, err := h.Ask(t.Context(), l, "en", true); !errors.Is(err, ErrTooSoon) {
		t.Error(err)
	}
	for n := 2; n <= maxAsked; n++ {
		h.place.Clock.Add(askAgain)
		if _, err := h.Ask(t.Context(), l, "en", true); err != nil || f.sent != n {
			t.Fatal(err, f.sent)
		}
	}
	h.place.Clock.Add(askAgain)
	if _, err := h.Ask(t.Context(), l, "en", true); !errors.Is(err, ErrTooSoon) {
		t.Errorf("a code too many: %v", err)
	}
	f.err = errors.New("the core is down")
	if l, ok, err := h.Prove(t.Context(), l.ID, "mine", "88 3"); ok || !errors.Is(err, f.err) {
		t.Error(l.Attempts, ok, err)
	}
	f.err = nil
	if _, ok, err := h.Prove(t.Context(), l.ID, "mine", "88 1"); ok || err != nil {
		t.Errorf("an older code: %v", err)
	}
	l, ok, err := h.Prove(t.Context(), l.ID, "mine", "88 3")
	if !ok || err != nil || !l.Proved.Equal(l.Expires) || l.Attempts != 2 {
		t.Fatal(l.Attempts, ok, err)
	}
	if l, err = h.Finish(t.Context(), l.ID, "mine", nil); err != nil || l.State != tandem.LinkDone {
		t.Error(l.State, err)
	}
	if len(h.asked.all) != 0 {
		t.Error("a question outlives its page")
	}
}

func TestFactorThatCannotAsk(t *testing.T) {
	f := &letters{err: ErrNoFactor}
	h := newHouse(t, f)
	o := h.needy("k")
	o.Told = false
	l := h.opened(t, o, "mine")
	for range 2 {
		if _, err := h.Ask(t.Context(), l, "en", false); !errors.Is(err, ErrNoFactor) {
			t.Error(err)
		}
	}
	f.err = nil
	if _, err := h.Ask(t.Context(), l, "en", false); err != nil {
		t.Errorf("a failure is held against the next try: %v", err)
	}
	h.asked.sweep(l.Expires)
	if len(h.asked.all) != 0 {
		t.Error("a question outlives its link")
	}
}
