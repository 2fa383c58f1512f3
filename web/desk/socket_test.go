package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tandem"
	"tandem/store/staff"
)

// TestAgentBySocket: a chat from offer to wrap-up, told and commanded by the socket alone.
func TestAgentBySocket(t *testing.T) {
	h := newHouse(t)
	w, first := h.as("anna").open(nil)
	if !strings.HasPrefix(kindsOf(first), "welcome state") || first[0].Resumed {
		t.Fatalf("the first frames are %s", kindsOf(first))
	}
	other, _ := h.with("anna", staff.ScopeAgent).open(nil)
	w.done(map[string]any{"t": "presence", "id": "p1", "presence": "available"})
	chat := h.arrive(tandem.TaskChat)
	offer := w.last("offer")
	if offer.task().ID != chat.ID || offer.Decision == nil {
		t.Errorf("the offer is %s", offer.text)
	}
	if same := other.last("offer"); same.text != offer.text {
		t.Errorf("the other socket is told %s", same.text)
	}
	of := offer.task().Fence
	w.done(map[string]any{"t": "accept", "id": "a1", "task": chat.ID, "fence": of})
	w.done(map[string]any{"t": "accept", "id": "a2", "task": chat.ID, "fence": of})
	if f := other.last("task"); f.Why != "assigned" || f.task().State != "assigned" {
		t.Errorf("the other socket is told %s", f.text)
	}
	h.until("the talk is heard", func() bool {
		c, err := h.book.ByInteraction(t.Context(), chat.Interaction, tandem.Chat)
		return err == nil && h.book.Watched(c.ID)
	})
	h.customer(chat.Interaction, "hello")
	if m := w.last("message"); !strings.Contains(m.text, `"text":"hello"`) {
		t.Errorf("the message is %s", m.text)
	}
	w.done(map[string]any{"t": "say", "id": "s1", "task": chat.ID, "text": "Good morning."})
	w.done(map[string]any{"t": "say", "id": "s1", "task": chat.ID, "text": "Good morning."})
	w.done(map[string]any{"t": "note", "id": "n1", "task": chat.ID, "text": "Wants a card."})
	w.send(map[string]any{"t": "typing", "task": chat.ID, "on": true})
	if who := <-h.typed; who != "anna" {
		t.Errorf("%s types", who)
	}
	w.done(map[string]any{"t": "release", "id": "r1", "task": chat.ID, "fence": of})
	if f, _ := w.ask(map[string]any{"t": "say", "id": "s2", "task": chat.ID, "text": "Still there?"}); f.Code != "conflict" {
		t.Errorf("after release one says: %s", f.text)
	}
	w.done(map[string]any{"t": "wrap", "id": "w1", "task": chat.ID, "fence": of, "disposition": "solved"})
	for {
		if f := other.last("wrap"); f.Until.IsZero() {
			break
		}
	}
	h.count(chat.Interaction, tandem.EventNoted, 1)
	h.count(chat.Interaction, tandem.EventMessage, 2)
	h.count(chat.Interaction, tandem.EventTaskWrapped, 1)
	w.send(map[string]string{"t": "ping"})
	w.upto("pong")
	for _, unknown := range []map[string]any{{"t": "nonsense", "id": "z1"}, {"t": "nonsense", "id": "z2", "task": chat.ID}} {
		if f, _ := w.ask(unknown); f.Code != "bad" || !strings.Contains(f.text, `"There is no frame of this kind."`) {
			t.Errorf("%v is answered %s", unknown, f.text)
		}
	}
	for _, bad := range []string{`{"t":"accept"}`, `{"t":"nothing","id":"x1","task":"` + string(chat.ID) + `"}`, `{"t":"accept","id":"x2","task":"../x"}`, `[]`, `{"id":"x"}`, `{"t":7}`, `{"t":"accept","id":"x3","fence":-1}`} {
		w.send(bad)
		if f := w.last("error"); f.Code == "" || f.Code == "internal" {
			t.Errorf("%s is answered %s", bad, f.text)
		}
	}
}

