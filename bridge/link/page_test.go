package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

var states = []tandem.LinkState{tandem.LinkMade, tandem.LinkOpened, tandem.LinkDone, tandem.LinkDeclined, tandem.LinkExpired, tandem.LinkRevoked}

func TestStates(t *testing.T) {
	allowed := map[[2]tandem.LinkState]bool{
		{tandem.LinkMade, tandem.LinkOpened}: true, {tandem.LinkMade, tandem.LinkExpired}: true, {tandem.LinkMade, tandem.LinkRevoked}: true,
		{tandem.LinkOpened, tandem.LinkDone}: true, {tandem.LinkOpened, tandem.LinkDeclined}: true, {tandem.LinkOpened, tandem.LinkExpired}: true,
		{tandem.LinkOpened, tandem.LinkRevoked}: true,
	}
	for _, from := range states {
		for _, to := range states {
			if got := may(from, to); got != allowed[[2]tandem.LinkState{from, to}] {
				t.Errorf("from %s to %s: %t", from, to, got)
			}
			if from.Over() && may(from, to) {
				t.Errorf("%s is over, and %s follows", from, to)
			}
		}
	}
}

// TestAnyOrder does what people, time and the operator can do to links in random orders,
// and holds the desk against a model of a few lines.
func TestAnyOrder(t *testing.T) {
	h := newHouse(t, nil)
	rng := rand.New(rand.NewPCG(4, 2))
	for n := range 60 {
		l, token := h.made(t, h.order(fmt.Sprint("k", n)))
		model, owner := tandem.LinkMade, ""
		var told []tandem.LinkState
		step := func(s tandem.LinkState) { model, told = s, append(told, s) }
		var trace []string
		for range 1 + rng.IntN(12) {
			browser := []string{"one", "two"}[rng.IntN(2)]
			act := []string{"open", "open", "finish", "decline", "revoke", "wait", "sweep", "look"}[rng.IntN(8)]
			trace = append(trace, act+" "+browser)
			switch act {
			case "open":
				got, err := h.Open(t.Context(), l.ID, browser)
				if model == tandem.LinkMade && l.Expires.After(h.now()) {
					step(tandem.LinkOpened)
					owner = browser
				}
				usable := browser == owner && (model == tandem.LinkDone || model == tandem.LinkDeclined || model == tandem.LinkOpened && l.Expires.After(h.now()))
				if usable != (err == nil) || err != nil && !errors.Is(err, ErrUnusable) || err == nil && got.State != model {
					t.Fatalf("%v: %v, model %s", trace, err, model)
				}
			case "finish", "decline":
				do, to := h.Decline, tandem.LinkDeclined
				if act == "finish" {
					do = func(ctx context.Context, id tandem.LinkID, b string) (Link, error) { return h.Finish(ctx, id, b, nil) }
					to = tandem.LinkDone
				}
				_, err := do(t.Context(), l.ID, browser)
				if model == tandem.LinkOpened && browser == owner && l.Expires.After(h.now()) {
					step(to)
				}
				if err != nil && !errors.Is(err, ErrUnusable) || err == nil && (browser != owner || model != tandem.LinkDone && model != tandem.LinkDeclined) {
					t.Fatalf("%v: let through, model %s", trace, model)
				}
			case "revoke":
				if err := h.Revoke(t.Context(), l.ID, "anna", "test"); err != nil {
					t.Fatal(err)
				}
				if !model.Over() {
					step(tandem.LinkRevoked)
				}
			case "wait":
				h.place.Clock.Add(10 * time.Minute)
			case "sweep":
				if err := h.sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !model.Over() && !l.Expires.After(h.now()) {
					step(tandem.LinkExpired)
				}
			case "look":
				if _, err := h.ByToken(t.Context(), token); err != nil {
					t.Fatal(err)
				}
			}
			got, err := h.Find(t.Context(), l.ID)
			if err != nil || got.State != model || got.Over.IsZero() == model.Over() {
				t.Fatalf("%v: is %s, model %s: %v", trace, got.State, model, err)
			}
		}
		if !slices.Equal(h.told(l.ID), told) {
			t.Fatalf("%v: told %v, model %v", trace, h.told(l.ID), told)
		}
	}
	if v, err := h.db.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("the journal: %+v %v", v, err)
	}
}

