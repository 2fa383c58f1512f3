package check

import (
	"github.com/expr-lang/expr/ast"

	"tandem"
	"tandem/ivr/flow/expression"
)

// truth is what is known of a condition before a call: it holds, does not, or may.
type truth uint8

const (
	maybe truth = iota
	yes
	no
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return maybe
}

// onChannelTruth works a condition out as far as the channel alone decides it, so
// that a branch on `channel` narrows what follows (rule 6).
func onChannelTruth(p *expression.Program, c tandem.Channel) truth {
	if p == nil {
		return maybe
	}
	return truthAt(p.Tree(), string(c))
}

func truthAt(n ast.Node, channel string) truth {
	switch n := n.(type) {
	case *ast.BoolNode:
		return truthOf(n.Value)
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return truthAt(n.Node, channel).not()
		}
	case *ast.ConditionalNode:
		switch truthAt(n.Cond, channel) {
		case yes:
			return truthAt(n.Exp1, channel)
		case no:
			return truthAt(n.Exp2, channel)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			a, b := truthAt(n.Left, channel), truthAt(n.Right, channel)
			if a == no || b == no {
				return no
			}
			if a == yes && b == yes {
				return yes
			}
		case "or", "||":
			a, b := truthAt(n.Left, channel), truthAt(n.Right, channel)
			if a == yes || b == yes {
				return yes
			}
			if a == no && b == no {
				return no
			}
		case "==", "!=":
			word, ok := comparedWithChannel(n.Left, n.Right)
			if !ok {
				word, ok = comparedWithChannel(n.Right, n.Left)
			}
			if ok {
				return truthOf((word == channel) == (n.Operator == "=="))
			}
		case "in":
			return channelIn(n, channel)
		}
	}
	return maybe
}

func isChannel(n ast.Node) bool {
	id, ok := n.(*ast.IdentifierNode)
	return ok && id.Value == "channel"
}

func comparedWithChannel(a, b ast.Node) (string, bool) {
	s, ok := b.(*ast.StringNode)
	if !ok || !isChannel(a) {
		return "", false
	}
	return s.Value, true
}

func channelIn(n *ast.BinaryNode, channel string) truth {
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok || !isChannel(n.Left) {
		return maybe
	}
	for _, e := range list.Nodes {
		s, ok := e.(*ast.StringNode)
		if !ok {
			return maybe
		}
		if s.Value == channel {
			return yes
		}
	}
	return no
}
