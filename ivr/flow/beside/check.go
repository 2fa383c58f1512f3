package beside

import (
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// Bounds of an identity check.
const (
	maxCheckSteps   = 30
	maxCheckItems   = 20   // questions, or lines of a checklist, of one step
	maxCheckText    = 2000 // characters of one text
	maxCheckVersion = 40
	maxOfficers     = 20 // skills
	maxGrants       = 24 * time.Hour
	maxCheckBreak   = 5 * time.Minute
	maxCheckKept    = 3650 * 24 * time.Hour
)

var (
	checkKeys  = []string{"check", "level", "grants", "queue", "officers", "consent", "steps", "second_officer", "interruption", "record", "keep"}
	checkKinds = []string{"code", "questions", "document", "face", "request", "compare"}
)

// checkReader reads one policy of identity checks.
type checkReader struct {
	*source.File
	queue func(n *source.Node, name string)
	texts []checkText
}

// checkText is words by language, and what they are.
type checkText struct {
	n    *source.Node
	what string
}

// Check reads a policy of identity checks. queue looks a queue up. The name is "" if it
// could not be read.
func Check(f *source.File, queue func(n *source.Node, name string)) *flow.CheckPolicy {
	f.Fields(f.Root, "an identity check", checkKeys...)
	r := &checkReader{File: f, queue: queue}
	p := &flow.CheckPolicy{Name: named(f, "check"), Pos: f.Pos(f.Root), Grants: flow.CheckGrants, Interruption: flow.CheckInterruption}
	if l := r.need(f.Root, "the check", "level", "add `level: proofed`"); l != nil {
		if w, ok := f.Word(l, "level", "verified", "proofed"); ok {
			p.Level, _ = tandem.ParseAssurance(w)
		}
	}
	r.duration(f.Root, "grants", &p.Grants, time.Minute, maxGrants)
	r.duration(f.Root, "interruption", &p.Interruption, time.Second, maxCheckBreak)
	if q := f.Root.Get("queue"); q != nil {
		if name, ok := f.Name(q, "a queue's name"); ok {
			queue(q, name)
			p.Queue = name
		}
	}
	p.Officers = r.officers(f.Root.Get("officers"))
	if c := r.need(f.Root, "the check", "consent", "add `consent: { version: \"1\", text: { en: \"…\" } }`"); c != nil {
		p.Consent = r.consent(c)
	}
	p.Steps = r.steps(f.Root)
	p.SecondOfficer = f.YesNo(f.Root.Get("second_officer"), "second_officer")
	p.Record = f.YesNo(f.Root.Get("record"), "record")
	if k := f.Root.Get("keep"); k != nil && f.Fields(k, "keep", "evidence", "recording") {
		r.duration(k, "evidence", &p.KeepEvidence, 24*time.Hour, maxCheckKept)
		r.duration(k, "recording", &p.KeepRecording, 24*time.Hour, maxCheckKept)
	}
	r.lacking()
	return p
}

// need is the value of a key that must be there.
func (r *checkReader) need(n *source.Node, what, key, fix string) *source.Node {
	v := n.Get(key)
	if v == nil {
		at := n
		if n == r.Root {
			at = &source.Node{At: n.At}
		}
		r.Fail(at, "missing-key", fix, "%s has no `%s`", what, key)
	}
	return v
}

func (r *checkReader) duration(n *source.Node, key string, into *time.Duration, low, high time.Duration) {
	if v := n.Get(key); v != nil {
		if d, ok := r.Duration(v, key, low, high); ok {
			*into = d
		}
	}
}

// officers reads which skills whoever decides must have.
func (r *checkReader) officers(n *source.Node) (skills []string) {
	if n == nil || !r.Fields(n, "officers", "skills") {
		return nil
	}
	list := r.need(n, "officers", "skills", "add `skills: [identity]`")
	if list == nil {
		return nil
	}
	items := r.List(list, "skills")
	if list.Kind == source.List && len(items) == 0 {
		r.Fail(list, "empty-value", "name a skill, or leave `officers` out for all agents", "the list is empty")
	}
	if len(items) > maxOfficers {
		r.Fail(list, "out-of-range", "", "an officer is asked for up to %d skills; this has %d", maxOfficers, len(items))
		return nil
	}
	for _, item := range items {
		s, ok := r.Text(item, "a skill")
		switch {
		case !ok:
		case !flow.IsSkill(s):
			r.Fail(item, "skill", "use Latin letters, digits and : _ - .", "`%s` cannot be a skill", s)
		case slices.Contains(skills, s):
			r.Fail(item, "duplicate-name", "remove it", "the skill `%s` is there already", s)
		default:
			skills = append(skills, s)
		}
	}
	return skills
}

func (r *checkReader) consent(n *source.Node) (c flow.CheckConsent) {
	if !r.Fields(n, "consent", "version", "text") {
		return c
	}
	if v := r.need(n, "consent", "version", "add `version: \"2026-11\"`, and change it with the text"); v != nil {
		c.Version, _ = r.Text(v, "version")
		if len([]rune(c.Version)) > maxCheckVersion {
			r.Fail(v, "out-of-range", "", "a version has up to %d characters", maxCheckVersion)
		}
	}
	if t := r.need(n, "consent", "text", "add `text: { en: \"…\" }`"); t != nil {
		c.Text = r.words(t, "the consent")
	}
	return c
}

// words reads plain text by language.
func (r *checkReader) words(n *source.Node, what string) map[string]string {
	if !r.AnyFields(n, what, "write { en: \"…\" }") {
		return nil
	}
	if len(n.Entries) == 0 {
		r.Fail(n, "empty-value", "write { en: \"…\" }", "%s has no words", what)
	}
	out := map[string]string{}
	for _, e := range n.Entries {
		if !source.IsLanguage(e.Key.Text) {
			r.Fail(e.Key, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", e.Key.Text)
			continue
		}
		if plainText(r.File, e.Val, what) == nil {
			continue
		}
		if s, _ := r.Text(e.Val, what); len([]rune(s)) > maxCheckText {
			r.Fail(e.Val, "out-of-range", "", "%s has up to %d characters; this has %d", what, maxCheckText, len([]rune(s)))
		} else {
			out[e.Key.Text] = s
		}
	}
	r.texts = append(r.texts, checkText{n, what})
	return out
}

// lacking warns of words that are missing in a language which others of the file have.
func (r *checkReader) lacking() {
	var langs []string
	for _, t := range r.texts {
		for _, e := range t.n.Entries {
			if l := e.Key.Text; source.IsLanguage(l) && !slices.Contains(langs, l) {
				langs = append(langs, l)
			}
		}
	}
	for _, t := range r.texts {
		for _, l := range langs {
			if t.n.Get(l) == nil && len(t.n.Entries) > 0 {
				r.Warn(t.n, "missing-language", "add `"+l+": \"…\"`", "%s has no words in %s; %s is used instead", t.what, l, t.n.Entries[0].Key.Text)
			}
		}
	}
}

func (r *checkReader) steps(root *source.Node) (steps []flow.CheckPolicyStep) {
	n := r.need(root, "the check", "steps", "add `steps: [ { name: look, face: {} } ]`")
	if n == nil {
		return nil
	}
	items := r.List(n, "steps")
	if n.Kind == source.List && len(items) == 0 {
		r.Fail(n, "empty-value", "write [ { name: look, face: {} } ]", "the check has no steps")
	}
	if len(items) > maxCheckSteps {
		r.Fail(n, "out-of-range", "", "a check has up to %d steps; this has %d", maxCheckSteps, len(items))
		return nil
	}
	for _, item := range items {
		s, ok := r.step(item)
		if !ok {
			continue
		}
		if slices.ContainsFunc(steps, func(o flow.CheckPolicyStep) bool { return o.Name == s.Name }) {
			r.Fail(item.Get("name"), "duplicate-name", "give it another name", "the check has a step `%s` already", s.Name)
			continue
		}
		if stills := slices.ContainsFunc(steps, func(o flow.CheckPolicyStep) bool {
			return o.Kind == flow.CheckDocument || o.Kind == flow.CheckFace
		}); s.Kind == flow.CheckCompareBy && !stills {
			r.Fail(item.KeyOf("compare"), "missing-key", "put a step with `document` or `face` before it", "there is nothing to compare yet in step `%s`", s.Name)
		}
		steps = append(steps, s)
	}
	return steps
}

// step reads one step; ok = it has a name.
func (r *checkReader) step(n *source.Node) (s flow.CheckPolicyStep, ok bool) {
	s.Pos = r.Pos(n)
	if !r.Fields(n, "a step", append([]string{"name", "text", "count", "likeness"}, checkKinds...)...) {
		return s, false
	}
	var kind source.Entry
	for _, e := range n.Entries {
		switch {
		case !slices.Contains(checkKinds, e.Key.Text):
		case kind.Key == nil:
			kind = e
		default:
			r.Fail(e.Key, "several-verbs", "make a step of its own for one of them", "the step does two things, `%s` and `%s`", kind.Key.Text, e.Key.Text)
		}
	}
	if c := n.Get("count"); c != nil {
		s.Count, _ = r.Count(c, "count", 1, len(flow.CheckRequests()))
	}
	if l := n.Get("likeness"); l != nil {
		s.Likeness, _ = r.Word(l, "likeness", "advice")
	}
	if kind.Key == nil {
		r.Fail(n, "missing-verb", "add one of code, questions, document, face, request, compare", "the step does nothing")
	} else {
		s.Kind = flow.CheckStepKind(kind.Key.Text)
		r.kind(&s, n, kind.Val)
	}
	if t := n.Get("text"); t != nil {
		s.Text = r.words(t, "the step's text")
	}
	for _, e := range n.Entries {
		of := map[string]flow.CheckStepKind{"count": flow.CheckRequest, "likeness": flow.CheckCompareBy}[e.Key.Text]
		if of != "" && kind.Key != nil && s.Kind != of {
			r.Fail(e.Key, "unknown-key", "remove it", "a step with `%s` has no `%s`; one with `%s` has", s.Kind, e.Key.Text, of)
		}
	}
	key := r.need(n, "the step", "name", "add `name: look`")
	if key == nil {
		return s, false
	}
	s.Name, ok = r.Name(key, "a step's name")
	return s, ok
}

// kind reads what a step does.
func (r *checkReader) kind(s *flow.CheckPolicyStep, n, v *source.Node) {
	switch s.Kind {
	case flow.CheckCode, flow.CheckFace:
		if !r.Fields(v, string(s.Kind)) {
			return
		}
	case flow.CheckDocument:
		s.Document, _ = r.Word(v, "document", "front", "back")
	case flow.CheckRequest:
		r.request(s, n, v)
	case flow.CheckQuestions:
		r.questions(s, v)
	case flow.CheckCompareBy:
		r.compare(s, v)
	}
}

func (r *checkReader) request(s *flow.CheckPolicyStep, n, v *source.Node) {
	items := r.List(v, "request")
	if v.Kind == source.List && len(items) == 0 {
		r.Fail(v, "empty-value", "write [turn_left, turn_right, read_number]", "nothing may be asked for here")
	}
	for _, item := range items {
		w, ok := r.Word(item, "request", flow.CheckRequests()...)
		switch {
		case !ok:
		case slices.Contains(s.Requests, w):
			r.Fail(item, "duplicate-name", "remove it", "`%s` is there already", w)
		default:
			s.Requests = append(s.Requests, w)
		}
	}
	c := n.Get("count")
	switch {
	case c == nil:
		s.Count = 1
	case s.Count > len(s.Requests) && len(s.Requests) > 0:
		r.Fail(c, "out-of-range", "name more in `request`, or ask for fewer", "%d are to be drawn of %d", s.Count, len(s.Requests))
	}
}

// some reads a list of up to maxCheckItems maps.
func (r *checkReader) some(v *source.Node, what, fix string) []*source.Node {
	items := r.List(v, what)
	if v.Kind == source.List && len(items) == 0 {
		r.Fail(v, "empty-value", fix, "the list is empty")
	}
	if len(items) > maxCheckItems {
		r.Fail(v, "out-of-range", "make two steps of it", "%s has up to %d parts; this has %d", what, maxCheckItems, len(items))
		items = items[:maxCheckItems]
	}
	return items
}

func (r *checkReader) questions(s *flow.CheckPolicyStep, v *source.Node) {
	taken := map[string]bool{}
	for i, item := range r.some(v, "questions", "write [ { ask: { en: \"…\" } } ]") {
		if !r.Fields(item, "a question", "name", "ask", "expect") {
			continue
		}
		q := flow.CheckQuestion{Expect: "free"}
		if k := item.Get("name"); k != nil {
			q.Name, _ = r.Name(k, "a question's name")
		}
		if a := r.need(item, "the question", "ask", "add `ask: { en: \"…\" }`"); a != nil {
			q.Ask = r.words(a, "the question")
		}
		if e := item.Get("expect"); e != nil {
			if w, ok := r.Word(e, "expect", "free", "service"); ok {
				q.Expect = w
			}
		}
		if taken[q.Called(i)] {
			r.Fail(item.Get("name"), "duplicate-name", "give it another name", "the step has a question `%s` already", q.Name)
		}
		taken[q.Called(i)] = true
		s.Questions = append(s.Questions, q)
	}
}

func (r *checkReader) compare(s *flow.CheckPolicyStep, v *source.Node) {
	taken := map[string]bool{}
	for _, item := range r.some(v, "compare", "write [ { name: same_person, ask: { en: \"…\" } } ]") {
		if !r.Fields(item, "a line of the checklist", "name", "ask") {
			continue
		}
		var c flow.CheckCompare
		if k := r.need(item, "the line", "name", "add `name: same_person`"); k != nil {
			c.Name, _ = r.Name(k, "a line's name")
		}
		if c.Name == "likeness" {
			r.Fail(item.Get("name"), "reserved-name", "give it another name", "`likeness` is what the officer's browser computes")
		}
		if a := r.need(item, "the line", "ask", "add `ask: { en: \"…\" }`"); a != nil {
			c.Ask = r.words(a, "the line")
		}
		if taken[c.Name] && c.Name != "" {
			r.Fail(item.Get("name"), "duplicate-name", "give it another name", "the checklist has a line `%s` already", c.Name)
		}
		taken[c.Name] = true
		s.Compare = append(s.Compare, c)
	}
}
