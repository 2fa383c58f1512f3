package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tandem/media/codec"
)

// The pacing wheel. Every stream has a slot for life: it sends in that slot of
// each 20 ms period, on absolute time, whatever it plays.
const (
	period    = 20 * time.Millisecond
	slotCount = 4
	slotTime  = period / slotCount
	// relayTime is how often sockets and wires are read while streams are joined or
	// mixed: it is what a join adds to the delay of a conversation at most.
	relayTime = time.Millisecond
	// maxBurst is how many periods a late shard catches up; older ones are skipped,
	// since a burst would only overflow the far end's jitter buffer.
	maxBurst = 2
)

const (
	maxCommands = 1024 // waiting for a shard; callers wait for room, the shard never does
	maxReady    = 256  // sockets per look at the set
	maxPacket   = 1500
	// learnReads is how many packets a stream reads at once before it knows its
	// source; afterwards it is one per look, so that no stream starves others.
	learnReads = 32
	// timerSlack in ns: the default of 50 us is what wake-ups would be late by.
	timerSlack = 1000
	// niceness of the shard's thread, where the program may set it: a packet that is
	// late is heard, a signalling message that waits a millisecond is not.
	niceness = -10
)

// shard is one goroutine and what it owns.
type shard struct {
	epoch   time.Time
	timeout time.Duration
	wake    int // eventfd
	set     int // epoll set of all sockets
	ended   chan struct{}

	fault  func(p any)  // told of a panic
	load   atomic.Int32 // streams given to it
	p99    atomic.Int64 // lateness in ns
	totals totals

	mu       sync.Mutex
	room     sync.Cond
	commands []command
	asleep   bool // it waits without a timeout, so a command must wake it
	stopping bool

	// The rest belongs to the goroutine.
	running []command
	work    *Stream       // the one worked for
	turned  time.Duration // the time of this look or turn
	slots   [slotCount][]*Stream
	table   []*Stream // by number in the epoll set
	free    []int32
	wires   []*Stream // those on wires
	count   int
	joined  int    // streams that are, or are parties of mixes
	mixes   uint64 // mixings so far
	done    int64
	looked  int64 // number of the last 1 ms step in which sockets were read
	counts  counts
	late    lateness

	ready [maxReady]unix.EpollEvent
	in    [maxPacket]byte
	out   [maxPacket]byte
	pcm   [maxPacket]int16
	sum   [codec.FrameSamples]int32 // of a mixing
	from  address

	original []byte // of the packet that is heard; empty = none
}

// counts are the shard's own, published once a second.
type counts struct {
	sent, received, skipped, late, dropped, sendErrors uint64
	published                                          int64 // second
}

func newShard(epoch time.Time, timeout time.Duration, fault func(p any)) (*shard, error) {
	sh := &shard{epoch: epoch, timeout: timeout, fault: fault, ended: make(chan struct{})}
	sh.room.L = &sh.mu
	var err error
	if sh.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("making an eventfd: %w", err)
	}
	if sh.set, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, errors.Join(fmt.Errorf("making an epoll set: %w", err), unix.Close(sh.wake))
	}
	return sh, nil
}

// close ends the goroutine after the commands queued so far and waits for it.
func (sh *shard) close() error {
	sh.mu.Lock()
	sh.stopping = true
	sh.room.Broadcast()
	sh.mu.Unlock()
	sh.nudge()
	<-sh.ended
	return errors.Join(unix.Close(sh.set), unix.Close(sh.wake))
}

func (sh *shard) nudge() {
	one := [8]byte{}
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(sh.wake, one[:]) // full means it is awake already
}

// post queues a command for a stream, which runs within one slot time, or at once if urgent.
// If the queue is full the caller waits for room. Commands run in order.
func (sh *shard) post(s *Stream, f func(), urgent bool) error {
	sh.mu.Lock()
	for len(sh.commands) >= maxCommands && !sh.stopping {
		sh.room.Wait()
	}
	if sh.stopping {
		sh.mu.Unlock()
		return ErrClosed
	}
	sh.commands = append(sh.commands, command{s, f})
	urgent = urgent || sh.asleep
	sh.asleep = false
	sh.mu.Unlock()
	if urgent {
		sh.nudge()
	}
	return nil
}

// call queues a command for a stream and waits until it has run.
func (sh *shard) call(s *Stream, f func()) error {
	done := make(chan struct{})
	if err := sh.post(s, func() { defer close(done); f() }, true); err != nil {
		return err
	}
	<-done
	return nil
}

// now is the time on the wheel's axis.
func (sh *shard) now() time.Duration { return time.Since(sh.epoch) }

// run is the shard's loop.
func (sh *shard) run() {
	runtime.LockOSThread() // for good: the thread's timer slack is its own
	defer close(sh.ended)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0)
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceness) // of this thread; needs a privilege that many do not have
	sh.done = int64(sh.now() / slotTime)
	for {
		if sh.count > 0 {
			sh.turn(sh.now())
		} else {
			sh.done = int64(sh.now() / slotTime)
		}
		if stop := sh.obey(); stop {
			return
		}
		if sh.count > 0 { // after the commands: a packet that follows Set must find it done
			sh.look(sh.now())
		}
		sh.publish(sh.now())
		sh.sleep()
	}
}

// obey runs the waiting commands; it reports whether the shard must end.
func (sh *shard) obey() (stop bool) {
	sh.mu.Lock()
	sh.running, sh.commands = sh.commands, sh.running[:0]
	stop = sh.stopping
	sh.room.Broadcast()
	sh.mu.Unlock()
	for i, c := range sh.running {
		sh.obeyOne(c)
		sh.running[i] = command{}
	}
	return stop
}

