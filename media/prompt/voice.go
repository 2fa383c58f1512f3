package prompt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"tandem"
	"tandem/media"
	"tandem/media/speech"
	"tandem/media/wav"
)

const (
	// defaultMemory is the bytes of clips kept in memory: some 35 minutes.
	defaultMemory = 64 << 20
	// defaultDisk is the bytes of spoken texts kept on disk: some 4.6 hours.
	defaultDisk = 256 << 20
	// maxFile is the largest audio file read, in bytes.
	maxFile = wav.MaxBytes + 1<<20
	// maxKnown is how many designer's texts Warm remembers as fit for the disk.
	maxKnown = 100_000
)

var (
	// ErrNoVoice is a prompt that neither a recording nor an engine can speak.
	ErrNoVoice = errors.New("nothing can speak this prompt")
	// ErrNoFile is a prompt whose audio file is missing or cannot be read and that
	// has no text to speak instead.
	ErrNoFile = errors.New("the prompt's audio file cannot be played")
)

// Options is what a Voice is made of.
type Options struct {
	Dir      fs.FS              // the flows folder: audio files, and recordings under prompts/; nil = none
	Base     fs.FS              // recordings that come with the program, used where Dir has none; nil = none
	Synth    speech.Synthesizer // nil = no engine
	CacheDir string             // folder for spoken texts; "" = memory only
	Memory   int                // bytes of clips kept in memory; 0 = 64 MiB
	Disk     int64              // bytes kept in CacheDir; 0 = 256 MiB
	Log      *slog.Logger       // nil = none
	Panicked func(p any)        // told of a panic that lost one prompt, where it happened; nil = nobody
}

// Voice speaks prompts. It is safe for any number of goroutines.
type Voice struct {
	dir, base fs.FS
	synth     speech.Synthesizer
	log       *slog.Logger
	clips     *cache
	disk      *disk // nil = none
	stop      context.CancelFunc
	sounds    sounds

	library atomic.Pointer[library]
	reload  sync.Mutex // one Reload at a time

	mu     sync.Mutex      // guards what follows
	known  map[string]bool // language and text of prompts that hold no value
	warned map[string]bool // audio files complained about
}

// library is one consistent reading of the recordings.
type library struct {
	dir, base map[string]index
}

// New makes a Voice. A wrong index is an error that lists every mistake with file
// and line.
func New(o Options) (*Voice, error) {
	ctx, stop := context.WithCancel(context.Background())
	v := &Voice{
		dir: o.Dir, base: o.Base, synth: o.Synth, log: o.Log, stop: stop,
		known: make(map[string]bool), warned: make(map[string]bool),
	}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	if o.Disk <= 0 {
		o.Disk = defaultDisk
	}
	v.clips = newCache(ctx, o.Memory)
	v.clips.panicked = o.Panicked
	if o.CacheDir != "" {
		v.disk = &disk{dir: o.CacheDir, max: o.Disk}
	}
	if err := v.Reload(); err != nil {
		stop()
		return nil, err
	}
	return v, nil
}

// Reload reads the recordings' indexes again. On an error the former reading
// stays in use.
func (v *Voice) Reload() error {
	v.reload.Lock()
	defer v.reload.Unlock()
	dir, errDir := readIndexes(v.dir, true)
	base, errBase := readIndexes(v.base, false)
	if err := errors.Join(errDir, errBase); err != nil {
		return &tandem.Error{Code: tandem.CodeInvalid, Message: err.Error(), Err: err}
	}
	v.library.Store(&library{dir: dir, base: base})
	v.mu.Lock()
	clear(v.warned)
	v.mu.Unlock()
	return nil
}

// Close ends what engines are speaking and waits for it. Clips given out stay good.
func (v *Voice) Close() {
	v.stop()
	v.clips.close()
}

