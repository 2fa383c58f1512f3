// Package api is the program's HTTP surfaces, one handler for each door: Customers
// (pages and their API), Staff (pages; web/login and others add what they show) and
// Admin (metrics, health, profiles; loopback only). What it shows it asks of the small
// interface below.
//
// It owns no goroutine beyond those of net/http, which Serve and Shutdown of the
// server the caller made account for. It never shows one door's content at another.
package api

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"tandem/web/answer"
)

// Status is what the surfaces show of the running server.
type Status interface {
	// Ready returns nil, or why new calls are not let in, in words for an operator.
	Ready() error
	// Calls is how many are up.
	Calls() int
	// Entries are the mapped numbers as they are now.
	Entries() []Entry
}

// Entry is a number that can be dialled, as customers see it.
type Entry struct {
	Number    string   `json:"number"`    // as configured; "1800*" is a prefix
	Flow      string   `json:"flow"`      // its name
	Languages []string `json:"languages"` // of the flow, its fallback first
	Dial      []string `json:"dial"`      // SIP addresses ready to dial; empty for a prefix
	Auth      bool     `json:"auth"`      // the caller's phone must have a user and password
	Call      bool     `json:"call"`      // it can be called from a page
}

// Overview is the answer of GET /api/v1/entries.
type Overview struct {
	Demo    bool    `json:"demo"`
	Version string  `json:"version"`
	Ready   bool    `json:"ready"`
	Calls   int     `json:"calls"`
	Entries []Entry `json:"entries"`
	Phone   *Phone  `json:"phone,omitempty"` // the demo's; nil otherwise
}

// Bounds of every surface. A page's answer is small and its requests carry nothing.
const (
	headerTime     = 5 * time.Second  // to send a request's head: slow senders are cut off
	readTime       = 10 * time.Second // to send a whole request
	writeTime      = 60 * time.Second // to take an answer: a profile runs 30 s
	idleTime       = 60 * time.Second // between requests
	maxHeaderBytes = 16 << 10
	maxAtOnce      = 256 // requests in work; more are answered 429
)

// Where customers' chats connect, and desks.
const (
	socketAddress = "/api/v1/chat/socket"
	deskAddress   = "/api/v1/desk/socket"
)

// Bounds of a request's body, in bytes.
const (
	SmallBody = 64 << 10 // where nothing but small questions are asked
	FileBody  = 4 << 20  // where a flow's text is sent: 1 MiB, and what JSON adds to it
)

// NewServer makes the HTTP server of one door, with the limits that hold at all of
// them. onPanic counts a handler's panic, which ends its request only; nil counts
// nothing. maxBody is SmallBody or FileBody.
func NewServer(h http.Handler, log *slog.Logger, onPanic func(), maxBody int64) *http.Server {
	return &http.Server{
		Handler:           bounded(recovered(http.MaxBytesHandler(h, maxBody), log, onPanic)),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // strangers' broken requests
	}
}

// bounded answers 429 when too many requests are in work: the line is not kept,
// the browser tries again. A socket takes no place: it stays for hours, and web/chat
// and web/desk bound how many there are.
func bounded(h http.Handler) http.Handler {
	slots := make(chan struct{}, maxAtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == socketAddress || r.URL.Path == deskAddress {
			h.ServeHTTP(w, r)
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			h.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Too many requests at once; try again in a second.", http.StatusTooManyRequests)
		}
	})
}

// recovered keeps a panic to its own request and logs its stack once.
func recovered(h http.Handler, log *slog.Logger, onPanic func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil || cause == http.ErrAbortHandler {
				return
			}
			if onPanic != nil {
				onPanic()
			}
			log.Error("a request met a fault of ours", "method", r.Method, "path", answer.Masked(r.URL.Path), "panic", cause, "stack", string(debug.Stack()))
			http.Error(w, "Something went wrong here. It has been noted.", http.StatusInternalServerError)
		}()
		h.ServeHTTP(w, r)
	})
}

// headers sets those that keep a page to itself: no foreign script, frame, form or
// content type, and no address in a referrer.
func headers(h http.Handler) http.Handler {
	policy := policyWith("")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.ServeHTTP(w, r)
	})
}

// policyWith is what a page may load: what comes from its own door, pictures within the
// page, and styles that carry the nonce, if there is one.
func policyWith(nonce string) string {
	style := "style-src 'self'"
	if nonce != "" {
		style += " " + nonce
	}
	return "default-src 'none'; script-src 'self'; " + style + "; img-src 'self' data:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write([]byte(text + "\n"))
}
