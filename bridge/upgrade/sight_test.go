package upgrade

import (
	"slices"
	"testing"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media/webrtc"
)

var offer = webrtc.Signal{Kind: webrtc.KindOffer}

// talking is a house whose customer speaks by video with anna, and others take part.
func talking(t *testing.T) (*house, phone.Talk) {
	t.Helper()
	h := newHouse(t, nil)
	h.up(seeing)
	h.mu.Lock()
	talk := h.talks[in1]
	h.mu.Unlock()
	talk.Parties = append(slices.Clone(talk.Parties),
		phone.Party{Leg: "s", Role: tandem.RoleSpecialist, Name: "ben", State: phone.StateJoined}, phone.Party{Leg: "l", Role: tandem.RoleListener, Name: "lea", State: phone.StateJoined, Guest: true},
		phone.Party{Leg: "w", Role: tandem.RoleWhisperer, Name: "wim", State: phone.StateJoined}, phone.Party{Leg: "r", Role: tandem.RoleSpecialist, Name: "rob", State: phone.StateRinging})
	h.talk(talk)
	h.is("all are there", func(u Upgrade) bool { return len(u.Who) == 3 })
	return h, talk
}

// Who takes part sees; who is to be seen may show a camera and a screen, and nobody else.
func TestSight(t *testing.T) {
	h, _ := talking(t)
	for who, may := range map[string]bool{"anna": true, "ben": true, "lea": false, "wim": false} {
		if err := h.Sight(t.Context(), who, in1, "s1", offer); err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		if s := h.screen(); s.o.Camera != may || s.o.Display != may || s.o.Slots != staffSlots || len(s.signals) != 1 {
			t.Errorf("%s: %+v took %q", who, s.o, s.signals)
		}
		if is, ok := h.Upgrades.Screen(in1, "any", who); !ok || is.Eyes == nil {
			t.Errorf("the talk has no screen of %s", who)
		}
	}
	for _, who := range []string{"rob", "eve", ""} {
		for _, kind := range []string{webrtc.KindOffer, webrtc.KindAnswer, webrtc.KindCam, webrtc.KindBye} {
			failed(t, h.Sight(t.Context(), who, in1, "s1", webrtc.Signal{Kind: kind}), tandem.CodeForbidden)
		}
		if _, ok := h.Upgrades.Screen(in1, "any", who); ok {
			t.Errorf("the talk has a screen of %s", who)
		}
	}
	failed(t, h.Sight(t.Context(), "anna", "i2", "s1", offer), tandem.CodeForbidden)
}

// A part that changes, or ends, is held on what is shown at once.
func TestSightFollowsTheTalk(t *testing.T) {
	h, talk := talking(t)
	screens := map[string]*screen{}
	for _, who := range []string{"anna", "ben", "lea"} {
		if err := h.Sight(t.Context(), who, in1, "s1", offer); err != nil {
			t.Fatal(err)
		}
		screens[who] = h.screen()
	}
	parties := slices.Clone(talk.Parties)
	parties[2].Role = tandem.RoleWhisperer // ben is to be seen no more, lea may show herself
	parties[3].Role = tandem.RoleSpecialist
	talk.Parties = parties
	h.talk(talk)
	if screens["ben"].may != "false false" || screens["lea"].may != "true true" || screens["anna"].may != "" {
		t.Errorf("ben may show %q, lea %q, anna %q", screens["ben"].may, screens["lea"].may, screens["anna"].may)
	}
	talk.Parties = slices.Delete(slices.Clone(parties), 2, 3)
	h.talk(talk)
	h.until("ben sees nothing any more", func() bool { return screens["ben"].closed == 1 })
	failed(t, h.Sight(t.Context(), "ben", in1, "s1", webrtc.Signal{Kind: webrtc.KindCam, Cam: webrtc.CamOK}), tandem.CodeForbidden)
	if err := h.End(t.Context(), in1, "anna", ""); err != nil {
		t.Fatal(err)
	}
	h.until("nobody does", func() bool { return screens["anna"].closed == 1 && screens["lea"].closed == 1 })
	failed(t, h.Sight(t.Context(), "anna", in1, "s1", offer), tandem.CodeForbidden)
}

// One page of somebody shows and sees; another that offers takes its place.
func TestSightAtAnotherPage(t *testing.T) {
	h, _ := talking(t)
	if err := h.Sight(t.Context(), "anna", in1, "s1", offer); err != nil {
		t.Fatal(err)
	}
	first := h.screen()
	if err := h.Sight(t.Context(), "anna", in1, "s2", webrtc.Signal{Kind: webrtc.KindCam, Cam: webrtc.CamOK}); err != nil { // what it shows concerns nobody
		t.Fatal(err)
	}
	if first.cam != "" || h.screen() != first {
		t.Error("a page that shows nothing has told of its camera")
	}
	if err := h.Sight(t.Context(), "anna", in1, "s2", offer); err != nil {
		t.Fatal(err)
	}
	h.until("the first is told, and ended", func() bool { return first.closed == 1 && slices.Contains(h.sent, "anna@s1 bye") })
	if err := h.Sight(t.Context(), "anna", in1, "s2", webrtc.Signal{Kind: webrtc.KindBye}); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.Upgrades.Screen(in1, "seat", "anna"); ok || h.screen().closed != 1 {
		t.Error("it goes on after its goodbye")
	}
}

// The agent may connect as soon as the customer has agreed, and not before.
func TestSightBeforeTheTalk(t *testing.T) {
	h := newHouse(t, nil)
	u := h.ask(seeing)
	failed(t, h.Sight(t.Context(), "anna", in1, "s1", offer), tandem.CodeForbidden)
	h.agree(u, "")
	if err := h.Sight(t.Context(), "anna", in1, "s1", offer); err != nil {
		t.Fatal(err)
	}
	failed(t, h.Sight(t.Context(), "ben", in1, "s1", offer), tandem.CodeForbidden)
	h.screen().becomes(webrtc.StateGone)
	if _, ok := h.Upgrades.Screen(in1, "seat", "anna"); ok {
		t.Error("what has ended is there still")
	}
	if err := h.Sight(t.Context(), "anna", in1, "s1", offer); err != nil {
		t.Errorf("connecting anew: %v", err)
	}
}
