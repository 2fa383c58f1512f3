package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/fetch"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

const (
	maxLine   = 64 << 10 // bytes of one typed line: an answer of another system may be long
	phoneKeys = "0123456789*#ABCD"
)

// player is a terminal as a phone: it prints what a caller would hear and reads what
// a caller would do. One goroutine, no timers: silence is an empty line.
type player struct {
	lib  *flow.Library
	in   *bufio.Scanner
	echo bool // lines do not come from a terminal, which would show their end
	out  io.Writer
	at   time.Time     // the clock, if it is not the machine's
	http *fetch.Client // nil = the terminal is asked
	s    flow.Session
	id   string // keeps its requests apart from those of other runs

	keys    string      // pressed in one line, not yet taken: one is pressed after the other
	fetched *flow.Input // the answer to a request, given once the keys are taken
}

func newPlayer(lib *flow.Library, in io.Reader, out io.Writer) *player {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	file, ok := in.(*os.File)
	return &player{lib: lib, in: lines, echo: !ok || !isCharDevice(file), out: out, id: rand.Text()}
}

func isCharDevice(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *player) now() time.Time {
	if p.at.IsZero() {
		return time.Now()
	}
	return p.at
}

// pass moves a clock that is not the machine's.
func (p *player) pass(d time.Duration) {
	if !p.at.IsZero() {
		p.at = p.at.Add(d)
	}
}

// play plays a flow to its end.
func (p *player) play(ctx context.Context, name string, facts flow.Facts, inputs map[string]any) error {
	s, effects, err := engine.Start(p.lib, name, facts, inputs, p.now())
	if err != nil {
		return err
	}
	for {
		p.s = s
		p.show(ctx, effects)
		if p.s.Wait.Kind == flow.WaitNone {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		in, err := p.next()
		if err != nil {
			return err
		}
		in.At = p.now()
		if s, effects, err = engine.Advance(p.lib, p.s, in); err != nil {
			return err
		}
	}
}

// next is what happens next: keys still to be pressed, an answer that has come, or
// what the next line says.
func (p *player) next() (flow.Input, error) {
	if p.keys == "" && p.fetched == nil {
		in, err := p.ask()
		p.pass(time.Second)
		if err != nil || in != nil {
			return *in, err
		}
	}
	if p.keys != "" {
		k := p.keys[:1]
		p.keys = p.keys[1:]
		return flow.Input{Kind: flow.InputKey, Text: k, Via: "keys"}, nil
	}
	in := *p.fetched
	p.fetched = nil
	return in, nil
}

// show prints effects, and makes the requests among them if it may.
func (p *player) show(ctx context.Context, effects []flow.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case flow.Play:
			fmt.Fprintf(p.out, "  [%s] %s\n", e.Lang, written(spoken(e)))
		case flow.Trace:
			if line := describe(e); line != "" {
				fmt.Fprintf(p.out, "    · %s\n", written(line))
			}
		case flow.Promise:
			fmt.Fprintf(p.out, "    · kept: %s %s\n", e.Kind, asJSON(e.Data))
		case flow.Hush:
			if e.On {
				fmt.Fprintln(p.out, "    · a secret may be entered: nothing is recorded")
			}
		case flow.Speak:
			fmt.Fprintf(p.out, "    · speaks %s\n", e.Lang)
		case flow.Fetch:
			fmt.Fprintf(p.out, "    · asks %s %s\n", e.Method, written(e.URL))
			if p.http != nil {
				if e.Key != "" {
					e.Key = p.id + "/" + e.Key
				}
				got := p.http.Do(ctx, e)
				p.fetched = &flow.Input{Kind: flow.InputFetched, Serial: e.Serial, Fetched: &got}
			}
		case flow.Connect:
			fmt.Fprintf(p.out, "    · connects to %s (%s, rings %v)\n", written(e.To), e.Mode, e.Ring)
		case flow.Record:
			fmt.Fprintf(p.out, "    · records a message for %s, up to %v\n", e.Box, e.Max)
		case flow.Finish:
			fmt.Fprintf(p.out, "ended: %s\n", e.Reason)
		}
	}
}

// written is text with settings that are not known as the flow has written them.
func written(text string) string { return standIn.ReplaceAllString(text, "$${settings.$1}") }

// spoken is what a prompt says, or the recording that replaces it.
func spoken(e flow.Play) string {
	var b strings.Builder
	for _, part := range e.Parts {
		b.WriteString(part.Text)
	}
	switch {
	case e.Audio != "" && b.Len() > 0:
		return fmt.Sprintf("%s (%s)", b.String(), e.Audio)
	case e.Audio != "":
		return "(" + e.Audio + ")"
	}
	return b.String()
}

