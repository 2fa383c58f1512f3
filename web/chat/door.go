// Package chat is the customers' door for the widget: the WebSocket that messages go
// through, and the HTTP addresses beside it for pictures, links, transcripts and calls
// back. docs/chat-protocol.md is what it speaks.
//
// It owns one goroutine for each socket, a second one only while frames are written to
// it; Close ends them all. It trusts no frame: each acts on the socket's own conversation
// alone, which a token opened. It logs no token and no text, and makes HTML of a
// customer's words in the transcript only, by html/template.
package chat

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/store"
	"tandem/store/blob"
)

// Site is one place where the widget stands, or a QR code that opens it.
type Site struct {
	Entry     string            // "chat:bank", "qr:CODE": what the conversation's entry will be
	Origins   []string          // pages it may stand on, such as https://www.bank.example; the server's own always may
	Title     map[string]string // by language
	Languages []string          // of the entry's flow, its fallback first; at least one
	CallBack  bool              // visitors may ask to be called
	Place     string            // of a QR code, as the operator named it
}

// Said is one message of a customer.
type Said struct {
	Client     string // the customer's own id of it, against doubles
	Text       string
	Secret     bool // entered as a secret: chat.ErrNoSecret if none is waited for, and nothing is kept
	Attachment *tandem.Attachment
	Blobs      []store.BlobRef // the attachment's; Interaction is "", whoever makes the change sets it
	Address    string          // the customer's network address
}

// Talk is who answers: ivr/text's Driver, or whoever it hands over to.
type Talk interface {
	// Open says that the customer looks: the entry's flow begins if nothing is going on.
	Open(ctx context.Context, id tandem.ConversationID) error
	// Speak notes that the customer has chosen another language of the site's.
	Speak(ctx context.Context, id tandem.ConversationID, lang string) error
	// Say keeps a message and has it answered; what the Book shows of it comes back. A
	// message whose Client is known changes nothing and comes back as it was kept.
	Say(ctx context.Context, id tandem.ConversationID, s Said) (chat.Entry, error)
}

// Callback books calls. Its errors may be *Refused.
type Callback interface {
	// Ask has a code sent to a number; check names the booking until Confirm. A zero at
	// means as soon as somebody is free. address is the customer's network address.
	Ask(ctx context.Context, id tandem.ConversationID, phone string, at time.Time, address string) (check string, err error)
	// Confirm books the call if the code is right; number is the spoken one.
	Confirm(ctx context.Context, id tandem.ConversationID, check, code string) (number tandem.Number, at time.Time, err error)
}

// Looker opens what was kept for somebody who looks; store/sqlite's OpenBlob.
type Looker interface {
	OpenBlob(ctx context.Context, id tandem.BlobID, actor, why string) (io.ReadSeekCloser, store.BlobRef, error)
}

// Blobs keeps pictures; store/blob's Dir.
type Blobs interface {
	Create(in tandem.InteractionID, mediaType string) (*blob.Writer, error)
	Remove(id tandem.BlobID) error
}

// Refused is an answer of Callback or of Links that the customer is told.
type Refused struct {
	Code       string            // for programs, such as "number_refused"
	Message    map[string]string // a sentence by language: en, zh-CN
	RetryAfter time.Duration     // 0 = trying again is of no use
}

func (r *Refused) Error() string { return "refused: " + r.Code }

// Limits bounds what strangers can take. Zero fields are the defaults.
type Limits struct {
	Sockets              int // at once; 20,000
	SocketsPerAddress    int // at once; 50
	ConversationsPerHour int // new ones, of one address; 30
	AttachmentsPerHour   int // of one address; 60
	CallbacksPerHour     int // asked for, of one address; 5
}

// Options is what a Door is made of. Place, Face, Scan, Ready, Panicked, Proxies and
// Limits may be left out; Callback and Links too, and are answered 404 then.
type Options struct {
	Book    *chat.Book
	Sites   func(entry string) (Site, bool) // by "chat:SITE" or "qr:CODE"
	Origins func() []string                 // of all sites
	Talk    Talk
	// Place is how a conversation stands in line now, for who has just come; ok is false if
	// it is in none. What changes afterwards is published by the Book.
	Place    func(ctx context.Context, c chat.Conversation) (p *chat.Place, ok bool)
	Links    func(ctx context.Context, id tandem.ConversationID, link tandem.LinkID) (url string, err error)
	Callback Callback
	Face     Face // nil = there are no voice and pictures, and no identity checks
	Blobs    Blobs
	Look     Looker
	Images   fs.FS                                        // the flows folder, for its pictures
	Scan     func(ctx context.Context, data []byte) error // of what is uploaded; an error refuses it
	URL      string                                       // how customers reach the server, http.public_url
	Proxies  []netip.Prefix                               // whose X-Forwarded-For is believed
	Limits   Limits
	Ready    func() error // why no new sockets are let in now; nil = they are
	Panicked func()       // counts a fault of ours, which ends its socket only
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger
}

