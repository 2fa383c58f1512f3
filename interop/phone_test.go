package interop

import (
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

// TestPhone has baresip, a real phone, call the set-up.
func TestPhone(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "baresip")
	s := serve(t, testkit.Set("entries.mailbox", "mailbox"), testkit.Set("entries.menus", "menus"))
	t.Run("listens and hangs up", func(t *testing.T) { t.Parallel(); phoneListens(t, s) })
	t.Run("holds", func(t *testing.T) { t.Parallel(); phoneHolds(t, s) })
	t.Run("types", func(t *testing.T) { t.Parallel(); phoneTypes(t, s) })
	t.Run("leaves a message", func(t *testing.T) { t.Parallel(); phoneLeavesMessage(t, s) })
	t.Run("is hung up on", func(t *testing.T) { t.Parallel(); phoneIsHungUpOn(t, s) })
	t.Cleanup(func() {
		if s.Alive() {
			s.Verify(t)
		}
	})
}

// heardTone waits until a phone's recording holds so much of a tone.
func heardTone(t *testing.T, p *testkit.Phone, hz int, long, wait time.Duration) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(wait)
	for {
		spans := testkit.Transcript(p.Heard(), 400, 500, 800, 1000, 1600)
		if testkit.ToneTime(spans, hz) >= long {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("the phone did not hear %v of %d Hz within %v, but %s\n%s", long, hz, wait, testkit.Describe(spans), p.Log())
		}
	}
}

func phoneListens(t *testing.T, s *testkit.Server) {
	for _, o := range []testkit.PhoneOptions{{Law: "PCMU"}, {Law: "PCMA"}, {TCP: true}} {
		o.Name = caller()
		p := testkit.NewPhone(t, o)
		target := "1000"
		p.Dial(target, s.SIP)
		heardTone(t, p, loopHz, time.Second, soon)
		p.Hangup()
		s.Ended(t, soon, o.Name, tandem.ReasonHangup)
	}
}

func phoneHolds(t *testing.T, s *testkit.Server) {
	who := caller()
	p := testkit.NewPhone(t, testkit.PhoneOptions{Name: who})
	p.Dial("1000", s.SIP)
	heardTone(t, p, loopHz, time.Second, soon)
	p.Hold()
	stopsHearing(t, p)
	p.Resume()
	// Baresip records nothing after a hold: that audio comes back is for the scripted
	// peer to prove. Here it is enough that the phone was content.
	heldTwice(t, s, who)
	p.Hangup()
	s.Ended(t, soon, who, tandem.ReasonHangup)
}

// heldTwice waits until a caller's hold and resume are in the journal.
func heldTwice(t *testing.T, s *testkit.Server, who string) {
	t.Helper()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(soon)
	for {
		for _, i := range s.Interactions(t) {
			if strings.Contains(i.From, who) && testkit.Kinds(s.Story(t, string(i.ID)))[tandem.EventHold] == 2 {
				return
			}
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("hold and resume of %s are not in the journal", who)
		}
	}
}

// stopsHearing waits until nothing new comes to a phone's recording: a phone takes
// a while to have its hold agreed to, and drops what is asked of it before.
func stopsHearing(t *testing.T, p *testkit.Phone) {
	t.Helper()
	const still = 500 * time.Millisecond
	look := time.NewTicker(still)
	defer look.Stop()
	deadline := time.After(soon)
	for had := -1; ; {
		heard := len(p.Heard())
		if heard == had {
			return
		}
		had = heard
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal("a phone on hold is still sent audio")
		}
	}
}

func phoneTypes(t *testing.T, s *testkit.Server) {
	who := caller()
	p := testkit.NewPhone(t, testkit.PhoneOptions{Name: who})
	p.Dial("menus", s.SIP)
	heardTone(t, p, 400, 500*time.Millisecond, soon)
	p.Type("1")
	heardTone(t, p, 500, 300*time.Millisecond, soon)
	p.Type("2")
	heardTone(t, p, 800, 300*time.Millisecond, soon)
	p.Type("3")
	heardTone(t, p, 1000, time.Second, soon)
	p.Closed(soon)
	s.Ended(t, soon, who, tandem.ReasonCompleted)
}

