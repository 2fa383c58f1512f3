package text

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/store"
)

// lined waits in line, and asks something afterwards.
const lined = head + `start: line
steps:
  line:
    queue: { name: q, max_wait: 1h, offer: { callback: "1", chat: "2", sms: "3" } }
    next: { answered: more, callback: booked, else: end }
  booked: { say: { en: We call you. }, next: end }
  more:
    menu: { prompt: { en: "Cards or loans?" }, choices: [ { keys: "1", phrases: { en: [cards] }, go: cards }, { keys: "2", phrases: { en: [loans] }, go: end } ], tries: 2 }
    next: { no_input: end, no_match: end }
  cards: { say: { en: Here are cards. }, next: end }
`

// session is a conversation's session, as it is stored.
func (h *house) session(id tandem.ConversationID) flow.Session {
	h.Helper()
	data, _, err := h.db.Session(context.Background(), h.conv(id).Interaction)
	h.must(err)
	s, err := flow.Decode(data)
	h.must(err)
	return s
}

// line delivers something to a session in line.
func (h *house) line(id tandem.ConversationID, in flow.Input) {
	h.Helper()
	in.Serial = h.session(id).Wait.Serial
	h.deliver(h.conv(id).Interaction, in)
	h.eventually("it is taken", func() bool { return h.quiet(id) })
}

func third() flow.Input {
	return flow.Input{Kind: flow.InputPlace, Place: &flow.Place{Queue: "q", Position: 3, AtLeast: 2 * time.Minute, AtMost: 5 * time.Minute}}
}

func anna() flow.Input { return flow.Input{Kind: flow.InputServed, Text: "Anna"} }

func answered() flow.Input {
	return flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "answered"}}
}

// looks notes what a conversation's customer is shown beside messages.
func (h *house) looks(id tandem.ConversationID) func() []chat.Place {
	h.Helper()
	var mu sync.Mutex
	var seen []chat.Place
	sub, err := h.book.Subscribe(id, func(f chat.Frame) bool {
		if p, ok := f.(chat.Place); ok {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, p)
		}
		return true
	})
	h.must(err)
	h.Cleanup(sub.Close)
	return func() []chat.Place {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

func (h *house) reply(id tandem.ConversationID, client, text string) (chat.Entry, error) {
	return h.d.Reply(context.Background(), id, Reply{Agent: "anna", Display: "Anna", Client: client, Text: text})
}

// From the line to an agent and on with the flow: the place is shown, not sent; what is
// said meanwhile is kept and is nobody's answer.
func TestChatInLine(t *testing.T) {
	h := newHouse(t, lined)
	id := h.chat()
	seen := h.looks(id)
	h.open(id)
	h.line(id, third())
	h.say(id, "My card is gone.")
	if p, ok := h.d.Place(t.Context(), id, &flow.Place{Queue: "q", Position: 2}); !ok || p.Position != 2 || len(p.Offers) != 2 || p.Offers[1] != (chat.Offer{Keys: "3", What: "sms", Label: "Go on by text message"}) {
		t.Errorf("it stands at %+v", p)
	}
	if _, err := h.reply(id, "r0", "Hello?"); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("who does not serve may write: %v", err)
	}
	h.line(id, anna())
	h.say(id, "1")
	h.must(h.d.Typing(t.Context(), id, "Anna", true))
	first, err := h.reply(id, "r1", "Which card?")
	h.must(err)
	again, err := h.reply(id, "r1", "Which card?")
	h.must(err)
	if first.Message.Seq != again.Message.Seq || first.Message.From != tandem.SenderAgent || first.Message.Name != "Anna" || first.Message.Lang != "en" {
		t.Errorf("the reply is %+v, then %+v", first, again)
	}
	h.say(id, "2")
	h.crash()
	h.eventually("the line is asked again", func() bool { return h.quiet(id) && h.begins("Enqueue") == 2 })
	if p, _ := h.d.Place(t.Context(), id, nil); p == nil || !p.Served || p.Agent != "Anna" || len(p.Offers) > 0 {
		t.Errorf("after a crash it stands at %+v", p)
	}
	h.say(id, "cards")
	h.line(id, answered())
	h.talked(id, "> My card is gone.", "> 1", "Which card?", "> 2", "> cards", "Cards or loans? [cards|loans]")
	if _, err := h.reply(id, "r2", "Bye."); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("who serves no more may write: %v", err)
	}
	h.say(id, "1")
	h.talked(id, "> My card is gone.", "> 1", "Which card?", "> 2", "> cards", "Cards or loans? [cards|loans]", "> 1", "Here are cards.")
	all := seen()
	for i, want := range []string{"", "3 2m0s 5m0s", "Anna", ""} {
		if i >= len(all) {
			t.Fatalf("shown was %+v", all)
		}
		got := all[i]
		ok := map[int]bool{0: got.Queue == "q" && got.Position == 0, 1: got.Position == 3 && got.AtLeast == 2*time.Minute && got.AtMost == 5*time.Minute,
			2: got.Served && got.Agent == "Anna", 3: got.Queue == ""}[i]
		if !ok {
			t.Errorf("shown was %+v as number %d, want %q", got, i, want)
		}
	}
	if _, ok := h.d.Place(t.Context(), id, nil); ok {
		t.Error("it is in line for ever")
	}
}

