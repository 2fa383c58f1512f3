package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tandem"
)

// faceEventWords say what was added to a talk in text, and what an identity check came to.
var faceEventWords = map[tandem.EventKind]func(json.RawMessage) (string, error){
	tandem.EventUpgrade: words(func(p tandem.Upgraded) string { return upgradeLine(p, p.By) }),
	tandem.EventCarried: words(func(p tandem.Carried) string {
		line := string(p.Now) + " gets through now"
		if p.Now == tandem.LevelText {
			line = "only text gets through now"
		}
		return line + because(p.Why)
	}),
	tandem.EventRoleLink: words(func(p tandem.RoleLinked) string {
		switch {
		case p.Revoked:
			return fmt.Sprintf("link for a %s revoked", p.Role)
		case p.Used != "":
			return fmt.Sprintf("%s joins as %s, by the link of %s", p.Used, p.Role, p.By)
		}
		return fmt.Sprintf("link for a %s made by %s, valid to %s", p.Role, p.By, p.Expires.Local().Format(time.TimeOnly))
	}),
	tandem.EventCheckBegun: words(func(p tandem.CheckBegun) string {
		line := fmt.Sprintf("identity check %s, round %d, for %s", p.Policy, p.Round, p.Level)
		if p.Officer != "" {
			line += ", by " + p.Officer
		}
		return line
	}),
	tandem.EventCheckStep: words(func(p tandem.CheckStep) string {
		line := fmt.Sprintf("check step %s: %s", p.Step, oneOf(checkStepWords, p.State))
		for _, name := range sortedKeys(p.Said) {
			value, err := json.Marshal(p.Said[name])
			if err != nil {
				value = []byte("?")
			}
			line += fmt.Sprintf(", %s = %s", name, value)
		}
		return line
	}),
	tandem.EventEvidence: words(func(p tandem.Evidence) string {
		return fmt.Sprintf("still of %s kept, %d × %d, %s", p.Step, p.Width, p.Height, oneOf(stillWords, p.Source))
	}),
	tandem.EventCheckBroken: words(func(p tandem.CheckBroken) string {
		line := fmt.Sprintf("round %d of the check is void: %s", p.Round, oneOf(brokenWords, p.Why))
		if p.Seconds > 0 {
			line += ", for " + lengthOf(p.Seconds)
		}
		return line
	}),
	tandem.EventVerdict: words(func(p tandem.Verdict) string {
		line := "identity check " + p.Outcome
		if len(p.Reasons) > 0 {
			line += " (" + strings.Join(p.Reasons, ", ") + ")"
		}
		if p.Officer != "" {
			line += ", by " + p.Officer
		}
		if p.Second != "" {
			line += ", second officer " + p.Second
		}
		if p.Text != "" {
			line += fmt.Sprintf(": “%s”", p.Text)
		}
		return line
	}),
	tandem.EventDisposed: words(func(p tandem.Disposed) string { return "object " + string(p.Blob) + " removed" + because(p.Why) }),
}

// upgradeLine says what somebody did with voice or video; p.By is who asked for it.
func upgradeLine(p tandem.Upgraded, by string) string {
	level := string(p.Level)
	if p.Level == tandem.LevelText {
		level = "text alone"
	}
	if p.State == "asked" {
		by = p.By
	}
	line := level + " " + oneOf(upgradeWords, p.State)
	switch by {
	case "system", "":
	case "caller", "customer":
		line += " by the customer"
	default:
		line += " by " + by
	}
	if p.Kept {
		line += ", recorded"
	}
	return line + because(p.Why)
}

// Words of closed lists; what is in none of them is told as it is.
var (
	upgradeWords = map[string]string{"asked": "asked for", "agreed": "agreed to", "refused": "refused", "lapsed": "not answered", "withdrawn": "withdrawn",
		"changed": "changed", "over": "ended"}
	showsWords     = map[string]string{"camera": " of voice and camera", "display": " of the shared screen"}
	checkStepWords = map[string]string{"present": "begins", "asked": "asked for"}
	stillWords     = map[string]string{"server": "taken by the server", "page": "taken by the page"}
	brokenWords    = map[string]string{"cut": "the customer was not seen", "second_face": "a second face was seen", "changed_person": "it was another person",
		"officer": "begun again by the officer, or for another one", "restart": "the server was restarted"}
)
