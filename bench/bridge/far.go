package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/webrtc/v4"

	"tandem/media"
	"tandem/media/codec"
	"tandem/media/rtp"
)

const (
	frames = 20 * time.Millisecond
	// phases spread the ends over the 20 ms.
	phases = 4
	// cycle is how often an end says its tone, in frames, and sounds how long.
	cycle  = 26
	sounds = 10
	// loud is a sample that is of the tone, and rest how long it must have been quiet before
	// one begins.
	loud = 2000
	rest = 100 * time.Millisecond
)

// far is the far end of a stream: a phone or a browser. It says a tone of 200 ms each
// 520 ms, and takes the time from the other's first packet of a tone to its own first
// sample of it.
type far struct {
	stream int
	other  *far
	beside *far // one more that belongs to the call
	send   func(packet []byte) error
	shut   func()
	head   rtp.Header
	at     int // frames said

	mu    sync.Mutex
	said  time.Time // when the first packet of the newest tone was sent
	quiet time.Time // when something loud came last
	took  []time.Duration
}

// speak lets ends say their tones until stop is called.
func speak(ends []*far) (stop func()) {
	over := make(chan struct{})
	var running sync.WaitGroup
	tone, none := make([]byte, sounds*codec.FrameSamples), make([]byte, codec.FrameSamples)
	codec.PCMU.Encode(tone, media.Tone(1000, sounds*20).PCM())
	codec.PCMU.Fill(none)
	running.Go(func() {
		tick := time.NewTicker(frames / phases)
		defer tick.Stop()
		began, done := time.Now(), 0
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			for due := int(time.Since(began) / (frames / phases)); done < due; done++ { // a phone's clock does not stop while we are late
				for i := done % phases; i < len(ends); i += phases {
					ends[i].say(i, tone, none)
					if b := ends[i].beside; b != nil {
						b.say(0, none, none)
					}
				}
			}
		}
	})
	return func() {
		close(over)
		running.Wait()
	}
}

// first is the sample of the tone, which begins softly, that is loud first.
var first = sync.OnceValue(func() int {
	return slices.IndexFunc(media.Tone(1000, sounds*20).PCM(), func(s int16) bool { return s >= loud || s <= -loud })
})

// say sends the next frame. The two ends of a call do not speak at once.
func (f *far) say(number int, tone, none []byte) {
	at := (f.at + number*cycle/2) % cycle
	payload := none
	if at < sounds && len(tone) > len(none) {
		payload = tone[at*codec.FrameSamples:][:codec.FrameSamples]
		if at == 0 {
			f.mu.Lock()
			f.said = time.Now()
			f.mu.Unlock()
		}
	}
	var b [rtp.HeaderSize + codec.FrameSamples]byte
	f.head.Put(b[:])
	copy(b[rtp.HeaderSize:], payload)
	f.head.Seq++
	f.head.Time += codec.FrameSamples
	f.at++
	_ = f.send(b[:]) // one that is lost is one tone less
}

// heard takes a packet that came.
func (f *far) heard(payload []byte) {
	now := time.Now()
	for i, b := range payload {
		if s := codec.PCMU.Linear(b); s < loud && s > -loud {
			continue
		}
		f.mu.Lock()
		began := now.Sub(f.quiet) > rest
		f.quiet = now
		f.mu.Unlock()
		if o := f.other; began && o != nil {
			o.mu.Lock()
			said := o.said
			o.mu.Unlock()
			if d := now.Sub(said) + time.Duration(i-first())*time.Second/codec.Rate; !said.IsZero() && d < sounds*frames {
				f.mu.Lock()
				f.took = append(f.took, d)
				f.mu.Unlock()
			}
		}
		return
	}
}

// forget drops what was measured so far, delays what was since.
func (f *far) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.took = nil
}

func (f *far) delays() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.took
}

func (f *far) close() {
	f.shut()
	if f.beside != nil {
		f.beside.shut()
	}
}

func newPhone(c *child) (*far, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	r, err := c.do(order{Phone: conn.LocalAddr().String()})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(r.Port))
	f := &far{stream: r.Stream, head: rtp.Header{SSRC: uint32(r.Port)}}
	f.send = func(b []byte) error {
		_, err := conn.WriteToUDPAddrPort(b, to)
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var b [1500]byte
		for {
			n, err := conn.Read(b[:])
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if h, payload, parsed := rtp.Parse(b[:n]); err == nil && parsed == nil && h.Payload == 0 {
				f.heard(payload)
			}
		}
	}()
	f.shut = func() {
		_ = conn.Close() // nothing is lost with it
		<-ended
	}
	return f, nil
}

// api is pion for a browser's part: G.711 alone, by the loopback interface.
func api() (*pion.API, error) {
	m := &pion.MediaEngine{}
	if err := m.RegisterCodec(pion.RTPCodecParameters{
		RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: codec.Rate}, PayloadType: 0,
	}, pion.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer = io.Discard
	e := pion.SettingEngine{LoggerFactory: quiet}
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4})
	return pion.NewAPI(pion.WithMediaEngine(m), pion.WithSettingEngine(e)), nil
}

func newBrowser(c *child) (_ *far, err error) {
	a, err := api()
	if err != nil {
		return nil, err
	}
	pc, err := a.NewPeerConnection(pion.Configuration{})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, pc.Close())
		}
	}()
	out, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: codec.Rate}, "mic", "page")
	if err != nil {
		return nil, err
	}
	if _, err := pc.AddTrack(out); err != nil {
		return nil, err
	}
	f := &far{head: rtp.Header{SSRC: 1}}
	f.send = func(b []byte) error {
		_, err := out.Write(b)
		return err
	}
	f.shut = func() {
		if err := pc.GracefulClose(); err != nil {
			log.Print(err)
		}
	}
	pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
		for {
			p, _, err := t.ReadRTP()
			if err != nil {
				return
			}
			if p.PayloadType == 0 {
				f.heard(p.Payload)
			}
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	<-gathered
	r, err := c.do(order{Offer: pc.LocalDescription().SDP})
	if err != nil {
		return nil, err
	}
	f.stream = r.Stream
	if err := pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: r.Answer}); err != nil {
		return nil, fmt.Errorf("taking the answer: %w", err)
	}
	return f, nil
}
