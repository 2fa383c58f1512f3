package webrtc

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	pionrtp "github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/video"
	"tandem/media/webrtc/pictures"
)

// cable is a page's network: it can be cut.
type cable struct {
	net.PacketConn
	cut  atomic.Bool
	lose atomic.Int32 // this many packets of pictures that come
}

func (c *cable) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.cut.Load() {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

func (c *cable) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		switch {
		case err != nil:
			return n, from, err
		case c.cut.Load():
		case n > 1 && b[0] >= 128 && b[0] < 192 && (b[1] < 192 || b[1] > 223) && c.lose.Add(-1) >= 0:
		default:
			return n, from, nil
		}
	}
}

// viewer is a browser's pictures, played by pion: it shows a camera in layers and a display,
// and sees what its slots show.
type viewer struct {
	*page
	cable   *cable
	camera  map[string]*pion.TrackLocalStaticRTP // by rid
	display *tapped
	sender  *pion.RTPSender
	midID   uint8
	ridID   uint8

	pmu    sync.Mutex
	cond   *sync.Cond
	seen   map[string][]*pionrtp.Packet // by mid
	ssrcs  map[string]uint32            // of slots
	asked  map[uint32]int               // keyframes asked for, by SSRC
	nacked int
	seqs   map[string]uint16
}

// tapped is a track by which packets of any stream can be sent.
type tapped struct {
	*pion.TrackLocalStaticRTP
	writer pion.TrackLocalWriter
}

func (t *tapped) Bind(c pion.TrackLocalContext) (pion.RTPCodecParameters, error) {
	t.writer = c.WriteStream()
	return t.TrackLocalStaticRTP.Bind(c)
}

type viewerOptions struct {
	slots int      // 4
	rids  []string // nil is l and h; empty is none
}

func newViewer(t testing.TB, o viewerOptions) *viewer {
	t.Helper()
	if o.slots == 0 {
		o.slots = 4
	}
	if o.rids == nil {
		o.rids = []string{"l", "h"}
	}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &viewer{
		cable: &cable{PacketConn: conn}, camera: map[string]*pion.TrackLocalStaticRTP{}, seen: map[string][]*pionrtp.Packet{},
		ssrcs: map[string]uint32{}, asked: map[uint32]int{}, seqs: map[string]uint16{},
	}
	g.cond = sync.NewCond(&g.pmu)
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: g.cable, Logger: quiet{}})
	t.Cleanup(func() { mux.Close() })
	m := &pion.MediaEngine{}
	h264 := pion.RTPCodecParameters{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypeH264, ClockRate: 90000}, PayloadType: 102}
	for _, c := range []pion.RTPCodecParameters{pictures.VP8(), h264} {
		if err := m.RegisterCodec(c, pion.RTPCodecTypeVideo); err != nil {
			t.Fatal(err)
		}
	}
	for _, uri := range []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.TransportCCURI} {
		if err := m.RegisterHeaderExtension(pion.RTPHeaderExtensionCapability{URI: uri}, pion.RTPCodecTypeVideo); err != nil {
			t.Fatal(err)
		}
	}
	more := &interceptor.Registry{}
	if err := pion.ConfigureTWCCSender(m, more); err != nil {
		t.Fatal(err)
	}
	if err := pion.ConfigureNack(m, more); err != nil {
		t.Fatal(err)
	}
	if err := pion.ConfigureRTCPReports(more); err != nil {
		t.Fatal(err)
	}
	e := pion.SettingEngine{LoggerFactory: &loggers{}}
	e.SetICEUDPMux(mux)
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICETimeouts(time.Minute, 0, 200*time.Millisecond)
	pc, err := pion.NewAPI(pion.WithMediaEngine(m), pion.WithInterceptorRegistry(more), pion.WithSettingEngine(e)).NewPeerConnection(pion.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	g.page = &page{t: t, pc: pc, got: make(chan struct{}, 1)}
	t.Cleanup(g.close)
	g.sections(o)
	return g
}

