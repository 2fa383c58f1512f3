package staff

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"tandem/store"
)

// TOTP as every authenticator takes it: RFC 6238 with SHA-1, six digits, 30 s.
const (
	totpStep   = 30 * time.Second
	totpSecret = 20 // bytes, RFC 4226 section 4
	totpIssuer = "Tandem"

	recoveryCodes = 10
	recoveryChars = 15 // 75 bits
)

// BeginTOTP draws a secret and returns it as an otpauth: address, to be shown to the
// user once. It comes into use with ConfirmTOTP.
func (r *Register) BeginTOTP(ctx context.Context, l Login) (uri string, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: totpIssuer, AccountName: l.User.Name, SecretSize: totpSecret, Rand: r.random})
	if err != nil {
		return "", fmt.Errorf("drawing a secret for codes: %w", err)
	}
	sealed, err := r.keys.System().Seal(r.random, []byte(key.Secret()), totpPlace(l.User.no))
	if err != nil {
		return "", err
	}
	err = r.db.Update(ctx, func(tx store.Tx) error {
		u, err := find(tx, l.User.Name)
		switch {
		case err != nil:
			return err
		case u.Provider != "":
			return ErrNotLocal
		case u.TOTP:
			return ErrHasTOTP
		}
		_, err = tx.Exec("UPDATE staff_user SET totp_next = ? WHERE no = ?", sealed, u.no)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("setting up codes: %w", err)
	}
	return key.URL(), nil
}

// ConfirmTOTP takes the secret into use once a code shows that the user has it, and
// returns the recovery codes, to be shown once. ErrWrong if the code does not fit.
func (r *Register) ConfirmTOTP(ctx context.Context, l Login, code string) (recovery []string, err error) {
	for range recoveryCodes {
		c, err := draw(r.random, recoveryChars)
		if err != nil {
			return nil, err
		}
		recovery = append(recovery, c)
	}
	wrong := false
	err = r.db.Update(ctx, func(tx store.Tx) error {
		u, err := find(tx, l.User.Name)
		switch {
		case err != nil:
			return err
		case u.TOTP:
			return ErrHasTOTP
		case u.next == nil:
			return ErrWrong
		}
		step, err := r.step(u.no, u.next, code)
		if err != nil {
			return err
		}
		if wrong = step == 0; wrong {
			return r.record(tx, l.actor(), "totp.failed", u.Name, "")
		}
		if _, err := tx.Exec("UPDATE staff_user SET totp = totp_next, totp_next = NULL, totp_step = ? WHERE no = ?", step, u.no); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM staff_recovery WHERE user = ?", u.no); err != nil {
			return err
		}
		for _, c := range recovery {
			if _, err := tx.Exec("INSERT INTO staff_recovery (user, hash) VALUES (?, ?)", u.no, r.recoveryHash(u.no, c)); err != nil {
				return err
			}
		}
		return r.record(tx, l.actor(), "totp.add", u.Name, "")
	})
	if err == nil && wrong {
		err = ErrWrong
	}
	if err != nil {
		return nil, fmt.Errorf("setting up codes: %w", err)
	}
	return recovery, nil
}

// RemoveTOTP goes back to a password alone; code is one that would log in.
func (r *Register) RemoveTOTP(ctx context.Context, l Login, code string) error {
	wrong := false
	err := r.db.Update(ctx, func(tx store.Tx) error {
		u, err := find(tx, l.User.Name)
		if err != nil {
			return err
		}
		if !u.TOTP {
			return ErrWrong
		}
		how, err := r.takeCode(tx, u, code)
		if err != nil {
			return err
		}
		if wrong = how == ""; wrong {
			return r.record(tx, l.actor(), "totp.failed", u.Name, "")
		}
		if err := dropTOTP(tx, u.no); err != nil {
			return err
		}
		return r.record(tx, l.actor(), "totp.remove", u.Name, "by "+how)
	})
	if err == nil && wrong {
		err = ErrWrong
	}
	if err != nil {
		return fmt.Errorf("removing codes: %w", err)
	}
	return nil
}

// dropTOTP removes a user's secret and recovery codes. The step stays: a code that was
// taken is never taken again.
func dropTOTP(tx store.Tx, no int64) error {
	if _, err := tx.Exec("UPDATE staff_user SET totp = NULL, totp_next = NULL WHERE no = ?", no); err != nil {
		return err
	}
	_, err := tx.Exec("DELETE FROM staff_recovery WHERE user = ?", no)
	return err
}

// takeCode checks a code and uses it up. how says which kind it was, "" if it fits not.
func (r *Register) takeCode(tx store.Tx, u User, code string) (how string, err error) {
	step, err := r.step(u.no, u.totp, code)
	if err != nil {
		return "", err
	}
	if step > u.step {
		_, err := tx.Exec("UPDATE staff_user SET totp_step = ? WHERE no = ?", step, u.no)
		return "code", err
	}
	used, err := tx.Exec("DELETE FROM staff_recovery WHERE user = ? AND hash = ?", u.no, r.recoveryHash(u.no, code))
	if err != nil || used == 0 {
		return "", err
	}
	return "recovery code", nil
}

// step finds the time step of a code: the one now, the one before or the one after,
// since clocks differ. 0 = the code fits none.
func (r *Register) step(no int64, sealed []byte, code string) (int64, error) {
	secret, err := r.keys.System().Open(sealed, totpPlace(no))
	if err != nil {
		return 0, fmt.Errorf("the secret for codes: %w", err)
	}
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	now := r.now().Unix() / int64(totpStep/time.Second)
	fits := int64(0)
	for step := now - 1; step <= now+1; step++ {
		want, err := hotp.GenerateCodeCustom(string(secret), uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, fmt.Errorf("computing a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			fits = step
		}
	}
	return fits, nil
}

func totpPlace(no int64) []byte { return fmt.Appendf(nil, "staff totp %d", no) }

func (r *Register) recoveryHash(no int64, code string) []byte {
	code = strings.ToLower(strings.Join(strings.FieldsFunc(code, func(c rune) bool { return c == '-' || c == ' ' }), ""))
	return r.keys.Blind("staff recovery", fmt.Sprintf("%d %s", no, code))
}
