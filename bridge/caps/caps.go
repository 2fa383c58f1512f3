// Package caps decides whether a call may go out, and keeps count so that a fault
// or a fraud stops at a figure the operator chose. Everything is denied that is not
// allowed. It is pure but for a mutex: time comes in, nothing is stored here; the
// journal's record of calls that went out restores the counts after a restart.
package caps

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Policy is what the operator allows. The zero Policy allows nothing.
type Policy struct {
	// Allow lists what may be dialled: number prefixes such as "+86" or "0755", and
	// SIP hosts as "sip:pbx.example" or "sip:127.0.0.1:5080".
	Allow []string
	// Deny lists prefixes that are never dialled, whatever Allow says: premium ranges.
	Deny []string

	PerNumberPerDay int // calls to one number in 24 h; 0 = no bound of this kind
	PerHour         int // calls in all in 60 min
	PerDay          int // calls in all in 24 h
	Concurrent      int // calls out at one time

	MoneyPerDay float64 // in the operator's currency, over 24 h; 0 = no bound
	Rates       []Rate  // what a minute costs; the longest prefix counts, none = free
	MaxCall     time.Duration
}

// Rate is the price of a minute to numbers with a prefix.
type Rate struct {
	Prefix    string
	PerMinute float64
}

// Use is one call that went out.
type Use struct {
	At   time.Time
	To   string
	Cost float64
}

// Refused says which rule refused a call. Rule is from a closed list, for metrics:
// allow, deny, per_number, per_hour, per_day, concurrent, money.
type Refused struct {
	Rule string
	Why  string
}

func (r *Refused) Error() string { return r.Why }

const day = 24 * time.Hour

// maxUses bounds the memory of the ledger when a policy counts nothing.
const maxUses = 100_000

// Ledger counts calls out against a policy. It is safe for many goroutines.
type Ledger struct {
	policy Policy

	mu   sync.Mutex
	uses []*Use // of the last 24 h, oldest first
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

// Hold is one allowed call. Settle it exactly once.
type Hold struct {
	// Limit is the longest the call may last; 0 = no bound.
	Limit  time.Duration
	ledger *Ledger
	use    *Use
	rate   float64
	once   sync.Once
}

// Settle ends the hold with how long the call lasted once answered; 0 = not answered.
func (h *Hold) Settle(talked time.Duration) {
	h.once.Do(func() {
		h.ledger.mu.Lock()
		defer h.ledger.mu.Unlock()
		h.ledger.open--
		h.use.Cost = h.rate * minutes(talked)
	})
}

// Cost is what a call to number costs, by its length.
func (p Policy) Cost(number string, talked time.Duration) float64 {
	return p.rate(number) * minutes(talked)
}

// minutes counts begun minutes, as carriers do.
func minutes(d time.Duration) float64 {
	return float64((d + time.Minute - 1) / time.Minute)
}

func (p Policy) rate(number string) float64 {
	best, rate := -1, 0.0
	for _, r := range p.Rates {
		if len(r.Prefix) > best && strings.HasPrefix(number, r.Prefix) {
			best, rate = len(r.Prefix), r.PerMinute
		}
	}
	return rate
}

// Reserve allows a call to number now, or refuses with *Refused. Until it is
// settled the call counts at the most it can cost, so that the cap on money holds
// whatever calls do at the same time.
func (l *Ledger) Reserve(now time.Time, number string) (*Hold, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	p := l.policy
	if r := p.listed(number); r != nil {
		return nil, r
	}
	rate := p.rate(number)
	worst := rate * minutes(p.MaxCall)
	if r := l.counted(now, number, worst); r != nil {
		return nil, r
	}
	use := &Use{At: now, To: number, Cost: worst}
	l.uses = append(l.uses, use)
	l.open++
	return &Hold{Limit: p.MaxCall, ledger: l, use: use, rate: rate}, nil
}

// listed applies the lists.
func (p Policy) listed(number string) *Refused {
	for _, d := range p.Deny {
		if matches(d, number) {
			return &Refused{"deny", fmt.Sprintf("numbers that begin with %s are never dialled (outbound.deny)", d)}
		}
	}
	for _, a := range p.Allow {
		if matches(a, number) {
			return nil
		}
	}
	return &Refused{"allow", "this number is not on the list of numbers that may be dialled (outbound.allow)"}
}

// matches compares a list entry with a number or SIP URI. A SIP entry names a host,
// whole: "sip:pbx.example" must not let in "sip:x@pbx.example.evil".
func matches(entry, number string) bool {
	host, ok := strings.CutPrefix(entry, "sip:")
	if !ok {
		return !strings.HasPrefix(number, "sip:") && strings.HasPrefix(number, entry)
	}
	rest, ok := strings.CutPrefix(number, "sip:")
	if !ok {
		return false
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := strings.IndexAny(rest, ";?"); i >= 0 {
		rest = rest[:i]
	}
	return strings.EqualFold(rest, host)
}

// counted applies the caps.
func (l *Ledger) counted(now time.Time, number string, worst float64) *Refused {
	p := l.policy
	var hour, same int
	money := worst
	for _, u := range l.uses {
		if now.Sub(u.At) < time.Hour {
			hour++
		}
		if u.To == number {
			same++
		}
		money += u.Cost
	}
	switch {
	case p.Concurrent > 0 && l.open >= p.Concurrent:
		return &Refused{"concurrent", fmt.Sprintf("%d calls out are up already (outbound.concurrent)", l.open)}
	case p.PerNumberPerDay > 0 && same >= p.PerNumberPerDay:
		return &Refused{"per_number", fmt.Sprintf("this number was called %d times in 24 h (outbound.per_number_per_day)", same)}
	case p.PerHour > 0 && hour >= p.PerHour:
		return &Refused{"per_hour", fmt.Sprintf("%d calls went out within the hour (outbound.per_hour)", hour)}
	case p.PerDay > 0 && len(l.uses) >= p.PerDay, len(l.uses) >= maxUses:
		return &Refused{"per_day", fmt.Sprintf("%d calls went out in 24 h (outbound.per_day)", len(l.uses))}
	case p.MoneyPerDay > 0 && money > p.MoneyPerDay:
		return &Refused{"money", fmt.Sprintf("the day's calls could cost %.2f, more than %.2f (outbound.money_per_day)", money, p.MoneyPerDay)}
	}
	return nil
}

// forget drops what is older than a day.
func (l *Ledger) forget(now time.Time) {
	i := 0
	for i < len(l.uses) && now.Sub(l.uses[i].At) >= day {
		i++
	}
	l.uses = slices.Delete(l.uses, 0, i)
}
