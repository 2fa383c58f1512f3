package ordered

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTheTreeIsAnOrderedSet(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	in := Tree[int]{Order: cmp.Compare[int]}
	var want []int
	deepest := 0
	for range 20_000 {
		v := r.IntN(3000)
		i, found := slices.BinarySearch(want, v)
		switch {
		case r.IntN(3) > 0 && !found:
			in.Insert(v)
			want = slices.Insert(want, i, v)
		case found:
			in.Remove(v)
			want = slices.Delete(want, i, i+1)
		default:
			in.Remove(v)
		}
		if in.Rank(v) != i || in.Size() != len(want) {
			t.Fatalf("rank of %d is %d of %d, want %d of %d", v, in.Rank(v), in.Size(), i, len(want))
		}
		if first, ok := in.First(); ok != (len(want) > 0) || ok && first != want[0] {
			t.Fatalf("first is %d, want %v", first, want[:min(1, len(want))])
		}
		deepest = max(deepest, in.root.depth())
	}
	if got := slices.Collect(in.All()); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if deepest > 24 { // 2.4 times the logarithm at most
		t.Errorf("it is %d deep with %d in it", deepest, in.Size())
	}
}

func (n *node[T]) depth() int {
	if n == nil {
		return 0
	}
	return 1 + max(n.left.depth(), n.right.depth())
}

func TestSetsHaveWhatIsInBoth(t *testing.T) {
	var a, b Set
	for i := range 300 {
		if i%2 == 0 {
			a.Add(i)
		}
		if i%3 == 0 {
			b.Add(i)
		}
	}
	a.Drop(6)
	a.Drop(1000)
	var want []int
	for i := range 300 {
		if i%6 == 0 && i != 6 {
			want = append(want, i)
		}
	}
	if got := slices.Collect(a.Both(b)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if a.Has(6) || !a.Has(298) || a.Has(299) || a.Has(5000) {
		t.Error("what is in is not told")
	}
	for i := range a.Both(b) {
		if i != 0 {
			t.Error("it goes on after it was stopped")
		}
		break
	}
}
