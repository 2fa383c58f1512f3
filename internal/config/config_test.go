package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"tandem"
)

const samplePath = "../../docs/tandem.sample.yaml"

func parse(t *testing.T, yaml string, env ...string) *Loaded {
	t.Helper()
	l, err := Parse("t.yaml", []byte(yaml), env)
	if err != nil {
		t.Fatalf("parsing: %v", err)
	}
	return l
}

func TestSampleEqualsDefaults(t *testing.T) {
	data, err := os.ReadFile(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	sample, empty := parse(t, string(data)), parse(t, "")
	// An empty map or list in the file is what is missing in the defaults.
	normal := strings.NewReplacer("map[string]interface {}(nil)", "{}", "map[string]interface {}{}", "{}")
	if a, b := normal.Replace(dump(sample.Config)), normal.Replace(dump(empty.Config)); a != b {
		t.Errorf("the sample differs from the defaults:\n%s\n---\n%s", a, b)
	}
}

func dump(c *Config) string {
	l := &Loaded{Config: c, Origins: map[string]Origin{}}
	var b strings.Builder
	if err := l.Print(&b); err != nil {
		panic(err)
	}
	return b.String()
}

// TestSampleDocumentsEveryKey reads the sample with its examples switched on and
// finds each key of each structure in it.
func TestSampleDocumentsEveryKey(t *testing.T) {
	data, err := os.ReadFile(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	text := withExamples(string(data))
	r := &reader{file: "sample", dir: t.TempDir(), origins: map[string]Origin{}}
	for _, f := range []string{"bob", "carrier", "speech", "company", "twilio", "sms"} {
		if err := os.MkdirAll(filepath.Join(r.dir, "secrets"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.dir, "secrets", f), []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := Default()
	node := r.syntax([]byte(text))
	if node == nil {
		t.Fatal(r.problems)
	}
	r.structure("", reflect.ValueOf(cfg).Elem(), node)
	r.check(cfg)
	if len(r.problems) > 0 {
		t.Fatalf("the sample's examples are wrong:\n%v\n%s", r.problems, text)
	}
	if got := cfg.SIP.Users["bob"].Reveal(); got != "x" {
		t.Errorf("a secret from a file is %q, want x", got)
	}
	found := map[string]bool{}
	for key := range r.origins {
		found[key[strings.LastIndexByte(key, '.')+1:]+" in "+structOf(key)] = true
	}
	var missing []string
	eachKey(reflect.TypeFor[Config](), func(owner, key string) {
		if !found[key+" in "+owner] {
			missing = append(missing, owner+"."+key)
		}
	})
	if len(missing) > 0 {
		t.Errorf("the sample does not show %s", strings.Join(missing, ", "))
	}
}

// withExamples takes the sign away from the sample's examples: a line of "#" with
// no space after it, and the lines of "#" and two spaces that follow. A key that
// stands there empty gives way to its example.
func withExamples(sample string) string {
	lines := strings.Split(sample, "\n")
	first := regexp.MustCompile(`^( *)#([^ #].*)$`)
	more := regexp.MustCompile(`^( *)#(  .*)$`)
	inside := false
	for i, line := range lines {
		m := first.FindStringSubmatch(line)
		if m == nil && inside {
			m = more.FindStringSubmatch(line)
		}
		inside = m != nil
		if m == nil {
			continue
		}
		lines[i] = m[1] + m[2]
		key, _, _ := strings.Cut(lines[i], ":")
		for j := range i {
			if strings.HasPrefix(lines[j], key+": {}") || strings.HasPrefix(lines[j], key+": []") {
				lines[j] = ""
			}
		}
	}
	return strings.Join(lines, "\n")
}

// structOf names the structure that holds key, names chosen by operators left out.
func structOf(key string) string {
	parts := strings.Split(key, ".")
	parts = parts[:len(parts)-1]
	for i := range parts {
		if i > 0 && (parts[i-1] == "trunks" || parts[i-1] == "languages" || parts[i-1] == "entries" || parts[i-1] == "oidc" || parts[i-1] == "sites" || parts[i-1] == "gateways" || parts[i-1] == "agents") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, ".")
}

func eachKey(t reflect.Type, visit func(owner, key string)) { eachKeyOf("", t, visit) }

func eachKeyOf(owner string, t reflect.Type, visit func(owner, key string)) {
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		if name == "-" {
			continue
		}
		visit(owner, name)
		switch ft := t.Field(i).Type; {
		case ft.Kind() == reflect.Struct:
			eachKeyOf(join(owner, name), ft, visit)
		case ft.Kind() == reflect.Map && ft.Elem().Kind() == reflect.Struct:
			eachKeyOf(join(owner, name)+".*", ft.Elem(), visit)
		case ft == reflect.TypeFor[Entries]():
			eachKeyOf(join(owner, name)+".*", reflect.TypeFor[Entry](), visit)
		}
	}
}

func TestMistakesComeAllAtOnceAtTheirPlaces(t *testing.T) {
	_, err := Parse("t.yaml", []byte(`http:
  listn: "127.0.0.1:1"
  admin_listen: "0.0.0.0:8082"
sip:
  listen: [tls://127.0.0.1:5061]
  trunks:
    bank: { host: a.example, trusts_caller_id: true }
media:
  rtp_timeout: 30
  ports: "9-12"
limits:
  calls: many
  calls: 3
log:
  level: inof
entries:
  "95*599": main
  "1": { flow: main, rings: 2s }
  "2": 17
  "chat:site": main
`), nil)
	if tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Fatalf("want an error of code invalid, got %v", err)
	}
	for _, want := range []string{
		"t.yaml:2:3: http.listn is no key; did you mean listen?",
		"t.yaml:3:3: http.admin_listen: must be a loopback address",
		`t.yaml:5:3: sip.listen: "tls://127.0.0.1:5061" is no SIP address`,
		"t.yaml:7:30: sip.trunks.bank.trusts_caller_id: needs sources",
		"t.yaml:9:16: media.rtp_timeout: 30 needs a unit: write 30s for seconds",
		"t.yaml:10:10: media.ports: ports go from 1024 to 65535",
		`t.yaml:12:10: limits.calls: wants a whole number, not "many"`,
		"t.yaml:13:3: limits.calls: stands here a second time; the first is on line 12",
		"t.yaml:15:3: log.level: is one of debug, info, warn, error, not \"inof\"; did you mean info?",
		`t.yaml:17:3: entry "95*599": * may stand only at the end`,
		"t.yaml:18:22: entries.1.rings is no key; did you mean ring?",
		`t.yaml:19:8: entries.2: wants text, this is a number; put it in quotes: "17"`,
		`t.yaml:20:3: entries.chat:site: there is no chat.sites.site`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("got:\n%v", err)
	}
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal("the error does not carry its problems")
	}
	for i := 1; i < len(problems); i++ {
		if problems[i].Line < problems[i-1].Line {
			t.Errorf("problems are out of order: %v before %v", problems[i-1], problems[i])
		}
	}
}

func TestRefusedYAML(t *testing.T) {
	for name, test := range map[string]struct{ yaml, want string }{
		"anchor":         {"log: &a { level: info }", "anchors"},
		"alias":          {"log: *a", "anchors"},
		"tag":            {"log: { level: !!str info }", "anchors"},
		"merge key":      {"log:\n  <<: { level: info }", "merge keys"},
		"no map":         {"[1, 2]", "wants keys and values"},
		"text for map":   {"http: yes", "http: wants keys and values, this is"},
		"map for text":   {"http: { listen: { a: b } }", "wants text, this is keys and values"},
		"list for text":  {"http: { listen: [a] }", "wants text, this is a list"},
		"empty value":    {"http:\n  listen:\n", "http.listen: has no value"},
		"broken":         {"http: {", "t.yaml:1:"},
		"two documents":  {"log: {}\n---\nlog: {}\n", "one document"},
		"too long":       {"# " + strings.Repeat("x", maxFileBytes), "at most"},
		"too deep":       {"flows: { settings: { a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + " } }", "deep"},
		"huge number":    {"flows: { settings: { a: 18446744073709551615 } }", "too large"},
		"secret empty":   {"sip: { users: { a: { file: \"\" } } }", "{ file: PATH }"},
		"secret gone":    {"sip: { users: { a: { file: nowhere } } }", "cannot be read"},
		"both keys":      {"store: { master_key_command: [x] }", "both set"},
		"negative":       {"outbound: { calls_per_day: -1 }", "cannot be negative"},
		"no realm":       {"sip: { trunks: { t: { host: a, user: u, password: p } } }", "needs realm"},
		"unsigned hook":  {"notify: { url: \"http://a.example/\" }", "needs notify.secret"},
		"host with path": {"flows: { http_allow: [\"*.bank.example\", \"http://a\"] }", "\"http://a\" is no host"},
		"any host":       {"flows: { http_allow: [\"*\"] }", "\"*\" is no host"},
		"shared door":    {"http: { staff_listen: \"127.0.0.1:8080\" }", "doors of their own"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("t.yaml", []byte(test.yaml), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want an error with %q, got %v", test.want, err)
			}
		})
	}
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(secret, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := parse(t, `
sip: { users: { alice: old }, trunks: { main-line: { host: a.example, user: u, password: p, realm: r } } }
flows: { settings: { core-bank: "http://a" } }`,
		"TANDEM_HTTP_LISTEN=127.0.0.1:9000", "TANDEM_SIP_LISTEN=udp://127.0.0.1:1,tcp://127.0.0.1:2",
		"TANDEM_LIMITS_MAX_CALL_TIME=3h", "TANDEM_SIP_USERS_ALICE_FILE="+secret,
		"TANDEM_SIP_TRUNKS_MAIN_LINE_PASSWORD=new", "TANDEM_FLOWS_SETTINGS_CORE_BANK=http://b",
		"TANDEM_FLOWS_SETTINGS_REGION=north", "TANDEM_STORE_MASTER_KEY_FILE=/run/key", "TANDEM_HTTP_LISTNE=x",
		"TANDEM_MEDIA_PORTS=30000-30010", "TANDEM_HTTP_PROFILES=true", "OTHER=1", "TANDEM_CONFIG=f")
	for _, c := range []struct{ name, got, want string }{
		{"http.listen", l.HTTP.Listen, "127.0.0.1:9000"},
		{"sip.listen", strings.Join(l.SIP.Listen, " "), "udp://127.0.0.1:1 tcp://127.0.0.1:2"},
		{"limits.max_call_time", l.Limits.MaxCallTime.String(), "3h0m0s"},
		{"sip.users.alice", l.SIP.Users["alice"].Reveal(), "from-file"},
		{"trunk", l.SIP.Trunks["main-line"].Password.Reveal(), "new"},
		{"setting", l.Flows.Settings["core-bank"].(string), "http://b"},
		{"new setting", l.Flows.Settings["region"].(string), "north"},
		{"master key", string(l.Store.MasterKey), "/run/key"},
		{"ports", l.Media.Ports.String(), "30000-30010"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.name, c.got, c.want)
		}
	}
	if !l.HTTP.Profiles {
		t.Error("http.profiles was not set")
	}
	if len(l.Warnings) != 1 || l.Warnings[0].String() != "TANDEM_HTTP_LISTNE: sets nothing, no key has this name; did you mean TANDEM_HTTP_LISTEN?" {
		t.Errorf("warnings: %v", l.Warnings)
	}
	_, err := Parse("", nil, []string{"TANDEM_LIMITS_CALLS=0"})
	if err == nil || !strings.HasPrefix(err.Error(), "TANDEM_LIMITS_CALLS: limits.calls: at least one") {
		t.Errorf("a wrong variable is not named: %v", err)
	}
}

