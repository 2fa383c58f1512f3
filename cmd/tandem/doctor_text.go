package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"tandem/internal/app"
	"tandem/internal/config"
	"tandem/web/ui"
)

// connectTime bounds the attempt to connect to a gateway or service.
const connectTime = 3 * time.Second

// textFindings is what can be said of the text side without connecting to anybody;
// config check prints those that are not ok as warnings.
func textFindings(p *patient) []finding {
	var all []finding
	for _, check := range []func(*patient) []finding{publicURL, builtPages, chatSites, textsOut, gatewaysSet} {
		all = append(all, check(p)...)
	}
	return all
}

func checkText(_ context.Context, p *patient) []finding {
	all := textFindings(p)
	if err := app.CheckText(p.Config); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			all = append(all, finding{"text side", fail, line, "correct it: the server does not start so"})
		}
	}
	return all
}

// thisMachine reports whether a host is reached from this machine only.
func thisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// publicURL looks whether the address that customers are told leads them here, safely.
func publicURL(p *patient) []finding {
	const name = "public url"
	const behind = "put a proxy with TLS in front of http.listen and set http.public_url to https://HOST"
	host, _, _ := net.SplitHostPort(p.HTTP.Listen)
	if p.HTTP.PublicURL == "" {
		if thisMachine(host) {
			return []finding{{name, ok, "pages, links and chats from this machine only", ""}}
		}
		return []finding{{name, fail, "http.public_url is not set, so customers are sent to " + p.HTTP.PublicAddress(), behind}}
	}
	u, err := url.Parse(p.HTTP.PublicURL)
	if err != nil {
		return nil // it was checked with the configuration
	}
	addr, _ := netip.ParseAddr(u.Hostname())
	switch {
	case thisMachine(u.Hostname()):
		if thisMachine(host) {
			return []finding{{name, ok, p.HTTP.PublicURL + ", from this machine only", ""}}
		}
		return []finding{{name, fail, p.HTTP.PublicURL + " leads customers to their own machines", behind}}
	case u.Scheme != "https" && addr.IsPrivate():
		return []finding{{name, warn, p.HTTP.PublicURL + " is not https: what is written can be read on the way, and browsers give such pages no camera or microphone", behind}}
	case u.Scheme != "https":
		return []finding{{name, fail, p.HTTP.PublicURL + " is not https: what is written can be read on the way, cookies go without protection, and browsers give such pages no camera or microphone", behind}}
	case len(p.HTTP.Proxies) == 0:
		return []finding{{name, warn, p.HTTP.PublicURL + ", but http.proxies is empty: behind the proxy all customers are one address, and share its limits", "list the proxy's address in http.proxies"}}
	}
	return []finding{{name, ok, p.HTTP.PublicURL, ""}}
}

// builtPages looks whether the pages were built before the program was.
func builtPages(*patient) []finding {
	for _, file := range []string{"widget.js", "chat.html", "index.html"} {
		if _, err := fs.Stat(ui.Pages(), file); err != nil {
			return []finding{{"pages", fail, "this program was built without " + file + ": no widget, no pages", "build it with: make build"}}
		}
	}
	return []finding{{"pages", ok, "the widget and the pages are in the program", ""}}
}

// chatSites looks whether each site leads somewhere. An entry without its site is refused
// with the configuration.
func chatSites(p *patient) []finding {
	if len(p.Chat.Sites) == 0 {
		return nil
	}
	var all []finding
	for _, name := range slices.Sorted(maps.Keys(p.Chat.Sites)) {
		site, check := p.Chat.Sites[name], "chat "+name
		used := slices.ContainsFunc(p.Entries, func(e config.Entry) bool {
			kind, of := e.Kind()
			return kind == "chat" && of == name || kind == "qr" && e.Site == name
		})
		switch {
		case !used:
			all = append(all, finding{check, warn, "no entry leads there: its widget answers nobody", fmt.Sprintf("add \"chat:%s\": FLOW under entries", name)})
		case site.CallBack && len(p.SMS.Gateways) == 0:
			all = append(all, finding{check, warn, "call_back is on, but there is no gateway for the code that a number has to answer: it is not offered", "add a gateway under sms.gateways, or take call_back away"})
		case site.CallBack && len(p.Outbound.Allow) == 0:
			all = append(all, finding{check, warn, "call_back is on, but outbound.allow is empty: every number is refused", "list the prefixes that may be called in outbound.allow"})
		default:
			where := "on pages of http.public_url"
			if len(site.Origins) > 0 {
				where += ", " + strings.Join(site.Origins, ", ")
			}
			all = append(all, finding{check, ok, "may stand " + where, ""})
		}
	}
	return all
}

