package voice

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/media/codec"
)

const (
	// shortest is the least a voicemail must hold of somebody's voice: less is a
	// caller who hung up at the tone.
	shortest = 300 * time.Millisecond
	// loud is the least peak of a frame that counts as voice: -36 dBm0, above line
	// noise and below a quiet speaker.
	loud = 350
	// frameTime is the length of one frame.
	frameTime = codec.FrameSamples * time.Second / codec.Rate
	// keepTime bounds the keeping of a voicemail.
	keepTime = 10 * time.Second
)

// Tape is a voicemail, or a recording for a variable, being taken: µ-law or A-law bytes at 8 kHz go in.
type Tape interface {
	io.Writer
	// Law is the law of the stream now, which the bytes will be in.
	Law() codec.Law
	// Keep makes it a promise: once it returns without an error the message is in its
	// box, or the recording kept under the id.
	Keep(ctx context.Context, length time.Duration) (id tandem.BlobID, err error)
	// Drop forgets it.
	Drop()
}

// taping is a tape asked for, or being taken.
type taping struct {
	r       flow.Record
	beeped  bool
	tape    *levels // nil before it begins
	rec     *media.Recording
	started time.Time
	until   time.Time
}

// levels counts the frames with a voice in them on their way to the tape.
type levels struct {
	Tape
	law    codec.Law
	voiced atomic.Int64 // frames
}

func (l *levels) Write(p []byte) (int, error) {
	var pcm [codec.FrameSamples]int16
	for rest := p; len(rest) > 0; {
		n := min(len(rest), len(pcm))
		l.law.Decode(pcm[:n], rest[:n])
		for _, v := range pcm[:n] {
			if v > loud || v < -loud {
				l.voiced.Add(1)
				break
			}
		}
		rest = rest[n:]
	}
	return l.Tape.Write(p)
}

// Record asks for a voicemail, or a recording for a variable, once the prompts have ended.
func (c *Channel) Record(r flow.Record) {
	c.dropTape()
	c.taping = &taping{r: r}
}

// dropTape ends and forgets what is being taken, if anything.
func (c *Channel) dropTape() {
	t := c.taping
	c.taping = nil
	if t == nil || t.tape == nil {
		return
	}
	if t.rec != nil {
		_, _ = t.rec.Stop() // what it holds is not wanted
	}
	t.tape.Drop()
}

// tapes reports a wait for a tape.
func tapes(w flow.Wait) bool { return w.Kind == flow.WaitVoicemail || w.Kind == flow.WaitRecord }

// tape moves a tape on. It returns the answer when it is complete.
func (c *Channel) tape() (flow.Input, bool) {
	t := c.taping
	if !c.saidAll() {
		return flow.Input{}, false
	}
	if !t.beeped && len(c.cfg.Beep) > 0 {
		t.beeped = true
		if c.cfg.Stream.Play(media.Item{ID: beepID, Clips: c.cfg.Beep}) == nil {
			c.said = append(c.said, saying{id: beepID})
			return flow.Input{}, false
		}
	}
	if t.rec == nil {
		if err := c.startTape(); err != nil {
			c.taping = nil
			return flow.Input{Kind: flow.InputFault, Text: err.Error()}, true
		}
		return flow.Input{}, false
	}
	if c.cfg.Now().Before(t.until) {
		return flow.Input{}, false
	}
	in, err := c.keepTape()
	if err != nil {
		return flow.Input{Kind: flow.InputFault, Text: err.Error()}, true
	}
	c.quiet = c.cfg.Now()
	return in, true
}

func (c *Channel) startTape() error {
	t := c.taping
	tape, err := c.cfg.Tape(t.r)
	if err != nil {
		return err
	}
	t.tape = &levels{Tape: tape, law: tape.Law()}
	t.rec = c.cfg.Stream.Record(t.tape, false)
	t.started = c.cfg.Now()
	t.until = t.started.Add(t.r.Max)
	return nil
}

// keepTape ends what is being taken and makes the answer of it.
func (c *Channel) keepTape() (flow.Input, error) {
	t := c.taping
	result, err := t.keep()
	c.taping = nil // only now: after a panic it is still to be dropped
	return flow.Input{Kind: flow.InputResult, Serial: t.r.Serial, Result: &result}, err
}

func (t *taping) keep() (flow.Result, error) {
	tooShort := flow.Result{Outcome: "too_short"}
	if t.rec == nil {
		return tooShort, nil
	}
	frames, err := t.rec.Stop()
	if err != nil {
		t.tape.Drop()
		return flow.Result{}, err
	}
	if time.Duration(t.tape.voiced.Load())*frameTime < shortest {
		t.tape.Drop()
		return tooShort, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepTime)
	defer cancel()
	id, err := t.tape.Keep(ctx, time.Duration(frames)*frameTime)
	switch {
	case err != nil:
		return flow.Result{}, err
	case t.r.Into != "":
		return flow.Result{Outcome: "done", Value: string(id)}, nil
	}
	return flow.Result{Outcome: "left"}, nil
}
