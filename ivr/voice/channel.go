// Package voice is the channel of a phone call: it says prompts on a media stream,
// hears keys, and takes voicemail and recordings. It runs no goroutine; the call's own goroutine
// uses it. It decides nothing about the flow.
package voice

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"tandem"
	"tandem/ivr"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/media/dtmf"
	"tandem/sip"
)

const (
	// fillerAfter is how long a caller hears nothing while an answer is awaited before the
	// filler begins, or music: well under the three seconds after which people hang up.
	fillerAfter = 1500 * time.Millisecond
	// tail is how long the far end's jitter buffer still plays after our last packet.
	tail = 160 * time.Millisecond
	// hushTail is how long after the last key of a secret keys and sound are still kept from
	// others: somebody enters a digit more, or ends with # what was complete without.
	hushTail = 2 * time.Second
	// speakTime bounds the making of one prompt's audio.
	speakTime = 4 * time.Second
)

// Ids of what is played beside prompts, whose ids count up from 1. The range from
// 1<<31 is left to those who join the stream with others.
const (
	fillerID = 1<<30 + iota
	beepID
)

// Speaker makes audio of prompts.
type Speaker interface {
	Clips(ctx context.Context, lang string, parts []tandem.Part, audio string) ([]*media.Clip, error)
}

// Config is what a channel needs. Filler, Music, Beep, Spoken and Held may be empty.
type Config struct {
	Stream *media.Stream
	Speech Speaker
	Events <-chan sip.Event // keys by INFO, the end of the call
	Now    func() time.Time
	Trace  func(kind tandem.EventKind, data any)
	// Tape opens what a voicemail, or a recording for a variable, is kept on.
	Tape func(r flow.Record) (Tape, error)
	// Spoken is told of each prompt that has left the playlist.
	Spoken func(p flow.Play, whole bool)
	// Held is told when the caller's phone puts us on hold or takes us back.
	Held func(on bool)
	// Relay is told of each key by INFO while the caller talks with somebody, to pass it
	// on; those by the stream pass by themselves. It may be nil. While keys are hushed it
	// is told of none.
	Relay func(digit byte)
	// Hushed is told that the entry of a secret begins, and that it is over, after the
	// stream was. It may be nil.
	Hushed func(on bool)
	Filler []*media.Clip // said over and over while a machine is waited for
	Music  []*media.Clip // while the caller waits in line, opens a page or goes to another channel; the filler if there is none
	Beep   []*media.Clip
}

// Channel is one phone call as a flow sees it.
type Channel struct {
	cfg    Config
	nextID uint32
	said   []saying  // prompts on the playlist, oldest first
	quiet  time.Time // since when nothing is said and no key came
	hear   dtmf.Merger
	filler bool // it plays
	tried  bool // to play it, in this wait
	hushed bool
	keyed  time.Time // the last key
	lift   time.Time // when what was hushed is to be heard again; zero = it is, or the entry goes on
	held   bool      // by the caller's phone, so that they hear nothing
	taping *taping
	timer  *time.Timer
	over   error // why Next returns ErrLeft
	lost   bool  // the far end fell silent
	broken bool  // the stream ended under the call
}

var _ ivr.Channel = (*Channel)(nil)

// saying is a prompt on the playlist.
type saying struct {
	id  uint32
	p   flow.Play
	cut bool // stopped; its Played event is on its way
}

// New makes the channel of an answered call.
func New(cfg Config) *Channel {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &Channel{cfg: cfg, timer: t, quiet: cfg.Now()}
}

// Lost reports that the call is over because the far end sends nothing any more.
func (c *Channel) Lost() bool { return c.lost }

// Broken reports that the call is over because a fault of ours ended its stream.
func (c *Channel) Broken() bool { return c.broken }

