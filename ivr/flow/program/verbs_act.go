package program

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// Bounds and defaults of the acting verbs.
const (
	defaultRing      = 30 * time.Second
	maxRing          = 3 * time.Minute
	defaultVoicemail = 2 * time.Minute
	maxVoicemail     = 10 * time.Minute
)

func boolType() *expression.Type { return &expression.Type{Kind: expression.Bool} }

func (ff *File) readSet(s *step, n *source.Node) flow.Verb {
	set := &flow.Set{}
	if !ff.AnyFields(n, "set", "write { name: expression }") {
		return set
	}
	if len(n.Entries) == 0 {
		ff.Fail(n, "empty-value", "write { name: expression }", "set sets nothing")
	}
	for _, e := range n.Entries {
		v := ff.variable(e.Key, "set")
		if v == nil {
			continue
		}
		p := ff.compile(e.Val, "`"+v.Name+"`", ff.env, v.Type)
		if p == nil {
			continue
		}
		set.Assign = append(set.Assign, flow.Assignment{Pos: ff.Pos(e.Key), Name: v.Name, Expr: p})
		ff.flowsInto(e.Val, p, v, fmt.Sprintf("`%s`", v.Name))
	}
	return set
}

func (ff *File) readBranch(s *step, n *source.Node) flow.Verb {
	b := &flow.Branch{}
	items := ff.List(n, "branch")
	if n.Kind == source.List && len(items) == 0 {
		ff.Fail(n, "empty-value", "write [ { if: EXPR, go: STEP } ]", "branch has no arms")
	}
	for i, item := range items {
		if !ff.Fields(item, "an arm of branch", "if", "go") {
			continue
		}
		arm := flow.Arm{Pos: ff.Pos(item), Go: ff.needTarget(item, "an arm of branch")}
		s.Places["arm "+strconv.Itoa(i+1)] = item.Get("go")
		if c := item.Get("if"); c == nil {
			ff.Fail(item, "missing-key", "add `if: EXPRESSION`; what is left goes to `else` in `next`", "an arm of branch has no `if`")
		} else {
			arm.If = ff.condition(c)
		}
		b.Arms = append(b.Arms, arm)
	}
	return b
}

// condition compiles an if. What it tells is no secret, unless it is one itself.
func (ff *File) condition(n *source.Node) *expression.Program {
	p := ff.compile(n, "if", ff.env, boolType())
	if p != nil && p.Secret() {
		ff.leak(n, p.Uses(), "decide", "an `if` without a comparison")
	}
	return p
}

func (ff *File) readHours(s *step, n *source.Node) flow.Verb {
	h := &flow.Hours{}
	if !ff.Fields(n, "hours", "calendar") {
		return h
	}
	c := n.Get("calendar")
	if c == nil {
		ff.Fail(n, "missing-key", "write { calendar: NAME }", "hours has no `calendar`")
		return h
	}
	if name, ok := ff.Text(c, "calendar"); ok {
		ff.calendar(c, name)
		h.Calendar = name
	}
	return h
}

func (ff *File) readTransfer(s *step, n *source.Node) flow.Verb {
	t := &flow.Transfer{Mode: "blind", Ring: defaultRing}
	if !ff.Fields(n, "transfer", "to", "mode", "ring") {
		return t
	}
	if to := n.Get("to"); to == nil {
		ff.Fail(n, "missing-key", "add `to: \"sip:…\"`", "transfer has no `to`")
	} else {
		t.To = ff.transferTo(to)
	}
	if w, ok := ff.Word(n.Get("mode"), "mode", "blind", "attended"); ok {
		t.Mode = w
	}
	if d, ok := ff.Duration(n.Get("ring"), "ring", time.Second, maxRing); ok {
		t.Ring = d
	}
	return t
}

func (ff *File) transferTo(n *source.Node) *expression.Template {
	t := ff.template(n, "to", ff.env)
	if t == nil {
		return nil
	}
	if t.Secret() {
		ff.leak(n, t.Uses(), "use", "an address")
	}
	scheme, rest, ok := strings.Cut(n.Text, ":")
	switch {
	case strings.HasPrefix(n.Text, "${"):
	case !ok || rest == "" || !slices.Contains([]string{"sip", "tel", "agent", "queue"}, scheme):
		ff.Fail(n, "transfer-to", "write \"sip:USER@HOST\", \"tel:+NUMBER\", \"agent:NAME\" or \"queue:NAME\"", "this is no address to transfer to")
	case scheme == "queue" && !strings.Contains(rest, "${"):
		ff.queue(n, rest)
	case scheme == "agent" && !strings.Contains(rest, "${"):
		ff.agent(n, rest)
	}
	return t
}

func (ff *File) readVoicemail(s *step, n *source.Node) flow.Verb {
	v := &flow.Voicemail{Max: defaultVoicemail}
	if !ff.Fields(n, "voicemail", "box", "max", "transcribe") {
		return v
	}
	if box := n.Get("box"); box == nil {
		ff.Fail(n, "missing-key", "add `box: NAME`", "voicemail has no `box`")
	} else if name, ok := ff.Text(box, "box"); ok {
		v.Box = name
		ff.box(box, name)
	}
	if d, ok := ff.Duration(n.Get("max"), "max", time.Second, maxVoicemail); ok {
		v.Max = d
	}
	if t := n.Get("transcribe"); t != nil {
		v.Transcribe = ff.YesNo(t, "transcribe")
	}
	return v
}

func (ff *File) readEnd(s *step, n *source.Node) flow.Verb {
	e := &flow.End{}
	if n.Kind == source.Null && n.Text != "null" || !ff.Fields(n, "end", "reason", "as") {
		return e
	}
	if r := n.Get("reason"); r != nil {
		if ok := r.Kind == source.Text && strings.Contains(r.Text, "${"); ok {
			ff.Fail(r, "name", "write a plain word such as left", "reason is a plain word, the same for every caller")
		} else {
			e.Reason, _ = ff.Name(r, "a reason")
		}
	}
	if as := n.Get("as"); as != nil {
		if name, ok := ff.Name(as, "as"); ok {
			e.As = name
			switch {
			case n.Get("reason") != nil:
				ff.Fail(as, "wrong-type", "write one of the two", "`as` returns to the calling flow, `reason` ends the interaction")
			case !slices.Contains(ff.Flow.Outcomes, name):
				fix := source.DidYouMean(name, ff.Flow.Outcomes)
				if len(ff.Flow.Outcomes) == 0 {
					fix = fmt.Sprintf("add `outcomes: [%s]` to the flow", name)
				}
				ff.Fail(as, "unknown-outcome", fix, "`%s` is not one of the flow's outcomes", name)
			}
		}
	}
	return e
}
