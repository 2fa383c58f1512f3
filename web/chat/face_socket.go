package chat

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"

	"tandem"
	"tandem/bridge/chat"
	"tandem/media/webrtc"
	"tandem/web/answer"
)

// Bounds of what is asked beside the text.
var (
	signRate = rate{"sign", 40, 100 * time.Millisecond} // signals, of one socket
	facings  = rate{"face", 20, time.Second / 2}        // commands, of one conversation
)

const (
	stillsPerHour = 60     // of one check
	maxAnswered   = 20_000 // commands whose answer is remembered; beyond that the oldest is forgotten
	maxCode       = 32     // bytes of a code that is typed
)

// facing asks the writer for voice, pictures and the check as they are.
type facing struct{}

// told is what the writer of a socket has told of them last.
type told struct {
	upgrade *upgradeFrame
	check   *checkFrame
}

// named is the name of a socket's page: its own, if it has a fair one, else one by chance.
func (s *socket) named(page string) string {
	if clientID(page) {
		return page
	}
	chance := make([]byte, 12)
	if _, err := io.ReadFull(s.door.o.Random, chance); err != nil {
		s.door.o.Log.Error("no name could be drawn for a page", "error", err)
	}
	return "." + base64.RawURLEncoding.EncodeToString(chance) // which no page can call itself
}

// gather makes a socket one of a conversation's.
func (d *Door) gather(id tandem.ConversationID, s *socket) {
	d.mu.Lock()
	if d.of[id] == nil {
		d.of[id] = map[*socket]struct{}{}
	}
	d.of[id][s] = struct{}{}
	d.mu.Unlock()
	if d.o.Face != nil {
		d.o.Face.Back(s.asPage(id))
	}
}

// part takes it off again, and tells if it was the last of its page.
func (d *Door) part(s *socket) {
	id := s.id.Load()
	if id == nil {
		return
	}
	d.mu.Lock()
	delete(d.of[*id], s)
	if len(d.of[*id]) == 0 {
		delete(d.of, *id)
	}
	last := d.newest(*id, s.page) == nil
	d.mu.Unlock()
	if last && d.o.Face != nil {
		d.o.Face.Gone(s.asPage(*id))
	}
}

// newest is the socket by which a page speaks now: the one that came last. d.mu is held.
func (d *Door) newest(id tandem.ConversationID, page string) (newest *socket) {
	for s := range d.of[id] {
		if s.page == page && (newest == nil || s.born > newest.born) {
			newest = s
		}
	}
	return newest
}

func (s *socket) asPage(id tandem.ConversationID) Page {
	return Page{Conversation: id, ID: s.page, Address: s.from.String()}
}

// Faced has the pages of a conversation told how voice, pictures and the check are now. It
// does not wait.
func (d *Door) Faced(id tandem.ConversationID) {
	d.mu.Lock()
	all := make([]*socket, 0, len(d.of[id]))
	for s := range d.of[id] {
		all = append(all, s)
	}
	d.mu.Unlock()
	for _, s := range all {
		s.push(facing{})
	}
}

// Signal tells a page something about one of its connections, voice or screen; nobody if it
// has no socket now. It does not wait.
func (d *Door) Signal(id tandem.ConversationID, page, conn string, sig webrtc.Signal) {
	d.mu.Lock()
	s := d.newest(id, page)
	d.mu.Unlock()
	if s != nil && (conn == kindVoice || conn == kindScreen) {
		s.push(signalFrame{conn, sig})
	}
}

// Page reports whether a page has a socket open.
func (d *Door) Page(id tandem.ConversationID, page string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.newest(id, page) != nil
}

// writeFace tells what has changed of voice, pictures and the check. It is looked up only
// now, so that what is written is never older than what was written before.
func (s *socket) writeFace() error {
	d := s.door
	ctx, cancel := context.WithTimeout(d.ctx, doTime)
	defer cancel()
	c, err := d.o.Book.Find(ctx, *s.id.Load())
	var u *Upgrade
	var may []tandem.Level
	var k *Check
	if err == nil && c.Interaction != "" {
		u, may, k, err = d.o.Face.Now(ctx, c)
	}
	if err != nil {
		d.o.Log.Warn("voice and pictures of a conversation could not be looked up", "conversation", *s.id.Load(), "error", err)
		return nil // they are told once they change
	}
	was := &s.faces
	up := &upgradeFrame{T: kindUpgrade, Upgrade: s.seen(u, was.upgrade), May: may}
	if was.upgrade == nil || !reflect.DeepEqual(up, was.upgrade) {
		if err := s.put(up); err != nil {
			return err
		}
		was.upgrade = up
	}
	if k != nil && k.over() && (was.check == nil || was.check.Check == nil || was.check.Check.ID != k.ID) {
		k = nil // it was over before this page came
	}
	check := &checkFrame{T: kindCheck, Check: k}
	if (was.check != nil || k != nil) && !reflect.DeepEqual(check, was.check) {
		if err := s.put(check); err != nil {
			return err
		}
		was.check = check
	}
	return nil
}