// sections gives the page its fixed layout.
func (g *viewer) sections(o viewerOptions) {
	g.t.Helper()
	one := func(name, rid string) *pion.TrackLocalStaticRTP {
		var more []func(*pion.TrackLocalStaticRTP)
		if rid != "" {
			more = append(more, pion.WithRTPStreamID(rid))
		}
		track, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypeVP8, ClockRate: 90000}, name, "page", more...)
		if err != nil {
			g.t.Fatal(err)
		}
		return track
	}
	rids := o.rids
	if len(rids) == 0 {
		rids = []string{""}
	}
	for i, rid := range rids {
		g.camera[rid] = one("camera", rid)
		if i > 0 {
			if err := g.sender.AddEncoding(g.camera[rid]); err != nil {
				g.t.Fatal(err)
			}
			go g.told(g.sender, rid)
			continue
		}
		x, err := g.pc.AddTransceiverFromTrack(g.camera[rid], pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendonly})
		if err != nil {
			g.t.Fatal(err)
		}
		g.sender = x.Sender()
		go g.told(g.sender, rid)
	}
	g.display = &tapped{TrackLocalStaticRTP: one("display", "")}
	x, err := g.pc.AddTransceiverFromTrack(g.display, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendonly})
	if err != nil {
		g.t.Fatal(err)
	}
	go g.told(x.Sender(), "")
	for range o.slots {
		if _, err := g.pc.AddTransceiverFromKind(pion.RTPCodecTypeVideo, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly}); err != nil {
			g.t.Fatal(err)
		}
	}
	g.pc.OnTrack(func(track *pion.TrackRemote, r *pion.RTPReceiver) {
		mid := ""
		for _, x := range g.pc.GetTransceivers() {
			if x.Receiver() == r {
				mid = x.Mid()
			}
		}
		g.pmu.Lock()
		g.ssrcs[mid] = uint32(track.SSRC())
		g.pmu.Unlock()
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			g.pmu.Lock()
			g.seen[mid] = append(g.seen[mid], p)
			g.cond.Broadcast()
			g.pmu.Unlock()
		}
	})
}

// told notes what the server asks for.
func (g *viewer) told(s *pion.RTPSender, rid string) {
	for {
		read := s.ReadRTCP
		if rid != "" {
			read = func() ([]rtcp.Packet, interceptor.Attributes, error) { return s.ReadSimulcastRTCP(rid) }
		}
		packets, _, err := read()
		if err != nil {
			return
		}
		g.pmu.Lock()
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.PictureLossIndication:
				g.asked[p.MediaSSRC]++
			case *rtcp.TransportLayerNack:
				g.nacked++
			}
		}
		g.cond.Broadcast()
		g.pmu.Unlock()
	}
}

// until waits for ok, which is called under the lock whenever something came, and now and then.
func (g *viewer) until(what string, ok func() bool) {
	g.t.Helper()
	over, ended := make(chan struct{}), make(chan struct{})
	defer func() { close(over); <-ended }()
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				g.cond.Broadcast()
			case <-over:
				return
			}
		}
	}()
	end := time.Now().Add(patience)
	g.pmu.Lock()
	defer g.pmu.Unlock()
	for !ok() {
		if !time.Now().Before(end) {
			g.t.Fatalf("%s: not within %v", what, patience)
		}
		g.cond.Wait()
	}
}

// frame is one frame of VP8 in one packet (RFC 7741, section 4; RFC 6386, section 9.1).
func frame(key bool, picture uint16, width, height uint16, size int) []byte {
	b := []byte{0x90, 0x80, 0x80 | byte(picture>>8)&0x7f, byte(picture)}
	if key {
		b = append(b, 0x10, 0, 0, 0x9d, 0x01, 0x2a)
		b = binary.LittleEndian.AppendUint16(b, width)
		b = binary.LittleEndian.AppendUint16(b, height)
	} else {
		b = append(b, 0x11, 0, 0)
	}
	return append(b, make([]byte, size)...)
}

// shows sends frames of the camera in its layers, or of the display, until stop is called:
// a keyframe first, and whenever one is asked for.
func (g *viewer) shows(display bool) (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		asked := -1
		for at := uint32(1); ; at++ {
			select {
			case <-tick.C:
			case <-over:
				return
			}
			g.pmu.Lock()
			now := 0
			for _, n := range g.asked {
				now += n
			}
			g.pmu.Unlock()
			key := now != asked || at%100 == 1
			asked = now
			if display {
				g.put(g.display.TrackLocalStaticRTP, "1", "", key, at, 1280)
				continue
			}
			for rid, track := range g.camera {
				width := uint16(640)
				if rid == "l" {
					width = 320
				}
				g.put(track, "0", rid, key, at, width)
			}
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { close(over); <-ended }) }
	g.t.Cleanup(stop)
	return stop
}

