package api

import (
	"io/fs"
	"net/http"

	"tandem/web/answer"
)

// CustomersOptions is what the customers' door is made of.
type CustomersOptions struct {
	Pages   fs.FS // the built pages, index.html at the root
	Status  Status
	Version string
	Demo    bool // the page says that all it speaks of is made up
}

// Customers is the handler of http.listen: the page that says what to dial, and
// GET /api/v1/entries, from which it is filled.
func Customers(o CustomersOptions) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/entries", func(w http.ResponseWriter, r *http.Request) {
		view := Overview{Demo: o.Demo, Version: o.Version, Ready: o.Status.Ready() == nil, Calls: o.Status.Calls(), Entries: []Entry{}}
		for _, e := range o.Status.Entries() {
			e.Languages = append([]string{}, e.Languages...) // never null
			e.Dial = append([]string{}, e.Dial...)
			view.Entries = append(view.Entries, e)
		}
		answer.JSON(w, http.StatusOK, view)
	})
	mux.HandleFunc("/api/", nothingHere)
	mux.Handle("/", readOnly(pages(o.Pages)))
	return headers(mux)
}

// readOnly answers 405 to what would change something: no page here takes any.
func readOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			plain(w, http.StatusMethodNotAllowed, "Pages can be read only.")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// pages serves the built files. Without them it says so: the program runs all the
// same, for calls need no page.
func pages(files fs.FS) http.Handler {
	if _, err := fs.Stat(files, "index.html"); err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				plain(w, http.StatusNotFound, "There is nothing at this address.")
				return
			}
			plain(w, http.StatusServiceUnavailable, notBuilt+"\nGET /api/v1/entries lists what to dial.")
		})
	}
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.Path; path != "/" && (!isFile(files, path) || !forAll(path) || path == "/index.html") {
			plain(w, http.StatusNotFound, "There is nothing at this address.")
			return
		}
		w.Header().Set("Cache-Control", "no-cache") // ask each time: files of a build have no version in their names
		server.ServeHTTP(w, r)
	})
}

// notBuilt is said where the pages are missing.
const notBuilt = "The pages are not built into this program. Run make build (it needs Node and npm) and start it again.\nCalls are served all the same."

// isFile reports whether a path names one of the files.
func isFile(files fs.FS, path string) bool {
	if len(path) < 2 || !fs.ValidPath(path[1:]) || path == "/.keep" {
		return false
	}
	info, err := fs.Stat(files, path[1:])
	return err == nil && !info.IsDir()
}

// forAll are the files that customers may see: their own, and the icon.
func forAll(path string) bool { return forCustomers(path) || path == "/icon.svg" }
