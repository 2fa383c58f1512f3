// Package flow is the nouns of the flow language: a program as read from YAML, and a
// session of it as plain data, with the inputs it takes, the effects it asks for and
// the form it is stored in. It decides nothing: tandem/ivr/flow/engine runs sessions.
package flow

import (
	"time"

	"tandem"
	"tandem/ivr/flow/expression"
)

// Pos is a place in a file: line and column count from 1, columns in characters.
type Pos struct {
	File string
	Line int
	Col  int
}

// Library is one consistent reading of a flows folder: every flow and the files
// beside them. It is immutable once made; a session keeps the library it began
// with, and a saved change makes a new one.
type Library struct {
	Dir       string
	Flows     map[string]*Flow
	Calendars map[string]*Calendar
	Queues    map[string]*Queue
	Boxes     map[string]*Box
	Teams     map[string]*Team
	Agents    map[string]*Agent // by the name they log in by
	Routing   *Routing          // never nil in a library that was read

	Forms       map[string]*Form
	Operations  map[string]*Operation
	Classifiers map[string]*Classifier
	Knowledge   map[string]*Knowledge
	Replies     map[string]*Reply       // what agents send by name
	Checks      map[string]*CheckPolicy // how officers prove by video who customers are

	Settings map[string]any // values the operator lists under flows.settings, as expression.Normalize makes them
}

// Channels are those that each flow serves, by the flow's name.
func (l *Library) Channels() map[string][]tandem.Channel {
	out := make(map[string][]tandem.Channel, len(l.Flows))
	for name, f := range l.Flows {
		out[name] = f.Channels
	}
	return out
}

// Flow is one program. Names in Steps, Prompts, Vars and Inputs have been checked
// against each other; every step name it mentions exists or is reserved.
type Flow struct {
	Name string
	Pos  Pos
	Hash string // hex SHA-256 over the file and the files it uses
	// Zone is that of the calendars the flow uses; nil if it uses none, or they differ.
	Zone      *time.Location
	Channels  []tandem.Channel
	Languages []string // the first is the fallback
	Start     string
	OnLeave   string // "" = none
	OnError   string
	Inputs    []*Variable
	Vars      []*Variable
	Defaults  Listen // complete: built-in defaults filled in
	Prompts   map[string]*Prompt
	Commands  []*Command
	Outcomes  []string // of a called flow
	Returns   []string
	Steps     map[string]*Step
	Order     []string // step names as written
	Env       *expression.Env
}

// Variable finds an input or a variable by name, or nil.
func (f *Flow) Variable(name string) *Variable {
	for _, list := range [2][]*Variable{f.Inputs, f.Vars} {
		for _, v := range list {
			if v.Name == name {
				return v
			}
		}
	}
	return nil
}

// Secrecy says how far a value may go.
type Secrecy uint8

const (
	Open      Secrecy = iota
	Secret            // stored encrypted with the session, destroyed at the end
	Ephemeral         // never stored: a session resumed there asks again
)

// Variable is an input or a variable with its type.
type Variable struct {
	Name    string
	Pos     Pos
	Type    *expression.Type
	Secrecy Secrecy
	Default any // converted to the type; nil = the type's zero
}

// Initial is the value before anything has set one.
func (v *Variable) Initial() any {
	if v.Default != nil {
		return v.Default
	}
	return expression.Zero(v.Type)
}

// Prompt is words in every language of the flow. Name is "" for one written in place.
type Prompt struct {
	Name   string
	Pos    Pos
	ByLang map[string]*Words
}

// Words is a prompt in one language: text, a recording, or both.
type Words struct {
	Pos    Pos
	Text   *expression.Template // nil if it is a recording only
	Audio  string               // path of a WAV file, relative to the flow's folder; "" = none
	Image  string
	Button string
}

// Reserved targets of next and go; no step may have such a name.
const (
	ToEnd    = "end"    // end the flow with reason "completed"
	ToRepeat = "repeat" // the same step again
)

// Step is one named node: exactly one verb and where to go after it.
type Step struct {
	Name      string
	Pos       Pos
	Verb      Verb
	Next      Next
	If        *expression.Program // nil = always
	Needs     tandem.Assurance
	MaxVisits int // 0 = no bound of its own
	Note      string
}

