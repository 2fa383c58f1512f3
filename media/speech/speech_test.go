package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/media/wav"
)

// TestMain is also the engine of the tests: this binary, run with a mode in its
// environment, behaves as an engine would, or badly.
func TestMain(m *testing.M) {
	if mode := os.Getenv("SPEECH_TEST_ENGINE"); mode != "" {
		os.Exit(actAsEngine(mode))
	}
	os.Exit(m.Run())
}

func actAsEngine(mode string) int {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 2
	}
	audio := wav.Audio{Rate: 16000, PCM: make([]int16, len(text))}
	switch mode {
	case "stdout":
		err = wav.Write(os.Stdout, audio)
	case "file":
		var f *os.File
		if f, err = os.Create(os.Args[len(os.Args)-1]); err == nil {
			err = errors.Join(wav.Write(f, audio), f.Close())
		}
	case "arguments": // as many samples as the arguments have bytes
		audio.PCM = make([]int16, len(strings.Join(os.Args[1:], " ")))
		err = wav.Write(os.Stdout, audio)
	case "fail":
		fmt.Fprintln(os.Stderr, "first line\nno such voice")
		return 3
	case "repeat": // a failure that tells the text
		fmt.Fprintf(os.Stderr, "cannot say %s\n", text)
		return 3
	case "secrets": // fails if the server's settings come through
		if os.Getenv("TANDEM_STORE_MASTER_KEY") != "" {
			return 4
		}
		err = wav.Write(os.Stdout, audio)
	case "nothing":
	case "mute":
		err = wav.Write(os.Stdout, wav.Audio{Rate: 8000})
	case "hang": // with a child that holds the pipes open
		child := exec.Command("sleep", "60")
		child.Stdout = os.Stdout
		if err = child.Run(); err == nil {
			return 5
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func fake(t *testing.T, mode string, timeout time.Duration, args ...string) *Program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewCommand(append([]string{self}, args...), "anna", timeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SPEECH_TEST_ENGINE", mode)
	return p
}

func TestCommand(t *testing.T) {
	t.Setenv("TANDEM_STORE_MASTER_KEY", "not for engines")
	for _, x := range []struct {
		name, mode string
		args       []string
		text       string
		want       int // samples
	}{
		{"WAV on standard output", "stdout", nil, "Hello.", 6},
		{"WAV in a file", "file", []string{"--output", "{out}"}, "Hello.", 6},
		{"placeholders", "arguments", []string{"-l", "{lang}", "-v", "{voice}"}, "x", len("-l zh-CN -v anna")},
		{"text like an option", "stdout", nil, "--help", 6},
		{"text like a shell's", "stdout", nil, `$(reboot); "x`, 13},
		{"line breaks become blanks", "stdout", nil, "a\nb\x00c", 5},
		{"no settings of ours", "secrets", nil, "x", 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := fake(t, x.mode, 0, x.args...)
			pcm, rate, err := p.Synthesize(t.Context(), x.text, "zh-CN")
			if err != nil || len(pcm) != x.want || rate != 16000 {
				t.Errorf("got %d samples at %d Hz, %v; want %d", len(pcm), rate, err, x.want)
			}
		})
	}
}

func TestCommandFails(t *testing.T) {
	for _, x := range []struct {
		name, mode  string
		text        string
		tells, hide string
	}{
		{"it says why", "fail", "Hello.", "no such voice", "Hello"},
		{"it repeats the text", "repeat", "Wilhelmina", "exit status 3", "Wilhelmina"},
		{"it gives nothing", "nothing", "Hello.", "shorter than a header", "Hello"},
		{"it gives no audio", "mute", "Hello.", "no audio", "Hello"},
		{"no text", "stdout", " \n ", "empty", ""},
		{"too much text", "stdout", strings.Repeat("x", MaxText+1), "4001 bytes", "xxx"},
		{"no UTF-8", "stdout", "a\xff", "UTF-8", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, _, err := fake(t, x.mode, 0).Synthesize(t.Context(), x.text, "en")
			if err == nil || !strings.Contains(err.Error(), x.tells) || x.hide != "" && strings.Contains(err.Error(), x.hide) {
				t.Errorf("got %v, want %q in it and not %q", err, x.tells, x.hide)
			}
		})
	}
	if _, err := NewCommand([]string{"no-such-program-here"}, "", 0); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("a program that is not installed: %v", err)
	}
	if _, err := NewCommand(nil, "", 0); err == nil {
		t.Error("no program was taken")
	}
}

