package check

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tandem"
	"tandem/ivr/flow"
)

// Reasons that a verdict may have, by outcome, in the order that they are offered. The
// last one of failed and declined needs words.
func Reasons(outcome State) []string {
	switch outcome {
	case Passed:
		return []string{"same_person", "document_valid", "requests_followed", "answers_right"}
	case Failed:
		return []string{"not_same_person", "document_expired", "document_doubtful", "document_unreadable", "requests_not_followed", "answers_wrong",
			"code_wrong", "second_person", "coached", "virtual_camera", "picture_bad", otherReason}
	case Declined:
		return []string{"customer_declined", "customer_left", "no_document", "no_camera", "picture_bad", "document_unreadable", otherReason}
	}
	return nil
}

const (
	otherReason = "other"
	// Reasons that the machine alone gives.
	reasonSecond      = "second_disagrees"
	reasonStopped     = "customer_stopped"
	reasonDeclined    = "customer_declined"
	reasonLapsed      = "lapsed"
	reasonLost        = "lost"
	reasonLeft        = "customer_left"
	reasonOfficer     = "officer"
	reasonInterrupted = "interrupted"
	reasonErased      = "erased"
)

// maxWords bounds an officer's free text, in bytes.
const maxWords = 1000

// words is free text as it is kept.
func words(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxWords || !utf8.ValidString(s) {
		return "", tandem.Errorf(tandem.CodeInvalid, "the reason has more than %d bytes: say it shorter", maxWords)
	}
	return s, nil
}

// reasoned checks the reasons of an outcome.
func reasoned(outcome State, reasons []string, text string) error {
	if outcome != Passed && len(reasons) == 0 {
		return tandem.Errorf(tandem.CodeInvalid, "say why: choose a reason")
	}
	list := Reasons(outcome)
	for i, r := range reasons {
		if !slices.Contains(list, r) || slices.Contains(reasons[:i], r) {
			return tandem.Errorf(tandem.CodeInvalid, "%q is no reason for %s: choose from %s", r, outcome, strings.Join(list, ", "))
		}
		if r == otherReason && text == "" {
			return tandem.Errorf(tandem.CodeInvalid, "the reason “other” needs words")
		}
	}
	return nil
}

// Words of tandem.CheckStep.Step that no policy has: of the second officer, and of the
// recording that a policy wants (state missing, or present once it runs).
const (
	stepSecond    = "second_officer"
	stepRecording = "recording"
)

// Bar is one thing for which a check cannot be passed now.
type Bar struct {
	Step string // "" = none in particular
	Kind flow.CheckStepKind
	Ask  Texts  // of a comparison: the question
	What string // of a request that was not followed
	// Why is consent (not given), picture (the customer is not seen), not_done, failed, skipped,
	// no or unsure (of a comparison), not_followed (of a request).
	Why string
}

// Bars are all things for which a check cannot be passed now; none = it may be.
func (c *Check) Bars() []Bar {
	var out []Bar
	if c.Consent == nil || !c.Consent.Yes {
		out = append(out, Bar{Why: "consent"})
	}
	if !c.Cut.IsZero() {
		out = append(out, Bar{Why: "picture"})
	}
	for i := range c.Steps {
		out = append(out, c.barsOf(&c.Steps[i])...)
	}
	return out
}

func (c *Check) barsOf(s *Step) (out []Bar) {
	bar := Bar{Step: s.Name, Kind: s.Kind}
	switch s.State {
	case StepDone:
	case StepFailed, StepSkipped:
		bar.Why = string(s.State)
		return []Bar{bar}
	default:
		bar.Why = "not_done"
		return []Bar{bar}
	}
	switch s.Kind {
	case flow.CheckCompareBy:
		for _, q := range c.Policy.Step(s.Name).Compare {
			if said, _ := s.Said[q.Name].(string); said != "yes" {
				bar.Ask, bar.Why = q.Ask, said
				out = append(out, bar)
			}
		}
	case flow.CheckRequest: // what was answered to questions is the officer's to weigh
		for _, what := range slices.Sorted(maps.Keys(s.Said)) {
			if s.Said[what] == "no" {
				bar.What, bar.Why = what, "not_followed"
				out = append(out, bar)
			}
		}
	}
	return out
}

