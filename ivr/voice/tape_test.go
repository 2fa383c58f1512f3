package voice

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/ivr"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/media/codec"
	"tandem/sip"
)

// box is a Tape that keeps what it gets in memory, or fails where it is told to.
type box struct {
	failOpen, failWrite, failKeep error
	panics                        bool // in Keep

	mu      sync.Mutex
	news    chan struct{} // closed at the next writing
	data    []byte
	kept    time.Duration
	dropped bool
}

func (b *box) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	if b.news != nil {
		close(b.news)
		b.news = nil
	}
	return len(p), b.failWrite
}

// wait waits until a tone was on the tape for so long, or nothing more can be.
func (b *box) wait(t *testing.T, hz int, long time.Duration) {
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		has := testkit.ToneTime(b.spans(hz), hz)
		if has >= long || b.failWrite != nil && len(b.data) > 0 {
			b.mu.Unlock()
			return
		}
		if b.news == nil {
			b.news = make(chan struct{})
		}
		news := b.news
		b.mu.Unlock()
		select {
		case <-news:
		case <-deadline:
			t.Errorf("%d Hz was on the tape for %v", hz, has)
			return
		}
	}
}
func (b *box) Law() codec.Law { return codec.PCMU }
func (b *box) Keep(_ context.Context, length time.Duration) (tandem.BlobID, error) {
	if b.panics {
		panic("keeping")
	}
	if b.failKeep == nil {
		b.kept = length
	}
	return "blob_7", b.failKeep
}
func (b *box) Drop() { b.dropped = true }

// spans is what is on the tape.
func (b *box) spans(hz ...int) []testkit.Span {
	pcm := make([]int16, len(b.data))
	codec.PCMU.Decode(pcm, b.data)
	return testkit.Transcript(pcm, hz...)
}

// taped asks a line for a voicemail of at most max, after a prompt, with a beep.
func taped(t *testing.T, b *box, max time.Duration) *line {
	l := newLine(t, time.Minute, func(c *Config) {
		c.Beep = []*media.Clip{media.Tone(1000, 200)}
		c.Tape = func(flow.Record) (Tape, error) {
			if b.failOpen != nil {
				return nil, b.failOpen
			}
			return b, nil
		}
	})
	l.box = b
	l.say("mail", "440x200", flow.BargeDTMF)
	l.Record(flow.Record{Serial: 4, Step: "mail", Max: max})
	return l
}

var mailWait = flow.Wait{Kind: flow.WaitVoicemail, Serial: 4, Step: "mail"}

func TestVoicemail(t *testing.T) {
	t.Parallel()
	disk := errors.New("disk full")
	for _, tc := range []struct {
		name    string
		box     *box
		max     time.Duration
		caller  func(l *line) // from the beep on
		outcome string
		kept    time.Duration // at least; 0 = not at all
		left    bool
	}{
		{
			name: "a key ends it", max: time.Minute, outcome: "left", kept: spoken,
			caller: func(l *line) { speak(l); l.phone.Type("#") },
		},
		{
			name: "its longest time ends it", max: 2 * time.Second, outcome: "left", kept: 3 * spoken,
			caller: speak,
		},
		{
			name: "a hang-up keeps it", max: time.Minute, left: true, kept: spoken,
			caller: func(l *line) { speak(l); l.sip <- sip.Ended{} },
		},
		{name: "silence is too short", max: 600 * time.Millisecond, outcome: "too_short", caller: func(*line) {}},
		{name: "it cannot be opened", box: &box{failOpen: disk}, max: time.Minute, caller: func(*line) {}},
		{
			name: "it cannot be written", box: &box{failWrite: disk}, max: time.Minute,
			caller: func(l *line) { speak(l); l.phone.Type("#") },
		},
		{
			name: "it cannot be kept", box: &box{failKeep: disk}, max: time.Minute,
			caller: func(l *line) { speak(l); l.phone.Type("#") },
		},
		{
			name: "it cannot be kept after a hang-up", box: &box{failKeep: disk}, max: time.Minute, left: true,
			caller: func(l *line) { speak(l); l.sip <- sip.Ended{} },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := tc.box
			if b == nil {
				b = &box{}
			}
			l := taped(t, b, tc.max)
			var caller sync.WaitGroup
			caller.Go(func() {
				if l.phone.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool {
					return testkit.ToneTime(testkit.Transcript(testkit.Audio(ps), 440, 1000), 1000) >= 160*time.Millisecond
				}) {
					tc.caller(l)
				}
			})
			in, err := l.Next(t.Context(), mailWait, nil, nil)
			caller.Wait()
			failing := b.failOpen != nil || b.failWrite != nil || b.failKeep != nil
			switch {
			case tc.left:
				if !errors.Is(err, ivr.ErrLeft) {
					t.Errorf("it gave %+v, %v", in, err)
				}
			case failing:
				if err != nil || in.Kind != flow.InputFault || !strings.Contains(in.Text, "disk full") {
					t.Errorf("it gave %+v, %v", in, err)
				}
			case err != nil || in.Kind != flow.InputResult || in.Serial != 4 || in.Result.Outcome != tc.outcome:
				t.Errorf("it gave %+v, %v, want outcome %s", in, err, tc.outcome)
			}
			if b.kept < tc.kept || tc.kept == 0 && b.kept > 0 {
				t.Errorf("kept %v, want %v", b.kept, tc.kept)
			}
			if want := b.kept == 0 && b.failOpen == nil && b.failKeep == nil; b.dropped != want {
				t.Errorf("dropped %v", b.dropped)
			}
			if tone := testkit.ToneTime(b.spans(700, 1000), 700); b.kept > 0 && tone < spoken-100*time.Millisecond {
				t.Errorf("on the tape: %s", testkit.Describe(b.spans(700, 1000)))
			}
			if tone := testkit.ToneTime(b.spans(700, 1000), 1000); tone > 0 {
				t.Errorf("the beep is on the tape for %v", tone)
			}
			l.until(func(heard []testkit.Span) bool { return strings.HasPrefix(sounds(heard), "440 1000 ") }, 440, 1000)
			if tc.left {
				told := false
				for _, e := range l.traces {
					fault, ok := e.(tandem.FlowFault)
					told = told || ok && fault.Step == "mail" && strings.Contains(fault.Message, "disk full")
				}
				if told != failing {
					t.Errorf("the journal has %+v", l.traces)
				}
				return
			}
			l.say("after", "620x100", flow.BargeDTMF) // the call itself is unharmed
			l.until(func(heard []testkit.Span) bool { return testkit.ToneTime(heard, 620) > 0 }, 620)
			l.drain()
		})
	}
}

