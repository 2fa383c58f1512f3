package upgrade

import (
	"context"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media/video"
	"tandem/media/webrtc"
)

// sight is what somebody at the desk shows and sees of an interaction, at one page of theirs.
type sight struct {
	page   string
	role   tandem.Role
	screen Screen
}

type sightKey struct {
	in  tandem.InteractionID
	who string
}

// shows reports whether a role may show its camera and its screen: listeners and whisperers
// are seen by nobody, so nothing of theirs is taken.
func shows(r tandem.Role) bool { return r == tandem.RoleAgent || r == tandem.RoleSpecialist }

var errNoSight = tandem.Errorf(tandem.CodeForbidden, "you have no part in this conversation; join it first")

// Sight carries out what a desk page signals of its pictures. Who takes part in the talk may
// see; who has the task may connect before the talk begins, and sees nothing till then.
func (u *Upgrades) Sight(ctx context.Context, who string, in tandem.InteractionID, page string, s webrtc.Signal) error {
	if u.o.Media == nil {
		return errMedia
	}
	role, ok := u.roleOf(in, who)
	key := sightKey{in, who}
	u.mu.Lock()
	now := u.sights[key]
	u.mu.Unlock()
	switch {
	case !ok && now != nil && s.Kind == webrtc.KindBye:
	case !ok:
		return errNoSight
	case now != nil && now.page == page && now.screen.State() != webrtc.StateGone:
	case s.Kind != webrtc.KindOffer: // a page that shows nothing any more says something: nobody needs it
		return nil
	default:
		var err error
		if now, err = u.newSight(key, page, role, now); err != nil {
			return err
		}
	}
	if s.Kind == webrtc.KindBye {
		u.endSight(key, now)
		return nil
	}
	return plainly(now.screen.Take(ctx, s))
}

// roleOf is in what role somebody sees an interaction's pictures; ok is false if they may not.
func (u *Upgrades) roleOf(in tandem.InteractionID, who string) (role tandem.Role, ok bool) {
	x := u.find(in)
	if x == nil || who == "" {
		return "", false
	}
	is := x.shown()
	if is.State != Agreed && is.State != Up {
		return "", false
	}
	if talk, up := u.o.Switchboard.TalkOf(in); up {
		for _, p := range talk.Parties {
			if p.Name == who && p.State != phone.StateRinging {
				return p.Role, true
			}
		}
	}
	if is.Agent == who {
		return tandem.RoleAgent, true
	}
	return "", false
}

// newSight makes one, in place of the one at another page.
func (u *Upgrades) newSight(key sightKey, page string, role tandem.Role, before *sight) (*sight, error) {
	t := &sight{page: page, role: role}
	var err error
	t.screen, err = u.o.Media.NewScreen(webrtc.ScreenOptions{
		Name: key.who, ID: string(key.in) + ":" + key.who, Slots: staffSlots, Camera: shows(role), Display: shows(role),
		Send:    func(s webrtc.Signal) { u.o.TellStaff(key.who, key.in, page, s) },
		Changed: func(s webrtc.State) { u.sightChanged(key, t, s) },
	})
	if err != nil {
		return nil, plainly(err)
	}
	u.mu.Lock()
	x := u.by[key.in]
	if u.ctx == nil || u.sights[key] != before || x == nil || !x.shown().Open() { // it ended meanwhile, or another page was as fast
		u.mu.Unlock()
		t.screen.Close()
		return nil, tandem.Errorf(tandem.CodeConflict, "this has changed meanwhile; connect anew")
	}
	u.sights[key] = t
	u.mu.Unlock()
	if before != nil {
		u.o.TellStaff(key.who, key.in, before.page, webrtc.Signal{Kind: webrtc.KindBye, Why: "elsewhere"})
		before.screen.Close()
	}
	if now, ok := u.roleOf(key.in, key.who); !ok || now != role { // they left, or are another thing now, while it was made
		u.endSight(key, t)
		return nil, tandem.Errorf(tandem.CodeConflict, "this has changed meanwhile; connect anew")
	}
	u.o.Switchboard.Pictured(key.in)
	return t, nil
}

// sightChanged is told, on the screen's goroutine, how its page is connected.
func (u *Upgrades) sightChanged(key sightKey, t *sight, s webrtc.State) {
	if s == webrtc.StateGone {
		u.mu.Lock()
		if u.sights[key] == t {
			delete(u.sights, key)
		}
		u.mu.Unlock()
		t.screen.Close() // it gives back what it has, and does not wait
	}
	u.o.Switchboard.Pictured(key.in)
}

// endSight ends one, if it is the one there is.
func (u *Upgrades) endSight(key sightKey, t *sight) {
	u.mu.Lock()
	if u.sights[key] == t {
		delete(u.sights, key)
	}
	u.mu.Unlock()
	u.o.Switchboard.Pictured(key.in)
	t.screen.Close()
}

// reviewSights holds what staff may show and see against who takes part in a talk, and how.
// It does not wait.
func (u *Upgrades) reviewSights(t phone.Talk) {
	roles := map[string]tandem.Role{t.Agent: tandem.RoleAgent}
	for _, p := range t.Parties {
		if p.Name != "" && p.State != phone.StateRinging {
			roles[p.Name] = p.Role
		}
	}
	var after []func()
	u.mu.Lock()
	for key, at := range u.sights {
		role, in := roles[key.who]
		switch {
		case key.in != t.Interaction || u.ctx == nil:
		case !in || t.Over:
			delete(u.sights, key)
			u.going.Go(at.screen.Close)
		case role != at.role:
			if shows(at.role) != shows(role) {
				after = append(after, func() {
					at.screen.Allow(shows(role), shows(role))
					u.o.Switchboard.Pictured(key.in)
				})
			}
			at.role = role
		}
	}
	u.mu.Unlock()
	for _, do := range after {
		do()
	}
}

// endSights ends all of an interaction.
func (u *Upgrades) endSights(in tandem.InteractionID) {
	u.mu.Lock()
	var all []*sight
	for key, t := range u.sights {
		if key.in == in || in == "" {
			all = append(all, t)
			delete(u.sights, key)
		}
	}
	u.mu.Unlock()
	for _, t := range all {
		t.screen.Close()
	}
}

func (u *Upgrades) closeSights() { u.endSights("") }

// sightOf is by what one of the staff shows and sees.
func (u *Upgrades) sightOf(in tandem.InteractionID, who string) (phone.Screen, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.sights[sightKey{in, who}]
	if t == nil {
		return phone.Screen{}, false
	}
	return phone.Screen{Camera: t.screen.Camera(), Display: t.screen.Display(), Eyes: t.screen}, true
}

// sightsLive reports whether some camera, and some screen, of the staff comes.
func (u *Upgrades) sightsLive(in tandem.InteractionID) (camera, display bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for key, t := range u.sights {
		if key.in == in {
			camera = camera || t.screen.Camera().Live()
			display = display || t.screen.Display().Live()
		}
	}
	return camera, display
}

// Camera is by what an interaction's customer shows themselves; false if they do not.
func (u *Upgrades) Camera(in tandem.InteractionID) (*video.Source, bool) {
	x := u.find(in)
	if x == nil {
		return nil, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.screen == nil {
		return nil, false
	}
	return x.screen.Camera(), true
}
