package engine

import (
	"fmt"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Node is a step as it stands for an agent who has the customer.
type Node struct {
	Flow, Step string
	Verb       flow.Verb
	Here       bool // where the customer was taken out
	Secret     bool // what is entered there reaches nobody but the flow, or the world
	Go, Ask    Words
}

// Words say why not; zero = it may be.
type Words tandem.Words

// IsZero reports that nothing stands against it.
func (w Words) IsZero() bool { return w == Words{} }

// Nodes lists the steps of the flows under way, the one called last first, each flow in the
// order of its file, and after them those of the flow that an agent may start meanwhile: where a
// customer whom an agent has may be handed back to, and what may be asked of them. It
// changes nothing.
func Nodes(l *flow.Library, s flow.Session, now time.Time) ([]Node, error) {
	if s.Asked != nil {
		s = without(s)
	}
	r, err := take(l, s, flow.Input{At: now})
	if err != nil || r == nil {
		return nil, err
	}
	var out []Node
	for i := len(r.s.Frames) - 1; i >= 0; i-- {
		f := r.lib.Flows[r.s.Frames[i].Flow]
		for _, name := range f.Order {
			step := f.Steps[name]
			here := i == len(r.s.Frames)-1 && name == r.s.Frames[i].Step
			out = append(out, Node{f.Name, name, step.Verb, here, secret(step.Verb), mayGo(r, i, step), mayAsk(r, i, step)})
		}
	}
	if d := r.during(); d != nil && r.index(d.Name) < 0 {
		for _, name := range d.Order {
			step := d.Steps[name]
			out = append(out, Node{d.Name, name, step.Verb, false, secret(step.Verb), guestOnly, mayAsk(r, -1, step)})
		}
	}
	return out, nil
}

// index is the frame that a flow runs in; -1 = none.
func (r *run) index(name string) int {
	for i := range r.s.Frames {
		if r.s.Frames[i].Flow == name {
			return i
		}
	}
	return -1
}

// secret tells whether a step's entry is a secret.
func secret(v flow.Verb) bool {
	switch v := v.(type) {
	case *flow.Collect:
		return v.Secrecy != flow.Open
	case *flow.IdentifyStep, *flow.ResumeStep:
		return true
	}
	return false
}

var (
	guestOnly = Words{"This flow is only for asking; the customer is not in it.", "该流程只供提问，客户不在其中。"}
	afterLeft = Words{"Only customers who have left come to this step.", "只有已离开的客户才会进入该步骤。"}
	notAsked  = Words{"A step of this kind is not run for an agent.", "这类步骤不能由客服发起。"}
)

// mayGo says why a customer may not be handed back at a step of the flow in frame i: the
// level that holds now is too low for it, or for a step that leads there; the channel cannot
// do it; or it is for those who have left.
func mayGo(r *run, i int, step *flow.Step) Words {
	if w := levels(r, i, step); !w.IsZero() {
		return w
	}
	if w := works(r, step); !w.IsZero() {
		return w
	}
	if onlyLeft(r.lib.Flows[r.s.Frames[i].Flow])[step.Name] {
		return afterLeft
	}
	return Words{}
}

// mayAsk says why a step may not be run for an agent: it does not talk to the customer, or
// ends that, or leads them away from the agent; or as mayGo.
func mayAsk(r *run, i int, step *flow.Step) Words {
	switch step.Verb.(type) {
	case *flow.Say, *flow.Menu, *flow.Collect, *flow.ConsentStep, *flow.Language, *flow.IdentifyStep, *flow.LinkStep, *flow.Message, *flow.SurveyStep,
		*flow.Answer, *flow.RecordStep:
	default:
		return notAsked
	}
	if w := levels(r, i, step); !w.IsZero() {
		return w
	}
	return works(r, step)
}

func works(r *run, step *flow.Step) Words {
	if c := r.s.Facts.Channel; !flow.Works(step.Verb, c) {
		return Words{fmt.Sprintf("%s cannot be done on %s.", step.Verb.Verb(), c), fmt.Sprintf("%s 渠道无法执行 %s。", c, step.Verb.Verb())}
	}
	return Words{}
}

// levels holds the customer's level against that of a step, and of the steps that have
// called the flow in frame i.
func levels(r *run, i int, step *flow.Step) Words {
	have, needs := r.s.Facts.Level(r.now), step.Needs
	for j := range max(i, 0) {
		f := &r.s.Frames[j]
		needs = max(needs, r.lib.Flows[f.Flow].Steps[f.Step].Needs)
	}
	if have >= needs {
		return Words{}
	}
	return Words{
		fmt.Sprintf("The step needs the level %s; the customer has %s now.", needs, have),
		fmt.Sprintf("该步骤需要身份级别 %s，客户当前为 %s。", needs, have),
	}
}

// onlyLeft are the steps of a flow to which only on_leave leads.
func onlyLeft(f *flow.Flow) map[string]bool {
	if f.OnLeave == "" {
		return nil
	}
	there := func(from ...string) map[string]bool {
		seen := map[string]bool{}
		for len(from) > 0 {
			name := from[0]
			from = from[1:]
			step := f.Steps[name]
			if step == nil || seen[name] {
				continue
			}
			seen[name] = true
			for _, e := range step.Edges() {
				from = append(from, e.To)
			}
		}
		return seen
	}
	from := []string{f.Start, f.OnError}
	for _, c := range f.Commands {
		from = append(from, c.Go)
	}
	reached, left := there(from...), there(f.OnLeave)
	for name := range left {
		if reached[name] {
			delete(left, name)
		}
	}
	return left
}
