package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/bridge/sms/simulator"
	"tandem/internal/nearest"
)

// simulateCommand groups what plays others for demonstrations and tests.
func simulateCommand() *cli.Command {
	rate := func(name, usage string) cli.Flag {
		return &cli.Float64Flag{Name: name, Usage: usage + ", a `CHANCE` from 0 to 1"}
	}
	return &cli.Command{
		Name: "simulate", Usage: "play others for demonstrations and tests",
		Subcommands: []*cli.Command{{
			Name: "sms", Usage: "play a gateway for texts, and the phones behind it",
			Description: "Takes texts as Twilio's API or as a signed webhook, shows them on a page with phones that can reply,\n" +
				"and posts receipts and replies back. Nobody gets a real text. With --gateway it plays one of the\n" +
				"configuration's sms.gateways as that is set up; without, it prints what belongs into the configuration.\n" +
				"What goes wrong can also be changed on the page, for all texts or the next one.",
			Flags: []cli.Flag{
				configFlag(),
				&cli.StringFlag{Name: "gateway", Usage: "play this gateway of the configuration: its `NAME` in sms.gateways"},
				&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8091", Usage: "`HOST:PORT` of the page and the gateway"},
				&cli.StringFlag{Name: "target", Usage: "where replies and receipts go: `URL` http://HOST/api/v1/sms/NAME"},
				&cli.StringFlag{Name: "kind", Value: simulator.Webhook, Usage: "`KIND` of gateway: webhook or twilio"},
				&cli.StringSliceFlag{Name: "number", Usage: "a `NUMBER` of the server's that the gateway serves (default: +861055550100)"},
				&cli.StringFlag{Name: "account", Usage: "twilio: the account's `SID` (default: AC and zeros)"},
				&cli.StringFlag{Name: "secret-file", Usage: "`FILE` with the secret, or twilio's token, made if it is not there (default: one is drawn and printed)"},
				&cli.StringFlag{Name: "origin", Usage: "a page of this `ORIGIN`, such as http://127.0.0.1:8080, may use the phones too"},
				&cli.DurationFlag{Name: "delay", Value: time.Second, Usage: "`TIME` before each receipt"},
				rate("fail", "texts refused for good"), rate("temporary", "tries refused with 503"), rate("too-many", "tries refused with 429"),
				&cli.DurationFlag{Name: "retry-after", Usage: "`TIME` that a 429 asks to wait"},
				rate("vanish", "texts taken whose answer is lost"), rate("undelivered", "texts taken and not delivered"),
				rate("lost", "receipts lost"), rate("double", "receipts sent twice"), rate("reorder", "texts with receipts out of order"),
				rate("double-in", "replies sent twice"), rate("reorder-in", "replies held back"),
				&cli.BoolFlag{Name: "read", Usage: "phones say that a text was read"},
				&cli.Uint64Flag{Name: "seed", Usage: "`NUMBER` that chance begins with, so that a run can be had again; 0 = another each time"},
				jsonFlag(),
			},
			Action: simulateSMS,
		}},
	}
}

// played is the gateway that is played, and how it is told.
type played struct {
	simulator.Gateway
	name   string // in the configuration
	listen string
	file   string // that has the secret; "" = it was drawn
	known  bool   // the configuration has it already
}

