package app

import (
	"context"

	"tandem"
	"tandem/ivr/flow"
)

// Replies previews the canned replies that an agent may send in a task, those whose name or
// text has the query in it.
func (a *App) Replies(ctx context.Context, t tandem.Task, agent, query string) ([]flow.ReplyPreview, error) {
	return nil, nil
}
