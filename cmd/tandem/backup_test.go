package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"tandem/internal/config"
	"tandem/store"
	"tandem/store/sqlite"
)

// serveStore opens the store as a server does, for as long as the test goes on.
func serveStore(t *testing.T) *sqlite.DB {
	t.Helper()
	cfg, err := config.Load("tandem.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	master, err := config.LoadMasterKey(context.Background(), cfg.Store)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := store.NewKeyring(master)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: string(cfg.Store.Path), Checkpoints: string(cfg.Store.Checkpoints),
		Keys: keys, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestBackupBesideAServer(t *testing.T) {
	first, second := journalWithCalls(t)
	serveStore(t)
	if err := os.Mkdir("saved", 0o700); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "backup", "FILE")
	expect(t, 0, "backup saved/copy.db", "saved/copy.db, 0.", "MiB", "data/blobs", "keys/master.key")
	before, err := os.ReadFile("saved/copy.db")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat("saved/copy.db"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the copy: %v, %v", info.Mode(), err)
	}
	expect(t, 1, "backup saved/copy.db", "exists and is not replaced")
	if after, err := os.ReadFile("saved/copy.db"); err != nil || string(after) != string(before) {
		t.Errorf("the copy was changed: %v", err)
	}
	expect(t, 2, "backup none/copy.db", "none/copy.db")
	if err := os.WriteFile("saved.yaml", []byte("store: { path: saved/copy.db }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 0, "interactions list --config saved.yaml", first.Number.String(), second.Number.String())
	expect(t, 0, "interactions verify --config saved.yaml", "right")
}

// asker answers a question, after a look at how things are while it waits.
type asker struct {
	look   func()
	answer io.Reader
}

func (a *asker) Read(p []byte) (int, error) {
	if a.look != nil {
		a.look()
		a.look = nil
	}
	return a.answer.Read(p)
}

// TestEraseAsksWithoutTheLock: a server can start while an operator thinks.
func TestEraseAsksWithoutTheLock(t *testing.T) {
	first, _ := journalWithCalls(t)
	asked := false
	answer := &asker{answer: strings.NewReader("yes\n"), look: func() {
		asked = true
		serveStore(t)
	}}
	var out, errOut strings.Builder
	status := run(context.Background(), []string{"tandem", "interactions", "erase", string(first.ID), "--why", "asked"}, answer, &out, &errOut)
	if status != 0 || !asked || !strings.Contains(out.String(), "is erased from 1 interaction") {
		t.Errorf("asked %v, status %d\n%s%s", asked, status, out.String(), errOut.String())
	}
	expect(t, 0, "interactions show "+string(first.ID), "erased", "because: asked")
}