// Door lets customers in.
type Door struct {
	o        Options
	own      string // the server's origin
	limits   *limits
	uploads  *uploads
	times    times
	answered *answered
	ctx      context.Context // of all that is done for customers; ends with Close
	cancel   context.CancelFunc

	mu        sync.Mutex
	sockets   map[*socket]struct{}
	strangers map[string]*stranger // by the token they were given
	of        map[tandem.ConversationID]map[*socket]struct{}
	born      uint64 // sockets
	closed    bool
	running   sync.WaitGroup // sockets, and what works for them
}

// New makes a Door.
func New(o Options) (*Door, error) {
	if o.Book == nil || o.Sites == nil || o.Origins == nil || o.Talk == nil || o.Blobs == nil || o.Look == nil || o.Images == nil ||
		o.Now == nil || o.Random == nil || o.Log == nil {
		return nil, errors.New("web/chat: Options need Book, Sites, Origins, Talk, Blobs, Look, Images, Now, Random and Log")
	}
	own, ok := normalOrigin(o.URL)
	if !ok {
		return nil, errors.New("web/chat: Options need URL, http://HOST or https://HOST")
	}
	for of, standard := range map[*int]int{&o.Limits.Sockets: 20_000, &o.Limits.SocketsPerAddress: 50, &o.Limits.ConversationsPerHour: 30,
		&o.Limits.AttachmentsPerHour: 60, &o.Limits.CallbacksPerHour: 5} {
		if *of <= 0 {
			*of = standard
		}
	}
	d := &Door{o: o, own: own, limits: newLimits(o.Now), uploads: newUploads(), times: standardTimes(), sockets: map[*socket]struct{}{}, strangers: map[string]*stranger{},
		of: map[tandem.ConversationID]map[*socket]struct{}{}, answered: newAnswered()}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d, nil
}

// Routes adds the door's addresses, all below /api/v1/chat/.
func (d *Door) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/chat/socket", d.getSocket)
	mux.HandleFunc("GET /api/v1/chat/site", d.getSite)
	mux.HandleFunc("GET /api/v1/chat/images/{path...}", d.getImage)
	mux.Handle("POST /api/v1/chat/attachments", d.mine(d.postAttachment))
	mux.Handle("GET /api/v1/chat/attachments/{id}", d.mine(d.getAttachment))
	mux.Handle("GET /api/v1/chat/transcript", d.mine(d.getTranscript))
	mux.Handle("POST /api/v1/chat/links/{id}", d.mine(d.postLink))
	mux.Handle("POST /api/v1/chat/callback", d.mine(d.postCallback))
	mux.Handle("POST /api/v1/chat/callback/{check}", d.mine(d.postCode))
	mux.Handle("POST /api/v1/chat/stills/{check}/{step}", d.mine(d.postStill))
	mux.HandleFunc("OPTIONS /api/v1/chat/", d.preflight)
}

// Close closes every socket with 1012, so that its client comes back a little later, and
// lets in no more. It returns when all that was begun has ended; what has not by the end
// of ctx is cut off.
func (d *Door) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	all := make([]*socket, 0, len(d.sockets))
	for s := range d.sockets {
		all = append(all, s)
	}
	d.mu.Unlock()
	for _, s := range all {
		s.end(closeRestart, "restart")
	}
	d.uploads.close()
	ended := make(chan struct{})
	go func() { d.running.Wait(); close(ended) }()
	select {
	case <-ended:
		d.cancel()
		return nil
	case <-ctx.Done():
	}
	d.cancel()
	for _, s := range all {
		s.raw.Close()
	}
	<-ended
	return context.Cause(ctx)
}

// Sockets is how many are open.
func (d *Door) Sockets() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.sockets)
}

// enter counts a socket in. It is false once the door is closed, or full.
func (d *Door) enter(s *socket) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.sockets) >= d.o.Limits.Sockets {
		return false
	}
	d.sockets[s] = struct{}{}
	d.born++
	s.born = d.born
	d.running.Add(1)
	return true
}

func (d *Door) leave(s *socket) {
	d.mu.Lock()
	delete(d.sockets, s)
	d.mu.Unlock()
	d.part(s)
	d.limits.release(s.from)
	d.running.Done()
}
