package testkit

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Root is a need of its own: the test mounts, or opens packet or raw sockets.
const Root = "root"

// Need skips the test unless everything named is there: Root, or a program on the
// PATH. With REQUIRE_ALL=1 in the environment it fails instead.
func Need(t testing.TB, what ...string) {
	t.Helper()
	for _, w := range what {
		if w == Root {
			if os.Geteuid() != 0 {
				lacking(t, w)
			}
			continue
		}
		if _, err := exec.LookPath(w); err != nil {
			lacking(t, w)
		}
	}
}

func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("needs %s, and REQUIRE_ALL=1 allows no skip", what)
	}
	t.Skipf("SKIP: needs %s", what)
}

// given are the ports that tests of this process hold, listening or not: a server
// that was killed comes back on its own.
var given sync.Map

// FreePorts finds n port numbers on 127.0.0.1 that are free for UDP and TCP now and
// keeps them from other tests until t's end. They lie above the servers' media ports
// and below the range from which the kernel gives ports away (32768 on Linux), so
// that nobody is handed one between the look and the use of it.
func FreePorts(t testing.TB, n int) []int {
	t.Helper()
	const low, high = 30000, 32768
	var found []int
	for range 4 * (high - low) {
		port := low + rand.IntN(high-low)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		if !free(port) {
			given.Delete(port)
			continue
		}
		t.Cleanup(func() { given.Delete(port) })
		if found = append(found, port); len(found) == n {
			return found
		}
	}
	t.Fatalf("no %d free ports between %d and %d", n, low, high)
	return nil
}

func free(port int) bool {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	u, err := net.ListenPacket("udp4", address)
	if err != nil {
		return false
	}
	defer u.Close()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// Loopback is a port of 127.0.0.1.
func Loopback(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

// Tmpfs mounts a small file system of size bytes in memory for this test and
// returns its folder. It needs root; where mounting is refused the test skips.
func Tmpfs(t testing.TB, size int64) string {
	t.Helper()
	Need(t, Root)
	dir := filepath.Join(t.TempDir(), "tmpfs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		lacking(t, "the right to mount a tmpfs ("+err.Error()+")")
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}
