package dump

import (
	"encoding/binary"
	"testing"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/retention/week"
	"github.com/packetcache/packetcache/internal/trace"
)

// sought is a host with which a computer has one session of so many packets.
const (
	sought        = "100.64.7.77"
	soughtPackets = 24
)

// aWeek is a cache through which made-up days of an office computer have passed,
// with one session with sought in the middle. Now is when they end.
func aWeek(t *testing.T, budget int, days float64) (c *cache.Cache, now int64) {
	t.Helper()
	c, err := cache.New(cache.Options{Bytes: budget, Bias: 2, Compress: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	announce(t, c, "week", packet.LinkTypeEthernet)
	passed, had := uint64(0), false
	err = trace.Each(week.Week{Seed: 1, Days: days}, func(_ []packet.Interface, packets []packet.Packet) error {
		c.Replay(packets)
		for i := range packets {
			passed += uint64(len(packets[i].Data))
		}
		now = packets[len(packets)-1].Time
		if !had && passed > uint64(budget) {
			had = true
			c.Replay(soughtSession(now))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Stats().Evicted.Bytes == 0 {
		t.Fatalf("%d bytes passed and none was evicted", passed)
	}
	return c, now
}

// soughtSession is TCP between the computer and sought.
func soughtSession(at int64) []packet.Packet {
	list := make([]packet.Packet, soughtPackets)
	for i := range list {
		b := make([]byte, 54+8*i)
		copy(b[12:], []byte{8, 0, 0x45, 0})
		b[23], b[46], b[47] = 6, 0x50, 0x10
		mine, its := b[26:30], b[30:34]
		if i%2 == 1 {
			mine, its = its, mine
		}
		copy(mine, []byte{10, 20, 30, 40})
		copy(its, []byte{100, 64, 7, 77})
		binary.BigEndian.PutUint32(b[34:], 443<<16|443)
		at += 1e6
		list[i] = packet.Packet{Time: at, Data: b, OrigLen: uint32(len(b))}
	}
	return list
}
