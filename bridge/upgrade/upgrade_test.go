package upgrade

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media/webrtc"
)

// Voice and video from asking to the end: what is durable when, and what is told.
func TestWholeUpgrade(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Record = true })
	u := h.ask(seeing)
	if u.State != Asked || u.Level != seeing || u.By != "anna" || u.Why != "to see the card" || !u.Kept || u.Until.IsZero() || len(u.Who) != 1 || u.Who[0].Name != "Anna" {
		t.Errorf("asked: %+v", u)
	}
	if len(h.peers)+len(h.screens) != 0 {
		t.Error("there are connections before anybody has agreed")
	}
	u = h.agree(u, "")
	if u.State != Agreed || u.Agreed != seeing || u.Now != text || u.Page != "p1" || !u.Until.IsZero() {
		t.Errorf("agreed: %+v", u)
	}
	h.peer().becomes(webrtc.StateUp)
	h.carries(voice, "")
	h.screen().becomes(webrtc.StateUp)
	u = h.is("all", func(u Upgrade) bool { return u.Now == seeing })
	if u.State != Up || len(u.Who) != 1 || u.Who[0].Leg != "seat" {
		t.Errorf("up: %+v", u)
	}
	if err := h.End(t.Context(), in1, ByCustomer, ""); err != nil {
		t.Fatal(err)
	}
	u = h.state(Over)
	h.until("it is given back", func() bool { return slices.Contains(h.story, "settle leg.ended") })
	if u.Why != "ended" || u.Now != text {
		t.Errorf("over: %+v", u)
	}
	want := []string{
		"commit upgrade.changed",
		"commit consent voice", "commit consent video", "commit consent recording", "commit upgrade.changed", "commit leg.started", // one change, and before:
		"peer", "screen false false", "allow true false", "pictured", "join", "settle leg.answered", "note upgrade.carried", "note upgrade.carried",
		"screen closed", "settle upgrade.changed", "the talk lets go: hangup", "peer closed", "settle media.figures", "settle leg.ended",
	}
	h.mu.Lock()
	at := 0
	for _, s := range h.story {
		if at < len(want) && s == want[at] {
			at++
		}
	}
	story := slices.Clone(h.story)
	h.mu.Unlock()
	if at < len(want) {
		t.Errorf("after %q no %q: %q", want[:at], want[at], story)
	}
	for _, s := range story[:slices.Index(story, "commit leg.started")] {
		if s == "peer" || strings.HasPrefix(s, "screen") || strings.HasPrefix(s, "allow") {
			t.Errorf("%q comes before consent is durable: %q", s, story)
		}
	}
	if got := h.states(); got != "asked video (to see the card), agreed video, over video (ended)" {
		t.Errorf("the journal: %s", got)
	}
	for _, c := range h.journal(tandem.EventConsent) {
		if !strings.Contains(c, "Anna will see and hear you") || !strings.Contains(c, `"who":["Anna"]`) || !strings.Contains(c, Version) || !strings.Contains(c, "to see the card") {
			t.Errorf("a consent: %s", c)
		}
	}
	if leg := h.legs[u.Leg]; leg.Kind != tandem.LegWebRTC || leg.Role != tandem.RoleCustomer || leg.Answered.IsZero() || leg.Ended.IsZero() {
		t.Errorf("the leg: %+v", leg)
	}
	if _, ok := h.Of(in1); ok {
		t.Error("it is there still")
	}
}

// The store is down as the customer agrees: nothing is made, and they may say so again.
func TestConsentIsDurableFirst(t *testing.T) {
	h := newHouse(t, nil)
	u := h.ask(seeing)
	h.note(func() { h.down = true })
	_, err := h.Answer(t.Context(), in1, u.ID, "p1", true, "", "en", nil)
	failed(t, err, tandem.CodeUnavailable)
	if len(h.peers)+len(h.screens) != 0 {
		t.Error("there are connections without a consent")
	}
	failed(t, h.Signal(t.Context(), in1, "p1", ConnScreen, webrtc.Signal{Kind: webrtc.KindOffer}), tandem.CodeNotFound)
	if now, _ := h.Of(in1); now.State != Asked {
		t.Errorf("it is %s", now.State)
	}
	h.note(func() { h.down = false })
	h.agree(u, voice)
	if h.peer() == nil || len(h.screens) != 0 {
		t.Error("voice was agreed to, and there are pictures, or there is no sound")
	}
}

