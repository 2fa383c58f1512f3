package live

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media/webrtc"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// Facing is voice and pictures beside texts and calls, and identity checks: what the desk's
// socket asks of them. web/desk/duty has it, which looks at who may what.
type Facing interface {
	Upgrade(ctx context.Context, c login.Caller, id tandem.TaskID, o UpgradeOrder) (view.Upgrade, error)
	Screen(ctx context.Context, c login.Caller, in tandem.InteractionID, page string, s webrtc.Signal) error
	Check(ctx context.Context, c login.Caller, o CheckOrder) (view.Check, error)
	InviteLink(ctx context.Context, c login.Caller, id tandem.TaskID, role tandem.Role) (view.RoleLink, error)
	RevokeLink(ctx context.Context, c login.Caller, id tandem.TaskID, link string) error
	Join(ctx context.Context, c login.Caller, token string) (view.Joined, error)
}

// Faces tells of upgrades and checks as they go; internal/app. What is watched is told at
// once, and in its order. nil = there are none.
type Faces interface {
	Upgrades() []view.Upgrade // that are not over
	WatchUpgrades(do func(view.Upgrade)) (stop func())
	Checks() []view.Check // that are not over
	WatchChecks(do func(view.Check)) (stop func())
	// Gone is told that the last of somebody's sockets is closed. It does not wait.
	Gone(who string)
}

// UpgradeOrder is what an agent wants of an upgrade.
type UpgradeOrder struct {
	Do    string       `json:"do" answer:"needed"` // ask, approve, deny, change, end
	Level tandem.Level `json:"level"`
	Why   string       `json:"why"`
}

// CheckOrder is what an officer wants of an identity check.
type CheckOrder struct {
	Task    tandem.TaskID  `json:"task"`   // of begin
	Policy  string         `json:"policy"` // of begin; "" = the one that there is
	Check   tandem.CheckID `json:"check"`
	Do      string         `json:"do" answer:"needed"` // begin, capture, done, fail, skip, restart, second_face, resend_code, decide, abort, second
	Step    string         `json:"step"`
	Said    map[string]any `json:"said"`
	Why     string         `json:"why"`
	Outcome string         `json:"outcome"`
	Reasons []string       `json:"reasons"`
	Agree   *bool          `json:"agree"` // of second
}

type (
	upgradeFrame struct {
		T           string               `json:"t"`
		N           uint64               `json:"n"`
		Task        tandem.TaskID        `json:"task,omitempty"`
		Interaction tandem.InteractionID `json:"interaction"`
		Upgrade     *view.Upgrade        `json:"upgrade"` // nil once it is none of theirs
	}
	checkFrame struct {
		T           string               `json:"t"`
		N           uint64               `json:"n"`
		Task        tandem.TaskID        `json:"task,omitempty"`
		Interaction tandem.InteractionID `json:"interaction"`
		ID          tandem.CheckID       `json:"id"`
		Check       *view.Check          `json:"check"` // nil once it is none of theirs
	}
	roleLinkFrame struct {
		T    string        `json:"t"`
		N    uint64        `json:"n"`
		Task tandem.TaskID `json:"task"`
		Link view.RoleLink `json:"link"`
	}
	screenFrame struct {
		T           string               `json:"t"`
		Interaction tandem.InteractionID `json:"interaction"`
		Page        string               `json:"page"`
		Signal      webrtc.Signal        `json:"signal"`
	}
)

// faced is what is known of upgrades and checks, and who was told of which: the follower
// writes it, whoever joins reads it.
type faced struct {
	mu       sync.Mutex
	upgrades map[tandem.InteractionID]view.Upgrade
	checks   map[tandem.CheckID]view.Check
	told     map[string]map[string]bool // by what ("u INTERACTION", "c CHECK"), then by name
}

func newFaced() *faced {
	return &faced{upgrades: map[tandem.InteractionID]view.Upgrade{}, checks: map[tandem.CheckID]view.Check{}, told: map[string]map[string]bool{}}
}

// read reads them anew: facts were lost, or none were told yet. Who was told stays, so that
// it can be taken back.
func (d *Floor) readFaces() {
	if d.o.Faces == nil {
		return
	}
	upgrades, checks := d.o.Faces.Upgrades(), d.o.Faces.Checks()
	d.faced.mu.Lock()
	defer d.faced.mu.Unlock()
	clear(d.faced.upgrades)
	clear(d.faced.checks)
	for _, u := range upgrades {
		d.faced.upgrades[u.Interaction] = u
	}
	for _, k := range checks {
		d.faced.checks[k.ID] = k
	}
}

