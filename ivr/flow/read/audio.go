package read

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// WAV format codes that prompts may have.
const (
	wavPCM        = 1
	wavALaw       = 6
	wavMuLaw      = 7
	wavExtensible = 0xfffe
)

var errNotWAV = errors.New("it is no WAV file")

// checkAudio looks at the head of a WAV file, once per reading.
func (r *reading) checkAudio(path string) error {
	if err, seen := r.audio[path]; seen {
		return err
	}
	err := r.checkExists(path)
	if err == nil {
		f, openErr := r.fsys.Open(path)
		if openErr != nil {
			err = plain(openErr)
		} else {
			err = checkWAV(f)
			f.Close()
		}
	}
	r.audio[path] = err
	return err
}

// checkWAV walks over the chunks up to the audio itself.
func checkWAV(src io.Reader) error {
	var head [12]byte
	if _, err := io.ReadFull(src, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return errNotWAV
	}
	format := false
	for range 64 { // chunks before the audio; more is no recording
		var chunk [8]byte
		if _, err := io.ReadFull(src, chunk[:]); err != nil {
			return fmt.Errorf("it ends before the audio begins")
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			if size < 16 || size > 1024 {
				return errNotWAV
			}
			b := make([]byte, size+size%2)
			if _, err := io.ReadFull(src, b); err != nil {
				return errNotWAV
			}
			if err := checkFormat(b); err != nil {
				return err
			}
			format = true
			continue
		case "data":
			switch {
			case !format:
				return errNotWAV
			case size == 0:
				return fmt.Errorf("it holds no audio")
			}
			return nil
		}
		if _, err := io.CopyN(io.Discard, src, size+size%2); err != nil {
			return fmt.Errorf("it ends before the audio begins")
		}
	}
	return errNotWAV
}

func checkFormat(b []byte) error {
	code := binary.LittleEndian.Uint16(b)
	channels, rate, bits := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint16(b[14:])
	if code == wavExtensible && len(b) >= 26 {
		code = binary.LittleEndian.Uint16(b[24:])
	}
	switch {
	case code == wavPCM && bits == 16, (code == wavALaw || code == wavMuLaw) && bits == 8:
	default:
		return fmt.Errorf("its audio has format %d with %d bits; 16-bit PCM, A-law and mu-law can be played", code, bits)
	}
	if channels < 1 || channels > 2 || rate < 8000 || rate > 48000 {
		return fmt.Errorf("it has %d channels at %d Hz; 1 or 2 channels at 8000 to 48000 Hz can be played", channels, rate)
	}
	return nil
}
