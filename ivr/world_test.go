package ivr

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

// runner reads a flow, with an operation beside it.
func runner(t *testing.T, text string, s *script) Runner {
	t.Helper()
	lib, ds := read.FS(fstest.MapFS{
		"f.flow.yaml":          {Data: []byte(text)},
		"enrol.operation.yaml": {Data: []byte("operation: enrol\nneeds: none\nsteps: [ { show: { en: tap } } ]\nconfirm: { en: go }\n")},
	}, read.Options{Settings: map[string]any{}, HTTPAllow: []string{"core"}})
	if lib == nil {
		var b strings.Builder
		source.Print(&b, ds, false)
		t.Fatal(b.String())
	}
	return Runner{Library: lib, Channel: s, World: s, Now: func() time.Time { return noon }}
}

// call runs a flow for voice and chat for a caller.
func call(t *testing.T, ctx context.Context, text string, s *script) (Result, string) {
	t.Helper()
	r := runner(t, "flow: f\nchannels: [voice, chat]\nlanguages: [en]\n"+text, s)
	result, err := r.Run(ctx, "f", flow.Facts{Channel: tandem.Voice}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result, strings.Join(s.log, "\n")
}

// answers makes what was begun be answered with outcomes, in order.
func answers(s *script, outcomes ...string) {
	s.inbox = make(chan flow.Input, 8)
	s.begin = func(at flow.Session, e flow.Effect) error {
		for _, o := range outcomes {
			s.inbox <- flow.Input{Kind: flow.InputResult, Serial: at.Wait.Serial, Result: &flow.Result{Outcome: o}}
		}
		return nil
	}
}

const linkFlow = `start: ask
on_leave: left
steps:
  ask:
    link: { operation: enrol, prompt: { en: "here ${link.url}" }, by: [sms, chat], expires: 15m, wait: 3m, on_opened: { en: seen } }
    next: { done: bye, else: other }
  bye: { say: { en: bye }, next: end }
  other: { say: { en: other }, next: end }
  left: { end: { reason: left } }
`

// What happens to a link comes by the inbox, late answers of waits before among it.
func TestLink(t *testing.T) {
	s := &script{}
	answers(s, "sent", "opened", "done")
	s.inbox <- flow.Input{Kind: flow.InputResult, Serial: 99, Result: &flow.Result{Outcome: "declined"}}
	got, log := call(t, t.Context(), linkFlow, s)
	if got.Reason != "completed" || log != "begin flow.SendLink\nsay seen\nsay bye\ndrain" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// A fault takes back what is under way; the end of its time does not: the link stays valid.
func TestWhatEndsALink(t *testing.T) {
	for kind, want := range map[flow.InputKind]string{
		flow.InputTimeout: "begin flow.SendLink\nsay other\ndrain",
		flow.InputFault:   "begin flow.SendLink\nwithdraw link \nfault broken\ndrain",
	} {
		s := &script{inbox: make(chan flow.Input, 1)}
		s.begin = func(at flow.Session, _ flow.Effect) error {
			s.inbox <- flow.Input{Kind: kind, Serial: at.Wait.Serial, Text: "broken"}
			return nil
		}
		if _, log := call(t, t.Context(), linkFlow, s); log != want {
			t.Errorf("%s:\n%s\nwant\n%s", kind, log, want)
		}
	}
}

// The page goes on after a hang-up, and the flow with it.
func TestLeavingWithAPageOpen(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	s := &script{begin: func(flow.Session, flow.Effect) error { hangUp(); return nil }}
	got, log := call(t, ctx, linkFlow, s)
	if !got.Left || !got.GoesOn || got.Session.Wait.Kind != flow.WaitLink || len(got.Session.Frames) != 1 || log != "begin flow.SendLink" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// A link that nobody waits for is done when it is sent: who leaves before has left.
func TestLeavingWhileALinkIsSent(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	s := &script{begin: func(flow.Session, flow.Effect) error { hangUp(); return nil }}
	got, log := call(t, ctx, strings.Replace(linkFlow, ", wait: 3m, on_opened: { en: seen }", "", 1), s)
	if !got.Left || got.GoesOn || got.Reason != "left" || got.Session.Wait.Kind != flow.WaitLink || log != "begin flow.SendLink\nwithdraw link " {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

const handoffFlow = `start: ask
on_leave: left
steps:
  ask: { handoff: { to: chat, prompt: { en: "come" } }, next: { accepted: there, else: here } }
  here: { say: { en: here }, next: end }
  there: { say: { en: there }, next: end }
  left: { message: { prompt: { en: "we missed you" }, by: [sms] }, next: end }
`

func TestHandoff(t *testing.T) {
	s := &script{}
	answers(s, "accepted")
	got, log := call(t, t.Context(), handoffFlow, s)
	if got.Moved == nil || got.Moved.Result.Outcome != "accepted" || !got.Moved.At.Equal(noon) || got.Moved.Serial != got.Session.Wait.Serial ||
		got.Session.Wait.Kind != flow.WaitHandoff || got.Reason != "" || log != "begin flow.Move\ndrain" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
	s = &script{}
	answers(s, "declined")
	if got, log := call(t, t.Context(), handoffFlow, s); got.Moved != nil || log != "begin flow.Move\nsay here\ndrain" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// Who leaves closes the way there; on_leave may still write, and its answer is heard.
func TestLeavingDuringAHandoff(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	s := &script{inbox: make(chan flow.Input, 1)}
	s.begin = func(at flow.Session, e flow.Effect) error {
		if _, ok := e.(flow.Move); ok {
			hangUp()
			return nil
		}
		s.inbox <- flow.Input{Kind: flow.InputResult, Serial: at.Wait.Serial, Result: &flow.Result{Outcome: "sent"}}
		return nil
	}
	got, log := call(t, ctx, handoffFlow, s)
	if !got.Left || got.GoesOn || got.Reason != "completed" || got.Session.Wait.Kind != flow.WaitHandoff || log != "begin flow.Move\nwithdraw handoff \nbegin flow.Send" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// on_leave has its time, then nothing is waited for, and what it has begun is taken back.
func TestLeavingHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, hangUp := context.WithCancel(t.Context())
		s := &script{begin: func(flow.Session, flow.Effect) error { hangUp(); return nil }}
		got, log := call(t, ctx, handoffFlow, s)
		if !got.Left || got.Reason != "left" || log != "begin flow.Move\nwithdraw handoff \nbegin flow.Send\nwithdraw message " {
			t.Errorf("ended %+v after\n%s", got, log)
		}
	})
}

const identifyFlow = `start: prove
on_leave: left
on_error: sorry
steps:
  prove: { identify: { level: verified, by: [code] }, next: { passed: in, else: out } }
  in: { say: { en: in }, next: end }
  out: { say: { en: out }, next: end }
  sorry: { say: { en: sorry }, next: end }
  left: { end: { reason: left } }
`

func says(text string) []flow.Play {
	return []flow.Play{{Lang: "en", Parts: []tandem.Part{{Text: text}}}}
}

// secret is a turn that asks for a secret.
func secret(text string, digits, state int) flow.Turn {
	return flow.Turn{Plays: says(text), Wait: flow.Wait{Timeout: 10 * time.Second, Secret: true}, Digits: digits, State: json.RawMessage(fmt.Sprint(state))}
}

func keys(pressed string) (in []flow.Input) {
	for _, k := range pressed {
		in = append(in, key(string(k)))
	}
	return in
}

func done(outcome string) flow.Turn {
	return flow.Turn{Plays: says("so be it"), Done: &flow.Result{Outcome: outcome}}
}

func TestTalk(t *testing.T) {
	open := flow.Turn{Plays: says("by code"), Wait: flow.Wait{Timeout: time.Second}, Digits: 1, State: json.RawMessage("7")}
	timeout := flow.Input{Kind: flow.InputTimeout}
	early := key("9")
	early.Early = true
	for _, tc := range []struct {
		name   string
		turns  []flow.Turn
		inputs []flow.Input
		want   string
	}{
		{"a code of fixed length", []flow.Turn{secret("code", 4, 1), done("passed")}, keys("1234"),
			"hush true\ntalk flow.Identify\nsay code\nhush true\ncut\ncut\ncut\ncut\ntalk 1 text1234\nsay so be it\nhush false\nsay in\ndrain"},
		{"ended by #", []flow.Turn{secret("code", 0, 1), done("failed")}, keys("12#"),
			"hush true\ntalk flow.Identify\nsay code\nhush true\ncut\ncut\ncut\ntalk 1 text12\nsay so be it\nhush false\nsay out\ndrain"},
		{"ended by a pause", []flow.Turn{secret("code", 6, 1), done("passed")}, append(keys("12"), timeout),
			"hush true\ntalk flow.Identify\nsay code\nhush true\ncut\ncut\ntalk 1 text12\nsay so be it\nhush false\nsay in\ndrain"},
		{"silence, then a second try", []flow.Turn{secret("code", 1, 1), secret("again", 1, 2), done("passed")}, append([]flow.Input{timeout}, keys("5")...),
			"hush true\ntalk flow.Identify\nsay code\nhush true\ntalk 1 timeout\nsay again\nhush true\ncut\ntalk 2 text5\nsay so be it\nhush false\nsay in\ndrain"},
		{"a choice is no secret", []flow.Turn{open, secret("code", 1, 1), done("passed")}, keys("15"),
			"hush true\ntalk flow.Identify\nsay by code\nhush false\ncut\ntalk 7 text1\nsay code\nhush true\ncut\ntalk 1 text5\nsay so be it\nhush false\nsay in\ndrain"},
		{"the # of the entry before, and a key before the question", []flow.Turn{secret("code", 2, 1), done("passed")}, append([]flow.Input{early}, keys("#34")...),
			"hush true\ntalk flow.Identify\nsay code\nhush true\ncut\ncut\ntalk 1 text34\nsay so be it\nhush false\nsay in\ndrain"},
		{"no end of keys", []flow.Turn{secret("code", 0, 1), done("failed")}, keys(strings.Repeat("1", maxEntry)),
			"hush true\ntalk flow.Identify\nsay code\nhush true\n" + strings.Repeat("cut\n", maxEntry) + "talk 1 text" + strings.Repeat("1", maxEntry) + "\nsay so be it\nhush false\nsay out\ndrain"},
		{"typed", []flow.Turn{secret("code", 4, 1), done("passed")}, []flow.Input{{Kind: flow.InputText, Text: "12 34"}},
			"hush true\ntalk flow.Identify\nsay code\nhush true\ntalk 1 text12 34\nsay so be it\nhush false\nsay in\ndrain"},
		{"over at once", []flow.Turn{done("unsupported")}, nil, "hush true\ntalk flow.Identify\nsay so be it\nhush false\nsay out\ndrain"},
		{"the answer comes by another way", []flow.Turn{secret("code", 4, 1)}, append(keys("12"), flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "passed"}}),
			"hush true\ntalk flow.Identify\nsay code\nhush true\ncut\ncut\nhush false\nsay in\ndrain"},
		{"what comes for another wait", []flow.Turn{secret("code", 2, 1), done("passed")},
			[]flow.Input{key("1"), {Kind: flow.InputResult, Serial: 77, Result: &flow.Result{Outcome: "done"}}, key("2")},
			"hush true\ntalk flow.Identify\nsay code\nhush true\ncut\ncut\ntalk 1 text12\nsay so be it\nhush false\nsay in\ndrain"},
		{"it cannot begin", nil, nil, "hush true\ntalk flow.Identify\nwithdraw identify \nfault no such talk\nhush false\nsay sorry\ndrain"},
		{"it cannot go on", []flow.Turn{secret("code", 1, 1)}, keys("1"),
			"hush true\ntalk flow.Identify\nsay code\nhush true\ncut\ntalk 1 text1\nwithdraw identify \nfault no such talk\nhush false\nsay sorry\ndrain"},
		{"the caller leaves", []flow.Turn{secret("code", 4, 1)}, keys("1"),
			"hush true\ntalk flow.Identify\nsay code\nhush true\ncut\nleft\nwithdraw identify 1\nhush false"},
		{"what cannot be said", []flow.Turn{secret("unspeakable", 1, 1), done("passed")}, keys("1"),
			"hush true\ntalk flow.Identify\nsay unspeakable\nfault no voice\nhush true\ncut\ntalk 1 text1\nsay so be it\nhush false\nsay in\ndrain"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &script{turns: tc.turns, inputs: tc.inputs}
			got, log := call(t, t.Context(), identifyFlow, s)
			if log != tc.want {
				t.Errorf("ended %+v after\n%s\nwant\n%s", got, log, tc.want)
			}
			if data, err := flow.Encode(s.saved); err != nil || strings.Contains(string(data), "1234") {
				t.Errorf("the session was kept as %s, %v", data, err)
			}
		})
	}
}

// The channel listens for the session's own wait, patiently at first.
func TestTalkListens(t *testing.T) {
	s := &script{turns: []flow.Turn{secret("code", 2, 1), done("passed")}, inputs: keys("12")}
	call(t, t.Context(), identifyFlow, s)
	want := []flow.Wait{
		{Kind: flow.WaitListen, Serial: 1, Step: "prove", Timeout: 10 * time.Second, Secret: true},
		{Kind: flow.WaitListen, Serial: 1, Step: "prove", Timeout: entryGap, Secret: true},
	}
	if fmt.Sprint(s.waits) != fmt.Sprint(want) {
		t.Errorf("it waited for\n%+v\nwant\n%+v", s.waits, want)
	}
}

const resumeFlow = `start: back
steps:
  back: { resume: {}, next: { else: new } }
  new: { say: { en: new }, next: end }
`

func TestResumeStep(t *testing.T) {
	goOn := flow.Turn{Plays: says("welcome back"), Go: "an earlier one", Assurance: tandem.Verified, Until: noon.Add(time.Hour)}
	s := &script{turns: []flow.Turn{secret("number", 3, 1), goOn}, inputs: keys("123")}
	got, log := call(t, t.Context(), resumeFlow, s)
	want := "hush true\ntalk flow.Resume\nsay number\nhush true\ncut\ncut\ncut\ntalk 1 text123\nsay welcome back\nhush false"
	if got.Go != "an earlier one" || got.Turn.Assurance != tandem.Verified || got.Left || log != want {
		t.Errorf("ended %+v after\n%s\nwant\n%s", got, log, want)
	}
	s = &script{turns: []flow.Turn{secret("number", 3, 1), done("failed")}, inputs: keys("123")}
	if got, log := call(t, t.Context(), resumeFlow, s); got.Go != "" || !strings.HasSuffix(log, "say new\ndrain") {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// A session that was parked goes on where it was, and asks again.
func TestRunnerResume(t *testing.T) {
	s := &script{}
	left, _ := play(t, menu, s)
	if left.Session.Wait.Kind != flow.WaitListen || left.Session.Wait.Step != "ask" || left.Session.Leaving {
		t.Fatalf("left %+v", left)
	}
	data, err := flow.Encode(left.Session)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := flow.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	s = &script{inputs: []flow.Input{key("1")}, fetch: func(context.Context) flow.Fetched { return flow.Fetched{Failed: "timeout"} }}
	r := runner(t, head+menu, s)
	got, err := r.Resume(t.Context(), stored)
	if log := strings.Join(s.log, "\n"); err != nil || got.Reason != "completed" || log != "say pick\ncut\nGET http://core/a\nsay bye\ndrain" {
		t.Errorf("ended %+v, %v after\n%s", got, err, log)
	}
	stored.Frames[0].Hash = "another version"
	if _, err := r.Resume(t.Context(), stored); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("a session of another version: %v", err)
	}
}

// What the world has to say about what it has begun is said, to who is still there.
func TestBeginSays(t *testing.T) {
	s := &script{words: says("look at your phone")}
	answers(s, "sent", "done")
	if _, log := call(t, t.Context(), linkFlow, s); log != "begin flow.SendLink\nsay look at your phone\nsay bye\ndrain" {
		t.Errorf("after\n%s", log)
	}
	ctx, hangUp := context.WithCancel(t.Context())
	s = &script{words: says("look at your phone"), inbox: make(chan flow.Input, 1)}
	s.begin = func(at flow.Session, e flow.Effect) error {
		if _, last := e.(flow.Send); last {
			s.inbox <- flow.Input{Kind: flow.InputResult, Serial: at.Wait.Serial, Result: &flow.Result{Outcome: "sent"}}
		}
		hangUp()
		return nil
	}
	if _, log := call(t, ctx, handoffFlow, s); log != "begin flow.Move\nsay look at your phone\nwithdraw handoff \nbegin flow.Send" {
		t.Errorf("after\n%s", log)
	}
}

// strict is a world whose doings end with their context, as those of a real one.
type strict struct {
	*script
	hangUp context.CancelFunc
}

func (w strict) Begin(ctx context.Context, _ flow.Session, _ flow.Effect) ([]flow.Play, error) {
	w.hangUp()
	return nil, ctx.Err()
}

func (w strict) Promise(ctx context.Context, _ tandem.EventKind, _ any) error {
	w.hangUp()
	return ctx.Err()
}

func (w strict) Talk(ctx context.Context, _ flow.Session, _ flow.Effect, _ flow.Input) (flow.Turn, error) {
	w.hangUp()
	return flow.Turn{}, ctx.Err()
}

// Who hangs up while the world is at work is not taken for its fault: what is promised or
// begun is whole, and who comes back is where they were.
func TestLeavingWhileTheWorldWorks(t *testing.T) {
	const consentFlow = `start: ask
on_leave: left
on_error: sorry
steps:
  ask: { consent: { kind: data, prompt: { en: "may we" } }, next: { yes: in, else: out } }
  in: { menu: { prompt: { en: in }, choices: [ { keys: "1", phrases: { en: [one] }, go: end } ] }, next: { no_input: end, no_match: end } }
  out: { say: { en: out }, next: end }
  sorry: { say: { en: sorry }, next: end }
  left: { end: { reason: left } }
`
	const moveFlow = `start: move
on_leave: left
on_error: sorry
steps:
  move: { handoff: { to: chat, prompt: { en: "come" } }, next: { accepted: end, else: sorry } }
  sorry: { say: { en: sorry }, next: end }
  left: { end: { reason: left } }
`
	for step, text := range map[string]string{"prove": identifyFlow, "move": moveFlow, "in": consentFlow} {
		ctx, hangUp := context.WithCancel(t.Context())
		s := &script{inbox: make(chan flow.Input, 1), inputs: []flow.Input{key("1")}}
		r := runner(t, "flow: f\nchannels: [voice, chat]\nlanguages: [en]\n"+text, s)
		r.World = strict{s, hangUp}
		got, err := r.Run(ctx, "f", flow.Facts{Channel: tandem.Voice}, nil)
		if err != nil || !got.Left || got.Session.Wait.Step != step {
			t.Errorf("%s: %v, %+v is parked at %q after %v", step, err, got.Reason, got.Session.Wait.Step, s.log)
		}
		hangUp()
	}
}
