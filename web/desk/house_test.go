package desk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/hook"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/bridge/survey"
	"tandem/bridge/ticket"
	"tandem/ivr/flow"
	"tandem/media/webrtc"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/staff"
	"tandem/store/storetest"
	"tandem/web/desk/alert"
	"tandem/web/desk/duty"
	"tandem/web/desk/live"
	"tandem/web/login"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "orange ladder tree"

// house is a desk with the real line, store, register and door, and a text side of its own.
type house struct {
	testing.TB
	place   storetest.Place
	clock   *storetest.Still
	random  io.Reader
	db      *sqlite.DB
	book    *chat.Book
	staff   *staff.Register
	door    *login.Door
	router  *queue.Router
	tickets *ticket.Desk
	hooks   *hook.Desk
	desk    *Desk
	server  *httptest.Server
	doc     *document
	log     *lines
	typed   chan string // who the customers were told types
	full    atomic.Bool // the disk of the database
	others  *others
	faces   *faces
	alerts  *alert.Keeper
	choices []duty.Reason // dispositions, and the queues that need one
	needing []string
}

// lines keeps what is logged.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// rule is the policy of the tests: times are long, so that nothing lapses by itself.
func rule() *route.Policy {
	hour := map[tandem.Load]time.Duration{tandem.LoadVoice: time.Hour, tandem.LoadChat: time.Hour, tandem.LoadSMS: time.Hour, tandem.LoadWork: time.Hour}
	all := map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: 3, tandem.LoadSMS: 5, tandem.LoadWork: 2}
	return &route.Policy{
		Queues: map[string]*route.Queue{
			"cards": {Name: "cards", Teams: []string{"cards"}, Target: map[tandem.TaskKind]time.Duration{tandem.TaskChat: time.Minute}, TargetOf: map[string]map[tandem.TaskKind]time.Duration{"gold": {tandem.TaskChat: 30 * time.Second}},
				Relax: []route.Relax{{After: time.Minute, Levels: map[string]int{"*": 1}}}, Over: []route.Overflow{{After: 2 * time.Minute, Teams: []string{"loans"}}}, CallbackTries: 2, CallbackGap: time.Minute, Escalate: []string{"team:loans"}},
			"loans": {Name: "loans", Teams: []string{"loans"}},
		},
		Teams: map[string]*route.Team{"cards": {Name: "cards", Site: "beijing"}, "loans": {Name: "loans"}},
		Agents: map[string]*route.Agent{"anna": {Name: "anna", Teams: []string{"cards"}, Skills: map[string]int{"lang:en": 3}, Capacity: all}, "bo": {Name: "bo", Teams: []string{"cards"}, Capacity: all}, "cleo": {Name: "cleo", Teams: []string{"loans"}, Capacity: all},
			"dora": {Name: "dora", Teams: []string{"cards", "loans"}}},
		MostPriority: 10 * time.Minute,
		Blocks:       map[tandem.Load][]tandem.Load{tandem.LoadVoice: {tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork}},
		Offer:        hour, WrapUp: hour, DeclineRest: time.Hour,
	}
}