// Play puts a prompt on the playlist.
func (c *Channel) Play(ctx context.Context, p flow.Play) error {
	ctx, cancel := context.WithTimeout(ctx, speakTime)
	defer cancel()
	clips, err := c.cfg.Speech.Clips(ctx, p.Lang, p.Parts, p.Audio)
	if err != nil {
		return fmt.Errorf("saying a prompt of step %s: %w", p.Step, err)
	}
	c.stopFiller()
	c.nextID++
	if err := c.cfg.Stream.Play(media.Item{ID: c.nextID, Clips: clips}); err != nil {
		return fmt.Errorf("saying a prompt of step %s: %w", p.Step, err)
	}
	c.said = append(c.said, saying{id: c.nextID, p: p})
	return nil
}

// Cut stops what keys may stop.
func (c *Channel) Cut() {
	c.stop(func(p flow.Play) bool { return p.BargeIn.ByKeys() })
}

// stop stops the prompts, playing and waiting, of which which says so.
func (c *Channel) stop(which func(flow.Play) bool) {
	var ids []uint32
	for i := range c.said {
		if s := &c.said[i]; !s.cut && which(s.p) {
			s.cut = true
			ids = append(ids, s.id)
		}
	}
	if len(ids) > 0 {
		c.cfg.Stream.Stop(ids...)
	}
}

// Hush keeps keys and their tones from recordings and joined legs. What was begun lasts a
// moment longer than the last key: more of them than were asked for may come.
func (c *Channel) Hush(on bool) {
	c.lift = time.Time{}
	if over := c.keyed.Add(hushTail); !on && c.hushed && c.cfg.Now().Before(over) {
		c.lift = over
		return
	}
	c.hush(on)
}

// hush does so at once.
func (c *Channel) hush(on bool) {
	if c.lift = (time.Time{}); on == c.hushed {
		return
	}
	c.hushed = on
	c.cfg.Stream.Hush(on)
	if c.cfg.Hushed != nil {
		c.cfg.Hushed(on)
	}
}

// Close drops a tape that nothing has ended, as after a panic. The channel is not
// used after it.
func (c *Channel) Close() {
	c.dropTape()
	c.hush(false)
}

// saidAll reports whether every prompt has ended or is being stopped.
func (c *Channel) saidAll() bool {
	for i := range c.said {
		if !c.said[i].cut {
			return false
		}
	}
	return true
}

// early reports whether a prompt plays or waits that keys do not stop, or that
// belongs to a step before the one that listens: its own question was not heard yet.
func (c *Channel) early(step string) bool {
	for i := range c.said {
		if s := &c.said[i]; !s.cut && (!s.p.BargeIn.ByKeys() || s.p.Step != step) {
			return true
		}
	}
	return false
}

// Next waits for the next input. Who has left while a tape was taken has said what they
// wanted to: what came of it stands beside ErrLeft.
func (c *Channel) Next(ctx context.Context, w flow.Wait, answers, inbox <-chan flow.Input) (flow.Input, error) {
	if len(c.fills(w)) == 0 {
		c.stopFiller()
	}
	if served(w) { // whatever came after room was made
		c.stop(func(flow.Play) bool { return true })
	}
	for c.over == nil {
		if tapes(w) && c.taping != nil {
			if in, done := c.tape(); done {
				return in, nil
			}
		}
		select {
		case in := <-answers:
			return c.answered(in), nil
		default:
		}
		c.arm(w)
		select {
		case in := <-answers:
			return c.answered(in), nil
		case in := <-inbox:
			switch {
			case in.Serial != w.Serial && in.Serial != w.Under && in.Serial != 0: // it is late: nobody waits for it
			case in.Kind == flow.InputPlace: // what is said of it makes its own room in the music
				return in, nil
			default:
				return c.answered(in), nil
			}
		case <-c.timer.C:
			if in, ok := c.due(w); ok {
				return in, nil
			}
		case e, open := <-c.cfg.Stream.Events():
			if in, ok := c.heard(e, open, w); ok {
				return in, nil
			}
		case e := <-c.cfg.Events:
			if in, ok := c.signalled(e, w); ok {
				return in, nil
			}
		case <-ctx.Done():
			c.over = context.Cause(ctx)
		}
	}
	if c.taping == nil {
		return flow.Input{}, ivr.ErrLeft
	}
	step := c.taping.r.Step
	in, err := c.keepTape()
	if err != nil {
		c.cfg.Trace(tandem.EventFlowError, tandem.FlowFault{Step: step, Message: err.Error()})
		in = flow.Input{}
	}
	return in, ivr.ErrLeft
}

