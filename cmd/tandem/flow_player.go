package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/fetch"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/suite"
)

const (
	maxLine   = 64 << 10 // bytes of one typed line: an answer of another system may be long
	maxBack   = 200      // turns that !back remembers; the oldest are forgotten
	phoneKeys = "0123456789*#ABCD"
)

// player is a terminal as a phone, a chat or an SMS: it prints what a customer would
// hear or read and reads what a customer would do. Time is simulated: silence takes none.
// One goroutine.
type player struct {
	lib     *flow.Library
	name    string
	options simulate.Options
	in      *bufio.Scanner
	echo    bool // lines do not come from a terminal, which would show their end
	out     io.Writer
	color   bool
	always  bool          // show the variables after each turn
	tests   string        // the test file that !save adds to
	http    *fetch.Client // nil = the terminal is asked
	id      string        // keeps its requests apart from those of other runs

	talk    *simulate.Talk
	back    []*simulate.Talk // as it was before each turn
	printed int              // lines shown
}

func newPlayer(lib *flow.Library, name string, o simulate.Options, in io.Reader, out io.Writer) *player {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	file, ok := in.(*os.File)
	return &player{
		lib: lib, name: name, options: o, in: lines, echo: !ok || !isCharDevice(file), out: out, color: isTerminal(out), id: rand.Text(),
	}
}

func isCharDevice(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// play plays the flow to its end, and then for as long as somebody asks for more.
func (p *player) play(ctx context.Context) error {
	talk, err := simulate.New(p.lib, p.name, p.options)
	if err != nil {
		return err
	}
	p.talk = talk
	for {
		p.show()
		if err := talkFault(p.talk); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.fetches(ctx) {
			continue
		}
		line, ok := p.ask()
		_, over := p.talk.Ended()
		switch {
		case !ok && p.in.Err() != nil:
			return tandem.Errorf(tandem.CodeInvalid, "reading a line: %w", p.in.Err())
		case over && (!ok || line == ""):
			if !ok {
				fmt.Fprintln(p.out)
			}
			return nil
		case !ok:
			fmt.Fprintln(p.out, "!hangup")
			line = "!hangup"
		}
		p.turn(line)
	}
}

func talkFault(t *simulate.Talk) error {
	if err := t.Fault(); err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "the flow cannot go on: %w", err)
	}
	return nil
}

// turn takes a line: a command, or what somebody does, which can be taken back.
func (p *player) turn(line string) {
	word, rest, _ := strings.Cut(strings.TrimPrefix(line, "!"), " ")
	if strings.HasPrefix(line, "!") && p.command(word, strings.TrimSpace(rest)) {
		return
	}
	before := p.talk.Clone()
	var err error
	if strings.HasPrefix(line, "!") {
		err = p.does(word, strings.TrimSpace(rest))
	} else {
		err = p.answer(line)
	}
	if err != nil {
		p.say("    " + err.Error())
		return
	}
	p.back = append(p.back[max(0, len(p.back)-maxBack+1):], before)
}

// ask reads a line.
func (p *player) ask() (string, bool) {
	fmt.Fprint(p.out, p.invitation())
	if !p.in.Scan() {
		return "", false
	}
	if p.echo {
		fmt.Fprintln(p.out)
	}
	return strings.TrimSpace(p.in.Text()), true
}

// decisions are the words for what the world may answer, the usual one first.
func (p *player) decisions() []string {
	switch p.talk.Session().Wait.Kind {
	case flow.WaitTransfer:
		return []string{"ok", "busy", "no_answer", "failed"}
	case flow.WaitVoicemail:
		return []string{"left", "too_short"}
	case flow.WaitRecord:
		return []string{"done", "too_short"}
	case flow.WaitIdentify:
		return []string{"passed", "failed", "declined", "unsupported"}
	case flow.WaitResume:
		return []string{"found", "failed", "declined"}
	case flow.WaitHandoff:
		return []string{"accepts", "declines"}
	case flow.WaitCallback:
		return []string{"booked", "declined"}
	case flow.WaitSurvey:
		return []string{"done", "skipped"}
	case flow.WaitLink:
		return []string{"finishes", "opens", "declines", "waits"}
	case flow.WaitQueue:
		if p.talk.Connected() {
			return []string{"hands_back"}
		}
		return []string{"answers", "declines", "waits"}
	}
	return nil
}

