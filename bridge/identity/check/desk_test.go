package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/media/video"
	"tandem/store"
)

func TestPassed(t *testing.T) {
	h := newHouse(t)
	var told []Check
	stop := h.Watch(func(c Check) { told = append(told, c) })
	defer stop()
	c, err := h.Begin(t.Context(), h.order())
	h.must(err)
	c = h.through(c.ID)
	if c.State != Passed || len(h.ended) != 1 || h.ended[0].ID != c.ID {
		t.Fatalf("%s, decided %d", c.State, len(h.ended))
	}
	h.right(c)
	for i, k := range told {
		if k.Version != int64(i+1) {
			t.Fatalf("version %d was told at place %d", k.Version, i)
		}
	}
	if level, until, ok := h.Granted(t.Context(), h.call.ID); !ok || level != tandem.Proofed || !until.Equal(c.Verdict.Until) {
		t.Errorf("%s until %s, %t", level, until, ok)
	}
	h.place.Clock.Add(31 * time.Minute)
	if _, _, ok := h.Granted(t.Context(), h.call.ID); ok {
		t.Error("the level holds for ever")
	}
	if _, open := h.Of(h.call.ID); open {
		t.Error("it is open still")
	}
	again, err := h.Begin(t.Context(), h.order()) // as the flow's driver asks after a crash
	if err != nil || again.ID != c.ID || again.State != Passed {
		t.Errorf("%v %v", again.ID, err)
	}
	if strings.Contains(h.log.String(), "246810") {
		t.Error("a code is in the log")
	}
}

// The stills: the server's is a PNG of the keyframe, the page's is encoded anew, bounded,
// and both name their camera.
func TestStills(t *testing.T) {
	h := newHouse(t)
	c, err := h.Begin(t.Context(), h.order())
	h.must(err)
	for c.present() == nil || c.present().Name != "front" {
		h.must(h.step(c))
		c, _ = h.Find(t.Context(), c.ID)
	}
	page := func(data []byte) (int, error) {
		return h.PageStill(t.Context(), c.ID, "front", "OBS Virtual Camera\n\x00", data)
	}
	if _, err := page(photo(t, 32, 24)); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("a still that nobody wanted: %v", err)
	}
	c = h.do(c, "capture")
	for name, data := range map[string][]byte{"text": []byte("hello"), "half": photo(t, 64, 64)[:300], "too many bytes": bytes.Repeat([]byte{0xff, 0xd8}, maxUpload), "none": nil,
		"too many pixels": huge(t)} {
		if _, err := page(data); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.PageStill(t.Context(), c.ID, "look", "", photo(t, 32, 24)); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("another step's: %v", err)
	}
	hidden := append(photo(t, 5000, 200), []byte("hidden in the file")...)
	if n, err := page(hidden); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if _, err := page(hidden); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("the same once more: %v", err)
	}
	c, _ = h.Find(t.Context(), c.ID)
	stills := c.step("front").Stills
	if len(stills) != 2 || stills[0].Source != "server" || stills[1].Source != "page" || !c.Virtual || c.Camera != "OBS Virtual Camera" {
		t.Fatalf("%+v, camera %q", stills, c.Camera)
	}
	open := func(id tandem.BlobID) []byte {
		r, ref, err := h.Look(t.Context(), c.ID, id, "anna", "check")
		h.must(err)
		defer r.Close()
		data, err := io.ReadAll(r)
		h.must(err)
		if ref.Interaction != h.call.ID {
			t.Error(ref)
		}
		return data
	}
	if img, err := png.Decode(bytes.NewReader(open(stills[0].Blob))); err != nil || img.Bounds().Dx() != stills[0].Width || img.Bounds().Dy() != stills[0].Height {
		t.Error(err)
	}
	kept := open(stills[1].Blob)
	if img, err := jpeg.Decode(bytes.NewReader(kept)); err != nil || img.Bounds().Dx() != maxSide || stills[1].Width != maxSide || bytes.Contains(kept, []byte("hidden")) {
		t.Error(err)
	}
	looks := 0
	story, err := h.db.Interaction(t.Context(), string(h.call.ID))
	h.must(err)
	for _, e := range story.Events {
		if e.Kind == tandem.EventBlobOpened && e.Actor == "anna" {
			looks++
		}
		if e.Kind == tandem.EventEvidence {
			d := read[tandem.Evidence](h, e)
			for _, line := range []string{"\nofficer \"anna\"\n", "\nround 1\n", "\nstep front\n", "\nsource " + d.Source + "\n", "\ninteraction " + string(h.call.ID) + "\n", "\ncheck " + string(c.ID) + "\n"} {
				if !strings.Contains(d.Statement, line) {
					t.Errorf("the statement lacks %q:\n%s", line, d.Statement)
				}
			}
			if virtual := strings.HasSuffix(d.Statement, "\ncamera \"OBS Virtual Camera\"\ncamera_hint virtual\n"); virtual != (d.Source == "page") {
				t.Errorf("%s", d.Statement)
			}
		}
	}
	if looks != 2 {
		t.Errorf("%d looks in the journal", looks)
	}
	if _, _, err := h.Look(t.Context(), c.ID, "06h0f8hig3moi0efio3rg5jqe8", "anna", "x"); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
}

