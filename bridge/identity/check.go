package identity

import (
	"context"
	"crypto/hmac"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

// CheckID names a code that was sent. It is no secret, and worth nothing without the
// code; what it was sent for stands in it.
type CheckID string

// For reports whether the code was sent for a purpose.
func (id CheckID) For(why string) bool {
	purpose, _, ok := strings.Cut(string(id), "-")
	return ok && purpose == why
}

// Refused says which limit refused a code. Rule is from a closed list, for metrics:
// number, visitor, address.
type Refused struct {
	Rule string
}

func (r *Refused) Error() string {
	return "too many codes were asked for (" + r.Rule + "): try again later"
}

// SendCode sends a one-time code to an identity, for a purpose (small letters), within
// the limits. The error is *Refused, or says why nothing is sent there. w needs no
// interaction; its Channel, Conversation or Caller, and Address are what is counted.
func (d *Desk) SendCode(ctx context.Context, why string, w Who, to tandem.Identity) (CheckID, error) {
	if to.Kind == tandem.IdentityPhone {
		n, ok := phone(d.o.Country, to.Value)
		if !ok {
			return "", tandem.Errorf(tandem.CodeInvalid, "no code can be sent to this number: give a mobile number with its country's prefix")
		}
		to.Value = n
	}
	if to.Kind != tandem.IdentityPhone && (to.Kind != tandem.IdentityEmail || !d.o.Mail) {
		return "", tandem.Errorf(tandem.CodeInvalid, "no code can be sent to a %s", to.Kind)
	}
	id, code, _, err := d.issue(ctx, why, w, to.Value, false)
	if err != nil {
		return "", err
	}
	return id, d.deliver(ctx, w, id, code, to, why)
}

// CheckCode holds what was typed against a code that was sent. A right one is used up;
// left is how many tries there still are. A code that is unknown, used, worn out or
// older than 5 minutes is not ok and has none left.
func (d *Desk) CheckCode(ctx context.Context, id CheckID, typed string) (ok bool, left int, err error) {
	ok, left, _, err = d.check(ctx, id, typed, nil)
	return ok, left, err
}

// issue makes a code for somebody and counts it. With hide the limits of the receiver
// make no difference that can be seen: the code is made all the same, and full says that
// it may not be sent.
func (d *Desk) issue(ctx context.Context, why string, w Who, to string, hide bool) (id CheckID, code string, full bool, err error) {
	var raw [16]byte
	if _, err := io.ReadFull(d.o.Random, raw[:]); err != nil {
		return "", "", false, fmt.Errorf("making a code: %w", err)
	}
	if code, err = newCode(d.o.Random); err != nil {
		return "", "", false, err
	}
	id = CheckID(why + "-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:])))
	now := d.o.Now()
	mine, theirs := d.codes(w), d.codesTo(to)
	err = d.o.Records.Update(ctx, func(tx store.Tx) error {
		l, err := reached(tx, now, mine)
		if err != nil {
			return err
		}
		if l != nil {
			return &Refused{l.rule}
		}
		if l, err = reached(tx, now, theirs); err != nil {
			return err
		}
		full = l != nil
		if full && !hide {
			return &Refused{l.rule}
		}
		counted := mine
		if !full {
			counted = append(mine[:len(mine):len(mine)], theirs...)
		}
		if err := count(tx, now, counted); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM check_code WHERE expires <= ?", now); err != nil {
			return err
		}
		_, err = tx.Exec("INSERT INTO check_code (id, hash, purpose, who, expires, tries) VALUES (?, ?, ?, ?, ?, 0)",
			string(id), d.hash(id, code), why, d.o.Blind("code number", to), now.Add(codeLife))
		return err
	})
	if err != nil {
		return "", "", false, fmt.Errorf("making a code: %w", err)
	}
	return id, code, full, nil
}

// newCode draws six digits, all equally likely.
func newCode(random io.Reader) (string, error) {
	const all = 1_000_000
	const fair = (1 << 32) / all * all // above it the low codes would be likelier
	for {
		var b [4]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("making a code: %w", err)
		}
		if n := uint64(binary.BigEndian.Uint32(b[:])); n < fair {
			return fmt.Sprintf("%06d", n%all), nil
		}
	}
}

