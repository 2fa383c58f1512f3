package phone

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
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

// heardBy is which tones are heard from now on, beside others or alone.
func heardBy(p *testkit.RTP, of ...int) map[int]bool {
	from := time.Now()
	p.Wait(patience, from, func(ps []testkit.Packet) bool { return len(ps) >= 15 })
	return tones(testkit.Audio(p.Packets(from.Add(60*time.Millisecond))), of)
}

// tones are those that make up a fair share of what was heard, of which there are loud ones.
func tones(pcm []int16, of []int) map[int]bool {
	const block = testkit.Rate / 50
	heard, blocks := map[int]int{}, 0
	for at := 0; at+block <= len(pcm); at += block {
		energy := 0.0
		for _, x := range pcm[at : at+block] {
			energy += float64(x) * float64(x)
		}
		blocks++
		if energy < 100*100*block {
			continue
		}
		for _, hz := range of {
			c := 2 * math.Cos(2*math.Pi*float64(hz)/testkit.Rate)
			var a, b float64
			for _, x := range pcm[at : at+block] {
				a, b = float64(x)+c*a-b, a
			}
			if (a*a+b*b-c*a*b)*2/block > 0.1*energy {
				heard[hz]++
			}
		}
	}
	out := map[int]bool{}
	for hz, n := range heard {
		if 2*n > blocks {
			out[hz] = true
		}
	}
	return out
}

// mixed waits until just these of all tones of a talk are heard together.
func mixed(t *testing.T, p *testkit.RTP, want ...int) {
	t.Helper()
	every := []int{callerHz, agentHz, benHz, leadHz, customerHz, musicHz, busyHz, ringHz}
	is := map[int]bool{}
	for _, hz := range want {
		is[hz] = true
	}
	var got map[int]bool
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		if got = heardBy(p, every...); maps.Equal(got, is) {
			return
		}
	}
	t.Fatalf("heard %v, want %v", slices.Sorted(maps.Keys(got)), want)
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

