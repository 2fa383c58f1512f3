package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/identity"
	"tandem/store"
)

// howToName says how a customer may be named on the command line.
const howToName = "PHONE|CUSTOMER|INTERACTION"

func customersCommand() *cli.Command {
	return &cli.Command{
		Name:  "customers",
		Usage: "who customers are: what is bound to them, and how to undo it",
		Subcommands: []*cli.Command{
			{
				Name: "show", ArgsUsage: howToName, Usage: "tell one by a phone number however it is written, an id, or an interaction",
				Flags: []cli.Flag{configFlag(), jsonFlag()}, Action: showCustomer,
			},
			{
				Name: "unbind", ArgsUsage: howToName, Usage: "give a phone or chat back to whoever had it before, and undo the merge that came with it",
				Description: "Who is named by a phone number loses that number; else say which by --binding. What was merged with\n" +
					"the binding comes apart again. Levels that were proved meanwhile run out by themselves.",
				Flags: []cli.Flag{
					configFlag(), jsonFlag(),
					&cli.StringFlag{Name: "why", Usage: "`REASON` for the journal; it must not name the person"},
					&cli.IntFlag{Name: "binding", Usage: "the `N`th that customers show lists"},
					&cli.BoolFlag{Name: "yes", Usage: "do not ask"},
				},
				Action: unbindCustomer,
			},
		},
	}
}

// customerView is what is known of a person.
type customerView struct {
	Customer     tandem.CustomerID   `json:"customer"`
	Merged       []tandem.CustomerID `json:"merged,omitempty"` // into that one
	Erased       bool                `json:"erased,omitempty"`
	Bindings     []bindingView       `json:"bindings"`
	Interactions int                 `json:"interactions"`
	Open         []openView          `json:"open"`
}

// bindingView is one identity of a person, with its value masked.
type bindingView struct {
	N        int                 `json:"n"` // from 1, in the order they were bound
	Kind     tandem.IdentityKind `json:"kind"`
	Value    string              `json:"value"`
	Customer tandem.CustomerID   `json:"customer"`
	Since    time.Time           `json:"since"`
	Checked  time.Time           `json:"checked,omitzero"` // zero = a hint
	From     tandem.CustomerID   `json:"from,omitempty"`   // whose it was before
}

// openView is an interaction that has not ended.
type openView struct {
	ID      tandem.InteractionID `json:"id"`
	Number  tandem.Number        `json:"number"`
	Kinds   []tandem.LegKind     `json:"kinds"`
	Entry   string               `json:"entry"`
	Started time.Time            `json:"started"`
}

// customerArg is how the command names a customer; a number may be written in groups.
func customerArg(c *cli.Context) (string, error) {
	ref := strings.Join(c.Args().Slice(), " ")
	if ref != "" && strings.Trim(ref, "+0123456789 -()") == "" {
		return ref, nil
	}
	return ref, wantArgs(c, howToName)
}

// whose finds the customer that is named by an id, an identity or an interaction. by is
// the identity, if it was one.
func whose(c *cli.Context, r records, ref string) (id tandem.CustomerID, by *tandem.Identity, err error) {
	if tandem.ValidID(ref) {
		if all, err := r.Person(c.Context, tandem.CustomerID(ref)); err != nil || len(all) > 0 {
			return tandem.CustomerID(ref), nil, err
		}
	}
	b, known, err := bound(c, r, ref)
	if err != nil {
		return "", nil, err
	}
	story, notFound := r.Interaction(c.Context, ref)
	switch {
	case known && notFound == nil && story.Customer.ID != b.Customer:
		return "", nil, tandem.Errorf(tandem.CodeConflict, "%s is both a phone number and the number of an interaction; write the phone number with its country, such as %s…, or the interaction's id, %s",
			printable(ref), r.cfg.Identity.Country, story.Interaction.ID)
	case known:
		return b.Customer, &b.Identity, nil
	case notFound == nil:
		return story.Customer.ID, nil, nil
	case errors.Is(notFound, store.ErrNotFound) || tandem.CodeOf(notFound) == tandem.CodeInvalid:
		return "", nil, tandem.Errorf(tandem.CodeNotFound, "nobody is known by %s: nobody called or wrote from it, and it is neither a customer's id nor an interaction's number", printable(ref))
	}
	return "", nil, notFound
}

