package app

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/identity/check"
	"tandem/bridge/phone"
	"tandem/bridge/upgrade"
	"tandem/media/webrtc"
	"tandem/store"
	"tandem/store/staff"
	webchat "tandem/web/chat"
	"tandem/web/desk/view"
)

// faces is voice and pictures beside text, and the identity checks that need them. upgrades
// is nil if webrtc.listen is empty.
type faces struct {
	upgrades *upgrade.Upgrades
	checks   *check.Desk
	sign     ed25519.PrivateKey // of evidence
	decided  decided            // checks that sessions are to be told of

	mu      sync.Mutex
	pages   map[tandem.InteractionID]tandem.ConversationID // whose chat the customer of an interaction has open
	chats   map[tandem.ConversationID]tandem.InteractionID // the other way
	ended   map[tandem.InteractionID]endedUpgrade          // told to pages for a while
	dark    map[tandem.InteractionID]struct{}              // that cannot be recorded, though it was agreed to
	changed map[tandem.InteractionID]struct{}              // whose pages are to be told
	wake    chan struct{}                                  // holds one
	wanted  map[tandem.InteractionID]wanted                // pictures that agents want of callers who have no page yet
	sentTo  []*func(view.Upgrade)                          // who is told of them

	stop    context.CancelFunc // of runFaces; nil = it does not run
	stopped sync.WaitGroup
	over    bool
}

// endedUpgrade is an upgrade that is over.
type endedUpgrade struct {
	was upgrade.Upgrade
	at  time.Time
}

const (
	// endedTime is how long a page is told why its voice and video are over.
	endedTime = 30 * time.Second
	// maxFaces bounds what is remembered of pages; beyond it any one is forgotten, and learnt
	// again when its page says something.
	maxFaces = 20_000
)

// makeFaces makes upgrades and checks. The switchboard is there.
func (a *App) makeFaces() error {
	f := &a.faces
	f.pages, f.chats = map[tandem.InteractionID]tandem.ConversationID{}, map[tandem.ConversationID]tandem.InteractionID{}
	f.ended, f.changed, f.wanted = map[tandem.InteractionID]endedUpgrade{}, map[tandem.InteractionID]struct{}{}, map[tandem.InteractionID]wanted{}
	f.wake = make(chan struct{}, 1)
	if a.pages.server == nil {
		return nil
	}
	most := tandem.Level(a.cfg.WebRTC.Upgrades.Customers)
	if most == "none" {
		most = tandem.LevelText
	}
	f.upgrades = upgrade.New(upgrade.Options{
		Line: a.line, Switchboard: a.phones, Store: a.store, Media: upgrade.Browsers(a.pages.server), Customer: a.facedCustomer,
		Name: func(agent string) string {
			ctx, cancel := context.WithTimeout(context.Background(), findTime)
			defer cancel()
			return a.agentName(ctx, agent)
		},
		TellCustomer: func(in tandem.InteractionID, page, conn string, s webrtc.Signal) {
			if c := f.chatOf(in); c != "" {
				a.chatDoor.Signal(c, page, conn, s)
			}
		},
		TellStaff: func(who string, in tandem.InteractionID, page string, s webrtc.Signal) {
			if d := a.desk; d != nil {
				d.Screen(who, in, page, s)
			}
		},
		Customers: most, Record: a.cfg.WebRTC.Upgrades.Record, May: a.mayJoin,
		Counted:  func(what string) { a.metrics.upgrades.WithLabelValues(what).Inc() },
		Panicked: func(p any) { a.panicked(a.log, "upgrade", p) }, Now: a.now, Random: a.random, Log: a.log,
	})
	f.upgrades.Watch(a.upgradeChanged)
	return a.makeChecks()
}

// mayJoin reports whether somebody who came by a link may be in a talk, as they are now.
func (a *App) mayJoin(ctx context.Context, who string, _ tandem.Role) bool {
	u, err := a.staff.User(ctx, who)
	if err != nil || u.Disabled {
		return false
	}
	for _, r := range u.Roles {
		if r == staff.Agent || r == staff.Supervisor {
			return true
		}
	}
	return false
}

// screenOf is what a party of a talk shows and sees, for the switchboard.
func (a *App) screenOf(in tandem.InteractionID, leg tandem.LegID, name string) (phone.Screen, bool) {
	if a.faces.upgrades == nil {
		return phone.Screen{}, false
	}
	return a.faces.upgrades.Screen(in, leg, name)
}

// filmed reports whether voice and video with a customer are recorded: they agreed to that.
func (a *App) filmed(in tandem.InteractionID) bool {
	if a.faces.upgrades == nil {
		return false
	}
	u, ok := a.faces.upgrades.Of(in)
	return ok && u.Kept && u.Agreed != tandem.LevelText
}

