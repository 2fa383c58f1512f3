package desk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/web/answer"
	"tandem/web/desk/board"
	"tandem/web/desk/duty"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// maxPriority bounds what is asked for; the policy bounds what counts.
const maxPriority = 24 * time.Hour

// limit reads how many are wanted of a list.
func limit(s string, standard int) (int, error) {
	if s == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 200 {
		return 0, duty.Invalid("limit is a number from 1 to 200")
	}
	return n, nil
}

// span reads two times, RFC 3339; "" is none.
func span(since, until string) (from, to time.Time, err error) {
	for _, one := range []struct {
		s  string
		of *time.Time
	}{{since, &from}, {until, &to}} {
		if one.s == "" {
			continue
		}
		if *one.of, err = time.Parse(time.RFC3339, one.s); err != nil {
			return from, to, duty.Invalid("since and until are times such as 2026-11-22T09:00:00Z")
		}
	}
	return from, to, nil
}

// oneOf reads a value that is one of a few; "" is none of them.
func oneOf[T ~string](name, value string, all ...T) (T, error) {
	if value == "" || slices.Contains(all, T(value)) {
		return T(value), nil
	}
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = string(one)
	}
	return "", duty.Invalid("%s is one of %s", name, strings.Join(words, ", "))
}

func (d *Desk) getQueues(w http.ResponseWriter, _ *http.Request) error {
	figures, since := d.board.Figures(d.o.Line)
	answer.JSON(w, http.StatusOK, struct {
		Queues []board.Figures `json:"queues"`
		Since  time.Time       `json:"since"`
	}{figures, since})
	return nil
}

func (d *Desk) getAgents(w http.ResponseWriter, _ *http.Request) error {
	out := struct {
		Agents []view.Agent `json:"agents"`
	}{[]view.Agent{}}
	for _, a := range d.o.Line.Agents() {
		out.Agents = append(out.Agents, d.AgentView(a))
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func (d *Desk) getPolicy(w http.ResponseWriter, _ *http.Request) error {
	answer.JSON(w, http.StatusOK, policyOf(d.o.Line.Policy()))
	return nil
}

// linePage is how many tasks come at once, unless it is said.
const linePage = 50

func (d *Desk) getLine(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	n, err := limit(q.Get("limit"), linePage)
	if err != nil {
		return err
	}
	after, err := board.ParseSpot(q.Get("after"))
	if err != nil {
		return err
	}
	state, err := oneOf("state", q.Get("state"), tandem.TaskWaiting, tandem.TaskOffered, tandem.TaskAssigned, tandem.TaskWrapping)
	if err != nil {
		return err
	}
	kind, err := oneOf("kind", q.Get("kind"), tandem.TaskCall, tandem.TaskChat, tandem.TaskText, tandem.TaskCallback, tandem.TaskVoicemail, tandem.TaskTicket)
	if err != nil {
		return err
	}
	ids, next, total := d.board.Page(board.Filter{Queue: q.Get("queue"), Kind: kind, State: state, Agent: q.Get("agent")}, after, n)
	out := struct {
		Tasks []view.Task `json:"tasks"`
		Next  string      `json:"next,omitempty"`
		Total int         `json:"total"`
	}{[]view.Task{}, next, total}
	for _, id := range ids {
		if t, ok := d.o.Line.Task(id); ok {
			out.Tasks = append(out.Tasks, d.View(t))
		}
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// supervised does what a supervisor asks of a task in line, once it is in the audit log.
func (d *Desk) supervised(w http.ResponseWriter, r *http.Request, action string, in any, check func() (detail string, err error), do func(ctx context.Context, t tandem.Task) (any, error)) error {
	return d.withTask(w, r, in, func(_ login.Caller, id tandem.TaskID) (any, error) {
		detail, err := check()
		if err != nil {
			return nil, err
		}
		t, ok := d.o.Line.Task(id)
		if !ok {
			return nil, tandem.Errorf(tandem.CodeNotFound, "there is no such task in line")
		}
		if err := d.o.Door.Record(r.Context(), action, string(id), detail); err != nil {
			return nil, err
		}
		return do(r.Context(), t)
	})
}

// because adds the reason that a supervisor gave to what the audit log says.
func because(detail, why string) (string, error) {
	if why == "" {
		return detail, nil
	}
	why, err := duty.Text(why, "the reason", duty.MaxReason)
	return detail + ": " + why, err
}

func (d *Desk) postPriority(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Seconds *float64 `json:"seconds" answer:"needed"`
		Why     string   `json:"why"`
	}
	check := func() (string, error) {
		if *in.Seconds > maxPriority.Seconds() || *in.Seconds < -maxPriority.Seconds() {
			return "", duty.Invalid("seconds is a head start of up to a day")
		}
		return because(fmt.Sprintf("%g s", *in.Seconds), in.Why)
	}
	return d.supervised(w, r, "task.priority", &in, check, func(ctx context.Context, t tandem.Task) (any, error) {
		p := time.Duration(*in.Seconds * float64(time.Second))
		return d.changed(d.o.Line.Change(ctx, route.Changed{Task: t.ID, Priority: &p, Why: "priority"}, nil))
	})
}

// changed is the answer that has a task, unless there is an error.
func (d *Desk) changed(t tandem.Task, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return d.View(t), nil
}

func (d *Desk) postQueue(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Queue string `json:"queue" answer:"needed"`
		Why   string `json:"why"`
	}
	check := func() (string, error) {
		if d.o.Line.Policy().Queues[in.Queue] == nil {
			return "", duty.Invalid("there is no queue of this name")
		}
		return because("to "+in.Queue, in.Why)
	}
	return d.supervised(w, r, "task.queue", &in, check, func(ctx context.Context, t tandem.Task) (any, error) {
		return d.changed(d.o.Line.Change(ctx, route.Changed{Task: t.ID, Queue: in.Queue, Why: "transfer", Unserved: true}, nil))
	})
}

func (d *Desk) postPull(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Agent string `json:"agent" answer:"needed"`
		Why   string `json:"why"`
	}
	check := func() (string, error) {
		if d.o.Line.Policy().Agents[in.Agent] == nil {
			return "", duty.Invalid("there is no agent of this name")
		}
		return because("to "+in.Agent, in.Why)
	}
	return d.supervised(w, r, "task.pull", &in, check, func(ctx context.Context, t tandem.Task) (any, error) {
		return d.changed(d.o.Line.Pull(ctx, t.ID, in.Agent))
	})
}

func (d *Desk) postEnd(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Why string `json:"why" answer:"needed"`
	}
	check := func() (string, error) { return duty.Text(in.Why, "the reason", duty.MaxReason) }
	return d.supervised(w, r, "task.end", &in, check, func(ctx context.Context, t tandem.Task) (any, error) {
		return nil, d.o.Line.End(ctx, t.ID, tandem.OutcomeClosed, nil)
	})
}

