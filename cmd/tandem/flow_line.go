package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tandem/ivr/flow/simulate"
)

// answered reads what another system is to have said.
func answered(line string) (simulate.Answer, error) {
	status, body, _ := strings.Cut(line, " ")
	code, err := strconv.Atoi(status)
	switch {
	case line == "timeout" || line == "error":
		return simulate.Answer{Failed: line}, nil
	case err == nil && code >= 100 && code <= 599 && (body == "" || json.Valid([]byte(body))):
		return simulate.Answer{Status: code, Body: []byte(body)}, nil
	case json.Valid([]byte(line)):
		return simulate.Answer{Status: 200, Body: []byte(line)}, nil
	}
	return simulate.Answer{}, errors.New(`write the answer's JSON such as {"balance": 12.5}, a status such as 404, a status with JSON, timeout or error`)
}

// shown is a line of the talk for the terminal, "" for one that only repeats what was typed.
func shown(l simulate.Line) string {
	switch l.Word {
	case simulate.Hears, simulate.Gets:
		by := ""
		if l.Word == simulate.Gets {
			by = "by " + l.Means + ": "
		}
		s := "  [" + l.Lang + "] " + by + strings.ReplaceAll(l.Text, "\n", "\n      ")
		if l.Image != "" {
			s += " (" + l.Image + ")"
		}
		for i, b := range l.Buttons {
			between := "  "
			if i == 0 {
				between = "\n      "
			}
			s += between + "[" + strings.TrimSpace(b.Keys+" "+b.Label) + "]"
		}
		return s
	case simulate.Leads:
		s := "    · " + l.Step + ": " + l.Name
		if l.Text != "" {
			s += " → " + l.Text
		}
		for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
			s += fmt.Sprintf("  %s = %s", name, simulate.JSON(l.Fields[name]))
		}
		return s
	case simulate.Asks:
		return "    · asks " + l.Name + " " + l.Text
	case simulate.Transfers:
		return fmt.Sprintf("    · connects to %s (%s)", l.Text, l.Name)
	case simulate.Tapes:
		return fmt.Sprintf("    · records for %s, %s", l.Name, l.Text)
	case simulate.Keeps:
		return "    · kept: " + l.Name + " " + l.Text
	case simulate.Faults:
		return "    · " + l.Step + ": went wrong: " + l.Text
	case simulate.Ends:
		return "ended: " + l.Text
	case simulate.Waits:
		return "    · " + l.Text + " pass"
	}
	if l.Act() {
		return ""
	}
	return "    · " + l.String()
}

func indentedBy(s, by string) string {
	var b strings.Builder
	for row := range strings.Lines(s) {
		b.WriteString(by + row)
	}
	return b.String()
}
