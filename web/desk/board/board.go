// Package board is the line as supervisors see it: figures of each queue, a tally of today, and
// the tasks in their order. It follows the line's facts with a row for each task that is not
// done, counts when somebody asks, and keeps nothing else. It starts no goroutine.
package board

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
)

// Line is what the board counts over; bridge/queue's Router.
type Line interface {
	Tasks(queue string, limit int) []tandem.Task
	Agents() []route.AgentState
	Policy() *route.Policy
}

// FiguresFor is how long the figures of all queues are believed: they are counted over the
// whole line.
const FiguresFor = 500 * time.Millisecond

// Board is the line as supervisors see it: what stands where, and a tally of today. It
// follows the line's facts, a row for each task that is not done.
type Board struct {
	now func() time.Time

	mu     sync.Mutex
	rows   map[tandem.TaskID]*row
	all    []*row // the same, in no order: to go over them is quicker
	day    string
	since  time.Time // from when tally counts
	tally  map[string]*Today
	dirty  bool                // queues' figures may be others now
	who    map[string]struct{} // agents that changed since the board was last told
	told   map[string]string   // figures of queues as the board last told them
	policy *route.Policy       // as of then
	last   []Figures
	at     time.Time // of last
}

// row is one task.
type row struct {
	id      tandem.TaskID
	queue   string
	kind    tandem.TaskKind
	state   tandem.TaskState
	agent   string
	arrived int64 // Unix nanoseconds
	due     int64
	taken   bool // an agent has had it
	at      int  // in all
}

// Today counts what came of a queue's tasks since midnight.
type Today struct {
	Answered int      `json:"answered"`
	Within   int      `json:"within"`
	Left     int      `json:"left"`
	Level    *float64 `json:"level,omitempty"`
}

// Figures are how a queue is doing.
type Figures struct {
	Name     string                      `json:"name"`
	Teams    []string                    `json:"teams"`
	Waiting  map[tandem.TaskKind]int     `json:"waiting"`
	Total    int                         `json:"total"`
	Oldest   time.Time                   `json:"oldest,omitzero"`
	DueNext  time.Time                   `json:"due_next,omitzero"`
	Offered  int                         `json:"offered"`
	Assigned int                         `json:"assigned"`
	Wrapping int                         `json:"wrapping"`
	Agents   Counts                      `json:"agents"`
	Today    Today                       `json:"today"`
	Target   map[tandem.TaskKind]float64 `json:"target"` // seconds
}

// Counts are a queue's agents by what they are. Each counts once.
type Counts struct {
	Free        int `json:"free"`
	Busy        int `json:"busy"`
	Unreachable int `json:"unreachable"`
	Away        int `json:"away"`
	Offline     int `json:"offline"`
}

// New makes a Board that counts from now on.
func New(now func() time.Time) *Board {
	b := &Board{now: now, rows: map[tandem.TaskID]*row{}, tally: map[string]*Today{}, who: map[string]struct{}{}}
	b.since = now().UTC()
	b.day = now().Format(time.DateOnly)
	return b
}

// Read takes all rows from the line, once, and after facts were missed.
func (b *Board) Read(l Line) {
	tasks := l.Tasks("", 0)
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.rows
	b.rows, b.all = make(map[tandem.TaskID]*row, len(tasks)), make([]*row, 0, len(tasks))
	for i := range tasks {
		b.put(&tasks[i])
		if was := before[tasks[i].ID]; was != nil && b.rows[tasks[i].ID] != nil {
			b.rows[tasks[i].ID].taken = was.taken
		}
	}
	b.dirty = true
}

// put keeps a task's row as it is now. mu is held.
func (b *Board) put(t *tandem.Task) *row {
	if t.State == tandem.TaskDone {
		b.drop(t.ID)
		return nil
	}
	r := b.rows[t.ID]
	if r == nil {
		r = &row{id: t.ID, taken: t.State == tandem.TaskAssigned || t.State == tandem.TaskWrapping, at: len(b.all)}
		b.rows[t.ID] = r
		b.all = append(b.all, r)
	}
	r.queue, r.kind, r.state, r.agent, r.arrived, r.due = t.Queue, t.Kind, t.State, t.Agent, t.Arrived.UnixNano(), t.Due.UnixNano()
	return r
}

// drop takes a row out. mu is held.
func (b *Board) drop(id tandem.TaskID) {
	r := b.rows[id]
	if r == nil {
		return
	}
	delete(b.rows, id)
	last := len(b.all) - 1
	b.all[r.at] = b.all[last]
	b.all[r.at].at = r.at
	b.all[last] = nil
	b.all = b.all[:last]
}

