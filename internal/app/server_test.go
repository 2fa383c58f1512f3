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

	"github.com/prometheus/client_golang/prometheus"

	"tandem"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/store"
)

// patience bounds every wait of these tests.
const patience = 90 * time.Second

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
	dir   string
	log   *lines
	ended sync.Once
}

// setup is what a server of a test has beside the flows "low" and "high".
type setup struct {
	flows   map[string]string    // by name, the part after "flow: NAME"
	files   map[string]string    // of the flows folder, by name
	entries string               // "" = entry 1 is low
	more    string               // of the configuration
	change  func(*config.Config) // what the file's own bounds do not let through
	before  func(*App)           // between New and Start
	fault   func(string) error

	unstarted bool // Start is left to the test
}

// tones are the recordings that flows of tests may play, half a second each.
var tones = map[string]float64{"low": 440, "high": 1130, "third": 1600, "fourth": 620}

const sayTone = `flow: %s
channels: [voice]
languages: [en]
start: hello
steps:
  hello: { say: { en: { audio: %s } }, next: end }
`

// newServer starts an App with a flow "low" on entry 1 and "high" beside it.
func newServer(t *testing.T) *server {
	t.Helper()
	return newServerWith(t, setup{})
}

func newServerWith(t *testing.T, o setup) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), log: &lines{}}
	for name, hz := range tones {
		write(t, s.path("flows/"+name+".wav"), "")
		if err := testkit.WriteWAV(s.path("flows/"+name+".wav"), testkit.Tone(hz, 500*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"low", "high"} {
		write(t, s.path("flows/"+name+".flow.yaml"), fmt.Sprintf(sayTone, name, name+".wav"))
	}
	write(t, s.path("flows/front.queues.yaml"), "queues: { front: {} }\nboxes: { front: { queue: front } }\n")
	for name, text := range o.flows {
		write(t, s.path("flows/"+name+".flow.yaml"), "flow: "+name+"\nchannels: [voice]\nlanguages: [en]\n"+text)
	}
	for name, text := range o.files {
		write(t, s.path("flows/"+name), text)
	}
	if err := os.MkdirAll(s.path("keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := config.CreateMasterKey(s.path("keys/master.key"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if o.entries == "" {
		o.entries = `{ "1": low }`
	}
	s.configure(t, o.entries, o.more)
	loaded, err := config.Load(s.path("tandem.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.change != nil {
		o.change(loaded.Config)
	}
	s.App, err = New(t.Context(), Options{Config: loaded, Log: slog.New(slog.NewTextHandler(s.log, nil)), Version: "test", fault: o.fault})
	if err != nil {
		t.Fatal(err)
	}
	if o.before != nil {
		o.before(s.App)
	}
	if o.unstarted {
		return s
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(errors.Join(err, s.Abandon()))
	}
	t.Cleanup(func() {
		s.end(t)
		if t.Failed() {
			t.Logf("the log:\n%s", s.log)
		}
	})
	return s
}

// end stops the server at once, if the test has not.
func (s *server) end(t *testing.T) {
	t.Helper()
	now := make(chan struct{})
	close(now)
	s.ended.Do(func() {
		if err := s.Stop(now); err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
}

func (s *server) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *server) configure(t *testing.T, entries, more string) {
	t.Helper()
	write(t, s.path("tandem.yaml"), `
http: { listen: "127.0.0.1:0", staff_listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0" }
sip: { listen: ["udp://127.0.0.1:0"] }
media: { ports: 0-0 }
limits: { late: 0s, cpu: 0, store_time: 0s }
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

// peer is a phone's signalling.
func (s *server) peer(t *testing.T) *testkit.Peer {
	t.Helper()
	return testkit.NewPeer(t, "udp", s.addr())
}

// call dials and returns the tone that was heard once the server hung up.
func (s *server) call(t *testing.T, user, from string) string {
	t.Helper()
	d := s.peer(t).Call(user, testkit.Options{From: from})
	d.WaitBye(patience)
	return testkit.Describe(heard(d))
}

// heard is what a call has heard of the tests' tones.
func heard(d *testkit.Dialog) []testkit.Span {
	return testkit.Transcript(testkit.Audio(d.RTP.Packets(time.Time{})), 440, 1130, 1600, 620)
}

// wait is until the log says something.
func (s *server) wait(t *testing.T, words string) {
	t.Helper()
	until(t, "in the log: "+words, func() bool { return strings.Contains(s.log.String(), words) })
}

// until waits for what shows nowhere as an event.
func until(t *testing.T, what string, there func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !there(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("it never came: %s", what)
		}
	}
}

// story waits until the only interaction of a caller is closed, and returns it.
func (s *server) story(t *testing.T, from string) store.Story {
	t.Helper()
	var found store.Story
	until(t, "the story of "+from, func() bool {
		all, err := s.store.List(t.Context(), store.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, x := range all {
			one, err := s.store.Interaction(t.Context(), string(x.Interaction.ID))
			if err != nil {
				t.Fatal(err)
			}
			if len(one.Legs) > 0 && one.Legs[0].From == from {
				found = one
				n++
			}
		}
		if n > 1 {
			t.Fatalf("%d interactions of %s", n, from)
		}
		return n == 1 && found.Interaction.State == tandem.Closed
	})
	return found
}

// events are the data of a story's events of one kind.
func events(story store.Story, kind tandem.EventKind) []string {
	var out []string
	for _, e := range story.Events {
		if e.Kind == kind {
			out = append(out, string(e.Data))
		}
	}
	return out
}

// ended says how the caller's leg of a story ended.
func ended(story store.Story) tandem.Reason { return story.Legs[0].Termination.Reason }

// metric is the value of a counter with these labels, as "name{where=call}".
func (s *server) metric(t *testing.T, name, label, value string) float64 {
	t.Helper()
	return gathered(t, s.registry, name, label, value)
}

func gathered(t *testing.T, g prometheus.Gatherer, name, label, value string) (sum float64) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == label && l.GetValue() == value {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

// startTaken starts a server one of whose addresses is taken, and returns its error.
func startTaken(t *testing.T, key, address string) error {
	t.Helper()
	s := &server{dir: t.TempDir(), log: &lines{}}
	write(t, s.path("flows/low.flow.yaml"), fmt.Sprintf(sayTone, "low", "low.wav"))
	if err := testkit.WriteWAV(s.path("flows/low.wav"), testkit.Tone(440, 100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.path("keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := config.CreateMasterKey(s.path("keys/master.key"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	s.configure(t, `{ "1": low }`, "")
	loaded, err := config.Load(s.path("tandem.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	switch key {
	case "http.listen":
		loaded.Config.HTTP.Listen = address
	case "http.admin_listen":
		loaded.Config.HTTP.AdminListen = address
	case "sip.listen":
		loaded.Config.SIP.Listen = []string{"udp://" + address}
	}
	a, err := New(t.Context(), Options{Config: loaded, Log: slog.New(slog.NewTextHandler(s.log, nil)), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	err = a.Start(t.Context())
	return errors.Join(err, a.Abandon())
}
