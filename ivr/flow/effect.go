package flow

import (
	"time"

	"tandem"
)

// Effect is something the engine asks the world to do, in order.
type Effect interface{ effect() }

// LinkHere stands for the address of a link in what an effect says: only the world
// makes addresses. It is a character of Unicode's private use, which no flow can say.
const LinkHere = "\uE000"

// Effects on the channel at hand, and for the journal.
type (
	// Play says a prompt after those before it have ended.
	Play struct {
		Step    string
		Name    string // of the prompt; "" = written in place
		Lang    string
		Parts   []tandem.Part
		Audio   string // a recording that replaces Parts on voice; path relative to the flows folder
		Image   string // shown where the channel can; path relative to the flows folder
		BargeIn BargeIn
		Secret  bool // part of a step that takes a secret
		// Announces is "recording" if hearing this prompt whole allows recording; else "".
		Announces string
	}
	// Cut stops prompts that keys may stop, playing and waiting; others go on.
	Cut struct{}
	// Promise is an event to be durable before the next effect is carried out.
	Promise struct {
		Kind tandem.EventKind
		Data any
	}
	// Trace is a happening for the journal. It never holds a secret.
	Trace struct {
		Kind tandem.EventKind
		Data any
	}
	// Speak changes the language from here on.
	Speak struct{ Lang string }
	// Hush begins or ends the entry of a secret: recording, transcript and relaying pause.
	Hush struct{ On bool }
	// Told is what came of a step that an agent asked: the world tells them. The prompts
	// before it are said to their end first; then they have the customer back.
	Told struct {
		Flow    string         `json:"flow"`
		Step    string         `json:"step"`
		Outcome string         `json:"outcome"`       // of the verb; "error", "left", or "cut" if the agent had the customer no more
		Set     map[string]any `json:"set,omitempty"` // variables it changed, secrets masked
	}
	// Finish ends the session; prompts already asked for are played out first.
	Finish struct {
		Reason string
		Failed bool // the flow could not go on
	}
)

