package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/internal/config"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/media/prompt"
)

// flowCheckCommand finds every mistake in flow files.
func flowCheckCommand() *cli.Command {
	return &cli.Command{
		Name: "check", ArgsUsage: "[FILE|FOLDER]...",
		Usage: "find every mistake in flow files, each at its line",
		Description: "Reads the whole folder a file lies in, so that every name can be looked up, and reports on\n" +
			"the file and on what it uses, the indexes of recordings too. Without arguments: the folder flows.dir of the\n" +
			"configuration, or where there is none the present folder.\n" +
			"Where there is a configuration, its settings and allowed hosts are checked too.",
		Flags:  []cli.Flag{configFlag(), &cli.StringFlag{Name: "format", Value: "text", Usage: "`text`, json, github (beside the lines of a pull request) or sarif (for code scanners)"}},
		Action: flowCheck,
	}
}

func flowCheck(c *cli.Context) error {
	format := c.String("format")
	if !slices.Contains([]string{"text", "json", "github", "sarif"}, format) {
		return tandem.Errorf(tandem.CodeInvalid, "there is no format %q; write --format text, json, github or sarif", format)
	}
	var options read.Options
	paths := c.Args().Slice()
	if configPath(c) != "" {
		loaded, err := loadConfig(c)
		if err != nil {
			return err
		}
		options = flowOptions(loaded)
		for _, e := range loaded.Entries {
			options.Needed = append(options.Needed, e.Flow)
		}
		if len(paths) == 0 {
			if err := flowsFolder(loaded); err != nil {
				return err
			}
			paths = []string{string(loaded.Flows.Dir)}
		}
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	found := []source.Diagnostic{}
	for _, path := range paths {
		ds, err := checkPath(path, options)
		if err != nil {
			return err
		}
		for _, d := range ds {
			if !slices.Contains(found, d) {
				found = append(found, d)
			}
		}
	}
	if err := printDiagnostics(c.App.Writer, found, format); err != nil {
		return err
	}
	if source.HasErrors(found) {
		return exitStatus(exitInput)
	}
	return nil
}

// flowOptions is what a reading of the flows takes from the configuration.
func flowOptions(loaded *config.Loaded) read.Options {
	o := read.Options{Settings: loaded.Flows.Settings, HTTPAllow: loaded.Flows.HTTPAllow}
	if o.Settings == nil {
		o.Settings = map[string]any{}
	}
	if o.HTTPAllow == nil {
		o.HTTPAllow = []string{}
	}
	for _, e := range loaded.Entries {
		if e.Record {
			o.Recorded = append(o.Recorded, e.Flow)
		}
	}
	return o
}

// flowsFolder is an error where the configuration names a folder that is not there.
func flowsFolder(loaded *config.Loaded) error {
	dir := string(loaded.Flows.Dir)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return tandem.Errorf(tandem.CodeInvalid, "there is no folder %s for the flows; make it, or name another in flows.dir", dir)
	}
	return nil
}

// readFlows reads the configuration's flows as the server would: the library is nil
// if a diagnostic is an error.
func readFlows(loaded *config.Loaded) (*flow.Library, []source.Diagnostic, error) {
	if err := flowsFolder(loaded); err != nil {
		return nil, nil, err
	}
	dir := string(loaded.Flows.Dir)
	options := flowOptions(loaded)
	library, found := read.Dir(dir, options)
	if library != nil { // a flow that is missing is the entry's mistake: LostEntries
		for _, e := range loaded.Entries {
			if library.Flows[e.Flow] != nil {
				options.Needed = append(options.Needed, e.Flow)
			}
		}
		library, found = read.Dir(dir, options)
	}
	recorded, err := checkRecordings(dir)
	if len(recorded) > 0 {
		library = nil
	}
	return library, append(found, recorded...), err
}

// checkRecordings reads the indexes of recordings in a flows folder.
func checkRecordings(dir string) ([]source.Diagnostic, error) {
	mistakes, err := prompt.Check(os.DirFS(dir))
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid, "the recordings in %s cannot be looked at: %w", dir, err)
	}
	var found []source.Diagnostic
	for _, m := range mistakes {
		found = append(found, source.Diagnostic{
			File: filepath.Join(dir, m.File), Line: m.Line, Column: 1, Severity: source.Error, Rule: "recordings", Message: m.Message,
		})
	}
	return found, nil
}

// checkPath reads a folder, or a file and what it uses.
func checkPath(path string, o read.Options) ([]source.Diagnostic, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tandem.Errorf(tandem.CodeInvalid, "there is no file or folder %s", path)
	}
	if err != nil {
		if pe, ok := err.(*fs.PathError); ok {
			err = pe.Err
		}
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s cannot be read: %v", path, err)
	}
	dir, ds := path, []source.Diagnostic(nil)
	if info.IsDir() {
		if names, err := filepath.Glob(filepath.Join(path, "*.yaml")); err == nil && !slices.ContainsFunc(names, isFlowFile) {
			return nil, tandem.Errorf(tandem.CodeInvalid, "%s has no flow files: their names end in .flow.yaml; name the folder they are in", path)
		}
		_, ds = read.Dir(path, o)
	} else {
		dir = filepath.Dir(path)
		_, ds = read.File(path, o)
	}
	recorded, err := checkRecordings(dir)
	return append(ds, recorded...), err
}

// isFlowFile reports a file that a flows folder is read for.
func isFlowFile(name string) bool { return strings.HasSuffix(name, ".flow.yaml") }

func errorsAmong(ds []source.Diagnostic) int {
	n := 0
	for _, d := range ds {
		if d.Severity == source.Error {
			n++
		}
	}
	return n
}

func printDiagnostics(w io.Writer, ds []source.Diagnostic, format string) error {
	switch format {
	case "json":
		return source.PrintJSON(w, ds)
	case "github":
		return source.PrintGitHub(w, ds)
	case "sarif":
		return source.PrintSARIF(w, ds, version())
	}
	source.Print(w, ds, isTerminal(w))
	wrong := errorsAmong(ds)
	if len(ds) == 0 {
		fmt.Fprintln(w, "no mistakes found")
		return nil
	}
	fmt.Fprintf(w, "\n%s, %s\n", counted(wrong, "error"), counted(len(ds)-wrong, "warning"))
	return nil
}

// counted is a number of things: 1 entry, 2 entries, 3 calls.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, y := strings.CutSuffix(noun, "y"); y && !strings.HasSuffix(stem, "e") { // keys
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// isTerminal reports whether colours make sense on w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
