package engine_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// threeFlow is a flow on all channels that begins in a step called a.
func threeFlow(t *testing.T, steps map[string]*flow.Step) *flow.Library {
	t.Helper()
	lib := goFlow(t, "broken", steps)
	lib.Flows["x"].Channels = []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS}
	if steps["broken"] == nil {
		steps["broken"] = &flow.Step{Name: "broken", Verb: &flow.End{Reason: "broken"}}
	}
	lib.Queues, lib.Operations = map[string]*flow.Queue{"q": {}}, map[string]*flow.Operation{"o": {}}
	lib.Boxes, lib.Forms = map[string]*flow.Box{"b": {}}, map[string]*flow.Form{"f": {}}
	return lib
}

func menuStep(t *testing.T, text string) *flow.Step {
	return &flow.Step{
		Verb: &flow.Menu{
			Listen: flow.DefaultListen(), Prompt: prompt(t, text),
			Choices: []*flow.Choice{{Keys: "1", Phrases: map[string][]string{"en": {"one"}}, Go: "end"}},
		},
		Next: flow.Next{To: "end"},
	}
}

func startX(t *testing.T, lib *flow.Library, facts flow.Facts) (flow.Session, []flow.Effect) {
	t.Helper()
	s, effects, err := engine.Start(lib, "x", facts, nil, monday)
	if err != nil {
		t.Fatal(err)
	}
	return s, effects
}

func resultTo(s flow.Session, outcome string) flow.Input {
	return flow.Input{Kind: flow.InputResult, At: monday, Serial: s.Wait.Serial, Result: &flow.Result{Outcome: outcome}}
}

// TestTextInEveryWait: a line is an answer where the flow listens, an offer in line, and
// changes nothing anywhere else: a channel holds it back till it is wanted.
func TestTextInEveryWait(t *testing.T) {
	p := prompt(t, "Here: x")
	steps := map[flow.WaitKind]*flow.Step{
		flow.WaitListen:    menuStep(t, "1?"),
		flow.WaitHTTP:      {Verb: &flow.HTTP{Method: "GET", URL: template(t, "http://core.test/x")}},
		flow.WaitTransfer:  {Verb: &flow.Transfer{To: template(t, "agent:wang")}},
		flow.WaitVoicemail: {Verb: &flow.Voicemail{Box: "b"}},
		flow.WaitRecord:    {Verb: &flow.RecordStep{Into: "n"}},
		flow.WaitMessage:   {Verb: &flow.Message{Prompt: p, By: []string{"mail"}}},
		flow.WaitLink:      {Verb: &flow.LinkStep{Operation: "o", Prompt: p, By: []string{"chat"}, Wait: time.Minute}},
		flow.WaitHandoff:   {Verb: &flow.Handoff{To: tandem.SMS, Prompt: p}},
		flow.WaitIdentify:  {Verb: &flow.IdentifyStep{Level: tandem.Verified, By: []string{"code"}}},
		flow.WaitResume:    {Verb: &flow.ResumeStep{}},
		flow.WaitQueue:     {Verb: &flow.QueueStep{Name: "q", Offer: []flow.Offer{{What: "callback", Keys: "1"}}}},
		flow.WaitCallback:  {Verb: &flow.CallbackStep{}},
		flow.WaitTicket:    {Verb: &flow.TicketStep{Form: "f"}},
		flow.WaitSurvey:    {Verb: &flow.SurveyStep{Form: "f", By: []tandem.Channel{tandem.Chat}}},
	}
	if len(steps) != 14 {
		t.Fatalf("%d kinds", len(steps))
	}
	for kind, step := range steps {
		if step.Next.To == "" {
			step.Next.To = "end"
		}
		channel := tandem.Chat
		if kind == flow.WaitVoicemail || kind == flow.WaitRecord {
			channel = tandem.Voice
		}
		s, _ := startX(t, threeFlow(t, map[string]*flow.Step{"a": step}), flow.Facts{Channel: channel})
		if s.Wait.Kind != kind {
			t.Fatalf("%s: it waits for %q", kind, s.Wait.Kind)
		}
		lib := threeFlow(t, map[string]*flow.Step{"a": step})
		next, effects, err := engine.Advance(lib, s, flow.Input{Kind: flow.InputText, At: monday, Text: "1", Via: "text"})
		if err != nil {
			t.Fatal(err)
		}
		switch kind {
		case flow.WaitListen:
			if next.Ended == "" {
				t.Errorf("%s: it does not take the line", kind)
			}
		case flow.WaitQueue:
			if !slices.ContainsFunc(effects, func(e flow.Effect) bool { _, ok := e.(flow.Take); return ok }) || next.Wait.Serial != s.Wait.Serial {
				t.Errorf("%s: %v", kind, effects)
			}
		default:
			if len(effects) > 0 || !reflect.DeepEqual(next, s) {
				t.Errorf("%s: the line has moved it: %v", kind, effects)
			}
		}
	}
}

