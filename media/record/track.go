package record

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"

	"tandem/media/codec"
	"tandem/media/codec/opus"
	"tandem/media/video"
)

const (
	soundTrack   = 1
	pictureTrack = 2

	// clusterTime is about how much a crash takes, and settle how far sound may lag behind
	// pictures: it comes in batches.
	clusterTime = time.Second
	settle      = 1500 * time.Millisecond
	// mostWaiting bounds what waits for its cluster, in bytes: more is written unsorted.
	mostWaiting = 8 << 20
	// drift is how far the pictures' own clock may be from that of their coming before it is
	// set anew: a page that slept, or another camera.
	drift = 250 * time.Millisecond
	// preSkip is what the encoder delays at 8 kHz, in samples at 48 kHz (RFC 7845 section 4.2).
	preSkip = 312
)

// ErrClosed tells that the file is closed.
var ErrClosed = errors.New("record: the file is closed")

// Writer is where a file goes: an object that grows.
type Writer interface {
	io.Writer
	Flush() error // what was written survives the program
}

// Figures are what a file holds.
type Figures struct {
	End    time.Duration // of the last block, on the room's axis
	Sound  time.Duration // that was written, silence counted
	Frames int           // pictures
}

// Track is one file. Its methods may be called from any goroutine.
type Track struct {
	w       Writer
	zero    time.Time
	encoder *opus.Encoder

	mu      sync.Mutex
	err     error
	begun   bool // its header is written
	closed  bool
	waiting []block
	size    int   // bytes in waiting
	last    int64 // ms of the last block that was written
	paused  bool
	whole   bool // pictures wait for no keyframe
	from    time.Time
	clock   uint32 // RTP time at from
	is      Figures
}

type block struct {
	ms    int64
	track uint64
	key   bool
	data  []byte
}

// New begins a file whose times count from zero, the room's begin. It stays empty until there
// is sound or a picture.
func New(w Writer, zero time.Time) (*Track, error) {
	e, err := opus.NewEncoder()
	if err != nil {
		return nil, err
	}
	t := &Track{w: w, zero: zero, encoder: e}
	return t, nil
}

type header struct {
	EBML    webm.EBMLHeader `ebml:"EBML"`
	Segment segment         `ebml:"Segment,size=unknown"`
}

type segment struct {
	Info   webm.Info   `ebml:"Info"`
	Tracks webm.Tracks `ebml:"Tracks"`
}

var (
	formOf = webm.EBMLHeader{
		EBMLVersion: 1, EBMLReadVersion: 1, EBMLMaxIDLength: 4, EBMLMaxSizeLength: 8, DocType: "webm", DocTypeVersion: 4, DocTypeReadVersion: 2,
	}
	segmentOf = segment{
		Info: webm.Info{TimecodeScale: 1_000_000, MuxingApp: "tandem", WritingApp: "tandem"},
		Tracks: webm.Tracks{TrackEntry: []webm.TrackEntry{
			{
				Name: "sound", TrackNumber: soundTrack, TrackUID: soundTrack, CodecID: "A_OPUS", TrackType: 2, CodecPrivate: opusHead,
				CodecDelay: preSkip * uint64(time.Second) / opus.ClockRate, SeekPreRoll: uint64(80 * time.Millisecond), // RFC 7845 section 4.6
				Audio: &webm.Audio{SamplingFrequency: opus.ClockRate, Channels: 1},
			},
			// Sizes are those of the keyframes; players go by these until the first.
			{Name: "picture", TrackNumber: pictureTrack, TrackUID: pictureTrack, CodecID: "V_VP8", TrackType: 1, Video: &webm.Video{PixelWidth: 640, PixelHeight: 480}},
		}},
	}
	// opusHead is the identification header: version 1, one channel, the pre-skip, 8,000 Hz,
	// no gain, one stream (RFC 7845 section 5.1).
	opusHead = []byte{'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 1, preSkip & 0xff, preSkip >> 8, 0x40, 0x1f, 0, 0, 0, 0, 0}
)

// Sound takes what a media.Recording writes, G.711 of law, whose first byte was said at began.
// One is written at a time: a page that came anew is another, once the first has stopped.
func (t *Track) Sound(law codec.Law, began time.Time) io.Writer {
	return &sound{t: t, law: law, at: began.Sub(t.zero)}
}

type sound struct {
	t    *Track
	law  codec.Law
	at   time.Duration // of what waits
	rest []byte
	pcm  [codec.FrameSamples]int16
	out  [opus.MaxPacket]byte
}

func (s *sound) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for len(s.rest) >= codec.FrameSamples {
		s.law.Decode(s.pcm[:], s.rest[:codec.FrameSamples])
		s.rest = s.rest[:copy(s.rest, s.rest[codec.FrameSamples:])]
		n, err := s.t.encoder.Encode(s.out[:], s.pcm[:])
		if err != nil {
			return len(p), err
		}
		if err := s.t.add(block{ms: s.at.Milliseconds(), track: soundTrack, key: true, data: bytes.Clone(s.out[:n])}); err != nil {
			return len(p), err
		}
		s.at += frameTime
		s.t.mu.Lock()
		s.t.is.Sound += frameTime
		s.t.mu.Unlock()
	}
	return len(p), nil
}

