package staff

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"tandem/store"
)

const (
	tokenBytes    = 32              // of a login's token and of its CSRF token
	maxLogins     = 20              // of one user; the one longest unused goes
	seenEvery     = time.Minute     // how often a request is noted, so that reading stays reading
	maxTokenChars = 2 * tokenBytes  // more is no token of ours
	noteTime      = 5 * time.Second // to note a request
)

// Login is one browser that somebody is logged in with.
type Login struct {
	User   User
	CSRF   string // what requests that change something must carry
	Source string // where it began
	Made   time.Time
	Ends   time.Time // if nothing is asked any more

	hash []byte
}

func (l Login) actor() Actor { return Actor{Name: l.User.Name, Source: l.Source} }

// Attempt is somebody who wants in.
type Attempt struct {
	Name, Password, Code string
	Source               string // address
	Old                  string // token of the login this one replaces, if any
}

// Enter checks name, password and code and begins a login, whose token goes to the
// browser and nowhere else. A login that the browser had ends. The errors are ErrWrong,
// ErrCodeRequired, ErrBusy, or the store's.
func (r *Register) Enter(ctx context.Context, a Attempt) (token string, l Login, err error) {
	var u User
	name, nameErr := Name(a.Name)
	if nameErr == nil {
		if u, err = r.User(ctx, name); err != nil && !errors.Is(err, ErrNoUser) {
			return "", l, err
		}
	}
	fits, again, err := r.hasher.check(ctx, a.Password, u.password) // for nobody, too: it takes as long
	if err != nil {
		return "", l, err
	}
	why := ""
	switch {
	case u.no == 0:
		why = "unknown name"
	case !fits:
		why = "wrong password"
	case u.Disabled:
		why = "disabled"
	case u.TOTP && a.Code == "":
		return "", l, ErrCodeRequired
	}
	if why != "" {
		return "", l, errors.Join(ErrWrong, r.Failed(ctx, a.Source, u.Name, why))
	}
	hash := ""
	if again {
		if hash, err = r.hasher.hash(ctx, a.Password); err != nil {
			return "", l, err
		}
	}
	return r.admit(ctx, u, a, hash)
}

// admit begins the login of a user whose password fits. hash is a better one of the
// same password, or "".
func (r *Register) admit(ctx context.Context, u User, a Attempt, hash string) (token string, l Login, err error) {
	wrong := false
	err = r.db.Update(ctx, func(tx store.Tx) error {
		now, err := find(tx, u.Name)
		if err != nil {
			return err
		}
		if wrong = now.Disabled || now.password != u.password; wrong { // changed since it was checked
			return nil
		}
		detail := "password"
		if now.TOTP {
			how, err := r.takeCode(tx, now, a.Code)
			if err != nil {
				return err
			}
			if wrong = how == ""; wrong {
				return nil
			}
			detail += " and " + how
		}
		if hash != "" {
			if _, err := tx.Exec("UPDATE staff_user SET password = ? WHERE no = ?", hash, now.no); err != nil {
				return err
			}
		}
		token, l, err = r.begin(tx, now, a.Source, a.Old, detail)
		return err
	})
	if err != nil {
		return "", Login{}, fmt.Errorf("logging in: %w", err)
	}
	if wrong {
		return "", Login{}, errors.Join(ErrWrong, r.Failed(ctx, a.Source, u.Name, "wrong code"))
	}
	return token, l, nil
}

// begin makes a login within a change.
func (r *Register) begin(tx store.Tx, u User, source, old, detail string) (token string, l Login, err error) {
	token, err = r.newToken()
	if err != nil {
		return "", l, err
	}
	csrf, err := r.newToken()
	if err != nil {
		return "", l, err
	}
	now := r.now()
	if _, err := tx.Exec("DELETE FROM staff_login WHERE hash = ? OR made < ? OR seen < ?", tokenHash(old), now.Add(-r.longest), now.Add(-r.idle)); err != nil {
		return "", l, err
	}
	_, err = tx.Exec("DELETE FROM staff_login WHERE hash IN (SELECT hash FROM staff_login WHERE user = ? ORDER BY seen DESC LIMIT -1 OFFSET ?)", u.no, maxLogins-1)
	if err != nil {
		return "", l, err
	}
	l = Login{User: u, CSRF: csrf, Source: source, Made: now, Ends: r.ends(now, now), hash: tokenHash(token)}
	if _, err := tx.Exec("INSERT INTO staff_login (hash, user, csrf, source, made, seen) VALUES (?, ?, ?, ?, ?, ?)", l.hash, u.no, csrf, source, now, now); err != nil {
		return "", l, err
	}
	if _, err := tx.Exec("UPDATE staff_user SET last_login = ? WHERE no = ?", now, u.no); err != nil {
		return "", l, err
	}
	return token, l, r.record(tx, l.actor(), "login", u.Name, detail)
}

func (r *Register) ends(made, seen time.Time) time.Time {
	longest, idle := made.Add(r.longest), seen.Add(r.idle)
	if idle.Before(longest) {
		return idle
	}
	return longest
}

