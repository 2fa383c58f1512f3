// Package speech turns text into audio by engines that are not part of Tandem:
// programs run as child processes and servers asked over HTTP. Which engine speaks
// which language is a Set, made by Find.
//
// It starts no goroutine that outlives a call of Synthesize. It never hands text to
// a shell, never puts it in an argument list, never logs it or a key, and never
// waits longer than its timeout for an engine.
package speech

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Synthesizer speaks text.
type Synthesizer interface {
	// Synthesize speaks text, in a language by its BCP 47 tag (en, zh-CN). pcm is
	// mono at rate samples per second. Errors never hold the text.
	Synthesize(ctx context.Context, text, lang string) (pcm []int16, rate int, err error)
	// Speaks reports whether the language can be asked for.
	Speaks(lang string) bool
	// Name tells this engine and voice from every other: what it spoke may be kept
	// under it.
	Name() string
}

const (
	// MaxText is the most text spoken in one go, in bytes: some five minutes.
	MaxText = 4000
	// defaultTimeout bounds one sentence of a child process or server; callers hear
	// silence meanwhile.
	defaultTimeout = 15 * time.Second
	// parallel is how many sentences one engine speaks at once; more wait for their
	// turn as long as their context allows.
	parallel = 4
)

var (
	// ErrLanguage is a language no engine speaks.
	ErrLanguage = errors.New("no speech engine for this language")
	// ErrText is text that cannot be spoken: nothing to say, or too much.
	ErrText = errors.New("text cannot be spoken")
)

// clean makes text fit for an engine: valid UTF-8 on one line without control
// characters.
func clean(text string) (string, error) {
	if len(text) > MaxText {
		return "", fmt.Errorf("%w: %d bytes are more than %d", ErrText, len(text), MaxText)
	}
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("%w: it is not UTF-8", ErrText)
	}
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
	if text == "" {
		return "", fmt.Errorf("%w: it is empty", ErrText)
	}
	return text, nil
}

// base is the language of a tag without region and script: zh of zh-CN.
func base(lang string) string {
	b, _, _ := strings.Cut(strings.ToLower(lang), "-")
	return b
}

// turn is a bounded number of places; who holds one may use the engine.
type turn chan struct{}

func newTurn() turn { return make(turn, parallel) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t turn) give() { <-t }
