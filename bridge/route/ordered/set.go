package ordered

import (
	"iter"
	"math/bits"
)

// Set is a set of numbers from 0. Its zero value is empty.
type Set []uint64

// Add puts a number in, Drop takes it out, and Has reports whether it is in.
func (s *Set) Add(i int) {
	for len(*s) <= i/64 {
		*s = append(*s, 0)
	}
	(*s)[i/64] |= 1 << (i % 64)
}

func (s Set) Drop(i int) {
	if i/64 < len(s) {
		s[i/64] &^= 1 << (i % 64)
	}
}

func (s Set) Has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

// Both is what is in s and in o, ascending.
func (s Set) Both(o Set) iter.Seq[int] {
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
