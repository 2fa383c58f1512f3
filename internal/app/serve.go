package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/web/api"
	"tandem/web/ui"
)

// watchEvery is how often the configuration's entries are looked at for a change.
const watchEvery = time.Second

// door is one HTTP listener.
type door struct {
	name     string
	server   *http.Server
	listener net.Listener
}

// Start opens every listener. On an error nothing listens.
func (a *App) Start(ctx context.Context) (err error) {
	ctx, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			a.stop()
			for _, d := range a.doors {
				err = errors.Join(err, d.listener.Close())
			}
		}
	}()
	seen := stamp(a.o.Config.File)
	worker, err := a.outboxWorker()
	if err != nil {
		return err
	}
	h := a.cfg.HTTP
	for _, d := range []struct {
		name, addr string
		handler    http.Handler
		body       int64
	}{
		{"http.listen", h.Listen, a.customers(), api.PictureBody},
		{"http.staff_listen", h.StaffListen, api.Staff(api.StaffOptions{Pages: ui.Pages(), Parts: []func(*http.ServeMux){a.login.Routes, a.studio.Routes, a.desk.Routes, a.tryRoutes}}), api.FileBody},
		{"http.admin_listen", h.AdminListen, api.Admin(api.AdminOptions{Metrics: a.registry, Status: a, Notice: a.Behind, Profiles: h.Profiles}), api.SmallBody},
	} {
		if err := a.open(d.name, d.addr, d.handler, d.body); err != nil {
			return err
		}
	}
	if err := a.sip.Start(ctx); err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "sip.listen: %w; choose another address or end what uses it", err)
	}
	for _, d := range a.doors {
		a.helpers.Go(func() {
			if err := d.server.Serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
				a.log.Error("a door closed by itself", "door", d.name, "error", err)
			}
		})
	}
	a.helpers.Go(func() { a.keep(ctx, "flows", a.shelf.Watch) })
	a.helpers.Go(func() { a.keep(ctx, "releases", a.shelf.Keep) })
	a.helpers.Go(func() { a.contain("counts", func() { a.recount(ctx) }) })
	a.helpers.Go(func() { a.keep(ctx, "entries", func(ctx context.Context) { a.watchEntries(ctx, &seen) }) })
	a.helpers.Go(func() { a.contain("warm", func() { a.warm(ctx) }) })
	a.helpers.Go(func() {
		a.keep(ctx, "conversations", func(ctx context.Context) { a.ran("conversations", a.talk.Run(ctx)) })
	})
	a.helpers.Go(func() { a.keep(ctx, "links", func(ctx context.Context) { a.ran("links", a.links.Run(ctx)) }) })
	a.helpers.Go(func() { a.keep(ctx, "parked sessions", a.sweep) })
	a.helpers.Go(func() { a.keep(ctx, "retention", a.retain) })
	a.helpers.Go(func() { a.keep(ctx, "voice and video", a.runFaces) })
	a.helpers.Go(func() { a.keep(ctx, "overload", a.overload.run) })
	a.helpers.Go(func() { a.keep(ctx, "places", a.tellSessions) })
	a.helpers.Go(func() { a.keep(ctx, "webhooks", a.hookWorker().Run) })
	a.helpers.Go(func() { a.keep(ctx, "phones", a.phones.Run) })
	a.helpers.Go(func() {
		a.keep(ctx, "tickets", func(ctx context.Context) { a.ran("tickets", a.tickets.Run(ctx)) })
	})
	a.helpers.Go(func() { a.keep(ctx, "surveys", func(ctx context.Context) { a.ran("surveys", a.surveys.Run(ctx)) }) })
	if worker != nil {
		a.helpers.Go(func() { a.keep(ctx, "outbox", worker.Run) })
	}
	return nil
}

// customers is the handler of http.listen.
func (a *App) customers() http.Handler {
	return api.Customers(api.CustomersOptions{
		Pages: ui.Pages(), Status: a, Version: a.o.Version, Demo: a.o.Demo, Phone: a.o.Phone,
		Parts: []func(*http.ServeMux){a.chatDoor.Routes, a.linkRoutes, a.textRoutes, a.pageRoutes},
	})
}

