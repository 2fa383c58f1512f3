package upgrade

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"tandem"
)

const (
	text   = tandem.LevelText
	voice  = tandem.LevelVoice
	seeing = tandem.LevelVideo
)

// short writes a plan in a few signs: its state, what runs of what was asked for, and who is
// waited for.
func short(p plan) string {
	name := map[tandem.Level]string{text: "-", voice: "voice", seeing: "video"}
	s := fmt.Sprintf("%s %s/%s", p.State, name[p.Agreed], name[p.Level])
	if p.Pending {
		s += " ?" + map[bool]string{true: "agent", false: "customer"}[p.By == ByCustomer]
	}
	if p.State.Over() {
		return string(p.State) + " " + p.Why
	}
	return s
}

// happenings are all that can happen, by a name.
func happenings() map[string]event {
	all := map[string]event{
		"accept voice": {Do: accept, Level: voice}, "accept video": {Do: accept, Level: seeing}, "accept": {Do: accept}, "refuse": {Do: refuse},
		"approve": {Do: approve}, "deny": {Do: deny}, "lapse": {Do: lapse}, "connect": {Do: connect},
		"end agent": {Do: end, By: "anna", Why: "ended"}, "end customer": {Do: end, By: ByCustomer, Why: "ended"}, "end system": {Do: end, By: BySystem, Why: "lost"},
	}
	for _, l := range []tandem.Level{text, voice, seeing} {
		all["anna wants "+string(l)] = event{Do: raise, By: "anna", Level: l}
		all["customer wants "+string(l)] = event{Do: raise, By: ByCustomer, Level: l, Most: voice}
		all["free customer wants "+string(l)] = event{Do: raise, By: ByCustomer, Level: l, Most: seeing}
	}
	return all
}

// situations are plans in each state an upgrade can be in, by a name.
func situations(t *testing.T) map[string]plan {
	t.Helper()
	do := func(p plan, names ...string) plan {
		for _, n := range names {
			next, err := step(p, happenings()[n])
			if err != nil {
				t.Fatalf("%s in %s: %v", n, short(p), err)
			}
			p = next
		}
		return p
	}
	asked := begin("anna", seeing, false)
	return map[string]plan{
		"asked for voice":       begin("anna", voice, false),
		"asked for video":       asked,
		"customer asks voice":   begin(ByCustomer, voice, false),
		"agreed voice":          do(begin("anna", voice, false), "accept"),
		"up voice":              do(begin("anna", voice, false), "accept", "connect"),
		"up voice of video":     do(asked, "accept voice", "connect"),
		"up video":              do(asked, "accept", "connect"),
		"lowered by agent":      do(asked, "accept", "connect", "anna wants voice"),
		"lowered by customer":   do(asked, "accept", "connect", "customer wants voice"),
		"agent wants video":     do(begin("anna", voice, false), "accept", "connect", "anna wants video"),
		"customer wants video":  do(begin("anna", voice, false), "accept", "connect", "free customer wants video"),
		"asked for pictures":    begin("anna", seeing, true),
		"up pictures":           do(begin("anna", seeing, true), "accept", "connect"),
		"asked by a flow":       begin(ByFlow, seeing, false),
		"refused":               do(asked, "refuse"),
		"over":                  do(asked, "accept", "end agent"),
		"customer asks, let up": do(begin(ByCustomer, voice, false), "approve", "connect"),
	}
}

// TestFold holds testdata/fold.txt: the table of all that can happen in all situations. "=" is that nothing changes;
// what cannot be is told by its error's first words, after a "!".
func TestFold(t *testing.T) {
	want, err := os.ReadFile("testdata/fold.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := table(t); got != string(want) {
		t.Errorf("the table is another now:\n%s", diff(string(want), got))
	}
}

func table(t *testing.T) string {
	var b strings.Builder
	names, events := situations(t), happenings()
	for _, s := range sorted(names) {
		p := names[s]
		fmt.Fprintf(&b, "%s: %s\n", s, short(p))
		for _, e := range sorted(events) {
			next, err := step(p, events[e])
			is := short(next)
			switch {
			case err != nil && next != p:
				t.Errorf("%s in %q: an error, and the plan is another: %+v", e, s, next)
			case err != nil:
				is = "! " + strings.Join(strings.Fields(err.Error())[:4], " ")
			case next == p:
				is = "="
			case short(next) == short(p):
				is += fmt.Sprintf(" given %s let %s", next.Given, next.Let)
			}
			fmt.Fprintf(&b, "  %-26s %s\n", e, is)
		}
	}
	return b.String()
}

func sorted[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var b strings.Builder
	for i := range max(len(w), len(g)) {
		a, c := "", ""
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			c = g[i]
		}
		if a != c {
			fmt.Fprintf(&b, "-%s\n+%s\n", a, c)
		}
	}
	return b.String()
}

