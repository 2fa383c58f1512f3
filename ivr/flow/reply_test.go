package flow_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"tandem/ivr/flow/read"
)

// A reply is said in the customer's language or the nearest, with what is known of them;
// what is not stands in it by name.
func TestReplyPreview(t *testing.T) {
	lib, found := read.FS(fstest.MapFS{"x.replies.yaml": {Data: []byte(`replies:
  hello:
    text:
      en: "Dear ${customer.name}, ${agent.name} here. You owe ${money(owed)}."
      zh-CN: "${customer.name}您好，您欠${money(owed)}。"
  plain: { text: { en: "Hello.", zh-CN: "您好。" }, queues: [cards] }
`)}, "x.queues.yaml": {Data: []byte("queues: { cards: { teams: [a], target: { voice: 20s } } }\nteams: { a: {} }\nagents: { anna: { teams: [a] } }\n")},
		"x.flow.yaml": {Data: []byte("flow: x\nchannels: [chat]\nlanguages: [en]\nstart: a\nvars: { owed: { type: money } }\nsteps:\n  a: { say: { en: Hello }, next: end }\n")}}, read.Options{})
	if lib == nil {
		t.Fatal(found)
	}
	r := lib.Replies["hello"]
	for _, tt := range []struct {
		lang    string
		known   map[string]any
		want    string
		missing []string
	}{
		{"en", map[string]any{"customer": map[string]any{"name": "Li"}, "agent": map[string]any{"name": "Anna"}, "owed": nil}, "Dear Li, Anna here. You owe ‹money(owed)›.", []string{"money(owed)"}},
		{"en-GB", map[string]any{"agent": map[string]any{"name": "Anna"}}, "Dear ‹customer.name›, Anna here. You owe ‹money(owed)›.", []string{"customer.name", "money(owed)"}},
		{"zh-HK", map[string]any{"customer": map[string]any{"name": ""}}, "‹customer.name›您好，您欠‹money(owed)›。", []string{"customer.name", "money(owed)"}},
		{"fr", nil, "Dear ‹customer.name›, ‹agent.name› here. You owe ‹money(owed)›.", []string{"customer.name", "agent.name", "money(owed)"}},
	} {
		if got := r.Preview(tt.lang, tt.known); got.Text != tt.want || !slices.Equal(got.Missing, tt.missing) {
			t.Errorf("%s: %q, missing %q", tt.lang, got.Text, got.Missing)
		}
	}
	if p := lib.Replies["plain"]; p.For("loans") || !p.For("cards") || !r.For("loans") {
		t.Error("a reply goes to the agents of other queues")
	}
}
