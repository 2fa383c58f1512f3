package whatif

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"time"
)

// Named is a report under the name of its policy.
type Named struct {
	Name   string
	Report *Report
}

// Sizes of the picture, in SVG's units.
const (
	plotWidth  = 960
	plotHeight = 220
	plotLeft   = 70
	plotTop    = 46
	plotGap    = 64
)

// colours tell reports and classes apart, also for most who see few colours (Okabe and Ito).
func colours() []string {
	return []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}
}

// Plot draws reports as one SVG: how many were in line over time, how long each class
// waited, and how busy agents were.
func Plot(reports ...Named) []byte {
	var b bytes.Buffer
	height := 3*(plotHeight+plotTop+plotGap) + 20
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="sans-serif" font-size="12" fill="#222">`,
		plotWidth, height, plotWidth, height)
	b.WriteString(`<title>Routing what-if: tasks in line, waits and occupancy</title><rect width="100%" height="100%" fill="#fff"/>` + "\n")
	legend(&b, reports)
	y := 20
	for _, draw := range []func(*bytes.Buffer, []Named){drawLine, drawWaits, drawAgents} {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", plotLeft, y+plotTop)
		draw(&b, reports)
		b.WriteString("</g>\n")
		y += plotHeight + plotTop + plotGap
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func legend(b *bytes.Buffer, reports []Named) {
	x := plotLeft
	for i, r := range reports {
		fmt.Fprintf(b, `<rect x="%d" y="8" width="12" height="12" fill="%s"/><text x="%d" y="18">%s</text>`+"\n", x, colour(i), x+18, html.EscapeString(r.Name))
		x += 40 + 7*len([]rune(r.Name))
	}
}

func colour(i int) string { c := colours(); return c[i%len(c)] }

// axes draws a frame with a title, and lines with figures at the left.
func axes(b *bytes.Buffer, title string, most float64, unit string) (scale func(v float64) float64) {
	fmt.Fprintf(b, `<text x="0" y="-14" font-size="14" font-weight="bold">%s</text>`+"\n", html.EscapeString(title))
	step := niceStep(most)
	top := math.Max(step, math.Ceil(most/step)*step)
	scale = func(v float64) float64 { return plotHeight - v/top*plotHeight }
	for v := 0.0; v <= top+step/2; v += step {
		fmt.Fprintf(b, `<path d="M0 %.1fH%d" stroke="#ddd"/><text x="-8" y="%.1f" text-anchor="end">%g%s</text>`+"\n", scale(v), plotWidth-plotLeft-20, scale(v)+4, round3(v), unit)
	}
	return scale
}

// niceStep is a round distance of 4 to 8 lines.
func niceStep(most float64) float64 {
	if most <= 0 {
		return 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, f := range []float64{1, 2, 5, 10} {
		if most/(step*f) <= 8 {
			return step * f
		}
	}
	return step * 10
}

func round3(v float64) float64 { return math.Round(v*1000) / 1000 }

func drawLine(b *bytes.Buffer, reports []Named) {
	most := 0.0
	for _, r := range reports {
		for _, p := range r.Report.Line {
			most = math.Max(most, float64(p.N))
		}
	}
	scale := axes(b, "Tasks in line", most, "")
	width := float64(plotWidth - plotLeft - 20)
	for i, r := range reports {
		span := r.Report.Until.Sub(r.Report.From)
		if span <= 0 {
			continue
		}
		x := func(at time.Time) float64 { return math.Min(1, float64(at.Sub(r.Report.From))/float64(span)) * width }
		fmt.Fprintf(b, `<path fill="none" stroke="%s" stroke-width="1.3" d="M0 %d`, colour(i), plotHeight)
		for _, p := range r.Report.Line {
			fmt.Fprintf(b, "H%.1fV%.1f", x(p.At), scale(float64(p.N)))
		}
		fmt.Fprintf(b, `H%.1f"/>`+"\n", width)
		if i == 0 {
			for k := 0; k <= 6; k++ {
				at := r.Report.From.Add(span * time.Duration(k) / 6)
				fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(at), plotHeight+18, at.Format("15:04"))
			}
		}
	}
}

// drawWaits draws a bar from the median to the 90 % wait of each class of each report,
// with a tick where its target is.
func drawWaits(b *bytes.Buffer, reports []Named) {
	most, n := 0.0, 0
	for _, r := range reports {
		n = max(n, len(r.Report.Classes))
		for _, c := range r.Report.Classes {
			most = math.Max(most, math.Max(c.P90, math.Min(c.Target, 2*c.P90)))
		}
	}
	scale := axes(b, "Wait of those served: bar to the 90 % wait, white line at the median, dashed at the target", most, " s")
	slot := float64(plotWidth-plotLeft-20) / float64(max(n, 1))
	for k := range n {
		for i, r := range reports {
			if k >= len(r.Report.Classes) {
				continue
			}
			c := r.Report.Classes[k]
			width, x := bar(slot, k, i, len(reports))
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x, scale(c.P90), width*0.92, plotHeight-scale(c.P90), colour(i))
			fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="#fff" stroke-width="2"/>`+"\n", x, scale(c.P50), width*0.92)
			if scale(c.Target) >= 0 {
				fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="#222" stroke-dasharray="4 3"/>`+"\n", x, scale(c.Target), width*0.92)
			}
			if i == 0 {
				label := c.Queue + " " + string(c.Kind)
				if c.Level != "" {
					label += " " + c.Level
				}
				fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", slot*(float64(k)+0.5), plotHeight+18, html.EscapeString(label))
			}
		}
	}
}

// bar is where the bar of report i of n stands in slot k.
func bar(slot float64, k, i, n int) (width, x float64) {
	const widest = 56
	width = math.Min(slot*0.8/float64(n), widest)
	return width, slot*(float64(k)+0.5) - width*float64(n)/2 + width*float64(i)
}

// mostBars bounds how many agents are drawn.
const mostBars = 60

func drawAgents(b *bytes.Buffer, reports []Named) {
	scale := axes(b, "Occupancy of agents: the share of their time with at least one task, notes included", 100, " %")
	n := 0
	for _, r := range reports {
		n = max(n, min(len(r.Report.Agents), mostBars))
	}
	slot := float64(plotWidth-plotLeft-20) / float64(max(n, 1))
	for i, r := range reports {
		for k, a := range r.Report.Agents[:min(len(r.Report.Agents), mostBars)] {
			width, x := bar(slot, k, i, len(reports))
			y := scale(math.Min(100, a.Occupancy*100))
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x, y, width*0.92, plotHeight-y, colour(i))
			if i == 0 && n <= 16 {
				fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`, slot*(float64(k)+0.5), plotHeight+18, html.EscapeString(a.Name))
			}
			b.WriteByte('\n')
		}
	}
}
