package engine_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// lineFlow waits in line at once: chat is offered from the first, a callback after two
// minutes.
func lineFlow(t *testing.T) *flow.Library {
	t.Helper()
	offers := []flow.Offer{{What: "callback", Keys: "12"}, {What: "chat", Keys: "2"}}
	lib := threeFlow(t, map[string]*flow.Step{
		"a":     {Verb: &flow.QueueStep{Name: "q", Level: template(t, "gold"), Offer: offers}, Next: flow.Next{To: "broken", By: map[string]string{"answered": "again"}}},
		"again": {Verb: &flow.QueueStep{Name: "q"}, Next: flow.Next{To: "broken"}},
	})
	lib.Queues["q"].OfferAfter = map[string]time.Duration{"callback": 2 * time.Minute}
	return lib
}

// liner plays inputs to a session in line.
type liner struct {
	t   *testing.T
	lib *flow.Library
	s   flow.Session
}

func (l *liner) do(in flow.Input) []flow.Effect {
	l.t.Helper()
	in.At = monday
	if in.Serial == 0 {
		in.Serial = l.s.Wait.Serial
	}
	s, effects, err := engine.Advance(l.lib, l.s, in)
	if err != nil {
		l.t.Fatal(err)
	}
	l.s = s
	return effects
}

func (l *liner) placed(waited time.Duration) {
	l.t.Helper()
	l.do(flow.Input{Kind: flow.InputPlace, Place: &flow.Place{Queue: "q", Position: 1, Waited: waited}})
}

func (l *liner) presses(keys string) []flow.Effect {
	var all []flow.Effect
	for _, k := range keys {
		all = append(all, l.do(flow.Input{Kind: flow.InputKey, Text: string(k), Via: "rfc4733"})...)
	}
	return all
}

func (l *liner) offered() string {
	var out []string
	for _, o := range l.s.Wait.Options {
		out = append(out, o.Label)
	}
	return strings.Join(out, " ")
}

func takes(effects []flow.Effect) string {
	for _, e := range effects {
		if t, ok := e.(flow.Take); ok {
			return t.What
		}
	}
	return ""
}

// An offer with a delay is made, and can be taken, once the customer has waited so long.
func TestOffersWait(t *testing.T) {
	l := &liner{t: t, lib: lineFlow(t)}
	s, effects := startX(t, l.lib, flow.Facts{Channel: tandem.Voice})
	l.s = s
	q, ok := effects[len(effects)-1].(flow.Enqueue)
	if !ok || q.Level != "gold" || len(q.Offers) != 2 || q.OfferAfter["callback"] != 2*time.Minute || q.OfferAfter["chat"] != 0 {
		t.Fatalf("%+v", effects)
	}
	if l.offered() != "chat" || takes(l.presses("12")) != "chat" { // 1 is nobody's yet, 2 is chat's
		t.Errorf("offered at first: %s", l.offered())
	}
	l.placed(119 * time.Second)
	if l.offered() != "chat" {
		t.Errorf("offered too soon: %s", l.offered())
	}
	l.placed(2 * time.Minute)
	if l.offered() != "callback chat" || takes(l.presses("12")) != "callback" {
		t.Errorf("offered after two minutes: %s", l.offered())
	}
	l.do(flow.Input{Kind: flow.InputMoved, Channel: tandem.Chat})
	if l.offered() != "callback" {
		t.Errorf("offered in the chat: %s", l.offered())
	}
	if takes(l.do(flow.Input{Kind: flow.InputText, Text: "Call me back"})) != "callback" {
		t.Error("the button takes nothing")
	}
	// Who comes back later is offered what was due already.
	b, err := flow.Encode(l.s)
	if err != nil {
		t.Fatal(err)
	}
	if l.s, err = flow.Decode(b); err != nil {
		t.Fatal(err)
	}
	if l.s, _, err = engine.Resume(l.lib, l.s, monday); err != nil || l.offered() != "callback" {
		t.Errorf("after a restart: %s, %v", l.offered(), err)
	}
}

