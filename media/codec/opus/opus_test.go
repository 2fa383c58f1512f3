package opus

import (
	"errors"
	"math"
	"testing"

	"tandem/media/codec"
)

func tone(hz float64, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/codec.Rate))
	}
	return pcm
}

// share is how much of the energy is that tone.
func share(pcm []int16, hz float64) float64 {
	var re, im, all float64
	for i, s := range pcm {
		x, w := float64(s), 2*math.Pi*hz*float64(i)/codec.Rate
		re, im, all = re+x*math.Cos(w), im+x*math.Sin(w), all+x*x
	}
	return 2 * (re*re + im*im) / float64(len(pcm)) / max(all, 1)
}

func pair(tb testing.TB) (*Encoder, *Decoder) {
	tb.Helper()
	e, err := NewEncoder()
	if err != nil {
		tb.Fatal(err)
	}
	d, err := NewDecoder()
	if err != nil {
		tb.Fatal(err)
	}
	return e, d
}

func TestToneGoesThroughAndLossIsBridged(t *testing.T) {
	e, d := pair(t)
	in := tone(500, 50*codec.FrameSamples)
	var out []int16
	for i := range 50 {
		var b [MaxPacket]byte
		n, err := e.Encode(b[:], in[i*codec.FrameSamples:(i+1)*codec.FrameSamples])
		if err != nil {
			t.Fatal(err)
		}
		var pcm [MaxSamples]int16
		room, packet := pcm[:], b[:n]
		if i == 25 {
			room, packet = pcm[:codec.FrameSamples], nil
		}
		if n, err = d.Decode(room, packet); err != nil || n != codec.FrameSamples {
			t.Fatalf("packet %d: %d samples, %v", i, n, err)
		}
		out = append(out, pcm[:n]...)
	}
	if got := share(out[10*codec.FrameSamples:20*codec.FrameSamples], 500); got < 0.9 {
		t.Errorf("the tone makes up %.2f", got)
	}
}

func TestForeignPacketIsAnError(t *testing.T) {
	_, d := pair(t)
	var pcm [MaxSamples]int16
	if _, err := d.Decode(pcm[:], []byte{0xff, 0xff, 0xff}); !errors.Is(err, ErrPacket) {
		t.Errorf("%v", err)
	}
}

func FuzzDecode(f *testing.F) {
	e, d := pair(f)
	var b [MaxPacket]byte
	n, err := e.Encode(b[:], tone(500, codec.FrameSamples))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:n])
	f.Add([]byte{0x03, 0xff})
	f.Fuzz(func(t *testing.T, packet []byte) {
		var pcm [MaxSamples]int16
		if n, err := d.Decode(pcm[:], packet); err == nil && (n < 0 || n > MaxSamples) {
			t.Errorf("%d samples", n)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	e, d := pair(b)
	var packet [MaxPacket]byte
	n, err := e.Encode(packet[:], tone(500, codec.FrameSamples))
	if err != nil {
		b.Fatal(err)
	}
	var pcm [MaxSamples]int16
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(pcm[:], packet[:n]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	e, _ := pair(b)
	frame := tone(500, codec.FrameSamples)
	var packet [MaxPacket]byte
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Encode(packet[:], frame); err != nil {
			b.Fatal(err)
		}
	}
}
