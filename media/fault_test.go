package media

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/media/codec"
)

// record is a log that a test reads.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// A panic in whatever the shard does for a stream ends that stream: its owner sees
// it, and the other one on the same shard goes on.
func TestPanicEndsOneStream(t *testing.T) {
	tone := Tone(440, 60_000)
	for name, inject := range map[string]func(t *testing.T, s *Stream, p *phone){
		"a command": func(_ *testing.T, s *Stream, _ *phone) {
			_ = s.call(func() { panic("injected") })
		},
		"a frame to send": func(_ *testing.T, s *Stream, _ *phone) {
			_ = s.post(func() { s.items = []playing{{Item: Item{Clips: []*Clip{tone}}, offset: 1 << 40}} })
		},
		"a packet that came": func(_ *testing.T, s *Stream, p *phone) {
			broken := &Stream{set: true, params: Params{Send: true}, remote: address{size: 1}, recordings: []*Recording{nil}}
			_ = s.call(func() { s.peer = broken; s.shard.joined += 2 })
			p.speak(1, 440)
		},
	} {
		t.Run(name, func(t *testing.T) {
			log := &record{}
			e := newEngine(t, Config{Shards: 1, Log: slog.New(slog.NewTextHandler(log, nil))})
			s, p := call(t, e, codec.PCMU)
			other, q := call(t, e, codec.PCMU)
			if err := other.Play(Item{ID: 1, Clips: []*Clip{tone}}); err != nil {
				t.Fatal(err)
			}
			rec := s.Record(io.Discard, true)
			p.next()
			inject(t, s, p)
			for late := time.After(patience); ; {
				select {
				case _, open := <-s.Events():
					if open {
						continue
					}
				case <-late:
					t.Fatal("the owner was not told")
				}
				break
			}
			q.waitTone(440, codec.PCMU)
			q.press('7')
			if k := nextEvent[Key](t, other); k.Digit != '7' {
				t.Errorf("the other stream heard %c", k.Digit)
			}
			if err := s.Play(Item{ID: 2, Clips: []*Clip{tone}}); err != nil {
				t.Errorf("playing on what has failed: %v", err)
			}
			s.Set(params(p, codec.PCMU))
			s.Stop()
			if _, err := Join(other, s); err == nil {
				t.Error("what has failed was joined")
			}
			if _, err := rec.Stop(); err != nil {
				t.Errorf("what was recorded: %v", err)
			}
			sent := s.Stats().Sent
			q.hear(10, codec.PCMU)
			if st := s.Close(); st.Sent != sent {
				t.Error("it still sends")
			}
			if n := strings.Count(log.String(), "stack="); e.panics.Load() != 1 || n != 1 {
				t.Errorf("counted %d times, logged %d times", e.panics.Load(), n)
			}
			if e.Load().Streams != 1 {
				t.Error("its port was not given back")
			}
		})
	}
}

// explosive is a recording's writer that panics.
type explosive struct{}

func (explosive) Write([]byte) (int, error) { panic("injected") }

func TestPanicEndsOneRecording(t *testing.T) {
	log := &record{}
	e := newEngine(t, Config{Log: slog.New(slog.NewTextHandler(log, nil))})
	s, p := call(t, e, codec.PCMU)
	rec := s.Record(explosive{}, false)
	p.speak(100, 440)
	p.press('5')
	if k := nextEvent[Key](t, s); k.Digit != '5' {
		t.Errorf("heard %c", k.Digit)
	}
	if _, err := rec.Stop(); err == nil || !strings.Contains(err.Error(), "fault of ours") {
		t.Errorf("the recording ended with %v", err)
	}
	p.press('6')
	if k := nextEvent[Key](t, s); k.Digit != '6' {
		t.Errorf("after it, heard %c", k.Digit)
	}
	if n := strings.Count(log.String(), "stack="); e.panics.Load() != 1 || n != 1 {
		t.Errorf("counted %d times, logged %d times", e.panics.Load(), n)
	}
}
