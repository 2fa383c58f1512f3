package route

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
)

// Failures that other systems are known for, each with the test that it cannot happen here.

// Elsewhere a callback is put before everybody, because it is dialled by a machine that
// looks at its own list first.
func TestCallbacksDoNotJumpTheLine(t *testing.T) {
	s := begin(t, working("anna"))
	s.open("busy", tandem.TaskCall)
	s.accept("busy")
	s.open("first", tandem.TaskCall)
	s.later(10 * time.Second)
	s.open("second", tandem.TaskCall)
	s.later(10 * time.Second)
	s.open("third", tandem.TaskCall)
	was := s.task("second")
	s.do(Changed{At: s.now, Task: "second", Kind: tandem.TaskCallback, Why: "callback"})
	if is := s.task("second"); !is.Arrived.Equal(was.Arrived) || !is.Due.Equal(was.Due) {
		t.Errorf("its place has changed: %v %v, was %v %v", is.Arrived, is.Due, was.Arrived, was.Due)
	}
	s.later(time.Second)
	s.open("fresh", tandem.TaskCallback)
	var order []string
	for last := "busy"; len(order) < 4; {
		s.release(last, nowrap)
		for _, id := range []string{"first", "second", "third", "fresh"} {
			if s.offered(id) != "" {
				s.accept(id)
				order, last = append(order, id), id
			}
		}
	}
	if got := strings.Join(order, " "); got != "first second third fresh" {
		t.Errorf("served %s", got)
	}
}

// Elsewhere each free agent's dialler takes the same callback, and each failed attempt
// makes another.
func TestCallbacksAreDialledByOneAgentAndSoOftenOnly(t *testing.T) {
	s := begin(t, working("anna", "bo", "chen"))
	if n := count[OfferMade](s.open("back", tandem.TaskCallback)); n != 1 {
		t.Fatalf("%d offers of one callback", n)
	}
	s.open("back again", tandem.TaskCallback, func(t *tandem.Task) { t.Interaction = "of back" })
	if s.offered("back again") != "" {
		t.Error("a second callback of the same interaction is offered beside the first")
	}
	s.do(Ended{At: s.now, Task: "back again"})

	dialled := 0
	for range 5 {
		if s.offered("back") == "" {
			break
		}
		first := s.accept("back")
		dialled++
		s.release("back", back, nowrap, func(e *Released) { e.Dialled, e.Why = true, "handed_back" })
		if out := s.do(Accepted{At: s.now, Task: "back", Agent: first.Agent, Fence: first.Fence}); count[Late](out) != 1 {
			t.Errorf("an answer to an old offer counts: %s", show(out))
		}
		if s.offered("back") != "" {
			t.Error("it is offered again at once")
		}
		s.later(15 * time.Minute)
	}
	if dialled != 2 {
		t.Errorf("dialled %d times, want 2", dialled)
	}
	if _, ok := s.l.Task("back"); ok {
		t.Error("it is still in line")
	}
}

// Elsewhere queues have weights, and the one with the highest is served as long as anybody
// waits in it; or a penalty keeps agents from a queue for good.
func TestNoQueueStarvesAnother(t *testing.T) {
	p := working("anna")
	p.Queues["gold"] = &Queue{Name: "gold", Teams: []string{"cards"}, Target: map[tandem.TaskKind]time.Duration{tandem.TaskCall: 5 * time.Second}}
	p.Queues["cards"].Target = map[tandem.TaskKind]time.Duration{tandem.TaskCall: time.Minute}
	s := begin(t, p)
	s.open("busy", tandem.TaskCall)
	s.accept("busy")
	s.open("patient", tandem.TaskCall)
	// From then on gold callers come faster than they are served, each with all the head
	// start that there is to ask for.
	due := s.task("patient").Due
	last, served := "busy", 0
	for n := range 1000 {
		s.open(fmt.Sprintf("gold %d", n), tandem.TaskCall, func(t *tandem.Task) { t.Queue, t.Priority = "gold", time.Hour })
		s.later(30 * time.Second)
		s.release(last, nowrap)
		for _, o := range s.l.Tasks("", 0) {
			if o.State == tandem.TaskOffered {
				last = string(s.accept(string(o.ID)).ID)
			}
		}
		if last == "patient" {
			break
		}
		served++
		s.open(fmt.Sprintf("more gold %d", n), tandem.TaskCall, func(t *tandem.Task) { t.Queue, t.Priority = "gold", time.Hour })
	}
	// Those who may go before have a due time that is before: they arrived within the
	// difference of the targets and the most head start.
	most := p.MostPriority + due.Sub(noon) - 5*time.Second
	if served == 0 || time.Duration(served)*15*time.Second > most+30*time.Second || last != "patient" {
		t.Errorf("%d of the other queue went before, in %v", served, s.now.Sub(noon))
	}
	for _, o := range s.l.Tasks("gold", 0) {
		if o.State == tandem.TaskWaiting && o.Due.Before(due) {
			t.Errorf("%s was due at %v and still waits", o.ID, o.Due)
		}
	}
}

