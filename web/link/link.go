// Package link shows the pages that links open: a neutral one that says nothing and
// changes nothing, and after the person's press the page of an operation, rendered here,
// which works without scripts. What becomes of a link is bridge/link's to decide. A page
// of its own tells where a ticket of bridge/ticket stands.
//
// It starts no goroutine. It never logs a token, a code or what was filled in: its log
// names links by their ids.
package link

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"tandem"
	links "tandem/bridge/link"
	"tandem/bridge/ticket"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/web/answer"
)

//go:embed page
var files embed.FS

// Options is what the pages are made of.
type Options struct {
	Desk *links.Desk
	URL  string // how customers reach the pages, as the desk has it
	Name string // of the organisation, as customers know it; "" = none is told
	// Operations finds what a link opens, with the forms it asks, in the version of the
	// flow that made the link.
	Operations func(ctx context.Context, l links.Link) (*flow.Operation, map[string]*flow.Form, error)
	Images     fs.FS // the flows folder, which the pictures of operations lie in
	// Accept lets the customer go on by another channel, in the browser that asks, which
	// gets the token of the conversation in a site's chat. It is called after the link is
	// done, again if the person presses again. An error of code not_found or conflict says
	// that it is too late.
	Accept func(ctx context.Context, l links.Link, r *http.Request) (site, token string, err error)
	// Beside reports whether a link opens a page beside its customer's call, which goes on;
	// nil = none does.
	Beside func(l links.Link) bool
	// Said is what the flow has said since the link was done, as far as whoever has shown
	// what the link needs may know it; nil = nothing is shown. It is not asked where the
	// session had a higher level than that when it made the link.
	Said func(ctx context.Context, l links.Link) []string
	// Ticket is the ticket that a token leads to, ticket.ErrUnusable if there is none;
	// nil = there are no such pages.
	Ticket func(ctx context.Context, token string) (ticket.View, error)
	// ZoneOf is in which times about a queue are read; nil, or that it gives nil = Zone.
	ZoneOf func(queue string) *time.Location
	Zone   *time.Location // in which customers read times; nil = UTC
	// Address is whose request it is, for limits; nil = the connection's other end.
	Address func(r *http.Request) netip.Addr
	// Attempts is how many requests with a wrong token or code an address may make in a
	// minute; 0 = 60.
	Attempts int
	Key      []byte // authenticates the pages' forms; nil = one of this process, so that a restart makes open pages ask to press again
	Now      func() time.Time
	Log      *slog.Logger
}

// Addresses are those that Handler serves.
func Addresses() []string { return []string{"/l", "/l/", "/o/", "/t/", "/link.css", "/link.js"} }

// pages is the handler.
type pages struct {
	o      Options
	origin string // scheme://host of URL
	secure bool   // https: cookies have the prefix that holds browsers to it
	forms  nonces
	work   *limiter // all requests that cost something
	wrong  *limiter // guesses
	looks  looks
}

// Handler serves the pages at Addresses.
func Handler(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Address == nil {
		o.Address = func(r *http.Request) netip.Addr { return answer.Source(r, nil) }
	}
	p := &pages{
		o: o, forms: newNonces(o.Key, o.Now), looks: newLooks(),
		work: newLimiter(o.Now, workBurst, workEach), wrong: newLimiter(o.Now, o.Attempts, time.Minute/time.Duration(o.Attempts)),
	}
	if u, err := url.Parse(o.URL); err == nil {
		p.origin, p.secure = u.Scheme+"://"+strings.ToLower(u.Host), u.Scheme == "https"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /l/{token}", p.neutral) // HEAD too
	mux.HandleFunc("POST /l", p.press)
	mux.HandleFunc("GET /o/{id}", p.look)
	mux.HandleFunc("POST /o/{id}", p.act)
	mux.HandleFunc("GET /o/{id}/{picture}", p.picture)
	mux.HandleFunc("GET /t/{token}", p.status)
	mux.HandleFunc("GET /link.css", p.file("text/css; charset=utf-8", "page/link.css"))
	mux.HandleFunc("GET /link.js", p.file("text/javascript; charset=utf-8", "page/link.js"))
	mux.HandleFunc("/", p.nothing)
	return guarded(mux)
}

// policy lets a page load what comes from its own door and nothing else, stand in no
// other page, and send its form home.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guarded sets what keeps a page to itself, out of caches, logs of others and the lists
// of search engines.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("Cache-Control", "no-store")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-read=(), display-capture=()")
		h.ServeHTTP(w, r)
	})
}

// file serves one of the two files beside the pages.
func (p *pages) file(kind, name string) http.HandlerFunc {
	data, err := files.ReadFile(name)
	return func(w http.ResponseWriter, r *http.Request) {
		if err != nil { // it is embedded
			p.nothing(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(data) // a client that left is none of ours to mend
	}
}

// failed shows the page for what went wrong. All that a stranger could learn from is
// one answer.
func (p *pages) failed(w http.ResponseWriter, r *http.Request, root string, err error) {
	code := tandem.CodeOf(err)
	switch {
	case errors.Is(err, links.ErrUnusable), errors.Is(err, ticket.ErrUnusable), code == tandem.CodeNotFound, code == tandem.CodeConflict:
		p.show(w, http.StatusNotFound, view{Root: root, Kind: "unusable", W: p.words(r, "")})
	case errors.Is(err, errCross):
		p.show(w, http.StatusForbidden, view{Root: root, Kind: "unusable", W: p.words(r, "")})
	case errors.Is(err, errTooMany):
		w.Header().Set("Retry-After", "60")
		p.show(w, http.StatusTooManyRequests, view{Root: root, Kind: "busy", W: p.words(r, "")})
	case errors.Is(err, errTooLong):
		p.show(w, http.StatusRequestEntityTooLarge, view{Root: root, Kind: "long", W: p.words(r, "")})
	default:
		if !errors.Is(err, context.Canceled) {
			p.o.Log.Warn("a link's page cannot be served", "link", r.PathValue("id"), "error", err)
		}
		w.Header().Set("Retry-After", "60")
		status := http.StatusServiceUnavailable
		if !errors.Is(err, store.ErrUnavailable) && code != tandem.CodeUnavailable {
			status = http.StatusInternalServerError
		}
		p.show(w, status, view{Root: root, Kind: "down", W: p.words(r, "")})
	}
}

var (
	errCross   = errors.New("sent from another site")
	errTooMany = errors.New("too many requests of one address")
	errTooLong = errors.New("more was filled in than is taken")
)

func (p *pages) nothing(w http.ResponseWriter, r *http.Request) {
	p.failed(w, r, strings.Repeat("../", max(0, strings.Count(r.URL.Path, "/")-1)), links.ErrUnusable)
}
