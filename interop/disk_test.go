package interop

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

// TestFullDisk fills the store's file system under a running server: new calls get
// 503, those up go on, and with space it is all well again by itself.
func TestFullDisk(t *testing.T) {
	disk := testkit.Tmpfs(t, 24<<20)
	s := serve(t, testkit.Set("store.path", filepath.Join(disk, "data", "tandem.db")), testkit.Set("store.blobs", filepath.Join(disk, "data", "blobs")))
	who := caller()
	up := testkit.NewPeer(t, "udp", s.SIP).Call("1000", testkit.Options{From: who})
	up.RTP.Hear(soon, time.Time{}, loopHz, 500*time.Millisecond)

	filler := fill(t, disk)
	refused := callUntil(t, s, 503, 30*time.Second)
	if refused.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	for range 5 {
		if got := tryCall(t, s, caller()); got.Status() != 503 {
			t.Errorf("a call while the disk is full: %s, want 503", got.Start)
		}
	}
	if code, err := testkit.HTTPStatus(t.Context(), "http://"+s.Admin.String()+"/readyz"); err != nil || code == 200 {
		t.Errorf("/readyz while the disk is full: %d, %v, want it not ready", code, err)
	}
	up.RTP.Hear(soon+6*time.Second, time.Now(), loopHz, time.Second)

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	callUntil(t, s, 200, 15*time.Second)
	up.RTP.Hear(soon+6*time.Second, time.Now(), loopHz, time.Second)
	up.Bye()
	s.Ended(t, soon+5*time.Second, who, tandem.ReasonHangup)
	s.Stop(t)
	s.Start(t)
	s.Verify(t)
}

// TestHangUpOnFullDisk ends a call while nothing can be written: it is told in the
// journal once there is space again.
func TestHangUpOnFullDisk(t *testing.T) {
	disk := testkit.Tmpfs(t, 24<<20)
	s := serve(t, testkit.Set("store.path", filepath.Join(disk, "data", "tandem.db")), testkit.Set("store.blobs", filepath.Join(disk, "data", "blobs")))
	who := caller()
	up := testkit.NewPeer(t, "udp", s.SIP).Call("1000", testkit.Options{From: who})
	up.RTP.Hear(soon, time.Time{}, loopHz, 500*time.Millisecond)
	filler := fill(t, disk)
	callUntil(t, s, 503, 30*time.Second)
	up.Bye()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	callUntil(t, s, 200, 15*time.Second)
	s.Ended(t, soon+10*time.Second, who, tandem.ReasonHangup)
	s.Verify(t)
}

// fill writes a file until there is no space left, byte by byte at the end.
func fill(t *testing.T, disk string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		_, err := f.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, io.ErrShortWrite):
			size /= 4
		case err != nil:
			t.Fatalf("filling the disk: %v", err)
		}
	}
	return f.Name()
}

// tryCall sends an INVITE and returns its final answer; a call that is let in is
// hung up at once.
func tryCall(t *testing.T, s *testkit.Server, who string) testkit.Arrived {
	t.Helper()
	p := testkit.NewPeer(t, "udp", s.SIP)
	d := p.NewInvite("1000", testkit.Options{From: who})
	p.Send(d.Invite)
	final := p.Final(soon, d.Invite)
	if final.Status() == 200 {
		d.Established(final)
		d.Send(d.Ack())
		d.Bye()
	} else {
		p.Send(d.AckFailure(final))
	}
	return final
}

// callUntil makes calls until one is answered with code: the pages that the store
// holds already may take a few more before it is full.
func callUntil(t *testing.T, s *testkit.Server, code int, wait time.Duration) testkit.Arrived {
	t.Helper()
	var last testkit.Arrived
	for deadline := time.Now().Add(wait); time.Now().Before(deadline); {
		if last = tryCall(t, s, caller()); last.Status() == code {
			return last
		}
	}
	t.Fatalf("no call was answered with %d within %v; the last with %s", code, wait, last.Start)
	return last
}
