package read

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tandem/internal/nearest"
	"tandem/ivr/flow"
	"tandem/ivr/flow/beside"
	"tandem/ivr/flow/calendar"
	"tandem/ivr/flow/check"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// Options is what a reading needs to know from outside the folder.
type Options struct {
	// Settings are the operator's values, flows.settings. nil = not known here:
	// expressions may use any setting.
	Settings map[string]any
	// HTTPAllow lists the hosts that http steps may reach: "core.bank.example" on any
	// port, "core.bank.example:8443", or "*.bank.example". nil = not known here: hosts
	// are not checked; an empty list allows none.
	HTTPAllow []string
	// Speech says for which languages a recogniser is configured.
	Speech map[string]bool
	// Recorded names the flows of entries that record.
	Recorded []string
	// Needed names the flows that entries lead to: without one of them the folder is not
	// fit to serve.
	Needed []string
	// Carried names the verbs that this server carries out, and beside them
	// "transfer agent" and "transfer queue". A needed flow, or one that it calls, with
	// another is not fit to serve. nil = whatever the language has.
	Carried []string
	// Now is the time by which a holiday has expired; zero = the present.
	Now time.Time

	opening bool // a needed flow that is not there is the caller's to tell of
}

// Dir reads the flow files of a folder and the knowledge in it, not other folders. The
// library is nil if any diagnostic is an error.
func Dir(dir string, o Options) (*flow.Library, []source.Diagnostic) {
	return newReading(os.DirFS(dir), dir, o).run()
}

// FS reads the flow files at the root of fsys, as Dir does.
func FS(fsys fs.FS, o Options) (*flow.Library, []source.Diagnostic) {
	return newReading(fsys, "", o).run()
}

// File reads the folder that a file lies in and keeps the diagnostics of that file
// and of the files it uses.
func File(path string, o Options) (*flow.Library, []source.Diagnostic) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if kindOf(base) == "" {
		return nil, []source.Diagnostic{{
			File: path, Line: 1, Column: 1, Severity: source.Error, Rule: "file-name", Message: "this is no flow file by its name",
			Suggestion: "name it NAME.flow.yaml, NAME.calendar.yaml, NAME.queues.yaml, NAME.form.yaml, NAME.operation.yaml or NAME.classify.yaml",
		}}
	}
	r := newReading(os.DirFS(dir), filepath.Clean(dir), o)
	lib, found := r.run()
	used := map[string]bool{}
	for name := range r.closure(base) {
		used[r.path(name)] = true
	}
	found = slices.DeleteFunc(found, func(d source.Diagnostic) bool { return !used[d.File] })
	if _, ok := r.files[base]; !ok && len(found) == 0 {
		found = append(found, source.Diagnostic{File: path, Line: 1, Column: 1, Severity: source.Error, Rule: "file", Message: "there is no such file"})
	}
	return lib, found
}

// reading is one pass over a folder.
type reading struct {
	texts  texts
	beside *beside.Folder
	dir    string
	o      Options
	files  map[string]*document // by name

	flows       map[string]*flowFile
	calendars   map[string]*named[flow.Calendar]
	queues      map[string]*named[flow.Queue]
	boxes       map[string]*named[flow.Box]
	forms       map[string]*named[flow.Form]
	operations  map[string]*named[flow.Operation]
	classifiers map[string]*named[flow.Classifier]
	knowledge   map[string]*flow.Knowledge
	kept        *kept
}

// named is a thing with the file that declares it.
type named[T any] struct {
	value *T
	file  *document
}

// document is one file of the folder.
type document struct {
	*source.File
	reading *reading
	data    []byte
	uses    map[string]bool // names of files it depends on
}

func newReading(fsys fs.FS, dir string, o Options) *reading {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	return &reading{
		texts: stored{fsys}, beside: beside.NewFolder(fsys), dir: dir, o: o, files: map[string]*document{},
		flows: map[string]*flowFile{}, calendars: map[string]*named[flow.Calendar]{},
		queues: map[string]*named[flow.Queue]{}, boxes: map[string]*named[flow.Box]{},
		forms: map[string]*named[flow.Form]{}, operations: map[string]*named[flow.Operation]{},
		classifiers: map[string]*named[flow.Classifier]{}, knowledge: map[string]*flow.Knowledge{}, kept: newKept(),
	}
}

func (r *reading) newDocument(name string) *document {
	return &document{File: source.New(name, r.path(name)), reading: r, uses: map[string]bool{}}
}

// path is what people call a file.
func (r *reading) path(name string) string {
	if r.dir == "" {
		return name
	}
	return filepath.Join(r.dir, filepath.FromSlash(name))
}

// run reads everything: first all names, then what uses them, then the rules that
// hold over whole flows.
func (r *reading) run() (*flow.Library, []source.Diagnostic) {
	found := r.read()
	if source.HasErrors(found) {
		return nil, found
	}
	return r.library(), found
}

