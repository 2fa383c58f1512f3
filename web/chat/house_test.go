package chat

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

const pageOrigin = "https://www.bank.example"

// house is a door on a server, with a database and a flow that answers by script.
type house struct {
	testing.TB
	db     *sqlite.DB
	book   *chat.Book
	door   *Door
	server *httptest.Server
	url    string // of the server, which may be another process
	flow   *flow
	place  storetest.Place
	now    func() time.Time
	random io.Reader
	log    *lines
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

// patient is a clock on which a second passes between any two looks, so that rates do
// not bound tests of other things.
func patient() func() time.Time {
	clock := storetest.NewClock()
	return func() time.Time { clock.Add(time.Second); return clock.Now() }
}

// newHouse opens a house of a new place; change may alter the options.
func newHouse(t testing.TB, change func(*Options)) *house {
	t.Helper()
	place := storetest.NewPlace(t)
	return openHouse(t, place, place.Clock.Now, storetest.NewRandom(5), change)
}

func openHouse(t testing.TB, place storetest.Place, now func() time.Time, random io.Reader, change func(*Options)) *house {
	t.Helper()
	h := &house{TB: t, place: place, now: now, random: random, log: &lines{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	var err error
	h.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(h.place.Dir, "tandem.db"), Keys: h.place.Keys, Blobs: h.place.Blobs,
		Now: now, Random: random, Flush: 10 * time.Millisecond, Log: log})
	h.must(err)
	t.Cleanup(func() { h.db.Close() })
	h.book, err = chat.New(chat.Options{Database: h.db, Journal: h.db, Blind: h.place.Keys.Blind, Now: now, Random: random, Log: log})
	h.must(err)
	h.flow = &flow{h: h, replies: 1}
	site := Site{Entry: "chat:bank", Origins: []string{pageOrigin}, Title: map[string]string{"en": "Harbour Bank", "zh-CN": "海港银行"},
		Languages: []string{"en", "zh-CN"}, CallBack: true}
	mux := http.NewServeMux()
	h.server = httptest.NewUnstartedServer(mux)
	o := Options{
		Book: h.book, Talk: h.flow, Blobs: h.place.Blobs, Look: h.db,
		Images: fstest.MapFS{},
		Sites: func(entry string) (Site, bool) {
			s := site
			s.Entry = entry
			switch entry {
			case "chat:bank":
			case "chat:shop":
				s.Origins = []string{"https://shop.example:8443"}
				s.CallBack = false
			case "qr:DESK-7":
				s.Place = "Desk 7"
			default:
				return Site{}, false
			}
			return s, true
		},
		Origins: func() []string { return []string{pageOrigin, "https://shop.example:8443"} },
		URL:     "http://" + h.server.Listener.Addr().String(),
		Limits:  Limits{ConversationsPerHour: 1 << 20, SocketsPerAddress: 1 << 20, AttachmentsPerHour: 1 << 20},
		Now:     patient(), Random: random, Log: log,
	}
	if change != nil {
		change(&o)
	}
	h.door, err = New(o)
	h.must(err)
	h.door.Routes(mux)
	h.server.Start()
	h.url = h.server.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := h.door.Close(ctx); err != nil {
			t.Errorf("closing the door: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
		h.server.Close()
		if strings.Contains(h.log.String(), "a fault of ours") {
			t.Errorf("the log has a fault of ours:\n%s", h.log)
		}
	})
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// list is what the server has of a conversation, in the order of Seq.
func (h *house) list(id tandem.ConversationID) []chat.Entry {
	h.Helper()
	all, err := h.book.Since(h.Context(), id, 0, 10_000)
	h.must(err)
	slices.SortFunc(all, func(a, b chat.Entry) int { return cmp.Compare(a.Message.Seq, b.Message.Seq) })
	return all
}

// flow answers by script: each message of the customer is kept with its answers in one
// change, as ivr/text does.
type flow struct {
	h       *house
	replies int                                     // to each message
	reply   func(text string, n int) tandem.Message // nil repeats the text
	before  func(s Said) error                      // nil, or asked before a message is kept
	mute    bool                                    // does not publish
	after   func() error                            // nil, or asked after it is kept
}

func (f *flow) Open(ctx context.Context, id tandem.ConversationID) error {
	defer f.h.book.Lock(id)()
	c, err := f.h.book.Find(ctx, id)
	if err != nil || c.Interaction != "" {
		return err
	}
	return f.turn(ctx, &c, nil, []tandem.Message{{From: tandem.SenderFlow, Text: "welcome"}})
}

func (f *flow) Speak(ctx context.Context, id tandem.ConversationID, lang string) error {
	defer f.h.book.Lock(id)()
	return f.h.book.Speak(ctx, id, lang)
}

func (f *flow) Say(ctx context.Context, id tandem.ConversationID, s Said) (chat.Entry, error) {
	defer f.h.book.Lock(id)()
	if f.before != nil {
		if err := f.before(s); err != nil {
			return chat.Entry{}, err
		}
	}
	if e, known, err := f.h.book.ByClient(ctx, id, s.Client); err != nil || known {
		return e, err
	}
	c, err := f.h.book.Find(ctx, id)
	if err != nil {
		return chat.Entry{}, err
	}
	messages := []tandem.Message{{From: tandem.SenderCustomer, Client: s.Client, Text: s.Text, Attachment: s.Attachment, Secret: s.Secret}}
	for n := range f.replies {
		m := tandem.Message{Text: fmt.Sprintf("re: %s", s.Text)}
		if f.reply != nil {
			m = f.reply(s.Text, n)
		}
		m.From = tandem.SenderFlow
		messages = append(messages, m)
	}
	if err := f.turn(ctx, &c, s.Blobs, messages); err != nil {
		return chat.Entry{}, err
	}
	if f.after != nil {
		if err := f.after(); err != nil {
			return chat.Entry{}, err
		}
	}
	e, _, err := f.h.book.ByClient(ctx, id, s.Client)
	return e, err
}

// turn keeps messages in one change and publishes them.
func (f *flow) turn(ctx context.Context, c *chat.Conversation, blobs []store.BlobRef, messages []tandem.Message) error {
	now := f.h.now()
	change := &store.Change{}
	if c.Interaction == "" {
		in := &tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, f.h.random), Number: tandem.NewNumber(f.h.random), Entry: c.Entry, State: tandem.Open, Started: now}
		c.Interaction, c.Leg = in.ID, tandem.NewID[tandem.LegID](now, f.h.random)
		change.Interaction = in
		change.Legs = []tandem.Leg{{ID: c.Leg, Interaction: in.ID, Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer, Started: now}}
	}
	for _, b := range blobs {
		b.Interaction = c.Interaction
		change.Blobs = append(change.Blobs, b)
	}
	for i := range messages {
		m := &messages[i]
		m.Conversation, m.Channel, m.Seq = c.ID, c.Channel, f.h.book.Next(c)
		change.Events = append(change.Events, tandem.NewEvent(c.Interaction, c.Leg, now, tandem.EventMessage, "system", m))
	}
	entries := make([]chat.Frame, len(messages))
	change.With = func(tx store.Tx) error {
		for i := range messages {
			e, err := f.h.book.Add(tx, c, &messages[i], &change.Events[i], tandem.MessageSent)
			if err != nil {
				return err
			}
			entries[i] = e
		}
		if _, err := tx.One("SELECT c.id FROM interaction i JOIN customer c ON c.no = i.customer WHERE i.id = ?", func(row store.Row) {
			c.Customer = tandem.CustomerID(row.Text(0))
		}, string(c.Interaction)); err != nil {
			return err
		}
		return f.h.book.Save(tx, c)
	}
	if err := f.h.db.Commit(ctx, change); err != nil {
		return err
	}
	if !f.mute {
		f.h.book.Publish(c.ID, entries...)
	}
	return nil
}
