// Package flows holds the flows that come with Tandem: the sample hotline of a bank
// and the flows of the interop set-up, with their recordings. It owns files only.
//
// The interop flows speak in tones, so that a test knows what it hears, each file
// one frequency that is no multiple of another and no part of a key's tone:
//
//	tones/a.wav      440 Hz, 12 s   entry ivr, prompt A
//	tones/b.wav      620 Hz,  6 s   entry ivr, prompt B
//	tones/loop.wav   1130 Hz, 4 s   entry 1000
//	tones/hello.wav 1040 Hz,  1 s   entries 1001 and 1004
//	tones/short.wav  560 Hz,  2 s   entry 1002
//	tones/ask.wav    500 Hz,  1 s   entry 1003, asks
//	tones/right.wav 1750 Hz,  1 s   entry 1003, after 1234
//	tones/quiet.wav  silence, 20 ms entry sig
package flows

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml prompts
var sample embed.FS

//go:embed interop
var interop embed.FS

// Sample is the folder of the sample hotline. Its recordings, under prompts/, also
// say numbers, amounts, dates and times for flows that have none of their own.
func Sample() fs.FS { return sample }

// Interop is the folder of the interop flows: loop, say, short, digits, guarded,
// ivr, sig.
func Interop() (fs.FS, error) { return fs.Sub(interop, "interop") }
