package video

import (
	"slices"
	"testing"
	"time"
)

func TestAViewerBeginsWithAKeyframe(t *testing.T) {
	c := newClock()
	f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(65500, 640, 480)
	v.Show(f.Source)
	f.roll(0, cam.shoot(true)...)
	if got := v.take(); len(got) > 0 || f.Figures().Forbidden != 3 {
		t.Fatalf("before it is allowed %d packets got through, %+v", len(got), f.Figures())
	}
	f.Allow(true)
	f.play(0, cam, false)
	if got := v.take(); len(got) > 0 {
		t.Fatalf("%d packets without a keyframe", len(got))
	}
	if asked := f.asked(); !slices.Equal(asked, []int{0}) {
		t.Fatalf("asked for keyframes %v", asked)
	}
	if !v.Figures().Waiting {
		t.Error("it does not wait")
	}
	f.play(0, cam, true)
	for range 40 { // the numbers wrap within
		f.play(0, cam, false)
	}
	got := v.take()
	if frames := whole(t, got, nil); len(frames) != 41 || len(got) != 123 {
		t.Errorf("%d frames, %d packets", len(frames), len(got))
	}
	if asked := f.asked(); len(asked) > 0 {
		t.Errorf("asked for keyframes %v", asked)
	}
	if fig := v.Figures(); fig.Waiting || fig.Layer != 0 || fig.Packets != 123 {
		t.Errorf("%+v", fig)
	}
}

// Whatever the two sources have in their descriptors, going from one to the other and back
// leaves no gap.
func TestSwitchingSources(t *testing.T) {
	kinds := map[string]func(*camera){
		"long":  func(*camera) {},
		"short": func(c *camera) { c.wide, c.picture = false, 120 },
		"none":  func(c *camera) { c.bits = 0 },
		"layer": func(c *camera) { c.bits = bitT },
	}
	for one, first := range kinds {
		for two, second := range kinds {
			t.Run(one+" to "+two, func(t *testing.T) {
				c := newClock()
				f, g, v := newFilm(t, c, 1), newFilm(t, c, 1), newViewer(t, c)
				a, b := newCamera(65530, 640, 480), newCamera(32760, 320, 240)
				first(a)
				second(b)
				f.Allow(true)
				g.Allow(true)
				v.Show(f.Source)
				f.play(0, a, true)
				f.play(0, a, false)
				v.Show(g.Source)
				f.play(0, a, false) // not shown any more
				g.play(0, b, false) // cannot be shown yet
				if asked := g.asked(); !slices.Equal(asked, []int{0}) {
					t.Errorf("asked for keyframes %v", asked)
				}
				c.pass(2 * time.Second)
				g.play(0, b, true)
				for range 200 {
					g.play(0, b, false)
				}
				v.Show(f.Source)
				f.play(0, a, true)
				got := v.take()
				frames := whole(t, got, nil)
				want := []uint32{1, 2, 2}
				for i := range 200 {
					want = append(want, uint32(3+i))
				}
				if want = append(want, 4); !slices.Equal(frames, want) {
					t.Errorf("frames %v", frames)
				}
				at := slices.IndexFunc(got, func(s seen) bool { return s.d.start && s.camera == b.ssrc })
				passed := got[at].at.Sub(got[at-1].at)
				if ms := time.Duration(got[at].Time-got[at-1].Time) * time.Millisecond / clockRate; ms < passed-50*time.Millisecond || ms > passed+50*time.Millisecond {
					t.Errorf("the timestamp went on by %v, the time by %v", ms, passed)
				}
				if v.Figures().Switches != 3 {
					t.Errorf("%+v", v.Figures())
				}
			})
		}
	}
}

