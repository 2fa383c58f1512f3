package desk

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/media/record"
	"tandem/media/wav"
	"tandem/store"
	"tandem/web/desk/duty"
	"tandem/web/login"
)

const (
	// mediaTime bounds the sending of a part of a recording.
	mediaTime = 10 * time.Minute
	// playTime is how long parts of a recording are sent to somebody by what was written down
	// as they began: players ask for many.
	playTime = 10 * time.Minute
	// mostPlaying bounds what is played at a time.
	mostPlaying = 100
)

// getMedia plays a recording of an interaction, in ranges, once it is written down who hears
// and sees it, and why.
func (d *Desk) getMedia(w http.ResponseWriter, r *http.Request) error {
	none := tandem.Errorf(tandem.CodeNotFound, "this interaction has no such recording")
	in, id := r.PathValue("id"), tandem.BlobID(r.PathValue("blob"))
	why, err := duty.Text(r.URL.Query().Get("why"), "why", maxWhy)
	if err != nil {
		return err
	}
	if !tandem.ValidID(in) || !tandem.ValidID(string(id)) {
		return none
	}
	story, err := d.o.Journal.Interaction(r.Context(), in)
	if errors.Is(err, store.ErrNotFound) || err == nil && !recorded(&story, id) {
		return none
	}
	if err != nil {
		return err
	}
	who := duty.Actor(login.CallerOf(r.Context()))
	p, err := d.plays.of(playKey{who, id, why}, func() (*playing, error) {
		if err := d.o.Door.Record(r.Context(), "media.play", in, string(id)+": "+why); err != nil {
			return nil, err
		}
		content, ref, err := d.o.Journal.OpenBlob(r.Context(), id, who, why)
		if err != nil {
			return nil, err
		}
		p, err := play(content, ref)
		if err != nil {
			content.Close()
		}
		return p, err
	})
	if errors.Is(err, errNotPlayed) {
		return none
	}
	if err != nil {
		return err
	}
	defer d.plays.leave(p)
	shown(w.Header(), p.kind)
	w.Header().Set("Content-Disposition", `inline; filename="recording"`)
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // several at once are none that a player needs
	}
	// The door's own limit of time is for small answers. Where it cannot be changed, it holds.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(mediaTime))
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(p, 0, p.size))
	return nil
}

// recorded reports whether an object is a recording of an interaction, and still there.
func recorded(s *store.Story, id tandem.BlobID) (is bool) {
	for i := range s.Events {
		switch e := &s.Events[i]; e.Kind {
		case tandem.EventRecorded, tandem.EventVoicemail, tandem.EventTaken:
			var r tandem.Recorded
			is = is || json.Unmarshal(e.Data, &r) == nil && r.Blob == id
		case tandem.EventDisposed:
			var r tandem.Disposed
			if json.Unmarshal(e.Data, &r) == nil && r.Blob == id {
				return false
			}
		}
	}
	return is
}

// playing is a recording as it is played: a head that players understand, and what was kept
// from some place on.
type playing struct {
	kind string
	head []byte
	from int64
	size int64 // as it is played

	mu      sync.Mutex // of content, which is read at one place at a time
	content io.ReadSeekCloser

	// Of plays:
	users int
	over  bool // it is closed when nobody uses it
}

var errNotPlayed = errors.New("desk: it is nothing that is played")

// play makes an object one that is played: a film gets a duration and an index.
func play(content io.ReadSeekCloser, ref store.BlobRef) (*playing, error) {
	p := &playing{kind: ref.MediaType, content: content}
	switch p.kind {
	case "video/webm", "audio/webm":
		film, err := record.Read(content)
		if err != nil && !errors.Is(err, record.ErrForm) { // one that is none of ours is played as it is
			return nil, err
		}
		p.head, p.from = film.Head, film.From
	default:
		head, err := wav.Head(p.kind, ref.Size)
		if err != nil {
			return nil, errNotPlayed
		}
		p.kind, p.head = "audio/wav", head
	}
	p.size = int64(len(p.head)) + ref.Size - p.from
	return p, nil
}

// ReadAt reads it as it is played.
func (p *playing) ReadAt(b []byte, at int64) (n int, err error) {
	if at < int64(len(p.head)) {
		n = copy(b, p.head[at:])
	}
	if n == len(b) {
		return n, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.content.Seek(at+int64(n)-int64(len(p.head))+p.from, io.SeekStart); err != nil {
		return n, err
	}
	m, err := io.ReadFull(p.content, b[n:])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n + m, err
}

// playKey is what is written down once: who plays what, and why.
type playKey struct {
	who string
	id  tandem.BlobID
	why string
}

// plays are the recordings that are being played. Its zero value is ready.
type plays struct {
	mu sync.Mutex
	by map[playKey]*playing
}

// of is one that is being played, or begins it. Leave it afterwards.
func (s *plays) of(key playKey, begin func() (*playing, error)) (*playing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.by[key]
	if p == nil {
		if len(s.by) >= mostPlaying {
			return nil, tandem.Errorf(tandem.CodeUnavailable, "%d recordings are being played; try again in some minutes", mostPlaying)
		}
		var err error
		if p, err = begin(); err != nil {
			return nil, err
		}
		if s.by == nil {
			s.by = map[playKey]*playing{}
		}
		s.by[key] = p
		time.AfterFunc(playTime, func() { s.end(key, p) })
	}
	p.users++
	return p, nil
}

// end has one begin anew that is asked for again.
func (s *plays) end(key playKey, p *playing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[key] == p {
		delete(s.by, key)
	}
	p.over = true
	s.close(p)
}

func (s *plays) leave(p *playing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.users--
	s.close(p)
}

// close closes one that nobody uses any more. The lock is held.
func (s *plays) close(p *playing) {
	if p.over && p.users == 0 {
		p.content.Close()
	}
}
