package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"tandem/bridge/queue"
	"tandem/bridge/route"
)

// makeLine makes the figures of the line. Queues' names are the operator's own few.
func (m *metrics) makeLine(r prometheus.Registerer, vec func(name, help string, labels ...string) *prometheus.CounterVec) {
	m.tasksOpened = vec("tandem_tasks_opened_total", "Tasks that came into line.", "queue", "kind")
	m.tasksDone = vec("tandem_tasks_done_total", "Tasks that are done; opened less done are in line or with an agent.", "queue", "kind", "outcome")
	m.offers = vec("tandem_offers_total", "What became of offers to agents: made, accepted, or why they came back.", "queue", "result")
	m.phones = vec("tandem_agent_phones_total", "What happened to agents' phones and callbacks.", "what")
	m.taskWaits = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tandem_task_wait_seconds", Help: "From coming into line until an agent took it.",
		Buckets: []float64{1, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600},
	}, []string{"queue", "kind"})
	m.wrapUps = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tandem_wrap_up_seconds", Help: "Agents' notes after a task.", Buckets: []float64{1, 5, 10, 20, 30, 60, 120, 300},
	}, []string{"ended"})
	m.lineBroken = prometheus.NewCounter(prometheus.CounterOpts{Name: "tandem_line_broken_total", Help: "Findings of line.verify."})
	m.overdue = prometheus.NewCounter(prometheus.CounterOpts{Name: "tandem_tickets_overdue_total", Help: "Tickets not done by the last of their owners in time."})
	r.MustRegister(m.taskWaits, m.wrapUps, m.lineBroken, m.overdue)
}

// line counts a fact of the line.
func (m *metrics) line(f queue.Fact) {
	switch o := f.Output.(type) {
	case route.Placed:
		m.tasksOpened.WithLabelValues(o.Task.Queue, string(o.Task.Kind)).Inc()
	case route.OfferMade:
		m.offers.WithLabelValues(o.Task.Queue, "made").Inc()
	case route.OfferOver:
		m.offers.WithLabelValues(o.Task.Queue, o.Why).Inc()
	case route.TaskAssigned:
		m.offers.WithLabelValues(o.Task.Queue, "accepted").Inc()
		m.taskWaits.WithLabelValues(o.Task.Queue, string(o.Task.Kind)).Observe(f.At.Sub(o.Task.Arrived).Seconds())
	case route.TaskOver:
		m.tasksDone.WithLabelValues(o.Task.Queue, string(o.Task.Kind), o.Task.Outcome).Inc()
	case route.WrapOver:
		ended := "agent"
		if o.Late {
			ended = "late"
		}
		m.wrapUps.WithLabelValues(ended).Observe(o.Seconds)
	}
}
