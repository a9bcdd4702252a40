package cache

import (
	"math/rand/v2"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestAppendAllocatesNothing, in a cache that is full and evicts, with packets
// of all kinds.
func TestAppendAllocatesNothing(t *testing.T) {
	w := newWorld(4, false)
	w.random = rand.New(rand.NewPCG(4, 4))
	var batch []packet.Packet
	for range 20000 {
		batch = append(batch, w.next().p)
	}
	for _, replay := range []bool{false, true} {
		w.replay = replay
		c := w.newCache(t, false)
		if replay {
			setRules(t, c, someRules...)
		}
		w.feed(c, batch)
		if s := c.Stats(); s.Evicted.Packets == 0 {
			t.Fatal("the cache is not full")
		}
		if n := testing.AllocsPerRun(5, func() {
			w.boot += 1e9
			w.feed(c, batch)
		}); n != 0 {
			t.Errorf("replay %v: %v allocations in %d packets", replay, n, len(batch))
		}
	}
}
