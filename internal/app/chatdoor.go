package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/identity"
	"tandem/bridge/link"
	"tandem/bridge/sms"
	"tandem/internal/config"
	"tandem/ivr/text"
	"tandem/store"
	webchat "tandem/web/chat"
)

// makeChatDoor makes the door of visitors.
func (a *App) makeChatDoor() (err error) {
	l := a.cfg.Chat.Limits
	var face webchat.Face
	if a.cfg.WebRTC.Listen != "" {
		face = customerFace{a}
	}
	a.chatDoor, err = webchat.New(webchat.Options{
		Face: face,
		Book: a.book, Sites: a.site, Origins: a.origins, Talk: visitors{a}, Place: a.placeIn, Links: a.chatLink, Callback: &callbacks{a: a}, Blobs: a.blobs, Look: a.store,
		Images: os.DirFS(string(a.cfg.Flows.Dir)), URL: a.cfg.HTTP.PublicAddress(), Proxies: a.proxies,
		Limits: webchat.Limits{
			Sockets: l.Sockets, SocketsPerAddress: l.SocketsPerAddress, ConversationsPerHour: l.ConversationsPerHour,
			AttachmentsPerHour: l.AttachmentsPerHour, CallbacksPerHour: l.CallbacksPerHour,
		},
		Ready: a.refusingChats, Panicked: func() { a.metrics.panics.WithLabelValues("chat").Inc() }, Now: a.now, Random: a.random, Log: a.log,
	})
	if err == nil {
		a.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tandem_chat_sockets", Help: "Open sockets of visitors."},
			func() float64 { return float64(a.chatDoor.Sockets()) }))
	}
	return err
}

// refusingChats is why no new visitors are let in: a stop, or a store that keeps nothing.
func (a *App) refusingChats() error {
	if a.draining.Load() {
		return errors.New("the server is stopping")
	}
	return a.store.Healthy()
}

// site is what a widget is told of its entry.
func (a *App) site(entry string) (webchat.Site, bool) {
	e, ok := a.entries.Load().Named(entry)
	kind, name := e.Kind()
	if kind == "qr" {
		name = e.Site
	}
	s, known := a.cfg.Chat.Sites[name]
	f := a.shelf.Current().Flows[e.Flow]
	if !ok || !known || f == nil {
		return webchat.Site{}, false
	}
	title := s.Title
	if len(title) == 0 && a.cfg.Name != "" {
		title = map[string]string{f.Languages[0]: a.cfg.Name}
	}
	return webchat.Site{
		Entry: entry, Origins: s.Origins, Title: title, Languages: f.Languages, CallBack: s.CallBack && a.texts != nil, Place: e.Place,
	}, true
}

// origins are all pages that a widget may stand on.
func (a *App) origins() []string {
	var out []string
	for _, s := range a.cfg.Chat.Sites {
		out = append(out, s.Origins...)
	}
	return out
}

// chatLink is a new address of a link that was offered in a chat.
func (a *App) chatLink(ctx context.Context, c tandem.ConversationID, id tandem.LinkID) (string, error) {
	url, err := a.links.Reissue(ctx, id, c)
	if errors.Is(err, link.ErrUnusable) {
		if to, of := a.tickets.Reissue(ctx, id); of == nil {
			return to, nil
		}
	}
	if errors.Is(err, link.ErrUnusable) {
		return "", &webchat.Refused{Code: "link_over", Message: map[string]string{
			"en": "This link cannot be used any more. Ask for a new one.", "zh-CN": "这个链接已失效，请重新获取。",
		}}
	}
	return url, err
}

// visitors hands what visitors say to the flows.
type visitors struct{ a *App }

// Open begins the entry's flow.
func (v visitors) Open(ctx context.Context, id tandem.ConversationID) error {
	return v.a.talk.Open(ctx, id)
}

// Speak notes the language that the customer has chosen.
func (v visitors) Speak(ctx context.Context, id tandem.ConversationID, lang string) error {
	return v.a.talk.Speak(ctx, id, lang)
}

// Say hands a message on.
func (v visitors) Say(ctx context.Context, id tandem.ConversationID, s webchat.Said) (chat.Entry, error) {
	v.a.addressOf.put(id, s.Address)
	return v.a.talk.Say(ctx, id, text.Said{Client: s.Client, Text: s.Text, Secret: s.Secret, Attachment: s.Attachment, Blobs: s.Blobs})
}

