package chat

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/image/webp"
)

// tinyWebP is one pixel, lossless.
const tinyWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

// quarters is a picture of four colours: red, green; blue, white.
func quarters(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 255, A: 255}
			switch {
			case x >= w/2 && y >= h/2:
				c = color.RGBA{R: 255, G: 255, B: 255, A: 255}
			case x >= w/2:
				c = color.RGBA{G: 255, A: 255}
			case y >= h/2:
				c = color.RGBA{B: 255, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func encoded(t testing.TB, kind string, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch kind {
	case "jpeg":
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 95})
	case "png":
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img)
	case "gif":
		err = gif.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// remade measures and redraws.
func remade(data []byte) (picture, error) {
	if _, err := measure(data); err != nil {
		return picture{}, err
	}
	return redraw(data)
}

func shows(t testing.TB, p picture) image.Image {
	t.Helper()
	img, kind, err := image.Decode(bytes.NewReader(p.data))
	if err != nil || "image/"+kind != p.mediaType || img.Bounds().Dx() != p.width || img.Bounds().Dy() != p.height {
		t.Fatalf("%+v is %s, %v: %v", p.mediaType, kind, img, err)
	}
	return img
}

// near reports whether a pixel is of a colour, by and large.
func near(img image.Image, x, y int, want color.Color) bool {
	r, g, b, _ := img.At(x, y).RGBA()
	wr, wg, wb, _ := want.RGBA()
	diff := func(a, b uint32) bool { return max(a, b)-min(a, b) < 40<<8 }
	return diff(r, wr) && diff(g, wg) && diff(b, wb)
}

var corners = [4]color.Color{color.RGBA{R: 255, A: 255}, color.RGBA{G: 255, A: 255}, color.RGBA{B: 255, A: 255}, color.White}

// cornersOf names the colours at top left, top right, bottom left, bottom right.
func cornersOf(img image.Image) (out [4]int) {
	b := img.Bounds()
	for i, p := range []image.Point{{b.Min.X + 2, b.Min.Y + 2}, {b.Max.X - 3, b.Min.Y + 2}, {b.Min.X + 2, b.Max.Y - 3}, {b.Max.X - 3, b.Max.Y - 3}} {
		out[i] = -1
		for n, c := range corners {
			if near(img, p.X, p.Y, c) {
				out[i] = n
			}
		}
	}
	return out
}

func TestPicturesAreDrawnAnew(t *testing.T) {
	for _, c := range []struct{ w, h, wantW, wantH int }{
		{40, 30, 40, 30}, {2048, 16, 2048, 16}, {2049, 100, 2048, 99}, {4200, 50, 2048, 24}, {100, 4500, 45, 2048}, {16, 6200, 5, 2048},
	} {
		for _, kind := range []string{"jpeg", "png", "gif"} {
			if kind == "gif" && c.w*c.h > 1_000_000 {
				continue // slow to make
			}
			p, err := remade(encoded(t, kind, quarters(c.w, c.h)))
			if err != nil || p.width != c.wantW || p.height != c.wantH || p.mediaType != "image/jpeg" {
				t.Errorf("%s %d × %d: %s %d × %d, %v", kind, c.w, c.h, p.mediaType, p.width, p.height, err)
				continue
			}
			if img := shows(t, p); p.width > 8 && p.height > 8 && cornersOf(img) != [4]int{0, 1, 2, 3} {
				t.Errorf("%s %d × %d: corners %v", kind, c.w, c.h, cornersOf(img))
			}
		}
	}
	data, _ := base64.StdEncoding.DecodeString(tinyWebP)
	if p, err := remade(data); err != nil || p.width != 1 || p.height != 1 {
		t.Errorf("WebP: %+v, %v", p, err)
	}
}

func TestTransparency(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 50, 50))
	img.SetNRGBA(5, 5, color.NRGBA{R: 255, A: 128})
	p, err := remade(encoded(t, "png", img))
	if err != nil || p.mediaType != "image/png" {
		t.Fatalf("%s, %v", p.mediaType, err)
	}
	if _, _, _, a := shows(t, p).At(5, 5).RGBA(); a>>8 != 128 {
		t.Errorf("alpha is %d", a>>8)
	}
	noise := image.NewNRGBA(image.Rect(0, 0, 1030, 1030)) // does not shrink as PNG
	random := rand.NewChaCha8([32]byte{1})
	random.Read(noise.Pix)
	p, err = remade(encoded(t, "png", noise))
	if err != nil || p.mediaType != "image/jpeg" || len(p.data) > maxPNG {
		t.Errorf("%s, %d bytes, %v", p.mediaType, len(p.data), err)
	}
}

