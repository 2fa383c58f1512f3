package app

import (
	"fmt"

	"tandem/store"
	"tandem/store/staff"
	"tandem/web/login"
)

// makeStaff makes what staff log in with. keys are the store's.
func (a *App) makeStaff(keys *store.Keyring) (err error) {
	a.staff, err = staff.New(staff.Options{Database: a.store, Keys: keys, Idle: a.cfg.Staff.LoginIdle, Longest: a.cfg.Staff.LoginMax, Now: a.now, Random: a.random})
	if err != nil {
		return fmt.Errorf("opening the register of staff: %w", err)
	}
	o := login.Options{Register: a.staff, URL: a.cfg.HTTP.StaffAddress(), SecondPerson: a.cfg.Studio.SecondPerson, Providers: a.providers(),
		Log: a.log, Now: a.now, Proxies: a.proxies}
	for _, role := range a.cfg.Staff.TOTP {
		o.Codes = append(o.Codes, staff.Role(role))
	}
	a.login, err = login.New(o)
	return err
}

// Staff is the register of who works here.
func (a *App) Staff() *staff.Register { return a.staff }
