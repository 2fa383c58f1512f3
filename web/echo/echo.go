// Package echo lets a page try, before it is needed, whether voice and pictures get through:
// it connects the page's microphone and camera to nobody, and shows the page its own picture.
// docs/chat-protocol.md describes its socket.
//
// It owns two goroutines for each socket, which last 20 seconds at most; Close ends them all.
// It plays nothing, keeps nothing of what a page sends, shows it to nobody else, and logs no
// more than that something failed.
package echo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tandem/media/webrtc"
	"tandem/web/answer"
)

// Protocol is the subprotocol of the socket, Path its address.
const (
	Protocol = "tandem.check.1"
	Path     = "/api/v1/check/socket"
)

// Peers makes the pages' connections; media/webrtc's Server.
type Peers interface {
	NewPeer(o webrtc.PeerOptions) (*webrtc.Peer, error)
	NewScreen(o webrtc.ScreenOptions) (*webrtc.Screen, error)
	Servers(who string) []webrtc.ICEServer
}

var _ Peers = (*webrtc.Server)(nil)

// Limits bounds what strangers can take. Zero fields are the defaults.
type Limits struct {
	AtOnce     int           // trials; 20
	PerAddress int           // of one network, at once; 2
	PerHour    int           // begun from one network; 12
	Time       time.Duration // of one; 20 s
}

// Options is what a Door is made of. Ready, Panicked, Proxies and Limits may be left out.
type Options struct {
	Peers    Peers
	Origins  func() []string // pages that may try, besides the server's own
	URL      string          // how pages reach the server, http.public_url
	Proxies  []netip.Prefix  // whose X-Forwarded-For is believed
	Limits   Limits
	Ready    func() error // why nobody is let in now; nil = they are
	Panicked func()       // counts a fault of ours, which ends its socket only
	Now      func() time.Time
	Log      *slog.Logger
}

// Door lets pages try. Its methods are safe from any goroutine.
type Door struct {
	o      Options
	own    string // the server's origin
	ctx    context.Context
	cancel context.CancelFunc
	number atomic.Uint64

	mu      sync.Mutex
	trials  map[*trial]struct{}
	seen    map[string]*address
	closed  bool
	running sync.WaitGroup
}

// address is what one network does.
type address struct {
	now  int
	left float64
	at   time.Time
}

const maxAddresses = 100_000 // remembered; beyond that any one that tries nothing is forgotten

// New makes a Door.
func New(o Options) (*Door, error) {
	if o.Peers == nil || o.Origins == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("web/echo: Options need Peers, Origins, Now and Log")
	}
	own, ok := normal(o.URL)
	if !ok {
		return nil, errors.New("web/echo: Options need URL, http://HOST or https://HOST")
	}
	for of, standard := range map[*int]int{&o.Limits.AtOnce: 20, &o.Limits.PerAddress: 2, &o.Limits.PerHour: 12} {
		if *of <= 0 {
			*of = standard
		}
	}
	if o.Limits.Time <= 0 {
		o.Limits.Time = 20 * time.Second
	}
	d := &Door{o: o, own: own, trials: map[*trial]struct{}{}, seen: map[string]*address{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d, nil
}

// Routes adds the door's address.
func (d *Door) Routes(mux *http.ServeMux) { mux.HandleFunc("GET "+Path, d.getSocket) }

// Close ends all trials, and lets in no more.
func (d *Door) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.running.Wait()
}

// enter counts a trial in; why is a word if it may not be, wait for how long it should.
func (d *Door) enter(t *trial) (why string, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return "closed", 0
	}
	if len(d.trials) >= d.o.Limits.AtOnce {
		return "busy", d.o.Limits.Time
	}
	a := d.of(t.from)
	each := time.Hour / time.Duration(d.o.Limits.PerHour)
	now := d.o.Now()
	a.left = min(float64(d.o.Limits.PerHour), a.left+float64(now.Sub(a.at))/float64(each))
	a.at = now
	switch {
	case a.now >= d.o.Limits.PerAddress:
		return "many", d.o.Limits.Time
	case a.left < 1:
		return "many", time.Duration((1 - a.left) * float64(each))
	}
	a.left--
	a.now++
	d.trials[t] = struct{}{}
	d.running.Add(1)
	return "", 0
}

// of finds or makes what is known of a network. d.mu is held.
func (d *Door) of(from netip.Addr) *address {
	key := answer.Network(from)
	if a := d.seen[key]; a != nil {
		return a
	}
	if len(d.seen) >= maxAddresses {
		for k, a := range d.seen { // in no order
			if a.now == 0 {
				delete(d.seen, k)
				break
			}
		}
	}
	a := &address{left: float64(d.o.Limits.PerHour), at: d.o.Now()}
	d.seen[key] = a
	return a
}

func (d *Door) leave(t *trial) {
	d.mu.Lock()
	delete(d.trials, t)
	d.of(t.from).now--
	d.mu.Unlock()
	d.running.Done()
}

// fault tells of a fault of ours.
func (d *Door) fault(p any, stack []byte) {
	if d.o.Panicked != nil {
		d.o.Panicked()
	}
	d.o.Log.Error("a page that tries its devices met a fault of ours", "panic", fmt.Sprint(p), "stack", string(stack))
}

// normal is an origin as browsers write it (RFC 6454, section 6.1). ok is false for what is
// none, "null" among it.
func normal(s string) (origin string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.Opaque != "" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == "" || (u.Scheme == "http" && port == "80") || (u.Scheme == "https" && port == "443") {
		host = strings.TrimSuffix(strings.TrimSuffix(host, port), ":")
	}
	return u.Scheme + "://" + host, true
}

// stands reports whether the page of a request may try: the server's own, by its public
// address or the loopback address by which it was reached, or one that is listed.
func (d *Door) stands(r *http.Request) bool {
	all := r.Header.Values("Origin")
	if len(all) != 1 {
		return false
	}
	origin, ok := normal(all[0])
	if !ok || origin != strings.ToLower(all[0]) {
		return false
	}
	host := strings.ToLower(r.Host)
	if origin == d.own || answer.Loopback(host) && origin == "http://"+host {
		return true
	}
	return slices.ContainsFunc(d.o.Origins(), func(one string) bool {
		listed, ok := normal(one)
		return ok && listed == origin
	})
}
