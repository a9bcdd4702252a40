package session

// A Visit is what the table says about a packet.
type Visit struct {
	// Slot is where the session stands, for SetPending.
	Slot int
	// Offset is how many bytes of the session came before this packet.
	Offset uint64
	// New says that this packet is the session's first.
	New bool
	// Pending is the position that SetPending stored with the session's first
	// packet, handed out once, with the second; HasPending says it is there.
	Pending    uint64
	HasPending bool
}

// Visit counts a packet of length bytes, seen at tick now, for the session of
// f. Slot is what Find returned for f.Hash, however long ago.
func (t *Table) Visit(f *Flow, slot int, now, length uint32) Visit {
	if slot < 0 || !t.is(slot, f.Hash) {
		if slot = t.Find(f.Hash); slot < 0 {
			return t.begin(f, t.freeSlot(f.Hash, now), now, length)
		}
	}
	h := &t.hot[slot]
	flags := h.bytes[0]
	if t.ended(slot, f, now) {
		t.retire(slot)
		return t.begin(f, slot, now, length)
	}
	v := Visit{Slot: slot}
	if flags&flagPending != 0 {
		silent := 1
		if flags&flagFromB != 0 {
			silent = 0
		}
		v.Pending, v.HasPending = h.bytes[silent]&countMask, true
		h.bytes[silent] &^= countMask
		h.bytes[0] &^= flagPending
	}
	v.Offset = h.bytes[0]&countMask + h.bytes[1]&countMask
	if flags&flagMidstream != 0 {
		v.Offset += MidstreamOffset
	}
	side := sideOf(f)
	if h.packets[side] != 1<<32-1 {
		h.packets[side]++
	}
	h.bytes[side] += uint64(length) // 2^48 bytes take a month at 1 Tbit/s
	h.last = now
	if f.tcpFlags&(tcpFIN|tcpRST) != 0 {
		h.bytes[0] |= flagClosed
	}
	return v
}

// SetPending leaves a position of 48 bits with a session that Visit has just
// reported as new; the next Visit hands it out.
func (t *Table) SetPending(slot int, position uint64) {
	h := &t.hot[slot]
	silent := 1
	if h.bytes[0]&flagFromB != 0 {
		silent = 0
	}
	h.bytes[silent] |= position & countMask
	h.bytes[0] |= flagPending
}

func sideOf(f *Flow) int {
	if f.Reverse {
		return 1
	}
	return 0
}

// ended reports whether f, a packet with the addresses of the session in
// slot, begins another one.
func (t *Table) ended(slot int, f *Flow, now uint32) bool {
	h := &t.hot[slot]
	flags := h.bytes[0]
	if t.idle(slot, now) {
		return true
	}
	if flags&flagRestarts != 0 && now-t.cold[slot].first >= ticksRestart {
		return true
	}
	return flags&flagClosed != 0 && f.tcpFlags&(tcpSYN|tcpACK) == tcpSYN
}

func (t *Table) idle(slot int, now uint32) bool {
	h := &t.hot[slot]
	if h.bytes[0]&flagTCP != 0 {
		return now-h.last > ticksTCP
	}
	return now-h.last > ticksOther
}

// begin writes a session's first packet into a slot.
func (t *Table) begin(f *Flow, slot int, now, length uint32) Visit {
	h, c := &t.hot[slot], &t.cold[slot]
	t.tags[slot] = tagOf(f.Hash)
	*h = hot{fingerprint: fingerprintOf(f.Hash), last: now}
	*c = cold{key: f.Key, first: now}
	v := Visit{Slot: slot, New: true}
	side := sideOf(f)
	h.packets[side] = 1
	h.bytes[side] = uint64(length)
	var flags uint64
	if f.Reverse {
		flags |= flagFromB
	}
	if f.restarts {
		flags |= flagRestarts
	}
	if f.tcp {
		flags |= flagTCP
		if f.tcpFlags&(tcpFIN|tcpRST) != 0 {
			flags |= flagClosed
		}
		if f.tcpFlags&tcpSYN == 0 && t.gaveUp && now-t.gaveUpLast <= ticksPressure {
			flags |= flagMidstream
			v.Offset = MidstreamOffset
		}
	}
	h.bytes[0] |= flags
	t.live++
	t.seen++
	return v
}

// freeSlot finds room in the bucket of hash: a free slot, else that of the
// session which is worth least.
func (t *Table) freeSlot(hash uint64, now uint32) int {
	base := t.bucket(hash)
	victim, worst := base, uint64(0)
	for slot := base; slot < base+ways; slot++ {
		if t.tags[slot] == 0 {
			return slot
		}
		h := &t.hot[slot]
		// Ended before unanswered before live; within each, idle longest.
		score := uint64(now-h.last) + 1
		switch {
		case t.idle(slot, now):
			score |= 1 << 34
		case h.packets[0]+h.packets[1] == 1:
			score |= 1 << 33
		}
		if score > worst {
			victim, worst = slot, score
		}
	}
	if worst>>33 == 0 { // more than one packet, and still live
		t.givenUp++
		t.gaveUp, t.gaveUpLast = true, now
	}
	t.retire(victim)
	return victim
}

// retire leaves a summary of the session in slot and frees it. Sessions of
// one packet leave none: that packet would say as much, and a scan would wash
// the others out.
func (t *Table) retire(slot int) {
	h, c := &t.hot[slot], &t.cold[slot]
	if h.packets[0]+h.packets[1] > 1 {
		t.summaries.push(summarize(h, c))
	}
	t.tags[slot] = 0
	t.live--
}
