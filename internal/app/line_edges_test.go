package app

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
	"tandem/store/staff"
)

// Who is not let into line, or has waited as long as they may, hears so, and nobody's phone
// rings for them.
func TestNotLetIn(t *testing.T) {
	t.Parallel()
	closed := map[string]string{"never.calendar.yaml": "calendar: never\ntime_zone: UTC\nweekly: { mon: \"00:00-00:01\" }\n"}
	for _, c := range []struct {
		name, queue string
		files       map[string]string
		presence    tandem.Presence
		callers     int
		outcomes    []string
	}{
		{"full", "full: 1", nil, tandem.PresenceAway, 2, nil},
		{"closed", "hours: never", closed, tandem.PresenceAvailable, 1, nil},
		{"nobody there", "full: 9", nil, tandem.PresenceOffline, 1, nil},
		{"too long", "max_wait: 2s", nil, tandem.PresenceAway, 1, []string{"call done max_wait"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHotlineOf(t, hotlineSetup{policy: strings.Replace(linePolicy, "target: { voice: 20s }", c.queue, 1), files: c.files}, "anna")
			h.presents(t, "anna", c.presence)
			for range c.callers - 1 {
				h.waits(t, "1", "13900000009")
				h.stands(t, "13900000009")
			}
			d := h.waits(t, "1", "13900000001")
			d.WaitBye(patience)
			if got := testkit.Describe(heard(d)); !strings.Contains(got, "1600") {
				t.Errorf("the caller heard %s", got)
			}
			if got := outcomes(h.story(t, "13900000001")); !slices.Equal(got, c.outcomes) {
				t.Errorf("the tasks are %v", got)
			}
			if !h.anna.Silent(quiet) {
				t.Error("a phone rang")
			}
			h.sound(t)
		})
	}
}

// The end of the wait cuts no offer short: who is answered then is served, and who is not
// has waited too long at once.
func TestTheWaitEndsDuringAnOffer(t *testing.T) {
	t.Parallel()
	for _, answered := range []bool{true, false} {
		h := newHotlineOf(t, hotlineSetup{policy: strings.Replace(linePolicy, "target: { voice: 20s }", "max_wait: 1s", 1)}, "anna")
		d := h.waits(t, "1", "13900000001")
		phone := h.anna.Rung(patience)
		phone.Says(180, "Ringing")
		until(t, "the wait to be over", func() bool {
			all := h.line.Tasks("cards", 0)
			return len(all) == 1 && all[0].State == tandem.TaskOffered && time.Now().After(all[0].Expires.Add(300*time.Millisecond))
		})
		want := "call done max_wait"
		if answered {
			want = "call done served"
			picks(t, phone, d)
			phone.Bye()
		} else {
			phone.Rejects(486, "Busy Here")
		}
		d.WaitBye(patience)
		if got := outcomes(h.story(t, "13900000001")); !slices.Equal(got, []string{want}) {
			t.Errorf("answered %t: the tasks are %v", answered, got)
		}
		h.idle(t)
		h.sound(t)
	}
}

