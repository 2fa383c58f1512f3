package phone

import (
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/internal/testkit"
)

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

// brief is caps that let a call last but a moment.
type brief struct{ *caps.Ledger }

func (b brief) Reserve(now time.Time, number string) (*caps.Hold, error) {
	h, err := b.Ledger.Reserve(now, number)
	if err == nil {
		h.Limit = time.Second
	}
	return h, err
}

// A number that was asked in is sent away after the longest a call out may last; the others
// go on.
func TestANumberIsBound(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(_ *desk, o *Options) { o.Caps = brief{o.Caps.(*caps.Ledger)} })
	c, anna := d.talking()
	d.do("anna", Command{Do: Consult, To: Target{Number: "tel:+8613900000009"}})
	far := d.number.Rung(patience)
	far.RTP.Talk(testkit.Tone(customerHz, time.Second))
	far.Picks()
	anna.hears(t, customerHz)
	d.do("anna", Command{Do: Merge})
	far.WaitBye(patience)
	c.hears(t, agentHz)
	d.do("anna", Command{Do: Leave})
	d.idle()
	for _, l := range d.books.all() {
		if l.Kind == tandem.LegSIP && l.Termination.Reason != tandem.ReasonMaxDuration {
			t.Errorf("the number's leg ended by %s", l.Termination)
		}
	}
	d.sums(c)
}
