package video

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tandem/media/rtp"
)

// assembly puts frames together from what a camera made.
type assembly struct {
	t      *testing.T
	a      assembler
	now    time.Time
	frames []Frame
	rooms  int // handed out
}

func newAssembly(t *testing.T) *assembly {
	b := &assembly{t: t, now: time.Unix(1_800_000_000, 0)}
	b.a.begin = func() []byte { b.rooms++; return []byte{} }
	b.a.done = func(f Frame) {
		f.Data = slices.Clone(f.Data)
		b.frames = append(b.frames, f)
	}
	return b
}

// push gives it packets; it reports whether a keyframe is wanted.
func (b *assembly) push(packets ...[]byte) bool {
	for _, p := range packets {
		h, payload, err := rtp.Parse(p)
		if err != nil {
			b.t.Fatal(err)
		}
		b.a.push(&h, payload, b.now)
	}
	return b.a.lost()
}

// numbers are those of the frames that came since the last call; each must be whole.
func (b *assembly) numbers() (all []uint32) {
	b.t.Helper()
	for _, f := range b.frames {
		n, _ := stamp(f.Data)
		at := 3
		if f.Key {
			at = keyHeader
		}
		if want := binary.BigEndian.Uint32(f.Data[at+8:]); int(want) != len(f.Data) {
			b.t.Errorf("frame %d has %d bytes of %d", n, len(f.Data), want)
		}
		if f.Key != isKey(f.Data) || f.Width != 640 || f.Height != 480 {
			b.t.Errorf("frame %d: %t, %d by %d", n, f.Key, f.Width, f.Height)
		}
		all = append(all, n)
	}
	b.frames = nil
	return all
}

func (b *assembly) want(numbers ...uint32) {
	b.t.Helper()
	if got := b.numbers(); !slices.Equal(got, numbers) {
		b.t.Errorf("frames %v, want %v", got, numbers)
	}
}

func TestFramesInOrder(t *testing.T) {
	b, cam := newAssembly(t), newCamera(65530, 640, 480)
	if !b.push(cam.shoot(false)...) {
		t.Error("without a keyframe none is wanted")
	}
	b.want()
	if b.push(cam.shoot(true)...) {
		t.Error("after a keyframe another is wanted")
	}
	b.push(cam.pad())
	b.push(cam.shoot(false)...)
	p := cam.shoot(false)
	b.push(p[0], cam.pad(), p[1]) // padding has the number after p[2]
	b.want(2, 3)
	b.push(p[2])
	cam.packets = 1
	b.push(cam.shoot(false)...)
	b.want(4, 5)
}

// Whatever the order and however many copies, within the window all frames come once.
func TestFramesFromDisorder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		b, cam := newAssembly(t), newCamera(65000, 640, 480)
		var want []uint32
		var all [][]byte
		for i := range 400 {
			cam.packets = 1 + r.IntN(6)
			all = append(all, cam.shoot(i%50 == 0)...)
			if r.IntN(10) == 0 {
				all = append(all, cam.pad())
			}
			want = append(want, uint32(i+1))
		}
		first := 6 // the beginning is known by its first packet
		for at := first; at < len(all); at += 40 {
			part := all[at:min(len(all), at+40)]
			r.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		}
		for _, p := range all {
			for range 1 + r.IntN(2) {
				b.push(p)
			}
			b.now = b.now.Add(time.Millisecond)
		}
		if b.a.lost() {
			t.Error("a keyframe is wanted")
		}
		b.want(want...)
	}
}

// After a loss nothing comes until a keyframe, which is asked for once the loss is certain.
func TestLoss(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	b.push(cam.shoot(true)...)
	p := cam.shoot(false)
	b.push(p[0], p[2])
	for range 5 {
		b.now = b.now.Add(33 * time.Millisecond)
		if b.push(cam.shoot(false)...) {
			t.Fatal("it does not wait for what may yet come")
		}
	}
	b.want(1)
	b.push(p[1]) // sent again
	b.want(2, 3, 4, 5, 6, 7)
	p = cam.shoot(false)
	b.push(p[1:]...)
	b.push(cam.shoot(false)...)
	b.now = b.now.Add(gapFor)
	if !b.push(cam.shoot(false)...) {
		t.Fatal("no keyframe is wanted")
	}
	b.push(p[0]) // too late
	b.want()
	key := cam.shoot(true)
	b.push(key[0], key[2])
	b.push(cam.shoot(false)...)
	b.push(key[1])
	b.want(11, 12)
}

// A keyframe that waited behind a loss is used at once.
func TestAKeyframeBehindALoss(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	b.push(cam.shoot(true)...)
	b.push(cam.shoot(false)[1:]...)
	b.push(cam.shoot(false)...)
	b.push(cam.shoot(true)...)
	b.want(1)
	b.now = b.now.Add(gapFor)
	if b.push(cam.shoot(false)...) {
		t.Error("a keyframe is wanted, and one is there")
	}
	b.want(4, 5)
}

// Losses that are old together are given up together.
func TestTwoLosses(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	b.push(cam.shoot(true)...)
	b.push(cam.shoot(false)[1:]...)
	b.now = b.now.Add(10 * time.Millisecond)
	b.push(cam.shoot(false)[:2]...)
	b.push(cam.shoot(true)...)
	b.now = b.now.Add(gapFor)
	b.push(cam.shoot(false)...)
	b.want(1, 4, 5)
}