// Clips returns what to play for a prompt, in order: its audio file if it names
// one that can be read; else recordings, if every piece has one; else what an engine
// makes of the whole sentence. Nothing to say gives no clips. ErrNoVoice and
// ErrNoFile say what to do about it; their text holds no customer's data.
func (v *Voice) Clips(ctx context.Context, lang string, parts []tandem.Part, audio string) ([]*media.Clip, error) {
	if audio != "" {
		clip, err := v.file(ctx, audio)
		if err == nil {
			return []*media.Clip{clip}, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if mute(parts) {
			return nil, &tandem.Error{Code: tandem.CodeInvalid, Err: errors.Join(ErrNoFile, err), Message: fmt.Sprintf(
				"%v: %s (%v); put it into the flows folder, or give the prompt a text too", ErrNoFile, audio, err)}
		}
		v.warnOnce(audio, err)
	}
	if mute(parts) {
		return nil, nil
	}
	found, missing := v.recorded(lang, parts)
	if missing == "" {
		return v.load(ctx, found)
	}
	if v.synth == nil || !v.synth.Speaks(lang) {
		return nil, v.noVoice(lang, missing)
	}
	clip, err := v.spoken(ctx, lang, sentence(lang, parts))
	if err != nil {
		return nil, fmt.Errorf("speaking a prompt in %s: %w", lang, err)
	}
	return []*media.Clip{clip}, nil
}

// Recorded is nil if a prompt can be spoken from recordings alone, else an
// ErrNoVoice that names the first piece without one.
func (v *Voice) Recorded(lang string, parts []tandem.Part) error {
	if _, missing := v.recorded(lang, parts); missing != "" {
		return v.noVoice(lang, missing)
	}
	return nil
}

// Warm prepares texts of the flows that hold no values: they are spoken and kept, on
// disk too, before the first caller asks. It returns when all is done or ctx ends,
// with the first error; texts that nothing can speak are passed over, since the
// call that needs one will say so.
func (v *Voice) Warm(ctx context.Context, lang string, texts []string) error {
	var first error
	for _, text := range texts {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		v.know(lang, text)
		_, err := v.Clips(ctx, lang, []tandem.Part{{Kind: tandem.PartText, Text: text}}, "")
		if err != nil && !errors.Is(err, ErrNoVoice) && first == nil {
			first = fmt.Errorf("preparing prompts: %w", err)
		}
	}
	return first
}

func (v *Voice) know(lang, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) < maxKnown {
		v.known[lang+"\x00"+text] = true
	}
}

func (v *Voice) knows(lang, text string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.known[lang+"\x00"+text]
}

func (v *Voice) warnOnce(file string, err error) {
	v.mu.Lock()
	again := v.warned[file]
	if len(v.warned) < maxKnown {
		v.warned[file] = true
	}
	v.mu.Unlock()
	if !again {
		v.log.Warn("a prompt's audio file cannot be played; its text is spoken instead", "file", file, "error", err)
	}
}

// mute reports whether parts have nothing to be heard.
func mute(parts []tandem.Part) bool {
	for _, p := range parts {
		if p.Kind != tandem.PartText && p.Value != "" || normalise(p.Text) != "" {
			return false
		}
	}
	return true
}

// recorded finds the recordings of a prompt, or the first piece that has none.
func (v *Voice) recorded(lang string, parts []tandem.Part) (found []recording, missing string) {
	for _, p := range parts {
		words := []string{p.Text}
		if p.Kind != tandem.PartText && p.Kind != "" {
			said, err := Words(lang, p)
			if err != nil {
				return nil, "a value of kind " + string(p.Kind)
			}
			words = said
		}
		for _, w := range words {
			key := normalise(w)
			if key == "" {
				continue
			}
			r, ok := v.lookup(lang, key)
			switch {
			case ok:
				found = append(found, r)
			case p.Kind != tandem.PartText && p.Kind != "":
				return nil, "the word " + w // of the vocabulary
			case v.knows(lang, p.Text):
				return nil, fmt.Sprintf("%q", p.Text)
			default:
				return nil, "a piece of text"
			}
		}
	}
	return found, ""
}

