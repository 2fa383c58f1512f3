package app

import (
	"context"

	"tandem"
	"tandem/bridge/upgrade"
	"tandem/media/webrtc"
	"tandem/web/desk/duty"
	desklive "tandem/web/desk/live"
	"tandem/web/desk/view"
)

// staffFaces is voice and pictures as agents have them.
type staffFaces struct{ a *App }

var _ duty.Faces = staffFaces{}

// Upgrades are those that go on.
func (s staffFaces) Upgrades() []view.Upgrade {
	all := s.a.faces.upgrades.All()
	out := s.a.faces.allSent()
	for _, u := range all {
		out = append(out, deskView(u))
	}
	return out
}

// WatchUpgrades tells of each change.
func (s staffFaces) WatchUpgrades(do func(view.Upgrade)) (stop func()) {
	unsent, end := s.a.faces.watchSent(do), s.a.faces.upgrades.Watch(func(u upgrade.Upgrade) { do(deskView(u)) })
	return func() { unsent(); end() }
}

// deskView is an upgrade as agents see it.
func deskView(u upgrade.Upgrade) view.Upgrade {
	v := view.Upgrade{
		ID: u.ID, Task: u.Task, Interaction: u.Interaction, State: string(u.State), By: u.By, Level: u.Level, Agreed: u.Agreed, Now: u.Now, Why: u.Why,
		Fallen: u.Fallen, Pictures: u.Pictures, Kept: u.Kept, Until: u.Until, Check: u.Check, Who: []view.Seer{},
	}
	for _, p := range u.Who {
		v.Who = append(v.Who, view.Seer{Name: p.Name, Role: p.Role, Leg: p.Leg, Muted: p.Muted})
	}
	return v
}

// Upgrade does what the agent of a task wants. Of a caller who has no page the link of one is
// sent first, and the pictures are asked for there.
func (s staffFaces) Upgrade(ctx context.Context, agent string, t tandem.Task, o desklive.UpgradeOrder) (view.Upgrade, error) {
	u := s.a.faces.upgrades
	var is upgrade.Upgrade
	var err error
	switch o.Do {
	case "ask":
		ask := upgrade.Ask{Interaction: t.Interaction, Task: t.ID, By: agent, Level: o.Level, Why: o.Why}
		if k, ok := s.a.faces.checks.Of(t.Interaction); ok && o.Level == tandem.LevelVideo {
			ask.Check, ask.Record = k.ID, k.Policy.Record
		}
		c, failed := s.a.facedCustomer(ctx, t.Interaction)
		switch {
		case failed != nil:
			err = failed
		case c.Call && !c.Page && o.Level == tandem.LevelVideo:
			if err = s.a.sendScreen(ctx, t, ask); err == nil {
				now := s.a.now()
				return view.Upgrade{Task: t.ID, Interaction: t.Interaction, State: "sent", By: agent, Level: o.Level, Why: o.Why, Pictures: true, Until: now.Add(screenTime), Who: []view.Seer{}}, nil
			}
		default:
			is, err = u.Ask(ctx, ask)
		}
	case "approve", "deny":
		present, _ := u.Of(t.Interaction)
		is, err = u.Approve(ctx, agent, present.ID, o.Do == "approve")
	case "change":
		is, err = u.Change(ctx, t.Interaction, agent, "", o.Level, "")
	case "end":
		var ok bool
		if is, ok = u.Of(t.Interaction); !ok {
			if ok, err = s.a.takeBack(ctx, t.Interaction, agent); ok {
				break
			}
		}
		err = u.End(ctx, t.Interaction, agent, "")
	}
	return deskView(is), err
}

// Screen takes what a page of somebody signals of its pictures.
func (s staffFaces) Screen(ctx context.Context, who string, _ tandem.Role, in tandem.InteractionID, page string, sig webrtc.Signal) error {
	return s.a.faces.upgrades.Sight(ctx, who, in, page, sig)
}

// Invite makes a link by which one person may join.
func (s staffFaces) Invite(ctx context.Context, agent string, t tandem.Task, role tandem.Role) (view.RoleLink, error) {
	l, err := s.a.faces.upgrades.Invite(ctx, agent, t.Interaction, role, 0)
	if err != nil {
		return view.RoleLink{}, err
	}
	v := s.a.roleView(l)
	v.URL = s.a.cfg.HTTP.StaffAddress() + "/desk#join=" + l.Token
	return v, nil
}

// roleView is a role link as its agent sees it.
func (a *App) roleView(l upgrade.RoleLink) view.RoleLink {
	v := view.RoleLink{ID: l.ID, Role: l.Role, By: l.By, State: "made", UsedBy: l.UsedBy, Expires: l.Expires}
	switch {
	case !l.Used.IsZero():
		v.State = "used"
	case !l.Revoked.IsZero():
		v.State = "revoked"
	case !a.now().Before(l.Expires):
		v.State = "expired"
	}
	return v
}

// Revoke makes a link void.
func (s staffFaces) Revoke(ctx context.Context, agent string, t tandem.Task, id string) error {
	if err := s.a.faces.upgrades.Revoke(ctx, agent, t.Interaction, id); err != nil {
		return err
	}
	s.told(ctx, t.Interaction, id)
	return nil
}

// told tells the agent of a task what became of a link.
func (s staffFaces) told(ctx context.Context, in tandem.InteractionID, id string) {
	all, err := s.a.faces.upgrades.Links(ctx, in)
	if err != nil {
		s.a.log.Warn("an agent was not told of a link of theirs", "interaction", in, "error", err)
	}
	for _, l := range all {
		if l.ID == id {
			s.a.desk.RoleLink(l.Task, s.a.roleView(l))
		}
	}
}

// Look tells of a link before it is used.
func (s staffFaces) Look(ctx context.Context, token string) (view.RoleLook, error) {
	l, err := s.a.faces.upgrades.Look(ctx, token)
	if err != nil {
		return view.RoleLook{}, err
	}
	v := view.RoleLook{From: l.By, Display: s.a.agentName(ctx, l.By), Role: l.Role, Expires: l.Expires}
	if t, ok := s.a.line.Task(l.Task); ok {
		v.Queue = t.Queue
	}
	if story, err := s.a.store.Interaction(ctx, string(l.Interaction)); err == nil {
		v.Number = story.Interaction.Number
	}
	return v, nil
}

// Join uses one.
func (s staffFaces) Join(ctx context.Context, who, token string) (view.Joined, error) {
	l, err := s.a.faces.upgrades.Use(ctx, who, token)
	if err != nil {
		return view.Joined{}, err
	}
	s.told(context.WithoutCancel(ctx), l.Interaction, l.ID)
	return view.Joined{Interaction: l.Interaction, Task: l.Task, Role: l.Role}, nil
}

// Gone is told that the last of somebody's sockets is closed: their seat, whose going ends
// their pictures too, sees to that.
func (s staffFaces) Gone(string) {}