// facedCustomer is whom an interaction is with.
func (a *App) facedCustomer(ctx context.Context, in tandem.InteractionID) (c upgrade.Customer, err error) {
	if k := a.live.get(in); k != nil {
		c.Call, c.Leg, c.ID = true, k.leg.ID, k.interaction.Customer
	}
	conv, err := a.book.ByInteraction(ctx, in, tandem.Chat)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return c, err
	default:
		c.Page, c.Lang = true, conv.Lang
		if c.ID == "" {
			c.ID = conv.Customer
		}
		a.faces.know(in, conv.ID)
	}
	return c, nil
}

// know remembers whose chat an interaction's customer has open.
func (f *faces) know(in tandem.InteractionID, id tandem.ConversationID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pages[in] == id && f.chats[id] == in {
		return
	}
	if len(f.pages) >= maxFaces {
		for any, of := range f.pages {
			delete(f.pages, any)
			delete(f.chats, of)
			break
		}
	}
	if before, ok := f.chats[id]; ok && before != in {
		delete(f.pages, before)
	}
	if before, ok := f.pages[in]; ok && before != id { // it is about this interaction no more, whoever has its token
		delete(f.chats, before)
	}
	f.pages[in], f.chats[id] = id, in
}

func (f *faces) chatOf(in tandem.InteractionID) tandem.ConversationID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pages[in]
}

func (f *faces) interactionOf(id tandem.ConversationID) tandem.InteractionID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.chats[id]
}

// upgradeChanged has the customer's pages look again. It does not wait.
func (a *App) upgradeChanged(u upgrade.Upgrade) {
	f := &a.faces
	f.mu.Lock()
	if u.Open() {
		delete(f.ended, u.Interaction)
	} else {
		if len(f.ended) >= maxFaces {
			clear(f.ended)
		}
		delete(f.dark, u.Interaction)
		f.ended[u.Interaction] = endedUpgrade{u, a.now()}
	}
	f.mu.Unlock()
	if !u.Open() && u.Kept {
		a.tracks.agreed(u.Interaction)
	}
	a.facesChanged(u.Interaction)
}

// facesChanged has the pages of an interaction's customer look again how voice, pictures and
// the check are. It does not wait.
func (a *App) facesChanged(in tandem.InteractionID) {
	f := &a.faces
	f.mu.Lock()
	f.changed[in] = struct{}{}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// tellFaces tells pages until ctx ends. However often something changed meanwhile, they are
// told once.
func (a *App) tellFaces(ctx context.Context) {
	f := &a.faces
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		f.mu.Lock()
		changed := f.changed
		f.changed = map[tandem.InteractionID]struct{}{}
		f.mu.Unlock()
		for in := range changed {
			id := f.chatOf(in)
			if id == "" {
				conv, err := a.book.ByInteraction(ctx, in, tandem.Chat)
				if err != nil {
					continue // they have no chat
				}
				id = conv.ID
				f.know(in, id)
			}
			a.chatDoor.Faced(id)
			if p, ok := a.placeBeside(ctx, in); ok {
				a.book.Publish(id, p)
			}
		}
	}
}

// runFaces runs upgrades and checks until ctx ends.
func (a *App) runFaces(ctx context.Context) {
	f := &a.faces
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	f.mu.Lock()
	if f.over {
		f.mu.Unlock()
		return
	}
	f.stop = stop
	f.stopped.Add(1)
	f.mu.Unlock()
	defer f.stopped.Done()
	var all sync.WaitGroup
	all.Go(func() { a.contain("faces", func() { a.tellFaces(ctx) }) })
	if a.faces.upgrades != nil {
		all.Go(func() { a.contain("upgrades", func() { a.faces.upgrades.Run(ctx) }) })
		all.Go(func() { a.contain("checks", func() { a.runChecks(ctx) }) })
	}
	all.Wait()
}

// closeFaces ends them, before what carries them ends.
func (a *App) closeFaces() {
	f := &a.faces
	f.mu.Lock()
	f.over = true
	stop := f.stop
	f.mu.Unlock()
	if stop != nil {
		stop()
	}
	f.stopped.Wait()
}

// customerFace is voice, pictures and checks as customers have them.
type customerFace struct{ a *App }

var _ webchat.Face = customerFace{}

// interaction is what a page's conversation is about now.
func (c customerFace) interaction(ctx context.Context, p webchat.Page) (tandem.InteractionID, error) {
	conv, err := c.a.book.Find(ctx, p.Conversation)
	if err != nil {
		return "", err
	}
	if conv.Interaction == "" {
		return "", errNobodyServes
	}
	c.a.faces.know(conv.Interaction, p.Conversation)
	return conv.Interaction, nil
}

var errNobodyServes error = tandem.Errorf(tandem.CodeConflict, "nobody serves this conversation now")

