package pack_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/bridge/identity/check/pack"
	"tandem/ivr/flow"
	"tandem/media/video"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

const policyText = "check: face\nlevel: proofed\n"

// passed is a check that was passed, in a store of its own.
func passed(t testing.TB) (pack.Source, *sqlite.DB, storetest.Place) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	place := storetest.NewPlace(t)
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(place.Dir, "tandem.db"), Keys: place.Keys, Blobs: place.Blobs, Log: slog.New(slog.DiscardHandler), Now: place.Clock.Now})
	must(err)
	t.Cleanup(func() { db.Close() })
	call := storetest.NewCall(place.Clock.Now(), rand.Reader, "+8613800000001")
	opening := call.Opening()
	must(db.Commit(t.Context(), opening))
	film, err := os.ReadFile("../../../../media/video/testdata/small.ivf")
	must(err)
	frame := film[44 : 44+binary.LittleEndian.Uint32(film[32:])]
	sum := sha256.Sum256([]byte(policyText))
	policy := &flow.CheckPolicy{Name: "face", Level: tandem.Proofed, Grants: time.Minute, Interruption: time.Second, Hash: hex.EncodeToString(sum[:]), Text: policyText,
		Consent: flow.CheckConsent{Version: "1", Text: map[string]string{"en": "We take pictures <of you> & your card."}},
		Steps:   []flow.CheckPolicyStep{{Name: "front", Kind: flow.CheckDocument}, {Name: "look", Kind: flow.CheckFace}}}
	desk := check.New(check.Options{Store: db, Blobs: place.Blobs, Sign: place.Keys.Evidence(), Now: place.Clock.Now, Random: rand.Reader,
		Still: func(context.Context, tandem.InteractionID) (video.Frame, error) {
			return video.Frame{Key: true, Data: frame}, nil
		}})
	c, err := desk.Begin(t.Context(), check.Order{Interaction: call.ID, Customer: opening.Interaction.Customer, Leg: call.Leg, Policy: policy, By: "flow", Officer: "anna"})
	must(err)
	_, err = desk.Consent(t.Context(), c.ID, "en", true)
	must(err)
	var photo bytes.Buffer
	must(jpeg.Encode(&photo, image.NewRGBA(image.Rect(0, 0, 320, 200)), nil))
	for _, step := range []string{"front", "look"} {
		_, err = desk.Do(t.Context(), "anna", check.Command{Check: c.ID, Do: "capture"})
		must(err)
		_, err = desk.PageStill(t.Context(), c.ID, step, "Camera", photo.Bytes())
		must(err)
		_, err = desk.Do(t.Context(), "anna", check.Command{Check: c.ID, Do: "done", Step: step})
		must(err)
	}
	c, err = desk.Do(t.Context(), "anna", check.Command{Check: c.ID, Do: "decide", Outcome: check.Passed})
	must(err)
	must(db.Commit(t.Context(), &store.Change{Events: []tandem.Event{call.Event(place.Clock.Now(), tandem.EventNoted, tandem.Noted{Text: "nobody else's business"})}}))
	links, err := db.Links(t.Context(), call.ID)
	must(err)
	return pack.Source{Check: c.ID, Interaction: c.Interaction, Policy: policy.Name, PolicyHash: policy.Hash, PolicyText: policy.Text, State: string(c.State),
		Officer: c.Officer, Begun: c.Begun, Ended: c.Ended, Links: links, Sign: place.Keys.Evidence(), By: "auditor", Why: "audit", Made: place.Clock.Now(),
		Open: func(id tandem.BlobID) (io.ReadCloser, error) {
			r, _, err := db.OpenBlob(context.Background(), id, "auditor", "audit")
			return r, err
		}}, db, place
}

func written(t testing.TB, s pack.Source) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pack.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verified(t testing.TB, data []byte, key ed25519.PublicKey) pack.Report {
	t.Helper()
	r, err := pack.Verify(bytes.NewReader(data), key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPack(t *testing.T) {
	s, _, place := passed(t)
	key := place.Keys.Evidence().Public().(ed25519.PublicKey)
	data := written(t, s)
	if !bytes.Equal(data, written(t, s)) {
		t.Error("the same pack is other bytes")
	}
	r := verified(t, data, key)
	if !r.OK || !r.Pinned || !r.Passed || len(r.Notes) != 0 || len(r.Manifest.Stills) != 4 || r.Manifest.Events != len(s.Links) {
		t.Fatalf("%+v", r)
	}
	if r := verified(t, data, nil); !r.OK || r.Pinned || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], pack.Fingerprint(key)) {
		t.Errorf("%+v", r)
	}
	stranger, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if r := verified(t, data, stranger); r.OK || r.Pinned {
		t.Error("another server's key is as good")
	}
	if bytes.Contains(data, []byte("nobody else's business")) || bytes.Contains(data, []byte("+86138")) {
		t.Error("the pack tells more than the check")
	}
	encoded := base64.StdEncoding.EncodeToString(key)
	for _, text := range []string{encoded, hex.EncodeToString(key), string(inside(t, data)["public-key.pem"])} {
		if got, err := pack.ReadKey(" " + text + "\n"); !strings.HasPrefix(text, "-----") && (err != nil || !got.Equal(key)) {
			t.Errorf("%s: %v", text, err)
		}
		if got, err := pack.ReadKey(text); err != nil || !got.Equal(key) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := pack.ReadKey("abc"); tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Error(err)
	}
}

func inside(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out
}

