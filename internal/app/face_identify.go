package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/bridge/queue"
	"tandem/ivr/flow"
	"tandem/store"
)

// proving is the state of a talk in which an officer checks who the customer is.
type proving struct {
	Proving tandem.CheckID `json:"proving"`
	Served  bool           `json:"served,omitempty"` // on a call: an officer has the caller
}

const (
	// provingTime is how often a session that waits for a check looks at it by itself, if it
	// was not told.
	provingTime = time.Minute
	// checkKey is before the keys of tasks that a check has opened.
	checkKey = "check:"
)

// provingOf is the check that a session's talk is about.
func provingOf(state json.RawMessage) (tandem.CheckID, bool) {
	var p proving
	return p.Proving, json.Unmarshal(state, &p) == nil && p.Proving != ""
}

// byVideo reports whether a step is to be proved by video here: it is the first of its
// methods that gives the level, and the customer has a page or a telephone to which one is
// sent.
func (a *App) byVideo(w tandem.Who, e flow.Effect) (flow.Identify, bool) {
	ask, ok := e.(flow.Identify)
	if !ok || ask.Check == "" || w.Channel == tandem.SMS || a.faces.checks == nil {
		return ask, false
	}
	for _, method := range append(slices.Clone(ask.By), ask.Fallback) {
		if flow.Gives(method) >= ask.Level {
			return ask, method == flow.ByVideo
		}
	}
	return ask, false
}

// proveByVideo begins the check that a step of a flow asks for, and has an officer come if
// nobody has the customer. Asked again, it is the same check.
func (a *App) proveByVideo(ctx context.Context, w tandem.Who, lib *flow.Library, ask flow.Identify) (flow.Turn, error) {
	policy := lib.Checks[ask.Check]
	if policy == nil {
		policy = a.shelf.Current().Checks[ask.Check]
	}
	if policy == nil {
		return flow.Turn{Done: &flow.Result{Outcome: "unsupported"}}, nil
	}
	hasPage := true
	if w.Channel == tandem.Voice {
		has, may, err := a.mayShow(ctx, w)
		if err != nil || !may {
			return flow.Turn{Done: &flow.Result{Outcome: "unsupported"}}, err
		}
		hasPage = has
	}
	officer, t := a.officerOf(w.Interaction)
	c, err := a.faces.checks.Begin(ctx, check.Order{Key: fmt.Sprintf("%s#%d", ask.Step, ask.Serial), Interaction: w.Interaction, Customer: w.Customer, Leg: w.Leg,
		Policy: policy, By: check.ByFlow, Officer: officer})
	if tandem.CodeOf(err) == tandem.CodeConflict || tandem.CodeOf(err) == tandem.CodeInvalid {
		a.log.Warn("a step cannot be proved by video", "interaction", w.Interaction, "step", ask.Step, "error", err)
		return flow.Turn{Done: &flow.Result{Outcome: "unsupported"}}, nil
	}
	if err != nil {
		return flow.Turn{}, err
	}
	if c.State.Over() {
		return provedTurn(c), nil
	}
	if w.Channel == tandem.Voice {
		return a.proveCaller(ctx, w, c, ask, hasPage)
	}
	if officer == "" {
		if ok, err := a.callOfficer(ctx, w, c); err != nil {
			return flow.Turn{}, err
		} else if !ok {
			if err := a.faces.checks.Gone(ctx, w.Interaction); err != nil {
				return flow.Turn{}, err
			}
			return flow.Turn{Done: &flow.Result{Outcome: "unsupported"}}, nil
		}
	} else if err := a.askForVideo(ctx, officer, t, c); err != nil {
		a.log.Info("the pictures of a check were not asked for", "interaction", w.Interaction, "check", c.ID, "error", err)
	}
	if had, err := a.served(ctx, w.Interaction, checkKey+string(c.ID)); err == nil && had != nil {
		a.told.waits(waiter{task: had.ID, in: w.Interaction, conversation: w.Conversation, serial: ask.Serial, proof: true})
		a.told.add(w.Interaction)
	}
	return provingTurn(c, ask.Step, w.Lang, true)
}

