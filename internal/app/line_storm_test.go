package app

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/store/staff"
)

// stormFlow waits in line, with or without end, and says good bye.
const stormFlow = `flow: %s
channels: [voice, chat, sms]
languages: [en]
start: hello
prompts:
  hello: { en: { text: "One moment.", audio: blip.wav } }
  bye: { en: { text: "Good bye.", audio: blip.wav } }
steps:
  hello: { say: hello, next: line }
  line:
    queue: { name: %s, %soffer: { callback: "1", sms: "3" } }
    next: { answered: bye, callback: bye, else: bye }
  bye: { say: bye, next: end }
`

const stormPolicy = `queues:
  counter: { teams: [crew], overflow: [ { after: 1s, teams: [night] } ], prefer_last: 1s, target: { voice: 5s, chat: 10s, sms: 20s } }
  cards: { teams: [crew, night], target: { voice: 4s, chat: 12s }, callback: { tries: 1 } }
teams: { crew: {}, night: {} }
agents:
  a0: { teams: [crew], capacity: { chat: 3, sms: 3 } }
  a1: { teams: [crew], capacity: { chat: 2, sms: 2 } }
  a2: { teams: [crew, night], capacity: { chat: 1 } }
  a3: { teams: [night], capacity: { chat: 3, sms: 1 } }
  p0: { teams: [crew] }
  p1: { teams: [crew, night] }
`

// storm is a server in which everybody does what they like.
type storm struct {
	*textServer
	t       *testing.T
	over    atomic.Bool // from now on everybody does their work
	ended   chan struct{}
	phones  sync.WaitGroup
	counts  sync.Map
	carrier *testkit.Callee
}

