package whatif

import (
	"cmp"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/route"
)

// Report is what came of a plan. Times are seconds.
type Report struct {
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Arrived  int       `json:"arrived"`            // that were counted
	Unserved int       `json:"unserved,omitempty"` // still in line at the end of all
	Classes  []*Class  `json:"classes"`            // by queue, kind and level
	Agents   []Agent   `json:"agents"`
	// Fairness compares classes by how much of their target they wait: the mean of waits
	// over the target, of the worst class against the best, of those with 20 served and
	// more. 1 = all wait alike; 0 = there are not two to compare.
	Fairness float64 `json:"fairness"`

	Line []Point `json:"-"` // tasks in line over time
	by   map[classKey]*Class
	plan Plan
}

type classKey struct {
	queue string
	kind  tandem.TaskKind
	level string
}

// Class is one queue's tasks of a kind and level.
type Class struct {
	Queue    string          `json:"queue"`
	Kind     tandem.TaskKind `json:"kind"`
	Level    string          `json:"level,omitempty"`
	Target   float64         `json:"target"`
	Arrived  int             `json:"arrived"`
	Served   int             `json:"served"`
	Left     int             `json:"left"`
	Refused  int             `json:"refused"`
	Mean     float64         `json:"mean"` // wait of those who were served
	P50      float64         `json:"p50"`
	P90      float64         `json:"p90"`
	Longest  float64         `json:"longest"`
	LeftMean float64         `json:"left_mean"` // wait of those who left
	// Level is the service level: the share of those who arrived and were taken within the
	// target. Nobody counts as served who left or was refused.
	ServiceLevel float64 `json:"service_level"`

	waits []float64
	lefts float64
}

// Agent is how busy somebody was: Occupancy is the share of their time present in which
// they had at least one task, notes included.
type Agent struct {
	Name      string  `json:"name"`
	Present   float64 `json:"present"`
	Busy      float64 `json:"busy"`
	Occupancy float64 `json:"occupancy"`
}

// Point is how many waited from a time on.
type Point struct {
	At time.Time
	N  int
}

func newReport(p Plan) *Report {
	return &Report{From: p.From, Until: p.Until, by: map[classKey]*Class{}, plan: p}
}

// class is that of a job.
func (r *Report) class(j *job) *Class {
	key := classKey{j.Queue, j.Kind, j.Level}
	c := r.by[key]
	if c == nil {
		c = &Class{Queue: j.Queue, Kind: j.Kind, Level: j.Level, Target: target(r.plan.Policy.Queues[j.Queue], j.Kind, j.Level).Seconds()}
		r.by[key] = c
	}
	return c
}

func target(q *route.Queue, k tandem.TaskKind, level string) time.Duration {
	if d, ok := q.TargetOf[level][k]; ok {
		return d
	}
	if d, ok := q.Target[k]; ok {
		return d
	}
	return route.DefaultTarget(k)
}

func (r *Report) wait(j *job, d time.Duration) {
	c := r.class(j)
	c.Served++
	c.waits = append(c.waits, d.Seconds())
}

func (c *Class) leftAfter(d time.Duration) { c.lefts += d.Seconds() }

// finish works the figures out.
func (r *Report) finish(s *spans, unserved int) {
	r.Unserved = unserved
	for _, c := range r.by {
		c.finish()
		r.Arrived += c.Arrived
		r.Classes = append(r.Classes, c)
	}
	slices.SortFunc(r.Classes, func(a, b *Class) int {
		return cmp.Or(cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Level, b.Level))
	})
	best, worst := 0.0, 0.0
	for _, c := range r.Classes {
		share := c.Mean / c.Target
		if c.Served < enough {
			continue
		}
		if best == 0 || share < best {
			best = share
		}
		worst = max(worst, share)
	}
	if best > 0 {
		r.Fairness = worst / best
	}
	r.Agents, r.Line = s.agents(), s.points
}

// enough are the waits of a class that say something of it.
const enough = 20

func (c *Class) finish() {
	c.Arrived = c.Served + c.Left + c.Refused
	slices.Sort(c.waits)
	within, sum := 0, 0.0
	for _, w := range c.waits {
		sum += w
		if w <= c.Target {
			within++
		}
	}
	if c.Served > 0 {
		c.Mean, c.P50, c.P90, c.Longest = sum/float64(c.Served), quantile(c.waits, 0.5), quantile(c.waits, 0.9), c.waits[len(c.waits)-1]
	}
	if c.Left > 0 {
		c.LeftMean = c.lefts / float64(c.Left)
	}
	if c.Arrived > 0 {
		c.ServiceLevel = float64(within) / float64(c.Arrived)
	}
}

// quantile of sorted values: the smallest with at least a share q of all at or below it.
func quantile(sorted []float64, q float64) float64 {
	i := int(float64(len(sorted))*q+0.9999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// maxPoints bounds how finely the line is drawn.
const maxPoints = 4000

// spans follow how many wait, and who is busy.
type spans struct {
	plan   Plan
	n      int
	points []Point
	step   time.Duration
	has    map[string]int
	since  map[string]time.Time
	sum    map[string]time.Duration
}

func newSpans(p Plan) *spans {
	return &spans{plan: p, step: p.Until.Sub(p.From) / maxPoints, has: map[string]int{}, since: map[string]time.Time{}, sum: map[string]time.Duration{}}
}

// waiting draws no finer than a step: of its moments the one at which the most waited.
func (s *spans) waiting(at time.Time, by int) {
	was := s.n
	s.n += by
	last := len(s.points) - 1
	switch {
	case last < 0:
	case at.Sub(s.points[last].At) < s.step:
		s.points[last].N = max(s.points[last].N, s.n)
		return
	case s.points[last].N != was:
		s.points = append(s.points, Point{s.points[last].At.Add(s.step), was})
	}
	s.points = append(s.points, Point{at, s.n})
}

func (s *spans) busy(at time.Time, agent string, by int) {
	was := s.has[agent]
	s.has[agent] = was + by
	switch {
	case was == 0 && by > 0:
		s.since[agent] = at
	case was > 0 && was+by == 0:
		s.add(agent, at)
	}
}

// add counts a busy span, as far as it lies within the plan.
func (s *spans) add(agent string, until time.Time) {
	if until.After(s.plan.Until) {
		until = s.plan.Until
	}
	if d := until.Sub(s.since[agent]); d > 0 {
		s.sum[agent] += d
	}
}

func (s *spans) close(at time.Time) {
	for agent, n := range s.has {
		if n > 0 {
			s.add(agent, at)
		}
	}
}

func (s *spans) agents() []Agent {
	var out []Agent
	for name := range s.plan.Policy.Agents {
		a := Agent{Name: name, Busy: s.sum[name].Seconds(), Present: s.plan.Until.Sub(s.plan.From).Seconds()}
		if shifts := s.plan.Shifts[name]; len(shifts) > 0 {
			a.Present = 0
			for _, shift := range shifts {
				from := slices.MaxFunc([]time.Time{shift.From, s.plan.From}, time.Time.Compare)
				until := slices.MinFunc([]time.Time{shift.Until, s.plan.Until}, time.Time.Compare)
				a.Present += max(0, until.Sub(from).Seconds())
			}
		}
		if a.Present > 0 {
			a.Occupancy = a.Busy / a.Present
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Agent) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
