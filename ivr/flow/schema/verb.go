package schema

import (
	"reflect"
	"slices"

	"tandem/ivr/flow"
)

// Variant is the outcomes of a verb under a condition on its value.
type Variant struct {
	When     string // a key of the verb, or two with a dot, that is there; "" = otherwise
	Outcomes []string
}

// Verb is one verb of the language.
type Verb struct {
	Property
	On       []string  // channels on which it always runs
	Where    string    // why it does not run on the others: voice, within, speech or seen; "" = it does
	Variants []Variant // the last holds where no condition does; empty outcomes = those of a called flow
}

// Outcomes that any step can have besides those of its verb.
const (
	Else       = "else"
	Skipped    = "skipped"
	Loop       = "loop"
	NotAssured = "not_assured"
)

// Verbs lists the verbs in the order of the language page, with the outcomes that the
// program itself knows for them.
func Verbs() []Verb {
	fields := Properties(reflect.TypeFor[VerbKeys]())
	out := make([]Verb, len(fields))
	for i, f := range fields {
		out[i] = Verb{Property: f, On: []string{"voice", "chat", "sms"}, Variants: variantsOf(f.Key)}
		switch f.Key {
		case "voicemail", "record":
			out[i].On, out[i].Where = []string{"voice"}, "voice"
		case "transfer":
			out[i].On, out[i].Where = []string{"voice"}, "within"
		case "classify", "answer":
			out[i].On, out[i].Where = []string{"chat", "sms"}, "speech"
		case "identify":
			out[i].On, out[i].Where = []string{"voice", "chat"}, "seen"
		}
	}
	return out
}

func variantsOf(key string) []Variant {
	plain := func(v flow.Verb) []Variant { return []Variant{{"", v.Outcomes()}} }
	switch key {
	case "say":
		return plain(&flow.Say{})
	case "menu":
		return []Variant{{"choices.from", (&flow.Menu{From: &flow.DynamicChoices{}}).Outcomes()}, {"", (&flow.Menu{}).Outcomes()}}
	case "collect":
		return plain(&flow.Collect{})
	case "language":
		return plain(&flow.Language{})
	case "set":
		return plain(&flow.Set{})
	case "branch":
		return plain(&flow.Branch{})
	case "hours":
		return plain(&flow.Hours{})
	case "http":
		return plain(&flow.HTTP{})
	case "subflow":
		return plain(&flow.Subflow{})
	case "message":
		return plain(&flow.Message{})
	case "link":
		return []Variant{{"wait", (&flow.LinkStep{Wait: 1}).Outcomes()}, {"", (&flow.LinkStep{}).Outcomes()}}
	case "handoff":
		return plain(&flow.Handoff{})
	case "identify":
		return plain(&flow.IdentifyStep{})
	case "resume":
		return plain(&flow.ResumeStep{})
	case "classify":
		return plain(&flow.Classify{})
	case "answer":
		return plain(&flow.Answer{})
	case "queue":
		return []Variant{{"offer.callback", (&flow.QueueStep{Offer: []flow.Offer{{What: "callback"}}}).Outcomes()}, {"", (&flow.QueueStep{}).Outcomes()}}
	case "transfer":
		return plain(&flow.Transfer{})
	case "callback":
		return plain(&flow.CallbackStep{})
	case "voicemail":
		return plain(&flow.Voicemail{})
	case "record":
		return plain(&flow.RecordStep{})
	case "ticket":
		return plain(&flow.TicketStep{})
	case "consent":
		return plain(&flow.ConsentStep{})
	case "survey":
		return plain(&flow.SurveyStep{})
	}
	return plain(&flow.End{})
}

// VerbNamed finds a verb by its key, nil if there is none.
func VerbNamed(key string) *Verb {
	all := Verbs()
	if i := slices.IndexFunc(all, func(v Verb) bool { return v.Key == key }); i >= 0 {
		return &all[i]
	}
	return nil
}
