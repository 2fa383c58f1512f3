package text

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/chat"
)

// parallel is how many conversations talk at once for each processor, here and in the floor.
const parallel = 32

// BenchmarkSay is one message of a customer and the flow's two in answer: durable, and
// given to one who looks on, of many conversations at once.
func BenchmarkSay(b *testing.B) {
	h := newHouse(b, pick)
	ids := make(chan tandem.ConversationID, parallel*runtime.GOMAXPROCS(0))
	var delivered atomic.Int64
	for range cap(ids) {
		id := h.chat()
		h.open(id)
		_, err := h.book.Subscribe(id, func(f chat.Frame) bool { delivered.Add(1); return true })
		h.must(err)
		ids <- id
	}
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(parallel)
	b.ResetTimer()
	begun := cpu()
	b.RunParallel(func(pb *testing.PB) {
		id := <-ids
		for pb.Next() {
			if _, err := h.d.Say(context.Background(), id, Said{Text: "cards", Client: fmt.Sprintf("%016d", next.Add(1))}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64((cpu()-begun).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(3*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	if delivered.Load() != 3*int64(b.N) {
		b.Errorf("%d messages were delivered of %d", delivered.Load(), 3*b.N)
	}
}

// cpu is what this process has used of processors' time.
func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