// Effects that ask for something and are answered: Fetch by InputFetched, all others
// by InputResult, with their Serial; outcomes are those of the verb. One that cannot
// be carried out is answered by InputFault.
//
// Key, where an effect has one, names this visit to the step within the session. It is
// the same when a stored session is resumed and asks again: what was done under a key
// is not done twice, but answered with what came of it.
//
// A customer who leaves (InputLeft), and a session that ends or is left by a fault,
// withdraws what is under way, unless the effect says otherwise; no answer is taken
// any more.
type (
	// Fetch makes one HTTP exchange, retries included.
	Fetch struct {
		Serial  int
		Step    string
		Method  string
		URL     string
		Headers [][2]string
		Body    []byte // JSON, or nil
		Timeout time.Duration
		Retries int
		Key     string // only where the request may be made twice; "" = it is made once
	}
	// Connect joins somebody to the customer. Withdrawn, the other party is let go.
	Connect struct {
		Serial int
		Step   string
		To     string
		Mode   string
		Ring   time.Duration
	}
	// Record records the customer once the prompts have ended: a voicemail for Box, or
	// for the variable Into a recording whose id is the result's Value. Withdrawn, what
	// was said is kept all the same.
	Record struct {
		Serial int
		Step   string
		Box    string // "" = Into
		Queue  string // of the box
		Into   string
		Max    time.Duration
		Lang   string
	}
	// Send writes a message. It is not withdrawn.
	Send struct {
		Serial   int
		Step     string
		Key      string
		By       []string // the first that can carry it: sms, chat, mail
		To       string   // "" = the customer
		Name     string   // of the prompt; "" = written in place
		Lang     string
		Parts    []tandem.Part
		Image    string
		Template string // instead of Parts
		Params   map[string]any
	}
	// SendLink makes a link and sends it. It is answered by "undeliverable", or "sent" and
	// then, if Wait is not 0, by what happens on the page: "opened", "done", "declined",
	// "expired". The engine's own wait ends the step. A link that was sent stays valid
	// until it expires, whoever leaves.
	SendLink struct {
		Serial    int
		Step      string
		Key       string
		Operation string
		Params    map[string]any
		By        []string
		Name      string
		Lang      string
		Parts     []tandem.Part // with LinkHere where the address goes
		Image     string
		Button    string // what opens the link where there are buttons; "" = a plain word
		Expires   time.Duration
		Wait      time.Duration // from the first sending
	}
	// Move asks the customer to go on by another channel. Its result says in Carried
	// whether the assurance came along. Withdrawn, the way there is closed.
	Move struct {
		Serial    int
		Step      string
		Key       string
		To        tandem.Channel
		Name      string
		Lang      string
		Parts     []tandem.Part // may have LinkHere
		Image     string
		Button    string // as in SendLink
		KeepPlace bool
	}
	// Identify finds out who the customer is. Its result says in Until how long that
	// holds. What the customer enters meanwhile goes to the world alone and is a secret.
	// A resumed session begins it anew.
	Identify struct {
		Serial   int
		Step     string
		Level    tandem.Assurance
		By       []string
		Fallback string
		Check    string // the CheckPolicy of video; "" = there is no video
		Lang     string
	}
	// Resume asks for the number of an earlier interaction and checks that it is the
	// customer's; if it is, that interaction's session goes on in the place of this one,
	// which hears no more: its journal is closed with ReasonResumed. The result is
	// "declined", or "failed" for any other end, and does not tell why. What the customer enters meanwhile
	// goes to the world alone and is a secret. A resumed session begins it anew.
	Resume struct {
		Serial int
		Step   string
		Lang   string
	}
	// Enqueue puts the interaction in line. Places come as InputPlace: one soon, then as
	// they change, and one as each delay of OfferAfter is over; an agent who takes the
	// customer as InputServed; a taken offer of chat or sms as InputMoved; the result ends
	// it. Which offers hold by now is in the session's Wait.Options. A resumed session keeps
	// its place. Withdrawn, the place is given up, but a callback that was taken stays booked.
	Enqueue struct {
		Serial        int
		Step          string
		Key           string
		Queue         string
		Level         string   // of the customer, as the queue names them; "" = ordinary, as is one it does not name
		Taken         bool     // an agent has the customer already, out of another step: by the task of that Key
		Skills        []string // "lang:en", "cards>=3"
		Priority      time.Duration
		MaxWait       time.Duration            // 0 = as the queue's policy says
		AnnounceEvery time.Duration            // 0 = never
		Offers        []Option                 // Keys, and in Label what is offered: callback, chat, sms; those with a delay too
		OfferAfter    map[string]time.Duration // by what is offered, how long one waits before it is; one not named holds at once
		During        string
		Lang          string
	}
	// Take accepts an offer of the Enqueue with that serial. It has no answer of its own,
	// and the same offer may be taken again, which changes nothing.
	Take struct {
		Serial int
		Step   string
		What   string
		// Again says that the world is asked once more after a stop: what it had begun goes
		// on, and nothing is begun in the place of what was over. The engine never sets it.
		Again bool
	}
	// Book books a callback. It is not withdrawn.
	Book struct {
		Serial int
		Step   string
		Key    string
		To     string        // "" = the customer
		At     string        // "" = as soon as an agent is free
		Window time.Duration // how long after At it may begin; 0 = any time after, or as soon as can be without At
		Queue  string
		Lang   string
	}
	// OpenTicket opens a work order. Its result has the number in Value. It is not
	// withdrawn.
	OpenTicket struct {
		Serial int
		Step   string
		Key    string
		Form   string
		Fields map[string]any
		Owner  string
		Due    time.Duration
		Lang   string
	}
	// Survey asks the questions of a form. With After it is answered at once, and not
	// withdrawn.
	Survey struct {
		Serial int
		Step   string
		Key    string
		Form   string
		By     []tandem.Channel // the present one first, if it is one of them
		After  time.Duration
		Lang   string
	}
)

func (Play) effect()       {}
func (Cut) effect()        {}
func (Promise) effect()    {}
func (Trace) effect()      {}
func (Speak) effect()      {}
func (Hush) effect()       {}
func (Told) effect()       {}
func (Finish) effect()     {}
func (Fetch) effect()      {}
func (Connect) effect()    {}
func (Record) effect()     {}
func (Send) effect()       {}
func (SendLink) effect()   {}
func (Move) effect()       {}
func (Identify) effect()   {}
func (Resume) effect()     {}
func (Enqueue) effect()    {}
func (Take) effect()       {}
func (Book) effect()       {}
func (OpenTicket) effect() {}
func (Survey) effect()     {}
