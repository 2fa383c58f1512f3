// Package alert watches the line for supervisors: a rule says which figure of a queue, or of
// all, is beyond which bound for how long; when it is, an alert fires, and when it is not for as
// long any more, the alert is resolved. Measuring and deciding are pure functions of the board's
// picture, the rule and the time.
//
// A Keeper owns the tables alert_rule and alert and runs one goroutine, Run. What fires is kept
// and goes out to receivers of webhooks in one transaction. It changes nothing about the line,
// and knows nothing of customers.
package alert

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tandem"
	"tandem/web/desk/board"
)

// Metric is what a rule measures.
type Metric string

const (
	Longest   Metric = "longest"   // seconds that the first in line waits; fires above
	Waiting   Metric = "waiting"   // tasks that wait, of all kinds those on offer too; fires above
	Abandoned Metric = "abandoned" // customers who left today before anybody had them; fires above
	Level     Metric = "level"     // today's service level, 0 to 1; fires below
	Free      Metric = "free"      // agents who are available, reachable and have nothing; fires below
)

// Metrics are all.
func Metrics() []Metric { return []Metric{Longest, Waiting, Abandoned, Level, Free} }

// below reports whether a metric fires below its bound.
func (m Metric) below() bool { return m == Level || m == Free }

// byKind reports whether a metric can be had of one kind of task.
func (m Metric) byKind() bool { return m != Free && m != Longest }

// Severity is how much an alert matters.
type Severity string

const (
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Bounds of what a rule may say.
const (
	maxName    = 100 // characters
	maxRules   = 100
	maxHold    = time.Hour
	maxBound   = 7 * 24 * 3600.0
	leastLevel = 5 // tasks that a service level is of, at least
)

// Rule is one.
type Rule struct {
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Queue string          `json:"queue"` // "" = all together
	Kind  tandem.TaskKind `json:"kind"`  // "" = of all
	// Metric fires beyond Bound and is over within Clear, when either has been so for Hold
	// seconds.
	Metric   Metric    `json:"metric"`
	Bound    float64   `json:"bound"`
	Clear    float64   `json:"clear"`
	Hold     float64   `json:"hold"`
	Severity Severity  `json:"severity"`
	Sound    bool      `json:"sound"`
	Active   bool      `json:"active"`
	Made     time.Time `json:"made"`
	By       string    `json:"made_by"`
}

// fit checks a rule that somebody wrote, and completes it.
func (r *Rule) fit(queues func(string) bool) error {
	r.Name = strings.TrimSpace(r.Name)
	bad := func(format string, args ...any) error { return tandem.Errorf(tandem.CodeInvalid, format, args...) }
	if r.Severity == "" {
		r.Severity = Warning
	}
	switch {
	case r.Name == "" || utf8.RuneCountInString(r.Name) > maxName || strings.ContainsFunc(r.Name, unprintable):
		return bad("name has 1 to %d characters, in one line", maxName)
	case r.Queue != "" && !queues(r.Queue):
		return bad("there is no queue %q", r.Queue)
	case !slices.Contains(Metrics(), r.Metric):
		return bad("metric is longest, waiting, abandoned, level or free")
	case r.Kind != "" && !slices.Contains(board.Kinds(), r.Kind):
		return bad("kind is call, chat, sms, callback, voicemail or ticket")
	case r.Kind != "" && !r.Metric.byKind():
		return bad("%s is of all kinds: leave kind out", r.Metric)
	case r.Severity != Warning && r.Severity != Critical:
		return bad("severity is warning or critical")
	case !finite(r.Bound) || r.Bound < 0 || r.Bound > maxBound || r.Metric == Level && r.Bound > 1:
		return bad("bound is a number from 0; of level from 0 to 1")
	case !finite(r.Clear) || r.Clear < 0 || r.Clear > maxBound || r.Metric == Level && r.Clear > 1:
		return bad("clear is a number from 0; of level from 0 to 1")
	case r.Metric.below() && r.Clear < r.Bound || !r.Metric.below() && r.Clear > r.Bound:
		return bad("clear lies on the good side of bound, or is the same")
	case !finite(r.Hold) || r.Hold < 0 || r.Hold > maxHold.Seconds():
		return bad("hold is 0 to %d seconds", int(maxHold.Seconds()))
	}
	return nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// unprintable are controls, and what turns the direction of writing.
func unprintable(c rune) bool {
	return unicode.IsControl(c) || (c >= '\u202a' && c <= '\u202e') || (c >= '\u2066' && c <= '\u2069') || c == utf8.RuneError
}

// Measure is what a rule's metric is now; ok is false if there is nothing to measure: no such
// queue, or of a service level fewer than five tasks.
func Measure(r *Rule, figures []board.Figures, free int, now time.Time) (value float64, ok bool) {
	answered, left, within := 0, 0, 0
	for i := range figures {
		f := &figures[i]
		if r.Queue != "" && f.Name != r.Queue {
			continue
		}
		ok = true
		day := f.Today.Of(r.Kind)
		answered, left, within = answered+day.Answered, left+day.Left, within+day.Within
		switch r.Metric {
		case Longest:
			if !f.Oldest.IsZero() {
				value = max(value, now.Sub(f.Oldest).Seconds())
			}
		case Waiting:
			if r.Kind != "" {
				value += float64(f.Waiting[r.Kind])
			} else {
				value += float64(f.Total + f.Offered) // who rings is not served yet
			}
		case Free:
			value += float64(f.Agents.Free)
		}
	}
	switch {
	case r.Metric == Abandoned:
		value = float64(left)
	case r.Metric == Free && r.Queue == "": // who serves two queues is one
		value = float64(free)
	case r.Metric == Level && answered+left < leastLevel:
		return 0, false
	case r.Metric == Level:
		value = float64(within) / float64(answered+left)
	}
	return value, ok
}

// Watch is how a rule stands.
type Watch struct {
	Firing  bool
	Value   float64
	Known   bool      // Value is one
	Turning time.Time // it has been the other way since then; zero = it is not
}

// Change is what came of a look.
type Change int

const (
	Still Change = iota
	Fired
	Resolved
)

// Look is one look at a rule's value. What cannot be measured changes nothing but is no
// reason to fire.
func (w Watch) Look(r *Rule, value float64, known bool, now time.Time) (Watch, Change) {
	w.Value, w.Known = value, known
	turns := false
	switch {
	case !known:
		turns = w.Firing
	case w.Firing && r.Metric.below():
		turns = value >= r.Clear
	case w.Firing:
		turns = value <= r.Clear
	case r.Metric.below():
		turns = value < r.Bound
	default:
		turns = value > r.Bound
	}
	if !turns {
		w.Turning = time.Time{}
		return w, Still
	}
	if w.Turning.IsZero() || now.Before(w.Turning) {
		w.Turning = now
	}
	if now.Sub(w.Turning).Seconds() < r.Hold {
		return w, Still
	}
	w.Turning, w.Firing = time.Time{}, !w.Firing
	if w.Firing {
		return w, Fired
	}
	return w, Resolved
}
