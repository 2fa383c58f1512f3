package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/media/webrtc"
)

// face plays voice, pictures and checks: one page has the media, and only it is heard.
type face struct {
	mu      sync.Mutex
	upgrade *Upgrade
	may     []tandem.Level
	check   *Check
	asked   []string
	fail    error
	wait    chan struct{} // nil, or what a command waits for, once it has said that it began
	began   chan struct{}
	told    chan string // Gone and Back
	stills  [][]byte
}

var _ Face = (*face)(nil)

func newFace() *face { return &face{told: make(chan string, 64), began: make(chan struct{}, 1)} }

func (f *face) note(format string, args ...any) error {
	f.mu.Lock()
	wait := f.wait
	began := f.began
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
	err := f.fail
	f.mu.Unlock()
	if wait != nil {
		began <- struct{}{}
		<-wait
	}
	return err
}

func (f *face) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *face) set(u *Upgrade, k *Check) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.upgrade, f.check = u, k
}

func (f *face) Upgrade(_ context.Context, p Page, o UpgradeOrder) error {
	return f.note("upgrade %s %s %s %s", p.ID, o.Do, o.Level, o.Lang)
}

func (f *face) Check(_ context.Context, p Page, o CheckOrder) error {
	return f.note("check %s %s %q %s", p.ID, o.Do, o.Text, o.Lang)
}

func (f *face) Signal(_ context.Context, p Page, conn string, s webrtc.Signal) error {
	f.mu.Lock()
	u := f.upgrade
	f.mu.Unlock()
	if u == nil || u.Page != p.ID {
		return tandem.Errorf(tandem.CodeConflict, "another page has the media")
	}
	return f.note("%s %s %s", conn, p.ID, s.Kind)
}

func (f *face) Still(_ context.Context, p Page, check tandem.CheckID, step string, s Still) (int, error) {
	if err := f.note("still %s %s %q", p.ID, step, s.Camera); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stills = append(f.stills, s.Data)
	return f.check.Capture.N, nil
}

func (f *face) Now(context.Context, chat.Conversation) (*Upgrade, []tandem.Level, *Check, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.upgrade, f.may, f.check, nil
}

func (f *face) Gone(p Page) { f.told <- "gone " + p.ID }
func (f *face) Back(p Page) { f.told <- "back " + p.ID }

// faced is a frame about voice, pictures or a check.
type faced struct {
	T       string         `json:"t"`
	ID      string         `json:"id"`
	Code    string         `json:"code"`
	About   string         `json:"about"`
	Upgrade *Upgrade       `json:"upgrade"`
	May     []tandem.Level `json:"may"`
	Check   *Check         `json:"check"`
	Signal  webrtc.Signal  `json:"signal"`
}

// face reads frames up to one of a kind.
func (w *wire) face(kind string) (f faced) {
	w.h.Helper()
	for range 100 {
		ctx, cancel := context.WithTimeout(w.h.Context(), 20*time.Second)
		_, data, err := w.conn.Read(ctx)
		cancel()
		w.h.must(err)
		f = faced{}
		w.h.must(json.Unmarshal(data, &f))
		if f.T == kind {
			return f
		}
	}
	w.h.Fatalf("%s never came", kind)
	return f
}

// asks sends a command and returns its answer.
func (w *wire) asks(f map[string]any) faced {
	w.h.Helper()
	w.send(f)
	for {
		ctx, cancel := context.WithTimeout(w.h.Context(), 20*time.Second)
		_, data, err := w.conn.Read(ctx)
		cancel()
		w.h.must(err)
		var got faced
		w.h.must(json.Unmarshal(data, &got))
		if (got.T == kindDone || got.T == kindRefused) && (got.ID == f["id"] || f["id"] == nil) {
			return got
		}
	}
}

const (
	anUpgrade = "01h00000000000000000000001"
	aCheck    = "01h00000000000000000000002"
)

func agreed(page string) *Upgrade {
	return &Upgrade{ID: anUpgrade, State: "agreed", By: "agent", Level: tandem.LevelVideo, Agreed: tandem.LevelVideo, Page: page, ICE: []webrtc.ICEServer{{URLs: []string{"stun:x"}}}}
}

