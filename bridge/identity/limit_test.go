package identity

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// Whatever strangers do, by whatever way, from wherever: no number gets more than its
// codes, no visitor and no address causes more than theirs, and nothing is sent that was
// not counted first.
func TestNobodyIsTextedMoreThanTheLimits(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		r := mathrand.New(mathrand.NewPCG(seed, 1))
		w := newWorld(t)
		targets := []string{phoneA, phoneB, "+8613700000003"}
		var numbers []tandem.Number
		for _, p := range targets {
			w.customer(p)
			numbers = append(numbers, w.parks(w.comes(tandem.Voice, p, "")))
		}
		type cause struct {
			at                time.Time
			to, visitor, from string
		}
		var all []cause
		var visitors []Who
		for i := range 6 {
			v := w.comes(tandem.Chat, "", "")
			v.Address = []string{"192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::ffff:2", "[2001:db8:0:0:9::3]:443", "::ffff:192.0.2.1"}[i]
			visitors = append(visitors, v)
		}
		net := []string{"a", "a", "b", "b", "b", "a"}
		for range 250 {
			i, n := r.IntN(len(visitors)), r.IntN(len(targets))
			who := visitors[i]
			w.sent = nil
			switch r.IntN(4) {
			case 0:
				c := w.begin(who, byCode)
				if c.turn.Done == nil {
					c.enter(targets[n])
				}
			case 1:
				c := w.begin(who, goOn)
				if c.turn.Done == nil {
					c.enter(string(numbers[n]))
				}
				for range 3 {
					if w.pass(61 * time.Second); c.turn.Done == nil {
						c.enter("1")
					}
				}
			default:
				_, err := w.desk.SendCode(t.Context(), "callback", who, w.desk.Phone(targets[n]))
				var refused *Refused
				if err != nil && !errors.As(err, &refused) {
					t.Fatal(err)
				}
			}
			for _, l := range w.sent {
				all = append(all, cause{w.Now(), l.to.Value, fmt.Sprint(i), net[i]})
			}
			w.pass(time.Duration(r.IntN(900)) * time.Second)
		}
		if len(all) < 20 {
			t.Fatalf("only %d codes were sent", len(all))
		}
		for _, tt := range []struct {
			what   string
			of     func(cause) string
			most   int
			within time.Duration
		}{
			{"number", func(c cause) string { return c.to }, 5, time.Hour},
			{"number", func(c cause) string { return c.to }, 10, 24 * time.Hour},
			{"visitor", func(c cause) string { return c.visitor }, 5, time.Hour},
			{"address", func(c cause) string { return c.from }, 10, time.Hour},
		} {
			for i, c := range all {
				n := 0
				for _, d := range all[:i+1] {
					if tt.of(d) == tt.of(c) && c.at.Sub(d.at) < tt.within-5*time.Minute { // a resend is noted late
						n++
					}
				}
				if n > tt.most {
					t.Fatalf("seed %d: one %s: %d codes within %v", seed, tt.what, n, tt.within)
				}
			}
		}
	}
}

