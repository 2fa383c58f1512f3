package check

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"tandem"
)

// What a check waits for, at each place where it does: a verdict is none before all steps are
// over, and the customer is asked for nothing before an officer is there.
func TestWaits(t *testing.T) {
	p := newPlayed(t, true)
	want := func(waits, customers string) {
		t.Helper()
		if c := p.c; c.Waits() != waits || CustomerView(c).Waits != customers {
			t.Errorf("%s: it waits for %q, the customer reads %q", p.brief(), c.Waits(), CustomerView(c).Waits)
		}
	}
	p.must(assigned{})
	want(WaitsOfficer, WaitsOfficer)
	p.must(assigned{Name: "anna"})
	want(WaitsConsent, "")
	p.must(cut{Since: p.now}).must(consented{Lang: "en", Yes: true})
	if p.c.present() != nil {
		t.Fatal("a step was begun in the dark")
	}
	want(WaitsPicture, "")
	p.must(mended{})
	want("", "")
	for p.c.present() != nil {
		if p.next(); p.c.present() != nil {
			want("", "")
		}
	}
	want(WaitsVerdict, "")
	p.must(Command{Do: "decide", Outcome: Passed})
	want(WaitsSecond, "")
	p.must(agreed{Officer: "ben", Yes: true})
	want("", "")
}

// What keeps a check from being passed is said before, by the question's words.
func TestBars(t *testing.T) {
	p := newPlayed(t, false)
	for i := range p.c.Policy.Step("match").Compare {
		q := &p.c.Policy.Step("match").Compare[i]
		q.Ask = Texts{"en": "Is it " + q.Name + "?"}
	}
	words := func() string {
		var out []string
		for _, b := range p.c.Bars() {
			out = append(out, strings.TrimSpace(b.Step+" "+b.Ask["en"]+b.What+" "+b.Why))
		}
		return strings.Join(out, ", ")
	}
	if got := words(); got != "consent, code  not_done, ask  not_done, front  not_done, look  not_done, act  not_done, match  not_done" {
		t.Error(got)
	}
	p.to("act")
	drawn := p.c.present().Drawn
	p.must(Command{Do: "done", Step: "act", Said: map[string]any{drawn[0]: "yes", drawn[1]: "no"}}).
		must(Command{Do: "done", Step: "match", Said: map[string]any{"same_person": "no", "untouched": "unsure"}})
	if got := words(); got != "act "+drawn[1]+" not_followed, match Is it same_person? no, match Is it untouched? unsure" {
		t.Error(got)
	}
	p.c.step("act").Said[drawn[1]] = "yes"
	if err := p.try(Command{Do: "decide", Outcome: Passed}); tandem.CodeOf(err) != tandem.CodeConflict || !strings.Contains(err.Error(), "Is it same_person?") {
		t.Errorf("the error is %v", err)
	}
	p.must(cut{Since: p.now})
	if got := words(); !strings.HasPrefix(got, "picture, ") {
		t.Error(got)
	}
}

// Who stops a check reads that they have stopped it, who refuses that they have declined; of
// what an officer has found nothing is told.
func TestWhatCustomersAreTold(t *testing.T) {
	for _, c := range []struct {
		end any
		why string
	}{
		{stopped{}, "customer_stopped"},
		{stopped{Gone: true}, "customer_left"},
		{Command{Do: "abort"}, "officer"},
		{Command{Do: "decide", Outcome: Declined, Reasons: []string{"picture_bad"}}, ""},
		{Command{Do: "decide", Outcome: Declined, Reasons: []string{"document_unreadable"}}, ""},
		{Command{Do: "decide", Outcome: Failed, Reasons: []string{"not_same_person"}}, ""},
	} {
		p := newPlayed(t, false).to("look").must(c.end)
		if v := CustomerView(p.c); v.Why != c.why {
			t.Errorf("after %+v they are told %q", c.end, v.Why)
		}
	}
	if v := CustomerView(newPlayed(t, false).must(consented{Lang: "en"}).c); v.Why != "customer_declined" {
		t.Errorf("who refuses is told %q", v.Why)
	}
	p := newPlayed(t, false).to("look")
	if v := CustomerView(p.c); v.Again != "" {
		t.Errorf("the first round begins again: %q", v.Again)
	}
	p.must(Command{Do: "second_face"})
	if v := CustomerView(p.c); v.Again != "second_face" || v.Round != 2 {
		t.Errorf("%+v", v)
	}
	p.must(stopped{})
	if v := CustomerView(p.c); v.Again != "" {
		t.Errorf("after the end: %+v", v)
	}
}

// A recording that the policy wants and that does not run is in the journal, and when it runs
// again; nobody is told of one that is not wanted.
func TestUnrecorded(t *testing.T) {
	p := newPlayed(t, false).to("look").must(recorded{On: false})
	if p.c.Unrecorded {
		t.Fatal("the policy wants no recording")
	}
	p.c.Policy.Record = true
	from := len(p.events)
	for _, on := range []bool{true, false, false, true, true} {
		if p.must(recorded{On: on}); p.c.Unrecorded == on {
			t.Errorf("recorded %t: %+v", on, p.c)
		}
	}
	var told []any
	for _, e := range p.events[from:] {
		told = append(told, e.Data)
	}
	want := []any{tandem.CheckStep{Check: "k1", Round: 1, Step: "recording", State: "missing"}, tandem.CheckStep{Check: "k1", Round: 1, Step: "recording", State: "present"}}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("told %+v", told)
	}
}

// A code that cannot be written down does not hold up the check, nor the clocks of others.
func TestASlowCode(t *testing.T) {
	h := newHouse(t)
	h.sendTime = time.Millisecond
	h.Desk.o.SendCode = func(ctx context.Context, _ Check) (string, string, error) {
		<-ctx.Done()
		return "", "", ctx.Err()
	}
	c, err := h.Begin(t.Context(), h.order())
	h.must(err)
	c, err = h.Consent(t.Context(), c.ID, "en", true)
	h.must(err)
	if c.Code == nil || c.Code.Trouble != "failed" {
		t.Errorf("%+v", c.Code)
	}
}

// A consent names its check.
func TestTheConsentNamesItsCheck(t *testing.T) {
	p := newPlayed(t, false).must(consented{Lang: "en", Yes: true})
	for _, e := range p.events {
		if d, is := e.Data.(tandem.Consent); is && d.Check != "k1" {
			t.Errorf("%+v", d)
		}
	}
}

// A check that is passed needs no reason; every other verdict has one.
func TestReasonsOfVerdicts(t *testing.T) {
	if err := reasoned(Passed, nil, ""); err != nil {
		t.Error(err)
	}
	for _, outcome := range []State{Failed, Declined} {
		if err := reasoned(outcome, nil, ""); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%s without a reason: %v", outcome, err)
		}
	}
}
