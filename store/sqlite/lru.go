package sqlite

import "container/list"

// lru keeps the entries used last, at most max of them. It is not safe for
// concurrent use.
type lru[K comparable, V any] struct {
	max   int
	order *list.List // of *entry, newest first
	by    map[K]*list.Element
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](max int) *lru[K, V] {
	return &lru[K, V]{max: max, order: list.New(), by: make(map[K]*list.Element)}
}

func (l *lru[K, V]) get(k K) (v V, ok bool) {
	e, ok := l.by[k]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*lruEntry[K, V]).value, true
}

func (l *lru[K, V]) put(k K, v V) {
	if e, ok := l.by[k]; ok {
		e.Value.(*lruEntry[K, V]).value = v
		l.order.MoveToFront(e)
		return
	}
	if l.order.Len() >= l.max {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.by, oldest.Value.(*lruEntry[K, V]).key)
	}
	l.by[k] = l.order.PushFront(&lruEntry[K, V]{k, v})
}

func (l *lru[K, V]) wipe() {
	l.order.Init()
	clear(l.by)
}
