package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/store"
)

// patience bounds every wait of these tests.
const patience = 15 * time.Second

// lines is a log that tests wait on.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// server is an App on ports of its own, with its folder and its log.
type server struct {
	*App
	dir string
	log *lines
}

const sayTone = `flow: %s
channels: [voice]
languages: [en]
start: hello
steps:
  hello: { say: { en: { audio: %s } }, next: end }
`

// newServer starts an App with a flow "low" on entry 1 and "high" beside it.
func newServer(t *testing.T, more string) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), log: &lines{}}
	write(t, s.path("flows/low.flow.yaml"), fmt.Sprintf(sayTone, "low", "low.wav"))
	write(t, s.path("flows/high.flow.yaml"), fmt.Sprintf(sayTone, "high", "high.wav"))
	for name, hz := range map[string]float64{"low.wav": 440, "high.wav": 1130} {
		if err := testkit.WriteWAV(s.path("flows/"+name), testkit.Tone(hz, 500*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(s.path("keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := config.CreateMasterKey(s.path("keys/master.key"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	s.configure(t, `{ "1": low }`, more)
	loaded, err := config.Load(s.path("tandem.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.App, err = New(t.Context(), Options{Config: loaded, Log: slog.New(slog.NewTextHandler(s.log, nil)), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(errors.Join(err, s.Abandon()))
	}
	t.Cleanup(func() {
		now := make(chan struct{})
		close(now)
		if err := s.Stop(now); err != nil {
			t.Errorf("stopping: %v", err)
		}
		if t.Failed() {
			t.Logf("the log:\n%s", s.log)
		}
	})
	return s
}

func (s *server) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *server) configure(t *testing.T, entries, more string) {
	t.Helper()
	write(t, s.path("tandem.yaml"), `
http: { listen: "127.0.0.1:0", staff_listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0" }
sip: { listen: ["udp://127.0.0.1:0"] }
media: { ports: 0-0 }
speech: { engine: none }
entries: `+entries+"\n"+more)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *server) addr() netip.AddrPort {
	return netip.MustParseAddrPort(strings.TrimPrefix(s.Addresses()["sip.listen"][0], "udp://"))
}

// call dials and returns the tone that was heard once the server hung up.
func (s *server) call(t *testing.T, user, from string) string {
	t.Helper()
	d := testkit.NewPeer(t, "udp", s.addr()).Call(user, testkit.Options{From: from})
	start := time.Time{}
	d.WaitBye(patience)
	return testkit.Describe(testkit.Transcript(testkit.Audio(d.RTP.Packets(start)), 440, 1130))
}

// wait is until the log says something.
func (s *server) wait(t *testing.T, words string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if strings.Contains(s.log.String(), words) {
			return
		}
	}
	t.Fatalf("the log never said %q", words)
}

func TestRemappedEntryServesTheNextCall(t *testing.T) {
	s := newServer(t, "")
	if heard := s.call(t, "1", "a"); !strings.Contains(heard, "440") {
		t.Fatalf("heard %s", heard)
	}
	s.configure(t, `{ "1": nowhere }`, "")
	s.wait(t, "the old entries stay in use")
	if heard := s.call(t, "1", "b"); !strings.Contains(heard, "440") {
		t.Errorf("after a wrong mapping, heard %s", heard)
	}
	s.configure(t, `{ "1": high, "2": low }`, "")
	s.wait(t, "entries read again")
	if heard := s.call(t, "1", "c"); !strings.Contains(heard, "1130") {
		t.Errorf("after the mapping changed, heard %s", heard)
	}
}

func TestSavedFlowServesTheNextCall(t *testing.T) {
	s := newServer(t, "")
	write(t, s.path("flows/low.flow.yaml"), "flow: low\nsteps: [oops\n")
	s.wait(t, "the old ones go on serving")
	if heard := s.call(t, "1", "a"); !strings.Contains(heard, "440") {
		t.Errorf("after a broken save, heard %s", heard)
	}
	write(t, s.path("flows/low.flow.yaml"), fmt.Sprintf(sayTone, "low", "high.wav"))
	s.wait(t, "flows read again")
	if heard := s.call(t, "1", "b"); !strings.Contains(heard, "1130") {
		t.Errorf("after a good save, heard %s", heard)
	}
}

func TestAddresses(t *testing.T) {
	for _, tc := range []struct{ bind, public, listen, host, want string }{
		{"auto", "auto", "udp://127.0.0.1:5060", "127.0.0.1", "127.0.0.1"},
		{"0.0.0.0", "auto", "udp://0.0.0.0:5060", "127.0.0.1", "127.0.0.1"},
		{"10.0.0.5", "203.0.113.7", "udp://10.0.0.5:5060", "198.51.100.9", "203.0.113.7"},
		{"10.0.0.5", "203.0.113.7", "udp://10.0.0.5:5060", "192.168.3.4", "10.0.0.5"},
		{"10.0.0.5", "2001:db8::7, 203.0.113.7", "udp://10.0.0.5:5060", "198.51.100.9", "203.0.113.7"},
	} {
		a, err := newAddresses(tc.bind, tc.public, tc.listen)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.toward(netip.MustParseAddr(tc.host)).String(); got != tc.want {
			t.Errorf("bound %s, public %s: %s is told %s, want %s", tc.bind, tc.public, tc.host, got, tc.want)
		}
	}
}

// A call that a crash cut off is closed once, and its caller gets a callback.
func TestCrashedCallsAreClosed(t *testing.T) {
	s := newServer(t, "")
	now := time.Now()
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, s.random), Number: tandem.NewNumber(s.random), Entry: "1", Flow: "low", State: tandem.Open, Started: now}
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, s.random), Interaction: in.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer, From: "13800000000", Started: now, Answered: now}
	change := &store.Change{Interaction: &in, Legs: []tandem.Leg{leg}, Events: []tandem.Event{tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOpened, "system", nil)}}
	if err := s.store.Commit(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	u := store.Unfinished{Interaction: in, Legs: []tandem.Leg{leg}, Last: now.Add(time.Second)}
	if err := s.store.Commit(t.Context(), s.crashed(u)); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Commit(t.Context(), s.crashed(u)); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("closing it again gives %v", err)
	}
	story, err := s.store.Interaction(t.Context(), string(in.ID))
	if err != nil {
		t.Fatal(err)
	}
	if story.Interaction.State != tandem.Closed || len(story.Legs) != 1 || story.Legs[0].Termination.Reason != tandem.ReasonCrash {
		t.Errorf("left as %+v, %+v", story.Interaction, story.Legs)
	}
	if len(story.Tasks) != 1 || story.Tasks[0].Kind != tandem.TaskCallback || !story.Tasks[0].Arrived.Equal(in.Started) {
		t.Errorf("tasks %+v, want a callback at the place of the call", story.Tasks)
	}
}
