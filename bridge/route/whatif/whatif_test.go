package whatif_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/bridge/route/whatif"
)

func monday() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// office is three agents of one team who take one call, or two chats.
func office() *route.Policy {
	p := plain(3)
	p.WrapUp = map[tandem.Load]time.Duration{tandem.LoadVoice: time.Minute}
	for _, a := range p.Agents {
		a.Capacity[tandem.LoadChat] = 2
	}
	p.Offer[tandem.LoadChat] = time.Hour
	p.Blocks = map[tandem.Load][]tandem.Load{tandem.LoadVoice: {tandem.LoadChat}, tandem.LoadChat: {tandem.LoadVoice}}
	return p
}

func streams() []whatif.Stream {
	return []whatif.Stream{
		{Queue: "q", Kind: tandem.TaskCall, PerHour: []float64{10, 30, 20}, Talk: 4 * time.Minute, Spread: 1, Wrap: 20 * time.Second, Patience: 3 * time.Minute},
		{Queue: "q", Kind: tandem.TaskChat, PerHour: []float64{15}, Talk: 6 * time.Minute, Patience: 10 * time.Minute},
		{Queue: "q", Kind: tandem.TaskCallback, PerHour: []float64{2}, Talk: 5 * time.Minute},
	}
}

func run(t *testing.T, seed uint64, shifts map[string][]whatif.Shift) *whatif.Report {
	t.Helper()
	until := monday().Add(8 * time.Hour)
	r, err := whatif.Run(whatif.Plan{
		Policy: office(), From: monday(), Until: until, Next: whatif.Each(whatif.Streams(streams(), monday(), until, seed)), Answer: 3 * time.Second, Shifts: shifts,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The same seed gives the same report and the same picture, byte for byte; another gives
// another. Everybody who arrives is served, leaves or is refused.
func TestRunIsAFunctionOfItsSeed(t *testing.T) {
	a, b, other := run(t, 7, nil), run(t, 7, nil), run(t, 8, nil)
	text := func(r *whatif.Report) string {
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(out) + string(whatif.Plot(whatif.Named{Name: "<office>", Report: r}))
	}
	if text(a) != text(b) || text(a) == text(other) {
		t.Error("a report does not follow its seed")
	}
	n := 0
	for _, c := range a.Classes {
		if n += c.Arrived; c.Arrived != c.Served+c.Left+c.Refused || c.P50 > c.P90 || c.P90 > c.Longest || c.ServiceLevel < 0 || c.ServiceLevel > 1 {
			t.Errorf("%+v", c)
		}
	}
	if arrived := len(whatif.Streams(streams(), monday(), monday().Add(8*time.Hour), 7)); n != arrived || a.Unserved != 0 {
		t.Errorf("%d of %d arrivals are accounted for, %d unserved", n, arrived, a.Unserved)
	}
}

// Nobody is served by who is not there, and those who are there are busy for it.
func TestShifts(t *testing.T) {
	noon := monday().Add(3 * time.Hour)
	r := run(t, 7, map[string][]whatif.Shift{
		"a00": {{From: monday(), Until: noon}}, "a01": {{From: noon, Until: monday().Add(8 * time.Hour)}}, "a02": {{From: monday().Add(90 * time.Hour), Until: monday().Add(91 * time.Hour)}},
	})
	if a := r.Agents; a[0].Present != 3*3600 || a[1].Present != 5*3600 || a[2].Present != 0 || a[2].Busy != 0 || a[0].Occupancy < 0.8 {
		t.Errorf("%+v", a)
	}
}

// A stream's rate is that of its hours, its talks have the mean and spread that are asked for.
func TestStreams(t *testing.T) {
	s := []whatif.Stream{{Queue: "q", Kind: tandem.TaskCall, PerHour: []float64{2000, 0, 8000}, Talk: time.Minute, Spread: 0.8, Patience: time.Minute}}
	got := whatif.Streams(s, monday(), monday().Add(4*time.Hour), 1)
	var by [4]float64
	var sum, square, patience float64
	for i, a := range got {
		by[int(a.At.Sub(monday())/time.Hour)]++
		sum, square, patience = sum+a.Talk.Seconds(), square+a.Talk.Seconds()*a.Talk.Seconds(), patience+a.Patience.Seconds()
		if i > 0 && a.At.Before(got[i-1].At) {
			t.Fatal("arrivals are not in order")
		}
	}
	n := float64(len(got))
	mean := sum / n
	spread := math.Sqrt(square/n-mean*mean) / mean
	for hour, want := range [4]float64{2000, 0, 8000, 8000} {
		if math.Abs(by[hour]-want) > 4*math.Sqrt(want+1) {
			t.Errorf("hour %d has %v arrivals, want about %v", hour, by[hour], want)
		}
	}
	if math.Abs(mean-60) > 2 || math.Abs(spread-0.8) > 0.1 || math.Abs(patience/n-60) > 2 {
		t.Errorf("talks %v s, spread %v, patience %v", mean, spread, patience/n)
	}
}

// Of what has happened arrivals are made: talks as they were, patience as long as they
// waited and, for those who were served, drawn from what the others show.
func TestReplay(t *testing.T) {
	at := func(s int) time.Time { return monday().Add(time.Duration(s) * time.Second) }
	task := func(s int) tandem.Task {
		return tandem.Task{Queue: "q", Kind: tandem.TaskCall, Arrived: at(s), Level: "gold", Skills: []string{"lang:en"}}
	}
	got := whatif.Replay([]whatif.Past{
		{Task: task(10), Assigned: at(40), Talk: 3 * time.Minute, Wrap: time.Second},
		{Task: task(0), Over: at(90), Left: true},
	}, 1)
	if len(got) != 2 || !got[0].At.Equal(at(0)) || got[0].Patience != 90*time.Second || got[0].Talk != 3*time.Minute {
		t.Fatalf("%+v", got)
	}
	if a := got[1]; a.Talk != 3*time.Minute || a.Wrap != time.Second || a.Patience <= 30*time.Second || a.Level != "gold" || len(a.Skills) != 1 {
		t.Errorf("%+v", a)
	}
	for i, a := range whatif.Replay([]whatif.Past{{Task: task(0), Assigned: at(5), Talk: time.Second}}, 1) {
		if a.Patience != 0 { // nobody left: nothing is known of when they would have
			t.Errorf("%d: %+v", i, a)
		}
	}
}

func TestWrongPlans(t *testing.T) {
	for why, arrivals := range map[string][]whatif.Arrival{
		"queue": {{At: monday(), Queue: "none", Kind: tandem.TaskCall}},
		"order": {{At: monday().Add(time.Hour), Queue: "q", Kind: tandem.TaskCall, Talk: 1}, {At: monday(), Queue: "q", Kind: tandem.TaskCall, Talk: 1}},
	} {
		_, err := whatif.Run(whatif.Plan{Policy: office(), From: monday(), Until: monday().Add(2 * time.Hour), Next: whatif.Each(arrivals)})
		if tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// The picture is well formed whatever names are in it, and with nothing to draw.
func TestPlot(t *testing.T) {
	empty, err := whatif.Run(whatif.Plan{Policy: office(), From: monday(), Until: monday().Add(time.Hour), Next: whatif.Each(nil)})
	if err != nil {
		t.Fatal(err)
	}
	for _, reports := range [][]whatif.Named{{{Name: "<script>&", Report: run(t, 1, nil)}, {Name: "b", Report: run(t, 2, nil)}}, {{Name: "empty", Report: empty}}, nil} {
		svg := string(whatif.Plot(reports...))
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
		}
		if strings.Contains(svg, "<script") || strings.Contains(svg, "NaN") {
			t.Errorf("%.200s", svg)
		}
	}
}
