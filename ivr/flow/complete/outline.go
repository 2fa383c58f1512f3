package complete

import (
	"path"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/schema"
	"tandem/ivr/flow/source"
)

// outline is what a file declares, as far as it can be made out.
type outline struct {
	values    map[string]string // of keys at the left edge
	keys      []string          // at the left edge
	languages []string
	steps     []string
	prompts   []string
	vars      []schema.Named // inputs first
	inputs    []schema.Named
	outcomes  []string
	returns   []string
	below     map[string][]string // keys below queues, boxes, teams and agents, and the skills of these
	levels    map[string][]string // of each queue
	http      []string            // steps that ask another system
}

// lines splits a text as files are counted: \r\n and a BOM mean nothing.
func lines(src string) []string {
	src = strings.TrimPrefix(src, "\ufeff")
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(src, "\r\n", "\n"), "\r", "\n"), "\n")
}

func outlineOf(rows []string) *outline {
	o := &outline{values: map[string]string{}, below: map[string][]string{}, levels: map[string][]string{}}
	s := newScanner()
	s.onKey = func(path []string, _ int) { o.key(path) }
	s.onValue = func(path []string, text string, _ int) { o.value(path, text) }
	s.scan(rows)
	return o
}

func (o *outline) key(path []string) {
	if len(path) == 1 {
		o.keys = append(o.keys, path[0])
		return
	}
	name := path[len(path)-1]
	if len(path) == 3 && path[0] == "steps" && name == "http" {
		o.http = append(o.http, path[1])
	}
	if len(path) == 4 && (path[0] == "vars" || path[0] == "inputs") && path[2] == "fields" {
		o.vars = append(o.vars, schema.Named{Name: path[1] + "." + name})
	}
	if len(path) == 4 && path[0] == "agents" && path[2] == "skills" {
		o.below["skills"] = append(o.below["skills"], name)
	}
	if len(path) == 4 && path[0] == "queues" && path[2] == "levels" {
		o.levels[path[1]] = append(o.levels[path[1]], name)
	}
	if len(path) != 2 {
		return
	}
	switch path[0] {
	case "steps":
		o.steps = append(o.steps, name)
	case "prompts":
		o.prompts = append(o.prompts, name)
	case "vars":
		o.vars = append(o.vars, schema.Named{Name: name})
	case "inputs":
		o.inputs = append(o.inputs, schema.Named{Name: name})
		o.vars = append(o.vars, schema.Named{Name: name})
	case "queues", "boxes", "teams", "agents":
		o.below[path[0]] = append(o.below[path[0]], name)
	}
}

func (o *outline) value(path []string, text string) {
	switch {
	case len(path) == 0:
	case len(path) == 1:
		o.values[path[0]] = text
	case len(path) == 2 && path[1] == "[]":
		switch path[0] {
		case "languages":
			o.languages = append(o.languages, text)
		case "outcomes":
			o.outcomes = append(o.outcomes, text)
		case "returns":
			o.returns = append(o.returns, text)
		}
	case path[0] != "vars" && path[0] != "inputs":
	case len(path) == 2 || len(path) == 3 && path[2] == "type":
		o.typed(path[1], text)
	case len(path) == 4 && path[2] == "fields" || len(path) == 5 && path[2] == "fields" && path[4] == "type":
		o.typed(path[1]+"."+path[3], text)
	}
}

// typed notes the type of a variable.
func (o *outline) typed(name, kind string) {
	for _, list := range [][]schema.Named{o.vars, o.inputs} {
		for i := range list {
			if list[i].Name == name {
				list[i].Type = kind
			}
		}
	}
}

// kind is what the file is, by its name or by its first keys.
func (o *outline) kind(file string) schema.Kind {
	kinds := schema.Kinds()
	for _, k := range kinds {
		if strings.HasSuffix(file, k.Suffix) {
			return k
		}
	}
	for _, k := range kinds {
		marks := map[string][]string{"classify": {"classifier"}, "test": {"tests"}, "queues": {"queues", "boxes", "teams", "agents", "policy"}, "replies": {"replies"}}[k.Name]
		if marks == nil {
			marks = []string{k.Name}
		}
		if slices.ContainsFunc(marks, func(m string) bool { return slices.Contains(o.keys, m) }) && (k.Name != "flow" || !slices.Contains(o.keys, "tests")) {
			return k
		}
	}
	return kinds[0]
}

// Names collects what the files of a folder declare, by their names in it, as package
// read lists them. A file that is half written gives what can be made out.
func Names(files map[string][]byte) *schema.Names {
	n := &schema.Names{}
	for file, text := range files {
		if dir := path.Dir(file); dir != "." {
			if path.Dir(dir) == "knowledge" && !slices.Contains(n.Knowledge, path.Base(dir)) {
				n.Knowledge = append(n.Knowledge, path.Base(dir))
			}
			continue
		}
		o := outlineOf(lines(string(text)))
		k := o.kind(file)
		if !strings.HasSuffix(file, k.Suffix) {
			continue
		}
		add := func(list *[]string, name string) {
			if source.IsName(name) && !slices.Contains(*list, name) {
				*list = append(*list, name)
			}
		}
		switch k.Name {
		case "flow":
			if name := o.values["flow"]; source.IsName(name) {
				n.Flows = append(n.Flows, o.flow(name))
				for _, p := range o.prompts {
					add(&n.Prompts, p)
				}
			}
		case "calendar":
			add(&n.Calendars, o.values["calendar"])
		case "form":
			add(&n.Forms, o.values["form"])
		case "operation":
			add(&n.Operations, o.values["operation"])
		case "classify":
			add(&n.Classifiers, o.values["classifier"])
		case "check":
			add(&n.Checks, o.values["check"])
		case "queues":
			for _, name := range o.below["queues"] {
				add(&n.Queues, name)
			}
			for _, name := range o.below["boxes"] {
				add(&n.Boxes, name)
			}
			for _, name := range o.below["teams"] {
				add(&n.Teams, name)
			}
			n.Agents = append(n.Agents, o.below["agents"]...)
			for _, name := range o.below["skills"] {
				if flow.IsSkill(name) && !slices.Contains(n.Skills, name) {
					n.Skills = append(n.Skills, name)
				}
			}
			for queue, levels := range o.levels {
				if n.Levels == nil {
					n.Levels = map[string][]string{}
				}
				n.Levels[queue] = append(n.Levels[queue], levels...)
			}
		}
	}
	for _, list := range [][]string{n.Calendars, n.Queues, n.Boxes, n.Teams, n.Agents, n.Skills, n.Forms, n.Operations, n.Classifiers, n.Checks, n.Knowledge, n.Prompts} {
		slices.Sort(list)
	}
	slices.SortFunc(n.Flows, func(a, b schema.FlowNames) int { return strings.Compare(a.Name, b.Name) })
	return n
}

// flow is what others see of a flow.
func (o *outline) flow(name string) schema.FlowNames {
	return schema.FlowNames{
		Name: name, Inputs: o.inputs, Outcomes: o.outcomes, Returns: o.returns,
		Steps: o.steps, Vars: o.vars, Prompts: o.prompts, HTTP: o.http,
	}
}
