package testkit

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/bridge/sms/simulator"
)

// Texts is a gateway of texts with phones behind it: the simulator, in this process, so
// that it outlives a server that is killed. It posts from its own goroutines, ended with
// the test.
type Texts struct {
	*simulator.Simulator
	URL    string // where texts are handed over, without /webhook
	Secret string // signs both ways
	t      testing.TB
	server *httptest.Server

	mu      sync.Mutex
	inboxes map[string]*Inbox
}

// NewTexts opens a gateway with numbers of ours, whose replies and receipts go to target,
// http://HOST:PORT/api/v1/sms/NAME.
func NewTexts(t testing.TB, target string, numbers ...string) *Texts {
	t.Helper()
	var secret [24]byte
	_, _ = rand.Read(secret[:]) // never fails
	x := &Texts{t: t, Secret: "whsec_" + base64.StdEncoding.EncodeToString(secret[:])}
	var err error
	x.Simulator, err = simulator.New(simulator.Options{Gateways: []simulator.Gateway{{Kind: simulator.Webhook, Numbers: numbers, Target: target, Secret: x.Secret}}})
	if err != nil {
		t.Fatal(err)
	}
	x.server = httptest.NewServer(x.Simulator)
	x.URL = x.server.URL
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { x.Run(ctx) })
	t.Cleanup(func() {
		x.server.Close()
		cancel()
		running.Wait()
	})
	return x
}

// All are the numbers of the phones that were written to or from, sorted.
func (x *Texts) All() []string {
	x.t.Helper()
	var list struct{ Phones []simulator.Phone }
	x.get("/phones", &list)
	var all []string
	for _, p := range list.Phones {
		all = append(all, p.Number)
	}
	slices.Sort(all)
	return all
}

// Sent are all texts that the server has sent, by the phone they went to.
func (x *Texts) Sent() map[string][]simulator.Message {
	x.t.Helper()
	all := map[string][]simulator.Message{}
	for _, number := range x.All() {
		if got := x.Inbox(number).Got(); len(got) > 0 {
			all[number] = got
		}
	}
	return all
}

func (x *Texts) get(path string, out any) {
	x.t.Helper()
	answer, err := x.server.Client().Get(x.URL + path)
	if err != nil {
		x.t.Fatalf("the simulator of phones: %v", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		x.t.Fatalf("the simulator of phones answers %d", answer.StatusCode)
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		x.t.Fatalf("the simulator of phones: %v", err)
	}
}

// Inbox is the texts of one customer's phone.
type Inbox struct {
	x      *Texts
	Number string
	taken  int // of Got, by Gets
}

// Inbox is that of a number, +8613800000001: the same each time it is asked for.
func (x *Texts) Inbox(number string) *Inbox {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.inboxes == nil {
		x.inboxes = map[string]*Inbox{}
	}
	if x.inboxes[number] == nil {
		x.inboxes[number] = &Inbox{x: x, Number: number}
	}
	return x.inboxes[number]
}

// Got are the texts that came, the oldest first.
func (i *Inbox) Got() []simulator.Message {
	i.x.t.Helper()
	var got []simulator.Message
	for _, m := range i.all() {
		if !m.ByPhone {
			got = append(got, m)
		}
	}
	return got
}

// Wrote are the texts that the phone wrote, the oldest first. Their state is sending until
// the server has taken them: then it is sent.
func (i *Inbox) Wrote() []simulator.Message {
	i.x.t.Helper()
	var wrote []simulator.Message
	for _, m := range i.all() {
		if m.ByPhone {
			wrote = append(wrote, m)
		}
	}
	return wrote
}

func (i *Inbox) all() []simulator.Message {
	i.x.t.Helper()
	var list struct{ Messages []simulator.Message }
	i.x.get("/phones/"+i.Number+"/messages", &list)
	return list.Messages
}

// Gets waits for a text with these words in it, newer than the last that Gets returned.
func (i *Inbox) Gets(words string) simulator.Message {
	i.x.t.Helper()
	return i.gets(words, func(text string) bool { return strings.Contains(text, words) })
}

func (i *Inbox) gets(what string, fits func(text string) bool) simulator.Message {
	i.x.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	deadline := time.Now().Add(2 * Patience)
	for {
		got := i.Got()
		for n := i.taken; n < len(got); n++ {
			if fits(got[n].Text) {
				i.taken = n + 1
				return got[n]
			}
		}
		if time.Now().After(deadline) {
			var all strings.Builder
			for _, m := range got {
				all.WriteString(m.Text + "\n")
			}
			i.x.t.Fatalf("%s never got %q; it has\n%s", i.Number, what, all.String())
		}
		<-look.C
	}
}

var oneTimeCode = regexp.MustCompile(`^([0-9]{6}) is your code|^验证码([0-9]{6})`)

// Code waits for a text with a one-time code, newer than what Gets returned, and returns
// the code.
func (i *Inbox) Code() string {
	i.x.t.Helper()
	found := oneTimeCode.FindStringSubmatch(i.gets("a code", oneTimeCode.MatchString).Text)
	return found[1] + found[2]
}

// Says writes a text to the number that wrote last, else to the gateway's first.
func (i *Inbox) Says(text string) {
	i.x.t.Helper()
	i.SaysTo("", text)
}

// SaysTo writes a text to one of the gateway's numbers.
func (i *Inbox) SaysTo(to, text string) {
	i.x.t.Helper()
	if _, err := i.x.Reply(i.Number, simulator.Reply{Text: text, To: to}); err != nil {
		i.x.t.Errorf("a text of %s: %v", i.Number, err)
	}
}

// FreeAddress is an address of this machine on which nobody listens.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return Loopback(FreePorts(t, 1)[0]).String()
}

// Next says what goes wrong with the next text.
func (x *Texts) Next(k simulator.Knobs) {
	x.t.Helper()
	if status := HTTPAs(x.t, http.MethodPut, x.URL+"/knobs/next", "", k, nil); status != http.StatusOK {
		x.t.Fatalf("the simulator of phones answers %d", status)
	}
}
