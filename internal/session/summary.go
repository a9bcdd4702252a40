package session

// A Summary is what remains known of a session after its packets have gone:
// 72 bytes.
type Summary struct {
	Key Key
	// First and Last are the ticks of the first and the newest packet.
	First, Last uint32
	// Packets and Bytes seen from side A and from side B of the key, bytes as
	// on the wire from the link layer on.
	Packets [2]uint32
	Bytes   [2]uint64
}

func summarize(h *hot, c *cold) Summary {
	s := Summary{Key: c.key, First: c.first, Last: h.last, Packets: h.packets}
	s.Bytes = [2]uint64{h.bytes[0] & countMask, h.bytes[1] & countMask}
	switch { // what holds a position has no bytes
	case h.bytes[0]&flagBoth != 0:
		s.Bytes = [2]uint64{uint64(c.bytes[0]), uint64(c.bytes[1])}
	case h.bytes[0]&flagPending != 0:
		s.Bytes[h.silent()] = 0
	}
	return s
}

// A summaryRing keeps the newest summaries, oldest first out.
type summaryRing struct {
	slots  []Summary
	pushed uint64
}

func (r *summaryRing) push(s Summary) {
	r.slots[r.pushed%uint64(len(r.slots))] = s
	r.pushed++
}

func (r *summaryRing) len() int { return int(min(r.pushed, uint64(len(r.slots)))) }

// Sessions calls yield for every session that is known, those that left the
// table first, until it returns false.
func (t *Table) Sessions(yield func(Summary) bool) {
	n := uint64(t.summaries.len())
	for i := t.summaries.pushed - n; i < t.summaries.pushed; i++ {
		if !yield(t.summaries.slots[i%uint64(len(t.summaries.slots))]) {
			return
		}
	}
	for slot, tag := range t.tags {
		if tag != 0 && !yield(summarize(&t.hot[slot], &t.cold[slot])) {
			return
		}
	}
}
