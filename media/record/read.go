package record

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"
)

// Ids of elements (RFC 9559), and the length that stands for one that is not known.
const (
	idEBML               = 0x1A45DFA3
	idSegment            = 0x18538067
	idInfo               = 0x1549A966
	idTracks             = 0x1654AE6B
	idCluster            = 0x1F43B675
	idTimecode           = 0xE7
	idSimpleBlock        = 0xA3
	idSeekHead           = 0x114D9B74
	idSeek               = 0x4DBB
	idSeekID             = 0x53AB
	idSeekPosition       = 0x53AC
	idCues               = 0x1C53BB6B
	idCuePoint           = 0xBB
	idCueTime            = 0xB3
	idCueTrackPositions  = 0xB7
	idCueTrack           = 0xF7
	idCueClusterPosition = 0xF1
	unknown              = 1<<56 - 1
)

// ErrForm tells that something is no file of this package.
var ErrForm = errors.New("record: not a recording")

// Film is what a file was found to hold. Head, in place of what stands before From, makes it one
// with a duration and an index: the file is as long as before, less From, and Head's length.
type Film struct {
	Head   []byte
	From   int64         // bytes before the first cluster
	Length time.Duration // the time of its last whole block, on the room's axis
	Blocks int           // of sound and pictures
}

// maxHead bounds what stands before the first cluster, in bytes.
const maxHead = 64 << 10

// How far apart the places to go to are, in ms: of sound, and at least of pictures, which are
// gone to at keyframes.
const (
	soundCues   = 5000
	pictureCues = 1000
)

// cue is a place to go to: a block that can be played without those before it.
type cue struct {
	ms    int64
	track byte
	at    int64 // of its cluster, from the first one
}

// reading is what is known so far of a file that is read.
type reading struct {
	*elements
	is      Film
	head    bytes.Buffer // before the first cluster
	cues    []cue
	cluster cue // that is read
	ends    int64
	w, h    uint64 // the largest of the keyframes, in pixels
	heard   int64  // ms of the last cue of sound
	seen    int64  // and of pictures
}

// Read reads a file to its end. One that a crash cut is read as far as it goes.
func Read(from io.Reader) (Film, error) {
	e := &elements{r: bufio.NewReaderSize(from, 64<<10)}
	r := &reading{elements: e, heard: -soundCues, seen: -pictureCues}
	var err error
	for first := true; err == nil; first = false {
		began := e.n
		var id uint32
		var size uint64
		if id, size, err = e.next(); first && (err != nil || id != idEBML) {
			return r.is, ErrForm
		}
		if err == nil {
			err = r.element(began, id, size)
		}
	}
	if err = ended(err); err == nil && r.is.From > 0 {
		err = r.index()
	}
	if err != nil {
		r.is.From = 0
	}
	return r.is, err
}

// element reads one, which began at a place in the file.
func (r *reading) element(began int64, id uint32, size uint64) error {
	switch id {
	case idSegment: // what is in it follows
		return nil
	case idCluster:
		if r.is.From == 0 {
			r.is.From = began
		}
		r.ends = r.n + int64(size) // an unknown one has no end: what is in it follows, too
		r.cluster = cue{at: began - r.is.From}
		return nil
	case idTimecode:
		v, err := r.number(size)
		r.cluster.ms = int64(v)
		return err
	case idSimpleBlock:
		return r.block(size)
	case idInfo, idTracks, idEBML:
		if r.is.From == 0 {
			return r.keep(id, size)
		}
	}
	return r.skip(size)
}

// keep takes a part of the head.
func (r *reading) keep(id uint32, size uint64) error {
	if size+uint64(r.head.Len()) > maxHead {
		return ErrForm
	}
	part := make([]byte, size)
	if err := r.full(part); err != nil {
		return err
	}
	r.head.Write(element(id, part))
	return nil
}

// block reads a block, of a picture as much as tells its size (RFC 6386 section 9.1).
func (r *reading) block(size uint64) error {
	if size < 4 {
		return ErrForm
	}
	var head [14]byte // track below 128, time within the cluster, flags; what is in it
	n := min(size, uint64(len(head)))
	if err := r.full(head[:n]); err != nil {
		return err
	}
	if err := r.skip(size - n); err != nil {
		return err
	}
	at := r.cluster
	at.track = head[0] &^ 0x80
	at.ms += int64(int16(binary.BigEndian.Uint16(head[1:])))
	r.is.Length = time.Duration(at.ms) * time.Millisecond
	r.is.Blocks++
	key := head[3]&0x80 != 0
	switch {
	case at.track == pictureTrack && key:
		if bytes.Equal(head[7:10], []byte{0x9d, 0x01, 0x2a}) {
			r.w = max(r.w, uint64(binary.LittleEndian.Uint16(head[10:])&0x3fff))
			r.h = max(r.h, uint64(binary.LittleEndian.Uint16(head[12:])&0x3fff))
		}
		if at.ms-r.seen >= pictureCues {
			r.seen = at.ms
			r.cues = append(r.cues, at)
		}
	case at.track == soundTrack && at.ms-r.heard >= soundCues:
		r.heard = at.ms
		r.cues = append(r.cues, at)
	}
	return nil
}

