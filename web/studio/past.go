package studio

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"tandem"
	"tandem/store"
	"tandem/web/answer"
)

// pastPage is how many interactions come at once.
const pastPage = 50

// past is an interaction in a list.
type past struct {
	ID      tandem.InteractionID `json:"id"`
	Number  tandem.Number        `json:"number"`
	At      time.Time            `json:"at"`
	Channel tandem.Channel       `json:"channel"`
	Outcome string               `json:"outcome"`
	Hash    string               `json:"hash"`
	Seconds float64              `json:"seconds"` // up to now, if it goes on
}

func (s *Studio) getInteractions(w http.ResponseWriter, r *http.Request) error {
	f := store.Filter{Flow: r.PathValue("name"), Limit: pastPage}
	if before := r.URL.Query().Get("before"); before != "" {
		if !tandem.ValidID(before) {
			return tandem.Errorf(tandem.CodeInvalid, "before is the id of an interaction")
		}
		f.Before = tandem.InteractionID(before)
	}
	list, err := s.o.Journal.List(r.Context(), f)
	if err != nil {
		return err
	}
	out := []past{}
	for _, in := range list {
		ended := in.Ended
		if ended.IsZero() {
			ended = s.o.Now()
		}
		out = append(out, past{in.ID, in.Number, in.Started, channelOf(in.Kind), in.Outcome, in.FlowHash, max(0, ended.Sub(in.Started).Seconds())})
	}
	answer.JSON(w, http.StatusOK, struct {
		Interactions []past `json:"interactions"`
	}{out})
	return nil
}

// channelOf is the channel that a leg of some kind speaks.
func channelOf(k tandem.LegKind) tandem.Channel {
	switch k {
	case tandem.LegChat:
		return tandem.Chat
	case tandem.LegSMS:
		return tandem.SMS
	}
	return tandem.Voice
}

// look reads an interaction, found by its id, once it is in the audit log who looks.
func (s *Studio) look(ctx context.Context, id string) (store.Story, error) {
	if !tandem.ValidID(id) {
		return store.Story{}, tandem.Errorf(tandem.CodeInvalid, "give an interaction by its id")
	}
	if err := s.o.Door.Record(ctx, "interaction.look", id, "studio"); err != nil {
		return store.Story{}, err
	}
	return s.o.Journal.Interaction(ctx, id)
}

// taken is one step of an interaction. What it says, pressed and set is as the journal
// has it: secrets are not in it.
type taken struct {
	At      time.Time      `json:"at"`
	Flow    string         `json:"flow"`
	Step    string         `json:"step"`
	Verb    string         `json:"verb"`
	Outcome string         `json:"outcome"` // "" = it was not left, or by a fault
	Next    string         `json:"next"`
	Said    []string       `json:"said"`
	Pressed string         `json:"pressed"`
	Set     map[string]any `json:"set"`
	Fault   string         `json:"fault"` // what went wrong in it
}

func (s *Studio) getPath(w http.ResponseWriter, r *http.Request) error {
	story, err := s.look(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	in := story.Interaction
	answer.JSON(w, http.StatusOK, struct {
		Number tandem.Number `json:"number"`
		Flow   string        `json:"flow"`
		Hash   string        `json:"hash"`
		Erased bool          `json:"erased"`
		Steps  []taken       `json:"steps"`
	}{in.Number, in.Flow, in.FlowHash, !story.Customer.Erased.IsZero(), pathOf(story, "")})
	return nil
}

// pathOf is the steps an interaction took, in one flow or, by "", in all. Once its
// customer is erased there is none.
func pathOf(story store.Story, only string) []taken {
	out := []taken{}
	for _, e := range story.Events {
		switch e.Kind {
		case tandem.EventStep:
			if d, ok := payload[tandem.StepEntered](e); ok {
				out = append(out, taken{At: e.At, Flow: d.Flow, Step: d.Step, Verb: d.Verb, Said: []string{}, Set: map[string]any{}})
			}
		case tandem.EventOutcome:
			if d, ok := payload[tandem.StepLeft](e); ok {
				if t := last(out, func(t *taken) bool { return t.Flow == d.Flow && t.Step == d.Step && t.Outcome == "" }); t != nil {
					t.Outcome, t.Next = d.Outcome, d.Next
					if d.Set != nil {
						t.Set = d.Set
					}
				}
			}
		case tandem.EventPrompt: // told when it has been heard: the step may have been left
			if d, ok := payload[tandem.Prompted](e); ok {
				if t := last(out, func(t *taken) bool { return t.Step == d.Step }); t != nil {
					t.Said = append(t.Said, d.Text)
				}
			}
		case tandem.EventInput:
			if d, ok := payload[tandem.Pressed](e); ok {
				if t := last(out, func(t *taken) bool { return t.Step == d.Step }); t != nil {
					t.Pressed += d.Keys
				}
			}
		case tandem.EventFlowError:
			if d, ok := payload[tandem.FlowFault](e); ok {
				if t := last(out, func(t *taken) bool { return t.Step == d.Step }); t != nil {
					t.Fault = d.Message
				}
			}
		}
	}
	if only == "" {
		return out
	}
	return slices.DeleteFunc(out, func(t taken) bool { return t.Flow != only })
}

// last is the newest step that fits, or nil.
func last(steps []taken, fits func(*taken) bool) *taken {
	for i := range slices.Backward(steps) {
		if fits(&steps[i]) {
			return &steps[i]
		}
	}
	return nil
}

func payload[T any](e tandem.Event) (v T, ok bool) {
	if len(e.Data) == 0 { // its customer is erased
		return v, false
	}
	err := json.Unmarshal(e.Data, &v)
	return v, err == nil
}
