package sip

import (
	"strconv"

	gosip "github.com/emiago/sipgo/sip"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of one Server. Every label set is closed.
type metrics struct {
	requests *prometheus.CounterVec // method
	answers  *prometheus.CounterVec // class
	refused  *prometheus.CounterVec // reason: bad messages answered by the gate
	dropped  *prometheus.CounterVec // reason: messages not answered
	ended    *prometheus.CounterVec // class, reason
	dials    prometheus.Counter
	repeats  prometheus.Counter
	panics   prometheus.Counter
	calls    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		requests: counter("tandem_sip_requests_total", "Requests that passed the gate.", "method"),
		answers:  counter("tandem_sip_answers_total", "Final answers sent, by class of status code.", "class"),
		refused:  counter("tandem_sip_gate_refused_total", "Malformed or excessive requests answered at the gate.", "reason"),
		dropped:  counter("tandem_sip_dropped_total", "Messages dropped without an answer.", "reason"),
		ended:    counter("tandem_sip_calls_ended_total", "Calls ended.", "class", "reason"),
		dials:    prometheus.NewCounter(prometheus.CounterOpts{Name: "tandem_sip_dials_total", Help: "Outbound calls begun."}),
		repeats:  prometheus.NewCounter(prometheus.CounterOpts{Name: "tandem_sip_repeated_answers_total", Help: "200s repeated for want of an ACK."}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "tandem_sip_panics_total", Help: "Panics recovered in signalling."}),
		calls:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "tandem_sip_calls", Help: "Calls that ring or are up."}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.answers, m.refused, m.dropped, m.ended, m.dials, m.repeats, m.panics, m.calls} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// request counts a method; those nobody knows share one label.
func (m *metrics) request(method gosip.RequestMethod) {
	label := "other"
	switch method {
	case gosip.INVITE, gosip.ACK, gosip.BYE, gosip.CANCEL, gosip.OPTIONS, gosip.INFO, gosip.REGISTER,
		gosip.MESSAGE, gosip.SUBSCRIBE, gosip.NOTIFY, gosip.REFER, gosip.UPDATE, gosip.PRACK, gosip.PUBLISH:
		label = string(method)
	}
	m.requests.WithLabelValues(label).Inc()
}

func (m *metrics) answer(code int) {
	if code >= 200 && code < 700 {
		m.answers.WithLabelValues(strconv.Itoa(code/100) + "xx").Inc()
	}
}
