package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
)

// plainly has the fake gateway read Inbound and Receipt as JSON, unsigned.
func plainly(f *fake) {
	f.receive = func(r *http.Request, body []byte) ([]Inbound, []Receipt, Answer, error) {
		if r.Header.Get("signed") != "yes" {
			return nil, nil, Answer{}, reject("forged", 403, "the signature does not fit")
		}
		var in struct {
			Inbound  []Inbound
			Receipts []Receipt
		}
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, nil, Answer{}, reject("malformed", 400, "no JSON")
		}
		return in.Inbound, in.Receipts, Answer{Type: "text/plain", Body: "thanks"}, nil
	}
}

// knock posts to the desk's door as a gateway.
func (o *office) knock(t *testing.T, path string, body any, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	data, isText := body.(string)
	if !isText {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		data = string(b)
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", path, strings.NewReader(data))
	r.Header.Set("signed", "yes")
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, r)
	return w
}

const door = "/api/v1/sms/first"

func inbound(id, words string) map[string]any {
	return map[string]any{"Inbound": []Inbound{{ID: id, From: theirs, To: ours, Text: words}}}
}

func (o *office) texts() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := []string{}
	for _, in := range o.arrived {
		out = append(out, in.Text)
	}
	return out
}

func TestATextComesInOnce(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	for range 3 {
		if w := o.knock(t, door, inbound("m-1", "hello")); w.Code != 200 || w.Body.String() != "thanks" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	o.renew(t)
	o.knock(t, door, inbound("m-1", "hello"))
	o.knock(t, door, inbound("m-2", "hello"))
	if len(o.arrived) != 2 || o.arrived[0].Gateway != "first" || o.arrived[0].Client() != "sms:first:m-1" || o.arrived[0].At != o.clock.Now() {
		t.Errorf("arrived: %+v", o.arrived)
	}
}

// The provider is told 2xx only once the text is kept, and brings it again until then.
func TestATextThatCannotBeKept(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	o.fault = store.ErrUnavailable
	if w := o.knock(t, door, inbound("m-1", "hello")); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	o.fault = nil
	o.knock(t, door, inbound("m-1", "hello"))
	if got := o.texts(); len(got) != 1 {
		t.Errorf("arrived: %q", got)
	}
	if s := o.log.String(); strings.Contains(s, "hello") || strings.Contains(s, "138000") {
		t.Errorf("the log has what was written:\n%s", s)
	}
}

func TestDoublesAtTheSameTime(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() { o.knock(t, door, inbound(fmt.Sprintf("m-%d", i%4), "hello")) })
	}
	wait.Wait()
	if got := o.texts(); len(got) != 4 {
		t.Errorf("%d arrived", len(got))
	}
}

func TestRefusedAtTheDoor(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	o.o.Gateways["second"] = o.gateway
	for _, c := range []struct {
		name, path string
		body       any
		change     func(*http.Request)
		status     int
		rule       string
	}{
		{"unsigned", door, inbound("m-1", "secret words"), func(r *http.Request) { r.Header.Del("signed") }, 403, "forged"},
		{"no form", door, "secret words", nil, 400, "malformed"},
		{"too large", door, strings.Repeat("x", maxBody+1), nil, 413, "too_large"},
		{"no such gateway", "/api/v1/sms/other", inbound("m-1", "secret words"), nil, 404, "unknown_gateway"},
		{"a number that is not ours", door, map[string]any{"Inbound": []Inbound{{ID: "m-1", From: theirs, To: "+861055559999", Text: "secret words"}}}, nil, 404, "unknown_number"},
		{"a number that another gateway serves", "/api/v1/sms/second", inbound("m-1", "secret words"), nil, 404, "unknown_number"},
		{"no id", door, inbound("", "secret words"), nil, 400, "malformed"},
		{"a receipt without an id", door, map[string]any{"Receipts": []Receipt{{State: "sent"}}}, nil, 400, "malformed"},
	} {
		o.rejected = nil
		var change []func(*http.Request)
		if c.change != nil {
			change = append(change, c.change)
		}
		w := o.knock(t, c.path, c.body, change...)
		var said map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != c.status || said["code"] != c.rule || !slices.Equal(o.rejected, []string{c.rule}) {
			t.Errorf("%s: %d %s, told %v", c.name, w.Code, w.Body, o.rejected)
		}
	}
	if len(o.arrived) > 0 || strings.Contains(o.log.String(), "secret") || strings.Contains(o.log.String(), "+86") {
		t.Errorf("arrived %v; log:\n%s", o.arrived, o.log)
	}
	r := httptest.NewRecorder()
	o.Handler().ServeHTTP(r, httptest.NewRequest("GET", door, nil))
	if r.Code != 405 {
		t.Errorf("GET: %d", r.Code)
	}
}

