package schema

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tandem/ivr/flow/source"
)

// validators are the schemas of all kinds, each read as draft-07 and as 2020-12.
func validators(t testing.TB, names *Names) map[string][]*jsonschema.Schema {
	t.Helper()
	out := map[string][]*jsonschema.Schema{}
	for _, k := range Kinds() {
		text, err := JSONOf(k.Name, names)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []string{draft, "https://json-schema.org/draft/2020-12/schema"} {
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(bytes.Replace(text, []byte(draft), []byte(version), 1)))
			if err != nil {
				t.Fatal(err)
			}
			c := jsonschema.NewCompiler()
			if err := c.AddResource(k.Name+".json", doc); err != nil {
				t.Fatal(err)
			}
			s, err := c.Compile(k.Name + ".json")
			if err != nil {
				t.Fatalf("%s as %s: %v", k.Name, version, err)
			}
			out[k.Suffix] = append(out[k.Suffix], s)
		}
	}
	return out
}

// instance is a node as YAML 1.2 makes values of it, for a JSON Schema.
func instance(n *source.Node) any {
	switch n.Kind {
	case source.Map:
		out := map[string]any{}
		for _, e := range n.Entries {
			out[e.Key.Text] = instance(e.Val)
		}
		return out
	case source.List:
		out := []any{}
		for _, i := range n.Items {
			out = append(out, instance(i))
		}
		return out
	case source.Null:
		return nil
	}
	if n.Style == 0 {
		switch n.Text {
		case "true", "True", "TRUE":
			return true
		case "false", "False", "FALSE":
			return false
		}
		if regexp.MustCompile(`^[-+]?[0-9]+$`).MatchString(n.Text) {
			if i, ok := new(big.Int).SetString(strings.TrimPrefix(n.Text, "+"), 10); ok {
				return json.Number(i.String())
			}
		}
		if f, ok := new(big.Float).SetString(n.Text); ok && regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`).MatchString(n.Text) {
			return json.Number(f.String())
		}
	}
	return n.Text
}

// verdict is what a schema says of a file: "" = it is fine. ok is false if the file is
// no YAML that flows may use.
func verdict(t testing.TB, all map[string][]*jsonschema.Schema, name string, data []byte) (says string, ok bool) {
	t.Helper()
	f := source.New(name, name)
	if !f.Parse(data) || f.Broken() {
		return "", false
	}
	for i, s := range all[kindOf(name).Suffix] {
		err := s.Validate(instance(f.Root))
		if i > 0 && (err == nil) != (says == "") {
			t.Errorf("%s: draft-07 says %q, 2020-12 says %v", name, says, err)
		}
		if err != nil {
			says = err.Error()
		}
	}
	return says, true
}

var ruleForm = regexp.MustCompile(`(?m): (error|warning)\[([a-z0-9-]+)\]:`)

// shapes are the rules about the shape of a file, which a schema can always tell.
var shapes = map[string]bool{
	"unknown-key": true, "unknown-verb": true, "several-verbs": true, "missing-verb": true, "missing-next": true, "missing-outcome": true,
	"unknown-outcome": true, "duration": true, "digits": true, "keys": true, "name": true, "unknown-word": true, "language": true,
	"weekday": true, "next": true, "header": true, "range": true,
}

// mixed are rules of which a schema sees some cases; beyond are files that break one of
// these rules or of shapes in a way that only the program can see.
var (
	mixed = map[string]bool{
		"missing-key": true, "empty-value": true, "unquoted": true, "wrong-type": true, "out-of-range": true, "reserved-name": true,
		"returns": true, "hours": true, "date": true,
	}
	beyond = map[string]string{
		"end-as-unknown.flow": "the outcomes stand elsewhere in the file", "keyword-variable.flow": "it does not know the words of expressions",
		"choice-without-keys.flow": "it depends on the channels", "unquoted-yes.flow": "yes is text in YAML 1.2", "unquoted-default.flow": "the type is not looked at",
		"rule-empty-phrase.classify": "what is left of a text is not looked at",
		"overlapping-hours.calendar": "it does not compare times", "night-hours.calendar": "it does not compare times", "bad-date.calendar": "it has no calendar",
		"link-expires-long.flow": "it does not compare durations", "record-long.flow": "it does not compare durations", "ticket-due-soon.flow": "it does not compare durations",
		"returns-other.flow": "it does not look into other files", "returns-nothing.flow": "it does not look into other files",
		"callback-at-noon.flow": "the text may hold ${…}",
	}
)

// whatIsSaid is the golden file with the diagnostics of a broken file, "" if there is none.
func whatIsSaid(path string) string {
	base, _, _ := strings.Cut(filepath.Base(path), ".")
	for _, p := range []string{strings.TrimSuffix(path, ".yaml") + ".golden", filepath.Join(filepath.Dir(filepath.Dir(path)), base+".golden")} {
		if data, err := os.ReadFile(p); err == nil {
			return string(data)
		}
	}
	return ""
}

// TestSchemaAndChecker holds the schema and the checker to the same verdicts: what one
// of them finds fine the other does, and every mistake of shape is one for both.
func TestSchemaAndChecker(t *testing.T) {
	all := validators(t, nil)
	paths := map[string]bool{}
	for _, pattern := range []string{"../../../flows/*.yaml", "../*/testdata/*.yaml", "../*/testdata/*/*.yaml", "../*/testdata/*/*/*.yaml", "../reference/examples/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			paths[p] = true
		}
	}
	fine, refused, seen := 0, 0, map[string]int{}
	for path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		says, ok := verdict(t, all, path, data)
		if !ok {
			continue
		}
		golden := whatIsSaid(path)
		found := ruleForm.FindAllStringSubmatch(golden, -1)
		if len(found) == 0 || found[0][1] == "warning" {
			fine++
			if says != "" {
				t.Errorf("%s is fine, but the schema says %s", path, says)
			}
			continue
		}
		rule := found[0][2]
		if says != "" {
			refused++
		}
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		if shapes[rule] && says == "" && beyond[name] == "" {
			t.Errorf("%s: the schema does not see [%s]\n%s", path, rule, golden)
		}
		if mixed[rule] && says != "" {
			seen[rule]++
		}
		if why := beyond[name]; why != "" && says != "" {
			t.Errorf("%s: the schema does see it, though %s", path, why)
		}
	}
	for rule, least := range map[string]int{"missing-key": 8, "empty-value": 2, "unquoted": 2, "wrong-type": 4, "out-of-range": 2, "reserved-name": 2, "hours": 1} {
		if seen[rule] < least {
			t.Errorf("the schema sees %d of the files that break [%s]; it should be %d", seen[rule], rule, least)
		}
	}
	if fine < 15 || refused < 25 {
		t.Errorf("only %d files are fine and %d refused", fine, refused)
	}
}
