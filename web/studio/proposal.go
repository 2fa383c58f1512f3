package studio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"tandem"
	"tandem/internal/shelf"
	"tandem/ivr/flow/source"
	"tandem/store/release"
	"tandem/web/answer"
)

// maxProposals is how many proposals are listed.
const maxProposals = 200

// proposalView is a proposal as pages see it.
type proposalView struct {
	ID        string        `json:"id"`
	File      string        `json:"file"`
	Flow      string        `json:"flow"`
	By        string        `json:"by"`
	At        time.Time     `json:"at"`
	Note      string        `json:"note"`
	State     release.State `json:"state"`
	Number    int           `json:"number,omitempty"` // of the release it was published with
	DecidedBy string        `json:"decided_by"`
	DecidedAt *time.Time    `json:"decided_at"`
	Why       string        `json:"why"`
}

func viewOf(p release.Proposal) proposalView {
	v := proposalView{ID: strconv.Itoa(p.ID), File: p.File, Flow: p.Flow, By: p.By, At: p.At, Note: p.Note, State: p.State, Number: p.Release, DecidedBy: p.Decider, Why: p.Why}
	if !p.Decided.IsZero() {
		v.DecidedAt = &p.Decided
	}
	return v
}

func (s *Studio) getProposals(w http.ResponseWriter, r *http.Request) error {
	list, err := s.o.Releases.Proposals(r.Context(), maxProposals)
	if err != nil {
		return err
	}
	out := []proposalView{}
	for _, p := range list {
		out = append(out, viewOf(p))
	}
	answer.JSON(w, http.StatusOK, struct {
		Proposals []proposalView `json:"proposals"`
	}{out})
	return nil
}

func (s *Studio) getProposal(w http.ResponseWriter, r *http.Request) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	p, text, base, err := s.o.Releases.Proposal(r.Context(), id)
	if err != nil {
		return err
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	d, found := s.compare(p, text, base, r.URL.Query().Get("lang"))
	answer.JSON(w, http.StatusOK, struct {
		proposalView
		Text        string       `json:"text"`
		Diagnostics []diagnostic `json:"diagnostics"`
		Difference  difference   `json:"difference"`
	}{viewOf(p), string(text), diagnostics(found, s.language(r, "")), d})
	return nil
}

// number is the proposal that a path names.
func number(r *http.Request) (int, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || id < 1 {
		return 0, tandem.Errorf(tandem.CodeNotFound, "there is no proposal %.20q", r.PathValue("id"))
	}
	return id, nil
}

// proposed is the answer to a proposal: with its release if it was published at once.
type proposed struct {
	ID     string        `json:"id"`
	State  release.State `json:"state"`
	Number int           `json:"number,omitempty"`
}

func (s *Studio) postProposal(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		draft
		Base string `json:"base"`
		Note string `json:"note"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	e := shelf.Edit{File: in.File, Text: []byte(in.Text), Base: in.Base, By: s.o.Who(r.Context()).Name, Note: in.Note}
	return s.propose(w, r, "flow.propose", e)
}

// postRollback proposes the text that a flow's file had in an older version.
func (s *Studio) postRollback(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Hash string `json:"hash"`
		Note string `json:"note"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	name := r.PathValue("name")
	_, file, text, err := s.o.Shelf.Old(r.Context(), name, in.Hash)
	if err != nil {
		return err
	}
	if now := s.o.Shelf.FileOf(s.o.Shelf.State().Library, name); now != "" {
		file = now // the flow has moved to another file since
	}
	before, err := s.o.Shelf.Text(file)
	if err != nil {
		return err
	}
	e := shelf.Edit{File: file, Text: text, By: s.o.Who(r.Context()).Name, Note: in.Note}
	if before != nil {
		e.Base = release.TextHash(before)
	}
	return s.propose(w, r, "flow.rollback", e)
}