// Whatever byte of a pack is another, wherever it is, the pack does not verify.
func TestEveryByte(t *testing.T) {
	s, _, place := passed(t)
	key := place.Keys.Evidence().Public().(ed25519.PublicKey)
	data := written(t, s)
	every := len(data)/2500 + 1
	tried := 0
	for at := 0; at < len(data); at++ {
		text := at < 200 || at > len(data)-1500
		if !text && at%every != 0 {
			continue
		}
		tried++
		changed := bytes.Clone(data)
		changed[at] ^= byte(1 << (at % 8))
		if r := verified(t, changed, key); r.OK {
			t.Fatalf("byte %d of %d is another and nobody notices", at, len(data))
		}
	}
	for _, cut := range []int{0, 1, 100, len(data) / 2, len(data) - 1} {
		if r := verified(t, data[:cut], key); r.OK {
			t.Errorf("cut off at %d it verifies", cut)
		}
	}
	if r := verified(t, append(bytes.Clone(data), 0), key); r.OK {
		t.Error("a byte more goes unnoticed")
	}
	t.Logf("%d of %d bytes", tried, len(data))
}

// Who changes files and everything above them, but has not the server's key, is found out
// too: by the chain, the statements, and the key.
func TestForgeries(t *testing.T) {
	s, _, place := passed(t)
	key := place.Keys.Evidence().Public().(ed25519.PublicKey)
	_, own, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := s
	other.Sign = own // the whole of it signed anew: the key is another, and the statements are not signed by it
	if r := verified(t, written(t, other), key); r.OK {
		t.Error("signed by somebody else it verifies")
	}
	if r := verified(t, written(t, other), nil); r.OK {
		t.Error("statements of another key verify")
	}
	forged := map[string]func(*pack.Source){
		"an event left out": func(s *pack.Source) { s.Links = append(s.Links[:3:3], s.Links[4:]...) },
		"the last event left out, and the verdict with it": func(s *pack.Source) { s.Links = s.Links[:len(s.Links)-3] },
		"another time":  func(s *pack.Source) { s.Links[4].At = s.Links[4].At.Add(time.Second) },
		"another actor": func(s *pack.Source) { s.Links[4].Actor = "ben" },
		"another payload": func(s *pack.Source) {
			l := &s.Links[len(s.Links)-3]
			l.Data = bytes.Replace(l.Data, []byte("anna"), []byte("xena"), 1)
		},
		"another outcome":  func(s *pack.Source) { s.State = "failed" },
		"another policy":   func(s *pack.Source) { s.PolicyText += "second_officer: false\n" },
		"another hash":     func(s *pack.Source) { s.PolicyHash = strings.Repeat("00", 32) },
		"another check":    func(s *pack.Source) { s.Check = "06h0f8hig3moi0efio3rg5jqe8" },
		"another business": func(s *pack.Source) { s.Interaction = "06h0f8hig3moi0efio3rg5jqe8" },
		"another picture": func(s *pack.Source) {
			open := s.Open
			s.Open = func(id tandem.BlobID) (io.ReadCloser, error) {
				r, err := open(id)
				if err != nil {
					return nil, err
				}
				defer r.Close()
				data, err := io.ReadAll(r)
				return io.NopCloser(bytes.NewReader(append(data, 0))), err
			}
		},
	}
	for name, forge := range forged { // by who has the server's key: what was written cannot be altered
		f := s
		f.Links = append([]store.Link{}, s.Links...)
		forge(&f)
		if r := verified(t, written(t, f), key); r.OK && name != "another check" {
			t.Errorf("%s goes unnoticed", name)
		} else if name == "another check" && (r.Passed || len(r.Manifest.Stills) != 0) {
			t.Errorf("%s has what is not its own", name)
		}
	}
}

// Stills that retention has removed are named as missing; the rest verifies.
func TestMissing(t *testing.T) {
	s, _, place := passed(t)
	open, n := s.Open, 0
	s.Open = func(id tandem.BlobID) (io.ReadCloser, error) {
		if n++; n == 2 {
			return nil, store.ErrNotFound
		}
		return open(id)
	}
	r := verified(t, written(t, s), place.Keys.Evidence().Public().(ed25519.PublicKey))
	if !r.OK || len(r.Manifest.Missing) != 1 || len(r.Manifest.Stills) != 3 || len(r.Notes) != 1 {
		t.Errorf("%+v", r)
	}
}

// A pack verifies with what others have: OpenSSL and unzip's library.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIP: needs openssl")
	}
	s, _, _ := passed(t)
	dir := t.TempDir()
	names := []string{"manifest"}
	for name, data := range inside(t, written(t, s)) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if base, ok := strings.CutSuffix(name, ".sig"); ok && base != "manifest" {
			names = append(names, base)
		}
	}
	for _, name := range names {
		in := name + ".txt"
		if name == "manifest" {
			in = "manifest.json"
		}
		cmd := exec.Command(openssl, "pkeyutl", "-verify", "-pubin", "-inkey", "public-key.pem", "-rawin", "-in", in, "-sigfile", name+".sig")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
	var m pack.Manifest
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil || json.Unmarshal(data, &m) != nil || len(names) != len(m.Stills)+1 {
		t.Errorf("%d signatures, %d stills, %v", len(names), len(m.Stills), err)
	}
}

func FuzzVerify(f *testing.F) {
	s, _, _ := passed(f)
	data := written(f, s)
	f.Add(data[:2000])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := pack.Verify(bytes.NewReader(data), nil); err == nil && r.OK {
			t.Fatal("nonsense verifies")
		}
	})
}
