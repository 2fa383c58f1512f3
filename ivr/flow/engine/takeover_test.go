package engine_test

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/read"
)

const takenFlow = `flow: x
channels: [voice, chat]
languages: [en]
start: wish
on_error: trouble
on_leave: left
vars:
  pin: { type: digits, secret: true }
  day: { type: digits }
prompts:
  again: { en: "Wish?" }
steps:
  wish: { menu: { prompt: again, choices: [ { keys: "1", phrases: { en: [visit] }, go: visit }, { keys: "2", phrases: { en: [look] }, go: look }, { keys: "3", phrases: { en: [line] }, go: line }, { keys: "4", phrases: { en: [page] }, go: page } ] }, next: { no_input: end, no_match: end } }
  visit: { needs: recognised, subflow: { name: child, into: got }, next: { booked: bye, gave_up: wish, not_assured: bye } }
  look: { http: { post: "https://h.example/" }, next: { ok: bye, else: trouble } }
  line: { queue: { name: q, during: meanwhile, offer: { chat: "2" } }, next: { answered: bye, else: trouble } }
  page: { link: { operation: o, prompt: { en: "${link.url}" }, by: [sms], wait: 5m }, next: { done: bye, else: trouble } }
  code: { collect: { prompt: { en: Code }, into: pin, digits: 4 }, next: { ok: bye, else: bye } }
  sure: { collect: { prompt: { en: Day }, into: day, digits: 2, confirm: { en: "${day}?" } }, next: { ok: bye, else: bye } }
  tell: { say: { en: Told }, next: bye }
  vault: { needs: verified, say: { en: Vault }, next: { done: bye, not_assured: bye } }
  bye: { say: { en: Bye }, next: end }
  trouble: { say: { en: Sorry }, next: bye }
  left: { branch: [ { if: "day != ''", go: gone } ], next: { else: end } }
  gone: { end: { reason: unconfirmed } }
`

const takenChild = `flow: child
channels: [voice, chat]
languages: [en]
start: when
outcomes: [booked, gave_up]
returns: [day]
vars: { day: { type: digits } }
steps:
  when: { collect: { prompt: { en: When }, into: day, digits: 2 }, next: { ok: yes_, else: no_ } }
  yes_: { end: { as: booked } }
  no_: { end: { as: gave_up } }
`

const takenDuring = `flow: meanwhile
channels: [voice, chat]
languages: [en]
start: mood
outcomes: [done]
vars: { score: { type: digits } }
steps:
  mood: { collect: { prompt: { en: Mood }, into: score, digits: 1 }, next: { ok: over, else: over } }
  over: { end: { as: done } }
`

// held is a session that an agent takes, asks and hands back.
type held struct {
	t       *testing.T
	lib     *flow.Library
	s       flow.Session
	effects []flow.Effect
	now     time.Time
}

func newHeld(t *testing.T, keys string) *held {
	t.Helper()
	lib, found := read.FS(fstest.MapFS{
		"x.flow.yaml": {Data: []byte(strings.Replace(takenFlow, "prompts:", "  got: { type: object, fields: { day: digits } }\nprompts:", 1))}, "child.flow.yaml": {Data: []byte(takenChild)},
		"during.flow.yaml": {Data: []byte(takenDuring)}, "q.queues.yaml": {Data: []byte("queues: { q: {} }\n")},
		"o.operation.yaml": {Data: []byte("operation: o\nsteps: [ { show: { en: Look } } ]\n")},
	}, read.Options{})
	if lib == nil {
		t.Fatal(found)
	}
	h := &held{t: t, lib: lib, now: monday}
	var err error
	h.s, h.effects, err = engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice, Caller: "+1555", Assurance: tandem.Recognised}, nil, monday)
	if err != nil {
		t.Fatal(err)
	}
	h.keys(keys)
	return h
}

func (h *held) do(in flow.Input) *held {
	h.t.Helper()
	h.now = h.now.Add(time.Second)
	in.At = h.now
	s, effects, err := engine.Advance(h.lib, h.s, in)
	if err != nil {
		h.t.Fatalf("%+v: %v", in, err)
	}
	data, err := flow.Encode(s) // at every wait it can be kept
	if err != nil {
		h.t.Fatal(err)
	}
	kept, err := flow.Decode(data)
	if err != nil || !reflect.DeepEqual(kept.Asked == nil, s.Asked == nil) || !reflect.DeepEqual(kept.Taken, s.Taken) {
		h.t.Fatalf("kept and read again it is %+v, %v", kept, err)
	}
	h.s, h.effects = s, effects
	return h
}

