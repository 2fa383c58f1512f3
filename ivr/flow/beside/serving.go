package beside

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// Bounds of agents and of the policy.
const (
	maxSkills   = 100 // of one agent
	maxAtOnce   = 50  // of any load; mostOf has less for some
	maxPriority = 24 * time.Hour
	minOffer    = 5 * time.Second // less than anybody needs to see it
	maxOffer    = time.Hour
	maxWrapUp   = time.Hour
	maxRest     = time.Hour
	maxMisses   = 100
	maxReasons  = 50
)

// mostOf is how many tasks of a load anybody can have at once, by any measure.
func mostOf(l tandem.Load) int {
	switch l {
	case tandem.LoadVoice:
		return 2
	case tandem.LoadChat, tandem.LoadWork:
		return 20
	}
	return maxAtOnce
}

func (r *lineReader) team(e source.Entry) {
	if !r.f.GoodName(e.Key, "a team's name") {
		return
	}
	t := &flow.Team{Name: e.Key.Text, Pos: r.f.Pos(e.Key)}
	if e.Val.Kind != source.Null && r.f.Fields(e.Val, "a team", "site") {
		if n := e.Val.Get("site"); n != nil {
			t.Site, _ = r.f.Name(n, "a site")
		}
	}
	r.l.Team(e.Key, t)
}

