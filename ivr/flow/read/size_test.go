package read

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// largeFlow is a flow of n steps that looks like those designers write.
func largeFlow(n int) string {
	var b strings.Builder
	b.WriteString("flow: x\nchannels: [voice, chat, sms]\nlanguages: [en, zh-CN]\nstart: s0\nvars:\n  n: { type: int }\n  text: { type: text }\nsteps:\n")
	for i := range n {
		next := fmt.Sprintf("s%d", (i+1)%n)
		switch i % 5 {
		case 0:
			fmt.Fprintf(&b, "  s%d:\n    menu:\n      prompt: { en: \"Press 1 or 2, choice %d.\", zh-CN: \"请按1或2。\" }\n      choices:\n        - { keys: \"1\", phrases: { en: [one], zh-CN: [一] }, go: %s }\n        - { keys: \"2\", phrases: { en: [two], zh-CN: [二] }, go: s%d }\n    next: { no_input: end, no_match: repeat }\n", i, i, next, i*7%n)
		case 1:
			fmt.Fprintf(&b, "  s%d: { say: { en: \"You have ${n + %d} points, ${text}.\", zh-CN: \"您有${n}分。\" }, next: %s }\n", i, i, next)
		case 2:
			fmt.Fprintf(&b, "  s%d: { set: { n: \"n + %d\" }, next: %s }\n", i, i, next)
		case 3:
			fmt.Fprintf(&b, "  s%d: { branch: [ { if: \"channel == 'voice' and n > %d\", go: %s } ], next: { else: %s } }\n", i, i, next, next)
		case 4:
			fmt.Fprintf(&b, "  s%d:\n    collect: { prompt: { en: \"Your words?\", zh-CN: \"请讲。\" }, into: text }\n    next: { ok: %s, else: end }\n", i, next)
		}
	}
	return b.String()
}

// TestLargestFlow: the largest flow allowed is read, and time grows no worse than a
// few times with the steps.
func TestLargestFlow(t *testing.T) {
	lib, ds := readText(largeFlow(maxSteps))
	if lib == nil || len(ds) != 0 || len(lib.Flows["x"].Steps) != maxSteps {
		t.Fatalf("%d steps:\n%.2000s", maxSteps, shown(ds))
	}
	if _, ds := readText(largeFlow(maxSteps + 1)); len(ds) == 0 || ds[0].Rule != "file-size" {
		t.Errorf("one step too many:\n%.2000s", shown(ds))
	}
	read := func(n int) time.Duration {
		text, best := largeFlow(n), time.Hour
		for range 3 {
			begin := time.Now()
			readText(text)
			best = min(best, time.Since(begin))
		}
		return best
	}
	small, large := read(250), read(1000)
	if large > 16*small+100*time.Millisecond {
		t.Errorf("four times the steps take %s instead of %s: worse than their square", large, small)
	}
}

func BenchmarkRead500(b *testing.B) {
	fsys := fstest.MapFS{"x.flow.yaml": {Data: []byte(largeFlow(500))}}
	o := testOptions()
	b.SetBytes(int64(len(fsys["x.flow.yaml"].Data)))
	for b.Loop() {
		if lib, _ := FS(fsys, o); lib == nil {
			b.Fatal("not read")
		}
	}
}
