package video

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/vp8"
)

// Bounds of a picture that is decoded: room for a camera of four thousand columns.
const (
	maxSide   = 4096 // pixels
	maxPixels = 4096 * 2304
)

// ErrPicture tells that data is no keyframe that can be decoded, or one larger than allowed.
var ErrPicture = errors.New("video: not a keyframe that can be decoded")

// Picture decodes a keyframe of at most 4096 by 2304 pixels. It takes tens of milliseconds
// and belongs on no packet's path.
func Picture(f Frame) (image.Image, error) {
	if !isKey(f.Data) || len(f.Data) > maxFrame {
		return nil, ErrPicture
	}
	w, h, ok := size(f.Data)
	if !ok {
		return nil, ErrPicture
	}
	if w > maxSide || h > maxSide || w*h > maxPixels {
		return nil, fmt.Errorf("%w: %d by %d pixels", ErrPicture, w, h)
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(f.Data), len(f.Data))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	m, err := d.DecodeFrame()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	return m, nil
}

// JPEG writes a picture as JPEG of a quality from 1 to 100.
func JPEG(w io.Writer, m image.Image, quality int) error {
	if err := jpeg.Encode(w, m, &jpeg.Options{Quality: quality}); err != nil {
		return fmt.Errorf("writing a picture: %w", err)
	}
	return nil
}

// PNG writes a picture as PNG.
func PNG(w io.Writer, m image.Image) error {
	if err := png.Encode(w, m); err != nil {
		return fmt.Errorf("writing a picture: %w", err)
	}
	return nil
}
