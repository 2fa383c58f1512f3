package check

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// policy is one with every kind of step.
func policy(second bool) *flow.CheckPolicy {
	return &flow.CheckPolicy{
		Name: "face", Level: tandem.Proofed, Grants: 30 * time.Minute, Interruption: 5 * time.Second, SecondOfficer: second, Hash: strings.Repeat("ab", 32), Text: "check: face\n",
		Consent: flow.CheckConsent{Version: "2026-11", Text: map[string]string{"en": "We take pictures of you and your card.", "zh-CN": "我们将拍摄您本人及证件的照片。"}},
		Steps: []flow.CheckPolicyStep{
			{Name: "code", Kind: flow.CheckCode},
			{Name: "ask", Kind: flow.CheckQuestions, Questions: []flow.CheckQuestion{{Name: "born", Expect: "free"}, {Expect: "free"}}},
			{Name: "front", Kind: flow.CheckDocument, Document: "front"},
			{Name: "look", Kind: flow.CheckFace},
			{Name: "act", Kind: flow.CheckRequest, Requests: flow.CheckRequests(), Count: 2},
			{Name: "match", Kind: flow.CheckCompareBy, Compare: []flow.CheckCompare{{Name: "same_person"}, {Name: "untouched"}}, Likeness: "advice"},
		},
	}
}

// played is a check in the test's hands.
type played struct {
	t      testing.TB
	c      Check
	now    time.Time
	events []said
	wants  wants
	n      uint64
}

func newPlayed(t testing.TB, second bool) *played {
	p := &played{t: t, now: monday}
	p.c = Check{ID: "k1", Interaction: "i1", Leg: "l1", Policy: policy(second), By: "flow", Officer: "anna", State: Asked, Round: 1, Version: 1, Begun: monday, Changed: monday}
	for _, s := range p.c.Policy.Steps {
		p.c.Steps = append(p.c.Steps, Step{Name: s.Name, Kind: s.Kind})
	}
	return p
}

func (p *played) try(in any) error {
	p.t.Helper()
	p.n++
	var seed [32]byte
	seed[0], seed[1] = byte(p.n), byte(p.n>>8)
	before, err := json.Marshal(p.c)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := p.c.take(in, p.now, seed)
	if after, _ := json.Marshal(p.c); string(after) != string(before) {
		p.t.Fatalf("%T changed the check it was asked of", in)
	}
	if err == nil {
		if !r.Same && r.Check.Version != p.c.Version+1 {
			p.t.Fatalf("%T made version %d of %d", in, r.Check.Version, p.c.Version)
		}
		if r.Same && len(r.Events) > 0 {
			p.t.Fatalf("%T changes nothing and tells %v", in, r.Events)
		}
		p.c, p.wants = r.Check, r.Wants
		p.events = append(p.events, r.Events...)
	}
	return err
}

func (p *played) must(in any) *played {
	p.t.Helper()
	if err := p.try(in); err != nil {
		p.t.Fatalf("%+v: %v", in, err)
	}
	return p
}

func (p *played) pass(d time.Duration) *played { p.now = p.now.Add(d); return p }

func (p *played) still(step, source string) *played {
	p.t.Helper()
	n := p.c.Capture.N
	return p.must(kept{Round: p.c.Round, Step: step, Still: Still{Blob: tandem.BlobID(fmt.Sprint("b", len(p.c.Kept))), Source: source, N: n}})
}

// next does the present step well.
func (p *played) next() *played {
	p.t.Helper()
	s := p.c.present()
	if s == nil {
		p.t.Fatal("no step")
	}
	name := s.Name
	switch s.Kind {
	case flow.CheckCode:
		return p.must(codeSent{ID: "x", To: "•••42"}).must(codeTyped{OK: true})
	case flow.CheckQuestions:
		return p.must(Command{Do: "done", Step: name, Said: map[string]any{"born": "right", "2": "no"}})
	case flow.CheckDocument, flow.CheckFace:
		return p.must(Command{Do: "capture"}).still(name, sourceServer).still(name, sourcePage).must(Command{Do: "done", Step: name})
	case flow.CheckCompareBy:
		return p.must(Command{Do: "done", Step: name, Said: map[string]any{"same_person": "yes", "untouched": "yes", "likeness": 0.71}})
	}
	return p.must(Command{Do: "done", Step: name})
}