// Next maps outcomes to targets. A plain next has To only.
type Next struct {
	Pos  Pos
	To   string
	By   map[string]string
	Else string
}

// Target finds where an outcome leads; ok is false if nothing covers it.
// "loop" and "not_assured" are never covered by else.
func (n Next) Target(outcome string) (string, bool) {
	if to, ok := n.By[outcome]; ok {
		return to, true
	}
	if outcome == "loop" || outcome == "not_assured" {
		return "", false
	}
	if n.To != "" {
		return n.To, true
	}
	if n.Else != "" {
		return n.Else, true
	}
	return "", false
}

// Verb is what a step does: one of the types below.
type Verb interface {
	// Verb is the key that names it in the file.
	Verb() string
	// Outcomes is its closed set, in the order of the language page. Empty for
	// verbs that end the flow or carry their own targets only.
	Outcomes() []string
}

// BargeIn says what may stop a prompt.
type BargeIn string

const (
	BargeNone   BargeIn = "none"
	BargeDTMF   BargeIn = "dtmf"
	BargeSpeech BargeIn = "speech"
	BargeAny    BargeIn = "any"
)

// ByKeys reports whether a key stops the prompt.
func (b BargeIn) ByKeys() bool { return b == BargeDTMF || b == BargeAny }

// Listen is how a step listens. In a verb it is complete: what the step leaves out
// came from defaults.listen, what that left out from DefaultListen.
type Listen struct {
	DTMF      bool
	Speech    bool
	BargeIn   BargeIn
	TypeAhead bool
	Tries     int
	Timeout   map[tandem.Channel]time.Duration // voice and chat ask again; SMS never by itself
	Retry     []*Prompt                        // said on the second, third … try; the last repeats
}

// DefaultListen is what holds where a flow says nothing.
func DefaultListen() Listen {
	return Listen{
		DTMF: true, BargeIn: BargeDTMF, TypeAhead: true, Tries: 3,
		Timeout: map[tandem.Channel]time.Duration{tandem.Voice: 5 * time.Second, tandem.Chat: 3 * time.Minute, tandem.SMS: 12 * time.Hour},
	}
}

// Command is a key or phrase that works in every menu and collect.
type Command struct {
	Name    string // help, agent, repeat, back
	Pos     Pos
	Keys    string
	Phrases map[string][]string // by language
	Go      string              // a step, or "" for repeat and back, which have a meaning of their own
}

type (
	// Say speaks a prompt.
	Say struct {
		Prompt    *Prompt
		BargeIn   BargeIn
		Announces string // "recording" or ""
	}

	// Menu offers choices, fixed or from a list.
	Menu struct {
		Listen
		Prompt  *Prompt
		Choices []*Choice
		From    *DynamicChoices // nil = Choices
	}
	// Choice is one arm of a menu.
	Choice struct {
		Pos     Pos
		Keys    string
		Phrases map[string][]string
		Label   *Prompt // for buttons and numbered text; nil = the first phrase
		Go      string
	}
	// DynamicChoices makes one choice per element of a list, keys 1, 2, 3 …
	DynamicChoices struct {
		Pos   Pos
		From  *expression.Program // a list
		As    string              // the name an element has in Label
		Label *Prompt             // may use As and key, the digit to press; a label that does not use key is said after its digit
		Max   int                 // up to 9, so that no key begins another
		Into  string              // receives the chosen element
		Go    string
	}

	// Collect asks for one value.
	Collect struct {
		Listen
		Prompt  *Prompt
		Into    string
		Type    *expression.Type
		Min     int // digits; 0 = not counted
		Max     int
		Pattern string  // RE2, anchored at both ends; "" = none
		Confirm *Prompt // nil = none
		Secrecy Secrecy // of the variable it fills
	}

	// Language chooses the language, by the first means that answers, or sets it. The
	// prompt of its menu is said in every language it has, one after the other.
	Language struct {
		Listen
		By     []string // caller, browser, menu
		Prompt *Prompt
		Set    string
	}

	// Set assigns variables, in the order written.
	Set struct{ Assign []Assignment }
	// Assignment is one name: expression.
	Assignment struct {
		Pos  Pos
		Name string
		Expr *expression.Program
	}

	// Branch goes to the first arm whose condition holds.
	Branch struct{ Arms []Arm }
	// Arm is one { if, go }.
	Arm struct {
		Pos Pos
		If  *expression.Program
		Go  string
	}

	// Hours asks a calendar whether it is open now.
	Hours struct{ Calendar string }

	// HTTP asks an outside system.
	HTTP struct {
		Method     string // GET, POST, PUT, PATCH, DELETE
		URL        *expression.Template
		Headers    []Header
		JSON       *Value // nil = no body
		Into       string // "" = the answer is not kept
		Timeout    time.Duration
		Retry      int
		Idempotent bool
	}
	// Header is one request header.
	Header struct {
		Name  string
		Value *expression.Template
	}

	// Subflow calls another flow.
	Subflow struct {
		Name     string
		With     []Assignment // the child's inputs
		Into     string
		outcomes []string
	}

	// Transfer connects the caller to somebody and waits until they part.
	Transfer struct {
		To   *expression.Template // sip:, tel:, agent: or queue:
		Mode string               // blind or attended
		Ring time.Duration
	}

	// Voicemail records a message into a box.
	Voicemail struct {
		Box        string
		Max        time.Duration
		Transcribe bool
	}

	// ConsentStep asks for consent and keeps the answer as a promise. Keys typed ahead
	// of the question never answer it, whatever type_ahead says.
	ConsentStep struct {
		Listen
		Kind   string // recording, data, video
		Prompt *Prompt
	}

	// End ends the flow, or returns from a called one.
	End struct {
		Reason string
		As     string
	}
)