// bound finds who has an identity, a phone number however it is written.
func bound(c *cli.Context, r records, written string) (b tandem.Binding, found bool, err error) {
	kind, values := tandem.IdentityPhone, identity.Spellings(r.cfg.Identity.Country, written)
	switch {
	case strings.HasPrefix(written, "chat:"):
		kind, values = tandem.IdentityChat, []string{written}
	case strings.Contains(written, "@") && !strings.HasPrefix(written, "sip"):
		kind, values = tandem.IdentityEmail, []string{written}
	}
	var persons []tandem.CustomerID
	for _, v := range values {
		one, ok, err := r.CustomerOf(c.Context, tandem.Identity{Kind: kind, Value: v})
		if err != nil {
			return b, false, err
		}
		if !ok {
			continue
		}
		person, err := r.Person(c.Context, one.Customer)
		if err != nil {
			return b, false, err
		}
		if !found {
			b, found = one, true
		}
		if !slices.Contains(persons, person[0]) {
			persons = append(persons, person[0])
		}
	}
	if len(persons) > 1 {
		return b, false, tandem.Errorf(tandem.CodeConflict, "several customers are known by %s, written in different ways: %s; name one by its id", printable(written), joinIDs(persons))
	}
	return b, found, nil
}

func joinIDs(ids []tandem.CustomerID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, ", ")
}

func showCustomer(c *cli.Context) error {
	ref, err := customerArg(c)
	if err != nil {
		return err
	}
	return withRecords(c, toRead, func(r records) error {
		id, _, err := whose(c, r, ref)
		if err != nil {
			return err
		}
		v, _, err := lookAt(c, r, id)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, v)
		}
		return writeCustomer(c.App.Writer, v, time.Now())
	})
}

// lookAt gathers what is known of a person; bindings are as they are kept, in the order of
// the view's.
func lookAt(c *cli.Context, r records, id tandem.CustomerID) (v customerView, bindings []tandem.Binding, err error) {
	person, err := r.Person(c.Context, id)
	if err != nil {
		return v, nil, err
	}
	v = customerView{Customer: person[0], Merged: person[1:], Bindings: []bindingView{}, Open: []openView{}}
	if bindings, err = r.Identities(c.Context, id); err != nil {
		return v, nil, err
	}
	for n, b := range bindings {
		now, found, err := r.CustomerOf(c.Context, b.Identity)
		if err != nil {
			return v, nil, err
		}
		view := bindingView{N: n + 1, Kind: b.Identity.Kind, Value: masked(b.Identity), Customer: b.Customer, Since: b.Since, Checked: b.Checked}
		if found && now.From != b.Customer {
			view.From = now.From
		}
		v.Bindings = append(v.Bindings, view)
	}
	all, err := pages(c, r, store.Filter{Customer: id}, listMost)
	if err != nil {
		return v, nil, err
	}
	v.Interactions = len(all)
	for _, s := range all {
		v.Erased = v.Erased || s.Erased
		if s.Ended.IsZero() {
			v.Open = append(v.Open, openView{ID: s.ID, Number: s.Number, Kinds: s.Kinds, Entry: s.Entry, Started: s.Started})
		}
	}
	return v, bindings, nil
}

// masked hides what would tell others how to reach the person. A visitor of a page is
// known by a conversation's id, which tells nothing.
func masked(i tandem.Identity) string {
	if i.Kind == tandem.IdentityChat && strings.HasPrefix(i.Value, "chat:") {
		return i.Value
	}
	return identity.Mask(i.Value)
}

