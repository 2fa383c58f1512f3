package chat

import (
	"context"
	"errors"
	"sync"

	"tandem/bridge/chat"
	"tandem/store"
	"tandem/web/answer"
)

// stranger is who has no conversation yet. It has the token its conversation will have, so
// that it can come back even if it is cut off before it hears of that.
type stranger struct {
	token string

	mu   sync.Mutex // held while the conversation is made
	gone bool       // it came back by another socket: this one makes none
}

// recognise finds the site and the conversation of a hello, or makes a stranger of who
// sent it. why is the reason for which the socket is closed, "" = none.
func (s *socket) recognise(in incoming) (c chat.Conversation, why string) {
	d := s.door
	entry := "chat:" + in.Site
	if in.QR != "" {
		entry = "qr:" + in.QR
	}
	if in.Token != "" {
		if c, why = s.byToken(in.Token); why != "" {
			return c, why
		}
	}
	if c.ID != "" {
		if (in.Site != "" || in.QR != "") && entry != c.Entry && !s.own {
			return c, "token"
		}
		entry = c.Entry
	}
	site, known := d.o.Sites(entry)
	switch {
	case !known && c.ID != "" && s.own: // handed over from a call, or a site that is gone
		site = Site{Entry: c.Entry}
	case !known:
		return c, "site"
	case !s.own && !lists(site.Origins, s.origin):
		return c, "origin"
	}
	s.site, s.lang = site, choose(in.Langs, site.Languages)
	if c.ID == "" && s.guest == nil {
		token, err := d.o.Book.NewToken()
		if err != nil {
			d.o.Log.Error("no token could be drawn", "error", err)
			return c, "later"
		}
		s.guest = d.remember(token)
	}
	return c, ""
}

// byToken finds the conversation of a token. If it is that of a stranger whose old socket
// is still there, cut off and not noticed, the stranger goes on by this one.
func (s *socket) byToken(token string) (c chat.Conversation, why string) {
	d, key := s.door, answer.Network(s.from)
	if d.limits.look(guessing, key) > 0 {
		return c, "later"
	}
	ctx, cancel := context.WithTimeout(d.ctx, doTime)
	defer cancel()
	c, err := d.o.Book.ByToken(ctx, token)
	if errors.Is(err, store.ErrNotFound) {
		if old := d.stranger(token); old != nil {
			old.mu.Lock()
			defer old.mu.Unlock()
			if c, err = d.o.Book.ByToken(ctx, token); errors.Is(err, store.ErrNotFound) {
				old.gone = true
				s.guest = d.remember(token)
				return c, ""
			}
		}
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		d.limits.take(guessing, key)
		return c, "token"
	case err != nil:
		d.o.Log.Error("a conversation could not be looked up", "error", err)
		return c, "later"
	}
	return c, ""
}

// remember adds a stranger, in the place of one who had the same token.
func (d *Door) remember(token string) *stranger {
	g := &stranger{token: token}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.strangers[token] = g
	return g
}

func (d *Door) stranger(token string) *stranger {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.strangers[token]
}

func (d *Door) forget(g *stranger) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.strangers[g.token] == g {
		delete(d.strangers, g.token)
	}
}
