package read

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tandem/internal/nearest"
	"tandem/ivr/flow"
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
	// Now is the time by which a holiday has expired; zero = the present.
	Now time.Time
}

// Dir reads the flow files of a folder, not of the folders in it. The library is
// nil if any diagnostic is an error.
func Dir(dir string, o Options) (*flow.Library, []source.Diagnostic) {
	r := newReading(os.DirFS(dir), dir, o)
	return r.run()
}

// FS reads the flow files at the root of fsys, as Dir does.
func FS(fsys fs.FS, o Options) (*flow.Library, []source.Diagnostic) {
	r := newReading(fsys, "", o)
	return r.run()
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
			Suggestion: "name it NAME.flow.yaml, NAME.calendar.yaml or NAME.queues.yaml",
		}}
	}
	r := newReading(os.DirFS(dir), filepath.Clean(dir), o)
	lib, found := r.run()
	used := r.closure(base)
	found = slices.DeleteFunc(found, func(d source.Diagnostic) bool { return !used[filepath.Base(d.File)] })
	if _, ok := r.files[base]; !ok && len(found) == 0 {
		found = append(found, source.Diagnostic{File: path, Line: 1, Column: 1, Severity: source.Error, Rule: "file", Message: "there is no such file"})
	}
	return lib, found
}

// Kinds of files in a flows folder, by the end of their names.
var suffixes = []string{".flow.yaml", ".calendar.yaml", ".queues.yaml", ".test.yaml", ".form.yaml", ".operation.yaml", ".classify.yaml"}

// kindOf is the suffix that says what a file is; "" = not one of ours.
func kindOf(name string) string {
	if strings.HasPrefix(name, ".") {
		return ""
	}
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) {
			return s
		}
	}
	return ""
}

// reading is one pass over a folder.
type reading struct {
	fsys  fs.FS
	dir   string
	o     Options
	files map[string]*document // by base name

	flows     map[string]*flowFile
	calendars map[string]*named[flow.Calendar]
	queues    map[string]*named[flow.Queue]
	boxes     map[string]*named[flow.Box]
	audio     map[string]error // WAV files looked at
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
	uses    map[string]bool // base names of files it depends on
}

func newReading(fsys fs.FS, dir string, o Options) *reading {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	return &reading{
		fsys: fsys, dir: dir, o: o, files: map[string]*document{},
		flows: map[string]*flowFile{}, calendars: map[string]*named[flow.Calendar]{},
		queues: map[string]*named[flow.Queue]{}, boxes: map[string]*named[flow.Box]{}, audio: map[string]error{},
	}
}

func (r *reading) newDocument(name string) *document {
	path := name
	if r.dir != "" {
		path = filepath.Join(r.dir, name)
	}
	return &document{File: source.New(name, path), reading: r, uses: map[string]bool{}}
}

// run reads everything: first all names, then what uses them, then the rules that
// hold over whole flows.
func (r *reading) run() (*flow.Library, []source.Diagnostic) {
	names, err := fs.ReadDir(r.fsys, ".")
	if err != nil {
		path := r.dir
		return nil, []source.Diagnostic{{File: path, Line: 1, Column: 1, Severity: source.Error, Rule: "file", Message: fmt.Sprintf("the folder cannot be read: %v", plain(err))}}
	}
	for _, e := range names { // sorted by name
		if k := kindOf(e.Name()); k != "" && !e.IsDir() {
			r.open(e.Name(), k)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		f := r.files[name]
		if f.Root == nil {
			continue
		}
		switch kindOf(name) {
		case ".calendar.yaml":
			if c := calendar.Read(f.File, r.o.Now); c.Name != "" && free(f, f.Root.Get("calendar"), "calendar", r.calendars) {
				r.calendars[c.Name] = &named[flow.Calendar]{c, f}
			}
		case ".queues.yaml":
			r.readQueues(f)
		case ".flow.yaml":
			r.readHead(f)
		}
	}
	flows := slices.SortedFunc(maps.Values(r.flows), func(a, b *flowFile) int { return strings.Compare(a.Base, b.Base) })
	for _, ff := range flows {
		ff.readBody()
	}
	r.checkBoxes()
	check.Flows(r.toCheck(), r.o.Recorded)
	for _, ff := range flows {
		ff.checkUnused()
	}
	var found []source.Diagnostic
	for _, f := range r.files {
		found = append(found, f.Found()...)
	}
	found = append(found, r.missing()...)
	source.Sort(found)
	if source.HasErrors(found) {
		return nil, found
	}
	return r.library(flows), found
}

// missing reports at the folder itself the flows that are needed and in no file. Where
// a flow file's name could not be read, it may be the one: then nothing is said.
func (r *reading) missing() []source.Diagnostic {
	for name, f := range r.files {
		if kindOf(name) == ".flow.yaml" && f.Root == nil || r.flows[" "+name] != nil {
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
func (r *reading) open(name, kind string) {
	f := r.newDocument(name)
	r.files[name] = f
	src, err := r.fsys.Open(name)
	if err == nil {
		f.data, err = io.ReadAll(io.LimitReader(src, source.MaxBytes+1))
		src.Close()
	}
	if err != nil {
		f.Report(source.Error, source.Place{Line: 1, Col: 1}, 1, "file", "", "the file cannot be read: %v", plain(err))
		return
	}
	switch kind {
	case ".flow.yaml", ".calendar.yaml", ".queues.yaml":
		f.Parse(f.data)
	}
}

// plain takes the path out of an error that is shown beside it.
func plain(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
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

// library makes the immutable result of a reading without errors.
func (r *reading) library(flows []*flowFile) *flow.Library {
	settings, _ := expression.Normalize(r.o.Settings).(map[string]any)
	lib := &flow.Library{
		Dir: r.dir, Flows: map[string]*flow.Flow{}, Calendars: map[string]*flow.Calendar{},
		Queues: map[string]*flow.Queue{}, Boxes: map[string]*flow.Box{}, Settings: settings,
	}
	for _, ff := range flows {
		h := sha256.New()
		for _, name := range slices.Sorted(maps.Keys(r.closure(ff.Base))) {
			sum := sha256.Sum256(r.files[name].data)
			fmt.Fprintf(h, "%s %x\n", name, sum)
		}
		ff.flow.Hash = hex.EncodeToString(h.Sum(nil))
		ff.flow.Zone = r.zone(ff)
		lib.Flows[ff.flow.Name] = ff.flow
	}
	for name, c := range r.calendars {
		lib.Calendars[name] = c.value
	}
	for name, q := range r.queues {
		lib.Queues[name] = q.value
	}
	for name, b := range r.boxes {
		lib.Boxes[name] = b.value
	}
	return lib
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