// textsOut looks whether texts may leave at all.
func textsOut(p *patient) []finding {
	const name = "texts"
	switch {
	case len(p.SMS.Gateways) == 0 && len(p.Texts.Allow) > 0:
		return []finding{{name, warn, "texts.allow lists prefixes, but there is no gateway", "add one under sms.gateways; docs/sms.md tells how"}}
	case len(p.SMS.Gateways) == 0:
		return nil
	case len(p.Texts.Allow) == 0:
		return []finding{{name, warn, "texts.allow is empty: no text goes out, no code, no link", "list the prefixes that may be texted, such as texts: { allow: [\"+86\"] }"}}
	}
	return []finding{{name, ok, "may go to " + strings.Join(p.Texts.Allow, ", "), ""}}
}

// codeTemplate is the template of one-time codes.
const codeTemplate = "code"

// gatewaysSet looks at what a gateway can be asked for, and whether it can answer.
func gatewaysSet(p *patient) []finding {
	var all []finding
	for _, name := range slices.Sorted(maps.Keys(p.SMS.Gateways)) {
		g, check := p.SMS.Gateways[name], "sms "+name
		if g.TemplatesOnly && g.Templates[codeTemplate] == "" {
			all = append(all, finding{check, fail, "takes templates only and has none for one-time codes: none can be sent",
				fmt.Sprintf("have one approved with the parameters code and minutes, and name it: sms.gateways.%s.templates: { %s: ID }", name, codeTemplate)})
		}
		if g.TemplatesOnly {
			for _, n := range g.Numbers {
				if e, mapped := p.Entries.Named("sms:" + n); mapped {
					all = append(all, finding{check, fail, fmt.Sprintf("takes templates only, but what is written to %s leads to flow %s, which answers in its own words", n, e.Flow),
						"serve that number by a gateway that takes free text, or take the entry away"})
				}
			}
		}
		public, _ := url.Parse(p.HTTP.PublicAddress())
		at, _ := url.Parse(g.URL)
		if public != nil && at != nil && thisMachine(public.Hostname()) && !thisMachine(at.Hostname()) {
			all = append(all, finding{check, warn, "its provider cannot reach " + webhookOf(p.Config, name, g) + ": receipts and what people write do not come", "set http.public_url to the address that leads here from outside"})
		}
	}
	return all
}

// webhookOf is the address that is to be registered with a gateway's provider.
func webhookOf(c *config.Config, name string, g config.Gateway) string {
	address := c.HTTP.PublicAddress() + "/api/v1/sms/" + name
	if g.Kind == "twilio" {
		address += "#rc=5&rp=all" // has Twilio try again when it is asked to
	}
	return address
}

// checkGateways connects to each gateway, sends nothing, and says where its provider is
// to send what people write.
func checkGateways(ctx context.Context, p *patient) []finding {
	var all []finding
	for _, name := range slices.Sorted(maps.Keys(p.SMS.Gateways)) {
		g := p.SMS.Gateways[name]
		if err := connect(ctx, g.URL); err != nil {
			all = append(all, finding{"sms " + name, fail, fmt.Sprintf("%s cannot be reached: %s", g.URL, err),
				fmt.Sprintf("see sms.gateways.%s.url, and whether a firewall lets this machine out", name)})
			continue
		}
		all = append(all, finding{"sms " + name, ok, "reached; its webhook, to be registered with the provider: " + webhookOf(p.Config, name, g), ""})
	}
	return all
}

// checkIdentity connects to the service that checks PINs and questions.
func checkIdentity(ctx context.Context, p *patient) []finding {
	const name = "identity service"
	if p.Identity.Service == "" {
		return nil
	}
	if err := connect(ctx, p.Identity.Service); err != nil {
		return []finding{{name, fail, fmt.Sprintf("%s cannot be reached: %s", p.Identity.Service, err), "see identity.service; without it no PIN and no answer is taken"}}
	}
	return []finding{{name, ok, p.Identity.Service + " can be reached", ""}}
}

// connect connects to the host of an address, for https as far as its certificate.
func connect(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		if port = "80"; u.Scheme == "https" {
			port = "443"
		}
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	var c io.Closer
	if u.Scheme == "https" {
		c, err = (&tls.Dialer{Config: &tls.Config{ServerName: u.Hostname()}}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	} else {
		c, err = (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("nobody answered within %s", connectTime)
	}
	if err != nil {
		return err
	}
	return c.Close()
}
