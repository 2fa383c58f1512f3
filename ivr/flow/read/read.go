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

	"tandem"
	"tandem/internal/nearest"
	"tandem/ivr/flow"
	"tandem/ivr/flow/beside"
	"tandem/ivr/flow/calendar"
	"tandem/ivr/flow/check"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/program"
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
	// Served is by which channels entries lead to a needed flow, by its name: it has to
	// serve them.
	Served map[string][]tandem.Channel
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
	if source.KindOf(base) == "" {
		return nil, []source.Diagnostic{{
			File: path, Line: 1, Column: 1, Severity: source.Error, Rule: "file-name", Message: "this is no flow file by its name",
			Suggestion: "name it NAME.flow.yaml, NAME.calendar.yaml, NAME.queues.yaml, NAME.form.yaml, NAME.operation.yaml, NAME.classify.yaml, NAME.check.yaml or NAME.replies.yaml",
		}}
	}
	r := newReading(os.DirFS(dir), filepath.Clean(dir), o)
	lib, found := r.run()
	used := map[string]bool{}
	for name := range r.closure(base) {
		used[r.path(name)] = true
	}
	found = slices.DeleteFunc(found, func(d source.Diagnostic) bool { return !used[d.File] })
	if _, ok := r.Files[base]; !ok && len(found) == 0 {
		found = append(found, source.Diagnostic{File: path, Line: 1, Column: 1, Severity: source.Error, Rule: "file", Message: "there is no such file"})
	}
	return lib, found
}

// reading is one pass over a folder.
type reading struct {
	*program.Known
	texts texts
	dir   string
	o     Options

	mentions []mention // of the queues files
}

func newReading(fsys fs.FS, dir string, o Options) *reading {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	known := program.NewKnown()
	known.Settings, known.HTTPAllow, known.Speech, known.Media = o.Settings, o.HTTPAllow, o.Speech, beside.NewFolder(fsys)
	texts := stored{fsys}
	if dir != "" { // recordings and images may be links to wherever they are kept
		texts.fsys = inside(dir)
	}
	return &reading{Known: known, texts: texts, dir: dir, o: o}
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
	for _, kind := range source.Kinds() { // what others name comes first
		for _, name := range names {
			if f := r.Files[name]; source.KindOf(name) == kind && f.Root != nil {
				r.declare(f, kind)
			}
		}
	}
	flows := r.inOrder()
	for _, ff := range flows {
		ff.Body()
	}
	r.checkLine()
	r.CheckMasks()
	check.Flows(r.toCheck(), check.Options{Entered: r.o.Needed, Recorded: r.o.Recorded, Speech: r.o.Speech})
	for _, ff := range flows {
		ff.Unused()
	}
	var found []source.Diagnostic
	for _, f := range r.Files {
		found = append(found, f.Found()...)
	}
	found = append(found, r.missing()...)
	source.Sort(found)
	return found
}

// inOrder is the flows by their files' names.
func (r *reading) inOrder() []*program.File {
	return slices.SortedFunc(maps.Values(r.Flows), func(a, b *program.File) int { return strings.Compare(a.Base, b.Base) })
}

// declare reads a file that others may name something of, and of a flow its head.
func (r *reading) declare(f *program.Document, kind string) {
	switch kind {
	case source.FormFile:
		declare(f, "form", r.Forms, r.Media.Form(f.File), func(v *flow.Form) string { return v.Name })
	case source.OperationFile:
		o := r.Media.Operation(f.File, func(n *source.Node, name string) { r.formOf(f, n, name) })
		declare(f, "operation", r.Operations, o, func(v *flow.Operation) string { return v.Name })
	case source.ClassifierFile:
		declare(f, "classifier", r.Classifiers, beside.Classifier(f.File), func(v *flow.Classifier) string { return v.Name })
	case source.CalendarFile:
		declare(f, "calendar", r.Calendars, calendar.Read(f.File, r.o.Now), func(v *flow.Calendar) string { return v.Name })
	case source.QueuesFile:
		r.declareLine(f)
	case source.CheckFile:
		r.declareCheck(f)
	case source.FlowFile:
		r.Head(f)
	case source.RepliesFile:
		r.declareReplies(f)
	}
}

// declareReplies reads what agents send by name. It may name the variables of all flows,
// whose heads are read.
func (r *reading) declareReplies(f *program.Document) {
	var flows []*flow.Flow
	for _, ff := range r.inOrder() {
		flows = append(flows, ff.Flow)
	}
	beside.Replies(f.File, beside.NewAnswers(flows, r.Settings), r.queueOf(f), func(n *source.Node, v *flow.Reply) { keep(f, n, "reply", r.Replies, v) })
}

// queueOf looks up queues that a file beside the flows names.
func (r *reading) queueOf(f *program.Document) func(n *source.Node, name string) {
	return func(n *source.Node, name string) {
		if q := r.Queues[name]; q != nil {
			f.Uses[q.File.Base] = true
			return
		}
		f.Unknown(n, "unknown-queue", source.QueuesFile, name, slices.Sorted(maps.Keys(r.Queues)), "there is no queue `%s`", fmt.Sprintf("add `queues: { %s: {} }`", source.AsName(name)))
	}
}

// declareCheck reads how identity is checked by video.
func (r *reading) declareCheck(f *program.Document) {
	p := beside.Check(f.File, r.queueOf(f))
	sum := sha256.Sum256(f.Data)
	p.Hash, p.Text = hex.EncodeToString(sum[:]), string(f.Data)
	declare(f, "check", r.Checks, p, func(v *flow.CheckPolicy) string { return v.Name })
}

