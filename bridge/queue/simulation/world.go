// Package simulation runs the router's core in simulated time: customers, agents and three
// front ends that speak to it over a network that loses, delays, doubles and reorders, and a
// store that fails in every way a store can, all in one goroutine and all decided by one
// seed. After every step what is durable is held against the invariants of
// docs/invariants.md, by the journal and the rows alone. The same seed is the same run, byte
// for byte.
//
// It never sleeps, reads no clock and draws nothing but from its seed.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/queue/audit"
	"tandem/bridge/route"
)

// Options say what is run.
type Options struct {
	Seed   uint64
	Steps  int       // 0 = 200
	Broken Mutant    // "" = nothing is
	Trace  io.Writer // told each step; nil = nobody
}

// Result is what a run came to.
type Result struct {
	Findings []string // broken invariants, in the order they were found
	Step     int      // of the first
	Trace    uint64   // a hash of all that happened
	Tasks    int
	Offers   int
	Crashes  int
	Faults   int
	Late     int // conflicts answered
}

const (
	defaultSteps = 200
	verifyEach   = 16 // steps, between looks at what the line itself says of itself
)

// World is a run.
type World struct {
	o      Options
	random *rand.Rand
	ids    idStream
	now    time.Time
	disk   *disk
	core   *queue.Core
	zombie *queue.Core // a core that was thought dead, and does not know
	ledger *audit.Ledger

	wire      []*message // in flight, to the server
	inbox     []*message // at the server
	customers []*customer
	agents    []*agent
	policies  []*route.Policy
	policy    int
	promises  []promise

	step   int
	result Result
	found  []string // in this step
	hash   io.Writer
}

// idStream gives ids their random bytes.
type idStream struct{ r *rand.Rand }

func (s idStream) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.r.Uint32())
	}
	return len(p), nil
}

// Run runs a seed to its end, or to the first step that breaks an invariant.
func Run(o Options) Result {
	if o.Steps == 0 {
		o.Steps = defaultSteps
	}
	h := fnv.New64a()
	w := &World{o: o, random: rand.New(rand.NewPCG(o.Seed, 0x7461_6e64_656d)), now: time.Date(2026, 11, 23, 8, 55, 0, 0, time.UTC), hash: h}
	w.ids = idStream{rand.New(rand.NewPCG(o.Seed, 0x6964))}
	w.disk = newDisk(w)
	w.policies = policies()
	w.ledger = audit.NewLedger(w.policies[0], w.wrong)
	for i, name := range agentNames {
		a := &agent{name: name, front: i % fronts, reach: map[tandem.Load]bool{}}
		for _, load := range loads {
			a.reach[load] = !w.chance(8)
		}
		w.agents = append(w.agents, a)
	}
	w.start()
	for w.step = 1; w.step <= o.Steps && len(w.result.Findings) == 0; w.step++ {
		w.act()
		w.check()
	}
	if len(w.result.Findings) == 0 {
		w.settle()
	}
	w.result.Trace = h.Sum64()
	w.result.Tasks, w.result.Offers = len(w.disk.tasks), len(w.disk.holds)
	return w.result
}

// say writes a line of the trace.
func (w *World) say(format string, args ...any) {
	line := fmt.Appendf(nil, "%4d %s ", w.step, w.now.Format("15:04:05.000"))
	line = append(fmt.Appendf(line, format, args...), '\n')
	w.hash.Write(line)
	if w.o.Trace != nil {
		w.o.Trace.Write(line)
	}
}

func (w *World) wrong(finding string) { w.found = append(w.found, finding) }

// check closes a step: what was found in it ends the run.
func (w *World) check() {
	if w.core != nil && len(w.found) == 0 && w.step%verifyEach == 0 {
		w.found = append(w.found, w.core.Verify(context.Background())...)
	}
	if len(w.found) == 0 {
		return
	}
	slices.Sort(w.found)
	for _, f := range w.found {
		w.say("BROKEN %s", f)
	}
	w.result.Findings, w.result.Step, w.found = append(w.result.Findings, w.found...), w.step, nil
}

// committed is called by the disk after each commit, whoever made it.
func (w *World) committed() {
	d := w.disk
	for ; d.entered < len(d.journal); d.entered++ {
		e := &d.journal[d.entered]
		if w.o.Trace != nil {
			fmt.Fprintf(w.o.Trace, "%4d      %s %s %s\n", w.step, e.Kind, e.Actor, e.Data)
		}
		w.due(e)
		w.ledger.Enter(e)
	}
	w.ledger.Compare(d.books())
}

// chance is true once in n times.
func (w *World) chance(n int) bool { return w.random.IntN(n) == 0 }

// act is one step, of the many that may come next.
func (w *World) act() {
	w.pass()
	w.report()
	switch n := w.random.IntN(100); {
	case n < 13:
		w.arrive()
	case n < 24:
		w.customerActs()
	case n < 46:
		w.agentActs()
	case n < 50:
		w.measure()
	case n < 53:
		w.supervise()
	case n < 58:
		w.spoil()
	case n < 60:
		w.crash()
	case n < 62:
		w.take(w.random.IntN(len(w.policies)))
	default:
		w.deliver()
		w.serve()
	}
	if w.core == nil && w.chance(4) {
		w.start()
	}
}

