package app

import (
	"testing"
	"time"

	"tandem/internal/testkit"
)

// deskEntries lead to the flow desk.
const deskEntries = `
  "3": desk
  "chat:night": desk
  "sms:+861055550100": desk
`

// deskFlow is a small one for phone, chat and SMS, whose prompts take a tenth of a second
// by phone: a form of three questions, a link, and all ways to go on elsewhere.
const deskFlow = `flow: desk
channels: [voice, chat, sms]
languages: [en]
start: main
on_leave: left
vars:
  colour: { type: enum, values: [none, red, blue], default: none }
  size: { type: int }
  name: { type: digits }
prompts:
  main: { en: { text: "Form, link, earlier, who, bye?", audio: blip.wav } }
  number: { en: { text: "Your number.", audio: blip.wav } }
  keep: { en: { text: "May we keep it?", audio: blip.wav } }
  colour: { en: { text: "Which colour?", audio: blip.wav } }
  size: { en: { text: "Which size?", audio: blip.wav } }
  name: { en: { text: "Which customer number?", audio: blip.wav } }
  done: { en: { text: "The form is done.", audio: blip.wav } }
  where: { en: { text: "Where to?", audio: blip.wav } }
  go: { en: { text: "Go on here: ${link.url}", audio: blip.wav } }
  ring: { en: { text: "Call us on ${link.url}", audio: blip.wav } }
  answer: { en: { text: "Answer this to go on.", audio: blip.wav } }
  staying: { en: { text: "We stay.", audio: blip.wav } }
  page: { en: { text: "Fill this in: ${link.url}", audio: blip.wav } }
  seen: { en: { text: "You have opened it.", audio: blip.wav } }
  set: { en: { text: "The page is done.", audio: blip.wav } }
  unset: { en: { text: "The page is not done.", audio: blip.wav } }
  known: { en: { text: "We know you.", audio: blip.wav } }
  unknown: { en: { text: "We do not know you.", audio: blip.wav } }
  cannot: { en: { text: "That cannot be sent.", audio: blip.wav } }
commands:
  help: { keys: "*4", phrases: { en: [elsewhere] }, go: where }
  agent: { keys: "*5", phrases: { en: [prove] }, go: who }
steps:
  main:
    menu:
      prompt: main
      choices:
        - { keys: "1", phrases: { en: [form] }, label: { en: Form }, go: keep }
        - { keys: "2", phrases: { en: [link] }, label: { en: Link }, go: page }
        - { keys: "3", phrases: { en: [earlier] }, label: { en: Earlier }, go: earlier }
        - { keys: "4", phrases: { en: [who] }, label: { en: Who }, go: who }
        - { keys: "5", phrases: { en: [bye] }, label: { en: Bye }, go: end }
    next: { no_input: end, no_match: end }
  keep:
    consent: { kind: data, prompt: keep }
    next: { yes: colour, no: main, no_input: main }
  colour:
    if: colour == 'none'
    menu:
      prompt: colour
      choices:
        - { keys: "1", phrases: { en: [red] }, label: { en: Red }, go: red }
        - { keys: "2", phrases: { en: [blue] }, label: { en: Blue }, go: blue }
    next: { no_input: main, no_match: main, skipped: size }
  red: { set: { colour: "'red'" }, next: size }
  blue: { set: { colour: "'blue'" }, next: size }
  size:
    collect: { prompt: size, into: size, digits: 2 }
    next: { ok: name, no_input: main, no_match: main }
  name:
    collect: { prompt: name, into: name, digits: 4 }
    next: { ok: done, no_input: main, no_match: main }
  done: { say: done, next: main }
  where:
    branch: [ { if: "channel == 'chat'", go: from_chat }, { if: "channel == 'sms'", go: from_sms } ]
    next: { else: from_voice }
  from_voice:
    menu: { prompt: where, choices: [ { keys: "1", phrases: { en: [chat] }, go: to_chat }, { keys: "2", phrases: { en: [sms] }, go: to_sms } ] }
    next: { no_input: stay, no_match: stay }
  from_chat:
    menu: { prompt: where, choices: [ { keys: "1", phrases: { en: [sms] }, go: to_sms }, { keys: "2", phrases: { en: [phone] }, go: to_voice } ] }
    next: { no_input: stay, no_match: stay }
  from_sms:
    menu: { prompt: where, choices: [ { keys: "1", phrases: { en: [chat] }, go: to_chat }, { keys: "2", phrases: { en: [phone] }, go: to_voice } ] }
    next: { no_input: stay, no_match: stay }
  to_chat: { handoff: { to: chat, prompt: go }, next: { accepted: back_in, declined: stay, undeliverable: cannot } }
  to_sms: { handoff: { to: sms, prompt: answer }, next: { accepted: back_in, declined: stay, undeliverable: cannot } }
  to_voice: { handoff: { to: voice, prompt: ring }, next: { accepted: back_in, declined: stay, undeliverable: cannot } }
  back_in: { branch: [ { if: colour == 'none', go: colour }, { if: size == 0, go: size } ], next: { else: name } }
  stay: { say: staying, next: main }
  cannot: { say: cannot, next: main }
  page:
    link: { operation: online_banking, prompt: page, by: [chat, sms], expires: 15m, wait: 5m, on_opened: seen }
    next: { done: set, else: unset }
  set: { say: set, next: main }
  unset: { say: unset, next: main }
  who:
    identify: { level: verified, by: [code] }
    next: { passed: known, else: unknown }
  known: { say: known, next: began }
  began: { branch: [ { if: colour == 'none', go: main } ], next: { else: back_in } }
  unknown: { say: unknown, next: main }
  earlier: { resume: {}, next: { failed: unknown, declined: main } }
  left: { end: { reason: left } }
`

// newDesk is a text server on which that flow serves number 3, the site night and the
// number for texts.
func newDesk(t *testing.T, o textSetup) *textServer {
	t.Helper()
	if o.flows == nil {
		o.flows = map[string]string{}
	}
	o.flows["desk.flow.yaml"] = deskFlow
	o.wavs = map[string]time.Duration{"blip.wav": 100 * time.Millisecond}
	if o.texts == "" {
		o.texts = `{ allow: [ "+86138" ], per_number_per_hour: 100, per_number_per_day: 100 }`
	}
	o.base = "\n  \"1\": counter\n  \"chat:demo\": counter\n" + deskEntries
	return newTextServer(t, o)
}

// drops in at the desk's site.
func (s *textServer) drops(t *testing.T) *testkit.Chat {
	t.Helper()
	return testkit.NewChat(t, s.url, testkit.ChatOptions{Site: "night"})
}