func (r *Register) newToken() (string, error) {
	b := make([]byte, tokenBytes)
	if _, err := io.ReadFull(r.random, b); err != nil {
		return "", fmt.Errorf("drawing a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func tokenHash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// Look returns the login that a token belongs to, with its user as they are now; it is
// asked for every request. ErrNoLogin if there is none, it has ended, or the user is
// disabled.
func (r *Register) Look(ctx context.Context, token string) (l Login, err error) {
	if token == "" || len(token) > maxTokenChars {
		return l, ErrNoLogin
	}
	l, seen, err := r.held(ctx, tokenHash(token))
	if err != nil {
		return Login{}, err
	}
	now := r.now()
	if now.Sub(seen) >= seenEvery {
		// If it cannot be noted now, the login only ends a little early.
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
		defer cancel()
		_ = r.db.Update(noting, func(tx store.Tx) error {
			_, err := tx.Exec("UPDATE staff_login SET seen = ? WHERE hash = ? AND seen < ?", now, l.hash, now)
			return err
		})
	}
	l.Ends = r.ends(l.Made, now)
	return l, nil
}

// Again returns a login that was looked at before as it is now. Unlike Look it is no
// request: the login does not go on by it. The errors are those of Look.
func (r *Register) Again(ctx context.Context, l Login) (Login, error) {
	now, seen, err := r.held(ctx, l.hash)
	if err != nil {
		return Login{}, err
	}
	now.Ends = r.ends(now.Made, seen)
	return now, nil
}

// held reads a login and when it was last seen; ErrNoLogin if it has ended.
func (r *Register) held(ctx context.Context, hash []byte) (l Login, seen time.Time, err error) {
	found := false
	l.hash = hash
	err = r.db.View(ctx, func(tx store.Tx) error {
		found, err = tx.One("SELECT "+userColumns+", l.csrf, l.source, l.made, l.seen FROM staff_login l JOIN staff_user u ON u.no = l.user WHERE l.hash = ?", func(row store.Row) {
			l.User, l.CSRF, l.Source, l.Made, seen = userRow(row), row.Text(userFields), row.Text(userFields+1), row.Time(userFields+2), row.Time(userFields+3)
		}, hash)
		return err
	})
	if err != nil {
		return Login{}, seen, fmt.Errorf("looking for a login: %w", err)
	}
	if !found || l.User.Disabled || !r.now().Before(r.ends(l.Made, seen)) {
		return Login{}, seen, ErrNoLogin
	}
	return l, seen, nil
}

// Leave ends a login.
func (r *Register) Leave(ctx context.Context, l Login) error {
	err := r.db.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec("DELETE FROM staff_login WHERE hash = ?", l.hash); err != nil {
			return err
		}
		return r.record(tx, l.actor(), "logout", l.User.Name, "")
	})
	if err != nil {
		return fmt.Errorf("logging out: %w", err)
	}
	return nil
}

// Claims is what an OIDC provider says of somebody, mapped to our words.
type Claims struct {
	Provider, Subject string
	Name, Display     string
	Roles             []Role
	Source, Old       string // as in Attempt
}

// Admit begins the login of somebody whom a provider has checked. A new one becomes a
// user, a known one gets the roles the provider gives now. ErrTaken if the name belongs
// to another user, ErrWrong if the user is disabled here.
func (r *Register) Admit(ctx context.Context, c Claims) (token string, l Login, err error) {
	by := Actor{Name: "provider " + c.Provider, Source: c.Source}
	disabled := ""
	err = r.db.Update(ctx, func(tx store.Tx) error {
		var u User
		known, err := tx.One("SELECT "+userColumns+" FROM staff_user u WHERE u.provider = ? AND u.subject = ?", func(row store.Row) { u = userRow(row) }, c.Provider, c.Subject)
		if err != nil {
			return err
		}
		if u.Disabled {
			disabled = u.Name
			return nil
		}
		if !known {
			if _, err := find(tx, c.Name); err == nil {
				return ErrTaken
			} else if !errors.Is(err, ErrNoUser) {
				return err
			}
			u = User{Name: c.Name, Display: c.Display, Roles: c.Roles, Provider: c.Provider, Created: r.now()}
			if err := r.insert(tx, by, &u, c.Subject); err != nil {
				return err
			}
		} else if err := r.follow(tx, by, &u, c); err != nil {
			return err
		}
		token, l, err = r.begin(tx, u, c.Source, c.Old, "by "+c.Provider)
		return err
	})
	if err == nil && disabled != "" {
		err = errors.Join(ErrWrong, r.Failed(ctx, c.Source, disabled, "disabled, by "+c.Provider))
	}
	if err != nil {
		return "", Login{}, fmt.Errorf("logging in by %s: %w", c.Provider, err)
	}
	return token, l, nil
}

// follow takes over what the provider says of a known user. Who loses or gains a role
// loses the other logins.
func (r *Register) follow(tx store.Tx, by Actor, u *User, c Claims) error {
	if !slices.Equal(u.Roles, c.Roles) {
		if err := r.record(tx, by, "user.roles", u.Name, joined(u.Roles)+" -> "+joined(c.Roles)); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM staff_login WHERE user = ?", u.no); err != nil {
			return err
		}
	}
	u.Roles, u.Display = c.Roles, c.Display
	_, err := tx.Exec("UPDATE staff_user SET roles = ?, display = ? WHERE no = ?", joined(u.Roles), u.Display, u.no)
	return err
}
