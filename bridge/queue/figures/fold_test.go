package figures

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem"
)

var at = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// told is a journal that is written as it goes.
type told struct {
	testing.TB
	f   *Fold
	out strings.Builder
}

func (d *told) at(offset time.Duration, kind tandem.EventKind, payload any) {
	d.Helper()
	e := tandem.NewEvent("i", "", at.Add(offset), kind, "system", payload)
	if err := d.f.Enter(&e); err != nil {
		d.Fatal(err)
	}
}

func (d *told) closed(x Bucket) {
	fmt.Fprintf(&d.out, "%s", x.At.Format("15:04"))
	for _, k := range sortedKeys(x.By) {
		if c := x.By[k]; k.Queue != "" && k.Kind == "" && !c.empty() {
			fmt.Fprintf(&d.out, " %s: opened %d answered %d within %d left %d waiting %d most %d;", k.Queue, c.Opened, c.Answered, c.Within, c.Left, c.Waiting, c.Most)
		}
	}
	if x.Erased != (Erased{}) {
		fmt.Fprintf(&d.out, " erased %+v", x.Erased)
	}
	d.out.WriteByte('\n')
}

func came(n int, queue string, arrived time.Duration, target time.Duration) tandem.Task {
	return tandem.Task{ID: tandem.TaskID(fmt.Sprint(n)), Kind: tandem.TaskChat, Queue: queue, Arrived: at.Add(arrived), Due: at.Add(arrived + target)}
}

// TestFold: what counts where and when.
func TestFold(t *testing.T) {
	const s, m = time.Second, time.Minute
	d := &told{TB: t}
	contacts := ""
	d.f = NewFold(at, d.closed, func(c Contact) {
		contacts += fmt.Sprintf("%s %s %s %s %s %t\n", c.At.Format("15:04:05"), c.What, c.Task, c.Queue, c.Waited, c.Within)
	})
	d.at(-10*m, tandem.EventTaskOpened, came(1, "cards", -10*m, m)) // yesterday's, so to speak: it waits and nothing else
	d.at(-9*m, tandem.EventTaskOpened, came(2, "cards", -9*m, m))
	d.at(-8*m, tandem.EventTaskDone, tandem.TaskOver{Task: "2", Outcome: tandem.OutcomeLeft})
	d.at(10*s, tandem.EventTaskOpened, came(3, "cards", 0, m))
	d.at(20*s, tandem.EventTaskOffered, tandem.Offered{Task: "3"}) // on offer is waiting
	d.at(30*s, tandem.EventTaskAssigned, tandem.Assigned{Task: "3", Agent: "anna"})
	d.at(40*s, tandem.EventTaskReleased, tandem.Released{Task: "3", Again: true})                                 // back in line
	d.at(50*s, tandem.EventTaskAssigned, tandem.Assigned{Task: "3"})                                              // counts once
	d.at(2*m, tandem.EventTaskAssigned, tandem.Assigned{Task: "1", Agent: "bo", Target: 3600})                    // in the time that the policy gave
	d.at(3*m, tandem.EventTaskReleased, tandem.Released{Task: "1"})                                               // wrapping
	d.at(3*m, tandem.EventTaskDone, tandem.TaskOver{Task: "1", Outcome: tandem.OutcomeLeft})                      // was taken: has not left
	d.at(4*m, tandem.EventTaskOpened, came(4, "cards", 4*m, 20*s))                                                //
	d.at(4*m+59*s, tandem.EventTaskChanged, tandem.TaskChanged{Task: "4", Kind: tandem.TaskChat, Queue: "loans"}) // waits elsewhere
	d.at(11*m, tandem.EventTaskAssigned, tandem.Assigned{Task: "4"})                                              // too late
	d.at(12*m, tandem.EventTaskOpened, came(5, "loans", 12*m, m))
	d.at(13*m, tandem.EventTaskDone, tandem.TaskOver{Task: "5", Outcome: tandem.OutcomeLeft})
	later := came(6, "loans", 14*m, m)
	later.NotBefore = at.Add(21 * m)
	d.at(14*m, tandem.EventTaskOpened, later)
	d.at(14*m, tandem.EventTaskOpened, nil) // of somebody who was erased since
	d.at(21*m+30*s, tandem.EventTaskAssigned, tandem.Assigned{Task: "6"})
	d.at(22*m, tandem.EventTaskDone, tandem.TaskOver{Task: "5", Outcome: tandem.OutcomeLeft}) // of one that is not known
	d.at(20*m, tandem.EventTaskOpened, came(7, "loans", 20*m, m))                             // written late: counts where it can
	d.at(23*m, tandem.EventTaskDone, nil)
	d.f.Advance(at.Add(25 * m))
	want := `09:00 cards: opened 2 answered 2 within 2 left 0 waiting 0 most 2; loans: opened 0 answered 0 within 0 left 0 waiting 1 most 1;
09:05 loans: opened 0 answered 0 within 0 left 0 waiting 1 most 1;
09:10 loans: opened 2 answered 1 within 0 left 1 waiting 1 most 1; erased {Opened:1 Assigned:0 Done:0 Live:1}
09:15 loans: opened 0 answered 0 within 0 left 0 waiting 1 most 1; erased {Opened:0 Assigned:0 Done:0 Live:1}
09:20 loans: opened 1 answered 1 within 1 left 0 waiting 1 most 1; erased {Opened:0 Assigned:0 Done:1 Live:0}
`
	if d.out.String() != want {
		t.Errorf("told is\n%s\nnot\n%s", d.out.String(), want)
	}
	if want := "09:00:30 answered 3 cards 30s true\n09:02:00 answered 1 cards 12m0s true\n09:11:00 answered 4 loans 7m0s false\n09:13:00 left 5 loans 1m0s false\n09:21:30 answered 6 loans 30s true\n"; contacts != want {
		t.Errorf("contacts are\n%s\nnot\n%s", contacts, want)
	}
	if sum := d.f.Now().By[Key{}]; sum == nil || sum.Waiting != 1 {
		t.Errorf("of all there waits %+v", sum)
	}
}

