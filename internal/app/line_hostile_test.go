package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store"
	"tandem/store/staff"
)

// A phone of an agent who wants the call to be elsewhere, or sends what makes no sense in it,
// is refused; nobody is dialled for it and the talk goes on.
func TestAPhoneThatWantsMore(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna")
	d := h.waits(t, "1", "13900000001")
	phone := h.anna.Rung(patience)
	picks(t, phone, d)
	for _, to := range []string{"sip:13900000099@" + h.carrier.Local().String(), "tel:+8613900000099", "sip:95555@" + h.addr().String() + "?Replaces=x%3Bto-tag%3Dy"} {
		refer := phone.Next("REFER").Add("Refer-To", "<"+to+">").Add("Referred-By", "<sip:anna@127.0.0.1>")
		phone.Send(refer)
		if code := phone.Status(patience, refer); code < 400 {
			t.Errorf("a transfer to %s by the phone is answered with %d", to, code)
		}
	}
	for _, method := range []string{"NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH", "REGISTER", "X-TAKE"} {
		m := phone.Next(method)
		m.With("text/plain", "transfer me \x00\x1b[2J")
		phone.Send(m)
		if code := phone.Status(patience, m); code < 400 {
			t.Errorf("%s by the phone is answered with %d", method, code)
		}
	}
	phone.SendRaw([]byte("BYE sip:x SIP/2.0\r\nCall-ID: " + phone.Invite.Get("Call-ID") + "\r\nCSeq: 9 BYE\r\n\r\n")) // of no dialog: without tags
	since := time.Now()
	d.RTP.Hear(patience, since, agentHz, 500*time.Millisecond)
	phone.RTP.Hear(patience, since, callerHz, 500*time.Millisecond)
	if !h.carrier.Silent(quiet) {
		t.Error("somebody was dialled for the phone")
	}
	phone.Bye()
	d.WaitBye(patience)
	h.idle(t)
	h.sound(t)
}

// The key of an offer that is not made yet takes nothing, and neither do the keys that an
// agent hears.
func TestAKeyOfNoOffer(t *testing.T) {
	t.Parallel()
	h := newHotlineOf(t, hotlineSetup{policy: strings.Replace(linePolicy, "target: { voice: 20s }", "offer_after: { callback: 1h }", 1)})
	d := h.waits(t, "1", "13900000001")
	h.stands(t, "13900000001")
	d.RTP.Type("1*#0123456789")
	d.RTP.Hear(patience, time.Now(), waitingHz, 300*time.Millisecond)
	if tasks := h.line.Tasks("", 0); len(tasks) != 1 || tasks[0].Kind != tandem.TaskCall || tasks[0].State != tandem.TaskWaiting {
		t.Errorf("in line are %+v", tasks)
	}
	h.presents(t, "anna", tandem.PresenceAvailable)
	phone := h.anna.Rung(patience)
	picks(t, phone, d)
	d.RTP.Type("1")
	phone.RTP.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "1" })
	if tasks := h.line.Tasks("", 0); len(tasks) != 1 || tasks[0].State != tandem.TaskAssigned || tasks[0].Kind != tandem.TaskCall {
		t.Errorf("in line are %+v", tasks)
	}
	d.Bye()
	phone.WaitBye(patience)
	h.idle(t)
	h.sound(t)
}