// pass lets time pass: mostly a little, sometimes much, and now and then the clock is set.
func (w *World) pass() {
	switch n := w.random.IntN(200); {
	case n < 120:
		w.now = w.now.Add(time.Duration(w.random.IntN(3000)) * time.Millisecond)
	case n < 170:
		w.now = w.now.Add(time.Duration(w.random.IntN(20)) * time.Second)
	case n < 176:
		w.now = w.now.Add(time.Duration(w.random.IntN(600)) * time.Second)
	case n < 177:
		w.now = w.now.Add(time.Duration(w.random.IntN(6)) * time.Hour)
		w.say("the clock jumps")
	case n < 179:
		w.now = w.now.Add(-time.Duration(w.random.IntN(30)) * time.Second)
		w.say("the clock is set back")
	}
}

// start starts the server, which may fail or die of it.
func (w *World) start() {
	defer w.survive("start")
	core, err := queue.NewCore(context.Background(), queue.CoreOptions{Keeper: w.disk, Policy: w.policies[w.policy], Open: opening,
		Cut: func(_ context.Context, t tandem.Task) bool { return t.ID[len(t.ID)-1]%5 != 0 }, Random: w.ids, NewLine: w.newLine()}, w.now)
	if err != nil {
		w.say("does not start: %v", err)
		return
	}
	w.core = core
	w.say("started at version %d", w.disk.version)
	w.kept()
	for _, a := range w.agents {
		a.told = map[tandem.Load]bool{}
	}
}

// survive takes in that the program died.
func (w *World) survive(where string) {
	p := recover()
	if p == nil {
		return
	}
	if _, ok := p.(died); !ok {
		panic(p)
	}
	w.result.Crashes++
	w.core, w.inbox = nil, nil
	w.say("died in %s at version %d", where, w.disk.version)
}

// crash ends the server between two steps, or only seems to: then it goes on beside the
// next one and has to find out.
func (w *World) crash() {
	if w.core == nil {
		return
	}
	w.result.Crashes++
	if w.chance(3) {
		w.zombie = w.core
		w.say("taken for dead")
	} else {
		w.say("killed")
	}
	w.core, w.inbox = nil, nil
}

// spoil breaks the disk, or mends it.
func (w *World) spoil() {
	w.result.Faults++
	switch w.random.IntN(8) {
	case 0, 1:
		w.disk.next = refuses
	case 2:
		w.disk.next = forgetsToSay
	case 3:
		w.disk.next = diesBefore
	case 4:
		w.disk.next = diesAfter
	case 5:
		w.disk.full = true
	case 6:
		w.disk.full, w.disk.gone = true, true
	default:
		w.disk.full, w.disk.gone = false, false
	}
	if w.disk.full && w.chance(2) {
		w.disk.full, w.disk.gone = false, false
	}
	w.say("disk: next %d full %t gone %t", w.disk.next, w.disk.full, w.disk.gone)
}

// take takes a policy into use.
func (w *World) take(policy int) {
	w.policy = policy
	w.ledger.Policy = w.policies[w.policy]
	if w.core != nil {
		w.core.SetPolicy(w.policies[w.policy])
	}
	w.say("policy %d", w.policy)
}

// serve has the server take a batch out of its inbox, with time passing if there is none.
func (w *World) serve() {
	if w.zombie != nil {
		w.serveZombie()
	}
	if w.core == nil {
		w.inbox = nil
		return
	}
	n := min(len(w.inbox), 1+w.random.IntN(6))
	batch := w.inbox[:n:n]
	w.inbox = w.inbox[n:]
	w.run(batch)
}

func (w *World) run(batch []*message) {
	defer w.survive("a commit")
	asks := make([]queue.Ask, len(batch))
	for i, m := range batch {
		asks[i] = m.ask()
	}
	answers, facts := w.core.Step(context.Background(), w.now, asks)
	for _, f := range facts {
		w.told(f)
	}
	for i, m := range batch {
		w.say("%s: %s", m.what, inShort(answers[i]))
		if tandem.CodeOf(answers[i].Err) == tandem.CodeConflict && answers[i].Err != nil {
			w.result.Late++
		}
		w.answer(m, answers[i])
	}
	if len(batch) == 0 {
		w.say("tick: %d facts, version %d", len(facts), w.disk.version)
	}
	if w.core.Taken() { // as Router.Run does, the program ends
		w.core = nil
	}
}

// serveZombie has a server that was taken for dead do something: nothing it is asked may be
// answered but with an error, once another has started.
func (w *World) serveZombie() {
	if w.core == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(died); !ok {
				panic(p)
			}
			w.zombie = nil
		}
	}()
	var asks []queue.Ask
	if len(w.inbox) > 0 {
		asks = append(asks, w.inbox[0].ask())
	}
	answers, facts := w.zombie.Step(context.Background(), w.now, asks)
	for _, a := range answers {
		if a.Err == nil {
			w.wrong("a server whose line was taken over has answered")
		}
	}
	for _, f := range facts {
		w.told(f)
	}
	w.say("the one taken for dead: taken %t", w.zombie.Taken())
	if w.zombie.Taken() {
		w.zombie = nil
	}
}

func inShort(a queue.Answer) string {
	switch e := (*queue.Refused)(nil); {
	case errors.As(a.Err, &e):
		return "refused " + e.Why
	case a.Err != nil:
		return a.Err.Error()
	case a.Task.ID != "":
		return fmt.Sprintf("%s %s %s %s %d", a.Task.ID[16:], a.Task.Kind, a.Task.State, a.Task.Agent, a.Task.Fence)
	}
	return "done"
}
