package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/coder/websocket"

	"tandem"
	"tandem/bridge/chat"
)

// show takes what the conversation publishes. It must not wait.
func (s *socket) show(f chat.Frame) bool {
	switch f := f.(type) {
	case *chat.Entry:
		return s.push(f)
	case chat.Typing:
		if f.From == tandem.SenderCustomer {
			return true
		}
		return s.push(typing{T: kindTyping, From: f.From, Name: f.Name, On: f.On})
	case chat.Place:
		return s.push(placeOf(f))
	case chat.Over:
		return s.push(bare{kindOver})
	}
	return true
}

// push queues something to be written. It is false once the socket ends: its queue being
// full is a reason for that.
func (s *socket) push(what any) bool {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return false
	}
	if _, change := what.(*chat.Entry); change && len(s.queue) >= maxReady {
		if _, already := s.queue[len(s.queue)-1].(behind); already {
			s.mu.Unlock()
			return true
		}
		what = behind{}
	}
	if _, face := what.(facing); face && slices.ContainsFunc(s.queue, func(q any) bool { _, same := q.(facing); return same }) {
		s.mu.Unlock()
		return true
	}
	if len(s.queue) >= maxQueued {
		s.mu.Unlock()
		s.end(closeSlow, "slow")
		return false
	}
	s.queue = append(s.queue, what)
	if !s.writing {
		s.writing = true
		s.door.running.Go(s.write)
	}
	s.mu.Unlock()
	return true
}

// write writes what is queued, and ends when nothing is.
func (s *socket) write() {
	defer s.contain()
	for {
		s.mu.Lock()
		batch := s.queue
		s.queue = nil
		if len(batch) == 0 {
			s.writing = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for _, what := range batch {
			var err error
			switch what := what.(type) {
			case *chat.Entry:
				err = s.writeEntry(what)
			case behind:
				err = s.catchUp()
			case backlog:
				if err = s.catchUp(); err == nil {
					err = s.put(caughtUp{T: kindCaughtUp, Rev: s.sent.Load()})
				}
			case again:
				err = s.writeAgain(what)
			case standing:
				err = s.writePlace()
			case facing:
				err = s.writeFace()
			default:
				err = s.put(what)
			}
			if err != nil {
				s.end(closeLater, "later") // of no effect where the connection is gone
				return
			}
		}
	}
}

// writeEntry writes a change, in the order of Rev and with none left out: a client knows
// all up to the highest Rev it has. One that came too early has those before it fetched.
func (s *socket) writeEntry(e *chat.Entry) error {
	switch {
	case e.Rev <= s.sent.Load():
		return nil
	case e.Rev == s.sent.Load()+1:
		return s.putEntry(e)
	}
	return s.catchUp()
}

// writeAgain writes an entry that the client may have: after all before it, too, since it
// takes the highest Rev it sees for all it knows.
func (s *socket) writeAgain(a again) error {
	if a.Rev > s.sent.Load() {
		return s.writeEntry(a.Entry)
	}
	m := messageOf(a.Entry)
	m.ID = a.id // which an erased one does not have
	return s.put(m)
}

// writePlace tells who has just come how they stand in line, if they do. It is looked up
// only now, so that what was published meanwhile is written after it and no older.
func (s *socket) writePlace() error {
	d := s.door
	ctx, cancel := context.WithTimeout(d.ctx, doTime)
	defer cancel()
	c, err := d.o.Book.Find(ctx, *s.id.Load())
	if err != nil {
		d.o.Log.Warn("a place in line could not be looked up", "conversation", *s.id.Load(), "error", err)
		return nil // it is shown once it changes
	}
	p, ok := d.o.Place(ctx, c)
	if !ok {
		return nil
	}
	return s.put(placeOf(*p))
}

// catchUp writes all changes after the last one written.
func (s *socket) catchUp() error {
	ctx, cancel := context.WithTimeout(s.door.ctx, doTime)
	defer cancel()
	for {
		entries, err := s.door.o.Book.Since(ctx, *s.id.Load(), s.sent.Load(), page)
		if err != nil {
			s.door.o.Log.Error("messages could not be read", "conversation", *s.id.Load(), "error", err)
			return err
		}
		for i := range entries {
			if err := s.putEntry(&entries[i]); err != nil {
				return err
			}
		}
		if len(entries) < page {
			return nil
		}
	}
}

// putEntry writes a change. It counts as written from before it leaves: the client may
// answer it sooner than this goroutine goes on.
func (s *socket) putEntry(e *chat.Entry) error {
	s.sent.Store(e.Rev)
	s.top.Store(max(s.top.Load(), e.Message.Seq))
	return s.put(messageOf(e))
}

// put writes one frame.
func (s *socket) put(frame any) error {
	data, err := json.Marshal(frame)
	if err != nil {
		return fmt.Errorf("writing a frame: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.door.times.write)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, data)
}