// faceHouse is a house with a face, and a conversation in which two pages look.
func faceHouse(t *testing.T) (h *house, f *face, one, two *wire, id tandem.ConversationID, token string) {
	t.Helper()
	f = newFace()
	h = newHouse(t, func(o *Options) { o.Face = f })
	first, id, token := h.begun()
	first.cut()
	for _, p := range []struct {
		page string
		to   **wire
	}{{"p-1", &one}, {"p-2", &two}} {
		w := h.dial(map[string]any{"token": token, "after": 1, "page": p.page})
		w.face(kindCaughtUp)
		*p.to = w
	}
	return h, f, one, two, id, token
}

// TestFaceIsToldToAll: what is of a conversation is told to all of its pages, the media to one
// alone, and what is over is told once.
func TestFaceIsToldToAll(t *testing.T) {
	h, f, one, two, id, token := faceHouse(t)
	f.mu.Lock()
	f.may = []tandem.Level{tandem.LevelVoice}
	f.mu.Unlock()
	u := agreed("")
	u.State, u.Until, u.Text = "asked", time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), map[string]string{"en": "Mei would like to see you.", "zh-CN": "x"}
	f.set(u, nil)
	h.door.Faced(id)
	for _, w := range []*wire{one, two} {
		if got := w.face(kindUpgrade); got.Upgrade == nil || got.Upgrade.State != "asked" || got.Upgrade.Yours || got.Upgrade.ICE != nil || len(got.May) != 1 || got.Upgrade.Text["zh-CN"] != "x" {
			t.Errorf("%+v", got)
		}
	}
	f.set(agreed("p-2"), nil)
	h.door.Faced(id)
	if got := one.face(kindUpgrade).Upgrade; got.Yours || got.ICE != nil || got.State != "agreed" {
		t.Errorf("the other page is told %+v", got)
	}
	if got := two.face(kindUpgrade).Upgrade; !got.Yours || len(got.ICE) != 1 {
		t.Errorf("the page that answered is told %+v", got)
	}
	late := h.dial(map[string]any{"token": token, "after": 1, "page": "p-3"})
	if got := late.face(kindUpgrade).Upgrade; got == nil || got.Yours || got.State != "agreed" {
		t.Errorf("who comes later is told %+v", got)
	}
	late.face(kindCaughtUp)

	h.door.Signal(id, "p-2", kindScreen, webrtc.Signal{Kind: webrtc.KindAnswer, SDP: "v=0"})
	h.door.Signal(id, "p-2", "elsewhere", webrtc.Signal{Kind: webrtc.KindBye})
	h.door.Signal(id, "p-9", kindVoice, webrtc.Signal{Kind: webrtc.KindBye})
	h.door.Signal("01h00000000000000000000009", "p-2", kindVoice, webrtc.Signal{Kind: webrtc.KindBye})
	if got := two.face(kindScreen); got.Signal.SDP != "v=0" {
		t.Errorf("%+v", got)
	}
	over := agreed("p-2")
	over.State, over.Why = "over", "ended"
	f.set(over, &Check{ID: aCheck, State: "running", Round: 1, Steps: []CheckStep{}})
	h.door.Faced(id)
	for name, w := range map[string]*wire{"p-1": one, "p-2": two, "p-3": late} {
		w.send(map[string]any{"t": kindPing})
		var kinds []string
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, data, err := w.conn.Read(ctx)
			cancel()
			h.must(err)
			var got faced
			h.must(json.Unmarshal(data, &got))
			kinds = append(kinds, got.T)
			if got.T == kindUpgrade && (got.Upgrade == nil || got.Upgrade.State != "over" || got.Upgrade.Why != "ended") {
				t.Errorf("%s: %s", name, data)
			}
			if got.T == kindScreen || got.T == kindVoice {
				t.Errorf("%s got a signal of another page: %s", name, data)
			}
			if slices.Contains(kinds, kindPong) && slices.Contains(kinds, kindCheck) {
				break
			}
		}
		if !slices.Contains(kinds, kindUpgrade) {
			t.Errorf("%s was not told that it is over: %v", name, kinds)
		}
	}
	after := h.dial(map[string]any{"token": token, "after": 1})
	if got := after.face(kindUpgrade); got.Upgrade != nil {
		t.Errorf("who comes after the end is told %+v", got.Upgrade)
	}
	if got := after.face(kindCheck); got.Check == nil || got.Check.ID != aCheck {
		t.Errorf("%+v", got)
	}
}

