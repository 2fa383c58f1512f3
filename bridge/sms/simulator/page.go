package simulator

import (
	"embed"
	"mime"
	"net/http"
	"path"
)

//go:embed page
var files embed.FS

// policy lets the page use nothing but its own files and the API.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page serves the phones' page.
func (s *Simulator) page(mux *http.ServeMux) {
	for address, name := range map[string]string{"/{$}": "phone.html", "/phone.js": "phone.js", "/words.js": "words.js", "/phone.css": "phone.css", "/favicon.svg": "icon.svg"} {
		mux.HandleFunc("GET "+address, func(w http.ResponseWriter, _ *http.Request) {
			data, err := files.ReadFile("page/" + name)
			if err != nil {
				panic("simulator: a page is missing: " + err.Error()) // it is embedded
			}
			h := w.Header()
			h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
			h.Set("Content-Security-Policy", policy)
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-cache")
			_, _ = w.Write(data) // who asked may have left
		})
	}
}
