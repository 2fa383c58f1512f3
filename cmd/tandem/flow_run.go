package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/ivr/fetch"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

// flowRunCommand plays a flow in the terminal, without a phone.
func flowRunCommand() *cli.Command {
	return &cli.Command{
		Name: "run", ArgsUsage: "FILE",
		Usage: "play a flow in the terminal: prompts as text, keys as lines",
		Description: "Each line is what the caller does: 1 or *0 presses keys, an empty line is silence, !hangup hangs up,\n" +
			"!help lists the rest. Where the flow asks another system the terminal asks you, unless --http is given.\n" +
			"Lines may come from a file or a pipe; at its end the caller hangs up.",
		Flags: []cli.Flag{
			configFlag(),
			&cli.StringFlag{Name: "as", Value: "voice", Usage: "the `CHANNEL` to play: voice"},
			&cli.StringFlag{Name: "at", Usage: "begin at this `TIME`, such as 2026-11-23T10:00:00+08:00; the clock then moves a second per line, and by each silence"},
			&cli.StringFlag{Name: "from", Value: "+8613800000000", Usage: "the caller's `NUMBER`"},
			&cli.StringFlag{Name: "lang", Usage: "the `LANGUAGE` known of the caller"},
			&cli.StringSliceFlag{Name: "input", Usage: "a value for one of the flow's inputs, `NAME=VALUE`"},
			&cli.StringSliceFlag{Name: "setting", Usage: "a value for one of settings, `NAME=VALUE`"},
			&cli.BoolFlag{Name: "http", Usage: "send real HTTP requests, to the hosts of flows.http_allow"},
		},
		Action: flowRun,
	}
}

func flowRun(c *cli.Context) error {
	if err := wantArgs(c, "FILE"); err != nil {
		return err
	}
	if as := c.String("as"); as != string(tandem.Voice) {
		return tandem.Errorf(tandem.CodeInvalid, "flows can be played as voice; %q cannot be played", as)
	}
	options, err := runOptions(c)
	if err != nil {
		return err
	}
	path := c.Args().First()
	if _, err := checkPath(path, options); err != nil {
		return err
	}
	name, lib, err := readFlow(c, path, options)
	if err != nil {
		return err
	}
	inputs, err := pairs("input", c.StringSlice("input"))
	if err != nil {
		return err
	}
	p := newPlayer(lib, c.App.Reader, c.App.Writer)
	if options.Settings == nil {
		if lib.Settings, err = standIns(c, filepath.Dir(path)); err != nil {
			return err
		}
	}
	if at := c.String("at"); at != "" {
		if p.at, err = parseTime(at); err != nil {
			return err
		}
	}
	if c.Bool("http") {
		if len(options.HTTPAllow) == 0 {
			return tandem.Errorf(tandem.CodeInvalid, "--http reaches only hosts that flows.http_allow of the configuration lists, and there are none")
		}
		p.http = fetch.New(options.HTTPAllow)
		defer p.http.Close()
	}
	given := make(map[string]any, len(inputs))
	for k, v := range inputs {
		given[k] = v
	}
	facts := flow.Facts{
		Number: tandem.NewNumber(rand.Reader), Entry: "terminal", Channel: tandem.Voice,
		Caller: c.String("from"), CallerLang: c.String("lang"),
	}
	return p.play(c.Context, name, facts, given)
}

// runOptions are the settings and hosts of the configuration, if there is one, and
// the settings of the flags. Without a configuration settings are not known, nil:
// expressions may use any.
func runOptions(c *cli.Context) (read.Options, error) {
	options := read.Options{}
	set, err := pairs("setting", c.StringSlice("setting"))
	if err != nil || configPath(c) == "" {
		return options, err
	}
	loaded, err := loadConfig(c)
	if err != nil {
		return options, err
	}
	options.Settings = map[string]any{}
	maps.Copy(options.Settings, loaded.Flows.Settings)
	for k, v := range set {
		options.Settings[k] = v
	}
	options.HTTPAllow = append([]string{}, loaded.Flows.HTTPAllow...)
	return options, nil
}

var (
	settingUse = regexp.MustCompile(`\bsettings\.([A-Za-z0-9_]+)`)
	standIn    = regexp.MustCompile(`http://settings\.([A-Za-z0-9_]+)`)
)

// standIns are the settings of a run without a configuration: those of the flags, and
// for any other that a flow of the folder names the address http://settings.NAME,
// which the player shows as it is written, ${settings.NAME}.
func standIns(c *cli.Context, dir string) (map[string]any, error) {
	set, err := pairs("setting", c.StringSlice("setting"))
	if err != nil {
		return nil, err
	}
	settings := map[string]any{}
	files, err := filepath.Glob(filepath.Join(dir, "*.flow.yaml"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, tandem.Errorf(tandem.CodeInvalid, "reading a flow: %w", err)
		}
		for _, use := range settingUse.FindAllStringSubmatch(string(text), -1) {
			settings[use[1]] = "http://" + use[0]
		}
	}
	for k, v := range set {
		settings[k] = v
	}
	return settings, nil
}

// pairs reads NAME=VALUE flags.
func pairs(flag string, given []string) (map[string]string, error) {
	out := make(map[string]string, len(given))
	for _, g := range given {
		name, value, ok := strings.Cut(g, "=")
		if !ok || name == "" {
			return nil, tandem.Errorf(tandem.CodeInvalid, "write --%s NAME=VALUE, not %q", flag, g)
		}
		out[name] = value
	}
	return out, nil
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, tandem.Errorf(tandem.CodeInvalid, "%q is no time; write 2026-11-23T10:00:00+08:00, or 2026-11-23T10:00 for this machine's zone", s)
}

// readFlow reads the file with its folder and finds the flow in it. Mistakes are
// printed; warnings alone do not keep a flow from being played.
func readFlow(c *cli.Context, path string, o read.Options) (string, *flow.Library, error) {
	_, found := read.File(path, o)
	lib, all := read.Dir(filepath.Dir(path), o)
	if !source.HasErrors(found) && lib == nil {
		found = all // a mistake in a file beside it keeps the folder from being used
	}
	if lib == nil || source.HasErrors(found) {
		source.Print(c.App.ErrWriter, found, isTerminal(c.App.ErrWriter))
		return "", nil, exitStatus(exitInput)
	}
	var names []string
	for name, f := range lib.Flows {
		if filepath.Base(f.Pos.File) == filepath.Base(path) {
			return name, lib, nil
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return "", nil, tandem.Errorf(tandem.CodeInvalid, "%s holds no flow; the flows beside it are %s", path, strings.Join(names, ", "))
}

// describe is a trace for the terminal, "" for one that only repeats what was shown.
func describe(tr flow.Trace) string {
	switch d := tr.Data.(type) {
	case tandem.StepLeft:
		line := fmt.Sprintf("%s: %s", d.Step, d.Outcome)
		if d.Next != "" {
			line += " → " + d.Next
		}
		for _, name := range slices.Sorted(mapKeys(d.Set)) {
			line += fmt.Sprintf("  %s = %s", name, asJSON(d.Set[name]))
		}
		return line
	case tandem.Fetched:
		return fmt.Sprintf("%s: %s %s answered %d, taken as %s", d.Step, d.Method, d.URL, d.Status, d.Outcome)
	case tandem.FlowFault:
		return fmt.Sprintf("%s: went wrong: %s", d.Step, d.Message)
	}
	return ""
}