const frameTime = codec.FrameSamples * time.Second / codec.Rate

// Frame takes a picture. What comes before a keyframe, or while paused, is left out.
func (t *Track) Frame(f video.Frame) {
	t.mu.Lock()
	if t.paused || t.closed || (!t.whole && !f.Key) {
		t.whole = false
		t.mu.Unlock()
		return
	}
	at := t.from.Add(time.Duration(int32(f.Time-t.clock)) * time.Second / 90_000)
	if off := f.At.Sub(at); t.from.IsZero() || off > drift || off < -drift {
		t.from, t.clock, at = f.At, f.Time, f.At
	}
	t.whole = true
	t.is.Frames++
	t.mu.Unlock()
	_ = t.add(block{ms: at.Sub(t.zero).Milliseconds(), track: pictureTrack, key: f.Key, data: bytes.Clone(f.Data)}) // Close tells
}

// Pause leaves out pictures until Pause(false), and then goes on with a keyframe. Sound is
// paused where it comes from.
func (t *Track) Pause(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paused = on
}

// add has a block wait until what belongs before it has come.
func (t *Track) add(b block) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	if t.err != nil {
		return t.err
	}
	i, _ := slices.BinarySearchFunc(t.waiting, b.ms+1, func(x block, ms int64) int { return cmp.Compare(x.ms, ms) })
	t.waiting = slices.Insert(t.waiting, i, b)
	t.size += len(b.data)
	newest := t.waiting[len(t.waiting)-1].ms
	if ready := newest - settle.Milliseconds(); ready-t.waiting[0].ms >= clusterTime.Milliseconds() {
		t.write(ready)
	} else if t.size > mostWaiting {
		t.write(newest)
	}
	return t.err
}

// write writes the blocks up to a time, in clusters.
func (t *Track) write(until int64) {
	n := 0
	for n < len(t.waiting) && t.waiting[n].ms <= until {
		n++
	}
	for at := 0; at < n && t.err == nil; {
		at += t.cluster(t.waiting[at:n])
	}
	t.waiting = slices.Delete(t.waiting, 0, n)
	t.size = 0
	for _, b := range t.waiting {
		t.size += len(b.data)
	}
	if t.err == nil {
		if err := t.w.Flush(); err != nil {
			t.err = err
		}
	}
}

// cluster writes as many of the blocks as fit into one, and tells how many.
func (t *Track) cluster(blocks []block) (n int) {
	first := max(blocks[0].ms, t.last, 0)
	c := struct {
		Cluster webm.Cluster `ebml:"Cluster"`
	}{webm.Cluster{Timecode: uint64(first)}}
	for _, b := range blocks {
		ms := max(b.ms, t.last, 0) // what is late stands at the end of what was written: times never go back
		if n > 0 && ms-first > 2*clusterTime.Milliseconds() {
			break
		}
		c.Cluster.SimpleBlock = append(c.Cluster.SimpleBlock, ebml.Block{TrackNumber: b.track, Timecode: int16(ms - first), Keyframe: b.key, Data: [][]byte{b.data}})
		t.last = ms
		n++
	}
	t.is.End = time.Duration(t.last) * time.Millisecond
	var out bytes.Buffer
	var err error
	if !t.begun { // a file that nothing came for is empty
		t.begun = true
		err = ebml.Marshal(&header{EBML: formOf, Segment: segmentOf}, &out)
	}
	if err = errors.Join(err, ebml.Marshal(&c, &out)); err != nil {
		t.err = fmt.Errorf("record: making a cluster: %w", err)
		return n
	}
	if _, err := t.w.Write(out.Bytes()); err != nil {
		t.err = fmt.Errorf("record: writing: %w", err)
	}
	return n
}

// Close writes what waits. The object is its owner's to commit.
func (t *Track) Close() (Figures, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		if t.err == nil && len(t.waiting) > 0 {
			t.write(t.waiting[len(t.waiting)-1].ms)
		}
	}
	return t.is, t.err
}
