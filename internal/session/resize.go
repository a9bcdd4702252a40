package session

import (
	"slices"

	"github.com/packetcache/packetcache/internal/mem"
)

// Resize gives the table memory of another size, which begins where the old
// one did and, as far as it is longer, is zeroed; likewise the summaries. It
// needs no other memory. Sessions stay as far as there is room; hash is that of
// the flows, now the tick. The time it takes grows with the table: about 100 ns
// a place.
func (t *Table) Resize(memory, ended []byte, hash func(*Key) uint64, now uint32) error {
	before, after := t.buckets, uint64(len(memory)/bucketSize)
	summaries := len(ended) / summarySize
	if after == 0 || summaries == 0 {
		return errTooLittle
	}
	slots, _ := mem.Carve[Summary](ended, summaries)
	t.summaries.resize(slots)
	tags, hots, colds := layOut(memory, after)
	t.buckets = after
	// A bucket is a range of hashes, and the buckets stand in the order of the
	// hashes. So in a longer table no session moves down and in a shorter one
	// none moves up, and one bucket after the other can be moved without
	// meeting those that were not.
	if after > before {
		n := len(t.tags)
		copy(colds, t.cold)
		copy(hots, t.hot)
		clear(tags[n:])
		t.tags, t.hot, t.cold = tags, hots, colds
		for b := int(before) - 1; b >= 0; b-- {
			t.rehash(b, hash, now)
		}
	} else {
		for b := range int(before) {
			t.rehash(b, hash, now)
		}
		copy(hots, t.hot)
		copy(colds, t.cold)
		t.tags, t.hot, t.cold = tags, hots, colds
	}
	return nil
}

// rehash moves the sessions of a bucket to where they belong now.
func (t *Table) rehash(bucket int, hash func(*Key) uint64, now uint32) {
	var hots [ways]hot
	var colds [ways]cold
	n := 0
	for slot := bucket * ways; slot < (bucket+1)*ways; slot++ {
		if t.tags[slot] != 0 {
			hots[n], colds[n] = t.hot[slot], t.cold[slot]
			t.tags[slot] = 0
			n++
		}
	}
	for i := range n {
		t.settle(&hots[i], &colds[i], hash(&colds[i].key), now)
	}
}

// settle puts a session into its bucket. In a full one the session which is
// worth least is given up, be it this one.
func (t *Table) settle(h *hot, c *cold, hash uint64, now uint32) {
	base := t.bucket(hash)
	victim, worst := -1, h.dispensable(now)
	for slot := base; slot < base+ways; slot++ {
		if t.tags[slot] == 0 {
			t.hot[slot], t.cold[slot], t.tags[slot] = *h, *c, tagOf(hash)
			return
		}
		if score := t.hot[slot].dispensable(now); score > worst {
			victim, worst = slot, score
		}
	}
	t.giveUp(worst, now)
	if victim < 0 {
		t.sumUp(h, c)
		return
	}
	t.retire(victim)
	t.hot[victim], t.cold[victim], t.tags[victim] = *h, *c, tagOf(hash)
}

// resize keeps the newest summaries in slots, which begin where the old ones
// did.
func (r *summaryRing) resize(slots []Summary) {
	n := r.len()
	if n == len(r.slots) { // the oldest to the front
		oldest := int(r.pushed % uint64(n))
		slices.Reverse(r.slots[:oldest])
		slices.Reverse(r.slots[oldest:])
		slices.Reverse(r.slots)
	}
	kept := min(n, len(slots))
	copy(slots[:kept], r.slots[n-kept:n])
	r.slots, r.pushed = slots, uint64(kept)
}
