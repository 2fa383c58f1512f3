package media

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"tandem/media/codec"
)

const (
	// tapRoom is how many frames of 20 ms may wait for a recording's writer, both
	// directions together: 2.5 s of stereo. Frames beyond it are lost, and Stop says so.
	tapRoom = 256
	// tapWake is how many wait before the writer is woken.
	tapWake = 32
	// stopWait is how long Stop waits for a writer that hangs.
	stopWait = 5 * time.Second
)

// ErrSlow tells that a recording has lost audio because its writer was too slow.
var ErrSlow = errors.New("media: the recording's writer is too slow")

// side is a direction of a stream.
type side uint8

const (
	received side = iota
	sent
)

// tap is one piece of audio on its way to a recording.
type tap struct {
	side side
	n    uint8
	time uint32 // RTP time of its first byte
	wall int64  // samples since the recording began, when it passed by
	data [codec.FrameSamples]byte
}

// Recording takes down what a stream hears. A goroutine of its own writes; the
// stream never waits for it.
type Recording struct {
	stereo bool
	law    codec.Law
	stream *Stream
	w      io.Writer

	// the shard writes at tail, the writer reads at head
	ring       [tapRoom]tap
	head, tail atomic.Uint32
	lost       atomic.Uint64 // frames for which there was no room
	wake       chan struct{} // holds one
	done       chan struct{}

	ended  atomic.Bool // length is valid, no more taps come
	length int64       // samples, set by the shard before ended

	began  time.Duration // on the shard's axis
	paused bool          // belongs to the shard

	frames int // belongs to the writer until done
	err    error
}

// Record begins a recording of what the far end says: raw G.711 of the law the
// stream has now, a byte per sample at 8 kHz. With stereo, bytes of the received
// and the sent direction alternate, received first, on one time axis.
//
// Frames are placed by their RTP time, so that loss, jitter and order show as at
// the far end; what is missing, hushed or a telephone-event is silence. The
// recording's time is that of the clock, from now until Stop.
func (s *Stream) Record(w io.Writer, stereo bool) *Recording {
	r := &Recording{
		stereo: stereo, law: codec.Law(s.law.Load()), stream: s, w: w,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	err := s.call(func() {
		r.began = s.shard.now()
		s.recordings = append(s.recordings, r)
		s.tune()
	})
	if err != nil {
		r.err = err
		close(r.done)
		return r
	}
	go r.run()
	return r
}

// Law is the law of what is written.
func (r *Recording) Law() codec.Law { return r.law }

// Pause leaves out what is said until Pause(false): the time is kept as silence,
// so that a recording's seconds stay those of the call.
func (r *Recording) Pause(on bool) {
	_ = r.stream.call(func() { r.paused = on }) // a closed stream records nothing
}

// Stop ends the recording, flushes it, and returns its length in 20 ms frames and
// the first error of the writer, or ErrSlow if audio was lost. It waits 5 s for a
// writer that hangs. It may be called again, and after the stream has closed.
func (r *Recording) Stop() (frames int, err error) {
	_ = r.stream.call(func() { // a closed stream has ended it
		if i := slices.Index(r.stream.recordings, r); i >= 0 {
			r.stream.recordings = slices.Delete(r.stream.recordings, i, i+1)
			r.end(r.stream.shard.now())
			r.stream.tune()
		}
	})
	if !r.wait() {
		return 0, ErrSlow
	}
	return r.frames, r.err
}

// wait reports whether the writer has finished.
func (r *Recording) wait() bool {
	hung := time.NewTimer(stopWait)
	defer hung.Stop()
	select {
	case <-r.done:
		return true
	case <-hung.C:
		return false
	}
}

// put hands audio to the writer, on the shard.
func (r *Recording) put(from side, data []byte, law codec.Law, ts uint32, now time.Duration) {
	if r.paused {
		return
	}
	wall := r.samples(now)
	for len(data) > 0 {
		tail := r.tail.Load()
		waiting := tail - r.head.Load()
		if waiting == tapRoom {
			r.lost.Add(1)
			return
		}
		t := &r.ring[tail%tapRoom]
		n := r.law.Convert(t.data[:], data, law)
		t.side, t.n, t.time, t.wall = from, uint8(n), ts, wall
		r.tail.Store(tail + 1)
		if waiting+1 >= tapWake {
			r.nudge()
		}
		data, ts = data[n:], ts+uint32(n)
	}
}

func (r *Recording) samples(now time.Duration) int64 {
	return int64((now - r.began) * codec.Rate / time.Second)
}

// end tells the writer, on the shard, that no more comes.
func (r *Recording) end(now time.Duration) {
	r.length = r.samples(now)
	r.ended.Store(true)
	r.nudge()
}

func (r *Recording) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run is the writer.
func (r *Recording) run() {
	defer close(r.done)
	defer func() {
		if p := recover(); p != nil {
			r.stream.engine.panicked(p)
			r.err = fmt.Errorf("media: a fault of ours in the recording's writer: %v", p)
		}
	}()
	c := newCanvas(r.w, r.law, r.stereo)
	for {
		<-r.wake
		ended := r.ended.Load() // before the ring is emptied: what came before the end is in it
		for head := r.head.Load(); head != r.tail.Load(); head++ {
			t := &r.ring[head%tapRoom]
			c.place(t)
			r.head.Store(head + 1)
		}
		if ended {
			break
		}
	}
	c.flush(r.length)
	r.frames = int((c.flushed + codec.FrameSamples - 1) / codec.FrameSamples)
	r.err = c.err
	if lost := r.lost.Load(); lost > 0 && r.err == nil {
		r.err = fmt.Errorf("%w: %d frames lost", ErrSlow, lost)
	}
}