// ask reads lines until one says what happens. It is nil if that is keys, now in
// p.keys. The end of the lines is a hang-up.
func (p *player) ask() (*flow.Input, error) {
	for {
		fmt.Fprint(p.out, p.invitation())
		if !p.in.Scan() {
			if err := p.in.Err(); err != nil {
				return &flow.Input{}, tandem.Errorf(tandem.CodeInvalid, "reading a line: %w", err)
			}
			fmt.Fprintln(p.out, "!hangup")
			return &flow.Input{Kind: flow.InputLeft}, nil
		}
		if p.echo {
			fmt.Fprintln(p.out)
		}
		line := strings.TrimSpace(p.in.Text())
		if command, ok := strings.CutPrefix(line, "!"); ok {
			if in := p.command(command); in != nil {
				return in, nil
			}
			continue
		}
		in, why := p.answer(line)
		if why == "" {
			return in, nil
		}
		fmt.Fprintf(p.out, "    %s\n", why)
	}
}

func (p *player) invitation() string {
	switch p.s.Wait.Kind {
	case flow.WaitHTTP:
		return "answer (JSON, a status, timeout or error)> "
	case flow.WaitTransfer:
		return "transfer (ok, busy, no_answer or failed)> "
	case flow.WaitVoicemail:
		return "voicemail (left or too_short)> "
	}
	if p.s.Wait.Secret {
		return "secret keys> "
	}
	return "keys> "
}

// command carries out a line that begins with !.
func (p *player) command(line string) *flow.Input {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "hangup":
		return &flow.Input{Kind: flow.InputLeft}
	case "keys": // while another system is waited for: typed ahead
		if rest != "" && strings.Trim(rest, phoneKeys) == "" {
			p.keys = rest[1:]
			return &flow.Input{Kind: flow.InputKey, Text: rest[:1], Via: "keys"}
		}
		fmt.Fprintln(p.out, "    write !keys 12#")
	case "say":
		return &flow.Input{Kind: flow.InputSpeech, Text: rest, Via: "speech"}
	case "vars":
		p.vars()
	default:
		fmt.Fprint(p.out, "    keys such as 1 or *0 · an empty line: silence · !hangup · !say WORDS: speech, where the step listens to it\n"+
			"    !keys KEYS: pressed while something else is waited for · !vars: the variables, secrets masked\n")
	}
	return nil
}

// answer makes an input of a line, or says why it cannot; keys go to p.keys.
func (p *player) answer(line string) (*flow.Input, string) {
	w := p.s.Wait
	switch w.Kind {
	case flow.WaitHTTP:
		return answered(line, w.Serial)
	case flow.WaitTransfer:
		if slices.Contains([]string{"ok", "busy", "no_answer", "failed"}, line) {
			return &flow.Input{Kind: flow.InputResult, Serial: w.Serial, Result: &flow.Result{Outcome: line}}, ""
		}
		return nil, "write ok, busy, no_answer or failed"
	case flow.WaitVoicemail:
		if line == "left" || line == "too_short" {
			return &flow.Input{Kind: flow.InputResult, Serial: w.Serial, Result: &flow.Result{Outcome: line}}, ""
		}
		return nil, "write left or too_short"
	}
	if line == "" {
		p.pass(w.Timeout)
		return &flow.Input{Kind: flow.InputTimeout, Serial: w.Serial}, ""
	}
	if strings.Trim(line, phoneKeys) != "" {
		return nil, "a phone has the keys 0 to 9, * and #; !help tells what else can be done"
	}
	p.keys = line
	return nil, ""
}

// answered reads what another system is to have said.
func answered(line string, serial int) (*flow.Input, string) {
	got := &flow.Fetched{Tries: 1}
	status, body, _ := strings.Cut(line, " ")
	code, err := strconv.Atoi(status)
	switch {
	case line == "timeout" || line == "error":
		got.Failed = line
	case err == nil && code >= 100 && code <= 599:
		got.Status, got.Body = code, json.RawMessage(body)
	case json.Valid([]byte(line)):
		got.Status, got.Body = 200, json.RawMessage(line)
	default:
		return nil, `write the answer's JSON such as {"balance": 12.5}, a status such as 404, a status with JSON, timeout or error`
	}
	return &flow.Input{Kind: flow.InputFetched, Serial: serial, Fetched: got}, ""
}

// vars prints the variables of the flow that runs.
func (p *player) vars() {
	if len(p.s.Frames) == 0 {
		return
	}
	f := p.s.Frames[len(p.s.Frames)-1]
	shown := maps.Clone(f.Vars)
	if shown == nil {
		shown = map[string]any{}
	}
	for name := range f.Secrets {
		shown[name] = "•••"
	}
	for name := range f.Asked {
		shown[name] = "•••"
	}
	for _, name := range slices.Sorted(mapKeys(shown)) {
		fmt.Fprintf(p.out, "    %s = %s\n", name, asJSON(shown[name]))
	}
}

func mapKeys(m map[string]any) iter.Seq[string] { return maps.Keys(m) }

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
