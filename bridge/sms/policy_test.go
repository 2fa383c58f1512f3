package sms

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tandem/store"
	"tandem/store/outbox"
)

func TestCaps(t *testing.T) {
	number := func(i int) string { return fmt.Sprintf("+86138%08d", i) }
	for _, c := range []struct {
		name string
		cap  func(*Policy)
		text func(m *Message, i int) // each goes to another number unless this says otherwise
		rule string
		most int           // texts that pass
		then time.Duration // after which one more passes
	}{
		{"per hour", func(p *Policy) { p.PerHour = 3 }, nil, "per_hour", 3, 65 * time.Minute},
		{"per day", func(p *Policy) { p.PerDay = 3 }, nil, "per_day", 3, 24*time.Hour + 5*time.Minute},
		{"parts", func(p *Policy) { p.PartsPerDay = 7 }, func(m *Message, _ int) { m.Text = strings.Repeat("好", 134) }, "parts", 3, 24*time.Hour + 5*time.Minute},
		{"per number and hour", func(p *Policy) { p.PerNumberPerHour = 2 }, func(m *Message, _ int) { m.To = number(0) }, "per_number", 2, time.Hour},
		{"per number and day", func(p *Policy) { p.PerNumberPerDay = 2 }, func(m *Message, _ int) { m.To = number(0) }, "per_number", 2, 24 * time.Hour},
		{"one number in two spellings", func(p *Policy) { p.PerNumberPerHour = 2 }, func(m *Message, i int) {
			m.To = []string{"+8613800000000", "0086 138 0000 0000"}[i%2]
		}, "per_number", 2, time.Hour},
		{"per visitor", func(p *Policy) { p.PerVisitorPerHour = 2 }, func(m *Message, _ int) { m.Visitor = "v" }, "per_visitor", 2, time.Hour},
		{"per address", func(p *Policy) { p.PerAddressPerHour = 2 }, func(m *Message, i int) { m.Address, m.Visitor = "192.0.2.1", fmt.Sprint(i) }, "per_address", 2, time.Hour},
		{"per network of IPv6", func(p *Policy) { p.PerAddressPerHour = 2 }, func(m *Message, i int) { m.Address, m.Visitor = fmt.Sprintf("2001:db8:1:2::%x", i+1), fmt.Sprint(i) }, "per_address", 2, time.Hour},
		{"money", func(p *Policy) {
			p.Price = func(string) (float64, bool) { return 0.05, true }
			p.MoneyPerDay = 0.15
		}, nil, "money", 3, 24*time.Hour + 5*time.Minute},
		{"a price that is not known", func(p *Policy) {
			p.Price = func(string) (float64, bool) { return 0, false }
			p.MoneyPerDay = 100
		}, nil, "money", 0, 0},
		{"nothing", func(p *Policy) { *p = Policy{Allowed: p.Allowed} }, nil, "per_number", 0, 0},
		{"no policy", func(p *Policy) { *p = Policy{} }, nil, "denied", 0, 0},
		{"a text too long", func(*Policy) {}, func(m *Message, _ int) { m.Text = strings.Repeat("好", 67*MaxParts+1) }, "too_long", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			policy := generous()
			c.cap(&policy)
			o := newOffice(t, policy)
			send := func(i int) string {
				m := text(fmt.Sprintf("k-%d", i), number(i), "hello")
				if c.text != nil {
					c.text(&m, i)
				}
				return ruled(t, o.post(t, m))
			}
			for i := range c.most {
				if rule := send(i); rule != "" {
					t.Fatalf("text %d was refused by %s", i, rule)
				}
			}
			if rule := send(c.most); rule != c.rule {
				t.Fatalf("text %d was refused by %q, not by %q", c.most, rule, c.rule)
			}
			o.renew(t) // counts survive
			if rule := send(c.most + 1); rule != c.rule {
				t.Fatalf("after a restart text %d was refused by %q, not by %q", c.most+1, rule, c.rule)
			}
			if n := len(o.deliver(t)); n != c.most {
				t.Errorf("%d letters are in the outbox, not %d", n, c.most)
			}
			if c.then > 0 {
				o.clock.Add(c.then - time.Second)
				if c.then%(24*time.Hour) == 0 || c.then%time.Hour == 0 { // the sums may count a little longer
					if rule := send(c.most + 2); rule != c.rule {
						t.Errorf("a second before the time a text was refused by %q", rule)
					}
				}
				o.clock.Add(time.Second)
				if rule := send(c.most + 3); rule != "" {
					t.Errorf("after %v a text was refused by %s", c.then, rule)
				}
			}
			if len(o.refused) == 0 || o.refused[0] != c.rule {
				t.Errorf("the metric was told %v", o.refused)
			}
		})
	}
}

