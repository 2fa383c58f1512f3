package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/web/desk/view"
)

// FuzzParse: whatever a client sends is a frame or none, and what is a frame has a kind.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"t":"hello","since":3,"board":true}`, `{"t":"accept","id":"c","task":"0","fence":18446744073709551615}`, `{"t":""}`, `[]`, `{"t":"say","text":"\ud800"}`, "\x00",
		`{"t":"call","do":"consult","to":{"agent":"bo"}}`, `{"t":"call","to":{"agent":"bo","number":1}}`, `{"t":"place","to":"+441"}`, `{"t":"voice","seat":"s","signal":{"kind":"offer","sdp":"v=0"}}`, `{"t":"link","params":{"a":{"b":[1]}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := parse(data)
		if (err == nil) != (in.T != "") {
			t.Errorf("%q is %+v, %v", data, in, err)
		}
		if t1, err := in.target(); err != nil && t1 != (Target{}) {
			t.Errorf("%q is for %+v, %v", data, t1, err)
		}
		if to, err := in.to(); err != nil && to != "" {
			t.Errorf("%q leads to %q, %v", data, to, err)
		}
		if view.ClientID(in.ID) && strings.ContainsAny(in.ID, " \n\"<>/\\") {
			t.Errorf("%q is an id", in.ID)
		}
	})
}

// TestInboxIsBounded: a line that is not followed costs no memory, and says that something
// was lost.
func TestInboxIsBounded(t *testing.T) {
	b := newInbox()
	for range maxFacts + 10 {
		b.put(queue.Fact{Output: route.TaskOver{}})
	}
	facts, lost, over := b.take()
	if len(facts) != 10 || !lost || over {
		t.Errorf("%d facts, lost %t, over %t", len(facts), lost, over)
	}
	if facts, lost, _ := b.take(); len(facts) != 0 || lost {
		t.Errorf("then %d facts, lost %t", len(facts), lost)
	}
}

// TestBoardFrames: what is large goes into several frames, of which the first begins and the
// last ends the picture.
func TestBoardFrames(t *testing.T) {
	var agents []json.RawMessage
	for i := range 5000 {
		agents = append(agents, raw(view.Agent{Name: fmt.Sprint("agent-", i)}))
	}
	got := 0
	frames := boardFrames(time.Now(), []json.RawMessage{[]byte(`{"name":"cards"}`)}, agents, boardFrame{Fresh: true})
	if len(frames) < 10 || len(frames) > maxQueued/4 {
		t.Errorf("%d frames", len(frames))
	}
	for i, data := range frames {
		var f boardFrame
		if err := json.Unmarshal(data, &f); err != nil || len(data) > maxFrame {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
		if f.Fresh != (i == 0) || f.Last != (i == len(frames)-1) {
			t.Errorf("frame %d: fresh %t, last %t", i, f.Fresh, f.Last)
		}
		got += len(f.Agents)
	}
	if got != 5000 {
		t.Errorf("%d agents came", got)
	}
	if frames := boardFrames(time.Now(), nil, nil, boardFrame{}); len(frames) != 1 || !bytes.Contains(frames[0], []byte(`"last":true`)) {
		t.Errorf("of nothing: %s", frames)
	}
}

func TestBucket(t *testing.T) {
	var b bucket
	now := time.Unix(1, 0)
	for i := range 20 {
		if !b.take(20, 100*time.Millisecond, now) {
			t.Fatalf("the %dth is refused", i+1)
		}
	}
	if b.take(20, 100*time.Millisecond, now) || !b.take(20, 100*time.Millisecond, now.Add(100*time.Millisecond)) || b.take(20, 100*time.Millisecond, now.Add(110*time.Millisecond)) {
		t.Error("the rate does not hold")
	}
}

// TestOnce: what was answered is answered again, up to a bound; what failed may be tried anew.
func TestOnce(t *testing.T) {
	f := newFeed("anna")
	ask := func(id string) ([]byte, bool) { return f.begin(&incoming{T: kindPlace, ID: id}) }
	if _, known := ask("a"); known {
		t.Fatal("known before it was asked")
	}
	if answer, known := ask("a"); !known || answer != nil {
		t.Errorf("while it is done: %q, %t", answer, known)
	}
	f.settle(&incoming{T: kindPlace, ID: "a"}, []byte("x"))
	if answer, known := ask("a"); !known || string(answer) != "x" {
		t.Errorf("once done: %q, %t", answer, known)
	}
	if _, known := f.begin(&incoming{T: kindLink, ID: "a"}); known {
		t.Error("an id of another kind is the same")
	}
	ask("b")
	f.settle(&incoming{T: kindPlace, ID: "b"}, nil)
	if _, known := ask("b"); known {
		t.Error("what failed is not tried anew")
	}
	for i := range maxOnce {
		ask(fmt.Sprint("c", i))
	}
	if _, known := ask("a"); known || len(f.once.answers) > maxOnce || len(f.once.order) > maxOnce {
		t.Errorf("%d answers are kept, in an order of %d", len(f.once.answers), len(f.once.order))
	}
}
