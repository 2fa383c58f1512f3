package complete

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"tandem/ivr/flow/schema"
)

// Item is one thing that may be written at a place.
type Item struct {
	Label  string // what it is called, and what is typed of it is compared with
	Kind   string // key, verb, outcome, step, prompt, variable, function, name or word
	Detail string // one word or form beside it: a type, the signature, outcomes
	Info   string // a sentence
	Insert string // what to write instead of what was typed
}

// At lists what may be written at a place of a text, which may be broken or half
// written. line and column count from 1, columns in characters, as in diagnostics; the
// column is the one before which the cursor stands. What is written from the column
// from up to the cursor is what an item stands for. names may be nil.
func At(src string, line, column int, names *schema.Names) (from int, items []Item) {
	if names == nil {
		names = &schema.Names{}
	}
	rows := lines(src)
	line = min(max(line, 1), len(rows))
	row := []rune(rows[line-1])
	column = min(max(column, 1), len(row)+1)
	c := &completer{names: names, rows: rows, line: line, row: row, cursor: column - 1, file: outlineOf(rows)}
	c.find()
	if c.nothing {
		return column, nil
	}
	items = c.items() // which may begin later, inside an expression
	return c.from + 1, items
}

// completer is one question.
type completer struct {
	names  *schema.Names
	file   *outline
	rows   []string
	line   int    // from 1
	row    []rune // of the cursor
	cursor int    // characters before it

	path    []string // of the map, or of the value
	isKey   bool
	isItem  bool // at the begin of a list's item, where a key may come too
	before  []string
	from    int  // where the word begins that is being written
	quote   byte // around it
	word    string
	nothing bool // a comment, or after a value
}

// find says where the cursor is.
func (c *completer) find() {
	s := newScanner()
	s.scan(append(slices.Clone(c.rows[:c.line-1]), string(c.row[:c.cursor])))
	t := s.last
	c.from, c.quote = t.at, t.quote
	if t.quote == '"' || t.quote == '\'' {
		c.from++
	}
	c.from = min(c.from, c.cursor)
	c.word = string(c.row[c.from:c.cursor])
	blank := strings.TrimSpace(string(c.row[:c.cursor])) == ""
	switch {
	case t.quote == '|':
		c.path = s.path()
		return
	case t.there && t.ended:
		c.nothing = true
		return
	case blank && (s.top() == nil || s.top().open == 0):
		s.leave(c.cursor, false)
		c.from, c.word = c.cursor, ""
	case t.there && (s.top() == nil || s.top().open == 0) && strings.TrimSpace(string(c.row[:t.at])) == "":
		s.leave(t.at, false) // a key that is being written
	default:
		f := s.top()
		if f == nil {
			break
		}
		dash := f.list && f.open == 0
		c.isKey = f.open == '{' && f.key == "" || dash
		c.isItem = f.list
		c.path, c.before = s.path(), f.keys
		if c.isKey && !dash {
			c.before = f.keys
		}
		return
	}
	c.isKey, c.path = true, s.path()
	if f := s.top(); f != nil && !f.list && f.open == 0 && f.indent == c.from {
		c.before = f.keys
		if n := len(c.path); n > 0 && f.key != "" {
			c.path = c.path[:n-1]
		}
	}
}

// typed is one type that a place may have, with the words that belong to it.
type typed struct {
	typ   reflect.Type
	words []string
}

// expand replaces a type of several forms by these.
func expand(list []typed) []typed {
	var out []typed
	for _, t := range list {
		forms := schema.Forms(t.typ)
		if forms == nil {
			out = append(out, t)
			continue
		}
		for _, f := range forms {
			words := f.Words
			if words == nil {
				words = t.words
			}
			out = append(out, expand([]typed{{f.Type, words}})...)
		}
	}
	return out
}

// types walks from a file's type to a place in it.
func (c *completer) types() []typed {
	at := []typed{{c.file.kind(c.names.File).Type, nil}}
	for _, key := range c.path {
		var next []typed
		for _, t := range expand(at) {
			switch t.typ.Kind() {
			case reflect.Slice:
				if key == "[]" {
					next = append(next, typed{t.typ.Elem(), t.words})
				}
			case reflect.Map:
				if key != "[]" {
					next = append(next, typed{t.typ.Elem(), t.words})
				}
			case reflect.Struct:
				for _, f := range schema.Properties(t.typ) {
					if f.Key == key {
						next = append(next, typed{f.Type, f.Words})
					}
				}
			}
		}
		at = next
	}
	return expand(at)
}

