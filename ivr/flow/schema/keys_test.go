package schema

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

// bogus is a key that nothing has and nothing is like.
const bogus = "qqqqqqqq"

// sampler writes a document that leads to one type, with the keys that must be there.
type sampler struct {
	target reflect.Type
	add    string // an entry that the target gets besides
	done   bool
}

// leads reports whether t holds the target somewhere.
func (s *sampler) leads(t reflect.Type, seen map[reflect.Type]bool) bool {
	t = plainType(t)
	if t == s.target {
		return true
	}
	if seen[t] || s.done {
		return false
	}
	seen[t] = true
	for _, f := range Forms(t) {
		if s.leads(f.Type, seen) {
			return true
		}
	}
	for _, f := range Properties(t) {
		if s.leads(f.Type, seen) {
			return true
		}
	}
	if t.Kind() == reflect.Map || t.Kind() == reflect.Slice {
		return s.leads(t.Elem(), seen)
	}
	return false
}

func (s *sampler) toTarget(t reflect.Type) bool { return s.leads(t, map[reflect.Type]bool{}) }

func (s *sampler) value(t reflect.Type, words []string) string {
	t = plainType(t)
	if forms := Forms(t); forms != nil {
		for _, f := range forms {
			if s.toTarget(f.Type) {
				return s.value(f.Type, f.Words)
			}
		}
		return s.value(forms[0].Type, forms[0].Words)
	}
	switch t.Kind() {
	case reflect.Struct:
		return s.object(t)
	case reflect.Map:
		return "{ " + s.scalar(t.Key(), nil) + ": " + s.value(t.Elem(), words) + " }"
	case reflect.Slice:
		return "[ " + s.value(t.Elem(), words) + " ]"
	}
	return s.scalar(t, words)
}

