package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/bridge/upgrade"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/media/webrtc"
	"tandem/store/sqlite"
	"tandem/store/storetest"
	webchat "tandem/web/chat"
)

// consenting is a customer whom anna serves, with voice and checks over a real database and
// everything else played.
type consenting struct {
	*App
	in tandem.InteractionID
	db *sqlite.DB
}

type (
	playedLine  struct{ task tandem.Task }
	playedBoard struct{ upgrade.Switchboard }
	playedMedia struct{ upgrade.Media }
	playedPeer  struct{ upgrade.Peer }
)

func (l playedLine) Watch(func(queue.Fact)) (stop func())               { return func() {} }
func (l playedLine) Task(tandem.TaskID) (tandem.Task, bool)             { return l.task, true }
func (l playedLine) Of(tandem.InteractionID) []tandem.Task              { return []tandem.Task{l.task} }
func (playedBoard) Ready(string) error                                  { return nil }
func (playedBoard) Pictured(tandem.InteractionID)                       {}
func (playedBoard) TalkOf(tandem.InteractionID) (t phone.Talk, up bool) { return t, false }
func (playedBoard) WatchTalks(func(phone.Talk)) (stop func())           { return func() {} }
func (playedMedia) NewPeer(webrtc.PeerOptions) (upgrade.Peer, error)    { return playedPeer{}, nil }
func (playedPeer) Stream() *media.Stream                                { return nil }
func (playedPeer) State() webrtc.State                                  { return webrtc.StateNew }
func (playedPeer) Mic() string                                          { return "" }
func (playedPeer) Close() media.Stats                                   { return media.Stats{} }

func newConsenting(t *testing.T) *consenting {
	t.Helper()
	p := storetest.NewPlace(t)
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(p.Dir, "tandem.db"), Keys: p.Keys, Log: slog.New(slog.DiscardHandler), Now: p.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	opening := storetest.NewCall(p.Clock.Now(), rand.Reader, "+8613800000000").Opening()
	if err := db.Commit(t.Context(), opening); err != nil {
		t.Fatal(err)
	}
	c := &consenting{App: &App{now: p.Clock.Now, log: slog.New(slog.DiscardHandler)}, in: opening.Interaction.ID, db: db}
	task := tandem.Task{ID: "t1", Interaction: c.in, Kind: tandem.TaskChat, State: tandem.TaskAssigned, Agent: "anna"}
	c.faces.upgrades = upgrade.New(upgrade.Options{Line: playedLine{task}, Switchboard: playedBoard{}, Media: playedMedia{}, Store: db, Now: p.Clock.Now, Random: rand.Reader,
		Customer: func(context.Context, tandem.InteractionID) (upgrade.Customer, error) {
			return upgrade.Customer{Page: true, Lang: "zh-CN"}, nil
		}})
	c.faces.checks = check.New(check.Options{Store: db, Blobs: p.Blobs, Now: p.Clock.Now, Random: rand.Reader})
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { c.faces.upgrades.Run(ctx); close(over) }()
	t.Cleanup(func() { stop(); <-over })
	return c
}

// speaks has voice run that the customer has agreed to, unrecorded.
func (c *consenting) speaks(t *testing.T) {
	t.Helper()
	var u upgrade.Upgrade
	until(t, "voice to be asked for", func() (ok bool) {
		var err error
		u, err = c.faces.upgrades.Ask(t.Context(), upgrade.Ask{Interaction: c.in, By: "anna", Level: tandem.LevelVoice})
		return err == nil
	})
	if u, err := c.faces.upgrades.Answer(t.Context(), c.in, u.ID, "p1", true, tandem.LevelVoice, "zh-CN", nil); err != nil || u.Kept || u.Agreed != tandem.LevelVoice {
		t.Fatalf("%+v, %v", u, err)
	}
}

