package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"

	"tandem/internal/testkit"
	"tandem/media/codec"
	"tandem/media/webrtc"
	"tandem/store/staff"
)

// person is somebody of staff at a page: a socket of the desk, and a microphone.
type person struct {
	t    *testing.T
	name string
	conn *websocket.Conn
	pc   *pion.PeerConnection

	mu     sync.Mutex
	frames []string // all that came by the socket
	audio  []byte   // µ-law that came, in order
	other  int      // packets of another kind: keys
	news   chan struct{}
}

// sits logs somebody in and connects the socket and the microphone of their page.
func (s *server) sits(t *testing.T, name string, role staff.Role) *person {
	t.Helper()
	c := s.login(t, name, role)
	p := &person{t: t, name: name, news: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	p.conn, _, err = websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.base, "http")+"/api/v1/desk/socket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Cookie": {c.cookie}, "Origin": {c.base}}, Subprotocols: []string{"tandem.desk.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.conn.SetReadLimit(1 << 20)
	var reading sync.WaitGroup
	reading.Go(p.read)
	t.Cleanup(func() {
		p.conn.CloseNow()
		if p.pc != nil {
			_ = p.pc.GracefulClose()
		}
		reading.Wait()
	})
	p.send(map[string]any{"t": "hello"})
	p.frame("welcome", "")
	p.speaks()
	return p
}

// read takes all frames down, and the server's answers to the microphone's offer.
func (p *person) read() {
	for {
		_, data, err := p.conn.Read(context.Background())
		if err != nil {
			return
		}
		var f struct {
			T      string        `json:"t"`
			Signal webrtc.Signal `json:"signal"`
		}
		if json.Unmarshal(data, &f) == nil && f.T == "voice" && f.Signal.Kind == webrtc.KindAnswer {
			_ = p.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: f.Signal.SDP})
		}
		p.mu.Lock()
		p.frames = append(p.frames, string(data))
		p.tell()
		p.mu.Unlock()
	}
}

func (p *person) tell() {
	close(p.news)
	p.news = make(chan struct{})
}

func (p *person) send(v any) {
	p.t.Helper()
	data, err := json.Marshal(v)
	if err == nil {
		err = p.conn.Write(p.t.Context(), websocket.MessageText, data)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// until waits until is says so of what came; the lock is held.
func (p *person) until(what string, is func() bool) {
	p.t.Helper()
	limit := time.After(patience)
	for {
		p.mu.Lock()
		ok, news := is(), p.news
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-limit:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("%s: never %s; the frames are %s", p.name, what, strings.Join(p.frames, "\n"))
		}
	}
}

// frame waits for a frame of a kind with some words in it.
func (p *person) frame(kind, words string) {
	p.t.Helper()
	p.until("a frame "+kind+" with "+words, func() bool {
		return slices.ContainsFunc(p.frames, func(f string) bool { return strings.Contains(f, `"t":"`+kind+`"`) && strings.Contains(f, words) })
	})
}

// speaks connects the microphone, which is silent, and the loudspeaker, whose packets are
// taken down.
func (p *person) speaks() {
	p.t.Helper()
	m := &pion.MediaEngine{}
	for kind, pt := range map[string]pion.PayloadType{pion.MimeTypePCMU: 0, "audio/telephone-event": 101} {
		c := pion.RTPCodecParameters{RTPCodecCapability: pion.RTPCodecCapability{MimeType: kind, ClockRate: codec.Rate}, PayloadType: pt}
		if err := m.RegisterCodec(c, pion.RTPCodecTypeAudio); err != nil {
			p.t.Fatal(err)
		}
	}
	mute := logging.NewDefaultLoggerFactory()
	mute.Writer = io.Discard
	e := pion.SettingEngine{LoggerFactory: mute}
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4})
	pc, err := pion.NewAPI(pion.WithMediaEngine(m), pion.WithSettingEngine(e)).NewPeerConnection(pion.Configuration{})
	if err != nil {
		p.t.Fatal(err)
	}
	mic, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: codec.Rate}, "mic", "page")
	if err == nil {
		_, err = pc.AddTrack(mic)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
		for {
			packet, _, err := t.ReadRTP()
			if err != nil && pc.ConnectionState() != pion.PeerConnectionStateConnected {
				return
			}
			p.mu.Lock()
			if err == nil && packet.PayloadType == 0 {
				p.audio = append(p.audio, packet.Payload...)
			} else {
				p.other++
			}
			p.tell()
			p.mu.Unlock()
		}
	})
	up := make(chan struct{})
	pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
		if s == pion.PeerConnectionStateConnected {
			close(up)
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		p.t.Fatal(err)
	}
	<-gathered
	p.pc = pc
	p.send(map[string]any{"t": "voice", "seat": "s1", "signal": webrtc.Signal{Kind: webrtc.KindOffer, SDP: pc.LocalDescription().SDP, Mic: webrtc.MicOK}})
	select {
	case <-up:
	case <-time.After(patience):
		p.t.Fatalf("%s: the microphone was not connected", p.name)
	}
	over := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() { // silence: what is heard is the caller's
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		quiet := make([]byte, codec.FrameSamples)
		codec.PCMU.Fill(quiet)
		for n := uint16(0); ; n++ {
			select {
			case <-tick.C:
				head := rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * codec.FrameSamples}
				_ = mic.WriteRTP(&rtp.Packet{Header: head, Payload: quiet})
			case <-over:
				return
			}
		}
	})
	p.t.Cleanup(func() {
		close(over)
		sending.Wait()
	})
}

// pcm is what came to the loudspeaker since a mark.
func (p *person) pcm(since int) []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]int16, 0, len(p.audio)-since)
	for _, b := range p.audio[since:] {
		out = append(out, codec.PCMU.Linear(b))
	}
	return out
}

// mark is how much has come so far.
func (p *person) mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.audio)
}

// hears waits for a tone.
func (p *person) hears(hz int, since int) {
	p.t.Helper()
	limit := time.Now().Add(patience)
	for testkit.ToneTime(testkit.Transcript(p.pcm(since), hz), hz) < 300*time.Millisecond {
		if time.Now().After(limit) {
			p.t.Fatalf("%s hears %s and no %d Hz", p.name, testkit.Describe(testkit.Transcript(p.pcm(since), hz)), hz)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
