package webrtc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/transport/v4/packetio"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/webrtc/description"
	"tandem/media/webrtc/pictures"
	"tandem/media/webrtc/port"
)

const (
	// maxStreams is how many streams of RTP and RTCP a page may begin on one link: a camera's
	// layers, a display, what is said of the pictures that it is shown, and what a browser
	// makes of all that after restarts.
	maxStreams = 128
	// streamBuffer is what may wait of one stream, in bytes: two seconds of a sharp picture.
	streamBuffer = 1 << 20
	// reportEvery is how often we send RTCP reports (RFC 3550, section 6.2).
	reportEvery = 2 * time.Second
	// gatherTime bounds gathering: there is nothing to ask for, so it takes milliseconds.
	gatherTime = 5 * time.Second
	// handshakeTime bounds the DTLS handshake. What tells of its failure in the clear is not
	// believed, so time alone ends it.
	handshakeTime = 15 * time.Second
	// iceQuiet is when pion calls a pair disconnected; the watch has looked before.
	iceQuiet = 10 * time.Second
)

// link is one RTCPeerConnection of a page. A page has one at a time: one that reloads or
// starts anew brings another.
type link struct {
	conn    *conn
	key     string
	pc      *pion.PeerConnection
	sender  *pion.RTPSender // one of those it has: its transport is that of all
	owner   port.Owner
	dead    atomic.Bool // it cannot mend: only another link can
	closing sync.Once
	reading sync.WaitGroup
	streams atomic.Int32 // that the page has begun
	tracks  atomic.Int32

	out     atomic.Pointer[sender] // of a Peer
	speaks  string                 // codec that its page was asked to speak; "" = none yet. Peer.speaking guards it
	picture *pictures.Canvas       // of a Screen
	pending string                 // of signalling, under the turn: our offer that has no answer yet, as the page was sent it
}

// parts are what a link is made of, besides what is the same for all.
type parts struct {
	media        *pion.MediaEngine
	interceptors *interceptor.Registry
}

// newLink makes the connection, which waits for an offer.
func (c *conn) newLink(o offer) (*link, error) {
	l := &link{conn: c, key: o.Common().Key()}
	m, err := c.side.codecs(l, o)
	if err != nil {
		return nil, fmt.Errorf("webrtc: preparing a connection: %w", err)
	}
	api := pion.NewAPI(pion.WithMediaEngine(m.media), pion.WithInterceptorRegistry(m.interceptors), pion.WithSettingEngine(c.server.settings(l)))
	l.pc, err = api.NewPeerConnection(pion.Configuration{Certificates: []pion.Certificate{c.server.certificate}})
	if err != nil {
		return nil, fmt.Errorf("webrtc: making a connection: %w", err)
	}
	if err := c.side.furnish(l); err != nil {
		return nil, errors.Join(fmt.Errorf("webrtc: adding tracks: %w", err), l.pc.Close())
	}
	l.sender.Transport().OnStateChange(l.transport)
	l.pc.OnConnectionStateChange(l.connection)
	l.pc.OnTrack(func(t *pion.TrackRemote, r *pion.RTPReceiver) { c.side.track(l, t, r) })
	return l, nil
}

// add takes a sender of the connection, and reads what the page reports of it.
func (l *link) add(s *pion.RTPSender) {
	l.sender = s
	l.reading.Go(func() { l.reports(s.Read) })
}

