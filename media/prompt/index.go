package prompt

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const (
	// indexRoot is the folder of the recordings inside a flows folder; below it lies
	// one folder per language with indexName and the WAV files.
	indexRoot = "prompts"
	indexName = "index.yaml"
	maxIndex  = 1 << 20 // bytes of one index
)

// recording is one WAV file of an index.
type recording struct {
	own  bool   // in the flows folder, not among those that come with the program
	path string // from the root of that folder
	line int
}

// index is what one language has recordings of, by normalised text.
type index map[string]recording

// Mistake is one thing wrong in an index.
type Mistake struct {
	File    string // from the root of the flows folder
	Line    int    // from 1
	Message string
}

func (m *Mistake) Error() string { return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Message) }

// Check reads every index of a flows folder and returns all that is wrong with them,
// in the order of the files and their lines. A server does not start with any.
func Check(fsys fs.FS) ([]*Mistake, error) {
	_, err := readIndexes(fsys, true)
	if err == nil {
		return nil, nil
	}
	all, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil, err
	}
	var mistakes []*Mistake
	var rest []error
	for _, err := range all.Unwrap() {
		if m := (*Mistake)(nil); errors.As(err, &m) {
			mistakes = append(mistakes, m)
		} else {
			rest = append(rest, err)
		}
	}
	return mistakes, errors.Join(rest...)
}

// readIndexes reads every prompts/LANG/index.yaml of fsys, by language tag in lower
// case. All mistakes come together, each with file and line.
func readIndexes(fsys fs.FS, own bool) (map[string]index, error) {
	if fsys == nil {
		return nil, nil
	}
	files, err := fs.Glob(fsys, indexRoot+"/*/"+indexName)
	if err != nil {
		return nil, fmt.Errorf("looking for recordings: %w", err)
	}
	all := make(map[string]index)
	var problems []error
	for _, name := range files {
		ix, errs := readIndex(fsys, name, own)
		problems = append(problems, errs...)
		all[strings.ToLower(path.Base(path.Dir(name)))] = ix
	}
	return all, errors.Join(problems...)
}

func readIndex(fsys fs.FS, name string, own bool) (index, []error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, []error{fmt.Errorf("reading recordings: %w", err)}
	}
	if info.Size() > maxIndex {
		return nil, []error{&Mistake{name, 1, fmt.Sprintf("the index is larger than %d KiB", maxIndex>>10)}}
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, []error{fmt.Errorf("reading recordings: %w", err)}
	}
	file, err := parse(text)
	if err != nil {
		return nil, []error{syntaxError(name, err)}
	}
	ix := make(index)
	var problems []error
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
		case *ast.MappingNode:
			for _, entry := range body.Values {
				problems = append(problems, ix.add(fsys, name, own, entry)...)
			}
		default:
			problems = append(problems, &Mistake{name, body.GetToken().Position.Line, "lines of TEXT: FILE are expected here"})
		}
	}
	return ix, problems
}

// parse reads YAML; a panic of the library is a syntax error of the file.
func parse(text []byte) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file cannot be read: %v", p)
		}
	}()
	return parser.ParseBytes(text, 0)
}

// syntaxError puts the parser's complaint into the form of all others.
func syntaxError(name string, err error) error {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil {
		return &Mistake{name, syntax.Token.Position.Line, syntax.Message}
	}
	return &Mistake{name, 1, err.Error()}
}

func (ix index) add(fsys fs.FS, name string, own bool, entry *ast.MappingValueNode) []error {
	line := entry.Key.GetToken().Position.Line
	wrong := func(format string, args ...any) []error {
		return []error{&Mistake{name, line, fmt.Sprintf(format, args...)}}
	}
	said := entry.Key.GetToken().Value
	value, ok := entry.Value.(*ast.StringNode)
	if !ok {
		return wrong("the recording of %q must be the name of a WAV file", said)
	}
	key := normalise(said)
	file := path.Join(path.Dir(name), value.Value)
	switch {
	case key == "":
		return wrong("%q has no words in it", said)
	case !fs.ValidPath(file) || strings.Contains(value.Value, "..") || path.IsAbs(value.Value):
		return wrong("%q is not a file beside the index", value.Value)
	}
	if before, double := ix[key]; double {
		return wrong("%q has a recording already, in line %d", said, before.line)
	}
	if _, err := fs.Stat(fsys, file); err != nil {
		return wrong("the file %s is missing", value.Value)
	}
	ix[key] = recording{own: own, path: file, line: line}
	return nil
}

// normalise makes texts equal that sound equal: small letters, single blanks, no
// punctuation. What is left between blanks are words.
func normalise(text string) string {
	var b strings.Builder
	runes := []rune(text)
	blank := false
	for i, r := range runes {
		number := (r == '.' || r == ',') && i > 0 && i+1 < len(runes) && unicode.IsDigit(runes[i-1]) && unicode.IsDigit(runes[i+1])
		if !number && (unicode.IsSpace(r) || strings.ContainsRune(silent, r)) {
			blank = b.Len() > 0
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// silent is the punctuation that makes no sound.
const silent = `.,;:!?…"'()[]“”‘’—–，。；：！？、（）《》「」【】·`
