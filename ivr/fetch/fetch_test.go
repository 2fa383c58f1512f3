package fetch

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tandem/ivr/flow"
)

func TestDo(t *testing.T) {
	var hits atomic.Int32
	slow := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ok", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Desk") != "7" || string(body) != `{"a":1}` {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(map[string][]string{"key": r.Header.Values("Idempotency-Key")})
	})
	mux.HandleFunc("GET /flaky", func(w http.ResponseWriter, r *http.Request) {
		if hits.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, r *http.Request) { hits.Add(1); w.WriteHeader(500) })
	mux.HandleFunc("GET /away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	})
	mux.HandleFunc("GET /huge", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat("x", maxBody+1)) })
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) { <-slow })
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(slow)
	client := New([]string{"127.0.0.1"})
	defer client.Close()

	for _, tc := range []struct {
		name string
		in   flow.Fetch
		want flow.Fetched
		hits int32
	}{
		{"posts JSON with headers and a key", flow.Fetch{Method: "POST", URL: server.URL + "/ok", Body: []byte(`{"a":1}`), Headers: [][2]string{{"X-Desk", "7"}}, Key: "k1"},
			flow.Fetched{Status: 200, Body: []byte("{\"key\":[\"k1\"]}\n"), Tries: 1}, 0},
		{"posts without a key", flow.Fetch{Method: "POST", URL: server.URL + "/ok", Body: []byte(`{"a":1}`), Headers: [][2]string{{"X-Desk", "7"}}, Retries: 1},
			flow.Fetched{Status: 200, Body: []byte("{\"key\":null}\n"), Tries: 1}, 0},
		{"retries what may pass", flow.Fetch{Method: "GET", URL: server.URL + "/flaky", Retries: 2}, flow.Fetched{Status: 200, Body: []byte{}, Tries: 3}, 3},
		{"does not retry a fault of the back end", flow.Fetch{Method: "GET", URL: server.URL + "/broken", Retries: 2}, flow.Fetched{Status: 500, Body: []byte{}, Tries: 1}, 1},
		{"follows no redirect", flow.Fetch{Method: "GET", URL: server.URL + "/away"}, flow.Fetched{Status: 302, Tries: 1}, 0},
		{"bounds the body", flow.Fetch{Method: "GET", URL: server.URL + "/huge"}, flow.Fetched{Status: 200, Failed: "the answer is larger than 1048576 bytes", Tries: 1}, 0},
		{"times out", flow.Fetch{Method: "GET", URL: server.URL + "/slow", Timeout: 50 * time.Millisecond}, flow.Fetched{Failed: "timeout", Tries: 1}, 0},
		{"refuses an unlisted host once", flow.Fetch{Method: "GET", URL: "http://localhost:1/", Retries: 3}, flow.Fetched{Failed: refused, Tries: 1}, 0},
		{"refuses other schemes", flow.Fetch{Method: "GET", URL: "file:///etc/passwd"}, flow.Fetched{Failed: "the address is no http or https URL", Tries: 1}, 0},
		{"refuses credentials in the URL", flow.Fetch{Method: "GET", URL: "http://a:b@127.0.0.1/"}, flow.Fetched{Failed: refused, Tries: 1}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			hits.Store(0)
			if tc.in.Timeout == 0 {
				tc.in.Timeout = 5 * time.Second
			}
			got := client.Do(context.Background(), tc.in)
			if got.Status == 302 {
				got.Body = nil
			}
			got.MS = 0
			if got.Status != tc.want.Status || got.Failed != tc.want.Failed || got.Tries != tc.want.Tries || string(got.Body) != string(tc.want.Body) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if tc.hits != 0 && hits.Load() != tc.hits {
				t.Errorf("%d requests arrived, want %d", hits.Load(), tc.hits)
			}
		})
	}
}
