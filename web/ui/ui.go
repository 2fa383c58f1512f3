// Package ui holds the web pages as they were built from the TypeScript beside it.
// It starts no goroutine and serves nothing itself; web/api does.
package ui

import (
	"embed"
	"io/fs"
)

// The pages are built by make and not kept in git; dist/.keep lets the program be
// built without them, and web/api then says so in plain words.
//
//go:embed all:dist
var dist embed.FS

// Pages returns the built pages, index.html at the root.
func Pages() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("ui: " + err.Error()) // the embed line names the folder
	}
	return sub
}