// TestResumeVerb: it hushes, asks the world, and is left by an outcome with its serial.
func TestResumeVerb(t *testing.T) {
	for _, tt := range []struct{ outcome, leads string }{
		{"failed", "failed"}, {"declined", "declined"}, {"passed", "failed"}, {"", "failed"},
	} {
		for _, channel := range []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS} {
			lib := threeFlow(t, map[string]*flow.Step{
				"a":        {Verb: &flow.ResumeStep{}, Next: flow.Next{By: map[string]string{"failed": "failed", "declined": "declined"}}},
				"failed":   {Verb: &flow.End{Reason: "failed"}},
				"declined": {Verb: &flow.End{Reason: "declined"}},
			})
			s, effects := startX(t, lib, flow.Facts{Channel: channel})
			if w := s.Wait; w.Kind != flow.WaitResume || !w.Secret || w.Timeout != 0 || !s.Hushed {
				t.Errorf("it waits for %+v, hushed %v", w, s.Hushed)
			}
			if e, ok := effects[len(effects)-1].(flow.Resume); !ok || e != (flow.Resume{Serial: s.Wait.Serial, Step: "a", Lang: "en"}) {
				t.Errorf("it asks %+v", effects)
			}
			for _, in := range []flow.Input{
				{Kind: flow.InputKey, Text: "1"}, {Kind: flow.InputSpeech, Text: "one"}, {Kind: flow.InputTimeout, Serial: s.Wait.Serial},
				{Kind: flow.InputResult, Serial: s.Wait.Serial - 1, Result: &flow.Result{Outcome: "failed"}},
				{Kind: flow.InputResult, Result: &flow.Result{Outcome: "failed"}},
				{Kind: flow.InputResult, Serial: s.Wait.Serial},
			} {
				in.At = monday
				if next, effects, err := engine.Advance(lib, s, in); err != nil || len(effects) > 0 || next.Wait.Serial != s.Wait.Serial || next.Keys != "" {
					t.Errorf("%s moves it: %v %v", in.Kind, effects, err)
				}
			}
			s, effects, err := engine.Advance(lib, s, resultTo(s, tt.outcome))
			if err != nil || s.Ended != tt.leads || s.Hushed {
				t.Errorf("%q leads to %q, hushed %v, %v", tt.outcome, s.Ended, s.Hushed, err)
			}
			for _, e := range effects {
				if text := fmt.Sprint(e); strings.Contains(text, "passed") {
					t.Errorf("it tells %s", text)
				}
			}
		}
	}
}