func TestAnOperationFromMadeToDone(t *testing.T) {
	h := newHouse(t, nil)
	l, token := h.made(t, h.order("k"))
	found, err := h.ByToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Page(t.Context(), found.ID, "mine"); !errors.Is(err, ErrUnusable) {
		t.Errorf("a page before the press: %v", err)
	}
	if _, err := h.Finish(t.Context(), found.ID, "mine", nil); !errors.Is(err, ErrUnusable) {
		t.Errorf("done before the press: %v", err)
	}
	l, err = h.Open(t.Context(), found.ID, "mine")
	if err != nil {
		t.Fatal(err)
	}
	if leg := h.page(t, l.Page); leg.Kind != tandem.LegLink || leg.Interaction != h.call.ID || leg.Assurance != tandem.None || !leg.Ended.IsZero() {
		t.Errorf("the page's leg: %+v", leg)
	}
	if params, err := h.Params(t.Context(), l); err != nil || params["user"] != "zhang" {
		t.Errorf("%v %v", params, err)
	}
	fields := map[string]any{"user": "li", "amount": 12}
	l, err = h.Finish(t.Context(), l.ID, "mine", fields)
	if err != nil || l.State != tandem.LinkDone {
		t.Fatal(l.State, err)
	}
	if leg := h.page(t, l.Page); leg.Ended.IsZero() || leg.Termination.Reason != tandem.ReasonCompleted {
		t.Errorf("the page's leg: %+v", leg)
	}
	var changed tandem.LinkChanged
	events := h.journal(t, tandem.EventLinkState)
	if len(events) != 2 || json.Unmarshal(events[1].Data, &changed) != nil || changed.State != tandem.LinkDone || changed.Fields["user"] != "li" || changed.Leg != l.Page ||
		events[1].Actor != "caller" {
		t.Errorf("journal: %+v", changed)
	}
	if len(h.changes) != 2 || h.changes[0].state != tandem.LinkOpened || h.changes[0].fields != nil || h.changes[1].fields["amount"] != 12 || h.changes[1].link.Serial != 7 {
		t.Errorf("told: %+v", h.changes)
	}
	// The same browser sees what came of it, for an hour; another does not.
	if _, err := h.Page(t.Context(), l.ID, "mine"); err != nil {
		t.Error(err)
	}
	if _, err := h.Page(t.Context(), l.ID, "another"); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	h.place.Clock.Add(showFor)
	if _, err := h.Page(t.Context(), l.ID, "mine"); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
}

func TestThousandAtOnceActOnce(t *testing.T) {
	h := newHouse(t, nil)
	l := h.opened(t, h.order("k"), "mine")
	start := time.Now()
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			got, err := h.Finish(t.Context(), l.ID, "mine", map[string]any{"n": i})
			if err != nil || got.State != tandem.LinkDone {
				t.Errorf("%s %v", got.State, err)
			}
		})
	}
	wg.Wait()
	t.Logf("1,000 in %s", time.Since(start).Round(time.Millisecond))
	if told := h.told(l.ID); !slices.Equal(told, []tandem.LinkState{tandem.LinkOpened, tandem.LinkDone}) {
		t.Errorf("told %v", told)
	}
	if n := len(h.journal(t, tandem.EventLinkState)); n != 2 {
		t.Errorf("%d events", n)
	}
	if v, err := h.db.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("the journal: %+v %v", v, err)
	}
}

func TestThousandBrowsersOpenOnce(t *testing.T) {
	h := newHouse(t, nil)
	l, _ := h.made(t, h.order("k"))
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			switch _, err := h.Open(t.Context(), l.ID, fmt.Sprint("browser ", i)); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, ErrUnusable):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 999 || len(h.told(l.ID)) != 1 {
		t.Errorf("%d won, %d lost, told %v", won.Load(), lost.Load(), h.told(l.ID))
	}
}

func TestGuesses(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.made(t, h.order("k"))
	signs := tokenSigns + "ABC189-_%\x00é"
	for i := range token {
		for bit := range 8 { // one flipped bit at every place
			b := []byte(token)
			b[i] ^= 1 << bit
			if _, err := h.ByToken(t.Context(), string(b)); !errors.Is(err, ErrUnusable) {
				t.Fatalf("bit %d of sign %d flipped: %v", bit, i, err)
			}
		}
		for _, sign := range signs { // and every other sign: two spellings never lead to one link
			if other := token[:i] + string(sign) + token[i+1:]; other != token {
				if _, err := h.ByToken(t.Context(), other); !errors.Is(err, ErrUnusable) {
					t.Fatalf("sign %d is %q: %v", i, sign, err)
				}
			}
		}
	}
	for range 1000 {
		guess, err := newToken(h.o.Random)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.ByToken(t.Context(), guess); !errors.Is(err, ErrUnusable) {
			t.Fatal(err)
		}
	}
}

