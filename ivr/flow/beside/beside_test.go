package beside_test

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/beside"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// The broken files beside package read show every mistake once; here is what is read.

func parsed(t *testing.T, name, text string) *source.File {
	t.Helper()
	f := source.New(name, name)
	if !f.Parse([]byte(text)) {
		t.Fatal(f.Found())
	}
	return f
}

func TestForm(t *testing.T) {
	f := parsed(t, "x.form.yaml", `form: fault
fields:
  - { name: serial, type: digits, ask: { en: "The number on the plate?", zh-CN: 铭牌上的编号？ } }
  - { name: floor, type: int, range: -3..40, optional: true }
  - { name: kind, type: enum, values: [noise, leak] }
`)
	form := beside.NewFolder(fstest.MapFS{}).Form(f)
	if f.Broken() || form.Name != "fault" || len(form.Fields) != 3 {
		t.Fatalf("%+v, %v", form, f.Found())
	}
	serial, floor, kind := form.Fields[0], form.Fields[1], form.Fields[2]
	if text, _ := serial.Ask.ByLang["zh-CN"].Text.Literal(); text != "铭牌上的编号？" || serial.Type.Kind != expression.Digits || serial.Optional || serial.Pos.Line != 3 {
		t.Errorf("%+v", serial)
	}
	if floor.Least != -3 || floor.Most != 40 || !floor.Optional || floor.Ask != nil {
		t.Errorf("%+v", floor)
	}
	if !reflect.DeepEqual(kind.Type.Values, []string{"noise", "leak"}) {
		t.Errorf("%+v", kind.Type)
	}
	if kind.Labels != nil {
		t.Errorf("%+v", kind.Labels)
	}
	// What is asked needs a question in each language of the flow that asks it.
	beside.Asks(f, form, &flow.Flow{Name: "front_door", Languages: []string{"en", "zh-CN"}})
	if ds := f.Found(); len(ds) != 2 || ds[0].Line != 4 || ds[1].Line != 5 {
		t.Errorf("found %v", ds)
	}
}

func TestLabels(t *testing.T) {
	f := parsed(t, "x.form.yaml", `form: cards
fields:
  - { name: kind, type: enum, values: [gold, basic], ask: { en: "Which card?", zh-CN: 哪种卡？ }, labels: { gold: { en: Gold, zh-CN: 金卡 }, basic: { en: Basic } } }
`)
	form := beside.NewFolder(fstest.MapFS{}).Form(f)
	if f.Broken() || len(form.Fields[0].Labels) != 2 {
		t.Fatalf("%+v, %v", form, f.Found())
	}
	if text, _ := form.Fields[0].Labels["gold"].ByLang["zh-CN"].Text.Literal(); text != "金卡" {
		t.Errorf("label %q", text)
	}
	beside.Asks(f, form, &flow.Flow{Name: "front_door", Languages: []string{"en", "zh-CN"}})
	if ds := f.Found(); len(ds) != 1 || !strings.Contains(ds[0].Message, "the label of `basic`") {
		t.Errorf("found %v", ds)
	}
	for field, want := range map[string]string{
		"{ name: a, type: enum, values: [gold], labels: { godl: { en: Gold } } }": "write `gold`",
		"{ name: a, type: int, labels: { gold: { en: Gold } } }":                  "",
	} {
		f := parsed(t, "x.form.yaml", "form: cards\nfields: [ "+field+" ]\n")
		beside.NewFolder(fstest.MapFS{}).Form(f)
		if ds := f.Found(); len(ds) != 1 || ds[0].Suggestion != want {
			t.Errorf("%s: found %v", field, ds)
		}
	}
}

func TestOperation(t *testing.T) {
	f := parsed(t, "x.operation.yaml", `operation: enrol
needs: verified
title: { en: "Bank online" }
steps:
  - { show: { en: { text: "Tap More.", image: b.png } }, image: a.png }
  - { form: enrol_form }
confirm: { en: "Switch it on" }
result: { en: "Done." }
`)
	var asked []string
	o := beside.NewFolder(fstest.MapFS{"a.png": {}, "b.png": {}}).Operation(f, func(_ *source.Node, name string) { asked = append(asked, name) })
	if f.Broken() || o.Name != "enrol" || o.Needs != tandem.Verified || len(o.Steps) != 2 || o.Title == nil || o.Confirm == nil || o.Result == nil {
		t.Fatalf("%+v, %v", o, f.Found())
	}
	if s := o.Steps[0]; s.Image != "a.png" || s.Show.ByLang["en"].Image != "b.png" || o.Steps[1].Form != "enrol_form" || !reflect.DeepEqual(asked, []string{"enrol_form"}) {
		t.Errorf("%+v, asked %v", o.Steps, asked)
	}
	beside.Shows(f, o, &flow.Flow{Name: "front_door", Languages: []string{"en", "zh-CN"}})
	if ds := f.Found(); len(ds) != 4 || source.HasErrors(ds) {
		t.Errorf("found %v, want four warnings", ds)
	}
}

