// Package prompt turns a prompt's parts into clips that a stream can play: from
// recordings, joined where a sentence has numbers, amounts, dates or digits in it,
// or from a speech engine.
//
// A Voice owns the recordings' indexes, a bounded cache of clips in memory and one
// of files on disk, and a goroutine for each sentence that an engine is speaking;
// Close waits for those. Clips are shared by all calls. The rules for saying
// numbers are pure. The package never logs a prompt's text and never writes to disk
// what holds a customer's data: only texts announced by Warm, which are the flow
// designer's own.
package prompt
