package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"tandem"
)

// TestEveryEventHasWords reads the closed list of kinds from its source: a new one
// must be told in words too.
func TestEveryEventHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, isValue := n.(*ast.ValueSpec)
		if !isValue || len(spec.Values) != 1 {
			return true
		}
		if typ, named := spec.Type.(*ast.Ident); !named || typ.Name != "EventKind" {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		kinds++
		_, bare := bareEvents[tandem.EventKind(kind)]
		_, full := eventWords[tandem.EventKind(kind)]
		if !bare && !full {
			t.Errorf("%s has no words", kind)
		}
		return true
	})
	if kinds < 20 {
		t.Fatalf("only %d kinds were found in the source", kinds)
	}
}
