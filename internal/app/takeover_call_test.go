package app

import (
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

// stuckFlow asks at 1130 Hz, for a minute, and says good bye at 1600 Hz.
const stuckFlow = `start: wish
on_leave: left
steps:
  wish:
    menu: { prompt: { en: { audio: high.wav } }, tries: 1, timeout: 60s, choices: [ { keys: "5", go: bye } ] }
    next: { no_input: end, no_match: end }
  bye: { say: { en: { audio: third.wav } }, next: end }
  left: { end: { reason: left } }
`

// A caller in a menu is taken over by an agent whose phone rings first: till it is answered
// they are in the menu, and so they stay if it is not. What they press then is the agent's, and
// handed back they are where the agent says.
func TestACallerIsTakenOver(t *testing.T) {
	t.Parallel()
	h := newHotline(t, map[string]string{"stuck": stuckFlow})
	d := h.waits(t, "stuck", "13900000001")
	d.RTP.Hear(patience, time.Time{}, 1130, 300*time.Millisecond)
	in := h.callFrom(t, "13900000001")
	if _, err := h.TakeOver(t.Context(), in, "anna", "stuck"); err != nil {
		t.Fatal(err)
	}
	h.anna.Rung(patience).Rejects(486, "Busy Here")
	until(t, "the task of that to go", func() bool { return len(h.line.Of(in)) == 0 })
	until(t, "anna to be asked again", func() bool {
		_, err := h.TakeOver(t.Context(), in, "anna", "stuck")
		return err == nil
	})
	phone := h.anna.Rung(patience)
	phone.Says(180, "Ringing")
	picks(t, phone, d)
	d.RTP.Type("5")
	phone.RTP.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "5" })
	tasks := h.line.Of(in)
	if len(tasks) != 1 || tasks[0].State != tandem.TaskAssigned || tasks[0].Agent != "anna" {
		t.Fatalf("the tasks are %+v", tasks)
	}
	over := time.Now()
	if err := h.HandBack(t.Context(), tasks[0], "anna", "stuck/wish"); err != nil {
		t.Fatal(err)
	}
	phone.WaitBye(patience)
	d.RTP.Hear(patience, over, 1130, 300*time.Millisecond)
	d.RTP.Type("5")
	d.RTP.Hear(patience, over, 1600, 300*time.Millisecond)
	d.WaitBye(patience)
	story := h.story(t, "13900000001")
	if got := outcomes(story); !slices.Equal(got, []string{"call done closed", "call done served"}) {
		t.Errorf("the tasks are %v", got)
	}
	if n := len(events(story, tandem.EventTakenOver)); n != 1 {
		t.Errorf("taken over %d times in the journal", n)
	}
}
