package storetest

import (
	"errors"
	"io"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

func testDispose(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+8613800138000")
	must(t, st.Commit(t.Context(), call.Opening()))
	keep := func(class string, until time.Time) store.BlobRef {
		t.Helper()
		ref := s.object(t, call.ID, []byte("what was "+class))
		ref.Class, ref.Until = class, until
		must(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{ref}}))
		return ref
	}
	const day = 24 * time.Hour
	begun := s.Clock.Now()
	old := keep(store.ClassRecording, time.Time{})
	voice := keep(store.ClassVoicemail, time.Time{})
	proof := keep(store.ClassEvidence, begun.Add(30*day))
	soon := keep(store.ClassRecording, begun.Add(time.Hour))
	later := keep(store.ClassRecording, begun.Add(400*day)) // its own word counts, not that of its class
	s.Clock.Add(2 * time.Hour)
	young := keep(store.ClassRecording, time.Time{})
	rule := map[string]time.Duration{store.ClassRecording: 90 * day, store.ClassEvidence: day, store.ClassVoicemail: 0}
	there := func(what string, all ...store.BlobRef) {
		t.Helper()
		for _, ref := range all {
			r, _, err := st.OpenBlob(t.Context(), ref.ID, "li.wei", "to see whether it is there")
			if err != nil {
				t.Fatalf("%s, %s: %v", what, ref.Class, err)
			}
			must(t, r.Close())
		}
	}
	gone := func(what string, all ...store.BlobRef) {
		t.Helper()
		for _, ref := range all {
			if err := errOf2(st.OpenBlob(t.Context(), ref.ID, "li.wei", "to see")); !errors.Is(err, store.ErrErased) {
				t.Errorf("%s, the record of a %s: %v", what, ref.Class, err)
			}
			if _, err := s.Blobs.Open(ref); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s, the file of a %s: %v", what, ref.Class, err)
			}
		}
	}
	dispose := func(now time.Time, want int) {
		t.Helper()
		if n, err := st.Dispose(t.Context(), now, rule); err != nil || n != want {
			t.Fatalf("removed %d, %v; want %d", n, err, want)
		}
	}
	dispose(begun.Add(59*time.Minute), 0)
	there("early", old, voice, proof, soon, later, young)
	dispose(begun.Add(30*day+time.Minute), 2)
	gone("after a month", proof, soon)
	there("after a month", old, voice, later, young)
	dispose(begun.Add(90*day+time.Hour), 1)
	gone("after 90 days", old)
	there("after 90 days", voice, later, young)
	dispose(begun.Add(90*day+time.Hour), 0)

	told := 0
	for _, e := range story(t, st, string(call.ID)).Events {
		if e.Kind == tandem.EventDisposed {
			told++
		}
	}
	if told != 3 {
		t.Errorf("the journal tells of %d, want 3", told)
	}
	if v, err := st.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("the journal does not verify: %+v, %v", v, err)
	}
	must(t, st.Close())
	st = s.start(t)
	there("after a restart", voice, later, young)
}

func testGrowing(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+8613800138000")
	must(t, st.Commit(t.Context(), call.Opening()))
	w, ref, err := s.Blobs.Begin(call.ID, "video/webm")
	must(t, err)
	must(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{ref}}))
	_, err = io.WriteString(w, "what was said before the crash")
	must(t, err)
	must(t, w.Flush())
	must(t, st.Close()) // the writer is left as it is

	st = s.start(t)
	open, err := st.OpenObjects(t.Context())
	must(t, err)
	if len(open) != 1 || open[0].ID != ref.ID || !open[0].Open || open[0].Interaction != call.ID {
		t.Fatalf("open are %+v", open)
	}
	if n, err := st.Dispose(t.Context(), s.Clock.Now().Add(time.Hour), map[string]time.Duration{store.ClassRecording: time.Minute}); n != 0 || err != nil {
		t.Errorf("one that is written was removed: %d, %v", n, err)
	}
	done, err := s.Blobs.Recover(open[0])
	must(t, err)
	must(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{done}}))
	r, got, err := st.OpenBlob(t.Context(), ref.ID, "li.wei", "complaint 18")
	must(t, err)
	plain, err := io.ReadAll(r)
	must(t, err)
	must(t, r.Close())
	if string(plain) != "what was said before the crash" || got.Open || got.Size != int64(len(plain)) {
		t.Errorf("it came back as %q, %+v", plain, got)
	}
	mustBe(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{done}}), store.ErrInvalid) // it is there
	if open, err = st.OpenObjects(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("open are %+v, %v", open, err)
	}

	none := store.BlobRef{ID: ref.ID, Interaction: call.ID}
	must(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{none}})) // one that is kept stays
	w, empty, err := s.Blobs.Begin(call.ID, "video/webm")
	must(t, err)
	must(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{empty}}))
	w.Abort()
	none.ID = empty.ID
	must(t, st.Commit(t.Context(), &store.Change{Blobs: []store.BlobRef{none}}))
	story, err := st.Interaction(t.Context(), string(call.ID))
	must(t, err)
	if len(story.Blobs) != 1 || story.Blobs[0].ID != ref.ID {
		t.Errorf("there are %+v, want what was said", story.Blobs)
	}
	if open, err = st.OpenObjects(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("open are %+v, %v", open, err)
	}
}