func (c *completer) items() []Item {
	var out []Item
	for _, t := range c.types() {
		if c.isKey {
			out = append(out, c.keys(t.typ)...)
		}
		if !c.isKey || c.isItem {
			out = append(out, c.values(t)...)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(i Item) bool {
		twice := seen[i.Label]
		seen[i.Label] = true
		return twice
	})
}

// keys lists the keys of a map that are not there yet.
func (c *completer) keys(t reflect.Type) []Item {
	there := append(slices.Clone(c.before), c.after()...)
	colon := ": "
	if rest := strings.TrimLeft(string(c.row[c.cursor:]), "abcdefghijklmnopqrstuvwxyz_0123456789"); strings.HasPrefix(rest, ":") {
		colon = "" // the key is being changed
	}
	var out []Item
	add := func(label, kind, detail, info string) {
		if !slices.Contains(there, label) {
			out = append(out, Item{label, kind, detail, info, label + colon})
		}
	}
	if t.Kind() == reflect.Map {
		c.mapKeys(t, add)
		if t.Key() == reflect.TypeFor[schema.SkillName]() && c.quote == 0 {
			for i := range out { // most have a colon in them
				out[i].Insert = `"` + out[i].Label + `"` + colon
			}
		}
		return out
	}
	hasVerb := false
	if t == reflect.TypeFor[schema.StepBody]() {
		hasVerb = slices.ContainsFunc(there, func(k string) bool { return schema.VerbNamed(k) != nil })
		for _, v := range schema.Verbs() {
			if !hasVerb {
				add(v.Key, "verb", strings.Join(v.Variants[0].Outcomes, ", "), v.About(c.names.Lang))
			}
		}
	}
	for _, f := range schema.Properties(t) {
		if t == reflect.TypeFor[schema.StepBody]() && schema.VerbNamed(f.Key) != nil || f.Key == "next" && slices.Contains(there, "end") {
			continue
		}
		add(f.Key, "key", hint(&f), f.About(c.names.Lang))
	}
	return out
}

// hint is the detail of a key: its words or its default.
func hint(f *schema.Property) string {
	switch {
	case f.Default != "":
		return "= " + f.Default
	case len(f.Words) > 0:
		return strings.Join(f.Words, " | ")
	}
	return ""
}

// mapKeys lists the keys of a map whose keys are names.
func (c *completer) mapKeys(t reflect.Type, add func(label, kind, detail, info string)) {
	switch t.Key() {
	case reflect.TypeFor[schema.Outcome]():
		verb, outcomes := c.outcomes()
		for _, o := range outcomes {
			add(o, "outcome", "", schema.AboutOutcome(verb, o, c.names.Lang))
		}
	case reflect.TypeFor[schema.Language]():
		for _, l := range c.file.languages {
			add(l, "word", "", "")
		}
	case reflect.TypeFor[schema.VariableName]():
		for _, v := range c.variables() {
			if !strings.Contains(v.Name, ".") {
				add(v.Name, "variable", v.Type, "")
			}
		}
	case reflect.TypeFor[schema.Days]():
		for _, d := range []string{"mon-fri", "mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
			add(d, "word", "", "")
		}
	case reflect.TypeFor[schema.QueueName](), reflect.TypeFor[schema.FormName]():
		for _, name := range c.names.Of(t.Key()) {
			add(name, "name", "", "")
		}
	case reflect.TypeFor[schema.SkillName]():
		if slices.Contains(c.path, "relax") {
			add("*", "word", "", "")
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.names.Skills, c.file.below["skills"])))) {
			add(name, "name", "", "")
		}
	case reflect.TypeFor[schema.Plain]():
		if f := c.tested(); f != nil && len(c.path) > 0 && c.path[len(c.path)-1] == "http" {
			for _, s := range f.HTTP {
				add(s, "step", "", "")
			}
		}
	case reflect.TypeFor[schema.NewName]():
		if len(c.path) == 4 && c.path[2] == "subflow" && c.path[3] == "with" {
			if f := c.names.Flow(c.inStep(`\bname: *([a-z][a-z0-9_]*)`)); f != nil {
				for _, in := range f.Inputs {
					add(in.Name, "variable", in.Type, "")
				}
			}
		}
	}
}

