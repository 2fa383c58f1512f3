package suite

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/source"
)

// DefaultSeed makes the numbers and addresses of tests where nobody gives another.
const DefaultSeed = 1

// Options are how tests are run.
type Options struct {
	Match   *regexp.Regexp   // only cases whose title it matches; nil = all
	Seed    uint64           // 0 = DefaultSeed
	Workers int              // cases at a time; 0 = as many as there are processors
	Now     func() time.Time // tells how long cases take; nil = nobody wants to know
	// Stop is asked before each case; what it returns fails the cases that have not run.
	// nil = never.
	Stop func() error
}

// Report is what came of test files.
type Report struct {
	Passed   int                 `json:"passed"`
	Failed   int                 `json:"failed"`
	Problems []source.Diagnostic `json:"problems"` // mistakes in the test files; a file with an error runs no test
	Cases    []Case              `json:"cases"`    // in the order of the files
	Coverage []Coverage          `json:"coverage"` // of each flow under test, then of those they call; none with Options.Match
}

// Case is one test on one channel.
type Case struct {
	Name       string         `json:"name"`
	Flow       string         `json:"flow"`
	Channel    tandem.Channel `json:"channel"`
	OK         bool           `json:"ok"`
	File       string         `json:"file"`
	Line       int            `json:"line"` // of the failure; of the test if it passed
	Message    string         `json:"message,omitempty"`
	Failure    *Failure       `json:"failure,omitempty"`
	Transcript string         `json:"transcript"`
	Took       time.Duration  `json:"-"`

	walked
}

// Bad tells whether the tests as a whole have failed: by a case, by a mistake in a
// file, or by a flow that is covered less than its files, or least, ask for.
func (r *Report) Bad(least int) bool {
	if r.Failed > 0 || source.HasErrors(r.Problems) {
		return true
	}
	return slices.ContainsFunc(r.Coverage, func(c Coverage) bool { return c.Short(least) })
}

// job is one case to be run.
type job struct {
	d       *document
	t       *test
	channel tandem.Channel
}

// Run runs the tests of files against a library. The report is the same each time, but
// for how long it took.
func Run(lib *flow.Library, files []File, o Options) Report {
	if o.Seed == 0 {
		o.Seed = DefaultSeed
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	r := Report{Problems: []source.Diagnostic{}, Cases: []Case{}}
	documents := make([]*document, len(files))
	spread(len(files), o.Workers, func(i int) { documents[i] = readFile(lib, files[i]) })
	var jobs []job
	cover := newCounter(lib)
	for _, d := range documents {
		found := d.Found()
		source.Sort(found)
		r.Problems = append(r.Problems, found...)
		if d.Broken() || d.flow == nil {
			continue
		}
		cover.tested(d)
		for _, t := range d.tests {
			for _, channel := range t.channels {
				if o.Match == nil || o.Match.MatchString(t.title(channel)) {
					jobs = append(jobs, job{d, t, channel})
				}
			}
		}
	}
	r.Cases = make([]Case, len(jobs))
	spread(len(jobs), o.Workers, func(i int) { r.Cases[i] = jobs[i].run(o) })
	for _, c := range r.Cases {
		if c.OK {
			r.Passed++
		} else {
			r.Failed++
		}
		cover.add(c.walked)
	}
	r.Coverage = []Coverage{}
	if o.Match == nil { // of some tests alone it says nothing
		r.Coverage = cover.report()
	}
	return r
}

// spread calls do for each index, on so many goroutines, and waits for all.
func spread(n, workers int, do func(int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// run plays one case.
func (j job) run(o Options) Case {
	c := Case{Name: j.t.title(j.channel), Flow: j.d.flow.Name, Channel: j.channel, File: j.d.Path, Line: j.t.place.Line}
	var began time.Time
	if o.Now != nil {
		began = o.Now()
	}
	var p *play
	var err error
	if o.Stop != nil {
		err = o.Stop()
	}
	if err == nil {
		p, err = j.d.begin(j.t, j.channel, o.Seed)
	}
	if err != nil {
		c.Failure = &Failure{
			Line: j.t.place.Line, Column: j.t.place.Col, Expected: "the flow begins", Got: err.Error(),
			Snippet: j.d.line(j.t.place.Line), Width: len([]rune(j.t.name)),
		}
	} else {
		c.Failure = p.run()
		if fault := p.talk.Fault(); fault != nil && c.Failure == nil {
			c.Failure = &Failure{
				Line: j.t.place.Line, Column: j.t.place.Col, Step: p.talk.Session().Wait.Step, Expected: "the flow goes on", Got: fault.Error(),
				Snippet: j.d.line(j.t.place.Line), Width: len([]rune(j.t.name)),
			}
		}
		c.Transcript = p.talk.Transcript()
		c.walked = walkedBy(p.talk)
	}
	if o.Now != nil {
		c.Took = o.Now().Sub(began)
	}
	c.OK = c.Failure == nil
	if !c.OK {
		c.Line, c.Message = c.Failure.Line, c.Failure.sentence()
	}
	return c
}

// sentence is a failure on one line.
func (f *Failure) sentence() string {
	s := fmt.Sprintf("expected %s; got %s", f.Expected, oneLine(f.Got))
	if f.Step != "" {
		s = "in step " + f.Step + ": " + s
	}
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return s
}

// walked is where one case went.
type walked struct {
	entered []simulate.Visit
	left    []tandem.StepLeft
}

func walkedBy(t *simulate.Talk) walked { return walked{t.Entered(), t.Left()} }