// to brings a check into a state.
func (p *played) to(state string) *played {
	p.t.Helper()
	yes := consented{Lang: "zh-CN", Yes: true}
	switch state {
	case "asked":
	case "code":
		p.must(yes).must(codeSent{ID: "x"})
	case "ask", "front", "look", "act", "match", "end":
		for p.must(yes); p.c.present() != nil && p.c.present().Name != state; {
			p.next()
		}
	case "shot":
		p.to("front").must(Command{Do: "capture"}).still("front", sourceServer)
	case "broken":
		p.to("look").must(cut{p.now}).pass(6 * time.Second).must(tick{})
	case "alone":
		p.to("look").must(assigned{})
	case "second":
		p.c.Policy.SecondOfficer = true
		p.to("end").must(Command{Do: "decide", Outcome: Passed})
	case "passed":
		p.to("end").must(Command{Do: "decide", Outcome: Passed})
	case "failed":
		p.to("front").must(Command{Do: "decide", Outcome: Failed, Reasons: []string{"document_expired"}})
	case "declined":
		p.must(consented{Lang: "en"})
	case "stopped":
		p.to("front").must(Command{Do: "abort"})
	default:
		p.t.Fatal(state)
	}
	return p
}

// brief is where a check stands, in one word.
func (p *played) brief() string {
	if s := p.c.present(); p.c.State == Running && s != nil {
		if p.c.Round > 1 {
			return fmt.Sprint(s.Name, p.c.Round)
		}
		return s.Name
	}
	return string(p.c.State)
}

var tableStates = []string{"asked", "code", "ask", "front", "shot", "look", "act", "match", "end", "broken", "alone", "second", "passed", "failed", "declined", "stopped"}