func newHouse(t testing.TB, change ...func(*Options)) *house {
	t.Helper()
	h := &house{TB: t, place: storetest.NewPlace(t), clock: storetest.NewStill(time.Unix(1795424400, 0)), random: storetest.NewRandom(5), log: &lines{}, typed: make(chan string, 16), doc: readDocument(t)}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	var err error
	h.hooks, err = hook.New(hook.Options{Keys: h.place.Keys, Now: h.clock.Now, Log: log})
	h.must(err)
	h.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(h.place.Dir, "tandem.db"), Keys: h.place.Keys, Blobs: h.place.Blobs, Now: h.clock.Now, Flush: 10 * time.Millisecond, Letters: h.hooks.Letters, Fault: h.fault, Log: log})
	h.must(err)
	t.Cleanup(func() { h.db.Close() })
	h.must(h.hooks.Open(t.Context(), h.db))
	t.Cleanup(h.hooks.Close)
	h.book, err = chat.New(chat.Options{Database: h.db, Journal: h.db, Blind: h.place.Keys.Blind, Now: h.clock.Now, Random: h.random, Log: log})
	h.must(err)
	h.staff, err = staff.New(staff.Options{Database: h.db, Keys: h.place.Keys, Now: h.clock.Now, Cost: staff.Cost{Memory: 64, Passes: 1, Lanes: 1}})
	h.must(err)
	for name, role := range map[string]staff.Role{"anna": staff.Agent, "bo": staff.Agent, "cleo": staff.Agent, "sue": staff.Supervisor, "oli": staff.Operator, "aud": staff.Auditor, "dee": staff.Designer} {
		_, err := h.staff.Add(t.Context(), staff.Actor{Name: "test"}, staff.User{Name: name, Roles: []staff.Role{role}}, password)
		h.must(err)
	}
	h.router, err = queue.New(t.Context(), queue.Options{Store: h.db, Policy: rule(), Now: h.clock.Now, Random: h.random, Verify: true, Broken: func(finding string) { t.Errorf("the line is broken: %s", finding) }, Log: log})
	h.must(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.router.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	_, err = h.router.Present(t.Context(), "dora", tandem.PresenceAvailable, "") // who takes nothing, but is there: so customers are let in
	h.must(err)
	h.tickets, err = ticket.New(ticket.Options{Database: h.db, Line: h.router, Policy: h.router.Policy, URL: "https://bank.example", Now: h.clock.Now, Log: log})
	h.must(err)
	surveys, err := survey.New(survey.Options{Database: h.db, Now: h.clock.Now, Log: log})
	h.must(err)
	mux := http.NewServeMux()
	h.server = httptest.NewUnstartedServer(mux)
	h.door, err = login.New(login.Options{Register: h.staff, URL: "https://" + h.server.Listener.Addr().String(), Log: log, Now: h.clock.Now})
	h.must(err)
	h.door.Routes(mux)
	h.others, h.faces = newOthers(h), newFaces(h)
	o := Options{Options: duty.Options{Line: h.router, Door: h.door, Journal: h.db, Talks: h.book, Say: h, Calls: h.others, Flows: h.others, Ways: h.others, Faces: h.faces, Checks: h.faces,
		Reasons: func() []duty.Reason {
			return []duty.Reason{{Name: "lunch", Words: map[string]string{"en": "Lunch", "zh-CN": "午餐"}}}
		},
		Dispositions: func() ([]duty.Reason, []string) { return h.choices, h.needing }, Phone: func(name string) bool { return name == "bo" }, Seat: h.others.seat,
		Servers: func(string) ([]webrtc.ICEServer, error) {
			return []webrtc.ICEServer{{URLs: []string{"turn:127.0.0.1:3478"}, Username: "u", Credential: "c"}}, nil
		},
		Display: func(_ context.Context, name string) string { return strings.ToUpper(name[:1]) + name[1:] }, Now: h.clock.Now},
		Keys: h.staff, Tickets: h.tickets, Surveys: surveys, Hooks: h.hooks, Voice: h.others,
		Times: live.Times{Guard: 20 * time.Millisecond, Board: 20 * time.Millisecond}, Log: log}
	o.Overview = h.overview(log)
	for _, f := range change {
		f(&o)
	}
	h.desk, err = New(o)
	h.must(err)
	h.desk.Routes(mux)
	h.server.StartTLS()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := h.desk.Close(ctx); err != nil {
			t.Errorf("closing the desk: %v", err)
		}
		h.server.Client().CloseIdleConnections()
		h.server.Close()
		if strings.Contains(h.log.String(), "fault of ours") || strings.Contains(h.log.String(), "the desk failed") {
			t.Errorf("the log has a fault:\n%s", h.log)
		}
	})
	return h
}

