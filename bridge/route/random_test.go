package route

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"tandem"
)

// noon is when tests begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// random is a stream of choices: of a seed, or of a fuzzer's bytes.
type random interface{ IntN(n int) int }

func one[T any](r random, of ...T) T { return of[r.IntN(len(of))] }

// history makes events that fit, and some that do not.
type history struct {
	r     random
	m     *model
	now   time.Time
	seen  []tandem.TaskID
	made  int
	plans []*Policy
}

func newHistory(r random) *history {
	h := &history{r: r, now: noon}
	h.plans = []*Policy{h.policy(5, true), h.policy(4, false), h.policy(6, true)}
	h.m = newModel(h.plans[0], noon)
	return h
}

func (h *history) span(most int) time.Duration {
	return time.Duration(h.r.IntN(most+1)) * time.Second
}

// policy is a small world: few agents, so that they are often busy.
func (h *history) policy(agents int, spare bool) *Policy {
	p := &Policy{
		Queues: map[string]*Queue{}, Teams: map[string]*Team{}, Agents: map[string]*Agent{}, MostPriority: time.Minute,
		Blocks:      one(h.r, nil, map[tandem.Load][]tandem.Load{tandem.LoadVoice: {tandem.LoadChat, tandem.LoadWork}, tandem.LoadChat: {tandem.LoadVoice}}),
		Offer:       map[tandem.Load]time.Duration{tandem.LoadVoice: 20 * time.Second, tandem.LoadChat: 30 * time.Second, tandem.LoadSMS: 40 * time.Second},
		WrapUp:      map[tandem.Load]time.Duration{tandem.LoadVoice: h.span(40), tandem.LoadChat: h.span(15)},
		DeclineRest: h.span(60), Misses: h.r.IntN(4),
	}
	names := []string{"cards", "loans", "spare"}
	if !spare {
		names = names[:2]
	}
	for i, name := range names {
		q := &Queue{Name: name, Teams: []string{names[i]}, Full: one(h.r, 0, 0, 6), MaxWait: one(h.r, 0, 90*time.Second), Prefer: one(h.r, 0, 30*time.Second),
			CallbackTries: h.r.IntN(3), CallbackGap: h.span(60), Target: map[tandem.TaskKind]time.Duration{tandem.TaskCall: h.span(40), tandem.TaskChat: time.Minute, tandem.TaskText: 2 * time.Minute, tandem.TaskVoicemail: 3 * time.Minute},
			TargetOf: map[string]map[tandem.TaskKind]time.Duration{"gold": {tandem.TaskCall: 10 * time.Second, tandem.TaskChat: 30 * time.Second}}}
		if h.r.IntN(2) == 0 {
			q.Relax = []Relax{{After: 20 * time.Second, Levels: map[string]int{"*": 1}}, {After: 45 * time.Second, Levels: map[string]int{"en": 9, "*": 1}}}
		}
		if h.r.IntN(2) == 0 {
			q.Over = []Overflow{{After: 15 * time.Second, Teams: []string{"night"}}, {After: 40 * time.Second, Teams: []string{names[(i+1)%len(names)]}}}
		}
		p.Queues[name] = q
	}
	for i := range agents {
		name := string(rune('a' + i))
		a := &Agent{Name: name, Skills: map[string]int{}, Capacity: map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: h.r.IntN(4), tandem.LoadSMS: 1 + h.r.IntN(3), tandem.LoadWork: 1}}
		for range 1 + h.r.IntN(2) {
			a.Teams = append(a.Teams, one(h.r, "cards", "cards", "loans", "spare", "night"))
		}
		for _, skill := range []string{"en", "zh", "cards"} {
			if level := h.r.IntN(5); level > 0 {
				a.Skills[skill] = level
			}
		}
		p.Agents[name] = a
	}
	return p
}

func (h *history) agent() string {
	return one(h.r, append(slices.Sorted(maps.Keys(h.m.agents)), "nobody")...)
}

// some is a task in one of the states; now and then one that is over, or in any state.
func (h *history) some(states ...tandem.TaskState) tandem.Task {
	if h.r.IntN(20) == 0 && len(h.seen) > 0 {
		id := one(h.r, h.seen...)
		if t := h.m.tasks[id]; t != nil {
			return *t
		}
		return tandem.Task{ID: id}
	}
	if in := h.m.line(states...); len(in) > 0 {
		return *in[h.r.IntN(len(in))]
	}
	return tandem.Task{ID: "none"}
}

