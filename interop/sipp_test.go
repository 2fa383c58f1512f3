package interop

import (
	"testing"
	"time"

	"tandem/internal/testkit"
)

// TestSIPp runs SIPp's scenarios against the set-up over UDP and TCP.
func TestSIPp(t *testing.T) {
	testkit.Need(t, "sipp")
	s := serve(t)
	for _, c := range []struct {
		name, file, user string
		calls            int
	}{
		// One after the other: SIPp takes a 503 for load as a failed call.
		{"caller hangs up", "sipp/bye.xml", "1000", 10},
		{"server hangs up", "sipp/brief.xml", "1002", 10},
		{"late offer", "sipp/late_offer.xml", "1000", 5},
		{"hold and resume", "sipp/hold.xml", "1000", 5},
		{"cancel", "sipp/cancel.xml", "1001", 5},
		{"rings first", "sipp/ring.xml", "1001", 3},
		{"no such number", "sipp/notfound.xml", "999", 5},
		{"load shape", "sipp/bye.xml", "sig", 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothTransports(t, func(t *testing.T, transport string) {
				testkit.SIPp(t, testkit.Scenario{File: c.file, Server: s.SIP, User: c.user, TCP: transport == "tcp",
					Calls: c.calls, Timeout: 40 * time.Second})
			})
		})
	}
	t.Cleanup(func() {
		if !s.Alive() {
			t.Error("the server is gone")
			return
		}
		s.Verify(t)
	})
}
