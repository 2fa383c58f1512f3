package route

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/route/ordered"
)

// task is a task that is not done, with its places in the line's indexes.
type task struct {
	tandem.Task
	due, arrived int64 // what orders it, as of nanos
	wants        []want
	skills       string // wants, written one way
	in           *queue
	served       *business // of its interaction
	rests        []Rest    // agents who let it pass, until when
	wake         timer

	// Where it is while it waits; see Line.put.
	lined   bool    // in.line has it
	counted bool    // in.live counts it
	class   *demand // nil: it is not to be offered now
	keeper  *agent  // it is kept for: in keeper.kept, not in class.tasks
	prefers *agent  // whose coming and going matters to it
	stirred bool
}

// byLine is the published order: due, then arrived, then id. Nothing else orders the line.
func byLine(a, b *task) int {
	switch {
	case a == b:
		return 0
	case a.due != b.due:
		return cmp.Compare(a.due, b.due)
	case a.arrived != b.arrived:
		return cmp.Compare(a.arrived, b.arrived)
	}
	return cmp.Compare(a.ID, b.ID)
}

// from is when its time in line began: a task that is not to be offered before a time does
// not wait for anybody until then.
func (t *task) from() time.Time {
	if t.NotBefore.After(t.Arrived) {
		return t.NotBefore
	}
	return t.Arrived
}

// rested reports whether an agent let it pass of late.
func (t *task) rested(agent string, now time.Time) bool {
	for i := range t.rests {
		if t.rests[i].Agent == agent && now.Before(t.rests[i].Until) {
			return true
		}
	}
	return false
}

// rest keeps it from an agent until a time.
func (t *task) rest(agent string, until time.Time) {
	t.rests = slices.DeleteFunc(t.rests, func(r Rest) bool { return r.Agent == agent })
	t.rests = append(t.rests, Rest{Task: t.ID, Agent: agent, Until: until})
}

// queue is one queue as it runs.
type queue struct {
	name   string
	p      *Queue // nil: the policy has it no more
	closed bool
	line   ordered.Tree[*task] // that wait and could be offered but for what others do
	all    ordered.Tree[*task] // that are not done
	live   int                 // live kinds that wait
	pace   pace
	// What was worked out for each pair of steps by now.
	classes map[demandKey]*demand
}

// business is what an interaction has in the line: of its tasks one at most is offered
// or assigned.
type business struct {
	live    *task
	waiting []*task
}

// want is a skill that is asked for.
type want struct {
	skill string
	level int
	text  string // as a task would name it
}

// wanted reads skills as tasks name them: "lang:en", which is level 1, or "cards>=3".
func wanted(skills []string) []want {
	var out []want
	for _, s := range skills {
		name, figure, given := strings.Cut(s, ">=")
		w := want{skill: strings.TrimSpace(name), level: 1}
		if n, err := strconv.Atoi(strings.TrimSpace(figure)); given && err == nil {
			w.level = n
		}
		if w.skill == "" || w.level < 1 {
			continue
		}
		i, found := slices.BinarySearchFunc(out, w, func(a, b want) int { return cmp.Compare(a.skill, b.skill) })
		if found {
			out[i].level = max(out[i].level, w.level)
		} else {
			out = slices.Insert(out, i, w)
		}
		out[i].name()
	}
	return out
}

func (w *want) name() {
	if w.text = w.skill; w.level != 1 {
		w.text = w.skill + ">=" + strconv.Itoa(w.level)
	}
}

func written(wants []want) string {
	var b strings.Builder
	for i, w := range wants {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.text)
	}
	return b.String()
}

// demand is a class of tasks that the same agents can take now: of one queue and load, with
// the same teams and the same skills by now.
type demand struct {
	id      int
	in      *queue
	load    int
	teams   []string
	over    []string // of teams: those that help out by now
	wants   []want
	relaxed []string // skills that are asked for less, or no more, by now
	tasks   ordered.Tree[*task]
	users   int         // tasks that name it as their class
	can     ordered.Set // of supply classes
	stirred bool
	key     demandKey
}

type demandKey struct {
	load          int
	relaxed, over int // steps by now
	skills        string
}

