// Package release keeps what the flows folder was: each library the server took is a
// release of its files, so that a session can go on with the one it began with and a
// flow can be brought back. Beside them it keeps proposals: changes to one file that
// somebody wants published.
//
// It owns the tables release, release_file, release_flow, release_text and proposal of
// the store. A file's text is stored once, compressed, however many releases have it.
// It runs no goroutine and never touches the folder.
package release

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"tandem/store"
)

const (
	// keepReleases is how many of the newest releases stay; older ones stay only while a
	// session is stored that runs one of their flows.
	keepReleases = 200
	// maxText bounds one file on its way out of the store: what reading a folder takes
	// is less.
	maxText = 4 << 20
)

// DB is what this package needs of a store; store/sqlite has it.
type DB interface {
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
}

// Store keeps releases and proposals. Its methods are safe from any goroutine.
type Store struct {
	db  DB
	now func() time.Time
}

// New makes a Store over a database; now is the clock of what is written.
func New(db DB, now func() time.Time) *Store { return &Store{db, now} }

// ByFile is the author of what was saved in the folder without the studio.
const ByFile = "file"

// Release is one state of the folder that the server took.
type Release struct {
	Number int       `json:"number"` // from 1, without gaps
	At     time.Time `json:"at"`
	By     string    `json:"by"` // ByFile, or the name of who published
	Note   string    `json:"note"`
	Hash   string    `json:"hash"` // hex SHA-256 over the names and texts of its files
}

// Snapshot is a release to be.
type Snapshot struct {
	By, Note string
	Files    map[string][]byte // by name within the folder
	Flows    map[string]string // the hash of each flow, by its name
	Publish  *Publishing       // nil = it came with no proposal
}

// Publishing is the proposal that a release carries out, decided in the same change.
type Publishing struct {
	ID int    // of an open proposal
	By string // who publishes it
}

// Add keeps a release. If its files are those of the newest one there is nothing to
// keep and that one is returned, with added false. Releases beyond those to be kept
// are dropped.
func (s *Store) Add(ctx context.Context, snap Snapshot) (r Release, added bool, err error) {
	texts := make(map[string]text, len(snap.Files))
	for name, data := range snap.Files {
		if texts[name], err = pack(data); err != nil {
			return r, false, fmt.Errorf("keeping a release: %s: %w", name, err)
		}
	}
	sum := contentHash(texts)
	at := s.now()
	err = s.db.Update(ctx, func(tx store.Tx) error {
		last, found, err := newest(tx)
		if err != nil {
			return err
		}
		r, added = last, !found || last.Hash != sum
		if added {
			r = Release{Number: last.Number + 1, At: at.UTC(), By: snap.By, Note: snap.Note, Hash: sum}
			if err := insert(tx, r, texts, snap.Flows); err != nil {
				return err
			}
		}
		if p := snap.Publish; p != nil {
			if err := decide(tx, p.ID, StatePublished, p.By, "", at, r.Number); err != nil {
				return err
			}
		}
		if !added {
			return nil
		}
		return prune(tx, r.Number-keepReleases)
	})
	if err != nil {
		return Release{}, false, fmt.Errorf("keeping a release: %w", err)
	}
	return r, added, nil
}

// text is a file on its way into the store.
type text struct{ hash, packed []byte }

func pack(data []byte) (text, error) {
	sum := sha256.Sum256(data)
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return text{}, err
	}
	if _, err := w.Write(data); err != nil {
		return text{}, err
	}
	if err := w.Close(); err != nil {
		return text{}, err
	}
	return text{sum[:], b.Bytes()}, nil
}

func unpack(packed, hash []byte) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxText))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	if sum := sha256.Sum256(data); !bytes.Equal(sum[:], hash) {
		return nil, fmt.Errorf("a text is not what it was: %w", store.ErrDamaged)
	}
	return data, nil
}

// TextHash is how a file's content is named: hex SHA-256.
func TextHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func contentHash(texts map[string]text) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(h, "%q %x\n", name, texts[name].hash)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func insert(tx store.Tx, r Release, texts map[string]text, flows map[string]string) error {
	if _, err := tx.Exec("INSERT INTO release (number, at, by, note, hash) VALUES (?, ?, ?, ?, ?)", r.Number, r.At, r.By, r.Note, r.Hash); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		t := texts[name]
		if err := putText(tx, t); err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO release_file (release, name, text) VALUES (?, ?, ?)", r.Number, name, t.hash); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(flows)) {
		if _, err := tx.Exec("INSERT INTO release_flow (release, flow, hash) VALUES (?, ?, ?)", r.Number, name, flows[name]); err != nil {
			return err
		}
	}
	return nil
}

func putText(tx store.Tx, t text) error {
	_, err := tx.Exec("INSERT OR IGNORE INTO release_text (hash, data) VALUES (?, ?)", t.hash, t.packed)
	return err
}

