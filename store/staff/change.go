package staff

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tandem/store"
)

// Add makes a local user of u's name, names to show, roles and MustChange: a password
// that somebody else has seen must be changed at the first login. Without a password one
// is drawn. It returns the password, which is told once and stored nowhere. The errors
// are ErrTaken, a WeakError, or the store's.
func (r *Register) Add(ctx context.Context, by Actor, u User, password string) (string, error) {
	var err error
	if u.Name, err = Name(u.Name); err != nil {
		return "", err
	}
	if u.Display, err = Display(u.Display, u.Name); err != nil {
		return "", err
	}
	password, hash, err := r.newPassword(ctx, password, u.Name)
	if err != nil {
		return "", err
	}
	u.Provider, u.password, u.Created = "", hash, r.now()
	err = r.db.Update(ctx, func(tx store.Tx) error {
		if _, err := find(tx, u.Name); err == nil {
			return ErrTaken
		} else if !errors.Is(err, ErrNoUser) {
			return err
		}
		return r.insert(tx, by, &u, "")
	})
	if err != nil {
		return "", fmt.Errorf("adding user %s: %w", u.Name, err)
	}
	return password, nil
}

// newPassword checks a password, or draws one, and hashes it.
func (r *Register) newPassword(ctx context.Context, password, name string) (plain, hash string, err error) {
	if password == "" {
		if password, err = draw(r.random, drawnChars); err != nil {
			return "", "", err
		}
	} else if err := CheckPassword(password, name); err != nil {
		return "", "", err
	}
	hash, err = r.hasher.hash(ctx, password)
	return password, hash, err
}

// drawnChars is the length of a password made here: 100 bits.
const drawnChars = 20

func (r *Register) insert(tx store.Tx, by Actor, u *User, subject string) (err error) {
	u.no, err = tx.Insert(`INSERT INTO staff_user (name, display, roles, lang, provider, subject, password, must_change, created) VALUES (?, ?, ?, '', ?, ?, ?, ?, ?)`,
		u.Name, u.Display, joined(u.Roles), u.Provider, subject, u.password, u.MustChange, u.Created)
	if err != nil {
		return err
	}
	return r.record(tx, by, "user.add", u.Name, joined(u.Roles))
}

// Change is what to do to a user; nil leaves as it is.
type Change struct {
	Roles    []Role
	Disabled *bool
}

// Change changes a user's roles or lets them in no longer. Their logins end.
func (r *Register) Change(ctx context.Context, by Actor, name string, c Change) error {
	err := r.db.Update(ctx, func(tx store.Tx) error {
		u, err := find(tx, name)
		if err != nil {
			return err
		}
		changed := false
		if c.Roles != nil && !slices.Equal(c.Roles, u.Roles) {
			changed = true
			if err := r.record(tx, by, "user.roles", u.Name, joined(u.Roles)+" -> "+joined(c.Roles)); err != nil {
				return err
			}
			u.Roles = c.Roles
		}
		if c.Disabled != nil && *c.Disabled != u.Disabled {
			changed = true
			action := "user.enable"
			if *c.Disabled {
				action = "user.disable"
			}
			if err := r.record(tx, by, action, u.Name, ""); err != nil {
				return err
			}
			u.Disabled = *c.Disabled
		}
		if !changed {
			return nil
		}
		if _, err := tx.Exec("UPDATE staff_user SET roles = ?, disabled = ? WHERE no = ?", joined(u.Roles), u.Disabled, u.no); err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM staff_login WHERE user = ?", u.no)
		return err
	})
	if err != nil {
		return fmt.Errorf("changing user %s: %w", name, err)
	}
	return nil
}

// Reset gives a local user a new password, drawn if password is "", with mustChange as
// in Add; codes are removed and every login ends. It returns the password.
func (r *Register) Reset(ctx context.Context, by Actor, name, password string, mustChange bool) (string, error) {
	password, hash, err := r.newPassword(ctx, password, name)
	if err != nil {
		return "", err
	}
	err = r.db.Update(ctx, func(tx store.Tx) error {
		u, err := find(tx, name)
		if err != nil {
			return err
		}
		if u.Provider != "" {
			return ErrNotLocal
		}
		if _, err := tx.Exec("UPDATE staff_user SET password = ?, must_change = ? WHERE no = ?", hash, mustChange, u.no); err != nil {
			return err
		}
		if err := dropTOTP(tx, u.no); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM staff_login WHERE user = ?", u.no); err != nil {
			return err
		}
		detail := "new password"
		if u.TOTP {
			detail += ", codes removed"
		}
		return r.record(tx, by, "user.reset", u.Name, detail)
	})
	if err != nil {
		return "", fmt.Errorf("resetting user %s: %w", name, err)
	}
	return password, nil
}

// SetPassword changes the password of who is logged in. Every other login of theirs
// ends; this one goes on under a new token. The errors are ErrWrong if old does not fit,
// ErrNotLocal, a WeakError, ErrBusy or the store's.
func (r *Register) SetPassword(ctx context.Context, l Login, old, password string) (token string, err error) {
	u, err := r.User(ctx, l.User.Name)
	if err != nil {
		return "", err
	}
	if u.Provider != "" {
		return "", ErrNotLocal
	}
	fits, _, err := r.hasher.check(ctx, old, u.password)
	if err != nil {
		return "", err
	}
	if !fits {
		return "", errors.Join(ErrWrong, r.Record(ctx, l.actor(), "password.failed", u.Name, ""))
	}
	if old == password {
		return "", WeakError("The new password is the old one.")
	}
	if password == "" {
		return "", WeakError("The new password is empty.")
	}
	_, hash, err := r.newPassword(ctx, password, u.Name)
	if err != nil {
		return "", err
	}
	if token, err = r.newToken(); err != nil {
		return "", err
	}
	err = r.db.Update(ctx, func(tx store.Tx) error {
		n, err := tx.Exec("UPDATE staff_user SET password = ?, must_change = 0 WHERE no = ? AND password = ?", hash, u.no, u.password)
		if err != nil {
			return err
		}
		if n == 0 { // somebody else changed it meanwhile
			return ErrWrong
		}
		if _, err := tx.Exec("DELETE FROM staff_login WHERE user = ? AND hash <> ?", u.no, l.hash); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE staff_login SET hash = ? WHERE hash = ?", tokenHash(token), l.hash); err != nil {
			return err
		}
		return r.record(tx, l.actor(), "password.change", u.Name, "")
	})
	if err != nil {
		return "", fmt.Errorf("changing the password: %w", err)
	}
	return token, nil
}

// SetLang says which language the pages have for who is logged in; "" = the browser's.
func (r *Register) SetLang(ctx context.Context, l Login, lang string) error {
	if len(lang) > maxLang {
		return errors.New("the language's tag is too long")
	}
	err := r.db.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec("UPDATE staff_user SET lang = ? WHERE no = ?", lang, l.User.no)
		return err
	})
	if err != nil {
		return fmt.Errorf("changing the language: %w", err)
	}
	return nil
}
