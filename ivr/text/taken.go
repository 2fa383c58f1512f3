package text

import (
	"context"
	"errors"
	"fmt"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// Tell brings an input of an agent to a session, at once: it is taken out of its step, handed
// back, or asked something. It returns the session as it is then, durably.
// store.ErrNotFound if it does not run here.
func (d *Driver) Tell(ctx context.Context, id tandem.InteractionID, in flow.Input) (s flow.Session, err error) {
	key, err := d.where(ctx, id)
	if err == nil && key == "" {
		err = fmt.Errorf("a session of interaction %s here: %w", id, store.ErrNotFound)
	}
	if err != nil {
		return s, err
	}
	ln, err := d.lanes.enter(ctx, key)
	if err != nil {
		return s, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	defer d.leave(ctx, ln)
	defer d.contain("tell", &err)
	st, err := d.load(ctx, key, id)
	if err != nil {
		return s, err
	}
	if st.conv.Interaction != id || !st.runs() || st.elsewhere || st.released || st.deaf() || st.dropped() {
		return s, fmt.Errorf("a session of interaction %s here: %w", id, store.ErrNotFound)
	}
	t := d.turn(st)
	t.does(ctx, job{interaction: id, kind: jobInput, input: in})
	if err := t.settle(ctx); err != nil {
		return s, err
	}
	if err = t.commit(ctx); err != nil {
		if errors.Is(err, errPointed) {
			err = fmt.Errorf("a session of interaction %s here: %w", id, store.ErrNotFound)
		}
		return s, err
	}
	d.after(ctx, ln, t)
	return t.st.s, nil
}
