package importcheck

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// licenceRow is a line of the list: module, version, licence, why.
var licenceRow = regexp.MustCompile(`(?m)^\| (\S+\.\S+/\S+) \| (v\S+) \|([^|]*)\|([^|]*)\|$`)

// licenceFaults lists where the list of licences and a go.mod differ: every module that
// is required directly must be in it, and every one in it at the version required.
func licenceFaults(list string, mod []byte) ([]string, error) {
	file, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		return nil, err
	}
	required, direct := map[string]string{}, []string{}
	for _, r := range file.Require {
		required[r.Mod.Path] = r.Mod.Version
		if !r.Indirect {
			direct = append(direct, r.Mod.Path)
		}
	}
	var found, listed []string
	for _, row := range licenceRow.FindAllStringSubmatch(list, -1) {
		path, version := row[1], row[2]
		listed = append(listed, path)
		if required[path] != version {
			found = append(found, fmt.Sprintf("%s is listed with %s, go.mod has %q", path, version, required[path]))
		}
		if strings.TrimSpace(row[3]) == "" || strings.TrimSpace(row[4]) == "" {
			found = append(found, path+" has no licence or no reason")
		}
	}
	for _, path := range direct {
		if !slices.Contains(listed, path) {
			found = append(found, fmt.Sprintf("%s %s is not listed", path, required[path]))
		}
	}
	return found, nil
}

func TestLicences(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(root, "docs/licences.md"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := licenceFaults(string(list), mod)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("docs/licences.md: %s", f)
	}
}

func TestLicenceFaultsAreFound(t *testing.T) {
	const mod = "module x\ngo 1.26.0\nrequire (\n\ta.b/c v1.0.0\n\ta.b/d v1.1.0 // indirect\n)\n"
	const c = "| a.b/c | v1.0.0 | MIT | metrics |\n"
	for list, want := range map[string]string{
		c: "",
		c + "| a.b/d | v1.1.0 | MIT | for tests |\n": "",
		"":                                   "a.b/c v1.0.0 is not listed",
		"| a.b/c | v0.9.0 | MIT | x |\n":     `a.b/c is listed with v0.9.0, go.mod has "v1.0.0"`,
		"| a.b/c | v1.0.0 |  | x |\n":        "a.b/c has no licence or no reason",
		c + "| a.b/e | v1.0.0 | MIT | x |\n": `a.b/e is listed with v1.0.0, go.mod has ""`,
	} {
		found, err := licenceFaults(list, []byte(mod))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(found, "; "); got != want {
			t.Errorf("%q: found %q, want %q", list, got, want)
		}
	}
}
