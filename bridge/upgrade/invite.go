package upgrade

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/store"
)

// Bounds of role links.
const (
	linkLife    = 10 * time.Minute
	linkMost    = time.Hour
	linksOpen   = 10 // of one interaction that can still be used
	linksKept   = 30 * 24 * time.Hour
	tokenBytes  = 16 // 128 bits
	tokenLength = 26
)

// RoleLink is a link by which one person may join a talk in a role, once.
type RoleLink struct {
	ID          string
	Token       string // known to Invite alone
	Interaction tandem.InteractionID
	Task        tandem.TaskID
	Role        tandem.Role
	By          string // the agent who made it
	Made        time.Time
	Expires     time.Time
	Used        time.Time // zero = not yet
	UsedBy      string
	Revoked     time.Time // zero = it is not
}

// Usable reports whether somebody may still join by it.
func (l RoleLink) Usable(now time.Time) bool {
	return l.Used.IsZero() && l.Revoked.IsZero() && now.Before(l.Expires)
}

// errUnusable: forged, expired, used, revoked, or of a conversation that its agent has no more.
// Whoever holds it is not told which.
var errUnusable = tandem.Errorf(tandem.CodeNotFound, "this link cannot be used; ask for a new one")

// A token is of signs that no program takes for the end of an address.
var tokenEncoding = base32.NewEncoding(tokenSigns).WithPadding(base32.NoPadding)

const tokenSigns = "abcdefghijklmnopqrstuvwxyz234567"

