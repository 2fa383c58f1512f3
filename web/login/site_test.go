package login

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem/store/sqlite"
	"tandem/store/staff"
	"tandem/store/storetest"
)

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const (
	good = "orange ladder tree"
	next = "purple window frog"
)

// site is a real server with the door and, behind it, /api/v1/flows for designers.
type site struct {
	*httptest.Server
	door  *Door
	staff *staff.Register
	db    *sqlite.DB
	clock *storetest.Still
	log   *buffer
	mux   *http.ServeMux
	full  atomic.Bool // the disk of the database
}

func newSite(t *testing.T, change ...func(*Options)) *site {
	t.Helper()
	at := storetest.NewPlace(t)
	s := &site{clock: storetest.NewStill(time.Unix(1795424400, 0)), log: &buffer{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	var err error
	if s.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(at.Dir, "tandem.db"), Keys: at.Keys, Log: log, Fault: s.fault}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	s.staff, err = staff.New(staff.Options{Database: s.db, Keys: at.Keys, Now: s.clock.Now, Cost: staff.Cost{Memory: 64, Passes: 1, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.mux = mux
	s.Server = httptest.NewUnstartedServer(mux)
	o := Options{Register: s.staff, URL: "https://" + s.Listener.Addr().String(), Log: log, Now: s.clock.Now}
	for _, f := range change {
		f(&o)
	}
	if s.door, err = New(o); err != nil {
		t.Fatal(err)
	}
	s.door.Routes(mux)
	flows := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if err := s.door.Record(r.Context(), "flow.publish", "bank", "from "+From(r.Context()).Name); err != nil {
				t.Error(err)
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.Handle("GET /api/v1/flows", s.door.Require(flows, staff.Designer, staff.Supervisor))
	mux.Handle("POST /api/v1/flows", s.door.Require(flows, staff.Designer))
	s.StartTLS()
	t.Cleanup(s.Close)
	for _, role := range staff.Roles() {
		s.add(t, string(role), role)
	}
	return s
}

func (s *site) fault(string) error {
	if s.full.Load() {
		return errors.New("no space left")
	}
	return nil
}

func (s *site) add(t *testing.T, name string, roles ...staff.Role) {
	t.Helper()
	if _, err := s.staff.Add(t.Context(), staff.Actor{Name: "test"}, staff.User{Name: name, Roles: roles}, good); err != nil {
		t.Fatal(err)
	}
}

// browser keeps cookies and says where its pages are from, as browsers do.
type browser struct {
	t      *testing.T
	s      *site
	client *http.Client
	origin string
	csrf   string
}

func (s *site) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := *s.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{t: t, s: s, client: &client, origin: s.URL}
}

// reply is an answer, read.
type reply struct {
	*http.Response
	body string
}

func (r reply) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(r.body), &p) // "" if it has none
	return p.Code
}

func (b *browser) do(method, path string, body any, change ...func(*http.Request)) reply {
	b.t.Helper()
	var in io.Reader
	if text, ok := body.(string); ok {
		in = strings.NewReader(text)
	} else if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.s.URL+path, in)
	if err != nil {
		b.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method != "GET" {
		req.Header.Set("Origin", b.origin)
		req.Header.Set("X-CSRF-Token", b.csrf)
	}
	for _, f := range change {
		f(req)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{resp, string(data)}
}

type credentials struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Code     string `json:"code,omitempty"`
}

// login logs in and takes the page's token over.
func (b *browser) login(name, password, code string) reply {
	b.t.Helper()
	r := b.do("POST", "/api/v1/login", credentials{name, password, code})
	var m me
	if r.StatusCode == 200 {
		if err := json.Unmarshal([]byte(r.body), &m); err != nil || m.CSRF == "" {
			b.t.Fatalf("%s: %v", r.body, err)
		}
		b.csrf = m.CSRF
	}
	return r
}

// as is a browser in which somebody is logged in.
func (s *site) as(t *testing.T, name string) *browser {
	t.Helper()
	b := s.browser(t)
	if r := b.login(name, good, ""); r.StatusCode != 200 {
		t.Fatalf("%s cannot log in: %s", name, r.body)
	}
	return b
}

func (b *browser) cookie() string {
	req, err := http.NewRequest("GET", b.s.URL, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(req.URL) {
		if c.Name == cookieName {
			return c.Value
		}
	}
	return ""
}
