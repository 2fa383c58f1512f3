package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"

	"tandem"
	"tandem/media/codec"
	"tandem/media/record"
	"tandem/media/video"
	"tandem/store"
	"tandem/store/blob"
)

// filmOf is a film of two seconds, with the pictures of a browser, that begins after a minute.
func filmOf(t *testing.T, reel []byte, w *blob.Writer) {
	t.Helper()
	zero := time.Now()
	k, err := record.New(w, zero)
	if err != nil {
		t.Fatal(err)
	}
	at := zero.Add(time.Minute)
	if _, err := k.Sound(codec.PCMU, at).Write(bytes.Repeat([]byte{0x80}, 16_000)); err != nil {
		t.Fatal(err)
	}
	for n, b := 0, reel[32:]; len(b) > 12; n++ { // IVF: length, time and data of each frame
		end := 12 + int(binary.LittleEndian.Uint32(b))
		k.Frame(video.Frame{Key: b[12]&1 == 0, Time: uint32(n) * 9000, At: at.Add(time.Duration(n) * 100 * time.Millisecond), Data: b[12:end]})
		b = b[end:]
	}
	if is, err := k.Close(); err != nil || is.Frames == 0 {
		t.Fatalf("%+v, %v", is, err)
	}
}

// recordings adds to an interaction what a talk by voice and video may leave.
func recordings(t *testing.T, reel []byte, r records, in tandem.Interaction) (bad tandem.BlobID) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	blobs, err := blob.Open(string(r.cfg.Store.Blobs), time.Now, rand.Reader)
	must(err)
	now := time.Now()
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, rand.Reader), Interaction: in.ID, Kind: tandem.LegWebRTC, Role: tandem.RoleAgent, Started: now}
	story, err := r.Interaction(t.Context(), string(in.ID))
	must(err)
	theirs := story.Legs[0].ID
	c := &store.Change{Legs: []tandem.Leg{leg}}
	tell := func(leg tandem.LegID, kind tandem.EventKind, payload any) {
		c.Events = append(c.Events, tandem.NewEvent(in.ID, leg, now, kind, "system", payload))
	}
	object := func(mediaType string, write func(*blob.Writer)) tandem.BlobID {
		w, err := blobs.Create(in.ID, mediaType)
		must(err)
		write(w)
		ref, err := w.Commit()
		must(err)
		c.Blobs = append(c.Blobs, ref)
		return ref.ID
	}
	noise := func(w *blob.Writer) {
		_, err := w.Write(bytes.Repeat([]byte{0x80}, 8000))
		must(err)
	}
	tell(leg.ID, tandem.EventJoined, tandem.Joined{Role: tandem.RoleAgent, Name: "anna"})
	film := object("video/webm", func(w *blob.Writer) { filmOf(t, reel, w) })
	tell(leg.ID, tandem.EventRecording, tandem.Recorded{Blob: film, Shows: "camera"})
	tell("", tandem.EventRecorded, tandem.Recorded{Blob: film, Seconds: 62, Cut: true}) // by the next start
	bad = object("video/webm", noise)
	tell(theirs, tandem.EventRecording, tandem.Recorded{Blob: bad, Shows: "display"})
	tell(theirs, tandem.EventRecorded, tandem.Recorded{Blob: bad, Seconds: 9, Shows: "display"})
	tell(theirs, tandem.EventRecorded, tandem.Recorded{Blob: object("audio/PCMA;rate=8000;channels=2", noise), Seconds: 0.5})
	tell(theirs, tandem.EventRecorded, tandem.Recorded{Blob: object("audio/of-tomorrow", noise), Seconds: 1})
	tell(theirs, tandem.EventRecording, tandem.Recorded{Blob: object("video/webm", noise)}) // and goes on
	tell(theirs, tandem.EventEvidence, tandem.Evidence{Blob: object("image/png", noise)})
	gone := object("video/webm", noise)
	tell(theirs, tandem.EventRecorded, tandem.Recorded{Blob: gone, Seconds: 1})
	tell("", tandem.EventDisposed, tandem.Disposed{Blob: gone, Why: "retention"})
	must(r.Commit(t.Context(), c))
	return bad
}

// Films and stills are written, too; what cannot be written is named, and noted as looked at
// only if it was.
func TestExportOfFaces(t *testing.T) {
	reel, err := os.ReadFile(filepath.Join("..", "..", "media", "video", "testdata", "small.ivf"))
	if err != nil {
		t.Fatal(err)
	}
	_, second := journalWithCalls(t)
	number := second.Number
	beside(t, func(r records) {
		bad := recordings(t, reel, r, second)
		file := filepath.Join(string(r.cfg.Store.Blobs), string(bad[len(bad)-2:]), string(bad))
		if err := os.Truncate(file, 4000); err != nil {
			t.Fatal(err)
		}
	})
	expect(t, 0, "interactions show "+string(number), "recording  video/webm, ", "; anna, voice and camera, 1m2s, cut by the end of the program", "recording of voice and camera begins",
		"recording kept, 62.0 s, cut by the end of the program", "; the screen of the customer, 9.0 s", "; the customer, and what they hear, 0.5 s", "recording-5  video/webm, still being recorded", "still  image/png")
	out := expect(t, 1, "interactions export "+string(number)+" --why complaint", "not written: recording-2: ", "was changed or cut off", "not written: recording-4: a recording of type \"audio/of-tomorrow\"",
		"not written: recording-5: it is still being recorded", "3 of 6 were not written")
	if want := string(number) + "-recording.webm\n" + string(number) + "-recording-3.wav\n" + string(number) + "-still.png\n"; out != want {
		t.Errorf("written are\n%swant\n%s", out, want)
	}
	if n := strings.Count(expect(t, 0, "interactions show "+string(number)), "audit: somebody listened or looked"); n != 4 {
		t.Errorf("%d looks are noted, want 4: of the damaged one, too", n)
	}
	if _, err := os.Stat(string(number) + "-recording-2.webm"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a part of what is damaged stays: %v", err)
	}
	film, err := os.ReadFile(string(number) + "-recording.webm")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Segment struct {
			Info    webm.Info      `ebml:"Info"`
			Cues    webm.Cues      `ebml:"Cues"`
			Cluster []webm.Cluster `ebml:"Cluster"`
		} `ebml:"Segment"`
	}
	if err := ebml.Unmarshal(bytes.NewReader(film), &all, ebml.WithIgnoreUnknown(true)); err != nil {
		t.Fatal(err)
	}
	if s := all.Segment; s.Info.Duration < 61_900 || len(s.Cues.CuePoint) == 0 || s.Cues.CuePoint[0].CueTime < 60_000 || len(s.Cluster) == 0 {
		t.Errorf("the film has %v ms, places %+v, %d clusters", s.Info.Duration, s.Cues.CuePoint, len(s.Cluster))
	}
	var names []string
	if err := os.Mkdir("there", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(expect(t, 1, "interactions export --json -o there --why complaint "+string(number))), &names); err != nil || len(names) != 3 {
		t.Errorf("as JSON: %v, %v", names, err)
	}
	again, err := os.ReadFile(filepath.Join("there", string(number)+"-recording.webm"))
	if err != nil || !bytes.Equal(again, film) {
		t.Errorf("the second is another: %v", err)
	}
}
