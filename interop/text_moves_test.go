package interop

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store"
)

// rounds is how often somebody goes from texts to the chat and back.
const rounds = 8

// usualStart is how long a server takes to start, where nothing else is going on.
const usualStart = 300 * time.Millisecond

// TestKillMoves has somebody go on in the chat and by text in turn, while the server is
// ended by SIGKILL again and again: one interaction, each question asked once.
func TestKillMoves(t *testing.T) {
	t.Parallel()
	s, texts := serveTexts(t)
	base := "http://" + s.HTTP.String()
	phone := texts.Inbox(texter)
	phone.SaysTo(moved, "hello")
	phone.Gets("Question 0?")
	phone.SaysTo(moved, "who") // so that they can be texted from the chat
	phone.Says(phone.Code())
	phone.Gets("Question 1?")
	phone.SaysTo(moved, "bye")
	watch(t, s, "the end of the first talk", func() (story store.Story, there bool) {
		list := s.Interactions(t)
		return story, !list[0].Ended.IsZero()
	})
	m := &mover{t: t, base: base, phone: phone, over: make(chan struct{}), seen: len(phone.Got())}
	phone.SaysTo(moved, "hello")
	m.texted("Question 0?")

	var running sync.WaitGroup
	done := make(chan struct{})
	running.Go(m.run)
	go func() { running.Wait(); close(done) }()
	random := rand.New(rand.NewPCG(7, 7))
	deadline := time.Now().Add(talkTime)
	amid, slow := 0, 1.0
	for moving := true; moving; {
		wait := time.NewTimer(time.Duration(slow * float64(50+random.IntN(350)) * float64(time.Millisecond)))
		select {
		case <-wait.C:
		case <-done:
			moving = false
			continue
		}
		if time.Now().After(deadline) {
			close(m.over)
			<-done
			t.Fatalf("the moves are not over: %s\n%s\n%s", m.at, m.chat, tellEnd(s.Story(t, string(s.Interactions(t)[0].ID))))
		}
		s.Kill(t)
		began := time.Now()
		s.Start(t)
		amid++
		// A machine so busy that the server takes seconds to start has as much more time for the
		// moves: else the gateway, which tries ten times, never finds the server there.
		slow = max(1, float64(time.Since(began))/float64(usualStart))
	}
	t.Logf("%d kills amid %d moves", amid, 2*rounds)
	if amid == 0 {
		t.Error("nothing was killed")
	}
	s.Verify(t)
	list := s.Interactions(t)
	if len(list) != 2 {
		t.Errorf("there are %d interactions, want two", len(list))
	}
	story := s.Story(t, string(list[0].ID))
	kinds := testkit.Kinds(story)
	if n := kinds[tandem.EventMoved] + kinds[tandem.EventResumed]; n < 2*rounds { // what a kill had cut in two is resumed
		t.Errorf("the session moved %d times, want %d:\n%s", n, 2*rounds, tellEnd(story))
	}
	asked := map[string]int{}
	for _, e := range story.Events {
		var said tandem.Message
		if e.Kind == tandem.EventMessage && json.Unmarshal(e.Data, &said) == nil && strings.HasPrefix(said.Text, "Question") {
			asked[said.Text]++
		}
	}
	for q, n := range asked {
		if n != 1 {
			t.Errorf("%s was asked %d times", q, n)
		}
	}
}

// mover is somebody who moves.
type mover struct {
	t     *testing.T
	base  string
	phone *testkit.Inbox
	chat  *testkit.Chat
	over  chan struct{}
	at    string // what is waited for
	seen  int    // texts
}

var wayAddress = regexp.MustCompile(`http://\S+/l/[a-z2-7]{26}`)

func (m *mover) run() {
	asked := 0
	for range rounds {
		m.phone.Says("chat")
		asked++
		link := m.texted("Go on here")
		if link == "" || !m.comes(wayAddress.FindString(link)) || !m.read(fmt.Sprintf("Question %d?", asked)) {
			return
		}
		m.chat.Say("sms")
		asked++
		if m.texted("Answer this") == "" {
			return
		}
		m.phone.Says("here")
		if m.texted(fmt.Sprintf("Question %d?", asked)) == "" {
			return
		}
	}
}

// texted waits for a text.
func (m *mover) texted(words string) string {
	m.at = "the text " + words
	text := ""
	m.until(func() bool {
		m.reconnect()
		got := m.phone.Got()
		for ; m.seen < len(got); m.seen++ {
			if strings.Contains(got[m.seen].Text, words) {
				text = got[m.seen].Text
				m.seen++
				return true
			}
		}
		return false
	})
	return text
}

// reconnect connects the chat anew if it was cut off, as a page does whatever its reader
// waits for: it may have to say again what was lost on the way.
func (m *mover) reconnect() {
	if m.chat != nil && m.chat.Lost() {
		_ = m.chat.Connect(200 * time.Millisecond)
	}
}

// read waits for a message in the chat.
func (m *mover) read(words string) bool {
	m.at = "the message " + words
	return m.until(func() bool {
		m.reconnect()
		_, ok := m.chat.Sees(50*time.Millisecond, func(x testkit.ChatMessage) bool { return x.Text == words })
		return ok
	})
}

var wayData = regexp.MustCompile(`<script type="application/json" id="tandem-handoff">(.*?)</script>`)

// comes opens a link and the chat it leads to, pressing again where the server was away.
func (m *mover) comes(link string) bool {
	m.at = "the way " + link
	b := testkit.NewBrowser(m.t)
	var first *testkit.Browser
	var to struct{ Site, Token string }
	return m.until(func() bool {
		if to.Token == "" {
			if first == nil {
				if b.TryGet(link) != nil {
					return false
				}
				first = b.Copy()
			}
			*b = *first // loaded anew, it sends the same form again
			if b.TrySend("", nil) != nil {
				return false
			}
			data := wayData.FindStringSubmatch(b.Page)
			if data == nil {
				m.at = fmt.Sprintf("the way %s: status %d, %s", link, b.Status, b.Words())
				return false
			}
			_ = json.Unmarshal([]byte(data[1]), &to)
		}
		if m.chat != nil {
			m.chat.Cut()
		}
		m.chat = testkit.LaterChat(m.t, m.base, testkit.ChatOptions{Site: to.Site, Token: to.Token})
		return m.chat.Connect(time.Second) == nil
	})
}

func (m *mover) until(ok func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-m.over:
			return false
		case <-tick.C:
		}
	}
	return true
}
