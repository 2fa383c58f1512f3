package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

func testErase(t *testing.T, s *suite) {
	st := s.start(t)
	gone, stays := s.call("+8613800138000"), s.call("+8613800138001")
	opening := gone.Opening()
	must(t, st.Commit(t.Context(), opening))
	must(t, st.Commit(t.Context(), stays.Opening()))
	ref := s.object(t, gone.ID, []byte("my voice"))
	must(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{ref}, Events: []tandem.Event{gone.Event(s.Clock.Now(), tandem.EventVoicemail, tandem.Recorded{Blob: ref.ID})},
		Session: &store.SessionRecord{Data: []byte("secret"), At: s.Clock.Now()}, Outbox: []store.Outgoing{{Key: "k1", Kind: "webhook", Target: "https://example.test", Body: []byte("+86")}}}))

	customer := opening.Interaction.Customer
	must(t, st.Erase(t.Context(), customer, "li.wei", "asked by letter of 20 November"))
	must(t, st.Erase(t.Context(), customer, "li.wei", "again")) // finishes, adds nothing
	mustBe(t, st.Commit(t.Context(), &store.Change{Of: gone.ID, Living: true}), store.ErrErased)

	got := story(t, st, string(gone.ID))
	if got.Customer.Erased.IsZero() || got.Legs[0].From != "" || len(got.Events) != 4 {
		t.Fatalf("after erasing: %+v", got)
	}
	for _, e := range got.Events[:3] {
		if e.Data != nil {
			t.Errorf("event %d still has %s", e.Seq, e.Data)
		}
	}
	var audit tandem.Audit
	must(t, json.Unmarshal(got.Events[3].Data, &audit))
	if got.Events[3].Kind != tandem.EventErased || got.Events[3].Actor != "li.wei" || audit.Why != "asked by letter of 20 November" {
		t.Errorf("the journal says %+v %+v", got.Events[3], audit)
	}
	mustBe(t, errOf2(st.OpenBlob(t.Context(), ref.ID, "li.wei", "curious")), store.ErrErased)
	if _, err := s.Blobs.Open(ref); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the object's file: %v", err)
	}
	mustBe(t, errOf2(st.Session(t.Context(), gone.ID)), store.ErrNotFound)
	if letters, err := st.Outbox(t.Context()); err != nil || len(letters) != 0 {
		t.Errorf("letters left: %v, %v", letters, err)
	}
	list, err := st.List(t.Context(), store.Filter{})
	must(t, err)
	if !list[1].Erased || list[1].From != "" || list[0].Erased || list[0].From != stays.From {
		t.Errorf("list is %+v", list)
	}
	right(t, st, 6)

	// The call goes on: chained, not kept. A new call is somebody new.
	if _, found, err := st.CustomerOf(t.Context(), *opening.Caller); found || err != nil {
		t.Errorf("an erased person is found by their number: %v", err)
	}
	closing := gone.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	late := s.object(t, gone.ID, []byte("my voice again"))
	closing.Blobs = []store.BlobRef{late}
	closing.Outbox = []store.Outgoing{{Key: "k2", Kind: "webhook", Target: "https://example.test", Body: []byte("+86")}}
	must(t, st.Commit(t.Context(), closing))
	mustBe(t, errOf2(st.OpenBlob(t.Context(), late.ID, "li.wei", "curious")), store.ErrErased)
	if letters, err := st.Outbox(t.Context()); err != nil || len(letters) != 0 {
		t.Errorf("letters about an erased person: %v, %v", letters, err)
	}
	st.Note(gone.Event(s.Clock.Now(), tandem.EventMedia, tandem.Held{}))
	must(t, st.Flush(t.Context()))
	got = story(t, st, string(gone.ID))
	if len(got.Events) != 7 || got.Events[4].Data != nil || got.Legs[0].From != "" {
		t.Errorf("after the call ended: %+v", got)
	}
	again := s.call("+8613800138000").Opening()
	must(t, st.Commit(t.Context(), again))
	if again.Interaction.Customer == customer {
		t.Error("an erased person was known again")
	}
	right(t, st, 11)
	must(t, st.Close())
	right(t, s.start(t), 11)
	if _, err := s.Blobs.Open(late); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the late object's file: %v", err)
	}
	mustBe(t, st.Erase(t.Context(), customer, "x", "y"), store.ErrUnavailable)
}

