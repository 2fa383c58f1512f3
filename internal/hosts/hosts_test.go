package hosts_test

import (
	"net/url"
	"testing"

	"tandem/internal/hosts"
)

func TestAllowed(t *testing.T) {
	allow := []string{"core.bank.example", "secure.example:443", "127.0.0.1:8090", "*.ledger.example", "[::1]:9000"}
	for raw, want := range map[string]bool{
		"https://core.bank.example/a":       true,
		"http://CORE.bank.example:8080/a":   true,
		"http://127.0.0.1:8090/":            true,
		"http://127.0.0.1:8091/":            false,
		"http://127.0.0.1/":                 false,
		"http://a.ledger.example/":          true,
		"http://ledger.example/":            false,
		"http://evil-ledger.example/":       false,
		"http://core.bank.example.evil.com": false,
		"http://[::1]:9000/":                true,
		"http://[::1]/":                     false,
		"https://secure.example/":           true, // by its scheme's port
		"http://secure.example/":            false,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := hosts.Allowed(allow, u); got != want {
			t.Errorf("%s allowed: %v, want %v", raw, got, want)
		}
	}
}