// TestFaceComesBack: a page whose line broke goes on by its next socket, the newest, and is
// gone once the last is.
func TestFaceComesBack(t *testing.T) {
	h, f, one, two, id, token := faceHouse(t)
	two.cut()
	h.hears(f, "gone p-2")
	f.set(agreed("p-1"), nil)
	again := h.dial(map[string]any{"token": token, "after": 1, "page": "p-1"}) // the old one is cut, and not noticed
	if got := again.face(kindUpgrade).Upgrade; got == nil || !got.Yours {
		t.Fatalf("who comes back is told %+v", got)
	}
	again.face(kindCaughtUp)
	h.door.Signal(id, "p-1", kindVoice, webrtc.Signal{Kind: webrtc.KindRestart, Why: "network"})
	if got := again.face(kindVoice); got.Signal.Why != "network" {
		t.Errorf("%+v", got)
	}
	one.cut()
	again.send(map[string]any{"t": kindVoice, "signal": map[string]any{"kind": "offer", "sdp": "v=0"}})
	again.send(map[string]any{"t": kindPing})
	again.face(kindPong)
	if all := f.all(); len(all) == 0 || all[len(all)-1] != "voice p-1 offer" {
		t.Errorf("asked %v", all)
	}
	if !h.door.Page(id, "p-1") || h.door.Page(id, "p-2") {
		t.Error("the door does not know which pages are there")
	}
	again.cut()
	h.hears(f, "gone p-1")
}

// hears waits for what the face is told.
func (h *house) hears(f *face, want string) {
	h.Helper()
	for {
		select {
		case got := <-f.told:
			if got == want {
				return
			}
		case <-time.After(20 * time.Second):
			h.Fatalf("%q was not told", want)
		}
	}
}

