package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store"
)

// kept is what a caller knows of its call, to be compared with the journal.
type kept struct {
	who, number string
	answered    bool      // the 200 came
	answeredAt  time.Time // when
	over        bool      // both sides agreed that it ended
	overAt      time.Time // when
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// TestKill ends the server by SIGKILL at random moments among calls, KILLS times
// (5 by default) with CALLS callers (50), and compares the journal after each
// restart with what the callers know.
func TestKill(t *testing.T) {
	kills, calls := number("KILLS", 5), number("CALLS", 50)
	s := serve(t, testkit.Set("entries.mailbox", "mailbox"))
	random := rand.New(rand.NewPCG(1, uint64(kills)))
	for round := range kills {
		stop := make(chan struct{})
		records := make(chan []kept, calls)
		var running sync.WaitGroup
		for range calls {
			p := testkit.NewPeer(t, "udp", s.SIP)
			rtp := testkit.NewRTP(t)
			rtp.Talk(testkit.Tone(1600, time.Second))
			seed := random.Uint64()
			running.Go(func() { records <- keepCalling(p, rtp, rand.New(rand.NewPCG(seed, 2)), stop) })
		}
		wait := time.NewTimer(500*time.Millisecond + time.Duration(random.IntN(6000))*time.Millisecond)
		<-wait.C
		killed := time.Now()
		s.Kill(t)
		close(stop)
		running.Wait()
		close(records)
		s.Start(t)
		var all []kept
		for r := range records {
			all = append(all, r...)
		}
		compare(t, s, round, killed, all)
		if t.Failed() {
			return
		}
	}
}

// keepCalling makes one call after the other until stopped. Nothing that fails here
// is a failure: the server dies in the middle.
func keepCalling(p *testkit.Peer, rtp *testkit.RTP, random *rand.Rand, stop chan struct{}) []kept {
	var records []kept
	for {
		select {
		case <-stop:
			return records
		default:
		}
		k := kept{who: caller(), number: []string{"1000", "1002", "1003", "mailbox"}[random.IntN(4)]}
		oneCall(p, rtp, random, stop, &k)
		records = append(records, k)
	}
}

func oneCall(p *testkit.Peer, rtp *testkit.RTP, random *rand.Rand, stop chan struct{}, k *kept) {
	d := p.NewInvite(k.number, testkit.Options{From: k.who, RTP: rtp})
	p.Send(d.Invite)
	final, ok := take(p, stop, 10*time.Second, func(m *testkit.Message) bool { return m.Status() >= 200 && testkit.Answers(d.Invite)(m) })
	if !ok || final.Status() != 200 {
		// Turned away, for load or because the server is going: try again in a while.
		_, _ = take(p, stop, 300*time.Millisecond, func(*testkit.Message) bool { return false })
		return
	}
	k.answered, k.answeredAt = true, time.Now()
	d.Established(final)
	p.Send(d.Ack())
	rtp.Aim(d.ServerMedia())
	defer rtp.Quiet()
	theirBye := func(m *testkit.Message) bool {
		return m.Status() == 0 && m.Method() == "BYE" && m.Get("Call-ID") == d.Invite.Get("Call-ID")
	}
	// A message takes the greeting of 2 s and a while to speak; others leave when they like.
	stay := time.Duration(random.IntN(3000)) * time.Millisecond
	if k.number == "mailbox" {
		stay += 2500 * time.Millisecond
	}
	if bye, ok := take(p, stop, stay, theirBye); ok {
		p.Send(bye.Reply(200, "OK", ""))
		k.over, k.overAt = true, time.Now()
		return
	}
	bye := d.Next("BYE")
	p.Send(bye)
	ours := testkit.Answers(bye)
	for {
		a, ok := take(p, stop, 5*time.Second, func(m *testkit.Message) bool { return ours(m) || theirBye(m) })
		switch {
		case !ok:
			return
		case ours(a.Message):
			k.over, k.overAt = true, time.Now()
			// Theirs may have crossed ours and still be under way.
			if late, crossed := take(p, stop, 20*time.Millisecond, theirBye); crossed {
				p.Send(late.Reply(200, "OK", ""))
			}
			return
		}
		p.Send(a.Reply(200, "OK", ""))
	}
}

// take is Peer.Take that also ends when the test says stop.
func take(p *testkit.Peer, stop chan struct{}, d time.Duration, fits func(*testkit.Message) bool) (testkit.Arrived, bool) {
	const slice = 100 * time.Millisecond
	for deadline := time.Now().Add(d); time.Now().Before(deadline); {
		if a, ok := p.Take(min(slice, time.Until(deadline)), fits); ok {
			return a, true
		}
		select {
		case <-stop:
			return testkit.Arrived{}, false
		default:
		}
	}
	return testkit.Arrived{}, false
}

// compare holds the journal against what the callers know.
func compare(t *testing.T, s *testkit.Server, round int, killed time.Time, records []kept) {
	t.Helper()
	s.Verify(t)
	journal := map[string][]store.Summary{}
	for _, i := range s.Interactions(t) {
		for name := range strings.FieldsFuncSeq(i.From, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
			if strings.HasPrefix(name, "caller") {
				journal[name] = append(journal[name], i)
			}
		}
		if i.Ended.IsZero() {
			t.Errorf("kill %d: the interaction of %s is %s after the restart, want closed", round, i.From, i.State)
		}
	}
	answered, cut, looked := 0, 0, 0
	for _, k := range records {
		found := journal[k.who]
		if len(found) > 1 {
			t.Errorf("kill %d: the call of %s is there %d times", round, k.who, len(found))
		}
		if !k.answered {
			continue
		}
		answered++
		if len(found) == 0 {
			t.Errorf("kill %d: the call of %s to %s was answered and is not in the journal", round, k.who, k.number)
			continue
		}
		ended := found[0].Termination
		atTheKill := !k.over || killed.Sub(k.overAt) < trail
		switch {
		case ended.IsZero():
			t.Errorf("kill %d: the call of %s has no termination", round, k.who)
		case !k.over && ended.Reason != tandem.ReasonCrash && killed.Sub(found[0].Ended) > time.Second:
			t.Errorf("kill %d: the call of %s was cut, the journal says %v", round, k.who, ended)
		case !atTheKill && ended.Reason == tandem.ReasonCrash:
			t.Errorf("kill %d: the call of %s to %s was over %v before the kill, the journal says %v:\n%s",
				round, k.who, k.number, killed.Sub(k.overAt), ended, tell(s.Story(t, string(found[0].ID))))
		}
		if ended.Reason == tandem.ReasonCrash {
			cut++
		}
		// To read a story costs a process; some of each round are read in full.
		const most = 12
		if (ended.Reason == tandem.ReasonCrash || k.number == "mailbox") && looked < most {
			looked++
			promisesOnce(t, round, killed, k, s.Story(t, string(found[0].ID)))
		}
	}
	if answered == 0 || cut == 0 {
		t.Logf("kill %d: %d answered, %d cut: the kill came too early to prove much", round, answered, cut)
	}
	t.Logf("kill %d: %d calls, %d answered, %d cut, %d read in full", round, len(records), answered, cut, looked)
}

// tell lists a story's events, for failure messages.
func tell(story store.Story) string {
	var b strings.Builder
	for _, e := range story.Events {
		var data bytes.Buffer
		_ = json.Compact(&data, e.Data) // a line each
		fmt.Fprintf(&b, "%s %s %s %.300s\n", e.At.Format("15:04:05.000"), e.Kind, e.Actor, &data)
	}
	return b.String()
}

// tellEnd is tell of the last events, for a story so long that nobody is shown all of it.
func tellEnd(story store.Story) string {
	const last = 40
	left := max(0, len(story.Events)-last)
	story.Events = story.Events[left:]
	return fmt.Sprintf("after %d other events\n%s", left, tell(story))
}

// trail is how long before a kill something that happened may be lost: happenings
// trail by 200 ms, and a busy machine may be as late again.
const trail = 500 * time.Millisecond

func promisesOnce(t *testing.T, round int, killed time.Time, k kept, story store.Story) {
	t.Helper()
	count := testkit.Kinds(story)
	for _, kind := range []tandem.EventKind{tandem.EventOpened, tandem.EventLegStarted, tandem.EventLegEnded, tandem.EventClosed} {
		if count[kind] != 1 {
			t.Errorf("kill %d: %s happened %d times for %s, want once", round, kind, count[kind], k.who)
		}
	}
	if n := count[tandem.EventLegAnswered]; n > 1 || n == 0 && killed.Sub(k.answeredAt) > trail {
		t.Errorf("kill %d: the call of %s, answered %v before, was answered %d times by the journal", round, k.who, killed.Sub(k.answeredAt), n)
	}
	tasks := map[tandem.TaskKind]int{}
	for _, task := range story.Tasks {
		tasks[task.Kind]++
	}
	// A message has its task; a caller cut off is called back, once.
	if n := count[tandem.EventVoicemail]; n > 1 || tasks[tandem.TaskVoicemail] != n || tasks[tandem.TaskCallback] > 1 {
		t.Errorf("kill %d: %s has %d messages and tasks %v:\n%s", round, k.who, n, tasks, tell(story))
	}
	for i, e := range story.Events {
		if e.Seq != uint64(i+1) {
			t.Errorf("kill %d: event %d of %s has number %d", round, i+1, k.who, e.Seq)
			return
		}
	}
}
