package desk

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/web/desk/story"
	"tandem/web/desk/view"
)

// past writes what happened with somebody before: interactions with a few events each, the
// newest with an agent, notes and a disposition.
func (h *house) past(who tandem.Identity, n int) {
	h.Helper()
	var all []*store.Change
	for i := range n {
		at := h.clock.Now().Add(-time.Duration(n-i) * time.Minute)
		in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](at, h.random), Number: tandem.NewNumber(h.random), Entry: "95599", Flow: "bank", State: tandem.Closed, Started: at, Ended: at.Add(time.Minute), Outcome: "completed"}
		leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](at, h.random), Interaction: in.ID, Kind: []tandem.LegKind{tandem.LegSIP, tandem.LegChat, tandem.LegSMS}[i%3], Inbound: true, Role: tandem.RoleCustomer, From: who.Value, Started: at, Ended: in.Ended}
		task := tandem.NewID[tandem.TaskID](at, h.random)
		all = append(all, &store.Change{Interaction: &in, Caller: &who, Legs: []tandem.Leg{leg}, Events: []tandem.Event{
			tandem.NewEvent(in.ID, leg.ID, at, tandem.EventOpened, "system", tandem.Opened{Entry: in.Entry, Channel: tandem.Voice, From: who.Value}),
			tandem.NewEvent(in.ID, leg.ID, at, tandem.EventTaskAssigned, "anna", tandem.Assigned{Task: task, Agent: "anna", Fence: uint64(i + 1)}),
			tandem.NewEvent(in.ID, leg.ID, at, tandem.EventNoted, "anna", tandem.Noted{Task: task, Text: fmt.Sprint("Note ", i)}),
			tandem.NewEvent(in.ID, leg.ID, at, tandem.EventTaskWrapped, "anna", tandem.Wrapped{Task: task, Agent: "anna", Fence: uint64(i + 1), Disposition: "solved"}),
		}})
		if len(all) == 500 || i == n-1 {
			h.must(h.db.CommitAll(h.Context(), all...))
			all = all[:0]
		}
	}
}

// calls is a task of somebody's who calls now.
func (h *house) calls(who tandem.Identity, kind tandem.TaskKind) tandem.Task {
	h.Helper()
	now := h.clock.Now()
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, h.random), Number: tandem.NewNumber(h.random), Entry: "95599", Flow: "bank", State: tandem.Open, Started: now, Lang: "zh-CN"}
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, h.random), Interaction: in.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer, From: who.Value, Started: now, Assurance: tandem.Verified, AssuranceUntil: now.Add(time.Hour)}
	link := tandem.NewID[tandem.LinkID](now, h.random)
	t, err := h.router.Open(h.Context(), tandem.Task{Interaction: in.ID, Kind: kind, Queue: "cards", State: tandem.TaskWaiting, Arrived: now, Level: "gold", Key: "1"},
		&store.Change{Interaction: &in, Caller: &who, Legs: []tandem.Leg{leg}, Events: []tandem.Event{
			tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOpened, "system", tandem.Opened{Entry: in.Entry, Channel: tandem.Voice, From: who.Value}),
			tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOutcome, "flow", tandem.StepLeft{Flow: "bank", Step: "look", Outcome: "ok", Set: map[string]any{"account": "6222", "pin": "••••", "customer": map[string]any{"name": "Li Hua", "segment": "gold"}}}),
			tandem.NewEvent(in.ID, leg.ID, now, tandem.EventLinkMade, "flow", tandem.LinkIssued{Link: link, Operation: "block", By: "sms", Expires: now.Add(time.Hour)}),
			tandem.NewEvent(in.ID, leg.ID, now, tandem.EventLinkState, "caller", tandem.LinkChanged{Link: link, State: tandem.LinkOpened}),
		}})
	h.must(err)
	return t
}