// ran tells of a part that ended with an error.
func (a *App) ran(what string, err error) {
	if err != nil {
		a.log.Error("a part of the server ended with an error", "part", what, "error", err)
	}
}

// open listens at one address. A taken port is named with the key that sets it.
func (a *App) open(name, addr string, h http.Handler, maxBody int64) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "%s cannot listen on %s: %w; choose another address or end what uses it", name, addr, err)
	}
	server := api.NewServer(h, a.log, func() { a.metrics.panics.WithLabelValues("http").Inc() }, maxBody)
	a.doors = append(a.doors, &door{name: name, server: server, listener: l})
	return nil
}

// Addresses are what the server listens on, by the configuration's key.
func (a *App) Addresses() map[string][]string {
	out := map[string][]string{"sip.listen": a.sip.Addrs()}
	for _, d := range a.doors {
		out[d.name] = []string{d.listener.Addr().String()}
	}
	return out
}

// Stop drains: new calls are refused, those that are up may go on for limits.drain
// or until now is closed, then they are ended; everything is closed in order.
func (a *App) Stop(now <-chan struct{}) error {
	a.draining.Store(true)
	a.sip.Drain()
	draining, drained := context.WithTimeout(context.Background(), stopTime)
	if err := a.line.Drain(draining); err != nil { // a store that hangs holds up no stop
		a.log.Warn("the line could not be drained", "error", err)
	}
	drained()
	deadline := time.Now().Add(a.cfg.Limits.Drain)
	a.drain(now, deadline)

	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	a.closeFaces()
	errs := []error{a.sip.Close(ctx), a.closePages(ctx), a.chatDoor.Close(ctx), a.closeDesk(ctx)}
	a.studio.Close() // its streams would keep the door open
	for _, d := range a.doors {
		errs = append(errs, d.server.Shutdown(ctx))
	}
	a.stop()
	a.helpers.Wait()
	return errors.Join(append(errs, a.release())...)
}

// stopTime bounds the ending of the calls that outlast the drain.
const stopTime = 15 * time.Second

// drain waits for the calls, and says how many are left.
func (a *App) drain(now <-chan struct{}, deadline time.Time) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	told := -1
	for a.calls() > 0 && time.Now().Before(deadline) {
		if n := a.calls(); n != told {
			told = n
			a.log.Info("draining", "calls", n, "at_most", time.Until(deadline).Round(time.Second).String())
		}
		select {
		case <-tick.C:
		case <-now:
			return
		}
	}
}

// watchEntries takes a changed mapping into use; a wrong one is told and left alone.
// seen is the stamp of the file that was read last; it outlives a panic, so that the
// same file is not read for ever.
func (a *App) watchEntries(ctx context.Context, seen *string) {
	file := a.o.Config.File
	if file == "" {
		return
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		s := stamp(file)
		if s == *seen && !a.remapAgain.CompareAndSwap(true, false) {
			continue
		}
		select {
		case <-time.After(settleTime):
		case <-ctx.Done():
			return
		}
		if stamp(file) == s { // else it is still being written: half of it may be right, too
			*seen = s
			a.remap(file)
		}
	}
}

// settleTime is how long a changed file must stay as it is.
const settleTime = 100 * time.Millisecond

func stamp(file string) string {
	info, err := os.Stat(file)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size())
}

func (a *App) remap(file string) {
	loaded, err := config.Load(file, a.o.Environ)
	if err == nil {
		err = checkEntries(loaded, a.shelf.Current())
	}
	if err == nil {
		err = a.checkFlows(*a.entries.Load(), loaded.Entries)
	}
	a.mapped.Store(err == nil)
	if err != nil {
		why, _, _ := strings.Cut(err.Error(), "\n")
		why = strings.TrimRight(why, ":")
		a.misread.Store(&why)
		a.wrong("the changed configuration is wrong; the old entries stay in use", err.Error())
		return
	}
	a.misread.Store(nil)
	a.entries.Store(&loaded.Entries)
	a.log.Info("entries read again; other changes need a restart", "entries", len(loaded.Entries))
}
