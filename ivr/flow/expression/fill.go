package expression

import (
	"slices"
	"strings"
)

// Fill works the text out for people where some values may not be known: a ${…} that cannot
// be worked out, or that comes to nothing, stands in the text as ‹source› and is named in
// missing, once, in the order of the text.
func (t *Template) Fill(vars map[string]any, lang string) (text string, missing []string) {
	var out strings.Builder
	for _, p := range t.pieces {
		if p.program == nil {
			out.WriteString(p.text)
			continue
		}
		source := strings.TrimSpace(p.program.source)
		v, err := p.program.Eval(vars)
		if err == nil {
			part, fault := p.program.part(v, vars, lang)
			if fault == nil && strings.TrimSpace(part.Text) != "" {
				out.WriteString(part.Text)
				continue
			}
		}
		out.WriteString("‹" + source + "›")
		if !slices.Contains(missing, source) {
			missing = append(missing, source)
		}
	}
	return out.String(), missing
}
