package api

import (
	"bytes"
	"crypto/rand"
	_ "embed" // the description of the API
	"encoding/base64"
	"io/fs"
	"net/http"
	"strings"

	"tandem/web/answer"
)

// StaffOptions is what the staff's door is made of.
type StaffOptions struct {
	Pages fs.FS // the built pages
	// Parts add their addresses below /api/. Each keeps out who may not see it: the door
	// itself shows nothing but pages, which hold no data.
	Parts []func(*http.ServeMux)
}

// staffPages are the pages and the files they are built to. Each page shows what the
// roles of whoever logged in reach; the API behind it keeps the rest.
var staffPages = map[string]string{"/login": "login.html", "/studio": "studio.html", "/desk": "desk.html", "/board": "board.html"}

// talking are the pages that people talk by, which may play what the door itself serves, and
// what else each may ask the browser for beside the microphone: where customers are served,
// the camera and a screen to share.
var talking = map[string]string{"/studio": "camera=()", "/desk": "camera=(self), display-capture=(self)", "/board": "camera=()"}

// Staff is the handler of http.staff_listen: the pages of staff, and what Parts add.
func Staff(o StaffOptions) http.Handler {
	mux := http.NewServeMux()
	for _, add := range o.Parts {
		add(mux)
	}
	mux.HandleFunc("GET /api/openapi.yaml", openAPI)
	mux.HandleFunc("/api/", nothingHere)
	files := http.FileServerFS(o.Pages)
	mux.Handle("/", readOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		switch {
		case path == "/":
			http.Redirect(w, r, "/login", http.StatusSeeOther) // which leads on to where their roles work
		case staffPages[path] != "":
			page(w, o.Pages, staffPages[path], talking[path])
		case !isFile(o.Pages, path) || forCustomers(path) || strings.HasSuffix(path, ".html"):
			plain(w, http.StatusNotFound, "There is nothing at this address.")
		default:
			w.Header().Set("Cache-Control", "no-cache")
			files.ServeHTTP(w, r)
		}
	})))
	return headers(mux)
}

// noncePlace stands in a page for the number that its styles are let in by.
const noncePlace = "__CSP_NONCE__"

// page serves an HTML file with a nonce of its own, for styles that scripts add: no
// style or script that stands in a page by itself is ever used.
func page(w http.ResponseWriter, files fs.FS, name, talks string) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		plain(w, http.StatusServiceUnavailable, notBuilt)
		return
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // it does not fail
	nonce := base64.StdEncoding.EncodeToString(b[:])
	head := w.Header()
	policy := policyWith("'nonce-" + nonce + "'")
	if talks != "" {
		policy += "; media-src 'self'"
		head.Set("Permissions-Policy", talks+", microphone=(self), speaker-selection=(self), geolocation=()")
	}
	head.Set("Content-Security-Policy", policy)
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	_, _ = w.Write(bytes.ReplaceAll(text, []byte(noncePlace), []byte(nonce))) // a client that left is none of ours to mend
}

//go:embed openapi.yaml
var openAPIText []byte

// openAPI serves the description of the staff API. It holds no data: whoever writes a
// program for it may read it before they have a key.
func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(openAPIText) // a client that left is none of ours to mend
}

func nothingHere(w http.ResponseWriter, _ *http.Request) {
	answer.Refuse(w, http.StatusNotFound, "not_found", "There is nothing at this address.")
}
