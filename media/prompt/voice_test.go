package prompt

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/media"
	"tandem/media/wav"
)

// engine is a speech engine that says one sample per byte of text.
type engine struct {
	langs []string
	hold  chan struct{} // if set, waits until it is closed

	mu      sync.Mutex
	said    []string
	fail    error
	started chan struct{} // if set, gets one per call
}

func (e *engine) Name() string            { return "fake" }
func (e *engine) Speaks(lang string) bool { return slices.Contains(e.langs, lang) }
func (e *engine) Synthesize(ctx context.Context, text, lang string) ([]int16, int, error) {
	e.mu.Lock()
	e.said = append(e.said, lang+" "+text)
	err := e.fail
	e.mu.Unlock()
	if e.started != nil {
		e.started <- struct{}{}
	}
	if e.hold != nil {
		select {
		case <-e.hold:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	return make([]int16, len(text)), 8000, err
}

func (e *engine) calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.said)
}

// recordingOf is a WAV file of n samples of 8 kHz.
func recordingOf(t *testing.T, n int) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	if err := wav.Write(&b, wav.Audio{Rate: 8000, PCM: make([]int16, n)}); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func newVoice(t *testing.T, o Options) *Voice {
	t.Helper()
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func text(s string) tandem.Part { return tandem.Part{Kind: tandem.PartText, Text: s} }

// lengths is how a test tells clips apart.
func lengths(clips []*media.Clip) []int {
	var n []int
	for _, c := range clips {
		n = append(n, c.Samples())
	}
	return n
}

func folders(t *testing.T) (dir, base fstest.MapFS) {
	dir = fstest.MapFS{
		"audio/hello.wav":       recordingOf(t, 1000),
		"audio/not.wav":         {Data: []byte("MP3")},
		"prompts/en/index.yaml": {Data: []byte("You owe: owe.wav\ntwo: two.wav\n")},
		"prompts/en/owe.wav":    recordingOf(t, 300),
		"prompts/en/two.wav":    recordingOf(t, 22),
	}
	base = fstest.MapFS{
		"prompts/en/index.yaml":    {Data: []byte("one: one.wav\ntwo: two.wav\nyuan: yuan.wav\n")},
		"prompts/en/one.wav":       recordingOf(t, 11),
		"prompts/en/two.wav":       recordingOf(t, 21),
		"prompts/en/yuan.wav":      recordingOf(t, 50),
		"prompts/zh-CN/index.yaml": {Data: []byte("两: liang.wav\n元: yuan.wav\n")},
		"prompts/zh-CN/liang.wav":  recordingOf(t, 31),
		"prompts/zh-CN/yuan.wav":   recordingOf(t, 32),
		"audio/base.wav":           recordingOf(t, 77),
	}
	return dir, base
}

func TestClipsChoosesTheBestSource(t *testing.T) {
	owe := []tandem.Part{text("You owe "), {Kind: tandem.PartMoney, Text: "2.00 yuan", Value: "2.00 CNY"}, text(".")}
	for _, x := range []struct {
		name  string
		lang  string
		parts []tandem.Part
		audio string
		want  []int
		says  []string
	}{
		{"a recording wins over text", "en", owe, "audio/hello.wav", []int{1000}, nil},
		{"a recording that comes with the program", "en", nil, "audio/base.wav", []int{77}, nil},
		{"joined, own recordings first", "en", owe, "", []int{300, 22, 50}, nil},
		{"joined in a variant of the language", "en-GB", owe, "", []int{300, 22, 50}, nil},
		{"joined in Chinese", "zh-CN", owe[1:2], "", []int{31, 32}, nil},
		{"spoken whole when one piece lacks", "en", append(slices.Clone(owe), text(" Goodbye")), "", []int{len("You owe two yuan. Goodbye")}, []string{"en You owe two yuan. Goodbye"}},
		{"values are spoken in words", "de", []tandem.Part{text("Konto "), {Kind: tandem.PartDigits, Text: "123", Value: "123"}}, "", []int{11}, []string{"de Konto 1 2 3"}},
		{"digits are never read as a number", "en", []tandem.Part{text("Account "), {Kind: tandem.PartDigits, Text: "21", Value: "21"}}, "", []int{15}, []string{"en Account two one"}},
		{"a missing file falls back to text", "en", owe, "audio/gone.wav", []int{300, 22, 50}, nil},
		{"a broken file falls back to speech", "en", []tandem.Part{text("Hi")}, "audio/not.wav", []int{2}, []string{"en Hi"}},
		{"punctuation is silent", "en", []tandem.Part{text(" . ")}, "", nil, nil},
		{"nothing to say", "en", nil, "", nil, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			dir, base := folders(t)
			e := &engine{langs: []string{"en", "de"}}
			v := newVoice(t, Options{Dir: dir, Base: base, Synth: e})
			got, err := v.Clips(t.Context(), x.lang, x.parts, x.audio)
			if err != nil || !slices.Equal(lengths(got), x.want) {
				t.Errorf("got %v %v, want %v", lengths(got), err, x.want)
			}
			if !slices.Equal(e.calls(), x.says) {
				t.Errorf("the engine said %q, want %q", e.calls(), x.says)
			}
			again, err := v.Clips(t.Context(), x.lang, x.parts, x.audio)
			if err != nil || !slices.Equal(again, got) {
				t.Errorf("the same prompt gave other clips: %v %v", again, err)
			}
		})
	}
}