// tested is the flow that a test file tests, nil in any other file.
func (c *completer) tested() *schema.FlowNames {
	if c.file.kind(c.names.File).Name != "test" {
		return nil
	}
	return c.names.Flow(c.file.values["flow"])
}

// outcomes lists those that next of this step can have, with its verb.
func (c *completer) outcomes() (verb string, out []string) {
	body := c.stepText()
	for _, v := range schema.Verbs() {
		if !regexp.MustCompile(`(?m)(^|[{,] *|^ +)` + v.Key + `:`).MatchString(body) {
			continue
		}
		verb, out = v.Key, v.Variants[len(v.Variants)-1].Outcomes
		for _, one := range v.Variants {
			key := one.When[strings.LastIndexByte(one.When, '.')+1:]
			if key != "" && regexp.MustCompile(`\b`+key+`:`).MatchString(afterVerb(body, v.Key)) {
				out = one.Outcomes
			}
		}
		if v.Key == "subflow" {
			if f := c.names.Flow(c.inStep(`\bname: *([a-z][a-z0-9_]*)`)); f != nil {
				out = f.Outcomes
			}
		}
		break
	}
	out = slices.Clone(out)
	for _, extra := range [][2]string{{schema.Else, ""}, {schema.Skipped, "if"}, {schema.Loop, "max_visits"}, {schema.NotAssured, "needs"}} {
		if !slices.Contains(out, extra[0]) && (extra[1] == "" || regexp.MustCompile(`(?m)(^ *|[{,] *)`+extra[1]+`:`).MatchString(body)) {
			out = append(out, extra[0])
		}
	}
	return verb, out
}

// afterVerb is the text of a step from a verb up to next.
func afterVerb(body, verb string) string {
	_, after, _ := strings.Cut(body, verb+":")
	before, _, _ := strings.Cut(after, "next:")
	return before
}

// inStep finds something in the text of the step around the cursor.
func (c *completer) inStep(form string) string {
	if m := regexp.MustCompile(form).FindStringSubmatch(c.stepText()); m != nil {
		return m[1]
	}
	return ""
}

// stepText is the text of the step around the cursor, without its name.
func (c *completer) stepText() string {
	if len(c.path) < 2 || c.path[0] != "steps" {
		return ""
	}
	begin := c.line - 1
	key := regexp.MustCompile(`^( +)["']?` + regexp.QuoteMeta(c.path[1]) + `["']?:`)
	for begin >= 0 && !key.MatchString(c.rows[begin]) {
		begin--
	}
	if begin < 0 {
		return ""
	}
	m := key.FindStringSubmatch(c.rows[begin])
	text := []string{c.rows[begin][len(m[0]):]}
	for _, row := range c.rows[begin+1:] {
		if strings.TrimSpace(row) != "" && len(row)-len(strings.TrimLeft(row, " ")) <= len(m[1]) {
			break
		}
		text = append(text, row)
	}
	return strings.Join(text, "\n")
}

// after lists the keys of the same map that come after the cursor.
func (c *completer) after() []string {
	var out []string
	rest := string(c.row[c.cursor:])
	if i := strings.IndexAny(rest, "}"); i >= 0 { // in brackets on one line
		for _, m := range regexp.MustCompile(`(?:^|[,{])\s*([a-z_]+):`).FindAllStringSubmatch(unnested(rest), -1) {
			out = append(out, m[1])
		}
		return out
	}
	indent := strings.Repeat(" ", c.from)
	for _, row := range c.rows[c.line:] {
		deep, same := strings.HasPrefix(row, indent+" "), strings.HasPrefix(row, indent)
		if strings.TrimSpace(row) != "" && !same {
			break
		}
		if key, _, ok := strings.Cut(strings.TrimSpace(row), ":"); ok && same && !deep {
			out = append(out, key)
		}
	}
	return out
}

// unnested is a text up to the bracket that closes what is around it, without what
// stands in brackets of its own.
func unnested(s string) string {
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch r {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return b.String()
			}
		default:
			if depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}
