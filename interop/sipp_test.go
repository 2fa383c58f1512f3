package interop

import (
	"strings"
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
				runSIPp(t, s, testkit.Scenario{File: c.file, Server: s.SIP, User: c.user, TCP: transport == "tcp",
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

// runSIPp runs a scenario, again when the server turned calls away for load: to SIPp
// that is a failed call, to a server on a busy machine it is the right answer.
func runSIPp(t *testing.T, s *testkit.Server, c testkit.Scenario) {
	t.Helper()
	const tries = 3
	for try := 1; ; try++ {
		err := testkit.StartSIPp(t, c)()
		if err == nil {
			return
		}
		if try == tries || !strings.Contains(err.Error(), "503 Service Unavailable") {
			t.Error(err)
			return
		}
		t.Logf("calls were turned away for load, try %d of %d", try, tries)
		s.Ready(t)
	}
}
