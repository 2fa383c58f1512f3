package simulate

import (
	"fmt"
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// keys are those of a phone; the letters are on no ordinary one but can be sent.
const phoneKeys = "0123456789*#ABCD"

const dots = "•"

// hidden is what a transcript shows of something typed.
func (t *Talk) hidden(s string) (shown, secret string) {
	if t.s.Wait.Secret {
		return strings.Repeat(dots, len([]rune(s))), s
	}
	return s, ""
}

// Press presses keys, one after the other; in a chat or an SMS they are typed, or
// tapped where a button has them. # only ends an entry by phone.
func (t *Talk) Press(keys string) error {
	if keys == "" || strings.Trim(strings.ToUpper(keys), phoneKeys) != "" {
		return fmt.Errorf("%q are no keys: a phone has 0 to 9, * and #", keys)
	}
	if t.Channel() != tandem.Voice {
		if typed := strings.TrimSuffix(keys, "#"); typed != "" {
			keys = typed
		}
		for _, o := range t.s.Wait.Options {
			if o.Keys == keys && t.Channel() == tandem.Chat {
				return t.write(Taps, keys)
			}
		}
		return t.write(Types, keys)
	}
	if err := t.expects(flow.WaitListen, flow.WaitQueue, flow.WaitHTTP); err != nil {
		return err
	}
	for _, k := range keys {
		t.pressed(string(k))
		t.Do(flow.Input{Kind: flow.InputKey, Text: string(k), Via: "keys"})
	}
	return nil
}

// pressed notes a key: beside the one before it, unless something came in between or
// one of the two is a secret's.
func (t *Talk) pressed(key string) {
	shown, secret := t.hidden(key)
	if n := len(t.lines); n > 0 {
		if l := t.lines[n-1]; l.Word == Presses && (l.Secret == "") == (secret == "") {
			l.Text, l.Secret = l.Text+shown, l.Secret+secret
			t.lines = append(slices.Clip(t.lines[:n-1]), l) // a clone may have the line too
			return
		}
	}
	t.note(Line{Word: Presses, Text: shown, Secret: secret})
}

// Type writes a line. By voice it must be keys, which are pressed.
func (t *Talk) Type(text string) error {
	if t.Channel() == tandem.Voice {
		if strings.Trim(text, phoneKeys) == "" && text != "" {
			return t.Press(text)
		}
		return fmt.Errorf("by phone nobody can type %q; the customer presses keys or speaks", text)
	}
	return t.write(Types, text)
}

// Tap taps the button with these keys or this label. By voice the keys are pressed, in
// an SMS they are written.
func (t *Talk) Tap(button string) error {
	if t.Channel() == tandem.Voice {
		return t.Type(button)
	}
	var labels []string
	for _, o := range t.s.Wait.Options {
		if o.Keys == button || flow.Fold(o.Label) == flow.Fold(button) {
			word, text := Taps, o.Label
			if t.Channel() == tandem.SMS {
				word, text = Types, o.Keys
			}
			return t.write(word, text)
		}
		labels = append(labels, o.Label)
	}
	if len(labels) == 0 {
		return fmt.Errorf("there is no button %q: the flow %s", button, t.Waiting())
	}
	return fmt.Errorf("there is no button %q; there are: %s", button, strings.Join(labels, ", "))
}

// Say speaks. In a chat or an SMS the words are written.
func (t *Talk) Say(words string) error {
	if t.Channel() != tandem.Voice {
		return t.write(Types, words)
	}
	if err := t.expects(flow.WaitListen); err != nil {
		return err
	}
	if !t.s.Wait.Speech {
		return fmt.Errorf("step %s does not listen to speech: its `with` has no speech", t.s.Wait.Step)
	}
	shown, secret := t.hidden(words)
	t.note(Line{Word: Says, Text: shown, Secret: secret})
	t.Do(flow.Input{Kind: flow.InputSpeech, Text: words, Via: "speech"})
	return nil
}

func (t *Talk) write(word Word, text string) error {
	if err := t.expects(flow.WaitListen, flow.WaitQueue); err != nil {
		return err
	}
	shown, secret := t.hidden(text)
	t.note(Line{Word: word, Text: shown, Secret: secret})
	t.Do(flow.Input{Kind: flow.InputText, Text: text, Via: "text"})
	return nil
}

// Leave hangs up, or closes the page.
func (t *Talk) Leave() error {
	if _, over := t.Ended(); over {
		return fmt.Errorf("the interaction is over: %s", t.Waiting())
	}
	t.note(Line{Word: Leaves})
	t.Do(flow.Input{Kind: flow.InputLeft})
	return nil
}

// Link does something on the page of the link sent last: Opens, Finishes or Declines.
func (t *Talk) Link(what Word) error {
	n := len(t.links)
	for n > 0 && t.links[n-1].operation == "" {
		n--
	}
	if n == 0 {
		return fmt.Errorf("no link has been sent")
	}
	l := t.links[n-1]
	if l.over {
		return fmt.Errorf("the link to %s is finished, declined or expired", l.operation)
	}
	if l.expires > 0 && !t.now.Before(l.sent.Add(l.expires)) {
		return fmt.Errorf("the link to %s has expired: it was good for %s", l.operation, Short(l.expires))
	}
	t.note(Line{Word: what, Text: "link"})
	outcome := map[Word]string{Opens: "opened", Finishes: "done", Declines: "declined"}[what]
	t.links = slices.Clone(t.links)
	t.links[n-1].over = what != Opens
	t.onPage(outcome)
	return nil
}

// onPage tells a flow that waits for a link what happens on its page.
func (t *Talk) onPage(outcome string) {
	if t.s.Wait.Kind == flow.WaitLink {
		t.Do(*result(t.s.Wait.Serial, flow.Result{Outcome: outcome}))
	}
}

// expire ends the link sent last.
func (t *Talk) expire() {
	t.links = slices.Clone(t.links)
	t.links[len(t.links)-1].over = true
	t.onPage("expired")
}

// Agents of a queue, or of a transfer to an agent or a queue.
const (
	AgentAnswers   = "answers"
	AgentHandsBack = "hands_back"
	AgentDeclines  = "declines"
	AgentTakesOver = "takes_over" // out of whatever step the customer is in
	AgentAsks      = "asks"       // has the flow run a step
)

// AgentAt lets an agent take the customer over, have a step run, or hand back at a step: one
// of the flows under way, as STEP, or FLOW/STEP.
func (t *Talk) AgentAt(what, step string) error {
	switch {
	case t.fault != nil:
		return t.fault
	case len(t.s.Frames) == 0:
		return fmt.Errorf("no agent has anything to do: the flow %s", t.Waiting())
	case what == AgentTakesOver && t.s.WithAgent():
		return fmt.Errorf("an agent has the customer already")
	case what != AgentTakesOver && (t.s.Asked != nil || !t.s.WithAgent()):
		return fmt.Errorf("no agent has the customer: write `agent: answers` or `agent: takes_over` before it; the flow %s", t.Waiting())
	}
	in := flow.Input{Kind: flow.InputTaken, Key: "taken", Text: "agent"}
	if what != AgentTakesOver {
		full, err := t.stepNamed(what, step)
		if err != nil {
			return err
		}
		if in = (flow.Input{Kind: flow.InputBack, Step: full, Serial: t.s.Wait.Serial}); what == AgentAsks {
			in = flow.Input{Kind: flow.InputAsk, Step: full}
		}
	}
	t.note(Line{Word: Agent, Text: what, Name: step})
	t.Do(in)
	if what == AgentTakesOver && t.s.Wait.Kind == flow.WaitQueue {
		t.line.connected = true
	}
	return nil
}

// stepNamed finds the step that an agent means, and says why it may not be.
func (t *Talk) stepNamed(what, step string) (string, error) {
	nodes, err := engine.Nodes(t.lib, t.s, t.now)
	if err != nil {
		return "", err
	}
	for _, n := range nodes {
		full := n.Flow + "/" + n.Step
		if step != full && step != n.Step {
			continue
		}
		why := n.Go
		if what == AgentAsks {
			why = n.Ask
		}
		if !why.IsZero() {
			return "", fmt.Errorf("step %s cannot be that: %s", full, why.En)
		}
		return full, nil
	}
	return "", fmt.Errorf("the flows under way have no step %s", step)
}

// AgentDoes lets an agent answer, hand back what was answered, or decline.
func (t *Talk) AgentDoes(what string) error {
	if err := t.expects(flow.WaitQueue, flow.WaitTransfer); err != nil {
		return fmt.Errorf("no agent has anything to do: %w", err)
	}
	switch {
	case what == AgentAnswers && t.line.connected:
		return fmt.Errorf("an agent has answered already")
	case what == AgentHandsBack && !t.line.connected:
		return fmt.Errorf("no agent has answered yet: write `agent: answers` before it")
	case what == AgentDeclines && t.line.connected:
		return fmt.Errorf("the agent has answered already, and can only hand back")
	case what == AgentAnswers:
		if in := t.connect(false); in != nil {
			t.Do(*in)
		}
		return nil
	}
	t.note(Line{Word: Agent, Text: what})
	transfer := t.s.Wait.Kind == flow.WaitTransfer
	switch {
	case what == AgentHandsBack && transfer:
		t.Do(*result(t.s.Wait.Serial, flow.Result{Outcome: "ok"}))
	case what == AgentHandsBack:
		t.Do(*result(t.s.Wait.Serial, flow.Result{Outcome: "answered"}))
	case transfer:
		t.Do(*result(t.s.Wait.Serial, flow.Result{Outcome: "no_answer"}))
	}
	return nil
}

// decides are the waits that a word ends.
func decides(word Word) []flow.WaitKind {
	switch word {
	case Identified:
		return []flow.WaitKind{flow.WaitIdentify}
	case Resumes:
		return []flow.WaitKind{flow.WaitResume}
	case Transferred:
		return []flow.WaitKind{flow.WaitTransfer}
	case Records:
		return []flow.WaitKind{flow.WaitVoicemail, flow.WaitRecord}
	}
	return []flow.WaitKind{flow.WaitHandoff, flow.WaitCallback, flow.WaitSurvey}
}

// Decide gives what somebody outside decides for the step that waits: the outcome of an
// identification, a transfer, a recording, or, with Accepts, Declines or "", which is
// not written down, of a hand-over, a callback or a survey.
func (t *Talk) Decide(word Word, outcome string) error {
	w := t.s.Wait
	if err := t.expects(decides(word)...); err != nil {
		return err
	}
	step := t.waiting()
	if step == nil || !slices.Contains(step.Verb.Outcomes(), outcome) {
		return fmt.Errorf("%q is no outcome of step %s, which has %s", outcome, w.Step, strings.Join(step.Verb.Outcomes(), ", "))
	}
	switch word {
	case "":
	case Accepts, Declines:
		t.note(Line{Word: word, Text: string(w.Kind)})
	default:
		t.note(Line{Word: word, Text: outcome})
	}
	r := flow.Result{Outcome: outcome}
	switch e := t.wanted.(type) {
	case flow.Identify:
		if r.Phone = t.s.Facts.Caller; r.Phone == "" {
			r.Phone = DefaultCaller
		}
	case flow.Move:
		r.Carried = outcome == "accepted" && carried(e.To)
	case flow.Record:
		if w.Kind == flow.WaitRecord {
			r.Value = fmt.Sprintf("recording-%08x", uint32(t.random.Uint64()))
		}
	}
	t.Do(*result(w.Serial, r))
	return nil
}

// Found ends the interaction in a step that resumes: the earlier one goes on in its
// place, and its session with the customer.
func (t *Talk) Found() error {
	if err := t.expects(flow.WaitResume); err != nil {
		return err
	}
	t.note(Line{Word: Resumes, Text: "found"})
	t.note(Line{Word: Ends, Step: t.s.Wait.Step, Text: flow.ReasonResumed})
	t.final = t.s.Frames[len(t.s.Frames)-1]
	t.s.Frames, t.s.Wait, t.s.Ended = nil, flow.Wait{}, flow.ReasonResumed
	t.wanted = nil
	return nil
}

// Answer answers the http step that waits.
func (t *Talk) Answer(a Answer) error {
	e, ok := t.wanted.(flow.Fetch)
	if !ok || t.s.Wait.Kind != flow.WaitHTTP {
		return fmt.Errorf("no http step waits for an answer: the flow %s", t.Waiting())
	}
	t.Do(*t.fetched(e, a))
	return nil
}

// waiting is the step that waits, nil at the end.
func (t *Talk) waiting() *flow.Step {
	if f := t.lib.Flows[t.here()]; f != nil {
		return f.Steps[t.s.Wait.Step]
	}
	return nil
}

// expects is an error unless the session waits for one of these.
func (t *Talk) expects(kinds ...flow.WaitKind) error {
	if t.fault != nil {
		return t.fault
	}
	if slices.Contains(kinds, t.s.Wait.Kind) {
		return nil
	}
	return fmt.Errorf("the flow %s", t.Waiting())
}

// Waiting says in words what the flow does now, after "the flow".
func (t *Talk) Waiting() string {
	if reason, over := t.Ended(); over {
		return "has ended: " + reason
	}
	w := t.s.Wait
	in := "in step " + w.Step
	switch w.Kind {
	case flow.WaitListen:
		return "listens to the customer " + in
	case flow.WaitHTTP:
		return fmt.Sprintf("waits for the answer to http step %s", w.Step)
	case flow.WaitTransfer:
		if t.line.connected {
			return "waits until the agent hands back " + in
		}
		return "waits for a transfer " + in
	case flow.WaitVoicemail, flow.WaitRecord:
		return "records the customer " + in
	case flow.WaitLink:
		return "waits for the page of a link " + in
	case flow.WaitHandoff:
		return "waits for the customer to change channels " + in
	case flow.WaitIdentify:
		return "waits until the customer is identified " + in
	case flow.WaitResume:
		return "waits for the number of an earlier interaction " + in
	case flow.WaitQueue:
		if t.line.connected {
			return "waits until the agent hands back " + in
		}
		return "waits for an agent " + in
	case flow.WaitCallback:
		return "books a callback " + in
	case flow.WaitSurvey:
		return "waits for the answers of a survey " + in
	}
	return "waits " + in
}

// GoOn gives what is to be expected of a step that asks the world for something
// nobody needs to decide, a callback or a survey, and reports false if the flow waits
// for anything else.
func (t *Talk) GoOn() bool {
	switch t.s.Wait.Kind {
	case flow.WaitCallback:
		return t.Decide("", "booked") == nil
	case flow.WaitSurvey:
		return t.Decide("", "done") == nil
	}
	return false
}
