package chat

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"tandem"
	"tandem/bridge/chat"
	"tandem/store"
	"tandem/web/answer"
)

// bucketOf is a bucket of one socket, touched by its reader only.
type bucketOf struct {
	left float64
	at   time.Time
}

func (b *bucketOf) take(r rate, now time.Time) (wait time.Duration) {
	if b.at.IsZero() {
		b.left = r.burst
	} else {
		b.left = min(r.burst, b.left+float64(now.Sub(b.at))/float64(r.every))
	}
	b.at = now
	if b.left < 1 {
		return time.Duration((1 - b.left) * float64(r.every))
	}
	b.left--
	return 0
}

// typingRate is how often a client's typing is passed on; more is dropped.
var typingRate = rate{"typing", 2, time.Second / 2}

// handle does what a frame asks.
func (s *socket) handle(in incoming) {
	ctx, cancel := context.WithTimeout(s.door.ctx, doTime)
	defer cancel()
	id := s.id.Load()
	switch in.T {
	case kindPing:
		s.push(bare{kindPong})
	case kindBegin:
		s.begin(ctx, in.ID)
	case kindOpen:
		s.open(ctx)
	case kindSay:
		s.say(ctx, in)
	case kindGot:
		if seq := min(in.Seq, s.top.Load()); id != nil && seq > max(s.got, s.read) && s.mark(ctx, *id, seq, tandem.MessageDelivered) {
			s.got = seq
		}
	case kindRead:
		if seq := min(in.Seq, s.top.Load()); id != nil && seq > s.read && s.mark(ctx, *id, seq, tandem.MessageRead) {
			s.read = seq
		}
	case kindLang:
		s.speak(ctx, in.Lang)
	case kindVoice, kindScreen:
		s.signal(ctx, in)
	case kindUpgrade, kindCheck:
		s.face(ctx, in)
	case kindTyping:
		if id != nil && s.types.take(typingRate, s.door.o.Now()) == 0 {
			s.door.o.Book.Publish(*id, chat.Typing{From: tandem.SenderCustomer, On: in.On})
		}
	default:
		s.push(refusal(in.ID, codeBad, wordsBad, 0))
	}
}

// mark notes a receipt. One that is not kept comes again, with the next message or socket.
func (s *socket) mark(ctx context.Context, id tandem.ConversationID, seq uint64, state tandem.MessageState) (kept bool) {
	if err := s.door.o.Book.MarkTo(ctx, id, seq, state); err != nil {
		s.door.o.Log.Warn("a receipt was not kept", "conversation", id, "error", err)
		return false
	}
	return true
}

// begin makes the conversation if there is none yet; about is the message that asks.
func (s *socket) begin(ctx context.Context, about string) (ok bool) {
	if s.id.Load() != nil {
		return true
	}
	d := s.door
	if wait := d.limits.take(perHour("new", d.o.Limits.ConversationsPerHour), answer.Network(s.from)); wait > 0 {
		s.push(refusal(about, codeFull, wordsFull, wait))
		return false
	}
	c := chat.Conversation{Channel: tandem.Chat, Entry: s.site.Entry, Lang: s.lang}
	s.guest.mu.Lock()
	gone, err := s.guest.gone, error(nil)
	if !gone {
		err = d.o.Book.Begin(ctx, &c, s.guest.token)
	}
	s.guest.mu.Unlock()
	if gone {
		s.end(closeLater, "elsewhere")
		return false
	}
	if err != nil {
		s.fail(about, err)
		return false
	}
	guest := s.guest
	s.guest = nil
	d.forget(guest)
	return s.join(c.ID, s.welcomeTo(c.ID, 0, guest.token))
}

func (s *socket) open(ctx context.Context) {
	if wait := s.slow(); wait > 0 {
		s.push(refusal("", codeTooFast, wordsFast, wait))
		return
	}
	if !s.begin(ctx, "") {
		return
	}
	if err := s.door.o.Talk.Open(ctx, *s.id.Load()); err != nil {
		s.fail("", err)
	}
}

