package survey

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/store"
)

// wide is the world of conversations whose flows ask surveys and nothing else.
type wide struct {
	h      *house
	driver *text.Driver
}

func (w *wide) Fetch(context.Context, text.Ref, flow.Fetch) flow.Fetched { return flow.Fetched{} }
func (w *wide) Told(context.Context, text.Ref, flow.Told)                {}

func who(r text.Ref) tandem.Who {
	return tandem.Who{Interaction: r.Interaction, Leg: r.Leg, Customer: r.Customer, Channel: r.Channel, Conversation: r.Conversation, Lang: r.Lang}
}

func (w *wide) Begin(ctx context.Context, r text.Ref, s flow.Session, e flow.Effect) ([]flow.Play, error) {
	result, err := w.h.Later(ctx, who(r), s, e.(flow.Survey))
	if err != nil {
		return nil, err
	}
	return nil, w.driver.Deliver(ctx, r.Interaction, flow.Input{Kind: flow.InputResult, Serial: s.Wait.Serial, Result: &result})
}

func (w *wide) Talk(ctx context.Context, r text.Ref, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
	top := s.Frames[len(s.Frames)-1]
	lib, err := w.Library(ctx, top.Flow, top.Hash)
	if err != nil {
		return flow.Turn{}, err
	}
	if e != nil {
		return w.h.Begin(ctx, who(r), s, lib, e.(flow.Survey))
	}
	return w.h.Hear(ctx, who(r), lib, s.World, in)
}

func (w *wide) Withdraw(context.Context, text.Ref, flow.Session) {}

func (w *wide) Library(_ context.Context, name, hash string) (*flow.Library, error) {
	if base, version, form, ok := Base(name, hash); ok {
		lib, _, err := With(w.h.lib, base, version, form)
		return lib, err
	}
	return w.h.lib, nil
}

func (w *wide) Entry(string) (string, *flow.Library, bool) { return "f", w.h.lib, true }

func (w *wide) Letter(_ context.Context, c chat.Conversation, m *tandem.Message, _ string) (*store.Outgoing, error) {
	return &store.Outgoing{Key: string(c.ID) + "/" + m.Text, Kind: "sms", Target: c.Theirs, Body: []byte(m.Text)}, nil
}

func (w *wide) Resume(context.Context, chat.Conversation, tandem.InteractionID, flow.Turn) error {
	return errors.New("not here")
}
func (w *wide) Ended(context.Context, text.Ref, string) {}

// converse runs a driver of conversations over the house's database until the test ends,
// or until stop.
func (h *house) converse(book *chat.Book) (d *text.Driver, stop func()) {
	h.t.Helper()
	w := &wide{h: h}
	var err error
	w.driver, err = text.New(text.Options{Store: h.db, Book: book, World: w, Now: h.place.Clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Panicked: func(what string, p any) { h.t.Errorf("panic in %s: %v", what, p) }})
	h.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.driver.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	h.t.Cleanup(stop)
	return w.driver, stop
}

// read is what a conversation shows, the customer's own words with "> " before them, once
// it has so many messages.
func (h *house) read(book *chat.Book, id tandem.ConversationID, n int) []string {
	h.t.Helper()
	var out []string
	for range 2000 {
		entries, err := book.Since(h.t.Context(), id, 0, 1000)
		h.must(err)
		slices.SortFunc(entries, func(a, b chat.Entry) int { return int(a.Message.Seq) - int(b.Message.Seq) })
		out = nil
		for _, e := range entries {
			line := strings.ReplaceAll(e.Message.Text, "\n", " / ")
			if e.Message.From == tandem.SenderCustomer {
				line = "> " + line
			}
			out = append(out, line)
		}
		if len(out) >= n {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return out
}

// A survey in a chat goes on where it was after the program was stopped.
func TestInAChat(t *testing.T) {
	h := newHouse(t)
	book, err := chat.New(chat.Options{Database: h.db, Journal: h.db, Blind: h.place.Keys.Blind, Now: h.place.Clock.Now, Random: rand.Reader})
	h.must(err)
	c := chat.Conversation{Channel: tandem.Chat, Entry: "chat:bank", Lang: "en"}
	h.must(h.db.Update(t.Context(), func(tx store.Tx) error { return book.Create(tx, &c) }))
	d, stop := h.converse(book)
	h.must(d.Open(t.Context(), c.ID))
	h.read(book, c.ID, 1)
	script := []string{"4", "Yes", "manner", "It was fine."}
	for i, said := range script {
		if i == 2 {
			stop()
			d, _ = h.converse(book)
		}
		_, err := d.Say(t.Context(), c.ID, text.Said{Text: said, Client: said})
		h.must(err)
		h.read(book, c.ID, 2*i+3-i/3)
	}
	got := h.read(book, c.ID, 8)
	want := []string{"How was it, from 1 to 5?", "> 4", "Would you call again?", "> Yes", "What was best?", "> manner", "Anything else?", "> It was fine."}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	list, err := h.db.List(t.Context(), store.Filter{Entry: "chat:bank"})
	h.must(err)
	all, err := h.Of(t.Context(), list[0].ID)
	if err != nil || len(all) != 1 || answers(all[0].Answers) != "again=true best=manner score=4 words=It was fine." || all[0].Partial {
		t.Errorf("%+v %v", all, err)
	}
}

// A caller who has hung up is asked by text, in a conversation of their own, and answers
// about the call.
func TestByTextAfterACall(t *testing.T) {
	h := newHouse(t)
	book, err := chat.New(chat.Options{Database: h.db, Journal: h.db, Blind: h.place.Keys.Blind, Now: h.place.Clock.Now, Random: rand.Reader})
	h.must(err)
	c := chat.Conversation{Channel: tandem.SMS, Entry: "sms:+861055550100", Lang: "zh-CN", Ours: "+861055550100", Theirs: "+8613800000000"}
	h.must(h.db.Update(t.Context(), func(tx store.Tx) error { return book.Create(tx, &c) }))
	d, _ := h.converse(book)
	h.answer = func(s Start) error {
		return d.Start(t.Context(), c.ID, text.Starting{Interaction: s.Interaction, Flow: s.Flow, Library: s.Library, Lang: s.Lang, Customer: s.Customer, Theirs: c.Theirs})
	}
	h.on(tandem.Voice, "zh-CN")
	h.later(tandem.Voice, tandem.SMS)
	h.pass(2 * time.Hour)
	h.pass(time.Hour)
	for i, said := range []string{"五", "是", "1", "跳过"} {
		h.read(book, c.ID, 2*i+1)
		_, err := d.Say(t.Context(), c.ID, text.Said{Text: said, Client: said, From: c.Theirs})
		h.must(err)
	}
	want := []string{"感谢您联系我们，想请您评价这次服务。如不想参与，请回复“退出”。 / 请用1到5评分。", "> 五", "您还会再来吗？ / 1 是 / 2 否", "> 是", "最满意的是？ / 1 速度 / 2 manner", "> 1", "还有别的吗？", "> 跳过", "感谢您的评价。"}
	if got := h.read(book, c.ID, len(want)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if last, _ := h.kept(); answers(last.Answers) != "again=true best=speed score=5" || last.Partial || last.Channel != tandem.SMS || len(h.starts) != 1 {
		t.Errorf("%+v", last)
	}
}