func (h *held) keys(keys string) *held {
	for _, k := range keys {
		h.do(flow.Input{Kind: flow.InputKey, Text: string(k)})
	}
	return h
}

func (h *held) take() *held {
	return h.do(flow.Input{Kind: flow.InputTaken, Key: "taken:1", Text: "Anna"})
}
func (h *held) ask(s string) *held  { return h.do(flow.Input{Kind: flow.InputAsk, Step: s}) }
func (h *held) back(s string) *held { return h.do(flow.Input{Kind: flow.InputBack, Step: s}) }
func (h *held) result(o string) *held {
	return h.do(flow.Input{Kind: flow.InputResult, Serial: h.s.Line().Serial, Result: &flow.Result{Outcome: o}})
}

// told is what came of an asked step; "" = nothing yet.
func (h *held) told() string {
	for _, e := range h.effects {
		if t, ok := e.(flow.Told); ok {
			return t.Step + " " + t.Outcome
		}
	}
	return ""
}

func (h *held) at(step string, kind flow.WaitKind) {
	h.t.Helper()
	f := flow.Frame{}
	if n := len(h.s.Frames); n > 0 {
		f = h.s.Frames[n-1]
	}
	if f.Flow+"/"+f.Step != step || h.s.Wait.Kind != kind {
		h.t.Errorf("it waits for %s at %s/%s, want %s at %s", h.s.Wait.Kind, f.Flow, f.Step, kind, step)
	}
}

func (h *held) with(agent bool) {
	h.t.Helper()
	if h.s.WithAgent() != agent {
		h.t.Errorf("with an agent: %v; %+v", !agent, h.s.Wait)
	}
}

// Whatever the flow waits for, an agent can have the customer, and hands them back where they
// were: the step begins anew, under the same key.
func TestTakenOutOfAnyStep(t *testing.T) {
	for keys, step := range map[string]string{"": "x/wish", "1": "child/when", "2": "x/look", "4": "x/page"} {
		h := newHeld(t, keys)
		kind, before := h.s.Wait.Kind, h.s.Wait
		h.take().with(true)
		h.at(step, flow.WaitQueue)
		enqueued, ok := h.effects[len(h.effects)-1].(flow.Enqueue)
		if !ok || !enqueued.Taken || enqueued.Key != "taken:1" || enqueued.Serial != h.s.Wait.Serial || h.s.Taken.Kind != kind {
			t.Errorf("%s: the world was asked %+v", step, h.effects)
		}
		h.take().keys("1234").do(flow.Input{Kind: flow.InputText, Text: "2"}).do(flow.Input{Kind: flow.InputTimeout, Serial: before.Serial})
		h.do(flow.Input{Kind: flow.InputResult, Serial: before.Serial, Result: &flow.Result{Outcome: "done"}}).with(true) // what comes late
		for _, e := range h.effects {
			t.Errorf("%s: an agent's key is not for the flow: %s", step, show(e))
		}
		s, effects, err := engine.Resume(h.lib, h.s, h.now)
		if err != nil || !s.WithAgent() || len(effects) != 2 {
			t.Fatalf("%s: resumed it is %+v, %v", step, s.Wait, err)
		}
		h.s = s
		h.back("").with(false)
		if step == "x/look" { // nobody knows whether the request arrived
			if h.s.Ended != "completed" {
				t.Errorf("a request was made twice: %+v", h.s.Wait)
			}
			continue
		}
		h.at(step, kind)
	}
}

// Out of a queue an agent takes a customer as the line would have given them; lost by the agent
// they wait there, or where they were taken, and what ends the wait leads back.
func TestTakenInLine(t *testing.T) {
	h := newHeld(t, "3").take()
	if h.s.Taken != nil || !h.s.Wait.Served {
		t.Errorf("in line: %+v", h.s)
	}
	h.back("x/vault").with(false) // refused: as without a step
	if h.s.Ended != "completed" {
		t.Errorf("handed back from a queue: %+v", h.s.Wait)
	}
	h = newHeld(t, "").take()
	h.do(flow.Input{Kind: flow.InputPlace, Serial: h.s.Wait.Serial, Place: &flow.Place{Queue: "q", Position: 1}}).with(false)
	h.at("x/wish", flow.WaitQueue)
	h.do(flow.Input{Kind: flow.InputServed, Serial: h.s.Wait.Serial}).with(true)
	h.result("max_wait").at("x/wish", flow.WaitListen)
	h.with(false)
}

