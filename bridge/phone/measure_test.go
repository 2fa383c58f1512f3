package phone

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tandem/sip"
)

// Phones are asked whether they are there: two questions in a row without an answer say
// that they are not, one answer that they are.
func TestReach(t *testing.T) {
	h := newHouse(t, func(_ *house, o *Options) { o.Every = 20 * time.Millisecond })
	is := func(want string) func() bool {
		return func() bool {
			mine := slices.DeleteFunc(slices.Clone(h.line.reach), func(s string) bool { return s[:4] != "anna" })
			return len(mine) > 0 && mine[len(mine)-1] == want
		}
	}
	h.line.until(t, "there", is("anna voice true"))
	h.line.until(t, "a phone by a trunk is there", func() bool { return slices.Contains(h.line.reach, "tel voice true") })
	h.anna.Answers(404)
	h.line.until(t, "gone", is("anna voice false"))
	h.anna.Answers(486) // busy is there (RFC 3261 section 11.2)
	h.line.until(t, "back", is("anna voice true"))
	if !h.anna.Silent(0) {
		t.Error("a question rang the phone")
	}
}

// asked is a Dialer that only answers questions.
type asked struct {
	mu    sync.Mutex
	at    []time.Duration
	begun time.Time
	open  int
	most  int
	miss  int // questions that get no answer
}

func (*asked) Dial(context.Context, sip.Dial) (Call, error)     { return nil, errors.New("nobody") }
func (*asked) Host(context.Context, sip.Dial) (addr netip.Addr) { return addr }
func (a *asked) Ping(ctx context.Context, _ string) (int, error) {
	a.mu.Lock()
	a.at = append(a.at, time.Since(a.begun))
	a.open++
	a.most = max(a.most, a.open)
	missed := a.miss > 0
	a.miss--
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.open--
	}()
	if missed {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return 200, nil
}

// zero is no randomness: the shortest pause.
type zero struct{}

func (zero) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// One question that gets no answer says nothing; a second does. Between questions lies the
// pause, whatever becomes of them.
func TestMissesAndPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asked{begun: time.Now(), miss: 3}
		l := &line{news: make(chan struct{})}
		s, err := New(Options{Router: l, Dialer: a, Phones: map[string]string{"anna": "sip:anna@phone.example"}, Random: zero{}, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 89*time.Second)
		defer cancel()
		s.Run(ctx)
		if want := []string{"anna voice false", "anna voice false", "anna voice true", "anna voice true", "anna voice true"}; !slices.Equal(l.reach, want) {
			t.Errorf("the line was told %q", l.reach)
		}
		for i, at := range a.at {
			if want := time.Duration(i) * 15 * time.Second; at != want {
				t.Errorf("question %d was put after %v, want %v", i, at, want)
			}
		}
	})
}

// However many phones are off, the questions under way are bounded.
func TestQuestionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asked{begun: time.Now(), miss: 1 << 30}
		phones := map[string]string{}
		for i := range 1000 {
			phones[string(rune('a'+i%26))+time.Duration(i).String()] = "sip:x@phone.example"
		}
		s, err := New(Options{Router: &line{news: make(chan struct{})}, Dialer: a, Phones: phones, Random: zero{}, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		s.Run(ctx)
		if a.most != askAtOnce || a.open != 0 {
			t.Errorf("%d questions at once, %d open at the end", a.most, a.open)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Options{Phones: map[string]string{"anna": "anna@phone"}}); err == nil || contains(err.Error(), "anna@phone") {
		t.Errorf("error %v", err)
	}
}
