package voice

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/ivr"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/sip"
)

// slack is by how much a busy machine may be off, late how long after its time something
// may come.
const (
	slack = 250 * time.Millisecond
	late  = 4 * time.Second
)

func TestPromptsAreHeardInOrder(t *testing.T) {
	t.Parallel()
	l := newLine(t, time.Minute, nil)
	l.say("a", "440x300", flow.BargeDTMF)
	l.say("a", "1000x200", flow.BargeNone)
	l.say("b", "440x100", flow.BargeDTMF)
	if err := l.Play(t.Context(), flow.Play{Step: "b", Parts: []tandem.Part{{Text: "nobody can say this"}}}); err == nil ||
		!strings.Contains(err.Error(), "step b") {
		t.Errorf("a prompt that cannot be said: %v", err)
	}
	l.drain()
	spans := l.until(func(heard []testkit.Span) bool {
		return sounds(heard) == "440 1000 440 " && testkit.ToneTime(heard, 440) >= 360*time.Millisecond-l.skipped()
	}, 440, 1000)
	if d := testkit.ToneTime(spans, 440); d > 500*time.Millisecond {
		t.Errorf("440 Hz for %v", d)
	}
	if got := strings.Join(l.spoken, ", "); got != "440x300 true, 1000x200 true, 440x100 true" {
		t.Errorf("told of %s", got)
	}
	for i, ms := range []int{300, 200, 100} {
		p, ok := l.traces[i].(tandem.Prompted)
		if !ok || !p.Heard || p.HeardMS != ms {
			t.Errorf("journal has %+v, want %d ms heard whole", l.traces[i], ms)
		}
	}
}

func TestCutStopsWhatKeysMayStop(t *testing.T) {
	t.Parallel()
	l := newLine(t, time.Minute, nil)
	l.say("a", "440x5000", flow.BargeDTMF)
	l.say("a", "440x5000", flow.BargeAny)
	l.say("a", "1000x300", flow.BargeNone)
	l.say("a", "620x300", flow.BargeSpeech)
	l.phone.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
	l.Cut()
	l.Cut() // again changes nothing
	l.drain()
	spans := l.heard(440, 1000, 620)
	if !strings.Contains(sounds(spans), "440 1000 620 ") || testkit.ToneTime(spans, 440) > time.Second {
		t.Errorf("heard %s", testkit.Describe(spans))
	}
	want := "440x5000 false, 440x5000 false, 1000x300 true, 620x300 true"
	if got := strings.Join(l.spoken, ", "); got != want {
		t.Errorf("told of %s, want %s", got, want)
	}
	first, ok := l.traces[0].(tandem.Prompted)
	if !ok || first.Heard || first.HeardMS < 100 || first.HeardMS > 1000 {
		t.Errorf("journal has %+v of the prompt that was cut", l.traces[0])
	}
}

// A key stops the prompt within 100 ms of media time, counted at the phone from the
// first packet of the key.
func TestKeyStopsThePrompt(t *testing.T) {
	worst := 0
	for range 5 {
		l := newLine(t, time.Minute, nil)
		l.say("ask", "440x20000", flow.BargeDTMF)
		l.phone.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
		cut := make(chan flow.Input)
		go func() {
			in, _ := l.Next(t.Context(), flow.Wait{Kind: flow.WaitListen, Step: "ask", Timeout: patience}, nil, nil)
			l.Cut()
			cut <- in
		}()
		begun := l.phone.Type("5")[0]
		if in := <-cut; in.Text != "5" || in.Early {
			t.Fatalf("heard %+v", in)
		}
		if !l.phone.Wait(patience, begun, func(ps []testkit.Packet) bool { return len(ps) >= 25 }) {
			t.Fatal("nothing is sent after the key")
		}
		tone := testkit.ToneTime(testkit.Transcript(testkit.Audio(l.phone.Packets(begun)), 440), 440)
		worst = max(worst, int(tone/(20*time.Millisecond)))
	}
	t.Logf("at worst %d frames of 20 ms after the key", worst)
	if worst > 10 { // 5 on an idle machine; a busy one wakes late on both ends
		t.Errorf("the prompt went on for %d frames after the key", worst)
	}
}

