package webrtc

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/media/webrtc/port"
)

// metrics of a server; labels are closed sets.
type metrics struct {
	peers, screens gauges
	all            []prometheus.Collector
}

// gauges are those of one sort of connections.
type gauges struct{ setup, cut prometheus.Histogram }

func (s *Server) register() error {
	s.sort(&s.metrics.peers, "tandem_webrtc", "peers", "Browsers connected, by state.")
	s.sort(&s.metrics.screens, "tandem_webrtc_screen", "connections", "Browsers connected for pictures, by state.")
	for _, why := range port.Reasons() {
		s.metrics.all = append(s.metrics.all, prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tandem_webrtc_dropped_packets_total", Help: "Packets from browsers, or who pretended to be one, that were dropped, by reason.",
			ConstLabels: prometheus.Labels{"reason": why},
		}, func() float64 { return float64(s.counts.Of(why)) }))
	}
	if s.relay != nil {
		s.metrics.all = append(s.metrics.all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tandem_turn_allocations", Help: "Relays that browsers hold.",
		}, func() float64 { return float64(s.relay.Held()) }), prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tandem_turn_refused_total", Help: "Requests refused: credentials, permissions, or too many relays.",
		}, func() float64 { return float64(s.relay.Refused()) }))
	}
	if s.c.Registerer == nil {
		return nil
	}
	for i, c := range s.metrics.all {
		if err := s.c.Registerer.Register(c); err != nil {
			s.metrics.all = s.metrics.all[:i]
			return errors.Join(fmt.Errorf("webrtc: registering metrics: %w", err))
		}
	}
	return nil
}

// sort makes the metrics of one sort of connections.
func (s *Server) sort(g *gauges, name, all, help string) {
	seconds := []float64{.05, .1, .25, .5, 1, 2, 5, 10, 30, 60}
	g.setup = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: name + "_setup_seconds", Help: "From a browser's first offer to its first packet.", Buckets: seconds,
	})
	g.cut = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: name + "_cut_seconds", Help: "How long browsers were cut off that came back.", Buckets: seconds,
	})
	s.metrics.all = append(s.metrics.all, g.setup, g.cut)
	for _, state := range []State{StateNew, StateConnecting, StateUp, StateCut, StateGone} {
		s.metrics.all = append(s.metrics.all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: name + "_" + all, Help: help, ConstLabels: prometheus.Labels{"state": string(state)},
		}, func() float64 { return float64(s.count(g, state)) }))
	}
}

func (s *Server) unregister() {
	if s.c.Registerer == nil {
		return
	}
	for _, c := range s.metrics.all {
		s.c.Registerer.Unregister(c)
	}
}
