package whatif_test

import (
	"fmt"
	"math"
	"runtime/debug"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/bridge/route/whatif"
)

// Tabled values of Erlang's C and A: C(10, 8) and C(1, 0.5) are in every table; the last
// is worked out by hand for one agent, where p(n) is a Poisson law when talk and patience
// are alike.
func TestSteady(t *testing.T) {
	for _, tc := range []struct {
		e                 whatif.Erlang
		waits, mean, left float64
	}{
		{whatif.Erlang{Agents: 1, Rate: 0.5, Talk: 1}, 0.5, 1, 0},
		{whatif.Erlang{Agents: 2, Rate: 1, Talk: 1}, 1.0 / 3, 1.0 / 3, 0},
		{whatif.Erlang{Agents: 10, Rate: 8, Talk: 1}, 0.409180, 0.204590, 0},
		{whatif.Erlang{Agents: 1, Rate: 1, Talk: 1, Patience: 1}, 1 - math.Exp(-1), math.Exp(-1), math.Exp(-1)},
	} {
		s := tc.e.Steady()
		for what, v := range map[string][2]float64{"waits": {s.Waits, tc.waits}, "mean": {s.Mean, tc.mean}, "left": {s.Left, tc.left}} {
			if math.Abs(v[0]-v[1]) > 1e-5 {
				t.Errorf("%+v: %s is %v, want %v", tc.e, what, v[0], v[1])
			}
		}
	}
	if s := (whatif.Erlang{Agents: 2, Rate: 3, Talk: 1}).Steady(); !math.IsInf(s.Mean, 1) {
		t.Errorf("a line that grows for ever waits %v", s.Mean)
	}
	if s := (whatif.Erlang{Agents: 400, Rate: 390, Talk: 1}).Steady(); !(s.Waits > 0.3 && s.Waits < 0.7 && s.Busy > 0.974 && s.Busy < 0.976) {
		t.Errorf("400 agents: %+v", s)
	}
}

// plain is a policy of one queue and c agents who take one call at a time.
func plain(c int) *route.Policy {
	p := &route.Policy{
		Queues: map[string]*route.Queue{"q": {Name: "q", Teams: []string{"t"}}}, Teams: map[string]*route.Team{"t": {Name: "t"}},
		Agents: map[string]*route.Agent{}, Offer: map[tandem.Load]time.Duration{tandem.LoadVoice: time.Hour},
	}
	for i := range c {
		name := fmt.Sprintf("a%02d", i)
		p.Agents[name] = &route.Agent{Name: name, Teams: []string{"t"}, Capacity: map[tandem.Load]int{tandem.LoadVoice: 1}}
	}
	return p
}

// batches are means of consecutive arrivals' waits, each beside what chance did to the
// arrivals of the batch: the mean time between them and the mean talk, whose expectations
// are known.
type batches struct {
	size           int
	n              int
	sum, gap, talk float64
	wait, x, y     []float64
}

func (b *batches) add(wait, gap, talk float64) {
	b.sum, b.gap, b.talk, b.n = b.sum+wait, b.gap+gap, b.talk+talk, b.n+1
	if b.n == b.size {
		m := float64(b.size)
		b.wait, b.x, b.y = append(b.wait, b.sum/m), append(b.x, b.gap/m), append(b.y, b.talk/m)
		b.n, b.sum, b.gap, b.talk = 0, 0, 0, 0
	}
}

// interval is the mean of the batches and half the width of its 99 % interval, by
// regression on the two controls (Lavenberg and Welch): chance that is seen in the arrivals
// is taken out of the waits.
func (b *batches) interval(gap, talk float64) (mean, half float64) {
	n := float64(len(b.wait))
	avg := func(v []float64) (m float64) {
		for _, x := range v {
			m += x / n
		}
		return m
	}
	mw, mx, my := avg(b.wait), avg(b.x), avg(b.y)
	var xx, yy, xy, xw, yw float64
	for i := range b.wait {
		x, y, w := b.x[i]-mx, b.y[i]-my, b.wait[i]-mw
		xx, yy, xy, xw, yw = xx+x*x, yy+y*y, xy+x*y, xw+x*w, yw+y*w
	}
	det := xx*yy - xy*xy
	bx, by := (xw*yy-yw*xy)/det, (yw*xx-xw*xy)/det
	mean = mw - bx*(mx-gap) - by*(my-talk)
	var rest float64
	for i := range b.wait {
		r := b.wait[i] - mw - bx*(b.x[i]-mx) - by*(b.y[i]-my)
		rest += r * r
	}
	s2 := rest / (n - 3)
	dx, dy := mx-gap, my-talk
	spread := s2 * (1/n + (dx*dx*yy-2*dx*dy*xy+dy*dy*xx)/det)
	const t99 = 2.6 // Student's, 99 % two-sided, 200 degrees of freedom
	return mean, t99 * math.Sqrt(spread)
}

