package webrtc

import (
	"context"
	"strings"
	"testing"

	"github.com/pion/rtcp"

	"tandem/media/video"
	"tandem/media/webrtc/description"
)

// What one page shows, others see: both layers come, and the sharp one goes through.
func TestAPageIsSeen(t *testing.T) {
	s := newServer(t, nil)
	p, _, g := shown(t, s, "a")
	one, _, first := watching(t, s, "b")
	two, told, second := watching(t, s, "c")
	n := told.heard()
	one.Show([]video.Shown{cameraOf("a", p)})
	two.Show([]video.Shown{cameraOf("a", p)})
	first.sees("2", 640)
	second.sees("2", 640)
	if slots := told.next(t, KindSlots, n).Slots; len(slots) != 4 || slots[0] != (Slot{Mid: "2", ID: "a:camera"}) || slots[3] != (Slot{Mid: "5"}) {
		t.Errorf("slots %v", slots)
	}
	f := p.Figures()
	if l := f.Camera.Layers; !l[0].Live || !l[1].Live || l[0].Width != 640 || l[1].Width != 320 {
		t.Errorf("layers %+v", l)
	}
	if f.Local != "udp" || f.Setup <= 0 || f.State != StateUp {
		t.Errorf("figures %+v", f)
	}
	// A viewer asks for a keyframe: the page is asked for one of the layer that is shown.
	g.pmu.Lock()
	asked := len(g.asked)
	for ssrc := range g.asked {
		g.asked[ssrc] = 0
	}
	g.pmu.Unlock()
	if asked == 0 {
		t.Error("no keyframe was asked for when viewers came")
	}
	g.until("a keyframe is asked for", func() bool {
		if err := first.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: first.ssrcs["2"]}}); err != nil {
			t.Error(err)
		}
		return g.asked[p.link.Load().picture.Source(description.Camera, 0)] > 0
	})
	first.sees("2", 640)
	// Nobody sees any more.
	one.Show(nil)
	told1 := one.Figures()
	if told1.Slots[0].Layer != -1 {
		t.Errorf("it still shows %+v", told1.Slots[0])
	}
}

// A page whose browser has no simulcast sends one layer; a display is one.
func TestOneLayer(t *testing.T) {
	s := newServer(t, nil)
	p, w := newScreen(t, s, ScreenOptions{ID: "a", Camera: true, Display: true})
	g := newViewer(t, viewerOptions{rids: []string{}})
	g.connect(p, w, false)
	g.shows(false)
	g.shows(true)
	v, _, far := watching(t, s, "b")
	v.Show([]video.Shown{{ID: "a:display", Source: p.Display()}, cameraOf("a", p)})
	far.sees("2", 1280)
	far.sees("3", 640)
}

// What a page may not show reaches nobody, whatever it sends: the answer says so, and its
// packets are dropped and counted. Once it is allowed, the same connection goes on.
func TestWhatIsNotAllowed(t *testing.T) {
	s := newServer(t, nil)
	p, w := newScreen(t, s, ScreenOptions{ID: "a"})
	g := newViewer(t, viewerOptions{})
	o := g.offer(false)
	if err := p.Take(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	answer := w.next(t, KindAnswer, 0)
	if n := strings.Count(answer.SDP, "a=inactive"); n != 2 || strings.Contains(answer.SDP, "a=recvonly") || !strings.Contains(answer.SDP, "a=simulcast:recv l;h") {
		t.Errorf("%d sections are inactive in %s", n, answer.SDP)
	}
	// A page of a stranger's making does not care.
	g.accept(Signal{SDP: strings.ReplaceAll(answer.SDP, "a=inactive", "a=recvonly")})
	g.extensions()
	g.shows(false)
	g.shows(true)
	v, _, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p), {ID: "a:display", Source: p.Display()}})
	arrives(t, "refused packets of the camera", func() uint64 { return p.Figures().Camera.Forbidden })
	arrives(t, "refused packets of the display", func() uint64 { return p.Figures().Display.Forbidden })
	link := p.link.Load()
	n := w.heard()
	p.Allow(true, false)
	if r := w.next(t, KindRestart, n); r.Why != "allowed" {
		t.Errorf("the page is told %+v", r)
	}
	n = w.heard()
	g.connect(p, w, false)
	if a := w.next(t, KindAnswer, n); strings.Count(a.SDP, "a=inactive") != 1 || strings.Count(a.SDP, "a=recvonly") != 1 {
		t.Errorf("the answer is %s", a.SDP)
	}
	far.sees("2", 640)
	if p.link.Load() != link {
		t.Error("it is another connection")
	}
	far.pmu.Lock()
	display := len(far.seen["3"])
	far.pmu.Unlock()
	if display != 0 || p.Figures().Display.Packets != 0 {
		t.Error("the display is seen")
	}
	p.Allow(true, false) // nothing is new
	n = w.heard()
	p.Allow(false, false)
	if w.heard() != n+1 {
		t.Error("the page is not asked to offer anew")
	}
	got := p.Figures().Camera.Packets
	arrives(t, "refused packets of the camera", func() uint64 { return p.Figures().Camera.Forbidden })
	if more := p.Figures().Camera.Packets; more != got {
		t.Errorf("%d packets went on after it was taken away", more-got)
	}
}

// What changes between an offer and its answer is asked for anew.
func TestAllowedBeforeTheFirstOffer(t *testing.T) {
	s := newServer(t, nil)
	p, w := newScreen(t, s, ScreenOptions{ID: "a"})
	p.Allow(true, true)
	if w.heard() != 0 {
		t.Error("a page that has offered nothing is asked to offer anew")
	}
	g := newViewer(t, viewerOptions{})
	g.connect(p, w, false)
	if a := w.next(t, KindAnswer, 0); strings.Contains(a.SDP, "inactive") {
		t.Error("the answer refuses what is allowed")
	}
}

