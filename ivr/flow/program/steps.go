package program

import (
	"fmt"
	"slices"
	"strings"

	"tandem"
	"tandem/internal/nearest"
	"tandem/ivr/flow"
	"tandem/ivr/flow/check"
	"tandem/ivr/flow/source"
)

// verbReader reads the value of a verb's key.
type verbReader func(*File, *step, *source.Node) flow.Verb

// verbs are those of the language.
func verbs() map[string]verbReader {
	return map[string]verbReader{
		"say": (*File).readSay, "menu": (*File).readMenu, "collect": (*File).readCollect, "language": (*File).readLanguage,
		"set": (*File).readSet, "branch": (*File).readBranch, "hours": (*File).readHours, "http": (*File).readHTTP,
		"subflow": (*File).readSubflow, "transfer": (*File).readTransfer, "voicemail": (*File).readVoicemail,
		"consent": (*File).readConsent, "end": (*File).readEnd,
		"message": (*File).readMessage, "link": (*File).readLink, "handoff": (*File).readHandoff, "identify": (*File).readIdentify,
		"resume":   (*File).readResume,
		"classify": (*File).readClassify, "answer": (*File).readAnswer, "queue": (*File).readQueue, "callback": (*File).readCallback,
		"record": (*File).readRecord, "ticket": (*File).readTicket, "survey": (*File).readSurvey,
	}
}

var (
	verbNames = []string{"say", "menu", "collect", "language", "set", "branch", "hours", "http", "subflow", "message", "link", "handoff", "identify", "resume",
		"classify", "answer", "queue", "transfer", "callback", "voicemail", "record", "ticket", "consent", "survey", "end"}
	stepKeys = []string{"next", "if", "needs", "max_visits", "note"}
)

const (
	MaxSteps  = 2_000 // MaxSteps is how many steps one flow may have
	maxVisits = 1000
)

func (ff *File) readSteps(n *source.Node) {
	if n.Kind != source.Map {
		if n.Kind == source.Null {
			ff.Empty(n, "steps")
		} else {
			ff.WrongKind(n, "steps", "a map of `name: { VERB: …, next: … }`")
		}
		return
	}
	if len(n.Entries) > MaxSteps {
		ff.Fail(n, "file-size", "move some into a flow of their own", "the flow has %d steps; %d are allowed", len(n.Entries), MaxSteps)
		return
	}
	for _, e := range n.Entries {
		if ff.Full() {
			return
		}
		if e.Key.Text == flow.ToEnd || e.Key.Text == flow.ToRepeat {
			ff.Fail(e.Key, "reserved-name", "choose another name", "`%s` is a target of its own and cannot be a step's name", e.Key.Text)
			continue
		}
		ff.GoodName(e.Key, "a step's name")
		if e.Val.Kind != source.Map {
			if e.Val.Kind == source.Null {
				ff.Empty(e.Val, "step `"+e.Key.Text+"`")
			} else {
				ff.WrongKind(e.Val, "step `"+e.Key.Text+"`", "a map such as { say: hello, next: main }")
			}
			continue
		}
		ff.readStep(e)
	}
}

func (ff *File) readStep(e source.Entry) {
	own := &flow.Step{Name: e.Key.Text, Pos: ff.Pos(e.Key)}
	s := &step{Step: &check.Step{Step: own, Key: e.Key, Places: map[string]*source.Node{}}, body: e.Val}
	ff.current = s
	defer func() { ff.current = nil }()
	ff.Checked.Steps[s.Name], ff.Flow.Steps[s.Name] = s.Step, own
	ff.Flow.Order = append(ff.Flow.Order, s.Name)
	for _, part := range []string{"next", "needs", "if", "max_visits"} {
		if n := e.Val.Get(part); n != nil {
			s.Places[part] = n
		}
	}
	if c := e.Val.Get("if"); c != nil {
		s.If = ff.condition(c)
	}
	if w, ok := ff.Word(e.Val.Get("needs"), "needs", "none", "recognised", "verified", "proofed"); ok {
		s.Needs, _ = tandem.ParseAssurance(w)
	}
	if m, ok := ff.Count(e.Val.Get("max_visits"), "max_visits", 1, maxVisits); ok {
		s.MaxVisits = m
	}
	if n := e.Val.Get("note"); n != nil {
		if n.Kind == source.Text {
			s.Note = n.Text
		} else if n.Kind != source.Null {
			ff.WrongKind(n, "note", "text")
		}
	}
	ff.readVerb(s)
	ff.readNext(s, e.Val.Get("next"))
}

// readVerb finds the one verb among the step's keys.
func (ff *File) readVerb(s *step) {
	var verb *source.Node
	readers := verbs()
	unknown := false
	for _, e := range s.body.Entries {
		word := e.Key.Text
		switch {
		case readers[word] != nil:
			if verb != nil {
				ff.Fail(e.Key, "several-verbs", "make a step of its own for one of them", "step `%s` has two verbs, `%s` and `%s`", s.Name, verb.Text, word)
				continue
			}
			verb = e.Key
			s.Places["verb"] = e.Key
			s.Verb = readers[word](ff, s, e.Val)
		case !slices.Contains(stepKeys, word):
			unknown = true
			ff.unknownStepKey(s, e.Key)
		}
	}
	if verb == nil && !unknown {
		ff.Fail(s.Key, "missing-verb", "add one of: "+strings.Join(verbNames, ", "), "step `%s` has no verb", s.Name)
	}
}

// leads reports a key that is meant as next.
func (s *step) leads(key *source.Node) bool {
	return slices.Contains([]string{"goto", "go", "go_to", "then", "to"}, strings.ToLower(key.Text))
}

