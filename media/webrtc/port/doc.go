// Package port has the sockets that all pages share: one for UDP, and one for ICE over TCP
// (RFC 6544). It hands a packet to the connection whose user fragment an authentic
// connectivity check has told, and drops what no connection has earned, counted by
// reason, before pion sees it.
//
// A goroutine reads the UDP socket, one accepts TCP connections, and one reads each of
// these. It answers nothing by itself, decrypts nothing, and never waits for who reads.
package port
