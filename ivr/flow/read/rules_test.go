package read

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"tandem/media/wav"

	"tandem/ivr/flow/source"
)

// rulesInCode are the rule names that the code of all readers and checks reports, with their places.
func rulesInCode(t *testing.T) map[string]string {
	t.Helper()
	at := map[string]int{"Fail": 1, "Warn": 1, "FailWithin": 2, "Report": 3, "failOnce": 3, "Unknown": 1}
	var paths []string
	for _, dir := range []string{"../source", "../calendar", "../beside", "../check", "../program", "."} {
		found, _ := filepath.Glob(dir + "/*.go")
		if len(found) == 0 {
			t.Fatalf("no code in %s", dir)
		}
		paths = append(paths, found...)
	}
	rules := map[string]string{}
	fset := token.NewFileSet()
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				sel, ok := n.Fun.(*ast.SelectorExpr)
				if i, known := at[selName(sel, ok)]; known && i < len(n.Args) {
					if lit, ok := n.Args[i].(*ast.BasicLit); ok {
						rule, _ := strconv.Unquote(lit.Value)
						rules[rule] = fset.Position(n.Pos()).String()
					}
				}
			case *ast.FuncDecl:
				if n.Name.Name != "refused" {
					return true
				}
				ast.Inspect(n, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						if lit, ok := r.Results[0].(*ast.BasicLit); ok && lit.Value != `""` {
							rule, _ := strconv.Unquote(lit.Value)
							rules[rule] = fset.Position(r.Pos()).String()
						}
					}
					return true
				})
			}
			return true
		})
	}
	return rules
}

func selName(sel *ast.SelectorExpr, ok bool) string {
	if !ok {
		return ""
	}
	return sel.Sel.Name
}

// TestEveryRuleIsShown: each rule has a broken file with its golden message, and a
// line in the language page; the page has no rule the code does not know.
func TestEveryRuleIsShown(t *testing.T) {
	rules := rulesInCode(t)
	if len(rules) < 40 {
		t.Fatalf("found only %d rules in the code", len(rules))
	}
	var goldens strings.Builder
	paths, _ := filepath.Glob("testdata/broken/*.golden")
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		goldens.Write(data)
	}
	documented := map[string]bool{}
	for _, r := range source.Rules() {
		documented[r.ID] = true
		if rules[r.ID] == "" {
			t.Errorf("the list tells of rule %s, which the code does not report", r.ID)
		}
	}
	for rule, place := range rules {
		// TestBounds shows file-size: such files are too large to keep.
		if rule != "file-size" && !strings.Contains(goldens.String(), "["+rule+"]") {
			t.Errorf("%s: no broken file shows rule %s", place, rule)
		}
		if !documented[rule] {
			t.Errorf("%s: source.Rules does not tell of rule %s", place, rule)
		}
	}
}

// pageHead is what the steps shown in the language page stand on.
const pageHead = `flow: page
channels: [voice]
languages: [en]
start: FIRST
vars:
  card_number: { type: digits, secret: true }
  pin:    { type: digits, secret: ephemeral }
  visits: { type: int }
  slots:  { type: list, of: date }
  chosen: { type: date }
  answer: { type: object, fields: { state: text } }
  rated:  { type: object, fields: { score: int } }
steps:
`

// TestPageExamples reads every example of the language page: whole files together,
// steps under a head of their own.
func TestPageExamples(t *testing.T) {
	page, err := os.ReadFile("../../../docs/flow-language.md")
	if err != nil {
		t.Fatal(err)
	}
	files, steps := fstest.MapFS{}, []string{}
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		if name := regexp.MustCompile(`^# (\S+\.yaml)\n`).FindStringSubmatch(m[1]); name != nil {
			files[name[1]] = &fstest.MapFile{Data: []byte(m[1])}
		} else {
			steps = append(steps, m[1])
		}
	}
	if len(files) < 4 || len(steps) < 5 {
		t.Fatalf("%d files and %d examples of steps", len(files), len(steps))
	}
	var welcome bytes.Buffer
	if err := wav.Write(&welcome, wav.Audio{Rate: 8000, PCM: make([]int16, 160)}); err != nil {
		t.Fatal(err)
	}
	files["audio/welcome.wav"] = &fstest.MapFile{Data: welcome.Bytes()}
	o := testOptions()
	o.HTTPAllow = []string{"orders.example"}
	if _, ds := FS(files, o); len(ds) != 0 {
		t.Errorf("the files of the page:\n%s", shown(ds))
	}
	for _, example := range steps {
		first, _, _ := strings.Cut(example, ":")
		text := strings.Replace(pageHead, "FIRST", first, 1) + "  " + strings.ReplaceAll(strings.TrimSpace(example), "\n", "\n  ") + "\n"
		files["page.flow.yaml"] = &fstest.MapFile{Data: []byte(text)}
		if _, ds := FS(files, o); len(ds) != 0 {
			t.Errorf("%s\n%s", text, shown(ds))
		}
	}
}
