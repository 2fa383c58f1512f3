package desk

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"tandem"
	"tandem/bridge/survey"
	"tandem/bridge/ticket"
	"tandem/media/wav"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// maxAudio bounds a voicemail that is shown, in bytes: an hour and a half of G.711.
const maxAudio = 48 << 20

// getAudio shows a voicemail as a WAV file, once it is written down who hears it.
func (d *Desk) getAudio(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	c := login.CallerOf(r.Context())
	t, _, err := d.visible(c, id, duty.Listeners)
	if err != nil {
		return err
	}
	if t.Blob == "" {
		return tandem.Errorf(tandem.CodeNotFound, "there is nothing to hear of this task")
	}
	if err := d.o.Door.Record(r.Context(), "audio.listen", string(t.Interaction), "voicemail "+string(t.Blob)); err != nil {
		return err
	}
	content, ref, err := d.o.Journal.OpenBlob(r.Context(), t.Blob, duty.Actor(c), "desk")
	if err != nil {
		return err
	}
	defer content.Close()
	head, err := wav.Head(ref.MediaType, ref.Size)
	if err != nil {
		return err
	}
	if ref.Size > maxAudio {
		return tandem.Errorf(tandem.CodeConflict, "this recording is too long to be heard here; export it with tandem interactions export")
	}
	data := make([]byte, len(head), int64(len(head))+ref.Size)
	copy(data, head)
	rest, err := io.ReadAll(io.LimitReader(content, maxAudio)) // the whole of it: it is whole, or an error
	if err != nil {
		return err
	}
	data = append(data, rest...)
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Content-Disposition", `inline; filename="voicemail.wav"`)
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	clear(data)
	return nil
}

// shownTicket is a ticket with its history, as the API shows it.
type shownTicket struct {
	ticket.Detail
	Fields  map[string]any `json:"fields"`
	History []ticket.Entry `json:"history"`
}

func shownTicketOf(t ticket.Detail) shownTicket {
	v := shownTicket{Detail: t, Fields: view.Filled(t.Fields), History: t.History}
	if v.History == nil {
		v.History = []ticket.Entry{}
	}
	return v
}

func (d *Desk) getTicket(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	if err := d.mayWork(login.CallerOf(r.Context()), id, duty.Readers, duty.Clerks); err != nil {
		return err
	}
	t, err := d.o.Tickets.Find(r.Context(), id)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, shownTicketOf(t))
	return nil
}

// mayWork lets those through who have a task and those of the groups, who may see work
// orders that are done, too.
func (d *Desk) mayWork(c login.Caller, id tandem.TaskID, others ...duty.Group) error {
	for _, g := range others {
		if g.Holds(c) {
			return nil
		}
	}
	_, err := d.Readable(c, id)
	return err
}

func (d *Desk) postTicket(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Status string    `json:"status"`
		Owner  string    `json:"owner"`
		Due    time.Time `json:"due"`
		Until  time.Time `json:"until"`
		Note   string    `json:"note"`
		Told   string    `json:"told"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) {
		err := d.mayWork(c, id, duty.Clerks)
		if h, none := d.Holding(c, id); none == nil && h.Now == tandem.TaskOffered && !duty.Group(duty.Clerks).Holds(c) {
			err = tandem.Errorf(tandem.CodeConflict, "accept the offer first")
		}
		if err == nil {
			in.Owner, err = duty.Word(in.Owner, "the owner", duty.MaxName+10)
		}
		if err == nil && in.Note != "" {
			in.Note, err = duty.Text(in.Note, "the note", duty.MaxNote)
		}
		if err == nil && in.Told != "" {
			in.Told, err = duty.Text(in.Told, "what the customer is told", duty.MaxTold)
		}
		if err != nil {
			return nil, err
		}
		if clerk := duty.Group(duty.Clerks); clerk.Holds(c) {
			if err := d.o.Door.Record(r.Context(), "ticket.change", string(id), in.Status); err != nil {
				return nil, err
			}
		}
		if _, err := d.o.Tickets.Change(r.Context(), duty.Actor(c), ticket.Change{Task: id, Status: in.Status, Owner: in.Owner, Due: in.Due, Until: in.Until, Note: in.Note, Told: in.Told}); err != nil {
			return nil, err
		}
		t, err := d.o.Tickets.Find(r.Context(), id)
		return shownTicketOf(t), err
	})
}

const (
	surveySpan    = 30 * 24 * time.Hour  // without since
	longestSurvey = 366 * 24 * time.Hour // of what is asked for at once
)

func (d *Desk) getSurveys(w http.ResponseWriter, r *http.Request) error {
	from, to, err := span(r.URL.Query().Get("since"), r.URL.Query().Get("until"))
	if err != nil {
		return err
	}
	if to.IsZero() {
		to = d.o.Now()
	}
	if from.IsZero() {
		from = to.Add(-surveySpan)
	}
	if !from.Before(to) || to.Sub(from) > longestSurvey {
		return duty.Invalid("until is after since, by at most 366 days")
	}
	figures, err := d.o.Surveys.Figures(r.Context(), from, to)
	if err != nil {
		return err
	}
	if figures == nil {
		figures = []survey.Figure{}
	}
	for i := range figures {
		if figures[i].Fields == nil {
			figures[i].Fields = []survey.FieldFigure{}
		}
	}
	answer.JSON(w, http.StatusOK, struct {
		Figures []survey.Figure `json:"figures"`
	}{figures})
	return nil
}
