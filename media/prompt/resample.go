package prompt

import "math"

const (
	// rate is what clips have, in samples per second.
	rate = 8000
	// zeroCrossings of the sinc on each side: with kaiserBeta, a transition from
	// 0.85 to 1 of the lower Nyquist frequency (3400 to 4000 Hz at 8 kHz).
	zeroCrossings = 38
	rolloff       = 0.925 // middle of the transition
	kaiserBeta    = 8.96  // stop band below -85 dB
)

// Resample converts mono audio from one rate to another, both in samples per
// second and positive, by a polyphase windowed sinc. What the new rate cannot
// hold is filtered out. The result lines up with the input: no delay. pcm itself
// is returned when the rates are equal.
func Resample(pcm []int16, from, to int) []int16 {
	if from == to || len(pcm) == 0 {
		return pcm
	}
	g := gcd(from, to)
	step, phases := from/g, to/g // each output sample is step/phases input samples further
	scale := rolloff * math.Min(1, float64(to)/float64(from))
	half := int(math.Ceil(zeroCrossings / scale))
	table := make([][]float64, min(phases, len(pcm)*phases/step+1))
	for p := range table {
		table[p] = kernel(float64(p*step%phases)/float64(phases), half, scale)
	}
	out := make([]int16, (len(pcm)*phases+step-1)/step)
	for i := range out {
		at := i * step / phases // the input sample at or before
		taps := table[i%phases]
		first := at - half + 1
		sum := 0.0
		for k := max(0, -first); k < len(taps) && first+k < len(pcm); k++ {
			sum += taps[k] * float64(pcm[first+k])
		}
		out[i] = int16(math.Round(max(math.MinInt16, min(math.MaxInt16, sum))))
	}
	return out
}

// kernel is the taps for an output sample that lies frac after an input sample;
// they add up to 1.
func kernel(frac float64, half int, scale float64) []float64 {
	taps := make([]float64, 2*half)
	sum := 0.0
	for k := range taps {
		x := float64(k-half+1) - frac
		taps[k] = scale * sinc(scale*x) * kaiser(x/float64(half))
		sum += taps[k]
	}
	for k := range taps {
		taps[k] /= sum
	}
	return taps
}

func sinc(x float64) float64 {
	if math.Abs(x) < 1e-9 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the Kaiser window over -1 to 1.
func kaiser(x float64) float64 {
	if math.Abs(x) >= 1 {
		return 0
	}
	return bessel0(kaiserBeta*math.Sqrt(1-x*x)) / bessel0(kaiserBeta)
}

// bessel0 is the modified Bessel function of the first kind of order 0.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