func hashOf(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

func validToken(s string) bool { return len(s) == tokenLength && strings.Trim(s, tokenSigns) == "" }

// Invite makes a link by which somebody may join what the agent by speaks in, as a specialist
// or a listener. life 0 is 10 minutes. The store has the hash of its token alone.
func (u *Upgrades) Invite(ctx context.Context, by string, in tandem.InteractionID, role tandem.Role, life time.Duration) (RoleLink, error) {
	if life == 0 {
		life = linkLife
	}
	switch {
	case role != tandem.RoleSpecialist && role != tandem.RoleListener:
		return RoleLink{}, tandem.Errorf(tandem.CodeInvalid, "%q is no role in which somebody can be asked in: specialist or listener", role)
	case life < 0 || life > linkMost:
		return RoleLink{}, tandem.Errorf(tandem.CodeInvalid, "a link is good for %s at most", linkMost)
	}
	t, ok := u.taskFor(Ask{Interaction: in})
	switch {
	case !ok:
		return RoleLink{}, errServed
	case t.Agent != by:
		return RoleLink{}, errOffice
	}
	var b [tokenBytes]byte
	if _, err := io.ReadFull(u.o.Random, b[:]); err != nil {
		return RoleLink{}, fmt.Errorf("drawing a token: %w", err)
	}
	now := u.now()
	l := RoleLink{
		ID: string(tandem.NewID[tandem.LinkID](now, u.o.Random)), Token: tokenEncoding.EncodeToString(b[:]), Interaction: in, Task: t.ID, Role: role, By: by,
		Made: now, Expires: now.Add(life),
	}
	c := &store.Change{
		Events: []tandem.Event{tandem.NewEvent(in, "", now, tandem.EventRoleLink, by, tandem.RoleLinked{Role: role, By: by, Expires: l.Expires})},
		With:   func(tx store.Tx) error { return insertLink(tx, l, now) },
	}
	if err := u.commit(ctx, c); err != nil {
		return RoleLink{}, err
	}
	return l, nil
}

// errMany undoes the change of one link too many.
var errMany = tandem.Errorf("too_fast", "there are %d links here that nobody has used yet; revoke one first", linksOpen)

func insertLink(tx store.Tx, l RoleLink, now time.Time) error {
	if _, err := tx.Exec("DELETE FROM role_link WHERE expires < ?", now.Add(-linksKept)); err != nil {
		return err
	}
	open := int64(0)
	_, err := tx.One("SELECT count(*) FROM role_link WHERE interaction = ? AND used = 0 AND revoked = 0 AND expires > ?", func(r store.Row) { open = r.Int(0) }, string(l.Interaction), now)
	switch {
	case err != nil:
		return err
	case open >= linksOpen:
		return errMany
	}
	_, err = tx.Exec("INSERT INTO role_link (hash, id, interaction, task, role, by, made, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		hashOf(l.Token), l.ID, string(l.Interaction), string(l.Task), string(l.Role), l.By, l.Made, l.Expires)
	return err
}

// commit writes what must be durable before it is done.
func (u *Upgrades) commit(ctx context.Context, c *store.Change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	err := u.o.Store.Commit(ctx, c)
	var known *tandem.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &tandem.Error{Code: tandem.CodeUnavailable, Message: "this cannot be written down now, so it is not done; try again in a moment", Err: err}
}

const linkColumns = "id, interaction, task, role, by, made, expires, used, used_by, revoked"

func linkOf(r store.Row) RoleLink {
	return RoleLink{
		ID: r.Text(0), Interaction: tandem.InteractionID(r.Text(1)), Task: tandem.TaskID(r.Text(2)), Role: tandem.Role(r.Text(3)), By: r.Text(4),
		Made: r.Time(5), Expires: r.Time(6), Used: r.Time(7), UsedBy: r.Text(8), Revoked: r.Time(9),
	}
}

// Look is what a token leads to, as long as it can be used. It changes nothing: whoever opens
// the address, or a program that looks at it for them, has not joined.
func (u *Upgrades) Look(ctx context.Context, token string) (RoleLink, error) {
	if !validToken(token) {
		return RoleLink{}, errUnusable
	}
	var l RoleLink
	found := false
	err := u.o.Store.View(ctx, func(tx store.Tx) (err error) {
		found, err = tx.One("SELECT "+linkColumns+" FROM role_link WHERE hash = ?", func(r store.Row) { l = linkOf(r) }, hashOf(token))
		return err
	})
	switch {
	case err != nil:
		return RoleLink{}, fmt.Errorf("looking for a role link: %w", err)
	case !found || !l.Usable(u.now()) || !u.holds(l):
		return RoleLink{}, errUnusable
	}
	return l, nil
}

// holds reports whether who made a link still has what it leads to.
func (u *Upgrades) holds(l RoleLink) bool {
	t, ok := u.o.Line.Task(l.Task)
	return ok && t.State == tandem.TaskAssigned && t.Agent == l.By && t.Interaction == l.Interaction
}

// Use has somebody join by a link, which is spent by it. They need a seat at the desk, and
// somebody to join: without either the link is not spent.
func (u *Upgrades) Use(ctx context.Context, who, token string) (RoleLink, error) {
	l, err := u.Look(ctx, token)
	if err != nil {
		return RoleLink{}, err
	}
	talk, up := u.o.Switchboard.TalkOf(l.Interaction)
	switch {
	case !u.o.May(ctx, who, l.Role):
		return RoleLink{}, tandem.Errorf(tandem.CodeForbidden, "you may not join calls; ask an administrator for a role that may")
	case !up || talk.Task != l.Task:
		return RoleLink{}, tandem.Errorf(tandem.CodeConflict, "nobody speaks there now; open the link again once they do")
	case takesPart(talk, who):
		return RoleLink{}, tandem.Errorf(tandem.CodeConflict, "you are in this call already")
	}
	if err := u.o.Switchboard.Ready(who); err != nil {
		return RoleLink{}, err
	}
	now := u.now()
	l.Used, l.UsedBy = now, who
	err = u.commit(ctx, &store.Change{
		Events: []tandem.Event{tandem.NewEvent(l.Interaction, "", now, tandem.EventRoleLink, who, tandem.RoleLinked{Role: l.Role, By: l.By, Expires: l.Expires, Used: who})},
		With: func(tx store.Tx) error {
			n, err := tx.Exec("UPDATE role_link SET used = ?, used_by = ? WHERE hash = ? AND used = 0 AND revoked = 0 AND expires > ?", now, who, hashOf(token), now)
			if err == nil && n == 0 {
				err = errUnusable
			}
			return err
		},
	})
	if err != nil {
		return RoleLink{}, err
	}
	if err := u.o.Switchboard.Enter(ctx, l.Interaction, who, l.Role); err != nil {
		return RoleLink{}, err
	}
	if u.revoked(ctx, l) { // between the two: who revoked it has found nobody to send away
		u.o.Switchboard.Expel(l.Interaction, who)
		return RoleLink{}, errUnusable
	}
	return l, nil
}

// revoked reports whether a link was taken back, as far as can be read.
func (u *Upgrades) revoked(ctx context.Context, l RoleLink) (is bool) {
	err := u.o.Store.View(context.WithoutCancel(ctx), func(tx store.Tx) error {
		_, err := tx.One("SELECT revoked FROM role_link WHERE id = ?", func(r store.Row) { is = !r.Time(0).IsZero() }, l.ID)
		return err
	})
	if err != nil {
		u.o.Log.Warn("it is not known whether a link was revoked as somebody joined by it", "interaction", l.Interaction, "error", err)
	}
	return is
}

func takesPart(t phone.Talk, who string) bool {
	for _, p := range t.Parties {
		if p.Name == who {
			return true
		}
	}
	return false
}

// Guest is in what role somebody takes part who joined by a link; false if they do not, or no
// more. While they do they may read the interaction's conversation.
func (u *Upgrades) Guest(in tandem.InteractionID, who string) (tandem.Role, bool) {
	talk, up := u.o.Switchboard.TalkOf(in)
	if !up || who == "" {
		return "", false
	}
	for _, p := range talk.Parties {
		if p.Name == who && p.Guest && p.State != phone.StateRinging {
			return p.Role, true
		}
	}
	return "", false
}

// Revoke takes a link back: the agent who has the task may. Who joined by it is sent away. One
// that was revoked is no error.
func (u *Upgrades) Revoke(ctx context.Context, by string, in tandem.InteractionID, id string) error {
	t, ok := u.taskFor(Ask{Interaction: in})
	if !ok || t.Agent != by {
		return errOffice
	}
	now := u.now()
	var l RoleLink
	there := "" // who takes part by it
	err := u.o.Store.View(ctx, func(tx store.Tx) error {
		found, err := tx.One("SELECT "+linkColumns+" FROM role_link WHERE id = ? AND interaction = ?", func(r store.Row) { l = linkOf(r) }, id, string(in))
		if err == nil && !found {
			err = tandem.Errorf(tandem.CodeNotFound, "there is no such link in this conversation")
		}
		return err
	})
	if err != nil || !l.Revoked.IsZero() {
		return err
	}
	err = u.commit(ctx, &store.Change{
		Events: []tandem.Event{tandem.NewEvent(in, "", now, tandem.EventRoleLink, by, tandem.RoleLinked{Role: l.Role, By: l.By, Expires: l.Expires, Used: l.UsedBy, Revoked: true})},
		With: func(tx store.Tx) error {
			// It may have been used meanwhile; and who came by it may have left, and come by another.
			_, err := tx.One(`SELECT used_by FROM role_link AS this WHERE id = ? AND NOT EXISTS
				(SELECT 1 FROM role_link AS later WHERE later.interaction = this.interaction AND later.used_by = this.used_by AND later.used > this.used)`,
				func(r store.Row) { there = r.Text(0) }, id)
			if err == nil {
				_, err = tx.Exec("UPDATE role_link SET revoked = ? WHERE id = ? AND revoked = 0", now, id)
			}
			return err
		},
	})
	if err == nil && there != "" {
		u.o.Switchboard.Expel(in, there)
	}
	return err
}

// Links are an interaction's, in the order in which they were made, without their tokens.
func (u *Upgrades) Links(ctx context.Context, in tandem.InteractionID) ([]RoleLink, error) {
	var out []RoleLink
	err := u.o.Store.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+linkColumns+" FROM role_link WHERE interaction = ? ORDER BY made, id LIMIT 100", func(r store.Row) error {
			out = append(out, linkOf(r))
			return nil
		}, string(in))
	})
	if err != nil {
		return nil, fmt.Errorf("listing role links: %w", err)
	}
	return out, nil
}
