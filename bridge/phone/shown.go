package phone

import (
	"cmp"
	"errors"
	"slices"

	"tandem"
	"tandem/media"
)

// publish tells who watches what the talk is now.
func (t *talk) publish(end bool) {
	is := Talk{Interaction: t.in, Over: end, Why: t.why}
	if t.r != nil {
		is.Task = t.r.id
	}
	if t.agent != nil {
		is.Agent = t.agent.Name
	}
	for _, p := range t.parties {
		is.Parties = append(is.Parties, p.Party)
		if p.taped {
			is.Recording = "on"
		}
	}
	if a := t.asked; a != nil {
		p := Party{Role: tandem.RoleSpecialist, Name: a.To, Number: a.number, Device: DevicePhone, State: StateRinging, Since: a.since}
		if a.seat {
			p.Device = DeviceBrowser
		}
		if a.out != nil {
			p.Leg = a.out.leg.ID
		}
		is.Parties = append(is.Parties, p)
	}
	if t.customer != nil && !end {
		path := t.customer.stream.Path()
		is.Direct, is.Codec = path.Direct, path.Law.String()
		if path.Pair == media.PairOpus {
			is.Codec = "Opus"
		}
	}
	t.mu.Lock()
	is.Secret, is.Lent = t.secret, t.lent
	if is.Secret && is.Recording != "" {
		is.Recording = "paused"
	}
	t.seen = is
	t.mu.Unlock()
	for _, w := range t.s.watching() {
		t.safely(func() { w.talk(is) })
	}
}

// safely keeps a fault of who watches from the talk.
func (t *talk) safely(do func()) {
	defer func() {
		if p := recover(); p != nil {
			t.s.o.Panicked(p)
		}
	}()
	do()
}

// watcher is told of talks, or of invites.
type watcher struct {
	talk   func(Talk)
	invite func(Invite)
}

func (s *Switchboard) watching() []*watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watchers
}

func (s *Switchboard) watch(w *watcher) (stop func()) {
	if w.talk == nil {
		w.talk = func(Talk) {}
	}
	if w.invite == nil {
		w.invite = func(Invite) {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(slices.Clone(s.watchers), w)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watchers = slices.DeleteFunc(slices.Clone(s.watchers), func(o *watcher) bool { return o == w })
	}
}

// WatchTalks has each change of a talk told to do, the last time with Over. Changes of one
// talk are told in their order; do never blocks and calls no method of the Switchboard that
// waits.
func (s *Switchboard) WatchTalks(do func(Talk)) (stop func()) { return s.watch(&watcher{talk: do}) }

// WatchInvites has each invite told to do, as it is made and as it is over; do as of
// WatchTalks.
func (s *Switchboard) WatchInvites(do func(Invite)) (stop func()) {
	return s.watch(&watcher{invite: do})
}

// Talk is what goes on in a task's room.
func (s *Switchboard) Talk(id tandem.TaskID) (Talk, bool) {
	t := s.find(Command{Task: id})
	if id == "" || t == nil {
		return Talk{}, false
	}
	return t.shown()
}

// Talks are all.
func (s *Switchboard) Talks() []Talk {
	s.mu.Lock()
	all := make([]*talk, 0, len(s.talks))
	for _, t := range s.talks {
		all = append(all, t)
	}
	s.mu.Unlock()
	var out []Talk
	for _, t := range all {
		if is, ok := t.shown(); ok {
			out = append(out, is)
		}
	}
	slices.SortFunc(out, func(a, b Talk) int { return cmp.Compare(a.Interaction, b.Interaction) })
	return out
}

// shown is the talk as it was last told; ok is false before it was.
func (t *talk) shown() (is Talk, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	is = t.seen
	is.Parties = slices.Clone(is.Parties)
	return is, is.Interaction != "" && !is.Over
}

// inviting is an invite that rings, and its talk.
type inviting struct {
	Invite
	talk *talk
	desk bool // it rings at the desk alone
}

func (s *Switchboard) invited(t *talk, a *request) {
	i := a.Invite
	s.mu.Lock()
	s.invites = append(s.invites, inviting{i, t, a.seat})
	s.mu.Unlock()
	for _, w := range s.watching() {
		t.safely(func() { w.invite(i) })
	}
}

func (s *Switchboard) inviteOver(i Invite, why string) {
	i.Over = why
	s.mu.Lock()
	at := slices.IndexFunc(s.invites, func(o inviting) bool { return o.ID == i.ID })
	var t *talk
	if at >= 0 {
		t = s.invites[at].talk
		s.invites = slices.Delete(s.invites, at, at+1)
	}
	s.mu.Unlock()
	if t == nil {
		return
	}
	for _, w := range s.watching() {
		t.safely(func() { w.invite(i) })
	}
}

// Invites are those that ring at an agent.
func (s *Switchboard) Invites(agent string) []Invite {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Invite
	for _, i := range s.invites {
		if i.To == agent {
			out = append(out, i.Invite)
		}
	}
	return out
}

// plainly is an error as staff are told it.
func plainly(err error) error {
	var e *tandem.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	}
	return &tandem.Error{Code: tandem.CodeInternal, Message: "a fault of ours; look at the call before you try again", Err: err}
}
