package phone

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/bridge/route"
	"tandem/media"
	"tandem/media/video"
	"tandem/store"
)

// chatting has anna have a chat, and sit at her desk.
func (d *desk) chatting() (c *customer, anna *browser) {
	d.t.Helper()
	c, anna = d.waits(), d.sit("anna", agentHz)
	t := task(tandem.TaskChat, "anna")
	t.State = tandem.TaskAssigned
	d.house.line.mu.Lock()
	d.house.line.task = t
	d.house.line.mu.Unlock()
	return c, anna
}

// speaking has the chat's customer speak with her.
func (d *desk) speaking() (c *customer, anna *browser) {
	d.t.Helper()
	c, anna = d.chatting()
	if err := d.Join(d.t.Context(), "t1", c); err != nil {
		d.t.Fatal(err)
	}
	return c, anna
}

func (d *desk) why(want string) {
	d.t.Helper()
	d.sees("the end", func() bool { return d.last().Over })
	d.mu.Lock()
	defer d.mu.Unlock()
	if is := d.last(); is.Why != want {
		d.t.Errorf("the talk ended by %q, not %q", is.Why, want)
	}
}

// A chat gains voice and loses it, whoever ends that: its task stays what it is.
func TestChatIsJoined(t *testing.T) {
	for name, c := range map[string]struct {
		end func(d *desk, c *customer)
		why string
	}{
		"the customer ends it": {func(_ *desk, c *customer) { c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)) }, "customer"},
		"the agent ends it":    {func(d *desk, _ *customer) { d.do("anna", Command{Do: Leave}) }, "left"},
		"the task is done": {func(d *desk, _ *customer) {
			d.house.line.tell(route.TaskReleased{Task: task(tandem.TaskChat, "anna"), Agent: "anna", Fence: 7, Why: "done"})
		}, "taken"},
		"the task moves to the telephone": {func(d *desk, _ *customer) {
			t := task(tandem.TaskCall, "anna")
			t.State = tandem.TaskAssigned
			d.house.line.tell(route.TaskChanged{Task: t, Why: "moved"})
		}, "taken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			caller, anna := d.speaking()
			caller.hears(t, agentHz)
			anna.hears(t, callerHz)
			if is, ok := d.TalkOf("i1"); !ok || is.Task != "t1" || is.Agent != "anna" || len(is.Parties) != 2 {
				t.Errorf("the talk is %+v", is)
			}
			changed := task(tandem.TaskChat, "anna")
			changed.State = tandem.TaskAssigned
			d.house.line.tell(route.TaskChanged{Task: changed, Why: "priority"}) // what else changes of a chat is nothing to it
			d.do("anna", Command{Do: Hold})
			caller.hears(t, musicHz)
			d.do("anna", Command{Do: Resume})
			caller.hears(t, agentHz)
			c.end(d, caller)
			d.why(c.why)
			d.idle()
			d.lineTold("consulted anna true", "consulted anna false")
			if story := caller.story(); story != "joined, parted" {
				t.Errorf("the customer was told %q", story)
			}
			if err := d.Ready("anna"); err != nil {
				t.Errorf("she cannot speak any more: %v", err)
			}
		})
	}
}

// What was ended can begin anew at once.
func TestChatIsJoinedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	first, anna := d.speaking()
	anna.hears(t, callerHz)
	d.do("anna", Command{Do: Leave})
	first.until(t, "parted")
	d.idle()
	c := d.waits()
	if err := d.Join(t.Context(), "t1", c); err != nil {
		t.Fatal(err)
	}
	c.hears(t, agentHz)
	if err := d.Join(t.Context(), "t1", d.waits()); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("a second talk beside it: %v", err)
	}
	d.do("anna", Command{Do: Leave})
	d.idle()
}