func TestCommandThatHangsIsKilledWithItsChildren(t *testing.T) {
	begin := time.Now()
	_, _, err := fake(t, "hang", 300*time.Millisecond).Synthesize(t.Context(), "Hello.", "en")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline exceeded", err)
	}
	// If its child lived, the pipe would stay open until waitDelay had passed.
	if took := time.Since(begin); took >= 300*time.Millisecond+waitDelay {
		t.Errorf("it took %v: the child was not killed", took)
	}
}

func TestTurnsAreBounded(t *testing.T) {
	p := fake(t, "stdout", 50*time.Millisecond)
	for range parallel {
		if err := p.turn.take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := p.Synthesize(t.Context(), "x", "en"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one more than %d: %v", parallel, err)
	}
	p.turn.give()
	p.timeout = defaultTimeout
	if _, _, err := p.Synthesize(t.Context(), "x", "en"); err != nil {
		t.Errorf("with a place free: %v", err)
	}
}

func TestBoundedOutput(t *testing.T) {
	b := &bounded{max: 4}
	if _, err := io.Copy(b, strings.NewReader("12345")); !errors.Is(err, errOutput) {
		t.Errorf("too much output: %v", err)
	}
	b = &bounded{max: 4, drop: true}
	if _, err := io.Copy(b, strings.NewReader("12345")); err != nil || string(b.kept) != "1234" {
		t.Errorf("too much complaint: %v %q", err, b.kept)
	}
}

func TestEspeakVoices(t *testing.T) {
	if got := espeakVoice(map[string]bool{"cmn": true}, "zh-CN"); got != "cmn" {
		t.Errorf("without the better voice zh-CN is spoken by %q, want cmn", got)
	}
	voices := espeakVoices([]byte(`Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn              (zh-cmn 5)(zh 5)
 2  en-us           --/M      English_(America)  gmw/en-US            (en 3)
 5  de              --/M      German             gmw/de
 5  cmn-latn-pinyin --/M      Chinese_(Mandarin,_latin_as_Pinyin) sit/cmn-Latn-pinyin  (zh-cmn 5)(zh 5)
 5  yue             --/M      Chinese_(Cantonese) sit/yue              (zh-yue 5)(zh 8)
`))
	for lang, want := range map[string]string{
		"zh-CN": "cmn-latn-pinyin", "zh": "cmn-latn-pinyin", "zh-TW": "cmn-latn-pinyin", "cmn": "cmn-latn-pinyin", "zh-HK": "yue", "yue": "yue", "en": "en-us", "en-US": "en-us",
		"de-AT": "de", "DE": "de", "fr": "",
	} {
		if got := espeakVoice(voices, lang); got != want {
			t.Errorf("%s is spoken by %q, want %q", lang, got, want)
		}
	}
}

// The engines themselves, where they are installed.
func TestInstalledEngines(t *testing.T) {
	for _, x := range []struct {
		program string
		lang    string
		engine  func() (*Program, error)
		no      string // a language it does not speak
	}{
		{"flite", "en-GB", func() (*Program, error) { return NewFlite("", 0) }, "zh-CN"},
		{"espeak-ng", "zh-CN", func() (*Program, error) { return NewEspeak(t.Context(), "", 0) }, "xx"},
	} {
		t.Run(x.program, func(t *testing.T) {
			if _, err := exec.LookPath(x.program); err != nil {
				if os.Getenv("REQUIRE_ALL") == "1" {
					t.Fatal(err)
				}
				t.Skipf("SKIP: %v", err)
			}
			p, err := x.engine()
			if err != nil {
				t.Fatal(err)
			}
			if !p.Speaks(x.lang) || p.Speaks(x.no) {
				t.Errorf("speaks %s: %v, %s: %v", x.lang, p.Speaks(x.lang), x.no, p.Speaks(x.no))
			}
			short, rate, err := p.Synthesize(t.Context(), "1", x.lang)
			if err != nil {
				t.Fatal(err)
			}
			long, _, err := p.Synthesize(t.Context(), "-v 1 2 3 4 5 6 7 8 9", x.lang)
			if err != nil || len(long) < 3*len(short) || len(long) > 20*rate || slices.Max(long) < 1000 {
				t.Errorf("%d and %d samples at %d Hz, %v", len(short), len(long), rate, err)
			}
		})
	}
}

// server is a fake speech server that keeps what it was asked.
type server struct {
	mu     sync.Mutex
	asked  []map[string]string
	paths  []string
	keys   []string
	answer func(w http.ResponseWriter, r *http.Request)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body map[string]string
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked, s.paths, s.keys = append(s.asked, body), append(s.paths, r.Method+" "+r.URL.Path), append(s.keys, r.Header.Get("Authorization"))
	s.mu.Unlock()
	s.answer(w, r)
}

func newServer(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) (*server, string) {
	t.Helper()
	s := &server{answer: answer}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL
}

func TestServer(t *testing.T) {
	var file bytes.Buffer
	if err := wav.Write(&file, wav.Audio{Rate: 24000, PCM: []int16{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name, kind string
		body       []byte
		rate       int
		want       []int16
	}{
		{"WAV", "audio/wav", file.Bytes(), 24000, []int16{1, 2, 3}},
		{"WAV under another name", "application/octet-stream", file.Bytes(), 24000, []int16{1, 2, 3}},
		{"bare PCM", "audio/pcm", []byte{1, 0, 0xff, 0xff}, 24000, []int16{1, -1}},
		{"bare PCM with its rate", "audio/pcm;rate=16000", []byte{1, 0}, 16000, []int16{1}},
		{"network order", "audio/L16; rate=8000", []byte{0, 1}, 8000, []int16{1}},
	} {
		t.Run(x.name, func(t *testing.T) {
			s, url := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", x.kind)
				if _, err := w.Write(x.body); err != nil {
					t.Error(err)
				}
			})
			e, err := NewServer(url, "key-123", "tts-2", "nova", 0)
			if err != nil {
				t.Fatal(err)
			}
			pcm, rate, err := e.Synthesize(t.Context(), " Hello.\n", "en")
			if err != nil || rate != x.rate || !slices.Equal(pcm, x.want) {
				t.Errorf("got %v at %d Hz, %v; want %v at %d", pcm, rate, err, x.want, x.rate)
			}
			want := map[string]string{"model": "tts-2", "voice": "nova", "input": "Hello.", "response_format": "wav"}
			if len(s.asked) != 1 || fmt.Sprint(s.asked[0]) != fmt.Sprint(want) || s.paths[0] != "POST /v1/audio/speech" || s.keys[0] != "Bearer key-123" {
				t.Errorf("asked %v %v %v", s.paths, s.asked, s.keys)
			}
			if strings.Contains(e.Name(), "key-123") {
				t.Error("the key is in the name")
			}
		})
	}
}

func TestServerFails(t *testing.T) {
	other, elsewhere := newServer(t, func(http.ResponseWriter, *http.Request) {})
	for _, x := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		tells  string
	}{
		{"an error", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Hello. cannot be said with key-123", http.StatusUnauthorized)
		}, "401 Unauthorized"},
		{"an MP3", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "audio/mpeg")
			fmt.Fprint(w, "ID3")
		}, "audio/mpeg"},
		{"nothing", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "audio/pcm") }, "no audio"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		}, "307"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "deadline"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, url := newServer(t, x.answer)
			e, err := NewServer(url, "key-123", "", "", 300*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = e.Synthesize(t.Context(), "Hello.", "en")
			if err == nil || !strings.Contains(err.Error(), x.tells) || strings.Contains(err.Error(), "key-123") || strings.Contains(err.Error(), "Hello") {
				t.Errorf("got %v, want %q in it, neither key nor text", err, x.tells)
			}
		})
	}
	if len(other.keys) != 0 {
		t.Error("the key went to another server")
	}
}

