package simulator

import (
	"fmt"
	"time"
)

// Knobs say what goes wrong, and when. A rate is a chance from 0 to 1.
type Knobs struct {
	DelayMS     int     `json:"delay_ms"`      // before each receipt and reply
	Fail        float64 `json:"fail"`          // of texts: refused for good
	Temporary   float64 `json:"temporary"`     // of tries: refused with 503
	TooMany     float64 `json:"too_many"`      // of tries: refused with 429 and Retry-After
	RetryAfterS int     `json:"retry_after_s"` // of that
	Vanish      float64 `json:"vanish"`        // of texts: taken, and the answer is lost
	Undelivered float64 `json:"undelivered"`   // of texts: taken, and then not delivered
	LostReceipt float64 `json:"lost"`          // of receipts
	Double      float64 `json:"double"`        // of receipts: sent twice
	Reorder     float64 `json:"reorder"`       // of texts: receipts in an order of chance
	DoubleIn    float64 `json:"double_in"`     // of replies: sent twice
	ReorderIn   float64 `json:"reorder_in"`    // of replies: held back, so that later ones overtake
	Read        bool    `json:"read"`          // phones say that a text was read
}

const (
	maxDelay      = 10 * time.Minute
	maxRetryAfter = 3600 // seconds
)

func (k Knobs) check() error {
	for name, rate := range map[string]float64{"fail": k.Fail, "temporary": k.Temporary, "too_many": k.TooMany, "vanish": k.Vanish, "undelivered": k.Undelivered,
		"lost": k.LostReceipt, "double": k.Double, "reorder": k.Reorder, "double_in": k.DoubleIn, "reorder_in": k.ReorderIn} {
		if !(rate >= 0 && rate <= 1) {
			return fmt.Errorf("%s is a chance from 0 to 1, not %v", name, rate)
		}
	}
	if k.DelayMS < 0 || k.delay() > maxDelay {
		return fmt.Errorf("the delay goes from 0 to %v", maxDelay)
	}
	if k.RetryAfterS < 0 || k.RetryAfterS > maxRetryAfter {
		return fmt.Errorf("retry_after_s goes from 0 to %d", maxRetryAfter)
	}
	return nil
}

func (k Knobs) delay() time.Duration { return time.Duration(k.DelayMS) * time.Millisecond }

// chance throws the dice. The caller holds mu.
func (s *Simulator) chance(rate float64) bool { return rate > 0 && s.random.Float64() < rate }

// knobsNow are the knobs of the text that comes. Those of the next text are used up by
// it. The caller holds mu.
func (s *Simulator) knobsNow() Knobs {
	if s.next != nil {
		k := *s.next
		s.next = nil
		return k
	}
	return s.knobs
}
