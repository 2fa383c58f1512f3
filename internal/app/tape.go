package app

import (
	"context"
	"fmt"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/voice"
	"tandem/media"
	"tandem/media/codec"
	"tandem/store"
	"tandem/store/blob"
)

// mediaType names G.711 audio in an object, after RFC 3551 and RFC 2046.
func mediaType(law codec.Law, channels int) string {
	return fmt.Sprintf("audio/%s;rate=%d;channels=%d", law, codec.Rate, channels)
}

// frameTime is the length of one frame of a recording.
const frameTime = codec.FrameSamples * time.Second / codec.Rate

// tape is a voicemail on its way into a box, or a recording on its way into a variable.
type tape struct {
	*blob.Writer
	call *call
	r    flow.Record
	law  codec.Law
}

var _ voice.Tape = (*tape)(nil)

// tape opens a voicemail or a recording. A store that cannot keep promises is found before the
// caller speaks, not after.
func (k *call) tape(r flow.Record) (voice.Tape, error) {
	if err := k.app.store.Healthy(); err != nil {
		return nil, err
	}
	w, err := k.app.blobs.Create(k.interaction.ID, mediaType(k.signal.Law(), 1))
	if err != nil {
		return nil, fmt.Errorf("opening a tape: %w", err)
	}
	return &tape{Writer: w, call: k, r: r, law: k.signal.Law()}, nil
}

func (t *tape) Law() codec.Law { return t.law }
func (t *tape) Drop()          { t.Abort() }

// Keep makes the tape a promise: the object and the event, and of a voicemail a task in
// line.
func (t *tape) Keep(ctx context.Context, length time.Duration) (tandem.BlobID, error) {
	k := t.call
	ref, err := t.Commit()
	if err != nil {
		return "", fmt.Errorf("keeping a tape: %w", err)
	}
	change := &store.Change{Key: "recording:" + string(ref.ID), Blobs: []store.BlobRef{ref}}
	if t.r.Into != "" {
		change.Events = []tandem.Event{k.event(tandem.EventTaken, tandem.Recorded{Blob: ref.ID, Seconds: length.Seconds()})}
		err = k.app.store.Commit(ctx, change)
	} else {
		err = t.toBox(ctx, change, ref.ID, length)
	}
	if err != nil {
		return "", fmt.Errorf("keeping a tape: %w", err)
	}
	return ref.ID, nil
}

// toBox puts a voicemail into line.
func (t *tape) toBox(ctx context.Context, change *store.Change, id tandem.BlobID, length time.Duration) error {
	k := t.call
	task := tandem.Task{
		ID: tandem.NewID[tandem.TaskID](k.app.now(), k.app.random), Interaction: k.interaction.ID, Kind: tandem.TaskVoicemail,
		Queue: t.r.Queue, Arrived: k.app.now(), Lang: t.r.Lang, Blob: id,
	}
	change.Key, change.Outbox = "voicemail:"+string(id), k.app.notices(task, k.interaction)
	change.Events = []tandem.Event{k.event(tandem.EventVoicemail, tandem.Recorded{Blob: id, Seconds: length.Seconds(), Box: t.r.Box})}
	_, err := k.app.line.Open(ctx, task, change)
	return err
}

// recording is a whole call being recorded: the caller left, everybody else right.
type recording struct {
	call *call
	blob *blob.Writer
	rec  *media.Recording
}

// record begins recording the call if its entry asks for it. It is called once the
// caller was told or has agreed; later calls change nothing.
func (k *call) record() {
	if !k.entry.Record || k.recording != nil {
		return
	}
	w, err := k.app.begins(k.interaction.ID, k.leg.ID, mediaType(k.signal.Law(), 2), tandem.Recorded{})
	if err != nil {
		k.log.Error("a call is not recorded", "error", err)
		return
	}
	k.recording = &recording{call: k, blob: w, rec: k.stream.Record(grows{w}, true)}
	k.recorded.Store(true)
}

// keep ends the recording and adds it to the call's last change.
func (r *recording) keep(change *store.Change) {
	frames, err := r.rec.Stop()
	seconds := (time.Duration(frames) * frameTime).Seconds()
	r.call.app.keepTrack(&track{in: r.call.interaction.ID, leg: r.call.leg.ID}, change, r.blob, err, tandem.Recorded{Seconds: seconds})
}
