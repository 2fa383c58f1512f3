package program

import (
	"tandem/internal/nearest"
	"tandem/ivr/flow"
	"tandem/ivr/flow/beside"
	"tandem/ivr/flow/source"
)

// Known is what a flow may name: what the operator configured, and what the files of the
// folder declare. Its maps are filled before a flow's Body is read.
type Known struct {
	Settings  map[string]any  // nil = not known: expressions may use any
	HTTPAllow []string        // hosts that http may reach; nil = not known: any
	Speech    map[string]bool // languages that a recogniser is configured for
	Media     *beside.Folder

	Files       map[string]*Document // by name
	Flows       map[string]*File     // by name, or by Nameless of the file's
	Calendars   map[string]*Named[flow.Calendar]
	Queues      map[string]*Named[flow.Queue]
	Boxes       map[string]*Named[flow.Box]
	Teams       map[string]*Named[flow.Team]
	Agents      map[string]*Named[flow.Agent]
	Policy      *Named[flow.Routing] // nil = no file has one
	Forms       map[string]*Named[flow.Form]
	Operations  map[string]*Named[flow.Operation]
	Classifiers map[string]*Named[flow.Classifier]
	Knowledge   map[string]*flow.Knowledge
	Replies     map[string]*Named[flow.Reply]
	Checks      map[string]*Named[flow.CheckPolicy]

	// Asked is what queue steps ask of a queue, by its name: each level they may name.
	Asked map[string]map[string]bool

	kept kept
}

// NewKnown makes a Known without names.
func NewKnown() *Known {
	return &Known{
		Files: map[string]*Document{}, Flows: map[string]*File{}, Calendars: map[string]*Named[flow.Calendar]{},
		Queues: map[string]*Named[flow.Queue]{}, Boxes: map[string]*Named[flow.Box]{},
		Teams: map[string]*Named[flow.Team]{}, Agents: map[string]*Named[flow.Agent]{}, Asked: map[string]map[string]bool{}, Forms: map[string]*Named[flow.Form]{},
		Operations: map[string]*Named[flow.Operation]{}, Classifiers: map[string]*Named[flow.Classifier]{}, Knowledge: map[string]*flow.Knowledge{},
		Replies: map[string]*Named[flow.Reply]{}, Checks: map[string]*Named[flow.CheckPolicy]{},
		kept: newKept(),
	}
}

// Named is a thing with the file that declares it.
type Named[T any] struct {
	Value *T
	File  *Document
}

// Document is one file of the folder.
type Document struct {
	*source.File
	Data []byte
	Uses map[string]bool // names of files it depends on

	known *Known
}

// Document makes a file without text; path is what people call it.
func (k *Known) Document(name, path string) *Document {
	return &Document{File: source.New(name, path), Uses: map[string]bool{}, known: k}
}

// Free reports that nothing of the kind has the name at n yet.
func Free[T any](f *Document, n *source.Node, what string, taken map[string]*Named[T]) bool {
	other := taken[n.Text]
	if other != nil {
		f.Fail(n, "duplicate-name", "give one of the two another name", "%s `%s` is also in %s", what, n.Text, other.File.Path)
	}
	return other == nil
}

const listedNames = 12 // more names than this are not spelled out in a fix

// Unknown reports a name that nothing of its kind has: the fix is the nearest, or else
// what would give the name to something. Where a file of the kind cannot be read, it may
// be the one: then that mistake is enough.
func (f *Document) Unknown(n *source.Node, rule, kind, name string, names []string, message, make string) {
	if f.Unread(kind) {
		return
	}
	fix := source.DidYouMean(name, names)
	if len(names) == 0 || len(names) > listedNames && nearest.Name(name, names) == "" {
		fix = make
	}
	f.Fail(n, rule, fix, message, name)
}

// Unread reports files of a kind that cannot be read, and notes that this one may use them.
func (f *Document) Unread(kind string) bool {
	some := false
	for name, other := range f.known.Files {
		if kind != "" && source.KindOf(name) == kind && other.Root == nil {
			f.Uses[name] = true
			some = true
		}
	}
	return some
}
