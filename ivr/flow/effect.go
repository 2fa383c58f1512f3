package flow

import (
	"time"

	"tandem"
)

// LinkHere stands for the address of a link in what an effect says: only the world
// makes addresses. It is a character of Unicode's private use, which no flow can say.
const LinkHere = "\uE000"

// Effects that ask for something of the world outside the call. Each is answered by an
// InputResult with its Serial; the outcomes are those of the verb.
type (
	// Send writes a message.
	Send struct {
		Serial   int
		Step     string
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
	// "expired". The engine's own wait ends the step.
	SendLink struct {
		Serial    int
		Step      string
		Operation string
		Params    map[string]any
		By        []string
		Name      string
		Lang      string
		Parts     []tandem.Part // with LinkHere where the address goes
		Expires   time.Duration
		Wait      time.Duration
	}
	// Move asks the customer to go on by another channel. Its result says in Carried
	// whether the assurance came along.
	Move struct {
		Serial    int
		Step      string
		To        tandem.Channel
		Name      string
		Lang      string
		Parts     []tandem.Part // may have LinkHere
		KeepPlace bool
	}
	// Identify finds out who the customer is. Its result says in Until how long that holds.
	Identify struct {
		Serial   int
		Step     string
		Level    tandem.Assurance
		By       []string
		Fallback string
		Lang     string
	}
	// Enqueue puts the interaction in line. Places come as InputPlace; a taken offer of
	// chat or sms as InputMoved; the result ends it.
	Enqueue struct {
		Serial        int
		Step          string
		Queue         string
		Skills        []string
		Priority      time.Duration
		MaxWait       time.Duration
		AnnounceEvery time.Duration
		Offers        []Option // Keys, and in Label what is offered: callback, chat, sms
		During        string
		Lang          string
	}
	// Take accepts an offer of the Enqueue with that serial.
	Take struct {
		Serial int
		Step   string
		What   string
	}
	// Book books a callback.
	Book struct {
		Serial int
		Step   string
		To     string // "" = the customer
		At     string // "" = as soon as an agent is free
		Window time.Duration
		Queue  string
		Lang   string
	}
	// OpenTicket opens a work order. Its result has the number in Value.
	OpenTicket struct {
		Serial int
		Step   string
		Form   string
		Fields map[string]any
		Owner  string
		Due    time.Duration
		Lang   string
	}
	// Survey asks the questions of a form. With After it is answered at once.
	Survey struct {
		Serial int
		Step   string
		Form   string
		By     []tandem.Channel
		After  time.Duration
		Lang   string
	}
)

func (Send) effect()       {}
func (SendLink) effect()   {}
func (Move) effect()       {}
func (Identify) effect()   {}
func (Enqueue) effect()    {}
func (Take) effect()       {}
func (Book) effect()       {}
func (OpenTicket) effect() {}
func (Survey) effect()     {}