// party is who may know of an interaction's upgrade, and as of which task.
func (d *Floor) party(in tandem.InteractionID) map[string]tandem.TaskID {
	names := map[string]tandem.TaskID{}
	tasks := d.o.Line.Of(in)
	d.heard.mu.Lock()
	defer d.heard.mu.Unlock()
	for _, t := range tasks {
		for name := range d.heard.listeners[t.ID] {
			names[name] = t.ID
		}
	}
	if talk, ok := d.heard.talks[in]; ok {
		for _, p := range talk.Parties {
			if p.Name != "" && p.Role != tandem.RoleCustomer && p.State != phone.StateRinging { // who is rung has not come
				names[p.Name] = talk.Task
			}
		}
	}
	for _, t := range tasks {
		if faces(&t) {
			names[t.Agent] = t.ID
		}
	}
	return names
}

// faces reports whether an agent has the customer of a task before them, or on the line.
func faces(t *tandem.Task) bool {
	return t.State == tandem.TaskAssigned && t.Agent != "" && (t.Kind.Live() || t.Kind.Load() == tandem.LoadVoice)
}

// officers is who may know of a check, and as of which task.
func (d *Floor) officers(k *view.Check) map[string]tandem.TaskID {
	names := map[string]tandem.TaskID{}
	if k.State == "second" {
		for _, name := range k.Seconds {
			names[name] = ""
		}
	}
	for _, t := range d.o.Line.Of(k.Interaction) {
		if faces(&t) {
			names[t.Agent] = t.ID
		}
	}
	return names
}

// tellUpgrade tells an upgrade as it is now.
func (d *Floor) tellUpgrade(u view.Upgrade) {
	d.faced.mu.Lock()
	if u.Over() {
		delete(d.faced.upgrades, u.Interaction)
	} else {
		d.faced.upgrades[u.Interaction] = u
	}
	d.faced.mu.Unlock()
	d.faceUpgrade(&u, true)
}

// faceUpgrade tells an upgrade to those who may know of it, if it changed or they are new to
// it, and takes it back from those who may not any more.
func (d *Floor) faceUpgrade(u *view.Upgrade, changed bool) {
	d.face("u "+string(u.Interaction), d.party(u.Interaction), changed, u.Over(), func(n uint64, task tandem.TaskID, theirs bool) any {
		f := upgradeFrame{T: kindUpgrade, N: n, Task: task, Interaction: u.Interaction}
		if theirs {
			f.Upgrade = u
		}
		return f
	})
	if u.Pictures && !u.Over() { // its page writes beside the call
		d.hearBeside(u.Interaction)
	}
}

// tellCheck is tellUpgrade of a check.
func (d *Floor) tellCheck(k view.Check) {
	d.faced.mu.Lock()
	if k.Over() {
		delete(d.faced.checks, k.ID)
	} else {
		d.faced.checks[k.ID] = k
	}
	d.faced.mu.Unlock()
	d.faceCheck(&k, true)
}

func (d *Floor) faceCheck(k *view.Check, changed bool) {
	d.face("c "+string(k.ID), d.officers(k), changed, k.Over(), func(n uint64, task tandem.TaskID, theirs bool) any {
		f := checkFrame{T: kindCheck, N: n, Task: task, Interaction: k.Interaction, ID: k.ID}
		if theirs {
			f.Check = k
		}
		return f
	})
}

// face tells something to who may know of it, and that it is none of theirs to who may not
// any more. over says that it is told for the last time.
func (d *Floor) face(what string, names map[string]tandem.TaskID, changed, over bool, frame func(n uint64, task tandem.TaskID, theirs bool) any) {
	d.faced.mu.Lock()
	was := d.faced.told[what]
	now := map[string]bool{}
	for name := range names {
		now[name] = true
	}
	if over || len(now) == 0 {
		delete(d.faced.told, what)
	} else {
		d.faced.told[what] = now
	}
	d.faced.mu.Unlock()
	for name := range was {
		if !now[name] {
			d.toAll(name, func(n uint64) any { return frame(n, "", false) })
		}
	}
	for name, task := range names {
		if changed || !was[name] {
			d.toAll(name, func(n uint64) any { return frame(n, task, true) })
		}
	}
}

// toAll tells all feeds of a person something.
func (d *Floor) toAll(name string, frame func(n uint64) any) {
	for _, f := range d.feedsOf(name) {
		f.tell(frame)
	}
}

// lookFaces looks who may know of the upgrade and the checks of an interaction: others have
// its tasks, are in its call, or listen.
func (d *Floor) lookFaces(in tandem.InteractionID) {
	if d.o.Faces == nil || in == "" {
		return
	}
	d.faced.mu.Lock()
	u, up := d.faced.upgrades[in]
	var checks []view.Check
	for _, k := range d.faced.checks {
		if k.Interaction == in {
			checks = append(checks, k)
		}
	}
	d.faced.mu.Unlock()
	if up {
		d.faceUpgrade(&u, false)
	}
	for i := range checks {
		d.faceCheck(&checks[i], false)
	}
}