// TestWorldGoesWithItsWait: what the world keeps stays over what changes nothing and over
// storing, and is gone with the wait it belongs to, also where that is asked anew.
func TestWorldGoesWithItsWait(t *testing.T) {
	state := json.RawMessage(`{"tries":2}`)
	for _, verb := range []flow.Verb{&flow.ResumeStep{}, &flow.IdentifyStep{Level: tandem.Verified, By: []string{"code"}}} {
		lib := threeFlow(t, map[string]*flow.Step{"a": {Verb: verb, Next: flow.Next{To: "b"}}, "b": menuStep(t, "1?")})
		s, _ := startX(t, lib, flow.Facts{Channel: tandem.Chat})
		s.World = state
		for _, in := range []flow.Input{
			{Kind: flow.InputText, Text: "123456"}, {Kind: flow.InputKey, Text: "1"},
			{Kind: flow.InputResult, Serial: s.Wait.Serial - 1, Result: &flow.Result{Outcome: "failed"}},
			{Kind: flow.InputResult, Result: &flow.Result{Outcome: "passed"}},
		} {
			in.At = monday
			next, _, err := engine.Advance(lib, s, in)
			if err != nil || string(next.World) != string(state) || next.Wait.Step != "a" {
				t.Errorf("%s %s: %s is left in step %s, %v", verb.Verb(), in.Kind, next.World, next.Wait.Step, err)
			}
		}
		b, err := flow.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := flow.Decode(b)
		if err != nil || string(stored.World) != string(state) {
			t.Errorf("stored: %s, %v", stored.World, err)
		}
		if again, _, err := engine.Resume(lib, stored, monday); err != nil || again.World != nil || again.Wait.Serial == s.Wait.Serial || again.Wait.Kind != s.Wait.Kind {
			t.Errorf("resumed: %s in wait %+v, %v", again.World, again.Wait, err)
		}
		for _, in := range []flow.Input{resultTo(s, "failed"), {Kind: flow.InputLeft, At: monday}, {Kind: flow.InputFault, At: monday, Text: "lost"}} {
			if next, _, err := engine.Advance(lib, s, in); err != nil || next.World != nil {
				t.Errorf("%s after %s: %s, %v", verb.Verb(), in.Kind, next.World, err)
			}
		}
		if string(s.World) != string(state) {
			t.Error("the session that was handed in has changed")
		}
	}
}

// TestHandoffWaitsAsTheChannelDoes: what is said and waited for after a hand-over is that
// of the next step on the new channel.
func TestHandoffWaitsAsTheChannelDoes(t *testing.T) {
	own := menuStep(t, "1?")
	menu := *own.Verb.(*flow.Menu)
	menu.Timeout = map[tandem.Channel]time.Duration{tandem.Voice: 7 * time.Second, tandem.Chat: time.Minute, tandem.SMS: time.Hour}
	own.Verb = &menu
	for _, tt := range []struct {
		from, to tandem.Channel
		step     *flow.Step
		timeout  time.Duration
		options  int
	}{
		{tandem.Voice, tandem.Chat, menuStep(t, "1?"), 3 * time.Minute, 1},
		{tandem.Voice, tandem.SMS, menuStep(t, "1?"), 12 * time.Hour, 1},
		{tandem.Chat, tandem.Voice, menuStep(t, "1?"), 5 * time.Second, 0},
		{tandem.SMS, tandem.Chat, own, time.Minute, 1},
		{tandem.Chat, tandem.SMS, own, time.Hour, 1},
		{tandem.SMS, tandem.Voice, own, 7 * time.Second, 0},
	} {
		lib := threeFlow(t, map[string]*flow.Step{
			"a": {Verb: &flow.Handoff{To: tt.to, Prompt: prompt(t, "Here")}, Next: flow.Next{By: map[string]string{"accepted": "b"}, Else: "end"}},
			"b": {Verb: &flow.Say{Prompt: prompt(t, "Welcome back.")}, Next: flow.Next{To: "c"}},
			"c": tt.step,
		})
		s, _ := startX(t, lib, flow.Facts{Channel: tt.from})
		s, effects, err := engine.Advance(lib, s, resultTo(s, "accepted"))
		if err != nil || s.Facts.Channel != tt.to || s.On != tt.to || s.Wait.Timeout != tt.timeout || len(s.Wait.Options) != tt.options {
			t.Errorf("%s to %s: on %s it waits %+v, %v", tt.from, tt.to, s.On, s.Wait, err)
		}
		if got := spoken(effects); got != "Welcome back.|1?" {
			t.Errorf("%s to %s: it says %q", tt.from, tt.to, got)
		}
	}
}

// spoken joins what was said.
func spoken(effects []flow.Effect) string {
	var said []string
	for _, e := range effects {
		if p, ok := e.(flow.Play); ok {
			said = append(said, flow.Text(p.Parts))
		}
	}
	return strings.Join(said, "|")
}