func TestSourcesAreNotListenedToForEver(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	forge := func(r *http.Request) { r.Header.Del("signed"); r.RemoteAddr = "[2001:db8::1]:1234" }
	for range sourceTries {
		if w := o.knock(t, door, inbound("m", "x"), forge); w.Code != 403 {
			t.Fatalf("%d", w.Code)
		}
	}
	neighbour := func(r *http.Request) { r.RemoteAddr = "[2001:db8::2]:1234" }
	if w := o.knock(t, door, inbound("m", "x"), neighbour); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("the same network: %d", w.Code)
	}
	if w := o.knock(t, door, inbound("m-1", "x")); w.Code != 200 {
		t.Errorf("another: %d", w.Code)
	}
	o.clock.Add(time.Minute)
	if w := o.knock(t, door, inbound("m-2", "x"), neighbour); w.Code != 200 {
		t.Errorf("a minute later: %d", w.Code)
	}
}

func TestOneGatewayPerSecond(t *testing.T) {
	o := newOffice(t, generous(), func(p *Options) { p.PerSecond = 5 })
	plainly(o.gateway)
	codes := map[int]int{}
	for i := range 8 {
		codes[o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: fmt.Sprint(i), From: fmt.Sprintf("+86138000000%02d", i), To: ours, Text: "x"}}}).Code]++
	}
	if codes[200] != 5 || codes[429] != 3 {
		t.Errorf("%v", codes)
	}
}

func TestAFloodOfOnePerson(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	for i := range perPair + 10 {
		want := 200
		if i >= perPair {
			want = 429
		}
		if w := o.knock(t, door, inbound(fmt.Sprint(i), "x")); w.Code != want {
			t.Fatalf("text %d: %d", i, w.Code)
		}
	}
	if w := o.knock(t, door, inbound("stop", "STOP")); w.Code != 200 || len(o.stops) != 1 {
		t.Errorf("a STOP after a flood: %d, %v", w.Code, o.stops)
	}
}

func TestASenderWithoutANumber(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	w := o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: "m-1", From: "CARRIER", To: ours, Text: "x"}}})
	if w.Code != 200 || len(o.arrived) != 0 || !slices.Equal(o.rejected, []string{"no_number"}) {
		t.Errorf("%d, arrived %v, told %v", w.Code, o.arrived, o.rejected)
	}
}

func TestALongTextIsCutAndATimeThatCannotBe(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	for i, at := range []time.Time{{}, o.clock.Now().Add(time.Hour), o.clock.Now().Add(-30 * day), o.clock.Now().Add(-time.Minute)} {
		o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: fmt.Sprint(i), From: "86 13800000001", To: "861055550100", Text: strings.Repeat("好", maxText+5), At: at}}})
		o.knock(t, door, map[string]any{"Inbound": []Inbound{{ID: fmt.Sprint(i), From: theirs, To: "861055550100", Text: strings.Repeat("好", maxText+5), At: at}}})
	}
	if len(o.arrived) != 4 {
		t.Fatalf("%d arrived", len(o.arrived))
	}
	for i, in := range o.arrived {
		want := o.clock.Now()
		if i == 3 {
			want = want.Add(-time.Minute)
		}
		if len([]rune(in.Text)) != maxText || in.To != ours || !in.At.Equal(want) {
			t.Errorf("text %d: %d characters to %s at %v", i, len([]rune(in.Text)), in.To, in.At)
		}
	}
}

