package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"

	"tandem/media/codec"
	"tandem/media/codec/opus"
	"tandem/media/video"
)

// file is what was written, with its length at each Flush: what a crash leaves.
type file struct {
	bytes.Buffer
	flushed []int
	full    error
}

func (f *file) Write(p []byte) (int, error) {
	if f.full != nil {
		return 0, f.full
	}
	return f.Buffer.Write(p)
}

func (f *file) Flush() error { f.flushed = append(f.flushed, f.Len()); return nil }

var zero = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func newTrack(t *testing.T, f *file) *Track {
	t.Helper()
	k, err := New(f, zero)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// tone is seconds of 440 Hz in PCMU.
func tone(seconds float64) []byte {
	pcm := make([]int16, int(seconds*codec.Rate))
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/codec.Rate))
	}
	out := make([]byte, len(pcm))
	codec.PCMU.Encode(out, pcm)
	return out
}

// picture is the n-th of a source that shows 25 a second, from an hour of its clock on.
func picture(n int, at time.Time) video.Frame {
	return video.Frame{Key: n%50 == 0, Width: 640, Height: 480, Time: math.MaxUint32 - 90_000 + uint32(n)*3600, At: at, Data: []byte{byte(n), byte(n >> 8), 1}}
}

type parsed struct {
	times map[uint64][]int64 // of blocks, by track
	keys  int
	sound []int16
}

// parse reads a file by the library and decodes its sound.
func parse(t *testing.T, data []byte) (p parsed) {
	t.Helper()
	var all struct {
		EBML    webm.EBMLHeader `ebml:"EBML"`
		Segment struct {
			Info    webm.Info      `ebml:"Info"`
			Tracks  webm.Tracks    `ebml:"Tracks"`
			Cluster []webm.Cluster `ebml:"Cluster"`
		} `ebml:"Segment"`
	}
	if err := ebml.Unmarshal(bytes.NewReader(data), &all); err != nil {
		t.Fatalf("an ordinary reader: %v", err)
	}
	if all.EBML.DocType != "webm" || len(all.Segment.Tracks.TrackEntry) != 2 || all.Segment.Tracks.TrackEntry[0].CodecID != "A_OPUS" {
		t.Fatalf("the header is %+v", all.Segment.Tracks)
	}
	d, err := opus.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	p.times = map[uint64][]int64{}
	last := int64(-1)
	for _, c := range all.Segment.Cluster {
		for _, b := range c.SimpleBlock {
			at := int64(c.Timecode) + int64(b.Timecode)
			if at < last {
				t.Fatalf("a block at %d ms after one at %d", at, last)
			}
			last = at
			p.times[b.TrackNumber] = append(p.times[b.TrackNumber], at)
			if b.TrackNumber == pictureTrack && b.Keyframe {
				p.keys++
			}
			if b.TrackNumber == soundTrack {
				var pcm [opus.MaxSamples]int16
				n, err := d.Decode(pcm[:], b.Data[0])
				if err != nil {
					t.Fatal(err)
				}
				p.sound = append(p.sound, pcm[:n]...)
			}
		}
	}
	return p
}

// power is how much of the sound is 440 Hz.
func power(pcm []int16) float64 {
	var re, im, all float64
	for i, v := range pcm {
		s, c := math.Sincos(2 * math.Pi * 440 * float64(i) / codec.Rate)
		re, im, all = re+float64(v)*c, im+float64(v)*s, all+float64(v)*float64(v)
	}
	return 2 * (re*re + im*im) / (float64(len(pcm))*all + 1)
}