// Elsewhere an agent who transfers a call to a colleague loses their wrap-up as the
// colleague answers or ends.
func TestWrapUpOutlivesATransfer(t *testing.T) {
	s := begin(t, working("anna", "bo"))
	s.open("call", tandem.TaskCall)
	first := s.accept("call")
	if first.Agent != "anna" {
		t.Fatal(first.Agent)
	}
	s.later(30 * time.Second)
	out := s.release("call", back, func(e *Released) { e.Why, e.Prefer = "transferred", "bo" })
	if count[WrapBegun](out) != 1 || s.offered("call") != "bo" {
		t.Fatalf("%s", show(out))
	}
	if was, is := first, s.task("call"); !is.Due.Equal(was.Due) || !is.Arrived.Equal(was.Arrived) || is.Fence <= was.Fence {
		t.Errorf("its place has changed: %s", show(is))
	}
	s.later(5 * time.Second)
	s.accept("call")
	s.later(10 * time.Second)
	s.release("call", nowrap)
	anna, _ := s.l.Agent("anna")
	if len(anna.Holds) != 1 || anna.Holds[0].State != tandem.TaskWrapping || anna.Holds[0].Task != "call" || anna.Has[tandem.LoadVoice] != 1 {
		t.Fatalf("anna's wrap-up is gone: %s", show(anna))
	}
	out = s.later(44 * time.Second)
	if count[WrapOver](out) != 0 {
		t.Error("anna's wrap-up ended early")
	}
	out = s.later(time.Second)
	if w, ok := out[0].(WrapOver); !ok || w.Agent != "anna" || w.Seconds != 60 || !w.Late || w.Interaction != "of call" {
		t.Errorf("anna's wrap-up did not end in time: %s", show(out))
	}
}

// Elsewhere chats are pushed to whoever is logged in, or the cap is looked at before the
// offers that are out.
func TestOffersCountTowardsTheCapOfChats(t *testing.T) {
	s := begin(t, working("anna"))
	for i := range 5 {
		s.open(fmt.Sprintf("chat %d", i), tandem.TaskChat)
	}
	anna, _ := s.l.Agent("anna")
	if anna.Has[tandem.LoadChat] != 3 {
		t.Fatalf("%d chats are offered to one who may have 3", anna.Has[tandem.LoadChat])
	}
	out := s.do(Pulled{At: s.now, Task: "chat 3", Agent: "anna"})
	if count[Late](out) != 1 {
		t.Errorf("a fourth can be pulled: %s", show(out))
	}
	d, _ := s.l.Why("chat 3", s.now)
	if len(d.Not) != 1 || d.Not[0].Reason != "offered" || d.Why.En != "The only agent there who could take it is not free." {
		t.Errorf("why it waits: %s", show(d))
	}
}

