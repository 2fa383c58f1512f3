package pack

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"tandem"
	"tandem/store"
)

// Bounds of a pack that is read.
const (
	maxPack  = 1 << 30 // bytes
	maxFiles = 10_000
)

// Report is what a verification found.
type Report struct {
	OK       bool     `json:"ok"`
	Key      string   `json:"key,omitempty"` // fingerprint of the key that signed
	Pinned   bool     `json:"pinned"`        // it is the one that was given
	Manifest Manifest `json:"manifest"`
	Passed   bool     `json:"passed"` // the verdict in the events
	Findings []string `json:"findings,omitempty"`
	Notes    []string `json:"notes,omitempty"` // what is right, but good to know
}

func (r *Report) find(format string, args ...any) {
	r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
}

// Verify reads a pack and holds all of it against its signatures and hashes. pinned is the
// server's key as it came by another way; nil = whose it is remains open. The error is of
// reading alone; what is wrong with the pack is in the report.
func Verify(in io.Reader, pinned ed25519.PublicKey) (Report, error) {
	var r Report
	data, err := io.ReadAll(io.LimitReader(in, maxPack+1))
	if err != nil {
		return r, fmt.Errorf("reading the pack: %w", err)
	}
	if len(data) > maxPack {
		return r, errors.New("the pack has more than 1 GB: it is none of ours")
	}
	files, err := unzip(data)
	if err != nil {
		r.find("The file is no pack, or was damaged: %v.", err)
		return r, nil
	}
	var again bytes.Buffer
	if err := writeZip(&again, files); err != nil || !bytes.Equal(again.Bytes(), data) {
		r.find("The file is not as it was written: bytes were changed, added or taken away between its parts.")
	}
	key := r.manifest(files, pinned)
	r.files(files)
	v := verifier{r: &r, files: files, key: key}
	v.events()
	v.stills()
	v.policy()
	for _, id := range r.Manifest.Missing {
		r.Notes = append(r.Notes, fmt.Sprintf("Still %s had been removed when the pack was made.", id))
	}
	r.OK = len(r.Findings) == 0
	return r, nil
}

