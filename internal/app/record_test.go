package app

import (
	"io"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/media/codec"
	"tandem/store"
)

// channels reads the only recording of a story: the caller left, the rest right.
func (s *server) channels(t *testing.T, story store.Story) (left, right []testkit.Span, length time.Duration) {
	t.Helper()
	if len(story.Blobs) != 1 {
		t.Fatalf("%d recordings", len(story.Blobs))
	}
	r, ref, err := s.store.OpenBlob(t.Context(), story.Blobs[0].ID, "tester", "a test")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if ref.MediaType != "audio/PCMU;rate=8000;channels=2" {
		t.Errorf("it is %s", ref.MediaType)
	}
	var sides [2][]int16
	for i, b := range data {
		sides[i%2] = append(sides[i%2], codec.PCMU.Linear(b))
	}
	return testkit.Transcript(sides[0], 700), testkit.Transcript(sides[1], 440, 1130, 1600, 620), testkit.Length(sides[0])
}

// order is the tones of a transcript, without silence and what is shorter than 100 ms.
func order(spans []testkit.Span) []int {
	var out []int
	for _, x := range spans {
		if x.Hz > 0 && x.For >= 100*time.Millisecond && (len(out) == 0 || out[len(out)-1] != x.Hz) {
			out = append(out, x.Hz)
		}
	}
	return out
}

// A call whose entry records is recorded once the caller was told, both sides; what
// a secret is entered with is not on it.
func TestRecordingAfterAnAnnouncement(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{
		entries: `{ "1": { flow: told, record: true }, "2": told }`,
		flows: map[string]string{"told": `start: tell
vars: { pin: { type: digits, secret: ephemeral } }
steps:
  tell: { say: { prompt: { en: { audio: low.wav } }, announces: recording, barge_in: none }, next: talk }
  talk:
    menu: { prompt: { en: { audio: high.wav } }, tries: 1, timeout: 10s, choices: [ { keys: "5", go: pin } ] }
    next: { no_input: end, no_match: end }
  pin:
    collect: { prompt: { en: { audio: third.wav } }, into: pin, digits: 4, tries: 1, timeout: 10s }
    next: { ok: after, no_input: end, no_match: end }
  after: { say: { prompt: { en: { audio: fourth.wav } }, barge_in: none }, next: end }
`}})
	for entry, recorded := range map[string]bool{"1": true, "2": false} {
		from := "1390000000" + entry
		d := s.peer(t).Call(entry, testkit.Options{From: from})
		d.RTP.Talk(testkit.Tone(700, time.Second))
		d.RTP.Hear(patience, time.Time{}, 1130, 400*time.Millisecond)
		d.RTP.Hear(patience, time.Now(), 0, 400*time.Millisecond)
		d.RTP.Type("5")
		d.RTP.Hear(patience, time.Time{}, 1600, 400*time.Millisecond)
		d.RTP.Hear(patience, time.Now(), 0, 400*time.Millisecond)
		d.RTP.Type("1234")
		d.WaitBye(patience)
		story := s.story(t, from)
		if !recorded {
			if len(story.Blobs) != 0 {
				t.Errorf("a call was recorded whose entry does not ask for it: %v", story.Blobs)
			}
			continue
		}
		left, right, length := s.channels(t, story)
		if got := order(right); len(got) != 3 || got[0] != 1130 || got[1] != 1600 || got[2] != 620 {
			t.Errorf("on the right: %s", testkit.Describe(right))
		}
		// He speaks all the time; the entry of the PIN, from its question to its last
		// key, is more than a second and a half.
		silent := time.Duration(0)
		for _, x := range left {
			if x.Hz == 0 {
				silent = max(silent, x.For)
			}
		}
		spoken := testkit.ToneTime(left, 700)
		if silent < 1500*time.Millisecond || spoken < 900*time.Millisecond {
			t.Errorf("on the left: %s", testkit.Describe(left))
		}
		if long := events(story, tandem.EventRecorded); len(long) != 1 || length < 2*time.Second {
			t.Errorf("recorded %v: %v", length, long)
		}
		if text := strings.Join(events(story, tandem.EventInput), " "); strings.Contains(text, "1234") {
			t.Errorf("the journal has the secret: %s", text)
		}
	}
}

func TestRecordingByConsent(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{
		entries: `{ "1": { flow: asked, record: true } }`,
		flows: map[string]string{"asked": `start: may
steps:
  may:
    consent: { kind: recording, prompt: { en: { audio: low.wav } }, tries: 1 }
    next: { yes: talk, no: talk, no_input: end }
  talk: { say: { prompt: { en: { audio: high.wav } }, barge_in: none }, next: end }
`}})
	for key, recorded := range map[string]bool{"1": true, "2": false} {
		from := "1390000000" + key
		d := s.peer(t).Call("1", testkit.Options{From: from})
		d.RTP.Talk(testkit.Tone(700, time.Second))
		d.RTP.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
		d.RTP.Type(key)
		d.WaitBye(patience)
		story := s.story(t, from)
		if !recorded {
			if len(story.Blobs) != 0 {
				t.Errorf("recorded against the caller's will")
			}
			continue
		}
		left, right, _ := s.channels(t, story)
		if got := order(right); len(got) != 1 || got[0] != 1130 || testkit.ToneTime(left, 700) < 300*time.Millisecond {
			t.Errorf("left: %s; right: %s", testkit.Describe(left), testkit.Describe(right))
		}
	}
}

// What the caller records into a variable is kept, told in the journal, and its id is
// the variable's value; a hang-up keeps it too.
func TestRecordingIntoAVariable(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{
		entries: `{ "1": take }`,
		flows: map[string]string{"take": `start: say_it
on_leave: left
vars: { said: { type: recording } }
steps:
  say_it: { record: { into: said, max: 20s }, next: { done: thanks, too_short: end } }
  thanks: { say: { prompt: { en: { audio: high.wav } }, barge_in: none }, next: end }
  left: { end: { reason: left } }
`}})
	for from, end := range map[string]func(d *testkit.Dialog){
		"13900000001": func(d *testkit.Dialog) { d.RTP.Type("#") },
		"13900000002": func(d *testkit.Dialog) { d.Bye() },
	} {
		d := s.peer(t).Call("1", testkit.Options{From: from})
		d.RTP.Talk(testkit.Tone(700, time.Second))
		d.RTP.Wait(patience, time.Now(), func(ps []testkit.Packet) bool { return len(ps) >= 60 })
		end(d)
		if from == "13900000001" {
			d.WaitBye(patience)
		}
		story := s.story(t, from)
		if len(story.Blobs) != 1 || len(story.Tasks) != 0 {
			t.Fatalf("%s: %d recordings, %d tasks", from, len(story.Blobs), len(story.Tasks))
		}
		id := string(story.Blobs[0].ID)
		if kept := strings.Join(events(story, tandem.EventTaken), " "); !strings.Contains(kept, id) {
			t.Errorf("%s: the journal has %s", from, kept)
		}
		if set := strings.Join(events(story, tandem.EventOutcome), " "); !strings.Contains(set, `"said":"`+id+`"`) {
			t.Errorf("%s: the variable was not set: %s", from, set)
		}
	}
}
