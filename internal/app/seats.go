package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media"
	"tandem/media/webrtc"
	"tandem/store/staff"
)

// seats are the browsers by which staff speak, one for each of them: the page that
// connected last.
type seats struct {
	telling sync.Mutex // held while the switchboard is told of a seat; before mu

	mu     sync.Mutex
	closed bool
	by     map[string]*seat
	tell   func(who, page string, s webrtc.Signal) // to all of somebody's pages; nil = nobody
}

// seat is one page's microphone and loudspeaker.
type seat struct {
	who, page string
	peer      *webrtc.Peer
	states    chan phone.SeatState // the newest
	heard     chan struct{}        // closed once it was, or will never be
	once      sync.Once
	away      bool        // its page has no socket: nobody could take a call
	leaving   *time.Timer // while it is away
}

// Stream is the page's audio.
func (s *seat) Stream() *media.Stream { return s.peer.Stream() }

// States tells whether it is heard: the newest, and closed at the end.
func (s *seat) States() <-chan phone.SeatState { return s.states }

// usable reports whether calls can be given to it.
func (s *seat) usable() bool {
	mic := s.peer.Mic()
	return !s.away && s.peer.State() == webrtc.StateUp && (mic == webrtc.MicOK || mic == "")
}

// errNoVoice answers where browsers cannot speak.
var errNoVoice error = tandem.Errorf(tandem.CodeUnavailable, "voice in the browser is not set up here: webrtc.listen is empty")

// Signal carries out what a page signals. The first offer of another page makes that the
// one by which they speak.
func (a *App) Signal(ctx context.Context, who, page string, s webrtc.Signal) error {
	if a.pages.server == nil {
		return errNoVoice
	}
	t, err := a.seatOf(who, page, s.Kind == webrtc.KindOffer)
	if err != nil || t == nil {
		return err
	}
	err = t.peer.Take(ctx, s)
	switch {
	case s.Kind == webrtc.KindBye:
		a.leaveSeat(t)
	case errors.Is(err, webrtc.ErrSignal):
		return tandem.Errorf(tandem.CodeInvalid, "%w", err)
	case errors.Is(err, webrtc.ErrRate):
		return tandem.Errorf("too_fast", "your page signals too often")
	case errors.Is(err, webrtc.ErrClosed):
		a.leaveSeat(t)
		return tandem.Errorf(tandem.CodeConflict, "this connection has ended; connect anew")
	}
	a.seated(t.who)
	return err
}

// seatOf is somebody's seat at a page; a new one if it offers. Without either it is nil: what
// a page says that speaks no more concerns nobody.
func (a *App) seatOf(who, page string, offers bool) (*seat, error) {
	a.seats.mu.Lock()
	defer a.seats.mu.Unlock()
	if a.seats.closed {
		return nil, errNoVoice
	}
	now := a.seats.by[who]
	if now != nil && now.page == page && now.peer.State() != webrtc.StateGone {
		now.back()
		return now, nil
	}
	if !offers {
		return nil, nil
	}
	t := &seat{who: who, page: page, states: make(chan phone.SeatState, 1), heard: make(chan struct{})}
	var err error
	t.peer, err = a.pages.server.NewPeer(webrtc.PeerOptions{
		Name:    who,
		Send:    func(s webrtc.Signal) { a.seats.send(who, page, s) },
		Changed: func(s webrtc.State) { a.seatChanged(t, s) },
	})
	if errors.Is(err, webrtc.ErrFull) {
		return nil, tandem.Errorf(tandem.CodeUnavailable, "as many browsers speak as webrtc.peers allows")
	}
	if err != nil {
		return nil, err
	}
	if a.seats.by == nil {
		a.seats.by = map[string]*seat{}
	}
	a.seats.by[who] = t
	if now != nil {
		go now.peer.Close() // waits for its goroutines, which may be telling us something
		a.seats.sendLocked(who, now.page, webrtc.Signal{Kind: webrtc.KindBye, Why: "elsewhere"})
	}
	return t, nil
}

// send tells a page something.
func (ss *seats) send(who, page string, s webrtc.Signal) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.sendLocked(who, page, s)
}

func (ss *seats) sendLocked(who, page string, s webrtc.Signal) {
	if ss.tell != nil {
		ss.tell(who, page, s)
	}
}

// seatChanged is told, on the peer's goroutine, how its page is connected.
func (a *App) seatChanged(t *seat, s webrtc.State) {
	now := phone.SeatCut
	switch s {
	case webrtc.StateUp:
		now = phone.SeatUp
	case webrtc.StateGone:
		now = phone.SeatGone
	case webrtc.StateNew, webrtc.StateConnecting:
		return
	}
	t.once.Do(func() { close(t.heard) })
	a.seats.mu.Lock()
	select { // the newest wins; only we write
	case <-t.states:
	default:
	}
	t.states <- now
	if s == webrtc.StateGone { // it is told last, and once
		close(t.states)
	}
	a.seats.mu.Unlock()
	if s == webrtc.StateGone {
		a.leaveSeat(t)
		return
	}
	a.seated(t.who)
}

