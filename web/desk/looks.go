package desk

import (
	"sync"
	"time"
)

const (
	lookFor  = 15 * time.Minute // for which one look at a talk counts: whoever follows it asks again and again
	maxLooks = 4096             // that are remembered; then all are forgotten, and written down anew
)

// looks has it written down who looks at what of others, once in a while.
type looks struct {
	mu sync.Mutex
	at map[string]time.Time
}

// once writes a look down unless it was of late; an error is that of write.
func (l *looks) once(look string, now time.Time, write func() error) error {
	l.mu.Lock()
	was, known := l.at[look]
	l.mu.Unlock()
	if age := now.Sub(was); known && age >= 0 && age < lookFor {
		return nil
	}
	if err := write(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil || len(l.at) >= maxLooks {
		l.at = map[string]time.Time{}
	}
	l.at[look] = now
	return nil
}