// What each input makes of a check in each state: "-" refused, "=" nothing changes.
func TestStatesAndCommands(t *testing.T) {
	type row struct {
		name  string
		input func(p *played) any
		want  map[string]string // by state; "" = all others
	}
	at := func(do string) func(p *played) any {
		return func(p *played) any {
			c := Command{Do: do, Round: p.c.Round}
			if s := p.c.present(); s != nil {
				c.Step = s.Name
			}
			return c
		}
	}
	same := func(in any) func(*played) any { return func(*played) any { return in } }
	ended := map[string]string{"passed": "=", "failed": "=", "declined": "=", "stopped": "="}
	with := func(m map[string]string, more map[string]string) map[string]string {
		out := map[string]string{}
		for _, x := range []map[string]string{m, more} {
			for k, v := range x {
				out[k] = v
			}
		}
		return out
	}
	rows := []row{
		{"consent yes", same(consented{"en", true}), map[string]string{"asked": "code", "declined": "-", "": "="}},
		{"consent no", same(consented{"en", false}), map[string]string{"asked": "declined", "declined": "=", "": "-"}},
		{"capture", at("capture"), map[string]string{"front": "front", "shot": "front", "look": "look", "act": "act", "": "-"}},
		{"done", at("done"), map[string]string{"shot": "look", "act": "match", "": "-"}},
		{"done without step", same(Command{Do: "done"}), map[string]string{"": "-"}},
		{"done of a later step", same(Command{Do: "done", Step: "act"}), map[string]string{"act": "match", "match": "=", "end": "=", "second": "=", "passed": "=", "": "-"}},
		{"done of another round", same(Command{Do: "done", Step: "act", Round: 7}), map[string]string{"": "-"}},
		{"done with answers", same(Command{Do: "done", Step: "ask", Said: map[string]any{"born": "yes", "2": "wrong"}}), map[string]string{"ask": "front", "front": "=",
			"shot": "=", "look": "=", "act": "=", "match": "=", "end": "=", "second": "=", "passed": "=", "failed": "=", "stopped": "=", "": "-"}},
		{"comparisons", same(Command{Do: "done", Step: "match", Said: map[string]any{"same_person": "no", "untouched": "unsure"}}), map[string]string{"match": "running",
			"end": "=", "second": "=", "passed": "=", "": "-"}},
		{"fail", at("fail"), map[string]string{"code": "ask", "ask": "front", "front": "look", "shot": "look", "look": "act", "act": "match", "match": "running", "": "-"}},
		{"skip", at("skip"), map[string]string{"code": "ask", "ask": "front", "front": "look", "shot": "look", "look": "act", "act": "match", "match": "running", "": "-"}},
		{"resend", at("resend_code"), map[string]string{"code": "code", "": "-"}},
		{"right code", same(codeTyped{OK: true}), with(ended, map[string]string{"code": "ask", "": "-"})},
		{"wrong code", same(codeTyped{Left: 1}), with(ended, map[string]string{"code": "code", "": "-"})},
		{"restart", at("restart"), map[string]string{"alone": "=", "code": "code2", "ask": "ask2", "front": "ask2", "shot": "ask2", "look": "ask2", "act": "ask2", "match": "ask2", "end": "ask2", "": "-"}},
		{"second face", at("second_face"), map[string]string{"code": "code2", "ask": "ask2", "front": "ask2", "shot": "ask2", "look": "ask2", "act": "ask2", "match": "ask2", "end": "ask2", "": "-"}},
		{"pass", same(Command{Do: "decide", Outcome: Passed, Reasons: []string{"same_person"}}), map[string]string{"end": "passed", "": "-"}},
		{"pass again", same(Command{Do: "decide", Outcome: Passed}), map[string]string{"end": "passed", "passed": "=", "second": "=", "": "-"}},
		{"fail it", same(Command{Do: "decide", Outcome: Failed, Reasons: []string{"coached"}}), map[string]string{"second": "-", "passed": "-", "failed": "-", "declined": "-", "stopped": "-", "alone": "-", "": "failed"}},
		{"fail it without reason", same(Command{Do: "decide", Outcome: Failed}), map[string]string{"": "-"}},
		{"fail it for another's reason", same(Command{Do: "decide", Outcome: Failed, Reasons: []string{"no_camera"}}), map[string]string{"": "-"}},
		{"other without words", same(Command{Do: "decide", Outcome: Failed, Reasons: []string{"other"}}), map[string]string{"": "-"}},
		{"decline", same(Command{Do: "decide", Outcome: Declined, Reasons: []string{"other"}, Why: "no card at hand"}), map[string]string{"second": "-", "passed": "-", "failed": "-", "declined": "-", "stopped": "-", "alone": "-", "": "declined"}},
		{"decide stopped", same(Command{Do: "decide", Outcome: Stopped, Reasons: []string{"lost"}}), map[string]string{"": "-"}},
		{"abort", same(Command{Do: "abort", Why: "wrong customer"}), map[string]string{"passed": "-", "failed": "-", "declined": "-", "stopped": "=", "": "stopped"}},
		{"nonsense", same(Command{Do: "grant"}), map[string]string{"": "-"}},
		{"second agrees", same(agreed{Officer: "ben", Yes: true}), map[string]string{"second": "passed", "": "-"}},
		{"second disagrees", same(agreed{Officer: "ben", Why: "another nose"}), map[string]string{"second": "failed", "": "-"}},
		{"second without why", same(agreed{Officer: "ben"}), map[string]string{"": "-"}},
		{"the officer as second", same(agreed{Officer: "anna", Yes: true}), map[string]string{"": "-"}},
		{"nobody as second", same(agreed{Yes: true}), map[string]string{"": "-"}},
		{"another officer", same(assigned{"carl"}), with(ended, map[string]string{"asked": "asked", "code": "code2", "second": "=", "broken": "broken", "alone": "ask2", "": "ask2"})},
		{"no officer", same(assigned{}), with(ended, map[string]string{"asked": "asked", "second": "=", "alone": "=", "": "broken"})},
		{"the same officer", same(assigned{"anna"}), with(ended, map[string]string{"alone": "ask2", "": "="})},
		{"customer stops", same(stopped{}), with(ended, map[string]string{"": "declined"})},
		{"customer is gone", same(stopped{Gone: true}), with(ended, map[string]string{"": "stopped"})},
		{"clock", same(tick{}), map[string]string{"": "="}},
		{"back", same(mended{}), with(ended, map[string]string{"broken": "ask2", "": "="})},
		{"restarted", same(restarted{}), with(ended, map[string]string{"asked": "=", "second": "=", "broken": "=", "alone": "=", "": "broken"})},
		{"restarted, seen", same(restarted{Seen: true}), with(ended, map[string]string{"asked": "=", "second": "=", "broken": "=", "alone": "=", "code": "code2", "": "ask2"})},
	}
	for _, r := range rows {
		for _, state := range tableStates {
			p := newPlayed(t, false).to(state)
			p.pass(3 * time.Second) // no double press
			version := p.c.Version
			want, listed := r.want[state]
			if !listed {
				want = r.want[""]
			}
			err := p.try(r.input(p))
			got := p.brief()
			switch {
			case err != nil:
				got = "-"
				if tandem.CodeOf(err) == tandem.CodeInternal {
					t.Errorf("%s in %s: %v has no code", r.name, state, err)
				}
			case p.c.Version == version:
				got = "="
			}
			if got != want {
				t.Errorf("%s in state %s: %s, want %s (%v)", r.name, state, got, want, err)
			}
			if err != nil || p.c.Version == version {
				continue
			}
			version, events := p.c.Version, len(p.events)
			if in, ok := r.input(p).(Command); ok && in.Do != "capture" && in.Do != "resend_code" && in.Step != "" { // pressed twice
				in.Round = 0
				if slices.Contains([]string{"done", "fail", "skip"}, in.Do) {
					in.Step = lastOver(p.events)
				}
				if err := p.try(in); err != nil || p.c.Version != version || len(p.events) != events {
					t.Errorf("%s in state %s, pressed twice: %v, %s", r.name, state, err, p.brief())
				}
			}
		}
	}
}