// consulted has ben asked in at his desk and say yes.
func (d *desk) consulted() *browser {
	d.t.Helper()
	ben := d.sit("ben", benHz)
	d.do("anna", Command{Do: Consult, To: Target{Agent: "ben"}})
	d.sees("an invite", func() bool { return len(d.invites) == 1 })
	i := d.Invites("ben")
	if len(i) != 1 || i[0].From != "anna" || i[0].To != "ben" || i[0].Task != "t1" || i[0].Over != "" {
		d.t.Fatalf("ben is asked by %+v", i)
	}
	if err := d.Answer(d.t.Context(), "ben", i[0].ID, true); err != nil {
		d.t.Fatal(err)
	}
	return ben
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

// A consult: the customer hears music while the agents speak; swap, merge, and complete,
// after which the second agent has the task and the customer, under a new number.
func TestConsult(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	ben := d.consulted()
	c.hears(t, musicHz)
	ben.hears(t, agentHz)
	anna.hears(t, benHz)
	d.refuses("anna", Command{Do: Consult, To: Target{Agent: "tel"}}, tandem.CodeConflict)
	d.refuses("ben", Command{Do: Complete}, tandem.CodeForbidden)
	d.do("anna", Command{Do: Swap})
	ben.hears(t, musicHz)
	c.hears(t, agentHz)
	anna.hears(t, callerHz)
	d.do("anna", Command{Do: Swap})
	c.hears(t, musicHz)
	d.do("anna", Command{Do: Merge})
	for who, want := range map[*testkit.RTP][]int{c.phone: {agentHz, benHz}, anna.phone: {callerHz, benHz}, ben.phone: {callerHz, agentHz}} {
		mixed(t, who, want...)
	}
	d.do("anna", Command{Do: Complete})
	c.hears(t, benHz)
	ben.hears(t, callerHz)
	d.sees("ben's talk", func() bool {
		is := d.last()
		return is.Agent == "ben" && len(is.Parties) == 2 && is.Direct
	})
	d.refuses("anna", Command{Do: Hold}, tandem.CodeNotFound)
	d.do("ben", Command{Do: Hold})
	c.hears(t, musicHz)
	d.do("ben", Command{Do: Resume})
	d.do("ben", Command{Do: Leave})
	d.idle()
	d.lineTold("consulted ben true", "reassign anna to ben", "consulted ben false", "release done over served")
	d.sums(c)
}

// sums holds that the journal's spans of each leg sum to what their partings say, and that
// the customer's go from the first word to the last.
func (d *desk) sums(*customer) {
	d.t.Helper()
	sums(d.t, d.books.events())
}

func sums(t *testing.T, events []tandem.Event) (seconds map[tandem.LegID]float64) {
	t.Helper()
	type span struct {
		at   time.Time
		held bool
	}
	open := map[tandem.LegID]*span{}
	seconds, held := map[tandem.LegID]float64{}, map[tandem.LegID]float64{}
	for _, e := range events {
		switch e.Kind {
		case tandem.EventJoined, tandem.EventRoomChanged:
			var is tandem.Joined
			_ = json.Unmarshal(e.Data, &is)
			s := open[e.Leg]
			if (s == nil) != (e.Kind == tandem.EventJoined) {
				t.Errorf("leg %s is told by %s out of turn", e.Leg, e.Kind)
			}
			if s != nil && s.held {
				held[e.Leg] += e.At.Sub(s.at).Seconds()
			}
			if s != nil {
				seconds[e.Leg] += e.At.Sub(s.at).Seconds()
			}
			if s == nil {
				seconds[e.Leg], held[e.Leg] = 0, 0
			}
			open[e.Leg] = &span{e.At, is.Held}
		case tandem.EventParted:
			var is tandem.Parted
			_ = json.Unmarshal(e.Data, &is)
			s := open[e.Leg]
			if s == nil {
				t.Errorf("leg %s left without having joined", e.Leg)
				continue
			}
			delete(open, e.Leg)
			seconds[e.Leg] += e.At.Sub(s.at).Seconds()
			if s.held {
				held[e.Leg] += e.At.Sub(s.at).Seconds()
			}
			if off := seconds[e.Leg] - is.Seconds; off > 0.02 || off < -0.02 {
				t.Errorf("leg %s was there for %.3f s and is said to have been for %.3f s", e.Leg, seconds[e.Leg], is.Seconds)
			}
			if off := held[e.Leg] - is.Held; off > 0.02 || off < -0.02 {
				t.Errorf("leg %s was on hold for %.3f s and is said to have been for %.3f s", e.Leg, held[e.Leg], is.Held)
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%d legs never left", len(open))
	}
	return seconds
}

// Who is asked in may decline or not answer, and the agent may take it back: the customer is
// back, and the line knows that they are free.
func TestNobodyComes(t *testing.T) {
	for name, end := range map[string]func(d *desk, invite string){
		"declined": func(d *desk, invite string) {
			if err := d.Answer(d.t.Context(), "ben", invite, false); err != nil {
				d.t.Error(err)
			}
		},
		"withdrawn": func(d *desk, _ string) { d.do("anna", Command{Do: Drop}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			c, anna := d.talking()
			d.sit("ben", benHz)
			d.do("anna", Command{Do: Consult, To: Target{Agent: "ben"}})
			c.hears(t, musicHz)
			anna.hears(t, ringHz)
			invite := d.Invites("ben")[0].ID
			end(d, invite)
			d.sees(name, func() bool { return len(d.invites) == 2 && d.invites[1].Over == name })
			c.hears(t, agentHz)
			if err := d.Answer(t.Context(), "ben", invite, true); tandem.CodeOf(err) != tandem.CodeConflict {
				t.Errorf("an invitation that is over: %v", err)
			}
			d.lineTold("consulted ben true", "consulted ben false")
		})
	}
}

// A phone that rings for a consult stops as it is taken back, and its record says why; one that
// refuses says so.
func TestAPhoneThatDoesNotCome(t *testing.T) {
	for name, tc := range map[string]struct {
		end    func(d *desk, ben *testkit.Dialog)
		over   string
		reason tandem.Reason
	}{
		"withdrawn": {func(d *desk, ben *testkit.Dialog) { d.do("anna", Command{Do: Drop}); ben.Cancelled(patience) }, "withdrawn", tandem.ReasonCancelled},
		"the talk ends": {func(d *desk, ben *testkit.Dialog) {
			d.do("anna", Command{Do: Leave})
			ben.Cancelled(patience)
		}, "withdrawn", tandem.ReasonCancelled},
		"refused": {func(_ *desk, ben *testkit.Dialog) { ben.Rejects(486, "Busy Here") }, "declined", tandem.ReasonBusy},
		"taken in the last moment": {func(d *desk, ben *testkit.Dialog) {
			d.do("anna", Command{Do: Drop})
			ben.Want(patience, "CANCEL", testkit.Requests("CANCEL"))
			ben.Picks()
			ben.WaitBye(patience)
		}, "withdrawn", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(d *desk, o *Options) { o.Phones["ben"] = d.house.anna.URI("ben") })
			d.talking()
			d.do("anna", Command{Do: Consult, To: Target{Agent: "ben"}})
			ben := d.anna.Rung(patience)
			ben.Says(180, "Ringing")
			tc.end(d, ben)
			d.sees(name, func() bool { return len(d.invites) == 2 && d.invites[1].Over == tc.over })
			for limit := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
				var how tandem.Termination
				for _, l := range d.books.all() {
					if l.Kind == tandem.LegSIP {
						how = l.Termination
					}
				}
				if how.Reason != "" {
					if tc.reason != "" && how.Reason != tc.reason {
						t.Errorf("the phone's leg ended by %s", how)
					}
					break
				}
				if time.Now().After(limit) {
					t.Fatal("the phone's leg has no end")
				}
			}
			d.house.line.until(t, "idle", func() bool { return slices.Contains(d.house.line.log, "consulted ben false") })
		})
	}
}

