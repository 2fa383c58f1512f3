// Command record makes the recordings that come with Tandem, anew and in place: the
// pieces of the sample flows and the vocabulary of numbers, amounts, dates and times,
// spoken by flite (English) and espeak-ng (Mandarin). Run it in the root of the
// repository:
//
//	go run ./flows/record
//
// It writes 8 kHz mu-law WAV files without silence at their ends, and the indexes.
// What has not changed is not written; files that no index names are removed.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"tandem/media/codec"
	"tandem/media/prompt"
	"tandem/media/speech"
	"tandem/media/wav"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := record(ctx, "flows"); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(ctx context.Context, root string) error {
	if _, err := os.Stat(filepath.Join(root, "flows.go")); err != nil {
		return errors.New("run it in the root of the repository: go run ./flows/record")
	}
	texts, err := sampleTexts()
	if err != nil {
		return err
	}
	engines, err := engines(ctx)
	if err != nil {
		return err
	}
	for _, lang := range []string{"en", "zh-CN"} {
		b := book{lang: lang, dir: filepath.Join(root, "prompts", lang), engine: engines[lang]}
		for _, t := range texts {
			if t.lang == lang {
				if err := b.text(ctx, t); err != nil {
					return err
				}
			}
		}
		for _, w := range prompt.Vocabulary(lang) {
			if err := b.word(ctx, w); err != nil {
				return err
			}
		}
		if err := b.close(); err != nil {
			return err
		}
		fmt.Printf("%s: %d recordings, %d KiB\n", lang, len(b.lines), b.size>>10)
	}
	return nil
}

func engines(ctx context.Context) (map[string]speech.Synthesizer, error) {
	flite, err := speech.NewFlite("slt", 0)
	if err != nil {
		return nil, err
	}
	espeak, err := speech.NewEspeak(ctx, "", 0)
	if err != nil {
		return nil, err
	}
	return map[string]speech.Synthesizer{"en": flite, "zh-CN": espeak}, nil
}

// book is the recordings of one language under way.
type book struct {
	lang   string
	dir    string
	engine speech.Synthesizer
	lines  []string // of the index
	said   []string // texts so far
	files  []string
	size   int
}

// text records a piece of a prompt; punctuation alone makes no sound, and what is a word of
// the vocabulary is recorded as that.
func (b *book) text(ctx context.Context, t text) error {
	const silent = " .,;:!?，。；：！？、"
	said := strings.TrimLeft(strings.Join(strings.Fields(t.said), " "), silent)
	bare := strings.ToLower(strings.Trim(said, silent))
	if bare == "" || slices.Contains(b.said, said) || slices.Contains(prompt.Vocabulary(b.lang), bare) {
		return nil
	}
	b.said = append(b.said, said)
	return b.add(ctx, said, said, t.file+".wav")
}

func (b *book) word(ctx context.Context, word string) error {
	name := strings.ReplaceAll(word, " ", "-")
	if b.lang != "en" {
		name = ""
		for _, r := range word {
			name += fmt.Sprintf("%04x", r)
		}
	}
	return b.add(ctx, word, spelling(b.lang, word), "words/"+name+".wav")
}

// spelling is how an engine is asked for a word that it would say wrongly.
func spelling(lang, word string) string {
	if lang == "en" {
		switch word {
		case "a m":
			return "ay em"
		case "p m":
			return "pea em"
		case "a", "b", "c", "d":
			return strings.ToUpper(word) + "."
		case "yuan":
			return "you ahn"
		}
	}
	return word
}

func (b *book) add(ctx context.Context, said, spelled, file string) error {
	pcm, rate, err := b.engine.Synthesize(ctx, spelled, b.lang)
	if err != nil {
		return fmt.Errorf("recording %s %s: %w", b.lang, file, err)
	}
	var out bytes.Buffer
	audio := wav.Audio{Rate: codec.Rate, PCM: trim(prompt.Resample(pcm, rate, codec.Rate))}
	if err := wav.WriteLaw(&out, audio, codec.PCMU); err != nil {
		return err
	}
	b.size += out.Len()
	b.files = append(b.files, file)
	b.lines = append(b.lines, fmt.Sprintf("%q: %s\n", said, file))
	return write(filepath.Join(b.dir, file), out.Bytes())
}

// close writes the index and removes what it does not name.
func (b *book) close() error {
	index := "# What is said, and the recording of it. Made by go run ./flows/record.\n" + strings.Join(b.lines, "")
	if err := write(filepath.Join(b.dir, "index.yaml"), []byte(index)); err != nil {
		return err
	}
	return filepath.WalkDir(b.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".wav" {
			return err
		}
		rel, err := filepath.Rel(b.dir, path)
		if err != nil || slices.Contains(b.files, filepath.ToSlash(rel)) {
			return err
		}
		return os.Remove(path)
	})
}

// write leaves a file alone that has this content already.
func write(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

const (
	quiet  = 60               // a peak below this is silence: -55 dB
	margin = codec.Rate / 50  // 20 ms kept before and after
	fade   = codec.Rate / 200 // 5 ms
)

// trim takes silence off both ends, so that joined words follow each other as in
// speech, and lets the rest begin and end softly.
func trim(pcm []int16) []int16 {
	loud := func(s int16) bool { return s > quiet || s < -quiet }
	first := slices.IndexFunc(pcm, loud)
	if first < 0 {
		return nil
	}
	last := len(pcm) - 1
	for !loud(pcm[last]) {
		last--
	}
	out := slices.Clone(pcm[max(0, first-margin):min(len(pcm), last+1+margin)])
	for i := range min(fade, len(out)) {
		out[i] = int16(int(out[i]) * i / fade)
		out[len(out)-1-i] = int16(int(out[len(out)-1-i]) * i / fade)
	}
	return out
}