func lastOver(events []said) string {
	for _, e := range slices.Backward(events) {
		if s, ok := e.Data.(tandem.CheckStep); ok && s.State != string(Present) {
			return s.Step
		}
	}
	return ""
}

func (p *played) kinds() string {
	var out []string
	for _, e := range p.events {
		word := string(e.Kind)
		switch d := e.Data.(type) {
		case tandem.Consent:
			word = "consent " + d.Answer + " " + d.Lang + " " + d.Version
		case tandem.CheckStep:
			word = d.Step + " " + d.State
		case tandem.CheckBroken:
			word = fmt.Sprintf("void %d %s %.0f", d.Round, d.Why, d.Seconds)
		case tandem.CheckBegun:
			word = fmt.Sprint("begun ", d.Round, " ", d.Officer)
		case tandem.Evidence:
			word = "still"
		case tandem.Verdict:
			word = "verdict " + d.Outcome + " " + strings.Join(d.Reasons, ",") + " " + d.Officer + " " + d.Second
		case tandem.Identified:
			word = "identified " + d.Method + " " + d.Outcome + " " + d.Level.String()
		}
		out = append(out, e.Actor+": "+word)
	}
	return strings.Join(out, "\n")
}

// A whole check with a second officer, as the journal tells it.
func TestWholeCheck(t *testing.T) {
	p := newPlayed(t, true).must(consented{Lang: "zh-HK", Yes: true})
	if !p.wants.Code {
		t.Fatal("no code is sent")
	}
	for p.c.present() != nil {
		p.next()
	}
	p.must(Command{Do: "decide", Outcome: Passed, Reasons: []string{"same_person"}})
	if p.c.State != Second {
		t.Fatal(p.c.State)
	}
	p.pass(time.Minute).must(agreed{Officer: "ben", Yes: true})
	const want = `caller: consent yes zh-CN 2026-11
caller: code done
anna: ask done
anna: still
anna: still
anna: front done
anna: still
anna: still
anna: look done
system: act present
anna: act done
anna: match done
anna: second_officer asked
ben: verdict passed same_person anna ben
ben: identified video passed proofed`
	if got := p.kinds(); got != want {
		t.Errorf("the journal has\n%s\nwant\n%s", got, want)
	}
	if v := p.c.Verdict; !v.Until.Equal(p.now.Add(30*time.Minute)) || p.c.Ended != p.now {
		t.Errorf("%+v", v)
	}
	match := p.c.step("match")
	if advice, _ := match.Said["likeness"].(map[string]any); advice["advice"] != true || advice["value"] != 0.71 {
		t.Errorf("the score is kept as %v", match.Said)
	}
	if p.c.step("ask").Said["2"] != "wrong" {
		t.Errorf("%v", p.c.step("ask").Said)
	}
}

