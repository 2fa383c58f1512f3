package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/internal/testkit"
)

// A recording that is gone is skipped: the caller hears the rest, the journal has it.
func TestMissingRecording(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{
		entries: `{ "1": three }`,
		flows: map[string]string{"three": `start: a
steps:
  a: { say: { en: { audio: low.wav } }, next: b }
  b: { say: { en: { audio: high.wav } }, next: c }
  c: { say: { en: { audio: third.wav } }, next: end }
`}})
	if err := os.Remove(s.path("flows/high.wav")); err != nil {
		t.Fatal(err)
	}
	got := s.call(t, "1", "13900000001")
	if !strings.Contains(got, "440 Hz") || strings.Contains(got, "1130") || !strings.Contains(got, "1600 Hz") {
		t.Errorf("heard %s", got)
	}
	story := s.story(t, "13900000001")
	faults := events(story, tandem.EventFlowError)
	if len(faults) != 1 || !strings.Contains(faults[0], "high.wav") || !strings.Contains(faults[0], `"step":"b"`) || ended(story) != tandem.ReasonCompleted {
		t.Errorf("the journal has %v, ended by %v", faults, ended(story))
	}
}

const asking = `start: ask
vars: { got: { type: object, fields: { ok: bool } } }
steps:
  ask:
    http: { get: "${settings.core}/x", timeout: 3s, into: got }
    next: { ok: fine, timeout: slow, else: dead }
  fine: { say: { en: { audio: low.wav } }, next: end }
  slow: { say: { en: { audio: high.wav } }, next: end }
  dead: { say: { en: { audio: third.wav } }, next: end }
`

func TestBackEnds(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(slow.Close)
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ok":true}`) }))
	t.Cleanup(good.Close)
	rubbish := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "\x00[[[[") }))
	t.Cleanup(rubbish.Close)
	dead := httptest.NewServer(nil)
	dead.Close()
	for _, tc := range []struct {
		name, url, want string
		filler          bool
	}{
		{"good", good.URL, "440 Hz", false},
		{"slow", slow.URL, "1130 Hz", true},
		{"dead", dead.URL, "1600 Hz", false},
		{"rubbish", rubbish.URL, "1600 Hz", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			host := strings.TrimPrefix(tc.url, "http://")
			s := newServerWith(t, setup{
				flows: map[string]string{"asking": asking}, entries: `{ "1": asking }`,
				more: fmt.Sprintf("flows: { settings: { core: %q }, http_allow: [%q] }\n", tc.url, host),
			})
			d := s.peer(t).Call("1", testkit.Options{From: "13900000002"})
			d.WaitBye(patience)
			got := testkit.Describe(heard(d))
			if !strings.Contains(got, tc.want) {
				t.Errorf("heard %s, want %s", got, tc.want)
			}
			pcm := testkit.Audio(d.RTP.Packets(time.Time{}))
			clip := s.sounds.filler[0].PCM()
			filler := testkit.Find(pcm, clip[:min(len(clip), testkit.Rate)]).Score >= 0.8
			if filler != tc.filler {
				t.Errorf("filler heard: %v", filler)
			}
			if story := s.story(t, "13900000002"); ended(story) != tandem.ReasonCompleted {
				t.Errorf("ended by %v", ended(story))
			}
		})
	}
}

// A store that fails while a voicemail is spoken: the caller is told, nothing is
// promised, the call's end is written once the store is back, and only once.
func TestStoreFailsDuringACall(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	s := newServerWith(t, setup{
		entries: `{ "1": mail }`,
		flows: map[string]string{"mail": `start: hello
on_error: sorry
steps:
  hello: { say: { en: { audio: low.wav } }, next: tape }
  tape: { voicemail: { box: front, max: 20s }, next: { left: thanks, too_short: end } }
  thanks: { say: { en: { audio: high.wav } }, next: end }
  sorry: { say: { en: { audio: third.wav } }, next: end }
`},
		fault: func(string) error {
			if down.Load() {
				return sqlite3.Error{Code: sqlite3.ErrFull}
			}
			return nil
		},
	})
	d := s.peer(t).Call("1", testkit.Options{From: "13900000003"})
	d.RTP.Hear(patience, time.Time{}, 440, 200*time.Millisecond)
	if !d.RTP.Wait(patience, time.Time{}, beeped) {
		t.Fatal("no beep was heard")
	}
	d.RTP.Talk(testkit.Tone(700, time.Second))
	from := time.Now()
	d.RTP.Wait(patience, from, func(ps []testkit.Packet) bool { return len(ps) >= 50 })
	down.Store(true)
	d.RTP.Type("#")
	until(t, "the apology", func() bool { return testkit.ToneTime(heard(d), 1600) >= 300*time.Millisecond })
	other := s.peer(t)
	refused := other.NewInvite("1", testkit.Options{From: "13900000004"})
	other.Send(refused.Invite)
	if no := other.Final(testkit.Patience, refused.Invite); no.Status() != 503 || no.Get("Retry-After") == "" {
		t.Errorf("while the store fails a new call gets %s, Retry-After %q", no.Start, no.Get("Retry-After"))
	}
	d.WaitBye(patience)
	if got := testkit.Describe(heard(d)); strings.Contains(got, "1130") {
		t.Errorf("a voicemail was thanked for that was not kept: %s", got)
	}
	down.Store(false)
	story := s.story(t, "13900000003")
	if len(story.Tasks) != 0 || len(story.Blobs) != 0 || len(events(story, tandem.EventClosed)) != 1 || len(events(story, tandem.EventLegEnded)) != 1 {
		t.Errorf("tasks %v, objects %v, closed %v", story.Tasks, story.Blobs, events(story, tandem.EventClosed))
	}
	until(t, "readiness", func() bool { return s.Ready() == nil })
	after := s.peer(t).Call("1", testkit.Options{From: "13900000005"})
	after.RTP.Hear(patience, time.Time{}, 440, 200*time.Millisecond)
	after.Bye()
	if v, err := s.store.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

// beeped reports whether the beep has been heard and is over.
func beeped(ps []testkit.Packet) bool {
	spans := testkit.Transcript(testkit.Audio(ps), 440, 1000)
	return len(spans) > 2 && testkit.ToneTime(spans, 1000) > 100*time.Millisecond && spans[len(spans)-1].Hz == 0
}