// object makes an object with some content.
func (s *suite) object(t *testing.T, in tandem.InteractionID, content []byte) store.BlobRef {
	t.Helper()
	w, err := s.Blobs.Create(in, "audio/PCMU;rate=8000;channels=1")
	must(t, err)
	_, err = w.Write(content)
	must(t, err)
	ref, err := w.Commit()
	must(t, err)
	return ref
}

func testBlobs(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	must(t, st.Commit(t.Context(), call.Opening()))
	content := bytes.Repeat([]byte("voice "), 30_000)
	ref := s.object(t, call.ID, content)
	orphan := s.object(t, call.ID, []byte("nobody knows me"))
	must(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{ref}, Events: []tandem.Event{call.Event(s.Clock.Now(), tandem.EventVoicemail, tandem.Recorded{Blob: ref.ID})}}))
	must(t, st.Close())

	st = s.start(t)
	r, got, err := st.OpenBlob(t.Context(), ref.ID, "li.wei", "complaint 17")
	must(t, err)
	events := story(t, st, string(call.ID)).Events
	if last := events[len(events)-1]; last.Kind != tandem.EventBlobOpened || last.Actor != "li.wei" || !bytes.Contains(last.Data, []byte("complaint 17")) {
		t.Errorf("before the first byte the journal ends with %+v", last)
	}
	plain, err := io.ReadAll(r)
	must(t, err)
	must(t, r.Close())
	if !bytes.Equal(plain, content) || got.Size != int64(len(content)) || got.Key != nil || !bytes.Equal(got.SHA256, ref.SHA256) {
		t.Errorf("object came back as %+v, %d bytes", got, len(plain))
	}
	if blobs := story(t, st, string(call.ID)).Blobs; len(blobs) != 1 || blobs[0].ID != ref.ID || blobs[0].Key != nil {
		t.Errorf("story has %+v", blobs)
	}
	kept, err := s.Blobs.Open(orphan) // it may be another database's
	if err != nil {
		t.Fatalf("an object nobody knows after a restart: %v", err)
	}
	must(t, kept.Close())
	mustBe(t, errOf2(st.OpenBlob(t.Context(), orphan.ID, "x", "y")), store.ErrNotFound)
}