func TestPrintShowsOriginsMasksSecretsAndReadsBack(t *testing.T) {
	l := parse(t, `sip:
  users: { alice: s3cret }
  trunks:
    bank: { host: a.example, sources: [192.0.2.1] }
flows:
  settings: { core: "http://a", n: 3, list: [a, 1.5, true] }
entries:
  "1*": main
`, "TANDEM_LOG_FORMAT=json")
	var b strings.Builder
	if err := l.Print(&b); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	for _, want := range []string{
		`"alice": "` + masked + `" *# t.yaml:2`, `format: "json" *# TANDEM_LOG_FORMAT`, `level: "info" *# default`,
		`host: "a.example" *# t.yaml:4`, `transport: "" *# t.yaml:4|transport: "" *# default`, `max_call_time: 2h *# default`,
		`"1\*": { flow: "main", ring: 0s, auth: false, record: false } *# t.yaml:8`, `settings: {.*"n": 3.*} *# t.yaml:6`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("not printed: %s", want)
		}
	}
	if strings.Contains(out, "s3cret") {
		t.Error("a secret was printed")
	}
	again, err := Parse("t.yaml", []byte(out), nil)
	if err != nil {
		t.Fatalf("what was printed does not read back: %v\n%s", err, out)
	}
	again.SIP.Users["alice"] = "s3cret"
	again.Log.Format = "json"
	l.Store, again.Store = Store{}, Store{} // paths
	if a, b := dump(l.Config), dump(again.Config); a != b {
		t.Errorf("what was printed reads back differently:\n%s\n---\n%s", a, b)
	}
}

func TestPathsCountFromTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tandem.yaml")
	if err := os.WriteFile(file, []byte("store: { path: db/a.db, blobs: /var/blobs }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Load(file, []string{"TANDEM_FLOWS_DIR=here"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(l.Store.Path), filepath.Join(dir, "db/a.db"); got != want {
		t.Errorf("store.path is %s, want %s", got, want)
	}
	if l.Store.Blobs != "/var/blobs" || l.Flows.Dir != "here" {
		t.Errorf("blobs %s, flows %s", l.Store.Blobs, l.Flows.Dir)
	}
	if _, err := Load(filepath.Join(dir, "none.yaml"), nil); tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Errorf("a missing file: %v", err)
	}
}

func TestMatch(t *testing.T) {
	entries := Entries{
		{Name: "1800*", Flow: "free"}, {Name: "18005*", Flow: "five"}, {Name: "18005", Flow: "exact"},
		{Name: "95599", Flow: "hotline"}, {Name: "+86*", Flow: "china"},
	}
	for number, want := range map[string]string{
		"95599": "hotline", "955991": "", "9559": "", "1800": "", "18001": "free", "18005": "exact", "180055": "five",
		"+8610": "china", "8610": "", "": "", "1800*": "free",
	} {
		got, ok := Match(entries, number)
		if got.Flow != want || ok != (want != "") {
			t.Errorf("Match(%q) = %q, %t; want %q", number, got.Flow, ok, want)
		}
	}
	if got, _ := Match(Entries{{Name: "*", Flow: "all"}}, "7"); got.Flow != "all" {
		t.Error("* does not match any number")
	}
}

