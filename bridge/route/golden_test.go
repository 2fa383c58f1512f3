package route

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem"
)

var update = flag.Bool("update", false, "write testdata/offers.golden anew")

// morning is the policy of testdata/arrivals.txt.
func morning() *Policy {
	agent := func(name string, english int, teams ...string) *Agent {
		return &Agent{Name: name, Teams: teams, Skills: map[string]int{"lang:en": english},
			Capacity: map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: 3, tandem.LoadSMS: 3, tandem.LoadWork: 1}}
	}
	target := map[tandem.TaskKind]time.Duration{tandem.TaskCall: 20 * time.Second, tandem.TaskChat: time.Minute, tandem.TaskText: 15 * time.Minute, tandem.TaskVoicemail: 10 * time.Minute}
	return &Policy{
		Queues: map[string]*Queue{
			"cards": {Name: "cards", Teams: []string{"cards"}, Target: target, Prefer: 30 * time.Second,
				TargetOf: map[string]map[tandem.TaskKind]time.Duration{"gold": {tandem.TaskCall: 10 * time.Second}},
				Relax:    []Relax{{After: time.Minute, Levels: map[string]int{"lang:en": 1}}},
				Over:     []Overflow{{After: 90 * time.Second, Teams: []string{"night"}}}},
			"loans": {Name: "loans", Teams: []string{"loans"}, Target: target, Prefer: 30 * time.Second,
				Relax: []Relax{{After: time.Minute, Levels: map[string]int{"*": 9}}}},
		},
		Agents: map[string]*Agent{"anna": agent("anna", 5, "cards"), "bo": agent("bo", 2, "cards"), "chen": agent("chen", 2, "cards", "loans"),
			"dora": agent("dora", 4, "night"), "emil": agent("emil", 1, "loans")},
		MostPriority: 30 * time.Second,
		Blocks:       map[tandem.Load][]tandem.Load{tandem.LoadVoice: {tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork}},
		Offer:        map[tandem.Load]time.Duration{tandem.LoadVoice: 20 * time.Second, tandem.LoadChat: 30 * time.Second, tandem.LoadSMS: 30 * time.Second, tandem.LoadWork: 30 * time.Second},
		WrapUp:       map[tandem.Load]time.Duration{tandem.LoadVoice: 10 * time.Second},
		DeclineRest:  time.Minute, Misses: 3,
	}
}

// day plays a file of arrivals: every offer is answered after 3 s, unless it is missed.
type day struct {
	l      *Line
	date   time.Time
	plan   []planned
	serve  map[tandem.TaskID]time.Duration
	misses map[tandem.TaskID]int
	out    strings.Builder
	order  int
}

type planned struct {
	at    time.Time
	order int
	e     Event
}

func (d *day) then(at time.Time, e Event) {
	d.order++
	d.plan = append(d.plan, planned{at, d.order, e})
}

func (d *day) clock(s string) time.Time {
	at, err := time.Parse("15:04:05", s)
	if err != nil {
		panic(err)
	}
	return d.date.Add(at.Sub(at.Truncate(24 * time.Hour)))
}

func (d *day) arrival(line string) {
	f := strings.Fields(line)
	at := d.clock(f[0])
	t := tandem.Task{ID: tandem.TaskID(f[2]), Interaction: tandem.InteractionID(f[2]), Kind: tandem.TaskKind(f[1]), Queue: f[3]}
	d.serve[t.ID] = time.Minute
	for _, more := range f[4:] {
		key, value, _ := strings.Cut(more, "=")
		span, _ := time.ParseDuration(value)
		switch key {
		case "level":
			t.Level = value
		case "skills":
			t.Skills = strings.Split(value, ",")
		case "priority":
			t.Priority = span
		case "prefer":
			t.Prefer = value
		case "at":
			t.NotBefore = d.clock(value)
		case "serve":
			d.serve[t.ID] = span
		case "leaves":
			d.then(at.Add(span), Ended{At: at.Add(span), Task: t.ID, Outcome: tandem.OutcomeLeft})
		case "turns":
			kind, after, _ := strings.Cut(value, "@")
			span, _ = time.ParseDuration(after)
			d.then(at.Add(span), Changed{At: at.Add(span), Task: t.ID, Kind: tandem.TaskKind(kind), Why: "moved"})
		case "misses":
			d.misses[t.ID], _ = strconv.Atoi(value)
		}
	}
	d.then(at, Opened{At: at, Task: t})
}

