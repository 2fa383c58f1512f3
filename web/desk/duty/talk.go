package duty

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/store"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
	"tandem/web/login"
)

const (
	maxKeys = 32  // that are played at once
	maxWhy  = 200 // characters of why somebody listens
)

// name is who a caller is in a call.
func name(c login.Caller) string {
	if a := c.Agent(); a != "" || c.Key.ID != "" {
		return a
	}
	return c.User.Name
}

// Speaks reports whether a caller may have a seat.
func (d *Duty) Speaks(c login.Caller) bool { return Group(Speakers).Holds(c) }

// ICE are the servers that a page's connection for voice may use.
func (d *Duty) ICE(c login.Caller) (any, error) {
	if d.o.Servers == nil {
		return nil, tandem.Errorf(tandem.CodeUnavailable, "browsers do not speak here: webrtc.listen is empty")
	}
	return d.o.Servers(name(c))
}

// Call does something with a call, or listens to one or to a chat. A supervisor's listening
// is written down first.
func (d *Duty) Call(ctx context.Context, c login.Caller, do phone.Command) (err error) {
	if do.Task != "" && !tandem.ValidID(string(do.Task)) || do.Leg != "" && !tandem.ValidID(string(do.Leg)) {
		return NoTask()
	}
	if do.Why != "" {
		if do.Why, err = Text(do.Why, "why", maxWhy); err != nil {
			return err
		}
	}
	if len(do.Keys) > maxKeys || strings.Trim(do.Keys, "0123456789*#ABCD") != "" || (do.Do == phone.Keys) != (do.Keys != "") {
		return Invalid("keys are up to %d of 0-9 * # A-D, for keys alone", maxKeys)
	}
	switch do.Do {
	case phone.Listen, phone.Whisper, phone.Barge:
		return d.oversee(ctx, c, do)
	case phone.Leave:
		if d.floor.Unlisten(name(c), do.Task) {
			if _, in := d.part(c, do.Task); !in {
				return nil
			}
		}
		if do.Task == "" && tandem.ValidID(string(do.Interaction)) && Group(Overseers).Holds(c) { // a customer whom nobody serves
			return d.o.Calls.Do(ctx, name(c), do)
		}
	case phone.Hold, phone.Resume, phone.Mute, phone.Unmute, phone.Keys, phone.Consult, phone.Swap, phone.Merge, phone.Complete, phone.Drop:
	case phone.Remove:
		if _, in := d.part(c, do.Task); !in && Group(Overseers).Holds(c) {
			return d.oversee(ctx, c, do)
		}
	default:
		return Invalid("do is none of the words of docs/protocol.md")
	}
	return d.inCall(ctx, c, do)
}

// inCall does what somebody asks of a call that they are in.
func (d *Duty) inCall(ctx context.Context, c login.Caller, do phone.Command) (err error) {
	role, in := d.part(c, do.Task)
	switch {
	case !in:
		h, err := d.Holding(c, do.Task)
		if err != nil {
			return err
		}
		if h.Now != tandem.TaskAssigned || h.Kind.Load() != tandem.LoadVoice {
			return tandem.Errorf(tandem.CodeConflict, "you are in no call of this task now")
		}
	case role != tandem.RoleAgent && role != tandem.RoleSpecialist && do.Do != phone.Leave && do.Do != phone.Mute && do.Do != phone.Unmute:
		return tandem.Errorf(tandem.CodeForbidden, "who listens or whispers only leaves; barge in first")
	case d.guest(c, do.Task) != "" && do.Do != phone.Leave && do.Do != phone.Mute && do.Do != phone.Unmute:
		return tandem.Errorf(tandem.CodeForbidden, "who joined by a link speaks and leaves; all else is the agent's")
	case c.Agent() == "" && do.Do != phone.Leave && do.Do != phone.Mute && do.Do != phone.Unmute:
		return tandem.Errorf(tandem.CodeForbidden, "only agents do this")
	}
	if do.Do == phone.Consult {
		if do.To, err = d.whom(c, do.To); err != nil {
			return err
		}
	} else if do.To != (phone.Target{}) {
		return Invalid("to is for consult alone")
	}
	do.Interaction = ""
	return d.o.Calls.Do(ctx, name(c), do)
}

