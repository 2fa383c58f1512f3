package chat

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/store"
	"tandem/web/answer"
)

// Bounds of uploads.
const (
	uploadTime    = 2 * time.Minute // for a picture to arrive: 8 MB at half a megabit
	uploadsAtOnce = 16              // being received, 8 MB each
	decodesAtOnce = 2
	unsentTime    = 10 * time.Minute // that a picture waits to be sent
	maxUnsent     = 64 << 20         // bytes of all pictures that wait
	maxUnsentOf   = 4                // pictures of one conversation that wait
)

// uploads holds pictures between their upload and the message that sends them, in memory:
// they belong to no interaction yet, and many are never sent.
type uploads struct {
	receiving chan struct{}
	decoding  chan struct{}
	large     chan struct{} // whoever takes all places of decoding

	mu     sync.Mutex
	unsent map[string]*unsent
	bytes  int
	keep   time.Duration // unsentTime
	many   int           // manyPixels
}

// unsent is one picture that waits.
type unsent struct {
	picture
	conversation tandem.ConversationID
	timer        *time.Timer
}

func newUploads() *uploads {
	return &uploads{receiving: make(chan struct{}, uploadsAtOnce), decoding: make(chan struct{}, decodesAtOnce), large: make(chan struct{}, 1),
		unsent: map[string]*unsent{}, keep: unsentTime, many: manyPixels}
}

// add keeps a picture for a while; false if there is no room.
func (u *uploads) add(id string, of tandem.ConversationID, p picture) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	theirs := 0
	for _, one := range u.unsent {
		if one.conversation == of {
			theirs++
		}
	}
	if theirs >= maxUnsentOf || u.bytes+len(p.data) > maxUnsent {
		return false
	}
	u.unsent[id] = &unsent{p, of, time.AfterFunc(u.keep, func() { u.take(id, of) })}
	u.bytes += len(p.data)
	return true
}

// take hands out a picture of a conversation, once.
func (u *uploads) take(id string, of tandem.ConversationID) (p picture, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.unsent[id]
	if one == nil || one.conversation != of {
		return p, false
	}
	one.timer.Stop()
	delete(u.unsent, id)
	u.bytes -= len(one.data)
	return one.picture, true
}

func (u *uploads) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, one := range u.unsent {
		one.timer.Stop()
	}
	clear(u.unsent)
	u.bytes = 0
}

// decode encodes a picture anew when its turn has come. A large one takes all places.
func (u *uploads) decode(ctx context.Context, data []byte) (p picture, err error) {
	pixels, err := measure(data)
	if err != nil {
		return p, err
	}
	places := 1
	if pixels > u.many {
		places = decodesAtOnce
	}
	taken := 0
	defer func() {
		for range taken {
			<-u.decoding
		}
	}()
	if places > 1 { // two large ones must not each take half and wait for the other
		select {
		case u.large <- struct{}{}:
			defer func() { <-u.large }()
		case <-ctx.Done():
			return p, context.Cause(ctx)
		}
	}
	for taken < places {
		select {
		case u.decoding <- struct{}{}:
			taken++
		case <-ctx.Done():
			return p, context.Cause(ctx)
		}
	}
	return redraw(data)
}

// receive takes what is to be a picture, as it is sent. If it cannot, it has answered.
func (d *Door) receive(w http.ResponseWriter, r *http.Request, c chat.Conversation) (data []byte, ok bool) {
	if wait := d.limits.take(perHour("picture", d.o.Limits.AttachmentsPerHour), answer.Network(d.source(r))); wait > 0 {
		tooMany(w, wait)
		return nil, false
	}
	if r.ContentLength > maxUpload {
		tooBig(w)
		return nil, false
	}
	select {
	case d.uploads.receiving <- struct{}{}:
		defer func() { <-d.uploads.receiving }()
	default:
		w.Header().Set("Retry-After", "5")
		answer.Refuse(w, http.StatusServiceUnavailable, "full", "Too many pictures are on their way. Try again in a moment.")
		return nil, false
	}
	control := http.NewResponseController(w)
	// The door's own limits of time are for small requests. Where they cannot be changed, they hold.
	_ = control.SetReadDeadline(time.Now().Add(uploadTime))
	_ = control.SetWriteDeadline(time.Now().Add(2 * uploadTime))
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpload))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		tooBig(w)
		return nil, false
	case err != nil: // the client is gone, or too slow
		answer.Refuse(w, http.StatusBadRequest, "cut_off", "The picture did not arrive whole. Send it again.")
		return nil, false
	}
	if d.o.Scan != nil {
		if err := d.o.Scan(r.Context(), data); err != nil {
			d.o.Log.Warn("an upload was refused by the scan", "conversation", c.ID, "error", err)
			answer.Refuse(w, http.StatusUnprocessableEntity, "scan", "This file was refused by the check for harmful content.")
			return nil, false
		}
	}
	return data, true
}

