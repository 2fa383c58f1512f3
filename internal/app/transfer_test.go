package app

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/internal/config"
)

// Whoever is reached directly sees who calls; by a trunk goes the trunk's number. An
// error says nothing of the address.
func TestDestination(t *testing.T) {
	cfg := &config.Config{}
	cfg.Outbound.Allow = []string{"sip:pbx.example", "+86"}
	cfg.SIP.Trunks = map[string]config.Trunk{"carrier": {From: "+861055550100"}}
	a := &App{cfg: cfg, metrics: newMetrics(prometheus.NewRegistry())}
	for _, tc := range []struct{ to, caller, trunk, from string }{
		{"sip:agent@pbx.example", "13900000001", "", "13900000001"},
		{"sip:agent@pbx.example", "+86139.alice_x-1*", "", "+86139.alice_x-1*"},
		{"sip:agent@pbx.example", "a b", "", "anonymous"},
		{"sip:agent@pbx.example", "x@evil.example", "", "anonymous"},
		{"sip:agent@pbx.example", strings.Repeat("1", 65), "", "anonymous"},
		{"sip:agent@pbx.example", "", "", "anonymous"},
		{"tel:+861055550199", "13900000001", "carrier", "+861055550100"},
	} {
		d, err := a.destination(tc.to, tc.caller)
		if err != nil || d.From != tc.from || d.Trunk != tc.trunk {
			t.Errorf("%s for %q: shows %q by %q, %v", tc.to, tc.caller, d.From, d.Trunk, err)
		}
	}
	for _, to := range []string{"tel:+4455550100", "+861055550199", "sip:agent@evil.example"} {
		if _, err := a.destination(to, "1"); err == nil || strings.Contains(err.Error(), "5555") || strings.Contains(err.Error(), "evil") {
			t.Errorf("%s: %v", to, err)
		}
	}
}