// TestFaceCommands: what is asked comes through once for each id, with the language of the
// site, and nothing that is none.
func TestFaceCommands(t *testing.T) {
	_, f, one, two, _, _ := faceHouse(t)
	for i, c := range []struct {
		frame map[string]any
		want  string // what comes through; "" = nothing
		code  string // of the refusal; "" = it is done
	}{
		{map[string]any{"t": kindUpgrade, "do": "ask", "level": "video", "lang": "zh-Hans"}, "upgrade p-1 ask video zh-CN", ""},
		{map[string]any{"t": kindUpgrade, "do": "accept", "upgrade": anUpgrade, "level": "voice", "lang": "fr"}, "upgrade p-1 accept voice en", ""},
		{map[string]any{"t": kindUpgrade, "do": "refuse", "upgrade": anUpgrade}, "upgrade p-1 refuse  en", ""},
		{map[string]any{"t": kindUpgrade, "do": "change", "upgrade": anUpgrade, "level": "voice"}, "upgrade p-1 change voice en", ""},
		{map[string]any{"t": kindUpgrade, "do": "change", "upgrade": anUpgrade, "level": ""}, "upgrade p-1 change  en", ""},
		{map[string]any{"t": kindUpgrade, "do": "end", "upgrade": anUpgrade}, "upgrade p-1 end  en", ""},
		{map[string]any{"t": kindCheck, "do": "accept", "check": aCheck, "lang": "zh-CN"}, `check p-1 accept "" zh-CN`, ""},
		{map[string]any{"t": kindCheck, "do": "code", "check": aCheck, "text": " 123456 "}, `check p-1 code "123456" en`, ""},
		{map[string]any{"t": kindCheck, "do": "stop", "check": aCheck}, `check p-1 stop "" en`, ""},
		{map[string]any{"t": kindUpgrade, "do": "ask", "level": "hologram"}, "", codeBad},
		{map[string]any{"t": kindUpgrade, "do": "ask"}, "", codeBad},
		{map[string]any{"t": kindUpgrade, "do": "accept", "level": "voice"}, "", codeBad},
		{map[string]any{"t": kindUpgrade, "do": "accept", "upgrade": "../x", "level": "voice"}, "", codeBad},
		{map[string]any{"t": kindUpgrade, "do": "accept", "upgrade": anUpgrade, "level": ""}, "", codeBad},
		{map[string]any{"t": kindUpgrade, "do": "approve", "upgrade": anUpgrade}, "", codeBad}, // an agent's
		{map[string]any{"t": kindUpgrade}, "", codeBad},
		{map[string]any{"t": kindCheck, "do": "code", "check": aCheck, "text": strings.Repeat("1", 33)}, "", codeBad},
		{map[string]any{"t": kindCheck, "do": "code", "check": aCheck}, "", codeBad},
		{map[string]any{"t": kindCheck, "do": "decide", "check": aCheck, "outcome": "passed"}, "", codeBad}, // an officer's
		{map[string]any{"t": kindCheck, "do": "capture", "check": aCheck}, "", codeBad},
		{map[string]any{"t": kindCheck, "do": "accept", "check": ""}, "", codeBad},
	} {
		before := len(f.all())
		c.frame["id"] = fmt.Sprint("f-", i)
		got := one.asks(c.frame)
		if got.Code != c.code || (c.code == "") != (got.T == kindDone) {
			t.Errorf("%v is answered %+v", c.frame, got)
		}
		all := f.all()[before:]
		if c.want == "" && len(all) > 0 || c.want != "" && (len(all) != 1 || all[0] != c.want) {
			t.Errorf("%v came through as %q, want %q", c.frame, all, c.want)
		}
		if c.code == "" { // again, and from another page: done, not done twice
			if got := two.asks(c.frame); got.T != kindDone || len(f.all()) != before+1 {
				t.Errorf("%v again: %+v, %q", c.frame, got, f.all()[before:])
			}
		}
	}
	one.send(map[string]any{"t": kindUpgrade, "id": "a b", "do": "end", "upgrade": anUpgrade})
	if got := one.face(kindRefused); got.Code != codeBad || got.ID != "" {
		t.Errorf("an id that is none: %+v", got)
	}
}

// TestFaceRefusals: what goes wrong is said in words, may be asked again, and is not done
// twice at once.
func TestFaceRefusals(t *testing.T) {
	_, f, one, two, _, _ := faceHouse(t)
	end := func(id string) map[string]any {
		return map[string]any{"t": kindUpgrade, "id": id, "do": "end", "upgrade": anUpgrade}
	}
	for i, c := range []struct {
		err  error
		code string
	}{
		{tandem.Errorf(tandem.CodeConflict, "x"), codeAnother}, {tandem.Errorf(tandem.CodeNotFound, "x"), codeAnother}, {tandem.Errorf(tandem.CodeForbidden, "x"), codeForbid},
		{tandem.Errorf(tandem.CodeUnavailable, "x"), codeNotNow}, {tandem.Errorf(tandem.CodeInvalid, "x"), codeBad}, {&Refused{Code: "own", Message: words{"en": "No."}}, "own"},
		{errors.New("a fault"), codeNotNow},
	} {
		f.mu.Lock()
		f.fail = c.err
		f.mu.Unlock()
		id := fmt.Sprint("r-", i)
		if got := one.asks(end(id)); got.T != kindRefused || got.Code != c.code {
			t.Errorf("%v: %+v", c.err, got)
		}
		f.mu.Lock()
		f.fail = nil
		f.mu.Unlock()
		if got := one.asks(end(id)); got.T != kindDone {
			t.Errorf("asked again after %v: %+v", c.err, got)
		}
	}
	wait := make(chan struct{})
	f.mu.Lock()
	f.wait = wait
	f.mu.Unlock()
	before := len(f.all())
	one.send(end("twice"))
	<-f.began
	if got := two.asks(end("twice")); got.Code != codeNotNow || len(f.all()) != before+1 {
		t.Errorf("while it is done: %+v", got)
	}
	f.mu.Lock()
	f.wait = nil
	f.mu.Unlock()
	close(wait)
	if got := one.face(kindDone); got.ID != "twice" {
		t.Errorf("%+v", got)
	}
}