// At another step the flow goes on only if what that needs holds now, for the steps that lead
// there, too.
func TestHandedBackAtAStep(t *testing.T) {
	h := newHeld(t, "1").take()
	h.back("x/tell")
	if h.s.Ended != "completed" || len(way(h.effects)) == 0 || way(h.effects)[0] != "when handed_back" {
		t.Errorf("out of a called flow: %v", way(h.effects))
	}
	h = newHeld(t, "1").take()
	nodes, err := engine.Nodes(h.lib, h.s, h.now)
	if err != nil {
		t.Fatal(err)
	}
	why := map[string][2]string{}
	for _, n := range nodes {
		why[n.Flow+"/"+n.Step] = [2]string{n.Go.En, n.Ask.En}
		if n.Here != (n.Flow+"/"+n.Step == "child/when") || n.Secret != (n.Step == "code") {
			t.Errorf("%+v", n)
		}
	}
	for step, want := range map[string][2]bool{
		"child/when": {true, true}, "x/tell": {true, true}, "x/vault": {false, false}, "x/look": {true, false}, "x/left": {false, false}, "x/gone": {false, false}, "x/line": {true, false},
	} {
		if got := [2]bool{why[step][0] == "", why[step][1] == ""}; got != want {
			t.Errorf("%s: hand back, ask %v, want %v: %q", step, got, want, why[step])
		}
	}
	h.s.Facts.Assurance = tandem.None // the step that called the flow needs more
	nodes, _ = engine.Nodes(h.lib, h.s, h.now)
	for _, n := range nodes {
		if n.Flow == "child" && n.Go.IsZero() {
			t.Errorf("%s may be gone on with though its caller needs more", n.Step)
		}
	}
}

// One step runs for the agent, whatever it comes to, and they have the customer back; what it
// changed stays, and the flow stands where it stood.
func TestAsked(t *testing.T) {
	h := newHeld(t, "1").take()
	serial := h.s.Wait.Serial
	h.ask("x/nowhere").ask("x/look").ask("x/vault").at("child/when", flow.WaitQueue)
	h.ask("x/code").at("x/code", flow.WaitListen)
	if !h.s.Wait.Secret || !h.s.Hushed || h.s.Wait.Under != serial || h.s.Line().Serial != serial {
		t.Errorf("asked, it waits as %+v", h.s.Wait)
	}
	h.with(true)
	h.keys("4711")
	told := h.effects[len(h.effects)-1].(flow.Told)
	if told.Outcome != "ok" || told.Set["pin"] != "•••" || h.s.Wait.Serial != serial || h.s.Hushed || h.s.Frames[0].Secrets["pin"] != "4711" {
		t.Errorf("told %+v; it waits as %+v", told, h.s.Wait)
	}
	h.at("child/when", flow.WaitQueue)
	if h.ask("x/tell"); h.told() != "tell done" {
		t.Errorf("said: %v", h.effects)
	}
	if h.ask("x/wish").keys("2"); h.told() != "wish 2" {
		t.Errorf("a menu: %v", h.effects)
	}
	if h.ask("child/when").keys("12"); h.told() != "when ok" || h.s.Frames[1].Vars["day"] != "12" {
		t.Errorf("the step at hand: %v", h.effects)
	}
	if h.ask("x/code").do(flow.Input{Kind: flow.InputFault, Text: "broke"}); h.told() != "code error" {
		t.Errorf("a fault: %v", h.effects)
	}
	if h.ask("x/sure").keys("12").back(""); h.told() != "sure cut" || h.s.Frames[0].Vars["day"] != "" {
		t.Errorf("cut by the agent: %v, %v", h.effects, h.s.Frames[0].Vars)
	}
	h.at("child/when", flow.WaitListen)
	h.keys("23").with(false)

	h = newHeld(t, "3").take()
	if h.ask("meanwhile/mood").keys("5"); h.told() != "mood ok" || len(h.s.Frames) != 1 {
		t.Errorf("of the flow meanwhile: %v", h.effects)
	}
	h.ask("x/code").do(flow.Input{Kind: flow.InputPlace, Serial: h.s.Line().Serial, Place: &flow.Place{Queue: "q", Position: 1}})
	if h.told() != "code cut" || h.s.Asked != nil || h.s.Wait.Served || h.s.Wait.Place == nil {
		t.Errorf("the agent was lost: %+v", h.s.Wait)
	}
	if h.take().ask("x/code").result("answered"); h.told() != "code cut" || h.s.Ended != "completed" {
		t.Errorf("the agent was done: %+v", h.s.Wait)
	}
	h = newHeld(t, "3").take().back("x/code").keys("47").take() // not in the middle of a secret
	h.with(false)
	h = newHeld(t, "3").take()
	h.ask("x/code").keys("47").do(flow.Input{Kind: flow.InputLeft})
	if h.told() != "code left" || h.s.Ended != "completed" {
		t.Errorf("who left: %v", h.effects)
	}
}

