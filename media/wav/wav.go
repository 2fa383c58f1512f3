// Package wav reads and writes WAV files: a RIFF header and samples. It owns the
// format only; it starts no goroutine, keeps no state and never seeks, so a pipe
// is as good as a file.
//
// It believes the header about the format and never about the length: engines
// that write to a pipe put any length there, so the data ends where the input ends
// or where the header says, whichever comes first.
package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"tandem/media/codec"
)

// Format codes of the fmt chunk (RFC 2361).
const (
	formatPCM        = 1
	formatALaw       = 6
	formatMuLaw      = 7
	formatExtensible = 0xfffe
)

const (
	// MaxBytes is the most audio data read of one file: an hour of 8 kHz, ten
	// minutes of 44.1 kHz mono.
	MaxBytes = 64 << 20
	// maxChunk bounds the chunks before the audio that are skipped (lists, cue
	// points, pictures), each and in sum.
	maxChunk = 4 << 20
	minRate  = 4000   // samples per second
	maxRate  = 192000 // samples per second
)

var (
	// ErrFormat is input that is no WAV file, or a kind of it that is not read.
	ErrFormat = errors.New("not a WAV file that can be read")
	// ErrTooLong is more audio than MaxBytes.
	ErrTooLong = fmt.Errorf("more than %d MiB of audio", MaxBytes>>20)
)

// Audio is mono linear audio. Samples are 16 bit.
type Audio struct {
	Rate int // samples per second
	PCM  []int16
}

type format struct {
	code     uint16
	channels int
	rate     int
	bits     int
}

// Read reads PCM of 8 or 16 bits, mu-law or A-law, of 4 to 192 kHz, mono or
// stereo; stereo is mixed down. Errors wrap ErrFormat or ErrTooLong, or are the
// reader's.
func Read(r io.Reader) (Audio, error) {
	f, size, err := readHead(r)
	if err != nil {
		return Audio{}, err
	}
	return readData(r, f, size)
}

// Check reports, from the head of a file, whether Read could read it and whether there
// is any audio in it. Errors are those of Read.
func Check(r io.Reader) error {
	if _, _, err := readHead(r); err != nil {
		return err
	}
	var first [1]byte
	if _, err := io.ReadFull(r, first[:]); err != nil {
		return broken(err, "it holds no audio")
	}
	return nil
}

// readHead reads up to the audio; size is how long the header says that is.
func readHead(r io.Reader) (f format, size int64, err error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, 0, broken(err, "the file is shorter than a header")
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return f, 0, fmt.Errorf("%w: it does not begin with RIFF and WAVE", ErrFormat)
	}
	known := false
	skipped := int64(0)
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return f, 0, broken(err, "it has no data chunk")
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			if f, err = readFormat(r, size); err != nil {
				return f, 0, err
			}
			known = true
		case "data":
			if !known {
				return f, 0, fmt.Errorf("%w: data comes before the format", ErrFormat)
			}
			return f, size, nil
		default:
			size += size & 1 // chunks are padded to even
			if skipped += size; skipped > maxChunk {
				return f, 0, fmt.Errorf("%w: more than %d MiB before the audio", ErrFormat, maxChunk>>20)
			}
			if _, err := io.CopyN(io.Discard, r, size); err != nil {
				return f, 0, broken(err, "it ends before the audio")
			}
		}
	}
}

func broken(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s", ErrFormat, what)
	}
	return fmt.Errorf("reading WAV: %w", err)
}

