package format

import (
	"sort"

	"tandem/ivr/flow/source"
)

// attach gives a comment to the entry it is about.
func (d *document) attach(c comment) {
	if !c.alone {
		if e := d.onLine(c.at); e != nil {
			switch {
			case e.tail == "":
				e.tail = c.text
			case len(e.val.entries) > 0:
				e.val.foot = append(e.val.foot, line{text: c.text})
			default:
				e.head = append(e.head, line{text: c.text})
			}
			return
		}
	}
	words := line{blank: c.alone && d.blankAbove(c.at.Line), text: c.text}
	next, last := d.around(c.at)
	if last != nil && last.key != nil && before(c.at, last.val.node.At) && (last.val.node.Kind == source.Text || last.val.node.Flow) {
		last.head = append(last.head, words) // between a key and its value
		return
	}
	if in := d.brackets(c.at); in != nil {
		if next != nil && before(next.at, in.end) {
			next.head = append(next.head, words)
		} else {
			d.addFoot(in, words)
		}
		return
	}
	if v := d.ended(c.at, next); v != nil {
		d.addFoot(v, words)
		return
	}
	next.head = append(next.head, words)
}

// addFoot adds a comment after the last entry of a value, or above the value where it
// has none.
func (d *document) addFoot(v *value, words line) {
	if len(v.entries) == 0 {
		for _, e := range d.order {
			if e.val == v {
				e.head = append(e.head, words)
				return
			}
		}
	}
	v.foot = append(v.foot, words)
}

// onLine is the entry that a comment at the end of a line is about: the one that ended
// or began last before it on that line.
func (d *document) onLine(at source.Place) *entry {
	var found *entry
	var reached source.Place
	for _, e := range d.byLine[at.Line] {
		if !before(e.at, at) {
			break
		}
		p := e.at
		closed := e.val.node.Kind == source.Null || e.val.node.Flow || e.val.node.Kind == source.Text && !e.val.block()
		if closed && before(e.val.end, at) {
			p = e.val.end
		}
		if p.Line == at.Line && !before(p, reached) {
			if p == reached && found != nil && p != e.at {
				continue // an outer one ends at the same place
			}
			found, reached = e, p
		}
	}
	return found
}

// around is the entry that begins next after a place and the one that began last
// before it.
func (d *document) around(at source.Place) (next, last *entry) {
	i := sort.Search(len(d.order), func(i int) bool { return before(at, d.order[i].at) })
	if i < len(d.order) {
		next = d.order[i]
	}
	if i > 0 {
		last = d.order[i-1]
	}
	return next, last
}

// brackets is the innermost value in brackets around a place.
func (d *document) brackets(at source.Place) *value {
	var found *value
	for _, v := range d.flows {
		if before(v.node.At, at) && before(at, v.end) {
			found = v // later ones begin further in
		}
	}
	return found
}

// ended is the collection that a comment belongs to the end of, by its indentation;
// nil if it belongs to the next entry.
func (d *document) ended(at source.Place, next *entry) *value {
	if next != nil && (len(next.head) > 0 || at.Col <= d.indent(next.at.Line)) {
		return nil
	}
	found := d.root
	if next != nil {
		found = nil
	}
	inside := next == nil
	for v := d.root; v != nil; {
		if (inside || v == d.root) && v.column <= at.Col && (next == nil || inside) {
			found = v
		}
		if len(v.foot) > 0 && found == v {
			return found // what comes later is not further in
		}
		if next != nil && next.parent == v {
			inside = true
		}
		v = d.lastBefore(v, at)
	}
	return found
}

// lastBefore is the block collection in the last entry of v that begins before a place.
func (d *document) lastBefore(v *value, at source.Place) *value {
	for i := len(v.entries) - 1; i >= 0; i-- {
		e := v.entries[i]
		if !before(e.at, at) {
			continue
		}
		if len(e.val.entries) > 0 && !e.val.node.Flow && before(e.val.node.At, at) {
			return e.val
		}
		return nil
	}
	return nil
}

// indent is the column of the first character of a line.
func (d *document) indent(n int) int {
	for i, r := range []rune(d.row(n)) {
		if r != ' ' {
			return i + 1
		}
	}
	return 1
}
