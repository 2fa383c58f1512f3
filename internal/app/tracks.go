package app

import (
	"sync"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media"
	"tandem/media/video"
	"tandem/store"
	"tandem/store/blob"
)

// tracks are the recordings of those who speak with a caller who is recorded: what each of
// them says, by itself. What the caller says and hears is the call's own recording.
type tracks struct {
	app *App

	mu sync.Mutex
	by map[tandem.LegID]*track
}

type track struct {
	in   tandem.InteractionID
	blob *blob.Writer
	rec  *media.Recording
}

var _ phone.Tracks = (*tracks)(nil)

// Begin records a party if the caller of its interaction is recorded, and reports whether it is.
func (t *tracks) Begin(in tandem.InteractionID, leg tandem.LegID, s *media.Stream, _ func() (camera, display *video.Source)) bool {
	a := t.app
	k := a.live.get(in)
	if k == nil || !k.recorded.Load() {
		return false
	}
	w, err := a.blobs.Create(in, mediaType(s.Path().Law, 1))
	if err != nil {
		a.log.Error("a party of a call is not recorded", "interaction", in, "leg", leg, "error", err)
		return false
	}
	rec := s.Record(w, false)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[tandem.LegID]*track{}
	}
	t.by[leg] = &track{in, w, rec}
	a.store.Note(tandem.NewEvent(in, leg, a.now(), tandem.EventRecording, "system", tandem.Recorded{Blob: w.ID()}))
	return true
}

// Pictured is told of pictures, which are not recorded.
func (t *tracks) Pictured(tandem.LegID) {}

// Pause leaves out what a party says who is on hold; the time is kept.
func (t *tracks) Pause(leg tandem.LegID, on bool) {
	t.mu.Lock()
	k := t.by[leg]
	t.mu.Unlock()
	if k != nil {
		k.rec.Pause(on)
	}
}

// End keeps what was recorded of a party, in the change that ends its leg.
func (t *tracks) End(leg tandem.LegID, c *store.Change) {
	t.mu.Lock()
	k := t.by[leg]
	delete(t.by, leg)
	t.mu.Unlock()
	if k == nil {
		return
	}
	frames, err := k.rec.Stop()
	ref := store.BlobRef{}
	if err == nil {
		ref, err = k.blob.Commit()
	} else {
		k.blob.Abort()
	}
	if err != nil {
		t.app.log.Error("a recording was lost", "interaction", k.in, "leg", leg, "error", err)
		return
	}
	seconds := (frameTime * time.Duration(frames)).Seconds()
	c.Blobs = append(c.Blobs, ref)
	c.Events = append(c.Events, tandem.NewEvent(k.in, leg, t.app.now(), tandem.EventRecorded, "system", tandem.Recorded{Blob: ref.ID, Seconds: seconds}))
}
