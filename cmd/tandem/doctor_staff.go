package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"tandem/store/staff"
)

// checkStaff looks at who can log in, and how well they prove who they are.
func checkStaff(ctx context.Context, p *patient) []finding {
	const name = "staff"
	var all []finding
	if !p.HTTP.LocalOnly() && p.HTTP.StaffURL == "" {
		all = append(all, finding{name, warn, p.HTTP.StaffListen + " is open to the network, but answers to this machine's own addresses only",
			"say in http.staff_url how staff reach it, https://HOST of the proxy in front"})
	}
	if _, err := os.Stat(string(p.Store.Path)); err != nil {
		return all // it is made at the first start
	}
	var users []staff.User
	var wrong string
	var quiet strings.Builder
	err := withRegister(ctx, p.Config, toRead, &quiet, func(r *staff.Register) (err error) {
		if users, err = r.Users(ctx); err == nil {
			_, wrong, err = r.Verify(ctx)
		}
		return err
	})
	if err != nil {
		return all // the store's own finding says why
	}
	if wrong != "" {
		all = append(all, finding{name, fail, wrong, "somebody has changed the database by hand: compare it with a copy"})
	}
	users = slices.DeleteFunc(users, func(u staff.User) bool { return u.Disabled })
	if len(users) == 0 && len(p.Staff.OIDC) == 0 {
		return append(all, finding{name, warn, "nobody can log in", howToAdd(p.File)})
	}
	var bare []string
	for _, u := range users {
		if u.Provider == "" && !u.TOTP && u.Is(staff.Operator) {
			bare = append(bare, u.Name)
		}
	}
	if len(bare) > 0 {
		all = append(all, finding{name, warn, "a password alone makes an operator of " + strings.Join(bare, ", "),
			"let them set up codes in the studio, and ask it of the role: staff.totp: [operator]"})
	}
	return append(all, finding{name, ok, fmt.Sprintf("%s can log in", counted(len(users), "user")), ""})
}