func TestChatCannotBeJoined(t *testing.T) {
	for name, spoil := range map[string]func(d *desk, t *tandem.Task){
		"nobody has it":   func(_ *desk, t *tandem.Task) { t.State = tandem.TaskWaiting },
		"it is a call":    func(_ *desk, t *tandem.Task) { t.Kind = tandem.TaskCall },
		"it is a ticket":  func(_ *desk, t *tandem.Task) { t.Kind = tandem.TaskTicket },
		"no microphone":   func(_ *desk, t *tandem.Task) { t.Agent = "ben" },
		"another talk":    func(d *desk, _ *tandem.Task) { d.house.sitOn("anna", &talk{kick: make(chan struct{}, 1)}) },
		"the store fails": func(d *desk, _ *tandem.Task) { d.books.mu.Lock(); d.books.down = true; d.books.mu.Unlock() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			c, _ := d.chatting()
			d.house.line.mu.Lock()
			spoil(d, &d.house.line.task)
			d.house.line.mu.Unlock()
			err := d.Join(t.Context(), "t1", c)
			if code := tandem.CodeOf(err); code != tandem.CodeConflict && code != tandem.CodeUnavailable {
				t.Errorf("joining: %v", err)
			}
			d.idle()
			if _, up := d.TalkOf("i1"); up || c.story() != "" {
				t.Errorf("there is a talk, or the customer was told %q", c.story())
			}
		})
	}
}

// Within the talk of a chat it is handed on as a call is, and nobody inherits it by chance.
func TestChatIsHandedOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, _ := d.speaking()
	ben := d.consulted()
	d.do("anna", Command{Do: Merge})
	d.do("anna", Command{Do: Complete})
	c.hears(t, benHz)
	ben.hears(t, callerHz)
	if is, _ := d.TalkOf("i1"); is.Agent != "ben" || is.Over {
		t.Errorf("the talk is %+v", is)
	}
	d.do("ben", Command{Do: Leave})
	d.why("left")
	d.idle()
	d.lineTold("consulted anna true", "consulted ben true", "reassign anna to ben", "consulted anna false", "consulted ben false")
}

func TestChatHasNoHeir(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, _ := d.speaking()
	ben := d.consulted()
	d.do("anna", Command{Do: Merge})
	mixed(t, ben.phone, callerHz, agentHz)
	d.do("anna", Command{Do: Leave})
	d.why("left")
	c.until(t, "parted")
	d.idle()
	if log := d.line.wasTold(); slices.Contains(log, "reassign anna to ben") {
		t.Errorf("the chat went to ben as anna ended the talk: %q", log)
	}
}

// Who comes by a role link speaks, or listens, and can do nothing else; they inherit nothing.
func TestGuests(t *testing.T) {
	for _, role := range []tandem.Role{tandem.RoleSpecialist, tandem.RoleListener} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			c, anna := d.speaking()
			ben := d.sit("ben", benHz)
			if err := d.Enter(t.Context(), "i1", "ben", role); err != nil {
				t.Fatal(err)
			}
			mixed(t, ben.phone, callerHz, agentHz)
			if role == tandem.RoleSpecialist {
				mixed(t, c.phone, agentHz, benHz)
			} else if got := heardBy(c.phone, benHz); len(got) > 0 {
				t.Errorf("a listener is heard: %v", got)
			}
			if is, _ := d.TalkOf("i1"); len(is.Seen("anna", false).Parties) != 3 || !is.Parties[2].Guest {
				t.Errorf("the talk is %+v", is)
			}
			customerLeg := tandem.LegID("caller")
			for _, do := range []Command{
				{Do: Hold}, {Do: Hold, Leg: customerLeg}, {Do: Resume}, {Do: Keys, Keys: "1"}, {Do: Consult, To: Target{Agent: "tel"}}, {Do: Swap}, {Do: Merge}, {Do: Complete}, {Do: Drop},
				{Do: Mute, Leg: customerLeg}, {Do: "assign"},
			} {
				d.refuses("ben", do, tandem.CodeForbidden)
			}
			d.refuses("ben", Command{Do: Remove, Leg: customerLeg}, tandem.CodeInvalid)
			for _, do := range []Doing{Listen, Whisper, Barge} {
				d.refuses("ben", Command{Do: do, Why: "I like to"}, tandem.CodeNotFound)
			}
			d.refuses("anna", Command{Do: Complete}, tandem.CodeConflict)
			if err := d.Enter(t.Context(), "i1", "ben", role); tandem.CodeOf(err) != tandem.CodeConflict {
				t.Errorf("entering twice: %v", err)
			}
			d.do("ben", Command{Do: Mute})
			mixed(t, c.phone, agentHz)
			d.Expel("i1", "anna") // she is no guest
			d.Expel("i1", "ben")
			d.sees("ben gone", func() bool { return len(d.last().Parties) == 2 })
			anna.hears(t, callerHz)
			d.refuses("ben", Command{Do: Mute}, tandem.CodeNotFound)
			if err := d.Enter(t.Context(), "i1", "ben", role); err != nil {
				t.Fatal(err)
			}
			d.do("anna", Command{Do: Leave})
			d.why("left")
			d.idle()
			d.lineTold("consulted anna true", "consulted ben true", "consulted ben false", "consulted ben true", "consulted anna false", "consulted ben false")
		})
	}
}