// agentName is how people log in: tandem user makes such names.
var agentName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,99}$`)

func (r *lineReader) agent(e source.Entry) {
	if !agentName.MatchString(e.Key.Text) {
		fix := "write the name as `tandem user` shows it"
		if better := strings.ToLower(strings.TrimSpace(e.Key.Text)); agentName.MatchString(better) {
			fix = "write `" + better + "`"
		}
		r.f.Fail(e.Key, "agent-name", fix, "nobody can log in as `%s`: an agent's name has small Latin letters, digits and . _ - @ +, and up to 100 characters", e.Key.Text)
		return
	}
	a := &flow.Agent{Name: e.Key.Text, Pos: r.f.Pos(e.Key)}
	if e.Val.Kind != source.Null && r.f.Fields(e.Val, "an agent", "teams", "skills", "capacity") {
		a.Teams = r.teams(e.Val.Get("teams"), "teams")
		a.Skills = r.skills(e.Val.Get("skills"))
		a.Capacity = r.capacity(e.Val.Get("capacity"))
	}
	r.l.Agent(e.Key, a)
}

func (r *lineReader) skills(n *source.Node) map[string]int {
	if n == nil || !r.f.AnyFields(n, "skills", "write { \"lang:en\": 5 }") {
		return nil
	}
	if len(n.Entries) > maxSkills {
		r.f.Fail(n, "out-of-range", "", "an agent has up to %d skills; this one has %d", maxSkills, len(n.Entries))
		return nil
	}
	out := map[string]int{}
	for _, e := range n.Entries {
		level, ok := r.f.Count(e.Val, "a skill's level", 1, flow.BestSkill)
		if r.skill(e.Key) && ok {
			out[e.Key.Text] = level
		}
	}
	return out
}

// skill checks the form of a skill's name.
func (r *lineReader) skill(n *source.Node) bool {
	if flow.IsSkill(n.Text) {
		return true
	}
	r.f.Fail(n, "skill", "use letters, digits and : _ - .", "`%s` is no skill: a skill's name has Latin letters, digits and : _ - ., begins with a letter or digit and has up to %d characters", n.Text, flow.LongestSkill)
	return false
}

// capacity reads how much of each load somebody may have at once, as far as it is named.
func (r *lineReader) capacity(n *source.Node) map[tandem.Load]int {
	if n == nil || !r.f.Fields(n, "capacity", loads()...) {
		return nil
	}
	out := map[tandem.Load]int{}
	for _, e := range n.Entries {
		l := tandem.Load(e.Key.Text)
		if some, ok := r.f.Count(e.Val, "how many of "+e.Key.Text+" at once", 0, mostOf(l)); ok {
			out[l] = some
		}
	}
	return out
}

func loads() (out []string) {
	for _, l := range flow.Loads() {
		out = append(out, string(l))
	}
	return out
}

// policy reads what holds for the whole line; what it does not name is as by default.
func (r *lineReader) policy(key, n *source.Node) {
	p := flow.DefaultRouting()
	p.Pos = r.f.Pos(key)
	if r.f.Fields(n, "policy", "most_priority", "capacity", "blocks", "offer", "wrap_up", "decline_rest", "misses", "away", "dispositions") {
		r.within(n, "most_priority", &p.MostPriority, 0, maxPriority)
		for l, some := range r.capacity(n.Get("capacity")) {
			p.Capacity[l] = some
		}
		r.blocks(n.Get("blocks"), p)
		r.byLoad(n.Get("offer"), "offer", p.Offer, minOffer, maxOffer)
		r.byLoad(n.Get("wrap_up"), "wrap_up", p.WrapUp, 0, maxWrapUp)
		r.within(n, "decline_rest", &p.DeclineRest, 0, maxRest)
		if misses, ok := r.f.Count(n.Get("misses"), "misses", 0, maxMisses); ok {
			p.Misses = misses
		}
		r.choices(n.Get("away"), "away", "lunch: { en: Lunch }", "reason", p.Away)
		r.choices(n.Get("dispositions"), "dispositions", "solved: { en: Solved }", "disposition", p.Dispositions)
	}
	r.l.Policy(key, p)
}

// blocks reads which loads keep others away; the map stands in the place of the default.
func (r *lineReader) blocks(n *source.Node, p *flow.Routing) {
	if n == nil || !r.f.Fields(n, "blocks", loads()...) {
		return
	}
	p.Blocks = map[tandem.Load][]tandem.Load{}
	for _, e := range n.Entries {
		for _, item := range r.f.List(e.Val, e.Key.Text) {
			word, ok := r.f.Word(item, "what "+e.Key.Text+" blocks", loads()...)
			l := tandem.Load(e.Key.Text)
			if ok && !slices.Contains(p.Blocks[l], tandem.Load(word)) {
				p.Blocks[l] = append(p.Blocks[l], tandem.Load(word))
			}
		}
	}
}

// byLoad reads times by load into those that hold by default.
func (r *lineReader) byLoad(n *source.Node, what string, into map[tandem.Load]time.Duration, low, high time.Duration) {
	if n == nil || !r.f.Fields(n, what, loads()...) {
		return
	}
	for _, e := range n.Entries {
		if d, ok := r.f.Duration(e.Val, what, low, high); ok {
			into[tandem.Load(e.Key.Text)] = d
		}
	}
}

// choices reads what people choose from, by name.
func (r *lineReader) choices(n *source.Node, key, example, what string, into map[string]*flow.Prompt) {
	if n == nil || !r.f.AnyFields(n, key, "write { "+example+" }") {
		return
	}
	if len(n.Entries) > maxReasons {
		r.f.Fail(n, "out-of-range", "", "there are up to %d in %s; these are %d", maxReasons, key, len(n.Entries))
		return
	}
	for _, e := range n.Entries {
		if !r.f.GoodName(e.Key, "a "+what+"'s name") {
			continue
		}
		if words := r.d.words(r.f, e.Val, "the "+what+" `"+e.Key.Text+"`"); words != nil {
			for _, one := range e.Val.Entries {
				if one.Val.Kind == source.Text && strings.TrimSpace(one.Val.Text) == "" {
					r.f.Fail(one.Val, "empty-value", "write how the "+what+" is shown, such as \"Lunch\"", "the "+what+" `%s` has no words in %s", e.Key.Text, one.Key.Text)
				}
			}
			into[e.Key.Text] = words
		}
	}
}
