package app

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/store/outbox"
)

// CheckText says what New would refuse of the gateways, the secrets and the service that
// knows customers, for a program that only looks at the configuration.
func CheckText(c *config.Config) error {
	a := &App{cfg: c, log: slog.New(slog.DiscardHandler), now: time.Now}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.SMS.Gateways)) {
		if _, err := a.gateway(name, c.SMS.Gateways[name]); err != nil {
			errs = append(errs, tandem.Errorf(tandem.CodeInvalid, "sms.gateways.%s: %w", name, err))
		}
	}
	if err := a.makeIdentity(nil); err != nil {
		errs = append(errs, err)
	}
	if c.Notify.URL != "" {
		if _, err := outbox.ParseSecret(c.Notify.Secret.Reveal()); err != nil {
			errs = append(errs, tandem.Errorf(tandem.CodeInvalid, "notify.secret: %w", err))
		}
	}
	return errors.Join(errs...)
}