// Whatever becomes of the first agent's phone, the caller goes to the next, and hears
// nothing of it but music.
func TestPhonesThatAreNoUse(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(*testkit.Dialog){
		"busy":        func(d *testkit.Dialog) { d.Rejects(486, "Busy Here") },
		"declined":    func(d *testkit.Dialog) { d.Rejects(603, "Decline") },
		"unavailable": func(d *testkit.Dialog) { d.Rejects(480, "Temporarily Unavailable") },
		"broken":      func(d *testkit.Dialog) { d.Rejects(500, "Server Internal Error") },
		"elsewhere":   func(d *testkit.Dialog) { d.Rejects(302, "Moved Temporarily") },
		"no audio":    func(d *testkit.Dialog) { d.Rejects(488, "Not Acceptable Here") },
		"dead":        func(*testkit.Dialog) {}, // it says not even that it rings
		"garbage": func(d *testkit.Dialog) {
			for _, junk := range []string{"\x00\xff\xfe", "SIP/2.0 200\r\n\r\n", "SIP/2.0 999 ?\r\n" + strings.Repeat("X: y\r\n", 500) + "\r\n", "INVITE\r\n\r\n", strings.Repeat("\r\n", 50)} {
				d.SendRaw([]byte(junk))
			}
			bad := d.Invite.Reply(200, "OK", d.OwnTag()).Add("Contact", "<sip:\x00;;>").With("application/sdp", "v=0\r\nm=audio x RTP/AVP 300\r\n")
			d.Send(bad)
			d.SendRaw([]byte("SIP/2.0 200 OK\r\nVia: " + d.Invite.Get("Via") + "\r\nCall-ID: " + d.Invite.Get("Call-ID") + "\r\nCSeq: 1 BYE\r\n\r\n"))
			d.Rejects(500, "Server Internal Error")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := ""
			if name == "dead" {
				policy = lapsing
			}
			h := newHotlineOf(t, hotlineSetup{policy: policy}, "anna", "ben")
			d := h.waits(t, "1", "13900000001")
			first := h.anna.Rung(patience)
			fails(first)
			phone := h.ben.Rung(patience)
			picks(t, phone, d)
			phone.Bye()
			d.WaitBye(patience)
			if name == "dead" { // and comes to life: too late
				first.Says(180, "Ringing")
				first.Cancelled(patience)
			}
			story := h.story(t, "13900000001")
			if got := outcomes(story); !slices.Equal(got, []string{"call done served"}) {
				t.Errorf("the tasks are %v", got)
			}
			h.idle(t)
			h.legsEnd(t)
			h.sound(t)
		})
	}
}

// An agent who does not answer is away after as many misses as the policy says, and a
// caller is never without a place meanwhile.
func TestAnAgentWhoIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHotlineOf(t, hotlineSetup{policy: lapsing + "  misses: 2\n  decline_rest: 0s\n"}, "anna")
	d := h.waits(t, "1", "13900000001")
	for range 2 {
		phone := h.anna.Rung(patience)
		phone.Says(180, "Ringing")
		phone.Cancelled(patience)
	}
	until(t, "anna to be away", func() bool { a, _ := h.line.Agent("anna"); return a.Presence == tandem.PresenceAway })
	if !h.anna.Silent(quiet) {
		t.Error("the phone of who is away rings")
	}
	tasks := h.line.Tasks("cards", 0)
	if len(tasks) != 1 || tasks[0].State != tandem.TaskWaiting {
		t.Fatalf("in line are %+v", tasks)
	}
	h.presents(t, "ben", tandem.PresenceAvailable)
	phone := h.ben.Rung(patience)
	picks(t, phone, d)
	d.Bye()
	phone.WaitBye(patience)
	h.idle(t)
	h.sound(t)
}

// Two agents who answer for one caller: the line gives them to one, whoever is first, and
// the other's phone is hung up on.
func TestTwoAnswer(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna", "ben")
	anna, ben := h.program(t, "anna", staff.ScopeAgent), h.program(t, "ben", staff.ScopeAgent)
	d := h.waits(t, "1", "13900000001")
	phone := h.anna.Rung(patience)
	phone.Says(180, "Ringing")
	task := h.line.Tasks("cards", 0)[0]
	path, fence := "/tasks/"+string(task.ID)+"/", map[string]any{"fence": task.Fence}
	ben.asks(t, 409, "POST", path+"accept", fence, nil) // it is not his
	for _, what := range []string{"release", "hand_back", "wrap"} {
		ben.asks(t, 409, "POST", path+what, fence, nil)
	}
	ben.asks(t, 409, "POST", path+"transfer", map[string]any{"fence": task.Fence, "agent": "anna"}, nil)
	for _, what := range []string{"messages", "notes"} {
		ben.asks(t, 404, "POST", path+what, map[string]any{"client": "c1", "text": "x"}, nil)
	}
	for _, what := range []string{"", "/messages", "/audio", "/ticket"} {
		ben.asks(t, 404, "GET", "/tasks/"+string(task.ID)+what, nil, nil)
	}
	if now, _ := h.line.Task(task.ID); now.State != tandem.TaskOffered || now.Agent != "anna" {
		t.Fatalf("what ben does changes %+v", now)
	}
	anna.asks(t, 204, "POST", path+"decline", fence, nil)
	second := h.ben.Rung(patience)
	picks(t, second, d)
	late := phone.Invite.Reply(200, "OK", phone.OwnTag()).Add("Contact", "<sip:anna@"+phone.Local().String()+">").With("application/sdp", testkit.SDP(phone.RTP.Port(), 1, ""))
	phone.Send(late) // she picks up all the same
	theirs := func(m *testkit.Message) bool { return m.Get("Call-ID") == phone.Invite.Get("Call-ID") }
	if bye, ok := phone.Take(patience, func(m *testkit.Message) bool { return testkit.Requests("BYE")(m) && theirs(m) }); !ok {
		t.Error("the late phone is not hung up on")
	} else {
		phone.Send(bye.Reply(200, "OK", ""))
	}
	anna.asks(t, 409, "POST", path+"accept", fence, nil)
	now, _ := h.line.Task(task.ID)
	anna.asks(t, 409, "POST", path+"release", map[string]any{"fence": now.Fence}, nil)
	second.Bye()
	d.WaitBye(patience)
	h.idle(t)
	h.sound(t)
}

