package room

import (
	"slices"

	"tandem"
	"tandem/media/video"
)

// shows reports whether those in the talk see a party.
func (p Part) shows() bool { return p.in() && !p.Away }

// looks reports whether a party sees anything.
func (p Part) looks() bool {
	return (talks(p.Role) || p.Role == tandem.RoleListener || p.Role == tandem.RoleWhisperer) && !p.Held && !p.Away && !p.Lent
}

// See is who sees whom, by the numbers of others; customers come first, then agents, then
// specialists:
//
//   - customer, agents and specialists see each other;
//   - listeners and whisperers see them and are seen by nobody;
//   - who is held or away sees nobody and is seen by nobody;
//   - who is lent sees nobody; a customer who is lent is seen by agents.
//
// A role that is none of these sees nobody and is not seen. Muting is of sound alone.
func See(parts []Part) [][]int {
	sees := make([][]int, len(parts))
	for x := range parts {
		if !parts[x].looks() {
			continue
		}
		for _, role := range []tandem.Role{tandem.RoleCustomer, tandem.RoleAgent, tandem.RoleSpecialist} {
			for y, q := range parts {
				watched := q.Role == tandem.RoleCustomer && q.Lent && !q.Held && !q.Away && parts[x].Role == tandem.RoleAgent
				if x != y && q.Role == role && (q.shows() || watched) {
					sees[x] = append(sees[x], y)
				}
			}
		}
	}
	return sees
}

// Ends of the ids of what is shown, behind a leg's.
const (
	ofCamera  = ":camera"
	ofDisplay = ":display"
)

// shown is what a party sees of others: their screens, but not a customer's, then their
// cameras. What is not allowed to be shown is left out.
func shown(parties []Party, sees []int) (all []video.Shown) {
	add := func(p *Party, end string, s *video.Source) {
		if s != nil && p.Leg != "" && s.Allowed() {
			all = append(all, video.Shown{ID: p.Leg + end, Source: s})
		}
	}
	for _, y := range sees {
		if p := &parties[y]; p.Role != tandem.RoleCustomer {
			add(p, ofDisplay, p.Display)
		}
	}
	for _, y := range sees {
		add(&parties[y], ofCamera, parties[y].Camera)
	}
	return all
}

// look tells everybody what they see now, if it has changed; who is in no more sees nothing.
func (r *Room) look(parties []Party) {
	parts := make([]Part, len(parties))
	for i := range parties {
		parts[i] = parties[i].Part
	}
	now := map[Eyes][]video.Shown{}
	for x, sees := range See(parts) {
		if e := parties[x].Eyes; e != nil {
			now[e] = shown(parties, sees)
		}
	}
	for e, was := range r.sights {
		if _, in := now[e]; !in && len(was) > 0 {
			e.Show(nil)
		}
	}
	for e, is := range now {
		if was, in := r.sights[e]; !in && len(is) > 0 || !slices.Equal(was, is) {
			e.Show(is)
		}
	}
	r.sights = now
}
