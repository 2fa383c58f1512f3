package blob

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// begin writes pieces into an object that grows, a chunk each, and leaves it as a crash would.
func begin(t *testing.T, d *Dir, pieces ...string) (store.BlobRef, *Writer) {
	t.Helper()
	w, ref, err := d.Begin("06h0f8hig3moi0efio3rg5jqe8", "video/webm")
	if err != nil {
		t.Fatal(err)
	}
	if !ref.Open {
		t.Error("the record of one that is begun is not open")
	}
	for _, p := range pieces {
		if _, err := io.WriteString(w, p); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	return ref, w
}

func TestGrowing(t *testing.T) {
	d := open(t)
	long := string(bytes.Repeat([]byte("what somebody said "), chunkSize/10)) // more than a chunk
	ref, w := begin(t, d, "one ", "two ", long)
	done, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	if done.ID != ref.ID || done.Open || done.Size != int64(len(long)+8) {
		t.Errorf("the record is %+v", done)
	}
	if got, err := read(d, done); err != nil || string(got) != "one two "+long {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	// A crash between the file's end and its record finds the same.
	again, err := d.Recover(ref)
	if err != nil || !bytes.Equal(again.SHA256, done.SHA256) || again.Size != done.Size || again.Open {
		t.Errorf("recovered as %+v, %v", again, err)
	}
}

// However a crash cut the file, what was whole before is there after, and nothing else.
func TestRecover(t *testing.T) {
	pieces := []string{"the first", "and the second", "and the last"}
	d := open(t)
	ref, w := begin(t, d, pieces...)
	w.f.Close()
	file, err := d.file(ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file + partial)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int]string{len(growing): ""} // what is whole from which length on
	at, text := len(growing), ""
	for _, p := range pieces {
		at += 4 + len(p) + tagSize
		text += p
		ends[at] = text
	}
	want := ""
	for n := len(growing); n <= len(whole); n++ {
		if s, ok := ends[n]; ok {
			want = s
		}
		os.Remove(file)
		if err := os.WriteFile(file+partial, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if removed, _, err := d.Sweep(func(tandem.BlobID) (bool, bool) { return true, false }); err != nil || removed != 0 {
			t.Fatalf("the sweep removed %d, %v", removed, err)
		}
		got, err := d.Recover(ref)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		b, err := read(d, got)
		if err != nil || string(b) != want || got.Size != int64(len(want)) {
			t.Fatalf("cut at %d: %q, %v; want %q", n, b, err, want)
		}
	}
	// One of which nothing was recorded goes with the sweep.
	other, v := begin(t, d, "noise")
	v.f.Close()
	if removed, _, err := d.Sweep(func(id tandem.BlobID) (bool, bool) { return id != other.ID, false }); err != nil || removed != 1 {
		t.Errorf("the sweep removed %d, %v", removed, err)
	}
	if _, err := d.Recover(other); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("recovering what is gone: %v", err)
	}
}

// A changed byte is found: what stands before it is kept, what comes after is not.
func TestGrowingDamage(t *testing.T) {
	d := open(t)
	ref, w := begin(t, d, "the first", "and the second")
	done, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	file := path(t, d, ref)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		broken := bytes.Clone(whole)
		broken[i] ^= 1
		if err := os.WriteFile(file, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := read(d, done); !errors.Is(err, store.ErrDamaged) {
			t.Fatalf("byte %d changed: %q, %v", i, b, err)
		}
	}
	for n := range whole {
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := read(d, done); !errors.Is(err, store.ErrDamaged) {
			t.Fatalf("cut to %d: %q, %v", n, b, err)
		}
	}
}

// What was flushed is on the disk every 2 s at least, and no call waits for it more often.
func TestFlushSyncs(t *testing.T) {
	d := open(t)
	now := time.Unix(1e9, 0)
	d.now = func() time.Time { return now }
	_, w := begin(t, d, "one")
	before := w.synced
	now = now.Add(syncEvery - 1)
	if err := w.Flush(); err != nil || w.synced != before {
		t.Errorf("synced early, %v", err)
	}
	now = now.Add(1)
	if err := w.Flush(); err != nil || !w.synced.Equal(now) {
		t.Errorf("not synced, %v", err)
	}
	w.Abort()
}
