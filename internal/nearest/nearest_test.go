package nearest_test

import (
	"testing"

	"tandem/internal/nearest"
)

func TestName(t *testing.T) {
	known := []string{"timeout", "tries", "type_ahead", "n", "go", "listen", "您好", "gold", "bold", "voice", "Content-Type"}
	for written, want := range map[string]string{
		"timeuot":      "timeout", // swapped
		"tires":        "tries",
		"timeot":       "timeout",
		"timmeout":     "timeout",
		"lsten":        "listen",
		"LISTEN":       "listen",
		"gld":          "gold",
		"cold":         "bold", // bold and gold are as near
		"您号":           "您好",
		"N":            "n",
		"m":            "", // a slip of one letter leaves nothing of it
		"xy":           "", // two slips of two letters
		"type":         "type_ahead",
		"voice_prompt": "voice",
		"vo":           "go", // too short for a beginning
		"content-tipe": "Content-Type",
		"elephant":     "",
		"":             "",
	} {
		if got := nearest.Name(written, known); got != want {
			t.Errorf("%q: got %q, want %q", written, got, want)
		}
	}
	if got := nearest.Name("x", nil); got != "" {
		t.Errorf("of nothing known, %q is near", got)
	}
}
