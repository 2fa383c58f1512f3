package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"

	"tandem"
	"tandem/bridge/phone"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/media/codec"
	"tandem/media/dtmf"
	"tandem/media/webrtc"
	"tandem/store"
	"tandem/store/staff"
)

// person is somebody of staff at a page: a socket of the desk, and a microphone.
type person struct {
	t    *testing.T
	name string
	conn *websocket.Conn
	pc   *pion.PeerConnection

	mu     sync.Mutex
	frames []string // all that came by the socket
	audio  []byte   // µ-law that came, in order
	other  int      // packets of another kind: keys
	news   chan struct{}
}

// sits logs somebody in and connects the socket and the microphone of their page.
func (s *server) sits(t *testing.T, name string, role staff.Role) *person {
	t.Helper()
	c := s.login(t, name, role)
	p := &person{t: t, name: name, news: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	p.conn, _, err = websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.base, "http")+"/api/v1/desk/socket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Cookie": {c.cookie}, "Origin": {c.base}}, Subprotocols: []string{"tandem.desk.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.conn.SetReadLimit(1 << 20)
	var reading sync.WaitGroup
	reading.Go(p.read)
	t.Cleanup(func() {
		p.conn.CloseNow()
		if p.pc != nil {
			_ = p.pc.GracefulClose()
		}
		reading.Wait()
	})
	p.send(map[string]any{"t": "hello"})
	p.frame("welcome", "")
	p.speaks()
	return p
}

// read takes all frames down, and the server's answers to the microphone's offer.
func (p *person) read() {
	for {
		_, data, err := p.conn.Read(context.Background())
		if err != nil {
			return
		}
		var f struct {
			T      string        `json:"t"`
			Signal webrtc.Signal `json:"signal"`
		}
		if json.Unmarshal(data, &f) == nil && f.T == "voice" && f.Signal.Kind == webrtc.KindAnswer {
			_ = p.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: f.Signal.SDP})
		}
		p.mu.Lock()
		p.frames = append(p.frames, string(data))
		p.tell()
		p.mu.Unlock()
	}
}

func (p *person) tell() {
	close(p.news)
	p.news = make(chan struct{})
}

func (p *person) send(v any) {
	p.t.Helper()
	data, err := json.Marshal(v)
	if err == nil {
		err = p.conn.Write(p.t.Context(), websocket.MessageText, data)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// until waits until is says so of what came; the lock is held.
func (p *person) until(what string, is func() bool) {
	p.t.Helper()
	limit := time.After(patience)
	for {
		p.mu.Lock()
		ok, news := is(), p.news
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-limit:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("%s: never %s; the frames are %s", p.name, what, strings.Join(p.frames, "\n"))
		}
	}
}

// frame waits for a frame of a kind with some words in it.
func (p *person) frame(kind, words string) {
	p.t.Helper()
	p.until("a frame "+kind+" with "+words, func() bool {
		return slices.ContainsFunc(p.frames, func(f string) bool { return strings.Contains(f, `"t":"`+kind+`"`) && strings.Contains(f, words) })
	})
}

// speaks connects the microphone, which is silent, and the loudspeaker, whose packets are
// taken down.
func (p *person) speaks() {
	p.t.Helper()
	m := &pion.MediaEngine{}
	for kind, pt := range map[string]pion.PayloadType{pion.MimeTypePCMU: 0, "audio/telephone-event": 101} {
		c := pion.RTPCodecParameters{RTPCodecCapability: pion.RTPCodecCapability{MimeType: kind, ClockRate: codec.Rate}, PayloadType: pt}
		if err := m.RegisterCodec(c, pion.RTPCodecTypeAudio); err != nil {
			p.t.Fatal(err)
		}
	}
	mute := logging.NewDefaultLoggerFactory()
	mute.Writer = io.Discard
	e := pion.SettingEngine{LoggerFactory: mute}
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4})
	pc, err := pion.NewAPI(pion.WithMediaEngine(m), pion.WithSettingEngine(e)).NewPeerConnection(pion.Configuration{})
	if err != nil {
		p.t.Fatal(err)
	}
	mic, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: codec.Rate}, "mic", "page")
	if err == nil {
		_, err = pc.AddTrack(mic)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
		for {
			packet, _, err := t.ReadRTP()
			if err != nil && pc.ConnectionState() != pion.PeerConnectionStateConnected {
				return
			}
			p.mu.Lock()
			if err == nil && packet.PayloadType == 0 {
				p.audio = append(p.audio, packet.Payload...)
			} else {
				p.other++
			}
			p.tell()
			p.mu.Unlock()
		}
	})
	up := make(chan struct{})
	pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
		if s == pion.PeerConnectionStateConnected {
			close(up)
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		p.t.Fatal(err)
	}
	<-gathered
	p.pc = pc
	p.send(map[string]any{"t": "voice", "seat": "s1", "signal": webrtc.Signal{Kind: webrtc.KindOffer, SDP: pc.LocalDescription().SDP, Mic: webrtc.MicOK}})
	select {
	case <-up:
	case <-time.After(patience):
		p.t.Fatalf("%s: the microphone was not connected", p.name)
	}
	over := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() { // silence: what is heard is the caller's
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		quiet := make([]byte, codec.FrameSamples)
		codec.PCMU.Fill(quiet)
		for n := uint16(0); ; n++ {
			select {
			case <-tick.C:
				head := rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * codec.FrameSamples}
				_ = mic.WriteRTP(&rtp.Packet{Header: head, Payload: quiet})
			case <-over:
				return
			}
		}
	})
	p.t.Cleanup(func() {
		close(over)
		sending.Wait()
	})
}

