package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiveBuffer is the kernel's buffer per socket in bytes: about half a second
// of packets; more would only make a late shard hear old audio.
const receiveBuffer = 64 << 10

// address is a socket address in the kernel's form, so that sending and comparing
// need no conversion per packet.
type address struct {
	raw  [unix.SizeofSockaddrInet6]byte
	size uint32 // of raw in use, 0 = none
}

// newAddress turns a into the kernel's form for a socket of family v6 or not.
func newAddress(a netip.AddrPort, v6 bool) address {
	var r address
	binary.BigEndian.PutUint16(r.raw[2:], a.Port())
	if v6 {
		binary.NativeEndian.PutUint16(r.raw[:], unix.AF_INET6)
		ip := a.Addr().As16()
		copy(r.raw[8:], ip[:])
		r.size = unix.SizeofSockaddrInet6
		return r
	}
	if !a.Addr().Unmap().Is4() {
		return address{}
	}
	binary.NativeEndian.PutUint16(r.raw[:], unix.AF_INET)
	ip := a.Addr().Unmap().As4()
	copy(r.raw[4:], ip[:])
	r.size = unix.SizeofSockaddrInet4
	return r
}

// addrPort turns the address back.
func (a *address) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16(a.raw[2:])
	if binary.NativeEndian.Uint16(a.raw[:]) == unix.AF_INET6 {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(a.raw[8:24])).Unmap(), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(a.raw[4:8])), port)
}

// same reports whether both are the same host and port.
func (a *address) same(b *address) bool {
	if a.size != b.size {
		return false
	}
	if a.size == unix.SizeofSockaddrInet4 {
		return [6]byte(a.raw[2:8]) == [6]byte(b.raw[2:8])
	}
	return [2]byte(a.raw[2:4]) == [2]byte(b.raw[2:4]) && [16]byte(a.raw[8:24]) == [16]byte(b.raw[8:24])
}

// socket is a non-blocking UDP socket that is used by raw system calls: none of
// them waits, so the Go scheduler need not know of them.
type socket struct {
	fd        int
	v6        bool
	connected bool
}

// sockets are the two of a stream.
type sockets struct{ rtp, rtcp socket }

func openSockets(addr netip.Addr, port int) (sockets, error) {
	first, err := openSocket(netip.AddrPortFrom(addr, uint16(port)))
	if err != nil {
		return sockets{}, err
	}
	second, err := openSocket(netip.AddrPortFrom(addr, uint16(port+1)))
	if err != nil {
		return sockets{}, errors.Join(err, unix.Close(first.fd))
	}
	return sockets{first, second}, nil
}

func (s *sockets) close() error {
	return errors.Join(unix.Close(s.rtp.fd), unix.Close(s.rtcp.fd))
}

func openSocket(at netip.AddrPort) (socket, error) {
	family, v6 := unix.AF_INET, at.Addr().Is6()
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(at.Port())}
	if v6 {
		family, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	} else {
		sa.(*unix.SockaddrInet4).Addr = at.Addr().As4()
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return socket{}, fmt.Errorf("making a socket: %w", err)
	}
	// Best effort: neither the buffer's size nor the class of service is vital.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	const expedited = 46 << 2 // DSCP EF for voice (RFC 4594)
	if v6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, expedited)
	} else {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, expedited)
	}
	if err := unix.Bind(fd, sa); err != nil {
		return socket{}, errors.Join(fmt.Errorf("binding %v: %w", at, err), unix.Close(fd))
	}
	return socket{fd: fd, v6: v6}, nil
}

// connect lets the kernel drop every packet that is not from a.
func (s *socket) connect(a *address) {
	_, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&a.raw[0])), uintptr(a.size))
	s.connected = e == 0
}

// disconnect opens the socket to every source again; the port stays.
func (s *socket) disconnect() {
	if !s.connected {
		return
	}
	var none address // AF_UNSPEC
	_, _, _ = unix.RawSyscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&none.raw[0])), unix.SizeofSockaddrInet4)
	s.connected = false
}

// send sends b to a, or to the connected address. A refusal that an earlier
// packet has earned is told by the kernel on the next call, which then sends
// nothing: so that call is made once more.
func (s *socket) send(b []byte, a *address) bool {
	for range 2 {
		var e unix.Errno
		if s.connected {
			_, _, e = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
		} else {
			_, _, e = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0,
				uintptr(unsafe.Pointer(&a.raw[0])), uintptr(a.size))
		}
		if e != unix.ECONNREFUSED {
			return e == 0
		}
	}
	return false
}

// receive reads one packet into b and its source into from; ok is false if there
// is none. A refusal told by the kernel reads as an empty packet.
func (s *socket) receive(b []byte, from *address) (n int, ok bool) {
	from.size = uint32(len(from.raw))
	r, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0,
		uintptr(unsafe.Pointer(&from.raw[0])), uintptr(unsafe.Pointer(&from.size)))
	if e != 0 {
		return 0, e == unix.ECONNREFUSED
	}
	return int(r), true
}