// TestFoldSkips: a line in which nothing happens for years costs nothing.
func TestFoldSkips(t *testing.T) {
	n := 0
	f := NewFold(time.Time{}, func(Bucket) { n++ }, nil)
	f.Advance(at)
	if n > 2 || !f.Now().At.Equal(at) {
		t.Errorf("%d buckets up to %v", n, f.Now().At)
	}
}

// TestWaits: a part of the waits is right to five in a hundred; what is written is read again.
func TestWaits(t *testing.T) {
	var w Waits
	if _, ok := w.Part(0.5); ok || w.String() != "" {
		t.Error("there is a half of nothing")
	}
	for i := range 1000 {
		w.note(time.Duration(i+1) * time.Second)
	}
	w.note(10 * 365 * 24 * time.Hour) // the longest step takes what is longer
	for part, exact := range map[float64]time.Duration{0.5: 500 * time.Second, 0.9: 900 * time.Second} {
		if d, ok := w.Part(part); !ok || d < exact || d > exact+exact/15 {
			t.Errorf("the wait of %g is %v, not %v", part, d, exact)
		}
	}
	again, err := ParseWaits(w.String())
	if err != nil || again.String() != w.String() || again.total() != 1001 {
		t.Errorf("read again: %v, %v", again, err)
	}
	for _, bad := range []string{"1", "1:0", "x:1", "-1:2", "1:2,", "999999:1"} {
		if _, err := ParseWaits(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestQueryFits(t *testing.T) {
	now := at
	for _, test := range []struct {
		name string
		q    Query
		step time.Duration // 0 = refused
	}{
		{"nothing is said", Query{}, Span},
		{"a week", Query{From: now.Add(-7 * 24 * time.Hour)}, time.Hour},
		{"two days", Query{From: now.Add(-48 * time.Hour)}, 15 * time.Minute},
		{"longer than is kept", Query{From: now.Add(-400 * 24 * time.Hour)}, time.Hour},
		{"the other way round", Query{From: now, Until: now.Add(-time.Hour)}, 0},
		{"an odd step", Query{Step: 7 * time.Minute}, 0},
		{"too many points", Query{From: now.Add(-30 * 24 * time.Hour), Step: Span}, 0},
	} {
		err := test.q.fit(now)
		if (err == nil) != (test.step > 0) || err == nil && test.q.Step != test.step {
			t.Errorf("%s: step %v, %v", test.name, test.q.Step, err)
		}
	}
}

// FuzzParseWaits: what is kept is read as it was written, or refused.
func FuzzParseWaits(f *testing.F) {
	f.Add("1:2,30:4")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		w, err := ParseWaits(s)
		if err != nil {
			return
		}
		again, err := ParseWaits(w.String())
		if err != nil || again.String() != w.String() {
			t.Errorf("%q is %q, then %q, %v", s, w, again, err)
		}
	})
}

// BenchmarkFold is a busy minute of the line.
func BenchmarkFold(b *testing.B) {
	f := NewFold(at, nil, nil)
	n := 0
	for b.Loop() {
		n++
		id := tandem.TaskID(fmt.Sprint(n))
		x := tandem.Task{ID: id, Kind: tandem.TaskChat, Queue: "cards", Arrived: at, Due: at}
		for _, e := range []tandem.Event{tandem.NewEvent("i", "", at, tandem.EventTaskOpened, "", x), tandem.NewEvent("i", "", at, tandem.EventTaskAssigned, "", tandem.Assigned{Task: id}), tandem.NewEvent("i", "", at, tandem.EventTaskDone, "", tandem.TaskOver{Task: id})} {
			if err := f.Enter(&e); err != nil {
				b.Fatal(err)
			}
		}
	}
}