// begins counts what the world was asked of a kind.
func (h *house) begins(what string) (n int) {
	for _, l := range h.world.noted() {
		if strings.HasPrefix(l, "begin flow."+what) {
			n++
		}
	}
	return n
}

// Who is transferred waits in line again, and is met once more.
func TestBackInLine(t *testing.T) {
	h := newHouse(t, lined)
	id := h.chat()
	h.open(id)
	h.line(id, anna())
	h.line(id, third())
	if p, ok := h.d.Place(t.Context(), id, nil); !ok || p.Served || p.Agent != "" || p.Position != 3 || len(p.Offers) != 2 {
		t.Errorf("it stands at %+v", p)
	}
	h.line(id, flow.Input{Kind: flow.InputServed, Text: "Bo"})
	h.line(id, flow.Input{Kind: flow.InputServed, Text: "Bo"})
	if p, _ := h.d.Place(t.Context(), id, nil); p == nil || p.Agent != "Bo" {
		t.Errorf("it stands at %+v", p)
	}
}

// By text the place is told once, and so is each agent.
func TestTextsInLine(t *testing.T) {
	for _, name := range []string{"", "Harbour Bank"} {
		h := newHouse(t, lined)
		h.d.o.Name = name
		id := h.texts()
		h.say(id, "hi")
		h.line(id, third())
		p := third()
		p.Place.Position = 2
		h.line(id, p)
		h.line(id, anna())
		h.line(id, p)
		h.line(id, anna())
		e, err := h.reply(id, "r1", "Hello.")
		h.must(err)
		if e.State != tandem.MessagePending {
			t.Errorf("the reply is %s", e.State)
		}
		h.line(id, answered())
		got := h.read(id)
		hello := "Anna here. Just answer this message."
		if name != "" {
			hello = "Anna from Harbour Bank here. Just answer this message."
		}
		if len(got) != 5 || !strings.Contains(got[1], "3") || !strings.HasSuffix(got[1], "1 Call me back / 2 Go on in chat") || got[2] != hello || got[3] != "Hello." {
			t.Errorf("it reads\n  %s", strings.Join(got, "\n  "))
		}
		letters, err := h.db.Outbox(context.Background())
		h.must(err)
		if len(letters) != 4 {
			t.Errorf("%d letters", len(letters))
		}
	}
}

// ruled is a refusal with its rule.
type ruled struct{}

func (ruled) Error() string   { return "the number wants no texts" }
func (ruled) Refusal() string { return "stop" }

