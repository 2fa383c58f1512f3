package app

import "testing"

// A yes is to the words that were read: other words in any language, or another cut between
// them, have another name.
func TestWordsOf(t *testing.T) {
	read := wordsOf(map[string]string{"en": "Anna will see you.", "zh-CN": "安娜会看到您。"})
	if again := wordsOf(map[string]string{"zh-CN": "安娜会看到您。", "en": "Anna will see you."}); again != read || len(read) != 16 {
		t.Errorf("the same words are %q, then %q", read, again)
	}
	for _, other := range []map[string]string{
		{"en": "Anna will see you. It is recorded.", "zh-CN": "安娜会看到您。"}, {"en": "Anna will see you.", "zh-CN": "安娜会看到您，并录制。"},
		{"en": "Anna will see you."}, {"en": "Anna will see you.\nzh-CN 安娜会看到您。"}, nil,
	} {
		if wordsOf(other) == read {
			t.Errorf("%q have the same name", other)
		}
	}
}
