package flow

import (
	"slices"
	"strconv"
)

// Edge is one way out of a step as it is written: one entry of `next`, one choice, one
// arm. Outcomes are those under which the engine leaves by it (tandem.StepLeft.Outcome).
type Edge struct {
	Label    string // "" for a plain next; the outcome, "else", a choice's keys, or "arm 1"
	Outcomes []string
	To       string // a step, ToEnd or ToRepeat
}

// Edges lists the ways out of a step, each once, in the order a reader of the file
// expects: choices or arms, then the verb's outcomes, then skipped, loop and not_assured.
func (s *Step) Edges() []Edge {
	var out []Edge
	switch v := s.Verb.(type) {
	case nil, *End:
		return nil
	case *Menu:
		for i, c := range v.Choices {
			label := c.Keys
			if label == "" {
				label = "choice " + strconv.Itoa(i+1)
			}
			out = append(out, Edge{label, []string{label}, c.Go})
		}
		if v.From != nil {
			e := Edge{Label: "choice", To: v.From.Go}
			most := 9
			if v.From.Max > 0 && v.From.Max < most {
				most = v.From.Max
			}
			for i := range most {
				e.Outcomes = append(e.Outcomes, strconv.Itoa(i+1))
			}
			out = append(out, e)
		}
	case *Branch:
		for i, a := range v.Arms {
			label := "arm " + strconv.Itoa(i+1)
			out = append(out, Edge{label, []string{label}, a.Go})
		}
	}
	outcomes := slices.Clone(s.Verb.Outcomes())
	if s.If != nil && !slices.Contains(outcomes, "skipped") {
		outcomes = append(outcomes, "skipped")
	}
	var rest []string
	for _, o := range outcomes {
		if to, ok := s.Next.By[o]; ok {
			out = append(out, Edge{o, []string{o}, to})
		} else {
			rest = append(rest, o)
		}
	}
	if len(rest) > 0 && s.Next.Else != "" {
		out = append(out, Edge{"else", rest, s.Next.Else})
	}
	if len(rest) > 0 && s.Next.To != "" {
		out = append(out, Edge{"", rest, s.Next.To})
	}
	for _, o := range []string{"loop", "not_assured"} {
		if to, ok := s.Next.By[o]; ok {
			out = append(out, Edge{o, []string{o}, to})
		}
	}
	return out
}