func (h *house) fault(string) error {
	if h.full.Load() {
		return errors.New("no space left")
	}
	return nil
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// Reply keeps what an agent says, as ivr/text does.
func (h *house) Reply(ctx context.Context, id tandem.ConversationID, r duty.Reply) (chat.Entry, error) {
	defer h.book.Lock(id)()
	if e, known, err := h.book.ByClient(ctx, id, r.Client); err != nil || known {
		return e, err
	}
	c, err := h.book.Find(ctx, id)
	if err != nil {
		return chat.Entry{}, err
	}
	return h.keep(ctx, &c, tandem.Message{From: tandem.SenderAgent, Name: r.Agent, Client: r.Client, Text: r.Text})
}

func (h *house) Typing(_ context.Context, _ tandem.ConversationID, agent string, on bool) error {
	h.typed <- agent
	return nil
}

func (h *house) keep(ctx context.Context, c *chat.Conversation, m tandem.Message) (chat.Entry, error) {
	m.Conversation, m.Channel, m.Seq = c.ID, c.Channel, h.book.Next(c)
	change := &store.Change{Events: []tandem.Event{tandem.NewEvent(c.Interaction, c.Leg, h.clock.Now(), tandem.EventMessage, "system", m)}}
	var e *chat.Entry
	change.With = func(tx store.Tx) (err error) {
		e, err = h.book.Add(tx, c, &m, &change.Events[0], tandem.MessageSent)
		return err
	}
	if err := h.db.Commit(ctx, change); err != nil {
		return chat.Entry{}, err
	}
	h.book.Publish(c.ID, e)
	return *e, nil
}

// customer says something in the chat of an interaction.
func (h *house) customer(in tandem.InteractionID, text string) {
	h.Helper()
	c, err := h.book.ByInteraction(h.Context(), in, tandem.Chat)
	h.must(err)
	defer h.book.Lock(c.ID)()
	c, err = h.book.Find(h.Context(), c.ID)
	h.must(err)
	_, err = h.keep(h.Context(), &c, tandem.Message{From: tandem.SenderCustomer, Client: string(tandem.NewID[tandem.TaskID](h.clock.Now(), h.random)), Text: text})
	h.must(err)
}

// arrive brings a customer into line; kind chat has a conversation, voicemail a recording,
// ticket a work order.
func (h *house) arrive(kind tandem.TaskKind) tandem.Task {
	h.Helper()
	now := h.clock.Now()
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, h.random), Number: tandem.NewNumber(h.random), Entry: "chat:bank", Flow: "bank", State: tandem.Open, Started: now, Lang: "en"}
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, h.random), Interaction: in.ID, Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer, Started: now, Assurance: tandem.Verified, AssuranceUntil: now.Add(time.Hour)}
	c := chat.Conversation{Channel: tandem.Chat, Entry: "chat:bank", Interaction: in.ID, Leg: leg.ID, Lang: "en"}
	change := &store.Change{Interaction: &in, Legs: []tandem.Leg{leg}, Events: []tandem.Event{
		tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOpened, "system", tandem.Opened{Entry: c.Entry, Channel: c.Channel}),
		tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOutcome, "flow", tandem.StepLeft{Flow: "bank", Step: "ask", Outcome: "ok", Next: "end", Set: map[string]any{"account": 1234567890123456789, "pin": "••••"}}),
	}}
	task := tandem.Task{Interaction: in.ID, Kind: kind, Queue: "cards", State: tandem.TaskWaiting, Arrived: now, Lang: "en", Key: "1"}
	switch kind {
	case tandem.TaskChat:
		change.With = func(tx store.Tx) error { return h.book.Create(tx, &c) }
	case tandem.TaskVoicemail:
		w, err := h.place.Blobs.Create(in.ID, "audio/PCMU;rate=8000;channels=1")
		h.must(err)
		_, err = w.Write([]byte(strings.Repeat("\xff\x7f", 4000)))
		h.must(err)
		ref, err := w.Commit()
		h.must(err)
		task.Blob = ref.ID
		change.Blobs = []store.BlobRef{ref}
	case tandem.TaskTicket:
		h.must(h.db.Commit(h.Context(), change))
		res, _, err := h.tickets.Open(h.Context(), tandem.Who{Interaction: in.ID, Leg: leg.ID}, "cards", flow.OpenTicket{Form: "lost_card", Fields: map[string]any{"card": "1234"}, Lang: "en", Key: "1"})
		h.must(err)
		_ = res
		for _, t := range h.router.Tasks("cards", 0) {
			if t.Interaction == in.ID {
				return t
			}
		}
		h.Fatal("the ticket is not in line")
	}
	opened, err := h.router.Open(h.Context(), task, change)
	h.must(err)
	return opened
}

