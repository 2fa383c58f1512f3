package flow

import (
	"time"

	"tandem"
	"tandem/ivr/flow/expression"
)

// Verbs that reach the customer by another way than the one at hand, or find out who
// the customer is.
type (
	// Message writes to the customer or to a given address, by the first means of By
	// that can carry it. It has a Prompt or a Template, which a gateway knows by name.
	Message struct {
		Prompt   *Prompt
		Template string
		With     []Assignment        // the template's parameters
		By       []string            // sms, chat, mail
		To       *expression.Program // a phone number or mail address; nil = the customer
		Image    string              // path relative to the flow's folder; "" = none
	}

	// LinkStep sends a link to a page on which the customer carries out an operation.
	LinkStep struct {
		Operation string
		Prompt    *Prompt // may use link.url
		By        []string
		With      []Assignment  // the operation's parameters
		Expires   time.Duration // of the link
		Wait      time.Duration // for the page to be finished, from the sending; 0 = do not wait
		OnOpened  *Prompt       // said when the customer opens the page; nil = nothing
	}

	// Handoff asks the customer to go on by another channel.
	Handoff struct {
		To        tandem.Channel
		Prompt    *Prompt // may use link.url
		KeepPlace bool    // in the line
	}

	// IdentifyStep finds out who the customer is, by the first method of By that the
	// channel and the customer's records allow.
	IdentifyStep struct {
		Level    tandem.Assurance
		By       []string // code, pin, questions, video
		Fallback string   // a method for where none of By is possible; "" = none
		Check    string   // how video proves it, a CheckPolicy; "" = without video
	}

	// ResumeStep asks for the number of an earlier interaction and goes on with that one,
	// if it is the customer's. It has no outcome for that: this session is over then.
	ResumeStep struct{}

	// Classify sorts what a customer wrote or said, by the rules of a classifier.
	Classify struct {
		Classifier string
		Text       *expression.Program
		Into       []Facet
	}
	// Facet is a variable that receives one side of a classification.
	Facet struct {
		Pos   Pos
		Facet string // product, request, sentiment, influence
		Into  string
	}

	// Answer answers a question from a knowledge folder, if an article fits well enough.
	Answer struct {
		Knowledge string
		Text      *expression.Program
		MinScore  float64 // 0 to 1; the share of an article's words that the question has
	}
)

// Methods of IdentifyStep, and the level that each can give.
const (
	ByCode      = "code"
	ByPIN       = "pin"
	ByQuestions = "questions"
	ByVideo     = "video"
)

// Gives is the level that a method of identifying gives; None for a word that is no method.
func Gives(method string) tandem.Assurance {
	switch method {
	case ByCode, ByPIN, ByQuestions:
		return tandem.Verified
	case ByVideo:
		return tandem.Proofed
	}
	return tandem.None
}

// DefaultMinScore holds for an Answer that names none.
const DefaultMinScore = 0.5

func (*Message) Verb() string      { return "message" }
func (*LinkStep) Verb() string     { return "link" }
func (*Handoff) Verb() string      { return "handoff" }
func (*IdentifyStep) Verb() string { return "identify" }
func (*ResumeStep) Verb() string   { return "resume" }
func (*Classify) Verb() string     { return "classify" }
func (*Answer) Verb() string       { return "answer" }

func (*Message) Outcomes() []string { return []string{"sent", "undeliverable"} }
func (l *LinkStep) Outcomes() []string {
	if l.Wait <= 0 {
		return []string{"done", "undeliverable"}
	}
	return []string{"done", "opened", "expired", "declined", "undeliverable"}
}
func (*Handoff) Outcomes() []string { return []string{"accepted", "declined", "undeliverable"} }
func (*IdentifyStep) Outcomes() []string {
	return []string{"passed", "failed", "declined", "unsupported"}
}
func (*ResumeStep) Outcomes() []string { return []string{"failed", "declined"} }
func (*Classify) Outcomes() []string   { return []string{"done", "unsure"} }
func (*Answer) Outcomes() []string     { return []string{"answered", "unsure"} }