func simulateSMS(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	g, err := gatewayToPlay(c)
	if err != nil {
		return err
	}
	knobs := simulator.Knobs{
		DelayMS: int(c.Duration("delay").Milliseconds()), Fail: c.Float64("fail"), Temporary: c.Float64("temporary"), TooMany: c.Float64("too-many"),
		RetryAfterS: int(c.Duration("retry-after").Seconds()), Vanish: c.Float64("vanish"), Undelivered: c.Float64("undelivered"), LostReceipt: c.Float64("lost"),
		Double: c.Float64("double"), Reorder: c.Float64("reorder"), DoubleIn: c.Float64("double-in"), ReorderIn: c.Float64("reorder-in"), Read: c.Bool("read"),
	}
	host, _, err := net.SplitHostPort(g.listen)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "--listen %s is not HOST:PORT, such as 127.0.0.1:8091", g.listen)
	}
	s, err := simulator.New(simulator.Options{
		Gateways: []simulator.Gateway{g.Gateway}, Knobs: knobs, Origin: strings.TrimSuffix(c.String("origin"), "/"), Hosts: []string{host}, Seed: c.Uint64("seed"),
		Log: slog.New(slog.NewTextHandler(c.App.ErrWriter, nil)),
	})
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "%w; see tandem simulate sms --help", err)
	}
	l, err := net.Listen("tcp", g.listen)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "the simulator cannot listen on %s: %w; end what uses it, or choose another with --listen", g.listen, err)
	}
	if a, err := netip.ParseAddrPort(l.Addr().String()); err == nil && !a.Addr().IsLoopback() {
		fmt.Fprintf(c.App.ErrWriter, "warning: whoever reaches %s can read and write the phones' texts; it is a simulator without a login\n", l.Addr())
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	running, cancel := context.WithCancel(context.WithoutCancel(c.Context))
	posting := make(chan struct{})
	go func() {
		defer close(posting)
		s.Run(running)
	}()
	closeDoor := serveBeside(l, s)
	err = tellSimulator(c, g, "http://"+l.Addr().String())
	if err == nil {
		<-ctx.Done()
	}
	err = errors.Join(err, closeDoor())
	cancel()
	<-posting
	return err
}

// gatewayToPlay is the gateway that the flags, or the configuration, name.
func gatewayToPlay(c *cli.Context) (*played, error) {
	if c.String("gateway") != "" {
		return configuredGateway(c)
	}
	g := &played{listen: c.String("listen"), file: c.String("secret-file")}
	g.Kind, g.Numbers, g.Target, g.Account = c.String("kind"), c.StringSlice("number"), c.String("target"), c.String("account")
	if g.Kind != simulator.Webhook && g.Kind != simulator.Twilio {
		return nil, tandem.Errorf(tandem.CodeInvalid, "--kind is webhook or twilio, not %q", g.Kind)
	}
	u, err := url.Parse(g.Target)
	if g.Target == "" || err != nil || u.Host == "" {
		return nil, tandem.Errorf(tandem.CodeInvalid,
			"say where replies go with --target http://127.0.0.1:8080/api/v1/sms/NAME, NAME being one of sms.gateways; or play a gateway of the configuration with --gateway NAME")
	}
	if g.name = path.Base(u.Path); !strings.Contains(u.Path, "/api/v1/sms/") {
		fmt.Fprintf(c.App.ErrWriter, "warning: --target does not end in /api/v1/sms/NAME, where a Tandem server takes them\n")
	}
	if len(g.Numbers) == 0 {
		g.Numbers = []string{"+861055550100"}
	}
	g.Secret, err = simulatorSecret(g.file)
	return g, err
}