// until waits for something that is about to happen.
func (h *house) until(what string, is func() bool) {
	h.Helper()
	late := time.After(10 * time.Second)
	for !is() {
		select {
		case <-late:
			h.Fatalf("it never came to this: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// task is a task as it is now.
func (h *house) task(id tandem.TaskID) tandem.Task {
	t, _ := h.router.Task(id)
	return t
}

// client calls the API: with a login, a key, or neither.
type client struct {
	h    *house
	name string
	http *http.Client
	csrf string
	key  string
}

func (h *house) stranger() *client {
	jar, err := cookiejar.New(nil)
	h.must(err)
	c := *h.server.Client()
	c.Jar = jar
	return &client{h: h, name: "nobody", http: &c}
}

// as is a browser in which somebody is logged in.
func (h *house) as(name string) *client {
	h.Helper()
	c := h.stranger()
	c.name = name
	var me struct{ CSRF string }
	c.ok(200, "POST", "/api/v1/login", map[string]string{"name": name, "password": password}, &me)
	c.csrf = me.CSRF
	return c
}

// with is a program that has a key.
func (h *house) with(agent string, scopes ...staff.Scope) *client {
	h.Helper()
	k := staff.Key{Name: strings.ReplaceAll(strings.ToLower(string(scopes[0])), ":", "-") + "." + string(tandem.NewID[tandem.TaskID](h.clock.Now(), h.random))[18:], Scopes: scopes, Agent: agent}
	secret, _, err := h.staff.MakeKey(h.Context(), staff.Actor{Name: "test"}, k)
	h.must(err)
	c := h.stranger()
	c.name, c.key = "key:"+string(scopes[0]), secret
	return c
}

// reply is an answer, read.
type reply struct {
	*http.Response
	body string
}

func (r reply) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(r.body), &p) // "" if it has none
	return p.Code
}

// do sends a request and holds the answer against the document.
func (c *client) do(method, path string, body any, change ...func(*http.Request)) reply {
	c.h.Helper()
	var in io.Reader
	if body != nil {
		in = strings.NewReader(asJSON(c.h, body))
	}
	req, err := http.NewRequestWithContext(c.h.Context(), method, c.h.server.URL+path, in)
	c.h.must(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.key != "":
		req.Header.Set("Authorization", "Bearer "+c.key)
	case method != "GET":
		req.Header.Set("Origin", c.h.server.URL)
		req.Header.Set("X-CSRF-Token", c.csrf)
	}
	for _, f := range change {
		f(req)
	}
	resp, err := c.http.Do(req)
	c.h.must(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	c.h.must(err)
	r := reply{resp, string(data)}
	if o := c.h.doc.of(method, path); o != nil && resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		c.h.doc.answer(c.h, o, resp.StatusCode, resp.Header.Get("Content-Type"), r.body)
		if resp.StatusCode < 300 && body != nil {
			if err := c.h.doc.request(o, asJSON(c.h, body)); err != nil {
				c.h.Errorf("%s took a body that the document does not have: %v\n%v", o.id, err, body)
			}
		}
	}
	if resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusRequestedRangeNotSatisfiable && resp.Header.Get("Cache-Control") != "no-store" && strings.HasPrefix(path, "/api/") {
		c.h.Errorf("%s %s may be kept", method, path)
	}
	return r
}

// ok does what must succeed, and reads the answer into out if it is not nil.
func (c *client) ok(status int, method, path string, body, out any) {
	c.h.Helper()
	r := c.do(method, path, body)
	if r.StatusCode != status {
		c.h.Fatalf("%s: %s %s: %d %s", c.name, method, path, r.StatusCode, r.body)
	}
	if out != nil {
		c.h.must(json.Unmarshal([]byte(r.body), out))
	}
}

// refused does what must not, and says with which status and code.
func (c *client) refused(status int, code, method, path string, body any, change ...func(*http.Request)) {
	c.h.Helper()
	r := c.do(method, path, body, change...)
	if r.StatusCode != status || r.code() != code {
		c.h.Errorf("%s: %s %s: %d %s, want %d %s", c.name, method, path, r.StatusCode, r.body, status, code)
	}
}
