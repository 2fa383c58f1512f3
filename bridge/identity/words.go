package identity

// Phrase is one sentence of the talks, in one language, as the pieces of text around its
// values: what there has to be recordings of.
type Phrase struct {
	Name   string // of the prompt, identity_…
	Lang   string // en or zh-CN
	Pieces []string
}

// Words is every sentence of the talks in each language, in a fixed order.
func Words() []Phrase { return nil }
