package serving_test

import (
	"slices"
	"testing"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/serving"
)

func TestServing(t *testing.T) {
	q := &flow.Queue{
		Name: "cards", Teams: []string{"cards", "gold"}, Over: []flow.Overflow{{After: time.Minute, Teams: []string{"night", "cards"}}},
		Relax: []flow.Relax{{After: time.Minute, Levels: map[string]int{"*": 1}}, {After: 2 * time.Minute, Levels: map[string]int{"*": 1, "loans": 5}}},
	}
	all := map[string]*flow.Agent{
		"anna": {Name: "anna", Teams: []string{"cards"}, Skills: map[string]int{"lang:en": 3}},
		"bo":   {Name: "bo", Teams: []string{"other", "night"}, Skills: map[string]int{"lang:en": 5, "lang:zh-CN": 1}},
		"mei":  {Name: "mei", Teams: []string{"other"}, Skills: map[string]int{"loans": 9}},
	}
	if got := serving.Teams(q); !slices.Equal(got, []string{"cards", "gold", "night"}) {
		t.Errorf("teams %v", got)
	}
	agents := serving.Agents(q, all, func(a *flow.Agent) *flow.Agent { return a })
	if len(agents) != 2 || agents[0].Name != "anna" || agents[1].Name != "bo" {
		t.Errorf("agents %v", agents)
	}
	if got := serving.Skills(agents); !slices.Equal(got, []string{"lang:en", "lang:zh-CN"}) {
		t.Errorf("skills %v", got)
	}
	for _, tt := range []struct {
		skill   string
		level   int
		lack    bool
		relaxed bool
	}{
		{"lang:en", 5, false, true}, {"lang:en", 7, false, true}, {"lang:en", 8, true, true},
		{"lang:de", 1, false, true}, {"lang:de", 3, true, true}, {"loans", 6, false, true}, {"loans", 7, true, true},
	} {
		if lack, relaxed := serving.Lack(q, agents, tt.skill, tt.level); lack != tt.lack || relaxed != tt.relaxed {
			t.Errorf("%s at %d: lack %v, relaxed %v", tt.skill, tt.level, lack, relaxed)
		}
	}
	if lack, relaxed := serving.Lack(&flow.Queue{}, agents, "lang:de", 1); !lack || relaxed {
		t.Errorf("without relax: lack %v, relaxed %v", lack, relaxed)
	}
}
