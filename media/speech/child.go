package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"tandem/media/wav"
)

const (
	maxOutput = wav.MaxBytes // of a child's standard output, in bytes
	maxStderr = 4 << 10      // kept of what a child complains
	waitDelay = time.Second  // between killing a child and giving up its pipes
	outPlace  = "{out}"      // in an argument: a file for the audio
)

// Program is a speech engine run as a child process: text on its standard input,
// a WAV file out of it, one process per sentence.
type Program struct {
	name    string
	argv    func(lang string) []string // arguments; {out} stands for a file to write
	speaks  func(lang string) bool
	timeout time.Duration
	turn    turn
}

var _ Synthesizer = (*Program)(nil)

// NewCommand makes an engine of any program. argv is the program and its
// arguments, in which {lang} and {voice} are replaced, and {out} by the name of a
// file to which it writes its WAV; without {out} the WAV is read from its standard
// output. The text comes on standard input. timeout is for one sentence; 0 means 15 s.
func NewCommand(argv []string, voice string, timeout time.Duration) (*Program, error) {
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("a speech command needs a program")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, fmt.Errorf("finding the speech program %s: %w", argv[0], err)
	}
	args := append([]string{path}, argv[1:]...)
	return &Program{
		name: "command:" + strings.Join(args, " ") + ":" + voice,
		argv: func(lang string) []string {
			replace := strings.NewReplacer("{lang}", lang, "{voice}", voice)
			out := make([]string, len(args))
			for i, a := range args {
				out[i] = replace.Replace(a)
			}
			return out
		},
		speaks:  func(string) bool { return true },
		timeout: positive(timeout),
		turn:    newTurn(),
	}, nil
}

// NewFlite makes flite speak, English only. voice "" means slt.
func NewFlite(voice string, timeout time.Duration) (*Program, error) {
	path, err := exec.LookPath("flite")
	if err != nil {
		return nil, fmt.Errorf("finding flite: %w", err)
	}
	if voice == "" {
		voice = "slt"
	}
	return &Program{
		name: "flite:" + voice,
		// It seeks in its output, so a pipe will not do; its input may be one.
		argv:    func(string) []string { return []string{path, "-voice", voice, "-f", "/dev/stdin", "-o", outPlace} },
		speaks:  func(lang string) bool { return base(lang) == "en" },
		timeout: positive(timeout),
		turn:    newTurn(),
	}, nil
}

// NewEspeak makes espeak-ng speak the languages it lists. voice "" chooses by the
// language: cmn for zh-CN.
func NewEspeak(ctx context.Context, voice string, timeout time.Duration) (*Program, error) {
	path, err := exec.LookPath("espeak-ng")
	if err != nil {
		return nil, fmt.Errorf("finding espeak-ng: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	listed, err := run(ctx, []string{path, "--voices"}, "")
	if err != nil {
		return nil, fmt.Errorf("listing the voices of espeak-ng: %w", err)
	}
	voices := espeakVoices(listed)
	return &Program{
		name: "espeak-ng:" + voice,
		argv: func(lang string) []string {
			v := voice
			if v == "" {
				v = espeakVoice(voices, lang)
			}
			return []string{path, "-b", "1", "-v", v, "--stdin", "--stdout"}
		},
		speaks:  func(lang string) bool { return voice != "" || espeakVoice(voices, lang) != "" },
		timeout: positive(timeout),
		turn:    newTurn(),
	}, nil
}

// espeakVoices reads the languages from the second column of espeak-ng --voices.
func espeakVoices(table []byte) map[string]bool {
	voices := make(map[string]bool)
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] != "Pty" {
			voices[f[1]] = true
		}
	}
	return voices
}

// espeakVoice is the voice for a language, or "".
func espeakVoice(voices map[string]bool, lang string) string {
	lang = strings.ToLower(lang)
	try := []string{lang, base(lang)}
	switch {
	case lang == "zh-hk" || lang == "zh-mo" || base(lang) == "yue":
		try = []string{"yue-latn-jyutping", "yue"}
	case base(lang) == "zh" || base(lang) == "cmn":
		// The voice named cmn of espeak-ng 1.51 reads many characters as English
		// spellings with their tone as an English number; this one does not.
		try = []string{"cmn-latn-pinyin", "cmn"}
	case lang == "en":
		try = []string{"en-us", "en"}
	}
	for _, v := range try {
		if voices[v] {
			return v
		}
	}
	return ""
}