func TestOffersLapseToTheOldPlace(t *testing.T) {
	p := working("anna")
	p.DeclineRest = 0
	s := begin(t, p)
	s.open("one", tandem.TaskCall)
	s.later(time.Second)
	s.open("two", tandem.TaskCall)
	was := s.task("one")
	for i := range 3 {
		if s.offered("one") != "anna" {
			t.Fatalf("offer %d is of another", i)
		}
		s.later(20 * time.Second)
	}
	if is := s.task("one"); is.State != tandem.TaskWaiting || !is.Due.Equal(was.Due) || !is.Arrived.Equal(was.Arrived) {
		t.Errorf("its place has changed: %s", show(is))
	}
	if place, ok := s.l.Place("one", s.now); !ok || place.Position != 1 {
		t.Errorf("it is number %d", place.Position)
	}
	anna, _ := s.l.Agent("anna")
	if anna.Presence != tandem.PresenceAway || anna.Reason != "missed" {
		t.Errorf("anna let three offers lapse and is %s %s", anna.Presence, anna.Reason)
	}
}

func TestAnAgentIsNotOfferedAgainWhatTheyLetPass(t *testing.T) {
	s := begin(t, working("anna", "bo"))
	s.open("one", tandem.TaskCall)
	first := s.task("one")
	s.do(Declined{At: s.now, Task: "one", Agent: "anna", Fence: first.Fence, Why: "declined"})
	if s.offered("one") != "bo" {
		t.Fatalf("offered to %q", s.offered("one"))
	}
	s.do(Declined{At: s.now, Task: "one", Agent: "bo", Fence: s.task("one").Fence, Why: "declined"})
	if s.offered("one") != "" {
		t.Fatal("offered to somebody who let it pass")
	}
	d, _ := s.l.Why("one", s.now)
	if len(d.Not) != 1 || d.Not[0].Reason != "declined" || d.Not[0].Count != 2 {
		t.Errorf("why it waits: %s", show(d))
	}
	s.later(time.Minute)
	if s.offered("one") != "anna" {
		t.Errorf("after a minute it is offered to %q", s.offered("one"))
	}
}

func TestOffersThatWereOutAtARestartComeBack(t *testing.T) {
	s := begin(t, working("anna"))
	s.open("one", tandem.TaskCall)
	saved := s.l.Save()
	saved.At = s.now.Add(time.Hour)
	for i := range saved.Agents {
		saved.Agents[i].Reachable = nil
	}
	s.l = New(s.l.policy, saved)
	out := s.do(Tick{At: saved.At})
	if o, ok := out[0].(OfferOver); !ok || o.Why != "restart" {
		t.Fatalf("%s", show(out))
	}
	if anna, _ := s.l.Agent("anna"); anna.Missed != 0 {
		t.Error("it counts as missed")
	}
	s.now = saved.At
	s.do(Reachable{At: s.now, Agent: "anna", Load: tandem.LoadVoice, On: true})
	if s.offered("one") != "anna" {
		t.Error("it is not offered again")
	}
}

func TestWhyATaskWaits(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(s *shift)
		want   string
	}{
		{"nobody is free", func(s *shift) { s.open("busy", tandem.TaskCall) }, "The only agent there who could take it is not free."},
		{"nobody is there", func(s *shift) {
			s.do(Present{At: s.now, Agent: "anna", Presence: tandem.PresenceAway, Reason: "lunch"})
		}, "The only agent who could take it is offline or away."},
		{"nobody can", func(s *shift) {}, "No agent is of a team that serves it and has the skills that it asks for."},
		{"the queue is closed", func(s *shift) { s.do(Hours{At: s.now, Queue: "cards"}) }, "The queue cards is closed now."},
		{"not yet", func(s *shift) {}, "It is not to be offered for another 10 min 0 s."},
		{"another of the interaction", func(s *shift) {
			s.open("other", tandem.TaskChat, func(t *tandem.Task) { t.Interaction = "of it" })
		}, "An agent is being offered, or has, another task of the same interaction."},
		{"draining", func(s *shift) { s.do(Drained{At: s.now}) }, "Nothing is offered any more: the server is stopping."},
		{"kept", func(s *shift) { s.open("busy", tandem.TaskCall) }, "It is kept for anna, who is preferred for it and busy, for another 30 s."},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := working("anna")
			p.Queues["cards"].Prefer = 30 * time.Second
			s := begin(t, p)
			c.before(s)
			s.open("it", tandem.TaskCallback, func(o *tandem.Task) {
				switch c.name {
				case "nobody can":
					o.Skills = []string{"lang:fr"}
				case "not yet":
					o.NotBefore = s.now.Add(10 * time.Minute)
				case "kept":
					o.Prefer = "anna"
				}
			})
			d, ok := s.l.Why("it", s.now)
			if !ok || d.Why.En != c.want || d.Why.Zh == "" {
				t.Errorf("got %s", show(d))
			}
		})
	}
}

