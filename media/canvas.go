package media

import (
	"fmt"
	"io"

	"tandem/media/codec"
)

const (
	// canvasSize is the reach of the canvas in samples, a power of two: 1 s.
	canvasSize = 8192
	// canvasDelay is how long it is kept open for late packets: 240 ms.
	canvasDelay = 12 * codec.FrameSamples
	// canvasStep is the least that is written at once: 200 ms.
	canvasStep = 10 * codec.FrameSamples
)

// canvas puts audio in its place by RTP time and writes it out in order.
type canvas struct {
	w       io.Writer
	law     codec.Law
	lanes   []lane
	flushed int64 // samples written
	out     []byte
	err     error // the first of the writer
}

// lane is one direction.
type lane struct {
	anchored bool
	origin   int64 // place of RTP time start
	start    uint32
	audio    [canvasSize]byte // ring
}

func newCanvas(w io.Writer, law codec.Law, stereo bool) *canvas {
	c := &canvas{w: w, law: law, lanes: make([]lane, 1, 2)}
	if stereo {
		c.lanes = c.lanes[:2]
	}
	for i := range c.lanes {
		law.Fill(c.lanes[i].audio[:])
	}
	return c
}

// place writes a tap onto the canvas. Its place follows from the RTP time of the
// direction's first packet and the clock at its arrival; a time that is off the
// clock by more than the delay starts anew there.
func (c *canvas) place(t *tap) {
	l := &c.lanes[int(t.side)%len(c.lanes)]
	at := l.origin + int64(int32(t.time-l.start))
	if off := at - t.wall; !l.anchored || off > canvasDelay || off < -canvasDelay {
		l.anchored, l.origin, l.start = true, t.wall, t.time
		at = t.wall
	}
	if end := at + int64(t.n) - canvasSize; end > c.flushed {
		c.flush(end)
	}
	for i, b := range t.data[:t.n] {
		if p := at + int64(i); p >= c.flushed {
			l.audio[p%canvasSize] = b
		}
	}
	if upto := t.wall - canvasDelay; upto-c.flushed >= canvasStep {
		c.flush(upto)
	}
}

// flush writes everything before upto and clears it for the next round.
func (c *canvas) flush(upto int64) {
	quiet := c.law.Silence()
	for c.flushed < upto {
		n := min(upto-c.flushed, canvasStep)
		c.out = c.out[:0]
		for p := c.flushed; p < c.flushed+n; p++ {
			for i := range c.lanes {
				slot := &c.lanes[i].audio[p%canvasSize]
				c.out = append(c.out, *slot)
				*slot = quiet
			}
		}
		c.flushed += n
		if c.err != nil {
			continue // nothing is written after an error, or the file would have a hole
		}
		if _, err := c.w.Write(c.out); err != nil {
			c.err = fmt.Errorf("writing a recording: %w", err)
		}
	}
}
