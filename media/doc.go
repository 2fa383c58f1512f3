// Package media is where audio enters and leaves: RTP streams that play clips,
// hear keys, record, are joined in pairs, and are mixed.
//
// It owns the UDP sockets of all streams but those on a Wire, such as a browser's
// connection. An Engine runs one goroutine per shard, locked to its thread: it alone
// touches the state of its streams, paces their packets on one absolute 20 ms grid and
// reads their sockets and wires. Streams that are tied live on one shard. A recording has
// a goroutine of its own that writes to the recording's io.Writer. Callers speak to
// a shard by a bounded queue of commands and hear from it by a bounded channel per stream.
//
// Per packet it never allocates, takes no lock, writes no log line and calls no code of
// others but Wire.Send. It never decodes what nobody listens to, never answers a
// stranger, and never waits for a caller. A panic ends one stream or one recording, no more.
package media
