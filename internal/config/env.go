package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"tandem/internal/nearest"
)

const (
	envPrefix = "TANDEM_"
	// EnvFile names the configuration file where --config does not.
	EnvFile = "TANDEM_CONFIG"
)

// envName is the variable that overrides key: TANDEM_HTTP_LISTEN for http.listen.
func envName(key string) string {
	return envPrefix + strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, key)
}

// environment applies TANDEM_ variables. A secret may come from the file that
// NAME_FILE names. Names chosen by the operator (trunks, users, voices) can be
// overridden, not added; settings can be added. A variable that fits nothing is
// a warning: container platforms make some of their own.
func (r *reader) environment(cfg *Config, environ []string) {
	vars := map[string]string{}
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(name, envPrefix) && name != EnvFile {
			vars[name] = value
		}
	}
	if len(vars) == 0 {
		return
	}
	known := []string{}
	used := map[string]bool{}
	walk("", reflect.ValueOf(cfg).Elem(), func(key string, v reflect.Value) {
		name := envName(key)
		known = append(known, name)
		if text, ok := vars[name]; ok {
			used[name] = true
			r.origins[key] = Origin{Env: name}
			if err := setText(v, text); err != nil {
				r.wrong(key, "%s", err)
			}
		}
		_, isSecret := v.Interface().(Secret)
		if file, ok := vars[name+"_FILE"]; ok && (isSecret || key == "store.master_key") {
			used[name+"_FILE"] = true
			r.origins[key] = Origin{Env: name + "_FILE"}
			if isSecret {
				r.secretFile(key, v, file)
			} else {
				v.SetString(file)
			}
		}
	})
	names := make([]string, 0, len(vars))
	for name := range vars {
		if !used[name] {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if setting, ok := strings.CutPrefix(name, envName("flows.settings")+"_"); ok && setting != "" {
			r.setting(cfg, name, setting, vars[name])
			continue
		}
		w := Problem{File: name, Message: "sets nothing, no key has this name"}
		if near := nearest.Name(name, known); near != "" {
			w.Hint = fmt.Sprintf("did you mean %s?", near)
		}
		r.warnings = append(r.warnings, w)
	}
}

func (r *reader) setting(cfg *Config, variable, name, value string) {
	if cfg.Flows.Settings == nil {
		cfg.Flows.Settings = map[string]any{}
	}
	key := strings.ToLower(name)
	for k := range cfg.Flows.Settings {
		if envName(k) == envPrefix+name {
			key = k
		}
	}
	cfg.Flows.Settings[key] = value
	r.origins["flows.settings."+key] = Origin{Env: variable}
}

// walk calls visit for every value that has a key of its own, in the order of the
// fields, map entries by name. Values given to visit can be set.
func walk(key string, v reflect.Value, visit func(key string, v reflect.Value)) {
	switch v.Interface().(type) {
	case Entries, map[string]any:
		return // no scalar of their own; printed and overridden by their own rules
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			walk(join(key, v.Type().Field(i).Tag.Get("yaml")), v.Field(i), visit)
		}
	case reflect.Map:
		names := v.MapKeys()
		sort.Slice(names, func(i, j int) bool { return names[i].String() < names[j].String() })
		for _, name := range names {
			elem := reflect.New(v.Type().Elem()).Elem()
			elem.Set(v.MapIndex(name))
			walk(join(key, name.String()), elem, visit)
			v.SetMapIndex(name, elem)
		}
	default:
		visit(key, v)
	}
}

// setText reads text into a value that is no map or structure. Lists are
// separated by commas, or written as JSON where an item has a comma in it.
func setText(v reflect.Value, text string) error {
	switch v.Interface().(type) {
	case time.Duration:
		d, err := parseDuration(text)
		if text == "0" {
			d, err = 0, nil
		}
		if err == nil {
			v.SetInt(int64(d))
		}
		return err
	case PortRange:
		r, err := parsePortRange(text)
		if err == nil {
			v.Set(reflect.ValueOf(r))
		}
		return err
	case []string:
		list := []string{}
		if strings.HasPrefix(text, "[") {
			if err := json.Unmarshal([]byte(text), &list); err != nil {
				return fmt.Errorf("is no JSON list: %w", err)
			}
		} else if text != "" {
			for item := range strings.SplitSeq(text, ",") {
				list = append(list, strings.TrimSpace(item))
			}
		}
		v.Set(reflect.ValueOf(list))
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("wants true or false, not %q", text)
		}
		v.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("wants a whole number, not %q", text)
		}
		v.SetInt(int64(n))
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n != n || n > 1e12 || n < -1e12 {
			return fmt.Errorf("wants a number, not %q", text)
		}
		v.SetFloat(n)
	default:
		return fmt.Errorf("cannot be read into %s", v.Type())
	}
	return nil
}
