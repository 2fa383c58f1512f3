package text

import (
	"context"
	"errors"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// besideCall reports that a conversation stands beside the call of its interaction, whose
// customer an agent has: what either writes here is kept and shown to the other, and the flow
// takes none of it. The session is the one that runs in the call.
func (d *Driver) besideCall(ctx context.Context, st *state) (s flow.Session, ok bool, err error) {
	if !st.elsewhere || st.there != tandem.Voice {
		return s, false, nil
	}
	data, _, err := d.o.Store.Session(ctx, st.conv.Interaction)
	if errors.Is(err, store.ErrNotFound) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	if s, err = flow.Decode(data); err != nil { // whoever runs it finds out
		return flow.Session{}, false, nil
	}
	return s, s.WithAgent() || proving(s), nil
}

// proving reports a session whose step waits for what an officer finds out about the customer:
// no other identify lets what is entered be seen. The officer and they speak meanwhile.
func proving(s flow.Session) bool {
	return len(s.Frames) > 0 && s.Wait.Kind == flow.WaitIdentify && !s.Wait.Secret
}
