package phone

import (
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
)

const (
	benHz, leadHz = 1150, 1450
	// steady is how long a tone is heard before it counts.
	steady = 200 * time.Millisecond
)

// browser is a seat, with its user at the other end.
type browser struct {
	stream *media.Stream
	phone  *testkit.RTP
	states chan SeatState
}

func (b *browser) Stream() *media.Stream    { return b.stream }
func (b *browser) States() <-chan SeatState { return b.states }

// desk is a house whose people sit at desks.
type desk struct {
	*house
	mu      sync.Mutex
	seats   map[string]*browser
	talks   []Talk
	invites []Invite
	news    chan struct{}
	lead    bool // supervises
}

func newDesk(t *testing.T, set func(*desk, *Options)) *desk {
	t.Helper()
	d := &desk{seats: map[string]*browser{}, news: make(chan struct{}), lead: true}
	d.house = newHouse(t, func(h *house, o *Options) {
		d.house = h
		o.Seat = func(agent string) (Seat, bool) {
			d.mu.Lock()
			defer d.mu.Unlock()
			b := d.seats[agent]
			return b, b != nil
		}
		o.Supervises = func(who string, _ tandem.InteractionID) bool { return d.lead && who == "lead" }
		if set != nil {
			set(d, o)
		}
	})
	t.Cleanup(d.WatchTalks(func(is Talk) { d.note(func() { d.talks = append(d.talks, is) }) }))
	t.Cleanup(d.WatchInvites(func(i Invite) { d.note(func() { d.invites = append(d.invites, i) }) }))
	return d
}

func (d *desk) note(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
	close(d.news)
	d.news = make(chan struct{})
}

// sees waits until is says so of what was told.
func (d *desk) sees(what string, is func() bool) {
	d.t.Helper()
	limit := time.After(patience)
	for {
		d.mu.Lock()
		ok, news := is(), d.news
		d.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-limit:
			d.mu.Lock()
			defer d.mu.Unlock()
			d.t.Fatalf("never %s: talks %+v, invites %+v", what, d.talks, d.invites)
		}
	}
}

// last is the talk as it was last told.
func (d *desk) last() Talk {
	if len(d.talks) == 0 {
		return Talk{}
	}
	return d.talks[len(d.talks)-1]
}

// sit opens somebody's desk; they say a tone.
func (d *desk) sit(who string, hz int) *browser {
	d.t.Helper()
	b := &browser{phone: testkit.NewRTP(d.t), states: make(chan SeatState, 4)}
	var err error
	if b.stream, err = d.engine.Open(); err != nil {
		d.t.Fatal(err)
	}
	b.stream.Set(media.Params{Remote: b.phone.Addr(), Law: codec.PCMU, Event: 101, Send: true, Recv: true})
	b.phone.Aim(testkit.Loopback(b.stream.Port()))
	b.phone.Talk(testkit.Tone(float64(hz), time.Second))
	d.mu.Lock()
	d.seats[who] = b
	d.mu.Unlock()
	d.Seated(who, true)
	return b
}

// talking has anna take a call at her desk.
func (d *desk) talking() (c *customer, anna *browser) {
	d.t.Helper()
	c, anna = d.waits(), d.sit("anna", agentHz)
	d.house.line.offer(task(tandem.TaskCall, "anna"))
	d.house.line.assign()
	c.hears(d.t, agentHz)
	anna.hears(d.t, callerHz)
	return c, anna
}

func (c *customer) hears(t *testing.T, hz int) {
	t.Helper()
	c.phone.Hear(patience, time.Now(), hz, steady)
}

func (b *browser) hears(t *testing.T, hz int) {
	t.Helper()
	b.phone.Hear(patience, time.Now(), hz, steady)
}

// do asks something of the talk that must go well.
func (d *desk) do(who string, c Command) {
	d.t.Helper()
	c.Task = "t1"
	if err := d.Do(d.t.Context(), who, c); err != nil {
		d.t.Fatalf("%s: %s: %v", who, c.Do, err)
	}
}

