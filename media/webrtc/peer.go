package webrtc

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtcp"
	pion "github.com/pion/webrtc/v4"

	"tandem/media"
	"tandem/media/codec"
	"tandem/media/webrtc/description"
)

// PeerOptions is what a Peer is made of.
type PeerOptions struct {
	Name    string       // for the log
	From    netip.Addr   // where the page's socket comes from; the zero Addr if that is not known
	Send    func(Signal) // to the page; it must not wait
	Changed func(State)  // told in order from the peer's goroutine; it must not wait. May be nil
}

// Peer is one page's connection. Its methods may be called from any goroutine.
type Peer struct {
	conn
	stream *media.Stream
	ring   *ring
	once   sync.Once
	final  media.Stats
	types  atomic.Uint32 // payload types of the page, a byte each: Opus, telephone-event at 8 and at 48 kHz
	inTurn sync.Mutex    // of those that deliver to the stream

	about  sync.Mutex // of what follows
	mic    string
	params media.Params

	speaking sync.Mutex // of what a link asks its page to speak
}

var _ side = (*Peer)(nil)

const (
	mimeEvent = "audio/telephone-event"
	wordOpus  = "opus" // of Signal.Codec
	// opusFormat is what browsers offer. Chromium takes nothing else where it is to change to Opus.
	opusFormat = "minptime=10;useinbandfec=1"
	// audioRoom is how many datagrams wait for a peer: more than half a second of audio.
	audioRoom = 32
)

// spoken are the codecs in the order of our liking: what phones take as it is first.
var spoken = []pion.RTPCodecParameters{
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: 8000}, PayloadType: 0},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypePCMA, ClockRate: 8000}, PayloadType: 8},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: opusFormat}, PayloadType: 111},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: mimeEvent, ClockRate: 8000}, PayloadType: 126},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: mimeEvent, ClockRate: 48000}, PayloadType: 110},
}

// NewPeer makes a peer, which waits for its page's offer.
func (s *Server) NewPeer(o PeerOptions) (*Peer, error) {
	if o.Send == nil {
		return nil, errors.New("webrtc: PeerOptions need Send")
	}
	p := &Peer{conn: conn{name: o.Name, from: o.From, send: o.Send, changed: o.Changed}, ring: newRing()}
	p.open(s, p, &s.metrics.peers)
	err := s.admit(&p.conn, func() (err error) {
		p.stream, err = s.c.Engine.OpenWire(p.ring)
		return err
	}, p.write, p.watch)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Peer) longest() int { return p.server.c.Limits.SDP }

func (p *Peer) parse(sdp string) (offer, error) {
	d, err := description.Parse(sdp)
	return &d, err
}

func (p *Peer) codecs(l *link, _ offer) (parts, error) {
	l.owner.Room = audioRoom
	m := parts{media: &pion.MediaEngine{}, interceptors: &interceptor.Registry{}}
	for _, c := range spoken {
		if err := m.media.RegisterCodec(c, pion.RTPCodecTypeAudio); err != nil {
			return m, err
		}
	}
	return m, m.reports()
}

// reports has RTCP reports sent and received (RFC 3550, section 6.4).
func (m *parts) reports() error {
	sent, err := report.NewSenderInterceptor(report.SenderInterval(reportEvery))
	if err != nil {
		return err
	}
	received, err := report.NewReceiverInterceptor(report.ReceiverInterval(reportEvery))
	if err != nil {
		return err
	}
	m.interceptors.Add(sent)
	m.interceptors.Add(received)
	return nil
}

func (p *Peer) furnish(l *link) error {
	t, err := l.pc.AddTransceiverFromTrack(&track{l}, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendrecv})
	if err == nil {
		err = t.SetCodecPreferences(spoken)
	}
	if err != nil {
		return err
	}
	l.add(t.Sender())
	return nil
}

func (p *Peer) answered(_ *link, sdp string) string { return sdp }

func (p *Peer) settled(*link) {}

// watched asks the page for what the stream is joined with: Opus for another page, which is
// sent it as it comes, and for a phone what that takes as it is. Who is alone or mixed goes
// on with what they speak: it is decoded.
func (p *Peer) watched(state State) {
	l := p.link.Load()
	if state != StateUp || l == nil {
		return
	}
	switch p.stream.Pair() {
	case media.PairOpus:
		p.speak(l, wordOpus)
	case media.PairG711:
		p.about.Lock()
		law := p.params.Law
		p.about.Unlock()
		p.speak(l, law.String())
	}
}

// speak asks the page of a link to speak in a codec, unless it was asked already. Pages
// begin with G.711; "" asks anew for what a page was asked before.
func (p *Peer) speak(l *link, word string) {
	p.speaking.Lock()
	defer p.speaking.Unlock()
	if word == l.speaks || word != wordOpus && l.speaks == "" {
		return
	}
	if word != "" {
		l.speaks = word
	}
	p.send(Signal{Kind: KindSpeak, Codec: l.speaks})
}

func (p *Peer) shut() { p.Close() }

func (p *Peer) take(_ context.Context, sig Signal) error {
	switch sig.Kind {
	case KindAnswer:
		return p.takeAnswer(sig.SDP)
	case KindMic:
		switch sig.Mic {
		case MicOK, MicMuted, MicUnplugged, MicDenied, MicSilent:
			p.about.Lock()
			p.mic = sig.Mic
			p.about.Unlock()
			if l := p.link.Load(); l != nil { // so it begins when its socket is back: what it was sent may be lost
				p.speak(l, "")
			}
			return nil
		}
		return wrong("it says that its microphone is %.20q, which is no such word", sig.Mic)
	}
	return wrong("%.20q is no kind of signal", sig.Kind)
}