// huge says of itself that it has more pixels than anybody may decode.
func huge(t *testing.T) []byte {
	data := photo(t, 64, 64)
	at := bytes.Index(data, []byte{0xff, 0xc0})
	copy(data[at+5:], []byte{0xff, 0xf0, 0xff, 0xf0})
	return data
}

// A dark camera gives no still, in words, and nothing is lost.
func TestDark(t *testing.T) {
	h := newHouse(t)
	c, err := h.Begin(t.Context(), h.order())
	h.must(err)
	for c.present() == nil || c.present().Name != "front" {
		h.must(h.step(c))
		c, _ = h.Find(t.Context(), c.ID)
	}
	in := Command{Check: c.ID, Do: "capture", Step: "front"}
	for _, dark := range []error{video.ErrDark, nil} {
		h.dark, h.frame = dark, video.Frame{Key: true, Data: []byte("nonsense")}
		if _, err := h.Do(t.Context(), "anna", in); tandem.CodeOf(err) != tandem.CodeUnavailable {
			t.Error(err)
		}
	}
	h.frame = keyframe(t)
	if c, err = h.Do(t.Context(), "anna", in); err != nil || len(c.step("front").Stills) != 1 {
		t.Error(err)
	}
}

// Who may do what.
func TestOfficers(t *testing.T) {
	h := newHouse(t)
	h.skills = map[string]bool{"anna": true, "ben": true}
	o := h.order()
	o.By, o.Officer = "dan", "dan"
	if _, err := h.Begin(t.Context(), o); tandem.CodeOf(err) != tandem.CodeForbidden {
		t.Error(err)
	}
	o.By = "flow" // nobody who may has the customer yet
	o.Policy.SecondOfficer = true
	c, err := h.Begin(t.Context(), o)
	h.must(err)
	if c.Officer != "" {
		t.Fatal(c.Officer)
	}
	_, err = h.Consent(t.Context(), c.ID, "en", true)
	h.must(err)
	for _, who := range []string{"", "dan", "anna"} {
		if _, err := h.Do(t.Context(), who, Command{Check: c.ID, Do: "abort"}); tandem.CodeOf(err) != tandem.CodeForbidden {
			t.Errorf("%q: %v", who, err)
		}
	}
	h.must(h.Officer(t.Context(), h.call.ID, "dan"))
	if c, _ = h.Of(h.call.ID); c.Officer != "" {
		t.Error("one who may not is the officer")
	}
	h.must(h.Officer(t.Context(), h.call.ID, "anna"))
	for c, _ = h.Of(h.call.ID); c.State != Second; c, _ = h.Of(h.call.ID) {
		h.must(h.step(c))
	}
	for _, who := range []string{"", "anna", "dan"} {
		if _, err := h.Second(t.Context(), who, c.ID, true, ""); tandem.CodeOf(err) != tandem.CodeForbidden {
			t.Errorf("%q: %v", who, err)
		}
	}
	if c = h.through(c.ID); c.State != Passed || c.Verdict.Second != "ben" {
		t.Errorf("%+v", c.Verdict)
	}
	h.right(c)
}