// Guests of a call do not inherit it either: its customer is back in line.
func TestGuestOfACall(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	_, _ = d.talking()
	d.sit("ben", benHz)
	if err := d.Enter(t.Context(), "i1", "ben", tandem.RoleSpecialist); err != nil {
		t.Fatal(err)
	}
	d.do("anna", Command{Do: Leave})
	d.idle()
	d.lineTold("consulted ben true", "consulted ben false", "release done over served")
}

func TestNobodyToEnter(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.sit("ben", benHz)
	for _, role := range []tandem.Role{tandem.RoleSpecialist, tandem.RoleAgent, tandem.RoleCustomer, tandem.RoleWhisperer, ""} {
		want := tandem.CodeInvalid
		if role == tandem.RoleSpecialist {
			want = tandem.CodeConflict
		}
		if err := d.Enter(t.Context(), "i1", "ben", role); tandem.CodeOf(err) != want {
			t.Errorf("as %q: %v", role, err)
		}
	}
	d.Expel("i1", "ben")
}

// taping notes what is to be recorded.
type taping struct {
	d      *desk
	story  []string
	not    bool // nothing is to be recorded
	screen map[tandem.LegID]func() (*video.Source, *video.Source)
}

func (x *taping) Begin(_ tandem.InteractionID, leg tandem.LegID, _ *media.Stream, screen func() (*video.Source, *video.Source)) (is bool) {
	x.d.note(func() {
		if is = !x.not; is {
			x.story = append(x.story, "begin "+string(leg))
			x.screen[leg] = screen
		}
	})
	return is
}

func (x *taping) Pictured(leg tandem.LegID) {
	x.d.note(func() { x.story = append(x.story, "pictured "+string(leg)) })
}

func (x *taping) Pause(leg tandem.LegID, on bool) {
	x.d.note(func() { x.story = append(x.story, fmt.Sprint("pause ", leg, " ", on)) })
}

func (x *taping) End(leg tandem.LegID, _ *store.Change) {
	x.d.note(func() { x.story = append(x.story, "end "+string(leg)) })
}

// eyes note what is shown to somebody.
type eyes struct {
	d    *desk
	sees string
}

func (e *eyes) Show(shown []video.Shown) {
	var ids []string
	for _, s := range shown {
		ids = append(ids, s.ID)
	}
	e.d.note(func() { e.sees = strings.Join(ids, " ") })
}