// seen is an upgrade as this page may see it.
func (s *socket) seen(u *Upgrade, was *upgradeFrame) *Upgrade {
	if u == nil {
		return nil
	}
	if u.over() && (was == nil || was.Upgrade == nil || was.Upgrade.ID != u.ID) {
		return nil // it was over before this page came
	}
	v := *u
	v.Yours = v.Page != "" && v.Page == s.page
	if !v.Yours {
		v.ICE = nil
	}
	if v.Who == nil {
		v.Who = []Seer{}
	}
	return &v
}

func (u *Upgrade) over() bool {
	switch u.State {
	case "asked", "agreed", "up":
		return false
	}
	return true
}

func (k *Check) over() bool {
	switch k.State {
	case "asked", "running", "broken", "second":
		return false
	}
	return true
}

// signal takes what the page tells of a connection.
func (s *socket) signal(ctx context.Context, in incoming) {
	id := s.id.Load()
	var sig webrtc.Signal
	no := refused{T: kindRefused, About: in.T}
	switch {
	case s.signs.take(signRate, s.door.o.Now()) > 0:
		no.Code, no.Message, no.RetryAfter = codeTooFast, wordsSignals, 1
	case s.door.o.Face == nil:
		no.Code, no.Message = codeBad, wordsNoFace
	case id == nil:
		no.Code, no.Message = codeAnother, wordsAnother
	case json.Unmarshal(in.Signal, &sig) != nil || sig.Kind == "":
		no.Code, no.Message = codeBad, wordsBad
	default:
		err := s.door.o.Face.Signal(ctx, s.asPage(*id), in.T, sig)
		if err == nil {
			return
		}
		no = s.refusedFace("", err)
		if no.About = in.T; no.Code == codeAnother {
			no.Message = wordsElsewhere
		}
	}
	s.push(no)
}

// face does a command about voice, pictures or a check, once for its id.
func (s *socket) face(ctx context.Context, in incoming) {
	d, id := s.door, s.id.Load()
	switch {
	case !clientID(in.ID):
		s.push(refusal("", codeBad, wordsBad, 0))
		return
	case d.o.Face == nil:
		s.push(refusal(in.ID, codeBad, wordsNoFace, 0))
		return
	case id == nil:
		s.push(refusal(in.ID, codeAnother, wordsAnother, 0))
		return
	}
	if wait := d.limits.take(facings, string(*id)); wait > 0 {
		s.push(refusal(in.ID, codeTooFast, wordsFast, wait))
		return
	}
	key := string(*id) + " " + in.T + " " + in.ID
	switch done, known := d.answered.begin(key); {
	case known && !done:
		s.push(refusal(in.ID, codeNotNow, wordsNotNow, time.Second))
		return
	case known:
		s.push(doneFrame{kindDone, in.ID})
		return
	}
	if err := s.faceOnce(ctx, key, *id, in); err != nil {
		s.push(s.refusedFace(in.ID, err))
		return
	}
	s.push(doneFrame{kindDone, in.ID})
}

// faceOnce is faceDo, and notes how it went before anybody is told.
func (s *socket) faceOnce(ctx context.Context, key string, id tandem.ConversationID, in incoming) (err error) {
	well := false
	defer func() { s.door.answered.settle(key, well) }() // a fault of ours forgets it, too
	err = s.faceDo(ctx, id, in)
	well = err == nil
	return err
}

// faceDo is one command.
func (s *socket) faceDo(ctx context.Context, id tandem.ConversationID, in incoming) error {
	f, page := s.door.o.Face, s.asPage(id)
	bad := &Refused{Code: codeBad, Message: wordsBad}
	lang, known := match([]string{in.Lang}, s.site.Languages)
	if !known {
		lang = s.lang
	}
	if in.T == kindCheck {
		o := CheckOrder{Do: in.Do, Check: in.Check, Lang: lang, Words: in.Words}
		switch in.Do {
		case "accept", "refuse", "stop":
		case "code":
			if wait := s.door.limits.take(coding, string(id)); wait > 0 {
				return &Refused{Code: codeTooFast, Message: wordsCodes, RetryAfter: wait}
			}
			if o.Text = strings.TrimSpace(in.Text); o.Text == "" || len(o.Text) > maxCode {
				return bad
			}
		default:
			return bad
		}
		if !tandem.ValidID(string(in.Check)) {
			return bad
		}
		return f.Check(ctx, page, o)
	}
	spoken := in.Level == tandem.LevelVoice || in.Level == tandem.LevelVideo
	switch in.Do {
	case "ask", "accept":
		if !spoken {
			return bad
		}
	case "change":
		if !spoken && in.Level != tandem.LevelText {
			return bad
		}
	case "refuse", "end":
	default:
		return bad
	}
	if in.Do != "ask" && !tandem.ValidID(string(in.Upgrade)) {
		return bad
	}
	return f.Upgrade(ctx, page, UpgradeOrder{Do: in.Do, Upgrade: in.Upgrade, Level: in.Level, Lang: lang, Words: in.Words})
}

