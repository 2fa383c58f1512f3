package engine_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/expression"
)

// What secrets hold in random flows: it may leave the engine in requests alone.
const (
	canary    = "739154862"
	ephemeral = "648201937"
)

// maker makes random flows. Its programs are of every verb and lead anywhere; some do
// what the checker would refuse, such as telling a secret.
type maker struct {
	*rand.Rand
	t     testing.TB
	env   *expression.Env
	steps []string
}

func pick[T any](m *maker, of ...T) T { return of[m.IntN(len(of))] }

// randomLibrary is two flows, of which the first may call the second.
func randomLibrary(t testing.TB, seed uint64) *flow.Library {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 1)), t: t, env: expression.NewEnv()}
	kinds := map[string]*expression.Type{
		"n": {Kind: expression.Int}, "s": {Kind: expression.Text}, "yes": {Kind: expression.Bool}, "said": {Kind: expression.Recording},
		"to": {Kind: expression.Phone}, "e": {Kind: expression.Enum, Values: []string{"a", "b"}},
		"list": {Kind: expression.List, Elem: &expression.Type{Kind: expression.Text}},
		"got":  {Kind: expression.Object, Fields: map[string]*expression.Type{"s": {Kind: expression.Text}}},
	}
	for name, k := range kinds {
		m.env.Declare(name, k, false)
	}
	text := &expression.Type{Kind: expression.Text}
	m.env.Declare("hidden", text, true)
	m.env.Declare("pin", text, true)
	place := map[string]*expression.Type{"name": text, "position": {Kind: expression.Int}, "at_least": {Kind: expression.Duration}, "at_most": {Kind: expression.Duration}}
	m.env.Declare("queue", &expression.Type{Kind: expression.Object, Fields: place}, false)
	m.env.Declare("link", &expression.Type{Kind: expression.Object, Fields: map[string]*expression.Type{"url": text}}, false)
	m.env.Declare("caller", &expression.Type{Kind: expression.Object, Fields: map[string]*expression.Type{"number": {Kind: expression.Phone}, "assurance": text}}, false)
	lib := &flow.Library{
		Flows:     map[string]*flow.Flow{},
		Calendars: map[string]*flow.Calendar{"c": {Name: "c", Zone: time.UTC}},
		Queues:    map[string]*flow.Queue{"q": {Name: "q", OfferAfter: map[string]time.Duration{"callback": time.Minute}}},
		Boxes:     map[string]*flow.Box{"b": {Name: "b", Queue: "q"}},
		Forms: map[string]*flow.Form{"f": {Name: "f", Fields: []*flow.FormField{
			{Name: "s", Type: text}, {Name: "n", Type: kinds["n"], Optional: true}, {Name: "more", Type: text, Optional: m.IntN(4) > 0},
		}}},
		Operations:  map[string]*flow.Operation{"o": {Name: "o"}},
		Classifiers: map[string]*flow.Classifier{"k": {Name: "k", Rules: []flow.ClassRule{{Any: map[string][]string{"en": {"card"}}, Set: map[string]string{"request": "a"}}}}},
		Knowledge:   map[string]*flow.Knowledge{"k": {Name: "k", Articles: []*flow.Article{{Lang: "en", Words: []string{"card", "1"}, Text: "Cards."}}}},
	}
	if m.IntN(3) == 0 {
		lib.Forms["f"].Fields = append(lib.Forms["f"].Fields, &flow.FormField{Name: pick(m, "hidden", "pin"), Type: text})
	}
	for _, name := range []string{"x", "child"} {
		m.steps = nil
		for i := range 3 + m.IntN(9) {
			m.steps = append(m.steps, fmt.Sprintf("s%d", i))
		}
		f := &flow.Flow{
			Name: name, Hash: name, Channels: []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS}, Languages: []string{"en", "zh-CN"},
			Start: "s0", Defaults: flow.DefaultListen(), Steps: map[string]*flow.Step{}, Order: m.steps, Env: m.env, Outcomes: []string{"one", "two"}, Returns: []string{"s"},
		}
		if m.IntN(6) == 0 {
			f.Returns = []string{"hidden"}
		}
		if m.IntN(3) > 0 {
			f.OnError = pick(m, m.steps...)
		}
		if m.IntN(3) > 0 {
			f.OnLeave = pick(m, m.steps...)
		}
		for _, name := range []string{"n", "s", "yes", "said", "to", "e", "list", "got"} {
			f.Vars = append(f.Vars, &flow.Variable{Name: name, Type: kinds[name]})
		}
		f.Vars[6].Default = []any{"card", "loan"}
		f.Vars = append(f.Vars, &flow.Variable{Name: "hidden", Type: text, Secrecy: flow.Secret, Default: canary},
			&flow.Variable{Name: "pin", Type: text, Secrecy: flow.Ephemeral, Default: ephemeral})
		f.Commands = []*flow.Command{{Name: "agent", Keys: "*0", Go: pick(m, m.steps...)}, {Name: "back", Keys: "*2"}, {Name: "repeat", Keys: "*1"}}
		for _, step := range m.steps {
			f.Steps[step] = m.step(step, name == "x")
		}
		lib.Flows[name] = f
	}
	return lib
}

