// Command routeplot draws how the time of a routing decision grows, out of what
// "go test -bench Decision ./bridge/route" printed:
//
//	routeplot [-o FILE.svg] [FILE]
//
// It reads standard input without FILE, prints the figures as a table, and judges nothing.
// It runs no goroutine and writes nothing but the picture.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// row is one line of the benchmark: sizes, and times.
type row struct {
	waiting, agents, demands, supplies float64
	all                                bool    // everybody can take everything
	decide, apply                      float64 // medians, ns
}

var name = regexp.MustCompile(`^BenchmarkDecision/waiting=(\d+)/agents=(\d+)/demands=(\d+)/supplies=(\d+)(/all)?`)

func main() {
	out := flag.String("o", "", "write an SVG to this file")
	flag.Parse()
	in := io.Reader(os.Stdin)
	if flag.NArg() > 0 {
		f, err := os.Open(flag.Arg(0))
		if err != nil {
			fail(err)
		}
		defer f.Close()
		in = f
	}
	rows, err := read(in)
	if err != nil {
		fail(err)
	}
	table(os.Stdout, rows)
	if *out != "" {
		if err := os.WriteFile(*out, []byte(picture(rows)), 0o644); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "routeplot:", err)
	os.Exit(1)
}

func read(in io.Reader) ([]row, error) {
	var rows []row
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		sizes := name.FindStringSubmatch(lines.Text())
		if sizes == nil {
			continue
		}
		r := row{figure(sizes[1]), figure(sizes[2]), figure(sizes[3]), figure(sizes[4]), sizes[5] != "", 0, 0}
		fields := strings.Fields(lines.Text())
		for i := 1; i < len(fields); i++ {
			switch fields[i] {
			case "decide-ns":
				r.decide = figure(fields[i-1])
			case "apply-ns":
				r.apply = figure(fields[i-1])
			}
		}
		rows = append(rows, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the benchmark: %w", err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("there is no BenchmarkDecision in the input: run go test -run '^$' -bench Decision ./bridge/route")
	}
	return rows, nil
}

func figure(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}

func table(w io.Writer, rows []row) {
	fmt.Fprintf(w, "%9s %8s %8s %9s %12s %12s\n", "waiting", "agents", "demands", "supplies", "decide_us", "with_record")
	for _, r := range rows {
		fmt.Fprintf(w, "%9.0f %8.0f %8.0f %9.0f %12.2f %12.2f", r.waiting, r.agents, r.demands, r.supplies, r.decide/1e3, r.apply/1e3)
		if r.all {
			fmt.Fprint(w, "  everybody can take everything")
		}
		fmt.Fprintln(w)
	}
}

// panel is one way to grow: what is on its axis, and the rows that differ in it alone from
// the one that most have in common.
type panel struct {
	title string
	at    func(r row) float64
	in    func(r row) bool
}

var panels = []panel{
	{"tasks waiting (5,000 agents, 40 classes of each)", func(r row) float64 { return r.waiting }, func(r row) bool { return r.agents == 5000 && r.supplies == 40 && !r.all }},
	{"agents (100,000 waiting, 40 classes of each)", func(r row) float64 { return r.agents }, func(r row) bool { return r.waiting == 100_000 && r.supplies == 40 }},
	{"classes of agents (100,000 waiting, 5,000 agents)", func(r row) float64 { return r.supplies }, func(r row) bool { return r.waiting == 100_000 && r.agents == 5000 && !r.all }},
}

// Sizes of the picture, in its own units; both axes are logarithmic, time from least to
// most nanoseconds.
const (
	width, height = 360.0, 300.0
	left, top     = 60.0, 40.0
	least, most   = 1e2, 1e6
	limit         = 50_000 // ns: what a decision may take
)

func picture(rows []row) string {
	var b strings.Builder
	all := float64(len(panels)) * (width + left + 20)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12">`+"\n", all, height+top+60)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="%.0f" y="20" font-size="14">Time of a routing decision (median): `+
		`<tspan fill="#1565c0">the decision</tspan>, <tspan fill="#ef6c00">the whole event with its record</tspan>, <tspan fill="#c62828">the bound of 50 µs</tspan></text>`+"\n", left)
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%.0f %.0f)">`+"\n", left+float64(i)*(width+left+20), top)
		p.draw(&b, rows)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p panel) draw(b *strings.Builder, rows []row) {
	var in []row
	for _, r := range rows {
		if p.in(r) {
			in = append(in, r)
		}
	}
	slices.SortFunc(in, func(x, y row) int { return int(math.Copysign(1, p.at(x)-p.at(y))) })
	if len(in) == 0 {
		return
	}
	low, high := p.at(in[0])/1.5, p.at(in[len(in)-1])*1.5
	x := func(v float64) float64 { return width * math.Log(v/low) / math.Log(high/low) }
	y := func(ns float64) float64 {
		return height - height*math.Log(min(max(ns, least), most)/least)/math.Log(most/least)
	}
	for i, label := range []string{"0.1 µs", "1 µs", "10 µs", "100 µs", "1 ms"} {
		ns := least * math.Pow10(i)
		fmt.Fprintf(b, `<line x2="%.0f" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="-6" y="%.1f" text-anchor="end">%s</text>`+"\n", width, y(ns), y(ns), y(ns)+4, label)
	}
	fmt.Fprintf(b, `<line x2="%.0f" y1="%.1f" y2="%.1f" stroke="#c62828" stroke-dasharray="5 4"/>`+"\n", width, y(limit), y(limit))
	for _, r := range in {
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%.0f" y2="%.0f" stroke="#888"/><text x="%.1f" y="%.0f" text-anchor="middle">%s</text>`+"\n",
			x(p.at(r)), x(p.at(r)), height, height+5, x(p.at(r)), height+18, short(p.at(r)))
	}
	curve(b, in, "#ef6c00", func(r row) (float64, float64) { return x(p.at(r)), y(r.apply) })
	curve(b, in, "#1565c0", func(r row) (float64, float64) { return x(p.at(r)), y(r.decide) })
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" text-anchor="middle">%s</text>`+"\n", width/2, height+40, p.title)
}

func curve(b *strings.Builder, in []row, colour string, at func(r row) (x, y float64)) {
	var points []string
	for _, r := range in {
		x, y := at(r)
		points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x, y, colour)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s"/>`+"\n", strings.Join(points, " "), colour)
}

// short is a size as an axis has it.
func short(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%gk", v/1000)
	}
	return fmt.Sprintf("%g", v)
}
