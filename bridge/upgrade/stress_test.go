package upgrade

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/media/webrtc"
)

// Everybody does everything at once: nothing hangs, what is written is in order, nothing is
// shown without a consent, and all that was made is given back.
func TestAllAtOnce(t *testing.T) {
	var h *house
	t.Run("run", func(t *testing.T) {
		h = newHouse(t, func(o *Options) {
			o.Customers = seeing
			o.Limits.Asks = 1 << 20
		})
		var wg sync.WaitGroup
		for n := range 6 {
			wg.Go(func() { disturb(h, rand.New(rand.NewPCG(uint64(n), 7)), 150) })
		}
		wg.Wait()
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, p := range h.peers {
		if p.closed != 1 { // the sound ends with the upgrade alone
			t.Errorf("peer %d was closed %d times", i, p.closed)
		}
	}
	for i, s := range h.screens {
		if s.closed < 1 {
			t.Errorf("screen %d is open still", i)
		}
	}
	if len(h.peers) < 5 || len(h.screens) < 5 {
		t.Errorf("too little happened: %d peers, %d screens", len(h.peers), len(h.screens))
	}
	for _, l := range h.legs {
		if l.Ended.IsZero() {
			t.Errorf("a leg goes on: %+v", l)
		}
	}
	inOrder(t, h)
}

// disturb does things that may or may not be possible now.
func disturb(h *house, r *rand.Rand, n int) {
	ctx := h.t.Context()
	levels := []tandem.Level{text, voice, seeing}
	states := []webrtc.State{webrtc.StateUp, webrtc.StateCut, webrtc.StateUp, webrtc.StateGone, webrtc.StateUp}
	for range n {
		u, _ := h.Of(in1)
		by := []string{"anna", ByCustomer, ByFlow}[r.IntN(3)]
		level := levels[r.IntN(3)]
		switch r.IntN(14) {
		case 0, 1:
			_, _ = h.Ask(ctx, Ask{Interaction: in1, By: by, Level: level, Page: "p1"})
		case 2, 3, 4:
			_, _ = h.Answer(ctx, in1, u.ID, []string{"p1", "p1", "p2"}[r.IntN(3)], r.IntN(5) > 0, level, "en", nil)
		case 5:
			_, _ = h.Approve(ctx, "anna", u.ID, r.IntN(3) > 0)
		case 6:
			_, _ = h.Change(ctx, in1, by, "p1", level, "")
		case 7:
			if r.IntN(4) == 0 {
				_ = h.End(ctx, in1, by, "")
			}
		case 8:
			_ = h.Signal(ctx, in1, "p1", []string{ConnVoice, ConnScreen}[r.IntN(2)], webrtc.Signal{Kind: webrtc.KindOffer})
		case 9:
			_ = h.Sight(ctx, "anna", in1, []string{"s1", "s2"}[r.IntN(2)], webrtc.Signal{Kind: []string{webrtc.KindOffer, webrtc.KindBye}[r.IntN(2)]})
		case 10:
			h.mu.Lock()
			var p *peer
			if len(h.peers) > 0 {
				p = h.peers[len(h.peers)-1]
			}
			h.mu.Unlock()
			if p != nil {
				p.becomes(states[r.IntN(4)])
			}
		case 11:
			h.mu.Lock()
			var s *screen
			if len(h.screens) > 0 {
				s = h.screens[r.IntN(len(h.screens))]
			}
			h.mu.Unlock()
			if s != nil {
				s.becomes(states[r.IntN(len(states))])
			}
		case 12:
			h.Gone(in1, "p1")
			h.later(time.Duration(r.IntN(40)) * time.Second)
			h.Back(in1, "p1")
		case 13:
			if r.IntN(6) == 0 {
				h.over(in1, []string{"left", "lost", "taken"}[r.IntN(3)])
			}
		}
	}
}

// inOrder holds that each upgrade's events are in an order that can be.
func inOrder(t *testing.T, h *house) {
	t.Helper()
	given := map[tandem.LegID]map[string]bool{}
	of := map[tandem.UpgradeID][]string{}
	for _, e := range h.events {
		switch e.Kind {
		case tandem.EventConsent:
			var c tandem.Consent
			if err := json.Unmarshal(e.Data, &c); err != nil || c.Text == "" || c.Version == "" || len(c.Who) == 0 {
				t.Errorf("a consent: %s, %v", e.Data, err)
			}
			if given[e.Leg] == nil {
				given[e.Leg] = map[string]bool{}
			}
			given[e.Leg][c.Kind] = true
		case tandem.EventUpgrade:
			var u tandem.Upgraded
			if err := json.Unmarshal(e.Data, &u); err != nil {
				t.Fatal(err)
			}
			of[u.Upgrade] = append(of[u.Upgrade], u.State)
			if (u.State == "agreed" || u.State == "changed") && !given[e.Leg][string(u.Level)] {
				t.Errorf("%s to %s without a consent", u.State, u.Level)
			}
		}
	}
	for id, states := range of {
		all := strings.Join(states, " ")
		last := State(states[len(states)-1])
		ends := func(s string) bool { return s == string(Over) || s == string(Withdrawn) || s == string(Lapsed) }
		if states[0] != string(Asked) || !last.Over() || slices.ContainsFunc(states[:len(states)-1], ends) {
			t.Errorf("%s went %s", id, all)
		}
	}
	for _, s := range h.screens {
		if len(s.o.ID) == 26 && s.o.Camera {
			t.Error("a customer's screen was made with its camera allowed")
		}
	}
	if len(of) < 5 {
		t.Errorf("only %d upgrades", len(of))
	}
}