func (m *maker) step(name string, calls bool) *flow.Step {
	s := &flow.Step{Name: name, Verb: m.verb(calls)}
	s.Next.By = map[string]string{}
	for _, o := range s.Verb.Outcomes() {
		if m.IntN(12) > 0 { // else it leads nowhere, which is a fault
			s.Next.By[o] = m.target()
		}
	}
	for _, o := range []string{"loop", "not_assured", "skipped"} {
		if m.IntN(3) == 0 {
			s.Next.By[o] = m.target()
		}
	}
	if m.IntN(4) == 0 {
		s.Next.Else = m.target()
	}
	if m.IntN(8) == 0 {
		s.If = m.condition()
	}
	if m.IntN(4) == 0 {
		s.Needs = pick(m, tandem.Recognised, tandem.Verified, tandem.Proofed)
	}
	if m.IntN(8) == 0 {
		s.MaxVisits = 1 + m.IntN(3)
	}
	return s
}

func (m *maker) target() string {
	switch m.IntN(20) {
	case 0:
		return flow.ToEnd
	case 1:
		return flow.ToRepeat
	}
	return pick(m, m.steps...)
}

func (m *maker) program(src string) *expression.Program {
	p, err := m.env.Compile(src, nil)
	if err != nil {
		m.t.Fatalf("%s: %v", src, err)
	}
	return p
}

func (m *maker) condition() *expression.Program {
	return m.program(pick(m, "yes", "n > 1", "hidden == '1'", "s == ''", "queue.position > 1", "pin != hidden"))
}

// value is an expression of a text, now and then of a secret.
func (m *maker) value() *expression.Program {
	return m.program(pick(m, "s", "s", "'card'", "caller.number", "mask(hidden)", "queue.name", "hidden", "pin"))
}

func (m *maker) template() *expression.Template {
	t, err := m.env.Template(pick(m, "card", "${s}", "number ${n}", "${link.url}", "${mask(hidden)}", "${hidden}", "is ${pin}?"))
	if err != nil {
		m.t.Fatal(err)
	}
	return t
}

func (m *maker) prompt() *flow.Prompt {
	return &flow.Prompt{ByLang: map[string]*flow.Words{"en": {Text: m.template(), Button: pick(m, "", "Go")}, "zh-CN": {Text: m.template()}}}
}

func (m *maker) with(names ...string) []flow.Assignment {
	var out []flow.Assignment
	for _, name := range names {
		if m.IntN(2) == 0 {
			out = append(out, flow.Assignment{Name: name, Expr: m.value()})
		}
	}
	return out
}

func (m *maker) listen() flow.Listen {
	l := flow.DefaultListen()
	l.Tries, l.TypeAhead, l.Speech = 1+m.IntN(3), m.IntN(4) > 0, m.IntN(2) == 0
	return l
}