// TestExampleOfThePage: the example of docs/protocol.md is what the server sends.
func TestExampleOfThePage(t *testing.T) {
	data, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(data), "(`>` from the client):")
	example, _, _ = strings.Cut(example, "## From the client")
	told := map[bool][]string{} // kinds that have a number, with their whys and states, and answers
	number := regexp.MustCompile(`"n":(1[3-9])`)
	for line := range strings.Lines(example) {
		kind, state, why := regexp.MustCompile(`"t":"(\w+)"`).FindStringSubmatch(line), regexp.MustCompile(`"state":"(\w+)"`).FindStringSubmatch(line), regexp.MustCompile(`"why":"(\w+)"`).FindStringSubmatch(line)
		if kind == nil || strings.HasPrefix(line, ">") {
			continue
		}
		word := kind[1]
		for _, more := range [][]string{state, why} {
			if more != nil {
				word += " " + more[1]
			}
		}
		if numbered := number.MatchString(line); numbered || kind[1] == "done" {
			told[numbered] = append(told[numbered], word)
		}
	}
	h := newHouse(t)
	w, _ := h.as("anna").open(nil)
	w.done(map[string]any{"t": "presence", "id": "p1", "presence": "available"})
	chat := h.arrive(tandem.TaskChat)
	offer := w.last("offer")
	got := map[bool][]string{true: {"offer"}}
	take := func(f frame) {
		word := f.T
		if s := f.task().State; s != "" {
			word += " " + string(s)
		}
		if f.Why != "" {
			word += " " + f.Why
		}
		if f.N > 0 || f.T == "done" {
			got[f.N > 0] = append(got[f.N > 0], word)
		}
	}
	for i, ask := range []map[string]any{{"t": "accept"}, {"t": "say", "text": "Good morning."}, {"t": "release"}, {"t": "wrap", "disposition": "solved"}} {
		ask["id"], ask["task"], ask["fence"] = fmt.Sprint("c-", i), chat.ID, offer.task().Fence
		numbered := []int{2, 3, 5, 6}[i] // frames by then
		if i == 1 {
			h.until("the talk is heard", func() bool {
				c, err := h.book.ByInteraction(t.Context(), chat.Interaction, tandem.Chat)
				return err == nil && h.book.Watched(c.ID)
			})
		}
		w.send(ask)
		for len(got[true]) < numbered || len(got[false]) <= i {
			f, err := w.next()
			h.must(err)
			take(f)
		}
	}
	for _, numbered := range []bool{true, false} {
		if !slices.Equal(got[numbered], told[numbered]) {
			t.Errorf("the page has\n%q\nthe server sends\n%q", told[numbered], got[numbered])
		}
	}
}

// TestWelcomeNames: one is called as the agent that one is or acts as, else as the user or
// the key.
func TestWelcomeNames(t *testing.T) {
	h := newHouse(t)
	for want, c := range map[string]*client{"anna": h.as("anna"), "bo": h.with("bo", staff.ScopeAgent), "sue": h.as("sue")} {
		if _, first := c.open(nil); first[0].Name != want {
			t.Errorf("%s is welcomed as %q", want, first[0].Name)
		}
	}
	reader := h.with("", staff.ScopeLineRead)
	keys, err := h.staff.Keys(t.Context())
	h.must(err)
	at := slices.IndexFunc(keys, func(k staff.Key) bool { return k.Agent == "" })
	if _, first := reader.open(nil); first[0].Name != keys[at].Name {
		t.Errorf("the key %s is welcomed as %q", keys[at].Name, first[0].Name)
	}
}

// TestResume: who comes back gets what they missed, each frame once and in order; who comes
// back too late, or to another server, gets everything as it is.
func TestResume(t *testing.T) {
	h := newHouse(t)
	anna := h.as("anna")
	w, first := anna.open(nil)
	w.done(map[string]any{"t": "presence", "id": "p1", "presence": "available"})
	n := first[0].N
	for f := (frame{}); f.T != "pong"; n = max(n, f.N) {
		if f.T == "" {
			w.send(map[string]string{"t": "ping"})
		}
		var err error
		f, err = w.next()
		h.must(err)
	}
	w.conn.CloseNow()
	a, b := h.arrive(tandem.TaskChat), h.arrive(tandem.TaskChat)
	h.until("both are offered", func() bool { return h.task(a.ID).State == "offered" && h.task(b.ID).State == "offered" })
	anna.ok(200, "POST", path(a.ID, "accept"), fence(h.task(a.ID).Fence), nil)
	back := map[string]any{"epoch": first[0].Epoch, "since": n}
	var got []frame
	var again *wire
	h.until("all is told", func() bool { again, got = anna.open(back); return strings.Contains(kindsOf(got), "task") })
	if !got[0].Resumed || strings.Count(kindsOf(got), "offer") != 2 {
		t.Errorf("what was missed is %s", kindsOf(got))
	}
	for i, f := range got[1 : len(got)-1] {
		if f.N != n+uint64(i)+1 {
			t.Errorf("frame %d has number %d after %d", i, f.N, n)
		}
	}
	for _, hello := range []map[string]any{{"epoch": "another", "since": n}, {"epoch": first[0].Epoch, "since": n + 1000}, {}} {
		_, got := anna.open(hello)
		if got[0].Resumed || kindsOf(got) != "welcome state offer task ready" && kindsOf(got) != "welcome state task offer ready" {
			t.Errorf("%v: everything is %s", hello, kindsOf(got))
		}
	}
	for i := range 300 { // more than are kept
		again.done(map[string]any{"t": "presence", "id": fmt.Sprint("q", i), "presence": []string{"available", "offline"}[i%2]})
		h.clock.Add(200 * time.Millisecond)
	}
	h.until("it is too late", func() bool { _, got := anna.open(back); return !got[0].Resumed })
}

