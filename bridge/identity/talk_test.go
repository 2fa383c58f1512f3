package identity

import (
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// script plays a talk with answers made up: what is heard, or answered, gives what.
type script struct {
	do   any    // a string is entered, nil is silence, a duration passes, else it answers an order
	want string // what is said, or the order's type
}

func order(s step) string {
	switch s.order.(type) {
	case orderLook:
		return "look"
	case orderSend:
		return "send"
	case orderCheck:
		return "check"
	case orderProve:
		return "prove"
	case orderPIN:
		return "pin"
	case orderQuestions:
		return "questions"
	case orderAnswers:
		return "answers"
	case orderFind:
		return "find"
	case orderReturn:
		return "return"
	}
	return said(*s.turn)
}

func TestTalks(t *testing.T) {
	mine := target{Identity: tandem.Identity{Kind: tandem.IdentityPhone, Value: phoneA}, Checked: true}
	hint := target{Identity: mine.Identity}
	mail := target{Identity: tandem.Identity{Kind: tandem.IdentityEmail, Value: "li@bank.example"}, Checked: true}
	code := known{To: []target{mine}}
	two := asked{Form: "f1", Questions: []question{{ID: "month", Text: map[string]string{"en": "Month?"}, Type: "digits"}, {ID: "branch", Text: map[string]string{"zh-CN": "哪个网点?"}, Type: "text"}}}
	one := asked{Form: "f2", Questions: two.Questions[:1]}
	const keys = " code_keys"
	tests := []struct {
		name    string
		channel tandem.Channel
		by      string // methods, then / and the fallback; "" = resume
		level   tandem.Assurance
		script  []script
	}{
		{"a code, right", "voice", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent" + keys}, {"12 34 56", "check"}, {checked{OK: true}, "passed = passed"}}},
		{"full-width digits", "chat", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent"}, {"１２３　４５６", "check"}, {checked{OK: true}, "passed = passed"}}},
		{"three wrong codes", "chat", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent"}, {"111111", "check"}, {checked{}, "code_wrong"},
			{"111112", "check"}, {checked{}, "code_wrong"}, {"111113", "check"}, {checked{}, "failed = failed"}}},
		{"too many wrong codes lately", "chat", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent"}, {"111111", "check"}, {checked{Over: true}, "failed = failed"}}},
		{"too many before", "chat", "code", 0, []script{{known{Over: true}, "failed = failed"}}},
		{"declined by key", "voice", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent" + keys}, {"0", "declined = declined"}}},
		{"declined in words", "chat", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent"}, {"不用了。", "declined = declined"}}},
		{"a new code, too soon, then not, then no more", "chat", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent"},
			{"1", "code_too_soon"}, {time.Minute, ""}, {"Send it again", "send"}, {sent{Check: "d"}, "code_sent"}, {time.Minute, ""}, {"1", "send"}, {sent{Check: "e"}, "code_sent"},
			{time.Minute, ""}, {"1", "code_no_more"}, {"222222", "check"}, {checked{OK: true}, "passed = passed"}}},
		{"silence on voice is borne while the text is read", "voice", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent" + keys}, {nil, "code_ask" + keys}, {nil, "code_ask" + keys},
			{nil, "code_ask" + keys}, {nil, "code_ask" + keys}, {nil, "code_ask" + keys}, {nil, "failed = failed"}}},
		{"silence by text", "sms", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent"}, {nil, "failed = failed"}}},
		{"what is no code", "chat", "code", 0, []script{{code, "send"}, {sent{Check: "c"}, "code_sent"}, {"what?", "code_ask"}, {"12345", "code_ask"}, {"1234567", "failed = failed"}}},
		{"a hint is proved and told", "voice", "code", 0, []script{{known{To: []target{hint}}, "send"}, {sent{Check: "c"}, "code_sent" + keys}, {"123456", "check"}, {checked{OK: true}, "prove"},
			{tied{Known: true}, "passed known = passed"}}},
		{"by mail", "chat", "code", 0, []script{{known{To: []target{mail}}, "send"}, {sent{Check: "c"}, "code_mailed"}}},
		{"the second of two numbers", "chat", "code", 0, []script{{known{To: []target{mine, hint}}, "send"}, {sent{Cannot: true}, "send"}, {sent{Check: "c"}, "code_sent"}}},
		{"nowhere to send to, and no other way", "voice", "code", 0, []script{{known{}, "= unsupported"}}},
		{"a customer whose number takes nothing may not name another", "chat", "code", 0, []script{{code, "send"}, {sent{Cannot: true}, "too_many = failed"}}},
		{"a visitor names a number", "chat", "code", 0, []script{{known{}, "phone_ask"}, {"138 0000 0001", "send"}, {sent{Check: "c"}, "code_sent"}, {"123456", "check"}, {checked{OK: true}, "prove"},
			{tied{Bound: true, Merged: true, Customer: "P"}, "passed bound merged = passed"}}},
		{"a visitor names none", "chat", "code", 0, []script{{known{}, "phone_ask"}, {"hello", "phone_again"}, {"010 6666 8888", "phone_again"}, {"1380000000", "failed = failed"}}},
		{"a number that takes no texts", "chat", "code", 0, []script{{known{}, "phone_ask"}, {"+4420 7946 0000", "send"}, {sent{Cannot: true}, "phone_elsewhere"}, {"13800000001", "send"}, {sent{Check: "c"}, "code_sent"}}},
		{"limits", "chat", "code", 0, []script{{known{}, "phone_ask"}, {"13800000001", "send"}, {sent{Refused: true}, "too_many = failed"}}},
		{"limits, and a fallback", "voice", "code/pin", 0, []script{{known{To: []target{mine}, Service: true}, "send"}, {sent{Refused: true}, "pin_ask open_keys"}}},
		{"nobody names a number by voice or text", "sms", "code", 0, []script{{known{}, "= unsupported"}}},
		{"video is not there", "chat", "video", tandem.Proofed, []script{{code, "= unsupported"}}},
		{"a method that gives too little", "chat", "code,video", tandem.Proofed, []script{{code, "= unsupported"}}},
		{"a PIN", "voice", "pin", 0, []script{{known{Service: true}, "pin_ask open_keys"}, {"2468#", "pin"}, {checked{}, "pin_wrong open_keys"}, {"2469", "pin"}, {checked{OK: true}, "passed = passed"}}},
		{"a PIN, locked", "voice", "pin", 0, []script{{known{Service: true}, "pin_ask open_keys"}, {"2468", "pin"}, {checked{Locked: true}, "locked = failed"}}},
		{"a PIN, the service is down", "voice", "pin", 0, []script{{known{Service: true}, "pin_ask open_keys"}, {"2468", "pin"}, {checked{Down: true}, "unavailable = failed"}}},
		{"a PIN, the service is down, a code then", "voice", "pin,code", 0, []script{{known{Service: true, To: []target{mine}}, "pin_ask open_keys"}, {"2468", "pin"}, {checked{Down: true}, "send"}}},
		{"what is no PIN", "chat", "pin", 0, []script{{known{Service: true}, "pin_ask"}, {"abcd", "pin_ask"}, {nil, "pin_ask"}, {"1234567890123", "failed = failed"}}},
		{"no service", "voice", "pin,questions", 0, []script{{known{To: []target{mine}}, "= unsupported"}}},
		{"questions", "chat", "questions", 0, []script{{known{Service: true}, "questions"}, {two, "question"}, {"7", "question"}, {"Hill Road", "answers"}, {checked{OK: true}, "passed = passed"}}},
		{"questions that keys cannot answer", "voice", "questions", 0, []script{{known{Service: true}, "questions"}, {two, "= unsupported"}}},
		{"questions by key", "voice", "questions", 0, []script{{known{Service: true}, "questions"}, {one, "question open_keys"}, {nil, "question open_keys"}, {"*", "question_again open_keys"}, {"07", "answers"},
			{checked{}, "questions"}, {one, "question_wrong question open_keys"}, {"08", "answers"}, {checked{}, "questions"}, {asked{}, "failed = failed"}}},
		{"nothing to ask", "chat", "questions/code", 0, []script{{known{Service: true, To: []target{mine}}, "questions"}, {asked{}, "send"}}},
		{"six questions", "chat", "questions", 0, []script{{known{Service: true}, "questions"}, {asked{Form: "f", Questions: make([]question, 6)}, "unavailable = failed"}}},
		{"a question without words", "chat", "questions", 0, []script{{known{Service: true}, "questions"}, {asked{Form: "f", Questions: []question{{Type: "text"}}}, "unavailable = failed"}}},

		{"an earlier interaction", "voice", "", 0, []script{{"123 4567 8906", "find"}, {found{Check: "c", Target: "I"}, "resume_sent" + keys}, {"123456", "return"}, {checked{OK: true}, "resume_found = found"}}},
		{"an earlier interaction, tied", "chat", "", 0, []script{{"１２３-4567-8906", "find"}, {found{Tied: true, Target: "I"}, "resume_found = found"}}},
		{"a wrong digit", "chat", "", 0, []script{{"123 4567 8909", "resume_again"}, {"x", "resume_again"}, {"", "failed = failed"}}},
		{"no number", "voice", "", 0, []script{{nil, "resume_ask"}, {nil, "resume_ask"}, {nil, "failed = failed"}}},
		{"no wish to", "voice", "", 0, []script{{"0", "declined = declined"}}},
		{"too many tries", "voice", "", 0, []script{{"12345678906", "find"}, {found{Over: true}, "failed = failed"}}},
		{"wrong codes", "chat", "", 0, []script{{"12345678906", "find"}, {found{Check: "c"}, "resume_sent"}, {"111111", "return"}, {checked{}, "code_wrong"}, {"111111", "return"}, {checked{}, "code_wrong"},
			{"1", "code_too_soon"}, {"111111", "return"}, {checked{}, "failed = failed"}}},
		{"another code", "chat", "", 0, []script{{"12345678906", "find"}, {found{Check: "c", Target: "I"}, "resume_sent"}, {time.Minute, ""}, {"重新发送", "find"}, {found{Check: "d", Target: "I"}, "resume_again_sent"},
			{time.Minute, ""}, {"1", "find"}, {found{Over: true}, "code_no_more"}, {"111111", "return"}, {checked{OK: true}, "resume_found = found"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var e flow.Effect = flow.Resume{Step: "again", Lang: "en"}
			if tt.by != "" {
				by, fallback, _ := strings.Cut(tt.by, "/")
				e = flow.Identify{Step: "prove", Level: max(tandem.Verified, tt.level), By: strings.Split(by, ","), Fallback: fallback, Lang: "en"}
			}
			talk, s, err := begin(Who{Channel: tt.channel}, "+86", e)
			if err != nil {
				t.Fatal(err)
			}
			now := monday
			for i, step := range tt.script {
				if d, ok := step.do.(time.Duration); ok {
					now = now.Add(d)
					continue
				}
				state, err := talk.encode() // it can be stored at any time
				if err != nil {
					t.Fatal(err)
				}
				if talk, err = decode(state); err != nil {
					t.Fatal(err)
				}
				switch do := step.do.(type) {
				case nil:
					talk, s = talk.heard(flow.Input{Kind: flow.InputTimeout, At: now})
				case string:
					talk, s = talk.heard(flow.Input{Kind: flow.InputText, Text: do, At: now})
				default:
					talk, s = talk.answered(now, do)
				}
				if got := order(s); got != step.want {
					t.Fatalf("step %d, %v: %q, want %q", i+1, step.do, got, step.want)
				}
				check(t, tt.channel, s)
			}
			if s.turn != nil && s.turn.Done == nil && tt.script[len(tt.script)-1].do != nil && s.turn.Wait.Timeout == 0 {
				t.Error("it waits for ever")
			}
		})
	}
}

// check holds for every turn: a wait is a secret, bounded by the channel's time, with a
// way out; an end has no wait.
func check(t *testing.T, channel tandem.Channel, s step) {
	t.Helper()
	if s.turn == nil {
		return
	}
	if s.turn.Done != nil {
		if s.turn.Wait.Kind != "" || (s.turn.Assurance >= tandem.Verified) != (s.turn.Done.Outcome == "passed" || s.turn.Done.Outcome == "found" && s.turn.Assurance != tandem.None) {
			t.Errorf("it ends with %+v", s.turn)
		}
		return
	}
	want := map[tandem.Channel]time.Duration{tandem.Voice: 8 * time.Second, tandem.Chat: 3 * time.Minute, tandem.SMS: 30 * time.Minute}[channel]
	w := s.turn.Wait
	if w.Kind != flow.WaitListen || !w.Secret || w.Timeout != want || (len(w.Options) == 0) != (channel == tandem.Voice) {
		t.Errorf("it waits with %+v", w)
	}
	for _, p := range s.turn.Plays {
		if !p.Secret || p.Step == "" || p.Lang == "" {
			t.Errorf("it says %+v", p)
		}
	}
}

func TestBeginRefusesOtherEffects(t *testing.T) {
	if _, _, err := begin(Who{}, "+86", flow.Cut{}); err == nil {
		t.Error("a talk began with an effect that is none")
	}
	if _, err := decode([]byte("{")); err == nil {
		t.Error("a state was read that is none")
	}
}

func TestWords(t *testing.T) {
	seen := map[string]map[string]int{}
	for _, p := range Words() {
		if !strings.HasPrefix(p.Name, "identity_") || strings.TrimSpace(strings.Join(p.Pieces, "")) == "" || len(p.Pieces) > 2 {
			t.Errorf("%+v", p)
		}
		if seen[p.Name] == nil {
			seen[p.Name] = map[string]int{}
		}
		seen[p.Name][p.Lang] = len(p.Pieces)
	}
	if len(seen) < 25 {
		t.Errorf("%d sentences", len(seen))
	}
	for name, in := range seen {
		if len(in) != 2 || in["en"] != in["zh-CN"] {
			t.Errorf("%s: %v", name, in)
		}
	}
	for _, lang := range []string{"en", "zh-CN", "zh", "fr", ""} {
		l := text(lang, "012345")
		if n := len([]rune(l.Text)); !strings.Contains(l.Text, "012345") || (l.Lang == "zh-CN" && n > 70) || n > 160 || l.Params["code"] != "012345" {
			t.Errorf("%s: %+v", lang, l)
		}
	}
}