// A desk that is closed while it is asked in comes to nothing at once.
func TestTheDeskIsClosedAsItIsAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, _ := d.talking()
	d.sit("ben", benHz)
	d.do("anna", Command{Do: Consult, To: Target{Agent: "ben"}})
	d.mu.Lock()
	delete(d.seats, "ben")
	d.mu.Unlock()
	d.Seated("ben", false)
	d.sees("unreachable", func() bool { return len(d.invites) == 2 && d.invites[1].Over == "unreachable" })
	c.hears(t, agentHz)
}

// Whom nobody can ask in is said so, and changes nothing.
func TestWhoCannotBeAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(d *desk, o *Options) { delete(o.Phones, "tel") })
	c, _ := d.talking()
	d.refuses("anna", Command{Do: Consult, To: Target{Agent: "nobody"}}, tandem.CodeNotFound)
	d.refuses("anna", Command{Do: Consult, To: Target{Agent: "tel"}}, tandem.CodeConflict)
	d.refuses("anna", Command{Do: Consult, To: Target{Agent: "anna"}}, tandem.CodeConflict)
	d.refuses("anna", Command{Do: Consult}, tandem.CodeInvalid)
	d.house.allowed = errRefused
	d.refuses("anna", Command{Do: Consult, To: Target{Number: "tel:+8613900000009"}}, tandem.CodeForbidden)
	c.hears(t, agentHz)
	d.lineTold()
}