// Took follows a fact; p is the policy in use.
func (b *Board) Took(f queue.Fact, p *route.Policy) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dirty = true
	switch o := f.Output.(type) {
	case route.Placed:
		b.put(&o.Task)
	case route.TaskChanged:
		b.put(&o.Task)
	case route.OfferMade:
		b.put(&o.Task)
		b.who[o.Task.Agent] = struct{}{}
	case route.OfferOver:
		b.put(&o.Task)
		b.who[o.Agent] = struct{}{}
	case route.TaskAssigned:
		b.assigned(f.At, &o.Task, p)
		b.who[o.Task.Agent] = struct{}{}
	case route.TaskReleased:
		b.put(&o.Task)
		b.who[o.Agent] = struct{}{}
	case route.WrapBegun:
		b.who[o.Agent] = struct{}{}
	case route.WrapOver:
		b.who[o.Agent] = struct{}{}
	case route.TaskOver:
		if r := b.rows[o.Task.ID]; r != nil && !r.taken && o.Task.Outcome == tandem.OutcomeLeft {
			b.of(o.Task.Queue).Left++
		}
		b.drop(o.Task.ID)
	case route.AgentChanged:
		b.who[o.Agent.Name] = struct{}{}
	}
}

// assigned counts a task that an agent takes up for the first time. mu is held.
func (b *Board) assigned(at time.Time, t *tandem.Task, p *route.Policy) {
	was := b.rows[t.ID]
	first := was == nil || !was.taken
	if r := b.put(t); r != nil {
		r.taken = true
	}
	if !first {
		return
	}
	c := b.of(t.Queue)
	c.Answered++
	from := t.Arrived
	if t.NotBefore.After(from) { // nobody could have taken it up sooner
		from = t.NotBefore
	}
	if at.Sub(from) <= target(p.Queues[t.Queue], t.Level, t.Kind) {
		c.Within++
	}
}

// midnight begins a new day if it is one. mu is held.
func (b *Board) midnight() bool {
	now := b.now()
	day := now.Format(time.DateOnly)
	if day == b.day {
		return false
	}
	b.day, b.tally = day, map[string]*Today{}
	b.since = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location()).UTC()
	return true
}

// of is a queue's count of today. mu is held.
func (b *Board) of(name string) *Today {
	if b.midnight() {
		b.dirty = true
	}
	c := b.tally[name]
	if c == nil {
		c = &Today{}
		b.tally[name] = c
	}
	return c
}

// Figures are those of all queues, by name, and since when today counts. They are up to
// FiguresFor old.
func (b *Board) Figures(l Line) ([]Figures, time.Time) {
	p := l.Policy()
	b.mu.Lock()
	if age := b.now().Sub(b.at); b.last != nil && age >= 0 && age < FiguresFor {
		defer b.mu.Unlock()
		return b.last, b.since
	}
	b.mu.Unlock()
	agents := l.Agents()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last, b.at = b.count(p, agents), b.now()
	return b.last, b.since
}

// count goes over the whole line. mu is held.
func (b *Board) count(p *route.Policy, agents []route.AgentState) []Figures {
	out := make([]Figures, 0, len(p.Queues))
	at := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(p.Queues)) {
		q := p.Queues[name]
		at[name] = len(out)
		v := Figures{Name: name, Teams: append([]string{}, q.Teams...), Waiting: map[tandem.TaskKind]int{}, Target: Targets(q), Today: *b.of(name)}
		if n := v.Today.Answered + v.Today.Left; n > 0 {
			level := float64(v.Today.Within) / float64(n)
			v.Today.Level = &level
		}
		out = append(out, v)
	}
	oldest, due := make([]int64, len(out)), make([]int64, len(out)) // 0 = none waits
	for _, r := range b.all {
		i, ok := at[r.queue]
		if !ok {
			continue
		}
		v := &out[i]
		switch r.state {
		case tandem.TaskWaiting:
			v.Waiting[r.kind]++
			v.Total++
			if oldest[i] == 0 || r.arrived < oldest[i] {
				oldest[i] = r.arrived
			}
			if due[i] == 0 || r.due < due[i] {
				due[i] = r.due
			}
		case tandem.TaskOffered:
			v.Offered++
		case tandem.TaskAssigned:
			v.Assigned++
		case tandem.TaskWrapping:
			v.Wrapping++
		}
	}
	for i := range out {
		if out[i].Total > 0 {
			out[i].Oldest, out[i].DueNext = time.Unix(0, oldest[i]).UTC(), time.Unix(0, due[i]).UTC()
		}
	}
	for _, a := range agents {
		who := p.Agents[a.Name]
		if who == nil {
			continue
		}
		for i := range out {
			if slices.ContainsFunc(out[i].Teams, func(team string) bool { return slices.Contains(who.Teams, team) }) {
				out[i].Agents.add(a)
			}
		}
	}
	return out
}

func (c *Counts) add(a route.AgentState) {
	reachable := false
	for _, on := range a.Reachable {
		reachable = reachable || on
	}
	switch {
	case a.Presence == tandem.PresenceAway:
		c.Away++
	case a.Presence != tandem.PresenceAvailable:
		c.Offline++
	case len(a.Holds) > 0:
		c.Busy++
	case !reachable:
		c.Unreachable++
	default:
		c.Free++
	}
}