// receipts says what a gateway says of a message.
func receipts(all ...Receipt) map[string]any { return map[string]any{"Receipts": all} }

// Receipts in every order, each once or twice, before and after Send returned, and with
// restarts between, lead to the furthest state and never back.
func TestReceiptsInEveryOrder(t *testing.T) {
	all := []tandem.MessageState{tandem.MessageSent, tandem.MessageFailed, tandem.MessageDelivered, tandem.MessageRead}
	random := rand.New(rand.NewPCG(1, 1))
	run := 0
	var permute func(rest, order []tandem.MessageState)
	o := newOffice(t, generous())
	plainly(o.gateway)
	permute = func(rest, order []tandem.MessageState) {
		if len(rest) > 0 {
			for i := range rest {
				permute(append(slices.Clone(rest[:i]), rest[i+1:]...), append(slices.Clone(order), rest[i]))
			}
			return
		}
		for len(order) < 8 { // doubles, anywhere
			order = slices.Insert(order, random.IntN(len(order)+1), all[random.IntN(len(all))])
		}
		if run++; run%3 == 0 { // some phones never say that a text was read, or delivered
			order = slices.DeleteFunc(order, func(s tandem.MessageState) bool {
				return s == tandem.MessageRead || run%2 == 0 && s == tandem.MessageDelivered
			})
		}
		want := tandem.MessageSent
		for _, s := range order {
			if s.After(want) {
				want = s
			}
		}
		key, id := fmt.Sprintf("key-%d", run), fmt.Sprintf("id-%d", run)
		early := random.IntN(len(order) + 1)
		tell := func(s tandem.MessageState) {
			r := Receipt{ID: id, State: s}
			if random.IntN(2) == 0 {
				r.Key = key // a gateway that hands it back
			}
			if w := o.knock(t, door, receipts(r)); w.Code != 200 {
				t.Fatalf("%v: %d %s", s, w.Code, w.Body)
			}
		}
		o.gateway.before = func(string) {
			for _, s := range order[:early] {
				tell(s)
			}
		}
		if err := o.post(t, text(key, fmt.Sprintf("+8613800%06d", run), "hello")); err != nil {
			t.Fatal(err)
		}
		if errs := o.deliver(t); len(errs) != 1 || errs[0] != nil {
			t.Fatal(errs)
		}
		for i, s := range order[early:] {
			if i == 1 {
				o.renew(t)
			}
			tell(s)
		}
		if got := o.furthest(key); got != want {
			t.Fatalf("order %v with %d early: %v, not %v (marked %v)", order, early, got, want, o.states(key))
		}
		var stored string
		err := o.db.View(t.Context(), func(tx store.Tx) error {
			_, err := tx.One("SELECT state FROM sms_out WHERE id = ? AND key = ?", func(row store.Row) { stored = row.Text(0) }, id, key)
			return err
		})
		if err != nil || stored != string(want) {
			t.Fatalf("order %v: stored %q, %v", order, stored, err)
		}
		o.clock.Add(2 * time.Second)
	}
	permute(all, nil)
	if run != 24 {
		t.Fatalf("%d orders", run)
	}
}

func TestReceiptsAtTheSameTime(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	var wait sync.WaitGroup
	o.gateway.before = func(id string) {
		for range 4 {
			for _, s := range []tandem.MessageState{tandem.MessageRead, tandem.MessageDelivered, tandem.MessageSent} {
				wait.Go(func() { o.knock(t, door, receipts(Receipt{ID: id, State: s})) })
			}
		}
	}
	if err := o.post(t, text("k-1", theirs, "hello")); err != nil {
		t.Fatal(err)
	}
	o.deliver(t)
	wait.Wait()
	if got := o.furthest("k-1"); got != tandem.MessageRead {
		t.Errorf("%v of %v", got, o.states("k-1"))
	}
	if r, known, err := o.taken(t.Context(), "k-1"); err != nil || !known || r.State != tandem.MessageRead {
		t.Errorf("stored %+v, %v", r, err)
	}
}

