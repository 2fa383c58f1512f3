package app

import (
	"fmt"
	"reflect"
	"testing"

	"tandem/bridge/route"
	"tandem/ivr/flow"
)

// TestPolicy: the line has all that the flows folder says, field by field. A field of
// route.Policy that nobody carries over is found here.
func TestPolicy(t *testing.T) {
	lib := &flow.Library{}
	fill(reflect.ValueOf(&lib.Routing).Elem())
	fill(reflect.ValueOf(&lib.Queues).Elem())
	fill(reflect.ValueOf(&lib.Teams).Elem())
	fill(reflect.ValueOf(&lib.Agents).Elem())

	p := Policy(lib)
	for _, missing := range empty(reflect.ValueOf(p), "Policy") {
		t.Errorf("%s is not carried over", missing)
	}
	const key = "anna"
	same(t, p, lib.Routing)
	same(t, p.Queues[key], lib.Queues[key])
	same(t, p.Teams[key], lib.Teams[key])
	same(t, p.Agents[key], lib.Agents[key])
}

// TestDefaultTargets: a kind that a queue does not name has one target, whoever is asked.
func TestDefaultTargets(t *testing.T) {
	for _, k := range flow.TargetKinds() {
		if a, b := flow.DefaultTarget(k.Kind), route.DefaultTarget(k.Kind); a != b {
			t.Errorf("%s: %s in flows, %s in the line", k.Kind, a, b)
		}
	}
}

// same holds the fields of a struct against those of the same name and type. Name is the
// key that it is under.
func same(t *testing.T, line, flows any) {
	t.Helper()
	l, f := reflect.ValueOf(line).Elem(), reflect.ValueOf(flows).Elem()
	for i := range l.NumField() {
		name := l.Type().Field(i).Name
		from := f.FieldByName(name)
		if name == "Name" || !from.IsValid() || from.Type() != l.Field(i).Type() {
			continue
		}
		if a, b := l.Field(i).Interface(), from.Interface(); !reflect.DeepEqual(a, b) {
			t.Errorf("%T: %s is %v in the line, %v in the flows", line, name, a, b)
		}
	}
}

// fill gives every field a value of its own that is not its zero.
func fill(v reflect.Value) {
	filled := 0
	var put func(v reflect.Value)
	put = func(v reflect.Value) {
		filled++
		switch v.Kind() {
		case reflect.Pointer:
			if v.Type() == reflect.TypeFor[*flow.Prompt]() {
				return
			}
			v.Set(reflect.New(v.Type().Elem()))
			put(v.Elem())
		case reflect.Struct:
			for i := range v.NumField() {
				put(v.Field(i))
			}
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			put(v.Index(0))
		case reflect.Map:
			one := reflect.New(v.Type().Elem()).Elem()
			put(one)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("anna").Convert(v.Type().Key()), one)
		case reflect.String:
			v.SetString(fmt.Sprint("text ", filled))
		case reflect.Int, reflect.Int64:
			v.SetInt(int64(filled))
		}
	}
	put(v)
}

// empty names what is zero of a value, and of what is below it.
func empty(v reflect.Value, at string) (names []string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return empty(v.Elem(), at)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			names = append(names, empty(v.Field(i), at+"."+v.Type().Field(i).Name)...)
		}
		return names
	case reflect.Slice:
		for i := range v.Len() {
			names = append(names, empty(v.Index(i), at)...)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			names = append(names, empty(v.MapIndex(k), at)...)
		}
	}
	if v.IsZero() || (v.Kind() == reflect.Map || v.Kind() == reflect.Slice) && v.Len() == 0 {
		names = append(names, at)
	}
	return names
}
