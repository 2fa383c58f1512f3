package sms

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"tandem/store"
)

// Policy says which texts may go out and how many. A count or sum of 0 means that none
// may, never that there is no bound.
type Policy struct {
	// Allowed says whether a number, E.164, may be texted at all, and if not, why. nil = none.
	Allowed func(number string) (ok bool, why string)

	PerHour           int // texts in all within 60 min
	PerDay            int // texts in all within 24 h
	PerNumberPerHour  int // to one number
	PerNumberPerDay   int
	PerVisitorPerHour int // caused by one visitor; texts without one are not counted here
	PerAddressPerHour int // caused from one network address; likewise
	PartsPerDay       int
	MoneyPerDay       float64
	// Price is what a part to a number costs; false = unknown, which is refused. nil =
	// money is not counted.
	Price func(number string) (perPart float64, known bool)
}

// Refused says which rule refused a text. Rule is from a closed list, for metrics:
// sender, number, denied, stopped, too_long, per_number, per_visitor, per_address,
// per_hour, per_day, parts, money.
type Refused struct {
	Rule string
	Why  string // without the number
}

func (r *Refused) Error() string { return r.Why }

// Refusal is the rule that forbids the text.
func (r *Refused) Refusal() string { return r.Rule }

func refuse(rule, why string, args ...any) *Refused {
	return &Refused{Rule: rule, Why: fmt.Sprintf(why, args...)}
}

const (
	// MaxParts is the most that one text may have: ten are 670 Chinese characters.
	MaxParts = 10
	// keepSent is how long texts are counted, a little more than the longest cap.
	keepSent = 25 * time.Hour
	// millionths of the unit of money, in which sums are kept without rounding.
	millionths = 1e6
)

// Allow reports whether a text may go to a number now; if not the error is a *Refused.
// It counts nothing: Reserve decides.
func (d *Desk) Allow(ctx context.Context, to string) error {
	ours, _ := d.From(to)
	m := Message{From: ours, To: to}
	var refused *Refused
	err := d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		if refused, err = d.permitted(tx, &m, false); err == nil && refused == nil {
			refused, err = d.counted(tx, &m, 1, false)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("looking whether a text may go out: %w", err)
	}
	return d.verdict(refused)
}

// Reserve counts a text of so many parts, in the transaction that posts its letter, or
// refuses it with *Refused. The same key is counted once.
func (d *Desk) Reserve(_ context.Context, tx store.Tx, m Message, parts int) error {
	return d.reserve(tx, &m, parts, false)
}

