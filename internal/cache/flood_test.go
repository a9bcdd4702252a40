package cache

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A deluge is packets of sessions that are of no interest.
type deluge struct {
	name string
	// rate is sessions a second, for so long.
	rate int
	time time.Duration
	// packet makes packet i of session n; there are so many of each, of that size.
	packets int
	size    int
	packet  func(n uint32, i int, b []byte) []byte
}

// A flow makes a packet of the session that one of many hosts begins.
func flow(proto byte, host uint32, fromB bool, flags byte, b []byte) []byte {
	k := talk{link: packet.LinkTypeEthernet, proto: proto, n: host}
	return k.appendTo(b, fromB, flags, 0, 0)
}

// scattered makes numbers in a row look random.
func scattered(n uint32) uint32 {
	n = (n ^ n>>16) * 0x7feb352d
	n = (n ^ n>>15) * 0x846ca68b
	return n ^ n>>16
}

// atLength is how long a deluge lasts that tests may shorten.
const atLength = 10 * time.Minute

var deluges = []deluge{
	{"random SYNs", 100_000, atLength, 1, 60, func(n uint32, _ int, b []byte) []byte {
		return flow(ipTCP, scattered(n), false, tcpSYN, b)
	}},
	{"random SYNs sent again", 50_000, atLength, 2, 60, func(n uint32, _ int, b []byte) []byte {
		return flow(ipTCP, scattered(n), false, tcpSYN, b)
	}},
	{"a UDP scan from many ports", 100_000, atLength, 1, 60, func(n uint32, _ int, b []byte) []byte {
		return flow(ipUDP, n, false, 0, b)
	}},
	{"UDP that cannot be compressed", 10_000, atLength, 1, 1000, func(n uint32, _ int, b []byte) []byte {
		k := talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: scattered(n)}
		return k.appendTo(b, false, 0, 1000, uint64(n))
	}},
	{"random SYNs, refused", 50_000, atLength, 2, 60, func(n uint32, i int, b []byte) []byte {
		return flow(ipTCP, scattered(n), i == 1, []byte{tcpSYN, tcpRST | tcpACK}[i], b)
	}},
	{"a scan of a /16, refused", 1000, 65536 * time.Millisecond, 2, 60, func(n uint32, i int, b []byte) []byte {
		return flow(ipTCP, n, i == 1, []byte{tcpSYN, tcpRST | tcpACK}[i], b)
	}},
	{"a scan of a /16, all open", 1000, 65536 * time.Millisecond, 3, 60, func(n uint32, i int, b []byte) []byte {
		return flow(ipTCP, n, i == 1, []byte{tcpSYN, tcpSYN | tcpACK, tcpRST}[i], b)
	}},
}

// flood fills caches with the trace of a day and then sends the deluges through
// them, those of ten minutes shortened to a fraction.
func flood(t *testing.T, fraction time.Duration, budgets ...int) {
	o := needOffice(t)
	for _, d := range deluges {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			for _, budget := range budgets {
				length := d.time
				if length == atLength {
					length /= fraction
				}
				o.flood(t, &d, budget<<20, length)
			}
		})
	}
}

func (o *office) flood(t *testing.T, d *deluge, budget int, length time.Duration) {
	t.Helper()
	c := newCache(t, Options{Bytes: budget, Bias: 2, Compress: true})
	id := o.replayTo(t, c)
	before := o.retention(o.present(t, c, id))
	given := c.Stats().Sessions.GivenUp
	s := &stream{c: c, now: o.packets[len(o.packets)-1].Time}
	sessions := int(length.Seconds() * float64(d.rate))
	s.send(sessions*d.packets, d.size, length/time.Duration(sessions*d.packets), func(i int, b []byte) []byte {
		return d.packet(uint32(i/d.packets), i%d.packets, b)
	})
	after := o.retention(o.present(t, c, id))
	stats := c.Stats()
	checkStats(t, &stats)
	lost := 100 * (before.heads - after.heads) / before.heads
	t.Logf("%s, %d MiB, %d packets in %v: %.1f %% of the heads lost. The first 4 KiB of %.1f %% of sessions before, of %.1f %% after; of those of more than one packet of %.1f and %.1f %%; sessions given up: %d",
		d.name, budget>>20, s.made, length, lost, before.heads, after.heads, before.answered, after.answered, stats.Sessions.GivenUp-given)
	if lost > 20 {
		t.Errorf("%s cost %.1f %% of the heads at %d MiB, want at most 20", d.name, lost, budget>>20)
	}
}

// TestFlood is TestSoakFlood for six seconds each.
func TestFlood(t *testing.T) { flood(t, 100, 10) }
