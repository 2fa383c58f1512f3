package check

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// journal reads what a check was from its events alone, and says whether they bear the
// verdict passed. It knows nothing of the machine.
func bears(p *flow.CheckPolicy, events []said) error {
	consent, round, officer, void := false, 0, "", false
	done, stills, codes := map[string]bool{}, map[string]int{}, map[string]bool{}
	asked := false
	for i, e := range events {
		switch d := e.Data.(type) {
		case tandem.CheckBegun:
			officer, void = d.Officer, false
			if d.Round != round {
				round, done, stills, asked = d.Round, map[string]bool{}, map[string]int{}, false
			}
		case tandem.CheckBroken:
			void, done, stills, asked = true, map[string]bool{}, map[string]int{}, false
		case tandem.Consent:
			consent = d.Answer == "yes" && d.Version == p.Consent.Version && d.Text == p.Consent.Text[d.Lang] && d.Text != ""
		case tandem.CheckStep:
			if d.Round != round || void || !consent {
				return fmt.Errorf("event %d: a step of round %d in round %d, void %t, consent %t", i, d.Round, round, void, consent)
			}
			if d.Step == "second_officer" {
				asked = true
				continue
			}
			step := p.Step(d.Step)
			if d.State == "present" {
				continue
			}
			for _, s := range p.Steps { // all before it are over
				if s.Name == d.Step {
					break
				}
				if _, over := done[s.Name]; !over && !codes[s.Name] {
					return fmt.Errorf("event %d: %s is over before %s", i, d.Step, s.Name)
				}
			}
			ok := d.State == "done"
			switch {
			case step.Kind == flow.CheckCode && ok && e.Actor != "caller":
				return fmt.Errorf("event %d: %s did the step of the code", i, e.Actor)
			case step.Kind == flow.CheckCode:
				codes[d.Step] = ok
			case (step.Kind == flow.CheckDocument || step.Kind == flow.CheckFace) && stills[d.Step] == 0:
				ok = false
			case step.Kind == flow.CheckCompareBy:
				for _, q := range step.Compare {
					ok = ok && d.Said[q.Name] == "yes"
				}
			}
			if e.Actor != officer && e.Actor != "caller" {
				return fmt.Errorf("event %d by %s, the officer is %s", i, e.Actor, officer)
			}
			done[d.Step] = ok
		case tandem.Evidence:
			if !consent {
				return fmt.Errorf("event %d: a still before consent", i)
			}
			if d.Source == sourceServer && d.Round == round {
				stills[d.Step]++
			}
		case tandem.Verdict:
			if d.Outcome != "passed" {
				return nil
			}
			if !consent || void || d.Officer != officer || officer == "" {
				return fmt.Errorf("passed with consent %t, void %t, by %s of %s", consent, void, d.Officer, officer)
			}
			for _, s := range p.Steps {
				if !done[s.Name] && !codes[s.Name] {
					return fmt.Errorf("passed without step %s", s.Name)
				}
			}
			if p.SecondOfficer && (!asked || d.Second == "" || d.Second == officer || e.Actor != d.Second) {
				return fmt.Errorf("passed by %s and %q", officer, d.Second)
			}
			if !d.Until.Equal(d.Until.UTC()) || d.Level != p.Level {
				return fmt.Errorf("passed for %s until %s", d.Level, d.Until)
			}
		}
	}
	return nil
}

// fitting is an input that a well-meaning world would give next.
func fitting(p *played) any {
	c := &p.c
	s := c.present()
	switch {
	case c.State == Asked:
		return consented{Lang: "en", Yes: true}
	case c.State == Second:
		return agreed{Officer: "carl", Yes: true}
	case c.Officer == "":
		return assigned{"anna"}
	case !c.Cut.IsZero():
		return mended{}
	case s == nil:
		return Command{Do: "decide", Outcome: Passed}
	case s.Kind == flow.CheckCode && c.Code == nil:
		return codeSent{ID: "x"}
	case s.Kind == flow.CheckCode:
		return codeTyped{OK: true}
	case (s.Kind == flow.CheckDocument || s.Kind == flow.CheckFace) && len(s.Stills) == 0:
		return kept{Round: c.Round, Step: s.Name, Still: Still{Source: sourceServer}, Event: tandem.Evidence{Round: c.Round, Step: s.Name, Source: sourceServer}}
	}
	said := map[string]any{}
	for i, q := range c.Policy.Step(s.Name).Questions {
		said[q.Called(i)] = "right"
	}
	for _, q := range c.Policy.Step(s.Name).Compare {
		said[q.Name] = "yes"
	}
	return Command{Do: "done", Step: s.Name, Said: said}
}

