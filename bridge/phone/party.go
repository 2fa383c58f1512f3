package phone

import (
	"context"
	"time"

	"tandem"
	"tandem/bridge/room"
	"tandem/media"
	"tandem/media/video"
	"tandem/sip"
	"tandem/store"
)

// party is one leg in a talk: a customer's call, a phone that we called or an agent's seat.
// The talk's goroutine alone looks at it.
type party struct {
	Party
	stream *media.Stream
	caller Caller // a customer's
	out    *out   // a phone's
	seat   Seat   // a browser's
	record tandem.Leg
	before media.Stats // of a seat's stream, as its leg began

	overseer bool // a supervisor who came unasked
	engaged  bool // whom the line counts as busy for it
	away     bool // their phone holds us
	lent     bool // somebody else plays to them
	stop     context.CancelFunc
	taped    bool
	screen   Screen // as it was last seen

	joined   time.Time // since when they are in the room; zero = they are not
	told     tandem.Joined
	heldFrom time.Time
	heldFor  time.Duration
}

// Notes are what a talk is told of its parties.
type (
	left struct { // they are gone for good
		p *party
		t tandem.Termination
	}
	holds struct { // their phone holds us, or no more
		p  *party
		on bool
	}
	moved struct { // their seat is connected in another way now
		p     *party
		seat  Seat // which: a party may have another by now
		state SeatState
	}
)

// part is the party as the room sees it.
func (t *talk) part(p *party) room.Party {
	away := p.away || p.State == StateCut
	screen := t.s.screen(t.in, p.Leg, p.Name)
	t.pictured(p, screen)
	return room.Party{Stream: p.stream, Part: room.Part{Role: p.Role, Muted: p.Muted, Held: p.Held, Away: away, Lent: p.lent},
		Leg: string(p.Leg), Camera: screen.Camera, Display: screen.Display, Eyes: screen.Eyes}
}

// watch tells the talk what becomes of a party until ctx ends.
func (t *talk) watch(p *party) {
	ctx, cancel := context.WithCancel(t.ctx)
	p.stop = cancel
	seat := p.seat
	t.going.Go(func() {
		defer func() {
			if fault := recover(); fault != nil {
				t.s.o.Panicked(fault)
				t.note(ctx, left{p, tandem.Terminate(tandem.BySystem, tandem.ReasonPanic)})
			}
		}()
		switch {
		case p.caller != nil:
			t.watchCaller(ctx, p)
		case p.out != nil:
			t.watchPhone(ctx, p)
		default:
			t.watchSeat(ctx, p, seat)
		}
	})
}

// note hands a note to the talk, unless nobody watches the party any more.
func (t *talk) note(ctx context.Context, n any) {
	select {
	case t.inbox <- n:
	case <-ctx.Done():
	}
}

func (t *talk) watchCaller(ctx context.Context, p *party) {
	select {
	case <-p.caller.Left():
		t.note(ctx, left{p, p.caller.Termination()})
	case <-ctx.Done():
	}
}

func (t *talk) watchPhone(ctx context.Context, p *party) {
	var late <-chan time.Time // the caps bound how long it may last
	if p.out.limit > 0 {
		timer := time.NewTimer(p.out.limit)
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-late:
			t.note(ctx, left{p, tandem.Terminate(tandem.BySystem, tandem.ReasonMaxDuration)})
			return
		case e := <-p.out.call.Events():
			switch e := e.(type) {
			case sip.Held:
				t.note(ctx, holds{p, e.On})
			case sip.Ended:
				t.note(ctx, left{p, e.Termination})
				return
			}
		case e, open := <-p.stream.Events():
			if how, over := silent(e, open); over {
				t.note(ctx, left{p, how})
				return
			}
		}
	}
}

// watchSeat reads a seat's states; its stream's events are read so that nothing waits for
// room among them. A browser that sends nothing is cut, which its states tell.
func (t *talk) watchSeat(ctx context.Context, p *party, seat Seat) {
	states, events := seat.States(), seat.Stream().Events()
	for {
		select {
		case <-ctx.Done():
			return
		case state, open := <-states:
			if !open {
				state = SeatGone
			}
			t.note(ctx, moved{p, seat, state})
			if state == SeatGone {
				return
			}
		case _, open := <-events:
			if !open {
				t.note(ctx, moved{p, seat, SeatGone})
				return
			}
		}
	}
}

// silent reports a stream whose far end sends nothing any more, or that a fault has ended.
func silent(e media.Event, open bool) (t tandem.Termination, over bool) {
	if !open {
		return tandem.Terminate(tandem.BySystem, tandem.ReasonPanic), true
	}
	_, over = e.(media.Silent)
	return tandem.Terminate(tandem.BySystem, tandem.ReasonMediaTimeout), over
}

// event makes an event of a party.
func (t *talk) event(p *party, kind tandem.EventKind, data any) tandem.Event {
	return t.eventAt(t.s.o.Now(), p, kind, data)
}

func (t *talk) eventAt(at time.Time, p *party, kind tandem.EventKind, data any) tandem.Event {
	actor := p.Name
	if actor == "" {
		actor = "system"
	}
	return tandem.NewEvent(t.in, p.Leg, at, kind, actor, data)
}

// enter has a party be in the room from now on.
func (t *talk) enter(p *party) {
	now := t.s.o.Now()
	p.State, p.Since, p.joined, p.heldFor = StateJoined, now, now, 0
	t.parties = append(t.parties, p)
	if t.tapes(p) {
		t.tape(p)
	}
	p.told = p.says()
	if p.Held {
		p.heldFrom = now
	}
	t.s.o.Store.Note(t.eventAt(now, p, tandem.EventJoined, p.told))
}

