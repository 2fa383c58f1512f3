package complete

import (
	"slices"
	"strings"
	"testing"

	"tandem/ivr/flow/schema"
)

const flowHead = `flow: front_door
channels: [voice]
languages: [en, zh-CN]
start: opening
inputs: { who: text }
vars:
  card: { type: object, fields: { balance: money, owner: { type: text } } }
  tier: { type: enum, values: [a, b] }
prompts:
  hello: { en: "Hello.", zh-CN: "您好。" }
  form: { en: "Here: ${link.url}" }
steps:
  opening: { say: hello, next: main }
`

func testNames() *schema.Names {
	return Names(map[string][]byte{
		"rating.flow.yaml":            []byte("flow: rating\ninputs: { about: { type: text }, from: int }\noutcomes: [rated, declined]\nvars: { score: int }\nprompts: { ask: { en: x } }\nsteps:\n  look:\n    http: { get: x }\n"),
		"alone.flow.yaml":             []byte("flow: alone\nsteps: { a: { broken\n"),
		"x.calendar.yaml":             []byte("calendar: head_office\n"),
		"x.queues.yaml":               []byte("queues:\n  cards: {}\n  loans:\nboxes: { cards: { queue: cards } }\n"),
		"y.queues.yaml":               []byte("queues: { post: { levels: { gold: {}, silver: {} } } }\nteams: { desk: {} }\nagents: { anna: { skills: { \"lang:en\": 5, cards: 2 } } }\n"),
		"x.form.yaml":                 []byte("form: csat\n"),
		"x.operation.yaml":            []byte("operation: enrol\n"),
		"x.classify.yaml":             []byte("classifier: triage\n"),
		"f.check.yaml":                []byte("check: face\nlevel: proofed\n"),
		"knowledge/cards/opening.md":  []byte("---\n---\n"),
		"knowledge/cards/opening2.md": nil,
		"notes.txt":                   []byte("calendar: no\n"),
	})
}

// at splits a text at its cursor.
func cursor(t *testing.T, text string) (src string, line, column int) {
	t.Helper()
	before, after, ok := strings.Cut(text, "‸")
	if !ok {
		t.Fatal("the text has no cursor")
	}
	rows := strings.Split(before, "\n")
	return before + after, len(rows), len([]rune(rows[len(rows)-1])) + 1
}

