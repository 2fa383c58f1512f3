// Package pictures is what one connection has of pictures, as pion wants it: VP8 alone, its
// interceptors, the page's streams by section and layer, and the tracks of the places where
// the page is shown pictures, with a budget for them in bits per second.
//
// Its goroutines are pion's interceptors', which end with the connection. It reads nothing
// of the page, decides nothing about what is shown, and never paces: packets were paced by
// who sent them.
package pictures

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	pionrtp "github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/rtp"
	"tandem/media/webrtc/description"
)

const (
	// nackEvery is how often packets that are missing are asked for.
	nackEvery = 50 * time.Millisecond
	// maxNacks is how often one packet is asked for: then it comes too late anyway.
	maxNacks = 10
	// feedbackEvery is how often a page is told when its packets came.
	feedbackEvery = 100 * time.Millisecond
)

// VP8 is what alone is spoken. Its number is that of the page's offer.
func VP8() pion.RTPCodecParameters {
	return pion.RTPCodecParameters{
		RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: []pion.RTCPFeedback{
			{Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"},
		}},
		PayloadType: 96,
	}
}

// Canvas is what a connection has of pictures. Its methods may be called from any goroutine.
type Canvas struct {
	in  [description.Slots][2]atomic.Uint32 // the page's SSRCs of camera and display, by layers; 0 = nothing came
	out []*outlet                           // by slots
	claims
	again again
	sent  atomic.Int64 // bytes

	mu     sync.Mutex
	budget budget
}

// Parts prepares a connection: missing packets are asked for and sent again both ways (RFC 4585),
// and the page is told when each of its packets came, so that it knows what its network
// carries (draft-holmer-rmcat-transport-wide-cc-extensions-01). Reports are the caller's.
func (c *Canvas) Parts(logs logging.LoggerFactory) (*pion.MediaEngine, *interceptor.Registry, error) {
	media, registry := &pion.MediaEngine{}, &interceptor.Registry{}
	if err := media.RegisterCodec(VP8(), pion.RTPCodecTypeVideo); err != nil {
		return nil, nil, err
	}
	for _, uri := range []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.TransportCCURI} {
		if err := media.RegisterHeaderExtension(pion.RTPHeaderExtensionCapability{URI: uri}, pion.RTPCodecTypeVideo); err != nil {
			return nil, nil, err
		}
	}
	telling, err := twcc.NewSenderInterceptor(twcc.SendInterval(feedbackEvery), twcc.WithLoggerFactory(logs))
	if err != nil {
		return nil, nil, err
	}
	asking, err := nack.NewGeneratorInterceptor(nack.GeneratorInterval(nackEvery), nack.GeneratorMaxNacksPerPacket(maxNacks), nack.WithGeneratorLoggerFactory(logs))
	if err != nil {
		return nil, nil, err
	}
	resending, err := nack.NewResponderInterceptor(nack.WithResponderLoggerFactory(logs))
	if err != nil {
		return nil, nil, err
	}
	c.again.budget.Store(startBudget)
	// What is sent passes them from the last to the first.
	for _, i := range []interceptor.Factory{&c.again, telling, asking, resending} {
		registry.Add(i)
	}
	return media, registry, nil
}

// Furnish gives the connection its sections in the order of the layout, and returns the
// senders of its slots.
func (c *Canvas) Furnish(pc *pion.PeerConnection, slots int) (senders []*pion.RTPSender, err error) {
	for range description.Slots {
		if _, err := pc.AddTransceiverFromKind(pion.RTPCodecTypeVideo, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly}); err != nil {
			return nil, err
		}
	}
	for i := range slots {
		o := &outlet{id: fmt.Sprintf("slot%d", i)}
		t, err := pc.AddTransceiverFromTrack(o, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendonly})
		if err != nil {
			return nil, err
		}
		c.out = append(c.out, o)
		senders = append(senders, t.Sender())
	}
	return senders, nil
}

// Begin notes the stream of a layer, and is false if there is no such layer or it has begun.
func (c *Canvas) Begin(section, layer int, ssrc uint32) bool {
	return section >= 0 && section < len(c.in) && layer >= 0 && layer < len(c.in[section]) && c.in[section][layer].CompareAndSwap(0, ssrc)
}

// Source is the SSRC of a layer of camera or display, 0 before anything of it came.
func (c *Canvas) Source(section, layer int) uint32 { return c.in[section][layer].Load() }

// Slot is the slot of an SSRC of ours, -1 if it is none.
func (c *Canvas) Slot(ssrc uint32) int {
	for i, o := range c.out {
		if to := o.to.Load(); to != nil && to.ssrc == ssrc {
			return i
		}
	}
	return -1
}

// Write sends one packet of a slot: Marker, Seq and Time of its header are used. One
// goroutine at a time may write to a slot.
func (c *Canvas) Write(slot int, h *rtp.Header, payload []byte) error {
	c.sent.Add(int64(rtp.HeaderSize + len(payload)))
	return c.out[slot].write(h, payload)
}

// Reported takes what the page reports of what it got: the round trip, 0 if that is not known,
// and the share that was lost, 0 to 1.
func (c *Canvas) Reported(trip time.Duration, loss float64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.budget.report(trip, loss, c.sent.Load(), now)
}

// Budget is how many bits per second may be sent to the page. It is to be asked for now and
// then, for it grows with time.
func (c *Canvas) Budget(now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	bps := c.budget.grow(now)
	c.again.budget.Store(int64(bps))
	return bps
}

// Again is how many packets were sent again because the page asked, and how many were not
// because the network is full.
func (c *Canvas) Again() (sent, kept uint64) { return c.again.passed.Load(), c.again.kept.Load() }

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

var errUnbound = errors.New("pictures: the page takes no picture yet")

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
