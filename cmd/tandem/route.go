package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/route"
	"tandem/bridge/route/whatif"
	"tandem/internal/app"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store"
)

// routeCommand groups what is done with routing policies.
func routeCommand() *cli.Command {
	return &cli.Command{
		Name: "route", Usage: "try routing policies out",
		Subcommands: []*cli.Command{{
			Name: "simulate", Usage: "run arrivals through a routing policy, in seconds", ArgsUsage: "[FLOWS-FOLDER...]",
			Description: "Plays a day through the line as the policies of the folders (*.queues.yaml) have it, in simulated time, and\n" +
				"prints waits, service level, fairness and occupancy. Several folders are compared. Arrivals are made up by a\n" +
				"plan (--plan FILE, see docs/what-if.md), or those of the journal (--config FILE --since 24h). The same seed\n" +
				"gives the same figures.",
			Flags: []cli.Flag{
				configFlag(),
				&cli.StringFlag{Name: "plan", Usage: "`FILE` of arrivals to make up"},
				&cli.DurationFlag{Name: "since", Usage: "take the journal's arrivals of this `TIME` before now, such as 24h"},
				&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "`NUMBER` that chance begins with"},
				&cli.StringFlag{Name: "plot", Usage: "draw it into this SVG `FILE`"},
				jsonFlag(),
			},
			Action: simulateRoute,
		}},
	}
}

// arrivalsPlan is a file of arrivals to make up.
type arrivalsPlan struct {
	From    string                   `yaml:"from"`
	Hours   float64                  `yaml:"hours"`
	Answer  span                     `yaml:"answer"`
	Streams []arrivalStream          `yaml:"streams"`
	Shifts  map[string][]arrivalSpan `yaml:"shifts"`
}

type arrivalStream struct {
	Queue    string          `yaml:"queue"`
	Kind     tandem.TaskKind `yaml:"kind"`
	Level    string          `yaml:"level"`
	Skills   []string        `yaml:"skills"`
	Priority span            `yaml:"priority"`
	PerHour  []float64       `yaml:"per_hour"`
	Talk     span            `yaml:"talk"`
	Spread   float64         `yaml:"spread"`
	Wrap     span            `yaml:"wrap"`
	Patience span            `yaml:"patience"`
}

// span is a duration as it is written: 90s, 4m, 2h.
type span time.Duration

// UnmarshalYAML reads one.
func (s *span) UnmarshalYAML(data []byte) error {
	d, err := time.ParseDuration(strings.Trim(strings.TrimSpace(string(data)), `"'`))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time: write 90s, 4m or 2h", strings.TrimSpace(string(data)))
	}
	*s = span(d)
	return nil
}

// arrivalSpan is part of the day, "09:00-12:30".
type arrivalSpan string

const maxPlanBytes = 1 << 20

// day is what is played.
type day struct {
	from, until time.Time
	arrivals    []whatif.Arrival
	shifts      map[string][]whatif.Shift
	answer      time.Duration
}

func simulateRoute(c *cli.Context) error {
	folders := c.Args().Slice()
	var d day
	var err error
	switch {
	case c.String("plan") != "" && c.Duration("since") != 0:
		return tandem.Errorf(tandem.CodeInvalid, "give --plan or --since, not both")
	case c.String("plan") != "":
		d, err = plannedDay(c.String("plan"), c.Uint64("seed"))
	case c.Duration("since") > 0:
		d, err = pastDay(c, c.Duration("since"))
	default:
		return tandem.Errorf(tandem.CodeInvalid, "give --plan FILE, or --since 24h with --config FILE for the arrivals of the journal")
	}
	if err != nil {
		return err
	}
	if len(folders) == 0 {
		loaded, err := loadConfig(c)
		if err != nil {
			return err
		}
		folders = []string{string(loaded.Flows.Dir)}
	}
	var reports []whatif.Named
	for _, folder := range folders {
		policy, err := policyIn(folder)
		if err != nil {
			return err
		}
		if err := fits(d, policy); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		report, err := whatif.Run(whatif.Plan{Policy: policy, From: d.from, Until: d.until, Next: whatif.Each(d.arrivals), Shifts: d.shifts, Answer: d.answer})
		if err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		reports = append(reports, whatif.Named{Name: folder, Report: report})
	}
	if file := c.String("plot"); file != "" {
		if err := os.WriteFile(file, whatif.Plot(reports...), 0o644); err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "drawing it: %w", err)
		}
	}
	if c.Bool("json") {
		out := map[string]*whatif.Report{}
		for _, r := range reports {
			out[r.Name] = r.Report
		}
		return writeJSON(c.App.Writer, out)
	}
	for _, r := range reports {
		if err := writeWhatIf(c.App.Writer, r); err != nil {
			return err
		}
	}
	return nil
}