// A number is asked in like any call out; it may be merged and dropped, and cannot be given
// the customer.
func TestConsultANumber(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	d.do("anna", Command{Do: Consult, To: Target{Number: "tel:+8613900000009"}})
	far := d.number.Rung(patience)
	far.RTP.Talk(testkit.Tone(customerHz, time.Second))
	far.Picks()
	anna.hears(t, customerHz)
	c.hears(t, musicHz)
	from := time.Now()
	d.do("anna", Command{Do: Keys, Keys: "5"})
	if !far.RTP.Wait(patience, from, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "5" }) {
		t.Error("the number's menu got no key")
	}
	if got := testkit.Digits(c.phone.Packets(from)); got != "" {
		t.Errorf("the customer on hold got keys %q", got)
	}
	d.refuses("anna", Command{Do: Complete}, tandem.CodeConflict)
	d.do("anna", Command{Do: Drop})
	far.WaitBye(patience)
	c.hears(t, agentHz)
	d.do("anna", Command{Do: Leave})
	d.idle()
	d.sums(c)
}

// A second agent without a seat is asked in by phone, and goes on with the customer as the
// first hangs up.
func TestConsultAPhone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(d *desk, o *Options) { o.Phones["ben"] = d.house.anna.URI("ben") })
	c, anna := d.talking()
	d.do("anna", Command{Do: Consult, To: Target{Agent: "ben"}})
	ben := d.anna.Rung(patience)
	if err := d.Answer(t.Context(), "ben", d.Invites("ben")[0].ID, true); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("a ringing phone was answered at the desk: %v", err)
	}
	ben.RTP.Talk(testkit.Tone(benHz, time.Second))
	ben.Picks()
	anna.hears(t, benHz)
	d.do("anna", Command{Do: Leave}) // hanging up on two hands the call over
	c.hears(t, benHz)
	ben.RTP.Hear(patience, time.Now(), callerHz, steady)
	ben.Bye()
	d.idle()
	d.lineTold("consulted ben true", "reassign anna to ben", "consulted ben false", "release done over served")
	d.sums(c)
}

// A supervisor listens unseen, whispers to the agent alone, and barges in; the journal has
// each before they hear.
func TestSupervise(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	lead := d.sit("lead", leadHz)
	d.refuses("lead", Command{Do: Listen}, tandem.CodeInvalid) // no reason
	d.refuses("ben", Command{Do: Listen, Why: "curious"}, tandem.CodeNotFound)
	before, _ := d.Talk("t1")
	d.do("lead", Command{Do: Listen, Why: "quality"})
	mixed(t, lead.phone, callerHz, agentHz)
	if is, _ := d.Talk("t1"); !is.Direct || len(is.Parties) != 3 || len(is.Seen("anna", false).Parties) != len(before.Parties) || len(is.Seen("lead", true).Parties) != 3 {
		t.Errorf("the talk is %+v", is)
	}
	for _, p := range []*testkit.RTP{c.phone, anna.phone} {
		if got := heardBy(p, leadHz); len(got) > 0 {
			t.Errorf("who listens is heard: %v", got)
		}
	}
	d.do("lead", Command{Do: Whisper, Why: "coaching"})
	mixed(t, anna.phone, callerHz, leadHz)
	if got := heardBy(c.phone, leadHz, agentHz); got[leadHz] || !got[agentHz] {
		t.Errorf("while somebody whispers the customer hears %v", got)
	}
	if is, _ := d.Talk("t1"); !is.Direct {
		t.Error("a whisperer changes how the customer is sent the agent's packets")
	}
	d.do("lead", Command{Do: Barge, Why: "complaint"})
	mixed(t, c.phone, agentHz, leadHz)
	d.do("lead", Command{Do: Leave})
	c.hears(t, agentHz)
	d.do("anna", Command{Do: Leave})
	d.idle()
	heard := 0
	for _, e := range d.books.events() {
		switch e.Kind {
		case tandem.EventListened:
			heard++
		case tandem.EventJoined:
			var is tandem.Joined
			_ = json.Unmarshal(e.Data, &is)
			if is.Role == tandem.RoleListener && heard == 0 {
				t.Error("somebody listened before the journal had it")
			}
		}
	}
	if heard != 3 {
		t.Errorf("%d audit events, want 3", heard)
	}
	d.sums(c)
}