// A customer who hangs up at the very moment an agent picks up: nobody is left on a phone,
// and no task is left with anybody.
func TestHangingUpAtTheMomentOfTheAnswer(t *testing.T) {
	t.Parallel()
	rounds := 60 // on each of two phones
	if testing.Short() {
		rounds = 10
	}
	at := strings.NewReplacer("start: hello", "start: wait").Replace(lineFlow)
	h := newHotlineOf(t, hotlineSetup{line: at, policy: linePolicy + "  decline_rest: 0s\n  misses: 0\n"}, "anna", "ben")
	h.cfg.SIP.Limits.InvitesPerSecond = 0
	s := &storm{textServer: &textServer{server: h.server}, t: t, ended: make(chan struct{})}
	var made atomic.Int32
	var customers sync.WaitGroup
	for i, phone := range []*testkit.Callee{h.anna, h.ben} {
		p, rtp, random := h.peer(t), testkit.NewRTP(t), rand.New(rand.NewPCG(3, uint64(i)))
		customers.Go(func() {
			for range rounds {
				d := p.NewInvite("1", testkit.Options{From: "13900000001", RTP: rtp})
				p.Send(d.Invite)
				final, ok := p.Take(patience, func(m *testkit.Message) bool { return m.Status() >= 200 && testkit.Answers(d.Invite)(m) })
				if !ok || final.Status() != 200 {
					if ok {
						p.Send(d.AckFailure(final))
						s.pause(300 * time.Millisecond) // turned away for load
					}
					continue
				}
				d.Established(final)
				p.Send(d.Ack())
				ring, ok := phone.Rings(2 * time.Second) // either's caller may be given to either
				if !ok {
					gone(d)
					continue
				}
				made.Add(1)
				ring.Send(ring.Invite.Reply(200, "OK", ring.OwnTag()).Add("Contact", "<sip:phone@"+ring.Local().String()+">").With("application/sdp", testkit.SDP(ring.RTP.Port(), 1, "")))
				s.pause(between(random, 0, 25*time.Millisecond))
				gone(d)
				of := func(m *testkit.Message) bool { return m.Get("Call-ID") == ring.Invite.Get("Call-ID") }
				over, ok := ring.Take(patience, func(m *testkit.Message) bool { return of(m) && (m.Method() == "BYE" || m.Method() == "CANCEL") })
				if !ok {
					t.Error("an agent's phone is left up")
					return
				}
				ring.Send(over.Reply(200, "OK", ""))
				if over.Method() == "CANCEL" { // crossed with the answer: a BYE follows
					if bye, ok := ring.Take(patience, func(m *testkit.Message) bool { return of(m) && m.Method() == "BYE" }); ok {
						ring.Send(bye.Reply(200, "OK", ""))
					}
				}
			}
		})
	}
	customers.Wait()
	h.idle(t)
	if left := h.line.Tasks("", 0); len(left) > 0 {
		t.Errorf("in line are still %+v", left)
	}
	h.legsEnd(t)
	if int(made.Load()) < rounds {
		t.Errorf("only %d of %d times a phone was picked up", made.Load(), 2*rounds)
	}
	h.sound(t)
}

