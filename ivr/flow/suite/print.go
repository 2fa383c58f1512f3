package suite

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"tandem/ivr/flow/source"
)

// Style is how a report is printed for people.
type Style struct {
	Color       bool
	Transcripts bool // of every case, not of those alone that have failed
	Least       int  // percent of edges that every flow is held to; 0 = what its files ask for
	Took        time.Duration
}

// Print writes a report for people: mistakes, failures with what was expected and what
// came, coverage, and a last line with the numbers.
func Print(w io.Writer, r Report, s Style) {
	p := printer{w, s}
	if len(r.Problems) > 0 {
		source.Print(w, r.Problems, s.Color)
		fmt.Fprintln(w)
	}
	for _, c := range r.Cases {
		switch {
		case !c.OK:
			p.failure(c)
		case s.Transcripts:
			fmt.Fprintf(w, "%s: %s %s\n%s\n", c.File, p.paint("1;32", "passed:"), c.Name, indented(c.Transcript))
		}
	}
	for _, c := range r.Coverage {
		p.coverage(c)
	}
	verdict := p.paint("1;32", "passed")
	if r.Bad(s.Least) {
		verdict = p.paint("1;31", "failed")
	}
	fmt.Fprintf(w, "%s: %s passed, %d failed", verdict, counted(r.Passed, "test"), r.Failed)
	if n := len(r.Problems); n > 0 {
		fmt.Fprintf(w, ", %s in the test files", counted(n, "mistake"))
	}
	if s.Took > 0 {
		fmt.Fprintf(w, ", in %.2f s", s.Took.Seconds())
	}
	fmt.Fprintln(w)
}

type printer struct {
	w io.Writer
	s Style
}

func (p printer) paint(code, s string) string {
	if !p.s.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p printer) failure(c Case) {
	f := c.Failure
	fmt.Fprintf(p.w, "%s:%d:%d: %s %s\n", c.File, f.Line, max(f.Column, 1), p.paint("1;31", "failed:"), c.Name)
	if f.Snippet != "" {
		number := fmt.Sprintf("%5d", f.Line)
		fmt.Fprintf(p.w, "%s | %s\n", number, f.Snippet)
		before := string([]rune(f.Snippet)[:min(max(f.Column-1, 0), utf8.RuneCountInString(f.Snippet))])
		fmt.Fprintf(p.w, "%s | %s%s\n", strings.Repeat(" ", len(number)), blanks(before), p.paint("1;31", strings.Repeat("^", max(f.Width, 1))))
	}
	if f.Step != "" {
		fmt.Fprintf(p.w, "  in step   %s\n", f.Step)
	}
	fmt.Fprintf(p.w, "  expected  %s\n", f.Expected)
	for i, row := range strings.Split(f.Got, "\n") {
		word := "got"
		if i > 0 {
			word = ""
		}
		fmt.Fprintf(p.w, "  %-8s  %s\n", word, row)
	}
	if f.Hint != "" {
		fmt.Fprintf(p.w, "  %s      %s\n", p.paint("1;32", "hint"), f.Hint)
	}
	if c.Transcript != "" {
		fmt.Fprintf(p.w, "  what happened up to there:\n%s", indented(c.Transcript))
	}
	fmt.Fprintln(p.w)
}

// blanks is as wide as s on a terminal, tabs kept.
func blanks(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s) + strings.Repeat(" ", wideIn(s))
}

// wideIn counts the characters of s that take two columns.
func wideIn(s string) int {
	n := 0
	for _, r := range s {
		if r >= 0x1100 && r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xff00 && r <= 0xff60 {
			n++
		}
	}
	return n
}

func indented(s string) string {
	var b strings.Builder
	for row := range strings.Lines(s) {
		b.WriteString("    " + row)
	}
	return b.String()
}

func (p printer) coverage(c Coverage) {
	note := ""
	if c.Short(p.s.Least) {
		note = p.paint("1;31", fmt.Sprintf("  less than the %d %% asked for", max(c.Least, p.s.Least)))
	}
	fmt.Fprintf(p.w, "coverage of %s: steps %d of %d, edges %d of %d (%.1f %%)%s\n",
		c.Flow, c.Steps.Covered, c.Steps.Total, c.Edges.Covered, c.Edges.Total, c.Edges.Percent(), note)
	for _, e := range c.Edges.Missing {
		from := cmp.Or(e.Step, c.Flow)
		label := ""
		if e.Label != "" {
			label = " (" + e.Label + ")"
		}
		fmt.Fprintf(p.w, "  %s:%d: nobody went from %s to %s%s\n", c.File, e.Line, from, e.To, label)
	}
}

// counted is a number of things.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// PrintJSON writes a report for programs.
func PrintJSON(w io.Writer, r Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// The elements of JUnit's report, as build servers read it.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Error   *junitFailure `xml:"error,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report as build servers read it: a suite for each file, an error for
// each mistake in one.
func JUnit(w io.Writer, r Report) error {
	var out junitSuites
	at := map[string]int{}
	suite := func(file string) *junitSuite {
		i, ok := at[file]
		if !ok {
			i = len(out.Suites)
			at[file] = i
			out.Suites = append(out.Suites, junitSuite{Name: file})
		}
		return &out.Suites[i]
	}
	for _, d := range r.Problems {
		if d.Severity != source.Error {
			continue
		}
		s := suite(d.File)
		s.Tests, s.Errors = s.Tests+1, s.Errors+1
		out.Tests, out.Errors = out.Tests+1, out.Errors+1
		s.Cases = append(s.Cases, junitCase{
			Name: fmt.Sprintf("line %d", d.Line), Class: d.File, File: d.File, Line: d.Line, Time: "0",
			Error: &junitFailure{Message: clean(d.Message), Type: d.Rule, Text: clean(d.Suggestion)},
		})
	}
	var all time.Duration
	took := map[string]time.Duration{}
	for _, c := range r.Cases {
		s := suite(c.File)
		s.Tests, out.Tests = s.Tests+1, out.Tests+1
		took[c.File] += c.Took
		all += c.Took
		one := junitCase{Name: clean(c.Name), Class: c.Flow, File: c.File, Line: c.Line, Time: seconds(c.Took)}
		if !c.OK {
			s.Failures, out.Failures = s.Failures+1, out.Failures+1
			one.Failure = &junitFailure{Message: clean(c.Message), Type: "expectation", Text: clean(c.Transcript)}
		}
		s.Cases = append(s.Cases, one)
	}
	for i := range out.Suites {
		out.Suites[i].Time = seconds(took[out.Suites[i].Name])
	}
	out.Time = seconds(all)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

// clean drops the characters that XML cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, s)
}
