package flow

import (
	"regexp"
	"time"

	"tandem"
)

// What *.queues.yaml describes: who waits where, who serves, and by which rule. It is
// data alone; what orders the line is tandem/bridge/route, which the program hands it to.
type (
	// Queue is one named part of the line.
	Queue struct {
		Name  string
		Pos   Pos
		Teams []string // who serves it
		// Target is in which time a task is to be taken up, by kind; in a Library it is
		// complete: DefaultTarget is filled in. TargetOf is by the customer's level, then kind,
		// and has what differs.
		Target   map[tandem.TaskKind]time.Duration
		TargetOf map[string]map[tandem.TaskKind]time.Duration
		Full     int           // tasks that may wait; 0 = any number
		Hours    string        // a calendar; "" = always open
		MaxWait  time.Duration // where the step has none; 0 = none
		Prefer   time.Duration // how long a task is kept for the agent who knows the customer; 0 = not
		Relax    []Relax       // by After, ascending
		Over     []Overflow    // by After, ascending
		// OfferAfter is how long somebody waits before an offer (callback, chat, sms) is made;
		// one not named is made at once.
		OfferAfter     map[string]time.Duration
		CallbackTries  int           // how often a callback is dialled before it is given up
		CallbackGap    time.Duration // between
		CallbackWindow time.Duration // how long after its time a callback that was booked for one may begin
		Escalate       []string      // owners of a ticket, one at each missed deadline: "agent:NAME", "team:NAME", "queue:NAME"
		Disposition    bool          // its agents must say what came of a task before their wrap-up is over
	}
	// Relax asks for less of skills after a time in line: Levels is by how much, by skill; "*"
	// is every skill.
	Relax struct {
		Pos    Pos
		After  time.Duration
		Levels map[string]int
	}
	// Overflow lets other teams help after a time in line.
	Overflow struct {
		Pos   Pos
		After time.Duration
		Teams []string
	}
	// Team is people who serve the same queues, at one site.
	Team struct {
		Name string
		Pos  Pos
		Site string // "" = none is named
	}
	// Agent is somebody who serves, under the name that they log in by. Where their phone is
	// stands in the configuration: a flow file makes the server dial nobody.
	Agent struct {
		Name     string
		Pos      Pos
		Teams    []string
		Skills   map[string]int      // 1 to 9
		Capacity map[tandem.Load]int // complete: what the policy says is filled in
	}
	// Routing is what holds for the whole line. A Library has it complete: built-in defaults
	// are filled in where the folder has no policy, or names something not.
	Routing struct {
		Pos          Pos // of the policy; no file = the folder has none
		MostPriority time.Duration
		Capacity     map[tandem.Load]int // of an agent who has none of their own
		Blocks       map[tandem.Load][]tandem.Load
		Offer        map[tandem.Load]time.Duration
		WrapUp       map[tandem.Load]time.Duration // 0 = no notes are waited for
		DeclineRest  time.Duration
		Misses       int                // 0 = any number
		Away         map[string]*Prompt // reasons by name, as people read them
		Dispositions map[string]*Prompt // what can come of a task, by name; none = agents use words of their own
	}
)

// Box is where voicemail goes.
type Box struct {
	Name  string
	Pos   Pos
	Queue string
}

// Loads are the classes of work by which capacity is counted, in the order they are shown.
func Loads() []tandem.Load {
	return []tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork}
}

// TargetKinds are the words of a queue's target, in the order they are shown, each with
// the kind of task that it means.
func TargetKinds() []struct {
	Word string
	Kind tandem.TaskKind
} {
	return []struct {
		Word string
		Kind tandem.TaskKind
	}{
		{"voice", tandem.TaskCall}, {"chat", tandem.TaskChat}, {"sms", tandem.TaskText},
		{"callback", tandem.TaskCallback}, {"voicemail", tandem.TaskVoicemail}, {"ticket", tandem.TaskTicket},
	}
}

// DefaultTarget is the target of a kind that a queue does not name.
func DefaultTarget(k tandem.TaskKind) time.Duration {
	switch k {
	case tandem.TaskCall, tandem.TaskCallback:
		return 20 * time.Second
	case tandem.TaskChat:
		return time.Minute
	case tandem.TaskText:
		return 15 * time.Minute
	case tandem.TaskVoicemail:
		return 4 * time.Hour
	}
	return 24 * time.Hour
}

// Defaults of a queue's callbacks.
const (
	DefaultCallbackTries  = 2
	DefaultCallbackGap    = 15 * time.Minute
	DefaultCallbackWindow = 2 * time.Hour
)

// DefaultRouting is what holds where no policy says otherwise: a call blocks all else.
func DefaultRouting() *Routing {
	return &Routing{
		MostPriority: 10 * time.Minute,
		Capacity:     map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: 3, tandem.LoadSMS: 5, tandem.LoadWork: 1},
		Blocks:       map[tandem.Load][]tandem.Load{tandem.LoadVoice: {tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork}},
		Offer: map[tandem.Load]time.Duration{
			tandem.LoadVoice: 20 * time.Second, tandem.LoadChat: 30 * time.Second, tandem.LoadSMS: 2 * time.Minute, tandem.LoadWork: 5 * time.Minute,
		},
		WrapUp:      map[tandem.Load]time.Duration{tandem.LoadVoice: time.Minute, tandem.LoadChat: 30 * time.Second, tandem.LoadSMS: 0, tandem.LoadWork: 0},
		DeclineRest: time.Minute,
		Misses:      3,
		Away:        map[string]*Prompt{}, Dispositions: map[string]*Prompt{},
	}
}

// Bounds of skills.
const (
	BestSkill    = 9
	LongestSkill = 64 // characters of its name
)

var (
	skillForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:_.-]{0,63}$`)
	wantedForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9:_.-]{0,63})(?:>=([1-9]))?$`)
)

// IsSkill reports whether s can be the name of a skill: Latin letters, digits and : _ - .
func IsSkill(s string) bool { return skillForm.MatchString(s) }

// Wanted takes a skill that is asked for apart: "lang:en" is any level, "cards>=3" level 3
// or better.
func Wanted(s string) (skill string, level int, ok bool) {
	m := wantedForm.FindStringSubmatch(s)
	if m == nil {
		return "", 0, false
	}
	level = 1
	if m[2] != "" {
		level = int(m[2][0] - '0')
	}
	return m[1], level, true
}
