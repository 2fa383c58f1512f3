package dtmf

import (
	"math"
	"math/rand/v2"
	"testing"
)

const rate = 8000

var (
	lows  = [4]float64{697, 770, 852, 941}
	highs = [4]float64{1209, 1336, 1477, 1633}
)

// dual makes the tones of a key: levels in dBm0 per tone, frequencies off by a share.
func dual(key byte, ms int, low, high, off float64) []int16 {
	at := 0
	for detectorKeys[at] != key {
		at++
	}
	fl, fh := lows[at/4]*(1+off), highs[at%4]*(1+off)
	al, ah := peak(low), peak(high)
	pcm := make([]int16, ms*rate/1000)
	for i := range pcm {
		x := float64(i) / rate
		pcm[i] = int16(al*math.Sin(2*math.Pi*fl*x) + ah*math.Sin(2*math.Pi*fh*x+1))
	}
	return pcm
}

// peak is the peak of a sine of so many dBm0.
func peak(dbm0 float64) float64 { return 32124 * math.Pow(10, (dbm0-3.14)/20) }

func detect(pcm []int16) string {
	var d Detector
	var got []byte
	found := func(k byte) { got = append(got, k) }
	for len(pcm) > 0 {
		n := min(160, len(pcm))
		d.Note(pcm[:n], found)
		pcm = pcm[n:]
	}
	return string(got)
}

func TestTones(t *testing.T) {
	tests := []struct {
		name           string
		on, off        int
		low, high      float64
		detune, snr    float64
		keys, expected string
	}{
		{"all keys", 80, 80, -10, -10, 0, 0, "0123456789*#ABCD", "0123456789*#ABCD"},
		{"quiet", 80, 80, -30, -30, 0, 0, "0123456789*#ABCD", "0123456789*#ABCD"},
		{"short", 50, 50, -10, -10, 0, 0, "0123456789*#ABCD", "0123456789*#ABCD"},
		{"the same key", 70, 50, -10, -10, 0, 0, "11111", "11111"},
		{"held for long", 2000, 50, -10, -10, 0, 0, "5", "5"},
		{"high tone 4 dB up", 80, 80, -14, -10, 0, 0, "0123456789*#ABCD", "0123456789*#ABCD"},
		{"1.5 % off", 80, 80, -10, -10, 0.015, 0, "0123456789*#ABCD", "0123456789*#ABCD"},
		{"noise 10 dB below", 80, 80, -10, -10, 0, 10, "0123456789*#ABCD", "0123456789*#ABCD"},
		{"too quiet", 80, 80, -50, -50, 0, 0, "0123", ""},
		{"a tone missing", 80, 80, -10, -60, 0, 0, "0123", ""},
		{"4 % off", 80, 80, -10, -10, 0.04, 0, "0123456789", ""},
		{"a click", 15, 80, -10, -10, 0, 0, "0123", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			var pcm []int16
			pcm = append(pcm, make([]int16, 333)...)
			for _, k := range []byte(tt.keys) {
				pcm = append(pcm, dual(k, tt.on, tt.low, tt.high, tt.detune)...)
				pcm = append(pcm, make([]int16, tt.off*rate/1000)...)
			}
			if tt.snr > 0 {
				noise := peak(tt.low) * math.Pow(10, -tt.snr/20)
				for i := range pcm {
					pcm[i] += int16(noise * rnd.NormFloat64())
				}
			}
			if got := detect(pcm); got != tt.expected {
				t.Errorf("heard %q, not %q", got, tt.expected)
			}
		})
	}
}

// Speech must not be taken for keys. The signal has what fools detectors: voiced
// sounds with strong harmonics and gliding, jittering pitch, formants wandering
// over the bands of the tones, pauses, breath; 30 minutes of it.
func TestTalkOff(t *testing.T) {
	minutes := 30
	if testing.Short() {
		minutes = 3
	}
	rnd := rand.New(rand.NewPCG(30, 4))
	var d Detector
	wrong := 0
	found := func(byte) { wrong++ }
	voice := talker{rnd: rnd}
	pcm := make([]int16, 160)
	for range minutes * 60 * 50 {
		voice.frame(pcm)
		d.Note(pcm, found)
	}
	if wrong > minutes/30 {
		t.Errorf("%d false keys in %d minutes", wrong, minutes)
	}
}

// talker makes speech-like sound: a train of glottal pulses or noise through three
// resonances.
type talker struct {
	rnd          *rand.Rand
	left         int // samples of this sound
	pitch, glide float64
	phase, gain  float64
	noise        float64
	period       float64 // of this pulse, in pulses
	f, step      [3]float64
	y1, y2       [3]float64
	a, r         [3]float64
	untilRetune  int
}

func (s *talker) frame(pcm []int16) {
	for i := range pcm {
		if s.left == 0 {
			s.left = 400 + s.rnd.IntN(2400)
			s.pitch, s.glide = 80+170*s.rnd.Float64(), (s.rnd.Float64()-0.5)*0.01
			s.noise, s.gain = 0.02, 4000+8000*s.rnd.Float64()
			switch s.rnd.IntN(6) {
			case 0:
				s.gain = 0
			case 1:
				s.noise = 1
			}
			s.f = [3]float64{300 + 700*s.rnd.Float64(), 900 + 1500*s.rnd.Float64(), 2400 + 600*s.rnd.Float64()}
			s.step = [3]float64{(s.rnd.Float64() - 0.5) * 0.1, (s.rnd.Float64() - 0.5) * 0.2, 0}
			s.period = 1
		}
		s.left--
		if s.untilRetune == 0 {
			s.untilRetune = 40
			for k := range s.f {
				width := 60.0 + 40*float64(k)
				s.r[k] = math.Exp(-math.Pi * width / rate)
				s.a[k] = 2 * s.r[k] * math.Cos(2*math.Pi*s.f[k]/rate)
			}
		}
		s.untilRetune--
		s.pitch += s.glide
		s.phase += s.pitch / rate
		x := s.noise * s.rnd.NormFloat64() * 0.3
		if s.phase >= s.period {
			s.phase -= s.period
			s.period = 1 + 0.01*s.rnd.NormFloat64()
			x += 1
		}
		for k := range s.f {
			s.f[k] += s.step[k]
			y := x + s.a[k]*s.y1[k] - s.r[k]*s.r[k]*s.y2[k]
			s.y2[k], s.y1[k] = s.y1[k], y
		}
		out := s.gain * (s.y1[0]*0.5 + s.y1[1]*0.4 + s.y1[2]*0.2)
		pcm[i] = int16(max(-32000, min(32000, out)))
	}
}

func BenchmarkDetector(b *testing.B) {
	var d Detector
	pcm := dual('5', 20, -10, -10, 0)
	b.ReportAllocs()
	for b.Loop() {
		d.Note(pcm, func(byte) {})
	}
}