// settings are pion's, of one link.
func (s *Server) settings(l *link) pion.SettingEngine {
	e := pion.SettingEngine{LoggerFactory: &loggers{link: l}}
	e.SetLite(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // no name of a page is resolved
	e.DisableActiveTCP(true)                               // nobody is dialled
	e.SetIncludeLoopbackCandidate(true)
	e.BufferFactory = l.bounded
	e.SetICEUDPMux(s.port.Mux(&l.owner))
	networks := []pion.NetworkType{pion.NetworkTypeUDP4}
	if !s.Addr().Addr().Is4() {
		networks = []pion.NetworkType{pion.NetworkTypeUDP6}
	}
	if s.tcp != nil {
		e.SetICETCPMux(s.tcp.Mux(&l.owner))
		networks = append(networks, pion.NetworkTypeTCP4)
		e.SetIPFilter(func(ip net.IP) bool { return ip.Equal(loopback) }) // one candidate is enough: pages are told others
	}
	e.SetNetworkTypes(networks)
	e.SetICETimeouts(iceQuiet, 0, 0) // it never gives up, and checks nobody: the watch decides
	e.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	e.SetDTLSExtendedMasterSecret(dtls.RequireExtendedMasterSecret)
	e.SetDTLSCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
	e.SetDTLSConnectContextMaker(func() (context.Context, func()) {
		ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
		return ctx, cancel
	})
	_ = e.SetAnsweringDTLSRole(pion.DTLSRoleClient) // it fails for roles that are none
	return e
}

var loopback = net.IPv4(127, 0, 0, 1)

// bounded makes the buffer of one stream of the page, or of what it reports of one. A page
// that begins more of them than anybody has use for ends its link.
func (l *link) bounded(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	b := packetio.NewBuffer()
	b.SetLimitSize(streamBuffer)
	if l.streams.Add(1) > maxStreams {
		b.SetLimitCount(1)
		l.abandon()
	}
	if l.picture != nil && kind == packetio.RTPBufferPacket {
		return l.picture.Stream(b, ssrc, l.abandon)
	}
	return b
}

// abandon ends the link of a page that no browser runs. Pion may call it.
func (l *link) abandon() {
	if l.dead.CompareAndSwap(false, true) {
		l.conn.poke()
		l.conn.server.running.Go(l.close)
	}
}

// describe has pion carry out our part of an exchange, and returns what the page is sent.
func (l *link) describe(ctx context.Context, ours pion.SessionDescription) (string, error) {
	gathered := pion.GatheringCompletePromise(l.pc)
	if err := l.pc.SetLocalDescription(ours); err != nil {
		return "", fmt.Errorf("webrtc: taking our own description: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", fmt.Errorf("webrtc: gathering addresses: %w", ctx.Err())
	}
	local := l.pc.LocalDescription()
	if local == nil {
		return "", ErrClosed
	}
	l.conn.server.password(description.Credentials(local.SDP))
	return l.conn.server.advertised(local.SDP, l.conn.from), nil
}

// answer answers an offer.
func (l *link) answer(ctx context.Context, d offer) (string, error) {
	if err := l.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeOffer, SDP: d.Write()}); err != nil {
		return "", wrong("its offer cannot be taken: %v", err)
	}
	ours, err := l.pc.CreateAnswer(nil)
	if err != nil {
		return "", wrong("its offer cannot be answered: %v", err)
	}
	text, err := l.describe(ctx, ours)
	if err == nil {
		l.pending = ""
	}
	return text, err
}

// offer makes an offer of ours, with new ICE credentials.
func (l *link) offer(ctx context.Context) (string, error) {
	ours, err := l.pc.CreateOffer(&pion.OfferOptions{ICERestart: true})
	if err != nil {
		return "", fmt.Errorf("webrtc: making an offer: %w", err)
	}
	text, err := l.describe(ctx, ours)
	if err == nil {
		l.pending = text
	}
	return text, err
}

// accept takes the answer to our offer.
func (l *link) accept(d offer) error {
	if err := l.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: d.Write()}); err != nil {
		return wrong("its answer cannot be taken: %v", err)
	}
	l.pending = ""
	return nil
}

// transport is told of the DTLS transport. It must not ask it anything.
func (l *link) transport(s pion.DTLSTransportState) {
	switch s {
	case pion.DTLSTransportStateConnected:
		l.owner.Secured.Store(true)
		l.conn.poke()
	case pion.DTLSTransportStateFailed, pion.DTLSTransportStateClosed:
		l.fail()
	}
}

// connection is told of the whole.
func (l *link) connection(s pion.PeerConnectionState) {
	if s == pion.PeerConnectionStateFailed || s == pion.PeerConnectionStateClosed {
		l.fail()
	}
}

// fail marks the link as one that cannot mend.
func (l *link) fail() {
	l.dead.Store(true)
	l.conn.poke()
}

// read hands on the packets of a track until the link ends.
func (l *link) read(t *pion.TrackRemote, to func(b []byte)) {
	defer l.conn.contain()
	b := make([]byte, port.PacketSize)
	for {
		n, _, err := t.Read(b)
		if n == 0 && err != nil {
			if errors.Is(err, pion.ErrCodecNotFound) {
				continue
			}
			return
		}
		if err == nil {
			to(b[:n])
		}
	}
}

// reports reads RTCP until the link ends: pion's own reports stall if nobody does.
func (l *link) reports(read func([]byte) (int, interceptor.Attributes, error)) {
	defer l.conn.contain()
	b := make([]byte, port.PacketSize)
	for {
		n, _, err := read(b)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(b[:n])
		if err != nil {
			l.conn.bad.Add(1)
			continue
		}
		for _, p := range packets {
			l.conn.side.report(l, p)
		}
	}
}

// far is the address by which the page reaches us, and over which network.
func (l *link) far() (at netip.AddrPort, network string) {
	pair, err := l.sender.Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Remote == nil || pair.Local == nil {
		return at, ""
	}
	host, err := netip.ParseAddr(pair.Remote.Address)
	if err != nil {
		return at, ""
	}
	return netip.AddrPortFrom(host.Unmap(), pair.Remote.Port), pair.Local.Protocol.String()
}

// close ends the link and waits for what reads from it. It must not be called by pion.
func (l *link) close() {
	l.closing.Do(func() {
		l.dead.Store(true)
		if err := l.pc.GracefulClose(); err != nil {
			l.conn.server.c.Log.Debug("a browser's connection did not close well", "peer", l.conn.name, "error", err)
		}
		l.reading.Wait()
	})
}
