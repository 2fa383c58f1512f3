package beside

import (
	"slices"
	"strings"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"

	"tandem"
)

// Bounds of a queue.
const (
	maxTarget   = 7 * 24 * time.Hour
	maxPlaces   = 1_000_000
	maxInLine   = 24 * time.Hour // of all that happens while somebody waits
	maxPrefer   = time.Hour
	maxStages   = 20 // of relax and of overflow
	maxTries    = 10
	maxGap      = 24 * time.Hour
	maxWindow   = 7 * 24 * time.Hour
	maxEscalate = 10
	maxTeams    = 50 // of one queue, and of one agent
	maxLevels   = 20
)

// Line is told what a queues file declares, each with its name's node, as it is read;
// it reports names that are taken.
type Line struct {
	Queue  func(*source.Node, *flow.Queue)
	Box    func(*source.Node, *flow.Box)
	Team   func(*source.Node, *flow.Team)
	Agent  func(*source.Node, *flow.Agent)
	Policy func(*source.Node, *flow.Routing)
	// Mention is told of every name in the file that must be declared somewhere.
	Mention func(Mention)
}

// Mention is a name that stands for something declared elsewhere.
type Mention struct {
	Kind string // team, agent, queue, calendar
	Name string
	At   *source.Node
	Lead int // characters of At's text before the name
}

// Queues reads a queues file.
func (d *Folder) Queues(f *source.File, l Line) {
	f.Fields(f.Root, "a queues file", "queues", "boxes", "teams", "agents", "policy")
	r := &lineReader{f: f, d: d, l: l}
	for _, part := range []struct {
		key, fix string
		read     func(source.Entry)
	}{
		{"queues", "write { cards: {} }", r.queue}, {"boxes", "write { cards: { queue: cards } }", r.box},
		{"teams", "write { cards: { site: beijing } }", r.team}, {"agents", "write { anna: { teams: [cards] } }", r.agent},
	} {
		if n := f.Root.Get(part.key); n != nil && f.AnyFields(n, part.key, part.fix) {
			for _, e := range n.Entries {
				part.read(e)
			}
		}
	}
	if n := f.Root.Get("policy"); n != nil {
		r.policy(f.Root.KeyOf("policy"), n)
	}
}

// lineReader reads one queues file.
type lineReader struct {
	f *source.File
	d *Folder
	l Line
}

func (r *lineReader) queue(e source.Entry) {
	if r.f.GoodName(e.Key, "a queue's name") {
		r.l.Queue(e.Key, r.readQueue(e))
	}
}

func (r *lineReader) readQueue(e source.Entry) *flow.Queue {
	f, q := r.f, &flow.Queue{
		Name: e.Key.Text, Pos: r.f.Pos(e.Key),
		CallbackTries: flow.DefaultCallbackTries, CallbackGap: flow.DefaultCallbackGap, CallbackWindow: flow.DefaultCallbackWindow,
	}
	if e.Val.Kind == source.Null || !f.Fields(e.Val, "a queue", "teams", "target", "levels", "full", "hours", "max_wait", "prefer_last",
		"relax", "overflow", "offer_after", "callback", "escalate", "disposition") {
		return q
	}
	q.Teams = r.teams(e.Val.Get("teams"), "teams")
	q.Target = r.targets(e.Val.Get("target"), "target")
	q.TargetOf = r.levels(e.Val.Get("levels"))
	q.Full, _ = f.Count(e.Val.Get("full"), "full", 1, maxPlaces)
	if n := e.Val.Get("hours"); n != nil {
		if name, ok := f.Text(n, "hours"); ok {
			q.Hours = name
			r.l.Mention(Mention{Kind: "calendar", Name: name, At: n})
		}
	}
	q.MaxWait, _ = f.Duration(e.Val.Get("max_wait"), "max_wait", time.Second, maxInLine)
	q.Prefer, _ = f.Duration(e.Val.Get("prefer_last"), "prefer_last", time.Second, maxPrefer)
	q.Relax = r.relax(e.Val.Get("relax"))
	q.Over = r.overflow(e.Val.Get("overflow"))
	if n := e.Val.Get("offer_after"); n != nil && f.Fields(n, "offer_after", "callback", "chat", "sms") {
		q.OfferAfter = map[string]time.Duration{}
		for _, e := range n.Entries {
			if after, ok := f.Duration(e.Val, e.Key.Text, 0, maxInLine); ok {
				q.OfferAfter[e.Key.Text] = after
			}
		}
	}
	if n := e.Val.Get("callback"); n != nil && f.Fields(n, "callback", "tries", "gap", "window") {
		if tries, ok := f.Count(n.Get("tries"), "tries", 1, maxTries); ok {
			q.CallbackTries = tries
		}
		r.within(n, "gap", &q.CallbackGap, time.Minute, maxGap)
		r.within(n, "window", &q.CallbackWindow, time.Minute, maxWindow)
	}
	q.Escalate = r.owners(e.Val.Get("escalate"))
	if n := e.Val.Get("disposition"); n != nil {
		word, _ := r.f.Word(n, "disposition", "required", "optional")
		q.Disposition = word == "required"
	}
	return q
}

// within reads a duration of a map if it is there.
func (r *lineReader) within(n *source.Node, key string, into *time.Duration, low, high time.Duration) {
	if d, ok := r.f.Duration(n.Get(key), key, low, high); ok {
		*into = d
	}
}

// few reads a list of up to so many items.
func (r *lineReader) few(n *source.Node, what string, most int) []*source.Node {
	items := r.f.List(n, what)
	if len(items) > most {
		r.f.Fail(n, "out-of-range", "", "%s has up to %d items; this has %d", what, most, len(items))
		return nil
	}
	return items
}

