package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
)

// TestTold: what a receiver is told of an event, signed, and nothing of the customer.
func TestTold(t *testing.T) {
	h := newHouse(t)
	s, secret := h.add("task.*", "interaction.opened")
	call, task := h.call()
	task.State, task.Agent, task.Fence = tandem.TaskOffered, "anna", 7
	h.commit(&store.Change{Tasks: []tandem.Task{task}, Events: []tandem.Event{call.Event(h.still.Now(), tandem.EventTaskOffered,
		tandem.Offered{Task: task.ID, Agent: "anna", Fence: 7, Deadline: h.still.Now().Add(20 * time.Second), Decision: tandem.Decision{Waited: 3, Why: tandem.Words{En: "the longest idle"}}})}})
	h.commit(&store.Change{Events: []tandem.Event{call.Event(h.still.Now(), tandem.EventNoted, tandem.Noted{Text: "not wanted"})}})
	if n := h.find(s.ID).Waiting; n != 3 {
		t.Errorf("%d letters wait", n)
	}
	if errs := h.deliver(); errs != nil {
		t.Fatal(errs)
	}
	got := h.taken()
	if len(got) != 3 {
		t.Fatalf("%d letters came", len(got))
	}
	key, err := outbox.ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range got {
		if want := fmt.Sprintf("evt_%s_%d", call.ID, []int{1, 3, 4}[i]); r.id != want {
			t.Errorf("id is %s, want %s", r.id, want)
		}
		if r.signature != key.Sign(r.id, h.still.Now(), r.body) {
			t.Errorf("signed %q", r.signature)
		}
		if bytes.Contains(r.body, []byte("138")) || bytes.Contains(r.body, []byte("idle")) {
			t.Errorf("it tells too much: %s", r.body)
		}
	}
	kind, data := got[2].data(t)
	named, _ := data["task"].(map[string]any)
	if kind != "task.offered" || data["interaction"] != string(call.ID) || data["number"] != string(call.Number) || data["seq"] != 4.0 || data["agent"] != "anna" ||
		data["fence"] != 7.0 || named["id"] != string(task.ID) || named["queue"] != "cards" || named["state"] != "offered" || named["kind"] != "call" {
		t.Errorf("told %s", got[2].body)
	}
	if n := h.find(s.ID).Waiting; n != 0 {
		t.Errorf("%d letters wait after all", n)
	}
	list, err := h.Deliveries(t.Context(), s.ID, "", 2)
	if err != nil || len(list) != 2 || list[0].ID != got[2].id || list[0].Type != tandem.EventTaskOffered || list[0].State != store.LetterDelivered || list[0].Attempts != 1 {
		t.Fatalf("deliveries are %+v, %v", list, err)
	}
	if list, err = h.Deliveries(t.Context(), s.ID, list[1].ID, 2); err != nil || len(list) != 1 || list[0].ID != got[0].id {
		t.Errorf("the next page is %+v, %v", list, err)
	}
	if _, err := h.Deliveries(t.Context(), s.ID, "evt_x", 2); tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Errorf("a page after nothing: %v", err)
	}
}

