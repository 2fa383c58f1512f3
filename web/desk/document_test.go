package desk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tandem/web/desk/live"
)

// document is web/api/openapi.yaml, as tests hold requests and answers against it.
type document struct {
	ops      []*described
	compiler *jsonschema.Compiler

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
	answered map[string]bool // operations that were answered well
}

// described is one operation of it.
type described struct {
	id, method, path string
	match            *regexp.Regexp
	who              []string
	pointer          string // to it
	body             string // pointer to its request's schema; "" = it has none
	responses        map[string]any
}

const documentURL = "file:///openapi.yaml"

// readDocument reads the document. Answers may not have what it does not describe: each
// object with properties is closed here, though clients are to leave alone what they do not
// know.
func readDocument(t testing.TB) *document {
	t.Helper()
	data, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	data, err = yaml.YAMLToJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(root)
	d := &document{compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}, answered: map[string]bool{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentURL, root); err != nil {
		t.Fatal(err)
	}
	doc := root.(map[string]any)
	if doc["openapi"] != "3.1.0" {
		t.Fatalf("the document is of OpenAPI %v", doc["openapi"])
	}
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			d.add(t, doc, path, method, op.(map[string]any))
		}
	}
	slices.SortFunc(d.ops, func(a, b *described) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return d
}

func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, has := v["properties"].(map[string]any); has && v["type"] == "object" {
			if _, said := v["additionalProperties"]; !said {
				v["additionalProperties"] = false
			}
		}
		for _, one := range v {
			closeObjects(one)
		}
	case []any:
		for _, one := range v {
			closeObjects(one)
		}
	}
}

func escaped(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

func (d *document) add(t testing.TB, doc map[string]any, path, method string, op map[string]any) {
	t.Helper()
	o := &described{id: op["operationId"].(string), method: strings.ToUpper(method), path: path, pointer: "#/paths/" + escaped(path) + "/" + method,
		match: regexp.MustCompile("^" + regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "[^/]+") + "$"), responses: op["responses"].(map[string]any)}
	for _, who := range op["x-who"].([]any) {
		o.who = append(o.who, who.(string))
	}
	if body, has := op["requestBody"].(map[string]any); has {
		o.body = o.pointer + "/requestBody"
		if ref, is := body["$ref"].(string); is {
			o.body = ref
		}
		o.body += "/content/application~1json/schema"
	}
	if op["summary"] == nil || op["responses"].(map[string]any)["default"] == nil {
		t.Errorf("%s has no summary, or says nothing of errors", o.id)
	}
	d.ops = append(d.ops, o)
}

// of finds the operation of a request; nil if it is none.
func (d *document) of(method, path string) *described {
	path, _, _ = strings.Cut(path, "?")
	for _, o := range d.ops {
		if o.method == method && o.match.MatchString(path) {
			return o
		}
	}
	return nil
}

func (d *document) schema(t testing.TB, pointer string) *jsonschema.Schema {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.compiled[pointer]
	if s == nil {
		var err error
		if s, err = d.compiler.Compile(documentURL + pointer); err != nil {
			t.Fatalf("%s: %v", pointer, err)
		}
		d.compiled[pointer] = s
	}
	return s
}

// holds checks a JSON text against a schema of the document.
func (d *document) holds(t testing.TB, what, pointer, body string) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err == nil {
		err = d.schema(t, pointer).Validate(v)
	}
	if err != nil {
		t.Errorf("%s is not as the document has it: %v\n%s", what, err, body)
	}
}

// component is the schema of a name.
func component(name string) string { return "#/components/schemas/" + name }

// request checks that a body is what an operation takes.
func (d *document) request(o *described, body string) error {
	if o.body == "" {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		return err
	}
	d.mu.Lock()
	s := d.compiled[o.body]
	if s == nil {
		if s, err = d.compiler.Compile(documentURL + o.body); err != nil {
			d.mu.Unlock()
			return err
		}
		d.compiled[o.body] = s
	}
	d.mu.Unlock()
	return s.Validate(v)
}

// answer checks what an operation answered.
func (d *document) answer(t testing.TB, o *described, status int, kind, body string) {
	t.Helper()
	code := fmt.Sprint(status)
	r, listed := o.responses[code].(map[string]any)
	if !listed {
		if status < 400 {
			t.Errorf("%s answered %d, which the document does not have", o.id, status)
			return
		}
		d.holds(t, o.id+" "+code, component("Problem"), body)
		return
	}
	pointer := o.pointer + "/responses/" + code
	if ref, is := r["$ref"].(string); is {
		pointer = ref
		_, name, _ := strings.Cut(ref, "#/components/responses/")
		r = map[string]any{"content": map[string]any{"application/json": nil}}
		if name == "Done" {
			r = map[string]any{}
		}
	}
	content, _ := r["content"].(map[string]any)
	switch {
	case len(content) == 0:
		if body != "" && status != 416 {
			t.Errorf("%s %d has a body: %s", o.id, status, body)
		}
	case strings.HasPrefix(kind, "application/json"):
		d.holds(t, o.id+" "+code, pointer+"/content/application~1json/schema", body)
	default:
		kind, _, _ = strings.Cut(kind, ";")
		if _, has := content[kind]; !has {
			t.Errorf("%s %d is of type %s", o.id, status, kind)
		}
	}
	if status < 300 {
		d.mu.Lock()
		d.answered[o.id] = true
		d.mu.Unlock()
	}
}

// TestDocumentHasTheRoutes: what the document describes is there, what is there is
// described, and both let in the same.
func TestDocumentHasTheRoutes(t *testing.T) {
	doc := readDocument(t)
	there := map[string][]string{ // by pattern; these are web/login's, and the socket
		"POST /api/v1/login": {"anybody"}, "GET /api/v1/me": {"agent", "supervisor", "operator", "auditor", "designer"}, "POST /api/v1/logout": {"agent", "supervisor", "operator", "auditor", "designer"},
		"GET " + live.Path: {"agent", "supervisor", "auditor", "key:agent", "key:line:read"},
	}
	for _, op := range (&Desk{}).operations() {
		var who []string
		for _, r := range op.roles {
			who = append(who, string(r))
		}
		for _, s := range op.scopes {
			who = append(who, "key:"+string(s))
		}
		there[op.pattern] = who
	}
	for _, o := range doc.ops {
		pattern := o.method + " " + o.path
		who, found := there[pattern]
		if !found {
			t.Errorf("the document describes %s, which is not there", pattern)
			continue
		}
		delete(there, pattern)
		unique := func(list []string) string {
			list = slices.Clone(list)
			slices.Sort(list)
			return strings.Join(slices.Compact(list), " ")
		}
		if unique(who) != unique(o.who) {
			t.Errorf("%s lets in %s; the document says %s", pattern, unique(who), unique(o.who))
		}
		if o.body != "" {
			doc.schema(t, o.body)
		}
	}
	for pattern := range there {
		t.Errorf("the document does not describe %s", pattern)
	}
}

// asJSON is a body as it is sent.
func asJSON(t testing.TB, v any) string {
	t.Helper()
	if s, is := v.(string); is {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
