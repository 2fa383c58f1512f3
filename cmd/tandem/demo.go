package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/sms/simulator"
	"tandem/flows"
	"tandem/internal/app"
	"tandem/internal/config"
	"tandem/internal/mockbank"
	"tandem/store/staff"
	"tandem/web/api"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "run a bank's hotline on this machine, with everything it needs",
		Description: "Serves the sample flows on loopback, with a mock core bank beside them. The folder keeps the\n" +
			"configuration, the flows and the journal from one run to the next: edit a flow and call again.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Value: "demo-data", Usage: "`FOLDER` for configuration, flows and journal"},
			&cli.BoolFlag{Name: "temporary", Usage: "use a folder that is removed at the end, and any free ports"},
			jsonFlag(),
		},
		Action: demo,
	}
}

// demoPlace is where one demo lives and listens; the configuration is made of it.
type demoPlace struct {
	SIP, HTTP, Staff, Admin, Core, Agent, Phones, Street, Voice string // HOST:PORT
}

func demo(c *cli.Context) (err error) {
	dir := c.String("dir")
	if c.Bool("temporary") {
		if dir, err = os.MkdirTemp("", "tandem-demo-"); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	place, err := prepareDemo(dir, c.Bool("temporary"))
	if err != nil {
		return err
	}
	loaded, err := readConfig(c, filepath.Join(dir, usualConfig))
	if err != nil {
		return err
	}
	stop, err := serveCore(c.Context, loaded, place)
	if err != nil {
		if demoAt(c.Context, loaded.HTTP.Listen) {
			return tandem.Errorf(tandem.CodeInvalid,
				"a demo serves already, its page is http://%s/; stop it, or run another beside it with --temporary (other ports, a folder of its own)", loaded.HTTP.Listen)
		}
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	phone, stopPhones, err := servePhones(loaded)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopPhones()) }()
	options := app.Options{
		Phone: phone, Config: loaded, Environ: os.Environ(), Log: newLog(loaded.Log, c.App.ErrWriter), Version: version(), Demo: true,
	}
	if loaded.Log.Format != "json" {
		options.Console = c.App.ErrWriter
	}
	return serve(c.Context, options, func(a *app.App) error {
		passwords, err := demoUsers(c.Context, a.Staff())
		if err != nil {
			return err
		}
		keys, err := demoKeys(c.Context, a.Staff(), filepath.Join(dir, "keys"))
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return json.NewEncoder(c.App.Writer).Encode(struct {
				Addresses map[string][]string `json:"addresses"`
				Config    string              `json:"config"`
				Passwords map[string]string   `json:"passwords"` // of the staff, by name
				Keys      map[string]string   `json:"keys"`      // files with the agents' and the supervisor's keys, by name
			}{a.Addresses(), loaded.File, passwords, keys})
		}
		return greet(c.App.Writer, a, loaded, dir, passwords)
	})
}

