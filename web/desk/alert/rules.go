package alert

import (
	"context"
	"fmt"
	"slices"

	"tandem"
	"tandem/store"
)

// Standing is a rule with how it stands.
type Standing struct {
	Rule
	Firing bool     `json:"firing"`
	Value  *float64 `json:"value,omitempty"` // now; nil = it cannot be measured
}

// Rules are all, in the order they were made.
func (k *Keeper) Rules() []Standing {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]Standing, 0, len(k.rules))
	for _, r := range k.rules {
		s := Standing{Rule: r, Firing: k.firing[r.ID] != nil}
		if w := k.watch[r.ID]; w.Known && r.Active {
			s.Value = &w.Value
		}
		out = append(out, s)
	}
	return out
}

// fitting checks a rule against the board.
func (k *Keeper) fitting(r *Rule) error {
	p := k.o.Picture()
	return r.fit(func(name string) bool {
		for i := range p.Queues {
			if p.Queues[i].Name == name {
				return true
			}
		}
		return false
	})
}

// Add makes a rule; by is who does.
func (k *Keeper) Add(ctx context.Context, by string, r Rule) (Rule, error) {
	if err := k.fitting(&r); err != nil {
		return r, err
	}
	k.changing.Lock()
	defer k.changing.Unlock()
	k.mu.Lock()
	full := len(k.rules) >= maxRules
	k.mu.Unlock()
	if full {
		return r, tandem.Errorf(tandem.CodeConflict, "there are %d rules already: remove one first", maxRules)
	}
	r.Made, r.By = k.o.Now().UTC(), by
	r.ID = tandem.NewID[string](r.Made, k.o.Random)
	err := k.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(`INSERT INTO alert_rule (id, name, queue, kind, metric, bound, clear, hold, severity, sound, active, made, made_by)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.ID, r.Name, r.Queue, string(r.Kind), string(r.Metric), real(r.Bound), real(r.Clear), seconds(r.Hold),
			string(r.Severity), r.Sound, r.Active, r.Made, r.By)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("keeping an alert rule: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rules = append(k.rules, r)
	return r, nil
}

// Change makes a rule another one. What it has fired is over, unless only its name, sound or
// severity changed.
func (k *Keeper) Change(ctx context.Context, id string, r Rule) (Rule, error) {
	if err := k.fitting(&r); err != nil {
		return r, err
	}
	k.changing.Lock()
	defer k.changing.Unlock()
	was, err := k.find(id)
	if err != nil {
		return r, err
	}
	r.ID, r.Made, r.By = was.ID, was.Made, was.By
	if r.Queue != was.Queue || r.Kind != was.Kind || r.Metric != was.Metric || r.Bound != was.Bound || r.Clear != was.Clear || !r.Active {
		if err := k.resolved(ctx, id, "changed", k.o.Now().UTC()); err != nil {
			return r, err
		}
		k.forget(id)
	}
	err = k.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(`UPDATE alert_rule SET name = ?, queue = ?, kind = ?, metric = ?, bound = ?, clear = ?, hold = ?, severity = ?, sound = ?, active = ? WHERE id = ?`,
			r.Name, r.Queue, string(r.Kind), string(r.Metric), real(r.Bound), real(r.Clear), seconds(r.Hold), string(r.Severity), r.Sound, r.Active, id)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("keeping an alert rule: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.rules {
		if k.rules[i].ID == id {
			k.rules[i] = r
		}
	}
	return r, nil
}

// Remove deletes a rule.
func (k *Keeper) Remove(ctx context.Context, id string) error {
	k.changing.Lock()
	defer k.changing.Unlock()
	if _, err := k.find(id); err != nil {
		return err
	}
	if err := k.resolved(ctx, id, "removed", k.o.Now().UTC()); err != nil {
		return err
	}
	k.forget(id)
	err := k.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec("DELETE FROM alert_rule WHERE id = ?", id)
		return err
	})
	if err != nil {
		return fmt.Errorf("removing an alert rule: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rules = slices.DeleteFunc(k.rules, func(r Rule) bool { return r.ID == id })
	return nil
}

func (k *Keeper) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.watch, id)
}

func (k *Keeper) find(id string) (Rule, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.rules {
		if r.ID == id {
			return r, nil
		}
	}
	return Rule{}, tandem.Errorf(tandem.CodeNotFound, "there is no such rule")
}
