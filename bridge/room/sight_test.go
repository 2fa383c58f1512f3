package room

import (
	"slices"
	"testing"

	"tandem"
	"tandem/media/video"
)

// watches is the rule in words, for one who shows themselves and one who may see them,
// whoever else is there.
func watches(from, to Part) bool {
	switch {
	case to.Held, to.Away, to.Lent:
		return false
	case from.Role == tandem.RoleListener, from.Role == tandem.RoleWhisperer:
		return false
	case from.Held, from.Away:
		return false
	case from.Lent:
		return from.Role == tandem.RoleCustomer && to.Role == tandem.RoleAgent
	}
	return true
}

// TestSight holds the table against the rule, over every room of one, two and three in every
// state: who sees whom depends on nobody else, and the order on roles alone.
func TestSight(t *testing.T) {
	parts := everyPart()
	order := []tandem.Role{tandem.RoleCustomer, tandem.RoleAgent, tandem.RoleSpecialist}
	rooms := 0
	look := func(in ...Part) {
		rooms++
		sees := See(in)
		for x := range in {
			for y := range in {
				if want, got := x != y && watches(in[y], in[x]), slices.Contains(sees[x], y); got != want {
					t.Fatalf("in %+v number %d sees %d: %t, want %t", in, x, y, got, want)
				}
			}
			if !slices.IsSortedFunc(sees[x], func(a, b int) int {
				if d := slices.Index(order, in[a].Role) - slices.Index(order, in[b].Role); d != 0 {
					return d
				}
				return a - b
			}) {
				t.Fatalf("in %+v number %d sees %v in this order", in, x, sees[x])
			}
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

// An unknown role neither shows nor sees anything.
func TestSightOfNobody(t *testing.T) {
	sees := See([]Part{{Role: tandem.RoleCustomer}, {Role: "visitor"}, {}})
	for x, s := range sees {
		if len(s) > 0 {
			t.Errorf("number %d sees %v", x, s)
		}
	}
}

// screen is what a party sees with: the ids, and how often it was told.
type screen struct {
	ids  []string
	told int
}

func (s *screen) Show(all []video.Shown) {
	s.ids, s.told = nil, s.told+1
	for _, x := range all {
		s.ids = append(s.ids, x.ID)
	}
}

// view is a room of people who have cameras, screens and eyes, and no sound.
type view struct {
	*Room
	t       *testing.T
	parties map[string]Party
	eyes    map[string]*screen
}

func newView(t *testing.T) *view {
	t.Helper()
	v := &view{Room: New(nil, nil), t: t, parties: map[string]Party{}, eyes: map[string]*screen{}}
	for name, role := range map[string]tandem.Role{
		"customer": tandem.RoleCustomer, "agent": tandem.RoleAgent, "second": tandem.RoleAgent,
		"doctor": tandem.RoleSpecialist, "lead": tandem.RoleListener, "coach": tandem.RoleWhisperer,
	} {
		p := Party{Part: Part{Role: role}, Leg: name, Camera: video.NewSource(video.SourceOptions{}), Display: video.NewSource(video.SourceOptions{})}
		p.Camera.Allow(true)
		v.eyes[name] = &screen{}
		p.Eyes = v.eyes[name]
		v.parties[name] = p
	}
	return v
}

// set has those see each other who are in, without sound.
func (v *view) set(change func(name string, p *Party), names ...string) {
	v.t.Helper()
	var in []Party
	for _, name := range names {
		p := v.parties[name]
		if change != nil {
			change(name, &p)
		}
		in = append(in, p)
	}
	v.mu.Lock()
	v.look(in)
	v.mu.Unlock()
}

func (v *view) sees(name string, want ...string) {
	v.t.Helper()
	if got := v.eyes[name].ids; !slices.Equal(got, want) {
		v.t.Errorf("%s sees %q, want %q", name, got, want)
	}
}

func TestEyes(t *testing.T) {
	v := newView(t)
	v.set(nil, "customer")
	if v.eyes["customer"].told != 0 {
		t.Error("who sees nothing is told so")
	}
	v.set(nil, "doctor", "second", "agent", "customer", "lead", "coach")
	v.sees("customer", "second:camera", "agent:camera", "doctor:camera")
	v.sees("agent", "customer:camera", "second:camera", "doctor:camera")
	v.sees("doctor", "customer:camera", "second:camera", "agent:camera")
	v.sees("lead", "customer:camera", "second:camera", "agent:camera", "doctor:camera")
	v.sees("coach", "customer:camera", "second:camera", "agent:camera", "doctor:camera")
	told := v.eyes["customer"].told
	v.set(nil, "doctor", "second", "agent", "customer", "lead", "coach")
	if v.eyes["customer"].told != told {
		t.Error("told again what has not changed")
	}
	for name := range v.parties { // everybody would show their screen
		v.parties[name].Display.Allow(true)
	}
	v.set(nil, "customer", "agent", "doctor", "lead")
	v.sees("customer", "agent:display", "doctor:display", "agent:camera", "doctor:camera")
	v.sees("agent", "doctor:display", "customer:camera", "doctor:camera") // a customer's screen is nobody's
	v.sees("second")
	v.sees("coach")
	v.parties["doctor"].Camera.Allow(false)
	v.set(func(name string, p *Party) { p.Held = name == "agent" }, "customer", "agent", "doctor", "lead")
	v.sees("customer", "doctor:display")
	v.sees("agent")
	v.sees("lead", "doctor:display", "customer:camera")
	v.Close()
	for name, e := range v.eyes {
		if len(e.ids) > 0 {
			t.Errorf("after the end %s sees %q", name, e.ids)
		}
	}
}

// Who has no eyes, no camera or no leg's id is no hindrance.
func TestSomeWithoutPictures(t *testing.T) {
	v := newView(t)
	v.set(func(name string, p *Party) {
		switch name {
		case "agent":
			p.Eyes = nil
		case "second":
			p.Camera, p.Display = nil, nil
		case "doctor":
			p.Leg = ""
		}
	}, "customer", "agent", "second", "doctor")
	v.sees("customer", "agent:camera")
	v.sees("second", "customer:camera", "agent:camera")
	v.sees("agent")
}

// TestSetTellsEyes: what is heard and what is seen change together, and the end of the room
// is the end of seeing.
func TestSetTellsEyes(t *testing.T) {
	s, v := newStage(t), newView(t)
	in := func(held bool) []Party {
		customer, agent := v.parties["customer"], v.parties["agent"]
		customer.Stream, agent.Stream, customer.Held = s.p["customer"].Stream, s.p["agent"].Stream, held
		return []Party{customer, agent}
	}
	for _, held := range []bool{false, true, false} {
		if err := s.Set(in(held)); err != nil {
			t.Fatal(err)
		}
		if held {
			s.hear("customer", "music")
			v.sees("customer")
			v.sees("agent")
			continue
		}
		s.hear("customer", "agent")
		v.sees("customer", "agent:camera")
		v.sees("agent", "customer:camera")
	}
	s.Close()
	v.sees("customer")
	v.sees("agent")
	if err := s.Set(in(false)); err != nil {
		t.Fatal(err)
	}
	v.sees("agent")
}

// A listener's camera reaches nobody, nor does a whisperer's, whatever state they are in.
func TestAListenersCameraReachesNobody(t *testing.T) {
	for bits := range 16 {
		v := newView(t)
		for _, p := range v.parties {
			p.Display.Allow(true)
		}
		v.set(func(name string, p *Party) {
			if name == "lead" || name == "coach" {
				p.Muted, p.Held, p.Away, p.Lent = bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0
			}
		}, "lead", "coach", "customer", "agent", "doctor")
		for name, e := range v.eyes {
			for _, id := range e.ids {
				if id == "lead:camera" || id == "lead:display" || id == "coach:camera" || id == "coach:display" {
					t.Errorf("%s sees %s", name, id)
				}
			}
		}
		v.Close()
	}
}
