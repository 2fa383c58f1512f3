package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"tandem"
)

// Given is what the world around a flow answers. The zero value answers no http step,
// delivers every message, and has agents who answer when they are told to.
type Given struct {
	// HTTP holds the answers to http steps, by STEP or FLOW.STEP, one for each time; the
	// last repeats.
	HTTP map[string][]Answer
	// Agents says who is there to answer; nil = as before.
	Agents *Agents
	// Queues says what a queue answers at once: full or no_agents; "" = as Agents say.
	Queues        map[string]string
	Undeliverable []string // means by which nothing arrives: sms, chat, mail; nil = as before
	Assurance     *tandem.Assurance
	Caller        *string // the number; "" = withheld
	Customer      string
}

// Agents are the people of every queue.
type Agents struct {
	None  bool          // nobody is at work: no_agents
	Free  int           // so many answer at once
	After time.Duration // one answers after so long in line; 0 = when told to
}

// Answer is what another system says to an http step.
type Answer struct {
	Failed string // timeout or error; "" = it answers
	Status int
	Body   json.RawMessage
}

// String writes an answer as a person would.
func (a *Answer) String() string {
	switch {
	case a == nil:
		return ""
	case a.Failed != "":
		return a.Failed
	case len(a.Body) == 0:
		return fmt.Sprint(a.Status)
	}
	var b bytes.Buffer
	if json.Compact(&b, a.Body) != nil {
		return fmt.Sprintf("%d %s", a.Status, a.Body)
	}
	return fmt.Sprintf("%d %s", a.Status, b.String())
}

// Merge takes over what more names.
func (g *Given) Merge(more Given) {
	if len(more.HTTP) > 0 {
		all := maps.Clone(g.HTTP)
		if all == nil {
			all = map[string][]Answer{}
		}
		maps.Copy(all, more.HTTP)
		g.HTTP = all
	}
	if len(more.Queues) > 0 {
		all := maps.Clone(g.Queues)
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, more.Queues)
		g.Queues = all
	}
	if more.Agents != nil {
		a := *more.Agents
		g.Agents = &a
	}
	if more.Undeliverable != nil {
		g.Undeliverable = slices.Clone(more.Undeliverable)
	}
	if more.Assurance != nil {
		g.Assurance = more.Assurance
	}
	if more.Caller != nil {
		g.Caller = more.Caller
	}
	if more.Customer != "" {
		g.Customer = more.Customer
	}
}

func (t *Talk) caller() string {
	if t.given.Caller != nil {
		return *t.given.Caller
	}
	return DefaultCaller
}

// JSON writes a value on one line.
func JSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