// A customer who asks themselves has read that nothing is recorded: an agent who asks for the
// same, for a check whose policy records, has it without a recording.
func TestRecordingIsNotAddedToWhatACustomerAsksFor(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Customers = seeing })
	if _, err := h.Ask(t.Context(), Ask{Interaction: in1, By: ByCustomer, Level: seeing, Page: "p1", Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	u, err := h.Ask(t.Context(), Ask{Interaction: in1, By: "anna", Level: seeing, Record: true, Check: "c1"})
	if err != nil || u.State != Agreed || u.Kept || u.Check != "c1" {
		t.Errorf("%+v, %v", u, err)
	}
	for _, c := range h.journal(tandem.EventConsent) {
		if strings.Contains(c, `"kind":"recording"`) {
			t.Errorf("a consent that nobody gave: %s", c)
		}
	}
}

func TestAskIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		set    func(h *house)
		ask    Ask
		change func(*Options)
		code   tandem.Code
	}{
		{"by another agent", nil, Ask{Interaction: in1, By: "ben", Level: voice}, nil, tandem.CodeForbidden},
		{"for nothing", nil, Ask{Interaction: in1, By: "anna"}, nil, tandem.CodeInvalid},
		{"with a long reason", nil, Ask{Interaction: in1, By: "anna", Level: voice, Why: strings.Repeat("x", 201)}, nil, tandem.CodeInvalid},
		{"of nobody", nil, Ask{Interaction: "i2", By: "anna", Level: voice}, nil, tandem.CodeConflict},
		{"while nobody serves", func(h *house) { h.task(func(t *tandem.Task) { t.State = tandem.TaskWaiting }) }, Ask{Interaction: in1, By: ByFlow, Level: voice}, nil, tandem.CodeConflict},
		{"of who writes texts", func(h *house) { h.customer.Page = false }, Ask{Interaction: in1, By: "anna", Level: voice}, nil, tandem.CodeConflict},
		{"voice of a caller", func(h *house) { h.task(func(t *tandem.Task) { t.Kind = tandem.TaskCall }); h.customer.Call = true }, Ask{Interaction: in1, By: "anna", Level: voice}, nil, tandem.CodeConflict},
		{"pictures of a caller without a page", func(h *house) { h.task(func(t *tandem.Task) { t.Kind = tandem.TaskCall }); h.customer.Page = false }, Ask{Interaction: in1, By: "anna", Level: seeing}, nil, tandem.CodeConflict},
		{"without a microphone at the desk", func(h *house) { h.unready = tandem.Errorf(tandem.CodeConflict, "open the desk") }, Ask{Interaction: in1, By: "anna", Level: voice}, nil, tandem.CodeConflict},
		{"by the customer, for more than they may", nil, Ask{Interaction: in1, By: ByCustomer, Level: seeing, Page: "p1"}, nil, tandem.CodeForbidden},
		{"by the customer, without a page", nil, Ask{Interaction: in1, By: ByCustomer, Level: voice}, nil, tandem.CodeInvalid},
		{"where browsers cannot speak", nil, Ask{Interaction: in1, By: "anna", Level: voice}, func(o *Options) { o.Media = nil }, tandem.CodeUnavailable},
		{"while the store is down", func(h *house) { h.down = true }, Ask{Interaction: in1, By: "anna", Level: voice}, nil, tandem.CodeUnavailable},
		{"of too many", nil, Ask{Interaction: in1, By: "anna", Level: voice}, func(o *Options) { o.Limits.Open = -1; o.Limits.Asks = 1 }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, c.change)
			if c.set != nil {
				c.set(h)
			}
			_, err := h.Ask(t.Context(), c.ask)
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			failed(t, err, c.code)
			var said *tandem.Error
			if !errors.As(err, &said) || said.Message == "" && said.Error() == "" {
				t.Errorf("it says nothing: %v", err)
			}
			if _, ok := h.Of(in1); ok {
				t.Error("there is an upgrade")
			}
		})
	}
}