// callOfficer has an agent asked to come, by a task in the policy's queue; false if that
// queue takes nobody now.
func (a *App) callOfficer(ctx context.Context, w tandem.Who, c check.Check) (bool, error) {
	key := checkKey + string(c.ID)
	had, err := a.served(ctx, w.Interaction, key)
	if err != nil || had != nil {
		return true, err
	}
	t := tandem.Task{Interaction: w.Interaction, Kind: kindOn(w.Channel), Queue: c.Policy.Queue, Arrived: a.now(), Lang: w.Lang, Skills: c.Policy.Officers,
		Key: key, Note: "identity check"}
	if t.Queue == "" {
		s, err := a.stored(ctx, w.Interaction)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		if len(s.Frames) > 0 {
			t.Queue = a.queueAt(s)
		} else {
			t.Queue = queueOfFlow(a.shelf.Current(), "")
		}
	}
	_, err = a.line.Open(ctx, t, nil)
	var refused *queue.Refused
	if errors.As(err, &refused) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("having an officer come: %w", err)
	}
	return true, nil
}

// hearProving goes on with a talk about a check: it ends with the check, and whoever writes
// “0” or “stop” ends that.
func (a *App) hearProving(ctx context.Context, w tandem.Who, id tandem.CheckID, step string, in flow.Input) (flow.Turn, error) {
	c, err := a.faces.checks.Find(ctx, id)
	if err != nil {
		return flow.Turn{Done: &flow.Result{Outcome: "failed"}}, nil
	}
	word := strings.ToLower(strings.TrimSpace(in.Text))
	if in.Kind == flow.InputText && !c.State.Over() && slices.Contains([]string{"0", "stop", "停止", "取消"}, word) {
		if c, err = a.faces.checks.Customer(ctx, id, check.Input{Do: "stop"}); err != nil {
			return flow.Turn{}, err
		}
	}
	if c.State.Over() {
		return provedTurn(c), nil
	}
	return provingTurn(c, step, w.Lang, false)
}

// provingTurn waits for a check; new says that it has just begun.
func provingTurn(c check.Check, step, lang string, new bool) (flow.Turn, error) {
	state, err := json.Marshal(proving{Proving: c.ID})
	if err != nil {
		return flow.Turn{}, fmt.Errorf("keeping the state of a talk: %w", err)
	}
	t := flow.Turn{State: state, Wait: flow.Wait{Kind: flow.WaitListen, Step: step, Timeout: provingTime}}
	spoken, text := "en", "A colleague will check with you by video who you are. You are asked in a moment whether you agree; until then please stay on this page."
	if chinese(lang) {
		spoken, text = "zh-CN", "我们的同事将通过视频核验您的身份。稍后会先征得您的同意，请不要离开本页面。"
	}
	if new {
		t.Plays = []flow.Play{{Step: step, Name: "identity_video", Lang: spoken, Parts: []tandem.Part{{Kind: tandem.PartText, Text: text}}}}
	}
	return t, nil
}

// provedTurn ends a talk with what its check came to.
func provedTurn(c check.Check) flow.Turn {
	t := flow.Turn{Done: provedResult(c)}
	if c.State == check.Passed {
		t.Assurance, t.Until = c.Policy.Level, c.Verdict.Until
	}
	return t
}

// provedResult is what a step of a flow is told of its check.
func provedResult(c check.Check) *flow.Result {
	switch c.State {
	case check.Passed:
		return &flow.Result{Outcome: "passed", Until: c.Verdict.Until}
	case check.Declined:
		return &flow.Result{Outcome: "declined"}
	}
	return &flow.Result{Outcome: "failed"}
}

// answerStep tells the step that waits for a check what came of it, if one does.
func (a *App) answerStep(ctx context.Context, c check.Check) error {
	if c.By != check.ByFlow {
		return nil
	}
	if err := a.endCall(ctx, c); err != nil {
		return err
	}
	s, err := a.sessionNow(ctx, c.Interaction)
	wait := s.Wait
	if errors.Is(err, store.ErrNotFound) || err == nil && (wait.Kind != flow.WaitIdentify || !strings.HasSuffix(c.Key, fmt.Sprintf("#%d", wait.Serial))) {
		return nil
	}
	if err == nil {
		err = a.lend(ctx, c)
	}
	if err != nil {
		return err
	}
	err = a.hand(ctx, c.Interaction, flow.Input{Kind: flow.InputResult, At: a.now(), Serial: wait.Serial, Result: provedResult(c)})
	a.told.add(c.Interaction)
	return err
}

// endCall takes the task of a check that has ended out of the line, if nobody has taken it.
func (a *App) endCall(ctx context.Context, c check.Check) error {
	for _, t := range a.line.Of(c.Interaction) {
		if t.Key == checkKey+string(c.ID) && (t.State == tandem.TaskWaiting || t.State == tandem.TaskOffered) {
			if err := a.line.End(ctx, t.ID, tandem.OutcomeClosed, nil); err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
				return err
			}
		}
	}
	return nil
}