func (m *maker) verb(calls bool) flow.Verb {
	switch m.IntN(25) {
	case 0:
		return &flow.Say{Prompt: m.prompt(), BargeIn: flow.BargeDTMF}
	case 1, 2:
		return &flow.Menu{Listen: m.listen(), Prompt: m.prompt(), Choices: []*flow.Choice{
			{Keys: "1", Label: m.prompt(), Go: m.target()}, {Keys: "12", Go: m.target()}, {Phrases: map[string][]string{"en": {"card"}}, Go: m.target()},
		}}
	case 3:
		env := m.env.With("it", &expression.Type{Kind: expression.Text}, false)
		label, err := env.Template("${it}")
		if err != nil {
			m.t.Fatal(err)
		}
		return &flow.Menu{Listen: m.listen(), Prompt: m.prompt(), From: &flow.DynamicChoices{
			From: m.program("list"), As: "it", Label: &flow.Prompt{ByLang: map[string]*flow.Words{"en": {Text: label}}}, Into: "s", Go: m.target(),
		}}
	case 4, 5:
		c := &flow.Collect{Listen: m.listen(), Prompt: m.prompt(), Into: "s", Type: &expression.Type{Kind: expression.Text}, Max: m.IntN(3)}
		if m.IntN(2) == 0 {
			c.Confirm = m.prompt()
		}
		if into := m.IntN(4); into == 0 {
			c.Into, c.Secrecy = "hidden", flow.Secret
		} else if into == 1 {
			c.Into, c.Secrecy = "pin", flow.Ephemeral
		}
		return c
	case 6:
		return &flow.Language{Listen: m.listen(), By: pick(m, []string{"caller", "menu"}, []string{"menu"}), Prompt: m.prompt()}
	case 7:
		return &flow.Set{Assign: []flow.Assignment{{Name: pick(m, "s", "s", "hidden", "pin"), Expr: m.value()}, {Name: "n", Expr: m.program("n + 1")}}}
	case 8:
		return &flow.Branch{Arms: []flow.Arm{{If: m.condition(), Go: m.target()}, {If: m.condition(), Go: m.target()}}}
	case 9:
		return &flow.Hours{Calendar: "c"}
	case 10:
		url, err := m.env.Template(pick(m, "http://h/${s}", "http://h/", "http://h/?p=${hidden}"))
		if err != nil {
			m.t.Fatal(err)
		}
		return &flow.HTTP{Method: pick(m, "GET", "POST"), URL: url, Into: pick(m, "", "got", "list"),
			Headers: []flow.Header{{Name: "X-Pin", Value: m.template()}}, JSON: &flow.Value{Text: m.template()}, Idempotent: m.IntN(2) == 0}
	case 11:
		if calls {
			return flow.NewSubflow("child", nil, pick(m, "", "got"), []string{"one", "two"})
		}
		return &flow.End{As: pick(m, "one", "two", "")}
	case 12:
		return &flow.Transfer{To: m.template()}
	case 13:
		return &flow.Voicemail{Box: "b"}
	case 14:
		return &flow.ConsentStep{Listen: m.listen(), Kind: "data", Prompt: m.prompt()}
	case 15:
		v := &flow.Message{By: []string{"sms"}, Prompt: m.prompt()}
		if m.IntN(2) == 0 {
			v = &flow.Message{By: []string{"mail"}, Template: "t", With: m.with("a", "b"), To: m.value()}
		}
		return v
	case 16:
		return &flow.LinkStep{Operation: "o", Prompt: m.prompt(), With: m.with("a"), OnOpened: pick(m, nil, m.prompt()), Wait: pick(m, 0, time.Minute)}
	case 17:
		return &flow.Handoff{To: pick(m, tandem.Voice, tandem.Chat, tandem.SMS), Prompt: m.prompt()}
	case 18:
		return &flow.IdentifyStep{Level: pick(m, tandem.Verified, tandem.Proofed), By: []string{flow.ByCode}}
	case 19:
		return &flow.Classify{Classifier: "k", Text: m.value(), Into: []flow.Facet{{Facet: "request", Into: "s"}}}
	case 20:
		return &flow.Answer{Knowledge: "k", Text: m.value(), MinScore: 0.5}
	case 21:
		return &flow.QueueStep{
			Level: m.template(),
			Name:  "q", Skills: []*expression.Template{m.template()}, Priority: m.program(pick(m, "60s", "hidden == '1' ? 1s : 2s", "yes ? 1s : 0s")),
			Offer: []flow.Offer{{What: "callback", Keys: "1"}, {What: "chat", Keys: "2"}, {What: "sms", Keys: "34"}},
		}
	case 22:
		return &flow.CallbackStep{To: pick(m, nil, m.value()), At: pick(m, nil, m.template())}
	case 23:
		if m.IntN(2) == 0 {
			return &flow.RecordStep{Into: "said"}
		}
		return &flow.TicketStep{Form: "f", With: m.with("s", "more"), Owner: pick(m, nil, m.template()), Into: "s"}
	}
	return &flow.SurveyStep{Form: "f", By: []tandem.Channel{tandem.Voice, tandem.SMS}, After: pick(m, 0, time.Hour)}
}