// Voice becomes video: sound comes in batches, pictures from the third second on, and all
// has the time it was said or shown.
func TestVoiceBecomesVideo(t *testing.T) {
	f := &file{}
	k := newTrack(t, f)
	joined := zero.Add(10 * time.Second)
	w := k.Sound(codec.PCMU, joined)
	said := tone(6)
	shown := 0
	for at := 0; at < len(said); at += 5120 { // 640 ms, as a recording writes it
		now := joined.Add(time.Duration(at+5120) * time.Second / codec.Rate)
		for ; joined.Add(3 * time.Second).Add(time.Duration(shown) * 40 * time.Millisecond).Before(now); shown++ {
			k.Frame(picture(shown, joined.Add(3*time.Second).Add(time.Duration(shown)*40*time.Millisecond)))
		}
		if _, err := w.Write(said[at:min(at+5120, len(said))]); err != nil {
			t.Fatal(err)
		}
	}
	is, err := k.Close()
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, f.Bytes())
	sound, pictures := p.times[soundTrack], p.times[pictureTrack]
	if len(sound) != 300 || sound[0] != 10_000 || sound[299] != 15_980 {
		t.Errorf("%d blocks of sound from %d ms", len(sound), sound[0])
	}
	if len(pictures) != shown || pictures[0] != 13_000 || is.Frames != shown {
		t.Errorf("%d pictures from %d ms, %d were shown, %+v", len(pictures), pictures[0], shown, is)
	}
	for i := range pictures {
		if want := int64(13_000 + 40*i); pictures[i] != want {
			t.Fatalf("picture %d at %d ms, want %d", i, pictures[i], want)
		}
	}
	if got := power(p.sound[codec.Rate:]); got < 0.9 {
		t.Errorf("%.2f of the sound is the tone", got)
	}
	if got, err := Read(bytes.NewReader(f.Bytes())); err != nil || got.Length != is.End || got.Blocks != len(sound)+len(pictures) {
		t.Errorf("the length is %v of %d blocks, %v; written was %v", got.Length, got.Blocks, err, is.End)
	}
}

// What a crash leaves is whole up to the last Flush, however little came after it.
func TestACrash(t *testing.T) {
	f := &file{}
	k := newTrack(t, f)
	w := k.Sound(codec.PCMU, zero)
	for i := range 20 {
		for n := range 12 {
			k.Frame(picture(i*12+n, zero.Add(time.Duration(i*12+n)*40*time.Millisecond)))
		}
		if _, err := w.Write(tone(0.48)); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.flushed) < 5 {
		t.Fatalf("flushed %d times in 10 s", len(f.flushed))
	}
	for _, n := range f.flushed {
		p := parse(t, f.Bytes()[:n])
		is, err := Read(bytes.NewReader(f.Bytes()[:n]))
		if want := slices.Max(append(p.times[soundTrack], p.times[pictureTrack]...)); err != nil || is.Length.Milliseconds() != want {
			t.Errorf("cut at %d: %v, %v; want %d ms", n, is.Length, err, want)
		}
		if is, err = Read(bytes.NewReader(f.Bytes()[:n-1])); err != nil || is.Head == nil {
			t.Errorf("cut within a block: %v", err)
		}
		indexed(t, is, f.Bytes()[:n-1], false)
	}
	if last := parse(t, f.Bytes()).times[soundTrack]; int64(9600)-last[len(last)-1] > 3000 {
		t.Errorf("a crash would take all after %d of 9600 ms", last[len(last)-1])
	}
}

// While paused there are no pictures, and afterwards first a keyframe.
func TestPause(t *testing.T) {
	f := &file{}
	k := newTrack(t, f)
	for n := range 200 {
		switch n {
		case 60:
			k.Pause(true)
		case 70:
			k.Pause(false)
		}
		k.Frame(picture(n, zero.Add(time.Duration(n)*40*time.Millisecond)))
	}
	if _, err := k.Close(); err != nil {
		t.Fatal(err)
	}
	p := parse(t, f.Bytes())
	for _, ms := range p.times[pictureTrack] {
		if n := ms / 40; n >= 60 && n < 100 {
			t.Fatalf("picture %d is there", n)
		}
	}
	if len(p.times[pictureTrack]) != 160 || p.keys != 4 {
		t.Errorf("%d pictures, %d of them keyframes", len(p.times[pictureTrack]), p.keys)
	}
}

