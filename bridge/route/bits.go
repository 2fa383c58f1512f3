package route

import (
	"iter"
	"math/bits"
)

// set is a set of small numbers: of classes.
type set []uint64

func (s *set) add(i int) {
	for len(*s) <= i/64 {
		*s = append(*s, 0)
	}
	(*s)[i/64] |= 1 << (i % 64)
}

func (s set) drop(i int) {
	if i/64 < len(s) {
		s[i/64] &^= 1 << (i % 64)
	}
}

func (s set) has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

// both is what is in s and in o, ascending.
func (s set) both(o set) iter.Seq[int] {
	return func(yield func(int) bool) {
		for w := range min(len(s), len(o)) {
			for rest := s[w] & o[w]; rest != 0; rest &= rest - 1 {
				if !yield(w*64 + bits.TrailingZeros64(rest)) {
					return
				}
			}
		}
	}
}
