package live

import (
	"context"
	"encoding/json"
	"time"

	"github.com/coder/websocket"
)

// push queues a frame. It is false once the socket ends: its queue being full is a reason
// for that.
func (s *socket) push(frame any) bool {
	data, err := json.Marshal(frame)
	if err != nil {
		panic("desk: a frame cannot be written: " + err.Error())
	}
	return s.pushRaw(data)
}

// pushRaw queues a frame that is written already; sockets share it.
func (s *socket) pushRaw(data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	if len(s.queue) >= maxQueued || s.bytes+len(data) > maxBytes {
		s.endLocked(closeSlow, "slow")
		return false
	}
	s.queue = append(s.queue, data)
	s.bytes += len(data)
	if !s.writing {
		s.writing = true
		s.desk.running.Go(s.write)
	}
	return true
}

// write writes what is queued, and ends when nothing is.
func (s *socket) write() {
	defer s.contain()
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.queue, s.writing = nil, false
			s.mu.Unlock()
			return
		}
		data := s.queue[0]
		s.queue = s.queue[1:]
		s.bytes -= len(data)
		s.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), s.desk.o.Times.Write)
		err := s.conn.Write(ctx, websocket.MessageText, data)
		cancel()
		if err != nil {
			s.end(closeLater, "later") // of no effect where the connection is gone
			return
		}
	}
}

// partBytes bounds what one frame of the board carries.
const partBytes = 48 << 10

// tellBoard tells who looks at the board what has changed since it was last told, and those
// who are new to it, or too slow to be told each change, all of it.
func (d *Floor) tellBoard() {
	var whole, part []*socket
	d.mu.Lock()
	for s := range d.sockets {
		if !s.wants.Load() {
			continue
		}
		s.mu.Lock()
		switch {
		case s.over:
		case s.fresh && len(s.queue) == 0:
			s.fresh = false
			whole = append(whole, s)
		case s.fresh:
		case len(s.queue) > maxQueued/4:
			s.fresh = true
		default:
			part = append(part, s)
		}
		s.mu.Unlock()
	}
	d.mu.Unlock()
	if len(whole)+len(part) == 0 {
		d.o.Board.Forget()
		return
	}
	queues, names := d.o.Board.Changes(d.o.Line)
	alerts, turn := d.alerts(d.turn)
	d.turn = turn
	now := d.o.Now()
	due := now.Sub(d.pulse) >= pulseEvery || now.Before(d.pulse)
	if len(part) > 0 && (len(queues)+len(names)+len(alerts) > 0 || due) {
		var agents []json.RawMessage
		for _, name := range names {
			if a, ok := d.o.Line.Agent(name); ok {
				agents = append(agents, raw(d.agent(a)))
			}
		}
		last := boardFrame{Alerts: alerts}
		if len(queues)+len(names) > 0 {
			last.All = d.all()
		}
		send(part, boardFrames(d.o.Board.Picture(d.o.Line).At, queues, agents, last))
		d.pulse = now
	}
	if len(whole) > 0 {
		var all, agents []json.RawMessage
		figures, _ := d.o.Board.Figures(d.o.Line)
		for i := range figures {
			all = append(all, raw(&figures[i]))
		}
		for _, a := range d.o.Line.Agents() {
			agents = append(agents, raw(d.agent(a)))
		}
		alerts, _ := d.alerts(noTurn)
		send(whole, boardFrames(d.o.Board.Picture(d.o.Line).At, all, agents, boardFrame{Fresh: true, All: d.all(), Alerts: alerts}))
	}
}

const (
	pulseEvery = time.Second // the board is told at least so often: that nothing changed, if nothing did
	noTurn     = ^uint64(0)  // no turn of the alerts
)

// alerts are those that fire, if they are others than those of a turn.
func (d *Floor) alerts(turn uint64) (json.RawMessage, uint64) {
	if d.o.Alerts == nil {
		return nil, turn
	}
	return d.o.Alerts(turn)
}

// all is what the board says of all queues together.
func (d *Floor) all() json.RawMessage {
	p := d.o.Board.Picture(d.o.Line)
	return raw(boardAll{p.Agents, p.Today, p.Since, p.Whole})
}

func send(sockets []*socket, frames [][]byte) {
	for _, s := range sockets {
		for _, data := range frames {
			s.pushRaw(data)
		}
	}
}

func raw(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("desk: a frame cannot be written: " + err.Error())
	}
	return data
}

// boardFrames puts queues and agents, as of a time, into as many frames as it takes; last is what the last of
// them has besides, and says whether they begin a new picture.
func boardFrames(at time.Time, queues, agents []json.RawMessage, last boardFrame) [][]byte {
	var out [][]byte
	f, size := boardFrame{T: kindBoard, At: at, Fresh: last.Fresh}, 0
	room := func(n int) {
		if size > 0 && size+n > partBytes {
			out = append(out, raw(f))
			f, size = boardFrame{T: kindBoard, At: at}, 0
		}
		size += n
	}
	for _, q := range queues {
		room(len(q))
		f.Queues = append(f.Queues, q)
	}
	for _, a := range agents {
		room(len(a))
		f.Agents = append(f.Agents, a)
	}
	room(len(last.Alerts))
	f.All, f.Alerts, f.Last = last.All, last.Alerts, true
	return append(out, raw(f))
}
