package check

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"tandem"
	"tandem/ivr/flow"
	"tandem/media/video"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a desk over a real database, with an interaction and all around it in the
// test's hands.
type house struct {
	*Desk
	t     testing.TB
	db    *sqlite.DB
	place storetest.Place
	call  storetest.Call
	who   tandem.CustomerID
	frame video.Frame
	log   *bytes.Buffer

	mu     sync.Mutex
	dark   error // what Still answers
	code   string
	codes  int
	send   error
	skills map[string]bool // nil = all may
	seen   bool
	ended  []Check
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, place: storetest.NewPlace(t), frame: keyframe(t), log: &bytes.Buffer{}, seen: true}
	h.openStore()
	h.call = storetest.NewCall(h.place.Clock.Now(), rand.Reader, "+8613800000001")
	c := h.call.Opening()
	h.must(h.db.Commit(t.Context(), c))
	h.who = c.Interaction.Customer
	h.restart(h.db)
	return h
}

func (h *house) openStore() {
	h.t.Helper()
	var err error
	h.db, err = sqlite.Open(h.t.Context(), sqlite.Options{Path: filepath.Join(h.place.Dir, "tandem.db"), Checkpoints: filepath.Join(h.place.Dir, "checkpoints"), Keys: h.place.Keys,
		Blobs: h.place.Blobs, Log: slog.New(slog.DiscardHandler), Now: h.place.Clock.Now})
	h.must(err)
	db := h.db
	h.t.Cleanup(func() { db.Close() })
}

// restart makes a new desk, as after a crash.
func (h *house) restart(s Store) {
	h.Desk = New(Options{
		Store: s, Blobs: h.place.Blobs, Sign: h.place.Keys.Evidence(), Now: h.place.Clock.Now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Still: func(ctx context.Context, in tandem.InteractionID) (video.Frame, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.frame, h.dark
		},
		SendCode: func(context.Context, Check) (string, string, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.codes++
			h.code = "246810"
			return "face-x", "•••01", h.send
		},
		CheckCode: func(_ context.Context, id, typed string) (bool, int, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			ok := typed == h.code && h.code != ""
			if ok {
				h.code = "" // worth one time
			}
			return ok, 2, nil
		},
		May: func(officer string, _ *flow.CheckPolicy) bool { return h.skills == nil || h.skills[officer] },
		Live: func(tandem.InteractionID) bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.seen
		},
		Decided: func(c Check) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.ended = append(h.ended, c)
		},
	})
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) order() Order {
	return Order{Key: "f/who#1", Interaction: h.call.ID, Customer: h.who, Leg: h.call.Leg, Policy: policy(false), By: "flow", Officer: "anna"}
}

// keyframe is the first frame of a VP8 file, a keyframe as a browser sends them.
func keyframe(t testing.TB) video.Frame {
	t.Helper()
	data, err := os.ReadFile("../../../media/video/testdata/small.ivf")
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint32(data[32:])
	return video.Frame{Key: true, Data: data[44 : 44+n]}
}

// photo is a JPEG as a page takes it.
func photo(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), 90, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// do is a command of the officer that has to go well.
func (h *house) do(c Check, do string, more ...func(*Command)) Check {
	h.t.Helper()
	in := Command{Check: c.ID, Do: do, Round: c.Round}
	if s := c.present(); s != nil {
		in.Step = s.Name
	}
	for _, f := range more {
		f(&in)
	}
	c, err := h.Do(h.t.Context(), c.Officer, in)
	h.must(err)
	return c
}

// step does what the check as it stands asks for next; the errors are the store's.
func (h *house) step(c Check) error {
	ctx := h.t.Context()
	s := c.present()
	var err error
	switch {
	case c.State == Asked:
		_, err = h.Consent(ctx, c.ID, "en", true)
	case c.State == Second:
		_, err = h.Second(ctx, "ben", c.ID, true, "")
	case !c.Cut.IsZero():
		err = h.Mended(ctx, c.Interaction)
	case s == nil:
		_, err = h.Do(ctx, "anna", Command{Check: c.ID, Do: "decide", Outcome: Passed, Reasons: []string{"same_person"}})
	case s.Kind == flow.CheckCode && (c.Code == nil || h.code == ""):
		_, err = h.Do(ctx, "anna", Command{Check: c.ID, Do: "resend_code", Step: s.Name})
	case s.Kind == flow.CheckCode:
		_, err = h.Customer(ctx, c.ID, Input{Do: "code", Text: " 246810 "})
	case (s.Kind == flow.CheckDocument || s.Kind == flow.CheckFace) && len(s.Stills) == 0:
		_, err = h.Do(ctx, "anna", Command{Check: c.ID, Do: "capture", Step: s.Name})
	case c.Capture != nil && !c.Capture.Page:
		_, err = h.PageStill(ctx, c.ID, s.Name, "FaceTime HD Camera", photo(h.t, 320, 240))
	default:
		_, err = h.Do(ctx, "anna", Command{Check: c.ID, Do: "done", Step: s.Name, Round: c.Round, Said: answers(&c, s)})
	}
	return err
}

