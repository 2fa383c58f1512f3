// Command rtpmon watches the RTP sent to one UDP port of an interface and reports
// its pacing and loss, from the kernel's timestamps on a packet socket. It needs
// root, looks only, and ends after the time given.
//
// A flow is a sender's address and port with an SSRC. For packets with neighbouring
// sequence numbers, dev is how far the gap of their arrival is from the step of
// their timestamps. lag is how far a packet trails the best schedule since its
// flow's timestamps last jumped (where a prompt began): it shows a lasting slip,
// which dev hides.
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	snapLen    = 96       // bytes of each packet: headers only
	bufferSize = 32 << 20 // of the socket, so that a burst is not lost while we are off the CPU
)

func main() {
	device := flag.String("i", "lo", "interface")
	port := flag.Uint("port", 6000, "destination UDP port to watch")
	long := flag.Duration("d", 5*time.Second, "how long")
	clock := flag.Int("clock", 8000, "RTP clock rate, Hz")
	flag.Parse()
	if err := watch(*device, uint16(*port), *long, *clock); err != nil {
		fmt.Fprintln(os.Stderr, "rtpmon:", err)
		os.Exit(1)
	}
}

func watch(device string, port uint16, long time.Duration, clock int) error {
	fd, err := open(device, port)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	g := newFigures(clock)
	packet, control := make([]byte, 256), make([]byte, 256)
	for end := time.Now().Add(long); time.Now().Before(end); {
		n, controlLen, _, from, err := unix.Recvmsg(fd, packet, control, 0)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("receiving: %w", err)
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_OUTGOING {
			continue // loopback shows each packet twice
		}
		if h, ok := parse(packet[:n]); ok {
			g.add(h, arrival(control[:controlLen]))
		}
	}
	return g.report(os.Stdout)
}

// open makes a packet socket that sees only UDP to the port, with timestamps.
func open(device string, port uint16) (int, error) {
	networkOrder := func(v uint16) uint16 { return v<<8 | v>>8 }
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, int(networkOrder(unix.ETH_P_IP)))
	if err != nil {
		return 0, fmt.Errorf("opening a packet socket (are you root?): %w", err)
	}
	fail := func(what string, err error) (int, error) {
		unix.Close(fd)
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	// IP protocol 17, no fragment, UDP destination port as asked: keep; else drop.
	filter := []unix.SockFilter{
		{Code: 0x30, K: 9},
		{Code: 0x15, Jf: 6, K: 17},
		{Code: 0x28, K: 6},
		{Code: 0x45, Jt: 4, K: 0x1fff},
		{Code: 0xb1, K: 0},
		{Code: 0x48, K: 2},
		{Code: 0x15, Jf: 1, K: uint32(port)},
		{Code: 0x06, K: snapLen},
		{Code: 0x06, K: 0},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return fail("setting the filter", err)
	}
	interfaceOf, err := net.InterfaceByName(device)
	if err != nil {
		return fail("finding the interface", err)
	}
	for _, option := range []struct{ level, name, value int }{
		{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1}, // older kernels lack it: outgoing ones are passed over anyway
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bufferSize},
	} {
		_ = unix.SetsockoptInt(fd, option.level, option.name, option.value)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fail("asking for timestamps", err)
	}
	poll := unix.NsecToTimeval(int64(100 * time.Millisecond))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &poll); err != nil {
		return fail("setting a time limit", err)
	}
	address := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_IP), Ifindex: interfaceOf.Index}
	if err := unix.Bind(fd, address); err != nil {
		return fail("binding to "+device, err)
	}
	return fd, nil
}

// parse reads the RTP header out of an IPv4 packet; ok is false for what is none.
func parse(b []byte) (header, bool) {
	if len(b) < 20 {
		return header{}, false
	}
	ip := int(b[0]&15) * 4
	if len(b) < ip+8+12 {
		return header{}, false
	}
	udp, rtp := b[ip:], b[ip+8:]
	// Payload types 64 to 95 are RTCP (RFC 5761 section 4).
	if kind := rtp[1] & 0x7f; rtp[0]>>6 != 2 || (kind >= 64 && kind < 96) {
		return header{}, false
	}
	return header{
		key:    key{binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint16(udp), binary.BigEndian.Uint32(rtp[8:])},
		seq:    binary.BigEndian.Uint16(rtp[2:]),
		ts:     binary.BigEndian.Uint32(rtp[4:]),
		marker: rtp[1]&0x80 != 0,
	}, true
}

// arrival is the kernel's time of a packet in ns, or now if it gave none.
func arrival(control []byte) int64 {
	messages, err := unix.ParseSocketControlMessage(control)
	if err == nil {
		for _, m := range messages {
			if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
				return (*unix.Timespec)(unsafe.Pointer(&m.Data[0])).Nano()
			}
		}
	}
	return time.Now().UnixNano()
}
