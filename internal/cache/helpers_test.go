package cache

import (
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// smallBudget is the least that the service works in.
const smallBudget = 8 << 20

// newCache makes a cache that knows the interfaces of manyTalks and is closed
// at the end of the test.
func newCache(t testing.TB, o Options) *Cache {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	for want, i := range interfaces {
		if id, err := c.Interface(i); err != nil || id != packet.InterfaceID(want) {
			t.Fatalf("interface %s is number %d, %v", i.Name, id, err)
		}
	}
	return c
}

// evictedPackets is how many packets have been evicted, told without looking
// at all segments as Stats does.
func evictedPackets(c *Cache) (n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for class := range c.logs {
		n += c.logs[class].evicted.Packets
	}
	return n
}

// Next reads a single packet.
func (r *Reader) Next(p *packet.Packet) bool {
	var one [1]packet.Packet
	if r.Read(one[:]) == 0 {
		return false
	}
	*p = one[0]
	return true
}
