package ivr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// script is a channel and a world in one, driven by a list of inputs; it writes
// down what it was asked to do.
type script struct {
	inputs   []flow.Input // what Next returns, in order; then the customer leaves
	promise  error
	recorded *flow.Result // given with ErrLeft
	fetch    func(context.Context) flow.Fetched
	words    []flow.Play // said at the beginning of what is answered later
	begin    func(flow.Session, flow.Effect) error
	inbox    chan flow.Input
	turns    []flow.Turn // what Talk returns, in order; then an error
	waits    []flow.Wait // that listened
	saved    flow.Session
	told     func(flow.Told) // of what an agent asked

	mu  sync.Mutex
	log []string
}

func (s *script) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf(format, args...))
}

func (s *script) Play(_ context.Context, p flow.Play) error {
	text := ""
	for _, part := range p.Parts {
		text += part.Text
	}
	s.note("say %s", text)
	if text == "unspeakable" {
		return errors.New("no voice")
	}
	return nil
}
func (s *script) Cut()               { s.note("cut") }
func (s *script) Hush(on bool)       { s.note("hush %v", on) }
func (s *script) Record(flow.Record) { s.note("record") }
func (s *script) Drain(context.Context) error {
	s.note("drain")
	return nil
}

func (s *script) Yield(_ context.Context, all bool) error {
	s.note("yield%s", map[bool]string{true: " all"}[all])
	return nil
}

func (s *script) Told(_ context.Context, t flow.Told) {
	s.note("told %s %s %v", t.Step, t.Outcome, t.Set)
	if s.told != nil {
		s.told(t)
	}
}

func (s *script) Next(ctx context.Context, w flow.Wait, answers, inbox <-chan flow.Input) (flow.Input, error) {
	if w.Kind != flow.WaitListen && w.Kind != flow.WaitRecord {
		select {
		case in := <-answers:
			if ctx.Err() != nil { // who has left hears no answer, whichever came first
				return flow.Input{}, ErrLeft
			}
			return in, nil
		case in := <-inbox:
			return in, nil
		case <-ctx.Done():
			return flow.Input{}, ErrLeft
		}
	}
	s.waits = append(s.waits, w)
	if len(s.inputs) == 0 {
		s.note("left")
		return flow.Input{Kind: flow.InputResult, Serial: w.Serial, Result: s.recorded}, ErrLeft
	}
	in := s.inputs[0]
	s.inputs = s.inputs[1:]
	if in.Serial == 0 {
		in.Serial = w.Serial
	}
	return in, nil
}

func (s *script) Fetch(ctx context.Context, f flow.Fetch) flow.Fetched {
	s.note("%s %s", f.Method, f.URL)
	return s.fetch(ctx)
}
func (s *script) Connect(_ context.Context, c flow.Connect) flow.Result {
	s.note("connect %s", c.To)
	return flow.Result{Outcome: "busy"}
}
func (s *script) Promise(_ context.Context, kind tandem.EventKind, _ any) error {
	s.note("promise %s", kind)
	return s.promise
}
func (s *script) Trace(kind tandem.EventKind, data any) {
	if kind == tandem.EventFlowError {
		s.note("fault %s", data.(tandem.FlowFault).Message)
	}
}
func (s *script) Save(saved flow.Session)  { s.saved = saved }
func (s *script) Inbox() <-chan flow.Input { return s.inbox }

func (s *script) Begin(_ context.Context, at flow.Session, e flow.Effect) ([]flow.Play, error) {
	s.note("begin %T", e)
	return s.words, s.begin(at, e)
}

func (s *script) Withdraw(_ context.Context, at flow.Session) {
	s.note("withdraw %s %s", at.Wait.Kind, at.World)
}

func (s *script) Talk(_ context.Context, at flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
	switch {
	case e != nil:
		s.note("talk %T", e)
	default:
		s.note("talk %s %s%s", at.World, in.Kind, in.Text)
	}
	if len(s.turns) == 0 {
		return flow.Turn{}, errors.New("no such talk")
	}
	t := s.turns[0]
	s.turns = s.turns[1:]
	return t, nil
}

const head = "flow: f\nchannels: [voice]\nlanguages: [en]\n"

