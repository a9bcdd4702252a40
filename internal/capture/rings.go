package capture

import (
	"context"
	"fmt"
	"slices"
)

// How memory for rings is shared: every interface that is up has an equal
// share, one share is kept for the next to come, and those that are down have
// half of one, or the least where that is more, so that they can begin as soon
// as they come up. A ring is left as it is as long as it can be, since opening a
// source anew loses packets: only when another interface finds no room is the
// largest made smaller, and only one that drops packets is made larger.

// bounds are the least and the greatest size of a ring.
func (c Config) bounds() (least, most int) {
	least, most = c.MinRing, c.MaxRing
	if least <= 0 {
		least = DefaultMinRing
	}
	if most <= 0 {
		most = DefaultMaxRing
	}
	return least, max(least, most)
}

// share is the ring that an interface ought to have, given how many are up and
// how many are down. It does not look at what is in use.
func (c Config) share(up, down int) int {
	least, most := c.bounds()
	share := 2 * c.RingBytes / (2*(up+1) + down)
	if share < 2*least {
		share = (c.RingBytes - down*least) / (up + 1)
	}
	return min(max(share, least), most)
}

// fit starts sources as far as their rings fit, and makes room for the rest.
func (l *Loop) fit(ctx context.Context, toStart []*lane) {
	up, down := 0, 0
	count := func(a *lane) {
		if a.link.Up {
			up++
		} else {
			down++
		}
	}
	used := 0
	for _, a := range l.lanes {
		if a.run != nil {
			used += a.run.ring
			count(a)
		}
	}
	for _, a := range toStart {
		count(a)
	}
	least, _ := l.cfg.bounds()
	share := l.cfg.share(up, down)
	// Those that are up come first, then as the system numbers them: the
	// machine's own before what is made in it.
	slices.SortFunc(toStart, func(a, b *lane) int {
		if a.link.Up != b.link.Up {
			if a.link.Up {
				return -1
			}
			return 1
		}
		return a.link.Index - b.link.Index
	})
	waiting := false
	for _, a := range toStart {
		ring := share
		if !a.link.Up {
			ring = max(least, share/2)
		}
		ring = min(ring, l.cfg.RingBytes-used)
		if ring < least || used+ring > l.cfg.RingBytes {
			waiting = true
			if !l.shrinkable(share) {
				l.failed(a, fmt.Errorf("no memory left for its buffer: %d interfaces share %d KiB and need %d KiB each; allow more RAM or exclude interfaces",
					up+down, l.cfg.RingBytes>>10, least>>10), 0)
				continue
			}
			l.set(a, StateWaiting, "for memory from another interface")
			continue
		}
		used += ring
		l.start(ctx, a, ring)
	}
	if waiting || used > l.cfg.RingBytes {
		l.shrink(share)
	}
}

// shrinkable reports whether a ring is being or can be made smaller.
func (l *Loop) shrinkable(share int) bool {
	for _, a := range l.lanes {
		if a.run != nil && (a.run.stopping || a.run.ring > share) {
			return true
		}
	}
	return false
}

// shrink has the largest ring that exceeds its share opened anew, which leads
// to another fit. One at a time is enough to find out.
func (l *Loop) shrink(share int) {
	var largest *lane
	for _, a := range l.lanes {
		if a.run == nil || a.run.ring <= share {
			continue
		}
		if a.run.stopping {
			return // room is being made
		}
		if largest == nil || a.run.ring > largest.run.ring {
			largest = a
		}
	}
	if largest != nil {
		l.stop(largest, "opened anew: with a smaller buffer, as others need memory")
	}
}

// grow has a source that drops packets opened anew if it can have a buffer of
// which is larger by a quarter at least.
func (l *Loop) grow(a *lane) {
	if a.run == nil || a.run.opened == nil || a.run.stopping {
		return
	}
	up, down, used := 0, 0, 0
	for _, b := range l.lanes {
		if b.run == nil {
			continue
		}
		used += b.run.ring
		if b.link.Up {
			up++
		} else {
			down++
		}
	}
	room := l.cfg.RingBytes - used + a.run.ring
	if a.link.Up && 4*min(l.cfg.share(up, down), room) >= 5*a.run.ring {
		l.stop(a, "opened anew: with a larger buffer, as it dropped packets")
	}
}
