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

// inLine is a channel with music, and the wait of somebody in line.
func inLine(t *testing.T, set func(*Config)) (*line, flow.Wait) {
	l := newLine(t, time.Minute, func(c *Config) {
		c.Filler, c.Music = []*media.Clip{media.Tone(1000, 500)}, []*media.Clip{media.Tone(620, 500)}
		if set != nil {
			set(c)
		}
	})
	l.inbox = make(chan flow.Input, 4)
	return l, flow.Wait{Kind: flow.WaitQueue, Serial: 4, Step: "wait"}
}

// Who waits in line hears music, which gives way to what is said of their place and comes
// back after it. A place of which nothing is said leaves the music alone.
func TestMusicInLine(t *testing.T) {
	t.Parallel()
	l, w := inLine(t, nil)
	done := make(chan flow.Input, 1)
	wait := func() {
		go func() { done <- l.next(w, nil) }()
	}
	place := flow.Input{Kind: flow.InputPlace, Serial: 4, Place: &flow.Place{Position: 1}}
	wait()
	l.phone.Hear(patience, time.Time{}, 620, 300*time.Millisecond)
	l.inbox <- place
	<-done
	wait()
	l.phone.Hear(patience, time.Now(), 620, 300*time.Millisecond)
	l.inbox <- place
	<-done
	l.say("wait", "440x300", flow.BargeDTMF)
	said := time.Now()
	wait()
	l.phone.Hear(patience, said, 620, 300*time.Millisecond)
	l.inbox <- flow.Input{Kind: flow.InputResult, Serial: 4, Result: &flow.Result{Outcome: "max_wait"}}
	<-done
	spans := l.heard(620, 440, 1000)
	var order []int
	for _, s := range spans {
		if s.Hz != 0 && s.For >= 60*time.Millisecond {
			order = append(order, s.Hz)
		}
	}
	if got := slices.Compact(order); !slices.Equal(got, []int{620, 440, 620}) {
		t.Errorf("heard %s", testkit.Describe(spans))
	}
	for _, s := range spans { // the music was not begun anew by a place of which nothing was said
		if s.Hz == 0 && s.For > fillerAfter-slack {
			if at := slices.Index(spans, s); at > 0 && spans[at-1].Hz == 620 && at+1 < len(spans) && spans[at+1].Hz == 620 {
				t.Errorf("the music was interrupted: %s", testkit.Describe(spans))
			}
		}
	}
}

// Keys take offers while music plays and while a place is told, which they stop.
func TestKeysInLine(t *testing.T) {
	t.Parallel()
	for name, hz := range map[string]int{"during music": 620, "while a place is told": 440} {
		t.Run(name, func(t *testing.T) {
			l, w := inLine(t, nil)
			if hz == 440 {
				l.say("wait", "440x5000", flow.BargeDTMF)
			}
			done := make(chan flow.Input, 1)
			go func() { done <- l.next(w, nil) }()
			l.phone.Hear(patience, time.Time{}, hz, 100*time.Millisecond)
			l.phone.Type("1")
			if in := <-done; in.Kind != flow.InputKey || in.Text != "1" || in.Early {
				t.Errorf("got %+v", in)
			}
		})
	}
}

// An agent's answer ends all sound at once, and from then on keys are theirs: those by INFO
// are handed on, none is the flow's.
func TestServed(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(l *line, w flow.Wait){
		"an announcement": func(l *line, _ flow.Wait) {
			l.say("wait", "440x8000", flow.BargeNone)
			l.say("wait", "440x8000", flow.BargeDTMF)
			l.phone.Hear(patience, time.Time{}, 440, 200*time.Millisecond)
		},
		"music": func(l *line, w flow.Wait) {
			done := make(chan flow.Input, 1)
			go func() { done <- l.next(w, nil) }()
			l.phone.Hear(patience, time.Time{}, 620, 200*time.Millisecond)
			l.inbox <- flow.Input{Kind: flow.InputServed, Serial: 4, Text: "Anna"}
			<-done
		},
	} {
		t.Run(name, func(t *testing.T) {
			relayed := make(chan byte, 4)
			l, w := inLine(t, func(c *Config) { c.Relay = func(d byte) { relayed <- d } })
			before(l, w)
			w.Served = true
			done := make(chan flow.Input, 1)
			go func() { done <- l.next(w, nil) }()
			l.sip <- sip.Key{Digit: '7', Via: "info"}
			if d := <-relayed; d != '7' {
				t.Errorf("key %c was handed on", d)
			}
			l.phone.Type("1") // by the stream: passes by itself
			still := time.Now()
			l.phone.Wait(fillerAfter+500*time.Millisecond, still, func([]testkit.Packet) bool { return false }) // let time pass
			spans := testkit.Transcript(testkit.Audio(l.phone.Packets(still)), 440, 620, 1000)
			if s := strings.TrimSpace(sounds(spans)); s != "" {
				t.Errorf("after an agent answered the caller hears %s", testkit.Describe(spans))
			}
			l.inbox <- flow.Input{Kind: flow.InputResult, Serial: 4, Result: &flow.Result{Outcome: "answered"}}
			if in := <-done; in.Kind != flow.InputResult {
				t.Errorf("got %+v", in)
			}
			select {
			case d := <-relayed:
				t.Errorf("key %c by the stream was handed on, too", d)
			default:
			}
		})
	}
}

// What keys may not stop, and what says that the call is recorded, is heard whole before an
// agent is joined; all else ends.
func TestYield(t *testing.T) {
	t.Parallel()
	l, _ := inLine(t, nil)
	l.say("hello", "440x600", flow.BargeNone)
	l.say("hello", "500x8000", flow.BargeDTMF)
	notice := flow.Play{Step: "hello", Lang: "en", Parts: []tandem.Part{{Text: "800x400"}}, BargeIn: flow.BargeDTMF, Announces: "recording"}
	if err := l.Play(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	if err := l.Yield(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	spans := l.heard(440, 500, 800)
	if testkit.ToneTime(spans, 440) < 500*time.Millisecond || testkit.ToneTime(spans, 800) < 300*time.Millisecond || testkit.ToneTime(spans, 500) > 0 {
		t.Errorf("heard %s", testkit.Describe(spans))
	}
	l.say("wait", "500x8000", flow.BargeAny)
	begun := time.Now()
	if err := l.Yield(t.Context(), false); err != nil || time.Since(begun) > 200*time.Millisecond {
		t.Errorf("an announcement that keys stop holds an agent up for %v, %v", time.Since(begun), err)
	}
	l.sip <- sip.Ended{}
	l.say("hello", "440x600", flow.BargeNone)
	if err := l.Yield(t.Context(), false); err == nil {
		t.Error("the caller has left, and room was made")
	}
}
