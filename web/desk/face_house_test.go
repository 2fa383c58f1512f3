package desk

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/media/webrtc"
	"tandem/store"
	"tandem/web/desk/duty"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
)

// faces play voice and pictures, role links and identity checks; they keep what they were
// asked with others.
type faces struct {
	h *house

	mu       sync.Mutex
	upgrades map[tandem.InteractionID]view.Upgrade
	checks   map[tandem.CheckID]view.Check
	links    map[string]view.RoleLink // by token; those that open something
	told     []func(view.Upgrade)
	shown    []func(view.Check)
}

func newFaces(h *house) *faces {
	return &faces{h: h, upgrades: map[tandem.InteractionID]view.Upgrade{}, checks: map[tandem.CheckID]view.Check{}, links: map[string]view.RoleLink{}}
}

var (
	_ duty.Faces  = (*faces)(nil)
	_ duty.Checks = (*faces)(nil)
)

// is has an upgrade be as it is said, and tells it.
func (f *faces) is(u view.Upgrade) {
	f.mu.Lock()
	if u.Over() {
		delete(f.upgrades, u.Interaction)
	} else {
		f.upgrades[u.Interaction] = u
	}
	told := slices.Clone(f.told)
	f.mu.Unlock()
	for _, do := range told {
		do(u)
	}
}

// stands has a check be as it is said, and tells it.
func (f *faces) stands(k view.Check) {
	f.mu.Lock()
	f.checks[k.ID] = k
	shown := slices.Clone(f.shown)
	f.mu.Unlock()
	for _, do := range shown {
		do(k)
	}
}

func (f *faces) Upgrades() []view.Upgrade {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Values(f.upgrades))
}

func (f *faces) Checks() (all []view.Check) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.checks {
		if !k.Over() {
			all = append(all, k)
		}
	}
	return all
}

func (f *faces) WatchUpgrades(do func(view.Upgrade)) (stop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, do)
	return func() {}
}

func (f *faces) WatchChecks(do func(view.Check)) (stop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown = append(f.shown, do)
	return func() {}
}

func (f *faces) Gone(string) {}

func (f *faces) Upgrade(_ context.Context, agent string, t tandem.Task, o live.UpgradeOrder) (view.Upgrade, error) {
	f.h.others.note(agent+":", "upgrade", o.Do, string(o.Level), o.Why)
	u := upgraded(t, "asked")
	f.is(u)
	return u, nil
}

// upgraded is an upgrade of a task.
func upgraded(t tandem.Task, state string) view.Upgrade {
	return view.Upgrade{ID: "01h00000000000000000000001", Task: t.ID, Interaction: t.Interaction, State: state, By: t.Agent, Level: tandem.LevelVideo, Who: []view.Seer{{Name: t.Agent, Role: tandem.RoleAgent}}}
}

func (f *faces) Screen(_ context.Context, who string, role tandem.Role, in tandem.InteractionID, page string, s webrtc.Signal) error {
	f.h.others.note(who+":", "screen", string(role), page, s.Kind)
	if s.Kind == webrtc.KindOffer {
		f.h.desk.Screen(who, in, page, webrtc.Signal{Kind: webrtc.KindAnswer, SDP: "v=0"})
	}
	return nil
}

func (f *faces) Invite(_ context.Context, agent string, t tandem.Task, role tandem.Role) (view.RoleLink, error) {
	f.h.others.note(agent+":", "invite", string(role))
	l := view.RoleLink{ID: string(tandem.NewID[tandem.TaskID](f.h.clock.Now(), f.h.random)), Role: role, By: agent, State: "made", Expires: f.h.clock.Now().Add(10 * time.Minute).UTC()}
	l.URL = "https://desk.example/desk#join=" + l.ID
	f.mu.Lock()
	f.links[l.ID] = l
	f.mu.Unlock()
	f.h.desk.RoleLink(t.ID, l)
	return l, nil
}

func (f *faces) Revoke(_ context.Context, agent string, t tandem.Task, link string) error {
	f.h.others.note(agent+":", "revoke")
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.links[link]; !ok {
		return tandem.Errorf(tandem.CodeNotFound, "there is no such link")
	}
	delete(f.links, link)
	return nil
}

// use is a link that holds now.
func (f *faces) use(token string, up bool) (view.RoleLink, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, ok := f.links[token]
	if !ok || f.h.clock.Now().After(l.Expires) {
		return l, store.ErrNotFound
	}
	if up {
		delete(f.links, token)
	}
	return l, nil
}

