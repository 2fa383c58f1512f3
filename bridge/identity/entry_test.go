package identity

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEntries(t *testing.T) {
	codes := map[string]string{
		"123456": "123456", " 123 456 ": "123456", "123-456": "123456", "１２３４５６": "123456", "１２３　４５６": "123456", "123456#": "123456", "123\u200b456": "123456",
		"123–456": "123456", "123.456": "123456", "": "", "12345": "", "1234567": "", "12345a": "", "١٢٣٤٥٦": "", "+123456": "", "#": "", strings.Repeat(" ", 300) + "123456": "",
	}
	for typed, want := range codes {
		if got, ok := digits(typed, 6); ok != (want != "") || ok && got != want {
			t.Errorf("the code %q is %q, %v", typed, got, ok)
		}
	}
	phones := map[string]string{
		"13800000001": phoneA, "138 0000 0001": phoneA, "+86 138-0000-0001": phoneA, "008613800000001": phoneA, "8613800000001": phoneA, "１３８００００００01": phoneA, "013800000001": phoneA,
		"(+86) 13800000001": phoneA, "+1 415 555 0100": "+14155550100", "12345": "", "": "", "1380000000": "", "138000000011": "", "010 6666 8888": "", "+86 10 6666 8888": "", "+0123456789": "", "hello": "", "0": "",
	}
	for typed, want := range phones {
		if got, ok := phone("+86", typed); ok != (want != "") || ok && got != want {
			t.Errorf("the number %q is %q, %v", typed, got, ok)
		}
	}
	for _, tt := range []struct{ country, typed, want string }{{"+1", "415-555-0100", "+14155550100"}, {"+1", "1 (415) 555 0100", "+14155550100"}, {"+44", "07700 900123", "+447700900123"}} {
		if got, ok := phone(tt.country, tt.typed); !ok || got != tt.want {
			t.Errorf("in %s %q is %q", tt.country, tt.typed, got)
		}
	}
	for _, no := range []string{"0", "０", "No", "no.", "不", "不用了", " 取消 ", "STOP", "0#"} {
		if !declines(no) {
			t.Errorf("%q does not decline", no)
		}
	}
	for _, other := range []string{"", "00", "note", "1", "不知道"} {
		if declines(other) {
			t.Errorf("%q declines", other)
		}
	}
	if !again("1") || !again("１") || !again("Send it again") || !again("重新发送") || again("11") || again("") {
		t.Error("the wish for another code is not understood")
	}
	for value, want := range map[string]string{phoneA: "•••01", "li@bank.example": "l•••@bank.example", "李@bank.example": "李•••@bank.example", "123": "•••", "": "•••"} {
		if got := Mask(value); got != want {
			t.Errorf("%q is masked as %q", value, got)
		}
	}
}

// TestSpellings: a number is found however it was signalled, and all spellings are one.
func TestSpellings(t *testing.T) {
	for _, s := range spellings("+86", phoneA) {
		if got, ok := phone("+86", s); !ok || got != phoneA {
			t.Errorf("%q is %q", s, got)
		}
	}
}

func FuzzEntry(f *testing.F) {
	for _, s := range []string{"123456", "１２３　４５６", "+86 138 0000 0001", "不", "\xff\xfe", strings.Repeat("9", 500), "0#", "Send it again"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := plain(s)
		if !utf8.ValidString(p) || plain(p) != p {
			t.Fatalf("%q becomes %q, then %q", s, p, plain(p))
		}
		for n := range 12 {
			d, ok := digits(s, n)
			if ok && (strings.Trim(d, "0123456789") != "" || d == "" || n > 0 && len(d) != n) {
				t.Fatalf("%q has the %d digits %q", s, n, d)
			}
		}
		if number, ok := phone("+86", s); ok {
			if again, ok := phone("+86", number); !ok || again != number || !e164.MatchString(number) {
				t.Fatalf("%q is the number %q, that is %q", s, number, again)
			}
		}
		declines(s)
		again(s)
	})
}

// Whoever looks a number up may write it in any way.
func TestSpellingsAsWritten(t *testing.T) {
	for written, kept := range map[string][]string{
		"138 0000 0001":     {"+8613800000001", "13800000001", "013800000001", "8613800000001", "008613800000001"},
		"+86-138-0000-0001": {"+8613800000001", "13800000001"},
		"１３８０００００００１":       {"+8613800000001"},
		"008613800000001":   {"+8613800000001", "13800000001"},
		"8613800000001":     {"+8613800000001"},
		"(010) 8888-8888":   {"+861088888888", "01088888888", "1088888888"},
		"861088888888":      {"+861088888888", "01088888888"},
		"+44 20 7946 0000":  {"+442079460000"},
		"8001":              {"8001"},
		" anna ":            {"anna"},
	} {
		got := Spellings("+86", written)
		for _, k := range kept {
			if !slices.Contains(got, k) {
				t.Errorf("%s: %q is not among %q", written, k, got)
			}
		}
	}
	if got := Spellings("+86", "8001"); len(got) != 1 {
		t.Errorf("an extension is read as %q", got)
	}
	if got := Spellings("+1", "(310) 555-1234"); !slices.Contains(got, "+13105551234") {
		t.Errorf("in America: %q", got)
	}
}
