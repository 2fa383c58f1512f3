package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem"
)

// TestEveryEventHasWords reads the closed list of kinds from its source: a new one
// must be told in words too.
func TestEveryEventHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, isValue := n.(*ast.ValueSpec)
		if !isValue || len(spec.Values) != 1 {
			return true
		}
		if typ, named := spec.Type.(*ast.Ident); !named || typ.Name != "EventKind" {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		kinds++
		_, bare := bareEvents[tandem.EventKind(kind)]
		_, full := sentence(tandem.EventKind(kind))
		if !bare && !full {
			t.Errorf("%s has no words", kind)
		}
		return true
	})
	if kinds < 20 {
		t.Fatalf("only %d kinds were found in the source", kinds)
	}
}

// A message that was left is told from a caller who left.
func TestStoryTellsMessageFromCaller(t *testing.T) {
	step := func(name, verb string) tandem.Event {
		return event(tandem.EventStep, tandem.StepEntered{Flow: "f", Step: name, Verb: verb})
	}
	out := func(name, outcome, next string) tandem.Event {
		return event(tandem.EventOutcome, tandem.StepLeft{Flow: "f", Step: name, Outcome: outcome, Next: next})
	}
	kept := event(tandem.EventVoicemail, tandem.Recorded{Box: "b", Seconds: 2})
	for name, test := range map[string]struct {
		events []tandem.Event
		want   []string
	}{
		"a message": {[]tandem.Event{step("m", "voicemail"), kept, out("m", "left", "bye")},
			[]string{"f.m (voicemail)", "voicemail left in b, 2.0 s", "f.m: message left → bye"}},
		"too short": {[]tandem.Event{step("m", "voicemail"), out("m", "too_short", "m"), step("m", "voicemail"), kept, out("m", "left", "bye")},
			[]string{"f.m (voicemail)", "f.m: too_short → m (voicemail: nothing kept)", "f.m (voicemail)", "voicemail left in b, 2.0 s", "f.m: message left → bye"}},
		"hung up at the tone": {[]tandem.Event{step("m", "voicemail"), out("m", "left", ""), event(tandem.EventFlowEnded, tandem.FlowEnd{Reason: "left"})},
			[]string{"f.m (voicemail)", "f.m: the caller left (voicemail: nothing kept)", "flow ended: the caller left"}},
		"hung up in a menu": {[]tandem.Event{step("main", "menu"), out("main", "left", "after"), event(tandem.EventClosed, tandem.Closing{Outcome: "left", Termination: tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)})},
			[]string{"f.main (menu)", "f.main: the caller left → after", "closed: the caller left, hangup by remote (normal)"}},
		"a disk that is full": {[]tandem.Event{step("m", "voicemail"), event(tandem.EventFlowError, tandem.FlowFault{Step: "m", Message: "no room"}), out("m", "left", "")},
			[]string{"f.m (voicemail)", "FLOW ERROR at m: no room (voicemail: nothing kept)", "f.m: the caller left"}},
		"a called flow's own word": {[]tandem.Event{step("sub", "subflow"), out("sub", "left", "x")},
			[]string{"f.sub (subflow)", "f.sub: left → x"}},
		"not heard":         {[]tandem.Event{event(tandem.EventPrompt, tandem.Prompted{Text: "Hi"})}, []string{"said “Hi” (not heard)"}},
		"a callback":        {[]tandem.Event{event(tandem.EventTaskOpened, tandem.Task{Kind: tandem.TaskCallback})}, []string{"in line: callback"}},
		"a task in a queue": {[]tandem.Event{event(tandem.EventTaskOpened, tandem.Task{Kind: tandem.TaskVoicemail, Queue: "q"})}, []string{"in line: voicemail in q"}},
	} {
		tell, got := &teller{verbs: map[string]string{}}, []string{}
		for _, e := range test.events {
			got = append(got, tell.line(e))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s is told as %q, want %q", name, got, test.want)
		}
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	for _, test := range []struct {
		task tandem.Task
		want string
	}{
		{tandem.Task{Kind: tandem.TaskCallback, State: tandem.TaskWaiting, Arrived: at, Note: "cut off"}, "callback, waiting, in line since 2026-01-02 03:04:05 ZONE: cut off"},
		{tandem.Task{Kind: tandem.TaskCall, Queue: "cards", State: tandem.TaskDone, Outcome: tandem.OutcomeServed, Arrived: at, Since: at.Add(time.Minute), Note: "waits in the flow"},
			"call in cards, done (served), was in line from 2026-01-02 03:04:05 ZONE to 2026-01-02 03:05:05 ZONE"},
	} {
		if line, want := taskLine(test.task, false), strings.ReplaceAll(test.want, "ZONE", at.Format("-0700")); line != want {
			t.Errorf("a task is told as %q, want %q", line, want)
		}
	}
}

func event(kind tandem.EventKind, payload any) tandem.Event {
	return tandem.NewEvent("", "", time.Time{}, kind, "", payload)
}
