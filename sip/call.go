package sip

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"tandem"
)

// eventQueue bounds a call's events that nobody has read. When it is full a key
// is refused with 503 and hold changes are dropped (Held tells the newest).
const eventQueue = 64

// state is where a call is in its life; it only moves down this list.
type state uint8

const (
	stateTrying    state = iota // INVITE seen or sent
	stateRinging                // 180 sent or heard
	stateAnswered               // 200 sent, no ACK yet
	stateConfirmed              // ACK seen or sent
	stateEnded                  // has its Termination
)

// Call is one SIP call leg. The exported fields do not change.
type Call struct {
	ID              string // Call-ID
	Key             string // names the INVITE: Call-ID, From tag and CSeq, for idempotency
	Inbound         bool
	From, To        Party
	Source          netip.AddrPort // where the INVITE came from or went to
	Transport       string         // "udp" or "tcp"
	HasOffer        bool           // the INVITE carried a description; false = late offer
	Trunk           string         // name of the trunk, if it is one's
	TrustedCallerID bool           // the trunk vouches for From
	User            string         // digest user, if the route asked for one

	server *Server
	dialog *dialog
	invite *gosip.Request
	tx     gosip.ServerTransaction // of an inbound INVITE
	events chan Event
	done   chan struct{}
	acks   chan *gosip.Request // ACK of the 200 that is out, one at a time
	idle   chan struct{}       // holds one: an offer/answer exchange has finished
	auth   *Trunk              // whose challenges this leg answers
	about  string              // of a call out: Subject

	mu          sync.Mutex
	cancel      context.CancelCauseFunc
	state       state
	termination tandem.Termination
	media       Media
	held        bool
	holding     bool     // we hold the other side; of whoever has the exchange
	offering    exchange // which side's re-INVITE is under way
	pendingSeq  uint32   // CSeq of the INVITE whose 200 waits for its ACK
	saidBye     bool
	ours        *gosip.Request // newest INVITE from our side
}

// exchange says whose offer/answer is open.
type exchange uint8

const (
	exchangeNone exchange = iota
	exchangeOurs
	exchangeTheirs
)

// Events delivers keys, hold changes and, last, Ended. It is never closed.
func (c *Call) Events() <-chan Event { return c.events }

// Done is closed when the call has ended.
func (c *Call) Done() <-chan struct{} { return c.done }

// Termination is zero until the call has ended.
func (c *Call) Termination() tandem.Termination {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.termination
}

// Held reports whether the other side holds us.
func (c *Call) Held() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}

// emit queues an event; false when the queue is full.
func (c *Call) emit(e Event) bool {
	select {
	case c.events <- e:
		return true
	default:
		return false
	}
}

// end writes the termination, once: the first cause wins. It touches neither the
// wire nor a transaction, since some callers hold a transaction's lock.
func (c *Call) end(t tandem.Termination) bool {
	return c.endAs(func(state) tandem.Termination { return t }) != stateEnded
}

// endAs ends the call with a termination that depends on the state it ends in, and
// returns that state: stateEnded if it was over.
func (c *Call) endAs(as func(before state) tandem.Termination) (before state) {
	c.mu.Lock()
	before = c.state
	if before == stateEnded {
		c.mu.Unlock()
		return before
	}
	t := as(before)
	c.state, c.termination = stateEnded, t
	cancel := c.cancel
	c.mu.Unlock()
	for !c.emit(Ended{t}) { // full and unread: the oldest makes room for the last
		select {
		case <-c.events:
		default:
		}
	}
	close(c.done)
	cancel(endedError{t})
	c.server.metrics.ended.WithLabelValues(string(t.Class), string(t.Reason)).Inc()
	return before
}

// endedError is the cause of a call's context.
type endedError struct{ t tandem.Termination }

func (e endedError) Error() string   { return "the call has ended: " + e.t.String() }
func (e endedError) Is(x error) bool { return x == ErrEnded }

// advance moves the state down, unless the call has ended or is beyond.
func (c *Call) advance(to state) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= to {
		return false
	}
	c.state = to
	if to == stateConfirmed {
		c.free()
	}
	return true
}