// TestWhoMayHaveASocket: nobody, or those who may not, have none; nor do pages of others.
func TestWhoMayHaveASocket(t *testing.T) {
	h := newHouse(t)
	for name, test := range map[string]struct {
		c      *client
		change func(http.Header)
		status int
	}{
		"another page":  {h.as("anna"), func(h http.Header) { h.Set("Origin", "https://evil.example") }, 403},
		"no page":       {h.as("anna"), func(h http.Header) { h.Del("Origin") }, 403},
		"a designer":    {h.as("dee"), func(http.Header) {}, 403},
		"an operator":   {h.as("oli"), func(http.Header) {}, 403},
		"hooks alone":   {h.with("", staff.ScopeWebhooks), func(http.Header) {}, 403},
		"a forged key":  {h.with("anna", staff.ScopeAgent), func(h http.Header) { h.Set("Authorization", "Bearer tk_"+strings.Repeat("A", 43)) }, 401},
		"a page's key":  {h.with("anna", staff.ScopeAgent), func(h http.Header) { h.Set("Origin", "https://evil.example") }, 403},
		"an old cookie": {h.as("anna"), func(h http.Header) { h.Set("Cookie", "__Host-tandem=old") }, 401},
	} {
		_, resp, err := test.c.dial(test.change)
		if err == nil || resp == nil || resp.StatusCode != test.status {
			t.Errorf("%s: %v %v", name, resp, err)
		}
	}
	key := h.with("bo", staff.ScopeAgent)
	bare := h.stranger()
	w, got := bare.open(map[string]any{"token": key.key})
	if got[0].Name != "bo" || !strings.Contains(kindsOf(got), "state") {
		t.Errorf("by its first frame: %s", kindsOf(got))
	}
	w.conn.CloseNow()
	for name, hello := range map[string]string{"no token": `{"t":"hello"}`, "a forged one": `{"t":"hello","token":"tk_x"}`} {
		w, _, err := bare.dial()
		h.must(err)
		w.send(hello)
		t.Log(name)
		w.isClosed(1008, "login")
	}
	w, _, err := key.dial()
	h.must(err)
	w.send(`{"t":"accept","id":"a"}`)
	w.isClosed(1008, "hello")
}

// TestSocketsOfWhoIsNoMore: a socket ends soon after what let it in, and its agent is no
// longer there.
func TestSocketsOfWhoIsNoMore(t *testing.T) {
	h := newHouse(t)
	reachable := func(name string) bool { a, _ := h.router.Agent(name); return a.Reachable[tandem.LoadChat] }
	key := h.with("anna", staff.ScopeAgent)
	w, _ := key.open(nil)
	h.until("anna is there", func() bool { return reachable("anna") })
	keys, err := h.staff.Keys(t.Context())
	h.must(err)
	h.must(h.staff.RevokeKey(t.Context(), staff.Actor{Name: "test"}, keys[0].ID))
	w.isClosed(1008, "login")
	h.until("anna is gone", func() bool { return !reachable("anna") })

	bo := h.as("bo")
	w, _ = bo.open(nil)
	bo.ok(204, "POST", "/api/v1/logout", map[string]string{}, nil)
	w.isClosed(1008, "login")

	sue := h.as("sue")
	w, _ = sue.open(map[string]any{"board": true})
	h.must(h.staff.Change(t.Context(), staff.Actor{Name: "test"}, "sue", staff.Change{Roles: []staff.Role{staff.Designer}}))
	w.isClosed(1008, "login")

	cleo := h.as("cleo")
	w, _ = cleo.open(nil)
	yes := true
	h.must(h.staff.Change(t.Context(), staff.Actor{Name: "test"}, "cleo", staff.Change{Disabled: &yes}))
	w.isClosed(1008, "login")
}

