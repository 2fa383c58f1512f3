package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/hook"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/store"
)

// lineFlow waits in cards; lineQueues says who serves.
const (
	lineFlow   = "flow: desk\nchannels: [voice]\nlanguages: [en]\nstart: line\nsteps:\n  line: { queue: { name: cards }, next: end }\n"
	offersFlow = "flow: desk\nchannels: [voice]\nlanguages: [en]\nstart: line\nsteps:\n  line: { queue: { name: cards, offer: { callback: \"1\" } }, next: end }\n"
	lineQueues = `queues:
  cards: { teams: [day], overflow: [ { after: 1m, teams: [night] } ] }
teams: { day: {}, night: {}, letters: {} }
agents:
  anna: { teams: [day] }
  bo: { teams: [night] }
  kim: { teams: [letters] }
  li: { teams: [day], capacity: { voice: 0 } }
`
)

// lineOf is a patient with these flows, in the folder that it is in.
func lineOf(t *testing.T, yaml, flow string) *patient {
	t.Helper()
	loaded, err := config.Parse("tandem.yaml", []byte(yaml), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("flows", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFlow(t, "flows", "desk.flow.yaml", flow)
	writeFlow(t, "flows", "all.queues.yaml", lineQueues)
	p := &patient{Loaded: loaded}
	if checkFlows(context.Background(), p); p.library == nil {
		t.Fatalf("the flows are wrong: %+v", checkFlows(context.Background(), p))
	}
	return p
}

func TestDoctorLine(t *testing.T) {
	const phones = "agents: { anna: { phone: \"sip:anna@127.0.0.1:9\" }, bo: { phone: \"tel:+8610555\" } }\n"
	const trunk = "sip: { trunks: { a: { host: \"192.0.2.1\", sources: [192.0.2.1] } } }\n"
	const allow = "outbound: { allow: [\"+86\"] }\n"
	for name, test := range map[string]struct {
		yaml, flow, check string
		v                 verdict
		words             string
	}{
		"no phones":     {"", lineFlow, "agents' phones", warn, "anna, bo can be offered no call"},
		"what to write": {"", lineFlow, "agents' phones", warn, `agents: { anna: { phone: "sip:anna@HOST" } }`},
		"of nobody":     {"agents: { zoe: { phone: \"sip:zoe@127.0.0.1\" } }", lineFlow, "agents", warn, "phone for zoe, but no *.queues.yaml"},
		"no trunk":      {phones + allow, lineFlow, "agents' phones", fail, "bo cannot be rung: tel: numbers are dialled by a trunk, and there is none"},
		"callbacks":     {phones + allow + trunk, offersFlow, "callbacks", ok, "+86"},
		"nobody dials":  {allow, offersFlow, "callbacks", warn, "there is no trunk: none can be dialled"},
		"nothing may":   {trunk + "outbound: { allow: [\"sip:127.0.0.1\"] }", offersFlow, "callbacks", warn, "lists no prefix of numbers"},
		"none a day":    {trunk + "outbound: { allow: [\"+86\"], calls_per_day: 0 }", offersFlow, "callbacks", warn, "outbound.calls_per_day is 0"},
		"no money":      {trunk + "outbound: { allow: [\"+86\"], prices: { \"+86\": 0.1 } }", offersFlow, "callbacks", warn, "outbound.money_per_day is 0"},
		"a site":        {"chat: { sites: { bank: { call_back: true } } }", lineFlow, "callbacks", warn, "chat site bank offers callbacks, but there is no trunk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			all := lineFindings(lineOf(t, test.yaml, test.flow))
			if !has(all, test.check, test.v, test.words) {
				t.Errorf("want %s of %s with %q, got %+v", test.v, test.check, test.words, all)
			}
			advised(t, all)
		})
	}
	t.Chdir(t.TempDir())
	if all := lineFindings(lineOf(t, phones+allow+trunk, lineFlow)); len(all) != 0 {
		t.Errorf("a right line: %+v", all)
	}
}

// advised holds that what to do goes with warn and fail.
func advised(t *testing.T, all []finding) {
	t.Helper()
	for _, f := range all {
		if (f.Verdict == ok) != (f.Do == "") {
			t.Errorf("what to do goes with warn and fail: %+v", f)
		}
	}
}

// Phones are asked by OPTIONS, and by nothing else.
func TestDoctorAsksPhones(t *testing.T) {
	t.Chdir(t.TempDir())
	there, away, off := testkit.NewCallee(t), testkit.NewCallee(t), testkit.NewCallee(t)
	away.Answers(404)
	off.Answers(0)
	p := lineOf(t, `sip: { listen: ["udp://127.0.0.1:5060", "tcp://127.0.0.1:5060"] }
outbound: { allow: ["+86"] }
agents: { anna: { phone: "`+there.URI("anna")+`" }, bo: { phone: "`+away.URI("bo")+`" }, kim: { phone: "`+off.URI("kim")+`" }, li: { phone: "tel:+8610555" } }`, lineFlow)
	all := p.askPhones(t.Context())
	for _, want := range []struct {
		v     verdict
		words string
	}{{ok, "1 of 3 phones answer"}, {warn, "knows no phone of bo"}, {warn, "kim answered nothing within 2s"}} {
		if !has(all, "agents' phones", want.v, want.words) {
			t.Errorf("no %s with %q: %+v", want.v, want.words, all)
		}
	}
	advised(t, all)
	if there.Asked() != 1 || away.Asked() != 1 || off.Asked() == 0 {
		t.Errorf("asked %d, %d and %d times", there.Asked(), away.Asked(), off.Asked())
	}
}

func TestDoctorPeople(t *testing.T) {
	journalWithCalls(t)
	p := lineOf(t, "log: {}\n", lineFlow)
	find := func(check string, v verdict, words string) {
		t.Helper()
		all := checkPeople(context.Background(), p)
		if !has(all, check, v, words) {
			t.Errorf("want %s of %s with %q, got %+v", v, check, words, all)
		}
		advised(t, all)
	}
	find("agents", warn, "names anna, bo, kim, li, but there is no such user → type: tandem user add anna --role agent")
	for _, who := range []string{"anna", "bo", "kim"} {
		expect(t, 0, "user add "+who+" --role agent")
	}
	expect(t, 0, "user add li --role supervisor")
	expect(t, 0, "user disable bo")
	find("agents", warn, "li may not serve: the role agent is missing → type: tandem user set-role li --role supervisor,agent")
	find("agents", warn, "bo may not log in: disabled → type: tandem user enable bo")
	expect(t, 0, "user set-role li --role agent")
	expect(t, 0, "user enable bo")
	find("agents", ok, "4 agents may log in")

	p.running = true
	find("queues", warn, "nobody of cards is there now: calls and chats are not let into line (no_agents)")
	tamper(t, "data/tandem.db", "INSERT INTO agent VALUES ('kim', 'available', '', 1, 1, 0), ('anna', 'away', 'lunch', 1, 1, 0), ('li', 'offline', '', 1, 1, 0)")
	find("queues", warn, "everybody of cards is away now: whoever comes waits")
	tamper(t, "data/tandem.db", "INSERT INTO agent VALUES ('bo', 'available', '', 1, 1, 0)")
	find("queues", ok, "1 queue, each that is open is served")
	tamper(t, "data/tandem.db", "UPDATE task SET queue = 'gone'")
	find("queues", warn, "tasks wait in gone, which no *.queues.yaml names")

	expect(t, 0, "key add board --scope line:read")
	find("keys", ok, "1 key of programs")
	expect(t, 0, "key add soon --scope line:read,tickets --for 24h")
	expect(t, 0, "key add late --scope line:read")
	expect(t, 0, "key add anna --agent anna --scope agent")
	tamper(t, "data/tandem.db", "UPDATE staff_key SET expires = 1000000000 WHERE name = 'late'")
	expect(t, 0, "user disable anna")
	find("keys", warn, "soon ends on")
	find("keys", warn, "tandem key add NEW-NAME --scope line:read,tickets")
	find("keys", warn, "late ended on 1970-01-01")
	find("keys", warn, "anna opens nothing: anna is no agent who may log in → type: tandem key revoke anna")
}

func TestDoctorWebhooks(t *testing.T) {
	first, _ := journalWithCalls(t)
	p := lineOf(t, "log: {}\n", lineFlow)
	desk := func(r records) *hook.Desk {
		t.Helper()
		d, err := hook.New(hook.Options{Keys: r.keys, Private: p.Webhooks.Networks()})
		if err == nil {
			err = d.Open(t.Context(), r.DB)
		}
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	find := func(check string, v verdict, words string) {
		t.Helper()
		all := checkPeople(context.Background(), p)
		if !has(all, check, v, words) {
			t.Errorf("want %s of %s with %q, got %+v", v, check, words, all)
		}
		advised(t, all)
		for _, f := range all {
			if strings.Contains(f.Found+f.Do, "hidden") {
				t.Errorf("the address is told: %+v", f)
			}
		}
	}
	var id string
	beside(t, func(r records) {
		s, _, err := desk(r).Add(t.Context(), "ann", hook.Wanted{URL: "https://crm.example/told?token=hidden", Kinds: []string{"task.*"}})
		if id = s.ID; err != nil {
			t.Fatal(err)
		}
	})
	const name = "webhook crm.example"
	find(name, ok, "is told of task.*")

	key := func(n int) string {
		return fmt.Sprintf("%s/%s/%016x/%s/%d/task.opened", hook.Kind, id, n, first.ID, n)
	}
	beside(t, func(r records) {
		letter := func(n int) store.Outgoing {
			return store.Outgoing{Key: key(n), Kind: hook.Kind, Target: "", Body: []byte("{}")}
		}
		err := r.Commit(t.Context(), &store.Change{
			Events: []tandem.Event{tandem.NewEvent(first.ID, "", time.Now(), tandem.EventMessage, "flow", tandem.Message{Channel: tandem.Chat, Seq: 1, From: tandem.SenderFlow, Text: "hi"})},
			Outbox: []store.Outgoing{letter(1), letter(2), letter(3)},
		})
		err = errors.Join(err, r.Failed(t.Context(), key(1), errors.New("503"), time.Now().Add(time.Hour)), r.Failed(t.Context(), key(2), errors.New("answered 500"), time.Time{}))
		if err != nil {
			t.Fatal(err)
		}
	})
	find(name, warn, "nothing gets through, 2 messages waiting: answered 500")
	find("dead letters", warn, "1 of hook → see why with: tandem outbox list --dead")
	beside(t, func(r records) {
		if err := r.Delivered(t.Context(), key(3)); err != nil {
			t.Fatal(err)
		}
	})
	find(name, ok, "is told of task.*")

	tamper(t, "data/tandem.db", "UPDATE webhook SET missed = 1000000000")
	find(name, warn, "was told nothing for a time, since 1970-01-01")
	tamper(t, "data/tandem.db", "UPDATE webhook SET active = 0, why = 'unreachable'")
	find(name, warn, "POST /api/v1/webhooks/"+id+"/active")
	tamper(t, "data/tandem.db", "UPDATE webhook SET why = 'off'")
	find(name, ok, "switched off by hand")
}

// The check of the configuration warns of the line as the doctor does.
func TestConfigCheckWarnsOfTheLine(t *testing.T) {
	t.Chdir(t.TempDir())
	lineOf(t, "log: {}\n", offersFlow)
	writeFlow(t, ".", "tandem.yaml", "entries: { \"1\": desk }\nagents: { zoe: { phone: \"sip:zoe@127.0.0.1\" } }\n")
	expect(t, 0, "config check", "warning: agents: the configuration has a phone for zoe", "warning: agents' phones: anna, bo can be offered no call", "warning: callbacks: flow desk offers callbacks, but there is no trunk")
}
