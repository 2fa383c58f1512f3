package chat

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// upload sends a picture.
func (h *house) upload(token string, data []byte) (status int, a attachmentView, body string) {
	h.Helper()
	resp, answer := h.request("POST", "/api/v1/chat/attachments", data, bearer(token), "Origin: "+pageOrigin, "Content-Type: text/html") // what a client calls it is of no account
	if resp.StatusCode == 201 {
		h.must(json.Unmarshal(answer, &a))
	}
	return resp.StatusCode, a, string(answer)
}

// blobs counts the files of objects.
func (h *house) blobs() (n int) {
	h.must(filepath.WalkDir(filepath.Join(h.place.Dir, "blobs"), func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func TestAttachment(t *testing.T) {
	h := newHouse(t, nil)
	w, id, token := h.begun()
	file := withExif(encoded(t, "jpeg", quarters(64, 32)), exif(6, binary.BigEndian))
	status, a, body := h.upload(token, file)
	if status != 201 || a.Width != 32 || a.Height != 64 || a.MediaType != "image/jpeg" || a.Bytes == 0 || a.ID == "" {
		t.Fatalf("%d %s", status, body)
	}
	if h.blobs() != 0 {
		t.Error("a picture that was not sent is on the disk")
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "my passport", "attachment": a.ID})
	f := w.until("its frame", func(f frame) bool { return f.ID == "a" })
	if f.Attachment == nil || f.Attachment.Width != 32 || f.Attachment.Bytes != a.Bytes || f.message.Text != "my passport" {
		t.Fatalf("%+v", f)
	}
	look := "/api/v1/chat/attachments/" + string(f.Attachment.ID)
	resp, data := h.request("GET", look, nil, bearer(token), "Origin: "+pageOrigin)
	head := resp.Header
	if resp.StatusCode != 200 || head.Get("Content-Type") != "image/jpeg" || head.Get("X-Content-Type-Options") != "nosniff" || head.Get("Cache-Control") != "no-store" ||
		!strings.Contains(head.Get("Content-Security-Policy"), "sandbox") || !strings.HasPrefix(head.Get("Content-Disposition"), "inline") || int64(len(data)) != a.Bytes {
		t.Errorf("%s %v", resp.Status, head)
	}
	if img, _, err := image.Decode(bytes.NewReader(data)); err != nil || cornersOf(img) != [4]int{2, 0, 3, 1} || bytes.Contains(data, []byte("GPS")) {
		t.Errorf("what comes back: %v", err)
	}
	// Said again after a cut, it is the same message.
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "my passport", "attachment": a.ID})
	if again := w.until("its frame", func(f frame) bool { return f.ID == "a" }); again.Attachment.ID != f.Attachment.ID || h.blobs() != 1 {
		t.Errorf("%+v, %d files", again.Attachment, h.blobs())
	}
	// Once sent, an upload is used up.
	w.send(map[string]any{"t": kindSay, "id": "b", "text": "", "attachment": a.ID})
	if r := w.until("a refusal", func(f frame) bool { return f.T == kindRefused }); r.Code != codeBad || r.ID != "b" {
		t.Errorf("%+v", r)
	}
	w.cut()
	h.must(h.db.Flush(t.Context()))
	story, err := h.db.Interaction(t.Context(), string(h.interaction(id)))
	h.must(err)
	looks := 0
	for _, e := range story.Events {
		if e.Kind == tandem.EventBlobOpened {
			looks++
		}
	}
	if looks != 1 || len(story.Blobs) != 1 {
		t.Errorf("the journal has %d looks at %d objects", looks, len(story.Blobs))
	}

	other, _, foreign := h.begun()
	defer other.cut()
	if resp, _ := h.request("GET", look, nil, bearer(foreign)); resp.StatusCode != 404 {
		t.Errorf("somebody else's picture: %s", resp.Status)
	}
	_, mine, _ := h.upload(token, file)
	other.send(map[string]any{"t": kindSay, "id": "a", "text": "not mine", "attachment": mine.ID})
	if r := other.next(kindRefused); r.Code != codeBad {
		t.Errorf("somebody else's upload: %+v", r)
	}
	if _, err := h.db.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func (h *house) interaction(id tandem.ConversationID) tandem.InteractionID {
	h.Helper()
	c, err := h.book.Find(h.Context(), id)
	h.must(err)
	return c.Interaction
}

func TestUploadsThatAreRefused(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.Scan = func(_ context.Context, data []byte) error {
			if bytes.Contains(data, []byte("EICAR")) {
				return errors.New("a test virus")
			}
			return nil
		}
	})
	w, _, token := h.begun()
	defer w.cut()
	for name, file := range hostile(t) {
		want := map[error]int{errNotPicture: 415, errTooLarge: 422}[file.err]
		if status, _, body := h.upload(token, file.data); status != want || problem([]byte(body)) == "" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, _, body := h.upload(token, append(encoded(t, "jpeg", quarters(9, 9)), "EICAR"...)); status != 422 || problem([]byte(body)) != "scan" {
		t.Errorf("a virus: %d %s", status, body)
	}
	status, a, body := h.upload(token, polyglot(t))
	if status != 201 || a.MediaType != "image/jpeg" {
		t.Errorf("a polyglot: %d %s", status, body)
	}
	// Too long, with its length told and without.
	for _, length := range []int64{maxUpload + 1, -1} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", h.url+"/api/v1/chat/attachments", struct{ io.Reader }{io.LimitReader(zeros{}, maxUpload+1)})
		h.must(err)
		r.ContentLength = length
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil { // the server did not read it all
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != 413 {
			t.Errorf("length %d: %s", length, resp.Status)
		}
	}
	if len(h.door.uploads.receiving)+len(h.door.uploads.decoding)+len(h.door.uploads.large) != 0 {
		t.Error("a place is not given back")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestUnsentPicturesGo(t *testing.T) {
	h := newHouse(t, nil)
	w, _, token := h.begun()
	defer w.cut()
	file := encoded(t, "png", quarters(20, 20))
	var first attachmentView
	for n := range maxUnsentOf + 1 {
		status, a, body := h.upload(token, file)
		if n == 0 {
			first = a
		}
		if want := map[bool]int{true: 201, false: 503}[n < maxUnsentOf]; status != want {
			t.Errorf("upload %d: %d %s", n, status, body)
		}
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "attachment": first.ID})
	w.until("its frame", func(f frame) bool { return f.ID == "a" })
	h.door.uploads.keep = 10 * time.Millisecond
	status, late, body := h.upload(token, file)
	if status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	h.eventually("it is dropped", func() bool {
		h.door.uploads.mu.Lock()
		defer h.door.uploads.mu.Unlock()
		return len(h.door.uploads.unsent) == maxUnsentOf-1
	})
	w.send(map[string]any{"t": kindSay, "id": "b", "attachment": late.ID})
	w.until("a refusal", func(f frame) bool { return f.T == kindRefused && f.Code == codeBad && f.ID == "b" })
	h.door.uploads.close()
	if h.door.uploads.bytes != 0 {
		t.Errorf("%d bytes are counted of nothing", h.door.uploads.bytes)
	}
}

// A picture whose message cannot be kept now waits for the next try; nothing of it is left
// on the disk. One whose message was kept stays, whatever went wrong after that.
func TestPictureOfAMessageThatFails(t *testing.T) {
	h := newHouse(t, nil)
	w, _, token := h.begun()
	defer w.cut()
	_, a, _ := h.upload(token, encoded(t, "png", quarters(20, 20)))
	say := map[string]any{"t": kindSay, "id": "a", "attachment": a.ID}
	h.flow.before = func(Said) error { return store.ErrUnavailable }
	for range 3 {
		w.send(say)
		if r := w.next(kindRefused); r.Code != codeNotNow || r.RetryAfter == 0 {
			t.Errorf("%+v", r)
		}
	}
	if h.blobs() != 0 {
		t.Errorf("%d files are left", h.blobs())
	}
	h.flow.before = nil
	w.send(say)
	f := w.until("its frame", func(f frame) bool { return f.ID == "a" })
	if h.blobs() != 1 {
		t.Errorf("%d files", h.blobs())
	}
	resp, _ := h.request("GET", "/api/v1/chat/attachments/"+string(f.Attachment.ID), nil, bearer(token))
	if resp.StatusCode != 200 {
		t.Error(resp.Status)
	}

	_, a, _ = h.upload(token, encoded(t, "png", quarters(20, 20)))
	h.flow.after = func() error { return errors.New("answering failed") }
	w.send(map[string]any{"t": kindSay, "id": "b", "attachment": a.ID})
	f = w.until("its frame", func(f frame) bool { return f.ID == "b" })
	if resp, _ := h.request("GET", "/api/v1/chat/attachments/"+string(f.Attachment.ID), nil, bearer(token)); resp.StatusCode != 200 {
		t.Error(resp.Status)
	}
}

func TestUploadsAreRated(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *Options) {
		o.Limits.AttachmentsPerHour = 2
		o.Now = func() time.Time { return now }
	})
	w, _, token := h.begun()
	defer w.cut()
	for n := range 3 {
		resp, _ := h.request("POST", "/api/v1/chat/attachments", []byte("x"), bearer(token))
		if want := map[bool]int{true: 415, false: 429}[n < 2]; resp.StatusCode != want {
			t.Errorf("upload %d: %s", n, resp.Status)
		}
	}
}

// Many at once, large among them, all come through: none waits for another for ever.
func TestManyPicturesAtOnce(t *testing.T) {
	u := newUploads()
	u.many = 10_000
	small, large := encoded(t, "jpeg", quarters(50, 50)), encoded(t, "jpeg", quarters(200, 200))
	var wait sync.WaitGroup
	for n := range 60 {
		wait.Go(func() {
			data := small
			if n%4 == 0 {
				data = large
			}
			if _, err := u.decode(t.Context(), data); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	u.decoding <- struct{}{}
	u.decoding <- struct{}{}
	if _, err := u.decode(gone, small); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := u.decode(gone, large); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(u.decoding) != 2 || len(u.large) != 0 {
		t.Error(fmt.Sprint("places are not given back: ", len(u.decoding), len(u.large)))
	}
}
