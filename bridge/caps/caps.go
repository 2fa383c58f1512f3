// Package caps counts the calls that go out, so that a fault or a fraud stops at a
// figure the operator chose. It is pure but for a mutex: time comes in, nothing is
// stored here; the journal's record of calls restores the counts after a restart.
// Which numbers may be dialled at all is the configuration's to say.
package caps

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Policy is the figures the operator chose. A count or sum of 0 means that no call
// may go out, never that there is no bound; money is counted only where Price is set.
type Policy struct {
	AtOnce           int
	PerHour          int // calls in all within 60 min
	PerDay           int // calls in all within 24 h
	PerNumberPerHour int // of the calls to one phone number
	PerNumberPerDay  int
	MinutesPerDay    int
	MaxMinutes       int // of one call
	MoneyPerDay      float64
	// Price is what a minute to a number costs; false = unknown, which is refused.
	// nil = money is not counted.
	Price func(number string) (perMinute float64, known bool)
}

// Use is one call that went out.
type Use struct {
	At      time.Time
	Number  string // in one spelling; "" = none, as of a name at a host of the operator's
	Minutes int    // begun minutes, as carriers count
}

// Refused says which rule refused a call. Rule is from a closed list, for metrics:
// at_once, per_hour, per_day, per_number, minutes, money.
type Refused struct {
	Rule string
	Why  string
}

func (r *Refused) Error() string { return r.Why }

const day = 24 * time.Hour

// Ledger counts calls out against a policy. It is safe for many goroutines.
type Ledger struct {
	policy Policy

	mu   sync.Mutex
	uses []*Use // of the last 24 h, oldest first; PerDay bounds them
	open int
}

// NewLedger makes a ledger; past are the calls of the last 24 h, in any order.
func NewLedger(p Policy, past []Use) *Ledger {
	l := &Ledger{policy: p}
	for _, u := range past {
		l.uses = append(l.uses, &u)
	}
	slices.SortFunc(l.uses, func(a, b *Use) int { return a.At.Compare(b.At) })
	return l
}

// Hold is one allowed call. Settle it when it has ended.
type Hold struct {
	// Limit is the longest the call may last.
	Limit  time.Duration
	ledger *Ledger
	use    *Use
	once   sync.Once
}

// Settle ends the hold with how long the call lasted once answered; 0 = not
// answered. Only the first call counts.
func (h *Hold) Settle(talked time.Duration) {
	h.once.Do(func() {
		h.ledger.mu.Lock()
		defer h.ledger.mu.Unlock()
		h.ledger.open--
		h.use.Minutes = int((talked + time.Minute - 1) / time.Minute)
	})
}

// Reserve allows a call to number now, or refuses with *Refused. A call to no number,
// "", counts towards calls and minutes only. Until it is
// settled the call counts at the longest it can last, so that the caps on minutes
// and money hold whatever calls do at the same time.
func (l *Ledger) Reserve(now time.Time, number string) (*Hold, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	if r := l.counted(now, number); r != nil {
		return nil, r
	}
	use := &Use{At: now, Number: number, Minutes: l.policy.MaxMinutes}
	l.uses = append(l.uses, use)
	l.open++
	return &Hold{Limit: time.Duration(l.policy.MaxMinutes) * time.Minute, ledger: l, use: use}, nil
}

// counted applies the caps to one more call.
func (l *Ledger) counted(now time.Time, number string) *Refused {
	p := l.policy
	var hour, sameHour, sameDay int
	minutes := p.MaxMinutes
	for _, u := range l.uses {
		lately := now.Sub(u.At) < time.Hour
		if lately {
			hour++
		}
		if number != "" && u.Number == number {
			sameDay++
			if lately {
				sameHour++
			}
		}
		minutes += u.Minutes
	}
	switch {
	case l.open >= p.AtOnce:
		return refuse("at_once", "%d calls out are up already, and outbound.calls_at_once is %d", l.open, p.AtOnce)
	case hour >= p.PerHour:
		return refuse("per_hour", "%d calls went out within the hour, and outbound.calls_per_hour is %d", hour, p.PerHour)
	case len(l.uses) >= p.PerDay:
		return refuse("per_day", "%d calls went out within 24 h, and outbound.calls_per_day is %d", len(l.uses), p.PerDay)
	case sameHour >= p.PerNumberPerHour:
		return refuse("per_number", "this number was called %d times within the hour, and outbound.per_number_per_hour is %d", sameHour, p.PerNumberPerHour)
	case sameDay >= p.PerNumberPerDay:
		return refuse("per_number", "this number was called %d times within 24 h, and outbound.per_number_per_day is %d", sameDay, p.PerNumberPerDay)
	case p.MaxMinutes <= 0 || minutes > p.MinutesPerDay:
		return refuse("minutes", "the day's calls could last %d minutes, and outbound.minutes_per_day is %d", minutes, p.MinutesPerDay)
	}
	return l.afforded(number)
}

// afforded applies the cap on money.
func (l *Ledger) afforded(number string) *Refused {
	p := l.policy
	if p.Price == nil || number == "" {
		return nil
	}
	price, known := p.Price(number)
	if !known {
		return refuse("money", "the price of this number is not known (outbound.prices), so its cost cannot be bounded")
	}
	spent := price * float64(p.MaxMinutes)
	for _, u := range l.uses {
		price, _ := p.Price(u.Number)
		spent += price * float64(u.Minutes)
	}
	if spent > p.MoneyPerDay {
		return refuse("money", "the day's calls could cost %.2f, and outbound.money_per_day is %.2f", spent, p.MoneyPerDay)
	}
	return nil
}

func refuse(rule, why string, args ...any) *Refused {
	return &Refused{Rule: rule, Why: fmt.Sprintf(why, args...)}
}

// forget drops what is older than a day.
func (l *Ledger) forget(now time.Time) {
	i := 0
	for i < len(l.uses) && now.Sub(l.uses[i].At) >= day {
		i++
	}
	l.uses = slices.Delete(l.uses, 0, i)
}