func TestACapIsAlarmedOnce(t *testing.T) {
	policy := generous()
	policy.PerDay = 1
	o := newOffice(t, policy)
	for i := range 20 {
		_ = o.post(t, text(fmt.Sprintf("k-%d", i), theirs, "hello"))
	}
	if n := strings.Count(o.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors are logged:\n%s", n, o.log)
	}
	if s := o.log.String(); strings.Contains(s, "138") || strings.Contains(s, "hello") {
		t.Errorf("the log has a number or a text:\n%s", s)
	}
	if len(o.refused) != 19 {
		t.Errorf("the metric was told %d times", len(o.refused))
	}
}

func TestTheSameKeyIsCountedOnce(t *testing.T) {
	policy := generous()
	policy.PerDay = 1
	o := newOffice(t, policy)
	m := text("k-1", theirs, "hello")
	for range 3 {
		err := o.db.Update(t.Context(), func(tx store.Tx) error { return o.Reserve(t.Context(), tx, m, 1) })
		if err != nil {
			t.Fatal(err)
		}
	}
	if rule := ruled(t, o.Allow(t.Context(), theirs)); rule != "per_day" {
		t.Errorf("Allow says %q", rule)
	}
}

// A change that is undone counts nothing.
func TestAnUndoneChangeCountsNothing(t *testing.T) {
	policy := generous()
	policy.PerDay = 1
	o := newOffice(t, policy)
	undone := errors.New("undone")
	err := o.db.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(o.Reserve(t.Context(), tx, text("k-1", theirs, "hello"), 1), undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if err := o.Allow(t.Context(), theirs); err != nil {
		t.Error(err)
	}
}

func TestKeysThatGatewaysCannotCarry(t *testing.T) {
	o := newOffice(t, generous())
	for _, key := range []string{"", "a.b", "a b", "ä", "a\n", strings.Repeat("k", maxKey+1)} {
		if err := o.post(t, text(key, theirs, "hello")); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

// Whatever is tried in whatever order, no more leaves than the caps say, within any hour
// and any day.
func TestCapsHoldWhateverHappens(t *testing.T) {
	policy := generous()
	policy.PerHour, policy.PerDay, policy.PartsPerDay, policy.PerNumberPerHour, policy.PerNumberPerDay = 9, 40, 60, 3, 8
	o := newOffice(t, policy)
	random := rand.New(rand.NewPCG(7, 7))
	type use struct {
		at    time.Time
		to    string
		parts int
	}
	var out []use
	for i := range 1500 {
		o.clock.Add(time.Duration(random.IntN(400)) * time.Second)
		m := text(fmt.Sprintf("k-%d", i), fmt.Sprintf("+861380000000%d", random.IntN(8)), strings.Repeat("好", 60+random.IntN(120)))
		if o.post(t, m) == nil {
			out = append(out, use{o.clock.Now(), m.To, m.Parts()})
		}
		if random.IntN(100) == 0 {
			o.renew(t)
		}
		o.sweep(t.Context(), o.clock.Now())
	}
	if len(out) < 100 {
		t.Fatalf("only %d went out", len(out))
	}
	for i, u := range out {
		var hour, today, parts, numberHour, numberDay int
		for _, v := range out[:i+1] {
			if age := u.at.Sub(v.at); age < 24*time.Hour {
				today++
				parts += v.parts
				if v.to == u.to {
					numberDay++
				}
				if age < time.Hour {
					hour++
					if v.to == u.to {
						numberHour++
					}
				}
			}
		}
		if hour > 9 || today > 40 || parts > 60 || numberHour > 3 || numberDay > 8 {
			t.Fatalf("text %d: %d in the hour, %d and %d parts in the day, %d and %d to the number", i, hour, today, parts, numberHour, numberDay)
		}
	}
}

// What was given up a day ago and is tried again by hand is counted as of now.
func TestARevivedLetterIsCounted(t *testing.T) {
	policy := generous()
	policy.PerDay = 1
	o := newOffice(t, policy)
	old := text("k-old", theirs, "old")
	if err := o.post(t, old); err != nil {
		t.Fatal(err)
	}
	o.clock.Add(26 * time.Hour)
	o.sweep(t.Context(), o.clock.Now())
	if err := o.post(t, text("k-new", theirs, "new")); err != nil {
		t.Fatal(err)
	}
	if err := o.Deliver(t.Context(), o.Letter(old)); !errors.Is(err, outbox.ErrPermanent) || ruled(t, err) != "per_day" {
		t.Errorf("the old letter: %v", err)
	}
	if n := len(o.gateway.sent()); n != 0 {
		t.Errorf("%d texts went out", n)
	}
}

func TestSweepForgets(t *testing.T) {
	o := newOffice(t, generous())
	if err := o.post(t, text("k-1", theirs, "hello")); err != nil {
		t.Fatal(err)
	}
	o.deliver(t)
	if err := o.receipt(t.Context(), "first", &Receipt{ID: "unknown", State: "delivered"}); err != nil {
		t.Fatal(err)
	}
	rows := func() (n int) {
		for _, query := range []string{"SELECT COUNT(*) FROM sms_sent", "SELECT COUNT(*) FROM sms_spent", "SELECT COUNT(*) FROM sms_out", "SELECT COUNT(*) FROM sms_seen"} {
			err := o.db.View(context.Background(), func(tx store.Tx) error {
				_, err := tx.One(query, func(row store.Row) { n += int(row.Int(0)) })
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	if n := rows(); n != 4 {
		t.Fatalf("%d rows", n)
	}
	o.clock.Add(2 * time.Hour)
	o.sweep(t.Context(), o.clock.Now())
	if n := rows(); n != 3 { // the receipt of nothing
		t.Errorf("after two hours %d rows", n)
	}
	o.clock.Add(25 * time.Hour)
	o.sweep(t.Context(), o.clock.Now())
	if n := rows(); n != 1 {
		t.Errorf("after a day %d rows", n)
	}
	o.clock.Add(20 * day)
	o.sweep(t.Context(), o.clock.Now())
	if n := rows(); n != 0 {
		t.Errorf("after weeks %d rows", n)
	}
}

// BenchmarkReserve counts one more text beside a day of 100,000.
func BenchmarkReserve(b *testing.B) {
	policy := generous()
	policy.PerHour, policy.PerDay, policy.PartsPerDay, policy.PerNumberPerDay, policy.PerNumberPerHour = 1e9, 1e9, 1e9, 1e9, 1e9
	o := newOffice(b, policy)
	fill := func(n int, offset int) error {
		return o.db.Update(b.Context(), func(tx store.Tx) error {
			for i := range n {
				if err := o.Reserve(b.Context(), tx, text(fmt.Sprintf("k-%d", offset+i), fmt.Sprintf("+86138%08d", (offset+i)%9000), "hello"), 1); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for i := range 24 {
		o.clock.Add(58 * time.Minute)
		if err := fill(4200, i*4200); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	if err := fill(b.N, 1e6); err != nil {
		b.Fatal(err)
	}
}
