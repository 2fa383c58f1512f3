package queue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

// Keeper is what a Core's line is kept in.
type Keeper interface {
	// Load reads the line. What Saved says of tasks is in the order they were opened.
	Load(ctx context.Context) (Kept, error)
	// Commit writes a batch, all of it or nothing; it is durable when Commit returns nil.
	// ErrTaken: the version stored is not the batch's. store.ErrUnavailable: it may be
	// written or not. Any other error is that of a change, and nothing was written.
	Commit(ctx context.Context, w *Written) error
}

// Kept is a line as it is stored.
type Kept struct {
	Version int64 // 0 = nothing was ever stored
	Saved   route.Saved
}

// Written is what a batch writes: Changes in their order, then Rows.
type Written struct {
	Changes []*store.Change
	Rows    Rows
}

// Rows are the line's own records.
type Rows struct {
	Version int64  // what the batch was worked out from
	Next    int64  // what is stored instead
	Fence   uint64 // the newest that was given
	At      time.Time
	Over    []Over // holds that end, before new ones are made
	Holds   []Hold // made or changed
	Agents  []route.AgentState
	Present []route.AgentState // those of Agents who chose to be something else
}

// Hold is an agent who was offered, has or writes up a task.
type Hold struct {
	route.Holding
	Agent    string
	Load     tandem.Load
	New      bool
	Assigned time.Time
}

// Over is a hold that has ended.
type Over struct {
	Fence uint64
	Why   string
}

// inStore keeps a line in the program's store.
type inStore struct{ store Store }

// Load reads the line in one view of the store.
func (s inStore) Load(ctx context.Context) (k Kept, err error) {
	err = s.store.View(ctx, func(tx store.Tx) error {
		k, err = readLine(tx)
		return err
	})
	return k, err
}

func readLine(tx store.Tx) (k Kept, err error) {
	_, err = tx.One("SELECT version, fence FROM line", func(r store.Row) { k.Version, k.Saved.Fence = r.Int(0), uint64(r.Int(1)) })
	if err != nil {
		return k, err
	}
	if k.Saved.Tasks, err = store.LiveTasks(tx); err != nil {
		return k, err
	}
	k.Saved.Agents, err = readAgents(tx)
	return k, err
}

