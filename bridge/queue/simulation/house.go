package simulation

import (
	"context"
	"fmt"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
)

var (
	queueNames = [...]string{"cards", "loans", "night"}
	agentNames = [...]string{"anna", "bo", "chen", "dora", "emil"}
	loads      = [...]tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork}
)

// policies are two that differ in times, and one that has lost a queue and an agent.
func policies() []*route.Policy {
	out := make([]*route.Policy, 3)
	for i := range out {
		s := time.Duration(i+1) * time.Second
		p := &route.Policy{
			MostPriority: 10 * time.Minute,
			Blocks:       map[tandem.Load][]tandem.Load{tandem.LoadVoice: {tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork}},
			Offer:        map[tandem.Load]time.Duration{tandem.LoadVoice: 20 * s, tandem.LoadChat: 30 * s, tandem.LoadSMS: 120 * s, tandem.LoadWork: 300 * s},
			WrapUp:       map[tandem.Load]time.Duration{tandem.LoadVoice: 60 * s, tandem.LoadChat: 30 * s},
			DeclineRest:  time.Minute, Misses: 3,
			Teams: map[string]*route.Team{"day": {Name: "day", Site: "beijing"}, "late": {Name: "late", Site: "xian"}},
			Queues: map[string]*route.Queue{
				"cards": {Name: "cards", Teams: []string{"day"}, Full: 12, MaxWait: 20 * time.Minute, Prefer: 30 * time.Second,
					Target:   map[tandem.TaskKind]time.Duration{tandem.TaskCall: 20 * s, tandem.TaskChat: 60 * s},
					TargetOf: map[string]map[tandem.TaskKind]time.Duration{"gold": {tandem.TaskCall: 10 * s}},
					Relax:    []route.Relax{{After: time.Minute, Levels: map[string]int{"*": 1}}, {After: 5 * time.Minute, Levels: map[string]int{"*": 9}}},
					Over:     []route.Overflow{{After: 90 * time.Second, Teams: []string{"late"}}}, CallbackTries: 2, CallbackGap: time.Minute},
				"loans": {Name: "loans", Teams: []string{"day", "late"}, MaxWait: 10 * time.Minute, CallbackTries: 1,
					Relax: []route.Relax{{After: 10 * time.Minute, Levels: map[string]int{"*": 9}}}},
				"night": {Name: "night", Teams: []string{"late"}, Full: 3, MaxWait: 30 * time.Minute, Prefer: time.Minute, CallbackTries: 3},
			},
			Agents: map[string]*route.Agent{},
		}
		for n, name := range agentNames {
			a := &route.Agent{Name: name, Teams: []string{[]string{"day", "late"}[n%2]}, Skills: map[string]int{"lang:en": 1 + n, "cards": n},
				Capacity: map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: 1 + n%3, tandem.LoadSMS: 2, tandem.LoadWork: 1}}
			if n == 0 {
				a.Teams = []string{"day", "late"}
			}
			p.Agents[name] = a
		}
		out[i] = p
	}
	delete(out[2].Queues, "night")
	delete(out[2].Agents, "emil")
	return out
}

// opening closes the night queue for ten minutes of each hour.
func opening(queue string, at time.Time) bool { return queue != "night" || at.Minute() < 50 }

// settle ends a run in peace: nothing fails any more and everybody does their work, until
// every task is done. One that never is was lost.
func (w *World) settle() {
	w.disk.next, w.disk.full, w.disk.gone = well, false, false
	w.zombie, w.wire, w.inbox = nil, nil, nil
	w.take(0)
	if w.core == nil {
		w.now = w.now.Add(time.Minute)
		w.start()
	}
	ctx := context.Background()
	for _, a := range w.agents {
		w.core.SetConsulted(a.name, false)
		for _, load := range loads {
			w.core.SetReachable(a.name, load, true)
		}
	}
	for round := 0; round < 200 && len(w.found) == 0 && !w.settled(ctx); round++ {
		w.now = w.now.Add(time.Second)
		if round%10 == 9 { // what waits for a time
			w.now = w.now.Add(10 * time.Minute)
			if round > 60 { // a ticket is its owner's till it is due
				w.now = w.now.Add(6 * time.Hour)
			}
			w.core.Step(ctx, w.now, nil)
		}
	}
	for _, t := range w.core.View().Tasks("", 0) {
		d, _ := w.core.View().Why(t.ID, w.now)
		w.wrong(fmt.Sprintf("task %s (%s of %s, %s) is never done: %s", t.ID, t.Kind, t.Queue, t.State, d.Why.En))
	}
	w.found = append(w.found, w.core.Verify(ctx)...)
	w.kept()
	w.check()
}

// settled does one round of everybody's work; it is true when nothing is left.
func (w *World) settled(ctx context.Context) bool {
	var asks []queue.Ask
	for _, s := range w.core.View().Agents() {
		if s.Presence != tandem.PresenceAvailable {
			asks = append(asks, queue.Ask{Event: route.Present{Agent: s.Name, Presence: tandem.PresenceAvailable}})
		}
		for _, h := range s.Holds {
			switch h.State {
			case tandem.TaskOffered:
				asks = append(asks, queue.Ask{Event: route.Accepted{Task: h.Task, Agent: s.Name, Fence: h.Fence}})
			case tandem.TaskAssigned:
				asks = append(asks, queue.Ask{Event: route.Released{Task: h.Task, Agent: s.Name, Fence: h.Fence, Why: "done", Outcome: tandem.OutcomeServed}})
			case tandem.TaskWrapping:
				asks = append(asks, queue.Ask{Event: route.Wrapped{Agent: s.Name, Fence: h.Fence}})
			}
		}
	}
	if len(asks) == 0 && len(w.core.View().Tasks("", 1)) == 0 {
		return true
	}
	answers, facts := w.core.Step(ctx, w.now, asks)
	for _, f := range facts {
		w.told(f)
	}
	for i := range answers {
		if answers[i].Err == nil {
			w.promise(asks[i].Event, answers[i])
		}
		w.say("settles: %s", inShort(answers[i]))
	}
	return false
}