func (s *storm) count(what string) {
	n, _ := s.counts.LoadOrStore(what, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

// pause waits, or not if the storm's last work is done.
func (s *storm) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ended:
		return false
	}
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// TestStorm has everybody do what they like at once: customers by three channels who come,
// choose, write, lose their connection and leave; agents who take, let pass, come too late,
// write, pass on, hand back and go; supervisors who pull, move and end. Then there is peace.
// Nothing is lost, nothing is there twice, and the line is never broken.
func TestStorm(t *testing.T) {
	t.Parallel()
	chats, texts, calls, long := 80, 80, 40, 10*time.Second
	if testing.Short() {
		chats, texts, calls, long = 12, 12, 8, 3*time.Second
	}
	s := &storm{t: t, ended: make(chan struct{}), carrier: testkit.NewCallee(t)}
	phones := map[string]*testkit.Callee{"p0": testkit.NewCallee(t), "p1": testkit.NewCallee(t)}
	s.textServer = newTextServer(t, textSetup{
		flows: map[string]string{
			"lined.flow.yaml": fmt.Sprintf(stormFlow, "lined", "counter", "max_wait: 1h, "), "brief.flow.yaml": fmt.Sprintf(stormFlow, "brief", "cards", "max_wait: 4s, "),
			"storm.queues.yaml": stormPolicy,
		},
		wavs:  map[string]time.Duration{"blip.wav": 100 * time.Millisecond},
		base:  "\n  \"3\": lined\n  \"4\": brief\n  \"chat:demo\": lined\n  \"chat:night\": brief\n  \"sms:+861055550100\": lined\n",
		texts: `{ allow: [ "+86138" ], per_hour: 10000, per_day: 10000, per_number_per_hour: 100, per_number_per_day: 100 }`,
		more:  fmt.Sprintf("line: { verify: true }\nagents: { p0: { phone: %q }, p1: { phone: %q } }\n", phones["p0"].URI("p0"), phones["p1"].URI("p1")),
		before: func(a *App) { // quicker than a file may say
			p := Policy(a.shelf.Current())
			p.Offer = map[tandem.Load]time.Duration{tandem.LoadVoice: 3 * time.Second, tandem.LoadChat: time.Second, tandem.LoadSMS: time.Second}
			p.WrapUp = map[tandem.Load]time.Duration{tandem.LoadChat: time.Second}
			p.DeclineRest, p.Misses = time.Second, 4
			a.line.Repolice(p)
		},
		change: func(c *config.Config) {
			c.SIP.Trunks = map[string]config.Trunk{"carrier": {Host: s.carrier.Local().String(), From: "+861055550100"}}
			c.SIP.Limits.CallsPerSource, c.SIP.Limits.InvitesPerSecond = 0, 0
			c.Chat.Limits.ConversationsPerHour, c.Chat.Limits.SocketsPerAddress = 10000, 10000
			c.Outbound.CallsPerHour, c.Outbound.CallsPerDay, c.Outbound.CallsAtOnce, c.Outbound.MinutesPerDay = 1000, 1000, 100, 100000
		},
	})
	seeds := rand.New(rand.NewPCG(20261122, 5))
	seed := func() *rand.Rand { return rand.New(rand.NewPCG(seeds.Uint64(), 5)) }
	names := []string{"a0", "a1", "a2", "a3", "p0", "p1"}
	var agents []*clerk
	for _, name := range names {
		c := s.program(t, name, staff.ScopeAgent)
		c.try("PUT", "/agent/alive", nil, nil)
		c.is(t, tandem.PresenceAvailable)
		agents = append(agents, c)
	}
	var staffed, customers sync.WaitGroup
	for _, c := range agents {
		random := seed()
		staffed.Go(func() { s.agent(c, names, random) })
	}
	for range 2 {
		c, random := s.program(t, "", staff.ScopeLineRead, staff.ScopeLineWrite), seed()
		staffed.Go(func() { s.supervisor(c, names, random) })
	}
	for _, p := range phones {
		random := seed()
		s.phones.Go(func() { s.phone(p, random) })
	}
	random := seed()
	s.phones.Go(func() { s.phone(s.carrier, random) })
	for i := range chats {
		random, site := seed(), []string{"demo", "night"}[i%2]
		customers.Go(func() { s.chatter(site, random, long) })
	}
	for i := range texts {
		random, inbox := seed(), s.texts.Inbox(fmt.Sprintf("+86138%08d", 20000+i))
		customers.Go(func() { s.texter(inbox, random, long) })
	}
	for i := range calls {
		random, p := seed(), s.peer(t)
		rtp := testkit.NewRTP(t)
		customers.Go(func() { s.caller(p, rtp, []string{"3", "4"}[i%2], fmt.Sprintf("+86138%08d", 40000+i), random, long) })
	}
	customers.Wait()
	s.over.Store(true)
	live := func() (n int) {
		for _, task := range s.line.Tasks("", 0) {
			if task.NotBefore.After(time.Now().Add(20 * time.Second)) { // a customer who did not answer: not today
				if err := s.line.End(t.Context(), task.ID, tandem.OutcomeClosed, nil); err != nil {
					t.Error(err)
				}
			}
			n++
		}
		return n
	}
	deadline := time.Now().Add(60 * time.Second)
	for live() > 0 {
		if time.Now().After(deadline) {
			t.Errorf("still in line: %+v\nagents: %+v", s.line.Tasks("", 0), s.line.Agents())
			break
		}
		s.pause(50 * time.Millisecond)
	}
	s.idle(t)
	close(s.ended)
	staffed.Wait()
	s.phones.Wait()
	until(t, "the last session's end", func() bool {
		for _, one := range s.everything(t) {
			if one.Interaction.State != tandem.Closed {
				return false
			}
		}
		return true
	})
	stories := s.everything(t)
	if len(stories) < chats+texts {
		t.Errorf("%d interactions", len(stories))
	}
	tasks := map[string]int{}
	for _, one := range stories {
		if one.Interaction.Outcome == "" {
			t.Errorf("interaction %s of %s has no outcome", one.Interaction.ID, one.Interaction.Entry)
		}
		for _, task := range one.Tasks {
			tasks[string(task.Kind)+" "+task.Outcome]++
			if task.State != tandem.TaskDone || task.Outcome == "" {
				t.Errorf("task %+v", task)
			}
		}
		for _, l := range one.Legs {
			if l.Ended.IsZero() {
				t.Errorf("a leg is up: %+v", l)
			}
		}
	}
	s.sound(t)
	t.Logf("%d interactions, tasks %v", len(stories), tasks)
	var told []string
	s.counts.Range(func(what, n any) bool {
		told = append(told, fmt.Sprintf("%s %d", what, n.(*atomic.Int64).Load()))
		return true
	})
	t.Log(strings.Join(told, ", "))
	if t.Failed() {
		t.Log(s.log)
	}
}

// agent works, the more so once the storm is over.
func (s *storm) agent(c *clerk, names []string, random *rand.Rand) {
	var alive time.Time
	for s.pause(between(random, 20*time.Millisecond, 120*time.Millisecond)) {
		peace := s.over.Load()
		if time.Since(alive) > 5*time.Second {
			alive = time.Now()
			s.does(c, "PUT", "/agent/alive", nil)
		}
		if peace || random.IntN(40) == 0 {
			p := tandem.PresenceAvailable
			if !peace && random.IntN(3) == 0 {
				p = []tandem.Presence{tandem.PresenceAway, tandem.PresenceOffline}[random.IntN(2)]
			}
			s.does(c, "PUT", "/agent/presence", map[string]any{"presence": p})
		}
		for _, h := range c.holds() {
			s.handles(c, h, names, random, peace)
		}
	}
}

func (s *storm) does(c *clerk, method, path string, body any) {
	status, text := c.try(method, path, body, nil)
	s.count(fmt.Sprintf("%s %d", path[strings.LastIndex(path, "/")+1:], status))
	if status == 0 || status >= 500 {
		s.t.Errorf("%s %s %v: %d %s", method, path, body, status, text)
	}
}

func (s *storm) handles(c *clerk, h hand, names []string, random *rand.Rand, peace bool) {
	path, fence := "/tasks/"+string(h.Task)+"/", map[string]any{"fence": h.Fence}
	switch h.State {
	case tandem.TaskOffered:
		if h.Kind.Load() == tandem.LoadVoice && random.IntN(4) > 0 { // that is for the phone
			return
		}
		switch n := random.IntN(10); {
		case peace || n < 5:
			s.does(c, "POST", path+"accept", fence)
			if n == 0 {
				s.does(c, "POST", path+"accept", fence)
			}
		case n < 7:
			s.does(c, "POST", path+"decline", fence)
		case n == 7:
			s.does(c, "POST", path+"accept", map[string]any{"fence": h.Fence - 1})
		}
	case tandem.TaskAssigned:
		if h.Kind == tandem.TaskCall || h.Kind == tandem.TaskCallback {
			if peace || random.IntN(20) > 0 {
				return
			}
		}
		switch n := random.IntN(12); {
		case peace || n < 3:
			s.does(c, "POST", path+"release", fence)
		case n == 3:
			s.does(c, "POST", path+"hand_back", fence)
		case n == 4:
			s.does(c, "POST", path+"transfer", map[string]any{"fence": h.Fence, "queue": []string{"counter", "cards"}[random.IntN(2)]})
		case n == 5:
			s.does(c, "POST", path+"transfer", map[string]any{"fence": h.Fence, "agent": names[random.IntN(len(names))]})
		case n < 8 && (h.Kind == tandem.TaskChat || h.Kind == tandem.TaskText):
			s.does(c, "POST", path+"messages", map[string]any{"client": fmt.Sprint("m-", random.IntN(50)), "text": "Good day."})
		case n == 8:
			s.does(c, "POST", path+"notes", map[string]any{"client": fmt.Sprint("n-", random.IntN(50)), "text": "A note."})
		}
	case tandem.TaskWrapping:
		if random.IntN(3) == 0 {
			s.does(c, "POST", path+"wrap", map[string]any{"fence": h.Fence})
		}
	}
}

// supervisor meddles.
func (s *storm) supervisor(c *clerk, names []string, random *rand.Rand) {
	for s.pause(between(random, 30*time.Millisecond, 150*time.Millisecond)) {
		if s.over.Load() {
			return
		}
		var line struct{ Tasks []struct{ ID tandem.TaskID } }
		if status, text := c.try("GET", "/line?limit=100", nil, &line); status != http.StatusOK {
			s.t.Errorf("the line: %d %s", status, text)
			return
		}
		if len(line.Tasks) == 0 {
			continue
		}
		path, name := "/tasks/"+string(line.Tasks[random.IntN(len(line.Tasks))].ID)+"/", names[random.IntN(len(names))]
		switch random.IntN(12) {
		case 0, 1, 2:
			s.does(c, "POST", path+"pull", map[string]any{"agent": name})
		case 3, 4, 5:
			s.does(c, "POST", path+"priority", map[string]any{"seconds": random.IntN(20)})
		case 6, 7:
			s.does(c, "POST", path+"queue", map[string]any{"queue": []string{"counter", "cards"}[random.IntN(2)]})
		case 8:
			s.does(c, "POST", path+"end", map[string]any{"why": "it is enough"})
		case 9:
			s.does(c, "PUT", "/agents/"+name+"/presence", map[string]any{"presence": []string{"available", "offline"}[random.IntN(2)]})
		}
	}
}

// phone is answered, refuses, or rings till it is given up.
func (s *storm) phone(p *testkit.Callee, random *rand.Rand) {
	for s.pause(0) {
		d, ok := p.Rings(200 * time.Millisecond)
		if !ok {
			continue
		}
		own := rand.New(rand.NewPCG(random.Uint64(), 1))
		s.phones.Go(func() { s.rung(d, own) })
	}
}

func (s *storm) rung(d *testkit.Dialog, random *rand.Rand) {
	of := func(methods ...string) func(*testkit.Message) bool {
		return func(m *testkit.Message) bool {
			for _, method := range methods {
				if testkit.Requests(method)(m) && m.Get("Call-ID") == d.Invite.Get("Call-ID") {
					return true
				}
			}
			return false
		}
	}
	d.Says(180, "Ringing")
	n, wait := random.IntN(10), between(random, 0, 300*time.Millisecond)
	if n == 9 && !s.over.Load() {
		wait = 20 * time.Second
	}
	cancel, cancelled := d.Take(wait, of("CANCEL"))
	switch {
	case cancelled:
		d.Send(cancel.Reply(200, "OK", ""))
		d.Says(487, "Request Terminated")
		d.Take(testkit.Patience, of("ACK"))
		s.count("phone cancelled")
		return
	case n < 2 && !s.over.Load():
		d.Says([]int{486, 603}[n], "No")
		d.Take(testkit.Patience, of("ACK"))
		s.count("phone refused")
		return
	}
	offer, err := testkit.ParseMedia(d.Invite.Body)
	if err != nil {
		s.t.Error(err)
		return
	}
	d.RTP.Aim(offer.Address)
	d.RTP.Talk(testkit.Tone(agentHz, time.Second))
	defer d.RTP.Quiet()
	d.Send(d.Invite.Reply(200, "OK", d.OwnTag()).Add("Contact", "<sip:phone@"+d.Local().String()+">").With("application/sdp", testkit.SDP(d.RTP.Port(), 1, "")))
	d.Take(testkit.Patience, of("ACK"))
	s.count("phone answered")
	if bye, ok := d.Take(between(random, 100*time.Millisecond, 2*time.Second), of("BYE")); ok {
		d.Send(bye.Reply(200, "OK", ""))
		return
	}
	gone(d)
}

// chatter comes by chat and writes.
func (s *storm) chatter(site string, random *rand.Rand, long time.Duration) {
	until := time.Now().Add(long)
	s.pause(between(random, 0, long*2/3))
	c := testkit.LaterChat(s.t, s.url, testkit.ChatOptions{Site: site})
	if err := c.Connect(testkit.Patience); err != nil {
		s.t.Errorf("a visitor: %v", err)
		return
	}
	c.Open()
	for n := 0; time.Now().Before(until); n++ {
		s.pause(between(random, 100*time.Millisecond, 2*time.Second))
		switch random.IntN(8) {
		case 0:
			c.Cut()
			s.pause(between(random, 0, 500*time.Millisecond))
			_ = c.Connect(testkit.Patience)
		case 1:
			c.Say([]string{"1", "3"}[random.IntN(2)]) // no number of theirs is known
		default:
			if _, over := c.Sees(0, func(m testkit.ChatMessage) bool { return m.Text == "Good bye." }); over {
				return
			}
			c.Say(fmt.Sprint("words ", n))
		}
	}
}

// texter writes texts.
func (s *storm) texter(inbox *testkit.Inbox, random *rand.Rand, long time.Duration) {
	s.pause(between(random, 0, long*2/3))
	inbox.Says("hello")
	for range random.IntN(4) {
		s.pause(between(random, 500*time.Millisecond, 3*time.Second))
		if got := inbox.Got(); len(got) > 0 && strings.Contains(got[len(got)-1].Text, "Good bye.") {
			return
		}
		inbox.Says([]string{"1", "words", "more words"}[random.IntN(3)])
	}
}

// caller waits in line, presses a key or not, and hangs up or is hung up on.
func (s *storm) caller(p *testkit.Peer, rtp *testkit.RTP, number, from string, random *rand.Rand, long time.Duration) {
	s.pause(between(random, 0, long*2/3))
	d := p.NewInvite(number, testkit.Options{From: from, RTP: rtp})
	p.Send(d.Invite)
	final, ok := p.Take(2*testkit.Patience, func(m *testkit.Message) bool { return m.Status() >= 200 && testkit.Answers(d.Invite)(m) })
	if !ok || final.Status() != 200 {
		if ok {
			p.Send(d.AckFailure(final))
		}
		s.count("call turned away")
		return
	}
	s.count("call")
	d.Established(final)
	p.Send(d.Ack())
	rtp.Aim(d.ServerMedia())
	rtp.Talk(testkit.Tone(callerHz, time.Second))
	defer rtp.Quiet()
	theirs := func(m *testkit.Message) bool {
		return testkit.Requests("BYE")(m) && m.Get("Call-ID") == d.Invite.Get("Call-ID")
	}
	for range 1 + random.IntN(3) {
		if bye, ok := p.Take(between(random, 200*time.Millisecond, 3*time.Second), theirs); ok {
			p.Send(bye.Reply(200, "OK", ""))
			return
		}
		if random.IntN(3) == 0 {
			rtp.Type("1")
		}
	}
	if random.IntN(2) == 0 { // they stay till they are served
		if bye, ok := p.Take(30*time.Second, theirs); ok {
			p.Send(bye.Reply(200, "OK", ""))
			return
		}
	}
	gone(d)
}
