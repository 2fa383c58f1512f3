package program

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/beside"
	"tandem/ivr/flow/source"
)

// use notes that this file depends on the one that declares a thing.
func use[T any](ff *File, thing *Named[T]) *T {
	ff.Uses[thing.File.Base] = true
	return thing.Value
}

func namesOf[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }

// calendar looks a calendar up and notes that this file uses it.
func (ff *File) calendar(n *source.Node, name string) {
	if c := ff.known.Calendars[name]; c != nil {
		use(ff, c)
		return
	}
	ff.Unknown(n, "unknown-calendar", source.CalendarFile, name, namesOf(ff.known.Calendars), "there is no calendar `%s`", fmt.Sprintf("make a file %s.calendar.yaml beside the flow", source.AsName(name)))
}

func (ff *File) box(n *source.Node, name string) {
	if b := ff.known.Boxes[name]; b != nil {
		use(ff, b)
		return
	}
	ff.Unknown(n, "unknown-box", source.QueuesFile, name, namesOf(ff.known.Boxes), "there is no box `%s`", fmt.Sprintf("make a file NAME.queues.yaml with `boxes: { %s: { queue: NAME } }`", source.AsName(name)))
}

func (ff *File) queue(n *source.Node, name string) {
	if q := ff.known.Queues[name]; q != nil {
		use(ff, q)
		return
	}
	ff.Unknown(n, "unknown-queue", source.QueuesFile, name, namesOf(ff.known.Queues), "there is no queue `%s`", fmt.Sprintf("make a file NAME.queues.yaml with `queues: { %s: {} }`", source.AsName(name)))
}

func (ff *File) agent(n *source.Node, name string) {
	if a := ff.known.Agents[name]; a != nil {
		use(ff, a)
		return
	}
	ff.Unknown(n, "unknown-agent", source.QueuesFile, name, namesOf(ff.known.Agents), "there is no agent `%s`", fmt.Sprintf("add `agents: { %s: { teams: [TEAM] } }` to a queues file", name))
}

func (ff *File) team(n *source.Node, name string) {
	if t := ff.known.Teams[name]; t != nil {
		use(ff, t)
		return
	}
	ff.Unknown(n, "unknown-team", source.QueuesFile, name, namesOf(ff.known.Teams), "there is no team `%s`", fmt.Sprintf("add `teams: { %s: {} }` to a queues file", source.AsName(name)))
}

// form looks a form up; asks says that its questions are asked, in the flow's languages.
func (ff *File) form(n *source.Node, name string, asks bool) *flow.Form {
	form := ff.known.Forms[name]
	if form == nil {
		ff.Unknown(n, "unknown-form", source.FormFile, name, namesOf(ff.known.Forms), "there is no form `%s`", fmt.Sprintf("make a file %s.form.yaml beside the flow", source.AsName(name)))
		return nil
	}
	if asks {
		beside.Asks(form.File.File, form.Value, ff.Flow)
	}
	return use(ff, form)
}

// operation looks an operation up, with the forms that it asks.
func (ff *File) operation(n *source.Node, name string) *flow.Operation {
	o := ff.known.Operations[name]
	if o == nil {
		ff.Unknown(n, "unknown-operation", source.OperationFile, name, namesOf(ff.known.Operations), "there is no operation `%s`", fmt.Sprintf("make a file %s.operation.yaml beside the flow", source.AsName(name)))
		return nil
	}
	beside.Shows(o.File.File, o.Value, ff.Flow)
	for _, s := range o.Value.Steps {
		if form := ff.known.Forms[s.Form]; form != nil {
			beside.Asks(form.File.File, form.Value, ff.Flow)
		}
	}
	return use(ff, o)
}

func (ff *File) classifier(n *source.Node, name string) *flow.Classifier {
	if c := ff.known.Classifiers[name]; c != nil {
		return use(ff, c)
	}
	ff.Unknown(n, "unknown-classifier", source.ClassifierFile, name, namesOf(ff.known.Classifiers), "there is no classifier `%s`", fmt.Sprintf("make a file %s.classify.yaml beside the flow", source.AsName(name)))
	return nil
}

// check looks up the policy by which video proves who a customer is; without a name, the
// folder's one. The step is to give a level.
func (ff *File) check(n *source.Node, name string, level tandem.Assurance) string {
	all := namesOf(ff.known.Checks)
	if name == "" {
		switch {
		case len(all) == 1:
			name = all[0]
		case len(all) > 1:
			ff.Fail(n, "unknown-check", fmt.Sprintf("add `check: %s`", all[0]), "the folder has several identity checks, %s, and none is named", strings.Join(all, ", "))
			return ""
		}
	}
	c := ff.known.Checks[name]
	if c == nil {
		as := name
		if as == "" {
			as = "face"
		}
		message := "there is no identity check `%s`"
		if name == "" {
			message = "`video` needs an identity check, and there is none: `%s.check.yaml` says what is asked"
		}
		ff.Unknown(n, "unknown-check", source.CheckFile, as, all, message, fmt.Sprintf("make a file %s.check.yaml beside the flow", source.AsName(as)))
		return name
	}
	policy := use(ff, c)
	if policy.Level > tandem.None && policy.Level < level {
		ff.Fail(n, "method-level", "give the check that level, or the step a lower one", "the identity check `%s` gives %s, and this step is to give %s", name, policy.Level, level)
	}
	for i, lang := range ff.Flow.Languages {
		switch _, has := policy.Consent.Text[lang]; {
		case has, len(policy.Consent.Text) == 0:
		case i == 0:
			ff.Fail(n, "missing-language", fmt.Sprintf("add `%s: \"…\"` to its consent", lang), "the consent of the identity check `%s` has no words in %s, the flow's first language", name, lang)
		default:
			ff.Warn(n, "missing-language", fmt.Sprintf("add `%s: \"…\"` to its consent", lang), "the consent of the identity check `%s` has no words in %s, which this flow speaks", name, lang)
		}
	}
	return name
}

// knowledge looks knowledge up and notes that this file uses its articles.
func (ff *File) knowledge(n *source.Node, name string) {
	k := ff.known.Knowledge[name]
	if k == nil {
		ff.Unknown(n, "unknown-knowledge", source.ArticleFile, name, namesOf(ff.known.Knowledge), "there is no knowledge `%s`", fmt.Sprintf("make a folder %s/%s with an article in it, such as opening.md", source.KnowledgeDir, source.AsName(name)))
		return
	}
	spoken := map[string]bool{}
	for file := range ff.known.Files {
		if path.Dir(file) == path.Join(source.KnowledgeDir, name) {
			ff.Uses[file] = true
		}
	}
	for _, a := range k.Articles {
		spoken[a.Lang] = true
	}
	for i, lang := range ff.Flow.Languages {
		fix := fmt.Sprintf("add an article with `language: %s` to %s/%s", lang, source.KnowledgeDir, name)
		switch {
		case spoken[lang] || len(k.Articles) == 0: // an article that cannot be read is a mistake of its own
		case i == 0:
			ff.Fail(n, "missing-language", fix, "knowledge `%s` has no article in %s, the flow's first language", name, lang)
		default:
			ff.Warn(n, "missing-language", fix, "knowledge `%s` has no article in %s", name, lang)
		}
	}
}
