package identity

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// A caller whose number is only a hint gets the code there, keys it in, and is known by
// the number from then on.
func TestCallerIsIdentified(t *testing.T) {
	w := newWorld(t)
	who := w.comes(tandem.Voice, "13800000001", "")
	if _, level, err := w.desk.Recognise(t.Context(), "13800000001", true); err != nil || level != tandem.None {
		t.Errorf("before: %v, %v", level, err)
	}
	c := w.begin(who, byCode)
	c.hears("code_sent code_keys")
	if c.turn.Plays[0].Parts[1].Value != "01" || c.turn.Digits != 6 {
		t.Errorf("it says %+v", c.turn)
	}
	l := w.last()
	if l.to.Value != phoneA || !strings.Contains(l.Text, l.code()) || l.who.Interaction != who.Interaction {
		t.Errorf("sent: %+v", l)
	}
	c.enter(wrong(l.code()))
	c.hears("code_wrong code_keys")
	c.enter(l.code())
	c.hears("passed known = passed")
	if d := c.turn.Done; !d.Until.Equal(monday.Add(30*time.Minute)) || d.Phone != phoneA || d.Value != nil || c.turn.Assurance != tandem.Verified || !c.turn.Until.Equal(d.Until) {
		t.Errorf("%+v %+v", c.turn, d)
	}
	for _, tt := range []struct {
		number  string
		trusted bool
		want    tandem.Assurance
	}{{"13800000001", true, tandem.Recognised}, {phoneA, true, tandem.Recognised}, {phoneA, false, tandem.None}, {phoneB, true, tandem.None}, {"", true, tandem.None}} {
		id, level, err := w.desk.Recognise(t.Context(), tt.number, tt.trusted)
		if err != nil || level != tt.want || (id == who.Customer) != (tt.number != phoneB && tt.number != "") {
			t.Errorf("%+v: %q %v %v", tt, id, level, err)
		}
	}
	kinds, payloads := w.journal(who.Interaction)
	if !strings.HasSuffix(kinds, "code.sent customer.bound customer.identified ") || strings.Contains(payloads, l.code()) || strings.Count(payloads, phoneA) != 1 {
		t.Errorf("the journal has %s\n%s", kinds, payloads)
	}
	// The next time nothing is bound any more, and a used code is worth nothing.
	c = w.begin(w.comes(tandem.Voice, "13800000001", ""), byCode)
	c.enter(l.code())
	c.hears("code_wrong code_keys")
	c.enter(w.last().code())
	c.hears("passed = passed")
}

// A code goes to nothing that is not bound, or was not proved.
func TestWhereCodesGo(t *testing.T) {
	w := newWorld(t)
	p := w.customer(phoneA)
	for _, tt := range []struct {
		name string
		who  Who
		want string
	}{
		{"to the proved number of a customer in a chat", Who{Channel: tandem.Chat, Conversation: "c1", Customer: p}, phoneA},
		{"to the number at hand first", w.comes(tandem.SMS, phoneA, ""), phoneA},
		{"to the proved one where the one at hand is not theirs", Who{Channel: tandem.Voice, Caller: phoneB, Customer: p}, phoneA},
		{"to nobody", w.comes(tandem.Voice, "", ""), ""},
		{"to no name", w.comes(tandem.Voice, "alice", ""), ""},
		{"to no number of a chat that is a hint", Who{Channel: tandem.Chat, Conversation: "c2", Customer: w.comes(tandem.Voice, phoneB, "").Customer}, ""},
	} {
		w.sent = nil
		if tt.who.Interaction == "" {
			at := w.comes(tandem.Voice, "", "")
			tt.who.Interaction, tt.who.Leg = at.Interaction, at.Leg
		}
		c := w.begin(tt.who, byCode)
		switch {
		case tt.want == "" && (len(w.sent) != 0 || c.turn.Done == nil && c.turn.Plays[0].Name != "identity_phone_ask"):
			t.Errorf("%s: %s, sent %+v", tt.name, said(c.turn), w.sent)
		case tt.want != "" && w.last().to.Value != tt.want:
			t.Errorf("%s: sent %+v", tt.name, w.sent)
		}
	}
}

