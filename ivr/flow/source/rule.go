package source

import "slices"

// Rule is a kind of mistake, under the stable name that diagnostics carry.
type Rule struct {
	ID   string
	When string // when it is reported, half a sentence
	Warn bool   // it is a warning, or can be one
}

// Rules lists every rule of flow files and of the files beside them, by name.
func Rules() []Rule {
	return []Rule{
		{"alias", "text begins with `*` without quotes", false},
		{"anchor", "text begins with `&` without quotes, or a value is given an anchor", false},
		{"article", "an article of a knowledge folder has no head, or says nothing", false},
		{"asks-to-speak", "the words ask to speak where only keys are listened to", true},
		{"assurance", "a step with `needs` can be reached by a caller who has not shown it; the message holds the path", false},
		{"channel", "a step can be reached on a channel that cannot do it", false},
		{"colon-in-text", "a text without quotes has a colon and a space in it", false},
		{"comma-in-text", "a comma inside { } ended a text", false},
		{"command-collides", "a key or phrase of a command equals, begins or is begun by one of a menu", false},
		{"complex-key", "a key is not a plain word", false},
		{"date", "a date is not written YYYY-MM-DD, or does not exist", false},
		{"default", "a default does not fit the type", false},
		{"digits", "`digits` is neither a count nor a range", false},
		{"directive", "the file holds a YAML directive", false},
		{"duplicate-key", "a key is written twice in one map", false},
		{"duplicate-name", "two things have one name", false},
		{"duration", "a duration has no unit, or a wrong one", false},
		{"empty-value", "a key or a list has nothing in it", false},
		{"encoding", "the file is not UTF-8, or holds control characters", false},
		{"endless-loop", "steps form a circle in which nobody is waited for", false},
		{"expired-holiday", "a holiday is over", true},
		{"expression", "an expression has an unknown name, a clash of types or a slip in its form", false},
		{"file", "a file is missing, lies outside the folder or cannot be used", false},
		{"file-size", "a file is too large", false},
		{"header", "a header has a name HTTP does not allow", false},
		{"hours", "opening hours are not written `\"09:00-18:00\"`", false},
		{"http-host", "a host is not in `flows.http_allow`", false},
		{"keys", "keys cannot be pressed on a phone", false},
		{"keys-collide", "two keys of one menu are equal, or one begins the other", false},
		{"language", "a language tag is malformed", false},
		{"leave-speaks", "a step that only `on_leave` leads to speaks or listens", false},
		{"look-alike", "a character looks like another one, or cannot be seen", false},
		{"merge-key", "the file holds `<<`", false},
		{"method-level", "a method of `identify` cannot give the level", false},
		{"missing-address", "the words sent with a link have no `${link.url}`", false},
		{"missing-field", "a ticket lacks a field of its form", false},
		{"missing-flow", "an entry of the configuration leads to a flow that is in no file; told by the server, which goes on with the flows it has", false},
		{"missing-input", "a called flow needs an input that is not handed in", false},
		{"missing-key", "a field that must be there is not", false},
		{"missing-label", "a choice has nothing to be shown by in text", true},
		{"missing-language", "a prompt lacks a language: the first is an error, another one a warning", true},
		{"missing-next", "a step leads nowhere", false},
		{"missing-outcome", "`next` leaves an outcome out", false},
		{"missing-verb", "a step does nothing", false},
		{"name", "a name has other characters than a-z, 0-9 and `_`", false},
		{"next", "`end` has a `next` or an `if`", false},
		{"no-recogniser", "speech is listened to and nothing recognises it: an error where keys do not work", true},
		{"out-of-range", "a figure is too small or too large", false},
		{"outcome-scope", "`outcome` is used where the customer has not left", false},
		{"pattern", "a pattern is no RE2 expression", false},
		{"phrases-collide", "a phrase is used twice in one menu", false},
		{"range", "a `range` is not written `1..5`", false},
		{"recording", "a recorded entry reaches a person before the caller was told", false},
		{"recursion", "a flow calls itself, perhaps through others", false},
		{"reserved-name", "a name has a meaning of its own", false},
		{"returns", "what a called flow returns and what is expected differ", false},
		{"secret", "an answer is called secret and its variable is not", false},
		{"secret-leak", "a secret would reach a place where it must not go", false},
		{"several-verbs", "a step has two verbs", false},
		{"sms-encoding", "one character makes an SMS dearer: it is not in the GSM alphabet", true},
		{"sms-length", "a text goes out as several SMS parts", true},
		{"subflow", "a flow without `outcomes` is called", false},
		{"syntax", "the file is not YAML; it is the only error shown for the file", false},
		{"tag", "the file holds a YAML tag", false},
		{"time-zone", "a time zone does not exist", false},
		{"too-deep", "values are nested too deep", false},
		{"transfer-to", "an address to transfer to is none", false},
		{"unknown-box", "there is no such box", false},
		{"unknown-calendar", "there is no such calendar", false},
		{"unknown-classifier", "there is no such classifier", false},
		{"unknown-field", "a form has no such field", false},
		{"unknown-flow", "there is no such flow", false},
		{"unknown-form", "there is no such form", false},
		{"unknown-key", "a field does not exist; the nearest is named", false},
		{"unknown-knowledge", "there is no such knowledge folder", false},
		{"unknown-language", "a language is not one of the flow's", false},
		{"unknown-operation", "there is no such operation", false},
		{"unknown-outcome", "an outcome does not exist, or its condition is missing", false},
		{"unknown-prompt", "there is no such prompt", false},
		{"unknown-queue", "there is no such queue", false},
		{"unknown-step", "there is no such step", false},
		{"unknown-variable", "there is no such variable or input", false},
		{"unknown-verb", "there is no such verb", false},
		{"unknown-word", "a field takes one of a few words, and this is none", false},
		{"unquoted", "an unquoted number, yes, no or null stands where text is meant", false},
		{"unreachable-step", "no path leads to a step", true},
		{"unsafe-retry", "a `post` or `patch` is repeated without `idempotent: true`", false},
		{"unsupported-verb", "a flow that an entry leads to, or one that it calls, uses a verb that the server does not carry out yet; told by the server", false},
		{"unused-prompt", "no step says a prompt", true},
		{"url", "an address is not `https://HOST/…`", false},
		{"weekday", "a day of the week is not `mon` to `sun`", false},
		{"wrong-type", "a value has the wrong form", false},
	}
}

// RuleByID finds a rule; ok is false if there is none of that name.
func RuleByID(id string) (Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}