// invitation is what stands before the line to be typed.
func (p *player) invitation() string {
	w := p.talk.Session().Wait
	choice := strings.Join(p.decisions(), ", ")
	switch w.Kind {
	case flow.WaitNone:
		return "!save NAME keeps this as a test, !back takes a turn back, an empty line ends> "
	case flow.WaitHTTP:
		return fmt.Sprintf("answer of %s (JSON, a status, timeout or error) [%s]> ", w.Step, p.usual())
	case flow.WaitLink:
		return "page of the link (" + choice + ") [finishes]> "
	case flow.WaitQueue:
		if !p.talk.Connected() && len(w.Options) > 0 {
			choice += ", keys"
		}
		return fmt.Sprintf("agent (%s) [%s]> ", choice, p.decisions()[0])
	case flow.WaitListen:
		kind := "keys"
		if p.talk.Channel() != tandem.Voice {
			kind = "writes"
		}
		if w.Secret {
			kind = "secret " + kind
		}
		return kind + "> "
	}
	return fmt.Sprintf("%s (%s) [%s]> ", w.Kind, choice, p.decisions()[0])
}

// usual is the answer that an http step most likely gets: the one it got last, or an
// empty value of what it is kept as.
func (p *player) usual() string {
	w := p.talk.Session().Wait
	for _, l := range slices.Backward(p.talk.Lines()) {
		if l.Word == simulate.Answers && l.Step == w.Step {
			return l.Answer.String()
		}
	}
	f := p.lib.Flows[p.talk.Running()]
	if step := f.Steps[w.Step]; step != nil {
		if h, ok := step.Verb.(*flow.HTTP); ok && h.Into != "" {
			if v := f.Variable(h.Into); v != nil {
				return "200 " + simulate.JSON(expression.Zero(v.Type))
			}
		}
	}
	return "200"
}

// command carries out a line with ! that changes nothing in the talk, and reports
// whether it was one.
func (p *player) command(word, rest string) bool {
	switch word {
	case "vars":
		p.vars()
	case "back":
		p.takeBack()
	case "save":
		p.save(rest)
	case "path":
		fmt.Fprint(p.out, indentedBy(written(p.talk.Transcript()), "    "))
	case "help", "?":
		fmt.Fprint(p.out, help)
	default:
		return false
	}
	return true
}

const help = `    by voice: keys such as 1 or *0 · in chat and SMS: words, or the key of a button · an empty line: silence
    !hangup · !say WORDS: speech, where the step listens to it · !keys KEYS: pressed while something else is waited for
    !wait 8m: time passes; without a time: until something happens · !opens, !finishes, !declines: the page of the link sent last
    !vars: the variables, secrets masked · !path: all that has happened · !back: one turn back · !save NAME: keep this as a test
`

// does carries out a line with ! that is something somebody does.
func (p *player) does(word, rest string) error {
	switch word {
	case "hangup":
		return p.talk.Leave()
	case "keys": // while another system is waited for: typed ahead
		return p.talk.Press(rest)
	case "say":
		return p.talk.Say(rest)
	case "opens":
		return p.talk.Link(simulate.Opens)
	case "finishes":
		return p.talk.Link(simulate.Finishes)
	case "declines":
		return p.talk.Link(simulate.Declines)
	case "wait":
		if d, ok := expression.ParseDuration(rest); ok && d > 0 && d <= 31*24*time.Hour {
			p.talk.Pass(d)
			return nil
		}
		if rest != "" {
			return errors.New("write !wait 8m, or !wait alone")
		}
		return p.silence()
	}
	return fmt.Errorf("there is no !%s; !help tells what there is", word)
}

func (p *player) silence() error {
	if !p.talk.Silence() {
		return fmt.Errorf("time brings nothing: the flow %s", p.talk.Waiting())
	}
	return nil
}

// answer takes a line for what the flow waits for.
func (p *player) answer(line string) error {
	w := p.talk.Session().Wait
	switch w.Kind {
	case flow.WaitNone:
		return errors.New("the flow has ended")
	case flow.WaitListen:
		return p.customer(line)
	case flow.WaitHTTP:
		if line == "" {
			line = p.usual()
		}
		a, err := answered(line)
		if err != nil {
			return err
		}
		return p.talk.Answer(a)
	case flow.WaitQueue:
		if line != "" && strings.Trim(line, phoneKeys) == "" {
			return p.talk.Press(line)
		}
	}
	words := p.decisions()
	if line == "" && len(words) > 0 {
		line = words[0]
	}
	if !slices.Contains(words, line) {
		return fmt.Errorf("write %s; !help tells what else can be done", strings.Join(words, ", "))
	}
	return p.decide(w.Kind, line)
}

// customer takes a line for what the customer says, presses or writes.
func (p *player) customer(line string) error {
	switch {
	case line == "":
		return p.silence()
	case p.talk.Channel() != tandem.Voice:
		for _, o := range p.talk.Session().Wait.Options {
			if o.Keys == line || flow.Fold(o.Label) == flow.Fold(line) {
				return p.talk.Tap(line)
			}
		}
		return p.talk.Type(line)
	case strings.Trim(line, phoneKeys) != "":
		return errors.New("a phone has the keys 0 to 9, * and #; !help tells what else can be done")
	}
	return p.talk.Press(line)
}

