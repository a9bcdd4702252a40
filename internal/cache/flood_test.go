package cache

import (
	"fmt"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// flood fills a cache with the trace of a day and then sends SYNs from random
// addresses, 100,000 a second for ten minutes shortened to a fraction. They may
// cost at most a fifth of the heads that were there, be it of sessions of one
// packet or of more.
func flood(t *testing.T, fraction int) {
	o := needOffice(t)
	for _, budget := range []int{10 << 20, 40 << 20} {
		t.Run(fmt.Sprintf("%dMiB", budget>>20), func(t *testing.T) {
			c := newCache(t, Options{Bytes: budget, Bias: 2})
			id := o.replayTo(t, c)
			before := o.retention(o.present(t, c, id))
			s := &stream{c: c, now: o.packets[len(o.packets)-1].Time}
			syn := talk{link: packet.LinkTypeEthernet, proto: ipTCP}
			random := uint64(1)
			s.send(100_000*600/fraction, 60, 10*time.Microsecond, func(_ int, b []byte) []byte {
				random = random*6364136223846793005 + 1442695040888963407
				syn.n = uint32(random >> 32)
				return syn.appendTo(b, false, tcpSYN, 0, 0)
			})
			after := o.retention(o.present(t, c, id))
			stats := c.Stats()
			checkStats(t, &stats)
			lost := 100 * (before.heads - after.heads) / before.heads
			t.Logf("%d SYNs cost %.1f %% of the heads: the first 4 KiB of %.1f %% of sessions before, of %.1f %% after; of those of more than one packet of %.1f and %.1f %%; %d SYNs are there",
				s.made, lost, before.heads, after.heads, before.answered, after.answered, stats.Unanswered.Held.Packets)
			if lost > 20 {
				t.Errorf("the flood cost %.1f %% of the heads, want at most 20", lost)
			}
		})
	}
}

func TestFlood(t *testing.T) { flood(t, 30) }
