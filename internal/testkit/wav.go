package testkit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/zaf/g711"
)

// Rate is the sampling rate of all audio here, in Hz.
const Rate = 8000

// Tone makes a sine of hz for d, at about -10 dBm0.
func Tone(hz float64, d time.Duration) []int16 {
	pcm := make([]int16, int(d.Seconds()*Rate))
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/Rate))
	}
	return pcm
}

// Silence makes d of nothing.
func Silence(d time.Duration) []int16 { return make([]int16, int(d.Seconds()*Rate)) }

// Length says how long pcm plays.
func Length(pcm []int16) time.Duration {
	return time.Duration(len(pcm)) * time.Second / Rate
}

// ReadWAV reads a mono file of 8000 Hz in 16-bit PCM, A-law or mu-law. The sizes
// in the header are not believed where the file is shorter: a phone that was
// ended in the middle leaves them unset.
func ReadWAV(path string) ([]int16, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, fmt.Errorf("%s is no WAV file", path)
	}
	var format uint16
	for at := 12; at+8 <= len(b); {
		name, size := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		if size > len(body) || (name == "data" && size == 0) {
			size = len(body)
		}
		body = body[:size]
		switch name {
		case "fmt ":
			if size < 16 {
				return nil, fmt.Errorf("%s: short format chunk", path)
			}
			format = binary.LittleEndian.Uint16(body)
			channels, rate := binary.LittleEndian.Uint16(body[2:]), binary.LittleEndian.Uint32(body[4:])
			if channels != 1 || rate != Rate {
				return nil, fmt.Errorf("%s: %d channels at %d Hz, want 1 at %d", path, channels, rate, Rate)
			}
		case "data":
			switch format {
			case 1:
				return fromBytes(body), nil
			case 6:
				return fromBytes(g711.DecodeAlaw(body)), nil
			case 7:
				return fromBytes(g711.DecodeUlaw(body)), nil
			}
			return nil, fmt.Errorf("%s: format %d is not read here", path, format)
		}
		at += 8 + size + size%2
	}
	return nil, errors.New(path + ": no audio in it")
}

// WriteWAV writes a mono file of 8000 Hz, 16 bits.
func WriteWAV(path string, pcm []int16) error {
	b := make([]byte, 0, 44+2*len(pcm))
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(36+2*len(pcm)))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1) // PCM
	b = binary.LittleEndian.AppendUint16(b, 1) // mono
	b = binary.LittleEndian.AppendUint32(b, Rate)
	b = binary.LittleEndian.AppendUint32(b, 2*Rate)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*len(pcm)))
	return os.WriteFile(path, append(b, toBytes(pcm)...), 0o600)
}

func fromBytes(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

func toBytes(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}
