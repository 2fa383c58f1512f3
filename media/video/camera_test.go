package video

import (
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/media/rtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errRefused = errors.New("refused")

// clock is a time that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// camera makes packets as a page's camera does, of one layer. Each frame's data carries its
// own number and the length it was made with, so that who gets it can tell it is whole.
type camera struct {
	ssrc    uint32
	seq     uint16
	time    uint32
	picture uint16
	tl0     uint8
	frame   uint32
	w, h    int
	bits    byte // of the descriptor's extension: I, L, T, K; 0 = none
	wide    bool
	packets int // per frame
	bytes   int // per packet
}

func newCamera(ssrc uint32, w, h int) *camera {
	return &camera{ssrc: ssrc, seq: uint16(ssrc), time: ssrc * 7, picture: uint16(ssrc*3) % pictures, tl0: uint8(ssrc), w: w, h: h, bits: bitI | bitL | bitT | bitK, wide: true, packets: 3, bytes: 400}
}

// shoot makes the packets of the next frame, 33 ms after the one before.
func (c *camera) shoot(key bool) (packets [][]byte) {
	c.frame++
	data := make([]byte, c.packets*c.bytes)
	data[0] = 1
	at := 3
	if key {
		data[0] = 0
		copy(data[3:], []byte{0x9d, 0x01, 0x2a, byte(c.w), byte(c.w >> 8), byte(c.h), byte(c.h >> 8)})
		at = keyHeader
	}
	binary.BigEndian.PutUint32(data[at:], c.frame)
	binary.BigEndian.PutUint32(data[at+4:], c.ssrc)
	binary.BigEndian.PutUint32(data[at+8:], uint32(len(data)))
	for i := range c.packets {
		packets = append(packets, c.packet(i == 0, i == c.packets-1, data[i*c.bytes:(i+1)*c.bytes]))
	}
	c.time += 2970
	c.picture = (c.picture + 1) % pictures
	if !c.wide {
		c.picture %= picturesLow
	}
	c.tl0++
	return packets
}

// pad makes a packet of padding.
func (c *camera) pad() []byte {
	b := c.packet(false, false, nil)[:rtp.HeaderSize]
	b = append(b, make([]byte, 200)...)
	b[0] |= 0x20
	b[len(b)-1] = 200
	return b
}

func (c *camera) packet(start, marker bool, data []byte) []byte {
	b := make([]byte, rtp.HeaderSize, rtp.HeaderSize+longest+len(data))
	rtp.Header{Marker: marker, Payload: 96, Seq: c.seq, Time: c.time, SSRC: c.ssrc}.Put(b)
	c.seq++
	first := byte(0)
	if start {
		first = bitS
	}
	if c.bits == 0 {
		return append(append(b, first), data...)
	}
	b = append(b, first|bitX, c.bits)
	if c.bits&bitI != 0 {
		if c.wide {
			b = append(b, bitM|byte(c.picture>>8), byte(c.picture))
		} else {
			b = append(b, byte(c.picture))
		}
	}
	if c.bits&bitL != 0 {
		b = append(b, c.tl0)
	}
	if c.bits&(bitT|bitK) != 0 {
		b = append(b, 0x25)
	}
	return append(b, data...)
}

// seen is one packet that a viewer got.
type seen struct {
	rtp.Header
	d      descriptor
	data   []byte
	frame  uint32 // of packets that begin one
	camera uint32
	key    bool
	at     time.Time
}

// viewer is who a sink writes to.
type viewer struct {
	*Sink
	t     *testing.T
	clock *clock
	mu    sync.Mutex
	got   []seen
	fails bool
}

func newViewer(t *testing.T, c *clock) *viewer {
	v := &viewer{t: t, clock: c}
	v.Sink = NewSink(SinkOptions{Now: c.Now, Write: v.write})
	t.Cleanup(v.Close)
	return v
}

func (v *viewer) write(h *rtp.Header, payload []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fails {
		return errRefused
	}
	s := seen{Header: *h, at: v.clock.Now()}
	if len(payload) > 0 {
		d, ok := parse(payload)
		if !ok {
			v.t.Errorf("a packet that cannot be read: % x", payload)
			return nil
		}
		s.d, s.data = d, append([]byte(nil), payload[d.size:]...)
		if d.start {
			s.key = isKey(s.data)
			s.frame, s.camera = stamp(s.data)
		}
	}
	v.got = append(v.got, s)
	return nil
}

// stamp is what the test's camera wrote into a frame.
func stamp(data []byte) (frame, camera uint32) {
	at := 3
	if isKey(data) {
		at = keyHeader
	}
	return binary.BigEndian.Uint32(data[at:]), binary.BigEndian.Uint32(data[at+4:])
}

// take is what came since the last take.
func (v *viewer) take() []seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	got := v.got
	v.got = nil
	return got
}

// film is a source and the clock and asks of it.
type film struct {
	*Source
	clock *clock
	mu    sync.Mutex
	keys  []int // asked for, by layer
}

func newFilm(t *testing.T, c *clock, layers int) *film {
	f := &film{clock: c}
	f.Source = NewSource(SourceOptions{ID: "leg:camera", Layers: layers, Now: c.Now, Key: func(layer int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.keys = append(f.keys, layer)
	}})
	t.Cleanup(f.Close)
	return f
}

// asked are the layers of which keyframes were asked since the last time.
func (f *film) asked() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	keys := f.keys
	f.keys = nil
	return keys
}

// roll gives a layer these packets.
func (f *film) roll(layer int, packets ...[]byte) {
	for _, b := range packets {
		f.Packet(layer, b)
	}
}

// play gives the next frame and lets the time of one pass.
func (f *film) play(layer int, c *camera, key bool) {
	f.roll(layer, c.shoot(key)...)
	f.clock.pass(33 * time.Millisecond)
}

// whole checks that what a viewer got has no gap in its numbers, begins with a keyframe, and
// shows the frames in order; it returns their numbers.
func whole(t *testing.T, got []seen, before *seen) (frames []uint32) {
	t.Helper()
	for i := range got {
		g := &got[i]
		p := before
		if i > 0 {
			p = &got[i-1]
		}
		if g.data != nil && g.d.start {
			frames = append(frames, g.frame)
		}
		if p == nil {
			if !g.key {
				t.Errorf("it begins with %+v", g.Header)
			}
			continue
		}
		if g.Seq != p.Seq+1 {
			t.Errorf("packet %d: number %d after %d", i, g.Seq, p.Seq)
		}
		fresh := g.data != nil && g.d.start
		step := int32(g.Time - p.Time)
		if fresh && step <= 0 || !fresh && step < 0 || step > 90_000*60 {
			t.Errorf("packet %d: time %d after %d", i, g.Time, p.Time)
		}
		if p.data == nil || g.data == nil {
			continue
		}
		want := p.d.picture
		if fresh {
			want = (want + 1) % pictures
		}
		if g.d.hasPic && p.d.hasPic && (g.d.picture != want || !g.d.wide) {
			t.Errorf("packet %d: picture %d after %d", i, g.d.picture, p.d.picture)
		}
		if g.d.hasTL0 && p.d.hasTL0 && fresh != (g.d.tl0 == p.d.tl0+1) {
			t.Errorf("packet %d: tl0 %d after %d", i, g.d.tl0, p.d.tl0)
		}
	}
	return frames
}
