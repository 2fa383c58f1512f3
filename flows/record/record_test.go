package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/flows"
	"tandem/media/prompt"
	"tandem/media/wav"
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
	if seen["en"] < 25 || seen["zh-CN"] < 25 {
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
	if err != nil || total == 0 || total > 4<<20 {
		t.Errorf("%d bytes of recordings, %v; want at most 4 MiB", total, err)
	}
}

// The interop tests know a prompt by its tone.
func TestTones(t *testing.T) {
	fsys, err := flows.Interop()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]struct {
		hz float64
		ms int
	}{
		"a": {440, 12000}, "b": {620, 6000}, "loop": {1130, 4000}, "hello": {1040, 1000}, "short": {560, 2000},
		"ask": {500, 1000}, "right": {1750, 1000}, "quiet": {0, 20},
	}
	for name, want := range all {
		f, err := fsys.Open("tones/" + name + ".wav")
		if err != nil {
			t.Error(err)
			continue
		}
		audio, err := wav.Read(f)
		f.Close()
		if err != nil || audio.Rate != 8000 || len(audio.PCM) != want.ms*8 {
			t.Errorf("%s: %d samples at %d Hz, %v; want %d ms", name, len(audio.PCM), audio.Rate, err, want.ms)
			continue
		}
		for _, other := range all {
			if other.hz == 0 {
				continue
			}
			share := power(audio.PCM, other.hz)
			if other.hz == want.hz && share < 0.98 || other.hz != want.hz && share > 0.01 {
				t.Errorf("%s: %.3f of its power is at %g Hz", name, share, other.hz)
			}
		}
	}
}

// power is the share of the power of pcm at one frequency.
func power(pcm []int16, hz float64) float64 {
	re, im, sum := 0.0, 0.0, 1e-9
	for i, s := range pcm {
		x, at := float64(s), 2*math.Pi*hz*float64(i)/8000
		re, im, sum = re+x*math.Cos(at), im+x*math.Sin(at), sum+x*x
	}
	return 2 * (re*re + im*im) / float64(len(pcm)) / sum
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
