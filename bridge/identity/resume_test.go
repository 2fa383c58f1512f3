package identity

import (
	"context"
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

var goOn = flow.Resume{Serial: 2, Step: "again", Lang: "en"}

func TestResumeByCode(t *testing.T) {
	w := newWorld(t)
	p := w.customer(phoneA)
	before := w.comes(tandem.Voice, phoneA, "")
	n := w.parks(before)
	w.pass(6 * 24 * time.Hour)
	who := w.comes(tandem.Chat, "", "")
	c := w.begin(who, goOn)
	c.hears("resume_ask")
	c.enter(n.String())
	c.hears("resume_sent")
	if l := w.last(); l.to.Value != phoneA || l.who.Interaction != before.Interaction || l.who.Customer != p {
		t.Errorf("sent %+v", l)
	}
	for _, p := range c.turn.Plays {
		if len(p.Parts) != 1 || strings.ContainsAny(p.Parts[0].Text, "0123456789") {
			t.Errorf("it shows where the code went: %+v", p)
		}
	}
	c.enter(w.last().code())
	c.hears("resume_found = found")
	if c.turn.Go != before.Interaction || c.turn.Assurance != tandem.Verified || !c.turn.Until.Equal(w.Now().Add(30*time.Minute)) || c.turn.Done.Phone != phoneA {
		t.Errorf("%+v", c.turn)
	}
	kinds, payloads := w.journal(before.Interaction)
	if !strings.HasSuffix(kinds, "code.sent customer.identified ") || !strings.Contains(payloads, `"to":"•••01"`) {
		t.Errorf("the earlier journal has %s\n%s", kinds, payloads)
	}
	if kinds, _ := w.journal(who.Interaction); strings.Contains(kinds, "code.sent") {
		t.Errorf("the present journal tells that there is such a number: %s", kinds)
	}
}

// Who is there beyond doubt needs no code, and nobody else is.
func TestResumeWithoutCode(t *testing.T) {
	w := newWorld(t)
	p := w.customer(phoneA)
	stranger := w.customer(phoneB)
	call := w.comes(tandem.Voice, phoneA, "")
	text := w.comes(tandem.SMS, phoneA, "")
	chat := w.comes(tandem.Chat, "", p)
	at := func(from Who, change func(*Who)) Who {
		now := w.comes(from.Channel, from.Caller, p)
		now.Conversation = from.Conversation
		change(&now)
		return now
	}
	same := func(*Who) {}
	for _, tt := range []struct {
		name  string
		n     tandem.Number
		who   Who
		level tandem.Assurance
		tied  bool
	}{
		{"the same conversation", w.parks(chat), at(chat, same), tandem.None, true},
		{"another conversation", w.parks(chat), at(chat, func(w *Who) { w.Conversation = "other" }), 0, false},
		{"the same conversation, another's customer", w.parks(chat), at(chat, func(w *Who) { w.Customer = stranger }), 0, false},
		{"the same number by text", w.parks(text), at(text, same), tandem.None, true},
		{"another number by text", w.parks(text), at(text, func(w *Who) { w.Caller = phoneB }), 0, false},
		{"a caller who is recognised", w.parks(call), at(call, func(w *Who) { w.Recognised = true }), tandem.Recognised, true},
		{"a caller who only says so", w.parks(call), at(call, same), 0, false},
		{"a recognised caller, a call of another number's", w.parks(call), at(call, func(w *Who) { w.Recognised, w.Caller = true, phoneB }), 0, false},
		{"a text to a call's number", w.parks(call), at(text, same), 0, false},
		{"a call to a text's number", w.parks(text), at(call, func(w *Who) { w.Recognised = true }), 0, false},
	} {
		c := w.begin(tt.who, goOn)
		c.enter(string(tt.n))
		if tt.tied != (c.turn.Go != "") || tt.tied && c.turn.Assurance != tt.level || tt.tied == strings.Contains(said(c.turn), "resume_sent") {
			t.Errorf("%s: %s, %+v", tt.name, said(c.turn), c.turn)
		}
		w.pass(61 * time.Minute) // the limits are not looked at here
	}
}

// What a stranger can see is the same whether a number is somebody's or not, whatever is
// entered: every turn, byte by byte, and how long it took.
func TestNumbersRevealNothing(t *testing.T) {
	kinds := []string{"nobody's", "another's", "too old", "erased", "without a phone", "it cannot be sent", "too many codes went there", "slow"}
	seeds := uint64(8)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 7))
		channel := []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS}[r.IntN(3)]
		script := make([]any, 14)
		for i := range script {
			switch r.IntN(8) {
			case 0:
				script[i] = "1"
			case 1:
				script[i] = time.Duration(r.IntN(100)) * time.Second
			case 2:
				script[i] = []string{"", "abc", "12345", "0 0 0", "１２"}[r.IntN(5)]
			case 3:
				script[i] = nil
			default:
				script[i] = fmt.Sprintf("%06d", r.IntN(1_000_000))
			}
		}
		var first []string
		for _, kind := range kinds {
			got := strangerSees(t, channel, kind, script)
			if first == nil {
				first = got
			}
			if strings.Join(got, "\n") != strings.Join(first, "\n") {
				t.Fatalf("seed %d, %s: %s sees\n%s\nbut %s sees\n%s", seed, channel, kinds[0], strings.Join(first, "\n"), kind, strings.Join(got, "\n"))
			}
		}
	}
}

