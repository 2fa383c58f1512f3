package desk

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"tandem"
	"tandem/store/staff"
)

// TestPage runs the steps of docs/api.md as they stand there.
func TestPage(t *testing.T) {
	for _, program := range []string{"curl", "jq", "awk"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("REQUIRE_ALL") == "1" {
				t.Fatalf("SKIP is a failure here: %v", err)
			}
			t.Skipf("SKIP: the page's steps need %s", program)
		}
	}
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		steps = append(steps, m[1])
	}
	h := newHouse(t)
	mux := http.NewServeMux() // by plain http, from this machine
	h.door.Routes(mux)
	h.desk.Routes(mux)
	plain := httptest.NewServer(mux)
	defer plain.Close()
	h.arrive(tandem.TaskChat)
	h.arrive(tandem.TaskCallback) // which anna has no phone for: it waits
	key := h.with("anna", staff.ScopeAgent)
	sh := exec.CommandContext(t.Context(), "sh", "-eu", "-c", strings.ReplaceAll(strings.Join(steps, "\n"), "curl -sS", "curl --fail-with-body -sS"))
	sh.Dir = t.TempDir()
	sh.Env = append(os.Environ(), "STAFF="+plain.URL, "KEY="+key.key, "SUE_PASSWORD="+password)
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"name": "anna"`, `"available"`, `"kind": "chat"`, `"assigned"`, `"sent"`, `"wrapping"`, `"lunch"`, "anna away 0"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the steps never print %s:\n%s", want, out)
		}
	}
}
