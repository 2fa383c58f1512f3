package program

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/check"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// Bounds and defaults of the verbs that bring an interaction to people.
const (
	maxWait       = 24 * time.Hour
	maxAnnounce   = time.Hour
	maxSkills     = 20
	maxWindow     = 7 * 24 * time.Hour
	defaultRecord = time.Minute
	maxRecord     = 10 * time.Minute
	maxDue        = 90 * 24 * time.Hour
	maxAfter      = 30 * 24 * time.Hour
)

func (ff *File) readQueue(s *step, n *source.Node) flow.Verb {
	q := &flow.QueueStep{}
	if !ff.Fields(n, "queue", "name", "level", "skills", "priority", "max_wait", "announce_every", "offer", "during") {
		return q
	}
	if key := ff.mustHave(n, "queue", "name", "add `name: QUEUE`"); key != nil {
		if name, ok := ff.Text(key, "name"); ok {
			q.Name = name
			ff.queue(key, name)
		}
	}
	if l := n.Get("level"); l != nil {
		q.Level = ff.level(l, q.Name)
	}
	if skills := n.Get("skills"); skills != nil {
		items := ff.List(skills, "skills")
		if len(items) > maxSkills {
			ff.Fail(skills, "out-of-range", "", "a queue is asked for up to %d skills; this has %d", maxSkills, len(items))
			items = nil
		}
		for _, item := range items {
			if t := ff.openTemplate(item, "a skill", "a queue"); t != nil {
				q.Skills = append(q.Skills, t)
				ff.wanted(item, t, q.Name)
			}
		}
	}
	if p := n.Get("priority"); p != nil {
		q.Priority = ff.open(p, "priority", &expression.Type{Kind: expression.Duration}, "a queue")
	}
	if d, ok := ff.Duration(n.Get("max_wait"), "max_wait", time.Second, maxWait); ok {
		q.MaxWait = d
	}
	if d, ok := ff.Duration(n.Get("announce_every"), "announce_every", 10*time.Second, maxAnnounce); ok {
		q.AnnounceEvery = d
	}
	if o := n.Get("offer"); o != nil && ff.Fields(o, "offer", "callback", "chat", "sms") {
		q.Offer = ff.offers(s, o)
	}
	if d := n.Get("during"); d != nil {
		q.During = ff.meanwhile(s, d)
	}
	return q
}

// offers reads what may be taken while waiting, each by its keys.
func (ff *File) offers(s *step, n *source.Node) []flow.Offer {
	if len(n.Entries) == 0 {
		ff.Fail(n, "empty-value", "write { callback: \"1\" }", "offer has nothing to take")
	}
	var out []flow.Offer
	for _, e := range n.Entries {
		if !slices.Contains([]string{"callback", "chat", "sms"}, e.Key.Text) {
			continue
		}
		offer := flow.Offer{Pos: ff.Pos(e.Key), What: e.Key.Text, Keys: ff.keys(e.Val)}
		for _, other := range out {
			if offer.Keys != "" && other.Keys != "" && (strings.HasPrefix(offer.Keys, other.Keys) || strings.HasPrefix(other.Keys, offer.Keys)) {
				ff.Fail(e.Val, "keys-collide", "use keys of which none begins another", "keys %s and %s collide: both are offered, and one begins the other", offer.Keys, other.Keys)
			}
		}
		if offer.What != "callback" {
			ff.goesTo(e.Key, offer.What, "offers")
		}
		out = append(out, offer)
	}
	return out
}

// meanwhile reads the flow that an agent may start; nobody hands it anything.
func (ff *File) meanwhile(s *step, n *source.Node) string {
	name, ok := ff.Text(n, "during")
	if !ok {
		return ""
	}
	s.Places["during"] = n
	child := ff.child(n, name)
	if child == nil {
		return ""
	}
	for _, in := range child.Flow.Inputs {
		if in.Default == nil {
			ff.Fail(n, "missing-input", fmt.Sprintf("give `%s` a default in that flow", in.Name), "flow `%s` needs its input `%s`, and an agent who starts it hands in nothing", name, in.Name)
		}
	}
	return name
}