func TestClipsSaysWhatToDo(t *testing.T) {
	dir, base := folders(t)
	v := newVoice(t, Options{Dir: dir, Base: base, Synth: &engine{langs: []string{"en"}}})
	for _, x := range []struct {
		name  string
		lang  string
		parts []tandem.Part
		audio string
		is    error
		tells []string
	}{
		{"no recording, no engine", "zh-CN", []tandem.Part{text("您好")}, "", ErrNoVoice, []string{"zh-CN", "prompts/zh-CN/index.yaml", "docs/prompts.md"}},
		{"a word lacks", "zh-CN", []tandem.Part{{Kind: tandem.PartNumber, Value: "2"}}, "", ErrNoVoice, []string{"the word 二"}},
		{"no rule", "zh-CN", []tandem.Part{{Kind: tandem.PartMoney, Value: "2 XXX"}}, "", ErrNoVoice, []string{"a value of kind money"}},
		{"no file and no text", "en", nil, "audio/gone.wav", ErrNoFile, []string{"audio/gone.wav", "flows folder"}},
		{"a broken file and no text", "en", nil, "audio/not.wav", ErrNoFile, []string{"audio/not.wav", "WAV"}},
		{"a path outside", "en", nil, "../secret.wav", ErrNoFile, []string{"../secret.wav"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, err := v.Clips(t.Context(), x.lang, x.parts, x.audio)
			if !errors.Is(err, x.is) {
				t.Fatalf("got %v %v, want %v", got, err, x.is)
			}
			for _, want := range x.tells {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not tell %q", err, want)
				}
			}
			if tandem.CodeOf(err) == tandem.CodeInternal {
				t.Errorf("%q is told as a fault of ours", err)
			}
		})
	}
}

// An error goes to the log: a customer's words must not.
func TestErrorsHoldNoCustomersText(t *testing.T) {
	v := newVoice(t, Options{})
	name := text("Wilhelmina")
	_, err := v.Clips(t.Context(), "en", []tandem.Part{name}, "")
	if !errors.Is(err, ErrNoVoice) || strings.Contains(err.Error(), "Wilhelmina") {
		t.Errorf("an unknown text: %v", err)
	}
	if err := v.Warm(t.Context(), "en", []string{"Welcome"}); err != nil {
		t.Errorf("Warm: %v", err)
	}
	if err := v.Recorded("en", []tandem.Part{text("Welcome")}); !errors.Is(err, ErrNoVoice) || !strings.Contains(err.Error(), `"Welcome"`) {
		t.Errorf("a designer's text is not named: %v", err)
	}
}

func TestConcurrentAsksAreSpokenOnce(t *testing.T) {
	e := &engine{langs: []string{"en"}, hold: make(chan struct{}), started: make(chan struct{}, 10)}
	v := newVoice(t, Options{Synth: e})
	hi := []tandem.Part{text("Hi")}

	// The first asker hangs up; what it began goes on for the others.
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := v.Clips(ctx, "en", hi, "")
		left <- err
	}()
	<-e.started
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who hung up got %v", err)
	}

	clips := make(chan *media.Clip, 20)
	var wait sync.WaitGroup
	for range cap(clips) {
		wait.Go(func() {
			got, err := v.Clips(t.Context(), "en", hi, "")
			if err != nil || len(got) != 1 {
				t.Errorf("got %v %v", got, err)
				return
			}
			clips <- got[0]
		})
	}
	close(e.hold)
	wait.Wait()
	close(clips)
	first := <-clips
	for c := range clips {
		if c != first {
			t.Error("two calls got two clips of one prompt")
		}
	}
	if n := len(e.calls()); n != 1 {
		t.Errorf("spoken %d times, want once", n)
	}
}

