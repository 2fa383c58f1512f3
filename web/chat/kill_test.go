package chat

import (
	"bufio"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/store"
	"tandem/store/blob"
	"tandem/store/storetest"
)

// killEnv makes the test binary a server that is to be killed: the folder of its store.
const killEnv = "TANDEM_CHAT_KILL_DIR"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reopened is a house at a place that was one before.
func reopened(t testing.TB, dir string) *house {
	keys, err := store.NewKeyring(make([]byte, store.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(filepath.Join(dir, "blobs"), time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return openHouse(t, storetest.Place{Dir: dir, Keys: keys, Blobs: blobs}, time.Now, rand.Reader, nil)
}

// TestServerToKill is the server of TestServerIsKilled, and nothing by itself.
func TestServerToKill(t *testing.T) {
	dir := os.Getenv(killEnv)
	if dir == "" {
		return
	}
	h := reopened(t, dir)
	fmt.Println("\nlistens", h.url)
	time.Sleep(time.Minute) // until it is killed
}

// victim starts a server in a process of its own.
func victim(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestServerToKill$", "-test.count=1")
	cmd.Env = append(os.Environ(), killEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "listens "); ok {
			return at, kill
		}
	}
	kill()
	t.Fatal("the server did not start")
	return "", nil
}

// TestServerIsKilled kills the server (SIGKILL) at several frames of a talk; the client
// goes on with the next one, and both sides have the same list.
func TestServerIsKilled(t *testing.T) {
	dir := t.TempDir()
	random := mathrand.New(mathrand.NewPCG(7, 7))
	h := &house{TB: t}
	kill := func() {}
	start := func() { h.url, kill = victim(t, dir) }
	start()
	c := newWidget(h)
	c.killed = true
	left, kills := 2, 0
	c.cut = func(bool, int) (before, after bool) {
		if left--; left > 0 || kills == 6 {
			return false, false
		}
		left = 5 + random.IntN(40)
		kills++
		time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond) // in the middle of whatever it does
		kill()
		start()
		return random.IntN(2) == 0, true
	}
	err := c.talk("killed")
	kill()
	if err != nil {
		t.Fatal(err)
	}
	if kills < 4 {
		t.Errorf("it was killed %d times only", kills)
	}
	last := reopened(t, dir)
	c.compare("killed", last)
	if v, err := last.db.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("%+v, %v", v, err)
	}
}
