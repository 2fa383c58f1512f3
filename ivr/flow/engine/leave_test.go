package engine_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

// written reads flows that a test has written out, by name.
func written(t *testing.T, flows map[string]string) *flow.Library {
	t.Helper()
	files := fstest.MapFS{}
	for name, body := range flows {
		files[name+".flow.yaml"] = &fstest.MapFile{Data: []byte("flow: " + name + "\nchannels: [voice]\nlanguages: [en]\n" + body)}
	}
	lib, found := read.FS(files, read.Options{Now: monday})
	if source.HasErrors(found) {
		source.Print(os.Stderr, found, false)
		t.Fatal("the flows have errors")
	}
	return lib
}

// What a called flow ends as on the way from its on_leave reaches no step of the flow
// that called it, which may speak: that flow's own on_leave is next.
func TestLeavingACalledFlow(t *testing.T) {
	const child = `start: ask
on_leave: left
outcomes: [done]
vars: { n: { type: int } }
steps:
  ask:  { collect: { prompt: { en: "How many?" }, into: n }, next: { ok: over, else: over } }
  left: { set: { n: n + 1 }, next: over }
  over: { end: { as: done } }
`
	const parent = `start: call
ON_LEAVE
steps:
  call:   { subflow: { name: child }, next: thanks }
  thanks: { say: { en: "Thank you." }, next: end }
`
	for _, tt := range []struct{ name, onLeave, steps, want string }{
		{"to the end", "", "", flow.ReasonLeft},
		{"to the caller's on_leave", "on_leave: gone", "  gone: { end: { reason: cleaned } }\n", "cleaned"},
		{"a flow that on_leave calls returns", "on_leave: tidy", "  tidy: { subflow: { name: quick }, next: { done: gone } }\n  gone: { end: { reason: tidied } }\n", "tidied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lib := written(t, map[string]string{
				"child": child, "quick": "start: over\noutcomes: [done]\nsteps:\n  over: { end: { as: done } }\n",
				"x": strings.Replace(parent, "ON_LEAVE", tt.onLeave, 1) + tt.steps,
			})
			s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
			if err != nil {
				t.Fatal(err)
			}
			s, effects, err := engine.Advance(lib, s, flow.Input{Kind: flow.InputLeft, At: monday})
			if err != nil || s.Ended != tt.want {
				t.Errorf("ended %q, %v; want %q", s.Ended, err, tt.want)
			}
			for _, e := range effects {
				if f, ok := e.(flow.Finish); ok && f.Failed {
					t.Error("leaving was taken for a failure")
				}
			}
		})
	}
}
