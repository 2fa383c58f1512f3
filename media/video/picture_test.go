package video

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/media/rtp"
)

// reel is what a real encoder made: testdata/make.mjs.
func reel(t testing.TB, name string) (frames [][]byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for b = b[32:]; len(b) > 12; {
		n := 12 + int(binary.LittleEndian.Uint32(b))
		frames = append(frames, b[12:n])
		b = b[n:]
	}
	return frames
}

// pack cuts a frame into packets of at most so many bytes of data.
func pack(frame []byte, most int, seq *uint16, number uint16) (packets [][]byte) {
	for at := 0; at < len(frame); at += most {
		b := make([]byte, rtp.HeaderSize, 1500)
		rtp.Header{Marker: at+most >= len(frame), Payload: 96, Seq: *seq, Time: uint32(number) * 2970, SSRC: 5}.Put(b)
		*seq++
		first := byte(bitX)
		if at == 0 {
			first |= bitS
		}
		b = append(b, first, bitI, bitM|byte(number>>8), byte(number))
		packets = append(packets, append(b, frame[at:min(len(frame), at+most)]...))
	}
	return packets
}

// looks checks that a picture is the encoder's: four colours and, in frame n, a square.
func looks(t *testing.T, m image.Image, n int) {
	t.Helper()
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	like := func(x, y int, want color.RGBA) {
		r, g, b, _ := m.At(x, y).RGBA()
		far := func(a uint32, b uint8) bool { d := int(a>>8) - int(b); return d > 40 || d < -40 }
		if far(r, want.R) || far(g, want.G) || far(b, want.B) {
			t.Errorf("at %d, %d of %d by %d: %d %d %d, want %v", x, y, w, h, r>>8, g>>8, b>>8, want)
		}
	}
	like(w/4, h/8, color.RGBA{R: 255})
	like(w*7/8, h/8, color.RGBA{G: 255})
	like(w/4, h*7/8, color.RGBA{B: 255})
	like(w*7/8, h*7/8, color.RGBA{R: 255, G: 255, B: 255})
	like(n*4+h/16, h/2, color.RGBA{})
}

// What a real encoder made comes out of a tap byte by byte as it went in, through loss of
// order, and its stills show what was before the camera.
func TestRealPictures(t *testing.T) {
	for name, keys := range map[string][]int{"small.ivf": {0, 10}, "large.ivf": {0}} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			f, g := newFilm(t, c, 1), newGot()
			f.Allow(true)
			defer f.Tap(g.take)()
			frames, seq := reel(t, name), uint16(65530)
			for i, frame := range frames {
				p := pack(frame, 40, &seq, uint16(32760+i))
				if i%3 == 2 && len(p) > 1 {
					p[0], p[1] = p[1], p[0]
				}
				f.roll(0, p...)
				c.pass(33 * time.Millisecond)
				g.wait(t, i+1)
			}
			for i, got := range g.wait(t, len(frames)) {
				if !bytes.Equal(got.Data, frames[i]) || got.Key != slices.Contains(keys, i) {
					t.Fatalf("frame %d is another: key %t", i, got.Key)
				}
				m, err := Picture(got)
				if !got.Key {
					if !errors.Is(err, ErrPicture) {
						t.Errorf("frame %d: %v", i, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if b := m.Bounds(); b.Dx() != got.Width || b.Dy() != got.Height {
					t.Errorf("%v, want %d by %d", b, got.Width, got.Height)
				}
				looks(t, m, i)
			}
		})
	}
}

// A still goes from packets to a file that others can open.
func TestStillToAFile(t *testing.T) {
	c := newClock()
	f := newFilm(t, c, 1)
	f.Allow(true)
	stop, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		frame, seq := reel(t, "large.ivf")[0], uint16(1)
		for n := uint16(0); ; n++ {
			select {
			case <-stop:
				return
			default:
				f.roll(0, pack(frame, 1000, &seq, n)...)
			}
		}
	}()
	still, err := f.Still(context.Background())
	close(stop)
	<-over
	if err != nil {
		t.Fatal(err)
	}
	m, err := Picture(still)
	if err != nil {
		t.Fatal(err)
	}
	var j, p bytes.Buffer
	if err := errors.Join(JPEG(&j, m, 92), PNG(&p, m)); err != nil {
		t.Fatal(err)
	}
	again, err := jpeg.Decode(&j)
	if err != nil {
		t.Fatal(err)
	}
	looks(t, again, 0)
	if again, err = png.Decode(&p); err != nil {
		t.Fatal(err)
	}
	looks(t, again, 0)
}

func TestNoPicture(t *testing.T) {
	key := reel(t, "small.ivf")[0]
	with := func(w, h int) []byte {
		b := slices.Clone(key)
		binary.LittleEndian.PutUint16(b[6:], uint16(w))
		binary.LittleEndian.PutUint16(b[8:], uint16(h))
		return b
	}
	large := map[string]bool{"all bits of its size": true, "one column too many": true, "one line too many": true, "too many pixels": true}
	for name, data := range map[string][]byte{
		"nothing":                 nil,
		"a header cut short":      key[:keyHeader-1],
		"a header alone":          key[:keyHeader],
		"cut within":              key[:len(key)/2],
		"a later frame":           reel(t, "small.ivf")[1],
		"no columns":              with(0, 100),
		"all bits of its size":    with(65535, 65535),
		"one column too many":     with(maxSide+1, 16),
		"one line too many":       with(16, maxSide+1),
		"too many pixels":         with(4096, 2305),
		"more bytes than a frame": append(slices.Clone(key), make([]byte, maxFrame)...),
	} {
		if m, err := Picture(Frame{Key: true, Data: data}); !errors.Is(err, ErrPicture) || m != nil {
			t.Errorf("%s: %v", name, err)
		} else if tells := strings.Contains(err.Error(), "pixels"); tells != large[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzPicture: a keyframe from a stranger decodes or does not, and harms nobody.
func FuzzPicture(f *testing.F) {
	for _, frame := range reel(f, "small.ivf") {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if w, h, _ := size(data); w*h > 640*480 {
			return // large ones only take longer
		}
		m, err := Picture(Frame{Key: true, Data: data})
		if (m == nil) == (err == nil) {
			t.Fatalf("%v, %v", m, err)
		}
	})
}