// prune drops the releases up to a number that no stored session runs on, then texts
// that nothing has any more.
func prune(tx store.Tx, upTo int) error {
	if upTo < 1 {
		return nil
	}
	var old []int64
	err := tx.Each(`SELECT number FROM release WHERE number <= ? AND number NOT IN (
			SELECT f.release FROM session s JOIN interaction i ON i.no = s.interaction
			JOIN release_flow f ON f.flow = i.flow AND f.hash = i.flow_hash)`,
		func(row store.Row) error { old = append(old, row.Int(0)); return nil }, upTo)
	if err != nil || len(old) == 0 {
		return err
	}
	for _, n := range old {
		for _, query := range []string{
			"DELETE FROM release_file WHERE release = ?", "DELETE FROM release_flow WHERE release = ?", "DELETE FROM release WHERE number = ?",
		} {
			if _, err := tx.Exec(query, n); err != nil {
				return err
			}
		}
	}
	return sweep(tx)
}

// sweep drops texts that no release and no proposal has, nor is the base of an open one.
func sweep(tx store.Tx) error {
	_, err := tx.Exec(`DELETE FROM release_text WHERE NOT EXISTS (SELECT 1 FROM release_file WHERE text = release_text.hash)
		AND NOT EXISTS (SELECT 1 FROM proposal WHERE text = release_text.hash)
		AND NOT EXISTS (SELECT 1 FROM proposal WHERE base = release_text.hash AND state = ?)`, string(StateOpen))
	return err
}

const releaseColumns = "r.number, r.at, r.by, r.note, r.hash"

func releaseOf(row store.Row) Release {
	return Release{Number: int(row.Int(0)), At: row.Time(1), By: row.Text(2), Note: row.Text(3), Hash: row.Text(4)}
}

func newest(tx store.Tx) (r Release, found bool, err error) {
	found, err = tx.One("SELECT "+releaseColumns+" FROM release r ORDER BY number DESC LIMIT 1", func(row store.Row) { r = releaseOf(row) })
	return r, found, err
}

// Newest lists releases, the newest first, at most n.
func (s *Store) Newest(ctx context.Context, n int) (out []Release, err error) {
	err = s.db.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+releaseColumns+" FROM release r ORDER BY number DESC LIMIT ?", func(row store.Row) error {
			out = append(out, releaseOf(row))
			return nil
		}, n)
	})
	if err != nil {
		return nil, fmt.Errorf("listing releases: %w", err)
	}
	return out, nil
}

// Find returns the newest release that has a flow in the version named by its hash, or
// store.ErrNotFound.
func (s *Store) Find(ctx context.Context, flow, hash string) (r Release, err error) {
	found := false
	err = s.db.View(ctx, func(tx store.Tx) (err error) {
		found, err = tx.One("SELECT "+releaseColumns+` FROM release_flow f JOIN release r ON r.number = f.release
			WHERE f.flow = ? AND f.hash = ? ORDER BY r.number DESC LIMIT 1`, func(row store.Row) { r = releaseOf(row) }, flow, hash)
		return err
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("looking for version %.12s of flow %s: %w", hash, flow, err)
	}
	return r, nil
}

// Files returns the files of a release by name, or store.ErrNotFound.
func (s *Store) Files(ctx context.Context, number int) (map[string][]byte, error) {
	files := map[string][]byte{}
	found := false
	err := s.db.View(ctx, func(tx store.Tx) (err error) {
		if found, err = tx.One("SELECT 1 FROM release WHERE number = ?", func(store.Row) {}, number); err != nil {
			return err
		}
		return tx.Each("SELECT f.name, t.hash, t.data FROM release_file f JOIN release_text t ON t.hash = f.text WHERE f.release = ?", func(row store.Row) error {
			data, err := unpack(row.Bytes(2), row.Bytes(1))
			if err != nil {
				return fmt.Errorf("%s: %w", row.Text(0), err)
			}
			files[row.Text(0)] = data
			return nil
		}, number)
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading release %d: %w", number, err)
	}
	return files, nil
}

// Version is a flow as it came into use with a release.
type Version struct {
	Release
	Flow string // the flow's own hash: of its file and of those it uses
}

// Versions lists the versions of a flow, the newest first, at most n: one for each
// release in which the flow is another than in the release before.
func (s *Store) Versions(ctx context.Context, flow string, n int) (out []Version, err error) {
	err = s.db.View(ctx, func(tx store.Tx) error {
		before := ""
		return tx.Each("SELECT "+releaseColumns+`, f.hash FROM release_flow f JOIN release r ON r.number = f.release
			WHERE f.flow = ? ORDER BY r.number`, func(row store.Row) error {
			v := Version{releaseOf(row), row.Text(5)}
			if v.Flow != before {
				out = append(out, v)
			}
			before = v.Flow
			return nil
		}, flow)
	})
	if err != nil {
		return nil, fmt.Errorf("listing versions of flow %s: %w", flow, err)
	}
	slices.Reverse(out)
	return out[:min(n, len(out))], nil
}
