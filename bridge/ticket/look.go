package ticket

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

const (
	tokenBytes = 16 // 128 bits
	tokenLen   = 26
	tokenSigns = "abcdefghijklmnopqrstuvwxyz234567"
)

// A token stands in texts, as one of bridge/link does: no sign that ends an address, none
// that differs by case.
var tokenEncoding = base32.NewEncoding(tokenSigns).WithPadding(base32.NoPadding)

// ValidToken reports whether s has the form of a token.
func ValidToken(s string) bool { return len(s) == tokenLen && strings.Trim(s, tokenSigns) == "" }

func hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// View is a ticket as whoever holds its link sees it.
type View struct {
	Number tandem.Number
	Status string
	Lang   string // of the customer
	Queue  string // whose list of owners it goes down; not shown
	Opened time.Time
	Due    time.Time
	Done   time.Time
	Late   bool // its time has passed, and it is not done
	Told   []Told
}

// Told is what the customer was told, once.
type Told struct {
	At   time.Time
	Text string
}

// issue makes one more address that leads to a ticket.
func (d *Desk) issue(ctx context.Context, t Ticket) (url string, err error) {
	var b [tokenBytes]byte
	if _, err := io.ReadFull(d.o.Random, b[:]); err != nil {
		return "", fmt.Errorf("drawing a token: %w", err)
	}
	token := tokenEncoding.EncodeToString(b[:])
	err = d.o.Database.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec("INSERT INTO ticket_link (hash, ticket, made) SELECT ?, no, ? FROM ticket WHERE task = ?", hash(token), d.now(), string(t.Task)); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM ticket_link WHERE hash IN (SELECT l.hash FROM ticket_link l JOIN ticket t ON t.no = l.ticket WHERE t.task = ?
			ORDER BY l.made DESC, l.hash LIMIT -1 OFFSET ?)`, string(t.Task), maxTokens)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("making an address: %w", err)
	}
	return d.o.URL + "/t/" + token, nil
}

// Reissue is a new address of the ticket whose button in a chat was tapped. The caller
// has made sure that the chat has that button. ErrUnusable if it opens nothing any more.
func (d *Desk) Reissue(ctx context.Context, link tandem.LinkID) (url string, err error) {
	t, err := d.one(ctx, "WHERE t.link = ?", string(link))
	if errors.Is(err, store.ErrNotFound) || err == nil && d.past(t) {
		return "", ErrUnusable
	}
	if err != nil {
		return "", err
	}
	if _, _, err := d.story(ctx, t); err != nil { // of a person whose data was erased
		return "", err
	}
	return d.issue(ctx, t)
}

// past reports whether a ticket was done so long ago that nobody looks at it by link.
func (d *Desk) past(t Ticket) bool { return !t.Done.IsZero() && !d.now().Before(t.Done.Add(keepLinks)) }

// Look is what the address with a token shows, or ErrUnusable. It changes nothing.
func (d *Desk) Look(ctx context.Context, token string) (View, error) {
	if !ValidToken(token) {
		return View{}, ErrUnusable
	}
	t, err := d.one(ctx, "JOIN ticket_link l ON l.ticket = t.no WHERE l.hash = ?", hash(token))
	if errors.Is(err, store.ErrNotFound) || err == nil && d.past(t) {
		return View{}, ErrUnusable
	}
	if err != nil {
		return View{}, err
	}
	_, history, err := d.story(ctx, t)
	if err != nil {
		return View{}, err
	}
	v := View{Number: t.Number, Status: t.Status, Lang: t.Lang, Queue: t.Queue, Opened: t.Opened, Due: t.Due, Done: t.Done, Late: t.Done.IsZero() && !d.now().Before(t.Due)}
	if task, live := d.o.Line.Task(t.Task); live && t.Status == StatusOpen && task.State == tandem.TaskAssigned {
		v.Status = StatusWorking
	}
	for _, e := range history {
		if e.Told != "" {
			v.Told = append(v.Told, Told{At: e.At, Text: e.Told})
		}
	}
	return v, nil
}

// Revoke closes every address of a ticket at once; a new one comes with the next
// message. by and why are noted in the journal.
func (d *Desk) Revoke(ctx context.Context, task tandem.TaskID, by, why string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.byTask(ctx, task)
	if err != nil {
		return err
	}
	now := d.now()
	link := tandem.NewID[tandem.LinkID](now, d.o.Random)
	return d.o.Database.Commit(ctx, &store.Change{
		Events: []tandem.Event{tandem.NewEvent(t.Interaction, "", now, tandem.EventTicketChanged, by, tandem.TicketChanged{Task: task, Why: "links revoked", Note: why})},
		With: func(tx store.Tx) error {
			if _, err := tx.Exec("UPDATE ticket SET link = ? WHERE no = ?", string(link), t.No); err != nil {
				return err
			}
			_, err := tx.Exec("DELETE FROM ticket_link WHERE ticket = ?", t.No)
			return err
		},
	})
}

// story reads what the journal has of a ticket: what was asked, and all changes, the
// oldest first. ErrUnusable if the person's data was erased.
func (d *Desk) story(ctx context.Context, t Ticket) (asked tandem.Ticket, history []Entry, err error) {
	refs := []store.EventRef{{Interaction: t.Interaction, Seq: t.seq}}
	err = d.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT e.seq FROM event e JOIN interaction i ON i.no = e.interaction WHERE i.id = ? AND e.kind = ? ORDER BY e.seq", func(r store.Row) error {
			refs = append(refs, store.EventRef{Interaction: t.Interaction, Seq: uint64(r.Int(0))})
			return nil
		}, string(t.Interaction), string(tandem.EventTicketChanged))
	})
	if err != nil {
		return asked, nil, fmt.Errorf("reading a ticket: %w", err)
	}
	events, err := d.o.Database.EventsAt(ctx, refs)
	if err != nil {
		return asked, nil, fmt.Errorf("reading a ticket: %w", err)
	}
	for i, e := range events {
		if e.Data == nil {
			return asked, nil, ErrUnusable
		}
		into := any(&asked)
		entry := Entry{At: e.At, Actor: e.Actor}
		if i > 0 {
			into = &entry.TicketChanged
		}
		if err := json.Unmarshal(e.Data, into); err != nil {
			return asked, nil, fmt.Errorf("event %d of %s: %w", e.Seq, e.Interaction, store.ErrDamaged)
		}
		if i > 0 && entry.Task == t.Task {
			history = append(history, entry)
		}
	}
	return asked, history, nil
}