func (d *day) run() {
	for len(d.plan) > 0 {
		slices.SortFunc(d.plan, func(a, b planned) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
		if at, ok := d.l.Next(); ok && at.Before(d.plan[0].at) {
			d.see(d.l.Apply(Tick{At: at}))
			continue
		}
		e := d.plan[0].e
		d.plan = d.plan[1:]
		d.see(d.l.Apply(e))
	}
	for at, ok := d.l.Next(); ok; at, ok = d.l.Next() {
		d.see(d.l.Apply(Tick{At: at}))
	}
}

func (d *day) see(out []Output) {
	for _, o := range out {
		switch o := o.(type) {
		case OfferMade:
			t := o.Task
			d.say(t.Since, "%-9s %-4s of %s, due %s, to %s: %s", t.Kind, t.ID, t.Queue, t.Due.Format("15:04:05"), t.Agent, about(o.Decision))
			fmt.Fprintf(&d.out, "         %s\n         %s\n", o.Decision.Why.En, o.Decision.Why.Zh)
			if d.misses[t.ID] > 0 {
				d.misses[t.ID]--
				continue
			}
			d.then(t.Since.Add(3*time.Second), Accepted{At: t.Since.Add(3 * time.Second), Task: t.ID, Agent: t.Agent, Fence: t.Fence})
		case OfferOver:
			d.say(o.Task.Since, "%s comes back from %s: %s", o.Task.ID, o.Agent, o.Why)
		case TaskAssigned:
			over := o.Task.Since.Add(d.serve[o.Task.ID])
			d.then(over, Released{At: over, Task: o.Task.ID, Agent: o.Task.Agent, Fence: o.Task.Fence})
		case TaskChanged:
			d.say(d.l.now, "%s is a %s now, due %s", o.Task.ID, o.Task.Kind, o.Task.Due.Format("15:04:05"))
		case TaskOver:
			if o.Task.Outcome != tandem.OutcomeServed {
				d.say(d.l.now, "%s is over: %s", o.Task.ID, o.Task.Outcome)
			}
		}
	}
}

func (d *day) say(at time.Time, format string, fill ...any) {
	fmt.Fprintf(&d.out, "%s %s\n", at.Format("15:04:05"), fmt.Sprintf(format, fill...))
}

// about is a decision as one line.
func about(d tandem.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "waited %.0f s, place %d, of %s", d.Waited, d.Position, strings.Join(d.Agents, " "))
	for _, n := range d.Not {
		fmt.Fprintf(&b, "; not %s: %s", strings.TrimSpace(n.Reason+" "+n.Detail), strings.Join(n.Agents, " "))
	}
	if len(d.Overflow) > 0 {
		fmt.Fprintf(&b, "; helped by %s", strings.Join(d.Overflow, " "))
	}
	if len(d.Relaxed) > 0 {
		fmt.Fprintf(&b, "; less of %s", strings.Join(d.Relaxed, " "))
	}
	return b.String()
}

func TestArrivalsGiveThePublishedOrder(t *testing.T) {
	f, err := os.Open("testdata/arrivals.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := &day{date: noon.Truncate(24 * time.Hour), serve: map[tandem.TaskID]time.Duration{}, misses: map[tandem.TaskID]int{}}
	opens := d.date.Add(9 * time.Hour)
	d.l = New(morning(), Saved{At: opens})
	for _, a := range d.l.Agents() {
		d.see(d.l.Apply(Present{At: opens, Agent: a.Name, Presence: tandem.PresenceAvailable}))
		for _, load := range loads {
			d.see(d.l.Apply(Reachable{At: opens, Agent: a.Name, Load: load, On: true}))
		}
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") {
			d.arrival(line)
		}
	}
	d.run()
	if rest := d.l.Tasks("", 0); len(rest) > 0 {
		t.Errorf("still there: %s", show(rest))
	}
	const golden = "testdata/offers.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(d.out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.out.String(); got != string(want) {
		g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range max(len(g), len(w)) {
			if i >= len(g) || i >= len(w) || g[i] != w[i] {
				t.Fatalf("line %d of %s differs:\ngot  %q\nwant %q", i+1, golden, g[min(i, len(g)-1)], w[min(i, len(w)-1)])
			}
		}
	}
}
