// Package opus turns Opus packets (RFC 6716) into telephone audio and back: 16-bit
// mono at 8,000 samples per second.
//
// A Decoder or Encoder has one owner at a time. Nothing here starts a goroutine, does
// input or output, or reads a clock. A packet is data of strangers: whatever is in it, the
// worst is an error, also where the library beneath would panic.
package opus

import (
	"errors"
	"fmt"

	"github.com/thesyncim/gopus"

	"tandem/media/codec"
)

const (
	// ClockRate is the rate of RTP timestamps of Opus, whatever the audio's rate (RFC 7587
	// section 4.1): six for each sample here.
	ClockRate = 48000
	// MaxSamples is the most that one packet holds: 120 ms (RFC 6716 section 3.2).
	MaxSamples = 120 * codec.Rate / 1000
	// MaxPacket is the longest packet that Encode makes, in bytes.
	MaxPacket = 512
	// bitrate in bits per second: no more is to be heard in 4 kHz of speech.
	bitrate = 16000
	// complexity of encoding, 0 to 10: what costs a third of the most and is hardly worse.
	complexity = 3
)

// ErrPacket tells that a packet could not be decoded. The decoder goes on with the next.
var ErrPacket = errors.New("opus: not a packet of Opus")

// Decoder decodes one source's packets, in order.
type Decoder struct{ d *gopus.Decoder }

// NewDecoder makes a decoder that has heard nothing yet.
func NewDecoder() (*Decoder, error) {
	c := gopus.DefaultDecoderConfig(codec.Rate, 1)
	d, err := gopus.NewDecoder(c)
	if err != nil {
		return nil, fmt.Errorf("making an Opus decoder: %w", err)
	}
	return &Decoder{d: d}, nil
}

// Decode writes the packet's samples into pcm, which has room for MaxSamples, and returns
// how many there are. An empty packet stands for a lost one: as many samples as pcm has
// are made up.
func (d *Decoder) Decode(pcm []int16, packet []byte) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.d.Reset()
			n, err = 0, ErrPacket
		}
	}()
	if len(packet) == 0 {
		packet = nil
	}
	if n, err = d.d.DecodeInt16(packet, pcm); err != nil {
		return 0, ErrPacket
	}
	return n, nil
}

// Encoder encodes one stream of frames, in order.
type Encoder struct{ e *gopus.Encoder }

// NewEncoder makes an encoder for speech.
func NewEncoder() (*Encoder, error) {
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: codec.Rate, Channels: 1, Application: gopus.ApplicationVoIP})
	if err == nil {
		err = errors.Join(e.SetBitrate(bitrate), e.SetComplexity(complexity), e.SetFrameSize(codec.FrameSamples))
	}
	if err != nil {
		return nil, fmt.Errorf("making an Opus encoder: %w", err)
	}
	return &Encoder{e: e}, nil
}

// Encode writes one frame of codec.FrameSamples as a packet into dst, which has room for
// MaxPacket, and returns its length in bytes.
func (e *Encoder) Encode(dst []byte, pcm []int16) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			e.e.Reset()
			n, err = 0, fmt.Errorf("encoding Opus: a fault of the library: %v", p)
		}
	}()
	if n, err = e.e.EncodeInt16(pcm, dst); err != nil {
		return 0, fmt.Errorf("encoding Opus: %w", err)
	}
	return n, nil
}
