package webrtc

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/turn/v5"
)

// signed is what coturn makes of a shared secret and a name.
func signed(secret, name string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// turnServer is a server with a relay, whose clock a test sets.
func turnServer(t *testing.T, now *atomic.Int64) *Server {
	t.Helper()
	return newServer(t, func(c *Config) {
		c.TURN = TURN{Listen: "127.0.0.1:0", TTL: time.Minute}
		if now != nil {
			c.Now = func() time.Time { return time.Unix(now.Load(), 0) }
		}
	})
}

// allocates asks for a relay by TCP or UDP.
func allocates(t *testing.T, s *Server, tcp bool, name, password string) (*turn.Client, net.PacketConn, error) {
	t.Helper()
	var conn net.PacketConn
	if tcp {
		c, err := net.Dial("tcp", s.relay.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn = turn.NewSTUNConn(c)
	} else {
		var err error
		if conn, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: s.relay.Addr().String(), TURNServerAddr: s.relay.Addr().String(), Conn: conn, Username: name, Password: password, Realm: "tandem",
		LoggerFactory: &loggers{}, RTO: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); conn.Close() })
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	relay, err := client.Allocate()
	if err == nil {
		t.Cleanup(func() { relay.Close() })
	}
	return client, relay, err
}

// Credentials are those of coturn's scheme; expired, forged and made-up ones are refused.
func TestTURNCredentials(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Now().Unix())
	s := turnServer(t, &now)
	given := s.Servers("anna: b")
	if len(given) != 1 || len(given[0].URLs) != 2 || !strings.HasPrefix(given[0].URLs[0], "turn:127.0.0.1:") {
		t.Fatalf("servers %+v", given)
	}
	name, password := given[0].Username, given[0].Credential
	expiry, who, _ := strings.Cut(name, ":")
	if at, err := strconv.ParseInt(expiry, 10, 64); err != nil || at != now.Load()+60 || who != "anna__b" {
		t.Errorf("name %q", name)
	}
	if _, _, err := allocates(t, s, false, name, password); err != nil {
		t.Errorf("good credentials by UDP: %v", err)
	}
	if _, _, err := allocates(t, s, true, name, password); err != nil {
		t.Errorf("good credentials by TCP: %v", err)
	}
	later := strconv.FormatInt(now.Load()+3600, 10) + ":anna"
	for _, bad := range [][2]string{
		{name, "wrong"}, {later, password}, {"anna", password}, {"", ""}, {expiry, signed(s.relay.Secret(), expiry)},
		{later, signed("another secret", later)},
	} {
		if _, _, err := allocates(t, s, false, bad[0], bad[1]); err == nil {
			t.Errorf("%q was let in", bad[0])
		}
	}
	now.Add(60)
	if _, _, err := allocates(t, s, false, name, password); err == nil {
		t.Error("expired credentials were let in")
	}
	if s.relay.Refused() == 0 {
		t.Error("nothing was counted")
	}
}

// The relay reaches our own port, and nothing else whatever is asked for.
func TestTURNRelaysToUsAlone(t *testing.T) {
	s := turnServer(t, nil)
	given := s.Servers("anna")[0]
	client, relay, err := allocates(t, s, false, given.Username, given.Credential)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 5060}
	for _, to := range []*net.UDPAddr{elsewhere, {IP: net.IPv4(10, 0, 0, 1), Port: int(s.Addr().Port())}, {IP: net.IPv4(169, 254, 169, 254), Port: 80}} {
		if err := client.CreatePermission(to); err == nil {
			t.Errorf("%v is permitted", to)
		}
	}
	if err := client.CreatePermission(net.UDPAddrFromAddrPort(s.Addr())); err != nil {
		t.Errorf("our own address: %v", err)
	}
	victim, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	before := s.relay.Refused()
	if _, err := relay.WriteTo([]byte("to another port of ours"), victim.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(patience)
	for s.relay.Refused() == before {
		if time.Now().After(end) {
			t.Fatal("it was not refused")
		}
		time.Sleep(time.Millisecond)
	}
	if err := victim.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := victim.Read(make([]byte, 100)); err == nil {
		t.Errorf("another port of this machine was sent %d bytes", n)
	}
}

// A page that reaches us by the relay alone talks.
func TestAPageByTURN(t *testing.T) {
	s := turnServer(t, nil)
	p, w := newPeer(t, s)
	g := newPage(t, pageOptions{servers: s.Servers("anna"), relay: true})
	g.talks(700)
	g.connect(p, w, false)
	w.reaches(t, StateUp)
	says(t, p, 1100)
	hears(t, p, 700)
	g.hears(1100)
	if f := p.Figures(); f.Remote != "relay" {
		t.Errorf("figures %+v", f)
	}
	if n := s.relay.Held(); n == 0 {
		t.Error("no relay is held")
	}
}

// A relay elsewhere is given with credentials under the secret shared with it.
func TestTURNElsewhere(t *testing.T) {
	s := newServer(t, func(c *Config) {
		c.TURN = TURN{URLs: []string{"turn:turn.bank.example:3478"}, Secret: "north"}
		c.Now = func() time.Time { return time.Unix(1_000_000, 0) }
		c.Public = []netip.Addr{netip.MustParseAddr("203.0.113.7")}
	})
	got := s.Servers("anna")
	if len(got) != 1 || got[0].URLs[0] != "turn:turn.bank.example:3478" || got[0].Username != "1003600:anna" || got[0].Credential != signed("north", "1003600:anna") {
		t.Errorf("%+v", got)
	}
	if none := newServer(t, nil).Servers("anna"); none == nil || len(none) != 0 {
		t.Errorf("without a relay: %+v", none)
	}
	if _, err := New(Config{Listen: "127.0.0.1:0", Engine: s.c.Engine, TURN: TURN{Listen: "127.0.0.1:0", URLs: []string{"turn:x"}}}); err == nil {
		t.Error("both were taken")
	}
}
