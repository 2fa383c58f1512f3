package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/flows"
	"tandem/internal/config"
	"tandem/internal/mockbank"
	"tandem/internal/testkit"
	"tandem/store"
)

// ourNumber writes texts; customer is somebody whom the mock core bank knows.
const (
	ourNumber = "+861055550100"
	customer  = "+8613800000001"
	stranger  = "+8613900000007" // in no list of texts.allow, and nobody's customer
)

// textServer is a server of the sample flows with a gateway of texts, the phones behind
// it, and the mock core bank.
type textServer struct {
	*server
	texts *testkit.Texts
	url   string // of the customers' door
	setup textSetup
	core  string // HOST:PORT of the bank
}

// textSetup is what a textServer has beside that.
type textSetup struct {
	flows   map[string]string        // files of the flows folder, by name
	wavs    map[string]time.Duration // tones among them, and how long they are
	base    string                   // "" = textEntries
	entries string                   // more of them, a line each
	texts   string                   // the key texts; "" = all of +86138
	numbers []string                 // of ours; nil = ourNumber
	more    string                   // of the configuration
	change  func(*config.Config)     // what the file's own bounds do not let through
	before  func(*App)               // between New and Start
	fault   func(string) error       // of the disk
}

const textEntries = `
  "1": counter
  "2": night_desk
  "chat:demo": counter
  "chat:night": night_desk
  "sms:+861055550100": counter
  "qr:branch-12": { flow: counter, site: demo, place: Branch 12 }
`

func newTextServer(t *testing.T, o textSetup) *textServer {
	t.Helper()
	s := &textServer{server: &server{dir: t.TempDir(), log: &lines{}}, setup: o}
	copyFlows(t, s.path("flows"))
	for name, text := range o.flows {
		write(t, s.path("flows/"+name), text)
	}
	for name, long := range o.wavs {
		if err := testkit.WriteWAV(s.path("flows/"+name), testkit.Tone(440, long)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(s.path("keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := config.CreateMasterKey(s.path("keys/master.key"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	address := testkit.FreeAddress(t)
	s.url = "http://" + address
	if s.setup.numbers == nil {
		s.setup.numbers = []string{ourNumber}
	}
	s.texts = testkit.NewTexts(t, s.url+"/api/v1/sms/phones", s.setup.numbers...)
	bank := httptest.NewServer(mockbank.New(mockbank.Options{Now: time.Now, Random: rand.Reader, Secret: s.texts.Secret}))
	t.Cleanup(bank.Close)
	s.core = strings.TrimPrefix(bank.URL, "http://")
	if s.setup.base == "" {
		s.setup.base = textEntries
	}
	s.configure(t, s.setup.base+o.entries)
	s.start(t)
	return s
}

// copyFlows lays out the sample flows; their recordings come with the program.
func copyFlows(t *testing.T, dir string) {
	t.Helper()
	err := fs.WalkDir(flows.Sample(), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == "prompts":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dir, path), 0o755)
		}
		data, err := fs.ReadFile(flows.Sample(), path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, path), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// configure writes the configuration with these entries.
func (s *textServer) configure(t *testing.T, entries string) {
	t.Helper()
	texts := s.setup.texts
	if texts == "" {
		texts = `{ allow: [ "+86138" ] }`
	}
	write(t, s.path("tandem.yaml"), fmt.Sprintf(`
name: Harbour Bank
http: { listen: %q, staff_listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0" }
sip: { listen: ["udp://127.0.0.1:0"] }
media: { ports: 0-0 }
limits: { late: 0s, cpu: 0, store_time: 0s }
speech: { engine: none }
flows: { settings: { core: "http://%s", agent: "sip:agent@127.0.0.1:9" }, http_allow: [ "%[2]s" ] }
outbound: { allow: [ "sip:127.0.0.1:9", "+86138" ] }
chat:
  sites:
    demo: { title: { en: Harbour Bank }, call_back: true, queue: cards, origins: [ "https://www.bank.example" ] }
    night: { origins: [ "https://night.example" ] }
sms: { gateways: { phones: { kind: webhook, url: "%s/webhook", secret: %q, numbers: [ %[8]s ] } } }
texts: %[5]s
identity: { service: "http://%[2]s", secret: %[4]q }
entries:%[6]s
%[7]s`, strings.TrimPrefix(s.url, "http://"), s.core, s.texts.URL, s.texts.Secret, texts, entries, s.setup.more,
		`"`+strings.Join(s.setup.numbers, `", "`)+`"`))
}

// start makes an App of the configuration, and has it end with the test.
func (s *textServer) start(t *testing.T) {
	t.Helper()
	loaded, err := config.Load(s.path("tandem.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.setup.change != nil {
		s.setup.change(loaded.Config)
	}
	s.App, err = New(t.Context(), Options{Config: loaded, Log: slog.New(slog.NewTextHandler(s.log, nil)), Version: "test", fault: s.setup.fault})
	if err != nil {
		t.Fatal(err)
	}
	if s.setup.before != nil {
		s.setup.before(s.App)
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
}

// restart stops the server and starts it again, on the same store and addresses.
func (s *textServer) restart(t *testing.T) {
	t.Helper()
	s.end(t)
	s.ended = sync.Once{}
	s.start(t)
}

// visit is a new visitor of the site demo, in English.
func (s *textServer) visit(t *testing.T) *testkit.Chat {
	t.Helper()
	return testkit.NewChat(t, s.url, testkit.ChatOptions{Site: "demo"})
}

// latest waits for the newest interaction that came in by an entry, but for those that are
// known already, and returns it as it is now.
func (s *textServer) latest(t *testing.T, entry string, but ...tandem.InteractionID) store.Story {
	t.Helper()
	var found store.Story
	until(t, "an interaction by "+entry, func() bool {
		all, err := s.store.List(t.Context(), store.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		var newest *store.Summary
		for i := range all {
			x := &all[i]
			if x.Interaction.Entry != entry || in(but, x.Interaction.ID) || newest != nil && x.Interaction.Started.Before(newest.Interaction.Started) {
				continue
			}
			newest = x
		}
		if newest == nil {
			return false
		}
		found = s.read(t, newest.Interaction.ID)
		return true
	})
	return found
}

func in[T comparable](all []T, one T) bool {
	for _, x := range all {
		if x == one {
			return true
		}
	}
	return false
}

// read is an interaction as the journal has it.
func (s *textServer) read(t *testing.T, id tandem.InteractionID) store.Story {
	t.Helper()
	story, err := s.store.Interaction(t.Context(), string(id))
	if err != nil {
		t.Fatal(err)
	}
	return story
}

// shows waits until an interaction is as it should be.
func (s *textServer) shows(t *testing.T, id tandem.InteractionID, what string, fits func(store.Story) bool) store.Story {
	t.Helper()
	var story store.Story
	defer func() {
		if t.Failed() {
			t.Logf("the interaction is %s, outcome %q:\n%s", story.Interaction.State, story.Interaction.Outcome, tell(story))
		}
	}()
	until(t, what, func() bool {
		story = s.read(t, id)
		return fits(story)
	})
	return story
}

// tell lists a story's events, for failure messages.
func tell(story store.Story) string {
	var b strings.Builder
	for _, e := range story.Events {
		fmt.Fprintf(&b, "%s %s %s %.200s\n", e.At.Format("15:04:05.000"), e.Kind, e.Actor, e.Data)
	}
	return b.String()
}

// verify checks all journals.
func (s *textServer) verify(t *testing.T) {
	t.Helper()
	verdict, err := s.store.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !verdict.OK {
		t.Errorf("the journals do not verify: %+v", verdict)
	}
}
