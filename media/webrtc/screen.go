package webrtc

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/rtp"
	"tandem/media/video"
	"tandem/media/webrtc/description"
	"tandem/media/webrtc/pictures"
)

// ScreenOptions is what a Screen is made of.
type ScreenOptions struct {
	Name            string       // for the log
	From            netip.Addr   // where the page's socket comes from; the zero Addr if that is not known
	Send            func(Signal) // to the page; it must not wait
	Changed         func(State)  // told in order from the screen's goroutine; it must not wait. May be nil
	Slots           int          // how many pictures the page can be shown at once, 1 to 8; 0 is 4
	ID              string       // what the ids of its sources begin with: the leg
	Camera, Display bool         // whether the page may show them from the start
}

const (
	// pictureRoom is how many datagrams wait for a screen: a keyframe of a sharp picture.
	pictureRoom = 512
	// Slots of a page, unless its options say otherwise.
	standardSlots = 4
	maxSlots      = 8
)

// Screen is one page's connection for pictures: VP8 both ways, beside its Peer and without
// any sound. The page offers, in a layout that never changes: a camera in up to two
// simulcast layers, a shared screen, and places where it is shown pictures. Its methods
// may be called from any goroutine.
type Screen struct {
	conn
	slots   int
	sources [description.Slots]*video.Source // of camera and display
	places  []*place
	once    sync.Once

	inTurn sync.Mutex      // of those that tell the page and the sinks what is shown
	shown  []*video.Source // what the sinks show; of inTurn
	about  sync.Mutex      // of what follows; it is not held while a source, a sink or the page is called
	cam    string
	may    [description.Slots]bool
	told   [description.Slots]bool // in the last answer
	mids   []string                // of the page's sections
	wanted []video.Shown           // by slots; an empty ID is none
	on     *link                   // on which the sinks show something
	budget int                     // of all slots, in bits per second
}

// place is one slot: what a sink sends goes to the present link.
type place struct {
	screen *Screen
	sink   *video.Sink
	number int
}

var _ side = (*Screen)(nil)

// NewScreen makes a screen, which waits for its page's offer.
func (s *Server) NewScreen(o ScreenOptions) (*Screen, error) {
	if o.Slots == 0 {
		o.Slots = standardSlots
	}
	if o.Send == nil || o.ID == "" || o.Slots < 1 || o.Slots > maxSlots {
		return nil, errors.New("webrtc: ScreenOptions need Send, ID, and 1 to 8 Slots")
	}
	p := &Screen{
		conn: conn{name: o.Name, from: o.From, send: o.Send, changed: o.Changed}, slots: o.Slots,
		wanted: make([]video.Shown, o.Slots), shown: make([]*video.Source, o.Slots),
	}
	p.open(s, p, &s.metrics.screens)
	p.sources[description.Camera] = video.NewSource(video.SourceOptions{
		ID: o.ID + ":camera", Layers: 2, Key: func(layer int) { p.key(description.Camera, layer) },
	})
	p.sources[description.Display] = video.NewSource(video.SourceOptions{
		ID: o.ID + ":display", Layers: 1, Key: func(layer int) { p.key(description.Display, layer) },
	})
	for i := range o.Slots {
		w := &place{screen: p, number: i}
		w.sink = video.NewSink(video.SinkOptions{Write: w.write})
		p.places = append(p.places, w)
	}
	p.may = [description.Slots]bool{o.Camera, o.Display}
	for i, s := range p.sources {
		s.Allow(p.may[i])
	}
	if err := s.admit(&p.conn, func() error { return nil }, p.watch); err != nil {
		p.dark()
		return nil, err
	}
	return p, nil
}

// longest is twice that of a Peer: browsers say all their codecs in each section.
func (p *Screen) longest() int { return 2 * p.server.c.Limits.SDP }

func (p *Screen) parse(sdp string) (offer, error) {
	d, err := description.ParsePictures(sdp, p.slots)
	return &d, err
}

func (p *Screen) codecs(l *link, o offer) (parts, error) {
	l.owner.Room = pictureRoom
	l.owner.Checked = func() {
		if l.owner.Secured.Load() {
			p.hear()
		}
	}
	l.picture = &pictures.Canvas{}
	l.picture.Expect(o.(*description.Pictures)) // as parse made it
	media, interceptors, err := l.picture.Parts(&loggers{})
	if err != nil {
		return parts{}, err
	}
	m := parts{media: media, interceptors: interceptors}
	return m, m.reports()
}

func (p *Screen) furnish(l *link) error {
	senders, err := l.picture.Furnish(l.pc, p.slots)
	for _, s := range senders {
		l.add(s)
	}
	return err
}

func (p *Screen) agree(o offer) {
	d := o.(*description.Pictures) // as parse made it
	if l := p.link.Load(); l != nil && l.key == d.Key() {
		l.picture.Expect(d) // it may number them anew
	}
	p.about.Lock()
	p.mids = d.Mids
	p.about.Unlock()
}