// whom checks who is to be asked in.
func (d *Duty) whom(c login.Caller, to phone.Target) (phone.Target, error) {
	switch {
	case (to.Agent == "") == (to.Number == ""):
		return to, Invalid("say an agent or a number, one of them")
	case to.Agent == name(c):
		return to, Invalid("you are in it already")
	case to.Agent != "" && d.o.Line.Policy().Agents[to.Agent] == nil:
		return to, Invalid("there is no agent of this name")
	case to.Number != "":
		n, err := d.o.Ways.Number(to.Number)
		return phone.Target{Number: n}, err
	}
	return to, nil
}

// part is as what a caller is in the call of a task.
func (d *Duty) part(c login.Caller, id tandem.TaskID) (tandem.Role, bool) {
	t, ok := d.o.Calls.Talk(id)
	who := name(c)
	if !ok || who == "" {
		return "", false
	}
	at := slices.IndexFunc(t.Parties, func(p phone.Party) bool { return p.Name == who })
	switch {
	case at >= 0:
		return t.Parties[at].Role, true
	case t.Agent == who:
		return tandem.RoleAgent, true
	}
	return "", false
}

// AskedIn reports whether an agent takes part in the call of a task that is another's, or is
// asked to: then they may read what its agent reads.
func (d *Duty) AskedIn(c login.Caller, id tandem.TaskID) bool {
	if c.Agent() == "" {
		return false
	}
	if d.guest(c, id) != "" { // they take part, and have it in no other way
		return false
	}
	if role, in := d.part(c, id); in && (role == tandem.RoleAgent || role == tandem.RoleSpecialist) {
		return true
	}
	return slices.ContainsFunc(d.o.Calls.Invites(c.Agent()), func(i phone.Invite) bool { return i.Task == id })
}

// guest is as what a caller takes part in the call of a task who joined by a link; "" = they
// did not.
func (d *Duty) guest(c login.Caller, id tandem.TaskID) tandem.Role {
	t, ok := d.o.Calls.Talk(id)
	who := name(c)
	if !ok || who == "" {
		return ""
	}
	for _, p := range t.Parties {
		if p.Name == who && p.Guest {
			return p.Role
		}
	}
	return ""
}

// ReadsAlong reports whether a caller joined the call of a task by a link as one who reads
// its chat.
func (d *Duty) ReadsAlong(c login.Caller, id tandem.TaskID) bool {
	return d.guest(c, id) == tandem.RoleSpecialist
}

// TalkOf is a call as a caller may see it: those who are in it, and readers.
func (d *Duty) TalkOf(c login.Caller, id tandem.TaskID) (view.Talk, error) {
	t, ok := d.o.Calls.Talk(id)
	_, in := d.part(c, id)
	if !ok || !in && !Group(Readers).Holds(c) {
		return view.Talk{}, tandem.Errorf(tandem.CodeNotFound, "there is no such call")
	}
	return view.TalkOf(t, name(c), Group(Readers).Holds(c)), nil
}

// Answer answers somebody who asks an agent into a call.
func (d *Duty) Answer(ctx context.Context, c login.Caller, invite string, accept bool) error {
	if c.Agent() == "" || !slices.ContainsFunc(d.o.Calls.Invites(c.Agent()), func(i phone.Invite) bool { return i.ID == invite }) {
		return tandem.Errorf(tandem.CodeNotFound, "nobody asks you into this call, or not any more")
	}
	if up, _ := d.o.Seat(c.Agent()); accept && !up && !d.o.Phone(c.Agent()) {
		return noVoice(c.Agent())
	}
	return d.o.Calls.Answer(ctx, c.Agent(), invite, accept)
}

