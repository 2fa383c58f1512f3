package upgrade

import (
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/media/webrtc"
)

// What runs unrecorded is recorded from the customer's consent on, and that is durable first.
func TestKept(t *testing.T) {
	h := newHouse(t, nil)
	failed(t, h.Keep(t.Context(), in1, "en", "You are recorded."), tandem.CodeNotFound)
	u := h.ask(seeing)
	failed(t, h.Keep(t.Context(), in1, "en", "You are recorded."), tandem.CodeNotFound) // nothing runs yet
	h.agree(u, seeing)
	h.peer().becomes(webrtc.StateUp)
	h.state(Up)
	h.note(func() { h.down = true })
	failed(t, h.Keep(t.Context(), in1, "en", "You are recorded."), tandem.CodeUnavailable)
	if is, _ := h.Of(in1); is.Kept {
		t.Fatal("it is recorded, and the consent is not durable")
	}
	h.note(func() { h.down = false; h.story = nil })
	for range 2 {
		if err := h.Keep(t.Context(), in1, "en", "You are recorded."); err != nil {
			t.Fatal(err)
		}
	}
	if is, _ := h.Of(in1); !is.Kept {
		t.Errorf("%+v", is)
	}
	h.mu.Lock()
	first := slices.Index(h.story, "commit consent recording")
	again := slices.Contains(h.story[first+1:], "commit consent recording")
	h.mu.Unlock()
	if first != 0 || again {
		t.Errorf("the story is %q", h.story)
	}
	all := h.journal(tandem.EventConsent)
	if last := all[len(all)-1]; !strings.Contains(last, `"kind":"recording","answer":"yes","lang":"en","text":"You are recorded."`) || !strings.Contains(last, `"who":["Anna"]`) {
		t.Errorf("the consent is %s", last)
	}
}

// A check that wants a recording asks for video where voice runs unrecorded: what is asked
// then says so, the yes to it is one to the recording, and a no leaves all as it is.
func TestMoreIsKept(t *testing.T) {
	for _, yes := range []bool{true, false} {
		h := newHouse(t, nil)
		h.up(voice)
		u, err := h.Ask(t.Context(), Ask{Interaction: in1, By: "anna", Level: seeing, Record: true, Check: "c1"})
		if err != nil || u.Kept || !u.Keeps || !strings.Contains(h.Texts(u)["en"], "are recorded") {
			t.Fatalf("%+v, %v", u, err)
		}
		if u, err = h.Answer(t.Context(), in1, u.ID, "p1", yes, seeing, "en", nil); err != nil || u.Kept != yes || u.Keeps {
			t.Errorf("%+v, %v", u, err)
		}
		consents := strings.Join(h.journal(tandem.EventConsent), "\n")
		if strings.Contains(consents, `"kind":"recording"`) != yes {
			t.Errorf("answered %t: %s", yes, consents)
		}
	}
}

// A reason that is known by a word is read in the customer's language; the journal has it in
// words, too.
func TestReasons(t *testing.T) {
	h := newHouse(t, nil)
	u, err := h.Ask(t.Context(), Ask{Interaction: in1, By: "anna", Level: voice, Why: "see"})
	if err != nil || u.Why != "see" {
		t.Fatalf("%+v, %v", u, err)
	}
	if text := h.Texts(u); !strings.Contains(text["en"], "Why: to see what you see.") || !strings.Contains(text["zh-CN"], "原因：看看您遇到的情况。") {
		t.Errorf("%q", text)
	}
	if got := h.states(); got != "asked voice (to see what you see)" {
		t.Errorf("the journal: %s", got)
	}
	u.Why = "about your card"
	if text := h.Texts(u); !strings.Contains(text["zh-CN"], "原因：about your card。") {
		t.Errorf("%q", text)
	}
	for key, texts := range Reasons {
		for _, lang := range languages {
			if texts[lang] == "" {
				t.Errorf("%s has no words in %s", key, lang)
			}
		}
	}
}
