package source

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"tandem/internal/nearest"
)

// Severities of a diagnostic.
const (
	Error   = "error"   // the library cannot serve
	Warning = "warning" // it can, but somebody should look
)

// Diagnostic is one thing wrong in one place of a file.
type Diagnostic struct {
	File       string `json:"file"`
	Line       int    `json:"line"`   // from 1
	Column     int    `json:"column"` // from 1, in characters
	Severity   string `json:"severity"`
	Rule       string `json:"rule"` // a stable name, kebab-case
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"` // what to write instead; "" = nothing to add

	// Snippet is the line in question, Width how many characters of it are meant.
	Snippet string `json:"-"`
	Width   int    `json:"-"`
}

// HasErrors reports whether any of ds is an error.
func HasErrors(ds []Diagnostic) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// Print writes ds for people, the line in question below each; color is for terminals.
func Print(w io.Writer, ds []Diagnostic, color bool) {
	paint := func(code, s string) string {
		if !color {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	for i, d := range ds {
		if i > 0 {
			fmt.Fprintln(w)
		}
		shade := "1;31"
		if d.Severity == Warning {
			shade = "1;33"
		}
		fmt.Fprintf(w, "%s:%d:%d: %s: %s\n", d.File, d.Line, d.Column, paint(shade, d.Severity+"["+d.Rule+"]"), d.Message)
		if d.Snippet != "" {
			number := fmt.Sprintf("%5d", d.Line)
			line, caret := underline(d.Snippet, d.Column, d.Width)
			fmt.Fprintf(w, "%s | %s\n", number, line)
			fmt.Fprintf(w, "%s | %s\n", strings.Repeat(" ", len(number)), paint(shade, caret))
		}
		if d.Suggestion != "" {
			fmt.Fprintf(w, "  %s %s\n", paint("1;32", "fix:"), d.Suggestion)
		}
	}
}

// PrintJSON writes ds as a list for programs.
func PrintJSON(w io.Writer, ds []Diagnostic) error {
	if ds == nil {
		ds = []Diagnostic{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(ds)
}

const maxSnippet = 160 // characters of a line that are shown

// underline cuts a long line to the part around the column and makes the line of
// carets below it. Wide characters take two columns of a terminal.
func underline(line string, column, width int) (shown, carets string) {
	runes := []rune(line)
	at := min(max(column-1, 0), len(runes))
	from, until := 0, len(runes)
	if until > maxSnippet {
		from = max(0, min(at-maxSnippet/2, until-maxSnippet))
		until = from + maxSnippet
	}
	var b strings.Builder
	for _, r := range runes[from:at] {
		switch {
		case r == '\t':
			b.WriteByte('\t')
		case wide(r):
			b.WriteString("  ")
		default:
			b.WriteByte(' ')
		}
	}
	n := 0
	for _, r := range runes[at:min(at+max(width, 1), until)] {
		n++
		if wide(r) {
			n++
		}
	}
	b.WriteString(strings.Repeat("^", max(n, 1)))
	printable := strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r == 0x7f || r == utf8.RuneError) {
			return '?'
		}
		return r
	}, string(runes[from:until]))
	return printable, b.String()
}

// wide reports whether a terminal gives r two columns: East Asian scripts, their
// punctuation and full-width forms, and pictures.
func wide(r rune) bool {
	return r >= 0x1100 && r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
		r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd
}

// Sort sorts by file, then place; equal places keep the order they were found in.
func Sort(ds []Diagnostic) {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

const maxListed = 24 // names that a fix spells out

// DidYouMean makes the fix for an unknown name: the nearest, or the list of them.
func DidYouMean(word string, candidates []string) string {
	if near := nearest.Name(word, candidates); near != "" {
		return fmt.Sprintf("write `%s`", near)
	}
	if len(candidates) == 0 {
		return ""
	}
	if more := len(candidates) - maxListed; more > 1 {
		return fmt.Sprintf("use one of: %s … and %d more", strings.Join(candidates[:maxListed], ", "), more)
	}
	return "use one of: " + strings.Join(candidates, ", ")
}