func (c *consenting) begin(t *testing.T, record bool) check.Check {
	t.Helper()
	p := &flow.CheckPolicy{Name: "glance", Level: tandem.Proofed, Grants: flow.CheckGrants, Interruption: flow.CheckInterruption, Record: record,
		Consent: flow.CheckConsent{Version: "1", Text: map[string]string{"en": "We look at you.", "zh-CN": "我们会查看您。"}}, Steps: []flow.CheckPolicyStep{{Name: "look", Kind: flow.CheckFace}}}
	k, err := c.faces.checks.Begin(t.Context(), check.Order{Interaction: c.in, Customer: "c1", Policy: p, By: "anna", Officer: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// consents are those that the journal has.
func (c *consenting) consents(t *testing.T) (all []tandem.Consent) {
	t.Helper()
	story, err := c.db.Interaction(t.Context(), string(c.in))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range story.Events {
		if e.Kind == tandem.EventConsent {
			var is tandem.Consent
			if err := json.Unmarshal(e.Data, &is); err != nil {
				t.Fatal(err)
			}
			all = append(all, is)
		}
	}
	return all
}

// A check whose policy wants a recording, of a customer who speaks unrecorded: the words say
// that it is recorded from now on, the yes to these words alone makes it so, by a consent of
// its own.
func TestACheckHasATalkRecorded(t *testing.T) {
	t.Parallel()
	c := newConsenting(t)
	before := wordsOf(map[string]string{"en": "We look at you.", "zh-CN": "我们会查看您。"})
	c.speaks(t)
	k := c.begin(t, true)
	texts, keeps := c.consentOf(k)
	if !keeps || texts["zh-CN"] != "我们会查看您。如您同意，从现在起声音和画面将被录制，并随本次会话保存。" || texts["en"] != "We look at you. If you agree, sound and pictures are recorded from now on and kept with this conversation." {
		t.Fatalf("%q", texts)
	}
	if err := c.agree(t.Context(), k, webchat.CheckOrder{Do: "accept", Check: k.ID, Lang: "zh-CN", Words: before}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Fatalf("a yes to other words: %v", err)
	}
	if k, _ = c.faces.checks.Of(c.in); k.State != check.Asked || c.filmed(c.in) {
		t.Fatalf("%+v", k)
	}
	if err := c.agree(t.Context(), k, webchat.CheckOrder{Do: "accept", Check: k.ID, Lang: "zh-CN", Words: wordsOf(texts)}); err != nil {
		t.Fatal(err)
	}
	if k, _ = c.faces.checks.Of(c.in); k.State != check.Running || !c.films(c.in) {
		t.Errorf("filmed %t, %+v", c.films(c.in), k)
	}
	all := c.consents(t)
	if n := len(all); n != 3 || all[1].Kind != "recording" || all[1].Text != texts["zh-CN"] || all[2].Check != k.ID || all[2].Text != "我们会查看您。" {
		t.Errorf("%+v", all)
	}
	c.faces.unfilmed(c.in)
	if c.films(c.in) {
		t.Error("nothing can be kept, and it counts as recorded")
	}
}

// Where nothing is to be recorded, or nothing runs, a check's words are its policy's.
func TestACheckLeavesATalkUnrecorded(t *testing.T) {
	t.Parallel()
	for _, speaks := range []bool{true, false} {
		c := newConsenting(t)
		if speaks {
			c.speaks(t)
		}
		k := c.begin(t, !speaks)
		texts, keeps := c.consentOf(k)
		if keeps || texts["en"] != "We look at you." {
			t.Errorf("speaks %t: %q", speaks, texts)
		}
		if err := c.agree(t.Context(), k, webchat.CheckOrder{Do: "accept", Check: k.ID, Lang: "en"}); err != nil {
			t.Fatal(err)
		}
		for _, is := range c.consents(t) {
			if is.Kind == "recording" || strings.Contains(is.Text, "If you agree") {
				t.Errorf("speaks %t: %+v", speaks, is)
			}
		}
	}
}