// exif is a segment that tells an orientation, in either order of bytes, among other
// things.
func exif(o int, order binary.AppendByteOrder) []byte {
	b := []byte("MM\x00*")
	if order == binary.LittleEndian {
		b = []byte("II*\x00")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	entry := func(tag, kind uint16, count uint32, value uint16) {
		b = order.AppendUint16(order.AppendUint16(b, tag), kind)
		b = order.AppendUint16(order.AppendUint16(order.AppendUint32(b, count), value), 0)
	}
	entry(0x010f, 2, 4, 7)
	entry(0x0112, 3, 1, uint16(o))
	b = append(order.AppendUint32(b, 0), "GPS 48.8584 N Li Lei"...)
	b = append([]byte("Exif\x00\x00"), b...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(b)+2))
	return append(head, b...)
}

func withExif(jpg []byte, segment []byte) []byte {
	return append(append(append([]byte{}, jpg[:2]...), segment...), jpg[2:]...)
}

// TestOrientation: a picture comes out as its camera was held, whatever the file says
// by, and nothing of what it says is left.
func TestOrientation(t *testing.T) {
	jpg := encoded(t, "jpeg", quarters(64, 32))
	// The corners after turning: which of the file's is at top left, top right, …
	want := map[int][4]int{0: {0, 1, 2, 3}, 1: {0, 1, 2, 3}, 2: {1, 0, 3, 2}, 3: {3, 2, 1, 0}, 4: {2, 3, 0, 1}, 5: {0, 2, 1, 3}, 6: {2, 0, 3, 1}, 7: {3, 1, 2, 0}, 8: {1, 3, 0, 2}, 9: {0, 1, 2, 3}}
	for o, corners := range want {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			p, err := remade(withExif(jpg, exif(o, order)))
			if err != nil {
				t.Fatal(err)
			}
			if got := cornersOf(shows(t, p)); got != corners {
				t.Errorf("orientation %d: corners %v, want %v", o, got, corners)
			}
			if turned := o >= 5 && o <= 8; turned != (p.width == 32) {
				t.Errorf("orientation %d: %d × %d", o, p.width, p.height)
			}
			if bytes.Contains(p.data, []byte("GPS")) || bytes.Contains(p.data, []byte("Exif")) {
				t.Errorf("orientation %d: what the camera noted is left", o)
			}
		}
	}
}

func FuzzOrientation(f *testing.F) {
	jpg := encoded(f, "jpeg", quarters(8, 8))
	f.Add(withExif(jpg, exif(6, binary.LittleEndian)))
	f.Add(jpg)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := orientation(data); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}

// polyglot is a GIF that is a script, too: its comment hides the one in the other.
func polyglot(t testing.TB) []byte {
	g := encoded(t, "gif", quarters(0x2f, 0x2a)) // "GIF89a/*" begins a comment
	return append(append([]byte{}, g...), "*/=1;alert(document.domain)//"...)
}