// TestCustomerView: who is offered a task sees all that is known of its customer, before they
// accept; nobody else does, and who looks without having it is written down.
func TestCustomerView(t *testing.T) {
	h := newHouse(t)
	anna, sue := h.as("anna"), h.as("sue")
	who := tandem.Identity{Kind: tandem.IdentityPhone, Value: "+8613800138000"}
	h.past(who, 7)
	h.clock.Add(time.Second)
	other := h.calls(who, tandem.TaskTicket)
	h.clock.Add(time.Second)
	of := h.calls(who, tandem.TaskVoicemail)
	h.offered(anna, of.ID)
	var v struct {
		Customer    string
		Since       time.Time
		Assurance   string
		Until       time.Time `json:"assurance_until"`
		Details     map[string]any
		Bindings    []struct{ Kind, Value string }
		Contacts    []story.Contact
		Open        []view.Task
		Answers     map[string]any
		Notes       []story.Note
		Links       []view.Offered
		Interaction struct{ Lang string }
	}
	anna.ok(200, "GET", path(of.ID, "customer"), nil, &v)
	switch {
	case v.Customer == "" || v.Since.IsZero() || v.Assurance != "verified" || v.Until.IsZero():
		t.Errorf("the customer is %+v", v)
	case v.Details["name"] != "Li Hua" || v.Details["level"] != "gold" || v.Answers["pin"] != "••••":
		t.Errorf("details %v, answers %v", v.Details, v.Answers)
	case len(v.Bindings) != 1 || v.Bindings[0].Value != "+86••••8000":
		t.Errorf("bindings %v", v.Bindings)
	case len(v.Contacts) != 5 || v.Contacts[0].ID != other.Interaction || v.Contacts[1].Disposition != "solved" || v.Contacts[1].Agents[0] != "anna" || v.Contacts[1].Notes[0].Text != "Note 6":
		t.Errorf("contacts %+v", v.Contacts)
	case len(v.Open) != 1 || v.Open[0].ID != other.ID:
		t.Errorf("open %+v", v.Open)
	case len(v.Links) != 1 || v.Links[0].State != tandem.LinkOpened || v.Links[0].Operation != "block":
		t.Errorf("links %+v", v.Links)
	}
	if r := anna.do("GET", path(of.ID, "customer"), nil); strings.Contains(r.body, "13800138000") && strings.Contains(r.body[strings.Index(r.body, `"bindings"`):], "13800138000") {
		t.Errorf("a number is told whole: %s", r.body)
	}
	h.as("bo").refused(404, "not_found", "GET", path(of.ID, "customer"), nil)
	if h.audited("sue", "interaction.look") {
		t.Error("sue has looked before she did")
	}
	sue.ok(200, "GET", path(of.ID, "customer"), nil, nil)
	if !h.audited("sue", "interaction.look") {
		t.Error("that sue looked is not written down")
	}
	h.must(h.db.Erase(t.Context(), tandem.CustomerID(v.Customer), "test", "asked for"))
	v.Bindings, v.Contacts, v.Details = nil, nil, nil
	anna.ok(200, "GET", path(of.ID, "customer"), nil, &v)
	if len(v.Bindings)+len(v.Contacts) != 0 || v.Details["name"] != nil {
		t.Errorf("of an erased customer there is %+v", v)
	}
}

// BenchmarkCustomerView: the one view, with a hundred thousand interactions in the journal: of
// somebody who has called three hundred times of late, and of one who did three times, long
// ago.
func BenchmarkCustomerView(b *testing.B) {
	h := newHouse(b)
	often, seldom := tandem.Identity{Kind: tandem.IdentityPhone, Value: "+8613900139000"}, tandem.Identity{Kind: tandem.IdentityPhone, Value: "+8613700137000"}
	h.past(seldom, 3)
	h.clock.Add(24 * time.Hour)
	for i := range 100 {
		h.past(tandem.Identity{Kind: tandem.IdentityPhone, Value: fmt.Sprintf("+86138%08d", i)}, 1000)
	}
	h.past(often, 300)
	h.clock.Add(time.Second)
	anna := h.as("anna")
	for name, who := range map[string]tandem.Identity{"often": often, "seldom": seldom} {
		of := h.calls(who, tandem.TaskVoicemail)
		h.offered(anna, of.ID)
		b.Run(name, func(b *testing.B) {
			for range b.N {
				anna.ok(200, "GET", path(of.ID, "customer"), nil, nil)
			}
			if per := b.Elapsed() / time.Duration(b.N); per > 200*time.Millisecond {
				b.Errorf("it takes %s", per)
			}
		})
	}
}

// TestPictures: a picture of a chat is shown to who has the task, once that is written down,
// and to nobody by the id alone.
func TestPictures(t *testing.T) {
	h := newHouse(t)
	anna, bo := h.as("anna"), h.as("bo")
	chat := h.arrive(tandem.TaskChat)
	mine, elsewhere := h.picture(chat), h.picture(h.arrive(tandem.TaskChat))
	h.served(anna, chat.ID)
	at := path(chat.ID, "pictures/"+string(mine))
	r := anna.do("GET", at, nil)
	if _, err := png.Decode(strings.NewReader(r.body)); r.StatusCode != 200 || err != nil || r.Header.Get("Content-Type") != "image/png" || r.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(r.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d, %v, %v", r.StatusCode, err, r.Header)
	}
	h.count(chat.Interaction, tandem.EventBlobOpened, 1)
	if !h.audited("anna", "picture.look") {
		t.Error("that anna looked is not in the audit log")
	}
	anna.refused(404, "not_found", "GET", path(chat.ID, "pictures/"+string(elsewhere)), nil)
	anna.refused(404, "not_found", "GET", path(chat.ID, "pictures/00000000000000000000000000"), nil)
	anna.refused(404, "not_found", "GET", path(chat.ID, "pictures/x"), nil)
	bo.refused(404, "not_found", "GET", at, nil)
	h.count(chat.Interaction, tandem.EventBlobOpened, 1)
}

// picture is one that the customer of a chat has sent.
func (h *house) picture(t tandem.Task) tandem.BlobID {
	h.Helper()
	var data bytes.Buffer
	h.must(png.Encode(&data, image.NewGray(image.Rect(0, 0, 4, 4))))
	w, err := h.place.Blobs.Create(t.Interaction, "image/png")
	h.must(err)
	_, err = w.Write(data.Bytes())
	h.must(err)
	ref, err := w.Commit()
	h.must(err)
	m := tandem.Message{From: tandem.SenderCustomer, Channel: tandem.Chat, Attachment: &tandem.Attachment{Blob: ref.ID, MediaType: ref.MediaType, Bytes: ref.Size, Width: 4, Height: 4}}
	h.must(h.db.Commit(h.Context(), &store.Change{Blobs: []store.BlobRef{ref}, Events: []tandem.Event{tandem.NewEvent(t.Interaction, "", h.clock.Now(), tandem.EventMessage, "caller", m)}}))
	return ref.ID
}