// TestSignalsHaveTheirOwnBound: a page without the media is refused, and one that signals too
// much is told so and goes on writing.
func TestSignalsHaveTheirOwnBound(t *testing.T) {
	h, f, _, _, _, token := faceHouse(t)
	f.set(agreed("p-1"), nil)
	still := h.now()
	h.door.o.Now = func() time.Time { return still } // no bucket fills
	one := h.dial(map[string]any{"token": token, "after": 1, "page": "p-1"})
	one.face(kindCaughtUp)
	two := h.dial(map[string]any{"token": token, "after": 1, "page": "p-2"})
	two.face(kindCaughtUp)
	offer := map[string]any{"t": kindScreen, "signal": map[string]any{"kind": "offer", "sdp": "v=0"}}
	if got := two.asks(offer); got.Code != codeAnother || got.About != kindScreen {
		t.Errorf("a page without the media: %+v", got)
	}
	for _, signal := range []any{nil, 1, "x", map[string]any{}, map[string]any{"kind": 5}, []int{}} {
		if got := two.asks(map[string]any{"t": kindVoice, "signal": signal}); got.Code != codeBad || got.About != kindVoice {
			t.Errorf("%v: %+v", signal, got)
		}
	}
	for range 40 {
		one.send(offer)
	}
	if got := one.asks(offer); got.Code != codeTooFast || got.About != kindScreen {
		t.Errorf("%+v", got)
	}
	signals := 0
	for _, a := range f.all() {
		if a == "screen p-1 offer" {
			signals++
		} else if strings.Contains(a, "p-2") {
			t.Errorf("a page without the media came through: %s", a)
		}
	}
	if signals != 40 {
		t.Errorf("%d signals came through, want 40", signals)
	}
	one.send(map[string]any{"t": kindSay, "id": "s", "text": "still here"})
	one.until("its message", func(f frame) bool { return f.ID == "s" })
}

// TestStrangersHaveNoFace: before there is a conversation nothing is asked, and where there is
// no face nothing is told.
func TestStrangersHaveNoFace(t *testing.T) {
	f := newFace()
	h := newHouse(t, func(o *Options) { o.Face = f })
	w := h.dial(map[string]any{"site": "bank", "page": "p-1"})
	w.face(kindCaughtUp)
	for _, kind := range []string{kindVoice, kindScreen} {
		if got := w.asks(map[string]any{"t": kind, "signal": map[string]any{"kind": "offer"}}); got.Code != codeAnother {
			t.Errorf("%s: %+v", kind, got)
		}
	}
	if got := w.asks(map[string]any{"t": kindUpgrade, "id": "a", "do": "ask", "level": "voice"}); got.Code != codeAnother {
		t.Errorf("%+v", got)
	}
	if all := f.all(); len(all) > 0 {
		t.Errorf("a stranger came through: %v", all)
	}
	without := newHouse(t, nil)
	w, _, token := without.begun()
	for _, frame := range []map[string]any{{"t": kindUpgrade, "id": "a", "do": "ask", "level": "voice"}, {"t": kindCheck, "id": "b", "do": "stop", "check": aCheck}, {"t": kindVoice, "signal": map[string]any{"kind": "offer"}}} {
		if got := w.asks(frame); got.Code != codeBad {
			t.Errorf("%v: %+v", frame, got)
		}
	}
	resp, _ := without.request("POST", "/api/v1/chat/stills/"+aCheck+"/front?page=p-1", nil, bearer(token), "Content-Type: image/jpeg")
	if resp.StatusCode != 404 {
		t.Errorf("a still where there is no face: %d", resp.StatusCode)
	}
}

