package app

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"tandem"
	"tandem/media/codec"
	"tandem/media/record"
	"tandem/media/video"
	"tandem/store"
	"tandem/store/blob"
)

// pile is a file of which is known how much was written.
type pile struct{ n int }

func (p *pile) Write(b []byte) (int, error) { p.n += len(b); return len(b), nil }
func (p *pile) Flush() error                { return nil }

// Voice and video are over and the call goes on: nothing is added to the film, whatever is
// held or taken back. Once they agree again it goes on.
func TestAFilmEndsWithItsConsent(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	file, err := record.New(&pile{}, now)
	if err != nil {
		t.Fatal(err)
	}
	ts := &tracks{app: &App{}, zeros: map[tandem.InteractionID]*zero{}} // nobody agrees to anything
	k := &track{in: "i1", leg: "l1", film: &film{file: file, shows: "camera"}}
	ts.by = map[tandem.LegID]*track{"l1": k}
	n := 0
	frame := func() {
		n++
		at := now.Add(time.Duration(n) * time.Second)
		file.Frame(video.Frame{Key: true, Width: 16, Height: 16, Time: uint32(n) * 90_000, At: at, Data: []byte{1, 2, 3}})
	}
	frame()
	ts.agreed("another")
	frame()
	ts.agreed("i1")
	frame()
	ts.Pause("l1", true)
	ts.Pause("l1", false)
	frame()
	k.mu.Lock()
	k.off = false
	k.quiet()
	k.mu.Unlock()
	frame()
	is, err := file.Close()
	if err != nil || is.Frames != 3 {
		t.Errorf("%d frames are in the film, %v", is.Frames, err)
	}
}

// A party of whom nothing is recorded is not remembered: nobody ends it.
func TestTracksOfNothingAreForgotten(t *testing.T) {
	ts := &tracks{app: &App{}}
	if ts.Begin("i1", "l1", nil, nil) || len(ts.by) != 0 {
		t.Errorf("%d tracks are remembered", len(ts.by))
	}
}

// talked is an interaction of whom nothing is kept yet, and its leg.
func (s *server) talked(t *testing.T) (in tandem.InteractionID, leg tandem.LegID) {
	t.Helper()
	now := s.now()
	i := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, rand.Reader), Number: tandem.NewNumber(rand.Reader), State: tandem.Open, Started: now}
	l := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, rand.Reader), Interaction: i.ID, Kind: tandem.LegWebRTC, Role: tandem.RoleCustomer, Started: now}
	c := &store.Change{Interaction: &i, Legs: []tandem.Leg{l}, Events: []tandem.Event{tandem.NewEvent(i.ID, l.ID, now, tandem.EventOpened, "system", nil)}}
	if err := s.store.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return i.ID, l.ID
}

// recordings are what the journal tells of them, and how many objects there are.
func (s *server) recordings(t *testing.T, in tandem.InteractionID) (begun, kept []tandem.Recorded, legs []tandem.LegID, objects int) {
	t.Helper()
	story, err := s.store.Interaction(t.Context(), string(in))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range story.Events {
		var r tandem.Recorded
		switch e.Kind {
		case tandem.EventRecording:
			_ = json.Unmarshal(e.Data, &r)
			begun = append(begun, r)
		case tandem.EventRecorded:
			_ = json.Unmarshal(e.Data, &r)
			kept, legs = append(kept, r), append(legs, e.Leg)
		}
	}
	return begun, kept, legs, len(story.Blobs)
}

// A film is begun beside the talk: a secret that is entered before the disk has it is not in
// it. Of a party who left before, and of a screen of which nothing came, nothing is kept.
func TestAFilmIsBegunBesideTheTalk(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	in, leg := s.talked(t)
	source := video.NewSource(video.SourceOptions{ID: "screen", Layers: 1})
	defer source.Close()
	ts := &tracks{app: s.App, zeros: map[tandem.InteractionID]*zero{}}
	begin := func() *track {
		k := &track{in: in, leg: leg, off: true, screen: func() (camera, display *video.Source) { return nil, source }}
		ts.by = map[tandem.LegID]*track{leg: k}
		k.mu.Lock()
		defer k.mu.Unlock()
		ts.begin(k, showsDisplay)
		ts.begin(k, showsDisplay) // it is on its way
		if k.shared != nil {
			t.Error("the talk waits for a film")
		}
		return k
	}
	end := func() {
		c := &store.Change{Of: in}
		ts.End(leg, c)
		if len(c.Blobs) > 0 {
			if err := s.store.Commit(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	k := begin()
	ts.Pause(leg, true)
	until(t, "the film", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.shared != nil })
	k.shared.file.Frame(video.Frame{Key: true, At: s.now(), Data: []byte{1}})
	end()
	begin()
	end()
	gone := func() bool {
		open, err := s.store.OpenObjects(t.Context())
		return err == nil && len(open) == 0
	}
	until(t, "nothing to be left open", func() bool {
		begun, _, _, objects := s.recordings(t, in)
		return len(begun) == 2 && objects == 0 && gone()
	})
	k = begin()
	until(t, "the film", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.shared != nil })
	ts.Pause(leg, false)
	k.shared.file.Pause(false) // as they agree to it
	k.shared.file.Frame(video.Frame{Key: true, At: s.now().Add(time.Second), Data: []byte{1}})
	end()
	if _, kept, legs, objects := s.recordings(t, in); len(kept) != 1 || kept[0].Shows != showsDisplay || legs[0] != leg || objects != 1 || len(ts.zeros) != 0 || !gone() {
		t.Errorf("kept are %+v, %d objects; %d films count from somewhere", kept, objects, len(ts.zeros))
	}
}

// A crash leaves films of which something came, and others: the next start keeps the first, as
// whose they are, and nothing of the others.
func TestWhatACrashLeaves(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	in, leg := s.talked(t)
	zero := s.now()
	crashed := func(mediaType, shows string, write func(*blob.Writer)) tandem.BlobID {
		w, err := s.begins(in, leg, mediaType, tandem.Recorded{MediaType: mediaType, Shows: shows})
		if err != nil {
			t.Fatal(err)
		}
		write(w)
		return w.ID()
	}
	nothing := func(*blob.Writer) {}
	film := crashed(filmType, showsCamera, func(w *blob.Writer) {
		k, err := record.New(w, zero)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Sound(codec.PCMU, zero.Add(time.Minute)).Write(bytes.Repeat([]byte{0x80}, 40_000)); err != nil {
			t.Fatal(err)
		}
	})
	crashed(filmType, showsDisplay, nothing)
	call := crashed("audio/PCMU;rate=8000;channels=2", "", func(w *blob.Writer) {
		if _, err := (grows{w}).Write(make([]byte, 16_000)); err != nil {
			t.Fatal(err)
		}
	})
	crashed("audio/PCMU;rate=8000;channels=1", "", nothing)
	if err := s.recoverTracks(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun, kept, legs, objects := s.recordings(t, in)
	if len(begun) != 4 || len(kept) != 2 || objects != 2 {
		t.Fatalf("%d were begun, %d kept, there are %d objects", len(begun), len(kept), objects)
	}
	if k := kept[0]; k.Blob != film || k.Shows != showsCamera || k.MediaType != filmType || !k.Cut || k.Seconds < 62 || legs[0] != leg {
		t.Errorf("the film is kept as %+v of %s", k, legs[0])
	}
	if k := kept[1]; k.Blob != call || k.Seconds != 1 || !k.Cut || legs[1] != leg {
		t.Errorf("the call is kept as %+v", k)
	}
	if open, err := s.store.OpenObjects(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%d are open, %v", len(open), err)
	}
}
