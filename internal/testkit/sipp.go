package testkit

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Scenario is one run of SIPp.
type Scenario struct {
	File    string // scenario XML, or the name of one built in: "uac", "uas"
	Server  netip.AddrPort
	User    string            // user part called
	TCP     bool              // one connection for all calls; else UDP
	Calls   int               // 0 = 1
	Rate    int               // calls a second; 0 = 10
	Timeout time.Duration     // for the whole run; 0 = 30 s
	Keys    map[string]string // [name] in the scenario
	Port    int               // local port; 0 = one found free
	Auth    [2]string         // digest user and password
}

// SIPp runs a scenario as a child process and fails the test, with SIPp's own error
// log, unless every call went as the scenario says.
func SIPp(t testing.TB, s Scenario) {
	t.Helper()
	Need(t, "sipp")
	wait := StartSIPp(t, s)
	if err := wait(); err != nil {
		t.Error(err)
	}
}

// StartSIPp starts a scenario and returns what waits for its end.
func StartSIPp(t testing.TB, s Scenario) (wait func() error) {
	t.Helper()
	Need(t, "sipp")
	if s.Calls == 0 {
		s.Calls = 1
	}
	if s.Rate == 0 {
		s.Rate = 10
	}
	if s.Timeout == 0 {
		s.Timeout = 30 * time.Second
	}
	ports := FreePorts(t, 2)
	if s.Port == 0 {
		s.Port = ports[0]
	}
	dir := t.TempDir()
	errors := filepath.Join(dir, "errors.log")
	args := []string{"-i", "127.0.0.1", "-p", strconv.Itoa(s.Port), "-mi", "127.0.0.1", "-cp", strconv.Itoa(ports[1]),
		"-m", strconv.Itoa(s.Calls), "-r", strconv.Itoa(s.Rate), "-nostdin", "-skip_rlimit",
		"-timeout", fmt.Sprintf("%ds", int(s.Timeout.Seconds())), "-timeout_error", "-trace_err", "-error_file", errors}
	if strings.HasSuffix(s.File, ".xml") {
		path, err := filepath.Abs(s.File)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "-sf", path)
	} else {
		args = append(args, "-sn", s.File)
	}
	if s.Server.IsValid() {
		args = append(args, s.Server.String())
	}
	if s.User != "" {
		args = append(args, "-s", s.User)
	}
	if s.TCP {
		args = append(args, "-t", "t1")
	}
	if s.Auth[0] != "" {
		args = append(args, "-au", s.Auth[0], "-ap", s.Auth[1])
	}
	for name, value := range s.Keys {
		args = append(args, "-key", name, value)
	}
	log := &lockedBuffer{}
	cmd := exec.Command("sipp", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	c := run(t, "sipp", cmd, log)
	return func() error {
		t.Helper()
		select {
		case <-c.done:
		case <-time.After(s.Timeout + 10*time.Second):
			return fmt.Errorf("SIPp %s did not end in %v", s.File, s.Timeout)
		}
		if c.err == nil {
			return nil
		}
		why, _ := os.ReadFile(errors)
		const most = 3000
		if len(why) > most {
			why = why[:most]
		}
		if len(why) == 0 {
			why = []byte(log.String())
		}
		return fmt.Errorf("SIPp %s to %s: %w\n%s", filepath.Base(s.File), s.User, c.err, why)
	}
}
