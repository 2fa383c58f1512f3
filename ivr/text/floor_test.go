package text

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/mattn/go-sqlite3"

	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// BenchmarkSayFloor is what SQLite alone does with the writes of BenchmarkSay: as many
// rows of the same size in the same tables, in transactions that many share, durable, by
// prepared statements on one connection. Nothing is read, sealed, hashed or decided.
func BenchmarkSayFloor(b *testing.B) {
	one := measured(b)
	f := newFloor(b, one)
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32) // as BenchmarkSay
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		conversation := next.Add(1)
		seq := int64(0)
		for pb.Next() {
			o := &floorOp{conversation: conversation, seq: seq, done: make(chan error, 1)}
			f.ops <- o
			if err := <-o.done; err != nil {
				b.Error(err)
				return
			}
			seq += one.messages
		}
	})
	b.StopTimer()
	close(f.ops)
	<-f.over
	b.ReportMetric(3*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// writes are the rows that one message of BenchmarkSay makes.
type writes struct {
	events, messages int64
	event, session   int // bytes of what is sealed in each
}

// measured runs messages and counts what is in the tables afterwards.
func measured(b *testing.B) writes {
	b.Helper()
	const messages = 100
	h := newHouse(b, pick)
	id := h.chat()
	h.must(h.d.Open(context.Background(), id))
	count := func() (w writes) {
		h.must(h.db.Backup(context.Background(), filepath.Join(h.place.Dir, "copy.db")))
		db, err := sql.Open("sqlite3", "file:"+filepath.Join(h.place.Dir, "copy.db")+"?mode=ro")
		h.must(err)
		defer db.Close()
		var event, session float64
		h.must(db.QueryRow("SELECT count(*), avg(length(sealed)) FROM event").Scan(&w.events, &event))
		h.must(db.QueryRow("SELECT count(*) FROM chat_message").Scan(&w.messages))
		h.must(db.QueryRow("SELECT avg(length(data)) FROM session").Scan(&session))
		w.event, w.session = int(event), int(session)
		return w
	}
	before := count()
	for i := range messages {
		_, err := h.d.Say(context.Background(), id, Said{Text: "cards", Client: fmt.Sprint(i)})
		h.must(err)
	}
	w := count()
	w.events, w.messages = (w.events-before.events)/messages, (w.messages-before.messages)/messages
	if w.events == 0 || w.messages == 0 {
		b.Fatalf("a message makes %+v", w)
	}
	return w
}

// floor writes rows for whoever asks, as many as are waiting in one transaction.
type floor struct {
	c     *sqlite3.SQLiteConn
	stmts map[string]driver.Stmt
	one   writes
	ops   chan *floorOp
	over  chan struct{}
	n     int64
}

type floorOp struct {
	conversation, seq int64
	done              chan error
}

const floorGroup = 64 // ops in a transaction at most, as many as wait at once

func newFloor(b *testing.B, one writes) *floor {
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
	c, err := (&sqlite3.SQLiteDriver{}).Open("file:" + path + "?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&_secure_delete=on")
	if err != nil {
		b.Fatal(err)
	}
	f := &floor{c: c.(*sqlite3.SQLiteConn), stmts: map[string]driver.Stmt{}, one: one, ops: make(chan *floorOp, floorGroup), over: make(chan struct{})}
	b.Cleanup(func() {
		for _, s := range f.stmts {
			s.Close()
		}
		f.c.Close()
	})
	for n := range int64(4096) { // the conversations there are
		must := func(query string, args ...driver.Value) {
			if err := f.exec(query, args...); err != nil {
				b.Fatal(err)
			}
		}
		id := fmt.Sprintf("%026d", n+1)
		must("INSERT INTO customer (no, id, key, created) VALUES (?, ?, ?, 1)", n+1, id, bytes.Repeat([]byte{1}, 60))
		must(`INSERT INTO interaction (no, id, number, customer, entry, flow, flow_hash, lang, state, started, ended, outcome)
			VALUES (?, ?, ?, ?, 'chat:bank', 'f', 'h', 'en', 'open', 1, 0, '')`, n+1, id, id[:11]+id[20:], n+1)
		must(`INSERT INTO chat_conversation (no, id, channel, entry, interaction, leg, customer, lang, taken, ours, started, seen)
			VALUES (?, ?, 'chat', 'chat:bank', ?, ?, ?, 'en', 0, '', 1, 1)`, n+1, id, id, id, id)
	}
	go f.run()
	return f
}

func (f *floor) run() {
	defer close(f.over)
	for o := range f.ops {
		group := []*floorOp{o}
		for len(group) < floorGroup {
			select {
			case more, open := <-f.ops:
				if open {
					group = append(group, more)
					continue
				}
			default:
			}
			break
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

// write is the rows of one message and its answers.
func (f *floor) write(o *floorOp) error {
	id := fmt.Sprintf("%026d", o.conversation)
	for range f.one.events {
		f.n++
		err := f.exec(`INSERT INTO event (n, interaction, seq, at, kind, leg, actor, sealed, digest, hash, chain) VALUES (?, ?, ?, ?, 'message.added', ?, 'flow', ?, ?, ?, ?)`,
			f.n, o.conversation, f.n, f.n, id, make([]byte, f.one.event), make([]byte, 32), make([]byte, 32), make([]byte, 32))
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
		err := f.exec(`INSERT INTO chat_message (conversation, seq, rev, sender, state, interaction, event, client) VALUES (?, ?, ?, 'flow', 'sent', ?, ?, ?)`,
			o.conversation, seq, seq, id, f.n, client)
		if err == nil {
			err = f.exec("UPDATE chat_conversation SET seq = ?, rev = ?, seen = max(seen, ?) WHERE no = ?", seq, seq, int64(1), o.conversation)
		}
		if err != nil {
			return err
		}
	}
	if err := f.exec("UPDATE chat_conversation SET interaction = ?, taken = max(taken, ?) WHERE id = ?", id, o.seq, id); err != nil {
		return err
	}
	return f.exec(`INSERT INTO session (interaction, at, data, due) VALUES (?, ?, ?, ?)
		ON CONFLICT (interaction) DO UPDATE SET at = excluded.at, data = excluded.data, due = excluded.due`, o.conversation, f.n, make([]byte, f.one.session), f.n)
}

func (f *floor) exec(query string, args ...driver.Value) error {
	s := f.stmts[query]
	if s == nil {
		var err error
		if s, err = f.c.Prepare(query); err != nil {
			return err
		}
		f.stmts[query] = s
	}
	_, err := s.Exec(args)
	return err
}
