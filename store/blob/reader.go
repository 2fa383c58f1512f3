package blob

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"tandem"
	"tandem/store"
)

type reader struct {
	f      *os.File
	in     *bufio.Reader
	seal   *sealer
	id     tandem.BlobID
	sealed []byte
	plain  []byte // opened and not yet read, within sealed
	end    error  // after plain
	live   bool   // chunks have their lengths before them
	size   int64  // of the content, as its record says
	at     int64  // of plain in the content
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
	r.at += int64(n)
	return n, nil
}

// Seek goes to a place in the content. Chunks on the way there are passed over unopened: what
// is read from there on is right, or an error.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, fmt.Errorf("reading object %s: a place before its beginning: %w", r.id, store.ErrInvalid)
	}
	if offset < r.at {
		if _, err := r.f.Seek(int64(len(magic)), io.SeekStart); err != nil {
			return 0, fmt.Errorf("reading an object: %w", err)
		}
		r.in.Reset(r.f)
		r.plain, r.end, r.at, r.seal.n = nil, nil, 0, 0
	}
	for r.at < offset {
		if n := min(offset-r.at, int64(len(r.plain))); n > 0 {
			r.plain = r.plain[n:]
			r.at += n
			continue
		}
		if r.end == io.EOF { // beyond the end there is nothing to read
			break
		}
		if r.end != nil {
			return r.at, r.end
		}
		if r.pass(offset - r.at); len(r.plain) == 0 && r.end == nil {
			r.next()
		}
	}
	return offset, nil
}

// pass passes over whole chunks, no more than n bytes of content.
func (r *reader) pass(n int64) {
	for {
		size := int64(chunkSize)
		if r.live {
			head, err := r.in.Peek(4)
			if err != nil {
				r.end = r.failed(err)
				return
			}
			size = int64(binary.BigEndian.Uint32(head))
		}
		if size == 0 || size > chunkSize || size > n || r.at+size >= r.size { // the last is opened: it tells that it is
			return
		}
		whole := int(size) + tagSize
		if r.live {
			whole += 4
		}
		if _, err := r.in.Discard(whole); err != nil {
			r.end = r.failed(err)
			return
		}
		r.seal.n++
		r.at += size
		n -= size
	}
}

// next opens one chunk: the last one is the one nothing follows.
func (r *reader) next() {
	r.plain = nil
	size := len(r.sealed)
	if r.live {
		var head [4]byte
		if _, err := io.ReadFull(r.in, head[:]); err != nil {
			r.end = r.failed(err)
			return
		}
		n := binary.BigEndian.Uint32(head[:])
		if n > chunkSize {
			r.end = r.damaged()
			return
		}
		size = int(n) + tagSize
	}
	n, err := io.ReadFull(r.in, r.sealed[:size])
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		r.end = fmt.Errorf("reading an object: %w", err)
		return
	}
	if r.live && n < size {
		r.end = r.damaged()
		return
	}
	_, err = r.in.Peek(1)
	last := err == io.EOF
	plain, err := r.seal.open(r.sealed[:n], last)
	if err != nil && r.live && last { // whole, but the object was never finished
		if plain, err = r.seal.open(r.sealed[:n], false); err == nil {
			r.plain, r.end = plain, nil
			return
		}
	}
	if err != nil {
		r.end = r.damaged()
		return
	}
	r.plain = plain
	if last {
		r.end = io.EOF
	}
}

// failed is what a failure to read means: an end that is none is damage.
func (r *reader) failed(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return r.damaged()
	}
	return fmt.Errorf("reading an object: %w", err)
}

func (r *reader) Close() error {
	clear(r.sealed)
	clear(r.seal.out)
	return r.f.Close()
}