// Nobody listens while that cannot be written down.
func TestNoListeningWithoutAJournal(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.talking()
	lead := d.sit("lead", leadHz)
	d.books.mu.Lock()
	d.books.down = true
	d.books.mu.Unlock()
	d.refuses("lead", Command{Do: Listen, Why: "quality"}, tandem.CodeUnavailable)
	if got := heardBy(lead.phone, callerHz, agentHz); len(got) > 0 {
		t.Errorf("they hear %v", got)
	}
	d.books.mu.Lock()
	d.books.down = false
	d.books.mu.Unlock()
	d.do("lead", Command{Do: Listen, Why: "quality"})
}

// A supervisor listens to a customer whom nobody serves yet, and goes on as an agent does.
func TestListenInTheFlow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c := d.waits()
	lead, anna := d.sit("lead", leadHz), d.sit("anna", agentHz)
	if err := c.stream.Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(busyHz, 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
	ask := Command{Interaction: "i1", Do: Listen, Why: "stuck"}
	if err := d.Do(t.Context(), "anna", ask); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
	if err := d.Do(t.Context(), "lead", ask); err != nil {
		t.Fatal(err)
	}
	mixed(t, lead.phone, callerHz, busyHz)
	c.hears(t, busyHz)
	if err := d.Do(t.Context(), "lead", Command{Interaction: "i1", Do: Barge, Why: "stuck"}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("barged in on nobody: %v", err)
	}
	c.stream.Stop()
	d.house.line.offer(task(tandem.TaskCall, "anna"))
	d.house.line.assign()
	anna.hears(t, callerHz)
	mixed(t, lead.phone, callerHz, agentHz)
	d.do("anna", Command{Do: Leave})
	d.idle()
	d.sees("all over", func() bool { return len(d.Switchboard.Talks()) == 0 })
	d.sums(c)
}

// The last listener's leaving ends a talk that nobody serves, and so does the customer's.
func TestListeningEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c := d.waits()
	d.sit("lead", leadHz)
	for _, end := range []func(){
		func() {
			if err := d.Do(t.Context(), "lead", Command{Interaction: "i1", Do: Leave}); err != nil {
				t.Error(err)
			}
		},
		func() { c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)) },
	} {
		if err := d.Do(t.Context(), "lead", Command{Interaction: "i1", Do: Listen, Why: "stuck"}); err != nil {
			t.Fatal(err)
		}
		end()
		d.sees("over", func() bool { return d.last().Over })
	}
	d.sums(c)
}

// An agent whose connection breaks: the customer is told and kept. If it mends they go on,
// also by a page that was loaded anew.
func TestTheLidIsClosed(t *testing.T) {
	for _, name := range []string{"mends", "comes back by another page"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			c, anna := d.talking()
			anna.states <- SeatCut
			d.sees("cut", func() bool { return len(d.last().Parties) == 2 && d.last().Parties[0].State == StateCut })
			c.until(t, "interrupted")
			if name == "mends" {
				anna.states <- SeatUp
			} else {
				anna.states <- SeatGone
				anna = d.sit("anna", agentHz)
			}
			c.until(t, "mended")
			c.hears(t, agentHz)
			anna.hears(t, callerHz)
			d.do("anna", Command{Do: Leave})
			d.idle()
			d.lineTold("release done over served")
			d.sums(c)
		})
	}
}

// until waits until the customer's call was told something.
func (c *customer) until(t *testing.T, what string) {
	t.Helper()
	for limit := time.Now().Add(patience); !strings.Contains(c.story(), what); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("the caller's call was never told %q: %s", what, c.story())
		}
	}
}

// An agent who is not back in time is lost, and out of reach: the customer is back in line.
func TestTheLidStaysClosed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 30 s")
	}
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	d.mu.Lock()
	delete(d.seats, "anna")
	d.mu.Unlock()
	d.Seated("anna", false)
	anna.states <- SeatGone
	c.until(t, "interrupted")
	d.house.line.until(t, "lost", func() bool { return true })
	for limit := time.Now().Add(mendTime + patience); !slices.Contains(d.house.line.wasTold(), "release lost again"); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the line was never told")
		}
	}
	d.idle()
	if !d.saw(CountedLost) || !d.house.line.outOfReach() {
		t.Error("the agent counts as there")
	}
	d.sums(c)
}

