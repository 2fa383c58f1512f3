package app

import (
	"fmt"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Who waits, how long, and who is there to serve can be read off the metrics.
func TestGaugesOfTheLine(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil) // anna is away
	h.waits(t, "1", "13900000001")
	until(t, "the caller to be in line", func() bool { return len(h.line.Tasks("", 0)) == 1 })
	r := prometheus.NewRegistry()
	r.MustRegister(newGauges(h.App))
	found, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, family := range found {
		for _, m := range family.Metric {
			line := family.GetName()
			for _, l := range m.Label {
				line += " " + l.GetValue()
			}
			if family.GetName() != "tandem_task_oldest_seconds" {
				line += fmt.Sprint(" ", m.Gauge.GetValue())
			} else if m.Gauge.GetValue() < 0 {
				t.Errorf("the oldest waits %v s", m.Gauge.GetValue())
			}
			got = append(got, line)
		}
	}
	want := []string{"tandem_agents false away 1", "tandem_agents false offline 1", "tandem_task_oldest_seconds cards", "tandem_tasks call cards waiting 1"}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
