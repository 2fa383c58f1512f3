package prompt

import (
	"fmt"
	"math"
	"testing"
)

func sine(hz float64, rate, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(10000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	return pcm
}

// rms is the level of the middle of pcm, away from its ends.
func rms(pcm []int16) float64 {
	pcm = pcm[len(pcm)/4 : 3*len(pcm)/4]
	sum := 0.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

func TestResampleKeepsSpeechAndRefusesAliases(t *testing.T) {
	full := 10000 / math.Sqrt2
	for _, from := range []int{8001, 11025, 16000, 22050, 24000, 44100, 48000} {
		for _, x := range []struct {
			hz   float64
			keep bool
		}{{100, true}, {300, true}, {1000, true}, {2500, true}, {3300, true}, {4400, false}, {5000, false}, {7900, false}, {11000, false}, {20000, false}} {
			if x.hz >= float64(from)/2 {
				continue
			}
			t.Run(fmt.Sprintf("%d/%g", from, x.hz), func(t *testing.T) {
				got := 20 * math.Log10((rms(Resample(sine(x.hz, from, from/4), from, 8000))+1e-6)/full)
				if x.keep && math.Abs(got) > 0.2 {
					t.Errorf("%g Hz passes at %.2f dB, want 0", x.hz, got)
				}
				if !x.keep && got > -70 {
					t.Errorf("%g Hz comes through at %.1f dB, want under -70", x.hz, got)
				}
			})
		}
	}
}

func TestResampleUpwardsMakesNoImage(t *testing.T) {
	out := Resample(sine(1000, 4000, 4000), 4000, 8000)
	want := sine(1000, 8000, 8000)
	for i := 200; i < len(out)-200; i++ {
		if d := math.Abs(float64(out[i]) - float64(want[i])); d > 20 {
			t.Fatalf("sample %d is %d, want %d: there is an image or a delay", i, out[i], want[i])
		}
	}
}

func TestResampleLength(t *testing.T) {
	for _, x := range []struct{ n, from, want int }{
		{0, 16000, 0}, {1, 16000, 1}, {2, 16000, 1}, {3, 16000, 2}, {22050, 22050, 8000}, {44100, 44100, 8000}, {8000, 8000, 8000}, {10, 4000, 20},
	} {
		if got := len(Resample(make([]int16, x.n), x.from, 8000)); got != x.want {
			t.Errorf("%d samples at %d Hz give %d, want %d", x.n, x.from, got, x.want)
		}
	}
}

func TestResampleKeepsConstantAndClips(t *testing.T) {
	in := make([]int16, 4000)
	for i := range in {
		in[i] = 32767
		if i > 2000 {
			in[i] = -32768
		}
	}
	for i, s := range Resample(in, 16000, 8000) {
		if i > 200 && i < 900 && s < 32700 {
			t.Fatalf("sample %d of a constant is %d", i, s)
		}
		if i > 1100 && i < 1800 && s > -32700 {
			t.Fatalf("sample %d wrapped around: %d", i, s)
		}
	}
}

func BenchmarkResample(b *testing.B) {
	pcm := sine(1000, 22050, 22050)
	for b.Loop() {
		Resample(pcm, 22050, 8000)
	}
}
