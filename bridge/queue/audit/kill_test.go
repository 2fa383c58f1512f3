package audit

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// killEnv makes the test binary a server that is to be killed: the folder of its store.
const killEnv = "TANDEM_LINE_KILL_DIR"

func killStore(dir string) (*sqlite.DB, error) {
	keys, err := store.NewKeyring(make([]byte, store.KeySize))
	if err != nil {
		return nil, err
	}
	return sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(dir, "tandem.db"), Keys: keys, Log: slog.New(slog.DiscardHandler)})
}

// killPolicy has room for everybody and no notes to write.
func killPolicy() *route.Policy {
	p := &route.Policy{
		Queues: map[string]*route.Queue{"cards": {Name: "cards", Teams: []string{"day"}, CallbackTries: 3}},
		Teams:  map[string]*route.Team{"day": {Name: "day"}}, Agents: map[string]*route.Agent{}, DeclineRest: time.Minute,
	}
	for i := range 16 {
		name := fmt.Sprintf("agent%02d", i)
		p.Agents[name] = &route.Agent{Name: name, Teams: []string{"day"}, Capacity: map[tandem.Load]int{
			tandem.LoadVoice: 1, tandem.LoadChat: 2, tandem.LoadWork: 1}}
	}
	return p
}

// TestLineToKill is the server of TestLineIsKilled, and nothing by itself.
func TestLineToKill(t *testing.T) {
	dir := os.Getenv(killEnv)
	if dir == "" {
		return
	}
	db, err := killStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	policy := killPolicy()
	r, err := queue.New(context.Background(), queue.Options{Store: db, Policy: policy, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c := &centre{r: r, room: make(chan struct{}, 64)}
	for range r.Tasks("", 0) { // left by the one before
		c.room <- struct{}{}
	}
	c.watch(policy)
	go func() { c.say("failed", r.Run(context.Background())) }()
	for name := range policy.Agents {
		go c.agent(name)
	}
	for i := range 8 {
		go c.customers(i)
	}
	select {} // until it is killed
}

// centre is agents and customers who never rest.
type centre struct {
	r    *queue.Router
	room chan struct{} // one for each task in line
	bell map[string]chan struct{}
	say1 sync.Mutex
}

func (c *centre) say(args ...any) {
	c.say1.Lock()
	defer c.say1.Unlock()
	fmt.Println(args...)
}

// watch rings for an agent who has something to do.
func (c *centre) watch(p *route.Policy) {
	c.bell = map[string]chan struct{}{}
	for name := range p.Agents {
		c.bell[name] = make(chan struct{}, 1)
		c.bell[name] <- struct{}{}
	}
	c.r.Watch(func(f queue.Fact) {
		switch o := f.Output.(type) {
		case route.OfferMade:
			select {
			case c.bell[o.Task.Agent] <- struct{}{}:
			default:
			}
		case route.TaskOver:
			<-c.room
		}
	})
}

func (c *centre) agent(name string) {
	ctx := context.Background()
	for _, load := range []tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadWork} {
		c.r.Reachable(name, load, true)
	}
	if _, err := c.r.Present(ctx, name, tandem.PresenceAvailable, ""); err != nil {
		c.say("failed", err)
	}
	for range c.bell[name] {
		a, _ := c.r.Agent(name)
		for _, h := range a.Holds {
			if h.State == tandem.TaskOffered {
				if _, err := c.r.Accept(ctx, h.Task, name, h.Fence); err != nil {
					c.say("failed", err)
					continue
				}
				c.say("assigned", h.Task, h.Fence)
			}
			if _, err := c.r.Release(ctx, route.Released{Task: h.Task, Agent: name, Fence: h.Fence, Why: "done", Outcome: tandem.OutcomeServed}, nil); err != nil {
				c.say("failed", err)
				continue
			}
			c.say("served", h.Task, h.Fence)
		}
	}
}

func (c *centre) customers(n int) {
	kinds := []tandem.TaskKind{tandem.TaskCall, tandem.TaskChat, tandem.TaskVoicemail, tandem.TaskCallback}
	for i := n; ; i++ {
		c.room <- struct{}{}
		call := storetest.NewCall(time.Now(), rand.Reader, fmt.Sprint("+", i%7))
		t, err := c.r.Open(context.Background(), tandem.Task{Interaction: call.ID, Kind: kinds[i%len(kinds)], Queue: "cards", Key: "visit"}, call.Opening())
		if err != nil { // "no_agents": nobody has come yet
			<-c.room
			continue
		}
		c.say("opened", t.ID, t.Arrived.UnixNano(), t.Due.UnixNano())
	}
}

// heard is what was acknowledged before a kill.
type heard struct {
	opened   map[tandem.TaskID][2]int64 // arrived, due
	assigned map[uint64]tandem.TaskID   // by number
	served   map[uint64]tandem.TaskID
}

// TestLineIsKilled kills a working line (SIGKILL) at random, again and again: what was
// acknowledged is there, once, at its place, and the rows are what the journal says.
func TestLineIsKilled(t *testing.T) {
	want, each := 5000, 900
	if testing.Short() {
		want, each = 500, 300
	}
	dir := t.TempDir()
	h := &heard{map[tandem.TaskID][2]int64{}, map[uint64]tandem.TaskID{}, map[uint64]tandem.TaskID{}}
	kills := 0
	for begun := time.Now(); len(h.assigned) < want; kills++ {
		if time.Since(begun) > 3*time.Minute {
			t.Fatalf("%d assignments only, after %d kills", len(h.assigned), kills)
		}
		h.run(t, dir, 50+mathrand.IntN(2*each))
		if kills%3 == 2 || len(h.assigned) >= want {
			h.audit(t, dir)
		}
		if t.Failed() {
			t.Fatalf("after kill %d", kills)
		}
	}
	t.Logf("%d opened, %d assigned, %d served, over %d kills", len(h.opened), len(h.assigned), len(h.served), kills)
}

// run starts a server and kills it after so many lines.
func (h *heard) run(t *testing.T, dir string, kill int) {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestLineToKill$", "-test.count=1")
	cmd.Env = append(os.Environ(), killEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == kill {
			cmd.Process.Kill()
		}
		h.line(t, lines.Text())
	}
	cmd.Wait()
}

func (h *heard) line(t *testing.T, line string) {
	var what, id string
	var a, b int64
	n, _ := fmt.Sscan(line, &what, &id, &a, &b)
	switch {
	case what == "opened" && n == 4:
		h.opened[tandem.TaskID(id)] = [2]int64{a, b}
	case (what == "assigned" || what == "served") && n == 3:
		of := h.assigned
		if what == "served" {
			of = h.served
		}
		if was := of[uint64(a)]; was != "" {
			t.Errorf("number %d was %s twice, for %s and %s", a, what, was, id)
		}
		of[uint64(a)] = tandem.TaskID(id)
	case what == "failed" || what == "---" || what == "panic:":
		t.Error(line)
	}
}

// audit holds what was acknowledged against what the store has, and that against its
// journal.
func (h *heard) audit(t *testing.T, dir string) {
	db, err := killStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, l, err := read(t.Context(), db, killPolicy())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(r.Findings, r.Notes...) {
		t.Error(f)
	}
	if v, err := db.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("verdict %+v, %v", v, err)
	}
	for id, at := range h.opened {
		task, ok := l.Task(id)
		if !ok {
			t.Errorf("%s was acknowledged and is lost", id)
		} else if task.Arrived.UnixNano() != at[0] || task.Due.UnixNano() != at[1] {
			t.Errorf("%s lost its place: %v, was %v", id, task, at)
		}
	}
	for what, of := range map[string]map[uint64]tandem.TaskID{"assigned": h.assigned, "served": h.served} {
		for fence, id := range of {
			task, _, state, ok := l.Hold(fence)
			if !ok || task != id || state == tandem.TaskOffered || state == Returned || what == "served" && state == tandem.TaskAssigned {
				t.Errorf("%s was acknowledged as %s by number %d; the journal has %s, %s", id, what, fence, task, state)
			}
		}
	}
	for id, n := range servedTwice(h.served) {
		t.Errorf("%s was served %d times", id, n)
	}
}

// servedTwice are the tasks that were served to their end more than once.
func servedTwice(served map[uint64]tandem.TaskID) map[tandem.TaskID]int {
	times := map[tandem.TaskID]int{}
	for _, id := range served {
		times[id]++
	}
	for id, n := range times {
		if n == 1 {
			delete(times, id)
		}
	}
	return times
}
