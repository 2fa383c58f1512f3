package studio

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tandem"
	"tandem/internal/shelf"
	"tandem/ivr/flow"
	"tandem/ivr/flow/complete"
	"tandem/ivr/flow/format"
	"tandem/ivr/flow/picture"
	"tandem/ivr/flow/schema"
	"tandem/ivr/flow/source"
	"tandem/ivr/flow/suite"
	"tandem/web/answer"
)

// outlineStep is a step of a draft, for going to its line.
type outlineStep struct {
	Step string `json:"step"`
	Line int    `json:"line"`
	Verb string `json:"verb"`
}

// draft is a text as the editor has it.
type draft struct {
	File string `json:"file"`
	Text string `json:"text"`
}

// check reports what makes a draft no text of a file.
func (d draft) check() error {
	if d.File == "" {
		return tandem.Errorf(tandem.CodeInvalid, "file says which file the text is of")
	}
	return shelf.CheckText([]byte(d.Text))
}

// postCheck reads the folder with a draft in it: what is wrong, and how it looks.
func (s *Studio) postCheck(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		draft
		Lang string `json:"lang"`
		Flow string `json:"flow"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	if err := in.check(); err != nil {
		return err
	}
	before, err := s.o.Shelf.Text(in.File)
	if err != nil {
		return err
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	lib, f, found := s.read(in.File, []byte(in.Text))
	if f == nil && in.Flow != "" {
		f = lib.Flows[in.Flow]
	}
	out := struct {
		Diagnostics []diagnostic  `json:"diagnostics"`
		Flow        string        `json:"flow"`
		Picture     string        `json:"picture"`
		Outline     []outlineStep `json:"outline"`
		Saved       bool          `json:"saved"`
	}{Diagnostics: diagnostics(s.concerning(in.File, found), s.language(r, in.Lang)), Outline: []outlineStep{}}
	out.Saved = before != nil && in.Text == string(bytes.TrimPrefix(before, []byte(mark)))
	if f != nil {
		out.Flow = f.Name
		own := found
		if f.Pos.File != "" {
			own = of(s.o.Shelf.FileOf(lib, f.Name), found)
		}
		out.Picture = string(picture.Draw(lib, f, picture.Options{Lang: in.Lang, Diagnostics: own, ID: "draft"}))
		for _, name := range f.Order {
			step := f.Steps[name]
			if step == nil {
				continue
			}
			o := outlineStep{Step: name, Line: step.Pos.Line}
			if step.Verb != nil {
				o.Verb = step.Verb.Verb()
			}
			out.Outline = append(out.Outline, o)
		}
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// read reads the folder with a draft of one file, as far as it can be read. What is
// wrong in a file of tests is found, too.
func (s *Studio) read(file string, text []byte) (*flow.Library, *flow.Flow, []source.Diagnostic) {
	lib, f, found := s.o.Shelf.Partial(file, text)
	if strings.HasSuffix(file, suite.Suffix) && !source.HasErrors(found) {
		r := suite.Run(lib, []suite.File{{Path: file, Text: text}}, suite.Options{Match: nothing(), Workers: 1})
		found = append(slices.Clone(found), r.Problems...)
	}
	return lib, f, found
}

// nothing matches no name.
func nothing() *regexp.Regexp { return regexp.MustCompile(`\z\A.`) }

// concerning keeps what is wrong in a draft, and what it makes wrong elsewhere.
func (s *Studio) concerning(file string, found []source.Diagnostic) []source.Diagnostic {
	known := map[[3]string]bool{}
	for _, d := range s.o.Shelf.State().Found {
		known[[3]string{d.File, d.Rule, d.Message}] = true
	}
	out := []source.Diagnostic{}
	for _, d := range found {
		if d.File == file || !known[[3]string{d.File, d.Rule, d.Message}] {
			out = append(out, d)
		}
	}
	return out
}

// completion is one thing that may be written.
type completion struct {
	Label  string `json:"label"`
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
	Info   string `json:"info"`
	Insert string `json:"insert"`
}

// postComplete lists what may be written at a place of a draft.
func (s *Studio) postComplete(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		draft
		Line   int    `json:"line"`
		Column int    `json:"column"`
		Lang   string `json:"lang"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	if err := in.check(); err != nil {
		return err
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	names, err := s.names(in.File, in.Text)
	if err != nil {
		return err
	}
	names.Lang = in.Lang
	from, items := complete.At(in.Text, in.Line, in.Column, names)
	out := struct {
		From  int          `json:"from"`
		To    int          `json:"to"`
		Items []completion `json:"items"`
	}{from, in.Column, []completion{}}
	for _, i := range items {
		out.Items = append(out.Items, completion(i))
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// names is what the folder declares, a draft of one file in its place.
func (s *Studio) names(file, text string) (*schema.Names, error) {
	list, err := s.o.Shelf.Files()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, f := range list {
		if data, err := s.o.Shelf.Text(f.Name); err == nil && data != nil { // what cannot be read declares nothing
			files[f.Name] = data
		}
	}
	files[file] = []byte(text)
	names := complete.Names(files)
	names.File = file
	for name := range s.o.Shelf.Options().Settings {
		names.Settings = append(names.Settings, name)
	}
	slices.Sort(names.Settings)
	return names, nil
}

// postFormat lays out a draft.
func (s *Studio) postFormat(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Text string `json:"text"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	if err := shelf.CheckText([]byte(in.Text)); err != nil {
		return err
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	text, err := format.Source([]byte(in.Text))
	var at *format.Error
	if errors.As(err, &at) {
		answer.JSON(w, http.StatusUnprocessableEntity, problem{
			Problem: answer.Problem{Code: "errors", Message: sentence(at.Diagnostic.Message)}, Line: at.Diagnostic.Line, Column: at.Diagnostic.Column,
		})
		return errDone
	}
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, struct {
		Text string `json:"text"`
	}{string(text)})
	return nil
}

// testCase is one test on one channel.
type testCase struct {
	Name       string         `json:"name"`
	Channel    tandem.Channel `json:"channel"`
	OK         bool           `json:"ok"`
	File       string         `json:"file"`
	Line       int            `json:"line"`
	Message    string         `json:"message"`
	Transcript string         `json:"transcript"`
}

// postTest runs the tests of a flow, or of one file of tests, against a draft.
func (s *Studio) postTest(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		File string  `json:"file"`
		Text *string `json:"text"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	text, err := s.o.Shelf.Text(in.File)
	if err != nil {
		return err
	}
	if in.Text != nil {
		text = []byte(*in.Text)
	}
	if text == nil {
		return tandem.Errorf(tandem.CodeNotFound, "there is no file %s", in.File)
	}
	if err := shelf.CheckText(text); err != nil {
		return err
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	lib, found := s.o.Shelf.Overlay(in.File, text)
	if lib == nil {
		return &shelf.Refused{Found: found}
	}
	files, err := s.testFiles(lib, in.File, text)
	if err != nil {
		return err
	}
	begun := s.o.Now()
	ctx, cancel := context.WithTimeout(r.Context(), testTime)
	defer cancel()
	report := suite.Run(lib, files, suite.Options{Workers: 1, Stop: ctx.Err})
	if source.HasErrors(report.Problems) {
		return &shelf.Refused{Found: report.Problems}
	}
	out := struct {
		Passed   int              `json:"passed"`
		Failed   int              `json:"failed"`
		Cases    []testCase       `json:"cases"`
		Coverage []suite.Coverage `json:"coverage"` // of the flow itself first, then of those it calls
		Took     int64            `json:"took_ms"`
	}{report.Passed, report.Failed, []testCase{}, append([]suite.Coverage{}, report.Coverage...), s.o.Now().Sub(begun).Milliseconds()}
	for _, c := range report.Cases {
		out.Cases = append(out.Cases, testCase{c.Name, c.Channel, c.OK, c.File, c.Line, c.Message, c.Transcript})
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// testFiles is a file of tests itself, or those of the flow that a file declares.
func (s *Studio) testFiles(lib *flow.Library, file string, text []byte) ([]suite.File, error) {
	if strings.HasSuffix(file, suite.Suffix) {
		return []suite.File{{Path: file, Text: text}}, nil
	}
	name := ""
	for _, f := range lib.Flows {
		if s.o.Shelf.FileOf(lib, f.Name) == file {
			name = f.Name
		}
	}
	list, err := s.o.Shelf.Files()
	if err != nil {
		return nil, err
	}
	var out []suite.File
	for _, f := range list {
		if f.Kind != suite.Suffix || name == "" {
			continue
		}
		if data, err := s.o.Shelf.Text(f.Name); err == nil && utf8.Valid(data) && tests(data, name) {
			out = append(out, suite.File{Path: f.Name, Text: data})
		}
	}
	if len(out) == 0 {
		return nil, tandem.Errorf(tandem.CodeNotFound, "%s has no tests; write some in a file NAME%s that begins with flow: and the flow's name", file, suite.Suffix)
	}
	return out, nil
}

// tests reports whether a file of tests is about a flow: its key flow says so.
func tests(text []byte, name string) bool {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("flow:")); ok {
			rest, _, _ = bytes.Cut(rest, []byte(" #"))
			return strings.Trim(string(bytes.TrimSpace(rest)), `"'`) == name
		}
	}
	return false
}

// since is the span that a page asks for.
func since(name string) (time.Duration, error) {
	switch name {
	case "hour":
		return time.Hour, nil
	case "day":
		return 24 * time.Hour, nil
	}
	return 0, tandem.Errorf(tandem.CodeInvalid, "span is hour or day")
}
