package answer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// fill reads a body's JSON into a pointer to a structure. It returns a sentence that says
// what is wrong with it, "" if nothing is.
func fill(data []byte, body any) (why string) {
	all, needed := fields(reflect.TypeOf(body))
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(body)
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil && strings.TrimSpace(string(data[d.InputOffset():])) != "":
		return "The request's body has more behind its JSON."
	case err == nil:
		return missing(data, needed)
	case len(bytes.TrimSpace(data)) == 0:
		return "The request has no body: send a JSON object." + takes(all)
	case errors.As(err, &kind) && kind.Field != "":
		path := strings.Split(kind.Field, ".")
		if t := reflect.TypeOf(body).Elem(); t.Kind() == reflect.Struct { // embedded ones are no part of what was sent
			for len(path) > 1 && embeds(t, path[0]) {
				path = path[1:]
			}
		}
		return fmt.Sprintf("The field %q cannot be a JSON %s.", short(strings.Join(path, ".")), kind.Value)
	case errors.As(err, &syntax), !json.Valid(data):
		return "The request's body is not JSON."
	}
	if name, is := strings.CutPrefix(err.Error(), "json: unknown field "); is {
		return fmt.Sprintf("There is no field %q here.", short(strings.Trim(name, `"`))) + takes(all)
	}
	return "The request's body does not have the form this address takes." + takes(all)
}

// missing names the fields that a body, a JSON object, lacks.
func missing(data []byte, needed []string) string {
	var has map[string]json.RawMessage
	if len(needed) == 0 || json.Unmarshal(data, &has) != nil {
		return ""
	}
	lacks := slices.DeleteFunc(slices.Clone(needed), func(name string) bool {
		for key := range has {
			if strings.EqualFold(key, name) && string(has[key]) != "null" {
				return true
			}
		}
		return false
	})
	switch len(lacks) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("The field %q is missing.", lacks[0])
	}
	return fmt.Sprintf("These fields are missing: %s.", strings.Join(lacks, ", "))
}

// takes says which fields there are.
func takes(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return " It takes: " + strings.Join(all, ", ") + "."
}

// fields are the names of a structure's fields as JSON has them, and of those it needs.
func fields(t reflect.Type) (all, needed []string) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil, nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
			continue
		case f.Anonymous && name == "":
			a, n := fields(f.Type)
			all, needed = append(all, a...), append(needed, n...)
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		all = append(all, name)
		if f.Tag.Get("answer") == "needed" {
			needed = append(needed, name)
		}
	}
	return all, needed
}

// embeds reports whether a structure has an embedded one of a name, and no field.
func embeds(t reflect.Type, name string) bool {
	f, ok := t.FieldByName(name)
	return ok && f.Anonymous && f.Tag.Get("json") == ""
}

// short is a stranger's name of a field, as much of it as is repeated.
func short(name string) string {
	const most = 40 // characters
	if r := []rune(name); len(r) > most {
		return string(r[:most]) + "…"
	}
	return name
}
