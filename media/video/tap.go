package video

import (
	"sync"
	"sync/atomic"
	"time"

	"tandem/media/rtp"
)

// Bounds of frames that wait for who takes them.
const (
	tapFrames = 32      // at 30 a second: a second of slowness
	tapBytes  = 8 << 20 // beyond it nothing is added until a keyframe
	keepRoom  = 256 << 10
)

// tap puts the frames of a source together and has them taken by a goroutine.
type tap struct {
	sink *Sink
	a    assembler

	free    chan []byte // room for frames, tapFrames of them in all
	frames  chan Frame  // never full: each needs room
	waiting atomic.Int64

	once sync.Once
	quit chan struct{}
	over chan struct{}
}

func newTap(now func() time.Time, do func(Frame)) *tap {
	t := &tap{free: make(chan []byte, tapFrames), frames: make(chan Frame, tapFrames), quit: make(chan struct{}), over: make(chan struct{})}
	for range tapFrames {
		t.free <- []byte{}
	}
	t.a.begin, t.a.done = t.room, t.add
	t.sink = NewSink(SinkOptions{Now: now, Write: func(h *rtp.Header, payload []byte) error {
		t.a.push(h, payload, now())
		return nil
	}})
	t.sink.lost = t.a.lost
	go t.run(do)
	return t
}

// room is called by the assembler, on the goroutine of a packet.
func (t *tap) room() []byte {
	if held := t.a.frame.Data; held != nil { // of a frame that was given up
		t.a.frame.Data = nil
		return held[:0]
	}
	if t.waiting.Load() > tapBytes {
		return nil
	}
	select {
	case room := <-t.free:
		return room[:0]
	default:
		return nil
	}
}

func (t *tap) add(f Frame) {
	t.a.frame.Data = nil
	t.waiting.Add(int64(len(f.Data)))
	t.frames <- f
}

func (t *tap) run(do func(Frame)) {
	defer close(t.over)
	for {
		select {
		case <-t.quit:
			return
		case f := <-t.frames:
			select {
			case <-t.quit:
				return
			default:
			}
			do(f)
			t.waiting.Add(-int64(len(f.Data)))
			if cap(f.Data) > keepRoom {
				f.Data = []byte{}
			}
			t.free <- f.Data
		}
	}
}

// end has it end, without waiting.
func (t *tap) end() { t.once.Do(func() { close(t.quit) }) }

func (t *tap) stop() {
	t.end()
	t.sink.Close()
	<-t.over
}
