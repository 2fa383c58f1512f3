package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/ivr/flow/suite"
)

// watchEvery is how often --watch looks whether a file has changed.
const watchEvery = 300 * time.Millisecond

// flowTestCommand runs the tests beside flows.
func flowTestCommand() *cli.Command {
	return &cli.Command{
		Name: "test", ArgsUsage: "[FILE.test.yaml|FILE.flow.yaml|FOLDER]...",
		Usage: "run the tests beside flows, in simulated time",
		Description: "A test file runs its tests, a flow file those of all test files that name the flow, a folder all of them.\n" +
			"Without arguments: the folder flows.dir of the configuration, or this folder. Every test runs on each of its\n" +
			"channels; no time passes, whatever a flow waits for. Exit status 1 if a test fails, or too few edges are walked.",
		Flags: []cli.Flag{
			configFlag(),
			&cli.StringFlag{Name: "run", Usage: "only tests whose name matches `REGEXP`"},
			&cli.IntFlag{Name: "min", Usage: "fail if less than `PERCENT` of a flow's edges are walked"},
			&cli.BoolFlag{Name: "update", Usage: "rewrite the scripts that fail, and empty ones, with what really happens"},
			&cli.BoolFlag{Name: "watch", Usage: "run again whenever a file of the folder changes"},
			&cli.BoolFlag{Name: "transcripts", Aliases: []string{"v"}, Usage: "show the transcript of every test"},
			&cli.StringFlag{Name: "junit", Usage: "write the results to `FILE` as JUnit does"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "`text` or json"},
			&cli.Uint64Flag{Name: "seed", Value: suite.DefaultSeed, Usage: "makes ticket numbers, addresses of links and the like"},
			&cli.StringSliceFlag{Name: "setting", Usage: "a value for one of settings, `NAME=VALUE`"},
		},
		Action: flowTest,
	}
}

func flowTest(c *cli.Context) error {
	format := c.String("format")
	if format != "text" && format != "json" {
		return tandem.Errorf(tandem.CodeInvalid, "there is no format %q; write --format text or --format json", format)
	}
	if least := c.Int("min"); least < 0 || least > 100 {
		return tandem.Errorf(tandem.CodeInvalid, "--min is a percentage from 0 to 100, not %d", least)
	}
	paths, err := testPaths(c)
	if err != nil {
		return err
	}
	if !c.Bool("watch") {
		return testOnce(c, paths)
	}
	return watchTests(c, paths)
}

// testPaths are the arguments, or the folder of the configuration, or this one.
func testPaths(c *cli.Context) ([]string, error) {
	if c.NArg() > 0 {
		return c.Args().Slice(), nil
	}
	if configPath(c) == "" {
		return []string{"."}, nil
	}
	loaded, err := loadConfig(c)
	if err != nil {
		return nil, err
	}
	return []string{string(loaded.Flows.Dir)}, flowsFolder(loaded)
}

// watchTests runs the tests again after each change, until the context ends.
func watchTests(c *cli.Context, paths []string) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	seen := ""
	for {
		if now := stamp(paths); now != seen {
			seen = now
			if isTerminal(c.App.Writer) {
				fmt.Fprint(c.App.Writer, "\x1b[H\x1b[2J\x1b[3J")
			}
			if err := testOnce(c, paths); err != nil {
				report(c.App.ErrWriter, err)
			}
			if c.Bool("update") {
				seen = stamp(paths) // what was written is no change
			}
			fmt.Fprintln(c.App.Writer, "watching for changes")
		}
		select {
		case <-c.Context.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// stamp tells whether any file in the folders of paths has changed.
func stamp(paths []string) string {
	var b strings.Builder
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			path = filepath.Dir(path)
		}
		walk := func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			if info, err := d.Info(); err == nil {
				fmt.Fprintf(&b, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		}
		if err := filepath.WalkDir(path, walk); err != nil {
			fmt.Fprintln(&b, path, err)
		}
	}
	return b.String()
}

// testOnce reads everything, runs the tests and prints what came of them.
func testOnce(c *cli.Context, paths []string) error {
	var match *regexp.Regexp
	if run := c.String("run"); run != "" {
		var err error
		if match, err = regexp.Compile(run); err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "--run %q is no regular expression: %v", run, err)
		}
	}
	began := time.Now()
	o := suite.Options{Match: match, Seed: c.Uint64("seed"), Now: time.Now, Stop: c.Context.Err}
	dirs, files, err := testFiles(paths)
	if err != nil {
		return err
	}
	all := suite.Report{Problems: []source.Diagnostic{}, Cases: []suite.Case{}, Coverage: []suite.Coverage{}}
	for _, dir := range dirs {
		lib, err := testLibrary(c, dir)
		if err != nil {
			return err
		}
		if c.Bool("update") {
			if err := updateTests(c, lib, files[dir], o); err != nil {
				return err
			}
		}
		r := suite.Run(lib, files[dir], o)
		all.Passed, all.Failed = all.Passed+r.Passed, all.Failed+r.Failed
		all.Problems, all.Cases, all.Coverage = append(all.Problems, r.Problems...), append(all.Cases, r.Cases...), append(all.Coverage, r.Coverage...)
	}
	if file := c.String("junit"); file != "" {
		if err := writeJUnit(file, all); err != nil {
			return err
		}
	}
	if c.String("format") == "json" {
		if err := suite.PrintJSON(c.App.Writer, all); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	} else {
		suite.Print(c.App.Writer, all, suite.Style{
			Color: isTerminal(c.App.Writer), Transcripts: c.Bool("transcripts"), Least: c.Int("min"), Took: time.Since(began),
		})
	}
	if all.Bad(c.Int("min")) {
		return exitStatus(exitInput)
	}
	return nil
}