// refuses asks something that must be refused by a code.
func (d *desk) refuses(who string, c Command, code tandem.Code) {
	d.t.Helper()
	c.Task = "t1"
	if err := d.Do(d.t.Context(), who, c); tandem.CodeOf(err) != code || err == nil {
		d.t.Errorf("%s: %s: %v, want %s", who, c.Do, err, code)
	}
}

// An agent with a seat is rung at the desk alone; once the line says that they have the call
// both hear each other, packets passing straight.
func TestASeatIsJoined(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	if !d.anna.Silent(moment) {
		t.Error("the agent's phone rang beside the desk")
	}
	d.sees("a direct talk", func() bool {
		is := d.last()
		return is.Direct && is.Agent == "anna" && is.Task == "t1" && is.Codec == "PCMU" && len(is.Parties) == 2
	})
	if is, ok := d.Talk("t1"); !ok || len(d.Talks()) != 1 || is.Parties[0].Name != "anna" || is.Parties[0].Device != DeviceBrowser || is.Parties[1].Number != "13900000001" {
		t.Errorf("the talk is %+v", is)
	}
	d.do("anna", Command{Do: Leave})
	d.idle()
	d.lineTold("release done over served")
	if s := c.story(); s != "served by anna, joined, parted" {
		t.Errorf("the caller's call was told: %s", s)
	}
	legs := d.books.all()
	if len(legs) != 1 || legs[0].Kind != tandem.LegWebRTC || legs[0].Ended.IsZero() || legs[0].Termination.Reason != tandem.ReasonHangup || legs[0].Role != tandem.RoleAgent {
		t.Errorf("legs %+v", legs)
	}
	d.sees("over", func() bool { return d.last().Over })
	if len(d.Talks()) != 0 {
		t.Error("the talk goes on")
	}
	d.waits() // the seat is free for the next call
	again := task(tandem.TaskCall, "anna")
	again.Fence = 8
	d.house.line.offer(again)
	d.house.line.assign()
	anna.hears(t, callerHz)
}

// Who is on hold hears music and is not heard; who is muted is not heard and hears.
func TestHoldAndMute(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	d.do("anna", Command{Do: Hold})
	c.hears(t, musicHz)
	if got := heardBy(anna.phone, callerHz, musicHz); len(got) > 0 {
		t.Errorf("the agent hears %v", got)
	}
	d.refuses("anna", Command{Do: Keys, Keys: "1"}, tandem.CodeConflict)
	d.do("anna", Command{Do: Resume})
	c.hears(t, agentHz)
	anna.hears(t, callerHz)
	d.do("anna", Command{Do: Mute})
	anna.hears(t, callerHz)
	if got := heardBy(c.phone, agentHz, musicHz); len(got) > 0 {
		t.Errorf("a muted agent is heard: %v", got)
	}
	d.do("anna", Command{Do: Unmute})
	c.hears(t, agentHz)
	from := time.Now()
	d.do("anna", Command{Do: Keys, Keys: "12#"})
	if !c.phone.Wait(patience, from, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "12#" }) {
		t.Errorf("the customer's side got keys %q", testkit.Digits(c.phone.Packets(from)))
	}
	d.refuses("anna", Command{Do: Keys, Keys: "12x"}, tandem.CodeInvalid)
	d.refuses("anna", Command{Do: "shout"}, tandem.CodeInvalid)
	d.refuses("ben", Command{Do: Hold}, tandem.CodeNotFound)
	d.refuses("lead", Command{Do: Hold}, tandem.CodeForbidden)
	for _, do := range []Doing{Swap, Merge, Complete, Drop} {
		d.refuses("anna", Command{Do: do}, tandem.CodeConflict)
	}
	if err := d.Do(t.Context(), "anna", Command{Task: "t9", Do: Hold}); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
}