// Of what comes far too late, and by a clock that jumps, the times never go back.
func TestLate(t *testing.T) {
	f := &file{}
	k := newTrack(t, f)
	w := k.Sound(codec.PCMA, zero)
	for n := range 250 {
		k.Frame(picture(n, zero.Add(time.Duration(n)*40*time.Millisecond)))
	}
	k.Frame(video.Frame{Key: true, Time: 1, At: zero.Add(11 * time.Second), Data: []byte{1}}) // another clock
	if _, err := w.Write(tone(2)); err != nil {                                               // of ten seconds before
		t.Fatal(err)
	}
	if _, err := k.Close(); err != nil {
		t.Fatal(err)
	}
	p := parse(t, f.Bytes())
	if n := len(p.times[soundTrack]); n != 100 {
		t.Errorf("%d blocks of sound", n)
	}
	if all := p.times[pictureTrack]; all[len(all)-1] < 11_000 {
		t.Errorf("the last picture is at %d ms", all[len(all)-1])
	}
}

// A full disk is told, by Write and by Close; what comes after is dropped.
func TestAFullDisk(t *testing.T) {
	f := &file{}
	k := newTrack(t, f)
	f.full = errors.New("no space left on device")
	w := k.Sound(codec.PCMU, zero)
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, err = w.Write(tone(0.1))
	}
	if !errors.Is(err, f.full) {
		t.Errorf("writing: %v", err)
	}
	if _, err := k.Close(); !errors.Is(err, f.full) {
		t.Errorf("closing: %v", err)
	}
	if _, err := w.Write(tone(0.1)); err == nil {
		t.Error("a closed file takes sound")
	}
}

// whole is a file with its index.
type whole struct {
	EBML    webm.EBMLHeader `ebml:"EBML"`
	Segment struct {
		SeekHead webm.SeekHead  `ebml:"SeekHead"`
		Info     webm.Info      `ebml:"Info"`
		Tracks   webm.Tracks    `ebml:"Tracks"`
		Cues     webm.Cues      `ebml:"Cues"`
		Cluster  []webm.Cluster `ebml:"Cluster"`
	} `ebml:"Segment"`
}

// indexed gives a file its new head, and wants each place of the index to be that of a block
// that can be played from.
func indexed(t *testing.T, is Film, data []byte, all bool) (w whole) {
	t.Helper()
	data = slices.Concat(is.Head, data[is.From:])
	if err := ebml.Unmarshal(bytes.NewReader(data), &w); all && err != nil {
		t.Fatalf("an ordinary reader: %v", err)
	}
	if got := time.Duration(w.Segment.Info.Duration) * time.Millisecond; got != is.Length {
		t.Errorf("the duration is %v of %v", got, is.Length)
	}
	segment := bytes.Index(data, []byte{0x18, 0x53, 0x80, 0x67}) + 12
	if size := binary.BigEndian.Uint64(data[segment-8:]) &^ (1 << 56); all && size != uint64(len(data)-segment) {
		t.Errorf("the segment is told to have %d bytes of %d", size, len(data)-segment)
	}
	for _, s := range w.Segment.SeekHead.Seek {
		if !bytes.HasPrefix(data[segment+int(s.SeekPosition):], s.SeekID) {
			t.Errorf("no %x is at %d", s.SeekID, s.SeekPosition)
		}
	}
	if len(w.Segment.SeekHead.Seek) != 3 || len(w.Segment.Cues.CuePoint) == 0 {
		t.Errorf("%d parts are named, %d places", len(w.Segment.SeekHead.Seek), len(w.Segment.Cues.CuePoint))
	}
	for _, c := range w.Segment.Cues.CuePoint {
		var one struct {
			Cluster webm.Cluster `ebml:"Cluster,stop"`
		}
		at := c.CueTrackPositions[0]
		err := ebml.Unmarshal(bytes.NewReader(data[segment+int(at.CueClusterPosition):]), &one)
		if all && !errors.Is(err, ebml.ErrReadStopped) {
			t.Fatalf("no cluster is at %d: %v", at.CueClusterPosition, err)
		}
		if !slices.ContainsFunc(one.Cluster.SimpleBlock, func(b ebml.Block) bool {
			return b.TrackNumber == at.CueTrack && b.Keyframe && one.Cluster.Timecode+uint64(b.Timecode) == c.CueTime
		}) {
			t.Errorf("nothing to begin with at %d ms", c.CueTime)
		}
	}
	return w
}

