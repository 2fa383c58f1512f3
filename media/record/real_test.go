package record

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"

	"tandem/media/rtp"
	"tandem/media/video"
)

// What an encoder of a browser made, sent as packets and tapped, stands in the file byte by
// byte, and its keyframes decode.
func TestRealPictures(t *testing.T) {
	reel, err := os.ReadFile("../video/testdata/small.ivf")
	if err != nil {
		t.Fatal(err)
	}
	f := &file{}
	k := newTrack(t, f)
	now := zero.Add(time.Second)
	s := video.NewSource(video.SourceOptions{Now: func() time.Time { return now }})
	defer s.Close()
	s.Allow(true)
	taken := make(chan struct{}, 100)
	stop := s.Tap(func(f video.Frame) { k.Frame(f); taken <- struct{}{} })
	var sent [][]byte
	seq := uint16(65530)
	for b := reel[32:]; len(b) > 12; { // IVF: a header, then length, time and data of each frame
		n := 12 + int(binary.LittleEndian.Uint32(b))
		frame := b[12:n]
		b = b[n:]
		for at := 0; at < len(frame); at += 50 {
			p := make([]byte, rtp.HeaderSize+1, 100)
			rtp.Header{Marker: at+50 >= len(frame), Seq: seq, Time: uint32(len(sent)) * 3600, SSRC: 1}.Put(p)
			if seq++; at == 0 {
				p[rtp.HeaderSize] = 0x10
			}
			s.Packet(0, append(p, frame[at:min(at+50, len(frame))]...))
		}
		<-taken
		sent = append(sent, frame)
		now = now.Add(40 * time.Millisecond)
	}
	stop()
	if _, err := k.Close(); err != nil {
		t.Fatal(err)
	}
	var all struct {
		Segment struct {
			Cluster []webm.Cluster `ebml:"Cluster"`
		} `ebml:"Segment"`
	}
	if err := ebml.Unmarshal(bytes.NewReader(f.Bytes()), &all, ebml.WithIgnoreUnknown(true)); err != nil {
		t.Fatal(err)
	}
	n, keys := 0, 0
	for _, c := range all.Segment.Cluster {
		for _, b := range c.SimpleBlock {
			if n == len(sent) || !bytes.Equal(b.Data[0], sent[n]) {
				t.Fatalf("picture %d is another", n)
			}
			if at := int64(c.Timecode) + int64(b.Timecode); at != int64(1000+40*n) {
				t.Errorf("picture %d is at %d ms", n, at)
			}
			if n++; !b.Keyframe {
				continue
			}
			keys++
			m, err := video.Picture(video.Frame{Key: true, Data: b.Data[0]})
			if err != nil {
				t.Fatal(err)
			}
			if r, g, _, _ := m.At(10, 10).RGBA(); m.Bounds().Dx() != 160 || r>>8 < 200 || g>>8 > 60 {
				t.Errorf("picture %d: %v, red %d, green %d", n, m.Bounds(), r>>8, g>>8)
			}
		}
	}
	if n != len(sent) || n != 20 || keys != 2 {
		t.Errorf("%d pictures of %d, %d keyframes", n, len(sent), keys)
	}
}