// repolices saves another queues file, and waits till the line goes by it.
func (h *hotline) repolices(t *testing.T, policy string, is func() bool) {
	t.Helper()
	write(t, h.path("flows/cards.queues.yaml"), policy)
	until(t, "the line to go by the new policy", is)
}

// A policy that is saved while callers wait moves nobody: who was taken off is offered
// nothing more, a queue that is gone keeps those who wait in it, and they are served once it is back.
func TestThePolicyChanges(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil)
	d := h.waits(t, "1", "13900000001")
	before := h.stands(t, "13900000001")
	gone := strings.NewReplacer("  cards: { teams", "  other: { teams").Replace(linePolicy)
	write(t, h.path("flows/line.flow.yaml"), "flow: line\nchannels: [voice]\nlanguages: [en]\n"+strings.NewReplacer("name: cards", "name: other", "high.wav", "fourth.wav").Replace(lineFlow))
	h.repolices(t, gone, func() bool { return h.line.Policy().Queues["cards"] == nil })
	h.presents(t, "anna", tandem.PresenceAvailable)
	if !h.anna.Silent(quiet) {
		t.Error("who waits in a queue that is gone was offered")
	}
	other := h.waits(t, "1", "13900000002") // by the new flow
	phone := h.anna.Rung(patience)
	picks(t, phone, other)
	without := strings.NewReplacer("  anna: { teams: [day], skills: { \"lang:en\": 3 } }\n", "", "teams: [day], target", "teams: [night], target", "queues:\n", "queues:\n  other: { teams: [day] }\n", "teams: { day: { site: here } }", "teams: { day: { site: here }, night: {} }", "ben: { teams: [day]", "ben: { teams: [night]").Replace(linePolicy)
	h.repolices(t, without, func() bool { return h.line.Policy().Queues["cards"] != nil })
	if now := h.line.Tasks("", 0); len(now) != 2 || !slices.ContainsFunc(now, func(x tandem.Task) bool {
		return x.ID == before.ID && x.Arrived.Equal(before.Arrived) && x.Due.Equal(before.Due) && x.State == tandem.TaskWaiting
	}) {
		t.Errorf("the place was %+v, in line are %+v", before, now)
	}
	since := time.Now()
	other.RTP.Hear(patience, since, agentHz, 200*time.Millisecond) // a talk goes on
	h.presents(t, "ben", tandem.PresenceAvailable)
	second := h.ben.Rung(patience)
	picks(t, second, d)
	second.Bye()
	d.WaitBye(patience)
	if got := testkit.Describe(heard(d)); !strings.Contains(got, "1130") { // the flow as it was when they came
		t.Errorf("the first caller heard %s", got)
	}
	phone.Bye()
	other.WaitBye(patience)
	for _, from := range []string{"13900000001", "13900000002"} {
		if got := outcomes(h.story(t, from)); !slices.Equal(got, []string{"call done served"}) {
			t.Errorf("the tasks of %s are %v", from, got)
		}
	}
	h.idle(t)
	h.sound(t)
}

