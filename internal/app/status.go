package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"tandem"
	"tandem/internal/config"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/web/api"
)

var _ api.Status = (*App)(nil)

// Ready is nil, or why new calls are not let in.
func (a *App) Ready() error {
	if why := a.refusing(); why != nil {
		return why
	}
	return nil
}

// Calls is how many calls are up.
func (a *App) Calls() int { return a.calls() }

// calls counts those that signalling knows, ringing ones and calls out included, and those
// of pages.
func (a *App) calls() int { return a.sip.Calls() + int(a.pages.up.Load()) }

// Entries are the numbers that can be called, as they are mapped now.
func (a *App) Entries() []api.Entry {
	library := a.shelf.Current()
	var out []api.Entry
	for _, e := range *a.entries.Load() {
		if kind, _ := e.Kind(); kind != "" {
			continue
		}
		view := api.Entry{Number: e.Name, Flow: e.Flow, Auth: e.Auth, Call: slices.Contains(a.cfg.WebRTC.Dial, e.Name) && !e.Auth}
		if f := library.Flows[e.Flow]; f != nil {
			view.Languages = f.Languages
		}
		if !strings.HasSuffix(e.Name, "*") {
			for _, addr := range a.sip.Addrs() {
				view.Dial = append(view.Dial, dialable(e, addr))
			}
		}
		out = append(out, view)
	}
	return out
}

// dialable is the SIP address of an entry at a listener such as udp://127.0.0.1:5060.
func dialable(e config.Entry, listener string) string {
	network, hostPort, _ := strings.Cut(listener, "://")
	uri := "sip:" + e.Name + "@" + hostPort
	if network != "udp" {
		uri += ";transport=" + network
	}
	return uri
}

// warm prepares the audio of all prompts without values, so that the first caller
// waits for none.
func (a *App) warm(ctx context.Context) {
	texts := map[string][]string{}
	add := func(prompts ...*flow.Prompt) {
		for _, p := range prompts {
			if p == nil {
				continue
			}
			for lang, w := range p.ByLang {
				if w.Text == nil {
					continue
				}
				if text, ok := w.Text.Literal(); ok {
					texts[lang] = append(texts[lang], text)
				}
			}
		}
	}
	for _, f := range a.shelf.Current().Flows {
		for _, p := range f.Prompts {
			add(p)
		}
		for _, s := range f.Steps {
			switch v := s.Verb.(type) {
			case *flow.Say:
				add(v.Prompt)
			case *flow.Menu:
				add(append(slices.Clone(v.Retry), v.Prompt)...)
			case *flow.Collect:
				add(append(slices.Clone(v.Retry), v.Prompt, v.Confirm)...)
			case *flow.Language:
				add(append(slices.Clone(v.Retry), v.Prompt)...)
			case *flow.ConsentStep:
				add(append(slices.Clone(v.Retry), v.Prompt)...)
			}
		}
	}
	for lang, list := range texts {
		if err := a.speech.Warm(ctx, lang, list); err != nil && ctx.Err() == nil {
			a.log.Warn("a prompt could not be prepared", "lang", lang, "error", err)
		}
	}
}

// notice is the body of the webhook that tells of an opened task.
type notice struct {
	Type        string               `json:"type"`
	Task        tandem.Task          `json:"task"`
	Interaction tandem.InteractionID `json:"interaction"`
	Number      tandem.Number        `json:"number"`
	Entry       string               `json:"entry"`
}

// notices is what goes to the outbox with a task. The task's id is the key the
// receiver sees, so that it can drop a repeat.
func (a *App) notices(t tandem.Task, in tandem.Interaction) []store.Outgoing {
	if a.cfg.Notify.URL == "" {
		return nil
	}
	body, err := json.Marshal(notice{Type: "task.opened", Task: t, Interaction: in.ID, Number: in.Number, Entry: in.Entry})
	if err != nil {
		panic("app: notice: " + err.Error()) // plain strings and times always marshal
	}
	return []store.Outgoing{{Key: "task-" + string(t.ID), Kind: "webhook", Target: a.cfg.Notify.URL, Body: body}}
}
