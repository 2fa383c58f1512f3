package flow

import (
	"fmt"
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow/expression"
)

// Bounds of a running session. A flow cannot raise them.
const (
	maxSteps  = 500              // steps without a wait: a loop no reader of the flow meant
	maxFrames = 16               // flows that have called each other
	maxKeys   = 32               // typed ahead; the newest are dropped when it is full
	maxDraft  = 64               // keys of one value
	maxText   = 4096             // characters of one typed line; the rest makes it a no_match
	maxBack   = 32               // listening steps that back remembers; the oldest are dropped
	maxBody   = 1 << 20          // bytes of an HTTP answer that is kept
	maxLevels = 64               // JSON nesting of an HTTP body
	keyGap    = 3 * time.Second  // silence after a key that ends the entry, on voice
	httpWait  = 10 * time.Second // for an HTTP step that names no timeout
	maxRecord = 3 * time.Minute  // for a voicemail that names no length
)

// Reasons of a session's end that no flow gives.
const (
	ReasonCompleted = "completed" // the flow reached its end and named no reason
	ReasonLeft      = "left"      // the customer left
	ReasonError     = "error"     // the flow could not go on
)

// Start begins the named flow. Inputs are converted to their declared types; one
// that is left out has its default. The error is a *tandem.Error: CodeNotFound for
// an unknown flow, CodeInvalid for a wrong input or a channel the flow does not list.
func (l *Library) Start(name string, facts Facts, inputs map[string]any, now time.Time) (Session, []Effect, error) {
	f, ok := l.Flows[name]
	if !ok {
		return Session{}, nil, tandem.Errorf(tandem.CodeNotFound, "there is no flow %q", name)
	}
	if !slices.Contains(f.Channels, facts.Channel) {
		return Session{}, nil, tandem.Errorf(tandem.CodeInvalid, "the flow %s does not serve %s", name, facts.Channel)
	}
	frame, err := newFrame(f, inputs)
	if err != nil {
		return Session{}, nil, tandem.Errorf(tandem.CodeInvalid, "starting the flow %s: %w", name, err)
	}
	lang := ""
	if len(f.Languages) > 0 {
		lang = f.Languages[0]
	}
	r := &run{lib: l, now: now, s: Session{Version: SessionVersion, Facts: facts, Lang: lang, Frames: []Frame{frame}}}
	r.top()
	r.trace(tandem.EventFlowStarted, tandem.FlowRef{Flow: f.Name, Hash: f.Hash})
	r.next = f.Start
	r.loop()
	return r.s, r.effects, nil
}

// newFrame gives a flow its variables.
func newFrame(f *Flow, inputs map[string]any) (Frame, error) {
	frame := Frame{Flow: f.Name, Hash: f.Hash, Vars: map[string]any{}, Visits: map[string]int{}, ephemeral: map[string]any{}}
	for _, v := range f.Inputs {
		given, ok := inputs[v.Name]
		if !ok {
			frame.put(v, v.initial())
			continue
		}
		value, err := expression.Convert(v.Type, given)
		if err != nil {
			return frame, fmt.Errorf("input %s: %w", v.Name, err)
		}
		frame.put(v, value)
		if v.Secrecy == Ephemeral {
			frame.asked(v.Name, "")
		}
	}
	for name := range inputs {
		if !slices.ContainsFunc(f.Inputs, func(v *Variable) bool { return v.Name == name }) {
			return frame, fmt.Errorf("there is no input %q", name)
		}
	}
	for _, v := range f.Vars {
		frame.put(v, v.initial())
	}
	return frame, nil
}

func (v *Variable) initial() any {
	if v.Default != nil {
		return v.Default
	}
	return expression.Zero(v.Type)
}

// put keeps a value where its secrecy says.
func (f *Frame) put(v *Variable, value any) {
	switch v.Secrecy {
	case Open:
		f.Vars[v.Name] = value
	case Secret:
		if f.Secrets == nil {
			f.Secrets = map[string]any{}
		}
		f.Secrets[v.Name] = value
	case Ephemeral:
		if f.ephemeral == nil {
			f.ephemeral = map[string]any{}
		}
		f.ephemeral[v.Name] = value
	}
}

// asked notes which step filled an ephemeral variable.
func (f *Frame) asked(name, step string) {
	if f.Asked == nil {
		f.Asked = map[string]string{}
	}
	f.Asked[name] = step
}

// variable finds an input or a variable by name, or nil.
func (f *Flow) variable(name string) *Variable {
	for _, list := range [2][]*Variable{f.Inputs, f.Vars} {
		for _, v := range list {
			if v.Name == name {
				return v
			}
		}
	}
	return nil
}