func TestEarlyKeys(t *testing.T) {
	t.Parallel()
	long := func(step string, by flow.BargeIn) func(*line) {
		return func(l *line) { l.say(step, "440x5000", by) }
	}
	for _, tc := range []struct {
		name  string
		setup []func(*line)
		early bool
	}{
		{"nothing is said", nil, false},
		{"during the step's own question", []func(*line){long("ask", flow.BargeDTMF)}, false},
		{"before the question has begun", []func(*line){long("greeting", flow.BargeDTMF), long("ask", flow.BargeDTMF)}, true},
		{"during a prompt that keys do not stop", []func(*line){long("ask", flow.BargeNone)}, true},
		{"during a prompt that only speech stops", []func(*line){long("ask", flow.BargeSpeech)}, true},
		{"after what was said before was cut", []func(*line){long("greeting", flow.BargeDTMF), func(l *line) { l.Cut() }}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLine(t, time.Minute, nil)
			for _, do := range tc.setup {
				do(l)
			}
			l.phone.Type("3")
			if in := l.listen("ask"); in.Kind != flow.InputKey || in.Text != "3" || in.Via != "rfc4733" || in.Early != tc.early {
				t.Errorf("heard %+v, want early %v", in, tc.early)
			}
		})
	}
}

func TestTimeoutCountsFromTheLastPromptAndTheLastKey(t *testing.T) {
	t.Parallel()
	l := newLine(t, time.Minute, nil)
	wait := flow.Wait{Kind: flow.WaitListen, Step: "ask", Serial: 3, Timeout: 300 * time.Millisecond}
	begun := time.Now()
	l.say("ask", "440x400", flow.BargeDTMF)
	in := l.next(wait, nil)
	if d := time.Since(begun); in.Kind != flow.InputTimeout || in.Serial != 3 || d < 680*time.Millisecond || d > 700*time.Millisecond+late {
		t.Errorf("%+v after %v, want a timeout 300 ms after 400 ms of prompt", in, d)
	}
	l.phone.Type("1")
	if in := l.next(wait, nil); in.Text != "1" {
		t.Fatalf("heard %+v", in)
	}
	key := time.Now()
	if in, d := l.next(wait, nil), time.Since(key); in.Kind != flow.InputTimeout || d < 280*time.Millisecond || d > 300*time.Millisecond+late {
		t.Errorf("%+v %v after the key", in, d)
	}
	again := time.Now()
	if in, d := l.next(wait, nil), time.Since(again); in.Kind != flow.InputTimeout || d < 280*time.Millisecond {
		t.Errorf("%+v %v after the timeout before", in, d)
	}
}

func TestFillerWhileAnAnswerIsAwaited(t *testing.T) {
	t.Parallel()
	l := newLine(t, time.Minute, func(c *Config) { c.Filler = []*media.Clip{media.Tone(620, 500)} })
	answers := make(chan flow.Input, 1)
	done := make(chan flow.Input, 1)
	begun := time.Now()
	go func() {
		in, _ := l.Next(t.Context(), flow.Wait{Kind: flow.WaitHTTP, Step: "ask"}, answers, nil)
		done <- in
	}()
	l.phone.Hear(patience, begun, 620, 600*time.Millisecond) // longer than the clip: it is repeated
	if d := time.Since(begun) - 600*time.Millisecond; d < fillerAfter-slack {
		t.Errorf("the filler began after %v", d)
	}
	answers <- flow.Input{Kind: flow.InputFetched, Serial: 9}
	if in := <-done; in.Kind != flow.InputFetched || in.Serial != 9 {
		t.Errorf("got %+v", in)
	}
	l.say("next", "1000x200", flow.BargeDTMF)
	l.drain()
	if heard := l.heard(620, 1000); !strings.HasPrefix(order(heard), "0 ") || !strings.HasPrefix(sounds(heard), "620 1000 ") {
		t.Errorf("heard %s", testkit.Describe(l.heard(620, 1000)))
	}
}