func (f *faces) Look(_ context.Context, token string) (view.RoleLook, error) {
	l, err := f.use(token, false)
	return view.RoleLook{From: l.By, Role: l.Role, Queue: "cards", Expires: l.Expires}, err
}

func (f *faces) Join(_ context.Context, who, token string) (view.Joined, error) {
	l, err := f.use(token, true)
	if err == nil {
		f.h.others.note(who+":", "join", string(l.Role))
	}
	return view.Joined{Interaction: "01h00000000000000000000003", Role: l.Role}, err
}

func (f *faces) Policies() []view.CheckPolicy {
	return []view.CheckPolicy{{Name: "face", Title: map[string]string{"en": "Face"}, Level: "proofed", Steps: []view.CheckStep{{Name: "front", Kind: "document", Stills: []view.CheckStill{}}}}}
}

func (f *faces) Begin(_ context.Context, agent string, t tandem.Task, policy string) (view.Check, error) {
	f.h.others.note(agent+":", "check begin", policy)
	k := checking(f.h, t)
	f.stands(k)
	return k, nil
}

// checking is a check of a task.
func checking(h *house, t tandem.Task) view.Check {
	return view.Check{ID: tandem.NewID[tandem.CheckID](h.clock.Now(), h.random), Interaction: t.Interaction, Task: t.ID, Policy: "face", State: "running", Round: 1, Officer: t.Agent, Level: "proofed",
		Steps: []view.CheckStep{{Name: "front", Kind: "document", State: "present", Stills: []view.CheckStill{}}}, Begun: h.clock.Now().UTC(), Interruption: 5}
}

func (f *faces) Do(_ context.Context, officer string, o live.CheckOrder) (view.Check, error) {
	f.h.others.note(officer+":", "check", o.Do, o.Step, o.Outcome, strings.Join(o.Reasons, "+"))
	return f.find(o.Check)
}

func (f *faces) Second(_ context.Context, officer string, id tandem.CheckID, agree bool, why string) (view.Check, error) {
	f.h.others.note(officer+":", "second", map[bool]string{true: "yes", false: "no"}[agree])
	return f.find(id)
}

func (f *faces) find(id tandem.CheckID) (view.Check, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.checks[id]
	if !ok {
		return k, store.ErrNotFound
	}
	return k, nil
}

func (f *faces) Find(_ context.Context, id tandem.CheckID) (view.Check, error) { return f.find(id) }

func (f *faces) List(_ context.Context, in tandem.InteractionID, state string, limit int) (all []view.Check, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.checks {
		if (in == "" || k.Interaction == in) && (state == "" || k.State == state) {
			all = append(all, k)
		}
	}
	return all, nil
}

// still keeps a picture as evidence of a check, which has it from then.
func (h *house) still(k *view.Check) tandem.BlobID {
	h.Helper()
	ref := h.object(k.Interaction, "image/png", []byte("\x89PNG\r\n\x1a\nnot much of a picture"))
	k.Steps[0].Stills = append(k.Steps[0].Stills, view.CheckStill{Blob: ref, Source: "server", MediaType: "image/png", Width: 640, Height: 480, At: h.clock.Now().UTC(), Round: 1})
	h.faces.stands(*k)
	return ref
}

// object keeps something of an interaction.
func (h *house) object(in tandem.InteractionID, mediaType string, data []byte, events ...func(tandem.BlobID) tandem.Event) tandem.BlobID {
	h.Helper()
	w, err := h.place.Blobs.Create(in, mediaType)
	h.must(err)
	_, err = w.Write(data)
	h.must(err)
	ref, err := w.Commit()
	h.must(err)
	c := &store.Change{Blobs: []store.BlobRef{ref}}
	for _, e := range events {
		c.Events = append(c.Events, e(ref.ID))
	}
	h.must(h.db.Commit(h.Context(), c))
	return ref.ID
}

// beside makes a chat of an interaction that has a call.
func (h *house) beside(in tandem.InteractionID) {
	h.Helper()
	now := h.clock.Now()
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, h.random), Interaction: in, Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer, Started: now}
	c := chat.Conversation{Channel: tandem.Chat, Entry: "chat:bank", Interaction: in, Leg: leg.ID, Lang: "en"}
	h.must(h.db.Commit(h.Context(), &store.Change{Legs: []tandem.Leg{leg}, With: func(tx store.Tx) error { return h.book.Create(tx, &c) }}))
}