// tapes reports whether what a party says is recorded beside the customer's own call, if
// that is: agents, and customers who have no such call or show themselves. A number that was
// asked in has not been told.
func (t *talk) tapes(p *party) bool {
	if t.s.o.Tracks == nil || p.taped || p.Role == tandem.RoleListener || p.Role == tandem.RoleWhisperer {
		return false
	}
	return p.Name != "" || p == t.customer && (t.joined() || p.screen.Camera != nil)
}

// tape begins the recording of a party.
func (t *talk) tape(p *party) {
	leg, name := p.Leg, p.Name
	p.taped = t.s.o.Tracks.Begin(t.in, leg, p.stream, func() (camera, display *video.Source) {
		s := t.s.screen(t.in, leg, name)
		return s.Camera, s.Display
	})
	t.pause(p)
}

func (p *party) says() tandem.Joined {
	return tandem.Joined{Role: p.Role, Name: p.Name, Muted: p.Muted, Held: p.Held}
}

// journal tells how a party takes part now, if that is another than before.
func (t *talk) journal(p *party) {
	is := p.says()
	if is == p.told {
		return
	}
	now := t.s.o.Now()
	if is.Held != p.told.Held {
		if is.Held {
			p.heldFrom = now
		} else {
			p.heldFor += now.Sub(p.heldFrom)
		}
		t.pause(p)
	}
	p.told = is
	t.s.o.Store.Note(t.eventAt(now, p, tandem.EventRoomChanged, is))
}

// pause leaves out what a party says while they are on hold, and while the customer enters a
// secret, which they may repeat.
func (t *talk) pause(p *party) {
	if p.taped {
		t.s.o.Tracks.Pause(p.Leg, p.Held || t.quiet)
	}
}

// endTape ends a party's recording while they go on.
func (t *talk) endTape(p *party) {
	if p.taped {
		p.taped = false
		c := &store.Change{}
		t.s.o.Tracks.End(p.Leg, c)
		t.s.o.Store.Settle(c)
	}
}

// exit takes a party out of the room; its leg goes on.
func (t *talk) exit(p *party, why string) {
	if p.stop != nil {
		p.stop()
	}
	if p.seat != nil {
		t.s.stand(p.Name, t)
	}
	for i, q := range t.parties {
		if q == p {
			t.parties = append(t.parties[:i:i], t.parties[i+1:]...)
			break
		}
	}
	if p.joined.IsZero() {
		return
	}
	now := t.s.o.Now()
	held := p.heldFor
	if p.told.Held {
		held += now.Sub(p.heldFrom)
	}
	c := &store.Change{Events: []tandem.Event{t.eventAt(now, p, tandem.EventParted, tandem.Parted{Seconds: now.Sub(p.joined).Seconds(), Held: held.Seconds(), Why: why})}}
	p.joined = time.Time{}
	if p.taped {
		p.taped = false
		t.s.o.Tracks.End(p.Leg, c)
	}
	t.s.o.Store.Settle(c)
}

// goodbye ends the leg of a party who has left the room, but not that of a customer.
func (t *talk) goodbye(p *party, how tandem.Termination) {
	switch {
	case p.out != nil:
		p.out.close(how)
	case p.seat != nil:
		p.stream.Stop(toneID)
		if p.record.Started.IsZero() || !p.record.Ended.IsZero() {
			return
		}
		p.record.Ended, p.record.Termination = t.s.o.Now(), how
		t.s.o.Store.Settle(&store.Change{Legs: []tandem.Leg{p.record}, Events: []tandem.Event{
			t.event(p, tandem.EventMedia, figuresOf(p.stream.Stats(), p.before)), t.event(p, tandem.EventLegEnded, how)}})
	}
}

// phoneParty is a phone that has answered.
func phoneParty(o *out, role tandem.Role, name string) *party {
	p := &party{Party: Party{Leg: o.leg.ID, Role: role, Name: name, Device: DevicePhone}, stream: o.audio.Stream, out: o}
	if name == "" {
		p.Number = o.leg.To
	}
	return p
}

// seatParty has an agent's or supervisor's seat take part: what the journal is told before,
// and the beginning of its leg, are durable when it returns without an error.
func (t *talk) seatParty(who string, role tandem.Role, before ...tandem.Event) (*party, error) {
	s := t.s
	seat, ok := s.seat(who)
	if !ok {
		return nil, tandem.Errorf(tandem.CodeConflict, "%s has no working microphone at the desk: open the desk and allow the microphone", who)
	}
	if !s.sit(who, t) {
		return nil, tandem.Errorf(tandem.CodeConflict, "%s speaks with somebody already", who)
	}
	now := s.o.Now()
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, s.o.Random), Interaction: t.in, Kind: tandem.LegWebRTC, Role: role, To: "agent:" + who, Started: now, Answered: now}
	p := &party{Party: Party{Leg: leg.ID, Role: role, Name: who, Device: DeviceBrowser}, stream: seat.Stream(), seat: seat, record: leg, before: seat.Stream().Stats()}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), keepTime)
	defer cancel()
	events := append(before, t.event(p, tandem.EventLegStarted, leg), t.event(p, tandem.EventLegAnswered, nil))
	if err := s.o.Store.Commit(ctx, &store.Change{Legs: []tandem.Leg{leg}, Events: events}); err != nil {
		s.stand(who, t)
		return nil, &tandem.Error{Code: tandem.CodeUnavailable, Message: "this cannot be written down now, so it is not done; try again in a moment", Err: err}
	}
	return p, nil
}
