package phone

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/bridge/caps"
	"tandem/bridge/leg"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
	"tandem/sip"
	"tandem/sip/gate"
	"tandem/store"
)

func TestMain(m *testing.M) {
	// The SIP library keeps settings of the whole process, which the first server sets.
	if _, err := sip.NewServer(sip.Config{}, nobody{}); err != nil {
		panic(err)
	}
	flag.Parse()
	if flag.Lookup("test.parallel").Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = flag.Set("test.parallel", "8") // they wait far more than they work
	}
	goleak.VerifyTestMain(m)
}

const (
	// patience bounds every wait of these tests.
	patience = 10 * time.Second
	// a moment is how long something is watched that must not happen.
	moment = 300 * time.Millisecond

	callerHz, agentHz, customerHz, musicHz, ringHz, busyHz = 1600, 1000, 1300, 600, 400, 800
)

// line is a Router that holds one task at a time and notes what it is told.
type line struct {
	mu    sync.Mutex
	do    func(queue.Fact)
	task  tandem.Task
	news  chan struct{}
	log   []string
	late  bool // offers are over as they are accepted
	down  int  // how often the store is down yet
	reach []string
}

func (l *line) note(format string, args ...any) {
	l.log = append(l.log, fmt.Sprintf(format, args...))
	close(l.news)
	l.news = make(chan struct{})
}

func (l *line) Watch(do func(queue.Fact)) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.do = do
	l.note("watched")
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.do = nil
	}
}

// tell tells a fact as the router's goroutine does.
func (l *line) tell(o route.Output) {
	l.mu.Lock()
	do := l.do
	l.mu.Unlock()
	if do != nil {
		do(queue.Fact{Output: o})
	}
}

func (l *line) offer(t tandem.Task) {
	l.mu.Lock()
	t.State = tandem.TaskOffered
	l.task = t
	l.mu.Unlock()
	l.tell(route.OfferMade{Task: t})
}

func (l *line) over(why string) {
	l.mu.Lock()
	l.task.State = tandem.TaskWaiting
	t := l.task
	l.mu.Unlock()
	l.tell(route.OfferOver{Task: t, Agent: t.Agent, Fence: t.Fence, Why: why})
}

// assign is what the line does as the agent takes the offer by other means.
func (l *line) assign() {
	l.mu.Lock()
	l.task.State = tandem.TaskAssigned
	t := l.task
	l.mu.Unlock()
	l.tell(route.TaskAssigned{Task: t})
}

var errLate = tandem.Errorf(tandem.CodeConflict, "too late")

func (l *line) Accept(_ context.Context, id tandem.TaskID, agent string, fence uint64) (tandem.Task, error) {
	l.mu.Lock()
	if l.late || l.task.State != tandem.TaskOffered || l.task.Fence != fence {
		l.note("accept %s: late", agent)
		l.mu.Unlock()
		return tandem.Task{}, errLate
	}
	l.task.State = tandem.TaskAssigned
	t := l.task
	l.note("accept %s %d", agent, fence)
	l.mu.Unlock()
	l.tell(route.TaskAssigned{Task: t})
	return t, nil
}

func (l *line) Decline(_ context.Context, _ tandem.TaskID, agent string, fence uint64, why string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("decline %s %d %s", agent, fence, why)
	return nil
}

func (l *line) Release(_ context.Context, e route.Released, _ *store.Change) (tandem.Task, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down > 0 {
		l.down--
		l.note("release: down")
		return tandem.Task{}, fmt.Errorf("releasing: %w", store.ErrUnavailable)
	}
	again := "over"
	if e.Again {
		again = "again"
	}
	what := strings.Join(slices.DeleteFunc([]string{"release", e.Why, again, e.Outcome, map[bool]string{true: "dialled"}[e.Dialled],
		map[bool]string{true: "later"}[!e.NotBefore.IsZero()]}, func(s string) bool { return s == "" }), " ")
	l.note("%s", what)
	l.task.State = tandem.TaskDone
	return l.task, nil
}

func (l *line) Reachable(agent string, load tandem.Load, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reach = append(l.reach, fmt.Sprint(agent, " ", load, " ", on))
	close(l.news)
	l.news = make(chan struct{})
}

func (l *line) Reassign(_ context.Context, _ tandem.TaskID, from string, fence uint64, to string) (tandem.Task, error) {
	l.mu.Lock()
	if l.task.State != tandem.TaskAssigned || l.task.Fence != fence || l.task.Agent != from {
		l.note("reassign %s: late", from)
		l.mu.Unlock()
		return tandem.Task{}, errLate
	}
	l.task.Agent, l.task.Fence = to, fence+1
	t := l.task
	l.note("reassign %s to %s", from, to)
	l.mu.Unlock()
	l.tell(route.TaskReleased{Task: t, Agent: from, Fence: fence, Why: "transferred"})
	l.tell(route.TaskAssigned{Task: t})
	return t, nil
}