func strangerSees(t *testing.T, channel tandem.Channel, kind string, script []any) (seenAll []string) {
	w := newWorld(t)
	w.customer(phoneA)
	before := w.comes(tandem.Voice, phoneA, "")
	if kind == "without a phone" {
		before = w.comes(tandem.Voice, "", "")
	}
	n := w.parks(before)
	from := "+8613900000009"
	if channel == tandem.Chat {
		from = ""
	}
	who := w.comes(channel, from, "")
	start := monday.Add(8 * 24 * time.Hour)
	if kind != "too old" {
		start = monday.Add(time.Hour)
	}
	switch kind {
	case "nobody's":
		n = "12345678906"
	case "erased":
		if err := w.db.Erase(t.Context(), before.Customer, "test", "test"); err != nil {
			t.Fatal(err)
		}
	case "it cannot be sent":
		w.refuse = errNo
	case "too many codes went there":
		w.now = start
		for i := range 5 {
			if _, err := w.desk.SendCode(t.Context(), "test", Who{Channel: tandem.Chat, Conversation: tandem.ConversationID(fmt.Sprint(i))}, w.desk.Phone(phoneA)); err != nil {
				t.Fatal(err)
			}
		}
	case "slow":
		w.slow = 400 * time.Millisecond
	}
	w.now = start
	w.sent = nil
	note := func(turn flow.Turn) {
		seenAll = append(seenAll, strings.ReplaceAll(seen(t, turn), string(before.Interaction), "GO"))
	}
	c := w.begin(who, goOn)
	note(c.turn)
	for _, do := range append([]any{string(n)}, script...) {
		if c.turn.Done != nil {
			break
		}
		at := w.Now()
		slept := len(w.slept)
		switch do := do.(type) {
		case nil:
			c.silence()
		case time.Duration:
			w.pass(do)
			continue
		case string:
			if len(w.sent) > 0 && do == w.last().code() {
				do = wrong(do)
			}
			c.enter(do)
		}
		took := w.Now().Sub(at)
		for _, d := range w.slept[slept:] {
			took += d
		}
		w.mu.Lock()
		w.now = at.Add(time.Second) // what is slow is no slower in the script
		w.mu.Unlock()
		note(c.turn)
		seenAll = append(seenAll, took.String())
	}
	if kind == "another's" && len(w.sent) == 0 {
		t.Error("no code was sent to somebody's phone")
	}
	if kind != "another's" && kind != "slow" && len(w.sent) != 0 {
		t.Errorf("%s: sent %d", kind, len(w.sent))
	}
	return seenAll
}

