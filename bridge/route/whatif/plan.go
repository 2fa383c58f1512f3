package whatif

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"tandem"
)

// Stream is one kind of customers who arrive by chance: at a rate, with exponential
// patience and talks that are lognormal, as talks in contact centres are (Brown and others,
// "Statistical analysis of a telephone call center", 2005).
type Stream struct {
	Queue    string
	Kind     tandem.TaskKind
	Level    string
	Skills   []string
	Priority time.Duration
	// PerHour is how many arrive, one figure for each hour from the plan's beginning; the
	// last goes on.
	PerHour  []float64
	Talk     time.Duration // mean
	Spread   float64       // standard deviation of talks over their mean; 0 = all alike
	Wrap     time.Duration // mean; exponential
	Patience time.Duration // mean; 0 = they wait for ever
}

// Streams makes the arrivals of streams between two times, by a seed. Each stream has
// chances of its own, so that one more changes nothing of the others.
func Streams(streams []Stream, from, until time.Time, seed uint64) []Arrival {
	var out []Arrival
	for i, s := range streams {
		random := rand.New(rand.NewPCG(seed, uint64(i)+1))
		most := 0.0
		for _, r := range s.PerHour {
			most = max(most, r)
		}
		if most <= 0 {
			continue
		}
		for at := from; ; {
			// Arrivals at the highest rate, thinned to the rate of their hour (Lewis and Shedler).
			at = at.Add(time.Duration(random.ExpFloat64() / most * float64(time.Hour)))
			if !at.Before(until) {
				break
			}
			hour := min(int(at.Sub(from)/time.Hour), len(s.PerHour)-1)
			if random.Float64()*most >= s.PerHour[hour] {
				continue
			}
			out = append(out, s.arrival(at, random))
		}
	}
	slices.SortStableFunc(out, func(a, b Arrival) int { return a.At.Compare(b.At) })
	return out
}

func (s *Stream) arrival(at time.Time, random *rand.Rand) Arrival {
	a := Arrival{At: at, Queue: s.Queue, Kind: s.Kind, Level: s.Level, Skills: s.Skills, Priority: s.Priority, Talk: s.Talk}
	if s.Spread > 0 {
		sigma2 := math.Log(1 + s.Spread*s.Spread)
		a.Talk = time.Duration(float64(s.Talk) * math.Exp(math.Sqrt(sigma2)*random.NormFloat64()-sigma2/2))
	}
	if s.Wrap > 0 {
		a.Wrap = time.Duration(random.ExpFloat64() * float64(s.Wrap))
	}
	if s.Patience > 0 {
		a.Patience = max(1, time.Duration(random.ExpFloat64()*float64(s.Patience)))
	}
	return a
}

// Each hands arrivals out one after the other.
func Each(arrivals []Arrival) func() (Arrival, bool) {
	return func() (Arrival, bool) {
		if len(arrivals) == 0 {
			return Arrival{}, false
		}
		a := arrivals[0]
		arrivals = arrivals[1:]
		return a, true
	}
}

// Past is what a journal tells of one task.
type Past struct {
	Task     tandem.Task // as it was opened
	Assigned time.Time   // zero = nobody took it
	Talk     time.Duration
	Wrap     time.Duration
	Over     time.Time // zero = it is not
	Left     bool      // the customer gave up
}

// Replay makes arrivals of what has happened. How long a customer who was served would have
// waited is not known; it is drawn from an exponential law whose mean is the time that all
// have waited over the number of those who left, by queue and kind: the likeliest where some
// are cut short. Talks of those whom nobody served are drawn from those of others of their
// queue and kind.
func Replay(past []Past, seed uint64) []Arrival {
	type key struct {
		queue string
		kind  tandem.TaskKind
	}
	waited, left := map[key]time.Duration{}, map[key]int{}
	talks := map[key][]Past{}
	for _, p := range past {
		k := key{p.Task.Queue, p.Task.Kind}
		switch {
		case !p.Assigned.IsZero():
			waited[k] += p.Assigned.Sub(p.Task.Arrived)
			talks[k] = append(talks[k], p)
		case p.Left:
			waited[k] += p.Over.Sub(p.Task.Arrived)
			left[k]++
		}
	}
	random := Random(seed)
	var out []Arrival
	for _, p := range past {
		k := key{p.Task.Queue, p.Task.Kind}
		a := Arrival{
			At: p.Task.Arrived, Queue: k.queue, Kind: k.kind, Level: p.Task.Level, Skills: p.Task.Skills, Priority: p.Task.Priority, Talk: p.Talk, Wrap: p.Wrap,
		}
		switch {
		case p.Left:
			a.Patience = max(1, p.Over.Sub(p.Task.Arrived))
		case left[k] > 0:
			mean := float64(waited[k]) / float64(left[k])
			a.Patience = max(1, time.Duration(random.ExpFloat64()*mean))
			if !p.Assigned.IsZero() { // they have waited that long, in any case
				a.Patience += p.Assigned.Sub(p.Task.Arrived)
			}
		}
		if p.Assigned.IsZero() {
			if others := talks[k]; len(others) > 0 {
				like := others[random.IntN(len(others))]
				a.Talk, a.Wrap = like.Talk, like.Wrap
			}
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b Arrival) int { return a.At.Compare(b.At) })
	return out
}

// Queues are the queues of arrivals, by name.
func Queues(arrivals []Arrival) []string {
	seen := map[string]bool{}
	for _, a := range arrivals {
		seen[a.Queue] = true
	}
	return slices.SortedFunc(maps.Keys(seen), cmp.Compare[string])
}
