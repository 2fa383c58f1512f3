package api

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"tandem/web/answer"
)

// CustomersOptions is what the customers' door is made of.
type CustomersOptions struct {
	Pages   fs.FS // the built pages, index.html at the root
	Status  Status
	Version string
	Demo    bool // the page says that all it speaks of is made up, and plays a customer's phone
	// Phone is the telephone that the demo's page plays; nil = none. The page may then ask
	// the simulator for its texts, the one address of another origin that it may load from.
	Phone *Phone
	// Parts add their addresses: conversations, link pages, gateways' webhooks. Each keeps
	// out who may not see what it shows.
	Parts []func(*http.ServeMux)
}

// Phone is a customer's telephone in the demo.
type Phone struct {
	URL    string `json:"url"`    // of the simulator that keeps its texts, such as http://127.0.0.1:8083
	Number string `json:"number"` // its own, E.164
}

// PictureBody is the limit of a request's body, in bytes, at an address that takes
// pictures: 8 MiB, and what comes with it. It is the customers' door's; all its other
// addresses keep to SmallBody.
const PictureBody = 9 << 20

// takesPictures are the addresses that take pictures: of messages, and of identity checks.
func takesPictures(path string) bool {
	return path == "/api/v1/chat/attachments" || strings.HasPrefix(path, "/api/v1/chat/stills/")
}

// seen are the pages on which customers speak, and are seen if they agree: these may ask for
// microphone and camera.
func seen(path string) bool {
	switch path {
	case "/", "/index.html", "/chat", "/check":
		return true
	}
	return strings.HasPrefix(path, "/q/")
}

// Customers is the handler of http.listen: the pages of customers, the widget's script,
// GET /api/v1/entries, from which the first page is filled, and what Parts add.
func Customers(o CustomersOptions) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/entries", func(w http.ResponseWriter, r *http.Request) {
		view := Overview{Demo: o.Demo, Version: o.Version, Ready: o.Status.Ready() == nil, Calls: o.Status.Calls(), Entries: []Entry{}}
		if o.Demo {
			view.Phone = o.Phone
		}
		for _, e := range o.Status.Entries() {
			e.Languages = append([]string{}, e.Languages...) // never null
			e.Dial = append([]string{}, e.Dial...)
			view.Entries = append(view.Entries, e)
		}
		answer.JSON(w, http.StatusOK, view)
	})
	for _, add := range o.Parts {
		add(mux)
	}
	mux.HandleFunc("/api/", nothingHere)
	mux.Handle("/chat", readOnly(rootedPage(o.Pages, "chat.html", "")))
	mux.Handle("/q/{code}", readOnly(rootedPage(o.Pages, "chat.html", "../")))
	mux.Handle("/check", readOnly(rootedPage(o.Pages, "customer-check.html", "")))
	mux.Handle("/", readOnly(pages(o.Pages)))
	policy := customersPolicy(o)
	return headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		if seen(r.URL.Path) {
			w.Header().Set("Permissions-Policy", "camera=(self), microphone=(self), speaker-selection=(self), geolocation=()")
		}
		if !takesPictures(r.URL.Path) && r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, SmallBody)
		}
		mux.ServeHTTP(w, r)
	}))
}

// customersPolicy is what customers' pages may load: what comes from their own door,
// sockets too, and pictures that a script has fetched. In the demo the simulator of the
// customer's phone is let in beside it.
func customersPolicy(o CustomersOptions) string {
	policy := strings.Replace(policyWith(""), "img-src 'self' data:", "img-src 'self' data: blob:", 1)
	if !o.Demo || o.Phone == nil {
		return policy
	}
	u, err := url.Parse(o.Phone.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.ContainsAny(u.Host, " ;,'\"*") {
		return policy
	}
	return strings.Replace(policy, "connect-src 'self'", "connect-src 'self' "+u.Scheme+"://"+u.Host, 1)
}

// rootPlace stands in a page for the way from its address to the door's root,
// which a proxy may have put below a path of its own.
const rootPlace = "__ROOT__"

// rootedPage serves a page that is the same for everybody and reads its own address: that
// which is one chat, at /chat?site=NAME and /q/CODE of a QR code, and the one that tries
// microphone, camera and network.
func rootedPage(files fs.FS, name, root string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			plain(w, http.StatusServiceUnavailable, notBuilt)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(bytes.ReplaceAll(text, []byte(rootPlace), []byte(root))) // a client that left is none of ours to mend
	})
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
		path := r.URL.Path
		if path != "/" && (!isFile(files, path) || !forAll(path) || strings.HasSuffix(path, ".html")) {
			plain(w, http.StatusNotFound, "There is nothing at this address.")
			return
		}
		if path == "/widget.js" || path == "/customer-face.js" { // stand on other people's pages
			w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
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

// forCustomers tells the files of the customers' pages from those of staff: the one
// door never shows what belongs to the other.
func forCustomers(path string) bool {
	switch path {
	case "/index.html", "/widget.js", "/chat.html", "/chat.js", "/chat.css", "/handoff.js":
		return true
	}
	return strings.HasPrefix(path, "/customer")
}

// forAll are the files that customers may see: their own, and the icon.
func forAll(path string) bool { return forCustomers(path) || path == "/icon.svg" }