// answered says in the answer what the page may send now.
func (p *Screen) answered(_ *link, sdp string) string {
	p.about.Lock()
	defer p.about.Unlock()
	p.told = p.may
	return description.Only(sdp, p.told[:]...)
}

// settled tells the page what its places show. What it may show may have changed meanwhile.
func (p *Screen) settled(*link) {
	p.inTurn.Lock()
	defer p.inTurn.Unlock()
	p.tell()
	p.ask()
}

// Allow says what the page may show. What it may no longer is dropped from that instant;
// the page is asked to offer anew, for the answer says what it may send.
func (p *Screen) Allow(camera, display bool) {
	p.inTurn.Lock()
	defer p.inTurn.Unlock()
	p.about.Lock()
	p.may = [description.Slots]bool{camera, display}
	p.about.Unlock()
	p.sources[description.Camera].Allow(camera)
	p.sources[description.Display].Allow(display)
	p.ask()
}

// ask asks the page to offer anew if the last answer does not say what it may show.
func (p *Screen) ask() {
	p.about.Lock()
	stale := len(p.mids) > 0 && p.told != p.may
	p.about.Unlock()
	if l := p.link.Load(); stale && l != nil && !p.closed() {
		p.send(Signal{Kind: KindRestart, Why: "allowed"})
	}
}

// Show says what the page is to see, the most important first; of more than its slots the
// rest is left out. What it sees already stays in its slot.
func (p *Screen) Show(shown []video.Shown) {
	p.inTurn.Lock()
	defer p.inTurn.Unlock()
	p.about.Lock()
	next := arrange(p.wanted, shown)
	changed := !slices.Equal(next, p.wanted)
	p.wanted = next
	p.about.Unlock()
	if changed {
		p.refresh()
		p.tell()
	}
}

// arrange puts what is to be seen into slots: what was there stays, the rest goes where
// there is room, in its order.
func arrange(slots, shown []video.Shown) []video.Shown {
	if len(shown) > len(slots) {
		shown = shown[:len(slots)]
	}
	next := make([]video.Shown, len(slots))
	var fresh []video.Shown
	for _, s := range shown {
		i := slices.IndexFunc(slots, func(old video.Shown) bool { return old.ID == s.ID && s.ID != "" })
		switch {
		case s.ID == "" || s.Source == nil || slices.ContainsFunc(next, func(n video.Shown) bool { return n.ID == s.ID }):
		case i >= 0:
			next[i] = s
		default:
			fresh = append(fresh, s)
		}
	}
	for _, s := range fresh {
		if i := slices.IndexFunc(next, func(n video.Shown) bool { return n.ID == "" }); i >= 0 && !slices.Contains(next, s) {
			next[i] = s
		}
	}
	return next
}

// tell tells the page what its slots show, once it has named them. It is called in inTurn,
// as ask is.
func (p *Screen) tell() {
	p.about.Lock()
	var all []Slot
	if len(p.mids) == description.Slots+p.slots && p.link.Load() != nil {
		for i, s := range p.wanted {
			all = append(all, Slot{Mid: p.mids[description.Slots+i], ID: s.ID})
		}
	}
	p.about.Unlock()
	if all != nil && !p.closed() {
		p.send(Signal{Kind: KindSlots, Slots: all})
	}
}

// refresh has the sinks show what is wanted, as soon as the present link takes packets:
// each begins with a keyframe there. It is called in inTurn.
func (p *Screen) refresh() {
	l := p.link.Load()
	if l != nil && (!l.owner.Secured.Load() || l.dead.Load()) {
		l = nil
	}
	p.about.Lock()
	anew := l != p.on
	p.on = l
	wanted := slices.Clone(p.wanted)
	p.about.Unlock()
	for i, w := range p.places {
		if anew && p.shown[i] != nil {
			w.sink.Show(nil)
			p.shown[i] = nil
		}
		source := wanted[i].Source
		if l == nil {
			source = nil
		}
		if source != p.shown[i] {
			w.sink.Show(source)
			p.shown[i] = source
		}
	}
	if anew && l != nil {
		p.share(l.picture.Budget(time.Now()))
	}
}

// watched follows the link, and shares what the page's network carries.
func (p *Screen) watched(State) {
	p.inTurn.Lock()
	defer p.inTurn.Unlock()
	l := p.link.Load()
	p.about.Lock()
	on := p.on
	p.about.Unlock()
	if l != on || on != nil && on.dead.Load() {
		p.refresh()
	}
	if l != nil {
		p.share(l.picture.Budget(time.Now()))
	}
}

// share divides a budget of bits per second among the slots that show something.
func (p *Screen) share(budget int) {
	p.about.Lock()
	p.budget = budget
	p.about.Unlock()
	shown := 0
	for _, s := range p.shown {
		if s != nil {
			shown++
		}
	}
	for i, w := range p.places {
		if p.shown[i] != nil {
			w.sink.Budget(budget / shown)
		}
	}
}