// A recording for a variable ends with # alone, and a caller who hangs up has said what
// they wanted to.
func TestRecording(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		max     time.Duration // 0 = a minute
		caller  func(l *line)
		outcome string
		left    bool
	}{
		{name: "# ends it", outcome: "done", caller: func(l *line) { speak(l); l.phone.Type("5#") }},
		{name: "a hang-up keeps it", outcome: "done", left: true, caller: func(l *line) { speak(l); l.sip <- sip.Ended{} }},
		{name: "silence is too short", max: 600 * time.Millisecond, outcome: "too_short", caller: func(*line) {}},
		{name: "a hang-up at the beep is too short", outcome: "too_short", left: true, caller: func(l *line) { l.sip <- sip.Ended{} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := &box{}
			l := taped(t, b, time.Minute)
			l.Record(flow.Record{Serial: 4, Step: "mail", Into: "said", Max: cmp.Or(tc.max, time.Minute)})
			var caller sync.WaitGroup
			caller.Go(func() {
				if l.phone.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool {
					return testkit.ToneTime(testkit.Transcript(testkit.Audio(ps), 440, 1000), 1000) >= 160*time.Millisecond
				}) {
					tc.caller(l)
				}
			})
			in, err := l.Next(t.Context(), flow.Wait{Kind: flow.WaitRecord, Serial: 4, Step: "mail"}, nil, nil)
			caller.Wait()
			if tc.left != errors.Is(err, ivr.ErrLeft) || in.Kind != flow.InputResult || in.Serial != 4 || in.Result.Outcome != tc.outcome {
				t.Fatalf("it gave %+v %+v, %v", in, in.Result, err)
			}
			if kept := b.kept > 0; kept != (tc.outcome == "done") || kept != (in.Result.Value == "blob_7") || kept && b.dropped {
				t.Errorf("kept %v, dropped %v, gave %v", b.kept, b.dropped, in.Result.Value)
			}
			if tc.left {
				if in, err := l.Next(t.Context(), mailWait, nil, nil); !errors.Is(err, ivr.ErrLeft) || in.Result != nil {
					t.Errorf("then it gave %+v, %v", in, err)
				}
			}
		})
	}
}

// spoken is how long callers of these tests speak.
const spoken = 500 * time.Millisecond

// speak says 700 Hz until that much of it is on the tape.
func speak(l *line) {
	l.phone.Talk(testkit.Tone(700, time.Second))
	l.box.wait(l.t, 700, spoken)
	l.phone.Talk(testkit.Silence(time.Second))
}

// What is pressed while a voicemail is announced is the flow's.
func TestKeyBeforeTheBeep(t *testing.T) {
	l := newLine(t, time.Minute, nil)
	l.say("mail", "440x5000", flow.BargeDTMF)
	l.Record(flow.Record{Serial: 4, Step: "mail", Max: time.Minute})
	l.phone.Type("*")
	if in := l.next(mailWait, nil); in.Kind != flow.InputKey || in.Text != "*" {
		t.Errorf("got %+v", in)
	}
}

// A voicemail that nothing has ended is dropped with its call, and with the next one.
func TestUnfinishedVoicemailIsDropped(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(l *line){
		"the call is over": func(l *line) { l.Close() },
		"another begins":   func(l *line) { l.Record(flow.Record{Serial: 5, Step: "mail", Max: time.Minute}) },
		"keeping panics": func(l *line) {
			defer l.Close()
			defer func() { _ = recover() }()
			speak(l)
			l.taping.until = time.Now()
			l.tape()
			t.Error("it was kept")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := &box{panics: true}
			l := newLine(t, time.Minute, func(c *Config) { c.Tape = func(flow.Record) (Tape, error) { return b, nil } })
			l.box = b
			l.Record(flow.Record{Serial: 4, Step: "mail", Max: time.Minute})
			if in, done := l.tape(); done || b.dropped {
				t.Fatalf("it began with %+v", in)
			}
			end(l)
			if !b.dropped || b.kept != 0 {
				t.Errorf("dropped %v, kept %v", b.dropped, b.kept)
			}
		})
	}
}
