package app

import (
	"testing"
	"time"

	"tandem"
	"tandem/media/record"
	"tandem/media/video"
)

// pile is a file of which is known how much was written.
type pile struct{ n int }

func (p *pile) Write(b []byte) (int, error) { p.n += len(b); return len(b), nil }
func (p *pile) Flush() error                { return nil }

// Voice and video are over and the call goes on: nothing is added to the film, whatever is
// held or taken back. Once they agree again it goes on.
func TestAFilmEndsWithItsConsent(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	file, err := record.New(&pile{}, now)
	if err != nil {
		t.Fatal(err)
	}
	ts := &tracks{app: &App{}, zeros: map[tandem.InteractionID]*zero{}} // nobody agrees to anything
	k := &track{in: "i1", leg: "l1", film: &film{file: file, shows: "camera"}}
	ts.by = map[tandem.LegID]*track{"l1": k}
	n := 0
	frame := func() {
		n++
		at := now.Add(time.Duration(n) * time.Second)
		file.Frame(video.Frame{Key: true, Width: 16, Height: 16, Time: uint32(n) * 90_000, At: at, Data: []byte{1, 2, 3}})
	}
	frame()
	ts.agreed("another")
	frame()
	ts.agreed("i1")
	frame()
	ts.Pause("l1", true)
	ts.Pause("l1", false)
	frame()
	k.mu.Lock()
	k.off = false
	k.quiet()
	k.mu.Unlock()
	frame()
	is, err := file.Close()
	if err != nil || is.Frames != 3 {
		t.Errorf("%d frames are in the film, %v", is.Frames, err)
	}
}

// A party of whom nothing is recorded is not remembered: nobody ends it.
func TestTracksOfNothingAreForgotten(t *testing.T) {
	ts := &tracks{app: &App{}}
	if ts.Begin("i1", "l1", nil, nil) || len(ts.by) != 0 {
		t.Errorf("%d tracks are remembered", len(ts.by))
	}
}
