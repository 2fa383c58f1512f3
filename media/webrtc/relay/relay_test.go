package relay

import (
	"crypto/rand"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/turn/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 15 * time.Second

// open makes a relay to a port that answers what it is sent.
func open(t *testing.T, change func(*Options)) (*Relay, *net.UDPConn) {
	t.Helper()
	port, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Listen: "127.0.0.1:0", Most: 8, Port: port.LocalAddr().(*net.UDPAddr).AddrPort(), Random: rand.Reader, Now: time.Now,
		Hosts: func() []netip.Addr {
			return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.MustParseAddr("203.0.113.7")}
		},
	}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b := make([]byte, packetSize)
		for {
			n, from, err := port.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if string(b[:n]) != "quiet" {
				_, _ = port.WriteToUDPAddrPort(b[:n], from)
			}
		}
	}()
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		port.Close()
		<-ended
	})
	return r, port
}

// allocate asks for a relay as somebody.
func allocate(t *testing.T, r *Relay, who string) (net.PacketConn, error) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	name, password := Credentials(r.Secret(), who, time.Now().Add(time.Hour))
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: r.Addr().String(), TURNServerAddr: r.Addr().String(), Conn: conn, Username: name, Password: password, LoggerFactory: silent{},
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
	return relay, err
}

// echo sends something to an address, and wants it back from there.
func echo(t *testing.T, relay net.PacketConn, to netip.AddrPort) {
	t.Helper()
	if _, err := relay.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(to)); err != nil {
		t.Fatal(err)
	}
	if err := relay.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var b [packetSize]byte
	n, from, err := relay.ReadFrom(b[:])
	if err != nil || string(b[:n]) != "hello" || from.String() != to.String() {
		t.Errorf("%q from %v, %v", b[:n], from, err)
	}
}

// held waits until there are so many relays.
func held(t *testing.T, r *Relay, n int) {
	t.Helper()
	for end := time.Now().Add(patience); r.Held() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d relays, want %d", r.Held(), n)
		}
	}
}

// The port is reached by each address that pages know, and answers by it.
func TestItRelays(t *testing.T) {
	r, _ := open(t, nil)
	relay, err := allocate(t, r, "anna")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range r.o.Hosts() {
		echo(t, relay, netip.AddrPortFrom(host, r.o.Port.Port()))
	}
	if err := relay.Close(); err != nil {
		t.Fatal(err)
	}
	held(t, r, 0)
}

// A relay to which the port sends nothing is given up, whatever its page sends.
func TestAnIdleRelayIsGivenUp(t *testing.T) {
	r, _ := open(t, func(o *Options) { o.Idle = 300 * time.Millisecond })
	relay, err := allocate(t, r, "anna")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := relay.WriteTo([]byte("quiet"), net.UDPAddrFromAddrPort(r.o.Port)); err != nil {
		t.Fatal(err)
	}
	held(t, r, 0)
}

// There are so many relays at once, of one name, of one network, and of all.
func TestBounds(t *testing.T) {
	r, _ := open(t, nil)
	for i := range r.o.Most + 1 {
		_, err := allocate(t, r, "anna")
		if (err == nil) != (i < r.o.Most) {
			t.Fatalf("relay %d: %v", i, err)
		}
	}
	r.mu.Lock()
	r.from["127.0.0.1"], r.o.Most = leastPerNetwork, 1000*networkShare
	r.mu.Unlock()
	here, there := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 2}
	if !r.room("bo", "", here) || !r.room("bo", "", there) {
		t.Error("there is no room")
	}
	r.mu.Lock()
	r.from["127.0.0.1"], r.names["sam"] = 1000, relaysPerName
	r.mu.Unlock()
	if r.room("bo", "", here) || !r.room("bo", "", there) || r.room("sam", "", there) {
		t.Error("a network or a name has more than its share")
	}
	if network(there) != "2001:db8::/64" {
		t.Errorf("network %s", network(there))
	}
}