// happening makes an input of two bytes: what it is, and which of its kind.
func happening(s flow.Session, what, which byte, now time.Time) flow.Input {
	in := flow.Input{At: now, Serial: s.Wait.Serial, Via: "inband"}
	outcomes := []string{
		"ok", "busy", "no_answer", "failed", "left", "too_short", "done", "sent", "opened", "undeliverable", "expired", "declined", "accepted",
		"passed", "unsupported", "answered", "max_wait", "full", "no_agents", "callback", "booked", "skipped", "no_input", "no_match", "yes", "no", "1", "agent", "what",
	}
	outcome := outcomes[int(which)%len(outcomes)]
	switch what % 19 {
	case 0, 1, 2:
		in.Kind, in.Text, in.Early = flow.InputKey, string("0123456789*#"[which%12]), which > 240
	case 3:
		in.Kind, in.Text = flow.InputText, []string{"card", "1", "yes", "2", "中文", "agent", "*2", "call me back", ""}[which%9]
	case 4:
		in.Kind, in.Text = flow.InputSpeech, "card"
	case 5:
		in.Kind = flow.InputTimeout
	case 6:
		bodies := []string{`{"s":"card"}`, `["card","loan"]`, `[]`, `{`, `7`}
		in.Kind, in.Fetched = flow.InputFetched, &flow.Fetched{Status: []int{200, 404, 500, 0}[which%4], Body: json.RawMessage(bodies[which%5])}
	case 7, 8, 9, 10:
		in.Kind, in.Result = flow.InputResult, &flow.Result{Outcome: outcome, Carried: which%2 == 0, Value: []any{nil, "blob_1", 7.0}[which%3]}
		if which%3 == 0 {
			in.Result.Until = now.Add(time.Duration(which) * time.Minute)
		}
		if step := waiting(s); step != nil && which%4 > 0 { // one that its verb has
			if all := step.Outcomes(); len(all) > 0 {
				in.Result.Outcome = all[int(which)%len(all)]
			}
		}
	case 11:
		in.Kind, in.Place = flow.InputPlace, &flow.Place{Queue: "q", Position: int(which), Waited: time.Duration(which) * time.Second}
		if which > 160 {
			in.Kind, in.Place, in.Text = flow.InputServed, nil, "anna"
		}
	case 12:
		in.Kind, in.Channel, in.Carried = flow.InputMoved, []tandem.Channel{tandem.Chat, tandem.SMS, tandem.Voice, "fax"}[which%4], which > 127
	case 13:
		in.Kind, in.Text, in.Set = flow.InputOutcome, outcome, map[string]any{"s": "card", "n": 3.0, "hidden": "•••", "lang": "zh-CN", "none": nil}
	case 14:
		in.Kind, in.Text = flow.InputFault, "broken"
	case 15:
		if in.Kind = flow.InputTimeout; which > 128 {
			in.Kind = flow.InputLeft
		}
		in.Serial--
	case 16:
		in.Kind, in.Key = flow.InputTaken, "taken:1"
	case 17, 18:
		if in.Kind = flow.InputAsk; which > 200 {
			in.Kind = flow.InputBack
		}
		if n := len(s.Frames); n > 0 && which%16 > 0 {
			in.Step = fmt.Sprintf("%s/s%d", s.Frames[int(which)%n].Flow, which%12)
		}
	}
	return in
}

// waiting is the verb of the step that waits; the library is of no matter here, since
// all that counts is how the kinds of waits are answered.
func waiting(s flow.Session) flow.Verb {
	switch s.Wait.Kind {
	case flow.WaitTransfer:
		return &flow.Transfer{}
	case flow.WaitLink:
		return &flow.LinkStep{Wait: 1}
	case flow.WaitHandoff:
		return &flow.Handoff{}
	case flow.WaitIdentify:
		return &flow.IdentifyStep{}
	case flow.WaitQueue:
		return &flow.QueueStep{Offer: []flow.Offer{{What: "callback"}}}
	case flow.WaitTicket:
		return &flow.TicketStep{}
	case flow.WaitRecord:
		return &flow.RecordStep{}
	case flow.WaitSurvey:
		return &flow.SurveyStep{}
	case flow.WaitMessage:
		return &flow.Message{}
	}
	return nil
}

