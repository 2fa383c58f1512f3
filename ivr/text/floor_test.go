package text

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/mattn/go-sqlite3"

	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// BenchmarkSayFloor is what SQLite alone does with the writes of BenchmarkSay: as many
// rows of the same size in the same tables, one statement for each row that is new or
// changed, in transactions that all who wait share, as durable, by prepared statements on
// one connection with the store's settings. Nothing is read, sealed, hashed or decided,
// and no change can fail without its neighbours.
func BenchmarkSayFloor(b *testing.B) {
	one := measured(b)
	f := newFloor(b, one, parallel*runtime.GOMAXPROCS(0))
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(parallel)
	b.ResetTimer()
	begun := cpu()
	b.RunParallel(func(pb *testing.PB) {
		o := &floorOp{conversation: next.Add(1), done: make(chan error, 1)}
		for pb.Next() {
			f.ops <- o
			if err := <-o.done; err != nil {
				b.Error(err)
				return
			}
			o.seq += one.messages
			o.event += one.events
		}
	})
	b.StopTimer()
	b.ReportMetric(float64((cpu()-begun).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(one.messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	close(f.ops)
	<-f.over
}

// writes are the rows that one message of BenchmarkSay makes.
type writes struct {
	events, messages int64
	event, session   int // bytes of what is sealed in each
}

// measured says messages and counts what is in the tables afterwards.
func measured(b *testing.B) writes {
	b.Helper()
	const messages = 20
	h := newHouse(b, pick)
	id := h.chat()
	h.open(id)
	count := func(copied string) (w writes, sealed int64) {
		path := filepath.Join(h.place.Dir, copied)
		h.must(h.db.Backup(context.Background(), path))
		db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
		h.must(err)
		defer db.Close()
		h.must(db.QueryRow("SELECT count(*), sum(length(sealed)) FROM event").Scan(&w.events, &sealed))
		h.must(db.QueryRow("SELECT count(*) FROM chat_message").Scan(&w.messages))
		h.must(db.QueryRow("SELECT length(data) FROM session").Scan(&w.session))
		return w, sealed
	}
	before, had := count("before.db")
	for range messages {
		h.say(id, "cards")
	}
	w, has := count("after.db")
	w.events, w.messages = w.events-before.events, w.messages-before.messages
	if w.events == 0 || w.messages != 3*messages {
		b.Fatalf("%d messages make %+v", messages, w)
	}
	w.event = int((has - had) / w.events)
	w.events, w.messages = w.events/messages, w.messages/messages
	return w
}

// floor writes rows for whoever asks, as many as are waiting in one transaction.
type floor struct {
	c     *sqlite3.SQLiteConn
	stmts map[string]*floorStmt
	one   writes
	ops   chan *floorOp
	over  chan struct{}
	n     int64
}

type floorStmt struct {
	s    *sqlite3.SQLiteStmt
	args []driver.NamedValue
}

type floorOp struct {
	conversation int64
	seq, event   int64 // its newest message and event
	done         chan error
}

const floorGroup = 256 // changes in a transaction at most, as in the store

func newFloor(b *testing.B, one writes, conversations int) *floor {
	b.Helper()
	p := storetest.NewPlace(b)
	path := filepath.Join(p.Dir, "floor.db")
	made, err := sqlite.Open(context.Background(), sqlite.Options{Path: path, Keys: p.Keys, Log: slog.New(slog.DiscardHandler), Now: p.Clock.Now})
	if err == nil {
		err = made.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	c, err := (&sqlite3.SQLiteDriver{}).Open("file:" + path + "?_mutex=no&_busy_timeout=5000&_foreign_keys=1&_journal_mode=WAL&_synchronous=FULL&_secure_delete=on")
	if err != nil {
		b.Fatal(err)
	}
	f := &floor{c: c.(*sqlite3.SQLiteConn), stmts: map[string]*floorStmt{}, one: one, ops: make(chan *floorOp, 1024), over: make(chan struct{})}
	b.Cleanup(func() {
		for _, s := range f.stmts {
			s.s.Close()
		}
		f.c.Close()
	})
	must := func(query string, args ...driver.Value) {
		if err := f.exec(query, args...); err != nil {
			b.Fatal(err)
		}
	}
	must("BEGIN")
	for n := range int64(conversations) {
		id := fmt.Sprintf("%026d", n+1)
		must("INSERT INTO customer (no, id, key, created) VALUES (?, ?, ?, 1)", n+1, id, bytes.Repeat([]byte{1}, 60))
		must(`INSERT INTO interaction (no, id, number, customer, entry, flow, flow_hash, lang, state, started, ended, outcome)
			VALUES (?, ?, ?, ?, 'chat:bank', 'f', 'h', 'en', 'open', 1, 0, '')`, n+1, id, id[:11]+id[20:], n+1)
		must(`INSERT INTO chat_conversation (no, id, channel, entry, interaction, leg, customer, lang, taken, ours, started, seen)
			VALUES (?, ?, 'chat', 'chat:bank', ?, ?, ?, 'en', 0, '', 1, 1)`, n+1, id, id, id, id)
	}
	must("COMMIT")
	go f.run()
	return f
}

func (f *floor) run() {
	defer close(f.over)
	var group []*floorOp
	for o := range f.ops {
		group = append(group[:0], o)
		for len(group) < floorGroup && len(f.ops) > 0 {
			group = append(group, <-f.ops)
		}
		err := f.exec("BEGIN IMMEDIATE")
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

// Contents of a row, as long as the true ones.
var (
	floorID   = "01JD3Z9Q8M4S6T0V2X5Y7A1B3C"
	floorHash = bytes.Repeat([]byte{7}, 32)
	floorData = bytes.Repeat([]byte{9}, 16384)
)

// write is the rows of one message and its answers.
func (f *floor) write(o *floorOp) error {
	for i := range f.one.events {
		f.n++
		err := f.exec(`INSERT INTO event (n, interaction, seq, at, kind, leg, actor, sealed, digest, hash, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			f.n, o.conversation, o.event+i+1, f.n<<40, "message.added", floorID, "flow", floorData[:f.one.event], floorHash, floorHash, floorHash)
		if err != nil {
			return err
		}
	}
	for i := range f.one.messages {
		seq := o.seq + i + 1
		var client driver.Value
		if i == 0 {
			client = fmt.Appendf(nil, "%016d", seq)
		}
		err := f.exec(`INSERT INTO chat_message (conversation, seq, rev, sender, state, interaction, event, client) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			o.conversation, seq, seq, "flow", "sent", floorID, o.event+i+1, client)
		if err != nil {
			return err
		}
	}
	seq := o.seq + f.one.messages
	if err := f.exec("UPDATE chat_conversation SET seq = ?, rev = ?, taken = ?, seen = ? WHERE no = ?", seq, seq, seq, f.n<<40, o.conversation); err != nil {
		return err
	}
	return f.exec(`INSERT INTO session (interaction, at, data, due) VALUES (?, ?, ?, ?)
		ON CONFLICT (interaction) DO UPDATE SET at = excluded.at, data = excluded.data, due = excluded.due`, o.conversation, f.n<<40, floorData[:f.one.session], f.n<<40)
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
		s.args[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	_, err := s.s.ExecContext(context.Background(), s.args)
	return err
}