// propose keeps an edit as a proposal and, unless a second person is asked for,
// publishes it at once.
func (s *Studio) propose(w http.ResponseWriter, r *http.Request, action string, e shelf.Edit) error {
	ctx := r.Context()
	if err := checkNote(e.Note); err != nil {
		return err
	}
	before, err := s.o.Shelf.CheckEdit(e)
	if err != nil {
		return err
	}
	flow, err := s.mistakes(ctx, e)
	if err != nil {
		return err
	}
	if err := s.o.Door.Record(ctx, action, e.File, hashes(e)); err != nil {
		return err
	}
	p, err := s.o.Releases.Propose(ctx, release.Proposal{File: e.File, Flow: flow, By: e.By, Note: e.Note}, e.Text, before)
	if err != nil {
		return err
	}
	s.events.send(proposalsChanged())
	out := proposed{strconv.Itoa(p.ID), p.State, 0}
	if !s.o.SecondPerson {
		published, err := s.publish(ctx, p, e)
		if err != nil {
			// It was to be published at once or not at all.
			if err := s.o.Releases.Refuse(context.WithoutCancel(ctx), p.ID, e.By, "It could not be published."); err != nil {
				s.o.Log.Error("a proposal that could not be published stays open", "proposal", p.ID, "error", err)
			}
			s.events.send(proposalsChanged())
			return err
		}
		out.State, out.Number = release.StatePublished, published.Number
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// mistakes looks for errors that an edit would bring, and says which flow the file is.
func (s *Studio) mistakes(ctx context.Context, e shelf.Edit) (flow string, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	_, f, found := s.read(e.File, e.Text)
	if source.HasErrors(found) {
		return "", &shelf.Refused{Found: found}
	}
	if f != nil {
		flow = f.Name
	}
	return flow, nil
}

func proposalsChanged() event { return event{"proposals", struct{}{}} }

// hashes names the two texts of an edit for the audit log.
func hashes(e shelf.Edit) string {
	from := "new"
	if e.Base != "" {
		from = e.Base
	}
	return fmt.Sprintf("%s -> %s", from, release.TextHash(e.Text))
}

func checkNote(text string) error {
	if len(text) > maxNote || !utf8.ValidString(text) {
		return tandem.Errorf(tandem.CodeInvalid, "this may have %d bytes at most", maxNote)
	}
	return nil
}

func (s *Studio) postPublish(w http.ResponseWriter, r *http.Request) error {
	var in struct{}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	id, err := number(r)
	if err != nil {
		return err
	}
	p, text, _, err := s.o.Releases.Proposal(r.Context(), id)
	if err != nil {
		return err
	}
	if p.State != release.StateOpen {
		return decided()
	}
	if s.o.SecondPerson && p.By == s.o.Who(r.Context()).Name {
		answer.Refuse(w, http.StatusForbidden, "same_person", "You proposed this: somebody else publishes it.")
		return errDone
	}
	e := shelf.Edit{File: p.File, Text: text, Base: p.Base, By: p.By, Note: p.Note}
	if _, err := s.mistakes(r.Context(), e); err != nil {
		return err
	}
	published, err := s.publish(r.Context(), p, e)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, proposed{strconv.Itoa(p.ID), release.StatePublished, published.Number})
	return nil
}

func decided() error {
	return tandem.Errorf(tandem.CodeConflict, "this proposal has been decided already")
}

// publish has the shelf publish a proposal, once it is in the audit log who does.
func (s *Studio) publish(ctx context.Context, p release.Proposal, e shelf.Edit) (release.Release, error) {
	detail := fmt.Sprintf("proposal %d by %s: %s", p.ID, p.By, hashes(e))
	if err := s.o.Door.Record(ctx, "flow.publish", p.File, detail); err != nil {
		return release.Release{}, err
	}
	e.Publish = &release.Publishing{ID: p.ID, By: s.o.Who(ctx).Name}
	r, err := s.o.Shelf.Publish(ctx, e)
	if err != nil {
		if audit := s.o.Door.Record(context.WithoutCancel(ctx), "flow.publish_failed", p.File, detail); audit != nil {
			err = errors.Join(err, audit)
		}
		return r, err
	}
	s.o.Log.Info("a flow file was published", "file", p.File, "proposal", p.ID, "by", p.By, "publisher", e.Publish.By, "release", r.Number)
	s.events.send(proposalsChanged())
	return r, nil
}

func (s *Studio) postRefuse(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Why string `json:"why"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	id, err := number(r)
	if err != nil {
		return err
	}
	if err := checkNote(in.Why); err != nil {
		return err
	}
	p, text, _, err := s.o.Releases.Proposal(r.Context(), id)
	if err != nil {
		return err
	}
	if p.State != release.StateOpen {
		return decided()
	}
	e := shelf.Edit{File: p.File, Text: text, Base: p.Base}
	if err := s.o.Door.Record(r.Context(), "flow.refuse", p.File, fmt.Sprintf("proposal %d by %s: %s", p.ID, p.By, hashes(e))); err != nil {
		return err
	}
	if err := s.o.Releases.Refuse(r.Context(), id, s.o.Who(r.Context()).Name, in.Why); err != nil {
		return err
	}
	s.events.send(proposalsChanged())
	answer.JSON(w, http.StatusOK, proposed{strconv.Itoa(id), release.StateRefused, 0})
	return nil
}
