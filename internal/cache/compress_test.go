package cache

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// filled is a cache that has been given packets of one endless conversation for
// each filler, in turns, and has compressed what it can.
func filled(t *testing.T, o Options, packets int, fillers ...func(data []byte, i int)) *Cache {
	t.Helper()
	o.Bias, o.Compress = 2, true
	c := newCache(t, o)
	for i := range packets {
		k := talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(i / 2), iface: packet.InterfaceID(i % 2 * 3)}
		data := k.appendTo(nil, i%2 == 1, 0, 800, uint64(i))
		fillers[i%len(fillers)](data[60:], i)
		c.Replay([]packet.Packet{{Time: int64(i) * int64(time.Millisecond), Data: data, Interface: k.iface}})
	}
	return c
}

func text(data []byte, i int) {
	for n := range data {
		data[n] = "GET /index.html HTTP/1.1\r\n"[(n+i)%26]
	}
}

func noise(data []byte, _ int) {
	for n := 8; n < len(data); n++ {
		data[n] ^= data[n-8] * 167
	}
}

// TestCompressedTakesLess: more packets fit, all can be read, and what readers
// have unpacked goes with them.
func TestCompressedTakesLess(t *testing.T) {
	c := filled(t, Options{Bytes: smallBudget}, 30000, text)
	s := c.Stats()
	checkStats(t, &s)
	if held := s.Held(); held.Bytes < 2*smallBudget {
		t.Errorf("a cache of %d bytes holds %d of text", smallBudget, held.Bytes)
	}
	if s.Classes[0].Compressed == 0 || s.Classes[0].Packed >= s.Classes[0].Unpacked/2 {
		t.Errorf("%d segments take %d bytes instead of %d", s.Classes[0].Compressed, s.Classes[0].Packed, s.Classes[0].Unpacked)
	}
	r, other := c.NewReader(), c.NewReader()
	r.Begin(All)
	other.Begin(All)
	var p packet.Packet
	n := uint64(0)
	for ; r.Next(&p); n++ {
		want := make([]byte, len(p.Data)-60)
		text(want, int(p.Time/int64(time.Millisecond)))
		if !bytes.Equal(p.Data[60:], want) {
			t.Fatalf("packet %d is damaged", n)
		}
	}
	if n != s.Held().Packets || r.Missing() != 0 {
		t.Errorf("read %d packets of %d, %d are missing", n, s.Held().Packets, r.Missing())
	}
	r.End()
	if c.decompressor.packed == nil {
		t.Error("what was unpacked has gone while somebody reads")
	}
	other.End()
	if d := c.decompressor; d.packed != nil || d.held[0].raw != nil {
		t.Error("what was unpacked is kept when nobody reads any more")
	}
}

// TestNoiseIsLeftAlone: a class that does not shrink is not tried each time.
func TestNoiseIsLeftAlone(t *testing.T) {
	c := filled(t, Options{Bytes: smallBudget}, 10000, noise)
	if s := c.Stats(); s.Classes[0].Compressed != 0 {
		t.Fatalf("%d segments of noise are compressed", s.Classes[0].Compressed)
	}
	if l := &c.logs[0]; l.poor < poorRuns || l.skip == 0 {
		t.Errorf("%d segments in a row gained nothing, and %d are to be left alone", l.poor, l.skip)
	}
	text := filled(t, Options{Bytes: smallBudget}, 10000, text)
	if l := &text.logs[0]; l.poor != 0 || l.skip != 0 {
		t.Errorf("%d segments of text gained nothing", l.poor)
	}
}

// TestTriedOnce: what does not shrink is not tried again, nor what is compressed.
func TestTriedOnce(t *testing.T) {
	c := filled(t, Options{Bytes: smallBudget}, 10000, text, noise)
	if _, found := c.compressible(); found {
		t.Error("something is to be compressed though all was")
	}
	if c.compressNext() {
		t.Error("something was compressed though all was")
	}
}

