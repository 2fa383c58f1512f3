package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Chat is the widget on the operator's pages.
type Chat struct {
	Sites  map[string]Site `yaml:"sites"` // by the name in the widget's data-site
	Limits ChatLimits      `yaml:"limits"`
}

// Site is one place where the widget stands. An entry "chat:NAME" leads it to a flow.
type Site struct {
	Title    map[string]string `yaml:"title"`     // by language; none = the organisation's name
	Origins  []string          `yaml:"origins"`   // pages it may stand on: https://HOST; the customers' own door always may
	CallBack bool              `yaml:"call_back"` // visitors may ask to be called
	Queue    string            `yaml:"queue"`     // of those calls
}

// ChatLimits bounds what visitors may do. All counts are more than 0.
type ChatLimits struct {
	Sockets               int `yaml:"sockets"`                  // at once
	SocketsPerAddress     int `yaml:"sockets_per_address"`      // at once
	ConversationsPerHour  int `yaml:"conversations_per_hour"`   // new ones of one address
	AttachmentsPerHour    int `yaml:"attachments_per_hour"`     // of one address
	CallbacksPerHour      int `yaml:"callbacks_per_hour"`       // asked for by one address
	LinkAttemptsPerMinute int `yaml:"link_attempts_per_minute"` // wrong tokens and codes tried by one address
	WebhooksPerSecond     int `yaml:"webhooks_per_second"`      // of one gateway
}

// SMS is the gateways that carry texts.
type SMS struct {
	Gateways map[string]Gateway `yaml:"gateways"` // by the name in its webhook's address, /api/v1/sms/NAME
}

// Gateway is one provider of texts.
type Gateway struct {
	Kind          string            `yaml:"kind"`           // twilio, or webhook (Standard Webhooks)
	URL           string            `yaml:"url"`            // where texts are handed over
	Account       string            `yaml:"account"`        // twilio: the account's SID
	Token         Secret            `yaml:"token"`          // twilio: the account's token
	Secret        Secret            `yaml:"secret"`         // webhook: whsec_…, signs both ways
	OldSecret     Secret            `yaml:"old_secret"`     // webhook: still taken from the gateway while secrets are changed
	Numbers       []string          `yaml:"numbers"`        // of ours that it serves; the first of a person's country writes to them, else the first
	TemplatesOnly bool              `yaml:"templates_only"` // it takes no free text
	Templates     map[string]string `yaml:"templates"`      // the flows' names to the provider's
}

// Texts says which texts may be sent and caps their number and cost. With an empty
// Allow none goes out. A count or sum of 0 means none, never "no limit".
type Texts struct {
	Allow             []string           `yaml:"allow"` // number prefixes such as +86
	Deny              []string           `yaml:"deny"`  // prefixes; stronger than Allow
	PerHour           int                `yaml:"per_hour"`
	PerDay            int                `yaml:"per_day"`
	PerNumberPerHour  int                `yaml:"per_number_per_hour"`
	PerNumberPerDay   int                `yaml:"per_number_per_day"`
	PerVisitorPerHour int                `yaml:"per_visitor_per_hour"` // caused by one visitor of a page
	PerAddressPerHour int                `yaml:"per_address_per_hour"` // caused from one network address
	PartsPerDay       int                `yaml:"parts_per_day"`
	MoneyPerDay       float64            `yaml:"money_per_day"` // in the currency of Prices; 0 with no Prices = not counted
	Prices            map[string]float64 `yaml:"prices"`        // number prefix → price of a part
}

// Identity is how customers prove who they are.
type Identity struct {
	Service string        `yaml:"service"` // checks PINs and questions: an address that takes signed POSTs; "" = none
	Secret  Secret        `yaml:"secret"`  // signs them
	Holds   time.Duration `yaml:"holds"`   // how long a level that was proved holds
	Return  time.Duration `yaml:"return"`  // how long an interaction that was left can be gone on with
	Country string        `yaml:"country"` // prefix of phone numbers that are typed without one
}

// Allows reports whether a number may be texted, and if not, why, in words.
func (t Texts) Allows(number string) (ok bool, why string) {
	return Outbound{Allow: t.Allow, Deny: t.Deny}.allows(number, "texts.allow")
}

// Price is the price of one part of a text to number by the longest prefix; ok is false
// if no prefix fits.
func (t Texts) Price(number string) (price float64, ok bool) {
	return Outbound{Prices: t.Prices}.Price(number)
}

// PublicAddress is how customers reach their door: http.public_url, or http://listen.
func (h HTTP) PublicAddress() string {
	if h.PublicURL != "" {
		return strings.TrimSuffix(h.PublicURL, "/")
	}
	return "http://" + h.Listen
}

var (
	siteName    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	qrCode      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)
	countryCode = regexp.MustCompile(`^\+[1-9][0-9]{0,3}$`)
	e164        = regexp.MustCompile(`^\+[1-9][0-9]{5,14}$`)
	shortSMS    = regexp.MustCompile(`^[0-9]{3,15}$`) // a provider's short or long local number
)

const maxHolds = 24 * time.Hour

