package app

import (
	"context"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/bridge/survey"
	"tandem/bridge/ticket"
	"tandem/ivr/flow"
	"tandem/ivr/text"
)

// makeAsk makes tickets and surveys.
func (a *App) makeAsk() (err error) {
	a.tickets, err = ticket.New(ticket.Options{
		Database: a.store, Line: a.line, Policy: func() *route.Policy { return a.line.Policy() }, URL: a.cfg.HTTP.PublicAddress(),
		Send: a.reach.Note, Tell: a.reach.Tell,
		Overdue: func(tandem.Task) {
			a.metrics.overdue.Inc()
		},
		Now: a.now, Random: a.random, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.surveys, err = survey.New(survey.Options{
		Database: a.store, Start: a.startSurvey, Library: a.Library, Zone: time.Local, Now: a.now, Random: a.random, Log: a.log,
	})
	return err
}

// begin begins what a session asks for and is answered later.
func (a *App) begin(ctx context.Context, w tandem.Who, s flow.Session, e flow.Effect) ([]flow.Play, error) {
	switch e := e.(type) {
	case flow.Enqueue:
		return a.enqueue(ctx, w, s, e)
	case flow.Take:
		return a.take(ctx, w, s, e)
	case flow.OpenTicket:
		result, words, err := a.tickets.Open(ctx, w, a.queueAt(s), e)
		if err != nil {
			return nil, err
		}
		a.answerLine(ctx, w.Interaction, e.Serial, result)
		return words, nil
	case flow.Survey:
		result, err := a.surveys.Later(ctx, w, s, e)
		if err != nil {
			return nil, err
		}
		a.answerLine(ctx, w.Interaction, e.Serial, result)
		return nil, nil
	}
	return a.reach.Begin(ctx, w, s, e)
}

// queueAt is the queue of a session: the one its customer was in last, else its flow's.
func (a *App) queueAt(s flow.Session) string {
	lib := a.shelf.Current()
	if p := s.Facts.Place; p != nil && lib.Queues[p.Queue] != nil {
		return p.Queue
	}
	return queueOfFlow(lib, s.Frames[0].Flow)
}

// surveying reports whether a session's talk is a survey.
func surveying(s flow.Session) bool { return s.Wait.Kind == flow.WaitSurvey }

// askSurvey has one more turn of a survey.
func (a *App) askSurvey(ctx context.Context, w tandem.Who, lib *flow.Library, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
	if begun, ok := e.(flow.Survey); ok {
		return a.surveys.Begin(ctx, w, s, lib, begun)
	}
	return a.surveys.Hear(ctx, w, lib, s.World, in)
}

// startSurvey begins a survey that was put off in the conversation by which the customer
// can be reached.
func (a *App) startSurvey(ctx context.Context, s survey.Start) error {
	c, err := a.reach.Conversation(ctx, s.Of, s.Channel)
	if err != nil {
		return err
	}
	return a.talk.Start(ctx, c.ID, text.Starting{
		Interaction: s.Interaction, Flow: s.Flow, Library: s.Library, Lang: s.Lang, Customer: s.Customer, Theirs: c.Theirs,
	})
}