// TestFoldHolds goes through every plan that can come to be, and holds what must be true of all
// and of each step between two.
func TestFoldHolds(t *testing.T) {
	type at struct {
		plan
		path string
	}
	var todo []at
	for _, by := range []string{"anna", ByFlow, ByCustomer} {
		for _, l := range []tandem.Level{voice, seeing} {
			todo = append(todo, at{begin(by, l, false), by + " " + string(l)})
		}
		todo = append(todo, at{begin(by, seeing, true), by + " pictures"})
	}
	seen := map[plan]bool{}
	events := happenings()
	for len(todo) > 0 {
		p := todo[0]
		todo = todo[1:]
		if seen[p.plan] {
			continue
		}
		seen[p.plan] = true
		holds(t, p.plan, p.path)
		for _, name := range sorted(events) {
			next, err := step(p.plan, events[name])
			if err == nil {
				moves(t, p.plan, next, events[name], p.path+", "+name)
				todo = append(todo, at{next, p.path + ", " + name})
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d plans were seen", len(seen))
	}
}

// holds is true of every plan.
func holds(t *testing.T, p plan, path string) {
	t.Helper()
	voiced, screened := p.needs()
	for what, wrong := range map[string]bool{
		"runs what the customer has not consented to": above(p.Agreed, p.Given),
		"runs what staff has not let":                 above(p.Agreed, p.Let),
		"waits for less than there is":                p.Pending && !above(p.Level, p.Agreed),
		"was asked for more and waits for nobody":     !p.Pending && p.Level != p.Agreed && !p.State.Over(),
		"is asked and waits for nobody":               p.State == Asked && !p.Pending,
		"is asked and runs":                           p.State == Asked && p.Agreed != text,
		"runs nothing and goes on":                    (p.State == Agreed || p.State == Up) && p.Agreed == text,
		"is over and waits":                           p.State.Over() && (p.Pending || p.Why == ""),
		"has sound on two ways":                       p.Pictures && (p.Agreed == voice || voiced),
		"is over and has connections":                 p.State.Over() && (voiced || screened),
		"is asked and has connections":                p.State == Asked && (voiced || screened),
		"shows without consent to video":              screened && p.Given != seeing,
	} {
		if wrong {
			t.Errorf("%s: it %s: %+v", path, what, p)
		}
	}
}

// moves is true of every step.
func moves(t *testing.T, before, after plan, e event, path string) {
	t.Helper()
	customers := e.Do == accept || e.Do == raise && e.By == ByCustomer || before.By == ByCustomer && before.Pending && (e.Do == approve || e.Do == raise)
	staffs := e.Do == approve || e.Do == raise && e.By != ByCustomer || before.By != ByCustomer && before.Pending && (e.Do == accept || e.Do == raise)
	for what, wrong := range map[string]bool{
		"the customer consents without a word":         above(after.Given, before.Given) && !customers,
		"staff lets without a word":                    above(after.Let, before.Let) && !staffs,
		"an end is undone":                             before.State.Over() && after != before,
		"it goes back":                                 order3(after.State) < order3(before.State),
		"more runs than was wanted":                    e.Do == raise && above(after.Agreed, most(e.Level, before.Agreed)),
		"a customer's step down leaves their consent":  e.Do == raise && e.By == ByCustomer && before.State != Asked && above(before.Agreed, e.Level) && !after.State.Over() && above(after.Given, e.Level),
		"something begins to run by an end or a lapse": (e.Do == end || e.Do == lapse || e.Do == connect || e.Do == refuse || e.Do == deny) && above(after.Agreed, before.Agreed),
		"consents are written for nothing":             len(consents(before, after, true)) > 0 && !above(after.Given, before.Given),
		"a consent is not written":                     above(after.Given, before.Given) && len(consents(before, after, false)) == 0,
	} {
		if wrong {
			t.Errorf("%s: %s: %+v to %+v", path, what, before, after)
		}
	}
}

func order3(s State) int {
	switch s {
	case Asked:
		return 0
	case Agreed:
		return 1
	case Up:
		return 2
	}
	return 3
}

func TestConsents(t *testing.T) {
	none, spoken, seen := plan{}, plan{Given: voice}, plan{Given: seeing}
	pictures := plan{Given: seeing, Pictures: true}
	for _, c := range []struct {
		before, after plan
		kept          bool
		want          string
	}{
		{none, none, true, ""}, {none, spoken, false, "voice"}, {none, spoken, true, "voice recording"}, {none, seen, true, "voice video recording"},
		{spoken, seen, false, "video"}, {seen, seen, true, ""}, {none, pictures, true, "video recording"}, {seen, spoken, true, ""},
	} {
		if got := strings.Join(consents(c.before, c.after, c.kept), " "); got != c.want {
			t.Errorf("%v to %v, kept %t: %q, not %q", c.before, c.after, c.kept, got, c.want)
		}
	}
}