func positive(d time.Duration) time.Duration {
	if d <= 0 {
		return defaultTimeout
	}
	return d
}

// Name is the engine, its arguments and its voice.
func (p *Program) Name() string { return p.name }

// Speaks reports whether the program has a voice for lang.
func (p *Program) Speaks(lang string) bool { return p.speaks(lang) }

// Synthesize runs the program once.
func (p *Program) Synthesize(ctx context.Context, text, lang string) ([]int16, int, error) {
	text, err := clean(text)
	if err != nil {
		return nil, 0, err
	}
	// espeak-ng reads doubled brackets as phonemes.
	text = strings.ReplaceAll(text, "[[", "[ [")
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if err := p.turn.take(ctx); err != nil {
		return nil, 0, fmt.Errorf("waiting for %s: %w", p.program(), err)
	}
	defer p.turn.give()
	audio, err := speak(ctx, p.argv(lang), text)
	if err != nil {
		return nil, 0, fmt.Errorf("speaking with %s: %w", p.program(), err)
	}
	if len(audio.PCM) == 0 {
		return nil, 0, fmt.Errorf("speaking with %s: it gave no audio", p.program())
	}
	return audio.PCM, audio.Rate, nil
}

// program is the engine's name as told to people.
func (p *Program) program() string {
	kind, rest, _ := strings.Cut(p.name, ":")
	if kind == "command" {
		kind, _, _ = strings.Cut(rest, " ")
	}
	return filepath.Base(kind)
}

func speak(ctx context.Context, argv []string, text string) (wav.Audio, error) {
	file := ""
	for i, a := range argv {
		if !strings.Contains(a, outPlace) {
			continue
		}
		if file == "" {
			dir, err := os.MkdirTemp("", "tandem-speech-")
			if err != nil {
				return wav.Audio{}, fmt.Errorf("making a folder for its output: %w", err)
			}
			defer os.RemoveAll(dir)
			file = filepath.Join(dir, "out.wav")
		}
		argv[i] = strings.ReplaceAll(a, outPlace, file)
	}
	out, err := run(ctx, argv, text)
	if err != nil {
		return wav.Audio{}, err
	}
	if file == "" {
		return wav.Read(bytes.NewReader(out))
	}
	f, err := os.Open(file)
	if err != nil {
		return wav.Audio{}, fmt.Errorf("reading its output: %w", err)
	}
	defer f.Close()
	return wav.Read(f)
}

// run runs a program to its end, or kills it and what it started when ctx ends.
func run(ctx context.Context, argv []string, stdin string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	stdout, stderr := &bounded{max: maxOutput}, &bounded{max: maxStderr, drop: true}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Env = environment(os.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = waitDelay
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		if said := complaint(stderr.kept, stdin); said != "" {
			return nil, fmt.Errorf("%w: %s", err, said)
		}
		return nil, err
	}
	return stdout.kept, nil
}

// environment leaves out what is meant for this server: its settings and secrets.
func environment(all []string) []string {
	kept := make([]string, 0, len(all))
	for _, e := range all {
		if !strings.HasPrefix(e, "TANDEM_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// complaint is the last line of what a program said went wrong; "" where it
// repeats the text, which may be a customer's.
func complaint(stderr []byte, text string) string {
	lines := strings.Split(strings.TrimSpace(string(stderr)), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	for word := range strings.FieldsSeq(text) {
		if len(word) > 3 && strings.Contains(last, word) {
			return ""
		}
	}
	if len(last) > 200 {
		last = last[:200]
	}
	return strings.ToValidUTF8(last, "?")
}

// bounded keeps the first max bytes; more is an error, or dropped.
type bounded struct {
	kept []byte
	max  int
	drop bool
}

var errOutput = errors.New("it wrote more than a sentence can be")

func (b *bounded) Write(p []byte) (int, error) {
	room := b.max - len(b.kept)
	if len(p) > room && !b.drop {
		return 0, errOutput
	}
	b.kept = append(b.kept, p[:min(room, len(p))]...)
	return len(p), nil
}
