package survey

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// asks reports whether a channel can take the answer to a field.
func asks(channel tandem.Channel, f *flow.FormField) bool {
	return channel != tandem.Voice || f.ByKeys()
}

// keys is how many keys complete an answer by voice; 0 = # or a pause does.
func keys(f *flow.FormField) int {
	switch f.Type.Kind {
	case expression.Bool:
		return 1
	case expression.Enum:
		return len(strconv.Itoa(len(f.Type.Values)))
	case expression.Int:
		if f.Most > 0 {
			return len(strconv.Itoa(f.Most))
		}
	}
	return 0
}

// answer makes a value of what was entered; ok is false if it is no answer.
func answer(channel tandem.Channel, f *flow.FormField, text string) (value any, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" || utf8.RuneCountInString(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unkept) {
		return nil, false
	}
	switch f.Type.Kind {
	case expression.Bool:
		return yesNo(flow.Fold(text))
	case expression.Enum:
		return chosen(f, flow.Fold(text))
	case expression.Int:
		n, ok := number(flow.Fold(text), channel)
		if !ok || (f.Least != 0 || f.Most != 0) && (n < f.Least || n > f.Most) {
			return nil, false
		}
		return n, true
	case expression.Text:
		return text, true
	case expression.Digits, expression.Phone:
		text = strings.NewReplacer(" ", "", "-", "", "#", "").Replace(flow.Fold(text))
	case expression.Decimal, expression.Money, expression.Date, expression.Time, expression.Email:
		text = strings.ReplaceAll(flow.Fold(text), "：", ":")
	}
	value, err := expression.Convert(f.Type, text)
	return value, err == nil && text != ""
}

// unkept are characters that nobody can see and no text needs.
func unkept(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }

func yesNo(folded string) (any, bool) {
	switch {
	case slices.Contains([]string{"1", "yes", "y", "yeah", "yep", "ok", "sure", "是", "是的", "对", "好", "有", "可以", "满意"}, folded):
		return true, true
	case slices.Contains([]string{"2", "no", "n", "nope", "不", "不是", "不对", "否", "没有", "不可以", "不满意"}, folded):
		return false, true
	}
	return nil, false
}

// chosen reads a choice: its number, its value, or a label of it in any language.
func chosen(f *flow.FormField, folded string) (any, bool) {
	if n, err := strconv.Atoi(strings.TrimRight(folded, "#")); err == nil && n >= 1 && n <= len(f.Type.Values) {
		return f.Type.Values[n-1], true
	}
	for _, v := range f.Type.Values {
		if flow.Fold(v) == folded {
			return v, true
		}
		if p := f.Labels[v]; p != nil {
			for _, w := range p.ByLang {
				if flow.Fold(written(w)) == folded {
					return v, true
				}
			}
		}
	}
	return nil, false
}

// number reads a whole number as people write one: alone, or the only one in a few words.
func number(folded string, channel tandem.Channel) (int, bool) {
	if channel == tandem.Voice {
		n, err := strconv.Atoi(strings.TrimRight(folded, "#"))
		return n, err == nil
	}
	if n, ok := numerals()[folded]; ok {
		return n, true
	}
	runs := strings.FieldsFunc(folded, func(r rune) bool { return r < '0' || r > '9' })
	if len(runs) != 1 || len(folded) > 40 {
		return 0, false
	}
	n, err := strconv.Atoi(runs[0])
	if before := folded[:strings.Index(folded, runs[0])]; strings.HasSuffix(before, "-") || strings.HasSuffix(before, ".") {
		n = -n
	}
	rest := folded[strings.Index(folded, runs[0])+len(runs[0]):]
	return n, err == nil && !strings.HasPrefix(rest, ".")
}

// numerals are the small numbers as words.
func numerals() map[string]int {
	out := map[string]int{"〇": 0, "零分": 0, "两": 2, "两分": 2}
	for i, w := range []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"} {
		out[w] = i
	}
	for i, w := range []string{"零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十"} {
		out[w], out[w+"分"], out[w+"星"] = i, i, i
	}
	return out
}

// stops reports whether the customer wants to be asked no more.
func stops(channel tandem.Channel, text string) bool {
	if channel == tandem.Voice {
		return strings.HasPrefix(text, "*")
	}
	return slices.Contains([]string{"stop", "quit", "cancel", "exit", "no thanks", "no thank you", "停止", "退出", "取消", "不用", "不用了", "不了", "算了"}, flow.Fold(text))
}

// passes reports whether the customer passes a question over.
func passes(text string) bool {
	return slices.Contains([]string{"skip", "pass", "next", "跳过", "略过", "下一题"}, flow.Fold(text))
}

// written is a prompt's words as text; "" = it has none, or only a recording.
func written(w *flow.Words) string {
	if w == nil || w.Text == nil {
		return ""
	}
	s, err := w.Text.Text(nil) // plain: no value is known here
	if err != nil {
		return ""
	}
	return s
}