// fits holds what is played against a policy.
func fits(d day, policy *route.Policy) error {
	for _, a := range d.arrivals {
		if policy.Queues[a.Queue] == nil {
			return tandem.Errorf(tandem.CodeInvalid, "there is no queue %q for what arrives; the queues are %s", a.Queue, strings.Join(slices.Sorted(maps.Keys(policy.Queues)), ", "))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.shifts)) {
		if policy.Agents[name] == nil {
			return tandem.Errorf(tandem.CodeInvalid, "shifts: there is no agent %q; the agents are %s", name, strings.Join(slices.Sorted(maps.Keys(policy.Agents)), ", "))
		}
	}
	return nil
}

// policyIn is the policy of a folder of flows.
func policyIn(folder string) (*route.Policy, error) {
	lib, found := read.Dir(folder, read.Options{})
	var wrong []source.Diagnostic
	for _, d := range found { // flows may need settings that are not here: only the policy counts
		if d.Severity == source.Error && strings.HasSuffix(d.File, source.QueuesFile) {
			wrong = append(wrong, d)
		}
	}
	if len(wrong) > 0 || lib == nil || len(lib.Queues) == 0 {
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s has no routing policy that can be used (*.queues.yaml): tandem flow check %s says why", folder, folder)
	}
	return app.Policy(lib), nil
}

// plannedDay makes arrivals up.
func plannedDay(file string, seed uint64) (d day, err error) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxPlanBytes {
		err = fmt.Errorf("it is larger than 1 MiB")
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return d, tandem.Errorf(tandem.CodeInvalid, "reading the plan: %w", err)
	}
	var p arrivalsPlan
	if err := yaml.UnmarshalWithOptions(data, &p, yaml.Strict()); err != nil {
		return d, tandem.Errorf(tandem.CodeInvalid, "%s: %s", file, yaml.FormatError(err, false, true))
	}
	if d.from, err = time.Parse(time.RFC3339, p.From); err != nil {
		return d, tandem.Errorf(tandem.CodeInvalid, "%s: from: write a time such as 2026-11-23T09:00:00+08:00", file)
	}
	if p.Hours <= 0 || p.Hours > 24*7 {
		return d, tandem.Errorf(tandem.CodeInvalid, "%s: hours: write how many are played, up to 168", file)
	}
	d.until, d.answer = d.from.Add(time.Duration(p.Hours*float64(time.Hour))), time.Duration(p.Answer)
	var streams []whatif.Stream
	for i, s := range p.Streams {
		if why := s.wrong(); why != "" {
			return d, tandem.Errorf(tandem.CodeInvalid, "%s: stream %d: %s", file, i+1, why)
		}
		streams = append(streams, whatif.Stream{
			Queue: s.Queue, Kind: s.Kind, Level: s.Level, Skills: s.Skills, Priority: time.Duration(s.Priority), PerHour: s.PerHour,
			Talk: time.Duration(s.Talk), Spread: s.Spread, Wrap: time.Duration(s.Wrap), Patience: time.Duration(s.Patience),
		})
	}
	d.arrivals = whatif.Streams(streams, d.from, d.until, seed)
	d.shifts, err = shiftsOf(p.Shifts, d.from, d.until)
	if err != nil {
		return d, tandem.Errorf(tandem.CodeInvalid, "%s: %w", file, err)
	}
	return d, nil
}

// wrong is what is wrong with a stream; "" = nothing.
func (s *arrivalStream) wrong() string {
	switch {
	case s.Queue == "":
		return "queue: name the queue"
	case !slices.Contains(taskKinds(), s.Kind):
		return fmt.Sprintf("kind: %q is none of %s", s.Kind, joined(taskKinds()))
	case len(s.PerHour) == 0:
		return "per_hour: write how many arrive, one figure for each hour"
	case s.Talk <= 0:
		return "talk: write how long a talk is, such as 4m"
	}
	return ""
}

func taskKinds() []tandem.TaskKind {
	return []tandem.TaskKind{tandem.TaskCall, tandem.TaskChat, tandem.TaskText, tandem.TaskCallback, tandem.TaskVoicemail, tandem.TaskTicket}
}

func joined(kinds []tandem.TaskKind) string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return strings.Join(out, ", ")
}

// shiftsOf are the times of day at which agents are there, on each day that is played.
func shiftsOf(written map[string][]arrivalSpan, from, until time.Time) (map[string][]whatif.Shift, error) {
	out := map[string][]whatif.Shift{}
	for name, spans := range written {
		for _, s := range spans {
			a, b, ok := strings.Cut(string(s), "-")
			begin, err1 := time.Parse("15:04", a)
			end, err2 := time.Parse("15:04", b)
			if !ok || err1 != nil || err2 != nil || !begin.Before(end) {
				return nil, fmt.Errorf("shifts: %s: %q is no part of a day: write \"09:00-12:30\"", name, s)
			}
			for day := from; !day.After(until); day = day.AddDate(0, 0, 1) {
				on := func(t time.Time) time.Time {
					return time.Date(day.Year(), day.Month(), day.Day(), t.Hour(), t.Minute(), 0, 0, from.Location())
				}
				out[name] = append(out[name], whatif.Shift{From: slices.MaxFunc([]time.Time{on(begin), from}, time.Time.Compare), Until: on(end)})
			}
		}
		out[name] = slices.DeleteFunc(out[name], func(s whatif.Shift) bool { return !s.From.Before(s.Until) })
	}
	return out, nil
}

