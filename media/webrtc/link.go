package webrtc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtcp"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/webrtc/description"
)

const (
	mimeEvent = "audio/telephone-event"
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

// link is one RTCPeerConnection of a page. A peer has one at a time: a page that reloads
// or starts anew brings another.
type link struct {
	peer    *Peer
	key     string
	pc      *pion.PeerConnection
	sender  *pion.RTPSender
	secured atomic.Bool // the DTLS handshake is done
	dead    atomic.Bool // it cannot mend: only another link can
	out     atomic.Pointer[sender]
	tracks  atomic.Int32
	closing sync.Once
	reading sync.WaitGroup

	// Of signalling, under the peer's turn.
	pending string // our offer that has no answer yet, as the page was sent it
}

// newLink makes the connection, which waits for an offer.
func (p *Peer) newLink(key string) (*link, error) {
	l := &link{peer: p, key: key}
	codecs := &pion.MediaEngine{}
	for _, c := range spoken {
		if err := codecs.RegisterCodec(c, pion.RTPCodecTypeAudio); err != nil {
			return nil, fmt.Errorf("webrtc: registering %s: %w", c.MimeType, err)
		}
	}
	reports := &interceptor.Registry{}
	sent, err := report.NewSenderInterceptor(report.SenderInterval(reportEvery))
	if err != nil {
		return nil, fmt.Errorf("webrtc: making reports: %w", err)
	}
	received, err := report.NewReceiverInterceptor(report.ReceiverInterval(reportEvery))
	if err != nil {
		return nil, fmt.Errorf("webrtc: making reports: %w", err)
	}
	reports.Add(sent)
	reports.Add(received)
	api := pion.NewAPI(pion.WithMediaEngine(codecs), pion.WithInterceptorRegistry(reports), pion.WithSettingEngine(p.server.settings(l)))
	l.pc, err = api.NewPeerConnection(pion.Configuration{Certificates: []pion.Certificate{p.server.certificate}})
	if err != nil {
		return nil, fmt.Errorf("webrtc: making a connection: %w", err)
	}
	t, err := l.pc.AddTransceiverFromTrack(&track{l}, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendrecv})
	if err == nil {
		err = t.SetCodecPreferences(spoken)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("webrtc: adding audio: %w", err), l.pc.Close())
	}
	l.sender = t.Sender()
	l.sender.Transport().OnStateChange(l.transport)
	l.pc.OnConnectionStateChange(l.connection)
	l.pc.OnTrack(l.track)
	l.reading.Go(func() { l.reports(l.sender.Read) })
	return l, nil
}

// spoken are the codecs in the order of our liking: what phones take as it is first.
var spoken = []pion.RTPCodecParameters{
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: 8000}, PayloadType: 0},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypePCMA, ClockRate: 8000}, PayloadType: 8},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypeOpus, ClockRate: 48000, Channels: 2}, PayloadType: 111},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: mimeEvent, ClockRate: 8000}, PayloadType: 126},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: mimeEvent, ClockRate: 48000}, PayloadType: 110},
}

