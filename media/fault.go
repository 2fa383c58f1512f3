package media

import (
	"fmt"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// A panic while a shard works for a stream ends that stream alone: its Events are
// closed, it sends and hears nothing more, and the shard goes on with the next one.
// It costs one deferred call per look at a set of streams, none per packet.

// command is something to do on a shard, for a stream.
type command struct {
	of *Stream // whose fault a panic is; nil while there is none
	do func()
}

// obeyOne runs one command.
func (sh *shard) obeyOne(c command) {
	sh.work = c.of
	defer sh.caught()
	c.do()
}

// sendFrom sends the frames of a slot from place at on. It returns the place to go
// on from: the end, or the one after a stream that was at fault.
func (sh *shard) sendFrom(slot []*Stream, at int) (next int) {
	next = at
	defer sh.caught()
	for next < len(slot) {
		s := slot[next]
		next++
		sh.work = s
		s.frame(sh, sh.done/slotCount, sh.turned)
	}
	return next
}

// readFrom reads the sockets that are ready from number at on, and returns where
// to go on as sendFrom does.
func (sh *shard) readFrom(ready []unix.EpollEvent, at int) (next int) {
	next = at
	defer sh.caught()
	for next < len(ready) {
		ev := &ready[next]
		next++
		s := sh.table[ev.Fd]
		if s.failed { // by its other socket, in this look
			continue
		}
		sh.work = s
		if ev.Pad == 0 {
			s.read(sh, sh.turned)
		} else {
			s.readControl(sh, sh.turned)
		}
	}
	return next
}

// readWires takes what wires have brought, from stream at on, and returns where to go
// on as sendFrom does.
func (sh *shard) readWires(at int) (next int) {
	next = at
	defer sh.caught()
	for next < len(sh.wires) {
		s := sh.wires[next]
		next++
		if s.failed || !s.inbox.waiting() {
			continue
		}
		sh.work = s
		s.readWire(sh)
	}
	return next
}

// caught is deferred around the work for streams.
func (sh *shard) caught() {
	s := sh.work
	sh.work = nil
	if p := recover(); p != nil {
		if sh.fault != nil {
			sh.fault(p)
		}
		if s != nil {
			s.fail(sh)
		}
	}
}

// fail ends a stream whose handling has panicked. Its owner sees Events closed and
// closes it.
func (s *Stream) fail(sh *shard) {
	if s.failed {
		return
	}
	polled := s.polled()
	s.failed, s.set = true, false
	close(s.events)
	for _, sock := range polled {
		_ = unix.EpollCtl(sh.set, unix.EPOLL_CTL_DEL, sock.fd, nil) // it is not in the set if its adoption failed
	}
	s.untie()
	for _, r := range s.recordings {
		r.end(sh.now())
	}
	s.recordings = nil
}

// panicked counts a fault of ours and logs its stack, once.
func (e *Engine) panicked(p any) {
	e.panics.Add(1)
	e.cfg.Log.Error("a fault of ours ended a stream or a recording", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}