// A store that fails while somebody waits, while they are offered and as an agent answers:
// nothing is assigned meanwhile, nobody is lost, and it goes on as soon as it can.
func TestTheStoreFailsInLine(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	h := newHotlineOf(t, hotlineSetup{fault: func(string) error {
		if down.Load() {
			return sqlite3.Error{Code: sqlite3.ErrFull}
		}
		return nil
	}})
	anna := h.program(t, "anna", staff.ScopeAgent)
	back := func() {
		down.Store(false)
		until(t, "the store", func() bool { return h.store.Healthy() == nil })
	}
	d := h.waits(t, "1", "13900000001")
	before := h.stands(t, "13900000001")
	down.Store(true) // in line
	if status, text := anna.try("PUT", "/agent/presence", map[string]any{"presence": "available"}, nil); status != 503 || !strings.Contains(text, "message") {
		t.Errorf("presence while the store fails: %d %s", status, text)
	}
	since := time.Now()
	d.RTP.Hear(patience, since, waitingHz, 500*time.Millisecond)
	back()
	h.presents(t, "anna", tandem.PresenceAvailable)
	phone := h.anna.Rung(patience)
	phone.Says(180, "Ringing")
	down.Store(true) // offered; and answered
	phone.RTP.Talk(testkit.Tone(agentHz, time.Second))
	phone.Picks()
	bye, ok := phone.Take(2*patience, func(m *testkit.Message) bool { return testkit.Requests("BYE")(m) })
	if ok {
		phone.Send(bye.Reply(200, "OK", ""))
	} else {
		t.Error("an agent whose answer could not be kept is left with nobody")
	}
	d.RTP.Hear(patience, time.Now(), waitingHz, 300*time.Millisecond)
	back()
	phone = h.anna.Rung(2 * patience)
	until(t, "the session to be in line", func() bool {
		k := h.live.get(before.Interaction)
		k.stay.mu.Lock()
		defer k.stay.mu.Unlock()
		return k.stay.wait.Kind == flow.WaitQueue && !k.stay.wait.Served
	})
	if now, _ := h.line.Task(before.ID); !now.Due.Equal(before.Due) || !now.Arrived.Equal(before.Arrived) {
		t.Errorf("the place was %+v and is %+v", before, now)
	}
	picks(t, phone, d)
	down.Store(true) // as they part
	phone.Bye()
	d.RTP.Wait(patience, time.Now(), func(ps []testkit.Packet) bool { return len(ps) > 20 })
	back()
	h.story(t, "13900000001")
	h.idle(t)
	if got := outcomes(h.story(t, "13900000001")); !slices.Equal(got, []string{"call done served"}) {
		t.Errorf("the tasks are %v", got)
	}
	h.sound(t)
}

// A server that is told to stop takes no new calls and offers nothing more; who speaks with
// an agent goes on, and who waits waits.
func TestDraining(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna")
	first := h.waits(t, "1", "13900000001")
	phone := h.anna.Rung(patience)
	picks(t, phone, first)
	second := h.waits(t, "1", "13900000002")
	h.stands(t, "13900000002")
	waits := h.line.Of(h.everything(t)[0].Interaction.ID)
	now, stopped := make(chan struct{}), make(chan error, 1)
	h.ended.Do(func() { go func() { stopped <- h.Stop(now) }() })
	until(t, "new calls to be refused", func() bool {
		p := h.peer(t)
		d := p.NewInvite("1", testkit.Options{From: "13900000003"})
		p.Send(d.Invite)
		got := p.Final(patience, d.Invite)
		if got.Status() == 200 {
			d.Established(got)
			p.Send(d.Ack())
			gone(d)
		} else if got.Status() == 503 && got.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		return got.Status() == 503
	})
	since := time.Now()
	first.RTP.Hear(patience, since, agentHz, 500*time.Millisecond)
	second.RTP.Hear(patience, since, waitingHz, 500*time.Millisecond)
	phone.Bye()
	first.WaitBye(patience)
	if !h.anna.Silent(quiet) {
		t.Error("somebody was offered by a server that stops")
	}
	close(now)
	second.WaitBye(patience)
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
	if len(waits) != 1 {
		t.Fatalf("in line were %+v", waits)
	}
	// The next start calls back who was in line, at their place; their flow was not told
	// that they had given up.
	loaded, err := config.Load(h.path("tandem.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := New(t.Context(), Options{Config: loaded, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Abandon()
	story, err := again.store.Interaction(t.Context(), string(waits[0].Interaction))
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(story); !slices.Equal(got, []string{"callback waiting "}) || !story.Tasks[0].Due.Equal(waits[0].Due) {
		t.Errorf("after the start: %q, due %v, before %v", got, story.Tasks[0].Due, waits[0].Due)
	}
	if slices.ContainsFunc(story.Events, func(e tandem.Event) bool {
		return e.Kind == tandem.EventOutcome && strings.Contains(string(e.Data), `"outcome":"left"`)
	}) {
		t.Error("the flow was told that the caller had left")
	}
}
