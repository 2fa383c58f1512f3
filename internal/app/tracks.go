package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media"
	"tandem/media/codec"
	"tandem/media/record"
	"tandem/media/video"
	"tandem/store"
	"tandem/store/blob"
)

// tracks are the recordings of those who speak with a customer, each of what one of them
// says and shows: of a call that is recorded the sound of everybody but the caller, who is in
// the call's own recording; of voice and video beside a chat, if the customer agreed to
// that, a film of each.
type tracks struct {
	app *App

	mu    sync.Mutex
	by    map[tandem.LegID]*track
	zeros map[tandem.InteractionID]*zero
}

// zero is where the time of an interaction's films begins.
type zero struct {
	at time.Time
	n  int // films that count from it
}

// track is what is recorded of one party.
type track struct {
	in     tandem.InteractionID
	leg    tandem.LegID
	stream *media.Stream
	screen func() (camera, display *video.Source) // nil = they show nothing

	mu     sync.Mutex
	over   bool
	paused bool
	off    bool            // the customer agrees to no film, or no more
	sound  *recorded       // of a call; nil = none
	film   *film           // sound and camera
	shared *film           // their shared screen
	making map[string]bool // what films are of that are being begun
}

// recorded is the sound of a party of a call.
type recorded struct {
	blob *blob.Writer
	rec  *media.Recording
}

// film is a file of sound and pictures.
type film struct {
	blob  *blob.Writer
	file  *record.Track
	shows string
	rec   *media.Recording // nil = it is silent
	from  *video.Source    // whose pictures are in it now
	stop  func()
}

const filmType = "video/webm"

// What a film is of, as the journal names it.
const (
	showsCamera  = "camera"
	showsDisplay = "display"
)

var _ phone.Tracks = (*tracks)(nil)

// Begin records a party if that is to be, and reports whether it does.
func (t *tracks) Begin(in tandem.InteractionID, leg tandem.LegID, s *media.Stream, screen func() (camera, display *video.Source)) bool {
	k := &track{in: in, leg: leg, stream: s, screen: screen}
	if c := t.app.live.get(in); c != nil && c.recorded.Load() && c.leg.ID != leg {
		k.sound = t.app.recordSound(in, leg, s)
	}
	t.mu.Lock()
	if t.by == nil {
		t.by, t.zeros = map[tandem.LegID]*track{}, map[tandem.InteractionID]*zero{}
	}
	t.by[leg] = k
	t.mu.Unlock()
	t.Pictured(leg)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sound != nil || k.film != nil || k.making[showsCamera] {
		return true
	}
	t.mu.Lock() // nobody ends what is not recorded
	defer t.mu.Unlock()
	if t.by[leg] == k {
		delete(t.by, leg)
	}
	return false
}

// agreed looks at all who take part in an interaction, after its voice and video are over: a
// call that goes on without them is not filmed.
func (t *tracks) agreed(in tandem.InteractionID) {
	t.mu.Lock()
	var legs []tandem.LegID
	for leg, k := range t.by {
		if k.in == in {
			legs = append(legs, leg)
		}
	}
	t.mu.Unlock()
	for _, leg := range legs {
		t.Pictured(leg)
	}
}

// recordSound begins to record what somebody says; nil if it cannot.
func (a *App) recordSound(in tandem.InteractionID, leg tandem.LegID, s *media.Stream) *recorded {
	w, err := a.begins(in, leg, mediaType(s.Path().Law, 1), tandem.Recorded{})
	if err != nil {
		a.log.Error("a party of a call is not recorded", "interaction", in, "leg", leg, "error", err)
		return nil
	}
	return &recorded{w, s.Record(grows{w}, false)}
}

// begins makes an object that grows; its record and the event that tells of it are durable.
func (a *App) begins(in tandem.InteractionID, leg tandem.LegID, mediaType string, told tandem.Recorded) (*blob.Writer, error) {
	w, ref, err := a.blobs.Begin(in, mediaType)
	if err != nil {
		return nil, err
	}
	ref.Class, told.Blob = store.ClassRecording, ref.ID
	if a.faces.checks != nil { // the policy of an identity check may keep its recordings for another time
		if c, ok := a.faces.checks.Of(in); ok && c.Policy.KeepRecording > 0 {
			ref.Until = ref.Made.Add(c.Policy.KeepRecording)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), findTime)
	defer cancel()
	err = a.store.Commit(ctx, &store.Change{Blobs: []store.BlobRef{ref}, Events: []tandem.Event{tandem.NewEvent(in, leg, a.now(), tandem.EventRecording, "system", told)}})
	if err != nil {
		w.Abort()
		return nil, err
	}
	return w, nil
}

// grows has what a recording writes survive the program: it comes in pieces of about a second.
type grows struct{ *blob.Writer }