// tells reports an effect from which a secret could be learnt.
func tells(e flow.Effect) bool {
	if f, ok := e.(flow.Fetch); ok {
		f.Body, f.Headers = nil, nil
		e = f
	}
	b, err := json.Marshal(e)
	return err != nil || strings.Contains(string(b), canary) || strings.Contains(string(b), ephemeral)
}

// FuzzRandomFlows plays random inputs to random flows: no panic, no hang, no secret
// told, and at every wait the session can be stored, resumed and goes on as before.
func FuzzRandomFlows(f *testing.F) {
	for seed := range uint64(40) {
		script := make([]byte, 80)
		r := rand.New(rand.NewPCG(seed, 2))
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		f.Add(seed, script)
	}
	f.Fuzz(func(t *testing.T, seed uint64, script []byte) { playRandom(t, seed, script) })
}

// playRandom returns the verbs that were entered.
func playRandom(t *testing.T, seed uint64, script []byte) map[string]bool {
	entered := map[string]bool{}
	lib := randomLibrary(t, seed)
	channels := []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS}
	facts := flow.Facts{Channel: channels[seed%3], Caller: "+8613800000000", Assurance: tandem.Assurance(seed % 4)}
	s, effects, err := engine.Start(lib, "x", facts, nil, monday)
	if err != nil {
		t.Fatal(err)
	}
	now := monday
	for i := 0; ; i += 2 {
		check(t, s, effects)
		for _, e := range effects {
			if tells(e) {
				t.Fatalf("a secret got out: %s", show(e))
			}
			if tr, ok := e.(flow.Trace); ok && tr.Kind == tandem.EventStep {
				entered[tr.Data.(tandem.StepEntered).Verb] = true
			}
		}
		if i+1 >= len(script) || i > 200 || s.Ended != "" {
			return entered
		}
		now = now.Add(time.Duration(script[i]) * 3 * time.Second)
		in := happening(s, script[i], script[i+1], now)
		next, then, err := engine.Advance(lib, s, in)
		if err != nil && !(in.Kind == flow.InputOutcome && tandem.CodeOf(err) == tandem.CodeInvalid) {
			t.Fatalf("%+v: %v", in, err)
		}
		stored(t, lib, s, in, then)
		resumedGoesOn(t, lib, s, in, then)
		s, effects = next, then
	}
}

// resumedGoesOn checks that a session resumed at its wait takes the same way as one
// that was never stored.
func resumedGoesOn(t *testing.T, lib *flow.Library, s flow.Session, in flow.Input, want []flow.Effect) {
	t.Helper()
	step := lib.Flows[s.Frames[len(s.Frames)-1].Flow].Steps[s.Wait.Step]
	if v, ok := step.Verb.(*flow.HTTP); !engine.Kept(s) || ok && v.Method == "POST" && !v.Idempotent {
		return
	}
	resumed, _ := moved(t, lib, s, in.At)
	if s.Asked != nil { // a step that was asked is over then
		if resumed.Asked != nil {
			t.Fatalf("resumed, an agent's question goes on: %+v", s.Wait)
		}
		return
	}
	if resumed.Wait.Step != s.Wait.Step || len(resumed.Frames) != len(s.Frames) {
		return // its level has expired, or what it would say now cannot be said
	}
	in.Serial += resumed.Wait.Serial - s.Wait.Serial
	_, got, err := engine.Advance(lib, resumed, in)
	if a, b := way(got), way(want); !slices.Equal(a, b) {
		t.Fatalf("%+v\n%+v\nresumed, it goes %v, %v; else %v", s.Wait, in, a, err, b)
	}
}

// way is where effects led.
func way(effects []flow.Effect) (out []string) {
	for _, e := range effects {
		if tr, ok := e.(flow.Trace); ok {
			switch d := tr.Data.(type) {
			case tandem.StepLeft:
				out = append(out, d.Step+" "+d.Outcome)
			case tandem.FlowEnd:
				out = append(out, d.Reason)
			}
		}
	}
	return out
}

// TestRandomFlows plays enough random flows to enter every verb.
func TestRandomFlows(t *testing.T) {
	entered := map[string]bool{}
	script := make([]byte, 120)
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 3))
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		for verb := range playRandom(t, seed, script) {
			entered[verb] = true
		}
	}
	if len(entered) != 24 {
		t.Errorf("entered %d of 24 verbs: %v", len(entered), entered)
	}
}