func TestAskingForWhatIsNotThereIsAnswered(t *testing.T) {
	s := begin(t, working("anna"))
	s.open("one", tandem.TaskCall)
	for _, e := range []Event{
		Opened{At: s.now}, Opened{At: s.now, Task: tandem.Task{ID: "one", Kind: tandem.TaskCall, Queue: "cards"}},
		Changed{At: s.now, Task: "none"}, Changed{At: s.now, Task: "one", Queue: "none"}, Changed{At: s.now, Task: "one", Prefer: "nobody"},
		Ended{At: s.now, Task: "none"}, Accepted{At: s.now, Task: "none"}, Accepted{At: s.now, Task: "one", Agent: "anna", Fence: 99}, Accepted{At: s.now, Task: "one", Agent: "bo", Fence: 1},
		Declined{At: s.now, Task: "one", Agent: "anna", Fence: 0}, Released{At: s.now, Task: "one", Fence: 1}, Wrapped{At: s.now, Agent: "anna", Fence: 1}, Wrapped{At: s.now, Agent: "nobody"},
		Pulled{At: s.now, Task: "one", Agent: "anna"}, Pulled{At: s.now, Task: "one", Agent: "nobody"}, Pulled{At: s.now, Task: "none", Agent: "anna"},
		Present{At: s.now, Agent: "nobody", Presence: tandem.PresenceAvailable}, Present{At: s.now, Agent: "anna", Presence: "asleep"},
		Reachable{At: s.now, Agent: "nobody", Load: tandem.LoadVoice, On: true}, Reachable{At: s.now, Agent: "anna", Load: "fax", On: true},
	} {
		out := s.do(e)
		late, ok := Output(nil), false
		if len(out) == 1 {
			late, ok = out[0], true
		}
		l, is := late.(Late)
		if !ok || !is || l.Why.En == "" || l.Why.Zh == "" || strings.Contains(l.Why.En, "%!") {
			t.Errorf("%s is answered by %s", show(e), show(out))
		}
	}
	if names := s.l.Tasks("", 1); len(names) != 1 || len(s.l.Tasks("none", 0)) != 0 || len(s.l.Tasks("cards", 5)) != 1 {
		t.Error("tasks are not told")
	}
}

func TestRefusals(t *testing.T) {
	p := working("anna")
	p.Queues["cards"].Full = 1
	p.Queues["empty"] = &Queue{Name: "empty", Teams: []string{"nobody"}}
	s := begin(t, p)
	s.open("one", tandem.TaskCall)
	s.open("two", tandem.TaskCall)
	refused := func(out []Output) string {
		if r, ok := out[0].(Refused); ok {
			return r.Why
		}
		return ""
	}
	in := func(queue string) func(*tandem.Task) { return func(t *tandem.Task) { t.Queue = queue } }
	for i, c := range []struct {
		kind        tandem.TaskKind
		queue, want string
	}{
		{tandem.TaskCall, "cards", "full"}, {tandem.TaskCallback, "cards", ""}, {tandem.TaskVoicemail, "cards", ""}, {tandem.TaskTicket, "cards", ""},
		{tandem.TaskChat, "empty", "no_agents"}, {tandem.TaskChat, "none", "no_agents"}, {tandem.TaskTicket, "empty", ""}, {tandem.TaskTicket, "none", ""},
	} {
		if got := refused(s.open(fmt.Sprint(i), c.kind, in(c.queue))); got != c.want {
			t.Errorf("%s for %s is refused with %q, want %q", c.kind, c.queue, got, c.want)
		}
	}
	s.do(Hours{At: s.now, Queue: "cards"})
	s.do(Ended{At: s.now, Task: "two"})
	if got := refused(s.open("closed", tandem.TaskCall)); got != "no_agents" {
		t.Errorf("a closed queue lets calls in: %q", got)
	}
	if slices.ContainsFunc(s.do(Hours{At: s.now, Queue: "cards", Open: true}), func(o Output) bool { _, ok := o.(OfferMade); return !ok }) {
		t.Error("opening does more than offer")
	}
}