// simulatorSecret reads the secret of a file, made if need be, or draws one. As a token
// it does as well as as a webhook's secret.
func simulatorSecret(file string) (string, error) {
	if file == "" {
		var b [24]byte
		_, _ = rand.Read(b[:]) // it does not fail
		return "whsec_" + base64.StdEncoding.EncodeToString(b[:]), nil
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := writeSecret(file); err != nil {
			return "", tandem.Errorf(tandem.CodeInvalid, "--secret-file: %w", err)
		}
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return "", tandem.Errorf(tandem.CodeInvalid, "--secret-file: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// configuredGateway is a gateway of the configuration: it is played where its url says.
func configuredGateway(c *cli.Context) (*played, error) {
	for _, f := range []string{"target", "kind", "number", "account", "secret-file"} {
		if c.IsSet(f) {
			return nil, tandem.Errorf(tandem.CodeInvalid, "--gateway takes this from the configuration; leave out --%s", f)
		}
	}
	loaded, err := loadConfig(c)
	if err != nil {
		return nil, err
	}
	name := c.String("gateway")
	found, ok := loaded.SMS.Gateways[name]
	if !ok {
		names := []string{}
		for n := range loaded.SMS.Gateways {
			names = append(names, n)
		}
		if near := nearest.Name(name, names); near != "" {
			return nil, tandem.Errorf(tandem.CodeNotFound, "the configuration has no sms.gateways.%s; did you mean --gateway %s?", name, near)
		}
		return nil, tandem.Errorf(tandem.CodeNotFound, "the configuration has no sms.gateways.%s", name)
	}
	g := &played{name: name, listen: c.String("listen"), known: true}
	g.Kind, g.Numbers, g.Account, g.Target = found.Kind, found.Numbers, found.Account, loaded.HTTP.PublicAddress()+"/api/v1/sms/"+name
	if g.Secret = found.Secret.Reveal(); g.Kind == simulator.Twilio {
		g.Secret = found.Token.Reveal()
	}
	at, err := url.Parse(found.URL)
	if err != nil || at.Scheme != "http" || strings.TrimSuffix(at.Path, "/") != gatewayPath(g.Kind) {
		return nil, tandem.Errorf(tandem.CodeInvalid, "sms.gateways.%s.url is %s; for the simulator write http://127.0.0.1:8091%s there", name, found.URL, gatewayPath(g.Kind))
	}
	if !c.IsSet("listen") {
		if g.listen = at.Host; at.Port() == "" {
			g.listen += ":80"
		}
	}
	return g, nil
}

// gatewayPath is what comes after the simulator's address in a gateway's url.
func gatewayPath(kind string) string {
	if kind == simulator.Twilio {
		return ""
	}
	return "/webhook"
}

// tellSimulator says where the simulator is and what the server must know.
func tellSimulator(c *cli.Context, g *played, address string) error {
	if c.Bool("json") {
		drawn := ""
		if !g.known && g.file == "" {
			drawn = g.Secret
		}
		return writeJSON(c.App.Writer, struct {
			Page    string   `json:"page"`
			Gateway string   `json:"gateway"`
			Target  string   `json:"target"`
			Kind    string   `json:"kind"`
			Numbers []string `json:"numbers"`
			Account string   `json:"account,omitempty"`
			Secret  string   `json:"secret,omitempty"` // if it was drawn now
		}{address + "/", address + gatewayPath(g.Kind), g.Target, g.Kind, g.Numbers, g.Account, drawn})
	}
	w := &strings.Builder{}
	fmt.Fprintf(w, "This is a simulator: it plays a gateway and phones, and nobody gets a real text.\n\n")
	fmt.Fprintf(w, "  phones    %s/\n  gateway   %s (%s, %s)\n  replies   go to %s\n", address, address+gatewayPath(g.Kind), g.Kind, strings.Join(g.Numbers, ", "), g.Target)
	if !g.known {
		name, secret := "secret", g.Secret
		if g.Kind == simulator.Twilio {
			name = "token"
		}
		if g.file != "" {
			secret = "{ file: " + g.file + " }"
		}
		fmt.Fprintf(w, "\nThe server's configuration needs\n\n  sms:\n    gateways:\n      %s:\n        kind: %s\n        url: %s\n", g.name, g.Kind, address+gatewayPath(g.Kind))
		if g.Kind == simulator.Twilio {
			account := g.Account
			if account == "" {
				account = simulator.NoAccount
			}
			fmt.Fprintf(w, "        account: %s\n", account)
		}
		fmt.Fprintf(w, "        %s: %s\n        numbers: [\"%s\"]\n  texts:\n    allow: [\"+86\"]   # and whom else it may text\n", name, secret, strings.Join(g.Numbers, `", "`))
	}
	_, err := fmt.Fprintf(c.App.Writer, "%s\nCtrl-C ends it.\n", w)
	return err
}