// A reply that may not leave comes back with the rule, and is kept as what it is.
func TestReplyRefused(t *testing.T) {
	h := newHouse(t, lined)
	id := h.texts()
	h.say(id, "hi")
	h.line(id, anna())
	h.world.refuse = ruled{}
	for range 2 {
		e, err := h.reply(id, "r1", "Hello.")
		if tandem.CodeOf(err) != tandem.CodeForbidden || e.State != tandem.MessageFailed || e.Error != "stop" {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	_, err := h.reply(id, "r2", "Hello?")
	if r := (ruled{}); !errors.As(err, &r) {
		t.Errorf("the reason is lost: %v", err)
	}
	for _, r := range []Reply{{Agent: "anna"}, {Text: "hi"}} {
		if _, err := h.d.Reply(t.Context(), id, r); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%+v gives %v", r, err)
		}
	}
	found := false
	for _, e := range h.story(h.conv(id).Interaction).Events {
		found = found || e.Kind == tandem.EventReceipt && strings.Contains(string(e.Data), "stop: the number wants no texts")
	}
	if !found {
		t.Error("the journal does not have the rule")
	}
}

// An offer is taken by its word or its number; it is begun again after a crash, and its
// words are said. That it cannot be begun changes nothing.
func TestOffersTaken(t *testing.T) {
	h := newHouse(t, lined)
	h.world.begin = func(_ context.Context, r Ref, s flow.Session, e flow.Effect) ([]flow.Play, error) {
		switch e := e.(type) {
		case flow.Take:
			if s.Wait.Kind != flow.WaitQueue || s.Wait.Serial != e.Serial {
				t.Errorf("taken at %+v", s.Wait)
			}
			if e.What == "sms" && h.begins("Take sms") == 1 {
				return []flow.Play{words("Answer the text.")}, nil
			}
			return nil, errors.New("no way")
		}
		return nil, nil
	}
	id := h.chat()
	h.open(id)
	h.line(id, third())
	h.say(id, "Go on by text message")
	h.say(id, "1")
	h.say(id, "what?")
	h.talked(id, "> Go on by text message", "Answer the text.", "> 1", "> what?")
	h.crash()
	h.eventually("what was taken is begun again", func() bool { return h.begins("Take sms") == 2 && h.begins("Take callback") == 2 })
	h.talked(id, "> Go on by text message", "Answer the text.", "> 1", "> what?")
	h.line(id, flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "callback"}})
	h.talked(id, "> Go on by text message", "Answer the text.", "> 1", "> what?", "We call you.")
	if got := h.world.noted(); slices.Contains(got, "withdraw queue") {
		t.Errorf("the world was asked %q", got)
	}
}

// Whoever leaves the line gives up their place.
func TestLeavesTheLine(t *testing.T) {
	h := newHouse(t, lined)
	id := h.chat()
	h.open(id)
	in := h.conv(id).Interaction
	h.line(id, third())
	h.deliver(in, flow.Input{Kind: flow.InputLeft})
	h.ended(in)
	if got := h.world.noted(); !slices.Contains(got, "withdraw queue") {
		t.Errorf("the world was asked %q", got)
	}
}

// A caller in line who goes on in a chat is told there what it is, in their language.
func TestGoesOnFromACall(t *testing.T) {
	for lang, want := range map[string]string{"en": "We go on here from your phone call. Your place in line is kept.", "zh-CN": "我们在这里继续刚才的通话，您的排队位置已保留。"} {
		h := newHouse(t, strings.ReplaceAll(strings.Replace(lined, "languages: [en]", "languages: ["+lang+"]", 1), "{ en: ", "{ "+lang+": "))
		c, id := h.called("f"), h.chat()
		in := &flow.Input{Kind: flow.InputMoved, Serial: c.s.Wait.Serial, Channel: tandem.Chat}
		h.must(h.d.Adopt(t.Context(), id, c.s, in, Adopted{Interaction: c.id, From: c.leg}))
		if got := h.read(id); len(got) == 0 || got[0] != want {
			t.Errorf("in %s it reads %q", lang, got)
		}
	}
}

