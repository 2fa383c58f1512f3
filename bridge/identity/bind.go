package identity

import (
	"context"

	"tandem"
)

// Bindings are the identities of a customer, the newest first, those undone at the end.
func (d *Desk) Bindings(ctx context.Context, c tandem.CustomerID) ([]tandem.Binding, error) {
	return nil, nil
}

// Bind ties an identity to w's customer because method proved it, and notes the event.
func (d *Desk) Bind(ctx context.Context, w Who, i tandem.Identity, method string) error {
	return tandem.Errorf(tandem.CodeUnavailable, "binding is not there yet")
}

// Undo unties an identity from a customer and undoes the merge that came with it, if one
// did; by names who asked for it.
func (d *Desk) Undo(ctx context.Context, c tandem.CustomerID, i tandem.Identity, by string) error {
	return tandem.Errorf(tandem.CodeUnavailable, "undoing is not there yet")
}

// Recognise tells whose number a call comes from. Only a number that was proved, from a
// trunk that is trusted for it, gives Recognised; the customer is told in any case.
func (d *Desk) Recognise(ctx context.Context, number string, trusted bool) (tandem.CustomerID, tandem.Assurance, error) {
	return "", tandem.None, nil
}
