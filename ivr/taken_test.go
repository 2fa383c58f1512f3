package ivr

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
)

const takenFlow = `flow: x
channels: [voice]
languages: [en]
start: line
vars: { pin: { type: digits, secret: true } }
steps:
  line: { queue: { name: q }, next: { answered: wish, else: wish } }
  wish: { menu: { prompt: { en: Wish }, choices: [ { keys: "1", phrases: { en: [code] }, go: code } ] }, next: { no_input: bye, no_match: bye } }
  code: { collect: { prompt: { en: Code }, into: pin, digits: 2 }, next: { ok: bye, else: bye } }
  prove: { identify: { level: verified, by: [code] }, next: { passed: bye, else: bye } }
  bye: { say: { en: Bye }, next: end }
`

// An agent's ask runs beside the wait with them, which the world keeps; what was begun for the
// step alone is withdrawn if it is cut. Taken out of a menu, what is said ends, all of it.
func TestAgentAsks(t *testing.T) {
	lib, found := read.FS(fstest.MapFS{"x.flow.yaml": {Data: []byte(takenFlow)}, "q.queues.yaml": {Data: []byte("queues: { q: {} }\n")}}, read.Options{})
	if lib == nil {
		t.Fatal(found)
	}
	w := &script{inbox: make(chan flow.Input, 16), turns: []flow.Turn{{Wait: flow.Wait{Kind: flow.WaitListen, Secret: true}}}, begin: func(flow.Session, flow.Effect) error { return nil }}
	line := 0
	tell := func(in flow.Input) { w.inbox <- in }
	w.begin = func(s flow.Session, e flow.Effect) error {
		q, ok := e.(flow.Enqueue)
		switch {
		case !ok:
			return nil
		case !q.Taken:
			line = q.Serial
			tell(flow.Input{Kind: flow.InputServed, Serial: q.Serial})
			tell(flow.Input{Kind: flow.InputAsk, Step: "x/code"})
		default:
			tell(flow.Input{Kind: flow.InputBack, Serial: q.Serial, Step: "x/bye"})
		}
		return nil
	}
	w.inputs = []flow.Input{
		{Kind: flow.InputKey, Text: "4"}, {Kind: flow.InputKey, Text: "7"}, // the code
		{Kind: flow.InputResult, Serial: 1, Result: &flow.Result{Outcome: "answered"}}, // as an identity is asked
		{Kind: flow.InputTaken, Key: "k"},                                              // out of the menu
	}
	w.told = func(told flow.Told) {
		if told.Step == "code" {
			tell(flow.Input{Kind: flow.InputAsk, Step: "x/prove"})
		}
	}
	r := Runner{Library: lib, Channel: w, World: w, Now: func() time.Time { return noon }}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	result, err := r.Run(ctx, "x", flow.Facts{Channel: tandem.Voice}, nil)
	if err != nil || result.Reason != flow.ReasonCompleted || line != 1 {
		t.Fatalf("%+v, %v, in line at %d", result, err, line)
	}
	got := strings.Join(w.log, "\n")
	for _, want := range []string{
		"told code ok map[pin:•••]", "told prove cut map[]", "withdraw identify", "yield all", "say Bye",
	} {
		if !slices.ContainsFunc(w.log, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("nothing like %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "withdraw queue") {
		t.Errorf("the place with the agent was given up:\n%s", got)
	}
}