func (ff *File) readCallback(s *step, n *source.Node) flow.Verb {
	c := &flow.CallbackStep{}
	if n.Kind == source.Null && n.Text != "null" || !ff.Fields(n, "callback", "to", "at", "window", "queue") {
		return c
	}
	if to := n.Get("to"); to != nil {
		c.To = ff.address(to, "to", expression.Phone)
	}
	if at := n.Get("at"); at != nil {
		c.At = ff.callAt(at)
	}
	if d, ok := ff.Duration(n.Get("window"), "window", time.Minute, maxWindow); ok {
		c.Window = d
	}
	if q := n.Get("queue"); q != nil {
		if name, ok := ff.Text(q, "queue"); ok {
			c.Queue = name
			ff.queue(q, name)
		}
	}
	return c
}

// moment is how a date, a time or both are written out.
var moment = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})?[ T]?([0-9]{2}:[0-9]{2})?$`)

// callAt reads when to call: a date, a time, or both.
func (ff *File) callAt(n *source.Node) *expression.Template {
	t := ff.openTemplate(n, "at", "a callback")
	if t == nil {
		return nil
	}
	literal, plain := t.Literal()
	switch kind := t.Type().Kind; {
	case plain && !isMoment(literal):
		ff.Fail(n, "date", "write \"2027-01-04 09:30\", \"2027-01-04\" or \"09:30\"", "`%s` is neither a date nor a time", literal)
	case !slices.Contains([]expression.Kind{expression.Text, expression.Date, expression.Time, expression.DateTime, expression.Any}, kind):
		ff.Fail(n, "wrong-type", "use a date, a time, or both as in \"${day} ${hour}\"", "at is a date or a time; this is %s", kind)
	}
	return t
}

func isMoment(s string) bool {
	m := moment.FindStringSubmatch(s)
	if m == nil || m[1] == "" && m[2] == "" {
		return false
	}
	if m[1] != "" {
		if _, err := time.Parse(time.DateOnly, m[1]); err != nil {
			return false
		}
	}
	if m[2] != "" {
		if _, err := time.Parse("15:04", m[2]); err != nil {
			return false
		}
	}
	return true
}

func (ff *File) readRecord(s *step, n *source.Node) flow.Verb {
	r := &flow.RecordStep{Max: defaultRecord}
	if !ff.Fields(n, "record", "into", "max") {
		return r
	}
	if into := ff.mustHave(n, "record", "into", "add `into: VARIABLE`"); into != nil {
		if v := ff.variable(into, "into"); v != nil {
			r.Into = v.Name
			if v.Type.Kind != expression.Recording {
				ff.Fail(into, "wrong-type", fmt.Sprintf("write `%s: { type: recording }` under vars", v.Name), "`%s` is %s, which holds no recording", v.Name, v.Type.Kind)
			}
		}
	}
	if d, ok := ff.Duration(n.Get("max"), "max", time.Second, maxRecord); ok {
		r.Max = d
	}
	return r
}

func (ff *File) readTicket(s *step, n *source.Node) flow.Verb {
	t := &flow.TicketStep{}
	if !ff.Fields(n, "ticket", "form", "with", "owner", "due", "into") {
		return t
	}
	if key := ff.mustHave(n, "ticket", "form", "add `form: NAME`"); key != nil {
		if name, ok := ff.Text(key, "form"); ok {
			t.Form = name
			if form := ff.form(key, name, false); form != nil {
				t.With = ff.ticketFields(n.Get("with"), key, form)
			}
		}
	}
	if o := n.Get("owner"); o != nil {
		t.Owner = ff.owner(o)
	}
	if d, ok := ff.Duration(n.Get("due"), "due", time.Minute, maxDue); ok {
		t.Due = d
	}
	if into := n.Get("into"); into != nil {
		if v := ff.variable(into, "into"); v != nil {
			t.Into = v.Name
			if v.Type.Kind != expression.Text {
				ff.Fail(into, "wrong-type", fmt.Sprintf("write `%s: { type: text }` under vars", v.Name), "`%s` is %s; a ticket's number is text", v.Name, v.Type.Kind)
			}
		}
	}
	return t
}

// owner reads whose a ticket is: one that is written out has to be there.
func (ff *File) owner(n *source.Node) *expression.Template {
	t := ff.openTemplate(n, "owner", "a ticket")
	if t == nil {
		return nil
	}
	text, plain := t.Literal()
	if !plain {
		return t
	}
	switch kind, name, ok := strings.Cut(text, ":"); {
	case !ok || name == "":
		ff.Fail(n, "owner", "write \"agent:NAME\", \"team:NAME\" or \"queue:NAME\"", "`%s` is no owner", text)
	case kind == "agent":
		ff.agent(n, name)
	case kind == "team":
		ff.team(n, name)
	case kind == "queue":
		ff.queue(n, name)
	default:
		ff.Fail(n, "owner", "write \"agent:NAME\", \"team:NAME\" or \"queue:NAME\"", "`%s` is no owner", text)
	}
	return t
}

// ticketFields reads `with` and looks for a variable of the name of every other field.
func (ff *File) ticketFields(with, key *source.Node, form *flow.Form) []flow.Assignment {
	types := map[string]*expression.Type{}
	for _, f := range form.Fields {
		types[f.Name] = f.Type
	}
	var out []flow.Assignment
	given := func(string) bool { return false }
	if with != nil && ff.AnyFields(with, "with", "write { field: expression }") {
		out = ff.fill(with, types, "form `"+form.Name+"` has no field `%s`", "a ticket")
		given = func(name string) bool { return with.Get(name) != nil }
	}
	for _, f := range form.Fields {
		v := ff.Flow.Variable(f.Name)
		switch {
		case given(f.Name):
		case v == nil && !f.Optional:
			ff.Fail(key, "missing-field", fmt.Sprintf("add `with: { %s: … }`, or a variable `%s`", f.Name, f.Name), "form `%s` needs its field `%s`", form.Name, f.Name)
		case v == nil:
		case v.Secrecy != flow.Open:
			ff.leak(key, []string{v.Name}, "take", "a ticket")
		default:
			ff.fitsField(key, v, f)
		}
	}
	return out
}

// fitsField checks that a field can take the variable of its name.
func (ff *File) fitsField(n *source.Node, v *flow.Variable, f *flow.FormField) {
	ff.current.Uses = append(ff.current.Uses, check.Use{Name: v.Name, At: n.At})
	if _, err := ff.env.Compile(v.Name, f.Type); err != nil {
		ff.Fail(n, "wrong-type", fmt.Sprintf("add `with: { %s: … }` with a value of type %s", f.Name, f.Type), "field `%s` of the form is %s, and the variable of that name is %s", f.Name, f.Type, v.Type)
	}
}

func (ff *File) readSurvey(s *step, n *source.Node) flow.Verb {
	v := &flow.SurveyStep{By: []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS}}
	if !ff.Fields(n, "survey", "form", "by", "after") {
		return v
	}
	key, form := ff.mustHave(n, "survey", "form", "add `form: NAME`"), (*flow.Form)(nil)
	if key != nil {
		if name, ok := ff.Text(key, "form"); ok {
			v.Form = name
			form = ff.form(key, name, true)
		}
	}
	if by := n.Get("by"); by != nil {
		v.By = nil
		for _, w := range ff.oneOfEach(by, "by", "[voice, sms]", channels...) {
			v.By = append(v.By, tandem.Channel(w))
		}
	}
	if d, ok := ff.Duration(n.Get("after"), "after", time.Second, maxAfter); ok {
		v.After = d
	}
	if form != nil {
		ff.fitsSurvey(n, key, v, form)
	}
	return v
}

// fitsSurvey checks that a form is short enough to be asked of anybody, and that there is
// a way to ask it.
func (ff *File) fitsSurvey(n, key *source.Node, v *flow.SurveyStep, form *flow.Form) {
	if len(form.Fields) > flow.MostQuestions {
		ff.Fail(key, "survey", "take some questions out, or make a second form of them", "a survey has up to %d questions; form `%s` has %d", flow.MostQuestions, form.Name, len(form.Fields))
	}
	called := slices.Contains(v.By, tandem.Voice)
	if v.After > 0 && called && len(v.By) == 1 {
		ff.Fail(n.Get("by"), "survey", "write `by: [sms]`, or take `after` out", "nobody is called for a survey: with `after` it is asked by chat or SMS")
	}
	asks := func(f *flow.FormField) bool { return f.Type == nil || f.ByKeys() }
	if v.After <= 0 && called && slices.Contains(ff.Flow.Channels, tandem.Voice) && len(form.Fields) > 0 && !slices.ContainsFunc(form.Fields, asks) {
		ff.Warn(key, "survey-by-voice", "add a question of type int, bool or enum, or leave `voice` out of `by`", "a caller is asked nothing of form `%s`: none of its questions can be answered by keys", form.Name)
	}
}
