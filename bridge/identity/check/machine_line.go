package check

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// begunRound reports whether anything of the present round was done that would be void.
func (c *Check) begunRound() bool {
	return slices.ContainsFunc(c.Steps, func(s Step) bool { return s.State != "" && !(s.Kind == flow.CheckCode && s.State == StepDone) })
}

// assigned takes another officer, or none.
func (m *machine) assigned(name string) error {
	c := &m.c
	if name == c.Officer || c.State == Second { // a verdict that was given stays its officer's
		return m.nothing()
	}
	c.Officer, c.Changed = name, m.now
	switch {
	case c.State == Broken:
		m.again()
	case c.begunRound():
		m.void("officer", bySystem, 0)
	case name != "":
		m.begun()
		m.advance()
	}
	return nil
}

// cut notes since when the customer is not seen. What that is worth is told by the clock.
func (m *machine) cut(since time.Time) error {
	c := &m.c
	if !c.Cut.IsZero() {
		return m.nothing()
	}
	c.Cut = since
	return nil
}

// mended has them seen again: if they were away for too long, the round is void.
func (m *machine) mended() error {
	c := &m.c
	if c.Cut.IsZero() {
		return m.nothing()
	}
	away := m.now.Sub(c.Cut)
	c.Cut = time.Time{}
	switch {
	case c.State == Broken:
		m.again()
	case c.State == Running && away > c.Policy.Interruption && c.begunRound():
		m.void("cut", bySystem, away)
	default:
		m.advance()
	}
	return nil
}

// recorded notes whether the recording runs that the policy wants.
func (m *machine) recorded(on bool) error {
	c := &m.c
	if !c.Policy.Record || c.State != Running || c.Unrecorded == !on {
		return m.nothing()
	}
	state := "missing"
	if c.Unrecorded = !on; on {
		state = string(Present)
	}
	m.event(tandem.EventCheckStep, bySystem, tandem.CheckStep{Check: c.ID, Round: c.Round, Step: stepRecording, State: state})
	return nil
}

// due is when the clock has something to say; zero = never.
func (c *Check) due() time.Time {
	switch {
	case c.State.Over():
		return time.Time{}
	case c.Officer == "" && c.By == ByFlow && (c.State == Asked || c.State == Running):
		return c.Begun.Add(QueueFor)
	case c.State == Asked:
		return c.Changed.Add(AskedFor)
	case c.State == Broken:
		return c.Changed.Add(LostFor)
	case c.State == Second:
		return c.Changed.Add(LookFor)
	case !c.Cut.IsZero() && c.begunRound():
		return c.Cut.Add(c.Policy.Interruption + 1)
	case !c.Cut.IsZero(), c.Officer == "":
		return c.Changed.Add(LostFor)
	}
	return c.Changed.Add(IdleFor)
}

// tick does what is due.
func (m *machine) tick() error {
	c := &m.c
	due := c.due()
	if due.IsZero() || m.now.Before(due) {
		return m.nothing()
	}
	switch {
	case c.State == Running && c.Officer != "" && !c.Cut.IsZero() && c.begunRound():
		m.void("cut", bySystem, m.now.Sub(c.Cut))
	case c.State == Broken, c.State == Running && !c.Cut.IsZero():
		m.end(Stopped, bySystem, Verdict{Reasons: []string{reasonLost}})
	default:
		m.end(Stopped, bySystem, Verdict{Reasons: []string{reasonLapsed}})
	}
	return nil
}

// restarted: the program ended in the middle, and all connections with it.
func (m *machine) restarted(seen bool) error {
	c := &m.c
	if c.State != Running {
		return m.nothing()
	}
	c.Cut = time.Time{}
	if !seen {
		c.Cut = m.now
	}
	c.Changed = m.now
	if c.begunRound() {
		m.void("restart", bySystem, 0)
	}
	return nil
}

// draw draws what a request step asks for, and the number to read aloud if that is among
// it: all as likely, and nobody can tell them before the step begins.
func draw(p *flow.CheckPolicyStep, seed [32]byte) (requests []string, number string) {
	r := rand.New(rand.NewChaCha8(seed))
	all := slices.Clone(p.Requests)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	requests = all[:min(max(p.Count, 1), len(all))]
	if slices.Contains(requests, "read_number") {
		number = fmt.Sprintf("%04d", 1000+r.IntN(9000))
	}
	return requests, number
}

// TextIn is the text in a language, or the nearest there is, and which that is.
func TextIn(texts map[string]string, lang string) (found, text string) {
	if text, ok := texts[lang]; ok {
		return lang, text
	}
	base, _, _ := strings.Cut(lang, "-")
	names := make([]string, 0, len(texts))
	for name := range texts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if b, _, _ := strings.Cut(name, "-"); b == base {
			return name, texts[name]
		}
	}
	if text, ok := texts["en"]; ok {
		return "en", text
	}
	if len(names) > 0 {
		return names[0], texts[names[0]]
	}
	return lang, ""
}
