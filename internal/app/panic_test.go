package app

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem"
	"tandem/bridge/leg"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/media"
	"tandem/sip"
)

// trap makes the clock panic once it is asked from within a function.
func trap(a *App, function string) (armed *atomic.Bool) {
	armed = &atomic.Bool{}
	a.now = func() time.Time {
		if armed.Load() {
			var pcs [32]uintptr
			frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
			for {
				f, more := frames.Next()
				if strings.HasSuffix(f.Function, function) && armed.CompareAndSwap(true, false) {
					panic("injected in " + function)
				}
				if !more {
					break
				}
			}
		}
		return time.Now()
	}
	return armed
}

// A panic at each place where a call meets the outside ends that call, or that
// exchange of it, and nothing else: another call goes on.
func TestPanicEndsOneCall(t *testing.T) {
	const asks = `start: ask
vars: { got: { type: object, fields: { ok: bool } } }
steps:
  ask:
    http: { get: "http://127.0.0.1:9/x", timeout: 1s, into: got }
    next: { ok: end, else: sorry }
  sorry: { say: { en: { audio: third.wav } }, next: end }
`
	const joins = `start: join
steps:
  join: { transfer: { to: "sip:x@127.0.0.1:9", ring: 5s }, next: { ok: end, else: sorry } }
  sorry: { say: { en: { audio: third.wav } }, next: end }
`
	const mails = `start: tape
steps:
  tape: { voicemail: { box: front, max: 1s }, next: { left: end, too_short: end } }
`
	for _, tc := range []struct {
		name, flow, where, function string
		want                        tandem.Reason
		hears                       string
	}{
		{"answering", waiting, "call", "(*call).answer", tandem.ReasonPanic, ""},
		{"tracing a prompt", waiting, "call", "(*Channel).ended", tandem.ReasonPanic, "440"},
		{"fetching", asks, "fetch", "(*world).Fetch", tandem.ReasonCompleted, "1600"},
		{"transferring", joins, "transfer", "(*world).connect", tandem.ReasonCompleted, "1600"},
		{"taking a voicemail", mails, "call", "(*Channel).startTape", tandem.ReasonPanic, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var armed *atomic.Bool
			s := newServerWith(t, setup{
				flows:   map[string]string{"tried": tc.flow, "waiting": waiting},
				entries: `{ "1": tried, "2": waiting }`,
				more:    "flows: { http_allow: [\"127.0.0.1:9\"] }\noutbound: { allow: [\"sip:127.0.0.1:9\"] }\n",
				before: func(a *App) {
					armed = trap(a, tc.function)
					if tc.where == "fetch" { // it asks no clock of ours: there is no client
						a.fetch.Close()
						a.fetch = nil
						armed.Store(false)
					}
				},
			})
			other := s.peer(t).Call("2", testkit.Options{From: "13900000002"})
			other.RTP.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
			other.RTP.Hear(patience, time.Now(), 0, 300*time.Millisecond) // its prompt is over
			if tc.where != "fetch" {
				armed.Store(true)
			}
			d := s.peer(t).Call("1", testkit.Options{From: "13900000001"})
			d.WaitBye(patience)
			if got := testkit.Describe(heard(d)); !strings.Contains(got, tc.hears) {
				t.Errorf("heard %s", got)
			}
			story := s.story(t, "13900000001")
			if ended(story) != tc.want || len(events(story, tandem.EventClosed)) != 1 {
				t.Errorf("ended by %v", ended(story))
			}
			if n := s.metric(t, "tandem_app_panics_total", "where", tc.where); n != 1 {
				t.Errorf("counted %v times", n)
			}
			if n := strings.Count(s.log.String(), "stack="); n != 1 {
				t.Errorf("logged %d times", n)
			}
			other.RTP.Type("1")
			other.RTP.Hear(patience, time.Time{}, 1130, 100*time.Millisecond)
			other.WaitBye(patience)
			if story := s.story(t, "13900000002"); ended(story) != tandem.ReasonCompleted {
				t.Errorf("the other call ended by %v", ended(story))
			}
		})
	}
}

// What watches in the background begins anew after a panic.
func TestKeepBeginsAnew(t *testing.T) {
	t.Parallel()
	log := &lines{}
	a := &App{metrics: newMetrics(prometheus.NewRegistry()), log: slog.New(slog.NewTextHandler(log, nil))}
	ctx, cancel := context.WithCancelCause(t.Context())
	runs := 0
	a.keep(ctx, "flows", func(ctx context.Context) {
		if runs++; runs == 1 {
			panic("injected")
		}
		cancel(errors.New("enough"))
		<-ctx.Done()
	})
	if runs != 2 || strings.Count(log.String(), "stack=") != 1 {
		t.Errorf("it ran %d times; the log: %s", runs, log)
	}
	a.keep(ctx, "flows", func(context.Context) { panic("while stopping") })
	if a.contain("warm", func() {}) != true {
		t.Error("no panic was taken for one")
	}
}

// A fault that ends the second leg's stream ends that leg, and is told apart from a
// party that fell silent.
func TestFaultOnTheSecondLeg(t *testing.T) {
	e, err := media.NewEngine(media.Config{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1})})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	s.Close() // its Events are closed as by a fault
	got := (&world{}).listen(t.Context(), &leg.Audio{Stream: s}, &sip.Call{}, nil)
	if got.Reason != tandem.ReasonPanic {
		t.Errorf("it ended by %v", got)
	}
}

// A file whose reading panics is read once, and the next save is read again.
func TestPanicOfTheEntriesWatcher(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/tandem.yaml"
	write(t, file, "x")
	log := &lines{}
	a := &App{metrics: newMetrics(prometheus.NewRegistry()), log: slog.New(slog.NewTextHandler(log, nil))}
	a.o.Config = &config.Loaded{File: file} // an App without flows: whatever is read panics or is refused
	seen := stamp(file)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.keep(ctx, "entries", func(ctx context.Context) { a.watchEntries(ctx, &seen) })
	}()
	good := "entries: { \"1\": low }\n"
	for i := range 2 {
		write(t, file, good+strings.Repeat("\n", i))
		until(t, "a panic", func() bool { return strings.Count(log.String(), "stack=") == i+1 })
	}
	cancel()
	<-done
	if seen != stamp(file) {
		t.Error("the file that panicked would be read again")
	}
}
