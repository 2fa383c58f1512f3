package media

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"tandem/media/codec"
)

// Clip is a piece of audio that any number of streams may play at once. It never
// changes. It is encoded once per law, by the first goroutine that plays it in
// that law.
type Clip struct {
	pcm     []int16
	encode  sync.Mutex // one encoder at a time; readers need no lock
	encoded [2]atomic.Pointer[[]byte]
}

// NewClip makes a clip of mono samples at 8 kHz. The clip keeps pcm: the caller
// must not change it afterwards.
func NewClip(pcm []int16) *Clip { return &Clip{pcm: pcm} }

// Samples is the clip's length in samples at 8 kHz.
func (c *Clip) Samples() int { return len(c.pcm) }

// PCM is the clip's audio at 8 kHz. It must not be changed.
func (c *Clip) PCM() []int16 { return c.pcm }

// Frames is the clip's length in 20 ms frames, the last one counted whole.
func (c *Clip) Frames() int {
	return (len(c.pcm) + codec.FrameSamples - 1) / codec.FrameSamples
}

// Duration is the clip's length to the sample.
func (c *Clip) Duration() time.Duration {
	return time.Duration(len(c.pcm)) * time.Second / codec.Rate
}

// Encoded is the whole clip in one law, a byte per sample. It must not be changed.
func (c *Clip) Encoded(law codec.Law) []byte {
	if p := c.encoded[law&1].Load(); p != nil {
		return *p
	}
	c.encode.Lock()
	defer c.encode.Unlock()
	if p := c.encoded[law&1].Load(); p != nil {
		return *p
	}
	b := make([]byte, len(c.pcm))
	law.Encode(b, c.pcm)
	c.encoded[law&1].Store(&b)
	return b
}

// ready returns what is encoded already: in law if it can be, else in the other
// law, which the caller converts by table. A shard calls it so that it never
// encodes; Play has encoded the clip in one law at least.
func (c *Clip) ready(law codec.Law) ([]byte, codec.Law) {
	if p := c.encoded[law&1].Load(); p != nil {
		return *p, law
	}
	if p := c.encoded[law&1^1].Load(); p != nil {
		return *p, law ^ 1
	}
	return nil, law
}

// Tone makes a clip of a sine of hz, ms long, at -10 dBm0; 0 Hz is silence. It
// starts and ends softly (5 ms) so that it does not click.
func Tone(hz float64, ms int) *Clip {
	n := ms * codec.Rate / 1000
	const ramp = codec.Rate / 200
	pcm := make([]int16, n)
	if hz != 0 {
		for i := range pcm {
			level := min(1, float64(i)/ramp, float64(n-1-i)/ramp)
			pcm[i] = int16(toneLevel * level * math.Sin(2*math.Pi*hz*float64(i)/codec.Rate))
		}
	}
	return NewClip(pcm)
}

// toneLevel is the peak of a sine at -10 dBm0: +3.14 dBm0 is full scale in G.711.
const toneLevel = 7200
