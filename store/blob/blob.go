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
	chunkSize = 64 << 10 // bytes of content in a chunk; the last has fewer, or none
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
}

// Create begins an object. It comes to be by Commit; Abort leaves nothing.
func (d *Dir) Create(interaction tandem.InteractionID, mediaType string) (*Writer, error) {
	now := d.now()
	ref := store.BlobRef{ID: tandem.NewID[tandem.BlobID](now, d.random), Interaction: interaction,
		MediaType: mediaType, Made: now, Key: make([]byte, store.KeySize)}
	if _, err := io.ReadFull(d.random, ref.Key); err != nil {
		return nil, fmt.Errorf("drawing an object's key: %w", err)
	}
	seal, err := newSealer(ref.ID, ref.Key)
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
	if _, err := io.WriteString(f, magic); err != nil {
		w.Abort()
		return nil, fmt.Errorf("writing an object: %w", err)
	}
	return w, nil
}

// ID is the id the object will have.
func (w *Writer) ID() tandem.BlobID { return w.ref.ID }

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
	sealed := w.seal.aead.Seal(w.buf[:0], w.seal.nonce(last), w.buf, w.seal.place)
	if _, err := w.f.Write(sealed); err != nil {
		w.err = fmt.Errorf("writing an object: %w", err)
	}
	w.buf = w.buf[:0]
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
func (d *Dir) Open(ref store.BlobRef) (io.ReadCloser, error) {
	path, err := d.file(ref.ID)
	if err != nil {
		return nil, err
	}
	seal, err := newSealer(ref.ID, ref.Key)
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
	r := &reader{f: f, in: bufio.NewReaderSize(f, chunkSize+tagSize+1), seal: seal, id: ref.ID, sealed: make([]byte, chunkSize+tagSize)}
	var head [len(magic)]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil || string(head[:]) != magic {
		f.Close()
		return nil, r.damaged()
	}
	return r, nil
}

type reader struct {
	f      *os.File
	in     *bufio.Reader
	seal   *sealer
	id     tandem.BlobID
	sealed []byte
	plain  []byte // opened and not yet read, within sealed
	end    error  // after plain
}

func (r *reader) damaged() error {
	return fmt.Errorf("object %s was changed or cut off: %w", r.id, store.ErrDamaged)
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.end != nil {
			return 0, r.end
		}
		r.next()
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// next opens one chunk: the last one is the one nothing follows.
func (r *reader) next() {
	n, err := io.ReadFull(r.in, r.sealed)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		r.end = fmt.Errorf("reading an object: %w", err)
		return
	}
	_, err = r.in.Peek(1)
	last := err == io.EOF
	plain, err := r.seal.aead.Open(r.sealed[:0], r.seal.nonce(last), r.sealed[:n], r.seal.place)
	if err != nil {
		r.end = r.damaged()
		return
	}
	r.plain = plain
	if last {
		r.end = io.EOF
	}
}

func (r *reader) Close() error {
	clear(r.sealed)
	return r.f.Close()
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
		if unfinished || erased {
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
}

func newSealer(id tandem.BlobID, key []byte) (*sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of object %s: %w", id, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("key of object %s: %w", id, err)
	}
	return &sealer{aead: aead, place: append([]byte(magic), id...)}, nil
}

func (s *sealer) nonce(last bool) []byte {
	binary.BigEndian.PutUint64(s.buf[:], s.n)
	s.n++
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
