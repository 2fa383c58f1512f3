package desk

import (
	"fmt"
	"net/http"

	"tandem"
	"tandem/web/answer"
	"tandem/web/desk/alert"
)

// wantedRule is a rule as somebody writes it.
type wantedRule struct {
	Name     string          `json:"name" answer:"needed"`
	Queue    string          `json:"queue"`
	Kind     tandem.TaskKind `json:"kind"`
	Metric   alert.Metric    `json:"metric" answer:"needed"`
	Bound    *float64        `json:"bound" answer:"needed"`
	Clear    *float64        `json:"clear"`
	Hold     float64         `json:"hold"`
	Severity alert.Severity  `json:"severity"`
	Sound    bool            `json:"sound"`
	Active   *bool           `json:"active"`
}

func (in *wantedRule) rule() alert.Rule {
	r := alert.Rule{Name: in.Name, Queue: in.Queue, Kind: in.Kind, Metric: in.Metric, Bound: *in.Bound, Clear: *in.Bound, Hold: in.Hold, Severity: in.Severity,
		Sound: in.Sound, Active: true}
	if in.Clear != nil {
		r.Clear = *in.Clear
	}
	if in.Active != nil {
		r.Active = *in.Active
	}
	return r
}

func (d *Desk) getAlerts(w http.ResponseWriter, _ *http.Request) error {
	if d.o.Overview.Alerts == nil {
		return none("alerts")
	}
	k := d.o.Overview.Alerts
	answer.JSON(w, http.StatusOK, struct {
		Rules  []alert.Standing `json:"rules"`
		Firing []alert.Alert    `json:"firing"`
		Past   []alert.Alert    `json:"past"`
	}{append([]alert.Standing{}, k.Rules()...), append([]alert.Alert{}, k.Firing()...), append([]alert.Alert{}, k.Past()...)})
	return nil
}

// ruled makes or changes a rule, once it is in the audit log.
func (d *Desk) ruled(w http.ResponseWriter, r *http.Request, action string, status int, do func(alert.Rule) (alert.Rule, error)) error {
	if d.o.Overview.Alerts == nil {
		return none("alerts")
	}
	var in wantedRule
	if !answer.Read(w, r, &in) {
		return errDone
	}
	rule := in.rule()
	detail := fmt.Sprintf("%s %s %g, queue %q, kind %q, for %g s", rule.Metric, rule.Severity, rule.Bound, rule.Queue, rule.Kind, rule.Hold)
	if err := d.o.Door.Record(r.Context(), action, r.PathValue("id"), detail); err != nil {
		return err
	}
	made, err := do(rule)
	if err != nil {
		return err
	}
	answer.JSON(w, status, made)
	return nil
}

func (d *Desk) postAlert(w http.ResponseWriter, r *http.Request) error {
	return d.ruled(w, r, "alert.add", http.StatusCreated, func(rule alert.Rule) (alert.Rule, error) {
		return d.o.Overview.Alerts.Add(r.Context(), called(r), rule)
	})
}

func (d *Desk) putAlert(w http.ResponseWriter, r *http.Request) error {
	return d.ruled(w, r, "alert.change", http.StatusOK, func(rule alert.Rule) (alert.Rule, error) {
		return d.o.Overview.Alerts.Change(r.Context(), r.PathValue("id"), rule)
	})
}

func (d *Desk) deleteAlert(w http.ResponseWriter, r *http.Request) error {
	if d.o.Overview.Alerts == nil {
		return none("alerts")
	}
	id := r.PathValue("id")
	if err := d.o.Door.Record(r.Context(), "alert.remove", id, ""); err != nil {
		return err
	}
	if err := d.o.Overview.Alerts.Remove(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postSeen notes that a supervisor has taken note of an alert that fires.
func (d *Desk) postSeen(w http.ResponseWriter, r *http.Request) error {
	if d.o.Overview.Alerts == nil {
		return none("alerts")
	}
	a, err := d.o.Overview.Alerts.Seen(r.Context(), r.PathValue("id"), called(r))
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, a)
	return nil
}
