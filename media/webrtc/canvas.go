package webrtc

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/twcc"
	pionrtp "github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/rtp"
	"tandem/media/webrtc/description"
)

const (
	// pictureRoom is how many datagrams wait for a screen: a keyframe of a sharp picture.
	pictureRoom = 512
	// startBudget is what a page's network is believed to carry until it has shown, in bits
	// per second; the others are the bounds of that.
	startBudget = 1_500_000
	minBudget   = 60_000
	maxBudget   = 12_000_000
	// nackEvery is how often packets that are missing are asked for.
	nackEvery = 30 * time.Millisecond
	// maxNacks is how often one packet is asked for: then it comes too late anyway.
	maxNacks = 10
	// feedbackEvery is how often a page is told when its packets came.
	feedbackEvery = 50 * time.Millisecond
)

// vp8 is what alone is spoken. Its number is that of the page's offer.
var vp8 = pion.RTPCodecParameters{
	RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: []pion.RTCPFeedback{
		{Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"},
	}},
	PayloadType: 96,
}

// estimator is what tells how much a page's network carries: gcc's.
type estimator interface{ GetTargetBitrate() int }

// canvas is what a link has of pictures.
type canvas struct {
	in  [description.Slots][2]atomic.Uint32 // the page's SSRCs of camera and display, by layers; 0 = nothing came
	out []*outlet                           // by slots
	bwe estimator
}

// budget is how many bits per second may be sent to the page.
func (c *canvas) budget() int { return c.bwe.GetTargetBitrate() }

// slot is the slot of an SSRC of ours, -1 if it is none.
func (c *canvas) slot(ssrc uint32) int {
	for i, o := range c.out {
		if to := o.to.Load(); to != nil && to.ssrc == ssrc {
			return i
		}
	}
	return -1
}

// codecs is what a link of pictures is made of: missing packets are asked for and sent
// again both ways (RFC 4585), both sides tell when each packet came, and from that the
// estimator says what the page's network carries (draft-ietf-rmcat-gcc-02).
func (p *Screen) codecs(l *link) (parts, error) {
	l.owner.Room = pictureRoom
	l.owner.Checked = func() {
		if l.owner.Secured.Load() {
			p.hear()
		}
	}
	l.picture = &canvas{}
	m := parts{media: &pion.MediaEngine{}, interceptors: &interceptor.Registry{}}
	if err := m.media.RegisterCodec(vp8, pion.RTPCodecTypeVideo); err != nil {
		return m, err
	}
	for _, uri := range []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.TransportCCURI} {
		if err := m.media.RegisterHeaderExtension(pion.RTPHeaderExtensionCapability{URI: uri}, pion.RTPCodecTypeVideo); err != nil {
			return m, err
		}
	}
	estimating, err := cc.NewInterceptor(func() (cc.BandwidthEstimator, error) {
		// Nothing is paced: packets were paced by who sent them.
		e, err := gcc.NewSendSideBWE(gcc.SendSideBWEInitialBitrate(startBudget), gcc.SendSideBWEMinBitrate(minBudget),
			gcc.SendSideBWEMaxBitrate(maxBudget), gcc.SendSideBWEPacer(gcc.NewNoOpPacer()), gcc.WithLoggerFactory(&loggers{}))
		l.picture.bwe = e
		return e, err
	})
	if err != nil {
		return m, err
	}
	numbering, err := twcc.NewHeaderExtensionInterceptor()
	if err != nil {
		return m, err
	}
	telling, err := twcc.NewSenderInterceptor(twcc.SendInterval(feedbackEvery), twcc.WithLoggerFactory(&loggers{}))
	if err != nil {
		return m, err
	}
	asking, err := nack.NewGeneratorInterceptor(nack.GeneratorInterval(nackEvery), nack.GeneratorMaxNacksPerPacket(maxNacks), nack.WithGeneratorLoggerFactory(&loggers{}))
	if err != nil {
		return m, err
	}
	resending, err := nack.NewResponderInterceptor(nack.WithResponderLoggerFactory(&loggers{}))
	if err != nil {
		return m, err
	}
	if err := m.reports(); err != nil {
		return m, err
	}
	// What is sent passes them from the last to the first: what is sent again has a new
	// number for the estimator.
	for _, i := range []interceptor.Factory{estimating, numbering, telling, asking, resending} {
		m.interceptors.Add(i)
	}
	return m, nil
}

// furnish gives the connection its sections in the order of the layout.
func (p *Screen) furnish(l *link) error {
	for range description.Slots {
		if _, err := l.pc.AddTransceiverFromKind(pion.RTPCodecTypeVideo, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly}); err != nil {
			return err
		}
	}
	for i := range p.slots {
		o := &outlet{id: fmt.Sprintf("slot%d", i)}
		t, err := l.pc.AddTransceiverFromTrack(o, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		l.picture.out = append(l.picture.out, o)
		l.add(t.Sender())
	}
	return nil
}

// outlet is the track of one slot: pion tells it when and as what it may send.
type outlet struct {
	id string
	to atomic.Pointer[destination]
}

type destination struct {
	to      pion.TrackLocalWriter
	ssrc    uint32
	payload uint8
	header  pionrtp.Header // of the writer
}

var _ pion.TrackLocal = (*outlet)(nil)

var errUnbound = errors.New("webrtc: the page takes no picture yet")

// Bind takes the number of VP8.
func (o *outlet) Bind(c pion.TrackLocalContext) (pion.RTPCodecParameters, error) {
	for _, codec := range c.CodecParameters() {
		if codec.MimeType == pion.MimeTypeVP8 {
			o.to.Store(&destination{to: c.WriteStream(), ssrc: uint32(c.SSRC()), payload: uint8(codec.PayloadType)})
			return codec, nil
		}
	}
	return pion.RTPCodecParameters{}, pion.ErrUnsupportedCodec
}

// Unbind ends sending.
func (o *outlet) Unbind(pion.TrackLocalContext) error {
	o.to.Store(nil)
	return nil
}

// write sends one packet. One goroutine at a time calls it.
func (o *outlet) write(h *rtp.Header, payload []byte) error {
	d := o.to.Load()
	if d == nil {
		return errUnbound
	}
	d.header = pionrtp.Header{
		Version: 2, Marker: h.Marker, PayloadType: d.payload, SequenceNumber: h.Seq, Timestamp: h.Time, SSRC: d.ssrc,
		Extensions: d.header.Extensions[:0],
	}
	_, err := d.to.WriteRTP(&d.header, payload)
	return err
}

// ID names the track on the page.
func (o *outlet) ID() string { return o.id }

// RID is empty: there is one encoding.
func (o *outlet) RID() string { return "" }

// StreamID names its stream on the page: each slot has its own.
func (o *outlet) StreamID() string { return o.id }

// Kind is video.
func (o *outlet) Kind() pion.RTPCodecType { return pion.RTPCodecTypeVideo }