// TestTheExampleOfThePage plays the example of docs/routing.md.
func TestTheExampleOfThePage(t *testing.T) {
	p := working("anna", "bo", "chen")
	p.Queues["cards"].Target = map[tandem.TaskKind]time.Duration{tandem.TaskCall: 20 * time.Second, tandem.TaskChat: time.Minute}
	p.Queues["cards"].TargetOf = map[string]map[tandem.TaskKind]time.Duration{"gold": {tandem.TaskCall: 10 * time.Second}}
	p.Agents["chen"].Capacity = map[tandem.Load]int{tandem.LoadChat: 1}
	s := &shift{t: t, l: New(p, Saved{At: noon}), now: noon}
	for _, name := range []string{"anna", "bo", "chen"} {
		s.do(Present{At: noon, Agent: name, Presence: tandem.PresenceAvailable})
	}
	at := func(sec int) { s.later(noon.Add(time.Duration(sec) * time.Second).Sub(s.now)) }
	s.open("gao", tandem.TaskChat)
	at(10)
	s.open("ada", tandem.TaskCall)
	at(15)
	s.open("cao", tandem.TaskCall, func(t *tandem.Task) { t.Level = "gold" })
	at(40)
	s.open("eva", tandem.TaskCall, func(t *tandem.Task) { t.Priority = 15 * time.Second })
	at(50)
	s.open("fan", tandem.TaskCall)
	at(55)
	s.do(Changed{At: s.now, Task: "ada", Kind: tandem.TaskCallback})
	for id, want := range map[string][2]int{"gao": {60, 4}, "ada": {30, 2}, "cao": {25, 1}, "eva": {45, 3}, "fan": {70, 5}} {
		due := int(s.task(id).Due.Sub(noon) / time.Second)
		if place, _ := s.l.Place(tandem.TaskID(id), s.now); due != want[0] || place.Position != want[1] {
			t.Errorf("%s is due at %d and number %d, want %v", id, due, place.Position, want)
		}
	}
	for _, free := range []struct {
		sec         int
		agent, gets string
		load        tandem.Load
	}{{60, "anna", "cao", tandem.LoadVoice}, {65, "bo", "ada", tandem.LoadVoice}, {70, "chen", "gao", tandem.LoadChat}} {
		at(free.sec)
		s.do(Reachable{At: s.now, Agent: free.agent, Load: free.load, On: true})
		if got := s.offered(free.gets); got != free.agent {
			t.Errorf("%s is offered to %q", free.gets, got)
		}
	}
	at(79) // before the offers lapse
	if place, _ := s.l.Place("eva", s.now); place.Position != 1 {
		t.Errorf("eva is number %d", place.Position)
	}
	s.open("gold", tandem.TaskCall, func(t *tandem.Task) { t.Level = "gold" })
	if place, _ := s.l.Place("gold", s.now); place.Position != 3 {
		t.Errorf("a late gold caller is number %d", place.Position)
	}
}

