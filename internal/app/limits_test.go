package app

import (
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/internal/testkit"
)

// waiting says a tone and waits for a key for a long time.
const waiting = `start: ask
steps:
  ask:
    menu: { prompt: { en: { audio: low.wav } }, barge_in: none, timeout: 60s, tries: 1, choices: [ { keys: "1", go: bye } ] }
    next: { no_input: end, no_match: end }
  bye: { say: { en: { audio: high.wav } }, next: end }
`

func TestLongestCall(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{entries: `{ "1": waiting }`, flows: map[string]string{"waiting": waiting},
		change: func(c *config.Config) { c.Limits.MaxCallTime = time.Second }})
	begun := time.Now()
	d := s.peer(t).Call("1", testkit.Options{From: "13900000001"})
	d.WaitBye(patience)
	if long := time.Since(begun); long < 900*time.Millisecond || long > patience/2 {
		t.Errorf("it lasted %v", long)
	}
	if story := s.story(t, "13900000001"); ended(story) != tandem.ReasonMaxDuration {
		t.Errorf("ended by %v", ended(story))
	}
}

// While the server drains, new calls are told when to come again and the one that
// is up goes on to its own end.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{entries: `{ "1": waiting }`, flows: map[string]string{"waiting": waiting}})
	d := s.peer(t).Call("1", testkit.Options{From: "13900000001"})
	d.RTP.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
	stopped := make(chan error, 1)
	s.ended.Do(func() {
		go func() { stopped <- s.Stop(make(chan struct{})) }()
	})
	s.wait(t, "draining")
	p := s.peer(t)
	late := p.NewInvite("1", testkit.Options{From: "13900000002"})
	p.Send(late.Invite)
	if no := p.Final(testkit.Patience, late.Invite); no.Status() != 503 || no.Get("Retry-After") == "" {
		t.Errorf("a new call gets %s, Retry-After %q", no.Start, no.Get("Retry-After"))
	}
	select {
	case err := <-stopped:
		t.Fatalf("it stopped under a call: %v", err)
	default:
	}
	d.RTP.Type("1")
	d.RTP.Hear(patience, time.Time{}, 1130, 100*time.Millisecond)
	d.WaitBye(patience)
	select {
	case err := <-stopped:
		if err != nil {
			t.Errorf("stopping: %v", err)
		}
	case <-time.After(patience):
		t.Error("it does not stop after its last call")
	}
}

// Asked to stop at once it ends the calls that are up, and says so in the journal.
func TestStopAtOnce(t *testing.T) {
	s := newServerWith(t, setup{entries: `{ "1": waiting }`, flows: map[string]string{"waiting": waiting}})
	d := s.peer(t).Call("1", testkit.Options{From: "13900000001"})
	d.RTP.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
	now, stopped := make(chan struct{}), make(chan error, 1)
	s.ended.Do(func() {
		go func() { stopped <- s.Stop(now) }()
	})
	s.wait(t, "draining")
	close(now)
	asked := time.Now()
	d.WaitBye(patience)
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
	if long := time.Since(asked); long > patience/2 {
		t.Errorf("it took %v", long)
	}
	s.wait(t, string(tandem.ReasonShutdown))
}

// A door that is taken is named with the key that sets it, and nothing stays open.
func TestTakenPorts(t *testing.T) {
	first := newServer(t)
	for key, address := range map[string]string{
		"http.listen": first.Addresses()["http.listen"][0], "http.admin_listen": first.Addresses()["http.admin_listen"][0],
		"sip.listen": first.addr().String(),
	} {
		t.Run(key, func(t *testing.T) {
			err := startTaken(t, key, address)
			if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), address) || tandem.CodeOf(err) != tandem.CodeInvalid {
				t.Errorf("it says: %v", err)
			}
		})
	}
}

// A phone from which nothing is heard is given up after media.rtp_timeout.
func TestSilentPhone(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{entries: `{ "1": waiting }`, flows: map[string]string{"waiting": waiting},
		change: func(c *config.Config) { c.Media.RTPTimeout = time.Second }})
	d := s.peer(t).Call("1", testkit.Options{From: "13900000001"})
	d.RTP.Quiet()
	d.WaitBye(patience)
	if story := s.story(t, "13900000001"); ended(story) != tandem.ReasonMediaTimeout {
		t.Errorf("ended by %v", ended(story))
	}
	if orNever(time.Second) != time.Second || orNever(0) < 100*365*24*time.Hour {
		t.Errorf("a limit of 0 is %v", orNever(0))
	}
}