// index makes the head that takes the place of the old one. What is in the file is not moved.
func (r *reading) index() error {
	var is struct {
		EBML   webm.EBMLHeader `ebml:"EBML"`
		Info   webm.Info       `ebml:"Info"`
		Tracks webm.Tracks     `ebml:"Tracks"`
	}
	if err := ebml.Unmarshal(&r.head, &is, ebml.WithIgnoreUnknown(true)); err != nil {
		return fmt.Errorf("%w: its head: %w", ErrForm, err)
	}
	is.Info.Duration = float64(r.is.Length.Milliseconds())
	for _, t := range is.Tracks.TrackEntry {
		if t.Video != nil && r.w > 0 && r.h > 0 {
			t.Video.PixelWidth, t.Video.PixelHeight = r.w, r.h
		}
	}
	var form, info, tracks bytes.Buffer
	if err := errors.Join(
		ebml.Marshal(&struct {
			EBML webm.EBMLHeader `ebml:"EBML"`
		}{is.EBML}, &form),
		ebml.Marshal(&struct {
			Info webm.Info `ebml:"Info"`
		}{is.Info}, &info),
		ebml.Marshal(&struct {
			Tracks webm.Tracks `ebml:"Tracks"`
		}{is.Tracks}, &tracks)); err != nil {
		return fmt.Errorf("record: making a head: %w", err)
	}
	// Each number has its length whatever it is, so the lengths are known before the places.
	infoAt := int64(len(seekHead(0, 0, 0)))
	tracksAt := infoAt + int64(info.Len())
	cuesAt := tracksAt + int64(tracks.Len())
	clusters := cuesAt + int64(len(r.points(0)))
	size := uint64(unknown)
	if r.ends == r.n {
		size = uint64(clusters + r.ends - r.is.From)
	}
	head := binary.BigEndian.AppendUint32(form.Bytes(), idSegment)
	head = binary.BigEndian.AppendUint64(head, 1<<56|size)
	r.is.Head = slices.Concat(head, seekHead(infoAt, tracksAt, cuesAt), info.Bytes(), tracks.Bytes(), r.points(clusters))
	return nil
}

// seekHead tells where the parts are, from the beginning of the segment's content.
func seekHead(info, tracks, cues int64) []byte {
	seek := func(id uint32, at int64) []byte {
		return element(idSeek, slices.Concat(element(idSeekID, binary.BigEndian.AppendUint32(nil, id)), number(idSeekPosition, at)))
	}
	return element(idSeekHead, slices.Concat(seek(idInfo, info), seek(idTracks, tracks), seek(idCues, cues)))
}

// points is the index, of clusters that begin at a place in the segment's content.
func (r *reading) points(clusters int64) []byte {
	var all []byte
	for _, c := range r.cues {
		of := element(idCueTrackPositions, slices.Concat(number(idCueTrack, int64(c.track)), number(idCueClusterPosition, clusters+c.at)))
		all = append(all, element(idCuePoint, slices.Concat(number(idCueTime, c.ms), of))...)
	}
	return element(idCues, all)
}

// number is an element of eight bytes.
func number(id uint32, v int64) []byte {
	return element(id, binary.BigEndian.AppendUint64(nil, uint64(v)))
}

// element is one with what is in it.
func element(id uint32, content []byte) []byte {
	var b []byte
	for shift := 24; shift >= 0; shift -= 8 {
		if v := byte(id >> shift); v != 0 || len(b) > 0 {
			b = append(b, v)
		}
	}
	if len(content) < 0x7f {
		b = append(b, 0x80|byte(len(content)))
	} else {
		b = binary.BigEndian.AppendUint64(b, 1<<56|uint64(len(content)))
	}
	return append(b, content...)
}

// ended is nil for what only says that a file stops.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// elements reads EBML (RFC 8794).
type elements struct {
	r *bufio.Reader
	n int64 // bytes that were read
}

func (e *elements) byte() (byte, error) {
	b, err := e.r.ReadByte()
	if err == nil {
		e.n++
	}
	return b, err
}

func (e *elements) full(p []byte) error {
	n, err := io.ReadFull(e.r, p)
	e.n += int64(n)
	return err
}

// next reads an element's id and the length of its content.
func (e *elements) next() (id uint32, size uint64, err error) {
	first, err := e.byte()
	if err != nil {
		return 0, 0, err
	}
	n := 1
	for mask := byte(0x80); n <= 4 && first&mask == 0; mask >>= 1 {
		n++
	}
	if n > 4 {
		return 0, 0, ErrForm
	}
	id = uint32(first)
	for range n - 1 {
		b, err := e.byte()
		if err != nil {
			return 0, 0, err
		}
		id = id<<8 | uint32(b)
	}
	if first, err = e.byte(); err != nil {
		return 0, 0, err
	}
	n = 1
	mask := byte(0x80)
	for ; n <= 8 && first&mask == 0; mask >>= 1 {
		n++
	}
	if n > 8 {
		return 0, 0, ErrForm
	}
	size = uint64(first &^ mask)
	all := size == uint64(mask-1)
	for range n - 1 {
		b, err := e.byte()
		if err != nil {
			return 0, 0, err
		}
		size = size<<8 | uint64(b)
		all = all && b == 0xff
	}
	if all {
		size = unknown
	}
	return id, size, nil
}

// number reads a whole number.
func (e *elements) number(size uint64) (v uint64, err error) {
	if size > 8 {
		return 0, fmt.Errorf("%w: a number of %d bytes", ErrForm, size)
	}
	for range size {
		b, err := e.byte()
		if err != nil {
			return 0, err
		}
		v = v<<8 | uint64(b)
	}
	return v, nil
}

// skip passes over content.
func (e *elements) skip(size uint64) error {
	if size > 1<<40 {
		return ErrForm
	}
	n, err := io.CopyN(io.Discard, e.r, int64(size))
	e.n += n
	return err
}
