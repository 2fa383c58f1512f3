package config

import (
	"strings"
	"testing"
	"time"
)

func TestStaff(t *testing.T) {
	l := parse(t, `
http: { staff_url: "https://staff.bank.example/", proxies: [10.0.0.7, "fd00::/8"] }
staff:
  login_idle: 15m
  totp: [operator]
  oidc: { company: { issuer: "https://login.bank.example", client_id: tandem, client_secret: s3cret, roles: { "urn:flows": designer } } }
studio: { second_person: true }
`, "TANDEM_STAFF_LOGIN_MAX=8h", "TANDEM_STAFF_OIDC_COMPANY_CLIENT_ID=other")
	o := l.Staff.OIDC["company"]
	if l.HTTP.StaffAddress() != "https://staff.bank.example" || l.Staff.LoginIdle != 15*time.Minute || l.Staff.LoginMax != 8*time.Hour || !l.Studio.SecondPerson ||
		o.ClientID != "other" || o.ClientSecret.Reveal() != "s3cret" || o.Roles["urn:flows"] != "designer" {
		t.Errorf("read %+v %+v", l.HTTP, l.Staff)
	}
	if p, err := Network(l.HTTP.Proxies[0]); err != nil || p.String() != "10.0.0.7/32" {
		t.Errorf("a proxy is %v, %v", p, err)
	}
	out := dump(l.Config)
	if strings.Contains(out, "s3cret") {
		t.Error("a client's secret was printed")
	}
	again, err := Parse("t.yaml", []byte(out), nil)
	if err != nil {
		t.Fatalf("what was printed does not read back: %v\n%s", err, out)
	}
	if dump(again.Config) != out {
		t.Errorf("what was printed reads back differently:\n%s", dump(again.Config))
	}
	if d := Default().HTTP; d.StaffAddress() != "http://127.0.0.1:8081" || !d.LocalOnly() || (HTTP{StaffListen: "0.0.0.0:1"}).LocalOnly() {
		t.Errorf("by default staff come in at %s", d.StaffAddress())
	}
}

func TestStaffMistakes(t *testing.T) {
	const company = "staff: { oidc: { company: { issuer: %, client_id: t, roles: { a: designer } } } }"
	for _, test := range []struct{ yaml, want string }{
		{`http: { staff_url: "http://staff.bank.example" }`, "must begin with https://"},
		{`http: { staff_url: "http://localhost:1" }`, ""},
		{`http: { staff_url: "https://a.example/desk" }`, "without a path"},
		{`http: { staff_url: "staff.example" }`, "is no address of a door"},
		{`http: { proxies: [proxy.example] }`, "is no address or network"},
		{`staff: { login_idle: 10s }`, "is under 1m"},
		{`staff: { login_max: 20m }`, "goes from login_idle to 7d"},
		{`staff: { login_max: 8d }`, "goes from login_idle to 7d"},
		{`staff: { totp: [operater] }`, "did you mean operator?"},
		{strings.ReplaceAll(company, "%", `"https://login.example"`), ""},
		{strings.ReplaceAll(company, "%", `"http://127.0.0.1:1"`), ""},
		{strings.ReplaceAll(company, "%", `"http://login.example"`), "is no issuer"},
		{`staff: { oidc: { "a/b": { issuer: "https://a.example", client_id: t, roles: { a: designer } } } }`, "is part of addresses"},
		{`staff: { oidc: { a: { issuer: "https://a.example", roles: { a: designer } } } }`, "client_id"},
		{`staff: { oidc: { a: { issuer: "https://a.example", client_id: t } } }`, "nobody could log in"},
		{`staff: { oidc: { a: { issuer: "https://a.example", client_id: t, roles: { a: boss } } } }`, "staff.oidc.a.roles.a is one of"},
		{`staff: { oidc: { a: { issuer: "https://a.example", client_id: t, scopes: ["a b"], roles: { a: agent } } } }`, "is no scope"},
	} {
		_, err := Parse("t.yaml", []byte(test.yaml), nil)
		if got := errText(err); (test.want == "") != (err == nil) || !strings.Contains(strings.ReplaceAll(got, ": is one", " is one"), test.want) {
			t.Errorf("%s: %q, want %q", test.yaml, got, test.want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
