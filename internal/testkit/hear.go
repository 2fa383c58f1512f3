package testkit

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Span is a stretch of one sound: a tone of Hz, silence (Hz 0) or anything else (Hz -1).
type Span struct {
	Hz   int
	From time.Duration
	For  time.Duration
}

const (
	noise     = -1
	hearBlock = Rate / 50 // samples in one look: 20 ms, so 50 Hz of resolution
	quiet     = 60.0      // rms below which a block is silence; G.711's own noise is under 10
	pureness  = 0.7       // share of a block's energy that its tone must hold
)

// Transcript tells which of the tones were heard when, block by block of 20 ms.
// Neighbouring blocks with the same sound are one span; a single odd block
// between two of one sound (where a tone begins or a packet went missing) counts
// to the span before it.
func Transcript(pcm []int16, tones ...int) []Span {
	var blocks []int
	for at := 0; at+hearBlock <= len(pcm); at += hearBlock {
		blocks = append(blocks, sound(pcm[at:at+hearBlock], tones))
	}
	for i := 1; i < len(blocks); i++ {
		last := i+1 == len(blocks)
		if blocks[i] != blocks[i-1] && (last || blocks[i+1] != blocks[i]) {
			blocks[i] = blocks[i-1]
		}
	}
	var spans []Span
	const block = hearBlock * time.Second / Rate
	for i, hz := range blocks {
		if n := len(spans); n > 0 && spans[n-1].Hz == hz {
			spans[n-1].For += block
			continue
		}
		spans = append(spans, Span{Hz: hz, From: time.Duration(i) * block, For: block})
	}
	return spans
}

// Describe writes a transcript for people: "440 Hz for 1.2s, silence for 0.3s".
func Describe(spans []Span) string {
	var b strings.Builder
	for i, s := range spans {
		if i > 0 {
			b.WriteString(", ")
		}
		switch s.Hz {
		case 0:
			b.WriteString("silence")
		case noise:
			b.WriteString("other sound")
		default:
			fmt.Fprintf(&b, "%d Hz", s.Hz)
		}
		fmt.Fprintf(&b, " for %.2fs", s.For.Seconds())
	}
	if b.Len() == 0 {
		return "nothing at all"
	}
	return b.String()
}

// ToneTime adds up how long a tone was heard.
func ToneTime(spans []Span, hz int) time.Duration {
	var sum time.Duration
	for _, s := range spans {
		if s.Hz == hz {
			sum += s.For
		}
	}
	return sum
}

func sound(block []int16, tones []int) int {
	energy := 0.0
	for _, s := range block {
		energy += float64(s) * float64(s)
	}
	if math.Sqrt(energy/float64(len(block))) < quiet {
		return 0
	}
	best, power := noise, pureness*energy
	for _, hz := range tones {
		if p := goertzel(block, float64(hz)); p > power {
			best, power = hz, p
		}
	}
	return best
}

// goertzel gives the energy of block at hz, on the same scale as the block's sum
// of squares: a pure tone yields (nearly) all of it.
func goertzel(block []int16, hz float64) float64 {
	coeff := 2 * math.Cos(2*math.Pi*hz/Rate)
	var s1, s2 float64
	for _, x := range block {
		s1, s2 = float64(x)+coeff*s1-s2, s1
	}
	return (s1*s1 + s2*s2 - coeff*s1*s2) * 2 / float64(len(block))
}

// Found is a place where a recording was recognised in what was heard.
type Found struct {
	At    time.Duration // where it begins in what was heard
	Score float64       // share of its sounding pieces that were there, 0 to 1
}

const (
	envelopeHop = Rate / 100 // samples per step of the loudness curve: 10 ms
	pieceLen    = Rate / 8   // samples compared at once: 125 ms
	pieceReach  = Rate / 50  // how far a piece may have slid: 20 ms, what one lost or doubled packet does at most
	pieceAlike  = 0.75       // correlation from which a piece is the same
)

