package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// key tells flows apart: all callers of a load generator share one port, so the
// sender's address and SSRC decide.
type key struct {
	ip   uint32
	port uint16
	ssrc uint32
}

// header is what the figures need of a packet.
type header struct {
	key    key
	seq    uint16
	ts     uint32
	marker bool
}

// flow is what is known of one stream so far.
type flow struct {
	seq      uint16
	ts       uint32
	at       int64   // ns, of the newest packet
	media    int64   // ns of media since the segment began
	schedule []int64 // arrival less media time of each packet of the segment, ns
}

// figures gathers pacing and loss over all flows. One goroutine feeds it.
type figures struct {
	tick          int64 // ns per RTP timestamp step
	flows         map[key]*flow
	devs, lags    []float64 // ms
	total         int
	lost, reorder int
	first, last   int64
}

func newFigures(clock int) *figures {
	return &figures{tick: int64(time.Second) / int64(clock), flows: map[key]*flow{}}
}

// longestStep bounds what counts as pacing: a longer step of the timestamp is a
// pause between prompts.
const longestStep = int64(100 * time.Millisecond)

// add takes one packet that arrived at a time in ns.
func (g *figures) add(h header, at int64) {
	if g.first == 0 {
		g.first = at
	}
	g.last = at
	g.total++
	f := g.flows[h.key]
	if f == nil {
		g.flows[h.key] = &flow{seq: h.seq, ts: h.ts, at: at, schedule: []int64{at}}
		return
	}
	switch ahead := int16(h.seq - f.seq); {
	case ahead <= 0:
		g.reorder++
		return
	case ahead > 1:
		g.lost += int(ahead) - 1
	default:
		g.pace(f, h, at)
	}
	f.seq, f.ts, f.at = h.seq, h.ts, at
}

// pace judges a packet that follows its predecessor.
func (g *figures) pace(f *flow, h header, at int64) {
	step := int64(int32(h.ts-f.ts)) * g.tick
	if step <= 0 || step > longestStep || h.marker {
		g.closeSegment(f)
		f.schedule = append(f.schedule, at)
		return
	}
	dev := at - f.at - step
	g.devs = append(g.devs, float64(max(dev, -dev))/1e6)
	f.media += step
	f.schedule = append(f.schedule, at-f.media)
}

// closeSegment measures how far each packet of a run with unbroken timestamps came
// behind the best schedule of that run.
func (g *figures) closeSegment(f *flow) {
	if len(f.schedule) == 0 {
		return
	}
	best := slices.Min(f.schedule)
	for _, s := range f.schedule {
		g.lags = append(g.lags, float64(s-best)/1e6)
	}
	f.schedule, f.media = f.schedule[:0], 0
}

// report closes all flows and writes the figures as key=value lines.
func (g *figures) report(w io.Writer) error {
	for _, f := range g.flows {
		g.closeSegment(f)
	}
	slices.Sort(g.devs)
	slices.Sort(g.lags)
	secs := float64(g.last-g.first) / 1e9
	if secs <= 0 {
		secs = 1
	}
	over := func(ms float64) float64 {
		if len(g.devs) == 0 {
			return 0
		}
		n, _ := slices.BinarySearch(g.devs, ms)
		return float64(len(g.devs)-n) / float64(len(g.devs)) * 1e6
	}
	_, err := fmt.Fprintf(w, `rtp_flows=%d
rtp_packets=%d
rtp_pps=%.0f
rtp_lost=%d
rtp_reordered=%d
pace_dev_ms_p50=%.3f
pace_dev_ms_p99=%.3f
pace_dev_ms_p999=%.3f
pace_dev_ms_max=%.3f
pace_lag_ms_p50=%.3f
pace_lag_ms_p99=%.3f
pace_lag_ms_max=%.3f
pace_over10ms_ppm=%.0f
pace_over20ms_ppm=%.0f
pace_over40ms_ppm=%.0f
`, len(g.flows), g.total, float64(g.total)/secs, g.lost, g.reorder,
		share(g.devs, 0.50), share(g.devs, 0.99), share(g.devs, 0.999), share(g.devs, 1),
		share(g.lags, 0.50), share(g.lags, 0.99), share(g.lags, 1), over(10), over(20), over(40))
	return err
}

// share is the value below which a share of the sorted values lies.
func share(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(p*float64(len(sorted)-1))]
}
