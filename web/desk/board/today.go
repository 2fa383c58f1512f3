package board

import (
	"tandem"
	"tandem/bridge/queue/figures"
)

// Today counts what became of a queue's tasks since midnight.
type Today struct {
	Sum
	// By is the same by kind, of those that there were.
	By map[tandem.TaskKind]Sum `json:"by"`
}

// Sum is what became of tasks. Level is the service level, 0 to 1: of those that were taken up
// or left, the part that was taken up in time; P50 and P90 are the seconds that half, and nine
// in ten, did not wait longer than. All three are nil if there was none.
type Sum struct {
	Opened   int      `json:"opened"`
	Answered int      `json:"answered"`
	Within   int      `json:"within"`
	Left     int      `json:"left"`
	Level    *float64 `json:"level,omitempty"`
	P50      *float64 `json:"p50,omitempty"`
	P90      *float64 `json:"p90,omitempty"`
}

// Of is the sum of a kind; "" = of all.
func (t *Today) Of(k tandem.TaskKind) Sum {
	if k == "" {
		return t.Sum
	}
	return t.By[k]
}

// SumOf is what a count says.
func SumOf(c *figures.Counts) Sum {
	s := Sum{Opened: c.Opened, Answered: c.Answered, Within: c.Within, Left: c.Left}
	if level, ok := c.Level(); ok {
		s.Level = &level
	}
	for part, of := range map[float64]**float64{0.5: &s.P50, 0.9: &s.P90} {
		if d, ok := c.Waits.Part(part); ok {
			seconds := d.Seconds()
			*of = &seconds
		}
	}
	return s
}

// todayOf is a queue's; "" = of all.
func todayOf(day map[figures.Key]figures.Counts, queue string) Today {
	c := day[figures.Key{Queue: queue}]
	t := Today{Sum: SumOf(&c), By: map[tandem.TaskKind]Sum{}}
	for _, k := range Kinds() {
		if c, ok := day[figures.Key{Queue: queue, Kind: k}]; ok && c.Opened+c.Answered+c.Left > 0 {
			t.By[k] = SumOf(&c)
		}
	}
	return t
}