// visitorAddresses are the network addresses that visitors last wrote from: limits count by
// them.
type visitorAddresses struct {
	mu sync.Mutex
	by map[tandem.ConversationID]string
}

// maxAddresses is how many are known; beyond it any one is forgotten, whose limits are
// then those of visitors and numbers alone.
const maxAddresses = 20_000

func (v *visitorAddresses) put(id tandem.ConversationID, address string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.by == nil {
		v.by = map[tandem.ConversationID]string{}
	}
	if _, known := v.by[id]; !known && len(v.by) >= maxAddresses {
		for any := range v.by {
			delete(v.by, any)
			break
		}
	}
	v.by[id] = address
}

func (v *visitorAddresses) get(id tandem.ConversationID) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.by[id]
}

// callbacks books calls for visitors. A number is called only once it has answered a
// code, and only one that may be called at all.
type callbacks struct {
	a  *App
	mu sync.Mutex
	by map[string]booking // by check
}

// booking waits for its code.
type booking struct {
	conversation tandem.ConversationID
	phone        string
	at           time.Time // zero = as soon as somebody is free
	asked        time.Time
}

const (
	maxBookings = 10_000           // waiting for their codes; the oldest goes
	bookingTime = 15 * time.Minute // for the code
	furthest    = 14 * 24 * time.Hour
)

func refusedNumber() error {
	return &webchat.Refused{Code: "number_refused", Message: map[string]string{
		"en": "We cannot call this number. Please check it, or use another one.", "zh-CN": "无法拨打这个号码，请检查后重试，或换一个号码。",
	}}
}

func tooMany() error {
	return &webchat.Refused{Code: "too_many", RetryAfter: time.Hour, Message: map[string]string{
		"en": "Too many codes were asked for. Please try again later.", "zh-CN": "验证码请求过多，请稍后再试。",
	}}
}

// Ask has a code sent to the number.
func (c *callbacks) Ask(ctx context.Context, id tandem.ConversationID, phone string, at time.Time, address string) (string, error) {
	number, ok := config.E164(phone, c.a.cfg.Identity.Country)
	if !ok {
		return "", refusedNumber()
	}
	if ok, _ := c.a.cfg.Outbound.Allows("tel:" + number); !ok {
		return "", refusedNumber()
	}
	now := c.a.now()
	if !at.IsZero() && (at.Before(now.Add(-time.Minute)) || at.After(now.Add(furthest))) {
		return "", &webchat.Refused{Code: "bad_time", Message: map[string]string{
			"en": "Please choose a time within the next two weeks.", "zh-CN": "请选择两周以内的时间。",
		}}
	}
	conv, err := c.a.book.Find(ctx, id)
	if err != nil {
		return "", err
	}
	w := identity.Who{Interaction: conv.Interaction, Leg: conv.Leg, Customer: conv.Customer, Channel: tandem.Chat, Conversation: id, Entry: conv.Entry, Lang: conv.Lang, Address: address}
	check, err := c.a.identity.SendCode(ctx, "callback", w, tandem.Identity{Kind: tandem.IdentityPhone, Value: number})
	var limit *identity.Refused
	var refused *sms.Refused
	switch {
	case errors.As(err, &limit):
		return "", tooMany()
	case errors.As(err, &refused):
		return "", refusedNumber()
	case err != nil:
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]booking{}
	}
	oldest := ""
	for key, b := range c.by {
		if now.Sub(b.asked) > bookingTime {
			delete(c.by, key)
		} else if oldest == "" || b.asked.Before(c.by[oldest].asked) {
			oldest = key
		}
	}
	if len(c.by) >= maxBookings {
		delete(c.by, oldest)
	}
	c.by[string(check)] = booking{id, number, at, now}
	return string(check), nil
}

