package sms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
)

func TestWish(t *testing.T) {
	for words, want := range map[string]string{
		"STOP": "STOP on", "stop": "STOP on", " Stop. ": "STOP on", "ＳＴＯＰ": "STOP on", "ｓｔｏｐ！": "STOP on", "“STOP”": "STOP on", "STOP\u200b": "STOP on",
		"\ufeffstop\r\n": "STOP on", "stop all": "STOP ALL on", "STOPALL": "STOPALL on", "unsubscribe": "UNSUBSCRIBE on", "Cancel": "CANCEL on", "end": "END on",
		"Quit!!!": "QUIT on", "退订": "退订 on", "【退订】": "退订 on", "　退订　": "退订 on", "退订。": "退订 on", "退訂": "退訂 on", "TD": "TD on", "td": "TD on", "ＴＤ": "TD on",
		"T": "T on", "t": "T on", "Ｔ。": "T on", "opt-out": "OPT-OUT on", "*stop*": "STOP on",
		"START": "START off", "start": "START off", "unstop": "UNSTOP off", "恢复": "恢复 off", "订阅": "订阅 off", "ＳＴＡＲＴ": "START off",
		"stop please": "", "please stop": "", "I want to stop": "", "退订吗": "", "我要退订": "", "S T O P": "", "T1": "", "help": "", "帮助": "", "": "", "...": "", "1": "",
		"stop" + strings.Repeat(" ", 100): "", "cancel my card": "", "don't stop": "",
	} {
		word, on := wish(words)
		got := word
		if word != "" {
			got += map[bool]string{true: " on", false: " off"}[on]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}

func FuzzWish(f *testing.F) {
	for _, s := range []string{"STOP", "退订", "Ｔ", "start.", "\xff", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		word, _ := wish(s)
		if word == "" {
			return
		}
		if again, _ := wish("！ " + strings.ToLower(word) + "。"); again != word && len(word) < 50 {
			t.Fatalf("%q is %q, which is %q", s, word, again)
		}
	})
}

func TestStopBeforeAnyFlow(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	waiting := text("k-waiting", theirs, "posted before the STOP")
	if err := o.post(t, waiting); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the provider doubles it
		if w := o.knock(t, door, inbound("m-1", "ｓｔｏｐ.")); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	o.knock(t, door, inbound("m-2", "退订")) // and once more
	if len(o.arrived) != 0 {
		t.Errorf("a flow saw %q", o.texts())
	}
	if len(o.stops) != 1 || !o.stops[0].On || o.stops[0].Word != "STOP" || o.stops[0].Ours != ours || o.stops[0].Theirs != theirs {
		t.Errorf("told %+v", o.stops)
	}
	if rule := ruled(t, o.post(t, text("k-after", theirs, "posted after it"))); rule != "stopped" {
		t.Errorf("after a STOP: %q", rule)
	}
	if rule := ruled(t, o.Allow(t.Context(), theirs)); rule != "stopped" {
		t.Errorf("Allow after a STOP: %q", rule)
	}
	o.deliver(t)
	got := o.gateway.sent()
	if len(got) != 1 || got[0].Text != "【Harbour Bank】您已退订，本号码不再给您发短信。回复“恢复”可重新接收。" || got[0].To != theirs || got[0].From != ours || got[0].Template != TemplateStopped {
		t.Fatalf("they got %+v", got)
	}
	if o.furthest("k-waiting") != tandem.MessageFailed {
		t.Errorf("the text that waited: %v", o.states("k-waiting"))
	}
	for _, r := range o.marks {
		if strings.HasPrefix(r.Key, answerPrefix) {
			t.Errorf("our own answer was marked: %+v", r)
		}
	}
	// What they write all the same is heard; it is only not answered by text.
	o.knock(t, door, inbound("m-3", "hello"))
	if got := o.texts(); len(got) != 1 || got[0] != "hello" {
		t.Errorf("arrived %q", got)
	}
	o.renew(t)
	if rule := ruled(t, o.Allow(t.Context(), theirs)); rule != "stopped" {
		t.Errorf("after a restart: %q", rule)
	}
	o.knock(t, door, inbound("m-4", "START"))
	if len(o.stops) != 2 || o.stops[1].On {
		t.Errorf("told %+v", o.stops)
	}
	if err := o.post(t, text("k-again", theirs, "again")); err != nil {
		t.Error(err)
	}
	o.deliver(t)
	if got := o.gateway.sent(); len(got) != 3 || got[1].Template != TemplateStarted || got[2].Text != "again" {
		t.Errorf("they got %+v", got)
	}
}

func TestStartOfSomebodyWhoNeverStopped(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	o.knock(t, door, inbound("m-1", "START"))
	o.knock(t, door, inbound("m-2", "HELP"))
	o.knock(t, door, inbound("m-3", "帮助"))
	if got := o.texts(); len(got) != 3 || len(o.stops) != 0 {
		t.Errorf("flows saw %q, told %v", got, o.stops)
	}
}

// A STOP is for the number it was sent to.
func TestStopIsOfOneNumber(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: "m-1", From: theirs, To: "95588", Text: "T"}}})
	if err := o.post(t, text("k-1", theirs, "from another number")); err != nil {
		t.Error(err)
	}
	m := text("k-2", theirs, "from that number")
	m.From = "95588"
	if rule := ruled(t, o.post(t, m)); rule != "stopped" {
		t.Errorf("from that number: %q", rule)
	}
}

