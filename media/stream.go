package media

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"tandem/media/codec"
	"tandem/media/dtmf"
	"tandem/media/mix"
	"tandem/media/rtp"
)

const (
	// eventRoom is how many events wait for the stream's owner.
	eventRoom = 64
	// keyRoom of them are for keys alone, so that a run of Played events cannot
	// push a key out.
	keyRoom = 32
	// maxItems is how many items a stream's playlist holds.
	maxItems = 64
)

// Params is what signalling has agreed on.
type Params struct {
	Remote  netip.AddrPort // where the far end wants its packets; an unspecified address means none (old-style hold)
	RTCP    netip.AddrPort // zero: Remote's next port
	Host    netip.Addr     // if valid: where its signalling comes from; a source other than Remote is learned from this host only
	Law     codec.Law
	Payload uint8 // payload type of Law, both ways
	Event   uint8 // payload type of telephone-event, 0 = none
	Send    bool  // the far end wants to hear us
	Recv    bool  // we are to hear the far end; false is hold and stops the clock of Config.Timeout
	Tones   bool  // look for keys in the audio; without effect while Event is not 0
	Opus    bool  // of a wire: its far end takes originals
}

// Event is what a stream tells its owner: Key, Played or Silent.
type Event interface{ event() }

// Key is one press of a telephone key.
type Key struct {
	Digit byte // 0-9 * # A-D
	Via   dtmf.Via
}

// Played tells that an item has left the playlist.
type Played struct {
	ID     uint32
	Frames int  // 20 ms frames heard of it, the last one counted whole
	Done   bool // it was played to its end, not stopped
}

// Silent tells that nothing was heard for Config.Timeout; once, until something is.
type Silent struct{}

func (Key) event()    {}
func (Played) event() {}
func (Silent) event() {}

// Item is one entry of a playlist.
type Item struct {
	ID    uint32  // for Played and Stop
	Clips []*Clip // played without a gap
	Loop  bool    // until stopped
}

// Stats are a stream's figures.
type Stats struct {
	Sent, SentBytes         uint64 // RTP packets and payload bytes
	Received, ReceivedBytes uint64 // those read: while nobody needs the audio, the kernel passes one packet in 64
	Lost                    uint64 // packets that did not come, while all were read
	Late                    uint64 // out of order or doubled
	Jitter                  time.Duration
	Malformed               uint64
	Strangers               uint64 // dropped because of their source, before the kernel filters them
	Digits                  uint64
	Reports                 uint64        // RTCP packets accepted
	RemoteLost              uint64        // of our packets, as the far end reports
	RemoteJitter            time.Duration // as the far end reports
	RoundTrip               time.Duration // 0 if not known
	Dropped                 uint64        // events that the owner did not fetch
	Faults                  uint64        // packets the kernel refused
	WireDropped             uint64        // packets from the wire that the shard was too slow for, or too long
	Passed                  uint64        // packets sent as the joined stream received them
	Transcoded              uint64        // packets of the joined stream sent in the other law, by table
	Opus                    uint64        // packets of the joined stream sent as their originals
	Mixed                   uint64        // packets sent whose audio was mixed
}

// Stream is one RTP session with one far end. Its methods may be called from any
// goroutine.
type Stream struct {
	engine *Engine
	port   int    // 0 on a wire
	id     uint64 // by age: the order in which several are locked
	wire   Wire   // nil with sockets
	inbox  *inbox
	events chan Event
	queued atomic.Int32  // items of the playlist whose Played is not delivered yet
	law    atomic.Uint32 // codec.Law that Play encodes for
	keyed  atomic.Bool   // telephone-event was negotiated

	route  sync.Mutex // held while a command is queued, so that commands keep their order when the stream moves
	shard  *shard
	closed bool
	final  Stats
	tied   atomic.Bool // ties are not empty; changes under route
	ties   ties        // engine.topology guards them

	// The rest belongs to the shard's goroutine.
	sockets sockets
	slot    int // -1 until given, then for life
	place   int // in the slot
	wired   int // in the shard's list of wires
	number  int32
	ssrc    uint32
	seq     uint16
	base    uint32 // RTP time at the wheel's epoch
	stats   Stats

	failed   bool // a fault of ours has ended it
	set      bool
	params   Params
	remote   address // where to send
	control  address // where to send RTCP
	locked   bool
	filtered bool          // the kernel drops what nobody needs
	sparse   bool          // the far end sends too little for that
	lockedAt time.Duration // on the wheel's axis
	trusted  bool          // RTCP source is locked
	source   rtp.Source

	lastPeriod int64
	lastTime   uint32 // RTP time of the last audio packet
	sending    bool   // the packet before this one was sent in its turn: no marker
	reported   uint64 // packets sent at the last report
	reportIn   int    // seconds to the next report
	lastNTP    uint32 // middle of the far end's last sender report
	ntpAt      time.Duration

	heard      time.Duration // when something was accepted last
	silent     bool          // told
	reception  rtp.Reception
	keysIn     dtmf.Receiver
	keysOut    dtmf.Sender
	detector   *dtmf.Detector
	found      func(byte)
	hushed     bool
	repeats    bool // the next original may repeat what was hushed
	fading     bool // hushed until the key that sounds ends
	pressed    bool // the newest telephone-event has not ended
	pressedAt  time.Duration
	hushedTo   event // the newest event as a hush ended: neither it nor one before is passed
	items      []playing
	pending    []Played // not delivered yet; bounded by maxItems
	recordings []*Recording

	peer  *Stream
	pair  atomic.Uint32 // Pair, for others
	relay relay
	opus  bool  // the packet before this one was sent as its original
	begun event // the newest from the far end as they were joined: neither it nor one before is passed

	party     *party    // of a mix; nil in none
	hearers   []*edge   // who hears what the far end says
	listeners []*Stream // who hears both sides
	voice     *mix.Ring // what the far end says; nil while nobody hears it
	told      *mix.Ring // what the playlist says to the far end; nil while nobody listens
	mark      uint64    // the mixing in which voice was added last
	sentMark  uint64    // and that in which what is sent was
}

