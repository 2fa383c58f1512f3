package read

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/program"
	"tandem/ivr/flow/source"
)

// largeFlow is a flow of n steps that looks like those designers write, with every verb
// that goes on by itself.
func largeFlow(n int) string {
	var b strings.Builder
	b.WriteString("flow: x\nchannels: [voice, chat, sms]\nlanguages: [en, zh-CN]\nstart: s0\nvars:\n  n: { type: int }\n  text: { type: text }\nsteps:\n")
	for i := range n {
		next := fmt.Sprintf("s%d", (i+1)%n)
		switch i % 9 {
		case 0:
			fmt.Fprintf(&b, "  s%d:\n    menu:\n      prompt: { en: \"Press 1 or 2, choice %d.\", zh-CN: \"请按1或2。\" }\n      choices:\n        - { keys: \"1\", phrases: { en: [one], zh-CN: [一] }, go: %s }\n        - { keys: \"2\", phrases: { en: [two], zh-CN: [二] }, go: s%d }\n    next: { no_input: end, no_match: repeat }\n", i, i, next, i*7%n)
		case 1:
			fmt.Fprintf(&b, "  s%d: { say: { en: \"You have ${n + %d} points, ${text}.\", zh-CN: \"您有${n}分。\" }, next: %s }\n", i, i, next)
		case 2:
			fmt.Fprintf(&b, "  s%d: { set: { n: \"n + %d\" }, next: %s }\n", i, i, next)
		case 3:
			fmt.Fprintf(&b, "  s%d: { branch: [ { if: \"channel == 'voice' and n > %d\", go: %s } ], next: { else: %s } }\n", i, i, next, next)
		case 4:
			fmt.Fprintf(&b, "  s%d:\n    collect: { prompt: { en: \"Your words?\", zh-CN: \"请写。\" }, into: text }\n    next: { ok: %s, else: end }\n", i, next)
		case 5:
			fmt.Fprintf(&b, "  s%d: { identify: { level: verified, by: [code] }, next: { passed: %s, else: s%d } }\n", i, next, i-1)
		case 6:
			fmt.Fprintf(&b, "  s%d: { message: { prompt: { en: \"You have ${n}.\", zh-CN: \"您有${n}。\" } }, next: %s }\n", i, next)
		case 7:
			fmt.Fprintf(&b, "  s%d: { queue: { name: cards, priority: \"n > %d ? 60s : 0s\", offer: { chat: \"2\", sms: \"3\" } }, next: { answered: %s, else: s%d } }\n", i, i, next, i-3)
		case 8:
			fmt.Fprintf(&b, "  s%d: { handoff: { to: chat, prompt: { en: \"Here.\", zh-CN: \"请看。\" } }, next: { accepted: %s, else: s%d } }\n", i, next, i-4)
		}
	}
	return b.String()
}

// readLarge reads a large flow and the queue that it uses.
func readLarge(text string) (*flow.Library, []source.Diagnostic) {
	return FS(fstest.MapFS{"x.flow.yaml": {Data: []byte(text)}, "c.queues.yaml": {Data: []byte("queues: { cards: { teams: [cards], target: { voice: 20s } } }\nteams: { cards: {} }\nagents: { anna: { teams: [cards] } }\n")}}, testOptions())
}

// TestLargestFlow: the largest flow allowed is read, and time grows no worse than a
// few times with the steps.
func TestLargestFlow(t *testing.T) {
	lib, ds := readLarge(largeFlow(program.MaxSteps))
	if lib == nil || len(ds) != 0 || len(lib.Flows["x"].Steps) != program.MaxSteps {
		t.Fatalf("%d steps:\n%.2000s", program.MaxSteps, shown(ds))
	}
	if _, ds := readLarge(largeFlow(program.MaxSteps + 1)); len(ds) == 0 || ds[0].Rule != "file-size" {
		t.Errorf("one step too many:\n%.2000s", shown(ds))
	}
	read := func(n int) time.Duration {
		text, best := largeFlow(n), time.Hour
		for range 3 {
			begin := worked(t)
			readLarge(text)
			best = min(best, worked(t)-begin)
		}
		return best
	}
	small, large := read(250), read(1000)
	if large > 16*small+100*time.Millisecond {
		t.Errorf("four times the steps take %s instead of %s: worse than their square", large, small)
	}
}

// worked is how long this program has had a processor: what others do on the machine does
// not count.
func worked(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Five hundred steps are read and checked before a designer has looked up: BenchmarkRead500
// says how long it takes. The bound, of work and not of time, finds what has become several
// times slower.
func TestFiveHundredSteps(t *testing.T) {
	text, best := largeFlow(500), time.Hour
	for range 5 {
		begin := worked(t)
		if lib, ds := readLarge(text); lib == nil {
			t.Fatalf("%.2000s", shown(ds))
		}
		best = min(best, worked(t)-begin)
	}
	bound := 500 * time.Millisecond
	if raced {
		bound *= 10
	}
	t.Logf("%s of work", best)
	if best > bound {
		t.Errorf("took %s of work", best)
	}
}

func BenchmarkRead500(b *testing.B) {
	text := largeFlow(500)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if lib, _ := readLarge(text); lib == nil {
			b.Fatal("not read")
		}
	}
}