func phoneLeavesMessage(t *testing.T, s *testkit.Server) {
	who := caller()
	p := testkit.NewPhone(t, testkit.PhoneOptions{Name: who, Says: testkit.Tone(1000, time.Second)})
	p.Dial("mailbox", s.SIP)
	heardTone(t, p, briefHz, 1500*time.Millisecond, soon)
	// The message has no end of its own: speak for a while, then hang up.
	speak := time.NewTimer(5 * time.Second)
	<-speak.C
	p.Hangup()
	story := s.Closed(t, soon, who)
	if n := testkit.Kinds(story)[tandem.EventVoicemail]; n != 1 {
		t.Errorf("%d messages in the journal, want one: %v", n, testkit.Kinds(story))
	}
	if len(story.Tasks) != 1 || story.Tasks[0].Kind != tandem.TaskVoicemail || story.Tasks[0].Blob == "" {
		t.Errorf("tasks: %+v, want one voicemail with its recording", story.Tasks)
	}
}

func phoneIsHungUpOn(t *testing.T, s *testkit.Server) {
	p := testkit.NewPhone(t, testkit.PhoneOptions{Name: caller()})
	p.Dial("1002", s.SIP)
	p.Closed(soon + 2*time.Second)
	heard := testkit.Transcript(p.Heard(), briefHz)
	if got := testkit.ToneTime(heard, briefHz); got < 1800*time.Millisecond {
		t.Errorf("heard %s, want 2 s of %d Hz", testkit.Describe(heard), briefHz)
	}
}

// TestTransfer joins a caller to a real phone: both hear each other, keys pass,
// hold and hang-up work from either side, and an absent phone is told.
func TestTransfer(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "baresip")
	callee := testkit.NewPhone(t, testkit.PhoneOptions{Name: "desk", Says: testkit.Tone(1000, time.Second), Answers: true})
	s := serve(t, testkit.Set("entries.onward", "onward"), testkit.Set("flows.settings.phone", callee.URI()),
		testkit.Set("outbound.allow", []string{"sip:" + callee.Addr().String()}),
		testkit.Set("outbound.per_number_per_hour", 100), testkit.Set("outbound.per_number_per_day", 100))
	for _, end := range []string{"callee", "caller"} {
		who := caller()
		d := testkit.NewPeer(t, "udp", s.SIP).Call("onward", testkit.Options{From: who})
		d.RTP.Talk(testkit.Tone(1600, time.Second))
		callee.Wait(soon+5*time.Second, "CALL_ESTABLISHED")
		d.RTP.Hear(soon, time.Time{}, 1000, time.Second)
		heardTone(t, callee, 1600, time.Second, soon)
		d.RTP.Type("5")
		if key := callee.Wait(soon, "CALL_DTMF_START").Param; key != "5" {
			t.Errorf("key 5 came to the phone as %q", key)
		}
		callee.Hold()
		stopsHearing(t, callee)
		callee.Resume()
		d.RTP.Hear(soon, time.Now(), 1000, time.Second)
		if got := d.Reinvite("sendonly").Direction; got != "recvonly" && got != "inactive" {
			t.Errorf("hold during a transfer was answered %s", got)
		}
		d.Reinvite("sendrecv")
		d.RTP.Hear(soon, time.Now(), 1000, time.Second)
		if end == "callee" {
			callee.Hangup()
			d.WaitBye(soon)
		} else {
			d.Bye()
			callee.Closed(soon)
		}
		story := s.Closed(t, soon, who)
		if len(story.Legs) != 2 || testkit.Kinds(story)[tandem.EventDialled] != 1 {
			t.Errorf("%d legs, events %v, want two legs and one call out", len(story.Legs), testkit.Kinds(story))
		}
		for _, leg := range story.Legs {
			if leg.Termination.IsZero() {
				t.Errorf("leg to %s has no termination", leg.To)
			}
		}
	}
	s.Verify(t)
}

// TestTransferDenied has the flow call a number that the configuration does not allow.
func TestTransferDenied(t *testing.T) {
	t.Parallel()
	victim := testkit.NewPeer(t, "udp", testkit.Loopback(9))
	s := serve(t, testkit.Set("entries.onward", "onward"), testkit.Set("flows.settings.phone", "sip:victim@"+victim.Local().String()))
	who := caller()
	d := testkit.NewPeer(t, "udp", s.SIP).Call("onward", testkit.Options{From: who})
	d.RTP.Hear(soon+3*time.Second, time.Time{}, 800, time.Second)
	d.WaitBye(soon + 5*time.Second)
	if got, called := victim.Take(100*time.Millisecond, func(*testkit.Message) bool { return true }); called {
		t.Errorf("a number not allowed was called: %s", got.Start)
	}
	story := s.Closed(t, soon, who)
	if n := testkit.Kinds(story)[tandem.EventDialled]; n != 0 {
		t.Errorf("%d calls out in the journal, want none", n)
	}
	if !strings.Contains(story.Interaction.Flow, "onward") {
		t.Errorf("the flow was %s", story.Interaction.Flow)
	}
}