// An interruption counts by its length, to the nanosecond, whoever tells of it first.
func TestInterruption(t *testing.T) {
	for _, told := range []string{"clock", "back"} {
		for _, c := range []struct {
			away time.Duration
			want string
		}{{0, "look"}, {5 * time.Second, "look"}, {5*time.Second + 1, "ask2"}, {time.Minute, "ask2"}} {
			p := newPlayed(t, false).to("look")
			p.must(cut{p.now}).must(cut{p.now.Add(-time.Hour)}).pass(c.away) // the first one told counts
			if told == "clock" {
				p.must(tick{})
			}
			p.must(mended{})
			if got := p.brief(); got != c.want {
				t.Errorf("away for %s, told by the %s: %s, want %s", c.away, told, got, c.want)
			}
			if c.want == "ask2" && (len(p.c.Voided) != 1 || p.c.Voided[0].Seconds != c.away.Seconds() || p.c.Voided[0].Round != 1) {
				t.Errorf("%+v", p.c.Voided)
			}
		}
	}
}

// While the customer is not seen nothing is taken, done or passed.
func TestNotSeen(t *testing.T) {
	p := newPlayed(t, false).to("shot").must(cut{monday})
	for _, in := range []any{Command{Do: "capture"}, Command{Do: "done", Step: "front"}} {
		if err := p.try(in); tandem.CodeOf(err) != tandem.CodeConflict {
			t.Errorf("%+v: %v", in, err)
		}
	}
	p = newPlayed(t, false).to("end").must(cut{monday})
	if err := p.try(Command{Do: "decide", Outcome: Passed}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Error(err)
	}
}

// What waits too long ends by itself.
func TestLapses(t *testing.T) {
	for _, c := range []struct {
		state  string
		after  time.Duration
		reason string
	}{
		{"asked", AskedFor, reasonLapsed}, {"front", IdleFor, reasonLapsed}, {"broken", LostFor, reasonLost}, {"alone", LostFor, reasonLost}, {"second", LookFor, reasonLapsed},
	} {
		p := newPlayed(t, false).to(c.state)
		from := p.now
		if p.pass(c.after - 1).must(tick{}); p.c.State.Over() {
			t.Errorf("%s ended after %s", c.state, p.now.Sub(from))
		}
		if p.pass(1).must(tick{}); p.c.State != Stopped || !reflect.DeepEqual(p.c.Verdict.Reasons, []string{c.reason}) {
			t.Errorf("%s after %s: %s %+v", c.state, c.after, p.c.State, p.c.Verdict)
		}
	}
	p := newPlayed(t, false)
	p.c.Officer = ""
	if p.pass(QueueFor - 1).must(tick{}); p.c.State != Asked {
		t.Error("a check that waits for its officer ended early")
	}
	if p.pass(1).must(tick{}); p.c.State != Stopped {
		t.Error("a check waits for its officer for ever")
	}
}

// A check without an officer, or without a picture, begins its steps once both are there.
func TestWaitsForAll(t *testing.T) {
	p := newPlayed(t, false)
	p.c.Officer, p.c.Cut = "", monday
	p.must(consented{"en", true})
	if p.c.present() != nil || p.wants.Code {
		t.Fatal("a step begins with nobody there")
	}
	if p.must(assigned{"anna"}); p.c.present() != nil {
		t.Fatal("a step begins without a picture")
	}
	if p.pass(time.Minute).must(tick{}).must(mended{}); p.brief() != "code" || p.c.Round != 1 || len(p.c.Voided) != 0 {
		t.Fatal(p.brief())
	}
}

// No check has rounds without end.
func TestRoundsEnd(t *testing.T) {
	p := newPlayed(t, false).to("front")
	for i := 0; i < MaxRounds && !p.c.State.Over(); i++ {
		p.pass(time.Minute).must(Command{Do: "restart"})
	}
	if p.c.State != Stopped || p.c.Round != MaxRounds || len(p.c.Voided) != MaxRounds {
		t.Errorf("%s in round %d, %d void", p.c.State, p.c.Round, len(p.c.Voided))
	}
}