// put sends one frame.
func (g *viewer) put(track *pion.TrackLocalStaticRTP, mid, rid string, key bool, at uint32, width uint16) {
	g.pmu.Lock()
	g.seqs[mid+rid]++
	seq, midID, ridID := g.seqs[mid+rid], g.midID, g.ridID
	g.pmu.Unlock()
	h := pionrtp.Header{Version: 2, Marker: true, SequenceNumber: seq, Timestamp: at * 1800}
	if midID != 0 {
		_ = h.SetExtension(midID, []byte(mid))
		if rid != "" {
			_ = h.SetExtension(ridID, []byte(rid))
		}
	}
	_ = track.WriteRTP(&pionrtp.Packet{Header: h, Payload: frame(key, uint16(at), width, width*3/4, 200)}) // not connected yet
}

// extensions takes the numbers of header extensions from the page's own offer.
func (g *viewer) extensions() {
	g.pmu.Lock()
	defer g.pmu.Unlock()
	for _, e := range g.sender.GetParameters().HeaderExtensions {
		switch e.URI {
		case sdp.SDESMidURI:
			g.midID = uint8(e.ID)
		case sdp.SDESRTPStreamIDURI:
			g.ridID = uint8(e.ID)
		}
	}
}

func (g *viewer) connect(p *Screen, w *told, restart bool) {
	g.t.Helper()
	g.page.connect(p, w, restart)
	g.extensions()
}

// sees waits until a slot has got pictures of a width, since now, that begin with a keyframe.
func (g *viewer) sees(mid string, width uint16) {
	g.t.Helper()
	g.pmu.Lock()
	from := len(g.seen[mid])
	g.pmu.Unlock()
	g.until("seeing a picture in "+mid, func() bool {
		for _, p := range g.seen[mid][from:] {
			if got, ok := keyframe(p.Payload); ok && (width == 0 || got == width) {
				return true
			}
		}
		return false
	})
}

// keyframe is the width that a packet tells which begins a keyframe.
func keyframe(payload []byte) (width uint16, ok bool) {
	at := 1
	if len(payload) > 2 && payload[0]&0x80 != 0 {
		at = 2
		if payload[1]&0x80 != 0 {
			at++
			if payload[2]&0x80 != 0 {
				at++
			}
		}
		if payload[1]&0x40 != 0 {
			at++
		}
		if payload[1]&0x30 != 0 {
			at++
		}
	}
	if len(payload) < at+8 || payload[0]&0x10 == 0 || payload[at]&1 != 0 {
		return 0, false
	}
	return binary.LittleEndian.Uint16(payload[at+6:]) & 0x3fff, true
}

// goesOn waits for n more packets in a slot after which none is missing.
func (g *viewer) goesOn(mid string, n int) {
	g.t.Helper()
	g.pmu.Lock()
	from := len(g.seen[mid])
	g.pmu.Unlock()
	g.until("more packets in "+mid, func() bool {
		if len(g.seen[mid]) < from+n {
			return false
		}
		var all []int
		for _, p := range g.seen[mid][from:] {
			all = append(all, int(p.SequenceNumber))
		}
		slices.Sort(all)
		all = slices.Compact(all)
		return all[len(all)-1]-all[0] == len(all)-1 || all[len(all)-1]-all[0] > 1<<15
	})
}

func newScreen(t testing.TB, s *Server, o ScreenOptions) (*Screen, *told) {
	t.Helper()
	w := newTold()
	o.From, o.Send, o.Changed = home, w.signal, w.state
	if o.Name == "" {
		o.Name = o.ID
	}
	p, err := s.NewScreen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, w
}

// shown connects a page that shows its camera.
func shown(t testing.TB, s *Server, id string) (*Screen, *told, *viewer) {
	t.Helper()
	p, w := newScreen(t, s, ScreenOptions{ID: id, Camera: true})
	g := newViewer(t, viewerOptions{})
	g.connect(p, w, false)
	g.shows(false)
	w.reaches(t, StateUp)
	return p, w, g
}

// watching connects a page that sees.
func watching(t testing.TB, s *Server, id string) (*Screen, *told, *viewer) {
	t.Helper()
	p, w := newScreen(t, s, ScreenOptions{ID: id})
	g := newViewer(t, viewerOptions{})
	g.connect(p, w, false)
	w.reaches(t, StateUp)
	return p, w, g
}

func cameraOf(id string, p *Screen) video.Shown {
	return video.Shown{ID: id + ":camera", Source: p.Camera()}
}

// arrives waits until a source has got more packets.
func arrives(t testing.TB, what string, of func() uint64) {
	t.Helper()
	before, end := of(), time.Now().Add(patience)
	for of() < before+3 {
		if time.Now().After(end) {
			t.Fatalf("%s: no more than %d", what, of())
		}
		time.Sleep(time.Millisecond)
	}
}
