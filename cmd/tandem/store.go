package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os/user"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/hook"
	"tandem/bridge/identity"
	"tandem/bridge/link"
	"tandem/internal/config"
	"tandem/store"
	"tandem/store/blob"
	"tandem/store/sqlite"
)

// journal is what the commands of this program ask of the store.
type journal interface {
	List(ctx context.Context, f store.Filter) ([]store.Summary, error)
	Interaction(ctx context.Context, ref string) (store.Story, error)
	Verify(ctx context.Context) (store.Verdict, error)
	CustomerOf(ctx context.Context, i tandem.Identity) (b tandem.Binding, found bool, err error)
	Identities(ctx context.Context, customer tandem.CustomerID) ([]tandem.Binding, error)
	Person(ctx context.Context, customer tandem.CustomerID) ([]tandem.CustomerID, error)
	Erase(ctx context.Context, customer tandem.CustomerID, actor, why string) error
	OpenBlob(ctx context.Context, id tandem.BlobID, actor, why string) (io.ReadSeekCloser, store.BlobRef, error)
	Outbox(ctx context.Context) ([]store.Letter, error)
	Revive(ctx context.Context, key string) error
	Close() error
}

var _ journal = (*sqlite.DB)(nil)

// access is how a command opens the store.
type access bool

const (
	toRead  access = false // beside a running server, changes nothing
	toWrite access = true  // beside a running server too, for single changes
)

// withJournal opens the store that the configuration names, runs do and closes it.
func withJournal(c *cli.Context, how access, do func(journal) error) error {
	return withRecords(c, how, func(r records) error { return do(r.DB) })
}

// records is an open store with what the parts that own its tables are made of.
type records struct {
	*sqlite.DB
	keys *store.Keyring
	cfg  *config.Config
}

// withRecords opens the store that the configuration names, runs do and closes it.
func withRecords(c *cli.Context, how access, do func(records) error) error {
	loaded, err := loadConfig(c)
	if err != nil {
		return err
	}
	keys, err := loadKeys(c.Context, loaded.Config)
	if err != nil {
		return err
	}
	db, err := openStoreWith(c.Context, loaded.Config, keys, how, c.App.ErrWriter)
	if err != nil {
		return err
	}
	err = do(records{db, keys, loaded.Config})
	return errors.Join(err, db.Close())
}

// linkDesk is the links of the store. Whoever waits for one that it revokes is told by the
// server.
func (r records) linkDesk() (*link.Desk, error) {
	return link.New(link.Options{Database: r.DB, URL: r.cfg.HTTP.PublicAddress(), Blind: r.keys.Blind, Log: slog.New(slog.DiscardHandler)})
}

// identityDesk is who the customers of the store are. It sends nothing.
func (r records) identityDesk() (*identity.Desk, error) {
	return identity.New(identity.Options{Records: r.DB, Blind: r.keys.Blind, Country: r.cfg.Identity.Country, Now: time.Now, Random: rand.Reader})
}

func openStore(ctx context.Context, cfg *config.Config, how access, stderr io.Writer) (*sqlite.DB, error) {
	keys, err := loadKeys(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return openStoreWith(ctx, cfg, keys, how, stderr)
}

func loadKeys(ctx context.Context, cfg *config.Config) (*store.Keyring, error) {
	master, err := config.LoadMasterKey(ctx, cfg.Store)
	if err != nil {
		return nil, err
	}
	defer clear(master)
	return store.NewKeyring(master)
}

func openStoreWith(ctx context.Context, cfg *config.Config, keys *store.Keyring, how access, stderr io.Writer) (_ *sqlite.DB, err error) {
	options := sqlite.Options{
		Path: string(cfg.Store.Path), Checkpoints: string(cfg.Store.Checkpoints), Keys: keys, Beside: true,
		Log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	open := sqlite.OpenReader
	var hooks *hook.Desk // what a command writes is told by the server that runs
	if how == toWrite {
		if options.Blobs, err = blob.Open(string(cfg.Store.Blobs), time.Now, rand.Reader); err != nil {
			return nil, err
		}
		if hooks, err = hook.New(hook.Options{Keys: keys, Log: options.Log}); err != nil {
			return nil, err
		}
		open, options.Letters = sqlite.Open, hooks.Letters
	}
	db, err := open(ctx, options)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tandem.Errorf(tandem.CodeNotFound, "there is no journal at %s yet; it is made when the server first starts", cfg.Store.Path)
	}
	if err == nil && hooks != nil {
		if err = hooks.Open(ctx, db); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, err
}

// operator names who runs this program, for the audit.
func operator() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return "operator " + u.Username
	}
	return "operator"
}
