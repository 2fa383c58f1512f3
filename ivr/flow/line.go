package flow

import (
	"time"

	"tandem"
	"tandem/ivr/flow/expression"
)

// Verbs that bring an interaction to people: now, later, or as something to be done.
type (
	// QueueStep puts the interaction in line and waits for an agent.
	QueueStep struct {
		Name          string
		Level         *expression.Template // of the customer, as the queue's levels name them; nil = ordinary
		Skills        []*expression.Template
		Priority      *expression.Program // a duration: seconds of head start; nil = none
		MaxWait       time.Duration       // 0 = as the queue's policy says
		AnnounceEvery time.Duration       // 0 = never
		Offer         []Offer
		During        string // a flow that an agent may start meanwhile; "" = none
	}
	// Offer is another way to be served, taken by its keys while waiting.
	Offer struct {
		Pos  Pos
		What string // callback, chat, sms
		Keys string
	}

	// CallbackStep books a call to the customer.
	CallbackStep struct {
		To     *expression.Program  // a phone number; nil = the customer's
		At     *expression.Template // a date, a time, or both as text; nil = as soon as an agent is free
		Window time.Duration        // how long after At it may begin; 0 = the queue's policy
		Queue  string               // "" = the queue that the customer was last in
	}

	// RecordStep records the customer into a variable.
	RecordStep struct {
		Into string
		Max  time.Duration
	}

	// TicketStep opens a work order.
	TicketStep struct {
		Form  string
		With  []Assignment         // fields; one not named here has the variable of its name
		Owner *expression.Template // nil = nobody yet
		Due   time.Duration
		Into  string // receives the ticket's number, a text; "" = not kept
	}

	// SurveyStep asks the questions of a form and keeps the answers with the interaction.
	SurveyStep struct {
		Form  string
		By    []tandem.Channel // the present one if it is among them, else the first that reaches the customer
		After time.Duration    // asks that long after the flow has gone on; 0 = now, and waits
	}
)

func (*QueueStep) Verb() string    { return "queue" }
func (*CallbackStep) Verb() string { return "callback" }
func (*RecordStep) Verb() string   { return "record" }
func (*TicketStep) Verb() string   { return "ticket" }
func (*SurveyStep) Verb() string   { return "survey" }

// Outcomes has callback only where it is offered.
func (q *QueueStep) Outcomes() []string {
	out := []string{"answered", "max_wait", "full", "no_agents"}
	for _, o := range q.Offer {
		if o.What == "callback" {
			return append(out, "callback")
		}
	}
	return out
}
func (*CallbackStep) Outcomes() []string { return []string{"booked", "declined"} }
func (*RecordStep) Outcomes() []string   { return []string{"done", "too_short"} }
func (*TicketStep) Outcomes() []string   { return []string{"opened"} }
func (*SurveyStep) Outcomes() []string   { return []string{"done", "skipped"} }
