package cache

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// jumps are what happens to clocks: set by hand, by a network that lies, and
// back.
var jumps = []time.Duration{24 * time.Hour, -366 * 24 * time.Hour, 24 * time.Hour, -time.Hour, 365 * 24 * time.Hour,
	time.Hour, -time.Hour, time.Hour, -time.Hour, time.Hour, -time.Hour}

// TestClockOnTheWall sets the clock forward a day and back a year in the
// middle: ages do not change, and a dump is in the order of what the packets
// say all the same.
func TestClockOnTheWall(t *testing.T) {
	w := newWorld(11, false)
	c := w.newCache(t, false)
	m := newModel()
	start := w.boot
	step := func(n int) {
		for range n {
			w.pass()
			s := w.next()
			m.now = w.boot - start
			m.add(s.k, s.flags, &s.p)
			c.Append([]packet.Packet{s.p})
			m.follow(t, c)
		}
	}
	step(12000)
	for _, jump := range jumps {
		w.wall += int64(jump)
		step(1000)
		m.checkContents(t, c)
	}
}

// TestClockJumpsInEveryClass: every class has an open segment that spans every
// jump, so that as many as can be overlap.
func TestClockJumpsInEveryClass(t *testing.T) {
	w := newWorld(12, false)
	c := w.newCache(t, false)
	m := newModel()
	start := w.boot
	// Conversation k stands in class k and remains there: its packets claim to
	// be long until it has come so far.
	talks := manyTalks(18, w.random)[1:]
	for i, k := range talks {
		*k = talk{link: interfaces[0].LinkType, proto: ipTCP, n: uint32(i)}
	}
	step := func(k *talk, size int, wire uint32) {
		w.wall += 1000
		w.boot += 1000
		m.now = w.boot - start
		w.serial++
		p := packet.Packet{Time: w.wall, Data: k.appendTo(nil, false, tcpACK, size, w.serial), OrigLen: wire}
		m.add(k, tcpACK, &p)
		c.Append([]packet.Packet{p})
		m.follow(t, c)
	}
	for class, k := range talks {
		for s := m.sessions[k]; s == nil || s.bytes < ClassStart(class); s = m.sessions[k] {
			step(k, 60, 0)
			if s := m.sessions[k]; ClassStart(class) > s.bytes+packet.MaxLen {
				step(k, 60, packet.MaxLen)
			}
		}
	}
	for _, jump := range jumps {
		w.wall += int64(jump)
		for range 40 {
			for _, k := range talks {
				step(k, 1000, 0)
			}
		}
		m.checkContents(t, c)
	}
}
