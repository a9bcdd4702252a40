package session

import (
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// TestHashSpreads: whatever the seed, the sessions of one client, whose ports
// come one after the other, do not crowd in a few buckets.
func TestHashSpreads(t *testing.T) {
	const sessions, buckets = 300, 35
	for range 3000 {
		table := Table{buckets: buckets}
		d := NewDecoder()
		var in [buckets]int
		for n := range sessions {
			var f Flow
			d.Decode(packet.LinkTypeRaw, segment(talker(n), server, tcpACK), &f)
			b := table.bucket(f.Hash) / ways
			if in[b]++; in[b] > ways {
				t.Fatalf("seed %x: more than %d of %d sessions are in one of %d buckets", d.seed, ways, sessions, buckets)
			}
		}
	}
}
