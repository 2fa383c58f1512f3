package text

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSay is one message of a customer and the flow's two in answer, durable, of many
// conversations at once.
func BenchmarkSay(b *testing.B) {
	h := newHouse(b, pick)
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32) // times GOMAXPROCS
	begun := cpu()
	b.RunParallel(func(pb *testing.PB) {
		id := h.chat()
		if err := h.d.Open(context.Background(), id); err != nil {
			b.Error(err)
		}
		for pb.Next() {
			if _, err := h.d.Say(context.Background(), id, Said{Text: "cards", Client: fmt.Sprint(next.Add(1))}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(3*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
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
