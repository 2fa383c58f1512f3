package hook

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
)

// TestPause: a receiver that fails again and again is not asked all the time.
func TestPause(t *testing.T) {
	h := newHouse(t)
	h.add("*")
	for range 4 {
		h.call()
	}
	asked := 0
	h.answer = func(*http.Request, []byte) int { asked++; return 500 }
	errs := h.deliver()
	var later *outbox.RetryAfter
	if len(errs) != 12 || asked != 5 || !errors.As(errs[5], &later) || later.Wait != 5*time.Second {
		t.Errorf("asked %d times: %v", asked, errs)
	}
	h.still.Add(time.Minute)
	h.says(200)
	if errs := h.deliver(); errs != nil || len(h.taken()) != 12 {
		t.Errorf("after the pause: %v", errs)
	}
}

// TestUnreachable: who takes nothing for as long as one letter is tried is told no more.
func TestUnreachable(t *testing.T) {
	h := newHouse(t)
	s, _ := h.add("task.opened")
	h.call()
	h.says(500)
	for range 11 {
		h.deliver()
		h.still.Add(time.Hour)
	}
	if !h.find(s.ID).Active {
		t.Fatal("off too early")
	}
	h.deliver()
	if s = h.find(s.ID); s.Active || s.Why != WhyUnreachable {
		t.Errorf("it is %+v", s)
	}
	list, err := h.Deliveries(t.Context(), s.ID, "", 10)
	if err != nil || len(list) != 1 || list[0].State != store.LetterDead || list[0].Attempts != 12 || !strings.Contains(list[0].Error, "answers 500") {
		t.Errorf("deliveries are %+v, %v", list, err)
	}

	// One that takes others stays.
	h = newHouse(t)
	s, _ = h.add("task.opened")
	call, _ := h.call()
	h.answer = func(_ *http.Request, body []byte) int {
		if bytes.Contains(body, []byte(call.ID)) {
			return 500
		}
		return 200
	}
	for range 12 {
		h.deliver()
		h.still.Add(time.Hour)
		h.call()
	}
	h.deliver()
	if s = h.find(s.ID); !s.Active {
		t.Errorf("it is %+v", s)
	}

	// One whose answers are wrong in themselves is given up sooner.
	h = newHouse(t)
	s, _ = h.add("task.opened")
	h.says(http.StatusFound)
	for range wrongAtMost {
		if !h.find(s.ID).Active {
			t.Fatal("off too early")
		}
		h.call()
		h.deliver()
		h.still.Add(time.Hour)
	}
	if s = h.find(s.ID); s.Active || s.Why != WhyUnreachable {
		t.Errorf("it is %+v", s)
	}
}

// TestFull: what waits for one receiver is bounded, and its subscription says what it missed.
func TestFull(t *testing.T) {
	h := newHouse(t)
	s, _ := h.add("task.opened")
	h.Desk.mu.Lock()
	h.by[s.ID].Waiting = maxWaiting - 1
	h.Desk.mu.Unlock()
	h.call()
	h.call()
	missed := h.still.Now()
	h.call()
	if s = h.find(s.ID); !s.MissedSince.Equal(missed) || s.Waiting != maxWaiting {
		t.Errorf("it is %+v", s)
	}
	h.still.Add(recountEvery)
	h.deliver() // counts again: there is room
	if n := len(h.taken()); n != 1 {
		t.Errorf("%d came", n)
	}
	h.call()
	h.deliver()
	if n := len(h.taken()); n != 1 {
		t.Errorf("%d came after all", n)
	}
	h.db.Close()
	h.open()
	if s = h.find(s.ID); !s.MissedSince.Equal(missed) {
		t.Errorf("after a restart it is %+v", s)
	}
	if n, err := h.Replay(t.Context(), s.ID, missed, time.Time{}); err != nil || n != 3 || !h.find(s.ID).MissedSince.IsZero() {
		t.Errorf("replayed %d, %v, %+v", n, err, h.find(s.ID))
	}
}

func TestAddRefuses(t *testing.T) {
	h := newHouse(t)
	strict, err := New(Options{Keys: h.place.Keys})
	if err != nil {
		t.Fatal(err)
	}
	if err := strict.Open(t.Context(), h.db); err != nil {
		t.Fatal(err)
	}
	all := []string{"*"}
	for says, w := range map[string]Wanted{
		"is no web address":       {URL: "ftp://x/", Kinds: all},
		"must begin with https":   {URL: "http://crm.example.com/", Kinds: all},
		"no user, password":       {URL: "https://a:b@crm.example.com/", Kinds: all},
		"at most 500 bytes":       {URL: "https://x/" + strings.Repeat("x", 500), Kinds: all},
		"of 1 to":                 {URL: "https://x/"},
		`"task" is no type`:       {URL: "https://x/", Kinds: []string{"task"}},
		`"flow.*" is no type`:     {URL: "https://x/", Kinds: []string{"flow.*"}},
		`"outbox.given_up" is no`: {URL: "https://x/", Kinds: []string{"outbox.given_up"}},
		"note has at most 200":    {URL: "https://x/", Kinds: all, Note: strings.Repeat("x", 201)},
	} {
		_, secret, err := strict.Add(t.Context(), "dana", w)
		if tandem.CodeOf(err) != tandem.CodeInvalid || secret != "" || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		if w.URL == "https://x/" {
			if _, err := strict.Change(t.Context(), "none", w); tandem.CodeOf(err) != tandem.CodeInvalid {
				t.Errorf("%s: changed: %v", says, err)
			}
		}
	}
	for range maxSubscriptions {
		if _, _, err := strict.Add(t.Context(), "dana", Wanted{URL: "https://x/", Kinds: all}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := strict.Add(t.Context(), "dana", Wanted{URL: "https://x/", Kinds: all}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("one too many: %v", err)
	}
	if n := len(strict.List()); n != maxSubscriptions {
		t.Errorf("%d are there", n)
	}
	for _, err := range []error{strict.Remove(t.Context(), "none"), second(strict.SetActive(t.Context(), "none", true)), second(strict.Find("none"))} {
		if tandem.CodeOf(err) != tandem.CodeNotFound {
			t.Errorf("of nobody: %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestChange(t *testing.T) {
	h := newHouse(t)
	s, secret := h.add("task.*")
	s, err := h.Change(t.Context(), s.ID, Wanted{URL: h.server.URL, Kinds: []string{"interaction.opened"}, Note: "CRM"})
	if err != nil || s.Note != "CRM" || s.URL != h.server.URL || s.By != "dana" || !s.Active {
		t.Fatalf("%+v, %v", s, err)
	}
	h.call()
	h.deliver()
	got := h.taken()
	key, _ := outbox.ParseSecret(secret)
	if len(got) != 1 || got[0].signature != key.Sign(got[0].id, h.still.Now(), got[0].body) {
		t.Errorf("came %+v", got)
	}
	if _, err := h.SetActive(t.Context(), s.ID, false); err != nil {
		t.Fatal(err)
	}
	h.call()
	if s = h.find(s.ID); s.Active || s.Why != WhyOff || s.Waiting != 0 {
		t.Errorf("it is %+v", s)
	}
}
