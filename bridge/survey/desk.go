package survey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// Begin begins the survey that a flow asks for, or goes on with the one that this visit of
// its step has begun, wherever that was. By a channel that the flow does not list for it,
// and with After, it is put off as by Later. lib has the session's forms. An error is a
// fault of the step.
func (d *Desk) Begin(ctx context.Context, w tandem.Who, s flow.Session, lib *flow.Library, e flow.Survey) (flow.Turn, error) {
	if e.After > 0 || !has(e.By, w.Channel) {
		r, err := d.Later(ctx, w, s, e)
		return flow.Turn{Done: &r}, err
	}
	form := lib.Forms[e.Form]
	if form == nil {
		return flow.Turn{}, fmt.Errorf("there is no form %q", e.Form)
	}
	a, err := d.asked(ctx, w, s, e)
	if err != nil {
		return flow.Turn{}, fmt.Errorf("asking form %s: %w", e.Form, err)
	}
	t := &talk{Form: e.Form, Visit: a.visit, Of: string(a.of), Step: e.Step, Channel: w.Channel, Lang: e.Lang, Answers: map[string]any{}}
	if a.asking != a.of { // in the language of the talk that it is about
		t.Lang, t.Alone = a.lang, true
	}
	if a.seq > 0 {
		said, err := d.said(ctx, []store.EventRef{{Interaction: a.of, Seq: a.seq}})
		if err != nil {
			return flow.Turn{}, err
		}
		if said[0].Answers != nil {
			t.Answers = said[0].Answers
		}
		if !said[0].Partial { // all was answered, and a crash came before the flow heard of it
			return t.over().turn, nil
		}
	}
	return d.turn(ctx, t, t.begin(form))
}

// Hear goes on with a survey: state is that of the turn before, in what the customer
// entered since: InputText with what was typed or with the keys of one entry, or
// InputTimeout.
func (d *Desk) Hear(ctx context.Context, _ tandem.Who, lib *flow.Library, state json.RawMessage, in flow.Input) (flow.Turn, error) {
	t, err := decode(state)
	if err != nil {
		return flow.Turn{}, err
	}
	form := lib.Forms[t.Form]
	if form == nil {
		return flow.Turn{}, fmt.Errorf("there is no form %q", t.Form)
	}
	return d.turn(ctx, t, t.heard(form, in))
}

// turn keeps what was answered, and then goes on.
func (d *Desk) turn(ctx context.Context, t *talk, m move) (flow.Turn, error) {
	if m.save {
		if err := d.keep(ctx, t, m.partial); err != nil {
			return flow.Turn{}, fmt.Errorf("keeping the answers to form %s: %w", t.Form, err)
		}
	}
	if m.turn.Done != nil {
		return m.turn, nil
	}
	var err error
	m.turn.State, err = t.encode()
	return m.turn, err
}

// keep writes all that was answered so far, once for each number of answers.
func (d *Desk) keep(ctx context.Context, t *talk, partial bool) error {
	of := tandem.InteractionID(t.Of)
	a, err := d.row(ctx, "WHERE interaction = ? AND visit = ?", t.Of, t.Visit)
	if err != nil {
		return err
	}
	c := &store.Change{
		Key: fmt.Sprintf("survey:%s/%s/%d/%t", t.Of, t.Visit, len(t.Answers), partial),
		Events: []tandem.Event{tandem.NewEvent(of, "", d.now(), tandem.EventSurvey, "caller", tandem.Surveyed{
			Visit: t.Visit, Form: t.Form, Channel: t.Channel, Answers: t.Answers, Agent: a.agent, Partial: partial,
		})},
	}
	c.With = func(tx store.Tx) error {
		_, err := tx.Exec("UPDATE survey SET state = 'answered', channel = ?, seq = ? WHERE interaction = ? AND visit = ?", string(t.Channel), c.Events[0].Seq, t.Of, t.Visit)
		return err
	}
	if err := d.o.Database.Commit(ctx, c); err != nil && !errors.Is(err, store.ErrDuplicate) {
		return err
	}
	return nil
}

// asking is one row: a form that is asked, or will be.
type asking struct {
	no       int64
	of       tandem.InteractionID // the answers are about
	visit    string
	asking   tandem.InteractionID // asks
	form     string
	flow     string
	hash     string
	lang     string
	ways     string
	customer tandem.CustomerID
	agent    string
	queue    string
	state    string
	due      time.Time
	until    time.Time
	asked    time.Time
	seq      uint64
}

const columns = "no, interaction, visit, asking, form, flow, hash, lang, ways, customer, agent, queue, state, due, until, asked, seq"

func askingOf(r store.Row) asking {
	return asking{no: r.Int(0), of: tandem.InteractionID(r.Text(1)), visit: r.Text(2), asking: tandem.InteractionID(r.Text(3)), form: r.Text(4), flow: r.Text(5),
		hash: r.Text(6), lang: r.Text(7), ways: r.Text(8), customer: tandem.CustomerID(r.Text(9)), agent: r.Text(10), queue: r.Text(11), state: r.Text(12),
		due: r.Time(13), until: r.Time(14), asked: r.Time(15), seq: uint64(r.Int(16))}
}