func TestComplete(t *testing.T) {
	const verbsThere = "say menu collect set branch hours http subflow message link handoff identify classify answer queue transfer callback voicemail record ticket consent survey end"
	for _, c := range []struct {
		name  string
		text  string // after flowHead, unless it begins with !
		want  string // labels that are there
		never string // labels that are not
		typed string // what an item stands for
	}{
		{"the keys of a file", "!‸", "flow channels steps on_error", "say", ""},
		{"not those there are", "!flow: x\nsta‸\nsteps:\n  a: { end: {} }\n", "start channels", "flow steps", "sta"},
		{"a step's verbs and keys", "  main:\n    ‸", verbsThere + " note if needs max_visits next", "flow go", ""},
		{"a verb that is begun", "  main:\n    me‸\n    next: end\n", "menu message note", "next", "me"},
		{"no second verb", "  main:\n    say: hello\n    ‸", "next if", "menu say", ""},
		{"no second verb, the first below", "  main:\n    ‸\n    say: hello\n", "next if", "menu say", ""},
		{"nothing leads on from an end", "  main:\n    end:\n    ‸", "if note", "next say", ""},
		{"in brackets", "  main: { ‸", verbsThere, "go", ""},
		{"in brackets, more follows", "  main: { sa‸, next: end }\n", "say set", "next", "sa"},
		{"in brackets, a key more", "  main: { say: hello, ‸ }\n", "next if", "say menu", ""},
		{"the keys of a verb", "  main:\n    collect:\n      prompt: hello\n      ‸\n    next: end\n", "into digits confirm tries timeout barge_in", "prompt say", ""},
		{"the keys of a verb in brackets", "  main: { transfer: { to: \"tel:1\", ‸ } }\n", "mode ring", "to say", ""},
		{"words", "  main: { transfer: { to: \"tel:1\", mode: ‸ } }\n", "blind attended", "to", ""},
		{"words in a list", "  main: { identify: { level: verified, by: [code, ‸] } }\n", "pin questions video", "verified", ""},
		{"words on a line of a list", "  main:\n    identify:\n      level: verified\n      by:\n        - c‸\n", "code video", "", "c"},
		{"identity checks", "  main: { identify: { level: proofed, by: [video], check: ‸", "face", "", ""},
		{"the keys of a verb with a check", "  main: { identify: { level: proofed, by: [video], ‸ } }\n", "check fallback", "level", ""},
		{"the outcomes of a verb", "  main: { hours: { calendar: x }, next: { ‸ } }\n", "open closed holiday else", "skipped loop not_assured done", ""},
		{"the outcomes that are left", "  main: { if: \"true\", hours: { calendar: x }, next: { open: end, ‸ } }\n", "closed else skipped", "open loop", ""},
		{"outcomes in block style", "  main:\n    needs: verified\n    max_visits: 3\n    http: { get: x }\n    next:\n      ok: end\n      ‸\n  more: { say: hello, next: end }\n", "not_found timeout error else loop not_assured", "ok skipped", ""},
		{"outcomes of a menu over a list", "  main:\n    menu: { prompt: hello, choices: { from: x } }\n    next: { ‸", "none no_input no_match", "", ""},
		{"outcomes of a menu", "  main:\n    menu: { prompt: hello, choices: [ { keys: \"1\", go: main } ] }\n    next: { ‸", "no_input no_match", "none", ""},
		{"outcomes of a link that waits", "  main: { link: { operation: a, wait: 3m }, next: { ‸", "opened expired declined", "", ""},
		{"outcomes of a link that does not", "  main: { link: { operation: a }, next: { ‸", "done undeliverable", "opened", ""},
		{"outcomes of a queue with an offer", "  main:\n    queue: { name: cards, offer: { callback: \"1\" } }\n    next: { ‸", "callback full", "", ""},
		{"outcomes of a called flow", "  main: { subflow: { name: rating }, next: { ‸", "rated declined else", "done", ""},
		{"steps as targets", "  main: { say: hello, next: ‸ }\n  other: { end: {} }\n", "opening main other end repeat", "hello", ""},
		{"steps as targets, begun", "  main: { say: hello, next: { done: op‸ } }\n", "opening end", "", "op"},
		{"steps in a choice", "  main:\n    menu:\n      choices:\n        - { keys: \"1\", go: ‸ }\n", "opening end", "hello", ""},
		{"the keys of a choice", "  main:\n    menu:\n      choices:\n        - { keys: \"1\", ‸ }\n", "go phrases label", "keys", ""},
		{"the keys of an arm", "  main:\n    branch:\n      - ‸\n", "if go", "", ""},
		{"a choice in block style", "  main:\n    menu:\n      choices:\n        - keys: \"1\"\n          ‸\n", "go phrases label", "keys", ""},
		{"where a file starts", "!start: ‸\nsteps:\n  a: { end: {} }\n", "a", "end repeat", ""},
		{"prompts", "  main: { say: h‸", "hello form", "opening", "h"},
		{"prompts as a field", "  main: { menu: { prompt: ‸", "hello form", "", ""},
		{"languages of words", "  main: { say: { ‸", "en zh-CN prompt barge_in", "", ""},
		{"keys of words", "  main: { say: { en: { ‸", "text audio image button", "", ""},
		{"variables", "  main: { collect: { into: ‸", "who card tier", "card.balance channel", ""},
		{"variables of set", "  main: { set: { ti‸", "who card tier", "now", "ti"},
		{"an expression", "  main: { if: ca‸", "card tier caller channel now money in_hours", "link card.balance", "ca"},
		{"an expression in quotes", "  main: { branch: [ { if: \"channel == 'voice' and ti‸\"", "tier time", "", "ti"},
		{"not in a text of an expression", "  main: { if: \"channel == 'vo‸", "", "channel tier", "-"},
		{"the fields of a name", "  main: { if: \"caller.as‸", "number customer assurance", "tier caller", "as"},
		{"the fields of a variable", "  main: { set: { tier: card.‸", "balance owner", "card", ""},
		{"in a text", "  main: { say: { en: \"You owe ${mon‸", "money card who", "", "mon"},
		{"in a text, closed already", "  main: { say: { en: \"You owe ${mon‸}.\" }, next: end }\n", "money card", "", "mon"},
		{"not outside ${…}", "  main: { say: { en: \"You owe ${card.balance} mon‸", "", "money card", "-"},
		{"in a text of several lines", "  main:\n    say:\n      en: |\n        You owe\n        ${card.b‸\n", "balance", "", "b"},
		{"a link's address", "  main: { link: { prompt: { en: \"${li‸", "link", "", "li"},
		{"calendars in an expression", "  main: { if: \"in_hours('h‸", "head_office", "tier", "h"},
		{"calendars", "  main: { hours: { calendar: ‸", "head_office", "cards", ""},
		{"queues", "  main: { queue: { name: ‸", "cards loans", "head_office", ""},
		{"boxes", "  main: { voicemail: { box: ‸", "cards", "loans", ""},
		{"forms", "  main: { survey: { form: ‸", "csat", "", ""},
		{"operations", "  main: { link: { operation: ‸", "enrol", "", ""},
		{"classifiers", "  main: { classify: { classifier: ‸", "triage", "", ""},
		{"knowledge", "  main: { answer: { knowledge: ‸", "cards", "", ""},
		{"flows that can be called", "  main: { subflow: { name: ‸", "rating", "alone", ""},
		{"what a called flow takes", "  main: { subflow: { name: rating, with: { ‸", "about from", "score", ""},
		{"types", "!vars:\n  a: { type: ‸ }\n", "text enum object recording", "", ""},
		{"types by themselves", "!vars:\n  a: ‸\n", "text digits", "enum", ""},
		{"yes or no", "  main: { voicemail: { transcribe: ‸", "true false", "", ""},
		{"not in a comment", "  main: # sa‸\n", "", "say", "-"},
		{"not after a value", "  main: { say: hello } ‸\n", "", "say next", "-"},
		{"in a file that is broken above", "  broken: { say: { en: \"x\n  also: [\n  main: { say: ‸\n", "hello", "", ""},
		{"in a file that is broken below", "  main: { say: ‸\n  also: { [ : \"\n", "hello", "", ""},
		{"after Chinese text", "  main: { say: { zh-CN: \"您好您好\" }, next: { do‸", "done", "", "do"},
		{"commands", "!commands: { ‸", "help agent repeat back", "", ""},
		{"an identity check's keys", "!check: x\n‸", "level grants officers consent steps keep", "flow check", ""},
		{"what a customer may be asked", "!check: x\nsteps:\n  - { name: act, request: [‸", "turn_left read_number", "", ""},
		{"skills of officers", "!check: x\nofficers: { skills: [‸", "lang:en cards", "", ""},
		{"a calendar's keys", "!calendar: x\n‸", "time_zone weekly holidays overrides", "flow steps", ""},
		{"days", "!calendar: x\nweekly: { ‸", "mon-fri sun", "", ""},
		{"a box's queue", "!queues: { here: {} }\nboxes: { a: { queue: ‸", "here cards", "", ""},
		{"a queue's keys", "!queues: { here: { ‸", "teams target levels relax overflow escalate", "agents", ""},
		{"a queue's teams", "!queues: { here: { teams: [‸", "desk", "cards", ""},
		{"a team in its own file", "!teams: { near: {} }\nagents: { bo: { teams: [n‸", "near desk", "", "n"},
		{"an agent's skills", "!agents: { bo: { skills: { ‸", "lang:en cards", "*", ""},
		{"what is relaxed", "!queues: { here: { relax: [ { after: 60s, skills: { \"‸", "lang:en cards *", "", ""},
		{"owners", "!queues: { here: { escalate: [\"‸", "team:desk agent:anna queue:cards queue:here", "", ""},
		{"loads", "!policy: { blocks: { voice: [‸", "chat sms work", "", ""},
		{"what a step wants", "  main: { queue: { name: post, skills: [\"‸", "lang:en cards", "gold", ""},
		{"a level of the queue", "  main: { queue: { name: post, level: ‸", "gold silver", "cards", ""},
		{"no level of another queue", "  main: { queue: { name: cards, level: ‸", "", "gold", ""},
		{"a level by a variable", "  main: { queue: { name: post, level: \"${ti‸", "tier", "gold", "ti"},
		{"whose a ticket is", "  main: { ticket: { owner: \"‸", "team:desk agent:anna", "", ""},
		{"a script's words", "!flow: rating\ntests:\n  - name: a\n    script:\n      - ‸\n", "hears presses ends given", "name", ""},
		{"a test's prompts", "!flow: rating\ntests:\n  - name: a\n    script: [ { hears: ‸", "ask", "hello", ""},
		{"a test's variables", "!flow: rating\ntests:\n  - name: a\n    script: [ { var: { ‸", "score about", "", ""},
		{"a test's answers", "!flow: rating\ntests: []\ngiven: { http: { ‸", "look", "", ""},
		{"a test's flow", "!flow: ‸\ntests: []\n", "rating alone", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, alone := strings.CutPrefix(c.text, "!")
			if !alone {
				text = flowHead + text
			}
			src, line, column := cursor(t, text)
			from, items := At(src, line, column, testNames())
			var labels []string
			for _, i := range items {
				labels = append(labels, i.Label)
				if i.Kind == "" || i.Insert == "" {
					t.Errorf("%+v is not complete", i)
				}
			}
			for _, w := range strings.Fields(c.want) {
				if !slices.Contains(labels, w) {
					t.Errorf("no %s in %v", w, labels)
				}
			}
			for _, w := range strings.Fields(c.never) {
				if slices.Contains(labels, w) {
					t.Errorf("%s in %v", w, labels)
				}
			}
			if len(slices.Compact(slices.Sorted(slices.Values(labels)))) != len(labels) {
				t.Errorf("something is there twice: %v", labels)
			}
			if c.typed == "-" {
				if len(items) > 0 {
					t.Errorf("there is nothing to write here: %v", labels)
				}
				return
			}
			row := []rune(strings.Split(src, "\n")[line-1])
			if got := string(row[from-1 : column-1]); got != c.typed {
				t.Errorf("items stand for %q, not %q", got, c.typed)
			}
		})
	}
}

