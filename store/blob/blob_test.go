package blob

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"tandem"
	"tandem/store"
)

func open(t *testing.T) *Dir {
	t.Helper()
	d, err := Open(filepath.Join(t.TempDir(), "blobs"), time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, d *Dir, content []byte, step int) store.BlobRef {
	t.Helper()
	w, err := d.Create("06h0f8hig3moi0efio3rg5jqe8", "audio/PCMU")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for p := content; len(p) > 0; p = p[min(step, len(p)):] {
		if n, err := w.Write(p[:min(step, len(p))]); err != nil || n != min(step, len(p)) {
			t.Fatal(n, err)
		}
	}
	ref, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func path(t *testing.T, d *Dir, ref store.BlobRef) string {
	t.Helper()
	p, err := d.file(ref.ID)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func read(d *Dir, ref store.BlobRef) ([]byte, error) {
	r, err := d.Open(ref)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestRoundTrip(t *testing.T) {
	d := open(t)
	random := make([]byte, 3*chunkSize+1)
	rand.Read(random)
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 3*chunkSize + 1} {
		for _, step := range []int{160, chunkSize, 3 * chunkSize} {
			ref := write(t, d, random[:size], step)
			got, err := read(d, ref)
			if err != nil || !bytes.Equal(got, random[:size]) {
				t.Fatalf("%d bytes in steps of %d: %d back, %v", size, step, len(got), err)
			}
			if want := sha256.Sum256(append(bytes.Clone(ref.Key), random[:size]...)); ref.Size != int64(size) || !bytes.Equal(ref.SHA256, want[:]) {
				t.Errorf("%d bytes: record is %+v", size, ref)
			}
		}
	}
	ref := write(t, d, random, 999)
	r, err := d.Open(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(r, random); err != nil {
		t.Error(err)
	}
}

func TestNothingReadable(t *testing.T) {
	d := open(t)
	ref := write(t, d, bytes.Repeat([]byte("PIN is 4711. "), 20_000), 160)
	file, err := os.ReadFile(path(t, d, ref))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte("4711")) || bytes.Contains(file, ref.Key) {
		t.Error("content or key lie open in the file")
	}
	info, err := os.Stat(path(t, d, ref))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file mode %v, %v", info.Mode(), err)
	}
}

func TestDamageIsFound(t *testing.T) {
	d := open(t)
	content := bytes.Repeat([]byte("x"), 2*chunkSize+10)
	ref := write(t, d, content, 1000)
	p := path(t, d, ref)
	good, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	sealed := chunkSize + tagSize
	first, second := good[5:5+sealed], good[5+sealed:5+2*sealed]
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	tests := map[string][]byte{
		"empty":               {},
		"header only":         good[:5],
		"header cut":          good[:3],
		"last chunk cut off":  good[:5+2*sealed],
		"last byte cut off":   good[:len(good)-1],
		"a byte more":         append(bytes.Clone(good), 0),
		"chunks swapped":      join(good[:5], second, first, good[5+2*sealed:]),
		"chunk left out":      join(good[:5], second, good[5+2*sealed:]),
		"chunk twice":         join(good[:5], first, first, second, good[5+2*sealed:]),
		"another's chunk end": join(good[:5+sealed], good[5+2*sealed:]),
	}
	for i := 0; i < len(good); i += 997 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		tests["byte "+string(rune('a'+i%26))+" changed at "+time.Duration(i).String()] = bad
	}
	for i := range 5 {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		tests["header byte changed "+string(rune('0'+i))] = bad
	}
	for name, bad := range tests {
		if err := os.WriteFile(p, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(d, ref)
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: error is %v", name, err)
		}
		if !bytes.HasPrefix(content, got) {
			t.Errorf("%s: wrong content came before the error", name)
		}
	}
	if err := os.WriteFile(p, good, 0o600); err != nil {
		t.Fatal(err)
	}
	other := write(t, d, content, 1000)
	swapped := other
	swapped.ID = ref.ID
	if _, err := read(d, swapped); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("under another's key: %v", err)
	}
}

func TestAbortSweepRemove(t *testing.T) {
	d := open(t)
	kept, unknown, erased := write(t, d, []byte("kept"), 10), write(t, d, []byte("of another database"), 10), write(t, d, []byte("erased"), 10)
	w, err := d.Create("06h0f8hig3moi0efio3rg5jqe8", "x")
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("cut off by a crash"))
	aborted, err := d.Create("06h0f8hig3moi0efio3rg5jqe8", "x")
	if err != nil {
		t.Fatal(err)
	}
	aborted.Abort()
	if _, err := aborted.Write([]byte("late")); err == nil {
		t.Error("written after Abort")
	}
	if _, err := aborted.Commit(); err == nil {
		t.Error("committed after Abort")
	}
	foreign := filepath.Join(d.path, "README")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removed, strangers, err := d.Sweep(func(id tandem.BlobID) (bool, bool) { return id == kept.ID || id == erased.ID, id == erased.ID })
	if err != nil || removed != 2 || strangers != 1 {
		t.Errorf("removed %d and counted %d, %v: want the unfinished and the erased one, and the one nobody knows", removed, strangers, err)
	}
	if _, err := os.Stat(w.path + partial); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished one is still there: %v", err)
	}
	if got, err := read(d, kept); err != nil || string(got) != "kept" {
		t.Errorf("the kept one: %q, %v", got, err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("a file that is not ours: %v", err)
	}
	if _, err := d.Open(erased); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the erased one: %v", err)
	}
	if got, err := read(d, unknown); err != nil || string(got) != "of another database" {
		t.Errorf("the one nobody knows: %q, %v", got, err)
	}
	for range 2 {
		if err := d.Remove(kept.ID); err != nil {
			t.Errorf("removing: %v", err)
		}
	}
	if _, err := d.Open(kept); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the removed one: %v", err)
	}
	if err := d.Remove("../../etc/passwd"); err == nil {
		t.Error("a path was taken for an id")
	}
}

func BenchmarkWrite(b *testing.B) {
	d, err := Open(b.TempDir(), time.Now, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	w, err := d.Create("06h0f8hig3moi0efio3rg5jqe8", "x")
	if err != nil {
		b.Fatal(err)
	}
	defer w.Abort()
	frame := make([]byte, 160)
	b.SetBytes(160)
	b.ReportAllocs()
	for b.Loop() {
		w.Write(frame)
	}
}
