package speech

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Config says which engine speaks each language.
type Config struct {
	Engine    string            // for languages not listed: auto or none; "" = auto
	Languages map[string]Choice // by language tag
}

// Choice is the engine of one language.
type Choice struct {
	Engine  string        // auto, none, espeak-ng, flite, command, openai
	Command []string      // of command: see NewCommand
	URL     string        // of openai: see NewServer
	Key     string        // of openai
	Model   string        // of openai
	Voice   string        // "" = the engine's own choice
	Timeout time.Duration // for one sentence; 0 = 15 s
}

// Set is the engines of all languages. It is immutable.
type Set struct {
	byLang map[string]Synthesizer // nil = this language is not spoken
	auto   []Synthesizer          // for other languages, the better first
}

var _ Synthesizer = (*Set)(nil)

// Find makes the set that cfg describes. Left to itself (auto) it takes flite for
// English and espeak-ng for every other language, each if it is installed; with
// neither it speaks nothing, which is no error. An engine that cfg names and that
// cannot be used is an error.
func Find(ctx context.Context, cfg Config) (*Set, error) {
	s := &Set{byLang: make(map[string]Synthesizer)}
	found, err := installed(ctx)
	if err != nil {
		return nil, err
	}
	switch cfg.Engine {
	case "", "auto":
		s.auto = found
	case "none":
	default:
		return nil, fmt.Errorf("speech engine %q: use auto or none, and name engines by language", cfg.Engine)
	}
	for lang, c := range cfg.Languages {
		engine, err := choose(ctx, lang, c, found)
		if err != nil {
			return nil, fmt.Errorf("speech for %s: %w", lang, err)
		}
		s.byLang[strings.ToLower(lang)] = engine
	}
	return s, nil
}

func installed(ctx context.Context) ([]Synthesizer, error) {
	var found []Synthesizer
	flite, err := NewFlite("", 0)
	if err == nil {
		found = append(found, flite)
	} else if !errors.Is(err, exec.ErrNotFound) {
		return nil, err
	}
	espeak, err := NewEspeak(ctx, "", 0)
	if err == nil {
		found = append(found, espeak)
	} else if !errors.Is(err, exec.ErrNotFound) {
		return nil, err
	}
	return found, nil
}

func choose(ctx context.Context, lang string, c Choice, found []Synthesizer) (Synthesizer, error) {
	var engine Synthesizer
	var err error
	switch c.Engine {
	case "", "auto":
		return first(found, lang), nil
	case "none":
		return nil, nil
	case "flite":
		engine, err = NewFlite(c.Voice, c.Timeout)
	case "espeak-ng":
		engine, err = NewEspeak(ctx, c.Voice, c.Timeout)
	case "command":
		engine, err = NewCommand(c.Command, c.Voice, c.Timeout)
	case "openai":
		engine, err = NewServer(c.URL, c.Key, c.Model, c.Voice, c.Timeout)
	default:
		return nil, fmt.Errorf("engine %q: use auto, none, espeak-ng, flite, command or openai", c.Engine)
	}
	if err != nil {
		return nil, err
	}
	if !engine.Speaks(lang) {
		return nil, fmt.Errorf("%s: %w", c.Engine, ErrLanguage)
	}
	return engine, nil
}

func first(engines []Synthesizer, lang string) Synthesizer {
	for _, e := range engines {
		if e.Speaks(lang) {
			return e
		}
	}
	return nil
}

// engine is what speaks lang, or nil: by the whole tag, by the language without
// its region, then by what is installed.
func (s *Set) engine(lang string) Synthesizer {
	if e, ok := s.byLang[strings.ToLower(lang)]; ok {
		return e
	}
	if e, ok := s.byLang[base(lang)]; ok {
		return e
	}
	return first(s.auto, lang)
}

// Speaks reports whether some engine speaks lang.
func (s *Set) Speaks(lang string) bool { return s.engine(lang) != nil }

// Engine names what speaks lang, or "".
func (s *Set) Engine(lang string) string {
	if e := s.engine(lang); e != nil {
		return e.Name()
	}
	return ""
}

// Name is the names of all engines, sorted by language.
func (s *Set) Name() string {
	var names []string
	for lang, e := range s.byLang {
		if e != nil {
			names = append(names, lang+"="+e.Name())
		}
	}
	slices.Sort(names)
	for _, e := range s.auto {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// Synthesize speaks with the engine of the language; ErrLanguage if there is none.
func (s *Set) Synthesize(ctx context.Context, text, lang string) ([]int16, int, error) {
	e := s.engine(lang)
	if e == nil {
		return nil, 0, fmt.Errorf("%w: %s", ErrLanguage, lang)
	}
	return e.Synthesize(ctx, text, lang)
}