// takeAnswer takes the answer to an offer of ours; one that nobody waits for is passed over.
func (p *Peer) takeAnswer(sdp string) error {
	l := p.link.Load()
	if l == nil || l.pc.SignalingState() != pion.SignalingStateHaveLocalOffer {
		return nil
	}
	d, err := description.Parse(sdp)
	if err != nil {
		return wrong("%v", err)
	}
	if d.Key() != l.key {
		return nil
	}
	if err := l.accept(&d); err != nil {
		return err
	}
	p.accept(&d)
	return nil
}

// agree gives the stream what an exchange has agreed on.
func (p *Peer) agree(o offer) {
	d := o.(*description.Description) // as parse made it
	m := media.Params{
		Law:  d.Law(),
		Send: d.Direction == "sendrecv" || d.Direction == "recvonly",
		Recv: d.Direction == "sendrecv" || d.Direction == "sendonly",
	}
	m.Payload = m.Law.Payload()
	opus, _ := d.PayloadOf("opus", 48000)
	event, _ := d.PayloadOf("telephone-event", codec.Rate)
	wide, _ := d.PayloadOf("telephone-event", 48000)
	if event == 0 {
		event = wide
	}
	m.Event = event
	m.Opus = opus != 0
	m.Tones = m.Event == 0
	p.about.Lock()
	defer p.about.Unlock()
	p.types.Store(uint32(opus)<<16 | uint32(event)<<8 | uint32(wide))
	if m != p.params {
		p.params = m
		p.stream.Set(m)
	}
}

// payloads are the page's payload types: of Opus, and of telephone-event at 8 and 48 kHz.
func (p *Peer) payloads() (opus, event, wide uint8) {
	t := p.types.Load()
	return uint8(t >> 16), uint8(t >> 8), uint8(t)
}

// restart offers new ICE credentials, or asks the page to offer where we cannot.
func (p *Peer) restart(ctx context.Context, why string) error {
	l := p.link.Load()
	if l == nil || l.dead.Load() || !l.owner.Secured.Load() {
		p.send(Signal{Kind: KindRestart, Why: why})
		return nil
	}
	if l.pc.SignalingState() != pion.SignalingStateStable {
		p.send(Signal{Kind: KindOffer, SDP: l.pending})
		return nil
	}
	offer, err := l.offer(ctx)
	if err != nil {
		return err
	}
	p.send(Signal{Kind: KindOffer, SDP: offer, Why: why})
	return nil
}

// track reads the page's audio. A page has one track: of a second nothing is read, and
// the link with it ends, for nothing of ours makes one.
func (p *Peer) track(l *link, t *pion.TrackRemote, r *pion.RTPReceiver) {
	if l.tracks.Add(1) > 1 || t.Kind() != pion.RTPCodecTypeAudio {
		l.fail()
		return
	}
	l.reading.Go(func() { l.reports(r.Read) })
	l.reading.Go(func() { p.read(l, t) })
}

// read hands the page's packets to the stream until the link ends.
func (p *Peer) read(l *link, t *pion.TrackRemote) {
	in := &receiver{to: func(b, original []byte) { p.deliver(l, b, original) }}
	l.read(t, func(b []byte) {
		p.hear()
		in.opus, in.event, in.wide = p.payloads() // an offer may number them anew
		in.take(b)
	})
}

// deliver hands a packet of the page to the stream, if it is of the present link.
func (p *Peer) deliver(l *link, b, original []byte) {
	p.inTurn.Lock()
	defer p.inTurn.Unlock()
	if p.link.Load() == l {
		p.stream.Deliver(b, original)
	}
}

// report notes what the page says of our packets (RFC 3550, section 6.4.1).
func (p *Peer) report(l *link, packet rtcp.Packet) {
	var reports []rtcp.ReceptionReport
	switch packet := packet.(type) {
	case *rtcp.ReceiverReport:
		reports = packet.Reports
	case *rtcp.SenderReport:
		reports = packet.Reports
	}
	out := l.out.Load()
	for _, r := range reports {
		if out != nil && r.SSRC == out.ssrc {
			p.reported(r, time.Now())
		}
	}
}

// write sends what the stream says until the peer closes.
func (p *Peer) write() {
	defer p.contain()
	for {
		select {
		case s := <-p.ring.full:
			if l := p.link.Load(); l != nil && l.owner.Secured.Load() {
				if out := l.out.Load(); out != nil {
					_, event, _ := p.payloads()
					out.write(s.b[:s.n], s.b[s.n:s.n+s.more], event)
				}
			}
			p.ring.free <- s
		case <-p.over:
			return
		}
	}
}

// Stream is the peer's audio, open till Close.
func (p *Peer) Stream() *media.Stream { return p.stream }

// Mic is how the page says that its microphone is; "" before it has said.
func (p *Peer) Mic() string {
	p.about.Lock()
	defer p.about.Unlock()
	return p.mic
}

// Close ends the peer: the stream at once, the connection a moment later, and the page is
// told. Further calls return the same.
func (p *Peer) Close() media.Stats {
	p.once.Do(func() {
		p.final = p.stream.Close()
		close(p.over)
	})
	return p.final
}
