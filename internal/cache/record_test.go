package cache

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// checkRecord encodes a header and decodes it again.
func checkRecord(t testing.TB, p *packet.Packet, tie uint16, from base, stamp bool) (size int) {
	t.Helper()
	const untouched = 0xcc
	want := header{
		time: p.Time, length: len(p.Data), wire: max(p.OrigLen, uint32(len(p.Data))),
		iface: p.Interface, tie: tie, direction: p.Direction & 3,
	}
	b := bytes.Repeat([]byte{untouched}, headerRoom+64)
	size = putHeader(b[:headerRoom], p, tie, from, stamp)
	if rest := b[headerRoom:]; !bytes.Equal(rest, bytes.Repeat([]byte{untouched}, len(rest))) {
		t.Fatalf("%+v from %+v: writes beyond headerRoom", want, from)
	}
	n := size
	if stamp {
		n -= stampSize
		if s := binary.LittleEndian.Uint32(b[n:]); s != 0 {
			t.Fatalf("%+v from %+v: the stamp is %x", want, from, s)
		}
	}
	if n < minHeader || n > maxHeader {
		t.Fatalf("%+v from %+v: a header of %d bytes", want, from, n)
	}
	for _, room := range []int{size, n, headerRoom} {
		var got header
		if m := got.get(b[:room], from); m != n || got != want {
			t.Fatalf("%+v in %d bytes from %+v comes back as %+v in %d", want, n, from, got, m)
		}
	}
	for cut := range n {
		var got header
		if m := got.get(b[:cut:cut], from); m != 0 {
			t.Fatalf("%+v from %+v: %d of %d bytes are decoded as %d", want, from, cut, n, m)
		}
	}
	return size
}

func TestRecordRoundTrip(t *testing.T) {
	lengths := []int{0, 1, 60, 1500, 0xfffe, 0xffff, 0x10000, packet.MaxLen}
	data := make([]byte, packet.MaxLen)
	deltas := []int64{0, 1, -1, 999, 1000, -1000, 127000, 1 << 20, -1 << 30, 1 << 53, 1<<54 - 1, 1 << 54, -1 << 54, -1<<54 - 1, 1000 << 53, math.MaxInt64, math.MinInt64}
	for _, length := range lengths {
		for _, delta := range deltas {
			for _, start := range []int64{0, 1.8e18, math.MinInt64, math.MaxInt64} {
				for bits := range 32 {
					p := packet.Packet{Time: start + delta, Data: data[:length], OrigLen: uint32(length), Interface: 7, Direction: packet.Direction(bits & 3)}
					from := base{time: start, iface: 7}
					var tie uint16
					if bits&4 != 0 {
						p.Interface, p.OrigLen = math.MaxUint16, math.MaxUint32
					}
					if bits&8 != 0 {
						tie = math.MaxUint16
					}
					if bits&16 != 0 {
						from.none = true
					}
					checkRecord(t, &p, tie, from, bits&1 != 0)
				}
			}
		}
	}
}

// TestRecordSize: the usual packet costs 4 to 6 bytes.
func TestRecordSize(t *testing.T) {
	p := packet.Packet{Time: 1.8e18, Data: make([]byte, 100), OrigLen: 100}
	for _, test := range []struct {
		name  string
		delta int64
		want  int
	}{
		{"same time", 0, 4},
		{"63 ns later", 63, 4},
		{"64 ns later", 64, 5},
		{"63 µs later", 63e3, 4},
		{"64 µs later", 64e3, 5},
		{"8 ms later", 8e6, 5},
		{"2 s later", 2e6 * 1000, 6},
		{"a week later", 7 * 24 * 3600 * 1e9, 9},
	} {
		if n := checkRecord(t, &p, 0, base{time: p.Time - test.delta}, false); n != test.want {
			t.Errorf("%s: %d bytes, want %d", test.name, n, test.want)
		}
	}
	if n := checkRecord(t, &p, 0, base{none: true}, true); n != 3+8+2+stampSize {
		t.Errorf("a first packet of a session takes %d bytes", n)
	}
}

// FuzzRecord decodes arbitrary bytes, which must come to no harm, and what
// makes sense must survive being encoded again.
func FuzzRecord(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 8 {
		p := packet.Packet{Time: random.Int64(), Data: make([]byte, random.IntN(100)<<(2*i)%packet.MaxLen), OrigLen: random.Uint32(), Interface: 3}
		b := make([]byte, headerRoom)
		from := base{time: p.Time - random.Int64N(1<<(8*i)), iface: packet.InterfaceID(i), none: i == 0}
		n := putHeader(b, &p, uint16(i), from, false)
		f.Add(b[:n], from.time, uint16(i), i == 0)
	}
	f.Add([]byte{0x70, 0xff, 0xff, 0, 0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8}, int64(0), uint16(0), false)
	f.Fuzz(func(t *testing.T, b []byte, time int64, iface uint16, none bool) {
		from := base{time: time, iface: packet.InterfaceID(iface), none: none}
		var h header
		n := h.get(b, from)
		if n < 0 || n > len(b) || n > maxHeader {
			t.Fatalf("% x: a header of %d bytes", b, n)
		}
		if n == 0 {
			return
		}
		if h.length < 0 || h.length > packet.MaxLen {
			t.Fatalf("% x: a packet of %d bytes", b, h.length)
		}
		p := packet.Packet{Time: h.time, Data: make([]byte, h.length), OrigLen: h.wire, Interface: h.iface, Direction: h.direction}
		checkRecord(t, &p, h.tie, from, false)
		checkRecord(t, &p, h.tie, from, true)
	})
}
