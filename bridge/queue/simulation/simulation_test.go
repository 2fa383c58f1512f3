package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	seed  = flag.Uint64("seed", 0, "run this one seed of TestSeeds, and print what happens with -v")
	seeds = flag.Int("seeds", 0, "run so many seeds of TestSeeds; 0 = 3,000, with -short 200")
)

// TestSeeds runs the line through many lives. A seed that breaks an invariant is said with
// how to run it again.
func TestSeeds(t *testing.T) {
	if *seed != 0 {
		one(t, *seed)
		return
	}
	n := 3000 // make seeds has 10,000
	if testing.Short() {
		n = 200
	}
	if *seeds > 0 {
		n = *seeds
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // short-lived worlds
	var next, tasks, offers, crashes, faults, late atomic.Int64
	var failed sync.Map
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for s := next.Add(1); s <= int64(n); s = next.Add(1) {
				r := Run(Options{Seed: uint64(s)})
				tasks.Add(int64(r.Tasks))
				offers.Add(int64(r.Offers))
				crashes.Add(int64(r.Crashes))
				faults.Add(int64(r.Faults))
				late.Add(int64(r.Late))
				if len(r.Findings) > 0 {
					failed.Store(s, r)
				}
			}
		})
	}
	wg.Wait()
	said := 0
	failed.Range(func(s, r any) bool {
		res := r.(Result)
		t.Errorf("seed %d, step %d: %s\nagain: go test ./bridge/queue/simulation -run TestSeeds -seed=%d -v", s, res.Step, strings.Join(res.Findings, "; "), s)
		said++
		return said < 10
	})
	t.Logf("%d seeds: %d tasks, %d offers, %d crashes, %d faults of the store, %d late answers", n, tasks.Load(), offers.Load(), crashes.Load(), faults.Load(), late.Load())
	if !t.Failed() && (offers.Load() < int64(5*n) || crashes.Load() < int64(n) || late.Load() < int64(n)/2) {
		t.Error("too little happens in a run: the simulation proves nothing")
	}
}

func one(t *testing.T, seed uint64) {
	o := Options{Seed: seed}
	if testing.Verbose() {
		o.Trace = os.Stdout
	}
	if r := Run(o); len(r.Findings) > 0 {
		t.Errorf("seed %d, step %d: %s", seed, r.Step, strings.Join(r.Findings, "\n"))
	}
}

// TestSeedsReplay: a seed is the same run each time, byte for byte.
func TestSeedsReplay(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		var a, b strings.Builder
		first, second := Run(Options{Seed: seed, Trace: &a}), Run(Options{Seed: seed, Trace: &b})
		if a.String() != b.String() || first.Trace != second.Trace {
			x, y := strings.Split(a.String(), "\n"), strings.Split(b.String(), "\n")
			for i := range x {
				if i >= len(y) || x[i] != y[i] {
					t.Fatalf("seed %d differs in line %d:\n%s\n%s", seed, i+1, x[i], y[min(i, len(y)-1)])
				}
			}
			t.Fatalf("seed %d has %d lines, then %d", seed, len(x), len(y))
		}
	}
}

// TestMutants: each way to break the line or its store is found, and within a few seeds.
func TestMutants(t *testing.T) {
	most := uint64(300)
	for _, m := range Mutants() {
		t.Run(strings.ReplaceAll(string(m), " ", "_"), func(t *testing.T) {
			t.Parallel()
			for s := uint64(1); s <= most; s++ {
				if r := Run(Options{Seed: s, Broken: m}); len(r.Findings) > 0 {
					t.Logf("found with seed %d in step %d: %s", s, r.Step, r.Findings[0])
					return
				}
			}
			t.Errorf("not found within %d seeds", most)
		})
	}
}

func BenchmarkRun(b *testing.B) {
	for i := range b.N {
		if r := Run(Options{Seed: uint64(i) + 1}); len(r.Findings) > 0 {
			b.Fatal(fmt.Sprint(r.Findings))
		}
	}
}