func (g grows) Write(p []byte) (int, error) {
	n, err := g.Writer.Write(p)
	if err == nil {
		err = g.Flush()
	}
	return n, err
}

// Pictured looks at what a party shows now. The first of it begins a film, if the customer
// has agreed to be recorded. While they agree no more, nothing is added to one.
func (t *tracks) Pictured(leg tandem.LegID) {
	t.mu.Lock()
	k := t.by[leg]
	t.mu.Unlock()
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return
	}
	if was := k.off; !t.app.filmed(k.in) {
		if k.off = true; !was {
			k.quiet()
		}
		return
	} else if was {
		k.off = false
		k.quiet()
	}
	t.point(k)
}

// point has the films of a party be of what they show now, and begins those that are not there
// yet: of voice and camera from the beginning, for voice may become video, and of a shared
// screen once there are pictures of it. k.mu is held.
func (t *tracks) point(k *track) {
	var camera, display *video.Source
	if k.screen != nil {
		camera, display = k.screen()
	}
	if k.film == nil {
		t.begin(k, showsCamera)
	}
	k.film.point(camera)
	if k.shared == nil && display != nil && display.Live() {
		t.begin(k, showsDisplay)
	}
	k.shared.point(display)
}

// begin begins a film beside the talk, which does not wait for the disk: whoever enters a secret
// meanwhile is not in it. k.mu is held.
func (t *tracks) begin(k *track, shows string) {
	if k.making[shows] {
		return
	}
	if k.making == nil {
		k.making = map[string]bool{}
	}
	k.making[shows] = true
	t.app.helpers.Go(func() {
		t.app.contain("a recording", func() {
			f := t.film(k, shows)
			k.mu.Lock()
			defer k.mu.Unlock()
			delete(k.making, shows)
			if f != nil {
				t.begun(k, f)
			} else { // the next that is pictured tries again
				t.app.faces.unfilmed(k.in)
			}
		})
	})
}

// begun has a film be added to, unless the party has gone. k.mu is held.
func (t *tracks) begun(k *track, f *film) {
	if k.over {
		t.drop(k, f)
		return
	}
	f.file.Pause(k.paused || k.off)
	if f.shows == showsDisplay {
		k.shared = f
	} else {
		k.film = f
		t.app.faces.filmsAgain(k.in)
		f.rec = k.stream.Record(f.file.Sound(k.stream.Path().Law, t.app.now()), false)
		f.rec.Pause(k.paused || k.off)
	}
	if !k.off {
		t.point(k)
	}
}

// film makes the file of one; nil if it cannot.
func (t *tracks) film(k *track, shows string) *film {
	a := t.app
	w, err := a.begins(k.in, k.leg, filmType, tandem.Recorded{MediaType: filmType, Shows: shows})
	if err != nil {
		a.log.Error("voice and video are not recorded", "interaction", k.in, "leg", k.leg, "error", err)
		return nil
	}
	t.mu.Lock()
	z := t.zeros[k.in]
	if z == nil {
		z = &zero{at: a.now()}
		t.zeros[k.in] = z
	}
	z.n++
	t.mu.Unlock()
	f := &film{blob: w, shows: shows}
	if f.file, err = record.New(w, z.at); err != nil {
		a.log.Error("voice and video are not recorded", "interaction", k.in, "leg", k.leg, "error", err)
		t.drop(k, f)
		return nil
	}
	return f
}

// drop has a film that was begun not be.
func (t *tracks) drop(k *track, f *film) {
	c := &store.Change{Of: k.in}
	t.app.keepTrack(k, c, f.blob, nil, tandem.Recorded{})
	t.app.store.Settle(c)
	t.count(k.in)
}

// count has one film less count from an interaction's zero.
func (t *tracks) count(in tandem.InteractionID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if z := t.zeros[in]; z != nil {
		if z.n--; z.n == 0 {
			delete(t.zeros, in)
		}
	}
}

// point takes the film's pictures from a source; nil = from none.
func (f *film) point(s *video.Source) {
	if f == nil || f.from == s {
		return
	}
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
	if f.from = s; s != nil {
		f.stop = s.Tap(f.file.Frame)
	}
}

// Pause leaves out what a party says and shows, while they are on hold or enter a secret;
// the time is kept.
func (t *tracks) Pause(leg tandem.LegID, on bool) {
	t.mu.Lock()
	k := t.by[leg]
	t.mu.Unlock()
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.paused = on
	if k.sound != nil {
		k.sound.rec.Pause(on)
	}
	k.quiet()
}