// Filter says which tasks are wanted; zero fields ask nothing.
type Filter struct {
	Queue string
	Kind  tandem.TaskKind
	State tandem.TaskState
	Agent string
}

func (f *Filter) takes(r *row) bool {
	return (f.Queue == "" || f.Queue == r.queue) && (f.Kind == "" || f.Kind == r.kind) && (f.State == "" || f.State == r.state) && (f.Agent == "" || f.Agent == r.agent)
}

// Spot is where a task stands in the line's order.
type Spot struct {
	due, arrived int64 // Unix nanoseconds
	id           tandem.TaskID
}

func (r *row) spot() Spot { return Spot{r.due, r.arrived, r.id} }

func (s Spot) compare(o Spot) int {
	return cmp.Or(cmp.Compare(s.due, o.due), cmp.Compare(s.arrived, o.arrived), cmp.Compare(s.id, o.id))
}

func (s Spot) String() string { return fmt.Sprintf("%d_%d_%s", s.due, s.arrived, s.id) }

// ParseSpot reads where a page goes on; nil for the first.
func ParseSpot(s string) (*Spot, error) {
	if s == "" {
		return nil, nil
	}
	bad := tandem.Errorf(tandem.CodeInvalid, "after is what the page before gave as next")
	parts := strings.Split(s, "_")
	if len(parts) != 3 || !tandem.ValidID(parts[2]) {
		return nil, bad
	}
	due, err1 := strconv.ParseInt(parts[0], 10, 64)
	arrived, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err1 != nil || err2 != nil {
		return nil, bad
	}
	return &Spot{due, arrived, tandem.TaskID(parts[2])}, nil
}

// Page finds the first n tasks after a place, in the line's order; next is where to go on,
// "" if that was all, and total counts all pages.
func (b *Board) Page(f Filter, after *Spot, n int) (ids []tandem.TaskID, next string, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := make([]Spot, 0, n+1) // the smallest so far, in order
	for _, r := range b.all {
		if !f.takes(r) {
			continue
		}
		total++
		s := r.spot()
		if after != nil && s.compare(*after) <= 0 {
			continue
		}
		if len(first) == n+1 && s.compare(first[n]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(first, s, Spot.compare)
		if first = slices.Insert(first, i, s); len(first) > n+1 {
			first = first[:n+1]
		}
	}
	for i := range min(n, len(first)) {
		ids = append(ids, first[i].id)
	}
	if len(first) > n {
		next = first[n-1].String()
	}
	return ids, next, total
}

// Changes are the queues whose figures are others than when they were last told, and the
// agents of whom anything was told since.
func (b *Board) Changes(l Line) (queues []json.RawMessage, agents []string) {
	p := l.Policy()
	b.mu.Lock()
	dirty := b.dirty || b.policy != p || b.midnight()
	b.dirty, b.policy = false, p
	for name := range b.who {
		agents = append(agents, name)
	}
	clear(b.who)
	b.mu.Unlock()
	slices.Sort(agents)
	if !dirty {
		return nil, agents
	}
	b.mu.Lock()
	b.at = time.Time{} // they are counted anew
	b.mu.Unlock()
	figures, _ := b.Figures(l)
	b.mu.Lock()
	defer b.mu.Unlock()
	told := make(map[string]string, len(figures))
	for i := range figures {
		data := encoded(&figures[i])
		if told[figures[i].Name] = string(data); b.told[figures[i].Name] != string(data) {
			queues = append(queues, data)
		}
	}
	b.told = told
	return queues, agents
}

// Forget drops what changed while nobody looks: whoever comes gets everything.
func (b *Board) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dirty, b.told = true, nil
	clear(b.who)
}

// kinds are all that a task may be.
func kinds() []tandem.TaskKind {
	return []tandem.TaskKind{tandem.TaskCall, tandem.TaskChat, tandem.TaskText, tandem.TaskCallback, tandem.TaskVoicemail, tandem.TaskTicket}
}

// Targets are a queue's for every kind, in seconds.
func Targets(q *route.Queue) map[tandem.TaskKind]float64 {
	out := map[tandem.TaskKind]float64{}
	for _, k := range kinds() {
		out[k] = target(q, "", k).Seconds()
	}
	return out
}

// target is in which time a task of a queue is to be taken up.
func target(q *route.Queue, level string, k tandem.TaskKind) time.Duration {
	if q != nil {
		if t, ok := q.TargetOf[level][k]; ok {
			return t
		}
		if t, ok := q.Target[k]; ok {
			return t
		}
	}
	return route.DefaultTarget(k)
}

func encoded(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("board: figures cannot be written: " + err.Error())
	}
	return data
}