func (h *history) open() Event {
	h.made++
	t := tandem.Task{ID: tandem.TaskID(fmt.Sprintf("t%05d", h.made)), Interaction: tandem.InteractionID(fmt.Sprintf("i%d", h.r.IntN(h.made)/2)),
		Kind:  one(h.r, tandem.TaskCall, tandem.TaskCall, tandem.TaskChat, tandem.TaskChat, tandem.TaskText, tandem.TaskCallback, tandem.TaskVoicemail, tandem.TaskTicket),
		Queue: one(h.r, "cards", "cards", "loans", "spare"), Level: one(h.r, "", "", "gold"), Priority: one(h.r, 0, 0, 30*time.Second, time.Hour, -time.Minute)}
	for range h.r.IntN(3) {
		t.Skills = append(t.Skills, one(h.r, "en", "zh>=2", "cards>=3", "en>=4", "cards"))
	}
	switch h.r.IntN(8) {
	case 0:
		t.Prefer = h.agent()
		if h.r.IntN(3) == 0 {
			t.PreferTill = h.now.Add(h.span(60))
		}
	case 1:
		t.NotBefore = h.now.Add(h.span(60))
	case 2:
		t.Expires = h.now.Add(h.span(60))
	case 3:
		t.Arrived = h.now.Add(-h.span(100))
	case 4:
		t.TicketDue = h.now.Add(h.span(300))
	}
	h.seen = append(h.seen, t.ID)
	return Opened{At: h.now, Task: t}
}

func (h *history) change() Event {
	e := Changed{At: h.now, Task: h.some(tandem.TaskWaiting, tandem.TaskOffered, tandem.TaskAssigned).ID, Why: "priority", Unserved: h.r.IntN(4) == 0}
	for range 1 + h.r.IntN(2) {
		switch h.r.IntN(8) {
		case 0, 1:
			e.Kind = one(h.r, tandem.TaskCallback, tandem.TaskChat, tandem.TaskText, tandem.TaskCall)
		case 2:
			e.Queue = one(h.r, "cards", "loans", "spare", "none")
		case 3:
			p := 30 * h.span(3)
			e.Priority = &p
		case 4:
			e.Prefer = one(h.r, "-", h.agent())
		case 5:
			e.NotBefore = h.now.Add(h.span(60) - 20*time.Second)
		case 6:
			e.Expires = h.now.Add(h.span(60))
			e.NoExpiry = h.r.IntN(2) == 0
		case 7:
			e.TicketDue = h.now.Add(h.span(100))
		}
	}
	return e
}

func (h *history) release() Event {
	t := h.some(tandem.TaskAssigned)
	e := Released{At: h.now, Task: t.ID, Agent: t.Agent, Fence: t.Fence, NoWrap: h.r.IntN(6) == 0, Dialled: t.Kind == tandem.TaskCallback && h.r.IntN(2) == 0}
	if h.r.IntN(2) == 0 {
		return e
	}
	e.Again = true
	switch h.r.IntN(5) {
	case 0:
		e.Queue = one(h.r, "cards", "loans", "none")
	case 1:
		e.Prefer = h.agent()
	case 2:
		e.NotBefore = h.now.Add(h.span(60))
	case 3:
		e.Prefer, e.Alone = h.agent(), true
	}
	return e
}

// next is the next event.
func (h *history) next() Event {
	if h.r.IntN(3) > 0 {
		h.now = h.now.Add(time.Duration(h.r.IntN(9000)) * time.Millisecond)
	}
	switch n := h.r.IntN(100); {
	case n < 26:
		return h.open()
	case n < 44:
		t := h.some(tandem.TaskOffered)
		return Accepted{At: h.now, Task: t.ID, Agent: t.Agent, Fence: t.Fence - uint64(h.r.IntN(12)/11)}
	case n < 48:
		t := h.some(tandem.TaskOffered)
		return Declined{At: h.now, Task: t.ID, Agent: t.Agent, Fence: t.Fence, Why: one(h.r, "declined", "unreachable", "restart")}
	case n < 50:
		t := h.some(tandem.TaskAssigned)
		return Reassigned{At: h.now, Task: t.ID, Agent: t.Agent, Fence: t.Fence - uint64(h.r.IntN(12)/11), To: h.agent()}
	case n < 63:
		return h.release()
	case n < 68:
		for _, a := range h.m.byName() {
			for _, o := range a.Holds {
				if o.State == tandem.TaskWrapping && h.r.IntN(2) == 0 {
					return Wrapped{At: h.now, Agent: a.Name, Fence: o.Fence, Disposition: "solved"}
				}
			}
		}
		return Wrapped{At: h.now, Agent: h.agent(), Fence: 1}
	case n < 75:
		return h.change()
	case n < 78:
		return Ended{At: h.now, Task: h.some(tandem.TaskWaiting, tandem.TaskOffered, tandem.TaskAssigned).ID, Outcome: one(h.r, tandem.OutcomeLeft, tandem.OutcomeClosed, tandem.OutcomeMoved)}
	case n < 80:
		return Pulled{At: h.now, Task: h.some(tandem.TaskWaiting).ID, Agent: h.agent()}
	case n < 88:
		return Present{At: h.now, Agent: h.agent(), Presence: one(h.r, tandem.PresenceAvailable, tandem.PresenceAvailable, tandem.PresenceAvailable, tandem.PresenceAway, tandem.PresenceOffline), Reason: one(h.r, "lunch", "training")}
	case n < 89:
		return Consulted{At: h.now, Agent: h.agent(), On: h.r.IntN(2) == 0}
	case n < 93:
		return Reachable{At: h.now, Agent: h.agent(), Load: loads[h.r.IntN(loadCount)], On: h.r.IntN(8) > 0}
	case n < 95:
		return Hours{At: h.now, Queue: one(h.r, "cards", "loans", "spare", "none"), Open: h.r.IntN(3) > 0}
	case n < 96:
		return Repoliced{At: h.now, Policy: one(h.r, h.plans...)}
	}
	return Tick{At: h.now}
}