// pcm is what came to the loudspeaker since a mark.
func (p *person) pcm(since int) []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]int16, 0, len(p.audio)-since)
	for _, b := range p.audio[since:] {
		out = append(out, codec.PCMU.Linear(b))
	}
	return out
}

// mark is how much has come so far.
func (p *person) mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.audio)
}

// hears waits for a tone.
func (p *person) hears(hz int, since int) {
	p.t.Helper()
	limit := time.Now().Add(patience)
	for testkit.ToneTime(testkit.Transcript(p.pcm(since), hz), hz) < 300*time.Millisecond {
		if time.Now().After(limit) {
			p.t.Fatalf("%s hears %s and no %d Hz", p.name, testkit.Describe(testkit.Transcript(p.pcm(since), hz)), hz)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// keysIn are the keys whose tones are in what was heard or recorded.
func keysIn(pcm []int16) string {
	var d dtmf.Detector
	keys := ""
	d.Note(pcm, func(digit byte) { keys += string(digit) })
	return keys
}

// tonesOf are the tones of keys: 100 ms each, and as long a pause.
func tonesOf(keys string) (pcm []int16) {
	low, high := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477}
	for _, k := range keys {
		at := strings.IndexRune("123456789*0#", k)
		a, b := testkit.Tone(low[at/3], 100*time.Millisecond), testkit.Tone(high[at%3], 100*time.Millisecond)
		for i := range a {
			pcm = append(pcm, a[i]/2+b[i]/2)
		}
		pcm = append(pcm, make([]int16, len(a))...)
	}
	return append(pcm, make([]int16, 8*codec.Rate)...)
}

// secretFlow tells that it records, and asks for a card's number where an agent wants it.
const secretFlow = `start: tell
on_leave: left
vars:
  card: { type: digits, secret: true }
  pin: { type: digits, secret: ephemeral }
steps:
  tell: { say: { prompt: { en: { audio: low.wav } }, announces: recording, barge_in: none }, next: wish }
  wish:
    menu: { prompt: { en: { audio: high.wav } }, tries: 1, timeout: 60s, choices: [ { keys: "5", go: number }, { keys: "6", go: pin } ] }
    next: { no_input: end, no_match: end }
  number:
    collect: { prompt: { en: { audio: third.wav } }, into: card, digits: 12, tries: 1, timeout: 60s }
    next: { ok: bye, else: end }
  pin:
    collect: { prompt: { en: { audio: third.wav } }, into: pin, digits: 12, tries: 1, timeout: 60s }
    next: { ok: bye, else: end }
  bye: { say: { en: { audio: fourth.wav } }, next: end }
  left: { end: { reason: left } }
`

const secretPolicy = `queues: { cards: { teams: [day], target: { voice: 20s } } }
teams: { day: {} }
agents: { anna: { teams: [day] } }
policy: { wrap_up: { voice: 0s } }
`

// A card's number that the flow asks for while an agent has the caller, a supervisor listens
// and the call is recorded reaches none of them: not as tones, not as events, and it is
// written down nowhere, however it is keyed. Not even a digit too many does.
func TestASecretReachesNobodyInTheRoom(t *testing.T) {
	s := newServerWith(t, setup{
		flows: map[string]string{"secret": secretFlow}, files: map[string]string{"cards.queues.yaml": secretPolicy},
		entries: `{ "1": { flow: secret, record: true } }`, more: "line: { verify: true }\n",
		change: func(c *config.Config) {
			c.Limits.Late, c.Limits.CPU, c.Limits.StoreTime = 0, 0, 0
			c.WebRTC.Listen = "127.0.0.1:0"
		},
	})
	anna, lead := s.sits(t, "anna", staff.Agent), s.sits(t, "lead", staff.Supervisor)
	until(t, "anna to be reached", func() bool { a, _ := s.line.Agent("anna"); return a.Reachable[tandem.LoadVoice] })
	if _, err := s.line.Present(t.Context(), "anna", tandem.PresenceAway, ""); err != nil { // not to be offered anything
		t.Fatal(err)
	}
	told := make(chan Asked, 1)
	defer s.WatchAsked(func(a Asked) { told <- a })()
	for _, way := range []struct{ name, digits, step string }{
		{"rfc4733", "493827160549", "number"}, {"info", "731946285073", "number"}, {"inband", "826405917382", "number"}, {"ephemeral", "590318274695", "pin"},
	} {
		t.Run(way.name, func(t *testing.T) {
			from := "1390000" + way.digits[:4]
			d := s.peer(t).Call("1", testkit.Options{From: from, Change: func(m *testkit.Message) {
				if way.name == "inband" {
					body := strings.ReplaceAll(string(m.Body), " 101", "")
					body = strings.ReplaceAll(strings.ReplaceAll(body, "a=rtpmap:101 telephone-event/8000\r\n", ""), "a=fmtp:101 0-15\r\n", "")
					m.With("application/sdp", body)
				}
			}})
			d.RTP.Talk(testkit.Tone(callerHz, time.Second))
			d.RTP.Hear(patience, time.Time{}, 1130, 400*time.Millisecond)
			in := s.callFrom(t, from)
			heard := []int{anna.mark(), lead.mark()}
			task, err := s.TakeOver(t.Context(), in, "anna", "")
			if err != nil {
				t.Fatal(err)
			}
			anna.hears(callerHz, heard[0])
			if err := s.phones.Do(t.Context(), "lead", phone.Command{Interaction: in, Task: task.ID, Do: phone.Listen, Why: "a test"}); err != nil {
				t.Fatal(err)
			}
			lead.hears(callerHz, heard[1])
			if way.name == "inband" {
				d.RTP.Talk(make([]int16, codec.Rate))
			}
			if err := s.Ask(t.Context(), task, "anna", "secret/"+way.step); err != nil {
				t.Fatal(err)
			}
			asked := time.Now()
			d.RTP.Hear(patience, asked, 1600, 300*time.Millisecond)
			d.RTP.Hear(patience, time.Now(), 0, 300*time.Millisecond)
			heard = []int{anna.mark(), lead.mark()}
			const more = "77" // keyed after the last that was asked for
			switch way.name {
			case "info":
				for _, k := range []byte(way.digits + more) {
					d.Info(k, 100)
				}
			case "inband":
				d.RTP.Talk(tonesOf(way.digits + more))
			default:
				d.RTP.Type(way.digits + more)
			}
			select {
			case a := <-told:
				if a.Outcome != "ok" || a.Set["card"] != "•••" && a.Set["pin"] != "•••" || a.Agent != "anna" {
					t.Errorf("told %+v", a)
				}
			case <-time.After(patience):
				t.Fatal("the step never ended")
			}
			d.RTP.Talk(testkit.Tone(callerHz, time.Second))
			anna.hears(callerHz, heard[0]) // once it is over
			lead.hears(callerHz, heard[1])
			for i, p := range []*person{anna, lead} {
				if keys := keysIn(p.pcm(heard[i])); keys != "" {
					t.Errorf("%s heard the keys %q", p.name, keys)
				}
				p.mu.Lock()
				if p.other > 0 {
					t.Errorf("%s was sent %d packets of keys", p.name, p.other)
				}
				p.mu.Unlock()
			}
			if err := s.HandBack(t.Context(), task, "anna", "secret/bye"); err != nil {
				t.Fatal(err)
			}
			d.RTP.Hear(patience, time.Now(), 620, 300*time.Millisecond)
			d.WaitBye(patience)
			story := s.story(t, from)
			s.silentAbout(t, story, way.digits)
			for _, e := range story.Events {
				var pressed tandem.Pressed
				if e.Kind == tandem.EventInput && json.Unmarshal(e.Data, &pressed) == nil && pressed.Step == way.step && strings.Trim(pressed.Keys, "•") != "" {
					t.Errorf("the journal has the key %q", pressed.Keys)
				}
			}
			for _, p := range []*person{anna, lead} {
				p.mu.Lock()
				nowhere(t, "the socket of "+p.name, strings.Join(p.frames, "\n"), way.digits)
				p.mu.Unlock()
			}
			s.nowhereOnDisk(t, way.digits)
		})
	}
}

// callFrom is the interaction of a call that is up.
func (s *server) callFrom(t *testing.T, from string) (in tandem.InteractionID) {
	t.Helper()
	until(t, "the call to be there", func() bool {
		s.live.mu.Lock()
		defer s.live.mu.Unlock()
		for id, k := range s.live.calls {
			if k.leg.From == from {
				in = id
				return true
			}
		}
		return false
	})
	return in
}

// nowhere fails if six digits of a secret in a row stand in a text.
func nowhere(t *testing.T, where, text, secret string) {
	t.Helper()
	for i := 0; i+6 <= len(secret); i++ {
		if at := strings.Index(text, secret[i:i+6]); at >= 0 {
			t.Errorf("%s has %q of the secret: …%q…", where, secret[i:i+6], text[max(0, at-40):min(len(text), at+60)])
			return
		}
	}
}

// silentAbout searches what is kept of an interaction, opened: its journal, its record and
// its recordings.
func (s *server) silentAbout(t *testing.T, story store.Story, secret string) {
	t.Helper()
	text, err := json.Marshal(story)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range story.Events {
		text = append(text, e.Data...)
	}
	nowhere(t, "the journal", string(text), secret)
	if len(story.Blobs) == 0 {
		t.Error("the call was not recorded")
	}
	for _, b := range story.Blobs {
		r, ref, err := s.store.OpenBlob(t.Context(), b.ID, "tester", "a test")
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err == nil {
			err = r.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		sides := 1
		if strings.Contains(ref.MediaType, "channels=2") {
			sides = 2
		}
		for side := range sides {
			var pcm []int16
			for i := side; i < len(data); i += sides {
				pcm = append(pcm, codec.PCMU.Linear(data[i]))
			}
			if keys := keysIn(pcm); keys != "" {
				t.Errorf("a recording (%s, side %d) has the tones of the keys %q", ref.MediaType, side, keys)
			}
		}
	}
}

// nowhereOnDisk searches every file of the server, every row of its database and its log.
func (s *server) nowhereOnDisk(t *testing.T, secret string) {
	t.Helper()
	nowhere(t, "the log", s.log.String(), secret)
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			nowhere(t, "the file "+path, string(data), secret)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.store.View(t.Context(), func(tx store.Tx) error {
		var tables []string
		if err := tx.Each("SELECT name FROM sqlite_master WHERE type = 'table'", func(r store.Row) error { tables = append(tables, r.Text(0)); return nil }); err != nil {
			return err
		}
		for _, table := range tables {
			var columns []string
			if err := tx.Each("SELECT name FROM pragma_table_info(?)", func(r store.Row) error {
				columns = append(columns, fmt.Sprintf("CAST(%q AS TEXT)", r.Text(0)))
				return nil
			}, table); err != nil {
				return err
			}
			if len(columns) == 0 {
				continue
			}
			if err := tx.Each(fmt.Sprintf("SELECT %s FROM %q", strings.Join(columns, ", "), table), func(r store.Row) error {
				for i := range columns {
					nowhere(t, "the table "+table, r.Text(i), secret)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
