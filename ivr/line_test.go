package ivr

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

const lineFlow = `flow: f
channels: [voice, chat, sms]
languages: [en]
start: wait
on_leave: left
on_error: sorry
steps:
  wait:
    queue: { name: cards, announce_every: 30s, offer: { callback: "1", chat: "2" } }
    next: { answered: rate, callback: booked, else: sorry }
  rate: { survey: { form: csat, by: [voice, sms] }, next: end }
  booked: { say: { en: booked }, next: end }
  sorry: { say: { en: sorry }, next: end }
  left: { message: { prompt: { en: "sorry to have missed you" }, by: [sms] }, next: end }
`

// inLine runs the flow for a caller whose world answers with the inputs given as they come
// into line.
func inLine(t *testing.T, ctx context.Context, text string, s *script, inputs ...flow.Input) (Result, string) {
	t.Helper()
	lib, ds := read.FS(fstest.MapFS{
		"f.flow.yaml":       {Data: []byte(text)},
		"cards.queues.yaml": {Data: []byte("queues: { cards: { teams: [cards] } }\nteams: { cards: { site: here } }\n")},
		"csat.form.yaml":    {Data: []byte("form: csat\nfields: [ { name: score, type: int, range: 1..5, ask: { en: \"How was it?\" } } ]\n")},
		"req.form.yaml":     {Data: []byte("form: req\nfields: [ { name: what, type: text, optional: true, ask: { en: \"What?\" } } ]\n")},
	}, read.Options{Settings: map[string]any{}})
	if lib == nil {
		var b strings.Builder
		source.Print(&b, ds, false)
		t.Fatal(b.String())
	}
	s.inbox = make(chan flow.Input, 16)
	begin := s.begin
	s.begin = func(at flow.Session, e flow.Effect) error {
		if _, ok := e.(flow.Enqueue); ok {
			for _, in := range inputs {
				if in.Serial == 0 {
					in.Serial = at.Wait.Serial
				}
				s.inbox <- in
			}
		}
		if begin != nil {
			return begin(at, e)
		}
		return nil
	}
	r := Runner{Library: lib, Channel: s, World: s, Now: func() time.Time { return noon }}
	got, err := r.Run(ctx, "f", flow.Facts{Channel: tandem.Voice}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got, strings.Join(s.log, "\n")
}

func place(n int) flow.Input {
	return flow.Input{Kind: flow.InputPlace, Place: &flow.Place{Queue: "cards", Position: n}}
}

func outcome(o string) flow.Input {
	return flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: o}}
}

var served = flow.Input{Kind: flow.InputServed, Text: "Anna"}

func moved(to tandem.Channel) flow.Input {
	return flow.Input{Kind: flow.InputMoved, Channel: to}
}

// Each place that comes is announced, but to whom an agent has; what comes for another wait
// is passed over.
func TestPlacesAreAnnounced(t *testing.T) {
	late := place(3)
	late.Serial = 99
	got, log := inLine(t, t.Context(), lineFlow, &script{turns: []flow.Turn{done("done")}}, place(2), late, place(1), served, outcome("answered"))
	lines := strings.Split(log, "\n")
	if len(lines) < 4 || lines[0] != "begin flow.Enqueue" || !strings.HasPrefix(lines[1], "say ") || !strings.HasPrefix(lines[2], "say ") || lines[1] == lines[2] {
		t.Fatalf("ended %+v after\n%s", got, log)
	}
	// The survey after it is asked here and now: a talk whose entry is heard by whoever listens.
	if rest := strings.Join(lines[3:], "\n"); rest != "yield\ntalk flow.Survey\nsay so be it\ndrain" || got.Reason != "completed" {
		t.Errorf("ended %+v after\n%s", got, rest)
	}
}

// Whom an agent loses is in line again, and hears where.
func TestBackInLine(t *testing.T) {
	_, log := inLine(t, t.Context(), lineFlow, &script{}, place(1), served, place(1), outcome("callback"))
	if n := strings.Count(log, "say "); n != 3 || !strings.HasSuffix(log, "say booked\ndrain") || strings.Contains(log, "withdraw") {
		t.Errorf("after\n%s", log)
	}
}

