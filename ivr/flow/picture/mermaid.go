package picture

import (
	"fmt"
	"slices"
	"strings"

	"tandem/ivr/flow"
)

// Mermaid writes a flow as a Mermaid flowchart, one line for each step, way in and way
// out. All names and texts are escaped, so that none can end its place.
func Mermaid(f *flow.Flow) string {
	g := newGraph(nil, nil, f, Options{})
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	ids := map[*node]string{}
	for i, n := range g.nodes {
		ids[n] = fmt.Sprintf("n%d", i)
		if n.pill == "" && plainName(n.name) {
			ids[n] = "s_" + n.name
		}
	}
	for _, n := range g.nodes[g.steps:] {
		fmt.Fprintf(&b, "  %s([\"%s\"]) --> %s\n", ids[n], mermaidText(n.title), ids[n.out[0].to])
	}
	ends, lost := false, false
	for _, n := range g.nodes[:g.steps] {
		words := mermaidText(n.name)
		open, shut := "[", "]"
		if n.step != nil && n.step.Verb != nil {
			words += "<br/>" + mermaidText(strings.TrimSpace(n.step.Verb.Verb()+" "+cut(oneLine(detail(n.step.Verb)), smallSize, cardMost)))
			switch n.step.Verb.(type) {
			case *flow.Branch, *flow.Hours:
				open, shut = "{{", "}}"
			case *flow.Subflow:
				open, shut = "[[", "]]"
			case *flow.End:
				open, shut = "([", "])"
			}
		}
		fmt.Fprintf(&b, "  %s%s\"%s\"%s\n", ids[n], open, words, shut)
		var done []string
		for _, p := range n.parts {
			if slices.Contains(done, p.to) {
				continue
			}
			done = append(done, p.to)
			to := n
			switch {
			case g.byName[p.to] != nil:
				to = g.byName[p.to]
			case p.to == flow.ToEnd:
				to, ends = nil, true
			case p.to != flow.ToRepeat:
				to, lost = nil, true
			}
			target := "ended"
			if to != nil {
				target = ids[to]
			} else if p.to != flow.ToEnd {
				target = "missing"
			}
			fmt.Fprintf(&b, "  %s -->%s %s\n", ids[n], mermaidLabel(n.parts, p.to), target)
		}
	}
	if ends {
		b.WriteString("  ended([\"end\"])\n")
	}
	if lost {
		b.WriteString("  missing[\"?\"]\n")
	}
	return b.String()
}

// mermaidLabel joins the words of the ways to one target.
func mermaidLabel(parts []part, to string) string {
	var each []string
	for _, p := range parts {
		if p.to == to && p.text != "" && !slices.Contains(each, p.text) {
			each = append(each, p.text)
		}
	}
	if len(each) == 0 {
		return ""
	}
	return `|"` + mermaidText(strings.Join(each, ", ")) + `"|`
}

// plainName reports whether a name can be part of a Mermaid id.
func plainName(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return false
		}
	}
	return s != ""
}

// mermaidText writes all but letters, digits and harmless signs as character entities.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range escapeControls(oneLine(s)) {
		switch {
		case r >= 0x80, r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" _-.,:*+/'()!=?", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
