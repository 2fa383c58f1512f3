package leg

import (
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
	"tandem/sip/sdp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

var here = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func newEngine(t *testing.T) *media.Engine {
	t.Helper()
	e, err := media.NewEngine(media.Config{Address: here, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func newAudio(t *testing.T, e *media.Engine) *Audio {
	t.Helper()
	a, err := NewAudio(e, here, here, 4711)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// says plays a tone for ever.
func says(t *testing.T, a *Audio, hz float64) {
	t.Helper()
	if err := a.Stream.Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(hz, 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
}

// answers has an offer of the phone, of a direction, answered.
func answers(t *testing.T, a *Audio, phone *testkit.RTP, version int, direction string) testkit.Media {
	t.Helper()
	answer, err := a.Answer([]byte(testkit.SDP(phone.Port(), version, direction)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := testkit.ParseMedia(answer)
	if err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	phone.Aim(m.Address)
	return m
}

// The phone offers, holds us, and takes us back.
func TestTheFarEndHolds(t *testing.T) {
	a, phone := newAudio(t, newEngine(t)), testkit.NewRTP(t)
	m := answers(t, a, phone, 1, "")
	if m.Address != netip.AddrPortFrom(here, uint16(a.Stream.Port())) || a.Law() != codec.PCMU {
		t.Errorf("it is told %v, law %v", m.Address, a.Law())
	}
	says(t, a, 440)
	phone.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
	answers(t, a, phone, 2, "inactive")
	quietFrom := time.Now().Add(200 * time.Millisecond) // what was under way arrives
	if phone.Wait(400*time.Millisecond, quietFrom, func(ps []testkit.Packet) bool { return len(ps) > 0 }) {
		t.Error("it is sent audio on hold")
	}
	answers(t, a, phone, 3, "sendrecv")
	phone.Hear(patience, time.Now(), 440, 100*time.Millisecond)
}

// recorded is what an Audio hears.
type recorded struct {
	law codec.Law
	pcm []int16
}

func (r *recorded) Write(b []byte) (int, error) {
	pcm := make([]int16, len(b))
	r.law.Decode(pcm, b)
	r.pcm = append(r.pcm, pcm...)
	return len(b), nil
}

// hears records for 600 ms and says what was heard.
func hears(t *testing.T, a *Audio, hz ...int) []testkit.Span {
	t.Helper()
	r := &recorded{law: a.Law()}
	rec := a.Stream.Record(r, false)
	length := time.NewTimer(600 * time.Millisecond) // of the recording, which may be of nothing
	<-length.C
	if _, err := rec.Stop(); err != nil {
		t.Fatal(err)
	}
	return testkit.Transcript(r.pcm, hz...)
}

// exchange is one offer from a to b and its answer.
func exchange(t *testing.T, a, b *Audio) (offer, answer string) {
	t.Helper()
	o, err := a.Offer()
	if err != nil {
		t.Fatal(err)
	}
	n, err := b.Answer(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Accept(n); err != nil {
		t.Fatal(err)
	}
	return string(o), string(n)
}

// We offer, hold the far end, and take it back.
func TestWeHold(t *testing.T) {
	e := newEngine(t)
	a, b := newAudio(t, e), newAudio(t, e)
	exchange(t, a, b)
	says(t, a, 440)
	says(t, b, 1000)
	const half = 300 * time.Millisecond
	if at, bt := testkit.ToneTime(hears(t, a, 1000), 1000), testkit.ToneTime(hears(t, b, 440), 440); at < half || bt < half {
		t.Fatalf("they hear each other for %v and %v", at, bt)
	}
	a.Hold(true)
	offer, answer := exchange(t, a, b)
	if !strings.Contains(offer, "a=sendonly") || !strings.Contains(answer, "a=recvonly") {
		t.Errorf("on hold: offered %s, answered %s", offer, answer)
	}
	if at, bt := testkit.ToneTime(hears(t, a, 1000), 1000), testkit.ToneTime(hears(t, b, 440), 440); at > 0 || bt < half {
		t.Errorf("on hold the holder hears %v, the held %v", at, bt)
	}
	a.Hold(false)
	exchange(t, a, b)
	if at := testkit.ToneTime(hears(t, a, 1000), 1000); at < half {
		t.Errorf("afterwards it hears %v", at)
	}
}

func TestLawsAndKeysAsAgreed(t *testing.T) {
	a, phone := newAudio(t, newEngine(t)), testkit.NewRTP(t)
	offer := strings.Replace(testkit.SDP(phone.Port(), 1, ""), "RTP/AVP 0 8 101", "RTP/AVP 8", 1)
	offer = strings.NewReplacer("a=rtpmap:0 PCMU/8000\r\n", "", "a=rtpmap:101 telephone-event/8000\r\n", "", "a=fmtp:101 0-15\r\n", "").Replace(offer)
	if _, err := a.Answer([]byte(offer)); err != nil {
		t.Fatal(err)
	}
	if a.Law() != codec.PCMA {
		t.Errorf("the law is %v", a.Law())
	}
	says(t, a, 440)
	phone.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
	if got := phone.Packets(time.Time{})[0].Type; got != 8 {
		t.Errorf("payload type %d", got)
	}
	if err := a.Stream.SendKey('1', 100); !errors.Is(err, media.ErrNoEvents) {
		t.Errorf("sending a key gives %v", err)
	}
	phone.Talk(dialTone(697, 1209)) // without telephone-event keys are tones: this is 1
	phone.Aim(testkit.Loopback(a.Stream.Port()))
	select {
	case e := <-a.Stream.Events():
		if k, ok := e.(media.Key); !ok || k.Digit != '1' {
			t.Errorf("heard %+v", e)
		}
	case <-time.After(patience):
		t.Error("the tones of a key are not heard")
	}
}

// dialTone is 200 ms of two tones and 200 ms of silence.
func dialTone(low, high float64) []int16 {
	pcm := make([]int16, 3200)
	for i := range 1600 {
		x := 2 * math.Pi * float64(i) / 8000
		pcm[i] = int16(6000 * (math.Sin(low*x) + math.Sin(high*x)))
	}
	return pcm
}

func TestWhatCannotBeAgreed(t *testing.T) {
	a := newAudio(t, newEngine(t))
	video := strings.Replace(testkit.SDP(4000, 1, ""), "m=audio", "m=video", 1)
	if _, err := a.Answer([]byte(video)); !errors.Is(err, sdp.ErrNotAcceptable) {
		t.Errorf("an offer without audio: %v", err)
	}
	if _, err := a.Answer([]byte("nonsense")); err == nil {
		t.Error("nonsense was answered")
	}
	if _, err := a.Offer(); err != nil {
		t.Fatal(err)
	}
	if err := a.Accept([]byte("nonsense")); err == nil {
		t.Error("nonsense was accepted")
	}
}

func TestNoPortNoAudio(t *testing.T) {
	e := newEngine(t)
	e.Drain()
	if _, err := NewAudio(e, here, here, 1); !errors.Is(err, media.ErrDraining) {
		t.Errorf("it gave %v", err)
	}
}
