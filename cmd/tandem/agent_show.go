package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
)

// show prints one frame and keeps what it tells.
func (d *deskTerm) show(ctx context.Context, f deskFrame) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var t deskTask
	if json.Unmarshal(f.Task, &t) != nil {
		_ = json.Unmarshal(f.Task, &t.ID) // an id alone
	}
	switch f.T {
	case "state":
		d.state(f.Agent)
	case "offer":
		t.State = tandem.TaskOffered
		d.tasks[t.ID] = &t
		fmt.Fprintf(d.out, "\a→ offered: %s, in line since %s (a = accept, d = let it pass)\n", t.name(), t.Arrived.Local().Format(time.TimeOnly))
		if f.Decision != nil {
			fmt.Fprintf(d.out, "  %s\n", printable(f.Decision.Why.En))
		}
	case "offer_over":
		if o := d.tasks[t.ID]; o != nil && o.State == tandem.TaskOffered {
			delete(d.tasks, t.ID)
			fmt.Fprintf(d.out, "· the offer of %s is over: %s\n", o.name(), f.Why)
		}
	case "task":
		d.changed(ctx, &t, f.Why)
	case "wrap":
		d.wrap(t.ID, f)
	case "message":
		var m deskMessage
		if o := d.tasks[t.ID]; o != nil && json.Unmarshal(f.Message, &m) == nil {
			d.said(o, m)
		}
	case "error":
		var why string
		_ = json.Unmarshal(f.Message, &why)
		fmt.Fprintf(d.out, "✗ %s\n", why)
	}
}

// state tells who one is and what one is, if that is another now.
func (d *deskTerm) state(agent json.RawMessage) {
	var a struct {
		Name     string          `json:"name"`
		Presence tandem.Presence `json:"presence"`
		Reason   string          `json:"reason"`
	}
	_ = json.Unmarshal(agent, &a)
	if now := strings.TrimSpace(fmt.Sprintf("· %s is %s %s", a.Name, a.Presence, a.Reason)); now != d.stands {
		d.stands = now
		fmt.Fprintln(d.out, now)
	}
}

// changed keeps a task as it is now.
func (d *deskTerm) changed(ctx context.Context, t *deskTask, why string) {
	switch t.State {
	case tandem.TaskAssigned:
		had := d.tasks[t.ID]
		if had != nil {
			t.said = had.said
		}
		d.tasks[t.ID], d.now = t, t.ID
		if had == nil || had.State != tandem.TaskAssigned {
			fmt.Fprintf(d.out, "· you have %s\n", t.name())
			go d.tell(ctx, *t)
			return
		}
	case tandem.TaskWrapping:
		d.tasks[t.ID] = t
		return // the wrap frame tells
	default:
		delete(d.tasks, t.ID)
	}
	fmt.Fprintf(d.out, "· %s: %s\n", t.name(), why)
}

// wrap tells that notes are to be written, or that they are done.
func (d *deskTerm) wrap(id tandem.TaskID, f deskFrame) {
	t := d.tasks[id]
	if t == nil {
		t = &deskTask{ID: id}
		d.tasks[id] = t
	}
	if f.Until.IsZero() {
		if delete(d.tasks, id); t.Kind != "" {
			fmt.Fprintf(d.out, "· the notes on %s are done\n", t.name())
		}
		return
	}
	t.State, t.Fence = tandem.TaskWrapping, f.Fence
	fmt.Fprintf(d.out, "· notes on %s until %s: w DISPOSITION ends them\n", t.name(), f.Until.Local().Format(time.TimeOnly))
}

// said prints a message once.
func (d *deskTerm) said(t *deskTask, m deskMessage) {
	if m.Seq <= t.said {
		return
	}
	t.said = m.Seq
	if m.Text != "" {
		fmt.Fprintf(d.out, "  %s: %s\n", m.From, printable(m.Text))
	}
}

// tell shows what is known of a task that one has: who it is, the ticket, what was said.
func (d *deskTerm) tell(ctx context.Context, t deskTask) {
	var about struct {
		Story struct {
			Interaction struct {
				Number tandem.Number `json:"number"`
			} `json:"interaction"`
			Legs []struct {
				From    string `json:"from"`
				Inbound bool   `json:"inbound"`
			} `json:"legs"`
			Answers map[string]any `json:"answers"`
		} `json:"story"`
	}
	if err := d.get(ctx, "tasks/"+string(t.ID), &about); err != nil {
		fmt.Fprintf(d.out, "✗ %v\n", err)
		return
	}
	who := "somebody in the chat"
	for _, l := range about.Story.Legs {
		if l.Inbound && l.From != "" {
			who = l.From
		}
	}
	fmt.Fprintf(d.out, "  interaction %s, %s\n", about.Story.Interaction.Number, printable(who))
	for _, name := range slices.Sorted(maps.Keys(about.Story.Answers)) {
		fmt.Fprintf(d.out, "  %s = %s\n", name, printable(fmt.Sprint(about.Story.Answers[name])))
	}
	if t.Kind == tandem.TaskTicket {
		var ticket struct {
			Number tandem.Number  `json:"number"`
			Fields map[string]any `json:"fields"`
		}
		if err := d.get(ctx, "tasks/"+string(t.ID)+"/ticket", &ticket); err == nil {
			fmt.Fprintf(d.out, "  ticket %s\n", ticket.Number)
			for _, name := range slices.Sorted(maps.Keys(ticket.Fields)) {
				fmt.Fprintf(d.out, "  %s: %s\n", name, printable(fmt.Sprint(ticket.Fields[name])))
			}
		}
	}
	if t.Kind != tandem.TaskChat && t.Kind != tandem.TaskText {
		return
	}
	var talk struct {
		Messages []deskMessage `json:"messages"`
	}
	if err := d.get(ctx, "tasks/"+string(t.ID)+"/messages", &talk); err != nil {
		fmt.Fprintf(d.out, "✗ %v\n", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.tasks[t.ID]; now != nil {
		slices.SortFunc(talk.Messages, func(a, b deskMessage) int { return cmp.Compare(a.Seq, b.Seq) })
		for _, m := range talk.Messages {
			d.said(now, m)
		}
	}
}
