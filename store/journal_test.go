package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"tandem"
)

// count is a stream of the bytes 0, 1, 2 …
type count struct{ n byte }

func (c *count) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.n
		c.n++
	}
	return len(p), nil
}

func testKeys(t *testing.T) *Keyring {
	t.Helper()
	k, err := NewKeyring(bytes.Repeat([]byte{7}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestGolden fixes the format of the journal. If it fails the format has drifted, and
// databases written before would be called altered: change the code, not the values.
func TestGolden(t *testing.T) {
	e := tandem.Event{Interaction: "06h0f8hig3moi0efio3rg5jqe8", Seq: 3, At: time.Unix(1795424400, 123456789), Kind: tandem.EventPrompt,
		Leg: "06h0f8hig1oq29c8pu92m614q0", Actor: "flow", Data: []byte(`{"text":"你好"}`)}
	wantHeader := "01" +
		"001a" + hex.EncodeToString([]byte(e.Interaction)) + "0000000000000003" + "18eaa0fab66d6d15" +
		"000b" + hex.EncodeToString([]byte("flow.prompt")) + "001a" + hex.EncodeToString([]byte(e.Leg)) + "0004" + hex.EncodeToString([]byte("flow"))
	if got := hex.EncodeToString(Header(nil, &e)); got != wantHeader {
		t.Errorf("header is\n%s, want\n%s", got, wantHeader)
	}
	key, err := NewKey(bytes.Repeat([]byte{9}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	before := Hash(bytes.Repeat([]byte{1}, 32))
	s := Sealer{Random: &count{}}
	got, err := s.Seal(&e, before, key)
	if err != nil {
		t.Fatal(err)
	}
	chain := Chain(before, got.Hash)
	for name, v := range map[string][2]string{
		"content": {hex.EncodeToString(got.Content), goldenContent},
		"digest":  {hex.EncodeToString(got.Digest[:]), goldenDigest},
		"hash":    {hex.EncodeToString(got.Hash[:]), goldenHash},
		"chain":   {hex.EncodeToString(chain[:]), goldenChain},
	} {
		if v[0] != v[1] {
			t.Errorf("%s is\n%s, want\n%s", name, v[0], v[1])
		}
	}
	if EventHash(before, &e, got.Digest) != got.Hash {
		t.Error("EventHash and Seal do not agree")
	}
	data, err := OpenEvent(&e, got.Content, got.Digest, key)
	if err != nil || !bytes.Equal(data, e.Data) {
		t.Errorf("opened: %s, %v", data, err)
	}
	keys := testKeys(t)
	line, err := keys.Checkpoint("feed", 12, chain, e.At)
	if err != nil || string(line) != goldenCheckpoint {
		t.Errorf("checkpoint is\n%s, want\n%s", line, goldenCheckpoint)
	}
	if blind := hex.EncodeToString(keys.Blind("identity phone", "+8613800138000")); blind != goldenBlind {
		t.Errorf("blind is %s, want %s", blind, goldenBlind)
	}
}

func TestSealBindsEverything(t *testing.T) {
	key, err := NewKey(bytes.Repeat([]byte{9}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	e := tandem.Event{Interaction: "i", Seq: 1, At: time.Unix(1, 2), Kind: "k", Leg: "l", Actor: "a", Data: []byte(`{}`)}
	s := Sealer{Random: &count{}}
	sealed, err := s.Seal(&e, Hash{}, key)
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(*tandem.Event){
		"interaction": func(e *tandem.Event) { e.Interaction = "j" },
		"seq":         func(e *tandem.Event) { e.Seq++ },
		"time":        func(e *tandem.Event) { e.At = e.At.Add(1) },
		"kind":        func(e *tandem.Event) { e.Kind = "kk" },
		"leg":         func(e *tandem.Event) { e.Leg = "" },
		"actor":       func(e *tandem.Event) { e.Actor = "b" },
		"moved text":  func(e *tandem.Event) { e.Leg, e.Actor = "la", "" },
	}
	for name, change := range changes {
		other := e
		change(&other)
		if EventHash(Hash{}, &other, sealed.Digest) == sealed.Hash {
			t.Errorf("%s: the hash is the same", name)
		}
		if _, err := OpenEvent(&other, sealed.Content, sealed.Digest, key); err == nil {
			t.Errorf("%s: the content opens", name)
		}
	}
	if EventHash(Hash{1}, &e, sealed.Digest) == sealed.Hash || EventHash(Hash{}, &e, Hash{1}) == sealed.Hash {
		t.Error("the hash does not depend on what goes before or on the digest")
	}
	for i := range sealed.Content {
		bad := bytes.Clone(sealed.Content)
		bad[i] ^= 1
		if _, err := OpenEvent(&e, bad, sealed.Digest, key); err == nil {
			t.Fatalf("byte %d changed and nobody noticed", i)
		}
	}
	again, err := s.Seal(&e, Hash{}, key)
	if err != nil || again.Digest == sealed.Digest {
		t.Errorf("the same payload has the same digest: %v", err)
	}
	if erased, err := s.Seal(&e, Hash{}, nil); err != nil || erased.Content != nil || erased.Hash == (Hash{}) {
		t.Errorf("without a key: %+v, %v", erased, err)
	}
}

func TestKeyring(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewKeyring(make([]byte, n)); err == nil {
			t.Errorf("a master key of %d bytes was taken", n)
		}
	}
	keys := testKeys(t)
	raw := bytes.Repeat([]byte{3}, KeySize)
	wrapped, err := keys.WrapKey(&count{}, raw, "customer a")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wrapped, raw[:8]) {
		t.Error("the key is there to be read")
	}
	key, err := keys.UnwrapKey(wrapped, "customer a")
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := NewKey(raw)
	sealed, err := plain.Seal(&count{}, []byte("hello"), []byte("here"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.Open(sealed, []byte("here")); err != nil || string(got) != "hello" {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, err := key.Open(sealed, []byte("there")); err == nil {
		t.Error("opened in another place")
	}
	if _, err := key.Open(sealed[:5], []byte("here")); err == nil {
		t.Error("opened what is cut short")
	}
	if _, err := keys.UnwrapKey(wrapped, "customer b"); err == nil || !strings.Contains(err.Error(), "customer b") {
		t.Errorf("unwrapped for another: %v", err)
	}
	if bytes.Equal(keys.Blind("a", "bc"), keys.Blind("ab", "c")) {
		t.Error("purpose and value run into each other")
	}
}

func TestReadCheckpoint(t *testing.T) {
	keys := testKeys(t)
	line, err := keys.Checkpoint("feed", 12, Hash{1}, time.Unix(1795424400, 5))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := keys.ReadCheckpoint(line); err != nil || c.N != 12 || c.Store != "feed" {
		t.Errorf("read %+v, %v", c, err)
	}
	for old, changed := range map[string]string{`"n":12`: `"n":13`, `"feed"`: `"food"`, `"chain":"01`: `"chain":"02`, "2026": "2027", `"v":1`: `"v":2`, keys.ID(): "00", "{": ""} {
		bad := strings.Replace(string(line), old, changed, 1)
		if bad == string(line) {
			t.Fatalf("%s is not in %s", old, line)
		}
		if _, err := keys.ReadCheckpoint([]byte(bad)); err == nil {
			t.Errorf("%s for %s was believed", changed, old)
		}
	}
	other, err := NewKeyring(bytes.Repeat([]byte{8}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ReadCheckpoint(line); err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("another key's checkpoint: %v", err)
	}
}

const (
	goldenContent    = "000102030405060708090a0be65c95cd2c5e38f68b433a88c8dadf2fa857fbc7e5641e9e5dea8d56a36c42f927d63941aada17e73c48748d0190612f11"
	goldenDigest     = "a7ee64e65dcf25a13a82a504cc8a77c84fc49307df9017af7ce0a5310886d828"
	goldenHash       = "4078e0867b8afc93890a5e880c3fdfc6b40e4c28a7d28a18a63f6681879955c7"
	goldenChain      = "7cf09525646fd3d67a63c0f0e76905b0ade8640119314a5036954e9d69bba11e"
	goldenCheckpoint = `{"v":1,"store":"feed","n":12,"chain":"7cf09525646fd3d67a63c0f0e76905b0ade8640119314a5036954e9d69bba11e","at":"2026-11-23T09:00:00.123456789Z","key":"e62620e66faeeb0b","sig":"U1YoNWVLFNBh2FDpQmWQrYSRuhYinIL26hvBLrAk4Z3kOYywKBQ2Jt7xJOVXFHsrQv0CJaoidUSSSjpeM2QoDg=="}`
	goldenBlind      = "143ad0ce8cf8e167e11b406db0274fcfa8d626bfa443328148c8dea3686e715e"
)
