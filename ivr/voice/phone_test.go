package voice

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/media/codec"
	"tandem/sip"
)

func TestMain(m *testing.M) {
	testkit.AtOnce(8)
	goleak.VerifyTestMain(m)
}

// patience bounds every wait of these tests.
const patience = 60 * time.Second

// tones speaks prompts whose text is "440x600": 440 Hz for 600 ms.
type tones struct{}

func (tones) Clips(_ context.Context, _ string, parts []tandem.Part, _ string) ([]*media.Clip, error) {
	var hz float64
	var ms int
	if _, err := fmt.Sscanf(parts[0].Text, "%fx%d", &hz, &ms); err != nil {
		return nil, fmt.Errorf("nothing can speak this prompt")
	}
	return []*media.Clip{media.Tone(hz, ms)}, nil
}

// line is a channel on a real stream with a phone at its other end.
type line struct {
	*Channel
	t      *testing.T
	engine *media.Engine
	stream *media.Stream
	phone  *testkit.RTP
	sip    chan sip.Event
	inbox  chan flow.Input
	box    *box // what the caller says goes onto, if anything

	mu     sync.Mutex
	traces []any
	held   []bool
	spoken []string
}

// newLine makes a call on an engine whose streams fall silent after timeout.
func newLine(t *testing.T, timeout time.Duration, set func(*Config)) *line {
	t.Helper()
	e, err := media.NewEngine(media.Config{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	l := &line{t: t, engine: e, phone: testkit.NewRTP(t), sip: make(chan sip.Event, 8)}
	if l.stream, err = e.Open(); err != nil {
		t.Fatal(err)
	}
	l.stream.Set(media.Params{Remote: l.phone.Addr(), Law: codec.PCMU, Event: 101, Send: true, Recv: true})
	l.phone.Aim(testkit.Loopback(l.stream.Port()))
	cfg := Config{Stream: l.stream, Speech: tones{}, Events: l.sip, Now: time.Now, Trace: l.trace,
		Held: func(on bool) { l.held = append(l.held, on) },
		Spoken: func(p flow.Play, whole bool) {
			l.spoken = append(l.spoken, fmt.Sprint(p.Parts[0].Text, " ", whole))
		}}
	if set != nil {
		set(&cfg)
	}
	l.Channel = New(cfg)
	return l
}

func (l *line) trace(_ tandem.EventKind, data any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.traces = append(l.traces, data)
}

// say queues a prompt of a step.
func (l *line) say(step, text string, stoppedBy flow.BargeIn) {
	l.t.Helper()
	p := flow.Play{Step: step, Lang: "en", Parts: []tandem.Part{{Text: text}}, BargeIn: stoppedBy}
	if err := l.Play(l.t.Context(), p); err != nil {
		l.t.Fatal(err)
	}
}

// next is Next, which must not fail.
func (l *line) next(w flow.Wait, answers <-chan flow.Input) flow.Input {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	in, err := l.Next(ctx, w, answers, l.inbox)
	if err != nil {
		l.t.Fatalf("waiting: %v (%v)", err, context.Cause(ctx))
	}
	return in
}

func (l *line) listen(step string) flow.Input {
	l.t.Helper()
	return l.next(flow.Wait{Kind: flow.WaitListen, Step: step, Serial: 7, Timeout: patience}, nil)
}

func (l *line) drain() {
	l.t.Helper()
	if err := l.Drain(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// heard is what the phone has heard of the tones so far.
func (l *line) heard(hz ...int) []testkit.Span {
	return testkit.Transcript(testkit.Audio(l.phone.Packets(time.Time{})), hz...)
}

// until waits for what the phone hears to be so, and returns it.
func (l *line) until(is func([]testkit.Span) bool, hz ...int) []testkit.Span {
	l.t.Helper()
	var spans []testkit.Span
	if !l.phone.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool {
		spans = testkit.Transcript(testkit.Audio(ps), hz...)
		return is(spans)
	}) {
		l.t.Fatalf("heard %s", testkit.Describe(spans))
	}
	return spans
}

// sounds is order without the silence: on a busy machine there is some between things
// that are not asked for at once, and in the midst of them.
func sounds(spans []testkit.Span) string {
	var whole []testkit.Span
	for _, s := range spans {
		if n := len(whole); n > 0 && whole[n-1].Hz == s.Hz {
			whole[n-1].For += s.For
		} else if s.Hz != 0 {
			whole = append(whole, s)
		}
	}
	return order(whole)
}

// skipped is how much of what was to be said was not sent, as the machine was busy.
func (l *line) skipped() time.Duration {
	return time.Duration(l.engine.Load().Skipped) * 20 * time.Millisecond
}

// order is the sounds without their lengths; shorter ones than 60 ms are left out.
func order(spans []testkit.Span) string {
	s := ""
	for _, x := range spans {
		if x.For >= 60*time.Millisecond {
			s += fmt.Sprint(x.Hz, " ")
		}
	}
	return s
}
