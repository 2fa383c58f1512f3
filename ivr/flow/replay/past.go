package replay

import (
	"encoding/json"
	"maps"

	"tandem"
	"tandem/ivr/flow"
)

// Of makes a Past of an interaction's journal; leg is the customer's first. ok is false
// if there is nothing to replay: no flow was begun, or the customer is erased. What came
// after the flow had ended is left out: who left and resumed went on from a session that
// stood before its end.
func Of(in tandem.Interaction, leg tandem.Leg, events []tandem.Event) (p Past, ok bool) {
	p = Past{At: in.Started, Facts: flow.Facts{
		Number: in.Number, Entry: in.Entry, Channel: channelOf(leg.Kind), Caller: leg.From, Assurance: leg.Assurance, AssuranceUntil: leg.AssuranceUntil,
	}}
	var carried []bool // for each move by a handoff, in order
	var asked *Step    // that an agent asked, while it runs: no way through the flow
	for _, e := range events {
		if p.Reason != "" {
			break
		}
		switch e.Kind {
		case tandem.EventFlowStarted:
			if d, read := payload[tandem.FlowRef](e); read && p.Flow == "" {
				p.Flow, p.Hash, p.At = d.Flow, d.Hash, e.At
			}
		case tandem.EventStep:
			if d, read := payload[tandem.StepEntered](e); read && p.withAgent() {
				asked = &Step{Flow: d.Flow, Step: d.Step}
			} else if read {
				p.Steps = append(p.Steps, Step{Flow: d.Flow, Step: d.Step, At: e.At})
			}
		case tandem.EventOutcome:
			if d, read := payload[tandem.StepLeft](e); read && asked != nil && asked.Flow == d.Flow && asked.Step == d.Step {
				asked = nil
				p.learned(d.Set)
			} else if read {
				if s := p.open(d.Flow, d.Step); s != nil {
					s.Outcome, s.Next, s.Set, s.At = d.Outcome, d.Next, d.Set, e.At
					if s.asked != nil {
						maps.Copy(s.asked, d.Set)
						s.Set = s.asked
					}
				}
			}
		case tandem.EventFlowError:
			if d, read := payload[tandem.FlowFault](e); read && asked == nil && len(p.Steps) > 0 && p.Steps[len(p.Steps)-1].Step == d.Step {
				p.served(false)
			}
		case tandem.EventTaskAssigned, tandem.EventTakenOver:
			p.served(true)
		case tandem.EventTaskReleased:
			if d, read := payload[tandem.Released](e); read && d.Again {
				p.served(false)
			}
		case tandem.EventFlowEnded:
			if d, read := payload[tandem.FlowEnd](e); read {
				p.Reason = d.Reason
			}
		case tandem.EventMoved:
			if d, read := payload[tandem.Moved](e); read {
				carried = append(carried, d.Carried)
			}
		}
	}
	p.settle(carried)
	return p, p.Flow != "" && len(p.Steps) > 0
}

// open is the newest step of that name that was not left.
func (p *Past) open(name, step string) *Step {
	for i := len(p.Steps) - 1; i >= 0; i-- {
		if s := &p.Steps[i]; s.Flow == name && s.Step == step && s.Outcome == "" {
			return s
		}
	}
	return nil
}

// served notes at the step that waits whether an agent has the customer.
func (p *Past) served(on bool) {
	if n := len(p.Steps); n > 0 && p.Steps[n-1].Outcome == "" {
		p.Steps[n-1].Served = on
	}
}

// withAgent reports that an agent has the customer of the step that waits.
func (p *Past) withAgent() bool {
	n := len(p.Steps)
	return n > 0 && p.Steps[n-1].Outcome == "" && p.Steps[n-1].Served
}

// learned notes at the step that waits what an agent had asked meanwhile.
func (p *Past) learned(set map[string]any) {
	for name, v := range set {
		s := &p.Steps[len(p.Steps)-1]
		if s.asked == nil {
			s.asked = map[string]any{}
		}
		s.asked[name] = v
	}
}

// settle finds the steps that failed: no outcome tells of them, and the flow went on. A
// handoff that was accepted gets what its move says of the assurance.
func (p *Past) settle(carried []bool) {
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Outcome == "accepted" && len(carried) > 0 {
			s.Carried, carried = carried[0], carried[1:]
		}
		s.Fault = s.Outcome == "" && i+1 < len(p.Steps) && p.Steps[i+1].Flow == s.Flow
	}
}

// channelOf is the channel that a leg of the kind speaks on.
func channelOf(k tandem.LegKind) tandem.Channel {
	switch k {
	case tandem.LegChat:
		return tandem.Chat
	case tandem.LegSMS:
		return tandem.SMS
	}
	return tandem.Voice
}

func payload[T any](e tandem.Event) (v T, ok bool) {
	if len(e.Data) == 0 { // its customer is erased
		return v, false
	}
	err := json.Unmarshal(e.Data, &v)
	return v, err == nil
}
