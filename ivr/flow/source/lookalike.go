package source

import (
	"fmt"
	"strings"
	"unicode"
)

// latin is the plain letter that a letter of another script cannot be told from.
var latin = map[rune]rune{
	'а': 'a', 'в': 'b', 'е': 'e', 'к': 'k', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ј': 'j', 'ѕ': 's', 'ԁ': 'd', 'һ': 'h',
	'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T', 'Х': 'X', 'І': 'I', 'Ј': 'J', 'Ѕ': 'S',
	'ο': 'o', 'ν': 'v', 'ρ': 'p', 'ι': 'i', 'Α': 'A', 'Β': 'B', 'Ε': 'E', 'Ζ': 'Z', 'Η': 'H', 'Ι': 'I', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ο': 'O',
	'Ρ': 'P', 'Τ': 'T', 'Υ': 'Y', 'Χ': 'X',
}

// unseen reports characters that take no room, or turn the direction of what follows: a
// reader of the file cannot know that they are there.
func unseen(r rune) bool {
	switch {
	case r == '\u00ad', r == '\u200b', r == '\u200e', r == '\u200f', r == '\u2060', r == '\ufeff':
		return true
	}
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// Plain is the sign of a plain keyboard for one of a Chinese or Japanese keyboard, or for
// a typographer's quotation mark; 0 for any other character.
func Plain(r rune) rune {
	switch r {
	case '“', '”', '„', '«', '»':
		return '"'
	case '‘', '’':
		return '\''
	case '、':
		return ','
	case '。':
		return '.'
	case '\u3000':
		return ' '
	}
	if r >= '！' && r <= '～' { // in ASCII's order
		return r - '！' + '!'
	}
	return 0
}

// FullWidth says of a sign that Plain knows what it is, for a message.
func FullWidth(r rune) string {
	if r >= '！' && r <= '～' || r == '\u3000' {
		return fmt.Sprintf("`%c` is a full-width sign (U+%04X)", r, r)
	}
	return fmt.Sprintf("`%c` (U+%04X) is not a sign of a plain keyboard", r, r)
}

// structure is the signs that YAML is made of.
const structure = `:,"'{}[]#-`

// fullWidthNear looks for a sign of YAML's in full width, outside quotes, on the line at
// which the file could not be read or on the two before it, and reports it.
func (f *File) fullWidthNear(p Place) bool {
	for line := p.Line; line > max(0, p.Line-3); line-- {
		if line > len(f.lines) {
			continue
		}
		quote := rune(0)
		for at, r := range []rune(f.lines[line-1]) {
			switch {
			case quote != 0:
				if r == quote {
					quote = 0
				}
				continue
			case r == '"' || r == '\'':
				quote = r
				continue
			}
			if plain := Plain(r); plain != 0 && strings.ContainsRune(structure, plain) {
				f.Report(Error, Place{line, at + 1}, 1, "look-alike", fmt.Sprintf("write `%c`, with the keyboard in English; put quotes around text that holds such signs", plain), "%s, and YAML does not take it for `%c`", FullWidth(r), plain)
				return true
			}
		}
	}
	return false
}

// lookAlikes reports characters that are not what they seem, anywhere in the file: a
// phrase with one of them is never matched, a name never found.
func (f *File) lookAlikes() {
	for i, line := range f.lines {
		if !strings.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }) {
			continue
		}
		runes := []rune(line)
		amid := mixed(runes)
		for at, r := range runes {
			here := Place{i + 1, at + 1}
			switch plain := latin[r]; {
			case unseen(r):
				f.Report(Error, here, 1, "look-alike", "remove it", "a character that cannot be seen stands here (U+%04X)", r)
			case plain != 0 && amid[at]:
				f.Report(Error, here, 1, "look-alike", fmt.Sprintf("type %q on a plain keyboard", string(plain)), "%q only looks like %q: it is U+%04X", string(r), string(plain), r)
			case r == '＄' && at+1 < len(runes) && (runes[at+1] == '{' || runes[at+1] == '｛'), r == '｛' && at > 0 && runes[at-1] == '$':
				f.Report(Error, here, 1, "look-alike", "write ${…} with plain signs", "%q only looks like %q: it is U+%04X", string(r), string(r-'！'+'!'), r)
			}
		}
	}
}

// mixed marks the words that have plain letters in them: a word is of one script, and a
// word wholly of another script is meant as it is.
func mixed(runes []rune) []bool {
	out := make([]bool, len(runes))
	for from := 0; from < len(runes); from++ {
		until, plain := from, false
		for ; until < len(runes) && (unicode.IsLetter(runes[until]) || runes[until] == '_' || unicode.IsDigit(runes[until])); until++ {
			plain = plain || runes[until] <= unicode.MaxASCII && unicode.IsLetter(runes[until])
		}
		for i := from; i < until; i++ {
			out[i] = plain
		}
		from = max(from, until)
	}
	return out
}
