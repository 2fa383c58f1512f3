// Package engine runs the sessions of package flow: it owns where a session goes from
// one step to the next, what each verb does, how keys and words are understood, and
// what a session resumes with. It is pure: a library, a session and an input go in, a
// session and effects come out. It runs no goroutine and never uses a clock, a network,
// a database or randomness; time and ids come in as data.
package engine

import (
	"fmt"
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// Bounds of a running session. A flow cannot raise them.
const (
	maxSteps  = 500              // steps without a wait: a loop no reader of the flow meant
	maxIdle   = 50               // answers in a row that came without waiting: each may have cost a message
	maxFaults = 4                // since a wait that waited, after which on_error of a called flow gets no steps of its own
	maxFrames = 16               // flows that have called each other
	maxKeys   = 32               // typed ahead; the newest are dropped when it is full
	maxDraft  = 64               // keys of one value
	maxText   = 4096             // characters of one typed line; the rest makes it a no_match
	maxBack   = 32               // listening steps that back remembers; the oldest are dropped
	maxBody   = 1 << 20          // bytes of an HTTP answer that is kept
	maxLevels = 64               // JSON nesting of an HTTP body
	keyGap    = 3 * time.Second  // silence after a key that ends the entry, on voice
	httpWait  = 10 * time.Second // for an HTTP step that names no timeout
	maxRecord = 3 * time.Minute  // for a voicemail or a recording that names no length
	linkLife  = 15 * time.Minute // for a link that names none
)

// Start begins the named flow. Inputs are converted to their declared types; one
// that is left out has its default. The error is a *tandem.Error: CodeNotFound for
// an unknown flow, CodeInvalid for a wrong input or a channel the flow does not list.
func Start(l *flow.Library, name string, facts flow.Facts, inputs map[string]any, now time.Time) (flow.Session, []flow.Effect, error) {
	f, ok := l.Flows[name]
	if !ok {
		return flow.Session{}, nil, tandem.Errorf(tandem.CodeNotFound, "there is no flow %q", name)
	}
	if !slices.Contains(f.Channels, facts.Channel) {
		return flow.Session{}, nil, tandem.Errorf(tandem.CodeInvalid, "the flow %s does not serve %s", name, facts.Channel)
	}
	frame, err := newFrame(f, inputs)
	if err != nil {
		return flow.Session{}, nil, tandem.Errorf(tandem.CodeInvalid, "starting the flow %s: %w", name, err)
	}
	lang := ""
	if len(f.Languages) > 0 {
		lang = f.Languages[0]
	}
	r := &run{lib: l, now: now, s: flow.Session{Version: flow.SessionVersion, Facts: facts, Lang: lang, Frames: []flow.Frame{frame}}}
	r.owned[0] = ownAll
	r.top()
	r.trace(tandem.EventFlowStarted, tandem.FlowRef{Flow: f.Name, Hash: f.Hash})
	r.next = f.Start
	r.loop()
	return r.s, r.effects, nil
}

// newFrame gives a flow its variables.
func newFrame(f *flow.Flow, inputs map[string]any) (flow.Frame, error) {
	frame := flow.Frame{Flow: f.Name, Hash: f.Hash, Vars: map[string]any{}, Visits: map[string]int{}, Ephemeral: map[string]any{}}
	for _, v := range f.Inputs {
		given, ok := inputs[v.Name]
		if !ok {
			put(&frame, v, v.Initial())
			continue
		}
		value, err := expression.Convert(v.Type, given)
		if err != nil {
			return frame, fmt.Errorf("input %s: %w", v.Name, err)
		}
		put(&frame, v, value)
		if v.Secrecy == flow.Ephemeral {
			asked(&frame, v.Name, "")
		}
	}
	for name := range inputs {
		if !slices.ContainsFunc(f.Inputs, func(v *flow.Variable) bool { return v.Name == name }) {
			return frame, fmt.Errorf("there is no input %q", name)
		}
	}
	for _, v := range f.Vars {
		put(&frame, v, v.Initial())
	}
	return frame, nil
}

// put keeps a value where its secrecy says.
func put(f *flow.Frame, v *flow.Variable, value any) {
	switch v.Secrecy {
	case flow.Open:
		f.Vars[v.Name] = value
	case flow.Secret:
		if f.Secrets == nil {
			f.Secrets = map[string]any{}
		}
		f.Secrets[v.Name] = value
	case flow.Ephemeral:
		if f.Ephemeral == nil {
			f.Ephemeral = map[string]any{}
		}
		f.Ephemeral[v.Name] = value
	}
}

// asked notes which step filled an ephemeral variable.
func asked(f *flow.Frame, name, step string) {
	if f.Asked == nil {
		f.Asked = map[string]string{}
	}
	f.Asked[name] = step
}