// Asks are counted: who was asked eight times in ten minutes is asked no more for a while.
func TestAsksAreBounded(t *testing.T) {
	h := newHouse(t, nil)
	for range 8 {
		u := h.ask(voice)
		if _, err := h.Answer(t.Context(), in1, u.ID, "p1", false, "", "en", nil); err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.Ask(t.Context(), Ask{Interaction: in1, By: "anna", Level: voice})
	failed(t, err, "too_fast")
	h.later(11 * time.Minute)
	h.ask(voice)
	if got := h.states(); strings.Count(got, "refused voice (refused)") != 8 {
		t.Errorf("the journal: %s", got)
	}
}

func TestNobodyAnswers(t *testing.T) {
	h := newHouse(t, nil)
	u := h.ask(voice)
	h.later(119 * time.Second)
	if now, ok := h.Of(in1); !ok || now.State != Asked {
		t.Errorf("before its time: %+v", now)
	}
	h.later(time.Second)
	if h.state(Lapsed).Why != "lapsed" {
		t.Error("it does not say why")
	}
	_, err := h.Answer(t.Context(), in1, u.ID, "p1", true, "", "en", nil)
	failed(t, err, tandem.CodeConflict)
}

// One page has the media: another one's answer and signals are conflicts, until the first has
// lost its socket.
func TestOnePageHasTheMedia(t *testing.T) {
	h := newHouse(t, nil)
	u := h.up(voice)
	offer := webrtc.Signal{Kind: webrtc.KindOffer}
	_, err := h.Answer(t.Context(), in1, u.ID, "p2", true, "", "en", nil)
	failed(t, err, tandem.CodeConflict)
	failed(t, h.Signal(t.Context(), in1, "p2", ConnVoice, offer), tandem.CodeConflict)
	if _, err := h.Answer(t.Context(), in1, u.ID, "p1", true, "", "en", nil); err != nil {
		t.Errorf("the same answer again: %v", err)
	}
	if err := h.Signal(t.Context(), in1, "p1", ConnVoice, offer); err != nil {
		t.Error(err)
	}
	h.Gone(in1, "p2") // it has nothing to lose
	_, err = h.Answer(t.Context(), in1, u.ID, "p2", true, "", "en", nil)
	failed(t, err, tandem.CodeConflict)
	h.Gone(in1, "p1")
	if u, err = h.Answer(t.Context(), in1, u.ID, "p2", true, "", "en", nil); err != nil || u.Page != "p2" {
		t.Errorf("the other page goes on: %v, %+v", err, u)
	}
	failed(t, h.Signal(t.Context(), in1, "p1", ConnVoice, offer), tandem.CodeConflict)
	if err := h.Signal(t.Context(), in1, "p2", ConnVoice, offer); err != nil {
		t.Error(err)
	}
	if len(h.peers) != 1 {
		t.Errorf("%d peers for one talk", len(h.peers))
	}
	h.peer().o.Send(webrtc.Signal{Kind: webrtc.KindAnswer})
	h.until("p2 is told", func() bool { return slices.Contains(h.sent, "p2 voice answer") })
}

// A page that is loaded anew says goodbye and comes back: nothing ends by that.
func TestPageIsLoadedAnew(t *testing.T) {
	h := newHouse(t, nil)
	h.up(seeing)
	if err := h.Signal(t.Context(), in1, "p1", ConnVoice, webrtc.Signal{Kind: webrtc.KindBye}); err != nil {
		t.Fatal(err)
	}
	h.Gone(in1, "p1")
	h.peer().becomes(webrtc.StateCut)
	h.screen().becomes(webrtc.StateGone)
	h.carries(text, fellNetwork)
	h.later(59 * time.Second)
	h.Back(in1, "p1")
	if err := h.Signal(t.Context(), in1, "p1", ConnVoice, webrtc.Signal{Kind: webrtc.KindOffer}); err != nil {
		t.Fatal(err)
	}
	if err := h.Signal(t.Context(), in1, "p1", ConnScreen, webrtc.Signal{Kind: webrtc.KindOffer}); err != nil {
		t.Fatal(err)
	}
	if len(h.screens) != 2 || len(h.screens[1].signals) != 1 || h.screens[1].may != "true false" {
		t.Errorf("the pictures do not come back: %+v", h.screens)
	}
	if len(h.peer().signals) != 1 {
		t.Errorf("the peer was told %q: a goodbye is none of its", h.peer().signals)
	}
	h.peer().becomes(webrtc.StateUp)
	h.screen().becomes(webrtc.StateUp)
	h.carries(seeing, "")
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := strings.Count(strings.Join(h.story, ","), "join"); n != 1 {
		t.Errorf("joined %d times", n)
	}
}

func TestPageStaysAway(t *testing.T) {
	h := newHouse(t, nil)
	h.up(voice)
	h.Gone(in1, "p1")
	h.later(60 * time.Second)
	if u := h.state(Over); u.Why != "lost" {
		t.Errorf("it ended by %s", u.Why)
	}
	h.until("its leg is lost", func() bool { return slices.Contains(h.story, "the talk lets go: transport_lost") })
}

// The network falls: pictures, then sound, and by itself all comes back.
func TestFallsAndRises(t *testing.T) {
	h := newHouse(t, nil)
	h.up(seeing)
	h.screen().becomes(webrtc.StateCut)
	h.carries(voice, fellNetwork)
	h.peer().becomes(webrtc.StateCut)
	h.carries(text, fellNetwork)
	h.later(40 * time.Second)
	h.peer().becomes(webrtc.StateUp)
	h.carries(voice, fellNetwork)
	h.screen().becomes(webrtc.StateUp)
	h.carries(seeing, "")
	h.later(40 * time.Second) // each cut counts for itself
	h.peer().becomes(webrtc.StateCut)
	h.carries(text, fellNetwork)
	h.later(59 * time.Second)
	h.later(time.Second)
	if u := h.state(Over); u.Why != "lost" {
		t.Errorf("it ended by %s", u.Why)
	}
	var now []string
	for _, e := range h.journal(tandem.EventCarried) {
		now = append(now, e[strings.Index(e, `"now"`):])
	}
	now = now[slices.Index(now, `"now":"video"}`)+1:] // how it came up may be in one step or two
	want := `"now":"voice","why":"network"},"now":"","why":"network"},"now":"voice","why":"network"},"now":"video","why":"back"},"now":"","why":"network"}`
	if got := strings.Join(now, ","); got != want {
		t.Errorf("the journal: %s", got)
	}
}

func TestNeverConnects(t *testing.T) {
	h := newHouse(t, nil)
	h.agree(h.ask(voice), "")
	if err := h.Signal(t.Context(), in1, "p1", ConnVoice, webrtc.Signal{Kind: webrtc.KindMic, Mic: webrtc.MicDenied}); err != nil {
		t.Fatal(err)
	}
	h.carries(text, fellMicrophone)
	h.later(2 * time.Minute)
	if u := h.state(Over); u.Why != "lost" {
		t.Errorf("it ended by %s", u.Why)
	}
}

// The agent's microphone goes in the very moment: the customer is joined once it is back.
func TestJoinIsTriedAgain(t *testing.T) {
	h := newHouse(t, nil)
	h.note(func() { h.refuses = tandem.Errorf(tandem.CodeConflict, "no microphone") })
	h.agree(h.ask(voice), "")
	h.peer().becomes(webrtc.StateUp)
	h.until("it was tried", func() bool { return slices.Contains(h.story, "join: refused") })
	if u, _ := h.Of(in1); u.State != Agreed || u.Now != text {
		t.Errorf("nobody hears them: %+v", u)
	}
	h.note(func() { h.refuses = nil })
	h.later(joinEvery)
	h.carries(voice, "")
}

func TestNeverJoined(t *testing.T) {
	h := newHouse(t, nil)
	h.note(func() { h.refuses = tandem.Errorf(tandem.CodeConflict, "no microphone") })
	h.agree(h.ask(voice), "")
	h.peer().becomes(webrtc.StateUp)
	h.until("it was tried", func() bool { return slices.Contains(h.story, "join: refused") })
	h.later(2 * time.Minute)
	if u := h.state(Over); u.Why != "agent" {
		t.Errorf("it ended by %s", u.Why)
	}
}

// Down at once, and up again; what the customer took back they are asked for anew.
func TestChanges(t *testing.T) {
	h := newHouse(t, nil)
	first := h.up(seeing)
	change := func(by string, l tandem.Level) Upgrade {
		t.Helper()
		u, err := h.Change(t.Context(), in1, by, "p1", l, "zh-CN")
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	if u := change("anna", voice); u.Agreed != voice {
		t.Errorf("down: %+v", u)
	}
	if _, ok := h.Upgrades.Screen(in1, first.Leg, ""); ok || h.screens[0].closed != 1 {
		t.Error("they are seen still")
	}
	if u := change("anna", seeing); u.Agreed != seeing || len(h.screens) != 2 || h.screens[1].may != "true false" {
		t.Errorf("up within what was agreed: %+v", u)
	}
	change(ByCustomer, voice)
	u := change("anna", seeing)
	if u.Agreed != voice || u.Level != seeing || u.Until.IsZero() || u.State != Up {
		t.Errorf("what they took back is asked for: %+v", u)
	}
	if waits, agent := u.Waits(); !waits || agent {
		t.Error("it does not wait for the customer")
	}
	if u = h.agree(u, ""); u.Agreed != seeing || len(h.screens) != 3 {
		t.Errorf("agreed anew: %+v", u)
	}
	if n := len(h.journal(tandem.EventConsent)); n != 3 { // voice, video; video
		t.Errorf("%d consents", n)
	}
	_, err := h.Change(t.Context(), in1, "ben", "", voice, "")
	failed(t, err, tandem.CodeForbidden)
	change(ByCustomer, text)
	if u := h.state(Over); u.Why != "ended" {
		t.Errorf("it ended by %s", u.Why)
	}
}

// A customer asks, where they may: their agent agrees, and what they have read is what counts.
func TestCustomerAsks(t *testing.T) {
	h := newHouse(t, nil)
	if got := h.May(); !slices.Equal(got, []tandem.Level{voice}) {
		t.Errorf("they may ask for %q", got)
	}
	u, err := h.Ask(t.Context(), Ask{Interaction: in1, By: ByCustomer, Level: voice, Page: "p1", Lang: "zh-CN"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Answer(t.Context(), in1, u.ID, "p1", true, "", "zh-CN", nil)
	failed(t, err, tandem.CodeConflict)
	_, err = h.Approve(t.Context(), "ben", u.ID, true)
	failed(t, err, tandem.CodeForbidden)
	if len(h.peers) != 0 || len(h.journal(tandem.EventConsent)) != 0 {
		t.Error("nobody has agreed yet")
	}
	if u, err = h.Approve(t.Context(), "anna", u.ID, true); err != nil || u.State != Agreed || u.Page != "p1" {
		t.Errorf("approved: %v, %+v", err, u)
	}
	if c := h.journal(tandem.EventConsent); len(c) != 1 || !strings.Contains(c[0], "Anna将听到您的声音") {
		t.Errorf("the consent: %q", c)
	}
	u, err = h.Ask(t.Context(), Ask{Interaction: in1, By: "anna", Level: seeing})
	if err != nil || u.Level != seeing || u.Agreed != voice {
		t.Errorf("more is asked for: %v, %+v", err, u)
	}
	if _, err = h.Answer(t.Context(), in1, u.ID, "p1", false, "", "", nil); err != nil {
		t.Fatal(err)
	}
	if u, _ = h.Of(in1); u.State != Agreed || u.Level != voice || u.Agreed != voice {
		t.Errorf("refusing more keeps what there is: %+v", u)
	}
}

func TestApproveIsDenied(t *testing.T) {
	h := newHouse(t, nil)
	u, err := h.Ask(t.Context(), Ask{Interaction: in1, By: ByCustomer, Level: voice, Page: "p1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Approve(t.Context(), "anna", u.ID, false); err != nil {
		t.Fatal(err)
	}
	if u := h.state(Refused); u.Why != "refused" || len(h.peers) != 0 {
		t.Errorf("%+v", u)
	}
}

// What becomes of the task: done, another agent's, or handed on within the talk.
func TestTaskGoes(t *testing.T) {
	done := func(t *tandem.Task) { t.State = tandem.TaskWrapping }
	other := func(t *tandem.Task) { t.Agent, t.Fence = "ben", 2 }
	for _, c := range []struct {
		name  string
		begin func(h *house)
		task  func(*tandem.Task)
		talk  string // how the talk ends then, "" = it does not
		state State
		why   string
	}{
		{"asked, and done", func(h *house) { h.ask(voice) }, done, "", Withdrawn, "done"},
		{"asked, and another's", func(h *house) { h.ask(voice) }, other, "", Withdrawn, "transferred"},
		{"agreed, and another's", func(h *house) { h.agree(h.ask(voice), "") }, other, "", Over, "transferred"},
		{"up, and done", func(h *house) { h.up(voice) }, done, "", Over, "done"},
		{"up, and another's", func(h *house) { h.up(voice) }, other, "taken", Over, "transferred"},
		{"up, and handed to a queue", func(h *house) { h.up(voice) }, func(t *tandem.Task) { t.State, t.Agent = tandem.TaskWaiting, "" }, "taken", Over, "transferred"},
		{"up, and moved to the telephone", func(h *house) { h.up(voice) }, func(t *tandem.Task) { t.Kind = tandem.TaskCall }, "", Over, "done"},
		{"the agent hangs up", func(h *house) { h.up(voice) }, nil, "left", Over, "left"},
		{"the agent is lost", func(h *house) { h.up(voice) }, nil, "lost", Over, "lost"},
		{"removed", func(h *house) { h.up(voice) }, nil, "over", Over, "ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, nil)
			c.begin(h)
			if c.task != nil {
				h.task(c.task)
			}
			if c.talk != "" {
				h.over(in1, c.talk)
			}
			if u := h.state(c.state); u.Why != c.why {
				t.Errorf("it ended by %s, not %s", u.Why, c.why)
			}
		})
	}
}

// A consult that is completed: the talk goes on with its next agent, and so does the upgrade.
func TestHandedOnWithinTheTalk(t *testing.T) {
	h := newHouse(t, nil)
	h.up(voice)
	talk := h.talks[in1]
	talk.Parties = append(slices.Clone(talk.Parties), phone.Party{Leg: "two", Role: tandem.RoleSpecialist, Name: "ben", State: phone.StateJoined})
	h.talk(talk)
	u := h.is("ben is among who hear", func(u Upgrade) bool { return len(u.Who) == 2 })
	if u.Who[1] != (Person{Name: "Ben", Role: tandem.RoleSpecialist, Leg: "two"}) {
		t.Errorf("who: %+v", u.Who)
	}
	h.task(func(t *tandem.Task) { t.Agent, t.Fence = "ben", 2 }) // the line says so before the talk does
	talk.Agent = "ben"
	talk.Parties = slices.Clone(talk.Parties[1:])
	talk.Parties[1].Role = tandem.RoleAgent
	h.talk(talk)
	u = h.is("it is ben's", func(u Upgrade) bool { return u.Agent == "ben" })
	if !u.Open() || len(u.Who) != 1 {
		t.Errorf("%+v", u)
	}
	failed(t, h.End(t.Context(), in1, "anna", ""), tandem.CodeForbidden)
	if err := h.End(t.Context(), in1, "ben", ""); err != nil {
		t.Error(err)
	}
}

// The agent's page breaks and comes back, as when it is loaded anew: it is told, and goes on.
func TestAgentIsCut(t *testing.T) {
	h := newHouse(t, nil)
	h.up(seeing)
	set := func(state string) {
		h.mu.Lock()
		talk := h.talks[in1]
		h.mu.Unlock()
		talk.Parties = slices.Clone(talk.Parties)
		talk.Parties[0].State = state
		h.talk(talk)
	}
	set(phone.StateCut)
	h.carries(text, fellAgent)
	set(phone.StateJoined)
	h.carries(seeing, "")
}

// Who joins is told of: but for supervisors who listen unseen, of whom the words tell.
func TestWho(t *testing.T) {
	h := newHouse(t, nil)
	h.up(voice)
	talk := h.talks[in1]
	talk.Parties = append(slices.Clone(talk.Parties),
		phone.Party{Leg: "l", Role: tandem.RoleListener, Name: "sue", State: phone.StateJoined}, phone.Party{Leg: "w", Role: tandem.RoleWhisperer, Name: "sid", State: phone.StateJoined},
		phone.Party{Leg: "r", Role: tandem.RoleSpecialist, Name: "rob", State: phone.StateRinging}, phone.Party{Leg: "g", Role: tandem.RoleListener, Name: "gus", State: phone.StateJoined, Guest: true},
		phone.Party{Leg: "n", Role: tandem.RoleSpecialist, Number: "139", State: phone.StateJoined, Muted: true})
	h.talk(talk)
	u := h.is("all are told", func(u Upgrade) bool { return len(u.Who) == 3 })
	want := []Person{{"Anna", tandem.RoleAgent, "seat", false}, {"Gus", tandem.RoleListener, "g", false}, {"", tandem.RoleSpecialist, "n", true}}
	if !slices.Equal(u.Who, want) {
		t.Errorf("who: %+v", u.Who)
	}
}

// The server stops: all that goes on is ended and given back.
func TestStop(t *testing.T) {
	var h *house
	t.Run("run", func(t *testing.T) {
		h = newHouse(t, nil)
		h.up(seeing)
		if err := h.Sight(t.Context(), "anna", in1, "s1", webrtc.Signal{Kind: webrtc.KindOffer}); err != nil {
			t.Fatal(err)
		}
	})
	last := h.seen[len(h.seen)-1]
	if last.State != Over || last.Why != "stopped" || h.peers[0].closed != 1 || h.screens[0].closed != 1 || h.screens[1].closed != 1 {
		t.Errorf("%+v, %+v, %+v", last, h.peers, h.screens)
	}
	_, err := h.Ask(t.Context(), Ask{Interaction: in1, By: "anna", Level: voice})
	failed(t, err, tandem.CodeUnavailable)
}

// A caller gains pictures: their sound stays on the telephone, and the call is not touched.
func TestPictures(t *testing.T) {
	h := newHouse(t, nil)
	h.task(func(t *tandem.Task) { t.Kind = tandem.TaskCall })
	h.customer = Customer{ID: "c1", Leg: "call", Page: true, Call: true}
	h.talk(phone.Talk{Task: chat, Interaction: in1, Agent: "anna", Parties: []phone.Party{{Leg: "seat", Role: tandem.RoleAgent, Name: "anna"}, {Leg: "call", Role: tandem.RoleCustomer}}})
	u := h.ask(seeing)
	if !u.Pictures || u.Leg != "call" {
		t.Errorf("%+v", u)
	}
	u = h.agree(u, "")
	if len(h.peers) != 0 || len(h.screens) != 1 || h.screens[0].o.ID != "call" {
		t.Fatalf("%d peers, %+v", len(h.peers), h.screens)
	}
	if got, ok := h.Upgrades.Screen(in1, "call", ""); !ok || got.Camera != h.screens[0].camera {
		t.Error("the call's party has no screen")
	}
	if _, ok := h.Upgrades.Screen(in1, "a number that was asked in", ""); ok {
		t.Error("who was asked in by number shows the customer's pictures")
	}
	h.screen().becomes(webrtc.StateUp)
	h.carries(seeing, "")
	h.screen().becomes(webrtc.StateCut)
	h.carries(text, fellNetwork)
	h.screen().becomes(webrtc.StateUp)
	h.carries(seeing, "")
	if c := h.journal(tandem.EventConsent); len(c) != 1 || !strings.Contains(c[0], "go on speaking by telephone") {
		t.Errorf("consents: %q", c)
	}
	if err := h.End(t.Context(), in1, "anna", ""); err != nil {
		t.Fatal(err)
	}
	h.until("it is given back", func() bool { return h.screens[0].closed == 1 })
	if _, up := h.talks[in1]; !up || len(h.legs) != 0 {
		t.Error("the call ended with its pictures")
	}
}

// A call that ends takes its pictures along.
func TestPicturesEndWithTheCall(t *testing.T) {
	h := newHouse(t, nil)
	h.task(func(t *tandem.Task) { t.Kind = tandem.TaskCall })
	h.customer = Customer{ID: "c1", Leg: "call", Page: true, Call: true}
	h.talk(phone.Talk{Task: chat, Interaction: in1, Agent: "anna"})
	h.agree(h.ask(seeing), "")
	h.screen().becomes(webrtc.StateUp)
	h.carries(seeing, "")
	h.over(in1, "customer")
	if u := h.state(Over); u.Why != "done" {
		t.Errorf("it ended by %s", u.Why)
	}
}

// An agent who has asked already asks anew, for an identity check: that takes the place of what
// waits, for the more of both, and waits anew.
func TestAskedAnew(t *testing.T) {
	h := newHouse(t, nil)
	first := h.ask(voice)
	h.later(time.Minute)
	u, err := h.Ask(t.Context(), Ask{Interaction: in1, By: "anna", Level: seeing, Check: "k1"})
	if err != nil || u.ID != first.ID || u.State != Asked || u.Level != seeing || u.Check != "k1" || !u.Until.After(first.Until) {
		t.Fatalf("%+v, %v", u, err)
	}
	h.later(time.Minute)
	if u, err = h.Ask(t.Context(), Ask{Interaction: in1, By: ByFlow, Level: voice, Check: "k2"}); err != nil || u.Level != seeing || u.Check != "k2" {
		t.Fatalf("%+v, %v", u, err)
	}
	h.later(119 * time.Second)
	if u = h.agree(u, ""); u.Agreed != seeing {
		t.Errorf("%+v", u)
	}
	if got := h.states(); got != "asked voice (to see the card), asked video (to see the card), agreed video" {
		t.Errorf("the journal: %s", got)
	}
}