// settings are pion's, of one link.
func (s *Server) settings(l *link) pion.SettingEngine {
	e := pion.SettingEngine{LoggerFactory: &loggers{link: l}}
	e.SetLite(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // no name of a page is resolved
	e.DisableActiveTCP(true)                               // nobody is dialled
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEUDPMux(&udpMux{s.port, l})
	networks := []pion.NetworkType{pion.NetworkTypeUDP4}
	if s.port.local.IP.To4() == nil {
		networks = []pion.NetworkType{pion.NetworkTypeUDP6}
	}
	if s.tcp != nil {
		e.SetICETCPMux(&tcpMux{s.tcp, l})
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

// udpMux is the port for one link.
type udpMux struct {
	*port
	link *link
}

var _ ice.UDPMux = (*udpMux)(nil)

// GetConn is what pion asks for as it gathers.
func (m *udpMux) GetConn(ufrag string, _ net.Addr) (net.PacketConn, error) {
	return m.wireOf(ufrag, &m.link.secured)
}

// GetListenAddresses tells pion of one address, so that each link has one candidate and
// one reader. What pages are told is written by advertise.
func (m *udpMux) GetListenAddresses() []net.Addr { return []net.Addr{m.local} }

// Close does nothing: the port belongs to the server.
func (m *udpMux) Close() error { return nil }

// tcpMux is the TCP listener for one link.
type tcpMux struct {
	*tcpPort
	link *link
}

var _ ice.TCPMux = (*tcpMux)(nil)

// GetConnByUfrag is what pion asks for as it gathers.
func (m *tcpMux) GetConnByUfrag(ufrag string, _ bool, _ net.IP) (net.PacketConn, error) {
	return m.wireOf(ufrag, &m.link.secured)
}

// RemoveConnByUfrag forgets a link.
func (m *tcpMux) RemoveConnByUfrag(ufrag string) { m.removeWire(ufrag) }

// Close does nothing: the listener belongs to the server.
func (m *tcpMux) Close() error { return nil }

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
	l.peer.server.password(description.Credentials(local.SDP))
	return l.peer.server.advertised(local.SDP, l.peer.o.From), nil
}

// answer answers an offer.
func (l *link) answer(ctx context.Context, d description.Description) (string, error) {
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
func (l *link) accept(d description.Description) error {
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
		l.secured.Store(true)
	case pion.DTLSTransportStateFailed, pion.DTLSTransportStateClosed:
		l.dead.Store(true)
		l.peer.poke()
	}
}

// connection is told of the whole.
func (l *link) connection(s pion.PeerConnectionState) {
	if s == pion.PeerConnectionStateFailed || s == pion.PeerConnectionStateClosed {
		l.dead.Store(true)
		l.peer.poke()
	}
}

// track reads the page's audio. A page has one track: of a second nothing is read, and
// the link with it ends, for nothing of ours makes one.
func (l *link) track(t *pion.TrackRemote, r *pion.RTPReceiver) {
	if l.tracks.Add(1) > 1 || t.Kind() != pion.RTPCodecTypeAudio {
		l.dead.Store(true)
		l.peer.poke()
		return
	}
	l.reading.Go(func() { l.reports(r.Read) })
	l.reading.Go(func() { l.read(t) })
}

// read hands the page's packets to the stream until the link ends.
func (l *link) read(t *pion.TrackRemote) {
	defer l.peer.contain()
	in := &receiver{}
	in.to = func(b []byte) { l.peer.deliver(l, b) }
	b := make([]byte, packetSize)
	for {
		n, _, err := t.Read(b)
		if n == 0 && err != nil {
			if errors.Is(err, pion.ErrCodecNotFound) {
				continue
			}
			return
		}
		if err == nil {
			l.peer.hear()
			in.opus, in.event, in.wide = l.peer.payloads() // an offer may number them anew
			in.take(b[:n])
		}
	}
}

// reports reads RTCP until the link ends: pion's own reports stall if nobody does.
func (l *link) reports(read func([]byte) (int, interceptor.Attributes, error)) {
	defer l.peer.contain()
	b := make([]byte, packetSize)
	for {
		n, _, err := read(b)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(b[:n])
		if err != nil {
			l.peer.bad.Add(1)
			continue
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.ReceiverReport:
				l.reported(p.Reports)
			case *rtcp.SenderReport:
				l.reported(p.Reports)
			}
		}
	}
}

// reported notes what the page says of our packets (RFC 3550, section 6.4.1).
func (l *link) reported(reports []rtcp.ReceptionReport) {
	out := l.out.Load()
	for _, r := range reports {
		if out != nil && r.SSRC == out.ssrc {
			l.peer.report(r, time.Now())
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
			l.peer.server.c.Log.Debug("a browser's connection did not close well", "peer", l.peer.o.Name, "error", err)
		}
		l.reading.Wait()
	})
}
