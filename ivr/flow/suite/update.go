package suite

import (
	"fmt"
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/source"
)

// Updated is a test file after Update.
type Updated struct {
	Text  []byte
	Tests []string // names of those that were rewritten
	Notes []string // what could not be kept, in sentences
}

// Update rewrites the scripts of tests that fail, and of those that have none, with what
// really happens: what people do stays, what is expected of the flow is written anew. The
// rest of the file stays as it is. The error, CodeInvalid, says that the file cannot be
// read.
func Update(lib *flow.Library, file File, o Options) (Updated, error) {
	if o.Seed == 0 {
		o.Seed = DefaultSeed
	}
	out := Updated{Text: file.Text}
	for i := 0; ; i++ {
		d := readFile(lib, File{file.Path, out.Text})
		if d.Broken() || d.flow == nil {
			return out, tandem.Errorf(tandem.CodeInvalid, "%s has mistakes: it can be updated once they are mended", file.Path)
		}
		if i >= len(d.tests) {
			return out, nil
		}
		t := d.tests[i]
		if o.Match != nil && !slices.ContainsFunc(t.channels, func(c tandem.Channel) bool { return o.Match.MatchString(t.title(c)) }) {
			continue
		}
		if len(t.channels) == 0 || d.passes(t, o) {
			continue
		}
		lines, note := d.record(t, o)
		if note != "" {
			out.Notes = append(out.Notes, note)
		}
		text := rewrite(string(out.Text), t, lines)
		if text == string(out.Text) {
			continue
		}
		out.Text = []byte(text)
		out.Tests = append(out.Tests, t.name)
	}
}

// passes tells whether a test has a script and passes on all its channels.
func (d *document) passes(t *test, o Options) bool {
	if len(t.script) == 0 {
		return false
	}
	for _, c := range t.channels {
		if p, err := d.begin(t, c, o.Seed); err != nil || p.run() != nil {
			return false
		}
	}
	return true
}

// record plays a test on its first channel and writes its script anew: kept lines are
// items of the old script, others are new.
func (d *document) record(t *test, o Options) (lines []*item, note string) {
	p, err := d.begin(t, t.channels[0], o.Seed)
	if err != nil {
		return t.script, fmt.Sprintf("%q: %v", t.name, err)
	}
	from := 0
	take := func() {
		all := p.talk.Lines()
		lines = append(lines, expectations(all[from:], false)...)
		from = len(all)
	}
	for _, it := range t.script {
		if it.expects() {
			if it.word == "var" {
				take()
				lines = append(lines, p.asItIs(it))
			}
			continue
		}
		if it.word != "surveyed" && it.word != "callback" && !(it.word == "declines" && it.text != "link") {
			for p.talk.GoOn() {
			}
		}
		take()
		if it.word == "surveyed" || it.word == "callback" { // it says itself what came
			lines = slices.DeleteFunc(lines, func(l *item) bool { return l.node == nil && l.word == it.word && l.text == it.text })
		}
		if err := p.act(it); err != nil {
			note = fmt.Sprintf("the script of %q now ends before `%s`: %v", t.name, it.source(), err)
			return lines, note
		}
		lines = append(lines, it)
	}
	for p.talk.GoOn() {
	}
	take()
	return lines, ""
}

// asItIs is a var line with the values that the variables really have.
func (p *play) asItIs(it *item) *item {
	values := map[string]any{}
	same := true
	for name, want := range it.values {
		v := p.d.variable(name)
		got, secret, ok := p.talk.Variable(name)
		switch {
		case v == nil || !ok:
			same = false
		case secret || equal(v.Type, want, got):
			values[name] = want
		default:
			values[name], same = got, false
		}
	}
	if same {
		return it
	}
	return &item{word: "var", values: values}
}