// play runs a flow against the script and returns what happened.
func play(t *testing.T, text string, s *script) (Result, string) {
	t.Helper()
	r := runner(t, head+text, s)
	result, err := r.Run(context.Background(), "f", flow.Facts{Channel: tandem.Voice}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result, strings.Join(s.log, "\n")
}

func key(k string) flow.Input { return flow.Input{Kind: flow.InputKey, Text: k, Via: "rfc4733"} }

const menu = `start: ask
on_leave: left
steps:
  ask:
    menu: { prompt: { en: pick }, choices: [ { keys: "1", phrases: { en: [one] }, go: look } ] }
    next: { no_input: bye, no_match: bye }
  look:
    http: { get: "http://core/a", timeout: 3s }
    next: { ok: onward, else: bye }
  onward:
    transfer: { to: "sip:a@b" }
    next: { ok: bye, else: sorry }
  sorry: { say: { en: unspeakable }, next: bye }
  bye: { say: { en: bye }, next: end }
  left: { end: { reason: left } }
`

func TestRun(t *testing.T) {
	s := &script{inputs: []flow.Input{key("1")}, fetch: func(context.Context) flow.Fetched {
		return flow.Fetched{Status: 200, Body: json.RawMessage("{}")}
	}}
	got, log := play(t, menu, s)
	want := "say pick\ncut\nGET http://core/a\ndrain\nconnect sip:a@b\nsay unspeakable\nfault no voice\nsay bye\ndrain"
	if got.Reason != "completed" || got.Left || got.Failed || log != want {
		t.Errorf("ended %+v after\n%s\nwant\n%s", got, log, want)
	}
}

func TestLeavingRunsOnLeave(t *testing.T) {
	got, log := play(t, menu, &script{})
	if got.Reason != "left" || !got.Left || log != "say pick\nleft" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// A customer who leaves during an exchange must not wait for it, and nobody may
// answer a session that has gone on.
func TestLeavingCancelsTheExchange(t *testing.T) {
	ctx, hangUp := context.WithCancel(context.Background())
	cancelled := false
	s := &script{inputs: []flow.Input{key("1")}}
	s.fetch = func(ctx context.Context) flow.Fetched {
		hangUp()
		<-ctx.Done()
		cancelled = true
		return flow.Fetched{Failed: "timeout"}
	}
	lib, _ := read.FS(fstest.MapFS{"f.flow.yaml": {Data: []byte(head + menu)}}, read.Options{HTTPAllow: []string{"core"}})
	r := Runner{Library: lib, Channel: s, World: s, Now: func() time.Time { return noon }}
	got, err := r.Run(ctx, "f", flow.Facts{Channel: tandem.Voice}, nil)
	if err != nil || got.Reason != "left" || !got.Left || !cancelled {
		t.Errorf("ended %+v, %v; exchange cancelled: %v", got, err, cancelled)
	}
}

// What nothing here carries out is a fault of the step, at once: nobody waits for ever.
func TestWhatIsNotCarriedOut(t *testing.T) {
	got, log := play(t, `start: ask
on_error: sorry
steps:
  ask: { handoff: { to: voice, prompt: { en: "come" } }, next: note }
  note: { message: { prompt: { en: "hello" } }, next: end }
  sorry: { say: { en: sorry }, next: end }
`, &script{begin: func(flow.Session, flow.Effect) error { return errors.New("not here") }})
	if !strings.Contains(log, "begin flow.Send\nfault not here\nsay sorry") || got.Left || got.Failed {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// What a caller has recorded until they hung up is known to on_leave.
func TestLeavingKeepsTheRecording(t *testing.T) {
	s := &script{recorded: &flow.Result{Outcome: "done", Value: "blob_7"}}
	got, log := play(t, `start: ask
on_leave: left
vars: { said: { type: recording } }
steps:
  ask: { record: { into: said, max: 10s }, next: end }
  left: { branch: [ { if: "said == 'blob_7'", go: kept } ], next: { else: end } }
  kept: { end: { reason: kept } }
`, s)
	if got.Reason != "kept" || !got.Left || log != "record\nleft" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// What could not be promised must not be acted on: a consent that was not stored
// is none.
func TestBrokenPromiseGoesToOnError(t *testing.T) {
	s := &script{inputs: []flow.Input{key("1")}, promise: errors.New("disk full")}
	got, log := play(t, `start: ask
on_error: sorry
steps:
  ask:
    consent: { kind: data, prompt: { en: "may we" } }
    next: { yes: agreed, no: bye, no_input: bye }
  agreed: { say: { en: agreed }, next: end }
  sorry: { say: { en: sorry }, next: end }
  bye: { say: { en: bye }, next: end }
`, s)
	if strings.Contains(log, "say agreed") || !strings.Contains(log, "say sorry") || got.Left {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}
