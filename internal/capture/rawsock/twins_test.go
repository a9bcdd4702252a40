package rawsock

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// udpPacket makes an IPv4 packet with the identification and a UDP header.
func udpPacket(src, dst string, id uint16, payload string) []byte {
	b := []byte{0x45, 0, 0, byte(28 + len(payload)), 0, 0, 0x40, 0, 128, 17, 0xab, 0xcd}
	binary.BigEndian.PutUint16(b[4:], id)
	b = append(b, netip.MustParseAddr(src).AsSlice()...)
	b = append(b, netip.MustParseAddr(dst).AsSlice()...)
	b = append(b, 0x30, 0x39, 0, 53, 0, byte(8+len(payload)), 0x12, 0x34)
	return append(b, payload...)
}

// A recorded story: which socket showed what, and whether it is to be stored.
func TestTwins(t *testing.T) {
	s := newSockets("", nil)
	s.SetOwn([]netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("192.168.1.1")})
	one := &Source{sockets: s} // 192.168.1.1, alone on its interface
	wired := &listener{source: one, number: 1}
	one.listeners = []*listener{wired}
	two := &Source{sockets: s} // two addresses on one interface
	a, b := &listener{source: two, number: 2}, &listener{source: two, number: 3}
	two.listeners = []*listener{a, b}

	in := udpPacket("203.0.113.5", "10.0.0.1", 1, "in")
	out := udpPacket("10.0.0.1", "203.0.113.5", 2, "out")
	across := udpPacket("192.168.1.1", "10.0.0.2", 3, "between two of our own")
	self := udpPacket("192.168.1.1", "192.168.1.1", 4, "to itself")
	foreign := udpPacket("203.0.113.5", "192.168.1.1", 5, "only one socket can see it")
	hop := func(b []byte) []byte { // as it may look at another socket
		c := append([]byte(nil), b...)
		c[8], c[10], c[11], c[26], c[27] = 127, 0, 0, 0, 0
		return c
	}
	now := int64(0)
	for i, step := range []struct {
		l         *listener
		data      []byte
		want      bool
		direction packet.Direction
	}{
		{a, in, true, packet.Inbound},
		{b, in, false, 0}, // both sockets show what passes the interface
		{b, out, true, packet.Outbound},
		{a, hop(out), false, 0},
		{a, in, true, packet.Inbound}, // sent again
		{b, in, false, 0},
		{wired, across, true, packet.Outbound}, // leaves here
		{b, hop(across), false, 0},             // and arrives there
		{a, across, false, 0},
		{wired, across, true, packet.Outbound},
		{wired, self, true, packet.Outbound},
		{wired, foreign, true, packet.Inbound},
		{wired, foreign, true, packet.Inbound}, // twice is twice
		{wired, in[:19], false, 0},
	} {
		now += int64(time.Millisecond)
		p := packet.Packet{Time: now, Data: step.data}
		if got := step.l.wanted(&p); got != step.want || got && p.Direction != step.direction {
			t.Errorf("step %d: %v, direction %d; want %v, %d", i, got, p.Direction, step.want, step.direction)
		}
	}
	if one.dropped.Load() != 1 {
		t.Errorf("%d packets were malformed, want 1", one.dropped.Load())
	}
	p := packet.Packet{Time: now + int64(2*time.Second), Data: in}
	if !b.wanted(&p) {
		t.Error("a packet of much later is taken for a twin")
	}
}

func TestParse(t *testing.T) {
	good := udpPacket("10.0.0.1", "10.0.0.2", 7, "x")
	options := append([]byte{0x4f}, make([]byte, 59)...)
	for _, test := range []struct {
		name string
		data []byte
		ok   bool
	}{
		{"UDP", good, true},
		{"header only", good[:20], true},
		{"all options", options, true},
		{"options cut off", options[:59], false},
		{"short", good[:19], false},
		{"empty", nil, false},
		{"IPv6", append([]byte{0x60}, good[1:]...), false},
		{"header shorter than can be", append([]byte{0x44}, good[1:]...), false},
	} {
		if _, ok := parse(test.data); ok != test.ok {
			t.Errorf("%s: %v, want %v", test.name, ok, test.ok)
		}
	}
	a, _ := parse(good)
	for at := range good {
		c := append([]byte(nil), good...)
		c[at] ^= 0xa0
		b, ok := parse(c)
		mutable := at == 0 || at == 1 || at == ttlAt || at == 10 || at == 11 || at == 26 || at == 27
		if at == 0 && ok {
			t.Error("a packet of another version was read")
		}
		if ok && (a == b) != mutable {
			t.Errorf("with byte %d changed the packets are the same: %v", at, a == b)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(udpPacket("10.0.0.1", "10.0.0.2", 7, "x"))
	f.Add([]byte{0x4f, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, ok := parse(data); ok && h.src != [4]byte(data[12:16]) {
			t.Errorf("source %v", h.src)
		}
	})
}

func TestTwinsDoNotAllocate(t *testing.T) {
	s := newSockets("", nil)
	src := &Source{sockets: s}
	l := &listener{source: src}
	src.listeners = []*listener{l, l}
	p := packet.Packet{Data: udpPacket("10.0.0.1", "10.0.0.2", 7, "x")}
	if n := testing.AllocsPerRun(100, func() { l.wanted(&p) }); n > 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
