package flow

import "time"

// Status tells how a calendar stands at a time: open, closed or holiday. An
// override decides for its date, then a holiday, then the week.
func (c *Calendar) Status(at time.Time) string {
	if c.Zone != nil {
		at = at.In(c.Zone)
	}
	date := at.Format(time.DateOnly)
	spans, ok := c.Overrides[date]
	if !ok {
		if _, holiday := c.Holidays[date]; holiday {
			return "holiday"
		}
		spans = c.Weekly[at.Weekday()]
	}
	minute := at.Hour()*60 + at.Minute()
	for _, s := range spans {
		if minute >= s.From && minute < s.Until {
			return "open"
		}
	}
	return "closed"
}
