package room

import "tandem"

// Part is a party as the table sees it.
type Part struct {
	Role  tandem.Role
	Muted bool // is not heard
	Held  bool // hears music, and is not heard
	Away  bool // their own phone holds us: they hear nothing and say nothing
	Lent  bool // somebody else plays to them: they hear nobody, and those in the talk hear them and what they hear
}

// Place is what a party hears, by the numbers of others.
type Place struct {
	Hears []int // what they say
	Both  []int // what they say and hear
	Music bool
}

// talks reports whether a role takes part in the talk itself.
func talks(r tandem.Role) bool {
	return r == tandem.RoleCustomer || r == tandem.RoleAgent || r == tandem.RoleSpecialist
}

// in reports whether a party is in the talk now.
func (p Part) in() bool { return talks(p.Role) && !p.Held && !p.Lent }

// heard reports whether those in the talk hear what a party says.
func (p Part) heard() bool { return p.in() && !p.Muted && !p.Away }

// Hear is who hears whom:
//
//   - customer, agents and specialists hear each other, unless one is muted, held or away;
//   - listeners hear them and are heard by nobody;
//   - whisperers hear them and are heard by agents, nobody else;
//   - who is held hears music; so does who is left alone by phones that hold;
//   - who is lent hears nobody here; the others hear them with all that is played to them.
//
// A role that is none of these hears nothing and is not heard.
func Hear(parts []Part) []Place {
	places := make([]Place, len(parts))
	for x := range parts {
		p := &parts[x]
		ear := p.Role == tandem.RoleListener || p.Role == tandem.RoleWhisperer
		switch {
		case p.Held && talks(p.Role):
			places[x].Music = true
			continue
		case !p.in() && !ear, p.Away:
			continue
		}
		others, there := 0, 0
		for y := range parts {
			q := &parts[y]
			switch {
			case x == y:
			case q.heard(), q.Role == tandem.RoleWhisperer && p.Role == tandem.RoleAgent && !q.Muted && !q.Away:
				places[x].Hears = append(places[x].Hears, y)
			case talks(q.Role) && q.Lent && !q.Held:
				places[x].Both = append(places[x].Both, y)
			}
			if x != y && q.in() {
				others++
				if !q.Away {
					there++
				}
			}
		}
		places[x].Music = talks(p.Role) && others > 0 && there == 0 && len(places[x].Hears)+len(places[x].Both) == 0
	}
	return places
}

// Direct is the two parties who hear each other and nobody else, if there are two: then
// packets pass straight between them, whoever listens.
func Direct(parts []Part, places []Place) (a, b int, ok bool) {
	a, b = -1, -1
	for x := range parts {
		switch {
		case !parts[x].in():
		case a < 0:
			a = x
		case b < 0:
			b = x
		default:
			return 0, 0, false
		}
	}
	if b < 0 {
		return 0, 0, false
	}
	only := func(x, y int) bool {
		p := &places[x]
		return len(p.Hears) == 1 && p.Hears[0] == y && len(p.Both) == 0
	}
	return a, b, only(a, b) && only(b, a)
}