func answers(c *Check, s *Step) map[string]any {
	said := map[string]any{}
	for i, q := range c.Policy.Step(s.Name).Questions {
		said[q.Called(i)] = "right"
	}
	for _, q := range c.Policy.Step(s.Name).Compare {
		said[q.Name] = "yes"
	}
	return said
}

// through goes on with a check until it has ended.
func (h *house) through(id tandem.CheckID) Check {
	h.t.Helper()
	for range 100 {
		c, err := h.Find(h.t.Context(), id)
		h.must(err)
		if c.State.Over() {
			return c
		}
		h.must(h.step(c))
	}
	h.t.Fatal("the check has no end")
	return Check{}
}

// journal is the check's events as the machine made them.
func (h *house) journal() []said {
	h.t.Helper()
	story, err := h.db.Interaction(h.t.Context(), string(h.call.ID))
	h.must(err)
	var out []said
	for _, e := range story.Events {
		var data any
		switch e.Kind {
		case tandem.EventConsent:
			data = read[tandem.Consent](h, e)
		case tandem.EventCheckBegun:
			data = read[tandem.CheckBegun](h, e)
		case tandem.EventCheckStep:
			data = read[tandem.CheckStep](h, e)
		case tandem.EventEvidence:
			data = read[tandem.Evidence](h, e)
		case tandem.EventCheckBroken:
			data = read[tandem.CheckBroken](h, e)
		case tandem.EventVerdict:
			data = read[tandem.Verdict](h, e)
		case tandem.EventIdentified:
			data = read[tandem.Identified](h, e)
		default:
			continue
		}
		if e.Leg != h.call.Leg {
			h.t.Errorf("%s of leg %s", e.Kind, e.Leg)
		}
		out = append(out, said{e.Kind, e.Actor, data})
	}
	return out
}

func read[T any](h *house, e tandem.Event) T {
	var v T
	if err := json.Unmarshal(e.Data, &v); err != nil {
		h.t.Fatalf("%s: %v", e.Kind, err)
	}
	return v
}

// right holds what is kept against itself: the journal bears the outcome, each still is
// there, is what was signed, and is signed.
func (h *house) right(c Check) {
	h.t.Helper()
	events := h.journal()
	if err := bears(c.Policy, events); err != nil {
		h.t.Errorf("the journal: %v", err)
	}
	public := h.place.Keys.Evidence().Public().(ed25519.PublicKey)
	stills := 0
	for _, e := range events {
		d, is := e.Data.(tandem.Evidence)
		if !is {
			continue
		}
		stills++
		r, ref, err := h.Look(h.t.Context(), c.ID, d.Blob, "auditor", "test")
		if err != nil {
			h.t.Errorf("still %s: %v", d.Blob, err)
			continue
		}
		data, err := io.ReadAll(r)
		r.Close()
		sum := sha256.Sum256(data)
		signature, _ := base64.StdEncoding.DecodeString(d.Signature)
		if err != nil || hex.EncodeToString(sum[:]) != d.Hash || !ed25519.Verify(public, []byte(d.Statement), signature) ||
			!bytes.Contains([]byte(d.Statement), []byte("\nhash "+d.Hash+"\n")) || ref.MediaType != d.MediaType {
			h.t.Errorf("still %s is not what was signed: %v", d.Blob, err)
		}
	}
	if stills != len(c.Kept) {
		h.t.Errorf("%d stills in the journal, the check has %d", stills, len(c.Kept))
	}
	if v, err := h.db.Verify(h.t.Context()); err != nil || !v.OK {
		h.t.Errorf("%+v %v", v, err)
	}
}

var errDead = errors.New("dead")

// mortal is a store that dies at one commit, before it is written or after.
type mortal struct {
	*sqlite.DB
	n, at atomic.Int64
	after bool
}

func (m *mortal) Commit(ctx context.Context, c *store.Change) error {
	n := m.n.Add(1)
	switch at := m.at.Load(); {
	case at > 0 && n > at, n == at && !m.after:
		return errDead
	case n == at:
		return errors.Join(m.DB.Commit(ctx, c), errDead)
	}
	return m.DB.Commit(ctx, c)
}
