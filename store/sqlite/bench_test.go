package sqlite

import (
	"context"
	"crypto/rand"
	"syscall"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/storetest"
)

func benchDB(b *testing.B) (*DB, storetest.Place) {
	b.Helper()
	p := storetest.NewPlace(b)
	return openAt(b, p, func(o *Options) { o.Now = time.Now }), p
}

// BenchmarkCommit is one durable promise, alone and among many that share a
// transaction.
func BenchmarkCommit(b *testing.B) {
	const record = "INSERT INTO meta (name, value) VALUES ('records', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
	with := func(tx store.Tx) error { _, err := tx.Exec(record); return err }
	for _, bench := range []struct {
		name     string
		parallel int
		with     func(store.Tx) error
	}{{"alone", 0, nil}, {"32 at once", 16, nil}, {"with a record, alone", 0, with}, {"with a record, 32 at once", 16, with}} {
		b.Run(bench.name, func(b *testing.B) {
			db, _ := benchDB(b)
			call := storetest.NewCall(time.Now(), rand.Reader, "+1")
			commit(b, db, call.Opening())
			one := func() {
				e := call.Event(time.Now(), tandem.EventConsent, tandem.Consent{Kind: "recording", Answer: "yes", Lang: "en", Text: "May we record this call?"})
				if err := db.Commit(context.Background(), &store.Change{Events: []tandem.Event{e}, With: bench.with}); err != nil {
					b.Error(err)
				}
			}
			b.ReportAllocs()
			if bench.parallel == 0 {
				for b.Loop() {
					one()
				}
				return
			}
			b.SetParallelism(bench.parallel) // times GOMAXPROCS, which is 2 where the figures come from
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					one()
				}
			})
		})
	}
}

// BenchmarkNote is one happening from the call to the disk.
func BenchmarkNote(b *testing.B) {
	db, _ := benchDB(b)
	call := storetest.NewCall(time.Now(), rand.Reader, "+1")
	commit(b, db, call.Opening())
	e := call.Event(time.Now(), tandem.EventPrompt, tandem.Prompted{Step: "main", Name: "menu", Lang: "en", Text: "For accounts press one, for cards press two."})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		db.Note(e)
		if i%5000 == 4999 { // before memory is full
			if err := db.Flush(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := db.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCall is what one call costs the store: 4 promises and 20 events, 32 calls at once.
func BenchmarkCall(b *testing.B) {
	db, _ := benchDB(b)
	b.ReportAllocs()
	b.SetParallelism(16)
	begun := cpu()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			call := storetest.NewCall(time.Now(), rand.Reader, "+1")
			answered := []tandem.Event{call.Event(time.Now(), tandem.EventLegAnswered, nil)}
			consent := []tandem.Event{call.Event(time.Now(), tandem.EventConsent, tandem.Consent{Kind: "recording", Answer: "yes", Lang: "en"})}
			changes := []*store.Change{call.Opening(), {Events: answered}, {Events: consent},
				call.Closing(time.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))}
			for i, c := range changes {
				if err := db.Commit(context.Background(), c); err != nil {
					b.Error(err)
				}
				if i < 2 {
					for range 7 {
						db.Note(call.Event(time.Now(), tandem.EventPrompt, tandem.Prompted{Step: "main", Lang: "en", Text: "For accounts press one."}))
					}
				}
			}
		}
	})
	b.ReportMetric(float64((cpu()-begun).Microseconds())/float64(b.N), "cpu-µs/op")
}

// cpu is what this process has used of processors' time.
func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkVerify is the check of one event.
func BenchmarkVerify(b *testing.B) {
	db, _ := benchDB(b)
	call := storetest.NewCall(time.Now(), rand.Reader, "+1")
	commit(b, db, call.Opening())
	const events = 9000
	for range events {
		db.Note(call.Event(time.Now(), tandem.EventInput, tandem.Pressed{Keys: "1"}))
	}
	if err := db.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if v, err := db.Verify(context.Background()); err != nil || !v.OK {
			b.Fatal(v, err)
		}
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkOffers is a batch of the line: sixteen offers, each with its event and its task,
// in one transaction.
func BenchmarkOffers(b *testing.B) {
	const many = 16
	db, _ := benchDB(b)
	var changes [many]*store.Change
	var calls [many]storetest.Call
	var tasks [many]tandem.Task
	for i := range changes {
		calls[i] = storetest.NewCall(time.Now(), rand.Reader, "+1")
		commit(b, db, calls[i].Opening())
		tasks[i] = tandem.Task{ID: tandem.NewID[tandem.TaskID](time.Now(), rand.Reader), Interaction: calls[i].ID, Kind: tandem.TaskCall, Queue: "cards",
			State: tandem.TaskOffered, Arrived: time.Now(), Agent: "anna", Skills: []string{"lang:en"}}
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range changes {
			e := calls[i].Event(time.Now(), tandem.EventTaskOffered, tandem.Offered{Task: tasks[i].ID, Agent: "anna"})
			changes[i] = &store.Change{Tasks: tasks[i : i+1], Events: []tandem.Event{e}}
		}
		if err := db.CommitAll(context.Background(), changes[:]...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/many, "µs/offer")
}
