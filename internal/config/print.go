package config

import (
	"fmt"
	"io"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Print writes every value as YAML that reads back, each with its origin in a
// comment: default, FILE:LINE, or the variable's name. Secrets are masked.
func (l *Loaded) Print(w io.Writer) error {
	p := &printer{loaded: l}
	p.structure("", reflect.ValueOf(l.Config).Elem(), 0)
	_, err := io.WriteString(w, p.out.String())
	return err
}

type printer struct {
	loaded *Loaded
	out    strings.Builder
}

const commentColumn = 56 // where origins begin, if the value leaves room

func (p *printer) line(depth int, key, name, value string) {
	text := strings.Repeat("  ", depth) + name + ":"
	if value != "" {
		text += " " + value
	}
	if key != "" {
		text += strings.Repeat(" ", max(1, commentColumn-len([]rune(text)))) + " # " + p.loaded.OriginOf(key)
	}
	p.out.WriteString(text + "\n")
}

// OriginOf says in words where the value of key comes from.
func (l *Loaded) OriginOf(key string) string {
	for k := key; k != ""; k = parent(k) {
		if o, ok := l.Origins[k]; ok {
			if o.Env != "" {
				return o.Env
			}
			if k == key || !l.hasDefault(key) {
				return fmt.Sprintf("%s:%d", l.File, o.Line)
			}
			break
		}
	}
	return "default"
}

// hasDefault reports whether key exists without the file: keys below names that
// the operator chose do not.
func (l *Loaded) hasDefault(key string) bool {
	for _, free := range []string{"sip.users.", "flows.settings.", "entries.", "outbound.prices.", "staff.oidc.", "chat.sites.", "sms.gateways.", "texts.prices."} {
		if strings.HasPrefix(key, free) {
			return false
		}
	}
	return true
}

func (p *printer) structure(key string, v reflect.Value, depth int) {
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		if name == "-" {
			continue
		}
		p.value(join(key, name), name, v.Field(i), depth)
	}
}

func (p *printer) value(key, name string, v reflect.Value, depth int) {
	switch x := v.Interface().(type) {
	case Entries:
		p.entries(key, name, x, depth)
		return
	case map[string]any:
		p.line(depth, key, name, flowStyle(x))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		p.line(depth, "", name, "")
		p.structure(key, v, depth+1)
	case reflect.Map:
		if v.Len() == 0 {
			p.line(depth, key, name, "{}")
			return
		}
		p.line(depth, "", name, "")
		names := v.MapKeys()
		sort.Slice(names, func(i, j int) bool { return names[i].String() < names[j].String() })
		for _, n := range names {
			elem := v.MapIndex(n)
			p.value(join(key, n.String()), quote(n.String()), elem, depth+1)
		}
	default:
		p.line(depth, key, name, plain(v))
	}
}

func (p *printer) entries(key, name string, entries Entries, depth int) {
	if len(entries) == 0 {
		p.line(depth, key, name, "{}")
		return
	}
	p.line(depth, "", name, "")
	for _, e := range entries {
		value := fmt.Sprintf("{ flow: %s, ring: %s, auth: %t, record: %t }", quote(e.Flow), shortDuration(e.Ring), e.Auth, e.Record)
		switch kind, _ := e.Kind(); kind {
		case "chat", "sms":
			value = fmt.Sprintf("{ flow: %s }", quote(e.Flow))
		case "qr":
			value = fmt.Sprintf("{ flow: %s, site: %s, place: %s }", quote(e.Flow), quote(e.Site), quote(e.Place))
		}
		p.line(depth+1, join(key, e.Name), quote(e.Name), value)
	}
}

// plain writes a value without a key of its own below it.
func plain(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return shortDuration(x)
	case fmt.Stringer: // Secret, PortRange
		return quote(x.String())
	case []string:
		items := make([]string, len(x))
		for i, s := range x {
			items[i] = quote(s)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	switch v.Kind() {
	case reflect.String:
		return quote(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	default:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
}

// flowStyle writes a free value on one line.
func flowStyle(x any) string {
	switch x := x.(type) {
	case map[string]any:
		items := []string{}
		for _, name := range sortedNames(x) {
			items = append(items, quote(name)+": "+flowStyle(x[name]))
		}
		return "{ " + strings.Join(items, ", ") + " }"
	case []any:
		items := make([]string, len(x))
		for i, item := range x {
			items[i] = flowStyle(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		return quote(x)
	case nil:
		return "null"
	default:
		return fmt.Sprint(x)
	}
}

// quote writes text in YAML's double quotes, which take Go's escapes.
func quote(s string) string { return strconv.Quote(s) }

// shortDuration is how people write it: 2h, not 2h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
