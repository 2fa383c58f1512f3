package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/store/staff"
)

func keyCommand() *cli.Command {
	return &cli.Command{
		Name:  "key",
		Usage: "let programs use the API: list, add, revoke",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "all keys, the newest first; never what they are", Flags: []cli.Flag{configFlag(), jsonFlag()}, Action: listKeys},
			{
				Name: "add", ArgsUsage: "[NAME]", Usage: "make a key and print it, once",
				Description: "The key alone goes to standard output, what it opens to standard error. Without NAME a key of an agent is named after the agent.",
				Flags: []cli.Flag{
					configFlag(), jsonFlag(),
					&cli.StringFlag{Name: "scope", Usage: "`SCOPES` with commas between: " + strings.Join(scopeNames(staff.Scopes()), ", ")},
					&cli.StringFlag{Name: "agent", Usage: "the `USER` it acts as, with the scope agent"},
					&cli.DurationFlag{Name: "for", Usage: "how `LONG` it holds, such as 720h; a year if not given"},
				},
				Action: addKey,
			},
			{Name: "revoke", ArgsUsage: "NAME", Usage: "end a key at once, by its name or id", Flags: []cli.Flag{configFlag()}, Action: revokeKey},
		},
	}
}

func scopeNames(scopes []staff.Scope) []string {
	names := []string{}
	for _, s := range scopes {
		names = append(names, string(s))
	}
	return names
}

// listedKey is a key as scripts read it.
type listedKey struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	Agent   string    `json:"agent,omitempty"`
	By      string    `json:"by"`
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires"`
	Used    time.Time `json:"used,omitzero"`
	Revoked time.Time `json:"revoked,omitzero"`
	Key     string    `json:"key,omitempty"` // of one that was just made
}

func listKey(k staff.Key) listedKey {
	return listedKey{ID: k.ID, Name: k.Name, Scopes: scopeNames(k.Scopes), Agent: k.Agent, By: k.By, Made: k.Made, Expires: k.Expires, Used: k.Used, Revoked: k.Revoked}
}

func listKeys(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	return withStaff(c, toRead, func(r *staff.Register) error {
		keys, err := r.Keys(c.Context)
		if err != nil {
			return err
		}
		out := []listedKey{}
		for _, k := range keys {
			out = append(out, listKey(k))
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, out)
		}
		if len(out) == 0 {
			_, err := fmt.Fprintln(c.App.Writer, "no keys; make one with: tandem key add NAME --scope line:read")
			return err
		}
		now := time.Now()
		w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tSCOPES\tACTS AS\tMADE BY\tHOLDS\tLAST USED\tID\t")
		for _, k := range out {
			holds := "until " + k.Expires.Local().Format(time.DateOnly)
			switch {
			case !k.Revoked.IsZero():
				holds = "no more: revoked"
			case !now.Before(k.Expires):
				holds = "no more: over"
			}
			used := "never"
			if !k.Used.IsZero() {
				used = age(now.Sub(k.Used))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", k.Name, strings.Join(k.Scopes, ","), k.Agent, printable(k.By), holds, used, k.ID)
		}
		return w.Flush()
	})
}

func addKey(c *cli.Context) error {
	if c.NArg() > 1 {
		return wantArgs(c, "NAME")
	}
	k := staff.Key{Name: c.Args().First(), Agent: strings.ToLower(c.String("agent"))}
	for name := range strings.SplitSeq(c.String("scope"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			k.Scopes = append(k.Scopes, staff.Scope(name))
		}
	}
	switch life := c.Duration("for"); {
	case life < 0:
		return tandem.Errorf(tandem.CodeInvalid, "--for is a length of time, such as 720h")
	case life > 0:
		k.Expires = time.Now().Add(life)
	}
	if k.Name == "" {
		if k.Agent == "" {
			return tandem.Errorf(tandem.CodeInvalid, "say what the key is for: tandem key add NAME --scope SCOPES")
		}
		var b [4]byte
		if _, err := rand.Read(b[:]); err != nil {
			return err
		}
		k.Name = k.Agent + "-" + hex.EncodeToString(b[:])
	}
	return withStaff(c, toWrite, func(r *staff.Register) error {
		token, k, err := r.MakeKey(c.Context, commandActor(), k)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			made := listKey(k)
			made.Key = token
			return writeJSON(c.App.Writer, made)
		}
		as := ""
		if k.Agent != "" {
			as = ", acts as " + k.Agent
		}
		fmt.Fprintf(c.App.ErrWriter, "The key %s, which is shown this once; it opens %s%s, until %s:\n", k.Name, strings.Join(scopeNames(k.Scopes), ", "), as,
			k.Expires.Local().Format(time.DateOnly))
		_, err = fmt.Fprintln(c.App.Writer, token)
		return err
	})
}

func revokeKey(c *cli.Context) error {
	if err := wantArgs(c, "NAME"); err != nil {
		return err
	}
	ref := strings.ToLower(c.Args().First())
	return withStaff(c, toWrite, func(r *staff.Register) error {
		keys, err := r.Keys(c.Context)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(keys, func(k staff.Key) bool { return k.Revoked.IsZero() && (k.Name == ref || k.ID == ref) })
		if i < 0 {
			return tandem.Errorf(tandem.CodeNotFound, "%w with the name %s, or it is revoked; tandem key list shows them", staff.ErrNoKey, printable(ref))
		}
		if err := r.RevokeKey(c.Context, commandActor(), keys[i].ID); err != nil && !errors.Is(err, staff.ErrNoKey) {
			return err
		}
		_, err = fmt.Fprintf(c.App.Writer, "%s opens nothing any more\n", keys[i].Name)
		return err
	})
}
