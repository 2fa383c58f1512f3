package config

import (
	"strings"
	"testing"
)

const textSetup = `
chat: { sites: { bank: { title: { en: Bank }, origins: ["https://www.bank.example"], call_back: true, queue: cards } } }
sms: { gateways: { first: { kind: webhook, url: "https://sms.example", secret: whsec_x, numbers: ["+861055550100", "95588"] } } }
texts: { allow: ["+86"], prices: { "+86": 0.05 }, money_per_day: 5 }
entries:
  "chat:bank": counter
  "sms:+861055550100": counter
  "sms:95588": counter
  "qr:branch-12": { flow: counter, site: bank, place: Branch 12 }
  "95599": hotline
`

func TestTextEntries(t *testing.T) {
	c := parse(t, textSetup)
	if e, ok := c.Entries.Named("qr:branch-12"); !ok || e.Place != "Branch 12" || e.Site != "bank" {
		t.Errorf("the code's entry is %+v, %t", e, ok)
	}
	if kind, name := (Entry{Name: "sms:+861055550100"}).Kind(); kind != "sms" || name != "+861055550100" {
		t.Errorf("kind %q, name %q", kind, name)
	}
	for _, dialled := range []string{"chat:bank", "sms:95588", "qr:branch-12"} {
		if e, ok := Match(c.Entries, dialled); ok {
			t.Errorf("a call to %s comes to %+v", dialled, e)
		}
	}
	for number, want := range map[string]bool{"+8613800000000": true, "008613800000000": true, "+447000000000": false, "+8616868123": false, "bank": false} {
		if got, why := c.Texts.Allows(number); got != want {
			t.Errorf("texts to %s: %t, %s", number, got, why)
		}
	}
}

func TestTextMistakes(t *testing.T) {
	for text, want := range map[string]string{
		`entries: { "chat:bank": f }`:         "there is no chat.sites.bank",
		`entries: { "sms:+8610": f }`:         "one of your numbers",
		`entries: { "sms:+861055550100": f }`: "no gateway of sms.gateways serves",
		`entries: { "qr:x": f }`:              "needs site",
		`entries: { "qr:a b": f }`:            "after qr:",
		`entries: { "wechat:x": f }`:          "come later",
		"chat: { sites: { bank: {} } }\nentries: { \"chat:bank\": { flow: f, ring: 2s } }": "numbers that are called",
		`chat: { sites: { Bank: {} } }`:                                                        "small letters",
		`chat: { sites: { bank: { origins: ["https://*.bank.example"] } } }`:                   "is no origin",
		`chat: { limits: { sockets: 0 } }`:                                                     "more than 0",
		`sms: { gateways: { x: { kind: twillio, url: "https://a", numbers: ["+8610000"] } } }`: "did you mean twilio?",
		`sms: { gateways: { x: { kind: twilio, url: "https://a", numbers: ["+8610000"] } } }`:  "needs account and token",
		`sms: { gateways: { x: { kind: webhook, url: "https://a", numbers: ["+8610000"] } } }`: "needs secret",
		`texts: { allow: [everyone] }`:                                                         "is no prefix of numbers",
		`texts: { per_day: -1 }`:                                                               "cannot be negative",
		`texts: { money_per_day: 3 }`:                                                          "needs texts.prices",
		`identity: { service: "https://a" }`:                                                   "needs identity.secret",
		`identity: { holds: 10s }`:                                                             "goes from 1m to 1d",
	} {
		_, err := Parse("t.yaml", []byte(text), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
