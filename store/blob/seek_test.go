package blob

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"tandem/store"
)

// Any place of an object of either form can be gone to, and a changed byte is found only by
// who reads it.
func TestSeek(t *testing.T) {
	d := open(t)
	content := make([]byte, 5*chunkSize+100)
	for i := range content {
		content[i] = byte(i>>8) ^ byte(i*7)
	}
	w, err := d.Create("06h0f8hig3moi0efio3rg5jqe8", "video/webm")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(content)
	fixed, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	_, g := begin(t, d, string(content[:10]), string(content[10:100_000]), string(content[100_000:100_001]), string(content[100_001:]))
	grown, err := g.Commit()
	if err != nil {
		t.Fatal(err)
	}
	_, n := begin(t, d)
	none, err := n.Commit()
	if err != nil {
		t.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for _, ref := range []store.BlobRef{fixed, grown, none} {
		r, err := d.Open(ref)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if end, err := r.Seek(0, io.SeekEnd); err != nil || end != ref.Size {
			t.Errorf("the end is at %d, %v; want %d", end, err, ref.Size)
		}
		for range 300 {
			at := chance.Int64N(ref.Size + 1)
			if chance.IntN(4) == 0 {
				at = min(ref.Size, at/chunkSize*chunkSize)
			}
			part := make([]byte, min(chance.Int64N(2*chunkSize)+1, ref.Size-at))
			if _, err := r.Seek(at, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(r, part); err != nil || !bytes.Equal(part, content[at:at+int64(len(part))]) {
				t.Fatalf("%d bytes from %d are others, %v", len(part), at, err)
			}
			if now, err := r.Seek(0, io.SeekCurrent); err != nil || now != at+int64(len(part)) {
				t.Fatalf("it is at %d, %v", now, err)
			}
		}
		if _, err := r.Seek(ref.Size+1000, io.SeekStart); err != nil {
			t.Error(err)
		}
		if n, err := r.Read(make([]byte, 10)); n != 0 || err != io.EOF {
			t.Errorf("beyond the end: %d bytes, %v", n, err)
		}
		if _, err := r.Seek(-1, io.SeekStart); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("before the beginning: %v", err)
		}
	}
	for _, ref := range []store.BlobRef{fixed, grown} {
		path, _ := d.file(ref.ID)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[120_000] ^= 1
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := d.Open(ref)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := r.Seek(4*chunkSize, io.SeekStart); err != nil {
			t.Error(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content[4*chunkSize:]) {
			t.Errorf("what was not changed: %d bytes, %v", len(got), err)
		}
		_, err = r.Seek(119_900, io.SeekStart)
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("what was changed: %v", err)
		}
		os.Truncate(path, int64(len(data)-20))
		if _, err = r.Seek(4*chunkSize, io.SeekStart); err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("what was cut off: %v", err)
		}
	}
}
