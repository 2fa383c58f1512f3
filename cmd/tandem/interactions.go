package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

const (
	listPage = 1000   // interactions asked of the store at once
	listMost = 10_000 // and in one list; narrow it by --since for more
)

func interactionsCommand() *cli.Command {
	why := &cli.StringFlag{Name: "why", Usage: "`REASON` for the audit; it must not name the person"}
	return &cli.Command{
		Name:  "interactions",
		Usage: "what customers did here: list, tell, check, export, erase",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "the newest interactions", Action: listInteractions,
				Flags: []cli.Flag{
					configFlag(), jsonFlag(),
					&cli.BoolFlag{Name: "open", Usage: "only those that are not closed: they go on, or somebody waits in line"},
					&cli.StringFlag{Name: "queue", Usage: "only those that wait in this `QUEUE`, or are served from it"},
					&cli.StringFlag{Name: "entry", Usage: "only by this `NUMBER` as it is configured"},
					&cli.StringFlag{Name: "customer", Usage: "only of this customer `ID`"},
					&cli.DurationFlag{Name: "since", Usage: "only those begun in the last `TIME`, such as 2h"},
					&cli.IntFlag{Name: "limit", Value: 50, Usage: "at most `N`"},
				},
			},
			{
				Name: "show", ArgsUsage: "INTERACTION", Usage: "tell one by its number or id, or the beginning of either",
				Flags: []cli.Flag{configFlag(), jsonFlag()}, Action: showInteraction,
			},
			{
				Name: "verify", Usage: "check that nothing in the journal was changed, removed or added",
				Flags: []cli.Flag{configFlag(), jsonFlag()}, Action: verifyJournal,
			},
			{
				Name: "export", ArgsUsage: "INTERACTION", Usage: "write its voicemail, recordings and pictures as files; each is audited",
				Flags: []cli.Flag{
					configFlag(), jsonFlag(), why,
					&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Value: ".", Usage: "`FOLDER` to write to"},
				},
				Action: exportInteraction,
			},
			{
				Name: "erase", ArgsUsage: "[INTERACTION]", Usage: "destroy all that is known of a person; the journal still verifies",
				Flags: []cli.Flag{
					configFlag(), jsonFlag(), why,
					&cli.StringFlag{Name: "customer", Usage: "the person with this customer `ID`"},
					&cli.StringFlag{Name: "caller", Usage: "the person who called or wrote from this `NUMBER`, however it is written"},
					&cli.BoolFlag{Name: "yes", Usage: "do not ask"},
				},
				Action: erasePerson,
			},
		},
	}
}

func listInteractions(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	if n := c.Int("limit"); n < 1 || n > listMost {
		return tandem.Errorf(tandem.CodeInvalid, "--limit goes from 1 to %d", listMost)
	}
	filter := store.Filter{Entry: c.String("entry"), Queue: c.String("queue"), Customer: tandem.CustomerID(c.String("customer"))}
	if c.Bool("open") {
		filter.Going = true
	}
	now := time.Now()
	if since := c.Duration("since"); since > 0 {
		filter.Since = now.Add(-since)
	}
	return withJournal(c, toRead, func(j journal) error {
		list, err := pages(c, j, filter, c.Int("limit"))
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, list)
		}
		return writeList(c.App.Writer, list, now)
	})
}

// pages lists up to most interactions, page by page.
func pages(c *cli.Context, j journal, f store.Filter, most int) ([]store.Summary, error) {
	all := []store.Summary{}
	for len(all) < most {
		f.Limit = min(listPage, most-len(all))
		page, err := j.List(c.Context, f)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < f.Limit {
			break
		}
		f.Before = page[len(page)-1].ID
	}
	return all, nil
}