func (l *line) End(_ context.Context, _ tandem.TaskID, outcome string, _ *store.Change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("end %s", outcome)
	return nil
}

func (l *line) Consulted(agent string, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note("consulted %s %t", agent, on)
}

func (l *line) Agent(name string) (route.AgentState, bool) {
	return route.AgentState{Name: name, Presence: tandem.PresenceAvailable}, name != "nobody"
}

func (l *line) Task(tandem.TaskID) (tandem.Task, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.task, true
}

func (l *line) Policy() *route.Policy {
	one := map[tandem.Load]int{tandem.LoadVoice: 1}
	return &route.Policy{Agents: map[string]*route.Agent{"anna": {Name: "anna", Capacity: one}, "ben": {Name: "ben", Capacity: one}, "tel": {Name: "tel", Capacity: one}}, Queues: map[string]*route.Queue{"cards": {Name: "cards", CallbackTries: 2, CallbackGap: time.Minute}}}
}

// until waits until is says so of the line.
func (l *line) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.After(patience)
	for {
		l.mu.Lock()
		ok, news := is(), l.news
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-limit:
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Fatalf("never %s: the line was told %q, and %q", what, l.log, l.reach)
		}
	}
}

// told waits until the line was told something, and fails if that was said twice.
func (l *line) told(t *testing.T, want string) {
	t.Helper()
	l.until(t, want, func() bool { return slices.Contains(l.log, want) })
}

// outOfReach reports whether the line was told so of anna.
func (l *line) outOfReach() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.reach, "anna voice false")
}

func (l *line) wasTold() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.log), func(s string) bool { return s == "watched" })
}

// customer is a call that waits in line, with a phone at its other end.
type customer struct {
	stream *media.Stream
	phone  *testkit.RTP
	left   chan struct{}

	mu     sync.Mutex
	log    []string
	served error
	panics bool
	busy   chan struct{} // Served waits till it is closed; nil = it does not
	how    tandem.Termination
}

func (c *customer) Stream() *media.Stream { return c.stream }

func (c *customer) Served(ctx context.Context, agent string) error {
	if c.busy != nil {
		select {
		case <-c.busy:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.panics {
		panic("a fault")
	}
	c.log = append(c.log, "served by "+agent)
	return c.served
}

func (c *customer) Joined(far Far) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, map[bool]string{true: "joined", false: "parted"}[far != nil])
}

func (c *customer) Interrupted(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, map[bool]string{true: "interrupted", false: "mended"}[on])
}

func (c *customer) Leg() tandem.Leg {
	return tandem.Leg{ID: "caller", Interaction: "i1", Kind: tandem.LegSIP, From: "13900000001"}
}

func (c *customer) Left() <-chan struct{} { return c.left }

func (c *customer) Termination() tandem.Termination {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.how
}

func (c *customer) leaves(t tandem.Termination) {
	c.mu.Lock()
	c.how = t
	c.mu.Unlock()
	close(c.left)
}

func (c *customer) story() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.log, ", ")
}

// house is a switchboard on real signalling and media, between scripted phones.
type house struct {
	*Switchboard
	t       *testing.T
	line    *line
	books   *books
	sip     *sip.Server
	engine  *media.Engine
	anna    *testkit.Callee
	caller  *customer
	number  *testkit.Callee // of who is called back
	known   bool
	allowed error
	mu      sync.Mutex
	counted []string
	panics  []any
	stop    func()
}

// nobody takes no calls in.
type nobody struct{}