// speak changes the language to another of the site's; one that it does not have changes
// nothing.
func (s *socket) speak(ctx context.Context, lang string) {
	lang, ok := match([]string{lang}, s.site.Languages)
	if !ok {
		return
	}
	if wait := s.slow(); wait > 0 {
		s.push(refusal("", codeTooFast, wordsFast, wait))
		return
	}
	if id := s.id.Load(); id != nil {
		if err := s.door.o.Talk.Speak(ctx, *id, lang); err != nil {
			s.fail("", err)
			return
		}
	}
	s.lang = lang
}

// slow counts one more thing that costs; wait is for how long the client should.
func (s *socket) slow() (wait time.Duration) {
	if id := s.id.Load(); id != nil {
		return s.door.limits.take(saying, string(*id))
	}
	return s.door.limits.take(saying, s.guest.token)
}

// say keeps a message and has it answered. Its own frame is what tells the client so.
func (s *socket) say(ctx context.Context, in incoming) {
	d := s.door
	switch {
	case !clientID(in.ID):
		s.push(refusal("", codeBad, wordsBad, 0))
		return
	case utf8.RuneCountInString(in.Text) > maxText:
		s.push(refusal(in.ID, codeTooLong, wordsLong, 0))
		return
	case strings.TrimSpace(in.Text) == "" && in.Attachment == "":
		s.push(refusal(in.ID, codeBad, wordsEmpty, 0))
		return
	}
	if wait := s.slow(); wait > 0 {
		s.push(refusal(in.ID, codeTooFast, wordsFast, wait))
		return
	}
	if !s.begin(ctx, in.ID) {
		return
	}
	id := *s.id.Load()
	if in.Attachment != "" { // its picture is used up if it was kept before
		if e, known, err := d.o.Book.ByClient(ctx, id, in.ID); err != nil {
			s.fail(in.ID, err)
			return
		} else if known {
			s.push(again{&e, in.ID})
			return
		}
	}
	said := Said{Client: in.ID, Text: in.Text, Secret: in.Secret, Address: s.from.String()}
	var sent picture
	if in.Attachment != "" {
		var ok bool
		if sent, ok = s.attach(&said, id, in.Attachment); !ok {
			return
		}
	}
	before := s.sent.Load()
	e, err := d.o.Talk.Say(ctx, id, said)
	if err != nil {
		s.failed(id, &said, in.Attachment, sent, err)
		return
	}
	if said.Attachment != nil && (e.Message.Attachment == nil || e.Message.Attachment.Blob != said.Attachment.Blob) { // a double came first
		s.unkept(&said)
	}
	if e.Rev <= before { // the client knows it already, or would if it had listened
		s.push(again{&e, in.ID})
		return
	}
	s.push(&e) // dropped if it was published, as it should
}

// failed tells the client that its message was not kept, and has its picture wait for the
// next try. If it was kept after all, that is what the client hears.
func (s *socket) failed(id tandem.ConversationID, said *Said, upload string, sent picture, err error) {
	ctx, cancel := context.WithTimeout(s.door.ctx, doTime)
	defer cancel()
	e, known, lost := s.door.o.Book.ByClient(ctx, id, said.Client)
	if lost == nil && known {
		s.door.o.Log.Error("a message of the chat was kept, but not answered", "conversation", id, "error", err)
		s.push(again{&e, said.Client})
		return
	}
	if lost == nil && said.Attachment != nil { // else it may be kept: better noise on the disk than a message without its picture
		s.unkept(said)
		s.door.uploads.add(upload, id, sent)
	}
	s.fail(said.Client, err)
}

// fail tells the client that what it asked was not done.
func (s *socket) fail(about string, err error) {
	switch {
	case errors.Is(err, chat.ErrNoSecret):
		s.push(refusal(about, codeNotNow, wordsSecret, 0))
	case errors.Is(err, store.ErrErased), errors.Is(err, store.ErrNotFound):
		s.push(refusal(about, codeClosed, wordsClosed, 0))
	default:
		if !errors.Is(err, store.ErrUnavailable) && s.door.ctx.Err() == nil {
			id := tandem.ConversationID("")
			if at := s.id.Load(); at != nil {
				id = *at
			}
			s.door.o.Log.Error("a frame of the chat was not carried out", "conversation", id, "error", err)
		}
		s.push(refusal(about, codeNotNow, wordsStore, 5*time.Second))
	}
}
