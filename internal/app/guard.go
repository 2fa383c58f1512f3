package app

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// restartAfter is how long a goroutine that has panicked rests before it begins
// anew, so that one that always panics does not fill the log.
const restartAfter = time.Second

// panicked counts and logs a panic that ended one call, request or turn only.
func (a *App) panicked(log *slog.Logger, where string, p any) {
	a.metrics.panics.WithLabelValues(where).Inc()
	log.Error("a fault of ours ended one thing only", "where", where, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

// reporter is panicked for parts that recover by themselves.
func (a *App) reporter(where string) func(any) {
	return func(p any) { a.panicked(a.log, where, p) }
}

// contain runs f, keeps a panic in it from going further, and reports whether there
// was none.
func (a *App) contain(where string, f func()) (well bool) {
	defer func() {
		if p := recover(); p != nil {
			a.panicked(a.log, where, p)
			well = false
		}
	}()
	f()
	return true
}

// keep runs f, which ends with ctx, and begins it anew after a panic.
func (a *App) keep(ctx context.Context, where string, f func(context.Context)) {
	for !a.contain(where, func() { f(ctx) }) {
		select {
		case <-time.After(restartAfter):
		case <-ctx.Done():
			return
		}
	}
}
