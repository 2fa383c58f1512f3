package chat

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/chat"
)

// The place in line is no message: it comes as it changes, and to who has just come.
func TestPlaceInLine(t *testing.T) {
	var mu sync.Mutex
	var now *chat.Place
	asked := 0
	h := newHouse(t, func(o *Options) {
		o.Place = func(_ context.Context, c chat.Conversation) (*chat.Place, bool) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return now, now != nil && c.Interaction != ""
		}
	})
	set := func(id tandem.ConversationID, p *chat.Place) {
		mu.Lock()
		now = p
		mu.Unlock()
		if p == nil {
			p = &chat.Place{}
		}
		h.book.Publish(id, *p)
	}
	w, id, token := h.begun()
	set(id, &chat.Place{Queue: "cards", Position: 3, AtLeast: 90 * time.Second, AtMost: 5 * time.Minute, Offers: []chat.Offer{{Keys: "1", What: "callback", Label: "Call me back"}}})
	f := w.next(kindPlace)
	if f.State != "waiting" || f.Position != 3 || f.AtLeast != 90 || f.AtMost != 300 || !slices.Equal(f.Offers, []offerView{{"1", "callback", "Call me back"}}) {
		t.Errorf("%+v", f)
	}
	again := h.dial(map[string]any{"token": token, "langs": []string{"en"}})
	again.next(kindWelcome)
	if f := again.next(kindPlace); f.State != "waiting" || f.Position != 3 {
		t.Errorf("who comes back sees %+v", f)
	}
	set(id, &chat.Place{Queue: "cards", Served: true, Agent: "Anna"})
	for _, one := range []*wire{w, again} {
		if f := one.untilKind(kindPlace); f.State != "served" || f.Agent != "Anna" || f.Position != 0 || len(f.Offers) > 0 {
			t.Errorf("%+v", f)
		}
	}
	set(id, nil)
	if f := w.next(kindPlace); f.State != "over" {
		t.Errorf("%+v", f)
	}
	last := h.dial(map[string]any{"token": token, "langs": []string{"en"}})
	last.next(kindWelcome)
	for f := last.next(); f.T != kindCaughtUp; f = last.next() {
		if f.T == kindPlace {
			t.Errorf("who is in no line sees %+v", f)
		}
	}
	for _, one := range []*wire{w, again, last} {
		one.cut()
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}
