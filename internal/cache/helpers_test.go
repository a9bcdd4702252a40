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

// sealAll ends all segments that are being written to.
func (c *Cache) sealAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for class := range c.logs {
		c.logs[class].seal()
	}
}

// each calls do with each segment, those of a log from the oldest on.
func (c *Cache) each(do func(log int, seg *segment)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for class := range c.logs {
		for slot := c.logs[class].oldest; slot != noSegment; slot = c.segments.slots[slot].next {
			do(class, &c.segments.slots[slot])
		}
	}
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