// prepareDemo makes the folder what a demo needs, and leaves alone what is there.
func prepareDemo(dir string, anyPorts bool) (demoPlace, error) {
	place := demoPlace{"127.0.0.1:5060", "127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8090", "127.0.0.1:5090", "127.0.0.1:8083", "127.0.0.1:5091", "127.0.0.1:8189"}
	if anyPorts {
		port := firstPort + mathrand.IntN(manyPorts)
		for _, p := range []*string{&place.SIP, &place.HTTP, &place.Staff, &place.Admin, &place.Core, &place.Agent, &place.Phones, &place.Street, &place.Voice} {
			var err error
			if *p, port, err = freePort(port); err != nil {
				return place, err
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o700); err != nil {
		return place, tandem.Errorf(tandem.CodeInvalid, "making the demo's folder: %w; name another one with --dir", err)
	}
	err := config.CreateMasterKey(filepath.Join(dir, "keys", "master.key"), rand.Reader)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return place, err
	}
	for _, name := range []string{"phones.secret", "identity.secret"} {
		if err := writeSecret(filepath.Join(dir, "keys", name)); err != nil {
			return place, err
		}
	}
	if err := copyMissing(filepath.Join(dir, "flows"), flows.Sample()); err != nil {
		return place, fmt.Errorf("laying out the sample flows: %w", err)
	}
	return place, writeMissing(filepath.Join(dir, usualConfig), place)
}

// The ports of a temporary demo lie below those of calls and those that the kernel gives away:
// nobody is handed one between the look and its use, or while the demo is down for a moment.
const firstPort, manyPorts = 7000, 2500

// freePort finds a loopback address where both UDP and TCP are free now, at a port from one on,
// and gives the next but one: a phone that is told of one may take the one after it for TLS.
func freePort(port int) (string, int, error) {
	for last := port + manyPorts/10; port < last; port++ {
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp", addr)
		l.Close()
		if err == nil {
			u.Close()
			return addr, port + 2, nil
		}
	}
	return "", 0, fmt.Errorf("no port before %d of 127.0.0.1 is free for both UDP and TCP; end what uses them", port)
}

// copyMissing copies the files that are not there yet, so that a designer's edits
// stay. The recordings of prompts stay behind: they come with the program.
func copyMissing(dir string, from fs.FS) error {
	return fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		switch {
		case path == "prompts":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		}
		if _, err := os.Stat(to); err == nil {
			return nil
		}
		data, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
}

// demoConfig is the demo's configuration; what it leaves out has its default.
const demoConfig = `# The demo's configuration, made at its first start and never written again: edit it
# as you like. A change of the entries serves the next call, all else the next start.
# Every key is explained in docs/tandem.sample.yaml.
name: Harbour Bank
http:
  listen: {{.HTTP}}
  staff_listen: {{.Staff}}
  admin_listen: {{.Admin}}
sip:
  listen: [ "udp://{{.SIP}}", "tcp://{{.SIP}}" ]
  trunks:
    street: { host: "{{.Street}}", from: "+861055550100" }   # whom the bank calls back: tandem call --answer {{.Street}}
media: { address: 127.0.0.1 }
# Voice in the browser: agents at the desk, customers from the page.
webrtc: { listen: "{{.Voice}}", dial: [ "95599", "95588", "95500", "95555", "95566" ], upgrades: { customers: video } }
store:
  path: data/tandem.db
  blobs: data/blobs
  checkpoints: checkpoints/journal
  master_key: keys/master.key
flows:
  dir: flows
  settings:
    core: http://{{.Core}}          # the mock core bank, started with the demo
    agent: sip:agent@{{.Agent}}     # who takes calls: tandem call --answer {{.Agent}}
  http_allow: [ "{{.Core}}" ]
# Who serves: their teams and skills are in flows/*.queues.yaml, their calls ring here.
agents:
  anna: { phone: "sip:anna@{{.Agent}}" }
  bo: { phone: "sip:bo@{{.Agent}}" }
outbound: { allow: [ "sip:{{.Agent}}", "+86138" ] }
chat:
  sites:
    demo: { title: { en: Harbour Bank, zh-CN: 海港银行 }, call_back: true, queue: service }
    front: { title: { en: Harbour Bank, zh-CN: 海港银行 } }
    night: { title: { en: Harbour Bank at night, zh-CN: 海港银行夜间服务 } }
    remote: { title: { en: Harbour Bank remote counter, zh-CN: 海港银行远程柜台 } }
sms:
  gateways:
    phones: { kind: webhook, url: "http://{{.Phones}}/webhook", secret: { file: keys/phones.secret }, numbers: [ "+861055550100" ] }
# To the simulator's phones: no text leaves this machine, so that more may go to each
# than the usual 10 an hour, after which a talk by text falls silent.
texts: { allow: [ "+86138" ], per_number_per_hour: 200, per_number_per_day: 1000 }
identity: { service: "http://{{.Core}}", secret: { file: keys/identity.secret } }
log: { level: warn }
limits: { drain: 5s }
entries:
  "95599": { flow: hotline, record: true }   # recorded if the caller agrees
  "95588": counter                           # the same flow by phone, chat and SMS
  "95500": night_desk
  "95555": front_door                        # one line for calls, chats and texts
  "95566": remote_counter                    # what needs an identity check by video
  "chat:demo": counter
  "chat:night": night_desk
  "chat:front": front_door
  "chat:remote": remote_counter
  "sms:+861055550100": counter
  "qr:branch-12": { flow: counter, site: demo, place: Branch 12 }
`

func writeMissing(path string, place demoPlace) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "writing the demo's configuration: %w", err)
	}
	text := template.Must(template.New("demo").Parse(demoConfig))
	return errors.Join(text.Execute(f, place), f.Close())
}

// serveCore starts the mock core bank where the flows expect it.
func serveCore(ctx context.Context, loaded *config.Loaded, place demoPlace) (stop func() error, err error) {
	addr := place.Core
	if core, ok := loaded.Flows.Settings["core"].(string); ok {
		addr = strings.TrimPrefix(core, "http://")
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, tandem.Errorf(tandem.CodeInvalid,
			"the mock core bank cannot listen on %s: %w; end what uses it, or change flows.settings.core in %s", addr, err, loaded.File)
	}
	bank := mockbank.New(mockbank.Options{Now: time.Now, Random: rand.Reader, Secret: loaded.Identity.Secret.Reveal()})
	return serveBeside(l, bank), nil
}

// serveBeside serves a handler beside the server until it is stopped.
func serveBeside(l net.Listener, h http.Handler) (stop func() error) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it ends when it is closed
	}()
	return func() error {
		err := server.Close()
		<-done
		return err
	}
}

