package main

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	pionrtp "github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	pion "github.com/pion/webrtc/v4"
)

// What a camera sends: about 1.2 Mbit/s.
const (
	frames      = 30 // a second
	perFrame    = 5  // packets
	packetBytes = 1000
	slots       = 4
	// patience is how long a page may take to see something.
	patience = 20 * time.Second
)

var vp8 = pion.RTPCodecParameters{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypeVP8, ClockRate: 90000}, PayloadType: 96}

// api is pion for a browser's part: VP8 alone, by the loopback interface.
func api() (*pion.API, error) {
	m := &pion.MediaEngine{}
	codec := vp8
	codec.RTCPFeedback = []pion.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	if err := m.RegisterCodec(codec, pion.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	for _, uri := range []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI} {
		if err := m.RegisterHeaderExtension(pion.RTPHeaderExtensionCapability{URI: uri}, pion.RTPCodecTypeVideo); err != nil {
			return nil, err
		}
	}
	more := &interceptor.Registry{}
	if err := errors.Join(pion.ConfigureRTCPReports(more), pion.ConfigureTWCCHeaderExtensionSender(m, more), pion.ConfigureTWCCSender(m, more)); err != nil {
		return nil, err
	}
	return pion.NewAPI(pion.WithMediaEngine(m), pion.WithInterceptorRegistry(more), pion.WithSettingEngine(settings())), nil
}

// settings are those of both ends of a connection on this machine.
func settings() pion.SettingEngine {
	logs := logging.NewDefaultLoggerFactory()
	logs.DefaultLogLevel = logging.LogLevelDisabled
	e := pion.SettingEngine{LoggerFactory: logs}
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4})
	return e
}

// page is one connection. Its sections are those of the layout that the server of its kind
// wants: the bare one takes any.
func page(kind string, show, see bool) (pc *pion.PeerConnection, track *pion.TrackLocalStaticRTP, err error) {
	a, err := api()
	if err != nil {
		return nil, nil, err
	}
	if pc, err = a.NewPeerConnection(pion.Configuration{}); err != nil {
		return nil, nil, err
	}
	sections := 0
	if kind == "tandem" || show {
		sections = 1
	}
	if kind == "tandem" {
		sections = 2
	}
	for range sections {
		one, err := pion.NewTrackLocalStaticRTP(vp8.RTPCodecCapability, "camera", "page")
		if err != nil {
			return pc, nil, err
		}
		if _, err := pc.AddTransceiverFromTrack(one, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendonly}); err != nil {
			return pc, nil, err
		}
		if track == nil {
			track = one
		}
	}
	places := 0
	if see {
		places = 1
	}
	if kind == "tandem" {
		places = slots
	}
	for range places {
		if _, err := pc.AddTransceiverFromKind(pion.RTPCodecTypeVideo, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly}); err != nil {
			return pc, nil, err
		}
	}
	for _, s := range pc.GetSenders() {
		go func() { // reports are of no use here, but want to be read
			b := make([]byte, 1500)
			for {
				if _, _, err := s.Read(b); err != nil {
					return
				}
			}
		}()
	}
	return pc, track, nil
}

// connect exchanges an offer and its answer.
func connect(c *child, pc *pion.PeerConnection, ask func(offer string) order) error {
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	r, err := c.do(ask(pc.LocalDescription().SDP))
	if err != nil {
		return err
	}
	return pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: r.Answer})
}

// camera is a page that shows.
type camera struct {
	pc    *pion.PeerConnection
	track *pion.TrackLocalStaticRTP
	seq   uint16
	frame uint32
	sent  atomic.Int64
}

func newCamera(c *child, kind string) (*camera, error) {
	pc, track, err := page(kind, true, false)
	if err != nil {
		return nil, err
	}
	return &camera{pc: pc, track: track}, connect(c, pc, func(offer string) order { return order{Camera: offer} })
}

func (p *camera) close() { _ = p.pc.GracefulClose() }

func sentBy(all []*camera) (n int) {
	for _, p := range all {
		n += int(p.sent.Load())
	}
	return n
}

// show lets cameras send until stop is called, spread over the time of a frame. Each
// second has a keyframe.
func show(all []*camera) (stop func()) {
	over := make(chan struct{})
	var running sync.WaitGroup
	for _, p := range all {
		running.Go(func() {
			time.Sleep(time.Duration(rand.Int64N(int64(time.Second / frames))))
			tick := time.NewTicker(time.Second / frames)
			defer tick.Stop()
			for {
				select {
				case <-over:
					return
				case <-tick.C:
					p.say()
				}
			}
		})
	}
	return func() { close(over); running.Wait() }
}

// say sends one frame (RFC 7741, section 4; RFC 6386, section 9.1). Each packet ends with
// the time when it was sent.
func (p *camera) say() {
	p.frame++
	for i := range perFrame {
		b := make([]byte, packetBytes)
		b[0], b[1], b[2], b[3] = 0x80, 0x80, 0x80|byte(p.frame>>8)&0x7f, byte(p.frame)
		if i == 0 {
			b[0] |= 0x10
			b[4] = 0x11
			if p.frame%frames == 1 {
				copy(b[4:], []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0xe0, 1}) // 640x480
			}
		}
		binary.BigEndian.PutUint64(b[len(b)-8:], uint64(time.Now().UnixNano()))
		p.seq++
		err := p.track.WriteRTP(&pionrtp.Packet{
			Header:  pionrtp.Header{Version: 2, Marker: i == perFrame-1, SequenceNumber: p.seq, Timestamp: p.frame * (90000 / frames)},
			Payload: b,
		})
		if err == nil {
			p.sent.Add(1)
		}
	}
}

// viewer is a page that sees.
type viewer struct {
	pc    *pion.PeerConnection
	first chan struct{}

	mu    sync.Mutex
	delay []time.Duration
	once  sync.Once
}

func newViewer(c *child, kind string, sees int) (*viewer, error) {
	pc, _, err := page(kind, false, true)
	if err != nil {
		return nil, err
	}
	p := &viewer{pc: pc, first: make(chan struct{})}
	pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
		b := make([]byte, 1500)
		for {
			n, _, err := t.Read(b)
			if err != nil {
				return
			}
			if n < packetBytes {
				continue
			}
			took := time.Duration(time.Now().UnixNano() - int64(binary.BigEndian.Uint64(b[n-8:])))
			p.once.Do(func() { close(p.first) })
			p.mu.Lock()
			p.delay = append(p.delay, took)
			p.mu.Unlock()
		}
	})
	return p, connect(c, pc, func(offer string) order { return order{Viewer: offer, Sees: sees} })
}

// wait waits for the first packet.
func (p *viewer) wait() error {
	select {
	case <-p.first:
		return nil
	case <-time.After(patience):
		return errors.New("a viewer sees nothing")
	}
}

// take is how many packets came; it forgets them, or appends how long they took.
func (p *viewer) take(to *[]time.Duration) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.delay)
	if to == nil {
		p.delay = nil
		return 0
	}
	*to = append(*to, p.delay...)
	return n
}

func (p *viewer) close() { _ = p.pc.GracefulClose() }
