package survey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/store"
)

// Later puts a survey off until After is over, and then by chat or text, whichever By
// lists and reaches the customer first. It answers the step at once: skipped if By lists
// neither. The customer may have left.
func (d *Desk) Later(ctx context.Context, w tandem.Who, s flow.Session, e flow.Survey) (flow.Result, error) {
	if d.o.Start == nil || !has(e.By, tandem.Chat) && !has(e.By, tandem.SMS) {
		return flow.Result{Outcome: "skipped"}, nil
	}
	if err := d.note(ctx, w, s, e, d.now().Add(e.After)); err != nil {
		return flow.Result{}, fmt.Errorf("putting form %s off: %w", e.Form, err)
	}
	return flow.Result{Outcome: "done"}, nil
}

func has(by []tandem.Channel, c tandem.Channel) bool { return slices.Contains(by, c) }

const (
	sweepEvery = 5 * time.Second // what is due is asked this much later at most
	sweepMost  = 100             // surveys in one sweep
)

// Run asks what was put off, until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	failing := false
	for {
		err := d.sweep(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			d.o.Log.Warn("surveys that are due cannot be asked; it is tried again", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep asks what is due, at a time of the day at which people are written to.
func (d *Desk) sweep(ctx context.Context) error {
	now := d.now()
	if h := now.In(d.o.Zone).Hour(); h < d.o.From || h >= d.o.To {
		return nil
	}
	var due []asking
	err := d.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+columns+" FROM survey WHERE state = 'waiting' AND due <= ? ORDER BY due LIMIT ?", func(r store.Row) error {
			due = append(due, askingOf(r))
			return nil
		}, now, sweepMost)
	})
	for _, a := range due {
		if e := d.start(ctx, a, now); e != nil {
			err = errors.Join(err, fmt.Errorf("asking form %s of interaction %s: %w", a.form, a.of, e))
		}
	}
	return err
}

// start begins a survey that is due, once: its interaction is drawn and kept before.
func (d *Desk) start(ctx context.Context, a asking, now time.Time) error {
	if now.After(a.until) {
		return d.give(ctx, a, "it was tried long enough")
	}
	if a.asking == a.of {
		a.asking = tandem.NewID[tandem.InteractionID](now, d.o.Random)
		if err := d.set(ctx, "UPDATE survey SET asking = ? WHERE no = ?", string(a.asking), a.no); err != nil {
			return err
		}
	}
	base, err := d.o.Library(ctx, a.flow, a.hash)
	if err != nil {
		d.o.Log.Warn("a survey that was put off has lost its flow's version", "interaction", a.of, "error", err)
		return d.give(ctx, a, "its form is gone")
	}
	lib, name, err := With(base, a.flow, a.hash, a.form)
	if err != nil {
		return d.give(ctx, a, err.Error())
	}
	busy := error(nil)
	for _, way := range strings.Fields(a.ways) {
		if way == string(tandem.Voice) {
			continue
		}
		err := d.o.Start(ctx, Start{Interaction: a.asking, Of: a.of, Customer: a.customer, Channel: tandem.Channel(way), Flow: name, Library: lib, Lang: a.lang})
		switch {
		case err == nil, errors.Is(err, store.ErrDuplicate):
			d.o.Log.Info("survey asked", "interaction", a.of, "by", way, "form", a.form)
			return d.set(ctx, "UPDATE survey SET state = CASE state WHEN 'waiting' THEN 'asked' ELSE state END, asked = ?, channel = ? WHERE no = ? AND asked = 0", now, way, a.no)
		case errors.Is(err, store.ErrNotFound), never(err):
		default:
			busy = errors.Join(busy, err)
		}
	}
	if busy == nil {
		return d.give(ctx, a, "nothing may be written to the customer, or there is no way to")
	}
	d.o.Log.Info("a survey has to wait", "interaction", a.of, "why", busy)
	return d.set(ctx, "UPDATE survey SET due = ? WHERE no = ? AND state = 'waiting'", now.Add(retryIn), a.no)
}

// never reports an error that no later try mends: the person wants no texts, or the
// operator sends none there.
func never(err error) bool {
	var by interface{ Refusal() string } // bridge/sms names its rules so
	return errors.As(err, &by) && slices.Contains([]string{"stopped", "denied", "number"}, by.Refusal())
}

// give gives a survey up.
func (d *Desk) give(ctx context.Context, a asking, why string) error {
	d.o.Log.Info("a survey is not asked", "interaction", a.of, "form", a.form, "why", why)
	return d.set(ctx, "UPDATE survey SET state = 'given_up' WHERE no = ? AND state = 'waiting'", a.no)
}

func (d *Desk) set(ctx context.Context, query string, args ...any) error {
	return d.o.Database.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}

// prefix begins the name of the flow that asks one form by itself. No file's flow has a
// name with a colon.
const prefix = "survey:"

// Base reads the name and the version of a flow of With: those of the flow whose form it
// asks.
func Base(name, hash string) (flowName, flowHash, form string, ok bool) {
	form, ok = strings.CutPrefix(name, prefix)
	flowName, flowHash, at := strings.Cut(hash, "@")
	return flowName, flowHash, form, ok && at
}

// With adds to a library the flow that asks one form of it by chat or text, under the
// name that comes back.
func With(base *flow.Library, flowName, flowHash, form string) (lib *flow.Library, name string, err error) {
	if base.Forms[form] == nil {
		return nil, "", fmt.Errorf("there is no form %q", form)
	}
	name = prefix + form
	channels := []tandem.Channel{tandem.Chat, tandem.SMS}
	f := &flow.Flow{
		Name: name, Hash: flowName + "@" + flowHash, Channels: channels, Languages: []string{"en", "zh-CN"}, Start: "speak", OnError: flow.ToEnd,
		Defaults: flow.DefaultListen(), Order: []string{"speak", "ask"}, Env: expression.NewEnv(),
		Steps: map[string]*flow.Step{
			"speak": {Name: "speak", Verb: &flow.Language{By: []string{"caller"}}, Next: flow.Next{To: "ask"}},
			"ask":   {Name: "ask", Verb: &flow.SurveyStep{Form: form, By: channels}, Next: flow.Next{To: flow.ToEnd}},
		},
	}
	own := *base
	own.Flows = map[string]*flow.Flow{name: f}
	return &own, name, nil
}
