package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
)

// Why a subscription is not active.
const (
	WhyOff         = "off"         // somebody switched it off
	WhyGone        = "gone"        // the receiver answered 410: it wants no more
	WhyUnreachable = "unreachable" // for the whole time that one letter was tried, none arrived
)

// Wanted is what somebody asks to be told, and where.
type Wanted struct {
	URL   string   `json:"url"`
	Kinds []string `json:"kinds"` // types, as "task.offered", "task.*" or "*"
	Note  string   `json:"note,omitempty"`
}

// Host is where the receiver is, for logs: the rest of an address may be a secret.
func (w Wanted) Host() string {
	u, err := url.Parse(w.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Subscription is one receiver. Its secret is not in it.
type Subscription struct {
	ID string `json:"id"`
	Wanted
	Active bool      `json:"active"`
	Why    string    `json:"why,omitempty"` // not active: one of the Why constants
	Made   time.Time `json:"made"`
	By     string    `json:"by"`
	// OldSecretUntil is for how long the secret before the newest signs as well; zero = it
	// does not.
	OldSecretUntil time.Time `json:"old_secret_until,omitzero"`
	Waiting        int       `json:"waiting"` // letters on their way, about
	// MissedSince is since when it was told of nothing, as it was off or too much waited for
	// it: replay from there. Zero = it missed nothing.
	MissedSince time.Time `json:"missed_since,omitzero"`
}

// receiver is a subscription with what delivering to it needs.
type receiver struct {
	Subscription
	sealed sealed

	full   bool // too much waits
	unsaid bool // MissedSince is not in the store yet
	fails  int  // in a row
	wrong  int  // letters in a row that no repeat can cure
	pause  time.Time
	heard  time.Time // when it last took a letter
}

// sealed is what of a subscription is not to be read in the database.
type sealed struct {
	URL    string `json:"url"`
	Secret string `json:"secret"`
	Old    string `json:"old,omitempty"` // the secret before
}

func (d *Desk) row(row store.Row) (*receiver, error) {
	r := &receiver{Subscription: Subscription{ID: row.Text(0), Active: row.Bool(3), Why: row.Text(4), Made: row.Time(6), By: row.Text(7),
		MissedSince: row.Time(8), OldSecretUntil: row.Time(9)}}
	r.Kinds, r.Note = strings.Fields(row.Text(2)), row.Text(5)
	plain, err := d.o.Keys.System().Open(row.Bytes(1), place(r.ID))
	if err == nil {
		err = json.Unmarshal(plain, &r.sealed)
	}
	if err != nil {
		return r, fmt.Errorf("subscription %s: %w", r.ID, err)
	}
	r.URL = r.sealed.URL
	return r, nil
}

func place(id string) []byte { return []byte("webhook " + id) }

// view is a subscription as it is shown. mu is held.
func (d *Desk) view(r *receiver) Subscription {
	s := r.Subscription
	s.Kinds = slices.Clone(s.Kinds)
	if !d.o.Now().Before(s.OldSecretUntil) {
		s.OldSecretUntil = time.Time{}
	}
	return s
}

// sorted are all receivers, the oldest first. mu is held.
func (d *Desk) sorted() []*receiver {
	out := make([]*receiver, 0, len(d.by))
	for _, r := range d.by {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *receiver) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// List returns all subscriptions, the oldest first.
func (d *Desk) List() []Subscription {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []Subscription{}
	for _, r := range d.sorted() {
		out = append(out, d.view(r))
	}
	return out
}

// Find returns one subscription.
func (d *Desk) Find(id string) (Subscription, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.by[id]
	if !ok {
		return Subscription{}, unknown(id)
	}
	return d.view(r), nil
}

func unknown(id string) error {
	return tandem.Errorf(tandem.CodeNotFound, "there is no subscription %q", id)
}

// Add makes a subscription, which is active at once. The secret is shown this once.
func (d *Desk) Add(ctx context.Context, by string, w Wanted) (s Subscription, secret string, err error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	if w, err = d.check(w); err != nil {
		return s, "", err
	}
	if len(d.List()) >= maxSubscriptions {
		return s, "", tandem.Errorf(tandem.CodeConflict, "there are %d subscriptions, the most there may be: remove one that nobody needs", maxSubscriptions)
	}
	if secret, err = outbox.NewSecret(d.o.Random); err != nil {
		return s, "", err
	}
	now := d.o.Now().UTC()
	r := receiver{Subscription: Subscription{ID: tandem.NewID[string](now, d.o.Random), Wanted: w, Active: true, Made: now, By: by}, sealed: sealed{URL: w.URL, Secret: secret}}
	err = d.update(ctx, &r, func(tx store.Tx, box []byte) error {
		_, err := tx.Insert("INSERT INTO webhook (id, sealed, kinds, active, why, note, made, made_by, missed, old_until) VALUES (?, ?, ?, 1, '', ?, ?, ?, 0, 0)",
			r.ID, box, strings.Join(r.Kinds, " "), r.Note, r.Made, r.By)
		return err
	})
	if err != nil {
		return s, "", fmt.Errorf("adding a subscription: %w", err)
	}
	return d.keep(&r), secret, nil
}

// Change gives a subscription another address, other types or another note.
func (d *Desk) Change(ctx context.Context, id string, w Wanted) (Subscription, error) {
	w, err := d.check(w)
	if err != nil {
		return Subscription{}, err
	}
	return d.change(ctx, id, func(r *receiver) {
		r.Wanted, r.sealed.URL = w, w.URL
		r.fails, r.wrong, r.pause = 0, 0, time.Time{}
	})
}

// Rotate draws a new secret. For 24 hours letters are signed by the one before as well, so
// that the receiver can change over in between.
func (d *Desk) Rotate(ctx context.Context, id string) (s Subscription, secret string, err error) {
	if secret, err = outbox.NewSecret(d.o.Random); err != nil {
		return s, "", err
	}
	s, err = d.change(ctx, id, func(r *receiver) {
		r.sealed.Old, r.sealed.Secret = r.sealed.Secret, secret
		r.OldSecretUntil = d.o.Now().Add(keepSecret).UTC()
	})
	if err != nil {
		return s, "", err
	}
	return s, secret, nil
}

// SetActive switches a subscription on or off. What waits for one that is off is given up;
// MissedSince says from where to replay when it is on again.
func (d *Desk) SetActive(ctx context.Context, id string, on bool) (Subscription, error) {
	return d.change(ctx, id, func(r *receiver) { r.set(on, WhyOff, d.o.Now()) })
}

func (r *receiver) set(on bool, why string, now time.Time) {
	switch {
	case on:
		why, r.fails, r.wrong, r.pause, r.heard = "", 0, 0, time.Time{}, now
	case r.Active && r.MissedSince.IsZero():
		r.MissedSince = now.UTC()
	case !r.Active:
		why = r.Why
	}
	r.Active, r.Why = on, why
}

// Remove ends a subscription. What waits for it is given up.
func (d *Desk) Remove(ctx context.Context, id string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	if _, err := d.Find(id); err != nil {
		return err
	}
	err := d.store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec("DELETE FROM webhook WHERE id = ?", id)
		return err
	})
	if err != nil {
		return fmt.Errorf("removing a subscription: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.by, id)
	d.index()
	return nil
}

// change changes a copy of a subscription, writes it, and takes it into use.
func (d *Desk) change(ctx context.Context, id string, do func(*receiver)) (Subscription, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	d.mu.Lock()
	old, ok := d.by[id]
	var r receiver
	if ok {
		r = *old
	}
	d.mu.Unlock()
	if !ok {
		return Subscription{}, unknown(id)
	}
	do(&r)
	err := d.update(ctx, &r, func(tx store.Tx, box []byte) error {
		_, err := tx.Exec("UPDATE webhook SET sealed = ?, kinds = ?, active = ?, why = ?, note = ?, missed = ?, old_until = ? WHERE id = ?",
			box, strings.Join(r.Kinds, " "), r.Active, r.Why, r.Note, r.MissedSince, r.OldSecretUntil, r.ID)
		return err
	})
	if err != nil {
		return Subscription{}, fmt.Errorf("changing a subscription: %w", err)
	}
	return d.keep(&r), nil
}

// update writes a subscription's row.
func (d *Desk) update(ctx context.Context, r *receiver, do func(tx store.Tx, box []byte) error) error {
	if d.store == nil {
		return tandem.Errorf(tandem.CodeUnavailable, "subscriptions are not read yet; try again in a moment")
	}
	plain, err := json.Marshal(r.sealed)
	if err != nil {
		return err
	}
	box, err := d.o.Keys.System().Seal(d.o.Random, plain, place(r.ID))
	if err != nil {
		return err
	}
	return d.store.Update(ctx, func(tx store.Tx) error { return do(tx, box) })
}

// keep takes a receiver as it was written into use. What has happened to the one in use
// meanwhile stays.
func (d *Desk) keep(r *receiver) Subscription {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, ok := d.by[r.ID]; ok {
		r.Waiting, r.full = old.Waiting, old.full
		if r.MissedSince.IsZero() && old.unsaid {
			r.MissedSince, r.unsaid = old.MissedSince, true
		}
	}
	d.by[r.ID] = r
	d.index()
	return d.view(r)
}

// check holds what is wanted against the bounds.
func (d *Desk) check(w Wanted) (Wanted, error) {
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return w, tandem.Errorf(tandem.CodeInvalid, "this is no web address: give one such as https://crm.example.com/hooks")
	case len(w.URL) > maxURL:
		return w, tandem.Errorf(tandem.CodeInvalid, "a webhook's address has at most %d bytes", maxURL)
	case u.User != nil || u.Fragment != "":
		return w, tandem.Errorf(tandem.CodeInvalid, "a webhook's address has no user, password or fragment: letters are signed, check the signature instead")
	case u.Scheme == "http" && len(d.o.Private) == 0:
		return w, tandem.Errorf(tandem.CodeInvalid, "a webhook's address must begin with https://; http:// is for receivers in networks of your own, which webhooks.allow in the configuration names")
	case len(w.Note) > maxNote:
		return w, tandem.Errorf(tandem.CodeInvalid, "a webhook's note has at most %d bytes", maxNote)
	case len(w.Kinds) == 0 || len(w.Kinds) > maxPatterns:
		return w, tandem.Errorf(tandem.CodeInvalid, "a webhook is told of 1 to %d kinds, such as task.offered, task.* or *", maxPatterns)
	}
	for _, p := range w.Kinds {
		if !slices.ContainsFunc(Types(), func(t string) bool { return match(p, t) }) {
			return w, tandem.Errorf(tandem.CodeInvalid, "%q is no type that can be told: the types are %s; or a beginning such as task.*, or *", p, strings.Join(Types(), ", "))
		}
	}
	w.Kinds = slices.Clone(w.Kinds)
	return w, nil
}

// match reports whether a pattern means a type.
func match(pattern, kind string) bool {
	if pattern == "*" {
		return true
	}
	if group, ok := strings.CutSuffix(pattern, ".*"); ok {
		return strings.HasPrefix(kind, group+".")
	}
	return pattern == kind
}

func matches(patterns []string, kind tandem.EventKind) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, string(kind)) })
}