// Upgrade does what a customer wants of voice and pictures.
func (c customerFace) Upgrade(ctx context.Context, p webchat.Page, o webchat.UpgradeOrder) error {
	u := c.a.faces.upgrades
	in, err := c.interaction(ctx, p)
	if err != nil {
		return err
	}
	switch o.Do {
	case "ask":
		_, err = u.Ask(ctx, upgrade.Ask{Interaction: in, By: upgrade.ByCustomer, Level: o.Level, Page: p.ID, Lang: o.Lang})
	case "accept", "refuse":
		_, err = u.Answer(ctx, in, o.Upgrade, p.ID, o.Do == "accept", o.Level, o.Lang, func(is upgrade.Upgrade) error {
			if o.Words != "" && o.Words != wordsOf(u.Texts(is)) {
				return errOtherWords
			}
			return nil
		})
	case "change":
		_, err = u.Change(ctx, in, upgrade.ByCustomer, p.ID, o.Level, o.Lang)
	case "end":
		err = u.End(ctx, in, upgrade.ByCustomer, "")
	default:
		err = tandem.Errorf(tandem.CodeInvalid, "do is ask, accept, refuse, change or end")
	}
	return err
}

// Signal takes what a page signals.
func (c customerFace) Signal(ctx context.Context, p webchat.Page, conn string, s webrtc.Signal) error {
	in := c.a.faces.interactionOf(p.Conversation)
	if in == "" {
		var err error
		if in, err = c.interaction(ctx, p); err != nil {
			return err
		}
	}
	return c.a.faces.upgrades.Signal(ctx, in, p.ID, conn, s)
}

// Back is told that a page has a socket again.
func (c customerFace) Back(p webchat.Page) {
	if in := c.a.faces.interactionOf(p.Conversation); in != "" {
		c.a.faces.upgrades.Back(in, p.ID)
	}
}

// Gone is told that a page has no socket any more.
func (c customerFace) Gone(p webchat.Page) {
	if in := c.a.faces.interactionOf(p.Conversation); in != "" {
		c.a.faces.upgrades.Gone(in, p.ID)
	}
}

// Now is how things are for a conversation's customer.
func (c customerFace) Now(ctx context.Context, conv chat.Conversation) (*webchat.Upgrade, []tandem.Level, *webchat.Check, error) {
	a := c.a
	in := conv.Interaction
	if in == "" {
		return nil, nil, nil, nil
	}
	a.faces.know(in, conv.ID)
	var may []tandem.Level
	if a.servedBy(in) != "" {
		may = a.faces.upgrades.May()
	}
	is, ok := a.faces.upgrades.Of(in)
	if !ok {
		is, ok = a.faces.endedOf(in, a.now())
	}
	k, err := a.checkNow(ctx, in)
	if !ok || err != nil {
		return nil, may, k, err
	}
	return a.customersView(ctx, is), may, k, nil
}

// wordsOf names the words that a customer is to agree to, so that a yes is known to be to
// these and no others: an agent may ask for more while it is on its way.
func wordsOf(text map[string]string) string {
	h := sha256.New()
	for _, lang := range slices.Sorted(maps.Keys(text)) {
		fmt.Fprintf(h, "%s %d %s\n", lang, len(text[lang]), text[lang])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// endedOf is an upgrade that has just ended.
func (f *faces) endedOf(in tandem.InteractionID, now time.Time) (upgrade.Upgrade, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.ended[in]
	if ok && now.Sub(e.at) > endedTime {
		delete(f.ended, in)
		ok = false
	}
	return e.was, ok
}

// customersView is an upgrade as its customer sees it.
func (a *App) customersView(ctx context.Context, u upgrade.Upgrade) *webchat.Upgrade {
	v := &webchat.Upgrade{
		ID: u.ID, State: string(u.State), By: u.By, Level: u.Level, Agreed: u.Agreed, Now: u.Now, Why: u.Why, WhyText: upgrade.Reasons[u.Why], Kept: u.Kept, Keeps: u.Keeps, Until: u.Until,
		Fallen: u.Fallen, Pictures: u.Pictures, Check: u.Check, Page: u.Page, Version: upgrade.Version, Who: []webchat.Seer{},
	}
	if u.By != upgrade.ByCustomer && u.By != upgrade.ByFlow {
		v.By, v.Name = "agent", a.agentName(ctx, u.By)
	}
	for _, p := range u.Who {
		v.Who = append(v.Who, webchat.Seer{Name: p.Name, Role: p.Role, Leg: p.Leg, Muted: p.Muted})
	}
	if u.Open() {
		v.Text = a.faces.upgrades.Texts(u)
		v.Words = wordsOf(v.Text)
		if u.Agreed != tandem.LevelText {
			v.ICE = a.faces.upgrades.Servers(u.Interaction)
		}
	}
	return v
}
