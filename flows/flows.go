// Package flows holds the samples that come with Tandem, with the tests beside them: the
// hotline of a bank, with its recordings, the bank's counter and night desk, by phone,
// chat and SMS, its front door, its remote counter with an identity check by video, and the
// service line of a maker of pumps. It owns files only.
package flows

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml prompts knowledge
var sample embed.FS

// Sample is the folder of the samples. The recordings under prompts/ also say numbers,
// amounts, dates and times for flows that have none of their own.
func Sample() fs.FS { return sample }
