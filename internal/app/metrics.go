package app

import "github.com/prometheus/client_golang/prometheus"

// metrics are the program's own figures; the parts register theirs themselves.
type metrics struct {
	calls      prometheus.Gauge
	ended      *prometheus.CounterVec
	refused    *prometheus.CounterVec
	refusedOut *prometheus.CounterVec
	fetches    *prometheus.CounterVec
	panics     *prometheus.CounterVec

	tasksOpened *prometheus.CounterVec
	tasksDone   *prometheus.CounterVec
	taskWaits   *prometheus.HistogramVec
	offers      *prometheus.CounterVec
	wrapUps     *prometheus.HistogramVec
	lineBroken  prometheus.Counter
	phones      *prometheus.CounterVec
	overdue     prometheus.Counter

	conversationsEnded *prometheus.CounterVec
	upgrades           *prometheus.CounterVec
	textsRefused       *prometheus.CounterVec
	webhooksRefused    *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		r.MustRegister(v)
		return v
	}
	m := &metrics{
		calls:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "tandem_calls_active", Help: "Inbound calls up now."}),
		ended:      vec("tandem_calls_ended_total", "Inbound calls that have ended.", "class", "reason"),
		refused:    vec("tandem_calls_refused_total", "Calls turned away with 503, by the rule that did.", "rule"),
		refusedOut: vec("tandem_calls_out_refused_total", "Calls out that a list or cap refused.", "rule"),
		fetches:    vec("tandem_flow_fetches_total", "HTTP exchanges of flows.", "result"),
		panics:     vec("tandem_app_panics_total", "Faults that ended one call or request only.", "where"),

		conversationsEnded: vec("tandem_conversations_ended_total", "Interactions in chat and SMS that were closed.", "channel", "outcome"),
		textsRefused:       vec("tandem_texts_refused_total", "Texts out that a list or cap refused.", "rule"),
		upgrades:           vec("tandem_upgrades_total", "What became of voice and video that were asked for beside a text.", "event"),
		webhooksRefused:    vec("tandem_sms_webhooks_refused_total", "Requests of SMS gateways that were refused.", "rule"),
	}
	r.MustRegister(m.calls)
	m.makeLine(r, vec)
	return m
}
