// Package simulator plays the gateways that Tandem texts by, and the phones behind them:
// for demonstrations, tests and flow designers. It is no gateway: nobody gets a text.
//
// A Simulator is an http.Handler. It takes texts as Twilio's API and as signed webhooks,
// keeps them in bounded memory, one inbox for each phone, and posts receipts and replies
// back, signed, with the delays and faults that its knobs say. It shows the phones on a
// page of its own and by a JSON API. Run posts what is due, in its own goroutine and at
// most maxPosts others. It shares no code with what it is played to, but for the
// counting of parts.
package simulator

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kinds of gateways.
const (
	Twilio  = "twilio"
	Webhook = "webhook"
)

// Gateway is one account with a provider that is played.
type Gateway struct {
	Kind    string   // Twilio or Webhook
	Numbers []string // of the server's that it serves
	Target  string   // where replies and receipts go: http://127.0.0.1:8080/api/v1/sms/NAME
	Account string   // twilio: the SID; "" = AC and zeros
	Secret  string   // twilio: the token; webhook: whsec_…
	key     []byte   // that signs
}

// Options is what a Simulator is made of.
type Options struct {
	Gateways []Gateway
	Knobs    Knobs
	Origin   string   // a page of another origin that may use the API, such as http://127.0.0.1:8080; "" = none
	Hosts    []string // names it is reached by, beside localhost and addresses
	Seed     uint64   // of what the knobs leave to chance; 0 = another each time
	Log      *slog.Logger
	Now      func() time.Time // time.Now if nil
}

// Bounds of the memory. What is the oldest goes first.
const (
	maxPhones   = 200
	maxMessages = 200  // of one phone
	maxKnown    = 5000 // webhook-ids whose answer is kept
	maxWaiting  = 2000 // posts; more receipts are lost, more replies refused
	maxPosts    = 8    // at once
	maxBody     = 64 << 10
)

// Simulator plays gateways and phones. It is safe for concurrent use.
type Simulator struct {
	o    Options
	log  *slog.Logger
	now  func() time.Time
	mux  *http.ServeMux
	http *http.Client
	wake chan struct{}

	mu      sync.Mutex
	random  *rand.Rand
	knobs   Knobs
	next    *Knobs // of the next text only
	phones  map[string]*phone
	rev     uint64            // of the newest change of any message
	known   map[string]string // webhook-id → id
	order   []string          // of known, the oldest first
	waiting []*post
	counts  Counts
}

// Counts is what happened since the start.
type Counts struct {
	Taken    int `json:"taken"`    // texts
	Doubled  int `json:"doubled"`  // webhook-ids seen again: no second text
	Refused  int `json:"refused"`  // by a knob
	Vanished int `json:"vanished"` // answers lost
	Forged   int `json:"forged"`   // signature or password did not fit
	Posted   int `json:"posted"`   // receipts and replies that were taken
	Lost     int `json:"lost"`     // receipts, by a knob or a full queue
	Unposted int `json:"unposted"` // receipts and replies given up
}

// New makes a Simulator.
func New(o Options) (*Simulator, error) {
	s := &Simulator{o: o, log: o.Log, now: o.Now, knobs: o.Knobs, wake: make(chan struct{}, 1), phones: map[string]*phone{}, known: map[string]string{},
		http: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: maxPosts, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	s.random = rand.New(rand.NewPCG(o.Seed, 1))
	if err := o.Knobs.check(); err != nil {
		return nil, err
	}
	if len(o.Gateways) == 0 {
		return nil, errors.New("the simulator needs a gateway to play")
	}
	s.o.Gateways = slices.Clone(o.Gateways)
	for i := range s.o.Gateways {
		if err := s.o.Gateways[i].prepare(); err != nil {
			return nil, err
		}
	}
	s.mux = s.routes()
	return s, nil
}

// NoAccount is the account's SID that is played where none is named.
const NoAccount = "AC00000000000000000000000000000000"

func (g *Gateway) prepare() (err error) {
	if u, err := url.Parse(g.Target); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%q is no web address that replies can go to", g.Target)
	}
	if len(g.Numbers) == 0 {
		return errors.New("a gateway needs a number to write from")
	}
	switch g.Kind {
	case Twilio:
		if g.Account == "" {
			g.Account = NoAccount
		}
		if g.key = []byte(g.Secret); len(g.key) == 0 {
			return errors.New("a gateway that plays Twilio needs a token")
		}
	case Webhook:
		if g.key, err = readSecret(g.Secret); err != nil {
			return err
		}
	default:
		return fmt.Errorf("a gateway is %s or %s, not %q", Twilio, Webhook, g.Kind)
	}
	return nil
}

// ServeHTTP answers one request. Requests for a name that is not the simulator's are
// refused, so that no page elsewhere can have its name lead here.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" && !slices.Contains(s.o.Hosts, host) {
		http.Error(w, "this simulator has another name", http.StatusMisdirectedRequest)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.mux.ServeHTTP(w, r)
}

func (s *Simulator) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", s.twilioSend)
	mux.HandleFunc("POST /webhook", s.webhookSend)
	s.page(mux)
	s.api(mux)
	return mux
}

// gateway finds the one that serves a number, of a kind.
func (s *Simulator) gateway(kind, number string) *Gateway {
	for i, g := range s.o.Gateways {
		if (kind == "" || g.Kind == kind) && slices.Contains(g.Numbers, number) {
			return &s.o.Gateways[i]
		}
	}
	return nil
}

// Counts is what happened so far.
func (s *Simulator) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}