// refusedFace tells the customer why something was not done.
func (s *socket) refusedFace(about string, err error) refused {
	var no *Refused
	if errors.As(err, &no) {
		return refusal(about, no.Code, no.Message, no.RetryAfter)
	}
	switch tandem.CodeOf(err) {
	case tandem.CodeConflict, tandem.CodeNotFound:
		return refusal(about, codeAnother, wordsAnother, 0)
	case tandem.CodeForbidden:
		return refusal(about, codeForbid, wordsForbidden, 0)
	case tandem.CodeInvalid:
		return refusal(about, codeBad, wordsBad, 0)
	case codeTooFast:
		return refusal(about, codeTooFast, wordsSignals, time.Second)
	case tandem.CodeUnavailable:
	default:
		if s.door.ctx.Err() == nil {
			s.door.o.Log.Error("what a customer asked of voice and pictures was not done", "conversation", *s.id.Load(), "error", err)
		}
	}
	return refusal(about, codeNotNow, wordsNotNow, 5*time.Second)
}

// answered is which commands were done lately: a page asks again after its line was cut,
// with the same id.
type answered struct {
	mu    sync.Mutex
	done  map[string]bool // false = it is being done
	order []string
}

func newAnswered() *answered { return &answered{done: map[string]bool{}} }

// begin notes that a command is being done, unless it is known.
func (a *answered) begin(key string) (done, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if done, known = a.done[key]; known {
		return done, true
	}
	if len(a.order) >= maxAnswered {
		delete(a.done, a.order[0])
		a.order = a.order[1:]
	}
	a.done[key] = false
	a.order = append(a.order, key)
	return false, false
}

// settle keeps that it was done; what was not may be asked again.
func (a *answered) settle(key string, well bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, kept := a.done[key]; !kept {
		return
	}
	if well {
		a.done[key] = true
		return
	}
	delete(a.done, key)
	for i := len(a.order) - 1; i >= 0; i-- {
		if a.order[i] == key {
			a.order = append(a.order[:i:i], a.order[i+1:]...)
			return
		}
	}
}

// postStill takes a page's own still of its camera for a step of a check.
func (d *Door) postStill(w http.ResponseWriter, r *http.Request, c chat.Conversation) {
	check, step := tandem.CheckID(r.PathValue("check")), r.PathValue("step")
	page := Page{Conversation: c.ID, ID: r.URL.Query().Get("page"), Address: d.source(r).String()}
	if d.o.Face == nil || !tandem.ValidID(string(check)) || c.Interaction == "" {
		answer.Refuse(w, http.StatusNotFound, "not_found", "There is no such check.")
		return
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "image/jpeg" {
		answer.Refuse(w, http.StatusUnsupportedMediaType, "not_picture", "Send a JPEG picture, with Content-Type: image/jpeg.")
		return
	}
	u, _, k, err := d.o.Face.Now(r.Context(), c)
	if err != nil {
		d.failed(w, r, err)
		return
	}
	if k == nil || k.ID != check {
		answer.Refuse(w, http.StatusNotFound, "not_found", "There is no such check.")
		return
	}
	if k.Capture == nil || k.Capture.Step != step || u == nil || u.over() || u.Page == "" || u.Page != page.ID {
		answer.Refuse(w, http.StatusConflict, "conflict", "No picture of this step is awaited from this page now.")
		return
	}
	if wait := d.limits.take(perHour("still", stillsPerHour), string(c.ID)+" "+string(check)); wait > 0 {
		tooMany(w, wait)
		return
	}
	data, ok := d.receive(w, r, c)
	if !ok {
		return
	}
	if !bytes.HasPrefix(data, []byte{0xff, 0xd8, 0xff}) {
		notPicture(w)
		return
	}
	if _, err := measure(data); err != nil {
		d.refusePicture(w, r, err)
		return
	}
	n, err := d.o.Face.Still(r.Context(), page, check, step, Still{Data: data, Camera: label(r.URL.Query().Get("camera"))})
	if err != nil {
		d.refuseStill(w, r, c, err)
		return
	}
	answer.JSON(w, http.StatusCreated, struct {
		N int `json:"n"`
	}{n})
}

// maxLabel is longer than the names of cameras, in characters.
const maxLabel = 100

// label is a camera's name as it can be shown.
func label(s string) string {
	out := []rune(strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return -1
	}, s))
	return strings.TrimSpace(string(out[:min(len(out), maxLabel)]))
}

func (d *Door) refuseStill(w http.ResponseWriter, r *http.Request, c chat.Conversation, err error) {
	switch tandem.CodeOf(err) {
	case tandem.CodeConflict, tandem.CodeNotFound:
		answer.Refuse(w, http.StatusConflict, "conflict", "No picture of this step is awaited from this page now.")
	case tandem.CodeUnavailable:
		w.Header().Set("Retry-After", "5")
		answer.Refuse(w, http.StatusServiceUnavailable, "unavailable", "This cannot be kept now. Try again in a moment.")
	default:
		d.refuse(w, r, c, err)
	}
}
