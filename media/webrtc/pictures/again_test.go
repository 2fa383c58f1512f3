package pictures

import (
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
	write(164)
	if sent[len(sent)-1] != 164 {
		t.Error("a new one is kept")
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
