// Package blob keeps what can be heard or seen as encrypted files: voicemail,
// recordings, later images. Each object has a key of its own, which is not kept here
// but goes into its store.BlobRef: without the record a file is noise, and destroying
// the record's key destroys the object.
//
// A file is a header of 5 bytes ("TDMB", version 1), then the content in chunks of
// 64 KiB, each sealed with AES-256-GCM: the nonce is the chunk's number (8 bytes), then
// 3 zero bytes and a byte that is 1 for the last chunk, and the object's id is bound in. A byte
// changed, a chunk left out, put elsewhere or cut off is found on reading.
//
// What is recorded for minutes is written by Begin (version 2): its chunks have any length up to
// 64 KiB, which stands in 4 bytes before each, and are on the disk every 2 s. Its record is
// committed before there is content, so that what a crash left is finished by Recover and can be
// played up to there.
//
// It runs no goroutines, and never writes anything unencrypted.
package blob

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

const (
	magic     = "TDMB\x01"
	growing   = "TDMB\x02" // chunks with their lengths
	chunkSize = 64 << 10   // bytes of content in a chunk; the last has fewer, or none
	tagSize   = 16
	partial   = ".part" // of files not committed
)

// Dir is a folder of objects. It is safe for concurrent use.
type Dir struct {
	path   string
	now    func() time.Time
	random io.Reader
}

// Open makes the folder, if it is not there, readable by its owner only.
func Open(path string, now func() time.Time, random io.Reader) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of objects: %w", err)
	}
	return &Dir{path: path, now: now, random: random}, nil
}

// file is where an object lies: in one of 1024 folders named by the end of its id,
// which is random.
func (d *Dir) file(id tandem.BlobID) (string, error) {
	if !tandem.ValidID(string(id)) {
		return "", fmt.Errorf("%q is no object's id", id)
	}
	return filepath.Join(d.path, string(id[len(id)-2:]), string(id)), nil
}

// Writer encrypts an object into a file. It is not safe for concurrent use.
type Writer struct {
	f    *os.File
	path string
	seal *sealer
	buf  []byte // content of the chunk begun
	sum  hash.Hash
	ref  store.BlobRef
	err  error // the first failure; nothing is written after it
	over bool  // committed or aborted

	live   bool // by Begin
	now    func() time.Time
	synced time.Time
}

// Create begins an object. It comes to be by Commit; Abort leaves nothing.
func (d *Dir) Create(interaction tandem.InteractionID, mediaType string) (*Writer, error) {
	return d.create(interaction, mediaType, magic)
}

// Begin begins an object that grows for long. Commit its record, which is Open, before any
// content is written; then Flush from time to time; the record that Commit returns takes its place.
func (d *Dir) Begin(interaction tandem.InteractionID, mediaType string) (*Writer, store.BlobRef, error) {
	w, err := d.create(interaction, mediaType, growing)
	if err != nil {
		return nil, store.BlobRef{}, err
	}
	w.live, w.now, w.synced = true, d.now, d.now()
	ref := w.ref
	ref.Open = true
	// Without its name on the disk a crash would leave a record of nothing.
	if err := errors.Join(syncDir(filepath.Dir(w.path)), syncDir(filepath.Dir(filepath.Dir(w.path)))); err != nil {
		w.Abort()
		return nil, store.BlobRef{}, fmt.Errorf("making an object: %w", err)
	}
	return w, ref, nil
}

func (d *Dir) create(interaction tandem.InteractionID, mediaType, form string) (*Writer, error) {
	now := d.now()
	ref := store.BlobRef{ID: tandem.NewID[tandem.BlobID](now, d.random), Interaction: interaction,
		MediaType: mediaType, Made: now, Key: make([]byte, store.KeySize)}
	if _, err := io.ReadFull(d.random, ref.Key); err != nil {
		return nil, fmt.Errorf("drawing an object's key: %w", err)
	}
	seal, err := newSealer(ref.ID, ref.Key, form)
	if err != nil {
		return nil, err
	}
	path, err := d.file(ref.ID)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making an object: %w", err)
	}
	f, err := os.OpenFile(path+partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making an object: %w", err)
	}
	w := &Writer{f: f, path: path, seal: seal, buf: make([]byte, 0, chunkSize+tagSize), sum: sha256.New(), ref: ref}
	w.sum.Write(ref.Key)
	if _, err := io.WriteString(f, form); err != nil {
		w.Abort()
		return nil, fmt.Errorf("writing an object: %w", err)
	}
	return w, nil
}