// TestThere: an agent is there while a socket answers or a program says so, and 25 seconds
// longer.
func TestThere(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Times.Ping = 10 * time.Millisecond })
	reachable := func(name string) bool {
		a, _ := h.router.Agent(name)
		return a.Reachable[tandem.LoadChat] && a.Reachable[tandem.LoadSMS] && a.Reachable[tandem.LoadWork]
	}
	w, _ := h.as("anna").open(nil)
	ctx, stop := context.WithCancel(t.Context())
	read := make(chan struct{})
	go func() { // which answers pings
		defer close(read)
		for {
			if _, _, err := w.conn.Read(ctx); err != nil {
				return
			}
		}
	}()
	for range 3 {
		h.until("anna is there", func() bool { return reachable("anna") })
		h.clock.Add(20 * time.Second)
		before := w.pings.Load() // the second from now is sent once the answer to the first was seen
		h.until("anna answers", func() bool { return w.pings.Load() >= before+2 })
	}
	stop()
	<-read
	w.conn.CloseNow()
	h.until("her socket is gone", func() bool { return h.desk.Sockets() == 0 })
	if !reachable("anna") {
		t.Error("anna is gone at once")
	}
	h.clock.Add(26 * time.Second)
	h.until("anna is gone", func() bool { return !reachable("anna") })
	key := h.with("bo", staff.ScopeAgent)
	key.ok(204, "PUT", "/api/v1/agent/alive", nil, nil)
	h.until("bo is there", func() bool { return reachable("bo") })
	h.clock.Add(26 * time.Second)
	h.until("bo is gone", func() bool { return !reachable("bo") })
}

// TestWhoIsGone: customers do not wait for ever for an agent whose page is gone; what nobody
// waits for stays theirs.
func TestWhoIsGone(t *testing.T) {
	h := newHouse(t)
	key := h.with("anna", staff.ScopeAgent)
	chat, mail := h.arrive(tandem.TaskChat), h.arrive(tandem.TaskVoicemail)
	h.served(key, chat.ID)
	h.served(key, mail.ID)
	h.clock.Add(26 * time.Second)
	h.until("anna is out of reach", func() bool { a, _ := h.router.Agent("anna"); return !a.Reachable[tandem.LoadChat] })
	h.clock.Add(time.Minute)
	key.ok(204, "PUT", "/api/v1/agent/alive", nil, nil)
	h.until("she is back", func() bool { a, _ := h.router.Agent("anna"); return a.Reachable[tandem.LoadChat] })
	h.clock.Add(26 * time.Second)
	h.until("anna is out of reach again", func() bool { a, _ := h.router.Agent("anna"); return !a.Reachable[tandem.LoadChat] })
	h.clock.Add(100 * time.Second)
	h.as("sue").refused(409, "conflict", "POST", path(chat.ID, "queue"), map[string]string{"queue": "loans"})
	if is := h.task(chat.ID); is.State != tandem.TaskAssigned {
		t.Fatalf("taken from who came back: %+v", is)
	}
	h.clock.Add(30 * time.Second)
	h.until("the customer is back in line", func() bool { return h.task(chat.ID).State == tandem.TaskWaiting })
	if is := h.task(chat.ID); !is.Arrived.Equal(chat.Arrived) || !is.Due.Equal(chat.Due) {
		t.Errorf("at another place: %+v, not %+v", is, chat)
	}
	if is := h.task(mail.ID); is.State != tandem.TaskAssigned || is.Agent != "anna" {
		t.Errorf("the voicemail is %+v", is)
	}
}

// TestWhoNeverComes: somebody who was available before a start and has not shown up since is
// found to be out of reach, so that nothing is kept for them.
func TestWhoNeverComes(t *testing.T) {
	h := newHouse(t)
	told := func() bool {
		a, _ := h.router.Agent("dora")
		on, told := a.Reachable[tandem.LoadWork]
		return told && !on
	}
	if told() {
		t.Fatal("dora is given up at once")
	}
	h.clock.Add(26 * time.Second)
	h.until("dora is given up", told)
}

