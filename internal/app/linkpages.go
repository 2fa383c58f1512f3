package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"time"

	"tandem"
	"tandem/bridge/link"
	"tandem/bridge/reach"
	"tandem/ivr/flow"
	"tandem/web/answer"
	weblink "tandem/web/link"
)

// linkRoutes mounts the pages of links.
func (a *App) linkRoutes(mux *http.ServeMux) {
	h := weblink.Handler(weblink.Options{
		Desk: a.links, URL: a.cfg.HTTP.PublicAddress(), Name: a.cfg.Name, Operations: a.operation, Images: os.DirFS(string(a.cfg.Flows.Dir)),
		Accept: func(ctx context.Context, l link.Link, _ *http.Request) (site, token string, err error) {
			return a.accept(ctx, l)
		},
		Beside: func(l link.Link) bool { return l.Serial == reach.ByAgent && l.Handoff() },
		Ticket: a.tickets.Look, ZoneOf: a.zoneOf, Zone: time.Local,
		Said: a.saidSince, Address: func(r *http.Request) netip.Addr { return answer.Source(r, a.proxies) },
		Attempts: a.cfg.Chat.Limits.LinkAttemptsPerMinute, Key: a.linkKey, Now: a.now, Log: a.log,
	})
	for _, address := range weblink.Addresses() {
		mux.Handle(address, h)
	}
}

// zoneOf is the zone in which people read times about a queue: that of its hours, else the
// one that all calendars of the flows folder have, else none.
func (a *App) zoneOf(queue string) *time.Location { return zoneIn(a.shelf.Current(), queue) }

func zoneIn(lib *flow.Library, queue string) (zone *time.Location) {
	if lib == nil {
		return nil
	}
	if q := lib.Queues[queue]; q != nil && lib.Calendars[q.Hours] != nil {
		return lib.Calendars[q.Hours].Zone
	}
	for _, c := range lib.Calendars {
		if zone != nil && c.Zone.String() != zone.String() {
			return nil
		}
		zone = c.Zone
	}
	return zone
}

// operation is what a link's page shows, in the version of the flow that sent it.
func (a *App) operation(ctx context.Context, l link.Link) (*flow.Operation, map[string]*flow.Form, error) {
	lib, err := a.Library(ctx, l.Flow, l.FlowHash)
	if err != nil {
		return nil, nil, err
	}
	o := lib.Operations[l.Operation]
	if o == nil {
		return nil, nil, fmt.Errorf("there is no operation %s any more", l.Operation)
	}
	return o, lib.Forms, nil
}

// saidSince is what the flow has said since a link was over: who filled in the page may
// have hung up meanwhile. Once somebody has shown elsewhere who they are, more than the
// page has, it is no longer told here.
func (a *App) saidSince(ctx context.Context, l link.Link) []string {
	story, err := a.store.Interaction(ctx, string(l.Interaction))
	if err != nil {
		a.log.Warn("what a flow has said could not be read for a page", "link", l.ID, "error", err)
		return nil
	}
	var out []string
	for _, e := range story.Events {
		if e.At.After(l.Made) && e.Leg != l.Page && (e.Kind == tandem.EventIdentified && raises(e.Data, l.Needs) || e.Kind == tandem.EventResumed) {
			break
		}
		if e.Kind != tandem.EventPrompt || l.Over.IsZero() || e.At.Before(l.Over) {
			continue
		}
		var p tandem.Prompted
		if json.Unmarshal(e.Data, &p) == nil && p.Text != "" {
			out = append(out, p.Text)
		}
	}
	return out
}

// raises reports whether an event tells of a level above another.
func raises(data []byte, above tandem.Assurance) bool {
	var i tandem.Identified
	return json.Unmarshal(data, &i) != nil || i.Outcome == "passed" && i.Level > above
}