// A filler that cannot be played is tried once in a wait.
func TestFillerThatCannotBePlayed(t *testing.T) {
	l := newLine(t, time.Minute, func(c *Config) { c.Filler = []*media.Clip{media.Tone(620, 500)} })
	l.stream.Close()
	wait := flow.Wait{Kind: flow.WaitHTTP}
	l.due(wait)
	l.arm(wait)
	if l.filler || l.timer.Stop() {
		t.Error("it is tried again")
	}
}

func TestQuickAnswerNeedsNoFiller(t *testing.T) {
	l := newLine(t, time.Minute, func(c *Config) { c.Filler = []*media.Clip{media.Tone(620, 500)} })
	answers := make(chan flow.Input, 1)
	answers <- flow.Input{Kind: flow.InputFetched}
	if in := l.next(flow.Wait{Kind: flow.WaitHTTP}, answers); in.Kind != flow.InputFetched {
		t.Errorf("got %+v", in)
	}
	l.say("next", "1000x200", flow.BargeDTMF)
	l.drain()
	if d := testkit.ToneTime(l.heard(620, 1000), 620); d != 0 {
		t.Errorf("the filler was heard for %v", d)
	}
}

// A phone that sends a press both by RFC 4733 and by INFO has pressed once.
func TestOnePressByTwoWays(t *testing.T) {
	t.Parallel()
	l := newLine(t, time.Minute, nil)
	l.phone.Type("5")
	l.sip <- sip.Key{Digit: '5'}
	l.sip <- sip.Key{Digit: '6'}
	l.sip <- sip.Key{Digit: '6'}
	got := ""
	for {
		in := l.next(flow.Wait{Kind: flow.WaitListen, Timeout: 500 * time.Millisecond}, nil)
		if in.Kind == flow.InputTimeout {
			break
		}
		got += in.Text
	}
	if sorted := []byte(got); len(sorted) == 3 {
		slices.Sort(sorted)
		got = string(sorted)
	}
	if got != "566" {
		t.Errorf("keys %q, want 5 once and 6 twice", got)
	}
}

func TestHoldIsTold(t *testing.T) {
	l := newLine(t, time.Minute, nil)
	l.sip <- sip.Held{On: true}
	l.sip <- sip.Held{On: false}
	l.sip <- sip.Key{Digit: '1'}
	if in := l.listen("ask"); in.Text != "1" || in.Via != "info" {
		t.Errorf("heard %+v", in)
	}
	if !slices.Equal(l.held, []bool{true, false}) {
		t.Errorf("told of hold %v", l.held)
	}
}

// Who has put us on hold is not waited for; the time begins anew once they are back.
func TestNobodyIsWaitedForOnHold(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	l := newLine(t, time.Minute, func(c *Config) { c.Now = func() time.Time { return now } })
	w := flow.Wait{Kind: flow.WaitListen, Step: "ask", Timeout: time.Hour}
	armed := func() bool {
		l.arm(w)
		return l.timer.Stop()
	}
	if !armed() {
		t.Fatal("a caller who listens is not waited for")
	}
	l.signalled(sip.Held{On: true}, w)
	if armed() {
		t.Error("the time runs on while we are on hold")
	}
	now = now.Add(2 * time.Hour)
	l.signalled(sip.Held{}, w)
	if !armed() || !l.quiet.Equal(now) {
		t.Errorf("back from hold the time counts from %v", l.quiet)
	}
}

