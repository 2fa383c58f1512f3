package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"tandem/media"
	"tandem/media/codec"
	"tandem/media/webrtc"
)

// answerTime is how long an answer may take.
const answerTime = 10 * time.Second

// server carries out orders, one after the other.
type server struct {
	engine  *media.Engine
	rtc     *webrtc.Server
	streams []*media.Stream
	peers   []*webrtc.Peer
	mixes   []*media.Mix
	parts   []func()
}

func serve(in io.Reader, out io.Writer) (err error) {
	here := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	s := &server{}
	if s.engine, err = media.NewEngine(media.Config{Address: here}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.engine.Close()) }()
	if s.rtc, err = webrtc.New(webrtc.Config{Listen: "127.0.0.1:0", Engine: s.engine}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.rtc.Close()) }()
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			s.clear()
			return nil
		} else if err != nil {
			return err
		}
		var o order
		if err := json.Unmarshal(line, &o); err != nil {
			return err
		}
		r, err := s.do(o)
		if err != nil {
			r.Error = err.Error()
		}
		if err := json.NewEncoder(out).Encode(r); err != nil {
			return err
		}
	}
}

func (s *server) do(o order) (reply, error) {
	switch {
	case o.Phone != "":
		return s.phone(o.Phone)
	case o.Offer != "":
		return s.browser(o.Offer)
	case len(o.Join) == 2:
		part, err := media.Join(s.streams[o.Join[0]], s.streams[o.Join[1]])
		s.parts = append(s.parts, part)
		return reply{}, err
	case len(o.Mix) > 0:
		m := media.NewMix(s.engine)
		s.mixes = append(s.mixes, m)
		var all []media.Hearing
		for _, i := range o.Mix {
			h := media.Hearing{Stream: s.streams[i]}
			for _, k := range o.Mix {
				h.Hears = append(h.Hears, s.streams[k])
			}
			all = append(all, h)
		}
		return reply{}, m.Set(all)
	case o.Clear:
		s.clear()
		return reply{}, nil
	}
	return reply{}, errors.New("no such order")
}

func (s *server) phone(far string) (reply, error) {
	at, err := netip.ParseAddrPort(far)
	if err != nil {
		return reply{}, err
	}
	stream, err := s.engine.Open()
	if err != nil {
		return reply{}, err
	}
	stream.Set(media.Params{Remote: at, Law: codec.PCMU, Event: 101, Send: true, Recv: true})
	s.streams = append(s.streams, stream)
	return reply{Stream: len(s.streams) - 1, Port: stream.Port()}, nil
}

func (s *server) browser(offer string) (reply, error) {
	answers := make(chan string, 1)
	peer, err := s.rtc.NewPeer(webrtc.PeerOptions{Name: "bench", From: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Send: func(sig webrtc.Signal) {
		if sig.Kind == webrtc.KindAnswer {
			select {
			case answers <- sig.SDP:
			default:
			}
		}
	}})
	if err != nil {
		return reply{}, err
	}
	s.peers = append(s.peers, peer)
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	if err := peer.Take(ctx, webrtc.Signal{Kind: webrtc.KindOffer, SDP: offer}); err != nil {
		return reply{}, fmt.Errorf("taking an offer: %w", err)
	}
	select {
	case sdp := <-answers:
		s.streams = append(s.streams, peer.Stream())
		return reply{Stream: len(s.streams) - 1, Answer: sdp}, nil
	case <-ctx.Done():
		return reply{}, errors.New("no answer came")
	}
}

func (s *server) clear() {
	for _, m := range s.mixes {
		m.Close()
	}
	for _, part := range s.parts {
		if part != nil {
			part()
		}
	}
	for _, p := range s.peers {
		p.Close()
	}
	for _, stream := range s.streams {
		stream.Close()
	}
	s.mixes, s.parts, s.peers, s.streams = nil, nil, nil, nil
}
