package alert

import (
	"fmt"
	"strconv"
	"time"

	"tandem"
	"tandem/store"
)

// real is how a number is kept; parsed reads it again.
func real(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func parsed(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number: %w", s, store.ErrDamaged)
	}
	return f, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// read reads the rules, the alerts that fire and the newest that are over.
func (k *Keeper) read(tx store.Tx) error {
	err := tx.Each("SELECT id, name, queue, kind, metric, bound, clear, hold, severity, sound, active, made, made_by FROM alert_rule ORDER BY no", func(row store.Row) (err error) {
		r := Rule{ID: row.Text(0), Name: row.Text(1), Queue: row.Text(2), Kind: tandem.TaskKind(row.Text(3)), Metric: Metric(row.Text(4)), Hold: row.Duration(7).Seconds(),
			Severity: Severity(row.Text(8)), Sound: row.Bool(9), Active: row.Bool(10), Made: row.Time(11), By: row.Text(12)}
		if r.Bound, err = parsed(row.Text(5)); err == nil {
			r.Clear, err = parsed(row.Text(6))
		}
		k.rules = append(k.rules, r)
		return err
	})
	if err != nil {
		return err
	}
	const columns = "SELECT id, rule, name, queue, kind, metric, bound, severity, sound, fired, value, resolved, why, seen, seen_by FROM alert "
	err = tx.Each(columns+"WHERE resolved = 0 ORDER BY no", func(row store.Row) error {
		a, err := alertOf(row)
		k.firing[a.Rule], k.watch[a.Rule] = &a, Watch{Firing: true}
		return err
	})
	if err != nil {
		return err
	}
	return tx.Each(columns+"WHERE no IN (SELECT no FROM alert WHERE resolved <> 0 ORDER BY no DESC LIMIT ?) ORDER BY no", func(row store.Row) error {
		a, err := alertOf(row)
		k.past = append(k.past, a)
		return err
	}, int64(maxPast))
}

func alertOf(row store.Row) (a Alert, err error) {
	a = Alert{ID: row.Text(0), Rule: row.Text(1), Name: row.Text(2), Queue: row.Text(3), Kind: tandem.TaskKind(row.Text(4)), Metric: Metric(row.Text(5)),
		Severity: Severity(row.Text(7)), Sound: row.Bool(8), Fired: row.Time(9), Resolved: row.Time(11), Why: row.Text(12), Seen: row.Time(13), SeenBy: row.Text(14)}
	if a.Bound, err = parsed(row.Text(6)); err == nil {
		a.Value, err = parsed(row.Text(10))
	}
	return a, err
}

// insert writes an alert that fires, and deletes the oldest of many.
func (a *Alert) insert(tx store.Tx) error {
	_, err := tx.Exec(`INSERT INTO alert (id, rule, name, queue, kind, metric, bound, severity, sound, fired, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, a.Rule, a.Name, a.Queue, string(a.Kind), string(a.Metric), real(a.Bound), string(a.Severity), a.Sound, a.Fired, real(a.Value))
	if err != nil {
		return err
	}
	_, err = tx.Exec("DELETE FROM alert WHERE resolved <> 0 AND no <= (SELECT max(no) FROM alert) - ?", int64(keptAlerts))
	return err
}