// Pictures go with the talk: who has them is asked as somebody comes and when it is told that
// they may be others; recordings are told of them, and paused with secrets.
func TestPicturesOfATalk(t *testing.T) {
	t.Parallel()
	tapes := &taping{screen: map[tandem.LegID]func() (*video.Source, *video.Source){}}
	screens := map[string]Screen{}
	d := newDesk(t, func(d *desk, o *Options) {
		tapes.d = d
		o.Tracks = tapes
		o.Screen = func(in tandem.InteractionID, leg tandem.LegID, name string) (Screen, bool) {
			d.mu.Lock()
			defer d.mu.Unlock()
			if name == "" {
				name = string(leg)
			}
			s, ok := screens[name]
			return s, ok && in == "i1"
		}
	})
	source := func(id string) *video.Source {
		s := video.NewSource(video.SourceOptions{ID: id, Layers: 1})
		s.Allow(true)
		t.Cleanup(s.Close)
		return s
	}
	theirs, hers := &eyes{d: d}, &eyes{d: d}
	camera := source("camera")
	_, anna := d.speaking()
	anna.hears(t, callerHz)
	is, _ := d.TalkOf("i1")
	agent := string(is.Parties[0].Leg)
	d.sees("both are taped", func() bool {
		return slices.Contains(tapes.story, "begin caller") && slices.Contains(tapes.story, "begin "+agent)
	})
	if c, _ := tapes.screen["caller"](); c != nil {
		t.Error("there are pictures before there are any")
	}
	d.note(func() {
		screens["caller"] = Screen{Camera: camera, Eyes: theirs}
		screens["anna"] = Screen{Camera: source("hers"), Display: source("display"), Eyes: hers}
	})
	d.Pictured("i1")
	d.sees("the recording is told", func() bool {
		return slices.Contains(tapes.story, "pictured caller") && slices.Contains(tapes.story, "pictured "+agent)
	})
	d.sees("they see each other", func() bool { return hers.sees == "caller:camera" && theirs.sees == agent+":display "+agent+":camera" })
	if c, _ := tapes.screen["caller"](); c != camera {
		t.Error("the recording has another camera")
	}
	d.Secret("i1", true)
	d.sees("nothing is kept of a secret", func() bool { return slices.Contains(tapes.story, "pause caller true") })
	d.Secret("i1", false)
	d.do("anna", Command{Do: Hold})
	d.sees("who is held sees nothing and is not seen", func() bool { return hers.sees == "" && theirs.sees == "" })
	d.do("anna", Command{Do: Resume})
	d.sees("they see each other again", func() bool { return hers.sees == "caller:camera" })
	d.note(func() { delete(screens, "caller") })
	d.Pictured("i1")
	d.sees("nothing any more", func() bool { return hers.sees == "" })
	d.do("anna", Command{Do: Leave})
	d.idle()
	d.sees("the tapes end", func() bool {
		return slices.Contains(tapes.story, "end caller") && slices.Contains(tapes.story, "end "+agent)
	})
}

// A caller is recorded by their call; once they show themselves, beside it.
func TestPicturesOfACall(t *testing.T) {
	t.Parallel()
	tapes := &taping{screen: map[tandem.LegID]func() (*video.Source, *video.Source){}}
	on := false
	camera := video.NewSource(video.SourceOptions{ID: "camera", Layers: 1})
	t.Cleanup(camera.Close)
	d := newDesk(t, func(d *desk, o *Options) {
		tapes.d = d
		o.Tracks = tapes
		o.Screen = func(_ tandem.InteractionID, leg tandem.LegID, _ string) (Screen, bool) {
			d.mu.Lock()
			defer d.mu.Unlock()
			return Screen{Camera: camera}, on && leg == "caller"
		}
	})
	c, _ := d.talking()
	d.mu.Lock()
	if slices.Contains(tapes.story, "begin caller") {
		t.Error("a caller who shows nothing is recorded twice")
	}
	d.mu.Unlock()
	d.note(func() { on = true })
	d.Pictured("i1")
	d.sees("they are taped", func() bool { return slices.Contains(tapes.story, "begin caller") })
	c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	d.idle()
}

// A talk that is not recorded becomes one that is, though nobody shows anything else than
// before: each who speaks is recorded from then on.
func TestATalkBecomesRecorded(t *testing.T) {
	t.Parallel()
	tapes := &taping{not: true, screen: map[tandem.LegID]func() (*video.Source, *video.Source){}}
	d := newDesk(t, func(d *desk, o *Options) { tapes.d, o.Tracks = d, tapes })
	_, anna := d.speaking()
	anna.hears(t, callerHz)
	is, _ := d.TalkOf("i1")
	agent := string(is.Parties[0].Leg)
	d.Pictured("i1")
	d.note(func() {
		if len(tapes.story) > 0 {
			t.Errorf("recorded: %v", tapes.story)
		}
		tapes.not = false
	})
	d.Pictured("i1")
	d.sees("both are recorded", func() bool {
		return slices.Contains(tapes.story, "begin caller") && slices.Contains(tapes.story, "begin "+agent)
	})
	d.do("anna", Command{Do: Leave})
	d.idle()
	d.sees("both end", func() bool {
		return slices.Contains(tapes.story, "end caller") && slices.Contains(tapes.story, "end "+agent)
	})
}
