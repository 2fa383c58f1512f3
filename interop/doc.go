// Package interop tries the server against real phones and test tools: baresip,
// SIPp, and a scripted SIP peer for what no phone does by itself. interop.yaml and
// flows are the set-up, which also serves for load; the tests start servers of
// their own from it, on ports found free.
//
// It holds tests only. Each ends what it started; none runs for more than a minute.
package interop
