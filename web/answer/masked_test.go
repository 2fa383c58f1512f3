package answer

import "testing"

func TestMasked(t *testing.T) {
	for path, want := range map[string]string{
		"/":                 "/",
		"/l":                "/l",
		"/link.css":         "/link.css",
		"/o/06abc":          "/o/06abc",
		"/l/abc":            "/l/••••",
		"/l/abc/def":        "/l/••••",
		"/l//abc":           "/l/••••",
		"/tandem/l/abc":     "/tandem/l/••••",
		"/l/abc/l/def":      "/l/••••",
		"/api/v1/chat/link": "/api/v1/chat/link",
		"/t":                "/t",
		"/t/abc":            "/t/••••",
		"/tandem/t/abc/l/d": "/tandem/t/••••",
		"/l/abc/t/def":      "/l/••••",
	} {
		if got := Masked(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
