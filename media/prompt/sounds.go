package prompt

import (
	"math"
	"sync"

	"tandem/media"
)

// sounds are clips made in code, each when it is first asked for.
type sounds struct {
	filler, music, beep onceClip
}

type onceClip struct {
	once sync.Once
	clip *media.Clip
}

func (o *onceClip) get(pcm func() []int16) *media.Clip {
	o.once.Do(func() { o.clip = media.NewClip(pcm()) })
	return o.clip
}

// Filler is two seconds to be looped while the caller waits for an answer: two
// soft ticks and quiet.
func (v *Voice) Filler() *media.Clip { return v.sounds.filler.get(filler) }

// Music is some twenty seconds of music on hold, made to be looped.
func (v *Voice) Music() *media.Clip { return v.sounds.music.get(music) }

// Beep is what a caller hears before a message is recorded: 1000 Hz for 0.4 s.
func (v *Voice) Beep() *media.Clip { return v.sounds.beep.get(beep) }

func beep() []int16 {
	pcm := make([]int16, 2*rate/5)
	note(pcm, 0, len(pcm), 1000, 6000, 0)
	return pcm
}

func filler() []int16 {
	pcm := make([]int16, 2*rate)
	note(pcm, rate/10, rate/5, 660, 1500, 25)
	note(pcm, rate/10+rate/4, rate/5, 880, 1500, 25)
	return pcm
}

// music is a slow round over four chords, a bass note and a rising figure each,
// twice with another turn. It is our own and belongs to nobody else.
func music() []int16 {
	const beat = rate * 6 / 10
	// Each bar: the bass, then the notes of the figure, in half tones from A3.
	bars := [][]int{
		{-9, 3, 7, 10, 7}, {-12, 0, 3, 7, 3}, {-16, -4, 3, 8, 3}, {-14, -2, 2, 5, 10},
		{-9, 3, 10, 7, 15}, {-12, 0, 7, 12, 7}, {-16, -4, 8, 12, 8}, {-14, -2, 5, 10, 14},
	}
	pcm := make([]int16, len(bars)*4*beat)
	for b, bar := range bars {
		at := b * 4 * beat
		note(pcm, at, 4*beat, hertz(bar[0]), 2200, 0.6)
		for i, half := range bar[1:] {
			note(pcm, at+i*beat, 2*beat, hertz(half), 1800, 2.5)
		}
	}
	return pcm
}

// hertz is the pitch so many half tones above A3.
func hertz(half int) float64 { return 220 * math.Exp2(float64(half)/12) }

// note adds a sine with a soft start and end, fading at decay per second. What
// goes beyond the end comes in at the start, so that a loop has no seam.
func note(pcm []int16, at, length int, hz, level, decay float64) {
	const ramp = rate / 100
	for i := range length {
		t := float64(i) / rate
		edge := min(1, float64(i)/ramp, float64(length-1-i)/ramp)
		s := level * edge * math.Exp(-decay*t) * math.Sin(2*math.Pi*hz*t)
		j := (at + i) % len(pcm)
		pcm[j] = int16(max(-32000, min(32000, float64(pcm[j])+s)))
	}
}