// TestRotate: for a day letters are signed by both secrets; it outlives a restart.
func TestRotate(t *testing.T) {
	h := newHouse(t)
	s, old := h.add("*")
	s, fresh, err := h.Rotate(t.Context(), s.ID)
	if err != nil || fresh == old || !s.OldSecretUntil.Equal(h.still.Now().Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", s, err)
	}
	signed := func(secrets ...string) {
		t.Helper()
		h.call()
		if errs := h.deliver(); errs != nil {
			t.Fatal(errs)
		}
		r := h.taken()[0]
		var want []string
		for _, text := range secrets {
			key, err := outbox.ParseSecret(text)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, key.Sign(r.id, h.still.Now(), r.body))
		}
		if r.signature != strings.Join(want, " ") {
			t.Errorf("signed %q, want %q", r.signature, want)
		}
	}
	signed(fresh, old)
	h.db.Close()
	h.open()
	signed(fresh, old)
	h.still.Add(24 * time.Hour)
	signed(fresh)
	if !h.find(s.ID).OldSecretUntil.IsZero() {
		t.Error("the old secret is said to sign still")
	}
	h.db.Close()
	for _, name := range []string{"tandem.db", "tandem.db-wal"} {
		data, err := os.ReadFile(filepath.Join(h.place.Dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, hidden := range []string{old, fresh, "hush", h.server.URL} {
			if bytes.Contains(data, []byte(hidden)) {
				t.Errorf("%s lies in %s", hidden, name)
			}
		}
	}
}

// TestGone: 410 switches a subscription off; what waits for it is given up.
func TestGone(t *testing.T) {
	h := newHouse(t)
	s, _ := h.add("*")
	h.call()
	h.says(http.StatusGone)
	if errs := h.deliver(); len(errs) != 3 || !errors.Is(errs[0], outbox.ErrGone) || !errors.Is(errs[2], outbox.ErrPermanent) || errors.Is(errs[2], outbox.ErrGone) {
		t.Errorf("%v", errs)
	}
	s = h.find(s.ID)
	if s.Active || s.Why != WhyGone || !s.MissedSince.Equal(h.still.Now()) {
		t.Errorf("it is %+v", s)
	}
	h.call()
	h.db.Close()
	h.open()
	if got := h.find(s.ID); got.Active || got.Why != WhyGone || !got.MissedSince.Equal(s.MissedSince) {
		t.Errorf("after a restart it is %+v", got)
	}
	if errs := h.deliver(); errs != nil || h.taken() != nil {
		t.Errorf("told all the same: %v", errs)
	}
	if _, err := h.Replay(t.Context(), s.ID, s.MissedSince, time.Time{}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("replayed though it is off: %v", err)
	}
	h.says(http.StatusOK)
	if s, err := h.SetActive(t.Context(), s.ID, true); err != nil || !s.Active || s.Why != "" || s.MissedSince.IsZero() {
		t.Errorf("on again: %+v, %v", s, err)
	}
	n, err := h.Replay(t.Context(), s.ID, s.MissedSince.Add(-time.Minute), time.Time{})
	if err != nil || n != 6 || !h.find(s.ID).MissedSince.IsZero() {
		t.Errorf("replayed %d, %v; %+v", n, err, h.find(s.ID))
	}
	if errs := h.deliver(); errs != nil || len(h.taken()) != 6 {
		t.Errorf("delivering again: %v", errs)
	}
}

// TestReplay: letters go again under their first ids, whatever became of them.
func TestReplay(t *testing.T) {
	h := newHouse(t)
	s, _ := h.add("interaction.opened", "leg.started")
	other, _ := h.add("*")
	if err := h.Remove(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	call, _ := h.call()
	if errs := h.deliver(); errs != nil {
		t.Fatal(errs)
	}
	first := h.taken()
	since := h.still.Now()
	h.still.Add(time.Minute)
	h.call()
	if n, err := h.Replay(t.Context(), s.ID, since, h.still.Now().Add(-time.Millisecond)); err != nil || n != 2 {
		t.Fatalf("replayed %d, %v", n, err) // those of the second call wait already, and go once
	}
	if errs := h.deliver(); errs != nil {
		t.Fatal(errs)
	}
	ids := map[string]int{}
	for _, r := range h.taken() {
		ids[r.id]++
	}
	if len(ids) != 4 || ids[first[0].id] != 1 || ids[first[1].id] != 1 {
		t.Errorf("came: %v", ids)
	}
	if err := h.ReplayOne(t.Context(), s.ID, first[1].id); err != nil {
		t.Fatal(err)
	}
	h.deliver()
	if again := h.taken(); len(again) != 1 || again[0].id != first[1].id || !bytes.Equal(again[0].body, first[1].body) {
		t.Errorf("one again: %+v", again)
	}
	for want, err := range map[tandem.Code]error{
		tandem.CodeNotFound: h.ReplayOne(t.Context(), s.ID, fmt.Sprintf("evt_%s_99", call.ID)),
		tandem.CodeInvalid:  h.ReplayOne(t.Context(), s.ID, "evt_1"),
	} {
		if tandem.CodeOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := h.Replay(t.Context(), s.ID, time.Time{}, time.Time{}); tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Errorf("since ever: %v", err)
	}
	if _, err := h.Replay(t.Context(), "none", since, time.Time{}); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Errorf("nobody's: %v", err)
	}
}

// TestErased: receivers learn that a person is erased, and nothing of them is sent again.
func TestErased(t *testing.T) {
	h := newHouse(t)
	s, _ := h.add("customer.erased", "survey.answered")
	call, _ := h.call()
	h.commit(&store.Change{Events: []tandem.Event{call.Event(h.still.Now(), tandem.EventSurvey, tandem.Surveyed{Form: "csat", Channel: tandem.SMS, Answers: map[string]any{"why": "Zoë"}})}})
	story, err := h.db.Interaction(t.Context(), string(call.ID))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.Erase(t.Context(), story.Customer.ID, "op", "asked"); err != nil {
		t.Fatal(err)
	}
	if errs := h.deliver(); errs != nil {
		t.Fatal(errs)
	}
	got := h.taken()
	if len(got) != 2 || bytes.Contains(got[0].body, []byte("Zo")) {
		t.Fatalf("came: %+v", got)
	}
	if kind, data := got[1].data(t); kind != "customer.erased" || data["interaction"] != string(call.ID) || len(data) != 3 {
		t.Errorf("told %s", got[1].body)
	}
	if err := h.ReplayOne(t.Context(), s.ID, got[0].id); err != nil {
		t.Fatal(err)
	}
	h.deliver()
	if kind, data := h.taken()[0].data(t); kind != "survey.answered" || len(data) != 4 || data["form"] != nil {
		t.Errorf("told of an erased person: %v", data)
	}
}

// TestWorker: the whole way, with the outbox's own worker.
func TestWorker(t *testing.T) {
	h := newHouse(t)
	h.add("interaction.opened")
	came := make(chan string, 10)
	tries := 0
	h.answer = func(r *http.Request, _ []byte) int {
		if tries++; tries == 1 {
			return 503
		}
		came <- r.Header.Get("webhook-id")
		return 200
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	w := &outbox.Worker{Store: h.db.Only(Kind), Deliver: h.Deliver, GivenUp: h.GivenUp, Jitter: func() float64 { return 0 }, Poll: time.Millisecond,
		First: time.Millisecond, Now: h.still.Now, Log: slog.New(slog.DiscardHandler)}
	go func() { defer close(done); w.Run(ctx) }()
	call, _ := h.call()
	h.await(func() bool {
		h.still.Add(time.Second)
		return len(came) > 0
	})
	if id := <-came; id != fmt.Sprintf("evt_%s_1", call.ID) {
		t.Errorf("came %s", id)
	}
	cancel()
	<-done
}

func TestTypesAreSorted(t *testing.T) {
	if types := Types(); !slices.IsSorted(types) || len(types) < 20 {
		t.Errorf("types are %v", types)
	}
}