func (s *sampler) object(t reflect.Type) string {
	var parts []string
	if t == s.target && !s.done {
		s.done = true
		parts = append(parts, s.add)
	}
	verb := false
	if t == reflect.TypeFor[LanguageVerb]() {
		parts = append(parts, "by: [ menu ]") // only then it listens
	}
	for _, f := range Properties(t) {
		if f.Required || s.toTarget(f.Type) && !verb {
			verb = verb || t == reflect.TypeFor[StepBody]() && f.Type != reflect.TypeFor[Next]()
			words := f.Words
			if f.Key == "type" && t != reflect.TypeFor[Field]() && s.toTarget(t) && t != s.target {
				words = []string{"object"} // which has fields
			}
			parts = append(parts, f.Key+": "+s.value(f.Type, words))
		}
	}
	if t == reflect.TypeFor[StepBody]() && !verb {
		parts = append(parts, "set: { v: 1 }")
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func (s *sampler) scalar(t reflect.Type, words []string) string {
	if len(words) > 0 {
		return words[0]
	}
	for typ, text := range map[reflect.Type]string{
		reflect.TypeFor[StepName](): "a", reflect.TypeFor[NewName](): "a", reflect.TypeFor[Target](): "end", reflect.TypeFor[Expression](): "1",
		reflect.TypeFor[Duration](): "5s", reflect.TypeFor[Count](): "1", reflect.TypeFor[SkillLevel](): "1", reflect.TypeFor[Keys](): `"1"`, reflect.TypeFor[YesNo](): "true",
		reflect.TypeFor[Language](): "en", reflect.TypeFor[Date](): "2027-01-01", reflect.TypeFor[Hours](): "closed", reflect.TypeFor[Days](): "mon",
		reflect.TypeFor[Any](): "1", reflect.TypeFor[VariableName](): "v", reflect.TypeFor[Outcome](): "else", reflect.TypeFor[Plain](): "UTC",
	} {
		if typ == t {
			return text
		}
	}
	return "x"
}

// document is a file of a kind with one entry more in one of its maps.
func (s *sampler) document(k Kind) []byte {
	text := strings.TrimSuffix(strings.TrimPrefix(s.value(k.Type, nil), "{ "), " }")
	return []byte("{ " + text + " }\n")
}

// maps lists the types below a kind that are maps with known keys.
func mapsBelow(t reflect.Type, seen []reflect.Type) []reflect.Type {
	t = plainType(t)
	if slices.Contains(seen, t) {
		return seen
	}
	switch t.Kind() {
	case reflect.Map, reflect.Slice:
		return mapsBelow(t.Elem(), seen)
	case reflect.Struct:
	default:
		return seen
	}
	if forms := Forms(t); forms != nil {
		for _, f := range forms {
			seen = mapsBelow(f.Type, seen)
		}
		return seen
	}
	seen = append(seen, t)
	for _, f := range Properties(t) {
		seen = mapsBelow(f.Type, seen)
	}
	return seen
}

func readDocument(k Kind, data []byte) []source.Diagnostic {
	_, ds := read.FS(fstest.MapFS{"a" + k.Suffix: {Data: data}}, read.Options{Now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)})
	return ds
}

// TestReaderKnowsTheSameKeys: wherever a map has known keys, the reader has exactly
// those that the Go type has. It names them when it meets a key it does not know.
func TestReaderKnowsTheSameKeys(t *testing.T) {
	tried := 0
	for _, k := range Kinds() {
		if k.Name == "test" {
			continue // package suite reads tests
		}
		for _, typ := range mapsBelow(k.Type, nil) {
			t.Run(k.Name+"/"+typ.Name(), func(t *testing.T) {
				s := &sampler{target: typ, add: bogus + ": 1"}
				data := s.document(k)
				if !s.done {
					t.Fatalf("no document leads there: %s", data)
				}
				var keys []string
				for _, f := range Properties(typ) {
					keys = append(keys, f.Key)
				}
				if typ == reflect.TypeFor[StepBody]() {
					keys = []string{"note", "if", "needs", "max_visits", "next"} // verbs are told apart from other keys
				}
				slices.Sort(keys)
				for _, d := range readDocument(k, data) {
					if d.Rule != "unknown-key" || !strings.Contains(d.Message, "`"+bogus+"`") {
						continue
					}
					known := strings.Split(strings.TrimPrefix(d.Suggestion, "use one of: "), ", ")
					if len(keys) == 0 {
						known = nil // there is none to name
					}
					slices.Sort(known)
					if !slices.Equal(known, keys) {
						t.Errorf("the reader knows %v\nand the type has %v", known, keys)
					}
					tried++
					return
				}
				t.Errorf("the reader does not look there:\n%s%s", data, printed(readDocument(k, data)))
			})
		}
	}
	if tried < 50 {
		t.Errorf("only %d maps were looked at", tried)
	}
}

func printed(ds []source.Diagnostic) string {
	var b strings.Builder
	source.Print(&b, ds, false)
	return b.String()
}

// TestReaderKnowsTheSameVerbs: the reader names its verbs when it meets another.
func TestReaderKnowsTheSameVerbs(t *testing.T) {
	var want []string
	for _, v := range Verbs() {
		want = append(want, v.Key)
	}
	s := &sampler{target: reflect.TypeFor[StepBody](), add: ""}
	data := strings.Replace(string(s.document(Kinds()[0])), "set: {", bogus+": {", 1)
	for _, d := range readDocument(Kinds()[0], []byte(data)) {
		if d.Rule == "unknown-verb" {
			if got := strings.Split(strings.TrimPrefix(d.Suggestion, "use one of: "), ", "); !slices.Equal(got, want) {
				t.Errorf("the reader knows %v, the types have %v", got, want)
			}
			return
		}
	}
	t.Errorf("the reader took it for a verb: %s", data)
}

// TestReaderHasTheSameBounds writes every bounded value at its bounds and beyond them.
func TestReaderHasTheSameBounds(t *testing.T) {
	tried := 0
	for _, k := range Kinds() {
		if k.Name == "test" {
			continue
		}
		for _, typ := range mapsBelow(k.Type, nil) {
			for _, f := range Properties(typ) {
				if f.Least == "" {
					continue
				}
				for _, c := range []struct {
					value string
					ok    bool
				}{{f.Least, true}, {f.Most, true}, {beyondBound(t, f.Least, -1), false}, {beyondBound(t, f.Most, +1), false}} {
					s := &sampler{target: typ, add: f.Key + ": " + c.value}
					data := s.document(k)
					var found []source.Diagnostic
					for _, d := range readDocument(k, data) {
						if d.Rule == "out-of-range" || d.Rule == "duration" || strings.Contains(d.Message, "whole number") {
							found = append(found, d)
						}
					}
					tried++
					if c.value != "" && (len(found) == 0) != c.ok {
						t.Errorf("%s.%s: %s: fine %v\n%s%s", typ.Name(), f.Key, c.value, c.ok, data, printed(found))
					}
				}
			}
		}
	}
	if tried < 80 {
		t.Errorf("only %d values were tried", tried)
	}
}

// beyondBound is the next value below or above a bound.
func beyondBound(t *testing.T, bound string, by int) string {
	t.Helper()
	if d, ok := expression.ParseDuration(bound); ok {
		return fmt.Sprintf("%dms", (d + time.Duration(by)*time.Millisecond).Milliseconds())
	}
	var n int
	if _, err := fmt.Sscan(bound, &n); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(n + by)
}

// TestWordsOfExpressions: the names and functions that are told of are those there are.
func TestWordsOfExpressions(t *testing.T) {
	const head = "flow: a\nchannels: [voice]\nlanguages: [en]\nstart: a\n"
	said := func(condition string) string {
		ds := readDocument(Kinds()[0], []byte(head+"steps: { a: { if: \""+condition+"\", say: { en: x }, next: end } }\n"))
		return printed(ds)
	}
	_, list, _ := strings.Cut(said("nothing_like_it(1)"), "there are ")
	list, _, _ = strings.Cut(list, "\n")
	var names []string
	for _, f := range Functions() {
		names = append(names, f.Name)
		if !strings.HasPrefix(f.Detail, f.Name+"(") || f.en == "" || f.zh == "" {
			t.Errorf("%s: %q", f.Name, f.Detail)
		}
	}
	if got := strings.Split(list, ", "); !slices.Equal(got, names) {
		t.Errorf("there are the functions %v; told are %v", got, names)
	}
	for _, b := range Builtins() {
		if b.en == "" || b.zh == "" || b.Detail == "" {
			t.Errorf("%s is not described", b.Name)
		}
		if strings.HasPrefix(b.Name, "link") {
			continue // known in two prompts only
		}
		if out := said(b.Name + " == 1 or true"); strings.Contains(out, "unknown") || strings.Contains(out, "has no") {
			t.Errorf("there is no %s:\n%s", b.Name, out)
		}
		if !strings.Contains(b.Name, ".") {
			if out := printed(readDocument(Kinds()[0], []byte(head+"vars: { "+b.Name+": { type: text } }\nsteps: { a: { end: } }\n"))); !strings.Contains(out, "[reserved-name]") {
				t.Errorf("%s may be a variable's name:\n%s", b.Name, out)
			}
		}
	}
}

// TestEverythingIsDescribed: each key has a sentence in both languages, each outcome too.
func TestEverythingIsDescribed(t *testing.T) {
	for _, k := range Kinds() {
		for _, typ := range mapsBelow(k.Type, nil) {
			for _, f := range Properties(typ) {
				for _, s := range []string{f.en, f.zh} {
					if s == "" || !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "。") {
						t.Errorf("%s.%s: %q", typ.Name(), f.Key, s)
					}
				}
			}
		}
	}
	for _, v := range Verbs() {
		for _, one := range v.Variants {
			for _, o := range one.Outcomes {
				if AboutOutcome(v.Key, o, "en") == "" || AboutOutcome(v.Key, o, "zh-CN") == "" {
					t.Errorf("%s: outcome %s is not described", v.Key, o)
				}
			}
		}
	}
}

