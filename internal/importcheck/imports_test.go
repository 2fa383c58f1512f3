package importcheck

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "tandem"
	root   = "../.."

	everything = "everything"                  // the wiring and the program
	belowApp   = "everything but internal/app" // the test kit
)

// table is what each package may import of ours, besides the standard library and
// modules of others. Imports run downward only.
var table = map[string][]string{
	"tandem": nil,

	"ivr/flow/expression": {"tandem", "internal/nearest"},
	"ivr/flow":            {"tandem", "ivr/flow/expression"},
	"ivr/flow/engine":     {"tandem", "ivr/flow", "ivr/flow/expression"},
	"ivr/flow/simulate":   {"tandem", "ivr/flow", "ivr/flow/engine", "ivr/flow/expression"},
	"ivr/flow/suite":      {"tandem", "internal/nearest", "ivr/flow", "ivr/flow/expression", "ivr/flow/simulate", "ivr/flow/source"},
	"ivr/flow/source":     {"internal/nearest", "ivr/flow", "ivr/flow/expression"},
	"ivr/flow/calendar":   {"ivr/flow", "ivr/flow/expression", "ivr/flow/source"},
	"ivr/flow/beside":     {"tandem", "ivr/flow", "ivr/flow/expression", "ivr/flow/source", "media/wav"},
	"ivr/flow/check":      {"tandem", "bridge/sms/segment", "ivr/flow", "ivr/flow/expression", "ivr/flow/source"},
	"ivr/flow/format":     {"ivr/flow/source"},
	"ivr/flow/picture":    {"tandem", "internal/layered", "ivr/flow", "ivr/flow/expression", "ivr/flow/source"},
	"ivr/flow/schema":     {"tandem", "ivr/flow"},
	"ivr/flow/complete":   {"ivr/flow", "ivr/flow/schema", "ivr/flow/source"},
	"ivr/flow/reference":  {"ivr/flow/schema"},
	"ivr/flow/program":    {"tandem", "internal/hosts", "internal/nearest", "ivr/flow", "ivr/flow/beside", "ivr/flow/check", "ivr/flow/expression", "ivr/flow/serving", "ivr/flow/source"},
	"ivr/flow/replay":     {"tandem", "ivr/flow", "ivr/flow/engine"},
	"ivr/flow/read":       {"tandem", "internal/nearest", "ivr/flow", "ivr/flow/beside", "ivr/flow/calendar", "ivr/flow/check", "ivr/flow/expression", "ivr/flow/program", "ivr/flow/serving", "ivr/flow/source"},
	"ivr/flow/serving":    {"ivr/flow"},
	"ivr/fetch":           {"tandem", "internal/hosts", "ivr/flow"},
	"ivr":                 {"tandem", "ivr/flow", "ivr/flow/engine"},
	"ivr/text":            {"tandem", "bridge/chat", "ivr/flow", "ivr/flow/engine", "store"},
	"ivr/voice":           {"tandem", "ivr", "ivr/flow", "media", "media/codec", "media/dtmf", "media/prompt", "sip"},

	"sip/sdp":  {"tandem"},
	"sip/gate": {"tandem"},
	"sip":      {"tandem", "sip/sdp", "sip/gate"},

	"media/codec":              {"tandem"},
	"media/dtmf":               {"tandem"},
	"media/rtp":                {"media/codec", "media/dtmf"},
	"media/wav":                {"media/codec"},
	"media":                    {"tandem", "media/codec", "media/dtmf", "media/mix", "media/rtp"},
	"media/mix":                {"media/codec"},
	"media/record":             {"media/codec", "media/codec/opus", "media/video"},
	"media/codec/opus":         {"media/codec"},
	"media/speech":             {"tandem", "media/wav"},
	"media/video":              {"media/rtp"},
	"media/webrtc":             {"tandem", "media", "media/codec", "media/codec/opus", "media/rtp", "media/video", "media/webrtc/description", "media/webrtc/pictures", "media/webrtc/port", "media/webrtc/relay"},
	"media/webrtc/description": {"media/codec"},
	"media/webrtc/pictures":    {"media/rtp", "media/webrtc/description"},
	"media/webrtc/port":        nil,
	"media/webrtc/relay":       nil,
	"media/prompt":             {"tandem", "media", "media/codec", "media/speech", "media/wav"},

	"bridge/caps":                {"tandem"},
	"bridge/chat":                {"tandem", "store"},
	"bridge/hook":                {"tandem", "store", "store/outbox"},
	"bridge/leg":                 {"media", "media/codec", "sip/sdp"},
	"bridge/reach":               {"tandem", "bridge/chat", "bridge/link", "bridge/sms", "ivr/flow", "store"},
	"bridge/phone":               {"tandem", "bridge/caps", "bridge/leg", "bridge/queue", "bridge/room", "bridge/route", "media", "media/video", "sip", "store"},
	"bridge/queue":               {"tandem", "bridge/route", "store"},
	"bridge/queue/audit":         {"tandem", "bridge/queue", "bridge/queue/figures", "bridge/route", "store"},
	"bridge/queue/figures":       {"tandem", "store"},
	"bridge/queue/simulation":    {"tandem", "bridge/queue", "bridge/queue/audit", "bridge/route", "store"},
	"bridge/room":                {"tandem", "media", "media/video"},
	"bridge/route":               {"tandem", "bridge/route/ordered"},
	"bridge/route/ordered":       {},
	"bridge/route/whatif":        {"tandem", "bridge/route"},
	"bridge/survey":              {"tandem", "ivr/flow", "ivr/flow/expression", "store"},
	"bridge/ticket":              {"tandem", "bridge/route", "ivr/flow", "store"},
	"bridge/upgrade":             {"tandem", "bridge/phone", "bridge/queue", "bridge/room", "bridge/route", "media", "media/video", "media/webrtc", "store"},
	"bridge/identity":            {"tandem", "internal/hosts", "ivr/flow", "store", "store/outbox"},
	"bridge/identity/check":      {"tandem", "ivr/flow", "media/video", "store", "store/blob"},
	"bridge/identity/check/pack": {"tandem", "store"},
	"bridge/link":                {"tandem", "store"},
	"bridge/sms":                 {"tandem", "bridge/sms/segment", "store", "store/outbox"},
	"bridge/sms/segment":         {},
	"bridge/sms/simulator":       {"bridge/sms/segment"},

	"store":           {"tandem"},
	"store/blob":      {"tandem", "store"},
	"store/outbox":    {"tandem", "store"},
	"store/release":   {"tandem", "store"},
	"store/sqlite":    {"tandem", "store", "store/blob"},
	"store/staff":     {"store"},
	"store/storetest": {"tandem", "store", "store/blob"},

	"web/answer":     nil,
	"web/api":        {"tandem", "web/answer"},
	"web/upgrade":    nil,
	"web/chat":       {"tandem", "bridge/chat", "media/webrtc", "store", "store/blob", "web/answer", "web/upgrade"},
	"web/desk":       {"tandem", "bridge/hook", "bridge/phone", "bridge/queue/figures", "bridge/route", "bridge/survey", "bridge/ticket", "media/record", "media/wav", "media/webrtc", "store", "store/staff", "web/answer", "web/desk/alert", "web/desk/board", "web/desk/duty", "web/desk/live", "web/desk/story", "web/desk/view", "web/login"},
	"web/desk/alert": {"tandem", "bridge/hook", "store", "web/desk/board"},
	"web/desk/board": {"tandem", "bridge/queue", "bridge/queue/figures", "bridge/route"},
	"web/desk/duty":  {"tandem", "bridge/chat", "bridge/phone", "bridge/queue", "bridge/route", "media/webrtc", "store", "store/staff", "web/answer", "web/desk/live", "web/desk/view", "web/login"},
	"web/desk/live":  {"tandem", "bridge/chat", "bridge/phone", "bridge/queue", "bridge/route", "media/webrtc", "store/staff", "web/answer", "web/desk/board", "web/desk/view", "web/login", "web/upgrade"},
	"web/desk/story": {"tandem", "store", "web/desk/view"},
	"web/desk/view":  {"tandem", "bridge/chat", "bridge/phone", "bridge/route"},
	"web/echo":       {"media/video", "media/webrtc", "web/answer", "web/upgrade"},
	"web/link":       {"tandem", "bridge/link", "bridge/ticket", "ivr/flow", "ivr/flow/expression", "store", "web/answer"},
	"web/login":      {"store", "store/staff", "web/answer"},
	"web/studio":     {"tandem", "internal/shelf", "internal/tally", "ivr/flow", "ivr/flow/complete", "ivr/flow/format", "ivr/flow/picture", "ivr/flow/read", "ivr/flow/schema", "ivr/flow/source", "ivr/flow/suite", "store", "store/release", "store/staff", "web/answer"},
	"web/oidc":       {"store/staff", "web/login"},
	"web/voice":      {"tandem", "media", "media/codec", "media/webrtc", "web/answer", "web/upgrade"},
	"web/ui":         nil,

	"flows":        nil,
	"flows/record": {"tandem", "bridge/identity", "bridge/reach", "bridge/survey", "flows", "internal/mockbank", "ivr/flow", "ivr/flow/read", "media", "media/codec", "media/prompt", "media/speech", "media/wav"},

	"internal/config":      {"tandem", "internal/nearest"},
	"internal/hosts":       nil,
	"internal/layered":     nil,
	"internal/nearest":     nil,
	"internal/shelf":       {"tandem", "ivr/flow", "ivr/flow/read", "ivr/flow/source", "store", "store/release"},
	"internal/tally":       {"tandem"},
	"internal/mockbank":    nil,
	"internal/importcheck": nil,
	"internal/testkit":     {belowApp},
	"internal/app":         {everything},
	"cmd/tandem":           {everything},

	"interop":         nil,
	"bench/bridge":    {"media", "media/codec", "media/rtp", "media/webrtc"},
	"bench/forward":   {"media", "media/video", "media/webrtc"},
	"bench/routeplot": nil,
	"bench/rtpmon":    nil,
}

