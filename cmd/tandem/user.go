package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/internal/config"
	"tandem/store/staff"
)

// auditMost is how many entries of the audit log are listed at most.
const auditMost = 10_000

func userCommand() *cli.Command {
	roles := &cli.StringFlag{Name: "role", Usage: "`ROLES` with commas between: designer, agent, supervisor, operator, auditor"}
	password := &cli.StringFlag{Name: "password-file", Usage: "read the password from the first line of `FILE`, - for standard input"}
	drawn := &cli.BoolFlag{Name: "draw", Usage: "make a password and print it, once"}
	return &cli.Command{
		Name:  "user",
		Usage: "who of the staff may log in: list, add, change; and the log of what they did",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "everybody, with roles", Flags: []cli.Flag{configFlag(), jsonFlag()}, Action: listUsers},
			{
				Name: "add", ArgsUsage: "NAME", Usage: "let somebody log in by a password, which they change at the first login",
				Description: "Asks for the password twice; where nobody can be asked, one is made and printed once.",
				Flags:       []cli.Flag{configFlag(), roles, &cli.StringFlag{Name: "display", Usage: "`NAME` as pages show it"}, password, drawn}, Action: addUser,
			},
			{
				Name: "set-role", ArgsUsage: "NAME", Usage: "give a user these roles and no others; their logins end",
				Flags: []cli.Flag{configFlag(), roles}, Action: setRoles,
			},
			{
				Name: "reset", ArgsUsage: "NAME", Usage: "give a user a new password and take codes away; their logins end",
				Flags: []cli.Flag{configFlag(), password, drawn}, Action: resetUser,
			},
			{Name: "disable", ArgsUsage: "NAME", Usage: "let a user in no longer; their logins end", Flags: []cli.Flag{configFlag()}, Action: disableUser(true)},
			{Name: "enable", ArgsUsage: "NAME", Usage: "let a disabled user in again", Flags: []cli.Flag{configFlag()}, Action: disableUser(false)},
			{
				Name: "audit", Usage: "what the staff did, the newest first; checks that the log is whole",
				Flags: []cli.Flag{configFlag(), jsonFlag(), &cli.IntFlag{Name: "limit", Value: 50, Usage: "at most `N`"}}, Action: auditUsers,
			},
		},
	}
}

// withStaff opens the register of the store that the configuration names, runs do and
// closes it.
func withStaff(c *cli.Context, how access, do func(*staff.Register) error) error {
	loaded, err := loadConfig(c)
	if err != nil {
		return err
	}
	return withRegister(c.Context, loaded.Config, how, c.App.ErrWriter, do)
}

func withRegister(ctx context.Context, cfg *config.Config, how access, stderr io.Writer, do func(*staff.Register) error) error {
	keys, err := loadKeys(ctx, cfg)
	if err != nil {
		return err
	}
	db, err := openStoreWith(ctx, cfg, keys, how, stderr)
	if err != nil {
		return err
	}
	register, err := staff.New(staff.Options{Database: db, Keys: keys})
	if err == nil {
		err = do(register)
	}
	return errors.Join(inWords(err), db.Close())
}

// inWords says what is wrong for who typed the command.
func inWords(err error) error {
	var weak staff.WeakError
	var key staff.KeyError
	switch {
	case errors.As(err, &key):
		return tandem.Errorf(tandem.CodeInvalid, "%s", string(key))
	case errors.As(err, &weak):
		return tandem.Errorf(tandem.CodeInvalid, "%s", string(weak))
	case errors.Is(err, staff.ErrNoUser):
		return tandem.Errorf(tandem.CodeNotFound, "%w; tandem user list shows them", err)
	case errors.Is(err, staff.ErrTaken), errors.Is(err, staff.ErrNotLocal):
		return tandem.Errorf(tandem.CodeConflict, "%w", err)
	}
	return err
}

// commandActor is who runs this program, for the audit log of staff.
func commandActor() staff.Actor { return staff.Actor{Name: operator(), Source: "command"} }

func listUsers(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	return withStaff(c, toRead, func(r *staff.Register) error {
		users, err := r.Users(c.Context)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, listed(users))
		}
		if len(users) == 0 {
			_, err := fmt.Fprintf(c.App.Writer, "nobody yet; %s\n", howToAdd(configPath(c)))
			return err
		}
		w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tROLES\tLOGS IN BY\tLAST LOGIN\t")
		for _, u := range listed(users) {
			by := "password"
			switch {
			case u.Disabled:
				by = "not at all: disabled"
			case u.Provider != "":
				by = u.Provider
			case u.TOTP:
				by = "password and code"
			}
			last := "never"
			if u.LastLogin != nil {
				last = u.LastLogin.Local().Format(time.DateTime)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", u.Name, strings.Join(u.Roles, ","), by, last)
		}
		return w.Flush()
	})
}

