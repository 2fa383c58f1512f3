package importcheck

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// minimum are the oldest versions that may be used, for modules with known holes.
// A module that is not required at all is fine.
var minimum = []struct{ path, version, why string }{
	{"github.com/pion/dtls/v3", "v3.1.5", "older ones panic on a packet (CVE-2026-54908) or repeat nonces (CVE-2026-26014)"},
	{"github.com/pion/stun/v3", "v3.1.5", "older ones panic on a packet (GHSA-34rh-wp3j-6cxc)"},
	{"golang.org/x/crypto", "v0.35.0", "CVE-2025-22869 and earlier"},
	{"golang.org/x/net", "v0.38.0", "CVE-2025-22872 and earlier"},
}

// pinned are versions that may not be changed, newer ones included.
var pinned = []struct{ path, version, why string }{
	{"github.com/pion/webrtc/v4", "v4.2.17", "newer ones need a module that cannot be had"},
}

// forbidden are modules whose holes are never mended.
var forbidden = []struct{ path, why string }{
	{"github.com/pion/dtls/v2", "CVE-2026-26014 stays in it; use v3"},
	{"github.com/pion/dtls", "it is older still; use v3"},
}

// faults lists what is wrong with a go.mod.
func faults(name string, data []byte) ([]string, error) {
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, r := range mod.Replace {
		found = append(found, fmt.Sprintf("replaces %s: what is built must be what is named", r.Old.Path))
	}
	for _, e := range mod.Exclude {
		found = append(found, fmt.Sprintf("excludes %s", e.Mod.Path))
	}
	for _, r := range mod.Require {
		for _, m := range minimum {
			if r.Mod.Path == m.path && semver.Compare(r.Mod.Version, m.version) < 0 {
				found = append(found, fmt.Sprintf("%s is %s, at least %s is needed: %s", m.path, r.Mod.Version, m.version, m.why))
			}
		}
		for _, f := range forbidden {
			if r.Mod.Path == f.path {
				found = append(found, fmt.Sprintf("requires %s: %s", f.path, f.why))
			}
		}
		for _, p := range pinned {
			if r.Mod.Path == p.path && r.Mod.Version != p.version {
				found = append(found, fmt.Sprintf("%s is %s, only %s may be used: %s", p.path, r.Mod.Version, p.version, p.why))
			}
		}
	}
	return found, nil
}

func TestModules(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := faults("go.mod", data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("go.mod %s", f)
	}
}

func TestModuleFaultsAreFound(t *testing.T) {
	const head = "module x\ngo 1.26.0\n"
	for text, want := range map[string]string{
		"require github.com/pion/dtls/v3 v3.1.4\n":                        "at least v3.1.5",
		"require github.com/pion/stun/v3 v3.0.9 // indirect\n":            "at least v3.1.5",
		"require github.com/pion/webrtc/v4 v4.2.26\n":                     "only v4.2.17",
		"require github.com/pion/dtls/v2 v2.2.12\n":                       "requires github.com/pion/dtls/v2",
		"require a.b/c v1.0.0\nreplace a.b/c => ../c\n":                   "replaces a.b/c",
		"require a.b/c v1.0.0\nexclude a.b/c v1.1.0\n":                    "excludes a.b/c",
		"require github.com/pion/dtls/v3 v3.1.5\n":                        "",
		"require github.com/pion/dtls/v3 v3.1.10\n":                       "",
		"require (\n\tgithub.com/pion/webrtc/v4 v4.2.17 // indirect\n)\n": "",
	} {
		found, err := faults("go.mod", []byte(head+text))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(found, "; "); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
}