// A session in line moves from one conversation to another; the world is told.
func TestMovesInLine(t *testing.T) {
	h := newHouse(t, lined)
	var told []string
	h.d.o.InLine = func(_ context.Context, r Ref, s flow.Session) {
		told = append(told, string(r.Channel)+" "+string(s.Wait.Kind))
	}
	from, to := h.chat(), h.texts()
	left, come := h.looks(from), h.looks(to)
	h.open(from)
	h.line(from, third())
	in := h.conv(from).Interaction
	h.must(h.d.Deliver(t.Context(), in, flow.Input{Kind: flow.InputMoved, Serial: 99, Channel: tandem.SMS}))
	s, err := h.d.Release(t.Context(), in, nil)
	h.must(err)
	moved := flow.Input{Kind: flow.InputMoved, Serial: s.Wait.Serial, Channel: tandem.SMS}
	h.must(h.d.Adopt(t.Context(), to, s, &moved, Adopted{Interaction: in, Theirs: theirs}))
	if !slices.Equal(told, []string{"sms queue"}) {
		t.Errorf("the world was told %q", told)
	}
	if got := h.read(to); len(got) != 1 || !strings.Contains(got[0], "3") || !strings.HasSuffix(got[0], "1 Call me back / 2 Go on in chat") {
		t.Errorf("it reads %q", got)
	}
	if l, c := left(), come(); len(l) == 0 || l[len(l)-1].Queue != "" || len(c) != 1 || c[0].Position != 3 {
		t.Errorf("shown was %+v there and %+v here", l, c)
	}
	if s := h.session(to); s.Facts.Channel != tandem.SMS || s.Wait.Kind != flow.WaitQueue {
		t.Errorf("it waits in %+v", s.Wait)
	}
	h.line(to, anna())
	h.say(to, "My card is gone.")
	h.line(to, answered())
	if got := h.read(to); len(got) != 4 || !strings.HasPrefix(got[3], "Cards or loans?") {
		t.Errorf("it reads %q", got)
	}
}

// What comes for a session while it is between two conversations waits where nobody is; by
// the time it is looked at the session is there: it is not taken for one that is lost.
func TestServedOnTheWay(t *testing.T) {
	h := newHouse(t, lined)
	from, to := h.chat(), h.texts()
	h.open(from)
	h.line(from, third())
	in := h.conv(from).Interaction
	s, err := h.d.Release(t.Context(), in, nil)
	h.must(err)
	ln, err := h.d.lanes.enter(t.Context(), string(in))
	h.must(err)
	served := anna()
	served.Serial = s.Wait.Serial
	h.must(h.d.Deliver(t.Context(), in, served))
	h.must(h.d.Deliver(t.Context(), in, flow.Input{Kind: flow.InputPlace, Serial: 99})) // for a wait that is over
	moved := flow.Input{Kind: flow.InputMoved, Serial: s.Wait.Serial, Channel: tandem.SMS}
	h.must(h.d.Adopt(t.Context(), to, s, &moved, Adopted{Interaction: in, Theirs: theirs}))
	h.d.leave(t.Context(), ln)
	if story := h.story(in); !story.Interaction.Ended.IsZero() {
		t.Fatalf("it ended as %q", story.Interaction.Outcome)
	}
	h.eventually("the agent is there", func() bool { s := h.session(to); return s.Wait.Served && s.Facts.Channel == tandem.SMS })
}

const asked = head + `start: ask
steps:
  ask: { survey: { form: s, by: [chat] }, next: { done: thanks, else: end } }
  thanks: { say: { en: Thanks. }, next: later }
  later: { survey: { form: s, by: [sms, chat], after: 1h }, next: { done: bye, else: end } }
  bye: { ticket: { form: s, into: num, with: { stars: 1 } }, next: { opened: end } }
vars: { num: { type: text } }
`