// What an item says, and what is written for it.
func TestItems(t *testing.T) {
	one := func(text, label, lang string) Item {
		src, line, column := cursor(t, text)
		names := testNames()
		names.Lang = lang
		_, items := At(src, line, column, names)
		for _, i := range items {
			if i.Label == label {
				return i
			}
		}
		t.Fatalf("no %s in %v", label, items)
		return Item{}
	}
	for _, c := range []struct {
		text, label, lang string
		want              Item
	}{
		{"steps:\n  a: { ‸", "hours", "en", Item{"hours", "verb", "open, closed, holiday", "Asks a calendar whether it is open now.", "hours: "}},
		{"steps:\n  a: { ‸", "hours", "zh-CN", Item{"hours", "verb", "open, closed, holiday", "查日历,看现在是否营业。", "hours: "}},
		{"steps:\n  a: { transfer: { ri‸: 5s } }", "ring", "", Item{"ring", "key", "= 30s", "How long it may ring.", "ring"}},
		{"steps:\n  a: { hours: {}, next: { ‸", "open", "", Item{"open", "outcome", "", "It is open.", "open: "}},
		{"steps:\n  a: { ticket: { form: f }, next: { ‸", "opened", "", Item{"opened", "outcome", "", "The ticket is open.", "opened: "}},
		{"steps:\n  a: { link: { wait: 1m }, next: { ‸", "opened", "", Item{"opened", "outcome", "", "The page was opened, and not finished when the wait was over.", "opened: "}},
		{"steps:\n  a: { if: ‸", "mask", "", Item{"mask", "function", "mask(value) or mask(value, shown)", "Shows the last characters only, and makes a secret fit to be said.", "mask("}},
		{"steps:\n  a: { subflow: { name: ‸", "rating", "", Item{"rating", "name", "rated, declined", "", "rating"}},
		{"vars: { n: { type: int } }\nsteps:\n  a: { collect: { into: ‸", "n", "", Item{"n", "variable", "int", "", "n"}},
	} {
		if got := one(c.text, c.label, c.lang); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.label, got, c.want)
		}
	}
	// By the name of the file, where nothing stands in it yet.
	if _, items := At("", 1, 1, &schema.Names{File: "x.calendar.yaml"}); len(items) == 0 || items[0].Label != "calendar" {
		t.Errorf("an empty calendar: %v", items)
	}
}

