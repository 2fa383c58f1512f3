package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/identity"
	"tandem/bridge/sms"
	"tandem/store"
)

func outboxCommand() *cli.Command {
	return &cli.Command{
		Name:  "outbox",
		Usage: "what is to be delivered elsewhere, and what was given up",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "texts and notices: waiting, given up, and delivered of late",
				Flags: []cli.Flag{
					configFlag(), jsonFlag(), &cli.BoolFlag{Name: "dead", Usage: "only what was given up"},
					&cli.StringFlag{Name: "kind", Usage: "only of this `KIND`: sms, webhook or hook"},
				},
				Action: func(c *cli.Context) error {
					if err := wantArgs(c); err != nil {
						return err
					}
					if k := c.String("kind"); k != "" && k != sms.Kind && k != "webhook" && k != store.KindHook {
						return tandem.Errorf(tandem.CodeInvalid, "--kind is sms, webhook or hook, not %q", k)
					}
					return withJournal(c, toRead, func(j journal) error { return listOutbox(c, j, time.Now()) })
				},
			},
			{
				Name: "retry", ArgsUsage: "KEY", Usage: "try one that was given up again",
				Flags: []cli.Flag{configFlag(), jsonFlag()},
				Action: func(c *cli.Context) error {
					if err := wantArgs(c, "KEY"); err != nil {
						return err
					}
					key := c.Args().First()
					return withJournal(c, toWrite, func(j journal) error {
						err := j.Revive(c.Context, key)
						if errors.Is(err, store.ErrNotFound) {
							return tandem.Errorf(tandem.CodeNotFound, "nothing with the key %s was given up; see tandem outbox list --dead", printable(key))
						}
						switch {
						case err != nil:
						case c.Bool("json"):
							err = writeJSON(c.App.Writer, struct {
								Key   string            `json:"key"`
								State store.LetterState `json:"state"`
							}{key, store.LetterWaiting})
						default:
							fmt.Fprintf(c.App.Writer, "%s waits again; the server delivers it soon\n", printable(key))
						}
						return err
					})
				},
			},
		},
	}
}

func listOutbox(c *cli.Context, j journal, now time.Time) error {
	all, err := j.Outbox(c.Context)
	if err != nil {
		return err
	}
	letters := []store.Letter{}
	for _, l := range all {
		if (!c.Bool("dead") || l.State == store.LetterDead) && (c.String("kind") == "" || l.Kind == c.String("kind")) {
			letters = append(letters, l)
		}
	}
	if c.Bool("json") {
		return writeJSON(c.App.Writer, letters)
	}
	if len(letters) == 0 {
		fmt.Fprintln(c.App.Writer, "nothing")
		return nil
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tKIND\tTO\tSTATE\tTRIES\tMADE\tNEXT TRY\tLAST ERROR")
	for _, l := range letters {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", printable(l.Key), l.Kind, addressee(l), l.State, l.Attempts, age(now.Sub(l.Made)), nextTry(l, now), printable(l.Error))
	}
	return table.Flush()
}

// addressee is where a letter goes: of a text enough of the number to know it by. It is
// forgotten with the letter.
func addressee(l store.Letter) string {
	switch {
	case l.Target == "":
		return "–"
	case l.Kind == sms.Kind:
		return identity.Mask(l.Target)
	}
	return printable(l.Target)
}

func nextTry(l store.Letter, now time.Time) string {
	switch left := l.Next.Sub(now); {
	case l.State != store.LetterWaiting:
		return "–"
	case left <= 0:
		return "now"
	default:
		return "in " + left.Round(time.Second).String()
	}
}