// Between layers the one shown goes on until the other's keyframe.
func TestSwitchingLayers(t *testing.T) {
	c := newClock()
	f, v := newFilm(t, c, 2), newViewer(t, c)
	sharp, small := newCamera(1, 640, 480), newCamera(40000, 320, 240)
	small.packets = 1
	f.Allow(true)
	v.Show(f.Source)
	both := func(key bool) {
		f.roll(0, sharp.shoot(key)...)
		f.roll(1, small.shoot(key)...)
		c.pass(33 * time.Millisecond)
	}
	both(true)
	for range 60 {
		both(false)
	}
	v.Budget(150_000)
	f.asked()
	start := c.Now()
	for v.Figures().Layer == 0 && c.Now().Sub(start) < 5*time.Second {
		asked := f.asked()
		if len(asked) > 0 && !slices.Equal(asked, []int{1}) {
			t.Fatalf("asked for keyframes of %v", asked)
		}
		both(len(asked) > 0)
	}
	if took := c.Now().Sub(start); v.Figures().Layer != 1 || took < shortFor || took > shortFor+500*time.Millisecond {
		t.Errorf("it went down after %v: %+v", took, v.Figures())
	}
	got := v.take()
	frames := whole(t, got, nil)
	at := slices.IndexFunc(got, func(s seen) bool { return s.d.start && s.camera == small.ssrc })
	if at < 0 || !got[at].key || len(frames) < 80 {
		t.Fatalf("packet %d is the first of the small one, of %d frames", at, len(frames))
	}
	for i := 1; i < len(frames); i++ { // no frame is left out and none is shown twice but the one at which it changes
		if step := frames[i] - frames[i-1]; step > 1 {
			t.Errorf("frame %d after %d", frames[i], frames[i-1])
		}
	}
	v.Budget(5_000_000)
	for range 150 {
		both(len(f.asked()) > 0)
	}
	if v.Figures().Layer != 0 {
		t.Errorf("with room it stays at %+v", v.Figures())
	}
	last := got[len(got)-1]
	got = v.take()
	whole(t, got, &last)
	last = got[len(got)-1]
	for range 120 { // the page sends the sharp layer no more
		f.roll(1, small.shoot(len(f.asked()) > 0)...)
		c.pass(33 * time.Millisecond)
	}
	if v.Figures().Layer != 1 {
		t.Errorf("without the sharp layer: %+v", v.Figures())
	}
	whole(t, v.take(), &last)
}

// What was lost on the way in is missing on the way out, what came late or twice is not.
func TestDisorder(t *testing.T) {
	c := newClock()
	f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(65520, 640, 480)
	f.Allow(true)
	v.Show(f.Source)
	f.play(0, cam, true)
	f.play(0, cam, false)
	a, b := cam.shoot(false), cam.shoot(false)
	f.roll(0, a[0], a[2], b[1], a[1], a[1], b[1], a[0], b[0], b[2])
	f.roll(0, cam.pad())
	lost := cam.shoot(false)
	f.roll(0, lost[0], lost[2])
	f.play(0, cam, false)
	got := v.take()
	slices.SortStableFunc(got, func(x, y seen) int { return int(int16(x.Seq - y.Seq)) })
	gaps := 0
	for i := 1; i < len(got); i++ {
		switch got[i].Seq - got[i-1].Seq {
		case 1:
		case 2:
			gaps++
		default:
			t.Errorf("number %d after %d", got[i].Seq, got[i-1].Seq)
		}
	}
	if fig := f.Figures(); gaps != 1 || len(got) != 6+6+1+2+3 || fig.Doubles != 3 || fig.Lost != 1 {
		t.Errorf("%d gaps in %d packets, %+v", gaps, len(got), fig)
	}
}

// Going over just after packets came in disorder follows the newest of them.
func TestSwitchingAfterDisorder(t *testing.T) {
	c := newClock()
	f, g, v := newFilm(t, c, 1), newFilm(t, c, 1), newViewer(t, c)
	a, b := newCamera(1, 640, 480), newCamera(2, 640, 480)
	f.Allow(true)
	g.Allow(true)
	v.Show(f.Source)
	f.play(0, a, true)
	late := a.shoot(false)
	f.play(0, a, false)
	f.roll(0, late...)
	got := v.take()
	newest := slices.MaxFunc(got, func(x, y seen) int { return int(int16(x.Seq - y.Seq)) })
	v.Show(g.Source)
	g.play(0, b, true)
	if frames := whole(t, v.take(), &newest); len(frames) != 1 {
		t.Errorf("frames %v", frames)
	}
}