// Keys that belong to the party they talk with are not the flow's.
func TestKeysDuringATransfer(t *testing.T) {
	answers, relayed, ahead := make(chan flow.Input, 1), "", time.Duration(0)
	hushes := []bool{}
	l := newLine(t, time.Minute, func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(ahead) }
		c.Hushed = func(on bool) { hushes = append(hushes, on) }
		c.Held = func(bool) { answers <- flow.Input{Kind: flow.InputResult} }
		c.Relay = func(digit byte) { relayed += string(digit) }
	})
	l.Hush(true)
	l.sip <- sip.Key{Digit: '1'}
	l.sip <- sip.Held{On: true} // comes after the key
	if in := l.next(flow.Wait{Kind: flow.WaitTransfer}, answers); in.Kind != flow.InputResult || relayed != "" {
		t.Errorf("got %+v, passed on %q of what is hushed", in, relayed)
	}
	l.Hush(false)
	l.sip <- sip.Key{Digit: '2'} // one more than was asked for
	l.sip <- sip.Held{}
	if in := l.next(flow.Wait{Kind: flow.WaitTransfer}, answers); in.Kind != flow.InputResult || relayed != "" || !slices.Equal(hushes, []bool{true}) {
		t.Errorf("got %+v, passed on %q right after what was hushed, told %v", in, relayed, hushes)
	}
	ahead = hushTail + time.Second
	l.due(flow.Wait{Kind: flow.WaitTransfer}) // as its timer would
	l.sip <- sip.Key{Digit: '9'}
	l.sip <- sip.Held{On: true}
	if in := l.next(flow.Wait{Kind: flow.WaitTransfer}, answers); in.Kind != flow.InputResult {
		t.Errorf("got %+v", in)
	}
	if relayed != "9" || !slices.Equal(hushes, []bool{true, false}) {
		t.Errorf("passed on %q, told %v", relayed, hushes)
	}
	l.sip <- sip.Held{}
	l.next(flow.Wait{Kind: flow.WaitTransfer}, answers)
	in := l.next(flow.Wait{Kind: flow.WaitListen, Timeout: 100 * time.Millisecond}, nil)
	if in.Kind != flow.InputTimeout {
		t.Errorf("afterwards came %+v", in)
	}
}

func TestEndsOfACall(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	for _, tc := range []struct {
		name         string
		timeout      time.Duration
		end          func(l *line, cancel context.CancelCauseFunc)
		lost, broken bool
	}{
		{"the caller hangs up", time.Minute, func(l *line, _ context.CancelCauseFunc) { l.sip <- sip.Ended{} }, false, false},
		{"the call's context ends", time.Minute, func(_ *line, cancel context.CancelCauseFunc) { cancel(gone) }, false, false},
		{"the far end falls silent", 300 * time.Millisecond, func(l *line, _ context.CancelCauseFunc) { l.phone.Quiet() }, true, false},
		{"the stream ends", time.Minute, func(l *line, _ context.CancelCauseFunc) { l.stream.Close() }, false, true},
	} {
		for _, during := range []string{"a wait", "a drain"} {
			t.Run(tc.name+" during "+during, func(t *testing.T) {
				l := newLine(t, tc.timeout, nil)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				l.say("ask", "440x20000", flow.BargeDTMF)
				l.phone.Hear(patience, time.Time{}, 440, 60*time.Millisecond)
				tc.end(l, cancel)
				var err error
				if during == "a drain" {
					err = l.Drain(ctx)
				} else {
					_, err = l.Next(ctx, flow.Wait{Kind: flow.WaitListen, Timeout: patience}, nil, nil)
				}
				if !errors.Is(err, ivr.ErrLeft) {
					t.Errorf("it gave %v", err)
				}
				if _, err := l.Next(t.Context(), flow.Wait{Kind: flow.WaitListen}, nil, nil); !errors.Is(err, ivr.ErrLeft) {
					t.Errorf("the next wait gave %v", err)
				}
				if l.Lost() != tc.lost || l.Broken() != tc.broken {
					t.Errorf("lost %v, broken %v", l.Lost(), l.Broken())
				}
			})
		}
	}
}

func TestDrainWaitsUntilAllWasHeard(t *testing.T) {
	l := newLine(t, time.Minute, nil)
	begun := time.Now()
	l.drain()
	if d := time.Since(begun); d > late {
		t.Errorf("with nothing to say it took %v", d)
	}
	l.say("bye", "440x300", flow.BargeDTMF)
	l.drain()
	if d := testkit.ToneTime(l.heard(440), 440); d > 320*time.Millisecond || d < 280*time.Millisecond-l.skipped() {
		t.Errorf("drained after %v of 300 ms", d)
	}
}