// Confirm books the call.
func (c *callbacks) Confirm(ctx context.Context, id tandem.ConversationID, check, code string) (tandem.Number, time.Time, error) {
	c.mu.Lock()
	b, ok := c.by[check]
	c.mu.Unlock()
	if !ok || b.conversation != id || !identity.CheckID(check).For("callback") {
		return "", time.Time{}, wrongCode(0)
	}
	right, left, err := c.a.identity.CheckCode(ctx, identity.CheckID(check), code)
	if err != nil {
		return "", time.Time{}, err
	}
	if !right {
		return "", time.Time{}, wrongCode(left)
	}
	number, err := c.book(ctx, b)
	if err != nil {
		return "", time.Time{}, err
	}
	c.mu.Lock()
	delete(c.by, check)
	c.mu.Unlock()
	return number, b.at, nil
}

func wrongCode(left int) error {
	if left == 0 {
		return &webchat.Refused{Code: "code_over", Message: map[string]string{
			"en": "This code cannot be used any more. Please ask for a new one.", "zh-CN": "验证码已失效，请重新获取。",
		}}
	}
	return &webchat.Refused{Code: "code_wrong", Message: map[string]string{
		"en": "That is not the code we sent. Please try again.", "zh-CN": "验证码不正确，请重新输入。",
	}}
}

// book writes the booked call: an interaction of its own, so that its number is one to
// refer to, with a task in line.
func (c *callbacks) book(ctx context.Context, b booking) (tandem.Number, error) {
	a := c.a
	conv, err := a.book.Find(ctx, b.conversation)
	if err != nil {
		return "", err
	}
	e, _ := a.entries.Load().Named(conv.Entry)
	_, name := e.Kind()
	if e.Site != "" {
		name = e.Site
	}
	queue := a.cfg.Chat.Sites[name].Queue
	now := a.now()
	in := tandem.Interaction{
		ID: tandem.NewID[tandem.InteractionID](now, a.random), Entry: conv.Entry, Flow: e.Flow, Lang: conv.Lang, State: tandem.Closed, Started: now, Ended: now, Outcome: "callback",
	}
	leg := tandem.Leg{
		ID: tandem.NewID[tandem.LegID](now, a.random), Interaction: in.ID, Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer, Assurance: tandem.Verified,
		Started: now, Answered: now, Ended: now, Termination: tandem.Terminate(tandem.ByRemote, tandem.ReasonCompleted),
	}
	task := tandem.Task{
		ID: tandem.NewID[tandem.TaskID](now, a.random), Interaction: in.ID, Kind: tandem.TaskCallback, Queue: queue, Arrived: now, Lang: conv.Lang,
		NotBefore: b.at, Note: "asked for on a page",
	}
	at := ""
	if !b.at.IsZero() {
		at = b.at.Format(time.RFC3339)
	}
	event := func(kind tandem.EventKind, data any) tandem.Event {
		return tandem.NewEvent(in.ID, leg.ID, now, kind, "system", data)
	}
	for {
		in.Number = tandem.NewNumber(a.random)
		_, err := a.openTask(ctx, task, e.Flow, &store.Change{
			Interaction: &in, Caller: &tandem.Identity{Kind: tandem.IdentityPhone, Value: b.phone}, Legs: []tandem.Leg{leg},
			Events: []tandem.Event{
				event(tandem.EventOpened, tandem.Opened{Entry: conv.Entry, Channel: tandem.Chat, From: b.phone}),
				event(tandem.EventLegStarted, leg),
				event(tandem.EventCallback, tandem.Callback{Task: task.ID, To: b.phone, At: at, Queue: queue, Proven: true}),
				event(tandem.EventLegEnded, leg.Termination),
				event(tandem.EventClosed, tandem.Closing{Outcome: in.Outcome, Termination: leg.Termination}),
			},
			Outbox: a.notices(task, in),
		})
		if errors.Is(err, store.ErrNumberTaken) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("booking a call: %w", err)
		}
		return in.Number, nil
	}
}

// textRoutes mounts the gateways' webhooks.
func (a *App) textRoutes(mux *http.ServeMux) {
	if a.texts != nil {
		mux.Handle("/api/v1/sms/", a.texts.Handler())
	}
}

// readProxies reads which proxies are believed.
func (a *App) readProxies() error {
	for _, p := range a.cfg.HTTP.Proxies {
		network, err := config.Network(p)
		if err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "http.proxies: %w", err)
		}
		a.proxies = append(a.proxies, network)
	}
	return nil
}
