package media

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// listenFirst is how long every packet of a source is read, for the figures,
	// before the kernel may drop what nobody needs.
	listenFirst = 2 * time.Second
	// sampleMask picks the audio packets that still come, as a sign of life: those
	// whose sequence number ends in six zero bits, one each 1.28 s.
	sampleMask = 63
	// sparseAfter is how long no sign of life may come: then the far end sends
	// little by itself (silence suppression) and every packet is read again.
	sparseAfter = 4 * time.Second
)

// tune is called whenever who listens to the stream changes: it lets every packet
// through as soon as somebody does. Filtering begins in everySecond.
func (s *Stream) tune() {
	s.tuneRings()
	if s.filtered && (!s.locked || s.listened()) {
		s.unfilter()
	}
}

// listened reports whether anybody needs the far end's audio.
func (s *Stream) listened() bool {
	return s.detector != nil || s.peer != nil || len(s.hearers) > 0 || len(s.recordings) > 0 || s.voice != nil
}

// economise turns the filter on or off, once a second.
func (s *Stream) economise(now time.Duration) {
	switch {
	case s.filtered && now-s.heard > sparseAfter:
		s.sparse = true
		s.unfilter()
	case !s.filtered && !s.sparse && s.locked && s.params.Recv && !s.listened() && now-s.lockedAt >= listenFirst:
		if s.sockets.rtp.filter(s.params.Event) {
			s.filtered = true
			s.reception.Sample(true)
		}
	}
}

func (s *Stream) unfilter() {
	s.filtered = false
	s.sockets.rtp.unfilter()
	s.reception.Sample(false)
}

// filter makes the kernel drop all packets but telephone-events of payload type
// event and audio packets by sampleMask, before they wake or cost anybody. The
// program sees a packet from its UDP header on: RTP begins at byte 8.
func (s *socket) filter(event uint8) bool {
	if event == 0 {
		event = 0x80 // no payload type
	}
	program := [...]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 8 + 1},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0x7f},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(event), Jt: 3},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 8 + 2},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: sampleMask, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
	}
	whole := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	return s.option(unix.SO_ATTACH_FILTER, unsafe.Pointer(&whole), unsafe.Sizeof(whole))
}

func (s *socket) unfilter() {
	var unused int32
	s.option(unix.SO_DETACH_FILTER, unsafe.Pointer(&unused), unsafe.Sizeof(unused))
}

func (s *socket) option(name uintptr, value unsafe.Pointer, size uintptr) bool {
	_, _, e := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, name, uintptr(value), size, 0)
	return e == 0
}
