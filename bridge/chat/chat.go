// Package chat keeps conversations: the ordered messages with one party at one entry,
// by a widget or by texts, how far each message has come, and who looks on now.
//
// It owns the tables chat_conversation, chat_message and chat_token, which hold ids,
// numbers, states, times and hashes. The words of a message are in the journal only; its
// row names the event. A conversation nobody looks at takes no memory here.
//
// It runs no goroutine, never sends anything anywhere, and never keeps a token.
package chat

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"log/slog"
	"time"

	"tandem"
	"tandem/store"
)

// ErrNoSecret says that a message was marked as a secret while none is waited for: it
// must not be kept, since it would be in clear.
var ErrNoSecret = errors.New("no secret is waited for")

// ErrFull says that a conversation has as many subscribers as it may have.
var ErrFull = errors.New("too many look on")

// Conversation is the messages with one party at one entry. It outlives interactions
// and points at the present one.
type Conversation struct {
	ID          tandem.ConversationID
	Channel     tandem.Channel       // chat or sms
	Entry       string               // "chat:site", "sms:+86…", "qr:CODE"
	Interaction tandem.InteractionID // the present one; "" = none
	Leg         tandem.LegID         // of the present interaction or the last; keep it when that ends
	Customer    tandem.CustomerID    // of the present interaction or the last
	Lang        string
	Seq, Rev    uint64 // of the newest message; of the newest change, which is a message or a state
	Taken       uint64 // the newest message of the customer that the flow has taken, or never will
	Ours        string // sms only, E.164
	Theirs      string // sms only, E.164; "" once the customer is erased
	Started     time.Time
	Seen        time.Time // when the customer last wrote
}

// Entry is one message with its state, as a client sees it. Seq orders messages; Rev
// orders changes, so that who knows all up to a Rev asks for what has a greater one.
type Entry struct {
	Rev     uint64
	State   tandem.MessageState
	At      time.Time // of the message, not of its state
	Message tandem.Message
	Link    tandem.LinkState // of Message.Link; "" without one
	Error   string           // why it failed: a word for programs, such as "refused"
	Erased  bool             // the customer is erased: of Message only Conversation, Seq and From are left
}

// Frame is what subscribers of a conversation get: *Entry, Typing, Over or Place.
type Frame interface{ frame() }

// Typing says that somebody writes, or has stopped. It is never stored.
type Typing struct {
	From tandem.Sender
	Name string // of an agent
	On   bool
}

// Over says that the present interaction has ended: the next message begins another.
type Over struct{}

func (*Entry) frame() {}
func (Typing) frame() {}
func (Over) frame()   {}

// Database is where the tables are; store/sqlite has it.
type Database interface {
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
}

// Journal is where the words are; store/sqlite has it.
type Journal interface {
	EventsAt(ctx context.Context, refs []store.EventRef) ([]tandem.Event, error)
	Leg(ctx context.Context, id tandem.LegID) (tandem.Leg, error)
	Note(e tandem.Event)
}

// Options is what a Book is made of. All but Log are required.
type Options struct {
	Database Database
	Journal  Journal
	Blind    func(purpose, value string) []byte // store.Keyring's: numbers are looked up by it
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger // slog.Default if nil
}

// Book has all conversations. It is safe for concurrent use.
type Book struct {
	o    Options
	log  *slog.Logger
	seed maphash.Seed
	live [shards]shard
}

// New makes a Book.
func New(o Options) (*Book, error) {
	if o.Database == nil || o.Journal == nil || o.Blind == nil || o.Now == nil || o.Random == nil {
		return nil, errors.New("chat: Options need Database, Journal, Blind, Now and Random")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Book{o: o, log: o.Log, seed: maphash.MakeSeed()}, nil
}
