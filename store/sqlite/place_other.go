//go:build !linux

package sqlite

// refuseNetwork knows Linux only; elsewhere the operator sees to a local disk.
func refuseNetwork(string) error { return nil }