// row reads one by a condition; store.ErrNotFound if there is none.
func (d *Desk) row(ctx context.Context, where string, args ...any) (a asking, err error) {
	found := false
	err = d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		found, err = tx.One("SELECT "+columns+" FROM survey "+where, func(r store.Row) { a = askingOf(r) }, args...)
		return err
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return a, err
}

// asked notes that a form is asked now, and finds what this visit has noted before. A
// survey that was put off is asked by an interaction of its own, about the first.
func (d *Desk) asked(ctx context.Context, w tandem.Who, s flow.Session, e flow.Survey) (asking, error) {
	a, err := d.row(ctx, "WHERE asking = ? AND interaction <> asking", string(w.Interaction))
	if errors.Is(err, store.ErrNotFound) {
		a, err = d.row(ctx, "WHERE interaction = ? AND visit = ?", string(w.Interaction), e.Key)
	}
	if errors.Is(err, store.ErrNotFound) {
		if err = d.note(ctx, w, s, e, time.Time{}); err == nil {
			a, err = d.row(ctx, "WHERE interaction = ? AND visit = ?", string(w.Interaction), e.Key)
		}
	}
	if err != nil || !a.asked.IsZero() {
		return a, err
	}
	return a, d.o.Database.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec("UPDATE survey SET state = 'asked', asked = ?, channel = ? WHERE no = ? AND asked = 0", d.now(), string(w.Channel), a.no)
		return err
	})
}

// note adds the row of a visit, if it has none: waiting until due, or with a zero due to
// be asked at once.
func (d *Desk) note(ctx context.Context, w tandem.Who, s flow.Session, e flow.Survey, due time.Time) error {
	if len(s.Frames) == 0 {
		return errors.New("the session is over")
	}
	agent, queue, err := d.served(ctx, w.Interaction)
	if err != nil {
		return err
	}
	top, ways, state, until := s.Frames[len(s.Frames)-1], "", "asked", time.Time{}
	for _, c := range e.By {
		ways += string(c) + " "
	}
	if !due.IsZero() {
		state, until = "waiting", due.Add(giveUp)
	}
	return d.o.Database.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec(`INSERT OR IGNORE INTO survey (interaction, visit, asking, form, flow, hash, lang, ways, customer, agent, queue, state, due, until)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			string(w.Interaction), e.Key, string(w.Interaction), e.Form, top.Flow, top.Hash, e.Lang, ways, string(w.Customer), agent, queue, state, due, until)
		return err
	})
}

// served is who served the customer of an interaction last, and in which queue; "" = nobody.
func (d *Desk) served(ctx context.Context, in tandem.InteractionID) (agent, queue string, err error) {
	var refs []store.EventRef
	err = d.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each(`SELECT e.seq FROM event e JOIN interaction i ON i.no = e.interaction WHERE i.id = ? AND e.kind IN (?, ?, ?) ORDER BY e.seq`, func(r store.Row) error {
			refs = append(refs, store.EventRef{Interaction: in, Seq: uint64(r.Int(0))})
			return nil
		}, string(in), string(tandem.EventTaskOpened), string(tandem.EventTaskChanged), string(tandem.EventTaskAssigned))
	})
	if err != nil || len(refs) == 0 {
		return "", "", err
	}
	events, err := d.o.Database.EventsAt(ctx, refs)
	if err != nil {
		return "", "", err
	}
	at := map[tandem.TaskID]string{}
	for _, e := range events {
		var about struct {
			ID    tandem.TaskID `json:"id"`
			Task  tandem.TaskID `json:"task"`
			Queue string        `json:"queue"`
			Agent string        `json:"agent"`
		}
		if e.Data == nil || json.Unmarshal(e.Data, &about) != nil {
			continue
		}
		switch e.Kind {
		case tandem.EventTaskOpened:
			at[about.ID] = about.Queue
		case tandem.EventTaskChanged:
			at[about.Task] = about.Queue
		default:
			agent, queue = about.Agent, at[about.Task]
		}
	}
	return agent, queue, nil
}

// said reads what was answered, in the order of refs: numbers keep their digits, and who
// was erased has said nothing.
func (d *Desk) said(ctx context.Context, refs []store.EventRef) ([]tandem.Surveyed, error) {
	events, err := d.o.Database.EventsAt(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("reading answers: %w", err)
	}
	out := make([]tandem.Surveyed, len(events))
	for i, e := range events {
		if e.Data == nil {
			continue
		}
		read := json.NewDecoder(bytes.NewReader(e.Data))
		read.UseNumber()
		if err := read.Decode(&out[i]); err != nil {
			return nil, fmt.Errorf("event %d of %s: %w", e.Seq, e.Interaction, store.ErrDamaged)
		}
	}
	return out, nil
}
