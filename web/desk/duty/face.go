package duty

import (
	"context"
	"errors"
	"io"
	"slices"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/phone"
	"tandem/bridge/route"
	"tandem/media/webrtc"
	"tandem/store"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// Faces are voice and pictures beside texts and calls; internal/app. Errors are *tandem.Error.
// Who may ask what has been looked at.
type Faces interface {
	live.Faces
	// Upgrade does what the agent of a task wants.
	Upgrade(ctx context.Context, agent string, t tandem.Task, o live.UpgradeOrder) (view.Upgrade, error)
	// Screen takes what a page of somebody tells of its pictures. role is as what they are
	// there: only agent and specialist may show anything.
	Screen(ctx context.Context, who string, role tandem.Role, in tandem.InteractionID, page string, s webrtc.Signal) error
	// Invite makes a link by which one person may join in a role.
	Invite(ctx context.Context, agent string, t tandem.Task, role tandem.Role) (view.RoleLink, error)
	// Revoke makes one of a task void; not found if there is none.
	Revoke(ctx context.Context, agent string, t tandem.Task, link string) error
	// Look tells of a link before it is used, and does not use it. An error of code not_found
	// says the same of every link that opens nothing.
	Look(ctx context.Context, token string) (view.RoleLook, error)
	// Join uses one for somebody who is logged in: once.
	Join(ctx context.Context, who, token string) (view.Joined, error)
}

// Checks are identity checks; internal/app. Errors are *tandem.Error.
type Checks interface {
	Policies() []view.CheckPolicy
	Begin(ctx context.Context, agent string, t tandem.Task, policy string) (view.Check, error)
	// Do does what the officer, who has the customer, wants.
	Do(ctx context.Context, officer string, o live.CheckOrder) (view.Check, error)
	// Second is the word of another agent, whom the policy allows.
	Second(ctx context.Context, officer string, id tandem.CheckID, agree bool, why string) (view.Check, error)
	// Find is one, over or not; not found otherwise.
	Find(ctx context.Context, id tandem.CheckID) (view.Check, error)
	// List are those of an interaction, or all in a state; the newest first.
	List(ctx context.Context, in tandem.InteractionID, state string, limit int) ([]view.Check, error)
}

const (
	maxUpgradeWhy = 200 // characters of the reason that the customer reads
	maxSaid       = 64  // things that are noted of one step
	maxReasons    = 20
	maxToken      = 100 // bytes
)

var errNoFaces error = tandem.Errorf(tandem.CodeUnavailable, "there are no voice and pictures here: webrtc.listen is empty")

// Upgrade does what the agent of a task wants of voice and pictures.
func (d *Duty) Upgrade(ctx context.Context, c login.Caller, id tandem.TaskID, o live.UpgradeOrder) (view.Upgrade, error) {
	if d.o.Faces == nil {
		return view.Upgrade{}, errNoFaces
	}
	h, err := d.facing(c, id)
	if err != nil {
		return view.Upgrade{}, err
	}
	switch o.Do {
	case "ask", "change":
		switch {
		case o.Level != tandem.LevelVoice && o.Level != tandem.LevelVideo && (o.Do == "ask" || o.Level != tandem.LevelText):
			return view.Upgrade{}, Invalid("level is voice or video; text is the end of it")
		case o.Level != tandem.LevelText && h.Kind.Load() != tandem.LoadVoice:
			if up, _ := d.o.Seat(name(c)); !up {
				return view.Upgrade{}, tandem.Errorf(tandem.CodeConflict, "connect your microphone at the desk first: the customer hears you by it")
			}
		}
	case "approve", "deny", "end":
		if o.Level != "" {
			return view.Upgrade{}, Invalid("level is for ask and change alone")
		}
	default:
		return view.Upgrade{}, Invalid("do is ask, approve, deny, change or end")
	}
	if o.Why != "" {
		if o.Why, err = Text(o.Why, "why", maxUpgradeWhy); err != nil {
			return view.Upgrade{}, err
		}
	}
	return d.o.Faces.Upgrade(ctx, name(c), h.Task, o)
}

// facing is a task of somebody whom the agent talks with now.
func (d *Duty) facing(c login.Caller, id tandem.TaskID) (Held, error) {
	h, err := d.assigned(c, id)
	if err == nil && !h.Kind.Live() && h.Kind.Load() != tandem.LoadVoice {
		err = tandem.Errorf(tandem.CodeConflict, "nobody talks with this customer now")
	}
	return h, err
}

// faced is as what a caller sees the customer of an interaction: its agent, who is in its
// call, or a supervisor who listens.
func (d *Duty) faced(c login.Caller, in tandem.InteractionID) (tandem.Role, bool) {
	who := name(c)
	if who == "" || !tandem.ValidID(string(in)) {
		return "", false
	}
	if d.has(c, in) {
		return tandem.RoleAgent, true
	}
	for _, t := range d.o.Calls.Talks() {
		if t.Interaction != in {
			continue
		}
		at := slices.IndexFunc(t.Parties, func(p phone.Party) bool { return p.Name == who && p.Role != tandem.RoleCustomer })
		if at >= 0 && t.Parties[at].State != phone.StateRinging {
			return t.Parties[at].Role, true
		}
	}
	return "", false
}

// Screen takes what a page tells of its pictures.
func (d *Duty) Screen(ctx context.Context, c login.Caller, in tandem.InteractionID, page string, s webrtc.Signal) error {
	if d.o.Faces == nil {
		return errNoFaces
	}
	role, ok := d.faced(c, in)
	if !ok {
		return tandem.Errorf(tandem.CodeNotFound, "you have nothing to do with this customer")
	}
	return d.o.Faces.Screen(ctx, name(c), role, in, page, s)
}

// InviteLink makes a link by which one person may join the room of a task.
func (d *Duty) InviteLink(ctx context.Context, c login.Caller, id tandem.TaskID, role tandem.Role) (view.RoleLink, error) {
	if d.o.Faces == nil {
		return view.RoleLink{}, errNoFaces
	}
	h, err := d.facing(c, id)
	if err != nil {
		return view.RoleLink{}, err
	}
	if role != tandem.RoleSpecialist && role != tandem.RoleListener {
		return view.RoleLink{}, Invalid("role is specialist or listener")
	}
	return d.o.Faces.Invite(ctx, name(c), h.Task, role)
}

// RevokeLink makes such a link void.
func (d *Duty) RevokeLink(ctx context.Context, c login.Caller, id tandem.TaskID, link string) error {
	if d.o.Faces == nil {
		return errNoFaces
	}
	h, err := d.assigned(c, id)
	if err != nil {
		return err
	}
	if !tandem.ValidID(link) {
		return tandem.Errorf(tandem.CodeNotFound, "there is no such link")
	}
	return d.o.Faces.Revoke(ctx, name(c), h.Task, link)
}

// errNoLink is said of every token that opens nothing, whatever the reason.
func errNoLink() error {
	return tandem.Errorf(tandem.CodeNotFound, "this link opens nothing: it was used, has expired, or was revoked. Ask for another one")
}

// LookLink tells of a link before it is used.
func (d *Duty) LookLink(ctx context.Context, c login.Caller, token string) (view.RoleLook, error) {
	if err := d.mayJoin(c, token); err != nil {
		return view.RoleLook{}, err
	}
	l, err := d.o.Faces.Look(ctx, token)
	if unknown(err) {
		err = errNoLink()
	}
	return l, err
}

// Join uses one.
func (d *Duty) Join(ctx context.Context, c login.Caller, token string) (view.Joined, error) {
	if err := d.mayJoin(c, token); err != nil {
		return view.Joined{}, err
	}
	j, err := d.o.Faces.Join(ctx, name(c), token)
	if unknown(err) {
		err = errNoLink()
	}
	return j, err
}

func unknown(err error) bool {
	return tandem.CodeOf(err) == tandem.CodeNotFound || errors.Is(err, store.ErrNotFound)
}

// mayJoin lets people join who have logged in; programs do not.
func (d *Duty) mayJoin(c login.Caller, token string) error {
	switch {
	case !d.Speaks(c) || name(c) == "":
		return tandem.Errorf(tandem.CodeForbidden, "only agents and supervisors join, who have logged in")
	case d.o.Faces == nil:
		return errNoFaces
	case token == "" || len(token) > maxToken:
		return errNoLink()
	}
	return nil
}

// Check does what an officer wants of an identity check: the agent who has its customer, as
// of now. Its second officer is another one.
func (d *Duty) Check(ctx context.Context, c login.Caller, o live.CheckOrder) (view.Check, error) {
	if d.o.Checks == nil {
		return view.Check{}, errNoFaces
	}
	if c.Agent() == "" {
		return view.Check{}, tandem.Errorf(tandem.CodeForbidden, "only agents do this")
	}
	if err := checked(&o); err != nil {
		return view.Check{}, err
	}
	if o.Do == "begin" {
		h, err := d.facing(c, o.Task)
		if err != nil {
			return view.Check{}, err
		}
		return d.o.Checks.Begin(ctx, c.Agent(), h.Task, o.Policy)
	}
	k, err := d.check(ctx, o.Check)
	if err != nil {
		return view.Check{}, err
	}
	has := d.has(c, k.Interaction)
	if o.Do == "second" {
		switch {
		case k.State != "second" || !slices.Contains(k.Seconds, c.Agent()):
			if has {
				return view.Check{}, tandem.Errorf(tandem.CodeConflict, "another officer than its own looks at this check, whom the policy allows, once its verdict awaits them")
			}
			return view.Check{}, noCheck()
		case c.Agent() == k.Officer:
			return view.Check{}, tandem.Errorf(tandem.CodeForbidden, "the second officer is somebody else")
		}
		return d.o.Checks.Second(ctx, c.Agent(), k.ID, *o.Agree, o.Why)
	}
	if !has { // perhaps in the call, but not whose customer it is
		return view.Check{}, noCheck()
	}
	return d.o.Checks.Do(ctx, c.Agent(), o)
}

// has reports whether an agent has the customer of an interaction.
func (d *Duty) has(c login.Caller, in tandem.InteractionID) bool {
	if c.Agent() == "" {
		return false
	}
	a, _ := d.o.Line.Agent(c.Agent()) // of nobody known nothing is held
	return slices.ContainsFunc(a.Holds, func(h route.Holding) bool {
		return h.Interaction == in && h.State == tandem.TaskAssigned && (h.Kind.Live() || h.Kind.Load() == tandem.LoadVoice)
	})
}

func noCheck() error { return tandem.Errorf(tandem.CodeNotFound, "you have no such check") }

func (d *Duty) check(ctx context.Context, id tandem.CheckID) (view.Check, error) {
	if !tandem.ValidID(string(id)) {
		return view.Check{}, noCheck()
	}
	k, err := d.o.Checks.Find(ctx, id)
	if unknown(err) {
		err = noCheck()
	}
	return k, err
}

// checked looks at what an order says.
func checked(o *live.CheckOrder) (err error) {
	if o.Why != "" {
		if o.Why, err = Text(o.Why, "why", MaxReason); err != nil {
			return err
		}
	}
	if o.Step, err = Word(o.Step, "the step", MaxShort); err != nil {
		return err
	}
	if o.Policy, err = Word(o.Policy, "the policy", MaxShort); err != nil {
		return err
	}
	switch o.Do {
	case "begin", "capture", "skip", "second_face", "resend_code":
	case "done", "fail":
		if len(o.Said) > maxSaid {
			return Invalid("said has at most %d things", maxSaid)
		}
	case "restart", "abort":
		if o.Why == "" {
			return Invalid("say why: it is written down")
		}
	case "decide":
		if o.Outcome != "passed" && o.Outcome != "failed" && o.Outcome != "declined" {
			return Invalid("outcome is passed, failed or declined")
		}
		if len(o.Reasons) > maxReasons || len(o.Reasons) == 0 && o.Outcome != "passed" {
			return Invalid("reasons has 1 to %d of them; of passed it may be empty", maxReasons)
		}
		for i, r := range o.Reasons {
			if o.Reasons[i], err = Text(r, "a reason", MaxReason); err != nil {
				return err
			}
		}
		return nil
	case "second":
		if o.Agree == nil {
			return Invalid("agree is true or false")
		}
	default:
		return Invalid("do is none of the words of docs/protocol.md")
	}
	if o.Outcome != "" || len(o.Reasons) > 0 {
		return Invalid("outcome and reasons are for decide alone")
	}
	return nil
}

// CheckOf is a check as a caller may see it: who has its customer, its second officer, and
// readers; theirs is false of those.
func (d *Duty) CheckOf(ctx context.Context, c login.Caller, id tandem.CheckID) (k view.Check, theirs bool, err error) {
	if d.o.Checks == nil {
		return k, false, errNoFaces
	}
	if k, err = d.check(ctx, id); err != nil {
		return k, false, err
	}
	switch {
	case c.Agent() != "" && (d.has(c, k.Interaction) || k.State == "second" && slices.Contains(k.Seconds, c.Agent())):
		return k, true, nil
	case Group(Readers).Holds(c):
		return k, false, nil
	}
	return view.Check{}, false, noCheck()
}

// ChecksOf are the checks of an interaction, or those in a state, as a caller may see them.
func (d *Duty) ChecksOf(ctx context.Context, c login.Caller, in tandem.InteractionID, state string) ([]view.Check, error) {
	if d.o.Checks == nil {
		return nil, errNoFaces
	}
	reads := Group(Readers).Holds(c)
	switch {
	case in != "" && !tandem.ValidID(string(in)):
		return nil, Invalid("interaction is none")
	case in != "" && !reads && !d.has(c, in):
		return nil, tandem.Errorf(tandem.CodeNotFound, "you have nothing to do with this customer")
	case in == "" && state == "":
		return nil, Invalid("say an interaction, or a state")
	}
	all, err := d.o.Checks.List(ctx, in, state, maxChecks)
	if err != nil {
		return nil, err
	}
	if !reads {
		all = slices.DeleteFunc(all, func(k view.Check) bool {
			return !d.has(c, k.Interaction) && !(k.State == "second" && slices.Contains(k.Seconds, c.Agent()))
		})
	}
	return all, nil
}

const maxChecks = 100 // that are listed at once

// CheckPolicies are those that can be begun.
func (d *Duty) CheckPolicies() ([]view.CheckPolicy, error) {
	if d.o.Checks == nil {
		return nil, errNoFaces
	}
	return d.o.Checks.Policies(), nil
}

// Evidence opens a still of a check for somebody who says why: it is in the audit log and in
// the journal before the first byte.
func (d *Duty) Evidence(ctx context.Context, c login.Caller, id tandem.CheckID, still tandem.BlobID, why string) (io.ReadCloser, store.BlobRef, error) {
	var none store.BlobRef
	why, err := Text(why, "why", maxWhy)
	if err != nil {
		return nil, none, err
	}
	if !tandem.ValidID(string(still)) {
		return nil, none, tandem.Errorf(tandem.CodeNotFound, "the check has no such still")
	}
	k, theirs, err := d.CheckOf(ctx, c, id)
	if err != nil {
		return nil, none, err
	}
	if !theirs && !Group(Overseers).Holds(c) {
		return nil, none, tandem.Errorf(tandem.CodeForbidden, "only supervisors look at the stills of others")
	}
	if !k.Has(still) {
		return nil, none, tandem.Errorf(tandem.CodeNotFound, "the check has no such still")
	}
	if err := d.o.Door.Record(ctx, "evidence.look", string(k.Interaction), string(id)+" "+string(still)+": "+why); err != nil {
		return nil, none, err
	}
	return d.o.Journal.OpenBlob(ctx, still, Actor(c), why)
}

// beside is the chat that stands beside a call, or stood before it; conflict if there is none.
func (d *Duty) beside(ctx context.Context, t *tandem.Task) (chat.Conversation, error) {
	talk, err := d.o.Talks.ByInteraction(ctx, t.Interaction, tandem.Chat)
	if errors.Is(err, store.ErrNotFound) {
		err = errNoWriting()
	}
	return talk, err
}

func errNoWriting() error {
	return tandem.Errorf(tandem.CodeConflict, "nobody writes to this customer now: it is no chat and no text")
}