// The way up for a visitor nobody knows: a number, a code, a customer.
func TestVisitorProvesANumber(t *testing.T) {
	w := newWorld(t)
	p := w.customer(phoneA)
	who := w.comes(tandem.Chat, "", "")
	if who.Customer == p {
		t.Fatal("the visitor is the customer already")
	}
	c := w.begin(who, byCode)
	c.hears("phone_ask")
	c.enter("１３８ 0000 0001")
	c.hears("code_sent")
	if len(c.turn.Wait.Options) != 2 || c.turn.Wait.Options[0].Label != "Send it again" {
		t.Errorf("%+v", c.turn.Wait)
	}
	c.enter(w.last().code())
	c.hears("passed bound merged = passed")
	if c.turn.Done.Value != string(p) || c.turn.Done.Phone != phoneA {
		t.Errorf("%+v", c.turn.Done)
	}
	kinds, payloads := w.journal(who.Interaction)
	if !strings.HasSuffix(kinds, "code.sent customer.bound customer.merged customer.identified ") || !strings.Contains(payloads, string(p)) {
		t.Errorf("the journal has %s\n%s", kinds, payloads)
	}
	person, err := w.db.Person(t.Context(), who.Customer)
	if err != nil || len(person) != 2 || person[0] != p {
		t.Errorf("the person is %v, %v", person, err)
	}
	all, err := w.desk.Bindings(t.Context(), p)
	if err != nil || len(all) != 2 || all[1].Identity != Account(who.Conversation, "") || all[1].Checked.IsZero() {
		t.Errorf("bound: %+v, %v", all, err)
	}

	// It is undone, merge and all, once.
	if err := w.desk.Undo(t.Context(), who.Customer, all[1].Identity, "anna", "mistyped"); err != nil {
		t.Fatal(err)
	}
	if person, _ := w.db.Person(t.Context(), who.Customer); len(person) != 1 {
		t.Errorf("still one person: %v", person)
	}
	if all, _ := w.desk.Bindings(t.Context(), p); len(all) != 1 || all[0].Identity.Value != phoneA {
		t.Errorf("still bound: %+v", all)
	}
	if err := w.desk.Undo(t.Context(), p, all[1].Identity, "anna", "mistyped"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("undoing it twice: %v", err)
	}
}

// merged is a chat that had an account before: the merge that came with the binding is
// undone with it.
func TestUndoGivesBack(t *testing.T) {
	w := newWorld(t)
	p := w.customer(phoneA)
	who := w.comes(tandem.Chat, "", "")
	account := Account(who.Conversation, "")
	if err := w.desk.Bind(t.Context(), who, account, "test"); err != nil {
		t.Fatal(err)
	}
	c := w.begin(who, byCode)
	c.enter(phoneA)
	c.enter(w.last().code())
	c.hears("passed bound merged = passed")
	if b, _, _ := w.db.CustomerOf(t.Context(), account); b.Customer != p || b.From != who.Customer {
		t.Errorf("bound as %+v", b)
	}
	if err := w.desk.Undo(t.Context(), p, account, "anna", "mistyped"); err != nil {
		t.Fatal(err)
	}
	b, _, err := w.db.CustomerOf(t.Context(), account)
	if person, _ := w.db.Person(t.Context(), p); err != nil || b.Customer != who.Customer || len(person) != 1 {
		t.Errorf("after: %+v, %v, %v", b, person, err)
	}
	kinds := ""
	for _, id := range []tandem.CustomerID{p, who.Customer} {
		list, _ := w.db.List(t.Context(), store.Filter{Customer: id})
		for _, s := range list {
			k, _ := w.journal(s.ID)
			kinds += k
		}
	}
	if !strings.Contains(kinds, "customer.unbound customer.unmerged") {
		t.Errorf("the journals have %s", kinds)
	}
}

// A number that nobody has comes to the visitor's own customer; one who is known by other
// things too is not merged into anybody.
func TestWhoIsBoundToWhom(t *testing.T) {
	w := newWorld(t)
	who := w.comes(tandem.Chat, "", "")
	c := w.begin(who, byCode)
	c.enter(phoneB)
	c.enter(w.last().code())
	c.hears("passed bound = passed")
	if all, _ := w.desk.Bindings(t.Context(), who.Customer); len(all) != 2 || c.turn.Done.Value != nil {
		t.Errorf("bound: %+v, %+v", all, c.turn.Done)
	}

	p := w.customer(phoneA)
	other := w.comes(tandem.Chat, "", "")
	if err := w.desk.Bind(t.Context(), other, tandem.Identity{Kind: tandem.IdentityEmail, Value: "li@bank.example"}, "test"); err != nil {
		t.Fatal(err)
	}
	c = w.begin(other, byCode)
	c.enter(phoneA)
	c.enter(w.last().code())
	c.hears("passed bound = passed")
	person, _ := w.db.Person(t.Context(), other.Customer)
	if b, _, _ := w.db.CustomerOf(t.Context(), Account(other.Conversation, "")); len(person) != 1 || b.Customer != p || c.turn.Done.Value != string(p) {
		t.Errorf("person %v, bound %+v", person, b)
	}
	if all, err := w.desk.Bindings(t.Context(), p); err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestSendingFails(t *testing.T) {
	w := newWorld(t)
	w.customer(phoneA)
	who := w.comes(tandem.Voice, phoneA, "")
	w.refuse = errNo
	w.begin(who, byCode).hears("too_many = failed")
	w.refuse = store.ErrUnavailable
	if _, err := w.desk.Begin(t.Context(), who, byCode); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a store that fails is no way of failing: %v", err)
	}
	if kinds, _ := w.journal(who.Interaction); strings.Contains(kinds, "code.sent") {
		t.Errorf("the journal has %s", kinds)
	}
}