// refusePicture says why something is no picture that is taken.
func (d *Door) refusePicture(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errNotPicture):
		notPicture(w)
	case errors.Is(err, errTooLarge):
		answer.Refuse(w, http.StatusUnprocessableEntity, "too_many_pixels", "This picture has more than 40 megapixels. Send a smaller one.")
	default:
		d.failed(w, r, err)
	}
}

func notPicture(w http.ResponseWriter) {
	answer.Refuse(w, http.StatusUnsupportedMediaType, "not_picture", "This is no JPEG, PNG, GIF or WebP picture, or a broken one.")
}

// postAttachment takes a picture, to be named in a message soon.
func (d *Door) postAttachment(w http.ResponseWriter, r *http.Request, c chat.Conversation) {
	data, ok := d.receive(w, r, c)
	if !ok {
		return
	}
	p, err := d.uploads.decode(r.Context(), data)
	if err != nil {
		d.refusePicture(w, r, err)
		return
	}
	id := string(tandem.NewID[tandem.BlobID](d.o.Now(), d.o.Random))
	if !d.uploads.add(id, c.ID, p) {
		w.Header().Set("Retry-After", "60")
		answer.Refuse(w, http.StatusServiceUnavailable, "full", "Too many pictures wait to be sent. Send those first, or try again in a moment.")
		return
	}
	answer.JSON(w, http.StatusCreated, attachmentView{ID: tandem.BlobID(id), MediaType: p.mediaType, Width: p.width, Height: p.height, Bytes: int64(len(p.data))})
}

func tooBig(w http.ResponseWriter) {
	answer.Refuse(w, http.StatusRequestEntityTooLarge, "too_large", "A picture may have up to 8 MB.")
}

// attach makes an object of a picture that waits, for a message to keep. If it cannot, it
// has told the client.
func (s *socket) attach(said *Said, id tandem.ConversationID, upload string) (p picture, ok bool) {
	p, ok = s.door.uploads.take(upload, id)
	if !ok {
		s.push(refusal(said.Client, codeBad, wordsAttachment, 0))
		return p, false
	}
	ref, err := s.door.keep(p)
	if err != nil {
		s.door.uploads.add(upload, id, p) // for when the client tries again
		s.fail(said.Client, err)
		return p, false
	}
	said.Blobs = []store.BlobRef{ref}
	said.Attachment = &tandem.Attachment{Blob: ref.ID, MediaType: p.mediaType, Bytes: ref.Size, Width: p.width, Height: p.height}
	return p, true
}

// keep writes a picture as an object that is noise until a change keeps its record.
func (d *Door) keep(p picture) (ref store.BlobRef, err error) {
	w, err := d.o.Blobs.Create("", p.mediaType)
	if err != nil {
		return ref, err
	}
	defer w.Abort()
	if _, err := w.Write(p.data); err != nil {
		return ref, err
	}
	return w.Commit()
}

// unkept removes the object of a message that was not kept.
func (s *socket) unkept(said *Said) {
	for _, ref := range said.Blobs {
		if err := s.door.o.Blobs.Remove(ref.ID); err != nil {
			s.door.o.Log.Warn("a picture of no message could not be removed", "error", err)
		}
	}
}

// getAttachment shows a picture of the conversation. Each look is in the journal.
func (d *Door) getAttachment(w http.ResponseWriter, r *http.Request, c chat.Conversation) {
	id := tandem.BlobID(r.PathValue("id"))
	has, err := d.o.Book.HasBlob(r.Context(), c.ID, id)
	if err != nil {
		d.failed(w, r, err)
		return
	}
	if !has {
		answer.Refuse(w, http.StatusNotFound, "not_found", "This conversation has no such picture.")
		return
	}
	if wait := d.limits.take(looking, string(c.ID)); wait > 0 {
		tooMany(w, wait)
		return
	}
	content, ref, err := d.o.Look.OpenBlob(r.Context(), id, "caller", "chat")
	if err != nil {
		d.refuse(w, r, c, err)
		return
	}
	defer content.Close()
	h := w.Header()
	shown(h, ref.MediaType)
	h.Set("Content-Length", strconv.FormatInt(ref.Size, 10))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `inline; filename="picture"`)
	if _, err := io.Copy(w, content); err != nil && r.Context().Err() == nil {
		d.o.Log.Error("a picture could not be shown", "conversation", c.ID, "error", err)
		panic(http.ErrAbortHandler) // half a picture must not look like a whole one
	}
}

// shown sets what keeps a picture a picture, whatever a browser would make of it.
func shown(h http.Header, mediaType string) {
	h.Set("Content-Type", mediaType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
}