func TestNumber(t *testing.T) {
	for target, want := range map[string]string{
		"tel:+86 10 5555-0100": "+861055550100", "+861055550100": "+861055550100", "tel:+861055550100;ext=3": "+861055550100",
		"00861055550100": "+861055550100", "tel:8001": "8001", "sip:+86(10)55550100@pbx.example": "+861055550100",
		"sip:02155550100@pbx.example;transport=tcp": "02155550100", "sip:8001@pbx.example": "", "sip:agent@pbx.example": "",
		"sip:pbx.example": "", "sip:%2B861055550100@pbx.example": "+861055550100", "": "", "tel:abc": "",
	} {
		if got := Number(target); got != want {
			t.Errorf("Number(%q) = %q, want %q", target, got, want)
		}
	}
}

func TestOutboundAllows(t *testing.T) {
	o := Outbound{Allow: []string{"+8610", "010", "8001", "sip:pbx.example", "sip:10.0.0.1:5080", "sip:*21@pbx.example"}, Deny: []string{"+86109"}}
	for target, want := range map[string]bool{
		"+861055550100": true, "tel:+86-10-5555-0100;ext=3": true, "00861055550100": true, "+86109999": false, "8001": true,
		"+8620": false, "+19005551234": false, "sip:desk@pbx.example": true, "sip:desk@PBX.example:5060;transport=tcp": true,
		"sip:+19005551234@pbx.example": false, "sip:0019005551234@pbx.example": false, "sip:x@evil.example": false,
		"sip:x@10.0.0.1:5080": true, "sip:x@10.0.0.1": false, "sip:pbx.example": true, "": false, "+": false, "tel:abc": false,
		"sip:%2B19005551234@pbx.example": false, "sip:+19005551234:x@pbx.example": false, "sip:+1%39005551234@pbx.example": false,
		"sip:*72+19005551234@pbx.example": false, "sip:%2A7219005551234@pbx.example": false, "sip:9%2319005551234@pbx.example": false,
		"sip:*21@pbx.example": true, "sip:*21@10.0.0.1:5080": false, "sip:*@pbx.example": true,
		"sip:8001@evil.example": false, "sip:x@pbx.example.evil.example": false,
	} {
		if ok, why := o.Allows(target); ok != want || (ok != (why == "")) {
			t.Errorf("Allows(%q) = %t (%s), want %t", target, ok, why, want)
		}
	}
	if ok, _ := (Outbound{}).Allows("+861055550100"); ok {
		t.Error("an empty allow list lets a call out")
	}
	premiumAllowed := Outbound{Allow: []string{"+1"}}
	if ok, _ := premiumAllowed.Allows("+1 (900) 555-1234"); ok {
		t.Error("a premium number is let out")
	}
	o.Prices = map[string]float64{"+86": 0.1, "+8610": 0.05}
	if p, ok := o.Price("tel:+861055550100"); !ok || p != 0.05 {
		t.Errorf("price %v, %t", p, ok)
	}
	if _, ok := o.Price("+44"); ok {
		t.Error("a number without a price has one")
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5s": 5 * time.Second, "3d": 72 * time.Hour, "1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond,
		"5": -1, "-5s": -1, "x": -1, "": -1, "-1d": -1,
	} {
		got, err := parseDuration(text)
		if (err != nil) != (want < 0) || (err == nil && got != want) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("http: { listen: \"a:1\" }\nentries: { \"1*\": x }\n"))
	f.Add([]byte("flows:\n  settings: { a: [1, { b: null }] }\n"))
	if data, err := os.ReadFile(samplePath); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse("f.yaml", data, nil)
		if err != nil {
			if tandem.CodeOf(err) != tandem.CodeInvalid || err.Error() == "" {
				t.Errorf("a bad file gives %v", err)
			}
			return
		}
		if err := l.Print(&strings.Builder{}); err != nil {
			t.Error(err)
		}
	})
}