// testFiles are the test files that paths mean, by their folder, and the folders in order.
func testFiles(paths []string) (dirs []string, files map[string][]suite.File, err error) {
	files = map[string][]suite.File{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, tandem.Errorf(tandem.CodeInvalid, "there is no file or folder %s", path)
		}
		dir, wanted := path, func(suite.File) bool { return true }
		switch {
		case info.IsDir():
		case strings.HasSuffix(path, suite.Suffix):
			dir = filepath.Dir(path)
			wanted = func(f suite.File) bool { return filepath.Base(f.Path) == filepath.Base(path) }
		case strings.HasSuffix(path, ".flow.yaml"):
			dir = filepath.Dir(path)
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, nil, tandem.Errorf(tandem.CodeInvalid, "%s cannot be read: %w", path, err)
			}
			name := suite.Flow(suite.File{Path: path, Text: text})
			wanted = func(f suite.File) bool { return suite.Flow(f) == name }
		default:
			return nil, nil, tandem.Errorf(tandem.CodeInvalid, "%s is neither a test file nor a flow: their names end in %s and .flow.yaml", path, suite.Suffix)
		}
		found, err := filepath.Glob(filepath.Join(dir, "*"+suite.Suffix))
		if err != nil {
			return nil, nil, tandem.Errorf(tandem.CodeInvalid, "the folder %s cannot be searched: %w", dir, err)
		}
		some := false
		for _, name := range found {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, nil, tandem.Errorf(tandem.CodeInvalid, "%s cannot be read: %w", name, err)
			}
			f := suite.File{Path: name, Text: text}
			if !wanted(f) {
				continue
			}
			some = true
			if !slices.ContainsFunc(files[dir], func(o suite.File) bool { return o.Path == name }) {
				files[dir] = append(files[dir], f)
			}
		}
		if !some {
			return nil, nil, tandem.Errorf(tandem.CodeInvalid, "there are no tests for %s: write them in a file whose name ends in %s", path, suite.Suffix)
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, files, nil
}

// testLibrary reads the flows of a folder. Mistakes are printed; tests run only without.
func testLibrary(c *cli.Context, dir string) (*flow.Library, error) {
	options, err := runOptions(c)
	if err != nil {
		return nil, err
	}
	lib, found := read.Dir(dir, options)
	if lib == nil {
		found = slices.DeleteFunc(found, func(d source.Diagnostic) bool { return d.Severity != source.Error })
		source.Print(c.App.ErrWriter, found, isTerminal(c.App.ErrWriter))
		fmt.Fprintln(c.App.ErrWriter, "\nno test is run while the flows have mistakes")
		return nil, exitStatus(exitInput)
	}
	if options.Settings == nil {
		if lib.Settings, err = standIns(c, dir); err != nil {
			return nil, err
		}
	}
	return lib, nil
}

// updateTests writes the files anew whose scripts are not what happens.
func updateTests(c *cli.Context, lib *flow.Library, files []suite.File, o suite.Options) error {
	for i, f := range files {
		u, err := suite.Update(lib, f, o)
		if err != nil {
			if tandem.CodeOf(err) == tandem.CodeInvalid {
				continue // its mistakes are in the report
			}
			return err
		}
		for _, note := range u.Notes {
			fmt.Fprintf(c.App.ErrWriter, "%s: %s\n", f.Path, note)
		}
		if len(u.Tests) == 0 {
			continue
		}
		if err := os.WriteFile(f.Path, u.Text, 0o644); err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "%s cannot be written: %w", f.Path, err)
		}
		files[i].Text = u.Text
		for _, name := range u.Tests {
			fmt.Fprintf(c.App.ErrWriter, "%s: %q is written anew\n", f.Path, name)
		}
	}
	return nil
}

func writeJUnit(path string, r suite.Report) error {
	out, err := os.Create(path)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "%s cannot be written: %w", path, err)
	}
	if err := errors.Join(suite.JUnit(out, r), out.Close()); err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "%s cannot be written: %w", path, err)
	}
	return nil
}