// mayImport reports whether a package's own files may import another.
func mayImport(from, to string) bool {
	for _, allowed := range table[from] {
		if allowed == to || allowed == everything || (allowed == belowApp && below(to)) {
			return true
		}
	}
	return false
}

// below reports whether a package lies under the wiring.
func below(pkg string) bool { return pkg != "internal/app" && !strings.HasPrefix(pkg, "cmd/") }

// testMayImport is the rule for test files: anything but the wiring, which only
// those above it know.
func testMayImport(from, to string) bool {
	return from == to || below(to) || slices.Contains(table[from], everything) || from == "interop"
}

// edge is one import of ours in one file.
type edge struct {
	from, to, file string
	test           bool
}

// edges reads the imports of every Go file of the module.
func edges(t *testing.T) (all []edge, packages map[string]bool) {
	t.Helper()
	packages = map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != root && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		from := ours(filepath.ToSlash(dir))
		packages[from] = true
		for _, spec := range file.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if target == module || strings.HasPrefix(target, module+"/") {
				all = append(all, edge{from, ours(strings.TrimPrefix(target, module+"/")), path.Join(dir, base), strings.HasSuffix(base, "_test.go")})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, packages
}

// ours is how the table names a package; the module's root is "tandem".
func ours(dir string) string {
	if dir == "." {
		return module
	}
	return dir
}

func TestImportsAreThoseOfTheTable(t *testing.T) {
	all, packages := edges(t)
	if len(all) < 20 {
		t.Fatalf("only %d imports found: the walk does not see the module", len(all))
	}
	for _, e := range all {
		if e.test && !testMayImport(e.from, e.to) {
			t.Errorf("%s: tests of %s may not import %s, which knows everything", e.file, e.from, e.to)
		}
		if !e.test && !mayImport(e.from, e.to) {
			t.Errorf("%s: %s may not import %s; it may import %s", e.file, e.from, e.to, inWords(e.from))
		}
	}
	for p := range packages {
		if _, known := table[p]; !known {
			t.Errorf("package %s is not in the table: say there and in docs/architecture.md what it may import", p)
		}
	}
	for p, allowed := range table {
		if !packages[p] {
			t.Errorf("the table has %s, which is no package", p)
		}
		for _, a := range allowed {
			if _, known := table[a]; !known && a != everything && a != belowApp {
				t.Errorf("the table lets %s import %s, which it does not list", p, a)
			}
		}
	}
}

// TestTableHasNoCircle: the rules themselves must run downward.
func TestTableHasNoCircle(t *testing.T) {
	var visit func(p string, above []string)
	visit = func(p string, above []string) {
		if slices.Contains(above, p) {
			t.Fatalf("a circle: %s", strings.Join(append(above, p), " → "))
		}
		for _, next := range table[p] {
			visit(next, append(above, p))
		}
	}
	for p := range table {
		visit(p, nil)
	}
}

func TestRulesRefuse(t *testing.T) {
	for _, e := range []struct {
		from, to string
		test     bool
		want     bool
	}{
		{"tandem", "store", false, false}, {"ivr/flow", "media", false, false}, {"media", "sip", false, false},
		{"store", "store/sqlite", false, false}, {"web/api", "internal/app", false, false}, {"web/api", "store", false, false},
		{"internal/testkit", "internal/app", false, false}, {"internal/testkit", "sip", false, true},
		{"internal/app", "sip", false, true}, {"store/sqlite", "store", false, true},
		{"media", "internal/app", true, false}, {"media", "internal/testkit", true, true}, {"cmd/tandem", "internal/app", true, true},
	} {
		got := mayImport(e.from, e.to)
		if e.test {
			got = testMayImport(e.from, e.to)
		}
		if got != e.want {
			t.Errorf("%s → %s (test %t) is %t, want %t", e.from, e.to, e.test, got, e.want)
		}
	}
}

func inWords(p string) string {
	if len(table[p]) == 0 {
		return "nothing"
	}
	return strings.Join(table[p], ", ")
}

// TestArchitecturePageShowsTheTable compares the rows of the page with ours.
func TestArchitecturePageShowsTheTable(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	_, rest, found := strings.Cut(string(page), "| package | may import of ours |")
	if !found {
		t.Fatal("docs/architecture.md has no table | package | may import of ours |")
	}
	for line := range strings.Lines(rest) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 4 || strings.HasPrefix(strings.TrimSpace(cells[1]), "---") {
			if len(shown) > 0 {
				break
			}
			continue
		}
		shown[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2])
	}
	for p := range table {
		if shown[p] != inWords(p) {
			t.Errorf("docs/architecture.md says of %s %q; the row is\n| `%s` | %s |", p, shown[p], p, inWords(p))
		}
	}
	for p := range shown {
		if _, known := table[p]; !known {
			t.Errorf("docs/architecture.md shows %s, which the table does not have", p)
		}
	}
	if t.Failed() {
		t.Log(rows())
	}
}

// rows is the table as the page shows it.
func rows() string {
	names := make([]string, 0, len(table))
	for p := range table {
		names = append(names, p)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("\n| package | may import of ours |\n| --- | --- |\n")
	for _, p := range names {
		fmt.Fprintf(&b, "| `%s` | %s |\n", p, inWords(p))
	}
	return b.String()
}
