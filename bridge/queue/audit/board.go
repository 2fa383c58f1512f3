package audit

import (
	"context"
	"fmt"
	"time"

	"tandem/bridge/queue/figures"
	"tandem/store"
)

// Board is what came of working the board's figures out of the journal again.
type Board struct {
	From    time.Time `json:"from,omitzero"`  // the first figures that are kept
	Until   time.Time `json:"until,omitzero"` // the end of the last
	Buckets int       `json:"buckets"`        // five minutes of which there was something to tell
	Figures int       `json:"figures"`        // rows that were compared
}

// boardStore is the store as Replay takes it: an audit changes nothing.
type boardStore struct{ Store }

func (boardStore) Update(context.Context, func(store.Tx) error) error { return store.ErrUnavailable }

// readBoard works the board's figures out of the whole journal and holds those that are kept,
// which are what the board serves, against them. What has been erased since is known by number
// only: so much may be kept more than the journal tells.
func readBoard(ctx context.Context, st Store, wrong func(string)) (Board, error) {
	kept := map[time.Time]map[figures.Key]figures.Counts{}
	var b Board
	err := st.View(ctx, func(tx store.Tx) error {
		return figures.ReadKept(tx, time.Unix(0, 1), time.Unix(0, 1<<62), nil, func(at time.Time, k figures.Key, c figures.Counts) error {
			if kept[at] == nil {
				kept[at] = map[figures.Key]figures.Counts{}
			}
			kept[at][k] = c
			if b.Figures++; b.Figures == 1 {
				b.From = at
			}
			b.Until = at.Add(figures.Span)
			return nil
		})
	})
	if err != nil {
		return b, fmt.Errorf("reading the board's figures: %w", err)
	}
	if b.Figures == 0 {
		return b, nil
	}
	b.Buckets = len(kept)
	seen := map[time.Time]bool{}
	compare := func(x figures.Bucket) {
		if x.At.Before(b.From) || !x.At.Before(b.Until) {
			return
		}
		seen[x.At] = true
		compareBucket(&x, kept[x.At], wrong)
	}
	f := figures.NewFold(time.Time{}, compare, nil)
	if _, err := figures.Replay(ctx, boardStore{st}, f); err != nil {
		return b, err
	}
	f.Advance(b.Until)
	for at, by := range kept {
		if !seen[at] {
			compareBucket(&figures.Bucket{At: at}, by, wrong)
		}
	}
	return b, nil
}

// compareBucket holds the figures of five minutes against the journal's.
func compareBucket(x *figures.Bucket, kept map[figures.Key]figures.Counts, wrong func(string)) {
	keys := map[figures.Key]bool{}
	for k := range kept {
		keys[k] = true
	}
	for k := range x.By {
		keys[k] = true
	}
	gone := x.Erased
	live := gone.Live + gone.Done // of erased customers, at some time in it
	for k := range keys {
		var want figures.Counts
		if c := x.By[k]; c != nil {
			want = *c
		}
		got := kept[k]
		say := func(what string, is, was int) {
			wrong(fmt.Sprintf("of %s the board has %s %d, by the journal it is %d", place(x.At, k), what, is, was))
		}
		for _, one := range []struct {
			what    string
			is, was int
			more    int
		}{
			{"opened", got.Opened, want.Opened, gone.Opened}, {"answered", got.Answered, want.Answered, gone.Assigned}, {"within", got.Within, want.Within, gone.Assigned},
			{"left", got.Left, want.Left, gone.Done}, {"waiting", got.Waiting, want.Waiting, live}, {"most", got.Most, want.Most, live},
		} {
			if one.is < one.was || one.is > one.was+one.more {
				say(one.what, one.is, one.was)
			}
		}
		if gone.Assigned == 0 && got.Waits.String() != want.Waits.String() {
			wrong(fmt.Sprintf("of %s the board has waits %s, by the journal they are %s", place(x.At, k), got.Waits, want.Waits))
		}
	}
}

func place(at time.Time, k figures.Key) string {
	return fmt.Sprintf("%s, queue %s, kind %s", at.UTC().Format("2006-01-02 15:04"), cmpOr(k.Queue, "all"), cmpOr(string(k.Kind), "all"))
}
