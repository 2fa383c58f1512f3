package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/ivr/flow/complete"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/reference"
	"tandem/ivr/flow/schema"
)

// flowSchemaCommand writes what editors complete flow files by, and the reference.
func flowSchemaCommand() *cli.Command {
	return &cli.Command{
		Name:  "schema",
		Usage: "write the JSON Schema that editors complete flow files by",
		Description: "In an editor with support for YAML, begin a flow file with the line\n" +
			"  # yaml-language-server: $schema=./flow.schema.json\n" +
			"With --names the schema also knows what is in that folder; write it anew when names change.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "kind", Value: "flow", Usage: "`flow`, calendar, queues, form, operation, classify or test"},
			&cli.StringFlag{Name: "names", Usage: "complete the names in this `FOLDER`, too"},
			&cli.StringFlag{Name: "lang", Value: "en", Usage: "language of the descriptions: `en` or zh-CN"},
			&cli.BoolFlag{Name: "reference", Usage: "write the language's reference as Markdown instead"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to this `FILE`, not to standard output"},
		},
		Action: flowSchema,
	}
}

func flowSchema(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	lang := c.String("lang")
	if lang != "en" && lang != "zh-CN" {
		return tandem.Errorf(tandem.CodeInvalid, "there are no descriptions in %q; write --lang en or --lang zh-CN", lang)
	}
	if c.Bool("reference") {
		return writeOutput(c, reference.Page(lang))
	}
	names := &schema.Names{}
	if dir := c.String("names"); dir != "" {
		files, err := read.Files(dir)
		if err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "the names in %s cannot be read: %v", dir, err)
		}
		names = complete.Names(files)
	}
	names.Lang = lang
	text, err := schema.JSONOf(c.String("kind"), names)
	if err != nil {
		return err
	}
	return writeOutput(c, text)
}

// writeOutput writes to the file of --output, or to standard output. A file that holds
// the text already is left alone.
func writeOutput(c *cli.Context, text []byte) error {
	path := c.String("output")
	if path == "" {
		_, err := c.App.Writer.Write(text)
		return err
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("writing the schema: %w", err)
	}
	return nil
}