// unknownStepKey tells a misspelt verb from a misspelt key.
func (ff *File) unknownStepKey(s *step, key *source.Node) {
	hasVerb := slices.ContainsFunc(s.body.Entries, func(e source.Entry) bool {
		return slices.Contains(verbNames, e.Key.Text)
	})
	if s.leads(key) {
		ff.Fail(key, "unknown-key", "write `next`", "a step has no `%s`: where it leads stands in `next`", key.Text)
		return
	}
	if hasVerb {
		ff.Fail(key, "unknown-key", source.DidYouMean(key.Text, stepKeys), "a step has no `%s`", key.Text)
		return
	}
	if near := nearest.Name(key.Text, stepKeys); near != "" && nearest.Name(key.Text, append(slices.Clone(verbNames), near)) == near {
		ff.Fail(key, "unknown-key", fmt.Sprintf("write `%s`", near), "a step has no `%s`", key.Text)
		return
	}
	ff.Fail(key, "unknown-verb", source.DidYouMean(key.Text, verbNames), "`%s` is no verb", key.Text)
}

// readNext reads where a step leads and holds it against the verb's outcomes.
func (ff *File) readNext(s *step, n *source.Node) {
	s.Next.Pos = s.Pos
	_, ends := s.Verb.(*flow.End)
	if ends {
		if n != nil {
			ff.Fail(n, "next", "remove it", "a step that ends the flow has no `next`")
		}
		if s.If != nil {
			ff.Fail(s.At("if"), "next", "put a `branch` before this step", "an `end` that is passed over has nowhere to go")
		}
		return
	}
	if n == nil {
		if s.Places["verb"] != nil && !slices.ContainsFunc(s.body.Entries, func(e source.Entry) bool { return s.leads(e.Key) }) {
			ff.Fail(s.Key, "missing-next", ff.nextFix(s), "step `%s` has no `next`", s.Name)
		}
		return
	}
	s.Next.Pos = ff.Pos(n)
	switch n.Kind {
	case source.Null:
		ff.Empty(n, "next")
	case source.Map:
		ff.readOutcomeMap(s, n)
	default:
		s.Next.To = ff.target(n, "next")
	}
}

// nextFix spells out a map that would do.
func (ff *File) nextFix(s *step) string {
	outcomes := ff.outcomes(s)
	if len(outcomes) <= 1 {
		if len(outcomes) == 1 && outcomes[0] == "else" {
			return "add `next: { else: STEP }`"
		}
		return "add `next: STEP`"
	}
	parts := make([]string, len(outcomes))
	for i, o := range outcomes {
		parts[i] = o + ": STEP"
	}
	return "add `next: { " + strings.Join(parts, ", ") + " }`"
}

// outcomes is the closed set of a step's verb; nil if the verb could not be read.
func (ff *File) outcomes(s *step) []string {
	if s.Verb == nil {
		return nil
	}
	return s.Verb.Outcomes()
}

func (ff *File) readOutcomeMap(s *step, n *source.Node) {
	s.Next.By = map[string]string{}
	own := ff.outcomes(s)
	known := slices.Clone(own)
	for _, extra := range []struct {
		name string
		has  bool
		why  string
	}{
		{"else", true, ""},
		{"skipped", s.body.Get("if") != nil, "it needs an `if`"},
		{"loop", s.body.Get("max_visits") != nil, "it needs `max_visits`"},
		{"not_assured", s.body.Get("needs") != nil || s.Needs > tandem.None, "it needs `needs`"},
	} {
		if extra.has || slices.Contains(own, extra.name) { // a survey has a skipped of its own
			known = append(known, extra.name)
		} else if e := n.Get(extra.name); e != nil {
			ff.Fail(n.KeyOf(extra.name), "unknown-outcome", "remove it", "step `%s` cannot have the outcome `%s`: %s", s.Name, extra.name, extra.why)
		}
	}
	for _, e := range n.Entries {
		to := ff.target(e.Val, "next")
		if e.Val.Kind == source.Null {
			ff.Empty(e.Val, e.Key.Text)
		}
		s.Places["next "+e.Key.Text] = e.Val
		switch {
		case e.Key.Text == "else":
			s.Next.Else = to
		case slices.Contains([]string{"skipped", "loop", "not_assured"}, e.Key.Text):
			s.Next.By[e.Key.Text] = to
		case s.Verb != nil && !slices.Contains(own, e.Key.Text) && !ff.unreadChild(s):
			ff.Fail(e.Key, "unknown-outcome", source.DidYouMean(e.Key.Text, known), "`%s` has no outcome `%s`", s.Verb.Verb(), e.Key.Text)
		default:
			s.Next.By[e.Key.Text] = to
		}
	}
	if s.Verb == nil || n.Get("else") != nil {
		return
	}
	if s.If != nil && !slices.Contains(own, "skipped") {
		own = append(slices.Clone(own), "skipped")
	}
	var missing []string
	for _, o := range own {
		if n.Get(o) == nil && o != "else" {
			missing = append(missing, o)
		}
	}
	if slices.Contains(own, "else") {
		missing = append(missing, "else")
	}
	if len(missing) > 0 {
		fix := "add `else: STEP`"
		if missing[0] != "else" {
			fix = fmt.Sprintf("add `%s: STEP`, or `else: STEP` for the rest", missing[0])
		}
		ff.Fail(s.At("next"), "missing-outcome", fix,
			"step `%s` does not say where to go on %s", s.Name, strings.Join(missing, ", "))
	}
}

// unreadChild reports a subflow whose outcomes are not known because of an earlier mistake.
func (ff *File) unreadChild(s *step) bool {
	_, is := s.Verb.(*flow.Subflow)
	return is && len(s.Verb.Outcomes()) == 0
}
