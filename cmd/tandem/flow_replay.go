package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/replay"
	"tandem/store"
	"tandem/store/release"
	"tandem/store/sqlite"
)

// listedNumbers are named behind a divergence; the rest is counted.
const listedNumbers = 5

// flowReplayCommand takes the interactions of the journal through a flow as it is now.
func flowReplayCommand() *cli.Command {
	return &cli.Command{
		Name: "replay", ArgsUsage: "FILE",
		Usage: "take past interactions through a changed flow: who would have gone elsewhere, and where",
		Description: "Reads the journal of the configuration's store, beside a running server, and changes nothing. What customers\n" +
			"answered and what other systems said is taken as it was; times are those of then. Where the flow now asks\n" +
			"something new, nobody knows what would have been answered: such interactions are counted apart.",
		Flags: []cli.Flag{
			configFlag(), jsonFlag(),
			&cli.DurationFlag{Name: "since", Value: 24 * time.Hour, Usage: "those begun in the last `TIME`"},
			&cli.IntFlag{Name: "limit", Value: listMost, Usage: "at most `N`, the newest"},
		},
		Action: flowReplay,
	}
}

// replayed is the answer of flow replay.
type replayed struct {
	Flow         string       `json:"flow"`
	Interactions int          `json:"interactions"`
	Same         int          `json:"same"`
	Elsewhere    int          `json:"elsewhere"`
	Unknown      int          `json:"unknown"`
	Skipped      int          `json:"skipped"` // erased, or nothing of the flow is known
	Divergences  []divergence `json:"divergences"`
	Added        []string     `json:"added"` // new steps that somebody would pass
	Removed      []string     `json:"removed"`
}

// divergence is one place where interactions part from the way they took.
type divergence struct {
	replay.Result
	Interactions []tandem.Number `json:"interactions"`
}

func flowReplay(c *cli.Context) error {
	if err := wantArgs(c, "FILE"); err != nil {
		return err
	}
	loaded, err := loadConfig(c)
	if err != nil {
		return err
	}
	path, options := c.Args().First(), flowOptions(loaded)
	if _, err := checkPath(path, options); err != nil {
		return err
	}
	name, lib, err := readFlow(c, path, options)
	if err != nil {
		return err
	}
	db, err := openStore(c.Context, loaded.Config, toRead, c.App.ErrWriter)
	if err != nil {
		return err
	}
	found, err := replayAll(c, db, lib, name, filepath.Dir(path), options)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if c.Bool("json") {
		e := json.NewEncoder(c.App.Writer)
		e.SetIndent("", "  ")
		return e.Encode(found)
	}
	return found.print(c.App.Writer)
}

func replayAll(c *cli.Context, db *sqlite.DB, lib *flow.Library, name, dir string, options read.Options) (replayed, error) {
	found := replayed{Flow: name, Divergences: []divergence{}, Added: []string{}, Removed: []string{}}
	list, err := pages(c, db, store.Filter{Flow: name, Since: time.Now().Add(-c.Duration("since"))}, c.Int("limit"))
	if err != nil {
		return found, err
	}
	var pasts []replay.Past
	for _, s := range list {
		story, err := db.Interaction(c.Context, string(s.ID))
		if err != nil {
			return found, err
		}
		var first tandem.Leg
		if len(story.Legs) > 0 {
			first = story.Legs[0]
		}
		if p, ok := replay.Of(story.Interaction, first, story.Events); ok && story.Customer.Erased.IsZero() {
			pasts = append(pasts, p)
		} else {
			found.Skipped++
		}
	}
	versions := versions{releases: release.New(db, time.Now), dir: dir, options: options, read: map[string]func(string, string) bool{}}
	for _, p := range pasts {
		had, err := versions.of(c, p)
		if err != nil {
			return found, err
		}
		r, err := replay.Run(lib, had, p)
		if err != nil {
			return found, err
		}
		found.add(p.Facts.Number, r)
	}
	slices.SortStableFunc(found.Divergences, func(a, b divergence) int { return cmp.Compare(len(b.Interactions), len(a.Interactions)) })
	return found, nil
}

// versions finds which steps a flow had when an interaction ran on it.
type versions struct {
	releases *release.Store
	dir      string
	options  read.Options
	read     map[string]func(string, string) bool
}

func (v *versions) of(c *cli.Context, p replay.Past) (func(string, string) bool, error) {
	if had := v.read[p.Hash]; had != nil {
		return had, nil
	}
	had := replay.Always // where the version is not kept
	r, err := v.releases.Find(c.Context, p.Flow, p.Hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		files, err := v.releases.Files(c.Context, r.Number)
		if err != nil {
			return nil, err
		}
		o := v.options
		o.Recorded = nil // it was fit to serve then, whatever is recorded now
		if before, _ := read.Release(v.dir, files, o); before != nil {
			had = replay.Had(before)
		}
	}
	v.read[p.Hash] = had
	return had, nil
}

// add counts one interaction, those that part at one place together.
func (f *replayed) add(number tandem.Number, r replay.Result) {
	f.Interactions++
	for _, s := range r.Added {
		if !slices.Contains(f.Added, s) {
			f.Added = append(f.Added, s)
		}
	}
	for _, s := range r.Removed {
		if !slices.Contains(f.Removed, s) {
			f.Removed = append(f.Removed, s)
		}
	}
	r.Added, r.Removed = nil, nil
	switch r.Verdict {
	case replay.Same:
		f.Same++
		return
	case replay.Elsewhere:
		f.Elsewhere++
	case replay.Unknown:
		f.Unknown++
	}
	for i := range f.Divergences {
		d := &f.Divergences[i]
		if d.Verdict == r.Verdict && d.Flow == r.Flow && d.After == r.After && d.By == r.By && d.Then == r.Then && d.Now == r.Now {
			d.Interactions = append(d.Interactions, number)
			return
		}
	}
	f.Divergences = append(f.Divergences, divergence{r, []tandem.Number{number}})
}

func (f *replayed) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of flow %s: %d the same way, %d elsewhere, %d asked something new\n", counted(f.Interactions, "interaction"), f.Flow, f.Same, f.Elsewhere, f.Unknown)
	if f.Skipped > 0 {
		fmt.Fprintf(&b, "%d left out: erased, or nothing of the flow is in the journal\n", f.Skipped)
	}
	for _, d := range f.Divergences {
		fmt.Fprintf(&b, "\n%6d × ", len(d.Interactions))
		if d.After == "" {
			b.WriteString("at the start")
		} else {
			fmt.Fprintf(&b, "after %s on %s", d.After, d.By)
		}
		if d.Flow != f.Flow {
			fmt.Fprintf(&b, " in flow %s", d.Flow)
		}
		if d.Verdict == replay.Unknown {
			fmt.Fprintf(&b, ": asked by the new step %s before %s\n", d.Now, cmp.Or(d.Then, "the end"))
		} else {
			fmt.Fprintf(&b, ": then %s, now %s\n", d.Then, d.Now)
		}
		shown := d.Interactions[:min(len(d.Interactions), listedNumbers)]
		for _, n := range shown {
			fmt.Fprintf(&b, "         %s\n", n)
		}
		if more := len(d.Interactions) - len(shown); more > 0 {
			fmt.Fprintf(&b, "         and %d more; --json lists all\n", more)
		}
	}
	if len(f.Added) > 0 {
		fmt.Fprintf(&b, "\nnew on the way: %s\n", strings.Join(f.Added, ", "))
	}
	if len(f.Removed) > 0 {
		fmt.Fprintf(&b, "no more on the way: %s\n", strings.Join(f.Removed, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
