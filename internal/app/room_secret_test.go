package app

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/media/codec"
	"tandem/media/dtmf"
	"tandem/store"
	"tandem/store/staff"
)

// keysIn are the keys whose tones are in what was heard or recorded.
func keysIn(pcm []int16) string {
	var d dtmf.Detector
	keys := ""
	d.Note(pcm, func(digit byte) { keys += string(digit) })
	return keys
}

// tonesOf are the tones of keys: 100 ms each, and as long a pause.
func tonesOf(keys string) (pcm []int16) {
	low, high := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477}
	for _, k := range keys {
		at := strings.IndexRune("123456789*0#", k)
		a, b := testkit.Tone(low[at/3], 100*time.Millisecond), testkit.Tone(high[at%3], 100*time.Millisecond)
		for i := range a {
			pcm = append(pcm, a[i]/2+b[i]/2)
		}
		pcm = append(pcm, make([]int16, len(a))...)
	}
	return append(pcm, make([]int16, 8*codec.Rate)...)
}

// secretFlow tells that it records, and asks for a card's number where an agent wants it.
const secretFlow = `start: tell
on_leave: left
vars:
  card: { type: digits, secret: true }
  pin: { type: digits, secret: ephemeral }
steps:
  tell: { say: { prompt: { en: { audio: low.wav } }, announces: recording, barge_in: none }, next: wish }
  wish:
    menu: { prompt: { en: { audio: high.wav } }, tries: 1, timeout: 60s, choices: [ { keys: "5", go: number }, { keys: "6", go: pin } ] }
    next: { no_input: end, no_match: end }
  number:
    collect: { prompt: { en: { audio: third.wav } }, into: card, digits: 12, tries: 1, timeout: 60s }
    next: { ok: bye, else: end }
  pin:
    collect: { prompt: { en: { audio: third.wav } }, into: pin, digits: 12, tries: 1, timeout: 60s }
    next: { ok: bye, else: end }
  bye: { say: { en: { audio: fourth.wav } }, next: end }
  left: { end: { reason: left } }
`

const secretPolicy = `queues: { cards: { teams: [day], target: { voice: 20s } } }
teams: { day: {} }
agents: { anna: { teams: [day] } }
policy: { wrap_up: { voice: 0s } }
`

// A card's number that the flow asks for while an agent has the caller, a supervisor listens
// and the call is recorded reaches none of them: not as tones, not as events, and it is
// written down nowhere, however it is keyed. Not even a digit too many does.
func TestASecretReachesNobodyInTheRoom(t *testing.T) {
	s := newServerWith(t, setup{
		flows: map[string]string{"secret": secretFlow}, files: map[string]string{"cards.queues.yaml": secretPolicy},
		entries: `{ "1": { flow: secret, record: true } }`, more: "line: { verify: true }\n",
		change: func(c *config.Config) {
			c.Limits.Late, c.Limits.CPU, c.Limits.StoreTime = 0, 0, 0
			c.WebRTC.Listen = "127.0.0.1:0"
		},
	})
	anna, lead := s.sits(t, "anna", staff.Agent), s.sits(t, "lead", staff.Supervisor)
	until(t, "anna to be reached", func() bool { a, _ := s.line.Agent("anna"); return a.Reachable[tandem.LoadVoice] })
	if _, err := s.line.Present(t.Context(), "anna", tandem.PresenceAway, ""); err != nil { // not to be offered anything
		t.Fatal(err)
	}
	told := make(chan Asked, 1)
	defer s.WatchAsked(func(a Asked) { told <- a })()
	for _, way := range []struct{ name, digits, step string }{
		{"rfc4733", "493827160549", "number"}, {"info", "731946285073", "number"}, {"inband", "826405917382", "number"}, {"ephemeral", "590318274695", "pin"},
	} {
		t.Run(way.name, func(t *testing.T) {
			from := "1390000" + way.digits[:4]
			d := s.peer(t).Call("1", testkit.Options{From: from, Change: func(m *testkit.Message) {
				if way.name == "inband" {
					body := strings.ReplaceAll(string(m.Body), " 101", "")
					body = strings.ReplaceAll(strings.ReplaceAll(body, "a=rtpmap:101 telephone-event/8000\r\n", ""), "a=fmtp:101 0-15\r\n", "")
					m.With("application/sdp", body)
				}
			}})
			d.RTP.Talk(testkit.Tone(callerHz, time.Second))
			d.RTP.Hear(patience, time.Time{}, 1130, 400*time.Millisecond)
			in := s.callFrom(t, from)
			heard := []int{anna.mark(), lead.mark()}
			task, err := s.TakeOver(t.Context(), in, "anna", "")
			if err != nil {
				t.Fatal(err)
			}
			anna.hears(callerHz, heard[0])
			if err := s.phones.Do(t.Context(), "lead", phone.Command{Interaction: in, Task: task.ID, Do: phone.Listen, Why: "a test"}); err != nil {
				t.Fatal(err)
			}
			lead.hears(callerHz, heard[1])
			if way.name == "inband" {
				d.RTP.Talk(make([]int16, codec.Rate))
			}
			if err := s.Ask(t.Context(), task, "anna", "secret/"+way.step); err != nil {
				t.Fatal(err)
			}
			asked := time.Now()
			d.RTP.Hear(patience, asked, 1600, 300*time.Millisecond)
			d.RTP.Hear(patience, time.Now(), 0, 300*time.Millisecond)
			heard = []int{anna.mark(), lead.mark()}
			const more = "77" // keyed after the last that was asked for
			switch way.name {
			case "info":
				for _, k := range []byte(way.digits + more) {
					d.Info(k, 100)
				}
			case "inband":
				d.RTP.Talk(tonesOf(way.digits + more))
			default:
				d.RTP.Type(way.digits + more)
			}
			select {
			case a := <-told:
				if a.Outcome != "ok" || a.Set["card"] != "•••" && a.Set["pin"] != "•••" || a.Agent != "anna" {
					t.Errorf("told %+v", a)
				}
			case <-time.After(patience):
				t.Fatal("the step never ended")
			}
			d.RTP.Talk(testkit.Tone(callerHz, time.Second))
			anna.hears(callerHz, heard[0]) // once it is over
			lead.hears(callerHz, heard[1])
			for i, p := range []*person{anna, lead} {
				if keys := keysIn(p.pcm(heard[i])); keys != "" {
					t.Errorf("%s heard the keys %q", p.name, keys)
				}
				p.mu.Lock()
				if p.other > 0 {
					t.Errorf("%s was sent %d packets of keys", p.name, p.other)
				}
				p.mu.Unlock()
			}
			if err := s.HandBack(t.Context(), task, "anna", "secret/bye"); err != nil {
				t.Fatal(err)
			}
			d.RTP.Hear(patience, time.Now(), 620, 300*time.Millisecond)
			d.WaitBye(patience)
			story := s.story(t, from)
			s.silentAbout(t, story, way.digits)
			for _, e := range story.Events {
				var pressed tandem.Pressed
				if e.Kind == tandem.EventInput && json.Unmarshal(e.Data, &pressed) == nil && pressed.Step == way.step && strings.Trim(pressed.Keys, "•") != "" {
					t.Errorf("the journal has the key %q", pressed.Keys)
				}
			}
			for _, p := range []*person{anna, lead} {
				p.mu.Lock()
				nowhere(t, "the socket of "+p.name, strings.Join(p.frames, "\n"), way.digits)
				p.mu.Unlock()
			}
			s.nowhereOnDisk(t, way.digits)
		})
	}
}

