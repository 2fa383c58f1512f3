package simulate

import (
	"strings"
	"testing"
	"testing/fstest"

	"tandem/ivr/flow/read"
)

// An agent takes a caller out of a menu, has a step run, and hands them back at another; what
// may not be is said.
func TestAnAgentTakesOver(t *testing.T) {
	lib, found := read.FS(fstest.MapFS{"x.flow.yaml": {Data: []byte(`flow: x
channels: [voice]
languages: [en]
start: wish
vars: { pin: { type: digits, secret: true } }
steps:
  wish: { menu: { prompt: { en: Wish }, choices: [ { keys: "1", phrases: { en: [code] }, go: code }, { keys: "2", phrases: { en: [vault] }, go: vault } ] }, next: { no_input: bye, no_match: bye } }
  code: { collect: { prompt: { en: Code }, into: pin, digits: 4 }, next: { ok: bye, else: bye } }
  vault: { needs: verified, say: { en: Vault }, next: { done: bye, not_assured: bye } }
  bye: { say: { en: Bye }, next: end }
`)}}, read.Options{})
	if lib == nil {
		t.Fatal(found)
	}
	talk, err := New(lib, "x", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what, step string
		fails      string
	}{
		{AgentAsks, "code", "no agent has the customer"}, {AgentTakesOver, "", ""}, {AgentTakesOver, "", "already"},
		{AgentHandsBack, "vault", "needs the level verified"}, {AgentAsks, "nowhere", "no step nowhere"}, {AgentAsks, "x/code", ""}, {AgentAsks, "code", "no agent has the customer"},
	} {
		err := talk.AgentAt(step.what, step.step)
		if (err != nil) != (step.fails != "") || err != nil && !strings.Contains(err.Error(), step.fails) {
			t.Errorf("%s %s: %v", step.what, step.step, err)
		}
	}
	if err := talk.Press("4711"); err != nil {
		t.Fatal(err)
	}
	if !talk.Connected() || talk.Session().Frames[0].Step != "wish" {
		t.Errorf("after what was asked the session is %+v", talk.Session().Wait)
	}
	if err := talk.AgentAt(AgentHandsBack, "bye"); err != nil {
		t.Fatal(err)
	}
	if reason, over := talk.Ended(); !over || reason != "completed" {
		t.Errorf("it ended %v %s\n%s", over, reason, talk.Transcript())
	}
	if text := talk.Transcript(); strings.Contains(text, "4711") || !strings.Contains(text, "agent  x/code  asks") {
		t.Errorf("the transcript is\n%s", text)
	}
}
