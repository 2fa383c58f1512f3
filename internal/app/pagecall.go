package app

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"tandem"
	"tandem/internal/config"
	"tandem/media"
	"tandem/media/webrtc"
	"tandem/sip"
	"tandem/store/staff"
	"tandem/web/echo"
	"tandem/web/login"
	"tandem/web/voice"
)

// pages is voice in browsers: where they connect to, and the doors by which they call. All
// are nil if webrtc.listen is empty.
type pages struct {
	server *webrtc.Server
	calls  *voice.Door // of customers
	tries  *voice.Door // of designers, who try a flow
	checks *echo.Door  // of who tries a device beforehand
	up     atomic.Int64
	closed atomic.Bool
}

// makePages lets browsers speak.
func (a *App) makePages() (err error) {
	c := a.cfg.WebRTC
	if c.Listen == "" {
		return nil
	}
	panicked := func() { a.metrics.panics.WithLabelValues("webrtc").Inc() }
	a.pages.server, err = webrtc.New(webrtc.Config{
		Listen: c.Listen, TCP: c.TCP, Public: a.addresses.public, Engine: a.media, Limits: webrtc.Limits{Peers: c.Peers},
		TURN: webrtc.TURN{Listen: c.TURN.Listen, URLs: c.TURN.URLs, Secret: c.TURN.Secret.Reveal()},
		Log:  a.log, Registerer: a.registry, Random: a.random, Now: a.now, Panicked: panicked,
	})
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "webrtc.listen: %w; choose another address or end what uses it", err)
	}
	o := voice.Options{
		Calls: pageCalls{a: a}, Peers: a.pages.server, Origins: func() []string { return c.Origins }, URL: a.cfg.HTTP.PublicAddress(), Proxies: a.proxies,
		Limits: voice.Limits{Calls: a.cfg.Limits.Calls, CallsPerAddress: c.CallsPerAddress}, Ready: a.refusingChats, Panicked: panicked, Now: a.now, Random: a.random, Log: a.log,
	}
	if a.pages.calls, err = voice.New(o); err != nil {
		return err
	}
	o.Calls, o.URL, o.Who = pageCalls{a: a, staff: true}, a.cfg.HTTP.StaffAddress(), func(r *http.Request) (string, bool) {
		return login.From(r.Context()).Name, a.login.Still(r.Context(), staff.Designer)
	}
	if a.pages.tries, err = voice.New(o); err != nil {
		return err
	}
	a.pages.checks, err = echo.New(echo.Options{
		Peers: a.pages.server, Origins: func() []string { return c.Origins }, URL: a.cfg.HTTP.PublicAddress(), Proxies: a.proxies,
		Ready: a.refusingChats, Panicked: panicked, Now: a.now, Log: a.log,
	})
	return err
}

// pageRoutes are the customers' calling socket, and the one by which a device is tried.
func (a *App) pageRoutes(mux *http.ServeMux) {
	if a.pages.calls != nil {
		a.pages.calls.Routes(mux)
		a.pages.checks.Routes(mux)
	}
}

// tryRoutes are the designers': who is not logged in as one is turned away before.
func (a *App) tryRoutes(mux *http.ServeMux) {
	if a.pages.tries == nil {
		return
	}
	inner := http.NewServeMux()
	a.pages.tries.Routes(inner)
	mux.Handle("GET /api/v1/voice/socket", a.login.Require(inner, staff.Designer))
}

// closePages ends the calls of pages, then lets no browser speak any more. What was made
// stays: who comes now is refused by it.
func (a *App) closePages(ctx context.Context) error {
	p := &a.pages
	if p.closed.Swap(true) {
		return nil
	}
	var errs []error
	for _, d := range []*voice.Door{p.calls, p.tries} {
		if d != nil {
			errs = append(errs, d.Close(ctx))
		}
	}
	if p.checks != nil {
		p.checks.Close()
	}
	a.seats.close()
	if p.server != nil {
		errs = append(errs, p.server.Close())
	}
	return errors.Join(errs...)
}

// tryPrefix stands before the flow's name in the entry of a designer's trial.
const tryPrefix = "try:"

// pageCalls takes the calls of pages.
type pageCalls struct {
	a     *App
	staff bool // a designer tries a flow
}

// entry is where a call leads: customers may call what webrtc.dial lists, designers any flow.
func (p pageCalls) entry(to string) (config.Entry, bool) {
	if p.staff {
		name, ok := strings.CutPrefix(to, tryPrefix)
		f := p.a.shelf.Current().Flows[name]
		return config.Entry{Name: to, Flow: name}, ok && f != nil && slices.Contains(f.Channels, tandem.Voice)
	}
	e, ok := config.Match(*p.a.entries.Load(), to)
	return e, ok && slices.Contains(p.a.cfg.WebRTC.Dial, to) && !e.Auth
}

// Admit applies the rules that hold for every call.
func (p pageCalls) Admit(_ context.Context, in voice.Incoming) error {
	entry, ok := p.entry(in.To)
	if !ok {
		return &voice.Refused{Why: "unknown"}
	}
	why := p.a.refusing()
	if why == nil {
		why = p.a.overload.admit()
	}
	if why == nil && p.a.shelf.Current().Flows[entry.Flow] == nil {
		why = &refusal{"flow", "the entry leads to a flow that is gone"}
	}
	if why != nil {
		p.a.metrics.refused.WithLabelValues(why.rule).Inc()
		return &voice.Refused{Why: "busy", RetryAfter: retryAfter}
	}
	return nil
}

// Call runs one call of a page.
func (p pageCalls) Call(ctx context.Context, c *voice.Call) tandem.Termination {
	entry, ok := p.entry(c.To)
	if !ok { // remapped since it was admitted
		return tandem.Terminate(tandem.BySystem, tandem.ReasonNoEntry)
	}
	p.a.pages.up.Add(1)
	defer p.a.pages.up.Add(-1)
	k := p.a.newCall(entry, tandem.Leg{Kind: tandem.LegWebRTC, To: c.To})
	k.signal, k.key, k.langs = newPageIncoming(c), "page:"+c.ID, c.Langs
	return k.serveFrom(ctx)
}

// pageIncoming is a call from a page.
type pageIncoming struct {
	*voice.Call
	events chan sip.Event
}

func newPageIncoming(c *voice.Call) *pageIncoming {
	p := &pageIncoming{Call: c, events: make(chan sip.Event, 1)}
	go func() { // ends with the call, which its door sees to
		<-c.Done()
		p.events <- sip.Ended{Termination: c.Termination()}
	}()
	return p
}

// Audio is there since the page connected.
func (p *pageIncoming) Audio(*App) (*media.Stream, error) { return p.Stream(), nil }

// Events has the end only: keys of a page come with its audio.
func (p *pageIncoming) Events() <-chan sip.Event { return p.events }