func writeList(w io.Writer, list []store.Summary, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no interactions")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NUMBER\tSTARTED\tLASTED\tBY\tENTRY\tFROM\tHOW IT STANDS\tEVENTS\tWITH")
	for _, s := range list {
		from := printable(s.From)
		switch {
		case s.Erased:
			from = "(erased)"
		case s.Kind == tandem.LegChat && (from == "" || strings.HasPrefix(from, "chat:")):
			from = "a visitor"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", s.Number, age(now.Sub(s.Started)), lasted(s.Interaction),
			channels(s.Kinds), printable(s.Entry), from, standing(s, now), s.Events, noted(s))
	}
	return table.Flush()
}

// channels are those by which a customer took part, in the order they were used.
func channels(kinds []tandem.LegKind) string {
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		name := string(k)
		switch k {
		case tandem.LegSIP, tandem.LegWebRTC:
			name = "voice"
		case tandem.LegLink:
			name = "page"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// noted says in a few words what is there besides the story.
func noted(s store.Summary) string {
	var with []string
	for _, n := range []struct {
		count int
		noun  string
	}{{s.Voicemails, "voicemail"}, {s.Recordings, "recording"}, {s.FlowErrors, "flow error"}, {s.Callbacks, "callback"}} {
		if n.count == 1 {
			with = append(with, n.noun)
		} else if n.count > 1 {
			with = append(with, counted(n.count, n.noun))
		}
	}
	return strings.Join(with, ", ")
}

// interactionArg is the interaction that the command names; a spoken number may be
// written in groups, as it is printed.
func interactionArg(c *cli.Context) (string, error) {
	ref := strings.Join(c.Args().Slice(), " ")
	if strings.Trim(ref, "0123456789 -") == "" && ref != "" {
		return ref, nil
	}
	return ref, wantArgs(c, "INTERACTION")
}

func showInteraction(c *cli.Context) error {
	ref, err := interactionArg(c)
	if err != nil {
		return err
	}
	return withJournal(c, toRead, func(j journal) error {
		story, err := j.Interaction(c.Context, ref)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, told{story, talkOf(story)})
		}
		return writeStory(c.App.Writer, story, time.Now())
	})
}

func verifyJournal(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	return withJournal(c, toRead, func(j journal) error {
		verdict, err := j.Verify(c.Context)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			err = writeJSON(c.App.Writer, verdict)
		} else {
			err = writeVerdict(c.App.Writer, verdict)
		}
		if err == nil && !verdict.OK {
			err = exitStatus(exitInput)
		}
		return err
	})
}

func writeVerdict(w io.Writer, v store.Verdict) error {
	for _, f := range v.Findings {
		fmt.Fprintf(w, "wrong: %s\n", printable(f))
	}
	if v.More > 0 {
		fmt.Fprintf(w, "wrong: and %d more\n", v.More)
	}
	verdict := "right: nothing was changed, removed or added"
	if !v.OK {
		verdict = "WRONG: this is not the journal as it was written; keep a copy of it and of the checkpoints, and compare with a backup"
	}
	_, err := fmt.Fprintf(w, "%s, %s, %s, %s of erased persons\n%s\n", counted(v.Interactions, "interaction"),
		counted(v.Events, "event"), counted(v.Checkpoints, "checkpoint"), counted(v.Erased, "interaction"), verdict)
	return err
}

func erasePerson(c *cli.Context) error {
	named := 0
	for _, given := range []bool{c.NArg() > 0, c.String("customer") != "", c.String("caller") != ""} {
		if given {
			named++
		}
	}
	if named != 1 {
		return tandem.Errorf(tandem.CodeInvalid, "say whom to erase by one of INTERACTION, --customer ID or --caller NUMBER")
	}
	if c.NArg() > 0 {
		if _, err := interactionArg(c); err != nil {
			return err
		}
	}
	if c.String("why") == "" {
		return tandem.Errorf(tandem.CodeInvalid, "say why with --why REASON, such as --why \"asked by letter of 3 March\"; it stays in the journal, so name nobody")
	}
	// A reader holds no lock, so a server can start while the question waits.
	var id tandem.CustomerID
	var of []store.Summary
	err := withRecords(c, toRead, func(r records) (err error) {
		if id, err = whom(c, r); err != nil {
			return err
		}
		of, err = pages(c, r, store.Filter{Customer: id}, listMost)
		return err
	})
	if err != nil {
		return err
	}
	if !c.Bool("yes") && !confirmed(c, fmt.Sprintf("Erase customer %s, with what was said and recorded in %s, for ever? Type yes: ", id, counted(len(of), "interaction"))) {
		return tandem.Errorf(tandem.CodeInvalid, "nothing was erased")
	}
	return withJournal(c, toWrite, func(j journal) error {
		if err := j.Erase(c.Context, id, operator(), c.String("why")); err != nil {
			if errors.Is(err, store.ErrNotFound) {
				return tandem.Errorf(tandem.CodeNotFound, "there is no customer %s", id)
			}
			return err
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, struct {
				Customer     tandem.CustomerID `json:"customer"`
				Interactions int               `json:"interactions"`
			}{id, len(of)})
		}
		fmt.Fprintf(c.App.Writer, "customer %s is erased from %s; the journal still verifies\n", id, counted(len(of), "interaction"))
		return nil
	})
}

