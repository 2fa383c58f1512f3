package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/link"
	"tandem/store"
)

func linksCommand() *cli.Command {
	return &cli.Command{
		Name:  "links",
		Usage: "links that customers were sent: list, revoke",
		Subcommands: []*cli.Command{
			{
				Name: "list", ArgsUsage: "[INTERACTION]", Usage: "those that can still be used, of one interaction or of all",
				Flags:  []cli.Flag{configFlag(), jsonFlag(), &cli.BoolFlag{Name: "all", Usage: "those of the interaction that are over, too"}},
				Action: listLinks,
			},
			{
				Name: "revoke", ArgsUsage: "LINK|INTERACTION", Usage: "close one at once, or all of an interaction; the flow goes on as if it had expired",
				Flags:  []cli.Flag{configFlag(), jsonFlag(), &cli.StringFlag{Name: "why", Usage: "`REASON` for the journal; it must not name the person"}},
				Action: revokeLinks,
			},
		},
	}
}

// linkView is a link as an operator sees it. Its id opens nothing.
type linkView struct {
	ID          tandem.LinkID        `json:"id"`
	Interaction tandem.InteractionID `json:"interaction"`
	Number      tandem.Number        `json:"number"`
	Operation   string               `json:"operation,omitempty"`
	To          tandem.Channel       `json:"to,omitempty"` // to go on by
	By          string               `json:"by"`
	Needs       tandem.Assurance     `json:"needs"`
	State       tandem.LinkState     `json:"state"`
	Made        time.Time            `json:"made"`
	Expires     time.Time            `json:"expires"`
	Opened      time.Time            `json:"opened,omitzero"`
	Over        time.Time            `json:"over,omitzero"`
}

func viewLink(l link.Link) linkView {
	return linkView{l.ID, l.Interaction, l.Number, l.Operation, l.To, l.By, l.Needs, l.State, l.Made, l.Expires, l.Opened, l.Over}
}

func listLinks(c *cli.Context) error {
	ref := ""
	if c.Args().Present() {
		var err error
		if ref, err = interactionArg(c); err != nil {
			return err
		}
	}
	if c.Bool("all") && ref == "" {
		return tandem.Errorf(tandem.CodeInvalid, "say of which interaction: tandem links list INTERACTION --all")
	}
	return withRecords(c, toRead, func(r records) error {
		desk, err := r.linkDesk()
		if err != nil {
			return err
		}
		var of tandem.InteractionID
		if ref != "" {
			story, err := r.Interaction(c.Context, ref)
			if err != nil {
				return err
			}
			of = story.Interaction.ID
		}
		all, err := desk.Of(c.Context, of)
		if err != nil {
			return err
		}
		views := []linkView{}
		for _, l := range all {
			if c.Bool("all") || usable(l, time.Now()) {
				views = append(views, viewLink(l))
			}
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, views)
		}
		return writeLinks(c.App.Writer, views, time.Now())
	})
}

// usable reports whether something can still be done by a link.
func usable(l link.Link, now time.Time) bool { return !l.State.Over() && now.Before(l.Expires) }

func writeLinks(w io.Writer, views []linkView, now time.Time) error {
	if len(views) == 0 {
		_, err := fmt.Fprintln(w, "no links")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LINK\tINTERACTION\tFOR\tBY\tNEEDS\tSTATE\tMADE\tVALID")
	for _, v := range views {
		what := v.Operation
		if what == "" {
			what = "going on by " + string(v.To)
		}
		valid := "–"
		if left := v.Expires.Sub(now); left > 0 && !v.State.Over() {
			valid = left.Round(time.Second).String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.Number, printable(what), v.By, v.Needs, v.State, age(now.Sub(v.Made)), valid)
	}
	return table.Flush()
}

func revokeLinks(c *cli.Context) error {
	ref, err := interactionArg(c)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "write tandem links revoke LINK|INTERACTION --why REASON")
	}
	why := c.String("why")
	if why == "" {
		return tandem.Errorf(tandem.CodeInvalid, "say why with --why REASON, such as --why \"sent to a wrong number\"; it stays in the journal, so name nobody")
	}
	return withRecords(c, toWrite, func(r records) error {
		desk, err := r.linkDesk()
		if err != nil {
			return err
		}
		found, err := linksNamed(c, r, desk, ref)
		if err != nil {
			return err
		}
		views := []linkView{}
		for _, l := range found {
			if !usable(l, time.Now()) {
				continue
			}
			if err := desk.Revoke(c.Context, l.ID, operator(), why); err != nil {
				return err
			}
			if l, err = desk.Find(c.Context, l.ID); err != nil {
				return err
			}
			views = append(views, viewLink(l))
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, views)
		}
		for _, v := range views {
			fmt.Fprintf(c.App.Writer, "link %s of %s is %s\n", v.ID, v.Number, v.State)
		}
		if len(views) == 0 {
			fmt.Fprintln(c.App.Writer, "there is no link left that could be used")
		}
		return nil
	})
}

// linksNamed is the link with an id, or those of an interaction.
func linksNamed(c *cli.Context, r records, desk *link.Desk, ref string) ([]link.Link, error) {
	if tandem.ValidID(ref) {
		l, err := desk.Find(c.Context, tandem.LinkID(ref))
		if err == nil {
			return []link.Link{l}, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	story, err := r.Interaction(c.Context, ref)
	if errors.Is(err, store.ErrNotFound) {
		return nil, tandem.Errorf(tandem.CodeNotFound, "%s is neither a link's id nor an interaction; see: tandem links list", printable(ref))
	}
	if err != nil {
		return nil, err
	}
	return desk.Of(c.Context, story.Interaction.ID)
}