// served reports a wait in line of somebody whom an agent has: they talk.
func served(w flow.Wait) bool { return w.Kind == flow.WaitQueue && w.Served }

// answered ends the wait for an answer; what follows is counted from here.
func (c *Channel) answered(in flow.Input) flow.Input {
	c.stopFiller()
	c.quiet = c.cfg.Now()
	return in
}

// arm sets the timer for whatever falls due next in the wait.
func (c *Channel) arm(w flow.Wait) {
	c.timer.Stop()
	at := c.falls(w)
	if !c.lift.IsZero() && (at.IsZero() || c.lift.Before(at)) {
		at = c.lift
	}
	if !at.IsZero() {
		c.timer.Reset(max(0, at.Sub(c.cfg.Now())))
	}
}

// falls says when that is; zero = never. While something is said, and while the caller's
// phone has us on hold, nobody is kept waiting for, but what has a time of its own ends.
func (c *Channel) falls(w flow.Wait) time.Time {
	var at time.Time
	if w.Kind != flow.WaitListen {
		at = w.Until
	}
	if !c.saidAll() || c.held && !tapes(w) {
		return at
	}
	switch {
	case w.Kind == flow.WaitListen && w.Timeout > 0:
		at = c.quiet.Add(w.Timeout)
	case !c.tried && len(c.fills(w)) > 0:
		if begin := c.quiet.Add(fillerAfter); at.IsZero() || begin.Before(at) {
			at = begin
		}
	case tapes(w) && c.taping != nil && c.taping.rec != nil:
		at = c.taping.until
	}
	return at
}

// fills is what a caller hears during a wait that would be silent: the filler while a
// machine answers, music while they wait in line or do something elsewhere themselves.
func (c *Channel) fills(w flow.Wait) []*media.Clip {
	switch w.Kind {
	case flow.WaitQueue, flow.WaitLink, flow.WaitHandoff:
		if served(w) {
			return nil
		}
		if len(c.cfg.Music) > 0 {
			return c.cfg.Music
		}
		return c.cfg.Filler
	case flow.WaitHTTP, flow.WaitMessage, flow.WaitCallback, flow.WaitTicket:
		return c.cfg.Filler
	}
	return nil
}

// due handles the timer. A tape's end is seen by tape.
func (c *Channel) due(w flow.Wait) (flow.Input, bool) {
	if !c.lift.IsZero() && !c.cfg.Now().Before(c.lift) {
		c.hush(false)
		if at := c.falls(w); at.IsZero() || c.cfg.Now().Before(at) {
			return flow.Input{}, false
		}
	}
	over := flow.Input{Kind: flow.InputTimeout, Serial: w.Serial}
	switch clips := c.fills(w); {
	case w.Kind == flow.WaitListen:
		c.quiet = c.cfg.Now()
		return over, true
	case !w.Until.IsZero() && !c.cfg.Now().Before(w.Until):
		return c.answered(over), true
	case len(clips) > 0 && !c.tried:
		c.tried = true
		c.filler = c.cfg.Stream.Play(media.Item{ID: fillerID, Clips: clips, Loop: true}) == nil
	}
	return flow.Input{}, false
}

func (c *Channel) stopFiller() {
	c.tried = false
	if c.filler {
		c.cfg.Stream.Stop(fillerID)
		c.filler = false
	}
}

// heard handles what the stream tells.
func (c *Channel) heard(e media.Event, open bool, w flow.Wait) (flow.Input, bool) {
	if !open {
		c.over, c.broken = media.ErrClosed, true
		return flow.Input{}, false
	}
	switch e := e.(type) {
	case media.Key:
		return c.key(e.Digit, e.Via, w)
	case media.Played:
		c.ended(e)
	case media.Silent:
		c.over, c.lost = ivr.ErrLeft, true
	}
	return flow.Input{}, false
}

