package complete

import (
	"reflect"
	"testing"

	"tandem/ivr/flow/schema"
)

func TestNames(t *testing.T) {
	got := testNames()
	want := &schema.Names{
		Calendars: []string{"head_office"}, Queues: []string{"cards", "loans", "post"}, Boxes: []string{"cards"}, Forms: []string{"csat"},
		Operations: []string{"enrol"}, Classifiers: []string{"triage"}, Checks: []string{"face"}, Knowledge: []string{"cards"}, Prompts: []string{"ask"},
		Teams: []string{"desk"}, Agents: []string{"anna"}, Skills: []string{"cards", "lang:en"}, Levels: map[string][]string{"post": {"gold", "silver"}},
		Flows: []schema.FlowNames{
			{Name: "alone", Steps: []string{"a"}},
			{
				Name: "rating", Inputs: []schema.Named{{Name: "about", Type: "text"}, {Name: "from", Type: "int"}}, Outcomes: []string{"rated", "declined"}, Steps: []string{"look"},
				HTTP: []string{"look"}, Vars: []schema.Named{{Name: "about", Type: "text"}, {Name: "from", Type: "int"}, {Name: "score", Type: "int"}}, Prompts: []string{"ask"},
			},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}