// What an officer has proved beside the flow holds at once, whatever is waited for, and
// opens what it was needed for; the wait goes on as it was.
func TestAssured(t *testing.T) {
	h := newHeld(t, "1").take()
	wait := h.s.Wait
	h.ask("x/vault").at("child/when", flow.WaitQueue) // the level is too low
	until := monday.Add(time.Hour)
	h.do(flow.Input{Kind: flow.InputAssured, Level: tandem.Proofed, Result: &flow.Result{Until: until, Value: "c42", Phone: "+15550001"}})
	if f := h.s.Facts; f.Level(h.now) != tandem.Proofed || !f.AssuranceUntil.Equal(until) || f.Customer != "c42" || f.Phone != "+15550001" {
		t.Errorf("it knows %+v", f)
	}
	if len(h.effects) > 0 || !reflect.DeepEqual(h.s.Wait, wait) {
		t.Errorf("it does %v and waits as %+v, before %+v", h.effects, h.s.Wait, wait)
	}
	h.with(true)
	if h.ask("x/vault"); h.told() != "vault done" {
		t.Errorf("with the level: %v", h.effects)
	}
	if h.ask("x/code").do(flow.Input{Kind: flow.InputAssured, Level: tandem.Verified, Result: &flow.Result{Until: until}}); h.s.Asked == nil || h.s.Facts.Level(h.now) != tandem.Proofed {
		t.Errorf("a lower one, while a step is asked: %+v", h.s.Facts)
	}
	h.keys("4711").back("x/vault").with(false)
	if h.s.Ended != "completed" {
		t.Errorf("handed back to what needs it: %+v", h.s.Wait)
	}
	for name, in := range map[string]flow.Input{
		"nothing told": {Kind: flow.InputAssured, Level: tandem.Proofed},
		"over already": {Kind: flow.InputAssured, Level: tandem.Proofed, Result: &flow.Result{Until: monday}},
	} {
		if h := newHeld(t, "3").do(in); h.s.Facts.Level(h.now) != tandem.Recognised {
			t.Errorf("%s: %v", name, h.s.Facts.Level(h.now))
		}
	}
	h = newHeld(t, "3").do(flow.Input{Kind: flow.InputAssured, Level: tandem.Proofed, Result: &flow.Result{Until: until}})
	if h.s.Facts.Level(until.Add(-time.Second)) != tandem.Proofed || h.s.Facts.Level(until) == tandem.Proofed {
		t.Errorf("it holds until %v", h.s.Facts.AssuranceUntil)
	}
	s, err := engine.Assure(h.lib, newHeld(t, "3").s, monday, tandem.Verified, flow.Result{})
	if err != nil || s.Facts.Level(monday.Add(1000*time.Hour)) != tandem.Verified {
		t.Errorf("without an end: %v, %v", s.Facts, err)
	}
}

// A value whose yes has not come is none: not for who leaves, asks for help or is taken out.
func TestUnconfirmed(t *testing.T) {
	for name, away := range map[string]flow.Input{
		"left": {Kind: flow.InputLeft}, "taken": {Kind: flow.InputTaken}, "a fault": {Kind: flow.InputFault, Text: "broke"},
	} {
		h := newHeld(t, "").take().back("x/sure").keys("12")
		if h.s.Frames[0].Vars["day"] != "12" {
			t.Fatalf("before its yes it can be said: %+v", h.s.Frames[0].Vars)
		}
		if h.do(away); len(h.s.Frames) > 0 && h.s.Frames[0].Vars["day"] != "" || h.s.Ended == "unconfirmed" {
			t.Errorf("%s: the value is %v, it ended %q", name, h.s.Frames, h.s.Ended)
		}
	}
	if h := newHeld(t, "").take().back("x/sure").keys("121"); h.s.Ended != "completed" {
		t.Errorf("confirmed: %+v", h.s.Wait)
	}
}