// TestReaderKnowsTheSameWords: wherever one of a few words is written, the reader has
// those that the Go type has.
func TestReaderKnowsTheSameWords(t *testing.T) {
	tried := 0
	for _, k := range Kinds() {
		if k.Name == "test" {
			continue
		}
		for _, typ := range mapsBelow(k.Type, nil) {
			for _, f := range Properties(typ) {
				if len(f.Words) == 0 {
					continue
				}
				value := bogus
				if f.Type.Kind() == reflect.Slice {
					value = "[ " + bogus + " ]"
				}
				s := &sampler{target: typ, add: f.Key + ": " + value}
				data := s.document(k)
				data = []byte(strings.Replace(string(data), ", "+f.Key+": "+f.Words[0], "", 1)) // the one that must be there
				found := false
				for _, d := range readDocument(k, data) {
					list, ok := strings.CutPrefix(d.Suggestion, "use one of: ")
					if d.Rule != "unknown-word" || !ok || !strings.Contains(d.Message, bogus) {
						continue
					}
					got, want := strings.Split(list, ", "), slices.Sorted(slices.Values(f.Words))
					slices.Sort(got)
					if !slices.Equal(got, want) {
						t.Errorf("%s.%s: the reader knows %v, the type has %v", typ.Name(), f.Key, got, want)
					}
					found = true
				}
				if !found {
					t.Errorf("%s.%s: the reader takes any word\n%s%s", typ.Name(), f.Key, data, printed(readDocument(k, data)))
				}
				tried++
			}
		}
	}
	if tried < 25 {
		t.Errorf("only %d words were tried", tried)
	}
}