func TestTheAnswerToAStopIsInTheirLanguage(t *testing.T) {
	o := newOffice(t, generous(), func(p *Options) {
		p.Policy.Allowed = func(string) (bool, string) { return true, "" }
		p.Name = ""
	})
	plainly(o.gateway)
	for i, c := range []struct{ from, word, want string }{
		{"+14155550100", "stop", "You will get no more texts from this number. Reply START to get them again."},
		{"+14155550101", "退订", "您已退订，本号码不再给您发短信。回复“恢复”可重新接收。"},
		{"+8613900000000", "STOP", "您已退订，本号码不再给您发短信。回复“恢复”可重新接收。"},
	} {
		o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: fmt.Sprint(i), From: c.from, To: ours, Text: c.word}}})
		o.deliver(t)
		got := o.gateway.sent()
		if len(got) != i+1 || got[i].Text != c.want || got[i].Parts() > 2 {
			t.Fatalf("%s from %s is answered by %+v", c.word, c.from, got[i:])
		}
	}
}

// If the event cannot be written the STOP is not done, and the provider brings it again.
func TestAStopIsAllOrNothing(t *testing.T) {
	fail := true
	o := newOffice(t, generous(), func(p *Options) {
		p.Stopped = func(context.Context, Stop) (store.Change, error) {
			if fail {
				return store.Change{With: func(store.Tx) error { return store.ErrUnavailable }}, nil
			}
			return store.Change{}, nil
		}
	})
	plainly(o.gateway)
	if w := o.knock(t, door, inbound("m-1", "STOP")); w.Code != 503 {
		t.Errorf("%d", w.Code)
	}
	if err := o.Allow(t.Context(), theirs); err != nil {
		t.Errorf("half of it was done: %v", err)
	}
	fail = false
	if w := o.knock(t, door, inbound("m-1", "STOP")); w.Code != 200 || ruled(t, o.Allow(t.Context(), theirs)) != "stopped" {
		t.Errorf("%d", w.Code)
	}
	if n := len(o.deliver(t)); n != 1 {
		t.Errorf("%d answers", n)
	}
}

// Whatever is wrong with the journal, who wants no texts gets none.
func TestAStopHoldsWithoutTheJournal(t *testing.T) {
	for name, stopped := range map[string]func(context.Context, Stop) (store.Change, error){
		"no interaction": func(context.Context, Stop) (store.Change, error) {
			return store.Change{Events: []tandem.Event{tandem.NewEvent("gone", "", time.Unix(1, 0), tandem.EventStopped, "caller", tandem.Stopped{})}}, nil
		},
		"erased": func(context.Context, Stop) (store.Change, error) { return store.Change{}, store.ErrErased },
		"invalid": func(context.Context, Stop) (store.Change, error) {
			return store.Change{Session: &store.SessionRecord{}}, nil
		},
	} {
		o := newOffice(t, generous(), func(p *Options) { p.Stopped = stopped })
		plainly(o.gateway)
		if w := o.knock(t, door, inbound("m-1", "STOP")); w.Code != 200 || ruled(t, o.Allow(t.Context(), theirs)) != "stopped" {
			t.Errorf("%s: %d", name, w.Code)
		}
		if n := len(o.deliver(t)); n != 1 {
			t.Errorf("%s: %d answers", name, n)
		}
	}
}

