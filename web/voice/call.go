package voice

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"tandem"
	"tandem/media"
	"tandem/media/codec"
	"tandem/media/webrtc"
)

// Call is one call of a page. Its methods may be called from any goroutine.
type Call struct {
	Incoming
	ID string // by chance; names the call for as long as it lasts

	door  *Door
	token string // by which the page comes back; never told to anybody else
	peer  *webrtc.Peer
	done  chan struct{}

	mu     sync.Mutex
	state  State
	begun  bool // Calls has it
	ended  tandem.Termination
	socket *socket     // nil while the page is away
	first  *time.Timer // for the page's audio to come
	away   *time.Timer // for its socket to come back
	cut    *time.Timer // for its audio to come back
}

var errOver = errors.New("web/voice: the call is over")

// Stream is the page's audio. Whoever runs the call may close it.
func (c *Call) Stream() *media.Stream { return c.peer.Stream() }

// Law is what the page sends and is sent; Opus of a page comes as PCMU.
func (c *Call) Law() codec.Law {
	if c.peer.Figures().Codec == codec.PCMA.String() {
		return codec.PCMA
	}
	return codec.PCMU
}

// Ring tells the page that it rings.
func (c *Call) Ring(context.Context) error { return c.enter(Ringing) }

// Answer tells the page that it is answered.
func (c *Call) Answer(context.Context) error { return c.enter(Up) }

// enter tells the page of a state.
func (c *Call) enter(s State) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Over {
		return errOver
	}
	c.state = s
	c.tell(stateFrame{T: kindState, State: s})
	return nil
}

// tell writes to the page, if it is there. The caller holds the lock.
func (c *Call) tell(frame any) {
	if c.socket != nil {
		c.socket.push(frame)
	}
}

// Done is closed once the page has hung up, or is gone for too long, or Hangup was called.
func (c *Call) Done() <-chan struct{} { return c.done }

// Termination says how it ended; zero before Done.
func (c *Call) Termination() tandem.Termination {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// Hangup ends the call from our side, and tells the page why. One that is over stays as it
// ended.
func (c *Call) Hangup(_ context.Context, t tandem.Termination) { c.end(t, whyOf(t)) }

// end ends the call once.
func (c *Call) end(t tandem.Termination, why string) {
	c.mu.Lock()
	if c.state == Over {
		c.mu.Unlock()
		return
	}
	c.state, c.ended = Over, t
	for _, timer := range []*time.Timer{c.first, c.away, c.cut} {
		if timer != nil {
			timer.Stop()
		}
	}
	s := c.socket
	c.tell(stateFrame{T: kindState, State: Over, Why: why, Message: words[why]})
	begun := c.begun
	close(c.done)
	c.mu.Unlock()
	if s != nil {
		s.finishSoon()
	}
	if !begun {
		c.door.running.Go(func() { c.door.forget(c) })
	}
}

// signalled carries what the peer says to the page. It must not wait.
func (c *Call) signalled(s webrtc.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.Kind != webrtc.KindBye { // the page is told by the state
		c.tell(voiceFrame{kindVoice, s})
	}
}

// changed is told of the peer's state. It must not wait.
func (c *Call) changed(s webrtc.State) {
	c.mu.Lock()
	if c.state == Over {
		c.mu.Unlock()
		return
	}
	switch s {
	case webrtc.StateUp:
		if c.cut != nil {
			c.cut.Stop()
			c.cut = nil
		}
		if !c.begun {
			c.begun = true
			c.first.Stop()
			c.door.running.Go(c.run)
		}
	case webrtc.StateCut:
		if c.cut != nil {
			c.cut.Stop()
		}
		c.cut = time.AfterFunc(c.door.times.away, func() {
			c.end(tandem.Terminate(tandem.ByRemote, tandem.ReasonMediaTimeout), "lost")
		})
	case webrtc.StateGone:
		c.mu.Unlock()
		c.end(tandem.Terminate(tandem.ByRemote, tandem.ReasonMediaTimeout), "lost")
		return
	}
	c.mu.Unlock()
}

// run gives the call to Calls, and ends it when that returns.
func (c *Call) run() {
	defer c.door.forget(c)
	t := tandem.Terminate(tandem.BySystem, tandem.ReasonPanic)
	defer func() {
		if p := recover(); p != nil {
			c.door.fault("a call of a page met a fault of ours", p, string(debug.Stack()))
		}
		c.end(t, whyOf(t))
	}()
	t = c.door.o.Calls.Call(c.door.ctx, c)
}

// attach makes a socket the call's, in the place of one that is not noticed to be gone.
func (c *Call) attach(s *socket, resumed bool) bool {
	servers := c.door.o.Peers.Servers(c.ID)
	if servers == nil {
		servers = []webrtc.ICEServer{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Over {
		return false
	}
	if old := c.socket; old != nil && old != s {
		old.end(closeElsewhere, "elsewhere")
	}
	c.socket = s
	if c.away != nil {
		c.away.Stop()
		c.away = nil
	}
	c.tell(welcome{T: kindWelcome, Call: c.token, Servers: servers, Resumed: resumed})
	c.tell(stateFrame{T: kindState, State: c.state})
	return true
}

// detach notes that the page's socket is gone. It may come back for a while, during
// which the call goes on.
func (c *Call) detach(s *socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.socket != s {
		return
	}
	c.socket = nil
	if c.state != Over {
		c.away = time.AfterFunc(c.door.times.away, func() {
			c.end(tandem.Terminate(tandem.ByRemote, tandem.ReasonTransport), "lost")
		})
	}
}

// connect waits for the page's audio.
func (c *Call) connect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first = time.AfterFunc(c.door.times.connect, func() {
		c.end(tandem.Terminate(tandem.ByRemote, tandem.ReasonNoMedia), "no_media")
	})
}

// bye is said by the page.
func (c *Call) bye() {
	reason := tandem.ReasonHangup
	c.mu.Lock()
	if c.state != Up {
		reason = tandem.ReasonCancelled
	}
	c.mu.Unlock()
	c.end(tandem.Terminate(tandem.ByRemote, reason), "hangup")
}

// take carries out a signal of the page. What the page has done wrong is told to its
// author in the log of the browser, and the call goes on.
func (c *Call) take(ctx context.Context, s webrtc.Signal) error {
	err := c.peer.Take(ctx, s)
	switch {
	case err == nil, errors.Is(err, webrtc.ErrSignal), errors.Is(err, webrtc.ErrClosed):
		return nil
	case errors.Is(err, webrtc.ErrRate):
		return err
	}
	return fmt.Errorf("carrying out a signal: %w", err)
}
