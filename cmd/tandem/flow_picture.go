package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/ivr/flow/picture"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

// flowPictureCommand draws a flow.
func flowPictureCommand() *cli.Command {
	return &cli.Command{
		Name: "picture", ArgsUsage: "FILE",
		Usage: "draw a flow, as SVG or as Mermaid text",
		Description: "Steps from the top down, with what each says and where each outcome leads. Ways to steps that very many\n" +
			"lead to are written into the step they come from. Errors are red, warnings amber, unreachable steps grey.\n" +
			"A file with mistakes is drawn as far as it can be read; its mistakes go to standard error, and the status is 1.",
		Flags: []cli.Flag{
			configFlag(),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
			&cli.StringFlag{Name: "format", Value: "svg", Usage: "`svg` or mermaid"},
			&cli.StringFlag{Name: "lang", Value: "en", Usage: "the `LANGUAGE` of labels and prompts, such as zh-CN"},
			&cli.BoolFlag{Name: "dark", Usage: "light on dark; without it the picture follows its viewer"},
		},
		Action: flowPicture,
	}
}

func flowPicture(c *cli.Context) error {
	if err := wantArgs(c, "FILE"); err != nil {
		return err
	}
	format := c.String("format")
	if format != "svg" && format != "mermaid" {
		return tandem.Errorf(tandem.CodeInvalid, "there is no format %q; write --format svg or --format mermaid", format)
	}
	var options read.Options
	if configPath(c) != "" {
		loaded, err := loadConfig(c)
		if err != nil {
			return err
		}
		options = flowOptions(loaded)
	}
	path := c.Args().First()
	if info, err := os.Stat(path); err == nil && info.IsDir() || !strings.HasSuffix(path, ".flow.yaml") {
		return tandem.Errorf(tandem.CodeInvalid, "%s is no flow file; name one that ends in .flow.yaml", path)
	}
	found, err := checkPath(path, options)
	if err != nil {
		return err
	}
	lib, f, _ := read.Partial(filepath.Dir(path), filepath.Base(path), nil, options)
	wrong := source.HasErrors(found)
	if wrong {
		source.Print(c.App.ErrWriter, found, isTerminal(c.App.ErrWriter))
	}
	if f == nil {
		return exitStatus(exitInput)
	}
	out := []byte(picture.Mermaid(f))
	if format == "svg" {
		out = picture.Draw(lib, f, picture.Options{Lang: c.String("lang"), Diagnostics: found, Standalone: true, Dark: c.Bool("dark")})
	}
	if to := c.String("output"); to == "" || to == "-" {
		_, err = c.App.Writer.Write(out)
	} else {
		err = os.WriteFile(to, out, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	if wrong {
		return exitStatus(exitInput)
	}
	return nil
}
