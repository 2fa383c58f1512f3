package read

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// Bounds and defaults of the acting verbs.
const (
	defaultRing      = 30 * time.Second
	maxRing          = 3 * time.Minute
	defaultVoicemail = 2 * time.Minute
	maxVoicemail     = 10 * time.Minute
)

func boolType() *expression.Type { return &expression.Type{Kind: expression.Bool} }

func (ff *flowFile) readSet(s *step, n *node) flow.Verb {
	set := &flow.Set{}
	if !ff.fieldsAny(n, "set", "write { name: expression }") {
		return set
	}
	if len(n.entries) == 0 {
		ff.fail(n, "empty-value", "write { name: expression }", "set sets nothing")
	}
	for _, e := range n.entries {
		v := ff.variable(e.key, "set")
		if v == nil {
			continue
		}
		p := ff.compile(e.val, "`"+v.Name+"`", ff.env, v.Type)
		if p == nil {
			continue
		}
		set.Assign = append(set.Assign, flow.Assignment{Pos: ff.pos(e.key), Name: v.Name, Expr: p})
		ff.flowsInto(e.val, p, v, fmt.Sprintf("`%s`", v.Name))
	}
	return set
}

func (ff *flowFile) readBranch(s *step, n *node) flow.Verb {
	b := &flow.Branch{}
	items := ff.list(n, "branch")
	if n.kind == isList && len(items) == 0 {
		ff.fail(n, "empty-value", "write [ { if: EXPR, go: STEP } ]", "branch has no arms")
	}
	for i, item := range items {
		if !ff.fields(item, "an arm of branch", "if", "go") {
			continue
		}
		arm := flow.Arm{Pos: ff.pos(item), Go: ff.needTarget(item, "an arm of branch")}
		s.places["arm "+strconv.Itoa(i+1)] = item.get("go")
		if c := item.get("if"); c == nil {
			ff.fail(item, "missing-key", "add `if: EXPRESSION`; what is left goes to `else` in `next`", "an arm of branch has no `if`")
		} else {
			arm.If = ff.condition(c)
		}
		b.Arms = append(b.Arms, arm)
	}
	return b
}

// condition compiles an if. What it tells is no secret, unless it is one itself.
func (ff *flowFile) condition(n *node) *expression.Program {
	p := ff.compile(n, "if", ff.env, boolType())
	if p != nil && p.Secret() {
		ff.leak(n, p.Uses(), "decide", "an `if` without a comparison")
	}
	return p
}

func (ff *flowFile) readHours(s *step, n *node) flow.Verb {
	h := &flow.Hours{}
	if !ff.fields(n, "hours", "calendar") {
		return h
	}
	c := n.get("calendar")
	if c == nil {
		ff.fail(n, "missing-key", "write { calendar: NAME }", "hours has no `calendar`")
		return h
	}
	if name, ok := ff.text(c, "calendar"); ok {
		ff.calendar(c, name)
		h.Calendar = name
	}
	return h
}

// calendar looks a calendar up and notes that this file uses it.
func (ff *flowFile) calendar(n *node, name string) {
	c := ff.reading.calendars[name]
	if c == nil {
		names := slices.Collect(maps.Keys(ff.reading.calendars))
		fix := didYouMean(name, names)
		if len(names) == 0 {
			fix = fmt.Sprintf("make a file %s.calendar.yaml beside the flow", asName(name))
		}
		ff.fail(n, "unknown-calendar", fix, "there is no calendar `%s`", name)
		return
	}
	ff.uses[c.file.base] = true
}

func (ff *flowFile) readTransfer(s *step, n *node) flow.Verb {
	t := &flow.Transfer{Mode: "blind", Ring: defaultRing}
	if !ff.fields(n, "transfer", "to", "mode", "ring") {
		return t
	}
	if to := n.get("to"); to == nil {
		ff.fail(n, "missing-key", "add `to: \"sip:…\"`", "transfer has no `to`")
	} else {
		t.To = ff.transferTo(to)
	}
	if w, ok := ff.word(n.get("mode"), "mode", "blind", "attended"); ok {
		t.Mode = w
	}
	if d, ok := ff.duration(n.get("ring"), "ring", time.Second, maxRing); ok {
		t.Ring = d
	}
	return t
}

