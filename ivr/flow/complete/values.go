package complete

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"tandem/ivr/flow/schema"
)

// values lists what a single value may be.
func (c *completer) values(t typed) []Item {
	var out []Item
	add := func(kind string, labels ...string) {
		for _, l := range labels {
			out = append(out, Item{Label: l, Kind: kind, Insert: l})
		}
	}
	switch t.typ {
	case reflect.TypeFor[schema.Word]():
		add("word", t.words...)
	case reflect.TypeFor[schema.YesNo]():
		add("word", "true", "false")
	case reflect.TypeFor[schema.Secrecy]():
		add("word", "true", "ephemeral")
	case reflect.TypeFor[schema.StepName]():
		add("step", c.file.steps...)
	case reflect.TypeFor[schema.Target]():
		add("step", c.file.steps...)
		add("word", "end", "repeat")
	case reflect.TypeFor[schema.Language]():
		add("word", c.file.languages...)
	case reflect.TypeFor[schema.Hours]():
		add("word", "closed")
	case reflect.TypeFor[schema.Pause]():
		add("word", "silence")
	case reflect.TypeFor[schema.AgentCount]():
		add("word", "none")
	case reflect.TypeFor[schema.VariableName]():
		for _, v := range c.variables() {
			if !strings.Contains(v.Name, ".") {
				out = append(out, Item{Label: v.Name, Kind: "variable", Detail: v.Type, Insert: v.Name})
			}
		}
	case reflect.TypeFor[schema.PromptName]():
		add("prompt", c.file.prompts...)
	case reflect.TypeFor[schema.Heard]():
		if f := c.tested(); f != nil {
			add("prompt", f.Prompts...)
		}
	case reflect.TypeFor[schema.Outcome]():
		add("outcome", c.file.outcomes...)
	case reflect.TypeFor[schema.FlowName]():
		for _, f := range c.names.Flows {
			if !slices.Contains(c.path, "subflow") || len(f.Outcomes) > 0 {
				out = append(out, Item{Label: f.Name, Kind: "name", Detail: strings.Join(f.Outcomes, ", "), Insert: f.Name})
			}
		}
	case reflect.TypeFor[schema.SkillName](): // of officers
		for _, skill := range c.names.Skills {
			insert := skill
			if strings.ContainsAny(skill, ":") && c.quote == 0 {
				insert = `"` + skill + `"`
			}
			out = append(out, Item{Label: skill, Kind: "name", Insert: insert})
		}
	case reflect.TypeFor[schema.QueueName]():
		add("name", c.names.Queues...)
		add("name", c.file.below["queues"]...)
	case reflect.TypeFor[schema.TeamName]():
		add("name", c.names.Teams...)
		add("name", c.file.below["teams"]...)
	case reflect.TypeFor[schema.OwnerName]():
		add("name", c.owners()...)
	case reflect.TypeFor[schema.Expression]():
		return c.expression(c.word)
	case reflect.TypeFor[schema.Text](), reflect.TypeFor[schema.Wanted](), reflect.TypeFor[schema.LevelText](), reflect.TypeFor[schema.OwnerText](), reflect.TypeFor[schema.ReplyText]():
		if i := strings.LastIndex(c.word, "${"); i >= 0 && !strings.Contains(c.word[i:], "}") {
			return c.expression(c.word[i+2:])
		}
		switch t.typ {
		case reflect.TypeFor[schema.Wanted]():
			add("name", c.names.Skills...)
		case reflect.TypeFor[schema.LevelText]():
			add("name", c.names.Levels[c.inStep(`\bname: *([a-z][a-z0-9_]*)`)]...)
		case reflect.TypeFor[schema.OwnerText]():
			add("name", c.owners()...)
		}
	default:
		add("name", c.names.Of(t.typ)...)
	}
	return out
}

