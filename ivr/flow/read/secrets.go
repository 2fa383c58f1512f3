package read

import (
	"fmt"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// leak reports a secret that would reach a place where it must not go (rule 4).
func (ff *flowFile) leak(n *source.Node, uses []string, verb, where string) {
	var secrets []string
	for _, name := range uses {
		if _, secret, ok := ff.env.Lookup(name); ok && secret {
			secrets = append(secrets, "`"+name+"`")
		}
	}
	what := strings.Join(secrets, " and ")
	if what == "" {
		what = "a secret"
	}
	fix := "use mask(…), which shows the last digits only"
	if len(secrets) == 1 {
		fix = fmt.Sprintf("write mask(%s), which shows the last digits only", strings.Trim(secrets[0], "`"))
	}
	if verb == "decide" {
		fix = "compare it with something, as in x == true"
	}
	if where == "a URL" {
		fix = "send it in a header or in json"
	}
	ff.Fail(n, "secret-leak", fix, "%s is secret and must not reach %s", what, where)
}

// flowsInto checks that what an expression yields may be kept in a variable.
func (ff *flowFile) flowsInto(n *source.Node, p *expression.Program, v *flow.Variable, what string) {
	if !p.Secret() {
		return
	}
	if v.Secrecy == flow.Open {
		ff.leak(n, p.Uses(), "keep", what+", which is not secret")
		return
	}
	if v.Secrecy == flow.Ephemeral {
		return
	}
	for _, w := range slices.Concat(ff.flow.Inputs, ff.flow.Vars) {
		if w.Secrecy == flow.Ephemeral && slices.Contains(p.Uses(), w.Name) {
			ff.Fail(n, "secret-leak", "declare it `secret: ephemeral` too", "`%s` must never be stored, but %s is stored with the session", w.Name, what)
		}
	}
}
