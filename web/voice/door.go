package voice

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"tandem"
	"tandem/media/webrtc"
)

// Protocol is the subprotocol of the socket.
const Protocol = "tandem.voice.1"

// Incoming is what a page asks for.
type Incoming struct {
	To      string     // what it calls: a number or another entry; of staff "try:FLOW" too
	Langs   []string   // what the person reads, best first
	Address netip.Addr // where the page's socket comes from
	Staff   string     // the name of who is logged in, of a door for staff; "" = a customer
}

// Calls runs calls; internal/app.
type Calls interface {
	// Admit says, before anything is spent, whether such a call would be taken now. Its
	// error may be *Refused.
	Admit(ctx context.Context, in Incoming) error
	// Call runs one to its end, and tells how it ended. ctx ends when the server stops.
	// The page is connected: its audio can be heard and played to.
	Call(ctx context.Context, c *Call) tandem.Termination
}

// Refused is an answer of Calls that the page is told.
type Refused struct {
	Why        string        // one of the words of docs/webrtc.md: unknown, busy, forbidden, closed, restart
	RetryAfter time.Duration // 0 = trying again is of no use
}

func (r *Refused) Error() string { return "refused: " + r.Why }

// Peers makes the pages' connections; media/webrtc's Server.
type Peers interface {
	NewPeer(o webrtc.PeerOptions) (*webrtc.Peer, error)
	Servers(who string) []webrtc.ICEServer
}

// Limits bounds what strangers can take. Zero fields are the defaults.
type Limits struct {
	Calls           int // at once; 200
	CallsPerAddress int // at once; 4
	CallsPerHour    int // begun from one address; 30
}

// Options is what a Door is made of. Who, Ready, Panicked, Proxies and Limits may be left out.
type Options struct {
	Calls    Calls
	Peers    Peers
	Origins  func() []string // pages that may call, besides the server's own
	URL      string          // how pages reach the server, http.public_url
	Proxies  []netip.Prefix  // whose X-Forwarded-For is believed
	Limits   Limits
	Ready    func() error // why no new calls are let in now; nil = they are
	Panicked func()       // counts a fault of ours, which ends its call only
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger

	// Who makes this a door for staff: it names who is logged in and may call from the
	// page, and is asked again every ten seconds while they do. ok is false for nobody.
	Who func(r *http.Request) (name string, ok bool)
}

// Door lets pages call.
type Door struct {
	o Options
}

// New makes a Door.
func New(o Options) (*Door, error) {
	if o.Calls == nil || o.Peers == nil || o.Origins == nil || o.Now == nil || o.Random == nil || o.Log == nil {
		return nil, errors.New("web/voice: Options need Calls, Peers, Origins, Now, Random and Log")
	}
	return &Door{o: o}, nil
}

// Routes adds the door's address, /api/v1/voice/socket.
func (d *Door) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/voice/socket", d.getSocket)
}

func (d *Door) getSocket(w http.ResponseWriter, r *http.Request) {}

// Close ends every call and every socket, and lets in no more. It returns when all that
// was begun has ended; what has not by the end of ctx is cut off.
func (d *Door) Close(ctx context.Context) error { return nil }
