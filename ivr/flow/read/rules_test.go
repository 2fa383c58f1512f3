package read

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

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
