package sqlite

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/store"
	"tandem/store/storetest"
)

// crashEnv makes the test binary a server that is to be killed.
const crashEnv = "TANDEM_STORE_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		crashing(dir)
		return
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func crashOptions(dir string) Options {
	master := make([]byte, store.KeySize)
	keys, err := store.NewKeyring(master)
	if err != nil {
		panic(err)
	}
	return Options{Path: filepath.Join(dir, "tandem.db"), Checkpoints: filepath.Join(dir, "checkpoints"), Keys: keys,
		Log: slog.New(slog.DiscardHandler), CheckpointEvery: 3 * time.Millisecond, Flush: 4 * time.Millisecond}
}

// crashing opens calls and changes them until it is killed, and prints each thing
// that was acknowledged.
func crashing(dir string) {
	db, err := Open(context.Background(), crashOptions(dir))
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	var print sync.Mutex
	say := func(args ...any) {
		print.Lock()
		defer print.Unlock()
		fmt.Println(args...)
	}
	for range 8 {
		go func() {
			for {
				call := storetest.NewCall(time.Now(), rand.Reader, fmt.Sprint("+", mathrand.IntN(5)))
				if err := db.Commit(context.Background(), call.Opening()); err != nil {
					say("failed", err)
				}
				say("opened", call.ID)
				for i := range 20 {
					db.Note(call.Event(time.Now(), tandem.EventInput, tandem.Pressed{Keys: fmt.Sprint(i)}))
					// One change in three tables, each of which counts.
					task := tandem.Task{ID: tandem.NewID[tandem.TaskID](time.Now(), rand.Reader), Interaction: call.ID, Kind: tandem.TaskCallback, State: tandem.TaskWaiting}
					c := &store.Change{Key: fmt.Sprint(call.ID, i), Tasks: []tandem.Task{task}, Events: []tandem.Event{
						call.Event(time.Now(), tandem.EventConsent, tandem.Consent{Kind: fmt.Sprint(i)}), call.Event(time.Now(), tandem.EventTaskOpened, task)},
						Outbox: []store.Outgoing{{Key: fmt.Sprint(call.ID, "-", i), Kind: "webhook"}}}
					if err := db.Commit(context.Background(), c); err != nil {
						say("failed", err)
					}
					say("changed", call.ID, i+1)
				}
				if err := db.Commit(context.Background(), call.Closing(time.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))); err != nil {
					say("failed", err)
				}
				say("closed", call.ID)
			}
		}()
	}
	select {}
}

// TestKill kills a server at random, again and again, over one database.
func TestKill(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	opened, changed, closed := map[string]bool{}, map[string]int{}, map[string]bool{}
	for round := range rounds {
		kill := 1 + mathrand.IntN(400)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == kill {
				cmd.Process.Kill()
			}
			var what, id string
			var count int
			fmt.Sscan(lines.Text(), &what, &id, &count)
			switch what {
			case "opened":
				opened[id] = true
			case "changed":
				changed[id] = count
			case "closed":
				closed[id] = true
			case "failed":
				t.Error(lines.Text())
			}
		}
		cmd.Wait()
		afterKill(t, dir, opened, changed, closed)
		if t.Failed() {
			t.Fatalf("in round %d, killed at line %d", round, kill)
		}
	}
	t.Logf("%d calls over %d kills", len(opened), rounds)
}

// afterKill looks whether all that was acknowledged is there, once, and whole, and
// closes what the crash left, as the server does.
func afterKill(t *testing.T, dir string, opened map[string]bool, changed map[string]int, closed map[string]bool) {
	db, err := Open(t.Context(), crashOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if v, err := db.Verify(t.Context()); err != nil || !v.OK {
		t.Fatalf("verdict %+v, %v", v, err)
	}
	unfinished, err := db.Unfinished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, u := range unfinished {
		left[string(u.Interaction.ID)] = true
	}
	list, err := db.List(t.Context(), store.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, sum := range list {
		id := string(sum.ID)
		there[id] = true
		s, err := db.Interaction(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		consents := 0
		for i, e := range s.Events {
			if e.Seq != uint64(i+1) {
				t.Errorf("%s: event %d has number %d", id, i+1, e.Seq)
			}
			if e.Kind == tandem.EventConsent {
				if want := fmt.Sprintf(`"kind":"%d"`, consents); !strings.Contains(string(e.Data), want) {
					t.Errorf("%s: change %d is %s", id, consents, e.Data)
				}
				consents++
			}
		}
		letters := 0
		if err := db.pool.QueryRow("SELECT count(*) FROM outbox o JOIN interaction i ON i.no = o.interaction WHERE i.id = ?", id).Scan(&letters); err != nil {
			t.Fatal(err)
		}
		if len(s.Tasks) != consents || letters != consents {
			t.Errorf("%s: half a change: %d events, %d tasks, %d letters", id, consents, len(s.Tasks), letters)
		}
		if consents < changed[id] {
			t.Errorf("%s: %d changes were acknowledged, %d are there", id, changed[id], consents)
		}
		if isClosed := !s.Interaction.Ended.IsZero(); isClosed == left[id] || (closed[id] && !isClosed) {
			t.Errorf("%s: closed %v, acknowledged as closed %v, unfinished %v", id, isClosed, closed[id], left[id])
		}
	}
	for id := range opened {
		if !there[id] && len(list) < 1000 {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
	for _, u := range unfinished {
		if len(u.Legs) != 1 {
			t.Fatalf("%s has %d open legs", u.Interaction.ID, len(u.Legs))
		}
		leg, crash := u.Legs[0], tandem.Terminate(tandem.BySystem, tandem.ReasonCrash)
		leg.Ended, leg.Termination = time.Now(), crash
		u.Interaction.State, u.Interaction.Ended = tandem.Closed, time.Now()
		commit(t, db, &store.Change{Interaction: &u.Interaction, Legs: []tandem.Leg{leg}, EndSession: true, Events: []tandem.Event{
			tandem.NewEvent(u.Interaction.ID, leg.ID, time.Now(), tandem.EventLegEnded, "system", crash)}})
		closed[string(u.Interaction.ID)] = true
	}
}
