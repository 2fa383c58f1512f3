package record

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"
)

// Ids of elements (RFC 9559), and the length that stands for one that is not known.
const (
	idSegment     = 0x18538067
	idCluster     = 0x1F43B675
	idTimecode    = 0xE7
	idSimpleBlock = 0xA3
	unknown       = 1<<56 - 1
)

// ErrForm tells that something is no file of this package.
var ErrForm = errors.New("record: not a recording")

// Length reads how long a file is: the time of its last whole block. A file that a crash cut
// is read as far as it goes.
func Length(from io.Reader) (time.Duration, error) {
	r := &elements{r: bufio.NewReaderSize(from, 64<<10)}
	var last, cluster int64
	for first := true; ; first = false {
		id, size, err := r.next()
		if first && (err != nil || id != 0x1A45DFA3) {
			return 0, ErrForm
		}
		if err != nil {
			return time.Duration(last) * time.Millisecond, ended(err)
		}
		switch id {
		case idSegment, idCluster: // what is in them follows
			continue
		case idTimecode:
			var v uint64
			if v, err = r.number(size); err == nil {
				cluster = int64(v)
			}
		case idSimpleBlock:
			var head [3]byte // track below 128, time within the cluster
			if size < 4 {
				return 0, ErrForm
			}
			if _, err = io.ReadFull(r.r, head[:]); err == nil {
				err = r.skip(size - 3)
			}
			if err == nil {
				last = cluster + int64(int16(uint16(head[1])<<8|uint16(head[2])))
			}
		default:
			err = r.skip(size)
		}
		if err != nil {
			return time.Duration(last) * time.Millisecond, ended(err)
		}
	}
}

// ended is nil for what only says that a file stops.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// elements reads EBML (RFC 8794).
type elements struct{ r *bufio.Reader }

// next reads an element's id and the length of its content.
func (e *elements) next() (id uint32, size uint64, err error) {
	first, err := e.r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	n := 1
	for mask := byte(0x80); n <= 4 && first&mask == 0; mask >>= 1 {
		n++
	}
	if n > 4 {
		return 0, 0, ErrForm
	}
	id = uint32(first)
	for range n - 1 {
		b, err := e.r.ReadByte()
		if err != nil {
			return 0, 0, err
		}
		id = id<<8 | uint32(b)
	}
	if first, err = e.r.ReadByte(); err != nil {
		return 0, 0, err
	}
	n = 1
	mask := byte(0x80)
	for ; n <= 8 && first&mask == 0; mask >>= 1 {
		n++
	}
	if n > 8 {
		return 0, 0, ErrForm
	}
	size = uint64(first &^ mask)
	all := size == uint64(mask-1)
	for range n - 1 {
		b, err := e.r.ReadByte()
		if err != nil {
			return 0, 0, err
		}
		size = size<<8 | uint64(b)
		all = all && b == 0xff
	}
	if all {
		size = unknown
	}
	return id, size, nil
}

// number reads a whole number.
func (e *elements) number(size uint64) (v uint64, err error) {
	if size > 8 {
		return 0, fmt.Errorf("%w: a number of %d bytes", ErrForm, size)
	}
	for range size {
		b, err := e.r.ReadByte()
		if err != nil {
			return 0, err
		}
		v = v<<8 | uint64(b)
	}
	return v, nil
}

// skip passes over content.
func (e *elements) skip(size uint64) error {
	if size > 1<<40 {
		return ErrForm
	}
	_, err := io.CopyN(io.Discard, e.r, int64(size))
	return err
}