func (c *Call) now() state {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// begin opens an offer/answer exchange on a confirmed call.
func (c *Call) begin(who exchange) (Media, exchange, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offering != exchangeNone {
		return nil, c.offering, ErrState
	}
	if c.state != stateConfirmed {
		return nil, exchangeNone, ErrState
	}
	c.offering = who
	return c.media, who, nil
}

// beginTheirs opens an exchange for a re-INVITE. One that follows hard on the ACK of
// the INVITE before it may be handled first, since each message has a goroutine of its
// own: it waits a moment for that exchange to finish.
func (c *Call) beginTheirs() (Media, exchange, error) {
	patience := time.NewTimer(earlyWait)
	defer patience.Stop()
	for {
		media, other, err := c.begin(exchangeTheirs)
		if err == nil || other == exchangeOurs || c.now() == stateEnded {
			return media, other, err
		}
		select {
		case <-c.idle:
		case <-c.done:
		case <-patience.C:
			return nil, other, err
		}
	}
}

// earlyWait is how long a re-INVITE waits for the ACK sent before it: less than T1, so
// that the other side does not repeat it meanwhile.
const earlyWait = 300 * time.Millisecond

func (c *Call) finishExchange() {
	c.mu.Lock()
	c.offering = exchangeNone
	c.mu.Unlock()
	c.free()
}

// free tells a re-INVITE that came early that it may go on.
func (c *Call) free() {
	select {
	case c.idle <- struct{}{}:
	default:
	}
}

// setHeld notes hold by the other side and tells of a change.
func (c *Call) setHeld(on bool) {
	c.mu.Lock()
	changed := c.held != on
	c.held = on
	c.mu.Unlock()
	if changed {
		c.emit(Held{on})
	}
}

// Hangup ends the call with t: by refusing it, cancelling it or with BYE, as its
// state asks, and waits briefly (byeWait at most) for the other side's word. It
// is safe to call at any time and more than once; the first termination stays.
func (c *Call) Hangup(ctx context.Context, t tandem.Termination) {
	refuses := func(before state) bool { return before < stateAnswered && c.Inbound }
	before := c.endAs(func(before state) tandem.Termination {
		if refuses(before) {
			code, _ := refusalOf(t)
			return t.WithSIP(code)
		}
		return t
	})
	if refuses(before) {
		c.refuseInvite(t)
		return
	}
	if before == stateAnswered || before == stateConfirmed {
		c.sendBye(ctx, t)
	}
	if !c.Inbound {
		c.server.forget(c)
	}
}

// sendBye says goodbye once on the wire.
func (c *Call) sendBye(ctx context.Context, t tandem.Termination) {
	c.mu.Lock()
	said := c.saidBye
	c.saidBye = true
	c.mu.Unlock()
	if said || !c.reachable() {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), byeWait)
	defer stop()
	bye := c.dialog.request(gosip.BYE)
	bye.AppendHeader(gosip.NewHeader("Reason", reasonHeader(t)))
	res, err := c.server.roundTrip(ctx, bye)
	if err == nil && (res.StatusCode == 401 || res.StatusCode == 407) && c.auth != nil {
		again := c.dialog.request(gosip.BYE)
		again.AppendHeader(gosip.NewHeader("Reason", reasonHeader(t)))
		if authorise(again, res, c.auth, c.server.random) == nil {
			_, err = c.server.roundTrip(ctx, again)
		}
	}
	if err != nil {
		c.server.log.Debug("goodbye not answered", "call", c.ID, "error", err)
	}
}

// byeWait is how long a goodbye may take: long enough for three retransmissions.
const byeWait = 4 * time.Second

// Hold sends a re-INVITE that puts the other side on hold or takes it back. The
// call's Media must be a Holder. ErrState if another exchange is open; on glare
// (491) it waits and tries once more (RFC 3261 section 14.1).
func (c *Call) Hold(ctx context.Context, on bool) error {
	media, _, err := c.begin(exchangeOurs)
	if err != nil {
		return err
	}
	h, ok := media.(Holder)
	if !ok {
		c.finishExchange()
		return errors.New("this media cannot hold")
	}
	err = c.change(ctx, h, media, on)
	c.finishExchange()
	if !errors.Is(err, errGlare) {
		return err
	}
	select {
	case <-time.After(c.server.glareWait(!c.Inbound)):
	case <-c.done:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	if media, _, err = c.begin(exchangeOurs); err != nil {
		return err
	}
	defer c.finishExchange()
	return c.change(ctx, h, media, on)
}
