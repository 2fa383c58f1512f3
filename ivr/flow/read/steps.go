package read

import (
	"fmt"
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

// verbReader reads the value of a verb's key.
type verbReader func(*flowFile, *step, *node) flow.Verb

// verbs are those this version serves.
func verbs() map[string]verbReader {
	return map[string]verbReader{
		"say": (*flowFile).readSay, "menu": (*flowFile).readMenu, "collect": (*flowFile).readCollect, "language": (*flowFile).readLanguage,
		"set": (*flowFile).readSet, "branch": (*flowFile).readBranch, "hours": (*flowFile).readHours, "http": (*flowFile).readHTTP,
		"subflow": (*flowFile).readSubflow, "transfer": (*flowFile).readTransfer, "voicemail": (*flowFile).readVoicemail,
		"consent": (*flowFile).readConsent, "end": (*flowFile).readEnd,
	}
}

var (
	verbNames  = []string{"say", "menu", "collect", "language", "set", "branch", "hours", "http", "subflow", "transfer", "voicemail", "consent", "end"}
	laterVerbs = []string{"message", "link", "handoff", "identify", "classify", "answer", "queue", "callback", "record", "ticket", "survey"}
	stepKeys   = []string{"next", "if", "needs", "max_visits", "note"}
)

const maxVisits = 1000

func (ff *flowFile) readSteps(n *node) {
	if n.kind != isMap {
		if n.kind == isNull {
			ff.empty(n, "steps")
		} else {
			ff.wrongKind(n, "steps", "a map of `name: { VERB: …, next: … }`")
		}
		return
	}
	if len(n.entries) > maxSteps {
		ff.fail(n, "file-size", "move some into a flow of their own", "the flow has %d steps; %d are allowed", len(n.entries), maxSteps)
		return
	}
	for _, e := range n.entries {
		if e.key.text == flow.ToEnd || e.key.text == flow.ToRepeat {
			ff.fail(e.key, "reserved-name", "choose another name", "`%s` is a target of its own and cannot be a step's name", e.key.text)
			continue
		}
		ff.goodName(e.key, "a step's name")
		if e.val.kind != isMap {
			if e.val.kind == isNull {
				ff.empty(e.val, "step `"+e.key.text+"`")
			} else {
				ff.wrongKind(e.val, "step `"+e.key.text+"`", "a map such as { say: hello, next: main }")
			}
			continue
		}
		ff.readStep(e)
	}
}

func (ff *flowFile) readStep(e entry) {
	s := &step{Step: &flow.Step{Name: e.key.text, Pos: ff.pos(e.key)}, key: e.key, node: e.val, places: map[string]*node{}}
	ff.current = s
	defer func() { ff.current = nil }()
	ff.steps[s.Name], ff.flow.Steps[s.Name] = s, s.Step
	ff.flow.Order = append(ff.flow.Order, s.Name)
	for _, part := range []string{"next", "needs", "if", "max_visits"} {
		if n := e.val.get(part); n != nil {
			s.places[part] = n
		}
	}
	if c := e.val.get("if"); c != nil {
		s.If = ff.condition(c)
	}
	if w, ok := ff.word(e.val.get("needs"), "needs", "none", "recognised", "verified", "proofed"); ok {
		s.Needs, _ = tandem.ParseAssurance(w)
	}
	if m, ok := ff.count(e.val.get("max_visits"), "max_visits", 1, maxVisits); ok {
		s.MaxVisits = m
	}
	if n := e.val.get("note"); n != nil {
		if n.kind == isText {
			s.Note = n.text
		} else if n.kind != isNull {
			ff.wrongKind(n, "note", "text")
		}
	}
	ff.readVerb(s)
	ff.readNext(s, e.val.get("next"))
}

// readVerb finds the one verb among the step's keys.
func (ff *flowFile) readVerb(s *step) {
	var verb *node
	served := verbs()
	unknown := false
	for _, e := range s.node.entries {
		word := e.key.text
		switch {
		case served[word] != nil, slices.Contains(laterVerbs, word):
			if verb != nil {
				ff.fail(e.key, "several-verbs", "make a step of its own for one of them", "step `%s` has two verbs, `%s` and `%s`", s.Name, verb.text, word)
				continue
			}
			verb = e.key
			s.places["verb"] = e.key
			if served[word] == nil {
				ff.fail(e.key, "unsupported-verb", "use one of: "+strings.Join(verbNames, ", "), "step `%s` uses `%s`, which this version cannot serve yet", s.Name, word)
				continue
			}
			s.Verb = served[word](ff, s, e.val)
		case !slices.Contains(stepKeys, word):
			unknown = true
			ff.unknownStepKey(s, e.key)
		}
	}
	if verb == nil && !unknown {
		ff.fail(s.key, "missing-verb", "add one of: "+strings.Join(verbNames, ", "), "step `%s` has no verb", s.Name)
	}
}

// unknownStepKey tells a misspelt verb from a misspelt key.
func (ff *flowFile) unknownStepKey(s *step, key *node) {
	hasVerb := slices.ContainsFunc(s.node.entries, func(e entry) bool {
		return slices.Contains(verbNames, e.key.text) || slices.Contains(laterVerbs, e.key.text)
	})
	if hasVerb {
		ff.fail(key, "unknown-key", didYouMean(key.text, stepKeys), "a step has no `%s`", key.text)
		return
	}
	if near := nearest(key.text, stepKeys); near != "" && nearest(key.text, append(slices.Clone(verbNames), near)) == near {
		ff.fail(key, "unknown-key", fmt.Sprintf("write `%s`", near), "a step has no `%s`", key.text)
		return
	}
	ff.fail(key, "unknown-verb", didYouMean(key.text, verbNames), "`%s` is no verb", key.text)
}

// readNext reads where a step leads and holds it against the verb's outcomes.
func (ff *flowFile) readNext(s *step, n *node) {
	s.Next.Pos = s.Pos
	_, ends := s.Verb.(*flow.End)
	if ends {
		if n != nil {
			ff.fail(n, "next", "remove it", "a step that ends the flow has no `next`")
		}
		if s.If != nil {
			ff.fail(s.at("if"), "next", "put a `branch` before this step", "an `end` that is passed over has nowhere to go")
		}
		return
	}
	if n == nil {
		if s.places["verb"] != nil {
			ff.fail(s.key, "missing-next", ff.nextFix(s), "step `%s` has no `next`", s.Name)
		}
		return
	}
	s.Next.Pos = ff.pos(n)
	switch n.kind {
	case isNull:
		ff.empty(n, "next")
	case isMap:
		ff.readOutcomeMap(s, n)
	default:
		s.Next.To = ff.target(n, "next")
	}
}

// nextFix spells out a map that would do.
func (ff *flowFile) nextFix(s *step) string {
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
func (ff *flowFile) outcomes(s *step) []string {
	if s.Verb == nil {
		return nil
	}
	return s.Verb.Outcomes()
}

func (ff *flowFile) readOutcomeMap(s *step, n *node) {
	s.Next.By = map[string]string{}
	own := ff.outcomes(s)
	known := slices.Clone(own)
	for _, extra := range []struct {
		name string
		has  bool
		why  string
	}{
		{"else", true, ""},
		{"skipped", s.node.get("if") != nil, "it needs an `if`"},
		{"loop", s.node.get("max_visits") != nil, "it needs `max_visits`"},
		{"not_assured", s.node.get("needs") != nil, "it needs `needs`"},
	} {
		if extra.has {
			known = append(known, extra.name)
		} else if e := n.get(extra.name); e != nil {
			ff.fail(n.keyOf(extra.name), "unknown-outcome", "remove it", "step `%s` cannot have the outcome `%s`: %s", s.Name, extra.name, extra.why)
		}
	}
	for _, e := range n.entries {
		to := ff.target(e.val, "next")
		if e.val.kind == isNull {
			ff.empty(e.val, e.key.text)
		}
		s.places["next "+e.key.text] = e.val
		switch {
		case e.key.text == "else":
			s.Next.Else = to
		case slices.Contains([]string{"skipped", "loop", "not_assured"}, e.key.text):
			s.Next.By[e.key.text] = to
		case s.Verb != nil && !slices.Contains(own, e.key.text) && !ff.unreadChild(s):
			ff.fail(e.key, "unknown-outcome", didYouMean(e.key.text, known), "`%s` has no outcome `%s`", s.Verb.Verb(), e.key.text)
		default:
			s.Next.By[e.key.text] = to
		}
	}
	if s.Verb == nil || n.get("else") != nil {
		return
	}
	if s.If != nil {
		own = append(slices.Clone(own), "skipped")
	}
	var missing []string
	for _, o := range own {
		if n.get(o) == nil && o != "else" {
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
		ff.fail(s.at("next"), "missing-outcome", fix,
			"step `%s` does not say where to go on %s", s.Name, strings.Join(missing, ", "))
	}
}

// unreadChild reports a subflow whose outcomes are not known because of an earlier mistake.
func (ff *flowFile) unreadChild(s *step) bool {
	_, is := s.Verb.(*flow.Subflow)
	return is && len(s.Verb.Outcomes()) == 0
}

// keyOf is the node of a key itself.
func (n *node) keyOf(key string) *node {
	for _, e := range n.entries {
		if e.key.text == key {
			return e.key
		}
	}
	return n
}
