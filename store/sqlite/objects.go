package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"

	"tandem"
	"tandem/store"
)

// OpenBlob opens an object for somebody who listens or looks. That they do, and why,
// is in the journal before they get a byte.
func (db *DB) OpenBlob(ctx context.Context, id tandem.BlobID, actor, why string) (io.ReadCloser, store.BlobRef, error) {
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

// blob reads an object's record, its key opened.
func (db *DB) blob(ctx context.Context, id tandem.BlobID) (ref store.BlobRef, err error) {
	found := false
	err = db.each(ctx, db.pool, "SELECT "+interactionColumns+`, b.media_type, b.size, b.sha256, b.made, b.key
		FROM blob b JOIN interaction i ON i.no = b.interaction JOIN customer c ON c.no = i.customer WHERE b.id = ?`, func(row []driver.Value) error {
		found = true
		r, err := db.interactionRow(row)
		if err != nil {
			return err
		}
		sealed := asBytes(row[20])
		if r.key == nil || sealed == nil {
			return store.ErrErased
		}
		ref = store.BlobRef{ID: id, Interaction: r.i.ID, MediaType: asText(row[16]), Size: asInt(row[17]),
			SHA256: append([]byte(nil), asBytes(row[18])...), Made: fromNanos(asInt(row[19]))}
		ref.Key, err = r.key.Open(sealed, []byte("blob "+id))
		return err
	}, string(id))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return ref, err
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
