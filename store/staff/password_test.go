package staff

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"tandem/store"
)

func TestCheckPassword(t *testing.T) {
	for _, test := range []struct{ password, name, want string }{
		{good, "ann", ""},
		{"elevenchars", "ann", "fewer than 12"},
		{"twelve chars", "ann", ""},
		{"我家后院有三棵老梨树呢啊", "ann", ""}, // characters count, not bytes
		{"密码密码密码", "ann", "fewer than 12"},
		{strings.Repeat("orange ", 37), "ann", "longer than 256"},
		{"bad \xff\xfe text, long", "ann", "not valid"},
		{"aaaaaaaaaaaaaaa", "x", "same few characters"},
		{"1212121212121212", "x", "same few characters"},
		{"password1234", "ann", "tried first"},
		{"Pass Word 1234", "ann", "tried first"},
		{"my name is wangfang", "wangfang", "user's name"},
		{"WangFang2026!!", "wangfang@bank.example", "user's name"},
		{"orange ann ladder", "ann", ""}, // three letters are in many words
		{"ｐａｓｓｗｏｒｄ１２３４", "ann", "tried first"},
	} {
		err := CheckPassword(test.password, test.name)
		var weak WeakError
		if (test.want == "") != (err == nil) || (err != nil && (!errors.As(err, &weak) || !strings.Contains(err.Error(), test.want))) {
			t.Errorf("%q of %s: %v, want %q", test.password, test.name, err, test.want)
		}
	}
	for line := range strings.Lines(worst) {
		if CheckPassword(strings.TrimSpace(line), "x") == nil {
			t.Errorf("%s is in the list and taken", line)
		}
	}
}

func TestHash(t *testing.T) {
	h, err := newHasher(cheap, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := h.hash(t.Context(), good)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("%s, %v", hash, err)
	}
	if twice, _ := h.hash(t.Context(), good); twice == hash {
		t.Error("two hashes have one salt")
	}
	for password, want := range map[string]bool{good: true, "orange ladder tree ": false, "": false, good + strings.Repeat("x", 300): false} {
		if fits, again, err := h.check(t.Context(), password, hash); fits != want || again || err != nil {
			t.Errorf("%q fits: %t, again %t, %v", password, fits, again, err)
		}
	}
	if fits, _, err := h.check(t.Context(), good, ""); fits || err != nil {
		t.Errorf("nobody's: %t, %v", fits, err)
	}
	// Composed and decomposed letters are the same password.
	hash, _ = h.hash(t.Context(), "caf\u00e9 au lait now")
	if fits, _, _ := h.check(t.Context(), "cafe\u0301 au lait now", hash); !fits {
		t.Error("the same letters written otherwise do not fit")
	}
	stronger, err := newHasher(Cost{Memory: 128, Passes: 1, Lanes: 1}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if fits, again, err := stronger.check(t.Context(), "caf\u00e9 au lait now", hash); !fits || !again || err != nil {
		t.Errorf("an old hash: fits %t, again %t, %v", fits, again, err)
	}
}

// TestDefaultCost: what is used outside tests is RFC 9106's second choice, and a hash of
// an unknown user is checked at the same cost.
func TestDefaultCost(t *testing.T) {
	h, err := newHasher(Cost{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := h.hash(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	const want = "$argon2id$v=19$m=65536,t=3,p=4$"
	if !strings.HasPrefix(hash, want) || !strings.HasPrefix(h.nobody, want) {
		t.Errorf("%s and %s, want %s", hash, h.nobody, want)
	}
}

func TestHashesThatAreNone(t *testing.T) {
	h, _ := newHasher(cheap, rand.Reader)
	valid, _ := h.hash(t.Context(), good)
	for _, hash := range []string{
		"x", "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", strings.Replace(valid, "m=64", "m=99999999", 1),
		strings.Replace(valid, "t=1", "t=0", 1), strings.Replace(valid, "t=1", "t=1000", 1), strings.Replace(valid, "p=1", "p=0", 1),
		strings.Replace(valid, "v=19", "v=16", 1), valid[:len(valid)-30], valid + "$", strings.Replace(valid, "m=64", "m=-1", 1),
	} {
		if _, _, err := h.check(t.Context(), good, hash); err == nil {
			t.Errorf("%s was taken", hash)
		}
	}
}

func FuzzDecodedHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, hash string) {
		c, salt, tag, err := decoded(hash)
		if err == nil && (c.Memory > maxCostMemory || c.Passes > maxCostPasses || c.Lanes == 0 || len(salt) < 8 || len(tag) < 16) {
			t.Errorf("%q asks for %+v", hash, c)
		}
	})
}

// TestChecksAreBounded: only so many compute at once, so many wait, and the rest are
// told to come again.
func TestChecksAreBounded(t *testing.T) {
	h, _ := newHasher(cheap, rand.Reader)
	for range checksAtOnce {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, checksWaiting)
	for range checksWaiting {
		go func() { _, err := h.hash(ctx, good); waiting <- err }()
	}
	for h.waiting.Load() < checksWaiting { // each counts itself before it waits
		select {
		case err := <-waiting:
			t.Fatalf("one did not wait: %v", err)
		default:
		}
	}
	if _, err := h.hash(ctx, good); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	for range checksWaiting {
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
	}
	for range checksAtOnce {
		<-h.slots
	}
	if _, err := h.hash(t.Context(), good); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestRehash(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	p.o.Cost = Cost{Memory: 128, Passes: 2, Lanes: 1}
	stronger, err := New(p.o)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time with the new hash
		if _, _, err := stronger.Enter(t.Context(), Attempt{Name: "ann", Password: good}); err != nil {
			t.Fatal(err)
		}
		u, err := p.User(t.Context(), "ann")
		if err != nil || !strings.Contains(u.password, "m=128,t=2") {
			t.Errorf("%s, %v", u.password, err)
		}
	}
}

func TestDraw(t *testing.T) {
	got, err := draw(bytes.NewReader(make([]byte, 32)), 11)
	if err != nil || got != "aaaaa-aaaaa-a" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := draw(bytes.NewReader(nil), 3); err == nil {
		t.Error("drew without randomness")
	}
}

func TestSetPassword(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	other, _ := p.enter(t, "ann", "")
	token, l := p.enter(t, "ann", "")
	const next = "purple window frog"
	for name, try := range map[string]struct {
		old, new string
		want     error
	}{
		"wrong": {"nonsense words here", next, ErrWrong}, "weak": {good, "short", nil}, "same": {good, good, nil}, "empty": {good, "", nil},
	} {
		_, err := p.SetPassword(t.Context(), l, try.old, try.new)
		var weak WeakError
		if (try.want != nil && !errors.Is(err, try.want)) || (try.want == nil && !errors.As(err, &weak)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fresh, err := p.SetPassword(t.Context(), l, good, next)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the old token": token, "another login": other} {
		if _, err := p.Look(t.Context(), token); !errors.Is(err, ErrNoLogin) {
			t.Errorf("%s goes on: %v", name, err)
		}
	}
	now, err := p.Look(t.Context(), fresh)
	if err != nil || now.CSRF != l.CSRF || now.User.MustChange {
		t.Errorf("after the change: %+v, %v", now, err)
	}
	if _, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: good}); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	if _, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: next}); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestReaderChangesNothing(t *testing.T) {
	p := newPlace(t)
	p.add(t, "ann", Designer)
	p.db.Close()
	if _, err := p.Add(t.Context(), operator, User{Name: "bob", Roles: []Role{Agent}}, good); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a closed store: %v", err)
	}
}