// A copy of what was taken long ago takes no other packet's place.
func TestALateCopy(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	key := cam.shoot(true)
	b.push(key...)
	cam.packets = 1
	late, want := cam.shoot(false), []uint32{1, 2}
	for i := range window - 1 {
		b.push(cam.shoot(false)...)
		want = append(want, uint32(3+i))
	}
	b.push(key...)
	b.push(late...)
	b.want(want...)
}

// A packet that belongs to no frame is a loss: its frame's end came before it.
func TestAnEndWithin(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	b.push(cam.shoot(true)...)
	p := cam.shoot(false)
	p[1][1] |= 0x80 // the marker
	if b.frames = nil; !b.push(p...) {
		t.Error("no keyframe is wanted")
	}
	b.frames = nil
	b.push(cam.shoot(false)...)
	b.want()
}

// Nothing is given of a frame whose last packet never was: its sender went over to another.
func TestAFrameWithoutEnd(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	b.push(cam.shoot(true)...)
	cut := cam.shoot(false)[:2]
	b.push(cut...)
	cam.seq--
	b.push(cam.shoot(true)...)
	b.push(cam.shoot(false)...)
	b.want(1, 3, 4)
	b.push(cam.shoot(false)[:2]...)
	cam.seq--
	if !b.push(cam.shoot(false)...) {
		t.Error("no keyframe is wanted")
	}
	b.want()
}

// A long silence of numbers: nothing waits, nothing is asked of a jump but a keyframe.
func TestAJumpBeyondTheWindow(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	b.push(cam.shoot(true)...)
	cam.packets = 2
	b.push(cam.shoot(false)[1:]...)
	for range 300 { // two numbers each
		b.push(cam.shoot(false)...)
	}
	b.want(1)
	cam.seq += 2000
	b.push(cam.shoot(false)...)
	if b.a.top-b.a.next > window {
		t.Errorf("it waits for %d packets", b.a.top-b.a.next)
	}
	b.push(cam.shoot(true)...)
	b.push(cam.shoot(false)...)
	b.want(304, 305)
}

// A frame without end of data is given up at its bound.
func TestAFrameTooLarge(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	cam.packets, cam.bytes = maxFrame/1400+2, 1400
	if !b.push(cam.shoot(true)...) {
		t.Error("no keyframe is wanted")
	}
	b.want()
	if cap(b.a.frame.Data) > 2*maxFrame {
		t.Errorf("room for %d bytes", cap(b.a.frame.Data))
	}
	cam.packets = 3
	b.push(cam.shoot(true)...)
	b.want(2)
}

// Without room frames are given up until a keyframe.
func TestNoRoom(t *testing.T) {
	b, cam := newAssembly(t), newCamera(3, 640, 480)
	b.push(cam.shoot(true)...)
	room := b.a.begin
	b.a.begin = func() []byte { return nil }
	if !b.push(cam.shoot(false)...) {
		t.Error("no keyframe is wanted")
	}
	b.a.begin = room
	b.push(cam.shoot(false)...)
	b.want(1)
	b.push(cam.shoot(true)...)
	b.want(4)
}

// FuzzAssembler gives it packets that are anything, by a sender who keeps to nothing: what
// comes out began with a keyframe, is bounded, and nothing more is held than promised.
func FuzzAssembler(f *testing.F) {
	pack := func(packets ...[]byte) (b []byte) {
		for _, p := range packets {
			b = append(b, p[1]&0x80, p[2], p[3], p[7], byte(len(p)-rtp.HeaderSize))
			b = append(b, p[rtp.HeaderSize:]...)
		}
		return b
	}
	cam := newCamera(3, 640, 480)
	cam.bytes = 40
	key, one, two := cam.shoot(true), cam.shoot(false), cam.shoot(false)
	f.Add(pack(slices.Concat(key, one, two)...))
	f.Add(pack(key[0], key[2], one[0], key[1], two[2], one[1]))
	f.Add(pack(one[0], key[0][:rtp.HeaderSize+8], key[1], cam.pad()[:rtp.HeaderSize]))
	f.Fuzz(func(t *testing.T, in []byte) {
		now, frames := time.Unix(0, 0), 0
		a := assembler{begin: func() []byte { return nil }}
		room := make([]byte, 0, 64)
		a.begin = func() []byte { return room[:0] }
		a.done = func(f Frame) {
			if frames++; frames == 1 && !f.Key {
				t.Fatal("it does not begin with a keyframe")
			}
			if len(f.Data) == 0 || len(f.Data) > maxFrame || f.Width == 0 || f.Height == 0 {
				t.Fatalf("a frame of %d bytes, %d by %d", len(f.Data), f.Width, f.Height)
			}
		}
		for len(in) >= 5 {
			h := rtp.Header{Marker: in[0]&0x80 != 0, Seq: binary.BigEndian.Uint16(in[1:]), Time: uint32(in[3])}
			n := min(int(in[4]), len(in)-5)
			now = now.Add(time.Duration(in[0]&0x7f) * time.Millisecond)
			a.push(&h, in[5:5+n], now)
			in = in[5+n:]
			if a.started && (a.top-a.next >= window || a.next > a.top+1) {
				t.Fatalf("it waits from %d to %d", a.next, a.top)
			}
			a.lost()
		}
	})
}