// seated tells the switchboard whether somebody can be given calls at their seat: as it is
// when it is told, so that what is told last holds.
func (a *App) seated(who string) {
	a.seats.telling.Lock()
	defer a.seats.telling.Unlock()
	a.seats.mu.Lock()
	t := a.seats.by[who]
	usable := t != nil && t.usable()
	a.seats.mu.Unlock()
	a.phones.Seated(who, usable)
}

// leaveSeat forgets a seat.
func (a *App) leaveSeat(t *seat) {
	a.seats.mu.Lock()
	present := a.seats.by[t.who] == t
	if present {
		delete(a.seats.by, t.who)
	}
	a.seats.mu.Unlock()
	if present {
		a.seated(t.who)
		go t.peer.Close()
	}
}

// awayTime is how long somebody goes on speaking whose page has no socket: for a network
// that mends, and no longer, since nothing but the socket asks whether they still may.
const awayTime = time.Minute

// Gone is told when the last of somebody's sockets has closed: what they hear goes on for a
// while, but they can take no call until their page is back. Who may not come back is out at
// once.
func (a *App) Gone(who string) {
	a.seats.mu.Lock()
	t := a.seats.by[who]
	if t != nil && !t.away {
		t.away = true
		t.leaving = time.AfterFunc(awayTime, func() { a.leaveAway(t) })
	}
	a.seats.mu.Unlock()
	if t == nil {
		return
	}
	a.seated(who)
	go func() { // ends with the two looks, the second of which is bounded
		switch {
		case a.desk.There(who): // they came back while this was told
			a.seats.mu.Lock()
			t.back()
			a.seats.mu.Unlock()
			a.seated(who)
		case !a.speaks(who):
			a.leaveAway(t)
		}
	}()
}

// leaveAway forgets a seat whose page has not come back.
func (a *App) leaveAway(t *seat) {
	a.seats.mu.Lock()
	out := t.away && a.seats.by[t.who] == t
	if out {
		delete(a.seats.by, t.who)
	}
	a.seats.mu.Unlock()
	if out {
		a.seated(t.who)
		t.peer.Close()
	}
}

// back: the page has a socket again. The lock of the seats is held.
func (s *seat) back() {
	s.away = false
	if s.leaving != nil {
		s.leaving.Stop()
	}
}

// speaks reports whether somebody may speak by their page at all, as they are now.
func (a *App) speaks(who string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), findTime)
	defer cancel()
	u, err := a.staff.User(ctx, who)
	return err == nil && !u.Disabled && (slices.Contains(u.Roles, staff.Agent) || slices.Contains(u.Roles, staff.Supervisor))
}

// seat is the browser that somebody speaks by, if it can be used now.
func (a *App) seat(who string) (phone.Seat, bool) {
	a.seats.mu.Lock()
	defer a.seats.mu.Unlock()
	t := a.seats.by[who]
	if t == nil || !t.usable() {
		return nil, false
	}
	return t, true
}

// close ends all seats.
func (ss *seats) close() {
	ss.mu.Lock()
	all := ss.by
	ss.by, ss.tell, ss.closed = nil, nil, true
	for _, t := range all {
		if t.leaving != nil {
			t.leaving.Stop()
		}
	}
	ss.mu.Unlock()
	for _, t := range all {
		t.peer.Close()
	}
}

// speaking are the talks, for those who join one right after their page has connected: they
// wait until it is heard.
type speaking struct {
	*phone.Switchboard
	a *App
}

// Do does what somebody asks of a talk.
func (s speaking) Do(ctx context.Context, who string, c phone.Command) error {
	s.a.seats.mu.Lock()
	t := s.a.seats.by[who]
	s.a.seats.mu.Unlock()
	if t != nil && (c.Do == phone.Listen || c.Do == phone.Whisper || c.Do == phone.Barge) {
		late := time.NewTimer(findTime)
		defer late.Stop()
		select {
		case <-t.heard:
		case <-late.C:
		case <-ctx.Done():
		}
	}
	return s.Switchboard.Do(ctx, who, c)
}

// seatState is how somebody's browser is: whether calls can be given to it, and its
// microphone in the words of media/webrtc.
func (a *App) seatState(who string) (up bool, mic string) {
	a.seats.mu.Lock()
	defer a.seats.mu.Unlock()
	t := a.seats.by[who]
	if t == nil {
		return false, ""
	}
	return t.usable(), t.peer.Mic()
}

// iceServers are the relays that a page may use; nil if browsers cannot speak.
func (a *App) iceServers(who string) ([]webrtc.ICEServer, error) {
	if a.pages.server == nil {
		return nil, errNoVoice
	}
	return a.pages.server.Servers(who), nil
}

// supervises reports whether somebody may listen in, as they are now.
func (a *App) supervises(who string, _ tandem.InteractionID) bool {
	ctx, cancel := context.WithTimeout(context.Background(), findTime)
	defer cancel()
	u, err := a.staff.User(ctx, who)
	return err == nil && !u.Disabled && slices.Contains(u.Roles, staff.Supervisor)
}

// findTime bounds a look into the store that somebody waits for.
const findTime = 2 * time.Second