// mayPass says what is missing for the verdict passed, nil = nothing.
func (c *Check) mayPass() error {
	bars := c.Bars()
	if len(bars) == 0 {
		return nil
	}
	switch b := bars[0]; b.Why {
	case "consent":
		return conflict("the customer has not agreed to the check")
	case "picture":
		return conflict("the customer is not seen just now: wait until the picture is back")
	case "not_followed":
		return conflict("the customer did not do what they were asked (%s): such a check cannot pass", b.What)
	case "not_done", string(StepFailed), string(StepSkipped):
		return conflict("step %s is not done: a check passes with all of its steps done", b.Step)
	default:
		_, ask := TextIn(b.Ask, "en")
		return conflict("“%s” was not answered with yes: such a check cannot pass", ask)
	}
}

// noted is what an officer noted about a step as it is kept: answers from closed lists, and
// scores, marked as advice. Whatever else was sent is refused.
func noted(p *flow.CheckPolicyStep, s *Step, said map[string]any, whole bool) (map[string]any, error) {
	out := map[string]any{}
	take := func(name string, allowed map[string]string) error {
		v, given := said[name]
		if !given {
			if !whole {
				return nil
			}
			return tandem.Errorf(tandem.CodeInvalid, "%s of step %s is not answered", name, s.Name)
		}
		word, _ := v.(string)
		kept, ok := allowed[word]
		if !ok {
			return tandem.Errorf(tandem.CodeInvalid, "%s of step %s has an answer that is none", name, s.Name)
		}
		out[name] = kept
		return nil
	}
	var names []string
	allowed := map[string]string{"yes": "yes", "no": "no", "unsure": "unsure"}
	switch p.Kind {
	case flow.CheckQuestions:
		allowed = map[string]string{"right": "right", "yes": "right", "wrong": "wrong", "no": "wrong"}
		for i := range p.Questions {
			names = append(names, p.Questions[i].Called(i))
		}
	case flow.CheckCompareBy:
		for _, q := range p.Compare {
			names = append(names, q.Name)
		}
	case flow.CheckRequest:
		names, whole = s.Drawn, false
	}
	for _, name := range names {
		if err := take(name, allowed); err != nil {
			return nil, err
		}
	}
	for name, v := range said {
		switch {
		case slices.Contains(names, name):
		case name == "likeness" && p.Likeness != "":
			advice, err := score(v)
			if err != nil {
				return nil, err
			}
			out[name] = advice
		default:
			return nil, tandem.Errorf(tandem.CodeInvalid, "step %s asks nothing called %q", s.Name, name)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// score is what a browser computed, marked as advice whatever it says of itself.
func score(v any) (map[string]any, error) {
	const most = 8
	bad := tandem.Errorf(tandem.CodeInvalid, "the score cannot be kept: it has a number, or a few named values")
	out := map[string]any{"advice": true}
	switch v := v.(type) {
	case float64:
		out["value"] = v
	case map[string]any:
		if len(v) > most {
			return nil, bad
		}
		for name, value := range v {
			switch x := value.(type) {
			case float64, bool:
			case string:
				if len(x) > 40 {
					return nil, bad
				}
			case []any:
				if len(x) > most {
					return nil, bad
				}
				for _, n := range x {
					if _, number := n.(float64); !number {
						return nil, bad
					}
				}
			default:
				return nil, bad
			}
			if len(name) > 40 {
				return nil, bad
			}
			out[name] = value
		}
		out["advice"] = true
	default:
		return nil, bad
	}
	return out, nil
}
