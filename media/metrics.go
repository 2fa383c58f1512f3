package media

import (
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// totals are a shard's counters for others to read; the shard brings them up to
// date once a second.
type totals struct {
	sent, received, skipped, late, dropped, sendErrors atomic.Uint64
}

// register adds the engine's metrics to the configured registry.
func (e *Engine) register() error {
	if e.cfg.Registerer == nil {
		return nil
	}
	sum := func(pick func(*totals) *atomic.Uint64) func() float64 {
		return func() (n float64) {
			for _, sh := range e.shards {
				n += float64(pick(&sh.totals).Load())
			}
			return n
		}
	}
	count := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "tandem", Subsystem: "media", Name: name, Help: help}, f)
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tandem", Subsystem: "media", Name: name, Help: help}, f)
	}
	for _, c := range []prometheus.Collector{
		gauge("streams", "Open RTP streams that have a port.", func() float64 { return float64(e.Load().Streams) }),
		gauge("wires", "Open streams without one: browsers.", func() float64 { return float64(e.Load().Wires) }),
		gauge("lateness_p99_seconds", "How late packets leave, 99th percentile of the last two seconds, worst shard.",
			func() float64 { return e.Load().Lateness.Seconds() }),
		count("packets_sent_total", "RTP packets sent.", sum(func(t *totals) *atomic.Uint64 { return &t.sent })),
		count("packets_received_total", "RTP packets accepted.", sum(func(t *totals) *atomic.Uint64 { return &t.received })),
		count("send_errors_total", "RTP packets the kernel refused.", sum(func(t *totals) *atomic.Uint64 { return &t.sendErrors })),
		count("frames_skipped_total", "Frames not sent because a shard was later than 40 ms.", sum(func(t *totals) *atomic.Uint64 { return &t.skipped })),
		count("late_wakeups_total", "Wake-ups of a shard later than one slot.", sum(func(t *totals) *atomic.Uint64 { return &t.late })),
		count("events_dropped_total", "Keys and other events that a stream's owner did not fetch.", sum(func(t *totals) *atomic.Uint64 { return &t.dropped })),
		count("panics_total", "Faults that ended one stream or recording only.", func() float64 { return float64(e.panics.Load()) }),
		count("packets_lost_total", "RTP packets that did not arrive, of closed streams.", func() float64 { return float64(e.lost.Load()) }),
		count("strangers_total", "Packets dropped because of their source, of closed streams.", func() float64 { return float64(e.strangers.Load()) }),
	} {
		if err := e.cfg.Registerer.Register(c); err != nil {
			return fmt.Errorf("registering media metrics: %w", err)
		}
		e.collectors = append(e.collectors, c)
	}
	return nil
}

func (e *Engine) unregister() {
	for _, c := range e.collectors {
		e.cfg.Registerer.Unregister(c)
	}
}
