package cache

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestStragglersComeInOrder: a packet in ten stands among others that are far
// older, as first packets do that were answered late, so that more segments
// overlap than are merged at once. All come, in the order of their times.
func TestStragglersComeInOrder(t *testing.T) {
	c := newCache(t, Options{Bytes: 4 * smallBudget, Bias: 2, Compress: true})
	const packets, late = 20000, 19000
	for i := range packets {
		k := talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: uint32(i)}
		at := int64(i) * 1000
		if i%10 == 9 {
			at -= late*1000 - 1
		}
		c.Append([]packet.Packet{{Time: at, Data: k.appendTo(nil, false, 0, 1000, uint64(i))}})
		c.Append([]packet.Packet{{Time: at, Data: k.appendTo(nil, true, 0, 60, uint64(i))}})
	}
	for c.compressNext() {
	}
	s := c.Stats()
	if s.Classes[0].Compressed == 0 {
		t.Error("nothing is compressed")
	}
	if overlapping := late * s.Classes[0].Segments / packets; overlapping < maxCursors {
		t.Fatalf("only %d segments overlap", overlapping)
	}
	r := c.NewReader()
	r.Begin(All)
	all := times(r)
	for i := range all[1:] {
		if all[i] > all[i+1] {
			t.Fatalf("packet %d of %d is of %d, the next of %d", i, len(all), all[i], all[i+1])
		}
	}
	if held := s.Held().Packets; uint64(len(all)) != held || r.Missing() != 0 {
		t.Errorf("%d packets came and %d are said to be missing, of %d", len(all), r.Missing(), held)
	}
}

// TestReaderMemoryOfMadTimes: timestamps at random make all segments overlap.
// All packets come, and a reader takes no more memory than it should.
func TestReaderMemoryOfMadTimes(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and far slower under the race detector")
	}
	c := newCache(t, Options{Bytes: smallBudget, Bias: 2})
	random := rand.New(rand.NewPCG(1, 2))
	var data []byte
	for i := range 90_000 {
		k := talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: uint32(i / 20)}
		data = k.appendTo(data[:0], false, tcpACK, 60, uint64(i))
		c.Append([]packet.Packet{{Time: random.Int64N(1e18), Data: data}})
	}
	s := c.Stats()
	held := s.Held().Packets
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := c.NewReader()
	r.Begin(All)
	var p packet.Packet
	n, last := uint64(0), int64(0)
	for r.Next(&p) {
		if n++; p.Time < last {
			t.Fatalf("packet %d is of %d, the one before of %d", n, p.Time, last)
		}
		last = p.Time
	}
	if n != held || r.Missing() != 0 {
		t.Errorf("%d packets came and %d are said to be missing, of %d", n, r.Missing(), held)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if taken := int64(after.HeapAlloc) - int64(before.HeapAlloc); taken > 3<<19 {
		t.Errorf("the reader holds %d bytes", taken)
	}
	runtime.KeepAlive(r)
}