// signalled handles what signalling tells.
func (c *Channel) signalled(e sip.Event, w flow.Wait) (flow.Input, bool) {
	switch e := e.(type) {
	case sip.Key:
		return c.key(e.Digit, dtmf.ViaInfo, w)
	case sip.Held:
		c.cfg.Trace(tandem.EventHold, tandem.Held{By: tandem.ByRemote, On: e.On})
		c.held, c.quiet = e.On, c.cfg.Now()
		if c.cfg.Held != nil {
			c.cfg.Held(e.On)
		}
	case sip.Ended:
		c.over = ivr.ErrLeft
	}
	return flow.Input{}, false
}

// key makes an input of a press, unless it is the same press by another way, or
// meant for somebody else.
func (c *Channel) key(digit byte, via dtmf.Via, w flow.Wait) (flow.Input, bool) {
	if !c.hear.Accept(digit, via, c.cfg.Now()) {
		return flow.Input{}, false
	}
	c.keyed = c.cfg.Now()
	if !c.lift.IsZero() {
		c.lift = c.keyed.Add(hushTail)
	}
	switch {
	case w.Kind == flow.WaitTransfer || served(w): // it goes to the party they talk with
		if via == dtmf.ViaInfo && c.cfg.Relay != nil && !c.hushed {
			c.cfg.Relay(digit)
		}
		return flow.Input{}, false
	case tapes(w):
		if c.taping != nil && c.taping.rec != nil {
			if w.Kind == flow.WaitVoicemail || digit == '#' {
				c.taping.until = c.cfg.Now()
			}
			return flow.Input{}, false
		}
	}
	c.quiet = c.cfg.Now()
	return flow.Input{Kind: flow.InputKey, Text: string(digit), Via: via.String(), Early: c.early(w.Step)}, true
}

// ended takes an item off the books.
func (c *Channel) ended(e media.Played) {
	for i, s := range c.said {
		if s.id != e.ID {
			continue
		}
		c.said = append(c.said[:i], c.said[i+1:]...)
		if len(c.said) == 0 && e.Done {
			c.quiet = c.cfg.Now()
		}
		if s.id == beepID {
			return
		}
		whole := e.Done && !s.cut
		text := ""
		for _, p := range s.p.Parts {
			text += p.Text
		}
		if s.p.Secret {
			text = hide(text)
		}
		c.cfg.Trace(tandem.EventPrompt, tandem.Prompted{
			Step: s.p.Step, Name: s.p.Name, Lang: s.p.Lang, Text: text, Heard: whole, HeardMS: e.Frames * 20,
		})
		if c.cfg.Spoken != nil {
			c.cfg.Spoken(s.p, whole)
		}
		return
	}
}

// hide masks the digits of what is said around a secret: they may be one themselves, such
// as a code that is read out.
func hide(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return '•'
		}
		return r
	}, text)
}

// Yield ends what may be ended: an agent's answer cuts an announcement at once. What keys
// may not stop is heard whole, but if all is to end; what tells that the call is recorded
// in any case.
func (c *Channel) Yield(ctx context.Context, all bool) error {
	c.stopFiller()
	c.stop(func(p flow.Play) bool { return (all || p.BargeIn.ByKeys()) && p.Announces == "" })
	if all {
		c.dropTape()
	}
	if c.saidAll() && c.over == nil {
		return nil
	}
	return c.Drain(ctx)
}

// Drain waits until all has been said, and a moment more so that it is heard.
func (c *Channel) Drain(ctx context.Context) error {
	c.stopFiller()
	spoke := len(c.said) > 0
	for c.over == nil && len(c.said) > 0 {
		select {
		case e, open := <-c.cfg.Stream.Events():
			c.heard(e, open, flow.Wait{Kind: flow.WaitTransfer})
		case e := <-c.cfg.Events:
			c.signalled(e, flow.Wait{Kind: flow.WaitTransfer})
		case <-ctx.Done():
			c.over = context.Cause(ctx)
		}
	}
	if c.over == nil && spoke {
		c.timer.Reset(tail)
		select {
		case <-c.timer.C:
		case <-ctx.Done():
			c.over = context.Cause(ctx)
		}
	}
	if c.over != nil {
		return ivr.ErrLeft
	}
	return nil
}