// rewrite puts lines in the place of a test's script.
func rewrite(text string, t *test, lines []*item) string {
	end := "\n"
	if strings.Contains(text, "\r\n") {
		end = "\r\n"
	}
	rows := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	e := editor{rows: rows}
	key, value := t.node.KeyOf("script"), t.node.Get("script")
	switch {
	case t.node.Flow && value == nil:
		until := e.closing(t.node.At)
		from := until
		for row := []rune(e.rows[from.Line-1]); from.Col > 1 && row[from.Col-2] == ' '; {
			from.Col--
		}
		e.replace(from, until, ", script: "+inBrackets(lines)+" ")
	case t.node.Flow && value.Kind == source.Null:
		e.insertBefore(e.after(key), ": "+inBrackets(lines))
	case t.node.Flow:
		e.replace(value.At, e.closing(value.At), inBrackets(lines))
	case value == nil:
		last := e.blockEnd(t.node.At.Line, t.node.At.Col)
		indent := strings.Repeat(" ", t.node.At.Col-1)
		e.rows = slices.Insert(e.rows, last, append([]string{indent + "script:"}, inBlock(lines, indent+"  ", nil)...)...)
	case value.Kind == source.Null:
		e.rows = slices.Insert(e.rows, key.At.Line, inBlock(lines, strings.Repeat(" ", key.At.Col+1), nil)...)
	case value.Flow:
		from := source.Place{Line: key.At.Line, Col: key.At.Col + len("script")}
		block := ":\n" + strings.Join(inBlock(lines, strings.Repeat(" ", key.At.Col+1), nil), "\n")
		e.replace(from, e.closing(value.At), block)
	default:
		first, last := value.At.Line, e.blockEnd(value.At.Line, value.At.Col)
		old := e.chunks(value, last)
		e.rows = slices.Replace(e.rows, first-1, last, inBlock(lines, strings.Repeat(" ", value.At.Col-1), old)...)
	}
	return strings.ReplaceAll(strings.Join(e.rows, "\n"), "\n", end)
}

// inBrackets writes a script in YAML's short form.
func inBrackets(lines []*item) string {
	if len(lines) == 0 {
		return "[]"
	}
	var parts []string
	for _, it := range lines {
		if y := it.source(); y == "leaves" {
			parts = append(parts, y)
		} else {
			parts = append(parts, "{ "+y+" }")
		}
	}
	return "[ " + strings.Join(parts, ", ") + " ]"
}

// inBlock writes a script a line each. old has the rows of items that were there, the
// comments above each; those of items that are gone keep their comments.
func inBlock(lines []*item, indent string, old map[*source.Node][]string) []string {
	var out []string
	for _, it := range lines {
		if rows, ok := old[it.node]; ok && it.node != nil {
			out = append(out, rows...)
		} else {
			out = append(out, indent+"- "+it.source())
		}
	}
	if len(out) == 0 {
		out = append(out, indent+"[]")
	}
	return append(out, old[nil]...)
}

// source is a line of a script as text, whether it was read or recorded.
func (it *item) source() string {
	if it.node == nil || it.word != "given" && it.outcome == "" && it.word != "ticketed" && !it.silence {
		return it.yaml()
	}
	if it.silence {
		return "waits: silence"
	}
	return it.word + ": " + nodeYAML(it.node.Entries[0].Val)
}