// TestAwayHasWords: a reason to be away that nobody could read is a mistake.
func TestAwayHasWords(t *testing.T) {
	for text, wrong := range map[string]bool{`away: { lunch: { en: "" } }`: true, `away: { lunch: { en: " " } }`: true, `away: { lunch: { en: "Lunch" } }`: false, `dispositions: { solved: { en: "" } }`: true} {
		f := parsed(t, "x.queues.yaml", "policy: { "+text+" }\n")
		beside.NewFolder(fstest.MapFS{}).Queues(f, beside.Line{Policy: func(*source.Node, *flow.Routing) {}})
		found := f.Found()
		if f.Broken() != wrong || wrong && (len(found) != 1 || found[0].Rule != "empty-value") {
			t.Errorf("%s: %v", text, found)
		}
	}
}

func TestClassifier(t *testing.T) {
	f := parsed(t, "x.classify.yaml", `classifier: triage
rules:
  - { any: { en: refund, zh-CN: [退款, 退钱] }, set: { request: refund, sentiment: angry } }
`)
	c := beside.Classifier(f)
	want := flow.ClassRule{Pos: c.Rules[0].Pos, Any: map[string][]string{"en": {"refund"}, "zh-CN": {"退款", "退钱"}}, Set: map[string]string{"request": "refund", "sentiment": "angry"}}
	if f.Broken() || c.Name != "triage" || len(c.Rules) != 1 || !reflect.DeepEqual(c.Rules[0], want) {
		t.Errorf("%+v, %v", c, f.Found())
	}
}

func TestArticle(t *testing.T) {
	for _, tt := range []struct{ text, answer, rule string }{
		{"---\ntitle: Open\nwords: open\nlanguage: zh-CN\n---\nNine to six.\n\n---\n\nNot on Sunday.\n", "Nine to six.\n\n---\n\nNot on Sunday.", ""},
		{"\xef\xbb\xbf---\r\ntitle: Open\r\nwords: open\r\nlanguage: zh-CN\r\n---\r\nNine.\r\n", "Nine.", ""},
		{"---\ntitle: Open\nwords: open\nlanguage: zh-CN\n---", "", "article"},
		{"---\ntitle: Open\nwords: open\nlanguage: zh-CN\n", "", "article"},
		{"title: Open\n---\nNine.\n", "", "article"},
		{"---\ntitle: Open\nwords: []\nlanguage: zh-CN\n---\nNine.\n", "Nine.", "empty-value"},
		{"---\n---\nNine.\n", "", "article"},
		{"---\ntitle: Open\xff\n---\nNine.\n", "", "encoding"},
	} {
		f := source.New("knowledge/x/open.md", "open.md")
		a := beside.Article(f, []byte(tt.text))
		found := f.Found()
		if tt.rule == "" && (len(found) != 0 || a.Text != tt.answer || a.Lang != "zh-CN" || a.Title != "Open" || !reflect.DeepEqual(a.Words, []string{"open"}) || a.File != "knowledge/x/open.md") {
			t.Errorf("%q: %+v, %v", tt.text, a, found)
		}
		if tt.rule != "" && (len(found) != 1 || found[0].Rule != tt.rule) {
			t.Errorf("%q: found %v, want %s", tt.text, found, tt.rule)
		}
	}
}

func TestQueues(t *testing.T) {
	f := parsed(t, "x.queues.yaml", "queues:\n  cards: { teams: [cards, night], target: { voice: 20s }, full: 200 }\n  loans:\nboxes: { post: { queue: cards } }\n")
	queues, boxes := map[string]*flow.Queue{}, map[string]*flow.Box{}
	var mentioned []string
	beside.NewFolder(fstest.MapFS{}).Queues(f, beside.Line{
		Queue:   func(n *source.Node, q *flow.Queue) { queues[n.Text] = q },
		Box:     func(n *source.Node, b *flow.Box) { boxes[n.Text] = b },
		Mention: func(m beside.Mention) { mentioned = append(mentioned, m.Kind+" "+m.Name) },
	})
	cards := queues["cards"]
	if f.Broken() || len(queues) != 2 || cards.Full != 200 || len(cards.Teams) != 2 || cards.Target[tandem.TaskCall].Seconds() != 20 || boxes["post"].Queue != "cards" || !reflect.DeepEqual(mentioned, []string{"team cards", "team night", "queue cards"}) {
		t.Errorf("%+v, %+v, %v", queues, boxes, f.Found())
	}
}