// Time is padded with the real clock, too.
func TestResumePadsTime(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Now, o.Sleep = time.Now, nil })
	w.now = time.Now()
	p := w.customer(phoneA)
	n := w.parks(w.comes(tandem.Voice, phoneA, p))
	for _, number := range []tandem.Number{n, "12345678906"} {
		c := w.begin(w.comes(tandem.Chat, "", ""), goOn)
		start := time.Now()
		c.enter(string(number))
		if took := time.Since(start); took < evenly || took > evenly+evenly/2 {
			t.Errorf("it took %v", took)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	if sleep(ctx, time.Hour); time.Since(start) > time.Minute {
		t.Error("it sleeps on")
	}
}

// Five wrong tries an hour: of one caller, of one address, over a restart; and then in
// the same words, even for the right number and its code.
func TestResumeTriesAreCounted(t *testing.T) {
	for _, channel := range []tandem.Channel{tandem.Voice, tandem.SMS, tandem.Chat} {
		t.Run(string(channel), func(t *testing.T) {
			w := newWorld(t)
			w.customer(phoneA)
			n := w.parks(w.comes(tandem.Voice, phoneA, ""))
			stranger := func() Who {
				if channel != tandem.Chat {
					return w.comes(channel, "13900000009", "")
				}
				return w.comes(channel, "", "") // a new visitor each time, at one address
			}
			c := w.begin(stranger(), goOn)
			c.enter(string(n))
			for range 2 {
				c.enter(wrong(w.last().code()))
			}
			c.enter(wrong(w.last().code()))
			c.hears("failed = failed")
			w.db.Close()
			w.open()
			c = w.begin(stranger(), goOn)
			c.enter(string(n))
			c.enter(wrong(w.last().code()))
			if channel == tandem.Voice {
				c.hears("code_wrong code_keys")
			}
			right := w.last().code()
			c.enter(wrong(right))
			c.hears("failed = failed") // the fifth
			w.sent = nil
			w.begin(stranger(), goOn).hears("failed = failed")
			if len(w.sent) != 0 {
				t.Error("it sends on")
			}
			other := w.comes(tandem.Voice, "13700000007", "")
			other.Address = "198.51.100.1"
			w.begin(other, goOn).hears("resume_ask")
			w.pass(61 * time.Minute)
			c = w.begin(stranger(), goOn)
			c.enter(string(n))
			c.enter(w.last().code())
			c.hears("resume_found = found")
		})
	}
}

// A right code is not taken when the tries were used up in another talk meanwhile.
func TestResumeTriesHoldAcrossTalks(t *testing.T) {
	w := newWorld(t)
	w.customer(phoneA)
	n := w.parks(w.comes(tandem.Voice, phoneA, ""))
	who := w.comes(tandem.Chat, "", "")
	first := w.begin(who, goOn)
	first.enter(string(n))
	right := w.last().code()
	for range 5 {
		c := w.begin(who, goOn)
		if c.turn.Done != nil {
			break
		}
		c.enter("12345678906")
		for c.turn.Done == nil {
			c.enter(wrong(right))
		}
	}
	first.enter(right)
	first.hears("failed = failed")
}

// It must still be there when the code comes.
func TestResumeLooksAgain(t *testing.T) {
	w := newWorld(t)
	w.customer(phoneA)
	before := w.comes(tandem.Voice, phoneA, "")
	n := w.parks(before)
	c := w.begin(w.comes(tandem.Chat, "", ""), goOn)
	c.enter(string(n))
	if err := w.db.Commit(t.Context(), &store.Change{EndSession: true, Events: []tandem.Event{tandem.NewEvent(before.Interaction, "", w.Now(), tandem.EventFlowEnded, "system", nil)}}); err != nil {
		t.Fatal(err)
	}
	c.enter(w.last().code())
	c.hears("code_wrong")
}

// The present interaction is no earlier one.
func TestResumeIsNotOfItself(t *testing.T) {
	w := newWorld(t)
	w.customer(phoneA)
	who := w.comes(tandem.SMS, phoneA, "")
	n := w.parks(who)
	c := w.begin(who, goOn)
	c.enter(string(n))
	if c.hears("resume_sent"); len(w.sent) != 0 {
		t.Errorf("sent %+v", w.sent)
	}
}

// After seven days a number is nobody's, and a session that is open counts from when it
// was stored.
func TestResumeEnds(t *testing.T) {
	for _, open := range []bool{false, true} {
		w := newWorld(t)
		w.customer(phoneA)
		before := w.comes(tandem.SMS, phoneA, "")
		n := w.parks(before)
		if open {
			story, _ := w.db.Interaction(t.Context(), string(before.Interaction))
			story.Interaction.State, story.Interaction.Ended = tandem.Open, time.Time{}
			if err := w.db.Commit(t.Context(), &store.Change{Interaction: &story.Interaction, Session: &store.SessionRecord{Data: []byte("{}"), At: w.Now()}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, tt := range []struct {
			after time.Duration
			sent  int
		}{{defaultReturn - time.Second, 1}, {time.Second, 0}} {
			w.pass(tt.after)
			w.sent = nil
			c := w.begin(w.comes(tandem.Chat, "", ""), goOn)
			c.enter(string(n))
			if c.hears("resume_sent"); len(w.sent) != tt.sent {
				t.Errorf("open %v, after %v: sent %d", open, tt.after, len(w.sent))
			}
		}
	}
}

// zeros makes every code 000000.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	if len(b) == 4 {
		clear(b)
		return 4, nil
	}
	return cryptorand.Read(b)
}

// A code that was told to nobody opens nothing: otherwise a stranger of many numbers could
// go on guessing when the phone's own limit has long been reached.
func TestAnUnsentCodeIsNoCode(t *testing.T) {
	for name, prevent := range map[string]func(w *world, n tandem.Number){
		"the phone has had too many": func(w *world, n tandem.Number) {
			for range codesPerNumberHour {
				w.begin(w.comes(tandem.Voice, "", ""), goOn).enter(string(n))
				w.pass(11 * time.Minute)
			}
		},
		"it cannot be sent": func(w *world, _ tandem.Number) { w.refuse = errNo },
	} {
		w := newWorld(t, func(o *Options) { o.Random = zeros{} })
		w.customer(phoneA)
		n := w.parks(w.comes(tandem.Voice, phoneA, ""))
		prevent(w, n)
		sent := len(w.sent)
		c := w.begin(w.comes(tandem.Chat, "", ""), goOn)
		c.enter(string(n))
		c.hears("resume_sent")
		if c.enter("000000"); len(w.sent) != sent || c.turn.Go != "" {
			t.Errorf("%s: %d codes were sent, and it hears %q", name, len(w.sent)-sent, said(c.turn))
		}
	}
}
