package route

import (
	"math/rand/v2"
	"testing"
)

// bytes are choices out of a fuzzer's input; when it is used up they are all the first.
type bytes struct{ left []byte }

func (b *bytes) IntN(n int) int {
	v := 0
	for range 2 {
		if len(b.left) > 0 {
			v, b.left = v<<8|int(b.left[0]), b.left[1:]
		}
		if n <= 256 {
			break
		}
	}
	return v % n
}

// FuzzLine has a history made of the input happen to the line and to the model.
func FuzzLine(f *testing.F) {
	f.Add([]byte("a history"))
	r := rand.New(rand.NewPCG(7, 7))
	for range 3 {
		seed := make([]byte, 600)
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 2000 {
			return
		}
		b := &bytes{in}
		play(t, "fuzz", b, 30+len(in)/8, 3)
	})
}
