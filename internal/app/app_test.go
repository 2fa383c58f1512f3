package app

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/store"
)

func TestRemappedEntryServesTheNextCall(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	if heard := s.call(t, "1", "a"); !strings.Contains(heard, "440") {
		t.Fatalf("heard %s", heard)
	}
	s.configure(t, `{ "1": nowhere }`, "")
	s.wait(t, "the old entries stay in use")
	if text := s.get(t, "http.admin_listen", "/readyz"); !strings.HasPrefix(text, "ok\n") || !strings.Contains(text, "tandem.yaml was changed and is wrong; the old entries serve:") {
		t.Errorf("while the file is wrong readyz says %q", text)
	}
	if heard := s.call(t, "1", "b"); !strings.Contains(heard, "440") {
		t.Errorf("after a wrong mapping, heard %s", heard)
	}
	write(t, s.path("flows/nowhere.flow.yaml"), fmt.Sprintf(sayTone, "nowhere", "high.wav"))
	s.wait(t, "entries read again") // by itself: the flow it lacked is there now
	if text := s.get(t, "http.admin_listen", "/readyz"); text != "ok\n" {
		t.Errorf("after the missing flow came readyz says %q", text)
	}
	if heard := s.call(t, "1", "d"); !strings.Contains(heard, "1130") {
		t.Errorf("after the missing flow came, heard %s", heard)
	}
	s.configure(t, `{ "1": high, "2": low }`, "")
	s.wait(t, "entries=2")
	if heard := s.call(t, "1", "c"); !strings.Contains(heard, "1130") {
		t.Errorf("after the mapping changed, heard %s", heard)
	}
}

// An entry that begins to record is held against its flow, as at the start.
func TestRemappedEntryMayNotRecordUntold(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{entries: `{ "1": join }`, flows: map[string]string{
		"join": "start: a\nsteps: { a: { transfer: { to: \"sip:x@pbx.example\" }, next: { else: end } } }\n",
	}})
	s.configure(t, `{ "1": { flow: join, record: true } }`, "")
	s.wait(t, "the flows do not fit the entries")
	if e := (*s.entries.Load())[0]; e.Record {
		t.Errorf("the entry is %+v", e)
	}
	s.configure(t, `{ "1": join, "2": { flow: low, record: true } }`, "")
	s.wait(t, "entries read again")
	if e := *s.entries.Load(); len(e) != 2 || !e[1].Record {
		t.Errorf("the entries are %+v", e)
	}
}

// A secret that signs nothing is told before anything listens.
func TestNotifySecret(t *testing.T) {
	s := newServerWith(t, setup{change: func(c *config.Config) { c.Notify.URL, c.Notify.Secret = "http://127.0.0.1:1/", "short" }, unstarted: true})
	err := s.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "notify.secret") || len(s.doors) != 0 || len(s.sip.Addrs()) != 0 {
		t.Errorf("%v, listening on %v", err, s.sip.Addrs())
	}
	if err := s.Abandon(); err != nil {
		t.Error(err)
	}
}

func TestSavedFlowServesTheNextCall(t *testing.T) {
	t.Parallel()
	s := newServer(t)
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
	s := newServer(t)
	now := time.Now()
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, s.random), Number: tandem.NewNumber(s.random), Entry: "1", Flow: "low", State: tandem.Open, Started: now}
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, s.random), Interaction: in.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer, From: "13800000000", Started: now, Answered: now}
	change := &store.Change{Interaction: &in, Legs: []tandem.Leg{leg}, Events: []tandem.Event{tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOpened, "system", nil)}}
	if err := s.store.Commit(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	u := store.Unfinished{Interaction: in, Legs: []tandem.Leg{leg}, Last: now.Add(time.Second)}
	if err := s.closeCut(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if err := s.closeCut(t.Context(), u); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("closing it again gives %v", err)
	}
	story, err := s.store.Interaction(t.Context(), string(in.ID))
	if err != nil {
		t.Fatal(err)
	}
	if story.Interaction.Ended.IsZero() || len(story.Legs) != 1 || story.Legs[0].Termination.Reason != tandem.ReasonCrash {
		t.Errorf("left as %+v, %+v", story.Interaction, story.Legs)
	}
	if len(story.Tasks) != 1 || story.Tasks[0].Kind != tandem.TaskCallback || !story.Tasks[0].Arrived.Equal(in.Started) {
		t.Errorf("tasks %+v, want a callback at the place of the call", story.Tasks)
	}
}