// Requests are drawn: all of them come, none likelier than others by much, and in each
// order; the number is there when it is to be read.
func TestDraw(t *testing.T) {
	step := policy(false).Step("act")
	r := rand.New(rand.NewPCG(1, 2))
	count, numbers := map[string]int{}, map[string]bool{}
	const draws = 5000
	for range draws {
		var seed [32]byte
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		got, number := draw(step, seed)
		again, _ := draw(step, seed)
		if len(got) != 2 || got[0] == got[1] || !slices.Equal(got, again) {
			t.Fatal(got, again)
		}
		if slices.Contains(got, "read_number") != (len(number) == 4) {
			t.Fatal(got, number)
		}
		if number != "" {
			numbers[number] = true
		}
		count[got[0]+" "+got[1]]++
	}
	if len(count) != 20 || len(numbers) < 500 {
		t.Errorf("%d pairs of 20, %d numbers", len(count), len(numbers))
	}
	for pair, n := range count {
		if n < draws/20/2 || n > draws/20*2 {
			t.Errorf("%s was drawn %d times of %d", pair, n, draws)
		}
	}
}

// What an officer notes is from closed lists: no answer of a customer gets into the journal
// by it, and no score is more than advice.
func TestNoted(t *testing.T) {
	for _, said := range []map[string]any{
		{"born": "12 May 1980", "2": "right"}, {"born": "right"}, {"born": "right", "2": "right", "name": "x"}, {"born": true, "2": "right"},
		{"born": "right", "2": "right", "likeness": 0.5},
	} {
		if err := newPlayed(t, false).to("ask").try(Command{Do: "done", Step: "ask", Said: said}); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%v: %v", said, err)
		}
	}
	long := strings.Repeat("x", 41)
	for _, likeness := range []any{"alike", map[string]any{"word": long}, map[string]any{long: 1.0}, map[string]any{"a": map[string]any{}}, []any{1.0}, map[string]any{"faces": []any{"x"}}} {
		said := map[string]any{"same_person": "yes", "untouched": "yes", "likeness": likeness}
		if err := newPlayed(t, false).to("match").try(Command{Do: "done", Step: "match", Said: said}); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%v: %v", likeness, err)
		}
	}
	p := newPlayed(t, false).to("match").must(Command{Do: "done", Step: "match", Said: map[string]any{"same_person": "yes", "untouched": "yes",
		"likeness": map[string]any{"word": "likely", "advice": false, "faces": []any{1.0, 1.0}}}})
	if p.c.step("match").Said["likeness"].(map[string]any)["advice"] != true {
		t.Error("a score is not marked as advice")
	}
}

// A comparison that is not answered with yes cannot pass.
func TestComparisonsDecide(t *testing.T) {
	for _, answer := range []string{"no", "unsure"} {
		p := newPlayed(t, false).to("match").must(Command{Do: "done", Step: "match", Said: map[string]any{"same_person": "yes", "untouched": answer}})
		if err := p.try(Command{Do: "decide", Outcome: Passed}); tandem.CodeOf(err) != tandem.CodeConflict {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// A still of a round that is void by the time it is there is not kept, though the same step
// is being done again.
func TestLateStill(t *testing.T) {
	p := newPlayed(t, false).to("front").must(Command{Do: "capture"})
	late := kept{Round: 1, Step: "front", Still: Still{Source: sourceServer, N: 1}}
	p.must(Command{Do: "restart"}).next()
	if p.brief() != "front2" {
		t.Fatal(p.brief())
	}
	if err := p.try(late); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Error(err)
	}
}

// Who did not do what they were asked does not pass, whatever else was right.
func TestARequestNotFollowed(t *testing.T) {
	c := Check{Consent: &Consent{Yes: true}, Policy: &flow.CheckPolicy{}, Steps: []Step{
		{Name: "act", Kind: flow.CheckRequest, State: StepDone, Said: map[string]any{"look_up": "yes", "turn_left": "no"}},
	}}
	if err := c.mayPass(); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("it may pass: %v", err)
	}
	c.Steps[0].Said["turn_left"] = "yes"
	if err := c.mayPass(); err != nil {
		t.Errorf("it may not pass: %v", err)
	}
}
