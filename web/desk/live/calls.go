package live

import (
	"cmp"
	"crypto/rand"
	"maps"
	"reflect"
	"slices"
	"sync"

	"tandem"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// heard is which calls go on and who is in them, and who listens to which chat.
type heard struct {
	mu        sync.Mutex
	talks     map[tandem.InteractionID]phone.Talk
	listeners map[tandem.TaskID]map[string]tandem.Role // by name
	done      map[tandem.TaskID]tandem.Task            // that left the line of late, up to maxDone
	order     []tandem.TaskID                          // of them
}

// maxDone bounds the tasks that are remembered once they are done.
const maxDone = 4096

// over notes a task that has left the line.
func (h *heard) over(t tandem.Task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.done[t.ID]; !known {
		if len(h.order) >= maxDone {
			delete(h.done, h.order[0])
			h.order = h.order[1:]
		}
		h.order = append(h.order, t.ID)
	}
	h.done[t.ID] = t
}

// Done is a task that has left the line of late.
func (d *Floor) Done(id tandem.TaskID) (tandem.Task, bool) {
	d.heard.mu.Lock()
	defer d.heard.mu.Unlock()
	t, ok := d.heard.done[id]
	return t, ok
}

func newHeard() *heard {
	return &heard{talks: map[tandem.InteractionID]phone.Talk{}, listeners: map[tandem.TaskID]map[string]tandem.Role{}, done: map[tandem.TaskID]tandem.Task{}}
}

// in reports whether somebody is in a call.
func in(t *phone.Talk, name string) bool {
	return t.Agent == name || slices.ContainsFunc(t.Parties, func(p phone.Party) bool { return p.Name == name })
}

// snapshot queues what somebody hears as it is. f.mu is held.
func (h *heard) snapshot(f *feed, s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.talks {
		if in(&t, f.name) {
			v := view.TalkOf(t, f.name, f.super)
			s.push(talkFrame{kindTalk, f.n, t.Task, t.Interaction, &v})
		}
	}
	for _, i := range s.desk.o.Calls.Invites(f.name) {
		s.push(inviteFrame{kindInvite, f.n, view.InviteOf(i)})
	}
	for task, of := range h.listeners {
		if role := of[f.name]; role != "" {
			s.push(listeningFrame{kindListening, f.n, task, role})
		}
	}
}

// forget ends all listening of somebody.
func (h *heard) forget(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for task, of := range h.listeners {
		if delete(of, name); len(of) == 0 {
			delete(h.listeners, task)
		}
	}
}

// readTalks reads the calls anew.
func (d *Floor) readTalks() {
	d.heard.mu.Lock()
	defer d.heard.mu.Unlock()
	clear(d.heard.talks)
	for _, t := range d.o.Calls.Talks() {
		d.heard.talks[t.Interaction] = t
	}
}

// tellTalk tells a call to those who are in it, and to those who were that they are no more.
func (d *Floor) tellTalk(t phone.Talk) {
	d.heard.mu.Lock()
	was := d.heard.talks[t.Interaction]
	if t.Over {
		delete(d.heard.talks, t.Interaction)
	} else {
		d.heard.talks[t.Interaction] = t
	}
	d.heard.mu.Unlock()
	names := map[string]bool{was.Agent: true, t.Agent: true}
	for _, p := range slices.Concat(was.Parties, t.Parties) {
		names[p.Name] = true
	}
	delete(names, "")
	d.hearGuests(&was, &t, names)
	for name := range names {
		gone := t.Over || !in(&t, name)
		for _, f := range d.feedsOf(name) {
			if gone || in(&was, name) && was.Task != t.Task {
				f.tell(func(n uint64) any { return talkFrame{kindTalk, n, cmp.Or(was.Task, t.Task), t.Interaction, nil} })
			}
			f.mu.Lock()
			super := f.super
			f.mu.Unlock()
			v := view.TalkOf(t, name, super)
			if gone || in(&was, name) && reflect.DeepEqual(v, view.TalkOf(was, name, super)) { // who listens unseen is not given away by a frame of nothing new
				continue
			}
			f.tell(func(n uint64) any { return talkFrame{kindTalk, n, t.Task, t.Interaction, &v} })
		}
	}
}

// hearGuests has those hear the chat of a call who were asked into it, for as long as they
// are in it.
func (d *Floor) hearGuests(was, t *phone.Talk, names map[string]bool) {
	task, ok := d.o.Line.Task(cmp.Or(t.Task, was.Task))
	if !ok {
		return
	}
	for name := range names {
		if task.Agent == name && task.State == tandem.TaskAssigned || d.Listens(name, task.ID) != "" {
			continue
		}
		guest := !t.Over && slices.ContainsFunc(t.Parties, func(p phone.Party) bool { return p.Name == name && p.Role == tandem.RoleSpecialist })
		for _, f := range d.feedsOf(name) {
			if guest {
				d.hear(f, task)
			} else {
				f.deaf(task.ID)
			}
		}
	}
}

// tellInvite tells an invite to whom it is for.
func (d *Floor) tellInvite(i phone.Invite) {
	if i.Over != "" {
		d.toFeed(i.To, func(n uint64) any { return inviteOver{kindInviteEnd, n, i.ID, i.Over} })
		return
	}
	d.toFeed(i.To, func(n uint64) any { return inviteFrame{kindInvite, n, view.InviteOf(i)} })
}

// Listen has a supervisor hear the chat of a task from now on, in a role: listener, or agent
// for who writes to the customer, too. It lasts till the agent has the task no more, or the
// supervisor has had no socket for a while.
func (d *Floor) Listen(c login.Caller, t tandem.Task, role tandem.Role) {
	key, name := whose(c)
	d.heard.mu.Lock()
	of := d.heard.listeners[t.ID]
	if of == nil {
		of = map[string]tandem.Role{}
		d.heard.listeners[t.ID] = of
	}
	of[name] = role
	d.heard.mu.Unlock()
	d.mu.Lock()
	f := d.feeds[key]
	if f == nil {
		f = newFeed(name)
		f.idle = d.o.Now()
		d.feeds[key] = f
	}
	d.mu.Unlock()
	f.tell(func(n uint64) any { return listeningFrame{kindListening, n, t.ID, role} })
	d.hear(f, t)
	d.facts.put(lookAt{t.Interaction})
}

// Unlisten ends that; false if they did not listen.
func (d *Floor) Unlisten(who string, id tandem.TaskID) bool {
	d.heard.mu.Lock()
	of := d.heard.listeners[id]
	_, was := of[who]
	if delete(of, who); len(of) == 0 {
		delete(d.heard.listeners, id)
	}
	d.heard.mu.Unlock()
	if !was {
		return false
	}
	for _, f := range d.feedsOf(who) {
		f.deaf(id)
		f.tell(func(n uint64) any { return listeningFrame{kindListening, n, id, ""} })
	}
	if t, ok := d.o.Line.Task(id); ok {
		d.facts.put(lookAt{t.Interaction})
	}
	return true
}

// unlisten ends all listening of somebody who comes back as no supervisor; nor do they learn
// what they missed of it.
func (d *Floor) unlisten(c login.Caller) {
	_, name := whose(c)
	if d.o.Supervises(c) {
		return
	}
	d.heard.mu.Lock()
	var tasks []tandem.TaskID
	for id, of := range d.heard.listeners {
		if of[name] != "" {
			tasks = append(tasks, id)
		}
	}
	d.heard.mu.Unlock()
	for _, id := range tasks {
		d.Unlisten(name, id)
	}
	for _, f := range d.feedsOf(name) {
		f.mu.Lock()
		if f.super {
			f.epoch, f.missed = rand.Text(), nil
		}
		f.mu.Unlock()
	}
}

// Listens is as what somebody listens to the chat of a task; "" = they do not.
func (d *Floor) Listens(who string, id tandem.TaskID) tandem.Role {
	d.heard.mu.Lock()
	defer d.heard.mu.Unlock()
	return d.heard.listeners[id][who]
}

// endListening ends what is listened to as its agent has it no more.
func (d *Floor) endListening(f queue.Fact) {
	id := tandem.TaskID("")
	switch o := f.Output.(type) {
	case route.TaskReleased:
		id = o.Task.ID
	case route.TaskOver:
		id = o.Task.ID
		d.heard.over(o.Task)
	case route.TaskChanged:
		if id = o.Task.ID; o.Task.Kind == tandem.TaskChat || o.Task.Kind == tandem.TaskText {
			d.relisten(o.Task)
			return
		}
	}
	d.heard.mu.Lock()
	names := slices.Collect(maps.Keys(d.heard.listeners[id]))
	d.heard.mu.Unlock()
	for _, name := range names {
		d.Unlisten(name, id)
	}
}

// relisten has those who listen to a task hear the conversation that it is about now.
func (d *Floor) relisten(t tandem.Task) {
	d.heard.mu.Lock()
	names := slices.Collect(maps.Keys(d.heard.listeners[t.ID]))
	d.heard.mu.Unlock()
	for _, name := range names {
		for _, f := range d.feedsOf(name) {
			d.hear(f, t)
		}
	}
}

// linkTold is what became of a link that the customer of an interaction was given.
type linkTold struct {
	in   tandem.InteractionID
	link view.Offered
}

// Link has those told of a link who serve its customer. It does not wait.
func (d *Floor) Link(in tandem.InteractionID, l view.Offered) { d.facts.put(linkTold{in, l}) }

func (d *Floor) tellLink(l linkTold) {
	for _, t := range d.o.Line.Of(l.in) {
		if t.State == tandem.TaskAssigned && t.Agent != "" {
			d.toFeed(t.Agent, func(n uint64) any { return linkFrame{kindLink, n, t.ID, l.link} })
		}
	}
}

// asked is what came of a step, for the agent who asked for it.
type asked struct {
	agent string
	told  view.Told
}

// Asked tells an agent what came of a step that they asked a flow to run. It does not wait.
func (d *Floor) Asked(agent string, t view.Told) { d.facts.put(asked{agent, t}) }

// Whisper tells an agent something beside a chat. It does not wait.
func (d *Floor) Whisper(agent string, w Whispered) {
	d.toFeed(agent, func(n uint64) any { return whisperFrame{kindWhisper, n, w.Task, w.From, w.Text, w.At.UTC()} })
}