// agentName reads the agent of an address.
func (d *Desk) agentName(r *http.Request) (string, error) {
	name := r.PathValue("name")
	if d.o.Line.Policy().Agents[name] == nil {
		return "", duty.NoAgent()
	}
	return name, nil
}

func (d *Desk) putAgentPresence(w http.ResponseWriter, r *http.Request) error {
	name, err := d.agentName(r)
	if err != nil {
		return err
	}
	var in struct {
		Presence tandem.Presence `json:"presence" answer:"needed"`
		Reason   string          `json:"reason"`
		Why      string          `json:"why"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	switch in.Presence { // before it is written down, which a name of no kind is not
	case tandem.PresenceAvailable, tandem.PresenceAway, tandem.PresenceOffline:
	default:
		return duty.Invalid("presence is available, away or offline")
	}
	detail, err := because(string(in.Presence), in.Why)
	if err != nil {
		return err
	}
	if err := d.o.Door.Record(r.Context(), "agent.presence", name, detail); err != nil {
		return err
	}
	a, err := d.Present(r.Context(), name, in.Presence, in.Reason)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, a)
	return nil
}

func (d *Desk) postAgentWrap(w http.ResponseWriter, r *http.Request) error {
	name, err := d.agentName(r)
	if err != nil {
		return err
	}
	var in struct {
		Fence uint64 `json:"fence" answer:"needed"`
		Why   string `json:"why"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	detail, err := because(fmt.Sprintf("offer %d", in.Fence), in.Why)
	if err != nil {
		return err
	}
	if err := d.o.Door.Record(r.Context(), "agent.wrap", name, detail); err != nil {
		return err
	}
	if err := d.o.Line.Wrap(r.Context(), name, in.Fence, "", true); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
