package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/internal/config"
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
				Name: "check", ArgsUsage: "[FILE]", Flags: []cli.Flag{configFlag()},
				Usage: "find every mistake, each at its line",
				Action: func(c *cli.Context) error {
					loaded, err := namedConfig(c)
					if err != nil {
						return err
					}
					fmt.Fprintf(c.App.Writer, "%s is right: %d entries, %d trunks, %d users\n",
						loaded.File, len(loaded.Entries), len(loaded.SIP.Trunks), len(loaded.SIP.Users))
					return nil
				},
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
