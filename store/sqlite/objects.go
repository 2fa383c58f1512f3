package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"tandem"
	"tandem/store"
)

// OpenBlob opens an object for somebody who listens or looks. That they do, and why,
// is in the journal before they get a byte.
func (db *DB) OpenBlob(ctx context.Context, id tandem.BlobID, actor, why string) (io.ReadSeekCloser, store.BlobRef, error) {
	if db.o.Blobs == nil {
		return nil, store.BlobRef{}, fmt.Errorf("opening object %s: no folder of objects is given: %w", id, store.ErrNotFound)
	}
	ref, err := db.blob(ctx, id)
	if err != nil {
		return nil, ref, fmt.Errorf("opening object %s: %w", id, err)
	}
	e := tandem.NewEvent(ref.Interaction, "", db.o.Now(), tandem.EventBlobOpened, actor, tandem.Audit{Why: why, Blob: id})
	if err := db.Commit(ctx, &store.Change{Events: []tandem.Event{e}}); err != nil {
		return nil, ref, fmt.Errorf("noting who opens object %s: %w", id, err)
	}
	r, err := db.o.Blobs.Open(ref)
	clear(ref.Key)
	ref.Key = nil
	return r, ref, err
}

const blobQuery = "SELECT " + interactionColumns + `, b.media_type, b.size, b.sha256, b.made, b.key, b.id, b.class, b.open, b.until
	FROM blob b JOIN interaction i ON i.no = b.interaction JOIN customer c ON c.no = i.customer WHERE `

// blobRow is a row of blobQuery, the key opened; ErrErased if there is none any more.
func (db *DB) blobRow(row []driver.Value) (ref store.BlobRef, err error) {
	r, err := db.interactionRow(row)
	if err != nil {
		return ref, err
	}
	sealed := asBytes(row[20])
	if r.key == nil || sealed == nil {
		return ref, store.ErrErased
	}
	ref = store.BlobRef{
		ID: tandem.BlobID(asText(row[21])), Interaction: r.i.ID, MediaType: asText(row[16]), Size: asInt(row[17]), SHA256: append([]byte(nil), asBytes(row[18])...),
		Made: fromNanos(asInt(row[19])), Class: asText(row[22]), Open: asInt(row[23]) != 0, Until: fromNanos(asInt(row[24])),
	}
	ref.Key, err = r.key.Open(sealed, []byte("blob "+ref.ID))
	return ref, err
}

// blob reads an object's record, its key opened.
func (db *DB) blob(ctx context.Context, id tandem.BlobID) (ref store.BlobRef, err error) {
	found := false
	err = db.each(ctx, db.pool, blobQuery+"b.id = ?", func(row []driver.Value) error {
		found = true
		ref, err = db.blobRow(row)
		return err
	}, string(id))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return ref, err
}

// OpenObjects are the objects that were being written when the program ended, their keys opened:
// store/blob's Recover finishes them, and a change with the record that it returns keeps them.
// Call it before new ones are begun.
func (db *DB) OpenObjects(ctx context.Context) (refs []store.BlobRef, err error) {
	err = db.each(ctx, db.pool, blobQuery+"b.open <> 0 AND b.key IS NOT NULL ORDER BY b.made", func(row []driver.Value) error {
		ref, err := db.blobRow(row)
		if errors.Is(err, store.ErrErased) {
			return nil
		}
		if err == nil {
			refs = append(refs, ref)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading which objects were not finished: %w", err)
	}
	return refs, nil
}

// disposedAtOnce bounds one transaction of Dispose.
const disposedAtOnce = 100

// Dispose removes objects whose time is over: those whose Until has come, and of the others
// those of a class that are older than keep says; a class that is not in it, or 0, is kept.
// The key goes first, in one change with the event that says so, then the file. It returns how
// many went, and goes on with the next call where it failed.
func (db *DB) Dispose(ctx context.Context, now time.Time, keep map[string]time.Duration) (n int, err error) {
	where, args := "b.until <> 0 AND b.until <= ?", []any{now}
	for _, class := range slices.Sorted(maps.Keys(keep)) {
		if keep[class] > 0 {
			where += " OR b.until = 0 AND b.class = ? AND b.made <= ?"
			args = append(args, class, now.Add(-keep[class]))
		}
	}
	args = append(args, disposedAtOnce)
	for more := true; more && ctx.Err() == nil; {
		var gone []tandem.BlobID
		err := db.write(ctx, func(w *writer) error {
			gone = nil
			of := map[tandem.BlobID]tandem.InteractionID{}
			err := w.c.each("SELECT b.id, i.id FROM blob b JOIN interaction i ON i.no = b.interaction WHERE b.key IS NOT NULL AND b.open = 0 AND ("+where+
				") ORDER BY b.made LIMIT ?", func(row []driver.Value) error {
				id := tandem.BlobID(asText(row[0]))
				gone = append(gone, id)
				of[id] = tandem.InteractionID(asText(row[1]))
				return nil
			}, args...)
			for _, id := range gone {
				if err == nil {
					err = w.dispose(of[id], id, now)
				}
			}
			return err
		})
		if err != nil {
			return n, fmt.Errorf("removing what was kept long enough: %w", err)
		}
		n, more = n+len(gone), len(gone) == disposedAtOnce
		for _, id := range gone {
			if db.o.Blobs == nil {
				continue
			}
			if err := db.o.Blobs.Remove(id); err != nil { // noise without its key; the next start sweeps it
				db.log.Warn("the file of a removed object is left", "object", id, "error", err)
			}
		}
	}
	if n > 0 {
		err = db.cutLog(ctx) // the keys are in the log, too
	}
	return n, errors.Join(err, ctx.Err())
}

// dispose destroys one key.
func (w *writer) dispose(of tandem.InteractionID, id tandem.BlobID, now time.Time) error {
	in, err := w.entry(of)
	if err != nil {
		return err
	}
	e := tandem.NewEvent(of, "", now, tandem.EventDisposed, "system", tandem.Disposed{Blob: id, Why: "retention"})
	if err := w.append(in, &e); err != nil {
		return err
	}
	if err := w.letters(in, []tandem.Event{e}, nil, now); err != nil {
		return err
	}
	_, err = w.c.exec("UPDATE blob SET key = NULL WHERE id = ?", string(id))
	return err
}

// sweepBlobs removes files of objects that a crash left unfinished, and those whose
// record says that they are erased. Whole ones that no record names stay: either a crash
// came before their record, and they are noise without it, or this is not the database
// they belong to. A process that came for single changes touches nothing.
func (db *DB) sweepBlobs(ctx context.Context) error {
	if db.o.Blobs == nil || db.o.Beside {
		return nil
	}
	erased := map[tandem.BlobID]bool{}
	err := db.each(ctx, db.pool, "SELECT id, key IS NULL FROM blob", func(row []driver.Value) error {
		erased[tandem.BlobID(asText(row[0]))] = asInt(row[1]) != 0
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading which objects are known: %w", err)
	}
	removed, unnamed, err := db.o.Blobs.Sweep(func(id tandem.BlobID) (named, gone bool) {
		gone, named = erased[id]
		return named, gone
	})
	if removed > 0 {
		db.log.Info("removed objects that were not finished, or are erased", "count", removed)
	}
	if unnamed > 0 {
		db.log.Warn("the folder of objects has some that this database does not name; they are kept, see that the two belong together", "count", unnamed)
	}
	return err
}
