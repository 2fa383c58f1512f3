package webrtc

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of a server; labels are closed sets.
type metrics struct {
	setup, cut prometheus.Histogram
	all        []prometheus.Collector
}

func (s *Server) register() error {
	seconds := []float64{.05, .1, .25, .5, 1, 2, 5, 10, 30, 60}
	s.metrics.setup = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "tandem_webrtc_setup_seconds", Help: "From a browser's first offer to its first packet.", Buckets: seconds,
	})
	s.metrics.cut = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "tandem_webrtc_cut_seconds", Help: "How long browsers were cut off that came back.", Buckets: seconds,
	})
	s.metrics.all = []prometheus.Collector{s.metrics.setup, s.metrics.cut}
	for _, state := range []State{StateNew, StateConnecting, StateUp, StateCut, StateGone} {
		s.metrics.all = append(s.metrics.all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tandem_webrtc_peers", Help: "Browsers connected, by state.", ConstLabels: prometheus.Labels{"state": string(state)},
		}, func() float64 { return float64(s.count(state)) }))
	}
	for _, why := range dropReasons {
		s.metrics.all = append(s.metrics.all, prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tandem_webrtc_dropped_packets_total", Help: "Packets from browsers, or who pretended to be one, that were dropped, by reason.",
			ConstLabels: prometheus.Labels{"reason": why},
		}, func() float64 { return float64(s.counts.of(why)) }))
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

func (s *Server) unregister() {
	if s.c.Registerer == nil {
		return
	}
	for _, c := range s.metrics.all {
		s.c.Registerer.Unregister(c)
	}
}
