package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"tandem/bridge/queue/audit"
	"tandem/bridge/route"
	"tandem/internal/app"
)

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "check the line: that nobody in it was lost, doubled, overtaken or given to too many",
		Description: "Holds every place in line, offer and assignment that is stored against the journal, and both against the invariants of\n" +
			"docs/invariants.md. It changes nothing, and may run beside the server. It exits with 1 if something is wrong.",
		Flags: []cli.Flag{
			configFlag(), jsonFlag(),
			&cli.BoolFlag{Name: "strict", Usage: "also exit with 1 for what is wrong only if the routing policy was the same then as it is now"},
		},
		Action: auditLine,
	}
}

func auditLine(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	return withRecords(c, toRead, func(r records) error {
		loaded, err := loadConfig(c)
		if err != nil {
			return err
		}
		var policy *route.Policy
		if library, _, err := readFlows(loaded); err == nil && library != nil {
			policy = app.Policy(library)
		} else {
			fmt.Fprintln(c.App.ErrWriter, "The flows folder cannot be read or has errors (tandem flow check says which): capacities, and who was overtaken, are not checked.")
		}
		report, err := audit.Read(c.Context, r.DB, policy)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			err = writeJSON(c.App.Writer, report)
		} else {
			err = writeAudit(c.App.Writer, report)
		}
		if err == nil && (!report.OK || c.Bool("strict") && len(report.Notes) > 0) {
			err = exitStatus(exitInput)
		}
		return err
	})
}

func writeAudit(w io.Writer, r *audit.Report) error {
	sentences := func(label string, list []string, more int) {
		for _, s := range list {
			fmt.Fprintf(w, "%s: %s\n", label, printable(s))
		}
		if more > 0 {
			fmt.Fprintf(w, "%s: and %d more\n", label, more)
		}
	}
	sentences("wrong", r.Findings, r.More)
	sentences("wrong, unless the policy was another one then", r.Notes, r.MoreNotes)
	if len(r.Queues) > 0 {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "QUEUE\tOPENED\tWAITING\tIN HAND\tDONE\tWAITED, MEDIAN\tLONGEST")
		for _, q := range r.Queues {
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%s\t%s\n", printable(q.Queue), q.Opened, q.Waiting, q.Assigned, outcomes(q.Outcomes), waited(q.Median), waited(q.Longest))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if b := r.Board; b.Figures > 0 {
		fmt.Fprintf(w, "the board from %s to %s UTC: %s of %s, worked out of the journal again\n", b.From.UTC().Format("2006-01-02 15:04"), b.Until.UTC().Format("2006-01-02 15:04"),
			counted(b.Figures, "row"), counted(b.Buckets, "span")+" of five minutes")
	}
	verdict := "right: nobody was lost, doubled or given to two, and the rows are what the journal says"
	if !r.OK {
		verdict = "WRONG: the line is not what its journal says, or broke a rule; keep a copy of the database and report this with the sentences above"
	}
	_, err := fmt.Fprintf(w, "%s, %s of them live, %s, %s, %s of erased persons\n%s\n", counted(r.Tasks, "task"), fmt.Sprint(r.Live),
		counted(r.Offers, "offer"), counted(r.Events, "event"), counted(r.Erased, "interaction"), verdict)
	return err
}

// outcomes are what became of the tasks that are done, the most frequent first.
func outcomes(of map[string]int) string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if of[a] != of[b] {
			return of[b] - of[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", of[name], name)
	}
	if len(names) == 0 {
		return "0"
	}
	return strings.Join(names, ", ")
}

func waited(seconds float64) string {
	return (time.Duration(seconds*1000) * time.Millisecond).Round(100 * time.Millisecond).String()
}
