package desk

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tandem"
	"tandem/media/codec"
	"tandem/media/record"
	"tandem/store"
	"tandem/store/staff"
)

// TestRecordingsArePlayedInRanges: a recording is played to who may hear others, with a
// reason, in parts, written down once; nothing else that was kept is.
func TestRecordingsArePlayedInRanges(t *testing.T) {
	h := newHouse(t)
	anna, sue, aud, key := h.as("anna"), h.as("sue"), h.as("aud"), h.with("", staff.ScopeAudio)
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	film1, film2, mail := h.recording(of.Interaction), h.recording(of.Interaction), h.arrive(tandem.TaskVoicemail)
	k := checking(h, of)
	still := h.still(&k)
	at := func(in tandem.InteractionID, blob tandem.BlobID, why string) string {
		return "/api/v1/interactions/" + string(in) + "/media/" + string(blob) + "?why=" + why
	}
	anna.refused(403, "forbidden", "GET", at(of.Interaction, film1, "mine"), nil)
	aud.refused(403, "forbidden", "GET", at(of.Interaction, film1, "audit"), nil)
	sue.refused(422, "invalid", "GET", at(of.Interaction, film1, ""), nil)
	sue.refused(404, "not_found", "GET", at(of.Interaction, still, "evidence+by+another+way"), nil)
	sue.refused(404, "not_found", "GET", at(mail.Interaction, film1, "of+another"), nil)
	sue.refused(404, "not_found", "GET", at(of.Interaction, "x", "none"), nil)
	h.count(of.Interaction, tandem.EventBlobOpened, 0)
	for _, part := range []struct {
		of     string
		status int
		from   int
		to     int
	}{
		{"", 200, 0, len(film)}, {"bytes=0-9", 206, 0, 10}, {"bytes=100000-100099", 206, 100_000, 100_100}, {"bytes=-50", 206, len(film) - 50, len(film)}, {"bytes=150000-", 206, 150_000, len(film)},
		{"bytes=0-1,5-6", 200, 0, len(film)}, // several at once are none that a player needs
	} {
		r := sue.do("GET", at(of.Interaction, film1, "a+complaint"), nil, func(r *http.Request) {
			if part.of != "" {
				r.Header.Set("Range", part.of)
			}
		})
		if r.StatusCode != part.status || r.body != film[part.from:part.to] || r.Header.Get("Content-Type") != "video/webm" || r.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%q: %d, %d bytes, %v", part.of, r.StatusCode, len(r.body), r.Header)
		}
		h.count(of.Interaction, tandem.EventBlobOpened, 1)
	}
	r := sue.do("GET", at(of.Interaction, film1, "a+complaint"), nil, func(r *http.Request) { r.Header.Set("Range", "bytes=900000-") })
	if r.StatusCode != 416 {
		t.Errorf("beyond the end: %d", r.StatusCode)
	}
	if !h.audited("sue", "media.play") {
		t.Error("playing is not in the audit log")
	}
	key.ok(200, "GET", at(of.Interaction, film1, "a+complaint"), nil, nil)
	h.count(of.Interaction, tandem.EventBlobOpened, 2) // another person
	sue.ok(200, "GET", at(of.Interaction, film1, "something+else"), nil, nil)
	h.count(of.Interaction, tandem.EventBlobOpened, 3)
	h.must(h.db.Commit(h.Context(), &store.Change{Events: []tandem.Event{tandem.NewEvent(of.Interaction, "", h.clock.Now(), tandem.EventDisposed, "system", tandem.Disposed{Blob: film1})}}))
	sue.refused(404, "not_found", "GET", at(of.Interaction, film1, "a+complaint"), nil) // also while it is played
	h.full.Store(true)
	if r := sue.do("GET", at(of.Interaction, film2, "a+complaint"), nil); r.StatusCode != 503 || strings.Contains(r.body, "0123") {
		t.Errorf("while nothing is written: %d", r.StatusCode)
	}
}

// TestFilmsHaveAnIndex: a film is played with a duration and an index, in any part.
func TestFilmsHaveAnIndex(t *testing.T) {
	h := newHouse(t)
	anna, sue := h.as("anna"), h.as("sue")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	var is piece
	k, err := record.New(&is, h.clock.Now())
	h.must(err)
	_, err = k.Sound(codec.PCMU, h.clock.Now()).Write(make([]byte, 30*codec.Rate))
	h.must(err)
	_, err = k.Close()
	h.must(err)
	id := h.object(of.Interaction, "video/webm", is.Bytes(), func(id tandem.BlobID) tandem.Event {
		return tandem.NewEvent(of.Interaction, "", h.clock.Now(), tandem.EventRecorded, "system", tandem.Recorded{Blob: id, Seconds: 30})
	})
	film, err := record.Read(bytes.NewReader(is.Bytes()))
	h.must(err)
	want := string(film.Head) + is.String()[film.From:]
	at := "/api/v1/interactions/" + string(of.Interaction) + "/media/" + string(id) + "?why=a+complaint"
	for _, part := range [][2]int{{0, len(want)}, {len(film.Head) - 10, len(film.Head) + 10}, {len(want) / 2, len(want)/2 + 1}, {3, 9}, {len(want) - 1, len(want)}} {
		r := sue.do("GET", at, nil, func(r *http.Request) { r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", part[0], part[1]-1)) })
		if r.StatusCode != 206 || r.body != want[part[0]:part[1]] {
			t.Errorf("%v: %d, %d bytes", part, r.StatusCode, len(r.body))
		}
	}
}

// piece is a file in memory.
type piece struct{ bytes.Buffer }

func (*piece) Flush() error { return nil }

// TestPlaysEnd: what is played is closed once its time is over and nobody uses it, and begins
// anew then.
func TestPlaysEnd(t *testing.T) {
	var s plays
	var closed int
	begin := func() (*playing, error) {
		return &playing{content: closing{bytes.NewReader(nil), func() { closed++ }}}, nil
	}
	key := playKey{"sue", "b1", "a complaint"}
	p, err := s.of(key, begin)
	if err != nil {
		t.Fatal(err)
	}
	if q, err := s.of(key, begin); err != nil || q != p {
		t.Errorf("it is begun twice: %v", err)
	}
	s.leave(p)
	s.end(key, p)
	if closed != 0 {
		t.Error("it is closed under who uses it")
	}
	if q, err := s.of(key, begin); err != nil || q == p {
		t.Errorf("it goes on after its time: %v", err)
	}
	if s.leave(p); closed != 1 {
		t.Errorf("it is closed %d times", closed)
	}
	for i := range mostPlaying {
		_, err = s.of(playKey{"sue", tandem.BlobID(fmt.Sprint(i)), "more"}, begin)
	}
	if tandem.CodeOf(err) != tandem.CodeUnavailable {
		t.Errorf("there is no bound: %v", err)
	}
}

type closing struct {
	io.ReadSeeker
	close func()
}

func (c closing) Close() error { c.close(); return nil }
