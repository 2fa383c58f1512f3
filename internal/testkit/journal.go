package testkit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// Interactions runs `interactions list --json` and returns what it lists.
func (s *Server) Interactions(t testing.TB) []store.Summary {
	t.Helper()
	out, errs, status := s.Command(t, "interactions", "list", "--json", "--limit", "10000")
	if status != 0 {
		t.Fatalf("interactions list: status %d: %s", status, errs)
	}
	list, err := decodeList[store.Summary](out)
	if err != nil {
		t.Fatalf("interactions list: %v in %.300s", err, out)
	}
	return list
}

// recent is Interactions for those who look again and again: many tests share one
// server, and one look, no older than fresh, serves all that wait.
func (s *Server) recent(t testing.TB) []store.Summary {
	t.Helper()
	const fresh = 400 * time.Millisecond
	s.looking.Lock()
	defer s.looking.Unlock()
	if time.Since(s.looked) > fresh {
		s.seen = s.Interactions(t)
		s.looked = time.Now()
	}
	return s.seen
}

// decodeList reads a JSON list, or one JSON value after another.
func decodeList[T any](text string) ([]T, error) {
	b := bytes.TrimSpace([]byte(text))
	var list []T
	if bytes.HasPrefix(b, []byte("[")) {
		return list, json.Unmarshal(b, &list)
	}
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		var one T
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return list, err
		}
		list = append(list, one)
	}
}

// Story runs `interactions show --json` for an id, spoken number or prefix.
func (s *Server) Story(t testing.TB, id string) store.Story {
	t.Helper()
	out, errs, status := s.Command(t, "interactions", "show", "--json", id)
	if status != 0 {
		t.Fatalf("interactions show %s: status %d: %s", id, status, errs)
	}
	var story store.Story
	if err := json.Unmarshal([]byte(out), &story); err != nil {
		t.Fatalf("interactions show: %v in %.300s", err, out)
	}
	return story
}

// Verify runs `interactions verify` and fails the test unless the journal holds.
func (s *Server) Verify(t testing.TB) {
	t.Helper()
	out, errs, status := s.Command(t, "interactions", "verify")
	if status != 0 {
		t.Errorf("interactions verify: status %d\n%s%s", status, out, errs)
	}
}

// Closed waits for the interaction of a caller (the user part of From, which the
// test made unique) to be closed, and returns its story.
func (s *Server) Closed(t testing.TB, d time.Duration, caller string) store.Story {
	t.Helper()
	look := time.NewTicker(250 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(d)
	for {
		state := "not in the journal"
		for _, i := range s.recent(t) {
			if !strings.Contains(i.From, caller) {
				continue
			}
			if state = string(i.State); !i.Ended.IsZero() { // a task of it may still wait
				return s.Story(t, string(i.ID))
			}
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("the interaction of %s is %s after %v, want it closed", caller, state, d)
		}
	}
}

// Ended waits as Closed does and checks how the caller's leg ended.
func (s *Server) Ended(t testing.TB, d time.Duration, caller string, reasons ...tandem.Reason) store.Story {
	t.Helper()
	story := s.Closed(t, d, caller)
	if len(story.Legs) == 0 {
		t.Fatalf("the interaction of %s has no leg", caller)
	}
	got := story.Legs[0].Termination
	for _, want := range reasons {
		if got.Reason == want {
			return story
		}
	}
	t.Errorf("the leg of %s ended as %v, want %v", caller, got, reasons)
	return story
}

// Kinds counts a story's events of each kind.
func Kinds(story store.Story) map[tandem.EventKind]int {
	count := map[tandem.EventKind]int{}
	for _, e := range story.Events {
		count[e.Kind]++
	}
	return count
}
