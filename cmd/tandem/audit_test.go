package main

import (
	"encoding/json"
	"testing"

	"tandem/bridge/queue/audit"
)

// TestAudit: the line of the journal is right, until somebody has their hands in it.
func TestAudit(t *testing.T) {
	journalWithCalls(t)
	expect(t, 0, "audit", "right", "1 task, 1 of them live", "cards")
	var r audit.Report
	if err := json.Unmarshal([]byte(expect(t, 0, "audit --json")), &r); err != nil || !r.OK || r.Tasks != 1 || len(r.Queues) != 1 || r.Queues[0].Waiting != 1 {
		t.Errorf("%v, %+v", err, r)
	}
	expect(t, 1, "audit now", "one argument too many")
	tamper(t, "data/tandem.db", "UPDATE task SET state = 'done', outcome = 'served'")
	expect(t, 1, "audit", "wrong: the state of task", "WRONG")
	tamper(t, "data/tandem.db", "DELETE FROM task")
	expect(t, 1, "audit", "it is lost", "WRONG")
}
