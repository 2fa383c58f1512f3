package desk

import (
	"net/http"
	"strconv"

	"tandem"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/view"
	"tandem/web/login"
)

func (d *Desk) getAgent(w http.ResponseWriter, r *http.Request) error {
	a, ok := d.o.Line.Agent(login.CallerOf(r.Context()).Agent())
	if !ok {
		return duty.NoAgent()
	}
	reasons := d.o.Reasons()
	if reasons == nil {
		reasons = []duty.Reason{}
	}
	dispositions, must := d.o.Dispositions()
	answer.JSON(w, http.StatusOK, struct {
		Agent        view.Agent    `json:"agent"`
		Display      string        `json:"display"`
		Reasons      []duty.Reason `json:"reasons"`
		Dispositions []duty.Reason `json:"dispositions"`
		Required     []string      `json:"required"`
	}{d.AgentView(a), d.o.Display(r.Context(), a.Name), reasons, append([]duty.Reason{}, dispositions...), append([]string{}, must...)})
	return nil
}

// presence is what is asked for of an agent.
type presence struct {
	Presence tandem.Presence `json:"presence" answer:"needed"`
	Reason   string          `json:"reason"`
}

func (d *Desk) putPresence(w http.ResponseWriter, r *http.Request) error {
	var in presence
	if !answer.Read(w, r, &in) {
		return errDone
	}
	a, err := d.Present(r.Context(), login.CallerOf(r.Context()).Agent(), in.Presence, in.Reason)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, a)
	return nil
}

func (d *Desk) putAlive(w http.ResponseWriter, r *http.Request) error {
	name := login.CallerOf(r.Context()).Agent()
	if _, ok := d.o.Line.Agent(name); !ok {
		return duty.NoAgent()
	}
	d.floor.Seen(name)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// fenced is a request about an offer.
type fenced struct {
	Fence uint64 `json:"fence" answer:"needed"`
}

func (d *Desk) postAccept(w http.ResponseWriter, r *http.Request) error {
	var in fenced
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) { return d.Accept(r.Context(), c, id, in.Fence) })
}

// withTask reads a request about a task, does what it asks, and answers with what comes of
// it: nothing for nil.
func (d *Desk) withTask(w http.ResponseWriter, r *http.Request, in any, do func(c login.Caller, id tandem.TaskID) (any, error)) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	if !answer.Read(w, r, in) {
		return errDone
	}
	out, err := do(login.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	if out == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func (d *Desk) postDecline(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		fenced
		Why string `json:"why"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return nil, d.Decline(r.Context(), c, id, in.Fence, in.Why)
	})
}

func (d *Desk) postRelease(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		fenced
		Outcome string `json:"outcome"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		if in.Outcome != "" && in.Outcome != "done" {
			return nil, duty.Invalid("the outcome is done; to give the customer back to the flow there is hand_back")
		}
		return d.Release(r.Context(), c, id, in.Fence, "done")
	})
}

func (d *Desk) postHandBack(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		fenced
		Step string `json:"step"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return d.HandBack(r.Context(), c, id, in.Fence, in.Step)
	})
}

func (d *Desk) postTransfer(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		fenced
		Queue string `json:"queue"`
		Agent string `json:"agent"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return d.Transfer(r.Context(), c, id, in.Fence, in.Queue, in.Agent)
	})
}

func (d *Desk) postWrap(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		fenced
		Disposition string `json:"disposition"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return nil, d.Wrap(r.Context(), c, id, in.Fence, in.Disposition)
	})
}

func (d *Desk) postNote(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Client string `json:"client" answer:"needed"`
		Text   string `json:"text" answer:"needed"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		err := d.Note(r.Context(), c, id, in.Client, in.Text)
		if tandem.CodeOf(err) != tandem.CodeNotFound || !duty.Group(duty.Writers).Holds(c) {
			return nil, err
		}
		t, _, err := d.visible(c, id, duty.Writers) // a supervisor's
		if err != nil {
			return nil, err
		}
		return nil, d.Comment(r.Context(), c, t.Interaction, id, in.Client, in.Text)
	})
}

// visible is a task that the caller has or is asked into, or that they may see as one of
// others; theirs says that it is not by that.
func (d *Desk) visible(c login.Caller, id tandem.TaskID, others ...duty.Group) (t tandem.Task, theirs bool, err error) {
	h, err := d.Readable(c, id)
	if err == nil {
		h.Task.State = h.Now
		return h.Task, true, nil
	}
	if d.AskedIn(c, id) {
		if t, ok := d.o.Line.Task(id); ok {
			return t, true, nil
		}
	}
	for _, g := range others {
		if g.Holds(c) {
			if t, ok := d.o.Line.Task(id); ok {
				return t, false, nil
			}
			if t, ok := d.floor.Done(id); ok {
				return t, false, nil
			}
			return t, false, tandem.Errorf(tandem.CodeNotFound, "there is no such task in line; what is done is found by its interaction")
		}
	}
	return t, false, err
}

// readable is visible, of a task whose chat is to be read: by who joined by a link, too.
func (d *Desk) readable(c login.Caller, id tandem.TaskID) (t tandem.Task, theirs bool, err error) {
	if d.ReadsAlong(c, id) {
		if t, ok := d.o.Line.Task(id); ok {
			return t, true, nil
		}
	}
	return d.visible(c, id, duty.Readers)
}

// page is how many messages come at once.
const messagePage = 100

func (d *Desk) getMessages(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	since := uint64(0)
	if s := r.URL.Query().Get("since"); s != "" {
		if since, err = strconv.ParseUint(s, 10, 63); err != nil {
			return duty.Invalid("since is the rev of a message")
		}
	}
	t, theirs, err := d.readable(login.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	talk, err := d.Talk(r.Context(), &t)
	if err != nil {
		return err
	}
	if !theirs {
		err := d.looks.once(login.CallerOf(r.Context()).Name()+" "+string(t.Interaction), d.o.Now(), func() error {
			return d.o.Door.Record(r.Context(), "interaction.look", string(t.Interaction), "messages")
		})
		if err != nil {
			return err
		}
	}
	entries, err := d.o.Talks.Since(r.Context(), talk.ID, since, messagePage)
	if err != nil {
		return err
	}
	out := struct {
		Messages []view.Message `json:"messages"`
		Rev      uint64         `json:"rev"`
	}{[]view.Message{}, since}
	for i := range entries {
		out.Messages = append(out.Messages, view.MessageOf(&entries[i]))
		out.Rev = entries[i].Rev
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func (d *Desk) postMessage(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Client string `json:"client" answer:"needed"`
		Text   string `json:"text" answer:"needed"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		return d.Say(r.Context(), c, id, in.Client, in.Text)
	})
}

func (d *Desk) postTyping(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		On bool `json:"on" answer:"needed"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) { return nil, d.Typing(r.Context(), c, id, in.On) })
}
