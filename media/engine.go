package media

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/media/rtp"
)

// Errors that callers branch on.
var (
	ErrNoPorts  = rtp.ErrNoPorts
	ErrClosed   = errors.New("media: stream is closed")
	ErrDraining = errors.New("media: no new streams, the engine is draining")
	ErrFull     = errors.New("media: too much is queued")
	ErrJoined   = errors.New("media: stream is joined already")
	ErrNoEvents = errors.New("media: no telephone-event was negotiated")
)

// DefaultTimeout is how long a stream may hear nothing before it is Silent.
const DefaultTimeout = 30 * time.Second

// maxShards bounds the default number of shards: one core carries more than a
// thousand calls, so more shards only cost wake-ups. There is never one for every
// core: with each of the runtime's processors waiting in a shard's system call, its
// monitor thread polls at 50 kHz, which costs more than the packets.
const maxShards = 2

// bindTries is how many ports are tried that others on this host hold.
const bindTries = 64

// Config is what an engine needs.
type Config struct {
	Address    netip.Addr    // to bind to; the zero Addr is every IPv4 address
	Ports      [2]int        // first and last port; even ones carry RTP, the next one RTCP; 0, 0 is 10000 to 32767
	Timeout    time.Duration // of hearing nothing; 0 is DefaultTimeout
	Shards     int           // 0 is one for two cores, 1 or 2
	Log        *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
	Random     io.Reader             // of ports, SSRCs and first numbers; nil is crypto/rand
}

// Engine owns the shards and the ports of all streams.
type Engine struct {
	cfg        Config
	ports      *rtp.Ports
	shards     []*shard
	collectors []prometheus.Collector
	strangers  atomic.Uint64 // of closed streams
	lost       atomic.Uint64
	panics     atomic.Uint64
	born       atomic.Uint64 // streams so far

	topology sync.Mutex // what is tied to what; taken before any stream's route

	mu       sync.Mutex
	streams  map[*Stream]bool
	wires    int // of them have no port
	draining bool
	closed   bool
}

// NewEngine starts the shards. Close ends them.
func NewEngine(cfg Config) (*Engine, error) {
	if !cfg.Address.IsValid() {
		cfg.Address = netip.IPv4Unspecified()
	}
	cfg.Address = cfg.Address.Unmap()
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Shards == 0 {
		cfg.Shards = max(1, min(runtime.GOMAXPROCS(0)/2, maxShards))
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	ports, err := rtp.NewPorts(cfg.Ports[0], cfg.Ports[1], cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("media ports: %w", err)
	}
	e := &Engine{cfg: cfg, ports: ports, streams: map[*Stream]bool{}}
	epoch := time.Now()
	for range cfg.Shards {
		sh, err := newShard(epoch, cfg.Timeout, e.panicked)
		if err != nil {
			return nil, errors.Join(err, e.Close())
		}
		e.shards = append(e.shards, sh)
		go sh.run()
	}
	if err := e.register(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Open makes a stream on a port of its own. It sends and hears nothing before
// Set. ErrNoPorts means that the range is used up, ErrDraining that Drain was called.
func (e *Engine) Open() (*Stream, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.refusal(); err != nil {
		return nil, err
	}
	s, err := e.bind()
	if err != nil {
		return nil, err
	}
	return e.place(s)
}

// refusal is why no stream may be opened now; e.mu is held.
func (e *Engine) refusal() error {
	switch {
	case e.closed:
		return ErrClosed
	case e.draining:
		return ErrDraining
	}
	return nil
}

// place gives a new stream to the shard that has least; e.mu is held.
func (e *Engine) place(s *Stream) (*Stream, error) {
	least := e.shards[0]
	for _, sh := range e.shards[1:] {
		if sh.load.Load() < least.load.Load() {
			least = sh
		}
	}
	s.shard = least
	least.load.Add(1)
	if err := least.post(s, func() { least.adopt(s) }, false); err != nil {
		return nil, errors.Join(err, s.sockets.close())
	}
	e.streams[s] = true
	if s.wire != nil {
		e.wires++
	}
	return s, nil
}

// bind opens the two sockets of a new stream. Ports that another program holds
// are passed over.
func (e *Engine) bind() (*Stream, error) {
	var last error
	for range bindTries {
		port, err := e.ports.Take(time.Now())
		if err != nil {
			return nil, err
		}
		socks, err := openSockets(e.cfg.Address, port)
		if err == nil {
			s, err := newStream(e, port, socks)
			if err != nil {
				return nil, errors.Join(err, socks.close())
			}
			return s, nil
		}
		e.ports.Release(port, time.Now())
		last = err
	}
	return nil, fmt.Errorf("opening a media port: %w", last)
}

// Drain refuses new streams from now on; open ones go on.
func (e *Engine) Drain() {
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
}

// Close ends every stream and waits for all goroutines.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	var open []*Stream
	for s := range e.streams {
		open = append(open, s)
	}
	e.mu.Unlock()
	for _, s := range open {
		s.Close()
	}
	var errs []error
	for _, sh := range e.shards {
		errs = append(errs, sh.close())
	}
	e.unregister()
	return errors.Join(errs...)
}

// forget is called by a stream that has closed.
func (e *Engine) forget(s *Stream, st Stats) {
	e.mu.Lock()
	delete(e.streams, s)
	if s.wire != nil {
		e.wires--
	}
	e.mu.Unlock()
	if s.wire == nil {
		e.ports.Release(s.port, time.Now())
	}
	e.strangers.Add(st.Strangers)
	e.lost.Add(st.Lost)
}

// Load is what admission looks at.
type Load struct {
	Streams  int           // with a port
	Wires    int           // on wires
	Ports    int           // pairs in the range: the most streams with a port there can be
	Lateness time.Duration // p99 of how late the packets of the last two seconds left, worst shard
	Skipped  uint64        // frames never sent because a shard was later than 40 ms
	Draining bool
}

// Load tells how busy the engine is. It is cheap enough for every call.
func (e *Engine) Load() Load {
	e.mu.Lock()
	l := Load{Streams: len(e.streams) - e.wires, Wires: e.wires, Draining: e.draining || e.closed, Ports: e.ports.Pairs()}
	e.mu.Unlock()
	for _, sh := range e.shards {
		l.Lateness = max(l.Lateness, time.Duration(sh.p99.Load()))
		l.Skipped += sh.totals.skipped.Load()
	}
	return l
}
