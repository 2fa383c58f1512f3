package video

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem/media/rtp"
)

// TestTogether has everything happen at once: what each viewer gets has no gap and is never
// of a source it does not show.
func TestTogether(t *testing.T) {
	sources := make([]*Source, 2)
	cameras := [2][2]*camera{{newCamera(10, 640, 480), newCamera(11, 320, 240)}, {newCamera(20, 640, 480), newCamera(21, 320, 240)}}
	var wishes [2][2]atomic.Bool
	var all, pages sync.WaitGroup
	stop := make(chan struct{})
	var ticks atomic.Int64
	now := func() time.Time { return time.Unix(0, ticks.Add(int64(5*time.Millisecond))) } // a second is soon over
	for i := range sources {
		sources[i] = NewSource(SourceOptions{Layers: 2, Now: now, Key: func(layer int) { wishes[i][layer].Store(true) }})
		for layer := range 2 {
			wishes[i][layer].Store(true)
			pages.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					for _, b := range cameras[i][layer].shoot(wishes[i][layer].Swap(false)) {
						sources[i].Packet(layer, b)
					}
				}
			})
		}
	}
	var switched atomic.Int64
	for n := range 3 {
		all.Go(func() {
			var shows atomic.Int64 // 10 and 20 are the first digits of ssrcs
			var last *rtp.Header
			wrote := make(chan struct{}, 1)
			k := NewSink(SinkOptions{Now: now, Write: func(h *rtp.Header, payload []byte) error {
				select {
				case wrote <- struct{}{}:
				default:
				}
				if last != nil && h.Seq != last.Seq+1 {
					t.Errorf("number %d after %d", h.Seq, last.Seq)
				}
				last = &rtp.Header{Seq: h.Seq}
				if d, _ := parse(payload); d.start {
					if _, ssrc := stamp(payload[d.size:]); int64(ssrc/10) != shows.Load() {
						t.Errorf("a packet of %d while it shows %d", ssrc, shows.Load())
					}
				}
				return nil
			}})
			for i := range 30 {
				k.Show(nil)
				select {
				case <-wrote:
				default:
				}
				shows.Store(int64(i%2 + 1))
				k.Show(sources[i%2])
				k.Budget([]int{1000, 1 << 40}[i%3%2])
				k.Key()
				k.Loss(float64(n) / 10)
				sources[i%2].Figures()
				<-wrote
			}
			k.Close()
			switched.Add(int64(k.Figures().Switches))
		})
	}
	all.Go(func() {
		for i := range 100 {
			sources[i%2].Allow(i%4 > 1)
		}
		sources[0].Allow(true)
		sources[1].Allow(true)
	})
	all.Go(func() {
		for range 20 {
			frames := 0
			sources[0].Tap(func(f Frame) {
				if frames++; frames == 1 && !f.Key {
					t.Error("a tap begins without a keyframe")
				}
			})()
		}
	})
	all.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if f, err := sources[0].Still(ctx); err != nil || !f.Key || !slices.Contains([]int{320, 640}, f.Width) {
		t.Errorf("a still afterwards: %d by %d, %v", f.Width, f.Height, err)
	}
	close(stop)
	pages.Wait()
	for i, s := range sources {
		if f := s.Figures(); f.Lost > 0 || f.Broken > 0 || len(s.sinks) > 0 || len(s.taps) > 0 {
			t.Errorf("source %d: %+v, %d sinks, %d taps", i, f, len(s.sinks), len(s.taps))
		}
		s.Close()
	}
	if switched.Load() < 90 {
		t.Errorf("%d switches of 3 viewers who were shown 30 sources each", switched.Load())
	}
}

// When Allow(false) and Close have returned, nothing is being written.
func TestNothingMovesAfterwards(t *testing.T) {
	for name, end := range map[string]func(*Source, *Sink){
		"forbidden": func(s *Source, _ *Sink) { s.Allow(false) },
		"closed":    func(s *Source, _ *Sink) { s.Close() },
		"not shown": func(_ *Source, k *Sink) { k.Show(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			cam := newCamera(1, 640, 480)
			s := NewSource(SourceOptions{})
			defer s.Close()
			s.Allow(true)
			var over atomic.Bool
			writing := make(chan struct{}, 1)
			k := NewSink(SinkOptions{Write: func(*rtp.Header, []byte) error {
				select {
				case writing <- struct{}{}:
				default:
				}
				if over.Load() {
					t.Error("a packet afterwards")
				}
				return nil
			}})
			k.Show(s)
			stop, rounds := make(chan struct{}), make(chan struct{}, 1)
			var page sync.WaitGroup
			page.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						for _, b := range cam.shoot(true) {
							s.Packet(0, b)
						}
						select {
						case rounds <- struct{}{}:
						default:
						}
					}
				}
			})
			<-writing
			end(s, k)
			over.Store(true)
			for range 100 {
				<-rounds
			}
			close(stop)
			page.Wait()
		})
	}
}