// teams reads a list of teams.
func (r *lineReader) teams(n *source.Node, what string) (out []string) {
	for _, item := range r.few(n, what, maxTeams) {
		name, ok := r.f.Text(item, "a team")
		if !ok || !r.f.GoodName(item, "a team") {
			continue
		}
		if slices.Contains(out, name) {
			r.f.Fail(item, "duplicate-name", "take one of the two out", "team `%s` is in the list twice", name)
			continue
		}
		out = append(out, name)
		r.l.Mention(Mention{Kind: "team", Name: name, At: item})
	}
	return out
}

// targets reads times by kind of task.
func (r *lineReader) targets(n *source.Node, what string) map[tandem.TaskKind]time.Duration {
	var words []string
	kinds := map[string]tandem.TaskKind{}
	for _, k := range flow.TargetKinds() {
		words, kinds[k.Word] = append(words, k.Word), k.Kind
	}
	if n == nil || !r.f.Fields(n, what, words...) {
		return nil
	}
	out := map[tandem.TaskKind]time.Duration{}
	for _, e := range n.Entries {
		if d, ok := r.f.Duration(e.Val, "target", time.Second, maxTarget); ok {
			out[kinds[e.Key.Text]] = d
		}
	}
	return out
}

func (r *lineReader) levels(n *source.Node) map[string]map[tandem.TaskKind]time.Duration {
	if n == nil || !r.f.AnyFields(n, "levels", "write { gold: { voice: 10s } }") {
		return nil
	}
	if len(n.Entries) > maxLevels {
		r.f.Fail(n, "out-of-range", "", "a queue has up to %d levels; this has %d", maxLevels, len(n.Entries))
		return nil
	}
	out := map[string]map[tandem.TaskKind]time.Duration{}
	for _, e := range n.Entries {
		if r.f.GoodName(e.Key, "a level") {
			out[e.Key.Text] = r.targets(e.Val, "level `"+e.Key.Text+"`")
		}
	}
	return out
}

// stages reads the items of relax or overflow, which begin one after the other.
func (r *lineReader) stages(n *source.Node, what, key string, read func(item *source.Node, after time.Duration)) {
	last := time.Duration(-1)
	for _, item := range r.few(n, what, maxStages) {
		if !r.f.Fields(item, what, "after", key) {
			continue
		}
		at := item.Get("after")
		if at == nil {
			r.f.Fail(item, "missing-key", "add `after: 60s`", "this part of %s has no `after`", what)
			continue
		}
		after, ok := r.f.Duration(at, "after", time.Second, maxInLine)
		if !ok {
			continue
		}
		if after <= last {
			r.f.Fail(at, "not-ascending", "put the parts in the order of their times", "%s begins here after %s, no later than the part before it", what, at.Text)
		}
		last = max(last, after)
		if item.Get(key) == nil {
			r.f.Fail(item, "missing-key", "add `"+key+"`", "this part of %s has no `%s`", what, key)
			continue
		}
		read(item, after)
	}
}

func (r *lineReader) relax(n *source.Node) (out []flow.Relax) {
	r.stages(n, "relax", "skills", func(item *source.Node, after time.Duration) {
		skills := item.Get("skills")
		if !r.f.AnyFields(skills, "skills", "write { \"*\": 1 }") {
			return
		}
		if len(skills.Entries) == 0 {
			r.f.Fail(skills, "empty-value", "write { \"*\": 1 }", "nothing is relaxed here")
		}
		stage := flow.Relax{Pos: r.f.Pos(item), After: after, Levels: map[string]int{}}
		for _, e := range skills.Entries {
			by, ok := r.f.Count(e.Val, "by how much a skill is lowered", 1, flow.BestSkill)
			if ok && (e.Key.Text == "*" || r.skill(e.Key)) {
				stage.Levels[e.Key.Text] = by
			}
		}
		out = append(out, stage)
	})
	return out
}

func (r *lineReader) overflow(n *source.Node) (out []flow.Overflow) {
	r.stages(n, "overflow", "teams", func(item *source.Node, after time.Duration) {
		out = append(out, flow.Overflow{Pos: r.f.Pos(item), After: after, Teams: r.teams(item.Get("teams"), "teams")})
	})
	return out
}

// owners reads whom a ticket goes to.
func (r *lineReader) owners(n *source.Node) (out []string) {
	for _, item := range r.few(n, "escalate", maxEscalate) {
		s, ok := r.f.Text(item, "an owner")
		if !ok {
			continue
		}
		kind, name, _ := strings.Cut(s, ":")
		if name == "" || !slices.Contains([]string{"agent", "team", "queue"}, kind) {
			r.f.Fail(item, "owner", "write \"agent:NAME\", \"team:NAME\" or \"queue:NAME\"", "`%s` is no owner", s)
			continue
		}
		out = append(out, s)
		r.l.Mention(Mention{Kind: kind, Name: name, At: item, Lead: len(kind) + 1})
	}
	return out
}

func (r *lineReader) box(e source.Entry) {
	if !r.f.GoodName(e.Key, "a box's name") {
		return
	}
	b := &flow.Box{Name: e.Key.Text, Pos: r.f.Pos(e.Key)}
	if r.f.Fields(e.Val, "a box", "queue") {
		if q := e.Val.Get("queue"); q == nil {
			r.f.Fail(e.Val, "missing-key", "write { queue: NAME }", "the box has no `queue`")
		} else if name, ok := r.f.Text(q, "queue"); ok {
			b.Queue = name
			r.l.Mention(Mention{Kind: "queue", Name: name, At: q})
		}
	}
	r.l.Box(e.Key, b)
}