// While an agent has the customer, nothing they enter is the flow's; put back in line,
// they are offered again what there was.
func TestServed(t *testing.T) {
	l := &liner{t: t, lib: lineFlow(t)}
	l.s, _ = startX(t, l.lib, flow.Facts{Channel: tandem.Voice})
	l.placed(3 * time.Minute)
	l.presses("1") // of 12
	if l.do(flow.Input{Kind: flow.InputServed, Serial: l.s.Wait.Serial + 1}); l.s.Wait.Served {
		t.Error("served by an agent of another wait")
	}
	if effects := l.do(flow.Input{Kind: flow.InputServed, Text: "Anna"}); len(effects) != 0 || !l.s.Wait.Served || l.offered() != "" {
		t.Errorf("served: %+v, %v", l.s.Wait, effects)
	}
	for _, effects := range [][]flow.Effect{
		l.presses("2"), l.presses("12"), l.do(flow.Input{Kind: flow.InputText, Text: "chat"}), l.do(flow.Input{Kind: flow.InputSpeech, Text: "call me back"}),
		l.do(flow.Input{Kind: flow.InputMoved, Channel: tandem.Chat}),
	} {
		if len(effects) != 0 {
			t.Errorf("while served: %v", effects)
		}
	}
	if l.s.Facts.Channel != tandem.Voice {
		t.Errorf("an agent speaks with them, and they moved to %s", l.s.Facts.Channel)
	}
	before := l.s.Wait
	b, err := flow.Encode(l.s)
	if err != nil {
		t.Fatal(err)
	}
	if l.s, err = flow.Decode(b); err != nil {
		t.Fatal(err)
	}
	s, effects, err := engine.Resume(l.lib, l.s, monday)
	if l.s = s; err != nil || !l.s.Wait.Served || l.offered() != "" || l.s.Wait.Serial == before.Serial {
		t.Errorf("after a restart: %+v, %v", l.s.Wait, err)
	}
	if q, ok := effects[len(effects)-1].(flow.Enqueue); !ok || len(q.Offers) != 2 {
		t.Errorf("after a restart it asks %v", effects)
	}
	if l.placed(4 * time.Minute); l.s.Wait.Served || l.offered() != "callback chat" || takes(l.presses("2")) != "chat" {
		t.Errorf("back in line: %+v", l.s.Wait)
	}
	l.do(flow.Input{Kind: flow.InputServed, Text: "Bo"})
	if l.do(resultTo(l.s, "answered")); l.s.Wait.Step != "again" || l.s.Wait.Served || l.s.Wait.Place != nil {
		t.Errorf("it goes on with %+v", l.s.Wait)
	}
}

// What a session without the newer fields stored is read as before.
func TestOlderPlace(t *testing.T) {
	lib := lineFlow(t)
	s, _ := startX(t, lib, flow.Facts{Channel: tandem.Voice})
	b, err := flow.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.Replace(string(b), `"kind":"queue"`, `"kind":"queue","options":[{"keys":"12","label":"callback"}],"place":{"queue":"q","position":2,"at_least":0,"at_most":60000000000}`, 1)
	got, err := flow.Decode([]byte(older))
	if err != nil || got.Wait.Served || !reflect.DeepEqual(got.Wait.Place, &flow.Place{Queue: "q", Position: 2, AtMost: time.Minute}) {
		t.Errorf("%+v, %v", got.Wait, err)
	}
}

// Who leaves while an agent has them did not give up waiting.
func TestLeavingWhileServed(t *testing.T) {
	lib := lineFlow(t)
	lib.Flows["x"].OnLeave = "gone"
	lib.Flows["x"].Steps["gone"] = &flow.Step{Name: "gone", Verb: &flow.End{Reason: "gone"}}
	for _, served := range []bool{false, true} {
		l := &liner{t: t, lib: lib}
		l.s, _ = startX(t, lib, flow.Facts{Channel: tandem.Voice})
		want := "a"
		if served {
			l.do(flow.Input{Kind: flow.InputServed, Text: "Anna"})
			want = "answered"
		}
		if l.do(flow.Input{Kind: flow.InputLeft}); l.s.Outcome != want || l.s.Ended != "gone" {
			t.Errorf("served %v: outcome %q, ended %q", served, l.s.Outcome, l.s.Ended)
		}
	}
}

// Who leaves with the way to a chat in their hand did not give up either, till they are
// there: then it is the chat that they leave.
func TestLeavingOnTheWay(t *testing.T) {
	lib := lineFlow(t)
	lib.Flows["x"].OnLeave = "gone"
	lib.Flows["x"].Steps["gone"] = &flow.Step{Name: "gone", Verb: &flow.End{Reason: "gone"}}
	for want, before := range map[string]func(*liner){
		"moved":    func(l *liner) { l.presses("2") },
		"a":        func(l *liner) { l.presses("2"); l.do(flow.Input{Kind: flow.InputMoved, Channel: tandem.Chat}) },
		"answered": func(l *liner) { l.presses("2"); l.do(flow.Input{Kind: flow.InputServed, Text: "Anna"}) },
	} {
		l := &liner{t: t, lib: lib}
		l.s, _ = startX(t, lib, flow.Facts{Channel: tandem.Voice})
		before(l)
		if l.do(flow.Input{Kind: flow.InputLeft}); l.s.Outcome != want {
			t.Errorf("outcome %q, want %q", l.s.Outcome, want)
		}
	}
}

// A callback for a time of the customer's choice begins within what the step says, else
// within what its queue says.
func TestCallbackWindow(t *testing.T) {
	for _, tt := range []struct {
		at   string
		own  time.Duration
		want time.Duration
	}{{"09:30", 0, 2 * time.Hour}, {"09:30", time.Hour, time.Hour}, {"", 0, 0}} {
		verb := &flow.CallbackStep{Queue: "q", Window: tt.own}
		if tt.at != "" {
			verb.At = template(t, tt.at)
		}
		lib := threeFlow(t, map[string]*flow.Step{"a": {Verb: verb, Next: flow.Next{To: "broken"}}})
		lib.Queues["q"].CallbackWindow = 2 * time.Hour
		_, effects := startX(t, lib, flow.Facts{Channel: tandem.Voice})
		if b, ok := effects[len(effects)-1].(flow.Book); !ok || b.Window != tt.want || b.At != tt.at {
			t.Errorf("at %q within %s: %+v", tt.at, tt.own, effects)
		}
	}
}