// A survey is a talk where it can be answered here and now, and begun elsewhere else.
func TestSurveyAndTicket(t *testing.T) {
	h := newHouse(t, asked)
	h.world.talk = func(r Ref, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
		if _, ok := e.(flow.Survey); ok {
			return flow.Turn{Plays: []flow.Play{words("How many stars?")}, State: []byte("1"), Wait: flow.Wait{Kind: flow.WaitListen, Timeout: time.Hour}}, nil
		}
		if in.Text != "5" {
			return flow.Turn{Plays: []flow.Play{words("One to five.")}, State: s.World, Wait: flow.Wait{Kind: flow.WaitListen}}, nil
		}
		return flow.Turn{Done: &flow.Result{Outcome: "done"}}, nil
	}
	id := h.chat()
	h.open(id)
	in := h.conv(id).Interaction
	h.eventually("it asks", func() bool { return h.quiet(id) && len(h.read(id)) == 1 })
	h.say(id, "many")
	h.crash()
	h.say(id, "5")
	h.ended(in)
	h.talked(id, "How many stars?", "> many", "One to five.", "> 5", "Thanks.")
	if got := h.world.noted(); !slices.Contains(got, "begin flow.Survey f.later#1") || !slices.Contains(got, "begin flow.OpenTicket f.bye#1") || slices.Contains(got, "begin flow.Survey f.ask#1") {
		t.Errorf("the world was asked %q", got)
	}
}

// A flow of the program's own begins where nothing goes on, once.
func TestStart(t *testing.T) {
	for _, sms := range []bool{false, true} {
		h := newHouse(t, pick)
		id := h.chat()
		if sms {
			id = h.texts()
		}
		start := Starting{Interaction: tandem.NewID[tandem.InteractionID](h.place.Clock.Now(), h.random), Flow: "f", Library: h.world.library, Lang: "en", Theirs: theirs}
		if sms {
			h.world.refuse = ruled{}
			if err := h.d.Start(t.Context(), id, start); !errors.Is(err, ruled{}) {
				t.Errorf("a text that may not leave: %v", err)
			}
			h.world.refuse = nil
			if h.conv(id).Interaction != "" {
				t.Error("something is left of it")
			}
		}
		h.must(h.d.Start(t.Context(), id, start))
		if err := h.d.Start(t.Context(), id, start); !errors.Is(err, store.ErrDuplicate) {
			t.Errorf("twice: %v", err)
		}
		other := start
		other.Interaction = tandem.NewID[tandem.InteractionID](h.place.Clock.Now(), h.random)
		if err := h.d.Start(t.Context(), id, other); tandem.CodeOf(err) != tandem.CodeConflict {
			t.Errorf("beside another: %v", err)
		}
		if l := h.story(start.Interaction).Legs[0]; l.Inbound || sms && (l.To != theirs || l.From != ours) {
			t.Errorf("the leg is %+v", l)
		}
		h.crash()
		h.say(id, "loans")
		if s := h.ended(start.Interaction); s.Interaction.Outcome != "completed" {
			t.Errorf("it ended as %+v", s.Interaction)
		}
		want := []string{"Welcome.", "Cards or loans? [cards|loans]", "> loans", "Here are loans."}
		if sms {
			want = []string{"Welcome. / Cards or loans? / 1 cards / 2 loans", "> loans", "Here are loans."}
		}
		h.talked(id, want...)
		if err := h.d.Start(t.Context(), id, Starting{Interaction: "i"}); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("without a flow: %v", err)
		}
	}
}

// A level that was proved beside the flow is kept, and stands on the customer's leg, though
// nothing else of the session changes by it.
func TestAssuredWhileServed(t *testing.T) {
	h := newHouse(t, lined)
	id := h.chat()
	h.open(id)
	h.line(id, anna())
	in := h.conv(id).Interaction
	until := h.place.Clock.Now().Add(30 * time.Minute)
	if _, err := h.d.Tell(t.Context(), in, flow.Input{Kind: flow.InputAssured, Level: tandem.Proofed, Result: &flow.Result{Until: until}}); err != nil {
		t.Fatal(err)
	}
	h.crash() // what is kept is known
	for _, l := range h.story(in).Legs {
		if l.Assurance != tandem.Proofed || !l.AssuranceUntil.Equal(until) {
			t.Errorf("on the leg is %s until %v", l.Assurance, l.AssuranceUntil)
		}
	}
	if f := h.session(id).Facts; f.Assurance != tandem.Proofed {
		t.Errorf("the session knows of %s", f.Assurance)
	}
}
