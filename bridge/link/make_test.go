package link

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

func TestMake(t *testing.T) {
	h := newHouse(t, nil)
	o := h.order("bank.online#1")
	var url string
	var message store.Change
	l, made, err := h.Make(t.Context(), o, func(u string, l Link) (store.Change, error) {
		url = u
		message = store.Change{
			Events: []tandem.Event{h.call.Event(h.now(), tandem.EventMessage, tandem.Message{Text: "https://pages.example/l/••••"})},
			Outbox: []store.Outgoing{{Key: "m1", Kind: "sms", Target: "+8613800000000", Body: []byte(u)}},
		}
		message.With = func(tx store.Tx) error {
			if message.Events[0].Seq != 4 { // opened, leg started, link made
				t.Errorf("the message has number %d where its maker looks", message.Events[0].Seq)
			}
			return nil
		}
		return message, nil
	})
	if err != nil || !made || l.State != tandem.LinkMade || l.Expires.Sub(l.Made) != 15*time.Minute || l.Code != "" {
		t.Fatalf("%+v %t %v", l, made, err)
	}
	token := strings.TrimPrefix(url, "https://pages.example/l/")
	if !ValidToken(token) {
		t.Errorf("%q is no token", token)
	}
	if got, err := h.ByToken(t.Context(), token); err != nil || got.ID != l.ID || got.Serial != 7 || got.Operation != "enrol" || got.State != tandem.LinkMade {
		t.Errorf("%+v %v", got, err)
	}
	events := h.journal(t, tandem.EventLinkMade)
	var issued tandem.LinkIssued
	if len(events) != 1 || json.Unmarshal(events[0].Data, &issued) != nil || issued.Link != l.ID || issued.Params["user"] != "zhang" || !issued.Expires.Equal(l.Expires) {
		t.Errorf("journal: %+v", issued)
	}
	if letters, err := h.db.Outbox(t.Context()); err != nil || len(letters) != 1 {
		t.Errorf("%d letters, %v", len(letters), err)
	}

	// The session was stored and resumed: it asks again, under another serial.
	o.Serial = 9
	again, made, err := h.Make(t.Context(), o, func(string, Link) (store.Change, error) {
		t.Error("a known key was made again")
		return store.Change{}, nil
	})
	if err != nil || made || again.ID != l.ID || again.Serial != 9 {
		t.Errorf("%+v %t %v", again, made, err)
	}
	if got, err := h.State(t.Context(), h.call.ID, o.Key); err != nil || got.Serial != 9 {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := h.State(t.Context(), h.call.ID, "another"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// TestMakeIsAllOrNothing: what the letter's maker refuses leaves nothing behind.
func TestMakeIsAllOrNothing(t *testing.T) {
	h := newHouse(t, nil)
	no := errors.New("no texts to this number")
	for _, with := range []func(string, Link) (store.Change, error){
		func(string, Link) (store.Change, error) { return store.Change{}, no },
		func(string, Link) (store.Change, error) {
			return store.Change{With: func(store.Tx) error { return no }}, nil
		},
	} {
		if _, made, err := h.Make(t.Context(), h.order("k"), with); made || !errors.Is(err, no) {
			t.Errorf("made %t: %v", made, err)
		}
		if _, err := h.State(t.Context(), h.call.ID, "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("left behind: %v", err)
		}
	}
	if n := len(h.journal(t, tandem.EventLinkMade)); n != 0 {
		t.Errorf("%d events", n)
	}
}

func TestMakeAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	var wg sync.WaitGroup
	ids := make([]tandem.LinkID, 20)
	for i := range ids {
		wg.Go(func() {
			l, _, err := h.Make(t.Context(), h.order("k"), func(string, Link) (store.Change, error) { return store.Change{}, nil })
			if err != nil {
				t.Error(err)
			}
			ids[i] = l.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("two links under one key: %v", ids)
		}
	}
	if n := len(h.journal(t, tandem.EventLinkMade)); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestOrdersThatDoNotFit(t *testing.T) {
	h := newHouse(t, nil)
	for name, change := range map[string]func(*Order){
		"no key":          func(o *Order) { o.Key = "" },
		"a long key":      func(o *Order) { o.Key = strings.Repeat("k", maxKey+1) },
		"no interaction":  func(o *Order) { o.Interaction = "" },
		"nothing to do":   func(o *Order) { o.Operation = "" },
		"two things":      func(o *Order) { o.To = tandem.Chat },
		"a negative life": func(o *Order) { o.Expires = -time.Second },
		"too long a life": func(o *Order) { o.Expires = maxLife + 1 },
	} {
		o := h.order("k")
		change(&o)
		if _, _, err := h.Make(t.Context(), o, nil); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSecretsAreKeptAsHashes looks for token, code and browser's secret in everything
// that the desk leaves behind.
func TestSecretsAreKeptAsHashes(t *testing.T) {
	h := newHouse(t, nil)
	o := h.order("k")
	o.Needs, o.Assurance, o.Told, o.Conversation = tandem.Verified, tandem.Verified, true, "c1"
	l, token := h.made(t, o)
	url, err := h.Reissue(t.Context(), l.ID, "c1")
	if err != nil {
		t.Fatal(err)
	}
	second := strings.TrimPrefix(url, "https://pages.example/l/")
	const browser = "a-browser-secret-0123456789"
	if _, err := h.Open(t.Context(), l.ID, browser); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := h.Prove(t.Context(), l.ID, browser, l.Code); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := h.Finish(t.Context(), l.ID, browser, map[string]any{"user": "a-filled-in-name"}); err != nil {
		t.Fatal(err)
	}
	left := map[string][]byte{"log": h.log.Bytes()}
	files, err := filepath.Glob(filepath.Join(h.place.Dir, "tandem.db*"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if left[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.Code) != 6 || !bytes.Contains(h.log.Bytes(), []byte(l.ID)) {
		t.Errorf("code of %d digits; log %q", len(l.Code), h.log)
	}
	for name, data := range left {
		secrets := []string{token, second, browser, "a-filled-in-name", "zhang"}
		if name == "log" {
			secrets = append(secrets, l.Code) // six digits may occur in a database by chance
		}
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}

func TestReissue(t *testing.T) {
	h := newHouse(t, nil)
	o := h.order("k")
	o.Conversation = "c1"
	l, first := h.made(t, o)
	for _, other := range []tandem.ConversationID{"", "c2"} {
		if _, err := h.Reissue(t.Context(), l.ID, other); !errors.Is(err, ErrUnusable) {
			t.Errorf("conversation %q got the link of another: %v", other, err)
		}
	}
	if _, err := h.Reissue(t.Context(), "none", "c1"); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	var tokens []string
	for range maxTokens {
		url, err := h.Reissue(t.Context(), l.ID, "c1")
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, strings.TrimPrefix(url, "https://pages.example/l/"))
	}
	if _, err := h.ByToken(t.Context(), first); !errors.Is(err, ErrUnusable) {
		t.Errorf("the oldest address of more than %d still leads there: %v", maxTokens, err)
	}
	for _, token := range tokens {
		if got, err := h.ByToken(t.Context(), token); err != nil || got.ID != l.ID {
			t.Error(err)
		}
	}
	// Opened by one browser, a new address helps no other.
	if _, err := h.Open(t.Context(), l.ID, "mine"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Reissue(t.Context(), l.ID, "c1"); err != nil {
		t.Error(err)
	}
	if _, err := h.Open(t.Context(), l.ID, "another"); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	if err := h.Revoke(t.Context(), l.ID, "anna", "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Reissue(t.Context(), l.ID, "c1"); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
}

func TestTokens(t *testing.T) {
	seen := map[string]bool{}
	h := newHouse(t, nil)
	for range 2000 {
		token, err := newToken(h.o.Random)
		if err != nil || !ValidToken(token) || seen[token] {
			t.Fatal(token, err)
		}
		seen[token] = true
	}
	for _, bad := range []string{"", "a", strings.Repeat("a", 25), strings.Repeat("a", 27), strings.Repeat("A", 26), strings.Repeat("1", 26), strings.Repeat("a", 25) + "/", strings.Repeat("é", 13)} {
		if ValidToken(bad) {
			t.Errorf("%q counts as a token", bad)
		}
	}
}
