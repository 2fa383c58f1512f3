package chat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"

	scale "golang.org/x/image/draw"
	"golang.org/x/image/riff"
	"golang.org/x/image/webp"
)

// Bounds of a picture.
const (
	maxUpload  = 8 << 20    // bytes as sent
	maxPixels  = 40_000_000 // width times height as sent; decoded that is 160 MB
	manyPixels = 12_000_000 // more than that is decoded alone
	maxSide    = 2048       // pixels as kept
	maxPNG     = 4 << 20    // bytes; a larger one is kept as JPEG, on white
	jpegGrade  = 85
)

var (
	errNotPicture = errors.New("it is no JPEG, PNG, GIF or WebP picture, or a broken one")
	errTooLarge   = errors.New("it has more than 40 megapixels")
)

// picture is an image encoded anew: nothing of the file that was sent is left but what
// can be seen.
type picture struct {
	data          []byte
	mediaType     string
	width, height int
}

// codec reads one kind of picture.
type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// codecs by the type that the content shows.
var codecs = map[string]codec{
	"image/jpeg": {jpeg.DecodeConfig, jpeg.Decode},
	"image/png":  {png.DecodeConfig, png.Decode},
	"image/gif":  {gif.DecodeConfig, gif.Decode}, // its first frame
	"image/webp": {webpConfig, webp.Decode},
}

// measure reads a picture's size from its head, and refuses what would be too large once
// it is decoded.
func measure(data []byte) (pixels int, err error) {
	c, known := codecs[http.DetectContentType(data)]
	if !known {
		return 0, errNotPicture
	}
	size, err := c.config(bytes.NewReader(data))
	if err != nil || size.Width <= 0 || size.Height <= 0 {
		return 0, errNotPicture
	}
	if size.Width > maxPixels || size.Height > maxPixels || size.Width*size.Height > maxPixels {
		return 0, errTooLarge
	}
	return size.Width * size.Height, nil
}

// webpConfig reads the size of the image in a WebP file (RFC 9649): the library's tells
// that of the canvas around it, which may be made smaller than the image to deceive.
func webpConfig(r io.Reader) (c image.Config, err error) {
	_, chunks, err := riff.NewReader(r)
	if err != nil {
		return c, err
	}
	canvas := image.Config{}
	for {
		id, _, chunk, err := chunks.Next()
		if err != nil {
			return c, err
		}
		var head [10]byte
		switch id {
		case riff.FourCC{'V', 'P', '8', 'X'}:
			if _, err := io.ReadFull(chunk, head[:]); err != nil {
				return c, err
			}
			canvas.Width = 1 + (int(head[4]) | int(head[5])<<8 | int(head[6])<<16)
			canvas.Height = 1 + (int(head[7]) | int(head[8])<<8 | int(head[9])<<16)
			continue
		case riff.FourCC{'V', 'P', '8', ' '}:
			if _, err := io.ReadFull(chunk, head[:]); err != nil {
				return c, err
			}
			c.Width, c.Height = int(binary.LittleEndian.Uint16(head[6:]))&0x3fff, int(binary.LittleEndian.Uint16(head[8:]))&0x3fff
		case riff.FourCC{'V', 'P', '8', 'L'}:
			if _, err := io.ReadFull(chunk, head[:5]); err != nil {
				return c, err
			}
			bits := binary.LittleEndian.Uint32(head[1:])
			c.Width, c.Height = 1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)
		default:
			continue
		}
		if canvas != (image.Config{}) && canvas != c {
			return c, errNotPicture
		}
		return c, nil
	}
}

// redraw decodes a picture that was measured, turns it as its camera was held, makes it
// no larger than maxSide, and encodes it: as PNG where it is transparent, else as JPEG.
func redraw(data []byte) (p picture, err error) {
	defer func() {
		if recover() != nil { // a file made to break a decoder breaks itself only
			err = errNotPicture
		}
	}()
	kind := http.DetectContentType(data)
	img, err := codecs[kind].decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Empty() {
		return p, errNotPicture
	}
	small := shrink(img)
	if kind == "image/jpeg" {
		small = turn(small, orientation(data))
	}
	p.width, p.height = small.Rect.Dx(), small.Rect.Dy()
	var out bytes.Buffer
	if !small.Opaque() {
		encoder := png.Encoder{CompressionLevel: png.BestSpeed}
		if err := encoder.Encode(&out, small); err != nil {
			return p, fmt.Errorf("encoding a picture: %w", err)
		}
		if out.Len() <= maxPNG {
			p.data, p.mediaType = out.Bytes(), "image/png"
			return p, nil
		}
		white := image.NewRGBA(small.Rect)
		draw.Draw(white, white.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(white, white.Rect, small, image.Point{}, draw.Over)
		small = white
		out.Reset()
	}
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: jpegGrade}); err != nil {
		return p, fmt.Errorf("encoding a picture: %w", err)
	}
	p.data, p.mediaType = out.Bytes(), "image/jpeg"
	return p, nil
}

// shrink scales a picture down to maxSide, first by whole numbers, averaging squares of
// pixels strip by strip, so that a large one needs little beside itself.
func shrink(img image.Image) *image.RGBA {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if k := max(w, h) / maxSide; k > 1 {
		img = average(img, k)
		b = img.Bounds()
	}
	if side := max(w, h); side > maxSide {
		w, h = max(1, w*maxSide/side), max(1, h*maxSide/side)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if b.Dx() == w && b.Dy() == h {
		draw.Draw(out, out.Rect, img, b.Min, draw.Src)
		return out
	}
	scale.ApproxBiLinear.Scale(out, out.Rect, img, b, scale.Src, nil)
	return out
}

// average makes one pixel of each square of k by k; what is left over at the right and
// below is dropped, unless there would be nothing.
func average(img image.Image, k int) *image.RGBA {
	b := img.Bounds()
	w, h := max(1, b.Dx()/k), max(1, b.Dy()/k)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	strip := image.NewRGBA(image.Rect(0, 0, b.Dx(), k))
	for y := range h {
		rows := min(k, b.Dy()-y*k)
		draw.Draw(strip, image.Rect(0, 0, b.Dx(), rows), img, image.Pt(b.Min.X, b.Min.Y+y*k), draw.Src)
		for x := range w {
			columns := min(k, b.Dx()-x*k)
			var sum [4]int
			for dy := range rows {
				line := strip.Pix[dy*strip.Stride+x*k*4:]
				for dx := range columns {
					for c := range sum {
						sum[c] += int(line[dx*4+c])
					}
				}
			}
			at := out.Pix[y*out.Stride+x*4:]
			for c := range sum {
				at[c] = byte(sum[c] / (rows * columns))
			}
		}
	}
	return out
}

// turn undoes an orientation of Exif, 1 to 8.
func turn(img *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if orientation >= 5 {
		w, h = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			// Where the pixel that belongs at x, y lies.
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, w-1-x
			case 7:
				sx, sy = h-1-y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			copy(out.Pix[y*out.Stride+x*4:][:4], img.Pix[sy*img.Stride+sx*4:][:4])
		}
	}
	return out
}