func TestHandoff(t *testing.T) {
	h := newHouse(t, nil)
	o := h.order("k")
	o.Operation, o.To = "", tandem.Chat
	l, _ := h.made(t, o)
	l, err := h.Open(t.Context(), l.ID, "mine")
	if err != nil || l.State != tandem.LinkDone || !slices.Equal(h.told(l.ID), []tandem.LinkState{tandem.LinkOpened, tandem.LinkDone}) {
		t.Fatalf("%s %v, told %v", l.State, err, h.told(l.ID))
	}
	if leg := h.page(t, l.Page); leg.Termination.Reason != tandem.ReasonMoved {
		t.Errorf("%+v", leg)
	}
	if l, err = h.Open(t.Context(), l.ID, "mine"); err != nil || len(h.told(l.ID)) != 2 {
		t.Errorf("pressed twice: %v, told %v", err, h.told(l.ID))
	}
	// With a level that it carries, the press is not enough.
	o.Key, o.Needs, o.Assurance, o.Told = "k2", tandem.Verified, tandem.Verified, true
	l, _ = h.made(t, o)
	code := l.Code
	if l, err = h.Open(t.Context(), l.ID, "mine"); err != nil || l.State != tandem.LinkOpened {
		t.Fatal(l.State, err)
	}
	if _, err = h.Finish(t.Context(), l.ID, "mine", nil); !errors.Is(err, ErrUnproved) {
		t.Error(err)
	}
	if _, ok, err := h.Prove(t.Context(), l.ID, "mine", code); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if l, err = h.Finish(t.Context(), l.ID, "mine", nil); err != nil || l.State != tandem.LinkDone {
		t.Error(l.State, err)
	}
}

// TestErased: nothing can be done by the link of a person whose data was erased: it was
// revoked with that.
func TestErased(t *testing.T) {
	h := newHouse(t, nil)
	made, _ := h.made(t, h.order("k1"))
	opened := h.opened(t, h.order("k2"), "mine")
	closing := h.call.Closing(h.now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	if err := h.db.Commit(t.Context(), closing); err != nil {
		t.Fatal(err)
	}
	if err := h.db.Erase(t.Context(), h.who, "test", "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Open(t.Context(), made.ID, "mine"); !errors.Is(err, ErrUnusable) {
		t.Errorf("opened: %v", err)
	}
	if _, err := h.Params(t.Context(), opened); !errors.Is(err, ErrUnusable) {
		t.Errorf("read: %v", err)
	}
	h.place.Clock.Add(time.Hour)
	if err := h.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []tandem.LinkID{made.ID, opened.ID} {
		if l, err := h.Find(t.Context(), id); err != nil || l.State != tandem.LinkRevoked {
			t.Errorf("%s %v", l.State, err)
		}
	}
}

func TestRun(t *testing.T) {
	h := newHouse(t, nil)
	expired := make(chan tandem.LinkID, 1)
	h.o.Changed = func(_ context.Context, l Link, s tandem.LinkState, _ map[string]any) {
		if s == tandem.LinkExpired {
			expired <- l.ID
		}
	}
	l, token := h.made(t, h.order("k"))
	h.place.Clock.Add(15 * time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	select {
	case id := <-expired:
		if id != l.ID {
			t.Errorf("%s expired", id)
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody was told of a link that expired")
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	h.place.Clock.Add(keepFor)
	if err := h.clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Find(t.Context(), l.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("kept for ever: %v", err)
	}
	if _, err := h.ByToken(t.Context(), token); !errors.Is(err, ErrUnusable) {
		t.Errorf("a token without a link: %v", err)
	}
}

// An operator's command revokes a link beside the server: whoever waits for the link is
// told by the server, once, and what the server revoked itself is not told again.
func TestRevokedByAnotherProcess(t *testing.T) {
	h := newHouse(t, nil)
	told := make(chan tandem.LinkID, 10)
	h.o.Changed = func(_ context.Context, l Link, s tandem.LinkState, _ map[string]any) {
		if s == tandem.LinkRevoked {
			told <- l.ID
		}
	}
	mine, _ := h.made(t, h.order("mine"))
	theirs, _ := h.made(t, h.order("theirs"))
	beside, err := New(Options{Database: h.db, URL: h.o.URL, Blind: h.o.Blind, Now: h.o.Now, Log: h.o.Log})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Revoke(t.Context(), mine.ID, "", "test"); err != nil {
		t.Fatal(err)
	}
	if err := beside.Revoke(t.Context(), theirs.ID, "operator anna", "sent to the wrong person"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := h.others(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(told)
	var got []tandem.LinkID
	for id := range told {
		got = append(got, id)
	}
	if !slices.Equal(got, []tandem.LinkID{mine.ID, theirs.ID}) {
		t.Errorf("told of %v, want %v", got, []tandem.LinkID{mine.ID, theirs.ID})
	}
	all := h.journal(t, tandem.EventLinkState)
	if last := all[len(all)-1]; last.Actor != "operator anna" || !strings.Contains(string(last.Data), "the wrong person") {
		t.Errorf("the journal has %s by %s", last.Data, last.Actor)
	}
	if of, err := h.Of(t.Context(), h.call.ID); err != nil || len(of) != 2 || of[1].State != tandem.LinkRevoked {
		t.Errorf("listed: %+v, %v", of, err)
	}
	open, _ := h.made(t, h.order("open"))
	if of, err := h.Of(t.Context(), ""); err != nil || len(of) != 1 || of[0].ID != open.ID {
		t.Errorf("open: %+v, %v", of, err)
	}
}