func (r *reading) read() []source.Diagnostic {
	names, err := r.texts.list()
	if err != nil {
		return []source.Diagnostic{{File: r.dir, Line: 1, Column: 1, Severity: source.Error, Rule: "file", Message: fmt.Sprintf("the folder cannot be read: %v", beside.Plain(err))}}
	}
	for _, name := range names {
		r.open(name)
	}
	for _, kind := range kinds { // what others name comes first
		for _, name := range names {
			if f := r.files[name]; kindOf(name) == kind && f.Root != nil {
				r.declare(f, kind)
			}
		}
	}
	flows := r.inOrder()
	for _, ff := range flows {
		ff.readBody()
	}
	r.checkBoxes()
	r.kept.check()
	check.Flows(r.toCheck(), check.Options{Recorded: r.o.Recorded, Speech: r.o.Speech})
	for _, ff := range flows {
		ff.checkUnused()
	}
	r.refuse()
	var found []source.Diagnostic
	for _, f := range r.files {
		found = append(found, f.Found()...)
	}
	found = append(found, r.missing()...)
	source.Sort(found)
	return found
}

// inOrder is the flows by their files' names.
func (r *reading) inOrder() []*flowFile {
	return slices.SortedFunc(maps.Values(r.flows), func(a, b *flowFile) int { return strings.Compare(a.Base, b.Base) })
}

// declare reads a file that others may name something of, and of a flow its head.
func (r *reading) declare(f *document, kind string) {
	switch kind {
	case formFile:
		declare(f, "form", r.forms, r.beside.Form(f.File), func(v *flow.Form) string { return v.Name })
	case operationFile:
		o := r.beside.Operation(f.File, func(n *source.Node, name string) { r.formOf(f, n, name) })
		declare(f, "operation", r.operations, o, func(v *flow.Operation) string { return v.Name })
	case classifyFile:
		declare(f, "classifier", r.classifiers, beside.Classifier(f.File), func(v *flow.Classifier) string { return v.Name })
	case calendarFile:
		declare(f, "calendar", r.calendars, calendar.Read(f.File, r.o.Now), func(v *flow.Calendar) string { return v.Name })
	case queuesFile:
		beside.Queues(f.File, func(n *source.Node, q *flow.Queue) {
			if free(f, n, "queue", r.queues) {
				r.queues[q.Name] = &named[flow.Queue]{q, f}
			}
		}, func(n *source.Node, b *flow.Box) {
			if free(f, n, "box", r.boxes) {
				r.boxes[b.Name] = &named[flow.Box]{b, f}
			}
		})
	case flowKind:
		r.readHead(f)
	}
}

// declare keeps what a file of its own declares, unless its name is taken or unreadable.
func declare[T any](f *document, what string, taken map[string]*named[T], v *T, name func(*T) string) {
	if n := f.Root.Get(what); name(v) != "" && free(f, n, what, taken) {
		taken[name(v)] = &named[T]{v, f}
	}
}

// formOf looks up a form that an operation asks.
func (r *reading) formOf(f *document, n *source.Node, name string) {
	if form := r.forms[name]; form != nil {
		f.uses[form.file.Base] = true
		return
	}
	f.unknown(n, "unknown-form", formFile, name, slices.Sorted(maps.Keys(r.forms)), "there is no form `%s`", fmt.Sprintf("make a file %s.form.yaml beside the flow", source.AsName(name)))
}

// unknown reports a name that nothing of its kind has: the fix is the nearest, or else
// what would give the name to something. Where a file of the kind cannot be read, it may
// be the one: then that mistake is enough.
func (f *document) unknown(n *source.Node, rule, kind, name string, names []string, message, make string) {
	if f.unread(kind) {
		return
	}
	fix := source.DidYouMean(name, names)
	if len(names) == 0 || len(names) > listedNames && nearest.Name(name, names) == "" {
		fix = make
	}
	f.Fail(n, rule, fix, message, name)
}

// unread reports files of a kind that cannot be read, and notes that this one may use them.
func (f *document) unread(kind string) bool {
	some := false
	for name, other := range f.reading.files {
		if kind != "" && kindOf(name) == kind && other.Root == nil {
			f.uses[name] = true
			some = true
		}
	}
	return some
}

// checkBoxes looks up the queues of boxes, once all files are read.
func (r *reading) checkBoxes() {
	for _, name := range slices.Sorted(maps.Keys(r.boxes)) {
		b := r.boxes[name]
		if b.value.Queue == "" {
			continue
		}
		q := r.queues[b.value.Queue]
		if q == nil {
			n := b.file.Root.Get("boxes").Get(name).Get("queue")
			b.file.unknown(n, "unknown-queue", queuesFile, b.value.Queue, slices.Sorted(maps.Keys(r.queues)), "there is no queue `%s`", fmt.Sprintf("add `queues: { %s: {} }`", source.AsName(b.value.Queue)))
			continue
		}
		if q.file != b.file {
			b.file.uses[q.file.Base] = true
		}
	}
}

