package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// reorder puts flags before arguments, because the library stops looking for flags
// at the first argument while people write them on either side. The command's
// names come first, then its flags in their order, then the arguments; what
// follows "--" stays an argument. args is not changed.
func reorder(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	out := []string{args[0]}
	var flags, rest []string
	level := app.Commands
	known := slices.Clone(app.Flags)
	descending := true
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(a) > 1 && a[0] == '-':
			flags = append(flags, a)
			name, _, hasValue := strings.Cut(strings.TrimLeft(a, "-"), "=")
			if !hasValue && takesValue(known, level, name) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		default:
			c := find(level, a)
			if !descending || c == nil {
				descending = false
				rest = append(rest, a)
				continue
			}
			out = append(out, a)
			level = c.Subcommands
			known = append(known, c.Flags...)
		}
	}
	out = append(out, flags...)
	if len(rest) > 0 && slices.ContainsFunc(rest, func(a string) bool { return strings.HasPrefix(a, "-") }) {
		out = append(out, "--")
	}
	return append(out, rest...)
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// takesValue reports whether the flag wants the next word: looked up among the
// flags of the commands named so far, then of those that may still be named.
func takesValue(known []cli.Flag, level []*cli.Command, name string) bool {
	for _, f := range known {
		if slices.Contains(f.Names(), name) {
			d, ok := f.(cli.DocGenerationFlag)
			return ok && d.TakesValue()
		}
	}
	for _, c := range level {
		if takesValue(c.Flags, c.Subcommands, name) {
			return true
		}
	}
	return false
}
