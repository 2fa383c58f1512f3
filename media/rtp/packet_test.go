package rtp

import (
	"bytes"
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	head := func(first byte) []byte { return []byte{first, 0x80 | 101, 1, 2, 0, 0, 0, 9, 1, 2, 3, 4} }
	want := Header{Marker: true, Payload: 101, Seq: 0x102, Time: 9, SSRC: 0x1020304}
	tests := []struct {
		name    string
		packet  []byte
		payload []byte
		err     error
	}{
		{"plain", append(head(0x80), 7, 8), []byte{7, 8}, nil},
		{"no payload", head(0x80), []byte{}, nil},
		{"two CSRC", append(head(0x82), 1, 1, 1, 1, 2, 2, 2, 2, 7), []byte{7}, nil},
		{"extension", append(head(0x90), 0xbe, 0xde, 0, 1, 5, 5, 5, 5, 7), []byte{7}, nil},
		{"padding", append(head(0xa0), 7, 0, 0, 3), []byte{7}, nil},
		{"all of it", append(head(0xb1), 1, 1, 1, 1, 0, 0, 0, 0, 7, 1), []byte{7}, nil},
		{"only padding", append(head(0xa0), 0, 2), []byte{}, nil},
		{"short", head(0x80)[:11], nil, ErrShort},
		{"empty", nil, nil, ErrShort},
		{"version 1", head(0x40), nil, ErrVersion},
		{"CSRC cut", append(head(0x82), 1, 1, 1, 1), nil, ErrShort},
		{"extension cut", append(head(0x90), 0xbe, 0xde, 0, 2, 5, 5, 5, 5), nil, ErrShort},
		{"extension header cut", append(head(0x90), 0xbe), nil, ErrShort},
		{"padding of nothing", append(head(0xa0), 7, 0), nil, ErrPadding},
		{"padding too long", append(head(0xa0), 7, 3), nil, ErrPadding},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, payload, err := Parse(tt.packet)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, not %v", err, tt.err)
			}
			if err == nil && (h != want || !bytes.Equal(payload, tt.payload)) {
				t.Errorf("%+v, payload %v", h, payload)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xff})
	f.Add([]byte{0xbf, 0xff, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, payload, err := Parse(b)
		if err != nil {
			return
		}
		if len(payload) > len(b)-HeaderSize {
			t.Fatalf("payload of %d bytes in a packet of %d", len(payload), len(b))
		}
		again := make([]byte, HeaderSize)
		h.Put(again)
		if back, _, err := Parse(again); err != nil || back != h {
			t.Fatalf("%+v became %+v, %v", h, back, err)
		}
		var r Reception
		r.Note(h, 0)
		h.Seq++
		r.Note(h, 160)
		r.Block()
	})
}

func BenchmarkParse(b *testing.B) {
	p := make([]byte, 172)
	Header{Payload: 0, Seq: 1, SSRC: 2}.Put(p)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Parse(p); err != nil {
			b.Fatal(err)
		}
	}
}