// listedUser is a user as scripts read it.
type listedUser struct {
	Name       string     `json:"name"`
	Display    string     `json:"display"`
	Roles      []string   `json:"roles"`
	Provider   string     `json:"provider"` // "" = a local user
	TOTP       bool       `json:"totp"`
	MustChange bool       `json:"must_change"`
	Disabled   bool       `json:"disabled"`
	LastLogin  *time.Time `json:"last_login"`
}

func listed(users []staff.User) []listedUser {
	out := []listedUser{}
	for _, u := range users {
		l := listedUser{Name: u.Name, Display: u.Display, Roles: []string{}, Provider: u.Provider, TOTP: u.TOTP, MustChange: u.MustChange, Disabled: u.Disabled}
		for _, r := range u.Roles {
			l.Roles = append(l.Roles, string(r))
		}
		if !u.LastLogin.IsZero() {
			l.LastLogin = &u.LastLogin
		}
		out = append(out, l)
	}
	return out
}

func addUser(c *cli.Context) error {
	if err := wantArgs(c, "NAME"); err != nil {
		return err
	}
	u := staff.User{Name: c.Args().First(), Display: c.String("display"), MustChange: true}
	roles, err := rolesFlag(c)
	if err != nil {
		return err
	}
	u.Roles = roles
	if u.Name, err = staff.Name(u.Name); err == nil {
		u.Display, err = staff.Display(u.Display, u.Name)
	}
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "%w", err)
	}
	return withStaff(c, toWrite, func(r *staff.Register) error {
		if _, err := r.User(c.Context, u.Name); err == nil {
			return staff.ErrTaken // before a password is asked for
		}
		typed, err := askPassword(c, u.Name)
		if err != nil {
			return err
		}
		password, err := r.Add(c.Context, commandActor(), u, typed)
		if err != nil {
			return err
		}
		return tellPassword(c.App.Writer, u.Name+" can log in", typed, password)
	})
}

func tellPassword(w io.Writer, what, typed, password string) error {
	text := what + ".\n"
	if typed == "" {
		text = fmt.Sprintf("%s. The password, which is shown this once and must be changed at the first login:\n%s\n", what, password)
	}
	_, err := io.WriteString(w, text)
	return err
}

func rolesFlag(c *cli.Context) ([]staff.Role, error) {
	if c.String("role") == "" {
		return nil, tandem.Errorf(tandem.CodeInvalid, "say with --role what the user may do: designer, agent, supervisor, operator, auditor, or several with commas between")
	}
	roles, err := staff.ParseRoles(strings.Split(c.String("role"), ","))
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid, "--role: %w", err)
	}
	return roles, nil
}

// passwordBytes is how much of a password's file is read.
const passwordBytes = 4096

