package desk

import (
	"context"
	"net/http"

	"tandem"
	"tandem/bridge/phone"
	"tandem/bridge/route"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/live"
	"tandem/web/login"
)

// doing is what is asked of a call.
type doing struct {
	Do   phone.Doing  `json:"do" answer:"needed"`
	To   live.Target  `json:"to"`
	Keys string       `json:"keys"`
	Leg  tandem.LegID `json:"leg"`
	Why  string       `json:"why"`
}

func (d *Desk) postCall(w http.ResponseWriter, r *http.Request) error {
	var in doing
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return nil, d.Call(r.Context(), c, phone.Command{Task: id, Do: in.Do, To: phone.Target(in.To), Keys: in.Keys, Leg: in.Leg, Why: in.Why})
	})
}

// postListen listens to a customer whom nobody serves yet.
func (d *Desk) postListen(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Do  phone.Doing `json:"do" answer:"needed"`
		Why string      `json:"why"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	switch in.Do {
	case phone.Listen, phone.Leave:
	default:
		return duty.Invalid("do is listen or leave here")
	}
	return d.done(w, d.Call(r.Context(), login.CallerOf(r.Context()), phone.Command{Interaction: tandem.InteractionID(r.PathValue("id")), Do: in.Do, Why: in.Why}))
}

// done answers what has nothing to tell.
func (d *Desk) done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (d *Desk) getTalk(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	c := login.CallerOf(r.Context())
	t, err := d.TalkOf(c, id)
	if err == nil && !d.AskedIn(c, id) && !d.ReadsAlong(c, id) { // who looks at others' is written down, once in a while
		err = d.looks.once(c.Name()+" talk "+string(t.Interaction), d.o.Now(), func() error {
			return d.o.Door.Record(r.Context(), "interaction.look", string(t.Interaction), "call")
		})
	}
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, t)
	return nil
}

func (d *Desk) postInvite(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Accept *bool `json:"accept" answer:"needed"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	return d.done(w, d.Answer(r.Context(), login.CallerOf(r.Context()), r.PathValue("id"), *in.Accept))
}

func (d *Desk) postPlace(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Client      string               `json:"client" answer:"needed"`
		To          string               `json:"to"`
		Interaction tandem.InteractionID `json:"interaction"`
		Queue       string               `json:"queue"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	t, err := d.Place(r.Context(), login.CallerOf(r.Context()), live.Placing{Client: in.Client, To: in.To, Interaction: in.Interaction, Queue: in.Queue})
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, t)
	return nil
}

func (d *Desk) getServers(w http.ResponseWriter, r *http.Request) error {
	servers, err := d.ICE(login.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, struct {
		Servers any `json:"servers"`
	}{servers})
	return nil
}

func (d *Desk) postAsk(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		fenced
		Step string `json:"step" answer:"needed"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return nil, d.Ask(r.Context(), c, id, in.Fence, in.Step)
	})
}

func (d *Desk) postTakeOver(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Agent string `json:"agent"`
		Why   string `json:"why" answer:"needed"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	t, err := d.TakeOver(r.Context(), login.CallerOf(r.Context()), tandem.InteractionID(r.PathValue("id")), in.Agent, in.Why)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, t)
	return nil
}

func (d *Desk) postLink(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Client    string         `json:"client" answer:"needed"`
		Operation string         `json:"operation" answer:"needed"`
		Params    map[string]any `json:"params"`
		By        string         `json:"by"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return d.SendLink(r.Context(), c, id, live.LinkOrder{Client: in.Client, Operation: in.Operation, Params: in.Params, By: in.By})
	})
}

func (d *Desk) postMove(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		To tandem.Channel `json:"to" answer:"needed"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) { return d.Move(r.Context(), c, id, in.To) })
}

func (d *Desk) postWhisper(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Client string `json:"client" answer:"needed"`
		Text   string `json:"text" answer:"needed"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return nil, d.Whisper(r.Context(), c, id, in.Client, in.Text)
	})
}

// postTake takes a task from the agent who has it, for a queue or another agent.
func (d *Desk) postTake(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Queue string `json:"queue"`
		Agent string `json:"agent"`
		Why   string `json:"why" answer:"needed"`
	}
	who := login.CallerOf(r.Context()).Name()
	check := func() (string, error) {
		p := d.o.Line.Policy()
		switch {
		case (in.Queue == "") == (in.Agent == ""):
			return "", duty.Invalid("say a queue or an agent, one of them")
		case in.Queue != "" && p.Queues[in.Queue] == nil:
			return "", duty.Invalid("there is no queue of this name")
		case in.Agent != "" && p.Agents[in.Agent] == nil:
			return "", duty.Invalid("there is no agent of this name")
		}
		return because("for "+in.Queue+in.Agent, in.Why)
	}
	return d.supervised(w, r, "task.take", &in, check, func(ctx context.Context, t tandem.Task) (any, error) {
		switch {
		case t.State != tandem.TaskAssigned:
			return nil, tandem.Errorf(tandem.CodeConflict, "nobody has this task now; pull it instead")
		case t.Agent == in.Agent:
			return nil, duty.Invalid("%s has it already", in.Agent)
		}
		if in.Agent != "" {
			if err := d.Rings(t, in.Agent); err != nil {
				return nil, err
			}
		}
		return d.changed(d.o.Line.Take(ctx, who, route.Released{Task: t.ID, Agent: t.Agent, Fence: t.Fence, Why: "transferred", Again: true, Queue: in.Queue, Prefer: in.Agent, Alone: in.Agent != ""}))
	})
}

// listed answers with what is known about a task for who does it.
func listed[T any](d *Desk, w http.ResponseWriter, r *http.Request, name string, list func(c login.Caller, id tandem.TaskID) ([]T, map[string]any, error)) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	all, more, err := list(login.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	if all == nil {
		all = []T{}
	}
	out := map[string]any{name: all}
	for k, v := range more {
		out[k] = v
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}
