package survey

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow/expression"
	"tandem/store"
)

// Answered is one survey of an interaction.
type Answered struct {
	Visit   string         `json:"visit"`
	Form    string         `json:"form"`
	State   string         `json:"state"`             // waiting, asked, answered, given_up
	Channel tandem.Channel `json:"channel,omitempty"` // it was asked by
	Asked   time.Time      `json:"asked,omitzero"`
	Due     time.Time      `json:"due,omitzero"` // waiting: it is asked then
	Agent   string         `json:"agent,omitempty"`
	Queue   string         `json:"queue,omitempty"`
	Answers map[string]any `json:"answers,omitempty"` // none once the customer is erased
	Partial bool           `json:"partial,omitempty"`
}

// Of lists the surveys of an interaction in the order they came.
func (d *Desk) Of(ctx context.Context, in tandem.InteractionID) ([]Answered, error) {
	rows, said, err := d.read(ctx, "WHERE interaction = ? ORDER BY no LIMIT ?", string(in), readMost)
	out := make([]Answered, len(rows))
	for i, r := range rows {
		out[i] = Answered{Visit: r.visit, Form: r.form, State: r.state, Channel: r.channel, Asked: r.asked, Agent: r.agent, Queue: r.queue,
			Answers: said[i].Answers, Partial: said[i].Partial}
		if r.state == "waiting" {
			out[i].Due = r.due
		}
	}
	return out, err
}

// Figure is what came of asking one form on one day.
type Figure struct {
	Day      string        `json:"day"` // 2026-11-23, in the desk's zone
	Form     string        `json:"form"`
	Queue    string        `json:"queue,omitempty"`
	Agent    string        `json:"agent,omitempty"`
	Asked    int           `json:"asked"`
	Answered int           `json:"answered"` // one question or more
	Partial  int           `json:"partial"`  // of those, not to the end
	Fields   []FieldFigure `json:"fields"`   // by name
}

// FieldFigure is what was answered to one question. Texts are counted, and not told.
type FieldFigure struct {
	Name   string         `json:"name"`
	Count  int            `json:"count"`
	Mean   *float64       `json:"mean,omitempty"`   // of numbers
	Counts map[string]int `json:"counts,omitempty"` // of each answer, where it is a small number, a choice, or yes or no
}

const (
	readMost   = 100_000 // surveys in one figure: more are an error, which asks for a shorter time
	atOnce     = 500     // events that are read at once
	mostCounts = 50      // different answers that are told apart
)

// Figures sums up the surveys that were asked from a time until before another, by day,
// form, queue and agent.
func (d *Desk) Figures(ctx context.Context, from, to time.Time) ([]Figure, error) {
	rows, said, err := d.read(ctx, "WHERE asked >= ? AND asked < ? AND asked <> 0 ORDER BY asked LIMIT ?", from, to, readMost+1)
	if err != nil {
		return nil, err
	}
	if len(rows) > readMost {
		return nil, tandem.Errorf(tandem.CodeInvalid, "more than %d surveys were asked in that time: ask for a shorter one", readMost)
	}
	type key struct{ day, form, queue, agent string }
	sums, told := map[key]*sum{}, map[string]map[string]bool{}
	for i, r := range rows {
		k := key{r.asked.In(d.o.Zone).Format(time.DateOnly), r.form, r.queue, r.agent}
		s := sums[k]
		if s == nil {
			s = &sum{f: Figure{Day: k.day, Form: k.form, Queue: k.queue, Agent: k.agent}, fields: map[string]*fieldSum{}}
			sums[k] = s
		}
		version := r.flow + "@" + r.hash + "/" + r.form
		if told[version] == nil {
			told[version] = d.choices(ctx, r.asking)
		}
		s.add(said[i], told[version])
	}
	out := make([]Figure, 0, len(sums))
	for _, s := range sums {
		out = append(out, s.figure())
	}
	slices.SortFunc(out, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Form, b.Form), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Agent, b.Agent))
	})
	return out, nil
}

// choices are the fields of a form whose answers its designer wrote. Of a version that is
// not there any more nobody knows.
func (d *Desk) choices(ctx context.Context, a asking) map[string]bool {
	out := map[string]bool{}
	if d.o.Library == nil {
		return out
	}
	lib, err := d.o.Library(ctx, a.flow, a.hash)
	if err != nil || lib.Forms[a.form] == nil {
		return out
	}
	for _, f := range lib.Forms[a.form].Fields {
		out[f.Name] = f.Type.Kind == expression.Enum
	}
	return out
}

// channelled is a row with the channel it was asked by.
type channelled struct {
	asking
	channel tandem.Channel
}

// read reads rows, and what was answered to each: nothing where nothing was.
func (d *Desk) read(ctx context.Context, where string, args ...any) (rows []channelled, said []tandem.Surveyed, err error) {
	err = d.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+columns+", channel FROM survey "+where, func(r store.Row) error {
			rows = append(rows, channelled{askingOf(r), tandem.Channel(r.Text(17))})
			return nil
		}, args...)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading surveys: %w", err)
	}
	said = make([]tandem.Surveyed, len(rows))
	var refs []store.EventRef
	var at []int
	flush := func() error {
		some, err := d.said(ctx, refs)
		for i, s := range some {
			said[at[i]] = s
		}
		refs, at = refs[:0], at[:0]
		return err
	}
	for i, r := range rows {
		if r.seq == 0 {
			continue
		}
		refs, at = append(refs, store.EventRef{Interaction: r.of, Seq: r.seq}), append(at, i)
		if len(refs) == atOnce {
			if err := flush(); err != nil {
				return nil, nil, err
			}
		}
	}
	if len(refs) > 0 {
		err = flush()
	}
	return rows, said, err
}

// sum is a Figure in the making.
type sum struct {
	f      Figure
	fields map[string]*fieldSum
}

type fieldSum struct {
	count, numbers int
	total          float64
	counts         map[string]int // nil = there were too many
}

func (s *sum) add(a tandem.Surveyed, choices map[string]bool) {
	if s.f.Asked++; len(a.Answers) == 0 {
		return
	}
	if s.f.Answered++; a.Partial {
		s.f.Partial++
	}
	for name, v := range a.Answers {
		f := s.fields[name]
		if f == nil {
			f = &fieldSum{counts: map[string]int{}}
			s.fields[name] = f
		}
		f.add(v, choices[name])
	}
}

func (f *fieldSum) add(v any, choice bool) {
	f.count++
	word := ""
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Float64(); err == nil {
			f.numbers++
			f.total += n
		}
		word = v.String()
	case bool:
		word = fmt.Sprint(v)
	case string:
		if word = v; !choice { // the customer's own words are told to nobody
			f.counts = nil
		}
	}
	if f.counts == nil {
		return
	}
	if f.counts[word]++; len(f.counts) > mostCounts {
		f.counts = nil // numbers of all kinds
	}
}

func (s *sum) figure() Figure {
	s.f.Fields = []FieldFigure{}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		f := s.fields[name]
		out := FieldFigure{Name: name, Count: f.count, Counts: f.counts}
		if f.numbers > 0 && f.numbers == f.count {
			mean := f.total / float64(f.numbers)
			out.Mean = &mean
		}
		s.f.Fields = append(s.f.Fields, out)
	}
	return s.f
}
