package record

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// checkRecord encodes a header and decodes it again.
func checkRecord(t testing.TB, p *packet.Packet, tie uint16, from Base, stamp bool) (size int) {
	t.Helper()
	const untouched = 0xcc
	want := Header{
		Time: p.Time, Length: len(p.Data), Wire: max(p.OrigLen, uint32(len(p.Data))),
		Interface: p.Interface, Tie: tie, Direction: p.Direction & 3,
	}
	b := bytes.Repeat([]byte{untouched}, Room+64)
	size = Put(b[:Room], p, tie, from, stamp)
	if rest := b[Room:]; !bytes.Equal(rest, bytes.Repeat([]byte{untouched}, len(rest))) {
		t.Fatalf("%+v from %+v: writes beyond Room", want, from)
	}
	n := size
	if stamp {
		n -= StampSize
		if s := binary.LittleEndian.Uint32(b[n:]); s != 0 {
			t.Fatalf("%+v from %+v: the stamp is %x", want, from, s)
		}
	}
	if n < minHeader || n > MaxHeader {
		t.Fatalf("%+v from %+v: a header of %d bytes", want, from, n)
	}
	for _, room := range []int{size, n, Room} {
		var got Header
		if m := got.Get(b[:room], from); m != n || got != want {
			t.Fatalf("%+v in %d bytes from %+v comes back as %+v in %d", want, n, from, got, m)
		}
	}
	for cut := range n {
		var got Header
		if m := got.Get(b[:cut:cut], from); m != 0 {
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
					from := Base{Time: start, Interface: 7}
					var tie uint16
					if bits&4 != 0 {
						p.Interface, p.OrigLen = math.MaxUint16, math.MaxUint32
					}
					if bits&8 != 0 {
						tie = math.MaxUint16
					}
					if bits&16 != 0 {
						from.None = true
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
		if n := checkRecord(t, &p, 0, Base{Time: p.Time - test.delta}, false); n != test.want {
			t.Errorf("%s: %d bytes, want %d", test.name, n, test.want)
		}
	}
	if n := checkRecord(t, &p, 0, Base{None: true}, true); n != 3+8+2+StampSize {
		t.Errorf("a first packet of a session takes %d bytes", n)
	}
}

// FuzzRecord decodes arbitrary bytes, which must come to no harm, and what
// makes sense must survive being encoded again.
func FuzzRecord(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 8 {
		p := packet.Packet{Time: random.Int64(), Data: make([]byte, random.IntN(100)<<(2*i)%packet.MaxLen), OrigLen: random.Uint32(), Interface: 3}
		b := make([]byte, Room)
		from := Base{Time: p.Time - random.Int64N(1<<(8*i)), Interface: packet.InterfaceID(i), None: i == 0}
		n := Put(b, &p, uint16(i), from, false)
		f.Add(b[:n], from.Time, uint16(i), i == 0)
	}
	f.Add([]byte{0x70, 0xff, 0xff, 0, 0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8}, int64(0), uint16(0), false)
	f.Fuzz(func(t *testing.T, b []byte, time int64, iface uint16, none bool) {
		from := Base{Time: time, Interface: packet.InterfaceID(iface), None: none}
		var h Header
		n := h.Get(b, from)
		if n < 0 || n > len(b) || n > MaxHeader {
			t.Fatalf("% x: a header of %d bytes", b, n)
		}
		if n == 0 {
			return
		}
		if h.Length < 0 || h.Length > packet.MaxLen {
			t.Fatalf("% x: a packet of %d bytes", b, h.Length)
		}
		p := packet.Packet{Time: h.Time, Data: make([]byte, h.Length), OrigLen: h.Wire, Interface: h.Interface, Direction: h.Direction}
		checkRecord(t, &p, h.Tie, from, false)
		checkRecord(t, &p, h.Tie, from, true)
	})
}

// TestPutNext: what it writes for the usual packet is what Put does.
func TestPutNext(t *testing.T) {
	for _, gap := range []int64{1, 63, 64, 999, 1000, 63e3, 64e3, 1e9, 1<<40 + 1, 1<<54 - 1, (1<<54 - 1) / 1000 * 1000} {
		for _, length := range []int{0, 60, longData - 1} {
			from := Base{Time: 1.8e18, Interface: 3}
			p := packet.Packet{Time: from.Time + gap, Data: make([]byte, length), Interface: 3, Direction: packet.Outbound}
			var want [Room]byte
			got := bytes.Repeat([]byte{0xcc}, Room)
			n := Put(want[:], &p, 0, from, false)
			if m := PutNext(got, uint64(gap), length, p.Direction); m != n || !bytes.Equal(got[:n], want[:n]) {
				t.Errorf("%d bytes %d ns later: % x, want % x", length, gap, got[:m], want[:n])
			}
			if !bytes.Equal(got[11:], bytes.Repeat([]byte{0xcc}, Room-11)) {
				t.Errorf("%d bytes %d ns later: writes beyond the first 11 bytes: % x", length, gap, got)
			}
		}
	}
}