// A key takes an offer: the world hears of it, and the customer waits on whatever comes of
// it.
func TestTakingAnOffer(t *testing.T) {
	for name, tc := range map[string]struct {
		words []flow.Play
		err   error
		want  string
	}{
		"quietly":    {want: "begin flow.Enqueue\ncut\nbegin flow.Take\nsay booked\ndrain"},
		"with words": {words: says("on its way"), want: "begin flow.Enqueue\nsay on its way\ncut\nbegin flow.Take\nsay on its way\nsay booked\ndrain"},
		"in vain":    {err: errors.New("no gateway"), want: "begin flow.Enqueue\ncut\nbegin flow.Take\nfault no gateway\nsay booked\ndrain"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{words: tc.words}
			s.begin = func(_ flow.Session, e flow.Effect) error {
				if _, ok := e.(flow.Take); ok {
					return tc.err
				}
				return nil
			}
			if got, log := inLine(t, t.Context(), lineFlow, s, key("1"), outcome("callback")); log != tc.want || got.Reason != "completed" {
				t.Errorf("ended %+v after\n%s\nwant\n%s", got, log, tc.want)
			}
		})
	}
}

// Who goes on waiting by another channel leaves the call, and their place stays; as soon as
// an agent has them it is too late for that.
func TestMovingOutOfLine(t *testing.T) {
	got, log := inLine(t, t.Context(), lineFlow, &script{}, moved(tandem.Chat))
	if got.Moved == nil || got.Moved.Channel != tandem.Chat || got.Session.Wait.Kind != flow.WaitQueue || got.Left || log != "begin flow.Enqueue\ndrain" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
	s := &script{turns: []flow.Turn{done("done")}}
	if got, log := inLine(t, t.Context(), lineFlow, s, served, moved(tandem.Chat), outcome("answered")); got.Moved != nil || !strings.Contains(log, "talk flow.Survey") {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// Who hangs up gives their place up; on_leave has its say.
func TestLeavingTheLine(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	s := &script{}
	s.begin = func(at flow.Session, e flow.Effect) error {
		switch e.(type) {
		case flow.Enqueue:
			hangUp()
		case flow.Send:
			s.inbox <- flow.Input{Kind: flow.InputResult, Serial: at.Wait.Serial, Result: &flow.Result{Outcome: "sent"}}
		}
		return nil
	}
	got, log := inLine(t, ctx, lineFlow, s)
	if !got.Left || got.Session.Wait.Kind != flow.WaitQueue || log != "begin flow.Enqueue\nwithdraw queue \nbegin flow.Send" {
		t.Errorf("ended %+v after\n%s", got, log)
	}
}

// A line that cannot be come into is a fault of the step.
func TestNoLine(t *testing.T) {
	s := &script{begin: func(flow.Session, flow.Effect) error { return errors.New("the store is down") }}
	if _, log := inLine(t, t.Context(), lineFlow, s); log != "begin flow.Enqueue\nfault the store is down\nsay sorry\ndrain" {
		t.Errorf("after\n%s", log)
	}
}

// A survey later, or by another channel, and a ticket are begun and answered like a
// message.
func TestBegunAndAnswered(t *testing.T) {
	for step, want := range map[string]string{
		"survey: { form: csat, by: [voice, sms], after: 1h }": "begin flow.Survey\nsay bye\ndrain",
		"survey: { form: csat, by: [sms] }":                   "begin flow.Survey\nsay bye\ndrain",
		"ticket: { form: req, owner: \"queue:cards\" }":       "begin flow.OpenTicket\nsay bye\ndrain",
	} {
		next := "next: bye"
		s := &script{}
		s.begin = func(at flow.Session, e flow.Effect) error {
			o := "done"
			if _, ok := e.(flow.OpenTicket); ok {
				o = "opened"
			}
			s.inbox <- flow.Input{Kind: flow.InputResult, Serial: at.Wait.Serial, Result: &flow.Result{Outcome: o}}
			return nil
		}
		text := "flow: f\nchannels: [voice, sms]\nlanguages: [en]\nstart: ask\nsteps:\n  ask:\n    " + step + "\n    " + next + "\n  bye: { say: { en: bye }, next: end }\n"
		if _, log := inLine(t, t.Context(), text, s); log != want {
			t.Errorf("%s: after\n%s\nwant\n%s", step, log, want)
		}
	}
}
