package desk

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"tandem"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/story"
	"tandem/web/desk/view"
	"tandem/web/login"
)

func (d *Desk) getCustomer(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	t, theirs, err := d.visible(login.CallerOf(r.Context()), id, duty.Readers)
	if err != nil {
		return err
	}
	if !theirs {
		if err := d.o.Door.Record(r.Context(), "interaction.look", string(t.Interaction), "customer"); err != nil {
			return err
		}
	}
	v, err := d.told.Customer(r.Context(), t)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, v)
	return nil
}

func (d *Desk) getLinks(w http.ResponseWriter, r *http.Request) error {
	return listed(d, w, r, "links", func(c login.Caller, id tandem.TaskID) ([]view.Offered, map[string]any, error) {
		t, theirs, err := d.visible(c, id, duty.Readers)
		if err != nil {
			return nil, nil, err
		}
		if !theirs {
			if err := d.o.Door.Record(r.Context(), "interaction.look", string(t.Interaction), "links"); err != nil {
				return nil, nil, err
			}
		}
		s, err := d.o.Journal.Interaction(r.Context(), string(t.Interaction))
		return story.LinksOf(s.Events), nil, err
	})
}

// maxPicture bounds a picture that is shown, in bytes; larger ones were not taken.
const maxPicture = 16 << 20

// getPicture shows a picture that was sent in the chat of a task, once it is written down
// who looks.
func (d *Desk) getPicture(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	c := login.CallerOf(r.Context())
	t, _, err := d.readable(c, id)
	if err != nil {
		return err
	}
	blob := tandem.BlobID(r.PathValue("picture"))
	none := tandem.Errorf(tandem.CodeNotFound, "there is no such picture in this chat")
	if !tandem.ValidID(string(blob)) {
		return none
	}
	s, err := d.o.Journal.Interaction(r.Context(), string(t.Interaction))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.Events, func(e tandem.Event) bool {
		var m tandem.Message
		return e.Kind == tandem.EventMessage && bytes.Contains(e.Data, []byte(blob)) && json.Unmarshal(e.Data, &m) == nil && m.Attachment != nil && m.Attachment.Blob == blob
	}) {
		return none
	}
	if err := d.o.Door.Record(r.Context(), "picture.look", string(t.Interaction), string(blob)); err != nil {
		return err
	}
	content, ref, err := d.o.Journal.OpenBlob(r.Context(), blob, duty.Actor(c), "desk")
	if err != nil {
		return err
	}
	defer content.Close()
	if ref.MediaType != "image/jpeg" && ref.MediaType != "image/png" || ref.Size > maxPicture {
		return none
	}
	data, err := io.ReadAll(io.LimitReader(content, maxPicture)) // the whole of it: it is whole, or an error
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", ref.MediaType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err = w.Write(data)
	clear(data)
	if err != nil {
		return errDone // who looked has gone
	}
	return nil
}

// getNodes, getReplies and getOperations are for who serves the customer.
func (d *Desk) getNodes(w http.ResponseWriter, r *http.Request) error {
	return listed(d, w, r, "nodes", func(c login.Caller, id tandem.TaskID) ([]view.Node, map[string]any, error) {
		all, err := d.Nodes(r.Context(), c, id)
		return all, nil, err
	})
}

func (d *Desk) getReplies(w http.ResponseWriter, r *http.Request) error {
	return listed(d, w, r, "replies", func(c login.Caller, id tandem.TaskID) ([]view.Reply, map[string]any, error) {
		all, err := d.Replies(r.Context(), c, id, r.URL.Query().Get("q"))
		return all, nil, err
	})
}

func (d *Desk) getOperations(w http.ResponseWriter, r *http.Request) error {
	return listed(d, w, r, "operations", func(c login.Caller, id tandem.TaskID) ([]view.Operation, map[string]any, error) {
		all, by, err := d.Operations(r.Context(), c, id)
		return all, map[string]any{"by": append([]string{}, by...)}, err
	})
}

// colleague is an agent as others see them who may hand them a customer.
type colleague struct {
	Name      string          `json:"name"`
	Display   string          `json:"display"`
	Presence  tandem.Presence `json:"presence"`
	Reason    string          `json:"reason,omitempty"`
	Reachable []tandem.Load   `json:"reachable"`
	Busy      []tandem.Load   `json:"busy"`
	Teams     []string        `json:"teams"`
}

// place is a queue that a customer can be handed to.
type place struct {
	Name    string `json:"name"`
	Waiting int    `json:"waiting"`
	Free    int    `json:"free"`
}

func (d *Desk) getDirectory(w http.ResponseWriter, r *http.Request) error {
	out := struct {
		Agents []colleague `json:"agents"`
		Queues []place     `json:"queues"`
	}{[]colleague{}, []place{}}
	p := d.o.Line.Policy()
	for _, a := range d.o.Line.Agents() {
		of := p.Agents[a.Name]
		if of == nil {
			continue
		}
		v := d.AgentView(a)
		one := colleague{Name: v.Name, Display: d.o.Display(r.Context(), v.Name), Presence: v.Presence, Reason: v.Reason, Reachable: []tandem.Load{}, Busy: []tandem.Load{}, Teams: v.Teams}
		for _, l := range []tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork} {
			if v.Reachable[l] {
				one.Reachable = append(one.Reachable, l)
			}
			if v.Has[l] >= v.Capacity[l] {
				one.Busy = append(one.Busy, l)
			}
		}
		out.Agents = append(out.Agents, one)
	}
	figures, _ := d.board.Figures(d.o.Line)
	for i := range figures {
		out.Queues = append(out.Queues, place{figures[i].Name, figures[i].Total, figures[i].Agents.Free})
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}
