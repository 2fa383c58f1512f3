// Package flows holds the sample that comes with Tandem: the hotline of a bank, with
// its recordings. It owns files only.
package flows

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml prompts
var sample embed.FS

// Sample is the folder of the sample hotline. Its recordings, under prompts/, also
// say numbers, amounts, dates and times for flows that have none of their own.
func Sample() fs.FS { return sample }
