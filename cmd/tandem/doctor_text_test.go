package main

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
)

func TestDoctorText(t *testing.T) {
	const gateway = `sms: { gateways: { first: { kind: webhook, url: "http://127.0.0.1:1/send", secret: "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", numbers: ["+861055550100"]`
	const away = `sms: { gateways: { first: { kind: webhook, url: "http://sms.example/send", secret: "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", numbers: ["+861055550100"]`
	for name, test := range map[string]struct {
		yaml, check string
		v           verdict
		words       string
	}{
		"on loopback":           {"", "public url", ok, "this machine only"},
		"open, not said":        {`http: { listen: "0.0.0.0:8080" }`, "public url", fail, "http://0.0.0.0:8080"},
		"said as loopback":      {`http: { listen: "0.0.0.0:8080", public_url: "http://127.0.0.1:8080" }`, "public url", fail, "to their own machines"},
		"plain http":            {`http: { public_url: "http://pages.bank.example" }`, "public url", fail, "camera"},
		"plain in the office":   {`http: { public_url: "http://10.1.2.3" }`, "public url", warn, "https://HOST"},
		"https, no proxy":       {`http: { public_url: "https://pages.bank.example" }`, "public url", warn, "http.proxies"},
		"https":                 {`http: { public_url: "https://pages.bank.example", proxies: [127.0.0.1] }`, "public url", ok, "pages.bank"},
		"site without entry":    {"chat: { sites: { bank: {} } }", "chat bank", warn, `add "chat:bank": FLOW under entries`},
		"site of a QR code":     {"chat: { sites: { bank: { origins: [\"https://www.bank.example\"] } } }\nentries: { \"qr:door\": { flow: x, site: bank } }", "chat bank", ok, "https://www.bank.example"},
		"nobody to text":        {"chat: { sites: { bank: { call_back: true } } }\nentries: { \"chat:bank\": x }", "chat bank", warn, "no gateway for the code"},
		"nobody to call":        {"chat: { sites: { bank: { call_back: true } } }\nentries: { \"chat:bank\": x }\n" + gateway + " } } }", "chat bank", warn, "outbound.allow is empty"},
		"texts to nobody":       {gateway + " } } }", "texts", warn, "texts.allow is empty"},
		"no gateway":            {"texts: { allow: [\"+86\"] }", "texts", warn, "there is no gateway"},
		"texts":                 {gateway + " } } }\ntexts: { allow: [\"+86\"] }", "texts", ok, "+86"},
		"no template":           {gateway + ", templates_only: true } } }", "sms first", fail, "templates: { code: ID }"},
		"cannot answer":         {gateway + ", templates_only: true, templates: { code: T1 } } } }\nentries: { \"sms:+861055550100\": x }", "sms first", fail, "answers in its own words"},
		"provider is outside":   {away + " } } }", "sms first", warn, "cannot reach http://127.0.0.1:8080/api/v1/sms/first"},
		"a secret that is none": {strings.Replace(gateway, "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "short", 1) + " } } }", "text side", fail, "sms.gateways.first: the gateway's secret: a webhook secret"},
		"a service not allowed": {`identity: { service: "https://core.bank.example", secret: "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }`, "text side", fail, "http_allow"},
	} {
		t.Run(name, func(t *testing.T) {
			p := patientWith(t, test.yaml)
			all := checkText(context.Background(), p)
			if !has(all, test.check, test.v, test.words) {
				t.Errorf("want %s of %s with %q, got %+v", test.v, test.check, test.words, all)
			}
			for _, f := range all {
				if (f.Verdict == ok) != (f.Do == "") {
					t.Errorf("what to do goes with warn and fail: %+v", f)
				}
			}
		})
	}
}

func TestDoctorConnects(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	there := "http://" + l.Addr().String()
	const secret = `, secret: "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"`
	p := patientWith(t, `http: { public_url: "https://pages.bank.example" }
sms: { gateways: { here: { kind: webhook, url: "`+there+`/x"`+secret+`, numbers: ["+861055550100"] }, gone: { kind: webhook, url: "http://127.0.0.1:1"`+secret+`, numbers: ["+861055550101"] },
  tls: { kind: twilio, url: "`+strings.Replace(there, "http", "https", 1)+`", account: AC1, token: x, numbers: ["+861055550102"] } } }
identity: { service: "`+there+`"`+secret+` }`)
	go func() { // closes what connects, so that TLS fails at once
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	all := append(checkGateways(t.Context(), p), checkIdentity(t.Context(), p)...)
	for _, want := range []struct {
		check string
		v     verdict
		words string
	}{
		{"sms here", ok, "https://pages.bank.example/api/v1/sms/here"}, {"sms gone", fail, "cannot be reached"}, {"sms tls", fail, "cannot be reached"},
		{"identity service", ok, "can be reached"},
	} {
		if !has(all, want.check, want.v, want.words) {
			t.Errorf("%s is not %s with %q: %+v", want.check, want.v, want.words, all)
		}
	}
}

// What the doctor warns of, the check of the configuration does, too, and says what to
// register.
func TestConfigCheckWarnsOfText(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("f", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFlow(t, "f", "hello.flow.yaml", "flow: hello\nchannels: [voice, sms]\nlanguages: [en]\nstart: hi\nsteps:\n  hi: { say: { en: Hello. }, next: end }\n")
	const rest = "numbers: [\"+861055550100\"] } } }\nentries: { \"sms:+861055550100\": hello }\nchat: { sites: { bank: {} } }\n"
	writeFlow(t, ".", "tandem.yaml", "flows: { dir: f }\nsms: { gateways: { first: { kind: twilio, url: \"https://sms.example\", account: AC1, token: x, "+rest)
	expect(t, 0, "config check", "warning: chat bank: no entry leads there", "warning: texts: texts.allow is empty", "warning: sms first: its provider cannot reach",
		"register its webhook with the provider: http://127.0.0.1:8080/api/v1/sms/first#rc=5&rp=all", "is right: 1 entry")
	expect(t, 0, "config check --json", `"first": "http://127.0.0.1:8080/api/v1/sms/first#rc=5&rp=all"`, `"check": "chat bank"`)
	writeFlow(t, ".", "tandem.yaml", "flows: { dir: f }\nsms: { gateways: { first: { kind: webhook, url: \"https://sms.example\", secret: x, "+rest)
	expect(t, 1, "config check", "sms.gateways.first: the gateway's secret")
}