func (nobody) Route(string, netip.AddrPort, string) sip.Route { return sip.Route{} }
func (nobody) Call(context.Context, *sip.Call) tandem.Termination {
	return tandem.Terminate(tandem.BySystem, tandem.ReasonNoEntry)
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func newHouse(t *testing.T, set func(*house, *Options)) *house {
	t.Helper()
	h := &house{t: t, line: &line{news: make(chan struct{})}, books: &books{keys: map[string]bool{}, legs: map[tandem.LegID]tandem.Leg{}}, known: true}
	var err error
	h.engine, err = media.NewEngine(media.Config{Address: loopback, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.engine.Close(); err != nil {
			t.Error(err)
		}
	})
	h.sip, err = sip.NewServer(sip.Config{Listen: []string{"udp://127.0.0.1:0"}, T1: 50 * time.Millisecond, T2: 200 * time.Millisecond,
		Limits: sip.Limits{Gate: gate.Limits{InvitesPerSecond: -1}}}, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.sip.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.sip.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	h.anna, h.number = testkit.NewCallee(t), testkit.NewCallee(t)
	o := Options{
		Router: h.line, Store: h.books, Dialer: SIP(h.sip), Phones: map[string]string{"anna": h.anna.URI("anna"), "tel": "tel:+861055550100"},
		Caller: func(tandem.InteractionID) (Caller, bool) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.caller, h.caller != nil
		},
		Number: func(context.Context, tandem.Task) (string, bool, error) { return "tel:+8613900000001", h.known, nil },
		Way: func(to string) (Way, error) {
			return Way{Dial: sip.Dial{To: h.number.URI("customer"), From: "95599"}, Number: strings.TrimPrefix(to, "tel:")}, h.allowed
		},
		Caps:  caps.NewLedger(caps.Policy{AtOnce: 5, PerHour: 50, PerDay: 50, PerNumberPerHour: 5, PerNumberPerDay: 5, MinutesPerDay: 1000, MaxMinutes: 10}, nil),
		Audio: func(host netip.Addr) (*leg.Audio, error) { return leg.NewAudio(h.engine, loopback, host, 7) }, Engine: h.engine,
		Now: time.Now, Random: rand.Reader,
		Shows: func(_ context.Context, t tandem.Task) Shown {
			return Shown{User: "13900000001", Name: t.Queue, About: "12345678901"}
		},
		Music: []*media.Clip{media.Tone(musicHz, 500)}, Ringback: []*media.Clip{media.Tone(ringHz, 500)}, Busy: []*media.Clip{media.Tone(busyHz, 500)},
		Counted:  func(what string) { h.mu.Lock(); defer h.mu.Unlock(); h.counted = append(h.counted, what) },
		Panicked: func(p any) { h.mu.Lock(); defer h.mu.Unlock(); h.panics = append(h.panics, p) },
		Every:    time.Hour,
	}
	if set != nil {
		set(h, &o)
	}
	if h.Switchboard, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Run(ctx)
	}()
	h.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(h.stop)
	if o.Router != Router(h.line) {
		return h
	}
	h.line.until(t, "watched", func() bool { return slices.Contains(h.line.log, "watched") })
	return h
}

// waits has a caller wait in line.
func (h *house) waits() *customer {
	h.t.Helper()
	c := &customer{phone: testkit.NewRTP(h.t), left: make(chan struct{})}
	var err error
	if c.stream, err = h.engine.Open(); err != nil {
		h.t.Fatal(err)
	}
	c.stream.Set(media.Params{Remote: c.phone.Addr(), Law: codec.PCMU, Event: 101, Send: true, Recv: true})
	c.phone.Aim(testkit.Loopback(c.stream.Port()))
	c.phone.Talk(testkit.Tone(callerHz, time.Second))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.caller = c
	return c
}

// task is one of voice, offered to an agent.
func task(kind tandem.TaskKind, agent string) tandem.Task {
	return tandem.Task{ID: "t1", Interaction: "i1", Kind: kind, Queue: "cards", Agent: agent, Fence: 7, Deadline: time.Now().Add(20 * time.Second)}
}

// idle waits until nothing goes on any more.
func (h *house) idle() {
	h.t.Helper()
	limit := time.Now().Add(patience)
	for h.Ringing() > 0 {
		if time.Now().After(limit) {
			h.t.Fatal("a call out goes on and on")
		}
		time.Sleep(time.Millisecond)
	}
}

// ended holds that each leg has ended as it should.
func (h *house) ended(want ...tandem.Reason) []tandem.Leg {
	h.t.Helper()
	h.idle()
	legs := h.books.all()
	var got []tandem.Reason
	for _, l := range legs {
		got = append(got, l.Termination.Reason)
		if l.Ended.IsZero() || l.Inbound || l.Kind != tandem.LegSIP || l.Interaction != "i1" {
			h.t.Errorf("the record of a leg is %+v", l)
		}
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("legs ended by %v, want %v", got, want)
	}
	return legs
}

func (h *house) saw(what string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.counted, what)
}

// lineTold holds what the line was told in all.
func (h *house) lineTold(want ...string) {
	h.t.Helper()
	if got := h.line.wasTold(); !slices.Equal(got, want) {
		h.t.Errorf("the line was told %q, want %q", got, want)
	}
}

var errRefused = errors.New("not on the list")