func (ff *flowFile) transferTo(n *node) *expression.Template {
	t := ff.template(n, "to", ff.env)
	if t == nil {
		return nil
	}
	if t.Secret() {
		ff.leak(n, t.Uses(), "put", "an address")
	}
	scheme, _, ok := strings.Cut(n.text, ":")
	switch {
	case strings.HasPrefix(n.text, "${"):
	case !ok || !slices.Contains([]string{"sip", "tel", "agent", "queue"}, scheme):
		ff.fail(n, "transfer-to", "write \"sip:USER@HOST\" or \"tel:+NUMBER\"", "this is no address to transfer to")
	case scheme == "agent" || scheme == "queue":
		ff.fail(n, "unsupported-verb", "transfer to sip: or tel:", "step `%s` transfers to `%s:`, which this version cannot serve yet", ff.current.Name, scheme)
	}
	return t
}

func (ff *flowFile) readVoicemail(s *step, n *node) flow.Verb {
	v := &flow.Voicemail{Max: defaultVoicemail}
	if !ff.fields(n, "voicemail", "box", "max", "transcribe") {
		return v
	}
	if box := n.get("box"); box == nil {
		ff.fail(n, "missing-key", "add `box: NAME`", "voicemail has no `box`")
	} else if name, ok := ff.text(box, "box"); ok {
		v.Box = name
		if b := ff.reading.boxes[name]; b == nil {
			names := slices.Collect(maps.Keys(ff.reading.boxes))
			fix := didYouMean(name, names)
			if len(names) == 0 {
				fix = fmt.Sprintf("make a file NAME.queues.yaml with `boxes: { %s: { queue: NAME } }`", asName(name))
			}
			ff.fail(box, "unknown-box", fix, "there is no box `%s`", name)
		} else {
			ff.uses[b.file.base] = true
		}
	}
	if d, ok := ff.duration(n.get("max"), "max", time.Second, maxVoicemail); ok {
		v.Max = d
	}
	if t := n.get("transcribe"); t != nil {
		v.Transcribe = ff.yesNo(t, "transcribe")
	}
	return v
}

func (ff *flowFile) readEnd(s *step, n *node) flow.Verb {
	e := &flow.End{}
	if n.kind == isNull && n.text != "null" || !ff.fields(n, "end", "reason", "as") {
		return e
	}
	if r := n.get("reason"); r != nil {
		if ok := r.kind == isText && strings.Contains(r.text, "${"); ok {
			ff.fail(r, "name", "write a plain word such as left", "reason is a plain word, the same for every caller")
		} else {
			e.Reason, _ = ff.name(r, "a reason")
		}
	}
	if as := n.get("as"); as != nil {
		if name, ok := ff.name(as, "as"); ok {
			e.As = name
			switch {
			case n.get("reason") != nil:
				ff.fail(as, "wrong-type", "write one of the two", "`as` returns to the calling flow, `reason` ends the interaction")
			case !slices.Contains(ff.flow.Outcomes, name):
				fix := didYouMean(name, ff.flow.Outcomes)
				if len(ff.flow.Outcomes) == 0 {
					fix = fmt.Sprintf("add `outcomes: [%s]` to the flow", name)
				}
				ff.fail(as, "unknown-outcome", fix, "`%s` is not one of the flow's outcomes", name)
			}
		}
	}
	return e
}

// voiceOnly says which channels a verb cannot serve, and what does instead.
func voiceOnly(v flow.Verb) (is bool, alternative string) {
	switch v := v.(type) {
	case *flow.Voicemail:
		return true, "on chat and sms, collect a text instead, and branch on `channel == 'voice'` before this step"
	case *flow.Transfer:
		if v.To != nil {
			src := ""
			if segments := v.To.Segments(); len(segments) > 0 {
				src = segments[0]
			}
			if strings.HasPrefix(src, "agent:") || strings.HasPrefix(src, "queue:") {
				return false, ""
			}
		}
		return true, "on chat and sms, say which number to call instead, and branch on `channel == 'voice'` before this step"
	}
	return false, ""
}

// speaks reports whether a verb speaks to the customer or listens.
func speaks(v flow.Verb) bool {
	switch v := v.(type) {
	case *flow.Say, *flow.Menu, *flow.Collect, *flow.ConsentStep, *flow.Voicemail, *flow.Transfer:
		return true
	case *flow.Language:
		return slices.Contains(v.By, "menu")
	}
	return false
}

// onChannel reports whether a verb can run on a channel.
func onChannel(v flow.Verb, c tandem.Channel) bool {
	only, _ := voiceOnly(v)
	return !only || c == tandem.Voice
}