// demoGateway is the gateway that the simulator plays, demoNumber the phone that the
// demo's page plays: a customer of the mock core bank.
const (
	demoGateway = "phones"
	demoNumber  = "+8613800000001"
)

// servePhones starts the simulator of the gateway for texts, and of customers' phones. A
// configuration without that gateway has none.
func servePhones(loaded *config.Loaded) (phone *api.Phone, stop func() error, err error) {
	g, ok := loaded.SMS.Gateways[demoGateway]
	if !ok {
		return nil, func() error { return nil }, nil
	}
	at, err := url.Parse(g.URL)
	if err != nil {
		return nil, nil, tandem.Errorf(tandem.CodeInvalid, "sms.gateways.%s.url: %w", demoGateway, err)
	}
	phones, err := simulator.New(simulator.Options{
		Gateways: []simulator.Gateway{{
			Kind: simulator.Webhook, Numbers: g.Numbers, Target: loaded.HTTP.PublicAddress() + "/api/v1/sms/" + demoGateway, Secret: g.Secret.Reveal(),
		}},
		Origin: loaded.HTTP.PublicAddress(),
	})
	if err != nil {
		return nil, nil, tandem.Errorf(tandem.CodeInvalid, "the simulator of phones: %w", err)
	}
	l, err := net.Listen("tcp", at.Host)
	if err != nil {
		return nil, nil, tandem.Errorf(tandem.CodeInvalid,
			"the simulator of phones cannot listen on %s: %w; end what uses it, or change sms.gateways.%s.url in %s", at.Host, err, demoGateway, loaded.File)
	}
	ctx, cancel := context.WithCancel(context.Background())
	posting := make(chan struct{})
	go func() {
		defer close(posting)
		phones.Run(ctx)
	}()
	close := serveBeside(l, phones)
	return &api.Phone{URL: "http://" + at.Host, Number: demoNumber}, func() error {
		err := close()
		cancel()
		<-posting
		return err
	}, nil
}

// writeSecret makes a file with a secret for signing, if it is not there.
func writeSecret(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "making a secret of the demo: %w", err)
	}
	var b [24]byte
	_, _ = rand.Read(b[:]) // it does not fail
	_, err = f.WriteString("whsec_" + base64.StdEncoding.EncodeToString(b[:]) + "\n")
	return errors.Join(err, f.Close())
}

// demoAt reports whether a demo serves its page at this address.
func demoAt(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/api/v1/entries", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var view api.Overview
	return json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&view) == nil && view.Demo
}

