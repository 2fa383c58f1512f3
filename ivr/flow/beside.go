package flow

import (
	"tandem"
	"tandem/ivr/flow/expression"
)

// What the files beside the flows describe.
type (
	// Form is a list of questions: of a survey, a ticket, or a page.
	Form struct {
		Name   string
		Pos    Pos
		Fields []*FormField
	}
	// FormField is one question.
	FormField struct {
		Name     string
		Pos      Pos
		Type     *expression.Type
		Least    int // of an int: the range; both 0 = any
		Most     int
		Ask      *Prompt
		Optional bool
		// Labels are what people read in the place of an enum's values; a value without one
		// stands for itself.
		Labels map[string]*Prompt
	}

	// Operation is a page that a link opens.
	Operation struct {
		Name    string
		Pos     Pos
		Needs   tandem.Assurance
		Title   *Prompt // of the page; nil = a plain word
		Steps   []OperationStep
		Confirm *Prompt // on the button; nil = a plain word
		Result  *Prompt // shown when done; nil = a plain sentence
	}
	// OperationStep shows something or asks a form: one of the two.
	OperationStep struct {
		Pos   Pos
		Show  *Prompt
		Image string
		Form  string
	}

	// Classifier sorts texts by rules, in the order written: a later rule does not
	// change a facet that an earlier one has set.
	Classifier struct {
		Name  string
		Pos   Pos
		Rules []ClassRule
	}
	// ClassRule holds if the text has any of its phrases.
	ClassRule struct {
		Pos Pos
		Any map[string][]string // by language
		Set map[string]string   // facet to value
	}

	// Knowledge is a folder of articles.
	Knowledge struct {
		Name     string
		Articles []*Article // by file name
	}
	// Article is one answer in one language.
	Article struct {
		File  string // relative to the flow's folder
		Title string
		Words []string
		Lang  string
		Text  string // without its head
	}
)

// MostQuestions is how many questions a survey has, and MostChoices how many values of an
// enum a caller is told: keys would do for more, but nobody remembers them.
const (
	MostQuestions = 5
	MostChoices   = 12
)

// ByKeys reports whether a field can be answered on a telephone: a number, a yes or no, or
// one of a few choices. What wants words is not asked there.
func (f *FormField) ByKeys() bool {
	switch f.Type.Kind {
	case expression.Bool, expression.Digits, expression.Phone:
		return true
	case expression.Int:
		return f.Least >= 0
	case expression.Enum:
		return len(f.Type.Values) <= MostChoices
	}
	return false
}

// Facets are the sides of a classification.
func Facets() []string { return []string{"product", "request", "sentiment", "influence"} }