// begin has everybody there.
func (h *history) begin() []Event {
	var out []Event
	for _, a := range h.m.byName() {
		out = append(out, Present{At: h.now, Agent: a.Name, Presence: tandem.PresenceAvailable})
		for _, load := range loads {
			out = append(out, Reachable{At: h.now, Agent: a.Name, Load: load, On: true})
		}
	}
	return out
}

// plain leaves out what the model does not say: sentences.
func plain(out []Output) []Output {
	for i, o := range out {
		switch o := o.(type) {
		case OfferMade:
			o.Decision.Why = tandem.Words{}
			out[i] = o
		case Late:
			out[i] = Late{}
		}
	}
	return out
}

// again is the line made anew of what it saves, by way of JSON every other time.
func again(t testing.TB, l *Line, byJSON bool) *Line {
	t.Helper()
	s := l.Save()
	if byJSON {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		s = Saved{}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
	}
	return New(l.policy, s)
}

func show(o any) string {
	text, err := json.Marshal(o)
	return fmt.Sprintf("%T %s %v", o, text, err)
}

// play has one history happen to the line and to the model, and holds one against the
// other. restarts says how often the line is saved and made anew meanwhile, in a hundred.
func play(t testing.TB, name string, r random, events, restarts int) {
	t.Helper()
	h := newHistory(r)
	l := New(h.plans[0], Saved{At: noon})
	todo := h.begin()
	for n := range events {
		var e Event
		if len(todo) > 0 {
			e, todo = todo[0], todo[1:]
		} else {
			e = h.next()
		}
		got, want := plain(l.Apply(e)), plain(h.m.apply(e))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s, event %d: %s", name, n, show(e))
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || !reflect.DeepEqual(got[i], want[i]) {
					if i < len(got) {
						t.Errorf("line  %d: %s", i, show(got[i]))
					}
					if i < len(want) {
						t.Errorf("model %d: %s", i, show(want[i]))
					}
				}
			}
			t.FailNow()
		}
		if found := check(l, n%4 == 0); len(found) > 0 {
			t.Fatalf("%s, event %d: %s: %q", name, n, show(e), found)
		}
		if at, ok := l.Next(); ok && !at.After(l.now) {
			t.Fatalf("%s, event %d: %s: a tick is due at %v, now is %v", name, n, show(e), at, l.now)
		}
		h.compare(t, fmt.Sprintf("%s, event %d: %s", name, n, show(e)), l)
		if r.IntN(100) < restarts {
			l = again(t, l, n%2 == 0)
		}
	}
}

func check(l *Line, now bool) []string {
	if !now {
		return nil
	}
	return l.Check()
}

// compare holds what is read of the line against the model.
func (h *history) compare(t testing.TB, after string, l *Line) {
	t.Helper()
	all := h.m.line(tandem.TaskWaiting, tandem.TaskOffered, tandem.TaskAssigned, tandem.TaskWrapping)
	tasks := l.Tasks("", 0)
	if len(tasks) != len(all) {
		t.Fatalf("%s: %d tasks, want %d", after, len(tasks), len(all))
	}
	for i, want := range all {
		if !reflect.DeepEqual(tasks[i], *want) {
			t.Fatalf("%s\ngot  %s\nwant %s", after, show(tasks[i]), show(*want))
		}
		p, ok := l.Place(want.ID, h.m.now)
		if in := want.State == tandem.TaskWaiting || want.State == tandem.TaskOffered; ok != in || in && p.Position != h.m.position(want) {
			t.Fatalf("%s: place of %s: %v %v, want %d", after, want.ID, p, ok, h.m.position(want))
		}
		if want.State == tandem.TaskWaiting {
			d, ok := l.Why(want.ID, h.m.now)
			if !ok || d.Why.En == "" || d.Why.Zh == "" {
				t.Fatalf("%s: no reason why %s waits: %+v", after, want.ID, d)
			}
		}
	}
	for _, want := range h.m.byName() {
		if got, ok := l.Agent(want.Name); !ok || !reflect.DeepEqual(got, h.m.state(want)) {
			t.Fatalf("%s\ngot  %s\nwant %s", after, show(got), show(h.m.state(want)))
		}
	}
}

func TestAgainstTheModel(t *testing.T) {
	first, seeds := uint64(0), uint64(60)
	if testing.Short() {
		seeds = 6
	}
	if s := os.Getenv("SEEDS"); s != "" { // FIRST-COUNT
		if _, err := fmt.Sscanf(s, "%d-%d", &first, &seeds); err != nil {
			t.Fatal(err)
		}
	}
	for seed := first; seed < first+seeds; seed++ {
		name := fmt.Sprintf("seed %d", seed)
		play(t, name, rand.New(rand.NewPCG(seed, 1)), 400, int(seed%2)*5)
	}
}
