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

// tape is a voicemail on its way into a box.
type tape struct {
	*blob.Writer
	call *call
	r    flow.Record
	law  codec.Law
}

var _ voice.Tape = (*tape)(nil)

// tape opens a voicemail. A store that cannot keep promises is found before the
// caller speaks, not after.
func (k *call) tape(r flow.Record) (voice.Tape, error) {
	if err := k.app.store.Healthy(); err != nil {
		return nil, err
	}
	w, err := k.app.blobs.Create(k.interaction.ID, mediaType(k.audio.Law(), 1))
	if err != nil {
		return nil, fmt.Errorf("opening a voicemail: %w", err)
	}
	return &tape{Writer: w, call: k, r: r, law: k.audio.Law()}, nil
}

func (t *tape) Law() codec.Law { return t.law }
func (t *tape) Drop()          { t.Abort() }

// Keep makes the message a promise: the object, the event, and a task in line.
func (t *tape) Keep(ctx context.Context, length time.Duration) error {
	k := t.call
	ref, err := t.Commit()
	if err != nil {
		return fmt.Errorf("keeping a voicemail: %w", err)
	}
	task := tandem.Task{
		ID: tandem.NewID[tandem.TaskID](k.app.now(), k.app.random), Interaction: k.interaction.ID, Kind: tandem.TaskVoicemail,
		Queue: t.r.Queue, State: tandem.TaskWaiting, Arrived: k.interaction.Started, Blob: ref.ID,
	}
	change := &store.Change{
		Key: "voicemail:" + string(ref.ID), Blobs: []store.BlobRef{ref}, Tasks: []tandem.Task{task},
		Events: []tandem.Event{
			k.event(tandem.EventVoicemail, tandem.Recorded{Blob: ref.ID, Seconds: length.Seconds(), Box: t.r.Box}),
			k.event(tandem.EventTaskOpened, task),
		},
		Outbox: k.app.notices(task, k.interaction),
	}
	if err := k.app.store.Commit(ctx, change); err != nil {
		return fmt.Errorf("keeping a voicemail: %w", err)
	}
	return nil
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
	w, err := k.app.blobs.Create(k.interaction.ID, mediaType(k.audio.Law(), 2))
	if err != nil {
		k.log.Error("a call is not recorded", "error", err)
		return
	}
	k.recording = &recording{call: k, blob: w, rec: k.audio.Stream.Record(w, true)}
	k.app.store.Note(k.event(tandem.EventRecording, tandem.Recorded{Blob: w.ID()}))
}

// keep ends the recording and adds it to the call's last change.
func (r *recording) keep(change *store.Change) {
	frames, err := r.rec.Stop()
	if err != nil {
		r.blob.Abort()
		r.call.log.Error("a recording was lost", "error", err)
		return
	}
	ref, err := r.blob.Commit()
	if err != nil {
		r.call.log.Error("a recording was lost", "error", err)
		return
	}
	seconds := (time.Duration(frames) * frameTime).Seconds()
	change.Blobs = append(change.Blobs, ref)
	change.Events = append(change.Events, r.call.event(tandem.EventRecorded, tandem.Recorded{Blob: ref.ID, Seconds: seconds}))
}
