package cache

import (
	"time"

	"github.com/packetcache/packetcache/internal/session"
)

// maxStep bounds what one packet of a replay can age the cache, so that a
// mad timestamp does not end all sessions and histories at once for good.
const maxStep = int64(366 * 24 * time.Hour)

// A clock tells ages. It never goes back: live it follows the time since
// boot, sleep included; in a replay, the forward steps of packet time. What
// the wall clock does makes no difference.
type clock struct {
	now      int64 // nanoseconds since the cache was made
	boot     int64
	packet   int64 // timestamp of the newest packet of the replay
	stepping bool  // in a replay: packet is set, and boot time stands still
}

func (c *clock) start(boot int64) { c.boot = boot }

// live moves the clock to the boot time.
func (c *clock) live(boot int64) {
	if boot > c.boot && !c.stepping {
		c.now += boot - c.boot
	}
	c.boot = boot
}

// step moves the clock to a packet of a replay.
func (c *clock) step(packet int64) {
	if c.stepping && packet > c.packet {
		// The difference of two far-off timestamps can overflow.
		if step := packet - c.packet; step > 0 {
			c.now += min(step, maxStep)
		} else {
			c.now += maxStep
		}
	}
	c.packet, c.stepping = packet, true
}

// tick is the time in the session table's unit.
func (c *clock) tick() uint32 { return uint32(uint64(c.now) / uint64(session.Tick)) }