// whom finds the customer that the command names.
func whom(c *cli.Context, r records) (tandem.CustomerID, error) {
	if id := c.String("customer"); id != "" {
		return tandem.CustomerID(id), nil
	}
	if ref, _ := interactionArg(c); ref != "" {
		story, err := r.Interaction(c.Context, ref)
		return story.Customer.ID, err
	}
	caller := c.String("caller")
	b, found, err := bound(c, r, caller)
	if err == nil && !found {
		return "", tandem.Errorf(tandem.CodeNotFound, "nobody is known who called or wrote from %s", printable(caller))
	}
	return b.Customer, err
}

func confirmed(c *cli.Context, question string) bool {
	fmt.Fprint(c.App.Writer, question)
	line, _ := bufio.NewReader(c.App.Reader).ReadString('\n') // no answer is no
	return strings.TrimSpace(line) == "yes"
}

func writeJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

// printable keeps what strangers sent from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return '\ufffd'
		}
		return r
	}, s)
}

func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return fmt.Sprintf("%dd ago", int(d.Hours()/24))
}

func lasted(i tandem.Interaction) string {
	if i.Ended.IsZero() {
		return "–"
	}
	return i.Ended.Sub(i.Started).Round(time.Second).String()
}

// standing says how an interaction ended, and where it is if it is not closed.
func standing(s store.Summary, now time.Time) string {
	if s.Task == nil {
		return ending(s.Interaction, s.Termination)
	}
	line := inLine(s.Task, now)
	if !s.Ended.IsZero() {
		line = ending(s.Interaction, s.Termination) + "; " + line
	}
	return line
}

// inLine says where a task is, and how long its customer has waited.
func inLine(t *store.InLine, now time.Time) string {
	what := printable(taskName(tandem.Task{Kind: t.Kind, Queue: t.Queue}))
	waited := strings.TrimSuffix(age(now.Sub(t.Arrived)), " ago")
	switch t.State {
	case tandem.TaskWaiting:
		return fmt.Sprintf("%s waits, %s", what, waited)
	case tandem.TaskOffered:
		return fmt.Sprintf("%s offered to %s, %s", what, printable(t.Agent), waited)
	case tandem.TaskWrapping:
		return fmt.Sprintf("%s writes up %s", printable(t.Agent), what)
	}
	return fmt.Sprintf("%s serves %s", printable(t.Agent), what)
}

func ending(i tandem.Interaction, t tandem.Termination) string {
	switch {
	case i.Ended.IsZero():
		return "open"
	case t.IsZero():
		return printable(outcomeWords(i.Outcome))
	case i.Outcome == flow.ReasonLeft && t.Reason == tandem.ReasonHangup && t.By == tandem.ByRemote:
		return outcomeWords(i.Outcome)
	case i.Outcome == "" || i.Outcome == string(t.Reason):
		return fmt.Sprintf("%s by %s", t.Reason, t.By)
	}
	return fmt.Sprintf("%s, %s by %s", printable(outcomeWords(i.Outcome)), t.Reason, t.By)
}
