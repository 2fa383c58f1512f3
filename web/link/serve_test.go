package link

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"
)

// scratch: serves for looking at
func TestServe(t *testing.T) {
	addr := os.Getenv("LINK_SERVE")
	if addr == "" {
		t.Skip()
	}
	h := newHouse(t, nil)
	h.said = []string{"I see you have finished.", "网上银行已开通。"}
	n := 0
	mux := http.NewServeMux()
	p := h.Handler
	mux.Handle("/", p)
	mux.HandleFunc("/new", func(w http.ResponseWriter, r *http.Request) {
		n++
		o := h.order(fmt.Sprint("k", n))
		o.Lang = r.URL.Query().Get("l")
		switch r.URL.Query().Get("kind") {
		case "told":
			o.Needs, o.Assurance, o.Told = 2, 2, true
		case "nofactor":
			o.Needs = 2
		case "go":
			o.Operation, o.To, o.Needs, o.Assurance, o.Told = "", "chat", 2, 2, true
		}
		l, token := h.token(t, o)
		fmt.Fprint(w, token+" "+l.Code)
	})
	s := &http.Server{Addr: addr, Handler: mux}
	go s.ListenAndServe()
	time.Sleep(10 * time.Minute)
	s.Close()
}
