package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"tandem"
	"tandem/bridge/survey"
	"tandem/internal/config"
	"tandem/internal/shelf"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store/release"
)

// readOptions is what the flows' reader needs of the configuration.
func readOptions(c *config.Config) read.Options {
	o := read.Options{Settings: c.Flows.Settings, HTTPAllow: c.Flows.HTTPAllow, Speech: map[string]bool{}, Served: map[string][]tandem.Channel{}}
	if o.Settings == nil {
		o.Settings = map[string]any{}
	}
	if o.HTTPAllow == nil {
		o.HTTPAllow = []string{}
	}
	for _, e := range c.Entries {
		o.Needed = append(o.Needed, e.Flow)
		if by := e.Channel(); !slices.Contains(o.Served[e.Flow], by) {
			o.Served[e.Flow] = append(o.Served[e.Flow], by)
		}
		if e.Record {
			o.Recorded = append(o.Recorded, e.Flow)
		}
	}
	return o
}

// readFlows reads the folder and checks that every entry leads somewhere. Of a folder
// with mistakes it returns what they are: keepFlows may find a release that serves, if
// there is a store that can have one.
func (a *App) readFlows() (broken *shelf.Broken, err error) {
	dir := string(a.cfg.Flows.Dir)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, tandem.Errorf(tandem.CodeInvalid, "there is no folder %s for the flows; make it, or name another in flows.dir", dir)
	}
	a.shelf, err = shelf.Open(shelf.Options{Dir: dir, Read: readOptions(a.cfg), Log: a.log, Changed: a.flowsChanged})
	if errors.As(err, &broken) {
		if _, none := os.Stat(string(a.cfg.Store.Path)); none != nil {
			return nil, refusedFlows(broken)
		}
		return broken, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, checkEntries(a.o.Config, a.shelf.Current())
}

func refusedFlows(b *shelf.Broken) error {
	return tandem.Errorf(tandem.CodeInvalid, "%w\n%s", b, printed(b.Found))
}

// keepFlows keeps the flows as a release. In the place of a folder with mistakes the
// last release without serves, so that a bad save and a power cut together take no
// line down; it says so as loudly as it can.
func (a *App) keepFlows(ctx context.Context, broken *shelf.Broken) error {
	err := a.shelf.Attach(ctx, release.New(a.store, a.now))
	var none *shelf.Broken
	switch {
	case errors.As(err, &none):
		return tandem.Errorf(tandem.CodeInvalid, "%w\n%s", err, printed(none.Found))
	case err != nil:
		return err
	}
	if broken != nil {
		if err := checkEntries(a.o.Config, a.shelf.Current()); err != nil {
			return errors.Join(refusedFlows(broken), err)
		}
		r := a.shelf.State().Release
		a.wrong(fmt.Sprintf("the flows have mistakes; release %d of %s serves in their place until they are mended", r.Number, r.At.Format("2006-01-02 15:04 MST")), printed(broken.Found))
		a.refused.news(printed(broken.Found))
	}
	a.entries.Store(&a.cfg.Entries)
	a.mapped.Store(true)
	return nil
}

// Library is the library with a flow in the version of that hash, for a session that
// began with it; see shelf.Shelf.Library.
func (a *App) Library(ctx context.Context, name, hash string) (*flow.Library, error) {
	base, version, form, ok := survey.Base(name, hash)
	if !ok {
		return a.shelf.Library(ctx, name, hash)
	}
	lib, err := a.shelf.Library(ctx, base, version)
	if err != nil {
		return nil, err
	}
	lib, _, err = survey.With(lib, base, version, form)
	return lib, err
}

// flowsChanged is told of a reading of changed flows.
func (a *App) flowsChanged(st shelf.State) {
	defer a.studio.Changed(st)
	if st.Refused {
		mistakes := printed(a.placed(st.Found))
		if a.refused.news(mistakes) { // else it was told when the server started
			a.wrong("the changed flows have mistakes; the old ones go on serving", mistakes)
		}
		return
	}
	a.refused.news("")
	if err := a.speech.Reload(); err != nil {
		a.log.Error("the recordings of prompts could not be read again; the old ones stay in use", "error", err)
	}
	if a.line != nil {
		a.line.Repolice(Policy(st.Library))
	}
	a.log.Info("flows read again", "flows", len(st.Library.Flows), "release", st.Release.Number)
	if a.o.Demo && a.o.Console != nil {
		fmt.Fprintf(a.o.Console, "flows read again: the next call hears them\n")
	}
	if !a.mapped.Load() {
		a.remapAgain.Store(true)
	}
}

// placed gives diagnostics the folder in their files' names.
func (a *App) placed(found []source.Diagnostic) []source.Diagnostic {
	out := slices.Clone(found)
	for i := range out {
		out[i].File = filepath.Join(string(a.cfg.Flows.Dir), filepath.FromSlash(out[i].File))
	}
	return out
}

// printed is diagnostics as their reader is used to seeing them.
func printed(ds []source.Diagnostic) string {
	var b strings.Builder
	source.Print(&b, ds, false)
	return b.String()
}

// wrong tells of mistakes in a file that was changed.
func (a *App) wrong(what, mistakes string) {
	if a.o.Console == nil {
		a.log.Error(what, "mistakes", mistakes)
		return
	}
	a.log.Error(what)
	fmt.Fprintln(a.o.Console, strings.TrimSpace(mistakes))
}

// lastTold keeps the same thing from being told twice.
type lastTold struct {
	mu   sync.Mutex
	text string
}

// news reports whether text is not what was told last.
func (l *lastTold) news(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.text
	l.text = text
	return text != before
}

// checkEntries refuses entries that name a flow that is not there, or serves others.
func checkEntries(c *config.Loaded, lib *flow.Library) error {
	if lost := c.LostEntries(lib.Channels()); len(lost) > 0 {
		return config.Refused(lost)
	}
	return nil
}

// checkFlows reads the flows again where others than before are mapped or recorded:
// one that is mapped may not be taken away, and in one that is recorded nobody may be
// spoken to before the caller was told.
func (a *App) checkFlows(before, now config.Entries) error {
	with := func(entries config.Entries) read.Options {
		c := *a.cfg
		c.Entries = entries
		return readOptions(&c)
	}
	old, wanted := with(before), with(now)
	if slices.Equal(old.Recorded, wanted.Recorded) && slices.Equal(old.Needed, wanted.Needed) && maps.EqualFunc(old.Served, wanted.Served, slices.Equal) {
		return nil
	}
	if found := a.shelf.Configure(wanted); source.HasErrors(found) {
		return tandem.Errorf(tandem.CodeInvalid, "the flows do not fit the entries:\n%s", printed(found))
	}
	return nil
}

// Behind says that older flows or entries serve than those of the files, and why; "" =
// none do.
func (a *App) Behind() string {
	var out []string
	if why := a.flowsBehind(); why != "" {
		out = append(out, why)
	}
	if why := a.misread.Load(); why != nil {
		out = append(out, fmt.Sprintf("%s was changed and is wrong; the old entries serve: %s; run tandem config check", a.o.Config.File, *why))
	}
	return strings.Join(out, "\n")
}

func (a *App) flowsBehind() string {
	st := a.shelf.State()
	if !st.Refused {
		return ""
	}
	n := 0
	for _, d := range st.Found {
		if d.Severity == source.Error {
			n++
		}
	}
	return fmt.Sprintf("the flows in %s have mistakes (%d); release %d serves in their place: run tandem flow check", a.cfg.Flows.Dir, n, st.Release.Number)
}
