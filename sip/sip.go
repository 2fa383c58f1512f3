// Package sip owns signalling: calls in and out over UDP and TCP, their dialogs,
// digest, trunks, limits and the answers strangers get. RFC 3261 with RFC 3264
// (through Media), 3581, 6026 and 8760. Sockets, transactions and parsing are
// sipgo's; what reaches it has passed sip/gate; the life of a dialog is kept here.
//
// Goroutines: one reader for each listener, one for each request while it is
// handled, and one for each inbound call, which runs Handler.Call from the first
// ring to the last goodbye. An outbound call runs on the goroutine that dialled.
// A panic in any of them ends that call or request only; it is counted and logged once.
//
// It never touches audio, never chooses a flow, never dials but where its caller
// or a configured trunk says, never follows a redirection, and takes nothing a
// stranger sends for a command. Which prefixes may be dialled, and how often, is
// decided before Dial is called.
package sip

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem"
	"tandem/sip/gate"
)

// What callers of this package branch on.
var (
	ErrAckLost   = errors.New("the answer was never acknowledged")
	ErrCancelled = errors.New("the caller gave up before the answer")
	ErrEnded     = errors.New("the call has ended")
	ErrNoMedia   = errors.New("no media in common")
	ErrState     = errors.New("not possible in this state of the call")
	ErrClosed    = errors.New("signalling is closed")
)

// Media is one call's side of offer and answer. Its methods are never called by
// two goroutines at once. Answer and Offer are called again for each re-INVITE.
type Media interface {
	// Offer writes a description for the other side to answer.
	Offer() ([]byte, error)
	// Answer reads an offer and writes the answer; an error refuses it with 488.
	Answer(offer []byte) ([]byte, error)
	// Accept reads the answer to the last Offer.
	Accept(answer []byte) error
}

// Holder is a Media whose next offer can put the other side on hold.
type Holder interface{ Hold(on bool) }

// Handler is what the server serves calls with.
type Handler interface {
	// Route is asked before anything is spent on a call: where does the user part
	// to lead, for a request from source? It must not block.
	Route(to string, source netip.AddrPort, transport string) Route
	// Call runs one inbound call on a goroutine of its own. ctx ends, with a
	// cause, when the call does. What it returns ends the call if nothing else
	// has: before the answer as a refusal, after it as BYE.
	Call(ctx context.Context, c *Call) tandem.Termination
}

// Route is the Handler's decision on one call.
type Route struct {
	Found  bool     // false: 404
	Auth   bool     // the caller must prove to be one of Config.Users
	Refuse *Refusal // not now, though found
}

// Refusal is an answer that turns a call away.
type Refusal struct {
	Code       int           // 300 to 699
	Reason     string        // phrase on the wire; the standard one if empty
	RetryAfter time.Duration // Retry-After header, whole seconds; 0 = none
}

// Trunk is a peer we exchange calls with under agreed rules.
type Trunk struct {
	Name           string
	Address        string         // where calls go out to: "sip:host:port;transport=tcp"
	Sources        []netip.Prefix // where calls come in from
	TrustsCallerID bool           // its From number is as good as known
	User, Password string         // for its challenges; empty = never answered
	Realm          string         // only this realm's challenges are answered; empty = the host of Address
	Domain         string         // host part of To and From; empty = the host of Address
}

// Limits bound what strangers can make this server do. Zero takes the default;
// negative switches a limit off.
type Limits struct {
	Gate           gate.Limits   // sizes, counts and rates of raw messages
	Calls          int           // dialogs at once: 5,000
	CallsPerSource int           // dialogs at once from one address: 200
	RetryAfter     time.Duration // told to those refused for a limit: 5 s
}

// Config is how a Server is set up.
type Config struct {
	Listen        []string   // "udp://127.0.0.1:5060", "tcp://[::1]:5060"; port 0 = any
	PublicAddress netip.Addr // in Contact and Via; invalid = the address of the socket
	Realm         string     // of our digest challenges: "tandem"
	Users         map[string]string
	AllowMD5      bool // offer MD5 beside SHA-256 (RFC 8760): for old phones
	Trunks        []Trunk
	Limits        Limits
	Log           *slog.Logger
	Registerer    prometheus.Registerer // nil = metrics are kept and not shown
	Now           func() time.Time      // nil = time.Now; timers run on the real clock
	Random        io.Reader             // nil = crypto/rand
	T1, T2        time.Duration         // 500 ms and 4 s; retransmissions of 2xx (RFC 3261 section 13.3.1.4)
	UserAgent     string                // Server and User-Agent header: "Tandem"
}

// Party is one end of a call as signalled: personal data, and no proof of anything.
type Party struct {
	Name string // display name
	URI  string
	User string // user part of the URI
}

// Event is what happens on a call beside its media: Key, Held or Ended.
type Event interface{ event() }

// Key is one key told by INFO (application/dtmf-relay or application/dtmf).
type Key struct {
	Digit byte // 0-9 * # A-D
	Via   string
}

// Held: the other side put us on hold or took us back.
type Held struct{ On bool }

// Ended is the last event of a call.
type Ended struct{ Termination tandem.Termination }

func (Key) event()   {}
func (Held) event()  {}
func (Ended) event() {}
