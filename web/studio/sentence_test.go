package studio

import "testing"

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"there is no flow x":              "There is no flow x.",
		"bank.flow.yaml is no plain file": "bank.flow.yaml is no plain file.",
		"电话.flow.yaml says this!":         "电话.flow.yaml says this!",
		"über alles":                      "Über alles.",
	} {
		if got := sentence(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