// newStream draws the random first values (RFC 3550 section 5.1).
func newStream(e *Engine, port int, socks sockets) (*Stream, error) {
	var b [10]byte
	if _, err := io.ReadFull(e.cfg.Random, b[:]); err != nil {
		return nil, fmt.Errorf("choosing an SSRC: %w", err)
	}
	return &Stream{
		engine: e, id: e.born.Add(1), port: port, sockets: socks, events: make(chan Event, eventRoom), slot: -1,
		ssrc: binary.BigEndian.Uint32(b[:]), seq: binary.BigEndian.Uint16(b[4:]), base: binary.BigEndian.Uint32(b[6:]),
		lastPeriod: -1,
	}, nil
}

// Port is the local RTP port; RTCP is on the next one. It is 0 on a wire.
func (s *Stream) Port() int { return s.port }

// Events is where the stream's owner reads. Keys that find it full are dropped
// and counted; Played events wait for room. Close closes it, and so does a fault of
// ours that ended the stream: nothing more is sent or heard, and Close is still due.
func (s *Stream) Events() <-chan Event { return s.events }

func (s *Stream) post(f func()) error {
	s.route.Lock()
	defer s.route.Unlock()
	if s.closed {
		return ErrClosed
	}
	return s.shard.post(s, f, false)
}

// call runs f on the shard and waits for it.
func (s *Stream) call(f func()) error {
	s.route.Lock()
	defer s.route.Unlock()
	if s.closed {
		return ErrClosed
	}
	return s.shard.call(s, f)
}

// Set takes what signalling has agreed on, first and after each re-negotiation.
// A new Remote makes the stream forget the source it has learned.
func (s *Stream) Set(p Params) {
	if a := p.Remote.Addr(); s.wire == nil && (!p.Remote.IsValid() || a.IsUnspecified() || p.Remote.Port() == 0) {
		p.Remote, p.Send = netip.AddrPort{}, false
	}
	s.law.Store(uint32(p.Law))
	s.keyed.Store(p.Event != 0)
	_ = s.post(func() { s.apply(p) }) // a closed stream needs no parameters
}

// apply is Set on the shard.
func (s *Stream) apply(p Params) {
	if s.failed {
		return
	}
	now := s.shard.now()
	if s.wire != nil {
		p.Remote, p.RTCP = netip.AddrPort{}, netip.AddrPort{}
	} else if !p.Remote.IsValid() {
		p.Remote, p.RTCP = s.params.Remote, s.params.RTCP
	} else if !p.RTCP.IsValid() {
		p.RTCP = netip.AddrPortFrom(p.Remote.Addr(), p.Remote.Port()+1)
	}
	s.params, s.set = p, true
	s.tellPair()
	if p.Remote.IsValid() {
		s.source.Set(p.Remote, p.Host, s.shard.epoch.Add(now))
	}
	if !s.source.Locked().IsValid() {
		s.unlock()
		s.remote = newAddress(p.Remote, s.sockets.rtp.v6)
		s.control = newAddress(p.RTCP, s.sockets.rtcp.v6)
	}
	s.reception.Reset()
	s.heard, s.silent, s.sparse = now, false, false
	s.detector = nil
	if p.Tones && p.Event == 0 {
		s.detector = &dtmf.Detector{}
		s.found = func(digit byte) { s.key(digit, dtmf.ViaTone) }
	}
	if s.filtered {
		s.unfilter() // the payload type of events may be another; economise decides anew
	}
}