func TestAFailureIsNotKept(t *testing.T) {
	e := &engine{langs: []string{"en"}, fail: errors.New("engine broke")}
	v := newVoice(t, Options{Synth: e})
	if _, err := v.Clips(t.Context(), "en", []tandem.Part{text("Hi")}, ""); err == nil || !strings.Contains(err.Error(), "engine broke") {
		t.Fatalf("got %v", err)
	}
	e.mu.Lock()
	e.fail = nil
	e.mu.Unlock()
	if _, err := v.Clips(t.Context(), "en", []tandem.Part{text("Hi")}, ""); err != nil {
		t.Errorf("after the engine came back: %v", err)
	}
}

func TestCloseEndsWhatIsSpoken(t *testing.T) {
	e := &engine{langs: []string{"en"}, hold: make(chan struct{}), started: make(chan struct{}, 1)}
	v := newVoice(t, Options{Synth: e})
	done := make(chan error)
	go func() {
		_, err := v.Clips(context.Background(), "en", []tandem.Part{text("Hi")}, "")
		done <- err
	}()
	<-e.started
	v.Close()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := v.Clips(t.Context(), "en", []tandem.Part{text("Hi")}, ""); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestWarmFillsTheDiskWithDesignersTextsOnly(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "spoken")
	e := &engine{langs: []string{"en"}}
	v := newVoice(t, Options{Synth: e, CacheDir: cache})
	if err := v.Warm(t.Context(), "en", []string{"Welcome.", "Goodbye."}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Clips(t.Context(), "en", []tandem.Part{text("Dear Wilhelmina")}, ""); err != nil {
		t.Fatal(err)
	}
	if files := names(t, cache); len(files) != 2 {
		t.Fatalf("on disk: %v, want two files", files)
	}
	info, err := os.Stat(cache)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v %v, want for its owner only", info.Mode(), err)
	}

	// A new start speaks nothing again; a file that is broken is made anew.
	if err := os.WriteFile((&disk{dir: cache}).path(diskKey("fake", "en", "Goodbye.")), []byte("cut short"), 0o600); err != nil {
		t.Fatal(err)
	}
	e2 := &engine{langs: []string{"en"}}
	v2 := newVoice(t, Options{Synth: e2, CacheDir: cache})
	if err := v2.Warm(t.Context(), "en", []string{"Welcome.", "Goodbye."}); err != nil {
		t.Fatal(err)
	}
	if got := e2.calls(); !slices.Equal(got, []string{"en Goodbye."}) {
		t.Errorf("spoken again: %q, want only the broken one", got)
	}
	got, err := v2.Clips(t.Context(), "en", []tandem.Part{text("Goodbye.")}, "")
	if err != nil || !slices.Equal(lengths(got), []int{8}) {
		t.Errorf("got %v %v", lengths(got), err)
	}
}

