package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/internal/app"
	"tandem/internal/config"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run the server",
		Description: "Runs until it is told to stop (Ctrl-C or SIGTERM). It then takes no new call and lets those\n" +
			"that are up go on for limits.drain; a second signal ends them at once.",
		Flags: []cli.Flag{configFlag()},
		Action: func(c *cli.Context) error {
			loaded, err := loadConfig(c)
			if err != nil {
				return err
			}
			options := app.Options{Config: loaded, Environ: os.Environ(), Log: newLog(loaded.Log, c.App.ErrWriter), Version: version()}
			if loaded.Log.Format != "json" && isTerminal(c.App.ErrWriter) {
				options.Console = c.App.ErrWriter
			}
			return serve(c.Context, options, func(a *app.App) error {
				return tellFirstUser(c.Context, a.Staff(), loaded, c.App.ErrWriter, loaded.HTTP.StaffAddress())
			})
		},
	}
}

// newLog makes the program's log as the configuration wants it.
func newLog(l config.Log, w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(l.Level)) // checked with the configuration
	options := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// serve runs a server from start to stop. Started is called once it serves.
func serve(ctx context.Context, o app.Options, started func(*app.App) error) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	a, err := app.New(ctx, o)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return errors.Join(err, a.Abandon())
	}
	o.Log.Info("serving", doors(a.Addresses())...)
	if err := started(a); err != nil {
		return errors.Join(err, a.Stop(closed()))
	}
	select {
	case <-signals:
	case <-ctx.Done():
	}
	o.Log.Info("stopping; a second signal ends the calls that are up")
	if n := a.Calls(); n > 0 && o.Console != nil {
		fmt.Fprintf(o.Console, "stopping: %s, at most %v; Ctrl-C again ends %s\n",
			plural(n, "1 call is up", "%d calls are up"), o.Config.Limits.Drain, plural(n, "it", "them"))
	}
	now := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		select {
		case <-signals:
			close(now)
		case <-ended:
		}
	}()
	err = a.Stop(now)
	close(ended)
	if err != nil {
		return tandem.Errorf(tandem.CodeInternal, "stopping: %w", err)
	}
	o.Log.Info("stopped")
	return nil
}

// doors are addresses as a log has them: a key for each door.
func doors(addresses map[string][]string) []any {
	var out []any
	for _, name := range slices.Sorted(maps.Keys(addresses)) {
		out = append(out, name, strings.Join(addresses[name], " "))
	}
	return out
}

// plural chooses words by a count, which %d stands for in many.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return strings.ReplaceAll(many, "%d", strconv.Itoa(n))
}

// closed is a channel on which nobody waits.
func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
