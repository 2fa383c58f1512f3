package program

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// What people slip into often enough to be told what they meant.

// gather reports steps that stand beside the head of the flow, for want of `steps:` or of
// their indentation, and puts them where they belong, so that this is the only mistake
// that is told of them.
func gather(f *Document) {
	steps := f.Root.Get("steps")
	if steps != nil && steps.Kind != source.Null {
		return
	}
	strays := &source.Node{Kind: source.Map}
	var rest []source.Entry
	for _, e := range f.Root.Entries {
		switch {
		case !slices.Contains(flowKeys, e.Key.Text) && e.Val.Kind == source.Map && slices.ContainsFunc(verbNames, func(verb string) bool { return e.Val.Get(verb) != nil }):
			strays.Entries = append(strays.Entries, e)
		case e.Key.Text != "steps":
			rest = append(rest, e)
		}
	}
	if len(strays.Entries) == 0 {
		return
	}
	first := strays.Entries[0].Key
	strays.At = first.At
	if steps != nil {
		f.Fail(f.Root.KeyOf("steps"), "empty-value", "put two spaces before each line of the steps that follow", "`steps` is empty: `%s` and what comes after it is not indented under it", first.Text)
	} else {
		f.Fail(first, "missing-key", "put a line `steps:` before it, and two spaces before each line of the steps", "the flow has no `steps`: `%s` is a step, and steps stand under `steps:`", first.Text)
	}
	f.Root.Entries = append(rest, source.Entry{Key: &source.Node{Kind: source.Text, Text: "steps", At: first.At}, Val: strays})
}

var (
	unrecognized = regexp.MustCompile(`^unrecognized character: U\+([0-9A-F]{4,6})`)
	unknownName  = regexp.MustCompile(`^unknown name "(.+)"$`)
	fewWords     = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}_ ,.!?-]*$`)
)

// odd is the character that a message of the expression's reader is about, if Plain knows
// a better one.
func odd(message string) (rune, bool) {
	if m := unrecognized.FindStringSubmatch(message); m != nil {
		if code, err := strconv.ParseInt(m[1], 16, 32); err == nil && source.Plain(rune(code)) != 0 {
			return rune(code), true
		}
	}
	if m := unknownName.FindStringSubmatch(message); m != nil {
		for _, r := range m[1] {
			if source.Plain(r) != 0 {
				return r, true
			}
		}
	}
	return 0, false
}

// meantAsText gives the fix for words that lack the quotes of a text within an expression.
func (ff *File) meantAsText(src string, want *expression.Type, err error) error {
	var e *expression.Error
	if !errors.As(err, &e) {
		return err
	}
	src = strings.TrimSpace(src)
	if m := unknownName.FindStringSubmatch(e.Message); m != nil {
		if ff.isValue(m[1]) {
			write := "'" + m[1] + "'"
			if m[1] == src {
				write = `"` + write + `"`
			}
			return &expression.Error{Col: e.Col, Message: e.Message, Hint: "a text within an expression has quotes of its own: write " + write}
		}
		if m[1] == src && e.Hint != "" {
			return err // a name that is nearly one of the flow's
		}
	} else if !strings.HasPrefix(e.Message, "unexpected token") {
		return err
	}
	texts := []expression.Kind{expression.Text, expression.Enum, expression.Phone, expression.Email}
	if want == nil || !slices.Contains(texts, want.Kind) || !fewWords.MatchString(src) {
		return err
	}
	return &expression.Error{Col: e.Col, Message: e.Message, Hint: fmt.Sprintf(`a text within an expression has quotes of its own: write "'%s'"`, src)}
}

// isValue reports a word that is a value of an enum of the flow, or a channel.
func (ff *File) isValue(word string) bool {
	if slices.Contains(channels, word) {
		return true
	}
	return slices.ContainsFunc(slices.Concat(ff.Flow.Inputs, ff.Flow.Vars), func(v *flow.Variable) bool {
		return v.Type != nil && slices.Contains(v.Type.Values, word)
	})
}

var (
	filled   = regexp.MustCompile(`\$\$?\{[^}]*\}`)
	braced   = regexp.MustCompile(`\{\{\s*([\p{L}_][\p{L}\p{N}_.]*)\s*\}\}`)
	notQuite = regexp.MustCompile(`\{\s*([\p{L}_][\p{L}\p{N}_.]*)\s*\}|\$([\p{L}_][\p{L}\p{N}_]*)`)
)

// unfilled reports values that a text is meant to hold and that are written as other
// languages do: {{x}} in any case, {x} and $x where x is a name of the flow.
func (ff *File) unfilled(n *source.Node, env *expression.Env) {
	text := filled.ReplaceAllStringFunc(n.Text, func(s string) string { return strings.Repeat(" ", len(s)) })
	told := func(at []int, name string) {
		ff.FailWithin(n, len([]rune(n.Text[:at[0]]))+1, "placeholder", "write ${"+name+"}", "`%s` is said as it stands: nothing is filled in there", n.Text[at[0]:at[1]])
	}
	if m := braced.FindStringSubmatchIndex(text); m != nil {
		told(m, text[m[2]:m[3]])
		return
	}
	for _, m := range notQuite.FindAllStringSubmatchIndex(text, -1) {
		name := text[max(m[2], m[4]):max(m[3], m[5])]
		if strings.HasSuffix(text[:m[0]], "＄") {
			continue // a look-alike, which is told of
		}
		if _, err := env.Compile(name, nil); err == nil {
			told(m, name)
			return
		}
	}
}

// strangeQuotes reports a text that is wholly within quotation marks which are not YAML's.
func (ff *File) strangeQuotes(n *source.Node) {
	for open, shut := range map[string]string{"“": "”", "‘": "’"} {
		if n.Style != 0 || !strings.HasPrefix(n.Text, open) || !strings.HasSuffix(n.Text, shut) || strings.Count(n.Text, open) > 1 {
			continue
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(n.Text, open), shut)
		ff.Fail(n, "look-alike", fmt.Sprintf("write \"%s\"; if they are meant to be seen, \"%s\"", inner, n.Text), "these quotation marks are not YAML's, but part of the text")
	}
}