func writeCustomer(w io.Writer, v customerView, now time.Time) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "Customer %s\n", v.Customer)
	if v.Erased {
		b.WriteString("  is erased: what was known of them is gone\n")
	}
	for _, id := range v.Merged {
		fmt.Fprintf(b, "  is one person with %s, which was merged into it\n", id)
	}
	b.WriteString("\nBound\n")
	if len(v.Bindings) == 0 {
		b.WriteString("  nothing\n")
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, i := range v.Bindings {
		how := "a hint, not checked"
		if !i.Checked.IsZero() {
			how = "checked " + age(now.Sub(i.Checked))
		}
		whose := ""
		if len(v.Merged) > 0 {
			whose = "to " + string(i.Customer)
		}
		if i.From != "" {
			whose = strings.TrimSpace(whose + ", before to " + string(i.From))
			whose = strings.TrimPrefix(whose, ", ")
		}
		fmt.Fprintf(table, "  %d\t%s\t%s\tsince %s\t%s\t%s\n", i.N, i.Kind, printable(i.Value), i.Since.Local().Format(time.DateTime), how, whose)
	}
	table.Flush()
	fmt.Fprintf(b, "\nOpen, of %s\n", counted(v.Interactions, "interaction"))
	if len(v.Open) == 0 {
		b.WriteString("  none\n")
	}
	for _, o := range v.Open {
		fmt.Fprintf(table, "  %s\t%s\t%s\tbegun %s\n", o.Number, channels(o.Kinds), printable(o.Entry), age(now.Sub(o.Started)))
	}
	table.Flush()
	if len(v.Bindings) > 0 {
		fmt.Fprintf(b, "\nAll of them: tandem interactions list --customer %s\nUndo a binding: tandem customers unbind %s --binding N --why REASON\n", v.Customer, v.Customer)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// trimLines takes blanks off the ends of lines, which tables leave there.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

func unbindCustomer(c *cli.Context) error {
	ref, err := customerArg(c)
	if err != nil {
		return err
	}
	why := c.String("why")
	if why == "" {
		return tandem.Errorf(tandem.CodeInvalid, "say why with --why REASON, such as --why \"number sold to somebody else\"; it stays in the journal, so name nobody")
	}
	var id tandem.CustomerID
	var which tandem.Binding
	err = withRecords(c, toRead, func(r records) error {
		var by *tandem.Identity
		if id, by, err = whose(c, r, ref); err != nil {
			return err
		}
		v, bindings, err := lookAt(c, r, id)
		if err != nil {
			return err
		}
		n := c.Int("binding")
		if n == 0 && by != nil {
			n = 1 + slices.IndexFunc(bindings, func(b tandem.Binding) bool { return b.Identity == *by })
		}
		switch {
		case len(bindings) == 0:
			return tandem.Errorf(tandem.CodeNotFound, "nothing is bound to customer %s", v.Customer)
		case n < 1 || n > len(bindings):
			return tandem.Errorf(tandem.CodeInvalid, "say which of %s with --binding N; see them with: tandem customers show %s", counted(len(bindings), "binding"), v.Customer)
		}
		which = bindings[n-1]
		return nil
	})
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Take the %s %s away from customer %s? Type yes: ", which.Identity.Kind, printable(masked(which.Identity)), id)
	if !c.Bool("yes") && !confirmed(c, question) {
		return tandem.Errorf(tandem.CodeInvalid, "nothing was undone")
	}
	return withRecords(c, toWrite, func(r records) error {
		desk, err := r.identityDesk()
		if err != nil {
			return err
		}
		defer desk.Close()
		err = desk.Undo(c.Context, id, which.Identity, operator(), why)
		if errors.Is(err, store.ErrNotFound) {
			return tandem.Errorf(tandem.CodeConflict, "this %s is not bound to customer %s any more; see: tandem customers show %s", which.Identity.Kind, id, id)
		}
		if err != nil {
			return err
		}
		after, _, err := r.CustomerOf(c.Context, which.Identity)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, struct {
				Kind     tandem.IdentityKind `json:"kind"`
				Value    string              `json:"value"`
				From     tandem.CustomerID   `json:"from"`
				Customer tandem.CustomerID   `json:"customer,omitempty"` // who has it now
			}{which.Identity.Kind, masked(which.Identity), which.Customer, after.Customer})
		}
		to := "nobody has it now"
		if after.Customer != "" {
			to = "customer " + string(after.Customer) + " has it again"
		}
		_, err = fmt.Fprintf(c.App.Writer, "the %s %s is not bound to customer %s any more; %s\n", which.Identity.Kind, printable(masked(which.Identity)), which.Customer, to)
		return err
	})
}
