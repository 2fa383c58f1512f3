package room

import (
	"fmt"
	"slices"
	"testing"

	"tandem"
)

var everyRole = []tandem.Role{tandem.RoleCustomer, tandem.RoleAgent, tandem.RoleSpecialist, tandem.RoleListener, tandem.RoleWhisperer}

// everyPart is every way to take part.
func everyPart() (parts []Part) {
	for _, role := range everyRole {
		for bits := range 16 {
			parts = append(parts, Part{Role: role, Muted: bits&1 != 0, Held: bits&2 != 0, Away: bits&4 != 0, Lent: bits&8 != 0})
		}
	}
	return parts
}

// says is the rule in words, for one who speaks and one who may hear, whoever else is there:
// what hears ("": nothing; "says"; "both": also what is played to the other).
func says(from, to Part) string {
	unseen := func(p Part) bool { return p.Role == tandem.RoleListener || p.Role == tandem.RoleWhisperer }
	switch {
	case to.Away, to.Held && !unseen(to), to.Lent && !unseen(to): // their phone holds, they hear music, or somebody else's prompts
		return ""
	case from.Role == tandem.RoleListener:
		return ""
	case from.Role == tandem.RoleWhisperer:
		if to.Role == tandem.RoleAgent && !from.Muted && !from.Away {
			return "says"
		}
		return ""
	case from.Held:
		return ""
	case from.Lent:
		return "both"
	case from.Muted, from.Away:
		return ""
	}
	return "says"
}

// TestTable holds the table against the rule, over every room of one, two and three in
// every state: who hears whom depends on nobody else.
func TestTable(t *testing.T) {
	parts := everyPart()
	rooms := 0
	look := func(in ...Part) {
		rooms++
		places := Hear(in)
		for x := range in {
			for y := range in {
				want := ""
				if x != y {
					want = says(in[y], in[x])
				}
				got := ""
				if slices.Contains(places[x].Hears, y) {
					got = "says"
				}
				if slices.Contains(places[x].Both, y) {
					got += "both"
				}
				if got != want {
					t.Fatalf("in %+v number %d hears of %d %q, want %q", in, x, y, got, want)
				}
			}
			promises(t, in, places, x)
		}
	}
	for _, a := range parts {
		look(a)
		for _, b := range parts {
			look(a, b)
			if testing.Short() && rooms > 100_000 {
				continue
			}
			for _, c := range parts {
				look(a, b, c)
			}
		}
	}
	t.Logf("%d rooms", rooms)
}

// promises holds what must be so in every room.
func promises(t *testing.T, in []Part, places []Place, x int) {
	t.Helper()
	p, at := in[x], places[x]
	for _, y := range at.Hears {
		if in[y].Role == tandem.RoleListener || in[y].Role == tandem.RoleWhisperer && p.Role != tandem.RoleAgent {
			t.Fatalf("in %+v number %d hears %s", in, x, in[y].Role)
		}
	}
	if at.Music && (len(at.Hears)+len(at.Both) > 0 || !talks(p.Role) || p.Away && !p.Held) {
		t.Fatalf("in %+v number %d hears music beside %+v", in, x, at)
	}
	if p.Held && talks(p.Role) && !at.Music {
		t.Fatalf("in %+v number %d is held and hears no music", in, x)
	}
	a, b, ok := Direct(in, places)
	if !ok {
		return
	}
	for i, q := range in {
		switch {
		case i == a || i == b:
			if !q.heard() {
				t.Fatalf("in %+v %d and %d are joined, and one is not heard", in, a, b)
			}
		case q.in(), q.Role == tandem.RoleWhisperer && !q.Muted && !q.Away && (in[a].Role == tandem.RoleAgent || in[b].Role == tandem.RoleAgent):
			t.Fatalf("in %+v %d and %d are joined, and number %d is to be heard", in, a, b, i)
		}
	}
}

// TestCustomerNeverHearsAWhisper adds a whisperer and a listener to every room of two and
// three: what customers and specialists hear does not change in any way.
func TestCustomerNeverHearsAWhisper(t *testing.T) {
	parts := everyPart()
	talkers := slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return !talks(p.Role) || p.Role == tandem.RoleSpecialist && p.Lent })
	for _, a := range talkers {
		for _, b := range talkers {
			before := Hear([]Part{a, b})
			for _, c := range parts {
				if talks(c.Role) {
					continue
				}
				after := Hear([]Part{a, b, c})
				for i, p := range []Part{a, b} {
					if p.Role != tandem.RoleAgent && fmt.Sprint(before[i]) != fmt.Sprint(after[i]) {
						t.Fatalf("%s heard %+v, and beside a %s %+v", p.Role, before[i], c.Role, after[i])
					}
				}
			}
		}
	}
}