// What is seen stays in its slot, whoever comes and goes.
func TestSlotsStay(t *testing.T) {
	x := video.NewSource(video.SourceOptions{ID: "x", Layers: 1})
	defer x.Close()
	all := func(ids ...string) (shown []video.Shown) {
		for _, id := range ids {
			if id == "" {
				shown = append(shown, video.Shown{})
				continue
			}
			shown = append(shown, video.Shown{ID: id, Source: x})
		}
		return shown
	}
	for _, test := range []struct{ before, shown, want string }{
		{",,", "a", "a,,"},
		{"a,,", "b a", "a,b,"},
		{"a,b,", "b", ",b,"},
		{",b,", "c d b", "c,b,d"},
		{"c,b,d", "a b", "a,b,"},
		{",,", "a b c d", "a,b,c"},
		{"a,b,c", "d a b c", "a,b,d"},
		{",,", "a a", "a,,"},
		{"a,,", "", ",,"},
	} {
		var ids []string
		for _, s := range arrange(all(strings.Split(test.before, ",")...), all(strings.Fields(test.shown)...)) {
			ids = append(ids, s.ID)
		}
		if got := strings.Join(ids, ","); got != test.want {
			t.Errorf("%q and %q: %q, want %q", test.before, test.shown, got, test.want)
		}
	}
}

// New ICE credentials change nothing of what is seen.
func TestScreenRestart(t *testing.T) {
	s := newServer(t, nil)
	p, w, g := shown(t, s, "a")
	v, told, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p)})
	far.sees("2", 640)
	n := w.heard()
	if err := p.Restart(t.Context(), "cut"); err != nil {
		t.Fatal(err)
	}
	if r := w.next(t, KindRestart, n); r.Why != "cut" {
		t.Errorf("%+v", r)
	}
	before, _ := description.Credentials(g.pc.RemoteDescription().SDP)
	g.connect(p, w, true)
	if now, _ := description.Credentials(g.pc.RemoteDescription().SDP); now == before {
		t.Error("our credentials are the same")
	}
	far.connect(v, told, true)
	far.goesOn("2", 20)
}

// A page that reloads is seen, and sees, by its new connection.
func TestAPageOfPicturesComesAnew(t *testing.T) {
	s := newServer(t, nil)
	p, w, g := shown(t, s, "a")
	v, told, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p)})
	far.sees("2", 640)
	g.close()
	again := newViewer(t, viewerOptions{})
	again.connect(p, w, false)
	again.shows(false)
	far.sees("2", 640)
	far.close()
	n := told.heard()
	other := newViewer(t, viewerOptions{})
	other.connect(v, told, false)
	other.sees("2", 640)
	if slots := told.next(t, KindSlots, n).Slots; slots[0].ID != "a:camera" {
		t.Errorf("its slots are %v", slots)
	}
}

// A page whose network is cut is asked to restart, mends, and sees again.
func TestScreenCutAndMended(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	s := newServer(t, nil)
	p, _, _ := shown(t, s, "a")
	v, told, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p)})
	far.sees("2", 640)
	n := told.heard()
	far.cable.cut.Store(true)
	told.reaches(t, StateCut)
	if r := told.next(t, KindRestart, n); r.Why != "cut" {
		t.Errorf("%+v", r)
	}
	far.cable.cut.Store(false)
	far.connect(v, told, true)
	told.reaches(t, StateUp)
	far.sees("2", 640)
	if f := v.Figures(); f.Cuts != 1 || f.Mended <= 0 {
		t.Errorf("figures %+v", f)
	}
}

// What is lost is sent again: of ours when the page asks, and we ask the page.
func TestLostPacketsAreSentAgain(t *testing.T) {
	s := newServer(t, nil)
	p, _, g := shown(t, s, "a")
	v, _, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p)})
	far.sees("2", 640)
	far.cable.lose.Store(3)
	far.goesOn("2", 40)
	if far.cable.lose.Load() > 0 {
		t.Error("nothing was lost")
	}
	g.pmu.Lock()
	g.seqs["0h"] += 3 // three are lost
	g.pmu.Unlock()
	g.until("they are asked for", func() bool { return g.nacked > 0 })
}

// A page that says bye, or whose owner closes it, is gone; its sources are dark.
func TestScreenBye(t *testing.T) {
	s := newServer(t, nil)
	p, w, _ := shown(t, s, "a")
	v, told, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p)})
	far.sees("2", 640)
	if err := v.Take(context.Background(), Signal{Kind: KindCam, Cam: CamOff}); err != nil || v.Cam() != CamOff {
		t.Errorf("%v, camera %q", err, v.Cam())
	}
	if err := v.Take(context.Background(), Signal{Kind: KindBye, Why: "closed"}); err != nil {
		t.Fatal(err)
	}
	told.reaches(t, StateGone)
	n := w.heard()
	p.Close()
	p.Close()
	w.next(t, KindBye, n)
	w.reaches(t, StateGone)
	if p.Camera().Live() {
		t.Error("its camera is live")
	}
	if err := p.Take(context.Background(), Signal{Kind: KindCam, Cam: CamOK}); err != ErrClosed {
		t.Errorf("a closed screen takes a signal: %v", err)
	}
	p.Allow(true, true)
	p.Show([]video.Shown{cameraOf("a", p)})
	if w.heard() != n+1 {
		t.Error("a closed screen signals")
	}
}