// sleep waits for the next step of the wheel or for a nudge.
func (sh *shard) sleep() {
	fds := [1]unix.PollFd{{Fd: int32(sh.wake), Events: unix.POLLIN}}
	var timeout *unix.Timespec
	sh.mu.Lock()
	waiting := len(sh.commands) > 0
	sh.asleep = sh.count == 0 && !waiting && !sh.stopping
	asleep := sh.asleep
	sh.mu.Unlock()
	if !asleep {
		step := slotTime
		if sh.joined > 0 {
			step = relayTime
		}
		now := sh.now()
		left := now.Truncate(step) + step - now
		if waiting && sh.count == 0 {
			left = 0
		}
		ts := unix.NsecToTimespec(int64(left))
		timeout = &ts
	}
	n, err := unix.Ppoll(fds[:], timeout, nil)
	if err == nil && n > 0 {
		var b [8]byte
		_, _ = unix.Read(sh.wake, b[:])
	}
}

// turn sends the frames that are due.
func (sh *shard) turn(now time.Duration) {
	due := int64(now / slotTime)
	if due == sh.done {
		return
	}
	late := now - time.Duration(sh.done+1)*slotTime
	sh.late.note(late)
	if late >= slotTime {
		sh.counts.late++
	}
	if behind := due - sh.done - maxBurst*slotCount; behind > 0 {
		for i := range behind {
			sh.counts.skipped += uint64(len(sh.slots[(sh.done+1+i)%slotCount]))
		}
		sh.done += behind
	}
	sh.turned = now
	for sh.done < due {
		sh.done++
		slot := sh.slots[sh.done%slotCount]
		for at := 0; at < len(slot); {
			at = sh.sendFrom(slot, at)
		}
	}
}

// look reads the sockets and wires that have packets: once a slot, or once a
// millisecond while streams are joined or mixed.
func (sh *shard) look(now time.Duration) {
	step := slotTime
	if sh.joined > 0 {
		step = relayTime
	}
	if at := int64(now / step); at == sh.looked {
		return
	} else {
		sh.looked = at
	}
	sh.turned = now
	for at := 0; at < len(sh.wires); {
		at = sh.readWires(at)
	}
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(sh.set), uintptr(unsafe.Pointer(&sh.ready[0])), maxReady, 0, 0, 0)
		if e != 0 {
			return
		}
		for at := 0; at < int(n); {
			at = sh.readFrom(sh.ready[:n], at)
		}
		if int(n) < maxReady {
			return
		}
	}
}

// adopt takes a stream in. It keeps the slot it has had on another shard.
func (sh *shard) adopt(s *Stream) {
	if s.slot < 0 {
		s.slot = 0
		for i := range sh.slots {
			if len(sh.slots[i]) < len(sh.slots[s.slot]) {
				s.slot = i
			}
		}
	}
	s.place = len(sh.slots[s.slot])
	sh.slots[s.slot] = append(sh.slots[s.slot], s)
	if n := len(sh.free); n > 0 {
		s.number, sh.free = sh.free[n-1], sh.free[:n-1]
		sh.table[s.number] = s
	} else {
		s.number = int32(len(sh.table))
		sh.table = append(sh.table, s)
	}
	if s.wire != nil {
		s.wired = len(sh.wires)
		sh.wires = append(sh.wires, s)
	}
	for i, sock := range s.polled() {
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: s.number, Pad: int32(i)}
		if err := unix.EpollCtl(sh.set, unix.EPOLL_CTL_ADD, sock.fd, &ev); err != nil {
			s.stats.Faults++ // no memory in the kernel: the stream is deaf and will be Silent
		}
	}
	sh.count++
}

// polled are the sockets that the shard waits for.
func (s *Stream) polled() []*socket {
	if s.wire != nil || s.failed {
		return nil
	}
	return []*socket{&s.sockets.rtp, &s.sockets.rtcp}
}

// release lets a stream go.
func (sh *shard) release(s *Stream) {
	if s.wire != nil {
		last := sh.wires[len(sh.wires)-1]
		sh.wires[s.wired], last.wired = last, s.wired
		sh.wires[len(sh.wires)-1] = nil
		sh.wires = sh.wires[:len(sh.wires)-1]
	}
	for _, sock := range s.polled() {
		_ = unix.EpollCtl(sh.set, unix.EPOLL_CTL_DEL, sock.fd, nil)
	}
	slot := sh.slots[s.slot]
	last := slot[len(slot)-1]
	slot[s.place], last.place = last, s.place
	slot[len(slot)-1] = nil
	sh.slots[s.slot] = slot[:len(slot)-1]
	sh.table[s.number] = nil
	sh.free = append(sh.free, s.number)
	sh.count--
}

// publish brings the figures that others read up to date, once a second.
func (sh *shard) publish(now time.Duration) {
	second := int64(now / time.Second)
	if second == sh.counts.published && sh.count > 0 {
		return
	}
	if sh.count == 0 {
		sh.late = lateness{} // an idle shard is not late, and may sleep for long
	}
	c, t := &sh.counts, &sh.totals
	c.published = second
	t.sent.Store(c.sent)
	t.received.Store(c.received)
	t.skipped.Store(c.skipped)
	t.late.Store(c.late)
	t.dropped.Store(c.dropped)
	t.sendErrors.Store(c.sendErrors)
	sh.p99.Store(int64(sh.late.percentile()))
}