// Find looks for clip in heard and returns the best place. A score of 0.8 or more
// means that it was said; 0.5 that half of it was. The place is sought by the
// curve of loudness, then proved piece by piece on the samples themselves, so
// that neither the offset, nor G.711, nor lost packets disturb it, and another
// sentence of the same rhythm is not mistaken for it. clip may be cut short at
// either end by silence only; a clip longer than heard is compared as far as
// heard goes.
func Find(heard, clip []int16) Found {
	clip = trimmed(clip)
	if len(clip) < pieceLen || len(heard) < pieceLen {
		return Found{}
	}
	var best Found
	best.Score = -1
	for _, hop := range likely(envelope(heard), envelope(clip)) {
		at := hop * envelopeHop
		if score := alike(heard, clip, at); score > best.Score {
			best = Found{At: Length(heard[:min(max(at, 0), len(heard))]), Score: score}
		}
		if best.Score > 0.95 {
			break
		}
	}
	return best
}

// FindInOrder looks for clips that follow each other, such as the words of an
// amount: each is sought from where the one before it began, no more than a second
// after its end. It returns one place for each clip.
func FindInOrder(heard []int16, clips ...[]int16) []Found {
	var places []Found
	from, reach := 0, len(heard)
	for _, clip := range clips {
		window := heard[from:min(len(heard), from+reach+len(clip))]
		f := Find(window, clip)
		at := int(f.At * Rate / time.Second)
		f.At += Length(heard[:from])
		places = append(places, f)
		if f.Score > 0 {
			from += min(at+len(trimmed(clip))/2, len(window))
		}
		reach = 2 * Rate
	}
	return places
}

// trimmed drops silence at both ends.
func trimmed(pcm []int16) []int16 {
	loud := func(s int16) bool { return s > 2*quiet || s < -2*quiet }
	from := slices.IndexFunc(pcm, loud)
	if from < 0 {
		return nil
	}
	to := len(pcm)
	for !loud(pcm[to-1]) {
		to--
	}
	return pcm[from:to]
}

func envelope(pcm []int16) []float64 {
	curve := make([]float64, len(pcm)/envelopeHop)
	for i := range curve {
		sum := 0.0
		for _, s := range pcm[i*envelopeHop : (i+1)*envelopeHop] {
			sum += float64(s) * float64(s)
		}
		curve[i] = math.Sqrt(sum / envelopeHop)
	}
	return curve
}

// likely lists the best offsets of clip's loudness in heard's, best first.
func likely(heard, clip []float64) []int {
	const candidates = 12
	overlap := min(len(heard), len(clip))
	type place struct {
		at    int
		score float64
	}
	var places []place
	for at := 0; at <= len(heard)-min(overlap, 2*pieceLen/envelopeHop); at++ {
		n := min(len(clip), len(heard)-at)
		score := correlation(heard[at:at+n], clip[:n]) * math.Sqrt(float64(n)/float64(len(clip)))
		places = append(places, place{at, score})
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return a.at - b.at
	})
	var at []int
	for _, p := range places[:min(candidates, len(places))] {
		at = append(at, p.at)
	}
	return at
}

// alike gives the share of clip's sounding pieces that lie in heard, with clip
// beginning at sample at. Each piece may have slid against the one before it.
func alike(heard, clip []int16, at int) float64 {
	total, same, slid := 0, 0, 0
	reach := 2 * pieceReach // the first piece is placed by the loudness curve only
	for from := 0; from+pieceLen <= len(clip); from += pieceLen {
		piece := clip[from : from+pieceLen]
		if rms(piece) < 2*quiet {
			continue
		}
		total++
		best, bestSlide := 0.0, 0
		for d := slid - reach; d <= slid+reach; d++ {
			i := at + from + d
			if i < 0 || i+pieceLen > len(heard) {
				continue
			}
			if c := correlation(heard[i:i+pieceLen], piece); c > best {
				best, bestSlide = c, d
			}
		}
		if best >= pieceAlike {
			same++
			slid, reach = bestSlide, pieceReach
		} else {
			reach = 2 * pieceReach // lost the place: look wider
		}
	}
	if total == 0 {
		return 0
	}
	return float64(same) / float64(total)
}

func rms(pcm []int16) float64 {
	sum := 0.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(len(pcm)))
}

// correlation is Pearson's, -1 to 1; 0 where either side does not move.
func correlation[T int16 | float64](a, b []T) float64 {
	var sa, sb, saa, sbb, sab float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		sa, sb, saa, sbb, sab = sa+x, sb+y, saa+x*x, sbb+y*y, sab+x*y
	}
	n := float64(len(a))
	va, vb := saa-sa*sa/n, sbb-sb*sb/n
	if va < 1 || vb < 1 {
		return 0
	}
	return (sab - sa*sb/n) / math.Sqrt(va*vb)
}