// A key that is revoked in the middle of a call opens nothing any more; the talk goes on.
func TestAKeyIsRevokedInATalk(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna")
	anna, sue := h.program(t, "anna", staff.ScopeAgent), h.program(t, "", staff.ScopeLineRead, staff.ScopeLineWrite)
	d := h.waits(t, "1", "13900000001")
	phone := h.anna.Rung(patience)
	picks(t, phone, d)
	task := h.line.Tasks("", 0)[0]
	path := "/tasks/" + string(task.ID)
	anna.asks(t, 200, "GET", path, nil, nil)
	keys, err := h.staff.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Agent == "anna" {
			if err := h.staff.RevokeKey(t.Context(), staff.Actor{Name: "test"}, k.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, ask := range [][2]string{{"GET", "/agent"}, {"GET", path}, {"POST", path + "/release"}, {"POST", path + "/transfer"}, {"POST", path + "/notes"}, {"PUT", "/agent/presence"}} {
		anna.asks(t, 401, ask[0], ask[1], map[string]any{"fence": task.Fence, "agent": "ben", "client": "c", "text": "x", "presence": "away"}, nil)
	}
	since := time.Now()
	d.RTP.Hear(patience, since, agentHz, 300*time.Millisecond)
	sue.asks(t, 404, "POST", "/tasks/06h00000000000000000000000/end", map[string]any{"why": "none"}, nil)
	phone.Bye()
	d.WaitBye(patience)
	h.idle(t)
	h.sound(t)
}

// What a customer writes is data: it stands in the API as they wrote it, for the agent who
// has them and nobody else, and what other programs are told has none of it. What a
// supervisor does is in the audit log with their name.
func TestHostileTextsInLine(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		told = append(told, string(body))
	}))
	defer receiver.Close()
	s := newTextServer(t, textSetup{
		flows: map[string]string{"lined.flow.yaml": queueFlow, "counter.queues.yaml": strings.Replace(counterPolicy, "agents: {", "agents: { li: { teams: [crew] },", 1)},
		wavs:  map[string]time.Duration{"blip.wav": 100 * time.Millisecond},
		base:  "\n  \"3\": lined\n  \"chat:demo\": lined\n  \"sms:+861055550100\": lined\n",
		texts: `{ allow: [ "+86138" ], per_number_per_hour: 100, per_number_per_day: 100 }`,
		more:  "line: { verify: true }\nwebhooks: { allow: [ \"127.0.0.0/8\" ] }\n",
	})
	wang, li := s.program(t, "wang", staff.ScopeAgent), s.program(t, "li", staff.ScopeAgent)
	sue, olga := s.program(t, "", staff.ScopeLineRead, staff.ScopeLineWrite), s.program(t, "", staff.ScopeWebhooks)
	olga.asks(t, 201, "POST", "/webhooks", map[string]any{"url": receiver.URL, "kinds": []string{"*"}}, nil)
	wang.asks(t, 204, "PUT", "/agent/alive", nil, nil)
	wang.is(t, tandem.PresenceAvailable)
	const nasty = `"}],<script>alert(1)</script>${core}&#x27;` + "\u202e\u2028" + ` {"t":"served"} 四 13800000001`
	phone := s.texts.Inbox(customer)
	phone.Says(nasty)
	id := s.latest(t, "sms:"+ourNumber).Interaction.ID
	var offer hand
	until(t, "an offer", func() bool {
		for _, offer = range wang.holds() {
			if offer.State == tandem.TaskOffered {
				return true
			}
		}
		return false
	})
	path, fence := "/tasks/"+string(offer.Task), map[string]any{"fence": offer.Fence}
	wang.asks(t, 200, "POST", path+"/accept", fence, nil)
	var said struct{ Messages []struct{ From, Text string } }
	wang.asks(t, 200, "GET", path+"/messages", nil, &said)
	if len(said.Messages) == 0 || said.Messages[0].Text != nasty {
		t.Errorf("the agent reads %+q", said.Messages)
	}
	for _, ask := range [][2]string{{"GET", ""}, {"GET", "/messages"}, {"POST", "/messages"}, {"POST", "/notes"}} {
		li.asks(t, 404, ask[0], path+ask[1], map[string]any{"client": "c1", "text": "x"}, nil)
	}
	for _, what := range []string{"accept", "decline", "release", "hand_back", "wrap"} {
		if status, text := li.try("POST", path+"/"+what, fence, nil); status != 409 && status != 404 {
			t.Errorf("another agent's %s: %d %s", what, status, text)
		}
	}
	li.asks(t, 403, "GET", "/line", nil, nil)
	li.asks(t, 403, "POST", path+"/end", map[string]any{"why": "mine"}, nil)
	olga.asks(t, 403, "GET", path+"/messages", nil, nil)
	const note = "the customer's mother was born in Suzhou"
	wang.asks(t, 204, "POST", path+"/notes", map[string]any{"client": "n1", "text": note}, nil)
	sue.asks(t, 204, "POST", path+"/end", map[string]any{"why": "it is closed here"}, nil)
	s.shows(t, id, "the end", func(story store.Story) bool { return len(story.Tasks) == 1 && story.Tasks[0].State == tandem.TaskDone })
	entries, err := s.staff.Entries(t.Context(), 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	audited := false
	for _, e := range entries {
		audited = audited || e.Object == string(offer.Task) && strings.Contains(e.Actor, "program") && strings.Contains(e.Action, "end")
		if strings.Contains(e.Detail, "Suzhou") || strings.Contains(e.Detail, "script") {
			t.Errorf("the audit log has %+v", e)
		}
	}
	if !audited {
		t.Errorf("what the supervisor did is not in the audit log: %+v", entries)
	}
	until(t, "the webhooks", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) > 4
	})
	mu.Lock()
	defer mu.Unlock()
	for _, body := range told {
		for _, personal := range []string{"script", "13800000001", "Suzhou", "alert"} {
			if strings.Contains(body, personal) {
				t.Errorf("a webhook has %q: %s", personal, body)
			}
		}
	}
	if strings.Contains(s.log.String(), "Suzhou") || strings.Contains(s.log.String(), "alert(1)") || strings.Contains(s.log.String(), customer) {
		t.Error("the log has what is personal")
	}
	s.sound(t)
}
