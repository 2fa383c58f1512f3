// Package desk is the agents' and supervisors' part of the staff API, below /api/v1/:
// web/api/openapi.yaml is what it speaks, and tests hold it to that. Its WebSocket is
// web/desk/live.
//
// It runs no goroutine but those of live, which Close ends. It asks who somebody is for every
// request, shows an agent nothing of what others have, writes what supervisors do and who
// listens into the audit log before it is done, and decides nothing about the line: that is
// bridge/queue's. What agents do is web/desk/duty. It keeps nothing, and logs no text, key,
// or number.
package desk

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"tandem"
	"tandem/bridge/hook"
	"tandem/bridge/survey"
	"tandem/bridge/ticket"
	"tandem/media/webrtc"
	"tandem/store/staff"
	"tandem/web/desk/board"
	"tandem/web/desk/duty"
	"tandem/web/desk/live"
	"tandem/web/desk/story"
	"tandem/web/desk/view"
)

// Keys are programs' keys; store/staff has them.
type Keys interface {
	Keys(ctx context.Context) ([]staff.Key, error)
	MakeKey(ctx context.Context, by staff.Actor, k staff.Key) (secret string, made staff.Key, err error)
	RevokeKey(ctx context.Context, by staff.Actor, id string) error
}

var _ Keys = (*staff.Register)(nil)

// Tickets are work orders; bridge/ticket has them.
type Tickets interface {
	Find(ctx context.Context, task tandem.TaskID) (ticket.Detail, error)
	Change(ctx context.Context, by string, c ticket.Change) (ticket.Ticket, error)
}

// Surveys are what customers answered; bridge/survey has them.
type Surveys interface {
	Figures(ctx context.Context, from, to time.Time) ([]survey.Figure, error)
}

// Hooks are where events are sent to; bridge/hook has them.
type Hooks interface {
	List() []hook.Subscription
	Find(id string) (hook.Subscription, error)
	Add(ctx context.Context, by string, w hook.Wanted) (hook.Subscription, string, error)
	Change(ctx context.Context, id string, w hook.Wanted) (hook.Subscription, error)
	SetActive(ctx context.Context, id string, on bool) (hook.Subscription, error)
	Remove(ctx context.Context, id string) error
	Rotate(ctx context.Context, id string) (hook.Subscription, string, error)
	Deliveries(ctx context.Context, id, before string, limit int) ([]hook.Delivery, error)
	Replay(ctx context.Context, id string, since, until time.Time) (queued int, err error)
	ReplayOne(ctx context.Context, id, delivery string) error
}

var (
	_ Tickets = (*ticket.Desk)(nil)
	_ Surveys = (*survey.Desk)(nil)
	_ Hooks   = (*hook.Desk)(nil)
)

// Options is what a Desk is made of. Overview, Voice, Faces, Checks, Panicked, Times, Sockets and Each may be left out.
type Options struct {
	duty.Options
	Keys     Keys
	Tickets  Tickets
	Surveys  Surveys
	Hooks    Hooks
	Overview Overview   // what the board shows besides the line
	Voice    live.Voice // nil = browsers do not speak
	Panicked func()     // counts a fault of ours, which ends its socket only
	Times    live.Times // of sockets
	Sockets  int        // at once; 5,000
	Each     int        // sockets of one user or key; 32
	Log      *slog.Logger
}

// Desk answers agents and supervisors. Its methods are safe from any goroutine.
type Desk struct {
	*duty.Duty
	o     *Options
	board *board.Board
	floor *live.Floor
	told  *story.Teller
	looks looks
	keyed keyed
	plays plays
}

// New makes a Desk and begins to follow the line.
func New(o Options) (*Desk, error) {
	if o.Line == nil || o.Door == nil || o.Keys == nil || o.Journal == nil || o.Talks == nil || o.Say == nil || o.Tickets == nil || o.Surveys == nil ||
		o.Hooks == nil || o.Calls == nil || o.Flows == nil || o.Ways == nil || o.Reasons == nil || o.Dispositions == nil || o.Phone == nil || o.Display == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("desk: Options need all but Voice, Faces, Checks, Servers, Seat, Panicked, Times, Sockets and Each")
	}
	d := &Desk{Duty: duty.New(&o.Options), o: &o, board: o.Overview.Board}
	if d.board == nil {
		d.board = board.New(o.Now, nil)
	}
	var alerts func(uint64) (json.RawMessage, uint64)
	if o.Overview.Alerts != nil {
		alerts = d.firing
	}
	var faces live.Faces
	if o.Faces != nil {
		faces = o.Faces
	}
	var err error
	d.floor, err = live.New(live.Options{Line: o.Line, Door: o.Door, Work: d.Duty, Talks: o.Talks, Board: d.board, Alerts: alerts, Phone: o.Phone, Seat: o.Seat, Calls: o.Calls, Voice: o.Voice, Faces: faces,
		Reads: duty.Group(duty.Readers).Holds, Supervises: duty.Group(duty.Overseers).Holds,
		Panicked: o.Panicked, Times: o.Times, Sockets: o.Sockets, Each: o.Each, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	d.Sit(d.floor)
	d.told = &story.Teller{Journal: o.Journal, Line: o.Line, Now: o.Now}
	return d, nil
}

// Close closes every socket so that its client comes back a little later, and lets in no
// more. It returns when all that was begun has ended; what has not by the end of ctx is cut
// off.
func (d *Desk) Close(ctx context.Context) error { return d.floor.Close(ctx) }

// Voice tells the page of somebody's seat something. It does not wait.
func (d *Desk) Voice(who, seat string, s webrtc.Signal) { d.floor.Voice(who, seat, s) }

// Screen tells a page of somebody something about the pictures of an interaction. It does not
// wait.
func (d *Desk) Screen(who string, in tandem.InteractionID, page string, s webrtc.Signal) {
	d.floor.Screen(who, in, page, s)
}

// Beside has those who have the call of an interaction hear the chat that stands beside it
// from now on. It does not wait.
func (d *Desk) Beside(in tandem.InteractionID) { d.floor.Beside(in) }

// RoleLink tells the agent of a task what became of a link by which somebody may join. It does
// not wait.
func (d *Desk) RoleLink(task tandem.TaskID, l view.RoleLink) { d.floor.RoleLink(task, l) }

// There reports whether somebody has a socket open.
func (d *Desk) There(who string) bool { return d.floor.There(who) }

// Link tells those who serve an interaction's customer what became of a link. It does not wait.
func (d *Desk) Link(in tandem.InteractionID, l view.Offered) { d.floor.Link(in, l) }

// Asked tells an agent what came of a step that they asked a flow to run. It does not wait.
func (d *Desk) Asked(agent string, t view.Told) { d.floor.Asked(agent, t) }

// Sockets is how many are open.
func (d *Desk) Sockets() int { return d.floor.Sockets() }