func TestServing(t *testing.T) {
	f := parsed(t, "x.queues.yaml", `queues:
  cards:
    levels: { gold: { voice: 10s }, plain: {} }
    hours: office
    max_wait: 10m
    prefer_last: 30s
    relax: [ { after: 60s, skills: { "*": 1 } }, { after: 2m, skills: { "lang:zh-CN": 9 } } ]
    overflow: [ { after: 90s, teams: [night] } ]
    offer_after: { chat: 60s, callback: 0s }
    callback: { tries: 3, gap: 5m }
    escalate: [ "team:leads", "agent:anna" ]
    disposition: required
teams: { cards: { site: beijing }, night: }
agents:
  anna: { teams: [cards], skills: { "lang:en": 3, cards: 2 }, capacity: { chat: 2 } }
  li.wei@bank.example: {}
policy:
  most_priority: 5m
  capacity: { sms: 8 }
  blocks: { chat: [sms, sms] }
  offer: { voice: 15s }
  wrap_up: { voice: 0s }
  misses: 0
  away: { lunch: { en: Lunch, zh-CN: 午餐 } }
  dispositions: { solved: { en: Solved, zh-CN: 已解决 } }
`)
	var q *flow.Queue
	var p *flow.Routing
	teams, agents := map[string]*flow.Team{}, map[string]*flow.Agent{}
	beside.NewFolder(fstest.MapFS{}).Queues(f, beside.Line{
		Queue:   func(_ *source.Node, v *flow.Queue) { q = v },
		Team:    func(n *source.Node, v *flow.Team) { teams[n.Text] = v },
		Agent:   func(n *source.Node, v *flow.Agent) { agents[n.Text] = v },
		Policy:  func(_ *source.Node, v *flow.Routing) { p = v },
		Mention: func(beside.Mention) {},
	})
	if f.Broken() {
		t.Fatal(f.Found())
	}
	q.Pos, q.Relax[0].Pos, q.Relax[1].Pos, q.Over[0].Pos = flow.Pos{}, flow.Pos{}, flow.Pos{}, flow.Pos{}
	want := &flow.Queue{
		Name: "cards", Hours: "office", MaxWait: 10 * time.Minute, Prefer: 30 * time.Second,
		TargetOf:   map[string]map[tandem.TaskKind]time.Duration{"gold": {tandem.TaskCall: 10 * time.Second}, "plain": {}},
		Relax:      []flow.Relax{{After: time.Minute, Levels: map[string]int{"*": 1}}, {After: 2 * time.Minute, Levels: map[string]int{"lang:zh-CN": 9}}},
		Over:       []flow.Overflow{{After: 90 * time.Second, Teams: []string{"night"}}},
		OfferAfter: map[string]time.Duration{"chat": time.Minute, "callback": 0}, CallbackTries: 3, CallbackGap: 5 * time.Minute, CallbackWindow: 2 * time.Hour,
		Escalate: []string{"team:leads", "agent:anna"}, Disposition: true,
	}
	if !reflect.DeepEqual(q, want) {
		t.Errorf("queue %+v\nwant  %+v", q, want)
	}
	if teams["cards"].Site != "beijing" || teams["night"] == nil || len(agents) != 2 {
		t.Errorf("%+v, %+v", teams, agents)
	}
	anna := agents["anna"]
	if !reflect.DeepEqual(anna.Skills, map[string]int{"lang:en": 3, "cards": 2}) || !reflect.DeepEqual(anna.Capacity, map[tandem.Load]int{tandem.LoadChat: 2}) {
		t.Errorf("%+v", anna)
	}
	if p.MostPriority != 5*time.Minute || p.Capacity[tandem.LoadSMS] != 8 || p.Capacity[tandem.LoadChat] != 3 || p.Offer[tandem.LoadVoice] != 15*time.Second ||
		p.Offer[tandem.LoadChat] != 30*time.Second || p.WrapUp[tandem.LoadVoice] != 0 || p.WrapUp[tandem.LoadChat] != 30*time.Second || p.Misses != 0 || p.DeclineRest != time.Minute ||
		!reflect.DeepEqual(p.Blocks, map[tandem.Load][]tandem.Load{tandem.LoadChat: {tandem.LoadSMS}}) {
		t.Errorf("%+v", p)
	}
	if text, _ := p.Away["lunch"].ByLang["zh-CN"].Text.Literal(); text != "午餐" {
		t.Errorf("%+v", p.Away)
	}
	if text, _ := p.Dispositions["solved"].ByLang["en"].Text.Literal(); text != "Solved" {
		t.Errorf("%+v", p.Dispositions)
	}
}
