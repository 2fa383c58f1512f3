package video

import (
	"bytes"
	"testing"
)

func TestDescriptor(t *testing.T) {
	for name, c := range map[string]struct {
		in      []byte
		ok      bool
		start   bool
		size    int
		picture int // -1 = none
		tl0     int
		out     []byte // rewritten to picture 0x1234 and tl0 0x56
	}{
		"nothing":                     {in: nil},
		"no data behind":              {in: []byte{0x10}},
		"bare":                        {in: []byte{0x10, 9}, ok: true, start: true, size: 1, picture: -1, tl0: -1, out: []byte{0x10}},
		"in the middle":               {in: []byte{0x00, 9}, ok: true, size: 1, picture: -1, tl0: -1, out: []byte{0x00}},
		"start of another partition":  {in: []byte{0x11, 9}, ok: true, size: 1, picture: -1, tl0: -1, out: []byte{0x11}},
		"reserved bits":               {in: []byte{0x58, 9}, ok: true, start: true, size: 1, picture: -1, tl0: -1, out: []byte{0x10}},
		"not for reference":           {in: []byte{0x30, 9}, ok: true, start: true, size: 1, picture: -1, tl0: -1, out: []byte{0x30}},
		"extension of nothing":        {in: []byte{0x90, 0x00, 9}, ok: true, start: true, size: 2, picture: -1, tl0: -1, out: []byte{0x10}},
		"short picture":               {in: []byte{0x90, 0x80, 0x7f, 9}, ok: true, start: true, size: 3, picture: 127, tl0: -1, out: []byte{0x90, 0x80, 0x92, 0x34}},
		"long picture":                {in: []byte{0x90, 0x80, 0xff, 0xff, 9}, ok: true, start: true, size: 4, picture: 32767, tl0: -1, out: []byte{0x90, 0x80, 0x92, 0x34}},
		"everything":                  {in: []byte{0x90, 0xf0, 0x80, 0x01, 0x02, 0xc3, 9}, ok: true, start: true, size: 6, picture: 1, tl0: 2, out: []byte{0x90, 0xf0, 0x92, 0x34, 0x56, 0xc3}},
		"layer without the rest":      {in: []byte{0x90, 0x20, 0x40, 9}, ok: true, start: true, size: 3, picture: -1, tl0: -1, out: []byte{0x90, 0x20, 0x40}},
		"key index alone":             {in: []byte{0x90, 0x10, 0x1f, 9}, ok: true, start: true, size: 3, picture: -1, tl0: -1, out: []byte{0x90, 0x10, 0x1f}},
		"tl0 alone":                   {in: []byte{0x90, 0x40, 0xff, 9}, ok: true, start: true, size: 3, picture: -1, tl0: 255, out: []byte{0x90, 0x40, 0x56}},
		"cut before the picture":      {in: []byte{0x90, 0x80}},
		"cut within the picture":      {in: []byte{0x90, 0x80, 0x80}},
		"cut before tl0":              {in: []byte{0x90, 0xc0, 0x01}},
		"cut before the layer":        {in: []byte{0x90, 0xe0, 0x01, 0x02}},
		"everything and nothing else": {in: []byte{0x90, 0xf0, 0x80, 0x01, 0x02, 0xc3}},
	} {
		d, ok := parse(c.in)
		if ok != c.ok {
			t.Errorf("%s: ok = %t", name, ok)
		}
		if !ok {
			continue
		}
		picture, tl0 := -1, -1
		if d.hasPic {
			picture = int(d.picture)
		}
		if d.hasTL0 {
			tl0 = int(d.tl0)
		}
		if d.size != c.size || d.start != c.start || picture != c.picture || tl0 != c.tl0 {
			t.Errorf("%s: %+v", name, d)
		}
		var b [longest]byte
		if n := d.put(b[:], 0x1234, 0x56); !bytes.Equal(b[:n], c.out) {
			t.Errorf("%s is written as % x, want % x", name, b[:n], c.out)
		}
	}
}

func TestSize(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		w, h int
		ok   bool
	}{
		"a keyframe":        {[]byte{0x50, 1, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01}, 640, 480, true},
		"scaled":            {[]byte{0x50, 1, 0, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0xc1}, 640, 480, true},
		"the largest":       {[]byte{0x50, 1, 0, 0x9d, 0x01, 0x2a, 0xff, 0xff, 0xff, 0xff}, 16383, 16383, true},
		"no columns":        {[]byte{0x50, 1, 0, 0x9d, 0x01, 0x2a, 0, 0, 0xe0, 0x01}, 0, 480, false},
		"another code":      {[]byte{0x50, 1, 0, 0x9d, 0x01, 0x2b, 0x80, 0x02, 0xe0, 0x01}, 0, 0, false},
		"cut short":         {[]byte{0x50, 1, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0}, 0, 0, false},
		"nothing but a tag": {[]byte{0x50}, 0, 0, false},
	} {
		w, h, ok := size(c.in)
		if ok != c.ok || ok && (w != c.w || h != c.h) {
			t.Errorf("%s: %d by %d, %t", name, w, h, ok)
		}
	}
}

// FuzzDescriptor: whatever comes, what is written back says the same but for the numbers,
// and is what the browsers' own rules can read again.
func FuzzDescriptor(f *testing.F) {
	f.Add([]byte{0x90, 0xf0, 0x80, 0x01, 0x02, 0xc3, 9}, uint16(7), uint8(9))
	f.Add([]byte{0x10, 0x50, 1, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01}, uint16(1), uint8(1))
	f.Add([]byte{0x90, 0x80, 0xff}, uint16(0), uint8(0))
	f.Fuzz(func(t *testing.T, in []byte, picture uint16, tl0 uint8) {
		d, ok := parse(in)
		if !ok {
			return
		}
		if d.size >= len(in) {
			t.Fatalf("% x: %d bytes of descriptor", in, d.size)
		}
		picture %= pictures
		b := make([]byte, longest)
		out := append(b[:d.put(b, picture, tl0)], in[d.size:]...)
		again, ok := parse(out)
		if !ok {
			t.Fatalf("% x is written as % x, which cannot be read", in, out)
		}
		if again.start != d.start || again.nonRef != d.nonRef || again.hasPic != d.hasPic || again.hasTL0 != d.hasTL0 || again.hasLayer != d.hasLayer ||
			again.hasKeyIdx != d.hasKeyIdx || again.layer != d.layer || d.hasPic && again.picture != picture || d.hasTL0 && again.tl0 != tl0 || !bytes.Equal(out[again.size:], in[d.size:]) {
			t.Fatalf("% x is written as % x", in, out)
		}
	})
}