// Nothing on disk gives a code, a number or a PIN away.
func TestOnlyHashesAreKept(t *testing.T) {
	w := newWorld(t)
	w.customer(phoneA)
	c := w.begin(w.comes(tandem.Voice, phoneA, ""), byCode)
	secret := w.last().code()
	if strings.Contains(string(c.turn.State), secret) {
		t.Error("the state has the code")
	}
	c.enter("314159")
	w.db.Close()
	files, err := filepath.Glob(filepath.Join(w.dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			continue // a folder
		}
		for _, s := range []string{secret, "314159", phoneA, phoneA[3:]} {
			if bytes.Contains(content, []byte(s)) {
				t.Errorf("%s has %q", filepath.Base(name), s)
			}
		}
	}
}

// A code is kept over a restart, with its tries.
func TestCodesOutliveTheProgram(t *testing.T) {
	w := newWorld(t)
	id, err := w.desk.SendCode(t.Context(), "callback", Who{Channel: tandem.Chat, Conversation: "c1", Address: "192.0.2.1", Lang: "zh-CN"}, tandem.Identity{Kind: tandem.IdentityPhone, Value: "13800000001"})
	if err != nil || !id.For("callback") || id.For("link") || w.last().to.Value != phoneA || w.last().Lang != "zh-CN" {
		t.Fatalf("%q, %v, %+v", id, err, w.sent)
	}
	code := w.last().code()
	try := func(typed string, want bool, left int) {
		t.Helper()
		if ok, n, err := w.desk.CheckCode(t.Context(), id, typed); err != nil || ok != want || n != left {
			t.Errorf("%q: %v, %d left, %v", typed, ok, n, err)
		}
	}
	try("12", false, 3)
	try(wrong(code), false, 2)
	w.db.Close()
	w.open()
	try(wrong(code), false, 1)
	try(" "+code[:3]+" "+code[3:], true, 0)
	try(code, false, 0) // it is used up
	for name, spoil := range map[string]func(CheckID, string){
		"worn out": func(id CheckID, code string) {
			for range 3 {
				w.desk.CheckCode(t.Context(), id, wrong(code))
			}
		},
		"too old": func(CheckID, string) { w.pass(5 * time.Minute) },
	} {
		if id, err = w.desk.SendCode(t.Context(), "link", Who{Channel: tandem.Chat, Conversation: "c2"}, w.desk.Phone(phoneA)); err != nil {
			t.Fatal(err)
		}
		spoil(id, w.last().code())
		if ok, left, err := w.desk.CheckCode(t.Context(), id, w.last().code()); ok || left != 0 || err != nil {
			t.Errorf("%s: %v, %d, %v", name, ok, left, err)
		}
	}
	if ok, _, err := w.desk.CheckCode(t.Context(), "link.none", "123456"); ok || err != nil {
		t.Errorf("no code: %v, %v", ok, err)
	}
}

// The code of one talk is not right in another.
func TestCodesAreTheTalksOwn(t *testing.T) {
	w := newWorld(t)
	w.customer(phoneA)
	w.customer(phoneB)
	a := w.begin(w.comes(tandem.Voice, phoneA, ""), byCode)
	code := w.last().code()
	b := w.begin(w.comes(tandem.Voice, phoneB, ""), byCode)
	if code == w.last().code() {
		t.Skip("one in a million")
	}
	b.enter(code)
	b.hears("code_wrong code_keys")
	a.enter(code)
	a.hears("passed = passed")
}

func TestLevelHoldsAsConfigured(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Holds = time.Hour })
	w.customer(phoneA)
	c := w.begin(w.comes(tandem.SMS, phoneA, ""), byCode)
	c.enter(w.last().code())
	if c.hears("passed = passed"); !c.turn.Done.Until.Equal(monday.Add(time.Hour)) {
		t.Errorf("%+v", c.turn.Done)
	}
}

func TestPurposeOfTalks(t *testing.T) {
	w := newWorld(t)
	w.customer(phoneA)
	c := w.begin(w.comes(tandem.SMS, phoneA, ""), byCode)
	talk, err := decode(c.turn.State)
	if err != nil || !talk.Check.For("identify") || talk.Check.For("resume") {
		t.Errorf("%+v, %v", talk, err)
	}
	if w.last().Template != "code" || w.last().Key == "" {
		t.Errorf("%+v", w.last())
	}
}
