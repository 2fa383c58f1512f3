package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"

	"github.com/pion/interceptor"
	pion "github.com/pion/webrtc/v4"

	"tandem/media"
	"tandem/media/video"
	"tandem/media/webrtc"
)

// forwarder is one of the two servers that are compared.
type forwarder interface {
	camera(offer string) (answer string, err error)
	viewer(offer string, sees int) (answer string, err error)
	close() error
}

// serve carries out orders until they end.
func serve(kind string, from io.Reader, to io.Writer) error {
	open := map[string]func() (forwarder, error){"bare": newBare, "tandem": newTandem}[kind]
	if open == nil {
		return fmt.Errorf("there is no forwarder %q", kind)
	}
	f, err := open()
	if err != nil {
		return err
	}
	orders, replies := json.NewDecoder(from), json.NewEncoder(to)
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			return f.close()
		}
		var r reply
		if o.Camera != "" {
			r.Answer, err = f.camera(o.Camera)
		} else {
			r.Answer, err = f.viewer(o.Viewer, o.Sees)
		}
		if err != nil {
			r.Error = err.Error()
		}
		if err := replies.Encode(r); err != nil {
			return errors.Join(err, f.close())
		}
	}
}

// tandem is this project's server.
type tandem struct {
	engine  *media.Engine
	server  *webrtc.Server
	cameras []*webrtc.Screen
}

func newTandem() (forwarder, error) {
	home := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	e, err := media.NewEngine(media.Config{Address: home, Shards: 1})
	if err != nil {
		return nil, err
	}
	s, err := webrtc.New(webrtc.Config{Listen: "127.0.0.1:0", Engine: e})
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return &tandem{engine: e, server: s}, nil
}

func (f *tandem) camera(offer string) (string, error) {
	var answer string
	p, err := f.server.NewScreen(webrtc.ScreenOptions{ID: "camera", Camera: true, Slots: slots, Send: answers(&answer)})
	if err != nil {
		return "", err
	}
	f.cameras = append(f.cameras, p)
	return take(p, offer, &answer)
}

func (f *tandem) viewer(offer string, sees int) (string, error) {
	var answer string
	p, err := f.server.NewScreen(webrtc.ScreenOptions{ID: "viewer", Slots: slots, Send: answers(&answer)})
	if err != nil {
		return "", err
	}
	p.Show([]video.Shown{{ID: "camera", Source: f.cameras[sees].Camera()}})
	return take(p, offer, &answer)
}

// answers notes an answer, which is sent before Take returns.
func answers(to *string) func(webrtc.Signal) {
	return func(s webrtc.Signal) {
		if s.Kind == webrtc.KindAnswer {
			*to = s.SDP
		}
	}
}

func take(p *webrtc.Screen, offer string, answer *string) (string, error) {
	err := p.Take(context.Background(), webrtc.Signal{Kind: webrtc.KindOffer, SDP: offer})
	return *answer, err
}

func (f *tandem) close() error { return errors.Join(f.server.Close(), f.engine.Close()) }

// bare is pion, and a loop for each track.
type bare struct {
	api *pion.API
	all []*pion.PeerConnection
	out []*fan
}

// fan is one camera's track and those who see it.
type fan struct {
	mu sync.Mutex
	to []*pion.TrackLocalStaticRTP
}

func newBare() (forwarder, error) {
	m := &pion.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	more := &interceptor.Registry{}
	if err := pion.RegisterDefaultInterceptors(m, more); err != nil {
		return nil, err
	}
	return &bare{api: pion.NewAPI(pion.WithMediaEngine(m), pion.WithInterceptorRegistry(more), pion.WithSettingEngine(settings()))}, nil
}

func (f *bare) open() (*pion.PeerConnection, error) {
	pc, err := f.api.NewPeerConnection(pion.Configuration{})
	if err == nil {
		f.all = append(f.all, pc)
	}
	return pc, err
}

func (f *bare) camera(offer string) (string, error) {
	pc, err := f.open()
	if err != nil {
		return "", err
	}
	out := &fan{}
	f.out = append(f.out, out)
	pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
		b := make([]byte, 1500)
		for {
			n, _, err := t.Read(b)
			if err != nil {
				return
			}
			out.mu.Lock()
			for _, to := range out.to {
				_, _ = to.Write(b[:n]) // a viewer that has gone takes none
			}
			out.mu.Unlock()
		}
	})
	return answer(pc, offer)
}

func (f *bare) viewer(offer string, sees int) (string, error) {
	pc, err := f.open()
	if err != nil {
		return "", err
	}
	t, err := pion.NewTrackLocalStaticRTP(vp8.RTPCodecCapability, "camera", "bare")
	if err != nil {
		return "", err
	}
	s, err := pc.AddTrack(t)
	if err != nil {
		return "", err
	}
	go func() {
		b := make([]byte, 1500)
		for {
			if _, _, err := s.Read(b); err != nil {
				return
			}
		}
	}()
	out := f.out[sees]
	out.mu.Lock()
	out.to = append(out.to, t)
	out.mu.Unlock()
	return answer(pc, offer)
}

func answer(pc *pion.PeerConnection, offer string) (string, error) {
	if err := pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	a, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(a); err != nil {
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

func (f *bare) close() error {
	var errs []error
	for _, pc := range f.all {
		errs = append(errs, pc.GracefulClose())
	}
	return errors.Join(errs...)
}
