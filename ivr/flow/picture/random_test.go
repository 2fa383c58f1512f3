package picture

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"tandem"
	"tandem/ivr/flow"
)

// randomFlow makes a flow with ways anywhere: forward, back, to the end, to itself and
// to steps that do not exist.
func randomFlow(seed uint64, most int) *flow.Flow {
	r := rand.New(rand.NewPCG(seed, 5))
	n := most
	if most < 1000 {
		n = 1 + r.IntN(most)
	}
	f := &flow.Flow{Name: "random", Channels: []tandem.Channel{tandem.Voice, tandem.Chat}, Languages: []string{"en"}, Steps: map[string]*flow.Step{}, Start: "s0"}
	hub := r.IntN(n)
	to := func(i int) string {
		switch k := r.IntN(20); {
		case k == 0:
			return flow.ToEnd
		case k == 1:
			return flow.ToRepeat
		case k == 2:
			return "nowhere"
		case k < 5:
			return fmt.Sprintf("s%d", hub)
		case k < 14:
			return fmt.Sprintf("s%d", min(n-1, i+1+r.IntN(4)))
		}
		return fmt.Sprintf("s%d", r.IntN(n))
	}
	for i := range n {
		s := &flow.Step{Name: fmt.Sprintf("s%d", i)}
		switch r.IntN(5) {
		case 0:
			s.Verb, s.Next.To = &flow.Say{}, to(i)
		case 1:
			m := &flow.Menu{}
			for k := range r.IntN(9) {
				m.Choices = append(m.Choices, &flow.Choice{Keys: fmt.Sprint(k), Phrases: map[string][]string{"en": {"choice"}}, Go: to(i)})
			}
			s.Verb, s.Next.By = m, map[string]string{"no_input": to(i), "no_match": to(i)}
		case 2:
			s.Verb, s.Next.By = &flow.HTTP{Method: "GET"}, map[string]string{"ok": to(i), "timeout": to(i), "error": to(i), "not_found": to(i)}
		case 3:
			s.Verb, s.Next.By, s.Next.Else, s.Needs = &flow.QueueStep{Name: "q"}, map[string]string{"answered": to(i)}, to(i), tandem.Verified
		case 4:
			s.Verb = &flow.End{Reason: "over"}
		}
		f.Steps[s.Name] = s
		f.Order = append(f.Order, s.Name)
	}
	f.OnError = to(0)
	f.OnLeave = to(0)
	f.Commands = []*flow.Command{{Name: "agent", Keys: "*0", Go: to(0)}, {Name: "repeat", Keys: "**"}}
	return f
}

// checkPicture holds that each step is drawn once, and each edge as a line or a row.
func checkPicture(t testing.TB, f *flow.Flow, svg []byte) {
	t.Helper()
	drawn := map[string]int{}
	for _, e := range parsed(t, svg) {
		switch {
		case has(e, "step"):
			drawn[attr(e, "data-step")]++
		case has(e, "edge"), has(e, "row"):
			drawn[attr(e, "data-edge")]++
		}
	}
	for name, s := range f.Steps {
		if drawn[name] != 1 {
			t.Errorf("step %s is drawn %d times", name, drawn[name])
		}
		for _, e := range s.Edges() {
			to := e.To
			if to == flow.ToRepeat && f.Steps[to] == nil {
				to = name
			}
			if n := drawn[name+" > "+to]; n != 1 {
				t.Errorf("edge %s > %s is drawn %d times", name, to, n)
			}
		}
	}
}

func TestRandomFlows(t *testing.T) {
	seeds := 150
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		f := randomFlow(uint64(seed), 60)
		o := Options{Lang: "en"}
		if seed%3 == 0 {
			o.Counts = &Counts{Steps: map[string]int{"s0": 1000}, Edges: map[[2]string]int{{"s0", "done"}: 12345}}
		}
		svg := Draw(nil, f, o)
		checkPicture(t, f, svg)
		if !bytes.Equal(svg, Draw(nil, f, o)) {
			t.Errorf("two pictures of one flow differ")
		}
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

func TestLargeFlows(t *testing.T) {
	for _, steps := range []int{10, 30, 60, 150} {
		f := bigFlow(t, steps)
		checkPicture(t, f, Draw(nil, f, Options{Lang: "zh-CN"}))
	}
	f := randomFlow(3, 2000)
	checkPicture(t, f, Draw(nil, f, Options{}))
}

// In a difference of two random flows, the steps of both are drawn.
func TestRandomDifferences(t *testing.T) {
	for seed := range 40 {
		old, now := randomFlow(uint64(seed), 30), randomFlow(uint64(seed+1000), 30)
		all := parsed(t, Difference(old, now, Options{Lang: "en"}))
		both := maps.Clone(old.Steps)
		maps.Copy(both, now.Steps)
		for name := range both {
			found := find(all, "step", "data-step", name)
			if len(found) != 1 {
				t.Fatalf("seed %d: step %s is drawn %d times", seed, name, len(found))
			}
			if want := old.Steps[name] == nil; has(found[0], "added") != want {
				t.Errorf("seed %d: step %s has class %q", seed, name, attr(found[0], "class"))
			}
			if want := now.Steps[name] == nil; has(found[0], "removed") != want {
				t.Errorf("seed %d: step %s has class %q", seed, name, attr(found[0], "class"))
			}
		}
	}
}

// FuzzDraw makes graphs and words of any bytes: each picture is XML, each text Mermaid.
func FuzzDraw(f *testing.F) {
	f.Add([]byte("\x05\x01\x02\x03\x04\x00"), "main", "Press 1 <&> \"now\".")
	f.Add([]byte{9, 1, 1, 0, 0, 3, 3, 200, 7, 7, 7, 8}, "a\x00\xff]]>", "#quot; --> | \u202e\ufffe")
	f.Fuzz(func(t *testing.T, ways []byte, name, words string) {
		ways, name, words = ways[:min(len(ways), 200)], name[:min(len(name), 40)], words[:min(len(words), 400)]
		fl := &flow.Flow{Name: name, Steps: map[string]*flow.Step{}, Languages: []string{words, "en"}, OnError: name}
		n := 1
		if len(ways) > 0 {
			n = int(ways[0])%12 + 1
		}
		step := func(i int) string { return fmt.Sprintf("%s%d", name, i%n) }
		for i := range n {
			m := &flow.Menu{}
			for k, w := range ways {
				if k%n == i && len(m.Choices) < 8 {
					m.Choices = append(m.Choices, &flow.Choice{Keys: words, Phrases: map[string][]string{"en": {words}}, Go: step(int(w))})
				}
			}
			s := &flow.Step{Name: step(i), Verb: m, Note: words, Next: flow.Next{Else: words}}
			if len(m.Choices) == 0 {
				s.Verb = nil
			}
			fl.Steps[s.Name], fl.Order = s, append(fl.Order, s.Name)
		}
		fl.Start = fl.Order[0]
		parsed(t, Draw(nil, fl, Options{Lang: words, ID: words, Standalone: true, Path: []Taken{{step(0), words}, {step(1), ""}}}))
		checkMermaid(t, Mermaid(fl))
	})
}