// decide takes a word for what somebody outside does.
func (p *player) decide(kind flow.WaitKind, word string) error {
	if word == "waits" {
		return p.silence()
	}
	switch kind {
	case flow.WaitLink:
		return p.talk.Link(simulate.Word(word))
	case flow.WaitQueue:
		return p.talk.AgentDoes(word)
	case flow.WaitIdentify:
		return p.talk.Decide(simulate.Identified, word)
	case flow.WaitResume:
		if word == "found" {
			return p.talk.Found()
		}
		return p.talk.Decide(simulate.Resumes, word)
	case flow.WaitTransfer:
		return p.talk.Decide(simulate.Transferred, word)
	case flow.WaitVoicemail, flow.WaitRecord:
		return p.talk.Decide(simulate.Records, word)
	case flow.WaitHandoff:
		if word == "accepts" {
			return p.talk.Decide(simulate.Accepts, "accepted")
		}
		return p.talk.Decide(simulate.Declines, "declined")
	}
	if word == "declined" || word == "skipped" {
		return p.talk.Decide(simulate.Declines, word)
	}
	return p.talk.Decide("", word)
}

// fetches makes the request that is waited for, if it may, and reports whether it has.
func (p *player) fetches(ctx context.Context) bool {
	e, ok := p.talk.Wanted().(flow.Fetch)
	if !ok || p.http == nil || p.talk.Session().Wait.Kind != flow.WaitHTTP {
		return false
	}
	if e.Key != "" {
		e.Key = p.id + "/" + e.Key
	}
	got := p.http.Do(ctx, e)
	return p.talk.Answer(simulate.Answer{Status: got.Status, Failed: got.Failed, Body: got.Body}) == nil
}

// takeBack goes one turn back.
func (p *player) takeBack() {
	n := len(p.back)
	if n == 0 {
		p.say("    this is the beginning")
		return
	}
	p.talk, p.back = p.back[n-1], p.back[:n-1]
	lines := p.talk.Lines()
	p.printed = len(lines)
	for p.printed > 0 && !lines[p.printed-1].Act() { // what was said last is said again
		p.printed--
	}
	p.say("    back in step " + p.talk.Session().Wait.Step)
}

// save adds the talk to the test file beside the flow, and runs it there.
func (p *player) save(name string) {
	if name == "" {
		p.say("    write !save NAME, in words that say what is tested")
		return
	}
	old, err := os.ReadFile(p.tests)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.say("    " + err.Error())
		return
	}
	kept := suite.Talk{Name: name, Talk: p.talk, Options: p.options}
	text, err := suite.Append(p.lib, suite.File{Path: p.tests, Text: old}, kept)
	if err == nil {
		err = os.WriteFile(p.tests, text, 0o644)
	}
	if err != nil {
		p.say("    " + err.Error())
		return
	}
	p.say("    kept as a test in " + p.tests)
	if kept.Secrets() {
		p.say("    it holds the secrets that were typed: give it no real ones")
	}
	for _, c := range suite.Run(p.lib, []suite.File{{Path: p.tests, Text: text}}, suite.Options{}).Cases {
		if c.Name == name && !c.OK {
			p.say("    it does not pass: " + written(c.Message))
		}
	}
}

// vars prints the variables of the flow that runs.
func (p *player) vars() {
	f := p.lib.Flows[p.talk.Running()]
	if f == nil {
		return
	}
	for _, v := range slices.SortedFunc(slices.Values(slices.Concat(f.Inputs, f.Vars)), func(a, b *flow.Variable) int { return strings.Compare(a.Name, b.Name) }) {
		value, secret, ok := p.talk.Variable(v.Name)
		switch {
		case !ok && v.Secrecy == flow.Open:
		case secret || !ok || v.Secrecy != flow.Open:
			p.say("    " + v.Name + ` = "•••"`)
		default:
			p.say("    " + v.Name + " = " + written(simulate.JSON(value)))
		}
	}
}

// show prints what has happened since it was last called.
func (p *player) show() {
	lines := p.talk.Lines()
	for _, l := range lines[min(p.printed, len(lines)):] {
		if s := shown(l); s != "" {
			p.say(written(s))
		}
	}
	if p.always && len(lines) > p.printed {
		p.vars()
	}
	p.printed = len(lines)
}

// say prints rows; those of the machinery are paler on a terminal.
func (p *player) say(s string) {
	if p.color && strings.HasPrefix(s, "    ") {
		s = "\x1b[2m" + s + "\x1b[0m"
	}
	fmt.Fprintln(p.out, s)
}
