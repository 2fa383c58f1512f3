package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"testing"
	"testing/iotest"

	"tandem/media/codec"
)

// file builds a WAV file by hand; size is what the data chunk claims.
func file(code, channels, rate, bits int, size uint32, data []byte, before ...byte) []byte {
	b := []byte("RIFF\xff\xff\xff\x7fWAVE")
	b = append(b, before...)
	b = append(b, "fmt \x10\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(code))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(bits))
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	return append(b, data...)
}

func TestRead(t *testing.T) {
	list := []byte("LIST\x03\x00\x00\x00abc\x00") // padded to even
	for _, x := range []struct {
		name string
		in   []byte
		rate int
		want []int16
	}{
		{"16 bit", file(1, 1, 8000, 16, 4, []byte{1, 0, 0xff, 0xff}), 8000, []int16{1, -1}},
		{"8 bit", file(1, 1, 11025, 8, 3, []byte{0, 128, 255}), 11025, []int16{-32768, 0, 32512}},
		{"mu-law", file(7, 1, 8000, 8, 2, []byte{0xff, 0x00}), 8000, []int16{0, -32124}},
		{"a-law", file(6, 1, 8000, 8, 2, []byte{0xd5, 0x55}), 8000, []int16{8, -8}},
		{"stereo mixed down", file(1, 2, 44100, 16, 8, []byte{100, 0, 200, 0, 0xff, 0x7f, 0xff, 0x7f}), 44100, []int16{150, 32767}},
		{"chunk before", file(1, 1, 8000, 16, 2, []byte{5, 0}, list...), 8000, []int16{5}},
		{"length too great, as on a pipe", file(1, 1, 22050, 16, 0x7ffff000, []byte{7, 0, 8, 0}), 22050, []int16{7, 8}},
		{"length never filled in", file(1, 1, 8000, 16, 0, []byte{7, 0, 8, 0}), 8000, []int16{7, 8}},
		{"odd end", file(1, 1, 8000, 16, 100, []byte{7, 0, 8}), 8000, []int16{7}},
		{"more after the data", file(1, 1, 8000, 16, 2, []byte{7, 0, 'L', 'I', 'S', 'T'}), 8000, []int16{7}},
		{"no samples", file(1, 1, 8000, 16, 0, nil), 8000, []int16{}},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, err := Read(iotest.OneByteReader(bytes.NewReader(x.in)))
			if err != nil || got.Rate != x.rate || !slices.Equal(got.PCM, x.want) {
				t.Errorf("got %v %v, want %d %v", got, err, x.rate, x.want)
			}
		})
	}
}