// lookup finds a recording, the designer's own before those of the program, and
// those of the exact tag before those of the language.
func (v *Voice) lookup(lang, key string) (recording, bool) {
	l := v.library.Load()
	for _, from := range []map[string]index{l.dir, l.base} {
		for _, tag := range []string{strings.ToLower(lang), primary(lang)} {
			if r, ok := from[tag][key]; ok {
				return r, true
			}
		}
	}
	return recording{}, false
}

func (v *Voice) noVoice(lang, missing string) error {
	return &tandem.Error{Code: tandem.CodeUnavailable, Err: ErrNoVoice, Message: fmt.Sprintf(
		"%v in %s: %s has no recording; add one to %s, or install a speech engine (see docs/prompts.md)",
		ErrNoVoice, lang, missing, path.Join(indexRoot, lang, indexName))}
}

func (v *Voice) load(ctx context.Context, found []recording) ([]*media.Clip, error) {
	clips := make([]*media.Clip, len(found))
	for i, r := range found {
		clip, err := v.open(ctx, r.own, r.path)
		if err != nil {
			return nil, fmt.Errorf("playing the recording %s: %w", r.path, err)
		}
		clips[i] = clip
	}
	return clips, nil
}

// file opens an audio file named by a prompt.
func (v *Voice) file(ctx context.Context, name string) (*media.Clip, error) {
	var err error
	for _, own := range []bool{true, false} {
		var clip *media.Clip
		if clip, err = v.open(ctx, own, path.Clean(name)); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return clip, err
		}
	}
	return nil, err
}

// open reads a WAV file once for each version of it.
func (v *Voice) open(ctx context.Context, own bool, name string) (*media.Clip, error) {
	fsys := v.base
	if own {
		fsys = v.dir
	}
	if fsys == nil {
		return nil, fs.ErrNotExist
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%w: no file, or larger than %d MiB", wav.ErrFormat, maxFile>>20)
	}
	key := fmt.Sprintf("file %t %s %d %d", own, name, info.Size(), info.ModTime().UnixNano())
	return v.clips.get(ctx, key, func(context.Context) (*media.Clip, error) {
		f, err := fsys.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		audio, err := wav.Read(f)
		if err != nil {
			return nil, err
		}
		return media.NewClip(Resample(audio.PCM, audio.Rate, rate)), nil
	})
}

// sentence is a prompt as an engine should read it: values in words, so that no
// engine reads an account number as millions.
func sentence(lang string, parts []tandem.Part) string {
	var b strings.Builder
	for _, p := range parts {
		text := p.Text
		if p.Kind != tandem.PartText && p.Kind != "" {
			if words, err := Words(lang, p); err == nil {
				text = written(lang, words)
			} else if p.Kind == tandem.PartDigits {
				text = strings.Join(strings.Split(p.Value, ""), " ")
			}
		}
		b.WriteString(text)
	}
	return b.String()
}

// spoken asks the disk, then the engine, once however many callers wait.
func (v *Voice) spoken(ctx context.Context, lang, text string) (*media.Clip, error) {
	key := diskKey(v.synth.Name(), lang, text)
	durable := v.disk != nil && v.knows(lang, text)
	return v.clips.get(ctx, "said "+key, func(ctx context.Context) (*media.Clip, error) {
		if durable {
			pcm, err := v.disk.load(key)
			if err == nil {
				return media.NewClip(pcm), nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				v.log.Warn("reading the prompt cache", "error", err)
			}
		}
		pcm, from, err := v.synth.Synthesize(ctx, text, lang)
		if err != nil {
			return nil, err
		}
		pcm = Resample(pcm, from, rate)
		if durable {
			if err := v.disk.save(key, pcm); err != nil {
				v.log.Warn("a spoken prompt stays in memory only", "error", err)
			}
		}
		return media.NewClip(pcm), nil
	})
}
