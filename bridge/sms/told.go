package sms

import (
	"log/slog"
	"slices"
	"sync"
	"time"
)

// tellEvery is how often one thing is logged at most; the next line says how many were not.
const tellEvery = time.Minute

// told keeps strangers from filling the log: what repeats is said once a minute.
type told struct {
	mu     sync.Mutex
	recent map[string]*telling // by rule, a closed list
}

type telling struct {
	at    time.Time
	since int // how often it happened since then
}

// again reports whether to say it now, and how often it was not said.
func (t *told) again(what string, now time.Time, every time.Duration) (say bool, unsaid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.recent == nil {
		t.recent = map[string]*telling{}
	}
	last := t.recent[what]
	if last == nil {
		last = &telling{}
		t.recent[what] = last
	} else if now.Sub(last.at) < every {
		last.since++
		return false, 0
	}
	unsaid = last.since
	*last = telling{at: now}
	return true, unsaid
}

// refused tells of a text that may not go out. A cap on all texts is an alarm: once an
// hour as long as it lasts.
func (t *told) refused(log *slog.Logger, r *Refused, now time.Time) {
	if slices.Contains(alarms[:], r.Rule) {
		if say, unsaid := t.again("refused "+r.Rule, now, time.Hour); say {
			log.Error("texts are stopped by a cap", "rule", r.Rule, "why", r.Why, "unsaid", unsaid)
		}
		return
	}
	if say, unsaid := t.again("refused "+r.Rule, now, tellEvery); say {
		log.Warn("a text was refused", "rule", r.Rule, "why", r.Why, "unsaid", unsaid)
	}
}

// rejected tells of a request that was refused.
func (t *told) rejected(log *slog.Logger, gateway string, r *Rejected, now time.Time) {
	if say, unsaid := t.again("rejected "+gateway+" "+r.Rule, now, tellEvery); say {
		log.Warn("a gateway's request was refused", "gateway", gateway, "rule", r.Rule, "why", r.Why, "unsaid", unsaid)
	}
}
