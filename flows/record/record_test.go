package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/flows"
	"tandem/ivr/flow"
	"tandem/media/prompt"
)

// Whoever starts the demonstration without a speech engine hears everything: no
// engine takes part in this test.
func TestTheSampleIsSpokenFromRecordingsAlone(t *testing.T) {
	v, err := prompt.New(prompt.Options{Base: flows.Sample()})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	texts, err := sampleTexts()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	for _, x := range texts {
		seen[x.lang]++
		parts := []tandem.Part{{Kind: tandem.PartText, Text: x.said}}
		if err := v.Recorded(x.lang, parts); err != nil {
			t.Errorf("%s %s %q: %v; run go run ./flows/record", x.lang, x.file, x.said, err)
			continue
		}
		clips, err := v.Clips(t.Context(), x.lang, parts, "")
		if err != nil {
			t.Errorf("%s %s: %v", x.lang, x.file, err)
		}
		for _, c := range clips {
			if peak := slices.Max(c.PCM()); c.Samples() < 1200 || peak < 2000 {
				t.Errorf("%s %s: %v with peak %d: too short or too soft", x.lang, x.file, c.Duration(), peak)
			}
		}
	}
	if seen["en"] < 110 || seen["zh-CN"] < 110 {
		t.Errorf("pieces by language: %v", seen)
	}
	for lang := range seen {
		for _, word := range prompt.Vocabulary(lang) {
			clips, err := v.Clips(t.Context(), lang, []tandem.Part{{Kind: tandem.PartText, Text: word}}, "")
			if err != nil || len(clips) != 1 || slices.Max(clips[0].PCM()) < 2000 {
				t.Errorf("%s: the word %q: %v", lang, word, err)
			}
		}
	}
}

func TestTheRecordingsAreSmall(t *testing.T) {
	total := int64(0)
	err := filepath.WalkDir("..", func(path string, e os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".wav" {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		total += info.Size()
		return nil
	})
	if err != nil || total == 0 || total > 12<<20 {
		t.Errorf("%d bytes of recordings, %v; want at most 12 MiB", total, err)
	}
}

func TestTrim(t *testing.T) {
	speech := make([]int16, 800)
	for i := range speech {
		speech[i] = 5000
	}
	silence := make([]int16, 4000)
	got := trim(slices.Concat(silence, speech, silence))
	if len(got) != len(speech)+2*margin || got[0] != 0 || got[len(got)-1] != 0 || got[len(got)/2] != 5000 {
		t.Errorf("%d samples, want %d", len(got), len(speech)+2*margin)
	}
	if got := trim(speech); len(got) != len(speech) || got[0] != 0 {
		t.Errorf("speech without silence: %d samples beginning at %d", len(got), got[0])
	}
	if got := trim(silence); got != nil {
		t.Errorf("silence leaves %d samples", len(got))
	}
}

func TestFlowsLieBeside(t *testing.T) {
	if err := record(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "root of the repository") {
		t.Errorf("outside the repository: %v", err)
	}
}

// A caller who waits hears their place, the wait and the offers without an engine, whatever
// the figures.
func TestThePlaceInLineIsSpokenFromRecordingsAlone(t *testing.T) {
	v, err := prompt.New(prompt.Options{Base: flows.Sample()})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	offers := []flow.Option{{Keys: "1", Label: "callback"}, {Keys: "*2", Label: "chat"}, {Keys: "#", Label: "sms"}}
	for _, lang := range []string{"en", "zh-CN"} {
		for _, p := range []*flow.Place{
			nil, {}, {Position: 1}, {Position: 2, AtMost: time.Minute}, {Position: 12, AtMost: 2 * time.Minute}, {Position: 101, AtLeast: 2 * time.Minute, AtMost: 2 * time.Minute},
			{Position: 1234, AtLeast: 2 * time.Minute, AtMost: 95 * time.Minute},
		} {
			play := flow.Announce(lang, flow.Wait{Kind: flow.WaitQueue, Place: p, Options: offers})
			if err := v.Recorded(play.Lang, play.Parts); err != nil {
				t.Errorf("%s %q: %v", lang, flow.Text(play.Parts), err)
			}
		}
	}
}
