package schema

import (
	"reflect"
	"slices"

	"tandem/ivr/flow"
)

// variant is the outcomes of a verb under a condition on its value.
type variant struct {
	when     string // a key of the verb, or two with a dot, that is there; "" = otherwise
	outcomes []string
}

// verb is one verb of the language.
type verb struct {
	field
	on       []string  // channels on which it always runs
	where    string    // why it does not run on the others: voice, within, speech or seen; "" = it does
	variants []variant // the last holds where no condition does; empty outcomes = those of a called flow
}

// Outcomes that any step can have besides those of its verb.
const (
	elseOutcome = "else"
	skipped     = "skipped"
	loop        = "loop"
	notAssured  = "not_assured"
)

// verbs lists the verbs in the order of the language page, with the outcomes that the
// program itself knows for them.
func verbs() []verb {
	fields := fieldsOf(reflect.TypeFor[Verbs]())
	out := make([]verb, len(fields))
	for i, f := range fields {
		out[i] = verb{field: f, on: []string{"voice", "chat", "sms"}, variants: variantsOf(f.key)}
		switch f.key {
		case "voicemail", "record":
			out[i].on, out[i].where = []string{"voice"}, "voice"
		case "transfer":
			out[i].on, out[i].where = []string{"voice"}, "within"
		case "classify", "answer":
			out[i].on, out[i].where = []string{"chat", "sms"}, "speech"
		case "identify":
			out[i].on, out[i].where = []string{"voice", "chat"}, "seen"
		}
	}
	return out
}

func variantsOf(key string) []variant {
	plain := func(v flow.Verb) []variant { return []variant{{"", v.Outcomes()}} }
	switch key {
	case "say":
		return plain(&flow.Say{})
	case "menu":
		return []variant{{"choices.from", (&flow.Menu{From: &flow.DynamicChoices{}}).Outcomes()}, {"", (&flow.Menu{}).Outcomes()}}
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
		return []variant{{"wait", (&flow.LinkStep{Wait: 1}).Outcomes()}, {"", (&flow.LinkStep{}).Outcomes()}}
	case "handoff":
		return plain(&flow.Handoff{})
	case "identify":
		return plain(&flow.IdentifyStep{})
	case "classify":
		return plain(&flow.Classify{})
	case "answer":
		return plain(&flow.Answer{})
	case "queue":
		return []variant{{"offer.callback", (&flow.QueueStep{Offer: []flow.Offer{{What: "callback"}}}).Outcomes()}, {"", (&flow.QueueStep{}).Outcomes()}}
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

// verbNamed finds a verb by its key, nil if there is none.
func verbNamed(key string) *verb {
	all := verbs()
	if i := slices.IndexFunc(all, func(v verb) bool { return v.key == key }); i >= 0 {
		return &all[i]
	}
	return nil
}