// callFrom is the interaction of a call that is up.
func (s *server) callFrom(t *testing.T, from string) (in tandem.InteractionID) {
	t.Helper()
	until(t, "the call to be there", func() bool {
		s.live.mu.Lock()
		defer s.live.mu.Unlock()
		for id, k := range s.live.calls {
			if k.leg.From == from {
				in = id
				return true
			}
		}
		return false
	})
	return in
}

// nowhere fails if six digits of a secret in a row stand in a text.
func nowhere(t *testing.T, where, text, secret string) {
	t.Helper()
	for i := 0; i+6 <= len(secret); i++ {
		if at := strings.Index(text, secret[i:i+6]); at >= 0 {
			t.Errorf("%s has %q of the secret: …%q…", where, secret[i:i+6], text[max(0, at-40):min(len(text), at+60)])
			return
		}
	}
}

// silentAbout searches what is kept of an interaction, opened: its journal, its record and
// its recordings.
func (s *server) silentAbout(t *testing.T, story store.Story, secret string) {
	t.Helper()
	text, err := json.Marshal(story)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range story.Events {
		text = append(text, e.Data...)
	}
	nowhere(t, "the journal", string(text), secret)
	if len(story.Blobs) == 0 {
		t.Error("the call was not recorded")
	}
	for _, b := range story.Blobs {
		r, ref, err := s.store.OpenBlob(t.Context(), b.ID, "tester", "a test")
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err == nil {
			err = r.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		sides := 1
		if strings.Contains(ref.MediaType, "channels=2") {
			sides = 2
		}
		for side := range sides {
			var pcm []int16
			for i := side; i < len(data); i += sides {
				pcm = append(pcm, codec.PCMU.Linear(data[i]))
			}
			if keys := keysIn(pcm); keys != "" {
				t.Errorf("a recording (%s, side %d) has the tones of the keys %q", ref.MediaType, side, keys)
			}
		}
	}
}

// nowhereOnDisk searches every file of the server, every row of its database and its log.
func (s *server) nowhereOnDisk(t *testing.T, secret string) {
	t.Helper()
	nowhere(t, "the log", s.log.String(), secret)
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			nowhere(t, "the file "+path, string(data), secret)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.store.View(t.Context(), func(tx store.Tx) error {
		var tables []string
		if err := tx.Each("SELECT name FROM sqlite_master WHERE type = 'table'", func(r store.Row) error { tables = append(tables, r.Text(0)); return nil }); err != nil {
			return err
		}
		for _, table := range tables {
			var columns []string
			if err := tx.Each("SELECT name FROM pragma_table_info(?)", func(r store.Row) error {
				columns = append(columns, fmt.Sprintf("CAST(%q AS TEXT)", r.Text(0)))
				return nil
			}, table); err != nil {
				return err
			}
			if len(columns) == 0 {
				continue
			}
			if err := tx.Each(fmt.Sprintf("SELECT %s FROM %q", strings.Join(columns, ", "), table), func(r store.Row) error {
				for i := range columns {
					nowhere(t, "the table "+table, r.Text(i), secret)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
