package engine

import (
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// ear is a verb that listens: menu, collect, consent, and language by menu.
type ear interface {
	flow.Verb
	// listening tells how it listens.
	listening() *flow.Listen
	// question is what it asks on the first try.
	question() *flow.Prompt
	// begin prepares the step; false means that it has already taken an outcome.
	begin(r *run) (bool, error)
	// key takes the draft, to which a key has just been added.
	key(r *run) error
	// gap ends an entry by silence after its first key.
	gap(r *run) error
	// text takes a typed line or an utterance, folded.
	text(r *run, s string) error
	// failed is the outcome after the last try.
	failed(silent bool) string
	// secret tells whether what is entered may be a secret: where a yes or no to one is
	// asked for, too, some enter the value again instead.
	secret() bool
	// commands tells whether the flow's commands work here.
	commands() bool
	// options is how it looks in text.
	options(r *run) []flow.Option
}

// todo is what a listening step has to do before it waits.
type todo uint8

const (
	nothing todo = iota
	ask          // say the prompt of this try
	more         // wait for the next key
)

// The listening verbs as ears.
type (
	menu     struct{ *flow.Menu }
	collect  struct{ *flow.Collect }
	consent  struct{ *flow.ConsentStep }
	language struct{ *flow.Language }
)

// hear is the ear of a verb, nil if the verb does not listen.
func hear(v flow.Verb) ear {
	switch v := v.(type) {
	case *flow.Menu:
		return menu{v}
	case *flow.Collect:
		return collect{v}
	case *flow.ConsentStep:
		return consent{v}
	case *flow.Language:
		return language{v}
	}
	return nil
}

// listen enters a listening step. Keys typed ahead come before the prompt, which is
// not said if they are an answer or begin one.
func (r *run) listen(e ear) error {
	r.f.Try, r.f.Draft, r.f.Confirming, r.f.Choices = 1, "", false, nil
	_, consenting := e.(consent)
	if !e.listening().TypeAhead || !e.listening().DTMF || consenting { // nobody consents to what was not yet said
		r.s.Keys = ""
	}
	if n := len(r.f.Back); n == 0 || r.f.Back[n-1] != r.f.Step {
		r.f.Back = append(slices.Clone(r.f.Back[max(0, n-maxBack+1):]), r.f.Step)
	}
	if on, err := e.begin(r); err != nil || !on {
		return err
	}
	r.todo = ask
	r.via = "ahead"
	return r.drain(e)
}

// drain feeds the keys at hand to the step until it is left, then asks or waits.
func (r *run) drain(e ear) error {
	for r.s.Keys != "" && r.next == "" && !r.over() {
		k := r.s.Keys[:1]
		r.s.Keys = r.s.Keys[1:]
		r.pressed(e, k)
		r.f.Draft += k
		if len(r.f.Draft) > maxDraft {
			r.miss(e, false)
			continue
		}
		if done, err := r.command(e); err != nil || done {
			if err != nil {
				return err
			}
			continue
		}
		if err := e.key(r); err != nil {
			return err
		}
	}
	return r.settle(e)
}

// settle says what is to be said and waits, unless the step was left.
func (r *run) settle(e ear) error {
	if r.next != "" || r.over() {
		return nil
	}
	what := r.todo
	r.todo = nothing
	switch what {
	case ask:
		r.hush(e.secret())
		if err := r.question(e); err != nil {
			return err
		}
		r.await(e, r.patience(e))
	case more:
		r.hush(e.secret())
		gap := keyGap
		if r.s.Facts.Channel != tandem.Voice {
			gap = r.patience(e)
		}
		r.await(e, gap)
	}
	return nil
}

// entering tells whether a secret is being entered; the yes or no to it is not.
func (r *run) entering(e ear) bool { return e.secret() && !r.f.Confirming }

func (r *run) await(e ear, timeout time.Duration) {
	r.wait(flow.Wait{Kind: flow.WaitListen, Timeout: timeout, Secret: e.secret(), Speech: e.listening().Speech, Options: r.options(e)})
}

// options are made for text only: a voice says them.
func (r *run) options(e ear) []flow.Option {
	if r.s.Facts.Channel == tandem.Voice {
		return nil
	}
	if r.f.Confirming {
		return yesNo(r.s.Lang)
	}
	return e.options(r)
}

// patience is how long the first key, or the reply, may take.
func (r *run) patience(e ear) time.Duration {
	if d, ok := e.listening().Timeout[r.s.Facts.Channel]; ok && d > 0 {
		return d
	}
	if d, ok := flow.DefaultListen().Timeout[r.s.Facts.Channel]; ok {
		return d
	}
	return flow.DefaultListen().Timeout[tandem.Voice]
}

// question says the prompt of this try: the question, then the retry prompts in turn.
func (r *run) question(e ear) error {
	l := e.listening()
	p := e.question()
	if n := len(l.Retry); r.f.Try > 1 && n > 0 && !r.anew {
		p = l.Retry[min(r.f.Try-2, n-1)]
	}
	if c, ok := e.(collect); ok && r.f.Confirming {
		return r.say(c.Confirm, l.BargeIn, false, nil)
	}
	if _, ok := e.(language); ok {
		return r.sayInAll(p, l.BargeIn)
	}
	if err := r.say(p, l.BargeIn, e.secret(), nil); err != nil {
		return err
	}
	if m, ok := e.(menu); ok && m.From != nil {
		return m.sayChoices(r)
	}
	return nil
}

// miss counts a try that failed, by silence or by something not understood, and
// drops what was typed ahead, since it was meant for what would have come after.
// SMS never asks again by itself.
func (r *run) miss(e ear, silent bool) {
	r.f.Draft, r.s.Keys = "", ""
	l := e.listening()
	if r.f.Try < l.Tries && !(silent && r.s.Facts.Channel == tandem.SMS) {
		r.f.Try++
		r.todo = ask
		return
	}
	if c, ok := e.(collect); ok && r.f.Confirming {
		c.forget(r)
	}
	if err := r.leave(e.failed(silent)); err != nil {
		r.fault(err)
	}
}

// pressed traces a key, never a secret's.
func (r *run) pressed(e ear, k string) {
	if e.secret() {
		k = "•"
	}
	r.trace(tandem.EventInput, tandem.Pressed{Step: r.f.Step, Keys: k, Via: r.via})
}

// hearing is the step that listens now, or nil.
func (r *run) hearing() ear {
	if r.s.Wait.Kind != flow.WaitListen {
		return nil
	}
	return hear(r.step.Verb)
}

// onKey takes a key. Pressed while an answer is waited for that comes soon it is kept
// for the steps after it; pressed in line it may take an offer; pressed during a
// transfer, a recording or an identification it belongs to them.
func (r *run) onKey(in flow.Input) {
	k := strings.ToUpper(in.Text)
	if len(k) != 1 || !strings.Contains("0123456789*#ABCD", k) || r.s.Leaving {
		return
	}
	e := r.hearing()
	switch {
	case r.s.Wait.Kind == flow.WaitQueue:
		if !in.Early {
			r.pressedInLine(k)
		}
		return
	case e == nil && soon(r.step.Verb):
		r.emit(flow.Cut{})
		if len(r.s.Keys) < maxKeys {
			r.s.Keys += k
		}
		return
	case e == nil, !e.listening().DTMF, in.Early && !e.listening().TypeAhead:
		return
	}
	if _, consenting := e.(consent); consenting && in.Early {
		return
	}
	r.waited()
	if e.listening().BargeIn.ByKeys() || !in.Early {
		r.emit(flow.Cut{})
	}
	r.s.Keys += k
	if err := r.drain(e); err != nil {
		r.fault(err)
	}
}

// onText takes a typed line, a tapped button or an utterance.
func (r *run) onText(s string, spoken bool) {
	e := r.hearing()
	if r.s.Wait.Kind == flow.WaitQueue {
		r.saidInLine(s)
	}
	if e == nil || spoken && !e.listening().Speech {
		return
	}
	r.waited()
	r.emit(flow.Cut{})
	if r.via == "" {
		r.via = "text"
	}
	shown := s
	if e.secret() {
		shown = "•"
	}
	r.f.Draft, r.s.Keys = "", ""
	if len([]rune(s)) > maxText {
		shown = string([]rune(shown)[:min(len([]rune(shown)), maxText)])
		s = ""
	}
	r.trace(tandem.EventInput, tandem.Pressed{Step: r.f.Step, Keys: shown, Via: r.via})
	if err := r.reply(e, strings.TrimSpace(s)); err != nil {
		r.fault(err)
		return
	}
	if err := r.settle(e); err != nil {
		r.fault(err)
	}
}

func (r *run) reply(e ear, s string) error {
	if s == "" {
		r.miss(e, false)
		return nil
	}
	if e.commands() && !r.entering(e) {
		for _, c := range r.flow.Commands {
			if c.Keys != "" && strings.ToUpper(flow.Fold(s)) == c.Keys || says(flow.Fold(s), c.Phrases) {
				return r.obey(e, c)
			}
		}
	}
	if r.f.Confirming {
		return r.confirm(e.(collect), s)
	}
	return e.text(r, s)
}

// onTimeout is silence: before the first key a failed try, after it the end of the entry.
func (r *run) onTimeout() {
	e := r.hearing()
	if e == nil {
		return
	}
	r.waited()
	var err error
	switch {
	case r.f.Draft == "":
		r.miss(e, true)
	case r.f.Confirming:
		r.miss(e, false)
	default:
		err = e.gap(r)
	}
	if err == nil {
		err = r.settle(e)
	}
	if err != nil {
		r.fault(err)
	}
}

// command looks whether the draft is a command or begins one. In a collect only
// those that begin with * are commands: any other key may be part of a value.
func (r *run) command(e ear) (bool, error) {
	if !e.commands() || r.entering(e) {
		return false, nil
	}
	_, collecting := e.(collect)
	for _, c := range r.flow.Commands {
		if c.Keys == "" || collecting && !r.f.Confirming && c.Keys[0] != '*' {
			continue
		}
		if c.Keys == r.f.Draft {
			return true, r.obey(e, c)
		}
		if strings.HasPrefix(c.Keys, r.f.Draft) && !r.begun(e) {
			r.todo = more
			return true, nil
		}
	}
	return false, nil
}

// begun tells whether the draft itself answers a menu, which goes before the
// beginning of a command.
func (r *run) begun(e ear) bool {
	m, ok := e.(menu)
	return ok && m.chosen(r, r.f.Draft) >= 0
}

// obey carries out a command: help and agent go to their step, repeat and back to
// where they say unless the flow names a step.
func (r *run) obey(e ear, c *flow.Command) error {
	r.f.Draft = ""
	switch {
	case c.Go != "":
		r.leaveTo(c.Name, c.Go)
	case c.Name == "back" && len(r.f.Back) > 1:
		r.f.Back = slices.Clone(r.f.Back[:len(r.f.Back)-1])
		r.leaveTo(c.Name, r.f.Back[len(r.f.Back)-1])
	default:
		r.todo = ask
	}
	return nil
}