func noVoice(agent string) error {
	return tandem.Errorf(tandem.CodeConflict, "a call is taken by the desk's page, or on a phone: connect your microphone there, or have one configured: agents.%s.phone", agent)
}

// oversee is a supervisor's part in what others do: it is in the audit log, with why, before
// it begins.
func (d *Duty) oversee(ctx context.Context, c login.Caller, do phone.Command) error {
	if !Group(Overseers).Holds(c) {
		return tandem.Errorf(tandem.CodeForbidden, "only supervisors do this")
	}
	if do.Why == "" {
		return Invalid("say why: it is written down")
	}
	t, ok := d.o.Line.Task(do.Task)
	if do.Task == "" {
		t, ok = tandem.Task{Interaction: do.Interaction, Kind: tandem.TaskCall}, tandem.ValidID(string(do.Interaction))
	}
	if !ok {
		return tandem.Errorf(tandem.CodeNotFound, "there is no such task in line")
	}
	_, writes := channelOf(t.Kind)
	if !writes && t.Kind.Load() != tandem.LoadVoice {
		return tandem.Errorf(tandem.CodeConflict, "nobody speaks or writes with this customer now")
	}
	_, spoken := d.o.Calls.Talk(do.Task) // a chat may have voice beside it
	if writes && (do.Do == phone.Listen || do.Do == phone.Barge || !spoken) {
		hears := spoken && d.hears(c) // without sound here they read what is written
		if err := d.readAlong(ctx, c, t, do); err != nil || !hears {
			return err
		}
	}
	if _, ok := d.o.Calls.Talk(do.Task); !ok && do.Task != "" {
		return tandem.Errorf(tandem.CodeConflict, "nobody speaks with this customer now")
	}
	if err := d.o.Door.Record(ctx, "call."+string(do.Do), string(t.Interaction), do.Why); err != nil {
		return err
	}
	do.To = phone.Target{}
	if do.Task != "" {
		do.Interaction = ""
	}
	return d.o.Calls.Do(ctx, name(c), do)
}

// hears tells whether a caller has a page or a phone by which they hear a call.
func (d *Duty) hears(c login.Caller) bool {
	up, _ := d.o.Seat(name(c))
	return up || d.o.Phone(name(c))
}

// readAlong has a supervisor follow the chat of a task, and write to it if they barge in.
func (d *Duty) readAlong(ctx context.Context, c login.Caller, t tandem.Task, do phone.Command) error {
	role := tandem.RoleListener
	switch do.Do {
	case phone.Listen:
	case phone.Barge:
		role = tandem.RoleAgent
	default:
		return Invalid("in a chat there is listen, barge and leave; to whisper, write")
	}
	if t.State != tandem.TaskAssigned || t.Agent == name(c) {
		return tandem.Errorf(tandem.CodeConflict, "no other agent serves this customer now")
	}
	if d.floor.Listens(name(c), t.ID) == role {
		return nil
	}
	if err := d.o.Door.Record(ctx, "chat."+string(do.Do), string(t.Interaction), do.Why); err != nil {
		return err
	}
	e := tandem.NewEvent(t.Interaction, "", d.o.Now(), tandem.EventListened, name(c), tandem.Listening{Who: name(c), Role: role, Why: do.Why})
	if err := d.o.Journal.Commit(ctx, &store.Change{Events: []tandem.Event{e}, Living: true}); err != nil {
		return err
	}
	d.floor.Listen(c, t, role)
	return nil
}

// barged is a task whose customer a supervisor writes to beside its agent.
func (d *Duty) barged(c login.Caller, id tandem.TaskID) (Held, bool) {
	if !Group(Overseers).Holds(c) || d.floor.Listens(name(c), id) != tandem.RoleAgent {
		return Held{}, false
	}
	t, ok := d.o.Line.Task(id)
	return Held{Task: t, agent: name(c), Now: t.State}, ok && t.State == tandem.TaskAssigned
}

