package queue

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/bridge/route"
)

const benchWorkers = 32 // of each processor: customers who are in line at once, with an agent for each

func benchAgents() (names []string) {
	for i := range 80 {
		names = append(names, fmt.Sprintf("agent%02d", i))
	}
	return names
}

// BenchmarkAssignments is how many chats are put into line, offered, taken and done in a
// second through the running line and a real store, by many at once. Each is three asks, each
// of which is durable before it is answered.
func BenchmarkAssignments(b *testing.B) {
	h := benchHouse(b, b.TempDir())
	defer h.close()
	ctx := b.Context()
	b.SetParallelism(benchWorkers)
	b.ReportAllocs()
	b.ResetTimer()
	begun := cpuTime()
	b.RunParallel(func(pb *testing.PB) {
		var in tandem.InteractionID
		for n := 0; pb.Next(); n++ {
			if n%8 == 0 { // few have more tasks than that
				id, c := h.call()
				if err := h.db.Commit(ctx, c); err != nil {
					b.Error(err)
					return
				}
				in = id
			}
			if err := h.assign(ctx, in); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	report(b, begun)
}

func benchHouse(b *testing.B, dir string) *house {
	h := newHouse(b, openStore(b, dir, nil), func(o *Options) {
		o.Policy, o.Verify = housePolicy(benchAgents()...), false
	})
	h.come(benchAgents()...)
	return h
}

// assign is one chat's life.
func (h *house) assign(ctx context.Context, in tandem.InteractionID) error {
	t, err := h.Open(ctx, tandem.Task{Interaction: in, Kind: tandem.TaskChat, Queue: "cards"}, nil)
	if err == nil {
		t, err = h.Accept(ctx, t.ID, t.Agent, t.Fence)
	}
	if err == nil {
		_, err = h.Release(ctx, route.Released{Task: t.ID, Agent: t.Agent, Fence: t.Fence, Outcome: tandem.OutcomeServed}, nil)
	}
	return err
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(b *testing.B, begun time.Duration) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "assignments/s")
	b.ReportMetric(float64((cpuTime()-begun).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkAssignmentsFloor is what SQLite alone does with the writes of
// BenchmarkAssignments: as many rows of the same size in the same tables, in transactions
// that all who wait share, as durable, by prepared statements on one connection with the
// store's settings. Nothing is read, sealed, hashed or decided.
func BenchmarkAssignmentsFloor(b *testing.B) {
	f := newFloor(b)
	var next atomic.Int64
	b.SetParallelism(benchWorkers)
	b.ReportAllocs()
	b.ResetTimer()
	begun := cpuTime()
	b.RunParallel(func(pb *testing.PB) {
		o := &floorAsk{in: next.Add(1), done: make(chan error, 1)}
		for pb.Next() {
			for o.part = range 3 {
				f.asks <- o
				if err := <-o.done; err != nil {
					b.Error(err)
					return
				}
			}
			o.round++
		}
	})
	b.StopTimer()
	report(b, begun)
	close(f.asks)
	<-f.over
}

// floorAsk is one of the three asks of an assignment.
type floorAsk struct {
	in, round, seq int64
	part           int // open, accept, release
	task           string
	fence          int64
	done           chan error
}

type floor struct {
	c     *sqlite3.SQLiteConn
	stmts map[string]*floorStmt
	asks  chan *floorAsk
	over  chan struct{}
	n     int64
	fence int64
	data  []byte // as long as an event's content
}

type floorStmt struct {
	s    *sqlite3.SQLiteStmt
	args []driver.NamedValue
}

// newFloor makes the tables, and looks how long an event of the line is.
func newFloor(b *testing.B) *floor {
	b.Helper()
	dir := b.TempDir()
	h := benchHouse(b, dir)
	in, c := h.call()
	err := h.db.Commit(b.Context(), c)
	for range 20 {
		if err == nil {
			err = h.assign(b.Context(), in)
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	h.close()
	path := filepath.Join(dir, "tandem.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		b.Fatal(err)
	}
	var size float64
	if err := db.QueryRow("SELECT avg(length(sealed)) FROM event WHERE kind LIKE 'task.%'").Scan(&size); err != nil {
		b.Fatal(err)
	}
	db.Close()
	conn, err := (&sqlite3.SQLiteDriver{}).Open("file:" + path + "?_mutex=no&_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_secure_delete=on")
	if err != nil {
		b.Fatal(err)
	}
	f := &floor{c: conn.(*sqlite3.SQLiteConn), stmts: map[string]*floorStmt{}, asks: make(chan *floorAsk, 1024), over: make(chan struct{}),
		n: 1 << 20, fence: 1 << 20, data: bytes.Repeat([]byte{9}, int(size))}
	b.Cleanup(func() {
		for _, s := range f.stmts {
			s.s.Close()
		}
		f.c.Close()
	})
	go f.run()
	return f
}

func (f *floor) run() {
	defer close(f.over)
	var group []*floorAsk
	for o := range f.asks {
		group = append(group[:0], o)
		for len(group) < maxBatch && len(f.asks) > 0 {
			group = append(group, <-f.asks)
		}
		err := f.exec("BEGIN IMMEDIATE")
		if err == nil {
			err = f.exec("UPDATE line SET version = version + 1, fence = ? WHERE version > ?", f.fence, 0)
		}
		for _, o := range group {
			if err == nil {
				err = f.write(o)
			}
		}
		if err == nil {
			err = f.exec("COMMIT")
		}
		for _, o := range group {
			o.done <- err
		}
	}
}

var floorHash = bytes.Repeat([]byte{7}, 32)

// write is the rows of one ask.
func (f *floor) write(o *floorAsk) error {
	events := [3]int{2, 1, 2}[o.part]
	for range events {
		f.n++
		o.seq++
		if err := f.exec(`INSERT INTO event (n, interaction, seq, at, kind, leg, actor, sealed, digest, hash, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			f.n, 1, (o.in<<32)+o.seq, f.n<<40, "task.offered", "", "system", f.data, floorHash, floorHash, floorHash); err != nil {
			return err
		}
	}
	at := f.n << 40
	var err error
	switch o.part {
	case 0:
		f.fence++
		o.fence, o.task = f.fence, fmt.Sprintf("%026d", f.fence)
		err = f.exec(`INSERT INTO task (id, interaction, kind, queue, state, arrived, due, prefer, agent, fence, since, deadline, blob, note, came_as)
			VALUES (?, ?, 'chat', 'cards', 'offered', ?, ?, '', 'agent01', ?, ?, ?, '', '', 'chat')`, o.task, 1, at, at, o.fence, at, at)
		if err == nil {
			err = f.exec(`INSERT INTO hold (fence, task, agent, load, state, made, since, deadline, assigned, why) VALUES (?, ?, 'agent01', 'chat', 'offered', ?, ?, ?, 0, '')`,
				o.fence, o.task, at, at, at)
		}
	case 1:
		err = f.update(o, "assigned", at)
	case 2:
		err = f.update(o, "over", at)
	}
	if err == nil {
		err = f.exec("UPDATE interaction SET state = ? WHERE no = ?", "queued", 1)
	}
	if err == nil {
		err = f.exec("UPDATE agent SET idle = ? WHERE name = ?", at, fmt.Sprintf("agent%02d", o.in%80))
	}
	return err
}

func (f *floor) update(o *floorAsk, state string, at int64) error {
	task := state
	if state == "over" {
		task = "done"
	}
	if err := f.exec("UPDATE task SET state = ?, since = ?, deadline = 0 WHERE id = ?", task, at, o.task); err != nil {
		return err
	}
	return f.exec("UPDATE hold SET state = ?, since = ?, deadline = 0 WHERE fence = ?", state, at, o.fence)
}

func (f *floor) exec(query string, args ...driver.Value) error {
	s := f.stmts[query]
	if s == nil {
		made, err := f.c.Prepare(query)
		if err != nil {
			return err
		}
		s = &floorStmt{s: made.(*sqlite3.SQLiteStmt), args: make([]driver.NamedValue, len(args))}
		f.stmts[query] = s
	}
	for i, a := range args {
		if n, ok := a.(int); ok {
			a = int64(n)
		}
		s.args[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	_, err := s.s.ExecContext(context.Background(), s.args)
	return err
}

// BenchmarkBatch is the CPU time of one ask without a store: the line, the readers' line
// and the journal's events.
func BenchmarkBatch(b *testing.B) {
	for _, waiting := range []int{0, 10_000} {
		b.Run(fmt.Sprint("waiting=", waiting), func(b *testing.B) {
			core, err := NewCore(b.Context(), CoreOptions{Keeper: newMemory(), Policy: housePolicy("anna"), Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}, time.Now())
			if err != nil {
				b.Fatal(err)
			}
			open := func(i int) {
				t := tandem.Task{Interaction: tandem.InteractionID(fmt.Sprint(i)), Kind: tandem.TaskCallback, Queue: "cards"}
				if a, _ := core.Step(b.Context(), time.Now(), []Ask{{Event: route.Opened{Task: t}}}); a[0].Err != nil {
					b.Fatal(a[0].Err)
				}
			}
			for i := range waiting {
				open(i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				open(waiting + i)
			}
		})
	}
}