// steps is how many of the queue's steps a task has behind it at a time, and when the next
// comes.
func (t *task) steps(now time.Time) (relaxed, over int, next int64) {
	next = noTime
	q := t.in.p
	if q == nil {
		return 0, 0, next
	}
	from := t.from()
	step := func(after time.Duration) bool {
		at := from.Add(after)
		if !at.After(now) {
			return true
		}
		if n := nanos(at); next == noTime || n < next {
			next = n
		}
		return false
	}
	for relaxed < len(q.Relax) && len(t.wants) > 0 && step(q.Relax[relaxed].After) {
		relaxed++
	}
	for over < len(q.Over) && step(q.Over[over].After) {
		over++
	}
	return relaxed, over, next
}

// ease lowers what is asked, by the first steps; a skill named in a step is lowered by its
// own figure there, any other by that of "*".
func ease(wants []want, steps []Relax) (left []want, relaxed []string) {
	for _, w := range wants {
		was := w.level
		for _, step := range steps {
			by, named := step.Levels[w.skill]
			if !named {
				by = step.Levels["*"]
			}
			w.level -= max(by, 0)
		}
		if w.level < was {
			relaxed = append(relaxed, w.skill)
		}
		if w.level > 0 {
			w.name()
			left = append(left, w)
		}
	}
	return left, relaxed
}

// demandOf is the class that a task is of at a time.
func (l *Line) demandOf(t *task) *demand {
	relaxed, over, _ := t.steps(l.now)
	key := demandKey{loadOf(t.Kind), relaxed, over, t.skills}
	if d := t.in.classes[key]; d != nil {
		return d
	}
	d := &demand{in: t.in, load: key.load, key: key, tasks: ordered.Tree[*task]{Order: byLine}}
	if q := t.in.p; q != nil {
		d.teams = slices.Clone(q.Teams)
		for _, o := range q.Over[:over] {
			for _, team := range o.Teams {
				if !slices.Contains(d.teams, team) {
					d.teams, d.over = append(d.teams, team), append(d.over, team)
				}
			}
		}
		d.wants, d.relaxed = ease(t.wants, q.Relax[:relaxed])
	} else {
		d.wants = t.wants
	}
	l.addDemand(d)
	return d
}

// mostIdleClasses bounds the classes that are kept while no task is of them: making one
// again takes a look at every supply class.
const mostIdleClasses = 1024

func (l *Line) addDemand(d *demand) {
	if len(l.demands)-len(l.freeDemands) >= l.usedDemands+mostIdleClasses {
		l.sweepDemands()
	}
	if n := len(l.freeDemands); n > 0 {
		d.id, l.freeDemands = l.freeDemands[n-1], l.freeDemands[:n-1]
		l.demands[d.id] = d
	} else {
		d.id = len(l.demands)
		l.demands = append(l.demands, d)
	}
	d.in.classes[d.key] = d
	for _, s := range l.supplies {
		if d.fits(s) {
			d.can.Add(s.id)
			s.can.Add(d.id)
		}
	}
}

func (l *Line) sweepDemands() {
	for _, d := range l.demands {
		if d != nil && d.users == 0 {
			l.dropDemand(d)
		}
	}
}

func (l *Line) dropDemand(d *demand) {
	for _, s := range l.supplies {
		s.can.Drop(d.id)
	}
	delete(d.in.classes, d.key)
	l.demands[d.id] = nil
	l.freeDemands = append(l.freeDemands, d.id)
}

// fits reports whether agents of a supply class have team and skills.
func (d *demand) fits(s *supply) bool { return d.ofTeam(s) && d.missing(s) == "" }

func (d *demand) ofTeam(s *supply) bool {
	for _, team := range s.teams {
		if slices.Contains(d.teams, team) {
			return true
		}
	}
	return false
}

// missing is the first skill that they lack, as it is asked for; "" = none.
func (d *demand) missing(s *supply) string {
	for _, w := range d.wants {
		if s.skills[w.skill] < w.level {
			return w.text
		}
	}
	return ""
}

// serves reports whether the class's queue may be offered from now.
func (d *demand) serves() bool { return !d.in.closed }
