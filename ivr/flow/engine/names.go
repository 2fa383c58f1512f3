package engine

import (
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// eval works out an expression with the names it uses.
func (r *run) eval(p *expression.Program) (any, error) {
	vars, err := r.names(p.Uses(), len(p.Calendars()) > 0, nil)
	if err != nil {
		return nil, err
	}
	v, err := p.Eval(vars)
	if err != nil {
		return nil, faultf("working out %s: %v", p.Source(), err)
	}
	return v, nil
}

// evalOpen works out an expression whose value goes where no secret may.
func (r *run) evalOpen(p *expression.Program) (any, error) {
	if p.Secret() {
		return nil, faultf("%s would tell a secret", p.Source())
	}
	return r.eval(p)
}

// openText works out an expression that is to be a text.
func (r *run) openText(p *expression.Program) (string, error) {
	v, err := r.evalOpen(p)
	if err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", faultf("%s is no text", p.Source())
	}
	return s, nil
}

// openTemplate works out a text that goes where no secret may; none is "".
func (r *run) openTemplate(t *expression.Template) (string, error) {
	if t == nil {
		return "", nil
	}
	if t.Secret() {
		return "", faultf("a text would tell a secret")
	}
	vars, err := r.templateNames(t, nil)
	if err != nil {
		return "", err
	}
	s, err := t.Text(vars)
	if err != nil {
		return "", faultf("working out a text: %v", err)
	}
	return s, nil
}

// params works out what a template, an operation or a ticket is given.
func (r *run) params(with []flow.Assignment) (map[string]any, error) {
	if len(with) == 0 {
		return nil, nil
	}
	out := make(map[string]any, len(with))
	for _, a := range with {
		v, err := r.evalOpen(a.Expr)
		if err != nil {
			return nil, err
		}
		out[a.Name] = v
	}
	return out, nil
}

// templateNames are the names a template uses, with more that only it knows.
func (r *run) templateNames(t *expression.Template, more map[string]any) (map[string]any, error) {
	return r.names(t.Uses(), len(t.Calendars()) > 0, more)
}

// names collects values for an expression: only those it uses.
func (r *run) names(uses []string, calendars bool, more map[string]any) (map[string]any, error) {
	if len(uses) == 0 && !calendars {
		return nil, nil
	}
	vars := make(map[string]any, len(uses)+2)
	for _, name := range uses {
		if v, ok := more[name]; ok {
			vars[name] = v
			continue
		}
		v, err := r.value(name)
		if err != nil {
			return nil, err
		}
		vars[name] = v
	}
	if calendars {
		vars["in_hours"] = expression.InHours(func(name string) (bool, error) {
			c, ok := r.lib.Calendars[name]
			if !ok {
				return false, faultf("there is no calendar %q", name)
			}
			return c.Status(r.now) == "open", nil
		})
	}
	if code, ok := r.lib.Settings["currency"].(string); ok {
		vars["currency"] = code
	}
	return vars, nil
}

// value is that of a variable or a built-in name.
func (r *run) value(name string) (any, error) {
	switch name {
	case "channel":
		return string(r.s.Facts.Channel), nil
	case "lang":
		return r.s.Lang, nil
	case "entry":
		return r.s.Facts.Entry, nil
	case "now":
		return r.localNow(), nil
	case "outcome":
		return r.s.Outcome, nil
	case "settings":
		return r.lib.Settings, nil
	case "interaction":
		return map[string]any{"number": string(r.s.Facts.Number)}, nil
	case "link":
		return map[string]any{"url": flow.LinkHere}, nil
	case "queue":
		p := r.s.Facts.Place
		if p == nil {
			p = &flow.Place{}
		}
		return map[string]any{"name": p.Queue, "position": p.Position, "at_least": p.AtLeast, "at_most": p.AtMost}, nil
	case "caller":
		return map[string]any{
			"number":    r.s.Facts.Caller,
			"customer":  r.s.Facts.Customer,
			"phone":     r.s.Facts.Phone,
			"assurance": r.s.Facts.Level(r.now).String(),
		}, nil
	}
	for _, known := range []map[string]any{r.f.Vars, r.f.Secrets, r.f.Ephemeral} {
		if v, ok := known[name]; ok {
			return v, nil
		}
	}
	v := r.flow.Variable(name)
	if v == nil {
		return nil, faultf("there is no variable %q", name)
	}
	if v.Secrecy != flow.Ephemeral {
		return nil, faultf("%s has no value", name)
	}
	step, set := r.f.Asked[name]
	switch {
	case !set:
		return v.Initial(), nil
	case step == "":
		return nil, faultf("%s was not kept while the session was stored", name)
	}
	return nil, &stepFault{message: name + " was not kept while the session was stored: it is asked for again", again: step}
}

// localNow is the time in the zone of the flow, or of the nearest that called it; where
// none has one, in the zone it came in, the server's.
func (r *run) localNow() time.Time {
	for _, f := range slices.Backward(r.s.Frames) {
		if zone := r.lib.Flows[f.Flow].Zone; zone != nil {
			return r.now.In(zone)
		}
	}
	return r.now
}

// say asks for a prompt of a step that listens. more holds names that only this
// prompt knows.
func (r *run) say(p *flow.Prompt, barge flow.BargeIn, secret bool, more map[string]any) error {
	play, err := r.play(p, barge, more)
	if err != nil {
		return err
	}
	play.Secret = secret
	r.emit(play)
	return nil
}

// play works out a prompt in the session's language, or the flow's first where it is
// missing.
func (r *run) play(p *flow.Prompt, barge flow.BargeIn, more map[string]any) (flow.Play, error) {
	words, lang, err := r.words(p)
	if err != nil {
		return flow.Play{}, err
	}
	play := flow.Play{Step: r.f.Step, Name: p.Name, Lang: lang, Audio: words.Audio, Image: words.Image, BargeIn: barge}
	if words.Text != nil {
		if play.Parts, err = r.parts(words.Text, lang, more); err != nil {
			return flow.Play{}, err
		}
	}
	return play, nil
}

// parts works out the text of a prompt. A secret in it is a fault.
func (r *run) parts(t *expression.Template, lang string, more map[string]any) ([]tandem.Part, error) {
	if t.Secret() {
		return nil, faultf("a prompt would tell a secret")
	}
	vars, err := r.templateNames(t, more)
	if err != nil {
		return nil, err
	}
	parts, err := t.Parts(vars, lang)
	if err != nil {
		return nil, faultf("working out a prompt: %v", err)
	}
	return parts, nil
}

// words picks a prompt's words and says in which language they are.
func (r *run) words(p *flow.Prompt) (*flow.Words, string, error) {
	if p == nil {
		return nil, "", faultf("a prompt is missing")
	}
	for _, lang := range slices.Concat([]string{r.s.Lang}, r.flow.Languages) {
		if w, ok := p.ByLang[lang]; ok && w != nil {
			return w, lang, nil
		}
	}
	return nil, "", faultf("a prompt has no words in any of the flow's languages")
}
