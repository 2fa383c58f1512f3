package pictures

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor"
	pionrtp "github.com/pion/rtp"
)

// What is sent first always passes, whatever its numbers; what is sent again has to fit.
func TestOnlyWhatIsSentAgainIsKept(t *testing.T) {
	var a again
	var sent []uint16
	w := a.BindLocalStream(&interceptor.StreamInfo{}, interceptor.RTPWriterFunc(func(h *pionrtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
		sent = append(sent, h.SequenceNumber)
		return len(payload), nil
	}))
	write := func(seq uint16) {
		t.Helper()
		if _, err := w.Write(&pionrtp.Header{SequenceNumber: seq}, make([]byte, 1000), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 300 { // over the wrap
		write(uint16(65400 + i))
	}
	if len(sent) != 300 {
		t.Fatalf("%d of 300 new ones passed", len(sent))
	}
	for range 100 {
		write(100)
	}
	again, kept := a.passed.Load(), a.kept.Load()
	if again != againDepth/1000 || kept != 100-again || len(sent) != 300+int(again) {
		t.Errorf("%d were sent again, %d kept", again, kept)
	}
}

// What came before the newest keyframe is not sent again.
func TestNothingBeforeAKeyframeIsSentAgain(t *testing.T) {
	var a again
	var sent []uint16
	w := a.BindLocalStream(&interceptor.StreamInfo{}, interceptor.RTPWriterFunc(func(h *pionrtp.Header, _ []byte, _ interceptor.Attributes) (int, error) {
		sent = append(sent, h.SequenceNumber)
		return 0, nil
	}))
	key, other := []byte{0x90, 0x80, 0x01, 0x10, 0, 0}, []byte{0x90, 0x80, 0x02, 0x11, 0, 0}
	for _, p := range []struct {
		seq     uint16
		payload []byte
	}{{65534, key}, {65535, other}, {65534, key}, {0, key}, {1, other}, {65535, other}, {0, key}, {1, other}, {2, other}} {
		if _, err := w.Write(&pionrtp.Header{SequenceNumber: p.seq}, p.payload, nil); err != nil {
			t.Fatal(err)
		}
	}
	if want := []uint16{65534, 65535, 65534, 0, 1, 0, 1, 2}; !slices.Equal(sent, want) {
		t.Errorf("%v, want %v", sent, want)
	}
}

func TestRoomForWhatIsSentAgain(t *testing.T) {
	var a again
	a.budget.Store(800_000) // 15,000 bytes a second for what is sent again
	now := time.Unix(1_700_000_000, 0)
	for a.may(1000, now) {
	}
	if a.may(1000, now.Add(10*time.Millisecond)) {
		t.Error("there is room after 10 ms")
	}
	n := 0
	for now = now.Add(400 * time.Millisecond); a.may(1000, now); n++ {
	}
	if n != 6 {
		t.Errorf("%d packets after 400 ms, want 6", n)
	}
}

func TestKeyframe(t *testing.T) {
	for _, test := range []struct {
		b    []byte
		want bool
	}{
		{nil, false}, {[]byte{0x10}, false}, {[]byte{0x10, 0x10}, true}, {[]byte{0x10, 0x11}, false}, {[]byte{0x00, 0x10}, false}, {[]byte{0x11, 0x10}, false},
		{[]byte{0x90, 0x80, 0x01, 0x10}, true}, {[]byte{0x90, 0x80, 0x81, 0x01, 0x10}, true}, {[]byte{0x90, 0x80, 0x81, 0x02}, false},
		{[]byte{0x90, 0xf0, 0x81, 0x01, 9, 0x20, 0x10}, true}, {[]byte{0x90, 0xf0, 0x81, 0x01, 9, 0x20, 0x11}, false}, {[]byte{0x90}, false}, {[]byte{0x90, 0x80}, false},
		{[]byte{0x90, 0x00, 0x10}, true}, {[]byte{0xb0, 0x00, 0x10}, true},
	} {
		if got := keyframe(test.b); got != test.want {
			t.Errorf("% x: %v", test.b, got)
		}
	}
}