func TestReceiptsOfNothing(t *testing.T) {
	o := newOffice(t, generous())
	plainly(o.gateway)
	for _, r := range []Receipt{{ID: "unknown", State: "delivered"}, {ID: "unknown", Key: "nobodys", State: "read"}} {
		if w := o.knock(t, door, receipts(r)); w.Code != 200 {
			t.Errorf("%+v: %d", r, w.Code)
		}
	}
	if len(o.marks) != 0 {
		t.Errorf("marked %v", o.marks)
	}
}

// A receipt that could not be handed on comes again.
func TestAReceiptThatCannotBeKept(t *testing.T) {
	fail := true
	o := newOffice(t, generous(), func(p *Options) {
		marked := p.Marked
		p.Marked = func(ctx context.Context, key string, r Receipt) error {
			if fail && r.State == tandem.MessageDelivered {
				return store.ErrUnavailable
			}
			return marked(ctx, key, r)
		}
	})
	plainly(o.gateway)
	if err := o.post(t, text("k-1", theirs, "hello")); err != nil {
		t.Fatal(err)
	}
	o.deliver(t)
	if w := o.knock(t, door, receipts(Receipt{ID: "id-1", State: "delivered"})); w.Code != 503 {
		t.Errorf("%d", w.Code)
	}
	fail = false
	if w := o.knock(t, door, receipts(Receipt{ID: "id-1", State: "delivered"})); w.Code != 200 || o.furthest("k-1") != tandem.MessageDelivered {
		t.Errorf("%d, %v", w.Code, o.states("k-1"))
	}
}

// failing is a store that cannot write when it is told so.
type failing struct {
	Database
	fail *bool
}

func (f failing) Update(ctx context.Context, do func(store.Tx) error) error {
	if *f.fail {
		return store.ErrUnavailable
	}
	return f.Database.Update(ctx, do)
}

// What a gateway took is not sent again because the store failed just then.
func TestATextThatWasTakenAndCannotBeNoted(t *testing.T) {
	fail := false
	o := newOffice(t, generous())
	o.o.Database = failing{o.db, &fail}
	var err error
	if o.Desk, err = New(o.o); err != nil {
		t.Fatal(err)
	}
	m := text("k-1", theirs, "hello")
	if err := o.post(t, m); err != nil {
		t.Fatal(err)
	}
	o.gateway.before = func(string) { fail = true }
	if errs := o.deliver(t); len(errs) != 1 || errs[0] != nil || o.furthest("k-1") != tandem.MessageSent {
		t.Errorf("%v, marked %v", errs, o.marks)
	}
	if !strings.Contains(o.log.String(), "level=ERROR") {
		t.Errorf("nobody is told:\n%s", o.log)
	}
}

func TestAFailureIsMarked(t *testing.T) {
	o := newOffice(t, generous())
	if err := o.post(t, text("k-1", theirs, "hello")); err != nil {
		t.Fatal(err)
	}
	o.gateway.err = errors.New("out of order")
	if errs := o.deliver(t); len(errs) != 1 || errs[0] == nil || len(o.marks) != 0 {
		t.Fatalf("%v, marked %v", errs, o.marks)
	}
	o.clock.Add(time.Minute)
	o.gateway.err = fmt.Errorf("the number is not valid: %w", outbox.ErrPermanent)
	if errs := o.deliver(t); len(errs) != 1 || !errors.Is(errs[0], outbox.ErrPermanent) || o.furthest("k-1") != tandem.MessageFailed {
		t.Fatalf("%v, marked %v", errs, o.marks)
	}
}
