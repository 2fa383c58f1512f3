package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/ivr/flow/format"
	"tandem/ivr/flow/source"
)

// flowFmtCommand lays flow files out.
func flowFmtCommand() *cli.Command {
	return &cli.Command{
		Name: "fmt", ArgsUsage: "[FILE|FOLDER]...",
		Usage: "lay flow files out in one way, in place",
		Description: "Orders the keys of a file and of its steps, indents by two spaces and keeps every comment.\n" +
			"A file that cannot be read is left alone. Without arguments: the folder flows.dir of the configuration;\n" +
			"with `-`: from standard input to standard output.",
		Flags:  []cli.Flag{configFlag(), &cli.BoolFlag{Name: "check", Usage: "change nothing: list the files that would change, and exit with 1 if there are any"}},
		Action: flowFmt,
	}
}

func flowFmt(c *cli.Context) error {
	paths := c.Args().Slice()
	if slices.Equal(paths, []string{"-"}) {
		return formatStream(c)
	}
	if len(paths) == 0 {
		loaded, err := loadConfig(c)
		if err != nil {
			return err
		}
		if err := flowsFolder(loaded); err != nil {
			return err
		}
		paths = []string{string(loaded.Flows.Dir)}
	}
	files, err := flowFiles(paths)
	if err != nil {
		return err
	}
	var unread []source.Diagnostic
	would := false
	for _, path := range files {
		changed, err := formatFile(path, c.Bool("check"))
		var refused *format.Error
		switch {
		case errors.As(err, &refused):
			refused.Diagnostic.File = path
			unread = append(unread, refused.Diagnostic)
		case err != nil:
			return err
		case changed:
			would = true
			fmt.Fprintln(c.App.Writer, path)
		}
	}
	source.Print(c.App.ErrWriter, unread, isTerminal(c.App.ErrWriter))
	if len(unread) > 0 || would && c.Bool("check") {
		return exitStatus(exitInput)
	}
	return nil
}

// formatStream lays out what comes in.
func formatStream(c *cli.Context) error {
	data, err := io.ReadAll(io.LimitReader(c.App.Reader, source.MaxBytes+1))
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	out, err := format.Source(data)
	var refused *format.Error
	if errors.As(err, &refused) {
		refused.Diagnostic.File = "standard input"
		source.Print(c.App.ErrWriter, []source.Diagnostic{refused.Diagnostic}, isTerminal(c.App.ErrWriter))
		return exitStatus(exitInput)
	}
	if err != nil {
		return err
	}
	if c.Bool("check") {
		if !bytes.Equal(out, data) {
			fmt.Fprintln(c.App.Writer, "standard input")
			return exitStatus(exitInput)
		}
		return nil
	}
	_, err = c.App.Writer.Write(out)
	return err
}

// flowFiles is the given files, and those of the given folders that are flow files by
// their names.
func flowFiles(paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, tandem.Errorf(tandem.CodeInvalid, "there is no file or folder %s", path)
		}
		if err != nil {
			return nil, tandem.Errorf(tandem.CodeInvalid, "%s cannot be read: %v", path, err)
		}
		if !info.IsDir() {
			out = append(out, path)
			continue
		}
		for _, kind := range []string{"flow", "calendar", "queues", "form", "operation", "classify", "test"} {
			found, err := filepath.Glob(filepath.Join(escapeGlob(path), "*."+kind+".yaml"))
			if err != nil {
				return nil, fmt.Errorf("looking into %s: %w", path, err)
			}
			out = append(out, slices.DeleteFunc(found, func(p string) bool { return strings.HasPrefix(filepath.Base(p), ".") })...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// escapeGlob takes the meaning of a pattern out of a folder's name.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// formatFile lays one file out, or only tells whether that would change it.
func formatFile(path string, check bool) (changed bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return false, tandem.Errorf(tandem.CodeInvalid, "%s cannot be read: %v", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(file, source.MaxBytes+1))
	file.Close()
	if err != nil {
		return false, tandem.Errorf(tandem.CodeInvalid, "%s cannot be read: %v", path, err)
	}
	out, err := format.Source(data)
	if err != nil || bytes.Equal(out, data) {
		return false, err
	}
	if check {
		return true, nil
	}
	return true, replaceFile(path, out)
}

// replaceFile writes a file anew, in one move, with the mode it had. Where the name is
// a link, what it leads to is written.
func replaceFile(path string, data []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("following %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("looking at %s: %w", path, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".fmt-*")
	if err != nil {
		return fmt.Errorf("writing beside %s: %w", path, err)
	}
	defer os.Remove(temp.Name()) // gone already where all went well
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	return nil
}