func readFormat(r io.Reader, size int64) (format, error) {
	if size < 16 || size > 1024 {
		return format{}, fmt.Errorf("%w: a format chunk of %d bytes", ErrFormat, size)
	}
	b := make([]byte, size+size&1)
	if _, err := io.ReadFull(r, b); err != nil {
		return format{}, broken(err, "it ends inside the format")
	}
	f := format{
		code:     binary.LittleEndian.Uint16(b),
		channels: int(binary.LittleEndian.Uint16(b[2:])),
		rate:     int(binary.LittleEndian.Uint32(b[4:])),
		bits:     int(binary.LittleEndian.Uint16(b[14:])),
	}
	if f.code == formatExtensible && size >= 26 {
		f.code = binary.LittleEndian.Uint16(b[24:]) // first field of the sub-format
	}
	known := f.code == formatPCM && (f.bits == 8 || f.bits == 16) || (f.code == formatALaw || f.code == formatMuLaw) && f.bits == 8
	switch {
	case !known:
		return format{}, fmt.Errorf("%w: format %d with %d bits; use PCM of 8 or 16 bits, mu-law or A-law", ErrFormat, f.code, f.bits)
	case f.channels != 1 && f.channels != 2:
		return format{}, fmt.Errorf("%w: %d channels; use mono or stereo", ErrFormat, f.channels)
	case f.rate < minRate || f.rate > maxRate:
		return format{}, fmt.Errorf("%w: %d samples per second; use %d to %d", ErrFormat, f.rate, minRate, maxRate)
	}
	return f, nil
}

func readData(r io.Reader, f format, size int64) (Audio, error) {
	limit := size
	if size == 0 {
		limit = MaxBytes + 1 // a writer that did not know: everything there is
	}
	b, err := io.ReadAll(io.LimitReader(r, min(limit, MaxBytes+1)))
	if err != nil {
		return Audio{}, fmt.Errorf("reading WAV: %w", err)
	}
	if len(b) > MaxBytes {
		return Audio{}, ErrTooLong
	}
	pcm := f.samples(b)
	if f.channels == 2 {
		for i := range len(pcm) / 2 {
			pcm[i] = int16((int32(pcm[2*i]) + int32(pcm[2*i+1])) / 2)
		}
		pcm = pcm[:len(pcm)/2]
	}
	return Audio{Rate: f.rate, PCM: pcm}, nil
}

func (f format) samples(b []byte) []int16 {
	if f.bits == 16 {
		pcm := make([]int16, len(b)/2)
		for i := range pcm {
			pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		return pcm
	}
	pcm := make([]int16, len(b))
	switch f.code {
	case formatMuLaw:
		codec.PCMU.Decode(pcm, b)
	case formatALaw:
		codec.PCMA.Decode(pcm, b)
	default: // 8-bit PCM is unsigned
		for i, s := range b {
			pcm[i] = (int16(s) - 128) << 8
		}
	}
	return pcm
}

// Write writes 16-bit PCM.
func Write(w io.Writer, a Audio) error {
	b := make([]byte, 2*len(a.PCM))
	for i, s := range a.PCM {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(s))
	}
	return write(w, format{code: formatPCM, channels: 1, rate: a.Rate, bits: 16}, b)
}

// WriteLaw writes G.711, a byte per sample: half the size, and what a telephone
// hears anyway.
func WriteLaw(w io.Writer, a Audio, law codec.Law) error {
	b := make([]byte, len(a.PCM))
	law.Encode(b, a.PCM)
	code := uint16(formatMuLaw)
	if law == codec.PCMA {
		code = formatALaw
	}
	return write(w, format{code: code, channels: 1, rate: a.Rate, bits: 8}, b)
}

func write(w io.Writer, f format, data []byte) error {
	if len(data) > MaxBytes {
		return ErrTooLong
	}
	if f.rate < minRate || f.rate > maxRate {
		return fmt.Errorf("writing WAV: %d samples per second; use %d to %d", f.rate, minRate, maxRate)
	}
	const fmtSize = 16
	pad := len(data) & 1
	head := make([]byte, 0, 44)
	head = append(head, "RIFF"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(4+8+fmtSize+8+len(data)+pad))
	head = append(head, "WAVEfmt "...)
	head = binary.LittleEndian.AppendUint32(head, fmtSize)
	head = binary.LittleEndian.AppendUint16(head, f.code)
	head = binary.LittleEndian.AppendUint16(head, uint16(f.channels))
	head = binary.LittleEndian.AppendUint32(head, uint32(f.rate))
	head = binary.LittleEndian.AppendUint32(head, uint32(f.rate*f.channels*f.bits/8))
	head = binary.LittleEndian.AppendUint16(head, uint16(f.channels*f.bits/8))
	head = binary.LittleEndian.AppendUint16(head, uint16(f.bits))
	head = append(head, "data"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(data)))
	for _, b := range [][]byte{head, data, make([]byte, pad)} {
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("writing WAV: %w", err)
		}
	}
	return nil
}
