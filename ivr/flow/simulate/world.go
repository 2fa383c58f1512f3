package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Means of reaching a customer.
const (
	bySMS  = "sms"
	byChat = "chat"
	byMail = "mail"
)

// LinkHost is where the addresses of simulated links lead: nowhere (RFC 2606).
const LinkHost = "https://tandem.example/l/"

// link is one that was sent.
type link struct {
	serial    int
	operation string
	address   string
	sent      time.Time
	expires   time.Duration // 0 = never
	over      bool          // done, declined or expired
}

// place is the interaction's place in a line, and whom it talks with.
type place struct {
	asked     flow.Enqueue
	since     time.Time
	told      time.Time // when the place was told last
	position  int
	connected bool
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// carryOut does what the engine asks for, and returns what the world answers at once;
// nil if it waits for somebody.
func (t *Talk) carryOut(effects []flow.Effect) (reply *flow.Input) {
	page := t.render(effects)
	for _, e := range effects {
		switch e := e.(type) {
		case flow.Play:
			t.show(page.next())
		case flow.Trace:
			t.trace(e)
		case flow.Promise:
			if c, ok := e.Data.(tandem.Consent); ok {
				t.note(Line{Word: Keeps, Name: "consent " + c.Kind, Text: c.Answer})
			}
		case flow.Speak:
			t.note(Line{Word: Speaks, Text: e.Lang})
		case flow.Finish:
			t.note(Line{Word: Ends, Text: e.Reason})
		case flow.Take:
			reply = t.taken(e)
		case flow.Cut, flow.Hush:
		default:
			t.wanted = e
			reply = t.answer(e)
		}
	}
	return reply
}

// answer notes what the engine asks of the world, and is what the world says to it at once.
func (t *Talk) answer(e flow.Effect) *flow.Input {
	switch e := e.(type) {
	case flow.Fetch:
		t.note(Line{Word: Asks, Step: e.Step, Name: e.Method, Text: e.URL})
		return t.fetch(e)
	case flow.Connect:
		t.note(Line{Word: Transfers, Step: e.Step, Name: e.Mode, Text: e.To})
	case flow.Record:
		into := e.Box
		if into == "" {
			into = e.Into
		}
		t.note(Line{Word: Tapes, Step: e.Step, Name: into, Text: "up to " + Short(e.Max)})
	case flow.Send:
		return t.send(e)
	case flow.SendLink:
		return t.sendLink(e)
	case flow.Move:
		return t.move(e)
	case flow.Identify:
		t.note(Line{Word: Identifies, Step: e.Step, Name: e.Level.String(), Text: strings.Join(e.By, ", ")})
	case flow.Resume:
		t.note(Line{Word: LooksFor, Step: e.Step, Text: "an earlier interaction"})
	case flow.Enqueue:
		if e.Taken {
			t.line = place{asked: e, since: t.now, connected: true}
			return nil
		}
		return t.enqueue(e)
	case flow.Book:
		to := e.To
		if to == "" {
			to = t.s.Facts.Caller
		}
		t.note(Line{Word: CallsBack, Step: e.Step, Name: e.Queue, Text: strings.TrimSpace(to + " " + e.At)})
	case flow.OpenTicket:
		number := fmt.Sprintf("%06d", t.random.Uint64()%1_000_000)
		t.note(Line{Word: Ticketed, Step: e.Step, Name: e.Form, Text: number, Fields: e.Fields})
		return result(e.Serial, flow.Result{Outcome: "opened", Value: number})
	case flow.Survey:
		l := Line{Word: Surveyed, Step: e.Step, Name: e.Form}
		if e.After > 0 {
			l.Text = "after " + Short(e.After)
		}
		t.note(l)
		if e.After > 0 {
			return result(e.Serial, flow.Result{Outcome: "done"})
		}
	}
	return nil
}

func result(serial int, r flow.Result) *flow.Input {
	return &flow.Input{Kind: flow.InputResult, Serial: serial, Result: &r}
}

// text joins parts; where they name the link at hand they have its address.
func (t *Talk) text(parts []tandem.Part) string {
	return t.addressed(flow.Text(parts))
}

// addressed puts the address of the link sent last where a text has its place.
func (t *Talk) addressed(text string) string {
	address := ""
	if n := len(t.links); n > 0 {
		address = t.links[n-1].address
	}
	return strings.ReplaceAll(text, flow.LinkHere, address)
}

// trace notes where the flow goes.
func (t *Talk) trace(e flow.Trace) {
	switch d := e.Data.(type) {
	case tandem.StepEntered:
		t.step = d.Step
		t.entered = append(t.entered, Visit{d.Flow, d.Step})
	case tandem.StepLeft:
		t.left = append(t.left, d)
		t.note(Line{Word: Leads, Flow: d.Flow, Step: d.Step, Name: d.Outcome, Text: d.Next, Fields: d.Set})
	case tandem.FlowFault:
		t.note(Line{Word: Faults, Step: d.Step, Text: d.Message})
	}
}

// fetch answers an http step with what is given for it, nil if nothing is.
func (t *Talk) fetch(e flow.Fetch) *flow.Input {
	for _, key := range []string{t.here() + "." + e.Step, e.Step} {
		if list := t.given.HTTP[key]; len(list) > 0 {
			a := list[min(t.asked[key], len(list)-1)]
			t.asked[key]++
			return t.fetched(e, a)
		}
	}
	return nil
}

// here is the flow that runs.
func (t *Talk) here() string {
	if n := len(t.s.Frames); n > 0 {
		return t.s.Frames[n-1].Flow
	}
	return t.flow.Name
}

// fetched is an answer as the engine takes it. One that does not come takes the time
// that the step allows, as often as it tries.
func (t *Talk) fetched(e flow.Fetch, a Answer) *flow.Input {
	got := flow.Fetched{Status: a.Status, Failed: a.Failed, Body: a.Body, Tries: 1}
	if a.Failed == "timeout" {
		got.Tries += e.Retries
		spent := e.Timeout * time.Duration(got.Tries)
		got.MS = spent.Milliseconds()
		t.now = t.now.Add(spent)
	}
	l := Line{Word: Answers, Step: e.Step, Answer: &a}
	if t.keepsSecret(e.Step) {
		l.Secret = string(a.Body)
	}
	t.note(l)
	return &flow.Input{Kind: flow.InputFetched, Serial: e.Serial, Fetched: &got}
}

// keepsSecret tells whether the answer to an http step goes into a secret variable.
func (t *Talk) keepsSecret(step string) bool {
	f := t.lib.Flows[t.here()]
	if f == nil || f.Steps[step] == nil {
		return false
	}
	h, ok := f.Steps[step].Verb.(*flow.HTTP)
	if !ok || h.Into == "" {
		return false
	}
	v := f.Variable(h.Into)
	return v != nil && v.Secrecy != flow.Open
}

// means is the first way of by that something can be delivered on, "" if there is none.
func (t *Talk) means(by []string, to string) string {
	if len(by) == 0 {
		by = []string{byChat, bySMS, byMail}
	}
	for _, m := range by {
		if slices.Contains(t.given.Undeliverable, m) {
			continue
		}
		switch {
		case m == byChat && to == "" && t.Channel() == tandem.Chat,
			m == bySMS && to == "" && t.s.Facts.Caller != "",
			m == bySMS && to != "" && !strings.Contains(to, "@"),
			m == byMail && (to == "" || strings.Contains(to, "@")):
			return m
		}
	}
	return ""
}

func (t *Talk) send(e flow.Send) *flow.Input {
	means := t.means(e.By, e.To)
	if means == "" {
		return result(e.Serial, flow.Result{Outcome: "undeliverable"})
	}
	l := Line{Word: Gets, Step: e.Step, Names: []string{e.Name}, Means: means, Lang: e.Lang, Text: t.text(e.Parts), Image: e.Image}
	if e.Template != "" {
		l.Names[0], l.Text, l.Fields = e.Template, strings.TrimSpace(e.Template+" "+JSON(e.Params)), e.Params
	}
	t.note(l)
	return result(e.Serial, flow.Result{Outcome: "sent"})
}

func (t *Talk) sendLink(e flow.SendLink) *flow.Input {
	means := t.means(e.By, "")
	if means == "" {
		return result(e.Serial, flow.Result{Outcome: "undeliverable"})
	}
	t.links = append(t.links, link{serial: e.Serial, operation: e.Operation, address: t.address(), sent: t.now, expires: e.Expires})
	t.note(Line{Word: Gets, Step: e.Step, Names: []string{e.Name}, Means: means, Lang: e.Lang, Text: t.text(e.Parts), Image: e.Image})
	return result(e.Serial, flow.Result{Outcome: "sent"})
}

// address makes the address of a link.
func (t *Talk) address() string {
	return LinkHost + fmt.Sprintf("%08s", strconv.FormatUint(t.random.Uint64()%(1<<40), 32))
}

// move sends the customer the way to another channel; whether it is taken is the
// customer's to say.
func (t *Talk) move(e flow.Move) *flow.Input {
	means := string(t.Channel())
	switch {
	case e.To == tandem.SMS, e.To == tandem.Chat && t.Channel() != tandem.Chat:
		means = t.means([]string{bySMS}, "")
	case slices.Contains(t.given.Undeliverable, means):
		means = ""
	}
	if means == "" {
		return result(e.Serial, flow.Result{Outcome: "undeliverable"})
	}
	t.links = append(t.links, link{serial: e.Serial, address: t.address(), sent: t.now})
	word := Gets
	if means == string(tandem.Voice) {
		word = Hears
	}
	t.note(Line{Word: word, Step: e.Step, Names: []string{e.Name}, Means: means, Lang: e.Lang, Text: t.text(e.Parts), Image: e.Image})
	t.note(Line{Word: Moves, Step: e.Step, Text: "to " + string(e.To)})
	return nil
}
