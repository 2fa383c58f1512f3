package route

import (
	"cmp"
	"math/rand/v2"
	"slices"
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

func TestTheTreeIsAnOrderedSet(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	in := tree[int]{cmp: cmp.Compare[int]}
	var want []int
	deepest := 0
	for range 20_000 {
		v := r.IntN(3000)
		i, found := slices.BinarySearch(want, v)
		switch {
		case r.IntN(3) > 0 && !found:
			in.insert(v)
			want = slices.Insert(want, i, v)
		case found:
			in.remove(v)
			want = slices.Delete(want, i, i+1)
		default:
			in.remove(v)
		}
		if in.rank(v) != i || in.size() != len(want) {
			t.Fatalf("rank of %d is %d of %d, want %d of %d", v, in.rank(v), in.size(), i, len(want))
		}
		if first, ok := in.first(); ok != (len(want) > 0) || ok && first != want[0] {
			t.Fatalf("first is %d, want %v", first, want[:min(1, len(want))])
		}
		deepest = max(deepest, in.root.depth())
	}
	if got := slices.Collect(in.all()); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if deepest > 24 { // 2.4 times the logarithm at most
		t.Errorf("it is %d deep with %d in it", deepest, in.size())
	}
}

func (n *node[T]) depth() int {
	if n == nil {
		return 0
	}
	return 1 + max(n.left.depth(), n.right.depth())
}
