package video

import (
	"errors"
	"image"
	"io"
)

// ErrPicture tells that data is no keyframe that can be decoded, or one larger than allowed.
var ErrPicture = errors.New("video: not a keyframe that can be decoded")

// Picture decodes a keyframe. It takes tens of milliseconds and belongs on no packet's path.
func Picture(f Frame) (image.Image, error) { return nil, ErrPicture }

// JPEG writes a picture as JPEG of a quality from 1 to 100.
func JPEG(w io.Writer, m image.Image, quality int) error { return errors.ErrUnsupported }

// PNG writes a picture as PNG.
func PNG(w io.Writer, m image.Image) error { return errors.ErrUnsupported }