func TestReadExtensible(t *testing.T) {
	in := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x28\x00\x00\x00\xfe\xff\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00\x16\x00\x10\x00\x04\x00\x00\x00\x01\x00")
	in = append(in, make([]byte, 14)...)
	in = append(in, "data\x02\x00\x00\x00\x09\x00"...)
	got, err := Read(bytes.NewReader(in))
	if err != nil || !slices.Equal(got.PCM, []int16{9}) {
		t.Errorf("got %v %v, want [9]", got, err)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, x := range []struct {
		name string
		in   []byte
	}{
		{"empty", nil},
		{"not a WAV", []byte("ID3\x04 and so on, an MP3 file")},
		{"no data", file(1, 1, 8000, 16, 0, nil)[:36]},
		{"cut in the format", file(1, 1, 8000, 16, 0, nil)[:24]},
		{"data first", []byte("RIFF\x00\x00\x00\x00WAVEdata\x02\x00\x00\x00\x01\x00")},
		{"24 bit", file(1, 1, 8000, 24, 3, []byte{1, 2, 3})},
		{"float", file(3, 1, 8000, 32, 4, []byte{1, 2, 3, 4})},
		{"three channels", file(1, 3, 8000, 16, 6, make([]byte, 6))},
		{"no channel", file(1, 0, 8000, 16, 6, make([]byte, 6))},
		{"rate 0", file(1, 1, 0, 16, 2, make([]byte, 2))},
		{"rate beyond", file(1, 1, 1<<30, 16, 2, make([]byte, 2))},
		{"huge format chunk", []byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\xff")},
		{"huge chunk before", []byte("RIFF\x00\x00\x00\x00WAVEJUNK\xff\xff\xff\xff")},
	} {
		t.Run(x.name, func(t *testing.T) {
			if _, err := Read(bytes.NewReader(x.in)); !errors.Is(err, ErrFormat) {
				t.Errorf("got %v, want %v", err, ErrFormat)
			}
		})
	}
	endless := io.MultiReader(bytes.NewReader(file(1, 1, 8000, 16, math.MaxUint32, nil)), zeros{})
	if _, err := Read(endless); !errors.Is(err, ErrTooLong) {
		t.Errorf("endless audio: got %v, want %v", err, ErrTooLong)
	}
	broken := errors.New("cable cut")
	if _, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a failing reader: got %v, want %v", err, broken)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestCheck(t *testing.T) {
	if err := Check(bytes.NewReader(file(7, 2, 48000, 8, 0, []byte{1}))); err != nil {
		t.Errorf("a file that can be read: %v", err)
	}
	for name, in := range map[string][]byte{
		"text":     []byte("not a recording at all"),
		"24 bit":   file(1, 1, 8000, 24, 3, []byte{1, 2, 3}),
		"no audio": file(1, 1, 8000, 16, 0, nil),
	} {
		if err := Check(bytes.NewReader(in)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
	if err := Check(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a disk that fails: %v", err)
	}
}

func TestWriteThenRead(t *testing.T) {
	pcm := []int16{0, 1000, -1000, 32767, -32768}
	var b bytes.Buffer
	if err := Write(&b, Audio{Rate: 16000, PCM: pcm}); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil || got.Rate != 16000 || !slices.Equal(got.PCM, pcm) {
		t.Errorf("got %v %v, want %v", got, err, pcm)
	}
	for _, law := range []codec.Law{codec.PCMU, codec.PCMA} {
		b.Reset()
		if err := WriteLaw(&b, Audio{Rate: 8000, PCM: pcm}, law); err != nil {
			t.Fatal(err)
		}
		if b.Len() != 44+6 || binary.LittleEndian.Uint32(b.Bytes()[4:]) != uint32(b.Len()-8) {
			t.Errorf("%v: %d bytes, RIFF says %d", law, b.Len(), binary.LittleEndian.Uint32(b.Bytes()[4:]))
		}
		got, err := Read(&b)
		if err != nil || len(got.PCM) != len(pcm) {
			t.Fatalf("%v: %v %v", law, got, err)
		}
		for i := range pcm {
			if d := math.Abs(float64(got.PCM[i]) - float64(pcm[i])); d > 700 {
				t.Errorf("%v: sample %d is %d, want about %d", law, i, got.PCM[i], pcm[i])
			}
		}
	}
	if err := Write(io.Discard, Audio{Rate: 0}); err == nil {
		t.Error("rate 0 was written")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(1, 1, 8000, 16, 4, []byte{1, 0, 2, 0}))
	f.Add(file(7, 2, 8000, 8, 4, []byte{1, 0, 2, 0}))
	f.Add(file(1, 1, 22050, 16, 0x7ffff000, []byte{1, 0}, []byte("LIST\x02\x00\x00\x00ab")...))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := Read(bytes.NewReader(in))
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLong) {
				t.Errorf("an error of no known kind: %v", err)
			}
			return
		}
		if len(a.PCM) > len(in) || a.Rate < minRate || a.Rate > maxRate {
			t.Errorf("%d samples at %d Hz of %d bytes", len(a.PCM), a.Rate, len(in))
		}
		var b bytes.Buffer
		if err := Write(&b, a); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&b)
		if err != nil || !slices.Equal(again.PCM, a.PCM) {
			t.Errorf("written and read again: %v", err)
		}
	})
}
