package identity

import (
	"context"
	"net/netip"
	"time"

	"tandem"
	"tandem/store"
)

// limit is a count that may not be exceeded within a time.
type limit struct {
	rule   string // number, visitor, address or tries
	kind   string // of code_try
	who    []byte
	most   int
	within time.Duration
}

// The limits. Whoever changes them changes docs/identity.md.
const (
	codesPerNumberHour  = 5
	codesPerNumberDay   = 10
	codesPerVisitorHour = 5
	codesPerAddressHour = 10
	wrongReturnsHour    = 5  // of one caller, and of one address
	wrongTriesHour      = 10 // of one caller at identify
	wrongAddressHour    = 20 // of one address at identify

	keptTries = 24 * time.Hour
)

// Kinds of wrong tries.
const (
	triesReturn   = "wrong.return"
	triesIdentify = "wrong"
)

// caller is what one party's tries are counted by. All who withhold their number, and
// have no address, count as one.
func (d *Desk) caller(w Who) []byte {
	switch {
	case w.Channel == tandem.Chat && w.Conversation != "":
		return d.o.Blind("code visitor", "chat "+string(w.Conversation))
	case w.Channel == tandem.Chat && w.Caller != "":
		return d.o.Blind("code visitor", "account "+w.Caller)
	case w.Channel == tandem.Chat: // a page of a link
		return d.o.Blind("code visitor", "interaction "+string(w.Interaction))
	}
	if n, ok := phone(d.o.Country, w.Caller); ok {
		return d.o.Blind("code visitor", n)
	}
	return d.o.Blind("code visitor", w.Caller)
}

// address is what tries from one network address are counted by: a /64 of IPv6, since
// one customer has all of it. nil = it is not known.
func (d *Desk) address(w Who) []byte {
	if w.Address == "" {
		return nil
	}
	a := w.Address
	if p, err := netip.ParseAddrPort(a); err == nil {
		a = p.Addr().String()
	}
	if ip, err := netip.ParseAddr(a); err == nil {
		ip = ip.Unmap().WithZone("")
		a = ip.String()
		if ip.Is6() {
			p, _ := ip.Prefix(64) // 64 is within 128
			a = p.String()
		}
	}
	return d.o.Blind("code address", a)
}

// tries are the limits on a party's wrong tries.
func (d *Desk) tries(w Who, kind string) []limit {
	caller, address := wrongTriesHour, wrongAddressHour
	if kind == triesReturn {
		caller, address = wrongReturnsHour, wrongReturnsHour
	}
	all := []limit{{"tries", kind, d.caller(w), caller, time.Hour}}
	if a := d.address(w); a != nil {
		all = append(all, limit{"tries", kind, a, address, time.Hour})
	}
	return all
}

// codes are the limits on the codes that a party may have sent.
func (d *Desk) codes(w Who) []limit {
	all := []limit{{"visitor", "code.visitor", d.caller(w), codesPerVisitorHour, time.Hour}}
	if a := d.address(w); a != nil {
		all = append(all, limit{"address", "code.address", a, codesPerAddressHour, time.Hour})
	}
	return all
}

// codesTo are the limits on the codes that go to one number or address.
func (d *Desk) codesTo(to string) []limit {
	who := d.o.Blind("code number", to)
	return []limit{{"number", "code", who, codesPerNumberHour, time.Hour}, {"number", "code", who, codesPerNumberDay, keptTries}}
}

// reached finds the first limit that leaves no room for one more; nil = none.
func reached(tx store.Tx, now time.Time, all []limit) (*limit, error) {
	for i, l := range all {
		n := int64(0)
		if _, err := tx.One("SELECT count(*) FROM code_try WHERE kind = ? AND who = ? AND at > ?",
			func(r store.Row) { n = r.Int(0) }, l.kind, l.who, now.Add(-l.within)); err != nil {
			return nil, err
		}
		if n >= int64(l.most) {
			return &all[i], nil
		}
	}
	return nil, nil
}

// count notes one more for each limit, once where two look at the same.
func count(tx store.Tx, now time.Time, all []limit) error {
	if _, err := tx.Exec("DELETE FROM code_try WHERE at <= ?", now.Add(-keptTries)); err != nil {
		return err
	}
	for i, l := range all {
		if i > 0 && all[i-1].kind == l.kind && string(all[i-1].who) == string(l.who) {
			continue
		}
		if _, err := tx.Exec("INSERT INTO code_try (kind, who, at) VALUES (?, ?, ?)", l.kind, l.who, now); err != nil {
			return err
		}
	}
	return nil
}

// over reports whether a limit is reached.
func (d *Desk) over(ctx context.Context, all []limit) (over bool, err error) {
	err = d.o.Records.View(ctx, func(tx store.Tx) error {
		l, err := reached(tx, d.o.Now(), all)
		over = l != nil
		return err
	})
	return over, err
}
