package source

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// PrintGitHub writes ds as workflow commands, which GitHub shows beside the lines of a
// pull request. Values are escaped as its runner unescapes them.
func PrintGitHub(w io.Writer, ds []Diagnostic) error {
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, d := range ds {
		message := d.Message
		if d.Suggestion != "" {
			message += "\nfix: " + d.Suggestion
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,endColumn=%d,title=%s::%s\n",
			d.Severity, property.Replace(filepath.ToSlash(d.File)), d.Line, d.Column, d.Column+max(d.Width, 1), property.Replace(d.Rule), text.Replace(message))
		if err != nil {
			return err
		}
	}
	return nil
}

// PrintSARIF writes ds as one run in SARIF 2.1.0, the form in which code scanners
// exchange what they found. version is this program's.
func PrintSARIF(w io.Writer, ds []Diagnostic, version string) error {
	type message struct {
		Text string `json:"text"`
	}
	type rule struct {
		ID    string  `json:"id"`
		Short message `json:"shortDescription"`
	}
	type region struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn"`
		End    int `json:"endColumn"`
	}
	type location struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region region `json:"region"`
		} `json:"physicalLocation"`
	}
	type result struct {
		Rule      string     `json:"ruleId"`
		Level     string     `json:"level"`
		Message   message    `json:"message"`
		Locations []location `json:"locations"`
	}
	rules, results := []rule{}, []result{}
	for _, r := range Rules() {
		rules = append(rules, rule{r.ID, message{r.When}})
	}
	for _, d := range ds {
		r := result{Rule: d.Rule, Level: d.Severity, Message: message{d.Message}, Locations: make([]location, 1)}
		if d.Suggestion != "" {
			r.Message.Text += " Fix: " + d.Suggestion
		}
		at := &r.Locations[0].Physical
		at.Artifact.URI = uri(d.File)
		at.Region = region{max(d.Line, 1), max(d.Column, 1), max(d.Column, 1) + max(d.Width, 1)}
		results = append(results, r)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{
		"$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
		"version": "2.1.0",
		"runs": []any{map[string]any{
			"tool":       map[string]any{"driver": map[string]any{"name": "tandem flow check", "version": version, "rules": rules}},
			"columnKind": "unicodeCodePoints",
			"results":    results,
		}},
	})
}

// uri is a file's path as a relative or absolute URI reference (RFC 3986, section 4.2).
func uri(path string) string {
	path = filepath.ToSlash(path)
	var b strings.Builder
	for _, c := range []byte(path) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