// Value is a JSON value with templates in its strings: the body of an HTTP step.
// Exactly one field is set; Literal holds numbers, booleans and null.
type Value struct {
	Text    *expression.Template
	List    []*Value
	Fields  []Field
	Object  bool // Fields is an object, which may be empty
	Literal any
}

// Field is one member of an object, in the order written.
type Field struct {
	Name  string
	Value *Value
}

// NewSubflow makes the verb with the outcomes its child declares.
func NewSubflow(name string, with []Assignment, into string, outcomes []string) *Subflow {
	return &Subflow{Name: name, With: with, Into: into, outcomes: outcomes}
}

func (*Say) Verb() string         { return "say" }
func (*Menu) Verb() string        { return "menu" }
func (*Collect) Verb() string     { return "collect" }
func (*Language) Verb() string    { return "language" }
func (*Set) Verb() string         { return "set" }
func (*Branch) Verb() string      { return "branch" }
func (*Hours) Verb() string       { return "hours" }
func (*HTTP) Verb() string        { return "http" }
func (*Subflow) Verb() string     { return "subflow" }
func (*Transfer) Verb() string    { return "transfer" }
func (*Voicemail) Verb() string   { return "voicemail" }
func (*ConsentStep) Verb() string { return "consent" }
func (*End) Verb() string         { return "end" }

func (*Say) Outcomes() []string { return []string{"done"} }
func (m *Menu) Outcomes() []string {
	if m.From != nil {
		return []string{"no_input", "no_match", "none"}
	}
	return []string{"no_input", "no_match"}
}
func (*Collect) Outcomes() []string     { return []string{"ok", "no_input", "no_match"} }
func (*Language) Outcomes() []string    { return []string{"done"} }
func (*Set) Outcomes() []string         { return []string{"done"} }
func (*Branch) Outcomes() []string      { return []string{"else"} }
func (*Hours) Outcomes() []string       { return []string{"open", "closed", "holiday"} }
func (*HTTP) Outcomes() []string        { return []string{"ok", "not_found", "timeout", "error"} }
func (s *Subflow) Outcomes() []string   { return s.outcomes }
func (*Transfer) Outcomes() []string    { return []string{"ok", "busy", "no_answer", "failed"} }
func (*Voicemail) Outcomes() []string   { return []string{"left", "too_short"} }
func (*ConsentStep) Outcomes() []string { return []string{"yes", "no", "no_input"} }
func (*End) Outcomes() []string         { return nil }

// Calendar is opening hours with their exceptions, in one time zone.
type Calendar struct {
	Name      string
	Pos       Pos
	Zone      *time.Location
	Weekly    [7][]Span // by time.Weekday
	Holidays  map[string]*Prompt
	Overrides map[string][]Span // by date YYYY-MM-DD; no spans = closed
}

// Span is open from From until before Until, minutes since midnight; Until may be 1440.
type Span struct{ From, Until int }
