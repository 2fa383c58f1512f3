// Package record writes what one party of a room says and shows as a file that ordinary
// players open: WebM (a subset of Matroska, RFC 9559) with Opus at 8 kHz (RFC 7845, 6716)
// and VP8 as it came (RFC 7741). All files of a room have one time axis.
//
// A file is a header and then clusters of about a second, each written whole: what a crash
// leaves is playable up to the last of them. There is no duration in it and no index, which
// would have to be written into its beginning at the end: Read makes them for whoever plays it.
//
// It runs no goroutines: whoever brings sound or pictures writes. It never decodes pictures.
package record