// declare keeps what a file of its own declares, unless its name is taken or unreadable.
func declare[T any](f *program.Document, what string, taken map[string]*program.Named[T], v *T, name func(*T) string) {
	if n := f.Root.Get(what); name(v) != "" && program.Free(f, n, what, taken) {
		taken[name(v)] = &program.Named[T]{Value: v, File: f}
	}
}

// formOf looks up a form that an operation asks.
func (r *reading) formOf(f *program.Document, n *source.Node, name string) {
	if form := r.Forms[name]; form != nil {
		f.Uses[form.File.Base] = true
		return
	}
	f.Unknown(n, "unknown-form", source.FormFile, name, slices.Sorted(maps.Keys(r.Forms)), "there is no form `%s`", fmt.Sprintf("make a file %s.form.yaml beside the flow", source.AsName(name)))
}

// missing reports at the folder itself the flows that are needed and in no file. Where
// a flow file's name could not be read, it may be the one: then nothing is said.
func (r *reading) missing() []source.Diagnostic {
	if r.o.opening {
		return nil
	}
	for name, f := range r.Files {
		if source.KindOf(name) == source.FlowFile && f.Root == nil || r.Flows[program.Nameless(name)] != nil {
			return nil
		}
	}
	folder := r.Document(".", r.path("."))
	names := slices.Sorted(maps.Keys(r.Flows))
	for _, name := range r.o.Needed {
		if r.Flows[name] == nil {
			fix := "bring the flow back, or lead the entry to another one"
			if near := nearest.Name(name, names); near != "" {
				fix = fmt.Sprintf("bring the flow back, or lead the entry to `%s`", near)
			}
			folder.Report(source.Error, source.Place{Line: 1, Col: 1}, 1, "missing-flow", fix, "an entry leads to flow `%s`, which is in no file of this folder", name)
			continue
		}
		for _, c := range r.o.Served[name] {
			if !slices.Contains(r.Flows[name].Flow.Channels, c) {
				folder.Report(source.Error, source.Place{Line: 1, Col: 1}, 1, "missing-flow", fmt.Sprintf("add `%s` to its channels, or lead the entry to another flow", c),
					"an entry of %s leads to flow `%s`, which does not serve that channel", c, name)
			}
		}
	}
	return folder.Found()
}

// toCheck is the flows as the checks know them, by the name they are called by.
func (r *reading) toCheck() map[string]*check.Flow {
	flows := make(map[string]*check.Flow, len(r.Flows))
	for name, ff := range r.Flows {
		flows[name] = ff.Checked
	}
	return flows
}

// open reads and parses one file.
func (r *reading) open(name string) {
	f := r.Document(name, r.path(name))
	r.Files[name] = f
	var err error
	if f.Data, err = r.texts.read(name); err != nil {
		f.Report(source.Error, source.Place{Line: 1, Col: 1}, 1, "file", "", "the file cannot be read: %v", beside.Plain(err))
		return
	}
	switch source.KindOf(name) {
	case source.TestFile:
	case source.ArticleFile:
		r.openArticle(f)
	default:
		f.Parse(f.Data)
	}
}

// openArticle adds an article to the knowledge of its folder.
func (r *reading) openArticle(f *program.Document) {
	name := path.Base(path.Dir(f.Base))
	if !source.IsName(name) {
		f.Report(source.Error, source.Place{Line: 1, Col: 1}, 1, "name", fmt.Sprintf("call it %s", source.AsName(name)), "knowledge is named by its folder, and `%s` is no name: it has other characters than a-z, 0-9 and _", name)
		return
	}
	k := r.Knowledge[name]
	if k == nil {
		k = &flow.Knowledge{Name: name}
		r.Knowledge[name] = k
	}
	if a := beside.Article(f.File, f.Data); a != nil {
		k.Articles = append(k.Articles, a)
	}
}

// closure is the file and everything it uses, by base name.
func (r *reading) closure(name string) map[string]bool {
	seen := map[string]bool{name: true}
	for todo := []string{name}; len(todo) > 0; todo = todo[1:] {
		if f := r.Files[todo[0]]; f != nil {
			for u := range f.Uses {
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
		Dir: r.dir, Flows: map[string]*flow.Flow{}, Settings: settings, Knowledge: r.Knowledge,
		Calendars: values(r.Calendars), Queues: values(r.Queues), Boxes: values(r.Boxes), Teams: values(r.Teams), Agents: values(r.Agents), Routing: r.routing(),
		Forms: values(r.Forms), Operations: values(r.Operations), Classifiers: values(r.Classifiers), Replies: values(r.Replies), Checks: values(r.Checks),
	}
	for _, ff := range r.inOrder() {
		h := sha256.New()
		for _, name := range slices.Sorted(maps.Keys(r.closure(ff.Base))) {
			sum := sha256.Sum256(r.Files[name].Data)
			fmt.Fprintf(h, "%s %x\n", name, sum)
		}
		ff.Flow.Hash = hex.EncodeToString(h.Sum(nil))
		ff.Flow.Zone = r.zone(ff)
		if r.Flows[ff.Flow.Name] == ff {
			lib.Flows[ff.Flow.Name] = ff.Flow
		}
	}
	return lib
}

func values[T any](of map[string]*program.Named[T]) map[string]*T {
	out := make(map[string]*T, len(of))
	for name, n := range of {
		out[name] = n.Value
	}
	return out
}

// zone is the one time zone of the calendars that a flow itself uses, nil if there is
// none or more than one.
func (r *reading) zone(ff *program.File) *time.Location {
	var zone *time.Location
	for _, c := range r.Calendars {
		if !ff.Uses[c.File.Base] {
			continue
		}
		if zone != nil && zone.String() != c.Value.Zone.String() {
			return nil
		}
		zone = c.Value.Zone
	}
	return zone
}