// greet says what runs, what to dial, and what to try next.
func greet(w io.Writer, a *app.App, loaded *config.Loaded, dir string, passwords map[string]string) error {
	agent, _ := loaded.Flows.Settings["agent"].(string)
	program := os.Args[0]
	var b strings.Builder
	b.WriteString("\nTandem is serving Harbour Bank's hotline.\n\n")
	for _, e := range a.Entries() {
		for _, uri := range e.Dial {
			fmt.Fprintf(&b, "  dial    %-42s %s\n", shellWord(uri), e.Flow)
		}
	}
	pages := a.Addresses()["http.listen"][0]
	fmt.Fprintf(&b, "  page    http://%s/\n", pages)
	staffDoor := a.Addresses()["http.staff_listen"][0]
	fmt.Fprintf(&b, "  desk    http://%s/desk     agents: anna, bo\n", staffDoor)
	fmt.Fprintf(&b, "  board   http://%s/board    supervisor: sam\n", staffDoor)
	fmt.Fprintf(&b, "  studio  http://%s/studio   designer\n", staffDoor)
	for _, name := range slices.Sorted(maps.Keys(passwords)) {
		fmt.Fprintf(&b, "          log in as %s with %s\n", name, passwords[name])
	}
	fmt.Fprintf(&b, "  health  http://%s/readyz and /metrics\n\n", a.Addresses()["http.admin_listen"][0])
	b.WriteString("Try\n")
	fmt.Fprintf(&b, "  open the page: the bank's chat is in its corner, and beside it a customer's telephone that gets the texts.\n")
	fmt.Fprintf(&b, "      My balance, 13800000001, and the code that arrives there. Write to the bank from the telephone, too.\n")
	if i := slices.IndexFunc(a.Entries(), func(e api.Entry) bool { return e.Flow == "counter" && len(e.Dial) > 0 }); i >= 0 {
		fmt.Fprintf(&b, "  %s call %s --from %s --keys 2 --for 3m\n", program, shellWord(a.Entries()[i].Dial[0]), demoNumber)
		fmt.Fprintf(&b, "      a link comes to the telephone in mid-call; open its page, and the call knows.\n")
	}
	if i := slices.IndexFunc(a.Entries(), func(e api.Entry) bool { return e.Flow == "front_door" && len(e.Dial) > 0 }); i >= 0 {
		fmt.Fprintf(&b, "  log in at the desk as anna, allow the microphone and be available: calls and chats ring there.\n")
		fmt.Fprintf(&b, "      Call from the page, without a telephone, or as below; press ? at the desk for its keys, and look at the board as sam.\n")
		fmt.Fprintf(&b, "  %s agent --url http://%s --key-file %s\n", program, staffDoor, filepath.Join(dir, "keys", "anna.key"))
		fmt.Fprintf(&b, "      or be an agent in a terminal; calls ring her telephone: %s call --answer %s\n", program, strings.TrimPrefix(agent, "sip:agent@"))
		fmt.Fprintf(&b, "  %s call %s --from %s --keys \",0\" --for 3m\n", program, shellWord(a.Entries()[i].Dial[0]), demoNumber)
		fmt.Fprintf(&b, "      ask for a person, as in the chat http://%s/chat?site=front: one line for both, when the bank is open.\n", pages)
	}
	if e := a.Entries(); len(e) > 0 && len(e[0].Dial) > 0 {
		uri := e[0].Dial[0]
		fmt.Fprintf(&b, "  %s call %s --keys \"1 1 100001 1 2468\" --for 50s --save heard.wav\n", program, uri)
		fmt.Fprintf(&b, "      English; your balance; account 100001, yes; PIN 2468. heard.wav is what the caller heard.\n")
		fmt.Fprintf(&b, "  %s call %s --keys \"1 3,,,,\" --play heard.wav --for 50s\n", program, uri)
		fmt.Fprintf(&b, "      leave a message. Commas wait for the tone; any WAV will do, such as the one just saved.\n")
		fmt.Fprintf(&b, "  %s call --answer %s\n", program, strings.TrimPrefix(agent, "sip:agent@"))
		fmt.Fprintf(&b, "      be the person to whom the hotline transfers (key 0, when the bank is open). To open it now, add\n")
		fmt.Fprintf(&b, "      this line to %s:  overrides: { %s: \"00:00-24:00\" }\n",
			filepath.Join(dir, "flows", "bank.calendar.yaml"), bankDay(time.Now()))
	}
	fmt.Fprintf(&b, "  %s interactions list --config %s\n", program, loaded.File)
	fmt.Fprintf(&b, "  %s interactions show --config %s NUMBER\n", program, loaded.File)
	fmt.Fprintf(&b, "      the journal: what was said, pressed and answered, and how each call ended.\n")
	fmt.Fprintf(&b, "  edit %s and call again: the next call hears it.\n", filepath.Join(dir, "flows", "hotline.flow.yaml"))
	b.WriteString("\nCtrl-C stops it.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// bankDay is the date where the bank is.
func bankDay(now time.Time) string {
	return now.In(time.FixedZone("Asia/Shanghai", 8*60*60)).Format(time.DateOnly)
}

// shellWord quotes what a shell would take apart.
func shellWord(uri string) string {
	if strings.Contains(uri, ";") {
		return "'" + uri + "'"
	}
	return uri
}

// demoKeys makes keys with which the demo's agents and their supervisor use the API, anew
// at each start, and returns the files that have them, by name.
func demoKeys(ctx context.Context, r *staff.Register, dir string) (files map[string]string, err error) {
	by := staff.Actor{Name: "demo", Source: "command"}
	old, err := r.Keys(ctx)
	if err != nil {
		return nil, err
	}
	files = map[string]string{}
	for name, scopes := range map[string][]staff.Scope{
		"anna": {staff.ScopeAgent, staff.ScopeAudio, staff.ScopeTickets}, "bo": {staff.ScopeAgent, staff.ScopeAudio, staff.ScopeTickets},
		"sam": {staff.ScopeLineRead, staff.ScopeLineWrite, staff.ScopeAudio, staff.ScopeTickets},
	} {
		k := staff.Key{Name: "demo-" + name, Scopes: scopes}
		if name != "sam" {
			k.Agent = name
		}
		for _, o := range old {
			if o.Name == k.Name && o.Revoked.IsZero() {
				if err := r.RevokeKey(ctx, by, o.ID); err != nil {
					return nil, err
				}
			}
		}
		secret, _, err := r.MakeKey(ctx, by, k)
		if err != nil {
			return nil, err
		}
		files[name] = filepath.Join(dir, name+".key")
		if err := os.WriteFile(files[name], []byte(secret+"\n"), 0o600); err != nil {
			return nil, tandem.Errorf(tandem.CodeInvalid, "writing a key of the demo: %w", err)
		}
	}
	return files, nil
}