// lookAllFaces is lookFaces of all, after facts were lost.
func (d *Floor) lookAllFaces() {
	d.faced.mu.Lock()
	all := map[tandem.InteractionID]bool{}
	for in := range d.faced.upgrades {
		all[in] = true
	}
	for _, k := range d.faced.checks {
		all[k.Interaction] = true
	}
	d.faced.mu.Unlock()
	for in := range all {
		d.lookFaces(in)
	}
}

// snapshotFaces queues the upgrades and checks that somebody may know of. f.mu is held.
func (d *Floor) snapshotFaces(f *feed, s *socket) {
	d.faced.mu.Lock()
	upgrades, checks := slices.Collect(maps.Values(d.faced.upgrades)), slices.Collect(maps.Values(d.faced.checks))
	d.faced.mu.Unlock()
	for i := range upgrades {
		u := &upgrades[i]
		if task, theirs := d.party(u.Interaction)[f.name]; theirs {
			s.push(upgradeFrame{kindUpgrade, f.n, task, u.Interaction, u})
		}
	}
	for i := range checks {
		k := &checks[i]
		if task, theirs := d.officers(k)[f.name]; theirs {
			s.push(checkFrame{kindCheck, f.n, task, k.Interaction, k.ID, k})
		}
	}
}

// screen takes what a page tells of its pictures.
func (s *socket) screen(ctx context.Context, c login.Caller, in incoming) error {
	d := s.desk
	switch {
	case !d.o.Work.Speaks(c) || s.feed == nil:
		return tandem.Errorf(tandem.CodeForbidden, "only agents and supervisors see customers here")
	case d.o.Faces == nil:
		return tandem.Errorf(tandem.CodeUnavailable, "there are no pictures here: webrtc.listen is empty")
	case !view.ClientID(in.Page) || !tandem.ValidID(string(in.Interaction)):
		return tandem.Errorf(CodeBad, "say an interaction, and a page of 1 to 64 characters of A-Z a-z 0-9 - _")
	}
	var sig webrtc.Signal
	if json.Unmarshal(in.Signal, &sig) != nil || sig.Kind == "" {
		return tandem.Errorf(CodeBad, "signal is an object with kind")
	}
	if !s.feed.watching(screenKey(in.Interaction, in.Page), s) {
		return tandem.Errorf(tandem.CodeConflict, "too many pages look: close others")
	}
	return d.o.Work.Screen(ctx, c, in.Interaction, in.Page, sig)
}

func screenKey(in tandem.InteractionID, page string) string { return string(in) + " " + page }

// watching notes by which socket a page speaks of its pictures; false if there are too many.
func (f *feed) watching(key string, s *socket) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.screens[key]; !known && len(f.screens) >= maxSeats {
		return false
	}
	f.screens[key] = s
	return true
}

// Screen tells a page something about its pictures; nobody if it has no socket now. It does
// not wait.
func (d *Floor) Screen(who string, in tandem.InteractionID, page string, sig webrtc.Signal) {
	for _, f := range d.feedsOf(who) {
		f.mu.Lock()
		s := f.screens[screenKey(in, page)]
		f.mu.Unlock()
		if s != nil {
			s.push(screenFrame{kindScreen, in, page, sig})
		}
	}
}

// linked is what became of a link by which somebody may join.
type linked struct {
	task tandem.TaskID
	link view.RoleLink
}

// RoleLink has the agent of a task told what became of a link by which somebody may join. It
// does not wait.
func (d *Floor) RoleLink(task tandem.TaskID, l view.RoleLink) {
	l.URL = ""
	d.facts.put(linked{task, l})
}

func (d *Floor) tellRoleLink(l linked) {
	if t, ok := d.o.Line.Task(l.task); ok && t.State == tandem.TaskAssigned {
		d.toFeed(t.Agent, func(n uint64) any { return roleLinkFrame{kindRoleLink, n, t.ID, l.link} })
	}
}

// beside is a chat that stands beside a call now.
type beside struct{ in tandem.InteractionID }

// Beside has those who have the call of an interaction hear the chat that stands beside it
// from now on. It does not wait.
func (d *Floor) Beside(in tandem.InteractionID) { d.facts.put(beside{in}) }

// hearBeside has who has the call of an interaction hear the chat beside it.
func (d *Floor) hearBeside(in tandem.InteractionID) {
	for _, t := range d.o.Line.Of(in) {
		if f := d.feed(t.Agent); f != nil && t.State == tandem.TaskAssigned && t.Kind.Load() == tandem.LoadVoice {
			d.hear(f, t)
		}
	}
}
