package main

import (
	"os"
	"testing"
)

// A configuration is right if it can serve: its entries lead to flows without mistakes.
func TestConfigCheckReadsTheFlows(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(entries string) {
		writeFlow(t, ".", "tandem.yaml", "flows: { dir: f }\nentries:\n"+entries)
	}
	write("  \"1\": hello\n")
	expect(t, 1, "config check", "there is no folder f for the flows", "flows.dir")
	expect(t, 1, "flow check", "there is no folder f for the flows", "flows.dir")
	expect(t, 1, "serve", "there is no folder f for the flows", "flows.dir")
	if err := os.Mkdir("f", 0o700); err != nil {
		t.Fatal(err)
	}
	const head = "flow: hello\nchannels: [voice]\nlanguages: [en]\nstart: hi\nsteps:\n"
	writeFlow(t, "f", "hello.flow.yaml", head+"  hi: { say: { en: Hello. }, next: end }\n")
	expect(t, 0, "config check", "tandem.yaml is right: 1 entry, 0 trunks, 0 users")

	write("  \"1\": hello\n  \"2\": helo\n  \"3\": { ring: 1s, flow: zebra }\n")
	const lost = `tandem.yaml:4:3: entry "2": there is no flow "helo" in f; did you mean hello?` + "\n" +
		`tandem.yaml:5:20: entry "3": there is no flow "zebra" in f`
	expect(t, 1, "config check", lost)
	expect(t, 1, "serve", lost)

	write("  \"1\": hello\n  \"chat:bank\": { flow: hello }\n  \"qr:door\": { flow: hello, site: bank }\nchat: { sites: { bank: {} } }\n")
	const silent = `tandem.yaml:4:18: entry "chat:bank": the flow hello does not serve chat; add chat to its channels, or name another flow` + "\n" +
		`tandem.yaml:5:16: entry "qr:door": the flow hello does not serve chat`
	expect(t, 1, "config check", silent)
	expect(t, 1, "serve", silent)

	writeFlow(t, "f", "hello.flow.yaml", head+"  hi: { say: { en: Hello. }, nxt: end }\n")
	expect(t, 1, "config check", "tandem.yaml itself is right, but the flows in f have 2 errors", "with: tandem flow check\n")
}