// quiet has the films of a party be added to, or not, as things are. k.mu is held.
func (k *track) quiet() {
	on := k.paused || k.off
	for _, f := range []*film{k.film, k.shared} {
		if f != nil {
			f.file.Pause(on)
			if from := f.from; !on { // a new tap begins with a keyframe, at once
				f.point(nil)
				f.point(from)
			}
			if f.rec != nil {
				f.rec.Pause(on)
			}
		}
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
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = true
	a := t.app
	if k.sound != nil {
		frames, err := k.sound.rec.Stop()
		a.keepTrack(k, c, k.sound.blob, err, tandem.Recorded{Seconds: (frameTime * time.Duration(frames)).Seconds()})
	}
	for _, f := range []*film{k.film, k.shared} {
		if f == nil {
			continue
		}
		f.point(nil)
		var err error
		if f.rec != nil {
			_, err = f.rec.Stop()
		}
		is, failed := f.file.Close()
		a.keepTrack(k, c, f.blob, errors.Join(err, failed), tandem.Recorded{Seconds: is.End.Seconds(), MediaType: filmType, Shows: f.shows})
		t.count(k.in)
	}
}

// keepTrack adds what was recorded to a change. What a slow disk lost some of is kept, too; what
// nothing came for is not.
func (a *App) keepTrack(k *track, c *store.Change, w *blob.Writer, failed error, told tandem.Recorded) {
	if failed != nil {
		a.log.Error("a recording is not whole", "interaction", k.in, "leg", k.leg, "object", w.ID(), "error", failed)
	}
	if w.Size() == 0 {
		w.Abort()
		c.Blobs = append(c.Blobs, store.BlobRef{ID: w.ID(), Interaction: k.in})
		return
	}
	ref, err := w.Commit()
	if err != nil {
		a.log.Error("a recording was cut short; the next start keeps what there is", "interaction", k.in, "leg", k.leg, "object", w.ID(), "error", err)
		return
	}
	ref.Class, told.Blob = store.ClassRecording, ref.ID
	c.Blobs = append(c.Blobs, ref)
	c.Events = append(c.Events, tandem.NewEvent(k.in, k.leg, a.now(), tandem.EventRecorded, "system", told))
}

// recoverTracks keeps what there is of recordings that a crash cut.
func (a *App) recoverTracks(ctx context.Context) error {
	open, err := a.store.OpenObjects(ctx)
	if err != nil {
		return err
	}
	for _, ref := range open {
		leg, told, err := a.begunAs(ctx, ref)
		if err != nil {
			return err
		}
		done, err := a.blobs.Recover(ref)
		if err == nil {
			told.Seconds, err = a.seconds(done)
		}
		c := &store.Change{Of: ref.Interaction, Blobs: []store.BlobRef{done}}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDamaged) {
			a.log.Error("a recording that a crash cut cannot be kept", "object", ref.ID, "interaction", ref.Interaction, "error", err)
			told.Seconds, err, c.Blobs[0] = 0, nil, ref
			c.Blobs[0].Open = false
		} else if err == nil && told.Seconds == 0 { // nothing had come
			err, c.Blobs[0] = a.blobs.Remove(ref.ID), store.BlobRef{ID: ref.ID, Interaction: ref.Interaction}
		}
		if c.Blobs[0].Key != nil {
			c.Events = []tandem.Event{tandem.NewEvent(ref.Interaction, leg, a.now(), tandem.EventRecorded, "system", told)}
		}
		if err == nil {
			err = a.store.Commit(ctx, c)
		}
		if err != nil {
			return err
		}
		a.log.Info("a recording that a crash cut is kept as far as it goes", "object", ref.ID, "interaction", ref.Interaction, "seconds", told.Seconds)
	}
	return nil
}

// begunAs is what the journal told of a recording when it began, and on which leg.
func (a *App) begunAs(ctx context.Context, ref store.BlobRef) (leg tandem.LegID, told tandem.Recorded, err error) {
	told = tandem.Recorded{Blob: ref.ID, Cut: true}
	story, err := a.store.Interaction(ctx, string(ref.Interaction))
	if err != nil {
		return "", told, err
	}
	for _, e := range story.Events {
		var p tandem.Recorded
		if e.Kind == tandem.EventRecording && json.Unmarshal(e.Data, &p) == nil && p.Blob == ref.ID {
			leg, told.MediaType, told.Shows = e.Leg, p.MediaType, p.Shows
		}
	}
	return leg, told, nil
}

// seconds is how long a recording is.
func (a *App) seconds(ref store.BlobRef) (float64, error) {
	if ref.MediaType != filmType {
		bytes := float64(codec.Rate) // of G.711, a second of one channel
		if strings.HasSuffix(ref.MediaType, "channels=2") {
			bytes *= 2
		}
		return float64(ref.Size) / bytes, nil
	}
	r, err := a.blobs.Open(ref)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	is, err := record.Read(r)
	if errors.Is(err, record.ErrForm) || errors.Is(err, io.EOF) { // as far as it can be read, if at all
		err = nil
	}
	return is.Length.Seconds(), err
}