func (r *reader) checkText(c *Config) {
	for _, name := range sortedNames(c.Chat.Sites) {
		key, s := "chat.sites."+name, c.Chat.Sites[name]
		if !siteName.MatchString(name) {
			r.wrong(key, "is part of pages: name it with at most 40 small letters, digits and -")
		}
		for _, o := range s.Origins {
			u, err := url.Parse(o)
			if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(o, "*") {
				r.wrong(key+".origins", "%q is no origin: write https://HOST or https://HOST:PORT, without a path", o)
			}
		}
		for _, lang := range sortedNames(s.Title) {
			r.oneOf(key+".title", lang, "en", "zh-CN")
		}
	}
	for _, l := range []struct {
		key   string
		value int
	}{
		{"sockets", c.Chat.Limits.Sockets}, {"sockets_per_address", c.Chat.Limits.SocketsPerAddress},
		{"conversations_per_hour", c.Chat.Limits.ConversationsPerHour}, {"attachments_per_hour", c.Chat.Limits.AttachmentsPerHour},
		{"callbacks_per_hour", c.Chat.Limits.CallbacksPerHour}, {"link_attempts_per_minute", c.Chat.Limits.LinkAttemptsPerMinute},
		{"webhooks_per_second", c.Chat.Limits.WebhooksPerSecond},
	} {
		if l.value < 1 {
			r.wrong("chat.limits."+l.key, "must be more than 0")
		}
	}
	r.checkGateways(c.SMS)
	r.checkTexts(c.Texts)
	i := c.Identity
	if i.Service != "" {
		r.webURL("identity.service", i.Service)
		if i.Secret == "" {
			r.wrong("identity.service", "needs identity.secret, which signs each question")
		}
	}
	if i.Holds < time.Minute || i.Holds > maxHolds {
		r.wrong("identity.holds", "goes from 1m to 1d")
	}
	if !countryCode.MatchString(i.Country) {
		r.wrong("identity.country", "%q is no country code: write +86, +44 and so on", i.Country)
	}
	if i.Return < time.Hour || i.Return > 30*24*time.Hour {
		r.wrong("identity.return", "goes from 1h to 30d")
	}
	r.checkTextEntries(c)
}

func (r *reader) checkGateways(s SMS) {
	owner := map[string]string{}
	for _, name := range sortedNames(s.Gateways) {
		key, g := "sms.gateways."+name, s.Gateways[name]
		if !siteName.MatchString(name) {
			r.wrong(key, "is part of addresses: name it with at most 40 small letters, digits and -")
		}
		r.oneOf(key+".kind", g.Kind, "twilio", "webhook")
		r.webURL(key+".url", g.URL)
		switch g.Kind {
		case "twilio":
			if g.Account == "" || g.Token == "" {
				r.wrong(key, "needs account and token, as the provider's console shows them")
			}
		case "webhook":
			if g.Secret == "" {
				r.wrong(key, "needs secret, whsec_ and at least 24 bytes in base64, which signs both ways")
			}
		}
		if len(g.Numbers) == 0 {
			r.wrong(key+".numbers", "is empty: list the numbers of yours that this gateway serves")
		}
		for _, n := range g.Numbers {
			if !e164.MatchString(n) && !shortSMS.MatchString(n) {
				r.wrong(key+".numbers", "%q is no number: write +8610…, or a short number as the provider gives it", n)
			}
			if first, twice := owner[n]; twice {
				r.wrong(key+".numbers", "%s is served by sms.gateways.%s already", n, first)
			}
			owner[n] = name
		}
	}
}

func (r *reader) checkTexts(t Texts) {
	for key, list := range map[string][]string{"texts.allow": t.Allow, "texts.deny": t.Deny} {
		for _, p := range list {
			if plainNumber(p) == "" {
				r.wrong(key, "%q is no prefix of numbers: write digits such as +86", p)
			}
		}
	}
	for _, n := range []struct {
		key   string
		value float64
	}{
		{"per_hour", float64(t.PerHour)}, {"per_day", float64(t.PerDay)}, {"per_number_per_hour", float64(t.PerNumberPerHour)},
		{"per_number_per_day", float64(t.PerNumberPerDay)}, {"per_visitor_per_hour", float64(t.PerVisitorPerHour)},
		{"per_address_per_hour", float64(t.PerAddressPerHour)}, {"parts_per_day", float64(t.PartsPerDay)}, {"money_per_day", t.MoneyPerDay},
	} {
		if n.value < 0 {
			r.wrong("texts."+n.key, "cannot be negative")
		}
	}
	for _, prefix := range sortedNames(t.Prices) {
		if plainNumber(prefix) == "" || t.Prices[prefix] < 0 {
			r.wrong(join("texts.prices", prefix), "wants a prefix of numbers and a price that is not negative")
		}
	}
	if t.MoneyPerDay > 0 && len(t.Prices) == 0 {
		r.wrong("texts.money_per_day", "needs texts.prices to count by")
	}
}

// checkTextEntries: what an entry of a site, a number for texts or a QR code names is there.
func (r *reader) checkTextEntries(c *Config) {
	for _, e := range c.Entries {
		key := join("entries", e.Name)
		kind, name := e.Kind()
		site := ""
		switch kind {
		case "chat":
			site = name
		case "qr":
			if site = e.Site; site == "" {
				r.wrong(key, "needs site, one of chat.sites: whose widget the code opens")
				continue
			}
		case "sms":
			if !slices.ContainsFunc(sortedNames(c.SMS.Gateways), func(g string) bool { return slices.Contains(c.SMS.Gateways[g].Numbers, name) }) {
				r.wrong(key, "no gateway of sms.gateways serves %s", name)
			}
		}
		if kind != "qr" && (e.Site != "" || e.Place != "") {
			r.wrong(key, "site and place are for entries that begin with qr:")
		}
		if kind != "" && (e.Ring != 0 || e.Auth || e.Record) {
			r.wrong(key, "ring, auth and record are for numbers that are called")
		}
		if _, ok := c.Chat.Sites[site]; site != "" && !ok {
			r.wrong(key, "there is no chat.sites.%s", site)
		}
	}
}
