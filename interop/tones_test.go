package interop

import (
	"flag"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tandem/internal/testkit"
)

var updateTones = flag.Bool("update", false, "write the tones under flows again")

// The tones of the set-up: each sounds at a pitch of its own, so that a test knows
// which prompt it hears.
var tones = map[string][]int16{
	"tone-400.wav":      testkit.Tone(400, 10*time.Second),
	"tone-400-long.wav": testkit.Tone(400, 12*time.Second),
	"tone-500.wav":      testkit.Tone(500, 2*time.Second),
	"tone-800.wav":      testkit.Tone(800, 4*time.Second),
	"tone-1000.wav":     testkit.Tone(1000, 2*time.Second),
	"tone-1600.wav":     testkit.Tone(1600, 6*time.Second),
	"silence.wav":       testkit.Silence(time.Second),
}

func TestTonesAreAsMade(t *testing.T) {
	for name, pcm := range tones {
		path := filepath.Join("flows", name)
		if *updateTones {
			if err := testkit.WriteWAV(path, pcm); err != nil {
				t.Fatal(err)
			}
		}
		got, err := testkit.ReadWAV(path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, pcm) {
			t.Errorf("%s is not the tone that the tests expect: go test ./interop -run Tones -update", path)
		}
	}
}
