// Package simulator plays the gateways that Tandem texts by, and the phones behind them.
package simulator
