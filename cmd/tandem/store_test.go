package main

import (
	"io"
	"testing"

	"tandem/bridge/hook"
	"tandem/internal/config"
)

// TestEraseIsTold: who subscribed to it is told of what a command does.
func TestEraseIsTold(t *testing.T) {
	first, _ := journalWithCalls(t)
	loaded, err := config.Load("tandem.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := loadKeys(t.Context(), loaded.Config)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openStoreWith(t.Context(), loaded.Config, keys, toWrite, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := hook.New(hook.Options{Keys: keys})
	if err == nil {
		err = hooks.Open(t.Context(), db)
	}
	if err == nil {
		_, _, err = hooks.Add(t.Context(), "dana", hook.Wanted{URL: "https://crm.example.com/", Kinds: []string{"customer.erased"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	expect(t, 0, "outbox list --kind hook", "nothing")
	expect(t, 0, "interactions erase --yes --why asked "+string(first.ID))
	expect(t, 0, "outbox list --kind hook", string(first.ID), "customer.erased", "waiting")
}