// The flow has the customer for a step: the agent hears it, and gets them back.
func TestLend(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	if err := d.Lend(t.Context(), "i1"); err != nil {
		t.Fatal(err)
	}
	if err := c.stream.Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(busyHz, 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
	c.hears(t, busyHz)
	mixed(t, anna.phone, callerHz, busyHz)
	d.refuses("anna", Command{Do: Hold}, tandem.CodeConflict)
	c.stream.Hush(true)
	d.Secret("i1", true)
	d.sees("secret", func() bool { return d.last().Secret && d.last().Lent })
	if got := heardBy(anna.phone, callerHz, busyHz); got[callerHz] || !got[busyHz] {
		t.Errorf("while the customer enters a secret the agent hears %v", got)
	}
	c.stream.Hush(false)
	d.Secret("i1", false)
	c.stream.Stop()
	if err := d.GiveBack(t.Context(), "i1"); err != nil {
		t.Fatal(err)
	}
	c.hears(t, agentHz)
	anna.hears(t, callerHz)
	if err := d.Lend(t.Context(), "i9"); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
}

// An offer at a desk that is closed meanwhile is given to the next at once.
func TestTheDeskIsClosedAsItRings(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.waits()
	d.sit("anna", agentHz)
	d.house.line.offer(task(tandem.TaskCall, "anna"))
	d.mu.Lock()
	delete(d.seats, "anna")
	d.mu.Unlock()
	d.Seated("anna", false)
	d.house.line.told(t, "decline anna 7 unreachable")
	d.idle()
}

// A customer who was called back is kept as their agent passes the task on: they hear music
// until the next agent has them, and nobody is dialled again.
func TestACalledCustomerIsKept(t *testing.T) {
	for _, name := range []string{"passed on", "lost", "leaves meanwhile"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			agent := agentWaits(h, task(tandem.TaskCallback, "anna"))
			customer := h.number.Rung(patience)
			customer.RTP.Talk(testkit.Tone(customerHz, time.Second))
			customer.Picks()
			customer.RTP.Hear(patience, time.Time{}, agentHz, steady)
			if name == "lost" {
				agent.RTP.Quiet()
				h.line.told(t, "release lost again")
			} else {
				h.line.mu.Lock()
				h.line.task.State = tandem.TaskWaiting
				waits := h.line.task
				h.line.mu.Unlock()
				h.line.tell(route.TaskReleased{Task: waits, Agent: "anna", Fence: 7, Why: "transferred"})
			}
			agent.WaitBye(patience)
			customer.RTP.Hear(patience, time.Now(), musicHz, steady)
			if name == "leaves meanwhile" {
				customer.Bye()
				h.line.told(t, "end left")
				h.idle()
				return
			}
			again := task(tandem.TaskCallback, "anna")
			again.Fence = 8
			h.line.offer(again)
			next := h.anna.Rung(patience)
			next.RTP.Talk(testkit.Tone(benHz, time.Second))
			next.Picks()
			customer.RTP.Hear(patience, time.Now(), benHz, steady)
			next.RTP.Hear(patience, time.Now(), customerHz, steady)
			if !h.number.Silent(0) {
				t.Error("the customer was dialled again")
			}
			next.Bye()
			customer.WaitBye(patience)
			h.idle()
		})
	}
}

// Asks that nobody answers do not hang.
func TestAskOfATalkThatIsOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, _ := d.talking()
	c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	d.idle()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := d.Do(ctx, "anna", Command{Task: "t1", Do: Hold}); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
	if err := d.Answer(ctx, "anna", "x", true); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Error(err)
	}
	if err := d.GiveBack(ctx, "i1"); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
}
