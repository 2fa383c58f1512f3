package figures

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Waits is how long tasks waited, as counts by steps of five parts in a hundred. Two are the
// same if they were fed the same, whatever machine did it.
type Waits map[int]int

// longestWait is what the last step has; what is longer counts there.
const longestWait = 60 * 24 * time.Hour

// bounds are the longest waits of the steps: whole milliseconds, from half a second.
var bounds = sync.OnceValue(func() (all []time.Duration) {
	for ms := int64(500); ; ms += max(1, ms/20) {
		all = append(all, time.Duration(ms)*time.Millisecond)
		if all[len(all)-1] >= longestWait {
			return all
		}
	}
})

func (w *Waits) note(d time.Duration) {
	if *w == nil {
		*w = Waits{}
	}
	step, _ := slices.BinarySearch(bounds(), d)
	(*w)[min(step, len(bounds())-1)]++
}

func (w *Waits) add(o Waits) {
	if *w == nil && len(o) > 0 {
		*w = make(Waits, len(o))
	}
	for step, n := range o {
		(*w)[step] += n
	}
}

func (w Waits) clone() Waits {
	if w == nil {
		return nil
	}
	out := make(Waits, len(w))
	out.add(w)
	return out
}

func (w Waits) total() (n int) {
	for _, c := range w {
		n += c
	}
	return n
}

// Part is the wait that a part of all (0.5, 0.9) did not exceed, up to five parts in a
// hundred too long; ok is false if there was none.
func (w Waits) Part(p float64) (d time.Duration, ok bool) {
	total := w.total()
	if total == 0 {
		return 0, false
	}
	steps := make([]int, 0, len(w))
	for step := range w {
		steps = append(steps, step)
	}
	slices.Sort(steps)
	want, seen := p*float64(total), 0
	for _, step := range steps {
		if seen += w[step]; float64(seen) >= want {
			return bounds()[step], true
		}
	}
	return bounds()[steps[len(steps)-1]], true
}

// String is how Waits are kept: STEP:COUNT with commas between, by step.
func (w Waits) String() string {
	steps := make([]int, 0, len(w))
	for step := range w {
		steps = append(steps, step)
	}
	slices.Sort(steps)
	var out strings.Builder
	for i, step := range steps {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%d:%d", step, w[step])
	}
	return out.String()
}

// ParseWaits reads what String wrote.
func ParseWaits(s string) (Waits, error) {
	if s == "" {
		return nil, nil
	}
	out := Waits{}
	for _, part := range strings.Split(s, ",") {
		a, b, ok := strings.Cut(part, ":")
		step, err1 := strconv.Atoi(a)
		n, err2 := strconv.Atoi(b)
		if !ok || err1 != nil || err2 != nil || step < 0 || step >= len(bounds()) || n < 1 {
			return nil, fmt.Errorf("%q is no count of waits", part)
		}
		out[step] += n
	}
	return out, nil
}
