package phone

import (
	"testing"

	"tandem"
)

// A customer who calls while they are called is busy, and in line: they are not given up.
func TestCustomerCallsWhileCalled(t *testing.T) {
	h := newHouse(t, nil)
	waits := task(tandem.TaskCallback, "anna")
	waits.Tries = 1 // it is the last try
	agentWaits(h, waits)
	customer := h.number.Rung(patience)
	h.line.mu.Lock()
	h.line.task.Kind = tandem.TaskCall
	h.line.mu.Unlock()
	customer.Rejects(486, "Busy Here")
	h.line.told(t, "release moved again")
	h.idle()
}