func unzip(data []byte) (map[string][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxFiles {
		return nil, errors.New("it has too many files")
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		if _, twice := files[f.Name]; twice || f.Method != zip.Store || f.UncompressedSize64 > uint64(len(data)) {
			return nil, fmt.Errorf("%q is there twice, or is packed in another way", f.Name)
		}
		c, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(c)
		if err = errors.Join(err, c.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		files[f.Name] = content
	}
	return files, nil
}

// manifest checks the manifest's signature, and whose it is.
func (r *Report) manifest(files map[string][]byte, pinned ed25519.PublicKey) ed25519.PublicKey {
	if err := json.Unmarshal(files[manifestFile], &r.Manifest); err != nil {
		r.find("%s cannot be read.", manifestFile)
		return nil
	}
	if r.Manifest.Format != format {
		r.find("The pack has format %d, which this version does not know.", r.Manifest.Format)
	}
	raw, err := base64.StdEncoding.DecodeString(r.Manifest.Key)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		r.find("%s names no key.", manifestFile)
		return nil
	}
	key := ed25519.PublicKey(raw)
	r.Key = Fingerprint(key)
	if pinned != nil {
		if r.Pinned = key.Equal(pinned); !r.Pinned {
			r.find("The pack is signed by key %s, yours is %s: it is not from your server.", r.Key, Fingerprint(pinned))
			key = pinned
		}
	} else {
		r.Notes = append(r.Notes, fmt.Sprintf("The key %s is the pack's own: compare it with what the server's operator says.", r.Key))
	}
	if !ed25519.Verify(key, files[manifestFile], files[signatureFile]) {
		r.find("The signature of %s is wrong.", manifestFile)
	}
	if text, err := publicPEM(key); err != nil || !bytes.Equal(text, files[keyFile]) {
		r.find("%s is another key than the one that signed.", keyFile)
	}
	return key
}

// files checks that all files are there, as they were, and no others.
func (r *Report) files(files map[string][]byte) {
	for name, want := range r.Manifest.Files {
		if data, there := files[name]; !there {
			r.find("%s is missing.", name)
		} else if hashOf(data) != want {
			r.find("%s was changed.", name)
		}
	}
	for name := range files {
		if _, listed := r.Manifest.Files[name]; !listed && name != manifestFile && name != signatureFile {
			r.find("%q was added.", name)
		}
	}
}

// verifier checks what the files say.
type verifier struct {
	r        *Report
	files    map[string][]byte
	key      ed25519.PublicKey
	evidence []tandem.Evidence
	agreed   bool // the customer has
	named    bool // and said so of this check; packs made before do not say of what
}

// events checks the interaction's chain of hashes, and what the check's events say.
func (v *verifier) events() {
	m := &v.r.Manifest
	lines := bufio.NewScanner(bytes.NewReader(v.files[eventsFile]))
	lines.Buffer(nil, maxPack)
	var before store.Hash
	n, verdict := uint64(0), tandem.Verdict{}
	for lines.Scan() {
		n++
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Seq != n {
			v.r.find("%s, line %d is no event %d.", eventsFile, n, n)
			return
		}
		head := tandem.Event{Interaction: m.Interaction, Seq: e.Seq, At: e.At, Kind: e.Kind, Leg: e.Leg, Actor: e.Actor}
		digest, hash := hashIn(e.Digest), hashIn(e.Hash)
		if store.EventHash(before, &head, digest) != hash {
			v.r.find("Event %d (%s) was altered, or one before it: its hash does not fit.", n, e.Kind)
		}
		before = hash
		if e.Salt == "" {
			continue
		}
		salt, err := hex.DecodeString(e.Salt)
		if err != nil || sha256.Sum256(append(salt, e.Data...)) != digest {
			v.r.find("Event %d (%s) was altered: its content does not fit its digest.", n, e.Kind)
			continue
		}
		v.content(&e, &verdict)
	}
	if err := lines.Err(); err != nil || int(n) != m.Events || hex.EncodeToString(before[:]) != m.Head {
		v.r.find("%s does not have the %d events of the manifest.", eventsFile, m.Events)
	}
	if verdict.Outcome != m.State && (verdict.Outcome != "" || m.State == "passed" || m.State == "failed") {
		v.r.find("The manifest says %s, the events say %q.", m.State, verdict.Outcome)
	}
	v.r.Passed = verdict.Outcome == "passed"
}

func (v *verifier) content(e *event, verdict *tandem.Verdict) {
	m := &v.r.Manifest
	switch e.Kind {
	case tandem.EventEvidence:
		var d tandem.Evidence
		if json.Unmarshal([]byte(e.Data), &d) != nil || d.Check != m.Check {
			return
		}
		if v.evidence = append(v.evidence, d); !v.agreed {
			v.r.find("Event %d is a still from before the customer's consent.", e.Seq)
		}
	case tandem.EventConsent:
		var d tandem.Consent
		if json.Unmarshal([]byte(e.Data), &d) == nil && (d.Check == m.Check || d.Check == "" && !v.named) && d.Kind == "video" {
			v.agreed, v.named = d.Answer == "yes", v.named || d.Check != ""
		}
	case tandem.EventVerdict:
		if err := json.Unmarshal([]byte(e.Data), verdict); err != nil {
			v.r.find("Event %d is no verdict.", e.Seq)
		}
	case tandem.EventCheckBegun:
		var d tandem.CheckBegun
		if json.Unmarshal([]byte(e.Data), &d) == nil && (d.Hash != m.PolicyHash || d.Policy != m.Policy) {
			v.r.find("Event %d names another policy than the manifest.", e.Seq)
		}
	}
}

func hashIn(s string) (h store.Hash) {
	b, err := hex.DecodeString(s)
	if err == nil && len(b) == len(h) {
		copy(h[:], b)
	}
	return h
}

// stills checks each still against its statement, and that against its signature. There is
// one for each event of the kind.
func (v *verifier) stills() {
	m := &v.r.Manifest
	listed := map[tandem.BlobID]Still{}
	for _, s := range m.Stills {
		listed[s.Blob] = s
	}
	for _, d := range v.evidence {
		signature, err := base64.StdEncoding.DecodeString(d.Signature)
		if err != nil || len(v.key) == 0 || !ed25519.Verify(v.key, []byte(d.Statement), signature) {
			v.r.find("The signature of still %s is wrong.", d.Blob)
		}
		if lineOf(d.Statement, "hash ") != d.Hash || lineOf(d.Statement, "check ") != string(m.Check) || lineOf(d.Statement, "interaction ") != string(m.Interaction) {
			v.r.find("The statement of still %s is about another one.", d.Blob)
		}
		s, there := listed[d.Blob]
		if !there {
			if !m.missing(d.Blob) {
				v.r.find("Still %s is not in the pack.", d.Blob)
			}
			continue
		}
		delete(listed, d.Blob)
		base := strings.TrimSuffix(strings.TrimSuffix(s.File, ".png"), ".jpg")
		switch {
		case hashOf(v.files[s.File]) != d.Hash:
			v.r.find("%s is not the picture that was signed.", s.File)
		case string(v.files[base+".txt"]) != d.Statement || !bytes.Equal(v.files[base+".sig"], signature):
			v.r.find("The statement beside %s is another than the one in the events.", s.File)
		}
	}
	for _, s := range listed {
		v.r.find("%s is of no event.", s.File)
	}
}

// lineOf is what a statement says after a word.
func lineOf(statement, word string) string {
	for line := range strings.Lines(statement) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			return strings.TrimSuffix(rest, "\n")
		}
	}
	return ""
}

func (v *verifier) policy() {
	if hashOf(v.files[policyFile]) != v.r.Manifest.PolicyHash {
		v.r.find("%s is not the policy that the check began with.", policyFile)
	}
}