// FuzzComplete: any place of any text has an answer, and what is written stands before
// the cursor.
func FuzzComplete(f *testing.F) {
	f.Add(flowHead, 5, 3)
	f.Add(flowHead+"  main: { say: { en: \"${", 14, 25)
	f.Add("a: |\n  b\n- c: [ { 'd\n", 3, 9)
	f.Add("- - a: \"\\", 1, 9)
	names := testNames()
	f.Fuzz(func(t *testing.T, src string, line, column int) {
		if len(src) > 10_000 {
			return
		}
		from, items := At(src, line, column, names)
		row := []rune(lines(src)[min(max(line, 1), len(lines(src)))-1])
		if at := min(max(column, 1), len(row)+1); from < 1 || from > at {
			t.Errorf("from %d at column %d: %v", from, at, items)
		}
	})
}

// In a file of replies the variables of all flows are offered, and whom the agent has.
func TestCompleteReplies(t *testing.T) {
	names := testNames()
	names.File = "x.replies.yaml"
	for _, c := range []struct{ text, want string }{
		{"replies:\n  hello:\n    text:\n      en: \"Dear ${customer.‸\"\n", "name phone"},
		{"replies:\n  hello:\n    text:\n      en: \"${sco‸\"\n", "score about agent"},
		{"replies:\n  hello:\n    queues: [‸]\n", "cards loans post"},
		{"replies:\n  hello:\n    ‸", "text queues"},
	} {
		src, line, column := cursor(t, c.text)
		_, items := At(src, line, column, names)
		var got []string
		for _, item := range items {
			got = append(got, item.Label)
		}
		for _, w := range strings.Fields(c.want) {
			if !slices.Contains(got, w) {
				t.Errorf("%q: %q, without %s", c.text, got, w)
			}
		}
		if slices.Contains(got, "caller") || slices.Contains(got, "outcome") {
			t.Errorf("%q: a name of flows alone: %q", c.text, got)
		}
	}
}
