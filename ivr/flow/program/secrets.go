package program

import (
	"fmt"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// leak reports a secret that would reach a place where it must not go (rule 4).
func (ff *File) leak(n *source.Node, uses []string, verb, where string) {
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
	switch {
	case verb == "decide":
		fix = "compare it with something, as in x == true"
	case where == "a URL":
		fix = "send it in a header or in json"
	case verb == "use":
		fix = "use a value that is not secret"
	case verb == "take" && len(secrets) == 1:
		name := strings.Trim(secrets[0], "`")
		fix = fmt.Sprintf("add `with: { %s: mask(%s) }`, or another value for the field", name, name)
	}
	be := "is"
	if len(secrets) > 1 {
		be = "are"
	}
	ff.Fail(n, "secret-leak", fix, "%s %s secret and must not reach %s", what, be, where)
}

// flowsInto checks that what an expression yields may be kept in a variable.
func (ff *File) flowsInto(n *source.Node, p *expression.Program, v *flow.Variable, what string) {
	if !p.Secret() {
		return
	}
	ff.known.kept.from(ff, p, v)
	if v.Secrecy == flow.Open {
		ff.leak(n, p.Uses(), "keep", what+", which is not secret")
		return
	}
	if v.Secrecy == flow.Ephemeral {
		return
	}
	for _, w := range slices.Concat(ff.Flow.Inputs, ff.Flow.Vars) {
		if w.Secrecy == flow.Ephemeral && slices.Contains(p.Uses(), w.Name) {
			ff.Fail(n, "secret-leak", "declare it `secret: ephemeral` too", "`%s` must never be stored, but %s is stored with the session", w.Name, what)
		}
	}
}

// kept is how secrets went into variables by way of expressions.
type kept struct {
	made   map[*flow.Variable]string           // put together from a secret, and of which
	order  []*flow.Variable                    // those in made, as found
	copies map[*flow.Variable][]*flow.Variable // a variable and those that take its value
	masks  []masking
}

// masking is a mask of a variable.
type masking struct {
	ff   *File
	node *source.Node
	v    *flow.Variable
}

func newKept() kept {
	return kept{made: map[*flow.Variable]string{}, copies: map[*flow.Variable][]*flow.Variable{}}
}

// from notes that v takes the secret that an expression of ff yields.
func (k *kept) from(ff *File, p *expression.Program, v *flow.Variable) {
	uses := p.Uses()
	if p.Copies() && len(uses) == 1 {
		if w := ff.Flow.Variable(uses[0]); w != nil {
			k.copies[w] = append(k.copies[w], v)
		}
		return
	}
	for _, name := range uses {
		if w := ff.Flow.Variable(name); w != nil && w.Secrecy != flow.Open {
			k.put(v, name)
			return
		}
	}
}

func (k *kept) put(v *flow.Variable, secret string) {
	if _, seen := k.made[v]; !seen {
		k.made[v] = secret
		k.order = append(k.order, v)
	}
}

// shown notes what an expression of ff at n masks.
func (k *kept) shown(ff *File, n *source.Node, names []string) {
	for _, name := range names {
		if v := ff.Flow.Variable(name); v != nil && v.Secrecy != flow.Open {
			k.masks = append(k.masks, masking{ff, n, v})
		}
	}
}

// CheckMasks reports each mask of what was put together from a secret: '0000' before a PIN,
// and the end that is shown is all of it.
func (known *Known) CheckMasks() {
	k := known.kept
	for i := 0; i < len(k.order); i++ { // it grows
		for _, v := range k.copies[k.order[i]] {
			k.put(v, k.made[k.order[i]])
		}
	}
	for _, m := range k.masks {
		if secret, ok := k.made[m.v]; ok {
			m.ff.Fail(m.node, "secret-leak", fmt.Sprintf("mask the secret itself where it was entered, as in mask(%s)", secret), "mask would show the end of `%s`, which is put together from the secret `%s`: that may be all of the secret", m.v.Name, secret)
		}
	}
}
