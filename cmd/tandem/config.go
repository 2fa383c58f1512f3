package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/internal/app"
	"tandem/internal/config"
	"tandem/ivr/flow/source"
)

// usualConfig is read where no file is named, if it is there.
const usualConfig = "tandem.yaml"

// configFlag names the configuration; every command that has one calls loadConfig.
func configFlag() cli.Flag {
	return &cli.StringFlag{Name: "config", Aliases: []string{"c"}, EnvVars: []string{config.EnvFile},
		Usage: "configuration `FILE` (default: " + usualConfig + " in this folder)"}
}

// jsonFlag asks for output that programs read.
func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON for programs"}
}

// configPath is the file that --config, the environment or custom names; "" if
// there is none.
func configPath(c *cli.Context) string {
	if path := c.String("config"); path != "" {
		return path
	}
	if _, err := os.Stat(usualConfig); err == nil {
		return usualConfig
	}
	return ""
}

// loadConfig reads and checks the configuration and prints its warnings. Without
// a file it is an error: a server on defaults alone serves nobody.
func loadConfig(c *cli.Context) (*config.Loaded, error) {
	path := configPath(c)
	if path == "" {
		return nil, tandem.Errorf(tandem.CodeInvalid,
			"name the configuration with --config FILE; docs/tandem.sample.yaml is one to begin with, and tandem demo needs none")
	}
	return readConfig(c, path)
}

func readConfig(c *cli.Context, path string) (*config.Loaded, error) {
	loaded, err := config.Load(path, os.Environ())
	if err != nil {
		return nil, err
	}
	for _, w := range loaded.Warnings {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s\n", w)
	}
	return loaded, nil
}

func configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "check or print the configuration",
		Subcommands: []*cli.Command{
			{
				Name: "check", ArgsUsage: "[FILE]", Flags: []cli.Flag{configFlag(), jsonFlag()},
				Usage:  "find every mistake, each at its line, and entries that lead to no flow",
				Action: checkConfig,
			},
			{
				Name: "print", ArgsUsage: "[FILE]", Flags: []cli.Flag{configFlag()},
				Usage: "show every value and where it comes from, secrets masked",
				Action: func(c *cli.Context) error {
					if err := wantArgs(c, "[FILE]"); err != nil {
						return err
					}
					path := c.Args().First()
					if path == "" {
						path = configPath(c)
					}
					loaded, err := readConfig(c, path) // "" shows the defaults
					if err != nil {
						return err
					}
					return loaded.Print(c.App.Writer)
				},
			},
		},
	}
}

// checkConfig reads the configuration and, since entries lead to flows, the flows.
func checkConfig(c *cli.Context) error {
	loaded, err := namedConfig(c)
	if err != nil {
		return err
	}
	library, found, err := readFlows(loaded)
	switch {
	case err != nil && len(loaded.Entries) == 0:
		fmt.Fprintf(c.App.ErrWriter, "warning: %s\n", err)
	case err != nil:
		return err
	case source.HasErrors(found):
		return tandem.Errorf(tandem.CodeInvalid, "%s itself is right, but the flows in %s have %s, so it cannot be served; see them with: %s",
			loaded.File, loaded.Flows.Dir, counted(errorsAmong(found), "error"), flowCheckHint(loaded.File))
	default:
		if lost := loaded.LostEntries(library.Channels()); len(lost) > 0 {
			return config.Refused(lost)
		}
		if len(found) > 0 {
			fmt.Fprintf(c.App.ErrWriter, "warning: the flows in %s have %s; see them with: %s\n",
				loaded.Flows.Dir, counted(len(found), "warning"), flowCheckHint(loaded.File))
		}
	}
	if err := app.CheckText(loaded.Config); err != nil {
		return err
	}
	p := &patient{Loaded: loaded, library: library}
	warnings := slices.DeleteFunc(append(textFindings(p), lineFindings(p)...), func(f finding) bool { return f.Verdict == ok })
	webhooks := map[string]string{} // to be registered with the gateways' providers, by gateway
	for name, g := range loaded.SMS.Gateways {
		webhooks[name] = webhookOf(loaded.Config, name, g)
	}
	if c.Bool("json") {
		return writeJSON(c.App.Writer, struct {
			File     string            `json:"file"`
			Entries  int               `json:"entries"`
			Warnings []finding         `json:"warnings"`
			Webhooks map[string]string `json:"webhooks,omitempty"`
		}{loaded.File, len(loaded.Entries), append([]finding{}, warnings...), webhooks})
	}
	for _, f := range warnings {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s: %s; %s\n", f.Check, printable(f.Found), f.Do)
	}
	for _, name := range slices.Sorted(maps.Keys(webhooks)) {
		fmt.Fprintf(c.App.Writer, "sms.gateways.%s: register its webhook with the provider: %s\n", name, webhooks[name])
	}
	fmt.Fprintf(c.App.Writer, "%s is right: %s, %s, %s\n", loaded.File,
		counted(len(loaded.Entries), "entry"), counted(len(loaded.SIP.Trunks), "trunk"), counted(len(loaded.SIP.Users), "user"))
	return nil
}

// flowCheckHint is the command that shows the mistakes in the flows of a configuration.
func flowCheckHint(file string) string {
	if file == usualConfig {
		return "tandem flow check"
	}
	return "tandem flow check --config " + file
}

// namedConfig takes the file from the argument too.
func namedConfig(c *cli.Context) (*config.Loaded, error) {
	if err := wantArgs(c, "[FILE]"); err != nil {
		return nil, err
	}
	if path := c.Args().First(); path != "" {
		return readConfig(c, path)
	}
	return loadConfig(c)
}
