package main

import (
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
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/source"
	"tandem/ivr/flow/suite"
)

// flowRunCommand plays a flow in the terminal, without a phone.
func flowRunCommand() *cli.Command {
	return &cli.Command{
		Name: "run", ArgsUsage: "FILE",
		Usage: "play a flow in the terminal: prompts as text, keys and words as lines",
		Description: "Each line is what the customer does: by voice 1 or *0 presses keys, in chat and SMS words are written; an empty\n" +
			"line is silence, !hangup hangs up, !back takes a turn back, !save NAME keeps the talk as a test beside the flow,\n" +
			"!help lists the rest. Where the flow asks another system, an agent or a page, the terminal asks you; an empty\n" +
			"line takes what stands in [ ]. Lines may come from a file or a pipe; at its end the customer leaves.",
		Flags: []cli.Flag{
			configFlag(),
			&cli.StringFlag{Name: "as", Usage: "the `CHANNEL` to play: voice, chat or sms (default: the flow's first)"},
			&cli.StringFlag{Name: "at", Usage: "begin at this `TIME`, such as 2026-11-23T10:00:00+08:00 (default: now); time passes by silence and !wait only"},
			&cli.StringFlag{Name: "from", Value: simulate.DefaultCaller, Usage: "the caller's `NUMBER`"},
			&cli.StringFlag{Name: "lang", Usage: "the `LANGUAGE` known of the caller"},
			&cli.StringSliceFlag{Name: "input", Usage: "a value for one of the flow's inputs, `NAME=VALUE`"},
			&cli.StringSliceFlag{Name: "setting", Usage: "a value for one of settings, `NAME=VALUE`"},
			&cli.BoolFlag{Name: "vars", Usage: "show the variables after each turn, secrets masked"},
			&cli.BoolFlag{Name: "http", Usage: "send real HTTP requests, to the hosts of flows.http_allow"},
		},
		Action: flowRun,
	}
}

func flowRun(c *cli.Context) error {
	if err := wantArgs(c, "FILE"); err != nil {
		return err
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
	if options.Settings == nil {
		if lib.Settings, err = standIns(c, filepath.Dir(path)); err != nil {
			return err
		}
	}
	begin, err := beginning(c, lib.Flows[name])
	if err != nil {
		return err
	}
	p := newPlayer(lib, name, begin, c.App.Reader, c.App.Writer)
	p.always = c.Bool("vars")
	p.tests = strings.TrimSuffix(path, ".flow.yaml") + suite.Suffix
	if c.Bool("http") {
		if len(options.HTTPAllow) == 0 {
			return tandem.Errorf(tandem.CodeInvalid, "--http reaches only hosts that flows.http_allow of the configuration lists, and there are none")
		}
		p.http = fetch.New(options.HTTPAllow)
		defer p.http.Close()
	}
	return p.play(c.Context)
}

// beginning is how the talk begins, by the flags.
func beginning(c *cli.Context, f *flow.Flow) (simulate.Options, error) {
	from := c.String("from")
	o := simulate.Options{
		Channel: tandem.Channel(c.String("as")), At: time.Now().Truncate(time.Second), Lang: c.String("lang"),
		Given: simulate.Given{Caller: &from}, Seed: suite.DefaultSeed,
	}
	if o.Channel == "" && len(f.Channels) > 0 {
		o.Channel = f.Channels[0]
	}
	if !slices.Contains(f.Channels, o.Channel) {
		var served []string
		for _, channel := range f.Channels {
			served = append(served, string(channel))
		}
		return o, tandem.Errorf(tandem.CodeInvalid, "the flow %s cannot be played as %q; its channels are %s", f.Name, o.Channel, strings.Join(served, ", "))
	}
	if at := c.String("at"); at != "" {
		var err error
		if o.At, err = parseTime(at); err != nil {
			return o, err
		}
	}
	inputs, err := pairs("input", c.StringSlice("input"))
	if err != nil {
		return o, err
	}
	o.Inputs = make(map[string]any, len(inputs))
	for k, v := range inputs {
		o.Inputs[k] = v
	}
	return o, nil
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

// written is text with settings that are not known as the flow has written them.
func written(text string) string { return standIn.ReplaceAllString(text, "$${settings.$1}") }
