package video

import (
	"sync"
	"sync/atomic"
	"time"

	"tandem/media/rtp"
)

// Limits of what comes.
const (
	maxPacket  = 2000 // bytes; pages send 1,200 to 1,500
	maxAhead   = 3000 // a jump ahead of fewer packets is loss
	doubles    = 1024 // how many numbers back a packet is known to have come; older ones are dropped
	quietAfter = 1500 * time.Millisecond
	rateEvery  = 500 * time.Millisecond
)

// packet is one as the sinks get it, numbered without wrap-around.
type packet struct {
	epoch   uint32 // of its layer; the numbers of another mean nothing
	seq     int64
	time    uint32
	marker  bool
	empty   bool // padding: it has a number and no data
	key     bool // the first packet of a keyframe
	newest  bool // none with a higher number came before
	d       descriptor
	picture int64 // without wrap-around
	data    []byte
	at      time.Time
}

// layer is one simulcast layer as it comes in.
type layer struct {
	last   atomic.Int64 // Unix nanoseconds of its newest packet; 0 = none
	rate   atomic.Int64 // bits per second
	wanted atomic.Bool  // a keyframe
	asked  atomic.Int64 // Unix nanoseconds

	mu       sync.Mutex // for figures: its packets come from one goroutine at a time
	epoch    uint32
	started  bool
	ssrc     uint32
	base     int64 // of this epoch
	top      int64 // the highest number that came
	seen     [doubles / 64]uint64
	proof    int32 // the number which would prove a jump; -1 = none
	received int64 // in this epoch
	picture  int64 // the newest
	hasPic   bool

	bytes int64     // since
	since time.Time // of the measurement of the rate

	figures                     LayerFigures
	total                       uint64 // bytes
	lost                        int64  // in epochs before
	broken, repeated, keyframes uint64
}

// note takes a packet's bytes; ok = it goes on to the sinks.
func (l *layer) note(b []byte, now time.Time) (p packet, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, payload, err := rtp.Parse(b)
	if err != nil || len(b) > maxPacket {
		l.broken++
		return p, false
	}
	p.time, p.marker, p.at, p.data = h.Time, h.Marker, now, payload
	if p.empty = len(payload) == 0; !p.empty {
		if p.d, ok = parse(payload); !ok {
			l.broken++
			return p, false
		}
		p.data = payload[p.d.size:]
		if p.d.start && isKey(p.data) {
			w, h, whole := size(p.data)
			if !whole {
				l.broken++
				return p, false
			}
			p.key = true
			l.figures.Width, l.figures.Height = w, h
		}
	}
	if !l.number(h, &p) {
		l.repeated++
		return p, false
	}
	if p.d.hasPic {
		p.picture = l.unwrap(&p.d)
	}
	l.count(len(b), &p)
	return p, true
}

// number gives the packet its number without wrap-around and tells whether it is new.
func (l *layer) number(h rtp.Header, p *packet) bool {
	step := int16(h.Seq - uint16(l.top))
	switch {
	case !l.started, h.SSRC != l.ssrc:
		l.begin(h)
	case step > maxAhead, step <= -doubles:
		if l.proof != int32(h.Seq) { // one packet far off proves nothing
			l.proof = int32(h.Seq + 1)
			return false
		}
		l.begin(h)
	case step > 0:
		for n := l.top + 1; n <= l.top+int64(step); n++ {
			l.seen[n/64%int64(len(l.seen))] &^= 1 << (n % 64)
		}
		l.top += int64(step)
		p.newest = true
	}
	if l.received == 0 {
		p.newest = true
	}
	p.epoch, p.seq = l.epoch, l.top+int64(int16(h.Seq-uint16(l.top)))
	word, bit := &l.seen[p.seq/64%int64(len(l.seen))], uint64(1)<<(p.seq%64)
	if p.seq < l.base-doubles/2 || *word&bit != 0 {
		return false
	}
	*word |= bit
	l.received++
	return true
}

// begin starts an epoch: another sender, or numbers that have nothing to do with those before.
func (l *layer) begin(h rtp.Header) {
	l.lost += l.missing()
	l.started, l.ssrc, l.epoch = true, h.SSRC, l.epoch+1
	l.top = 1<<16 + int64(h.Seq) // never negative, whatever comes late
	l.base, l.received, l.seen, l.proof = l.top, 0, [doubles / 64]uint64{}, -1
	l.hasPic = false
}

// missing is how many packets of this epoch did not come.
func (l *layer) missing() int64 {
	if !l.started {
		return 0
	}
	return max(0, l.top-l.base+1-l.received)
}

// unwrap numbers a packet's picture without wrap-around: the number nearest to the newest.
func (l *layer) unwrap(d *descriptor) int64 {
	if !l.hasPic {
		l.hasPic, l.picture = true, pictures+int64(d.picture)
		return l.picture
	}
	wrap := int64(pictures)
	if !d.wide {
		wrap = picturesLow
	}
	step := (int64(d.picture) - l.picture%wrap + wrap) % wrap
	if step >= wrap/2 {
		step -= wrap
	}
	n := l.picture + step
	if n > l.picture {
		l.picture = n
	}
	return max(0, n)
}

// count adds a packet to the figures.
func (l *layer) count(bytes int, p *packet) {
	l.figures.Packets++
	l.total += uint64(bytes)
	if p.d.start {
		l.figures.Frames++
	}
	if p.key {
		l.keyframes++
	}
	was := l.last.Swap(p.at.UnixNano())
	if was == 0 || p.at.Sub(time.Unix(0, was)) > quietAfter {
		l.bytes, l.since = 0, p.at
		l.rate.Store(1) // it comes; how much is not known yet
	}
	l.bytes += int64(bytes)
	if d := p.at.Sub(l.since); d >= rateEvery {
		now := l.bytes * 8 * int64(time.Second) / int64(d)
		if before := l.rate.Load(); before > 1 {
			now = (before + now) / 2
		}
		l.rate.Store(max(1, now))
		l.bytes, l.since = 0, p.at
	}
}

// coming is its bits per second, 0 = nothing has come for a while.
func (l *layer) coming(now time.Time) int {
	if last := l.last.Load(); last == 0 || now.UnixNano()-last > int64(quietAfter) {
		return 0
	}
	return int(l.rate.Load())
}

// restart has the next packet begin an epoch: what came meanwhile was not taken.
func (l *layer) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost += l.missing()
	l.started = false
	l.last.Store(0)
}

// add adds what came of it to the figures of the source.
func (l *layer) add(f *Figures, now time.Time) LayerFigures {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.Packets += l.figures.Packets
	f.Bytes += l.total
	f.Broken += l.broken
	f.Doubles += l.repeated
	f.Keyframes += l.keyframes
	f.Lost += uint64(l.lost + l.missing())
	mine := l.figures
	mine.BitRate = l.coming(now)
	mine.Live = mine.BitRate > 0
	return mine
}