// askPassword takes a password from the file that is named, or asks who types. Where
// neither can be had it is "", and one is drawn.
func askPassword(c *cli.Context, name string) (string, error) {
	if path := c.String("password-file"); path != "" {
		in := c.App.Reader
		if path != "-" {
			f, err := os.Open(path)
			if err != nil {
				return "", tandem.Errorf(tandem.CodeInvalid, "reading the password: %w", err)
			}
			defer f.Close()
			in = f
		}
		data, err := io.ReadAll(io.LimitReader(in, passwordBytes))
		if err != nil {
			return "", tandem.Errorf(tandem.CodeInvalid, "reading the password: %w", err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		line = strings.TrimRight(line, "\r")
		if line == "" {
			return "", tandem.Errorf(tandem.CodeInvalid, "the first line of %s is empty", path)
		}
		return line, nil
	}
	in, ok := c.App.Reader.(*os.File)
	if c.Bool("draw") || !ok || !canHide(in) {
		return "", nil
	}
	first, err := readHidden(in, c.App.ErrWriter, "Password for "+name+": ")
	if err != nil {
		return "", err
	}
	if err := staff.CheckPassword(first, name); err != nil {
		return "", err
	}
	second, err := readHidden(in, c.App.ErrWriter, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", tandem.Errorf(tandem.CodeInvalid, "these were two different passwords; nothing is changed")
	}
	return first, nil
}

func setRoles(c *cli.Context) error {
	if err := wantArgs(c, "NAME"); err != nil {
		return err
	}
	roles, err := rolesFlag(c)
	if err != nil {
		return err
	}
	return changeUser(c, staff.Change{Roles: roles})
}

func disableUser(disabled bool) cli.ActionFunc {
	return func(c *cli.Context) error {
		if err := wantArgs(c, "NAME"); err != nil {
			return err
		}
		return changeUser(c, staff.Change{Disabled: &disabled})
	}
}

func changeUser(c *cli.Context, change staff.Change) error {
	name := strings.ToLower(c.Args().First())
	return withStaff(c, toWrite, func(r *staff.Register) error {
		if err := r.Change(c.Context, commandActor(), name, change); err != nil {
			return err
		}
		u, err := r.User(c.Context, name)
		if err != nil {
			return err
		}
		now := "may log in"
		if u.Disabled {
			now = "may not log in"
		}
		_, err = fmt.Fprintf(c.App.Writer, "%s %s; roles: %s\n", u.Name, now, strings.Join(listed([]staff.User{u})[0].Roles, ", "))
		return err
	})
}

func resetUser(c *cli.Context) error {
	if err := wantArgs(c, "NAME"); err != nil {
		return err
	}
	name := strings.ToLower(c.Args().First())
	return withStaff(c, toWrite, func(r *staff.Register) error {
		u, err := r.User(c.Context, name)
		if err != nil {
			return err
		}
		if u.Provider != "" {
			return staff.ErrNotLocal
		}
		typed, err := askPassword(c, name)
		if err != nil {
			return err
		}
		password, err := r.Reset(c.Context, commandActor(), name, typed, true)
		if err != nil {
			return err
		}
		return tellPassword(c.App.Writer, name+" has a new password and no codes", typed, password)
	})
}

// auditReport is the audit log as scripts read it.
type auditReport struct {
	Verified bool          `json:"verified"`
	Finding  string        `json:"finding,omitempty"`
	Total    int64         `json:"total"`
	Entries  []staff.Entry `json:"entries"`
}

func auditUsers(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	limit := c.Int("limit")
	if limit < 1 || limit > auditMost {
		return tandem.Errorf(tandem.CodeInvalid, "--limit goes from 1 to %d", auditMost)
	}
	var report auditReport
	err := withStaff(c, toRead, func(r *staff.Register) (err error) {
		if report.Total, report.Finding, err = r.Verify(c.Context); err != nil {
			return err
		}
		report.Entries, err = newest(c.Context, r, limit)
		return err
	})
	if err != nil {
		return err
	}
	report.Verified = report.Finding == ""
	if c.Bool("json") {
		err = writeJSON(c.App.Writer, report)
	} else {
		err = printAudit(c.App.Writer, report)
	}
	if err == nil && !report.Verified {
		err = exitStatus(exitInput)
	}
	return err
}

// newest reads the last entries, a page at a time.
func newest(ctx context.Context, r *staff.Register, limit int) ([]staff.Entry, error) {
	out := []staff.Entry{}
	before := int64(0)
	for len(out) < limit {
		page, err := r.Entries(ctx, before, limit-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) == 0 || page[len(page)-1].N == 1 {
			break
		}
		before = page[len(page)-1].N
	}
	return out, nil
}

func printAudit(to io.Writer, report auditReport) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, e := range report.Entries {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t\n", e.N, e.At.Local().Format(time.DateTime), printable(e.Actor), printable(e.Action),
			printable(e.Object), printable(e.Detail), printable(e.Source))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	last := plural(int(report.Total), "the one entry stands as it was written", "all %d entries stand as they were written")
	if report.Finding != "" {
		last = "NOT WHOLE: " + report.Finding
	}
	_, err := fmt.Fprintln(to, last)
	return err
}

// howToAdd is how the first user is made.
func howToAdd(configFile string) string {
	text := "make the first with: tandem user add NAME --role designer,operator"
	if configFile != "" {
		text += " --config " + configFile
	}
	return text
}

// tellFirstUser says how to make a user where there is none yet: nobody has a default
// password, so nobody can log in.
func tellFirstUser(ctx context.Context, r *staff.Register, loaded *config.Loaded, to io.Writer, staffURL string) error {
	users, err := r.Users(ctx)
	if err != nil || len(users) > 0 || loaded.Log.Format == "json" {
		return err
	}
	_, err = fmt.Fprintf(to, "Nobody can log in at %s yet; %s\n", staffURL, howToAdd(loaded.File))
	return err
}

// demoUsers are those of the demo, with passwords that are made at each start.
func demoUsers(ctx context.Context, r *staff.Register) (passwords map[string]string, err error) {
	by := staff.Actor{Name: "demo", Source: "command"}
	passwords = map[string]string{}
	for _, u := range []staff.User{
		{Name: "designer", Display: "Dana Designer", Roles: []staff.Role{staff.Designer}},
		{Name: "operator", Display: "Oscar Operator", Roles: []staff.Role{staff.Operator}},
		{Name: "anna", Display: "Anna", Roles: []staff.Role{staff.Agent}},
		{Name: "bo", Display: "Bo", Roles: []staff.Role{staff.Agent}},
		{Name: "sam", Display: "Sam Supervisor", Roles: []staff.Role{staff.Supervisor}},
	} {
		password, err := r.Add(ctx, by, u, "")
		if errors.Is(err, staff.ErrTaken) {
			password, err = r.Reset(ctx, by, u.Name, "", false)
		}
		if err != nil {
			return nil, err
		}
		passwords[u.Name] = password
	}
	return passwords, nil
}