// elsewhere stores a session and resumes it with a customer who has come by another channel.
func elsewhere(t *testing.T, lib *flow.Library, s flow.Session, to tandem.Channel, level tandem.Assurance) (flow.Session, []flow.Effect, error) {
	t.Helper()
	b, err := flow.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = flow.Decode(b); err != nil {
		t.Fatal(err)
	}
	s.Facts.Channel, s.Facts.Caller, s.Facts.Assurance, s.Facts.AssuranceUntil = to, "", level, time.Time{}
	return engine.Resume(lib, s, monday.Add(time.Hour))
}

// TestResumeElsewhere: who was on the phone goes on in chat, at the same question, with
// its buttons and its time; what was heard on the phone is not gone back to.
func TestResumeElsewhere(t *testing.T) {
	listen := flow.DefaultListen()
	listen.Retry = []*flow.Prompt{prompt(t, "That was too short.")}
	lib := threeFlow(t, map[string]*flow.Step{
		"a": menuStep(t, "1?"),
		"b": {Verb: &flow.Collect{Listen: listen, Prompt: prompt(t, "Six digits?"), Into: "n", Min: 6, Max: 6}, Next: flow.Next{To: "end"}},
	})
	lib.Flows["x"].Steps["a"].Verb.(*flow.Menu).Choices[0].Go = "b"
	lib.Flows["x"].Commands = []*flow.Command{{Name: "back", Keys: "*2", Phrases: map[string][]string{"en": {"back"}}}}
	s, _ := startX(t, lib, flow.Facts{Channel: tandem.Voice})
	for _, k := range "112#" { // the first leads on, the others are too short
		s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputKey, At: monday, Text: string(k)})
	}
	if s.Wait.Step != "b" || s.Frames[0].Try != 2 {
		t.Fatalf("it is in step %s, try %d", s.Wait.Step, s.Frames[0].Try)
	}
	there, effects, err := elsewhere(t, lib, s, tandem.Chat, tandem.None)
	if err != nil || there.Wait.Step != "b" || there.Wait.Timeout != 3*time.Minute || spoken(effects) != "Six digits?" {
		t.Errorf("it waits in %+v and says %q, %v", there.Wait, spoken(effects), err)
	}
	if effects[0] != (flow.Speak{Lang: "en"}) {
		t.Errorf("first it says %v", effects[0])
	}
	back, _, err := engine.Advance(lib, there, flow.Input{Kind: flow.InputText, At: monday, Text: "back"})
	if err != nil || back.Wait.Step != "b" {
		t.Errorf("back leads to %s on the phone, %v", back.Wait.Step, err)
	}
	same, _, err := elsewhere(t, lib, s, tandem.Voice, tandem.None)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range "*2" {
		same, _, _ = engine.Advance(lib, same, flow.Input{Kind: flow.InputKey, At: monday, Text: string(k)})
	}
	if same.Wait.Step != "a" {
		t.Errorf("on the phone back leads to %s", same.Wait.Step)
	}
}