// pngHead is a PNG of a size that has no content.
func pngHead(w, h uint32) []byte {
	chunk := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	chunk = append(chunk, 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
}

// webpOf is a WebP with a canvas of one size and a lossless image of another.
func webpOf(canvasW, canvasH, w, h int) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00")
	for _, n := range []int{canvasW - 1, canvasH - 1} {
		b = append(b, byte(n), byte(n>>8), byte(n>>16))
	}
	b = append(b, "VP8L\x40\x00\x00\x00\x2f"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(w-1)|uint32(h-1)<<14)
	b = append(b, make([]byte, 0x40-5)...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// gifHead is a GIF that says it is of a size.
func gifHead(w, h uint16) []byte {
	b := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16([]byte("GIF89a"), w), h)
	return append(b, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, ',', 0, 0, 0, 0, byte(w), byte(w>>8), byte(h), byte(h>>8), 0, 2, 2, 0x44, 1, 0, ';')
}

// hostile are files that must be refused, and why.
func hostile(t testing.TB) map[string]struct {
	data []byte
	err  error
} {
	jpg := encoded(t, "jpeg", quarters(64, 64))
	vast := bytes.Clone(jpg) // the frame's size is changed in its head
	at := bytes.Index(vast, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(vast[at+5:], 65500)
	binary.BigEndian.PutUint16(vast[at+7:], 65500)
	type file = struct {
		data []byte
		err  error
	}
	return map[string]file{
		"nothing":                 {nil, errNotPicture},
		"text":                    {[]byte("hello"), errNotPicture},
		"svg":                     {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), errNotPicture},
		"svg with xml":            {[]byte(`<?xml version="1.0"?><svg onload="alert(1)"/>`), errNotPicture},
		"html":                    {[]byte(`<!doctype html><script>alert(1)</script>`), errNotPicture},
		"pdf":                     {[]byte("%PDF-1.7 "), errNotPicture},
		"zip":                     {[]byte("PK\x03\x04 "), errNotPicture},
		"bmp":                     {append([]byte("BM"), make([]byte, 60)...), errNotPicture},
		"tiff":                    {[]byte("II*\x00\x08\x00\x00\x00"), errNotPicture},
		"program":                 {[]byte("\x7fELF\x02\x01\x01"), errNotPicture},
		"html after a PNG's head": {[]byte("\x89PNG\r\n\x1a\n<script>alert(1)</script>"), errNotPicture},
		"script as GIF":           {[]byte("GIF89a/*\x00*/=1;alert(1)"), errTooLarge},
		"jpeg's first bytes":      {jpg[:3], errNotPicture},
		"half a jpeg":             {jpg[:len(jpg)/2], errNotPicture},
		"vast jpeg":               {vast, errTooLarge},
		"vast png":                {pngHead(50_000, 50_000), errTooLarge},
		"long png":                {pngHead(1<<31-1, 1), errTooLarge},
		"empty png":               {pngHead(0, 10), errNotPicture},
		"png without content":     {pngHead(10, 10), errNotPicture},
		"vast gif":                {gifHead(65_535, 65_535), errTooLarge},
		"vast webp":               {webpOf(16_384, 16_384, 16_384, 16_384), errTooLarge},
		"webp in a small canvas":  {webpOf(1, 1, 16_384, 16_384), errNotPicture},
		"webp in a large canvas":  {webpOf(1<<24, 1<<24, 1, 1), errNotPicture},
		"webp of nothing":         {webpOf(8, 8, 8, 8)[:60], errNotPicture},
	}
}

func TestHostilePictures(t *testing.T) {
	for name, file := range hostile(t) {
		if p, err := remade(file.data); !errors.Is(err, file.err) {
			t.Errorf("%s: %+v, %v, want %v", name, p.mediaType, err, file.err)
		}
	}
	p, err := remade(polyglot(t))
	if err != nil || bytes.Contains(p.data, []byte("alert")) || p.mediaType != "image/jpeg" {
		t.Errorf("a polyglot: %s, %v", p.mediaType, err)
	}
	// The small canvas does deceive the library.
	if c, err := webp.DecodeConfig(bytes.NewReader(webpOf(1, 1, 16_384, 16_384))); err != nil || c.Width != 1 {
		t.Logf("the library has learned: %+v, %v", c, err)
	}
}

// Whatever is broken in a file, it is refused or becomes a picture.
func TestBrokenPictures(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	tiny, _ := base64.StdEncoding.DecodeString(tinyWebP)
	for _, data := range [][]byte{encoded(t, "jpeg", quarters(40, 30)), encoded(t, "png", quarters(40, 30)), encoded(t, "gif", quarters(40, 30)), tiny, withExif(encoded(t, "jpeg", quarters(20, 20)), exif(6, binary.BigEndian))} {
		for range 300 {
			broken := bytes.Clone(data)
			for range 1 + random.IntN(4) {
				broken[random.IntN(len(broken))] = byte(random.Uint32())
			}
			if random.IntN(3) == 0 {
				broken = broken[:random.IntN(len(broken))]
			}
			if size, err := measure(broken); err == nil && size > 4_000_000 {
				continue // right, but slow
			}
			if p, err := remade(broken); err == nil && (p.width > maxSide || p.height > maxSide || !strings.HasPrefix(http.DetectContentType(p.data), "image/")) {
				t.Errorf("%d × %d, %s", p.width, p.height, http.DetectContentType(p.data))
			}
		}
	}
}

func BenchmarkRedraw(b *testing.B) {
	for _, side := range []int{1000, 4000} {
		data := encoded(b, "jpeg", quarters(side, side))
		b.Run(fmt.Sprint(side), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := redraw(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
