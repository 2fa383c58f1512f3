package pictures

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	pionrtp "github.com/pion/rtp"
)

const (
	// againShare is how much of the budget packets may take that are sent again: on a network
	// that is full, to send all that is missing again fills it further.
	againShare = 0.15
	// againDepth is how much may be sent again at once, in bytes: a keyframe of a small picture.
	againDepth = 16 << 10
)

// again lets packets that are sent again pass as long as there is room for them.
type again struct {
	interceptor.NoOp
	budget atomic.Int64 // in bits per second
	passed atomic.Uint64
	kept   atomic.Uint64 // that were not sent again

	mu    sync.Mutex
	room  float64 // bytes
	at    time.Time
	begun bool
}

var _ interceptor.Interceptor = (*again)(nil)

// NewInterceptor is the one of its connection.
func (a *again) NewInterceptor(string) (interceptor.Interceptor, error) { return a, nil }

// BindLocalStream tells packets that are sent again by their sequence numbers. What came
// before the newest keyframe is of use to nobody any more.
func (a *again) BindLocalStream(info *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	var newest, from atomic.Uint32 // sequence numbers: of the newest packet, with a bit above it once there is one; of the newest keyframe
	return interceptor.RTPWriterFunc(func(h *pionrtp.Header, payload []byte, attributes interceptor.Attributes) (int, error) {
		last := newest.Load()
		if last != 0 && int16(h.SequenceNumber-uint16(last)) <= 0 {
			if int16(h.SequenceNumber-uint16(from.Load())) < 0 || !a.may(len(payload), time.Now()) {
				a.kept.Add(1)
				return 0, nil
			}
			a.passed.Add(1)
		} else {
			if last == 0 || keyframe(payload) {
				from.Store(uint32(h.SequenceNumber))
			}
			newest.Store(1<<16 | uint32(h.SequenceNumber))
		}
		return next.Write(h, payload, attributes)
	})
}

// may takes room for a packet of n bytes, if there is enough.
func (a *again) may(n int, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.begun {
		a.begun, a.room, a.at = true, againDepth, now
	}
	a.room = min(againDepth, a.room+now.Sub(a.at).Seconds()*float64(a.budget.Load())*againShare/8)
	a.at = now
	if a.room < float64(n) {
		return false
	}
	a.room -= float64(n)
	return true
}

// keyframe reports whether a payload of VP8 begins a keyframe (RFC 7741, sections 4.2 and 4.3).
func keyframe(b []byte) bool {
	if len(b) < 1 || b[0]&0x17 != 0x10 { // the start of the first partition
		return false
	}
	at := 1
	if b[0]&0x80 != 0 {
		if len(b) < 2 {
			return false
		}
		more := b[1]
		at++
		if more&0x80 != 0 { // picture number
			if at >= len(b) {
				return false
			}
			at += 1 + int(b[at]>>7)
		}
		if more&0x40 != 0 { // TL0PICIDX
			at++
		}
		if more&0x30 != 0 { // TID and KEYIDX
			at++
		}
	}
	return at < len(b) && b[at]&1 == 0
}