// A provider that keeps a list of its own refuses; from then on we do too.
func TestAProviderThatStopsThem(t *testing.T) {
	o := newOffice(t, generous())
	if err := o.post(t, text("k-1", theirs, "hello")); err != nil {
		t.Fatal(err)
	}
	o.gateway.err = ErrStopped
	if errs := o.deliver(t); len(errs) != 1 || !errors.Is(errs[0], outbox.ErrPermanent) || o.furthest("k-1") != tandem.MessageFailed {
		t.Errorf("%v, marked %v", errs, o.marks)
	}
	if rule := ruled(t, o.Allow(t.Context(), theirs)); rule != "stopped" {
		t.Errorf("then: %q", rule)
	}
}

// Somebody whom we may not text has their wish kept, and gets no answer.
func TestAStopByWhomWeMayNotText(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	const premium = "+8616868123456"
	w := o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: "m-1", From: premium, To: ours, Text: "STOP"}}})
	if w.Code != 200 || len(o.deliver(t)) != 0 || len(o.stops) != 1 {
		t.Errorf("%d, told %v", w.Code, o.stops)
	}
	err := o.db.View(t.Context(), func(tx store.Tx) error {
		stopped, err := o.stopped(tx, ours, premium)
		if !stopped {
			t.Error("it is not kept")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Whoever is at the cap of their number hears that their STOP was heard, once.
func TestAStopAtTheCap(t *testing.T) {
	p := generous()
	p.PerNumberPerHour, p.PerNumberPerDay = 1, 1
	o := newOffice(t, p)
	plainly(o.gateway)
	const them = "+8613800138000"
	for i, text := range []string{"STOP", "START", "STOP"} {
		w := o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: fmt.Sprint("m-", i), From: them, To: ours, Text: text}}})
		if w.Code != 200 {
			t.Fatal(w.Code)
		}
	}
	if n := len(o.deliver(t)); n != 2 {
		t.Errorf("%d answers, want the first and one more", n)
	}
	if len(o.stops) != 3 {
		t.Errorf("told %v", o.stops)
	}
}

// A STOP that is brought again after a START does not stop again.
func TestAnOldStopIsNotHeededTwice(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	o.knock(t, door, inbound("m-1", "STOP"))
	o.knock(t, door, inbound("m-2", "START"))
	o.renew(t)
	for _, id := range []string{"m-1", "m-2", "m-1"} {
		if w := o.knock(t, door, inbound(id, map[string]string{"m-1": "STOP", "m-2": "START"}[id])); w.Code != 200 {
			t.Errorf("%s again: %d", id, w.Code)
		}
	}
	if err := o.Allow(t.Context(), theirs); err != nil || len(o.stops) != 2 || len(o.arrived) != 0 {
		t.Errorf("%v, told %v", err, o.stops)
	}
}

// Where the provider answers a STOP itself it refuses our answer: that is no failure.
func TestAProviderThatAnswersAStopItself(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	o.gateway.err = ErrStopped
	o.knock(t, door, inbound("m-1", "STOP"))
	if errs := o.deliver(t); len(errs) != 1 || errs[0] != nil || len(o.marks) != 0 {
		t.Errorf("%v, marked %v", errs, o.marks)
	}
}

