package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// house is a desk over a store, with a receiver and the worker that delivers to it.
type house struct {
	*Desk
	t     *testing.T
	place storetest.Place
	still *storetest.Still
	db    *sqlite.DB
	seed  *storetest.Random

	mu     sync.Mutex
	answer func(r *http.Request, body []byte) int // nil = 204
	got    []received
	server *httptest.Server
}

// received is what came to the receiver.
type received struct {
	id, signature, timestamp string
	body                     []byte
}

func (r received) data(t *testing.T) (kind string, data map[string]any) {
	t.Helper()
	var m struct {
		Type string
		Data map[string]any
	}
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatal(err)
	}
	return m.Type, m.Data
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, place: storetest.NewPlace(t), still: storetest.NewStill(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)), seed: storetest.NewRandom(3)}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		code := http.StatusNoContent
		if h.answer != nil {
			code = h.answer(r, body)
		}
		if code < 300 {
			h.got = append(h.got, received{r.Header.Get("webhook-id"), r.Header.Get("webhook-signature"), r.Header.Get("webhook-timestamp"), body})
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(h.server.Close)
	h.open()
	return h
}

// open opens the store and the desk, as after a start of the program.
func (h *house) open() {
	h.t.Helper()
	var err error
	h.Desk, err = New(Options{Keys: h.place.Keys, Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Now: h.still.Now, Random: h.seed, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.db, err = sqlite.Open(h.t.Context(), sqlite.Options{Path: filepath.Join(h.place.Dir, "tandem.db"), Keys: h.place.Keys, Log: slog.New(slog.DiscardHandler),
		Now: h.still.Now, Letters: h.Desk.Letters})
	if err != nil {
		h.t.Fatal(err)
	}
	db, desk := h.db, h.Desk
	h.t.Cleanup(func() { db.Close(); desk.Close() })
	if err := h.Open(h.t.Context(), h.db); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) says(code int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = func(*http.Request, []byte) int { return code }
}

// taken is what has come since the last look.
func (h *house) taken() []received {
	h.mu.Lock()
	defer h.mu.Unlock()
	got := h.got
	h.got = nil
	return got
}

func (h *house) add(kinds ...string) (Subscription, string) {
	h.t.Helper()
	s, secret, err := h.Add(h.t.Context(), "dana", Wanted{URL: h.server.URL + "/in?token=hush", Kinds: kinds})
	if err != nil {
		h.t.Fatal(err)
	}
	return s, secret
}

func (h *house) commit(c *store.Change) {
	h.t.Helper()
	if err := h.db.Commit(h.t.Context(), c); err != nil {
		h.t.Fatal(err)
	}
}

// call opens an interaction, and a task of it.
func (h *house) call() (storetest.Call, tandem.Task) {
	h.t.Helper()
	h.still.Add(time.Second)
	now := h.still.Now()
	call := storetest.NewCall(now, h.seed, "+8613800138000")
	task := tandem.Task{ID: tandem.NewID[tandem.TaskID](now, h.seed), Interaction: call.ID, Kind: tandem.TaskCall, Queue: "cards", State: tandem.TaskWaiting,
		Arrived: now, Due: now.Add(20 * time.Second)}
	h.commit(call.Opening())
	h.commit(&store.Change{Tasks: []tandem.Task{task}, Events: []tandem.Event{call.Event(now, tandem.EventTaskOpened, task)}})
	return call, task
}

// deliver does what the worker does: one round of all that is due.
func (h *house) deliver() (errs []error) {
	h.t.Helper()
	leased, err := h.db.Only(Kind).Lease(h.t.Context(), 1000, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range leased {
		err := h.Deliver(h.t.Context(), l.Outgoing)
		switch {
		case err == nil:
			err = h.db.Delivered(h.t.Context(), l.Key)
		case errors.Is(err, outbox.ErrPermanent) || l.Attempt == 12:
			errs = append(errs, err)
			err = h.db.Failed(h.t.Context(), l.Key, err, time.Time{})
			h.GivenUp(h.t.Context(), l.Outgoing, errs[len(errs)-1])
		default:
			errs = append(errs, err)
			err = h.db.Failed(h.t.Context(), l.Key, err, h.still.Now().Add(time.Minute))
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return errs
}

func (h *house) find(id string) Subscription {
	h.t.Helper()
	s, err := h.Find(id)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

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
		"begins with https":       {URL: "http://crm.example.com/", Kinds: all},
		"no user, password":       {URL: "https://a:b@crm.example.com/", Kinds: all},
		"at most 500 bytes":       {URL: "https://x/" + strings.Repeat("x", 500), Kinds: all},
		"kinds has 1":             {URL: "https://x/"},
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

func (h *house) await(what func() bool) {
	h.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	late := time.After(10 * time.Second)
	for !what() {
		select {
		case <-look.C:
		case <-late:
			h.t.Fatal("it does not happen")
		}
	}
}

func TestTypesAreSorted(t *testing.T) {
	if types := Types(); !slices.IsSorted(types) || len(types) < 20 {
		t.Errorf("types are %v", types)
	}
}
