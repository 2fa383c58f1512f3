package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

// flowCheckCommand finds every mistake in flow files.
func flowCheckCommand() *cli.Command {
	return &cli.Command{
		Name: "check", ArgsUsage: "[FILE|FOLDER]...",
		Usage: "find every mistake in flow files, each at its line",
		Description: "Reads the whole folder a file lies in, so that every name can be looked up, and reports on\n" +
			"the file and on what it uses. Without arguments: the folder flows.dir of the configuration.\n" +
			"Where there is a configuration, its settings and allowed hosts are checked too.",
		Flags:  []cli.Flag{configFlag(), &cli.StringFlag{Name: "format", Value: "text", Usage: "`text` or json"}},
		Action: flowCheck,
	}
}

func flowCheck(c *cli.Context) error {
	format := c.String("format")
	if format != "text" && format != "json" {
		return tandem.Errorf(tandem.CodeInvalid, "there is no format %q; write --format text or --format json", format)
	}
	var options read.Options
	paths := c.Args().Slice()
	if configPath(c) != "" || len(paths) == 0 {
		loaded, err := loadConfig(c)
		if err != nil {
			return err
		}
		options.Settings, options.HTTPAllow = loaded.Flows.Settings, loaded.Flows.HTTPAllow
		if options.Settings == nil {
			options.Settings = map[string]any{}
		}
		if options.HTTPAllow == nil {
			options.HTTPAllow = []string{}
		}
		for _, e := range loaded.Entries {
			if e.Record {
				options.Recorded = append(options.Recorded, e.Flow)
			}
		}
		if len(paths) == 0 {
			paths = []string{string(loaded.Flows.Dir)}
		}
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

// checkPath reads a folder, or a file and what it uses.
func checkPath(path string, o read.Options) ([]source.Diagnostic, error) {
	info, err := os.Stat(path)
	if err != nil {
		if pe, ok := err.(*fs.PathError); ok {
			err = pe.Err
		}
		return nil, tandem.Errorf(tandem.CodeInvalid, "%s cannot be read: %v", path, err)
	}
	if info.IsDir() {
		_, ds := read.Dir(path, o)
		return ds, nil
	}
	_, ds := read.File(path, o)
	return ds, nil
}

func printDiagnostics(w io.Writer, ds []source.Diagnostic, format string) error {
	if format == "json" {
		return source.PrintJSON(w, ds)
	}
	source.Print(w, ds, isTerminal(w))
	errors := 0
	for _, d := range ds {
		if d.Severity == source.Error {
			errors++
		}
	}
	if len(ds) == 0 {
		fmt.Fprintln(w, "no mistakes found")
		return nil
	}
	fmt.Fprintf(w, "\n%s, %s\n", counted(errors, "error"), counted(len(ds)-errors, "warning"))
	return nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
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