// TestStills: a still is taken of the page that has the media, for the step that is awaited,
// as a picture, from a page of the site, and no more often than that.
func TestStills(t *testing.T) {
	h, f, _, _, _, token := faceHouse(t)
	var b bytes.Buffer
	h.must(jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 64, 48)), nil))
	picture := b.Bytes()
	f.set(agreed("p-1"), &Check{ID: aCheck, State: "running", Round: 1, Steps: []CheckStep{}, Capture: &CheckCapture{Step: "front", N: 3}})
	at := func(check, step, page string) string {
		return "/api/v1/chat/stills/" + check + "/" + step + "?page=" + page + "&camera=Front%0ACam%E2%80%AEera"
	}
	kind, from := "Content-Type: image/jpeg", "Origin: "+pageOrigin
	for _, c := range []struct {
		name, path string
		body       []byte
		headers    []string
		status     int
		code       string
	}{
		{"without a token", at(aCheck, "front", "p-1"), picture, []string{kind, from}, 401, "token"},
		{"another's token", at(aCheck, "front", "p-1"), picture, []string{kind, from, bearer("AAAAAAAAAAAAAAAAAAAAAA")}, 401, "token"},
		{"another site's page", at(aCheck, "front", "p-1"), picture, []string{kind, "Origin: https://shop.example:8443", bearer(token)}, 403, "origin"},
		{"no site's page", at(aCheck, "front", "p-1"), picture, []string{kind, "Origin: https://evil.example", bearer(token)}, 403, "origin"},
		{"another page", at(aCheck, "front", "p-2"), picture, []string{kind, from, bearer(token)}, 409, "conflict"},
		{"no page", at(aCheck, "front", ""), picture, []string{kind, from, bearer(token)}, 409, "conflict"},
		{"another step", at(aCheck, "back", "p-1"), picture, []string{kind, from, bearer(token)}, 409, "conflict"},
		{"another check", at(anUpgrade, "front", "p-1"), picture, []string{kind, from, bearer(token)}, 404, "not_found"},
		{"no check", at("x", "front", "p-1"), picture, []string{kind, from, bearer(token)}, 404, "not_found"},
		{"called a text", at(aCheck, "front", "p-1"), picture, []string{"Content-Type: text/html", from, bearer(token)}, 415, "not_picture"},
		{"a text", at(aCheck, "front", "p-1"), []byte("<script>"), []string{kind, from, bearer(token)}, 415, "not_picture"},
		{"half a head", at(aCheck, "front", "p-1"), picture[:8], []string{kind, from, bearer(token)}, 415, "not_picture"},
		{"too much", at(aCheck, "front", "p-1"), make([]byte, maxUpload+1), []string{kind, from, bearer(token)}, 413, "too_large"},
		{"as it should be", at(aCheck, "front", "p-1"), picture, []string{kind, from, bearer(token)}, 201, ""},
	} {
		resp, data := h.request("POST", c.path, c.body, c.headers...)
		if resp.StatusCode != c.status || c.code != "" && problem(data) != c.code {
			t.Errorf("%s: %d %s", c.name, resp.StatusCode, data)
		}
	}
	if len(f.stills) != 1 || !bytes.Equal(f.stills[0], picture) {
		t.Errorf("%d stills came through", len(f.stills))
	}
	if all := f.all(); all[len(all)-1] != `still p-1 front "FrontCamera"` {
		t.Errorf("asked %q", all)
	}
	resp, _ := h.request("OPTIONS", at(aCheck, "front", "p-1"), nil, from, "Access-Control-Request-Method: POST")
	if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Origin") != pageOrigin {
		t.Errorf("preflight: %d %v", resp.StatusCode, resp.Header)
	}
	still := h.now()
	h.door.o.Now, h.door.limits.now = func() time.Time { return still }, func() time.Time { return still }
	last := 0
	for range stillsPerHour + 1 {
		resp, _ := h.request("POST", at(aCheck, "front", "p-1"), picture, kind, from, bearer(token))
		last = resp.StatusCode
	}
	if last != 429 {
		t.Errorf("more stills than an hour's: %d", last)
	}
}
