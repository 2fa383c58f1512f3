package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

// Types that are of no interaction and stand in no journal: they are told once and are not
// replayed.
const (
	AlertFired    tandem.EventKind = "alert.fired"
	AlertResolved tandem.EventKind = "alert.resolved"
)

// Alert is what is told of an alert of the board.
type Alert struct {
	Alert    string          `json:"alert"`
	Rule     string          `json:"rule"`
	Title    string          `json:"name"` // of the rule: staff have named it
	Queue    string          `json:"queue"`
	Kind     tandem.TaskKind `json:"kind"`
	Metric   string          `json:"metric"`
	Bound    float64         `json:"bound"`
	Value    float64         `json:"value"`
	Severity string          `json:"severity"`
	Fired    time.Time       `json:"fired"`
	Resolved time.Time       `json:"resolved"`
	Why      string          `json:"why"`
}

// notice tells of an alert.
func notice(p Alert, f fields) {
	f["alert"], f["rule"], f["metric"] = p.Alert, p.Rule, p.Metric
	f["bound"], f["value"] = p.Bound, p.Value
	set(f, "name", p.Title)
	set(f, "queue", p.Queue)
	set(f, "kind", p.Kind)
	set(f, "severity", p.Severity)
	f.at("fired", p.Fired)
	f.at("resolved", p.Resolved)
	f.word("why", p.Why)
}

// Notices are the letters of an alert to whoever wants them, for the caller to commit with what
// they tell of. id and seq name them, as an interaction's id and an event's number do.
func (d *Desk) Notices(kind tandem.EventKind, id string, seq uint64, at time.Time, a Alert) []store.Outgoing {
	d.mu.Lock()
	defer d.mu.Unlock()
	receivers := d.wants[kind]
	if len(receivers) == 0 {
		return nil
	}
	f := fields{}
	notice(a, f)
	body, err := json.Marshal(message{Type: kind, Timestamp: at.UTC(), Data: f})
	if err != nil {
		panic("hook: an alert cannot be written: " + err.Error())
	}
	e := tandem.Event{Interaction: tandem.InteractionID(id), Seq: seq, At: at, Kind: kind}
	return d.outgoing(receivers, &e, body)
}

// keyOf is the key of a delivery to a subscription: by the journal, or of a notice as it lies
// in the outbox.
func (d *Desk) keyOf(ctx context.Context, subscription, delivery string) (key string, err error) {
	e, err := d.event(ctx, delivery)
	if err == nil {
		return keyOf(subscription, &e), nil
	}
	if tandem.CodeOf(err) != tandem.CodeNotFound {
		return "", err
	}
	ref, _ := parseEventID(delivery)
	found := false
	viewed := d.store.View(ctx, func(tx store.Tx) error {
		found, err = tx.One("SELECT key FROM outbox WHERE key GLOB ?", func(row store.Row) { key = row.Text(0) },
			fmt.Sprintf("%s*/%s/%d/alert.*", prefix(subscription), ref.Interaction, ref.Seq))
		return err
	})
	switch {
	case viewed != nil:
		return "", viewed
	case !found:
		return "", tandem.Errorf(tandem.CodeNotFound, "there is no event %s", delivery)
	}
	return key, nil
}
