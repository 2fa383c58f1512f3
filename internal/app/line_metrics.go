package app

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem"
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

// gauges are figures of the line as it is when they are asked for.
type gauges struct {
	app                   *App
	tasks, oldest, agents *prometheus.Desc
}

var _ prometheus.Collector = gauges{}

func newGauges(a *App) gauges {
	return gauges{
		app:    a,
		tasks:  prometheus.NewDesc("tandem_tasks", "Tasks that are not done.", []string{"queue", "kind", "state"}, nil),
		oldest: prometheus.NewDesc("tandem_task_oldest_seconds", "How long the one that waits longest has waited.", []string{"queue"}, nil),
		agents: prometheus.NewDesc("tandem_agents", "Agents by what they chose to be, busy or not.", []string{"presence", "busy"}, nil),
	}
}

// Describe tells which figures there are.
func (g gauges) Describe(out chan<- *prometheus.Desc) {
	out <- g.tasks
	out <- g.oldest
	out <- g.agents
}

// Collect counts.
func (g gauges) Collect(out chan<- prometheus.Metric) {
	type kind struct{ queue, kind, state string }
	tasks, oldest, now := map[kind]int{}, map[string]time.Time{}, g.app.now()
	for _, t := range g.app.line.Tasks("", 0) {
		tasks[kind{t.Queue, string(t.Kind), string(t.State)}]++
		if since, ok := oldest[t.Queue]; t.State == tandem.TaskWaiting && !t.NotBefore.After(now) && (!ok || t.Arrived.Before(since)) {
			oldest[t.Queue] = t.Arrived
		}
	}
	for k, n := range tasks {
		out <- prometheus.MustNewConstMetric(g.tasks, prometheus.GaugeValue, float64(n), k.queue, k.kind, k.state)
	}
	for queue, since := range oldest {
		out <- prometheus.MustNewConstMetric(g.oldest, prometheus.GaugeValue, now.Sub(since).Seconds(), queue)
	}
	type who struct{ presence, busy string }
	agents := map[who]int{}
	for _, a := range g.app.line.Agents() {
		agents[who{string(a.Presence), strconv.FormatBool(len(a.Holds) > 0)}]++
	}
	for w, n := range agents {
		out <- prometheus.MustNewConstMetric(g.agents, prometheus.GaugeValue, float64(n), w.presence, w.busy)
	}
}
