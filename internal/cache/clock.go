package cache

import (
	"time"

	"github.com/packetcache/packetcache/internal/session"
)

// maxStep bounds what one packet of a replay can age the cache, so that a
// mad timestamp does not end all sessions and histories at once for good.
const maxStep = int64(366 * 24 * time.Hour)

// maxAge is where ages end, in nanoseconds: at 146 years. Those of what is restored
// end at half of that, by the clock of a run that takes no longer.
const maxAge = int64(1) << 62

// disorder is how far back packets may stand that merely come late, as those
// of several interfaces do; a longer step back is a clock set back.
const disorder = int64(time.Minute)

// A clock tells ages. It never goes back: live it follows the time since
// boot, sleep included; in a replay, the forward steps of packet time. What
// the wall clock does makes no difference.
type clock struct {
	now      int64 // nanoseconds since the cache was made
	boot     int64
	packet   int64 // the timestamp that the replay has come to
	stepping bool  // in a replay: packet is set, and boot time stands still
}

func (c *clock) start(boot int64) { c.boot = boot }

// live moves the clock to the boot time. One that is behind was read by a
// caller whom another overtook on the way to the cache's lock.
func (c *clock) live(boot int64) {
	if boot <= c.boot {
		return
	}
	if !c.stepping {
		c.now += boot - c.boot
	}
	c.boot = boot
}

// step moves the clock to a packet of a replay.
func (c *clock) step(packet int64) {
	// Differences as unsigned numbers, since those of two far-off timestamps
	// overflow signed ones.
	switch {
	case !c.stepping:
		c.stepping = true
	case packet > c.packet:
		step := int64(min(uint64(packet)-uint64(c.packet), uint64(maxStep)))
		c.now += min(step, maxAge-c.now)
	case uint64(c.packet)-uint64(packet) <= uint64(disorder):
		return
	}
	c.packet = packet
}

// tick is the time in the session table's unit.
func (c *clock) tick() uint32 { return uint32(uint64(c.now) / uint64(session.Tick)) }
