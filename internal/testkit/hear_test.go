package testkit

import (
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/zaf/g711"
)

// onTheWire is what G.711 leaves of pcm.
func onTheWire(pcm []int16) []int16 {
	return fromBytes(g711.DecodeUlaw(g711.EncodeUlaw(toBytes(pcm))))
}

func TestTranscript(t *testing.T) {
	pcm := slices.Concat(Silence(300*time.Millisecond), Tone(400, 1200*time.Millisecond), Tone(1000, 500*time.Millisecond), Silence(200*time.Millisecond))
	spans := Transcript(onTheWire(pcm), 400, 500, 1000)
	want := []Span{
		{0, 0, 300 * time.Millisecond},
		{400, 300 * time.Millisecond, 1200 * time.Millisecond},
		{1000, 1500 * time.Millisecond, 500 * time.Millisecond},
		{0, 2 * time.Second, 200 * time.Millisecond},
	}
	if !slices.Equal(spans, want) {
		t.Fatalf("heard %s, want %s", Describe(spans), Describe(want))
	}
	if got := ToneTime(spans, 400); got != 1200*time.Millisecond {
		t.Errorf("400 Hz for %v", got)
	}
}

func TestTranscriptOfOtherSounds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, Rate)
	for i := range pcm {
		pcm[i] = int16(random.IntN(8000) - 4000)
	}
	if spans := Transcript(pcm, 400, 500, 1000); len(spans) != 1 || spans[0].Hz != noise {
		t.Errorf("noise was heard as %s", Describe(spans))
	}
	if spans := Transcript(Tone(700, time.Second), 400, 500, 1000); ToneTime(spans, 400)+ToneTime(spans, 500)+ToneTime(spans, 1000) != 0 {
		t.Errorf("700 Hz was heard as %s", Describe(spans))
	}
}

// spoken says a sentence with flite, at 8000 Hz.
func spoken(t *testing.T, text string) []int16 {
	t.Helper()
	Need(t, "flite")
	path := filepath.Join(t.TempDir(), "said.wav")
	if out, err := exec.Command("flite", "-voice", "kal", "-t", text, "-o", path).CombinedOutput(); err != nil {
		t.Fatalf("flite: %v %s", err, out)
	}
	pcm, err := ReadWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

func TestFindSpeech(t *testing.T) {
	greeting := spoken(t, "Welcome to Harbour Bank. For your card, press one.")
	other := spoken(t, "Goodbye to Garden Bench. For your yard, press on.")
	more := spoken(t, "Please enter your six digit account number.")
	heard := onTheWire(slices.Concat(Silence(730*time.Millisecond), more, greeting, Silence(410*time.Millisecond)))
	if got := Find(heard, greeting); got.Score < 0.95 || got.At < Length(more)+700*time.Millisecond || got.At > Length(more)+time.Second {
		t.Errorf("the greeting: %+v, it begins near %v", got, Length(more)+730*time.Millisecond)
	}
	if got := Find(heard, more); got.Score < 0.95 {
		t.Errorf("the question: %+v", got)
	}
	if got := Find(heard, other); got.Score > 0.4 {
		t.Errorf("a sentence never said was found: %+v", got)
	}
	if got := Find(heard[:Rate/2+len(more)+len(greeting)/2], greeting); got.Score > 0.7 || got.Score < 0.3 {
		t.Errorf("half of the greeting: %+v", got)
	}
	words := FindInOrder(heard, more, greeting, other)
	if words[0].Score < 0.95 || words[1].Score < 0.95 || words[2].Score > 0.4 || words[0].At > words[1].At {
		t.Errorf("in order: %+v", words)
	}
	if words = FindInOrder(heard, greeting, more); words[1].Score > 0.4 {
		t.Errorf("in the wrong order: %+v", words)
	}
	lossy := slices.Clone(heard)
	random := rand.New(rand.NewPCG(3, 4))
	for at := 0; at+160 <= len(lossy); at += 160 {
		if random.IntN(20) == 0 {
			lossy = slices.Delete(lossy, at, at+160)
		}
	}
	if got := Find(lossy, greeting); got.Score < 0.6 {
		t.Errorf("the greeting with packets missing: %+v", got)
	}
}

func TestWAVRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tone.wav")
	tone := Tone(440, 100*time.Millisecond)
	if err := WriteWAV(path, tone); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadWAV(path); err != nil || !slices.Equal(got, tone) {
		t.Fatalf("read back %d samples of %d: %v", len(got), len(tone), err)
	}
	if _, err := ReadWAV("wav.go"); err == nil {
		t.Error("a Go file was read as a WAV file")
	}
}
