package app

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"tandem/internal/config"
	"tandem/store/staff"
)

// ask sends a request to one of a server's doors.
func ask(t *testing.T, method, address, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(data)
}

// TestStaffDoor: staff log in at their door and nowhere else, and nothing of it is in
// the log.
func TestStaffDoor(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const password = "orange ladder tree"
	if _, err := s.Staff().Add(t.Context(), staff.Actor{Name: "test"}, staff.User{Name: "ann", Roles: []staff.Role{staff.Designer}}, password); err != nil {
		t.Fatal(err)
	}
	door, customers, machines := s.Addresses()["http.staff_listen"][0], s.Addresses()["http.listen"][0], s.Addresses()["http.admin_listen"][0]
	body, head := `{"name":"ann","password":"`+password+`"}`, map[string]string{"Content-Type": "application/json", "Origin": "http://" + door}
	for _, other := range []string{customers, machines} {
		for _, path := range []string{"/api/v1/me", "/api/v1/login", "/studio", "/login"} {
			if resp, text := ask(t, "GET", "http://"+other+path, "", nil); resp.StatusCode != 404 {
				t.Errorf("%s at another door: %d %s", path, resp.StatusCode, text)
			}
		}
		if resp, _ := ask(t, "POST", "http://"+other+"/api/v1/login", body, head); resp.StatusCode != 404 && resp.StatusCode != 405 {
			t.Errorf("a login at another door: %d", resp.StatusCode)
		}
	}
	if resp, text := ask(t, "GET", "http://"+door+"/api/v1/entries", "", nil); resp.StatusCode != 404 {
		t.Errorf("the customers' API at the staff's door: %d %s", resp.StatusCode, text)
	}
	resp, text := ask(t, "POST", "http://"+door+"/api/v1/login", body, head)
	if resp.StatusCode != 200 || !strings.Contains(text, `"name":"ann"`) {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	cookie := resp.Cookies()[0]
	resp, text = ask(t, "GET", "http://"+door+"/api/v1/me", "", map[string]string{"Cookie": cookie.Name + "=" + cookie.Value})
	if resp.StatusCode != 200 || !strings.Contains(text, `"csrf"`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, _ := ask(t, "GET", "http://"+customers+"/api/v1/entries", "", map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}); resp.StatusCode != 200 {
		t.Errorf("the customers' door with staff's cookie: %d", resp.StatusCode)
	}
	for _, secret := range []string{password, cookie.Value} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("the log has a secret")
		}
	}
}

// TestRolesAreThoseOfTheConfiguration: the configuration takes every role there is.
func TestRolesAreThoseOfTheConfiguration(t *testing.T) {
	for _, role := range staff.Roles() {
		if _, err := config.Parse("t.yaml", []byte("staff: { totp: ["+string(role)+"] }"), nil); err != nil {
			t.Error(err)
		}
	}
}

// TestProviders: one that is down at the start delays nothing, is on the login page, and
// is told as down when somebody wants in by it.
func TestProviders(t *testing.T) {
	s := newServerWith(t, setup{more: `
staff: { oidc: { company: { issuer: "http://127.0.0.1:1", client_id: tandem, client_secret: s3cret, roles: { flow-team: designer } } } }
`})
	door := s.Addresses()["http.staff_listen"][0]
	if resp, text := ask(t, "GET", "http://"+door+"/api/v1/me", "", nil); resp.StatusCode != 401 || !strings.Contains(text, `"oidc":[{"id":"company","name":"company"}]`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + door + "/api/v1/oidc/company")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if to := resp.Header.Get("Location"); to != "/login?failed=oidc_unreached" {
		t.Errorf("led to %q", to)
	}
	if strings.Contains(s.log.String(), "s3cret") {
		t.Error("the log has the client's secret")
	}
	o := s.providerOptions("x", config.OIDC{Roles: map[string]string{"a": "auditor"}})
	if o.Name != "x" || o.NameClaim != "email" || o.RolesClaim != "roles" || strings.Join(o.Scopes, " ") != "email profile" || o.Roles["a"] != staff.Auditor {
		t.Errorf("what is left out means %+v", o)
	}
}
