package upgrade

import (
	"context"
	"crypto/rand"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	pion "github.com/pion/webrtc/v4"

	"tandem"
	"tandem/bridge/caps"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
	"tandem/media/webrtc"
)

const (
	agentHz, firstHz, secondHz = 1000, 1300, 1600
	steady                     = 200 * time.Millisecond
)

// lineOf is a line with one chat that its agent has, as the switchboard sees it.
type lineOf struct {
	phone.Router
	h *house
}

func (l lineOf) Watch(func(queue.Fact)) (stop func())      { return func() {} }
func (l lineOf) Task(id tandem.TaskID) (tandem.Task, bool) { return (*fakeLine)(l.h).Task(id) }
func (l lineOf) Reachable(string, tandem.Load, bool)       {}
func (l lineOf) Agent(name string) (a route.AgentState, ok bool) {
	return route.AgentState{Name: name}, true
}
func (l lineOf) Consulted(agent string, on bool) { l.h.tells("%s speaks: %t", agent, on) }

// seat is anna's, with a telephone in the browser's place.
type seat struct {
	stream *media.Stream
	states chan phone.SeatState
}

func (s seat) Stream() *media.Stream          { return s.stream }
func (s seat) States() <-chan phone.SeatState { return s.states }

// browser is a customer's page, played by pion: it says one tone.
type browser struct {
	t    *testing.T
	pc   *pion.PeerConnection
	stop func()
}

func newBrowser(t *testing.T, hz int) *browser {
	t.Helper()
	m := &pion.MediaEngine{}
	if err := m.RegisterCodec(pion.RTPCodecParameters{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: 8000}, PayloadType: 0}, pion.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	e := pion.SettingEngine{}
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := pion.NewAPI(pion.WithMediaEngine(m), pion.WithSettingEngine(e)).NewPeerConnection(pion.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: 8000}, "mic", "page")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTrack(out); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var going sync.WaitGroup
	going.Go(func() {
		says(ctx, out, hz)
	})
	b := &browser{t: t, pc: pc}
	b.stop = sync.OnceFunc(func() {
		cancel()
		going.Wait()
		if err := pc.GracefulClose(); err != nil {
			t.Log(err)
		}
	})
	t.Cleanup(b.stop)
	return b
}

// says sends a tone, 20 ms at a time, until ctx ends.
func says(ctx context.Context, out *pion.TrackLocalStaticRTP, hz int) {
	pcm := testkit.Tone(float64(hz), time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at := n * 160 % len(pcm)
		packet := make([]byte, 12+160)
		packet[0], packet[2], packet[3] = 0x80, byte(n>>8), byte(n) // RFC 3550 section 5.1; SSRC and type are written by the track
		for i, shift := range []int{24, 16, 8, 0} {
			packet[4+i] = byte(n * 160 >> shift)
		}
		codec.PCMU.Encode(packet[12:], pcm[at:at+160])
		if _, err := out.Write(packet); err != nil {
			return
		}
	}
}

func (b *browser) offer() webrtc.Signal {
	b.t.Helper()
	o, err := b.pc.CreateOffer(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	done := pion.GatheringCompletePromise(b.pc)
	if err := b.pc.SetLocalDescription(o); err != nil {
		b.t.Fatal(err)
	}
	<-done
	return webrtc.Signal{Kind: webrtc.KindOffer, SDP: b.pc.LocalDescription().SDP}
}

// A chat is spoken in through real media: the agent hears the customer's page, also after it was
// loaded anew, in the same talk; and nothing is left at the end.
func TestSpokenThroughRealMedia(t *testing.T) {
	engine, err := media.NewEngine(media.Config{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	server, err := webrtc.New(webrtc.Config{Listen: "127.0.0.1:0", Engine: engine})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	anna := testkit.NewRTP(t)
	stream, err := engine.Open()
	if err != nil {
		t.Fatal(err)
	}
	stream.Set(media.Params{Remote: anna.Addr(), Law: codec.PCMU, Event: 101, Send: true, Recv: true})
	anna.Aim(testkit.Loopback(stream.Port()))
	anna.Talk(testkit.Tone(agentHz, time.Second))

	answers := make(chan webrtc.Signal, 8)
	var board *phone.Switchboard
	h := newHouse(t, func(o *Options) {
		h := (*house)(o.Line.(*fakeLine))
		h.told = func(phone.Talk) {} // nothing is played of talks here
		board, err = phone.New(phone.Options{
			Router: lineOf{h: h}, Store: o.Store.(*fakeStore), Engine: engine, Caps: caps.NewLedger(caps.Policy{}, nil), Now: time.Now, Random: rand.Reader,
			Seat: func(agent string) (phone.Seat, bool) {
				return seat{stream, make(chan phone.SeatState, 1)}, agent == "anna"
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Switchboard, o.Media = board, Browsers(server)
		o.TellCustomer = func(_ tandem.InteractionID, page, conn string, s webrtc.Signal) {
			if page == "p1" && conn == ConnVoice && s.Kind == webrtc.KindAnswer {
				answers <- s
			}
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { board.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })

	connect := func(b *browser) {
		t.Helper()
		if err := h.Signal(t.Context(), in1, "p1", ConnVoice, b.offer()); err != nil {
			t.Fatal(err)
		}
		select {
		case s := <-answers:
			if err := b.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: s.SDP}); err != nil {
				t.Fatal(err)
			}
		case <-time.After(patience):
			t.Fatal("the page's offer was not answered")
		}
	}
	u := h.agree(h.ask(voice), "")
	first := newBrowser(t, firstHz)
	connect(first)
	h.carries(voice, "")
	anna.Hear(patience, time.Now(), firstHz, steady)
	first.stop()
	h.Gone(in1, "p1")
	second := newBrowser(t, secondHz)
	h.Back(in1, "p1")
	connect(second)
	anna.Hear(patience, time.Now(), secondHz, steady)
	if is, ok := h.Of(in1); !ok || is.ID != u.ID || is.State != Up {
		t.Errorf("it is %+v", is)
	}
	if talk, ok := board.TalkOf(in1); !ok || len(talk.Parties) != 2 || talk.Agent != "anna" {
		t.Errorf("the talk is %+v", talk)
	}
	if err := h.End(t.Context(), in1, "anna", ""); err != nil {
		t.Fatal(err)
	}
	h.until("all is given back", func() bool { return slices.Contains(h.story, "settle leg.ended") })
	if _, up := board.TalkOf(in1); up {
		t.Error("the talk goes on")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if story := strings.Join(h.story, ", "); strings.Count(story, "anna speaks: true") != 1 || !strings.Contains(story, "anna speaks: false") || strings.Count(story, "note room.joined") != 2 {
		t.Errorf("the story is %s", story)
	}
}