func TestServerAddress(t *testing.T) {
	for in, want := range map[string]string{
		"http://h":                     "http://h/v1/audio/speech",
		"https://h:8443/":              "https://h:8443/v1/audio/speech",
		"http://h/tts/v1/":             "http://h/tts/v1/audio/speech",
		"http://h/tts/v1/audio/speech": "http://h/tts/v1/audio/speech",
		"ftp://h":                      "",
		"h:80":                         "",
		"http://":                      "",
	} {
		s, err := NewServer(in, "", "", "", 0)
		if (err != nil) != (want == "") || err == nil && s.url != want {
			t.Errorf("%s becomes %+v %v, want %q", in, s, err, want)
		}
	}
}

// installedAs makes a folder of programs the whole PATH: the named ones are this
// test's engine.
func installedAs(t *testing.T, names ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, n := range names {
		script := "#!/bin/sh\ncase $1 in --voices) echo ' 5 cmn --/M x x'; echo ' 5 en-us --/M x x';; *) exec " + self + " \"$@\";; esac\n"
		if err := os.WriteFile(filepath.Join(dir, n), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestFind(t *testing.T) {
	for _, x := range []struct {
		name      string
		installed []string
		cfg       Config
		want      map[string]string // language → engine
	}{
		{"both", []string{"flite", "espeak-ng"}, Config{}, map[string]string{"en": "flite:slt", "en-GB": "flite:slt", "zh-CN": "espeak-ng:", "xx": ""}},
		{"espeak-ng alone", []string{"espeak-ng"}, Config{Engine: "auto"}, map[string]string{"en": "espeak-ng:", "zh-CN": "espeak-ng:"}},
		{"flite alone", []string{"flite"}, Config{}, map[string]string{"en": "flite:slt", "zh-CN": ""}},
		{"neither", nil, Config{}, map[string]string{"en": "", "zh-CN": ""}},
		{"switched off", []string{"flite", "espeak-ng"}, Config{Engine: "none"}, map[string]string{"en": "", "zh-CN": ""}},
		{"one language off", []string{"flite", "espeak-ng"}, Config{Languages: map[string]Choice{"zh-CN": {Engine: "none"}}}, map[string]string{"en": "flite:slt", "zh-CN": ""}},
		{"only one on", []string{"flite", "espeak-ng"}, Config{Engine: "none", Languages: map[string]Choice{"zh-CN": {Engine: "auto"}}}, map[string]string{"en": "", "zh-CN": "espeak-ng:"}},
		{"by name", []string{"flite", "espeak-ng"}, Config{Languages: map[string]Choice{"en": {Engine: "espeak-ng", Voice: "en-us"}, "en-GB": {Engine: "flite", Voice: "rms"}}},
			map[string]string{"en": "espeak-ng:en-us", "en-GB": "flite:rms", "en-AU": "espeak-ng:en-us"}},
		{"a server", nil, Config{Languages: map[string]Choice{"zh-CN": {Engine: "openai", URL: "http://h", Key: "k", Model: "m", Voice: "v"}}},
			map[string]string{"zh-CN": "server:h/v1/audio/speech:m:v", "zh-cn": "server:h/v1/audio/speech:m:v", "en": ""}},
	} {
		t.Run(x.name, func(t *testing.T) {
			installedAs(t, x.installed...)
			s, err := Find(t.Context(), x.cfg)
			if err != nil {
				t.Fatal(err)
			}
			for lang, want := range x.want {
				if got := s.Engine(lang); got != want || s.Speaks(lang) != (want != "") {
					t.Errorf("%s: %q, speaks %v; want %q", lang, got, s.Speaks(lang), want)
				}
			}
		})
	}
}

func TestFindRefuses(t *testing.T) {
	installedAs(t, "flite")
	for _, x := range []struct {
		name  string
		cfg   Config
		tells string
	}{
		{"not installed", Config{Languages: map[string]Choice{"en": {Engine: "espeak-ng"}}}, "speech for en: finding espeak-ng"},
		{"wrong language", Config{Languages: map[string]Choice{"zh-CN": {Engine: "flite"}}}, "speech for zh-CN: flite: no speech engine"},
		{"unknown engine", Config{Languages: map[string]Choice{"en": {Engine: "festival"}}}, `"festival"`},
		{"unknown default", Config{Engine: "flite"}, "auto or none"},
		{"no address", Config{Languages: map[string]Choice{"en": {Engine: "openai"}}}, "http://"},
		{"no command", Config{Languages: map[string]Choice{"en": {Engine: "command"}}}, "needs a program"},
	} {
		if _, err := Find(t.Context(), x.cfg); err == nil || !strings.Contains(err.Error(), x.tells) {
			t.Errorf("%s: got %v, want %q in it", x.name, err, x.tells)
		}
	}
}

// Read as English spellings these characters take five seconds, in Mandarin under four.
func TestMandarinIsNotSpelled(t *testing.T) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skipf("SKIP: %v", err)
	}
	p, err := NewEspeak(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	pcm, rate, err := p.Synthesize(t.Context(), "凌晨零点两分，余额负亿角", "zh-CN")
	if seconds := float64(len(pcm)) / float64(rate); err != nil || seconds < 1.5 || seconds > 4.3 {
		t.Errorf("the characters take %.1f s, %v", seconds, err)
	}
}

func TestSetSpeaks(t *testing.T) {
	installedAs(t, "flite")
	t.Setenv("SPEECH_TEST_ENGINE", "file")
	s, err := Find(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if pcm, rate, err := s.Synthesize(t.Context(), "Hello.", "en"); err != nil || len(pcm) != 6 || rate != 16000 {
		t.Errorf("got %d samples at %d Hz, %v", len(pcm), rate, err)
	}
	if _, _, err := s.Synthesize(t.Context(), "您好", "zh-CN"); !errors.Is(err, ErrLanguage) {
		t.Errorf("a language nobody speaks: %v", err)
	}
	if s.Name() != "flite:slt" {
		t.Errorf("named %q", s.Name())
	}
}