// TestBoard: supervisors are told all queues and agents, then what changes.
func TestBoard(t *testing.T) {
	h := newHouse(t)
	w, _ := h.as("sue").open(map[string]any{"board": true})
	f := w.last("board")
	if !f.Fresh || !f.Last || len(f.Queues) != 2 || len(f.Agents) != 4 {
		t.Fatalf("the board is %s", f.text)
	}
	anna, _ := h.as("anna").open(map[string]any{"board": true})
	anna.done(map[string]any{"t": "presence", "id": "p", "presence": "available"})
	chat := h.arrive(tandem.TaskChat)
	anna.done(map[string]any{"t": "accept", "id": "a", "task": chat.ID, "fence": anna.last("offer").task().Fence})
	seen := ""
	for !strings.Contains(seen, `"assigned":1`) || !strings.Contains(seen, `"answered":1,"within":1`) || !strings.Contains(seen, `"state":"assigned"`) {
		f := w.last("board")
		if f.Fresh || strings.Contains(f.text, `"name":"loans"`) {
			t.Errorf("told what did not change: %s", f.text)
		}
		seen += f.text
	}
	if f, _ := w.ask(map[string]any{"t": "accept", "id": "a", "task": chat.ID, "fence": 1}); f.Code != "forbidden" {
		t.Errorf("a supervisor's command is answered %s", f.text)
	}
	prog, _ := h.with("", staff.ScopeLineRead).open(map[string]any{"board": true})
	prog.last("board")
}

// TestFloods: who sends too much is told so, then closed; who reads too little is closed and
// resumes.
func TestFloods(t *testing.T) {
	h := newHouse(t)
	anna := h.as("anna")
	w, _ := anna.open(nil)
	for i := range 30 {
		w.send(map[string]any{"t": "presence", "id": fmt.Sprint("f", i), "presence": "available"})
	}
	fast := 0
	for i := 0; i < 30; {
		f, err := w.next()
		h.must(err)
		if f.Code == "too_fast" {
			fast++
		}
		if f.T == "done" || f.T == "error" {
			i++
		}
	}
	if fast != 10 {
		t.Errorf("%d of 30 commands were too many", fast)
	}
	for range 100 {
		if w.conn.Write(t.Context(), websocket.MessageText, []byte(`{"t":"ping"}`)) != nil {
			break
		}
	}
	w.isClosed(1008, "flood")
	w, _ = anna.open(nil)
	w.send(`{"t":"ping","x":"` + strings.Repeat("a", 70<<10) + `"}`)
	if code, _ := w.closed(); code != 1009 {
		t.Errorf("a frame that is too long closes with %d", code)
	}
	w, _ = anna.open(nil)
	h.must(w.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"t":"ping"}`)))
	w.isClosed(1003, "binary")
}

// TestFrames: each kind of frame has a row in the protocol's page, and its examples are
// frames.
func TestFrames(t *testing.T) {
	data, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	_, server, _ := strings.Cut(page, "## From the server")
	for kind := range frames() {
		if !strings.Contains(server, "| `"+kind+"` |") {
			t.Errorf("the page has no row for %s", kind)
		}
	}
	_, rest, _ := strings.Cut(page, "## From the client")
	rest, _, _ = strings.Cut(rest, "## From the server")
	var told []string
	for _, m := range regexp.MustCompile("`(\\{\"t\":[^`]*\\})`").FindAllStringSubmatch(rest, -1) {
		var f map[string]any
		if err := json.Unmarshal([]byte(m[1]), &f); err != nil {
			t.Errorf("%s: %v", m[1], err)
			continue
		}
		told = append(told, f["t"].(string))
	}
	slices.Sort(told)
	if got := strings.Join(slices.Compact(told), " "); got != "accept ask call check decline hand_back hello invite invite_link join link move note ping place presence release say screen take_over transfer typing upgrade voice whisper wrap" {
		t.Errorf("the page has the commands %s", got)
	}
	h := newHouse(t)
	w, _ := h.as("anna").open(nil)
	for i, kind := range []string{"accept", "decline", "say", "note", "presence", "release", "hand_back", "transfer", "wrap"} {
		f, _ := w.ask(map[string]any{"t": kind, "id": fmt.Sprint("k", i), "task": "00000000000000000000000000", "presence": "offline", "queue": "loans", "fence": 1, "text": "a"})
		if f.Code == "bad" || f.Code == "internal" {
			t.Errorf("%s is answered %s", kind, f.text)
		}
	}
}