// key asks the page for a keyframe of a layer (RFC 4585, section 6.3.1).
func (p *Screen) key(section, layer int) {
	l := p.link.Load()
	if l == nil || !l.owner.Secured.Load() {
		return
	}
	if ssrc := l.picture.Source(section, layer); ssrc != 0 {
		_ = l.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}) // one that is lost is asked for again
	}
}

// write sends a packet of a slot on the present link.
func (w *place) write(h *rtp.Header, payload []byte) error {
	l := w.screen.link.Load()
	if l == nil || !l.owner.Secured.Load() {
		return ErrClosed
	}
	return l.picture.Write(w.number, h, payload)
}

func (p *Screen) take(_ context.Context, sig Signal) error {
	switch sig.Kind {
	case KindAnswer: // nothing was offered
		return nil
	case KindCam:
		switch sig.Cam {
		case CamOK, CamMuted, CamUnplugged, CamDenied, CamOff:
			p.about.Lock()
			p.cam = sig.Cam
			p.about.Unlock()
			return nil
		}
		return wrong("it says that its camera is %.20q, which is no such word", sig.Cam)
	}
	return wrong("%.20q is no kind of signal", sig.Kind)
}

// restart asks the page, which alone offers.
func (p *Screen) restart(_ context.Context, why string) error {
	l := p.link.Load()
	if l != nil && l.dead.Load() {
		why = "new"
	}
	p.send(Signal{Kind: KindRestart, Why: why})
	return nil
}

// track reads one layer of what the page shows. Of another than it has offered nothing is
// read, and the link with it ends.
func (p *Screen) track(l *link, t *pion.TrackRemote, r *pion.RTPReceiver) {
	layer, ok := description.Layer(t.RID())
	section := slices.IndexFunc(l.pc.GetTransceivers(), func(x *pion.RTPTransceiver) bool { return x.Receiver() == r })
	if !ok || !l.picture.Begin(section, layer, uint32(t.SSRC())) {
		l.fail()
		return
	}
	l.reading.Go(func() {
		l.reports(func(b []byte) (int, interceptor.Attributes, error) {
			if rid := t.RID(); rid != "" {
				return r.ReadSimulcast(b, rid)
			}
			return r.Read(b)
		})
	})
	l.reading.Go(func() {
		l.read(t, func(b []byte) {
			p.hear()
			if p.link.Load() == l {
				p.sources[section].Packet(layer, b)
			}
		})
	})
}

// report takes what the page says of the pictures that it is shown.
func (p *Screen) report(l *link, packet rtcp.Packet) {
	p.hear()
	switch packet := packet.(type) {
	case *rtcp.ReceiverReport:
		p.received(l, packet.Reports)
	case *rtcp.SenderReport:
		p.received(l, packet.Reports)
	case *rtcp.PictureLossIndication:
		p.needs(l, packet.MediaSSRC)
	case *rtcp.FullIntraRequest:
		for _, f := range packet.FIR[:min(len(packet.FIR), maxSlots)] {
			p.needs(l, f.SSRC)
		}
	}
}

// received notes what share of the packets of each slot the page did not get.
func (p *Screen) received(l *link, reports []rtcp.ReceptionReport) {
	var trip time.Duration
	worst, told := 0.0, false
	for _, r := range reports {
		i := l.picture.Slot(r.SSRC)
		if i < 0 {
			continue
		}
		lost := float64(r.FractionLost) / 256
		p.places[i].sink.Loss(lost)
		if r.LastSenderReport != 0 {
			trip, worst, told = p.reported(r, time.Now()), max(worst, lost), true
		}
	}
	if told {
		l.picture.Reported(trip, worst, time.Now())
	}
}

// needs has a slot begin anew with a keyframe.
func (p *Screen) needs(l *link, ssrc uint32) {
	if i := l.picture.Slot(ssrc); i >= 0 && p.link.Load() == l {
		p.places[i].sink.Key()
	}
}

// Camera is what the page's camera shows, open till Close.
func (p *Screen) Camera() *video.Source { return p.sources[description.Camera] }

// Display is the screen that the page shares, open till Close.
func (p *Screen) Display() *video.Source { return p.sources[description.Display] }

// Cam is how the page says that its camera is; "" before it has said.
func (p *Screen) Cam() string {
	p.about.Lock()
	defer p.about.Unlock()
	return p.cam
}

// Close ends the screen: its sources at once, the connection a moment later, and the page is
// told. It may be called twice.
func (p *Screen) Close() {
	p.once.Do(func() {
		p.dark()
		close(p.over)
	})
}

func (p *Screen) shut() { p.Close() }

func (p *Screen) closed() bool {
	select {
	case <-p.over:
		return true
	default:
		return false
	}
}

// dark ends what is shown, and what is seen.
func (p *Screen) dark() {
	for _, s := range p.sources {
		s.Close()
	}
	for _, w := range p.places {
		w.sink.Close()
	}
}