func testOutbox(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	opening := call.Opening()
	opening.Outbox = []store.Outgoing{{Key: "a", Kind: "webhook", Target: "https://a.test", Body: []byte(`{"a":1}`)}, {Key: "b", Kind: "webhook", Target: "https://b.test"}}
	must(t, st.Commit(t.Context(), opening))
	must(t, st.Commit(t.Context(), &store.Change{Outbox: []store.Outgoing{{Key: "c", Kind: "sms", Target: "+1", Body: []byte("\x00\x00")}}}))
	mustBe(t, st.Commit(t.Context(), &store.Change{Outbox: []store.Outgoing{{Key: "c", Kind: "sms"}}}), store.ErrDuplicate)

	lease := func(n int, keys ...string) []store.Leased {
		t.Helper()
		got, err := st.Lease(t.Context(), n, time.Minute)
		must(t, err)
		var have []string
		for _, l := range got {
			have = append(have, l.Key)
		}
		if fmt.Sprint(have) != fmt.Sprint(keys) {
			t.Fatalf("lent %v, want %v", have, keys)
		}
		return got
	}
	got := lease(2, "a", "b")
	if got[0].Target != "https://a.test" || string(got[0].Body) != `{"a":1}` || got[0].Attempt != 1 || got[0].Interaction != call.ID {
		t.Errorf("lent %+v", got[0])
	}
	if got := lease(10, "c"); string(got[0].Body) != "\x00\x00" || got[0].Interaction != "" {
		t.Errorf("lent %+v", got[0])
	}
	lease(10)
	must(t, st.Delivered(t.Context(), "a"))
	must(t, st.Delivered(t.Context(), "a"))
	must(t, st.Failed(t.Context(), "b", errors.New("503"), s.Clock.Now().Add(10*time.Second)))
	lease(10)
	s.Clock.Add(11 * time.Second)
	if got := lease(10, "b"); got[0].Attempt != 2 {
		t.Errorf("second try has number %d", got[0].Attempt)
	}
	s.Clock.Add(time.Minute) // both leases end unanswered
	lease(10, "c", "b")
	must(t, st.Failed(t.Context(), "b", errors.New("410 gone"), time.Time{}))
	must(t, st.Failed(t.Context(), "b", errors.New("late"), s.Clock.Now())) // given up stays given up
	s.Clock.Add(time.Hour)
	lease(10, "c")
	must(t, st.Delivered(t.Context(), "c"))
	mustBe(t, st.Delivered(t.Context(), "zzz"), store.ErrNotFound)

	letters, err := st.Outbox(t.Context())
	must(t, err)
	states := map[string]store.Letter{}
	for _, l := range letters {
		states[l.Key] = l
	}
	if b := states["b"]; len(states) != 3 || states["a"].State != store.LetterDelivered || states["a"].Target != "" || states["c"].State != store.LetterDelivered ||
		b.State != store.LetterDead || b.Error != "410 gone" || b.Attempts != 3 || b.Target != "https://b.test" {
		t.Errorf("outbox is %+v", letters)
	}
	mustBe(t, st.Revive(t.Context(), "a"), store.ErrNotFound)
	must(t, st.Revive(t.Context(), "b"))
	if got := lease(10, "b"); got[0].Attempt != 1 {
		t.Errorf("revived with try %d", got[0].Attempt)
	}
	must(t, st.Delivered(t.Context(), "b"))
	count := map[tandem.EventKind]int{}
	for _, e := range story(t, st, string(call.ID)).Events {
		count[e.Kind]++
	}
	if count[tandem.EventOutboxDone] != 2 || count[tandem.EventOutboxDead] != 1 {
		t.Errorf("the journal counts %v", count)
	}
	right(t, st, 5)
}

func testLeaseRestart(t *testing.T, s *suite) {
	st := s.start(t)
	must(t, st.Commit(t.Context(), &store.Change{Outbox: []store.Outgoing{{Key: "a", Kind: "webhook"}}}))
	if got, err := st.Lease(t.Context(), 1, time.Minute); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	must(t, st.Close())
	st = s.start(t)
	// A store that one process has to itself may lend it at once: who had it is gone.
	got, err := st.Lease(t.Context(), 1, time.Minute)
	if err == nil && len(got) == 0 {
		s.Clock.Add(time.Minute + time.Second)
		got, err = st.Lease(t.Context(), 1, time.Minute)
	}
	if err != nil || len(got) != 1 || got[0].Attempt != 2 {
		t.Fatalf("after a restart: %v, %v", got, err)
	}
	if got, err := st.Lease(t.Context(), 1, time.Minute); err != nil || len(got) != 0 {
		t.Fatalf("lent twice at once: %v, %v", got, err)
	}
}

func testCancelled(t *testing.T, s *suite) {
	st := s.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	written := 0
	for range 200 {
		call := s.call("+1")
		err := st.Commit(ctx, call.Opening())
		if _, found := st.Interaction(t.Context(), string(call.ID)); (err == nil) != (found == nil) {
			t.Fatalf("Commit says %v, looking for it says %v", err, found)
		}
		if err == nil {
			written++
		} else {
			mustBe(t, err, context.Canceled)
		}
	}
	right(t, st, 2*written)
}

func testClosed(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	must(t, st.Commit(t.Context(), call.Opening()))
	st.Note(call.Event(s.Clock.Now(), tandem.EventInput, nil))
	must(t, st.Close())
	must(t, st.Close())
	mustBe(t, st.Commit(t.Context(), s.call("+2").Opening()), store.ErrUnavailable)
	mustBe(t, st.Flush(t.Context()), store.ErrUnavailable)
	mustBe(t, st.Healthy(), store.ErrUnavailable)
	right(t, s.start(t), 3) // what was noted is there
}
