package studio

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// stream listens to the studio's events and hands on their names and data.
func (b *bench) stream(url string) (events <-chan string, end func()) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", url+"/api/v1/events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("X-User", designer)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		b.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	out := make(chan string, 64)
	go func() {
		defer close(out)
		defer resp.Body.Close()
		name := ""
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if n, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = n
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				out <- name + " " + data
			}
		}
	}()
	return out, cancel
}

func (b *bench) next(events <-chan string) string {
	b.t.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			b.t.Fatal("the stream has ended")
		}
		return e
	case <-time.After(10 * time.Second):
		b.t.Fatal("no event came")
		return ""
	}
}

func TestEvents(t *testing.T) {
	one, two := flowText("a", "One"), flowText("a", "Two")
	b := newBench(t, false, "a.flow.yaml", one)
	server := httptest.NewServer(b.mux)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); b.shelf.Watch(ctx) }()
	defer func() { cancel(); <-ended }()
	events, end := b.stream(server.URL)
	defer end()

	// By hand: until Watch listens, only its look once a second sees it.
	for i, limit := range []time.Duration{10 * time.Second, 3 * time.Second} {
		begun := time.Now()
		b.save("a.flow.yaml", flowText("a", fmt.Sprint("By hand ", i)))
		if got, want := b.next(events), fmt.Sprintf(`flows {"number":%d,"changed":["a.flow.yaml"]}`, i+2); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		took := time.Since(begun)
		t.Logf("save %d is told after %v", i+1, took.Round(time.Millisecond))
		if took > limit { // the aim is 300 ms
			t.Errorf("save %d is told after %v", i+1, took)
		}
	}
	if status := b.do(designer, "proposals", object{"file": "a.flow.yaml", "text": two, "base": hashOf(b.onDisk("a.flow.yaml"))}, nil); status != 200 {
		t.Fatal(status)
	}
	for _, want := range []string{"proposals {}", `flows {"number":4,"changed":["a.flow.yaml"]}`, "proposals {}"} {
		if got := b.next(events); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	b.Close()
	select {
	case _, open := <-events:
		if open {
			t.Error("an event after the end")
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream goes on after Close")
	}
	if status := b.do(designer, "events", nil, nil); status != 503 {
		t.Errorf("a stream after Close: %d", status)
	}
}

// Streams are bounded in number, and one that is too far behind is closed.
func TestStreamsAreBounded(t *testing.T) {
	e := newEvents()
	slow, ok := e.join("slow")
	if !ok {
		t.Fatal("no room")
	}
	for range maxQueued + 1 {
		e.send(proposalsChanged())
	}
	n := 0
	for range slow {
		n++
	}
	if n != maxQueued {
		t.Errorf("a slow stream had %d events before it was closed", n)
	}
	e.leave(slow)
	for range maxOfOne {
		if _, ok := e.join("greedy"); !ok {
			t.Fatal("no room")
		}
	}
	if _, ok := e.join("greedy"); ok {
		t.Error("one user has more than their share")
	}
	for i := range maxStreams - maxOfOne {
		if _, ok := e.join(fmt.Sprint("user ", i)); !ok {
			t.Fatal("no room")
		}
	}
	if _, ok := e.join("another"); ok {
		t.Error("one too many")
	}
}

// A stream tells nothing more once who listens is no longer let in.
func TestStreamEndsWithTheLogin(t *testing.T) {
	b := newBench(t, false, "a.flow.yaml", flowText("a", "One"))
	server := httptest.NewServer(b.mux)
	defer server.Close()
	events, end := b.stream(server.URL)
	defer end()
	b.events.send(proposalsChanged())
	if got := b.next(events); got != "proposals {}" {
		t.Fatal(got)
	}
	b.door.mu.Lock()
	b.door.gone = true
	b.door.mu.Unlock()
	b.events.send(proposalsChanged())
	select {
	case e, open := <-events:
		if open {
			t.Errorf("told after the login's end: %s", e)
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream goes on")
	}
}
