package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/bridge/identity/check/pack"
	"tandem/store"
)

func checksCommand() *cli.Command {
	return &cli.Command{
		Name:  "checks",
		Usage: "identity checks by video: list, show, export, verify",
		Subcommands: []*cli.Command{
			{
				Name: "list", ArgsUsage: "[INTERACTION]", Usage: "the newest checks, of one interaction or of all", Action: listChecks,
				Flags: []cli.Flag{
					configFlag(), jsonFlag(),
					&cli.BoolFlag{Name: "open", Usage: "only those that go on"},
					&cli.StringFlag{Name: "state", Usage: "only those that are `STATE`: passed, failed, declined, stopped, ..."},
					&cli.StringFlag{Name: "policy", Usage: "only by this `POLICY`"},
					&cli.DurationFlag{Name: "since", Usage: "only those begun in the last `TIME`, such as 24h"},
					&cli.IntFlag{Name: "limit", Value: 50, Usage: "at most `N`"},
				},
			},
			{Name: "show", ArgsUsage: "CHECK", Usage: "tell one: its rounds, steps, stills and verdict", Flags: []cli.Flag{configFlag(), jsonFlag()}, Action: showCheck},
			{
				Name: "export", ArgsUsage: "CHECK", Usage: "write its policy, stills and events as one file that verifies anywhere; each look is audited", Action: exportCheck,
				Flags: []cli.Flag{
					configFlag(), jsonFlag(),
					&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FILE` to write; CHECK.zip if not given"},
					&cli.StringFlag{Name: "why", Usage: "`REASON` for the audit; it must not name the person"},
				},
			},
			{
				Name: "verify", ArgsUsage: "FILE", Usage: "check such a file, on any machine: nothing in it was changed, and whose it is", Action: verifyPack,
				Flags: []cli.Flag{jsonFlag(), &cli.StringFlag{Name: "key", Usage: "the server's public `KEY`, or a file with it; tandem checks key prints it"}},
			},
			{Name: "key", Usage: "print the public key that the server signs stills with", Flags: []cli.Flag{configFlag(), jsonFlag()}, Action: printCheckKey},
		},
	}
}

// listedCheck is a check as scripts read it.
type listedCheck struct {
	ID          tandem.CheckID       `json:"id"`
	Interaction tandem.InteractionID `json:"interaction"`
	Number      tandem.Number        `json:"number"` // of the interaction, as it is spoken
	Policy      string               `json:"policy"`
	State       string               `json:"state"`
	Officer     string               `json:"officer,omitempty"`
	Begun       time.Time            `json:"begun"`
	Ended       time.Time            `json:"ended,omitzero"`
	Erased      bool                 `json:"erased,omitempty"`
}

func listChecks(c *cli.Context) error {
	f := store.CheckFilter{Open: c.Bool("open"), State: c.String("state"), Policy: c.String("policy"), Limit: c.Int("limit")}
	if since := c.Duration("since"); since > 0 {
		f.Since = time.Now().Add(-since)
	}
	ref := ""
	if c.Args().Present() {
		var err error
		if ref, err = interactionArg(c); err != nil {
			return err
		}
	}
	return withRecords(c, toRead, func(r records) error {
		if ref != "" {
			story, err := r.Interaction(c.Context, ref)
			if err != nil {
				return err
			}
			f.Interaction = story.Interaction.ID
		}
		all, err := r.Checks(c.Context, f)
		if err != nil {
			return err
		}
		out := []listedCheck{}
		for _, k := range all {
			is := listedCheck{k.ID, k.Interaction, k.Number, k.Policy, k.State, k.Officer, k.Begun, k.Ended, k.Data == nil}
			if is.Erased { // what was erased before this version may still stand there
				is.State, is.Officer = "erased", ""
			}
			out = append(out, is)
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, out)
		}
		if len(out) == 0 {
			_, err := fmt.Fprintln(c.App.Writer, "no identity checks")
			return err
		}
		table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "CHECK\tINTERACTION\tPOLICY\tSTATE\tOFFICER\tBEGUN")
		for _, k := range out {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Number, printable(k.Policy), k.State, printable(k.Officer), age(time.Since(k.Begun)))
		}
		return table.Flush()
	})
}

// checkArg is the one check that is named.
func checkArg(c *cli.Context) (tandem.CheckID, error) {
	if err := wantArgs(c, "CHECK"); err != nil {
		return "", err
	}
	id := c.Args().First()
	if !tandem.ValidID(id) {
		return "", tandem.Errorf(tandem.CodeInvalid, "%s is no check's id; see: tandem checks list", printable(id))
	}
	return tandem.CheckID(id), nil
}

func findCheck(c *cli.Context, r records, id tandem.CheckID) (check.Check, error) {
	k, err := r.Check(c.Context, id)
	if errors.Is(err, store.ErrNotFound) {
		return check.Check{}, tandem.Errorf(tandem.CodeNotFound, "there is no identity check %s; see: tandem checks list", id)
	}
	if err != nil {
		return check.Check{}, err
	}
	return check.Read(k)
}

func showCheck(c *cli.Context) error {
	id, err := checkArg(c)
	if err != nil {
		return err
	}
	return withRecords(c, toRead, func(r records) error {
		k, err := findCheck(c, r, id)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, check.OfficerView(k))
		}
		return writeCheck(c.App.Writer, k, time.Now())
	})
}

// writeCheck tells a check in a terminal.
func writeCheck(w io.Writer, k check.Check, now time.Time) error {
	b := &strings.Builder{}
	row := func(name, format string, args ...any) {
		fmt.Fprintf(b, "  %-12s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	const form = "2006-01-02 15:04:05 -0700"
	fmt.Fprintf(b, "Identity check %s\n", k.ID)
	row("interaction", "%s", k.Interaction)
	row("policy", "%s, %s", k.Policy.Name, k.Policy.Hash)
	row("state", "%s, round %d", k.State, k.Round)
	row("officer", "%s", k.Officer)
	row("begun", "%s, %s", k.Begun.Local().Format(form), age(now.Sub(k.Begun)))
	if a := k.Consent; a != nil {
		answer := map[bool]string{true: "agreed", false: "did not agree"}[a.Yes]
		row("consent", "%s at %s, text %s in %s", answer, a.At.Local().Format(form), a.Version, a.Lang)
	}
	if k.Camera != "" {
		hint := ""
		if k.Virtual {
			hint = ", which looks like a program's"
		}
		row("camera", "%s%s", k.Camera, hint)
	}
	for _, v := range k.Voided {
		row("void", "round %d at %s: %s", v.Round, v.At.Local().Format(form), oneOf(brokenWords, v.Why))
	}
	b.WriteString("\nSteps\n")
	for _, s := range k.Steps {
		state := string(s.State)
		if state == "" {
			state = "not begun"
		}
		row(s.Name, "%s: %s%s", s.Kind, state, saidWords(s))
		for _, still := range s.Stills {
			row("", "still %s, %d × %d, %s", still.Blob, still.Width, still.Height, oneOf(stillWords, still.Source))
		}
	}
	if v := k.Verdict; v != nil {
		b.WriteString("\nVerdict\n")
		row("outcome", "%s (%s)", v.Outcome, strings.Join(v.Reasons, ", "))
		if v.Text != "" {
			row("in words", "%s", v.Text)
		}
		row("officers", "%s %s", v.Officer, v.Second)
		if !v.Until.IsZero() {
			row("holds until", "%s", v.Until.Local().Format(form))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func saidWords(s check.Step) string {
	line := ""
	if len(s.Drawn) > 0 {
		line = ", " + strings.Join(s.Drawn, " and ")
	}
	for _, name := range sortedKeys(s.Said) {
		line += fmt.Sprintf(", %s = %v", name, s.Said[name])
	}
	return line
}

func exportCheck(c *cli.Context) error {
	id, err := checkArg(c)
	if err != nil {
		return err
	}
	why := c.String("why")
	if why == "" {
		return tandem.Errorf(tandem.CodeInvalid, "say why with --why REASON: each still that is looked at is noted in the journal")
	}
	path := c.String("out")
	if path == "" {
		path = string(id) + ".zip"
	}
	return withRecords(c, toWrite, func(r records) error {
		k, err := findCheck(c, r, id)
		if err != nil {
			return err
		}
		links, err := r.Links(c.Context, k.Interaction)
		if err != nil {
			return err
		}
		s := pack.Source{
			Check: k.ID, Interaction: k.Interaction, Policy: k.Policy.Name, PolicyHash: k.Policy.Hash, PolicyText: k.Policy.Text, State: string(k.State),
			Officer: k.Officer, Begun: k.Begun, Ended: k.Ended, Links: links, Sign: r.keys.Evidence(), By: operator(), Why: why, Made: time.Now(),
			Open: func(still tandem.BlobID) (io.ReadCloser, error) {
				content, _, err := r.OpenBlob(c.Context, still, operator(), why)
				return content, err
			},
		}
		if k.Verdict != nil {
			s.Officer, s.Second = k.Verdict.Officer, k.Verdict.Second
		}
		if err := writePack(path, s); err != nil {
			return err
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, []string{path})
		}
		_, err = fmt.Fprintf(c.App.Writer, "%s\nto verify it on any machine: tandem checks verify %s --key %s\n", path, path, keyText(r.keys))
		return err
	})
}

// writePack writes a pack to a new file; one that could not be finished does not stay.
func writePack(path string, s pack.Source) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "writing the pack: %w; choose another file with -o FILE", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(path)
		}
	}()
	return pack.Write(f, s)
}

func keyText(keys *store.Keyring) string {
	return base64.StdEncoding.EncodeToString(keys.Evidence().Public().(ed25519.PublicKey))
}

func printCheckKey(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	return withRecords(c, toRead, func(r records) error {
		public := r.keys.Evidence().Public().(ed25519.PublicKey)
		if c.Bool("json") {
			return writeJSON(c.App.Writer, map[string]string{"key": keyText(r.keys), "fingerprint": pack.Fingerprint(public)})
		}
		_, err := fmt.Fprintln(c.App.Writer, keyText(r.keys))
		return err
	})
}

func verifyPack(c *cli.Context) error {
	if err := wantArgs(c, "FILE"); err != nil {
		return err
	}
	var pinned ed25519.PublicKey
	if text := c.String("key"); text != "" {
		if file, err := os.ReadFile(text); err == nil {
			text = string(file)
		}
		var err error
		if pinned, err = pack.ReadKey(text); err != nil {
			return err
		}
	}
	f, err := os.Open(c.Args().First())
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "opening the pack: %w", err)
	}
	defer f.Close()
	r, err := pack.Verify(f, pinned)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		if err := writeJSON(c.App.Writer, r); err != nil {
			return err
		}
	} else {
		writeReport(c.App.Writer, r)
	}
	if !r.OK {
		return exitStatus(exitInput)
	}
	return nil
}

func writeReport(w io.Writer, r pack.Report) {
	m := &r.Manifest
	if r.OK {
		fmt.Fprintf(w, "The pack is whole: check %s by policy %s, %s, of %s.\nInteraction: %s, with events: %d, stills: %d.\n", m.Check, printable(m.Policy), m.State,
			m.Begun.Local().Format(time.DateTime), m.Interaction, m.Events, len(m.Stills))
		fmt.Fprintf(w, "It is signed by key %s.\n", r.Key)
	} else {
		fmt.Fprintln(w, "The pack is NOT as it was written:")
	}
	for _, line := range r.Findings {
		fmt.Fprintf(w, "  %s\n", printable(line))
	}
	for _, line := range r.Notes {
		fmt.Fprintf(w, "%s\n", printable(line))
	}
}