// Play queues an item; nothing stops what plays already. The audio is encoded
// here, in the caller's goroutine, once for all calls. While the far end does
// not want to hear us (hold), while keys are sent, and while the stream is joined or is
// sent a mix, the playlist stands still. ErrFull means that 64 items wait.
func (s *Stream) Play(it Item) error {
	law, samples := codec.Law(s.law.Load()), 0
	for _, c := range it.Clips {
		c.Encoded(law)
		samples += c.Samples()
	}
	it.Loop = it.Loop && samples > 0
	if s.queued.Add(1) > maxItems {
		s.queued.Add(-1)
		return ErrFull
	}
	err := s.post(func() { s.items = append(s.items, playing{Item: it}) })
	if err != nil {
		s.queued.Add(-1)
	}
	return err
}

// Stop takes the items with these ids off the playlist, all without ids. Each is
// told by Played with Done false. The rhythm of the packets does not change.
func (s *Stream) Stop(ids ...uint32) {
	_ = s.post(func() { s.stop(ids) }) // a closed stream plays nothing
}

// SendKey sends a key of ms length as telephone-event, after those before it;
// audio pauses meanwhile. It refuses with ErrNoEvents, ErrFull or an error about
// the digit.
func (s *Stream) SendKey(digit byte, ms int) error {
	if _, ok := dtmf.Code(digit); !ok {
		return fmt.Errorf("media: no such key: %q", digit)
	}
	if !s.keyed.Load() {
		return ErrNoEvents
	}
	ok := false
	if err := s.call(func() { ok = s.keysOut.Press(digit, ms) }); err != nil {
		return err
	}
	if !ok {
		return ErrFull
	}
	return nil
}

// Hush keeps the far end's keys, and all its audio since that may carry their
// tones, from recordings, from the joined stream and from every mix. Keys still reach Events.
// When it returns, it holds; it ends with a key that still sounds then.
func (s *Stream) Hush(on bool) {
	_ = s.call(func() { s.hush(on) }) // a closed stream is quiet
}

// hush is Hush on the shard.
func (s *Stream) hush(on bool) {
	if on && s.voice != nil {
		s.voice.Clear()
	}
	if on {
		s.hushed, s.fading, s.repeats = true, false, true
	} else if s.hushed {
		s.fading = true
		s.fade(s.shard.now())
	}
}

// Stats are the figures so far.
func (s *Stream) Stats() Stats {
	var st Stats
	if err := s.call(func() { st = s.figures() }); err != nil {
		s.route.Lock()
		defer s.route.Unlock()
		return s.final
	}
	return st
}

// Close says goodbye by RTCP, leaves what the stream is joined or mixed with, ends recordings, closes
// Events and releases the port. It returns the final figures, also when called again.
func (s *Stream) Close() Stats {
	recordings := s.close()
	for _, r := range recordings {
		r.wait()
	}
	s.route.Lock()
	defer s.route.Unlock()
	return s.final
}

// lock takes the stream's route, and before it topology if the stream is tied.
func (s *Stream) lock() (release func()) {
	for {
		tied := s.tied.Load()
		if tied {
			s.engine.topology.Lock()
		}
		s.route.Lock()
		if tied || !s.tied.Load() {
			return func() {
				s.route.Unlock()
				if tied {
					s.engine.topology.Unlock()
				}
			}
		}
		s.route.Unlock() // tied in between
	}
}

// close is Close but for waiting until the recordings are written.
func (s *Stream) close() (recordings []*Recording) {
	release := s.lock()
	defer release()
	if s.closed {
		return nil
	}
	s.closed = true
	sh := s.shard
	_ = sh.call(s, func() { // the engine closes its streams before its shards
		s.untie()
		s.goodbye()
		recordings = s.recordings
		for _, r := range recordings {
			r.end(sh.now())
		}
		s.recordings = nil
		s.final = s.figures()
		sh.release(s)
		if !s.failed {
			close(s.events)
		}
	})
	if s.tied.Load() {
		s.forgetTies()
	}
	sh.load.Add(-1)
	if s.wire == nil {
		_ = s.sockets.close() // the kernel frees the descriptors whatever it says
	}
	s.engine.forget(s, s.final)
	return recordings
}

// figures completes the counters.
func (s *Stream) figures() Stats {
	st := s.stats
	st.Lost, st.Late = s.reception.LostTotal(), s.reception.LateSeen
	st.Jitter = samples(s.reception.Jitter())
	if s.inbox != nil {
		st.WireDropped = s.inbox.dropped.Load()
	}
	return st
}

func samples(n uint32) time.Duration { return time.Duration(n) * time.Second / codec.Rate }

// key tells the owner of a press, and is the only way digits leave the shard.
func (s *Stream) key(digit byte, via dtmf.Via) {
	s.stats.Digits++
	s.tell(Key{Digit: digit, Via: via})
}

// tell hands an event over, or drops and counts it if the owner is that far behind.
func (s *Stream) tell(e Event) {
	if s.failed {
		return
	}
	select {
	case s.events <- e:
	default:
		s.stats.Dropped++
		s.shard.counts.dropped++
	}
}