// reserve is Reserve; final is for the answer to a STOP, which its sender gets.
func (d *Desk) reserve(tx store.Tx, m *Message, parts int, final bool) error {
	if err := checkKey(m.Key); err != nil {
		return err
	}
	refused, err := d.permitted(tx, m, final)
	if err != nil || refused != nil {
		return cmp.Or(err, d.verdict(refused))
	}
	known, err := isCounted(tx, m.Key)
	if err != nil || known {
		return err
	}
	if refused, err = d.counted(tx, m, parts, final); err != nil || refused != nil {
		return cmp.Or(err, d.verdict(refused))
	}
	now := d.o.Now()
	to, _ := Normal(m.To)
	_, err = tx.Exec("INSERT INTO sms_sent (key, at, number, parts, visitor, address) VALUES (?, ?, ?, ?, ?, ?)",
		m.Key, now.UnixNano(), d.hidden("number", to), parts, d.hidden("visitor", m.Visitor), d.hidden("address", network(m.Address)))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO sms_spent (span, texts, parts, price) VALUES (?, 1, ?, ?)
		ON CONFLICT (span) DO UPDATE SET texts = texts + 1, parts = parts + excluded.parts, price = price + excluded.price`,
		span(now), parts, d.price(to, parts))
	return err
}

// permitted is what holds of a text whatever was sent before.
func (d *Desk) permitted(tx store.Tx, m *Message, final bool) (*Refused, error) {
	to, ok := Normal(m.To)
	if !ok {
		return refuse("number", "texts go to numbers with their country, such as +8613800000000"), nil
	}
	if d.ours[m.From] == "" {
		return refuse("sender", "no gateway of sms.gateways serves the number that would write"), nil
	}
	if d.ours[to] != "" {
		return refuse("denied", "it is a number of ours"), nil
	}
	if d.o.Policy.Allowed == nil {
		return refuse("denied", "texts.allow is empty"), nil
	}
	if ok, why := d.o.Policy.Allowed(to); !ok {
		return refuse("denied", "%s", why), nil
	}
	if final {
		return nil, nil
	}
	stopped, err := d.stopped(tx, m.From, to)
	if err == nil && stopped {
		return refuse("stopped", "the person wants no texts from this number until they send START"), nil
	}
	return nil, err
}

// counted applies the caps to one more text. The answer to a STOP may be one more than its
// number is sent: those who are at the cap are the likeliest to send STOP.
func (d *Desk) counted(tx store.Tx, m *Message, parts int, final bool) (*Refused, error) {
	if parts > MaxParts {
		return refuse("too_long", "the text has %d parts, and at most %d are sent", parts, MaxParts), nil
	}
	p, now := &d.o.Policy, d.o.Now()
	to, _ := Normal(m.To)
	for _, c := range []struct {
		rule, key, query string
		of               any
		within           time.Duration
		most             int
	}{
		{"per_number", "texts.per_number_per_hour", countNumber, d.hidden("number", to), time.Hour, p.PerNumberPerHour},
		{"per_number", "texts.per_number_per_day", countNumber, d.hidden("number", to), day, p.PerNumberPerDay},
		{"per_visitor", "texts.per_visitor_per_hour", countVisitor, d.hidden("visitor", m.Visitor), time.Hour, p.PerVisitorPerHour},
		{"per_address", "texts.per_address_per_hour", countAddress, d.hidden("address", network(m.Address)), time.Hour, p.PerAddressPerHour},
	} {
		if c.of == nil {
			continue
		}
		n := 0
		_, err := tx.One(c.query, func(row store.Row) { n = int(row.Int(0)) }, c.of, now.Add(-c.within).UnixNano())
		if err != nil {
			return nil, err
		}
		if final && c.rule == "per_number" {
			n--
		}
		if n >= c.most {
			return refuse(c.rule, "%d such texts went out within %v, and %s is %d", n, c.within, c.key, c.most), nil
		}
	}
	return d.summed(tx, to, parts, now)
}

const (
	countNumber  = "SELECT COUNT(*) FROM sms_sent WHERE number = ? AND at > ?"
	countVisitor = "SELECT COUNT(*) FROM sms_sent WHERE visitor = ? AND at > ?"
	countAddress = "SELECT COUNT(*) FROM sms_sent WHERE address = ? AND at > ?"

	day = 24 * time.Hour
)

// summed applies the caps on all texts. They are counted in spans, so that this costs the
// same however many there are; a text counts up to a span longer than it has to.
func (d *Desk) summed(tx store.Tx, to string, parts int, now time.Time) (*Refused, error) {
	var hour, texts, sent, spent int64
	sum := func(since time.Time) error {
		_, err := tx.One("SELECT TOTAL(texts), TOTAL(parts), TOTAL(price) FROM sms_spent WHERE span >= ?", func(row store.Row) {
			texts, sent, spent = total(row, 0), total(row, 1), total(row, 2)
		}, span(since))
		return err
	}
	if err := sum(now.Add(-time.Hour)); err != nil {
		return nil, err
	}
	hour = texts
	if err := sum(now.Add(-day)); err != nil {
		return nil, err
	}
	p := &d.o.Policy
	switch {
	case hour >= int64(p.PerHour):
		return refuse("per_hour", "%d texts went out within the hour, and texts.per_hour is %d", hour, p.PerHour), nil
	case texts >= int64(p.PerDay):
		return refuse("per_day", "%d texts went out within 24 h, and texts.per_day is %d", texts, p.PerDay), nil
	case sent+int64(parts) > int64(p.PartsPerDay):
		return refuse("parts", "with this text %d parts would have gone out within 24 h, and texts.parts_per_day is %d", sent+int64(parts), p.PartsPerDay), nil
	case p.Price == nil:
		return nil, nil
	}
	if _, known := p.Price(to); !known {
		return refuse("money", "the price of a text to this number is not known (texts.prices), so its cost cannot be bounded"), nil
	}
	if spent += d.price(to, parts); float64(spent) > math.Round(p.MoneyPerDay*millionths) {
		return refuse("money", "with this text the day's would cost %.2f, and texts.money_per_day is %.2f", float64(spent)/millionths, p.MoneyPerDay), nil
	}
	return nil, nil
}

// price is what a text costs, in millionths.
func (d *Desk) price(to string, parts int) int64 {
	if d.o.Policy.Price == nil {
		return 0
	}
	perPart, _ := d.o.Policy.Price(to)
	return int64(math.Round(perPart * millionths * float64(parts)))
}

// total reads a column of TOTAL, which is a float.
func total(row store.Row, i int) int64 {
	f, _ := row[i].(float64)
	return int64(f)
}

// spanOf is how long one of the spans is that all texts are counted in.
const spanOf = 5 * time.Minute

func span(t time.Time) int64 { return t.Unix() / int64(spanOf/time.Second) }

// hidden is a value as tables keep it; nil for "".
func (d *Desk) hidden(what, value string) any {
	if value == "" {
		return nil
	}
	return d.o.Blind("sms "+what, value)
}

// alarms are the rules that stop all texts: an operator must know.
var alarms = [...]string{"per_hour", "per_day", "parts", "money"}

// verdict tells of a refusal and returns it as an error; nil for none.
func (d *Desk) verdict(r *Refused) error {
	if r == nil {
		return nil
	}
	if d.o.Refused != nil {
		d.o.Refused(r.Rule)
	}
	d.told.refused(d.o.Log, r, d.o.Now())
	return r
}
