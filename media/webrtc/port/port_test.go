package port

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// One page's address cannot be taken over by another page, or its packets be read as another's.
func TestAnAddressBelongsToWhoCheckedLast(t *testing.T) {
	var counts Drops
	p, err := OpenUDP("127.0.0.1:0", &counts)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	a := netip.MustParseAddrPort("192.0.2.1:1000")
	l, m := &Owner{Room: 1}, &Owner{Room: 1}
	first, _ := p.wireOf("first", l)
	second, _ := p.wireOf("second", m)
	p.admit(first, a)
	p.admit(second, a)
	if p.byAddr[a] != second || len(first.addresses()) != 0 {
		t.Error("both have it")
	}
	for i := range 2 * wireAddresses {
		p.admit(first, netip.AddrPortFrom(a.Addr(), uint16(2000+i)))
	}
	if n := len(first.addresses()); n != wireAddresses || len(p.byAddr) != wireAddresses+1 {
		t.Errorf("%d addresses of one, %d of all", n, len(p.byAddr))
	}
	p.RemoveConnByUfrag("first")
	if len(p.byAddr) != 1 {
		t.Errorf("%d addresses are left", len(p.byAddr))
	}
	if p.admit(first, a) != nil {
		t.Error("one that is over was admitted")
	}
}

// A queue that nobody reads loses the oldest.
func TestAFullWireDropsTheOldest(t *testing.T) {
	const room = 32
	var counts Drops
	w := newWire("x", nil, &Owner{Room: room}, &counts)
	for i := range room + 5 {
		w.put([]byte{byte(i)}, nil)
	}
	if n := counts.Of(DropFull); n != 5 {
		t.Errorf("%d were dropped", n)
	}
	var b [PacketSize]byte
	if _, _, err := w.ReadFrom(b[:]); err != nil || b[0] != 5 {
		t.Errorf("the first is %d, %v", b[0], err)
	}
	w.shut()
}

// FuzzPacket: whatever comes to a socket is dropped or handed on.
func FuzzPacket(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42aaaabbbbcccc"))
	f.Add([]byte{recordHandshake, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, handshakeRequest})
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 60)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		kind(b)
		if wanted(b, true) && !wanted(b, false) {
			t.Error("more is wanted once the handshake is done")
		}
		check(b, func(string) *wire { return nil })
	})
}
