package studio

import (
	"bytes"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store/release"
	"tandem/web/answer"
)

// mark is the byte order mark that some editors put before a text.
const mark = "\ufeff"

// overview is the answer of GET /api/v1/flows.
type overview struct {
	Release *release.Release `json:"release"` // null as long as the store has none
	// Behind is set while the folder has mistakes, so that an older library serves.
	Behind   bool         `json:"behind"`
	Flows    []flowView   `json:"flows"`
	Files    []fileView   `json:"files"`
	Problems []diagnostic `json:"problems"`
}

// flowView is a flow of the library that serves.
type flowView struct {
	Name      string           `json:"name"`
	File      string           `json:"file"`
	Channels  []tandem.Channel `json:"channels"`
	Languages []string         `json:"languages"`
	Steps     int              `json:"steps"`
	Hash      string           `json:"hash"`
	Errors    int              `json:"errors"`
	Warnings  int              `json:"warnings"`
	Entries   []string         `json:"entries"` // that lead to it
	Served    bool             `json:"served"`  // an entry leads to it, or to one that calls it
}

// fileView is a file that is no flow of the library that serves.
type fileView struct {
	File     string `json:"file"`
	Kind     string `json:"kind"`
	Errors   int    `json:"errors"`
	Warnings int    `json:"warnings"`
}

func (s *Studio) getFlows(w http.ResponseWriter, r *http.Request) error {
	st := s.o.Shelf.State()
	files, err := s.o.Shelf.Files()
	if err != nil {
		return err
	}
	v := overview{Behind: st.Refused, Flows: []flowView{}, Files: []fileView{}, Problems: diagnostics(st.Found, s.language(r, ""))}
	if st.Release.Number > 0 {
		v.Release = &st.Release
	}
	entries := s.o.Entries()
	served := reachable(st.Library, slices.Sorted(maps.Keys(entries)))
	of := func(file string) (errors, warnings int) { return errorsAndWarnings(of(file, st.Found)) }
	mine := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(st.Library.Flows)) {
		f := st.Library.Flows[name]
		view := flowView{
			Name: name, File: s.o.Shelf.FileOf(st.Library, name), Channels: append([]tandem.Channel{}, f.Channels...), Languages: append([]string{}, f.Languages...),
			Steps: len(f.Order), Hash: f.Hash, Entries: append([]string{}, entries[name]...), Served: served[name],
		}
		view.Errors, view.Warnings = of(view.File)
		mine[view.File] = true
		v.Flows = append(v.Flows, view)
	}
	for _, f := range files {
		if mine[f.Name] {
			continue
		}
		view := fileView{File: f.Name, Kind: kind(f.Kind)}
		view.Errors, view.Warnings = of(view.File)
		v.Files = append(v.Files, view)
	}
	answer.JSON(w, http.StatusOK, v)
	return nil
}

// kind is what pages call the kind of a file: "flow", "calendar", "test" …
func kind(suffix string) string {
	if suffix == path.Ext("x.md") {
		return "knowledge"
	}
	return strings.TrimSuffix(strings.TrimPrefix(suffix, "."), ".yaml")
}

// calls lists the flows that a step may start.
func calls(st *flow.Step) []string {
	switch v := st.Verb.(type) {
	case *flow.Subflow:
		return []string{v.Name}
	case *flow.QueueStep:
		if v.During != "" {
			return []string{v.During}
		}
	}
	return nil
}

// reachable is the flows that are run when those of some names are.
func reachable(lib *flow.Library, names []string) map[string]bool {
	out := map[string]bool{}
	for todo := slices.Clone(names); len(todo) > 0; todo = todo[1:] {
		f := lib.Flows[todo[0]]
		if f == nil || out[todo[0]] {
			continue
		}
		out[todo[0]] = true
		for _, st := range f.Steps {
			todo = append(todo, calls(st)...)
		}
	}
	return out
}

func (s *Studio) getFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	text, err := s.o.Shelf.Text(name)
	switch {
	case err != nil:
		return err
	case text == nil:
		return tandem.Errorf(tandem.CodeNotFound, "there is no file %s", name)
	case !utf8.Valid(text):
		return tandem.Errorf(tandem.CodeInvalid, "%s is no text in UTF-8, so it cannot be shown here", name)
	}
	answer.JSON(w, http.StatusOK, struct {
		File string `json:"file"`
		Text string `json:"text"`
		Hash string `json:"hash"`
	}{name, string(bytes.TrimPrefix(text, []byte(mark))), release.TextHash(text)})
	return nil
}
