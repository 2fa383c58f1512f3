package voice

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/sip"
)

// A wait with a time of its own ends then, whatever is said and whoever is on hold.
func TestWaitEndsByItself(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(l *line){
		"in silence":           func(*line) {},
		"while a prompt plays": func(l *line) { l.say("ask", "440x5000", flow.BargeDTMF) },
		"on hold":              func(l *line) { l.sip <- sip.Held{On: true} },
		"while music plays":    func(l *line) { l.quiet = time.Now().Add(-time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t, time.Minute, func(c *Config) { c.Music = []*media.Clip{media.Tone(620, 500)} })
			before(l)
			begun := time.Now()
			w := flow.Wait{Kind: flow.WaitLink, Serial: 4, Until: begun.Add(300 * time.Millisecond)}
			in := l.next(w, nil)
			if d := time.Since(begun); in.Kind != flow.InputTimeout || in.Serial != 4 || d < 300*time.Millisecond || d > 300*time.Millisecond+late {
				t.Errorf("%+v after %v", in, d)
			}
			if in := l.next(w, nil); in.Kind != flow.InputTimeout { // over is over
				t.Errorf("then %+v", in)
			}
			if l.filler {
				t.Error("the music plays on")
			}
		})
	}
}

// Who is doing something on a page hears music, which makes room for what is said.
func TestMusicWhileAPageIsOpen(t *testing.T) {
	t.Parallel()
	l := newLine(t, time.Minute, func(c *Config) {
		c.Filler, c.Music = []*media.Clip{media.Tone(1000, 500)}, []*media.Clip{media.Tone(620, 500)}
	})
	l.inbox = make(chan flow.Input, 1)
	w := flow.Wait{Kind: flow.WaitLink, Serial: 4, Until: time.Now().Add(time.Hour)}
	done := make(chan flow.Input, 1)
	wait := func() {
		go func() { done <- l.next(w, nil) }()
	}
	begun := time.Now()
	wait()
	l.phone.Hear(patience, begun, 620, 600*time.Millisecond)
	if d := time.Since(begun) - 600*time.Millisecond; d < fillerAfter-slack {
		t.Errorf("the music began after %v", d)
	}
	l.inbox <- flow.Input{Kind: flow.InputResult, Serial: 4, Result: &flow.Result{Outcome: "opened"}}
	if in := <-done; in.Result == nil || in.Result.Outcome != "opened" {
		t.Fatalf("got %+v", in)
	}
	l.say("ask", "440x300", flow.BargeDTMF)
	said := time.Now()
	wait()
	l.phone.Hear(patience, said, 620, 200*time.Millisecond)
	l.inbox <- flow.Input{Kind: flow.InputResult, Serial: 4, Result: &flow.Result{Outcome: "done"}}
	<-done
	spans := l.heard(620, 440, 1000)
	// A busy machine makes gaps in a tone.
	if got := strings.Join(slices.Compact(strings.Fields(sounds(spans))), " "); !strings.HasPrefix(got, "620 440 620") || testkit.ToneTime(spans, 1000) != 0 {
		t.Errorf("heard %s", testkit.Describe(spans))
	}
}

// Where a machine is waited for, and where there is no music, it is the filler.
func TestWhatFillsAWait(t *testing.T) {
	music, filler := []*media.Clip{media.Tone(620, 500)}, []*media.Clip{media.Tone(1000, 500)}
	for kind, want := range map[flow.WaitKind][2][]*media.Clip{
		flow.WaitHTTP: {filler, filler}, flow.WaitMessage: {filler, filler}, flow.WaitCallback: {filler, filler},
		flow.WaitLink: {music, filler}, flow.WaitHandoff: {music, filler}, flow.WaitQueue: {music, filler},
		flow.WaitListen: {}, flow.WaitTransfer: {}, flow.WaitRecord: {}, flow.WaitVoicemail: {},
	} {
		for i, cfg := range []Config{{Filler: filler, Music: music}, {Filler: filler}} {
			c := Channel{cfg: cfg}
			if got := c.fills(flow.Wait{Kind: kind}); len(got) != len(want[i]) || len(got) > 0 && got[0] != want[i][0] {
				t.Errorf("%s: %v", kind, got)
			}
		}
	}
}

// What comes in for another wait neither ends this one nor makes it longer.
func TestInboxWhileListening(t *testing.T) {
	l := newLine(t, time.Minute, nil)
	l.inbox = make(chan flow.Input, 3)
	w := flow.Wait{Kind: flow.WaitListen, Step: "ask", Serial: 3, Timeout: 300 * time.Millisecond}
	begun := time.Now()
	l.inbox <- flow.Input{Kind: flow.InputResult, Serial: 2}
	time.AfterFunc(200*time.Millisecond, func() { l.inbox <- flow.Input{Kind: flow.InputResult, Serial: 1} })
	if in, d := l.next(w, nil), time.Since(begun); in.Kind != flow.InputTimeout || d > 300*time.Millisecond+150*time.Millisecond {
		t.Errorf("%+v after %v", in, d)
	}
	for _, serial := range []int{0, 3} {
		l.inbox <- flow.Input{Kind: flow.InputFault, Serial: serial}
		if in := l.next(w, nil); in.Kind != flow.InputFault {
			t.Errorf("got %+v", in)
		}
	}
}

// A code that is read out is not told to the journal.
func TestDigitsSaidAroundASecret(t *testing.T) {
	l := newLine(t, time.Minute, nil)
	for _, secret := range []bool{true, false} {
		if err := l.Play(t.Context(), flow.Play{Step: "a", Secret: secret, Parts: []tandem.Part{{Text: "440x100"}, {Kind: tandem.PartDigits, Text: " 4 ٤"}}}); err != nil {
			t.Fatal(err)
		}
	}
	l.drain()
	for i, want := range []string{"•••x••• • •", "440x100 4 ٤"} {
		if p, ok := l.traces[i].(tandem.Prompted); !ok || p.Text != want {
			t.Errorf("journal has %+v, want %s", l.traces[i], want)
		}
	}
}