// A keyframe whose beginning came after its end is not begun with: the end is gone.
func TestNotBegunInDisorder(t *testing.T) {
	c := newClock()
	f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(1, 640, 480)
	f.Allow(true)
	v.Show(f.Source)
	p := cam.shoot(true)
	f.roll(0, p[1], p[0], p[2])
	f.play(0, cam, false)
	if got := v.take(); len(got) > 0 {
		t.Errorf("%d packets", len(got))
	}
	c.pass(keyEvery)
	f.play(0, cam, false)
	if asked := f.asked(); len(asked) != 2 {
		t.Errorf("asked %v", asked)
	}
	late := cam.shoot(false)
	f.play(0, cam, true)
	f.roll(0, late...) // before what it began with
	got := v.take()
	if frames := whole(t, got, nil); len(frames) != 1 {
		t.Errorf("frames %v", frames)
	}
}

// Another sender in the same place, or numbers from elsewhere, begin anew at a keyframe.
func TestAnotherSender(t *testing.T) {
	for name, change := range map[string]func(*camera){
		"ssrc":     func(c *camera) { c.ssrc++ },
		"far jump": func(c *camera) { c.seq += 20_000 },
		"far back": func(c *camera) { c.seq -= 20_000 },
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(9, 640, 480)
			f.Allow(true)
			v.Show(f.Source)
			f.play(0, cam, true)
			change(cam)
			f.play(0, cam, false)
			got := v.take()
			if len(got) != 3 || !v.Figures().Waiting {
				t.Fatalf("%d packets, %+v", len(got), v.Figures())
			}
			c.pass(keyEvery)
			f.play(0, cam, false)
			if asked := f.asked(); len(asked) == 0 {
				t.Error("no keyframe was asked for")
			}
			f.play(0, cam, true)
			f.play(0, cam, false)
			if frames := whole(t, v.take(), &got[2]); len(frames) != 2 {
				t.Errorf("frames %v", frames)
			}
		})
	}
}

// One packet from nowhere changes nothing.
func TestAStrayPacket(t *testing.T) {
	c := newClock()
	f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(9, 640, 480)
	f.Allow(true)
	v.Show(f.Source)
	f.play(0, cam, true)
	stray := newCamera(9, 640, 480)
	stray.seq += 30_000
	f.roll(0, stray.shoot(true)[0])
	f.play(0, cam, false)
	if frames := whole(t, v.take(), nil); !slices.Equal(frames, []uint32{1, 2}) {
		t.Errorf("frames %v", frames)
	}
}

// Viewers share keyframes: however many come and ask, the page is asked once in a while.
func TestManyViewersShareAKeyframe(t *testing.T) {
	c := newClock()
	f, cam := newFilm(t, c, 1), newCamera(1, 640, 480)
	f.Allow(true)
	f.play(0, cam, true)
	var viewers []*viewer
	for range 20 {
		v := newViewer(t, c)
		v.Show(f.Source)
		viewers = append(viewers, v)
	}
	if asked := f.asked(); len(asked) != 1 {
		t.Fatalf("20 viewers ask %d times", len(asked))
	}
	f.play(0, cam, true)
	for _, v := range viewers {
		if got := v.take(); len(got) != 3 {
			t.Fatalf("%d packets", len(got))
		}
	}
	for range 300 { // ten seconds of viewers who ask all the time
		for _, v := range viewers {
			v.Key()
		}
		f.play(0, cam, false)
	}
	if asked := f.asked(); len(asked) < 15 || len(asked) > 20 {
		t.Errorf("asked %d times in ten seconds", len(asked))
	}
	f.play(0, cam, true)
	for range 100 {
		f.play(0, cam, false)
	}
	if asked := f.asked(); len(asked) > 1 {
		t.Errorf("asked %d times after the keyframe", len(asked))
	}
}