// The line is Erlang's: simulated M/M/c and M/M/c+M agree with theory inside the 99 %
// interval of batch means, and the interval is no wider than 2 % of the mean.
func TestAgreesWithErlang(t *testing.T) {
	before := debug.SetGCPercent(400)                // arrivals are made and forgotten by the million
	t.Cleanup(func() { debug.SetGCPercent(before) }) // after those that run side by side
	for _, tc := range []struct {
		e        whatif.Erlang
		arrivals int
		seed     uint64
	}{
		{whatif.Erlang{Agents: 1, Rate: 0.5, Talk: 1}, 1_400_000, 1},
		{whatif.Erlang{Agents: 2, Rate: 1.2, Talk: 1}, 2_000_000, 2},
		{whatif.Erlang{Agents: 10, Rate: 8.5, Talk: 1, Patience: 2}, 2_500_000, 3},
	} {
		t.Run(fmt.Sprintf("%d agents, load %.2f, patience %v", tc.e.Agents, tc.e.Rate*tc.e.Talk/float64(tc.e.Agents), tc.e.Patience), func(t *testing.T) {
			t.Parallel()
			most := 0.02
			if testing.Short() {
				tc.arrivals, most = tc.arrivals/40, 0.02*math.Sqrt(40)*1.5
			}
			agrees(t, tc.e, tc.arrivals, tc.seed, most)
		})
	}
}

// unit is the unit of time of the theory: long enough that nanoseconds do not count.
const unit = time.Second

func agrees(t *testing.T, e whatif.Erlang, arrivals int, seed uint64, most float64) {
	random := whatif.Random(seed)
	draw := func(mean float64) time.Duration { return time.Duration(random.ExpFloat64() * mean * float64(unit)) }
	start := time.Unix(1_800_000_000, 0)
	at, n := start, 0
	b := &batches{size: arrivals / 220}
	const warm = 20_000 // arrivals before the line is what it is in the long run
	type begun struct{ gap, talk float64 }
	seen := map[tandem.TaskID]begun{}
	over := func(now time.Time, task tandem.Task) {
		d, ok := seen[task.ID]
		if !ok {
			return
		}
		delete(seen, task.ID)
		b.add(now.Sub(task.Arrived).Seconds(), d.gap, d.talk)
	}
	var last begun
	report, err := whatif.Run(whatif.Plan{
		Policy: plain(e.Agents), From: start, Until: start.Add(time.Duration(float64(arrivals+warm)/e.Rate) * unit),
		Next: func() (whatif.Arrival, bool) {
			if n++; n > arrivals+warm {
				return whatif.Arrival{}, false
			}
			gap, talk := draw(1/e.Rate), draw(e.Talk)
			at = at.Add(gap)
			last = begun{gap.Seconds(), talk.Seconds()}
			a := whatif.Arrival{At: at, Queue: "q", Kind: tandem.TaskCall, Talk: talk}
			if e.Patience > 0 {
				a.Patience = max(draw(e.Patience), 1)
			}
			return a, true
		},
		Watch: func(now time.Time, o route.Output) {
			switch o := o.(type) {
			case route.Placed:
				if n > warm {
					seen[o.Task.ID] = last
				}
			case route.TaskAssigned:
				over(now, o.Task)
			case route.TaskOver:
				over(now, o.Task) // left
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := e.Steady()
	mean, half := b.interval(1/e.Rate, e.Talk)
	busy := 0.0
	for _, a := range report.Agents {
		busy += a.Occupancy / float64(e.Agents)
	}
	t.Logf("mean wait %.5f ± %.5f (%.2f %% wide), theory %.5f; occupancy %.4f, theory %.4f", mean, half, 200*half/mean, want.Mean, busy, want.Busy)
	if math.Abs(mean-want.Mean) > half {
		t.Errorf("mean wait %v ± %v, theory says %v", mean, half, want.Mean)
	}
	if 2*half > most*want.Mean {
		t.Errorf("the interval is %.1f %% wide", 200*half/want.Mean)
	}
	if left := float64(report.Classes[0].Left) / float64(report.Classes[0].Arrived); math.Abs(left-want.Left) > 0.02 {
		t.Errorf("%.3f of the arrivals left, theory says %.3f", left, want.Left)
	}
	if math.Abs(busy-want.Busy) > 0.02 {
		t.Errorf("agents are busy %.3f of their time, theory says %.3f", busy, want.Busy)
	}
}