// Work that has an owner waits for days for one who went home without a word, or who was
// never to do such work.
func TestNothingIsKeptForWhoCannotTakeIt(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy func(p *Policy)
		before func(s *shift)
		want   string
	}{
		{"who is there and busy", nil, func(s *shift) {
			s.open("busy", tandem.TaskVoicemail, func(t *tandem.Task) { t.Prefer, t.PreferTill = "anna", noon.Add(time.Hour) })
		}, ""},
		{"out of reach before", nil, func(s *shift) { s.do(Reachable{At: s.now, Agent: "anna", Load: tandem.LoadWork}) }, "bo"},
		{"of no capacity", func(p *Policy) { p.Agents["anna"].Capacity[tandem.LoadWork] = 0 }, nil, "bo"},
		{"of another team", func(p *Policy) { p.Agents["anna"].Teams = []string{"loans"} }, nil, "bo"},
		{"away", nil, func(s *shift) { s.do(Present{At: s.now, Agent: "anna", Presence: tandem.PresenceAway}) }, "bo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := working("anna", "bo")
			if c.policy != nil {
				c.policy(p)
			}
			s := begin(t, p)
			if c.before != nil {
				c.before(s)
			}
			s.open("order", tandem.TaskTicket, func(o *tandem.Task) { o.Prefer, o.TicketDue = "anna", s.now.Add(3*24*time.Hour) })
			if is, _ := s.l.Task("order"); is.Agent != c.want {
				t.Errorf("it is offered to %q, not to %q", is.Agent, c.want)
			}
		})
	}
	t.Run("who goes out of reach", func(t *testing.T) {
		s := begin(t, working("anna", "bo"))
		s.open("busy", tandem.TaskVoicemail, func(o *tandem.Task) { o.Prefer, o.PreferTill = "anna", s.now.Add(time.Hour) })
		s.open("order", tandem.TaskTicket, func(o *tandem.Task) { o.Prefer, o.TicketDue = "anna", s.now.Add(3*24*time.Hour) })
		s.do(Reachable{At: s.now, Agent: "anna", Load: tandem.LoadWork})
		if is, _ := s.l.Task("order"); is.Agent == "" || is.Agent == "anna" {
			if other, _ := s.l.Task("busy"); other.Agent != "bo" {
				t.Errorf("nobody is offered what was kept: %+v", is)
			}
		}
	})
	t.Run("whom nobody has measured yet", func(t *testing.T) {
		p := working("anna", "bo")
		s := &shift{t: t, l: New(p, Saved{At: noon}), now: noon}
		for _, name := range []string{"anna", "bo"} {
			s.do(Present{At: noon, Agent: name, Presence: tandem.PresenceAvailable})
		}
		s.open("order", tandem.TaskTicket, func(o *tandem.Task) { o.Prefer, o.TicketDue = "anna", s.now.Add(3*24*time.Hour) })
		s.do(Reachable{At: s.now, Agent: "bo", Load: tandem.LoadWork, On: true})
		if is, _ := s.l.Task("order"); is.Agent != "" {
			t.Fatalf("after a start it is taken by %s before its owner is back", is.Agent)
		}
		s.do(Reachable{At: s.now, Agent: "anna", Load: tandem.LoadWork})
		if is, _ := s.l.Task("order"); is.Agent != "bo" {
			t.Errorf("it waits for an owner who did not come back: %+v", is)
		}
	})
}

// Somebody who asks to be called back as an agent takes their call would be told of both.
func TestWhatAnAgentHasIsNotChangedForWhoWaits(t *testing.T) {
	s := begin(t, working("anna"))
	s.open("call", tandem.TaskCall)
	offered := s.task("call")
	s.do(Accepted{At: s.now, Task: "call", Agent: "anna", Fence: offered.Fence})
	out := s.do(Changed{At: s.now, Task: "call", Kind: tandem.TaskCallback, Unserved: true})
	if _, late := out[0].(Late); !late || len(out) != 1 || s.task("call").Kind != tandem.TaskCall {
		t.Errorf("answered by %s, and it is %+v", show(out), s.task("call"))
	}
}

// Elsewhere what is handed to one colleague stays theirs for good, although it becomes a call
// and they have no telephone.
func TestHandedToOneWhoCannotBeCalled(t *testing.T) {
	s := begin(t, working("anna", "bo"))
	s.do(Reachable{At: s.now, Agent: "bo", Load: tandem.LoadVoice})
	s.do(Present{At: s.now, Agent: "bo", Presence: tandem.PresenceAway, Reason: "lunch"})
	s.open("chat", tandem.TaskChat)
	s.accept("chat")
	s.release("chat", back, nowrap, func(e *Released) { e.Why, e.Prefer, e.Alone = "transferred", "bo", true })
	if got := s.offered("chat"); got != "" {
		t.Fatalf("a chat that is bo's alone is offered to %s", got)
	}
	s.do(Changed{At: s.now, Task: "chat", Kind: tandem.TaskCallback, Why: "callback"})
	s.later(time.Minute)
	if got := s.offered("chat"); got != "anna" {
		t.Errorf("the callback is offered to %q, who can be called is anna", got)
	}
}