// A player can go to any place in a file: sound that comes before the pictures, too.
func TestIndex(t *testing.T) {
	f := &file{}
	k := newTrack(t, f)
	w := k.Sound(codec.PCMU, zero.Add(time.Minute))
	for i := range 40 {
		if _, err := w.Write(tone(1)); err != nil {
			t.Fatal(err)
		}
		for n := range 10 {
			if i >= 20 {
				p := picture(i*10+n, zero.Add(time.Minute+time.Duration(i*10+n)*100*time.Millisecond))
				p.Data = []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x07, 0x38, 0x44, byte(n)} // 1920 by 1080, scaled in height
				k.Frame(p)
			}
		}
	}
	if _, err := k.Close(); err != nil {
		t.Fatal(err)
	}
	is, err := Read(bytes.NewReader(f.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	all := indexed(t, is, f.Bytes(), true)
	if v := all.Segment.Tracks.TrackEntry[pictureTrack-1].Video; v.PixelWidth != 1920 || v.PixelHeight != 1080 {
		t.Errorf("the pictures are %d by %d", v.PixelWidth, v.PixelHeight)
	}
	had := parse(t, f.Bytes())
	n := 0
	for _, c := range all.Segment.Cluster {
		n += len(c.SimpleBlock)
	}
	if n != len(had.times[soundTrack])+len(had.times[pictureTrack]) || n != is.Blocks {
		t.Errorf("%d of %d blocks", n, is.Blocks)
	}
	var sounds, pictures int
	for _, c := range all.Segment.Cues.CuePoint {
		if c.CueTrackPositions[0].CueTrack == soundTrack {
			sounds++
		} else {
			pictures++
		}
	}
	if sounds != 8 || pictures != 4 {
		t.Errorf("%d places of sound in 40 s, %d of pictures", sounds, pictures)
	}
	again, err := Read(bytes.NewReader(slices.Concat(is.Head, f.Bytes()[is.From:])))
	if err != nil || again.Length != is.Length || again.Blocks != is.Blocks {
		t.Errorf("read again it is %v, %v", again.Length, err)
	}
}

// A file that nothing came for is empty.
func TestNothingCame(t *testing.T) {
	f := &file{}
	k := newTrack(t, f)
	k.Frame(video.Frame{At: zero.Add(time.Second), Data: []byte{1}}) // before a keyframe
	if is, err := k.Close(); err != nil || is != (Figures{}) || f.Len() != 0 {
		t.Errorf("%d bytes, %+v, %v", f.Len(), is, err)
	}
}

func FuzzRead(f *testing.F) {
	var b file
	k, err := New(&b, zero)
	if err != nil {
		f.Fatal(err)
	}
	_, _ = k.Sound(codec.PCMU, zero).Write(tone(3))
	_, _ = k.Close()
	f.Add(b.Bytes())
	f.Add([]byte{0x1A, 0x45, 0xDF, 0xA3, 0xff, 0xA3, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe})
	f.Fuzz(func(t *testing.T, data []byte) {
		if is, err := Read(bytes.NewReader(data)); is.From > int64(len(data)) || err != nil && (is.From > 0 || is.Head != nil) {
			t.Errorf("%+v, %v", is, err)
		}
	})
}

func BenchmarkSecond(b *testing.B) {
	var f file
	k, err := New(&f, zero)
	if err != nil {
		b.Fatal(err)
	}
	said, w := tone(1), k.Sound(codec.PCMU, zero)
	data := make([]byte, 2500)
	for i := 0; b.Loop(); i++ {
		if f.Len() > 64<<20 {
			f.Reset()
		}
		_, _ = w.Write(said)
		for n := range 25 {
			at := zero.Add(time.Duration(i)*time.Second + time.Duration(n)*40*time.Millisecond)
			k.Frame(video.Frame{Key: n == 0, Time: uint32(i*25+n) * 3600, At: at, Data: data})
		}
	}
}
