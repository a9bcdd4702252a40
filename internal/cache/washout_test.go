package cache

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A stream makes packets that carry their number, in time with each other.
type stream struct {
	c     *Cache
	iface packet.InterfaceID
	now   int64  // time of the newest packet
	made  uint64 // packets so far
}

// send replays n packets of size bytes with a gap between them. Head makes the
// front of a packet, which is as long as it returns.
func (s *stream) send(n, size int, gap time.Duration, head func(i int, b []byte) []byte) {
	const batchLen = 256
	batch := make([]packet.Packet, batchLen)
	buffer := make([]byte, batchLen*size)
	for i := 0; i < n; {
		k := 0
		for ; k < batchLen && i < n; k++ {
			data := buffer[k*size:][:size:size]
			if len(head(i, data[:0])) > size {
				panic("the head does not fit")
			}
			s.made++
			if size >= 62 {
				binary.LittleEndian.PutUint64(data[54:], s.made)
			}
			s.now += int64(gap)
			batch[k] = packet.Packet{Time: s.now, Data: data, OrigLen: uint32(size), Interface: s.iface}
			i++
		}
		s.c.Replay(batch[:k])
	}
}

// checkRecent: the newest eighth of the budget is complete.
func (s *stream) checkRecent(t *testing.T, size int) {
	t.Helper()
	stats := s.c.Stats()
	checkStats(t, &stats)
	n := uint64(stats.Budget / 8 / (size + record.MaxHeader))
	if n > s.made {
		n = s.made
	}
	want := s.made - n + 1
	r := s.c.NewReader()
	r.Begin(All)
	var p packet.Packet
	for r.Next(&p) {
		if p.Interface == s.iface && len(p.Data) == size {
			if number := binary.LittleEndian.Uint64(p.Data[54:]); number == want {
				want++
			} else if number > want {
				t.Fatalf("of the newest %d packets number %d is missing", n, want)
			}
		}
	}
	if want != s.made+1 {
		t.Fatalf("of the newest %d packets, those from number %d on are missing", n, want)
	}
}

// washOut fills a cache with the trace of a day and then sends a download of
// 1.25 GB at 1 Gbit/s and ten hours of a tunnel of 100 kB/s through it, both
// shortened to a fraction. Neither may cost more than ten points of the
// sessions whose first 4 KiB are there, and what came last is complete.
func washOut(t *testing.T, fraction int) {
	o := needOffice(t)
	for _, budget := range []int{10 << 20, 40 << 20} {
		t.Run(fmt.Sprintf("%dMiB", budget>>20), func(t *testing.T) {
			c := newCache(t, Options{Bytes: budget, Bias: 2})
			id := o.replayTo(t, c)
			heads := o.retention(o.present(t, c, id)).heads
			t.Logf("a day: the first 4 KiB of %.1f %% of sessions", heads)
			s := &stream{c: c, now: o.packets[len(o.packets)-1].Time}
			for _, load := range []struct {
				name    string
				talk    talk
				packets int
				size    int
				gap     time.Duration
			}{
				{"download", talk{link: packet.LinkTypeEthernet, proto: ipTCP, n: 1}, 1_250_000_000 / 1500, 1500, 12 * time.Microsecond},
				{"tunnel", talk{link: packet.LinkTypeEthernet, proto: ipUDP, n: 2}, 3_600_000_000 / 1400, 1400, 14 * time.Millisecond},
			} {
				start := time.Now()
				s.send(load.packets/fraction, load.size, load.gap, func(i int, b []byte) []byte {
					return load.talk.appendTo(b, i%2 == 1, tcpACK, 0, 0)
				})
				took := time.Since(start)
				s.checkRecent(t, load.size)
				left := o.retention(o.present(t, c, id)).heads
				stats := c.Stats()
				t.Logf("%s of %d MB in %v: the first 4 KiB of %.1f %% of sessions, everything of the last %v (%v)", load.name,
					load.packets/fraction*load.size/1e6, load.gap*time.Duration(load.packets/fraction), left, promise(&stats, NumClasses-1), took.Round(time.Millisecond))
				if left < heads-10 {
					t.Errorf("the %s cost %.1f points of the sessions with their first 4 KiB: %.1f %% of %.1f %% are left", load.name, heads-left, left, heads)
				}
				heads = left
			}
		})
	}
}

func TestNothingWashesOutThePast(t *testing.T) {
	if raceEnabled {
		washOut(t, 20)
	} else {
		washOut(t, 1)
	}
}