// readAgents reads who is there, and who holds what.
func readAgents(tx store.Tx) ([]route.AgentState, error) {
	var agents []route.AgentState
	no := map[string]int{}
	of := func(name string) *route.AgentState {
		i, ok := no[name]
		if !ok {
			i = len(agents)
			no[name], agents = i, append(agents, route.AgentState{Name: name, Presence: tandem.PresenceOffline})
		}
		return &agents[i]
	}
	err := tx.Each("SELECT name, presence, reason, since, idle, missed FROM agent ORDER BY name", func(r store.Row) error {
		a := of(r.Text(0))
		a.Presence, a.Reason, a.Since, a.Idle, a.Missed = tandem.Presence(r.Text(1)), r.Text(2), r.Time(3), r.Time(4), int(r.Int(5))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the agents: %w", err)
	}
	// The sign keeps the order from leading over all that anybody ever held.
	err = tx.Each(`SELECT h.fence, h.task, h.agent, h.load, h.state, h.since, h.deadline, t.kind, i.id
		FROM hold h JOIN task t ON t.id = h.task JOIN interaction i ON i.no = t.interaction WHERE h.state <> 'over' ORDER BY +h.fence`, func(r store.Row) error {
		a := of(r.Text(2))
		kind, load := tandem.TaskKind(r.Text(7)), tandem.Load(r.Text(3))
		if kind.Load() != load { // it went on by another channel while this agent writes it up
			kind = kindOf(load)
		}
		a.Holds = append(a.Holds, route.Holding{Task: tandem.TaskID(r.Text(1)), Interaction: tandem.InteractionID(r.Text(8)), Fence: uint64(r.Int(0)), Kind: kind,
			State: tandem.TaskState(r.Text(4)), Since: r.Time(5), Deadline: r.Time(6)})
		if a.Has == nil {
			a.Has = map[tandem.Load]int{}
		}
		a.Has[load]++
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading who holds what: %w", err)
	}
	return agents, nil
}

// kindOf is a kind of a load.
func kindOf(l tandem.Load) tandem.TaskKind {
	switch l {
	case tandem.LoadVoice:
		return tandem.TaskCall
	case tandem.LoadChat:
		return tandem.TaskChat
	case tandem.LoadSMS:
		return tandem.TaskText
	}
	return tandem.TaskTicket
}

// Commit writes a batch in one transaction.
func (s inStore) Commit(ctx context.Context, w *Written) error {
	changes := make([]*store.Change, 0, len(w.Changes)+2)
	changes = append(changes, &store.Change{With: w.Rows.lease})
	changes = append(changes, w.Changes...)
	changes = append(changes, &store.Change{With: w.Rows.write})
	return s.store.CommitAll(ctx, changes...)
}

// lease makes sure that nobody else has the line, and goes on having it.
func (r *Rows) lease(tx store.Tx) error {
	changed, err := tx.Exec("UPDATE line SET version = ?, fence = ? WHERE version = ?", r.Next, r.Fence, r.Version)
	if err != nil || changed == 1 {
		return err
	}
	if r.Version == 0 {
		if changed, err = tx.Exec("INSERT OR IGNORE INTO line (id, version, fence) VALUES (1, ?, ?)", r.Next, r.Fence); err != nil || changed == 1 {
			return err
		}
	}
	return ErrTaken
}

// write writes the other rows.
func (r *Rows) write(tx store.Tx) error {
	for _, o := range r.Over {
		if _, err := tx.Exec("UPDATE hold SET state = 'over', since = ?, deadline = 0, why = ? WHERE fence = ?", r.At, o.Why, o.Fence); err != nil {
			return err
		}
	}
	// The older first: who has passed a task on has it no more as the next is offered it.
	slices.SortFunc(r.Holds, func(a, b Hold) int { return cmp.Compare(a.Fence, b.Fence) })
	for i := range r.Holds {
		if err := r.Holds[i].write(tx); err != nil {
			return err
		}
	}
	for _, a := range r.Agents {
		_, err := tx.Exec(`INSERT INTO agent (name, presence, reason, since, idle, missed) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET presence = excluded.presence, reason = excluded.reason, since = excluded.since,
				idle = excluded.idle, missed = excluded.missed`, a.Name, string(a.Presence), a.Reason, a.Since, a.Idle, a.Missed)
		if err != nil {
			return err
		}
	}
	for _, a := range r.Present {
		if _, err := tx.Exec("INSERT INTO presence (agent, at, presence, reason) VALUES (?, ?, ?, ?)", a.Name, r.At, string(a.Presence), a.Reason); err != nil {
			return err
		}
	}
	return nil
}

func (h *Hold) write(tx store.Tx) error {
	if h.New {
		_, err := tx.Exec(`INSERT INTO hold (fence, task, agent, load, state, made, since, deadline, assigned, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '')`,
			h.Fence, string(h.Task), h.Agent, string(h.Load), string(h.State), h.Since, h.Since, h.Deadline, h.Assigned)
		return err
	}
	_, err := tx.Exec(`UPDATE hold SET load = ?, state = ?, since = ?, deadline = ?, assigned = CASE assigned WHEN 0 THEN ? ELSE assigned END WHERE fence = ?`,
		string(h.Load), string(h.State), h.Since, h.Deadline, h.Assigned, h.Fence)
	return err
}

// kept is what is stored of the agents and what they hold, as far as this Core knows: what
// a batch writes is what differs from it.
type kept struct {
	version int64
	fence   uint64
	agents  map[string]route.AgentState
}

func newKept(k Kept) *kept {
	out := &kept{version: k.Version, fence: k.Saved.Fence, agents: map[string]route.AgentState{}}
	for _, a := range k.Saved.Agents {
		out.agents[a.Name] = a
	}
	return out
}

// wrote takes in what was just written.
func (k *kept) wrote(w *Written, agents []route.AgentState) {
	k.version, k.fence = w.Rows.Next, w.Rows.Fence
	for _, a := range agents {
		k.agents[a.Name] = a
	}
}

func (w *Written) empty() bool { return len(w.Changes) == 0 && w.Rows.empty() }

func (r *Rows) empty() bool {
	return len(r.Over) == 0 && len(r.Holds) == 0 && len(r.Agents) == 0
}