// pastDay takes the journal's arrivals.
func pastDay(c *cli.Context, since time.Duration) (d day, err error) {
	err = withRecords(c, toRead, func(r records) error {
		d.until = time.Now()
		d.from = d.until.Add(-since)
		past, err := pastTasks(c.Context, r, d.from)
		if err != nil {
			return err
		}
		if len(past) == 0 {
			return tandem.Errorf(tandem.CodeNotFound, "the journal has no tasks of the last %v", since)
		}
		d.arrivals = whatif.Replay(past, c.Uint64("seed"))
		d.from = slices.MaxFunc([]time.Time{d.arrivals[0].At.Add(-time.Minute), d.from}, time.Time.Compare)
		return nil
	})
	return d, err
}

// pastTasks reads what has happened to the tasks of interactions that began since a time.
func pastTasks(ctx context.Context, r records, since time.Time) ([]whatif.Past, error) {
	var out []whatif.Past
	before := tandem.InteractionID("")
	for {
		list, err := r.DB.List(ctx, store.Filter{Since: since, Before: before, Limit: 1000})
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			before = s.ID
			story, err := r.DB.Interaction(ctx, string(s.ID))
			if err != nil {
				return nil, err
			}
			out = append(out, pastOf(story.Events, since)...)
		}
		if len(list) < 1000 {
			return out, nil
		}
	}
}

// pastOf reads the tasks of one interaction's events.
func pastOf(events []tandem.Event, since time.Time) []whatif.Past {
	by := map[tandem.TaskID]*whatif.Past{}
	var order []tandem.TaskID
	for _, e := range events {
		var about struct {
			ID      tandem.TaskID `json:"id"`
			Task    tandem.TaskID `json:"task"`
			Seconds float64       `json:"seconds"`
			Outcome string        `json:"outcome"`
		}
		if !strings.HasPrefix(string(e.Kind), "task.") || json.Unmarshal(e.Data, &about) != nil {
			continue // an erased person's are not there
		}
		if e.Kind == tandem.EventTaskOpened {
			p := &whatif.Past{}
			if json.Unmarshal(e.Data, &p.Task) == nil && !p.Task.Arrived.Before(since) {
				by[p.Task.ID], order = p, append(order, p.Task.ID)
			}
			continue
		}
		p := by[about.Task]
		if p == nil {
			continue
		}
		switch e.Kind {
		case tandem.EventTaskAssigned:
			if p.Assigned.IsZero() {
				p.Assigned = e.At
			}
		case tandem.EventTaskReleased:
			p.Talk += time.Duration(about.Seconds * float64(time.Second))
		case tandem.EventTaskWrapped:
			p.Wrap += time.Duration(about.Seconds * float64(time.Second))
		case tandem.EventTaskDone:
			p.Over, p.Left = e.At, about.Outcome == tandem.OutcomeLeft
		}
	}
	var out []whatif.Past
	for _, id := range order {
		out = append(out, *by[id])
	}
	return out
}

func writeWhatIf(w io.Writer, n whatif.Named) error {
	r := n.Report
	fmt.Fprintf(w, "%s: %d arrivals from %s to %s\n", filepath.Clean(n.Name), r.Arrived, r.From.Format("2006-01-02 15:04"), r.Until.Format("15:04"))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "queue\tkind\tlevel\tarrived\tserved\tleft\trefused\tmean wait\tmedian\t90 %\tlongest\tin target\t")
	for _, c := range r.Classes {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%.0f %% of %s\t\n", c.Queue, c.Kind, c.Level, c.Arrived, c.Served, c.Left, c.Refused,
			seconds(c.Mean), seconds(c.P50), seconds(c.P90), seconds(c.Longest), 100*c.ServiceLevel, seconds(c.Target))
	}
	err := table.Flush()
	if r.Fairness > 0 {
		fmt.Fprintf(w, "fairness: the class that waits most waits %.1f times as much of its target as the one that waits least (1 = all alike)\n", r.Fairness)
	}
	var busy []string
	for _, a := range r.Agents {
		busy = append(busy, fmt.Sprintf("%s %.0f %%", a.Name, 100*a.Occupancy))
	}
	fmt.Fprintln(w, "occupancy: "+strings.Join(busy, ", "))
	if r.Unserved > 0 {
		fmt.Fprintf(w, "%d were still there a day after the end\n", r.Unserved)
	}
	_, last := fmt.Fprintln(w)
	return errors.Join(err, last)
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	out := d.Round(time.Second).String()
	if cut, ok := strings.CutSuffix(out, "m0s"); ok {
		out = cut + "m"
	}
	if cut, ok := strings.CutSuffix(out, "h0m"); ok {
		out = cut + "h"
	}
	return out
}
