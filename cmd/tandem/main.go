// Command tandem is the whole product in one program: the server, a demo, a small
// phone, and what an operator and a flow designer need. Each subcommand has a file
// of its own; this one holds what they share: flags on either side of arguments,
// errors in one sentence, and the exit status.
//
// Exit status: 0 fine, 1 the input is at fault, 2 we are.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	_ "time/tzdata" // calendars work on machines without the database of time zones

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/internal/config"
	"tandem/internal/nearest"
)

const (
	exitFine   = 0
	exitInput  = 1 // the input is at fault
	exitFaulty = 2 // we are, or the machine
)

// exitStatus ends a command whose findings are printed already.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func main() {
	os.Exit(run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run is the program with its surroundings handed in.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:                 "tandem",
		Usage:                "a contact-centre media server: a phone rings, a YAML flow answers, the journal keeps it",
		Version:              version(),
		Commands:             commands(),
		Action:               group,
		OnUsageError:         usageError,
		EnableBashCompletion: true,
		HideHelpCommand:      true,
		Reader:               stdin,
		Writer:               stdout,
		ErrWriter:            stderr,
		ExitErrHandler:       func(*cli.Context, error) {}, // the status is ours to give
	}
	eachCommand(app.Commands, func(c *cli.Command) {
		c.HideHelpCommand = true
		c.OnUsageError = usageError
		if len(c.Subcommands) > 0 && c.Action == nil {
			c.Action = group
		}
	})
	return report(stderr, app.RunContext(ctx, reorder(app, asFlag(args))))
}

// asFlag makes flags of the words that people try: tandem version, tandem help call.
func asFlag(args []string) []string {
	if len(args) > 1 && args[1] == "version" {
		return []string{args[0], "--version"}
	}
	if len(args) > 1 && args[1] == "help" {
		return append(append([]string{args[0]}, args[2:]...), "--help")
	}
	return args
}

// commands is every subcommand, in the order of the help.
func commands() []*cli.Command {
	return []*cli.Command{
		serveCommand(), demoCommand(), callCommand(),
		doctorCommand(), configCommand(), flowCommand(),
		userCommand(), keyCommand(), agentCommand(), interactionsCommand(), customersCommand(), linksCommand(), checksCommand(), outboxCommand(), auditCommand(), backupCommand(), simulateCommand(), routeCommand(),
	}
}

// flowCommand groups what a flow's designer needs.
func flowCommand() *cli.Command {
	return &cli.Command{
		Name: "flow", Usage: "check flows and try them out",
		Subcommands: []*cli.Command{flowCheckCommand(), flowFmtCommand(), flowPictureCommand(), flowReplayCommand(), flowRunCommand(), flowSchemaCommand(), flowTestCommand()},
	}
}

func eachCommand(cs []*cli.Command, visit func(*cli.Command)) {
	for _, c := range cs {
		visit(c)
		eachCommand(c.Subcommands, visit)
	}
}

// report prints an error in the words for its reader and gives the exit status.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitFine
	}
	if status := exitStatus(0); errors.As(err, &status) {
		return int(status)
	}
	if problems := (config.Problems)(nil); errors.As(err, &problems) {
		fmt.Fprintf(stderr, "%s\n", problems)
		return exitInput
	}
	fmt.Fprintf(stderr, "tandem: %s\n", err)
	switch tandem.CodeOf(err) {
	case tandem.CodeInvalid, tandem.CodeNotFound, tandem.CodeConflict, tandem.CodeForbidden:
		return exitInput
	}
	return exitFaulty
}

// group is the action of a command that only holds others: without a name it
// shows its help, with a wrong one it says which was probably meant.
func group(c *cli.Context) error {
	if !c.Args().Present() {
		if len(c.Command.Subcommands) == 0 || c.Command.Name == c.App.Name {
			return cli.ShowAppHelp(c)
		}
		return cli.ShowSubcommandHelp(c)
	}
	of, path := c.App.Commands, c.App.Name
	if c.Command.Name != c.App.Name {
		of, path = c.Command.Subcommands, path+" "+c.Command.Name
	}
	names := []string{}
	for _, cmd := range of {
		if !cmd.Hidden && cmd.Name != "help" {
			names = append(names, cmd.Name)
		}
	}
	name := c.Args().First()
	if near := nearest.Name(name, names); near != "" {
		return tandem.Errorf(tandem.CodeInvalid, "%s has no command %q; did you mean %s %s?", path, name, path, near)
	}
	return tandem.Errorf(tandem.CodeInvalid, "%s has no command %q; it has %s", path, name, strings.Join(names, ", "))
}

// usageError says in our words what the flag library says in its own.
func usageError(c *cli.Context, err error, _ bool) error {
	text := err.Error()
	path := c.Command.HelpName
	if flag, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		names := []string{}
		for _, f := range c.Command.Flags {
			names = append(names, f.Names()[0])
		}
		name := strings.TrimLeft(flag, "-")
		if near := nearest.Name(name, names); near != "" {
			return tandem.Errorf(tandem.CodeInvalid, "%s has no flag --%s; did you mean --%s?", path, name, near)
		}
		return tandem.Errorf(tandem.CodeInvalid, "%s has no flag --%s; see %s --help", path, name, path)
	}
	if value, flag, ok := strings.Cut(strings.TrimPrefix(text, "invalid value "), " for flag -"); ok {
		name, _, _ := strings.Cut(flag, ":")
		plain, err := strconv.Unquote(value)
		if _, number := strconv.ParseFloat(plain, 64); err == nil && number == nil && isDuration(c.Command.Flags, name) {
			return tandem.Errorf(tandem.CodeInvalid, "--%s %s has no unit; write %ss for seconds", name, plain, plain)
		}
	}
	return tandem.Errorf(tandem.CodeInvalid, "%s; see %s --help", text, path)
}

func isDuration(flags []cli.Flag, name string) bool {
	return slices.ContainsFunc(flags, func(f cli.Flag) bool {
		_, ok := f.(*cli.DurationFlag)
		return ok && slices.Contains(f.Names(), name)
	})
}

// wantArgs checks the number of arguments against names, those in [ ] optional.
func wantArgs(c *cli.Context, names ...string) error {
	needed := 0
	for _, n := range names {
		if !strings.HasPrefix(n, "[") {
			needed++
		}
	}
	path := c.Command.HelpName
	switch n := c.NArg(); {
	case n < needed:
		return tandem.Errorf(tandem.CodeInvalid, "write %s %s", path, strings.Join(names, " "))
	case n > len(names):
		return tandem.Errorf(tandem.CodeInvalid, "%q is one argument too many; write %s %s", c.Args().Get(len(names)), path, strings.Join(names, " "))
	}
	return nil
}

// released is the version of a released program; the linker fills it in.
var released string

// version is the release's, else the module's, else the commit it was built from.
func version() string {
	if released != "" {
		return released
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel " + s.Value[:12]
		}
	}
	return "devel"
}