// A wish that comes too soon after an ask is not forgotten.
func TestAWishIsKept(t *testing.T) {
	c := newClock()
	f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(1, 640, 480)
	f.Allow(true)
	v.Show(f.Source)
	f.play(0, cam, false)
	f.play(0, cam, true)
	v.Key()
	if asked := f.asked(); len(asked) != 1 {
		t.Fatalf("asked %d times", len(asked))
	}
	for range 16 {
		f.play(0, cam, false)
	}
	if asked := f.asked(); len(asked) != 1 {
		t.Errorf("asked %d times for the wish", len(asked))
	}
}

// When Allow(false) has returned nothing goes out, and it begins again at a keyframe without
// a gap.
func TestForbidding(t *testing.T) {
	c := newClock()
	f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(1, 640, 480)
	f.Allow(true)
	v.Show(f.Source)
	f.play(0, cam, true)
	f.Allow(false)
	if f.Live() || f.Allowed() {
		t.Error("it is live while forbidden")
	}
	f.play(0, cam, true)
	v.Key()
	if asked := f.asked(); len(asked) > 0 {
		t.Errorf("a page that may not show is asked: %v", asked)
	}
	f.Allow(true)
	f.play(0, cam, false)
	f.play(0, cam, true)
	f.play(0, cam, false)
	got := v.take()
	if frames := whole(t, got, nil); !slices.Equal(frames, []uint32{1, 4, 5}) {
		t.Errorf("frames %v", frames)
	}
	if fig := f.Figures(); fig.Forbidden != 3 || fig.Lost != 0 || !fig.Live || fig.Layers[0].Width != 640 {
		t.Errorf("%+v", fig)
	}
	f.Close()
	f.Close()
	f.Allow(true)
	f.play(0, cam, true)
	if got := v.take(); len(got) > 0 || f.Live() {
		t.Errorf("%d packets of a source that is closed", len(got))
	}
}

func TestShowingNothing(t *testing.T) {
	c := newClock()
	f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(1, 640, 480)
	f.Allow(true)
	v.Show(f.Source)
	f.play(0, cam, true)
	v.Show(nil)
	v.Key()
	f.play(0, cam, true)
	if got := v.take(); len(got) != 3 {
		t.Errorf("%d packets", len(got))
	}
	v.Show(f.Source)
	v.Show(f.Source)
	f.play(0, cam, true)
	v.fails = true
	f.play(0, cam, false)
	v.fails = false
	if fig := v.Figures(); fig.Failed != 3 || fig.Packets != 6 {
		t.Errorf("%+v", fig)
	}
	v.take()
	v.Close()
	v.Close()
	v.Show(f.Source)
	f.play(0, cam, true)
	if got := v.take(); len(got) > 0 {
		t.Errorf("%d packets after the end", len(got))
	}
}

// Packets that are nothing are counted and go nowhere.
func TestBrokenPackets(t *testing.T) {
	c := newClock()
	f, v, cam := newFilm(t, c, 1), newViewer(t, c), newCamera(1, 640, 480)
	f.Allow(true)
	v.Show(f.Source)
	key := cam.shoot(true)[0]
	cut := key[:len(key)-395] // within the keyframe's header
	wrong := slices.Clone(key)
	wrong[12+6+3] = 0
	huge := append(slices.Clone(key), make([]byte, maxPacket)...)
	for _, b := range [][]byte{nil, key[:5], key[:13], key[:17], cut, wrong, huge} {
		f.roll(0, b)
	}
	f.roll(1, key)
	f.roll(-1, key)
	if got := v.take(); len(got) > 0 || f.Figures().Broken != 9 {
		t.Errorf("%d packets got through, %+v", len(got), f.Figures())
	}
	f.play(0, cam, true)
	if frames := whole(t, v.take(), nil); len(frames) != 1 {
		t.Errorf("frames %v", frames)
	}
}