// TestDamagedSegment: one that cannot be unpacked costs itself and is told once,
// and the promise is no longer made for it.
func TestDamagedSegment(t *testing.T) {
	for name, harm := range map[string]func(c *Cache, seg *segment){
		"a flipped bit":   func(c *Cache, seg *segment) { c.pages.bytes(seg.first)[pageSize/2] ^= 4 },
		"no frame":        func(c *Cache, seg *segment) { clear(c.pages.bytes(seg.first)) },
		"of another size": func(_ *Cache, seg *segment) { seg.size -= 10 },
		"cut off":         func(_ *Cache, seg *segment) { seg.packed /= 2 },
		"a bomb": func(c *Cache, seg *segment) {
			seg.packed = uint32(copy(c.pages.bytes(seg.first), bomb(t)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var told []error
			c := filled(t, Options{Bytes: 4 * smallBudget, Damaged: func(err error) { told = append(told, err) }}, 10000, text)
			before := c.Stats()
			seg := &c.segments.slots[c.segments.slots[c.logs[0].oldest].next]
			if seg.codec != record.Zstd {
				t.Fatal("not compressed")
			}
			lost := seg.held()
			harm(c, seg)
			for range 2 {
				r := c.NewReader()
				r.Begin(All)
				if n := uint64(len(times(r))); n != before.Held().Packets-lost.Packets || r.Missing() != lost.Packets {
					t.Errorf("read %d packets of %d, %d are missing; the segment has %d", n, before.Held().Packets, r.Missing(), lost.Packets)
				}
				r.End()
			}
			s := c.Stats()
			if len(told) != 1 || !strings.Contains(told[0].Error(), "compressed segment of ") || s.Damaged != lost {
				t.Errorf("told %v; %v of %v are said to be damaged", told, s.Damaged, lost)
			}
			if age, complete := s.Promise(0); complete || age >= s.Age {
				t.Errorf("the first KiB of the last %v is promised, complete %v", age, complete)
			}
			if c.decompressor.packed != nil {
				t.Error("memory is kept")
			}
		})
	}
}

// bomb is a frame that holds far more than any segment.
func bomb(t *testing.T) []byte {
	t.Helper()
	z, err := newCompressor()
	if err != nil {
		t.Fatal(err)
	}
	return z.encoder.EncodeAll(make([]byte, 1<<24), nil)
}

// TestCompressedManyInterfaces: what is evicted is booked for each interface,
// also where a segment holds packets of more than are counted as they come.
func TestCompressedManyInterfaces(t *testing.T) {
	c := newCache(t, Options{Bytes: smallBudget, Bias: 2, Compress: true})
	var ids []packet.InterfaceID
	for _, name := range strings.Fields("a b c d e f g h") {
		id, err := c.Interface(packet.Interface{Name: name, LinkType: packet.LinkTypeEthernet})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	for i := range 30000 {
		k := talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(i / 4)}
		data := k.appendTo(nil, i%2 == 1, 0, 700, uint64(i))
		c.Replay([]packet.Packet{{Time: int64(i), Data: data, Interface: ids[i/4%len(ids)]}})
	}
	s := c.Stats()
	if s.Evicted.Packets == 0 || s.Classes[0].Compressed == 0 {
		t.Fatalf("%d packets evicted, %d segments compressed", s.Evicted.Packets, s.Classes[0].Compressed)
	}
	var evicted Count
	held := map[packet.InterfaceID]uint64{}
	r := c.NewReader()
	r.Begin(All)
	var p packet.Packet
	for r.Next(&p) {
		held[p.Interface]++
	}
	_, all := c.Interfaces()
	for _, id := range ids {
		evicted.add(all[id].Evicted.Packets, all[id].Evicted.Bytes)
		if stored := all[id].Stored().Packets; stored != held[id] {
			t.Errorf("interface %d is said to have %d packets, and has %d", id, stored, held[id])
		}
	}
	if evicted != s.Evicted {
		t.Errorf("the interfaces lost %v, the cache %v", evicted, s.Evicted)
	}
}
