package video

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
)

// got collects frames of a tap.
type got struct {
	mu     sync.Mutex
	come   chan struct{}
	frames []Frame
}

func newGot() *got { return &got{come: make(chan struct{}, 1000)} }

func (g *got) take(f Frame) {
	f.Data = slices.Clone(f.Data)
	g.mu.Lock()
	g.frames = append(g.frames, f)
	g.mu.Unlock()
	g.come <- struct{}{}
}

// wait is the frames once there are n.
func (g *got) wait(t *testing.T, n int) []Frame {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		g.mu.Lock()
		frames := slices.Clone(g.frames)
		g.mu.Unlock()
		if len(frames) >= n {
			return frames
		}
		select {
		case <-g.come:
		case <-limit:
			t.Fatalf("%d frames, want %d", len(frames), n)
		}
	}
}

// A tap gets every frame from a keyframe on, on one axis, whatever layer they are of.
func TestTap(t *testing.T) {
	c := newClock()
	f, g := newFilm(t, c, 2), newGot()
	sharp, small := newCamera(1, 640, 480), newCamera(40000, 320, 240)
	f.Allow(true)
	stop := f.Tap(g.take)
	f.roll(0, sharp.shoot(false)...)
	if asked := f.asked(); !slices.Equal(asked, []int{0}) {
		t.Errorf("asked for keyframes %v", asked)
	}
	f.play(0, sharp, true)
	for n := range 20 {
		f.play(0, sharp, false)
		g.wait(t, n+2)
	}
	for n := 21; n < 61; { // the sharp layer ends
		f.play(1, small, len(f.asked()) > 0)
		if f.taps[0].sink.Figures().Layer == 1 {
			n++
			g.wait(t, n)
		}
	}
	frames := g.wait(t, 61)
	for i, x := range frames {
		if want := map[bool]int{true: 640, false: 320}[i < 21]; x.Width != want || x.Key != (i == 0 || i == 21) {
			t.Fatalf("frame %d: %+v", i, x)
		}
		if i == 0 {
			continue
		}
		passed := x.At.Sub(frames[i-1].At)
		if step := time.Duration(int32(x.Time-frames[i-1].Time)) * time.Millisecond / clockRate; step < passed-40*time.Millisecond || step > passed+40*time.Millisecond {
			t.Errorf("frame %d: %v after the one before, which came %v before", i, step, passed)
		}
	}
	stop()
	stop()
	f.play(1, small, true)
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.frames) > 61 || len(f.taps) > 0 || len(f.sinks) > 0 {
		t.Errorf("after the end %d frames, %d taps, %d sinks", len(g.frames), len(f.taps), len(f.sinks))
	}
}

// Who takes frames slowly loses some, and goes on with a keyframe; nothing waits for them.
func TestASlowTap(t *testing.T) {
	c := newClock()
	f, cam := newFilm(t, c, 1), newCamera(1, 640, 480)
	f.Allow(true)
	going, gate := make(chan struct{}), make(chan struct{})
	g := newGot()
	stop := f.Tap(func(x Frame) {
		if n, _ := stamp(x.Data); n == 1 {
			close(going)
			<-gate
		}
		g.take(x)
	})
	defer stop()
	f.play(0, cam, true)
	<-going
	for range 100 {
		f.play(0, cam, false)
	}
	if asked := f.asked(); len(asked) == 0 {
		t.Error("no keyframe is asked for")
	}
	close(gate)
	g.wait(t, tapFrames)
	f.play(0, cam, false)
	f.play(0, cam, true)
	f.play(0, cam, false)
	frames := g.wait(t, tapFrames+2)
	if len(frames) != tapFrames+2 {
		t.Errorf("%d frames", len(frames))
	}
	for i, x := range frames {
		n, _ := stamp(x.Data)
		if want := uint32(i + 1); i < tapFrames && (n != want || x.Key != (i == 0)) || i == tapFrames && (n != 103 || !x.Key) {
			t.Errorf("frame %d is number %d, %t", i, n, x.Key)
		}
	}
}

// The end of the source is the end of its taps.
func TestTapOfASourceThatEnds(t *testing.T) {
	c := newClock()
	f := newFilm(t, c, 1)
	stop := f.Tap(func(Frame) { t.Error("a frame") })
	f.Close()
	stop()
	f.Tap(func(Frame) { t.Error("a frame") })()
	cam := newCamera(1, 640, 480)
	f.play(0, cam, true)
}

func TestStill(t *testing.T) {
	c := newClock()
	f, cam := newFilm(t, c, 1), newCamera(1, 640, 480)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := f.Still(ctx); !errors.Is(err, ErrDark) {
		t.Errorf("of a source that is not allowed: %v", err)
	}
	f.Allow(true)
	f.play(0, cam, true)
	f.asked()
	type still struct {
		Frame
		err error
	}
	done := make(chan still)
	go func() {
		x, err := f.Still(context.Background())
		done <- still{x, err}
	}()
	var x still
	for n, over := 0, false; !over; n++ {
		select {
		case x = <-done:
			over = true
		default:
			f.play(0, cam, len(f.asked()) > 0)
		}
	}
	if n, _ := stamp(x.Data); x.err != nil || !x.Key || n < 2 || x.Width != 640 || len(x.Data) != 1200 {
		t.Errorf("frame %d: %v, %d by %d", n, x.err, x.Width, x.Height)
	}
	data := bytes.Clone(x.Data)
	f.play(0, cam, true)
	if !bytes.Equal(data, x.Data) {
		t.Error("the still has changed")
	}
	if len(f.taps) > 0 || len(f.sinks) > 0 {
		t.Errorf("%d taps, %d sinks are left", len(f.taps), len(f.sinks))
	}
}