// Whisper tells the agent of a chat something that its customer does not see; it is a note in
// the journal. The same client id again is the same.
func (d *Duty) Whisper(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) error {
	if !Group(Overseers).Holds(c) {
		return tandem.Errorf(tandem.CodeForbidden, "only supervisors do this")
	}
	words, err := Text(words, "the whisper", MaxNote)
	if err == nil {
		err = clientID(client)
	}
	if err != nil {
		return err
	}
	t, ok := d.o.Line.Task(id)
	_, writes := channelOf(t.Kind)
	switch {
	case !ok:
		return tandem.Errorf(tandem.CodeNotFound, "there is no such task in line")
	case !writes || t.State != tandem.TaskAssigned:
		return tandem.Errorf(tandem.CodeConflict, "no agent writes to this customer now")
	}
	if err := d.o.Door.Record(ctx, "chat.whisper", string(t.Interaction), "to "+t.Agent); err != nil {
		return err
	}
	now := d.o.Now()
	e := tandem.NewEvent(t.Interaction, "", now, tandem.EventNoted, name(c), tandem.Noted{Task: id, Text: words})
	err = d.o.Journal.Commit(ctx, &store.Change{Key: "whisper " + string(id) + " " + name(c) + " " + client, Events: []tandem.Event{e}, Living: true})
	if errors.Is(err, store.ErrDuplicate) {
		return nil
	}
	if err == nil {
		d.floor.Whisper(t.Agent, live.Whispered{Task: id, From: name(c), Text: words, At: now})
	}
	return err
}

// Place calls a number, or the customer of an interaction, for an agent.
func (d *Duty) Place(ctx context.Context, c login.Caller, p live.Placing) (view.Task, error) {
	a, ok := d.o.Line.Agent(c.Agent())
	policy := d.o.Line.Policy()
	up, _ := d.o.Seat(c.Agent())
	switch {
	case c.Agent() == "":
		return view.Task{}, tandem.Errorf(tandem.CodeForbidden, "only agents do this")
	case !ok || policy.Agents[c.Agent()] == nil:
		return view.Task{}, NoAgent()
	case (p.To == "") == (p.Interaction == ""):
		return view.Task{}, Invalid("say a number or an interaction, one of them")
	case p.Queue != "" && policy.Queues[p.Queue] == nil:
		return view.Task{}, Invalid("there is no queue of this name")
	case clientID(p.Client) != nil:
		return view.Task{}, clientID(p.Client)
	case !up && !d.o.Phone(c.Agent()):
		return view.Task{}, noVoice(c.Agent())
	}
	if p.Interaction != "" {
		if err := d.mayCall(ctx, p.Interaction, func(in tandem.InteractionID) bool {
			for _, h := range a.Holds {
				if h.Interaction == in && h.State != tandem.TaskOffered {
					return true
				}
			}
			return false
		}); err != nil {
			return view.Task{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, placeTime)
	defer cancel()
	t, err := d.o.Ways.Place(ctx, c.Agent(), p)
	if err != nil {
		return view.Task{}, err
	}
	return d.View(t), nil
}

// placeTime bounds the opening of a call that an agent places.
const placeTime = 15 * time.Second

// mayCall lets an agent call customers of interactions of which they have a task, or of
// earlier ones of the same customer.
func (d *Duty) mayCall(ctx context.Context, in tandem.InteractionID, theirs func(tandem.InteractionID) bool) error {
	none := tandem.Errorf(tandem.CodeNotFound, "you have nothing to do with this interaction")
	if !tandem.ValidID(string(in)) {
		return none
	}
	if theirs(in) {
		return nil
	}
	s, err := d.o.Journal.Interaction(ctx, string(in))
	if errors.Is(err, store.ErrNotFound) || err == nil && s.Interaction.Customer == "" {
		return none
	}
	if err != nil {
		return err
	}
	list, err := d.o.Journal.List(ctx, store.Filter{Customer: s.Interaction.Customer, Going: true, Limit: maxGoing})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(one store.Summary) bool { return theirs(one.ID) }) {
		return nil
	}
	return none
}

// maxGoing is how many of a customer's open interactions are looked at.
const maxGoing = 20