// ID is the id the object will have.
func (w *Writer) ID() tandem.BlobID { return w.ref.ID }

// Size is how much content was written, in bytes.
func (w *Writer) Size() int64 { return w.ref.Size }

// Write takes content. A full chunk is written once more content follows it, so that
// the last one is known.
func (w *Writer) Write(p []byte) (n int, err error) {
	if w.over {
		return 0, os.ErrClosed
	}
	for len(p) > 0 && w.err == nil {
		if len(w.buf) == chunkSize {
			w.flush(false)
			continue
		}
		k := min(chunkSize-len(w.buf), len(p))
		w.buf = append(w.buf, p[:k]...)
		w.sum.Write(p[:k])
		w.ref.Size += int64(k)
		p = p[k:]
		n += k
	}
	return n, w.err
}

func (w *Writer) flush(last bool) {
	if w.live {
		var head [4]byte
		binary.BigEndian.PutUint32(head[:], uint32(len(w.buf)))
		if _, err := w.f.Write(head[:]); err != nil {
			w.err = fmt.Errorf("writing an object: %w", err)
		}
	}
	sealed := w.seal.seal(w.buf, last)
	if _, err := w.f.Write(sealed); err != nil && w.err == nil {
		w.err = fmt.Errorf("writing an object: %w", err)
	}
	w.buf = w.buf[:0]
}

// syncEvery is how much of what grows a loss of power may take.
const syncEvery = 2 * time.Second

// Flush writes what there is of an object that grows: a crash of the program takes nothing
// before it, one of the machine no more than 2 s.
func (w *Writer) Flush() error {
	if w.over {
		return os.ErrClosed
	}
	if !w.live || w.err != nil {
		return w.err
	}
	if len(w.buf) > 0 {
		w.flush(false)
	}
	if now := w.now(); w.err == nil && now.Sub(w.synced) >= syncEvery {
		w.synced = now
		if err := w.f.Sync(); err != nil {
			w.err = fmt.Errorf("writing an object: %w", err)
		}
	}
	return w.err
}

// Recover finishes an object that grew when the program ended, up to the last whole chunk,
// and returns its record, no longer Open. One whose end was written is taken as it is.
func (d *Dir) Recover(ref store.BlobRef) (store.BlobRef, error) {
	path, err := d.file(ref.ID)
	if err != nil {
		return ref, err
	}
	f, err := os.OpenFile(path+partial, os.O_RDWR, 0)
	done := errors.Is(err, os.ErrNotExist) // it was renamed, and its record not written
	if done {
		f, err = os.OpenFile(path, os.O_RDWR, 0)
	}
	if errors.Is(err, os.ErrNotExist) {
		return ref, fmt.Errorf("object %s is gone: %w", ref.ID, store.ErrNotFound)
	}
	if err != nil {
		return ref, fmt.Errorf("recovering an object: %w", err)
	}
	defer f.Close()
	if ref, err = d.mend(f, ref); err != nil || done {
		return ref, err
	}
	if err := os.Rename(path+partial, path); err != nil {
		return ref, fmt.Errorf("recovering an object: %w", err)
	}
	return ref, syncDir(filepath.Dir(path))
}

// mend cuts a file after its last whole chunk and writes its end, unless that is there.
func (d *Dir) mend(f *os.File, ref store.BlobRef) (store.BlobRef, error) {
	seal, err := newSealer(ref.ID, ref.Key, growing)
	if err != nil {
		return ref, err
	}
	r := &reader{f: f, in: bufio.NewReaderSize(f, chunkSize+tagSize+1), seal: seal, id: ref.ID, sealed: make([]byte, chunkSize+tagSize), live: true}
	sum := sha256.New()
	sum.Write(ref.Key)
	var head [len(growing)]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil || string(head[:]) != growing {
		return ref, r.damaged()
	}
	at := int64(len(growing))
	ref.Size = 0
	for r.end == nil {
		r.next()
		if errors.Is(r.end, store.ErrDamaged) { // cut in the middle of a chunk, or after one
			break
		}
		if r.end != nil && r.end != io.EOF {
			return ref, r.end
		}
		sum.Write(r.plain)
		ref.Size += int64(len(r.plain))
		at += 4 + int64(len(r.plain)) + tagSize
	}
	if r.end != io.EOF {
		err := f.Truncate(at)
		if err == nil {
			_, err = f.WriteAt(append(make([]byte, 4), seal.seal(nil, true)...), at)
		}
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			return ref, fmt.Errorf("recovering an object: %w", err)
		}
	}
	ref.SHA256, ref.Open = sum.Sum(nil), false
	return ref, nil
}