// missing reports at the folder itself the flows that are needed and in no file. Where
// a flow file's name could not be read, it may be the one: then nothing is said.
func (r *reading) missing() []source.Diagnostic {
	if r.o.opening {
		return nil
	}
	for name, f := range r.files {
		if kindOf(name) == flowKind && f.Root == nil || r.flows[" "+name] != nil {
			return nil
		}
	}
	folder := r.newDocument(".")
	names := slices.Sorted(maps.Keys(r.flows))
	for _, name := range r.o.Needed {
		if r.flows[name] == nil {
			fix := "bring the flow back, or lead the entry to another one"
			if near := nearest.Name(name, names); near != "" {
				fix = fmt.Sprintf("bring the flow back, or lead the entry to `%s`", near)
			}
			folder.Report(source.Error, source.Place{Line: 1, Col: 1}, 1, "missing-flow", fix, "an entry leads to flow `%s`, which is in no file of this folder", name)
		}
	}
	return folder.Found()
}

// toCheck is the flows as the checks know them, by the name they are called by.
func (r *reading) toCheck() map[string]*check.Flow {
	flows := make(map[string]*check.Flow, len(r.flows))
	for name, ff := range r.flows {
		flows[name] = ff.checked
	}
	return flows
}

// free reports that nothing of the kind has the name at n yet.
func free[T any](f *document, n *source.Node, what string, taken map[string]*named[T]) bool {
	other := taken[n.Text]
	if other != nil {
		f.Fail(n, "duplicate-name", "give one of the two another name", "%s `%s` is also in %s", what, n.Text, other.file.Path)
	}
	return other == nil
}

// open reads and parses one file.
func (r *reading) open(name string) {
	f := r.newDocument(name)
	r.files[name] = f
	var err error
	if f.data, err = r.texts.read(name); err != nil {
		f.Report(source.Error, source.Place{Line: 1, Col: 1}, 1, "file", "", "the file cannot be read: %v", beside.Plain(err))
		return
	}
	switch kindOf(name) {
	case testFile:
	case articleFile:
		r.openArticle(f)
	default:
		f.Parse(f.data)
	}
}

// openArticle adds an article to the knowledge of its folder.
func (r *reading) openArticle(f *document) {
	name := path.Base(path.Dir(f.Base))
	if !source.IsName(name) {
		f.Report(source.Error, source.Place{Line: 1, Col: 1}, 1, "name", fmt.Sprintf("call it %s", source.AsName(name)), "knowledge is named by its folder, and `%s` is no name: it has other characters than a-z, 0-9 and _", name)
		return
	}
	k := r.knowledge[name]
	if k == nil {
		k = &flow.Knowledge{Name: name}
		r.knowledge[name] = k
	}
	if a := beside.Article(f.File, f.data); a != nil {
		k.Articles = append(k.Articles, a)
	}
}

// closure is the file and everything it uses, by base name.
func (r *reading) closure(name string) map[string]bool {
	seen := map[string]bool{name: true}
	for todo := []string{name}; len(todo) > 0; todo = todo[1:] {
		if f := r.files[todo[0]]; f != nil {
			for u := range f.uses {
				if !seen[u] {
					seen[u] = true
					todo = append(todo, u)
				}
			}
		}
	}
	return seen
}

// library makes the immutable result of a reading.
func (r *reading) library() *flow.Library {
	settings, _ := expression.Normalize(r.o.Settings).(map[string]any)
	lib := &flow.Library{
		Dir: r.dir, Flows: map[string]*flow.Flow{}, Settings: settings, Knowledge: r.knowledge,
		Calendars: values(r.calendars), Queues: values(r.queues), Boxes: values(r.boxes),
		Forms: values(r.forms), Operations: values(r.operations), Classifiers: values(r.classifiers),
	}
	for _, ff := range r.inOrder() {
		h := sha256.New()
		for _, name := range slices.Sorted(maps.Keys(r.closure(ff.Base))) {
			sum := sha256.Sum256(r.files[name].data)
			fmt.Fprintf(h, "%s %x\n", name, sum)
		}
		ff.flow.Hash = hex.EncodeToString(h.Sum(nil))
		ff.flow.Zone = r.zone(ff)
		if r.flows[ff.flow.Name] == ff {
			lib.Flows[ff.flow.Name] = ff.flow
		}
	}
	return lib
}

func values[T any](of map[string]*named[T]) map[string]*T {
	out := make(map[string]*T, len(of))
	for name, n := range of {
		out[name] = n.value
	}
	return out
}

// zone is the one time zone of the calendars that a flow itself uses, nil if there is
// none or more than one.
func (r *reading) zone(ff *flowFile) *time.Location {
	var zone *time.Location
	for _, c := range r.calendars {
		if !ff.uses[c.file.Base] {
			continue
		}
		if zone != nil && zone.String() != c.value.Zone.String() {
			return nil
		}
		zone = c.value.Zone
	}
	return zone
}