// owners are whom a ticket may go to, as they are written.
func (c *completer) owners() []string {
	var out []string
	for _, of := range []struct {
		kind  string
		names []string
		here  []string
	}{
		{"team:", c.names.Teams, c.file.below["teams"]}, {"agent:", c.names.Agents, c.file.below["agents"]}, {"queue:", c.names.Queues, c.file.below["queues"]},
	} {
		for _, name := range slices.Concat(of.names, of.here) {
			out = append(out, of.kind+name)
		}
	}
	return out
}

// replies reports a file of replies.
func (c *completer) replies() bool { return strings.HasSuffix(c.names.File, ".replies.yaml") }

// replyNames are names that replies alone have.
func (c *completer) replyNames() []schema.Term {
	if !c.replies() {
		return nil
	}
	return schema.ReplyBuiltins()
}

// variables are those of this flow, of the one that is tested, or of all for what agents send.
func (c *completer) variables() []schema.Named {
	if c.replies() {
		var all []schema.Named
		for _, f := range c.names.Flows {
			for _, v := range f.Vars {
				if !slices.ContainsFunc(all, func(o schema.Named) bool { return o.Name == v.Name }) {
					all = append(all, v)
				}
			}
		}
		return all
	}
	if f := c.tested(); f != nil {
		return f.Vars
	}
	return c.file.vars
}

var (
	calledCalendar = regexp.MustCompile(`in_hours\(\s*\\?['"]([a-z0-9_]*)$`)
	nameAtEnd      = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_.]*$`)
	insideQuotes   = regexp.MustCompile(`^[^']*('[^']*'[^']*)*'[^']*$`)
)

// expression lists what may stand at the end of an expression: names, their fields, and
// functions.
func (c *completer) expression(written string) []Item {
	if m := calledCalendar.FindStringSubmatch(written); m != nil {
		c.from = c.cursor - len(m[1])
		var out []Item
		for _, name := range c.names.Calendars {
			out = append(out, Item{Label: name, Kind: "name", Insert: name})
		}
		return out
	}
	if insideQuotes.MatchString(strings.ReplaceAll(strings.ReplaceAll(written, `\'`, ""), `''`, "")) && c.quote != '\'' {
		return nil // in a text of the expression
	}
	begun := nameAtEnd.FindString(written)
	c.from = c.cursor - len([]rune(begun))
	parent := ""
	if i := strings.LastIndexByte(begun, '.'); i >= 0 {
		parent = begun[:i+1]
		c.from += len([]rune(parent))
	}
	var out []Item
	add := func(name, kind, detail, info string) {
		rest, ok := strings.CutPrefix(name, parent)
		if !ok || rest == "" || strings.Contains(rest, ".") {
			return
		}
		insert := rest
		if kind == "function" {
			insert += "("
		}
		out = append(out, Item{rest, kind, detail, info, insert})
	}
	for _, v := range c.variables() {
		add(v.Name, "variable", v.Type, "")
	}
	for _, b := range c.replyNames() {
		add(b.Name, "variable", b.Detail, b.About(c.names.Lang))
	}
	for _, name := range c.names.Settings {
		add("settings."+name, "variable", "", "")
	}
	for _, b := range schema.Builtins() {
		if c.replies() && !slices.Contains(schema.ReplyNames(), b.Name) {
			continue
		}
		if b.Name == "link" && !slices.Contains(c.path, "link") && !slices.Contains(c.path, "handoff") && !slices.Contains(c.path, "prompts") {
			continue
		}
		add(b.Name, "variable", b.Detail, b.About(c.names.Lang))
	}
	if parent == "" {
		for _, f := range schema.Functions() {
			add(f.Name, "function", f.Detail, f.About(c.names.Lang))
		}
		if as := c.inStep(`\bas: *([a-z][a-z0-9_]*)`); as != "" && slices.Contains(c.path, "label") {
			add(as, "variable", "", "")
			add("key", "variable", "digits", "")
		}
	}
	return out
}