// TestResumeWhereItCannot: a channel that is not served is refused and changes nothing; a
// step that it cannot do goes to on_error; a level that did not come along is asked for.
func TestResumeWhereItCannot(t *testing.T) {
	lib := threeFlow(t, map[string]*flow.Step{"a": menuStep(t, "1?")})
	lib.Flows["x"].Channels = []tandem.Channel{tandem.Voice}
	s, _ := startX(t, lib, flow.Facts{Channel: tandem.Voice})
	next, effects, err := elsewhere(t, lib, s, tandem.Chat, tandem.None)
	if tandem.CodeOf(err) != tandem.CodeConflict || !strings.Contains(err.Error(), "does not serve chat") || len(effects) > 0 || next.Wait.Serial != s.Wait.Serial {
		t.Errorf("a channel it does not serve: %v, %v", effects, err)
	}

	for _, verb := range []flow.Verb{
		&flow.Voicemail{Box: "b"}, &flow.RecordStep{Into: "n"}, &flow.Transfer{To: template(t, "tel:+861095599")},
	} {
		lib := threeFlow(t, map[string]*flow.Step{"a": {Verb: verb, Next: flow.Next{To: "end"}}})
		s, _ := startX(t, lib, flow.Facts{Channel: tandem.Voice})
		next, effects, err := elsewhere(t, lib, s, tandem.SMS, tandem.None)
		if err != nil || next.Ended != "broken" || !strings.Contains(fmt.Sprint(effects), verb.Verb()+" cannot be done on sms") {
			t.Errorf("%s: ended %q, %v, %v", verb.Verb(), next.Ended, effects, err)
		}
	}

	lib = threeFlow(t, map[string]*flow.Step{
		"a":     {Needs: tandem.Verified, Verb: menuStep(t, "1?").Verb, Next: flow.Next{To: "end"}},
		"prove": {Verb: &flow.IdentifyStep{Level: tandem.Verified, By: []string{"code"}}, Next: flow.Next{To: "end"}},
	})
	lib.Flows["x"].Order = []string{"a", "prove"}
	s, _ = startX(t, lib, flow.Facts{Channel: tandem.Voice, Assurance: tandem.Verified})
	if next, _, err = elsewhere(t, lib, s, tandem.Chat, tandem.Verified); err != nil || next.Wait.Step != "a" {
		t.Errorf("with the level it waits in %+v, %v", next.Wait, err)
	}
	if next, _, err = elsewhere(t, lib, s, tandem.Chat, tandem.None); err != nil || next.Wait.Step != "prove" {
		t.Errorf("without the level it waits in %+v, %v", next.Wait, err)
	}
	next, effects, err = engine.Advance(lib, next, resultTo(next, "passed"))
	if err != nil || next.Wait.Step != "a" || spoken(effects) != "1?" {
		t.Errorf("proved, it waits in %+v and says %q, %v", next.Wait, spoken(effects), err)
	}

	lib = threeFlow(t, map[string]*flow.Step{
		"a": {Verb: &flow.Handoff{To: tandem.Chat, Prompt: prompt(t, "Here")}, Next: flow.Next{By: map[string]string{"accepted": "b"}, Else: "end"}},
		"b": menuStep(t, "1?"),
	})
	s, _ = startX(t, lib, flow.Facts{Channel: tandem.Voice})
	if next, effects, err = elsewhere(t, lib, s, tandem.Chat, tandem.None); err != nil || next.Wait.Step != "b" || spoken(effects) != "1?" {
		t.Errorf("who is where they were asked to go waits in %+v and reads %q, %v", next.Wait, spoken(effects), err)
	}
}

// TestIdentifyTellsWho: what was proved is known as caller.phone, and is forgotten with
// the assurance where the customer moves without it.
func TestIdentifyTellsWho(t *testing.T) {
	for _, carried := range []bool{true, false} {
		lib := threeFlow(t, map[string]*flow.Step{
			"a": {Verb: &flow.IdentifyStep{Level: tandem.Verified, By: []string{"code"}}, Next: flow.Next{By: map[string]string{"passed": "b"}, Else: "end"}},
			"b": {Verb: &flow.Handoff{To: tandem.Chat, Prompt: prompt(t, "Here")}, Next: flow.Next{To: "c"}},
			"c": menuStep(t, "1?"),
		})
		s, _ := startX(t, lib, flow.Facts{Channel: tandem.Voice})
		in := resultTo(s, "failed")
		in.Result.Phone, in.Result.Value = "+8613800000001", "C2"
		if failed, _, err := engine.Advance(lib, s, in); err != nil || failed.Facts.Phone != "" || failed.Facts.Customer != "" {
			t.Errorf("failed, and it knows %+v, %v", failed.Facts, err)
		}
		in.Result.Outcome = "passed"
		s, _, err := engine.Advance(lib, s, in)
		if err != nil || s.Facts.Phone != "+8613800000001" || s.Facts.Customer != "C2" {
			t.Errorf("passed, and it knows %+v, %v", s.Facts, err)
		}
		in = resultTo(s, "accepted")
		in.Result.Carried = carried
		if s, _, err = engine.Advance(lib, s, in); err != nil || s.Wait.Step != "c" || (s.Facts.Phone != "") != carried {
			t.Errorf("carried %v, and it knows %+v, %v", carried, s.Facts, err)
		}
	}
}
