// Package board is the line as supervisors see it: figures of each queue, those of today, and
// the tasks in their order. It follows the line's facts with a row for each task that is not
// done, counts when somebody asks, and keeps nothing else: what became of today's tasks it is
// told by bridge/queue/figures. It starts no goroutine.
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
	"tandem/bridge/queue/figures"
	"tandem/bridge/route"
)

// Line is what the board counts over; bridge/queue's Router.
type Line interface {
	Tasks(queue string, limit int) []tandem.Task
	Agents() []route.AgentState
	Policy() *route.Policy
}

// Book has what became of today's tasks; bridge/queue/figures' Book.
type Book interface {
	Today() (sums map[figures.Key]figures.Counts, since time.Time, whole bool)
	Version() uint64
}

var _ Book = (*figures.Book)(nil)

// FiguresFor is how long the figures of all queues are believed: they are counted over the
// whole line.
const FiguresFor = 500 * time.Millisecond

// Board is the line as supervisors see it: what stands where. It follows the line's facts, a
// row for each task that is not done.
type Board struct {
	now  func() time.Time
	book Book // nil = nothing is known of today

	mu     sync.Mutex
	rows   map[tandem.TaskID]*row
	all    []*row              // the same, in no order: to go over them is quicker
	dirty  bool                // queues' figures may be others now
	read   uint64              // the book's version as of then
	who    map[string]struct{} // agents that changed since the board was last told
	told   map[string]string   // figures of queues as the board last told them
	policy *route.Policy       // as of then
	day    time.Time           // likewise
	last   Picture
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
	at      int // in all
}

// Picture is the whole board at a time.
type Picture struct {
	At     time.Time // when it was counted
	Queues []Figures // by name
	Agents Counts    // each agent once, whatever queues they serve
	Today  Today     // of all queues
	Since  time.Time // from when Today counts
	Whole  bool      // all of today is counted; false while the journal is read after a start
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

// Counts are agents by what they are. Each counts once.
type Counts struct {
	Free        int `json:"free"`
	Busy        int `json:"busy"`
	Wrapping    int `json:"wrapping"`
	Unreachable int `json:"unreachable"`
	Away        int `json:"away"`
	Offline     int `json:"offline"`
}

// New makes a Board. book may be nil.
func New(now func() time.Time, book Book) *Board {
	return &Board{now: now, book: book, rows: map[tandem.TaskID]*row{}, who: map[string]struct{}{}}
}

// Read takes all rows from the line, once, and after facts were missed.
func (b *Board) Read(l Line) {
	tasks := l.Tasks("", 0)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows, b.all = make(map[tandem.TaskID]*row, len(tasks)), make([]*row, 0, len(tasks))
	for i := range tasks {
		b.put(&tasks[i])
	}
	b.dirty = true
}

// put keeps a task's row as it is now. mu is held.
func (b *Board) put(t *tandem.Task) {
	if t.State == tandem.TaskDone {
		b.drop(t.ID)
		return
	}
	r := b.rows[t.ID]
	if r == nil {
		r = &row{id: t.ID, at: len(b.all)}
		b.rows[t.ID] = r
		b.all = append(b.all, r)
	}
	r.queue, r.kind, r.state, r.agent, r.arrived, r.due = t.Queue, t.Kind, t.State, t.Agent, t.Arrived.UnixNano(), t.Due.UnixNano()
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

// Took follows a fact.
func (b *Board) Took(f queue.Fact) {
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
		b.put(&o.Task)
		b.who[o.Task.Agent] = struct{}{}
	case route.TaskReleased:
		b.put(&o.Task)
		b.who[o.Agent] = struct{}{}
	case route.WrapBegun:
		b.who[o.Agent] = struct{}{}
	case route.WrapOver:
		b.who[o.Agent] = struct{}{}
	case route.TaskOver:
		b.drop(o.Task.ID)
	case route.AgentChanged:
		b.who[o.Agent.Name] = struct{}{}
	}
}

// Figures are those of all queues, by name, and since when today counts. They are up to
// FiguresFor old.
func (b *Board) Figures(l Line) ([]Figures, time.Time) {
	p := b.Picture(l)
	return p.Queues, p.Since
}

// Picture is the whole board. It is up to FiguresFor old; nobody changes it.
func (b *Board) Picture(l Line) Picture {
	p := l.Policy()
	b.mu.Lock()
	if age := b.now().Sub(b.last.At); b.last.Queues != nil && age >= 0 && age < FiguresFor {
		defer b.mu.Unlock()
		return b.last
	}
	b.mu.Unlock()
	agents := l.Agents()
	var day map[figures.Key]figures.Counts
	since, whole := midnight(b.now()), false
	if b.book != nil {
		day, since, whole = b.book.Today()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = b.count(p, agents, day)
	b.last.At, b.last.Since, b.last.Whole = b.now().UTC(), since, whole
	return b.last
}

// midnight is when the day of a time began.
func midnight(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location()).UTC()
}

// count goes over the whole line. mu is held.
func (b *Board) count(p *route.Policy, agents []route.AgentState, day map[figures.Key]figures.Counts) Picture {
	out := make([]Figures, 0, len(p.Queues))
	at := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(p.Queues)) {
		q := p.Queues[name]
		at[name] = len(out)
		v := Figures{Name: name, Teams: append([]string{}, q.Teams...), Waiting: map[tandem.TaskKind]int{}, Target: Targets(q), Today: todayOf(day, name)}
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
		case tandem.TaskOffered:
			v.Offered++
		case tandem.TaskAssigned:
			v.Assigned++
		case tandem.TaskWrapping:
			v.Wrapping++
		}
		if r.state != tandem.TaskWaiting && r.state != tandem.TaskOffered { // who rings is not served yet
			continue
		}
		if oldest[i] == 0 || r.arrived < oldest[i] {
			oldest[i] = r.arrived
		}
		if due[i] == 0 || r.due < due[i] {
			due[i] = r.due
		}
	}
	for i := range out {
		if oldest[i] != 0 {
			out[i].Oldest, out[i].DueNext = time.Unix(0, oldest[i]).UTC(), time.Unix(0, due[i]).UTC()
		}
	}
	all := Counts{}
	for _, a := range agents {
		who := p.Agents[a.Name]
		if who == nil {
			continue
		}
		all.add(a)
		for i := range out {
			if slices.ContainsFunc(out[i].Teams, func(team string) bool { return slices.Contains(who.Teams, team) }) {
				out[i].Agents.add(a)
			}
		}
	}
	return Picture{Queues: out, Agents: all, Today: todayOf(day, "")}
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
	case len(a.Holds) > 0 && !slices.ContainsFunc(a.Holds, func(h route.Holding) bool { return h.State != tandem.TaskWrapping }):
		c.Wrapping++
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
	version, day := uint64(0), midnight(b.now())
	if b.book != nil {
		version = b.book.Version()
	}
	b.mu.Lock()
	dirty := b.dirty || b.policy != p || b.read != version || !b.day.Equal(day)
	b.dirty, b.policy, b.read, b.day = false, p, version, day
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
	b.last.At = time.Time{} // they are counted anew
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

// Kinds are all that a task may be.
func Kinds() []tandem.TaskKind {
	return []tandem.TaskKind{tandem.TaskCall, tandem.TaskChat, tandem.TaskText, tandem.TaskCallback, tandem.TaskVoicemail, tandem.TaskTicket}
}

// Targets are a queue's for every kind, in seconds.
func Targets(q *route.Queue) map[tandem.TaskKind]float64 {
	out := map[tandem.TaskKind]float64{}
	for _, k := range Kinds() {
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