// A random input: often one that fits, so that checks get somewhere.
func anything(r *rand.Rand, p *played) any {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	step := ""
	if s := p.c.present(); s != nil && r.IntN(8) > 0 {
		step = s.Name
	} else if r.IntN(2) == 0 {
		step = pick("code", "ask", "front", "look", "act", "match", "none")
	}
	round := 0
	if r.IntN(3) == 0 {
		round = p.c.Round - r.IntN(2)
	}
	switch r.IntN(40) {
	case 0:
		return assigned{pick("", "anna", "ben")}
	case 1:
		return cut{p.now}
	case 2, 3:
		return mended{}
	case 4:
		return restarted{Seen: r.IntN(2) == 0}
	case 5:
		return stopped{Gone: r.IntN(2) == 0 && r.IntN(8) == 0}
	case 6:
		return Command{Do: pick("restart", "second_face", "abort", "nonsense", "skip", "fail"), Step: step, Round: round}
	case 7, 8, 9:
		return consented{Lang: pick("en", "zh-CN", "fr"), Yes: r.IntN(12) > 0}
	case 10, 11:
		return codeTyped{OK: r.IntN(2) == 0, Left: r.IntN(3)}
	case 12, 13:
		return codeSent{ID: "x", Trouble: pick("", "", "none")}
	case 14, 15, 16, 17, 18:
		return Command{Do: "capture", Step: step, Round: round}
	case 19, 20, 21, 22, 23:
		n := 0
		if p.c.Capture != nil {
			n = p.c.Capture.N
		}
		return kept{Round: p.c.Round - r.IntN(8)/7, Step: step, Still: Still{Source: pick(sourceServer, sourcePage), N: n},
			Event: tandem.Evidence{Round: p.c.Round, Step: step, Source: sourceServer}}
	case 24, 25:
		return Command{Do: "decide", Outcome: State(pick("passed", "passed", "passed", "failed", "stopped", "asked")), Reasons: []string{pick("same_person", "coached")}}
	case 26, 27:
		return agreed{Officer: pick("anna", "ben", "carl", ""), Yes: r.IntN(3) > 0, Why: pick("", "x")}
	case 28:
		return tick{}
	}
	said := map[string]any{}
	if p := p.c.Policy.Step(step); p != nil {
		for i := range p.Questions {
			said[p.Questions[i].Called(i)] = pick("right", "right", "wrong", "x")
		}
		for _, q := range p.Compare {
			said[q.Name] = pick("yes", "yes", "yes", "no")
		}
	}
	return Command{Do: "done", Step: step, Round: round, Said: said}
}

// No sequence of inputs, whatever its order, reaches passed without the consent, every step
// in its order, stills, answers and the officers that the policy asks for. What is held
// against it are the events alone.
func TestNothingPassesUnproved(t *testing.T) {
	seeds := uint64(4000)
	if testing.Short() {
		seeds = 400
	}
	passed, over, inputs := 0, 0, 0
	start := time.Now()
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 9))
		p := newPlayed(t, seed%2 == 0)
		if seed%3 == 0 {
			p.c.Officer = ""
		}
		m := machine{c: p.c, now: p.now}
		m.begun()
		p.events = m.events
		wild := []int{100, 50, 20, 5}[seed%4]
		for range 250 {
			if p.c.State.Over() {
				over++
				break
			}
			p.pass(time.Duration(r.IntN(4000)) * time.Millisecond)
			if r.IntN(100) < wild {
				p.quick(anything(r, p))
			} else {
				p.quick(fitting(p))
			}
			inputs++
			if p.c.State == Broken && p.c.present() != nil || p.c.Captures > MaxCaptures || p.c.Round > MaxRounds {
				t.Fatalf("seed %d: %+v", seed, p.c)
			}
		}
		if err := bears(p.c.Policy, p.events); err != nil {
			t.Fatalf("seed %d: %v in\n%s", seed, err, p.kinds())
		}
		verdicts := strings.Count(p.kinds(), ": verdict ")
		if p.c.State.Over() != (verdicts == 1) {
			t.Fatalf("seed %d: %s with %d verdicts", seed, p.c.State, verdicts)
		}
		if p.c.State == Passed {
			passed++
		}
		data, err := json.Marshal(p.c)
		var back Check
		if err != nil || json.Unmarshal(data, &back) != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(back); string(again) != string(data) {
			t.Fatalf("seed %d: stored it is another\n%s\n%s", seed, data, again)
		}
	}
	if passed < int(seeds)/10 || over < int(seeds)/2 {
		t.Errorf("of %d checks %d passed and %d ended: too few to tell", seeds, passed, over)
	}
	t.Logf("%d checks, %d passed, %d inputs, %.0f a second", seeds, passed, inputs, float64(inputs)/time.Since(start).Seconds())
}

// quick is try without looking whether the input left what it was asked of alone.
func (p *played) quick(in any) {
	p.n++
	var seed [32]byte
	seed[0], seed[1] = byte(p.n), byte(p.n>>8)
	if r, err := p.c.take(in, p.now, seed); err == nil {
		p.c, p.wants = r.Check, r.Wants
		p.events = append(p.events, r.Events...)
	}
}
