package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tandem"
	"tandem/ivr/flow"
)

// Word says what a line tells: a word of the scripts where there is one for it.
type Word string

// Words of the flow: what came out of it.
const (
	Hears      Word = "hears" // said, or written in the chat or the SMS that the customer is in
	Gets       Word = "gets"  // sent by Means
	Queued     Word = "queued"
	Transfers  Word = "transfers" // connects to Text
	Surveyed   Word = "surveyed"
	Ticketed   Word = "ticketed"
	Identifies Word = "identifies"
	LooksFor   Word = "looks for" // an earlier interaction to go on with
	CallsBack  Word = "calls back"
	Moves      Word = "moves" // asks the customer to go to another channel
	Tapes      Word = "tapes" // a voicemail or a recording
	Asks       Word = "asks"  // another system, by http
	Keeps      Word = "keeps" // a promise
	Speaks     Word = "speaks"
	Leads      Word = "leads" // out of a step: Name is the outcome, Text where to
	Faults     Word = "faults"
	Ends       Word = "ends"
)

// Words of people and systems: what came to the flow.
const (
	Presses     Word = "presses"
	Types       Word = "types"
	Taps        Word = "taps"
	Says        Word = "says"
	Waits       Word = "waits"
	Opens       Word = "opens"
	Finishes    Word = "finishes"
	Declines    Word = "declines"
	Accepts     Word = "accepts"
	Leaves      Word = "leaves"
	Agent       Word = "agent"
	Identified  Word = "identified"
	Resumes     Word = "resumes" // an earlier interaction, or not
	Transferred Word = "transferred"
	Records     Word = "records"
	Answers     Word = "answers" // of another system, to an http step
)

// Line is one thing that happened.
type Line struct {
	At      time.Duration // since the beginning
	Flow    string
	Step    string // that it happened in
	Word    Word
	Names   []string // of the prompts that Hears and Gets show; "" for one written in place
	Name    string   // of the form, queue, outcome
	Text    string   // words, keys, an address; keys of a secret are dots
	Means   string   // of Gets: sms, chat, mail; of Hears: the channel
	Lang    string
	Image   string
	Buttons []flow.Option  // what may be chosen in text
	Fields  map[string]any // of a ticket; level, skills and priority, of Queued; what a step has set, of Leads
	Answer  *Answer        // of Answers
	Place   bool           // Hears tells the place in line
	Self    bool           // it came by itself, as the world was given, and nobody of the script did it
	Secret  string         // what was typed where Text has dots, or answered: for a script only, never for a transcript
}

// Act tells whether a line is what somebody outside the flow did.
func (l Line) Act() bool {
	if l.Self {
		return false
	}
	switch l.Word {
	case Presses, Types, Taps, Says, Waits, Opens, Finishes, Declines, Accepts, Leaves, Agent, Identified, Resumes, Transferred, Records, Answers:
		return true
	}
	return false
}

// String is the line without its time and step.
func (l Line) String() string {
	switch l.Word {
	case Hears:
		verb := "hears"
		if l.Means != string(tandem.Voice) {
			verb = "reads"
		}
		return verb + "  " + l.said()
	case Gets:
		return "gets " + l.Means + "  " + l.said()
	case Leads:
		s := "→ " + l.Text + "  (" + l.Name + ")"
		if l.Text == "" {
			s = "returns " + l.Name
		}
		for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
			s += fmt.Sprintf("  %s = %s", name, JSON(l.Fields[name]))
		}
		return s
	case Ticketed:
		s := "ticketed  " + l.Name
		if l.Text != "" {
			s += "  number " + l.Text
		}
		for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
			s += fmt.Sprintf("  %s = %s", name, JSON(l.Fields[name]))
		}
		return s
	case Queued:
		s := "queued  " + l.Name
		for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
			s += fmt.Sprintf("  %s %v", name, l.Fields[name])
		}
		return s
	case Answers:
		if l.Secret != "" {
			return fmt.Sprintf("answers  %d •••", l.Answer.Status)
		}
		return "answers  " + l.Answer.String()
	case Leaves:
		return "leaves"
	case Faults:
		return "goes wrong  " + l.Text
	}
	s := string(l.Word)
	for _, more := range []string{l.Name, l.Text} {
		if more != "" {
			s += "  " + more
		}
	}
	return s
}

// said is the words with their picture and buttons.
func (l Line) said() string {
	s := l.Text
	if l.Image != "" {
		s += " [picture " + l.Image + "]"
	}
	if l.Means == string(tandem.Chat) {
		for _, b := range l.Buttons {
			s += " [" + b.Label + "]"
		}
	}
	return s
}

// Transcript is the whole interaction for people, a line for each thing, the same for
// the same lines.
func (t *Talk) Transcript() string {
	return Transcript(t.began, t.flow.Zone, t.lines)
}

// Transcript writes lines with the time since began and the step they happened in. It
// begins with the time in the zone, which may be nil.
func Transcript(began time.Time, zone *time.Location, lines []Line) string {
	if zone != nil {
		began = began.In(zone)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "begins %s\n", began.Format("Mon 2006-01-02 15:04:05 -07:00"))
	widest := 4
	for _, l := range lines {
		widest = max(widest, utf8.RuneCountInString(l.Step))
	}
	for _, l := range lines {
		for i, row := range strings.Split(l.String(), "\n") {
			if i == 0 {
				fmt.Fprintf(&b, "%7s  %-*s  %s\n", clock(l.At), widest, l.Step, row)
				continue
			}
			fmt.Fprintf(&b, "%7s  %-*s         %s\n", "", widest, "", row)
		}
	}
	return b.String()
}

// clock writes 0:05, 12:30, 1:02:03.
func clock(d time.Duration) string {
	s := int(d / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// maxLines bounds one interaction: a script that lets weeks pass in a queue is a mistake.
const maxLines = 50_000

// note adds a line of the step at hand.
func (t *Talk) note(l Line) {
	if len(t.lines) >= maxLines {
		t.fault = tandem.Errorf(tandem.CodeInvalid, "more than %d things have happened", maxLines)
		return
	}
	l.At = t.now.Sub(t.began)
	switch {
	case l.Step != "" || l.Word == Ends:
	case l.Act() && t.s.Wait.Step != "":
		l.Step = t.s.Wait.Step
	default:
		l.Step = t.step
	}
	if l.Flow == "" && len(t.s.Frames) > 0 {
		l.Flow = t.s.Frames[len(t.s.Frames)-1].Flow
	}
	t.lines = append(t.lines, l)
}