// Commit makes the object durable and returns its record, which belongs in a
// store.Change: without it, and the key in it, the object stays as noise.
func (w *Writer) Commit() (store.BlobRef, error) {
	if w.over {
		return store.BlobRef{}, os.ErrClosed
	}
	if w.err == nil {
		w.flush(true)
	}
	if w.err == nil {
		if err := w.f.Sync(); err != nil {
			w.err = fmt.Errorf("writing an object: %w", err)
		}
	}
	if w.err != nil {
		w.Abort()
		return store.BlobRef{}, w.err
	}
	w.over = true
	err := w.f.Close()
	if err == nil {
		err = os.Rename(w.path+partial, w.path)
	}
	if err == nil {
		// The folder itself may be new: its name must be durable too.
		err = errors.Join(syncDir(filepath.Dir(w.path)), syncDir(filepath.Dir(filepath.Dir(w.path))))
	}
	if err != nil {
		os.Remove(w.path + partial)
		os.Remove(w.path)
		return store.BlobRef{}, fmt.Errorf("writing an object: %w", err)
	}
	w.ref.SHA256 = w.sum.Sum(nil)
	return w.ref, nil
}

// Abort drops the object. After Commit it does nothing, so it may be deferred.
func (w *Writer) Abort() {
	if w.over {
		return
	}
	w.over = true
	w.f.Close()
	os.Remove(w.path + partial)
}

// Open reads an object by its record, key included. An error of Read that is
// store.ErrDamaged says that the file was changed; what was read before it is right.
func (d *Dir) Open(ref store.BlobRef) (io.ReadSeekCloser, error) {
	path, err := d.file(ref.ID)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("object %s is gone: %w", ref.ID, store.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	r := &reader{f: f, in: bufio.NewReaderSize(f, chunkSize+tagSize+1), id: ref.ID, sealed: make([]byte, chunkSize+tagSize), size: ref.Size}
	var head [len(magic)]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil || string(head[:]) != magic && string(head[:]) != growing {
		f.Close()
		return nil, r.damaged()
	}
	r.live = string(head[:]) == growing
	if r.seal, err = newSealer(ref.ID, ref.Key, string(head[:])); err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

// Remove removes an object's file; one that is not there is no error.
func (d *Dir) Remove(id tandem.BlobID) error {
	path, err := d.file(id)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing an object: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// Sweep removes files never committed, which a crash left, and objects of which named
// says that they are erased. Those it does not name are only counted: the folder may
// belong to another database than the one that asks. Call it before new objects are made.
func (d *Dir) Sweep(named func(tandem.BlobID) (named, erased bool)) (removed, unnamed int, err error) {
	err = filepath.WalkDir(d.path, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		id, unfinished := strings.CutSuffix(e.Name(), partial)
		if !tandem.ValidID(id) {
			return nil // not ours
		}
		is, erased := named(tandem.BlobID(id))
		if unfinished && !is || erased { // one that is named and not finished is Recover's
			if err := os.Remove(path); err != nil {
				return err
			}
			removed++
		} else if !is {
			unnamed++
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("sweeping the folder of objects: %w", err)
	}
	return removed, unnamed, err
}

// sealer has what chunks are sealed with. The key is used for one object only, so
// counting nonces never meet again.
type sealer struct {
	aead  cipher.AEAD
	place []byte
	n     uint64
	buf   [12]byte
	out   []byte // what was opened last
}

func newSealer(id tandem.BlobID, key []byte, form string) (*sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of object %s: %w", id, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("key of object %s: %w", id, err)
	}
	return &sealer{aead: aead, place: append([]byte(form), id...)}, nil
}

// seal encrypts the next chunk in its place.
func (s *sealer) seal(plain []byte, last bool) []byte {
	sealed := s.aead.Seal(plain[:0], s.nonce(last), plain, s.place)
	s.n++
	return sealed
}

// open decrypts the next chunk. The chunk stays as it is if that fails.
func (s *sealer) open(sealed []byte, last bool) ([]byte, error) {
	plain, err := s.aead.Open(s.out[:0], s.nonce(last), sealed, s.place)
	if err != nil {
		return nil, err
	}
	s.n++
	s.out = plain
	return plain, nil
}

func (s *sealer) nonce(last bool) []byte {
	binary.BigEndian.PutUint64(s.buf[:], s.n)
	s.buf[11] = 0
	if last {
		s.buf[11] = 1
	}
	return s.buf[:]
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	defer d.Close()
	return d.Sync()
}