// nodeYAML writes a value that was read in YAML's short form.
func nodeYAML(n *source.Node) string {
	switch n.Kind {
	case source.Map:
		var parts []string
		for _, e := range n.Entries {
			parts = append(parts, scalar(e.Key.Text)+": "+nodeYAML(e.Val))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case source.List:
		var parts []string
		for _, item := range n.Items {
			parts = append(parts, nodeYAML(item))
		}
		return "[ " + strings.Join(parts, ", ") + " ]"
	case source.Text:
		if n.Style == 0 {
			return n.Text
		}
		return quoted(n.Text)
	}
	return "null"
}

// editor changes the rows of a file. Places are those of source, in characters.
type editor struct{ rows []string }

// offset is the byte of a row at which a column begins.
func (e *editor) offset(p source.Place) int {
	row := []rune(e.rows[p.Line-1])
	return len(string(row[:min(max(p.Col-1, 0), len(row))]))
}

// insertBefore writes text before a place.
func (e *editor) insertBefore(p source.Place, text string) { e.replace(p, p, text) }

// replace writes text in the place of what goes from one place to another.
func (e *editor) replace(from, until source.Place, text string) {
	before := e.rows[from.Line-1][:e.offset(from)]
	after := e.rows[until.Line-1][e.offset(until):]
	e.rows = slices.Replace(e.rows, from.Line-1, until.Line, strings.Split(before+text+after, "\n")...)
}

// after is the place behind a plain key.
func (e *editor) after(key *source.Node) source.Place {
	p := source.Place{Line: key.At.Line, Col: key.At.Col + len([]rune(key.Text))}
	row := []rune(e.rows[p.Line-1])
	if p.Col <= len(row) && row[p.Col-1] == ':' {
		e.rows[p.Line-1] = string(row[:p.Col-1]) + string(row[p.Col:])
	}
	return p
}

// closing is the place behind the bracket that closes the one at p; for a map in braces
// that lacks something, that of the brace itself.
func (e *editor) closing(p source.Place) source.Place {
	open := []rune(e.rows[p.Line-1])[p.Col-1]
	depth, quote := 0, rune(0)
	for line := p.Line; line <= len(e.rows); line++ {
		row := []rune(e.rows[line-1])
		col := 1
		if line == p.Line {
			col = p.Col
		}
		for ; col <= len(row); col++ {
			c := row[col-1]
			switch {
			case quote == '"' && c == '\\':
				col++
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case (c == '"' || c == '\'') && (col == 1 || strings.ContainsRune(" \t[{,:", row[col-2])):
				quote = c
			case c == '#' && (col == 1 || row[col-2] == ' '):
				col = len(row)
			case c == '[' || c == '{':
				depth++
			case c == ']' || c == '}':
				if depth--; depth == 0 {
					if open == '{' {
						return source.Place{Line: line, Col: col}
					}
					return source.Place{Line: line, Col: col + 1}
				}
			}
		}
	}
	return source.Place{Line: len(e.rows), Col: len([]rune(e.rows[len(e.rows)-1])) + 1}
}

// blockEnd is the number of the last row of the list or map that begins in row first,
// at column col.
func (e *editor) blockEnd(first, col int) int {
	list := strings.HasPrefix(strings.TrimLeft(e.rows[first-1], " "), "-") && indentOf(e.rows[first-1])+1 == col
	last := first
	for n := first + 1; n <= len(e.rows); n++ {
		row := e.rows[n-1]
		trimmed := strings.TrimSpace(row)
		indent := indentOf(row) + 1
		switch {
		case trimmed == "":
			continue
		case trimmed[0] == '#':
			if indent >= col {
				last = n
			}
			continue
		case indent < col || list && indent == col && !strings.HasPrefix(trimmed, "-"):
			return last
		}
		last = n
	}
	return last
}

func indentOf(row string) int { return len(row) - len(strings.TrimLeft(row, " ")) }

// chunks are the rows of each item of a list, with the comments above it; under nil
// those that belong to no item. The list ends with row last.
func (e *editor) chunks(list *source.Node, last int) map[*source.Node][]string {
	out := map[*source.Node][]string{}
	from := list.At.Line
	for i, n := range list.Items {
		until := last
		if i+1 < len(list.Items) {
			until = list.Items[i+1].At.Line - 1
			for until > n.At.Line && strings.HasPrefix(strings.TrimSpace(e.rows[until-1]), "#") {
				until--
			}
		} else {
			for until > n.At.Line && strings.HasPrefix(strings.TrimSpace(e.rows[until-1]), "#") {
				until--
			}
			out[nil] = slices.Clone(e.rows[until:last])
		}
		out[n] = slices.Clone(e.rows[from-1 : until])
		from = until + 1
	}
	return out
}

// Append writes a talk as a test at the end of a test file, or as a new one if text is
// empty. The error, CodeInvalid, says that the file cannot be added to; CodeConflict,
// that it has a test of the name.
func Append(lib *flow.Library, file File, t Talk) ([]byte, error) {
	name := t.Talk.Flow().Name
	if strings.TrimSpace(string(file.Text)) == "" {
		return []byte("flow: " + name + "\n\ntests:\n" + t.yaml(lib, "  ")), nil
	}
	d := readFile(lib, file)
	switch {
	case d.Broken() || d.flow == nil:
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s has mistakes: a test can be added once they are mended", file.Path)
	case d.flow.Name != name:
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s tests the flow %s, not %s", file.Path, d.flow.Name, name)
	case slices.ContainsFunc(d.tests, func(old *test) bool { return old.name == t.Name }):
		return nil, tandem.Errorf(tandem.CodeConflict, "%s has a test %q already", file.Path, t.Name)
	}
	text := strings.ReplaceAll(string(file.Text), "\r\n", "\n")
	e := editor{rows: strings.Split(text, "\n")}
	tests, key := d.Root.Get("tests"), d.Root.KeyOf("tests")
	if tests.Flow && len(tests.Items) > 0 {
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s has its tests in [ ]: put each on lines of its own after `- `, then one can be added", file.Path)
	}
	indent, at := "  ", key.At.Line
	switch {
	case tests.Flow:
		e.replace(source.Place{Line: key.At.Line, Col: key.At.Col + len("tests")}, e.closing(tests.At), ":")
	case tests.Kind == source.List && len(tests.Items) > 0:
		indent = strings.Repeat(" ", tests.At.Col-1)
		at = e.blockEnd(tests.At.Line, tests.At.Col)
	}
	e.rows = slices.Insert(e.rows, at, strings.Split(strings.TrimSuffix(t.yaml(lib, indent), "\n"), "\n")...)
	text = strings.Join(e.rows, "\n")
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if strings.Contains(string(file.Text), "\r\n") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return []byte(text), nil
}

// Secrets tells whether a talk has values of secrets, which its test would show.
func (t Talk) Secrets() bool {
	return slices.ContainsFunc(t.Talk.Lines(), func(l simulate.Line) bool { return l.Secret != "" })
}
