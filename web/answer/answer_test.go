package answer

import (
	"bufio"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestJSON(t *testing.T) {
	w := httptest.NewRecorder()
	Refuse(w, 409, "conflict", "Somebody was faster.")
	if w.Code != 409 || w.Body.String() != `{"code":"conflict","message":"Somebody was faster."}`+"\n" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	defer func() {
		if recover() == nil {
			t.Error("what cannot be written was written")
		}
	}()
	JSON(httptest.NewRecorder(), 200, func() {})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{"name":"a"}`, `{"name":"a"}x`, `{"other":1}`, `[]`, ``, `{"name":`, "\xff"} {
		f.Add("application/json", seed)
	}
	f.Add("text/plain", "{}")
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header["Content-Type"] = []string{kind}
		w := httptest.NewRecorder()
		var in struct {
			Name string `json:"name"`
		}
		if ok := Read(w, r, &in); ok == (w.Body.Len() > 0) {
			t.Errorf("read %t and answered %d %s", ok, w.Code, w.Body)
		}
	})
}

// TestStreamOutlivesTheLimits runs a server whose limits of time are far shorter than
// the stream, and which then loses its reader.
func TestStreamOutlivesTheLimits(t *testing.T) {
	const limit = 50 * time.Millisecond
	begun, more, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := NewStream(w)
		if err != nil {
			ended <- err
			return
		}
		close(begun)
		<-more
		ended <- errors.Join(r.Context().Err(), s.Event("flows", map[string]int{"number": 7}), s.Beat())
		<-r.Context().Done()
		ended <- r.Context().Err()
	}))
	server.Config.ReadTimeout, server.Config.WriteTimeout = limit, limit
	server.Start()
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream; charset=utf-8" {
		t.Error(kind)
	}
	<-begun
	passed := time.NewTimer(4 * limit) // what is waited for is the limits' end
	<-passed.C
	close(more)
	lines := bufio.NewScanner(resp.Body)
	got := ""
	for !strings.HasSuffix(got, ": |") && lines.Scan() {
		got += lines.Text() + "|"
	}
	if got != `: hello||event: flows|data: {"number":7}||: |` {
		t.Errorf("received %q, %v", got, lines.Err())
	}
	if err := <-ended; err != nil {
		t.Errorf("after the limits: %v", err)
	}
	resp.Body.Close()
	if err := <-ended; err == nil {
		t.Error("the handler does not learn that its reader left")
	}
}

func TestStreamNeedsAConnection(t *testing.T) {
	if _, err := NewStream(httptest.NewRecorder()); err == nil {
		t.Error("a stream without deadlines began")
	}
}