// hash is what is kept of a code: without the store's key nobody can try all of them.
func (d *Desk) hash(id CheckID, code string) []byte {
	return d.o.Blind("one-time code", string(id)+" "+code)
}

// deliver has a code sent and notes that, masked.
func (d *Desk) deliver(ctx context.Context, w Who, id CheckID, code string, to tandem.Identity, why string) error {
	l := text(w.Lang, code)
	l.Key = "code:" + string(id)
	if err := d.o.Send(ctx, w, to, l); err != nil {
		return err
	}
	if w.Interaction == "" {
		return nil
	}
	by := "sms"
	if to.Kind == tandem.IdentityEmail {
		by = "mail"
	}
	if err := d.o.Promise(ctx, w, tandem.EventCodeSent, tandem.CodeSent{To: Mask(to.Value), By: by, Why: why}); err != nil {
		return fmt.Errorf("noting that a code was sent: %w", err)
	}
	return nil
}

// check holds an entry against a code. A wrong one counts against the code and against
// every limit; over says that one of those is reached, before or by this try. What was
// entered then is not looked at.
func (d *Desk) check(ctx context.Context, id CheckID, typed string, limits []limit) (ok bool, left int, over bool, err error) {
	typed, form := digits(typed, codeDigits)
	now := d.o.Now()
	err = d.o.Records.Update(ctx, func(tx store.Tx) error {
		ok, left, over = false, 0, false
		l, err := reached(tx, now, limits)
		if over = l != nil; err != nil || over {
			return err
		}
		var hash []byte
		var expires time.Time
		var tries int64
		found, err := tx.One("SELECT hash, expires, tries FROM check_code WHERE id = ?", func(r store.Row) {
			hash, expires, tries = r.Bytes(0), r.Time(1), r.Int(2)
		}, string(id))
		if err != nil {
			return err
		}
		good := found && now.Before(expires) && tries < wrongPerTalk
		if good && form {
			ok = hmac.Equal(hash, d.hash(id, typed))
		}
		switch {
		case ok:
			_, err = tx.Exec("DELETE FROM check_code WHERE id = ?", string(id))
			return err
		case good && !form: // no try: nothing was learnt
			left = wrongPerTalk - int(tries)
			return nil
		case good:
			left = wrongPerTalk - int(tries) - 1
			if _, err := tx.Exec("UPDATE check_code SET tries = tries + 1 WHERE id = ?", string(id)); err != nil {
				return err
			}
		}
		if len(limits) == 0 {
			return nil
		}
		if err := count(tx, now, limits); err != nil {
			return err
		}
		l, err = reached(tx, now, limits)
		over = l != nil
		return err
	})
	if err != nil {
		return false, 0, false, fmt.Errorf("checking a code: %w", err)
	}
	return ok, left, over, nil
}

// limited finds the limit in an error.
func limited(err error) bool {
	var r *Refused
	return errors.As(err, &r)
}

// ErrNowhere: nothing that a code could be sent to is known to be the customer's.
var ErrNowhere = errors.New("nothing that was proved to be the customer's takes codes")

// SendKnown sends a one-time code, for a purpose (small letters), to what was proved to be
// the customer's: the number at hand first. to is where it went, masked. The error is
// ErrNowhere, *Refused, or says why nothing can be sent.
func (d *Desk) SendKnown(ctx context.Context, why string, w Who) (id CheckID, to string, err error) {
	k, err := d.look(ctx, w)
	if err != nil {
		return "", "", fmt.Errorf("sending a code: %w", err)
	}
	if k.Over {
		return "", "", &Refused{Rule: "visitor"}
	}
	err = ErrNowhere
	for _, t := range k.To {
		if !t.Checked {
			continue
		}
		if id, err = d.SendCode(ctx, why, w, t.Identity); err == nil {
			return id, Mask(t.Value), nil
		}
		if limited(err) || errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
			break
		}
	}
	return "", "", err
}