// One check of an interaction at a time.
func TestOneAtATime(t *testing.T) {
	h := newHouse(t)
	var wg sync.WaitGroup
	ids := make([]tandem.CheckID, 8)
	for i := range ids {
		wg.Go(func() {
			c, err := h.Begin(context.Background(), h.order())
			if err != nil {
				t.Error(err)
			}
			ids[i] = c.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatal(ids)
		}
	}
	other := h.order()
	other.Key, other.Policy = "f/other#1", policy(false)
	other.Policy.Name = "another"
	if _, err := h.Begin(t.Context(), other); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Error(err)
	}
	h.must(h.Gone(t.Context(), h.call.ID))
	if _, err := h.Begin(t.Context(), other); err != nil {
		t.Error(err)
	}
	for _, bad := range []func(*Order){
		func(o *Order) { o.Policy = nil }, func(o *Order) { o.Policy.Steps = nil }, func(o *Order) { o.Policy.Consent.Version = "" }, func(o *Order) { o.Policy.Level = tandem.None },
		func(o *Order) { o.Policy.Grants = 0 }, func(o *Order) { o.Policy.Interruption = 0 }, func(o *Order) { o.Policy.Steps[1].Name = "code" },
		func(o *Order) { o.Interaction = "06h0f8hig3moi0efio3rg5jqe8" },
	} {
		o := h.order()
		o.Key = ""
		bad(&o)
		if _, err := h.Begin(t.Context(), o); err == nil || tandem.CodeOf(err) == tandem.CodeInternal {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// Wrong codes, none left, none to be sent.
func TestCodes(t *testing.T) {
	h := newHouse(t)
	c, err := h.Begin(t.Context(), h.order())
	h.must(err)
	if _, err := h.Customer(t.Context(), c.ID, Input{Do: "code", Text: "246810"}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("before the consent: %v", err)
	}
	if h.codes != 0 {
		t.Fatal("a code was sent before the consent")
	}
	c, err = h.Consent(t.Context(), c.ID, "en", true)
	h.must(err)
	if c.Code == nil || c.Code.To != "•••01" || h.codes != 1 {
		t.Fatalf("%+v", c.Code)
	}
	if c, err = h.Customer(t.Context(), c.ID, Input{Do: "code", Text: "111111"}); !errors.Is(err, ErrWrongCode) || c.Code.Left != 2 {
		t.Errorf("%v %+v", err, c.Code)
	}
	for want, send := range map[string]error{"none": fmt.Errorf("x: %w", ErrNowhere), "limit": ErrLimit, "failed": errors.New("x")} {
		h.send = send
		if c = h.do(c, "resend_code"); c.Code.Trouble != want {
			t.Errorf("%+v, want %s", c.Code, want)
		}
		if _, err := h.Customer(t.Context(), c.ID, Input{Do: "code", Text: "246810"}); err == nil {
			t.Error("a code that was not sent is right")
		}
	}
	if c, err = h.Customer(t.Context(), c.ID, Input{Do: "stop"}); err != nil || c.State != Declined || len(h.ended) != 1 {
		t.Error(c.State, err)
	}
	if _, err := h.Customer(t.Context(), c.ID, Input{Do: "pass"}); tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Error(err)
	}
}

// A program that ends in mid-check voids the round; the check goes on once the customer is
// back, or ends when they are not in a quarter of an hour.
func TestRestart(t *testing.T) {
	for _, back := range []bool{true, false} {
		h := newHouse(t)
		c, err := h.Begin(t.Context(), h.order())
		h.must(err)
		for c.present() == nil || c.present().Name != "look" {
			h.must(h.step(c))
			c, _ = h.Find(t.Context(), c.ID)
		}
		h.must(h.db.Close())
		h.openStore()
		h.seen = false
		h.restart(h.db)
		h.must(h.Sweep(t.Context()))
		c, ok := h.Of(h.call.ID)
		if !ok || c.State != Broken || len(c.Voided) != 1 || c.Voided[0].Why != "restart" {
			t.Fatalf("%t %s %+v", ok, c.State, c.Voided)
		}
		if back {
			h.must(h.Mended(t.Context(), h.call.ID))
			if c, _ = h.Of(h.call.ID); c.State != Running || c.Round != 2 || c.present().Name != "ask" { // the code stays
				t.Fatalf("%s, round %d", c.State, c.Round)
			}
			c = h.through(c.ID)
			h.right(c)
			continue
		}
		h.place.Clock.Add(LostFor)
		h.must(h.Sweep(t.Context()))
		if c, err = h.Find(t.Context(), c.ID); err != nil || c.State != Stopped || c.Verdict.Reasons[0] != "lost" || len(h.ended) != 1 {
			t.Errorf("%s %v", c.State, err)
		}
	}
}

// Run does by itself what Sweep does.
func TestRun(t *testing.T) {
	h := newHouse(t)
	c, err := h.Begin(t.Context(), h.order())
	h.must(err)
	over := make(chan struct{})
	h.Watch(func(c Check) {
		if c.State.Over() {
			close(over)
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	h.place.Clock.Add(AskedFor)
	<-over
	stop()
	<-done
	if c, err = h.Find(t.Context(), c.ID); err != nil || c.State != Stopped {
		t.Error(c.State, err)
	}
}

// Wherever the program dies, before a commit or after one, the check ends right when it goes
// on: one consent, one verdict, and stills that are what was signed.
func TestCrashAtEveryCommit(t *testing.T) {
	play := func(t *testing.T, at int64, after bool) int64 {
		h := newHouse(t)
		m := &mortal{DB: h.db, after: after}
		m.at.Store(at)
		h.restart(m)
		var commits int64
		alive := func(err error) bool {
			commits = max(commits, m.n.Load())
			if errors.Is(err, errDead) {
				m = &mortal{DB: h.db}
				h.seen = false
				h.restart(m)
				return false
			}
			return true
		}
		o := h.order()
		o.Policy.SecondOfficer = true
		var c Check
		for range 200 {
			var err error
			if c, err = h.Begin(t.Context(), o); !alive(err) {
				continue
			}
			h.must(err)
			if c.State.Over() {
				break
			}
			err = h.step(c)
			if alive(err) && err != nil && tandem.CodeOf(err) != tandem.CodeConflict && !errors.Is(err, ErrWrongCode) {
				t.Fatal(err)
			}
		}
		if c.State != Passed || c.Verdict.Second != "ben" {
			t.Fatalf("%s in round %d: %+v", c.State, c.Round, c.Verdict)
		}
		h.right(c)
		count := map[string]int{}
		for _, e := range h.journal() {
			switch d := e.Data.(type) {
			case tandem.Consent:
				count["consent"]++
			case tandem.Verdict:
				count["verdict"]++
			case tandem.Identified:
				count["identified "+d.Outcome]++
			case tandem.CheckBegun:
				count[fmt.Sprint("begun ", d.Round)]++
			}
		}
		if count["consent"] != 1 || count["verdict"] != 1 || count["identified passed"] != 1 || count["begun 1"] != 1 {
			t.Errorf("%v", count)
		}
		return commits
	}
	commits := play(t, 0, false)
	if commits < 12 {
		t.Fatal(commits)
	}
	for at := int64(1); at <= commits; at++ {
		for _, after := range []bool{false, true} {
			if testing.Short() && at%4 != 0 {
				continue
			}
			t.Run(fmt.Sprintf("commit %d, written %t", at, after), func(t *testing.T) {
				t.Parallel()
				play(t, at, after)
			})
		}
	}
}

// Erasing the person takes the state, the stills and the check with it; the journal
// verifies.
func TestErased(t *testing.T) {
	for _, open := range []bool{true, false} {
		h := newHouse(t)
		c, err := h.Begin(t.Context(), h.order())
		h.must(err)
		for c.present() == nil || c.present().Name != "look" {
			h.must(h.step(c))
			c, _ = h.Find(t.Context(), c.ID)
		}
		if !open {
			c = h.through(c.ID)
		}
		still := c.Kept[0]
		h.must(h.db.Erase(t.Context(), h.who, "operator", "asked for"))
		if open {
			if err := h.Mended(t.Context(), h.call.ID); err != nil {
				t.Error(err)
			}
			if _, err := h.Do(t.Context(), "anna", Command{Check: c.ID, Do: "skip", Step: "look"}); tandem.CodeOf(err) != tandem.CodeNotFound {
				t.Error(err)
			}
			if len(h.ended) != 1 || h.ended[0].State != Stopped || h.ended[0].Verdict.Reasons[0] != "erased" {
				t.Errorf("%+v", h.ended)
			}
		}
		if _, err := h.Find(t.Context(), c.ID); tandem.CodeOf(err) != tandem.CodeNotFound {
			t.Error(err)
		}
		r, err := h.db.Check(t.Context(), c.ID)
		if err != nil || r.Data != nil || r.Policy != "face" {
			t.Errorf("%+v %v", r, err)
		}
		if _, _, err := h.db.OpenBlob(t.Context(), still, "anna", "x"); !errors.Is(err, store.ErrErased) {
			t.Error(err)
		}
		if v, err := h.db.Verify(t.Context()); err != nil || !v.OK {
			t.Errorf("%+v %v", v, err)
		}
		h.restart(h.db)
		h.must(h.Sweep(t.Context()))
		if len(h.Open()) != 0 {
			t.Error("an erased customer's check is open")
		}
	}
}

// A commit of which nobody knows whether it was written: the desk looks before it goes on.
func TestUnknownCommit(t *testing.T) {
	for _, after := range []bool{false, true} {
		h := newHouse(t)
		m := &mortal{DB: h.db, after: after}
		h.restart(m)
		c, err := h.Begin(t.Context(), h.order())
		h.must(err)
		m.at.Store(m.n.Load() + 1)
		if _, err := h.Consent(t.Context(), c.ID, "en", true); !errors.Is(err, errDead) {
			t.Fatal(err)
		}
		m.at.Store(0)
		c, err = h.Consent(t.Context(), c.ID, "en", true) // pressed again
		if err != nil || c.State != Running || len(c.Voided) != 0 || c.Version < 2 {
			t.Errorf("written %t: %s, %+v, %v", after, c.State, c.Voided, err)
		}
		if after {
			h.do(c, "resend_code") // none was sent
		}
		h.right(h.through(c.ID))
	}
}

// Stills are kept for as long as the policy says, whatever others are; then nobody sees them
// any more, and the check and the journal stay.
func TestRetention(t *testing.T) {
	h := newHouse(t)
	o := h.order()
	o.Policy.KeepEvidence = time.Hour
	c, err := h.Begin(t.Context(), o)
	h.must(err)
	c = h.through(c.ID)
	keep := map[string]time.Duration{store.ClassEvidence: time.Minute, store.ClassPicture: time.Minute}
	h.place.Clock.Add(50 * time.Minute)
	if n, err := h.db.Dispose(t.Context(), h.place.Clock.Now(), keep); err != nil || n != 0 {
		t.Fatalf("%d are gone early, %v", n, err)
	}
	h.place.Clock.Add(20 * time.Minute)
	if n, err := h.db.Dispose(t.Context(), h.place.Clock.Now(), keep); err != nil || n != len(c.Kept) || n == 0 {
		t.Fatalf("%d of %d are gone, %v", n, len(c.Kept), err)
	}
	for _, id := range c.Kept {
		if _, _, err := h.Look(t.Context(), c.ID, id, "anna", "x"); !errors.Is(err, store.ErrErased) && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("still %s: %v", id, err)
		}
	}
	if again, err := h.Find(t.Context(), c.ID); err != nil || again.State != Passed {
		t.Errorf("%s %v", again.State, err)
	}
	if v, err := h.db.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("%+v %v", v, err)
	}
}