func TestWarmTellsTheFirstError(t *testing.T) {
	broken := errors.New("engine broke")
	e := &engine{langs: []string{"en"}, fail: broken}
	v := newVoice(t, Options{Synth: e})
	if err := v.Warm(t.Context(), "en", []string{"a", "b"}); !errors.Is(err, broken) || len(e.calls()) != 2 {
		t.Errorf("got %v after %q", err, e.calls())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.Warm(ctx, "en", []string{"c"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestDiskIsBounded(t *testing.T) {
	d := &disk{dir: t.TempDir(), max: 700}
	if err := os.WriteFile(filepath.Join(d.dir, "greeting.wav"), make([]byte, 900), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, key := range []string{"a", "b", "c", "d"} {
		if err := d.save(key, make([]int16, 100)); err != nil { // 244 bytes each
			t.Fatal(err)
		}
		at := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(d.path(key), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, d.dir); !slices.Equal(got, []string{"greeting.wav", "said-c.wav", "said-d.wav"}) {
		t.Errorf("left: %v, want the two newest and what is not ours", got)
	}
}

func TestADiskThatFailsCostsNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "not-a-folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	v := newVoice(t, Options{Synth: &engine{langs: []string{"en"}}, CacheDir: file, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := v.Warm(t.Context(), "en", []string{"Welcome."}); err != nil {
		t.Errorf("got %v, want the prompt all the same", err)
	}
	if !strings.Contains(log.String(), "memory only") || strings.Contains(log.String(), "Welcome") {
		t.Errorf("logged: %s", log.String())
	}
}

func TestMemoryIsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	clip := func(n int) func(context.Context) (*media.Clip, error) {
		return func(context.Context) (*media.Clip, error) { return media.NewClip(make([]int16, n)), nil }
	}
	c := newCache(t.Context(), 1000)
	get := func(key string, n int) *media.Clip {
		got, err := c.get(t.Context(), key, clip(n))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	a, b := get("a", 100), get("b", 100)
	if get("a", 100) != a {
		t.Error("a was not kept")
	}
	get("c", 100) // 3 × 401 bytes: b, used longest ago, goes
	if get("a", 100) != a {
		t.Error("a was dropped though used last")
	}
	if get("b", 100) == b {
		t.Error("b was kept beyond the bound")
	}
	get("huge", 1000)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used > c.max || c.used != 2*401 || len(c.byKey) != 2 {
		t.Errorf("%d bytes in %d clips, want 802 in 2", c.used, len(c.byKey))
	}
}

func TestAPanicEndsOnlyItsOwnPrompt(t *testing.T) {
	c := newCache(t.Context(), 1000)
	told := 0
	c.panicked = func(any) { told++ }
	_, err := c.get(t.Context(), "k", func(context.Context) (*media.Clip, error) { panic("engine") })
	if err == nil || !strings.Contains(err.Error(), "fault of ours") || told != 1 {
		t.Errorf("got %v, told %d times", err, told)
	}
	if _, err := c.get(t.Context(), "k", func(context.Context) (*media.Clip, error) { return media.NewClip(nil), nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestReloadKeepsTheOldOnAMistake(t *testing.T) {
	dir, base := folders(t)
	v := newVoice(t, Options{Dir: dir, Base: base})
	two := []tandem.Part{{Kind: tandem.PartNumber, Value: "2"}}
	dir["prompts/en/index.yaml"] = &fstest.MapFile{Data: []byte("two: gone.wav\n")}
	if err := v.Reload(); err == nil || tandem.CodeOf(err) != tandem.CodeInvalid || !strings.Contains(err.Error(), "prompts/en/index.yaml:1:") {
		t.Errorf("a broken index: %v", err)
	}
	if got, err := v.Clips(t.Context(), "en", two, ""); err != nil || !slices.Equal(lengths(got), []int{22}) {
		t.Errorf("the old recordings are gone: %v %v", lengths(got), err)
	}
	dir["prompts/en/index.yaml"] = &fstest.MapFile{Data: []byte("two: new.wav\n")}
	dir["prompts/en/new.wav"] = recordingOf(t, 99)
	if err := v.Reload(); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Clips(t.Context(), "en", two, ""); err != nil || !slices.Equal(lengths(got), []int{99}) {
		t.Errorf("the new recording is not used: %v %v", lengths(got), err)
	}
	// A file that is replaced is read anew without a reload.
	dir["prompts/en/new.wav"] = recordingOf(t, 98)
	if got, err := v.Clips(t.Context(), "en", two, ""); err != nil || !slices.Equal(lengths(got), []int{98}) {
		t.Errorf("a replaced file: %v %v", lengths(got), err)
	}
}

func TestAMissingFileIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	v := newVoice(t, Options{Synth: &engine{langs: []string{"en"}}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		if _, err := v.Clips(t.Context(), "en", []tandem.Part{text("Hi")}, "gone.wav"); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "gone.wav"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log.String())
	}
}

func TestSounds(t *testing.T) {
	v := newVoice(t, Options{})
	for _, x := range []struct {
		name     string
		clip     func() *media.Clip
		duration time.Duration
		peak     int16 // at most
	}{
		{"filler", v.Filler, 2 * time.Second, 1600},
		{"music", v.Music, 19200 * time.Millisecond, 12000},
		{"beep", v.Beep, 400 * time.Millisecond, 6000},
	} {
		c := x.clip()
		if c != x.clip() || c.Duration() != x.duration {
			t.Errorf("%s: %v, want one clip of %v", x.name, c.Duration(), x.duration)
		}
		pcm := c.PCM()
		if top := max(slices.Max(pcm), -slices.Min(pcm)); top > x.peak || top < x.peak/4 {
			t.Errorf("%s: peak %d, want up to %d", x.name, top, x.peak)
		}
		if d := int(pcm[0]) - int(pcm[len(pcm)-1]); d > 800 || d < -800 {
			t.Errorf("%s: a loop would click: it ends at %d and begins at %d", x.name, pcm[len(pcm)-1], pcm[0])
		}
	}
}
