package source

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

var sample = []Diagnostic{
	{File: "flows/a b.flow.yaml", Line: 7, Column: 3, Severity: Error, Rule: "unknown-step", Message: "there is no step `x`, 100%", Suggestion: "write `y`\nor z", Width: 4},
	{File: "flows/前.flow.yaml", Line: 1, Column: 1, Severity: Warning, Rule: "unused-prompt", Message: "nobody says it"},
}

func TestPrintGitHub(t *testing.T) {
	var b bytes.Buffer
	if err := PrintGitHub(&b, sample); err != nil {
		t.Fatal(err)
	}
	want := "::error file=flows/a b.flow.yaml,line=7,col=3,endColumn=7,title=unknown-step::there is no step `x`, 100%25%0Afix: write `y`%0Aor z\n" +
		"::warning file=flows/前.flow.yaml,line=1,col=1,endColumn=2,title=unused-prompt::nobody says it\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestPrintSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := PrintSARIF(&b, sample, "v1"); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Rules []struct{ ID string }
				}
			}
			Results []struct {
				RuleID, Level string
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != 2 || len(log.Runs[0].Tool.Driver.Rules) != len(Rules()) {
		t.Fatalf("%s", b.String())
	}
	r := log.Runs[0].Results
	at := r[0].Locations[0].PhysicalLocation
	if r[0].RuleID != "unknown-step" || r[0].Level != "error" || at.ArtifactLocation.URI != "flows/a%20b.flow.yaml" || at.Region.StartLine != 7 || at.Region.EndColumn != 7 {
		t.Errorf("%+v", r[0])
	}
	if uri := r[1].Locations[0].PhysicalLocation.ArtifactLocation.URI; !strings.HasPrefix(uri, "flows/%E5%89%8D") || r[1].Level != "warning" {
		t.Errorf("%+v", r[1])
	}
}

func TestPrintSARIFWithNothing(t *testing.T) {
	var b bytes.Buffer
	if err := PrintSARIF(&b, nil, "v1"); err != nil || !strings.Contains(b.String(), `"results": []`) {
		t.Errorf("%v\n%s", err, b.String())
	}
}
