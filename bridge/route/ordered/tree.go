// Package ordered has the sets that the line is kept in: Tree, an ordered set that knows
// how many are before each, and Set, a set of small numbers. It runs no goroutine, and
// knows nothing of what is in them.
package ordered

import "iter"

// Tree is an ordered set that knows how many are before each: a weight-balanced binary
// tree. What Order looks at must not change while an item is in. All of it takes time by the
// logarithm of what is in it, but Size and First, which take none.
type Tree[T any] struct {
	Order func(a, b T) int // negative: a is before b; 0: they are the same
	root  *node[T]
	low   *node[T] // the first
}

type node[T any] struct {
	left, right *node[T]
	size        int
	item        T
}

// A subtree is never more than balance times as heavy as its neighbour; one whose inner
// part is at least double times as heavy as its outer one is turned twice.
const (
	balance = 3
	double  = 2
)

func (n *node[T]) weight() int {
	if n == nil {
		return 1
	}
	return n.size + 1
}

// Size is how many are in.
func (t *Tree[T]) Size() int { return t.root.weight() - 1 }

// First is the first item; ok is false if there is none.
func (t *Tree[T]) First() (item T, ok bool) {
	if t.low == nil {
		return item, false
	}
	return t.low.item, true
}

// Insert puts in an item that is not in yet.
func (t *Tree[T]) Insert(item T) {
	n := &node[T]{item: item, size: 1}
	t.root = t.add(t.root, n)
	if t.low == nil || t.Order(item, t.low.item) < 0 {
		t.low = n
	}
}

func (t *Tree[T]) add(at, n *node[T]) *node[T] {
	if at == nil {
		return n
	}
	if t.Order(n.item, at.item) < 0 {
		at.left = t.add(at.left, n)
	} else {
		at.right = t.add(at.right, n)
	}
	return at.level()
}

// Remove takes an item out; one that is not in is passed over.
func (t *Tree[T]) Remove(item T) {
	wasLow := t.low != nil && t.Order(item, t.low.item) == 0
	t.root = t.drop(t.root, item)
	if wasLow {
		t.low = t.root
		for t.low != nil && t.low.left != nil {
			t.low = t.low.left
		}
	}
}

func (t *Tree[T]) drop(at *node[T], item T) *node[T] {
	if at == nil {
		return nil
	}
	switch c := t.Order(item, at.item); {
	case c < 0:
		at.left = t.drop(at.left, item)
	case c > 0:
		at.right = t.drop(at.right, item)
	case at.left == nil:
		return at.right
	case at.right == nil:
		return at.left
	default:
		rest, low := at.right.shift()
		low.left, low.right = at.left, rest
		at = low
	}
	return at.level()
}

// shift takes the first node out of a subtree.
func (n *node[T]) shift() (rest, low *node[T]) {
	if n.left == nil {
		return n.right, n
	}
	n.left, low = n.left.shift()
	return n.level(), low
}

func (n *node[T]) level() *node[T] {
	left, right := n.left.weight(), n.right.weight()
	switch {
	case right > balance*left:
		if n.right.left.weight() >= double*n.right.right.weight() {
			n.right = n.right.turnRight()
		}
		return n.turnLeft()
	case left > balance*right:
		if n.left.right.weight() >= double*n.left.left.weight() {
			n.left = n.left.turnLeft()
		}
		return n.turnRight()
	}
	n.size = left + right - 1
	return n
}

func (n *node[T]) turnLeft() *node[T] {
	up := n.right
	n.right, up.left = up.left, n
	n.size = n.left.weight() + n.right.weight() - 1
	up.size = up.left.weight() + up.right.weight() - 1
	return up
}

func (n *node[T]) turnRight() *node[T] {
	up := n.left
	n.left, up.right = up.right, n
	n.size = n.left.weight() + n.right.weight() - 1
	up.size = up.left.weight() + up.right.weight() - 1
	return up
}

// Rank is how many are before item, which need not be in.
func (t *Tree[T]) Rank(item T) int {
	before := 0
	for n := t.root; n != nil; {
		if t.Order(item, n.item) <= 0 {
			n = n.left
		} else {
			before += n.left.weight()
			n = n.right
		}
	}
	return before
}

// All is every item in order. The tree must not change meanwhile.
func (t *Tree[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) { t.root.walk(yield) }
}

func (n *node[T]) walk(yield func(T) bool) bool {
	return n == nil || n.left.walk(yield) && yield(n.item) && n.right.walk(yield)
}