func TestRefusedSaysWhichLimit(t *testing.T) {
	for _, tt := range []struct {
		rule string
		who  func(i int) Who
		to   func(i int) string
		most int
	}{
		{"number", func(i int) Who { return Who{Channel: tandem.Chat, Conversation: tandem.ConversationID(fmt.Sprint(i))} }, func(int) string { return phoneA }, 5},
		{"visitor", func(int) Who { return Who{Channel: tandem.Chat, Conversation: "c"} }, func(i int) string { return fmt.Sprintf("+861380000%04d", i) }, 5},
		{"visitor", func(int) Who { return Who{Channel: tandem.Voice, Caller: "13900000009"} }, func(i int) string { return fmt.Sprintf("+861380000%04d", i) }, 5},
		{"visitor", func(i int) Who { return Who{Channel: tandem.Voice, Interaction: tandem.InteractionID(fmt.Sprint(i))} }, func(i int) string { return fmt.Sprintf("+861380000%04d", i) }, 5}, // withheld
		{"address", func(i int) Who {
			return Who{Channel: tandem.Chat, Conversation: tandem.ConversationID(fmt.Sprint(i)), Address: fmt.Sprintf("2001:db8::%x", i)}
		}, func(i int) string { return fmt.Sprintf("+861380000%04d", i) }, 10},
	} {
		w := newWorld(t, func(o *Options) { o.Promise = nil })
		for i := range tt.most + 2 {
			who := tt.who(i)
			who.Interaction = "" // nothing is noted
			_, err := w.desk.SendCode(t.Context(), "test", who, w.desk.Phone(tt.to(i)))
			var refused *Refused
			if i < tt.most && err != nil || i >= tt.most && (!errors.As(err, &refused) || refused.Rule != tt.rule) {
				t.Errorf("%s, code %d: %v", tt.rule, i+1, err)
			}
		}
		if len(w.sent) != tt.most {
			t.Errorf("%s: sent %d", tt.rule, len(w.sent))
		}
		w.db.Close()
		w.open(func(o *Options) { o.Promise = nil }) // a restart forgets nothing
		if _, err := w.desk.SendCode(t.Context(), "test", tt.who(0), w.desk.Phone(tt.to(0))); err == nil {
			t.Errorf("%s: one more after a restart", tt.rule)
		}
		if w.pass(61 * time.Minute); tt.rule == "number" {
			for i := range 6 { // ten in a day
				who := tt.who(100 + i)
				if _, err := w.desk.SendCode(t.Context(), "test", who, w.desk.Phone(phoneA)); (err == nil) != (i < 5) {
					t.Errorf("code %d of the day: %v", i+6, err)
				}
			}
			w.pass(2 * time.Hour)
			if _, err := w.desk.SendCode(t.Context(), "test", tt.who(200), w.desk.Phone(phoneA)); err == nil {
				t.Error("an eleventh in a day")
			}
			w.pass(24 * time.Hour)
			if _, err := w.desk.SendCode(t.Context(), "test", tt.who(201), w.desk.Phone(phoneA)); err != nil {
				t.Errorf("the next day: %v", err)
			}
		}
	}
}

// What takes no code is refused before anything is counted.
func TestSendCodeRefusesWhatIsNoNumber(t *testing.T) {
	w := newWorld(t)
	for _, to := range []tandem.Identity{
		{Kind: tandem.IdentityPhone, Value: "95599"}, {Kind: tandem.IdentityPhone, Value: ""}, {Kind: tandem.IdentityPhone, Value: "+86 10 6666 8888"},
		{Kind: tandem.IdentityEmail, Value: "li@bank.example"}, {Kind: tandem.IdentityChat, Value: "wechat:1"}, {},
	} {
		if _, err := w.desk.SendCode(t.Context(), "test", Who{Channel: tandem.Chat, Conversation: "c"}, to); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%+v: %v", to, err)
		}
	}
	rows := 0
	err := w.db.View(t.Context(), func(tx store.Tx) error {
		return tx.Each("SELECT 1 FROM code_try UNION ALL SELECT 1 FROM check_code", func(store.Row) error { rows++; return nil })
	})
	if err != nil || rows != 0 || len(w.sent) != 0 {
		t.Errorf("%d rows, %v, sent %+v", rows, err, w.sent)
	}
}

// What is past goes, so that the tables stay small.
func TestOldTriesGo(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		who := Who{Channel: tandem.Chat, Conversation: tandem.ConversationID(fmt.Sprint(i))}
		if _, err := w.desk.SendCode(t.Context(), "test", who, w.desk.Phone(fmt.Sprintf("138000000%02d", i))); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(25 * time.Hour)
	if _, err := w.desk.SendCode(t.Context(), "test", Who{Channel: tandem.Chat, Conversation: "c"}, w.desk.Phone(phoneA)); err != nil {
		t.Fatal(err)
	}
	tries, codes := 0, 0
	err := w.db.View(t.Context(), func(tx store.Tx) error {
		if err := tx.Each("SELECT 1 FROM code_try", func(store.Row) error { tries++; return nil }); err != nil {
			return err
		}
		return tx.Each("SELECT id FROM check_code", func(store.Row) error { codes++; return nil })
	})
	if err != nil || tries != 2 || codes != 1 {
		t.Errorf("%d tries, %d codes, %v", tries, codes, err)
	}
}

func TestNewCode(t *testing.T) {
	var seen [10]int
	for range 3000 {
		c, err := newCode(rand.Reader)
		if err != nil || len(c) != 6 {
			t.Fatalf("%q, %v", c, err)
		}
		seen[c[0]-'0']++
	}
	for d, n := range seen {
		if n < 200 || n > 400 {
			t.Errorf("%d codes begin with %d", n, d)
		}
	}
	// What lies above the last whole million is drawn anew.
	if c, err := newCode(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7})); err != nil || c != "000007" {
		t.Errorf("%q, %v", c, err)
	}
	if _, err := newCode(bytes.NewReader(nil)); err == nil {
		t.Error("a code without randomness")
	}
}