// Nothing that strangers can cause hands a forbidden text to a gateway.
func TestNoForbiddenTextLeaves(t *testing.T) {
	policy := generous()
	policy.PerNumberPerHour, policy.PerHour, policy.PartsPerDay = 4, 20, 40
	o := newOffice(t, policy)
	plainly(o.gateway)
	answers := 0
	o.o.Arrived = func(_ context.Context, in Inbound) error { // a flow that answers everything, whoever writes
		answers++
		m := Message{Key: fmt.Sprintf("answer-%d", answers), From: in.To, To: in.From, Text: "We have got your text."}
		_ = o.post(t, m)
		return nil
	}
	o.renew(t)
	allowed := func(m Message) bool {
		ok, _ := policy.Allowed(m.To)
		return ok && m.From == ours
	}

	t.Run("premium numbers", func(t *testing.T) {
		for i, from := range []string{"+8616868123", "+86 168 6812 3", "008616868123", "+9791234567", "+19005550100"} {
			for _, words := range []string{"hello", "STOP", "START", "T"} {
				o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: fmt.Sprint("p", i, words), From: from, To: ours, Text: words}}})
			}
		}
	})
	t.Run("numbers that are written oddly", func(t *testing.T) {
		for i, to := range []string{"", "+", "13800000001", "+86\x00138", "+8613800000001;ext=5", "+8613800000001,+19005550100", "sip:a@b", "+８６138", ours, "95588", "whatsapp:+8613800000001"} {
			if o.post(t, text(fmt.Sprintf("odd-%d", i), to, "hello")) == nil {
				t.Errorf("a text to %q was taken", to)
			}
		}
	})
	t.Run("a sender that is not ours", func(t *testing.T) {
		m := text("spoof", theirs, "hello")
		for _, m.From = range []string{"", "+861012345678", "BANK"} {
			if rule := ruled(t, o.post(t, m)); rule != "sender" {
				t.Errorf("from %q: %q", m.From, rule)
			}
		}
	})
	t.Run("letters that nobody counted", func(t *testing.T) {
		for _, m := range []Message{text("sneaked-1", "+19005550100", "x"), text("sneaked-2", "+8616868123", "x"), {Key: "sneaked-3", From: "BANK", To: theirs, Text: "x"}} {
			if err := o.Deliver(t.Context(), o.Letter(m)); !errors.Is(err, outbox.ErrPermanent) {
				t.Errorf("%s: %v", m.Key, err)
			}
		}
		for _, body := range []string{"", "null", "[]", `{"key":"other","from":"` + ours + `","to":"` + theirs + `","text":"x"}`} {
			if err := o.Deliver(t.Context(), store.Outgoing{Key: "k", Kind: Kind, Body: []byte(body)}); !errors.Is(err, outbox.ErrPermanent) {
				t.Errorf("%s: %v", body, err)
			}
		}
	})
	t.Run("a forged webhook", func(t *testing.T) {
		before := answers
		for i := range 50 {
			o.knock(t, door, inbound(fmt.Sprint("forged", i), "hello"), func(r *http.Request) { r.Header.Del("signed"); r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i) })
		}
		if answers != before {
			t.Error("a flow ran")
		}
	})
	t.Run("a flood", func(t *testing.T) {
		for i := range 300 {
			from := fmt.Sprintf("+86139000000%02d", i%30)
			o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: fmt.Sprint("f", i), From: from, To: ours, Text: []string{"hello", "STOP", "START"}[i%3]}}})
			o.clock.Add(time.Second)
		}
	})
	t.Run("one who stopped", func(t *testing.T) {
		o.clock.Add(25 * time.Hour)
		o.knock(t, door, inbound("s-1", "STOP"))
		for i := range 10 {
			o.knock(t, door, inbound(fmt.Sprint("s-x", i), "hello"))
		}
	})
	for range 3 {
		o.deliver(t)
		o.clock.Add(2 * time.Minute)
	}
	perNumber, parts := map[string]int{}, 0
	for _, m := range o.gateway.sent() {
		if !allowed(m) {
			t.Errorf("to %s from %s: %s", m.To, m.From, m.Text)
		}
		perNumber[m.To]++
		parts += m.Parts()
	}
	if got := perNumber[theirs]; got != 1 {
		t.Errorf("who stopped got %d texts, not the confirmation alone", got)
	}
	for number, n := range perNumber {
		if n > policy.PerNumberPerHour {
			t.Errorf("%s got %d texts", number, n)
		}
	}
	if n := len(o.gateway.sent()); n > 2*policy.PerHour || n < 10 || parts > 2*policy.PartsPerDay {
		t.Errorf("%d texts, %d parts", n, parts)
	}
}
