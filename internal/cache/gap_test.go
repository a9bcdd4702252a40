package cache

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// Whatever is missing in a file, and wherever: nothing is promised that is not
// there, and nothing that was not saved costs a promise.
func TestGaps(t *testing.T) {
	eth := packet.Interface{Name: "eth0", LinkType: packet.LinkTypeEthernet}
	c := newCacheOf(t, Options{Bytes: MinBytes, Bias: 2}, eth)
	// Sessions of up to 20 packets of 1000 bytes, a second apart; a number tells
	// them apart.
	const packets = 1500
	random := rand.New(rand.NewPCG(1, 1))
	sessions := random.Perm(packets)
	for i := range packets {
		frame := make([]byte, 1000)
		copy(frame, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45\x00\x03\xda\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02")
		binary.BigEndian.PutUint16(frame[34:], uint16(1024+sessions[i]/20))
		binary.BigEndian.PutUint32(frame[60:], uint32(i))
		c.Replay([]packet.Packet{{Time: int64(i) * int64(time.Second), Data: frame, OrigLen: 1000}})
	}
	saved := saveAll(t, c)
	if len(saved.state.Logs) < 4 || len(saved.segments) < 20 {
		t.Fatalf("only %d segments of %d logs", len(saved.segments), len(saved.state.Logs))
	}
	for first := range saved.segments {
		for _, length := range []int{1, 2, 5} {
			to := newCacheOf(t, Options{Bytes: MinBytes, Bias: 2}, eth)
			r, err := to.NewRestorer(&saved.state, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := range saved.segments {
				if i >= first && i < first+length {
					r.Gap()
					continue
				}
				seg := copySegment(&saved.segments[i])
				if _, err := r.Add(&seg); err != nil {
					t.Fatal(err)
				}
			}
			r.End()
			checkPromised(t, first, to, packets)
		}
	}
	whole := newCacheOf(t, Options{Bytes: MinBytes, Bias: 2}, eth)
	saved.restoreAll(t, whole, 0)
	stats := whole.Stats()
	if _, complete := stats.Promise(NumClasses - 1); !complete {
		t.Error("without a gap not all is promised")
	}
}

// checkPromised holds what a cache promises of all packets against what it has,
// where packet i came a second before the next.
func checkPromised(t *testing.T, gap int, c *Cache, packets int) {
	t.Helper()
	there := make([]bool, packets)
	for _, p := range showAll(t, c) {
		there[binary.BigEndian.Uint32([]byte(p.data)[60:])] = true
	}
	newest := -1
	for i, here := range there {
		if !here {
			newest = i
		}
	}
	stats := c.Stats()
	age, complete := stats.Promise(NumClasses - 1)
	if lost := time.Duration(packets-1-newest) * time.Second; newest >= 0 && (complete || age > lost+time.Second) {
		t.Errorf("gap at segment %d: promised are %v (complete: %t), the newest that is lost is %v old", gap, age, complete, lost)
	}
}
