package main

import (
	"database/sql"
	"testing"

	_ "github.com/mattn/go-sqlite3" // the driver, to do what the program never does
)

// tamper changes the database behind the program's back.
func tamper(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.Exec(statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("nothing was changed: %d, %v", n, err)
	}
}
